"""Random cases that are valid by the case format, for tests that hold for every case.

`random_case(seed)` depends on its seed alone. Goals, budgets and pins are sized by solving the case as far as it is
drawn with the twin, so most of them bite and most cases have a plan; about one in seven is made infeasible on purpose.
The numbers are made up: only their magnitudes are sane.

`in_unit`, `in_money`, `shuffled` and `city_split` say the same case in other words; the plan must not notice.
"""

from __future__ import annotations

import copy
import csv
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from twin import Line, Twin, TwinResult, cells, conversion, number, text, total

Cell = str | float | int | None
Table = list[dict[str, Cell]]

COLUMNS: dict[str, tuple[str, str]] = {
    "cities": ("city name_zh name_en", "lat lon zone population gdp area"),
    "city_groups": ("group city", ""),
    "sectors": ("sector name_zh name_en", ""),
    "quantities": ("quantity unit name_zh name_en", "kind floor floor_scope"),
    "measures": (
        "measure name_zh name_en sector unit capex fixed_om lifetime lead_time ramp",
        "first_year lump clause departments",
    ),
    "measure_costs": ("measure year", "capex fixed_om"),
    "effects": ("measure quantity value", "city year unit"),
    "potentials": ("measure city potential", "year"),
    "existing": ("measure city year units", "capex fund"),
    "baseline": ("quantity city sector year value", "unit"),
    "drivers": ("driver year value", "city"),
    "conversions": ("from_quantity to_quantity factor", "to_sector allocation year"),
    "allocations": ("allocation city share", ""),
    "prices": ("quantity component price", "year"),
    "groups": ("group kind measure", "role weight cap ratio free quantity loss scope city year on"),
    "funds": ("fund name_zh name_en", ""),
    "fund_rules": ("fund sector max_share", "measure"),
    "targets": (
        "target kind quantity sense value",
        "of scope sectors first_year last_year per by decline soft_penalty priority clause name_zh name_en",
    ),
    "budgets": (
        "budget limit",
        "fund scope sectors first_year last_year per carry_over year name_zh name_en",
    ),
    "pins": ("pin measure", "city first_year last_year on min max"),
}
"""Required and optional columns of each table."""

ORDER = ["capacity", "clean_power", "coal_power", "co2", "nox", "voc"]
GOOD = ("capacity", "clean_power")
BASE_UNIT = {"capacity": "MW", "clean_power": "MWh", "coal_power": "MWh", "co2": "t", "nox": "t", "voc": "t"}
UNIT_CHOICE = {
    "capacity": ["MW", "GW"],
    "clean_power": ["GWh", "TWh", "MWh"],
    "coal_power": ["GWh", "TWh"],
    "co2": ["kt", "Mt", "t"],
    "nox": ["t", "kt", "kg"],
    "voc": ["t", "kg"],
}
PROVINCE = {"capacity": 2e3, "clean_power": 2e6, "coal_power": 2e7, "co2": 4e7, "nox": 5e4, "voc": 3e4}
WORTH = {"capacity": 3e5, "clean_power": 300.0, "coal_power": 350.0, "co2": 100.0, "nox": 3e4, "voc": 2e4}
"""Money per base unit and year that a measure may well be worth."""
CHAINS = [
    ("capacity", "clean_power", 1500.0, 0.4),
    ("clean_power", "coal_power", -0.95, 0.8),
    ("coal_power", "co2", 0.85, 0.85),
    ("coal_power", "nox", 2e-4, 0.55),
    ("coal_power", "voc", 2e-5, 0.2),
    ("co2", "voc", 1e-4, 0.25),
    ("nox", "voc", 0.05, 0.25),
]
CITIES = ["aspen", "birch", "cedar", "dover", "elmet"]
SECTORS = ["power", "industry", "transport"]
MEASURES = ["pv", "wind", "motors", "boilers", "scr", "sncr", "buses", "trucks", "storage", "heat_pumps"]


