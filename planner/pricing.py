"""Pricing: what loosening and tightening rows by a little saves and costs, at the last optimum of a solver."""

import time

import highspy
import numpy as np
from highspy import HighsModelStatus
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from planner.engine import NO_PRICE, STATUS, Array, Solver, expect
from planner.prices import Sides, Vertex
from planner.solution import Slopes

NUDGE = 1e-5
"""How far a scaled row is moved to read its price beyond its bound [-]."""


def both_sides(solver: Solver, rows: NDArray[np.int64], what: str) -> dict[int, Slopes]:
    """Prices of `<=` rows on both sides, at the last solve.

    They are slopes of the least cost, which is piecewise linear: see `planner.prices`. What rounding leaves open
    there is the dual of the optimum just beyond. A row with room has no price. The instance is left as it was.
    """
    highs, scale, matrix = solver.highs, solver.scaling, solver.matrix
    begun = time.perf_counter()
    vertex = _vertex(solver)
    room = (vertex.high - vertex.at)[matrix.A.shape[1] :]
    sides = Sides(vertex, highs, least, NUDGE, NO_PRICE)
    tight = [row for row in rows.tolist() if room[row] <= 2 * NUDGE]
    found: dict[tuple[int, float], tuple[float, float] | None] = {}
    for row in tight:
        solver.tell(what, time.perf_counter() - begun)
        found |= {(row, way): sides.slope(row, way) for way in (1.0, -1.0)}
    for side in [side for side, slope in found.items() if slope is None]:
        found[side] = _nudged(solver, *side, what)
    prices: dict[int, Slopes] = {}
    for row in rows.tolist():
        unit = scale.rows[row]
        if room[row] > 2 * NUDGE:
            prices[row] = Slopes(0.0, 0.0, np.inf, room[row] / unit)
            continue
        loosen, tighten = found[row, 1.0], found[row, -1.0]
        if loosen is None or tighten is None:
            continue
        price, saved = unit / solver.cost_scale, max(0.0, -loosen[0])
        prices[row] = Slopes(
            saved * price,
            tighten[0] * price if np.isfinite(tighten[0]) else None,
            np.inf if saved == 0 else loosen[1] / unit,
            tighten[1] / unit,
        )
    return prices


def _vertex(solver: Solver) -> Vertex:
    """The last optimum, with the rows that hold earlier stages."""
    highs, scale, matrix = solver.highs, solver.scaling, solver.matrix
    shift = matrix.A @ scale.origin
    held = [solver.scaled_row(*row) for row in solver.held]
    entries = [
        csr_array((values, columns, [0, columns.size]), shape=(1, matrix.A.shape[1])) for columns, values, *_ in held
    ]
    solution = highs.getSolution()
    _, basic = highs.getBasicVariables()
    return Vertex(
        A=csr_array(vstack([scale.matrix(matrix.A), *entries], format="csr")),
        low=np.concatenate(
            [
                (matrix.lower - scale.origin) / scale.columns,
                (matrix.row_lower - shift) * scale.rows,
                [low for *_, low, _ in held],
            ]
        ),
        high=np.concatenate(
            [
                (matrix.upper - scale.origin) / scale.columns,
                (matrix.row_upper - shift) * scale.rows,
                [high for *_, high in held],
            ]
        ),
        at=np.concatenate([solution.col_value, solution.row_value]),
        duals=np.concatenate([solution.col_dual, solution.row_dual]),
        basic=basic,
    )


def _nudged(solver: Solver, row: int, way: float, what: str) -> tuple[float, float] | None:
    """Slope of the least cost just beyond the upper bound of a row, by another solve; infinite without plan."""
    highs = solver.highs
    shift = float((solver.matrix.A[[row], :] @ solver.scaling.origin).item())
    upper = (solver.matrix.row_upper[row] - shift) * solver.scaling.rows[row]
    basis = highs.getBasis()
    expect(highs.changeRowBounds(row, -highspy.kHighsInf, upper + way * NUDGE))
    try:
        status = STATUS.get(solver.run(what), "unknown")
        dual = float(highs.getSolution().row_dual[row]) if status == "optimal" else np.inf
    finally:
        expect(highs.changeRowBounds(row, -highspy.kHighsInf, upper))
        expect(highs.setBasis(basis))
    if status not in ("optimal", "infeasible"):
        return None
    return (dual * way, NUDGE) if status == "optimal" else (np.inf, 0.0)


def least(costs: Array, rows: csr_array, low: Array, high: Array) -> tuple[float, Array] | None:
    """Least cost over x >= 0 with rows between two bounds, and that x; none where there is none."""
    highs, size = highspy.Highs(), costs.size
    expect(highs.setOptionValue("output_flag", False))
    nothing_below, no_end, whole = np.zeros(size), np.full(size, highspy.kHighsInf), np.zeros(size, dtype=np.int32)
    expect(
        highs.passModel(
            size,
            rows.shape[0],
            rows.nnz,
            int(highspy.MatrixFormat.kRowwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            costs,
            nothing_below,
            no_end,
            low,
            high,
            rows.indptr.astype(np.int32),
            rows.indices.astype(np.int32),
            rows.data,
            whole,
        )
    )
    highs.run()
    if highs.getModelStatus() == HighsModelStatus.kModelEmpty:
        return None if np.any(low > 0) or np.any(high < 0) else (0.0, np.zeros(size))
    if highs.getModelStatus() != HighsModelStatus.kOptimal:
        return None
    return float(highs.getInfo().objective_function_value), np.array(highs.getSolution().col_value)
