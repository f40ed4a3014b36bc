"""Scenarios: named edits on top of a case, in a file or on the command line."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from planner.case import Case
from planner.cells import closest, columns
from planner.edits import Edit, read_edits
from planner.errors import CaseError, Issue, Place, error, warning
from planner.files import FileError, read_mapping
from planner.rows import TABLES, Settings
from planner.saving import alone, write_bytes

FORMAT = 1
ON_COMMAND_LINE = "--set"
_KEYS = ("scenario", "title", "case", "format", "note", "edits")
_SETTINGS = ("case", "settings")


@dataclass(frozen=True)
class Scenario:
    """Named edits of a case."""

    scenario: str
    """Id of the scenario."""
    edits: tuple[Edit, ...] = ()
    title: Mapping[str, str] = field(default_factory=dict)
    """Name for people, by language."""
    case: str = ""
    """Name of the case it was written for."""
    note: str = ""
    file: str = "scenario"
    """What faults call it."""
    stamp: str = field(default="", compare=False)
    """Fingerprint of the file it was read from or written to; none for one that no file holds yet."""

    def applied(self, case: Case) -> Case:
        """`case` with the edits; raises CaseError that names this file and the number of the edit."""
        edited = case.edited(self.edits, self.file)
        if self.case in ("", case.settings.name):
            return edited
        other = warning("scenario_other_case", Place(self.file), "case", found=self.case, expected=case.settings.name)
        return edited.with_warnings(other)


def read_scenario(path: Path | str) -> Scenario:
    """The scenario in a YAML or JSON file; raises CaseError with every fault found."""
    path = Path(path)
    try:
        stamp = _stamp(path)  # before it is read: whoever writes in between is noticed when this one is saved
        raw, issues = read_mapping(path, path.name)
    except FileError as fault:
        raise CaseError([fault.issue]) from fault
    return replace(scenario_from(raw, path.name, issues), stamp=stamp)


def _stamp(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    except OSError:  # said when it is read or written
        return ""


def scenario_from(raw: Mapping[str, Any], file: str, issues: Iterable[Issue] = ()) -> Scenario:
    """The scenario in a mapping, such as a draft or a link; raises CaseError with every fault found."""
    place = Place(file)
    found = list(issues)
    form = str(raw.get("format", ""))
    if form != str(FORMAT):
        key = "scenario_newer" if form.isdecimal() and int(form) > FORMAT else "scenario_format"
        raise CaseError([*found, error(key, place, "format", found=form, expected=FORMAT)])
    strange = [str(name) for name in raw if name not in _KEYS]
    found += [error("scenario_key", place, name, found=name, hint=closest(name, _KEYS)) for name in strange]
    texts = {name: raw.get(name, "") for name in ("scenario", "case", "note")}
    wrong = [name for name, text in texts.items() if not isinstance(text, str) or (name == "scenario" and not text)]
    found += [error("scenario_text", place, name, found=texts[name]) for name in wrong]
    title = raw.get("title") or {}
    if isinstance(title, str):
        title = {"zh": title, "en": title}
    if not isinstance(title, dict) or not all(isinstance(text, str) for text in title.values()):
        found.append(error("not_a_title", place, "title", found=title))
    edits: list[Edit] = []
    try:
        edits = read_edits(raw.get("edits"), file)
    except CaseError as fault:
        found += fault.issues
    if any(issue.severity == "error" for issue in found):
        raise CaseError(found)
    return Scenario(texts["scenario"], tuple(edits), title, texts["case"], texts["note"], file)


def scenario_text(scenario: Scenario, as_json: bool = False) -> str:
    """A scenario as YAML or JSON."""
    content = {
        "scenario": scenario.scenario,
        "title": dict(scenario.title),
        "case": scenario.case,
        "format": FORMAT,
        "note": scenario.note,
        "edits": [edit.mapping() for edit in scenario.edits],
    }
    text = json.dumps({name: part for name, part in content.items() if part or name == "edits"}, ensure_ascii=False)
    if as_json:
        return text
    return str(yaml.safe_dump(json.loads(text), allow_unicode=True, sort_keys=False, width=1000))


def write_scenario(scenario: Scenario, path: Path | str) -> Scenario:
    """Write a scenario, all or nothing, as YAML or JSON by the ending of `path`; returns it with its new stamp.

    Raises CaseError, and writes nothing, when somebody else has changed the file since this scenario was read.
    """
    path = Path(path)
    text = scenario_text(scenario, path.suffix.lower() == ".json")
    with alone(path.parent):
        if scenario.stamp and scenario.stamp != (_stamp(path) or scenario.stamp):
            raise CaseError([error("changed_meanwhile", Place(path.name))])
        write_bytes(path, text.encode())
    return replace(scenario, stamp=hashlib.sha256(text.encode()).hexdigest())


def parse_set(text: str, number: int = 1) -> Edit:
    """The edit that `table.ID.column=value` or `case.KEY=value` means; raises CaseError.

    Where several columns name a row, the parts of ID are joined by `/`; blank parts, and parts left out at the end,
    are blank cells.

    >>> parse_set("targets.nox_change.value=-0.4").mapping()
    {'table': 'targets', 'key': {'target': 'nox_change'}, 'set': {'value': '-0.4'}}
    >>> parse_set("effects.pv/clean_power/ridge.value=1.2").key
    {'measure': 'pv', 'quantity': 'clean_power', 'city': 'ridge', 'year': None}
    >>> parse_set("case.discount_rate=0.04").mapping()
    {'setting': 'discount_rate', 'value': '0.04'}
    """
    place = Place(ON_COMMAND_LINE, number, "edit")
    left, equals, value = text.partition("=")
    parts = [part.strip() for part in left.split(".")]
    if not equals or len(parts) != (2 if parts[0] in _SETTINGS else 3):
        raise CaseError([error("set_syntax", place, found=text[:80])])
    if parts[0] in _SETTINGS:
        if parts[1] not in columns(Settings):
            hint = closest(parts[1], columns(Settings))
            raise CaseError([error("edit_setting", place, found=parts[1], hint=hint)])
        return Edit(setting=parts[1], value=value.strip())
    table, id_, column = parts
    if table not in TABLES:
        raise CaseError([error("edit_table", place, found=table, hint=closest(table, TABLES))])
    row = TABLES[table]
    known = columns(row)
    if column not in known:
        hint, expected = closest(column, known), ", ".join(known)
        raise CaseError([error("unknown_column", place, column, found=column, hint=hint, expected=expected)])
    given = [part.strip() or None for part in id_.split("/")]
    blanks = [name for name in row.key[len(given) :] if known[name].filled]
    if blanks or len(given) > len(row.key):
        raise CaseError([error("set_key", place, found=id_, table=table, expected="/".join(row.key))])
    given += [None] * (len(row.key) - len(given))
    return Edit(table=table, key=dict(zip(row.key, given, strict=True)), set={column: value.strip()})


def parse_sets(texts: Iterable[str]) -> tuple[Edit, ...]:
    """Edits of all `--set` options; raises CaseError with every fault in them."""
    edits: list[Edit] = []
    issues: list[Issue] = []
    for number, text in enumerate(texts, start=1):
        try:
            edits.append(parse_set(text, number))
        except CaseError as fault:
            issues += fault.issues
    if issues:
        raise CaseError(issues)
    return tuple(edits)
