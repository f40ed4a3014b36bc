"""Prices on both sides: slopes of the least cost at optima where many bounds meet, against solving anew."""

import highspy
import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from planner.prices import Sides, Vertex
from planner.pricing import least

STEP = 1e-5


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A linear program with small whole numbers, so that many bounds meet: costs, rows, their upper sides, bounds."""
    rng = np.random.default_rng(seed)
    columns, rows = rng.integers(4, 12), rng.integers(4, 14)
    A = rng.integers(-2, 3, (rows, columns)).astype(float) * (rng.random((rows, columns)) < 0.6)
    costs = rng.integers(-3, 4, columns).astype(float)
    high = rng.integers(1, 4, columns).astype(float)
    at = np.round(rng.random(columns) * high)  # a corner or an edge that keeps every row, most of them tightly
    sides = A @ at + rng.integers(0, 2, rows) * (rng.random(rows) < 0.4)
    return costs, A, sides, high


def value(costs: np.ndarray, A: np.ndarray, sides: np.ndarray, high: np.ndarray) -> float:
    """The least cost by another route; infinite where there is none."""
    found = linprog(costs, A_ub=A, b_ub=sides, bounds=list(zip(np.zeros(high.size), high, strict=True)))
    return float(found.fun) if found.status == 0 else np.inf


@pytest.mark.parametrize("seed", range(150))
def test_slopes_are_those_of_the_least_cost(seed: int) -> None:
    costs, A, sides, high = drawn(seed)
    rows, columns = A.shape
    matrix = csr_array(A)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("presolve", "off")
    nothing = np.zeros(columns)
    none = np.full(rows, -np.inf)
    highs.passModel(
        *(columns, rows, matrix.nnz, int(highspy.MatrixFormat.kRowwise), 1, 0.0, costs, nothing, high, none, sides),
        *(matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data, nothing.astype(np.int32)),
    )
    highs.run()
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    solution = highs.getSolution()
    vertex = Vertex(
        A=matrix,
        low=np.concatenate([nothing, none]),
        high=np.concatenate([high, sides]),
        at=np.concatenate([solution.col_value, solution.row_value]),
        duals=np.concatenate([solution.col_dual, solution.row_dual]),
        basic=highs.getBasicVariables()[1],
    )
    found = Sides(vertex, highs, least, STEP, 1e-10)
    now = value(costs, A, sides, high)
    tight = np.flatnonzero(sides - np.array(solution.row_value) < 2 * STEP)
    for row in tight.tolist():
        for way in (1.0, -1.0):
            slope = found.slope(row, way)
            assert slope is not None
            moved = sides.copy()
            moved[row] += way * 1e-3
            assert slope[0] == pytest.approx((value(costs, A, moved, high) - now) / 1e-3, abs=1e-6)
            if np.isfinite(slope[0]) and slope[0]:
                moved[row] = sides[row] + way * min(slope[1], 10.0)
                at_end = value(costs, A, moved, high)
                assert at_end == pytest.approx(now + slope[0] * min(slope[1], 10.0), abs=1e-6)


def test_the_draws_are_full_of_meeting_bounds() -> None:
    degenerate = 0
    for seed in range(150):
        costs, A, sides, high = drawn(seed)
        found = linprog(costs, A_ub=A, b_ub=sides, bounds=list(zip(np.zeros(high.size), high, strict=True)))
        at_bounds = int((found.x < 1e-9).sum() + (found.x > high - 1e-9).sum() + (found.slack < 1e-9).sum())
        degenerate += at_bounds > costs.size
    assert degenerate > 100
