r"""Fair shares: what it costs that all cities cut alike, or that none bears more than so much; how evenly both kinds of
emissions fall.

    alike = equal_cuts(read_case("cases/jiangxi"), "co2", 2030)
    alike.extra         # what equal percentages cost more than the least-cost split [currency]

The degree to which carbon and pollution fall together, of a city or sector, is the coupling coordination degree with
equal weights,

$$ C = \frac{2\sqrt{u_1 u_2}}{u_1 + u_2}, \quad T = \frac{u_1 + u_2}{2}, \quad D = \sqrt{C\,T} = (u_1 u_2)^{1/4} $$

where $u_1$ and $u_2$ are the parts of its own baselines of carbon and of pollutant equivalents that are cut, between 0
and 1. C says how balanced both are, D how far they go together. The formula is the traditional one as set right by
Wang, Kong, Ren et al., "Research on misuses and modification of coupling coordination degree model in China", Journal
of Natural Resources 36(3), 793-810, 2021.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, hstack

from planner import units
from planner.case import Case
from planner.cells import closest
from planner.compile import compile_problem
from planner.credit import EQUIVALENTS, case_of
from planner.edits import Edit
from planner.engine import Options, Progress, cancellable
from planner.errors import CaseError, InfeasibleError, Place, SolverError, error
from planner.plan import Plan, solve
from planner.probe import Probe
from planner.problem import Problem

Per = Literal["gdp", "head"]
ROOM = 1e-9
"""Room that a bound leaves for rounding, as a part of it [-]."""
CITIES = ("city", "cut_before", "cut_after", "capex_before", "capex_after", "burden_before", "burden_after")
SYNERGY = ("carbon", "pollution", "coupling", "synergy")


@dataclass(frozen=True)
class Fair:
    """A plan of least cost against one that keeps a rule of fairness."""

    quantity: str
    year: int
    per: Per
    asked: float
    """The part that every city cuts, or the burden that none exceeds as a multiple of the mean [-]."""
    before: Plan = field(repr=False)
    after: Plan | None = field(repr=False)
    """None where no plan keeps the rule."""
    status: str
    furthest: float | None
    """How far the rule can go where it leaves no plan as asked: the largest equal part, or the least multiple [-]."""
    edits: tuple[Edit, ...] = field(repr=False)
    """What makes the case keep the rule."""

    @property
    def extra(self) -> float | None:
        """What the rule costs [currency, net present value]; none without a plan."""
        return None if self.after is None else self.after.objective - self.before.objective

    @property
    def mean(self) -> float:
        """Capital per GDP or head in all cities together in the plan of least cost [currency per unit]; not a number
        where the case does not say.
        """
        own = of_cities(self.before, self.quantity, self.year, self.per)
        return float(own["capex"].sum()) / sum(sizes(case_of(self.before), self.per).values())

    @property
    def cities(self) -> pd.DataFrame:
        """Columns `city`; `cut_before` and `cut_after`, part of its own baseline that is cut in the year [-]; `capex`
        spent in it [currency]; `burden`, the same per GDP or head; `after` is blank where no plan keeps the rule.
        """
        one = of_cities(self.before, self.quantity, self.year, self.per)
        two = one * np.nan if self.after is None else of_cities(self.after, self.quantity, self.year, self.per)
        both = one.add_suffix("_before").join(two.add_suffix("_after")).reset_index()
        told: pd.DataFrame = both[list(CITIES)]
        return told


def of_cities(plan: Plan, quantity: str, year: int, per: Per) -> pd.DataFrame:
    """What each city cuts of its baseline in a year, what is spent in it, and that per GDP or head; by city."""
    case = case_of(plan)
    rows = plan.quantities[(plan.quantities["quantity"] == quantity) & (plan.quantities["year"] == year)]
    sums = rows.groupby("city")[["baseline", "planned"]].sum()
    frame = pd.DataFrame({"city": [row.city for row in case.cities]}).set_index("city").join(sums)
    frame["cut"] = (frame["baseline"] - frame["planned"]) / frame["baseline"].where(frame["baseline"] != 0)
    frame["capex"] = plan.funds.groupby("city")["paid"].sum() if len(plan.funds) else spending(plan)
    frame["capex"] = frame["capex"].fillna(0.0)
    frame["burden"] = frame["capex"] / pd.Series(sizes(case, per), dtype=float)
    return frame[["cut", "capex", "burden"]]


def spending(plan: Plan) -> pd.Series:
    """Capital cost by city of what is started or was begun before [currency]."""
    case = case_of(plan)
    booked = Problem(case).booked_measure.items()
    before = pd.DataFrame([(c, value) for (_, c, _), value in booked], columns=["city", "capex"], dtype=object)
    both = pd.concat([plan.portfolio[["city", "capex"]], before], ignore_index=True)
    return both.astype({"capex": float}).groupby("city")["capex"].sum()


def sizes(case: Case, per: Per) -> dict[str, float]:
    """GDP or people of each city; not a number where the case does not say."""
    column = "gdp" if per == "gdp" else "population"
    return {row.city: float(getattr(row, column) or np.nan) for row in case.cities}


def known_sizes(case: Case, per: Per) -> dict[str, float]:
    """The same. Raises CaseError where a city has none."""
    found, column = sizes(case, per), "gdp" if per == "gdp" else "population"
    missing = [city for city, size in found.items() if not size > 0]
    if missing:
        raise CaseError([error("fair_sizes", Place("cities.csv"), column=column, found=", ".join(missing))])
    return found


def equal_cuts(
    case: Case,
    quantity: str,
    year: int,
    per: Per = "gdp",
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Fair:
    """The least-cost plan in which every city cuts the same part of its own baseline in a year, against the one whose
    split among cities costs least; together they cut at least as much.

    Raises CaseError for an unknown quantity or year, InfeasibleError without a plan, SolverError, CancelledError.
    """
    asked_about(case, quantity, year)
    told, options = cancellable(progress, cancel), replace(options or Options(), prices=False, certify=False)
    before = found(case, options, told)
    rows = before.quantities[(before.quantities["quantity"] == quantity) & (before.quantities["year"] == year)]
    sums = rows[rows["city"] != ""].groupby("city")[["baseline", "planned"]].sum()
    sums = sums[sums["baseline"] > 0]
    whole = float(sums["baseline"].sum())
    part = (whole - float(sums["planned"].sum())) / whole if whole else 0.0
    most = {str(city): float(base) for city, base in sums["baseline"].items()}
    years = {"first_year": year, "last_year": year}
    shape = {"kind": "level", "quantity": quantity, "sense": "<=", **years}
    rule = {city: (shape, base, (1 - part) * base) for city, base in most.items()}
    return ruled(case, rule, before, Fair(quantity, year, per, part, before, None, "", None, ()), 0.0, options, told)


def capped_burden(
    case: Case,
    most: float,
    quantity: str,
    year: int,
    per: Per = "gdp",
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Fair:
    """The least-cost plan in which no city spends more capital per GDP (or head) than `most` times what the least-cost
    plan spends in all cities together, against that plan; `quantity` and `year` say whose cuts are told.

    Raises as `equal_cuts`, and CaseError for a multiple that is not above zero.
    """
    asked_about(case, quantity, year)
    if not most > 0:
        raise CaseError([error("fair_cap", Place("--cap"), found=most)])
    known_sizes(case, per)
    told, options = cancellable(progress, cancel), replace(options or Options(), prices=False, certify=False)
    before = found(case, options, told)
    own = of_cities(before, quantity, year, per)
    size = known_sizes(case, per)
    mean = float(own["capex"].sum()) / sum(size.values())
    highest = max(most, float(own["burden"].max()) / mean) if mean else most
    shape = {"kind": "cumulative", "quantity": "capex", "sense": "<="}
    rule = {city: (shape, highest * mean * of, most * mean * of) for city, of in size.items()}
    fair = Fair(quantity, year, per, most, before, None, "", None, ())
    return ruled(case, rule, before, fair, highest, options, told)


def asked_about(case: Case, quantity: str, year: int) -> None:
    """Raise CaseError where a case has no such quantity or year."""
    known = [row.quantity for row in case.quantities]
    if quantity not in known:
        raise CaseError([error("axis_unknown", Place("--quantity"), found=quantity, hint=closest(quantity, known))])
    first, last = case.settings.first_year, case.settings.last_year
    if not first <= year <= last:
        raise CaseError([error("axis_year", Place("--year"), found=year, first=first, last=last)])


def found(case: Case, options: Options, progress: Progress | None) -> Plan:
    """The least-cost plan of a case. Raises InfeasibleError, SolverError."""
    plan = solve(case.edited([{"setting": "objective", "value": ["cost"]}]), options, progress)
    if plan.status == "infeasible":
        raise InfeasibleError("the case has no plan")
    if not plan.found:
        raise SolverError(plan.status)
    return plan


def ruled(
    case: Case,
    rule: Mapping[str, tuple[Mapping[str, Any], float, float]],
    before: Plan,
    fair: Fair,
    loose: float,
    options: Options,
    progress: Progress | None,
) -> Fair:
    """The plan under a rule: for each city the shape of a target, its value where the rule is `loose`, and as asked."""

    def edits(asked: bool) -> tuple[Edit, ...]:
        made = []
        for city, (shape, most, least) in rule.items():
            value = least if asked else most
            row = {**shape, "target": f"fair_{city}", "scope": city, "value": value + ROOM * abs(value)}
            made.append(Edit(table="targets", add=row))
        return (Edit(setting="objective", value=["cost"]), *made)

    own = edits(True)
    after = solve(case.edited(list(own)), options, progress)
    if after.found or after.status != "infeasible":
        return replace(fair, after=after if after.found else None, status=after.status, edits=own)
    problem = Problem(case.edited(list(edits(False))))
    matrix = compile_problem(problem)
    column = np.zeros(len(matrix.rows))
    apart = {f"fair_{city}": most - least for city, (_, most, least) in rule.items()}
    for i, (family, key) in enumerate(matrix.rows):
        if family == "target_is_kept":
            column[i] = apart.get(problem.goal_target[str(key[0])], 0.0)
    wide = replace(
        matrix,
        A=csr_array(hstack([matrix.A, csr_array(column[:, None])], format="csr")),
        lower=np.append(matrix.lower, 0.0),
        upper=np.append(matrix.upper, 1.0),
        integer=np.append(matrix.integer, False),
        stages=(),
        columns=(*matrix.columns, ("part", ("part",))),
        defining_row=np.append(matrix.defining_row, -1),
        made_of={},
    )
    goal = np.zeros(len(wide.columns))
    goal[-1] = -1.0
    limits = options if wide.integer.any() else replace(options, crossover=True)
    part = float(Probe(wide, limits, progress).found(goal, "reach")[-1])
    return replace(fair, status="infeasible", furthest=loose + part * (fair.asked - loose), edits=own)


def synergy(
    plan: Plan, carbon: str, by: Literal["city", "sector"] = "sector", equivalents: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """How far carbon and pollution fall together where they are emitted, all years summed, by city or sector.

    Columns: `by`; `carbon` and `pollution`, parts of the own baselines that are cut [-]; `coupling` C and `synergy` D
    as above, blank where one of the baselines is nothing. Pollutants count by `equivalents` [kg for one].
    """
    case = case_of(plan)
    unit = {row.quantity: row.unit for row in case.quantities}
    kg = {q: units.factor(unit[q], "kg") / mass for q, mass in (equivalents or EQUIVALENTS).items() if q in unit}
    rows = plan.quantities[plan.quantities[by] != ""]
    weighed = rows[rows["quantity"].isin(list(kg))]
    weight = weighed["quantity"].map(kg)
    pollution = weighed.assign(baseline=weighed["baseline"] * weight, planned=weighed["planned"] * weight)
    parts = {}
    for name, of in (("carbon", rows[rows["quantity"] == carbon]), ("pollution", pollution)):
        sums = of.groupby(by, sort=False)[["baseline", "planned"]].sum()
        parts[name] = (1 - sums["planned"] / sums["baseline"].where(sums["baseline"] > 0)).clip(0.0, 1.0)
    frame = pd.DataFrame(parts)
    one, two = frame["carbon"], frame["pollution"]
    frame["coupling"] = 2 * np.sqrt(one * two) / (one + two).where(one + two > 0)
    frame["synergy"] = (one * two) ** 0.25
    told: pd.DataFrame = frame.reset_index(names=by)[[by, *SYNERGY]]
    return told
