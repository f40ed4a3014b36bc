"""What the numbers of a plan rest on: the share of official figures, literature and estimates behind each headline.

A number is a sum of parts: baseline rows, effects of measures, items of money. A part is as good as the weakest row on
its way (effect, conversions, price), and counts with its size, whatever its sign. What overlaps take off is left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.case import Case
from planner.highlights import key_years, lines, main_quantity
from planner.plan import Plan
from planner.problem import Problem
from planner.rows import Row

GRADES = ("A", "B", "C", "")
"""From the best to the weakest; the last is a row without a grade."""
COLUMNS = ("number", "year", *(grade or "none" for grade in GRADES))
Path = NDArray[np.float64]
Parts = dict[str, float]
"""Sizes by grade."""


def weakest(grades: Iterable[str | None]) -> str:
    """The worst of some grades; none for no row at all.

    >>> weakest(["A", "C", "B"])
    'C'
    """
    return max((grade or "" for grade in grades), key=GRADES.index, default="")


def told_grades(case: Case, plan: Plan) -> list[dict[str, Any]]:
    """The shares behind the headlines of a plan, as they stand in `summary.json`."""
    found = resting(Problem(case), plan.portfolio, plan.costs)
    shares = list(COLUMNS[2:])
    found[shares] = found[shares].round(4)
    return [{str(name): value for name, value in row.items()} for row in found.to_dict("records")]


def resting(problem: Problem, portfolio: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Share of every grade behind the cost, the capital spending and the path of what the case is about [-].

    Columns: number (`cost`, `capex` or a quantity), year (0 for all of them), A, B, C, none.
    """
    case = problem.case
    stock = {(row.measure, row.city, row.year): row.stock for row in lines(portfolio) if row.stock}
    spent = portfolio.groupby("measure")["capex"].sum()
    rows: list[tuple[Any, ...]] = [("cost", 0, _cost(problem, stock, costs))]
    grades = _capital(problem)
    rows.append(("capex", 0, _sums((grades[str(m)], float(value)) for m, value in spent.items())))
    quantity = main_quantity(case)
    if quantity is not None:
        for year in key_years(case, quantity):
            parts = _sums([*_baseline(problem, quantity, year), *_changes(problem, quantity, year, stock)])
            rows.append((quantity, year, parts))
    found = []
    for number, year, parts in rows:
        whole = sum(parts.values())
        if whole:
            found.append((number, year, *(parts.get(grade, 0.0) / whole for grade in GRADES)))
    return pd.DataFrame(found, columns=list(COLUMNS))


def _sums(parts: Iterable[tuple[str, float]]) -> Parts:
    sums: dict[str, float] = defaultdict(float)
    for grade, value in parts:
        sums[grade] += abs(value)
    return sums


def _grades(rows: Iterable[Row], *columns: str) -> dict[Any, str]:
    """Weakest grade of the rows that share some cells."""
    found: dict[Any, list[str | None]] = defaultdict(list)
    for row in rows:
        key = tuple(getattr(row, column) for column in columns)
        found[key if len(columns) > 1 else key[0]].append(row.grade)
    return {key: weakest(grades) for key, grades in found.items()}


def _capital(problem: Problem) -> dict[str, str]:
    """Grade of the capital cost by measure."""
    learning = [row for row in problem.case.measure_costs if row.capex is not None]
    return _grades(problem.case.measures, "measure") | _grades(learning, "measure")


def _ways(problem: Problem, quantity: str) -> dict[str, tuple[Path, str]]:
    """What a unit of each quantity brings to `quantity` over the plan, through all conversions, and their grade."""
    grades = _grades(problem.case.conversions, "from_quantity", "to_quantity", "to_sector", "allocation")
    ways: dict[str, tuple[Path, str]] = {quantity: (np.ones(len(problem.years)), "A")}
    for route in reversed(problem.routes):
        if route.target in ways:
            carried, grade = ways[route.target]
            factor, before = ways.get(route.source, (np.zeros(len(problem.years)), "A"))
            own = grades[route.source, route.target, route.to_sector or None, route.allocation or None]
            ways[route.source] = (factor + route.factor[1:] * carried, weakest((before, grade, own)))
    return ways


def _baseline(problem: Problem, quantity: str, year: int) -> Iterable[tuple[str, float]]:
    """Parts of the level without measures."""
    grades = _grades(problem.case.baseline, "quantity", "city", "sector")
    at = problem.years.index(year) + 1
    for (q, c, s), values in problem.baseline_path.items():
        if q == quantity:
            yield grades[q, c or None, s], float(values[at])


def _changes(
    problem: Problem, quantity: str, year: int, stock: Mapping[tuple[str, str, int], float]
) -> Iterable[tuple[str, float]]:
    """Parts of the change: each measure's effect on each quantity, carried on by the conversions."""
    grades = _grades(problem.case.effects, "measure", "quantity", "city")
    at = problem.years.index(year)
    ways = _ways(problem, quantity)
    parts: dict[tuple[str, str, str], float] = defaultdict(float)
    for (m, q, c), values in problem.effect_path.items():
        held = stock.get((m, c, year))
        if held and q in ways:
            factor, grade = ways[q]
            own = grades.get((m, q, c), grades.get((m, q, None), ""))
            parts[m, q, weakest((grade, own))] += held * float(values[at + 1]) * float(factor[at])
    return [(grade, value) for (_, _, grade), value in parts.items()]


def _cost(problem: Problem, stock: Mapping[tuple[str, str, int], float], costs: pd.DataFrame) -> Parts:
    """Parts of the cost: capital and running cost, what prices make of changes, penalties."""
    case = problem.case
    capital = _capital(problem)
    running = _grades(case.measures, "measure") | _grades(
        [row for row in case.measure_costs if row.fixed_om is not None], "measure"
    )
    price, target = _grades(case.prices, "quantity"), _grades(case.targets, "target")
    parts: list[tuple[str, float]] = []
    own = {"annuity": capital, "fixed_om": running, "penalty": target}
    for row in lines(costs.groupby(["item", "id", "year"], sort=False)["discounted"].sum().reset_index()):
        if row.item != "price":
            parts.append((own[row.item][row.id], row.discounted))
            continue
        changed = _sums(_changes(problem, row.id, row.year, stock))
        whole = sum(changed.values())
        if not whole:
            parts.append((price[row.id], row.discounted))
        for grade, part in changed.items():
            parts.append((weakest((price[row.id], grade)), row.discounted * part / (whole or 1.0)))
    return _sums(parts)
