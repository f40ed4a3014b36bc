"""What `planner ranges` says: which numbers are the same in every optimal plan, and how far the others can vary."""

import math

import pandas as pd
from rich.text import Text

from planner.amounts import Shown, fine_decimals, number
from planner.highlights import lines
from planner.rows import PROVINCE
from planner.show.layout import GOOD, QUIET, Page, add, grid
from planner.text import aside


def show_ranges(page: Page, ranges: pd.DataFrame) -> None:
    """One line per number: what the plan found has, and least and most where others of equal cost differ."""
    fixed = int(ranges["unique"].eq(True).sum())
    page.line(Text(page.title(), style="bold"))
    page.line(page.t("ranges.title", fixed=fixed, count=len(ranges)))
    page.line()
    heads = [page.t(f"ranges.{head}") for head in ("number", "year", "value", "least", "most", "unit")]
    table = grid(["", *heads], right=[3, 4, 5], keep=[0, 2, 6])
    for row in lines(ranges):
        shown = unit(page, row)
        ends = [value * shown.factor for value in (row.value, row.low, row.high) if not missing(value)]
        places = fine_decimals(ends)
        told = ["?" if missing(value) else number(value * shown.factor, places) for value in (row.low, row.high)]
        mark = Text("=", style=GOOD) if row.unique is True else Text("~" if row.unique is False else "?")
        year = "" if pd.isna(row.year) else str(row.year)
        least, most = ("", "") if row.unique is True else told
        add(table, mark, name(page, row), year, number(row.value * shown.factor, places), least, most, shown.name)
    page.show(table)
    page.note(page.t("ranges.note"))


def missing(value: float | None) -> bool:
    """Whether an end was not found."""
    return value is None or math.isnan(value)


def unit(page: Page, row: object) -> Shown:
    """How a number is shown."""
    kind, id_ = getattr(row, "kind", ""), getattr(row, "id", "")
    if kind == "share":
        return Shown(100.0, "%")
    if kind == "measure":
        return page.unit("measures", id_)
    quantity = id_.removeprefix("-").removeprefix("quantity:")
    if kind == "sum":
        quantity = next((row.quantity for row in page.case.targets if row.target == id_), "") if page.case else ""
    return page.money if kind in ("capex", "fund") else page.unit("quantities", quantity)


def name(page: Page, row: object) -> Text:
    """Name of a number, with its scope where that is not the province."""
    kind, id_, scope = (getattr(row, part, "") for part in ("kind", "id", "scope"))
    words = {
        "objective": lambda: page.t("solve.objective", name=page.objective(id_)),
        "capex": lambda: page.t("solve.capex"),
        "fund": lambda: page.name("funds", id_),
        "quantity": lambda: page.quantity(id_),
        "measure": lambda: page.name("measures", id_),
    }.get(kind, lambda: page.name("targets", id_))()
    where = [page.name("sectors", page.place(part)) for part in scope.split("/") if part not in ("", PROVINCE)]
    return Text.assemble(
        words, (aside(("、" if page.lang == "zh" else ", ").join(where), page.lang) if where else "", QUIET)
    )
