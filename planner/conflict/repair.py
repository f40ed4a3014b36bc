"""The cheapest way out: each change as small as suffices, tried out on the case itself, and priced."""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from planner.case import Case
from planner.compile import compile_problem
from planner.conflict.changes import Change, EditMapping
from planner.conflict.clash import Finder, Verdict, proof
from planner.conflict.model import LIMITS, Element, Model
from planner.engine import STATUS, Options, Progress, Solver
from planner.errors import CaseError
from planner.problem import Problem

DIGITS = 4
"""Digits of a size [-]."""
LESS = 0.99
"""With this part of the size a change must not suffice [-]."""
STEPS = 40
"""Proofs after which the search for a size is given up."""
TRIES = 30
"""Cases tried where the size must be found on the case itself (whole lumps)."""
SMALL_CASE = 20_000
"""Columns up to which a size may be searched on the case itself."""


def round_up(size: float) -> float:
    """The next number with four significant digits, not below `size` but for noise.

    >>> round_up(123.4567), round_up(0.00123401), round_up(1000.0), round_up(0.0)
    (123.5, 0.001235, 1000.0, 0.0)
    """
    if size <= 0:
        return 0.0
    exponent = math.floor(math.log10(size)) - DIGITS + 1
    steps = math.ceil(size / 10.0**exponent * (1 - 1e-9))
    return float(f"{steps}e{exponent}")


def step_up(size: float) -> float:
    """The next larger number with four significant digits."""
    exponent = math.floor(math.log10(size)) - DIGITS + 1
    return float(f"{round(size / 10.0**exponent) + 1}e{exponent}")


@dataclass(frozen=True)
class Part:
    """One change and how much of it."""

    change: Change
    size: float

    @property
    def edits(self) -> list[EditMapping]:
        """The change as edits of the case."""
        return self.change.edits(self.size)

    @property
    def less(self) -> float:
        """The size that must not suffice: 1 % less, one year less for whole years."""
        return self.size - 1 if self.change.whole else LESS * self.size


@dataclass(frozen=True)
class Line:
    """A line of the repair menu: sufficient alone, tried out, priced."""

    parts: tuple[Part, ...]
    cost: float
    """Net present value of the least-cost plan after it [currency]."""

    @property
    def edits(self) -> list[EditMapping]:
        """What a button does: the edits of the case."""
        return [edit for part in self.parts for edit in part.edits]

    def edits_with_less(self, number: int = 0) -> list[EditMapping]:
        """The edits with a little less of part `number`: they must not suffice."""
        parts = self.parts
        return [
            edit
            for i, part in enumerate(parts)
            for edit in (part.change.edits(part.less) if i == number else part.edits)
        ]


def tried(case: Case, edits: Sequence[EditMapping], options: Options, progress: Progress | None) -> float | None:
    """Least cost of the case with these edits [currency]; none where it has no plan, nan where that stays open."""
    try:
        problem = Problem(case.edited(list(edits)))
    except CaseError:
        return None
    if problem.contradictions:
        return None
    matrix = compile_problem(problem)
    stage = next(stage for stage in matrix.stages if stage.name == "cost")
    solver = Solver(matrix, options, progress)
    status = STATUS.get(solver.minimise(stage.coefficients, "price"), "unknown")
    if status == "optimal":
        return float(stage.coefficients @ solver.values()) + stage.constant
    return None if status == "infeasible" else math.nan


