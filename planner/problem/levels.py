"""Levels, and what is asked of them: targets, floors, budgets, objectives; and pins."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from planner.case import Case
from planner.problem.keys import Array, Axis, Codes, Every, Keys, Links, Mask, Table
from planner.problem.money import Money
from planner.problem.stock import Path, numbers
from planner.problem.tracked import Tracked, derived
from planner.rows import FUND, PROVINCE, Budget, Pin, Target
from planner.targets import Bound, bounds
from planner.timing import path, span

Term = tuple[str, int]
"""A level in a year, or a row and its year."""


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

    @classmethod
    def of(cls, id_: str) -> "Level":
        """The level of that id.

        >>> Level.of("fund:a;b|province|steel;cement")
        Level(what='fund:a;b', scope='province', sectors=('steel', 'cement'))
        """
        what, scope, sectors = id_.split("|")
        return cls(what, scope, tuple(sectors.split(";")) if sectors else ())


@dataclass(frozen=True)
class Objective:
    """A stage of the objective: the sum of levels, or of weighted misses; of neither for `cost`."""

    name: str
    levels: tuple[Term, ...] = ()
    misses: tuple[Term, ...] = ()


@dataclass(frozen=True)
class Goal:
    """A row that a target asks for."""

    name: str
    """The target's id, with `:part` for a second row in a year."""
    target: str
    bound: Bound
    penalty: float | None

    @cached_property
    def excess(self) -> dict[Term, float]:
        """Weights of the levels in what exceeds the bound."""
        return self.bound.excess


