"""What `planner goals` says: the cost, the emissions and the price of every goal."""

import math
from typing import Any

import pandas as pd
from rich.text import Text

from planner.amounts import decimals, number
from planner.goalcosts import CHANGE
from planner.highlights import lines, main_quantity
from planner.show.answer import price_words
from planner.show.explain import pin_words
from planner.show.layout import QUIET, Page, add, grid
from planner.text import aside

MOST = 4
"""Decimals that the smallest value of a column may ask for [-]."""
EMISSIONS = 3
"""Emissions shown beside the cost [-]."""
KIND, NAME, NUMBER, PRICE = 6, 25, 9, 20
"""Widths of the columns [characters]."""


def show_goals(page: Page, goals: pd.DataFrame) -> None:
    """One line per goal that costs something, dearest first; the others by name."""
    page.line(Text(page.title(), style="bold"))
    costly = goals[goals["binding"] | goals["cost"].ne(0)].sort_values("cost", ascending=False, kind="stable")
    shown = emissions(page, costly)
    money = page.money
    page.heading(page.t("goals.title"))
    if len(costly):
        first = next(lines(costly))
        cost = number(first.cost * money.factor)
        page.line(page.t("goals.sentence", name=name(page, first.kind, first.id), cost=cost, money=money.name))
        page.line()
    heads = [f"{page.quantity(q)} [{page.unit('quantities', q).name}]" for q in shown]
    widths = [KIND, NAME, *[NUMBER] * (1 + len(shown)), PRICE]
    table = grid(["", "", page.t("goals.cost", unit=money.name), *heads, page.t("goals.price")])
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
        column.justify = "right" if width == NUMBER else "left"
    places = one_for_all(costly["cost"] * money.factor)
    units = {q: page.unit("quantities", q).factor for q in shown}
    digits = {q: one_for_all(costly[CHANGE + q] * units[q]) for q in shown}
    for row in lines(costly):
        changes = {q: getattr(row, CHANGE + q) * units[q] for q in shown}
        cells = [number(change, digits[q]) if change else "·" for q, change in changes.items()]
        cost = "?" if pd.isna(row.cost) else number(row.cost * money.factor, places)
        kind = Text(page.t(f"goals.{row.kind}"), style=QUIET)
        add(table, kind, name(page, row.kind, row.id), cost, *cells, price(page, row))
    page.show(table)
    free = [name(page, row.kind, row.id) for row in lines(goals.drop(costly.index))]
    if free:
        page.line(page.t("goals.free", names=("、" if page.lang == "zh" else "; ").join(free)))
    page.note(page.t("goals.note"))


def one_for_all(values: pd.Series) -> int:
    """Decimals for a column: four digits of its largest value, and one at least of its smallest, as far as fits.

    >>> one_for_all(pd.Series([3.1, 0.02])), one_for_all(pd.Series([-37416.34, 0.02])), one_for_all(pd.Series([720.0]))
    (3, 1, 0)
    """
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    fine = min(MOST, max((-math.floor(math.log10(size)) for size in sizes), default=0))
    places = max(decimals(sizes), fine)
    while places and len(number(-max(sizes), places)) > NUMBER:
        places -= 1
    return places


def emissions(page: Page, goals: pd.DataFrame) -> list[str]:
    """The emissions that goals move: the main one first, then in the order of the case."""
    columns = [str(column) for column in goals.columns]
    moved = [column.removeprefix(CHANGE) for column in columns if column.startswith(CHANGE) and goals[column].any()]
    main = main_quantity(page.case) if page.case is not None else None
    bounded = {row.quantity for row in page.case.targets} if page.case is not None else set()
    return sorted(moved, key=lambda q: (q != main, q not in bounded))[:EMISSIONS]


def name(page: Page, kind: str, id_: str) -> str:
    """Name of a goal; of a pin what it asks for."""
    return page.name(f"{kind}s", id_)


def price(page: Page, row: Any) -> str:
    """Price of one unit in its dearest year."""
    kind, id_, year = row.kind, row.id, row.year
    if pd.isna(year) or page.case is None:
        return ""
    sides = (float(row.price_loosen), float(row.price_tighten))
    if kind == "target":
        quantity = next(target.quantity for target in page.case.targets if target.target == id_)
        words = price_words(page, quantity, *sides)
    elif kind == "budget":
        words = price_words(page, "capex", *sides)
    else:
        words = pin_words(page, id_, sides)
    return words + aside(str(year), page.lang)
