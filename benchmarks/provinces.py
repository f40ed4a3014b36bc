"""Synthetic provinces of any size in the shape of Jiangxi: seeded, made up, and always with a plan.

    python -m benchmarks.provinces M folder

A province is a set of arrays. `write` and `case` say it in the tables of a case, which come in by the real door;
`raw.py` and `peers.py` build the same linear program from the arrays, without the planner. A reference plan (half the
ramp everywhere, as far as groups allow) sizes targets, floors and budgets, and keeps all of them with room.
"""

import csv
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from planner.case import Case
from planner.tables import read_case

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
SIZES = {"S": (11, 30, 10), "M": (11, 110, 15), "L": (50, 150, 15), "XL": (337, 150, 15)}
"""Cities, measures, years. M is Jiangxi, XL a whole country."""
BASE_YEAR = 2020
SECTORS = ("energy", "industry", "building_materials", "transport", "buildings", "agriculture", "waste", "water")
CORE = {
    "electricity": ("GWh", 1.6e5),
    "clean_generation": ("GWh", 3.0e4),
    "coal_generation": ("GWh", 1.3e5),
    "coal": ("ktce", 5.0e4),
    "gas": ("ktce", 4.0e3),
    "diesel": ("kt", 5.0e3),
    "fossil_energy": ("ktce", 6.0e4),
    "nonfossil_energy": ("ktce", 9.0e3),
    "total_energy": ("ktce", 7.0e4),
    "co2": ("kt", 2.0e5),
    "ch4": ("t", 1.0e6),
    "co2e": ("kt", 2.3e5),
    "nox": ("t", 3.0e5),
    "so2": ("t", 1.0e5),
    "pm": ("t", 2.0e5),
    "voc": ("t", 4.0e5),
    "cod": ("t", 1.0e6),
    "nh3_n": ("t", 4.0e4),
}
"""Unit and level of a province of eleven cities in the base year."""
ROUTES = (
    ("electricity", "coal_generation", 1.0, "energy", True),
    ("clean_generation", "coal_generation", -0.97, "energy", True),
    ("clean_generation", "nonfossil_energy", 0.305, "energy", False),
    ("coal_generation", "coal", 0.305, "", False),
    ("coal_generation", "nox", 0.18, "", False),
    ("coal_generation", "so2", 0.16, "", False),
    ("coal_generation", "pm", 0.032, "", False),
    ("coal", "co2", 2.66, "", False),
    ("gas", "co2", 1.63, "", False),
    ("diesel", "co2", 3.1, "", False),
    ("coal", "fossil_energy", 1.0, "", False),
    ("gas", "fossil_energy", 1.0, "", False),
    ("diesel", "fossil_energy", 1.46, "", False),
    ("fossil_energy", "total_energy", 1.0, "", False),
    ("nonfossil_energy", "total_energy", 1.0, "", False),
    ("co2", "co2e", 1.0, "", False),
    ("ch4", "co2e", 0.028, "", False),
)
"""Conversions, sources first: from, to, factor, sector (blank: that of the change), whether pooled over the cities."""
ACTS = {
    "energy": ("clean_generation",),
    "industry": ("electricity", "coal", "gas", "nox", "so2", "pm", "voc"),
    "building_materials": ("coal", "electricity", "nox", "so2", "pm"),
    "transport": ("diesel", "electricity", "nox", "pm", "voc"),
    "buildings": ("electricity", "gas", "coal", "pm"),
    "agriculture": ("ch4", "nh3_n", "cod", "diesel"),
    "waste": ("ch4", "clean_generation", "pm", "cod"),
    "water": ("cod", "nh3_n", "electricity"),
}
"""What the measures of a sector act on."""
PRICES = {"coal": 1.0e6, "gas": 2.0e6, "diesel": 6.0e6, "electricity": 5.0e4, "coal_generation": 3.0e4}
FUNDS = {
    "central": (0.1, 0.25),
    "provincial": (0.1, 0.2),
    "municipal": (0.1, 0.3),
    "bank": (0.3, 0.3),
    "own": (0.5, 0.6),
}
"""Funds and the range of the most they pay; bank and own together leave a tenth or more to public money."""
PUBLIC = {"central": 0.4, "provincial": 0.3, "municipal": 0.3}
"""How the reference plan shares what is left to public money [-]."""
EASE = 0.15
"""Part of what the reference plan achieves that targets leave as room [-]."""


