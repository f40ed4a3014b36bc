"""Live: one HiGHS instance that stays, changed in place by edits and solved again from where it stands."""

import time
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from planner.compile import Matrix
from planner.engine import DUAL, LARGEST_COST, PRIMAL, STATUS, Array, Options, Progress, Solver, expect, power_of_two
from planner.matrix import places
from planner.problem.keys import Codes
from planner.solution import Status

AT_LOWER, BASIC = highspy.HighsBasisStatus.kLower, highspy.HighsBasisStatus.kBasic
NUDGED = 0.02
"""Part of the number of rows that a re-solve after changed costs may take in steps; further away cold is faster [-]."""
WANDERED = 0.05
"""The same after changed bounds or coefficients, where the dual simplex starts close to the optimum [-]."""
FEW = 100
"""Steps it may always take."""
LONGER = 2.0
"""Times the last cold solve that a warm one may take [-]."""
ALMOST_NOTHING = 1e-6
"""Nudge of a scaled row that sets the dual simplex going [-]."""
SHORT = 0.3
"""Time that any warm solve may take [s]."""


@dataclass(frozen=True)
class Difference:
    """What differs between two matrices of the same rows and columns."""

    columns: NDArray[np.int32]
    """Columns with another bound."""
    rows: NDArray[np.int32]
    """Rows with another bound or another coefficient of a fixed part."""
    entries: int
    """Number of other coefficients."""
    costs: bool

    @property
    def none(self) -> bool:
        """Whether nothing differs."""
        return not (self.columns.size or self.rows.size or self.entries or self.costs)


EVERYTHING = Difference(np.zeros(1, dtype=np.int32), np.zeros(1, dtype=np.int32), 1, True)
"""Between matrices that do not have the same rows and columns."""


