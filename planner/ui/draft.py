"""Draft: everything in which a visitor's wish differs from the case, and the way it came there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner.case import Case
from planner.cells import columns
from planner.rows import PROSE, TABLES, Row, Settings
from planner.ui.levers import Lever

EditMapping = Mapping[str, Any]
DEEPEST = 50
"""Drafts that can be undone [-]."""


@dataclass(frozen=True)
class Draft:
    """Edits of the case, and where the levers stand on top of them; a lever that is not named stands at its own."""

    edits: tuple[EditMapping, ...] = ()
    positions: Mapping[str, int] = field(default_factory=dict)

    def at(self, lever: Lever) -> int:
        """Where a lever stands."""
        position = self.positions.get(lever.id, lever.own)
        return position if position in lever.positions else lever.own

    def moved(self, lever: Lever, position: int) -> "Draft":
        """With a lever elsewhere."""
        others = {id_: at for id_, at in self.positions.items() if id_ != lever.id}
        return Draft(self.edits, others if position == lever.own else {**others, lever.id: position})

    def all_edits(self, case: Case, levers: Iterable[Lever], numbered: bool = True) -> tuple[EditMapping, ...]:
        """The edits, those of the levers included; `case` has the others already."""
        return (*self.edits, *(edit for lever in levers for edit in lever.edits(case, self.at(lever), numbered)))


class History:
    """Drafts in their order, and which of them counts."""

    def __init__(self, first: Draft) -> None:
        self.drafts = [first]
        self.place = 0

    @property
    def present(self) -> Draft:
        """The draft that counts."""
        return self.drafts[self.place]

    @property
    def undoable(self) -> bool:
        """Whether there is a draft before."""
        return self.place > 0

    @property
    def redoable(self) -> bool:
        """Whether a draft was undone."""
        return self.place < len(self.drafts) - 1

    def push(self, draft: Draft) -> None:
        """Go on with another draft; what was undone is gone."""
        if draft != self.present:
            self.drafts = [*self.drafts[: self.place + 1], draft][-DEEPEST - 1 :]
            self.place = len(self.drafts) - 1

    def step(self, by: int) -> None:
        """Undo (-1) or redo (1)."""
        self.place = min(max(self.place + by, 0), len(self.drafts) - 1)


@dataclass(frozen=True)
class Difference:
    """One cell, row or setting in which two cases differ."""

    table: str
    """Empty for a setting."""
    row: Row | None
    """The row afterwards, else before."""
    what: str
    """changed, added, removed."""
    column: str = ""
    before: Any = None
    after: Any = None


def differences(before: Case, after: Case) -> list[Difference]:
    """Everything an answer may depend on in which two cases differ, table by table."""
    found = [
        Difference("", None, "changed", name, getattr(before.settings, name), getattr(after.settings, name))
        for name in columns(Settings)
        if name not in PROSE and name != "data" and getattr(before.settings, name) != getattr(after.settings, name)
    ]
    for table in TABLES:
        if before.rows(table) is not after.rows(table):
            found += _in_table(table, before.rows(table), after.rows(table))
    return found


def _in_table(table: str, before: Sequence[Row], after: Sequence[Row]) -> list[Difference]:
    known = {row.ids(): row for row in before}
    left = {row.ids() for row in after}
    found = []
    for row in after:
        old = known.get(row.ids())
        if old is None:
            found.append(Difference(table, row, "added"))
        elif old is not row:
            found += [
                Difference(table, row, "changed", name, getattr(old, name), getattr(row, name))
                for name in columns(type(row))
                if name not in PROSE and name != "grade" and getattr(old, name) != getattr(row, name)
            ]
    return [*found, *(Difference(table, row, "removed") for row in before if row.ids() not in left)]


def merged(edits: Iterable[EditMapping], new: Iterable[EditMapping]) -> tuple[EditMapping, ...]:
    """Edits followed by new ones; the last word on a cell counts, earlier ones go.

    >>> one = {"table": "t", "key": {"a": 1}, "set": {"x": 1, "y": 2}}
    >>> merged([one], [{"table": "t", "key": {"a": 1}, "set": {"x": 3}}])
    ({'table': 't', 'key': {'a': 1}, 'set': {'x': 3, 'y': 2}},)
    """
    found = list(edits)
    for edit in new:
        place = next((i for i, one in enumerate(found) if _same_row(one, edit)), None)
        if place is None or not all(_elsewhere(one, edit) for one in found[place + 1 :]):
            found.append(edit)
        else:
            found[place] = {**found[place], "set": {**found[place]["set"], **edit["set"]}}
    return tuple(found)


def _same_row(one: EditMapping, other: EditMapping) -> bool:
    """Whether both set cells of the same row."""
    alike = one.get("table") == other.get("table") and one.get("key") == other.get("key")
    return alike and "set" in one and "set" in other


def _elsewhere(one: EditMapping, other: EditMapping) -> bool:
    """Whether an edit cannot touch the rows of another, so that their order does not matter."""
    if one.get("table") != other.get("table"):
        return True
    return "set" in one and set(one["key"]) == set(other["key"]) and one["key"] != other["key"]