@dataclass
class RandomCase:
    """A case in memory."""

    seed: int
    settings: dict[str, Any]
    tables: dict[str, Table]
    features: set[str] = field(default_factory=set)

    def write(self, folder: Path) -> Path:
        """Write case.yaml and the tables that have rows; returns the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        settings = yaml.safe_dump(self.settings, allow_unicode=True, sort_keys=False)
        (folder / "case.yaml").write_text(settings, encoding="utf-8")
        for name, rows in self.tables.items():
            if not rows:
                continue
            required, optional = (columns.split() for columns in COLUMNS[name])
            used = required + [column for column in optional if any(text(row.get(column)) for row in rows)]
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, used, restval="", extrasaction="raise", lineterminator="\n")
                writer.writeheader()
                for row in rows:
                    writer.writerow({column: text(row.get(column)) for column in used})
        return folder

    def twin(self) -> Twin:
        return Twin(self.settings, self.tables)

    def solve(self, objective: Sequence[str] | None = None) -> TwinResult:
        return self.twin().solve(objective)


def rounded(value: float, digits: int = 4) -> float:
    """Value with a few significant digits."""
    return float(f"{value:.{digits}g}")


class Draft:
    """One case while it is drawn."""

    def __init__(self, seed: int, lumps: bool | None) -> None:
        self.rng = np.random.default_rng([seed, 20220627])
        self.seed = seed
        self.tables: dict[str, Table] = {name: [] for name in COLUMNS}
        self.lumpy = self.chance(0.12) if lumps is None else lumps
        self.doomed = self.chance(0.14)
        self.known: Twin | None = None

    # dice

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def between(self, low: float, high: float, digits: int = 4) -> float:
        return rounded(float(self.rng.uniform(low, high)), digits)

    def whole(self, low: int, high: int) -> int:
        """Whole number from low to high, both included."""
        return int(self.rng.integers(low, max(low, high) + 1))

    def pick(self, options: Sequence[Any]) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def some(self, options: Sequence[Any], least: int = 1, most: int | None = None) -> list[Any]:
        """A few of the options, in their order."""
        count = self.whole(min(least, len(options)), min(most or len(options), len(options)))
        chosen = sorted(int(i) for i in self.rng.choice(len(options), count, replace=False))
        return [options[i] for i in chosen]

    def spread(self, value: float, sigma: float = 0.5) -> float:
        return rounded(value * float(self.rng.lognormal(0.0, sigma)))

    def parts(self, count: int) -> list[float]:
        """Shares with four decimals that sum to 1."""
        shares = [round(float(share), 4) for share in self.rng.dirichlet(np.full(count, 3.0))]
        shares[-1] = round(1.0 - sum(shares[:-1]), 4)
        return shares

    def add(self, table: str, **row: Cell) -> dict[str, Cell]:
        self.tables[table].append(row)
        return row

    # facts

    def draw(self) -> RandomCase:
        self.settings_and_sets()
        self.baseline()
        self.funds()
        self.measures()
        self.conversions()
        self.prices()
        self.existing()
        self.groups()
        self.floors()
        self.keep_a_plan()
        self.targets()
        self.pins()
        self.budgets()
        self.objective()
        self.keep_whole_lumps()
        if self.doomed:
            self.doom()
        case = RandomCase(self.seed, self.settings, self.tables)
        case.features = features(case)
        return case

    def settings_and_sets(self) -> None:
        first = self.whole(2021, 2026)
        years = self.whole(3, 5 if self.lumpy else 8)
        self.first, self.last = first, first + years - 1
        self.base = first - 1 if self.chance(0.9) else first - 2
        self.years = list(range(first, self.last + 1))
        self.as_of = self.whole(first, self.last - 2) if self.chance(0.22) else None
        self.settings: dict[str, Any] = {
            "name": f"random_{self.seed}",
            "title": {"zh": f"随机案例 {self.seed}", "en": f"Random case {self.seed}"},
            "base_year": self.base,
            "first_year": self.first,
            "last_year": self.last,
            "discount_rate": self.pick([0.0, 0.03, 0.05, 0.06, 0.08]) if self.chance(0.9) else 0.0,
            "currency": "CNY",
            "money_unit": "million",
        }
        if self.as_of is not None:
            self.settings["as_of"] = self.as_of
        if self.chance(0.7):
            self.settings["perspective"] = self.pick(
                ["market", "private", "social", ["market", "carbon"], ["market", "damage", "tax"]]
            )
        self.cities = CITIES[: self.whole(2, 3 if self.lumpy else 5)]
        for c in self.cities:
            self.add("cities", city=c, name_zh=f"{c}市", name_en=c.title())
        self.scopes: list[str] = list(self.cities)
        if self.chance(0.65):
            for group in self.some(["north", "river"], 1, 2):
                self.scopes.append(group)
                for c in self.some(self.cities):
                    self.add("city_groups", group=group, city=c)
        self.sectors = SECTORS[: self.whole(2, 3)]
        for s in self.sectors:
            self.add("sectors", sector=s, name_zh=f"{s}部门", name_en=s.title())
        others = [q for q in ORDER if q != "co2"]
        chosen = {"co2", *self.some(others, 2, 5)}
        self.quantities = [q for q in ORDER if q in chosen]
        self.unit = {q: self.pick(UNIT_CHOICE[q]) for q in self.quantities}
        if self.chance(0.6):
            alike = {"clean_power": "GWh", "coal_power": "GWh", "co2": "t", "nox": "t", "voc": "t"}
            self.unit |= {q: unit for q, unit in alike.items() if q in self.unit}
        for q in self.quantities:
            self.add("quantities", quantity=q, unit=self.unit[q], name_zh=f"指标{q}", name_en=q.replace("_", " "))
        if self.chance(0.75):
            self.drivers()

    def drivers(self) -> None:
        for city in ["", *(self.some(self.cities) if self.chance(0.5) else [])]:
            growth = self.between(0.01, 0.07)
            for y in sorted({self.base, self.pick(self.years), self.last}):
                self.add(
                    "drivers",
                    driver="gdp",
                    year=y,
                    value=rounded((1 + growth) ** (y - self.base), 6),
                    city=city,
                )

    def in_unit(self, q: str, value: float) -> float:
        """A number in the base unit of a quantity in its own unit."""
        return rounded(value * conversion(BASE_UNIT[q], self.unit[q]))

    def stated(self, q: str, value: float) -> dict[str, Cell]:
        """A value with, now and then, another unit than the quantity's."""
        unit = self.pick(UNIT_CHOICE[q]) if self.chance(0.2) else ""
        own = rounded(value * conversion(BASE_UNIT[q], unit or self.unit[q]))
        return {"value": own, "unit": unit}

    def baseline(self) -> None:
        undated = self.chance(0.15)
        for q in self.quantities:
            if q in GOOD and self.chance(0.4):
                continue
            for s, part in zip(self.sectors, self.parts(len(self.sectors)), strict=True):
                if s != "power" and self.chance(0.2):
                    continue
                held = zip(self.cities, self.parts(len(self.cities)), strict=True)
                shares = [("", 1.0)] if self.chance(0.1) else list(held)
                if shares[0][0] and self.chance(0.05):
                    shares.append(("", 0.1))
                growth = self.between(-0.03, 0.04)
                for c, share in shares:
                    now = PROVINCE[q] * part * share
                    dates = sorted({self.base, self.last, *([self.pick(self.years)] if self.chance(0.3) else [])})
                    if undated and self.chance(0.3):
                        self.add("baseline", quantity=q, city=c, sector=s, year="", **self.stated(q, now))
                        continue
                    for y in dates:
                        bump = self.between(0.98, 1.02) * (1 + growth) ** (y - self.base)
                        self.add("baseline", quantity=q, city=c, sector=s, year=y, **self.stated(q, now * bump))

    def funds(self) -> None:
        self.fund_names: list[str] = []
        if not self.chance(0.6):
            return
        self.fund_names = [*self.some(["central", "credit"], 1, 2), "own"]
        for f in self.fund_names:
            self.add("funds", fund=f, name_zh=f"资金{f}", name_en=f.title())
        for s in self.sectors:
            shares = [self.between(0.1, 0.6, 2) for _ in self.fund_names[:-1]]
            own = round(max(0.3, 1.05 - sum(shares)), 2) if self.chance(0.7) else 1.0
            for f, share in zip(self.fund_names, [*shares, own], strict=True):
                self.add("fund_rules", fund=f, sector=s, measure="", max_share=share)

    def measures(self) -> None:
        count = self.whole(3, 5 if self.lumpy else 10)
        self.names = sorted(self.some(MEASURES, count, count), key=MEASURES.index)
        self.size: dict[str, float] = {}
        self.row: dict[str, dict[str, Cell]] = {}
        self.sites: dict[str, list[str]] = {}
        lumpy = set(self.some(self.names, 1, 2)) if self.lumpy else set()
        for m in self.names:
            sector = self.pick(self.sectors)
            size = self.size[m] = rounded(10 ** float(self.rng.uniform(0.5, 3.5)), 2)
            worth = self.effects(m, size)
            capex = self.spread(worth * 8.0 + 1.0, 0.8)
            om = self.between(0.0, 0.04) * capex if self.chance(0.85) else -0.2 * worth
            lead = min(self.pick([0, 0, 1, 1, 1, 2, 3]), len(self.years) - 1)
            row = self.row[m] = self.add(
                "measures",
                measure=m,
                name_zh=f"措施{m}",
                name_en=m.replace("_", " ").title(),
                sector=sector,
                unit="units",
                capex=capex,
                fixed_om=rounded(om),
                lifetime=self.whole(1, 5) if self.chance(0.35) else self.whole(8, 25),
                lead_time=lead,
                ramp="" if self.chance(0.1) else self.between(0.15, 1.0, 2),
                first_year=self.whole(self.first, self.last - lead) if self.chance(0.15) else "",
                lump=rounded(size * self.between(0.2, 0.7), 2) if m in lumpy else "",
            )
            self.sites[m] = self.some(self.cities, max(1, len(self.cities) - 1))
            dated = self.chance(0.2)
            for c in self.sites[m]:
                limit = rounded(size * self.between(0.3, 1.5), 3) if self.chance(0.96) else 0.0
                if dated:
                    for y in self.some(self.years, 2, 3):
                        potential = rounded(limit * self.between(0.6, 1.3), 3)
                        self.add("potentials", measure=m, city=c, potential=potential, year=y)
                else:
                    self.add("potentials", measure=m, city=c, potential=limit, year="")
            if self.fund_names and self.chance(0.15):
                f = self.pick(self.fund_names)
                share = 1.0 if f == "own" else self.between(0.3, 0.9, 2)
                self.add("fund_rules", fund=f, sector=row["sector"], measure=m, max_share=share)
        self.respect_shares()
        for m in self.some(self.names, 1, 3) if self.chance(0.5) else []:
            self.learning(m)

    def respect_shares(self) -> None:
        """Drop measure rules that leave their pool short of money."""
        share = {
            (r["fund"], r["sector"]): float(str(r["max_share"])) for r in self.tables["fund_rules"] if not r["measure"]
        }
        for rule in [r for r in self.tables["fund_rules"] if r["measure"]]:
            pool = {f: share[f, rule["sector"]] for f in self.fund_names}
            pool[str(rule["fund"])] = float(str(rule["max_share"]))
            if sum(pool.values()) < 1.0:
                self.tables["fund_rules"].remove(rule)

    def effects(self, m: str, size: float) -> float:
        """Effects of a measure; returns what a unit may be worth a year [money]."""
        worth = 0.0
        for k, q in enumerate(self.rng.permutation(self.quantities)[: self.whole(1, min(3, len(self.quantities)))]):
            helps = 1.0 if k == 0 or self.chance(0.75) else -0.5
            sign = helps if q in GOOD else -helps
            whole = PROVINCE[q] / len(self.cities)
            value = sign * whole * float(self.rng.uniform(0.02, 0.12)) / size
            worth += helps * abs(value) * WORTH[q]
            for city in ["", *(self.some(self.cities, 1, 2) if self.chance(0.2) else [])]:
                own = value if not city else value * self.between(0.6, 1.5)
                if city == "" and self.chance(0.05):
                    continue
                if self.chance(0.15):
                    for y in self.some([self.base, *self.years], 2, 3):
                        dated = self.stated(q, own * self.between(0.7, 1.2))
                        self.add("effects", measure=m, quantity=str(q), city=city, year=y, **dated)
                    if city == "" and self.chance(0.3):
                        self.add("effects", measure=m, quantity=str(q), city="", year="", **self.stated(q, own))
                else:
                    self.add("effects", measure=m, quantity=str(q), city=city, year="", **self.stated(q, own))
        return max(worth, 0.05 * PROVINCE["co2"] / len(self.cities) / size * 5.0)

    def learning(self, m: str) -> None:
        capex, om = float(str(self.row[m]["capex"])), float(str(self.row[m]["fixed_om"]))
        which = self.pick(["capex", "fixed_om", "both"])
        dates = self.some([self.base, *self.years], 1, 3)
        for k, y in enumerate(dates):
            fall = 1.0 - 0.1 * k
            self.add(
                "measure_costs",
                measure=m,
                year=y,
                capex=rounded(capex * fall) if which != "fixed_om" else "",
                fixed_om=rounded(om * fall) if which == "fixed_om" or (which == "both" and k == 0) else "",
            )

    def conversions(self) -> None:
        routes = []
        for source, goal, factor, likely in CHAINS:
            if source in self.quantities and goal in self.quantities and self.chance(likely):
                own = factor * conversion(self.unit[source], BASE_UNIT[source]) * self.between(0.8, 1.1)
                own *= conversion(BASE_UNIT[goal], self.unit[goal])
                pooled = self.chance(0.5)
                routes.append((source, goal, own, pooled))
                if self.chance(0.12):
                    routes.append((source, goal, own * 0.2, not pooled))
        keys = self.some(["plants", "people"], 1, 2)
        for key in keys if any(pooled for *_, pooled in routes) else []:
            held = self.some(self.cities) if self.chance(0.3) else self.cities
            for c, share in zip(held, self.parts(len(held)), strict=True):
                self.add("allocations", allocation=key, city=c, share=share)
        for source, goal, factor, pooled in routes:
            row: dict[str, Cell] = {
                "from_quantity": source,
                "to_quantity": goal,
                "to_sector": self.pick(self.sectors) if self.chance(0.5) else "",
                "allocation": self.pick(keys) if pooled else "",
            }
            dates = self.some([self.base, *self.years], 2, 2) if self.chance(0.2) else [""]
            for y in dates:
                value = factor * (self.between(0.9, 1.1) if y else 1.0)
                self.add("conversions", **{**row, "factor": rounded(value), "year": y})

    def prices(self) -> None:
        for q in self.quantities:
            options = {
                "capacity": [("market", 5e4)],
                "clean_power": [("market", -40.0), ("tax", -10.0)],
                "coal_power": [("market", 350.0), ("tax", 20.0)],
                "co2": [("carbon", 90.0), ("damage", 150.0)],
                "nox": [("tax", 4e3), ("damage", 3e4)],
                "voc": [("damage", 2e4), ("market", 1e3)],
            }[q]
            for component, price in options:
                if self.chance(0.4):
                    continue
                own = price / conversion(BASE_UNIT[q], self.unit[q])
                for y in self.some([self.base, *self.years], 2, 3) if self.chance(0.35) else [""]:
                    self.add("prices", quantity=q, component=component, price=self.spread(own, 0.2), year=y)

    # history and limits

    def potential(self, m: str, c: str, y: int) -> float:
        rows = [r for r in self.tables["potentials"] if (r["measure"], r["city"]) == (m, c)]
        if rows[0]["year"] == "":
            return float(str(rows[0]["potential"]))
        points = sorted((int(str(r["year"])), float(str(r["potential"]))) for r in rows)
        return float(np.interp(y, [year for year, _ in points], [value for _, value in points]))

    def existing(self) -> None:
        if not self.chance(0.5) and self.as_of is None:
            return
        for _ in range(self.whole(1, 5)):
            m = self.pick(self.names)
            c = self.pick(self.sites[m])
            room = min(self.potential(m, c, y) for y in [self.base, *self.years])
            held = sum(float(str(r["units"])) for r in self.tables["existing"] if (r["measure"], r["city"]) == (m, c))
            units = rounded(room * self.between(0.05, 0.3), 3)
            until = self.last if self.as_of is None or self.chance(0.3) else self.as_of
            y = self.whole(self.base + 1, until) if self.chance(0.65) else self.whole(self.base - 3, self.base)
            if units <= 0 or held + units > 0.7 * room:
                continue
            later = y > self.base
            fund = self.pick(self.fund_names) if self.fund_names and later and self.chance(0.4) else ""
            capex = self.spread(float(str(self.row[m]["capex"])), 0.2) if later and self.chance(0.4) else ""
            key = (m, c, y, fund)
            if key not in {(r["measure"], r["city"], r["year"], r["fund"]) for r in self.tables["existing"]}:
                self.add("existing", measure=m, city=c, year=y, units=units, capex=capex, fund=fund)
        if self.as_of is not None and self.as_of < self.last - 1 and self.chance(0.6):
            self.lower_past_potentials(self.as_of)

    def lower_past_potentials(self, as_of: int) -> None:
        """Potentials below the stock, in years that are history."""
        for row in self.tables["existing"]:
            m, c = str(row["measure"]), str(row["city"])
            own = [r for r in self.tables["potentials"] if (r["measure"], r["city"]) == (m, c)]
            if own[0]["year"] == "" and int(str(row["year"])) <= as_of:
                full = own[0]["potential"]
                self.tables["potentials"].remove(own[0])
                low = rounded(float(str(row["units"])) * 0.5, 3)
                self.add("potentials", measure=m, city=c, potential=low, year=as_of)
                self.add("potentials", measure=m, city=c, potential=full, year=as_of + 1)

    def standing(self, m: str) -> float:
        return sum(float(str(r["units"])) for r in self.tables["existing"] if r["measure"] == m)

    def groups(self) -> None:
        makers: list[tuple[Callable[[str], None], float]] = [
            (self.shared, 0.45),
            (self.shared_base, 0.35),
            (self.requires, 0.45),
            (self.overlap, 0.5),
            (self.overlap, 0.25),
            (self.requires, 0.15),
        ]
        for k, (maker, likely) in enumerate(makers):
            if self.chance(likely):
                maker(f"group_{k + 1}")

    def scope_cells(self) -> tuple[dict[str, Cell], int]:
        """Scope, city and `on` of a group, and how many cities it sums over."""
        province = self.chance(0.45)
        city = self.pick(self.cities) if not province and self.chance(0.35) else ""
        on = self.pick(["starts", "stock"]) if self.chance(0.5) else ""
        scope = "province" if province else self.pick(["city", ""])
        return {"scope": scope, "city": city, "on": on}, len(self.cities) if province else 1

    def group_rows(self, members: Iterable[dict[str, Cell]], paths: Mapping[str, float], **same: Cell) -> None:
        """Rows of a group, now and then with its paths by year."""
        dates: Sequence[Cell] = self.some(self.years, 2, 2) if self.chance(0.25) else [""]
        drift = {y: 1.0 if k == 0 else self.between(0.9, 1.3) for k, y in enumerate(dates)}
        for member in members:
            for y in dates:
                values = {column: rounded(value * drift[y]) for column, value in paths.items()}
                own = dict(member)
                for column in ("weight", "ratio"):
                    if y != dates[0] and number(own.get(column)) is not None and self.chance(0.5):
                        _scale(own, [column], self.between(0.8, 1.0, 2))
                self.add("groups", **same, **own, **values, year=y)

    def shared(self, name: str) -> None:
        members = self.some(self.names, 2, 4)
        cells_, count = self.scope_cells()
        cells_["scope"] = cells_["scope"] or "city"
        weighed = self.chance(0.65)
        cap, rows = 0.0, []
        for m in members:
            weight = rounded(100.0 / self.size[m] * self.between(0.5, 1.5)) if weighed else 1.0
            cap += weight * (self.size[m] * count * self.between(0.3, 0.7) + self.standing(m))
            rows.append({"measure": m, "role": "member", "weight": weight if weighed else ""})
        if cells_["on"] == "starts":
            cap *= 0.5
        self.group_rows(rows, {"cap": cap}, group=name, kind="shared", **cells_)

    def shared_base(self, name: str) -> None:
        members = self.some(self.names, 2, 3)
        city = self.pick(self.cities) if self.chance(0.3) else ""
        rows = [{"measure": m, "role": "member"} for m in members]
        self.group_rows(rows, {}, group=name, kind="shared", scope="city", city=city)

    def requires(self, name: str) -> None:
        members = self.some(self.names, 2, 4)
        count = self.whole(1, len(members) - 1)
        members = [members[int(i)] for i in self.rng.permutation(len(members))]
        cells_, cities = self.scope_cells()
        cells_["scope"] = cells_["scope"] or "city"
        free = self.between(0.0, 30.0) * cities
        rows: list[dict[str, Cell]] = []
        for k, m in enumerate(members):
            role, column = ("dependent", "weight") if k < count else ("provider", "ratio")
            factor = rounded(100.0 / self.size[m] * self.between(0.3, 1.5))
            if self.chance(0.12):
                rows.append({"measure": m, "role": role})
                factor = 1.0
            else:
                rows.append({"measure": m, "role": role, column: factor})
            if role == "dependent":
                free += factor * self.standing(m)
        if free == 0 or (self.chance(0.15) and not any(self.standing(m) for m in members)):
            self.group_rows(rows, {}, group=name, kind="requires", **cells_)
        else:
            self.group_rows(rows, {"free": free}, group=name, kind="requires", **cells_)
        if self.circular():
            self.tables["groups"] = [row for row in self.tables["groups"] if row["group"] != name]

    def circular(self) -> bool:
        """Whether a measure needs itself through `requires` groups, which the loader refuses."""
        needs: dict[Cell, set[Cell]] = defaultdict(set)
        for one in self.tables["groups"]:
            for other in self.tables["groups"]:
                if one["group"] == other["group"] and (one["role"], other["role"]) == ("dependent", "provider"):
                    needs[one["measure"]].add(other["measure"])
        try:
            TopologicalSorter(needs).prepare()
        except CycleError:
            return True
        return False

    def overlap(self, name: str) -> None:
        """Common part of two measures; its loss is a share of what the lesser abates in a mean city."""
        by_quantity: dict[str, dict[str, float]] = defaultdict(dict)
        for row in self.tables["effects"]:
            q, m = str(row["quantity"]), str(row["measure"])
            value = float(str(row["value"])) * conversion(str(row["unit"] or self.unit[q]), self.unit[q])
            by_quantity[q].setdefault(m, value * self.size[m])
        pairs = [
            (q, one, two)
            for q, values in by_quantity.items()
            for one in values
            for two in values
            if one != two and values[one] * values[two] > 0
        ]
        if not pairs:
            return
        q, one, two = self.pick(pairs)
        loss = -min(by_quantity[q][one], by_quantity[q][two], key=abs) * self.between(0.2, 0.8)
        city = self.pick(self.cities) if self.chance(0.5) else ""
        rows = [{"measure": m, "role": "member"} for m in (one, two)]
        scope = "city" if self.chance(0.6) else ""
        self.group_rows(rows, {"loss": loss}, group=name, kind="overlap", quantity=q, scope=scope, city=city)

    def floors(self) -> None:
        options = [q for q in self.quantities if q not in GOOD]
        for q in self.some(options, 1, 2) if self.chance(0.4) else []:
            twin = Twin(self.settings, {**self.tables, "groups": []})
            row = next(r for r in self.tables["quantities"] if r["quantity"] == q)
            scope = self.pick(["city", "province", ""])
            scopes = self.cities if scope == "city" else ["province"]
            level = min(
                min(twin.base_level(q, c, [], y), twin.planned(q, c, [], y).const) for c in scopes for y in self.years
            )
            row["floor"] = rounded(level * self.between(0.85, 0.98)) if level > 0 else 0
            row["floor_scope"] = scope

    def keep_a_plan(self) -> None:
        """Take away limits until history alone allows a plan."""
        while self.ideal() is None:
            if self.tables["groups"]:
                name = self.tables["groups"][-1]["group"]
                self.tables["groups"] = [r for r in self.tables["groups"] if r["group"] != name]
            elif any(text(r.get("floor")) for r in self.tables["quantities"]):
                for row in self.tables["quantities"]:
                    row["floor"] = row["floor_scope"] = ""
            else:
                self.tables["existing"] = self.tables["existing"][:-1]
            self.known = None

    # goals, sized by the twin

    @property
    def twin(self) -> Twin:
        """What is drawn so far."""
        if self.known is None:
            self.known = Twin(self.settings, self.tables)
        return self.known

    def ideal(self) -> np.ndarray | None:
        """Decisions of least cost with what is asked so far, lumps left out; none if there is no plan."""
        status, x, _ = self.twin.optimise(self.twin.objective("cost")[0], relax=True)
        return x if status == "optimal" else None

    def ask(self, table: str, rows: Table) -> bool:
        """Add rows if they leave a plan."""
        mark = self.twin.mark()
        getattr(self.twin, f"ask_{table}")(rows)
        if self.ideal() is None:
            self.twin.undo(mark)
            return False
        self.tables[table] += rows
        return True

    def targets(self) -> None:
        kinds = ["level", "change", "abated", "share", "intensity", "cumulative", "peak", "money"]
        for k in range(self.whole(1, 3 if self.lumpy else 5)):
            x = self.ideal()
            assert x is not None
            self.target(f"target_{k + 1}", self.pick(kinds), x)

    def target_cells(self, kind: str) -> dict[str, Cell]:
        """Quantity, scope, sectors and years of a target."""
        goods = [q for q in self.quantities if q in GOOD]
        bads = [q for q in self.quantities if q not in GOOD]
        q = self.pick(goods if goods and kind in ("level", "share", "cumulative") and self.chance(0.5) else bads)
        start = self.pick(self.years[1:])
        row: dict[str, Cell] = {
            "kind": kind,
            "quantity": q,
            "sense": ">=" if q in GOOD else "<=",
            "scope": self.pick(self.scopes) if self.chance(0.4) else self.pick(["", "", "province"]),
            "sectors": ";".join(self.some(self.sectors)) if self.chance(0.25) else "",
            "first_year": start if self.chance(0.85) else "",
            "last_year": self.whole(start, self.last) if self.chance(0.7) else "",
            "name_zh": "目标",
            "name_en": f"{kind} of {q}",
        }
        if kind != "peak" and self.chance(0.05):
            row["sense"] = "<=" if row["sense"] == ">=" else ">="
        if kind == "abated":
            row["sense"] = self.pick([">=", ""])
            row["per"] = self.pick(["", "span", "year"])
        if kind == "intensity":
            row["sense"], row["of"] = self.pick(["<=", ""]), "gdp"
            if not self.tables["drivers"]:
                row["kind"], row["of"], row["sense"] = "change", "", "<="
        if kind == "share":
            pairs = [
                (part, whole)
                for part in self.quantities
                for whole in self.quantities
                if part != whole and self.unit[part] == self.unit[whole]
            ]
            if pairs:
                row["quantity"], row["of"] = self.pick(pairs)
                row["sense"] = ">=" if row["quantity"] in GOOD else "<="
            else:
                row["kind"] = "level"
        if kind == "peak":
            row["sense"], row["first_year"], row["last_year"] = self.pick(["<=", ""]), "", ""
            row["by"] = self.whole(self.years[-3], self.last - 1)
        if kind == "money":
            names = ["capex", "cost", *[f"fund:{f}" for f in self.fund_names]]
            name = self.pick(names)
            upwards = name != "cost" and self.chance(0.2)
            row |= {
                "kind": self.pick(["level", "cumulative"]),
                "quantity": name,
                "sense": ">=" if upwards else "<=",
            }
        return row

    def target(self, name: str, kind: str, x: np.ndarray) -> None:
        """Add a target whose value lies between what the plan does anyway and the best that can be reached."""
        row = {"target": name, **self.target_cells(kind)}
        soft = self.chance(0.3)
        reach = self.between(0.3, 1.3) if soft else self.between(0.15, 0.92)
        asked = self.asked(row, x, reach)
        if asked is None:
            return
        value, best, amount = asked
        row |= value
        if soft:
            before, after = (self.twin.objective("cost")[0].at(each) for each in (x, best))
            row["soft_penalty"] = self.spread(max(abs(after - before) / amount, 1e-9), 0.8) if amount else 1.0
        if self.chance(0.1):
            row["priority"] = self.whole(1, 3)
        if not self.ask("targets", [row]):
            row["soft_penalty"] = rounded(WORTH.get(str(row["quantity"]), 1.0))
            self.ask("targets", [row])

    def asked(
        self, row: dict[str, Cell], x: np.ndarray, reach: float
    ) -> tuple[dict[str, Cell], np.ndarray, float] | None:
        """Value cells of a target, the plan that does best by it, and how far that plan gets."""
        twin = self.twin
        kind, q, scope = str(row["kind"]), str(row["quantity"]), text(row["scope"])
        sectors, of = cells(row["sectors"]), text(row.get("of"))
        years = [y for y in twin.span(row) if twin.enforced(y)]
        if kind == "peak":
            years = [y for y in self.years if y >= int(str(row["by"]))]
        if not years:
            return None
        sign = 1.0 if kind in ("peak", "intensity") or row["sense"] == "<=" else -1.0
        level = {y: twin.level(q, scope, sectors, y) for y in (twin.span(row) if kind == "cumulative" else years)}
        if kind == "abated":
            level = {
                y: twin.abated(q, scope, sectors, y) for y in (twin.span(row) if row.get("per") == "span" else years)
            }
            sign = -1.0
        wish = total(level.values())
        if kind == "share":
            whole = {y: twin.planned(of, scope, [], y) for y in years}
            if any(whole[y].at(x) <= 1e-3 * abs(twin.base_level(of, "", [], y)) or whole[y].at(x) <= 0 for y in years):
                return None
            wish = total(level[y] - whole[y] * (level[y].at(x) / whole[y].at(x)) for y in years)
        if kind == "peak":
            wish = level[self.last] - level[years[0]] * 0.98
        status, best, _ = twin.optimise(wish * sign, relax=True)
        if status != "optimal":
            return None
        mix = x + reach * (best - x)
        amount = abs(wish.at(best) - wish.at(x))
        worst = max if sign > 0 else min
        got = {y: line.at(mix) for y, line in level.items()}
        value: float | None
        if kind == "cumulative" or (kind == "abated" and row.get("per") == "span"):
            value = math.fsum(got.values())
        elif kind in ("level", "abated"):
            value = worst(got.values())
        elif kind in ("change", "intensity"):
            then = twin.base_year_level(q, scope, sectors)
            if then <= 1e-9 * PROVINCE[q]:
                return None
            if kind == "intensity":
                driver = twin.drivers.get((of, scope)) or twin.drivers[of, ""]
                got = {y: each * driver(self.base) / driver(y) for y, each in got.items()}
            value = worst(got.values()) / then - 1.0
            if value < -1.0:  # a cut of more than all, which the loader refuses
                return None
        elif kind == "share":
            parts = {y: whole[y].at(mix) for y in years}
            if min(parts.values()) <= 0:
                return None
            value = worst(got[y] / parts[y] for y in years)
            if not 1e-5 < value < 0.98:
                return None
        else:
            falls = [1.0 - got[y + 1] / got[y] for y in years[:-1] if got[y] > 0]
            decline = max(0.0, min(falls, default=0.0) * 0.95)
            cells_: dict[str, Cell] = {
                "decline": rounded(decline) if decline and self.chance(0.8) else "",
                "value": "",
            }
            if self.chance(0.4):
                cells_["value"] = self.loosened(max(got.values()), 1.0, 1e-4)
            return cells_, best, amount
        if kind == "abated" and value <= 0:
            return None
        untouched = amount <= 1e-6 * max(abs(wish.at(x)), abs(wish.at(best)), wish.size)
        amount = 0.0 if untouched else amount
        return {"value": self.loosened(value, sign, 0.03 if untouched else 1e-4)}, best, amount

    def loosened(self, value: float, sign: float, share: float) -> float:
        """Value with six digits, a little easier to keep."""
        return rounded(value + sign * share * abs(value), 6)

    def pins(self) -> None:
        if not self.chance(0.3):
            return
        for k in range(self.whole(1, 2)):
            twin, x = self.twin, self.ideal()
            assert x is not None
            m = self.pick(self.names)
            city = self.pick(self.sites[m]) if self.chance(0.5) else ""
            on = self.pick(["", "starts", "stock"])
            start = self.pick(self.years)
            row: dict[str, Cell] = {"pin": f"pin_{k + 1}", "measure": m, "city": city, "on": on}
            row |= {"first_year": start if self.chance(0.8) else "", "min": "", "max": ""}
            row["last_year"] = self.whole(start, self.last) if self.chance(0.6) else ""
            cities = [city] if city else self.sites[m]
            amount = twin.stock if on == "stock" else twin.starts
            lines = [total(amount(m, c, y) for c in cities) for y in twin.span(row) if twin.enforced(y)]
            if not lines:
                continue
            now = [line.at(x) for line in lines]
            if self.chance(0.5):
                row["max"] = rounded(max(*(line.const for line in lines), max(now) * self.between(0.2, 1.1)))
            else:
                _, best, _ = twin.optimise(total(lines) * -1.0, relax=True)
                share = self.between(0.2, 0.9)
                row["min"] = rounded(
                    0.999 * min(a + share * (line.at(best) - a) for a, line in zip(now, lines, strict=True))
                )
            self.ask("pins", [row])

    def budgets(self) -> None:
        if self.chance(0.65):
            for k in range(self.whole(1, 3)):
                self.budget(f"budget_{k + 1}")

    def budget(self, name: str) -> None:
        twin, x = self.twin, self.ideal()
        assert x is not None
        form = self.pick(["year", "span", "carry", "path", "path_carry"])
        start = self.pick(self.years[:-1])
        row: dict[str, Cell] = {
            "budget": name,
            "fund": ";".join(self.some(self.fund_names, 1, 2)) if self.fund_names and self.chance(0.6) else "",
            "scope": self.pick(self.scopes) if self.chance(0.35) else "",
            "sectors": ";".join(self.some(self.sectors)) if self.chance(0.25) else "",
            "first_year": start if self.chance(0.6) else "",
            "last_year": self.whole(start, self.last) if self.chance(0.4) else "",
            "per": "span" if form == "span" else self.pick(["", "year"]),
            "carry_over": "yes" if "carry" in form else self.pick(["", "no"]),
        }
        years = twin.span(row)
        scope, sectors, funds = text(row["scope"]), cells(row["sectors"]), cells(row["fund"])
        lines = {
            y: total(twin.fund_spending(f, scope, sectors, y) for f in funds)
            if funds
            else twin.spending(scope, sectors, y)
            for y in years
        }
        spent = [line.at(x) for line in lines.values()]
        size = sum(spent) if form == "span" else sum(spent) / len(spent) if "carry" in form else max(spent)
        size = max(size, 1e4)
        booked = max((line.const for line in lines.values()), default=0.0)
        factor = self.between(0.4, 1.0)
        while True:
            limit = max(factor * size, booked * len(years) if form == "span" else booked)
            rows = [{**row, "limit": rounded(limit, 5)}]
            if form.startswith("path"):
                ends = sorted({years[0], self.pick(years), years[-1]})
                rows = [{**row, "limit": rounded(limit * (1 + 0.1 * i), 5), "year": y} for i, y in enumerate(ends)]
            if self.ask("budgets", rows) or factor > 8:
                return
            factor *= 1.5

    def objective(self) -> None:
        """Objective and tolerance."""
        good = [f"-quantity:{q}" for q in self.quantities if q in GOOD]
        bad = [f"quantity:{q}" for q in self.quantities if q not in GOOD]
        funds = [f"fund:{f}" for f in self.fund_names]
        one = [self.pick(bad), "capex", *self.some(funds, 1, 1), *self.some(good, 1, 1)]
        if self.chance(0.5):
            objective: Any = "cost"
        elif self.chance(0.5):
            objective = self.pick(one)
        else:
            count = self.whole(2, min(3, len(one)))
            objective = [one[int(i)] for i in self.rng.permutation(len(one))[:count]]
            if self.chance(0.5):
                objective[self.whole(0, count - 1)] = "cost"
        self.settings["objective"] = objective
        if self.chance(0.3):
            self.settings["tolerance"] = self.pick([1e-3, 1e-4, 0.01])

    def keep_whole_lumps(self) -> None:
        """Soften hard targets until whole lumps allow a plan; then drop budgets and pins."""
        if not self.lumpy:
            return
        while Twin(self.settings, self.tables).optimise(Line.of())[0] != "optimal":
            hard = [r for r in self.tables["targets"] if not text(r.get("soft_penalty"))]
            if hard:
                hard[-1]["soft_penalty"] = rounded(WORTH.get(str(hard[-1]["quantity"]), 1.0))
            elif self.tables["budgets"]:
                self.tables["budgets"] = []
            elif self.tables["pins"]:
                self.tables["pins"] = []
            elif self.tables["groups"]:
                self.tables["groups"] = []
            else:
                for row in self.tables["measures"]:
                    row["lump"] = ""
                return

    def doom(self) -> None:
        """Ask for what cannot be."""
        twin = Twin(self.settings, self.tables)
        way = self.pick(["target", "pin", "budget"])
        if way == "budget":
            least = total(twin.spending("", [], y) for y in self.years)
            status, x, _ = twin.optimise(least, relax=True)
            if status == "optimal" and least.at(x) > 1e4 and least.at(x) > 2 * least.const:
                limit = rounded(max(0.6 * least.at(x), least.const))
                if limit < 0.95 * least.at(x):
                    self.add("budgets", budget="too_small", limit=limit, per="span")
                    return
        if way == "pin":
            m = self.pick(self.names)
            c = self.pick(self.sites[m])
            most = max(self.potential(m, c, y) for y in self.years) + self.standing(m) + 1.0
            row: dict[str, Cell] = {"pin": "too_much", "measure": m, "city": c, "first_year": self.last}
            self.tables["pins"].append({**row, "on": "stock", "min": rounded(1.5 * most), "max": ""})
            return
        q = self.pick([q for q in self.quantities if q not in GOOD])
        line = twin.planned(q, "", [], self.last)
        status, x, _ = twin.optimise(line, relax=True)
        least_level = line.at(x) if status == "optimal" else line.const
        row = {"target": "too_low", "kind": "level", "quantity": q, "sense": "<=", "first_year": self.last}
        size = abs(least_level) + abs(self.in_unit(q, PROVINCE[q]))
        self.tables["targets"].append({**row, "value": rounded(least_level - 0.02 * size, 6)})


