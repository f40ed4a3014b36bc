"""Many solves of edited cases: streamed as they come, cancellable, resumable, and the same wherever they run.

    jobs = [Job(({"setting": "discount_rate", "value": rate},)) for rate in (0.03, 0.05, 0.08)]
    for outcome in sweep(case, jobs, Asked(objective), Backend(Kind.processes)):
        print(outcome.result)

An outcome depends on the base case and the job alone (see `tasks`), so a sweep that was stopped goes on where it was:
finished chains stand in a folder, one file each, named by all that they depend on.
"""

import hashlib
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event

from planner.case import Case
from planner.engine import LISTENING, Progress
from planner.errors import CancelledError, SolverError
from planner.executors import Backend, Chain, Crew, Kind, crew
from planner.saving import write_bytes
from planner.session import Answer
from planner.tasks import FAULT, Asked, Base, Job, Outcome, based, decoded
from planner.text import LANGUAGES, t

__all__ = ["Asked", "Backend", "Job", "Kind", "Outcome", "objective", "stream", "sweep"]

HOPELESS = 3
"""Processes that may die in a row, before any answered, until it is not the jobs that kill them."""
KEPT = ("optimal", "within_gap", "infeasible", "unbounded")
"""Outcomes that would come out the same again: those are journalled."""


def objective(answer: Answer) -> float:
    """Value of the first objective [its unit]: what every backend, and every start, agrees on."""
    return answer.objective


def sweep(
    case: Case,
    jobs: Sequence[Job],
    asked: Asked,
    backend: Backend | None = None,
    folder: Path | None = None,
    chain: int = 1,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> list[Outcome]:
    """The outcomes of all jobs, in their order; the arguments are those of `stream`."""
    found = stream(case, jobs, asked, backend, folder, chain, progress, cancel)
    return sorted(found, key=lambda outcome: outcome.number)


def stream(
    case: Case,
    jobs: Sequence[Job],
    asked: Asked,
    backend: Backend | None = None,
    folder: Path | None = None,
    chain: int = 1,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Iterator[Outcome]:
    """The outcome of every job as soon as it is known, in any order.

    With `chain` that many jobs in a row are solved one from another: faster where neighbours are alike. Chains stand
    in the journal `folder` as a whole. What goes wrong with a job is its outcome. Raises CancelledError soon after
    `cancel` is set, ClusterError where no cluster can be reached, OSError where the journal cannot be written. An
    iterator that is closed early ends what is running.
    """
    numbered = list(enumerate(jobs))
    chains: list[Chain] = [tuple(numbered[first : first + chain]) for first in range(0, len(numbered), max(1, chain))]
    journal = Journal(folder, case, asked)
    begun, done = time.perf_counter(), 0
    missing: list[Chain] = []
    for part in chains:
        known = journal.read(part)
        if known is None:
            missing.append(part)
        else:
            done += len(part)
            yield from known
    if not missing:
        return

    def tell() -> None:
        if cancel is not None and cancel.is_set():
            raise CancelledError("sweep")
        if progress is not None:
            progress(f"jobs {done}/{len(jobs)}", time.perf_counter() - begun)

    tell()
    base = based(case, asked, progress)
    backend = (backend or Backend()).chosen(base.seconds * sum(len(part) for part in missing))
    for part, text in _worked(base, missing, backend, cancel or Event(), tell):
        outcomes = read_outcomes(text)
        if all(outcome.status in KEPT for outcome in outcomes):
            journal.write(part, text)
        done += len(part)
        yield from outcomes
        tell()


def _worked(
    base: Base, chains: Sequence[Chain], backend: Backend, cancel: Event, tell: Callable[[], None]
) -> Iterator[tuple[Chain, str]]:
    """Every chain with its outcomes, as text. Where a process dies, those that it may have died of work alone.

    Raises SolverError where no process lives to answer.
    """
    waiting, suspects = deque(chains), deque[Chain]()
    killed, answered = 0, False
    while waiting or suspects:
        alone = bool(suspects)
        running: list[tuple[Chain, Future[str]]] = []
        try:
            with crew(base, replace(backend, workers=1) if alone else backend, cancel) as workers:
                at_once = 1 if alone else workers.at_once
                for found in _drained(workers, suspects if alone else waiting, at_once, running, tell):
                    answered = True
                    yield found
        except BrokenExecutor as fault:
            left = [part for part, _ in running]
            if not alone:
                suspects.extend(left)
                continue
            killed += 1
            if killed >= HOPELESS and not answered:
                raise SolverError(t("sweep.no_process", "en")) from fault
            for part in left:
                words = {lang: t("sweep.killed", lang) for lang in LANGUAGES}
                lost = [{"number": number, "name": job.name, "status": FAULT, "words": words} for number, job in part]
                yield part, json.dumps(lost)


def _drained(
    workers: Crew,
    queue: "deque[Chain]",
    at_once: int,
    running: list[tuple[Chain, "Future[str]"]],
    tell: Callable[[], None],
) -> Iterator[tuple[Chain, str]]:
    """Chains of a queue, as they come; what is `running` when an executor breaks is left in there."""
    while queue or running:
        while queue and len(running) < at_once:
            running.append((queue[0], workers.submit(queue[0])))
            queue.popleft()
        wait([future for _, future in running], LISTENING, FIRST_COMPLETED)
        for one in [one for one in running if one[1].done()]:
            text = one[1].result()
            running.remove(one)
            yield one[0], text
        tell()


def read_outcomes(text: str) -> list[Outcome]:
    """The outcomes of a chain from their text."""
    return [Outcome(**told) for told in decoded(text)]


class Journal:
    """Chains that are finished, in a folder; in none, nothing is kept."""

    def __init__(self, folder: Path | None, case: Case, asked: Asked) -> None:
        self.folder = folder
        self.name = f"{case.digest} {asked.name}"
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def _file(self, folder: Path, part: Chain) -> Path:
        edits = "\n".join(job.text for _, job in part)
        return folder / f"{hashlib.sha256(f'{self.name} {edits}'.encode()).hexdigest()}.json"

    def read(self, part: Chain) -> list[Outcome] | None:
        """Outcomes that stand in the journal; numbers and names are those of the jobs now."""
        if self.folder is not None:
            with suppress(OSError, ValueError, TypeError, KeyError):  # damaged: it is solved again
                found = read_outcomes(self._file(self.folder, part).read_text("utf-8"))
                return [
                    replace(outcome, number=number, name=job.name)
                    for outcome, (number, job) in zip(found, part, strict=True)
                ]
        return None

    def write(self, part: Chain, text: str) -> None:
        """Keep the outcomes of a chain."""
        if self.folder is not None:
            write_bytes(self._file(self.folder, part), text.encode())
