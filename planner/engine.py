"""The only door to HiGHS: scaling by powers of two, stages, ties, status."""

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
from scipy.sparse import csr_array, vstack

from planner.compile import Matrix, Stage
from planner.errors import CancelledError, SolverError
from planner.prices import Sides, Vertex
from planner.scaling import power_of_two, scaling
from planner.solution import Proof, Slopes, Solution, StageValue, Status

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
NUDGE = 1e-5
"""How far a scaled row is moved to read its price beyond its bound [-]."""
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

    def _scaled_row(
        self, coefficients: Array, low: float, high: float
    ) -> tuple[NDArray[np.int32], Array, float, float]:
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
        entries, values, low, high = self._scaled_row(coefficients, low, high)
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
        _, _, low, high = self._scaled_row(coefficients, low, high)
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
        status = self._run(what)
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
            return self._run(what)
        finally:
            expect(self.highs.setOptionValue(option, "choose"))

    def _run(self, what: str) -> HighsModelStatus:
        """One run of HiGHS, in a thread of its own so that an interrupt is heard at once."""
        left = min(self.options.time_limit - (time.perf_counter() - self.started), self.patience)
        if left <= 0:
            return HighsModelStatus.kTimeLimit
        highs = self.highs
        expect(highs.setOptionValue("time_limit", float(highs.getRunTime() + left)))
        self._tell(what, 0.0)
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
                self._tell(what, time.perf_counter() - begun)
        except BaseException:
            self._end(ended)
            raise
        if failed:
            raise SolverError(str(failed[0])) from failed[0]
        status: HighsModelStatus = highs.getModelStatus()
        return status

    def _tell(self, what: str, seconds: float) -> None:
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

    def gap(self) -> float:
        """Relative gap that the last solve with lumps left open [-]."""
        info = self.highs.getInfo()
        if math.isfinite(info.mip_gap):
            return float(info.mip_gap)
        return 0.0 if info.objective_function_value == info.mip_dual_bound else math.inf  # where the least is zero

    def slopes(self, rows: NDArray[np.int64], what: str) -> dict[int, Slopes]:
        """Prices of `<=` rows on both sides, at the last solve.

        They are slopes of the least cost, which is piecewise linear: see `planner.prices`. What rounding leaves open
        there is the dual of the optimum just beyond. A row with room has no price. The instance is left as it was.
        """
        highs, scale, matrix = self.highs, self.scaling, self.matrix
        begun = time.perf_counter()
        vertex = self._vertex()
        room = (vertex.high - vertex.at)[matrix.A.shape[1] :]
        sides = Sides(vertex, highs, least, NUDGE, NO_PRICE)
        tight = [row for row in rows.tolist() if room[row] <= 2 * NUDGE]
        found: dict[tuple[int, float], tuple[float, float] | None] = {}
        for row in tight:
            self._tell(what, time.perf_counter() - begun)
            found |= {(row, way): sides.slope(row, way) for way in (1.0, -1.0)}
        for side in [side for side, slope in found.items() if slope is None]:
            found[side] = self._nudged(*side, what)
        prices: dict[int, Slopes] = {}
        for row in rows.tolist():
            unit = scale.rows[row]
            if room[row] > 2 * NUDGE:
                prices[row] = Slopes(0.0, 0.0, np.inf, room[row] / unit)
                continue
            loosen, tighten = found[row, 1.0], found[row, -1.0]
            if loosen is None or tighten is None:
                continue
            price, saved = unit / self.cost_scale, max(0.0, -loosen[0])
            prices[row] = Slopes(
                saved * price,
                tighten[0] * price if np.isfinite(tighten[0]) else None,
                np.inf if saved == 0 else loosen[1] / unit,
                tighten[1] / unit,
            )
        return prices

    def _vertex(self) -> Vertex:
        """The last optimum, with the rows that hold earlier stages."""
        highs, scale, matrix = self.highs, self.scaling, self.matrix
        shift = matrix.A @ scale.origin
        held = [self._scaled_row(*row) for row in self.held]
        entries = [
            csr_array((values, columns, [0, columns.size]), shape=(1, matrix.A.shape[1]))
            for columns, values, *_ in held
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

    def _nudged(self, row: int, way: float, what: str) -> tuple[float, float] | None:
        """Slope of the least cost just beyond the upper bound of a row, by another solve; infinite without plan."""
        highs = self.highs
        shift = float((self.matrix.A[[row], :] @ self.scaling.origin).item())
        upper = (self.matrix.row_upper[row] - shift) * self.scaling.rows[row]
        basis = highs.getBasis()
        expect(highs.changeRowBounds(row, -highspy.kHighsInf, upper + way * NUDGE))
        try:
            status = STATUS.get(self._run(what), "unknown")
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


def expect(status: HighsStatus) -> None:
    """Refuse to go on after a call that HiGHS did not carry out."""
    if status == HighsStatus.kError:
        raise SolverError("HiGHS refused a call")


def solve(
    matrix: Matrix,
    tie_break: Array | None = None,
    priced: NDArray[np.int64] | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
    hopeless: Callable[[], bool] | None = None,
) -> Solution:
    """Solve all stages in order, find the prices of the rows `priced`, then break ties with the weights `tie_break`.

    Later stages hold f <= z + tolerance * |z|, where z is what the stage of f proved; with lumps the duals are those
    of the plan with its lumps held.
    """
    options = options or Options()
    solver = Solver(matrix, options, progress)
    timings: dict[str, float] = {"scale": time.perf_counter() - solver.started}
    lumpy = bool(matrix.integer.any())
    proved: list[tuple[Stage, float]] = []
    duals, reduced = np.zeros(0), np.zeros(0)
    slopes: dict[int, Slopes] = {}
    held: dict[str, float] = {}
    others: dict[str, tuple[Array, dict[str, float]]] = {}
    x = np.zeros(0)
    gap = 0.0
    status: Status = "optimal"
    for i, stage in enumerate(matrix.stages):
        begun = time.perf_counter()
        signed = -stage.coefficients if stage.maximise else stage.coefficients
        if i and lumpy:
            solver.fresh(matrix.integer)  # a warm start after an added row has called feasible problems infeasible
        solver.patience = PATIENCE if hopeless is not None and not i and not lumpy else float("inf")
        found = STATUS.get(solver.minimise(signed, stage.name), "unknown")
        if found == "limit" and time.perf_counter() - solver.started < options.time_limit and hopeless is not None:
            if hopeless():
                return nothing("infeasible", timings, "elastic")
            solver.patience = float("inf")
            found = STATUS.get(solver.minimise(signed, stage.name), "unknown")
        solver.patience = float("inf")
        timings[f"solve {stage.name}"] = time.perf_counter() - begun
        if found != "optimal":
            if i == 0 and not (found == "limit" and lumpy and has_plan(solver)):
                return nothing(found, timings)
            status = "unknown" if i and found in ("infeasible", "unbounded") else found
            if not has_plan(solver):
                break
        x = solver.values()
        value = float(stage.coefficients @ x) + stage.constant
        proved.append((stage, value))
        if lumpy:
            gap = max(gap, solver.gap())
        pricing = held_lumps(solver, signed, x) if lumpy else solver
        stage_duals, stage_reduced = pricing.duals()
        stage_held = {
            earlier.name: -dual if earlier.maximise else dual
            for (earlier, _), dual in zip(proved, pricing.held_duals(), strict=False)
        }
        if stage.name != "cost":
            others[stage.name] = stage_duals, stage_held
        else:
            duals, reduced, held = stage_duals, stage_reduced, stage_held
            if priced is not None and options.prices and status == "optimal":
                begun = time.perf_counter()
                slopes = pricing.slopes(priced, "prices")
                timings["prices"] = time.perf_counter() - begun
        if status != "optimal":
            break
        last = i == len(matrix.stages) - 1
        slack = (HELD if last else matrix.tolerance) * abs(value)
        edge = value - stage.constant
        limits = (edge - slack, np.inf) if stage.maximise else (-np.inf, edge + slack)
        solver.hold(stage.coefficients, *limits)
    tie_broken = False
    if status == "optimal" and options.break_ties and tie_break is not None:
        begun = time.perf_counter()
        if solver.break_ties(tie_break):
            x, tie_broken = solver.values(), True
        timings["ties"] = time.perf_counter() - begun
    if status == "optimal" and lumpy and options.gap is not None and gap > MIP_GAP:
        status = "within_gap"
    stages = tuple(
        StageValue(stage.name, value, float(stage.coefficients @ x) + stage.constant) for stage, value in proved
    )
    return Solution(status, "none", x, duals, reduced, held, others, slopes, stages, gap, tie_broken, timings)


def has_plan(solver: Solver) -> bool:
    """Whether the last solve left a feasible point."""
    return bool(solver.highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible)


def held_lumps(solver: Solver, coefficients: Array, x: Array) -> Solver:
    """The same problem solved with every lump held at its number in the plan: it has prices."""
    matrix = solver.matrix
    fixed = np.flatnonzero(matrix.integer)
    continuous = Solver(matrix, solver.options, solver.progress)
    continuous.held = list(solver.held)
    continuous.fresh(np.zeros_like(matrix.integer))
    expect(continuous.highs.changeColsBounds(fixed.size, fixed.astype(np.int32), x[fixed], x[fixed]))
    continuous.minimise(coefficients, "prices")
    return continuous


def nothing(status: Status, timings: dict[str, float], proof: Proof = "none") -> Solution:
    """An answer without a plan."""
    empty = np.zeros(0)
    return Solution(status, proof, empty, empty, empty, timings=timings)
