"""How wrong the figures of a case may be: ranges by column and grade, and futures sampled from them.

A figure is what one error of the sources moves: the capital cost of a measure, all its effects, its potential, a
quantity's baseline in a sector, a price, a conversion. It has one draw, and each of its rows takes a factor from it by
its own grade.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field
from scipy.special import ndtri
from scipy.stats import rankdata
from scipy.stats.qmc import LatinHypercube

from planner.case import Case
from planner.checks import Memory, checked
from planner.errors import CaseError, error
from planner.problem import Problem
from planner.problem.keys import Array
from planner.rows import TABLES, Many, Row
from planner.tables import read_rows

SHIPPED = Path(__file__).with_name("uncertainty.csv")
"""The ranges that count unless others are given."""
CORRELATION = 0.5
"""Correlation of the figures of one column within a sector, before their draws become factors [-]."""
UNGRADED = "C"
"""Grade that a row without one counts as."""
Ranges = tuple[tuple[str, str, float, float], ...]
"""Column, grade, least and largest factor; plain, so that workers and journals can have it."""


class Range(Row):
    """Between which factors a figure of a column and grade may lie; 1 is the likeliest."""

    table: ClassVar[str] = "ranges"
    key: ClassVar[Many] = ("column", "grade")
    header: ClassVar[Many] = ("grade",)

    column: Literal[
        "measures.capex",
        "measures.fixed_om",
        "effects.value",
        "potentials.potential",
        "conversions.factor",
        "prices.price",
        "baseline.value",
    ]
    """What it is about: table and column."""
    low: float = Field(ge=0, le=1)
    """Least factor [-]."""
    high: float = Field(ge=1, le=100)
    """Largest factor [-]."""


def read_ranges(path: Path | str = SHIPPED) -> Ranges:
    """The ranges of a table with the columns column, grade, low and high; what it leaves out is certain.

    Raises CaseError with every fault found.
    """
    rows = read_rows(Path(path), Range)
    issues = []
    seen: dict[Hashable, Row] = {}
    for row in rows:
        if row.grade is None:
            issues.append(error("blank", row.at, "grade"))
        other = seen.setdefault(row.ids(), row)
        if other is not row:
            key = ";".join(str(part) for part in row.ids())
            issues.append(error("key_used_twice", row.at, "column", found=key, other=other.at.row))
    if issues:
        raise CaseError(issues)
    return tuple((row.column, str(row.grade), row.low, row.high) for row in rows if isinstance(row, Range))


@dataclass(frozen=True)
class Cell:
    """A number that a figure moves: where it stands, and between which factors."""

    table: str
    number: int
    """Place of its row in the table."""
    column: str
    low: float
    high: float


@dataclass(frozen=True)
class Figure:
    """What one draw moves."""

    column: str
    """As in the ranges: table and column."""
    subject: str
    """Measure; or quantity and sector, quantity and component, or both quantities of a conversion."""
    sector: str
    """Sector whose figures of this column err alike; none for those that err alone."""
    grade: str
    """Weakest grade of its rows."""
    least: float
    """Factor below which it never goes: a potential holds what already stands."""
    cells: tuple[Cell, ...]

    @property
    def range(self) -> tuple[float, float]:
        """Least and largest factor of its weakest row."""
        low = min(cell.low for cell in self.cells)
        return max(low, self.least), max(cell.high for cell in self.cells)


def _subject(column: str, row: Any) -> str:
    if column == "baseline.value":
        return f"{row.quantity}/{row.sector}"
    if column == "prices.price":
        return f"{row.quantity}/{row.component}"
    if column == "conversions.factor":
        return f"{row.from_quantity}/{row.to_quantity}"
    return str(row.measure)


def figures(case: Case, ranges: Ranges) -> list[Figure]:
    """All figures of a case that are uncertain, in the order of the ranges and of the tables."""
    within = {(column, grade): (low, high) for column, grade, low, high in ranges}
    sectors = {row.measure: row.sector for row in case.measures}
    least = least_potentials(case) if any(column == "potentials.potential" for column, *_ in ranges) else {}
    found = []
    for column in dict.fromkeys(column for column, *_ in ranges):
        table, name = column.split(".")
        cells: dict[str, list[Cell]] = defaultdict(list)
        grades: dict[str, list[str]] = defaultdict(list)
        for part in (table, "measure_costs") if table == "measures" else (table,):
            for number, row in enumerate(case.rows(part)):
                grade = row.grade or UNGRADED
                low, high = within.get((column, grade), (1.0, 1.0))
                if getattr(row, name) and low < high:
                    subject = _subject(column, row)
                    cells[subject].append(Cell(part, number, name, low, high))
                    grades[subject].append(grade)
        for subject, its in cells.items():
            sector = subject.split("/")[1] if table == "baseline" else sectors.get(subject, "")
            floor = least.get(subject, 0.0) if table == "potentials" else 0.0
            found.append(Figure(column, subject, sector, max(grades[subject]), floor, tuple(its)))
    return found


def least_potentials(case: Case) -> dict[str, float]:
    """Least factor of the potentials of every measure that leaves room for its existing stock [-]."""
    problem = Problem(case)
    after = np.array(problem.years) > problem.decided_after
    potential, held = problem.potential_path.array[:, after], problem.held[:, after]
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(held > 0, held / potential, 0.0).max(axis=1, initial=0.0)
    found: dict[str, float] = {}
    for (m, _), part in zip(problem.pairs, needed.tolist(), strict=True):
        found[m] = max(found.get(m, 0.0), min(part, 1.0))
    return {m: math.nextafter(part, 2.0) for m, part in found.items() if part}


def draws(figures: Iterable[Figure], futures: int, seed: int, correlation: float = CORRELATION) -> Array:
    r"""Where each figure lies within its range in each future, by rank [-]; shape (futures, figures).

    A Latin hypercube: every figure has one future in each `futures`-th part of its range. Figures of one column and
    sector err alike by a Gaussian copula with one common factor, $z = \sqrt{\rho}\,g + \sqrt{1 - \rho}\,e$; ranks keep
    the parts exact.
    """
    listed = list(figures)
    clubs: dict[tuple[str, str], int] = {}
    club = [clubs.setdefault((one.column, one.sector), len(clubs)) if one.sector else -1 for one in listed]
    if not listed:
        return np.zeros((futures, 0))
    normal = ndtri(LatinHypercube(len(listed) + len(clubs), rng=np.random.default_rng(seed)).random(futures))
    own, common = normal[:, : len(listed)], normal[:, len(listed) :]
    together = np.array(club) >= 0
    own[:, together] *= math.sqrt(1 - correlation)
    own[:, together] += math.sqrt(correlation) * common[:, [number for number in club if number >= 0]]
    ranks: Array = rankdata(own, method="ordinal", axis=0)
    return np.asarray((ranks - 0.5) / futures)


def factor(draw: float | Array, low: float, high: float) -> Any:
    """Factor at a rank of the triangular distribution between `low` and `high` whose likeliest value is 1 [-].

    >>> [round(factor(rank, 0.5, 1.5), 3) for rank in (0.0, 0.125, 0.5, 1.0)]
    [0.5, 0.75, 1.0, 1.5]
    """
    if high <= low:
        return np.ones_like(draw) if isinstance(draw, np.ndarray) else 1.0
    below = np.sqrt(np.maximum(draw, 0.0) * (high - low) * (1 - low)) + low
    above = high - np.sqrt(np.maximum(1 - np.asarray(draw), 0.0) * (high - low) * (high - 1))
    found = np.where(np.asarray(draw) < (1 - low) / (high - low), below, above)
    return found if isinstance(draw, np.ndarray) else float(found)


def moved(case: Case, figures: Iterable[Figure], at: Callable[[int, Figure, Cell], float]) -> Case:
    """The case with every cell of its figures times `at`; checked by the same door as files. Raises CaseError."""
    factors: dict[str, dict[int, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for j, figure in enumerate(figures):
        for cell in figure.cells:
            factors[cell.table][cell.number][cell.column] = at(j, figure, cell)
    rows: dict[str, tuple[Row, ...]] = {table: case.rows(table) for table in TABLES}
    for table, changes in factors.items():
        lines = list(rows[table])
        for number, by in changes.items():
            row = lines[number]
            lines[number] = row.model_copy(update={name: getattr(row, name) * part for name, part in by.items()})
        rows[table] = tuple(lines)
    memory = Memory(case.memory)
    tables, issues = checked(case.settings, rows, {}, (), memory)
    if any(issue.severity == "error" for issue in issues):
        raise CaseError(issues)
    return Case(settings=case.settings, folder=case.folder, memory=memory, **tables)


@lru_cache(maxsize=4)
def _sampled(case: Case, ranges: Ranges, correlation: float, futures: int, seed: int) -> tuple[list[Figure], Array]:
    listed = figures(case, ranges)
    return listed, draws(listed, futures, seed, correlation)


def future(case: Case, *, ranges: Ranges, correlation: float, futures: int, seed: int, number: int) -> Case:
    """One of the sampled futures of a case: the same for the same arguments, wherever it is made."""
    listed, ranks = _sampled(case, ranges, correlation, futures, seed)

    def at(j: int, figure: Figure, cell: Cell) -> float:
        return max(float(factor(float(ranks[number, j]), cell.low, cell.high)), figure.least)

    return moved(case, listed, at)


def margins(case: Case, ranges: Ranges) -> Mapping[int, float]:
    """How far each row of the effects may fall short, 1 - low, by its place in the table [-]."""
    low = {grade: least for column, grade, least, _ in ranges if column == "effects.value"}
    return {i: 1 - low.get(row.grade or UNGRADED, 1.0) for i, row in enumerate(case.effects)}
