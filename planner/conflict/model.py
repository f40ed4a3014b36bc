"""What a plan may decide and what is asked of it, without objective: the ground on which clashes are found.

Levels, changes and pools are defined by the decisions, so they are substituted away: what is left are bounded
decisions (starts, stock, overlaps, payments), the rows that tie them together, and the rows that somebody asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, vstack

from planner.compile import Key, Matrix, Name, compile_problem
from planner.problem import Problem
from planner.problem.stock import ROUNDING
from planner.rows import Target
from planner.targets import Bound, Side, bounds

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

SMALL = 1e-3
"""A bound below this part of what can change in its row says nothing of its size [-]."""
TIGHT = 2e-7
"""Rows that must be missed by more than this part of their largest term are infeasible [-]."""


PAYABLE = 100.0
"""Where more can be built than in the case, so many times as much can be paid [-]."""


@dataclass(frozen=True, order=True)
class Element:
    """Something in the tables that can be dropped or loosened: what it is, and its id."""

    kind: str
    """target, budget, pin, floor, group; potential, ramp, first_year, lead_time of a measure."""
    id: str


POLICY = ("target", "budget", "pin", "floor", "group")
LIMITS = ("potential", "ramp", "first_year")
ASKED = {
    "target_is_kept": "target",
    "budget_is_kept": "budget",
    "pin_at_least": "pin",
    "pin_at_most": "pin",
    "level_above_floor": "floor",
    "shared_within_cap": "group",
    "dependents_within_providers": "group",
    "overlap_at_least": "group",
}
"""Families whose rows somebody asked for, and what they are called in the tables; all are `<=`."""


@dataclass(frozen=True)
class Model:
    """`left <= ties x <= right`, `asked x <= limit`, `lo <= x <= hi`."""

    problem: Problem
    columns: tuple[Name, ...]
    ties: csr_array
    left: Array
    right: Array
    asked: csr_array
    limit: Array
    scale: Array
    """Size of each asked row, in its unit: violations are told as parts of it."""
    rows: tuple[Name, ...]
    """Family and key of each asked row."""
    owners: tuple[Element, ...]
    """What asks for each row."""
    lo: Array
    hi: Array
    usual: Array
    """Size of each column in the case itself: what is small is told by it, also where a limit is dropped."""
    integer: NDArray[np.bool_]
    levels: csr_array
    """Each level of the problem in terms of the decisions, without its constant."""
    level_at: Mapping[Key, int]
    level_base: Array
    early: Mapping[int, float]
    """Columns of starts before a measure's first year, and what would limit them."""

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """Everything that asks, in the order of the rows."""
        return tuple(dict.fromkeys(self.owners))

    @cached_property
    def rows_of(self) -> Mapping[Element, Rows]:
        """Positions of the rows of each element."""
        found: dict[Element, list[int]] = {}
        for i, element in enumerate(self.owners):
            found.setdefault(element, []).append(i)
        return {element: np.array(rows, dtype=np.int64) for element, rows in found.items()}

    @cached_property
    def row(self) -> Mapping[tuple[Element, Name], int]:
        """Position of each asked row by what asks and its name."""
        return {name: i for i, name in enumerate(zip(self.owners, self.rows, strict=True))}

    @cached_property
    def columns_of(self) -> Mapping[tuple[str, str], Rows]:
        """Positions of the columns of each family and measure."""
        found: dict[tuple[str, str], list[int]] = {}
        for j, (family, key) in enumerate(self.columns):
            if family in ("starts", "stock", "lumps"):
                found.setdefault((family, str(key[0])), []).append(j)
        return {name: np.array(columns, dtype=np.int64) for name, columns in found.items()}

    @cached_property
    def tie_families(self) -> NDArray[np.bool_]:
        """Ties whose coefficients are parts of a potential: overlaps within a member."""
        chosen: NDArray[np.bool_] = np.isneginf(self.left) & (self.right == 0.0) & self._by_part
        return chosen

    @cached_property
    def _by_part(self) -> NDArray[np.bool_]:
        overlap = np.array([family == "overlap" for family, _ in self.columns], dtype=float)
        found: NDArray[np.bool_] = np.asarray(abs(self.ties) @ overlap > 0)
        return found

    @cached_property
    def paid(self) -> NDArray[np.bool_]:
        """Columns of payments; what bounds them is the most that can be spent as long as no more can be built."""
        return np.array([family == "paid" for family, _ in self.columns], dtype=bool)

    @cached_property
    def fitting(self) -> NDArray[np.bool_]:
        """Columns of payments and overlaps."""
        return np.array([family in ("paid", "overlap") for family, _ in self.columns], dtype=bool)

    @cached_property
    def incidence(self) -> csr_array:
        """Which columns stand in which ties."""
        return csr_array((np.ones(self.ties.nnz), self.ties.indices, self.ties.indptr), shape=self.ties.shape)

    @cached_property
    def fitted(self) -> NDArray[np.bool_]:
        """Ties on payments and overlaps."""
        found: NDArray[np.bool_] = np.asarray(self.incidence @ self.fitting.astype(float) > 0)
        return found

    @cached_property
    def by_part(self) -> NDArray[np.bool_]:
        """Asked rows whose coefficients are parts of a potential: overlaps, and groups that share one base."""
        blank = {row.group for row in self.problem.case.groups if row.kind == "shared" and row.cap is None}
        return np.array(
            [f == "overlap_at_least" or (f == "shared_within_cap" and str(k[0]) in blank) for f, k in self.rows],
            dtype=bool,
        )

    @cached_property
    def largest(self) -> Array:
        """Largest term of each asked row, in its unit."""
        terms = csr_array(abs(self.asked))
        terms.data = terms.data * self.usual[terms.indices]
        sizes = np.asarray(terms.max(axis=1).toarray()).ravel()
        return np.asarray(np.maximum(sizes, np.abs(self.limit)))

    # ---- the same model with something moved

    def target_rows(self, target: Target) -> tuple[csr_array, Array, list[Bound]]:
        """Rows that a target asks for in years that are decided, over the decisions."""
        wanted = self.wanted(target)
        return *self.of_bounds(wanted), wanted

    def wanted(self, target: Target) -> list[Bound]:
        """What a target asks for in years that are decided."""
        return [bound for bound in bounds(target, self.problem) if bound.year > self.problem.decided_after]

    def of_bounds(self, wanted: Sequence[Bound]) -> tuple[csr_array, Array]:
        """Bounds on levels as rows over the decisions, and their limits."""
        rows, columns, weights = [], [], []
        limits = np.array([bound.limit for bound in wanted])
        for i, bound in enumerate(wanted):
            for key, weight in bound.excess.items():
                rows.append(i)
                columns.append(self.level_at[key])
                weights.append(weight)
        pick = csr_array((weights, (rows, columns)), shape=(len(wanted), self.levels.shape[0]))
        return csr_array(pick @ self.levels), limits - pick @ self.level_base

    def expression(self, side: Side) -> tuple[Array, float]:
        """A side of a bound over the decisions, and its constant."""
        coefficients, constant = np.zeros(len(self.columns)), side.constant
        for key, weight in side.terms.items():
            i = self.level_at[key]
            coefficients += weight * self.levels[[i], :].toarray().ravel()
            constant += weight * float(self.level_base[i])
        return coefficients, constant

    def with_target(self, target: Target) -> "Model":
        """The model with the rows of a target of the same id in place of its own."""
        element = Element("target", target.target)
        kept = np.array([owner != element for owner in self.owners], dtype=bool)
        asked, limit, wanted = self.target_rows(target)
        id_ = target.target
        parts = [f"{id_}:{bound.part}" if bound.part else id_ for bound in wanted]
        names: list[Name] = [("target_is_kept", (part, bound.year)) for part, bound in zip(parts, wanted, strict=True)]
        size = float(self.scale[~kept].max(initial=0.0)) or 1.0
        return replace(
            self,
            asked=csr_array(vstack([self.asked[np.flatnonzero(kept), :], asked], format="csr")),
            limit=np.concatenate([self.limit[kept], limit]),
            scale=np.concatenate([self.scale[kept], np.full(len(wanted), size)]),
            rows=(*[row for row, keep in zip(self.rows, kept, strict=True) if keep], *names),
            owners=(*[owner for owner, keep in zip(self.owners, kept, strict=True) if keep], *[element] * len(wanted)),
        )

    def with_limits(self, rows: Rows, more: Array) -> "Model":
        """The model with the limits of some asked rows raised."""
        limit = self.limit.copy()
        limit[rows] += more
        return replace(self, limit=limit)

    def with_potential(self, measure: str, factor: float) -> "Model":
        """The model with the potential of a measure, and so its ramp, times a factor."""
        hi = self.hi.copy()
        hi[self.columns_of.get(("stock", measure), [])] *= factor
        return self._with_parts([measure], 1 / factor)._with_starts(measure, hi, factor)

    def with_ramp(self, measure: str, factor: float) -> "Model":
        """The model with the ramp of a measure times a factor."""
        return self._with_starts(measure, self.hi.copy(), factor)

    def with_early(self, measure: str, first_year: int) -> "Model":
        """The model with a measure that may start from an earlier year on."""
        hi = self.hi.copy()
        for j, limit in self.early.items():
            _, key = self.columns[j]
            if key[0] == measure and int(key[2]) >= first_year:
                hi[j] = limit
        return replace(self, hi=hi)

    def _with_starts(self, measure: str, hi: Array, factor: float) -> "Model":
        """The model with these upper bounds, and starts of a measure limited to its ramp times a factor."""
        hi[self.paid] = np.maximum(hi[self.paid], PAYABLE * self.usual[self.paid])
        early = dict(self.early)
        lump = self.problem.lump.get(measure)
        row = self.problem.measures[measure]
        for family in ("starts", "lumps"):
            for j in self.columns_of.get((family, measure), np.zeros(0, dtype=np.int64)).tolist():
                limit = (
                    row.ramp * self.problem.potential[measure, str(self.columns[j][1][1]), self.problem.last] * factor
                )
                if lump:
                    whole = float(np.floor(max(limit, lump) / lump + ROUNDING))
                    limit = whole * lump if family == "starts" else whole
                if j in early:
                    early[j] = limit
                else:
                    hi[j] = limit
        return replace(self, hi=hi, early=early)

    def opened(self, limits: Iterable[Element]) -> "Model":
        """The model without these limits of measures."""
        by_kind: dict[str, list[str]] = {}
        for element in limits:
            by_kind.setdefault(element.kind, []).append(element.id)
        hi = self.hi.copy()
        fast = set(by_kind.get("ramp", ()))
        for m in fast:
            for family in ("starts", "lumps"):
                columns = self.columns_of.get((family, m), np.zeros(0, dtype=np.int64))
                hi[[j for j in columns.tolist() if j not in self.early]] = np.inf
        for m in by_kind.get("first_year", ()):
            for family in ("starts", "lumps"):
                for j in self.columns_of.get((family, m), np.zeros(0, dtype=np.int64)).tolist():
                    if j in self.early:
                        hi[j] = np.inf if m in fast else self.early[j]
        if by_kind:
            hi[self.paid] = np.inf
        large = by_kind.get("potential", [])
        for m in large:
            hi[self.columns_of.get(("stock", m), [])] = np.inf
        return replace(self._with_parts(large, 0.0) if large else self, hi=hi)

    def _with_parts(self, measures: Sequence[str], factor: float) -> "Model":
        """The model with shares of the potential of measures times a factor."""
        weight = np.ones(len(self.columns))
        for m in measures:
            weight[self.columns_of.get(("stock", m), [])] = factor
        asked, ties = self.asked.copy(), self.ties.copy()
        for matrix, chosen in ((asked, self.by_part), (ties, self.tie_families)):
            where = np.repeat(chosen, np.diff(matrix.indptr))
            matrix.data = np.where(where, matrix.data * weight[matrix.indices], matrix.data)
        return replace(self, asked=asked, ties=ties)


