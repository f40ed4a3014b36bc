"""The Jiangxi case makes physical sense wherever a plan may lie, and answers hard questions with a plan."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from planner.case import Case
from planner.engine import Options
from planner.highlights import levels
from planner.plan import Plan, solve
from planner.problem import Problem
from planner.tables import read_case

FOLDER = Path(__file__).parent.parent / "cases/jiangxi"
QUICK = Options(prices=False, break_ties=False, certify=False)
CLOSE = 1e-9
"""Relative difference at which a balance closes [-]."""
MAY_BE_NEGATIVE = {"co2_net"}
CHANGES = ("electricity", "clean_generation", "firm_capacity")
"""Quantities whose changes are pooled over the province."""


@cache
def jiangxi() -> Case:
    return read_case(FOLDER)


@cache
def plan() -> Plan:
    return solve(jiangxi(), QUICK)


def table(frame: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Level without and with the plan by city, sector and year."""
    of = frame[frame["quantity"] == quantity].fillna({"city": ""}).set_index(["city", "sector", "year"])
    return of[["baseline", "planned"]].astype(float)


def total(frame: pd.DataFrame, quantity: str, column: str) -> pd.Series:
    return frame[frame["quantity"] == quantity].groupby("year")[column].sum().astype(float)


# --- no level below zero ----------------------------------------------------------------------------------------------


def with_baseline(case: Case) -> set[str]:
    """Quantities that have a level; the others count changes only."""
    return {row.quantity for row in case.baseline} - MAY_BE_NEGATIVE


def test_no_level_of_the_plan_is_below_zero() -> None:
    frame = plan().quantities
    frame = frame[frame["quantity"].isin(with_baseline(jiangxi()))]
    assert frame["planned"].astype(float).min() > -1e-9 * frame["baseline"].astype(float).max()


@pytest.mark.parametrize("objective", ["quantity:co2", "quantity:nox"])
def test_no_level_is_below_zero_at_the_ends_of_the_frontiers(objective: str) -> None:
    edits = [{"setting": "objective", "value": [objective]}, {"setting": "tolerance", "value": 0.001}]
    end = solve(jiangxi().edited(edits), replace(QUICK, crossover=True))
    assert end.status == "optimal"
    frame = end.quantities[end.quantities["quantity"].isin(with_baseline(jiangxi()))]
    assert frame["planned"].astype(float).min() > -1e-9 * frame["baseline"].astype(float).max()


def cells(problem: Problem) -> Iterator[tuple[str, str, str, int]]:
    """What could be cut below zero: quantity, city, sector and year."""
    known = with_baseline(problem.case)
    for q, c, s, y in problem.changes:
        if q in known and y in (2025, 2030, 2035):
            yield q, c, s, y


class Lowest:
    """The least a level can be over all stocks within potentials and groups: no portfolio goes lower.

    Pooled changes are bounded on their own: coal generation by its floor, the need for coal capacity by every unit
    that could be built; so the bound holds for any objective, target and budget.
    """

    def __init__(self, problem: Problem) -> None:
        self.p = problem
        self.base: dict[tuple[str, str, str, int], float] = {}
        first = problem.base_year
        for (q, c, s), path in problem.baseline_path.items():
            for y in problem.years:
                self.base[q, c, s, y] = float(path[y - first])
        self.floor = {row.quantity: row.floor for row in problem.case.quantities if row.floor is not None}

    def pooled_least(self, q: str, c: str, s: str, y: int) -> float | None:
        """Least change that pools bring to a place; None where none reaches it."""
        routes = self.p.allocated[q, c, s, y]
        if not routes:
            return None
        if q in self.floor:
            whole = sum(value for key, value in self.base.items() if key[0] == q and key[3] == y)
            return self.p.allocation[routes[0][0], c] * (self.floor[q] - whole)
        least = 0.0
        for route, sector in routes:
            for member in self.p.pool_members[route, sector, y]:
                factor = self.p.conversion[route, y] * self.p.allocation[route, c]
                place = (*member, y)
                for m in self.p.causes[place]:
                    least += min(0.0, factor * self.p.effect[(m, *member[:2], y)] * self.p.potential[m, member[1], y])
        return least

    def terms(self, q: str, c: str, s: str, y: int) -> tuple[dict[str, float], dict[str, float], float]:
        """Coefficients of stock and overlaps in a change, and the least of what is pooled."""
        stock = {m: self.p.effect[m, q, c, y] for m in self.p.causes[q, c, s, y]}
        overlaps = {g: self.p.overlap_loss[g, y] for g in self.p.losses[q, c, s, y]}
        least = self.pooled_least(q, c, s, y) or 0.0
        for route, source, sector in self.p.converted[q, c, s, y]:
            factor = self.p.conversion[route, y]
            more, common, pooled = self.terms(source, c, sector, y)
            for m, value in more.items():
                stock[m] = stock.get(m, 0.0) + factor * value
            for g, value in common.items():
                overlaps[g] = overlaps.get(g, 0.0) + factor * value
            least += min(0.0, factor * pooled)
        return stock, overlaps, least

    def level(self, q: str, c: str, s: str, y: int) -> float:
        stock, overlaps, least = self.terms(q, c, s, y)
        start = self.base.get((q, c, s, y), 0.0) + least
        members = [m for m, value in stock.items() if self.p.potential.get((m, c, y), 0.0) > 0]
        room = [self.p.potential[m, c, y] for m in members]
        gain = [stock[m] for m in members]
        if start + sum(min(0.0, g * u) for g, u in zip(gain, room, strict=True)) >= 0:
            return start
        rows, caps = [], []
        for key in self.p.shared:
            g, where, year = key
            held = dict(self.p.shared_stock[key]) if year == y and where == c else {}
            row = [self.p.weight[g, m, c, y] if m in held else 0.0 for m in members]
            if any(row):
                rows.append([*row, *[0.0] * len(overlaps)])
                caps.append(self.p.cap[key])
        for place, g in enumerate(overlaps):
            pair = [m for m in self.p.overlap_members.get((g, c, y), []) if m in members]
            row = [1 / room[i] if m in pair else 0.0 for i, m in enumerate(members)]
            if len(pair) == 2:
                rows.append([*row, *[-1.0 if i == place else 0.0 for i in range(len(overlaps))]])
                caps.append(1.0)
        found: Any = linprog(
            [*gain, *overlaps.values()],
            A_ub=np.array(rows) if rows else None,
            b_ub=caps or None,
            bounds=[*[(0.0, u) for u in room], *[(0.0, 1.0)] * len(overlaps)],
        )
        return start + float(found.fun)


