"""What every column means, from the words under the fields of the row classes.

`python -m planner.reference` prints the page cases/README.md, `python -m planner.reference zh` the page in Chinese.
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
WORDS = {
    "text": {"en": "text", "zh": "文本"},
    "whole": {"en": "whole number", "zh": "整数"},
    "number": {"en": "number", "zh": "数字"},
    "yesno": {"en": "yes or no", "zh": "yes 或 no"},
    "many": {"en": "list", "zh": "列表"},
    "mapping": {"en": "mapping", "zh": "映射"},
    "one": {"en": "id of {table}", "zh": "{table} 的代码"},
    "several": {"en": "ids of {table}", "zh": "{table} 的多个代码"},
    "choice": {"en": "one of {listed}", "zh": "{listed} 之一"},
    "must": {"en": "**must**", "zh": "**必填**"},
    "header": {"en": "*header*", "zh": "*表头*"},
    "key": {"en": " Key: {listed}.", "zh": "键：{listed}。"},
    "needed": {"en": " At least one row.", "zh": "至少一行。"},
    "columns": {
        "en": "| column | | what it is | unit | type | default | example |",
        "zh": "| 列 | | 含义 | 单位 | 类型 | 默认值 | 示例 |",
    },
    "kinds": {"en": "## Kinds of target and group", "zh": "## 目标与措施组的类型"},
    "targets": {"en": "| target | must | not used |", "zh": "| 目标 | 必填 | 不用 |"},
    "groups": {"en": "| group | roles | not used |", "zh": "| 措施组 | 角色 | 不用 |"},
    "last": {
        "en": "`overlap` needs `quantity` and `loss`. `shared` with a blank `cap` takes no weights, and is per city.",
        "zh": "`overlap` 须填 `quantity` 和 `loss`。`shared` 的 `cap` 为空白时不设权重，且按城市分别计。",
    },
    "comma": {"en": ", ", "zh": "、"},
    "head": {
        "en": """\
# The case format, column by column

[中文](README.zh.md)

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
""",
        "zh": """\
# 案例格式：逐表逐列说明

[English](README.md)

一个案例就是一个文件夹：设置写在 `case.yaml`，数据表为 CSV（UTF-8 编码、逗号分隔、有表头）。
每张表整张取自最先找到它的位置：先是案例文件夹，再依次是 `data` 所列的文件夹。
同样的表也可以作为一个 .xlsx 工作簿的各工作表，设置放在工作表 `case`（列为 setting 和 value），案例完全相同；
工作簿的表头单元格在列名之下可以另起几行，写给人看的说明；名称以 `_` 开头的工作表不是输入，会被跳过，
`check` 会予以说明。`planner check 案例` 列出全部错误，注明文件（或工作表和单元格）、行、列和改法。

标有**必填**的列每行都要填写；*表头*指该列必须存在，但单元格可以空白；其余各列均可省略。
各行还可以有 `source`（`sources` 表中的代码，或 `own`）、`grade`（A 官方，B 文献，C 估计）、`note`，
以及以 `x_...` 命名的自用列。一个单元格内的多个值用 `;` 分隔。代码由字母、数字、`_` 和 `-` 组成。数字直接书写：
`1200`、`0.18`、`-2.5e6`。资金以元等基本货币单位、按基准年价格计；可用 `x_price_year` 列注明价格年份，
写有其他年份的行会由 `check` 指出。同一个键出现两次即为错误。

