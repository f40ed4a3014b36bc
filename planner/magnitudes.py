"""Numbers that look as if they were meant in another unit: said, never changed. Every check here warns, but for units
and currencies that cannot be meant."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median

from planner.errors import Issue, Place, error, warning
from planner.meaning import baseline_points, factor_or_one, needs, potential_points, rounded
from planner.rows import Baseline, Effect, Existing, Measure, MeasureCost, Quantity, Row
from planner.tableset import Tables
from planner.units import full_year

NEIGHBOURS = 1000.0
"""Capital costs per same unit, and potentials of one measure, differ less than this from their middle [-]."""
SAME = 100.0
"""Costs of one measure, and effects of one measure in several cities, differ less than this [-]."""
STEP = 300.0
"""No path grows or shrinks as much between two of its years [-]."""
SMALLEST_UPKEEP, LARGEST_UPKEEP = 1e-5, 100.0
"""Running cost of a year as a part of the capital cost [-]."""
LARGEST_VALUE = 100.0
"""Worth of a year's effect as a part of the capital cost [-]."""
SMALLEST_BUDGET, LARGEST_BUDGET = 1e-6, 300.0
"""Limit of a budget as a part of the capital cost of everything that can be built [-]."""
SMALLEST_EFFECT = 1e-9
"""Effect of all of a measure as a part of its quantity: less is lost in the arithmetic [-]."""
FARTHEST = 1e10
"""No two units that stand for each other are further apart: milliwatts for gigawatts are [-]."""
SCALED = ("万", "亿", "千元", "百万", "thousand", "million", "billion")
"""Words that a plain currency does not hold."""
PRICE_YEAR = "x_price_year"
"""Own column that says of which year the prices of a row are."""
MONEY_TABLES = ("measures", "measure_costs", "existing", "prices", "budgets")


def apart(a: float, b: float) -> float:
    """How many times the larger of two amounts is the smaller; 1 where either is zero or their signs differ.

    >>> apart(2.0, 6.0), apart(-6.0, -2.0), apart(0.0, 5.0)
    (3.0, 3.0, 1.0)
    """
    return max(a / b, b / a) if a * b > 0 else 1.0


# ---------------------------------------------------------------- money


@needs("case")
def currency_is_plain(tables: Tables) -> Iterator[Issue]:
    """Money is counted in the currency itself."""
    s = tables.settings
    if any(word in s.currency.casefold() for word in SCALED):
        yield error("currency_scaled", s.at, "currency", found=s.currency)


@needs("measures")
def capital_costs_are_alike(tables: Tables) -> Iterator[Issue]:
    """Measures counted in the same unit cost amounts of the same size, and their upkeep is a part of it."""
    by_unit: dict[str, list[Measure]] = defaultdict(list)
    for row in tables.measures:
        if row.capex:
            by_unit[row.unit].append(row)
    for unit, rows in by_unit.items():
        for row in rows:
            middle = median([other.capex for other in rows if other is not row] or [row.capex])
            part = abs(row.fixed_om) / row.capex
            if apart(row.capex, middle) > NEIGHBOURS and (len(rows) > 2 or row.capex < middle):
                names = {"measure": row.measure, "unit": unit, "expected": rounded(middle)}
                yield warning("capex_out_of_line", row.at, "capex", found=rounded(row.capex), **names)
            elif row.fixed_om and not SMALLEST_UPKEEP <= part <= LARGEST_UPKEEP:
                names = {"measure": row.measure, "part": rounded(part), "expected": rounded(row.capex)}
                yield warning("upkeep_out_of_line", row.at, "fixed_om", found=rounded(row.fixed_om), **names)


@needs("measures", "measure_costs", "existing")
def costs_of_a_measure_are_alike(tables: Tables) -> Iterator[Issue]:
    """Costs by year and of existing stock are of the size that `measures` states."""
    measures = {row.measure: row for row in tables.measures}
    rows: list[MeasureCost | Existing] = [*tables.measure_costs, *tables.existing]
    for row in rows:
        for column in ("capex", "fixed_om"):
            cost, usual = getattr(row, column, None), getattr(measures[row.measure], column)
            if cost is not None and apart(cost, usual) > SAME:
                names = {"measure": row.measure, "expected": rounded(usual)}
                yield warning("cost_out_of_line", row.at, column, found=rounded(cost), **names)


