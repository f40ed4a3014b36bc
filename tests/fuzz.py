"""A valid case, damaged at random: refused, or read as Python's csv and Decimal read it; never a traceback.

    python -m tests.fuzz [--cases 2000] [--seed 0] [--log FILE]

Exit code 1 when anything else happens.
"""

import argparse
import csv
import io
import json
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import openpyxl
import yaml
from hypothesis import HealthCheck, given, seed, settings

from planner import text
from planner.case import Case
from planner.compile import compile_problem
from planner.errors import CaseError, Issue
from planner.problem import Problem
from planner.scenario import read_scenario
from planner.tables import read_case

sys.path[:0] = [str(Path(__file__).parent)]
TUTORIAL = Path(__file__).parent.parent / "cases" / "tutorial"

Files = dict[str, bytes]
Mutation = tuple[str, int, int, int, Any]
"""Kind, file, two positions (each taken modulo what is there), and what is put there."""

SCENARIO = """\
scenario: draft
title: {zh: 草案, en: Draft}
case: tutorial
format: 1
edits:
- {table: targets, key: {target: nox_change}, set: {value: -0.35, last_year: 2029}}
- {table: pins, add: {pin: no_wind, measure: wind, on: stock, max: 0}}
- {table: budgets, key: {budget: public_155}, remove: true}
- {setting: discount_rate, value: 0.04}
"""
MORE: Files = {
    "sources.csv": "source,title,publisher,year,where\nlaw,法规,省政府,2020-2022,https://example.org\n".encode(),
    "departments.csv": "department,name_zh,name_en,clauses\nDEE,生态环境厅,Ecology,4;5\n".encode(),
    "existing.csv": b"measure,city,year,units,source,grade,x_own\npv,harbor,2021,30,law;own,A,'=1\n",
    "scenario.yaml": SCENARIO.encode(),
}
BASE: Files = {path.name: path.read_bytes() for path in TUTORIAL.iterdir() if path.suffix in (".csv", ".yaml")} | MORE
NAMES = sorted(BASE)
TABLES = [name for name in NAMES if name.endswith(".csv")]
ENCODINGS = ("gb18030", "gbk", "utf-16", "utf-16-le", "utf-8-sig", "big5", "latin-1", "cp1252", "utf-32")
PIECES = [
    *(
        b",",
        b"\n",
        b"\r\n",
        b"\r",
        b'"',
        b'""',
        b";",
        b"\t",
        b"'",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"- ",
        b"*a",
        b"&a ",
        b"!",
    ),
    *(
        b"\0",
        b"\xff",
        b"\xe5",
        b"\xef\xbb\xbf",
        b"\xe2\x80\x8b",
        b"\xc2\xa0",
        b"\xe2\x80\xa8",
        b"\x1c",
        b"\x85",
        b"\x0c",
    ),
    *(b"nan", b"inf", b"1e308", b"1e-320", b"-1", b"0", b"9999", b"province", b"null", b"~", b"<html>", b"PK\x03\x04"),
]
CELLS = [
    *("", " ", "0", "-0", "1", "-1", "1.0", "+5", "1e3", "1E3", "1e-7", "1e308", "1e309", "5e-324", ".5", "5.", "0x10"),
    *("007", "1_000", "1,000", "1 000", "3,5", "18%", "18％", "３", "²", "−3", "1e", "e5", "nan", "NaN", "inf", "-inf"),
    *(
        "True",
        "yes",
        "no",
        "NO",
        "None",
        "NA",
        "null",
        "~",
        "12:30",
        "2025年",
        "2025.0",
        "2020.5",
        "约120",
        "120 MW",
        "万",
    ),
    *(
        "=1+1",
        "@x",
        "-x",
        "+x",
        "'x",
        "'=1",
        "''",
        "'",
        "#REF!",
        "#N/A",
        "合计",
        "total",
        "a;b",
        "a;a",
        ";",
        "a;",
        "港城",
    ),
    *("harbor", "Harbor", "HARBOR", "harbour", "province", "capex", "cost", "fund:own", "../x", "x" * 90, "x" * 21_000),
    *(
        "<b>x</b>",
        "{0}",
        "{x}",
        "%s",
        "\u200b",
        "a\u200bb",
        "\xa0",
        "\u2028",
        "a\nb",
        'a"b',
        "a,b",
        "\ufeffa",
        "\ud7ff",
        "😀",
    ),
    *(
        "MW",
        "mW",
        "kt",
        "t",
        "GWh",
        "tce",
        "10**9 t",
        "degC",
        "t/t",
        "万元",
        "%",
        "1e5 t",
        "2030",
        "1899",
        "2201",
        "99999999999",
    ),
]
VALUES = [
    "[1, 2]",
    "{a: 1}",
    "'2020'",
    '"x"',
    "|\n  a",
    "2020-01-01",
    "0x1F",
    "0o17",
    "1_000",
    "1.",
    "yes",
    "on",
    "",
    "# x",
]


