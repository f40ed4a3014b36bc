"""Probe: one live instance of a case that is asked for many things, and the sums over its columns that they are about.

A probe never changes what it asks of the case; it holds sums, moves bounds and changes the objective, and each solve
goes on from where the last one stood.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, hstack, vstack

from planner.case import Case
from planner.cells import closest
from planner.compile import Matrix, compile_problem
from planner.engine import DUAL, PRIMAL, STATUS, Options, Progress, Solver, expect
from planner.errors import CaseError, InfeasibleError, Place, SolverError, error
from planner.live import BASIC, FEW
from planner.problem import Problem
from planner.rows import FUND
from planner.scaling import power_of_two
from planner.solution import Status

Array = NDArray[np.float64]
Codes = NDArray[np.integer[Any]]
NO_LIMIT = 2**31 - 1
FAR = 0.3
"""Part of the number of rows that a solve may take in steps from the last one, before it begins anew [-]."""
PEAK = "peak:"
"""Start of what names the highest yearly level of a quantity."""
ON_COMMAND_LINE = "--x, --y"
ROOMS = (1e-9, 1e-7, 1e-5)
"""Parts of a limit within which a start that is held may move, the next where rounding leaves no plan [-]."""


@dataclass(frozen=True)
class Axis:
    """What a trade-off is about: a quantity, `capex` or `fund:<id>` (a year, or all of them summed), `cost` (the net
    present value), or `peak:` and one of them (its highest yearly level). Less is better, unless `most`.
    """

    text: str
    what: str
    year: int | None = None
    peak: bool = False
    most: bool = False

    @property
    def sign(self) -> float:
        """1 where less is better, else -1."""
        return -1.0 if self.most else 1.0

    @property
    def stage(self) -> str:
        """Objective that is its sum over the years."""
        return self.what if self.what in ("cost", "capex") or self.what.startswith(FUND) else f"quantity:{self.what}"

    @classmethod
    def of(cls, text: str, case: Case) -> "Axis":
        """The axis of that name, as in `co2`, `nox:2030`, `fund:public:2025`, `peak:co2`, `-clean_power`.

        Raises CaseError where the case has no such thing.
        """
        most, peak = text.startswith("-"), text.removeprefix("-").startswith(PEAK)
        what = text.removeprefix("-").removeprefix(PEAK)
        head, _, tail = what.rpartition(":")
        year = int(tail) if head and tail.isascii() and tail.isdigit() else None
        what = what if year is None else head
        quantities = [row.quantity for row in case.quantities]
        known = ["cost", "capex", *(FUND + row.fund for row in case.funds), *quantities]
        place, first, last = Place(ON_COMMAND_LINE), case.settings.first_year, case.settings.last_year
        if what not in known:
            raise CaseError([error("axis_unknown", place, found=what, hint=closest(what, known))])
        if what == "cost" and (year is not None or peak):
            raise CaseError([error("axis_cost", place, found=text)])
        if year is not None and (peak or not first <= year <= last):
            raise CaseError([error("axis_year", place, found=text, first=first, last=last)])
        return cls(text, what, year, peak, most)


@dataclass(frozen=True)
class Sum:
    """A sum over columns and a constant."""

    part: Array
    constant: float = 0.0

    def value(self, columns: Array) -> float:
        """Its value in a plan."""
        return float(self.part @ columns[: self.part.size]) + self.constant


@dataclass(frozen=True)
class Posed:
    """A case with the columns that axes need."""

    problem: Problem
    matrix: Matrix
    sums: dict[str, Sum]
    """By text of the axis; not signed."""
    cost: Sum
    """Net present value [currency]."""

    @cached_property
    def starts(self) -> "Starts":
        """What can be started."""
        return Starts(self.problem, self.matrix)

    @classmethod
    def of(cls, case: Case, axes: Sequence[Axis] = ()) -> "Posed":
        """The problem of a case, with what the axes need; the case's own objective makes no difference.

        Raises InfeasibleError where arithmetic alone shows that there is no plan.
        """
        names = [*dict.fromkeys(axis.stage for axis in axes if axis.what != "cost"), "cost"]
        problem = Problem(case.edited([{"setting": "objective", "value": names}]))
        if problem.contradictions:
            raise InfeasibleError("the case has no plan")
        matrix = compile_problem(problem)
        stages = {stage.name: stage for stage in matrix.stages}
        sums = {}
        for axis in axes:
            if axis.peak:
                matrix, sums[axis.text] = with_peak(problem, matrix, problem.level(axis.what))
            elif axis.year is not None:
                part = np.zeros(len(matrix.columns))
                part[matrix.column["level", (problem.level(axis.what), axis.year)]] = 1.0
                sums[axis.text] = Sum(part)
            else:
                stage = stages[axis.stage]
                sums[axis.text] = Sum(stage.coefficients, stage.constant)
        width = len(matrix.columns)
        sums = {text: Sum(padded(found.part, width), found.constant) for text, found in sums.items()}
        return cls(problem, matrix, sums, Sum(padded(stages["cost"].coefficients, width), stages["cost"].constant))

    @classmethod
    def with_own_stages(cls, case: Case) -> "Posed":
        """The problem of a case with its own objectives; raises InfeasibleError as `of`."""
        problem = Problem(case)
        if problem.contradictions:
            raise InfeasibleError("the case has no plan")
        matrix = compile_problem(problem)
        stage = next(stage for stage in matrix.stages if stage.name == "cost")
        return cls(problem, matrix, {}, Sum(stage.coefficients, stage.constant))

    def hold_earlier(self, probe: "Probe") -> None:
        """Hold what comes before the cost among the objectives of the case, as its plan does."""
        for stage in self.matrix.stages:
            if stage.name == "cost":
                break
            part = padded(-stage.coefficients if stage.maximise else stage.coefficients, len(probe.matrix.columns))
            least = float(part @ probe.found(part, stage.name))
            constant = -stage.constant if stage.maximise else stage.constant
            probe.hold(part, -np.inf, least + self.matrix.tolerance * abs(least + constant))


def padded(part: Array, width: int) -> Array:
    """Coefficients with zeros for columns that were added since."""
    return np.pad(part, (0, width - part.size))


def with_peak(problem: Problem, matrix: Matrix, level: str) -> tuple[Matrix, Sum]:
    """The matrix with a column that no yearly level exceeds, in years still to be decided, and its value."""
    size = float(power_of_two(np.array([np.abs(problem.baseline_of(level)).max(initial=0.0)]))[0])
    years = problem.decided
    parts = []
    for y in years:
        part = np.zeros(len(matrix.columns))
        part[matrix.column["level", (level, y)]] = 1.0
        parts.append(part)
    name = ("peak", (level,))
    wide = with_rows(
        matrix, [name], [("peak_at_least", (level, y)) for y in years], parts, np.full((len(years), 1), -size), False
    )
    part = np.zeros(len(wide.columns))
    part[-1] = size
    return wide, Sum(part)


def with_sums(matrix: Matrix, sums: Sequence[Array], names: Sequence[str]) -> Matrix:
    """The matrix with a free column for each sum, which a row defines."""
    own = [("sum", (name,)) for name in names]
    return with_rows(matrix, own, own, sums, -np.eye(len(sums)), True)


def with_cap(matrix: Matrix, part: Array, most: float) -> Matrix:
    """The matrix with a row that keeps a sum of columns at or below `most`."""
    wide = with_rows(matrix, [], [("cap", ("cap",))], [part], np.zeros((1, 0)), False)
    upper = wide.row_upper.copy()
    upper[-1] = most
    return replace(wide, row_upper=upper)


def with_rows(
    matrix: Matrix,
    columns: Sequence[tuple[str, tuple[Any, ...]]],
    rows: Sequence[tuple[str, tuple[Any, ...]]],
    parts: Sequence[Array],
    own: Array,
    equal: bool,
) -> Matrix:
    """The matrix with free columns and rows `parts x + own z <= 0` or `= 0`; one that is equal defines its column."""
    height, width = matrix.A.shape
    tall = csr_array((height, len(columns)))
    lower_part = csr_array(np.array(parts)) if parts else csr_array((0, width))
    return replace(
        matrix,
        A=csr_array(vstack([hstack([matrix.A, tall]), hstack([lower_part, csr_array(own)])], format="csr")),
        row_lower=np.append(matrix.row_lower, np.full(len(rows), 0.0 if equal else -np.inf)),
        row_upper=np.append(matrix.row_upper, np.zeros(len(rows))),
        lower=np.append(matrix.lower, np.full(len(columns), -np.inf)),
        upper=np.append(matrix.upper, np.full(len(columns), np.inf)),
        integer=np.append(matrix.integer, np.zeros(len(columns), dtype=bool)),
        stages=tuple(
            replace(stage, coefficients=padded(stage.coefficients, width + len(columns))) for stage in matrix.stages
        ),
        rows=(*matrix.rows, *rows),
        columns=(*matrix.columns, *columns),
        defining_row=np.append(
            matrix.defining_row, np.arange(height, height + len(rows)) if equal else np.full(len(columns), -1)
        ),
        made_of={},
    )


class Starts:
    """What can be started: columns, and the measure, city and year of each."""

    def __init__(self, problem: Problem, matrix: Matrix) -> None:
        self.problem = problem
        m, c, v = problem.startable.parts
        keys = problem.startable
        first = matrix.column["starts", keys[0]] if len(keys) else 0
        self.columns: Codes = np.arange(first, first + len(keys))
        self.measure, self.city = m, c
        self.year: Codes = np.array(problem.y.labels, dtype=np.int64)[v] if len(keys) else np.zeros(0, dtype=np.int64)
        self.most: Array = matrix.upper[self.columns]
        self.capex: Array = problem.capex[m, v]
        """Capital cost of a unit [currency per unit of the measure]."""

    @cached_property
    def potential(self) -> Array:
        """Potential in the last year of the measure and city of each start [unit of the measure]."""
        last = self.problem.last
        labels = zip(self.measure.tolist(), self.city.tolist(), strict=True)
        m, c = self.problem.m.labels, self.problem.c.labels
        return np.array([self.problem.potential[m[i], c[j], last] for i, j in labels])

    @cached_property
    def sector(self) -> list[str]:
        """Sector of each start."""
        of = [row.sector for row in self.problem.measures.values()]
        return [of[i] for i in self.measure.tolist()]

    def values(self, plan: Array) -> Array:
        """Starts in a plan, solver noise removed [unit of the measure]."""
        found = plan[self.columns]
        return np.where(found > 1e-9 * np.maximum(self.potential, self.most), found, 0.0)

    def totals(self, plan: Array) -> pd.DataFrame:
        """What a plan starts of every measure: `measure`, `starts`, `capex` [currency], `mean_year` of the starts."""
        starts, number = self.values(plan), len(self.problem.m)
        sums = np.bincount(self.measure, starts, number)
        years = np.bincount(self.measure, starts * self.year, number)
        frame = pd.DataFrame({"measure": list(self.problem.m.labels), "starts": sums})
        frame["capex"] = np.bincount(self.measure, starts * self.capex, number)
        frame["mean_year"] = np.divide(years, sums, out=np.full(number, np.nan), where=sums > 0)
        return frame

    def frame(self, plan: Array) -> pd.DataFrame:
        """Every start of a plan: `measure`, `city`, `year`, `starts`."""
        starts = self.values(plan)
        at = np.flatnonzero(starts)
        m, c = self.problem.m.labels, self.problem.c.labels
        rows = [(m[self.measure[i]], c[self.city[i]], int(self.year[i]), float(starts[i])) for i in at.tolist()]
        return pd.DataFrame(rows, columns=["measure", "city", "year", "starts"])


class Probe(Solver):
    """One instance that goes on from where it stands, whatever it is asked for next."""

    small_steps = True

    def __init__(self, matrix: Matrix, options: Options | None = None, progress: Progress | None = None) -> None:
        super().__init__(matrix, options or Options(), progress)
        self.lumpy = bool(matrix.integer.any())
        self._begun = False
        self._low, self._high = matrix.lower.copy(), matrix.upper.copy()
        self._most = matrix.row_upper.copy()

    def least(self, coefficients: Array, what: str, fits: bool = False) -> Status:
        """Solve for the least sum. `fits`: the last point keeps all bounds, so the primal simplex goes on from it.

        A solve that takes many steps begins again from nothing, by interior point: counted in steps, not in seconds, so
        that every run goes the same way. One with lumps always begins from nothing.
        """
        warm = self._begun and not self.lumpy
        if self._begun and self.lumpy:
            self.fresh(self.matrix.integer)  # a warm start after an added row has called feasible problems infeasible
        self._begun = True
        steps = int(FAR * self.matrix.A.shape[0]) + FEW if warm else NO_LIMIT
        expect(self.highs.setOptionValue("simplex_strategy", PRIMAL if warm and fits else DUAL))
        expect(self.highs.setOptionValue("simplex_iteration_limit", steps))
        try:
            status = STATUS.get(self.minimise(coefficients, what), "unknown")
        finally:
            expect(self.highs.setOptionValue("simplex_strategy", DUAL))
            expect(self.highs.setOptionValue("simplex_iteration_limit", NO_LIMIT))
        if warm and status in ("limit", "unknown") and time.perf_counter() - self.started < self.options.time_limit:
            return self._again(coefficients, what)
        return status

    def _again(self, coefficients: Array, what: str) -> Status:
        """Solve from nothing by interior point, which is quicker far from the least cost, and end in a corner."""
        expect(self.highs.clearSolver())
        expect(self.highs.setOptionValue("solver", "ipm"))
        try:
            return STATUS.get(self.minimise(coefficients, what), "unknown")
        finally:
            expect(self.highs.setOptionValue("solver", "choose"))

    def found(self, coefficients: Array, what: str, fits: bool = False) -> Array:
        """Columns at the least sum. Raises InfeasibleError where there is no plan, SolverError where none is found."""
        need_plan(self.least(coefficients, what, fits), what)
        return self.values()

    def stand(self) -> Any:
        """Where the instance stands, to come back to."""
        return self.highs.getBasis()

    def back(self, basis: Any) -> None:
        """Go on from an earlier stand; rows that were added since are free there."""
        if not self.lumpy:
            there = self.highs.getBasis()
            rows = list(basis.row_status)
            there.row_status = rows + [BASIC] * (self.highs.getNumRow() - len(rows))
            there.col_status, there.valid = list(basis.col_status), True
            expect(self.highs.setBasis(there))

    def fresh(self, integer: NDArray[np.bool_]) -> None:
        """Begin cold, with what is held and all bounds as they are."""
        super().fresh(integer)
        columns = np.flatnonzero((self._low != self.matrix.lower) | (self._high != self.matrix.upper))
        rows = np.flatnonzero(self._most != self.matrix.row_upper)
        self.bound(columns, self._low[columns], self._high[columns])
        self.limit(rows, self._most[rows])

    def bound(self, columns: Codes, low: Array, high: Array) -> None:
        """Bound columns otherwise [their units]."""
        self._low[columns], self._high[columns] = low, high
        origin, scale = self.scaling.origin[columns], self.scaling.columns[columns]
        at = columns.astype(np.int32)
        expect(self.highs.changeColsBounds(at.size, at, (low - origin) / scale, (high - origin) / scale))

    def limit(self, rows: Codes, high: Array) -> None:
        """Bound rows otherwise from above [their units]."""
        self._most[rows] = high
        shift, scale = (self.matrix.A[rows, :] @ self.scaling.origin), self.scaling.rows[rows]
        at = rows.astype(np.int32)
        low = (self.matrix.row_lower[rows] - shift) * scale
        expect(self.highs.changeRowsBounds(at.size, at, low, (high - shift) * scale))


def need_plan(status: Status, what: str) -> None:
    """Raises InfeasibleError where there is no plan, SolverError where none was found."""
    if status == "infeasible":
        raise InfeasibleError(f"{what}: there is no plan")
    if status != "optimal":
        raise SolverError(f"{what}: {status}")


def held(plan: Array, columns: Codes, matrix: Matrix, room: float) -> tuple[Array, Array]:
    """Bounds that hold columns where a plan has them, but for a room for rounding."""
    low, high = matrix.lower[columns], matrix.upper[columns]
    at = np.clip(plan[columns], low, high)
    return np.maximum(at - room * high, low), np.minimum(at + room * high, high)


def extreme(matrix: Matrix, part: Array, options: Options, what: str, progress: Progress | None = None) -> Array:
    """Columns of a plan in which a sum is the least it can be; by interior point, as simplex is slow far from the least
    cost. Raises InfeasibleError, SolverError.
    """
    lumpy = bool(matrix.integer.any())
    solver = Probe(matrix, options if lumpy else replace(options, crossover=True), progress)
    return solver.found(part, what)


def members(codes: Codes, number: int, weights: Array, columns: Codes, width: int) -> list[Array]:
    """For each of `number` groups the weighted sum of the columns that belong to it."""
    table = csr_array(coo_array((weights, (codes, columns)), shape=(number, width)))
    return [np.asarray(table[[i], :].todense()).ravel() for i in range(number)]
