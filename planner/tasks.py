"""One of many solves: a job, what a worker does with it, and the outcome it hands back, all plain data.

Every job is solved from where the optimum of the base case stands, in an instance of its own. So an outcome depends on
the base case and the edits alone: not on the worker, on what it solved before, or on how long anything took. Jobs in
a chain start from one another instead, and depend on the jobs before them in their chain.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from planner.case import Case
from planner.compile import Matrix, compile_problem
from planner.edits import Edit
from planner.engine import PATIENCE, Options, Progress, Signal, cancellable
from planner.errors import CancelledError, CaseError
from planner.live import Live, Standing
from planner.matrix import Changes, changes
from planner.plan import solve
from planner.problem import Problem
from planner.session import Answer
from planner.solution import Status
from planner.text import LANGUAGES, issue

FRAME = "data frame"
"""Mark of a table in the text of a result."""
FAULT = "fault"
"""Status of a job that gave no answer."""
Extract = Callable[[Answer], Any]
"""What is kept of an answer: numbers, texts, lists, dicts with texts as keys, and frames of these."""


def described(function: Callable[..., Any]) -> list[Any]:
    """Name of a function at the top of its module, and what a `partial` of it binds."""
    inner: Any = function
    bound: list[Any] = []
    while isinstance(inner, partial):
        bound.append([inner.args, inner.keywords])
        inner = inner.func
    return [inner.__module__, inner.__qualname__, bound]


@dataclass(frozen=True)
class Job:
    """A case to solve: edits of the base case as a scenario has them, and a name to know it by."""

    edits: tuple[Mapping[str, Any], ...] = ()
    name: str = ""
    change: Callable[[Case], Case] | None = None
    """Makes the case out of the base case, before the edits, where edits would be too many to be written down one by
    one: a function as `Asked.extract` is one."""

    @property
    def text(self) -> str:
        """All that its case depends on besides the base case."""
        edits = [dict(edit) for edit in self.edits]
        return json.dumps([edits, described(self.change) if self.change else None], sort_keys=True)

    @classmethod
    def of(cls, edits: Sequence[Edit | Mapping[str, Any]], name: str = "") -> "Job":
        """A job from edits of either form."""
        return cls(tuple([edit.mapping() if isinstance(edit, Edit) else edit for edit in edits]), name)


@dataclass(frozen=True)
class Asked:
    """What is asked of every job."""

    extract: Extract
    """A function at the top of its module, which workers can import, or a `partial` of one with plain keywords."""
    version: int = 1
    """To be raised when `extract` returns something else than before, so that no journal is taken for the new."""
    always: bool = False
    """Whether `extract` is also called with answers that have no plan."""
    cold: bool = False
    """Whether each job is solved from nothing: faster where a job changes most numbers of the base case."""
    settled: bool = False
    """Whether ties are broken, cold: for a portfolio. Else only the objective is sure to be the same as elsewhere."""
    best_effort: bool = False
    """Whether a job without plan is answered by the plan that misses its targets by least; always settled."""
    options: Options = field(default_factory=Options)

    @property
    def name(self) -> str:
        """Name of what is extracted, with all that the result depends on besides case and edits."""
        parts = [described(self.extract), self.version, self.always, self.cold, self.settled, self.best_effort]
        limits = [self.options.time_limit, self.options.gap, version("measure-planner"), version("highspy")]
        return json.dumps([parts, limits], sort_keys=True)


@dataclass(frozen=True)
class Outcome:
    """What became of a job."""

    number: int
    """Place of the job in the order in which they were given, from 0."""
    name: str
    status: str
    """Of the answer: optimal, infeasible, ...; fault where there is none, and then `words` say why."""
    result: Any = None
    """What was extracted; None without a plan."""
    words: Mapping[str, str] = field(default_factory=dict)
    """What went wrong, by language."""
    way: str = field(default="", compare=False)
    """How it was solved: warm, cold, whole."""
    seconds: float = field(default=0.0, compare=False)


def encoded(value: Any) -> str:
    """A result as text; raises TypeError where it holds what is not plain."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def decoded(text: str) -> Any:
    """The result again, every number the same."""
    return json.loads(text, object_hook=_restored)


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        types = [str(kind) for kind in value.dtypes]
        return {FRAME: {"columns": list(value.columns), "types": types, "data": value.to_numpy(object).tolist()}}
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"a result cannot hold {type(value).__name__}")


def _restored(found: dict[str, Any]) -> Any:
    if found.keys() != {FRAME}:
        return found
    columns, types, data = found[FRAME]["columns"], found[FRAME]["types"], found[FRAME]["data"]
    return pd.DataFrame(data, columns=columns).astype(dict(zip(columns, types, strict=True)))


