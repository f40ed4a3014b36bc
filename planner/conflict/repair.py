"""The cheapest way out: each change as small as suffices, tried out on the case itself, and priced."""

import math
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from planner.case import Case
from planner.compile import compile_problem
from planner.conflict.changes import Change, EditMapping
from planner.conflict.clash import Deadline, Finder, Proof, TimeUpError
from planner.conflict.model import LIMITS, Element, Model
from planner.conflict.sizing import is_straight, least_size
from planner.engine import STATUS, Options, Progress, Solver
from planner.errors import CaseError
from planner.problem import Problem

DIGITS = 4
"""Digits of a size [-]."""
LESS = 0.99
"""With this part of the size a change must not suffice [-]."""
STEPS = 40
"""Proofs after which the search for a size is given up."""
NOISE = 1e-11
"""A proof ends where its margin is below this part of what it was [-]."""
TRIES = 30
"""Cases tried where the size must be found on the case itself (whole lumps)."""
LONGEST = 60.0
"""How long a large case with a change may be solved [s]."""
SMALL_CASE = 20_000
"""Columns up to which a size may be searched on the case itself."""


NEARLY = 1.004
"""A guess is made so much larger, that it suffices where things go straight [-]."""
CLOSELY = 0.9945
"""What suffices is tried again so much smaller: if that does not suffice, 1 % less of it does not [-]."""
EVERY_ROW = ("budget", "budget_span", "floor", "cap", "free")
"""Changes of all that a thing asks for: where one never suffices, no other change of the thing does."""


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
    """Least cost of the case with these edits [currency]; none where it has no plan, nan where that stays open.

    Raises TimeUpError where the time limit ends it.
    """
    try:
        problem = Problem(case.edited(list(edits)))
    except CaseError:
        return None
    if problem.contradictions:
        return None
    matrix = compile_problem(problem)
    limit = options.time_limit
    stage = next(stage for stage in matrix.stages if stage.name == "cost")
    if matrix.A.shape[1] > SMALL_CASE and not matrix.integer.any():
        # just beyond infeasible simplex takes minutes where interior point takes seconds
        options = replace(options, interior=True, time_limit=min(options.time_limit, LONGEST))
    solver = Solver(matrix, options, progress)
    status = STATUS.get(solver.minimise(stage.coefficients, "price"), "unknown")
    if status == "limit" and limit <= LONGEST:
        raise TimeUpError("the time limit was reached")
    if status == "optimal":
        return float(stage.coefficients @ solver.values()) + stage.constant
    return None if status == "infeasible" else math.nan


def dropped(element: Element) -> list[EditMapping]:
    """The edits that take something away altogether."""
    if element.kind == "floor":
        return [{"table": "quantities", "key": {"quantity": element.id}, "set": {"floor": None, "floor_scope": None}}]
    return [{"table": f"{element.kind}s", "key": {element.kind: element.id}, "remove": True}]


