"""Sheets of a case to edit: headers with units, explanations, lists to choose from; only headers and ids are locked.

Locks have no password: they guard against slips, not against people. Rows can be added and removed everywhere.
"""

from collections.abc import Iterator
from copy import copy
from typing import Any, cast, get_args

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from planner.case import Case
from planner.cells import Column, columns
from planner.reference import chinese, describe, label
from planner.rows import FUND, MONEY, PROVINCE, TABLES, Row, Settings
from planner.tables import SETTINGS_SHEET, settings_values, sheet_cell, table_cells
from planner.text import t

GUIDE, LISTS = "_guide", "_lists"
"""Sheets that explain the workbook, and that hold what drop-down lists offer."""
IDENTIFIED = ("cities", "sectors", "departments", "quantities", "measures", "funds", "sources")
"""Tables whose ids other tables use: the ids of their rows are locked."""
MUST, MAY, OWN = PatternFill("solid", fgColor="0F766E"), PatternFill("solid", fgColor="64748B"), PatternFill()
FONT = "Calibri"
WIDEST = 44
"""Width of a column at most [characters]."""
FURTHER = 200
"""Rows below the last one for which lists are offered at least [-]."""
SPARE = 6
"""Columns to the right that stay open for columns of one's own [-]."""
LARGEST = 1e300


def input_sheets(book: Workbook, case: Case, lang: str) -> None:
    """The guide, the settings, every table (also those without rows), and what lists offer."""
    guide(book, case, lang)
    settings(book, case, lang)
    scopes = lists(book, case)
    for name, row in TABLES.items():
        table(book.create_sheet(name), case, row, scopes, lang)
    hidden = book[LISTS]
    hidden.sheet_state = "hidden"
    book.move_sheet(hidden, len(book.worksheets))
    book.active = 0


def guide(book: Workbook, case: Case, lang: str) -> None:
    """What the workbook is, how to edit it, and what every sheet holds."""
    sheet = book.create_sheet(GUIDE)
    sheet.sheet_view.showGridLines = False
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 22, 110
    title = case.settings.title
    sheet.append([title.get(lang) or next(iter(title.values()), case.settings.name)])
    sheet["A1"].font = Font(name=FONT, bold=True, size=16, color="0F766E")
    for number in range(1, 8):
        sheet.append(["", t(f"book.guide_{number}", lang, currency=case.settings.currency)])
    sheet.append([])
    sheet.append([t("book.sheet", lang), t("book.holds", lang)])
    for cell in sheet[sheet.max_row]:
        cell.font = Font(name=FONT, bold=True)
    for name, row in {SETTINGS_SHEET: Settings, **TABLES}.items():
        about = " ".join((row.__doc__ or "").split())
        sheet.append([name, f"{chinese()['tables'][name]}" if lang == "zh" else about])
        sheet.cell(sheet.max_row, 1).hyperlink = f"#'{name}'!A1"
        sheet.cell(sheet.max_row, 1).font = Font(name=FONT, color="0F766E", underline="single")
    for cells in sheet.iter_rows(min_col=2, max_col=2):
        cells[0].alignment = Alignment(wrap_text=True, vertical="top")


def settings(book: Workbook, case: Case, lang: str) -> None:
    """The sheet `case`: setting and value, with what each is in a comment."""
    sheet = book.create_sheet(SETTINGS_SHEET)
    sheet.append(["setting", "value"])
    head(sheet["A1"], MUST, "", lang)
    head(sheet["B1"], MUST, "", lang)
    known = columns(Settings)
    values = settings_values(case.settings)
    choices = {}
    for name, column in known.items():
        if name in ("source", "grade", "note", "data"):
            continue
        value = values.get(name, "")
        told: list[tuple[str, object]] = [(name, ";".join(value) if isinstance(value, tuple) else value)]
        if isinstance(value, dict):
            told = [(f"{name}.{code}", text) for code, text in value.items()]
        for setting, cell in told:
            if cell == "" and not column.filled:
                continue
            sheet.append([setting, sheet_cell(cell)])
            sheet.cell(sheet.max_row, 1).comment = note(explained("case", name, column, lang))
            if column.choices:
                choices[sheet.max_row] = column.choices
    for row, offered in choices.items():
        offer(sheet, f"B{row}", '"' + ",".join(offered) + '"', strict=True)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 22, 60
    sheet.freeze_panes = "B2"
    lock(sheet, 2, [f"A{row}" for row in range(2, sheet.max_row + 1)])


