"""Session: one case that stays open; edits go in, the optimal answer comes out, from where the last one stood.

session = Session(read_case("cases/jiangxi"))
session.answer()
session.edit({"table": "targets", "key": {"target": "co2_level"}, "set": {"value": 260000}})
session.answer().plan
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from threading import Event, Lock
from typing import Any

import numpy as np

from planner.case import Case
from planner.compile import Matrix, compile_problem
from planner.conflict.ceilings import beyond
from planner.conflict.model import Model, build, quickest
from planner.edits import Edit
from planner.engine import LISTENING, Array, Options, Progress, cancellable
from planner.errors import CancelledError
from planner.live import Live, Standing
from planner.matrix import Changes
from planner.plan import Plan, certified, empty, report, summarise
from planner.plan import solve as solve_whole
from planner.problem import Problem
from planner.reach import changed_cells, keeps, way_back
from planner.rows import TABLES
from planner.solution import Proof, Solution, StageValue, Status

_ASKING = frozenset({"targets", "budgets", "pins", "funds", "allocations", "fund_rules"})
STANDING = tuple(name for name in TABLES if name not in _ASKING)
"""Tables that what measures can do at best depends on; the others only ask."""
HEAD_START = 1.5
"""Times the last cold solve that another one runs alone before it is asked whether there is a plan at all [-]."""
POSSIBLE = 2e-6
"""Part of the way back to the last plan from which an edit counts as out of reach [-]."""
REMEMBERED = 6
"""Answers that are kept, each about as large as the problem."""


@dataclass(frozen=True)
class Refusal:
    """A number that cannot be had as asked, with all others as they are: no plan gets further than `most`."""

    table: str
    id: str
    column: str
    year: int | None
    asked: float
    most: float


@dataclass(frozen=True)
class Answer:
    """The answer to a case as it stood when it was asked for."""

    case: Case = field(repr=False)
    status: Status
    proof: Proof
    way: str
    """How it was found: same, warm, cold, whole (several objectives, or lumps); without plan: bound, reach."""
    values: Array = field(default_factory=partial(np.zeros, 0), repr=False)
    """Columns of the matrix in the plan [their units]; empty without one."""
    duals: Callable[[], tuple[Array, Array]] | None = field(default=None, repr=False)
    """Reads the duals of rows and the reduced costs."""
    refusals: tuple[Refusal, ...] = ()
    """Without a plan: how far what was asked for can be had, as far as is known without a diagnosis."""
    whole: Plan | None = field(default=None, repr=False)
    timings: Mapping[str, float] = field(kw_only=True)
    """Seconds by step: compile, change, solve, read; bound and reach where there is no plan."""
    problem: Problem = field(kw_only=True, repr=False)
    matrix: Matrix = field(kw_only=True, repr=False)

    @property
    def found(self) -> bool:
        """Whether there is a plan."""
        return bool(self.values.size) or (self.whole is not None and self.whole.found)

    @property
    def objective(self) -> float:
        """Value of the first objective [its unit]. Raises ValueError where there is no plan."""
        if not self.found:
            raise ValueError("no plan")
        if self.whole is not None:
            return self.whole.objective
        stage = self.matrix.stages[0]
        return float(stage.coefficients @ self.values) + stage.constant

    @cached_property
    def solution(self) -> Solution:
        """The same as the solver's own result."""
        if self.duals is None:
            return Solution("infeasible", "none", np.zeros(0), np.zeros(0), np.zeros(0))
        stages = (StageValue(self.matrix.stages[0].name, self.objective, self.objective),)
        return Solution("optimal", "none", self.values, *self.duals(), stages=stages)

    @cached_property
    def plan(self) -> Plan:
        """All its frames, made when first asked for; not certified."""
        if self.whole is not None:
            return self.whole
        if self.found:
            return report(self.problem, self.matrix, self.solution, dict(self.timings))
        summary = summarise(self.problem, self.matrix, self.status, self.proof, self.timings)
        summary["refusals"] = [vars(refusal) for refusal in self.refusals]
        return empty(summary, self.case)

    @cached_property
    def certified(self) -> Plan:
        """The plan with its certificate, made when first asked for."""
        return certified(self.case, self.plan)


@dataclass(frozen=True)
class Refused:
    """Why there is no plan."""

    proof: Proof
    way: str
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True)
class Ground:
    """What measures can do at best, whatever is asked of them."""

    case: Case
    model: Model
    box: tuple[Array, Array]

    @classmethod
    def of(cls, problem: Problem) -> "Ground":
        """The ground of a problem."""
        model = build(problem)
        return cls(problem.case, model, quickest(model))


