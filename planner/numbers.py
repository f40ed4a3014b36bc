"""How large and small the numbers of a problem are, family by family, before and after scaling, and the worst rows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from planner.case import Case
from planner.compile import Matrix, Name, compile_problem
from planner.errors import Issue, Place, warning
from planner.problem import Problem
from planner.rows import Row
from planner.scaling import scaling

WIDEST = 1e6
"""Entries of one scaled row further apart than this are near the solver's tolerance [-]."""


@dataclass(frozen=True)
class Span:
    """Sizes of the entries of one family of rows."""

    family: str
    rows: int
    smallest: float
    """Smallest entry, in the units of the case."""
    largest: float
    """Largest entry, in the units of the case."""
    spread: float
    """Largest part that one entry of a row is of another, in the units of the case [-]."""
    scaled: float
    """The same as the solver sees it [-]."""
    bounds: tuple[float, float] | None
    """Smallest and largest right side that is not zero, in the units of the case."""
    worst: Name
    """Row with the widest spread as the solver sees it."""
    entries: tuple[tuple[Name, float], tuple[Name, float]]
    """Its smallest and its largest entry as the solver sees them: the columns, and their values in the case's units."""
    at: Place
    """Row of the tables that its smallest entry comes from."""

    @property
    def fine(self) -> bool:
        """Whether the solver can tell the entries of every row."""
        return self.scaled <= WIDEST


def spans(case: Case) -> tuple[Span, ...]:
    """Sizes by family of rows, in the order of the formulation."""
    problem = Problem(case)
    matrix = compile_problem(problem)
    scaled = scaling(matrix).matrix(matrix.A)
    before, after = _spread(matrix.A), _spread(scaled)
    members: dict[str, list[int]] = defaultdict(list)
    for i, (family, _) in enumerate(matrix.rows):
        members[family].append(i)
    return tuple(_span(problem, matrix, scaled, family, rows, before, after) for family, rows in members.items())


def _spread(matrix: csr_array) -> NDArray[np.float64]:
    """Largest over smallest entry of each row; 1 for an empty one."""
    sizes = np.abs(matrix.data)
    spread = np.ones(matrix.shape[0])
    filled = np.flatnonzero(np.diff(matrix.indptr))
    if filled.size:
        starts = matrix.indptr[filled]
        spread[filled] = np.maximum.reduceat(sizes, starts) / np.minimum.reduceat(sizes, starts)
    return spread


def _span(
    problem: Problem,
    matrix: Matrix,
    scaled: csr_array,
    family: str,
    rows: Sequence[int],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
) -> Span:
    chosen = np.array(rows)
    sizes = np.abs(matrix.A[chosen, :].data)
    right = np.abs(np.concatenate([matrix.row_lower[chosen], matrix.row_upper[chosen]]))
    right = right[np.isfinite(right) & (right > 0)]
    worst = int(chosen[after[chosen].argmax()])
    entries = slice(matrix.A.indptr[worst], matrix.A.indptr[worst + 1])
    columns, values = matrix.A.indices[entries], matrix.A.data[entries]
    order = np.abs(scaled.data[entries]).argsort(kind="stable")
    ends = [(matrix.columns[columns[k]], float(values[k])) for k in (order[[0, -1]] if order.size else ())]
    least, most = ends or [(matrix.rows[worst], 0.0)] * 2
    return Span(
        family=family,
        rows=len(rows),
        smallest=float(sizes.min(initial=np.inf)) if sizes.size else 0.0,
        largest=float(sizes.max(initial=0.0)),
        spread=float(before[chosen].max()),
        scaled=float(after[chosen].max()),
        bounds=(float(right.min()), float(right.max())) if right.size else None,
        worst=matrix.rows[worst],
        entries=(least, most),
        at=place(problem, matrix.rows[worst], least[0]),
    )


def place(problem: Problem, row: Name, column: Name) -> Place:
    """Where the entry of a row and a column comes from: the row of a table, or at least the table."""
    (family, key), (variable, of) = row, column
    measure = str(of[0]) if variable in ("stock", "starts", "lumps") else ""
    first = str(key[0])
    if family in ("pool_adds_up", "change_adds_up"):
        if measure and family == "change_adds_up":
            return _at(problem.case, "effects", measure=measure, quantity=first)
        return Place("conversions.csv" if variable in ("change", "pool") else "groups.csv")
    if family in ("shared_within_cap", "dependents_within_providers", "overlap_at_least", "overlap_within_member"):
        return _at(problem.case, "groups", group=first, **({"measure": measure} if measure else {}))
    if family == "target_is_kept":
        return _at(problem.case, "targets", target=problem.goal_target[first])
    if family.startswith("fund"):
        return Place("fund_rules.csv")
    tables = {"budget_is_kept": ("budgets", "budget"), "pin_at_least": ("pins", "pin"), "pin_at_most": ("pins", "pin")}
    if family in tables:
        table, name = tables[family]
        return _at(problem.case, table, **{name: first})
    if family in ("quantity_level", "level_above_floor"):
        return _at(problem.case, "quantities", quantity=first.split("|", maxsplit=1)[0])
    return _at(problem.case, "measures", measure=measure) if measure else Place("measures.csv")


def _at(case: Case, table: str, **wanted: str) -> Place:
    found: tuple[Row, ...] = tuple(
        row for row in case.rows(table) if all(getattr(row, name) == value for name, value in wanted.items())
    )
    return found[0].at if found else Place(f"{table}.csv")


def wide(found: Sequence[Span]) -> tuple[Issue, ...]:
    """Warnings for families that the solver may not tell apart."""
    return tuple(
        warning("numbers_far_apart", span.at, found=f"{span.scaled:.3g}", expected=f"{WIDEST:g}", **told(span))
        for span in found
        if not span.fine
    )


def told(span: Span) -> dict[str, str]:
    """The worst row and its two entries, in words of ids."""
    (least, small), (most, large) = span.entries
    return {
        "row": "/".join(map(str, span.worst[1])),
        "least": "/".join(map(str, least[1])),
        "small": f"{small:.4g}",
        "most": "/".join(map(str, most[1])),
        "large": f"{large:.4g}",
    }
