"""Papers: the files of a plan, read without the code that wrote them, each row placed by what it is about."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from planner.certificate.facts import Numbers, Vector
from planner.certificate.verdict import TOLERANCE, Violation

COLUMNS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "portfolio": (("measure", "city"), ("year", "starts", "stock", "capex", "cost")),
    "quantities": (("quantity", "city", "sector"), ("year", "baseline", "planned")),
    "targets": (
        ("target", "scope"),
        (
            *("year", "bound", "achieved", "slack", "missed", "price_loosen", "price_tighten", "shadow_price"),
            *("valid_from", "valid_to"),
        ),
    ),
    "budgets": (
        ("budget",),
        (
            *("year", "limit", "spent", "slack", "price_loosen", "price_tighten", "shadow_price"),
            *("valid_from", "valid_to"),
        ),
    ),
    "funds": (("fund", "sector", "measure", "city"), ("year", "paid")),
    "overlaps": (("group", "city"), ("year", "overlap")),
    "costs": (("item", "id", "city", "sector"), ("year", "value", "discounted")),
    "prices": (("family", "key"), ("year", "dual")),
    "measures": (("measure", "reason"), ("cost", "capex", "starts", "reduced_cost")),
    "proofs": (("stage", "family", "key"), ("year", "dual")),
}
"""Columns of words and of numbers of every file."""
OPTIONAL = frozenset({"proofs"})
"""Files that need not be there."""
BLANK = frozenset({"price_loosen", "price_tighten", "shadow_price", "valid_from", "valid_to", "reduced_cost"})
"""Columns of numbers that may be blank."""
BY_HAND = ("measure", "city", "year", "starts")
"""Columns of a plan made by hand."""
UNDATED = "stage_is_held"
"""Family of prices without year."""


class Answer(Protocol):
    """A plan in memory."""

    @property
    def summary(self) -> dict[str, Any]:
        """What `summary.json` holds."""
        ...

    def frames(self) -> Mapping[str, pd.DataFrame]:
        """The tables by name."""
        ...


@dataclass
class Audit:
    """Violations found so far, and the largest error of each file or family."""

    violations: list[Violation] = field(default_factory=list)
    errors: dict[str, float] = field(default_factory=dict)

    def fault(self, key: str, where: str, what: str = "", **rest: Any) -> None:
        """Note something that is wrong whatever its size."""
        self.violations.append(Violation(key, where, what, **rest))

    def measure(self, where: str, errors: Vector) -> Numbers:
        """Note the largest of some errors; the places where they are too large."""
        largest = float(errors.max(initial=0.0))
        self.errors[where] = max(self.errors.get(where, 0.0), largest)
        return np.flatnonzero(~(errors <= TOLERANCE))

    @property
    def largest(self) -> float:
        """Largest error of all [-]."""
        return max(self.errors.values(), default=0.0)


def relative(difference: Vector, *sizes: Vector | float) -> Vector:
    """Differences as parts of the largest of the sizes; 0 where there is none."""
    scale = np.maximum.reduce([np.broadcast_to(size, difference.shape) for size in sizes])
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Vector = np.where(difference == 0, 0.0, np.abs(difference) / scale)
    return np.where(np.isnan(found), np.inf, found)


@dataclass
class Paper:
    """One file: its numbers by column, and for each row its place in the accounts."""

    name: str
    frame: pd.DataFrame
    audit: Audit
    place: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Account of each row; -1 where it names nothing of the case."""
    cells: dict[str, Vector] = field(default_factory=dict)
    """Columns of numbers that were asked for."""

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"{self.name}.csv"

    def __len__(self) -> int:
        return len(self.frame)

    def words(self, column: str) -> list[str]:
        """Cells of a column of words."""
        return list(self.frame[column])

    def numbers(self, column: str) -> Vector:
        """Cells of a column of numbers; nan where blank."""
        if column not in self.cells:
            self.cells[column] = self.frame[column].to_numpy(dtype=float)
        return self.cells[column]

    def codes(self, column: str, known: Mapping[str, int]) -> Numbers:
        """Number of each name of a column; -1 where it is not known."""
        found: Numbers = np.asarray(self.frame[column].map(known).fillna(-1), dtype=np.int64)
        return found

    def times(self, at: Mapping[int, int]) -> Numbers:
        """Position of each year; -1 outside the plan."""
        found: Numbers = np.asarray(self.frame["year"].map(at).fillna(-1), dtype=np.int64)
        return found

    def put(self, place: Numbers, unique: bool = True) -> "Paper":
        """Note the account of each row; -1 and, if `unique`, the same place twice are faults."""
        self.place = place
        for i in np.flatnonzero(place < 0):
            self.audit.fault("unknown", self.file, self.label(i), row=int(i) + 2)
        if unique:
            known = place[place >= 0]
            _, first = np.unique(known, return_index=True)
            repeated = np.setdiff1d(np.arange(len(known)), first)
            for i in np.flatnonzero(place >= 0)[repeated]:
                self.audit.fault("twice", self.file, self.label(i), row=int(i) + 2)
        return self

    def label(self, i: int | np.integer[Any]) -> str:
        """What a row is about: its words and year."""
        words = [str(self.frame[column].iloc[i]) for column in COLUMNS[self.name][0] if column != "reason"]
        if "year" in self.frame:
            year = self.frame["year"].iloc[i]
            words.append(str(int(year)) if np.isfinite(year) else "")
        return "/".join(word for word in words if word)

    def spread(self, column: str, size: int) -> Vector:
        """A column over all accounts, rows of one place added, 0 where none stands."""
        kept = self.place >= 0
        return np.bincount(self.place[kept], self.numbers(column)[kept], minlength=size).astype(float)

    def compare(
        self,
        column: str,
        expected: Vector,
        scale: Vector | float,
        name: Callable[[int], str],
        told: Vector | None = None,
    ) -> None:
        """Hold a column against what was computed; errors are relative to the larger of both numbers and `scale`."""
        expected = expected.ravel()
        found = self.spread(column, len(expected)) if told is None else told
        size = scale.ravel() if isinstance(scale, np.ndarray) else scale
        errors = relative(found - expected, np.abs(found), np.abs(expected), size)
        wrong = self.audit.measure(self.file, errors)
        if not len(wrong):
            return
        rows = {int(place): i + 2 for i, place in reversed(list(enumerate(self.place)))}
        for i in wrong:
            row = rows.get(int(i))
            key = "differs" if row else "absent"
            values = {"found": float(found[i]), "expected": float(expected[i]), "error": float(errors[i])}
            self.audit.fault(key, self.file, name(int(i)), row=row, column=column, **values)


