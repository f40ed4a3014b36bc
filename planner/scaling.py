"""Scaling: powers of two and an origin that bring the numbers of a matrix near 1 for the solver, and back exactly."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from planner.compile import Matrix

Array = NDArray[np.float64]
BLOCK = 2**16
"""Entries of a matrix that are taken at a time."""


def power_of_two(values: Array) -> Array:
    """The power of two nearest below each value; 1 for zero.

    >>> power_of_two(np.array([0.0, 1.0, 3.0, 1e-3])).tolist()
    [1.0, 1.0, 2.0, 0.0009765625]
    """
    exponents = np.frexp(np.where(values > 0, values, 1.0))[1] - 1
    powers: Array = np.ldexp(1.0, exponents)
    return powers


@dataclass(frozen=True)
class Scaling:
    """Powers of two and an origin: x = x' * columns + origin, y = y' * rows / cost scale."""

    columns: Array
    rows: Array
    origin: Array
    """Value of each free column when nothing is decided: large constants stay out of the solver's arithmetic."""

    def matrix(self, rows: csr_array) -> csr_array:
        """The scaled matrix."""
        data = np.empty(rows.nnz)
        for some, entries in blocks(rows):
            part = data[entries]
            np.take(self.columns, rows.indices[entries], out=part, mode="clip")
            part *= rows.data[entries]
            part *= np.repeat(self.rows[some], np.diff(rows.indptr[some.start : some.stop + 1]))
        return csr_array((data, rows.indices, rows.indptr), shape=rows.shape)


def blocks(matrix: csr_array) -> Iterator[tuple[slice, slice]]:
    """Rows and their entries, some at a time: what is computed of them stays in the processor's cache."""
    starts = np.arange(0, matrix.nnz, BLOCK)
    edges = np.unique(np.append(np.searchsorted(matrix.indptr[:-1], starts), matrix.shape[0]))
    for first, last in pairwise(edges.tolist()):
        yield slice(first, last), slice(int(matrix.indptr[first]), int(matrix.indptr[last]))


def largest_in_rows(matrix: csr_array, scale: Array) -> Array:
    """Largest absolute entry of each row once each column is multiplied by its scale; 0 for an empty row."""
    largest = np.zeros(matrix.shape[0])
    for some, entries in blocks(matrix):
        values = np.take(scale, matrix.indices[entries], mode="clip")
        values *= matrix.data[entries]
        starts = matrix.indptr[some.start : some.stop + 1] - entries.start
        filled = np.flatnonzero(np.diff(starts))
        largest[some.start + filled] = np.maximum.reduceat(np.abs(values, out=values), starts[filled])
    return largest


def scaling(matrix: Matrix) -> Scaling:
    """Scale decisions by their bound, each free or auxiliary column by its defining row, then the rows.

    The largest coefficient of each defining row comes near 1, along the chains in which columns define each other.
    """
    bounded = np.isfinite(matrix.upper) & (matrix.upper > 0) & ~matrix.integer
    columns = np.where(bounded, power_of_two(np.where(bounded, matrix.upper, 1.0)), 1.0)
    origin = np.zeros(columns.size)
    defined = np.flatnonzero(matrix.defining_row >= 0)
    if defined.size:
        rows = matrix.defining_row[defined]
        definitions = csr_array(matrix.A[rows, :])
        own, chained = _chained(definitions, defined)
        free = np.isneginf(matrix.lower[defined])
        right = matrix.row_upper[rows]
        start = settle(lambda at: np.where(free, (right - chained @ at) / own, 0.0), np.zeros(defined.size))
        origin[defined] = start
        gap = np.where(free, 0.0, np.abs(right - chained @ start))
        columns[defined] = 0.0
        known = np.maximum(largest_in_rows(definitions, columns), gap)

        def widest(at: Array) -> Array:
            return np.maximum(largest_in_rows(chained, at), known) / np.abs(own)

        columns[defined] = settle(widest, np.zeros(defined.size))
        still = np.flatnonzero(columns == 0)
        if still.size:  # what nothing moves takes the scale of its neighbours, so that its price is as exact as theirs
            entries = np.flatnonzero(columns[matrix.A.indices] == 0)
            touched, row_of = np.unique(np.searchsorted(matrix.A.indptr, entries, "right") - 1, return_inverse=True)
            width = largest_in_rows(csr_array(matrix.A[touched, :]), columns)
            np.maximum.at(columns, matrix.A.indices[entries], width[row_of] / np.abs(matrix.A.data[entries]))
        columns[defined] = power_of_two(columns[defined])
    return Scaling(columns, 1 / power_of_two(largest_in_rows(matrix.A, columns)), origin)


def _chained(rows: csr_array, defined: NDArray[np.int64]) -> tuple[Array, csr_array]:
    """Of the rows that define columns: the entry of each in its own column, and its entries in columns that others
    define, with one column for each of the `defined`.
    """
    place = np.full(rows.shape[1], -1, dtype=np.int32)
    place[defined] = np.arange(defined.size, dtype=np.int32)
    at = place[rows.indices]
    entries = np.flatnonzero(at >= 0)
    at = at[entries]
    row_of = np.repeat(np.arange(defined.size, dtype=np.int32), np.diff(rows.indptr))[entries]
    data, is_own = rows.data[entries], at == row_of
    own = np.ones(defined.size)
    own[row_of[is_own]] = data[is_own]
    others = ~is_own
    starts = np.cumsum(np.bincount(row_of[others] + 1, minlength=defined.size + 1), dtype=np.int32)
    return own, csr_array((data[others], at[others], starts), shape=(defined.size, defined.size))


def settle(step: Callable[[Array], Array], values: Array) -> Array:
    """Repeat `step` until nothing changes: as often as columns define each other in a chain, at most."""
    for _ in range(values.size + 1):
        found = step(values)
        if np.array_equal(found, values):
            break
        values = found
    return values
