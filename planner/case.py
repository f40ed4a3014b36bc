"""Case: all rows of one plan, with lookups, digest and edits. Frozen: an edit is a new, validated case."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from planner.errors import Issue
from planner.rows import PROSE, TABLES, Row
from planner.tableset import Tables


@dataclass(frozen=True, eq=False)
class Case(Tables):
    """A plan's inputs: settings and one tuple of rows per table, checked."""

    folder: Path | None = None
    """Folder it was read from; none for a workbook or a case made in code."""
    warnings: tuple[Issue, ...] = ()
    """What was accepted with a remark."""

    @cached_property
    def digest(self) -> str:
        """Fingerprint of everything an answer depends on: values and their order, not names, notes, sources or places."""
        skip = PROSE | {"data"}
        lines = [_canonical(self.settings, skip)]
        for name in TABLES:
            if name not in ("sources", "departments"):
                lines.append(name)
                lines.extend(_canonical(row, skip) for row in self.rows(name))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _canonical(row: Row, skip: frozenset[str] | set[str]) -> str:
    values = {name: value for name, value in row.__dict__.items() if name not in skip}
    return json.dumps(values, sort_keys=True, ensure_ascii=False)