@dataclass(frozen=True)
class Start:
    """An answer from which other sessions of the same case go on, and what was prepared for its next edit."""

    answer: Answer
    ground: Ground | None
    standing: Standing
    cold_seconds: float


class Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def __call__(self, step: str) -> None:
        """A step ends now."""
        now = time.perf_counter()
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self._last
        self._last = now


class Session:
    """A case under edits, with its own solver instance. Threads that ask at once wait for each other.

    With the `start` of another session it begins with that one's answer, and needs no solve from nothing.
    """

    def __init__(self, case: Case, options: Options | None = None, start: Start | None = None) -> None:
        self.options = replace(options or Options(), prices=False, break_ties=False, certify=False)
        self.last: Answer | None = None
        """The last answer with a plan."""
        self._case = case
        self._solving = Lock()
        self._editing = Lock()
        self._cancel = Event()
        self._live: Live | None = None
        self._posed: tuple[Problem, Matrix] | None = None
        self._ground: Ground | None = None
        self._known: OrderedDict[str, Answer] = OrderedDict()
        self._start = start
        if start is not None:
            self._posed, self._ground = (start.answer.problem, start.answer.matrix), start.ground
            self._remember(start.answer)

    @property
    def case(self) -> Case:
        """The case with all edits so far."""
        return self._case

    def edit(self, *edits: Edit | Mapping[str, Any]) -> Case:
        """Apply edits on top of those so far. Raises CaseError, and changes nothing, where one of them is faulty."""
        with self._editing:
            self._case = self._case.edited(list(edits))
            return self._case

    def use(self, case: Case) -> None:
        """Go on with another state of the case: an earlier one (undo), or a saved one."""
        with self._editing:
            self._case = case

    def cancel(self) -> None:
        """End the answer that another thread is computing: it raises CancelledError there."""
        self._cancel.set()

    def answer(self, progress: Progress | None = None) -> Answer:
        """The optimal answer to the case as it stands now.

        Raises CancelledError when `cancel` is called meanwhile, and SolverError when HiGHS fails.
        """
        with self._solving:
            self._cancel.clear()
            case = self._case
            answer = self._known.get(case.digest)
            if answer is None:
                answer = self._answer(case, cancellable(progress, self._cancel))
            self._remember(answer)
            return answer

    def _remember(self, answer: Answer) -> None:
        """Keep an answer, so that going back to its case needs no solve."""
        if answer.found:
            self.last = answer
        if answer.status in ("optimal", "infeasible"):
            self._known[answer.case.digest] = answer
            self._known.move_to_end(answer.case.digest)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)

    def start(self) -> Start | None:
        """What other sessions of the case can go on from; none where the instance does not stand at the last answer."""
        with self._solving:
            live, last = self._live, self.last
            if live is None or not live.solved or last is None or last.matrix is not live.matrix:
                return None
            standing = live.standing()
            return None if standing is None else Start(last, self._ground, standing, live.cold_seconds)

    def prepare(self) -> None:
        """Do beforehand what the next edit needs, while nobody waits: raises CancelledError when `cancel` is called."""
        with self._solving:
            if self._live is None and self._start is not None:
                live, _ = self._hold(self._start.answer.matrix, cancellable(None, self._cancel))
                live.warm(None)
            if self._live is not None:
                self._live.renew(self.options, cancellable(None, self._cancel))
                self._live.prime()
            if self.last is not None and self.last.whole is None and self._ground is None:
                self._ground = Ground.of(self.last.problem)

    def settled(self, progress: Progress | None = None) -> Plan:
        """The plan of the case as it stands, solved from nothing, with ties broken, prices and certificate: to keep."""
        options = replace(self.options, prices=True, break_ties=True, certify=True)
        return solve_whole(self._case, options, progress)

    def _answer(self, case: Case, progress: Progress | None) -> Answer:
        clock = Clock()
        problem, matrix = self._pose(case)
        clock("compile")
        answer = partial(Answer, case, problem=problem, matrix=matrix, timings=clock.seconds)
        if problem.contradictions:
            return answer("infeasible", "arithmetic", "bound")
        if len(matrix.stages) > 1 or matrix.integer.any():
            plan = solve_whole(case, self.options, progress)
            clock("solve")
            state: Status = plan.summary["status"]
            return answer(state, plan.summary["proof"], "whole", whole=plan)
        if self.last is not None:
            refusals = self._beyond(case, problem, self.last.case)
            clock("bound")
            if refusals:
                return answer("infeasible", "arithmetic", "bound", refusals=refusals)
        live, difference = self._hold(matrix, progress)
        clock("change")
        way = "same" if live.solved else "warm"
        status = live.warm(difference)
        clock("solve")
        if status != "optimal":
            refused = self._refused(case, matrix, live, clock, progress, status == "infeasible")
            if refused is not None:
                return answer("infeasible", refused.proof, refused.way, refusals=refused.refusals)
            status, way = "optimal" if live.solved else live.cold(), "cold"
            clock("solve")
        if status != "optimal":
            return answer(status, "none", way)
        values = live.values()
        clock("read")
        return answer("optimal", "none", way, values, live.duals_later())

    def _pose(self, case: Case) -> tuple[Problem, Matrix]:
        """Problem and matrix of a case."""
        if self._posed is None:
            problem = Problem(case)
            self._posed = problem, compile_problem(problem)
        elif self._posed[0].case is not case:
            problem = self._posed[0].edited(case)
            self._posed = problem, compile_problem(problem, self._posed[1])
        return self._posed

    def _hold(self, matrix: Matrix, progress: Progress | None) -> tuple[Live, Changes | None]:
        """The instance with this matrix, and what differs from the one it held."""
        live = self._live
        if live is not None:
            live.renew(self.options, progress)
            found = live.change(matrix)
            if found is not None:
                return live, found
        self._live = Live(matrix, self.options, progress)
        if live is not None:
            self._live.carry(live)
        elif self._start is not None:
            self._live.stand(self._start.standing, self._start.answer.matrix)
            self._live.cold_seconds = self._start.cold_seconds
        else:
            self._live.recall()
        return self._live, None

    def _refused(
        self,
        case: Case,
        matrix: Matrix,
        live: Live,
        clock: Clock,
        progress: Progress | None,
        sure: bool,
    ) -> Refused | None:
        """Why there is no plan: how far back towards the last plan there is one.

        None where there is a plan; if it is known by then, the instance stands there.
        """
        if self.last is None or keeps(matrix, self.last.matrix, self.last.values, live.scaling.rows):
            return None
        part = self._part_back(self.last, matrix, live, progress, sure)
        clock("reach")
        if part is None or part <= POSSIBLE:
            return None
        cells = changed_cells(self.last.case, case)
        part = min(1.0, part + POSSIBLE)
        found = tuple(
            Refusal(c.table, c.id, c.column, c.year, c.after, c.after + part * (c.before - c.after)) for c in cells
        )
        return Refused("elastic", "reach", found)

    def _part_back(
        self, last: Answer, matrix: Matrix, live: Live, progress: Progress | None, sure: bool
    ) -> float | None:
        """How far back towards the last plan there is one, asked once a cold solve right here takes longer than usual.

        Whichever knows first ends the other. None where there is a plan.
        """
        end = Event()
        searches: list[Future[float | None]] = []
        with ThreadPoolExecutor(1) as pool:

            def search() -> Future[float | None]:
                if not searches:
                    told = cancellable(None, end)
                    searches.append(pool.submit(way_back, last.matrix, matrix, last.values, self.options, told))
                return searches[0]

            def listen(what: str, seconds: float) -> None:
                if progress is not None:
                    progress(what, seconds)
                if (
                    seconds > HEAD_START * live.cold_seconds
                    and search().done()
                    and (search().result() or 0.0) > POSSIBLE
                ):
                    raise CancelledError(what)

            live.progress = listen
            try:
                if not sure and live.cold() == "optimal":
                    return None
                while not search().done():
                    wait([search()], LISTENING)
                    if progress is not None:
                        progress("reach", 0.0)
            except CancelledError:
                if not searches or not searches[0].done():  # it is the caller who wants no answer
                    raise
            finally:
                live.progress = progress
                end.set()
            return search().result()

    def _beyond(self, case: Case, problem: Problem, last: Case) -> tuple[Refusal, ...]:
        """Hard targets other than in the last case that no plan can keep, by arithmetic alone."""
        before = {id(row) for row in last.targets}
        asked = [row for row in case.targets if row.soft_penalty is None and id(row) not in before]
        if not asked:
            return ()
        ground = self._ground
        if ground is None or any(ground.case.rows(name) is not case.rows(name) for name in STANDING):
            ground = self._ground = Ground.of(problem)
        try:
            out = beyond(replace(ground.model, problem=problem), asked, ground.box)
        except KeyError:  # a level that was not asked for before
            ground = self._ground = Ground.of(problem)
            out = beyond(ground.model, asked, ground.box)
        return tuple(Refusal("targets", target, "value", year, ask, best) for target, year, ask, best in out)