def random_case(seed: int, *, lumps: bool | None = None) -> RandomCase:
    """The case of a seed; `lumps` forces or forbids lump sizes."""
    return Draft(seed, lumps).draw()


def features(case: RandomCase) -> set[str]:
    """What a case makes use of, read off its rows."""
    found: set[str] = set()
    settings, tables = case.settings, case.tables
    base, first = int(settings["base_year"]), int(settings["first_year"])

    def note(name: str, holds: Any) -> None:
        if holds:
            found.add(name)

    def any_in(table: str, column: str) -> bool:
        return any(text(row.get(column)) for row in tables[table])

    objective = settings["objective"]
    listed = objective if isinstance(objective, list) else [objective]
    note("objective:list", len(listed) > 1)
    note("objective:list without cost", len(listed) > 1 and "cost" not in listed)
    for name in listed:
        found.add(f"objective:{name.partition(':')[0]}")
    perspective = settings.get("perspective", "default")
    found.add("perspective:" + ("list" if isinstance(perspective, list) else str(perspective)))
    note("tolerance", "tolerance" in settings)
    note("as_of", "as_of" in settings)
    note("no discounting", settings["discount_rate"] == 0)
    note("early base year", base < first - 1)
    note("city group", tables["city_groups"])
    for table in ("existing", "funds", "budgets", "pins", "conversions", "prices", "drivers", "targets"):
        note(table, tables[table])
    for row in tables["measures"]:
        note("lump", text(row["lump"]))
        note("measure first year", text(row["first_year"]))
        note("default ramp", not text(row["ramp"]))
        note(
            "short life",
            int(str(row["lifetime"])) + int(str(row["lead_time"])) < int(settings["last_year"]) - first + 1,
        )
        note(f"lead time {min(2, int(str(row['lead_time'])))}", True)
    note("learning capex", any_in("measure_costs", "capex"))
    note("learning om", any_in("measure_costs", "fixed_om"))
    note("dated effects", any_in("effects", "year"))
    note("city effects", any_in("effects", "city"))
    note("effect in another unit", any_in("effects", "unit"))
    note("baseline in another unit", any_in("baseline", "unit"))
    note("baseline without city", any(not text(row["city"]) for row in tables["baseline"]))
    note("baseline without year", any(not text(row["year"]) for row in tables["baseline"]))
    note("dated potentials", any_in("potentials", "year"))
    note("city drivers", any_in("drivers", "city"))
    note("dated prices", any_in("prices", "year"))
    for row in tables["conversions"]:
        found.add("pooled" if text(row["allocation"]) else "local")
        note("to_sector", text(row["to_sector"]))
        note("dated factor", text(row["year"]))
        note("chain", any(other["from_quantity"] == row["to_quantity"] for other in tables["conversions"]))
    for row in tables["existing"]:
        found.add("existing:old" if int(str(row["year"])) <= base else "existing:new")
        note("existing:capex", text(row["capex"]))
        note("existing:fund", text(row["fund"]))
        note("existing:under way", settings.get("as_of") and int(str(row["year"])) > int(settings["as_of"]))
    for row in tables["groups"]:
        kind = str(row["kind"])
        base_kind = "shared base" if kind == "shared" and not text(row.get("cap")) else kind
        found.add(f"group:{base_kind}")
        if kind != "overlap":
            found.add(f"{base_kind}:{text(row.get('scope')) or 'city'}")
            found.add(f"{base_kind}:{text(row.get('on')) or 'stock'}")
        note(f"{base_kind}:one city", text(row.get("city")))
        note(f"{base_kind}:dated", text(row.get("year")))
    for row in tables["quantities"]:
        if text(row.get("floor")):
            found.add(f"floor:{text(row['floor_scope']) or 'default'}")
    note("fund rule of a measure", any_in("fund_rules", "measure"))
    for row in tables["budgets"]:
        path = "by year " if text(row.get("year")) else ""
        carry = " carried over" if row.get("carry_over") == "yes" else ""
        found.add(f"budget:{path}{text(row.get('per')) or 'year'}{carry}")
        funds = cells(row.get("fund"))
        found.add("budget:several funds" if len(funds) > 1 else "budget:one fund" if funds else "budget:all capex")
        note("budget:scope", text(row.get("scope")))
        note("budget:sectors", text(row.get("sectors")))
    for row in tables["targets"]:
        quantity = str(row["quantity"])
        money = quantity in ("capex", "cost") or quantity.startswith("fund:")
        found.add(f"target:{row['kind']}")
        found.add(f"money target:{quantity.split(':', maxsplit=1)[0]}" if money else "quantity target")
        note("target:soft", text(row.get("soft_penalty")))
        note(f"{row['kind']}:soft", text(row.get("soft_penalty")))
        note("target:per span", row.get("per") == "span")
        note("target:sectors", text(row.get("sectors")))
        note("peak:value", row["kind"] == "peak" and text(row.get("value")))
        note("peak:decline", row["kind"] == "peak" and text(row.get("decline")))
        scope = text(row.get("scope")) or "province"
        cities = {text(city["city"]) for city in tables["cities"]}
        found.add("target:" + (scope if scope == "province" else "city" if scope in cities else "city group"))
    for row in tables["pins"]:
        found.add(f"pin:{text(row.get('on')) or 'starts'}")
        note("pin:min", text(row.get("min")))
        note("pin:max", text(row.get("max")))
        found.add("pin:city" if text(row.get("city")) else "pin:province")
    return found


