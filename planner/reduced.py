"""Reduced: a problem that HiGHS presolves once, for many solves in which only known sums of columns are held otherwise.

HiGHS leaves presolve out when it goes on from an earlier optimum, so each of its steps is one on the whole matrix. Here
the matrix is presolved once and the steps are taken on what remains; each optimum is then carried back to all columns.

Presolve draws on every bound and cost it is told, so what is to change must look open to it. Each sum s gets a row

    s - up + down = s0,    up, down >= 0,    cost of up and down: FREE times the largest cost.

with s0 between the least and the most that the sum can be, else presolve sees that one of the two is never needed. What
presolve then does holds wherever the sum stands, and for all its prices below that cost. Afterwards that cost is taken
off again, and bounds on up and down keep the sum between any two values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from highspy import HighsPresolveStatus
from numpy.typing import NDArray

from planner.compile import Matrix
from planner.engine import LARGEST_COST, SMALL_STEPS, STATUS, Array, Options, Progress, Solver, expect
from planner.probe import Probe, need_plan
from planner.scaling import power_of_two
from planner.solution import Status

FREE = 1e6
"""Times the largest cost that a sum may be worth [-]."""
FITTING = 1e-6
"""How far beyond a scaled bound a plan may lie once it is carried back [-]."""

OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    "random_seed": 0,
    "presolve": "off",
    **SMALL_STEPS,
}


@dataclass(frozen=True)
class Open:
    """A sum that stays open."""

    up: int
    down: int
    """Its columns in what remains."""
    scale: float
    """Of its row."""


@dataclass(frozen=True)
class Stand:
    """Where an optimum stands."""

    basis: Any
    reduced: bool
    """Whether that is on what presolve left."""


class Reduced(Solver):
    """One instance for the least of one objective while some sums are held between two values.

    Sums are numbered as they come and begin without bounds. `plan` is one in which no sum is the least or the most it
    can be. With lumps, and where a sum does not stay open, all is asked of an instance that holds the whole matrix.
    What it calls infeasible has no plan at prices below that of `FREE`.
    """

    def __init__(
        self,
        matrix: Matrix,
        objective: Array,
        sums: Sequence[Array],
        plan: Array,
        options: Options | None = None,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(matrix, options or Options(), progress)
        self.objective, self.sums = objective, tuple(sums)
        self.starts = [float(part @ plan) for part in sums]
        self.limits = [(-np.inf, np.inf)] * len(self.sums)
        self.open: list[Open] = []
        self._values = np.zeros(0)
        self.whole = self.highs
        """The instance that presolved all columns, and carries back to them."""
        self.plain: Probe | None = None
        """What is asked instead, from where on it is."""
        if matrix.integer.any() or not self._reduce():
            self._plain()

    def _reduce(self) -> bool:
        """Presolve, and go on with what remains; whether all sums stay open."""
        whole, width = self.whole, self.matrix.A.shape[1]
        scaled = self.objective * self.scaling.columns
        largest = float(np.abs(scaled).max(initial=0.0))
        self.cost_scale = float(LARGEST_COST / power_of_two(np.array([largest]))[0])
        expect(whole.changeColsCost(width, np.arange(width, dtype=np.int32), scaled * self.cost_scale))
        nothing = (0, np.zeros(0, dtype=np.int32), np.zeros(0))
        for number, part in enumerate(self.sums):
            entries, values, low, _ = self.scaled_row(part, self.starts[number], self.starts[number])
            at = width + 2 * number
            for column, name in ((at, f"up {number}"), (at + 1, f"down {number}")):
                expect(whole.addCol(FREE * LARGEST_COST, 0.0, highspy.kHighsInf, *nothing))
                expect(whole.passColName(column, name))
            expect(
                whole.addRow(
                    low, low, entries.size + 2, np.append(entries, [at, at + 1]).astype(np.int32), [*values, -1.0, 1.0]
                )
            )
        expect(whole.presolve())
        if whole.getModelPresolveStatus() != HighsPresolveStatus.kReduced:
            return False
        left = whole.getPresolvedLp()
        place = {name: column for column, name in enumerate(left.col_names_)}
        for number, part in enumerate(self.sums):
            up, down = place.get(f"up {number}"), place.get(f"down {number}")
            if up is None or down is None:
                return False
            self.open.append(Open(up, down, self._row_scale(part)))
        highs = highspy.Highs()
        for option, value in OPTIONS.items():
            expect(highs.setOptionValue(option, value))
        expect(highs.passModel(left))
        self.highs = highs
        for one in self.open:
            for column in (one.up, one.down):  # presolve moves costs of other columns onto these
                expect(highs.changeColCost(column, left.col_cost_[column] - FREE * LARGEST_COST))
        for number in range(len(self.sums)):
            self.hold_sum(number, -np.inf, np.inf)
        return True

    def _plain(self) -> Probe:
        """From now on an instance that holds the whole matrix."""
        self.plain = Probe(self.matrix, self.options, self.progress)
        self.plain.started = self.started
        for part, limits in zip(self.sums, self.limits, strict=True):
            self.plain.hold(part, *limits)
        return self.plain

    def fresh(self, integer: NDArray[np.bool_]) -> None:
        """Begin cold: where a run does not end when it is told to, what remains of the matrix is left to it."""
        self._plain()

    def hold_sum(self, number: int, low: float, high: float) -> None:
        """Keep a sum between two values in all later solves [its unit, without constant]."""
        self.limits[number] = (low, high)
        if self.plain is not None:
            self.plain.change_hold(number, low, high)
            return
        one, at = self.open[number], self.starts[number]
        low, high = ((value - at) * one.scale for value in (low, high))
        for column, least, most in ((one.up, low, high), (one.down, -high, -low)):
            expect(self.highs.changeColBounds(column, max(0.0, least), max(0.0, most)))

    def least(self, what: str, far: bool = False) -> Status:
        """Solve for the least objective; if `far` from cheap, from nothing by interior point: it is quicker there."""
        if self.plain is None:
            status: Status = STATUS.get(self._run_again(what, "solver", "ipm") if far else self.run(what), "unknown")
            if status in ("infeasible", "limit") or (status == "optimal" and self._carried()):
                return status
        plain = self._plain() if self.plain is None else self.plain
        return plain.least(self.objective, what)

    def _carried(self) -> bool:
        """Carry the last optimum back to all columns; whether it fits there, and every price is as low as presolved."""
        found = self.highs.getSolution()
        if any(abs(found.col_dual[one.up]) > FREE * LARGEST_COST / 2 for one in self.open):
            return False
        expect(self.whole.postsolve(found))
        x = np.array(self.whole.getSolution().col_value)[: self.matrix.A.shape[1]]
        matrix, scale = self.matrix, self.scaling
        self._values = x * scale.columns + scale.origin
        activity = matrix.A @ self._values
        beyond = np.concatenate(
            [
                np.maximum(matrix.row_lower - activity, activity - matrix.row_upper) * scale.rows,
                np.maximum(matrix.lower - self._values, self._values - matrix.upper) / scale.columns,
            ]
        )
        return bool(beyond.max(initial=0.0) <= FITTING)

    def found(self, what: str, far: bool = False) -> Array:
        """Columns at the least. Raises InfeasibleError where there is no plan, SolverError where none is found."""
        need_plan(self.least(what, far), what)
        return self.values()

    def values(self) -> Array:
        """Columns of the last solve in the units of the case."""
        if self.plain is not None:
            return self.plain.values()
        return np.clip(self._values, self.matrix.lower, self.matrix.upper)

    def slope(self, number: int) -> float:
        """What one more of a sum would change in the objective at its last least value."""
        if self.plain is not None:
            return self.plain.held_duals()[number]
        one = self.open[number]
        return float(self.highs.getSolution().col_dual[one.up]) * one.scale / self.cost_scale

    def stand(self) -> Stand:
        """Where the instance stands, to come back to."""
        return Stand(self.highs.getBasis(), True) if self.plain is None else Stand(self.plain.stand(), False)

    def back(self, stand: Stand) -> None:
        """Go on from an earlier stand; one on another matrix is of no use, and passed over."""
        if self.plain is None:
            expect(self.highs.setBasis(stand.basis))
        elif not stand.reduced:
            self.plain.back(stand.basis)
