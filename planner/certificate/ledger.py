"""Ledger: every account of a plan as one sparse row of others, and every row a plan must keep.

The accounts stand in one vector u. Decided are starts N, overlaps O, payments D and misses M; the others follow,
u = b + K u: stock A, changes C, pooled conversions P, spending G and levels X. K has no cycle, so its powers end: the
same sums that carry a plan forward carry prices backward.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from planner.certificate.facts import Facts, Numbers, Vector
from planner.rows import FUND, PROVINCE, Target
from planner.timing import path, span

Key = tuple[str, str, int | None]
"""Family, key and year of a row, as in prices.csv."""
MISS = "miss"
"""Stages of a best-effort plan begin with it."""
LEVEL_FAMILIES = {"capex": "spending_level", "cost": "cost_level"}


@dataclass
class Rows:
    """Rows $R u \\le r$, or $R u = r$, in the order in which they were added."""

    names: list[Key] = field(default_factory=list)
    equal: list[bool] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    """Size of the constants that a limit was made of [unit of the row]."""
    columns: list[Numbers] = field(default_factory=list)
    weights: list[Vector] = field(default_factory=list)

    def add(
        self, name: Key, columns: Any, weights: Any, limit: float = 0.0, equal: bool = False, size: float = 0.0
    ) -> int:
        """Add a row; its number."""
        self.names.append(name)
        self.equal.append(equal)
        self.limits.append(limit)
        self.sizes.append(max(abs(limit), size))
        self.columns.append(np.asarray(columns, dtype=np.int64))
        self.weights.append(np.broadcast_to(np.asarray(weights, dtype=float), self.columns[-1].shape))
        return len(self.names) - 1

    def matrix(self, width: int) -> csr_array:
        """All rows as one matrix."""
        counts = [len(columns) for columns in self.columns]
        at = np.repeat(np.arange(len(counts)), counts)
        if not counts:
            return csr_array((0, width))
        return csr_array((np.concatenate(self.weights), (at, np.concatenate(self.columns))), shape=(len(counts), width))


@dataclass(frozen=True)
class Side:
    """One side of a target: weighted levels and a constant [unit of the quantity]."""

    columns: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()
    constant: float = 0.0

    def value(self, u: Vector) -> float:
        """The side in a plan."""
        return self.constant + sum(w * float(u[j]) for j, w in zip(self.columns, self.weights, strict=True))

    def size(self, sizes: Vector) -> float:
        """Sum of its absolute terms."""
        return abs(self.constant) + sum(
            abs(w) * float(sizes[j]) for j, w in zip(self.columns, self.weights, strict=True)
        )


@dataclass(frozen=True)
class Goal:
    """One row of a target: achieved {<=, >=} bound in `year`, the last year it counts."""

    target: Target
    year: int
    key: str
    achieved: Side
    bound: Side
    sign: float
    """1 where achieved may not exceed the bound, -1 where it may not fall short of it."""
    price_unit: float
    """Times the dual, it is the price per unit that the design names [-]."""
    row: int | None
    """Its row, none in years of history."""
    miss: int | None
    """Account of what a soft target is missed by."""


@dataclass(frozen=True)
class Allowance:
    """One row of a budget: levels spent up to a limit."""

    budget: str
    year: int
    columns: tuple[int, ...]
    limit: float
    row: int | None


class Ledger:
    """Accounts and rows of a case. `best_effort` lets every target be missed."""

    def __init__(self, facts: Facts, best_effort: bool = False) -> None:
        self.facts = facts
        self.best_effort = best_effort
        f, T = facts, facts.T
        self.overlaps: list[tuple[int, int]] = []
        """Tie and city of each overlap."""
        for g, tie in enumerate(f.ties):
            if tie.kind == "overlap":
                one, two = tie.members[0][0], tie.members[1][0]
                self.overlaps += [(g, c) for c in tie.cities if (one, c) in f.site and (two, c) in f.site]
        self.overlap = {pair: i for i, pair in enumerate(self.overlaps)}
        soft = [row for row in f.case.targets if row.soft_penalty is not None or best_effort]
        pooled = sum(route.shares is not None for route in f.routes)
        Q, C, S, _ = f.shape
        sizes = {
            "N": len(f.starts),
            "O": len(self.overlaps) * T,
            "D": len(f.share) * C * T,
            "M": len(soft) * 2 * T,
            "A": len(f.sites) * T,
            "C": Q * C * S * T,
            "P": pooled * S * T,
            "G": len(f.pools) * C * T,
        }
        ends = np.cumsum(list(sizes.values())).tolist()
        self.block = {name: slice(end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True)}
        self.levels: dict[str, int] = {}
        """First account of each level by its name; its years follow."""
        self.width = ends[-1]
        self._triplets: list[tuple[Numbers, Numbers, Vector]] = []
        self._constants: list[tuple[Numbers, Vector, Vector]] = []
        self._settled: tuple[csr_array, Vector, Vector] | None = None
        self._rest: tuple[csr_array, csr_array] | None = None
        self.shares = {pair: i for i, pair in enumerate(f.share)}
        self._define_stock()
        self._define_changes()
        self._define_spending()
        self._read_base_year()
        self.rows = Rows()
        self.goals: list[Goal] = []
        self.allowances: list[Allowance] = []
        self._misses = self.block["M"].start
        self.penalties: dict[int, float] = {}
        """Penalty per unit by account of a miss [currency per unit]."""
        self._require_groups()
        self._require_overlaps()
        self._require_floors()
        self._require_funding()
        self._require_targets()
        self._require_budgets()
        self._require_pins()

    # ------------------------------------------------------------ accounts

    def stock(self, site: Any, t: Any) -> Any:
        """Account of the stock of a site."""
        return self.block["A"].start + np.asarray(site) * self.facts.T + t

    def overlap_at(self, i: int, t: Any) -> Any:
        """Account of an overlap."""
        return self.block["O"].start + i * self.facts.T + np.asarray(t)

    def change(self, q: Any, c: Any, s: Any, t: Any) -> Any:
        """Account of the change of a quantity."""
        _, C, S, T = self.facts.shape
        return self.block["C"].start + ((np.asarray(q) * C + c) * S + s) * T + t

    def spending(self, k: Any, c: Any, t: Any) -> Any:
        """Account of a pool's spending in a city."""
        f = self.facts
        return self.block["G"].start + (np.asarray(k) * len(f.cities) + c) * f.T + t

    def paid(self, fund: str, k: int, c: Any, t: Any) -> Any:
        """Account of what a fund pays."""
        f = self.facts
        return self.block["D"].start + (self.shares[fund, k] * len(f.cities) + np.asarray(c)) * f.T + t

    def _define(self, rows: Any, columns: Any, weights: Any) -> None:
        rows, columns, weights = np.broadcast_arrays(rows, columns, weights)
        self._triplets.append((rows.ravel(), columns.ravel(), weights.astype(float).ravel()))
        self._settled = self._rest = None

    def _constant(self, rows: Any, values: Any, sizes: Any = None) -> None:
        rows, values = np.broadcast_arrays(rows, values)
        sizes = np.abs(values) if sizes is None else np.broadcast_to(sizes, rows.shape)
        self._constants.append((rows.ravel(), values.astype(float).ravel(), np.asarray(sizes, dtype=float).ravel()))
        self._settled = self._rest = None

    def _define_stock(self) -> None:
        """A start serves from the end of its lead time to the end of its life; existing stock stands anyway."""
        f = self.facts
        dates = np.array(f.dates)
        enters = (f.start_year + f.lead[f.start_measure])[:, None]
        self.serves = (enters <= dates) & (dates < enters + f.life[f.start_measure][:, None])
        """Whether a start serves in a year, by start and year."""
        j, t = np.nonzero(self.serves)
        self._define(self.stock(f.start_site[j], t), j, 1.0)
        self._constant(self.stock(np.arange(len(f.sites))[:, None], np.arange(f.T)), f.existing)

    def _define_changes(self) -> None:
        """Effects of the stock, losses of overlaps, and what conversions carry, in the base year and the plan."""
        f = self.facts
        _, C, S, T = f.shape
        t = np.arange(T)
        if f.effects:
            site = np.array([i for i, _, _ in f.effects])[:, None]
            q = np.array([q for _, q, _ in f.effects])[:, None]
            s = f.sector_of[f.site_measure[site]]
            values = np.array([value for _, _, value in f.effects])
            self._define(self.change(q, f.site_city[site], s, t), self.stock(site, t), values)
        for i, (g, c) in enumerate(self.overlaps):
            tie = f.ties[g]
            s = int(f.sector_of[tie.members[0][0]])
            self._define(self.change(tie.quantity, c, s, t), self.overlap_at(i, t), tie.loss)
        every_c, every_s = np.arange(C)[:, None, None], np.arange(S)[:, None]
        self.pooled: list[str] = []
        for route in f.routes:
            goal = every_s if route.to_sector is None else np.full_like(every_s, route.to_sector)
            source = self.change(route.source, every_c, every_s, t)
            if route.shares is None:
                self._define(self.change(route.goal, every_c, goal, t), source, route.factors)
            else:
                pool = self.block["P"].start + (len(self.pooled) * S + goal) * T + t
                self._define(pool, source, route.factors)
                sums = self.block["P"].start + (len(self.pooled) * S + every_s) * T + t
                reached = slice(None) if route.to_sector is None else slice(route.to_sector, route.to_sector + 1)
                self._define(
                    self.change(route.goal, every_c, every_s[reached], t), sums[reached], route.shares[:, None, None]
                )
                self.pooled.append(route.name)

    def _define_spending(self) -> None:
        """Capital cost is paid in equal parts over the years of construction, history as it is booked."""
        f = self.facts
        dates = np.array(f.dates)
        parts = np.maximum(1, f.lead[f.start_measure])
        begins = f.start_year[:, None]
        self.builds = (begins <= dates) & (dates < begins + parts[:, None])
        at = np.array([f.at[start.year] for start in f.starts], dtype=np.int64)
        self.start_price = f.capex[f.start_measure, at] if len(at) else np.zeros(0)
        self.installment = self.start_price / parts
        j, t = np.nonzero(self.builds)
        m = f.start_measure[j]
        self._define(self.spending(f.pool_of[m], f.site_city[f.start_site[j]], t), j, self.installment[j])
        for booking in f.bookings:
            if not booking.fund:
                measure, city = f.sites[booking.site]
                self._constant(self.spending(f.pool_of[measure], city, booking.t), booking.amount)

    def _read_base_year(self) -> None:
        """Changes by what stood in the base year (overlap at its least), and by old stock alone."""
        f = self.facts
        for i, (g, c) in enumerate(self.overlaps):
            share = 0.0  # both members together, as parts of their potentials
            for m, *_ in f.ties[g].members:
                potential = f.potential[f.site[m, c], 0]
                share += f.existing[f.site[m, c], 0] / potential if potential > 0 else -1.0
            if share > 1:
                self._constant(self.overlap_at(i, 0), share - 1)
        u, _ = self.forward(np.zeros(self.block["M"].stop))
        self.base_change = u[self.block["C"]].reshape(f.shape)[..., 0]
        matrix, _, _ = self.settled()
        term = np.zeros(self.width)
        term[self.block["A"]] = f.old.ravel()
        self.old_change = self._carried(matrix, term)[self.block["C"]].reshape(f.shape)

    # ------------------------------------------------------------ sums, forward and backward

    def settled(self) -> tuple[csr_array, Vector, Vector]:
        """K, b, and the size of b."""
        if self._settled is None:
            rows, columns, weights = (
                np.concatenate([part[i] for part in self._triplets] or [np.zeros(0, dtype=np.int64)]) for i in range(3)
            )
            matrix = csr_array((weights, (rows, columns)), shape=(self.width, self.width))
            fixed, sizes = np.zeros(self.width), np.zeros(self.width)
            for at, values, size in self._constants:
                np.add.at(fixed, at, values)
                np.add.at(sizes, at, size)
            self._settled = matrix, fixed, sizes
        return self._settled

    def _carried(self, matrix: csr_array, term: Vector) -> Vector:
        """Sum of all powers of a matrix without cycle, times a vector."""
        total = term.copy()
        for _ in range(2 * len(self.facts.quantities) + 9):
            term = matrix @ term
            if not term.any():
                return total
            total += term
        raise ValueError("conversions form a cycle")

    def forward(self, decided: Vector) -> tuple[Vector, Vector]:
        """All accounts of the decided ones, and the sum of the absolute terms of each."""
        matrix, fixed, sizes = self.settled()
        known, terms = fixed.copy(), sizes.copy()
        known[: len(decided)] += decided
        terms[: len(decided)] += np.abs(decided)
        return self._carried(matrix, known), self._carried(abs(matrix), terms)

    def swing(self, most: Vector) -> Vector:
        """How far the decided can move each account, at most; 0 where it is given."""
        weights = np.zeros(self.width)
        weights[: len(most)] = np.abs(most)
        return self._carried(abs(self.settled()[0]), weights)

    def carried(self, decided: Vector) -> Vector:
        """What accounts, stock among them, add to those that follow from them."""
        return self._carried(self._after_stock()[0], decided)

    def _after_stock(self) -> tuple[csr_array, csr_array]:
        """K without the rows of stock, and its transpose."""
        if self._rest is None:
            matrix = self.settled()[0].copy()
            stock = self.block["A"]
            matrix.data[matrix.indptr[stock.start] : matrix.indptr[stock.stop]] = 0.0
            self._rest = matrix, csr_array(matrix.T)
        return self._rest

    def backward(self, weights: Vector, sizes: bool = True) -> tuple[Vector, Vector]:
        """What one unit of each account is worth in a weighted sum of accounts, stock taken as decided; and the sum
        of the absolute terms of that."""
        back = self._after_stock()[1]
        return self._carried(back, weights), self._carried(abs(back), np.abs(weights)) if sizes else weights

    # ------------------------------------------------------------ levels

    def level(self, what: str, scope: str = PROVINCE, sectors: Sequence[str] = ()) -> int:
        """First account of a level: a quantity, capex, cost or fund:<ids>, over a scope and sectors; years follow."""
        name = f"{what}|{scope}|{';'.join(sectors)}"
        if name not in self.levels:
            start = self.levels[name] = self.width
            self.width += self.facts.T
            t = np.arange(self.facts.T)
            cities, parts = self.facts.scope(scope), self.facts.sectors_in(sectors)
            if what == "capex":
                self._spending_level(start + t, cities, parts)
            elif what == "cost":
                self._cost_level(start + t, cities, parts)
            elif what.startswith(FUND):
                self._fund_level(start + t, what.removeprefix(FUND).split(";"), cities, parts)
            else:
                q = self.facts.quantities[what]
                self._define(start + t, self._places(q, cities, parts) + t, 1.0)
                held = self.facts.baseline[q][np.ix_([*cities, -1] if scope == PROVINCE else cities, parts)]
                self._constant(start + t, held.sum(axis=(0, 1)), np.abs(held).sum(axis=(0, 1)))
        return self.levels[name]

    def _spending_level(self, accounts: Numbers, cities: list[int], sectors: list[int]) -> None:
        f, t = self.facts, np.arange(self.facts.T)
        for k, s in enumerate(f.pool_sector):
            if s in sectors:
                self._define(accounts, self.spending(k, np.array(cities)[:, None], t), 1.0)
        for booking in f.bookings:
            m, c = f.sites[booking.site]
            if booking.fund and c in cities and f.sector_of[m] in sectors:
                self._constant(accounts[booking.t], booking.amount)

    def _fund_level(self, accounts: Numbers, funds: list[str], cities: list[int], sectors: list[int]) -> None:
        f, t = self.facts, np.arange(self.facts.T)
        for fund, k in f.share:
            if fund in funds and f.pool_sector[k] in sectors:
                self._define(accounts, self.paid(fund, k, np.array(cities)[:, None], t), 1.0)
        for booking in f.bookings:
            m, c = f.sites[booking.site]
            if booking.fund in funds and c in cities and f.sector_of[m] in sectors:
                self._constant(accounts[booking.t], booking.amount)

    def _cost_level(self, accounts: Numbers, cities: list[int], sectors: list[int]) -> None:
        f, t = self.facts, np.arange(self.facts.T)
        counted = np.array([c in cities and f.sector_of[m] in sectors for m, c in f.sites], dtype=bool)
        j, serving = np.nonzero(self.serves & counted[f.start_site][:, None])
        self._define(accounts[serving], j, (self.start_price * f.annuity[f.start_measure])[j])
        sites = np.flatnonzero(counted)[:, None]
        self._define(accounts, self.stock(sites, t), f.om[f.site_measure[sites[:, 0]]])
        for q in np.flatnonzero(f.price.any(axis=1)):
            self._define(accounts, self._places(q, cities, sectors) + t, f.price[q])

    def _places(self, q: Any, cities: list[int], sectors: list[int]) -> Any:
        """Accounts of the base-year changes of a quantity by city and sector, a last axis left for the year."""
        return self.change(q, np.array(cities)[:, None], np.array(sectors), 0)[..., None]

    def base_level(self, what: str, scope: str, sectors: Sequence[str]) -> float:
        """Level in the base year [unit of the quantity]."""
        q, cities, parts = self.facts.quantities[what], self.facts.scope(scope), self.facts.sectors_in(sectors)
        held = self.facts.baseline[q][np.ix_([*cities, -1] if scope == PROVINCE else cities, parts)][..., 0]
        return float(held.sum() + self.base_change[q][np.ix_(cities, parts)].sum())

    # ------------------------------------------------------------ what a plan must keep

    def _require_groups(self) -> None:
        f = self.facts
        for tie in f.ties:
            if tie.kind != "overlap":
                places = (
                    [(PROVINCE, tie.cities)]
                    if tie.scope == PROVINCE
                    else [(f.names["city"][c], (c,)) for c in tie.cities]
                )
                for place, cities in places:
                    members = [(f.site[m, c], *rest) for m, *rest in tie.members for c in cities if (m, c) in f.site]
                    for y in self.facts.case.decided if members else ():
                        self._require_group(tie, place, members, y)

    def _require_group(self, tie: Any, place: str, members: list[Any], y: int) -> None:
        f, t = self.facts, self.facts.at[y]
        columns, weights = [], []
        for site, role, weight, ratio in members:
            column = f.start.get((site, y), -1) if tie.on == "starts" else int(self.stock(site, t))
            if tie.kind == "shared" and tie.cap is None:
                w = 1 / f.potential[site, t] if f.potential[site, t] > 0 else 0.0
            else:
                w = -ratio[t] if role == "provider" else weight[t]
            if column >= 0 and w:
                columns.append(column)
                weights.append(w)
        if tie.kind == "shared":
            limit = 1.0 if tie.cap is None else float(tie.cap[t])
            self.rows.add(("shared_within_cap", f"{tie.name}/{place}", y), columns, weights, limit)
        else:
            self.rows.add(
                ("dependents_within_providers", f"{tie.name}/{place}", y), columns, weights, float(tie.free[t])
            )

    def _require_overlaps(self) -> None:
        f = self.facts
        self.overlap_most = np.zeros((len(self.overlaps), f.T))
        """1 where an overlap can be, 0 where a member has no potential [-]."""
        for i, (g, c) in enumerate(self.overlaps):
            tie, city = f.ties[g], f.names["city"][c]
            members = [(f.names["measure"][m], f.site[m, c]) for m, *_ in tie.members]
            for y in f.years:
                t = f.at[y]
                potentials = [f.potential[site, t] for _, site in members]
                if min(potentials) > 0:
                    self.overlap_most[i, t] = 1.0
                    here = int(self.overlap_at(i, t))
                    stocks = [int(self.stock(site, t)) for _, site in members]
                    parts = [1 / potential for potential in potentials]
                    self.rows.add(("overlap_at_least", f"{tie.name}/{city}", y), [*stocks, here], [*parts, -1.0], 1.0)
                    for (measure, _), stock, part in zip(members, stocks, parts, strict=True):
                        name = f"{tie.name}/{measure}/{city}"
                        self.rows.add(("overlap_within_member", name, y), [here, stock], [1.0, -part])

    def _require_floors(self) -> None:
        f = self.facts
        for row in f.case.quantities:
            if row.floor is not None:
                for scope in f.names["city"] if row.floor_scope == "city" else [PROVINCE]:
                    level = self.level(row.quantity, scope)
                    for y in f.case.decided:
                        name = "level_above_floor", f"{row.quantity}|{scope}|", y
                        self.rows.add(name, [level + f.at[y]], [-1.0], -row.floor)

    def _require_funding(self) -> None:
        f = self.facts
        if not f.funds:
            return
        spent = np.zeros(self.width, dtype=bool)
        for rows, _, _ in [*self._triplets, *self._constants]:
            spent[rows] = True
        for k, pool in enumerate(f.pools):
            payers = [fund for fund in f.funds if (fund, k) in f.share]
            for c, city in enumerate(f.names["city"]):
                for y in f.years:
                    t = f.at[y]
                    spending = int(self.spending(k, c, t))
                    if not spent[spending]:
                        continue
                    accounts = [int(self.paid(fund, k, c, t)) for fund in payers]
                    paying = [*[1.0] * len(accounts), -1.0]
                    self.rows.add(("spending_is_paid", f"{pool}/{city}", y), [*accounts, spending], paying, equal=True)
                    for fund, account in zip(payers, accounts, strict=True):
                        share = -f.share[fund, k]
                        name = "fund_within_its_share", f"{fund}/{pool}/{city}", y
                        self.rows.add(name, [account, spending], [1.0, share])

    def _require_targets(self) -> None:
        for target in self.facts.case.targets:
            for year, part, achieved, bound, price_unit in self._sides(target):
                self._require_target(target, year, part, achieved, bound, price_unit)

    def _require_target(
        self, target: Target, year: int, part: str, achieved: Side, bound: Side, price_unit: float
    ) -> None:
        sign = 1.0 if target.sense == "<=" else -1.0
        key, row, miss = target.target + part, None, None
        if year in self.facts.decided:
            columns = [*achieved.columns, *bound.columns]
            weights = [sign * w for w in achieved.weights] + [-sign * w for w in bound.weights]
            if target.soft_penalty is not None or self.best_effort:
                miss = self._misses
                self._misses += 1
                if target.soft_penalty is not None:
                    self.penalties[miss] = target.soft_penalty
                columns.append(miss)
                weights.append(-1.0)
            limit = sign * (bound.constant - achieved.constant)
            size = abs(bound.constant) + abs(achieved.constant)
            row = self.rows.add(("target_is_kept", key, year), columns, weights, limit, size=size)
        self.goals.append(Goal(target, year, key, achieved, bound, sign, price_unit, row, miss))

    def _sides(self, target: Target) -> Iterable[tuple[int, str, Side, Side, float]]:
        """Year, part, achieved, bound and unit of the price of every row of a target."""
        f = self.facts
        years = span(target.first_year, target.last_year, f.years)
        x = self.level(target.quantity, target.scope, target.sectors)
        level = {y: Side((x + f.at[y],), (1.0,)) for y in f.years}
        value = target.value or 0.0
        if target.kind == "peak":
            after = [y for y in f.years if target.by is None or y >= target.by]
            for y in after:
                if y + 1 in f.at and y < f.last:
                    yield y + 1, "", level[y + 1], Side((x + f.at[y],), (1 - target.decline,)), 1.0
            if target.value is not None:
                for y in after:
                    yield y, ":value", level[y], Side(constant=value), 1.0
        elif target.kind == "cumulative":
            if years:
                summed = Side(tuple(x + f.at[y] for y in years), (1.0,) * len(years))
                yield years[-1], "", summed, Side(constant=value), 1.0
        elif target.kind == "abated":
            for counted in [years] if target.per == "span" else [[y] for y in years]:
                if counted:
                    yield counted[-1], "", self._abated(target, counted), Side(constant=value), 1.0
        elif target.kind == "share":
            whole = self.level(target.of or "", target.scope)
            for y in years:
                yield y, "", level[y], Side((whole + f.at[y],), (value,)), 1.0
        elif target.kind in ("change", "intensity"):
            base = self.base_level(target.quantity, target.scope, target.sectors)
            course = np.ones(f.T)
            if target.kind == "intensity":
                driver = target.of or ""
                course = f.drivers.get((driver, target.scope), f.drivers.get((driver, ""), course))
            for y in years:
                growth = float(course[f.at[y]] / course[0])
                yield y, "", level[y], Side(constant=(1 + value) * base * growth), growth
        else:
            for y in years:
                yield y, "", level[y], Side(constant=value), 1.0

    def _abated(self, target: Target, years: list[int]) -> Side:
        """Baseline less level, and what stock commissioned up to the base year does."""
        f = self.facts
        q, cities, sectors = f.quantities[target.quantity], f.scope(target.scope), f.sectors_in(target.sectors)
        x = self.level(target.quantity, target.scope, target.sectors)
        held = f.baseline[q][np.ix_([*cities, -1] if target.scope == PROVINCE else cities, sectors)]
        course = held.sum(axis=(0, 1)) + self.old_change[q][np.ix_(cities, sectors)].sum(axis=(0, 1))
        times = [f.at[y] for y in years]
        return Side(tuple(x + t for t in times), (-1.0,) * len(times), float(course[times].sum()))

    def _require_budgets(self) -> None:
        f = self.facts
        rows: dict[str, list[Any]] = {}
        for row in f.case.budgets:
            rows.setdefault(row.budget, []).append(row)
        for name, lines in rows.items():
            head = lines[0]
            what = FUND + ";".join(head.fund) if head.fund else "capex"
            level = self.level(what, head.scope, head.sectors)
            years = span(head.first_year, head.last_year, f.years)
            limit = path({row.year: row.limit for row in lines}, f.dates)
            if head.per == "span":
                wanted = [(years, float(limit[f.at[years[-1]]]))] if years else []
            elif head.carry_over:
                wanted = [
                    (years[: i + 1], float(sum(limit[f.at[y]] for y in years[: i + 1]))) for i in range(len(years))
                ]
            else:
                wanted = [([y], float(limit[f.at[y]])) for y in years]
            for counted, most in wanted:
                columns = tuple(level + f.at[y] for y in counted)
                key: Key = ("budget_is_kept", name, counted[-1])
                enforced = counted[-1] in f.decided
                number = self.rows.add(key, columns, 1.0, most) if enforced else None
                self.allowances.append(Allowance(name, counted[-1], columns, most, number))

    def _require_pins(self) -> None:
        f = self.facts
        for pin in f.case.pins:
            m = f.measures[pin.measure]
            cities = [f.cities[pin.city]] if pin.city else f.cities.values()
            sites = [f.site[m, c] for c in cities if (m, c) in f.site]
            for y in span(pin.first_year, pin.last_year, f.case.decided):
                if pin.on == "stock":
                    columns = [int(self.stock(site, f.at[y])) for site in sites]
                else:
                    columns = [f.start[site, y] for site in sites if (site, y) in f.start]
                if pin.min is not None:
                    self.rows.add(("pin_at_least", pin.pin, y), columns, -1.0, -pin.min)
                if pin.max is not None:
                    self.rows.add(("pin_at_most", pin.pin, y), columns, 1.0, pin.max)

    # ------------------------------------------------------------ objectives

    def objective(self, name: str) -> tuple[Vector, float]:
        """Weights of the accounts in an objective, and 1 to minimise or -1 to maximise it."""
        f = self.facts
        if name == "cost":
            weights = np.zeros(self.width)
            yearly = self.serves * f.discount
            weights[self.block["N"]] = self.start_price * f.annuity[f.start_measure] * yearly.sum(axis=1)
            plan = f.discount * (np.arange(f.T) > 0)
            weights[self.block["A"]] = (f.om[f.site_measure] * plan).ravel()
            weights[self.block["C"]] = np.broadcast_to((f.price * plan)[:, None, None, :], f.shape).ravel()
            for goal in self.goals:
                if goal.miss is not None:
                    weights[goal.miss] = self.penalties.get(goal.miss, 0.0) * f.discount[f.at[goal.year]]
            return weights, 1.0
        if name.startswith(MISS):
            return self._shortfall(name.partition(":")[2]), 1.0
        what = name.removeprefix("-").removeprefix("quantity:")
        level = self.level(what)
        weights = np.zeros(self.width)
        weights[level + 1 : level + f.T] = 1.0
        return weights, -1.0 if name.startswith("-") else 1.0

    def _shortfall(self, priority: str) -> Vector:
        """Weights of misses in a stage of a best-effort plan: hard targets of one priority, each miss as a part of what
        the two sides of its row are without measures."""
        f, fixed = self.facts, self.settled()[1]
        baseline = np.zeros(self.width)
        for name, start in self.levels.items():
            if name.partition("|")[0] in f.quantities:
                baseline[start : start + f.T] = fixed[start : start + f.T]
        weights = np.zeros(self.width)
        for goal in self.goals:
            target = goal.target
            ranked = "" if target.priority is None else str(target.priority)
            if goal.miss is not None and target.soft_penalty is None and ranked == priority:
                size = max(abs(goal.achieved.value(baseline)), abs(goal.bound.value(baseline)))
                weights[goal.miss] = 1 / (size or 1.0)
        return weights
