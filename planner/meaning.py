"""What rows of different tables mean together, and what cannot be meant. Each check names the tables it needs whole."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

import numpy as np

from planner.cells import closest
from planner.errors import Issue, error, warning
from planner.rows import (
    COMPONENTS,
    MONEY,
    PERSPECTIVES,
    PROVINCE,
    Baseline,
    Effect,
    Measure,
    Row,
)
from planner.tableset import Tables, remembered
from planner.timing import in_service, path, path_at
from planner.units import UnitError, factor, is_mass_and_energy

FACTS = (
    "measures",
    "measure_costs",
    "effects",
    "potentials",
    "existing",
    "baseline",
    "drivers",
    "conversions",
    "allocations",
    "prices",
    "targets",
)
"""Tables whose rows state facts, so that each should name a source."""
ROUNDING = 1e-9
SHARES = 1e-4
"""How far shares written with a few digits may add up beside 1 [-]."""
LONGEST = 100
"""Most years a plan may have."""

Points = dict[int | None, float]
Check = Callable[[Tables], Iterator[Issue]]
CHECKS: list[tuple[frozenset[str], Check]] = []


def needs(*tables: str) -> Callable[[Check], Check]:
    """Register a check that is made when none of these tables lost rows to faults; `case` stands for the settings."""

    def register(check: Check) -> Check:
        CHECKS.append((frozenset(tables), check))
        return check

    return register


def rounded(number: float) -> str:
    """A number for people."""
    return f"{number:.6g}"


# ---------------------------------------------------------------- settings


@needs("case")
def horizon_is_in_order(tables: Tables) -> Iterator[Issue]:
    """base_year < first_year <= last_year, and as_of leaves something to decide."""
    s = tables.settings
    if s.base_year >= s.first_year:
        yield error("base_not_before_first", s.at, "base_year", found=s.base_year, expected=s.first_year)
    if s.first_year > s.last_year:
        yield error("horizon_reversed", s.at, "last_year", found=s.last_year, expected=s.first_year)
    elif s.last_year - s.first_year >= LONGEST:
        yield error("horizon_too_long", s.at, "last_year", found=s.last_year - s.first_year + 1, expected=LONGEST)
    if s.as_of is not None and not s.base_year <= s.as_of < s.last_year:
        yield error("as_of_outside", s.at, "as_of", found=s.as_of, first=s.base_year, last=s.last_year - 1)


@needs("case")
def settings_name_what_exists(tables: Tables) -> Iterator[Issue]:
    """Perspective and title use known words."""
    s = tables.settings
    words = s.perspective
    for word in words:
        if word not in COMPONENTS and not (word in PERSPECTIVES and len(words) == 1):
            expected = ", ".join([*PERSPECTIVES, *COMPONENTS[1:]])
            hint = closest(word, [*PERSPECTIVES, *COMPONENTS])
            hint = "" if hint == word else hint
            yield error("unknown_perspective", s.at, "perspective", found=word, expected=expected, hint=hint)
    for lang in s.title:
        if lang not in ("zh", "en"):
            yield error("title_language", s.at, "title", found=lang)
    if not s.title:
        yield error("title_language", s.at, "title", found="")


@needs("case", "prices")
def counted_components_have_prices(tables: Tables) -> Iterator[Issue]:
    """A perspective that adds nothing for want of prices."""
    known = {row.component for row in tables.prices}
    for component in tables.settings.components:
        if component not in known and component != "market":
            yield warning("component_without_price", tables.settings.at, "perspective", found=component)


# ---------------------------------------------------------------- ids


@needs("cities", "city_groups", "quantities")
def ids_mean_one_thing(tables: Tables) -> Iterator[Issue]:
    """Scopes and quantities do not share names with reserved words or each other."""
    for city in tables.cities:
        if city.city == PROVINCE:
            yield error("reserved_id", city.at, "city", found=city.city)
    cities = set(tables.city_ids)
    for group in tables.city_groups:
        if group.group == PROVINCE:
            yield error("reserved_id", group.at, "group", found=group.group)
        elif group.group in cities:
            yield error("group_is_city", group.at, "group", found=group.group)
    for quantity in tables.quantities:
        if quantity.quantity in MONEY:
            yield error("reserved_id", quantity.at, "quantity", found=quantity.quantity)


# ---------------------------------------------------------------- units


@needs("effects", "baseline", "quantities")
def units_can_be_converted(tables: Tables) -> Iterator[Issue]:
    """A unit stated in a row converts into the unit of its quantity."""
    units = {row.quantity: row.unit for row in tables.quantities}
    rows: list[Effect | Baseline] = [*tables.effects, *tables.baseline]
    for row in rows:
        if row.unit is not None and row.unit != units[row.quantity]:
            try:
                factor(row.unit, units[row.quantity])
            except UnitError:
                names = {"quantity": row.quantity, "expected": units[row.quantity]}
                fuel = is_mass_and_energy(row.unit, units[row.quantity])
                yield error("mass_for_energy" if fuel else "unit_mismatch", row.at, "unit", found=row.unit, **names)


# ---------------------------------------------------------------- measures


@remembered("potentials")
def potential_points(tables: Tables) -> dict[tuple[str, str], Points]:
    """Potentials by measure and city."""
    points: dict[tuple[str, str], Points] = defaultdict(dict)
    for row in tables.potentials:
        points[row.measure, row.city][row.year] = row.potential
    return dict(points)


def possible_starts(measure: Measure, tables: Tables) -> list[int]:
    """Years in which a measure can be started and still serve within the plan."""
    first = measure.first_year or tables.settings.first_year
    return [y for y in tables.decided if y >= first and y + measure.lead_time <= tables.settings.last_year]


@needs("case", "measures", "potentials")
def measures_can_be_built(tables: Tables) -> Iterator[Issue]:
    """Every measure has a potential, and time to serve."""
    largest: dict[str, float] = {}
    for (measure, _), points in potential_points(tables).items():
        largest[measure] = max(largest.get(measure, 0.0), *points.values())
    for row in tables.measures:
        if row.measure not in largest:
            yield error("no_potential", row.at, "measure", found=row.measure)
        elif not largest[row.measure]:
            yield warning("zero_potential", row.at, "measure", found=row.measure)
        elif row.lump and row.lump > largest[row.measure]:
            most = rounded(largest[row.measure])
            yield warning("lump_above_potential", row.at, "lump", found=row.lump, expected=most)
        if tables.decided and not possible_starts(row, tables):
            last = tables.settings.last_year
            yield warning("never_in_service", row.at, "lead_time", found=row.lead_time, measure=row.measure, last=last)


@needs("measures", "effects", "groups")
def measures_do_something(tables: Tables) -> Iterator[Issue]:
    """A measure without effect and without group only costs money."""
    busy = {row.measure for row in tables.effects} | {row.measure for row in tables.groups}
    for row in tables.measures:
        if row.measure not in busy:
            yield warning("no_effect", row.at, "measure", found=row.measure)


@needs("measure_costs")
def cost_rows_say_something(tables: Tables) -> Iterator[Issue]:
    """A cost row gives a capital or a running cost."""
    for row in tables.measure_costs:
        if row.capex is None and row.fixed_om is None:
            yield error("cost_row_empty", row.at, "capex", found=row.measure)


@needs("case", "existing", "measures", "potentials", "funds")
def existing_stock_fits(tables: Tables) -> Iterator[Issue]:
    """Existing stock has a place, a time and a potential that holds it."""
    s = tables.settings
    potentials = potential_points(tables)
    lifetimes = {row.measure: row.lifetime for row in tables.measures}
    stock: dict[tuple[str, str], Any] = {}
    rows: dict[tuple[str, str], Row] = {}
    for row in tables.existing:
        key = (row.measure, row.city)
        if row.year > s.last_year:
            yield error("existing_after_last", row.at, "year", found=row.year, expected=s.last_year)
        if key not in potentials:
            yield error("existing_without_potential", row.at, "city", found=row.city, measure=row.measure)
            continue
        if row.year <= s.base_year and (row.capex is not None or row.fund is not None):
            yield warning("existing_money_unused", row.at, "year", found=row.year, expected=s.base_year)
        serving = in_service(row.year, 0, lifetimes[row.measure])
        stock[key] = stock.get(key, 0.0) + np.array([row.units * (y in serving) for y in tables.decided])
        rows.setdefault(key, row)
    for key, units in stock.items():
        if not tables.decided:
            continue
        excess = units - path(potentials[key], tables.decided)
        worst = int(excess.argmax())
        if excess[worst] > ROUNDING * max(1.0, float(units[worst])):
            expected = rounded(float(units[worst] - excess[worst]))
            names = {"measure": key[0], "city": key[1], "year": tables.decided[worst], "expected": expected}
            yield error("potential_below_existing", rows[key].at, "units", found=rounded(float(units[worst])), **names)


# ---------------------------------------------------------------- quantities


@remembered("baseline", "quantities")
def baseline_points(tables: Tables) -> dict[tuple[str, str | None, str], Points]:
    """Baseline points in the unit of the quantity, by quantity, city, sector."""
    units = {row.quantity: row.unit for row in tables.quantities}
    series: dict[tuple[str, str | None, str], Points] = defaultdict(dict)
    for row in tables.baseline:
        unit = units[row.quantity]
        scale = 1.0 if row.unit in (None, unit) else factor_or_one(str(row.unit), unit)
        series[row.quantity, row.city, row.sector][row.year] = row.value * scale
    return dict(series)


def factor_or_one(from_unit: str, to_unit: str) -> float:
    """What one `from_unit` is in `to_unit`, 1 where they cannot be converted [-]."""
    try:
        return factor(from_unit, to_unit)
    except UnitError:  # reported where units are checked
        return 1.0


@needs("baseline")
def baseline_is_held_once(tables: Tables) -> Iterator[Issue]:
    """A quantity with city rows and rows of no city in one sector and year may be counted twice."""
    held: dict[tuple[str, str], set[int | None]] = defaultdict(set)
    for row in tables.baseline:
        if row.city is not None:
            held[row.quantity, row.sector].add(row.year)
    told = set()
    for row in tables.baseline:
        key = (row.quantity, row.sector)
        if row.city is None and row.year in held[key] and key not in told:
            told.add(key)
            names = {"sector": row.sector, "year": row.year}
            yield warning("baseline_city_and_province", row.at, "city", found=row.quantity, **names)


@remembered("settings", "baseline", "quantities")
def last_levels(tables: Tables) -> dict[tuple[str, str], float]:
    """Baseline of the last year by quantity and sector."""
    level: dict[tuple[str, str], float] = defaultdict(float)
    for (quantity, _, sector), points in baseline_points(tables).items():
        level[quantity, sector] += path_at(points, tables.settings.last_year)
    return dict(level)


@remembered("settings", "effects", "potentials", "quantities")
def largest_cuts(tables: Tables) -> dict[tuple[str, str], float]:
    """What each measure cuts of each quantity in the last year where it stands at its potential."""
    last = tables.settings.last_year
    units = {row.quantity: row.unit for row in tables.quantities}
    effects: dict[tuple[str, str, str | None], Points] = defaultdict(dict)
    by_measure: dict[str, dict[str, None]] = defaultdict(dict)
    for row in tables.effects:
        scale = 1.0 if row.unit is None else factor_or_one(row.unit, units[row.quantity])
        effects[row.measure, row.quantity, row.city][row.year] = row.value * scale
        by_measure[row.measure][row.quantity] = None
    cut: dict[tuple[str, str], float] = defaultdict(float)
    for (measure, city), points in potential_points(tables).items():
        most = path_at(points, last)
        for quantity in by_measure[measure]:
            points_of = effects.get((measure, quantity, city)) or effects.get((measure, quantity, None))
            if points_of:
                cut[measure, quantity] -= most * path_at(points_of, last)
    return dict(cut)


@needs("case", "baseline", "effects", "measures", "potentials", "quantities")
def effects_fit_the_baseline(tables: Tables) -> Iterator[Issue]:
    """One measure alone cannot cut more than there is; said with numbers, for the province in the last year."""
    level, last = last_levels(tables), tables.settings.last_year
    units = {row.quantity: row.unit for row in tables.quantities}
    sectors = {row.measure: row.sector for row in tables.measures}
    first: dict[tuple[str, str], Row] = {}
    for row in tables.effects:
        first.setdefault((row.measure, row.quantity), row)
    for (measure, quantity), amount in largest_cuts(tables).items():
        there = level.get((quantity, sectors[measure]))
        # Sinks and other quantities below zero, or changes only, have nothing that a cut could be larger than.
        if there is not None and there > 0 and amount > there * (1 + ROUNDING):
            names = {"measure": measure, "quantity": quantity, "sector": sectors[measure], "unit": units[quantity]}
            numbers = {"found": rounded(amount), "expected": rounded(there), "year": last}
            yield warning("effect_above_baseline", first[measure, quantity].at, "value", **numbers, **names)


@needs("case", "baseline", "quantities")
def floors_lie_below_the_baseline(tables: Tables) -> Iterator[Issue]:
    """A floor above the baseline asks for more of the quantity than there is."""
    series = baseline_points(tables)
    for quantity in tables.quantities:
        if quantity.floor is None:
            continue
        sums: dict[str | None, Any] = defaultdict(lambda: np.zeros(len(tables.years)))
        for (name, city, _), points in series.items():
            if name == quantity.quantity:
                sums[None if quantity.floor_scope == PROVINCE else city] += path(points, tables.years)
        least = min((float(levels.min()) for levels in sums.values()), default=0.0)
        if least < quantity.floor:
            names = {"quantity": quantity.quantity, "expected": rounded(least)}
            yield warning("floor_above_baseline", quantity.at, "floor", found=quantity.floor, **names)


# ---------------------------------------------------------------- conversions


def cycle(edges: Mapping[str, Collection[str]]) -> list[str]:
    """Members of one cycle, first = last; empty when there is none."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as fault:
        members: list[str] = fault.args[1]
        return members[::-1]
    return []


