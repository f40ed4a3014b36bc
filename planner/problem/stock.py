"""Stock: where a measure may stand, what stands already, when starts enter and leave service."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from planner.case import Case
from planner.rows import Existing, Measure
from planner.timing import discount_factor, in_service, path, span

Path = NDArray[np.float64]
ROUNDING = 1e-9
"""A ratio this close to a whole number counts as that number [-]."""


@dataclass
class History:
    """Units of one measure in one city that stand or are under way: what they are, and what they still cost."""

    commissioned: list[Existing] = field(default_factory=list)

    def stock(self, years: Sequence[int], lifetime: int, until: int | None = None) -> Path:
        """Units in service in each of `years`, of those commissioned up to `until`."""
        units = np.zeros(len(years))
        for row in self.commissioned:
            if until is None or row.year <= until:
                serving = in_service(row.year, 0, lifetime)
                units += [row.units * (year in serving) for year in years]
        return units


class Stock:
    """Sets and coefficients of stock and starts."""

    def __init__(self, case: Case) -> None:
        settings = case.settings
        self.case = case
        self.years = list(case.years)
        self.first, self.last, self.base_year = settings.first_year, settings.last_year, settings.base_year
        self.decided_after = settings.as_of if settings.as_of is not None else self.first - 1
        self.cities = [row.city for row in case.cities]
        self.sectors = [row.sector for row in case.sectors]
        self.quantities = [row.quantity for row in case.quantities]
        self.measures: dict[str, Measure] = {row.measure: row for row in case.measures}
        self.discount = {y: discount_factor(settings.discount_rate, y - self.base_year) for y in self.years}
        self.contradictions: list[tuple[str, tuple[str | int, ...]]] = []
        """Rows without any variable that cannot hold: a family and a key each."""
        self._read_stock()

    def _read_stock(self) -> None:
        self.potential_path: dict[tuple[str, str], Path] = {}
        self.history: dict[tuple[str, str], History] = defaultdict(History)
        for existing in self.case.existing:
            self.history[existing.measure, existing.city].commissioned.append(existing)
        points = self.potential_points = defaultdict[tuple[str, str], dict[int | None, float]](dict)
        for row in self.case.potentials:
            points[row.measure, row.city][row.year] = row.potential
        for m in self.measures:
            for c in self.cities:
                if (m, c) in points and (any(points[m, c].values()) or (m, c) in self.history):
                    self.potential_path[m, c] = path(points[m, c], self.years)

        self.holdings: list[tuple[str, str, int]] = []
        self.startable: list[tuple[str, str, int]] = []
        self.lumpy: list[tuple[str, str, int]] = []
        self.potential: dict[tuple[str, str, int], float] = {}
        self.existing: dict[tuple[str, str, int], float] = {}
        self.joining: dict[tuple[str, str, int], float] = {}
        self.start_limit: dict[tuple[str, str, int], float] = {}
        self.lump: dict[str, float] = {}
        self.most_lumps: dict[tuple[str, str, int], float] = {}
        self.before: dict[tuple[str, str, int], list[int]] = {}
        self.entering: dict[tuple[str, str, int], list[int]] = {}
        self.leaving: dict[tuple[str, str, int], list[int]] = {}
        self.serving: dict[tuple[str, str, int], list[int]] = {}
        for (m, c), potential in self.potential_path.items():
            measure = self.measures[m]
            held = self.history[m, c].stock(self.years, measure.lifetime)
            decided = np.array(self.years) > self.decided_after
            potential[:] = np.where(decided, potential, np.maximum(potential, held))
            start_years = self.start_years(measure)
            limit = measure.ramp * potential[-1]
            if measure.lump:
                self.lump[m] = measure.lump
                whole = np.floor(max(limit, measure.lump) / measure.lump + ROUNDING)
                limit = whole * measure.lump
            for v in start_years:
                self.startable.append((m, c, v))
                self.start_limit[m, c, v] = float(limit)
                if measure.lump:
                    self.lumpy.append((m, c, v))
                    self.most_lumps[m, c, v] = float(whole)
            known = set(start_years)
            for i, y in enumerate(self.years):
                key = (m, c, y)
                self.holdings.append(key)
                self.potential[key] = float(potential[i])
                self.existing[key] = float(held[i])
                self.joining[key] = float(held[i] - (held[i - 1] if i else 0.0))
                self.before[key] = [y - 1] if i else []
                enters = y - measure.lead_time
                leaves = enters - measure.lifetime
                self.entering[key] = [enters] if enters in known else []
                self.leaving[key] = [leaves] if leaves in known else []
                self.serving[key] = [v for v in range(leaves + 1, enters + 1) if v in known]

    def start_years(self, measure: Measure) -> list[int]:
        """Years in which construction of `measure` may begin: decided, allowed, and in service within the horizon."""
        first = max(measure.first_year or self.first, self.decided_after + 1)
        return span(first, self.last - measure.lead_time, self.years)

    def stock_path(self, m: str, c: str, until: int | None = None) -> Path:
        """Existing stock in service over the years of the plan [unit of `m`]."""
        return self.history[m, c].stock(self.years, self.measures[m].lifetime, until)