@needs("measures", "potentials", "budgets")
def budgets_are_of_the_size_of_the_costs(tables: Tables) -> Iterator[Issue]:
    """A limit that pays for next to nothing, or for everything many times over."""
    costs = {row.measure: row.capex for row in tables.measures}
    total = sum(costs[measure] * max(points.values()) for (measure, _), points in potential_points(tables).items())
    for row in tables.budgets:
        part = row.limit / total if total else 0.0
        if row.limit and total and not SMALLEST_BUDGET <= part <= LARGEST_BUDGET:
            names = {"budget": row.budget, "expected": rounded(total)}
            yield warning("budget_out_of_line", row.at, "limit", found=rounded(row.limit), **names)


@needs("prices", "effects", "measures", "quantities")
def prices_are_of_the_size_of_the_costs(tables: Tables) -> Iterator[Issue]:
    """No measure earns its capital cost many times a year; told for each price, by the measure it is worst for."""
    costs = {row.measure: row.capex for row in tables.measures if row.capex}
    most: dict[str, tuple[float, str]] = {}
    for (measure, quantity), (effect, _) in _largest_effects(tables).items():
        if measure in costs:
            most[quantity] = max(most.get(quantity, (0.0, "")), (effect / costs[measure], measure))
    for row in tables.prices:
        part, measure = most.get(row.quantity, (0.0, ""))
        if part * abs(row.price) > LARGEST_VALUE:
            names = {"quantity": row.quantity, "measure": measure, "part": rounded(part * abs(row.price))}
            yield warning("price_out_of_line", row.at, "price", found=rounded(row.price), **names)


def _largest_effects(tables: Tables) -> dict[tuple[str, str], tuple[float, Row]]:
    """Largest effect of one unit by measure and quantity, and its row [unit of the quantity]."""
    units = {row.quantity: row.unit for row in tables.quantities}
    largest: dict[tuple[str, str], tuple[float, Row]] = {}
    for row in tables.effects:
        times = 1.0 if row.unit is None else factor_or_one(row.unit, units[row.quantity])
        key, effect = (row.measure, row.quantity), abs(row.value) * times
        if effect > largest.get(key, (0.0, row))[0]:
            largest[key] = (effect, row)
    return largest


@needs("case", *MONEY_TABLES)
def prices_are_of_one_year(tables: Tables) -> Iterator[Issue]:
    """Money whose own column says another price year than the base year."""
    base = str(tables.settings.base_year)
    for table in MONEY_TABLES:
        strange = [row for row in tables.rows(table) if row.extra.get(PRICE_YEAR, base).strip() not in (base, "")]
        if strange:
            found = ", ".join(dict.fromkeys(row.extra[PRICE_YEAR] for row in strange))
            yield warning("price_year", strange[0].at, PRICE_YEAR, found=found, expected=base, number=len(strange))


# ---------------------------------------------------------------- paths


def _steps(rows: Iterable[Row], keys: Sequence[str], column: str) -> Iterator[Issue]:
    """Jumps between neighbouring years of one path."""
    paths: dict[Hashable, list[tuple[int, float, Row]]] = defaultdict(list)
    for row in rows:
        values = row.__dict__
        if values["year"] is not None and values[column] is not None:
            paths[tuple([values[key] for key in keys])].append((values["year"], values[column], row))
    for points in paths.values():
        points.sort(key=lambda point: point[0])
        for (year, before, _), (_, after, row) in pairwise(points):
            if apart(before, after) > STEP:
                names = {"expected": rounded(before), "year": year, "times": rounded(apart(before, after))}
                yield warning("step_out_of_line", row.at, column, found=rounded(after), **names)
                break  # the way back is no second fault


@needs("baseline")
def baseline_has_no_jumps(tables: Tables) -> Iterator[Issue]:
    """A year typed in another unit stands out from its path."""
    yield from _steps((row for row in tables.baseline if row.unit is None), ("quantity", "city", "sector"), "value")


@needs("prices")
def prices_have_no_jumps(tables: Tables) -> Iterator[Issue]:
    """A year typed in another unit stands out from its path."""
    yield from _steps(tables.prices, ("quantity", "component"), "price")


@needs("drivers")
def drivers_have_no_jumps(tables: Tables) -> Iterator[Issue]:
    """A year typed in another unit stands out from its path."""
    yield from _steps(tables.drivers, ("driver", "city"), "value")


@needs("potentials")
def potentials_have_no_jumps(tables: Tables) -> Iterator[Issue]:
    """A year or a city typed in another unit stands out."""
    yield from _steps(tables.potentials, ("measure", "city"), "potential")
    rows = [(row.measure, row.city, row.potential, row) for row in tables.potentials]
    yield from _cities(rows, "potential", NEIGHBOURS)