def mutations() -> st.SearchStrategy[list[Mutation]]:
    """One to three changes of a case."""
    place = st.integers(0, 10_000)
    piece = st.one_of(st.sampled_from(PIECES), st.binary(min_size=1, max_size=4))
    cell = st.one_of(
        st.sampled_from(CELLS),
        st.floats().map(repr),
        st.integers().map(str),
        st.decimals(allow_nan=False, places=3).map(str),
        st.text(max_size=6).filter(lambda word: word.isprintable()),
    )
    setting = st.one_of(cell, st.sampled_from(VALUES))
    kinds: list[tuple[list[str], st.SearchStrategy[Any]]] = [
        (["flip"], st.integers(0, 7)),
        (["insert", "overwrite"], piece),
        (["delete", "repeat"], st.integers(1, 40)),
        (["truncate", "drop row", "repeat row", "swap rows", "swap columns", "drop column"], st.none()),
        (["encode"], st.sampled_from(ENCODINGS)),
        (["cell", "cell", "cell", "header", "add row", "add column"], cell),
        (["setting", "setting"], setting),
        (["remove file"], st.none()),
    ]
    one = st.one_of([st.tuples(st.sampled_from(names), place, place, place, what) for names, what in kinds])
    return st.lists(one, min_size=1, max_size=3)


def mutated(changes: list[Mutation]) -> Files:
    """The files of the case after the changes."""
    files = dict(BASE)
    for kind, which, first, second, what in changes:
        if kind in CHANGES_OF_BYTES:
            name = NAMES[which % len(NAMES)]
            if files.get(name):
                files[name] = CHANGES_OF_BYTES[kind](files[name], first * 7919 + second, what)
        elif kind == "remove file":
            files.pop(NAMES[which % len(NAMES)], None)
        elif kind == "setting":
            name = ("case.yaml", "scenario.yaml")[which % 2]
            if name in files:
                files[name] = changed_setting(files[name], first, what)
        elif (name := TABLES[which % len(TABLES)]) in files:
            files[name] = changed_table(files[name], kind, first, second, what)
    return files


CHANGES_OF_BYTES: dict[str, Callable[[bytes, int, Any], bytes]] = {
    "flip": lambda data, at, bit: spliced(data, at, 1, bytes([data[at % len(data)] ^ (1 << bit)])),
    "insert": lambda data, at, piece: spliced(data, at, 0, piece),
    "overwrite": lambda data, at, piece: spliced(data, at, len(piece), piece),
    "delete": lambda data, at, size: spliced(data, at, size, b""),
    "repeat": lambda data, at, size: spliced(data, at, 0, data[at % len(data) :][:size]),
    "truncate": lambda data, at, _: data[: at % len(data)],
    "encode": lambda data, _, codec: data.decode("utf-8", "replace").encode(codec, "replace"),
}


def spliced(data: bytes, at: int, size: int, piece: bytes) -> bytes:
    at %= len(data)
    return data[:at] + piece + data[at + size :]


