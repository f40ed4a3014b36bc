"""Case <-> folder or workbook. One door: raw cells -> rows, with every fault placed -> checks -> Case."""

import csv
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from planner.case import Case
from planner.cells import OWN, closest, columns, row_from
from planner.checks import Memory, checked
from planner.errors import CaseError, Issue, Place, error
from planner.files import (
    MOST_COLUMNS,
    FileError,
    RawTable,
    escaped,
    read_mapping,
    read_table,
    read_workbook,
)
from planner.rows import TABLES, Row, Settings
from planner.saving import UNFINISHED, settled, write_bytes, write_files

SETTINGS_FILE = "case.yaml"
SETTINGS_SHEET = "case"
TOTALS = frozenset({"合计", "总计", "小计", "共计", "总和", "全省合计", "total", "totals", "sum", "subtotal"})
UNREAD = Settings(
    name="unread", title={}, base_year=1900, first_year=1901, last_year=1901, discount_rate=0, currency="-"
)
"""Stands in for settings that cannot be read, so that everything that does not depend on them is still checked."""


@dataclass
class _Reading:
    """What has been read so far."""

    issues: list[Issue] = field(default_factory=list)
    settings: Settings | None = None
    rows: dict[str, tuple[Row, ...]] = field(default_factory=dict)
    ids: dict[str, set[str]] = field(default_factory=dict)
    """First cells of every row by table, read or refused: a fault in a row must not make its id unknown."""
    refused: dict[str, set[str]] = field(default_factory=dict)
    """Ids of rows that were refused, by table, as they stand."""
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    """Letter of every column by sheet; in the sheet of settings the address of every value."""
    spoiled: set[str] = field(default_factory=set)
    """Tables that lost rows to faults: checks that need them whole are not made."""


def read_case(path: Path | str) -> Case:
    """The case in a folder or an .xlsx workbook; raises CaseError with every fault found."""
    path = Path(path)
    reading = _Reading()
    if path.is_file() or path.suffix.lower() in (".xlsx", ".xls", ".xlsm"):
        _from_workbook(path, reading)
    else:
        _from_folder(path, reading)
    if not reading.rows:
        raise CaseError(_addressed(reading.issues, reading))
    _add_meant_ids(reading)
    memory = Memory()
    spoiled = reading.spoiled | ({Settings.table} if reading.settings is None else set())
    tables, issues = checked(reading.settings or UNREAD, reading.rows, reading.ids, spoiled, memory)
    issues = _addressed(reading.issues + issues, reading)
    if reading.settings is None or any(issue.severity == "error" for issue in issues):
        raise CaseError(issues)
    folder = path if path.is_dir() else None
    kept: dict[str, Any] = {"folder": folder, "warnings": tuple(issues), "memory": memory}
    return Case(settings=reading.settings, **kept, **tables)


# ---------------------------------------------------------------- folder


def _from_folder(folder: Path, reading: _Reading) -> None:
    if not folder.is_dir():
        key = "is_no_case" if folder.exists() else "case_missing"
        reading.issues.append(error(key, Place(folder.name or str(folder))))
        return
    try:
        with settled(folder):
            _tables_of_folder(folder, reading)
    except OSError as fault:
        reason = os.strerror(fault.errno or 0)
        reading.issues.append(error("file_unreadable", Place(folder.name or str(folder)), reason=reason))


def _tables_of_folder(folder: Path, reading: _Reading) -> None:
    try:
        cells, issues = read_mapping(folder / SETTINGS_FILE, SETTINGS_FILE)
    except FileError as fault:
        reading.issues.append(fault.issue)
        cells, issues = {}, []
    else:
        _settings(cells, Place(SETTINGS_FILE), reading)
    reading.issues += issues
    places = _places(folder, cells.get("data"), reading)
    for place, label in places:
        _strangers(place, label, reading)
    for name, row in TABLES.items():
        for place, label in places:
            file = place / f"{name}.csv"
            if file.exists() or file.is_symlink():
                try:
                    raw, issues = read_table(file, label + file.name)
                except FileError as fault:
                    reading.issues.append(fault.issue)
                    reading.spoiled.add(name)
                else:
                    if issues:
                        reading.issues += issues
                        if any(issue.severity == "error" for issue in issues):
                            reading.spoiled.add(name)
                    _rows(raw, row, reading)
                break
        else:
            if row.needed:
                reading.issues.append(error("table_missing", Place(f"{name}.csv")))
                reading.spoiled.add(name)