def lists(book: Workbook, case: Case) -> dict[str, str]:
    """What lists offer that is no single table: formulas by (table, column)."""
    sheet = book.create_sheet(LISTS)
    money = [*MONEY, *(FUND + row.fund for row in case.funds)]
    quantities = [row.quantity for row in case.quantities]
    drivers = list(dict.fromkeys(row.driver for row in case.drivers))
    offered = {
        "scope": [PROVINCE, *dict.fromkeys([*(row.city for row in case.cities), *case.scopes[1:]])],
        "quantity": [*quantities, *money],
        "of": [*quantities, *drivers],
    }
    found = {}
    for place, (name, values) in enumerate(offered.items(), start=1):
        for number, value in enumerate([name, *values], start=1):
            sheet.cell(number, place, sheet_cell(value))
        letter = get_column_letter(place)
        found[name] = f"{LISTS}!${letter}$2:${letter}${len(values) + 1}"
    return found


def table(sheet: Worksheet, case: Case, row: type[Row], scopes: dict[str, str], lang: str) -> None:
    """One table: header, rows, explanations, lists, locks."""
    rows = case.rows(row.table)
    lines = table_cells(row, rows, whole=True)
    known = columns(row)
    names = [str(name) for name in lines[0]]
    open_cell: Any = sheet.cell(2, 1)
    open_cell.protection = Protection(locked=False)
    style = copy(open_cell._style)
    for number, cells in enumerate(lines[1:], start=2):
        for place, value in enumerate(cells, start=1):
            cell = cast("Any", sheet.cell(number, place))
            if value != "":
                cell.value = sheet_cell(value)
            cell._style = copy(style)
    last = len(rows) + 1
    for place, name in enumerate(names, start=1):
        column = known.get(name)
        letter = get_column_letter(place)
        heading: Any = sheet.cell(1, place, name)
        fill = MUST if column is not None and column.header else MAY
        head(heading, fill, label(row.table, name, lang) if column is not None else "", lang)
        sizes = [wide(lines[number][place - 1]) for number in range(1, min(len(lines), FURTHER))]
        widest = max([*sizes, *(wide(part) for part in str(heading.value).split("\n"))])
        sheet.column_dimensions[letter].width = min(WIDEST, widest + 3)
        if column is not None:
            heading.comment = note(explained(row.table, name, column, lang))
            offered(sheet, row, column, f"{letter}2:{letter}{max(last, 1) + FURTHER}", scopes)
    sheet.row_dimensions[1].height = 32
    sheet.freeze_panes = "B2" if row.key[0] == names[0] else "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(names))}{max(last, 2)}"
    ids = [f"A{number}" for number in range(2, last + 1)] if row.table in IDENTIFIED else []
    lock(sheet, len(names) + SPARE, ids, len(names))


def wide(value: object) -> int:
    """Width of a cell [characters]; a Chinese one counts twice."""
    return sum(2 if ord(letter) > 255 else 1 for letter in str(value))


def head(cell: Any, fill: PatternFill, further: str, lang: str) -> None:
    """A header cell: the name of the column, below it what people call it and its unit."""
    cell.value = f"{cell.value}\n{further}" if further else cell.value
    cell.font = Font(name=FONT, bold=True, color="FFFFFF")
    cell.fill = fill
    cell.alignment = Alignment(wrap_text=True, vertical="top")


