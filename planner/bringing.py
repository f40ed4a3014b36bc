"""Tables of one's own -> rows of a case: columns matched by name, names to ids, units converted, all in a mapping.

The mapping is guessed once, shown, and written to a file that can be edited; what it does not say is not done.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from planner import amounts, units
from planner.case import Case
from planner.cells import CellError, closest, columns, row_from, value
from planner.errors import CaseError, Issue, Place, error
from planner.files import FileError, RawTable, read_mapping, read_table, read_workbook
from planner.reference import chinese
from planner.rows import TABLES, Row

MONEY = {"元": 1.0, "千元": 1e3, "万元": 1e4, "百万元": 1e6, "千万元": 1e7, "亿元": 1e8} | {
    **{"yuan": 1.0, "cny": 1.0, "rmb": 1.0, "thousand": 1e3, "million": 1e6, "billion": 1e9},
    **{"million cny": 1e6, "billion cny": 1e9, "million yuan": 1e6, "billion yuan": 1e9, "10 thousand yuan": 1e4},
}
"""Units of money that headers name, in plain currency."""
PRICED = {"capex", "fixed_om", "price", "limit", "soft_penalty"}
"""Columns that hold money."""
COUNTED = {"potential": "measure", "units": "measure"}
"""Columns counted in the unit of their measure."""
OWN_UNIT = ("effects", "baseline")
"""Tables whose rows may say their unit."""
WIDE = {"baseline": "value", "drivers": "value", "prices": "price", "potentials": "potential", "effects": "value"}
"""Columns that the cells below headers of years go into, by table."""
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "measure": ("措施", "措施名称", "项目", "项目名称", "技术", "measure", "technology", "project", "option"),
    "city": ("城市", "地市", "市", "设区市", "地区", "区域", "city", "region", "place"),
    "quantity": ("指标", "指标名称", "污染物", "物质", "quantity", "pollutant", "indicator"),
    "sector": ("部门", "行业", "领域", "sector", "industry"),
    "fund": ("资金来源", "来源资金", "资金", "fund", "funding"),
    "year": ("年份", "年度", "年", "投运年", "投运年份", "year"),
    "value": ("数值", "值", "数量", "水平", "排放量", "效果", "减排量", "value", "amount", "level", "emission"),
    "unit": ("单位", "计量单位", "unit"),
    "capex": ("单位投资", "投资", "投资单价", "造价", "单位造价", "capex", "investment", "capital cost", "unit cost"),
    "fixed_om": (
        "运行费用",
        "年运行费用",
        "运维费用",
        "运维成本",
        "运行成本",
        "o&m",
        "om",
        "operating cost",
        "running cost",
    ),
    "lifetime": ("使用年限", "寿命", "年限", "lifetime", "life"),
    "lead_time": ("建设周期", "建设期", "工期", "lead time", "construction time"),
    "ramp": ("推进速度", "年推进比例", "ramp"),
    "potential": ("潜力", "最大潜力", "可开发量", "上限", "potential", "maximum"),
    "units": ("投运量", "完成量", "建成规模", "规模", "delivered", "commissioned", "units"),
    "limit": ("上限", "限额", "预算", "额度", "limit", "cap"),
    "price": ("价格", "单价", "price"),
    "name_zh": ("中文名", "中文名称", "名称", "name"),
    "name_en": ("英文名", "英文名称", "english name"),
    "population": ("人口", "常住人口", "population"),
    "gdp": ("gdp", "地区生产总值", "生产总值"),
    "area": ("面积", "area"),
    "note": ("备注", "说明", "note", "notes", "remark", "comment"),
    "source": ("来源", "资料来源", "数据来源", "source"),
    "grade": ("等级", "数据等级", "grade"),
    "clause": ("条款", "clause"),
    "departments": ("责任单位", "牵头单位", "departments", "department"),
    "max_share": ("最高占比", "占比", "比例", "share", "max share"),
    "factor": ("折算系数", "系数", "factor"),
    "share": ("比例", "占比", "share"),
}
"""Words that people write over columns, by column; the Chinese names of `columns.zh.yaml` count as well."""


@dataclass
class Bringing:
    """How a table of one's own becomes rows of a table of a case."""

    table: str
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By column of the case: `from` (a header of one's own), `multiply` (a number), `unit` (of one's own)."""
    years: list[str] = field(default_factory=list)
    """Headers that are years; every cell below them becomes a row of that year."""
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    """By column: names in one's own table -> ids of the case."""
    constants: dict[str, str] = field(default_factory=dict)
    """Cells that are the same in all rows."""
    ignored: list[str] = field(default_factory=list)
    """Headers that are not taken over."""

    def text(self) -> str:
        """The mapping as a file to edit."""
        found = {name: part for name, part in vars(self).items() if part}
        return str(yaml.safe_dump(found, allow_unicode=True, sort_keys=False, width=120))