# the same case in other words


def _again(case: RandomCase) -> RandomCase:
    return copy.deepcopy(case)


def _scale(row: dict[str, Cell], columns: Iterable[str], factor: float) -> None:
    for column in columns:
        value = number(row.get(column))
        if value is not None:
            row[column] = value * factor


def in_unit(case: RandomCase, quantity: str, unit: str) -> tuple[RandomCase, float]:
    """The case with one quantity in another unit, and the factor its levels grow by.

    Money stays; the sum of an objective `quantity:<q>` grows by the factor. Rows that state a unit stay as they are.
    A share of two levels is divided as numbers: `unit_changes` leaves its quantities out.
    """
    case = _again(case)
    own = next(row for row in case.tables["quantities"] if row["quantity"] == quantity)
    factor = conversion(str(own["unit"]), unit)
    own["unit"] = unit
    _scale(own, ["floor"], factor)
    for table in ("effects", "baseline"):
        for row in case.tables[table]:
            if row["quantity"] == quantity and not text(row.get("unit")):
                _scale(row, ["value"], factor)
    for row in case.tables["conversions"]:
        if row["from_quantity"] == quantity:
            _scale(row, ["factor"], 1 / factor)
        if row["to_quantity"] == quantity:
            _scale(row, ["factor"], factor)
    for row in case.tables["prices"]:
        if row["quantity"] == quantity:
            _scale(row, ["price"], 1 / factor)
    for row in case.tables["groups"]:
        if row.get("quantity") == quantity:
            _scale(row, ["loss"], factor)
    for row in case.tables["targets"]:
        if row["quantity"] == quantity:
            _scale(row, ["soft_penalty"], 1 / factor)
            if row["kind"] not in ("change", "intensity"):
                _scale(row, ["value"], factor)
        if row["kind"] == "share" and row.get("of") == quantity:
            _scale(row, ["value"], 1 / factor)
    return case, factor


