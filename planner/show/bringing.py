"""What `planner import-data` shows: which column becomes which, and the first rows as they would stand."""

from collections.abc import Sequence

from rich.text import Text

from planner.bringing import Bringing
from planner.cells import columns
from planner.files import RawTable
from planner.rows import Row
from planner.show.layout import GOOD, QUIET, Page, add, grid
from planner.tables import table_cells

FIRST = 8
"""Rows shown [-]."""


def show_mapping(page: Page, raw: RawTable, mapping: Bringing) -> None:
    """Columns of one's own, what they become, and how."""
    page.heading(page.t("bringing.title", table=mapping.table), raw.label)
    table = grid([page.t(f"bringing.{head}") for head in ("own", "column", "how")])
    for column, part in mapping.columns.items():
        how = []
        if "multiply" in part:
            how.append(f"× {part['multiply']:g}")
        if "unit" in part:
            how.append(page.t("bringing.unit", unit=part["unit"]))
        if column in mapping.values:
            pairs = [f"{name} → {id_}" for name, id_ in list(mapping.values[column].items())[:3]]
            how.append(
                ("、" if page.lang == "zh" else ", ").join(pairs) + ("…" if len(mapping.values[column]) > 3 else "")
            )
        own = (
            ("、" if page.lang == "zh" else ", ").join(mapping.years)
            if mapping.years and part["from"] in mapping.years
            else str(part["from"])
        )
        add(table, own, Text(column, style=GOOD), ("；" if page.lang == "zh" else "; ").join(how))
    for header in mapping.ignored:
        add(table, header, Text(page.t("bringing.ignored"), style=QUIET), "")
    page.show(table)


def show_rows(page: Page, row: type[Row], rows: Sequence[Row]) -> None:
    """The first rows as they would stand in the case."""
    lines = table_cells(row, tuple(rows[:FIRST]))
    known = columns(row)
    names = [str(name) for name in lines[0]]
    page.heading(page.t("bringing.rows", count=len(rows), first=min(FIRST, len(rows))))
    right = [place for place, name in enumerate(names) if name in known and known[name].kind in ("number", "whole")]
    table = grid(names, right=right)
    for cells in lines[1:]:
        add(table, *(f"{cell:.12g}" if isinstance(cell, float) else str(cell) for cell in cells))
    page.show(table)
