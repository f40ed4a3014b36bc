"""Plans side by side as a page."""

import math
from collections.abc import Iterable, Mapping

import pandas as pd
from rich.text import Text

from planner.amounts import Shown, decimals, fine_decimals, number
from planner.case import Case
from planner.compare import headlines, level_table, missed_targets, spending, starts_table
from planner.highlights import key_quantities, key_years, levels, lines
from planner.plan import Plan
from planner.show.layout import ALARM, Page, add, grid

MEASURES = 15
"""Measures shown that differ most [-]."""
QUANTITIES = 6
"""Quantities shown [-]."""


def show_comparison(page: Page, plans: Mapping[str, Plan]) -> None:
    """The whole page; amounts are named by the first case among the plans."""
    overview(page, plans)
    found = {name: plan for name, plan in plans.items() if plan.found}
    if not found:
        return
    path_tables(page, found)
    target_table(page, found)
    budget_table(page, found)
    start_table(page, found)


def overview(page: Page, plans: Mapping[str, Plan]) -> None:
    """Status, objective, cost without penalties, capital spending and targets missed of every plan."""
    money = page.money
    heads = [page.t(f"compare.{head}") for head in ("plan", "status", "objective")]
    of_money = [page.t(f"compare.{head}", unit=money.name) for head in ("net", "capex")]
    table = grid([*heads, "", *of_money, page.t("compare.missed")], right=[2, 4, 5, 6], keep=[1])
    rows = list(lines(headlines(plans).reset_index()))
    shown = [objective_shown(page, row.objective, row.unit) for row in rows]
    places = decimals([row.value * unit.factor for row, unit in zip(rows, shown, strict=True)])
    money_places = decimals([row.capex * money.factor for row in rows])
    net_places = decimals([row.net * money.factor for row in rows])
    for row, unit in zip(rows, shown, strict=True):
        bad = row.status not in ("optimal", "within_gap")
        cells: list[str | Text] = [Text(row.plan, style="bold")]
        cells.append(Text(page.t(f"statuses.{row.status}"), style=ALARM if bad else ""))
        if pd.notna(row.value):
            cells += [number(row.value * unit.factor, places), unit.name]
            cells += [number(row.net * money.factor, net_places)]
            cells += [number(row.capex * money.factor, money_places), f"{row.missed:.0f}"]
        else:
            cells += [""] * 5
        add(table, *cells)
    page.show(table)


def objective_shown(page: Page, name: object, unit: object) -> Shown:
    """How the value of an objective is shown; a plan without answer has none."""
    if not isinstance(name, str):
        return Shown(1.0, "")
    what = name.removeprefix("-")
    shown = page.unit("quantities", what.removeprefix("quantity:")) if what.startswith("quantity:") else page.money
    return shown if shown.name else Shown(1.0, str(unit))


def path_tables(page: Page, plans: Mapping[str, Plan]) -> None:
    """Key quantities in key years: one line per quantity and plan."""
    case = page.case
    quantities, years = key_axes(case, plans)
    table_of = level_table(plans, quantities, years)
    page.heading(page.t("compare.levels"))
    heads = [page.t("compare.quantity"), page.t("compare.plan"), *map(str, years), page.t("targets.unit")]
    table = grid(heads, right=range(2, 2 + len(years)), keep=[1, len(years) + 2])
    for quantity in quantities:
        of = table_of.loc[quantity]
        unit = page.unit("quantities", quantity)
        places = decimals(of.to_numpy().ravel() * unit.factor)
        for place, name in enumerate(plans):
            cells = [number(value * unit.factor, places) if pd.notna(value) else "" for value in of[name]]
            add(table, "" if place else page.quantity(quantity), name, *cells, "" if place else unit.name)
    page.show(table)


def key_axes(case: Case | None, plans: Mapping[str, Plan]) -> tuple[list[str], list[int]]:
    """Quantities and years that are shown; without any case the first quantities and the ends of the path."""
    first = levels(next(iter(plans.values())))
    known = list(dict.fromkeys(first["quantity"]))
    if case is None:
        years = sorted({int(year) for year in first["year"]})
        return known[:QUANTITIES], sorted({years[0], years[len(years) // 2], years[-1]})
    quantities = [quantity for quantity in key_quantities(case) if quantity in known][:QUANTITIES]
    return quantities, key_years(case, quantities[0]) if quantities else case.years[:1]


def target_table(page: Page, plans: Mapping[str, Plan]) -> None:
    """Targets that some plan misses, and by how much."""
    table_of = missed_targets(plans)
    page.heading(page.t("compare.targets"))
    if table_of.empty:
        page.note(page.t("compare.no_missed"))
        return
    bounded = {row.target: row.quantity for row in page.case.targets} if page.case else {}
    heads = [page.t("targets.target"), page.t("targets.year"), *plans, page.t("targets.unit")]
    table = grid(heads, right=range(2, 2 + len(plans)), keep=[1, len(plans) + 2])
    for (target, year), row in zip(table_of.index.to_flat_index(), table_of.to_numpy(), strict=True):
        unit = page.unit("quantities", bounded.get(target, ""))
        add(table, page.name("targets", target), str(year), *values(row, unit), unit.name)
    page.show(table)


def values(row: Iterable[float], unit: Shown) -> list[str]:
    """Numbers of one row in its unit; a dot for nothing, blank for unknown."""
    shown = [value * unit.factor for value in row]
    places = decimals(shown)
    return ["" if math.isnan(v) else number(v, places) if v else "·" for v in shown]


def budget_table(page: Page, plans: Mapping[str, Plan]) -> None:
    """What each plan spends from each budget."""
    table_of = spending(plans)
    if table_of.empty:
        return
    money = page.money
    page.heading(page.t("compare.budgets", unit=money.name))
    table = grid([page.t("budgets.budget"), *plans], right=range(1, 1 + len(plans)))
    places = fine_decimals(table_of.to_numpy().ravel() * money.factor)
    for budget, row in zip(table_of.index, table_of.to_numpy(), strict=True):
        cells = ["" if math.isnan(v) else number(v * money.factor, places) for v in row]
        add(table, page.name("budgets", str(budget)), *cells)
    page.show(table)


def start_table(page: Page, plans: Mapping[str, Plan]) -> None:
    """The measures whose starts differ most."""
    table_of = starts_table(plans)
    page.heading(page.t("compare.starts"))
    if table_of.empty:
        page.note(page.t("compare.same"))
        return
    table = grid([page.t("measures.measure"), *plans, page.t("measures.unit")], right=range(1, 1 + len(plans)))
    shown = table_of.head(MEASURES)
    for measure, row in zip(shown.index, shown.to_numpy(), strict=True):
        unit = page.unit("measures", str(measure))
        add(table, page.name("measures", str(measure)), *values(row, unit), unit.name)
    page.show(table)
    if len(table_of) > MEASURES:
        page.note(page.t("solve.more_short", count=len(table_of) - MEASURES))
