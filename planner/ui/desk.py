"""Desk: solves cases in the background, each once, and keeps the latest answers."""

import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from planner.case import Case
from planner.engine import Options
from planner.plan import Plan, solve

T = TypeVar("T")
LARGEST = 24
"""Answers kept at most [-]."""


@dataclass(frozen=True)
class Answer:
    """A plan and how long it took [s]."""

    plan: Plan
    seconds: float


class Work(Generic[T]):
    """Something under way: its result, and what it last told of its progress."""

    def __init__(self) -> None:
        self.future: Future[T]
        self.asked = time.perf_counter()
        self.started: float | None = None
        self.done = 0
        self.stopped = False

    @property
    def seconds(self) -> float:
        """Time since it began, else since it was asked for [s]."""
        return time.perf_counter() - (self.started or self.asked)


class StoppedError(Exception):
    """Work that nobody waits for any more."""


class Desk:
    """Answers by digest of the case. Live questions and long work have a thread each, so neither holds the other up."""

    def __init__(self) -> None:
        self.live = ThreadPoolExecutor(1, "live")
        self.long = ThreadPoolExecutor(1, "long")
        self.answers: OrderedDict[str, Work[Answer]] = OrderedDict()
        self.lock = Lock()

    def ask(self, case: Case, instead_of: Work[Answer] | None = None) -> Work[Answer]:
        """The plan of a case: known, under way or begun now. `instead_of` is dropped if it has not begun."""
        with self.lock:
            work = self.answers.get(case.digest)
            if work is not None and instead_of is not work and instead_of is not None:
                instead_of.future.cancel()
            if work is None or work.future.cancelled() or (work.future.done() and work.future.exception() is not None):
                if instead_of is not None:
                    instead_of.future.cancel()
                work = Work()
                work.future = self.live.submit(_answer, case, work)
                self.answers[case.digest] = work
            self.answers.move_to_end(case.digest)
            while len(self.answers) > LARGEST:
                self.answers.popitem(last=False)
            return work

    def run(self, job: Callable[[Callable[..., None]], T]) -> Work[T]:
        """Long work that is told how to report; reporting raises once it has been stopped."""
        work: Work[T] = Work()

        def told(*news: object) -> None:
            if work.stopped:
                raise StoppedError
            work.done += 1

        def begin() -> T:
            work.started = time.perf_counter()
            return job(told)

        work.future = self.long.submit(begin)
        return work


def _answer(case: Case, work: Work[Answer]) -> Answer:
    work.started = time.perf_counter()
    plan = solve(case, Options(break_ties=False, prices=False))
    return Answer(plan, time.perf_counter() - work.started)
