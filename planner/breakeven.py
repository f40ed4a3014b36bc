"""Break-even: how far a measure's annual cost must change until the plan starts it, or leaves it."""

from dataclasses import dataclass, replace
from threading import Event
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from planner.case import Case
from planner.compile import Matrix, Stage, compile_problem
from planner.engine import Options, Progress, cancellable
from planner.errors import InfeasibleError, SolverError
from planner.live import Live
from planner.problem import Problem
from planner.solution import Status

Array = NDArray[np.float64]
NOTHING = 1e-7
"""Starts below this part of all that could be started count as none [-]."""
EXACT = 1e-6
"""Steps below this part of the annuity end the search [-]."""
MARGIN = 0.01
"""How far to either side the answer is tried, as a part of the annuity [-]."""
STEPS = 60
"""Solves at most, in either direction."""

Outcome = Literal["found", "needed", "never", "open"]


@dataclass(frozen=True)
class BreakEven:
    """The uniform change of a measure's annual cost at which its starts become positive, or zero.

    The change is to every unit that starts, in every year in which it serves; targets on cost count it as before.
    """

    measure: str
    city: str
    """Where the cost changes; blank: everywhere."""
    chosen: bool
    """Whether the plan starts it as things are."""
    outcome: Outcome
    """found; needed: no plan without it; never: no cost makes it start; open: not found."""
    change: float | None = None
    """Below zero a measure that is out enters, above it one that is in leaves [currency per unit and year]."""
    annuity: float = 0.0
    """Yearly payment for a unit, as it is [currency per unit and year]."""
    verified: bool = False
    """Whether it is in at 1 % of the annuity less, and out at 1 % more."""


def break_even(
    case: Case,
    measure: str,
    city: str = "",
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> BreakEven:
    """Find the change of annual cost at which a measure, in a city or everywhere, starts or does not.

    The least cost is a concave chain of straight pieces in that change, and the discounted years of service of all
    starts are its slope. So its tangents lead to the edge of the level piece, where nothing starts, in a few solves.
    Raises KeyError for an unknown measure or city, InfeasibleError where there is no plan, SolverError.
    """
    problem = Problem(case)
    if measure not in problem.measures or (city and city not in problem.cities):
        raise KeyError(measure if measure not in problem.measures else city)
    if problem.contradictions:
        raise InfeasibleError("the case has no plan")
    keys = [(m, c, v) for m, c, v in problem.startable if m == measure and city in ("", c)]
    if not any(problem.start_limit[key] for key in keys):
        return BreakEven(measure, city, False, "never")
    matrix = compile_problem(problem)
    trials = Trials(problem, matrix, keys, options or Options(), telling(cancellable(progress, cancel)))
    annuity = max(problem.payment[m, v] for m, _, v in keys)
    unit = annuity or max(abs(problem.fixed_om[measure, y]) for y in problem.years) or 1.0
    least, service = trials.at(0.0)
    chosen = service > 0
    change, without = 0.0, least
    if chosen:
        found = trials.without()
        if found is None:
            return BreakEven(measure, city, True, "needed", annuity=annuity)
        without = found
    else:
        step = EXACT * unit
        for _ in range(STEPS):
            least, service = trials.at(-step)
            if service > 0:
                break
            step *= 4.0
        else:
            return BreakEven(measure, city, False, "never", annuity=annuity)
        change = -step
    for _ in range(STEPS):
        ahead = (without - least) / service
        if ahead <= EXACT * unit:
            break
        change += ahead
        least, service = trials.at(change)
        if service <= 0:
            break
    else:
        return BreakEven(measure, city, chosen, "open", annuity=annuity)
    sides = [trials.at(change + sign * MARGIN * unit)[1] > 0 for sign in (-1, 1)]
    return BreakEven(measure, city, chosen, "found", change, annuity, sides == [True, False])


def telling(progress: Progress | None) -> Progress | None:
    """Progress that is told of one thing, however many solves it takes."""
    return None if progress is None else lambda _, seconds: progress("break_even", seconds)


class Trials:
    """The case with the annual cost of some starts changed, solved again and again from where the last one stood."""

    def __init__(
        self,
        problem: Problem,
        matrix: Matrix,
        keys: list[tuple[str, str, int]],
        options: Options,
        progress: Progress | None,
    ) -> None:
        self.matrix = matrix
        self.columns = np.array([matrix.column["starts", key] for key in keys], dtype=np.int64)
        self.service = np.array([service(problem, *key) for key in keys])
        self.nothing = NOTHING * float(self.service @ matrix.upper[self.columns])
        self.lumpy = bool(matrix.integer.any())
        place = next(i for i, stage in enumerate(matrix.stages) if stage.name == "cost")
        self.cost = matrix.stages[place]
        self.live = Live(matrix, options, progress)
        for stage in matrix.stages[:place]:
            self._pose((stage,))
            self._solved()
            value = float(stage.coefficients @ self.live.values())
            slack = matrix.tolerance * abs(value + stage.constant)
            limits = (value - slack, np.inf) if stage.maximise else (-np.inf, value + slack)
            held = [*self.live.held, (stage.coefficients, *limits)]
            self.live = Live(matrix, options, progress)
            self.live.held = held
            self.live.fresh(matrix.integer)

    def at(self, change: float) -> tuple[float, float]:
        """Least cost at a change of the annual cost, and the discounted years of service of what starts there."""
        costs = self.cost.coefficients.copy()
        costs[self.columns] += change * self.service
        self._pose((Stage("cost", costs, self.cost.constant),))
        if self._solved() != "optimal":
            raise SolverError(f"no plan at a change of {change:g}")
        values = self.live.values()
        served = float(self.service @ values[self.columns])
        return float(costs @ values), served if served > self.nothing else 0.0

    def without(self) -> float | None:
        """Least cost without these starts; none where there is no plan."""
        upper = self.matrix.upper.copy()
        upper[self.columns] = 0.0
        whole, self.matrix = self.matrix, replace(self.matrix, upper=upper)
        try:
            self._pose((self.cost,))
            status = self._solved()
            if status == "infeasible":
                return None
            if status != "optimal":
                raise SolverError(f"without the measure: {status}")
            return float(self.cost.coefficients @ self.live.values())
        finally:
            self.matrix = whole

    def _pose(self, stages: tuple[Stage, ...]) -> None:
        self._difference = self.live.change(replace(self.matrix, stages=stages))

    def _solved(self) -> Status:
        status = "limit" if self.lumpy else self.live.warm(self._difference)
        return status if status == "optimal" else self.live.cold()


def service(problem: Problem, m: str, c: str, v: int) -> float:
    """Years in which a start serves within the plan, discounted [yr]."""
    measure = problem.measures[m]
    enters = v + measure.lead_time
    return float(sum(problem.discount[y] for y in range(enters, min(enters + measure.lifetime, problem.last + 1))))