def build(problem: Problem) -> Model:
    """The model of a problem; starts before a measure's first year are columns that are shut."""
    case = problem.case
    late = [row.measure for row in case.measures if row.first_year and row.first_year > problem.decided_after + 1]
    edits = [{"table": "measures", "key": {"measure": m}, "set": {"first_year": None}} for m in late]
    wider = Problem(case.edited(edits)) if edits else problem
    matrix = compile_problem(wider)
    free = np.flatnonzero(np.isneginf(matrix.lower) & (matrix.defining_row >= 0))
    miss = np.array([family == "miss" for family, _ in matrix.columns], dtype=bool)
    kept = np.flatnonzero(~np.isneginf(matrix.lower) & ~miss)
    soft = set(wider.soft)
    defines = np.zeros(len(matrix.rows), dtype=bool)
    defines[matrix.defining_row[free]] = True
    others = [
        i
        for i, (family, key) in enumerate(matrix.rows)
        if not defines[i] and not (family == "target_is_kept" and key in soft)
    ]
    whole, constants = substituted(matrix, free)
    rows = csr_array(csr_array(matrix.A[others, :]) @ whole)[:, kept]
    shift = csr_array(matrix.A[others, :]) @ constants
    asks = np.array([matrix.rows[i][0] in ASKED for i in others], dtype=bool)
    level_columns = [matrix.column["level", key] for key in wider.leveled]
    lo, hi = matrix.lower[kept], matrix.upper[kept].copy()
    columns = tuple(matrix.columns[j] for j in kept.tolist())
    first = {row.measure: row.first_year or problem.first for row in case.measures}
    early = {
        j: float(hi[j])
        for j, (family, key) in enumerate(columns)
        if family in ("starts", "lumps") and int(key[2]) < first[str(key[0])]
    }
    names = tuple(matrix.rows[i] for i, asked in zip(others, asks, strict=True) if asked)
    upper, lower = matrix.row_upper[others] - shift, matrix.row_lower[others] - shift
    hi = _payable(csr_array(rows[np.flatnonzero(~asks), :]), upper[~asks], columns, hi, lo)
    asked = csr_array(rows[np.flatnonzero(asks), :])
    model = Model(
        problem=problem,
        columns=columns,
        ties=csr_array(rows[np.flatnonzero(~asks), :]),
        left=lower[~asks],
        right=upper[~asks],
        asked=asked,
        limit=upper[asks],
        scale=np.ones(len(names)),
        rows=names,
        owners=tuple(owner(wider, name) for name in names),
        lo=lo,
        hi=np.where(np.isin(np.arange(kept.size), list(early)), 0.0, hi),
        usual=np.maximum(np.abs(lo), np.abs(hi)),
        integer=matrix.integer[kept],
        levels=csr_array(csr_array(whole[level_columns, :])[:, kept]),
        level_at={key: i for i, key in enumerate(wider.leveled)},
        level_base=constants[level_columns],
        early=early,
    )
    return replace(model, scale=scales(model))


