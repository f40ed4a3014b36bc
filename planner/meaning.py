"""What rows of different tables mean together, and what cannot be meant. Each check names the tables it needs whole."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from planner.cells import closest
from planner.errors import Issue, Place, error, warning
from planner.rows import (
    BUDGET_COLUMNS,
    COMPONENTS,
    GROUP_COLUMNS,
    MONEY,
    PERSPECTIVES,
    PROVINCE,
    Baseline,
    Budget,
    Effect,
    Existing,
    Group,
    Measure,
    MeasureCost,
    Row,
    Target,
    is_money,
)
from planner.tableset import Tables
from planner.timing import in_service, path, span
from planner.units import UnitError, factor

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


def _amount(number: float) -> str:
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
                yield error("unit_mismatch", row.at, "unit", found=row.unit, **names)


# ---------------------------------------------------------------- measures


def _potentials(tables: Tables) -> dict[tuple[str, str], Points]:
    points: dict[tuple[str, str], Points] = defaultdict(dict)
    for row in tables.potentials:
        points[row.measure, row.city][row.year] = row.potential
    return points


def _largest(points: Points, years: Sequence[int]) -> float:
    return float(path(points, years).max())


def _possible_starts(measure: Measure, tables: Tables) -> list[int]:
    first = measure.first_year or tables.settings.first_year
    return [y for y in tables.decided if y >= first and y + measure.lead_time <= tables.settings.last_year]


def _pays(tables: Tables) -> set[str]:
    """Measures that ever cost capital."""
    rows: list[Measure | MeasureCost | Existing] = [*tables.measures, *tables.measure_costs, *tables.existing]
    return {row.measure for row in rows if row.capex}


@needs("case", "measures", "potentials")
def measures_can_be_built(tables: Tables) -> Iterator[Issue]:
    """Every measure has a potential, and time to serve."""
    largest: dict[str, float] = {}
    for (measure, _), points in _potentials(tables).items():
        largest[measure] = max(largest.get(measure, 0.0), *points.values())
    for row in tables.measures:
        if row.measure not in largest:
            yield error("no_potential", row.at, "measure", found=row.measure)
        elif not largest[row.measure]:
            yield warning("zero_potential", row.at, "measure", found=row.measure)
        elif row.lump and row.lump > largest[row.measure]:
            most = _amount(largest[row.measure])
            yield warning("lump_above_potential", row.at, "lump", found=row.lump, expected=most)
        if tables.decided and not _possible_starts(row, tables):
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
    potentials = _potentials(tables)
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
            expected = _amount(float(units[worst] - excess[worst]))
            names = {"measure": key[0], "city": key[1], "year": tables.decided[worst], "expected": expected}
            yield error("potential_below_existing", rows[key].at, "units", found=_amount(float(units[worst])), **names)


# ---------------------------------------------------------------- quantities


def _series(tables: Tables) -> dict[tuple[str, str | None, str], Points]:
    """Baseline points in the unit of the quantity, by quantity, city, sector."""
    units = {row.quantity: row.unit for row in tables.quantities}
    series: dict[tuple[str, str | None, str], Points] = defaultdict(dict)
    for row in tables.baseline:
        unit = units[row.quantity]
        scale = 1.0 if row.unit in (None, unit) else _factor_or_one(str(row.unit), unit)
        series[row.quantity, row.city, row.sector][row.year] = row.value * scale
    return series


def _factor_or_one(from_unit: str, to_unit: str) -> float:
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


@needs("case", "baseline", "effects", "measures", "potentials", "quantities")
def effects_fit_the_baseline(tables: Tables) -> Iterator[Issue]:
    """One measure alone cannot cut more than there is; said with numbers, for the province in the last year."""
    last = [tables.settings.last_year]
    units = {row.quantity: row.unit for row in tables.quantities}
    level: dict[tuple[str, str], float] = defaultdict(float)
    for (quantity, _, sector), points in _series(tables).items():
        level[quantity, sector] += float(path(points, last)[0])
    sectors = {row.measure: row.sector for row in tables.measures}
    first: dict[tuple[str, str], Row] = {}
    effects: dict[tuple[str, str, str | None], Points] = defaultdict(dict)
    for row in tables.effects:
        scale = 1.0 if row.unit is None else _factor_or_one(row.unit, units[row.quantity])
        effects[row.measure, row.quantity, row.city][row.year] = row.value * scale
        first.setdefault((row.measure, row.quantity), row)
    cut: dict[tuple[str, str], float] = defaultdict(float)
    by_measure: dict[str, list[str]] = defaultdict(list)
    for measure, quantity in first:
        by_measure[measure].append(quantity)
    for (measure, city), points in _potentials(tables).items():
        most = float(path(points, last)[0])
        for quantity in by_measure[measure]:
            points_of = effects.get((measure, quantity, city)) or effects.get((measure, quantity, None))
            if points_of:
                cut[measure, quantity] -= most * float(path(points_of, last)[0])
    for (measure, quantity), amount in cut.items():
        there = level.get((quantity, sectors[measure]))
        # Sinks and other quantities below zero, or changes only, have nothing that a cut could be larger than.
        if there is not None and there > 0 and amount > there * (1 + ROUNDING):
            names = {"measure": measure, "quantity": quantity, "sector": sectors[measure], "unit": units[quantity]}
            numbers = {"found": _amount(amount), "expected": _amount(there), "year": last[0]}
            yield warning("effect_above_baseline", first[measure, quantity].at, "value", **numbers, **names)


@needs("case", "baseline", "quantities")
def floors_lie_below_the_baseline(tables: Tables) -> Iterator[Issue]:
    """A floor above the baseline asks for more of the quantity than there is."""
    series = _series(tables)
    for quantity in tables.quantities:
        if quantity.floor is None:
            continue
        sums: dict[str | None, Any] = defaultdict(lambda: np.zeros(len(tables.years)))
        for (name, city, _), points in series.items():
            if name == quantity.quantity:
                sums[None if quantity.floor_scope == PROVINCE else city] += path(points, tables.years)
        least = min((float(levels.min()) for levels in sums.values()), default=0.0)
        if least < quantity.floor:
            names = {"quantity": quantity.quantity, "expected": _amount(least)}
            yield warning("floor_above_baseline", quantity.at, "floor", found=quantity.floor, **names)


# ---------------------------------------------------------------- conversions


def _cycle(edges: Mapping[str, Collection[str]]) -> list[str]:
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
    if members := _cycle(edges):
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
                    names = {"measure": measure, "source": source, "quantity": target, "expected": _amount(carried)}
                    yield warning("carried_twice", at.at, "value", found=_amount(there), **names)


# ---------------------------------------------------------------- groups


@needs("groups")
def groups_are_whole(tables: Tables) -> Iterator[Issue]:
    """Group-level columns agree, roles are there, and overlaps have two members."""
    groups: dict[str, list[Group]] = defaultdict(list)
    for row in tables.groups:
        groups[row.group].append(row)
    for name, rows in groups.items():
        disagree = list(_disagreements(rows, GROUP_COLUMNS, per_year=("cap", "free", "loss")))
        yield from (error("group_disagrees", at, column, group=name, **both) for at, column, both in disagree)
        if disagree:
            continue
        kind, at = rows[0].kind, rows[0].at
        members = list(dict.fromkeys(row.measure for row in rows))
        roles = {row.role for row in rows}
        if kind == "overlap" and len(members) != 2:
            yield error("overlap_members", at, "group", found=len(members), group=name, members=", ".join(members))
        if kind == "shared" and len(members) == 1 and rows[0].cap is None:
            yield error("shared_alone", at, "group", found=members[0], group=name)
        if kind == "requires" and "dependent" not in roles:
            yield error("requires_without_dependent", at, "role", group=name)
        for measure in members:
            if len({row.role for row in rows if row.measure == measure}) > 1:
                yield error("both_roles", at, "role", found=measure, group=name)


def _disagreements(
    rows: Sequence[Group] | Sequence[Budget], shared: Sequence[str], per_year: Sequence[str]
) -> Iterator[tuple[Place, str, dict[str, object]]]:
    """Columns that should repeat on all rows of a group, but differ; `per_year` columns within one year only."""
    for column in shared:
        first: dict[int | None, Row] = {}
        for row in rows:
            other = first.setdefault(row.year if column in per_year else None, row)
            found, expected = getattr(row, column), getattr(other, column)
            if found != expected:
                both: dict[str, object] = {
                    "found": _written(found),
                    "expected": _written(expected),
                    "other": other.at.row or "",
                }
                yield row.at, column, both
                break


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ";".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _amount(value) if isinstance(value, float) else str(value)


@needs("groups")
def prerequisites_are_not_circular(tables: Tables) -> Iterator[Issue]:
    """Measures that wait for each other."""
    edges: dict[str, set[str]] = defaultdict(set)
    groups: dict[str, list[Group]] = defaultdict(list)
    for row in tables.groups:
        if row.kind == "requires":
            groups[row.group].append(row)
    for rows in groups.values():
        for dependent in rows:
            if dependent.role == "dependent":
                edges[dependent.measure] |= {row.measure for row in rows if row.role == "provider"}
    members = _cycle({name: others - {name} for name, others in edges.items()})
    if members:
        at = next(row.at for row in tables.groups if row.kind == "requires" and row.measure in members)
        yield error("circular_prerequisites", at, "measure", found=" → ".join(members[::-1]))


# ---------------------------------------------------------------- money


@needs("funds", "fund_rules", "measures", "measure_costs", "existing", "sectors")
def funds_can_pay(tables: Tables) -> Iterator[Issue]:
    """Whatever costs capital can be paid in full, and every fund may be used."""
    if not tables.funds:
        return
    sectors = {row.measure: row.sector for row in tables.measures}
    of_sector: dict[str, dict[str, float]] = defaultdict(dict)
    of_measure: dict[str, dict[str, float]] = defaultdict(dict)
    for rule in tables.fund_rules:
        if rule.measure is None:
            of_sector[rule.sector][rule.fund] = rule.max_share
        else:
            of_measure[rule.measure][rule.fund] = rule.max_share
            if rule.sector != sectors[rule.measure]:
                names = {"measure": rule.measure, "expected": sectors[rule.measure]}
                yield error("rule_sector", rule.at, "sector", found=rule.sector, **names)
    pays = _pays(tables)
    pools = {sectors[measure] for measure in pays if measure not in of_measure}
    at = Place("fund_rules.csv")
    for sector in (row.sector for row in tables.sectors if row.sector in pools):
        total = sum(of_sector[sector].values())
        if total < 1 - ROUNDING:
            yield error("shares_of_sector", at, "max_share", found=f"{total:.6g}", sector=sector)
    for measure, rules in of_measure.items():
        total = sum({**of_sector[sectors[measure]], **rules}.values())
        if measure in pays and total < 1 - ROUNDING:
            yield error("shares_of_measure", at, "max_share", found=f"{total:.6g}", measure=measure)
    useful = {rule.fund for rule in tables.fund_rules if rule.max_share} | {row.fund for row in tables.existing}
    for fund in tables.funds:
        if fund.fund not in useful:
            yield error("fund_unused", fund.at, "fund", found=fund.fund)


@needs("case", "budgets")
def budgets_agree(tables: Tables) -> Iterator[Issue]:
    """Yearly rows of a budget repeat its columns, and its years are in order."""
    budgets: dict[str, list[Budget]] = defaultdict(list)
    for row in tables.budgets:
        budgets[row.budget].append(row)
    for name, rows in budgets.items():
        for at, column, both in _disagreements(rows, BUDGET_COLUMNS, per_year=()):
            yield error("budget_disagrees", at, column, budget=name, **both)
    for row in tables.budgets:
        yield from _years_in_plan(row.at, row.first_year, row.last_year, tables)


# ---------------------------------------------------------------- targets and pins


def _years_in_plan(at: Place, first: int | None, last: int | None, tables: Tables) -> Iterator[Issue]:
    s = tables.settings
    for column, year in (("first_year", first), ("last_year", last)):
        if year is not None and not s.first_year <= year <= s.last_year:
            yield error("year_outside", at, column, found=year, first=s.first_year, last=s.last_year)
    if first is not None and last is not None and first > last:
        yield error("years_reversed", at, "last_year", found=last, expected=first)


@needs("case", "targets")
def targets_lie_in_the_plan(tables: Tables) -> Iterator[Issue]:
    """Years of targets exist, and a peak says something."""
    last = tables.settings.last_year
    for row in tables.targets:
        yield from _years_in_plan(row.at, row.first_year, row.last_year, tables)
        if row.kind != "peak" or row.by is None:
            continue
        if row.by > last or row.by < tables.settings.base_year:
            first = tables.settings.base_year
            yield error("year_outside", row.at, "by", found=row.by, first=first, last=last)
        elif row.by == last:
            yield warning("peak_at_last_year", row.at, "by", found=row.by)
        if row.value is None:
            yield warning("peak_without_value", row.at, "value", found="", target=row.target)


REFERRED = ("baseline", "quantities", "drivers", "existing", "effects", "conversions", "cities", "city_groups")
"""Tables that targets refer to."""


@needs("case", "targets", *REFERRED)
def targets_have_something_to_refer_to(tables: Tables) -> Iterator[Issue]:
    """Base years are there, and nothing is divided by zero."""
    base = tables.settings.base_year
    series = _series(tables)
    moved = {row.quantity for row in tables.effects} | {row.to_quantity for row in tables.conversions}
    held = {quantity for quantity, _, _ in series}
    drivers: dict[str, dict[str | None, Points]] = defaultdict(dict)
    for driver in tables.drivers:
        drivers[driver.driver].setdefault(driver.city, {})[driver.year] = driver.value
    for row in tables.targets:
        if is_money(row.quantity):
            continue
        if row.quantity not in moved:
            yield warning("nothing_moves", row.at, "quantity", found=row.quantity, target=row.target)
        mine = _in_scope(row, series, tables)
        if row.kind in ("change", "intensity"):
            missing = max((min(_dated(points) or [base]) for points in mine.values()), default=None)
            at_base = sum(float(path(points, [base])[0]) for points in mine.values())
            if missing is not None and missing > base:
                yield error("base_year_absent", row.at, "quantity", found=row.quantity, base=base, first=missing)
            elif not at_base and not any(old.year <= base for old in tables.existing):
                yield error("zero_base", row.at, "quantity", found=row.quantity, base=base, scope=row.scope)
        if row.kind == "intensity":
            paths = drivers[str(row.of)]
            points = paths.get(row.scope) or paths.get(None)
            if points is None:
                yield error("driver_of_scope", row.at, "of", found=row.of, scope=row.scope)
            elif min(_dated(points) or [base]) > base:
                yield error("base_year_absent", row.at, "of", found=row.of, base=base, first=min(_dated(points)))
        if row.kind == "share" and row.of not in held and row.of not in moved:
            yield error("zero_whole", row.at, "of", found=row.of, target=row.target)


def _dated(points: Points) -> list[int]:
    return [year for year in points if year is not None]


def _in_scope(
    row: Target, series: Mapping[tuple[str, str | None, str], Points], tables: Tables
) -> dict[tuple[str, str | None, str], Points]:
    cities: set[str | None] = set(tables.scope_cities(row.scope))
    if row.scope == PROVINCE:
        cities.add(None)
    return {
        key: points
        for key, points in series.items()
        if key[0] == row.quantity and key[1] in cities and (not row.sectors or key[2] in row.sectors)
    }


@needs("case", "targets")
def targets_do_not_contradict(tables: Tables) -> Iterator[Issue]:
    """Two hard targets on the same thing that no plan can keep."""
    same: dict[tuple[object, ...], list[Target]] = defaultdict(list)
    for row in tables.targets:
        if row.soft_penalty is None and row.kind in ("level", "change", "share", "intensity", "cumulative"):
            term = (row.first_year, row.last_year) if row.kind == "cumulative" else ()
            same[row.kind, row.quantity, row.of, row.scope, frozenset(row.sectors), term].append(row)
    for rows in same.values():
        for a, b in combinations(rows, 2):
            if a.sense == b.sense or a.value is None or b.value is None:
                continue
            least, most = (a, b) if a.sense == ">=" else (b, a)
            years = set(span(a.first_year, a.last_year, tables.decided)) & set(
                span(b.first_year, b.last_year, tables.decided)
            )
            if years and (least.value or 0) > (most.value or 0):
                names = {"found": least.target, "other": most.target, "row2": a.at.row or "", "year": min(years)}
                yield error("targets_contradict", b.at, "value", **names, least=least.value, most=most.value)


@needs("case", "pins", "measures", "potentials", "cities")
def pins_can_be_held(tables: Tables) -> Iterator[Issue]:
    """A pin lies in the plan; a least amount above what a year can hold is named."""
    potentials = _potentials(tables)
    measures = {row.measure: row for row in tables.measures}
    for pin in tables.pins:
        yield from _years_in_plan(pin.at, pin.first_year, pin.last_year, tables)
        cities = [pin.city] if pin.city else [c for c in tables.city_ids if (pin.measure, c) in potentials]
        if pin.city and (pin.measure, pin.city) not in potentials:
            yield error("pin_without_potential", pin.at, "city", found=pin.city, measure=pin.measure)
            continue
        if not pin.min:
            continue
        measure = measures[pin.measure]
        starts = set(_possible_starts(measure, tables))
        for year in span(pin.first_year, pin.last_year, tables.decided):
            if pin.on == "stock":
                most = sum(float(path(potentials[pin.measure, c], [year])[0]) for c in cities)
            elif year not in starts:
                most = 0.0
            else:
                last = [tables.settings.last_year]
                limits = (measure.ramp * float(path(potentials[pin.measure, c], last)[0]) for c in cities)
                most = sum(max(limit, measure.lump or 0.0) for limit in limits)
            if pin.min > most * (1 + ROUNDING):
                names = {"expected": _amount(most), "year": year, "measure": pin.measure}
                yield warning("pin_above_possible", pin.at, "min", found=pin.min, **names)
                break
