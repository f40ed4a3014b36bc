"""Engine: one HiGHS instance that holds a scaled matrix, is run for one objective at a time, and can be interrupted."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, ClassVar, Protocol

import highspy
import numpy as np
from highspy import HighsModelStatus, HighsStatus
from numpy.typing import NDArray

from planner.compile import Matrix
from planner.errors import CancelledError, SolverError
from planner.scaling import power_of_two, scaling
from planner.solution import Status

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]
"""Told what is being done and for how long [s]; what it raises ends the solve at once and reaches the caller."""

MIP_GAP = 1e-7
"""Relative gap to which a plan with lumps is proven unless another is asked for [-]."""
HELD = 1e-7
"""Relative slack within which the tie-break holds the last stage [-]."""
TIE_FEASIBILITY = 1e-9
"""Scaled room rows may have in the tie-break: what it moves is so small that the solver's own 1e-7 would show [-]."""
DUAL, PRIMAL = 1, 4
"""HiGHS's numbers for the dual and the primal simplex."""
LARGEST_COST = 2.0**10
"""Largest scaled cost: small for the solver's arithmetic, yet large enough that none is lost in its tolerance."""
NO_PRICE = 1e-10
"""Scaled duals below this are rounding, a thousandth of the solver's tolerance [-]."""
PRICED = 1e-6
"""Scaled duals above this are surely not zero: ten times the solver's tolerance [-]."""
PATIENCE = 60.0
"""Time after which the first solve without lumps is interrupted to ask whether there can be a plan at all [s]."""
LISTENING = 0.05
"""Time between two looks at whether to go on [s]."""
ENDING = 5.0
"""Longest wait for a run that was told to end [s]."""
STATUS: dict[HighsModelStatus, Status] = {
    HighsModelStatus.kOptimal: "optimal",
    HighsModelStatus.kInfeasible: "infeasible",
    HighsModelStatus.kUnbounded: "unbounded",
    HighsModelStatus.kTimeLimit: "limit",
    HighsModelStatus.kIterationLimit: "limit",
    HighsModelStatus.kSolutionLimit: "limit",
    HighsModelStatus.kInterrupt: "limit",
    HighsModelStatus.kModelEmpty: "optimal",
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """How long to try and how close is close enough."""

    time_limit: float = float("inf")
    """Longest time for all stages together [s]."""
    gap: float | None = None
    """Relative gap that is good enough for a plan with lumps [-]."""
    interior: bool = False
    """Whether to use interior point without crossover: for a value far from the least cost, not for a portfolio."""
    crossover: bool = False
    """Whether to begin by interior point and end in a corner: for a large problem without a corner to start from."""
    prices: bool = True
    """Whether to find what loosening and tightening each target and budget saves and costs."""
    certify: bool = True
    """Whether to recompute and prove the plan from its tables, outside the solver."""
    kept: bool = False
    """Whether to take the solution of the very same problem from an earlier run, and to keep this one for later."""
    break_ties: bool = True
    """Whether to choose, among plans of the same cost, the one that starts earliest (and is the same on every run)."""


class Signal(Protocol):
    """An event, of threads or of processes."""

    def is_set(self) -> bool:
        """Whether it has happened."""


def cancellable(progress: Progress | None, cancel: Signal | None) -> Progress | None:
    """Progress that raises CancelledError once `cancel` is set, so that whatever is told of it ends."""
    if cancel is None:
        return progress

    def told(what: str, seconds: float) -> None:
        if progress is not None:
            progress(what, seconds)
        if cancel.is_set():
            raise CancelledError(what)

    return told


SMALL_STEPS: dict[str, Any] = {
    "simplex_scale_strategy": 0,
    "dual_simplex_cost_perturbation_multiplier": 0.0,
    "primal_simplex_bound_perturbation_multiplier": 0.0,
}
"""Options of HiGHS for many solves, each from where the last one stood: the matrix is scaled already, and what was
perturbed for a few steps would have to be mended by as many again."""


class Solver:
    """One HiGHS instance that holds a scaled matrix; rows that hold earlier stages are added to it."""

    small_steps: ClassVar[bool] = False
    """Whether it is for many solves, each from where the last one stood."""

    def __init__(self, matrix: Matrix, options: Options, progress: Progress | None = None) -> None:
        self.matrix, self.options, self.progress = matrix, options, progress
        self.scaling = scaling(matrix)
        self.started = time.perf_counter()
        self.held: list[tuple[Array, float, float]] = []
        self.cost_scale = 1.0
        self.patience = float("inf")
        """Longest time for one run [s]."""
        self.highs = self._instance(matrix.integer)

    def _instance(self, integer: NDArray[np.bool_]) -> highspy.Highs:
        highs = highspy.Highs()
        for name, value in (
            ("output_flag", False),
            ("threads", 1),
            ("parallel", "off"),
            ("random_seed", 0),
            ("mip_rel_gap", MIP_GAP if self.options.gap is None else self.options.gap),
            ("mip_abs_gap", 0.0),
            ("mip_feasibility_tolerance", 1e-9),
            *((("solver", "ipm"), ("run_crossover", "off")) if self.options.interior else ()),
            *((("solver", "ipm"),) if self.options.crossover else ()),
            *(SMALL_STEPS.items() if self.small_steps else ()),
        ):
            expect(highs.setOptionValue(name, value))
        m, s = self.matrix, self.scaling
        scaled = s.matrix(m.A)
        shift = m.A @ s.origin
        rows, columns = scaled.shape
        expect(
            highs.passModel(
                columns,
                rows,
                scaled.nnz,
                int(highspy.MatrixFormat.kRowwise),
                int(highspy.ObjSense.kMinimize),
                0.0,
                np.zeros(columns),
                (m.lower - s.origin) / s.columns,
                (m.upper - s.origin) / s.columns,
                (m.row_lower - shift) * s.rows,
                (m.row_upper - shift) * s.rows,
                scaled.indptr.astype(np.int32, copy=False),
                scaled.indices.astype(np.int32, copy=False),
                scaled.data,
                integer.astype(np.int32),
            )
        )
        for coefficients, low, high in self.held:
            self._add_row(highs, coefficients, low, high)
        return highs

    def scaled_row(self, coefficients: Array, low: float, high: float) -> tuple[NDArray[np.int32], Array, float, float]:
        """A row that is held, as scaled: its columns and entries, and its two bounds."""
        scaled = coefficients * self.scaling.columns
        entries = np.flatnonzero(scaled).astype(np.int32)
        scale = self._row_scale(coefficients)
        shift = float(coefficients @ self.scaling.origin)
        return entries, scaled[entries] * scale, (low - shift) * scale, (high - shift) * scale

    def _row_scale(self, coefficients: Array) -> float:
        """What a row that is held is multiplied by."""
        largest = np.abs(coefficients * self.scaling.columns).max(initial=0.0)
        return 1 / float(power_of_two(np.array([largest]))[0])

    def _add_row(self, highs: highspy.Highs, coefficients: Array, low: float, high: float) -> None:
        entries, values, low, high = self.scaled_row(coefficients, low, high)
        expect(highs.addRow(low, high, entries.size, entries, values))

    def hold(self, coefficients: Array, low: float, high: float) -> int:
        """Keep a sum of columns between two values in all later solves; the number of what is held."""
        self.held.append((coefficients, low, high))
        self._add_row(self.highs, coefficients, low, high)
        return len(self.held) - 1

    def change_hold(self, number: int, low: float, high: float) -> None:
        """Move the two values of what is held; the next solve starts from the last one."""
        coefficients = self.held[number][0]
        self.held[number] = (coefficients, low, high)
        _, _, low, high = self.scaled_row(coefficients, low, high)
        expect(self.highs.changeRowBounds(self.matrix.A.shape[0] + number, low, high))

    def stay_optimal(self) -> None:
        """Keep what has a price at the last solve where it is: what is left are all plans as good, and nothing else."""
        solution = self.highs.getSolution()
        at, activity = np.array(solution.col_value), np.array(solution.row_value)
        columns = np.flatnonzero(np.abs(solution.col_dual) > PRICED).astype(np.int32)
        expect(self.highs.changeColsBounds(columns.size, columns, at[columns], at[columns]))
        rows = np.flatnonzero(np.abs(solution.row_dual) > PRICED).astype(np.int32)
        for row in rows.tolist():
            expect(self.highs.changeRowBounds(row, activity[row], activity[row]))

    def fresh(self, integer: NDArray[np.bool_]) -> None:
        """Begin cold, with the rows held so far."""
        self.highs = self._instance(integer)

    def minimise(self, coefficients: Array, what: str) -> HighsModelStatus:
        """Solve for the least sum.

        Presolve has called problems with lumps infeasible that are not: such a verdict is checked without it, and so is
        one on a later stage, where it cannot be true. Where HiGHS has no answer, interior point tries once.
        """
        scaled = coefficients * self.scaling.columns
        largest = float(np.abs(scaled).max(initial=0.0))
        self.cost_scale = float(LARGEST_COST / power_of_two(np.array([largest]))[0])
        columns = np.arange(scaled.size, dtype=np.int32)
        expect(self.highs.changeColsCost(scaled.size, columns, scaled * self.cost_scale))
        status = self.run(what)
        doubted = status == HighsModelStatus.kInfeasible and (self.held or self.matrix.integer.any())
        if doubted or status == HighsModelStatus.kUnboundedOrInfeasible:
            status = self._run_again(what, "presolve", "off")
        if status not in STATUS:
            status = self._run_again(what, "solver", "ipm")
        return status

    def break_ties(self, weights: Array) -> bool:
        """Solve for the least sum within what is held, more exactly than else; whether that worked.

        With one objective the last optimum keeps what is held: the primal simplex goes on from it. With lumps, or with
        earlier objectives of whose slack it may have made use, it begins cold.
        """
        cold = self.matrix.integer.any() or len(self.held) > 1
        for strategy in (DUAL,) if cold else (PRIMAL, DUAL):
            if strategy == DUAL:
                self.fresh(self.matrix.integer)
            expect(self.highs.setOptionValue("primal_feasibility_tolerance", TIE_FEASIBILITY))
            expect(self.highs.setOptionValue("simplex_strategy", strategy))
            if STATUS.get(self.minimise(weights, "ties"), "unknown") == "optimal":
                return True
        return False

    def _run_again(self, what: str, option: str, value: str) -> HighsModelStatus:
        """One cold run of HiGHS with an option that is otherwise its own choice."""
        expect(self.highs.clearSolver())
        expect(self.highs.setOptionValue(option, value))
        try:
            return self.run(what)
        finally:
            expect(self.highs.setOptionValue(option, "choose"))

    def run(self, what: str) -> HighsModelStatus:
        """One run of HiGHS, in a thread of its own so that an interrupt is heard at once."""
        left = min(self.options.time_limit - (time.perf_counter() - self.started), self.patience)
        if left <= 0:
            return HighsModelStatus.kTimeLimit
        highs = self.highs
        expect(highs.setOptionValue("time_limit", float(highs.getRunTime() + left)))
        self.tell(what, 0.0)
        failed: list[BaseException] = []
        ended = Event()

        def work() -> None:
            try:
                highs.run()
            except BaseException as fault:
                failed.append(fault)
            finally:
                ended.set()

        begun = time.perf_counter()
        try:
            Thread(target=work, daemon=True).start()
            while not ended.wait(LISTENING):  # not `join`: interrupted, it takes a thread at work for one that ended
                self.tell(what, time.perf_counter() - begun)
        except BaseException:
            self._end(ended)
            raise
        if failed:
            raise SolverError(str(failed[0])) from failed[0]
        status: HighsModelStatus = highs.getModelStatus()
        return status

    def tell(self, what: str, seconds: float) -> None:
        """Tell what is being done and for how long [s]; what that raises ends the solve."""
        if self.progress is not None:
            self.progress(what, seconds)

    def _end(self, ended: Event) -> None:
        """End a run. HiGHS is made to ask whether to go on only now: asking at every step would slow each solve."""
        highs = self.highs
        highs.HandleUserInterrupt = True
        highs.cancelSolve()
        if ended.wait(ENDING):
            highs.HandleUserInterrupt = False
        else:  # it is left to end by itself
            self.fresh(self.matrix.integer)

    def values(self) -> Array:
        """Columns of the last solve in the units of the case."""
        x = np.array(self.highs.getSolution().col_value) * self.scaling.columns + self.scaling.origin
        x = np.where(self.matrix.integer, np.round(x), x)
        return np.clip(x, self.matrix.lower, self.matrix.upper)

    def duals(self) -> tuple[Array, Array]:
        """Row duals and reduced costs of the last solve, per unit of the case; held rows are left out."""
        return self.duals_later()()

    def duals_later(self) -> Callable[[], tuple[Array, Array]]:
        """The same, read when it is called: of this solve, also after others."""
        solution, scaling, cost_scale = self.highs.getSolution(), self.scaling, self.cost_scale
        of_rows, of_columns = np.array(solution.row_dual), np.array(solution.col_dual)  # HiGHS writes over its own

        def read() -> tuple[Array, Array]:
            told = of_rows[: scaling.rows.size]
            rows = np.where(np.abs(told) > NO_PRICE, told, 0.0) * scaling.rows / cost_scale
            return rows, of_columns / scaling.columns / cost_scale

        return read

    def held_duals(self) -> list[float]:
        """Duals of what is held, in the order of holding, per unit."""
        told = np.array(self.highs.getSolution().row_dual)[self.matrix.A.shape[0] :]
        return [
            float(dual) * self._row_scale(coefficients) / self.cost_scale
            for dual, (coefficients, _, _) in zip(told, self.held, strict=True)
        ]

    def has_plan(self) -> bool:
        """Whether the last solve left a feasible point."""
        return bool(self.highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible)

    def gap(self) -> float:
        """Relative gap that the last solve with lumps left open [-]."""
        info = self.highs.getInfo()
        if math.isfinite(info.mip_gap):
            return float(info.mip_gap)
        return 0.0 if info.objective_function_value == info.mip_dual_bound else math.inf  # where the least is zero


def expect(status: HighsStatus) -> None:
    """Refuse to go on after a call that HiGHS did not carry out."""
    if status == HighsStatus.kError:
        raise SolverError("HiGHS refused a call")