@needs("budgets")
def budgets_have_no_jumps(tables: Tables) -> Iterator[Issue]:
    """A year typed in another unit stands out from its path."""
    yield from _steps(tables.budgets, ("budget",), "limit")


@needs("effects")
def effects_have_no_jumps(tables: Tables) -> Iterator[Issue]:
    """A year or a city typed in another unit stands out."""
    plain = [row for row in tables.effects if row.unit is None]
    yield from _steps(plain, ("measure", "quantity", "city"), "value")
    units: dict[tuple[str, str, str | None], list[tuple[Hashable, str | None, float, Row]]] = defaultdict(list)
    for row in tables.effects:
        units[row.measure, row.quantity, row.unit].append(((), row.city, row.value, row))
    for rows in units.values():
        yield from _cities(rows, "value", SAME)


def _cities(rows: Sequence[tuple[Hashable, str | None, float, Row]], column: str, most: float) -> Iterator[Issue]:
    """Amounts of one city far from the middle of the others, which must be at least two."""
    groups: dict[Hashable, list[tuple[str | None, float, Row]]] = defaultdict(list)
    for key, city, amount, row in rows:
        if amount:
            groups[key].append((city, amount, row))
    for group in groups.values():
        if len({city for city, _, _ in group}) < 3:
            continue
        middle = median([amount for _, amount, _ in group])
        for city, amount, row in group:
            if apart(amount, middle) > most:
                names = {"city": city or "", "expected": rounded(middle)}
                yield warning("city_out_of_line", row.at, column, found=rounded(amount), **names)
                break


# ---------------------------------------------------------------- units


@needs("effects", "baseline", "quantities", "measures")
def units_are_spelt_alike(tables: Tables) -> Iterator[Issue]:
    """mW is a billionth of MW: units that differ only in capital letters, or convert by an odd factor."""
    first: dict[str, tuple[str, Place]] = {}
    told: set[str] = set()
    named: list[Quantity | Measure] = [*tables.quantities, *tables.measures]
    stated: list[Effect | Baseline] = [*tables.effects, *tables.baseline]
    for at_row in (*named, *stated):
        unit = at_row.unit
        if unit is None or unit in told:
            continue
        other, at = first.setdefault(unit.casefold(), (unit, at_row.at))
        if other != unit:
            told.add(unit)
            where = f"{at.file}, {at.row}" if at.row else at.file
            yield warning("unit_spelling", at_row.at, "unit", found=unit, expected=other, other=where)
    units = {row.quantity: row.unit for row in tables.quantities}
    for row in stated:
        unit = row.unit
        if unit is None or unit == units[row.quantity] or unit in told:
            continue
        times = factor_or_one(unit, units[row.quantity])
        if apart(times, 1.0) > FARTHEST:
            told.add(unit)
            yield warning("unit_far", row.at, "unit", found=unit, expected=units[row.quantity], times=rounded(times))


@needs("effects", "measures", "quantities")
def power_works_no_longer_than_the_year(tables: Tables) -> Iterator[Issue]:
    """One MW makes at most 8.784 GWh a year, and is one MW of capacity: kW for MW and kWh for MWh stand out."""
    units = {row.quantity: row.unit for row in tables.quantities}
    own = {row.measure: row.unit for row in tables.measures}
    for row in tables.effects:
        unit = row.unit or units[row.quantity]
        most = full_year(own[row.measure], unit)
        if most is not None and abs(row.value) > most * (1 + 1e-6):
            names = {"unit": unit, "own": own[row.measure], "expected": rounded(most), "measure": row.measure}
            yield warning("longer_than_a_year", row.at, "value", found=rounded(row.value), **names)


@needs("effects", "potentials", "baseline", "quantities")
def effects_can_be_felt(tables: Tables) -> Iterator[Issue]:
    """All of a measure changes its quantity by more than rounding."""
    units = {row.quantity: row.unit for row in tables.quantities}
    level: dict[str, float] = defaultdict(float)
    for (quantity, _, _), points in baseline_points(tables).items():
        level[quantity] += max(abs(value) for value in points.values())
    most: dict[str, float] = defaultdict(float)
    for (measure, _), points in potential_points(tables).items():
        most[measure] += max(points.values())
    for (measure, quantity), (one, row) in _largest_effects(tables).items():
        effect = one * most[measure]
        if effect < SMALLEST_EFFECT * level[quantity]:
            names = {"measure": measure, "quantity": quantity, "expected": rounded(level[quantity])}
            yield warning("effect_negligible", row.at, "value", found=rounded(effect), unit=units[quantity], **names)
