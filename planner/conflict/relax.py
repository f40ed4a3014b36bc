"""The least relaxation: what all rows together must give so that there is a plan."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from planner.compile import Matrix, Stage
from planner.conflict.clash import settled
from planner.conflict.model import Element, Model
from planner.engine import Options, Progress, Solver
from planner.errors import SolverError

LARGE = 20_000
"""Columns from which on interior point is faster than simplex."""
GIVES = 1e-6
"""A row gives when it gives more than this part of its size [-]."""


@dataclass(frozen=True)
class Give:
    """What one row gives in the least relaxation."""

    element: Element
    year: int
    amount: float
    """In the unit of the row: of the target's quantity, of money, of the measure, of the group."""
    part: float
    """The same as a part of the row's size [-]."""


def relaxation(model: Model, options: Options | None = None, progress: Progress | None = None) -> tuple[Give, ...]:
    """The rows that give, and how much, in a plan that needs least of it in sum, each as a part of its row's size.

    Raises SolverError when HiGHS has no answer.
    """
    options = options or Options()
    large = len(model.columns) > LARGE
    width, count = len(model.columns), len(model.rows)
    each = np.arange(count)
    slack = csr_array((-model.scale, (each, each)), shape=(count, count))
    empty = csr_array((model.ties.shape[0], count))
    rows = csr_array(vstack([hstack([model.ties, empty]), hstack([model.asked, slack])], format="csr"))
    rows.sort_indices()
    cost = np.concatenate([np.zeros(width), np.ones(count)])
    matrix = Matrix(
        A=rows,
        row_lower=np.concatenate([model.left, np.full(count, -np.inf)]),
        row_upper=np.concatenate([model.right, model.limit]),
        lower=np.concatenate([model.lo, np.zeros(count)]),
        upper=np.concatenate([model.hi, np.full(count, np.inf)]),
        integer=np.zeros(width + count, dtype=bool),
        stages=(Stage("relaxation", cost, 0.0),),
        rows=(),
        columns=(),
        defining_row=np.full(width + count, -1, dtype=np.int64),
    )
    solver = Solver(matrix, replace(options, crossover=large), progress)
    if settled(solver, cost, "relaxation") != "optimal":
        raise SolverError("HiGHS says infeasible of a problem that has an answer")
    parts = solver.values()[width:]
    gives = np.flatnonzero(parts > GIVES)
    return tuple(
        Give(model.owners[i], int(model.rows[i][1][-1]), float(parts[i] * model.scale[i]), float(parts[i]))
        for i in gives.tolist()
    )
