"""Where many solves run: here, in threads, in processes of this machine, or on a Dask cluster.

The one seam is `concurrent.futures`: every backend is an Executor that is given chains of jobs and returns texts.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from multiprocessing.connection import Connection
from threading import Event, Lock, Thread
from typing import Any

from planner.engine import Signal
from planner.errors import PlannerError
from planner.tasks import Base, Bench, Job
from planner.text import t

WORTH = 10.0
"""Work from which processes are started, each of which takes a moment to load [s]."""
MOST_PROCESSES = 61
"""As many as Windows can wait for."""
CONNECTING = 10.0
"""Longest wait for a scheduler [s]."""
Chain = tuple[tuple[int, Job], ...]


class Kind(StrEnum):
    """Where jobs are solved."""

    auto = "auto"
    """In processes where there is enough to do for them, else here."""
    here = "here"
    threads = "threads"
    processes = "processes"
    dask = "dask"


class ClusterError(PlannerError):
    """There is no cluster to be reached; `key` is that of the words that say so."""

    def __init__(self, key: str, address: str = "") -> None:
        self.key, self.address = key, address
        super().__init__(t(key, "en", address=address))


@dataclass(frozen=True)
class Backend:
    """Where jobs are solved, and by how many at once."""

    kind: Kind = Kind.auto
    workers: int | None = None
    """As many as there are processors unless given; a cluster brings its own."""
    scheduler: str = ""
    """Address of a Dask scheduler, as in `tcp://host:8786`."""

    def chosen(self, seconds: float) -> "Backend":
        """The same with a kind for so much work."""
        kind, workers = self.kind, self.workers or processors()
        if kind == Kind.auto:
            kind = Kind.processes if workers > 1 and seconds > WORTH else Kind.here
            kind = Kind.dask if self.scheduler else kind
        return Backend(kind, 1 if kind == Kind.here else min(workers, MOST_PROCESSES), self.scheduler)


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Crew:
    """An executor at work for one base."""

    executor: Executor
    at_once: int
    """Chains that are worth handing over at once: more than can run, so that nobody waits."""
    base: Any
    """What a worker needs to begin, in the form this executor can hand over; None where it has it."""
    key: str
    stop: Any = None
    """What ends a running solve; for threads of this process only."""

    def submit(self, chain: Chain) -> "Future[str]":
        """Hand over a chain."""
        return self.executor.submit(work, self.key, self.base, chain, self.stop)


BENCHES: dict[str, Bench] = {}
"""Benches of this process by base; one at a time."""
BUILDING = Lock()
STOPS: list[Signal] = []
"""What ends this worker's solves, where it is a process."""


def work(key: str, base: Base | None, chain: Chain, stop: Signal | None) -> str:
    """Outcomes of a chain, at the bench of this process."""
    with BUILDING:
        if key not in BENCHES:
            if base is None:
                raise LookupError(key)
            BENCHES.clear()
            BENCHES[key] = Bench(base)
        bench = BENCHES[key]
    return bench.outcomes(chain, stop or (STOPS[0] if STOPS else None))


class Here(Executor):
    """Works at once, in the thread of the caller, who hears interrupts himself."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """The result, already there."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@contextmanager
def crew(base: Base, backend: Backend, cancel: Event) -> Iterator[Crew]:
    """The executor of a backend that was chosen; ends with what it is doing where the caller leaves early."""
    key, workers = base.key, backend.workers or 1
    if backend.kind == Kind.dask:
        with _cluster(base, key, backend.scheduler) as found:
            yield found
    elif backend.kind == Kind.processes:
        with _processes(base, key, workers) as executor:
            yield Crew(executor, 2 * workers, None, key)
    elif backend.kind == Kind.threads:
        threads, end = ThreadPoolExecutor(workers), Event()
        try:
            yield Crew(threads, 2 * workers, base, key, end)
        finally:
            end.set()
            threads.shutdown(wait=True, cancel_futures=True)
            BENCHES.pop(key, None)
    else:
        try:
            yield Crew(Here(), 1, base, key, cancel)
        finally:
            BENCHES.pop(key, None)


class Processes(ProcessPoolExecutor):
    """Processes that hear no Ctrl-C, which reaches all of a terminal: the first one answers it."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """As ever; a process that is started for it inherits that the interrupt is held back."""
        if not hasattr(signal, "pthread_sigmask"):
            return super().submit(fn, *args, **kwargs)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            return super().submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _processes(base: Base, key: str, workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that begin from nothing: they share no lock and no thread with this one."""
    context = multiprocessing.get_context("spawn")
    hears, tells = context.Pipe(duplex=False)
    pool = Processes(workers, context, _begin, (base, key, Told(hears)))
    try:
        yield pool
    finally:
        tells.close()
        pool.shutdown(wait=True, cancel_futures=True)
        hears.close()


@dataclass(frozen=True)
class Told:
    """An event that happens when the other end of a pipe is closed; an event of `multiprocessing` leaves locks behind
    in a process that is left at once.
    """

    pipe: Connection

    def is_set(self) -> bool:
        """Whether it has happened."""
        return self.pipe.poll()


def _begin(base: Base, key: str, stop: Signal) -> None:
    """What a process does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_leave_with_parent, daemon=True).start()
    STOPS.append(stop)
    with BUILDING:
        BENCHES[key] = Bench(base)


def _leave_with_parent() -> None:
    """Nobody is left behind when the first process is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


@contextmanager
def _cluster(base: Base, key: str, scheduler: str) -> Iterator[Crew]:
    """A Dask cluster. What it has begun when the caller leaves it ends by itself."""
    try:
        distributed: Any = import_module("distributed")  # an extra: few have a cluster
    except ImportError as fault:
        raise ClusterError("cluster.missing") from fault
    try:
        client = distributed.Client(scheduler, timeout=CONNECTING)
    except (OSError, ValueError) as fault:
        raise ClusterError("cluster.silent", scheduler) from fault
    with client:
        executor = client.get_executor(pure=False)
        everywhere = client.scatter(base, broadcast=True)
        threads = sum(client.nthreads().values())
        try:
            yield Crew(executor, 2 * max(1, threads), everywhere, key)
        finally:
            with suppress(Exception):  # a cluster that is gone needs no goodbye
                executor.shutdown(wait=False)
