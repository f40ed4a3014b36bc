"""What every column means, from the words under the fields of the row classes.

`python -m planner.reference` prints the page cases/README.md.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

import yaml
from pydantic_core import PydanticUndefined

from planner import rows
from planner.cells import Column, columns
from planner.rows import (
    GROUP_FORBIDS,
    GROUP_ROLES,
    TABLES,
    TARGET_FORBIDS,
    TARGET_NEEDS,
    Row,
    Settings,
    Sourced,
)

CHINESE = Path(__file__).parent / "columns.zh.yaml"
KINDS = {
    "text": "text",
    "whole": "whole number",
    "number": "number",
    "yesno": "yes or no",
    "many": "list",
    "mapping": "mapping",
}

HEAD = """\
# The case format, column by column

A case is a folder: settings in `case.yaml`, tables as CSV (UTF-8, commas, a header). A table is taken whole from the
first place that has it: the case folder, then the folders listed under `data`. The same tables as sheets of one .xlsx
workbook, with the settings in a sheet `case` (columns setting and value), are the same case; there a header cell may
have further lines for people below the name of its column, and sheets whose names begin with `_` are no input: they
are skipped, and `check` says so. `planner check CASE` names every fault with file (or sheet and cell), row, column and
remedy.

Columns marked **must** are filled in every row; *header* means that the column must be there, though its cells may be
blank; all others may be left out. Every row may also carry `source` (ids of `sources`, or `own`), `grade` (A official,
B literature, C estimate), `note`, and columns of your own named `x_...`. Several values in a cell are separated by `;`.
Ids are letters, digits, `_` and `-`. Numbers are plain: `1200`, `0.18`, `-2.5e6`. Money is in plain currency, at prices
of the base year; a column `x_price_year` may say so, and `check` names rows that say another year. The same key twice
is a fault.

This page is written by `python -m planner.reference > cases/README.md` from the classes in `planner/rows.py`; a test
holds both equal.
"""


@cache
def descriptions(row: type[Row]) -> dict[str, str]:
    """The words under each field of a row class and its parents."""
    found: dict[str, str] = {}
    tree = ast.parse(inspect.getsource(rows))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    for parent in reversed(row.__mro__):
        body = classes[parent.__name__].body if parent.__name__ in classes else []
        for field, words in pairwise(body):
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            if isinstance(words, ast.Expr) and isinstance(words.value, ast.Constant):
                found[field.target.id] = " ".join(str(words.value.value).split())
    return found


def describe(table: str, column: str, lang: str = "en") -> str:
    """What a column means, such as the help of a field in an editor."""
    if lang == "zh":
        words = chinese()
        return words[table].get(column) or words["shared"].get(column, "")
    return descriptions(TABLES.get(table, Settings)).get(column, "")


@cache
def chinese() -> Mapping[str, Mapping[str, str]]:
    """Chinese words for every column by table (a short name, then what it is), and the names of all tables."""
    found: dict[str, dict[str, str]] = yaml.safe_load(CHINESE.read_text(encoding="utf-8"))
    return found


def label(table: str, column: str, lang: str = "en") -> str:
    """Short name of a column in Chinese, and its unit in both languages; nothing where there is neither.

    >>> label("measures", "capex", "zh"), label("measures", "capex")
    ('单位投资 [元/单位]', '[currency per unit]')
    """
    meaning, unit = split_unit(describe(table, column, lang))
    name = re.split("[：；]", meaning, maxsplit=1)[0] if lang == "zh" else ""
    return f"{name} [{unit}]".strip() if unit else name


def column_reference() -> str:
    """The page cases/README.md."""
    sections = [_section("case.yaml", Settings), *(_section(f"{name}.csv", row) for name, row in TABLES.items())]
    return "\n".join([HEAD, *sections, _kinds()])


def _section(title: str, row: type[Row]) -> str:
    about = " ".join((row.__doc__ or "").split())
    if row is not Settings:
        about += f" Key: {_listed(row.key)}." + (" At least one row." if row.needed else "")
    lines = [f"## {title}", "", about, ""]
    lines += ["| column | | what it is | unit | type | default | example |", "|---|---|---|---|---|---|---|"]
    words = descriptions(row)
    shared = ("grade", "note", *(("source",) if issubclass(row, Sourced) else ()))
    for name, column in columns(row).items():
        if name in shared:
            continue
        meaning, unit = split_unit(words[name])
        must = "**must**" if column.filled else "*header*" if column.header else ""
        example = (column.info.examples or [""])[0]
        cells = [f"`{name}`", must, meaning, unit, _type(row, column), _default(column), f"`{example}`"]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def split_unit(words: str) -> tuple[str, str]:
    """Meaning and unit: the unit stands in square brackets at the end of a sentence."""
    unit = re.search(r"\s*\[([^\[\]]+)\](?=\.|$)", words)
    if not unit:
        return words, ""
    return words[: unit.start()] + words[unit.end() :], unit[1]


def _type(row: type[Row], column: Column) -> str:
    if column.name in row.references:
        return f"{'ids' if column.kind == 'many' else 'id'} of {row.references[column.name]}"
    if column.kind == "choice":
        return "one of " + _listed(column.choices)
    return KINDS[column.kind]


def _default(column: Column) -> str:
    value = column.info.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return f"`{';'.join(value)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _kinds() -> str:
    """Which columns belong to which kind of target and group."""
    lines = ["## Kinds of target and group", "", "| target | must | not used |", "|---|---|---|"]
    for kind, needed in TARGET_NEEDS.items():
        lines.append(f"| `{kind}` | {_listed(needed)} | {_listed(TARGET_FORBIDS[kind])} |")
    lines += ["", "| group | roles | not used |", "|---|---|---|"]
    for kind, roles in GROUP_ROLES.items():
        lines.append(f"| `{kind}` | {_listed(roles)} | {_listed(GROUP_FORBIDS[kind])} |")
    lines += [
        "",
        "`overlap` needs `quantity` and `loss`. `shared` with a blank `cap` takes no weights, and is per city.",
    ]
    return "\n".join(lines) + "\n"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(column_reference())