def unit_changes(case: RandomCase) -> list[tuple[str, str]]:
    """Quantities with another unit they could have; parts and wholes of a share keep theirs, so it stays a fraction."""
    shares = [row for row in case.tables["targets"] if row["kind"] == "share"]
    kept = {text(row[column]) for row in shares for column in ("quantity", "of")}
    return [
        (str(row["quantity"]), unit)
        for row in case.tables["quantities"]
        for unit in UNIT_CHOICE[str(row["quantity"])]
        if row["quantity"] not in kept and unit != row["unit"]
    ]


def in_money(case: RandomCase, factor: float = 1e-4, currency: str = "万元") -> RandomCase:
    """The case in another currency: every amount of money times `factor`, the objectives cost, capex and fund too."""
    case = _again(case)
    case.settings["currency"] = currency
    columns = {
        "measures": ["capex", "fixed_om"],
        "measure_costs": ["capex", "fixed_om"],
        "existing": ["capex"],
        "prices": ["price"],
        "budgets": ["limit"],
    }
    for table, names in columns.items():
        for row in case.tables[table]:
            _scale(row, names, factor)
    for row in case.tables["targets"]:
        money = row["quantity"] in ("capex", "cost") or str(row["quantity"]).startswith("fund:")
        _scale(row, ["value"] if money else ["soft_penalty"], factor)
    return case


