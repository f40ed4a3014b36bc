"""What each goal costs: the plan with each target, budget and pin removed in turn, and its price."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from threading import Event
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from planner.case import Case
from planner.compile import Matrix, compile_problem
from planner.engine import LISTENING, NO_PRICE, Options, Progress, cancellable, expect
from planner.live import FEW, Live, Standing
from planner.plan import priced_rows
from planner.pricing import both_sides
from planner.problem import Problem
from planner.solution import Slopes, Solution, StageValue, Status
from planner.stages import solve as run

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Kind = Literal["target", "budget", "pin"]
COLUMNS = ("kind", "id", "binding", "status", "objective", "cost", "year", "price_loosen", "price_tighten")
CHANGE = "change_"
"""Start of the columns that say how much more of a quantity there is with the goal, summed over the years."""
FAMILIES: dict[str, Kind] = {
    "target_is_kept": "target",
    "budget_is_kept": "budget",
    "pin_at_least": "pin",
    "pin_at_most": "pin",
}
NO_LIMIT = 2**31 - 1
AWAY = 1e4
"""How far out of reach a row is moved, as a part of its scaled bound or of 1 [-]."""
APART = 0.03
"""Part of the number of rows that a solve may take in steps from the last one, before it begins anew [-]."""
CHAINS = 2
"""Solves at once."""
SAME = 1e-9
"""Differences below this part of what is compared are rounding [-]."""


def goals(
    case: Case, options: Options | None = None, progress: Progress | None = None, cancel: Event | None = None
) -> pd.DataFrame:
    """What each target, budget and pin costs: the plan against the one without it, all others kept.

    Columns: `kind`, `id`; `binding`, whether it has a price; `status` of the plan without it; `objective`, what it
    takes from the first objective [its unit], and `cost`, what it adds to the net present value [currency];
    `price_loosen` and `price_tighten` in its dearest `year`, as in the files of a plan; and for each emission
    `change_<quantity>`, how much more of it there is with the goal over all years [its unit]. A goal without a price
    costs nothing, so nothing is solved for it. Where many plans cost the same, emissions are those of one of them.
    Empty when the case has no plan: `attrs["status"]` says why. Raises CancelledError after `cancel` is set.
    """
    options = replace(options or Options(), break_ties=False, certify=False)
    told = cancellable(progress, cancel)
    problem = Problem(case)
    emissions = [row.quantity for row in case.quantities if row.kind == "emission"]
    columns = [*COLUMNS, *(CHANGE + q for q in emissions)]
    empty = pd.DataFrame(columns=columns)
    if problem.contradictions:
        empty.attrs["status"] = "infeasible"
        return empty
    matrix = compile_problem(problem)
    series = Series(matrix, options, told)
    base = series.base()
    if not base.found:
        empty.attrs["status"] = base.status
        return empty
    sums = [emitted(matrix, q) for q in emissions]
    before = [float(part @ base.values) for part in sums]
    goals = list(named(problem, matrix))
    costly = [(id_, rows) for _, id_, rows in goals if series.may_cost(rows, base)]
    asked = [(f"goal {id_} ({i}/{len(costly)})", rows) for i, (id_, rows) in enumerate(costly, 1)]
    answers = iter(series.each_without(asked))
    found = []
    for kind, id_, rows in goals:
        after = next(answers) if series.may_cost(rows, base) else base
        binding = bool(np.any(base.duals[rows]))
        costs = [differences(base, after, stage) if after.found else None for stage in (0, cost_stage(matrix))]
        price = dearest(problem, matrix, rows, base.slopes)
        changes = [
            tidy(was - float(part @ after.values), was) if after.found else None
            for part, was in zip(sums, before, strict=True)
        ]
        found.append((kind, id_, binding, after.status, *costs, *price, *changes))
    frame = pd.DataFrame(found, columns=columns).astype({"year": "Int64"})
    frame.attrs["status"] = base.status
    return frame


def named(problem: Problem, matrix: Matrix) -> Iterator[tuple[Kind, str, Rows]]:
    """Every goal of the case with its rows; one that asks for nothing in the years to be decided has none."""
    rows: dict[tuple[Kind, str], list[int]] = {}
    for target in problem.case.targets:
        rows["target", target.target] = []
    for budget in problem.case.budgets:
        rows["budget", budget.budget] = []
    for pin in problem.case.pins:
        rows["pin", pin.pin] = []
    for i, (family, key) in enumerate(matrix.rows):
        kind = FAMILIES.get(family)
        if kind is not None:
            id_ = problem.goal_target[str(key[0])] if kind == "target" else str(key[0])
            rows[kind, id_].append(i)
    for (kind, id_), of in rows.items():
        yield kind, id_, np.array(of, dtype=np.int64)


def emitted(matrix: Matrix, quantity: str) -> Array:
    """All changes of a quantity, in every place and year."""
    part = np.zeros(len(matrix.columns))
    for j, (family, key) in enumerate(matrix.columns):
        if family == "change" and key[0] == quantity:
            part[j] = 1.0
    return part


def cost_stage(matrix: Matrix) -> int:
    """Place of the cost among the objectives."""
    return next(i for i, stage in enumerate(matrix.stages) if stage.name == "cost")


def differences(base: Solution, after: Solution, stage: int) -> float:
    """What an objective loses by the goal; more is worse."""
    one, other = base.stages[stage], after.stages[stage]
    sign = -1.0 if one.name.startswith("-") else 1.0
    return tidy(sign * (one.final - other.final), one.final)


def tidy(difference: float, of: float) -> float:
    """A difference without rounding."""
    return difference if abs(difference) > SAME * abs(of) else 0.0


def dearest(
    problem: Problem, matrix: Matrix, rows: Rows, slopes: dict[int, Slopes]
) -> tuple[int | None, float | None, float | None]:
    """Year and prices, in its money, of the row of a goal that costs most per unit, discounted."""
    known = [(slopes[i].loosen, -i) for i in rows.tolist() if i in slopes and slopes[i].loosen > 0]
    if not known:
        return None, None, None
    row = -max(known)[1]
    family, key = matrix.rows[row]
    year = int(key[-1])
    unit = problem.bounds[key].price_unit if family == "target_is_kept" else 1.0
    unit /= problem.discount[year]
    tighten = slopes[row].tighten
    return year, slopes[row].loosen * unit, None if tighten is None else tighten * unit


def without_rows(matrix: Matrix, rows: Rows) -> Matrix:
    """The matrix without some rows; what only they define has nothing to define it."""
    keep = np.ones(len(matrix.rows), dtype=bool)
    keep[rows] = False
    defined = matrix.defining_row
    place = np.where(keep, np.cumsum(keep) - 1, -1)
    return replace(
        matrix,
        A=csr_array(matrix.A[np.flatnonzero(keep), :]),
        row_lower=matrix.row_lower[keep],
        row_upper=matrix.row_upper[keep],
        rows=tuple(name for name, kept in zip(matrix.rows, keep, strict=True) if kept),
        defining_row=np.where(defined >= 0, place[defined], -1),
    )


class Loosening(Live):
    """A solver that goes from the optimum without some rows to that without others.

    A row is not taken away but moved far out of reach: prices stay what a dual simplex starts from. Where it has no
    price in the end, the optimum is that without it: the same prices prove both. Else it is taken away, and solved for
    from nothing.
    """

    def __init__(self, matrix: Matrix, options: Options, progress: Progress | None) -> None:
        super().__init__(matrix, options, progress)
        self.most = (matrix.row_upper - matrix.A @ self.scaling.origin) * self.scaling.rows
        """Upper bounds of the rows, scaled."""
        self.moved: list[int] = []
        """Rows that are out of reach."""
        self.home: Standing | None = None
        """Where the plan with all rows stands."""
        self.strayed = False
        """Whether a solve from nothing has led far away from there."""

    def begin(self, home: Standing) -> None:
        """Go on from where the plan with all rows stands."""
        self.home = home
        self.stand(home, self.matrix)
        expect(self.highs.setBasis(self._basis))
        self.strayed = False

    def without(self, rows: Rows) -> Status:
        """Solve without some rows, which have upper bounds only, from where the last solve ended."""
        for row in self.moved:
            self._bound(row, self.most[row])
        self.moved = rows.tolist()
        for row in self.moved:
            self._bound(row, self.most[row] + AWAY * max(1.0, abs(self.most[row])))
        if self.strayed and self.home is not None:
            self.begin(self.home)
        expect(self.highs.setOptionValue("simplex_iteration_limit", int(APART * self.most.size) + FEW))
        try:
            status = self._solve()
        finally:
            expect(self.highs.setOptionValue("simplex_iteration_limit", NO_LIMIT))
        if status == "optimal":
            prices = np.array(self.highs.getSolution().row_dual)[rows]
            if not np.any(np.abs(prices) > NO_PRICE):
                return status
        for row in self.moved:
            self._bound(row, np.inf)
        self.strayed = True
        return self.cold()

    def _bound(self, row: int, most: float) -> None:
        expect(self.highs.changeRowBounds(row, -np.inf, most))


class Series:
    """The plan without some rows, again and again: from where the last one stood, where there is such a place."""

    def __init__(self, matrix: Matrix, options: Options, progress: Progress | None) -> None:
        self.matrix, self.options, self.progress = matrix, options, progress
        self.warm = len(matrix.stages) == 1 and not matrix.integer.any()
        self.live = Loosening(matrix, options, progress)

    def base(self) -> Solution:
        """The plan with all goals, and their prices."""
        priced = priced_rows(self.matrix)
        if not self.warm:
            return run(self.matrix, None, priced, self.options, self.progress)
        status = self.live.cold()
        if status != "optimal":
            return Solution(status, "none", np.zeros(0), np.zeros(0), np.zeros(0))
        duals, reduced = self.live.duals()
        values = self.live.values()
        slopes = both_sides(self.live, priced, "prices")
        return Solution("optimal", "none", values, duals, reduced, slopes=slopes, stages=(self._value(values),))

    def may_cost(self, rows: Rows, base: Solution) -> bool:
        """Whether the plan may be another without these rows: prices of zero prove that it is not."""
        return bool(np.any(base.duals[rows])) or (not self.warm and rows.size > 0)

    def each_without(self, goals: Sequence[tuple[str, Rows]]) -> list[Solution]:
        """The plan without the rows of each goal in turn, in their order.

        Goals are solved for in `CHAINS` chains, one after another in each: what comes out depends on no processor.
        """
        if not self.warm:
            return [self._whole(rows, name) for name, rows in goals]
        parts = [part.tolist() for part in np.array_split(np.arange(len(goals)), CHAINS) if part.size]
        end, begun, started = Event(), time.perf_counter(), deque[str]()
        home = self.live.standing()
        assert home is not None
        self.live.home = home
        lives = [self.live, *(self._another(home) for _ in parts[1:])]

        def chain(live: Loosening, part: list[int]) -> list[Solution]:
            live.progress = cancellable(None, end)
            found = []
            for i in part:
                started.append(goals[i][0])
                found.append(self._without(live, goals[i][1]))
            return found

        with ThreadPoolExecutor(CHAINS) as pool:
            running = [pool.submit(chain, live, part) for live, part in zip(lives, parts, strict=True)]
            try:
                left = set(running)
                name = ""
                while left:
                    _, left = wait(left, LISTENING, FIRST_EXCEPTION)
                    self._tell(name, begun)
                    while started:
                        name = started.popleft()
                        self._tell(name, begun)
            finally:
                end.set()
        return [solution for part in running for solution in part.result()]

    def _tell(self, name: str, begun: float) -> None:
        if self.progress is not None and name:
            self.progress(name, time.perf_counter() - begun)

    def _another(self, home: Standing) -> Loosening:
        """One more instance, with as much time left as the first one."""
        made = Loosening(self.matrix, self.options, None)
        made.started = self.live.started
        made.begin(home)
        return made

    def _whole(self, rows: Rows, name: str) -> Solution:
        """The plan without some rows, from nothing."""
        told = None if self.progress is None else partial(self._told, self.progress, name)
        return run(without_rows(self.matrix, rows), None, None, replace(self.options, prices=False), told)

    def _without(self, live: Loosening, rows: Rows) -> Solution:
        """The plan without some rows, from where an instance stands."""
        status = live.without(rows)
        values = live.values() if status == "optimal" else np.zeros(0)
        stages = (self._value(values),) if status == "optimal" else ()
        return Solution(status, "none", values, np.zeros(0), np.zeros(0), stages=stages)

    @staticmethod
    def _told(progress: Progress, what: str, _: str, seconds: float) -> None:
        progress(what, seconds)

    def _value(self, values: Array) -> StageValue:
        stage = self.matrix.stages[0]
        value = float(stage.coefficients @ values) + stage.constant
        return StageValue(stage.name, value, value)