def changed_table(data: bytes, kind: str, first: int, second: int, what: Any) -> bytes:
    """A table after a change of cells, rows or columns; left alone where it is no table any more."""
    try:
        lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        return data
    if len(lines) < 2 or not lines[0]:
        return data
    row, column = 1 + first % (len(lines) - 1), second % len(lines[0])
    other = 1 + second % (len(lines) - 1)
    if kind == "cell" and column < len(lines[row]):
        lines[row][column] = what
    elif kind == "header":
        lines[0][column] = what
    elif kind == "drop row":
        del lines[row]
    elif kind == "repeat row":
        lines.insert(other, list(lines[row]))
    elif kind == "swap rows":
        lines[row], lines[other] = lines[other], lines[row]
    elif kind == "add row":
        lines.append([what] * len(lines[0]))
    elif kind == "add column":
        lines = [[*line, what if number else "x_new"] for number, line in enumerate(lines)]
    elif kind in ("swap columns", "drop column"):
        other = first % len(lines[0])
        for line in lines:
            if max(column, other) < len(line):
                line[column], line[other] = line[other], line[column]
                if kind == "drop column":
                    del line[other]
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(lines)
    return stream.getvalue().encode("utf-8", "surrogatepass")


def changed_setting(data: bytes, first: int, what: str) -> bytes:
    """Settings or scenario with other text behind one colon."""
    lines = data.decode("utf-8", "replace").split("\n")
    at = first % len(lines)
    name, colon, _ = lines[at].rpartition(": ")
    lines[at] = name + colon + what
    return "\n".join(lines).encode("utf-8", "surrogatepass")


# ---------------------------------------------------------------- what may happen


def examined(files: Files, folder: Path) -> tuple[str, list[str], list[str]]:
    """Answer (refused, warned, read), keys of what was said, and everything that may not happen."""
    from catalogue import differences

    for name in NAMES:
        (folder / name).unlink(missing_ok=True)
        if name in files:
            (folder / name).write_bytes(files[name])
    faults: list[str] = []
    answer, issues, case = attempt(lambda: read_case(folder), faults)
    if case is not None:
        faults += differences(case, folder)
        own = {issue.key for issue in issues} - {"without_source", "peak_without_value"}
        answer = "warned" if own else "read"
        if files.get("scenario.yaml") not in (None, BASE["scenario.yaml"]):
            _, more, _ = attempt(lambda: scenario_applied(folder / "scenario.yaml", case, faults), faults)
            issues += more
    for issue in issues:
        for lang in text.LANGUAGES:
            if not text.issue(issue, lang) or not text.remedy(issue, lang):
                faults.append(f"no words for {issue.key}")
    return answer, sorted({issue.key for issue in issues}), faults


def attempt(read: Callable[[], Case], faults: list[str]) -> tuple[str, list[Issue], Case | None]:
    try:
        case = read()
    except CaseError as fault:
        if not fault.errors:
            faults.append("refused without a fault")
        return "refused", list(fault.issues), None
    except Exception:
        faults.append(traceback.format_exc())
        return "failed", [], None
    return "read", list(case.warnings), case


def scenario_applied(path: Path, case: Case, faults: list[str]) -> Case:
    """A case with the scenario; its edits must be what a plain YAML loader reads."""
    scenario = read_scenario(path)
    encoding = "utf-8-sig" if path.read_bytes()[:3] == b"\xef\xbb\xbf" else None
    try:
        raw = yaml.load(path.read_text(encoding or "utf-8"), Loader=yaml.BaseLoader)
    except UnicodeDecodeError:
        raw = yaml.load(path.read_text("gb18030"), Loader=yaml.BaseLoader)
    if plain([edit.mapping() for edit in scenario.edits]) != plain(raw["edits"]):
        faults.append("the edits of the scenario are not what stands there")
    return scenario.applied(case)


