"""How sure the headline numbers are: which are the same in every optimal plan, and how far the others can vary."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.case import Case
from planner.compile import Matrix, compile_problem
from planner.engine import HELD, STATUS, Options, Progress, Solver
from planner.problem import Problem

SAME = 1e-4
"""Numbers whose range is within this part of their size count as unique [-]."""
COLUMNS = ("kind", "id", "year", "unit", "value", "low", "high", "unique")


def ranges(
    case: Case, measures: bool = False, options: Options | None = None, progress: Progress | None = None
) -> pd.DataFrame:
    """Range of each headline number over all plans whose cost is within 1e-7 of the least.

    Numbers: total capital spending, what each fund pays, the level of every quantity with a target in its years; with
    `measures` also the stock of each measure in the last year. Columns: `kind` (capex, fund, quantity, measure), `id`,
    `year` (blank: the whole plan), `unit`, `value` in the plan found, `low`, `high`, `unique`. Empty when the case has
    no plan. A number whose range was not found in time has blank ends.
    """
    names = [f"fund:{row.fund}" for row in case.funds]
    asked = case.edited([{"setting": "objective", "value": ["capex", *names, "cost"]}])
    problem = Problem(asked)
    matrix = compile_problem(problem)
    solver = Solver(matrix, options or Options(), progress)
    cost = matrix.stages[-1]
    if problem.contradictions or STATUS.get(solver.minimise(cost.coefficients, "cost")) != "optimal":
        return pd.DataFrame([], columns=list(COLUMNS))
    plan = solver.values()
    least = float(cost.coefficients @ plan)
    solver.hold(cost.coefficients, -np.inf, least + HELD * abs(least))
    rows = []
    for kind, name, year, unit, coefficients in headlines(problem, matrix, measures):
        value = float(coefficients @ plan)
        ends = [end(solver, sign * coefficients, f"{kind} {name}") for sign in (1.0, -1.0)]
        low, high = (None if found is None else sign * found for found, sign in zip(ends, (1.0, -1.0), strict=True))
        wide = None if low is None or high is None else high - low
        unique = None if wide is None else wide <= SAME * max(abs(value), abs(high or 0.0), abs(low or 0.0))
        rows.append((kind, name, year, unit, value, low, high, unique))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def end(solver: Solver, coefficients: NDArray[np.float64], what: str) -> float | None:
    """The least of a sum over the optimal plans; none when it was not found in time."""
    if STATUS.get(solver.minimise(coefficients, what)) != "optimal":
        return None
    return float(coefficients @ solver.values())


def headlines(
    problem: Problem, matrix: Matrix, measures: bool
) -> Iterator[tuple[str, str, int | None, str, NDArray[np.float64]]]:
    """What is asked of the optimal plans: kind, id, year, unit and coefficients of each number."""
    currency = problem.case.settings.currency
    for stage in matrix.stages[:-1]:
        kind, _, fund = stage.name.partition(":")
        yield kind, fund, None, currency, stage.coefficients
    units = {row.quantity: row.unit for row in problem.case.quantities}
    asked = {(level, y) for bound in problem.bounds.values() for level, y in bound.excess}
    for level, y in sorted(asked):
        spec = problem.levels[level]
        if spec.what in units and y > problem.decided_after:
            where = [part for part in (spec.scope, ";".join(spec.sectors)) if part]
            yield "quantity", " ".join([spec.what, *where]), y, units[spec.what], one(matrix, ("level", (level, y)))
    if measures:
        for m, measure in problem.measures.items():
            coefficients = np.zeros(len(matrix.columns))
            for c in problem.cities:
                if (m, c) in problem.potential_path:
                    coefficients[matrix.column["stock", (m, c, problem.last)]] = 1.0
            yield "measure", m, problem.last, measure.unit, coefficients


def one(matrix: Matrix, name: Any) -> NDArray[np.float64]:
    """The single column of that name."""
    coefficients = np.zeros(len(matrix.columns))
    coefficients[matrix.column[name]] = 1.0
    return coefficients
