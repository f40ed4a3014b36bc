"""Clashes: the smallest sets of rows that cannot hold together.

Every row that somebody asked for may give by the same part t of its size; the least t is positive exactly when they
clash. The duals of this problem are one extreme ray of Farkas' lemma: rows with a dual are a minimal clash. What is
left is to drop whole targets, budgets, groups and limits one by one, and to see whether the rest still clashes.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack, vstack

from planner.compile import Matrix, Name, Stage
from planner.conflict.model import LIMITS, TIGHT, Array, Element, Model, Rows, extremes
from planner.engine import STATUS, Options, Progress, Solver
from planner.errors import SolverError
from planner.solution import Status

USED = 1e-7
"""A row takes part in a clash when its weight, of 1 for all rows, is above this [-]."""
WITH_LUMPS = 1e-6
"""With whole lumps, rows that must give by more than this part of their size clash [-]."""
LARGE = 1000
"""Asked rows from which on interior point finds a corner faster than simplex."""
MANY = 12
"""More groups or limits than this in one clash are told together and not tested one by one."""
MOST = 10
"""Clashes that are told."""
OPEN = 100.0
"""A limit that is dropped is this many times as large [-]."""


@dataclass(frozen=True)
class Verdict:
    """Whether what is held clashes, by how much every row must give, and which rows and limits say so."""

    clash: bool
    gap: float
    """Part of its size by which every row would have to give [-]."""
    margin: float
    """The same, proven by the weights in double precision; 0 with lumps [-]."""
    weights: Array
    """Weight of each asked row in the proof; all together 1."""
    ties: Array
    """Weight of each tie in the proof."""
    pull: Array
    """What the upper bound of each column takes from the proof, in parts of the whole."""

    def elements(self, model: Model) -> set[Element]:
        """What asks for the rows that take part."""
        return {model.owners[i] for i in np.flatnonzero(self.weights > USED)}

    def weight_of(self, model: Model) -> dict[Element, float]:
        """Weight of each element in the proof."""
        found: dict[Element, float] = {}
        for i in np.flatnonzero(self.weights > USED):
            found[model.owners[i]] = found.get(model.owners[i], 0.0) + float(self.weights[i])
        return found


class TimeUpError(SolverError):
    """The time for the whole diagnosis has ended."""


@dataclass(frozen=True)
class Deadline:
    """Options of a solver and the moment at which all solves together end."""

    given: Options
    end: float
    """On the clock of `time.perf_counter` [s]."""

    @property
    def options(self) -> Options:
        """Options with the time that is left. Raises TimeUpError where none is."""
        left = self.end - time.perf_counter()
        if left <= 0:
            raise TimeUpError("the time limit was reached")
        return replace(self.given, time_limit=left)

    def within(self, seconds: float) -> "Deadline":
        """The same, or so many seconds from now where that is earlier."""
        return replace(self, end=min(self.end, time.perf_counter() + seconds))


def deadline(options: Options) -> Deadline:
    """The moment at which the time limit of some options ends, from now on."""
    return Deadline(options, time.perf_counter() + options.time_limit)


def settled(solver: Solver, cost: Array, what: str) -> Status:
    """Status of a solve that has an answer: optimal or infeasible.

    Raises TimeUpError at the time limit, SolverError when HiGHS has no answer.
    """
    status = STATUS.get(solver.minimise(cost, what), "unknown")
    if status == "limit":
        raise TimeUpError("the time limit was reached")
    if status not in ("optimal", "infeasible"):
        raise SolverError(f"HiGHS says {status} of a problem that has an answer")
    return status


def examine(
    model: Model,
    held: Rows,
    options: Options | None = None,
    lumps: bool = False,
    progress: Progress | None = None,
    giving: Element | None = None,
) -> Verdict:
    """Whether the asked rows `held` clash. With `giving` only its rows may give, and the gap is infinite where that is
    not enough. Raises SolverError when HiGHS has no answer.
    """
    held = held[_can_be_missed(model, held)]
    part = _part(model, held)
    width, count = part.columns.size, held.size
    ties = csr_array(model.ties[part.ties, :][:, part.columns])
    asked = csr_array(model.asked[held, :][:, part.columns])
    gives = np.array([giving is None or model.owners[i] == giving for i in held.tolist()], dtype=bool)
    give = np.where(gives, -model.scale[held], 0.0)
    sizes = csr_array((give, (np.arange(count), np.zeros(count, dtype=int))), shape=(count, 1))
    sizes.eliminate_zeros()
    rows = csr_array(vstack([hstack([ties, csr_array((ties.shape[0], 1))]), hstack([asked, sizes])], format="csr"))
    rows.sort_indices()
    cost = np.zeros(width + 1)
    cost[-1] = 1.0
    whole = lumps and bool(model.integer.any())
    matrix = Matrix(
        A=rows,
        row_lower=np.concatenate([model.left[part.ties], np.full(count, -np.inf)]),
        row_upper=np.concatenate([model.right[part.ties], model.limit[held]]),
        lower=np.append(model.lo[part.columns], 0.0),
        upper=np.append(model.hi[part.columns], np.inf),
        integer=np.append(model.integer[part.columns] if whole else np.zeros(width, dtype=bool), False),
        stages=(Stage("gap", cost, 0.0),),
        rows=(),
        columns=(),
        defining_row=np.full(width + 1, -1, dtype=np.int64),
    )
    options = options or Options()
    if count > LARGE and not whole:
        options = replace(options, crossover=True)
    solver = Solver(matrix, options, progress)
    weights, tied, pull = np.zeros(len(model.rows)), np.zeros(model.ties.shape[0]), np.zeros(len(model.columns))
    if settled(solver, cost, "clash") == "infeasible":
        if giving is None:
            raise SolverError("HiGHS says infeasible of a problem that has an answer")
        return Verdict(True, np.inf, 0.0, weights, tied, pull)
    gap = max(0.0, float(solver.values()[-1]))
    if whole:
        return Verdict(gap > WITH_LUMPS, gap, 0.0, weights, tied, pull)
    duals, _ = solver.duals()
    tied[part.ties] = -duals[: part.ties.size]
    tied = np.where(np.isneginf(model.left), np.maximum(tied, 0.0), tied)
    weights[held] = np.maximum(-duals[part.ties.size :], 0.0)
    total = float(weights @ model.scale)
    if total > 0:
        weights, tied = weights / total, tied / total
    margin, pull = proof(model, weights, tied)
    noise = TIGHT * float(weights @ model.largest)
    return Verdict(margin > noise and gap > 0, gap, margin, weights * model.scale, tied, pull)


def _can_be_missed(model: Model, held: Rows) -> NDArray[np.bool_]:
    """Which asked rows some decision could miss; the others hold by themselves."""
    _, high = extremes(csr_array(model.asked[held, :]), model.lo, model.hi)
    found: NDArray[np.bool_] = high > model.limit[held]
    return found


@dataclass(frozen=True)
class _Part:
    """Ties and columns that bear on some asked rows."""

    ties: Rows
    columns: Rows


def _part(model: Model, held: Rows) -> _Part:
    """What bears on the asked rows `held`: whatever else is decided, the rest can be chosen to fit.

    A measure comes with all its rows. Payments and overlaps that nobody asks about can always be made to fit, so their
    rows count only where one of them is asked about.
    """
    active = np.asarray(abs(model.asked[held, :]).sum(axis=0) > 0).ravel()
    while True:
        reached = np.asarray(model.incidence @ active.astype(float) > 0)
        free = np.asarray(model.incidence @ (active & model.fitting).astype(float) > 0)
        ties = np.where(model.fitted, free, reached)
        grown = active | np.asarray(model.incidence.T @ ties.astype(float) > 0)
        if np.array_equal(grown, active):
            break
        active = grown
    return _Part(np.flatnonzero(ties), np.flatnonzero(active))


def proof(model: Model, weights: Array, ties: Array) -> tuple[float, Array]:
    """By how much the weighted rows are missed whatever is decided, and what each upper bound takes of it.

    The sum of rows `weights (asked x - limit) + ties (ties x - right)` is at least this for every x in the box: when it
    is positive, no plan keeps them all. Computed from the rows, not from the solver.
    """
    slope = weights @ model.asked + ties @ model.ties
    right = np.where(ties > 0, model.right, np.where(ties < 0, model.left, 0.0))
    ends = np.where(slope < 0, model.hi, model.lo)
    values = np.where(slope != 0, slope * ends, 0.0)
    margin = float(values.sum() - weights @ model.limit - ties @ right)
    return margin, np.where(slope < 0, -values, 0.0)


@dataclass(frozen=True)
class Proof:
    """Weights that prove a clash, by the names of the rows, so that they can be tried on a model that was moved."""

    weights: Mapping[tuple[Element, Name], float]
    ties: Array
    noise: float
    """A margin up to this is within what a solver tolerates."""

    @property
    def elements(self) -> frozenset[Element]:
        """What asks for the rows that take part."""
        return frozenset(element for element, _ in self.weights)

    def margin(self, model: Model) -> float:
        """By how much what is asked of a model is missed whatever is decided, if positive; it proves nothing if not."""
        weights = np.zeros(len(model.rows))
        for name, weight in self.weights.items():
            i = model.row.get(name)
            if i is not None:
                weights[i] = weight
        return proof(model, weights, self.ties)[0]


def proof_of(model: Model, verdict: Verdict) -> Proof:
    """The proof in a verdict."""
    used = np.flatnonzero(verdict.weights > 0).tolist()
    names = {(model.owners[i], model.rows[i]): float(verdict.weights[i] / model.scale[i]) for i in used}
    noise = TIGHT * float(verdict.weights / model.scale @ model.largest)
    return Proof(names, verdict.ties, noise)


@dataclass(frozen=True)
class Found:
    """A clash: what takes part, tested one by one; and together what there is too much of to be told one by one."""

    members: frozenset[Element]
    together: tuple[frozenset[Element], ...]
    """Groups or limits of one kind, each lot tested as a whole."""
    verdict: Verdict
    rows: Rows
    """Asked rows with weight in the proof."""
    weight: dict[Element, float] = field(default_factory=dict)

    @property
    def all(self) -> frozenset[Element]:
        """Everything that takes part."""
        return self.members.union(*self.together)


class Finder:
    """Looks for clashes in one model and remembers every proof it came across."""

    def __init__(
        self, model: Model, limit: Deadline | None = None, lumps: bool = False, progress: Progress | None = None
    ) -> None:
        self.model, self.lumps, self.progress = model, lumps, progress
        self.limit = limit or deadline(Options())
        self.stopped = False
        """Whether the time ended before every clash was found and as small as can be."""
        self.begun = time.perf_counter()
        self.proofs: list[frozenset[Element]] = []
        """Elements that clash with each other and the limits, whatever else is dropped."""
        self.weights: list[Proof] = []
        """The same with their weights, where there are some."""
        self.possible: list[frozenset[Element]] = []
        """Elements that can hold together, with the limits."""
        self.more = False
        """Whether there are more clashes than were looked for."""
        self.gap = 0.0
        """Part of its size that everything asked for must give at least, if all give alike [-]."""

    def test(
        self,
        held: Collection[Element],
        model: Model | None = None,
        remember: bool = True,
        giving: Element | None = None,
    ) -> Verdict:
        """Whether these elements clash in the model, or in one that was moved; a proof is remembered."""
        if self.progress is not None:
            self.progress("clash", time.perf_counter() - self.begun)
        model = model or self.model
        chosen = set(held)
        rows = np.array([i for i, element in enumerate(model.owners) if element in chosen], dtype=np.int64)
        verdict = examine(model, rows, self.limit.options, self.lumps, self.progress, giving)
        if np.isinf(verdict.gap):
            return verdict
        if verdict.clash and remember and model is self.model:
            self.proofs.append(frozenset(chosen if self.lumps else verdict.elements(model)))
        if not verdict.clash and model is self.model:
            self.possible.append(frozenset(chosen))
        if verdict.clash and remember and not self.lumps:
            self.weights.append(proof_of(model, verdict))
        return verdict

    def clashes(self, alone: Sequence[Element] = ()) -> Iterator[Found]:
        """Clashes that share nothing that was asked for; `more` says in the end whether the rest still clashes.

        Those that are known to be impossible `alone` come first, with the limits that make them so.
        """
        found = 0
        left = set(self.model.elements)
        for element in alone:
            verdict = self.test([element])
            if verdict.clash and found < MOST:
                clash = self.smallest([element], verdict)
                self.gap = max(self.gap, verdict.gap)
                left -= clash.all
                found += 1
                yield clash
        while left:
            try:
                verdict = self.test(left)
            except TimeUpError:
                if not found:
                    raise
                self.stopped = True
                return
            self.gap = max(self.gap, verdict.gap)
            if not verdict.clash:
                return
            if found == MOST:
                self.more = True
                return
            clash = self.smallest(left, verdict)
            left -= clash.all
            found += 1
            yield clash

    def smallest(self, held: Collection[Element], verdict: Verdict) -> Found:
        """A clash among `held`, from which nothing can be dropped."""
        current = set(held) if self.lumps else verdict.elements(self.model)
        weight = verdict.weight_of(self.model)

        def attempt(lot: Iterable[Element]) -> bool:
            nonlocal current, verdict, weight
            lot = set(lot) & current
            if not lot or lot == current or self.stopped:
                return False
            try:
                tried = self.test(current - lot)
            except TimeUpError:
                self.stopped = True
                return False
            if tried.clash:
                current = current - lot if self.lumps else tried.elements(self.model)
                verdict, weight = tried, tried.weight_of(self.model)
            return tried.clash

        def of(kind: str) -> list[Element]:
            return sorted((e for e in current if e.kind == kind), key=lambda e: (weight.get(e, 0.0), e))

        attempt(of("target")[:-1])
        for kind in ("group", "floor", "pin", "budget"):
            if len(of(kind)) > 1:
                attempt(of(kind))
        together: list[frozenset[Element]] = []
        for kind in ("group", "floor", "budget", "target", "pin"):
            lot = of(kind)
            if kind == "group" and len(lot) > MANY:
                together.append(frozenset(lot))
                continue
            for element in lot:
                if element in current:
                    attempt([element])
        together = [lot & current for lot in together if lot & current]
        if not self.lumps and self.model.columns:
            return self._limited(current, together, verdict)
        members = frozenset(current.difference(*together))
        return Found(members, tuple(together), verdict, np.flatnonzero(verdict.weights > USED), weight)

    def _limited(self, asked: set[Element], together: list[frozenset[Element]], verdict: Verdict) -> Found:
        """The clash with the limits of measures that take part in it."""
        used = limits_used(self.model, verdict)
        known = all_limits(self.model)
        if self.stopped:
            return self._told(asked, together, verdict, used)
        try:
            return self._fewest(asked, together, verdict, used, known)
        except TimeUpError:
            self.stopped = True
            return self._told(asked, together, verdict, used)

    def _told(
        self, asked: set[Element], together: list[frozenset[Element]], verdict: Verdict, used: Mapping[Element, float]
    ) -> Found:
        """A clash as it is known when the time ends, its limits told together."""
        of_kind = [frozenset(e for e in used if e.kind == kind) for kind in LIMITS]
        lots = [*together, *[lot for lot in of_kind if lot]]
        weight = {**verdict.weight_of(self.model), **used}
        rows = np.flatnonzero(verdict.weights > USED)
        return Found(frozenset(asked).difference(*lots), tuple(lots), verdict, rows, weight)

    def _fewest(
        self,
        asked: set[Element],
        together: list[frozenset[Element]],
        verdict: Verdict,
        used: dict[Element, float],
        known: set[Element],
    ) -> Found:
        """The clash with those limits from which nothing can be dropped."""
        if not self.test(asked, opened(self.model, known - set(used)), remember=False).clash:
            used = dict.fromkeys(known, 0.0)
        current = set(used)
        last = verdict

        def attempt(lot: set[Element]) -> bool:
            nonlocal current, last
            lot = lot & current
            if not lot:
                return False
            changed = opened(self.model, (known - current) | lot)
            tried = self.test(asked, changed, remember=False)
            if tried.clash:
                current = (current - lot) & set(limits_used(changed, tried))
                if not self.test(asked, opened(self.model, known - current), remember=False).clash:
                    current = current | (set(used) - lot)
                last = tried
            return tried.clash

        together = list(together)
        lots: list[frozenset[Element]] = []
        for kind in reversed(LIMITS):
            of_kind = frozenset(e for e in current if e.kind == kind)
            if of_kind and not attempt(set(of_kind)):
                lots.append(of_kind)
        for lot in lots:
            if len(lot & current) > MANY:
                together.append(lot & current)
                continue
            for element in sorted(lot, key=lambda e: (used.get(e, 0.0), e)):
                attempt({element})
        still = current | asked
        together = [lot & still for lot in together if lot & still]
        singles = (asked | current).difference(*together)
        weight = {**verdict.weight_of(self.model), **{e: used.get(e, 0.0) for e in current}}
        return Found(frozenset(singles), tuple(together), verdict, np.flatnonzero(verdict.weights > USED), weight)


def all_limits(model: Model) -> set[Element]:
    """Every limit of every measure."""
    early = {str(model.columns[j][1][0]) for j in model.early}
    found = {Element(kind, m) for _, m in model.columns_of for kind in ("potential", "ramp")}
    return found | {Element("first_year", m) for m in early}


def limits_used(model: Model, verdict: Verdict) -> dict[Element, float]:
    """Limits of measures on which a proof rests, and how much of it rests on each."""
    found: dict[Element, float] = {}
    for j in np.flatnonzero(verdict.pull > USED * max(verdict.margin, 1e-9)).tolist():
        family, key = model.columns[j]
        if family in ("stock", "starts", "lumps"):
            element = Element("potential" if family == "stock" else "ramp", str(key[0]))
            found[element] = found.get(element, 0.0) + float(verdict.pull[j])
    slope = verdict.weights / model.scale @ model.asked + verdict.ties @ model.ties
    for j in model.early:
        if slope[j] < -USED * np.abs(slope).max(initial=0.0):
            element = Element("first_year", str(model.columns[j][1][0]))
            found[element] = found.get(element, 0.0) + USED
    return found


def opened(model: Model, limits: Iterable[Element]) -> Model:
    """The model without some limits."""
    wide = model.opened(limits)
    hi = np.where(np.isposinf(wide.hi), OPEN * np.where(model.hi > 0, model.hi, _early(model)), wide.hi)
    return replace(wide, hi=hi)


def _early(model: Model) -> Array:
    limits = np.zeros(len(model.columns))
    for j, limit in model.early.items():
        limits[j] = limit
    return limits
