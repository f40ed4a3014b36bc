"""Trade-offs: the least cost for every level of a quantity."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.case import Case
from planner.compile import Matrix, compile_problem
from planner.engine import STATUS, Options, Progress, Solver
from planner.errors import InfeasibleError, SolverError
from planner.problem import Problem

REACH = 0.95
"""How far towards its least value a frontier goes: the last few percent cost beyond all measure [-]."""


def frontier(
    case: Case,
    quantity: str,
    points: int = 10,
    options: Options | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Least cost for evenly spaced totals of a quantity, from the cheapest plan towards the least it can be.

    Columns: `point` from 0; `total`, the quantity summed over the years of the plan [its unit]; `cost`, net present
    value [currency]. The cheap end comes first, and each point starts from the one before. Raises InfeasibleError when
    the case itself has no plan, SolverError when HiGHS stops before the end.
    """
    asked = case.edited([{"setting": "objective", "value": [f"quantity:{quantity}", "cost"]}])
    problem = Problem(asked)
    if problem.contradictions:
        raise InfeasibleError("the case has no plan")
    matrix = compile_problem(problem)
    total, cost = (stage.coefficients for stage in matrix.stages)
    solver = Solver(matrix, options or Options(), None)
    rows = []

    def solved(point: int) -> float:
        status = STATUS.get(solver.minimise(cost, f"point {point}"), "unknown")
        if status == "infeasible" and point == 0:
            raise InfeasibleError("the case has no plan")
        if status != "optimal":
            raise SolverError(f"point {point}: {status}")
        x = solver.values()
        rows.append((point, float(total @ x), float(cost @ x)))
        if progress is not None:
            progress(f"{point + 1}/{points}", time.perf_counter() - solver.started)
        return float(total @ x)

    cheapest = solved(0)
    least = least_total(matrix, total, options or Options())
    if points > 1 and least < cheapest:
        row = solver.hold(total, -np.inf, cheapest)
        for point in range(1, points):
            solver.change_hold(row, -np.inf, cheapest - REACH * (cheapest - least) * point / (points - 1))
            solved(point)
    return pd.DataFrame(rows, columns=["point", "total", "cost"])


def least_total(matrix: Matrix, total: NDArray[np.float64], options: Options) -> float:
    """The least a sum of columns can be; by interior point, as simplex is slow far from the least cost."""
    solver = Solver(matrix, replace(options, interior=True), None)
    if STATUS.get(solver.minimise(total, "reach"), "unknown") != "optimal":
        raise SolverError("the least total was not found")
    return float(total @ solver.values())