@needs("conversions")
def conversions_form_no_cycle(tables: Tables) -> Iterator[Issue]:
    """A change that would drive itself has no end."""
    edges: dict[str, set[str]] = defaultdict(set)
    for row in tables.conversions:
        edges[row.to_quantity].add(row.from_quantity)
    if members := cycle(edges):
        pairs = set(pairwise(members))
        pairs |= {(b, a) for a, b in pairs}
        at = next(row.at for row in tables.conversions if (row.from_quantity, row.to_quantity) in pairs)
        yield error("conversion_cycle", at, "to_quantity", found=" → ".join(members))


@needs("allocations")
def allocations_add_up(tables: Tables) -> Iterator[Issue]:
    """The shares of an allocation key add up to 1."""
    sums: dict[str, float] = defaultdict(float)
    first: dict[str, Row] = {}
    for row in tables.allocations:
        sums[row.allocation] += row.share
        first.setdefault(row.allocation, row)
    for key, total in sums.items():
        if abs(total - 1) > SHARES:
            yield error("allocation_sum", first[key].at, "share", found=f"{total:.6f}", allocation=key)


@needs("conversions", "effects")
def effects_are_not_carried_twice(tables: Tables) -> Iterator[Issue]:
    """A direct effect of the size that a conversion brings anyway."""
    factors: dict[tuple[str, str], float] = {}
    for row in tables.conversions:
        factors.setdefault((row.from_quantity, row.to_quantity), row.factor)
    effects: dict[str, dict[str, tuple[float, Row]]] = defaultdict(dict)
    for effect in tables.effects:
        effects[effect.measure].setdefault(effect.quantity, (effect.value, effect))
    for measure, direct in effects.items():
        for (source, target), ratio in factors.items():
            if source in direct and target in direct:
                carried, (there, at) = ratio * direct[source][0], direct[target]
                if there and abs(carried - there) <= 0.02 * abs(there):
                    names = {"measure": measure, "source": source, "quantity": target, "expected": rounded(carried)}
                    yield warning("carried_twice", at.at, "value", found=rounded(there), **names)
