"""Stock: where a measure may stand, what stands already, when starts enter and leave service."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.problem.keys import Array, Axis, Codes, Every, Keys, Links, Mask, Table, product
from planner.problem.tracked import Tracked, derived
from planner.rows import Existing, Measure, Row
from planner.timing import UNDATED, discount_factor, in_service, paths

Path = NDArray[np.float64]
ROUNDING = 1e-9
"""A ratio this close to a whole number counts as that number [-]."""


def columns(rows: Sequence[Row], *names: str) -> list[list[Any]]:
    """Columns of a table."""
    return [list(map(attrgetter(name), rows)) for name in names]


def dates(years: Iterable[int | None]) -> Codes:
    """Years of rows, as `timing.paths` wants them."""
    return np.array([UNDATED if year is None else year for year in years], dtype=np.int64)


def numbers(values: Iterable[float]) -> Array:
    """Values of a column."""
    return np.array(list(values), dtype=float)


class Stock(Tracked):
    """Sets and coefficients of stock and starts."""

    # What the case is about

    @derived
    def years(self) -> list[int]:
        """Years of the plan."""
        return list(self.given.years)

    @derived
    def first(self) -> int:
        """First year of the plan."""
        return self.given.settings.first_year

    @derived
    def last(self) -> int:
        """Last year of the plan."""
        return self.given.settings.last_year

    @derived
    def base_year(self) -> int:
        """Year that changes are measured from."""
        return self.given.settings.base_year

    @derived
    def decided_after(self) -> int:
        """Last year that is history."""
        as_of = self.given.settings.as_of
        return as_of if as_of is not None else self.first - 1

    @derived
    def rate(self) -> float:
        """Discount rate [1/yr]."""
        return self.given.settings.discount_rate

    @derived
    def cities(self) -> list[str]:
        """Ids of the cities."""
        return [row.city for row in self.given.cities]

    @derived
    def sectors(self) -> list[str]:
        """Ids of the sectors."""
        return [row.sector for row in self.given.sectors]

    @derived
    def quantities(self) -> list[str]:
        """Ids of the quantities."""
        return [row.quantity for row in self.given.quantities]

    @derived
    def measures(self) -> dict[str, Measure]:
        """Rows of the measures by id."""
        return {row.measure: row for row in self.given.measures}

    @derived
    def m(self) -> Axis:
        """Measures as part of a key; the other axes are letters, too."""
        return Axis(self.measures)

    @derived
    def c(self) -> Axis:
        """Cities."""
        return Axis(self.cities)

    @derived
    def y(self) -> Axis:
        """Years, also those of starts."""
        return Axis(self.years)

    @derived
    def q(self) -> Axis:
        """Quantities."""
        return Axis(self.quantities)

    @derived
    def s(self) -> Axis:
        """Sectors."""
        return Axis(self.sectors)

    # Measures, one number each

    @derived
    def lead_time(self) -> Codes:
        """Years from start to service of each measure [years]."""
        return np.array([row.lead_time for row in self.measures.values()], dtype=np.int64)

    @derived
    def lifetime(self) -> Codes:
        """Years in service of each measure [years]."""
        return np.array([row.lifetime for row in self.measures.values()], dtype=np.int64)

    @derived
    def ramp(self) -> Array:
        """Largest share of the potential that each measure may start in a year [1/yr]."""
        return numbers(row.ramp for row in self.measures.values())

    @derived
    def lump_size(self) -> Array:
        """Size of a lump of each measure, 0 for any amount [unit of m]."""
        return numbers(row.lump or 0.0 for row in self.measures.values())

    @derived
    def may_start(self) -> Mask:
        """Measure by year: whether construction may begin: decided, allowed, and in service within the horizon."""
        opened = [row.first_year or self.first for row in self.measures.values()]
        first = np.maximum(np.array(opened), self.decided_after + 1)
        years = np.array(self.years)
        starts: Mask = (years >= first[:, None]) & (years <= self.last - self.lead_time[:, None])
        return starts

    @derived
    def discount(self) -> Table:
        """Worth in the base year of money of each year [-]."""
        return Table(product(self.y), numbers(discount_factor(self.rate, y - self.base_year) for y in self.years))

    # Measures in cities

    @derived
    def _potentials(self) -> tuple[Array, Mask]:
        """Potential of every measure and city over base year and plan, and where some row says more than zero."""
        m, c, years, potentials = columns(self.given.potentials, "measure", "city", "year", "potential")
        place, values = self.m.codes(m) * len(self.c) + self.c.codes(c), numbers(potentials)
        size = len(self.m) * len(self.c)
        found = paths(place, dates(years), values, size, [self.base_year, *self.years])
        return found, np.bincount(place, values != 0, minlength=size) > 0

    @derived
    def commissioned(self) -> tuple[Existing, ...]:
        """Stock that stands or is under way."""
        return self.given.existing

    @derived
    def pairs(self) -> Keys:
        """Measures and the cities they may stand in: those with a potential, or with a history."""
        _, there = self._potentials
        known = there.copy()
        for row in self.commissioned:
            known[self.m.number[row.measure] * len(self.c) + self.c.number[row.city]] = True
        return Keys((self.m, self.c), np.divmod(np.flatnonzero(known), len(self.c)))

    def standing(self, years: Sequence[int], until: int | None = None) -> Array:
        """Existing stock of each pair in service over `years`, of what was commissioned up to `until` [unit of m]."""
        held = np.zeros((len(self.pairs), len(years)))
        for row in self.commissioned:
            if until is None or row.year <= until:
                serving = in_service(row.year, 0, self.measures[row.measure].lifetime)
                held[self.pairs.position((row.measure, row.city))] += [row.units * (year in serving) for year in years]
        return held

    @derived
    def held(self) -> Array:
        """Existing stock of each pair over the plan [unit of m]."""
        return self.standing(self.years)

    @derived
    def potential_path(self) -> Table:
        """Potential of each pair over the plan; what stood in years that are history was possible [unit of m]."""
        (m, c), (found, _) = self.pairs.parts, self._potentials
        potential = found[m * len(self.c) + c, 1:]
        decided = np.array(self.years) > self.decided_after
        return Table(self.pairs, np.where(decided, potential, np.maximum(potential, self.held)))

    @derived
    def holdings(self) -> Keys:
        """Where and when a measure may stand."""
        return self.pairs.times(self.y)

    @derived
    def potential(self) -> Table:
        """Most stock [unit of m]."""
        return Table(self.holdings, self.potential_path.array.ravel())

    @derived
    def existing(self) -> Table:
        """Existing stock in service [unit of m]."""
        return Table(self.holdings, self.held.ravel())

    @derived
    def joining(self) -> Table:
        """Change of existing stock against the year before [unit of m]."""
        return Table(self.holdings, np.diff(self.held, axis=1, prepend=0.0).ravel())

    @derived
    def startable(self) -> Keys:
        """Where and when construction may begin."""
        m, c = self.pairs.parts
        pair, v = np.nonzero(self.may_start[m])
        return Keys((self.m, self.c, self.y), (m[pair], c[pair], v))

    @derived
    def _ramped(self) -> Array:
        """What the ramp lets each pair start in a year: a share of the last potential [unit of m]."""
        m, _ = self.pairs.parts
        most: Array = self.ramp[m] * self.potential_path.array[:, -1]
        return most

    @derived
    def _most_lumps(self) -> Array:
        """Most lumps of each pair started in a year; 0 for a measure that comes in any amount [-]."""
        m, _ = self.pairs.parts
        lump = np.where(self.lump_size[m] > 0, self.lump_size[m], np.inf)
        return np.floor(np.maximum(self._ramped / lump, np.isfinite(lump)) + ROUNDING)

    @derived
    def start_limit(self) -> Table:
        """Most starts of a year: what the ramp allows, or whole lumps [unit of m]."""
        m, _ = self.pairs.parts
        limit = np.where(self.lump_size[m] > 0, self._most_lumps * self.lump_size[m], self._ramped)
        return Table(self.startable, limit[self.pairs.locate(self.startable.parts[:2])])

    @derived
    def lumpy(self) -> Keys:
        """Starts that come in lumps."""
        return self.startable.only(self.lump_size[self.startable.parts[0]] > 0)

    @derived
    def most_lumps(self) -> Table:
        """Most lumps started in a year [-]."""
        return Table(self.lumpy, self._most_lumps[self.pairs.locate(self.lumpy.parts[:2])])

    @derived
    def lump(self) -> Table:
        """Size of a lump, of the measures that come in lumps and may stand somewhere [unit of m]."""
        lumpy = np.intersect1d(np.flatnonzero(self.lump_size), self.pairs.parts[0])
        return Table(Keys((self.m,), (lumpy,)), self.lump_size[lumpy])

    # When starts serve

    def _starts_when(self, age: NDArray[np.bool_]) -> Links:
        """For every holding the start years that a mask over measures, years and start years tells."""
        mask = (age & self.may_start[:, None, :]).reshape(-1, len(self.y))
        links = Links.of_mask(product(self.m, self.y), mask, self.y)
        return links.at(self.holdings, product(self.m, self.y).locate((self.holdings.parts[0], self.holdings.parts[2])))

    @derived
    def _enters(self) -> Codes:
        """Measure by year: the start year of what enters service."""
        return np.array(self.years) - self.lead_time[:, None]

    @derived
    def _leaves(self) -> Codes:
        """Measure by year: the start year of what reaches the end of its life."""
        return self._enters - self.lifetime[:, None]

    @derived
    def before(self) -> Links:
        """The year before, where there is one."""
        links = Links.of_mask(Every(self.y), np.eye(len(self.y), k=-1, dtype=bool), self.y)
        return links.at(self.holdings, self.holdings.parts[2])

    @derived
    def entering(self) -> Links:
        """Starts that enter service."""
        return self._starts_when(self._enters[:, :, None] == np.array(self.years))

    @derived
    def leaving(self) -> Links:
        """Starts that reach the end of their life."""
        return self._starts_when(self._leaves[:, :, None] == np.array(self.years))

    @derived
    def serving(self) -> Links:
        """Starts in service."""
        years = np.array(self.years)
        return self._starts_when((self._leaves[:, :, None] < years) & (years <= self._enters[:, :, None]))
