"""Clashes: the smallest sets of rows that cannot hold together.

Every row that somebody asked for may give by the same part t of its size; the least t is positive exactly when they
clash. The duals of this problem are one extreme ray of Farkas' lemma: rows with a dual are a minimal clash. What is
left is to drop whole targets, budgets, groups and limits one by one, and to see whether the rest still clashes.
"""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from planner.compile import Matrix, Stage
from planner.conflict.model import LIMITS, TIGHT, Array, Element, Model, Rows
from planner.engine import STATUS, Options, Progress, Solver
from planner.errors import SolverError

USED = 1e-7
"""A row takes part in a clash when its weight, of 1 for all rows, is above this [-]."""
WITH_LUMPS = 1e-6
"""With whole lumps, rows that must give by more than this part of their size clash [-]."""
MANY = 12
"""More groups or limits than this in one clash are told together and not tested one by one."""
MOST = 10
"""Clashes that are told."""
OPEN = 1e4
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


def examine(
    model: Model, held: Rows, options: Options | None = None, lumps: bool = False, progress: Progress | None = None
) -> Verdict:
    """Whether the asked rows `held` clash. Raises SolverError when HiGHS has no answer."""
    width, count = len(model.columns), held.size
    sizes = csr_array(-model.scale[held][:, None]) if count else csr_array((0, 1))
    empty = csr_array((model.ties.shape[0], 1))
    rows = csr_array(
        vstack([hstack([model.ties, empty]), hstack([model.asked[held, :], sizes])], format="csr"), dtype=float
    )
    rows.sort_indices()
    cost = np.zeros(width + 1)
    cost[-1] = 1.0
    matrix = Matrix(
        A=rows,
        row_lower=np.concatenate([model.left, np.full(count, -np.inf)]),
        row_upper=np.concatenate([model.right, model.limit[held]]),
        lower=np.append(model.lo, 0.0),
        upper=np.append(model.hi, np.inf),
        integer=np.append(model.integer if lumps else np.zeros(width, dtype=bool), False),
        stages=(Stage("gap", cost, 0.0),),
        rows=(),
        columns=(),
        defining_row=np.full(width + 1, -1, dtype=np.int64),
    )
    solver = Solver(matrix, options or Options(), progress)
    status = STATUS.get(solver.minimise(cost, "clash"), "unknown")
    if status != "optimal":
        raise SolverError(f"HiGHS says {status} of a problem that has an answer")
    gap = max(0.0, float(solver.values()[-1]))
    weights, ties, pull = np.zeros(len(model.rows)), np.zeros(model.ties.shape[0]), np.zeros(width)
    if lumps and model.integer.any():
        return Verdict(gap > WITH_LUMPS, gap, 0.0, weights, ties, pull)
    duals, _ = solver.duals()
    ties = -duals[: ties.size]
    ties = np.where(np.isneginf(model.left), np.maximum(ties, 0.0), ties)
    weights[held] = np.maximum(-duals[ties.size :], 0.0)
    total = float(weights @ model.scale)
    if total > 0:
        weights, ties = weights / total, ties / total
    margin, pull = proof(model, weights, ties)
    noise = TIGHT * float(weights @ model.largest)
    return Verdict(margin > noise and gap > 0, gap, margin, weights * model.scale, ties, pull)


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
        self, model: Model, options: Options | None = None, lumps: bool = False, progress: Progress | None = None
    ) -> None:
        self.model, self.options, self.lumps, self.progress = model, options, lumps, progress
        self.begun = time.perf_counter()
        self.proofs: list[frozenset[Element]] = []
        """Elements that clash with each other and the limits, whatever else is dropped."""
        self.examined = 0
        self.gap = 0.0
        """Part of its size that everything asked for must give if all give alike [-]."""

    def test(self, held: Collection[Element], model: Model | None = None, remember: bool = True) -> Verdict:
        """Whether these elements clash, with the limits of `model`."""
        if self.progress is not None:
            self.progress("clash", time.perf_counter() - self.begun)
        model = model or self.model
        chosen = set(held)
        rows = np.array([i for i, element in enumerate(model.owners) if element in chosen], dtype=np.int64)
        self.examined += 1
        verdict = examine(model, rows, self.options, self.lumps, self.progress)
        if verdict.clash and remember and model is self.model:
            self.proofs.append(frozenset(chosen if self.lumps else verdict.elements(model)))
        return verdict

    def clashes(self) -> tuple[list[Found], bool]:
        """Clashes that share nothing that was asked for, and whether the rest still clashes."""
        found: list[Found] = []
        left = set(self.model.elements)
        while left:
            verdict = self.test(left)
            if not found:
                self.gap = verdict.gap
            if not verdict.clash:
                return found, False
            if len(found) == MOST:
                return found, True
            found.append(self.smallest(left, verdict))
            left -= found[-1].all
        return found, False

    def smallest(self, held: Collection[Element], verdict: Verdict) -> Found:
        """A clash among `held`, from which nothing can be dropped."""
        current = set(held) if self.lumps else verdict.elements(self.model)
        weight = verdict.weight_of(self.model)

        def attempt(lot: Iterable[Element]) -> bool:
            nonlocal current, verdict, weight
            lot = set(lot) & current
            if not lot or lot == current:
                return False
            tried = self.test(current - lot)
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
