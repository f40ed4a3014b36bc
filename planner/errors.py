"""What can go wrong for a user: the inputs, what was asked, the solver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]
Counted = Literal["row", "edit", "line"]


class PlannerError(Exception):
    """Anything a user can cause and can repair; everything else is a bug."""


@dataclass(frozen=True)
class Place:
    """Where something stands: a file (or sheet, or scenario) and a number in it."""

    file: str
    row: int | None = None
    """Row as in a spreadsheet (header = row 1), edit of a scenario (first = 1) or line of a text file."""
    counted: Counted = "row"


@dataclass(frozen=True)
class Issue:
    """One fault or warning: where it is, what was found, and the key of the words that say what to do.

    The words stand in `planner/locale` in both languages: `text.issue(issue, lang)`, `text.remedy(issue, lang)`.
    """

    severity: Severity
    key: str
    file: str
    row: int | None = None
    column: str | None = None
    counted: Counted = "row"
    params: Mapping[str, object] = field(default_factory=dict)
    cell: str | None = None
    """Address in a workbook, such as F5."""

    @property
    def found(self) -> str:
        """The cell or name as it was found; empty when something is missing."""
        return str(self.params.get("found", ""))

    @property
    def expected(self) -> str:
        """What would have been right, where that can be listed; empty otherwise."""
        return str(self.params.get("expected", ""))

    def __str__(self) -> str:
        """Key and parameters, for logs; people read `text.issue`."""
        where = ", ".join(str(part) for part in (self.file, self.row, self.column) if part is not None)
        return f"{where}: {self.key} {dict(self.params)}"


def error(key: str, place: Place, column: str | None = None, **params: object) -> Issue:
    """A fault that must be repaired before the case counts."""
    return Issue("error", key, place.file, place.row, column, place.counted, params)


def warning(key: str, place: Place, column: str | None = None, **params: object) -> Issue:
    """Something accepted, but shown."""
    return Issue("warning", key, place.file, place.row, column, place.counted, params)


class CaseError(PlannerError):
    """The inputs are at fault; carries every issue found, warnings included."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        self.issues = list(issues)
        self.errors = [issue for issue in self.issues if issue.severity == "error"]
        lines = [f"{len(self.errors)} faults in the inputs", *(str(issue) for issue in self.errors[:50])]
        super().__init__("\n".join(lines))


class InfeasibleError(PlannerError):
    """What was asked cannot be had."""


class SolverError(PlannerError):
    """The solver gave no answer that can be trusted."""


class CancelledError(PlannerError):
    """The one who asked for a solve no longer wants it: it was ended before an answer."""
