"""The least size of a change by one solve: the size is a column, and all that is asked for holds."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack, vstack

from planner.compile import Matrix, Stage
from planner.conflict.changes import Change
from planner.conflict.clash import LARGE, settled
from planner.conflict.model import Array, Model
from planner.engine import Options, Progress, Solver

STRAIGHT = 1e-9
"""A move is in proportion to its size when twice the size moves it twice as far within this part [-]."""


def least_size(
    model: Model, change: Change, options: Options | None = None, progress: Progress | None = None
) -> float | None:
    """The least size with which all that is asked for can hold; infinite where no size is enough.

    None where rows and bounds do not move in proportion to the size, so that one solve cannot find it. Lumps may be
    split. Raises SolverError when HiGHS has no answer.
    """
    moves = _moves(model, change)
    if moves is None:
        return None
    still, step, limits, bounds = moves
    options = options or Options()
    if len(model.rows) > LARGE:
        options = replace(options, crossover=True)
    matrix = _matrix(still, limits, bounds, change.most / step)
    cost = matrix.stages[0].coefficients
    solver = Solver(matrix, options, progress)
    if settled(solver, cost, "size") == "infeasible":
        return float("inf")
    return min(change.most, step * max(0.0, float(solver.values()[-1])))


def is_straight(model: Model, change: Change) -> bool:
    """Whether one solve finds the least size of a change."""
    return _moves(model, change) is not None


def _moves(model: Model, change: Change) -> tuple[Model, float, Array, Array] | None:
    """The model with none of the change, a step of it, and how far that moves limits and upper bounds."""
    step = 0.0 if change.whole else _step(model, change)
    if not 0 < step < np.inf:
        return None
    still = change.moved(model, 0.0)
    moved = _straight(still, change.moved(model, step), change.moved(model, 2 * step))
    return None if moved is None else (still, step, *moved)


def _step(model: Model, change: Change) -> float:
    """A size of about the size of the rows it moves, at which its moves are measured."""
    rows = np.concatenate([model.rows_of.get(element, np.zeros(0, dtype=np.int64)) for element in change.elements])
    relative = change.before is None or not rows.size
    size = 1.0 if relative else float(model.scale[rows].max())
    return min(size, change.most / 4)


def _straight(still: Model, one: Model, two: Model) -> tuple[Array, Array] | None:
    """By how much a step moves limits and upper bounds, where it moves nothing else and twice as far as half of it."""
    if not all(_same(still.asked, other.asked) and _same(still.ties, other.ties) for other in (one, two)):
        return None
    found = []
    for at, near, far in ((still.limit, one.limit, two.limit), (still.hi, one.hi, two.hi)):
        open_ = np.isposinf(at)
        first, second = np.where(open_, 0.0, near - at), np.where(open_, 0.0, far - at)
        if (np.abs(second - 2 * first) > STRAIGHT * np.maximum(np.abs(at), np.abs(second))).any():
            return None
        found.append(np.where(np.abs(first) > STRAIGHT * np.abs(at), first, 0.0))
    return found[0], found[1]


def _same(one: csr_array, other: csr_array) -> bool:
    return one is other or (one.shape == other.shape and abs(one - other).nnz == 0)


def _matrix(model: Model, limits: Array, bounds: Array, most: float) -> Matrix:
    """Rows of the model and of the bounds that move; the last column counts steps."""
    width, count = len(model.columns), len(model.rows)
    moved = np.flatnonzero(bounds)
    ties, rest = model.ties.shape[0], moved.size
    picks = csr_array((np.ones(rest), (np.arange(rest), moved)), shape=(rest, width))
    decisions = vstack([model.ties, model.asked, picks])
    steps = csr_array(-np.concatenate([np.zeros(ties), limits, bounds[moved]])[:, None])
    rows = csr_array(hstack([decisions, steps], format="csr"))
    rows.sort_indices()
    cost = np.append(np.zeros(width), 1.0)
    upper = np.where(bounds > 0, np.inf, model.hi)
    none: NDArray[np.bool_] = np.zeros(width + 1, dtype=bool)
    return Matrix(
        A=rows,
        row_lower=np.concatenate([model.left, np.full(count + rest, -np.inf)]),
        row_upper=np.concatenate([model.right, model.limit, model.hi[moved]]),
        lower=np.append(model.lo, 0.0),
        upper=np.append(upper, most),
        integer=none,
        stages=(Stage("size", cost, 0.0),),
        rows=(),
        columns=(),
        defining_row=np.full(width + 1, -1, dtype=np.int64),
    )
