"""Desk: a session per visitor answers in the background; equal questions are answered once, stale ones are dropped."""

import os
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Lock, RLock
from typing import Any, Generic, TypeVar

from planner.case import Case
from planner.engine import Options
from planner.errors import CancelledError
from planner.plan import Plan, certified
from planner.session import Refusal, Session, Start
from planner.ui.levers import at_ease

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
LARGEST = 24
"""Answers kept at most [-]."""
SEATS = 24
"""Visitors whose session stays open; who was away longest starts anew [-]."""
CASES = 4
"""Cases of which is kept what a first session knows [-]."""
PAUSE = 1.0
"""Time without a further question of its visitor after which an answer is proven [s]."""
TURN = 0.2
"""Time between two looks at whether all others have their answers [s]."""
LATEST = 120.0
"""Time after which an answer is proven even though others wait for theirs [s]."""


@dataclass(frozen=True)
class Answer:
    """A plan, or how far what was asked for can be had; and how long it took [s]."""

    plan: Plan
    seconds: float
    way: str = ""
    """How it was found, as `planner.session` names it."""
    refusals: tuple[Refusal, ...] = ()


class StoppedError(CancelledError):
    """Work that nobody waits for any more."""


class Work(Generic[T]):
    """Something under way: its result, and what it last told of its progress."""

    def __init__(self) -> None:
        self.future: Future[T] = Future()
        self.asked = time.perf_counter()
        self.started: float | None = None
        self.ended: float | None = None
        self.done = 0
        self.stage = ""
        """What it does now, as it told."""
        self.known: Any = None
        """What is known before its end."""
        self.stopped = False
        self.proof = "pending"
        """Of an answer: pending, done, or failed."""
        self.settling = False
        """Whether its proof and what prepares the next answer wait to be begun."""

    @property
    def seconds(self) -> float:
        """Time since it began, else since it was asked for [s]."""
        return (self.ended or time.perf_counter()) - (self.started or self.asked)

    @property
    def useful(self) -> bool:
        """Whether its result is there or will be."""
        if self.future.cancelled() or self.stopped:
            return False
        return not self.future.done() or self.future.exception() is None

    def told(self, what: str = "", *news: object) -> None:
        """Hear how far it is; raises StoppedError once nobody waits for it."""
        if self.stopped:
            raise StoppedError(what)
        self.done += 1
        self.stage = what if isinstance(what, str) else ""

    def stop(self) -> None:
        """Nobody waits for it any more."""
        if not self.future.done():
            self.stopped = True
            self.future.cancel()

    def run(self, job: Callable[[], T]) -> None:
        """Do it now, in this thread."""
        if not self.future.set_running_or_notify_cancel():
            return
        self.started = time.perf_counter()
        try:
            result = job()
        except BaseException as fault:
            self.ended = time.perf_counter()
            self.future.set_exception(fault)
        else:
            self.ended = time.perf_counter()
            self.future.set_result(result)


@dataclass
class Seat:
    """A visitor's session and questions: one is under way at a time; those that were dropped are passed over."""

    base: Case
    """What the visitor began with."""
    session: Session
    asked: dict[str, Work[Answer]] = field(default_factory=dict)
    """The last question by slot."""
    waiting: deque[tuple[Case, Work[Answer]]] = field(default_factory=deque)
    refused: OrderedDict[str, Work[Answer]] = field(default_factory=OrderedDict)
    """Answers without a plan: they tell how far one gets from the visitor's own last plan, so nobody shares them."""
    busy: bool = False
    moved: Event = field(default_factory=Event)
    """Set while there is something to answer."""
    turn: Lock = field(default_factory=Lock)
    """Held by whoever uses the session: what it is asked and what it answers belong together."""


