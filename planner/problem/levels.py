"""Levels, and what is asked of them: targets, floors, budgets, objectives; and pins."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planner.case import Case
from planner.problem.changes import Place
from planner.problem.money import Money
from planner.problem.stock import Path
from planner.rows import FUND, PROVINCE, Budget
from planner.targets import Bound, bounds
from planner.timing import path, span


@dataclass(frozen=True)
class Level:
    """What a bound is written on: a quantity, `capex`, `cost` or `fund:<id>;...`, over a scope and some sectors."""

    what: str
    scope: str = PROVINCE
    sectors: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Its name as a key."""
        return "|".join((self.what, self.scope, ";".join(self.sectors)))


@dataclass(frozen=True)
class Objective:
    """A stage of the objective: the sum of levels, or of weighted misses; of neither for `cost`."""

    name: str
    levels: tuple[tuple[str, int], ...] = ()
    misses: tuple[tuple[str, int], ...] = ()


class Levels(Money):
    """Levels over scopes and sectors, and the bounds on them, on top of the money.

    With `best_effort` every target may be missed: by as little as possible, those of the first priority first.
    """

    def __init__(self, case: Case, best_effort: bool = False) -> None:
        super().__init__(case)
        self.best_effort = best_effort
        self._levels: dict[str, Level] = {}
        self._read_bounds()
        self._read_levels()

    def level(self, what: str, scope: str = PROVINCE, sectors: Iterable[str] = ()) -> str:
        """Id of the level of `what` over `scope` and `sectors` (none: all); asking makes it part of the model."""
        level = Level(what, scope or PROVINCE, tuple(sectors))
        self._levels.setdefault(level.id, level)
        return level.id

    def baseline_of(self, level: str, offset: int = 1) -> Path:
        """Baseline of a level over the plan years, or with `offset` 0 base year and plan years [its unit]."""
        spec = self._levels[level]
        total = np.zeros(len(self.years) + 1)
        for (q, c, s), values in self.baseline_path.items():
            if q == spec.what and self.covers(spec, c, s):
                total += values
        return total[offset:]

    def covers(self, level: Level, city: str, sector: str) -> bool:
        """Whether a level counts what happens in `city` (blank: held by no city) and `sector`."""
        if level.sectors and sector not in level.sectors:
            return False
        return level.scope == PROVINCE or city in self.case.scope_cities(level.scope)

    def base_level(self, level: str) -> float:
        """Level in the base year: baseline and what existing stock did [unit of its quantity]."""
        spec = self._levels[level]
        change = sum(v for (q, c, s), v in self.base_change.items() if q == spec.what and self.covers(spec, c, s))
        return float(self.baseline_of(level, 0)[0] + change)

    def old_change_of(self, level: str) -> Path:
        """Change of a level, over the plan, by stock commissioned up to the base year [unit of its quantity]."""
        spec = self._levels[level]
        total = np.zeros(len(self.years))
        for (q, c, s), values in self.old_stock_change.items():
            if q == spec.what and self.covers(spec, c, s):
                total = total + values
        return total

    def driver(self, name: str, scope: str) -> dict[int, float]:
        """Path of a driver over base year and plan: the city's own rows where `scope` is a city that has some [-]."""
        rows = [row for row in self.case.drivers if row.driver == name]
        own = [row for row in rows if scope in self.cities and row.city == scope]
        chosen = own or [row for row in rows if not row.city]
        years = [self.base_year, *self.years]
        return dict(zip(years, path({row.year: row.value for row in chosen}, years).tolist(), strict=True))

    def _read_bounds(self) -> None:
        self.goals: list[tuple[str, int]] = []
        self.goal_terms: dict[tuple[str, int], list[tuple[str, int]]] = {}
        self.goal_weight: dict[tuple[str, int, str, int], float] = {}
        self.goal_bound: dict[tuple[str, int], float] = {}
        self.soft: list[tuple[str, int]] = []
        self.missable: list[tuple[str, int]] = []
        self.miss_weight: dict[tuple[str, int], float] = {}
        """One part of a target's own size per unit missed: it makes misses of different units comparable."""
        self.misses: dict[tuple[str, int], list[tuple[str, int]]] = {}
        self.penalty: dict[str, float] = {}
        self.bounds: dict[tuple[str, int], Bound] = {}
        """Every row a target asks for, enforced or only reported, by its name and last year."""
        self.goal_target: dict[str, str] = {}
        """The target of a row's name: the name is the target's id, with `:part` for a second row in a year."""
        for target in self.case.targets:
            for bound in bounds(target, self):
                name = f"{target.target}:{bound.part}" if bound.part else target.target
                key = (name, bound.year)
                self.bounds[key] = bound
                self.goal_target[name] = target.target
                if bound.year <= self.decided_after:
                    continue
                self.goals.append(key)
                self.goal_terms[key] = [(level, y) for level, y in bound.excess]
                for (level, y), weight in bound.excess.items():
                    self.goal_weight[(*key, level, y)] = weight
                self.goal_bound[key] = bound.limit
                self.misses[key] = []
                if target.soft_penalty is not None:
                    self.soft.append(key)
                    self.penalty[name] = target.soft_penalty
                if target.soft_penalty is not None or self.best_effort:
                    self.missable.append(key)
                    self.misses[key] = [key]
                    self.miss_weight[key] = 1 / self._size(bound)

        self.floors: list[tuple[str, int]] = []
        self.floor: dict[tuple[str, int], float] = {}
        for row in self.case.quantities:
            if row.floor is not None:
                for scope in self.cities if row.floor_scope == "city" else [PROVINCE]:
                    level = self.level(row.quantity, scope)
                    for y in self.years:
                        if y > self.decided_after:
                            self.floors.append((level, y))
                            self.floor[level, y] = row.floor
        self._read_budgets()
        self._read_pins()

    def _read_budgets(self) -> None:
        self.budget_rows: list[tuple[str, int]] = []
        self.budget_terms: dict[tuple[str, int], list[tuple[str, int]]] = {}
        self.budget_limit: dict[tuple[str, int], float] = {}
        self.budgets: dict[tuple[str, int], tuple[list[tuple[str, int]], float]] = {}
        """Every row a budget asks for: the spending it counts and its limit [currency]."""
        points: dict[str, dict[int | None, float]] = defaultdict(dict)
        heads: dict[str, Budget] = {}
        for row in self.case.budgets:
            heads.setdefault(row.budget, row)
            points[row.budget][row.year] = row.limit
        for b, row in heads.items():
            years = span(row.first_year, row.last_year, self.years)
            limits = path(points[b], years).tolist() if years else []
            what = FUND + ";".join(row.fund) if row.fund else "capex"
            level = self.level(what, row.scope, row.sectors)
            if row.per == "span":
                if years:
                    self.budgets[b, years[-1]] = ([(level, y) for y in years], limits[0])
            else:
                total = 0.0
                for i, y in enumerate(years):
                    total = total + limits[i] if row.carry_over else limits[i]
                    counted = years[: i + 1] if row.carry_over else [y]
                    self.budgets[b, y] = ([(level, past) for past in counted], total)
        for key, (terms, limit) in self.budgets.items():
            if key[1] > self.decided_after:
                self.budget_rows.append(key)
                self.budget_terms[key] = terms
                self.budget_limit[key] = limit

    def _read_pins(self) -> None:
        self.pins_least: list[tuple[str, int]] = []
        self.pins_most: list[tuple[str, int]] = []
        self.pin_least: dict[tuple[str, int], float] = {}
        self.pin_most: dict[tuple[str, int], float] = {}
        self.pinned_stock: dict[tuple[str, int], list[tuple[str, str]]] = {}
        self.pinned_starts: dict[tuple[str, int], list[tuple[str, str]]] = {}
        startable = set(self.startable)
        for row in self.case.pins:
            cities = [row.city] if row.city else self.cities
            held = [(row.measure, c) for c in cities if (row.measure, c) in self.potential_path]
            for y in span(row.first_year, row.last_year, self.years):
                if y <= self.decided_after:
                    continue
                key = (row.pin, y)
                starts = [(m, c) for m, c in held if (m, c, y) in startable]
                self.pinned_stock[key] = held if row.on == "stock" else []
                self.pinned_starts[key] = starts if row.on == "starts" else []
                members = self.pinned_stock[key] or self.pinned_starts[key]
                if row.min is not None:
                    if members:
                        self.pins_least.append(key)
                        self.pin_least[key] = row.min
                    elif row.min > 0:
                        self.contradictions.append(("pins", key))
                if row.max is not None and members:
                    self.pins_most.append(key)
                    self.pin_most[key] = row.max

    def _read_levels(self) -> None:
        """What each level sums over; asks first for the levels that the objectives need."""
        self.stages = self._read_objectives()
        self.quantity_levels: list[tuple[str, int]] = []
        self.spending_levels: list[tuple[str, int]] = []
        self.fund_levels: list[tuple[str, int]] = []
        self.cost_levels: list[tuple[str, int]] = []
        self.level_base: dict[tuple[str, int], float] = {}
        self.level_changes: dict[tuple[str, int], list[Place]] = {}
        self.level_spendings: dict[tuple[str, int], list[tuple[str, str]]] = {}
        self.level_payments: dict[tuple[str, int], list[tuple[str, str, str]]] = {}
        self.level_holdings: dict[tuple[str, int], list[tuple[str, str]]] = {}
        self.level_serving: dict[tuple[str, int], list[tuple[str, str, int]]] = {}
        self.level_priced: dict[tuple[str, int], list[Place]] = {}
        spendings: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for k, c, y in self.spendings:
            spendings[y].append((k, c))
        payments: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
        for f, k, c, y in self.payments:
            payments[y].append((f, k, c))
        priced: dict[int, list[Place]] = defaultdict(list)
        for q, c, s, y in self.priced:
            priced[y].append((q, c, s))
        self.leveled = [(level, y) for level in self._levels for y in self.years]
        for level, spec in self._levels.items():
            baseline = self.baseline_of(level)
            for i, year in enumerate(self.years):
                key = (level, year)
                if spec.what == "cost":
                    self.cost_levels.append(key)
                    self.level_holdings[key] = [
                        (m, c) for m, c in self.potential_path if self.covers(spec, c, self.measures[m].sector)
                    ]
                    self.level_serving[key] = [
                        (m, c, v) for m, c in self.level_holdings[key] for v in self.serving[m, c, year]
                    ]
                    self.level_priced[key] = [p for p in priced[year] if self.covers(spec, p[1], p[2])]
                elif spec.what == "capex":
                    self.spending_levels.append(key)
                    self.level_spendings[key] = [
                        (k, c) for k, c in spendings[year] if self.covers(spec, c, self.pool_sector[k])
                    ]
                    self.level_base[key] = self.earmarked_in(spec, year, self.funds)
                elif spec.what.startswith(FUND):
                    funds = spec.what.removeprefix(FUND).split(";")
                    self.fund_levels.append(key)
                    self.level_payments[key] = [
                        (f, k, c)
                        for f, k, c in payments[year]
                        if f in funds and self.covers(spec, c, self.pool_sector[k])
                    ]
                    self.level_base[key] = self.earmarked_in(spec, year, funds)
                else:
                    self.quantity_levels.append(key)
                    self.level_changes[key] = [
                        p for p in self.places if p[0] == spec.what and self.covers(spec, p[1], p[2])
                    ]
                    self.level_base[key] = float(baseline[i])

    def earmarked_in(self, level: Level, year: int, funds: Sequence[str]) -> float:
        """What existing stock books in a year on funds of its own, outside the mix [currency]."""
        return sum(
            amount
            for (f, m, c, y), amount in self.earmarked.items()
            if y == year and f in funds and self.covers(level, c, self.measures[m].sector)
        )

    def _size(self, bound: Bound) -> float:
        """How large the two sides of a bound are on the baseline; 1 where both are zero [unit of its quantity]."""
        baseline = {
            (level, y): value
            for level in {level for level, _ in bound.excess}
            if self._levels[level].what in self.quantities
            for y, value in zip(self.years, self.baseline_of(level).tolist(), strict=True)
        }
        sides = (abs(side.value(defaultdict(float, baseline))) for side in (bound.achieved, bound.bound))
        return max(sides) or 1.0

    def _read_objectives(self) -> list[Objective]:
        stages = []
        if self.best_effort:
            ranks = {row.target: row.priority for row in self.case.targets if row.soft_penalty is None}
            for rank in sorted(set(ranks.values()), key=lambda r: (r is None, r or 0)):
                missed = [key for key in self.missable if ranks.get(self.goal_target[key[0]], -1) == rank]
                stages.append(Objective("miss" if rank is None else f"miss:{rank}", misses=tuple(missed)))
        names = list(self.case.settings.objective)
        for name in names if "cost" in names else [*names, "cost"]:
            if name == "cost":
                stages.append(Objective(name))
            else:
                level = self.level(name.removeprefix("-").removeprefix("quantity:"))
                stages.append(Objective(name, levels=tuple((level, y) for y in self.years)))
        return [stage for stage in stages if stage.levels or stage.misses or stage.name == "cost"]

    @property
    def levels(self) -> Mapping[str, Level]:
        """Every level of the model by id."""
        return self._levels