@dataclass(frozen=True)
class Base:
    """What every worker starts from: the base case, where its optimum stands, and what is asked."""

    case: Case
    asked: Asked
    standing: Standing | None
    """None where the base case has no plan, or several objectives or lumps: each job is solved from nothing."""
    seconds: float = field(default=0.0, compare=False)
    """What a job takes, about [s]."""

    @property
    def key(self) -> str:
        """Fingerprint."""
        return hashlib.sha256(f"{self.case.digest} {self.asked.name}".encode()).hexdigest()


def based(case: Case, asked: Asked, progress: Progress | None = None) -> Base:
    """The base of a sweep: solved once, so that no worker has to."""
    begun = time.perf_counter()
    problem = Problem(case)
    matrix = compile_problem(problem)
    posed = time.perf_counter() - begun
    if problem.contradictions or asked.settled or asked.cold or _is_whole(matrix):
        return Base(case, asked, None, 10 * posed)
    live = Live(matrix, asked.options, progress)
    standing = live.standing() if live.cold(PATIENCE) == "optimal" else None
    return Base(case, asked, standing, time.perf_counter() - begun)


def _is_whole(matrix: Matrix) -> bool:
    return len(matrix.stages) > 1 or bool(matrix.integer.any())


class Bench:
    """Where a worker solves: the base case, compiled once. Several threads may solve at it."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.problem = Problem(base.case)
        self.matrix = compile_problem(self.problem)
        self._alone = Lock()  # all but the solver itself holds the interpreter anyhow

    def outcomes(self, chain: Sequence[tuple[int, Job]], stop: Signal | None = None) -> str:
        """The outcomes of a chain of jobs, as text; raises CancelledError soon after `stop` is set."""
        asked, listen = self.base.asked, cancellable(None, stop)
        live: Live | None = None
        found = []
        for number, job in chain:
            begun = time.perf_counter()
            if stop is not None and stop.is_set():
                raise CancelledError(job.name)
            told: dict[str, Any] = {"number": number, "name": job.name}
            try:
                answer, live = self._answer(job, live, listen)
                with self._alone:
                    result = encoded(asked.extract(answer) if answer.found or asked.always else None)
                told |= {"status": answer.status, "way": answer.way}
            except CancelledError:
                raise
            except Exception as fault:  # the others count all the same
                told |= {"status": FAULT, "words": words_of(fault)}
                result = "null"
            told["seconds"] = round(time.perf_counter() - begun, 6)
            found.append(json.dumps(told, ensure_ascii=False)[:-1] + f', "result": {result}}}')
        return f"[{', '.join(found)}]"

    def _answer(self, job: Job, live: Live | None, listen: Progress | None) -> tuple[Answer, Live | None]:
        """The answer to a job, and where the next one in its chain starts."""
        asked = self.base.asked
        with self._alone:
            case = job.change(self.base.case) if job.change else self.base.case
            case = case.edited(list(job.edits)) if job.edits else case
            problem = self.problem.edited(case)
            matrix = compile_problem(problem, self.matrix)
        pose = partial(Answer, case, timings={}, problem=problem, matrix=matrix)
        if not (asked.settled or (asked.best_effort and problem.contradictions) or _is_whole(matrix)):
            if problem.contradictions:
                return pose("infeasible", "arithmetic", "bound"), live
            live, difference = self._hold(matrix, live, listen)
            way: str = "cold" if asked.cold else "warm"
            status = live.cold(PATIENCE) if asked.cold else live.warm(difference, patience=float("inf"))
            if status != "optimal" and not asked.cold:
                way, status = "cold", live.cold(PATIENCE)
            if status == "optimal":
                return pose("optimal", "none", way, live.values(), live.duals_later()), live
        limits = replace(asked.options, prices=False, certify=False, break_ties=asked.settled or asked.best_effort)
        plan = solve(case, limits, listen, asked.best_effort)
        found: Status = plan.summary["status"]
        return pose(found, plan.summary["proof"], "whole", whole=plan), live

    def _hold(self, matrix: Matrix, live: Live | None, listen: Progress | None) -> tuple[Live, Changes | None]:
        """An instance with this matrix, and what differs from what it held before."""
        options = self.base.asked.options
        if live is not None:
            live.renew(options, listen)
            found = live.change(matrix)
            if found is not None:
                return live, found
        fresh = Live(matrix, options, listen)
        if live is not None:
            fresh.carry(live)
            return fresh, None
        if self.base.standing is not None:
            fresh.stand(self.base.standing, self.matrix)
        return fresh, changes(self.matrix, matrix)


def words_of(fault: Exception) -> dict[str, str]:
    """What a fault says, by language."""
    if isinstance(fault, CaseError):
        return {lang: "; ".join(issue(one, lang) for one in fault.errors) for lang in LANGUAGES}
    return dict.fromkeys(LANGUAGES, f"{type(fault).__name__}: {fault}")