def read_foreign(path: Path, sheet: str | None = None) -> RawTable:
    """A table of one's own: a CSV file, or a sheet of a workbook (its first, unless named); raises CaseError."""
    try:
        if path.suffix.lower() == ".xlsx":
            sheets, issues = read_workbook(path)
            name = sheet if sheet is not None else next(iter(sheets), "")
            if name not in sheets:
                hint = closest(name, sheets)
                raise CaseError(
                    [
                        *issues,
                        error("no_such_sheet", Place(path.name), found=name, hint=hint, expected=", ".join(sheets)),
                    ]
                )
            return sheets[name]
        table, issues = read_table(path, path.name)
    except FileError as fault:
        raise CaseError([fault.issue]) from fault
    if any(issue.severity == "error" for issue in issues):
        raise CaseError(issues)
    return table


def read_map(path: Path) -> Bringing:
    """A mapping from its file; raises CaseError."""
    try:
        found, issues = read_mapping(path, path.name)
    except FileError as fault:
        raise CaseError([fault.issue]) from fault
    known = set(vars(Bringing("")))
    unknown = [name for name in found if name not in known]
    shapes = {"columns": dict, "years": list, "values": dict, "constants": dict, "ignored": list, "table": str}
    wrong = [name for name, kind in shapes.items() if name in found and not isinstance(found[name], kind)]
    faults = [
        error(
            "unknown_column",
            Place(path.name),
            name,
            found=name,
            hint=closest(name, known),
            expected=", ".join(sorted(known)),
        )
        for name in unknown
    ]
    faults += [error("map_shape", Place(path.name), name, found=found[name]) for name in wrong]
    for name, part in (found.get("columns") or {}).items() if not wrong else ():
        if not isinstance(part, dict) or set(part) - {"from", "multiply", "unit"} or "from" not in part:
            faults.append(error("map_shape", Place(path.name), f"columns.{name}", found=part))
        elif "multiply" in part:
            try:
                part["multiply"] = float(part["multiply"])
            except (TypeError, ValueError):
                faults.append(error("map_shape", Place(path.name), f"columns.{name}.multiply", found=part["multiply"]))
    if faults or "table" not in found:
        raise CaseError([*issues, *faults] or [error("map_shape", Place(path.name), "table", found="")])
    return Bringing(**found)


# ---------------------------------------------------------------- guessing