def _settings(cells: Mapping[str, Any], place: Place, reading: _Reading) -> None:
    settings, issues = row_from(Settings, cells, place)
    reading.issues += issues
    if isinstance(settings, Settings):
        reading.settings = settings


def _places(folder: Path, data: object, reading: _Reading) -> list[tuple[Path, str]]:
    """Folders to look in, each with what goes before a file's name in messages."""
    places = [(folder, "")]
    for other in data if isinstance(data, list) else [data] if isinstance(data, str) else []:
        further = folder / str(other)
        if further.is_dir():
            places.append((further, f"{str(other).rstrip('/')}/"))
        else:
            reading.issues.append(error("data_missing", Place(SETTINGS_FILE), "data", found=other))
    return places


def _strangers(folder: Path, label: str, reading: _Reading) -> None:
    """Tables that nobody would read: unknown names, capital letters, other endings."""
    for file in sorted(folder.iterdir()):
        name = file.name.split(".")[0]
        ending = file.name[len(name) :].lower()
        if file.name.startswith((".", "~")) or (ending == ".csv" and name in TABLES and file.name.endswith(".csv")):
            continue
        place = Place(label + file.name)
        if ending == ".csv" or (ending.startswith((".csv", ".xls", ".tsv", ".txt")) and name.lower() in TABLES):
            expected = name.lower() if name.lower() in TABLES else closest(name, TABLES)
            reading.issues.append(error("unknown_table", place, found=file.name, hint=expected and f"{expected}.csv"))


# ---------------------------------------------------------------- workbook


def _from_workbook(path: Path, reading: _Reading) -> None:
    try:
        if path.suffix.lower() != ".xlsx":
            raise FileError(error("not_xlsx", Place(path.name), found=path.suffix))
        sheets, issues = read_workbook(path)
    except FileError as fault:
        reading.issues.append(fault.issue)
        return
    reading.issues += issues
    merged = {issue.file for issue in issues if issue.key == "merged_cells"}
    for name in sheets:
        if name not in TABLES and name != SETTINGS_SHEET:
            hint = closest(name, [*TABLES, SETTINGS_SHEET])
            reading.issues.append(error("unknown_sheet", Place(path.name), found=name, hint=hint))
    if SETTINGS_SHEET in sheets:
        raw = sheets[SETTINGS_SHEET]
        reading.columns[raw.label] = {str(cells[0]).strip(): f"B{row}" for row, cells in raw.rows if cells}
        _settings(_settings_cells(raw, reading), Place(raw.label), reading)
    elif f"{path.name} [{SETTINGS_SHEET}]" not in merged:
        reading.issues.append(error("settings_sheet_missing", Place(path.name)))
    for name, row in TABLES.items():
        if name in sheets:
            raw = sheets[name]
            reading.columns[raw.label] = {head.strip(): _letter(i) for i, head in enumerate(raw.header)}
            _rows(raw, row, reading)
        elif f"{path.name} [{name}]" in merged:
            reading.spoiled.add(name)
        elif row.needed:
            reading.issues.append(error("sheet_missing", Place(path.name), found=name))
            reading.spoiled.add(name)


def _addressed(issues: list[Issue], reading: _Reading) -> list[Issue]:
    """The issues, those in a workbook with the address of their cell."""
    found = []
    for issue in issues:
        letter = reading.columns.get(issue.file, {}).get(issue.column or "")
        if letter is not None:
            whole = letter[-1].isdigit()
            if whole or issue.row is not None:
                found.append(replace(issue, cell=letter if whole else f"{letter}{issue.row}"))
                continue
        found.append(issue)
    return found


