"""Tables: the rows of one plan side by side, before and after they are checked."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TypeVar

from planner.rows import (
    PROVINCE,
    Allocation,
    Baseline,
    Budget,
    City,
    CityGroup,
    Conversion,
    Department,
    Driver,
    Effect,
    Existing,
    Fund,
    FundRule,
    Group,
    Measure,
    MeasureCost,
    Pin,
    Potential,
    Price,
    Quantity,
    Row,
    Sector,
    Settings,
    Source,
    Target,
)

T = TypeVar("T")
REMEMBERED = 4
"""Sets of tables for which a result is kept."""


@dataclass(frozen=True, eq=False)
class Tables:
    """Settings and one tuple of rows per table, named as the table."""

    settings: Settings
    cities: tuple[City, ...] = ()
    city_groups: tuple[CityGroup, ...] = ()
    sectors: tuple[Sector, ...] = ()
    departments: tuple[Department, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    measures: tuple[Measure, ...] = ()
    measure_costs: tuple[MeasureCost, ...] = ()
    effects: tuple[Effect, ...] = ()
    potentials: tuple[Potential, ...] = ()
    existing: tuple[Existing, ...] = ()
    baseline: tuple[Baseline, ...] = ()
    drivers: tuple[Driver, ...] = ()
    conversions: tuple[Conversion, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    prices: tuple[Price, ...] = ()
    groups: tuple[Group, ...] = ()
    funds: tuple[Fund, ...] = ()
    fund_rules: tuple[FundRule, ...] = ()
    targets: tuple[Target, ...] = ()
    budgets: tuple[Budget, ...] = ()
    pins: tuple[Pin, ...] = ()
    sources: tuple[Source, ...] = ()

    def rows(self, table: str) -> tuple[Row, ...]:
        """Rows of the table of that name."""
        rows: tuple[Row, ...] = getattr(self, table)
        return rows

    @cached_property
    def years(self) -> list[int]:
        """Years of the plan, first to last."""
        return list(range(self.settings.first_year, self.settings.last_year + 1))

    @cached_property
    def decided(self) -> list[int]:
        """Years of the plan that are not history."""
        as_of = self.settings.as_of
        return [year for year in self.years if as_of is None or year > as_of]

    @cached_property
    def city_ids(self) -> tuple[str, ...]:
        """Ids of the cities, in the order of their table."""
        return tuple(row.city for row in self.cities)

    @cached_property
    def _scopes(self) -> Mapping[str, tuple[str, ...]]:
        members: dict[str, list[str]] = {}
        for row in self.city_groups:
            members.setdefault(row.group, []).append(row.city)
        order = {city: place for place, city in enumerate(self.city_ids)}
        groups = {group: tuple(sorted(set(members[group]) & set(order), key=order.__getitem__)) for group in members}
        return {PROVINCE: self.city_ids, **groups, **{city: (city,) for city in self.city_ids}}

    def scope_cities(self, scope: str) -> tuple[str, ...]:
        """Cities of a scope: all of the province, one city, or those of a city group."""
        return self._scopes[scope]

    @property
    def scopes(self) -> tuple[str, ...]:
        """Every scope a target or budget may name."""
        return tuple(self._scopes)


def remembered(*names: str) -> Callable[[Callable[[Tables], T]], Callable[[Tables], T]]:
    """Keep the last results of a function of these tables alone: an edit leaves most tables the very same."""

    def register(find: Callable[[Tables], T]) -> Callable[[Tables], T]:
        known: deque[tuple[list[object], T]] = deque(maxlen=REMEMBERED)

        @wraps(find)
        def recall(tables: Tables) -> T:
            rows: list[object] = [tables.rows(name) for name in names]
            for before, result in list(known):
                if all(one is other for one, other in zip(before, rows, strict=True)):
                    return result
            result = find(tables)
            known.append((rows, result))
            return result

        return recall

    return register
