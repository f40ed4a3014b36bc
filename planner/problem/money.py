"""Money: capital and running costs, prices, pools of spending, and the funds that pay."""

from collections import defaultdict

import numpy as np

from planner.problem.changes import Changes
from planner.problem.keys import Array, Axis, Codes, Keys, Links, Mask, Table, product
from planner.problem.stock import Path, dates, numbers
from planner.problem.tracked import derived
from planner.timing import UNDATED, annuity, construction, path, paths


class Money(Changes):
    """Coefficients of the cost, and sets of spending and payments, on top of the changes."""

    # Cost of measures

    @derived
    def capex_points(self) -> dict[str, dict[int | None, float]]:
        """Capital cost of one unit by year as the tables say it [currency per unit of m]."""
        points: dict[str, dict[int | None, float]] = defaultdict(dict)
        for row in self.given.measure_costs:
            if row.capex is not None:
                points[row.measure][row.year] = row.capex
        return {m: points.get(m) or {None: row.capex} for m, row in self.measures.items()}

    @derived
    def om_points(self) -> dict[str, dict[int | None, float]]:
        """Running cost of one unit by year as the tables say it [currency per unit of m and year]."""
        points: dict[str, dict[int | None, float]] = defaultdict(dict)
        for row in self.given.measure_costs:
            if row.fixed_om is not None:
                points[row.measure][row.year] = row.fixed_om
        return {m: points.get(m) or {None: row.fixed_om} for m, row in self.measures.items()}

    def _cost_paths(self, points: dict[str, dict[int | None, float]]) -> Array:
        """Measure by year: path through points."""
        rows = [(i, year, value) for i, of in enumerate(points.values()) for year, value in of.items()]
        at = np.array([UNDATED if year is None else year for _, year, _ in rows], dtype=np.int64)
        values = numbers(value for _, _, value in rows)
        return paths(np.array([i for i, _, _ in rows], dtype=np.int64), at, values, len(self.m), self.years)

    @derived
    def capex(self) -> Array:
        """Measure by year: capital cost of one unit [currency per unit of m]."""
        return self._cost_paths(self.capex_points)

    @derived
    def capital_recovery(self) -> Array:
        """Yearly payment per capital cost of each measure [1/yr]."""
        return numbers(annuity(self.rate, row.lifetime) for row in self.measures.values())

    @derived
    def _measure_years(self) -> Keys:
        """Every measure and year."""
        return product(self.m, self.y)

    @derived
    def payment(self) -> Table:
        """Annuity of one unit started in a year [currency per unit of m and year]."""
        return Table(self._measure_years, (self.capex * self.capital_recovery[:, None]).ravel())

    @derived
    def fixed_om(self) -> Table:
        """Running cost of one unit [currency per unit of m and year]."""
        return Table(self._measure_years, self._cost_paths(self.om_points).ravel())

    @derived
    def installment(self) -> Table:
        """What one unit started in a year costs in each year of its construction [currency per unit of m and year]."""
        return Table(self._measure_years, (self.capex / self._paid_years[:, None]).ravel())

    # Prices

    @derived
    def components(self) -> tuple[str, ...]:
        """Components of prices that count."""
        return self.given.settings.components

    @derived
    def price(self) -> Table:
        """Price of a quantity, all its components together; 0 without [currency per unit of q]."""
        rows = [row for row in self.given.prices if row.component in self.components]
        named = list(dict.fromkeys((row.quantity, row.component) for row in rows))
        number = {name: i for i, name in enumerate(named)}
        of = np.array([number[row.quantity, row.component] for row in rows], dtype=np.int64)
        found = np.zeros((len(self.q), len(self.y)))
        parts = paths(of, dates(row.year for row in rows), numbers(row.price for row in rows), len(named), self.years)
        np.add.at(found, self.q.codes(q for q, _ in named), parts)
        return Table(product(self.q, self.y), found.ravel())

    @derived
    def price_path(self) -> dict[str, Path]:
        """Price of each quantity that has one over the plan [currency per unit of q]."""
        prices = self.price.array.reshape(len(self.q), len(self.y))
        counted = {row.quantity for row in self.given.prices if row.component in self.components}
        return {q: prices[i] for q, i in self.q.number.items() if q in counted}

    @derived
    def priced(self) -> Keys:
        """Changes that have a price."""
        q, c, s = self.places.parts
        place, year = np.nonzero(self.price.array.reshape(len(self.q), len(self.y))[q])
        return Keys(self.changes.axes, (q[place], c[place], s[place], year))

    # Spending

    @derived
    def sector_rules(self) -> dict[tuple[str, str], float]:
        """Largest share of a fund in a sector [-]."""
        return {(rule.fund, rule.sector): rule.max_share for rule in self.given.fund_rules if not rule.measure}

    @derived
    def own_rules(self) -> dict[tuple[str, str], float]:
        """Largest share of a fund in a measure with a rule of its own [-]."""
        return {(rule.fund, rule.measure): rule.max_share for rule in self.given.fund_rules if rule.measure}

    @derived
    def pool_measure(self) -> dict[str, str]:
        """The measure of each pool that belongs to one measure."""
        alone = dict.fromkeys(m for _, m in self.own_rules)  # in the order of the rows
        return {f"{self.measures[m].sector}/{m}": m for m in alone}

    @derived
    def pool_of(self) -> dict[str, str]:
        """The pool a measure's capital cost belongs to: its sector's, or its own where a fund has a rule for it."""
        own = {m: pool for pool, m in self.pool_measure.items()}
        return {m: own.get(m, measure.sector) for m, measure in self.measures.items()}

    @derived
    def pool_sector(self) -> dict[str, str]:
        """The sector of each pool."""
        own = {pool: self.measures[m].sector for pool, m in self.pool_measure.items()}
        return {**{s: s for s in self.sectors}, **own}

    @derived
    def k(self) -> Axis:
        """Pools of spending: sectors, and measures with a rule of their own."""
        return Axis(self.pool_sector)

    @derived
    def _pool_codes(self) -> Codes:
        """Pool of each measure."""
        return self.k.codes(self.pool_of.values())

    @derived
    def _paid_years(self) -> Codes:
        """Years over which each measure is paid [years]."""
        return np.array([len(construction(self.first, lead)) for lead in self.lead_time.tolist()], dtype=np.int64)

    @derived
    def bookings(self) -> list[tuple[str, str, int, float, str | None]]:
        """What existing stock commissioned in the plan or later books: measure, city, year, money, fund of its own."""
        found = []
        for existing in self.commissioned:
            if existing.year <= self.base_year:
                continue
            lead_time = self.measures[existing.measure].lead_time
            start = existing.year - lead_time
            unit_cost = existing.capex
            if unit_cost is None:
                unit_cost = float(path(self.capex_points[existing.measure], [start])[0])
            paid = construction(start, lead_time)
            amount = existing.units * unit_cost / len(paid)
            within = [y for y in paid if self.first <= y <= self.last]
            found += [(existing.measure, existing.city, y, amount, existing.fund) for y in within]
        return found

    @derived
    def booked_measure(self) -> dict[tuple[str, str, int], float]:
        """What existing stock books, by measure, city and year [currency]."""
        found: dict[tuple[str, str, int], float] = defaultdict(float)
        for m, c, y, amount, _ in self.bookings:
            found[m, c, y] += amount
        return dict(found)

    @derived
    def earmarked(self) -> dict[tuple[str, str, str, int], float]:
        """What existing stock books on a fund of its own, outside the mix: fund, measure, city, year [currency]."""
        found: dict[tuple[str, str, str, int], float] = defaultdict(float)
        for m, c, y, amount, fund in self.bookings:
            if fund:
                found[fund, m, c, y] += amount
        return dict(found)

    @derived
    def booked(self) -> dict[tuple[str, str, int], float]:
        """What existing stock books on a pool, by pool, city and year [currency]."""
        found: dict[tuple[str, str, int], float] = defaultdict(float)
        for m, c, y, amount, fund in self.bookings:
            if not fund:
                found[self.pool_of[m], c, y] += amount
        return dict(found)

    @derived
    def _spent_starts(self) -> tuple[Codes, Codes]:
        """Every start and every year it is paid in: position among what is startable, and year."""
        paid = self._paid_years[self.startable.parts[0]]
        start = np.repeat(np.arange(len(self.startable)), paid)
        since = np.arange(start.size) - np.repeat(np.cumsum(paid) - paid, paid)
        return start, self.startable.parts[2][start] + since

    @derived
    def spendings(self) -> Keys:
        """Pools, cities and years in which something can be spent."""
        spent = np.zeros((len(self.k), len(self.c), len(self.y)), dtype=bool)
        start, year = self._spent_starts
        m, c, _ = self.startable.parts
        spent[self._pool_codes[m[start]], c[start], year] = True
        for k, city, y in self.booked:
            spent[self.k.number[k], self.c.number[city], self.y.number[y]] = True
        return Keys((self.k, self.c, self.y), np.nonzero(spent))

    @derived
    def pool_starts(self) -> Links:
        """Measures and start years that a pool pays for in a year."""
        start, year = self._spent_starts
        m, c, v = (part[start] for part in self.startable.parts)
        at = self.spendings.locate((self._pool_codes[m], c, year))
        return Links.grouped(self.spendings, at, Keys((self.m, self.y), (m, v)))

    @derived
    def pool_booked(self) -> Table:
        """What existing stock books on a pool [currency]."""
        amounts = np.zeros(len(self.spendings))
        for key, amount in self.booked.items():
            amounts[self.spendings.position(key)] = amount
        return Table(self.spendings, amounts)

    # Funds

    @derived
    def funds(self) -> list[str]:
        """Ids of the funds."""
        return [row.fund for row in self.given.funds]

    @derived
    def f(self) -> Axis:
        """Funds."""
        return Axis(self.funds)

    @derived
    def _max_shares(self) -> Array:
        """Pool by fund: the most it pays [-]."""
        found = np.zeros((len(self.k), len(self.f)))
        for i, (k, sector) in enumerate(self.pool_sector.items()):
            for j, f in enumerate(self.funds):
                share = self.sector_rules.get((f, sector), 0.0)
                if k in self.pool_measure:
                    share = self.own_rules.get((f, self.pool_measure[k]), share)
                found[i, j] = share
        return found

    @derived
    def _may_pay(self) -> Mask:
        """Pool by fund: whether it pays."""
        mask: Mask = self._max_shares > 0
        return mask

    @derived
    def max_share(self) -> Table:
        """Largest share that a fund pays of a pool's spending [-]."""
        k, f = np.nonzero(self._may_pay)
        return Table(Keys((self.f, self.k), (f, k)), self._max_shares[k, f])

    @derived
    def financed(self) -> Keys:
        """Spending that funds pay: all, where there are funds."""
        return self.spendings if self.funds else self.spendings.only(np.zeros(0, dtype=np.int64))

    @derived
    def payers(self) -> Links:
        """Funds that may pay for a pool's spending."""
        links = Links.of_mask(self.financed, self._may_pay[self.financed.parts[0]], self.f)
        if not links.counts.all():
            raise AssertionError(f"no fund may pay for {self.financed[int(links.counts.argmin())][0]}")
        return links

    @derived
    def payments(self) -> Keys:
        """What a fund may pay: fund, pool, city, year."""
        k, c, y = (np.repeat(part, self.payers.counts) for part in self.financed.parts)
        return Keys((self.f, self.k, self.c, self.y), (self.payers.members.parts[0], k, c, y))

    def construction_years(self, m: str, v: int) -> range:
        """Years in which a start of `m` in `v` is paid."""
        return construction(v, self.measures[m].lead_time)