def substituted(matrix: Matrix, free: Rows) -> tuple[csr_array, Array]:
    """Every column in terms of those that are not free, and its constant: x = whole @ x + constants."""
    size = len(matrix.columns)
    rows = csr_array(matrix.A[matrix.defining_row[free], :])
    row_of = np.repeat(np.arange(free.size), np.diff(rows.indptr))
    is_own = rows.indices == free[row_of]
    own = np.ones(free.size)
    own[row_of[is_own]] = rows.data[is_own]
    data = np.where(is_own, 0.0, -rows.data / own[row_of])
    there = data != 0
    entries = (data[there], (free[row_of[there]], rows.indices[there]))
    step = coo_array(entries, shape=(size, size)).tocsr()
    constant = np.zeros(size)
    constant[free] = matrix.row_upper[matrix.defining_row[free]] / own
    given = np.ones(size)
    given[free] = 0.0
    keep = coo_array((given[given > 0], (np.flatnonzero(given), np.flatnonzero(given))), shape=(size, size)).tocsr()
    whole, constants = csr_array(keep), constant
    while True:
        following = csr_array(step @ whole) + keep
        values = step @ constants + constant
        change = abs(following - whole)
        if change.nnz == 0 or (change.max() == 0 and np.array_equal(values, constants)):
            return csr_array(following), values
        whole, constants = csr_array(following), values