def plain(text: str) -> str:
    """A header for comparing: one width, lower case, without blanks."""
    return re.sub(r"[\s_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def parted(header: str) -> tuple[str, str]:
    """Name and unit of a header.

    >>> parted("潜力（万千瓦）"), parted("capex [million CNY]"), parted("年份")
    (('潜力', '万千瓦'), ('capex', 'million CNY'), ('年份', ''))
    """
    text = unicodedata.normalize("NFKC", header).strip()
    found = re.fullmatch(r"(.*?)\s*[(\[,/:]\s*([^()\[\]]+?)\s*[)\]]?", text, re.DOTALL)
    if found and found[1] and (text[-1] in ")]" or "/" not in text):
        return found[1].strip(), found[2].strip()
    return text, ""


def year_of(header: str) -> int | None:
    """The year that a header is, if it is one.

    >>> year_of("2025"), year_of("2030年"), year_of("潜力")
    (2025, 2030, None)
    """
    found = re.fullmatch(r"((?:19|20|21)\d\d)(?:\.0)?\s*年?", unicodedata.normalize("NFKC", header).strip())
    return int(found[1]) if found else None


def guess(raw: RawTable, table: str, case: Case) -> Bringing:
    """A mapping for a table of one's own: columns by name and synonym, names to ids, units to factors."""
    row = TABLES[table]
    known = columns(row)
    mapping = Bringing(table)
    names = {plain(name): name for name in known}
    for column, words in SYNONYMS.items():
        if column in known:
            for word in words:
                names.setdefault(plain(word), column)
    for column in known:
        label = re.split("[：；]", chinese()[table].get(column) or chinese()["shared"].get(column, ""), maxsplit=1)[0]
        names.setdefault(plain(label.split("[")[0]), column)
    names[plain(row.key[0])] = row.key[0]
    for header in raw.header:
        name, unit = parted(header)
        matched = names.get(plain(header)) or names.get(plain(name))
        if year_of(header) is not None and table in WIDE:
            mapping.years.append(header)
        elif matched is None or matched in mapping.columns:
            mapping.ignored.append(header)
        else:
            mapping.columns[matched] = {"from": header, **converted(table, matched, unit)}
    if mapping.years and WIDE[table] not in mapping.columns:
        mapping.columns[WIDE[table]] = {"from": mapping.years[0]}
    elif mapping.years:
        mapping.ignored += mapping.years
        mapping.years = []
    for column, part in mapping.columns.items():
        if column in row.references:
            ids = ids_by_name(case, row.references[column])
            place = raw.header.index(part["from"])
            told = {str(cells[place]).strip() for _, cells in raw.rows} - {""}
            found = {name: ids[plain(name)] for name in sorted(told) if plain(name) in ids and ids[plain(name)] != name}
            if found:
                mapping.values[column] = found
    return mapping


def converted(table: str, column: str, unit: str) -> dict[str, Any]:
    """What a unit in a header means for its cells."""
    if not unit:
        return {}
    named = unit.split("/", maxsplit=1)[0].strip()
    money = MONEY.get(named.casefold())
    if column in PRICED and money is not None:
        return {"multiply": money} if money != 1 else {}
    if unit in ("%", "％", "percent"):
        return {"multiply": 0.01}
    if column in COUNTED or (column == "value" and table in OWN_UNIT):
        return {"unit": unit}
    return {}


def ids_by_name(case: Case, table: str) -> dict[str, str]:
    """Ids of a table by every name people use for them."""
    found: dict[str, str] = {}
    for row in case.rows(table):
        id_ = str(row.ids()[0])
        for name in (id_, getattr(row, "name_zh", None), getattr(row, "name_en", None)):
            if name:
                found.setdefault(plain(str(name)), id_)
                found.setdefault(plain(re.sub(r"[(（].*[)）]$", "", str(name))), id_)
                if table == "cities":
                    found.setdefault(plain(str(name).removesuffix("市")), id_)
    return found


# ---------------------------------------------------------------- taking over


def brought(raw: RawTable, mapping: Bringing, case: Case) -> tuple[list[Row], list[Issue]]:
    """Rows of the case from a table of one's own, and every fault, placed in that table."""
    row = TABLES[mapping.table]
    known = columns(row)
    rows: list[Row] = []
    issues: list[Issue] = []
    label = raw.label
    for column, part in mapping.columns.items():
        if column not in known:
            issues.append(
                error(
                    "unknown_column",
                    Place(label, 1),
                    column,
                    found=column,
                    hint=closest(column, known),
                    expected=", ".join(known),
                )
            )
        if part["from"] not in raw.header:
            issues.append(error("column_missing", Place(label, 1), part["from"], expected=part["from"]))
    unknown = [header for header in mapping.years if header not in raw.header or year_of(header) is None]
    issues += [error("column_missing", Place(label, 1), header, expected=header) for header in unknown]
    if issues:
        return rows, issues
    for number, cells in raw.rows:
        own = dict(zip(raw.header, cells, strict=True))
        spans: list[tuple[int | None, str | None]] = [(year_of(header), header) for header in mapping.years]
        for year, header in spans or [(None, None)]:
            if header is not None and own[header] in (None, ""):
                continue
            try:
                made = dict(cells_of(own, mapping, case, row, header))
            except CellError as fault:
                params = {name: part for name, part in fault.params.items() if name != "column"}
                issues.append(
                    error(fault.key, Place(label, number), str(fault.params.get("column", "")) or None, **params)
                )
                continue
            if year is not None:
                made["year"] = year
            read, found = row_from(row, made, Place(label, number))
            issues += found
            if read is not None:
                rows.append(read)
    return rows, issues


def cells_of(
    own: Mapping[str, Any], mapping: Bringing, case: Case, row: type[Row], year: str | None
) -> Iterator[tuple[str, Any]]:
    """Cells of one row by column of the case; raises CellError, which names the header."""
    known = columns(row)
    yield from mapping.constants.items()
    found: dict[str, Any] = {}
    for column, part in mapping.columns.items():
        header = year if year is not None and column == WIDE.get(mapping.table) else part["from"]
        cell = own[header]
        if isinstance(cell, str):
            cell = mapping.values.get(column, {}).get(cell.strip(), cell.strip())
        try:
            if (
                cell not in (None, "")
                and known[column].kind in ("number", "whole")
                and {"multiply", "unit"} & set(part)
            ):
                size = float(value(known[column], cell)) * float(part.get("multiply", 1))
                if "unit" in part and mapping.table in OWN_UNIT and column == "value":
                    found["unit"], factor = pint_unit(str(part["unit"]))
                    size *= factor
                elif "unit" in part:
                    size *= to_measure(case, str(found.get("measure", "")), str(part["unit"]))
                cell = float(f"{size:.15g}")
        except CellError as fault:
            raise CellError(fault.key, **{**fault.params, "column": header}) from fault
        found[column] = cell
    yield from found.items()


def pint_unit(name: str) -> tuple[str, float]:
    """A unit that the case understands for one in a header, and the factor to it.

    >>> pint_unit("万吨"), pint_unit("t")
    (('kt', 10.0), ('t', 1.0))
    """
    for unit, shown in amounts.CHINESE.items():
        if shown.name == name:
            return unit, 1 / shown.factor
    words = {"吨": "t", "千吨": "kt", "千瓦": "kW", "兆瓦": "MW", "千瓦时": "kWh", "吨标准煤": "tce"}
    return words.get(name, name), 1.0


def to_measure(case: Case, measure: str, unit: str) -> float:
    """Factor from a unit in a header to that of a measure; raises CellError."""
    target = next((row.unit for row in case.measures if row.measure == measure), None)
    if target is None or unit == target:
        return 1.0
    for lang in ("zh", "en"):
        shown = amounts.unit(target, lang)
        if shown.name == unit:
            return 1 / shown.factor
    name, factor = pint_unit(unit)
    try:
        return factor * units.factor(name, target)
    except (ValueError, KeyError) as fault:
        raise CellError("unit_mismatch_own", found=unit, expected=target) from fault


def joined(case: Case, table: str, rows: Sequence[Row], replace: bool) -> Case:
    """The case with these rows: they take the place of those with the same key, or of all of them. Raises CaseError."""
    keys = {row.ids() for row in rows}
    before = [] if replace else [row for row in case.rows(table) if row.ids() not in keys]
    return case.with_tables({}, {table: [*before, *rows]})
