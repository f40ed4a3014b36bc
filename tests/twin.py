"""The same plan computed a second time, straight from the tables, by other means.

Nothing here imports the planner: a case is read with `csv` and `yaml`, written down as one sparse matrix and handed
to scipy. Stock is never a variable (it is the sum of the starts in its window), nor is any level of a quantity: an
influence matrix per year carries every unit of stock and of overlap through all chains of conversions at once. What
is left to decide is starts, overlaps, what each fund pays, and misses.

Where two careful readers could differ, the reading here is:

- A blank `scope` of a group means per city. A member's weight or ratio left blank in a dated row is 1 in that year.
  Group columns are collected over all rows of a group; dated ones replace the undated.
- A share divides the two levels as numbers, each in its own unit.
- `cost` in a city or in sectors takes annuities and running cost by the place of the measure, price terms by the
  place of the quantity.
- `U` is lifted to the existing stock up to `as_of`, and in the base year; not for the ramp, which looks at `last`.
- A pin on starts counts decided starts only. Rows without any decision in them are kept: they may be infeasible.
- A blank `by` of a peak asks for every year. Years of a target, budget or pin outside the plan are left out.
- A missing objective is `cost`; an intensity may say `>=`; the driver of a group of cities is the province's.
- For X[b], effects, factors, losses and potentials follow their paths to the base year: constant outside their years.
- A fund without a share for a pool cannot pay there. A fund named by an existing row needs no share.
- A city without share in an allocation gets nothing of what is pooled.
- A blank year of a baseline row means all years.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array, csr_array

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]

PERSPECTIVES = {"market": ["market"], "private": ["market", "tax", "carbon"], "social": ["market", "damage"]}
RESERVED = ("capex", "cost")

UNITS = {
    **{
        "g": ("mass", 1e-6),
        "kg": ("mass", 1e-3),
        "t": ("mass", 1.0),
        "kt": ("mass", 1e3),
        "Mt": ("mass", 1e6),
    },
    **{"kW": ("power", 1e-3), "MW": ("power", 1.0), "GW": ("power", 1e3)},
    **{"kWh": ("energy", 1e-3), "MWh": ("energy", 1.0), "GWh": ("energy", 1e3), "TWh": ("energy", 1e6)},
    **{"tce": ("coal", 1.0), "ktce": ("coal", 1e3), "Mtce": ("coal", 1e6)},
    **{"m**2": ("area", 1.0), "km**2": ("area", 1e6), "m**3": ("volume", 1.0), "hm**3": ("volume", 1e6)},
}


def conversion(unit: str, into: str) -> float:
    """Factor from one unit to another of its kind [-]."""
    if unit == into:
        return 1.0
    (kind, size), (other, base) = UNITS[unit], UNITS[into]
    if kind != other:
        raise ValueError(f"{unit} is no {into}")
    return size / base


def read_case(folder: Path) -> tuple[dict[str, Any], dict[str, list[dict[str, str]]]]:
    """Settings and tables of a case folder; a table is taken whole from the first place that has it."""
    settings = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8-sig"))
    tables: dict[str, list[dict[str, str]]] = {}
    for place in [folder, *[folder / data for data in settings.get("data") or []]]:
        for file in sorted(place.glob("*.csv")):
            if file.stem not in tables:
                with file.open(encoding="utf-8-sig", newline="") as lines:
                    tables[file.stem] = list(csv.DictReader(lines))
    return settings, tables


def text(value: Any) -> str:
    """Cell as text, blank when empty."""
    return "" if value is None else str(value).strip()


def number(value: Any) -> float | None:
    """Cell as a number, none when empty."""
    return float(value) if text(value) else None


def year_of(value: Any) -> int | None:
    """Cell as a year, none when empty."""
    return int(float(value)) if text(value) else None


def cells(value: Any) -> list[str]:
    """Several values of one cell."""
    if isinstance(value, list | tuple):
        return [text(each) for each in value]
    return [each.strip() for each in text(value).split(";") if each.strip()]


class Course:
    """Value by year: linear between the years given, constant outside; dated rows replace an undated one."""

    def __init__(self, points: Iterable[tuple[int | None, float]]) -> None:
        known = dict(points)
        self.dated = sorted((year, value) for year, value in known.items() if year is not None)
        self.constant = known.get(None)

    def __call__(self, year: int) -> float:
        if self.dated:
            return float(np.interp(year, [y for y, _ in self.dated], [value for _, value in self.dated]))
        assert self.constant is not None
        return self.constant


@dataclass(frozen=True)
class Line:
    """Linear expression of the decisions; `size` tells how large the constants were that it was made of."""

    cols: np.ndarray
    vals: np.ndarray
    const: float = 0.0
    size: float = 0.0

    @classmethod
    def of(cls, cols: Any = (), vals: Any = (), const: float = 0.0) -> Line:
        columns = np.asarray(cols, dtype=np.int64)
        return cls(columns, np.broadcast_to(np.asarray(vals, float), columns.shape), const, abs(const))

    def __add__(self, other: Line | float) -> Line:
        if not isinstance(other, Line):
            return Line(self.cols, self.vals, self.const + other, self.size + abs(other))
        return Line(
            np.concatenate([self.cols, other.cols]),
            np.concatenate([self.vals, other.vals]),
            self.const + other.const,
            self.size + other.size,
        )

    def __mul__(self, factor: float) -> Line:
        return Line(self.cols, self.vals * factor, self.const * factor, self.size * abs(factor))

    def __neg__(self) -> Line:
        return self * -1.0

    def __sub__(self, other: Line | float) -> Line:
        return self + -other

    def at(self, x: np.ndarray) -> float:
        return math.fsum([self.const, *(self.vals * x[self.cols])])


def total(lines: Iterable[Line]) -> Line:
    """Sum of lines."""
    parts = list(lines)
    return Line(
        np.concatenate([line.cols for line in parts] or [np.zeros(0, np.int64)]).astype(np.int64),
        np.concatenate([line.vals for line in parts] or [np.zeros(0)]),
        math.fsum(line.const for line in parts),
        math.fsum(line.size for line in parts),
    )


@dataclass(frozen=True)
class TargetRow:
    """One row of a target: achieved against bound, both in the unit of the quantity."""

    target: str
    kind: str
    part: str
    """`row`, or `value` for the level of a peak."""
    year: int
    """Last year of the row."""
    sense: str
    achieved: Line
    bound: Line
    enforced: bool
    miss: int | None
    penalty: float


@dataclass
class TwinResult:
    """What the twin found."""

    status: str
    stages: list[tuple[str, float]] = field(default_factory=list)
    portfolio: dict[tuple[str, str, int], float] = field(default_factory=dict)
    targets: dict[tuple[str, str, int], dict[str, float]] = field(default_factory=dict)
    """By target, part and year: achieved, bound, slack (negative when missed), missed, enforced (1 or 0)."""
    finals: list[tuple[str, float]] = field(default_factory=list)
    """Each objective in the plan of the last stage."""
    x: np.ndarray = field(default_factory=lambda: np.zeros(0))
    twin: Twin | None = None
    borderline: bool = False
    """Feasible only by the looser of two tolerances."""

    @property
    def objective(self) -> float:
        """Value of the first stage; nan without a plan."""
        return self.stages[0][1] if self.stages else math.nan

    def level(self, quantity: str, year: int, scope: str = "province", sectors: Sequence[str] = ()) -> float:
        """Planned level of a quantity, or of capex, cost, fund:<id>."""
        assert self.twin is not None
        return self.twin.level(quantity, scope, list(sectors), year).at(self.x)

    def value(self, objective: str) -> float:
        """Any objective in this plan."""
        assert self.twin is not None
        return self.twin.objective(objective)[0].at(self.x)


def power_of_two(value: float) -> float:
    """Nearest power of two, 1 for nothing."""
    return 2.0 ** round(math.log2(value)) if value > 0 and math.isfinite(value) else 1.0


class Twin:
    """One case as a matrix: `rows` are lines that must not exceed 0, `equal` lines that must be 0."""

    def __init__(self, settings: Mapping[str, Any], tables: Tables) -> None:
        self.settings = settings
        self.tables = tables
        self.base = int(settings["base_year"])
        self.first, self.last = int(settings["first_year"]), int(settings["last_year"])
        self.years = list(range(self.first, self.last + 1))
        self.as_of = year_of(settings.get("as_of"))
        self.rate = float(settings.get("discount_rate") or 0)
        self.rows: list[Line] = []
        self.equal: list[Line] = []
        self.target_rows: list[TargetRow] = []
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.scale: list[float] = []
        self.whole: list[bool] = []
        self._read_sets()
        self._read_measures()
        self._read_stock()
        self._declare_starts()
        self.variable(0.0, 1.0)  # scipy wants at least one
        self._limits()
        self._overlap_variables()
        self._influences()
        self._groups()
        self._floors()
        self._funds()
        self.penalties: list[Line] = []
        self._net_present_cost: Line | None = None
        self.ask_budgets(self.table("budgets"))
        self.ask_targets(self.table("targets"))
        self.ask_pins(self.table("pins"))

    def mark(self) -> tuple[int, ...]:
        """Where `undo` returns to."""
        return len(self.rows), len(self.upper), len(self.penalties), len(self.target_rows)

    def undo(self, mark: tuple[int, ...]) -> None:
        """Forget what was asked since a mark."""
        rows, variables, penalties, targets = mark
        for kept, count in ((self.rows, rows), (self.penalties, penalties), (self.target_rows, targets)):
            del kept[count:]
        for values in (self.lower, self.upper, self.scale, self.whole):
            del values[variables:]

    # reading

    def table(self, name: str) -> Sequence[Row]:
        return self.tables.get(name) or []

    def enforced(self, year: int) -> bool:
        return self.as_of is None or year > self.as_of

    def discount(self, year: int) -> float:
        return (1.0 + self.rate) ** -(year - self.base)

    def span(self, row: Row) -> list[int]:
        """Years of a row that lie in the plan."""
        start = year_of(row.get("first_year"))
        end = year_of(row.get("last_year"))
        return [y for y in self.years if (start is None or y >= start) and (end is None or y <= end)]

    def cities_of(self, scope: str) -> list[str]:
        if scope in ("", "province"):
            return self.cities
        return [scope] if scope in self.cities else self.city_groups[scope]

    def _read_sets(self) -> None:
        self.cities = [text(row["city"]) for row in self.table("cities")]
        self.sectors = [text(row["sector"]) for row in self.table("sectors")]
        self.quantities = [text(row["quantity"]) for row in self.table("quantities")]
        self.unit = {text(row["quantity"]): text(row["unit"]) for row in self.table("quantities")}
        self.city_groups: dict[str, list[str]] = defaultdict(list)
        for row in self.table("city_groups"):
            self.city_groups[text(row["group"])].append(text(row["city"]))
        self.cell = {
            key: i
            for i, key in enumerate((q, c, s) for q in self.quantities for c in self.cities for s in self.sectors)
        }
        paths: dict[tuple[str, str, str], list[tuple[int | None, float]]] = defaultdict(list)
        for row in self.table("baseline"):
            q = text(row["quantity"])
            factor = conversion(text(row.get("unit")) or self.unit[q], self.unit[q])
            key = (q, text(row["city"]), text(row["sector"]))
            paths[key].append((year_of(row["year"]), float(row["value"]) * factor))
        self.baseline = {key: Course(points) for key, points in paths.items()}
        drivers: dict[tuple[str, str], list[tuple[int | None, float]]] = defaultdict(list)
        for row in self.table("drivers"):
            drivers[text(row["driver"]), text(row.get("city"))].append((year_of(row["year"]), float(row["value"])))
        self.drivers = {key: Course(points) for key, points in drivers.items()}
        components = self.settings.get("perspective") or "market"
        if isinstance(components, str):
            components = PERSPECTIVES.get(components) or cells(components)
        prices: dict[tuple[str, str], list[tuple[int | None, float]]] = defaultdict(list)
        for row in self.table("prices"):
            if text(row["component"]) in components:
                key2 = (text(row["quantity"]), text(row["component"]))
                prices[key2].append((year_of(row.get("year")), float(row["price"])))
        self.prices = {key2: Course(points) for key2, points in prices.items()}

    def _read_measures(self) -> None:
        self.measures = [text(row["measure"]) for row in self.table("measures")]
        self.measure = {text(row["measure"]): row for row in self.table("measures")}
        self.sector = {m: text(row["sector"]) for m, row in self.measure.items()}
        self.lead = {m: int(float(row["lead_time"])) for m, row in self.measure.items()}
        self.life = {m: int(float(row["lifetime"])) for m, row in self.measure.items()}
        self.capex: dict[str, Course] = {}
        self.om: dict[str, Course] = {}
        for m, row in self.measure.items():
            for column, paths in (("capex", self.capex), ("fixed_om", self.om)):
                learnt = [
                    (year_of(each["year"]), float(each[column]))
                    for each in self.table("measure_costs")
                    if text(each["measure"]) == m and text(each.get(column))
                ]
                paths[m] = Course(learnt or [(None, float(row[column]))])
        effects: dict[tuple[str, str], dict[str, list[tuple[int | None, float]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for row in self.table("effects"):
            m, q = text(row["measure"]), text(row["quantity"])
            factor = conversion(text(row.get("unit")) or self.unit[q], self.unit[q])
            effects[m, q][text(row.get("city"))].append((year_of(row.get("year")), float(row["value"]) * factor))
        self.effects = {
            key: {city: Course(points) for city, points in by_city.items()} for key, by_city in effects.items()
        }

    def _read_stock(self) -> None:
        """Potentials and existing stock by site (measure, city) and year, base year in front."""
        potentials: dict[tuple[str, str], list[tuple[int | None, float]]] = defaultdict(list)
        for row in self.table("potentials"):
            key = (text(row["measure"]), text(row["city"]))
            potentials[key].append((year_of(row.get("year")), float(row["potential"])))
        self.sites = [(m, c) for m in self.measures for c in self.cities if (m, c) in potentials]
        self.site = {key: i for i, key in enumerate(self.sites)}
        self.existing: dict[int, np.ndarray] = {y: np.zeros(len(self.sites)) for y in [self.base, *self.years]}
        self.old = {y: np.zeros(len(self.sites)) for y in [self.base, *self.years]}
        self.bookings: list[tuple[str, str, int, float, str]] = []
        """Measure, city, year, what history pays, and the fund it names."""
        for row in self.table("existing"):
            m, c, commissioned = text(row["measure"]), text(row["city"]), int(float(row["year"]))
            units = float(row["units"])
            for y in [self.base, *self.years]:
                if commissioned <= y <= commissioned + self.life[m] - 1:
                    self.existing[y][self.site[m, c]] += units
                    if commissioned <= self.base:
                        self.old[y][self.site[m, c]] += units
            if commissioned > self.base:
                start, parts = commissioned - self.lead[m], max(1, self.lead[m])
                own = number(row.get("capex"))
                price = self.capex[m](start) if own is None else own
                for y in range(start, start + parts):
                    if y in self.existing and y >= self.first:
                        self.bookings.append((m, c, y, units * price / parts, text(row.get("fund"))))
        self.potential: dict[int, np.ndarray] = {}
        paths = [Course(potentials[key]) for key in self.sites]
        for y in [self.base, *self.years]:
            limit = np.array([path(y) for path in paths])
            if y < self.first or (self.as_of is not None and y <= self.as_of):
                limit = np.maximum(limit, self.existing[y])
            self.potential[y] = limit
        self.full = np.array([path(self.last) for path in paths])
        """U of the last year, which the ramp is a share of."""

    # decisions

    def variable(self, upper: float, scale: float, whole: bool = False) -> int:
        self.lower.append(0.0)
        self.upper.append(upper)
        self.scale.append(scale)
        self.whole.append(whole)
        return len(self.upper) - 1

    def _declare_starts(self) -> None:
        self.start: dict[tuple[str, str, int], int] = {}
        self.unit_of: list[float] = []
        """Units of the measure per unit of the variable: the lump, else 1."""
        sites, starts = [], []
        for i, (m, c) in enumerate(self.sites):
            row = self.measure[m]
            ramp = number(row.get("ramp"))
            lump = number(row.get("lump"))
            begin = max(self.first, year_of(row.get("first_year")) or self.first)
            if self.as_of is not None:
                begin = max(begin, self.as_of + 1)
            limit = (1.0 if ramp is None else ramp) * self.full[i]
            if lump:
                limit = math.floor(max(limit, lump) / lump + 1e-9)
            for v in range(begin, self.last - self.lead[m] + 1):
                scale = 1.0 if lump else power_of_two(limit)
                self.start[m, c, v] = self.variable(limit, scale, bool(lump))
                self.unit_of.append(lump or 1.0)
                sites.append(i)
                starts.append(v)
        self.start_site = np.array(sites, dtype=np.int64)
        self.start_year = np.array(starts, dtype=np.int64)
        self.start_units = np.array(self.unit_of, dtype=float)
        self.start_cols = np.arange(len(sites))
        lead = np.array([self.lead[self.sites[i][0]] for i in sites], dtype=np.int64)
        life = np.array([self.life[self.sites[i][0]] for i in sites], dtype=np.int64)
        self.serving = {
            y: (self.start_year + lead <= y) & (y <= self.start_year + lead + life - 1)
            for y in [self.base, *self.years]
        }
        self.start_lead = lead
        self.by_site: dict[int, np.ndarray] = {i: self.start_cols[self.start_site == i] for i in range(len(self.sites))}

    def stock(self, m: str, c: str, y: int) -> Line:
        i = self.site[m, c]
        cols = self.by_site[i]
        cols = cols[self.serving[y][cols]]
        return Line.of(cols, self.start_units[cols], self.existing[y][i])

    def starts(self, m: str, c: str, v: int) -> Line:
        col = self.start.get((m, c, v))
        return Line.of() if col is None else Line.of([col], [self.start_units[col]])

    def at_most(self, line: Line, bound: Line | float = 0.0) -> None:
        self.rows.append(line - bound)

    def _limits(self) -> None:
        for m, c in self.sites:
            for y in self.years:
                if self.enforced(y):
                    stock = self.stock(m, c, y)
                    if stock.cols.size or stock.const:
                        self.at_most(stock, float(self.potential[y][self.site[m, c]]))

    # groups

    def _group(self, name: str) -> dict[str, Any]:
        rows = [row for row in self.table("groups") if text(row["group"]) == name]

        def agreed(column: str) -> str:
            return next((text(row.get(column)) for row in rows if text(row.get(column))), "")

        def path(column: str) -> Course | None:
            points = [
                (year_of(row.get("year")), float(row[column])) for row in rows if number(row.get(column)) is not None
            ]
            return Course(points) if points else None

        members: dict[tuple[str, str], list[Row]] = {}
        for row in rows:
            members.setdefault((text(row["measure"]), text(row.get("role"))), []).append(row)
        listed = []
        for (m, role), own in members.items():
            factor = {}
            for column in ("weight", "ratio"):
                points = []
                for row in own:
                    value = number(row.get(column))
                    points.append((year_of(row.get("year")), 1.0 if value is None else value))
                factor[column] = Course(points)
            listed.append((m, role, factor["weight"], factor["ratio"]))
        city = agreed("city")
        return {
            "kind": agreed("kind"),
            "members": listed,
            "cap": path("cap"),
            "free": path("free"),
            "loss": path("loss"),
            "quantity": agreed("quantity"),
            "scope": agreed("scope"),
            "on": agreed("on") or "stock",
            "cities": [city] if city else self.cities,
        }

    def _overlap_variables(self) -> None:
        self.groups = {
            name: self._group(name) for name in dict.fromkeys(text(row["group"]) for row in self.table("groups"))
        }
        self.overlaps: list[tuple[str, str]] = []
        self.overlap_var: dict[tuple[str, str, int], int] = {}
        for name, group in self.groups.items():
            if group["kind"] != "overlap":
                continue
            (one, *_), (two, *_) = group["members"]
            for c in group["cities"]:
                if (one, c) not in self.site or (two, c) not in self.site:
                    continue
                self.overlaps.append((name, c))
                for y in self.years:
                    u1, u2 = (self.potential[y][self.site[m, c]] for m in (one, two))
                    if u1 <= 0 or u2 <= 0:
                        continue
                    o = self.overlap_var[name, c, y] = self.variable(math.inf, 1.0)
                    x1, x2 = self.stock(one, c, y) * (1 / u1), self.stock(two, c, y) * (1 / u2)
                    both = Line.of([o], 1.0)
                    self.at_most(x1 + x2 - 1.0, both)
                    self.at_most(both, x1)
                    self.at_most(both, x2)

    def _groups(self) -> None:
        for group in self.groups.values():
            if group["kind"] == "overlap":
                continue
            areas = [group["cities"]] if group["scope"] == "province" else [[c] for c in group["cities"]]
            amount = self.starts if group["on"] == "starts" else self.stock
            for y in filter(self.enforced, self.years):
                for area in areas:
                    parts = [
                        (
                            role,
                            weight(y),
                            ratio(y),
                            amount(m, c, y),
                            float(self.potential[y][self.site[m, c]]),
                        )
                        for m, role, weight, ratio in group["members"]
                        for c in area
                        if (m, c) in self.site
                    ]
                    if not parts:
                        continue
                    if group["kind"] == "shared":
                        if group["cap"] is None:
                            self.at_most(total(line * (1 / u) for *_, line, u in parts if u > 0), 1.0)
                        else:
                            self.at_most(total(line * weight for _, weight, _, line, _ in parts), group["cap"](y))
                    else:
                        needed = total(line * weight for role, weight, _, line, _ in parts if role == "dependent")
                        given = total(line * ratio for role, _, ratio, line, _ in parts if role == "provider")
                        self.at_most(needed, given + (group["free"](y) if group["free"] else 0.0))

    # quantities

    def _influences(self) -> None:
        """What one unit of stock at each site, and of each overlap, does to every cell (q, c, s) in a year."""
        size = len(self.cell)
        shares: dict[str, dict[str, float]] = defaultdict(dict)
        for row in self.table("allocations"):
            shares[text(row["allocation"])][text(row["city"])] = float(row["share"])
        routes: dict[tuple[str, str, str, str], list[tuple[int | None, float]]] = defaultdict(list)
        for row in self.table("conversions"):
            route = (text(row["from_quantity"]), text(row["to_quantity"]))
            key = (*route, text(row.get("to_sector")), text(row.get("allocation")))
            routes[key].append((year_of(row.get("year")), float(row["factor"])))
        self.influence: dict[int, csr_array] = {}
        for y in [self.base, *self.years]:
            entries: list[tuple[int, int, float]] = []
            for (source, goal, to_sector, key_name), points in routes.items():
                factor = Course(points)(y)
                for c in self.cities:
                    for s in self.sectors:
                        begin = self.cell[source, c, s]
                        ends = shares[key_name].items() if key_name else [(c, 1.0)]
                        for city, share in ends:
                            entries.append((self.cell[goal, city, to_sector or s], begin, factor * share))
            direct: list[tuple[int, int, float]] = []
            for (m, q), by_city in self.effects.items():
                for c in self.cities:
                    path = by_city.get(c) or by_city.get("")
                    if (m, c) in self.site and path is not None:
                        direct.append((self.cell[q, c, self.sector[m]], self.site[m, c], path(y)))
            for k, (name, c) in enumerate(self.overlaps):
                group = self.groups[name]
                first_member = group["members"][0][0]
                target = self.cell[group["quantity"], c, self.sector[first_member]]
                direct.append((target, len(self.sites) + k, group["loss"](y)))
            step = sparse(entries, (size, size))
            change = sparse(direct, (size, len(self.sites) + len(self.overlaps)))
            carried = change
            for _ in range(len(self.quantities) + 1):
                if not carried.nnz:
                    break
                carried = csr_array(step @ carried)
                carried.eliminate_zeros()
                change = csr_array(change + carried)
            else:
                raise ValueError("conversions form a cycle")
            self.influence[y] = change

    def _cells(self, q: str, scope: str, sectors: Sequence[str]) -> list[int]:
        return [self.cell[q, c, s] for c in self.cities_of(scope) for s in (sectors or self.sectors)]

    def base_level(self, q: str, scope: str, sectors: Sequence[str], y: int) -> float:
        """Baseline; a row without city counts for the province only."""
        held = set(self.cities_of(scope)) | ({""} if scope in ("", "province") else set())
        return math.fsum(
            path(y)
            for (quantity, c, s), path in self.baseline.items()
            if quantity == q and c in held and (not sectors or s in sectors)
        )

    def change(self, weights: Mapping[int, float], y: int) -> Line:
        """Weighted sum of the changes against the baseline over cells."""
        at = list(weights)
        given = self.influence[y][at, :].T @ np.array([weights[i] for i in at]) if at else np.zeros(0)
        if not at:
            return Line.of()
        by_site, by_overlap = given[: len(self.sites)], given[len(self.sites) :]
        cols = self.start_cols[self.serving[y] & (by_site[self.start_site] != 0)] if len(self.start_cols) else []
        line = Line.of(cols, by_site[self.start_site[cols]] * self.start_units[cols] if len(cols) else ())
        line = line + float(by_site @ self.existing[y])
        pairs = [
            (self.overlap_var[name, c, y], by_overlap[k])
            for k, (name, c) in enumerate(self.overlaps)
            if by_overlap[k] and (name, c, y) in self.overlap_var
        ]
        return line + Line.of([o for o, _ in pairs], [value for _, value in pairs])

    def planned(self, q: str, scope: str, sectors: Sequence[str], y: int) -> Line:
        """Level X of a quantity."""
        cells_ = dict.fromkeys(self._cells(q, scope, sectors), 1.0)
        return self.change(cells_, y) + self.base_level(q, scope, sectors, y)

    def base_year_level(self, q: str, scope: str, sectors: Sequence[str]) -> float:
        """X[b]: baseline and what old stock does, overlap at its least."""
        b = self.base
        given = self.influence[b][self._cells(q, scope, sectors), :].sum(axis=0)
        value = self.base_level(q, scope, sectors, b) + float(given[: len(self.sites)] @ self.existing[b])
        for k, (name, c) in enumerate(self.overlaps):
            (one, *_), (two, *_) = self.groups[name]["members"]
            u1, u2 = (self.potential[b][self.site[m, c]] for m in (one, two))
            if u1 > 0 and u2 > 0:
                x1, x2 = (self.existing[b][self.site[m, c]] / u for m, u in ((one, u1), (two, u2)))
                value += float(given[len(self.sites) + k]) * max(0.0, x1 + x2 - 1.0)
        return value

    def _floors(self) -> None:
        for row in self.table("quantities"):
            floor = number(row.get("floor"))
            if floor is None:
                continue
            scopes = self.cities if text(row.get("floor_scope")) == "city" else ["province"]
            for y in filter(self.enforced, self.years):
                for scope in scopes:
                    self.at_most(Line.of(const=floor), self.planned(text(row["quantity"]), scope, [], y))

    # money

    def spending(self, scope: str, sectors: Sequence[str], y: int) -> Line:
        """Capex of a year, history included [money]."""
        held = set(self.cities_of(scope))
        lines = [
            self.site_spending(m, c, y)
            for m, c in self.sites
            if c in held and (not sectors or self.sector[m] in sectors)
        ]
        booked = math.fsum(
            paid
            for m, c, year, paid, _ in self.bookings
            if year == y and c in held and (not sectors or self.sector[m] in sectors)
        )
        return total(lines) + booked

    def site_spending(self, m: str, c: str, y: int) -> Line:
        """Capex of decided starts in a year: equal parts over the construction years."""
        cols = self.by_site[self.site[m, c]]
        parts = max(1, self.lead[m])
        cols = cols[(self.start_year[cols] <= y) & (y <= self.start_year[cols] + parts - 1)]
        price = [self.capex[m](int(v)) / parts for v in self.start_year[cols]]
        return Line.of(cols, self.start_units[cols] * np.array(price))

    def _funds(self) -> None:
        self.funds = [text(row["fund"]) for row in self.table("funds")]
        self.paid: dict[tuple[str, str, str, int], Line] = {}
        self.pool_sector: dict[str, str] = {}
        if not self.funds:
            return
        share: dict[tuple[str, str], float] = {}
        own_pool: set[str] = set()
        for row in self.table("fund_rules"):
            m = text(row.get("measure"))
            own_pool |= {m} - {""}
            share[text(row["fund"]), f"measure {m}" if m else text(row["sector"])] = float(row["max_share"])
        pools: dict[str, list[str]] = defaultdict(list)
        for m in self.measures:
            pool = f"measure {m}" if m in own_pool else self.sector[m]
            pools[pool].append(m)
            self.pool_sector[pool] = self.sector[m]
        for pool, members in pools.items():
            for c in self.cities:
                for y in self.years:
                    capex = total(self.site_spending(m, c, y) for m in members if (m, c) in self.site)
                    capex = capex + math.fsum(
                        paid
                        for m, city, year, paid, fund in self.bookings
                        if m in members and city == c and year == y and not fund
                    )
                    if not capex.cols.size and not capex.const:
                        continue
                    most = capex.const + float(capex.vals @ np.array(self.upper)[capex.cols])
                    payments = []
                    for f in self.funds:
                        limit = share.get((f, pool), share.get((f, self.pool_sector[pool]), 0.0))
                        if limit > 0:
                            paid_line = Line.of([self.variable(math.inf, power_of_two(most))], 1.0)
                            self.paid[f, pool, c, y] = paid_line
                            payments.append(paid_line)
                            self.at_most(paid_line, capex * limit)
                    self.equal.append(total(payments) - capex)

    def fund_spending(self, fund: str, scope: str, sectors: Sequence[str], y: int) -> Line:
        """What a fund pays in a year, history included [money]."""
        held = set(self.cities_of(scope))
        lines = [
            self.paid[fund, pool, c, y]
            for pool, s in self.pool_sector.items()
            for c in self.cities
            if c in held and (not sectors or s in sectors) and (fund, pool, c, y) in self.paid
        ]
        booked = math.fsum(
            paid
            for m, c, year, paid, payer in self.bookings
            if year == y and payer == fund and c in held and (not sectors or self.sector[m] in sectors)
        )
        return total(lines) + booked

    def cost(self, scope: str, sectors: Sequence[str], y: int) -> Line:
        """Nominal cost of a year without penalties: annuities, running cost, priced changes [money]."""
        held = set(self.cities_of(scope))
        inside = np.array([c in held and (not sectors or self.sector[m] in sectors) for m, c in self.sites], dtype=bool)
        om = np.array([self.om[m](y) for m, _ in self.sites])
        lines = [Line.of(const=float((om * inside) @ self.existing[y]))]
        if len(self.start_cols):
            cols = self.start_cols[self.serving[y] & inside[self.start_site]]
            yearly = [self._annuity(self.sites[self.start_site[j]][0], int(self.start_year[j])) for j in cols]
            lines.append(Line.of(cols, self.start_units[cols] * (np.array(yearly) + om[self.start_site[cols]])))
        weights: dict[int, float] = defaultdict(float)
        for (q, _), path in self.prices.items():
            for cell in self._cells(q, scope, sectors):
                weights[cell] += path(y)
        return total([*lines, self.change(weights, y)])

    def _annuity(self, m: str, v: int) -> float:
        i, life = self.rate, self.life[m]
        return self.capex[m](v) * (i / (1.0 - (1.0 + i) ** -life) if i else 1.0 / life)

    def level(self, q: str, scope: str, sectors: Sequence[str], y: int) -> Line:
        """Level of a quantity or of one of the reserved names."""
        if q == "capex":
            return self.spending(scope, sectors, y)
        if q == "cost":
            return self.cost(scope, sectors, y)
        if q.startswith("fund:"):
            return self.fund_spending(q.removeprefix("fund:"), scope, sectors, y)
        return self.planned(q, scope, sectors, y)

    def ask_budgets(self, table: Sequence[Row]) -> None:
        by_id: dict[str, list[Row]] = defaultdict(list)
        for row in table:
            by_id[text(row["budget"])].append(row)
        for rows in by_id.values():
            row = rows[0]
            limit = Course((year_of(each.get("year")), float(each["limit"])) for each in rows)
            years, scope, sectors = self.span(row), text(row.get("scope")), cells(row.get("sectors"))
            funds = cells(row.get("fund"))
            spent = {
                y: total(self.fund_spending(f, scope, sectors, y) for f in funds)
                if funds
                else self.spending(scope, sectors, y)
                for y in years
            }
            if text(row.get("per")) == "span":
                if years and self.enforced(years[-1]):
                    self.at_most(total(spent.values()), limit(years[-1]))
                continue
            carry = text(row.get("carry_over")) == "yes"
            for k, y in enumerate(years):
                if self.enforced(y):
                    window = years[: k + 1] if carry else [y]
                    self.at_most(total(spent[each] for each in window), math.fsum(limit(each) for each in window))

    # goals

    def ask_targets(self, table: Sequence[Row]) -> None:
        for row in table:
            for part, y, sense, achieved, bound in self._target_lines(row):
                penalty = number(row.get("soft_penalty"))
                enforced = self.enforced(y)
                miss = None
                if enforced:
                    excess = achieved - bound if sense == "<=" else bound - achieved
                    if penalty is not None:
                        size = power_of_two(excess.size + float(np.abs(excess.vals) @ self._reach(excess.cols)))
                        miss = self.variable(math.inf, size)
                        self.penalties.append(Line.of([miss], penalty * self.discount(y)))
                        excess = excess - Line.of([miss], 1.0)
                    self.at_most(excess)
                self.target_rows.append(
                    TargetRow(
                        text(row["target"]),
                        text(row["kind"]),
                        part,
                        y,
                        sense,
                        achieved,
                        bound,
                        enforced,
                        miss,
                        penalty or 0.0,
                    )
                )

    def _reach(self, cols: np.ndarray) -> np.ndarray:
        upper: np.ndarray = np.array(self.upper)[cols]
        return np.where(np.isfinite(upper), upper, np.array(self.scale)[cols])

    def _target_lines(self, row: Row) -> Iterator[tuple[str, int, str, Line, Line]]:
        kind, q, scope = text(row["kind"]), text(row["quantity"]), text(row.get("scope"))
        sectors, of = cells(row.get("sectors")), text(row.get("of"))
        sense = text(row.get("sense")) or (">=" if kind == "abated" else "<=")
        value, years = number(row.get("value")), self.span(row)
        if kind == "peak":
            by, decline = year_of(row.get("by")), number(row.get("decline")) or 0.0
            level = {y: self.planned(q, scope, sectors, y) for y in self.years if by is None or y >= by}
            for y, line in level.items():
                if y + 1 in level:
                    yield "row", y + 1, "<=", level[y + 1], line * (1.0 - decline)
            if value is not None:
                for y, line in level.items():
                    yield "value", y, "<=", line, Line.of(const=value)
            return
        assert value is not None
        if kind == "cumulative":
            if years:
                yield (
                    "row",
                    years[-1],
                    sense,
                    total(self.level(q, scope, sectors, y) for y in years),
                    Line.of(const=value),
                )
        elif kind == "abated":
            cut = {y: self.abated(q, scope, sectors, y) for y in years}
            if text(row.get("per")) == "span":
                if years:
                    yield "row", years[-1], sense, total(cut.values()), Line.of(const=value)
            else:
                for y, line in cut.items():
                    yield "row", y, sense, line, Line.of(const=value)
        else:
            for y in years:
                achieved = self.level(q, scope, sectors, y)
                if kind == "level":
                    bound = Line.of(const=value)
                elif kind == "change":
                    bound = Line.of(const=(1.0 + value) * self.base_year_level(q, scope, sectors))
                elif kind == "share":
                    bound = self.planned(of, scope, [], y) * value
                elif kind == "intensity":
                    driver = self.drivers.get((of, scope)) or self.drivers[of, ""]
                    growth = driver(y) / driver(self.base)
                    bound = Line.of(const=(1.0 + value) * self.base_year_level(q, scope, sectors) * growth)
                else:
                    raise ValueError(f"unknown kind {kind}")
                yield "row", y, sense, achieved, bound

    def abated(self, q: str, scope: str, sectors: Sequence[str], y: int) -> Line:
        """B - X without what stock commissioned up to the base year does."""
        at = self._cells(q, scope, sectors)
        old = float(self.influence[y][at, :].sum(axis=0)[: len(self.sites)] @ self.old[y])
        return -self.change(dict.fromkeys(at, 1.0), y) + old

    def ask_pins(self, table: Sequence[Row]) -> None:
        for row in table:
            m, city = text(row["measure"]), text(row.get("city"))
            amount = self.stock if text(row.get("on")) == "stock" else self.starts
            cities = [c for c in ([city] if city else self.cities) if (m, c) in self.site]
            least, most = number(row.get("min")), number(row.get("max"))
            for y in filter(self.enforced, self.span(row)):
                line = total(amount(m, c, y) for c in cities)
                if least is not None:
                    self.at_most(Line.of(const=least), line)
                if most is not None:
                    self.at_most(line, most)

    # solving

    def objective(self, name: str) -> tuple[Line, float]:
        """Line of an objective, and 1 to minimise or -1 to maximise it."""
        if name == "cost":
            if self._net_present_cost is None:
                self._net_present_cost = total(self.cost("", [], y) * self.discount(y) for y in self.years)
            return total([self._net_present_cost, *self.penalties]), 1.0
        if name.startswith(("quantity:", "-quantity:")):
            sign = -1.0 if name.startswith("-") else 1.0
            return total(self.planned(name.split(":", 1)[1], "", [], y) for y in self.years), sign
        return total(self.level(name, "", [], y) for y in self.years), 1.0

    def objectives(self, given: Sequence[str] | None = None) -> list[str]:
        """Stages in order, cost appended when absent."""
        names = list(given) if given else cells(self.settings.get("objective") or "cost")
        return names if "cost" in names else [*names, "cost"]

    def optimise(self, line: Line, held: Sequence[Line] = (), relax: bool = False) -> tuple[str, np.ndarray, bool]:
        """Status, decisions and whether feasibility hung on the tolerance, for the least of `line`."""
        scale = np.array(self.scale)
        inequality, limit, known = self._matrix([*self.rows, *held], scale)
        equality, fixed, known2 = self._matrix(self.equal, scale, equal=True)
        if not (known and known2):
            return "infeasible", np.zeros(0), False
        gains = np.bincount(line.cols, line.vals, minlength=len(scale)) * scale
        gains = gains / power_of_two(float(np.abs(gains).max(initial=0.0)))
        low, high = np.array(self.lower) / scale, np.array(self.upper) / scale
        if any(self.whole) and not relax:
            found = milp(
                gains * 1024.0,
                integrality=np.array(self.whole, dtype=int),
                bounds=Bounds(low, high),
                constraints=[
                    LinearConstraint(inequality, -np.inf, limit),
                    *([LinearConstraint(equality, fixed, fixed)] if self.equal else []),
                ],
                options={"mip_rel_gap": 1e-9},
            )
            if found.x is None:
                return {2: "infeasible", 3: "unbounded"}.get(found.status, "other"), np.zeros(0), False
            if found.status != 0:
                return "other", np.zeros(0), False
            lumps = np.array(self.whole)
            chosen = np.round(found.x[lumps])
            low[lumps], high[lumps] = chosen, chosen
            status, x, _ = linear(gains, inequality, limit, equality, fixed, low, high)
            return ("optimal", x * scale, False) if status == "optimal" else ("optimal", found.x * scale, True)
        status, x, borderline = linear(gains, inequality, limit, equality, fixed, low, high)
        return status, x * scale if status == "optimal" else x, borderline

    def _matrix(
        self, lines: Sequence[Line], scale: np.ndarray, equal: bool = False
    ) -> tuple[csr_array, np.ndarray, bool]:
        """Rows scaled by powers of two, their right sides, and whether rows without decisions hold."""
        if not lines:
            return csr_array((0, len(scale))), np.zeros(0), True
        count = [line.cols.size for line in lines]
        at = np.repeat(np.arange(len(lines)), count)
        cols = np.concatenate([line.cols for line in lines])
        values = np.concatenate([line.vals for line in lines]) * scale[cols]
        matrix = csr_array(coo_array((values, (at, cols)), shape=(len(lines), len(scale))))
        matrix.sum_duplicates()
        right = np.array([-line.const for line in lines])
        largest = abs(matrix).max(axis=1).toarray().ravel() if matrix.nnz else np.zeros(len(lines))
        empty = largest == 0
        size = np.array([max(1.0, line.size) for line in lines])
        slack = -np.abs(right) if equal else right
        if np.any(slack[empty] < -1e-9 * size[empty]):
            return matrix, right, False
        keep = np.flatnonzero(~empty)
        factor = np.array([1.0 / power_of_two(value) for value in largest[keep]])
        return csr_array(matrix[keep, :].multiply(factor[:, None])), right[keep] * factor, True

    def solve(self, objective: Sequence[str] | None = None, relax: bool = False) -> TwinResult:
        """Stages in lexicographic order, each later one within the tolerance of the earlier."""
        tolerance = number(self.settings.get("tolerance"))
        tolerance = 1e-6 if tolerance is None else tolerance
        held: list[Line] = []
        result = TwinResult("optimal", twin=self)
        names = self.objectives(objective)
        for name in names:
            line, sign = self.objective(name)
            status, x, borderline = self.optimise(line * sign, held, relax)
            result.borderline |= borderline
            if status != "optimal":
                result.status = status if not result.stages else f"{status} in a later stage"
                return result
            z = line.at(x)
            result.stages.append((name, z))
            result.x = x
            held.append(line * sign - (sign * z + tolerance * abs(z)))
        result.finals = [(name, self.objective(name)[0].at(result.x)) for name in names]
        x = result.x
        for (m, c, v), col in self.start.items():
            if x[col] > 1e-9 * self.scale[col]:
                result.portfolio[m, c, v] = float(x[col] * self.start_units[col])
        for row in self.target_rows:
            achieved, bound = row.achieved.at(x), row.bound.at(x)
            result.targets[row.target, row.part, row.year] = {
                "achieved": achieved,
                "bound": bound,
                "slack": bound - achieved if row.sense == "<=" else achieved - bound,
                "missed": float(x[row.miss]) if row.miss is not None else 0.0,
                "enforced": float(row.enforced),
            }
        return result


def sparse(entries: Sequence[tuple[int, int, float]], shape: tuple[int, int]) -> csr_array:
    """Matrix from (row, column, value), values at one place added."""
    rows = np.array([row for row, _, _ in entries], dtype=np.int64)
    cols = np.array([col for _, col, _ in entries], dtype=np.int64)
    return csr_array(coo_array((np.array([value for *_, value in entries], dtype=float), (rows, cols)), shape=shape))


def linear(
    gains: np.ndarray,
    inequality: csr_array,
    limit: np.ndarray,
    equality: csr_array,
    fixed: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> tuple[str, np.ndarray, bool]:
    """Least of `gains` at tight tolerances; an infeasible answer is believed when a looser one agrees."""
    says = {0: "optimal", 2: "infeasible", 3: "unbounded"}
    refused = False
    for method, tolerance in (("highs-ds", 1e-10), ("highs-ds", 1e-8), ("highs-ipm", 1e-8), ("highs", 1e-7)):
        found: Any = linprog(  # type: ignore[call-overload]
            gains,
            inequality if inequality.shape[0] else None,
            limit if inequality.shape[0] else None,
            equality if equality.shape[0] else None,
            fixed if equality.shape[0] else None,
            bounds=np.column_stack([low, high]),
            method=method,
            options={"primal_feasibility_tolerance": tolerance, "dual_feasibility_tolerance": tolerance},
        )
        if found.status == 0:
            return "optimal", found.x, refused
        if found.status == 3 or (found.status == 2 and refused):
            return says[found.status], np.zeros(0), False
        refused = refused or found.status == 2
    return "infeasible" if refused else "other", np.zeros(0), False


def solve(folder: Path, objective: list[str] | None = None) -> TwinResult:
    """Read a case folder and solve it."""
    settings, tables = read_case(folder)
    return Twin(settings, tables).solve(objective)


def solve_tables(settings: Mapping[str, Any], tables: Tables, objective: list[str] | None = None) -> TwinResult:
    """Solve settings and tables that are in memory."""
    return Twin(settings, tables).solve(objective)