def _payable(ties: csr_array, right: Array, columns: Sequence[Name], hi: Array, lo: Array) -> Array:
    """Upper bounds with the most that each fund can be asked to pay: its share of the largest spending."""
    paid = np.array([family == "paid" for family, _ in columns], dtype=bool)
    capped = np.isposinf(hi) & paid
    sizes = np.where(capped, 0.0, hi)
    coefficients = ties.copy()
    own = capped[ties.indices] & (ties.data > 0)
    row_of = np.repeat(np.arange(ties.shape[0]), np.diff(ties.indptr))
    coefficients.data = np.where(capped[ties.indices], 0.0, np.minimum(ties.data * sizes[ties.indices], 0.0))
    least = np.asarray(coefficients.sum(axis=1)).ravel()
    bounds_ = hi.copy()
    alone = np.bincount(row_of[own], minlength=ties.shape[0]) == 1
    for entry in np.flatnonzero(own & alone[row_of]).tolist():
        i, j = int(row_of[entry]), int(ties.indices[entry])
        bounds_[j] = min(bounds_[j], max(0.0, (right[i] - least[i]) / ties.data[entry]))
    return bounds_


def owner(problem: Problem, name: Name) -> Element:
    """What asks for a row."""
    family, key = name
    kind, id_ = ASKED[family], str(key[0])
    if kind == "target":
        id_ = problem.goal_target[id_]
    elif kind == "floor":
        id_ = problem.levels[id_].what
    return Element(kind, id_)


