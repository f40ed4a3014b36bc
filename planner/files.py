"""Files as people leave them -> raw cells. Nothing is repaired in silence: what is not plainly readable is an issue."""

import csv
import io
import json
import os
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from planner.cells import LONGEST_CELL
from planner.errors import Issue, Place, error, warning

LARGEST_TABLE = 50_000_000
LARGEST_TEXT = 1_000_000
LARGEST_WORKBOOK = 50_000_000
LARGEST_UNPACKED = 200_000_000
MOST_PARTS = 1_000
MOST_ROWS = 500_000
MOST_COLUMNS = 200
DEEPEST = 20
OUTPUT = "_"
"""Start of the names of sheets that are no input: results, explanations, somebody's own notes."""

# A text that a spreadsheet would take for a formula is written with an apostrophe in front and read without it.
FORMULA_LIKE = ("=", "+", "-", "@", "\t", "\r", "'")


@dataclass(frozen=True)
class RawTable:
    """Cells of one table as they stand in a file or sheet."""

    label: str
    header: list[str]
    rows: list[tuple[int, list[Any]]]
    """Row number as in a spreadsheet, and cells; rows without any content are left out."""
    misfits: tuple[list[Any], ...] = ()
    """Cells of rows that were refused for their length: what they name is not unknown."""
    told: frozenset[tuple[int, str]] = frozenset()
    """Cells by row and column whose fault is known already."""


class FileError(Exception):
    """A file that cannot be read at all; carries the issue."""

    def __init__(self, issue: Issue) -> None:
        self.issue = issue
        super().__init__(str(issue))


def _refuse(key: str, place: Place, **params: object) -> FileError:
    return FileError(Issue("error", key, place.file, place.row, None, place.counted, params))


