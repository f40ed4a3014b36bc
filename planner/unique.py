"""How sure the headline numbers are: which are the same in every optimal plan, and how far the others can vary."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.case import Case
from planner.compile import Matrix, compile_problem
from planner.engine import HELD, STATUS, Options, Progress, Solver
from planner.plan import unit_of
from planner.problem import Problem
from planner.rows import PROVINCE
from planner.solution import Status

Array = NDArray[np.float64]
SAME = 1e-4
"""Numbers whose range is within this part of their size count as unique [-]."""
STEPS = 20
"""Solves for one end of a share, at most: two are usual."""
COLUMNS = ("kind", "id", "scope", "year", "unit", "value", "low", "high", "unique")


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number of a plan: a sum over columns and a constant, or such a sum as a part of another."""

    kind: str
    id: str
    scope: str = ""
    year: int | None = None
    unit: str
    part: Array
    constant: float = 0.0
    whole: Array | None = None
    scale: float = 0.0
    """How large it could be, where its own size says little [its unit]."""

    def value(self, plan: Array) -> float:
        """The number in a plan [its unit]."""
        return (float(self.part @ plan) + self.constant) / (1.0 if self.whole is None else float(self.whole @ plan))


def ranges(
    case: Case,
    measures: bool = False,
    options: Options | None = None,
    progress: Progress | None = None,
    every_year: bool = False,
) -> pd.DataFrame:
    """Range of each headline number over all optimal plans; with lumps, over those within 1e-7 of the least.

    Numbers: the objectives, total capital spending, what each fund pays; every emission in the last year; what each
    target bounds, in its first year, or with `every_year` in all of them; with `measures` also the stock of each
    measure in the last year. Columns: `kind` (objective, capex, fund, quantity, sum, share, measure), `id`, `scope`,
    `year` (blank: the whole plan), `unit`, `value` in the plan found, `low`, `high`, `unique`. Empty when the case has
    no plan: `attrs["status"]` says why. A number whose range was not found in time has blank ends.
    """
    own = list(case.settings.objective)
    own = own if "cost" in own else [*own, "cost"]
    spent = [name for name in ("capex", *(f"fund:{row.fund}" for row in case.funds)) if name not in own]
    problem = Problem(case.edited([{"setting": "objective", "value": [*own, *spent]}]))
    matrix = compile_problem(problem)
    solver = Solver(matrix, options or Options(), progress)
    lumpy = bool(matrix.integer.any())
    status: Status = "infeasible" if problem.contradictions else "optimal"
    plan = np.zeros(0)
    for stage in matrix.stages:
        if status != "optimal" or stage.name in spent:
            break
        signed = -stage.coefficients if stage.maximise else stage.coefficients
        status = STATUS.get(solver.minimise(signed, stage.name), "unknown")
        if status == "optimal":
            plan = solver.values()
            if stage.name == own[-1] and not lumpy:
                solver.stay_optimal()
            else:
                least = float(signed @ plan)
                slack = HELD if stage.name == own[-1] else matrix.tolerance
                solver.hold(signed, -np.inf, least + slack * abs(least))
        if lumpy:
            solver.fresh(matrix.integer)  # a warm start after an added row has called feasible problems infeasible
    rows = []
    for number in numbers(problem, matrix, spent, measures, every_year) if status == "optimal" else ():
        value = number.value(plan)
        if number.kind == "objective":
            low: float | None = value
            high: float | None = value
        else:
            low, high = (end(solver, number, value, sign) for sign in (1.0, -1.0))
        wide = None if low is None or high is None else high - low
        unique = (
            None if wide is None else wide <= SAME * max(abs(value), abs(high or 0.0), abs(low or 0.0), number.scale)
        )
        rows.append((number.kind, number.id, number.scope, number.year, number.unit, value, low, high, unique))
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"year": "Int64"})
    frame.attrs["status"] = status
    return frame


