"""Groups: measures that share a base, need each other, or overlap."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from planner.case import Case
from planner.problem.stock import Path, Stock
from planner.rows import PROVINCE, Group
from planner.timing import path


class Groups(Stock):
    """Sets and coefficients of groups, on top of the stock."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._read_groups()

    def _read_groups(self) -> None:
        self.weight: dict[tuple[str, str, str, int], float] = {}
        self.ratio: dict[tuple[str, str, str, int], float] = {}
        self.cap: dict[tuple[str, str, int], float] = {}
        self.free: dict[tuple[str, str, int], float] = {}
        self.shared: list[tuple[str, str, int]] = []
        self.required: list[tuple[str, str, int]] = []
        self.shared_stock: dict[tuple[str, str, int], list[tuple[str, str]]] = {}
        self.shared_starts: dict[tuple[str, str, int], list[tuple[str, str]]] = {}
        self.dependent_stock: dict[tuple[str, str, int], list[tuple[str, str]]] = {}
        self.dependent_starts: dict[tuple[str, str, int], list[tuple[str, str]]] = {}
        self.provider_stock: dict[tuple[str, str, int], list[tuple[str, str]]] = {}
        self.provider_starts: dict[tuple[str, str, int], list[tuple[str, str]]] = {}
        self.overlaps: list[tuple[str, str, int]] = []
        self.overlapping: list[tuple[str, str, str, int]] = []
        self.overlap_members: dict[tuple[str, str, int], list[str]] = {}
        self.part_of_potential: dict[tuple[str, str, int], float] = {}
        """What one unit is of its city's potential, 1/U [1/unit of `m`]."""
        self.overlap_pairs: dict[tuple[str, str], tuple[str, str]] = {}
        self.overlap_quantity: dict[str, str] = {}
        self.loss: dict[str, Path] = {}

        groups: dict[str, list[Group]] = defaultdict(list)
        for row in self.case.groups:
            groups[row.group].append(row)
        for g, rows in groups.items():
            if rows[0].kind == "overlap":
                self._read_overlap(g, rows)
            else:
                self._read_tie(g, rows)

    def _places(self, rows: Sequence[Group]) -> Iterator[tuple[str, list[str]]]:
        """Where a group holds: a name, and the cities summed over."""
        cities = [rows[0].city] if rows[0].city else self.cities
        if rows[0].scope == PROVINCE:
            yield PROVINCE, cities
        else:
            yield from ((c, [c]) for c in cities)

    def _member_path(self, rows: Sequence[Group], m: str, role: str | None, column: str, default: float) -> Path:
        points: dict[int | None, float] = {}
        for row in rows:
            if row.measure == m and row.role == role:
                value = getattr(row, column)
                points[row.year] = default if value is None else value
        return path(points, self.years)

    def _group_path(self, rows: Sequence[Group], column: str, default: float) -> Path:
        points = {row.year: default if getattr(row, column) is None else getattr(row, column) for row in rows}
        return path(points, self.years)

    def _read_tie(self, g: str, rows: Sequence[Group]) -> None:
        """Rows of a `shared` or `requires` group, over stock or over starts."""
        head = rows[0]
        members = list(dict.fromkeys((row.measure, row.role) for row in rows))
        on_stock = head.on == "stock"
        by_share = head.kind == "shared" and all(row.cap is None for row in rows)
        cap = np.ones(len(self.years)) if by_share else self._group_path(rows, "cap", 0.0)
        free = self._group_path(rows, "free", 0.0)
        weights = {member: self._member_path(rows, *member, "weight", 1.0) for member in members}
        ratios = {member: self._member_path(rows, *member, "ratio", 1.0) for member in members}
        startable = set(self.startable)
        for where, cities in self._places(rows):
            for i, y in enumerate(self.years):
                if y <= self.decided_after:
                    continue
                key = (g, where, y)
                sides: dict[str, list[tuple[str, str]]] = {"uses": [], "provides": []}
                for m, role in members:
                    for c in cities:
                        if (m, c) not in self.potential_path or not (on_stock or (m, c, y) in startable):
                            continue
                        potential = self.potential[m, c, y]
                        if by_share and not potential:
                            continue
                        sides["provides" if role == "provider" else "uses"].append((m, c))
                        if role == "provider":
                            self.ratio[g, m, c, y] = float(ratios[m, role][i])
                        else:
                            weight = 1 / potential if by_share else weights[m, role][i]
                            self.weight[g, m, c, y] = float(weight)
                stock = sides if on_stock else {"uses": [], "provides": []}
                starts = sides if not on_stock else {"uses": [], "provides": []}
                bound = float(cap[i] if head.kind == "shared" else free[i])
                if not (sides["uses"] or sides["provides"]):
                    if bound < 0:
                        self.contradictions.append((head.kind, key))
                elif head.kind == "shared":
                    self.shared.append(key)
                    self.cap[key] = bound
                    self.shared_stock[key], self.shared_starts[key] = stock["uses"], starts["uses"]
                else:
                    self.required.append(key)
                    self.free[key] = bound
                    self.dependent_stock[key], self.dependent_starts[key] = stock["uses"], starts["uses"]
                    self.provider_stock[key], self.provider_starts[key] = stock["provides"], starts["provides"]

    def _read_overlap(self, g: str, rows: Sequence[Group]) -> None:
        first, second = list(dict.fromkeys(row.measure for row in rows))
        self.loss[g] = self._group_path(rows, "loss", 0.0)
        self.overlap_quantity[g] = rows[0].quantity or ""
        for c, _ in self._places(rows):
            if (first, c) not in self.potential_path or (second, c) not in self.potential_path:
                continue
            self.overlap_pairs[g, c] = (first, second)
            for y in self.years:
                if self.potential[first, c, y] and self.potential[second, c, y]:
                    self.overlaps.append((g, c, y))
                    self.overlap_members[g, c, y] = [first, second]
                    for m in (first, second):
                        self.overlapping.append((g, m, c, y))
                        self.part_of_potential[m, c, y] = 1 / self.potential[m, c, y]