class Repairs:
    """Sizes changes so that the case has a plan, and tries them out."""

    def __init__(
        self,
        case: Case,
        finder: Finder,
        limit: Deadline,
        progress: Progress | None = None,
        needed: Collection[Element] = (),
        core: Collection[Element] = (),
    ) -> None:
        self.case, self.finder, self.limit, self.progress = case, finder, limit, progress
        self.needed = frozenset(needed)
        """What every way out must change: pins in years without anything to pin."""
        self.core = frozenset(core)
        """What is known to clash, in few rows: sizes are found on it first."""
        self.enough: dict[Element, bool] = {}
        """Whether a thing, however much it gives, may leave a plan."""
        self.model = finder.model
        self.everything = frozenset(self.model.elements)
        self.sizes: dict[Change, float | None] = {}
        """Least sizes found by one solve."""
        self.begun = time.perf_counter()

    def line(self, change: Change) -> Line | None:
        """The line of one change alone; none where no size of it suffices. Raises TimeUpError when the time ended."""
        if self.needed or self.finder.lumps:
            return self.together([change]) if len(change.elements) == 1 else None
        if not self.may_suffice(change):
            return None
        least = self.least(change)
        if least == math.inf:
            return None
        if not least:
            if len(change.elements) > 1:
                return None
            if change.whole or len(self.model.columns) <= SMALL_CASE:
                return self.together([change])
            least = self._enclosed(change)
            if not least:
                return None
        part = Part(change, min(round_up(least), change.most))
        cost = self._try([part])
        if cost is not None and not math.isnan(cost):
            return self._with_lumps(Line((part,), cost))
        return self._tuned([part])

    def quick(self, change: Change) -> bool:
        """Whether one solve finds its size."""
        return is_straight(self.model, change)

    def worthwhile(self, several: Sequence[Change]) -> Iterator[Change]:
        """Those of the changes of an element worth trying; money for all years only where less of it is needed than
        for one year.
        """
        every = next((change for change in several if change.kind == "budget"), None)
        one = next((change for change in several if change.kind == "budget_year"), None)
        both = every is not None and one is not None and not (self.needed or self.finder.lumps)
        for change in several:
            if not both or change is not every or self._cheaper(change, one):
                yield change

    def _cheaper(self, change: Change, other: Change | None) -> bool:
        """Whether less is enough of a change than of another, or that is not known."""
        if other is None or not self.may_suffice(change):
            return True
        ends = self.least(change), math.inf
        if ends[0] is not None and ends[0] < math.inf:
            ends = ends[0], self.least(other) or math.inf
        return ends[0] is None or math.inf in ends or round_up(ends[0]) < round_up(ends[1])

    def _enclosed(self, change: Change) -> float | None:
        """A size that suffices, where 1 % less of it does not; none where no size suffices.

        What everything asked for must give is taken to fall to nothing nearly straight as the size grows.
        """
        alone = None if change.element.kind in LIMITS else change.element

        def gap(size: float) -> float:
            verdict = self.finder.test(self.everything, change.moved(self.model, size), remember=False, giving=alone)
            return verdict.gap if verdict.clash else 0.0

        low, high, below = change.least, change.most, gap(change.least)
        if not below:
            return None
        if math.isinf(below) or (math.isfinite(high) and gap(high)):
            self.enough[change.element] = alone is None and self.enough.get(change.element, True)
            return None
        step = min(1.0, abs(change.before or 1.0)) if math.isinf(high) else high
        guess = self._allowed(change, self.model, ()) or 0.0
        if not low < guess < high:
            guess = low + min(below * (abs(change.before or 1.0) or 1.0), step / 2)
        closing = False
        for _ in range(STEPS // 2):
            if math.isfinite(high) and LESS * round_up(high) <= low:
                return high
            value = gap(guess)
            if value:
                ahead = value * (guess - low) / (below - value) if below > value else 4 * (guess - low)
                low, below, guess, closing = guess, value, guess + NEARLY * min(ahead, 8 * guess), False
            else:
                high, guess, closing = guess, (low + guess) / 2 if closing else CLOSELY * guess, True
            if guess >= high:
                guess = (low + high) / 2
            elif math.isfinite(high) and guess < low + 0.1 * (high - low):
                guess = low + 0.1 * (high - low)
        return None

    def least(self, change: Change) -> float | None:
        """The least size of one change alone, found by one solve; infinite where none suffices, none where no one
        solve can find it.
        """
        if change not in self.sizes:
            self.sizes[change] = least_size(self.model, change, self.limit.options, self.progress)
            if self.sizes[change] == math.inf and change.kind in EVERY_ROW:
                self.enough[change.element] = False
        return self.sizes[change]

    def may_suffice(self, change: Change) -> bool:
        """Whether no proof known so far says that there is no plan even without what is changed."""
        if any(element.kind in LIMITS for element in change.elements):
            return True
        if len(change.elements) == 1 and not self.enough.get(change.element, True):
            return False
        return all(known & set(change.elements) for known in self.finder.proofs)

    def together(self, changes: Sequence[Change]) -> Line | None:
        """The line of some changes together, one after the other as small as can be; none where they do not suffice."""
        if not self.needed <= {change.element for change in changes}:
            return None
        if self.finder.lumps:
            return self._with_whole_lumps(changes)
        held: Collection[Element] = self.core
        for _ in range(STEPS):
            parts = self._parts(changes)
            if parts is None:
                return None
            moved = self.model
            for part in parts:
                moved = part.change.moved(moved, part.size)
            alone = changes[0].element if len(changes) == 1 and changes[0].element.kind not in LIMITS else None
            verdict = self.finder.test(held, moved, giving=alone)
            if math.isinf(verdict.gap):
                self.enough[changes[0].element] = False
                return None
            if verdict.clash:
                more = verdict.elements(moved)
                if not any(change.element in more or change.element.kind in LIMITS for change in changes):
                    self.finder.proofs.append(frozenset(more))
                    return None
                continue
            if held is self.core and len(self.model.columns) > SMALL_CASE:
                held = self.everything  # to ask the model is quicker here than to ask the case, and tells more
                continue
            cost = self._try(parts)
            if cost is not None and not math.isnan(cost):
                return self._with_lumps(Line(tuple(parts), cost))
            if held is self.everything:
                return self._tuned(parts)
            held = self.everything
        return None

    def _with_whole_lumps(self, changes: Sequence[Change]) -> Line | None:
        """The same where only lumps make the case impossible: sizes are searched on the case itself."""
        parts: list[Part] = []
        cost = math.nan
        for number, change in enumerate(changes):
            later = [edit for other in changes[number + 1 :] for edit in dropped(other.element)]
            found = self._searched([*parts, Part(change, 0.0)], number, also=later)
            if found is None:
                return None
            parts, cost = found
        return Line(tuple(parts), cost)

    def _parts(self, changes: Sequence[Change]) -> list[Part] | None:
        """The least size of each change, rounded up, that no proof known so far forbids; none where all sizes are.

        Of several, each is as small as can be while those after it are dropped, so each of them is needed in full.
        """
        parts: list[Part] = []
        moved = self.model
        for number, change in enumerate(changes):
            later = {other.element for other in changes[number + 1 :]}
            for _ in range(STEPS):
                size = self._allowed(change, moved, later)
                if size is None:
                    return None
                part = Part(change, size if change.whole else min(round_up(size), change.most))
                following = change.moved(moved, part.size)
                if not later or not self.finder.test(self.everything - later, following).clash:
                    break
            else:
                return None
            parts.append(part)
            moved = following
        return parts

    def _allowed(self, change: Change, model: Model, without: Collection[Element]) -> float | None:
        """The least size that no proof forbids."""
        size = change.least
        hits = change.element.kind in LIMITS or model is not self.model
        if not hits and any(change.element not in known and not known & set(without) for known in self.finder.proofs):
            return None
        moving = True
        while moving:
            moving = False
            for known_proof in self.finder.weights:
                if not known_proof.elements & set(without):
                    following = self._beyond(change, model, known_proof, size)
                    if following is None:
                        return None
                    moving = moving or following > size
                    size = max(size, following)
        return size

    def _beyond(self, change: Change, model: Model, known: Proof, size: float) -> float | None:
        """The size from `size` on at which a proof of impossibility ends; none when it holds for all sizes."""

        def margin(at: float) -> float:
            return known.margin(change.moved(model, at))

        value = margin(size)
        worth = max(abs(value), abs(known.margin(model)))
        if value <= max(known.noise, NOISE * worth):
            return size
        if change.whole:
            while size < change.most:
                size += 1
                if margin(size) <= known.noise:
                    return size
            return None
        limit = min(change.most, 1e18)
        low, high = size, min(limit, max(2 * size, 1e-3 * (abs(change.before or 0.0) or 1.0)))
        while (beyond := margin(high)) > 0:
            if high >= limit:
                return None if beyond > known.noise else high
            low, value, high = high, beyond, min(limit, 8 * high)
        for step in range(60):
            if high - low <= 1e-10 * high:
                break
            guess = low + (high - low) * value / (value - beyond)
            if step:
                guess = min(max(guess, low + 1e-3 * (high - low)), high - 1e-3 * (high - low))
            found = margin(guess)
            if abs(found) <= NOISE * worth:
                return guess
            if found > 0:
                low, value = guess, found
            else:
                high, beyond = guess, found
        return high

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
        if tried(self.case, line.edits_with_less(len(line.parts) - 1), self.limit.options, self.progress) is None:
            return line
        again = self._searched([*line.parts[:-1], replace(part, size=0.0)], len(line.parts) - 1, part.size)
        return line if again is None else Line(tuple(again[0]), again[1])

    def _try(self, parts: Sequence[Part], also: Sequence[EditMapping] = ()) -> float | None:
        if self.progress is not None:
            self.progress("price", time.perf_counter() - self.begun)
        edits = [*also, *[edit for part in parts for edit in part.edits]]
        return tried(self.case, edits, self.limit.options, self.progress)

    def _searched(
        self, parts: list[Part], number: int, high: float | None = None, also: Sequence[EditMapping] = ()
    ) -> tuple[list[Part], float] | None:
        """The least size of one part, searched on the case itself: what whole lumps ask for."""
        part = parts[number]
        change = part.change
        low = part.size

        def at(size: float) -> tuple[list[Part], float | None]:
            moved = [*parts[:number], replace(part, size=size), *parts[number + 1 :]]
            return moved, self._try(moved, also)

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
