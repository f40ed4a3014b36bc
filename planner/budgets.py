"""The budget desk: what money is worth, what a cut takes away, what an earmark costs, and what money can buy at most.

All answers are plans of least cost of the same case; its other objectives make no difference here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from planner.case import Case
from planner.edits import Edit
from planner.engine import HELD, Options, Progress, cancellable
from planner.errors import CaseError, InfeasibleError, Place, SolverError, error
from planner.highlights import penalties
from planner.plan import Plan, report
from planner.probe import ROOMS, Axis, Codes, Posed, Probe, extreme, held
from planner.rows import Budget
from planner.solution import Solution, StageValue, Status
from planner.sweep import Asked, Backend, Job, objective, sweep
from planner.timing import path, span

Array = NDArray[np.float64]
LAST = 100e6
"""Money whose worth is told [currency]."""
SAME = 1e-9
"""Differences below this part of the cost are rounding [-]."""
STEPS = (0.1, 0.2, 0.3)
"""Rungs of a ladder of cuts [-]."""
MOVED = 1e-6
"""Part of a potential by which starts must differ to count as changed [-]."""
SLIPS = 0.05
"""Change of the mean year of starts that counts as a slip [yr]."""
WORTH = ("budget", "year", "years", "limit", "spent", "amount", "lost", "gained", "status")
LADDER = ("cut", "status", "cost", "extra", "penalties", "out", "less", "later")
CHANGES = ("measure", "before", "after", "capex", "slip", "change")
RULES = ("kind", "id", "sector", "measure", "share", "status", "cost")


@dataclass(frozen=True)
class Cut:
    """Rows of budgets and what a cut of everything takes from each."""

    rows: Codes
    amounts: Array
    """What each row loses where all is cut [currency]."""


@dataclass(frozen=True)
class Rung:
    """The plan after a cut, and what is different in it."""

    cut: float
    """Part that is cut [-]."""
    status: Status
    before: Plan = field(repr=False)
    after: Plan | None = field(repr=False)
    changes: pd.DataFrame
    """Columns `measure`; starts `before` and `after`; `capex`, change of its capital cost [currency]; `slip`, by how
    many years its mean start is later; `change`: out, less, later, earlier, more, new. What stays as it was is left
    out."""
    furthest: float | None = None
    """Largest cut that leaves a plan, where this one does not; none where no cut does."""

    @property
    def extra(self) -> float | None:
        """What it costs more [currency]."""
        return None if self.after is None else max(0.0, self.after.objective - self.before.objective)

    @property
    def by_year(self) -> pd.DataFrame:
        """What each year costs more, penalties included: `year`, `before`, `after`, `extra` [currency of the year]."""
        plans = {"before": self.before, "after": self.after}
        sums = {name: plan.costs.groupby("year")["value"].sum() for name, plan in plans.items() if plan is not None}
        frame = pd.DataFrame(sums).fillna(0.0)
        frame["extra"] = frame["after"] - frame["before"] if self.after is not None else np.nan
        return frame.reset_index()

    @property
    def missed(self) -> pd.DataFrame:
        """Soft targets that are missed more or less than before: `target`, `year`, `before`, `after` [its unit]."""
        keys = ["target", "year"]
        known = self.before.targets[[*keys, "missed"]].rename(columns={"missed": "before"})
        if self.after is None:
            return known.assign(after=np.nan).iloc[:0]
        now = self.after.targets[[*keys, "missed"]].rename(columns={"missed": "after"})
        both = known.merge(now, on=keys)
        size = both[["before", "after"]].abs().max(axis=1)
        return both[(both["after"] - both["before"]).abs() > MOVED * size].reset_index(drop=True)


class Desk:
    """The least-cost plan of a case, whose money is cut, and cut otherwise, again and again."""

    def __init__(self, case: Case, options: Options | None = None, progress: Progress | None = None) -> None:
        self.case, self.options, self.progress = case, options or Options(), progress
        self.posed = Posed.of(case)
        self.cost = self.posed.cost.part
        self.probe = Probe(self.posed.matrix, self.options, progress)
        self.values = self.probe.found(self.cost, "cost")
        self.least = float(self.cost @ self.values)
        self.duals: Array = np.zeros(len(self.posed.matrix.rows))
        if not self.probe.lumpy:
            self.duals = self.probe.duals()[0]
        self.stand = self.probe.stand()
        self.before = self.plan(self.values)

    def plan(self, values: Array) -> Plan:
        """A plan as frames, without prices."""
        value = self.posed.cost.value(values)
        nothing = np.zeros(len(self.posed.matrix.rows))
        found = Solution("optimal", "none", values, nothing, np.zeros(0), stages=(StageValue("cost", value, value),))
        return report(self.posed.problem, self.posed.matrix, found, {})

    # What is cut

    @cached_property
    def heads(self) -> dict[str, Budget]:
        """The first row of each budget."""
        heads: dict[str, Budget] = {}
        for row in self.case.budgets:
            heads.setdefault(row.budget, row)
        return heads

    @staticmethod
    def budgets_of(case: Case, fund: str) -> list[str]:
        """Budgets that limit a fund, and no other one with it. Raises CaseError where there is none."""
        own = dict.fromkeys(row.budget for row in case.budgets if row.fund == (fund,))
        if not own:
            limited = dict.fromkeys(row.fund[0] for row in case.budgets if len(row.fund) == 1)
            raise CaseError([error("fund_unlimited", Place("--fund"), found=fund, expected=", ".join(limited))])
        return list(own)

    def named(self, fund: str, budget: str) -> list[str]:
        """The budgets of a fund, or the one named. Raises CaseError."""
        if bool(fund) == bool(budget):
            raise CaseError([error("fund_or_budget", Place("--fund, --budget"))])
        if fund:
            return self.budgets_of(self.case, fund)
        if budget not in self.heads:
            raise CaseError([error("grid_budget", Place("--budget"), found=budget, expected=", ".join(self.heads))])
        return [budget]

    def yearly(self, budget: str) -> dict[int, float]:
        """Money of each year of a budget: its limit; of one per span an equal part of it [currency]."""
        head = self.heads[budget]
        years = span(head.first_year, head.last_year, self.posed.problem.years)
        if head.per == "span":
            return {year: head.limit / len(years) for year in years}
        points = {row.year: row.limit for row in self.case.budgets if row.budget == budget}
        return dict(zip(years, path(points, years).tolist(), strict=True)) if years else {}

    def cut_of(self, budgets: Sequence[str], year: int | None = None) -> Cut:
        """What a cut of budgets takes from their rows: of all money, or of that of one year.

        A year's money is missing from the row of that year; where unspent money moves on, also from all later ones; and
        from the row of the whole span.
        """
        rows, amounts = [], []
        for b in budgets:
            money, head = self.yearly(b), self.heads[b]
            for (name, at), (_, limit) in self.posed.problem.budgets.items():
                if name != b or at <= self.posed.problem.decided_after:
                    continue
                if year is None:
                    taken = limit
                elif head.per == "span" or (head.carry_over and at >= year) or at == year:
                    taken = money.get(year, 0.0)
                else:
                    taken = 0.0
                if taken > 0:
                    rows.append(self.posed.matrix.row["budget_is_kept", (b, at)])
                    amounts.append(taken)
        return Cut(np.array(rows, dtype=np.int64), np.array(amounts))

    # Solving

    def after(self, cut: Cut, part: float, what: str, frozen: int | None = None) -> tuple[Status, Array | None]:
        """The least-cost plan after a part of a cut; with `frozen`, starts before that year stay as they were."""
        starts, matrix = self.posed.starts, self.posed.matrix
        early = starts.columns[starts.year < frozen] if frozen is not None else np.zeros(0, dtype=np.int64)
        self.probe.limit(cut.rows, matrix.row_upper[cut.rows] - part * cut.amounts)
        status: Status = "infeasible"
        try:
            for room in ROOMS if early.size else ROOMS[:1]:
                self.probe.bound(early, *held(self.values, early, matrix, room))
                status = self.probe.least(self.cost, what)
                if status != "infeasible":
                    break
            return status, self.probe.values() if status == "optimal" else None
        finally:
            self.probe.limit(cut.rows, matrix.row_upper[cut.rows])
            self.probe.bound(early, matrix.lower[early], matrix.upper[early])

    def furthest(self, cut: Cut, frozen: int | None = None) -> float | None:
        """The largest part of a cut that leaves a plan; none where nothing does [-]."""
        matrix, starts = self.posed.matrix, self.posed.starts
        column = np.zeros(matrix.A.shape[0])
        column[cut.rows] = cut.amounts
        lower, upper = matrix.lower.copy(), matrix.upper.copy()
        if frozen is not None:
            early = starts.columns[starts.year < frozen]
            lower[early], upper[early] = held(self.values, early, matrix, ROOMS[-2])
        wide = replace(
            matrix,
            A=csr_array(hstack([matrix.A, csr_array(column[:, None])], format="csr")),
            lower=np.append(lower, 0.0),
            upper=np.append(upper, 1.0),
            integer=np.append(matrix.integer, False),
            stages=(),
            columns=(*matrix.columns, ("cut", ("cut",))),
            defining_row=np.append(matrix.defining_row, -1),
            made_of={},
        )
        part = np.zeros(len(wide.columns))
        part[-1] = -1.0
        try:
            return -float(part @ extreme(wide, part, self.options, "reach", self.progress))
        except InfeasibleError:
            return None

    def rung(self, cut: Cut, part: float, what: str, frozen: int | None = None) -> Rung:
        """The plan after a part of a cut, beside the one before."""
        status, values = self.after(cut, part, what, frozen)
        if values is None:
            furthest = self.furthest(cut, frozen) if status == "infeasible" else None
            return Rung(part, status, self.before, None, changes(self, None), furthest)
        return Rung(part, status, self.before, self.plan(values), changes(self, values))


def changes(desk: Desk, values: Array | None) -> pd.DataFrame:
    """What another plan starts differently, by measure: see `Rung.changes`."""
    if values is None:
        return pd.DataFrame(columns=list(CHANGES))
    starts = desk.posed.starts
    one, other = starts.totals(desk.values), starts.totals(values)
    size = np.bincount(starts.measure, starts.most, len(one))
    frame = pd.DataFrame({"measure": one["measure"], "before": one["starts"], "after": other["starts"]})
    frame["capex"], frame["slip"] = other["capex"] - one["capex"], other["mean_year"] - one["mean_year"]
    more: Any = (frame["after"] - frame["before"]) / np.where(size > 0, size, 1.0)
    none = [frame[name] <= MOVED * size for name in ("before", "after")]
    frame["change"] = np.select(
        [
            none[0] & none[1],
            none[1],
            none[0],
            more < -MOVED,
            more > MOVED,
            frame["slip"] > SLIPS,
            frame["slip"] < -SLIPS,
        ],
        ["", "out", "new", "less", "more", "later", "earlier"],
        "",
    )
    return frame[frame["change"] != ""].sort_values("capex", kind="stable").reset_index(drop=True)


def tidy(difference: float, of: float) -> float:
    """A difference that cannot be below zero, without rounding."""
    return difference if difference > SAME * abs(of) else 0.0


# Answers -------------------------------------------------------------------------------------------------------------


def worth(
    case: Case,
    amount: float = LAST,
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> pd.DataFrame:
    """What the last `amount` of money is worth in every budget and year.

    Columns: `budget`; `year`, the last one its row counts, and `years`, how many; `limit`, `spent`; `amount`, what is
    taken away (at most the limit) and added; `lost`, what the plan costs more without it; `gained`, what it costs less
    with so much more [net present value, currency]; `status` of the plan without it, infeasible where there is none.
    Where unspent money moves on, the money of a year is missing from that year on. A row with so much room, or without
    a price, needs no solve. Raises InfeasibleError without a plan, CaseError for an amount that is not positive.
    """
    if not amount > 0:
        raise CaseError([error("amount_positive", Place("--amount"), found=amount)])
    desk = Desk(case, options, cancellable(progress, cancel))
    matrix, rows = desk.posed.matrix, []
    activity = matrix.A @ desk.values
    keys = [key for key in desk.posed.problem.budgets if key[1] > desk.posed.problem.decided_after]
    for place, (b, year) in enumerate(keys):
        head = desk.heads[b]
        cut = desk.cut_of([b], year)
        limit = desk.posed.problem.budgets[b, year][1]
        at = matrix.row["budget_is_kept", (b, year)]
        money = desk.yearly(b)[year] if head.per == "year" else limit
        asked = min(amount, money)
        even = Cut(cut.rows, np.ones(cut.rows.size))
        what = f"worth {b} {year} ({place + 1}/{len(keys)})"
        room = (matrix.row_upper[cut.rows] - activity[cut.rows]).min(initial=np.inf)
        lost, gained, status = 0.0, 0.0, "optimal"
        if room < asked:
            status, values = desk.after(even, asked, what)
            lost = np.nan if values is None else tidy(float(desk.cost @ values) - desk.least, desk.least)
        if desk.probe.lumpy or np.any(desk.duals[cut.rows]):
            _, values = desk.after(even, -amount, what)
            gained = np.nan if values is None else tidy(desk.least - float(desk.cost @ values), desk.least)
        spent = float(activity[at])
        counted = len(desk.posed.problem.budgets[b, year][0])
        rows.append((b, year, counted, limit, spent, asked, lost, gained, status))
    return pd.DataFrame(rows, columns=list(WORTH))


def ladder(
    case: Case,
    fund: str = "",
    budget: str = "",
    steps: Sequence[float] = STEPS,
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> list[Rung]:
    """The plan after cuts of a budget, or of all budgets that limit one fund alone: all their limits, by each part.

    A cut that leaves no plan says how far one can go. Raises CaseError, InfeasibleError without a plan to begin with.
    """
    if any(not 0 <= step <= 1 for step in steps):
        raise CaseError([error("cut_range", Place("--step"), found=max(steps, key=abs))])
    desk = Desk(case, options, cancellable(progress, cancel))
    cut = desk.cut_of(desk.named(fund, budget))
    found: list[Rung] = []
    known: float | None = None
    for step in steps:
        if known is not None and step > known:  # what is more than too much is too much
            found.append(Rung(step, "infeasible", desk.before, None, changes(desk, None), known))
            continue
        found.append(desk.rung(cut, step, f"cut {step:.0%}"))
        known = found[-1].furthest
    return found


def rungs(found: Sequence[Rung]) -> pd.DataFrame:
    """Cuts as a frame: `cut`, `status`, `cost`, `extra`, `penalties` [currency, net present value], and how many
    measures fall `out`, are started `less`, or `later`; `furthest`, the largest cut that leaves a plan.
    """
    rows = []
    for rung in found:
        counts = rung.changes["change"].value_counts()
        cost = np.nan if rung.after is None else rung.after.objective
        missed = np.nan if rung.after is None else penalties(rung.after)
        numbers = [int(counts.get(name, 0)) for name in ("out", "less", "later")]
        rows.append((rung.cut, rung.status, cost, rung.extra, missed, *numbers, rung.furthest))
    return pd.DataFrame(rows, columns=[*LADDER, "furthest"]).astype({"extra": float, "furthest": float})


def clawback(
    case: Case,
    fund: str,
    year: int,
    cut: float = 0.2,
    known: bool = False,
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Rung:
    """What follows when a fund loses a part of the money of one year.

    The year's money is its limit in every budget that limits this fund alone; of a budget per span it is an equal part
    of it. The money is gone: also later, where unspent money could have moved on. Nobody knew before (unless `known`):
    what the plan started earlier stays started, and everything after is planned anew. Raises as `ladder`.
    """
    if not 0 <= cut <= 1:
        raise CaseError([error("cut_range", Place("--cut"), found=cut)])
    first, last = case.settings.first_year, case.settings.last_year
    if not first <= year <= last:
        raise CaseError([error("axis_year", Place("--year"), found=year, first=first, last=last)])
    desk = Desk(case, options, cancellable(progress, cancel))
    return desk.rung(desk.cut_of(desk.budgets_of(case, fund), year), cut, f"cut {cut:.0%}", None if known else year)


def earmark(
    case: Case,
    fund: str,
    sectors: Sequence[str],
    share: float = 1.0,
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> tuple[Rung, list[Edit]]:
    """What it costs to reserve a share of a fund's money for some sectors, and the edits that do so.

    In every budget that limits this fund alone the other sectors together get at most the rest. With a share of 1 only
    these sectors are eligible; one of 0 changes nothing. Raises as `ladder`.
    """
    known = [row.sector for row in case.sectors]
    strange = [sector for sector in sectors if sector not in known]
    if strange or not sectors:
        found = ", ".join(strange)
        raise CaseError([error("earmark_sectors", Place("--sectors"), found=found, expected=", ".join(known))])
    if not 0 <= share <= 1:
        raise CaseError([error("cut_range", Place("--share"), found=share)])
    plain = Desk.budgets_of(case, fund)
    edited = case.edited(others_at_most(case, sectors, plain, 0.0))
    desk = Desk(edited, options, cancellable(progress, cancel))
    cut = desk.cut_of([name for name in (f"{b}_others" for b in plain) if name in desk.heads])
    return desk.rung(cut, share, "earmark"), others_at_most(case, sectors, plain, share)


def others_at_most(case: Case, sectors: Sequence[str], budgets: Sequence[str], share: float) -> list[Edit]:
    """Budgets that leave the other sectors what is not reserved."""
    edits, known = [], [row.sector for row in case.sectors]
    for row in (row for row in case.budgets if row.budget in budgets):
        others = [sector for sector in row.sectors or known if sector not in sectors]
        if others:
            cells = {name: getattr(row, name) for name in ("scope", "first_year", "last_year", "per", "year")}
            cells |= {"budget": f"{row.budget}_others", "fund": ";".join(row.fund), "sectors": ";".join(others)}
            cells |= {"limit": (1 - share) * row.limit, "carry_over": "yes" if row.carry_over else None}
            edits.append(Edit(table="budgets", add={name: cell for name, cell in cells.items() if cell is not None}))
    return edits


def rules(
    case: Case,
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
    backend: Backend | None = None,
) -> pd.DataFrame:
    """What every rule of eligibility costs: the plan against the one in which the fund may pay all of it.

    Columns: `kind` rule, `id` of the fund, `sector`, `measure`, `share` it may pay, `status`, `cost` [net present
    value, currency]. Also what is not eligible at all (no rule, share 0) of sectors that have capital cost. The plans
    are solved by `backend`, several at once where that is worth while. Raises InfeasibleError without a plan.
    """
    base = case.edited([{"setting": "objective", "value": ["cost"]}])
    known = {(row.fund, row.sector, row.measure) for row in case.fund_rules}
    paid = {row.sector for row in case.measures if row.capex}
    asked = [(row.fund, row.sector, row.measure, row.max_share) for row in case.fund_rules if row.max_share < 1]
    asked += [
        (fund.fund, sector.sector, None, 0.0)
        for fund in case.funds
        for sector in case.sectors
        if sector.sector in paid and (fund.fund, sector.sector, None) not in known
    ]
    jobs = [Job()]
    for fund, sector, measure, _ in asked:
        key = {"fund": fund, "sector": sector, "measure": measure}
        edit = Edit(table="fund_rules", key=key, set={"max_share": 1})
        if (fund, sector, measure) not in known:
            edit = Edit(table="fund_rules", add={name: cell for name, cell in key.items() if cell} | {"max_share": 1})
        jobs.append(Job.of([edit]))
    wanted = Asked(objective, options=options or Options())
    first, *others = sweep(base, jobs, wanted, backend, progress=progress, cancel=cancel)
    if first.status == "infeasible":
        raise InfeasibleError("the case has no plan")
    if first.result is None:
        raise SolverError(first.words.get("en") or first.status)
    rows = [
        ("rule", fund, sector, measure or "", share, found.status, saved(first.result, found.result))
        for (fund, sector, measure, share), found in zip(asked, others, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(RULES))


def saved(before: float, after: float | None) -> float:
    """What the second plan costs less; not a number where there is none [currency]."""
    return np.nan if after is None else tidy(before - after, before)


@dataclass(frozen=True)
class Bought:
    """The most of a quantity that the money of a plan can buy, beside that plan."""

    quantity: str
    money: str
    cap: float
    """The money [currency]."""
    before: float
    after: float
    """The quantity in the least-cost plan, and at best [its unit]."""
    cost: tuple[float, float]
    """Net present value before and after [currency]."""
    capex: tuple[float, float]
    """Capital cost of what is started, before and after [currency]."""
    changes: pd.DataFrame
    """What is started differently: see `Rung.changes`."""


def most(
    case: Case,
    quantity: str,
    money: str = "capex",
    more: float = 0.0,
    alone: bool = False,
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Bought:
    """The least of a quantity (with `-`: the most) for the money that the least-cost plan takes: `cost` or `capex`.

    All targets and limits are kept; `alone` no longer asks for the targets on other quantities. `more` is a part by
    which the money grows. A plan of least cost cannot do better at its own cost, unless others cost the same; so ask
    for `capex`, for more money, or for this quantity alone. Among the best plans the cheapest is taken. Raises
    CaseError, InfeasibleError without a plan.
    """
    axis = Axis.of(quantity, case)
    if money not in ("cost", "capex"):
        raise CaseError([error("money_cap", Place("--money"), found=money)])
    cap = Axis.of(money, case)
    told = cancellable(progress, cancel)
    desk = Desk(case, options, told)
    capex = Axis.of("capex", case)
    posed = Posed.of(case, tuple({one.text: one for one in (cap, axis, capex)}.values()))
    sums = posed.sums | {"cost": posed.cost}
    probe = Probe(posed.matrix, desk.options, told)
    plan = probe.found(posed.cost.part, "cost")
    here, limit = axis.sign * sums[axis.text].part, sums[money]
    value = limit.value(plan)
    allowed = value + more * abs(value)
    if alone:
        own = {row.target for row in case.targets if axis.what in (row.quantity, row.of)}
        rows = [
            posed.matrix.row["target_is_kept", key]
            for key in posed.problem.goals
            if posed.problem.goal_target[key[0]] not in own
        ]
        probe.limit(np.array(rows, dtype=np.int64), np.full(len(rows), np.inf))
    probe.hold(limit.part, -np.inf, allowed - limit.constant + HELD * abs(allowed))
    best = probe.found(here, "most", fits=True)
    if money != "cost" or more:
        least = float(here @ best)
        probe.hold(here, -np.inf, least + HELD * max(abs(least), abs(sums[axis.text].value(plan))))
        best = probe.found(posed.cost.part, "cost", fits=True)
    spent = [sums["capex"].value(values) for values in (plan, best)]
    aside = np.zeros(len(desk.posed.matrix.columns))
    aside[desk.posed.starts.columns] = best[posed.starts.columns]
    quantities = [sums[axis.text].value(values) for values in (plan, best)]
    costs = (posed.cost.value(plan), posed.cost.value(best))
    return Bought(
        quantity, money, allowed, quantities[0], quantities[1], costs, (spent[0], spent[1]), changes(desk, aside)
    )
