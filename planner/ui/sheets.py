"""Sheets: rows of a case as people edit them, in the units of screens; and what they typed as edits of the case."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from planner import amounts
from planner.amounts import Shown
from planner.case import Case
from planner.cells import columns
from planner.errors import CaseError, Issue
from planner.rows import PROVINCE, TABLES, Row, is_money
from planner.text import t
from planner.ui.draft import EditMapping
from planner.ui.levers import FRACTIONS, fresh_id
from planner.ui.words import PARTS, quantity_unit

SHEETS: Mapping[str, tuple[str, ...]] = {
    "targets": (
        *("name", "quantity", "kind", "sense", "value", "unit", "first_year", "last_year", "scope", "sectors", "of"),
        *("by", "decline", "per", "soft_penalty", "clause", "target"),
    ),
    "budgets": (
        *("name", "limit", "unit", "per", "year", "fund", "scope", "sectors", "first_year", "last_year"),
        *("carry_over", "budget"),
    ),
    "pins": ("measure", "city", "on", "min", "max", "unit", "first_year", "last_year", "pin"),
    "measures": (
        *("name", "sector", "unit", "capex", "fixed_om", "lifetime", "lead_time", "ramp", "first_year", "lump"),
        *("measure",),
    ),
    "prices": ("quantity", "component", "price", "year"),
}
"""Tables that can be edited, and their columns; `name` and `unit` are made for people."""
FIXED = frozenset({"unit", "clause"})
IDS = {"targets": "target", "budgets": "budget", "pins": "pin"}
"""Columns that name a row for the program: made up where they are left blank."""
PERCENT = Shown(100.0, "%")
ONE = Shown(1.0, "")


@dataclass(frozen=True)
class Typed:
    """What somebody did to a sheet: cells by row, new rows, rows taken away."""

    edited: Mapping[int, Mapping[str, Any]]
    added: tuple[Mapping[str, Any], ...]
    deleted: tuple[int, ...]

    @classmethod
    def of(cls, raw: Any) -> "Typed":
        """From what the editor keeps; numbers of rows may be text."""
        raw = raw or {}
        edited = {int(row): dict(cells) for row, cells in (raw.get("edited_rows") or {}).items()}
        added = tuple({k: v for k, v in row.items() if not k.startswith("_")} for row in raw.get("added_rows") or [])
        return cls(
            edited,
            tuple(row for row in added if any(v not in (None, "") for v in row.values())),
            tuple(raw.get("deleted_rows") or []),
        )

    @property
    def nothing(self) -> bool:
        """Whether nothing was done."""
        return not (any(self.edited.values()) or self.added or self.deleted)


def sheet(case: Case, table: str, lang: str) -> pd.DataFrame:
    """A table as it is shown for editing."""
    rows = [[_shown(case, table, row, column, lang) for column in SHEETS[table]] for row in case.rows(table)]
    return pd.DataFrame(rows, columns=list(SHEETS[table])).astype(
        {column: "Float64" for column in SHEETS[table] if kind(table, column) in ("number", "whole")}
    )


def kind(table: str, column: str) -> str:
    """What a column takes."""
    if column in ("name", "unit"):
        return "text"
    return columns(TABLES[table])[column].kind


def _shown(case: Case, table: str, row: Row, column: str, lang: str) -> object:
    if column == "name":
        return getattr(row, f"name_{lang}") or ""
    if column == "unit":
        return unit_name(case, table, row.values(), lang)
    value = getattr(row, column)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return float(f"{value * factor(case, table, row.values(), column, lang).factor:.12g}")
    return ";".join(value) if isinstance(value, tuple) else value


def unit_name(case: Case, table: str, cells: Mapping[str, Any], lang: str) -> str:
    """Name of the unit of a row's main number."""
    if table == "measures":
        return amounts.unit(str(cells["unit"]), lang).name
    main = {"targets": "value", "budgets": "limit", "pins": "min"}[table]
    if table == "targets" and cells.get("kind") == "peak" and cells.get("value") is None:
        return ""
    return factor(case, table, cells, main, lang).name


