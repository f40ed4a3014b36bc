"""Changes of quantities: effects of the stock, losses of overlaps, and the conversions that carry them on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter

import numpy as np

from planner.case import Case
from planner.problem.groups import Groups
from planner.problem.stock import Path
from planner.timing import path
from planner.units import factor

Place = tuple[str, str, str]
"""Quantity, city, sector; the city is blank for what no city holds."""


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
        """Its name as a key."""
        return ">".join((self.source, self.target, self.to_sector, self.allocation))

    def sector(self, sector: str) -> str:
        """Sector in which a change that arises in `sector` is booked."""
        return self.to_sector or sector


class Changes(Groups):
    """Sets and coefficients of changes, on top of stock and groups."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._read_changes()

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
        """Effect of one unit of a measure on a quantity in a city, over base year and plan [unit of q per unit]."""
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
        held = {
            key: history.stock([self.base_year], self.measures[key[0]].lifetime)[0]
            for key, history in self.history.items()
            if key in self.potential_path
        }
        direct: dict[Place, Path] = {}
        for (m, q, c), values in self.effect_path.items():
            if held.get((m, c)):
                place = (q, c, self.measures[m].sector)
                direct[place] = direct.get(place, 0.0) + values[:1] * held[m, c]
        points = self.potential_points
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