def escaped(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    >>> escaped("=1+1"), escaped("-quantity"), escaped("plain")
    ("'=1+1", "'-quantity", 'plain')
    """
    return "'" + text if text.startswith(FORMULA_LIKE) else text


def unescaped(text: str) -> str:
    """The text that `escaped` was given.

    >>> unescaped(escaped("'quoted'"))
    "'quoted'"
    """
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA_LIKE) else text


def content(path: Path, label: str, largest: int) -> bytes:
    """Bytes of a regular file of tolerable size."""
    place = Place(label)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise _refuse("is_folder", place)
        if not stat.S_ISREG(status.st_mode):  # a pipe would keep us waiting for ever
            raise _refuse("no_regular_file", place)
        if status.st_size > largest:
            raise _refuse("file_too_large", place, found=status.st_size, expected=largest)
        data = path.read_bytes()
    except FileNotFoundError as fault:
        raise _refuse("dangling_link" if path.is_symlink() else "file_missing", place) from fault
    except OSError as fault:
        raise _refuse("file_unreadable", place, reason=os.strerror(fault.errno or 0)) from fault
    return data


def decoded(data: bytes, label: str) -> tuple[str, list[Issue]]:
    """Text of a file: UTF-8, or GB18030 with a warning; never anything else."""
    place = Place(label)
    if not data.strip():
        raise _refuse("file_empty", place)
    head = data[:4096].lstrip()
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refuse("utf16", place)
    if head.startswith(b"PK\x03\x04"):
        raise _refuse("workbook_as_text", place, found=".xlsx")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise _refuse("workbook_as_text", place, found=".xls")
    if re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|table|\?xml|head|body|meta)", head, re.IGNORECASE):
        raise _refuse("html", place)
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise _refuse("nul_byte", Place(label, line, "line"))
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as fault:
        where = Place(label, data.count(b"\n", 0, fault.start) + 1, "line")
        damaged = _refuse("damaged_text", where, found=f"0x{data[fault.start]:02X}")
    # Damaged UTF-8 still holds many good characters; Chinese in GB18030 read as UTF-8 holds hardly any.
    attempt = data.decode("utf-8", errors="replace")
    bad = attempt.count("\ufffd")
    good = sum(1 for character in attempt if ord(character) > 127) - bad
    if good >= bad:
        raise damaged
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        raise damaged from None
    foreign = [character for character in text if ord(character) > 127]
    # Nearly any bytes are some GB18030 text; real ones are made of everyday characters.
    if 2 * sum(1 for character in foreign if _everyday(character)) < len(foreign):
        raise damaged
    return text, [warning("gb18030", place)]


def _everyday(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def read_table(path: Path, label: str) -> tuple[RawTable, list[Issue]]:
    """A CSV file as raw cells; raises FileError."""
    text, issues = decoded(content(path, label, LARGEST_TABLE), label)
    table, found = parse_table(text, label)
    return table, issues + found


def parse_table(text: str, label: str) -> tuple[RawTable, list[Issue]]:
    """CSV text as raw cells; raises FileError."""
    first = text.split("\n", 1)[0]
    if "," not in first:
        for mark, name in ((";", ";"), ("\t", "TAB"), (",", ","), ("|", "|")):
            if mark in first:
                raise _refuse("separator", Place(label, 1), found=name)
    issues: list[Issue] = []
    header: list[str] | None = None
    rows: list[tuple[int, list[Any]]] = []
    misfits: list[list[Any]] = []
    number = 0
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for number, cells in enumerate(reader, start=1):
            if header is None:
                header = cells
            elif any(cells):
                if len(cells) != len(header):
                    key = "row_too_long" if len(cells) > len(header) else "row_too_short"
                    issues.append(error(key, Place(label, number), found=len(cells), expected=len(header)))
                    misfits.append(cells)
                    continue
                rows.append((number, [unescaped(cell) if cell[:1] == "'" else cell for cell in cells]))
    except csv.Error as fault:
        place = Place(label, number + 1)
        line = text.split("\n", reader.line_num)[reader.line_num - 1]
        if len(line) > csv.field_size_limit():
            raise _refuse(
                "cell_too_long", place, found=line[:40] + "…", length=len(line), expected=LONGEST_CELL
            ) from fault
        key = "unclosed_quote" if re.search("end of data|field larger", str(fault)) else "broken_quote"
        raise _refuse(key, place) from fault
    if len(rows) > MOST_ROWS:
        raise _refuse("too_many_rows", Place(label), found=len(rows), expected=MOST_ROWS)
    return RawTable(label, *_without_blank_columns(header or [], rows), tuple(misfits)), issues


def _without_blank_columns(
    header: list[str], rows: list[tuple[int, list[Any]]]
) -> tuple[list[str], list[tuple[int, list[Any]]]]:
    """Drop columns on the right that have neither name nor content: spreadsheets leave them behind."""
    width = len(header)
    while width and not header[width - 1].strip() and not any(cells[width - 1] for _, cells in rows):
        width -= 1
    if width == len(header):
        return header, rows
    return header[:width], [(number, cells[:width]) for number, cells in rows]


# ---------------------------------------------------------------- YAML and JSON


def read_mapping(path: Path, label: str) -> tuple[dict[str, Any], list[Issue]]:
    """A YAML or JSON file (by its ending) that holds one mapping; raises FileError."""
    text, issues = decoded(content(path, label, LARGEST_TEXT), label)
    read = parse_json(text, label) if path.suffix.lower() == ".json" else parse_yaml(text, label)
    if not isinstance(read, dict):
        raise _refuse("no_mapping", Place(label))
    return read, issues


def parse_json(text: str, label: str) -> Any:
    """JSON without NaN and without a key twice; raises FileError."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        read: dict[str, Any] = {}
        for key, value in items:
            if key in read:
                raise _refuse("key_twice", Place(label), found=key)
            read[key] = value
        return read

    def constant(name: str) -> Any:
        raise _refuse("json_constant", Place(label), found=name)

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as fault:
        raise _refuse("json_syntax", Place(label, fault.lineno, "line"), reason=fault.msg) from fault
    except (RecursionError, ValueError) as fault:
        raise _refuse("json_syntax", Place(label), reason=type(fault).__name__) from fault


def parse_yaml(text: str, label: str) -> Any:
    """YAML without its traps: scalars stay text (NO, 12:30 and 1e3, too), no key twice, no tags, no aliases.

    Only plain null and ~ are empty, and only plain true and false are truth values.
    """
    if tab := re.search(r"^ *\t", text, re.MULTILINE):
        line = text.count("\n", 0, tab.end()) + 1
        raise _refuse("yaml_tab", Place(label, line, "line"))
    try:
        events = iter(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        next(events)  # start of the stream
        if isinstance(next(events), yaml.StreamEndEvent):
            raise _refuse("file_empty", Place(label))
        read = _node(next(events), events, label, 0)
        next(events)  # end of the document
        if not isinstance(next(events), yaml.StreamEndEvent):
            raise _refuse("yaml_documents", Place(label))
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        where = Place(label, mark.line + 1 if mark else None, "line")
        raise _refuse("yaml_syntax", where, reason=str(getattr(fault, "problem", None) or "")) from fault
    return read


def _node(event: Any, events: Iterator[Any], label: str, depth: int) -> Any:
    where = Place(label, event.start_mark.line + 1, "line")
    if isinstance(event, yaml.AliasEvent):
        raise _refuse("yaml_alias", where, found=f"*{event.anchor}")
    if event.tag is not None:
        raise _refuse("yaml_tag", where, found=event.tag)
    if depth > DEEPEST:
        raise _refuse("yaml_depth", where, expected=DEEPEST)
    if isinstance(event, yaml.ScalarEvent):
        if event.implicit[0]:  # neither quoted nor a block
            return {"": None, "~": None, "null": None, "true": True, "false": False}.get(event.value, event.value)
        return event.value
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(child := next(events), yaml.SequenceEndEvent):
            items.append(_node(child, events, label, depth + 1))
        return items
    mapping: dict[str, Any] = {}
    while not isinstance(child := next(events), yaml.MappingEndEvent):
        key = child.value if isinstance(child, yaml.ScalarEvent) else None
        line = Place(label, child.start_mark.line + 1, "line")
        if key is None or key == "<<":
            raise _refuse("yaml_key", line)
        if key in mapping:
            raise _refuse("key_twice", line, found=key)
        mapping[key] = _node(next(events), events, label, depth + 1)
    return mapping


# ---------------------------------------------------------------- workbooks


def read_workbook(path: Path) -> tuple[dict[str, RawTable], list[Issue]]:
    """The sheets of a workbook as raw cells, by name; raises FileError."""
    label = path.name
    place = Place(label)
    data = content(path, label, LARGEST_WORKBOOK)
    if not data:
        raise _refuse("file_empty", place)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise _refuse("old_workbook", place)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
    except zipfile.BadZipFile as fault:
        raise _refuse("no_workbook", place) from fault
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise _refuse("workbook_too_large", place, expected=LARGEST_UNPACKED)
    if any(part.filename.endswith("vbaProject.bin") for part in parts):
        raise _refuse("workbook_macros", place)

    import openpyxl  # noqa: PLC0415  only workbooks need it

    try:
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as stream:
                    if re.search(rb"<!(?:DOCTYPE|ENTITY)", stream.read(65_536)):
                        raise _refuse("workbook_entities", place)
        book: Any = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets: dict[str, RawTable] = {}
        skipped = [sheet.title for sheet in book.worksheets if sheet.title.startswith(OUTPUT)]
        issues = [warning("sheets_skipped", place, found=", ".join(skipped))] if skipped else []
        for sheet in book.worksheets:
            if sheet.title.startswith(OUTPUT):
                continue
            sheet_label = f"{label} [{sheet.title}]"
            xml = archive.read(sheet._worksheet_path.lstrip("/"))
            if b"<mergeCell " in xml:
                issues.append(error("merged_cells", Place(sheet_label)))
                continue
            table, found = _sheet(sheet, sheet_label)
            if b"<f>" in xml or b"<f " in xml:
                found += _formulas_without_value(data, sheet.title, table)
                told = frozenset((issue.row or 0, issue.column or "") for issue in found)
                table = replace(table, told=told)
            sheets[sheet.title.strip()] = table
            issues += found
        return sheets, issues
    except FileError:
        raise
    except Exception as fault:  # openpyxl fails in many ways on files that only look like workbooks
        raise _refuse("no_workbook", place) from fault


def _sheet(sheet: Any, label: str) -> tuple[RawTable, list[Issue]]:
    sheet.reset_dimensions()  # they may claim a million rows
    header: list[str] = []
    rows: list[tuple[int, list[Any]]] = []
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > MOST_ROWS or len(cells) > 16 * MOST_COLUMNS:
            raise _refuse("too_many_rows", Place(label), found=number, expected=MOST_ROWS)
        if number == 1:
            # What stands below the first line of a header cell is for people: the name in their language, the unit.
            header = ["" if cell is None else str(cell).partition("\n")[0] for cell in cells]
        elif any(cell not in (None, "") for cell in cells):
            rows.append((number, [unescaped(cell) if isinstance(cell, str) else cell for cell in cells]))
    width = max([len(header), *(len(cells) for _, cells in rows)])
    header += [""] * (width - len(header))
    rows = [(number, cells + [None] * (width - len(cells))) for number, cells in rows]
    return RawTable(label, *_without_blank_columns(header, rows)), []


def _formulas_without_value(data: bytes, title: str, table: RawTable) -> list[Issue]:
    """Formulas whose result was never stored would read as blank."""
    import openpyxl  # noqa: PLC0415

    formulas: Any = openpyxl.load_workbook(io.BytesIO(data), read_only=True)[title]
    values: Any = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)[title]
    return [
        error("formula_without_value", Place(table.label, cell.row), name.strip(), found=str(cell.value)[:80])
        for cells, results in zip(formulas.iter_rows(), values.iter_rows(values_only=True), strict=False)
        for cell, result, name in zip(cells, results, table.header, strict=False)
        if cell.data_type == "f" and result is None
    ]