class Live(Solver):
    """A solver whose matrix can be changed in place; for one objective without lumps."""

    def __init__(self, matrix: Matrix, options: Options, progress: Progress | None = None) -> None:
        super().__init__(matrix, options, progress)
        self.cold_seconds = 0.0
        """What the last solve from nothing took [s]."""
        self._told = np.zeros(0)
        """Costs that HiGHS was told last, as scaled."""
        self._basis: highspy.HighsBasis | None = None
        """Where the last optimum stands."""
        self._warm = False
        """Whether the instance stands somewhere to go on from."""
        self.primed = False
        """Whether the next dual simplex has the weights of its edges."""
        self.solved = False
        """Whether that is the optimum of what it holds now."""

    def fresh(self, integer: NDArray[np.bool_]) -> None:
        """Begin with an instance that knows nothing of earlier solves."""
        super().fresh(integer)
        self._told, self._warm, self.primed, self.solved = np.zeros(0), False, False, False

    def renew(self, options: Options, progress: Progress | None) -> None:
        """Begin another answer: its time counts from now."""
        self.options, self.progress, self.started = options, progress, time.perf_counter()

    def change(self, matrix: Matrix) -> Difference:
        """Hold another matrix with the same rows and columns instead; only what differs is told to HiGHS."""
        old, s = self.matrix, self.scaling
        columns = np.flatnonzero((matrix.lower != old.lower) | (matrix.upper != old.upper)).astype(np.int32)
        if columns.size:
            lower = (matrix.lower - s.origin) / s.columns
            upper = (matrix.upper - s.origin) / s.columns
            expect(self.highs.changeColsBounds(columns.size, columns, lower[columns], upper[columns]))
        row, column, value = _entries_that_differ(old.A, matrix.A)
        for i, j, number in zip(row.tolist(), column.tolist(), value.tolist(), strict=True):
            expect(self.highs.changeCoeff(i, j, number * s.columns[j] * s.rows[i]))
        moved = (matrix.row_lower != old.row_lower) | (matrix.row_upper != old.row_upper)
        moved[row] = True
        rows = np.flatnonzero(moved).astype(np.int32)
        if rows.size:
            shift = matrix.A[rows, :] @ s.origin
            low = (matrix.row_lower[rows] - shift) * s.rows[rows]
            high = (matrix.row_upper[rows] - shift) * s.rows[rows]
            expect(self.highs.changeRowsBounds(rows.size, rows, low, high))
        before, after = old.stages[0].coefficients, matrix.stages[0].coefficients
        costs = before is not after and not np.array_equal(before, after)
        self.matrix = matrix
        self.solved &= not (rows.size or columns.size or costs)
        return Difference(columns, rows, row.size, costs)

    def warm(self, difference: Difference) -> Status:
        """Solve from where the instance stands, as long as the optimum is near; `limit` where it is not.

        Where only costs differ the last optimum still fits, so the primal simplex goes on from it; else the dual one.
        """
        if self.solved:
            return "optimal"
        if self._basis is None:
            return "limit"
        if not self._warm:
            expect(self.highs.setBasis(self._basis))
        fits = difference.costs and not (difference.rows.size or difference.columns.size or difference.entries)
        steps = int((NUDGED if fits else WANDERED) * self.matrix.A.shape[0]) + FEW
        expect(self.highs.setOptionValue("simplex_strategy", PRIMAL if fits else DUAL))
        expect(self.highs.setOptionValue("simplex_iteration_limit", steps))
        self.patience = max(SHORT, LONGER * self.cold_seconds)
        try:
            return self._solve()
        finally:
            self.primed &= not fits
            self.patience = float("inf")
            expect(self.highs.setOptionValue("simplex_strategy", DUAL))
            expect(self.highs.setOptionValue("simplex_iteration_limit", highspy.kHighsIInf))

    def cold(self, patience: float = float("inf")) -> Status:
        """Solve from nothing within `patience` seconds."""
        begun = time.perf_counter()
        expect(self.highs.clearSolver())
        self.patience, self.primed = patience, False
        try:
            status = self._solve()
        finally:
            self.patience = float("inf")
        if status == "optimal":
            self.cold_seconds = time.perf_counter() - begun
        else:
            self._warm = False
        return status

    def prime(self) -> None:
        """Do beforehand what the next dual simplex needs: the weights of its edges, which a cold solve leaves behind.

        A binding row is moved by almost nothing and back again.
        """
        if not self.solved or self.primed:
            return
        duals = np.abs(np.array(self.highs.getSolution().row_dual))
        duals[np.isfinite(self.matrix.row_lower)] = 0.0
        row = int(np.argmax(duals))
        if duals[row] > 0:
            high = float(
                (self.matrix.row_upper[row] - (self.matrix.A[[row], :] @ self.scaling.origin).item())
                * self.scaling.rows[row]
            )
            for nudge in (ALMOST_NOTHING, 0.0):
                expect(self.highs.changeRowBounds(row, -highspy.kHighsInf, high + nudge))
                self._solve()
        self.primed = True

    def _solve(self) -> Status:
        """Run for the first objective, whose costs are told to HiGHS only where they are other than before."""
        stage = self.matrix.stages[0]
        scaled = (-stage.coefficients if stage.maximise else stage.coefficients) * self.scaling.columns
        if not np.array_equal(scaled, self._told):
            largest = float(np.abs(scaled).max(initial=0.0))
            self.cost_scale = float(LARGEST_COST / power_of_two(np.array([largest]))[0])
            every = np.arange(scaled.size, dtype=np.int32)
            expect(self.highs.changeColsCost(scaled.size, every, scaled * self.cost_scale))
            self._told = scaled
        self.solved, self._warm = False, True
        status: Status = STATUS.get(self._run(stage.name), "limit")
        if status == "optimal":
            self._basis, self.solved = self.highs.getBasis(), True
        return status

    def carry(self, other: "Live") -> bool:
        """Start from where another instance stands: rows and columns of the same name keep their state."""
        if other._basis is None:
            return False
        columns, rows = (places(self.matrix.columns, other.matrix.columns), places(self.matrix.rows, other.matrix.rows))
        self._basis = highspy.HighsBasis()
        self._basis.col_status = _carried(columns, other._basis.col_status, AT_LOWER)
        self._basis.row_status = _carried(rows, other._basis.row_status, BASIC)
        self._basis.valid = True
        self.cold_seconds = other.cold_seconds
        return True


def _carried(
    at: Codes, states: list[highspy.HighsBasisStatus], new: highspy.HighsBasisStatus
) -> list[highspy.HighsBasisStatus]:
    """States at the positions `at`; `new` for what was not there."""
    known = list(states)
    return [known[i] if i >= 0 else new for i in at.tolist()]


def _entries_that_differ(old: csr_array, new: csr_array) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Row, column and new value of every entry that is other than before; 0 where it is gone."""
    if old is new:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, np.zeros(0)
    same = old.indptr is new.indptr or np.array_equal(old.indptr, new.indptr)
    if same and (old.indices is new.indices or np.array_equal(old.indices, new.indices)):
        changed = np.flatnonzero(old.data != new.data)
        row = np.searchsorted(old.indptr, changed, side="right") - 1
        return row.astype(np.int64), new.indices[changed].astype(np.int64), new.data[changed]
    difference = (new - old).tocoo()
    used = difference.data != 0
    row, column = difference.row[used].astype(np.int64), difference.col[used].astype(np.int64)
    return row, column, np.asarray(new[row, column]).ravel()
