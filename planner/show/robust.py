"""What `planner robust` says: the price of robustness, and what a robust plan does differently."""

import pandas as pd
from rich.text import Text

from planner.amounts import decimals, number
from planner.highlights import lines
from planner.robust import Robust, differences
from planner.show.layout import ALARM, GOOD, Page, add, grid
from planner.uncertainty import Ranges

MOST = 8
"""Measures shown [-]."""


def show_robust(page: Page, found: Robust, ranges: Ranges) -> None:
    """The assumption, the price by gamma, what cannot be protected, and what changes."""
    page.line(Text(page.title(), style="bold"))
    page.line(page.t("robust.title"))
    margins = [f"{grade} {100 * (1 - low):g}%" for column, grade, low, _ in ranges if column == "effects.value"]
    joined = ("、" if page.lang == "zh" else ", ").join(margins)
    page.note(page.t("robust.assumed", margins=joined or "0%"))
    prices(page, found)
    unprotected(page, found)
    changes(page, found)


def prices(page: Page, found: Robust) -> None:
    """Cost, price, penalties and capital spending by gamma."""
    page.heading(page.t("robust.prices"), page.money.name)
    heads = [page.t(f"robust.{name}") for name in ("gamma", "cost", "price", "penalties", "capex", "open")]
    shown = grid(heads, right=[0, 1, 2, 3, 4, 5])
    table = found.prices
    amounts = {name: table[name] * page.money.factor for name in ("cost", "price", "penalties", "capex")}
    places = {name: decimals(values.dropna(), 3) for name, values in amounts.items()}
    for i, row in enumerate(lines(table)):
        if pd.isna(row.cost):
            add(shown, f"{row.gamma:g}", page.t(f"status.{row.status}"), "", "", "", "")
            continue
        told = [number(float(amounts[name].iloc[i]), places[name]) for name in amounts]
        told[1] = f"+{told[1]}" if row.price > 0 else told[1]
        add(shown, f"{row.gamma:g}", *told, str(len([part for part in row.open.split(";") if part])))
    page.show(shown)
    page.note(page.t("robust.prices_note"))


def unprotected(page: Page, found: Robust) -> None:
    """Hard targets that some gamma cannot be borne with, and from which one on."""
    first: dict[str, float] = {}
    for row in lines(found.prices):
        for target in row.open.split(";"):
            if target:
                first.setdefault(target, row.gamma)
    if not first:
        page.line(Text(page.t("robust.all"), style=GOOD))
        return
    page.heading(page.t("robust.open_title"))
    shown = grid([page.t("robust.target"), page.t("robust.from")], right=[1])
    for target, gamma in first.items():
        add(shown, Text(page.name("targets", target), style=ALARM), f"{gamma:g}")
    page.show(shown)
    page.note(page.t("robust.open_note"))


def changes(page: Page, found: Robust) -> None:
    """Measures whose starts change most capital."""
    table = differences(found)
    if not len(table) or len(found.plans) < 2:
        return
    page.heading(page.t("robust.changes"))
    heads = [page.t("robust.measure"), *[f"Γ = {gamma:g}" for gamma in table.columns], page.t("robust.unit")]
    shown = grid(heads, right=range(1, len(heads) - 1), keep=[len(heads) - 1])
    for measure, row in table.head(MOST).iterrows():
        unit = page.unit("measures", str(measure))
        amounts = [float(value) * unit.factor for value in row]
        places = decimals(amounts, 3)
        cells = [number(value, places) for value in amounts]
        add(shown, page.name("measures", str(measure)), *cells, unit.name)
    page.show(shown)
