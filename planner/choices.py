"""What groups, funds, budgets, targets and pins ask for together, and what cannot be asked."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from planner.errors import Issue, Place, error, warning
from planner.meaning import (
    ROUNDING,
    Points,
    baseline_points,
    cycle,
    needs,
    possible_starts,
    potential_points,
    rounded,
)
from planner.rows import (
    BUDGET_COLUMNS,
    GROUP_COLUMNS,
    PROVINCE,
    Budget,
    Existing,
    Group,
    Measure,
    MeasureCost,
    Row,
    Target,
    is_money,
)
from planner.tableset import Tables
from planner.timing import path_at, span

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
    return rounded(value) if isinstance(value, float) else str(value)


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
    members = cycle({name: others - {name} for name, others in edges.items()})
    if members:
        at = next(row.at for row in tables.groups if row.kind == "requires" and row.measure in members)
        yield error("circular_prerequisites", at, "measure", found=" → ".join(members[::-1]))


# ---------------------------------------------------------------- money


def _pays(tables: Tables) -> set[str]:
    """Measures that ever cost capital."""
    rows: list[Measure | MeasureCost | Existing] = [*tables.measures, *tables.measure_costs, *tables.existing]
    return {row.measure for row in rows if row.capex}


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
        if row.value is None and not any(_caps(other, row) for other in tables.targets):
            yield warning("peak_without_value", row.at, "value", found="", target=row.target, year=row.by)


def _caps(target: Target, peak: Target) -> bool:
    """Whether a target caps what a peak is about in the year it is measured by: then a high peak gains nothing free."""
    same = (target.quantity, target.scope, set(target.sectors)) == (peak.quantity, peak.scope, set(peak.sectors))
    by = peak.by or 0
    holds = (target.first_year or by) <= by <= (target.last_year or by)
    return same and holds and target.sense == "<=" and target.kind in ("level", "change", "intensity", "cumulative")


Series = dict[tuple[str, str | None, str], Points]
"""Points of paths by quantity, city and sector."""
REFERRED = ("baseline", "quantities", "drivers", "existing", "effects", "conversions", "cities", "city_groups")
"""Tables that targets refer to."""


@needs("case", "targets", *REFERRED)
def targets_have_something_to_refer_to(tables: Tables) -> Iterator[Issue]:
    """Base years are there, and nothing is divided by zero."""
    base = tables.settings.base_year
    series = baseline_points(tables)
    named: dict[str, Series] = defaultdict(dict)
    for key, of_key in series.items():
        named[key[0]][key] = of_key
    moved = {row.quantity for row in tables.effects} | {row.to_quantity for row in tables.conversions}
    drivers: dict[str, dict[str | None, Points]] = defaultdict(dict)
    for driver in tables.drivers:
        drivers[driver.driver].setdefault(driver.city, {})[driver.year] = driver.value
    for row in tables.targets:
        if is_money(row.quantity):
            continue
        if row.quantity not in moved:
            yield warning("nothing_moves", row.at, "quantity", found=row.quantity, target=row.target)
        mine = _in_scope(row, named[row.quantity], tables) if row.quantity in named else {}
        if row.kind in ("change", "intensity"):
            missing = max((min(_dated(points) or [base]) for points in mine.values()), default=None)
            at_base = sum(path_at(points, base) for points in mine.values())
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
        if row.kind == "share" and row.of not in named and row.of not in moved:
            yield error("zero_whole", row.at, "of", found=row.of, target=row.target)


def _dated(points: Points) -> list[int]:
    return [year for year in points if year is not None]


def _in_scope(row: Target, series: Series, tables: Tables) -> Series:
    cities: set[str | None] = set(tables.scope_cities(row.scope))
    if row.scope == PROVINCE:
        cities.add(None)
    return {
        key: points for key, points in series.items() if key[1] in cities and (not row.sectors or key[2] in row.sectors)
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
    potentials = potential_points(tables)
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
        starts = set(possible_starts(measure, tables))
        for year in span(pin.first_year, pin.last_year, tables.decided):
            if pin.on == "stock":
                most = sum(path_at(potentials[pin.measure, c], year) for c in cities)
            elif year not in starts:
                most = 0.0
            else:
                last = tables.settings.last_year
                limits = (measure.ramp * path_at(potentials[pin.measure, c], last) for c in cities)
                most = sum(max(limit, measure.lump or 0.0) for limit in limits)
            if pin.min > most * (1 + ROUNDING):
                names = {"expected": rounded(most), "year": year, "measure": pin.measure}
                yield warning("pin_above_possible", pin.at, "min", found=pin.min, **names)
                break
