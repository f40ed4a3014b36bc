"""Case: all rows of one plan, with lookups, digest and edits. Frozen: an edit is a new, validated case."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from planner.checks import Memory, checked
from planner.edits import Edit, applied, read_edits
from planner.errors import CaseError, Issue
from planner.meaning import FACTS
from planner.rows import PROSE, TABLES, Row
from planner.tableset import Tables

_SKIPPED = PROSE | {"data"}


@dataclass(frozen=True, eq=False)
class Case(Tables):
    """A plan's inputs: settings and one tuple of rows per table, checked."""

    folder: Path | None = None
    """Folder it was read from; none for a workbook or a case made in code."""
    warnings: tuple[Issue, ...] = ()
    """What was accepted with a remark."""
    memory: Memory = field(default_factory=Memory, repr=False)
    """What the checks found, so that an edit repeats only those it touches."""

    @cached_property
    def digest(self) -> str:
        """Fingerprint of all that an answer depends on: values and their order, not names, notes, sources or places."""
        parts = [_canonical(self.settings)]
        for name in TABLES:
            if name not in ("sources", "departments"):
                rows = self.rows(name)
                parts.append(self.memory.recall(("digest", name), (rows,), partial(_digest, rows)))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def edited(self, edits: Sequence[Edit | Mapping[str, Any]], file: str = "edits") -> "Case":
        """The case with these edits, checked by the same door as files; faults are placed in `file` by edit number."""
        settings, rows, issues = applied(self, read_edits(list(edits), file), file)
        if not any(issue.severity == "error" for issue in issues):
            memory = Memory(self.memory)
            tables, found = checked(settings, rows, {}, (), memory)
            issues += found
        if any(issue.severity == "error" for issue in issues):
            raise CaseError(issues)
        kept: dict[str, Any] = {"folder": self.folder, "warnings": tuple(issues), "memory": memory}
        return Case(settings=settings, **kept, **tables)

    def with_tables(self, settings: Mapping[str, Any], tables: Mapping[str, Sequence[Row]]) -> "Case":
        """The case with other settings and whole tables in place of its own, checked by the same door as files.

        Raises CaseError; faults are placed where the rows say they stand.
        """
        rows = {name: tuple(tables.get(name, self.rows(name))) for name in TABLES}
        memory = Memory(self.memory)
        found, issues = checked(self.settings.model_copy(update=dict(settings)), rows, {}, (), memory)
        if any(issue.severity == "error" for issue in issues):
            raise CaseError(issues)
        kept: dict[str, Any] = {"folder": self.folder, "warnings": tuple(issues), "memory": memory}
        return Case(settings=self.settings.model_copy(update=dict(settings)), **kept, **found)

    def with_warnings(self, *issues: Issue) -> "Case":
        """The same case with more remarks."""
        return replace(self, warnings=(*issues, *self.warnings))


def _digest(rows: Sequence[Row]) -> str:
    return hashlib.sha256("\n".join([_canonical(row) for row in rows]).encode()).hexdigest()


def _canonical(row: Row) -> str:
    values = {name: value for name, value in row.__dict__.items() if name not in _SKIPPED}
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True)
class TableSummary:
    """What one table holds."""

    table: str
    rows: int
    grades: Mapping[str, int]
    """Rows by grade: A, B, C, and blank."""
    without_source: int


@dataclass(frozen=True)
class CaseSummary:
    """What `planner check` says about a case that has no faults."""

    name: str
    title: Mapping[str, str]
    digest: str
    base_year: int
    first_year: int
    last_year: int
    as_of: int | None
    cities: int
    sectors: int
    measures: int
    quantities: int
    targets: int
    hard_targets: int
    budgets: int
    tables: tuple[TableSummary, ...]
    warnings: tuple[Issue, ...]


def case_summary(case: Case) -> CaseSummary:
    """Sizes, grades and missing sources of a case, table by table."""
    s = case.settings
    tables = []
    for name in TABLES:
        rows = case.rows(name)
        grades = Counter(row.grade or "" for row in rows)
        bare = sum(1 for row in rows if not getattr(row, "source", ())) if name in FACTS else 0
        tables.append(TableSummary(name, len(rows), {grade: grades[grade] for grade in ("A", "B", "C", "")}, bare))
    return CaseSummary(
        name=s.name,
        title=s.title,
        digest=case.digest,
        base_year=s.base_year,
        first_year=s.first_year,
        last_year=s.last_year,
        as_of=s.as_of,
        cities=len(case.cities),
        sectors=len(case.sectors),
        measures=len(case.measures),
        quantities=len(case.quantities),
        targets=len(case.targets),
        hard_targets=sum(1 for row in case.targets if row.soft_penalty is None),
        budgets=len({row.budget for row in case.budgets}),
        tables=tuple(tables),
        warnings=case.warnings,
    )