def shuffled(case: RandomCase, seed: int = 0) -> RandomCase:
    """The case with the rows of every table in another order; members of an overlap keep theirs, which matters."""
    case = _again(case)
    rng = np.random.default_rng([seed, case.seed])
    for name, rows in case.tables.items():
        mixed = [rows[int(i)] for i in rng.permutation(len(rows))]
        if name == "groups":
            waiting: dict[str, Table] = defaultdict(list)
            for row in rows:
                waiting[str(row["group"])].append(row)
            mixed = [waiting[str(row["group"])].pop(0) if row["kind"] == "overlap" else row for row in mixed]
        case.tables[name] = mixed
    return case


def can_split(case: RandomCase, city: str) -> bool:
    """Whether `city_split` leaves the optimum alone.

    It does not with whole lumps; a floor by city; a group per city that states a cap, free amount or loss without
    naming its city (it would hold in full in either half); a pin on the city; an intensity of the city, whose driver
    a group of cities would not use.
    """
    tables = case.tables
    amounts = ("cap", "free", "loss")
    per_city = any(
        text(row.get("scope")) != "province" and not text(row.get("city")) and any(number(row.get(a)) for a in amounts)
        for row in tables["groups"]
    )
    return not (
        any(text(row.get("lump")) for row in tables["measures"])
        or any(text(row.get("floor")) and text(row.get("floor_scope")) == "city" for row in tables["quantities"])
        or per_city
        or any(text(row.get("city")) == city for row in tables["pins"])
        or any(row["kind"] == "intensity" and row.get("scope") == city for row in tables["targets"])
    )