def end(solver: Solver, number: Number, value: float, sign: float) -> float | None:
    """Least (sign 1) or most (sign -1) of a number; none when it was not found in time.

    A share is p/w: the least of p - r w is zero at the least share r, to which each solve comes nearer.
    """
    what = f"range {number.id}"
    for _ in range(STEPS):
        sought = number.part if number.whole is None else number.part - value * number.whole
        if STATUS.get(solver.minimise(sign * sought, what)) != "optimal":
            return None
        found = number.value(solver.values())
        if number.whole is None or abs(found - value) <= 1e-9 * abs(value):
            return found
        value = found
    return value


def numbers(
    problem: Problem, matrix: Matrix, spent: Collection[str], measures: bool, every_year: bool
) -> Iterator[Number]:
    """What is asked of the optimal plans, each number once."""
    currency = problem.case.settings.currency
    for stage in matrix.stages:
        kind, _, fund = stage.name.partition(":")
        kind = kind if stage.name in spent else "objective"
        id_ = fund if kind == "fund" else stage.name
        unit = unit_of(problem, stage.name)
        yield Number(kind=kind, id=id_, unit=unit, part=stage.coefficients, constant=stage.constant)
    units = {row.quantity: row.unit for row in problem.case.quantities} | {"capex": currency, "cost": currency}
    seen: set[tuple[str, str, str, int | None]] = set()
    for number in (*emissions(problem, matrix), *bounded(problem, matrix, units, every_year)):
        key = (number.kind, number.id, number.scope, number.year)
        if key not in seen:
            seen.add(key)
            yield number
    if measures:
        for m, measure in problem.measures.items():
            stock = np.zeros(len(matrix.columns))
            for c in problem.cities:
                if (m, c) in problem.potential_path:
                    stock[matrix.column["stock", (m, c, problem.last)]] = 1.0
            most = float(stock @ np.nan_to_num(matrix.upper, posinf=0.0))
            yield Number(kind="measure", id=m, year=problem.last, unit=measure.unit, part=stock, scale=most)


def emissions(problem: Problem, matrix: Matrix) -> Iterator[Number]:
    """Every emission of the province in the last year: its baseline and all changes."""
    for row in problem.case.quantities:
        if row.kind == "emission":
            part = np.zeros(len(matrix.columns))
            for q, c, s in problem.places:
                if q == row.quantity:
                    part[matrix.column["change", (q, c, s, problem.last)]] = 1.0
            base = sum(float(path[-1]) for (q, _, _), path in problem.baseline_path.items() if q == row.quantity)
            yield Number(
                kind="quantity",
                id=row.quantity,
                scope=PROVINCE,
                year=problem.last,
                unit=row.unit,
                part=part,
                constant=base,
            )


def bounded(problem: Problem, matrix: Matrix, units: Mapping[str, str], every_year: bool) -> Iterator[Number]:
    """What targets bound, in the first year of each that is still to be decided, or in every one."""
    done: set[str] = set()
    kinds = {row.target: row.kind for row in problem.case.targets}
    for name, year in problem.goals:
        target = problem.goal_target[name]
        if target in done and not every_year:
            continue
        done.add(target)
        bound = problem.bounds[name, year]
        terms = list(bound.achieved.terms)
        spec = problem.levels[terms[0][0]]
        unit = units.get(spec.what, problem.case.settings.currency)
        scope = "/".join(part for part in (spec.scope, ";".join(spec.sectors)) if part)
        if kinds[target] == "share":
            (whole,) = bound.bound.terms
            part, of = levels(matrix, terms), levels(matrix, [whole])
            yield Number(kind="share", id=target, scope=scope, year=year, unit="-", part=part, whole=of)
        elif len(terms) > 1:
            yield Number(kind="sum", id=target, scope=scope, year=year, unit=unit, part=levels(matrix, terms))
        else:
            at = min(y for _, y in bound.excess)  # a fall is counted from the year before
            part = levels(matrix, [(terms[0][0], at)])
            yield Number(kind="quantity", id=spec.what, scope=scope, year=at, unit=unit, part=part)


def levels(matrix: Matrix, terms: Iterable[tuple[str, int]]) -> Array:
    """The sum of some levels."""
    part = np.zeros(len(matrix.columns))
    for term in terms:
        part[matrix.column["level", term]] = 1.0
    return part