def _letter(place: int) -> str:
    """Letter of a column of a sheet, the first is 0.

    >>> _letter(0), _letter(27)
    ('A', 'AB')
    """
    return (_letter(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def _settings_cells(raw: RawTable, reading: _Reading) -> dict[str, Any]:
    """Settings from rows of setting and value; `title.zh` and `title.en` make the title."""
    if [name.strip() for name in raw.header] != ["setting", "value"]:
        reading.issues.append(error("settings_header", Place(raw.label, 1), found=", ".join(raw.header)))
        return {}
    cells: dict[str, Any] = {}
    for number, (first, value) in raw.rows:
        name = str(first).strip()
        place = Place(raw.label, number)
        if name in cells or (name.startswith("title.") and name[6:] in cells.get("title", {})):
            reading.issues.append(error("key_twice", place, found=name))
        elif name == "data":
            reading.issues.append(error("data_in_workbook", place, found=value))
        elif name.startswith("title."):
            cells.setdefault("title", {})[name[6:]] = value
        else:
            cells[name] = value
    return cells


# ---------------------------------------------------------------- rows


def _rows(raw: RawTable, row: type[Row], reading: _Reading) -> None:
    """Rows of one table into `reading`."""
    table = columns(row)
    header = [name.strip() for name in raw.header]
    issues = _header(header, row, Place(raw.label, 1))
    lost = bool(issues)
    ambiguous = any(issue.key == "column_twice" for issue in issues)
    used = [(place, name) for place, name in enumerate(header) if name in table or name.startswith(OWN)]
    absent = {str(issue.params.get("hint") or issue.column) for issue in issues} - set(header)
    """Columns whose absence was said: rows need not say it again."""
    first = header.index(row.key[0]) if row.key[0] in header else None
    rows: list[Row] = []
    ids = reading.ids.setdefault(row.table, set())
    if first is not None:
        ids |= {str(cells[first]).strip() for cells in raw.misfits if len(cells) > first}
    for number, cells in raw.rows:
        if first is not None:
            id_ = str(cells[first]).strip()
            if id_.casefold() in TOTALS:
                issues.append(error("total_row", Place(raw.label, number), row.key[0], found=id_))
                continue
            ids.add(id_)
        if ambiguous:  # which of two cells counts is not for us to say
            continue
        read, found = row_from(row, {name: cells[place] for place, name in used}, Place(raw.label, number))
        if read is not None:
            rows.append(read)
        if read is None and first is not None:
            reading.refused.setdefault(row.table, set()).add(str(cells[first]).strip())
        issues += [issue for issue in found if issue.column not in absent and (number, issue.column) not in raw.told]
        lost = lost or read is None
    if row.needed and not raw.rows:
        issues.append(error("table_empty", Place(raw.label)))
        lost = True
    reading.rows[row.table] = tuple(rows)
    reading.issues += issues
    if lost:
        reading.spoiled.add(row.table)


def read_rows(path: Path, row: type[Row]) -> tuple[Row, ...]:
    """Rows of a table that is no part of a case; raises CaseError with every fault found."""
    reading = _Reading()
    try:
        raw, reading.issues = read_table(path, path.name)
        _rows(raw, row, reading)
    except FileError as fault:
        reading.issues.append(fault.issue)
    if any(issue.severity == "error" for issue in reading.issues):
        raise CaseError(reading.issues)
    return reading.rows[row.table]


def _add_meant_ids(reading: _Reading) -> None:
    """An id that stands misspelt in its own table is one fault, not one in every row that uses it."""
    for lines in reading.rows.values():
        for column, target in lines[0].references.items() if lines else ():
            refused = reading.refused.get(target)
            if refused:
                used = {id_ for row in lines for id_ in _parts(getattr(row, column))}
                unknown = used - reading.ids[target]
                reading.ids[target] |= {id_ for id_ in unknown if closest(id_, refused)}


def _parts(cell: object) -> tuple[str, ...]:
    return cell if isinstance(cell, tuple) else () if cell is None else (str(cell),)


def _header(header: list[str], row: type[Row], place: Place) -> list[Issue]:
    """Faults of a header: unknown, missing, repeated, nameless columns."""
    table = columns(row)
    issues: list[Issue] = []
    if len(header) > MOST_COLUMNS:
        return [error("too_many_columns", place, found=len(header), expected=MOST_COLUMNS)]
    meant: set[str] = set()
    for number, name in enumerate(header, start=1):
        if not name:
            issues.append(error("nameless_column", place, found="", number=number))
        elif header.index(name) < number - 1:
            issues.append(error("column_twice", place, name, found=name))
        elif name not in table and not name.startswith(OWN):
            hint = closest(name, [other for other in table if other not in header])
            meant.add(hint)
            expected = ", ".join(table)
            issues.append(error("unknown_column", place, name[:80], found=name[:80], hint=hint, expected=expected))
    for name, column in table.items():
        if column.header and name not in header and name not in meant:
            issues.append(error("column_missing", place, name, expected=name))
    return issues


# ---------------------------------------------------------------- writing


def write_case(case: Case, folder: Path | str, over: bool = False) -> None:
    """Write a case into a new folder, or `over` the case that stands there, all or nothing.

    It reads back to the same digest. Raises CaseError when the folder holds something else, OSError when it cannot be
    written.
    """
    folder = Path(folder)
    replaced = over and (folder / SETTINGS_FILE).is_file()
    if folder.exists() and not replaced and (not folder.is_dir() or any(map(_theirs, folder.iterdir()))):
        raise CaseError([error("folder_taken", Place(folder.name))])
    files = {SETTINGS_FILE: _settings_text(case.settings).encode()}
    for name, row in TABLES.items():
        rows = case.rows(name)
        if rows:
            files[f"{name}.csv"] = table_text(row, rows).encode()
    gone = [f"{name}.csv" for name in TABLES if f"{name}.csv" not in files and (folder / f"{name}.csv").exists()]
    write_files(folder, files, gone)


def table_text(row: type[Row], rows: tuple[Row, ...]) -> str:
    """Rows of a table as CSV."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    for cells in table_cells(row, rows):
        lines.writerow([escaped(cell) if isinstance(cell, str) else _number(cell) for cell in cells])
    return text.getvalue()


def _theirs(path: Path) -> bool:
    """Whether a file is more than what a killed process left behind."""
    return not path.name.startswith(UNFINISHED)


def write_workbook(case: Case, path: Path | str) -> None:
    """Write a case as one workbook, all or nothing; it reads back to the same digest."""
    import openpyxl  # noqa: PLC0415  only workbooks need it

    book: Any = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(SETTINGS_SHEET)
    sheet.append(["setting", "value"])
    for name, value in settings_values(case.settings).items():
        if isinstance(value, dict):
            for lang, text in value.items():
                sheet.append([f"{name}.{lang}", escaped(text)])
        else:
            sheet.append([name, sheet_cell(";".join(value) if isinstance(value, tuple) else value)])
    for name, row in TABLES.items():
        rows = case.rows(name)
        if rows:
            sheet = book.create_sheet(name)
            for cells in table_cells(row, rows):
                sheet.append([sheet_cell(cell) for cell in cells])
    data = io.BytesIO()
    book.save(data)
    write_bytes(Path(path), data.getvalue())


def sheet_cell(cell: object) -> object:
    """A cell as it is written into a workbook."""
    if isinstance(cell, float) and float(f"{cell:.15g}") != cell:
        return repr(cell)  # spreadsheet programs keep 15 digits of a number; as text all are kept
    return escaped(cell) if isinstance(cell, str) else cell


def table_cells(row: type[Row], rows: tuple[Row, ...], whole: bool = False) -> list[list[object]]:
    """Header and cells of a table; without `whole`, optional columns that are blank throughout are left out."""
    table = columns(row)
    own = list(dict.fromkeys(name for line in rows for name in line.extra))
    blank = {name: column.info.get_default(call_default_factory=True) for name, column in table.items()}
    kept = [
        name
        for name, column in table.items()
        if whole or column.header or any(getattr(line, name) != blank[name] for line in rows)
    ]
    lines: list[list[object]] = [[*kept, *own]]
    for line in rows:
        # A value that equals its default is written blank: some defaults may not stand beside other cells.
        cells = [_cell(None if value == blank[name] else value) for name in kept for value in [getattr(line, name)]]
        lines.append(cells + [line.extra.get(name, "") for name in own])
    return lines


def _cell(value: Any) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ";".join(value)
    return value


def _number(value: object) -> str:
    """A number as short as it can be and still read back the same."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def settings_values(settings: Settings) -> dict[str, Any]:
    """Settings that are set, without folders: what is written is whole."""
    values = {name: getattr(settings, name) for name in columns(Settings)}
    return {name: value for name, value in values.items() if value not in (None, ()) and name != "data"}


def _settings_text(settings: Settings) -> str:
    # A JSON text is a YAML text, with every quote in place.
    lines = []
    for name, value in settings_values(settings).items():
        text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
        lines.append(f"{name}: {text}")
    return "\n".join(lines) + "\n"
