"""Facts: what the tables of a case say of stock, effects and money, as arrays. Read anew, shared with no model.

Places of a quantity are numbered (quantity, city, sector, year); the last "city" of a baseline is what no city holds.
The years run from the base year, position 0, over all years of the plan.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.case import Case
from planner.rows import Group
from planner.timing import annuity, construction, discount_factor, in_service, path
from planner.units import factor

Vector = NDArray[np.float64]
Numbers = NDArray[np.int64]
WHOLE = 1e-9
"""A ratio this close to a whole number of lumps counts as that number [-]."""
Points = dict[int | None, float]


@dataclass(frozen=True)
class Start:
    """Starts of one measure in one city and year that the tables allow."""

    site: int
    year: int
    fits: float
    """Largest amount that potential, ramp and lump allow [unit of the measure]."""
    most: float
    """Largest amount that ramp and lump allow [unit of the measure]."""


@dataclass(frozen=True)
class Booking:
    """What history still pays in a year of the plan."""

    site: int
    t: int
    amount: float
    """Money of the year [currency]."""
    fund: str
    """Fund that pays it outside the mix; blank: the pool."""


@dataclass(frozen=True)
class Route:
    """A conversion by year, base year in front [unit of the driven per unit of the driving quantity]."""

    name: str
    source: int
    goal: int
    to_sector: int | None
    shares: Vector | None
    """Share of each city when it is pooled; none when it stays in its city [-]."""
    factors: Vector


@dataclass(frozen=True)
class Tie:
    """A group of measures: its members with weight and ratio by year, and the paths of the group."""

    name: str
    kind: str
    scope: str
    on: str
    cities: tuple[int, ...]
    members: tuple[tuple[int, str, Vector, Vector], ...]
    """Measure, role, weight, ratio."""
    cap: Vector | None
    free: Vector
    loss: Vector
    quantity: int | None


class Facts:
    """Everything the tables of a case say, numbered."""

    def __init__(self, case: Case) -> None:
        self.case = case
        s = case.settings
        self.years = case.years
        self.dates = [s.base_year, *self.years]
        self.first, self.last = s.first_year, s.last_year
        self.T = len(self.dates)
        self.at = {y: t for t, y in enumerate(self.dates)}
        self.decided = frozenset(case.decided)
        self.discount = np.array([discount_factor(s.discount_rate, y - s.base_year) for y in self.dates])
        self.cities = numbered(row.city for row in case.cities)
        self.sectors = numbered(row.sector for row in case.sectors)
        self.quantities = numbered(row.quantity for row in case.quantities)
        self.measures = numbered(row.measure for row in case.measures)
        self.sector_of = np.array([self.sectors[row.sector] for row in case.measures], dtype=np.int64)
        self.names = {
            "city": [row.city for row in case.cities],
            "sector": [row.sector for row in case.sectors],
            "quantity": [row.quantity for row in case.quantities],
            "measure": [row.measure for row in case.measures],
        }
        self.unit = {row.quantity: row.unit for row in case.quantities}
        self.shape = (len(self.quantities), len(self.cities), len(self.sectors), self.T)
        self._read_stock()
        self._read_costs()
        self._read_starts()
        self._read_quantities()
        self._read_routes()
        self._read_ties()
        self._read_funds()

    # ------------------------------------------------------------ stock

    def _read_stock(self) -> None:
        case = self.case
        points: dict[tuple[int, int], Points] = defaultdict(dict)
        for row in case.potentials:
            points[self.measures[row.measure], self.cities[row.city]][row.year] = row.potential
        self.sites = sorted(points)
        self.site = {site: i for i, site in enumerate(self.sites)}
        self.site_measure = np.array([m for m, _ in self.sites], dtype=np.int64)
        self.site_city = np.array([c for _, c in self.sites], dtype=np.int64)
        stated = np.array([path(points[site], self.dates) for site in self.sites]).reshape(len(self.sites), self.T)
        self.full = stated[:, -1]
        """Potential of the last year, which the ramp is a share of [unit of the measure]."""
        self.existing = np.zeros((len(self.sites), self.T))
        self.old = np.zeros((len(self.sites), self.T))
        """Existing stock commissioned up to the base year [unit of the measure]."""
        base = case.settings.base_year
        for held in case.existing:
            i, measure = self.site[self.measures[held.measure], self.cities[held.city]], self._measure(held.measure)
            serving = in_service(held.year, 0, measure.lifetime)
            times = [t for t, y in enumerate(self.dates) if y in serving]
            self.existing[i, times] += held.units
            if held.year <= base:
                self.old[i, times] += held.units
        past = np.array([y not in self.decided for y in self.dates])
        self.potential = np.where(past, np.maximum(stated, self.existing), stated)

    def _measure(self, name: str) -> Any:
        return self.case.measures[self.measures[name]]

    def _read_costs(self) -> None:
        """Capital and running cost by measure and year; the capital cost of history may lie before the plan."""
        learnt: dict[str, dict[int, Points]] = {"capex": defaultdict(dict), "fixed_om": defaultdict(dict)}
        for dated in self.case.measure_costs:
            for column, value in (("capex", dated.capex), ("fixed_om", dated.fixed_om)):
                if value is not None:
                    learnt[column][self.measures[dated.measure]][dated.year] = value
        self._capex = [learnt["capex"].get(m) or {None: row.capex} for m, row in enumerate(self.case.measures)]
        om = [learnt["fixed_om"].get(m) or {None: row.fixed_om} for m, row in enumerate(self.case.measures)]
        self.capex = np.array([path(points, self.dates) for points in self._capex])
        self.om = np.array([path(points, self.dates) for points in om])
        rate = self.case.settings.discount_rate
        self.annuity = np.array([annuity(rate, row.lifetime) for row in self.case.measures])
        self.bookings: list[Booking] = []
        for held in self.case.existing:
            if held.year > self.case.settings.base_year:
                m = self.measures[held.measure]
                row = self.case.measures[m]
                start = held.year - row.lead_time
                price = float(path(self._capex[m], [start])[0]) if held.capex is None else held.capex
                paid = construction(start, row.lead_time)
                for y in paid:
                    if self.first <= y <= self.last:
                        site = self.site[m, self.cities[held.city]]
                        amount = held.units * price / len(paid)
                        self.bookings.append(Booking(site, self.at[y], amount, held.fund or ""))

    def _read_starts(self) -> None:
        self.starts: list[Start] = []
        fits = self._fits()
        for i, (m, _) in enumerate(self.sites):
            row = self.case.measures[m]
            most = row.ramp * float(self.full[i])
            if row.lump:
                most = row.lump * math.floor(max(most, row.lump) / row.lump + WHOLE)
            for y in self.years:
                if y in self.decided and y >= (row.first_year or y) and y + row.lead_time <= self.last:
                    self.starts.append(Start(i, y, min(most, float(fits[i, self.at[y]])), most))
        self.start = {(start.site, start.year): j for j, start in enumerate(self.starts)}
        self.start_site = np.array([start.site for start in self.starts], dtype=np.int64)
        self.start_year = np.array([start.year for start in self.starts], dtype=np.int64)
        self.start_most = np.array([start.most for start in self.starts])
        self.start_fits = np.array([start.fits for start in self.starts])
        self.start_measure = self.site_measure[self.start_site]
        self.lead = np.array([row.lead_time for row in self.case.measures], dtype=np.int64)
        self.life = np.array([row.lifetime for row in self.case.measures], dtype=np.int64)
        self.lump = np.array([row.lump or 0.0 for row in self.case.measures])

    def _fits(self) -> Vector:
        """What potential and existing stock leave room for in all years a start of each year serves, in whole lumps."""
        room = np.maximum(0.0, self.potential - self.existing)
        fits = np.zeros_like(room)
        for m, row in enumerate(self.case.measures):
            sites = np.flatnonzero(self.site_measure == m)
            for t in range(1, self.T - row.lead_time):
                serving = slice(t + row.lead_time, t + row.lead_time + row.lifetime)
                fits[sites, t] = room[sites, serving].min(axis=1, initial=np.inf)
            if row.lump:
                fits[sites] = row.lump * np.floor(fits[sites] / row.lump + WHOLE)
        return fits

    # ------------------------------------------------------------ quantities

    def _read_quantities(self) -> None:
        case = self.case
        Q, C, S, T = self.shape
        lines: dict[tuple[int, int, int], Points] = defaultdict(dict)
        for row in case.baseline:
            q, c = self.quantities[row.quantity], C if row.city is None else self.cities[row.city]
            scale = factor(row.unit or self.unit[row.quantity], self.unit[row.quantity])
            lines[q, c, self.sectors[row.sector]][row.year] = row.value * scale
        self.baseline = np.zeros((Q, C + 1, S, T))
        for place, points in lines.items():
            self.baseline[place] = path(points, self.dates)
        self.stated = frozenset(lines)
        """Places (quantity, city, sector) that have a baseline."""
        prices: dict[tuple[int, str], Points] = defaultdict(dict)
        for price in case.prices:
            if price.component in case.settings.components:
                prices[self.quantities[price.quantity], price.component][price.year] = price.price
        self.price = np.zeros((Q, T))
        for (q, _), points in prices.items():
            self.price[q] += path(points, self.dates)
        drivers: dict[tuple[str, str], Points] = defaultdict(dict)
        for driver in case.drivers:
            drivers[driver.driver, driver.city or ""][driver.year] = driver.value
        self.drivers = {key: path(points, self.dates) for key, points in drivers.items()}
        effects: dict[tuple[int, int], dict[str, Points]] = defaultdict(lambda: defaultdict(dict))
        for effect in case.effects:
            scale = factor(effect.unit or self.unit[effect.quantity], self.unit[effect.quantity])
            pair = self.measures[effect.measure], self.quantities[effect.quantity]
            effects[pair][effect.city or ""][effect.year] = effect.value * scale
        sites: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for i, (m, c) in enumerate(self.sites):
            sites[m].append((i, c))
        self.effects: list[tuple[int, int, Vector]] = []
        """Site, quantity, and change per unit of stock by year [unit of the quantity]."""
        for (m, q), cities in effects.items():
            paths = {city: path(points, self.dates) for city, points in cities.items()}
            for i, c in sites[m]:
                found = paths.get(self.names["city"][c], paths.get(""))
                if found is not None:
                    self.effects.append((i, q, found))

    def _read_routes(self) -> None:
        shares: dict[str, Vector] = defaultdict(lambda: np.zeros(len(self.cities)))
        for row in self.case.allocations:
            shares[row.allocation][self.cities[row.city]] = row.share
        points: dict[tuple[str, str, str, str], Points] = defaultdict(dict)
        for way in self.case.conversions:
            key = way.from_quantity, way.to_quantity, way.to_sector or "", way.allocation or ""
            points[key][way.year] = way.factor
        self.routes = [
            Route(
                name=">".join((source, goal, sector, allocation)),
                source=self.quantities[source],
                goal=self.quantities[goal],
                to_sector=self.sectors[sector] if sector else None,
                shares=shares[allocation] if allocation else None,
                factors=path(dated, self.dates),
            )
            for (source, goal, sector, allocation), dated in points.items()
        ]

    # ------------------------------------------------------------ groups

    def _read_ties(self) -> None:
        rows: dict[str, list[Group]] = defaultdict(list)
        for row in self.case.groups:
            rows[row.group].append(row)
        self.ties = [self._tie(name, lines) for name, lines in rows.items()]

    def _tie(self, name: str, rows: list[Group]) -> Tie:
        head = rows[0]
        weights: dict[tuple[int, str], tuple[Points, Points]] = {}
        for row in rows:
            weight, ratio = weights.setdefault((self.measures[row.measure], row.role), ({}, {}))
            weight[row.year] = 1.0 if row.weight is None else row.weight
            ratio[row.year] = row.ratio
        caps = {row.year: row.cap for row in rows if row.cap is not None}
        return Tie(
            name=name,
            kind=head.kind,
            scope=head.scope,
            on=head.on,
            cities=(self.cities[head.city],) if head.city else tuple(self.cities.values()),
            members=tuple(
                (m, role, path(weight, self.dates), path(ratio, self.dates))
                for (m, role), (weight, ratio) in weights.items()
            ),
            cap=path({**caps}, self.dates) if caps else None,
            free=path({row.year: row.free for row in rows}, self.dates),
            loss=path({row.year: row.loss or 0.0 for row in rows}, self.dates),
            quantity=None if head.quantity is None else self.quantities[head.quantity],
        )

    # ------------------------------------------------------------ money

    def _read_funds(self) -> None:
        """Pools of spending (a sector, or a measure with a rule of its own) and the share each fund may pay."""
        own = {row.measure for row in self.case.fund_rules if row.measure}
        self.pools: list[str] = []
        self.pool_sector: list[int] = []
        pool: dict[str, int] = {}
        self.pool_of = np.zeros(len(self.measures), dtype=np.int64)
        for m, row in enumerate(self.case.measures):
            name = f"{row.sector}/{row.measure}" if row.measure in own else row.sector
            if name not in pool:
                pool[name] = len(self.pools)
                self.pools.append(name)
                self.pool_sector.append(self.sectors[row.sector])
            self.pool_of[m] = pool[name]
        self.pool = pool
        rules: dict[tuple[str, str], float] = {}
        for rule in self.case.fund_rules:
            rules[rule.fund, f"{rule.sector}/{rule.measure}" if rule.measure else rule.sector] = rule.max_share
        self.funds = [row.fund for row in self.case.funds]
        self.share: dict[tuple[str, int], float] = {}
        for fund in self.funds:
            for name, k in pool.items():
                share = rules.get((fund, name), rules.get((fund, name.partition("/")[0]), 0.0))
                if share > 0:
                    self.share[fund, k] = share

    def scope(self, name: str) -> list[int]:
        """Cities of a scope."""
        return [self.cities[city] for city in self.case.scope_cities(name)]

    def sectors_in(self, names: Iterable[str]) -> list[int]:
        """Sectors of these names; none named: all."""
        return [self.sectors[name] for name in names] or list(self.sectors.values())


def numbered(names: Iterable[str]) -> dict[str, int]:
    """Names in their order, counted from 0."""
    return {name: i for i, name in enumerate(names)}