class Desk:
    """Answers by digest of the case. Live questions, what prepares the next, proofs and long work have own threads."""

    writer: Callable[..., None]
    """What writes reports; the app brings it."""

    def __init__(self) -> None:
        self.live = ThreadPoolExecutor(max(2, os.cpu_count() or 1), "live")
        self.quiet = ThreadPoolExecutor(1, "quiet")
        self.proofs = ThreadPoolExecutor(1, "proofs")
        self.long = ThreadPoolExecutor(1, "long")
        self.answers: OrderedDict[str, Work[Answer]] = OrderedDict()
        self.seats: OrderedDict[tuple[str, str], Seat] = OrderedDict()
        self.starts: OrderedDict[str, Start] = OrderedDict()
        """What the next visitor of a case goes on from, by digest."""
        self.lock = RLock()

    def ask(self, case: Case, visitor: str = "", slot: str = "") -> Work[Answer]:
        """The answer to a case: known, under way or begun now.

        What the visitor asked before in the same slot is dropped: ended if it is under way, forgotten if it waits.
        """
        with self.lock:
            seat = self._seat(case, visitor)
            work = seat.refused.get(case.digest) or self.answers.get(case.digest)
            known = work is not None and work.useful
            if work is None or not known:
                work = self.answers[case.digest] = Work()
            _last(self.answers, case.digest, work)
            before = seat.asked.get(slot)
            seat.asked[slot] = work
            if before is not None and not any(before in one.asked.values() for one in self.seats.values()):
                before.stop()
            if not known:
                seat.waiting.append((case, work))
                seat.moved.set()
                if not seat.busy:
                    seat.busy = True
                    seat.session.cancel()
                    self.live.submit(self._serve, seat)
            elif work.future.done() and (before is not work or work.proof == "pending"):
                self._settle(seat, case, work)
            return work

    def _settle(self, seat: Seat, case: Case, work: Work[Answer]) -> None:
        """See to it once that what is left to do about an answer is done."""
        with self.lock:
            if not work.settling:
                work.settling = True
                self.quiet.submit(self._rest, seat, case, work)

    def _seat(self, case: Case, visitor: str) -> Seat:
        name = visitor, case.settings.name
        if name not in self.seats:
            self.seats[name] = Seat(case, Session(case, Options(kept=True)))
        return _last(self.seats, name, self.seats[name], SEATS)

    def _take_up(self, seat: Seat) -> None:
        """Let a session that knows nothing yet go on from what another visitor's knows of the same case."""
        start = self.starts.get(seat.base.digest)
        if seat.session.last is None and start is not None and start.answer.case is seat.base:
            seat.session = Session(seat.base, Options(kept=True), start)

    def _note_start(self, seat: Seat, case: Case) -> None:
        """Keep what a session knows of the case it began with, once, and again when it is prepared for edits."""
        known = self.starts.get(case.digest)
        if case is seat.base and (known is None or known.ground is None):
            start = seat.session.start()
            if start is not None and start.answer.case is case:
                with self.lock:
                    _last(self.starts, case.digest, start, CASES)

    def leave(self, visitor: str) -> None:
        """A visitor is gone, and with it the session and the questions that nobody else asked."""
        with self.lock:
            gone = [self.seats.pop(name) for name in list(self.seats) if name[0] == visitor]
            for seat in gone:
                for work in seat.asked.values():
                    if not any(work in one.asked.values() for one in self.seats.values()):
                        work.stop()
                seat.asked.clear()

    def _serve(self, seat: Seat) -> None:
        """Answer what waits at a seat, then prepare for what may come."""
        last: tuple[Case, Work[Answer]] | None = None
        while True:
            with self.lock:
                if not seat.waiting:
                    seat.busy = False
                    seat.moved.clear()
                    break
                case, work = last = seat.waiting.popleft()
            with seat.turn:
                self._take_up(seat)
            work.run(partial(answered, seat, case, work))
            with seat.turn:
                self._note_start(seat, case)
            if work.useful and not work.future.result().plan.found:
                with self.lock:
                    _last(seat.refused, case.digest, work)
                    self.answers.pop(case.digest, None)
        if last is not None and last[1].useful:
            self._settle(seat, *last)

    def _rest(self, seat: Seat, case: Case, work: Work[Answer]) -> None:
        """What can be done while its visitor does not wait: what the next answer needs; then the proof of this one."""

        def told(what: str, seconds: float) -> None:
            if seat.moved.is_set():
                raise StoppedError(what)

        work.settling = False
        if work not in seat.asked.values() or seat.moved.is_set():
            return
        try:
            with seat.turn:
                told("", 0.0)
                self._take_up(seat)
                if seat.session.last is None and work.future.result().plan.found:  # another visitor asked the same
                    seat.session.use(case)
                    seat.session.answer(told)
                seat.session.prepare()
                self._note_start(seat, case)
        except CancelledError:
            return
        if work.proof == "pending":
            self.proofs.submit(self._prove, seat, case, work)

    def _prove(self, seat: Seat, case: Case, work: Work[Answer]) -> None:
        """Prove an answer once its visitor rests and nobody else waits, or has waited for long."""
        rested = (work.ended or work.asked) + PAUSE - time.perf_counter()
        if work not in seat.asked.values() or work.proof != "pending" or seat.moved.wait(max(0.0, rested)):
            return
        while self._busy() and time.perf_counter() - work.asked < LATEST:
            if seat.moved.wait(TURN):
                return
        try:
            certified(case, work.future.result().plan)
            work.proof = "done"
        except Exception:
            work.proof = "failed"
            raise

    def _busy(self) -> bool:
        """Whether somebody waits for an answer."""
        with self.lock:
            return any(seat.busy for seat in self.seats.values())

    def run(self, job: Callable[[Work[T]], T]) -> Work[T]:
        """Long work, one after the other; it is given the note on which it tells how far it is."""
        work: Work[T] = Work()
        self.long.submit(work.run, lambda: job(work))
        return work


def answered(seat: Seat, case: Case, work: Work[Answer]) -> Answer:
    """The answer of a visitor's session, and its plan's frames."""
    begun = time.perf_counter()
    with seat.turn:
        plan, way, refusals = _answered(seat, case, work)
    return Answer(plan, time.perf_counter() - begun, way, refusals)


def _answered(seat: Seat, case: Case, work: Work[Answer]) -> tuple[Plan, str, tuple[Refusal, ...]]:
    if seat.session.last is not None:
        stand_at_ease(seat.session, case, work)
    seat.session.use(case)
    answer = seat.session.answer(work.told)
    if not answer.found and seat.session.last is None and case is not seat.base:
        # Another visitor had asked for the case itself: without a plan to start from nothing tells how far one gets.
        seat.session = Session(seat.base, Options(kept=True))
        if seat.session.answer(work.told).found:
            stand_at_ease(seat.session, case, work)
            seat.session.use(case)
            answer = seat.session.answer(work.told)
    return answer.plan, answer.way, answer.refusals


def stand_at_ease(session: Session, case: Case, work: Work[Answer]) -> None:
    """With a cap that is new, answer first where it does not yet bind: then it is a number that moves."""
    assert session.last is not None
    eased = at_ease(case, session.last.case, session.last.plan)
    if eased is not None:
        session.use(eased)
        session.answer(work.told)


def _last(kept: "OrderedDict[K, V]", key: K, value: V, most: int | None = None) -> V:
    """Put a value last and let the first go where there are too many."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > (LARGEST if most is None else most):
        kept.popitem(last=False)
    return value
