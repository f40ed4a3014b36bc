"""Words: what differs from the case and what cannot be had, with names and units."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from planner import amounts
from planner.case import Case
from planner.errors import CaseError, InfeasibleError, PlannerError
from planner.plan import Plan
from planner.rows import Row, Target, is_money
from planner.session import Refusal
from planner.text import issue, messages, t
from planner.ui.draft import Difference, EditMapping
from planner.ui.levers import CAP, FRACTIONS, years_text

MOST_ISSUES = 8
"""Faults that are told on a page before the rest are only counted [-]."""
MINUS = "\u2212"
SIDES = {"<=": "most", ">=": "least"}
MONEY_COLUMNS = {("budgets", "limit"), ("measures", "capex"), ("measures", "fixed_om"), ("existing", "capex")}
UNIT_OF_MEASURE = {("pins", "min"), ("pins", "max"), ("potentials", "potential"), ("existing", "units")}
PARTS = {
    *(("measures", "ramp"), ("fund_rules", "max_share"), ("targets", "decline")),
    *(("", "discount_rate"), ("allocations", "share")),
}
"""Columns that are shown in percent."""
SHORTER = 1e-5
"""What a number that cannot be had to its last digit is loosened by, as a part of it [-]."""


# ---------------------------------------------------------------- names and numbers


def plain(text: str) -> str:
    """A name of the tables as plain text where words may be marked up.

    >>> print(plain("a *b* [c](d)"))
    a \\*b\\* \\[c\\](d)
    """
    return re.sub(r"([\\`*\[\]<>$~#|])", r"\\\1", text)


def issue_lines(fault: CaseError, lang: str) -> list[str]:
    """Faults as a list, the first few of them."""
    lines = [f"- {plain(issue(one, lang))}" for one in fault.errors[:MOST_ISSUES]]
    left = len(fault.errors) - MOST_ISSUES
    return [*lines, f"- {t('ui.no_plan.more', lang, count=left)}"] if left > 0 else lines


def told_fault(fault: PlannerError, lang: str) -> str:
    """Why something could not be worked out."""
    if isinstance(fault, CaseError):
        return "\n".join(["", "", *issue_lines(fault, lang)])
    return t("ui.no_plan.infeasible", lang) if isinstance(fault, InfeasibleError) else str(fault)


def named(case: Case, table: str, id_: str, lang: str) -> str:
    """What people call a row of a table; its id where it has no name."""
    row = next((row for row in case.rows(table) if str(row.ids()[0]) == id_), None)
    return titled(case, row, lang) if row is not None else id_


def titled(case: Case, row: Row, lang: str) -> str:
    """What people call a row: its own name, else those of what it is about."""
    name = getattr(row, f"name_{lang}", None) or getattr(row, "name_en", None)
    if name:
        return str(name)
    parts: list[str] = []
    for column in row.key:
        value = getattr(row, column)
        if value is None or value == "" or (column == "year" and parts):  # the year is told beside the name
            continue
        table = row.references.get(column)
        parts.append(named(case, table, str(value), lang) if table else choice(str(value), lang))
    if row.table == "pins":
        parts.append(named(case, "measures", row.measure, lang))  # type: ignore[attr-defined]
    return " · ".join(parts)


def choice(word: str, lang: str) -> str:
    """What people call a word of the tables; itself where nothing else is known."""
    key = f"ui.choice.{word}"
    return messages()[key][lang] if key in messages() else word


def column_name(column: str, lang: str) -> str:
    """What people call a column; its id where nothing else is known."""
    key = f"ui.column.{column}"
    return messages()[key][lang] if key in messages() else column


def cell(case: Case, table: str, row: Row | None, column: str, value: Any, lang: str) -> str:
    """A value of a cell with its unit."""
    if value is None or value in ("", ()):
        return t("ui.change.blank", lang)
    if isinstance(value, bool):
        return t(f"ui.change.{'yes' if value else 'no'}", lang)
    if isinstance(value, tuple):
        return ("、" if lang == "zh" else ", ").join(choice(str(one), lang) for one in value)
    if not isinstance(value, int | float):
        return str(value)
    if (table, column) in PARTS or (isinstance(row, Target) and column == "value" and row.kind in FRACTIONS):
        return percent(value, lang)
    unit = _unit(case, table, row, column, lang)
    if unit is not None:
        return amount(value, unit, lang)
    return f"{value:.12g}"


def _unit(case: Case, table: str, row: Row | None, column: str, lang: str) -> amounts.Shown | None:
    if (table, column) in MONEY_COLUMNS or (isinstance(row, Target) and is_money(row.quantity)):
        return amounts.money(case.settings.money_unit, case.settings.currency, lang)
    if isinstance(row, Target) and column == "value":
        return quantity_unit(case, row.quantity, lang)
    if (table, column) in UNIT_OF_MEASURE and row is not None:
        measure = row.measure  # type: ignore[attr-defined]
        return amounts.unit(next(one.unit for one in case.measures if one.measure == measure), lang)
    if (table, column) in (("quantities", "floor"), ("baseline", "value")) and row is not None:
        return quantity_unit(case, row.quantity, lang)  # type: ignore[attr-defined]
    return None


def quantity_unit(case: Case, quantity: str, lang: str) -> amounts.Shown:
    """How amounts of a quantity, or of money under a reserved name, are shown."""
    if is_money(quantity):
        return amounts.money(case.settings.money_unit, case.settings.currency, lang)
    return amounts.unit(next(row.unit for row in case.quantities if row.quantity == quantity), lang)


def amount(value: float, unit: amounts.Shown, lang: str) -> str:
    """A number with its unit, as many digits as it has, at most six."""
    shown = value * unit.factor
    digits = max(amounts.decimals([shown]), amounts.decimals([float(f"{shown:.6g}")], 6) if shown % 1 else 0)
    text = amounts.number(shown, digits)
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return t("ui.amount", lang, number=text.replace("-", MINUS), unit=unit.name)


def percent(value: float, lang: str) -> str:
    """A fraction in percent."""
    return t("ui.percent", lang, number=f"{float(f'{100 * value:.6g}'):g}".replace("-", MINUS))


# ---------------------------------------------------------------- differences


def difference(before: Case, after: Case, one: Difference, lang: str) -> str:
    """One difference between two cases in words."""
    if not one.table:
        values = {side: cell(after, "", None, one.column, value, lang) for side, value in _sides(one)}
        return t("ui.change.setting", lang, name=column_name(one.column, lang), **values)
    case = before if one.what == "removed" else after
    assert one.row is not None
    name = plain(titled(case, one.row, lang))
    table = t(f"ui.table.{one.table}", lang)
    if one.what != "changed":
        return t(f"ui.change.{one.what}", lang, table=table, name=name)
    values = {side: cell(case, one.table, one.row, one.column, value, lang) for side, value in _sides(one)}
    year = getattr(one.row, "year", None)
    if year is not None and one.column != "year":
        name = t("ui.level", lang, quantity=name, year=year)
    return t("ui.change.changed", lang, table=table, name=name, column=column_name(one.column, lang), **values)


def _sides(one: Difference) -> Iterator[tuple[str, Any]]:
    yield "before", one.before
    yield "after", one.after


# ---------------------------------------------------------------- what cannot be had


def refused(case: Case, refusals: Iterable[Refusal], bound: bool, lang: str, loosest: float | None = None) -> list[str]:
    """What was asked for and how far it can be had, a line each; several years of one number as one.

    `loosest` is where the cap of the lever begins [of the base year].
    """
    lines: list[str] = []
    for one in _tightest(case, refusals):
        row = _row(case, one)
        name = named(case, one.table, one.id.split(";")[0], lang) if row is None else titled(case, row, lang)
        asked, most = (_stated(case, one, row, value, bound, lang, loosest) for value in (one.asked, one.most))
        year = years_text(one.year, one.year, lang) if one.year else ""
        if isinstance(row, Target) and row.target.startswith(CAP):
            year = years_text(row.first_year or one.year or 0, row.last_year or one.year or 0, lang)
            name = next((q.__dict__[f"name_{lang}"] for q in case.quantities if q.quantity == row.quantity), name)
        elif row is not None and one.column not in ("value", "limit"):
            name = t("ui.joined", lang, what=name, unit=column_name(one.column, lang))
        side = _side(row, one)
        name = plain(name)
        lines.append(
            t(
                f"ui.refused.{side}" if year else f"ui.refused.{side}_always",
                lang,
                name=name,
                year=year,
                asked=asked,
                most=most,
            )
        )
    return lines


def _side(row: Row | None, one: Refusal) -> str:
    """Whether the number is the most or the least that is allowed."""
    if isinstance(row, Target):
        return SIDES[row.sense or "<="]
    return "most" if one.asked < one.most else "least"


def _row(case: Case, one: Refusal) -> Row | None:
    """The row that a refusal is about."""
    ids = one.id.split(";")
    for row in case.rows(one.table):
        names = [str(getattr(row, name)) for name in row.key if name != "year" and getattr(row, name)]
        if names == ids and (one.year is None or getattr(row, "year", one.year) in (one.year, None)):
            return row
    return None


def _tightest(case: Case, refusals: Iterable[Refusal]) -> list[Refusal]:
    """One refusal per number: that of the year which can be had least."""
    found: dict[tuple[str, str, str, int | None], Refusal] = {}
    for one in refusals:
        row = _row(case, one)
        key = one.table, one.id, one.column, None if isinstance(row, Target) else one.year
        if key not in found or (isinstance(row, Target) and _share(row, one) > _share(row, found[key])):
            found[key] = one
    return list(found.values())


def _share(row: Target, one: Refusal) -> float:
    """By how much a row is missed, as a part of what is asked."""
    return (one.most - one.asked) * (1 if row.sense == "<=" else -1) / max(abs(one.asked), 1e-12)


def _stated(
    case: Case, one: Refusal, row: Row | None, value: float, bound: bool, lang: str, loosest: float | None
) -> str:
    """A number of a refusal with its unit: of the cell, or, found by arithmetic alone, of what the target bounds."""
    if isinstance(row, Target) and bound:
        if row.kind == "share" or (row.kind == "peak" and not _is_level(row, one)):
            return percent(value, lang)
        return amount(value, quantity_unit(case, row.quantity, lang), lang)
    if isinstance(row, Target) and row.target.startswith(CAP) and row.kind == "change":
        said = {"number": f"{100 * (1 + value):.4g}", "base": case.settings.base_year}
        if loosest:
            return t("ui.refused.less", lang, **said, deeper=f"{100 * (1 - (1 + value) / loosest):.1f}")
        return t("ui.refused.of_base", lang, **said)
    return cell(case, one.table, row, one.column, value, lang)


def _is_level(row: Target, one: Refusal) -> bool:
    return row.value is not None and abs(one.asked - row.value) <= 1e-9 * abs(row.value)


def furthest(case: Case, refusals: Iterable[Refusal], bound: bool) -> list[EditMapping]:
    """Edits that ask for no more than can be had."""
    edits: list[EditMapping] = []
    for one in _tightest(case, refusals):
        row = _row(case, one)
        if row is None:
            continue
        column, value = one.column, one.most
        if isinstance(row, Target) and bound:
            column, value = _value(row, one)
        if isinstance(row, Target):
            value += SHORTER * abs(value) * (1 if row.sense == "<=" and column == "value" else -1)
        elif bound or one.table != "pins":
            value += SHORTER * (one.most - one.asked)
        key = dict(zip(row.key, row.ids(), strict=True))
        edits.append({"table": one.table, "key": key, "set": {column: value}})
    return edits


def _value(row: Target, one: Refusal) -> tuple[str, float]:
    """Column and value of a target that asks for the best that arithmetic allows."""
    if row.kind == "peak" and not _is_level(row, one):
        return "decline", 1 - one.most
    if row.kind in ("change", "intensity") and row.value is not None and one.asked:
        return "value", (1 + row.value) * one.most / one.asked - 1
    return "value", one.most


def is_proven(plan: Plan) -> bool:
    """Whether an independent recomputation has proven a plan."""
    return plan.summary.get("proof") == "certificate"
