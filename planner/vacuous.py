"""What a case asks in vain: rows that cannot bind whatever is built, and measures that can never serve."""

from collections import defaultdict
from collections.abc import Iterator

from planner.amounts import number
from planner.case import Case
from planner.errors import Issue, warning
from planner.problem import Problem
from planner.rows import FUND
from planner.targets import Bound
from planner.worst import Worst

ROOM = 1e-9
"""A row binds for nobody when the most that can be built stays within it by this part of its bound [-]."""
TOLD = ("no_potential", "zero_potential", "lump_above_potential", "never_in_service")
"""Warnings of the checks on a measure that cannot be built."""
STILL = ("nothing_moves", "peak_at_last_year")
"""Warnings of the checks on a target that no plan can change."""


def vacuous(case: Case) -> tuple[Issue, ...]:
    """Warnings for rows without effect, by arithmetic alone: no solve, so a row may be idle and not be named."""
    problem = Problem(case)
    return (*idle_targets(problem), *idle_budgets(problem), *idle_groups(problem), *idle_measures(problem))


def idle_targets(problem: Problem) -> Iterator[Issue]:
    """Targets that no plan can miss in any year that is still to be decided, where the checks have not said so."""
    told = {issue.row for issue in problem.case.warnings if issue.key in STILL}
    worst = Worst(problem)
    asked: dict[str, list[Bound]] = defaultdict(list)
    for name, year in problem.goals:
        asked[problem.goal_target[name]].append(problem.bounds[name, year])
    units = {row.quantity: row.unit for row in problem.case.quantities}
    for row in problem.case.targets:
        if row.at.row in told or row.target not in asked:
            continue
        rooms: list[tuple[float, int]] = []
        for bound in asked[row.target]:
            excess, size = worst.excess(bound)
            if excess > ROOM * size:
                break
            rooms.append((max(0.0, -excess), bound.year))
        else:
            least, year = min(rooms)
            unit = units.get(row.quantity, problem.case.settings.currency)
            room = f"{number(least)} {unit}"
            yield warning("idle_target", row.at, "value", found=row.value, target=row.target, room=room, year=year)


def idle_budgets(problem: Problem) -> Iterator[Issue]:
    """Budgets whose every limit exceeds the most that its funds could spend in its scope and years."""
    spendable: dict[int, list[tuple[str, str, float]]] = defaultdict(list)
    for (k, c, y), starts in problem.pool_starts.items():
        started = sum(problem.installment[m, v] * problem.start_limit[m, c, v] for m, v in starts)
        spendable[y].append((k, c, started + problem.pool_booked[k, c, y]))
    most: dict[tuple[str, int], float] = {}
    for level, y in {term for terms, _ in problem.budgets.values() for term in terms}:
        spec = problem.levels[level]
        funds = problem.funds if spec.what == "capex" else spec.what.removeprefix(FUND).split(";")
        most[level, y] = problem.earmarked_in(spec, y, funds)
        for k, c, amount in spendable[y]:
            if problem.covers(spec, c, problem.pool_sector[k]):
                shares = sum(problem.max_share.get((f, k), 0.0) for f in funds)
                most[level, y] += amount * (1.0 if spec.what == "capex" else min(1.0, shares))
    tightest: dict[str, float] = defaultdict(lambda: float("inf"))
    for (b, _), (terms, limit) in problem.budgets.items():
        spent = sum(most[term] for term in terms)
        tightest[b] = min(tightest[b], limit * (1 - ROOM) - spent)
    for row in problem.case.budgets:
        if tightest.pop(row.budget, -1.0) >= 0:
            yield warning("idle_budget", row.at, "limit", found=row.limit, budget=row.budget)


def idle_groups(problem: Problem) -> Iterator[Issue]:
    """Groups that stay within their cap, or within what is free, at full potential and fastest ramp."""
    binding: set[str] = {g for g, _, _ in problem.overlaps if problem.loss[g].any()}
    for keys, stock, starts, bound in (
        (problem.shared, problem.shared_stock, problem.shared_starts, problem.cap),
        (problem.required, problem.dependent_stock, problem.dependent_starts, problem.free),
    ):
        for key in keys:
            g, _, y = key
            most = sum(problem.weight[g, m, c, y] * problem.potential[m, c, y] for m, c in stock[key])
            most += sum(problem.weight[g, m, c, y] * problem.start_limit[m, c, y] for m, c in starts[key])
            if most > bound[key] * (1 + ROOM):
                binding.add(g)
    named: set[str] = set()
    for row in problem.case.groups:
        if row.group not in binding and row.group not in named:
            named.add(row.group)
            yield warning("idle_group", row.at, "group", found=row.group)


def idle_measures(problem: Problem) -> Iterator[Issue]:
    """Measures that neither stand anywhere nor can be started in any year, where the checks have not said so."""
    told = {issue.row for issue in problem.case.warnings if issue.key in TOLD}
    alive = {m for m, c, v in problem.startable if problem.start_limit[m, c, v] > 0}
    alive |= {m for (m, c, y), units in problem.existing.items() if units}
    for row in problem.case.measures:
        if row.measure not in alive and row.at.row not in told:
            yield warning("idle_measure", row.at, "measure", found=row.measure)