def explained(table_name: str, name: str, column: Column, lang: str) -> str:
    """What a column means, whether it must be filled, what a blank cell means, and an example."""
    lines = [describe(table_name, name, lang)]
    default = column.info.get_default(call_default_factory=True)
    if column.filled:
        lines.append(t("book.must", lang))
    elif default not in (None, (), False) and not isinstance(default, type(...)):
        shown = (
            ";".join(default)
            if isinstance(default, tuple)
            else f"{default:g}"
            if isinstance(default, float)
            else default
        )
        lines.append(t("book.blank", lang, default=shown))
    if column.kind == "many":
        lines.append(t("book.many", lang))
    example = (column.info.examples or [""])[0]
    if example:
        lines.append(t("book.example", lang, example=example))
    return "\n".join(lines)


def note(text: str) -> Comment:
    """A comment that is large enough for its text."""
    rows = sum(1 + wide(line) // 44 for line in text.split("\n"))
    return Comment(text, "planner", height=24 + 17 * rows, width=320)


def offered(sheet: Worksheet, row: type[Row], column: Column, cells: str, scopes: dict[str, str]) -> None:
    """A list to choose from, or the numbers that a column takes."""
    name = column.name
    if column.kind == "choice":
        offer(sheet, cells, '"' + ",".join(column.choices) + '"', strict=True)
    elif column.kind == "yesno":
        offer(sheet, cells, '"yes,no"', strict=True)
    elif column.kind == "text" and name in row.references:
        ids = f"{row.references[name]}!$A$2"
        offer(sheet, cells, f"OFFSET({ids},0,0,MAX(1,COUNTA({ids}:$A$5000)),1)")
    elif row.table in ("targets", "budgets") and name in scopes:
        offer(sheet, cells, scopes[name])
    elif column.kind in ("whole", "number"):
        least, most = limits(column)
        check = DataValidation(
            type="whole" if column.kind == "whole" else "decimal",
            operator="between",
            formula1=f"{least:.17g}",
            formula2=f"{most:.17g}",
            allow_blank=True,
            errorStyle="stop",
        )
        check.add(cells)
        sheet.add_data_validation(check)


def offer(sheet: Worksheet, cells: str, formula: str, strict: bool = False) -> None:
    """A drop-down list; what is not on it is refused, or only asked about where it may be added later."""
    check = DataValidation(
        type="list",
        formula1=formula,
        allow_blank=True,
        errorStyle="stop" if strict else "warning",
        showErrorMessage=True,
    )
    check.add(cells)
    sheet.add_data_validation(check)


def limits(column: Column) -> tuple[float, float]:
    """Least and most that a number of this column may be."""
    most = 1e9 if column.kind == "whole" else LARGEST
    least = -most
    for rule in rules(column.info.annotation, column.info.metadata):
        for name in ("ge", "gt", "le", "lt"):
            bound = getattr(rule, name, None)
            if bound is not None:
                least, most = (max(least, bound), most) if name[0] == "g" else (least, min(most, bound))
    return least, most


def rules(annotation: Any, metadata: Any) -> Iterator[Any]:
    """All bounds of a type, also those inside of an option."""
    for rule in metadata:
        yield from getattr(rule, "metadata", None) or [rule]
    for part in get_args(annotation):
        yield from rules(part, getattr(part, "__metadata__", ()))


def wide_page(sheet: Worksheet) -> None:
    """Print across, all columns on one page, the header on each."""
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"


def lock(sheet: Worksheet, width: int, ids: list[str], header: int = 2) -> None:
    """Lock the header and these cells; everything else, and the rows still to come, stays open."""
    unlocked = Protection(locked=False)
    for place in range(1, width + 1):
        dimension: Any = sheet.column_dimensions[get_column_letter(place)]
        dimension.protection = unlocked
        if place > header:
            sheet.cell(1, place).protection = unlocked
    for cells in sheet.iter_rows(min_row=2):
        for cell in cells:
            if cell.protection.locked:
                cell.protection = unlocked
    for address in ids:
        sheet[address].protection = Protection(locked=True)
        sheet[address].font = Font(name=FONT, bold=True)
    allowed = ("formatCells", "formatColumns", "formatRows", "insertColumns", "insertRows", "deleteColumns")
    wide_page(sheet)
    for name in (*allowed, "deleteRows", "sort", "autoFilter", "objects", "scenarios"):
        setattr(sheet.protection, name, False)
    sheet.protection.sheet = True