def factor(case: Case, table: str, cells: Mapping[str, Any], column: str, lang: str) -> Shown:
    """What a number of a row is multiplied with to be shown, and the name of its unit."""
    if (table, column) in PARTS:
        return PERCENT
    if table == "targets" and column == "value":
        if cells.get("kind") in FRACTIONS:
            return PERCENT
        quantity = str(cells.get("quantity"))
        known = is_money(quantity) or any(row.quantity == quantity for row in case.quantities)
        return quantity_unit(case, quantity, lang) if known else ONE
    if (table, column) == ("budgets", "limit"):
        return amounts.money(case.settings.money_unit, case.settings.currency, lang)
    if table == "pins" and column in ("min", "max"):
        units = [row.unit for row in case.measures if row.measure == cells.get("measure")]
        return amounts.unit(units[0], lang) if units else ONE
    return ONE


def choices(case: Case, table: str, column: str) -> list[str]:
    """What may stand in a column of ids; nothing where anything may."""
    row = TABLES[table]
    if column == "quantity":
        return [*(one.quantity for one in case.quantities), *(("capex", "cost") if table == "targets" else ())]
    if column == "scope":
        groups = dict.fromkeys(one.group for one in case.city_groups)
        return [PROVINCE, *(one.city for one in case.cities), *groups]
    if column in row.references and kind(table, column) != "many":
        return [str(one.ids()[0]) for one in case.rows(row.references[column])]
    return list(columns(row)[column].choices) if kind(table, column) == "choice" else []


# ---------------------------------------------------------------- what was typed


def edits(case: Case, table: str, typed: Typed, lang: str) -> tuple[list[EditMapping], list[int]]:
    """What was typed as edits of the case, and for each the number of its row as it is shown."""
    rows = case.rows(table)
    found: list[EditMapping] = []
    numbers: list[int] = []
    for number, cells in sorted(typed.edited.items()):
        if number in typed.deleted or not cells:
            continue
        row = rows[number]
        change = _cells(case, table, {**row.values(), **cells}, cells, lang)
        found.append({"table": table, "key": dict(zip(row.key, row.ids(), strict=True)), "set": change})
        numbers.append(number + 1)
    for number in sorted(typed.deleted):
        row = rows[number]
        found.append({"table": table, "key": dict(zip(row.key, row.ids(), strict=True)), "remove": True})
        numbers.append(number + 1)
    taken = {str(row.ids()[0]) for row in rows}
    for place, cells in enumerate(typed.added, start=len(rows) + 1):
        change = {name: value for name, value in _cells(case, table, cells, cells, lang).items() if value is not None}
        if table in IDS and not change.get(IDS[table]):
            change[IDS[table]] = fresh_id(f"{IDS[table]}_{place}", taken)
        taken.add(str(change.get(IDS.get(table, ""))))
        found.append({"table": table, "add": change})
        numbers.append(place)
    return found, numbers


def _cells(case: Case, table: str, whole: Mapping[str, Any], cells: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """Typed cells in the units of the table; a number follows when the unit of its row changes."""
    found: dict[str, Any] = {}
    for name, value in cells.items():
        if name in FIXED:
            continue
        if name == "name":
            found[f"name_{lang}"] = value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = float(f"{value / factor(case, table, whole, name, lang).factor:.15g}")
        elif isinstance(value, bool):
            found[name] = "yes" if value else "no"
        else:
            found[name] = value
    return found


def faults(case: Case, table: str, typed: Typed, lang: str) -> tuple[list[EditMapping], list[Issue]]:
    """Edits, and every fault in them placed by the row on screen; no fault where they can be applied."""
    made, numbers = edits(case, table, typed, lang)
    try:
        case.edited(made, "edits")
    except CaseError as fault:
        return made, list(_placed(fault.errors, table, numbers, lang))
    return made, []


def _placed(issues: Iterable[Issue], table: str, numbers: list[int], lang: str) -> Iterable[Issue]:
    for issue in issues:
        if issue.file == "edits" and issue.row is not None and issue.row <= len(numbers):
            yield replace(issue, file=t(f"ui.table.{table}", lang), row=numbers[issue.row - 1], counted="row")
        else:
            yield issue
