"""What `planner fair` says: what fairness costs, and what each city cuts and bears without and with it."""

import math

from rich.text import Text

from planner.amounts import decimals, number
from planner.fairness import Fair
from planner.highlights import lines
from planner.show.layout import Page, grid
from planner.show.layout import add as add_row
from planner.show.tradeoffs import part

FOLD = 11
"""Width within which heads wrap above their numbers [characters]."""


def show_fair(page: Page, fair: Fair, kind: str) -> None:
    """The price of a rule (`equal` or `cap`), then a line per city."""
    money, per = page.money, page.t(f"fair.{fair.per}")
    page.line(Text(page.title(), style="bold"))
    words = {"quantity": page.quantity(fair.quantity), "year": fair.year, "part": part(page, fair.asked)}
    page.heading(page.t(f"fair.{kind}", most=number(fair.asked), per=per, **words))
    before = number(fair.before.objective * money.factor)
    if fair.extra is not None:
        none = abs(fair.extra) <= 1e-6 * abs(fair.before.objective)
        extra = number(fair.extra * money.factor)
        page.line(page.t("fair.free" if none else "fair.cost", extra=extra, before=before, unit=money.name))
    elif fair.furthest is None:
        page.line(page.t("fair.unknown"))
    else:
        furthest = part(page, fair.furthest) if kind == "equal" else number(fair.furthest)
        page.line(page.t(f"fair.no_{kind}", furthest=furthest))
    show_cities(page, fair, per)


def show_cities(page: Page, fair: Fair, per: str) -> None:
    """A line per city; what the rule brings only where there is a plan that keeps it."""
    money, cities = page.money, fair.cities
    sides = ["_before", "_after"] if fair.after is not None else ["_before"]
    mean = fair.mean
    words = ("cut", "capex", "burden") if mean > 0 else ("cut", "capex")
    keys = [f"fair.{word}{side.removeprefix('_before')}" for word in words for side in sides]
    heads = [page.t(key, year=fair.year, unit=money.name, per=per) for key in keys]
    table = grid([page.t("fair.city"), *heads], right=range(1, len(heads) + 1), keep=[0], fold=FOLD)
    places = decimals(cities[["capex_before"]].to_numpy().ravel() * money.factor)
    for row in lines(cities):
        cells = [
            part(page, value) if math.isfinite(value) else "" for value in (getattr(row, f"cut{s}") for s in sides)
        ]
        cells += [number(getattr(row, f"capex{side}") * money.factor, places) for side in sides]
        if mean > 0:
            cells += [number(getattr(row, f"burden{side}") / mean, 2) for side in sides]
        add_row(table, page.name("cities", row.city), *cells)
    page.line()
    page.show(table)
    page.note(page.t("fair.note"))
