"""Matrix: what a solver takes, with the family and key of every row and column; and what an edit changes in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from planner.problem.keys import Array, Codes, Keys

Key = tuple[str | int, ...]
Name = tuple[str, Key]
"""A row or column: its family and its key."""


def _key(key: Any) -> Key:
    return key if isinstance(key, tuple) else (key,)


class Names(Sequence[Name]):
    """Rows or columns in order: families, and the keys of each."""

    def __init__(self, families: Mapping[str, Keys]) -> None:
        self.families = families
        self.first: dict[str, int] = {}
        """Where each family begins."""
        self.size = 0
        for name, keys in families.items():
            self.first[name] = self.size
            self.size += len(keys)

    def __len__(self) -> int:
        return self.size

    @cached_property
    def _listed(self) -> list[Name]:
        return [(name, _key(key)) for name, keys in self.families.items() for key in keys]

    @cached_property
    def texts(self) -> list[tuple[str, str, str | int]]:
        """Family, key without its last part, as text, and that part: the year."""
        return _texts(self._listed)

    def __getitem__(self, i: Any) -> Any:
        return self._listed[i]

    def __iter__(self) -> Iterator[Name]:
        return iter(self._listed)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Names):
            return isinstance(other, Sequence) and self._listed == list(other)
        mine, others = self.families, other.families
        return list(mine) == list(others) and all(
            keys is others[name] or keys.same(others[name]) or list(keys) == list(others[name])
            for name, keys in mine.items()
        )

    __hash__ = None  # type: ignore[assignment]

    def slice(self, family: str) -> slice:
        """Where a family stands."""
        return slice(self.first[family], self.first[family] + len(self.families[family]))


class Positions(Mapping[Name, int]):
    """Position of a row or column by family and key."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def __getitem__(self, name: Name) -> int:
        family, key = name
        keys = self.names.families.get(family)
        at = -1 if keys is None else keys.position(key if len(key) > 1 else key[0])
        if at < 0:
            raise KeyError(name)
        return self.names.first[family] + at

    def __iter__(self) -> Iterator[Name]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


Listed = Names | tuple[Name, ...]
"""Rows or columns in order."""


def positions(names: Listed) -> Mapping[Name, int]:
    """Position of each row or column by family and key."""
    return Positions(names) if isinstance(names, Names) else {name: i for i, name in enumerate(names)}


def texts(names: Listed) -> list[tuple[str, str, str | int]]:
    """Family, key without its last part, as text, and that part (the year), of each row or column."""
    return names.texts if isinstance(names, Names) else _texts(names)


def _texts(names: Sequence[Name]) -> list[tuple[str, str, str | int]]:
    return [(family, "/".join(map(str, key[:-1])), key[-1]) for family, key in names]


def places(names: Listed, known: Listed) -> Codes:
    """Position of each row or column among others that are known; -1 where it is not one of them."""
    if not isinstance(names, Names) or not isinstance(known, Names):
        at = positions(known)
        return np.array([at.get(name, -1) for name in names], dtype=np.int64)
    found = np.full(len(names), -1, dtype=np.int64)
    for family, keys in names.families.items():
        others = known.families.get(family)
        if others is not None and len(keys) and len(others):
            there = np.arange(len(keys)) if keys is others else _located(keys, others)
            found[names.slice(family)] = np.where(there >= 0, there + known.first[family], -1)
    return found


def _located(keys: Keys, others: Keys) -> Codes:
    """Position of each key among the others, whose parts may lie on other axes."""
    if len(keys.axes) != len(others.axes):
        return np.full(len(keys), -1, dtype=np.int64)
    parts = [other.known(part, mine) for mine, other, part in zip(keys.axes, others.axes, keys.parts, strict=True)]
    there = np.flatnonzero(np.min(parts, axis=0) >= 0)
    found = np.full(len(keys), -1, dtype=np.int64)
    found[there] = others.locate([part[there] for part in parts])
    return found


@dataclass(frozen=True)
class Stage:
    """One objective: what it is called, its coefficients per column, and its constant."""

    name: str
    coefficients: Array
    constant: float

    @property
    def maximise(self) -> bool:
        """Whether more is better."""
        return self.name.startswith("-")


@dataclass(frozen=True)
class Matrix:
    """Rows `row_lower <= A x <= row_upper`, columns `lower <= x <= upper`, and the stages of the objective."""

    A: csr_array
    row_lower: Array
    row_upper: Array
    lower: Array
    upper: Array
    integer: NDArray[np.bool_]
    stages: tuple[Stage, ...]
    rows: Listed
    columns: Listed
    defining_row: Codes
    """For a free or auxiliary column the row that defines it, else -1."""
    tolerance: float = 1e-6
    """Relative slack that a later stage may take from an earlier one [-]."""
    made_of: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What each family was expanded to, and from: an edit expands again only what it touches."""

    @cached_property
    def row(self) -> Mapping[Name, int]:
        """Position of a row by family and key."""
        return positions(self.rows)

    @cached_property
    def column(self) -> Mapping[Name, int]:
        """Position of a column by family and key."""
        return positions(self.columns)


@dataclass(frozen=True)
class Changes:
    """Where one matrix differs from another with the same rows and columns."""

    rows: Codes
    """Rows with another bound."""
    columns: Codes
    """Columns with another bound."""
    costs: Codes
    """Columns with another coefficient in some stage of the objective."""
    entry_rows: Codes
    """Row of each entry of `A` that has another value."""
    entry_columns: Codes
    entry_values: Array
    """Its new value; 0 for an entry that is gone."""

    def __bool__(self) -> bool:
        return bool(self.rows.size or self.columns.size or self.costs.size or self.entry_rows.size)


def changes(old: Matrix, new: Matrix) -> Changes | None:
    """What an edit changed; None where rows, columns, integers or stages are others.

    What `compile_problem` took over from the old matrix are the same objects, so this costs only what the edit touched.
    """
    if old.rows != new.rows or old.columns != new.columns:
        return None
    if not np.array_equal(old.integer, new.integer) or len(old.stages) != len(new.stages):
        return None
    if any(one.name != other.name for one, other in zip(old.stages, new.stages, strict=True)):
        return None
    costs = [(one.coefficients, other.coefficients) for one, other in zip(old.stages, new.stages, strict=True)]
    return Changes(
        _differ((old.row_lower, new.row_lower), (old.row_upper, new.row_upper)),
        _differ((old.lower, new.lower), (old.upper, new.upper)),
        _differ(*costs),
        *_entries(old.A, new.A),
    )


def _differ(*pairs: tuple[Array, Array]) -> Codes:
    """Positions at which some of the pairs differ."""
    others = [one != other for one, other in pairs if one is not other]
    return np.flatnonzero(np.logical_or.reduce(others)) if others else np.zeros(0, dtype=np.int64)


def _entries(old: csr_array, new: csr_array) -> tuple[Codes, Codes, Array]:
    """Row, column and new value of every entry that differs."""
    if old is new:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    if old.indices is new.indices or (
        np.array_equal(old.indptr, new.indptr) and np.array_equal(old.indices, new.indices)
    ):
        at = np.flatnonzero(old.data != new.data)
        return np.searchsorted(new.indptr, at, side="right") - 1, new.indices[at].astype(np.int64), new.data[at]
    found = csr_array(new - old).tocoo()
    row, column = (part[found.data != 0].astype(np.int64) for part in found.coords)
    return row, column, np.asarray(new[row, column]).ravel()
