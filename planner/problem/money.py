"""Money: capital and running costs, prices, pools of spending, and the funds that pay."""

from collections import defaultdict

from planner.case import Case
from planner.problem.changes import Changes
from planner.problem.stock import Path
from planner.timing import annuity, construction, path


class Money(Changes):
    """Coefficients of the cost, and sets of spending and payments, on top of the changes."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._read_money()

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
        alone = dict.fromkeys(m for _, m in own)  # in the order of the rows: a set has another order on every run
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
