"""From the row families to the sparse matrix a solver takes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from planner.expand import Expander, Terms, known_templates
from planner.formulation import COSTS, ROWS, VARIABLES, Family
from planner.matrix import Changes, Key, Listed, Matrix, Name, Names, Stage, changes
from planner.problem import Problem
from planner.problem.keys import CODE, Array, Codes

__all__ = [
    "Changes",
    "Key",
    "Listed",
    "Matrix",
    "Name",
    "Stage",
    "changes",
    "compile_problem",
    "evaluate_costs",
]


@dataclass(frozen=True)
class Part:
    """What a family was expanded to, and what of the problem it was expanded from."""

    inputs: Mapping[str, Any]
    arrays: tuple[Array, ...] = ()
    """Bounds of columns; upper and lower side of rows; coefficients of a cost, and the sum of its constants."""
    block: csr_array | None = None
    """Entries of rows, until they stand in the matrix."""
    first: int = 0
    """Column of the first coefficient of a cost."""

    def holds(self, problem: Problem) -> bool:
        """Whether it would come out the same for a problem."""
        return all(getattr(problem, name) is value for name, value in self.inputs.items())


SIDES: tuple[tuple[Sequence[Family], int, str], ...] = (
    (VARIABLES, 0, "lower"),
    (VARIABLES, 1, "upper"),
    (ROWS, 0, "row_upper"),
    (ROWS, 1, "row_lower"),
)
"""Families, which of the arrays of their parts it is, and what it is called in the matrix."""


class Compiler:
    """Expands the families of a problem; takes over from an earlier matrix what would come out the same."""

    def __init__(self, problem: Problem, previous: Matrix | None) -> None:
        self.problem = problem
        self.columns = Names({item.name: getattr(problem, item.index) for item in VARIABLES})
        self.rows = Names({item.name: getattr(problem, item.index) for item in ROWS})
        known = previous is not None and _are(self.columns, previous.columns) and _are(self.rows, previous.rows)
        self.previous = previous if known else None
        self.expander = Expander(problem, self.columns.first)
        self.parts: dict[str, Part] = {}
        self.fresh: list[str] = []
        """Families that had to be expanded."""

    def matrix(self) -> Matrix:
        """All families expanded and put together."""
        for item in (*VARIABLES, *ROWS, *COSTS):
            old = self.previous.made_of.get(item.name) if self.previous else None
            if old is not None and old.holds(self.problem):
                self.parts[item.name] = old
            else:
                self.parts[item.name] = self._expanded(item)
                self.fresh.append(item.name)
        old_ = self.previous
        entries = self._entries()
        sides = [self._side(*side) for side in SIDES]
        for item in (*VARIABLES, *ROWS):  # the parts need no copies of their own
            names, both = (self.columns, sides[:2]) if item in VARIABLES else (self.rows, sides[2:])
            part = self.parts[item.name]
            self.parts[item.name] = Part(part.inputs, tuple(side[names.slice(item.name)] for side in both))
        lower, upper, row_upper, row_lower = sides
        return Matrix(
            A=entries,
            row_lower=row_lower,
            row_upper=row_upper,
            lower=lower,
            upper=upper,
            integer=old_.integer if old_ else self._integer(),
            stages=tuple(self._stages()),
            rows=old_.rows if old_ else self.rows,
            columns=old_.columns if old_ else self.columns,
            defining_row=old_.defining_row if old_ else defining_rows(self.columns, self.rows),
            tolerance=self.problem.case.settings.tolerance,
            made_of=self.parts,
        )

    def _expanded(self, item: Family) -> Part:
        """A family from nothing."""
        size, template = len(getattr(self.problem, item.index)), known_templates()[item.name]
        self.expander.inputs = {}
        frame = self.expander.frame(item.index, template)
        if not size:
            return Part(self.expander.inputs, (np.zeros(0),) * 2)
        if item in VARIABLES:
            bounds = [
                np.full(size, none) if side is None else _constants(self.expander.expand(side, frame), size)
                for side, none in zip(template.sides, (-np.inf, np.inf), strict=True)
            ]
            return Part(self.expander.inputs, tuple(bounds))
        scale = self.expander.read("discount").array[frame.index.parts[-1]] if item in COSTS else 1.0
        terms = [
            found
            for side, sign in zip(template.sides, (1.0, -1.0), strict=False)
            if side is not None
            for found in self.expander.expand(side, frame, sign * scale)
        ]
        right = -_constants(terms, size)
        entries = [found for found in terms if found.column is not None]
        if item in ROWS:
            sides = (right, right if template.is_equal else np.full(size, -np.inf))
            return Part(self.expander.inputs, sides, assembled(entries, size, len(self.columns)))
        columns = [(found.column, found.values) for found in entries if found.column is not None and found.column.size]
        first = min((int(column.min()) for column, _ in columns), default=0)
        last = max((int(column.max()) for column, _ in columns), default=first - 1)
        coefficients = np.zeros(last + 1 - first)
        for column, values in columns:
            coefficients += np.bincount(column - first, values, minlength=coefficients.size)
        return Part(self.expander.inputs, (coefficients, -right.sum(keepdims=True)), first=first)

    def _side(self, families: Sequence[Family], which: int, name: str) -> Array:
        """Lower or upper bounds of all columns or rows."""
        if self.previous is not None and not any(item.name in self.fresh for item in families):
            kept: Array = getattr(self.previous, name)
            return kept
        sides = [self.parts[item.name].arrays[which] for item in families]
        found = np.concatenate(sides) if sides else np.zeros(0)
        return _kept(getattr(self.previous, name), found) if self.previous is not None else found

    def _entries(self) -> csr_array:
        """The matrix: what is fresh takes its place among what is not."""
        blocks = [(item.name, self.parts[item.name].block) for item in ROWS if item.name in self.fresh]
        if self.previous is None:
            return _stacked([block for _, block in blocks if block is not None], len(self.columns))
        matrix = self.previous.A
        for name, block in blocks:
            if block is not None:
                matrix = _replaced(matrix, self.rows.slice(name), block)
        return matrix

    def _integer(self) -> NDArray[np.bool_]:
        whole = [np.full(len(self.columns.families[item.name]), item.domain == "integer") for item in VARIABLES]
        return np.concatenate(whole)

    def _stages(self) -> Iterator[Stage]:
        problem = self.problem
        for i, stage in enumerate(problem.stages):
            coefficients, constant = np.zeros(len(self.columns)), 0.0
            for name, keys in (("level", stage.levels), ("miss", stage.misses)):
                index = self.columns.families[name]
                at = np.array([index.position(key) for key in keys], dtype=np.int64)
                weights = np.array([problem.miss_weight[key] for key in keys]) if name == "miss" else 1.0
                coefficients[self.columns.first[name] + at] = weights
            if stage.name == "cost":
                for item in COSTS:
                    part = self.parts[item.name]
                    of_item, fixed = part.arrays
                    coefficients[part.first : part.first + of_item.size] += of_item
                    constant += float(fixed.sum())
            old = self.previous.stages if self.previous is not None else ()
            kept = _kept(old[i].coefficients, coefficients) if len(old) > i else coefficients
            yield Stage(stage.name, kept, constant)


def compile_problem(problem: Problem, previous: Matrix | None = None) -> Matrix:
    """The sparse matrix of `problem`, with the family and key of every row and column.

    Each rule is called once in a process, with symbolic indices, and expanded over its index set. With the matrix of
    the problem that this one was edited from, only the families are expanded whose sets, maps or coefficients are other
    objects; all arrays of the result that are equal to the earlier ones are those.
    """
    return Compiler(problem, previous).matrix()


def _are(new: Names, old: Listed) -> bool:
    """Whether families and index sets are the very same."""
    return (
        isinstance(old, Names)
        and list(new.families) == list(old.families)
        and all(keys is old.families[name] for name, keys in new.families.items())
    )


def _kept(old: Array, new: Array) -> Array:
    return old if np.array_equal(old, new) else new


def _constants(terms: Iterable[Terms], size: int) -> Array:
    """Sum of the constants at each position."""
    total_ = np.zeros(size)
    for found in terms:
        if found.column is None:
            total_ += np.bincount(found.position, found.values, minlength=size)
    return total_


def assembled(terms: Sequence[Terms], rows: int, columns: int) -> csr_array:
    """Summands as a matrix: columns in order, each entry once, none of them zero."""
    size = sum(found.position.size for found in terms)
    row, column, value = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size)
    at = 0
    for found in terms:
        part = slice(at, at + found.position.size)
        row[part], value[part] = found.position, found.coefficient
        column[part] = -1 if found.column is None else found.column
        at = part.stop
    matrix: csr_array = coo_array((value, (row, column)), shape=(rows, columns)).tocsr()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def _stacked(blocks: Sequence[csr_array], columns: int) -> csr_array:
    """Blocks of rows, one below the other."""
    counts = np.concatenate([np.zeros(1, np.int32), *(np.diff(block.indptr) for block in blocks)])
    data, indices = (
        np.concatenate([np.zeros(0, kind), *(getattr(block, part) for block in blocks)])
        for part, kind in (("data", np.float64), ("indices", np.int32))
    )
    return csr_array((data, indices, np.cumsum(counts, dtype=np.int32)), shape=(counts.size - 1, columns))


def _replaced(matrix: csr_array, rows: slice, block: csr_array) -> csr_array:
    """A matrix with other rows in the place of some; itself where they are the same."""
    first, last = int(matrix.indptr[rows.start]), int(matrix.indptr[rows.stop])
    counts = np.diff(block.indptr)
    if np.array_equal(counts, np.diff(matrix.indptr[rows.start : rows.stop + 1])) and np.array_equal(
        block.indices, matrix.indices[first:last]
    ):
        if np.array_equal(block.data, matrix.data[first:last]):
            return matrix
        data = matrix.data.copy()
        data[first:last] = block.data
        return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
    indptr = matrix.indptr.copy()
    indptr[rows.start : rows.stop + 1] = first + block.indptr
    indptr[rows.stop + 1 :] += indptr[rows.stop] - last
    indices, data = (
        np.concatenate([getattr(matrix, part)[:first], getattr(block, part), getattr(matrix, part)[last:]])
        for part in ("indices", "data")
    )
    return csr_array((data, indices, indptr), shape=matrix.shape)


def defining_rows(columns: Names, rows: Names) -> Codes:
    """For each column of a variable that is defined by families: its row, the one of the same key; else -1."""
    found = np.full(len(columns), -1, dtype=CODE)
    for item in VARIABLES:
        keys, place = columns.families[item.name], columns.slice(item.name)
        for family in item.defined_by:
            if len(keys):
                at = rows.families[family].locate(keys.parts)
                found[place] = np.where(at >= 0, at + rows.first[family], found[place])
    return found


def evaluate_costs(problem: Problem, columns: Names, x: Array) -> dict[Family, Array]:
    """Every item of the cost by the rules of the model, at the columns of a plan, by the keys of its index set
    [currency of the year].
    """
    expander = Expander(problem, columns.first)
    found: dict[Family, Array] = {}
    for item in COSTS:
        size, template = len(getattr(problem, item.index)), known_templates()[item.name]
        found[item] = np.zeros(size)
        if size and template.sides[0] is not None:
            for terms in expander.expand(template.sides[0], expander.frame(item.index, template)):
                values = terms.values if terms.column is None else terms.values * x[terms.column]
                found[item] += np.bincount(terms.position, values, minlength=size)
    return found