@dataclass(frozen=True)
class Level:
    """What a bound is written on: a quantity, or what a fund pays, summed over cities and sectors."""

    what: str
    cities: tuple[int, ...]
    sectors: tuple[int, ...]


@dataclass(frozen=True)
class Goal:
    """A row of a target: weighted levels by year (position in the plan) within a limit, at a penalty or strictly."""

    terms: tuple[tuple[Level, int, float], ...]
    limit: float
    year: int
    penalty: float | None = None
    target: str = ""


@dataclass(frozen=True)
class Tie:
    """A group that ties measures: on one side dependents or members, on the other providers; by city or in sum."""

    id: str
    kind: str
    uses: tuple[int, ...]
    weight: float | None
    """Of each of `uses` alike; none: each as a part of its potential."""
    provides: tuple[int, ...] = ()
    bound: float | Array = 1.0
    """Cap, or what is free; of each city where they differ: a group per city then."""
    province: bool = False


@dataclass
class Province:
    """The numbers of a province; arrays go measure, city, year or quantity, city, sector, year."""

    name: str
    years: list[int]
    cities: list[str]
    measures: list[str]
    quantities: list[str]
    rate: float
    sector: Ints
    capex: Array
    fixed_om: Array
    lifetime: Ints
    lead: Ints
    ramp: Array
    first: Ints
    """Position of the first year in which it can be started."""
    potential: Array
    """Zero where a city cannot have the measure."""
    effect_of: Ints
    """Measure of each direct effect."""
    effect_on: Ints
    """Quantity of each direct effect."""
    effect: Array
    """By effect and year."""
    share: Array
    """Of each city in pooled conversions [-]."""
    baseline: Array
    """Over base year and plan years."""
    price: dict[str, Array]
    pairs: list[tuple[int, int, int]]
    """Overlaps: two measures, and the quantity they abate less."""
    loss: Array
    """By overlap and city; zero where one of them is absent."""
    ties: list[Tie] = field(default_factory=list)
    max_share: Array = field(default_factory=lambda: np.zeros(0))
    """By fund and sector [-]."""
    targets: list[dict[str, Any]] = field(default_factory=list)
    floors: dict[str, float] = field(default_factory=dict)
    budgets: list[dict[str, Any]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    """What the targets mean."""
    limits: list[tuple[Level, tuple[int, ...], float]] = field(default_factory=list)
    """What the budgets mean: what a fund pays over a scope, in which years together, and the most."""

    @property
    def places(self) -> list[tuple[int, int]]:
        """Quantity and sector of every change, the same in all cities."""
        found = dict.fromkeys(
            (int(q), int(self.sector[m])) for m, q in zip(self.effect_of, self.effect_on, strict=True)
        )
        number = {q: i for i, q in enumerate(self.quantities)}
        for source, target, _, to, _ in ROUTES:
            for q, s in list(found):
                if self.quantities[q] == source:
                    found[number[target], SECTORS.index(to) if to else s] = None
        return sorted(found)

    @property
    def present(self) -> NDArray[np.bool_]:
        """Whether a city can have a measure."""
        return self.potential[:, :, -1] > 0

    @property
    def start_limit(self) -> Array:
        """Most starts in a year, by measure and city."""
        return self.ramp[:, None] * self.potential[:, :, -1]

    def may_start(self, m: int) -> range:
        """Positions of the years in which a measure can be started and still serve."""
        return range(int(self.first[m]), len(self.years) - int(self.lead[m]))

    def installments(self, m: int) -> int:
        """Years over which the capital cost of a start is paid."""
        return max(1, int(self.lead[m]))

    def changes(self, stock: Array) -> dict[tuple[int, int], Array]:
        """Change of every quantity by sector that a stock makes, by city and year, without overlaps."""
        total = {place: np.zeros((len(self.cities), len(self.years))) for place in self.places}
        for m, q, effect in zip(self.effect_of, self.effect_on, self.effect, strict=True):
            total[int(q), int(self.sector[m])] += effect * stock[m]
        number = {q: i for i, q in enumerate(self.quantities)}
        for source, target, factor, to, pooled in ROUTES:
            carried = {s: factor * x for (q, s), x in total.items() if q == number[source]}
            for s, x in carried.items():
                spread = self.share[:, None] * x.sum(axis=0) if pooled else x
                place = number[target], SECTORS.index(to) if to else s
                total[place] = total[place] + spread
        return total


def province(size: str = "M", seed: int = 1) -> Province:
    """A province of a size of `SIZES`."""
    return draw(*SIZES[size], seed=seed, name=f"province_{size.lower()}")


def draw(cities: int, measures: int, years: int, seed: int = 1, name: str = "province") -> Province:
    """A province with so many cities, measures and years."""
    rng = np.random.default_rng([seed, cities, measures, years])
    sector = np.arange(measures) % len(SECTORS)
    outputs = [f"output_{k}" for k in range(max(1, measures // 6))]
    wholes = [f"whole_{k}" for k in range(3)]
    quantities = [*CORE, *outputs, *wholes]
    number = {q: i for i, q in enumerate(quantities)}
    horizon = [BASE_YEAR + 1 + i for i in range(years)]
    size = rng.lognormal(0.0, 0.5, cities)
    size *= cities / 11 / size.sum()

    baseline = np.zeros((len(quantities), cities, len(SECTORS), years + 1))
    for q, (_, total) in CORE.items():
        acting = [s for s, name_ in enumerate(SECTORS) if q in ACTS[name_]] or [0]
        if q in ("co2", "fossil_energy", "total_energy", "co2e"):
            acting = list(range(len(SECTORS)))
        parts = rng.dirichlet(np.full(len(acting), 4.0), cities)
        growth = np.interp(np.arange(years + 1), [0, years // 2, years], [1.0, 1.0, 1.0 - rng.uniform(0.05, 0.2)])
        baseline[number[q]][:, acting, :] = total * size[:, None, None] * parts[:, :, None] * growth
    for k, q in enumerate(wholes):
        baseline[number[q], :, 1 + k, :] = 1e4 * size[:, None]

    units = np.round(10 ** rng.uniform(2, 5, measures))
    full = units[:, None] * size * rng.uniform(0.5, 1.5, (measures, cities))
    effect_of, effect_on, total_effect = _effects(rng, sector, number, outputs, baseline)
    anchors = _anchors(effect_of, effect_on, sector)
    absent = (rng.random((measures, cities)) < 0.12) & ~anchors[:, None]
    growing = np.where(rng.random(measures) < 0.2, 0.7, 1.0)
    potential = np.where(absent, 0.0, full)[:, :, None] * np.linspace(growing, 1.0, years).T[:, None, :]
    per_unit = total_effect / full.sum(axis=1)[effect_of]
    fading = np.where(rng.random(effect_of.size) < 0.1, 0.8, 1.0)
    effect = per_unit[:, None] * np.linspace(1.0, fading, years).T

    lead = rng.choice([0, 1, 1, 2, 3], measures)
    first = np.where(rng.random(measures) < 0.2, 2, 0)
    lead[anchors], first[anchors] = np.minimum(lead[anchors], 1), 0
    lead[: len(SECTORS)] = 0  # so that every sector spends in every year
    lifetime = rng.choice([6, 8, 10, 15, 20, 25], measures)
    saved = np.zeros(measures)
    for e, m in enumerate(effect_of):
        saved[m] -= per_unit[e] * PRICES.get(quantities[effect_on[e]], 0.0)
        if quantities[effect_on[e]] == "clean_generation":
            saved[m] += 0.97 * per_unit[e] * (PRICES["coal_generation"] + 0.305 * PRICES["coal"])
    worth = np.where(saved > 0, saved, 1e7 * rng.lognormal(0.0, 1.0, measures) / units)
    capex = worth * np.minimum(lifetime, 12) * rng.lognormal(0.4, 0.6, measures)
    learning = np.where(rng.random(measures) < 0.15, 0.7, 1.0)
    made = Province(
        name=name,
        years=horizon,
        cities=[f"city_{c:03d}" for c in range(cities)],
        measures=[f"measure_{m:03d}" for m in range(measures)],
        quantities=quantities,
        rate=0.06,
        sector=sector,
        capex=capex[:, None] * np.linspace(1.0, learning, years).T,
        fixed_om=0.02 * capex * rng.uniform(0.5, 1.5, measures),
        lifetime=lifetime,
        lead=lead,
        ramp=np.round(rng.uniform(0.1, 0.3, measures), 3),
        first=first,
        potential=potential,
        effect_of=effect_of,
        effect_on=effect_on,
        effect=effect,
        share=_parts(rng, cities),
        baseline=baseline,
        price={q: p * np.linspace(1.0, rng.uniform(0.9, 1.4), years) for q, p in PRICES.items()},
        pairs=[],
        loss=np.zeros((0, cities)),
    )
    _overlaps(made)
    stock, starts = _groups(made)
    _targets(made, stock)
    _funds(made, rng, starts)
    return made


def _parts(rng: np.random.Generator, count: int) -> Array:
    """Positive shares that sum to 1."""
    shares = np.round(rng.dirichlet(np.full(count, 3.0)) + 1e-6, 7)
    shares[-1] += 1.0 - shares.sum()
    return shares if shares[-1] > 0 else _parts(rng, count)


def _effects(
    rng: np.random.Generator, sector: Ints, number: dict[str, int], outputs: list[str], baseline: Array
) -> tuple[Ints, Ints, Array]:
    """Measure, quantity and size, at full potential, of every direct effect."""
    of: list[int] = []
    on: list[str] = []
    for m, s in enumerate(sector):
        options = ACTS[SECTORS[s]]
        count = min(len(options), int(rng.integers(3, 6)))
        chosen = sorted(rng.choice(len(options), count, replace=False))
        of += [m] * (count + 1)
        on += [*(options[i] for i in chosen), outputs[m % len(outputs)]]
    acting: dict[tuple[str, int], int] = {}
    for m, q in zip(of, on, strict=True):
        acting[q, sector[m]] = acting.get((q, sector[m]), 0) + 1
    totals = np.zeros(len(of))
    for e, (m, q) in enumerate(zip(of, on, strict=True)):
        part = rng.uniform(0.4, 1.6) / acting[q, sector[m]]
        if q in outputs:
            totals[e] = 1e4 * baseline.shape[1] / 11 * rng.uniform(0.5, 2.0)
        elif q == "clean_generation":
            totals[e] = 0.4 * part * baseline[number["coal_generation"], :, :, 0].sum()
        else:
            here = baseline[number[q], :, sector[m], 0].sum()
            dearer = q == "electricity" and SECTORS[sector[m]] in ("transport", "water")
            totals[e] = part * here * (0.3 if dearer else -0.7)
    return np.array(of), np.array([number[q] for q in on]), totals


def _anchors(effect_of: Ints, effect_on: Ints, sector: Ints) -> NDArray[np.bool_]:
    """The first measure of every quantity and sector: all cities have it, so that places are alike everywhere."""
    first: dict[tuple[int, int], int] = {}
    for m, q in zip(effect_of, effect_on, strict=True):
        first.setdefault((int(q), int(sector[m])), int(m))
    anchors = np.zeros(sector.size, dtype=bool)
    anchors[list(first.values())] = True
    return anchors


def _overlaps(p: Province) -> None:
    """Pairs of a sector that abate the same quantity, a tenth as many as measures; and what is lost by city."""
    acts: dict[tuple[int, int], list[int]] = {}
    for e, (m, q) in enumerate(zip(p.effect_of, p.effect_on, strict=True)):
        if p.effect[e, 0] < 0:
            acts.setdefault((int(q), int(p.sector[m])), []).append(e)
    used: set[tuple[int, int]] = set()
    losses = []
    for (q, _), entries in sorted(acts.items()):
        for e, f in zip(entries[:-1:2], entries[1::2], strict=False):
            pair = int(p.effect_of[e]), int(p.effect_of[f])
            if len(p.pairs) < len(p.measures) // 10 and pair not in used:
                used.add(pair)
                p.pairs.append((*pair, q))
                sizes = [-p.effect[i, 0] * p.potential[m, :, -1] for i, m in zip((e, f), pair, strict=True)]
                losses.append(0.3 * np.minimum(*sizes))
    p.loss = np.array(losses).reshape(len(p.pairs), len(p.cities))


def _groups(p: Province) -> tuple[Array, Array]:
    """Groups, and the reference plan that keeps them: its stock and starts."""
    most = np.full(len(p.measures), 0.8)
    for first, second, _ in p.pairs:
        most[[first, second]] = 0.45
    by_sector = [list(np.flatnonzero(p.sector == s)) for s in range(len(SECTORS))]
    for s in (1, 3, 4):
        members = tuple(int(m) for m in by_sector[s][-4:])
        most[list(members)] = np.minimum(most[list(members)], 0.8 / len(members))
        p.ties.append(Tie(f"share_{SECTORS[s]}", "shared", members, None))
    for s in (2, 5):
        members = tuple(int(m) for m in by_sector[s][-5:])
        most[list(members)] = np.minimum(most[list(members)], 0.45)
        cap = 0.5 * p.potential[list(members), :, -1].sum(axis=0)
        p.ties.append(Tie(f"base_{SECTORS[s]}", "shared", members, 1.0, bound=cap))
    stock, starts = _reference(p, most)
    for s, whole in ((0, True), (7, True), (6, False)):
        provider, *dependents = (int(m) for m in by_sector[s])
        takes, serves = stock[dependents].sum(axis=0), stock[provider]
        if whole:
            takes, serves = takes.sum(axis=0), serves.sum(axis=0)
        free = EASE * float(serves.max())
        weight = 0.8 * float(np.min((free + serves)[takes > 0] / takes[takes > 0]))
        p.ties.append(
            Tie(f"needs_{SECTORS[s]}", "requires", tuple(dependents), weight, (provider,), free, province=whole)
        )
    return stock, starts


def _reference(p: Province, most: Array) -> tuple[Array, Array]:
    """Half the ramp everywhere, up to a part of the potential; replaced at the end of life."""
    stock, starts = np.zeros_like(p.potential), np.zeros_like(p.potential)
    for m in range(len(p.measures)):
        lead, life = int(p.lead[m]), int(p.lifetime[m])
        for v in p.may_start(m):
            alive = starts[m, :, max(0, v - life + 1) : v].sum(axis=1)
            wanted = most[m] * p.potential[m, :, v + lead] - alive
            starts[m, :, v] = np.clip(wanted, 0.0, 0.5 * p.start_limit[m])
        for y in range(lead, len(p.years)):
            stock[m, :, y] = starts[m, :, max(0, y - lead - life + 1) : y - lead + 1].sum(axis=1)
    return stock, starts


def _targets(p: Province, stock: Array) -> None:
    """Targets of all kinds and floors, each with room around the reference plan."""
    n, years = len(p.years), p.years
    everywhere, all_sectors = tuple(range(len(p.cities))), tuple(range(len(SECTORS)))
    changes = p.changes(stock)
    early, middle = 4, 9 if n > 10 else n - 2

    def level(q: str, cities: Sequence[int] = everywhere) -> Level:
        return Level(q, tuple(cities), all_sectors)

    def based(x: Level) -> Array:
        """Baseline over base year and plan."""
        total: Array = p.baseline[p.quantities.index(x.what)][list(x.cities)].sum(axis=(0, 1))
        return total

    def reached(x: Level) -> Array:
        total = based(x)[1:].copy()
        for (q, _), change in changes.items():
            if p.quantities[q] == x.what:
                total += change[list(x.cities)].sum(axis=0)
        return total

    def eased(x: Level, span: slice) -> float:
        """The most in a span of the plan, and some room."""
        most = reached(x)[span]
        return float(np.max(most + EASE * np.abs(most - based(x)[1:][span])))

    def add(goals: Iterable[tuple[int, tuple[tuple[Level, int, float], ...], float]], **row: Any) -> None:
        p.targets.append({"target": f"target_{len(p.targets):03d}", **row})
        name = p.targets[-1]["target"]
        p.goals += [Goal(terms, limit, y, row.get("soft_penalty"), name) for y, terms, limit in goals]

    def at_least(x: Level, value: float, first: int, last: int, **row: Any) -> None:
        goals = [(y, ((x, y, -1.0),), -value) for y in range(first, last + 1)]
        when = {"first_year": years[first], "last_year": years[last]}
        add(goals, kind="level", quantity=x.what, sense=">=", value=value, **when, **row)

    outputs = [q for q in p.quantities if q.startswith("output_")]
    for k, q in enumerate(outputs):
        x = level(q)
        first = early if k % 2 else middle
        if k % 3 == 2:  # more than the reference plan does: may be missed
            worth = 50.0 * float(p.capex[:, 0].mean() / p.effect[np.isin(p.effect_on, p.quantities.index(q)), 0].mean())
            at_least(x, 1.2 * float(reached(x)[first]), first, first, soft_penalty=worth)
        else:
            at_least(x, 0.85 * float(reached(x)[first:].min()), first, n - 1)
    for q in ("nox", "pm", "co2"):
        x = level(q)
        value = eased(x, slice(middle, middle + 1)) / float(based(x)[0]) - 1
        goals = [(middle, ((x, middle, 1.0),), (1 + value) * float(based(x)[0]))]
        when = {"first_year": years[middle], "last_year": years[middle]}
        add(goals, kind="change", quantity=q, sense="<=", value=value, **when)
    for q in ("nox", "voc", "cod", "nh3_n", "so2"):
        _abated(p, add, level(q), based, reached, early)
    share, whole = level("nonfossil_energy"), level("total_energy")
    theta = 0.9 * float((reached(share) / reached(whole))[early:].min())
    goals = [(y, ((share, y, -1.0), (whole, y, theta)), 0.0) for y in range(early, n)]
    add(goals, kind="share", quantity=share.what, of=whole.what, sense=">=", value=theta, first_year=years[early])
    for k, q in enumerate(outputs[:3]):
        part, whole = level(q), level(f"whole_{k}")
        theta = float(min(1.4, 0.8 * (reached(part) / reached(whole))[middle]))
        goals = [(middle, ((part, middle, -1.0), (whole, middle, theta)), 0.0)]
        when = {"first_year": years[middle], "last_year": years[middle]}
        add(goals, kind="share", quantity=q, of=whole.what, sense=">=", value=theta, **when)
    x = level("fossil_energy")
    growth = np.array([1.05**i for i in range(n + 1)])
    value = eased(x, slice(early, early + 1)) / (float(based(x)[0]) * growth[early + 1]) - 1
    bound = (1 + value) * float(based(x)[0]) * growth[early + 1]
    when = {"first_year": years[early], "last_year": years[early]}
    add([(early, ((x, early, 1.0),), bound)], kind="intensity", quantity=x.what, of="gdp", value=value, **when)
    x = level("co2e")
    total = float((reached(x) + EASE * np.abs(reached(x) - based(x)[1:])).sum())
    terms = tuple((x, y, 1.0) for y in range(n))
    add([(n - 1, terms, total)], kind="cumulative", quantity=x.what, sense="<=", value=total)
    x = level("co2")
    falls = 1 - reached(x)[middle + 1 :] / reached(x)[middle:-1]
    if falls.min() > 0:
        decline = float(0.5 * falls.min())
        goals = [(y + 1, ((x, y + 1, 1.0), (x, y, decline - 1)), 0.0) for y in range(middle, n - 1)]
        add(goals, kind="peak", quantity="co2", sense="<=", by=years[middle], decline=decline)
    for c in range(0, len(p.cities), 2):
        _abated(p, add, level("nox" if c % 4 else "cod", [c]), based, reached, early)
    for q in ("coal_generation", "coal", "gas"):
        p.floors[q] = 0.6 * float(reached(level(q)).min())


def _abated(p: Province, add: Any, x: Level, based: Any, reached: Any, y: int) -> None:
    """A target on what is abated in one year."""
    value = float((1 - EASE) * (based(x)[1 + y] - reached(x)[y]))
    goals = [(y, ((x, y, 1.0),), float(based(x)[1 + y]) - value)]
    scope = p.cities[x.cities[0]] if len(x.cities) == 1 else "province"
    when = {"first_year": p.years[y], "last_year": p.years[y]}
    add(goals, kind="abated", quantity=x.what, value=value, scope=scope, **when)


def _funds(p: Province, rng: np.random.Generator, starts: Array) -> None:
    """Fund rules, and budgets a fifth above what the reference plan takes."""
    p.max_share = np.array([np.round(rng.uniform(low, high, len(SECTORS)), 2) for low, high in FUNDS.values()])
    n = len(p.years)
    left = 1 - p.max_share[[list(FUNDS).index("bank"), list(FUNDS).index("own")]].sum(axis=0)
    public = np.zeros((len(p.cities), n))
    for m in range(len(p.measures)):
        count = p.installments(m)
        for v in p.may_start(m):
            public[:, v : v + count] += (left[p.sector[m]] * p.capex[m, v] / count * starts[m, :, v])[:, None]
    everywhere, all_sectors = tuple(range(len(p.cities))), tuple(range(len(SECTORS)))

    def add(row: dict[str, Any], level: Level, spans: Iterable[tuple[Sequence[int], float]]) -> None:
        p.budgets.append(row)
        p.limits += [(level, tuple(years), limit) for years, limit in spans]

    yearly = 1.2 * PUBLIC["central"] * float(public.sum(axis=0).max())
    add(
        {"budget": "central", "limit": yearly, "fund": "central", "per": "year"},
        Level("fund:central", everywhere, all_sectors),
        [([y], yearly) for y in range(n)],
    )
    for k, first in enumerate(range(0, n, 5)):
        span = range(first, min(first + 5, n))
        limit = 1.2 * PUBLIC["provincial"] * float(public[:, list(span)].sum())
        when = {"first_year": p.years[span[0]], "last_year": p.years[span[-1]]}
        add(
            {"budget": f"provincial_{k}", "limit": limit, "fund": "provincial", "per": "span", **when},
            Level("fund:provincial", everywhere, all_sectors),
            [(span, limit)],
        )
    spent = np.cumsum(public, axis=1) / np.arange(1, n + 1)
    for c, city in enumerate(p.cities):
        limit = 1.2 * PUBLIC["municipal"] * float(spent[c].max())
        add(
            {
                **{"budget": f"municipal_{city}", "limit": limit, "fund": "municipal"},
                **{"scope": city, "per": "year", "carry_over": "yes"},
            },
            Level("fund:municipal", (c,), all_sectors),
            [(range(y + 1), limit * (y + 1)) for y in range(n)],
        )


# Tables --------------------------------------------------------------------------------------------------------------


def tables(p: Province) -> dict[str, list[dict[str, Any]]]:
    """The province in the columns of the case format."""
    n, years = len(p.years), p.years
    present = p.present

    def named(id_: str) -> dict[str, str]:
        return {"name_zh": id_, "name_en": id_}

    def dated(values: Array, first: int = 0) -> list[dict[str, Any]]:
        """Points of a straight line over the plan: one without year where it is level."""
        if values[first] == values[-1]:
            return [{"value": float(values[-1])}]
        return [{"year": years[first], "value": float(values[first])}, {"year": years[-1], "value": float(values[-1])}]

    def renamed(points: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
        return [{name if key == "value" else key: value for key, value in point.items()} for point in points]

    found: dict[str, list[dict[str, Any]]] = {
        "cities": [{"city": c, **named(c)} for c in p.cities],
        "sectors": [{"sector": s, **named(s)} for s in SECTORS],
        "quantities": [
            {"quantity": q, "unit": CORE.get(q, ("MW",))[0], **named(q), "floor": p.floors.get(q)} for q in p.quantities
        ],
        "measures": [
            {
                **{"measure": m, **named(m), "sector": SECTORS[p.sector[i]], "unit": "unit"},
                **{"capex": float(p.capex[i, 0]), "fixed_om": float(p.fixed_om[i]), "lifetime": int(p.lifetime[i])},
                **{"lead_time": int(p.lead[i]), "ramp": float(p.ramp[i]), "first_year": years[int(p.first[i])]},
            }
            for i, m in enumerate(p.measures)
        ],
        "measure_costs": [
            {"measure": m, **point}
            for i, m in enumerate(p.measures)
            if p.capex[i, 0] != p.capex[i, -1]
            for point in renamed(dated(p.capex[i]), "capex")
        ],
        "effects": [
            {"measure": p.measures[m], "quantity": p.quantities[q], **point}
            for m, q, values in zip(p.effect_of, p.effect_on, p.effect, strict=True)
            for point in dated(values)
        ],
        "potentials": [
            {"measure": m, "city": c, **point}
            for i, m in enumerate(p.measures)
            for j, c in enumerate(p.cities)
            if present[i, j]
            for point in renamed(dated(p.potential[i, j]), "potential")
        ],
        "baseline": [
            {"quantity": q, "city": c, "sector": s, "year": BASE_YEAR + y, "value": float(p.baseline[i, j, k, y])}
            for i, q in enumerate(p.quantities)
            for k, s in enumerate(SECTORS)
            if p.baseline[i, :, k].any()
            for j, c in enumerate(p.cities)
            for y in (0, n // 2, n)
        ],
        "drivers": [{"driver": "gdp", "year": BASE_YEAR + i, "value": 1.05**i} for i in range(n + 1)],
        "conversions": [
            {
                **{"from_quantity": source, "to_quantity": target, "factor": factor, "to_sector": to},
                "allocation": "plants" if pooled else None,
            }
            for source, target, factor, to, pooled in ROUTES
        ],
        "allocations": [
            {"allocation": "plants", "city": c, "share": float(share)}
            for c, share in zip(p.cities, p.share, strict=True)
        ],
        "prices": [
            {"quantity": q, "component": "market", **point}
            for q, values in p.price.items()
            for point in renamed(dated(values), "price")
        ],
        "groups": list(_group_rows(p)),
        "funds": [{"fund": f, **named(f)} for f in FUNDS],
        "fund_rules": [
            {"fund": f, "sector": s, "max_share": float(p.max_share[i, k])}
            for i, f in enumerate(FUNDS)
            for k, s in enumerate(SECTORS)
        ],
        "targets": p.targets,
        "budgets": p.budgets,
    }
    return found


def _group_rows(p: Province) -> Iterable[dict[str, Any]]:
    for tie in p.ties:
        shared = tie.kind == "shared"
        head: dict[str, Any] = {"group": tie.id, "kind": tie.kind, "scope": "province" if tie.province else "city"}
        if not shared:
            head["free"] = tie.bound
        heads = [head]
        if isinstance(tie.bound, np.ndarray):
            caps = zip(p.cities, tie.bound.tolist(), strict=True)
            heads = [{**head, "group": f"{tie.id}_{city}", "city": city, "cap": cap} for city, cap in caps]
        for head in heads:
            for m in tie.uses:
                role = "member" if shared else "dependent"
                yield {**head, "measure": p.measures[m], "role": role, "weight": tie.weight}
            for m in tie.provides:
                yield {**head, "measure": p.measures[m], "role": "provider", "ratio": 1.0}
    for k, (first, second, q) in enumerate(p.pairs):
        for c in np.flatnonzero(p.loss[k]):
            head = {"group": f"overlap_{k:02d}_{p.cities[c]}", "kind": "overlap", "city": p.cities[c]}
            for m in (first, second):
                yield {**head, "measure": p.measures[m], "quantity": p.quantities[q], "loss": float(p.loss[k, c])}


def write(p: Province, folder: Path) -> Path:
    """Write the province as a case; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        **{"name": p.name, "title": {"zh": p.name, "en": p.name}, "base_year": BASE_YEAR},
        **{"first_year": p.years[0], "last_year": p.years[-1], "discount_rate": p.rate, "currency": "CNY"},
    }
    (folder / "case.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), "utf-8")
    for name, rows in tables(p).items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return folder


def case(p: Province) -> Case:
    """The province as the loader reads it."""
    with tempfile.TemporaryDirectory() as folder:
        return read_case(write(p, Path(folder)))


if __name__ == "__main__":
    print(write(province(sys.argv[1]), Path(sys.argv[2])))