def read_plan(plan: Answer | Path | str, audit: Audit) -> tuple[dict[str, Any], dict[str, Paper]]:
    """Summary and files of a plan in memory or in a folder; cells that cannot be read are faults."""
    if isinstance(plan, Path | str):
        folder = Path(plan)
        summary = json.loads((folder / "summary.json").read_text("utf-8"))
        raw = {
            name: pd.read_csv(
                folder / f"{name}.csv", dtype=dict.fromkeys(words, str), keep_default_na=False, na_values=[""]
            )
            for name, (words, _) in COLUMNS.items()
            if name not in OPTIONAL or (folder / f"{name}.csv").exists()
        }
    else:
        summary, raw = plan.summary, dict(plan.frames())
    for name in OPTIONAL:
        raw.setdefault(name, pd.DataFrame(columns=[*COLUMNS[name][0], *COLUMNS[name][1]]))
    return summary, {name: _paper(name, raw[name], audit) for name in COLUMNS}


def read_starts(starts: pd.DataFrame | Path | str, audit: Audit) -> Paper:
    """A table of starts, or its file; other columns are left aside. Raises ValueError when a column is missing."""
    if not isinstance(starts, pd.DataFrame):
        starts = pd.read_csv(starts, dtype={"measure": str, "city": str}, keep_default_na=False, na_values=[""])
    missing = [column for column in BY_HAND if column not in starts]
    if missing:
        raise ValueError(", ".join(missing))
    return _paper("portfolio", starts[list(BY_HAND)].assign(stock=0.0, capex=0.0, cost=0.0), audit)


def _paper(name: str, frame: pd.DataFrame, audit: Audit) -> Paper:
    words, numbers = COLUMNS[name]
    frame = frame.copy()
    for column in (*words, *numbers):
        if column not in frame:
            audit.fault("no_column", f"{name}.csv", column=column)
            frame[column] = "" if column in words else np.nan
    frame[list(words)] = frame[list(words)].fillna("").astype(str)
    paper = Paper(name, frame, audit)
    for column in numbers:
        cells = frame[column]
        frame[column] = pd.to_numeric(cells, errors="coerce").astype(float)
        bad = ~np.isfinite(frame[column].to_numpy())
        if column in BLANK:
            bad &= cells.notna().to_numpy() & (cells.astype(str) != "").to_numpy() if bad.any() else False
        elif column == "year" and name in ("prices", "proofs"):
            bad &= (frame["family"] != UNDATED).to_numpy()
        for i in np.flatnonzero(bad):
            audit.fault(
                "no_number", paper.file, paper.label(i), row=int(i) + 2, column=column, found=str(cells.iloc[i])
            )
        if column not in BLANK:
            frame[column] = frame[column].fillna(-1.0 if column == "year" else 0.0)
    return paper
