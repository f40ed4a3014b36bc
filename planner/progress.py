"""Monitoring and re-planning: what was delivered against what was planned, and the plan from here on.

Deliveries are rows of the table `existing`: measure, city, year in service, units, and where known what a unit cost and
which fund paid. They hold all that entered service after the base year, or is under way, of the measures and cities
they name: rows of the case for these are left out. Works under way are rows of years to come. The re-plan is the same
case with these rows and `as_of`: what was begun up to that year is what the rows say, later years are decided anew.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from planner.case import Case
from planner.credit import case_of, effects
from planner.frames import KEPT
from planner.highlights import lines
from planner.plan import Plan
from planner.problem import Problem
from planner.rows import PROVINCE, Existing

PROGRESS = ("measure", "city", "year", "planned", "delivered", "difference", "planned_stock", "stock")
TRACK = ("target", "year", "scope", "bound", "planned", "now", "missed", "state")


def replanned(case: Case, delivered: Sequence[Existing], as_of: int) -> Case:
    """The case as seen from the end of `as_of`, with what was delivered; raises CaseError.

    Deliveries replace the rows of the case for the same measure and city after the base year; others stay.
    """
    named = {(row.measure, row.city) for row in delivered}
    base = case.settings.base_year
    rows = [row for row in case.existing if row.year <= base or (row.measure, row.city) not in named]
    return case.with_tables({"as_of": as_of}, {"existing": [*rows, *delivered]})


def as_planned(plan: Plan, as_of: int) -> list[Existing]:
    """Deliveries by which the plan is kept to the letter: all it begins up to `as_of`, with what existed before.

    Each start serves after its lead time; what serves after `as_of` is under way.
    """
    case = case_of(plan)
    lead = {row.measure: row.lead_time for row in case.measures}
    units: dict[tuple[str, str, int], float] = defaultdict(float)
    for line in lines(plan.portfolio):
        if line.starts > 0 and line.year <= as_of:
            units[line.measure, line.city, int(line.year) + lead[line.measure]] += float(line.starts)
    own = {row.ids(): row for row in case.existing if row.year > case.settings.base_year}
    named = {(m, c) for m, c, _ in units}
    found = [row for row in own.values() if (row.measure, row.city) in named and (*row.ids()[:3],) not in units]
    found += [row for row in own.values() if (*row.ids()[:3],) in units and row.fund is not None]
    for (m, c, y), begun in units.items():
        before = own.get((m, c, y, None))
        cost = None
        if before is not None and before.capex is not None:  # one row, two costs: their mean
            problem = Problem(case)
            paid = problem.capex[list(problem.measures).index(m), y - lead[m] - problem.first]
            cost = (before.units * before.capex + begun * float(paid)) / (before.units + begun)
        whole = begun + (before.units if before else 0.0)
        found.append(Existing(measure=m, city=c, year=y, units=whole, capex=cost))
    return found


def commissioned(plan: Plan) -> pd.DataFrame:
    """What the plan commissions by measure, city and year, with what was decided before [unit of the measure]."""
    case = case_of(plan)
    lead = {row.measure: row.lead_time for row in case.measures}
    started = plan.portfolio[plan.portfolio["starts"] > 0][["measure", "city", "year", "starts"]]
    begun = started.assign(year=started["year"] + started["measure"].map(lead).astype(int)).rename(
        columns={"starts": "units"}
    )
    before = [(row.measure, row.city, row.year, row.units) for row in case.existing]
    both = pd.concat([begun, pd.DataFrame(before, columns=["measure", "city", "year", "units"])], ignore_index=True)
    sums: pd.DataFrame = both.groupby(["measure", "city", "year"], sort=False, as_index=False)[["units"]].sum()
    return sums


def progress(plan: Plan, now: Plan, as_of: int) -> pd.DataFrame:
    """Planned against delivered by measure, city and year up to `as_of` [unit of the measure].

    `planned` and `delivered` are commissioned in the year, `planned_stock` and `stock` in service. `plan` is the plan
    that was made, `now` the re-plan. Only what either of them has is listed.
    """
    case = case_of(plan)
    keys = ["measure", "city", "year"]
    first = case.settings.first_year
    frames = {}
    for name, of in (("planned", commissioned(plan)), ("delivered", commissioned(now))):
        chosen = of[(of["year"] >= first) & (of["year"] <= as_of)]
        frames[name] = chosen.set_index(keys)["units"]
    for name, of in (("planned_stock", plan.portfolio), ("stock", now.portfolio)):
        chosen = of[of["year"] <= as_of]
        frames[name] = chosen[chosen["stock"] > 0].set_index(keys)["stock"]
    table = pd.DataFrame(frames).fillna(0.0)
    table["difference"] = table["delivered"] - table["planned"]
    order = {row.measure: place for place, row in enumerate(case.measures)}
    table = table.reset_index()
    table["order"] = table["measure"].map(order)
    table = table.sort_values(["order", "city", "year"], kind="stable")
    return table[list(PROGRESS)].reset_index(drop=True)


def idle_overlap(plan: Plan) -> dict[tuple[str, str, int], float]:
    """What overlaps beyond the least add to the levels of the whole area, in years that are history [its unit].

    Keys: quantity, sector, year; a blank sector is all of them, conversions included. Nothing asks for a small overlap
    in a year whose targets are past, so the solver may take any; the reading of history is the least, as for the base
    year.
    """
    case = case_of(plan)
    as_of = case.settings.as_of
    past = plan.overlaps[plan.overlaps["year"] <= (as_of or 0)]
    if past.empty:
        return {}
    problem = Problem(case)
    stock = {(line.measure, line.city, int(line.year)): float(line.stock) for line in lines(plan.portfolio)}
    idle = []
    for line in lines(past):
        key = (line.group, line.city, int(line.year))
        members = problem.overlap_members[key]
        full = sum(
            float(problem.part_of_potential[m, line.city, key[2]]) * stock.get((m, line.city, key[2]), 0.0)
            for m in members
        )
        idle.append((*key, float(line.overlap) - max(0.0, full - 1.0)))
    lost = effects(case).overlaps.groupby(["group", "city", "year", "quantity"], as_index=False)["value"].sum()
    both = lost.merge(pd.DataFrame(idle, columns=["group", "city", "year", "idle"]), on=["group", "city", "year"])
    both["value"] *= both["idle"]
    found: dict[tuple[str, str, int], float] = defaultdict(float)
    for line in lines(both):
        found[line.quantity, "", int(line.year)] += float(line.value)
        first = problem.overlap_pairs[line.group, line.city][0]
        if line.quantity == problem.overlap_quantity[line.group]:
            found[line.quantity, problem.measures[first].sector, int(line.year)] += float(line.value)
    return found


def track(plan: Plan, now: Plan) -> pd.DataFrame:
    """Targets as planned and as they stand now: achieved and missed by year [unit of the quantity].

    `state`: kept, missed (now, and was not), both (missed in both), regained (missed in the plan, kept now). Years that
    are history are read with overlaps at their least, for targets on a quantity of the whole area.
    """
    idle = idle_overlap(now)
    targets = {row.target: row for row in case_of(now).targets}
    before = plan.targets.set_index(["target", "year"])[["achieved", "missed"]]
    rows = []
    for line in lines(now.targets):
        key = (line.target, line.year)
        old = before.loc[key] if key in before.index else None
        was = old is not None and float(old["missed"]) > 0
        achieved, missed = float(line.achieved), float(line.missed)
        target = targets[line.target]
        whole = target.scope == PROVINCE and target.per == "year"
        if whole and target.kind in ("level", "change", "abated", "intensity"):
            extra = sum(idle.get((target.quantity, s, int(line.year)), 0.0) for s in target.sectors or ("",))
            achieved += extra if target.kind == "abated" else -extra
            missed = max(0.0, (achieved - line.bound) * (1.0 if target.sense == "<=" else -1.0)) if extra else missed
            missed = 0.0 if missed <= KEPT * max(abs(achieved), abs(line.bound)) else missed
        state = ("both" if was else "missed") if missed > 0 else ("regained" if was else "kept")
        planned = None if old is None else float(old["achieved"])
        rows.append((line.target, int(line.year), line.scope, line.bound, planned, achieved, missed, state))
    return pd.DataFrame(rows, columns=list(TRACK))


@dataclass(frozen=True)
class Slip:
    """Costs over all years of the plan, history included, in present value [currency]."""

    planned: float
    """Of the plan that was made, without penalties of years that are history now."""
    kept: float
    """Of the re-plan had everything been delivered as planned: the same, if the plan was optimal."""
    now: float
    """Of the re-plan from what was delivered."""

    @property
    def cost(self) -> float:
        """What slipping costs: less spent on what was not built, more on catching up, on energy and on fines."""
        return self.now - self.kept


def full_cost(plan: Plan, as_of: int) -> float:
    """Cost of a plan with the annuities of what was commissioned after the base year and decided before it.

    Penalties of years up to `as_of` are left out: these years are past in a re-plan. Rows that cost nothing in the plan
    that was made, such as works under way before it, cost nothing here either: subtract what both have.
    """
    case = case_of(plan)
    problem = Problem(case)
    past = (plan.costs["item"] == "penalty") & (plan.costs["year"] <= as_of)
    found = float(plan.costs.loc[~past, "discounted"].sum())
    first, last, base = case.settings.first_year, case.settings.last_year, case.settings.base_year
    recovery = dict(zip(problem.measures, problem.capital_recovery.tolist(), strict=True))
    for row in case.existing:
        if row.year <= base:
            continue
        measure = problem.measures[row.measure]
        start = min(max(row.year - measure.lead_time, first), last)
        yearly = problem.payment[row.measure, start] if row.capex is None else row.capex * recovery[row.measure]
        serving = range(max(row.year, first), min(row.year + measure.lifetime - 1, last) + 1)
        found += row.units * yearly * sum(problem.discount[year] for year in serving)
    return found


def slip(plan: Plan, kept: Plan, now: Plan, as_of: int) -> Slip:
    """What slipping cost, from the plan that was made, the re-plan as planned and the re-plan from deliveries."""
    return Slip(full_cost(plan, as_of), full_cost(kept, as_of), full_cost(now, as_of))
