"""What each goal costs: the plan with each target, budget and pin removed in turn, and its price."""

from collections.abc import Iterator
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
from planner.engine import DUAL, NO_PRICE, PRIMAL, Options, Progress, cancellable, expect
from planner.engine import solve as run
from planner.live import AT_LOWER, BASIC, FEW, WANDERED, Live
from planner.plan import priced_rows
from planner.problem import Problem
from planner.solution import Slopes, Solution, StageValue, Status

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
    asked = sum(series.may_cost(rows, base) for _, _, rows in goals)
    found, count = [], 0
    for kind, id_, rows in goals:
        after = base
        if series.may_cost(rows, base):
            count += 1
            after = series.without(rows, f"goal {id_} ({count}/{asked})")
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
    """A solver that goes from one optimum to that without some rows, and starts from that optimum every time.

    The plan stays possible, so the primal simplex goes on. While it runs each row that decides is turned round: what
    it holds may only grow. Where it still decides in the end, what is left of it is taken away, too.
    """

    def stay(self) -> None:
        """Start from where the last solve ended from now on."""
        self.base, basis = self.matrix, self.highs.getBasis()
        self.states = list(basis.col_status), list(basis.row_status)

    def without(self, rows: Rows) -> Status:
        """Solve without some rows."""
        upper = self.base.row_upper.copy()
        upper[rows] = np.inf
        self.change(replace(self.base, row_upper=upper))
        columns, states = self.states[0], list(self.states[1])
        deciding = [row for row in rows.tolist() if states[row] != BASIC]
        held = (self.base.row_upper - self.base.A @ self.scaling.origin) * self.scaling.rows
        for row in deciding:
            expect(self.highs.changeRowBounds(row, held[row], np.inf))
            states[row] = AT_LOWER
        basis = self.highs.getBasis()
        basis.col_status, basis.row_status, basis.valid = columns, states, True
        expect(self.highs.setBasis(basis))
        steps = int(WANDERED * len(states)) + FEW
        expect(self.highs.setOptionValue("simplex_strategy", PRIMAL))
        expect(self.highs.setOptionValue("simplex_iteration_limit", steps))
        try:
            status = self._solve()
            prices = np.array(self.highs.getSolution().row_dual)[deciding]
        finally:
            expect(self.highs.setOptionValue("simplex_strategy", DUAL))
            expect(self.highs.setOptionValue("simplex_iteration_limit", NO_LIMIT))
            for row in deciding:
                expect(self.highs.changeRowBounds(row, -np.inf, np.inf))
        return status if status == "optimal" and not np.any(np.abs(prices) > NO_PRICE) else self.cold()


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
        self.live.stay()
        duals, reduced = self.live.duals()
        values = self.live.values()
        slopes = self.live.slopes(priced, "prices")
        return Solution("optimal", "none", values, duals, reduced, slopes=slopes, stages=(self._value(values),))

    def may_cost(self, rows: Rows, base: Solution) -> bool:
        """Whether the plan may be another without these rows: prices of zero prove that it is not."""
        return bool(np.any(base.duals[rows])) or (not self.warm and rows.size > 0)

    def without(self, rows: Rows, what: str) -> Solution:
        """The plan without some rows."""
        told = None if self.progress is None else partial(self._told, self.progress, what)
        if not self.warm:
            fewer = without_rows(self.matrix, rows)
            return run(fewer, None, None, replace(self.options, prices=False), told)
        self.live.progress = told
        status = self.live.without(rows)
        values = self.live.values() if status == "optimal" else np.zeros(0)
        stages = (self._value(values),) if status == "optimal" else ()
        return Solution(status, "none", values, np.zeros(0), np.zeros(0), stages=stages)

    @staticmethod
    def _told(progress: Progress, what: str, _: str, seconds: float) -> None:
        progress(what, seconds)

    def _value(self, values: Array) -> StageValue:
        stage = self.matrix.stages[0]
        value = float(stage.coefficients @ values) + stage.constant
        return StageValue(stage.name, value, value)
