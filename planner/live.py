"""Live: one HiGHS instance that stays, changed in place by edits and solved again from where it stands."""

import time
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from planner import kept
from planner.compile import Matrix
from planner.engine import DUAL, LARGEST_COST, PRIMAL, STATUS, Options, Progress, Solver, expect
from planner.matrix import Changes, changes, places
from planner.problem.keys import Codes
from planner.scaling import power_of_two
from planner.solution import Status

AT_LOWER, BASIC = highspy.HighsBasisStatus.kLower, highspy.HighsBasisStatus.kBasic
STATES = {int(state): state for state in highspy.HighsBasisStatus.__members__.values()}
"""HiGHS's states by number."""
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
LONG = 1.0
"""Time of a cold solve from which its basis is kept for later runs, where that is wanted [s]."""
SHORT = 0.3
"""Time that any warm solve may take [s]."""


@dataclass(frozen=True)
class Standing:
    """Where an optimum stands, as plain data: the state of each column and row, by HiGHS's numbers."""

    columns: NDArray[np.int8]
    rows: NDArray[np.int8]


class Live(Solver):
    """A solver whose matrix can be changed in place; for one objective without lumps."""

    small_steps = True

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

    def change(self, matrix: Matrix) -> Changes | None:
        """Hold another matrix instead; only what differs is told to HiGHS. None, and nothing is done, where its rows,
        columns or objectives are others.
        """
        found, s = changes(self.matrix, matrix), self.scaling
        if found is None:
            return None
        columns = found.columns.astype(np.int32)
        if columns.size:
            lower = (matrix.lower[columns] - s.origin[columns]) / s.columns[columns]
            upper = (matrix.upper[columns] - s.origin[columns]) / s.columns[columns]
            expect(self.highs.changeColsBounds(columns.size, columns, lower, upper))
        entries = (found.entry_rows.tolist(), found.entry_columns.tolist(), found.entry_values.tolist())
        for i, j, number in zip(*entries, strict=True):
            expect(self.highs.changeCoeff(i, j, number * s.columns[j] * s.rows[i]))
        rows = np.union1d(found.rows, found.entry_rows).astype(np.int32)
        if rows.size:
            shift = matrix.A[rows, :] @ s.origin
            low = (matrix.row_lower[rows] - shift) * s.rows[rows]
            high = (matrix.row_upper[rows] - shift) * s.rows[rows]
            expect(self.highs.changeRowsBounds(rows.size, rows, low, high))
        self.matrix = matrix
        self.solved &= not found
        return found

    def warm(self, difference: Changes | None, patience: float | None = None) -> Status:
        """Solve from where the instance stands, as long as the optimum is near; `limit` where it is not.

        It gives up after some steps, and after `patience` seconds: by default some times what a cold solve took.

        `difference` is what changed since; none where rows or columns are others.
        Where only costs differ the last optimum still fits, so the primal simplex goes on from it; else the dual one.
        """
        if self.solved:
            return "optimal"
        if self._basis is None:
            return "limit"
        if not self._warm:
            expect(self.highs.setBasis(self._basis))
        others = difference is None or difference.rows.size or difference.columns.size or difference.entry_rows.size
        fits = difference is not None and bool(difference.costs.size) and not others
        steps = int((NUDGED if fits else WANDERED) * self.matrix.A.shape[0]) + FEW
        expect(self.highs.setOptionValue("simplex_strategy", PRIMAL if fits else DUAL))
        expect(self.highs.setOptionValue("simplex_iteration_limit", steps))
        self.patience = max(SHORT, LONGER * self.cold_seconds) if patience is None else patience
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
            self._keep()
        else:
            self._warm = False
        return status

    def _keep(self) -> None:
        """Keep where the optimum stands for later runs, where that is wanted."""
        if self.options.kept and self._basis is not None and self.cold_seconds >= LONG:
            columns, rows = (
                np.array([int(state) for state in states], dtype=np.int8)
                for states in (self._basis.col_status, self._basis.row_status)
            )
            kept.keep_basis(kept.shape(self.matrix), columns, rows)

    def recall(self) -> None:
        """Start from where a problem of the same rows and columns had its optimum in an earlier run, if it is known."""
        found = kept.basis(kept.shape(self.matrix)) if self.options.kept else None
        if found is not None:
            self._basis = highspy.HighsBasis()
            self._basis.col_status, self._basis.row_status = ([STATES[i] for i in part.tolist()] for part in found)
            self._basis.valid = True
            self.cold_seconds = LONG

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
        status: Status = STATUS.get(self.run(stage.name), "limit")
        if status == "optimal":
            self._basis, self.solved = self.highs.getBasis(), True
        return status

    def carry(self, other: "Live") -> bool:
        """Start from where another instance stands: rows and columns of the same name keep their state."""
        if other._basis is None:
            return False
        self._stand(other._basis.col_status, other._basis.row_status, other.matrix)
        self.cold_seconds = other.cold_seconds
        return True

    def standing(self) -> Standing | None:
        """Where the last optimum stands; none before one was found."""
        if self._basis is None:
            return None
        states = (self._basis.col_status, self._basis.row_status)
        return Standing(*(np.array([int(state) for state in part], dtype=np.int8) for part in states))

    def stand(self, standing: Standing, matrix: Matrix) -> None:
        """Start from where an optimum of another matrix stands, found here or elsewhere."""
        columns, rows = ([STATES[state] for state in part.tolist()] for part in (standing.columns, standing.rows))
        self._stand(columns, rows, matrix)

    def _stand(
        self, columns: list[highspy.HighsBasisStatus], rows: list[highspy.HighsBasisStatus], matrix: Matrix
    ) -> None:
        self._basis = highspy.HighsBasis()
        self._basis.col_status = _carried(places(self.matrix.columns, matrix.columns), columns, AT_LOWER)
        self._basis.row_status = _carried(places(self.matrix.rows, matrix.rows), rows, BASIC)
        self._basis.valid = True


def _carried(
    at: Codes, states: list[highspy.HighsBasisStatus], new: highspy.HighsBasisStatus
) -> list[highspy.HighsBasisStatus]:
    """States at the positions `at`; `new` for what was not there."""
    known = list(states)
    return [known[i] if i >= 0 else new for i in at.tolist()]