本页由 `python -m planner.reference zh > cases/README.zh.md` 生成，各列说明取自 `planner/columns.zh.yaml`；
有测试保证两者一致，并与英文页的结构相同。
""",
    },
}
"""Words of the page about columns."""
ABOUT = {
    "case": "案例的设置：`case.yaml`，或工作簿的工作表 `case`，列为 setting 和 value。",
    "cities": "一个城市，或规划在空间上区分的任何单元。",
    "city_groups": "某个命名城市组中的一个城市；目标和预算可以用该组作为范围。",
    "sectors": "指标计入的部门。",
    "departments": "负责措施的单位。",
    "quantities": "任何需要核算的量：排放、能源、装机、货运量。",
    "measures": "可以建设或实施的事项，以实物单位计量。",
    "measure_costs": "措施在某年的成本，如技术进步带来的下降；取代 `measures` 中所有年份的数值。",
    "effects": "每单位在役量每年引起的指标变化。",
    "potentials": "一个城市最多可有的在役量。",
    "existing": "某年投运的存量：既有的，或已在建的。",
    "baseline": "没有新措施时指标的水平。",
    "drivers": "用来除指标的量的变化路径，如产值或人口。",
    "conversions": "一项指标的变化如何带动另一项指标。",
    "allocations": "全省汇总的折算中各城市所占的比例。",
    "prices": "指标的价格；按相对基准情景的变化计。",
    "groups": "措施组中的一项措施，组把各措施联系起来：共用一个基数，一个依赖另一个，或效果重叠。",
    "funds": "资金从哪里来。",
    "fund_rules": "一项资金最多承担某部门、或某项措施投资的多大比例。",
    "targets": "规划必须满足的对指标的要求。",
    "budgets": "资金上限；代码相同、年份不同的几行，构成同一预算的年度上限。",
    "pins": "参与者的要求：强制、禁止或固定某项措施的启动量或在役量。",
    "sources": "各行 `source` 列所引用的文件或数据集。",
}
"""What a row of each table is, in Chinese; in English it is the docstring of its class."""


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


def column_reference(lang: str = "en") -> str:
    """The page cases/README.md, or cases/README.zh.md."""
    tables: dict[str, type[Row]] = {"case": Settings, **TABLES}
    return "\n".join([_t("head", lang), *(_section(name, row, lang) for name, row in tables.items()), _kinds(lang)])


def _t(key: str, lang: str) -> str:
    return WORDS[key][lang]


def _section(table: str, row: type[Row], lang: str) -> str:
    about = ABOUT[table] if lang == "zh" else " ".join((row.__doc__ or "").split())
    if row is not Settings:
        about += _t("key", lang).format(listed=_listed(row.key, lang)) + (_t("needed", lang) if row.needed else "")
    title = "case.yaml" if row is Settings else f"{table}.csv"
    lines = [f"## {title}", "", about, "", _t("columns", lang), "|---|---|---|---|---|---|---|"]
    shared = ("grade", "note", *(("source",) if issubclass(row, Sourced) else ()))
    for name, column in columns(row).items():
        if name in shared:
            continue
        meaning, unit = split_unit(describe(table, name, lang))
        must = _t("must", lang) if column.filled else _t("header", lang) if column.header else ""
        example = (column.info.examples or [""])[0]
        cells = [f"`{name}`", must, meaning, unit, _type(row, column, lang), _default(column), f"`{example}`"]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def split_unit(words: str) -> tuple[str, str]:
    """Meaning and unit: the unit stands in square brackets at the end of a sentence."""
    unit = re.search(r"\s*\[([^\[\]]+)\](?=\.|$)", words)
    if not unit:
        return words, ""
    return words[: unit.start()] + words[unit.end() :], unit[1]


def _type(row: type[Row], column: Column, lang: str) -> str:
    if column.name in row.references:
        return _t("several" if column.kind == "many" else "one", lang).format(table=row.references[column.name])
    if column.kind == "choice":
        return _t("choice", lang).format(listed=_listed(column.choices, lang))
    return _t(column.kind, lang)


def _default(column: Column) -> str:
    value = column.info.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return f"`{';'.join(value)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _kinds(lang: str) -> str:
    """Which columns belong to which kind of target and group."""
    lines = [_t("kinds", lang), "", _t("targets", lang), "|---|---|---|"]
    for kind, needed in TARGET_NEEDS.items():
        lines.append(f"| `{kind}` | {_listed(needed, lang)} | {_listed(TARGET_FORBIDS[kind], lang)} |")
    lines += ["", _t("groups", lang), "|---|---|---|"]
    for kind, roles in GROUP_ROLES.items():
        lines.append(f"| `{kind}` | {_listed(roles, lang)} | {_listed(GROUP_FORBIDS[kind], lang)} |")
    return "\n".join([*lines, "", _t("last", lang)]) + "\n"


def _listed(names: Iterable[str], lang: str) -> str:
    return _t("comma", lang).join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(column_reference(*sys.argv[1:]))