class Levels(Money):
    """Levels over scopes and sectors, and the bounds on them, on top of the money.

    With `best_effort` every target may be missed: by as little as possible, those of the first priority first.
    """

    def __init__(self, case: Case, best_effort: bool = False, before: Tracked | None = None) -> None:
        super().__init__(case, before)
        self.best_effort = best_effort

    # Levels

    def level(self, what: str, scope: str = PROVINCE, sectors: Iterable[str] = ()) -> str:
        """Id of the level of `what` over `scope` and `sectors` (none: all)."""
        return Level(what, scope or PROVINCE, tuple(sectors)).id

    @derived
    def _scopes(self) -> dict[str, Mask]:
        """Cities of every scope."""
        _ = self.given.city_groups
        found = {}
        for scope in (PROVINCE, *self.case.scopes):
            mask = np.zeros(len(self.c), dtype=bool)
            mask[self.c.codes(self.case.scope_cities(scope))] = True
            found[scope] = mask
        return found

    def _sectors(self, level: Level) -> Mask:
        """Sectors that a level counts."""
        mask = np.full(len(self.s), not level.sectors)
        mask[self.s.codes(level.sectors)] = True
        return mask

    def covered(self, level: Level, c: Codes, s: Codes) -> Mask:
        """Which of some cities and sectors, given by number, a level counts."""
        counted: Mask = self._scopes[level.scope][c] & self._sectors(level)[s]
        return counted

    def _counted(
        self, levels: Iterable[Level], c: Codes, s: Codes, also: Callable[[Level, Codes], Mask] | None = None
    ) -> list[Codes]:
        """Positions, among some cities and sectors given by number, that each level counts; `also` may say no."""
        order = np.argsort(c, kind="stable")
        starts = np.searchsorted(c[order], np.arange(len(self.c) + 1))
        found = []
        for level in levels:
            scope = self._scopes[level.scope]
            at: Codes = np.arange(c.size)
            if not scope.all():
                at = np.sort(
                    np.concatenate([at[:0], *(order[starts[i] : starts[i + 1]] for i in np.flatnonzero(scope))])
                )
            counts = self._sectors(level)[s[at]]
            found.append(at[counts if also is None else counts & also(level, at)])
        return found

    def covers(self, level: Level, city: str, sector: str) -> bool:
        """Whether a level counts what happens in `city` (blank: held by no city) and `sector`."""
        if level.sectors and sector not in level.sectors:
            return False
        return level.scope == PROVINCE or city in self.case.scope_cities(level.scope)

    @derived
    def _baseline_rows(self) -> dict[int, Codes]:
        """Rows of the baseline by quantity."""
        q = self.baseline_path.index.parts[0]
        order = np.argsort(q, kind="stable")
        numbers, starts = np.unique(q[order], return_index=True)
        return dict(zip(numbers.tolist(), np.split(order, starts[1:]), strict=False))

    def baseline_of(self, level: str, offset: int = 1) -> Path:
        """Baseline of a level over the plan years, or with `offset` 0 base year and plan years [its unit]."""
        spec = Level.of(level)
        _, c, s = self.baseline_path.index.parts
        in_scope = np.append(spec.scope == PROVINCE, self._scopes[spec.scope])  # the first is what no city holds
        at = self._baseline_rows.get(self.q.number.get(spec.what, -1), np.zeros(0, dtype=np.int64))
        counted = at[in_scope[c[at]] & self._sectors(spec)[s[at]]]
        total: Path = self.baseline_path.array[counted, offset:].sum(axis=0)
        return total

    def _changed(self, level: str, change: Array) -> Array:
        """Sum over a level of a change of every place."""
        spec = Level.of(level)
        q, c, s = self.places.parts
        total: Array = change[(q == self.q.number[spec.what]) & self.covered(spec, c, s)].sum(axis=0)
        return total

    def base_level(self, level: str) -> float:
        """Level in the base year: baseline and what existing stock did [unit of its quantity]."""
        return float(self.baseline_of(level, 0)[0] + self._changed(level, self.base_change))

    def old_change_of(self, level: str) -> Path:
        """Change of a level, over the plan, by stock commissioned up to the base year [unit of its quantity]."""
        return self._changed(level, self.old_stock_change)

    def driver(self, name: str, scope: str) -> dict[int, float]:
        """Path of a driver over base year and plan: the city's own rows where `scope` is a city that has some [-]."""
        rows = [row for row in self.given.drivers if row.driver == name]
        own = [row for row in rows if scope in self.cities and row.city == scope]
        chosen = own or [row for row in rows if not row.city]
        years = [self.base_year, *self.years]
        return dict(zip(years, path({row.year: row.value for row in chosen}, years).tolist(), strict=True))

    @derived
    def levels(self) -> dict[str, Level]:
        """Every level of the model by id: what targets, floors, budgets and objectives are written on."""
        asked = [*self._asked[1], *self.floors_, *self.budget_levels.values(), *self.objective_levels.values()]
        return {id_: Level.of(id_) for id_ in dict.fromkeys(asked)}

    @derived
    def l(self) -> Axis:
        """Levels."""
        return Axis(self.levels)

    @derived
    def leveled(self) -> Keys:
        """Every level in every year."""
        return Every(self.l).times(self.y)

    # Targets

    @derived
    def _asked(self) -> tuple[list[Goal], list[str]]:
        """Every row a target asks for, enforced or only reported, and the levels they are written on."""
        found = [self.of_row(row, self._asked_by) for row in self.given.targets]
        return [goal for goals, _ in found for goal in goals], list(
            dict.fromkeys(id_ for _, ids in found for id_ in ids)
        )

    def _asked_by(self, row: Target) -> tuple[list[Goal], list[str]]:
        """Every row one target asks for, and the levels they are written on."""
        source = Asking(self)
        goals = [
            Goal(f"{row.target}:{bound.part}" if bound.part else row.target, row.target, bound, row.soft_penalty)
            for bound in bounds(row, source)
        ]
        return goals, list(source.asked)

    @derived
    def bounds(self) -> dict[Term, Bound]:
        """Every row a target asks for, enforced or only reported, by its name and last year."""
        return {(goal.name, goal.bound.year): goal.bound for goal in self._asked[0]}

    @derived
    def goal_target(self) -> dict[str, str]:
        """The target of a row's name: the name is the target's id, with `:part` for a second row in a year."""
        return {goal.name: goal.target for goal in self._asked[0]}

    @derived
    def t(self) -> Axis:
        """Rows of targets by name."""
        return Axis(self.goal_target)

    @derived
    def _goals(self) -> list[tuple[Goal, dict[Term, float]]]:
        """The rows that are enforced, and the weights of their levels."""
        return [(goal, goal.excess) for goal in self._asked[0] if goal.bound.year > self.decided_after]

    def _terms(self, axis: Axis, keys: Iterable[Term]) -> Keys:
        listed = list(keys)
        return Keys((axis, self.y), (axis.codes(key[0] for key in listed), self.y.codes(key[1] for key in listed)))

    @derived
    def goals(self) -> Keys:
        """Rows of targets that are enforced."""
        return self._terms(self.t, ((goal.name, goal.bound.year) for goal, _ in self._goals))

    @derived
    def goal_terms(self) -> Links:
        """Levels that a target weighs."""
        counts = np.array([len(excess) for _, excess in self._goals], dtype=np.int64)
        return Links(self.goals, counts, self._terms(self.l, (term for _, excess in self._goals for term in excess)))

    @derived
    def _weighed(self) -> Keys:
        """Every level in every target."""
        t, y = (np.repeat(part, self.goal_terms.counts) for part in self.goals.parts)
        return Keys((self.t, self.y, self.l, self.y), (t, y, *self.goal_terms.members.parts))

    @derived
    def goal_weight(self) -> Table:
        """Weight of a level in a target."""
        return Table(self._weighed, numbers(weight for _, excess in self._goals for weight in excess.values()))

    @derived
    def goal_bound(self) -> Table:
        """Most that the weighted levels of a target may be [unit of its quantity]."""
        return Table(self.goals, numbers(goal.bound.limit for goal, _ in self._goals))

    @derived
    def soft(self) -> Keys:
        """Rows of targets that may be missed at a price."""
        return self.goals.only(np.array([goal.penalty is not None for goal, _ in self._goals], dtype=bool))

    @derived
    def missable(self) -> Keys:
        """Rows of targets that may be missed."""
        return self.goals if self.best_effort else self.soft

    @derived
    def misses(self) -> Links:
        """The own miss of a target that may be missed."""
        at = self.goals.locate(self.missable.parts)
        return Links(self.goals, np.bincount(at, minlength=len(self.goals)), self.missable)

    @derived
    def penalty(self) -> Table:
        """Price of a miss [currency per unit of the quantity and year]."""
        of = {goal.name: goal.penalty for goal, _ in self._goals if goal.penalty is not None}
        return Table(Keys((self.t,), (self.t.codes(of),)), numbers(of.values()))

    @derived
    def miss_weight(self) -> Table:
        """One part of a target's own size per unit missed: it makes misses of different units comparable."""
        sizes = (self._size(goal.bound) for goal, _ in self._goals if self.best_effort or goal.penalty is not None)
        return Table(self.missable, 1 / numbers(sizes))

    def _size(self, bound: Bound) -> float:
        """How large the two sides of a bound are on the baseline; 1 where both are zero [unit of its quantity]."""
        baseline: dict[Term, float] = defaultdict(float)
        for level in {level for level, _ in bound.excess}:
            baseline.update(zip(((level, y) for y in self.years), self.baseline_of(level).tolist(), strict=True))
        return max(abs(side.value(baseline)) for side in (bound.achieved, bound.bound)) or 1.0

    # Floors

    @derived
    def floors_(self) -> dict[str, float]:
        """The floor of each level that has one [unit of its quantity]."""
        return {
            self.level(row.quantity, scope): row.floor
            for row in self.given.quantities
            if row.floor is not None
            for scope in (self.cities if row.floor_scope == "city" else [PROVINCE])
        }

    @derived
    def decided(self) -> list[int]:
        """Years that are not history."""
        return [y for y in self.years if y > self.decided_after]

    @derived
    def floors(self) -> Keys:
        """Where and when a floor holds."""
        return self._terms(self.l, ((level, y) for level in self.floors_ for y in self.decided))

    @derived
    def floor(self) -> Table:
        """Least level [unit of its quantity]."""
        return Table(self.floors, np.repeat(numbers(self.floors_.values()), len(self.decided)))

    # Budgets

    @derived
    def _budget_heads(self) -> dict[str, Budget]:
        """The first row of each budget."""
        heads: dict[str, Budget] = {}
        for row in self.given.budgets:
            heads.setdefault(row.budget, row)
        return heads

    @derived
    def budget_levels(self) -> dict[str, str]:
        """The level that each budget limits."""
        return {
            b: self.level(FUND + ";".join(row.fund) if row.fund else "capex", row.scope, row.sectors)
            for b, row in self._budget_heads.items()
        }

    @derived
    def budgets(self) -> dict[Term, tuple[list[Term], float]]:
        """Every row a budget asks for: the spending it counts and its limit [currency]."""
        points: dict[str, dict[int | None, float]] = defaultdict(dict)
        for row in self.given.budgets:
            points[row.budget][row.year] = row.limit
        found: dict[Term, tuple[list[Term], float]] = {}
        for b, row in self._budget_heads.items():
            years = span(row.first_year, row.last_year, self.years)
            limits = path(points[b], years).tolist() if years else []
            level = self.budget_levels[b]
            if row.per == "span":
                if years:
                    found[b, years[-1]] = ([(level, y) for y in years], limits[0])
            else:
                total = 0.0
                for i, y in enumerate(years):
                    total = total + limits[i] if row.carry_over else limits[i]
                    counted = years[: i + 1] if row.carry_over else [y]
                    found[b, y] = ([(level, past) for past in counted], total)
        return found

    @derived
    def u(self) -> Axis:
        """Budgets."""
        return Axis(self.budget_levels)

    @derived
    def _limits(self) -> dict[Term, tuple[list[Term], float]]:
        """The rows of budgets that are enforced."""
        return {key: row for key, row in self.budgets.items() if key[1] > self.decided_after}

    @derived
    def budget_rows(self) -> Keys:
        """Rows of budgets that are enforced."""
        return self._terms(self.u, self._limits)

    @derived
    def budget_terms(self) -> Links:
        """Levels that a budget counts."""
        counts = np.array([len(terms) for terms, _ in self._limits.values()], dtype=np.int64)
        members = self._terms(self.l, (term for terms, _ in self._limits.values() for term in terms))
        return Links(self.budget_rows, counts, members)

    @derived
    def budget_limit(self) -> Table:
        """Most that may be spent [currency]."""
        return Table(self.budget_rows, numbers(limit for _, limit in self._limits.values()))

    # Pins

    @derived
    def p(self) -> Axis:
        """Pins."""
        return Axis(row.pin for row in self.given.pins)

    @derived
    def _pinned(self) -> dict[Term, tuple[Pin, list[tuple[str, str]]]]:
        """Every pin in every year it holds in, and the measures and cities it sums over."""
        found = {}
        for row in self.given.pins:
            cities = [row.city] if row.city else self.cities
            held = [(row.measure, c) for c in cities if self.possible[self.m.number[row.measure], self.c.number[c]]]
            for y in span(row.first_year, row.last_year, self.years):
                if y > self.decided_after:
                    starts = held if self.may_start[self.m.number[row.measure], self.y.number[y]] else []
                    found[row.pin, y] = (row, held if row.on == "stock" else starts)
        return found

    def _pins(self, side: str) -> list[Term]:
        """Rows of pins with some member that have a number on that side."""
        return [key for key, (row, members) in self._pinned.items() if members and getattr(row, side) is not None]

    @derived
    def pin_contradictions(self) -> list[tuple[str, tuple[str | int, ...]]]:
        """Pins that ask for something where nothing may stand."""
        return [("pins", key) for key, (row, members) in self._pinned.items() if not members and (row.min or 0.0) > 0]

    @derived
    def pins_least(self) -> Keys:
        """Pins with a least amount."""
        return self._terms(self.p, self._pins("min"))

    @derived
    def pins_most(self) -> Keys:
        """Pins with a largest amount."""
        return self._terms(self.p, self._pins("max"))

    @derived
    def pin_least(self) -> Table:
        """Least amount [unit of m]."""
        return Table(self.pins_least, numbers(self._pinned[key][0].min or 0.0 for key in self.pins_least))

    @derived
    def pin_most(self) -> Table:
        """Largest amount [unit of m]."""
        return Table(self.pins_most, numbers(self._pinned[key][0].max or 0.0 for key in self.pins_most))

    @derived
    def _pin_rows(self) -> Keys:
        """Every pin in every year it holds in."""
        return self._terms(self.p, self._pinned)

    def _pin_members(self, on: str) -> Links:
        """Measures and cities that pins on stock or on starts sum over."""
        chosen = [members if row.on == on else [] for row, members in self._pinned.values()]
        flat = [member for members in chosen for member in members]
        parts = (self.m.codes(m for m, _ in flat), self.c.codes(c for _, c in flat))
        return Links(
            self._pin_rows, np.array([len(members) for members in chosen], np.int64), Keys((self.m, self.c), parts)
        )

    @derived
    def pinned_stock(self) -> Links:
        """Measures and cities whose stock a pin bounds."""
        return self._pin_members("stock")

    @derived
    def pinned_starts(self) -> Links:
        """Measures and cities whose starts a pin bounds."""
        return self._pin_members("starts")

    @property
    def contradictions(self) -> list[tuple[str, tuple[str | int, ...]]]:
        """Rows without any variable that cannot hold: a family and a key each."""
        return [*self.group_contradictions, *self.pin_contradictions]

    # Objectives

    @derived
    def objectives(self) -> list[str]:
        """Names of the stages of the objective, cost among them."""
        names = list(self.given.settings.objective)
        return names if "cost" in names else [*names, "cost"]

    @derived
    def objective_levels(self) -> dict[str, str]:
        """The level of each stage but cost."""
        return {
            name: self.level(name.removeprefix("-").removeprefix("quantity:"))
            for name in self.objectives
            if name != "cost"
        }

    @derived
    def priorities(self) -> dict[str, int | None]:
        """Priority of each target that must be kept."""
        return {row.target: row.priority for row in self.given.targets if row.soft_penalty is None}

    @derived
    def stages(self) -> list[Objective]:
        """Stages of the objective, the first first."""
        stages = []
        if self.best_effort:
            for rank in sorted(set(self.priorities.values()), key=lambda r: (r is None, r or 0)):
                missed = [key for key in self.missable if self.priorities.get(self.goal_target[key[0]], -1) == rank]
                if missed:
                    stages.append(Objective("miss" if rank is None else f"miss:{rank}", misses=tuple(missed)))
        for name in self.objectives:
            levels = tuple((self.objective_levels[name], y) for y in self.years) if name != "cost" else ()
            stages.append(Objective(name, levels=levels))
        return stages

    # What levels sum over

    @derived
    def _kinds_of_level(self) -> dict[str, list[Level]]:
        """Levels of cost, of capital spending, of what funds pay, and of quantities."""
        found: dict[str, list[Level]] = {"cost": [], "capex": [], FUND: [], "quantity": []}
        for level in self.levels.values():
            what = FUND if level.what.startswith(FUND) else level.what
            found[what if what in found else "quantity"].append(level)
        return found

    def _every(self, kind: str) -> Keys:
        """Levels of a kind in every year."""
        return Keys((self.l,), (self.l.codes(level.id for level in self._kinds_of_level[kind]),)).times(self.y)

    @derived
    def quantity_levels(self) -> Keys:
        """Levels of quantities."""
        return self._every("quantity")

    @derived
    def spending_levels(self) -> Keys:
        """Levels of capital spending."""
        return self._every("capex")

    @derived
    def fund_levels(self) -> Keys:
        """Levels of what funds pay."""
        return self._every(FUND)

    @derived
    def cost_levels(self) -> Keys:
        """Levels of cost."""
        return self._every("cost")

    def _summed(self, index: Keys, members: Keys, chosen: Sequence[Codes], year: Codes) -> Links:
        """What each level of a kind sums over: the members at its positions, each in its year."""
        which = np.concatenate([np.zeros(0, dtype=np.int64), *chosen])
        level = np.repeat(np.arange(len(chosen)), [part.size for part in chosen])
        return Links.grouped(index, level * len(self.y) + year[which], members.only(which))

    @derived
    def level_changes(self) -> Links:
        """Changes that a level of a quantity sums."""
        q, c, s = self.places.parts
        levels = self._kinds_of_level["quantity"]
        chosen = self._counted(levels, c, s, lambda level, at: q[at] == self.q.number[level.what])
        counts = np.array([part.size for part in chosen], dtype=np.int64)
        which = np.concatenate([np.zeros(0, dtype=np.int64), *chosen])
        base = Keys((self.l,), (self.l.codes(level.id for level in levels),))
        return Links(base, counts, self.places.only(which)).times(self.quantity_levels)

    @derived
    def _pool_sectors(self) -> Codes:
        """Sector of each pool."""
        return self.s.codes(self.pool_sector.values())

    @derived
    def level_spendings(self) -> Links:
        """Pools and cities whose spending a level sums."""
        k, c, year = self.spendings.parts
        chosen = self._counted(self._kinds_of_level["capex"], c, self._pool_sectors[k])
        return self._summed(self.spending_levels, Keys((self.k, self.c), (k, c)), chosen, year)

    @derived
    def level_payments(self) -> Links:
        """Funds, pools and cities whose payments a level sums."""
        f, k, c, year = self.payments.parts
        sector = self._pool_sectors[k]
        chosen = self._counted(self._kinds_of_level[FUND], c, sector, lambda level, at: self._pays(level)[f[at]])
        return self._summed(self.fund_levels, Keys((self.f, self.k, self.c), (f, k, c)), chosen, year)

    def _pays(self, level: Level) -> Mask:
        """Funds that a level of what funds pay counts."""
        mask = np.zeros(len(self.f), dtype=bool)
        mask[self.f.codes(level.what.removeprefix(FUND).split(";"))] = True
        return mask

    def _holds(self, m: Codes, c: Codes) -> list[Codes]:
        """Positions of the measures in cities that each level of cost counts."""
        return self._counted(self._kinds_of_level["cost"], c, self.sector_of[m])

    @derived
    def level_holdings(self) -> Links:
        """Stock whose running cost a level sums."""
        m, c, year = self.holdings.parts
        return self._summed(self.cost_levels, Keys((self.m, self.c), (m, c)), self._holds(m, c), year)

    @derived
    def level_serving(self) -> Links:
        """Starts in service whose annuity a level sums."""
        at = (
            np.repeat(np.arange(len(self.holdings)), self.serving.counts) if self.cost_levels else np.zeros(0, np.int64)
        )
        m, c, year = (part[at] for part in self.holdings.parts)
        v = self.serving.members.parts[0][: at.size]
        return self._summed(self.cost_levels, Keys((self.m, self.c, self.y), (m, c, v)), self._holds(m, c), year)

    @derived
    def level_priced(self) -> Links:
        """Changes whose price a level sums."""
        q, c, s, year = self.priced.parts
        chosen = self._counted(self._kinds_of_level["cost"], c, s)
        return self._summed(self.cost_levels, Keys((self.q, self.c, self.s), (q, c, s)), chosen, year)

    @derived
    def level_base(self) -> Table:
        """What a level is when nothing is decided: its baseline, or what existing stock books on funds of its own."""
        rows = [np.zeros((0, len(self.y)))]
        for id_, level in self.levels.items():
            if level.what == "capex" or level.what.startswith(FUND):
                funds = self.funds if level.what == "capex" else level.what.removeprefix(FUND).split(";")
                rows.append(np.array([[self.earmarked_in(level, year, funds) for year in self.years]]))
            elif level.what == "cost":
                rows.append(np.zeros((1, len(self.y))))
            else:
                rows.append(self.baseline_of(id_)[None, :])
        return Table(self.leveled, np.concatenate(rows).ravel())

    def earmarked_in(self, level: Level, year: int, funds: Sequence[str]) -> float:
        """What existing stock books in a year on funds of its own, outside the mix [currency]."""
        return float(
            sum(
                amount
                for (f, m, c, y), amount in self.earmarked.items()
                if y == year and f in funds and self.covers(level, c, self.measures[m].sector)
            )
        )


class Asking:
    """What a kind of target sees of a problem; notes the levels it asks for, which makes them part of the model."""

    def __init__(self, problem: Levels) -> None:
        self.problem = problem
        self.years, self.base_year = problem.years, problem.base_year
        self.asked: dict[str, None] = {}
        self.base_level, self.baseline_of = problem.base_level, problem.baseline_of
        self.old_change_of, self.driver = problem.old_change_of, problem.driver

    def level(self, what: str, scope: str = PROVINCE, sectors: Iterable[str] = ()) -> str:
        """Id of the level of `what` over `scope` and `sectors` (none: all); asking makes it part of the model."""
        id_ = self.problem.level(what, scope, sectors)
        self.asked.setdefault(id_)
        return id_
