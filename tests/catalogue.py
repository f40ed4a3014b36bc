"""The catalogue of bad inputs in tests/broken: each folder laid over the tutorial, and what must be said of it.

python -m tests.catalogue          names folders whose words differ from their expected.txt
python -m tests.catalogue --write  writes expected.txt anew: read the difference before keeping it
"""

import argparse
import csv
import io
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import yaml

from planner import text
from planner.case import Case
from planner.errors import CaseError, Issue
from planner.rows import TABLES, Row
from planner.scenario import read_scenario
from planner.tables import read_case, write_workbook

BROKEN = Path(__file__).parent / "broken"
TUTORIAL = Path(__file__).parent.parent / "cases" / "tutorial"
TUTORIALS_OWN = {"without_source", "peak_without_value"}
"""Warnings that the tutorial itself gives; they are left out, but in the folder that shows them."""


@cache
def catalogue() -> dict[str, list[dict[str, Any]]]:
    """Items by section."""
    read: dict[str, list[dict[str, Any]]] = yaml.safe_load((BROKEN / "catalogue.yaml").read_text(encoding="utf-8"))
    return read


def items() -> list[dict[str, Any]]:
    return [item for section in catalogue().values() for item in section]


def covered() -> list[dict[str, Any]]:
    return [item for item in items() if item.get("folders")]


def folders() -> dict[str, dict[str, Any]]:
    """Item by folder."""
    return {folder: item for item in covered() for folder in item["folders"]}


# ---------------------------------------------------------------- what no repository should hold


def workbook(change: Callable[[Any], object]) -> Callable[[Path], Path]:
    """The tutorial as a changed workbook."""

    def build(case: Path) -> Path:
        path = case / "plan.xlsx"
        write_workbook(read_case(TUTORIAL), path)
        book = openpyxl.load_workbook(path)
        change(book)
        book.save(path)
        return path

    return build


def parts(extra: Mapping[str, bytes], links: bool = False) -> Callable[[Path], Path]:
    """The tutorial as a workbook with further or other parts."""

    def build(case: Path) -> Path:
        good, path = case / "good.xlsx", case / "plan.xlsx"
        write_workbook(read_case(TUTORIAL), good)
        with zipfile.ZipFile(good) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for part in old.infolist():
                if part.filename not in extra:
                    new.writestr(part, old.read(part))
            for name, content in extra.items():
                info = zipfile.ZipInfo(name)
                info.external_attr = (0o120777 if links else 0o100644) << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                new.writestr(info, content)
        return path

    return build


def file(name: str, content: bytes, alone: bool = False) -> Callable[[Path], Path]:
    """One file with that content; `alone` it is the case."""

    def build(case: Path) -> Path:
        (case / name).write_bytes(content)
        return case / name if alone else case

    return build


def instead(name: str, make: Callable[[Path], object]) -> Callable[[Path], Path]:
    """Something else in the place of a file."""

    def build(case: Path) -> Path:
        (case / name).unlink()
        make(case / name)
        return case

    return build


def xlsx_as_csv(case: Path) -> Path:
    write_workbook(read_case(TUTORIAL), case / "effects.csv")
    return case


def fifo_as_case(case: Path) -> Path:
    os.mkfifo(case / "pipe")
    return case / "pipe"