def city_split(case: RandomCase, city: str) -> RandomCase:
    """The case with one city in two equal halves; see `can_split`."""
    if not can_split(case, city):
        raise ValueError(f"{city} cannot be split")
    case = _again(case)
    halves = (f"{city}_one", f"{city}_two")
    whole = f"{city}_whole"
    halved = {
        "potentials": ["potential"],
        "existing": ["units"],
        "baseline": ["value"],
        "allocations": ["share"],
        "groups": ["cap", "free", "loss"],
    }
    for name in (
        "cities",
        "city_groups",
        "effects",
        "potentials",
        "existing",
        "baseline",
        "drivers",
        "allocations",
        "groups",
    ):
        rows: Table = []
        for row in case.tables[name]:
            if text(row.get("city")) != city:
                rows.append(row)
                continue
            for half in halves:
                copied = {**row, "city": half}
                if name == "groups":
                    copied["group"] = f"{row['group']}_{half}"
                _scale(copied, halved.get(name, []), 0.5)
                rows.append(copied)
        case.tables[name] = rows
    for half in halves:
        case.tables["city_groups"].append({"group": whole, "city": half})
    for name in ("targets", "budgets"):
        for row in case.tables[name]:
            if text(row.get("scope")) == city:
                row["scope"] = whole
    return case
