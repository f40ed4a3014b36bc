"""Problem: the index sets and coefficients of a case, in the unit of each quantity and in plain currency.

The names are those the rules of `formulation.py` use. A set is a list of keys, a map takes a key to the keys it sums
over, a coefficient takes a key to a number. Keys go what, where, when: `(m, c, y)`, `(q, c, s, y)`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter

import numpy as np
from numpy.typing import NDArray

from planner.case import Case
from planner.rows import Existing, Group, Measure
from planner.targets import Bound, bounds
from planner.timing import annuity, construction, discount_factor, in_service, path, span
from planner.units import factor

Path = NDArray[np.float64]
Place = tuple[str, str, str]
"""Quantity, city, sector; the city is blank for what no city holds."""

PROVINCE = "province"
MAPS: Mapping[str, int] = {
    **dict.fromkeys(("before", "entering", "leaving", "serving", "overlap_members", "causes", "losses", "payers"), 1),
    **dict.fromkeys(("shared_stock", "shared_starts", "dependent_stock", "dependent_starts"), 2),
    **dict.fromkeys(("provider_stock", "provider_starts", "pinned_stock", "pinned_starts"), 2),
    **dict.fromkeys(("allocated", "pool_starts", "level_spendings", "level_holdings"), 2),
    **dict.fromkeys(("goal_terms", "budget_terms", "misses"), 2),
    **dict.fromkeys(("converted", "pool_members", "level_changes", "level_payments", "level_priced", "level_serving"), 3),
}
"""Every map of a problem, and how many parts the keys it sums over have."""
ROUNDING = 1e-9
"""A ratio this close to a whole number counts as that number [-]."""


@dataclass(frozen=True)
class Route:
    """A conversion: how a change of one quantity drives another, per year."""

    source: str
    target: str
    to_sector: str
    allocation: str
    factor: Path

    @property
    def id(self) -> str:
        return ">".join((self.source, self.target, self.to_sector, self.allocation))

    def sector(self, sector: str) -> str:
        """Sector in which a change that arises in `sector` is booked."""
        return self.to_sector or sector


@dataclass(frozen=True)
class Level:
    """What a bound is written on: a quantity, `capex`, `cost` or `fund:<id>;...`, over a scope and some sectors."""

    what: str
    scope: str = PROVINCE
    sectors: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return "|".join((self.what, self.scope, ";".join(self.sectors)))


@dataclass
class History:
    """Units of one measure in one city that stand or are under way: what they are, and what they still cost."""

    commissioned: list[Existing] = field(default_factory=list)

    def stock(self, years: Sequence[int], lifetime: int, until: int | None = None) -> Path:
        """Units in service in each of `years`, of those commissioned up to `until`."""
        units = np.zeros(len(years))
        for row in self.commissioned:
            if until is None or row.year <= until:
                serving = in_service(row.year, 0, lifetime)
                units += [row.units * (year in serving) for year in years]
        return units


class Problem:
    """Sets, maps and coefficients of `case`; see the module and `formulation.py` for what each means."""

    def __init__(self, case: Case) -> None:
        settings = case.settings
        self.case = case
        self.years = list(case.years)
        self.first, self.last, self.base_year = settings.first_year, settings.last_year, settings.base_year
        self.decided_after = settings.as_of if settings.as_of is not None else self.first - 1
        self.cities = [row.city for row in case.cities]
        self.sectors = [row.sector for row in case.sectors]
        self.quantities = [row.quantity for row in case.quantities]
        self.measures: dict[str, Measure] = {row.measure: row for row in case.measures}
        self.discount = {y: discount_factor(settings.discount_rate, y - self.base_year) for y in self.years}
        self.contradictions: list[tuple[str, tuple[str | int, ...]]] = []
        """Rows without any variable that cannot hold: a family and a key each."""
        self._levels: dict[str, Level] = {}
        self._read_stock()
        self._read_groups()
        self._read_changes()
        self._read_money()
        self._read_bounds()
        self._read_levels()

    # Stock -----------------------------------------------------------------------------------------------------------

    def _read_stock(self) -> None:
        self.potential_path: dict[tuple[str, str], Path] = {}
        self.history: dict[tuple[str, str], History] = defaultdict(History)
        for existing in self.case.existing:
            self.history[existing.measure, existing.city].commissioned.append(existing)
        points: dict[tuple[str, str], dict[int | None, float]] = defaultdict(dict)
        for row in self.case.potentials:
            points[row.measure, row.city][row.year] = row.potential
        for m in self.measures:
            for c in self.cities:
                if (m, c) in points and (any(points[m, c].values()) or (m, c) in self.history):
                    self.potential_path[m, c] = path(points[m, c], self.years)

        self.holdings: list[tuple[str, str, int]] = []
        self.startable: list[tuple[str, str, int]] = []
        self.lumpy: list[tuple[str, str, int]] = []
        self.potential: dict[tuple[str, str, int], float] = {}
        self.existing: dict[tuple[str, str, int], float] = {}
        self.joining: dict[tuple[str, str, int], float] = {}
        self.start_limit: dict[tuple[str, str, int], float] = {}
        self.lump: dict[str, float] = {}
        self.most_lumps: dict[tuple[str, str, int], float] = {}
        self.before: dict[tuple[str, str, int], list[int]] = {}
        self.entering: dict[tuple[str, str, int], list[int]] = {}
        self.leaving: dict[tuple[str, str, int], list[int]] = {}
        self.serving: dict[tuple[str, str, int], list[int]] = {}
        for (m, c), potential in self.potential_path.items():
            measure = self.measures[m]
            held = self.history[m, c].stock(self.years, measure.lifetime)
            decided = np.array(self.years) > self.decided_after
            potential[:] = np.where(decided, potential, np.maximum(potential, held))
            start_years = self.start_years(measure)
            limit = measure.ramp * potential[-1]
            if measure.lump:
                self.lump[m] = measure.lump
                whole = np.floor(max(limit, measure.lump) / measure.lump + ROUNDING)
                limit = whole * measure.lump
            for v in start_years:
                self.startable.append((m, c, v))
                self.start_limit[m, c, v] = float(limit)
                if measure.lump:
                    self.lumpy.append((m, c, v))
                    self.most_lumps[m, c, v] = float(whole)
            known = set(start_years)
            for i, y in enumerate(self.years):
                key = (m, c, y)
                self.holdings.append(key)
                self.potential[key] = float(potential[i])
                self.existing[key] = float(held[i])
                self.joining[key] = float(held[i] - (held[i - 1] if i else 0.0))
                self.before[key] = [y - 1] if i else []
                enters = y - measure.lead_time
                leaves = enters - measure.lifetime
                self.entering[key] = [enters] if enters in known else []
                self.leaving[key] = [leaves] if leaves in known else []
                self.serving[key] = [v for v in range(leaves + 1, enters + 1) if v in known]

    def start_years(self, measure: Measure) -> list[int]:
        """Years in which construction of `measure` may begin: decided, allowed, and in service within the horizon."""
        first = max(measure.first_year or self.first, self.decided_after + 1)
        return span(first, self.last - measure.lead_time, self.years)

    def stock_path(self, m: str, c: str, until: int | None = None) -> Path:
        """Existing stock in service over the years of the plan [unit of `m`]."""
        return self.history[m, c].stock(self.years, self.measures[m].lifetime, until)

    # Groups ----------------------------------------------------------------------------------------------------------

    def _read_groups(self) -> None:
        self.weight: dict[tuple[str, str, str, int], float] = {}
        self.ratio: dict[tuple[str, str, str, int], float] = {}
        self.cap: dict[tuple[str, str, int], float] = {}
        self.free: dict[tuple[str, str, int], float] = {}
        self.shared: list[tuple[str, str, int]] = []
        self.required: list[tuple[str, str, int]] = []
        self.shared_stock: dict[tuple[str, str, int], list[tuple[str, str]]] = {}
        self.shared_starts: dict[tuple[str, str, int], list[tuple[str, str]]] = {}
        self.dependent_stock: dict[tuple[str, str, int], list[tuple[str, str]]] = {}
        self.dependent_starts: dict[tuple[str, str, int], list[tuple[str, str]]] = {}
        self.provider_stock: dict[tuple[str, str, int], list[tuple[str, str]]] = {}
        self.provider_starts: dict[tuple[str, str, int], list[tuple[str, str]]] = {}
        self.overlaps: list[tuple[str, str, int]] = []
        self.overlapping: list[tuple[str, str, str, int]] = []
        self.overlap_members: dict[tuple[str, str, int], list[str]] = {}
        self.part_of_potential: dict[tuple[str, str, int], float] = {}
        """What one unit is of its city's potential, 1/U [1/unit of `m`]."""
        self.overlap_pairs: dict[tuple[str, str], tuple[str, str]] = {}
        self.overlap_quantity: dict[str, str] = {}
        self.loss: dict[str, Path] = {}

        groups: dict[str, list[Group]] = defaultdict(list)
        for row in self.case.groups:
            groups[row.group].append(row)
        for g, rows in groups.items():
            if rows[0].kind == "overlap":
                self._read_overlap(g, rows)
            else:
                self._read_tie(g, rows)

    def _places(self, rows: Sequence[Group]) -> Iterator[tuple[str, list[str]]]:
        """Where a group holds: a name, and the cities summed over."""
        cities = [rows[0].city] if rows[0].city else self.cities
        if rows[0].scope == PROVINCE:
            yield PROVINCE, cities
        else:
            yield from ((c, [c]) for c in cities)

    def _member_path(self, rows: Sequence[Group], m: str, role: str | None, column: str, default: float) -> Path:
        points: dict[int | None, float] = {}
        for row in rows:
            if row.measure == m and row.role == role:
                value = getattr(row, column)
                points[row.year] = default if value is None else value
        return path(points, self.years)

    def _group_path(self, rows: Sequence[Group], column: str, default: float) -> Path:
        points = {row.year: default if getattr(row, column) is None else getattr(row, column) for row in rows}
        return path(points, self.years)

    def _read_tie(self, g: str, rows: Sequence[Group]) -> None:
        """Rows of a `shared` or `requires` group, over stock or over starts."""
        head = rows[0]
        members = list(dict.fromkeys((row.measure, row.role) for row in rows))
        on_stock = head.on == "stock"
        by_share = head.kind == "shared" and all(row.cap is None for row in rows)
        cap = np.ones(len(self.years)) if by_share else self._group_path(rows, "cap", 0.0)
        free = self._group_path(rows, "free", 0.0)
        weights = {member: self._member_path(rows, *member, "weight", 1.0) for member in members}
        ratios = {member: self._member_path(rows, *member, "ratio", 1.0) for member in members}
        startable = set(self.startable)
        for where, cities in self._places(rows):
            for i, y in enumerate(self.years):
                if y <= self.decided_after:
                    continue
                key = (g, where, y)
                sides: dict[str, list[tuple[str, str]]] = {"uses": [], "provides": []}
                for m, role in members:
                    for c in cities:
                        if (m, c) not in self.potential_path or not (on_stock or (m, c, y) in startable):
                            continue
                        potential = self.potential[m, c, y]
                        if by_share and not potential:
                            continue
                        sides["provides" if role == "provider" else "uses"].append((m, c))
                        if role == "provider":
                            self.ratio[g, m, c, y] = float(ratios[m, role][i])
                        else:
                            weight = 1 / potential if by_share else weights[m, role][i]
                            self.weight[g, m, c, y] = float(weight)
                stock = sides if on_stock else {"uses": [], "provides": []}
                starts = sides if not on_stock else {"uses": [], "provides": []}
                bound = float(cap[i] if head.kind == "shared" else free[i])
                if not (sides["uses"] or sides["provides"]):
                    if bound < 0:
                        self.contradictions.append((head.kind, key))
                elif head.kind == "shared":
                    self.shared.append(key)
                    self.cap[key] = bound
                    self.shared_stock[key], self.shared_starts[key] = stock["uses"], starts["uses"]
                else:
                    self.required.append(key)
                    self.free[key] = bound
                    self.dependent_stock[key], self.dependent_starts[key] = stock["uses"], starts["uses"]
                    self.provider_stock[key], self.provider_starts[key] = stock["provides"], starts["provides"]

    def _read_overlap(self, g: str, rows: Sequence[Group]) -> None:
        first, second = list(dict.fromkeys(row.measure for row in rows))
        self.loss[g] = self._group_path(rows, "loss", 0.0)
        self.overlap_quantity[g] = rows[0].quantity or ""
        for c, _ in self._places(rows):
            if (first, c) not in self.potential_path or (second, c) not in self.potential_path:
                continue
            self.overlap_pairs[g, c] = (first, second)
            for y in self.years:
                if self.potential[first, c, y] and self.potential[second, c, y]:
                    self.overlaps.append((g, c, y))
                    self.overlap_members[g, c, y] = [first, second]
                    for m in (first, second):
                        self.overlapping.append((g, m, c, y))
                        self.part_of_potential[m, c, y] = 1 / self.potential[m, c, y]

    # Quantities ------------------------------------------------------------------------------------------------------

    def _read_changes(self) -> None:
        self.routes = self._read_routes()
        self.shares: dict[str, dict[str, float]] = defaultdict(dict)
        for row in self.case.allocations:
            self.shares[row.allocation][row.city] = row.share
        self.effect_path = self._read_effects([self.base_year, *self.years])

        direct: dict[Place, None] = {}
        causes: dict[Place, list[str]] = defaultdict(list)
        for m, q, c in self.effect_path:
            place = (q, c, self.measures[m].sector)
            direct[place] = None
            causes[place].append(m)
        losses: dict[Place, list[str]] = defaultdict(list)
        for (g, c), (first, _) in self.overlap_pairs.items():
            place = (self.overlap_quantity[g], c, self.measures[first].sector)
            direct[place] = None
            losses[place].append(g)

        self.local_into: dict[Place, list[tuple[Route, Place]]] = defaultdict(list)
        self.pools: dict[tuple[str, str], list[Place]] = defaultdict(list)
        self.pooled_into: dict[Place, list[tuple[Route, str]]] = defaultdict(list)
        places = self._reach(direct)
        rank = {name: i for i, name in enumerate(self.quantities)}
        city_rank = {name: i for i, name in enumerate(self.cities)}
        sector_rank = {name: i for i, name in enumerate(self.sectors)}
        self.places = sorted(places, key=lambda p: (rank[p[0]], city_rank[p[1]], sector_rank[p[2]]))

        self.changes: list[tuple[str, str, str, int]] = []
        self.effect: dict[tuple[str, str, str, int], float] = {}
        self.causes: dict[tuple[str, str, str, int], list[str]] = {}
        self.losses: dict[tuple[str, str, str, int], list[str]] = {}
        self.overlap_loss: dict[tuple[str, int], float] = {}
        self.converted: dict[tuple[str, str, str, int], list[tuple[str, str, str]]] = {}
        self.conversion: dict[tuple[str, int], float] = {}
        self.allocated: dict[tuple[str, str, str, int], list[tuple[str, str]]] = {}
        self.allocation: dict[tuple[str, str], float] = {}
        self.pooled: list[tuple[str, str, int]] = []
        self.pool_members: dict[tuple[str, str, int], list[Place]] = {}
        for route in self.routes:
            for i, y in enumerate(self.years):
                self.conversion[route.id, y] = float(route.factor[i + 1])
            for c, share in self.shares[route.allocation].items():
                self.allocation[route.id, c] = share
        for g, loss in self.loss.items():
            for i, y in enumerate(self.years):
                self.overlap_loss[g, y] = float(loss[i])
        for (route_id, sector), members in self.pools.items():
            for y in self.years:
                self.pooled.append((route_id, sector, y))
                self.pool_members[route_id, sector, y] = members
        known_overlaps = set(self.overlaps)
        for place in self.places:
            q, c, s = place
            converted = [(route.id, source[0], source[2]) for route, source in self.local_into[place]]
            allocated = [(route.id, sector) for route, sector in self.pooled_into[place]]
            for i, y in enumerate(self.years):
                key = (q, c, s, y)
                self.changes.append(key)
                acting = [m for m in causes[place] if self.effect_path[m, q, c][i + 1]]
                for m in acting:
                    self.effect[m, q, c, y] = float(self.effect_path[m, q, c][i + 1])
                self.causes[key] = acting
                self.losses[key] = [g for g in losses[place] if (g, c, y) in known_overlaps]
                self.converted[key] = converted
                self.allocated[key] = allocated
        self.baseline_path = self._read_baseline([self.base_year, *self.years])

    def _read_routes(self) -> list[Route]:
        points: dict[tuple[str, str, str, str], dict[int | None, float]] = defaultdict(dict)
        for row in self.case.conversions:
            route = (row.from_quantity, row.to_quantity, row.to_sector or "", row.allocation or "")
            points[route][row.year] = row.factor
        years = [self.base_year, *self.years]
        routes = [Route(*route, factor=path(values, years)) for route, values in points.items()]
        graph: dict[str, set[str]] = {q: set() for q in self.quantities}
        for r in routes:
            graph[r.target].add(r.source)
        order = {q: i for i, q in enumerate(TopologicalSorter(graph).static_order())}
        return sorted(routes, key=lambda r: order[r.source])

    def _read_effects(self, years: Sequence[int]) -> dict[tuple[str, str, str], Path]:
        """Effect of one unit of a measure on a quantity in a city, over base year and plan [unit of q per unit and year]."""
        unit = {row.quantity: row.unit for row in self.case.quantities}
        points: dict[tuple[str, str, str | None], dict[int | None, float]] = defaultdict(dict)
        for row in self.case.effects:
            scale = factor(row.unit, unit[row.quantity]) if row.unit else 1.0
            points[row.measure, row.quantity, row.city][row.year] = row.value * scale
        found: dict[tuple[str, str, str], Path] = {}
        for m, q in dict.fromkeys((m, q) for m, q, _ in points):
            for c in self.cities:
                own = points.get((m, q, c)) or points.get((m, q, None))
                if own and (m, c) in self.potential_path:
                    values = path(own, years)
                    if values.any():
                        found[m, q, c] = values
        return found

    def _read_baseline(self, years: Sequence[int]) -> dict[Place, Path]:
        unit = {row.quantity: row.unit for row in self.case.quantities}
        points: dict[Place, dict[int | None, float]] = defaultdict(dict)
        for row in self.case.baseline:
            scale = factor(row.unit, unit[row.quantity]) if row.unit else 1.0
            points[row.quantity, row.city or "", row.sector][row.year] = row.value * scale
        return {place: path(values, years) for place, values in points.items()}

    def _reach(self, direct: Mapping[Place, object]) -> dict[Place, None]:
        """Every place a change can arrive at, through chains of conversions; notes the ways in."""
        reached: dict[Place, None] = dict.fromkeys(direct)
        for route in self.routes:
            sources = [place for place in reached if place[0] == route.source]
            for place in sources:
                sector = route.sector(place[2])
                if not route.allocation:
                    target = (route.target, place[1], sector)
                    reached[target] = None
                    self.local_into[target].append((route, place))
                else:
                    self.pools[route.id, sector].append(place)
            for route_id, sector in self.pools:
                if route_id == route.id:
                    for c, share in self.shares[route.allocation].items():
                        if share:
                            target = (route.target, c, sector)
                            reached[target] = None
                            self.pooled_into[target].append((route, sector))
        return reached

    def converted_effects(self, direct: Mapping[Place, Path], offset: int) -> dict[Place, Path]:
        """All changes that follow from `direct` ones: the conversions applied in order, as numbers.

        `offset` is the position of the first value in base year and plan years: 0 for the base year, 1 for the plan.
        """
        total = {place: np.array(values, dtype=float) for place, values in direct.items()}
        for route in self.routes:
            sources = [place for place in total if place[0] == route.source]
            pooled: dict[str, Path] = {}
            for place in sources:
                n = len(total[place])
                carried = route.factor[offset : offset + n] * total[place]
                sector = route.sector(place[2])
                if not route.allocation:
                    target = (route.target, place[1], sector)
                    total[target] = total.get(target, 0.0) + carried
                else:
                    pooled[sector] = pooled.get(sector, 0.0) + carried
            for sector, carried in pooled.items():
                for c, share in self.shares[route.allocation].items():
                    target = (route.target, c, sector)
                    total[target] = total.get(target, 0.0) + share * carried
        return total

    @cached_property
    def old_stock_change(self) -> dict[Place, Path]:
        """Direct and converted effects, over the plan, of stock commissioned up to the base year."""
        direct: dict[Place, Path] = {}
        for (m, q, c), values in self.effect_path.items():
            if (m, c) in self.history:
                place = (q, c, self.measures[m].sector)
                effect = values[1:] * self.stock_path(m, c, self.base_year)
                direct[place] = direct.get(place, 0.0) + effect
        return self.converted_effects(direct, 1)

    @cached_property
    def base_change(self) -> dict[Place, float]:
        """What existing stock in service in the base year does in it, overlap at its least."""
        held = {key: history.stock([self.base_year], self.measures[key[0]].lifetime)[0] for key, history in
                self.history.items() if key in self.potential_path}
        direct: dict[Place, Path] = {}
        for (m, q, c), values in self.effect_path.items():
            if held.get((m, c)):
                place = (q, c, self.measures[m].sector)
                direct[place] = direct.get(place, 0.0) + values[:1] * held[m, c]
        points: dict[tuple[str, str], dict[int | None, float]] = defaultdict(dict)
        for row in self.case.potentials:
            points[row.measure, row.city][row.year] = row.potential
        for (g, c), pair in self.overlap_pairs.items():
            stock = [held.get((m, c), 0.0) for m in pair]
            potential = [max(path(points[m, c], [self.base_year])[0], a) for m, a in zip(pair, stock, strict=True)]
            if all(potential):
                least = max(0.0, stock[0] / potential[0] + stock[1] / potential[1] - 1)
                rows = [row for row in self.case.groups if row.group == g]
                losses = {row.year: row.loss or 0.0 for row in rows}
                place = (self.overlap_quantity[g], c, self.measures[pair[0]].sector)
                loss = path(losses, [self.base_year]) * least
                direct[place] = direct.get(place, 0.0) + loss
        return {place: float(values[0]) for place, values in self.converted_effects(direct, 0).items()}

    # Money -----------------------------------------------------------------------------------------------------------

    def _read_money(self) -> None:
        settings = self.case.settings
        self.capex_path: dict[str, Path] = {}
        self.fixed_om: dict[tuple[str, int], float] = {}
        self.payment: dict[tuple[str, int], float] = {}
        self.capital_recovery: dict[str, float] = {}
        capex_points: dict[str, dict[int | None, float]] = defaultdict(dict)
        om_points: dict[str, dict[int | None, float]] = defaultdict(dict)
        for row in self.case.measure_costs:
            if row.capex is not None:
                capex_points[row.measure][row.year] = row.capex
            if row.fixed_om is not None:
                om_points[row.measure][row.year] = row.fixed_om
        for m, measure in self.measures.items():
            capex = path(capex_points.get(m) or {None: measure.capex}, self.years)
            om = path(om_points.get(m) or {None: measure.fixed_om}, self.years)
            self.capex_path[m] = capex
            self.capital_recovery[m] = annuity(settings.discount_rate, measure.lifetime)
            for i, y in enumerate(self.years):
                self.payment[m, y] = float(capex[i]) * self.capital_recovery[m]
                self.fixed_om[m, y] = float(om[i])
        self.capex_points = {m: capex_points.get(m) or {None: row.capex} for m, row in self.measures.items()}

        components = set(settings.components)
        price_points: dict[tuple[str, str], dict[int | None, float]] = defaultdict(dict)
        for price in self.case.prices:
            if price.component in components:
                price_points[price.quantity, price.component][price.year] = price.price
        self.price_path: dict[str, Path] = {}
        for (q, _), points in price_points.items():
            self.price_path[q] = self.price_path.get(q, 0.0) + path(points, self.years)
        self.price = {
            (q, y): float(values[i]) for q, values in self.price_path.items() for i, y in enumerate(self.years)
        }
        self.priced = [key for key in self.changes if self.price.get((key[0], key[3]))]
        self._read_funds()

    def _read_funds(self) -> None:
        rules: dict[tuple[str, str], float] = {}
        own: dict[tuple[str, str], float] = {}
        sector_of_pool = {s: s for s in self.sectors}
        for rule in self.case.fund_rules:
            if rule.measure:
                own[rule.fund, rule.measure] = rule.max_share
            else:
                rules[rule.fund, rule.sector] = rule.max_share
        alone = {m for _, m in own}
        self.pool_of = {
            m: f"{measure.sector}/{m}" if m in alone else measure.sector for m, measure in self.measures.items()
        }
        """The pool a measure's capital cost belongs to: its sector's, or its own where a fund has a rule for it."""
        for m in alone:
            sector_of_pool[self.pool_of[m]] = self.measures[m].sector
        self.pool_sector = sector_of_pool
        self.pool_measure = {self.pool_of[m]: m for m in alone}

        self.spent_starts: dict[tuple[str, str, int], list[tuple[str, int]]] = defaultdict(list)
        self.installment: dict[tuple[str, int], float] = {}
        self.booked: dict[tuple[str, str, int], float] = defaultdict(float)
        self.earmarked: dict[tuple[str, str, str, int], float] = defaultdict(float)
        """What existing stock books on a fund of its own, outside the mix: fund, measure, city, year."""
        self.booked_measure: dict[tuple[str, str, int], float] = defaultdict(float)
        for m, c, v in self.startable:
            measure = self.measures[m]
            paid = construction(v, measure.lead_time)
            self.installment[m, v] = float(self.capex_path[m][v - self.first]) / len(paid)
            for y in paid:
                self.spent_starts[self.pool_of[m], c, y].append((m, v))
        for existing in self.case.existing:
            m, c = existing.measure, existing.city
            if existing.year <= self.base_year:
                continue
            measure = self.measures[m]
            start = existing.year - measure.lead_time
            unit_cost = existing.capex
            if unit_cost is None:
                unit_cost = float(path(self.capex_points[m], [start])[0])
            paid = construction(start, measure.lead_time)
            for y in paid:
                if self.first <= y <= self.last:
                    amount = existing.units * unit_cost / len(paid)
                    self.booked_measure[m, c, y] += amount
                    if existing.fund:
                        self.earmarked[existing.fund, m, c, y] += amount
                    else:
                        self.booked[self.pool_of[m], c, y] += amount
        pools = [*self.sectors, *self.pool_measure]
        keys = {**self.spent_starts, **self.booked}
        self.spendings = [(k, c, y) for k in pools for c in self.cities for y in self.years if (k, c, y) in keys]
        self.pool_starts = {key: self.spent_starts.get(key, []) for key in self.spendings}
        self.pool_booked = {key: self.booked.get(key, 0.0) for key in self.spendings}

        self.max_share: dict[tuple[str, str], float] = {}
        self.payments: list[tuple[str, str, str, int]] = []
        self.payers: dict[tuple[str, str, int], list[str]] = {}
        self.funds = [row.fund for row in self.case.funds]
        for k in pools:
            for f in self.funds:
                share = rules.get((f, self.pool_sector[k]), 0.0)
                if k in self.pool_measure:
                    share = own.get((f, self.pool_measure[k]), share)
                if share > 0:
                    self.max_share[f, k] = share
        self.financed = self.spendings if self.funds else []
        for key in self.financed:
            self.payers[key] = [f for f in self.funds if (f, key[0]) in self.max_share]
            self.payments += [(f, *key) for f in self.payers[key]]
            if not self.payers[key]:
                raise AssertionError(f"no fund may pay for {key[0]}")

    def construction_years(self, m: str, v: int) -> range:
        """Years in which a start of `m` in `v` is paid."""
        return construction(v, self.measures[m].lead_time)

    # Bounds on levels ------------------------------------------------------------------------------------------------

    def level(self, what: str, scope: str = PROVINCE, sectors: Iterable[str] = ()) -> str:
        """Id of the level of `what` over `scope` and `sectors` (none: all); asking for it makes it part of the model."""
        level = Level(what, scope or PROVINCE, tuple(sectors))
        self._levels.setdefault(level.id, level)
        return level.id

    def baseline_of(self, level: str, offset: int = 1) -> Path:
        """Baseline of a level over the plan years (`offset` 1) or base year and plan years (0) [unit of its quantity]."""
        spec = self._levels[level]
        total = np.zeros(len(self.years) + 1)
        for (q, c, s), values in self.baseline_path.items():
            if q == spec.what and self.covers(spec, c, s):
                total += values
        return total[offset:]

    def covers(self, level: Level, city: str, sector: str) -> bool:
        """Whether a level counts what happens in `city` (blank: held by no city) and `sector`."""
        if level.sectors and sector not in level.sectors:
            return False
        return level.scope == PROVINCE or city in self.case.scope_cities(level.scope)

    def base_level(self, level: str) -> float:
        """Level in the base year: baseline and what existing stock did [unit of its quantity]."""
        spec = self._levels[level]
        change = sum(v for (q, c, s), v in self.base_change.items() if q == spec.what and self.covers(spec, c, s))
        return float(self.baseline_of(level, 0)[0] + change)

    def old_change_of(self, level: str) -> Path:
        """Change of a level, over the plan, by stock commissioned up to the base year [unit of its quantity]."""
        spec = self._levels[level]
        total = np.zeros(len(self.years))
        for (q, c, s), values in self.old_stock_change.items():
            if q == spec.what and self.covers(spec, c, s):
                total = total + values
        return total

    def driver(self, name: str, scope: str) -> dict[int, float]:
        """Path of a driver over base year and plan: the city's own rows where `scope` is a city that has some [-]."""
        rows = [row for row in self.case.drivers if row.driver == name]
        own = [row for row in rows if scope in self.cities and row.city == scope]
        chosen = own or [row for row in rows if not row.city]
        years = [self.base_year, *self.years]
        return dict(zip(years, path({row.year: row.value for row in chosen}, years).tolist(), strict=True))

    def _read_bounds(self) -> None:
        self.goals: list[tuple[str, int]] = []
        self.goal_terms: dict[tuple[str, int], list[tuple[str, int]]] = {}
        self.goal_weight: dict[tuple[str, int, str, int], float] = {}
        self.goal_bound: dict[tuple[str, int], float] = {}
        self.soft: list[tuple[str, int]] = []
        self.misses: dict[tuple[str, int], list[tuple[str, int]]] = {}
        self.penalty: dict[str, float] = {}
        self.bounds: dict[tuple[str, int], Bound] = {}
        """Every row a target asks for, enforced or only reported, by its name and last year."""
        self.goal_target: dict[str, str] = {}
        """The target that a row's name belongs to: the name is the target's id, with `:part` for a second row a year."""
        for target in self.case.targets:
            for bound in bounds(target, self):
                name = f"{target.target}:{bound.part}" if bound.part else target.target
                key = (name, bound.year)
                self.bounds[key] = bound
                self.goal_target[name] = target.target
                if bound.year <= self.decided_after:
                    continue
                self.goals.append(key)
                self.goal_terms[key] = [(level, y) for level, y in bound.excess]
                for (level, y), weight in bound.excess.items():
                    self.goal_weight[(*key, level, y)] = weight
                self.goal_bound[key] = bound.limit
                self.misses[key] = []
                if target.soft_penalty is not None:
                    self.soft.append(key)
                    self.misses[key] = [key]
                    self.penalty[name] = target.soft_penalty

        self.floors: list[tuple[str, int]] = []
        self.floor: dict[tuple[str, int], float] = {}
        for row in self.case.quantities:
            if row.floor is not None:
                for scope in self.cities if row.floor_scope == "city" else [PROVINCE]:
                    level = self.level(row.quantity, scope)
                    for y in self.years:
                        if y > self.decided_after:
                            self.floors.append((level, y))
                            self.floor[level, y] = row.floor
        self._read_budgets()
        self._read_pins()

    def _read_budgets(self) -> None:
        self.budget_rows: list[tuple[str, int]] = []
        self.budget_terms: dict[tuple[str, int], list[tuple[str, int]]] = {}
        self.budget_limit: dict[tuple[str, int], float] = {}
        self.budgets: dict[tuple[str, int], tuple[list[tuple[str, int]], float]] = {}
        """Every row a budget asks for: the spending it counts and its limit [currency]."""
        points: dict[str, dict[int | None, float]] = defaultdict(dict)
        heads = {}
        for row in self.case.budgets:
            heads.setdefault(row.budget, row)
            points[row.budget][row.year] = row.limit
        for b, row in heads.items():
            years = span(row.first_year, row.last_year, self.years)
            limits = path(points[b], years).tolist() if years else []
            what = "fund:" + ";".join(row.fund) if row.fund else "capex"
            level = self.level(what, row.scope, row.sectors)
            if row.per == "span":
                if years:
                    self.budgets[b, years[-1]] = ([(level, y) for y in years], limits[0])
            else:
                total = 0.0
                for i, y in enumerate(years):
                    total = total + limits[i] if row.carry_over else limits[i]
                    counted = years[: i + 1] if row.carry_over else [y]
                    self.budgets[b, y] = ([(level, past) for past in counted], total)
        for key, (terms, limit) in self.budgets.items():
            if key[1] > self.decided_after:
                self.budget_rows.append(key)
                self.budget_terms[key] = terms
                self.budget_limit[key] = limit

    def _read_pins(self) -> None:
        self.pins_least: list[tuple[str, int]] = []
        self.pins_most: list[tuple[str, int]] = []
        self.pin_least: dict[tuple[str, int], float] = {}
        self.pin_most: dict[tuple[str, int], float] = {}
        self.pinned_stock: dict[tuple[str, int], list[tuple[str, str]]] = {}
        self.pinned_starts: dict[tuple[str, int], list[tuple[str, str]]] = {}
        startable = set(self.startable)
        for row in self.case.pins:
            cities = [row.city] if row.city else self.cities
            held = [(row.measure, c) for c in cities if (row.measure, c) in self.potential_path]
            for y in span(row.first_year, row.last_year, self.years):
                if y <= self.decided_after:
                    continue
                key = (row.pin, y)
                starts = [(m, c) for m, c in held if (m, c, y) in startable]
                self.pinned_stock[key] = held if row.on == "stock" else []
                self.pinned_starts[key] = starts if row.on == "starts" else []
                members = self.pinned_stock[key] or self.pinned_starts[key]
                if row.min is not None:
                    if members:
                        self.pins_least.append(key)
                        self.pin_least[key] = row.min
                    elif row.min > 0:
                        self.contradictions.append(("pins", key))
                if row.max is not None and members:
                    self.pins_most.append(key)
                    self.pin_most[key] = row.max

    # Levels ----------------------------------------------------------------------------------------------------------

    def _read_levels(self) -> None:
        """What each level sums over; asks first for the levels that the objectives need."""
        self.stages = self._read_objectives()
        self.quantity_levels: list[tuple[str, int]] = []
        self.spending_levels: list[tuple[str, int]] = []
        self.fund_levels: list[tuple[str, int]] = []
        self.cost_levels: list[tuple[str, int]] = []
        self.level_base: dict[tuple[str, int], float] = {}
        self.level_changes: dict[tuple[str, int], list[Place]] = {}
        self.level_spendings: dict[tuple[str, int], list[tuple[str, str]]] = {}
        self.level_payments: dict[tuple[str, int], list[tuple[str, str, str]]] = {}
        self.level_holdings: dict[tuple[str, int], list[tuple[str, str]]] = {}
        self.level_serving: dict[tuple[str, int], list[tuple[str, str, int]]] = {}
        self.level_priced: dict[tuple[str, int], list[Place]] = {}
        by_year: dict[str, dict[int, list[tuple[str, ...]]]] = {}
        for name, keys in (("spendings", self.spendings), ("payments", self.payments), ("priced", self.priced)):
            by_year[name] = defaultdict(list)
            for key in keys:
                by_year[name][key[-1]].append(key[:-1])
        self.leveled = [(level, y) for level in self._levels for y in self.years]
        for level, spec in self._levels.items():
            baseline = self.baseline_of(level)
            for i, y in enumerate(self.years):
                key = (level, y)
                if spec.what == "cost":
                    self.cost_levels.append(key)
                    self.level_holdings[key] = [
                        (m, c) for m, c in self.potential_path if self.covers(spec, c, self.measures[m].sector)
                    ]
                    self.level_serving[key] = [
                        (m, c, v) for m, c in self.level_holdings[key] for v in self.serving[m, c, y]
                    ]
                    self.level_priced[key] = [p for p in by_year["priced"][y] if self.covers(spec, p[1], p[2])]
                elif spec.what == "capex":
                    self.spending_levels.append(key)
                    self.level_spendings[key] = [
                        (k, c) for k, c in by_year["spendings"][y] if self.covers(spec, c, self.pool_sector[k])
                    ]
                    self.level_base[key] = self._earmarked(spec, y, self.funds)
                elif spec.what.startswith("fund:"):
                    funds = spec.what.removeprefix("fund:").split(";")
                    self.fund_levels.append(key)
                    self.level_payments[key] = [
                        (f, k, c)
                        for f, k, c in by_year["payments"][y]
                        if f in funds and self.covers(spec, c, self.pool_sector[k])
                    ]
                    self.level_base[key] = self._earmarked(spec, y, funds)
                else:
                    self.quantity_levels.append(key)
                    self.level_changes[key] = [
                        p for p in self.places if p[0] == spec.what and self.covers(spec, p[1], p[2])
                    ]
                    self.level_base[key] = float(baseline[i])

    def _earmarked(self, level: Level, year: int, funds: Sequence[str]) -> float:
        return sum(
            amount
            for (f, m, c, y), amount in self.earmarked.items()
            if y == year and f in funds and self.covers(level, c, self.measures[m].sector)
        )

    def _read_objectives(self) -> list[tuple[str, list[tuple[str, int]]]]:
        """Stages of the objective: a name, and the levels it sums (none for `cost`)."""
        stages: list[tuple[str, list[tuple[str, int]]]] = []
        names = list(self.case.settings.objective)
        for name in names if "cost" in names else [*names, "cost"]:
            if name == "cost":
                stages.append((name, []))
            else:
                level = self.level(name.removeprefix("-").removeprefix("quantity:"))
                stages.append((name, [(level, y) for y in self.years]))
        return stages

    @property
    def levels(self) -> Mapping[str, Level]:
        """Every level of the model by id."""
        return self._levels
