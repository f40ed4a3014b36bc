"""Edits: named changes of a case's rows and settings, applied by the same door as files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner.cells import CellError, closest, columns, row_from, value
from planner.errors import CaseError, Issue, Place, error, warning
from planner.rows import TABLES, Row, Settings
from planner.tableset import Tables

_SHAPES: tuple[frozenset[str], ...] = (
    frozenset({"table", "key", "set"}),
    frozenset({"table", "key", "scale"}),
    frozenset({"table", "add"}),
    frozenset({"table", "key", "remove"}),
    frozenset({"setting", "value"}),
)


@dataclass(frozen=True)
class Edit:
    """One change: of cells (`table`, `key`, `set`), of numbers by a factor (`table`, `key`, `scale`), a new row
    (`table`, `add`), a row switched off (`table`, `key`, `remove`), or a setting (`setting`, `value`).

    `key` names rows by their key columns; columns left out match anything, and None matches a blank cell.
    """

    table: str = ""
    key: Mapping[str, Any] = field(default_factory=dict)
    set: Mapping[str, Any] = field(default_factory=dict)
    scale: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, Any] | None = None
    remove: bool = False
    setting: str = ""
    value: Any = None

    def mapping(self) -> dict[str, Any]:
        """The edit as it is written in a scenario."""
        if self.setting:
            return {"setting": self.setting, "value": self.value}
        if self.add is not None:
            return {"table": self.table, "add": dict(self.add)}
        change: dict[str, Any] = {"remove": True} if self.remove else {"set": dict(self.set)}
        if self.scale:
            change = {"scale": dict(self.scale)}
        return {"table": self.table, "key": dict(self.key), **change}


def read_edits(raw: object, file: str) -> list[Edit]:
    """Edits from what a YAML or JSON file holds; raises CaseError with every fault in their shape."""
    if not isinstance(raw, list):
        raise CaseError([error("edits_no_list", Place(file), "edits")])
    issues: list[Issue] = []
    edits = []
    for number, item in enumerate(raw, start=1):
        place = Place(file, number, "edit")
        if isinstance(item, Edit):
            edits.append(item)
            continue
        shape = frozenset(item) if isinstance(item, dict) else frozenset()
        parts = [item.get(name, {}) for name in ("key", "set", "scale", "add")] if isinstance(item, dict) else [None]
        if shape not in _SHAPES or not all(isinstance(part, dict) for part in parts):
            issues.append(error("edit_shape", place, found=", ".join(map(str, sorted(shape))) or type(item).__name__))
        elif "remove" in shape and item["remove"] is not True:
            issues.append(error("edit_remove", place, "remove", found=item["remove"]))
        else:
            edits.append(Edit(**item))
    if issues:
        raise CaseError(issues)
    return edits


def applied(
    tables: Tables, edits: Sequence[Edit], file: str
) -> tuple[Settings, dict[str, tuple[Row, ...]], list[Issue]]:
    """Settings and rows after the edits, in their order, and every fault in the edits themselves."""
    settings = tables.settings
    rows = {table: tables.rows(table) for table in TABLES}
    issues: list[Issue] = []
    for number, edit in enumerate(edits, start=1):
        place = Place(file, number, "edit")
        if edit.setting:
            settings, found = _set_setting(settings, edit, place)
        elif edit.table not in TABLES:
            hint = closest(edit.table, TABLES)
            found = [error("edit_table", place, "table", found=edit.table, hint=hint)]
        elif edit.add is not None:
            row, found = row_from(TABLES[edit.table], edit.add, place)
            if row is not None:
                rows[edit.table] = (*rows[edit.table], row)
        else:
            found = _change(rows, edit, place)
        issues += found
    return settings, rows, issues


def _set_setting(settings: Settings, edit: Edit, place: Place) -> tuple[Settings, list[Issue]]:
    if edit.setting == "data":  # folders are part of where a case lives, not of what it says
        return settings, [error("edit_data", place, "setting", found="data")]
    if edit.setting not in columns(Settings):
        hint = closest(edit.setting, columns(Settings))
        return settings, [error("edit_setting", place, "setting", found=edit.setting, hint=hint)]
    row, issues = row_from(Settings, {**_cells(settings), edit.setting: edit.value}, place)
    return (row if isinstance(row, Settings) else settings), issues


def _cells(row: Row) -> dict[str, Any]:
    """Cells that would read back to this row; what equals its default is left blank."""
    cells = {
        name: getattr(row, name)
        for name, column in columns(type(row)).items()
        if getattr(row, name) != column.info.get_default(call_default_factory=True)
    }
    return {**cells, **row.extra}


def _change(rows: dict[str, tuple[Row, ...]], edit: Edit, place: Place) -> list[Issue]:
    """Set cells of the rows that `edit.key` names, or switch them off."""
    row_class = TABLES[edit.table]
    table = columns(row_class)
    wanted: dict[str, Any] = {}
    issues: list[Issue] = []
    for name, raw in edit.key.items():
        if name not in row_class.key:
            expected = ", ".join(row_class.key)
            hint = closest(name, row_class.key)
            issues.append(error("edit_key", place, name, found=name, expected=expected, hint=hint))
            continue
        try:
            blank = raw is None or raw == ""
            wanted[name] = table[name].info.get_default() if blank else value(table[name], raw)
        except CellError as fault:
            issues.append(error(fault.key, place, name, **fault.params))
    if not edit.key:
        issues.append(error("edit_key", place, "key", found="", expected=", ".join(row_class.key), hint=""))
    if issues:
        return issues
    named = [row for row in rows[edit.table] if all(getattr(row, name) == part for name, part in wanted.items())]
    if not named:
        return [_names_nothing(rows[edit.table], edit, wanted, place)]
    if edit.remove:
        return _switch_off(rows, edit.table, named, place)
    factors, issues = _factors(edit, named, place)
    if issues:
        return issues
    changed: dict[int, Row] = {}
    for row in named:
        filled = {name: getattr(row, name) for name in factors if getattr(row, name) is not None}
        scaled = {name: number * factors[name] for name, number in filled.items()}
        read, issues = row_from(row_class, {**_cells(row), **edit.set, **scaled}, place)
        if read is None:  # one row is enough: the others fail alike
            return issues
        changed[id(row)] = read
    rows[edit.table] = tuple([changed.get(id(row), row) for row in rows[edit.table]])
    return []


def _factors(edit: Edit, named: Sequence[Row], place: Place) -> tuple[dict[str, float], list[Issue]]:
    """Factors of the columns to scale; blank cells stay blank, but a column without any number is a fault."""
    table = columns(TABLES[edit.table])
    able = [name for name, column in table.items() if column.kind == "number"]
    number = columns(TABLES["potentials"])["potential"]
    factors: dict[str, float] = {}
    issues: list[Issue] = []
    for name, raw in edit.scale.items():
        if name not in able:
            hint = closest(name, able)
            issues.append(error("edit_scale", place, name, found=name, expected=", ".join(able), hint=hint))
            continue
        try:
            factor = value(number, raw)
        except CellError as fault:
            issues.append(error(fault.key, place, name, **fault.params))
            continue
        if all(getattr(row, name) is None for row in named):
            issues.append(error("edit_scale_blank", place, name, found=name))
        else:
            factors[name] = factor
    return factors, issues


def _names_nothing(rows: Sequence[Row], edit: Edit, wanted: Mapping[str, Any], place: Place) -> Issue:
    keys = [";".join(str(getattr(row, name) or "") for name in wanted) for row in rows]
    found = ";".join(str(part if part is not None else "") for part in wanted.values())
    column = next(iter(wanted))
    return error("edit_names_nothing", place, column, found=found, table=edit.table, hint=closest(found, keys))


def _switch_off(rows: dict[str, tuple[Row, ...]], table: str, named: Sequence[Row], place: Place) -> list[Issue]:
    """Take rows away, and with the last row of an id everything that only served it."""
    gone = {id(row) for row in named}
    rows[table] = tuple([row for row in rows[table] if id(row) not in gone])
    left = {str(row.ids()[0]) for row in rows[table]}
    ids = {str(row.ids()[0]) for row in named} - left
    also: dict[str, int] = {}
    for other, row_class in TABLES.items():
        referring = [column for column, target in row_class.references.items() if target == table]
        if not ids or not referring:
            continue
        kept = tuple([row for row in rows[other] if not any(_only(getattr(row, column), ids) for column in referring)])
        if len(kept) < len(rows[other]):
            also[other] = len(rows[other]) - len(kept)
            rows[other] = kept
    if "groups" in also:
        rows["groups"] = _whole_overlaps(rows["groups"])
    if not also:
        return []
    listed = ", ".join(f"{name} ({number})" for name, number in also.items())
    return [warning("switched_off", place, found=", ".join(sorted(ids)), rows=listed)]


def _only(cell: object, ids: set[str]) -> bool:
    """Whether a cell names nothing but what is gone."""
    return bool(cell) and set(cell) <= ids if isinstance(cell, tuple) else cell in ids


def _whole_overlaps(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Without overlaps that lost a member: one measure alone overlaps nothing."""
    members: dict[str, set[str]] = {}
    for row in rows:
        members.setdefault(getattr(row, "group"), set()).add(getattr(row, "measure"))  # noqa: B009
    return tuple(
        row
        for row in rows
        if getattr(row, "kind") != "overlap" or len(members[getattr(row, "group")]) == 2  # noqa: B009
    )