def plain(node: Any) -> Any:
    """Without the difference between null, ~ and blank, or true and 'true'; empty parts left out."""
    if isinstance(node, dict):
        return {str(key): plain(value) for key, value in node.items() if value not in ({}, [])}
    if isinstance(node, list):
        return [plain(value) for value in node]
    return {"None": "", "null": "", "~": "", "True": "true", "False": "false"}.get(str(node), str(node))


def compiled(files: Files, folder: Path) -> list[str]:
    """What goes wrong when an accepted case is posed as a problem."""
    try:
        compile_problem(Problem(read_case(folder)))
    except CaseError:
        return []
    except Exception:
        return [traceback.format_exc()]
    return []


def as_workbook(files: Files, folder: Path) -> list[str]:
    """The same cells in a workbook must give the same case, or be refused as well."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    try:
        raw = yaml.load(files["case.yaml"], Loader=yaml.BaseLoader)
        sheet = book.create_sheet("case")
        sheet.append(["setting", "value"])
        for name, value in raw.items():
            if name == "title":
                for lang, words in value.items():
                    sheet.append([f"title.{lang}", words])
            elif name != "data":
                sheet.append([name, ";".join(value) if isinstance(value, list) else value])
        for name in TABLES:
            if name in files:
                sheet = book.create_sheet(name.removesuffix(".csv"))
                for line in csv.reader(io.StringIO(files[name].decode("utf-8-sig"), newline="")):
                    sheet.append([None if cell == "" else "'" + cell if cell[0] == "=" else cell for cell in line])
        book.save(folder / "plan.xlsx")
    except Exception:  # no spreadsheet could hold it
        return []
    faults: list[str] = []
    _, _, first = attempt(lambda: read_case(folder), faults)
    _, _, second = attempt(lambda: read_case(folder / "plan.xlsx"), faults)
    (folder / "plan.xlsx").unlink()
    if first is not None and second is not None and first.digest != second.digest:
        faults.append("folder and workbook differ")
    if (first is None) != (second is None) and not faults and raw.get("data") == []:
        faults.append(f"folder {'read' if first else 'refused'}, workbook {'read' if second else 'refused'}")
    return faults


def campaign(cases: int, start: int = 0, log: Path | None = None) -> int:
    """Examine that many damaged cases, tell how it went, and return how many did what they may not."""
    begun = time.perf_counter()
    answers: Counter[str] = Counter()
    keys: Counter[str] = Counter()
    wrong = 0
    lines = log.open("w", encoding="utf-8") if log else None
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where) / "case"
        folder.mkdir()

        @settings(max_examples=cases, database=None, deadline=None, suppress_health_check=list(HealthCheck))
        @seed(start)
        @given(mutations())
        def run(changes: list[Mutation]) -> None:
            nonlocal wrong
            files = mutated(changes)
            answer, said, faults = examined(files, folder)
            number = sum(answers.values())
            if answer in ("read", "warned") and number % 5 == 0:
                faults += compiled(files, folder)
            if number % 20 == 0 and not any(kind in CHANGES_OF_BYTES for kind, *_ in changes):
                faults += as_workbook(files, folder)
            answers[answer] += 1
            keys.update(said)
            wrong += bool(faults)
            for fault in faults:
                print(f"{changes}: {fault}", flush=True)
            if lines:
                record = {"changes": changes, "answer": answer, "said": said, "faults": faults}
                print(json.dumps(record, ensure_ascii=True, default=repr), file=lines, flush=True)

        run()
    if lines:
        lines.close()
    told = ", ".join(f"{count} {answer}" for answer, count in answers.most_common())
    print(
        f"{sum(answers.values())} damaged cases ({told}; {len(keys)} kinds of words): {wrong} with faults, "
        f"{time.perf_counter() - begun:.0f} s"
    )
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="a JSON line per case")
    given = parser.parse_args()
    return 1 if campaign(given.cases, given.seed, given.log) else 0


if __name__ == "__main__":
    sys.exit(main())