def scales(model: Model) -> Array:
    """Size of each asked row: its bound as stated, or what can change in it where the bound says nothing.

    Both grow with the unit, so parts of a scale are the same in any unit.
    """
    problem = model.problem
    low, high = extremes(model.asked, model.lo, model.hi)
    reach = np.where(np.isfinite(high - low), high - low, 0.0)
    stated = np.abs(model.limit)
    bases = model.level_base.tolist()
    levels = {(str(key[0]), int(key[1])): float(bases[i]) for key, i in model.level_at.items()}
    for i, (family, key) in enumerate(model.rows):
        if family == "target_is_kept":
            stated[i] = abs(problem.bounds[str(key[0]), int(key[1])].bound.value(levels))
        elif family == "level_above_floor":
            stated[i] = abs(problem.floor[str(key[0]), int(key[1])])
        elif family == "budget_is_kept":
            stated[i] = problem.budget_limit[str(key[0]), int(key[1])]
    found = np.where(stated > SMALL * reach, stated, reach)
    return np.where(found > 0, found, 1.0)


def extremes(rows: csr_array, lo: Array, hi: Array) -> tuple[Array, Array]:
    """Least and largest value of each row over a box."""
    positive, negative = csr_array(rows.maximum(0)), csr_array(rows.minimum(0))
    low, high = np.where(np.isfinite(lo), lo, 0.0), np.where(np.isfinite(hi), hi, 0.0)
    return positive @ low + negative @ high, positive @ high + negative @ low


def fastest(problem: Problem) -> dict[tuple[str, str, int], tuple[float, float]]:
    """Least and most stock of each measure, city and year: what exists, and the fastest ramp on top [unit of m]."""
    found = {}
    for key in problem.holdings:
        m, c, _ = key
        held = problem.existing[key]
        most = held + sum(problem.start_limit[m, c, v] for v in problem.serving[key])
        found[key] = (min(held, problem.potential[key]), min(most, problem.potential[key]))
    return found


def quickest(model: Model) -> tuple[Array, Array]:
    """The box of decisions, stock no faster than its ramp, lead time and first year let it."""
    lo, hi = model.lo.copy(), model.hi.copy()
    paths = fastest(model.problem)
    for j, (family, key) in enumerate(model.columns):
        if family == "stock":
            lo[j], hi[j] = paths[str(key[0]), str(key[1]), int(key[2])]
    return lo, hi