def vast(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(60_000_000)


def unreadable(path: Path) -> None:
    path.symlink_to(path)  # a link to itself cannot be read by anyone, not even by root


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
MANY_COLUMNS = ",".join(["allocation", "city", "share", *(f"x_{number}" for number in range(200))])
BUILDERS: dict[str, Callable[[Path], Path]] = {
    "case_missing": lambda case: case / "nowhere",
    "merged_cells": workbook(lambda book: book["potentials"].merge_cells("A2:A4")),
    "xlsx_as_csv": xlsx_as_csv,
    "file_too_large": instead("effects.csv", vast),
    "too_many_rows": file("city_groups.csv", b"group,city\n" + b"a,b\n" * 500_001),
    "too_many_columns": file("allocations.csv", f"{MANY_COLUMNS}\nplants,harbor,1{',' * 200}\n".encode()),
    "is_folder": instead("effects.csv", lambda path: path.mkdir()),
    "fifo": instead("effects.csv", os.mkfifo),
    "fifo_as_case": fifo_as_case,
    "dangling_link": instead("effects.csv", lambda path: path.symlink_to("nowhere.csv")),
    "file_unreadable": instead("effects.csv", unreadable),
    "long_cell": file("city_groups.csv", b"group,city\ninland," + b"x" * 1_000_000 + b"\n"),
    "path_in_sheet": workbook(lambda book: book.create_sheet("..passwd")),
    "zip_bomb": parts({f"xl/media/{number}.xml": bytes(50_000_000) for number in range(5)}),
    "entity_bomb": parts({"xl/workbook.xml": ENTITIES}),
    "csv_as_xlsx": file("plan.xlsx", b"measure,city,potential\npv,harbor,400\n", alone=True),
    "xls_as_xlsx": file("plan.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), alone=True),
    "yaml_as_case": file("plan.yaml", b"name: plan\n", alone=True),
    "macros": parts({"xl/vbaProject.bin": b"x"}),
    "link_in_workbook": parts({"xl/media/link.png": b"/etc/passwd"}, links=True),
    "formula_without_value": workbook(lambda book: book["potentials"].__setitem__("C3", "=100*3")),
}


# ---------------------------------------------------------------- what is said


def build(folder: str, where: Path) -> Path:
    """The case of a folder: the tutorial with the folder's files laid over it."""
    case = where / "case"
    shutil.copytree(TUTORIAL, case)
    for path in sorted((BROKEN / folder).glob("*")):
        if path.suffix == ".absent":
            (case / path.stem).unlink()
        elif path.name not in ("expected.txt", "scenario.yaml", "scenario.json"):
            shutil.copy(path, case / path.name)
    return BUILDERS[folder](case) if folder in BUILDERS else case


def read(folder: str, where: Path) -> Case:
    """The case of a folder, with the folder's scenario; raises CaseError."""
    case = read_case(build(folder, where))
    for path in sorted((BROKEN / folder).glob("scenario.*")):
        case = read_scenario(path).applied(case)
    return case


def told(folder: str, where: Path) -> str:
    """The answer to a folder: E, W or OK, then every issue in both languages with its remedy."""
    issues: list[Issue]
    case = None
    try:
        case = read(folder, where)
        issues = list(case.warnings)
    except CaseError as fault:
        issues = fault.issues
    if folder != "sources_missing":
        issues = [issue for issue in issues if issue.key not in TUTORIALS_OWN]
    answer = "E" if case is None else "W" if issues else "OK"
    if case is not None and folders()[folder].get("solved"):
        from planner.plan import solve

        plan = solve(case)
        answer += f", solved: {plan.status}, objective {plan.objective:.6g}"
    lines = [answer]
    for issue in issues:
        lines.append("")
        for lang in text.LANGUAGES[::-1]:
            lines += [f"{issue.severity}: {text.issue(issue, lang)}", f"   {text.remedy(issue, lang)}"]
    return "\n".join(lines) + "\n"


def expected(folder: str) -> str:
    path = BROKEN / folder / "expected.txt"
    return path.read_text(encoding="utf-8") if path.exists() else ""


# ---------------------------------------------------------------- the same file read by Python alone


def records(data: bytes, encoding: str) -> list[dict[str, str]]:
    """Rows with content of a CSV file by column, as csv reads them."""
    lines = list(csv.reader(io.StringIO(data.decode(encoding), newline="")))
    header = [name.strip() for name in lines[0]]
    return [dict(zip(header, line, strict=False)) for line in lines[1:] if any(line)]


def unquoted(cell: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from reading a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(("=", "+", "-", "@", "\t", "\r", "'")) else cell


def same(cell: str, value: object) -> bool:
    """Whether a value is what stands in a cell."""
    cell = unquoted(cell).strip()
    if isinstance(value, bool):
        return cell == ("yes" if value else "no")
    if isinstance(value, int | float):
        try:
            number = Decimal(cell)
        except InvalidOperation:
            return False
        return number.is_finite() and float(number) == value
    if isinstance(value, tuple):
        return tuple(part.strip() for part in cell.split(";")) == value
    return cell == value


def misread(row: Row, cells: Mapping[str, str]) -> Iterator[str]:
    """Cells of a row that hold something else than the file."""
    for name, words in row.extra.items():  # columns of one's own are kept to the letter
        if unquoted(cells.get(name, "")) != words:
            yield f"{row.at.file}, {row.at.row}, {name}: {cells.get(name, '')[:80]!r} read as {words!r}"
    values = dict(row.__dict__)
    for name in ("extra", "place"):
        values.pop(name)
    defaults = {name: info.get_default(call_default_factory=True) for name, info in type(row).model_fields.items()}
    for name, value in values.items():
        cell = cells.get(name, "")
        if cell.strip() == "":
            usual = defaults.get(name)
            if value != usual and not (name == "sense" and usual is None):  # some kinds of target know their sense
                yield f"{row.at.file}, {row.at.row}, {name}: blank read as {value!r}"
        elif not same(cell, value):
            yield f"{row.at.file}, {row.at.row}, {name}: {cell[:80]!r} read as {value!r}"
    for name in set(cells) - set(values) - set(row.extra):
        if cells[name]:
            yield f"{row.at.file}, {row.at.row}, {name}: {cells[name][:80]!r} was lost"


def differences(case: Case, folder: Path) -> list[str]:
    """Everything in which a case read from `folder` differs from what csv and Decimal read there."""
    found: list[str] = []
    gb18030 = {issue.file for issue in case.warnings if issue.key == "gb18030"}
    twice = [issue.file for issue in case.warnings if issue.key == "row_twice"]
    for table in TABLES:
        path = folder / f"{table}.csv"
        rows = case.rows(table)
        if not path.exists():
            found += [f"{path.name}: rows from nowhere"] if rows else []
            continue
        data = path.read_bytes()
        encoding = "gb18030" if path.name in gb18030 else "utf-8-sig"
        lines = list(csv.reader(io.StringIO(data.decode(encoding), newline="")))
        header = [name.strip() for name in lines[0]]
        filled = {number: cells for number, cells in enumerate(lines[1:], start=2) if any(cells)}
        if len(rows) + twice.count(path.name) != len(filled):
            found.append(f"{path.name}: {len(filled)} rows, {len(rows)} read, {twice.count(path.name)} repeated")
        for row in rows:
            cells = filled.get(row.at.row or 0)
            if cells is None:
                found.append(f"{path.name}: row {row.at.row} is blank")
            else:
                found += misread(row, dict(zip(header, cells, strict=False)))
    return found + misread_settings(case, folder)


def misread_settings(case: Case, folder: Path) -> list[str]:
    data = (folder / "case.yaml").read_bytes()
    encoding = "gb18030" if any(w.key == "gb18030" and w.file == "case.yaml" for w in case.warnings) else "utf-8-sig"
    raw = yaml.load(data.decode(encoding), Loader=yaml.BaseLoader)
    found = []
    for name, cell in raw.items():
        value = getattr(case.settings, name, case.settings.extra.get(name))
        if isinstance(cell, dict):
            right = {key: text.strip() for key, text in cell.items()} == value
        elif isinstance(cell, list):
            right = tuple(part.strip() for part in cell) == value
        elif cell.strip() in ("", "~", "null"):
            right = value == type(case.settings).model_fields[name].get_default(call_default_factory=True)
        else:
            right = same(cell, value)
        if not right:
            found.append(f"case.yaml, {name}: {cell!r} read as {value!r}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.catalogue")
    parser.add_argument("--write", action="store_true", help="write expected.txt anew")
    given = parser.parse_args()
    different = 0
    for folder in folders():
        with tempfile.TemporaryDirectory() as where:
            words = told(folder, Path(where))
        if words != expected(folder):
            different += 1
            print(folder)
            if given.write:
                (BROKEN / folder).mkdir(exist_ok=True)
                (BROKEN / folder / "expected.txt").write_text(words, encoding="utf-8")
    print(f"{len(covered())} of {len(items())} items, {len(folders())} folders, {different} different")
    return 0 if given.write or not different else 1


if __name__ == "__main__":
    sys.exit(main())