class Repairs:
    """Sizes changes so that the case has a plan, and tries them out."""

    def __init__(self, case: Case, finder: Finder, options: Options, progress: Progress | None = None) -> None:
        self.case, self.finder, self.options, self.progress = case, finder, options, progress
        self.model = finder.model
        self.everything = set(self.model.elements)
        self.clashing: set[Element] = set().union(*finder.proofs)
        """Elements known to take part in some clash: sizes are found on them, then tried on all."""
        self.begun = time.perf_counter()

    def tell(self, what: str) -> None:
        """Report progress."""
        if self.progress is not None:
            self.progress(what, time.perf_counter() - self.begun)

    def line(self, change: Change) -> Line | None:
        """The line of one change alone; none where no size of it suffices."""
        return self.together([change])

    def together(self, changes: Sequence[Change]) -> Line | None:
        """The line of some changes together, one after the other as small as can be; none where they do not suffice."""
        parts: list[Part] = []
        moved = self.model
        for number, change in enumerate(changes):
            later = {other.element for other in changes[number + 1 :]}
            part = self._part(change, moved, later)
            if part is None:
                return None
            parts.append(part)
            moved = change.moved(moved, part.size)
        while True:
            cost = self._try(parts)
            if cost is not None and not math.isnan(cost):
                break
            verdict = self.finder.test(self.everything, moved, remember=False)
            more = verdict.elements(moved)
            if not verdict.clash or more <= self.clashing:
                return self._tuned(parts)
            self.clashing |= more
            if not any(change.element in more or change.element.kind in LIMITS for change in changes):
                self.finder.proofs.append(frozenset(more))
                return None
            return self.together(changes)
        return self._with_lumps(Line(tuple(parts), cost))

    def _part(self, change: Change, model: Model, without: Iterable[Element]) -> Part | None:
        """The least size, rounded up, for which what is known to clash does not; none where no size does."""
        start = change.least
        if self.finder.lumps:
            return Part(change, start)
        size = self._least_on(change, model, self.clashing.difference(without), start)
        if size is None:
            return None
        return Part(change, size if change.whole else min(round_up(size), change.most))

    def _tuned(self, parts: list[Part]) -> Line | None:
        """Parts whose last size is raised until the case itself has a plan; none where it never has."""
        part = parts[-1]
        for _ in range(3):
            if part.change.whole or not part.size:
                break
            part = replace(part, size=min(step_up(part.size), part.change.most))
            cost = self._try([*parts[:-1], part])
            if cost is not None and not math.isnan(cost):
                return Line((*parts[:-1], part), cost)
        if len(self.model.columns) > SMALL_CASE:
            return None
        found = self._searched(parts, len(parts) - 1)
        return None if found is None else Line(tuple(found[0]), found[1])

    def _with_lumps(self, line: Line) -> Line:
        """With whole lumps a size found without them may be too large: then it is searched on the case itself."""
        part = line.parts[-1]
        if not self.model.integer.any() or part.change.whole or len(self.model.columns) > SMALL_CASE:
            return line
        if tried(self.case, line.edits_with_less(len(line.parts) - 1), self.options, self.progress) is None:
            return line
        again = self._searched([*line.parts[:-1], replace(part, size=0.0)], len(line.parts) - 1, part.size)
        return line if again is None else Line(tuple(again[0]), again[1])

    def _least_on(self, change: Change, model: Model, held: set[Element], size: float) -> float | None:
        """The least size from `size` on for which the elements `held` do not clash."""
        for _ in range(STEPS):
            if size > change.most * (1 + 1e-12):
                return None
            moved = change.moved(model, size)
            verdict = self.finder.test(held, moved, remember=False)
            if not verdict.clash:
                return size
            if change.whole:
                size += 1
                continue
            following = self._beyond(change, model, moved, verdict, size)
            if following is None:
                return None
            size = following if following > size else size * (1 + 1e-7) + 1e-12
        return None

    def _beyond(self, change: Change, model: Model, moved: Model, verdict: Verdict, size: float) -> float | None:
        """The size at which a proof of impossibility ends; none when it holds for all sizes."""
        weights = verdict.weights / moved.scale

        def margin(at: float) -> float:
            return proof(change.moved(model, at), weights, verdict.ties)[0]

        low, value = size, verdict.margin
        limit = min(change.most, 1e18)
        high = min(limit, max(2 * size, 1e-3 * (abs(change.before or 0.0) or 1.0)))
        while (beyond := margin(high)) > 0:
            if high >= limit:
                return None
            low, value, high = high, beyond, min(limit, 8 * high)
        for _ in range(60):
            if high - low <= 1e-10 * high:
                break
            guess = low + (high - low) * value / (value - beyond)
            guess = min(max(guess, low + 1e-3 * (high - low)), high - 1e-3 * (high - low)) if _ else guess
            found = margin(guess)
            if abs(found) <= 1e-12 * verdict.margin:
                return guess
            if found > 0:
                low, value = guess, found
            else:
                high, beyond = guess, found
        return high

    def _try(self, parts: Sequence[Part]) -> float | None:
        self.tell("price")
        return tried(self.case, [edit for part in parts for edit in part.edits], self.options, self.progress)

    def _searched(self, parts: list[Part], number: int, high: float | None = None) -> tuple[list[Part], float] | None:
        """The least size of one part, searched on the case itself: what whole lumps ask for."""
        part = parts[number]
        change = part.change
        low = part.size

        def at(size: float) -> tuple[list[Part], float | None]:
            moved = [*parts[:number], replace(part, size=size), *parts[number + 1 :]]
            return moved, self._try(moved)

        if change.whole:
            while (low := low + 1) <= change.most:
                moved, cost = at(low)
                if cost is not None:
                    return moved, cost
            return None
        step = max(low, 1e-3 * (abs(change.before or 0.0) or 1.0))
        tries = TRIES
        while high is None:
            guess = min(change.most, low + step)
            if at(round_up(guess) if guess < change.most else guess)[1] is not None:
                high = guess
            elif guess >= change.most or (tries := tries - 1) == 0:
                return None
            else:
                low, step = guess, 4 * step
        while high - low > 2e-3 * high and tries > 0:
            tries -= 1
            guess = (low + high) / 2
            low, high = (low, guess) if at(guess)[1] is not None else (guess, high)
        size = min(round_up(high), change.most)
        moved, cost = at(size)
        return None if cost is None else (moved, cost)
