"""Changes of quantities: effects of the stock, losses of overlaps, and the conversions that carry them on."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import NamedTuple

import numpy as np

from planner.problem.groups import Groups
from planner.problem.keys import Array, Axis, Codes, Every, Keys, Links, Mask, Table
from planner.problem.stock import Path, columns, dates, numbers
from planner.problem.tracked import derived
from planner.timing import paths
from planner.units import factor

Place = tuple[str, str, str]
"""Quantity, city, sector; the city is blank for what no city holds."""


class Course(NamedTuple):
    """From where to where a conversion leads."""

    source: str
    target: str
    to_sector: str
    allocation: str

    @property
    def id(self) -> str:
        """Its name as a key."""
        return ">".join(self)


@dataclass(frozen=True)
class Route:
    """A conversion: how a change of one quantity drives another, per year."""

    source: str
    target: str
    to_sector: str
    allocation: str
    factor: Path
    """Over base year and plan."""

    @property
    def id(self) -> str:
        """Its name as a key."""
        return ">".join((self.source, self.target, self.to_sector, self.allocation))

    def same(self, other: object) -> bool:
        """Whether both are the same."""
        return isinstance(other, Route) and self.id == other.id and np.array_equal(self.factor, other.factor)


@dataclass(frozen=True)
class Ways:
    """Where changes arise and where conversions carry them: all places by number, (q * cities + c) * sectors + s.

    A local conversion goes from place to place; a pooled one from places into a pool, a conversion and a sector, and
    from there into places. Every way is a column of numbers, in the order in which they are gone.
    """

    places: Codes
    local: Codes
    """Route, place, place: shape (3, ways)."""
    pools: Codes
    """Route and sector: shape (2, pools)."""
    into_pools: Codes
    """Place, pool: shape (2, ways)."""
    out_of_pools: Codes
    """Pool, place: shape (2, ways)."""

    def same(self, other: object) -> bool:
        """Whether both are the same."""
        return isinstance(other, Ways) and all(
            np.array_equal(part, vars(other)[name]) for name, part in vars(self).items()
        )


class Changes(Groups):
    """Sets and coefficients of changes, on top of stock and groups."""

    # Conversions

    @derived
    def _conversion_rows(self) -> list[Course]:
        """Where each row of the conversions leads."""
        named = columns(self.given.conversions, "from_quantity", "to_quantity", "to_sector", "allocation")
        return [Course(*(part or "" for part in row)) for row in zip(*named, strict=True)]

    @derived
    def courses(self) -> list[Course]:
        """Where conversions lead, each after those that drive its source."""
        routes = list(dict.fromkeys(self._conversion_rows))
        graph: dict[str, list[str]] = {q: [] for q in self.quantities}  # lists: a set has another order on every run
        for r in routes:
            graph[r.target].append(r.source)
        order = {q: i for i, q in enumerate(TopologicalSorter(graph).static_order())}
        return sorted(routes, key=lambda r: order[r.source])

    @derived
    def r(self) -> Axis:
        """Conversions."""
        return Axis(course.id for course in self.courses)

    @derived
    def factors(self) -> Array:
        """Factor of each conversion over base year and plan [unit driven per unit driving]."""
        years, values = columns(self.given.conversions, "year", "factor")
        of = self.r.codes(course.id for course in self._conversion_rows)
        return paths(of, dates(years), numbers(values), len(self.r), [self.base_year, *self.years])

    @derived
    def routes(self) -> list[Route]:
        """Conversions, each after those that drive its source."""
        return [Route(*course, factor) for course, factor in zip(self.courses, self.factors, strict=True)]

    @derived
    def conversion(self) -> Table:
        """Factor of a conversion."""
        return Table(Every(self.r).times(self.y), self.factors[:, 1:].ravel())

    @derived
    def shares(self) -> dict[str, Array]:
        """Share of each city in each allocation [-]."""
        found: dict[str, Array] = {}
        for row in self.given.allocations:
            found.setdefault(row.allocation, np.zeros(len(self.c)))[self.c.number[row.city]] = row.share
        return found

    @derived
    def _allocations(self) -> Array:
        """Route by city: the share of a pooled conversion [-]."""
        none = np.zeros(len(self.c))
        return np.array([self.shares.get(r.allocation, none) for r in self.courses]).reshape(len(self.r), len(self.c))

    @derived
    def allocation(self) -> Table:
        """Share of a city in a pooled conversion [-]."""
        return Table(Every(self.r).times(self.c), self._allocations.ravel())

    @derived
    def _receives(self) -> Mask:
        """Route by city: whether it has a share."""
        mask: Mask = self._allocations > 0
        return mask

    # Effects

    def _in_own_unit(self, quantities: Sequence[str], values: Sequence[float], units: Sequence[str | None]) -> Array:
        """Values in the units of their quantities."""
        rows = zip(quantities, values, units, strict=True)
        return numbers(value * factor(unit, self.units[q]) if unit else value for q, value, unit in rows)

    @derived
    def units(self) -> dict[str, str]:
        """Unit of each quantity."""
        return {row.quantity: row.unit for row in self.given.quantities}

    @derived
    def _effects(self) -> tuple[Keys, Array]:
        """Effect of one unit of a measure on a quantity in a city, over base year and plan [unit of q per unit]."""
        everywhere = len(self.c)
        measures, what, cities, years, *cells = columns(
            self.given.effects, "measure", "quantity", "city", "year", "value", "unit"
        )
        values = self._in_own_unit(what, *cells)
        act = self.m.codes(measures) * len(self.q) + self.q.codes(what)
        where = np.array([everywhere if c is None else self.c.number[c] for c in cities], dtype=np.int64)
        series, of = np.unique(act * (everywhere + 1) + where, return_inverse=True)
        found = paths(of, dates(years), values, series.size, [self.base_year, *self.years])
        acts, at = np.unique(series // (everywhere + 1), return_inverse=True)
        general = np.full((acts.size, 1), -1)
        own = np.full((acts.size, everywhere), -1)
        in_city = series % (everywhere + 1)
        here = in_city < everywhere
        own[at[here], in_city[here]] = np.flatnonzero(here)
        general[at[~here], 0] = np.flatnonzero(~here)
        chosen = np.where(own >= 0, own, general)
        moves: Mask = (found != 0).any(axis=1)
        act, c = np.nonzero((chosen >= 0) & moves[chosen])
        m, q = np.divmod(acts[act], len(self.q))
        there = self.pairs.locate((m, c)) >= 0
        keys = Keys((self.m, self.q, self.c), (m[there], q[there], c[there]))
        return keys, found[chosen[act, c][there]]

    @derived
    def acting(self) -> Keys:
        """What has an effect where: measure, quantity, city."""
        return self._effects[0]

    @derived
    def effect_path(self) -> Table:
        """Effect of one unit over base year and plan [unit of q per unit of m]."""
        return Table(self.acting, self._effects[1])

    @derived
    def effect(self) -> Table:
        """Effect of one unit in service [unit of q per unit of m]."""
        return Table(self.acting.times(self.y), self.effect_path.array[:, 1:].ravel())

    # Places

    @derived
    def sector_of(self) -> Codes:
        """Sector of each measure."""
        return self.s.codes(row.sector for row in self.measures.values())

    def numbered(self, q: Codes, c: Codes, s: Codes) -> Codes:
        """Number of a place."""
        return (q * len(self.c) + c) * len(self.s) + s

    @derived
    def _acts_at(self) -> Codes:
        """Place at which each effect arises."""
        m, q, c = self.acting.parts
        return self.numbered(q, c, self.sector_of[m])

    @derived
    def _loses_at(self) -> Codes:
        """Place at which each overlap is lost: in the sector of its first member."""
        places = [
            (self.q.number[self.overlap_quantity[g]], self.c.number[c], self.sector_of[self.m.number[first]])
            for (g, c), (first, _) in self.overlap_pairs.items()
        ]
        return self.numbered(*np.array(places, dtype=np.int64).reshape(-1, 3).T)

    @derived
    def ways(self) -> Ways:
        """Every place that a change can arrive at, through chains of conversions, and the ways in."""
        shape = (len(self.q), len(self.c), len(self.s))
        reached = np.zeros(shape, dtype=bool)
        reached.flat[np.concatenate([self._acts_at, self._loses_at])] = True
        local, pools, into, out = ([np.zeros((n, 0), dtype=np.int64)] for n in (3, 2, 2, 2))
        count = 0
        for r, route in enumerate(self.courses):
            source, target = self.q.number[route.source], self.q.number[route.target]
            c, s = np.nonzero(reached[source])
            e = np.full_like(s, self.s.number[route.to_sector]) if route.to_sector else s
            driving = self.numbered(np.full_like(s, source), c, s)
            if not route.allocation:
                reached[target, c, e] = True
                driven = self.numbered(np.full_like(s, target), c, e)
                local.append(np.array([np.full_like(s, r), driving, driven]))
                continue
            for sector in np.unique(e).tolist():
                cities = np.flatnonzero(self._receives[r])
                reached[target, cities, sector] = True
                driven = self.numbered(np.full_like(cities, target), cities, np.full_like(cities, sector))
                pools.append(np.array([[r], [sector]]))
                into.append(np.array([driving[e == sector], np.full(int((e == sector).sum()), count)]))
                out.append(np.array([np.full_like(driven, count), driven]))
                count += 1
        parts = (np.concatenate(part, axis=1) for part in (local, pools, into, out))
        return Ways(np.flatnonzero(reached), *parts)

    def _named(self, numbers_: Codes) -> list[Place]:
        """Places of those numbers by their ids."""
        return list(Keys((self.q, self.c, self.s), np.unravel_index(numbers_, self._shape)))

    @derived
    def local_into(self) -> dict[Place, list[tuple[Route, Place]]]:
        """Local conversions into each place, and the place each comes from."""
        route, driving, driven = self.ways.local
        found: dict[Place, list[tuple[Route, Place]]] = defaultdict(list)
        for r, source, target in zip(route.tolist(), self._named(driving), self._named(driven), strict=True):
            found[target].append((self.routes[r], source))
        return dict(found)

    @derived
    def pools(self) -> dict[tuple[str, str], list[Place]]:
        """Places that each pooled conversion sums, by conversion and sector."""
        driving, pool = self.ways.into_pools
        found: dict[tuple[str, str], list[Place]] = defaultdict(list)
        for k, source in zip(pool.tolist(), self._named(driving), strict=True):
            found[self._pools[k]].append(source)
        return dict(found)

    @derived
    def pooled_into(self) -> dict[Place, list[tuple[Route, str]]]:
        """Pooled conversions into each place, and the sector each comes from."""
        pool, driven = self.ways.out_of_pools
        found: dict[Place, list[tuple[Route, str]]] = defaultdict(list)
        for k, target in zip(pool.tolist(), self._named(driven), strict=True):
            route, sector = self._pools[k]
            found[target].append((self.routes[self.r.number[route]], sector))
        return dict(found)

    @derived
    def places(self) -> Keys:
        """Quantities, cities and sectors that can change."""
        return Keys((self.q, self.c, self.s), np.unravel_index(self.ways.places, self._shape))

    @property
    def _shape(self) -> tuple[int, int, int]:
        return len(self.q), len(self.c), len(self.s)

    def _at(self, numbers_: Codes) -> Codes:
        """Position among the places of those numbers."""
        return np.searchsorted(self.ways.places, numbers_)

    @derived
    def changes(self) -> Keys:
        """Where and when a quantity can change."""
        return self.places.times(self.y)

    @derived
    def causes(self) -> Links:
        """Measures with an effect there and then."""
        order = np.argsort(self._acts_at, kind="stable")
        year, effect = np.nonzero(self.effect_path.array[order, 1:].T)
        at = self._at(self._acts_at[order])[effect] * len(self.y) + year
        return Links.grouped(self.changes, at, Keys((self.m,), (self.acting.parts[0][order][effect],)))

    @derived
    def losses(self) -> Links:
        """Overlaps that are lost there and then."""
        where, _ = self._overlaps
        known = Keys((self.g, self.c), tuple(where.T))
        g, _, year = self.overlaps.parts
        place = self._at(self._loses_at)[known.locate(self.overlaps.parts[:2])]
        return Links.grouped(self.changes, place * len(self.y) + year, Keys((self.g,), (g,)))

    @derived
    def overlap_loss(self) -> Table:
        """What is lost where both members of a group stand on the whole base [unit of the quantity]."""
        known = Keys((self.g,), (self.g.codes(self.loss),))
        values = np.array(list(self.loss.values())).reshape(len(known), len(self.y))
        return Table(known.times(self.y), values.ravel())

    @derived
    def converted(self) -> Links:
        """Changes that local conversions carry there."""
        route, driving, driven = self.ways.local
        s = driving % len(self.s)
        q = self.q.codes(course.source for course in self.courses)[route]
        links = Links.grouped(self.places, self._at(driven), Keys((self.r, self.q, self.s), (route, q, s)))
        return links.times(self.changes)

    @derived
    def allocated(self) -> Links:
        """Pools that pooled conversions spread there."""
        pool, driven = self.ways.out_of_pools
        route, sector = self.ways.pools[:, pool]
        links = Links.grouped(self.places, self._at(driven), Keys((self.r, self.s), (route, sector)))
        return links.times(self.changes)

    @derived
    def _pools(self) -> Keys:
        """Pooled conversions and the sectors they book in."""
        return Keys((self.r, self.s), tuple(self.ways.pools))

    @derived
    def pooled(self) -> Keys:
        """Pools of each year."""
        return self._pools.times(self.y)

    @derived
    def pool_members(self) -> Links:
        """Changes that a pool sums."""
        driving, pool = self.ways.into_pools
        members = Keys((self.q, self.c, self.s), np.unravel_index(driving, self._shape))
        return Links.grouped(self._pools, pool, members).times(self.pooled)

    # Baseline, and what stood before the plan

    @derived
    def baseline_path(self) -> Table:
        """Baseline of every place over base year and plan [unit of q]."""
        what, cities, sectors, years, *cells = columns(
            self.given.baseline, "quantity", "city", "sector", "year", "value", "unit"
        )
        anywhere = Axis(["", *self.cities])
        axes = (self.q, anywhere, self.s)
        rows = Keys(axes, [self.q.codes(what), anywhere.codes(c or "" for c in cities), self.s.codes(sectors)])
        _, first, of = np.unique(rows.packed(rows.parts), return_index=True, return_inverse=True)
        order = np.argsort(first)  # places in the order of the rows
        of = np.argsort(order)[of]
        found = paths(of, dates(years), self._in_own_unit(what, *cells), first.size, [self.base_year, *self.years])
        return Table(rows.only(first[order]), found)

    def converted_effects(self, direct: Array, offset: int) -> Array:
        """All changes of places over years that follow from `direct` ones: the conversions applied in order.

        `offset` is the position of the first year in base year and plan years: 0 for the base year, 1 for the plan.
        """
        total = direct.copy()
        if not direct.any():
            return total
        factors = self.factors[:, offset : offset + direct.shape[1]]
        (route, driving, driven), pools = self.ways.local, self.ways.pools
        pooled = np.zeros((pools.shape[1], direct.shape[1]))
        for r in range(len(self.courses)):
            go = route == r
            np.add.at(total, self._at(driven[go]), factors[r] * total[self._at(driving[go])])
            source, pool = self.ways.into_pools[:, pools[0][self.ways.into_pools[1]] == r]
            np.add.at(pooled, pool, factors[r] * total[self._at(source)])
            pool, target = self.ways.out_of_pools[:, pools[0][self.ways.out_of_pools[0]] == r]
            _, c, _ = np.unravel_index(target, self._shape)
            np.add.at(total, self._at(target), self._allocations[r][c][:, None] * pooled[pool])
        return total

    def _effects_of(self, stock: Array, effect: Array) -> Array:
        """Direct changes of places by a stock of each pair, over years."""
        m, _, c = self.acting.parts
        pair = self.pairs.locate((m, c))
        stands: Mask = (stock != 0).any(axis=1)
        acts = stands[pair]
        direct = np.zeros((len(self.places), stock.shape[1]))
        np.add.at(direct, self._at(self._acts_at[acts]), effect[acts] * stock[pair[acts]])
        return direct

    @derived
    def old_stock_change(self) -> Array:
        """Direct and converted effects on every place, over the plan, of stock commissioned up to the base year."""
        old = self.standing(self.years, self.base_year)
        return self.converted_effects(self._effects_of(old, self.effect_path.array[:, 1:]), 1)

    @derived
    def base_change(self) -> Array:
        """What existing stock in service in the base year does to every place in it, overlap at its least."""
        held = self.standing([self.base_year])
        direct = self._effects_of(held, self.effect_path.array[:, :1])
        where, pairs = self._overlaps
        m, c = self.pairs.parts
        potential = np.maximum(self._potentials[0][m * len(self.c) + c, 0], held[:, 0])
        part = np.divide(held[:, 0], potential, out=np.zeros_like(potential), where=potential > 0)
        one, two = (self.pairs.locate((pairs[:, k], where[:, 1])) for k in (0, 1))
        least = np.maximum(0.0, part[one] + part[two] - 1) * (potential[one] > 0) * (potential[two] > 0)
        loss = self._group_paths("loss", 0.0, [self.base_year])[where[:, 0], 0] * least
        np.add.at(direct[:, 0], self._at(self._loses_at), loss)
        return self.converted_effects(direct, 0)[:, 0]
