"""Reach: how far an edit can go that leaves no plan, on the way from a case that has one to what was asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, hstack, vstack

from planner.case import Case
from planner.compile import Matrix, Stage
from planner.engine import STATUS, Array, Options, Progress, Solver
from planner.matrix import places
from planner.rows import TABLES

STEPS = 6
"""Solves at most: more than one only where coefficients change, not bounds alone."""
FITS = 1e-6
"""Scaled amount by which a plan may miss a row and still keeps it: ten times the solver's tolerance [-]."""
SETTLED = 1e-6
"""Change of the part between two solves at which it counts as found [-]."""


@dataclass(frozen=True)
class Cell:
    """A number that edits changed."""

    table: str
    id: str
    column: str
    year: int | None
    before: float
    after: float


def changed_cells(before: Case, after: Case) -> Iterator[Cell]:
    """Every number that differs between rows of the same key."""
    for table, row_class in TABLES.items():
        if before.rows(table) is after.rows(table):
            continue
        known = {tuple(getattr(row, name) for name in row_class.key): row for row in before.rows(table)}
        for row in after.rows(table):
            old = known.get(tuple(getattr(row, name) for name in row_class.key))
            if old is None or old is row:
                continue
            for column, value in row.__dict__.items():
                was = old.__dict__[column]
                if value != was and isinstance(value, int | float) and isinstance(was, int | float):
                    year = getattr(row, "year", None) or getattr(row, "first_year", None)
                    names = [getattr(row, name) for name in row_class.key if name != "year"]
                    yield Cell(table, ";".join(str(n) for n in names if n), column, year, float(was), float(value))


def way_back(old: Matrix, new: Matrix, good: Array, options: Options, progress: Progress | None = None) -> float | None:
    """The least part of the way back from `new` to `old` at which there is a plan again [-]: 0 none, 1 all of it.

    `good` are the columns of a plan that keeps `old`. Rows are known by name: one that is new goes back to where that
    plan has it. Bounds change in proportion to the part; where coefficients differ, too, the product of part and plan
    is found by repeated solves, each with the plan of the one before. None where HiGHS has no answer.
    """
    there, columns = places(new.rows, old.rows), places(new.columns, old.columns)
    known, kept = there >= 0, columns >= 0
    plan = np.where(kept, good[columns], np.clip(0.0, new.lower, new.upper))
    lower = np.minimum(new.lower, np.where(kept, old.lower[columns], plan))
    upper = np.maximum(new.upper, np.where(kept, old.upper[columns], plan))
    before = csr_array(old.A[there, :]) @ _spread(columns, new.A.shape[1], old.A.shape[1])
    right = np.where(known, old.row_upper[there], new.row_upper)
    fixed = old.A.shape == new.A.shape and known.all() and kept.all() and abs(before - new.A).max() == 0.0
    part = None
    for _ in range(STEPS):
        activity = new.A @ plan
        gives = np.where(
            known, right - new.row_upper + activity - before @ plan, np.maximum(activity - new.row_upper, 0.0)
        )
        found = _least(new, lower, upper, gives, options, progress)
        if found is None:
            return None
        last, (part, plan) = part, found
        if fixed or (last is not None and abs(part - last) <= SETTLED):
            break
    return part


def keeps(new: Matrix, old: Matrix, plan: Array, scale: Array) -> bool:
    """Whether a plan of `old` also keeps `new`: then there is one, however long it takes to find the best.

    `scale` is what the solver multiplies each row by: that is where its tolerance holds.
    """
    if new.columns is not old.columns and new.columns != old.columns:
        columns = places(new.columns, old.columns)
        if (columns < 0).any():
            return False
        plan = plan[columns]
    activity, room = new.A @ plan, FITS / scale
    rows = np.all((activity <= new.row_upper + room) & (activity >= new.row_lower - room))
    return bool(rows and np.all(plan <= new.upper + FITS * np.abs(new.upper)) and np.all(plan >= new.lower))


def _spread(columns: NDArray[np.integer[Any]], width: int, height: int) -> csr_array:
    """Takes columns of the old matrix to their places in the new one."""
    kept = np.flatnonzero(columns >= 0)
    return csr_array(coo_array((np.ones(kept.size), (columns[kept], kept)), shape=(height, width)))


def _least(
    matrix: Matrix, lower: Array, upper: Array, gives: Array, options: Options, progress: Progress | None
) -> tuple[float, Array] | None:
    """Least part of what rows and column bounds give back, and a plan that needs no more."""
    width = len(matrix.columns)
    down, up = np.flatnonzero(lower < matrix.lower), np.flatnonzero(upper > matrix.upper)
    bounds = np.concatenate([-np.ones(down.size), np.ones(up.size)])
    moved, count = np.concatenate([down, up]), down.size + up.size
    picked = csr_array(coo_array((bounds, (np.arange(count), moved)), shape=(count, width)))
    limits = np.concatenate([-matrix.lower[down], matrix.upper[up]])
    gives = np.concatenate([gives, matrix.lower[down] - lower[down], upper[up] - matrix.upper[up]])
    rows = csr_array(hstack([vstack([matrix.A, picked]), csr_array(-gives[:, None])], format="csr"))
    rows.eliminate_zeros()
    cost = np.zeros(width + 1)
    cost[-1] = 1.0
    relaxed = Matrix(
        A=rows,
        row_lower=np.concatenate([matrix.row_lower, np.full(count, -np.inf)]),
        row_upper=np.concatenate([matrix.row_upper, limits]),
        lower=np.append(lower, 0.0),
        upper=np.append(upper, 1.0),
        integer=np.zeros(width + 1, dtype=bool),
        stages=(Stage("reach", cost, 0.0),),
        rows=(),
        columns=(),
        defining_row=np.append(matrix.defining_row, -1),
    )
    solver = Solver(relaxed, replace(options, interior=True), progress)
    if STATUS.get(solver.minimise(cost, "reach")) != "optimal":
        return None
    values = solver.values()
    return float(values[-1]), values[:-1]
