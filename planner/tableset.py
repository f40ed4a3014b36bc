"""Tables: the rows of one plan side by side, before and after they are checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

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