def test_no_level_can_be_cut_below_zero_whatever_is_built() -> None:
    problem = Problem(jiangxi())
    lowest = Lowest(problem)
    below = {cell: least for cell in cells(problem) if (least := lowest.level(*cell)) < -1e-6}
    assert not below


# --- balances ---------------------------------------------------------------------------------------------------------


IDENTITIES = {
    "oil": {"diesel": 1.4571, "gasoline": 1.4714},
    "total_energy": {"fossil_energy": 1.0, "nonfossil_energy": 1.0},
    "co2e": {"co2": 1.0, "ch4": 0.028, "n2o": 0.265, "fgas": 1.0},
    "co2_net": {"co2": 1.0, "co2_sink": -1.0},
    "fossil_energy": {"coal": 1.0, "oil": 1.0, "gas": 1.0},
}


@pytest.mark.parametrize("whole", IDENTITIES)
def test_energy_and_carbon_add_up(whole: str) -> None:
    frame = plan().quantities
    of = table(frame, whole)
    left = of["planned"] - of["baseline"]
    for name, factor in IDENTITIES[whole].items():
        part = table(frame, name)
        left = left.sub(factor * (part["planned"] - part["baseline"]), fill_value=0.0)
    if whole == "co2e":  # plastics: life-cycle change without its own gas
        left = left[[s != "waste" for _, s, _ in left.index]]
    if whole == "oil":  # the refinery has its own fuel
        left = left[[s != "industry" for _, s, _ in left.index]]
    assert left.abs().max() <= CLOSE * of["planned"].abs().max()


@pytest.mark.parametrize("whole", ["total_energy", "co2_net"])
def test_the_baseline_adds_up_too(whole: str) -> None:
    frame = plan().quantities
    left = total(frame, whole, "planned")
    for part, factor in IDENTITIES[whole].items():
        left = left - factor * total(frame, part, "planned")
    assert left.abs().max() <= 1e-6 * total(frame, whole, "planned").abs().max()  # 7 digits in the tables


def test_the_electricity_balance_closes() -> None:
    frame = plan().quantities
    change = {q: total(frame, q, "planned") - total(frame, q, "baseline") for q in ("coal_generation", *CHANGES)}
    left = change["coal_generation"] - change["electricity"] + 0.97 * change["clean_generation"]
    assert left.abs().max() <= CLOSE * total(frame, "coal_generation", "planned").max()
    need = total(frame, "coal_capacity", "planned") - total(frame, "coal_capacity", "baseline")
    left = need - 0.18 * change["electricity"] + change["firm_capacity"]
    assert left.abs().max() <= CLOSE * total(frame, "coal_capacity", "planned").max()


# --- targets that mean what they say ----------------------------------------------------------------------------------


def without(*targets: str) -> Case:
    return jiangxi().edited([{"table": "targets", "key": {"target": target}, "remove": True} for target in targets])


def co2(of: Plan) -> pd.Series:
    path = levels(of)
    return path[path["quantity"] == "co2"].set_index("year")["planned"]


def test_carbon_targets_never_raise_emissions() -> None:
    rows = [row.target for row in jiangxi().targets if row.quantity == "co2"]
    free, held = co2(solve(without(*rows), QUICK)), co2(plan())
    assert held.sum() < free.sum()
    assert held.max() <= free.max() + 1e3  # levels are rounded up to a full Mt
    assert held.loc[2026:2030].max() <= free.loc[2026:2030].max() + 1e3


# --- questions that must have an answer -------------------------------------------------------------------------------


def half_the_money() -> list[dict[str, Any]]:
    rows = [(row.budget, row.limit) for row in jiangxi().budgets]
    return [{"table": "budgets", "key": {"budget": b}, "set": {"limit": limit / 2}} for b, limit in rows]


def less_wind_and_sun() -> list[dict[str, Any]]:
    return [
        {
            "table": "potentials",
            "key": {"measure": row.measure, "city": row.city, "year": row.year},
            "set": {"potential": 0.75 * row.potential},
        }
        for row in jiangxi().potentials
        if row.measure.startswith(("pv_utility", "pv_distributed", "wind"))
    ]


@pytest.mark.parametrize("edits", [half_the_money, less_wind_and_sun])
def test_a_hard_question_has_a_plan(edits: Any) -> None:
    asked = solve(jiangxi().edited(edits()), QUICK)
    assert asked.status == "optimal"
    assert asked.targets["missed"].sum() > 0  # what cannot be reached is told, not hidden
