"""Sets, coefficients and maps as arrays of numbers, which people and Pyomo read as tuples, numbers and lists.

A key goes what, where, when: `(m, c, y)`. Each of its parts lies on an axis, all measures or all years, and is stored
as the place on that axis. Whoever iterates over a set or looks into a coefficient sees ids; whoever computes takes
arrays.
"""

import math
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, Sequence, ValuesView
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.integer[Any]]
Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Label = str | int
CODE = np.int32
"""What places and positions are stored as: half the memory of the plain integer of numpy."""
SPARSE = 64
"""Possible keys for each that is there, from which on keys are searched, not looked up in a table of all possible."""


class Axis:
    """All values that one part of a key can have, in the order of the case."""

    def __init__(self, labels: Iterable[Label]) -> None:
        self.labels = tuple(labels)
        self.number = {label: i for i, label in enumerate(self.labels)}

    def __len__(self) -> int:
        return len(self.labels)

    def codes(self, labels: Iterable[Label]) -> Codes:
        """Place of each label."""
        return np.array(list(map(self.number.__getitem__, labels)), dtype=CODE)

    def same(self, other: object) -> bool:
        """Whether both hold the same values in the same order."""
        return isinstance(other, Axis) and self.labels == other.labels

    def known(self, codes: Codes, axis: "Axis") -> Codes:
        """Places on this axis of what `codes` are on another; -1 where one is unknown here."""
        if axis is self:
            return codes
        return np.array([self.number.get(label, -1) for label in axis.labels], dtype=CODE)[codes]

    def translated(self, codes: Codes, axis: "Axis") -> Codes:
        """Places on this axis of what `codes` are on another; raises KeyError where one is unknown here."""
        known = self.known(codes, axis)
        if known.size and known.min() < 0:
            raise KeyError(axis.labels[int(codes[known.argmin()])])
        return known


class Keys(Sequence[Any]):
    """Keys in order, one array of places per part; a key of one part reads as the bare label."""

    def __init__(self, axes: Sequence[Axis], parts: Sequence[Codes]) -> None:
        self.axes = tuple(axes)
        self._parts = tuple(np.asarray(part, dtype=CODE) for part in parts)

    @property
    def parts(self) -> tuple[Codes, ...]:
        """Place on its axis of every part of every key."""
        return self._parts

    def __len__(self) -> int:
        return self._parts[0].size

    def times(self, axis: Axis) -> "Keys":
        """Every key with every value of a further axis."""
        return Product(self, axis)

    def only(self, which: Codes | Mask) -> "Keys":
        """Some of the keys."""
        return Keys(self.axes, [part[which] for part in self.parts])

    def same(self, other: object) -> bool:
        """Whether both hold the same keys in the same order."""
        return isinstance(other, Keys) and (
            len(self.axes) == len(other.axes)
            and all(one is another for one, another in zip(self.axes, other.axes, strict=True))
            and all(np.array_equal(one, another) for one, another in zip(self.parts, other.parts, strict=True))
        )

    def locate(self, parts: Sequence[Codes]) -> Codes:
        """Positions of keys given by the places of their parts; negative for one that is not here."""
        wanted = self.packed(parts)
        if self._places is not None:
            return self._places[wanted]
        known, order = self._sorted
        at = np.minimum(np.searchsorted(known, wanted), max(known.size - 1, 0))
        if not known.size:
            return np.full(wanted.size, -1)
        return np.where(known[at] == wanted, order[at], -1)

    @cached_property
    def _possible(self) -> int:
        return math.prod(len(axis) for axis in self.axes)

    def packed(self, parts: Sequence[Codes]) -> Codes:
        """One number per key."""
        packed = parts[0] if self._possible <= np.iinfo(parts[0].dtype).max else parts[0].astype(np.int64)
        for axis, part in zip(self.axes[1:], parts[1:], strict=True):
            packed = packed * len(axis) + part
        return packed

    @cached_property
    def _places(self) -> Codes | None:
        if self._possible > SPARSE * len(self):
            return None
        places = np.full(self._possible, -1, dtype=CODE)
        places[self.packed(self.parts)] = np.arange(len(self), dtype=CODE)
        return places

    @cached_property
    def _sorted(self) -> tuple[Codes, Codes]:
        packed = self.packed(self.parts)
        order = np.argsort(packed, kind="stable").astype(CODE)
        return packed[order], order

    @cached_property
    def _labels(self) -> list[Any]:
        columns = [
            list(map(axis.labels.__getitem__, part.tolist())) for axis, part in zip(self.axes, self.parts, strict=True)
        ]
        return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))

    @cached_property
    def _position(self) -> dict[Any, int]:
        return {key: i for i, key in enumerate(self._labels)}

    def position(self, key: Any) -> int:
        """Position of a key, -1 when it is not here."""
        return self._position.get(key, -1)

    def __getitem__(self, i: Any) -> Any:
        return self._labels[i]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._labels)

    def __contains__(self, key: object) -> bool:
        return key in self._position


class Every(Keys):
    """All of one axis."""

    def __init__(self, axis: Axis) -> None:
        super().__init__((axis,), (np.arange(len(axis), dtype=CODE),))

    def locate(self, parts: Sequence[Codes]) -> Codes:
        """Positions of keys: their places."""
        return parts[0]


class Product(Keys):
    """Every key of a set with every value of an axis, the axis running fastest."""

    def __init__(self, base: Keys, axis: Axis) -> None:
        self.base, self.axis = base, axis
        self.axes = (*base.axes, axis)

    @cached_property
    def parts(self) -> tuple[Codes, ...]:
        """Place on its axis of every part of every key."""
        repeated = (np.repeat(part, len(self.axis)) for part in self.base.parts)
        return (*repeated, np.tile(np.arange(len(self.axis), dtype=CODE), len(self.base)))

    def __len__(self) -> int:
        return len(self.base) * len(self.axis)

    def same(self, other: object) -> bool:
        """Whether both hold the same keys in the same order."""
        if isinstance(other, Product):
            return self.axis is other.axis and (self.base is other.base or self.base.same(other.base))
        return super().same(other)

    def locate(self, parts: Sequence[Codes]) -> Codes:
        """Positions of keys given by the places of their parts; negative for one that is not here."""
        return self.base.locate(parts[:-1]) * len(self.axis) + parts[-1]


def product(*axes: Axis) -> Keys:
    """Every combination of the values of some axes, the last running fastest."""
    keys: Keys = Every(axes[0])
    for axis in axes[1:]:
        keys = keys.times(axis)
    return keys


class Table(Mapping[Any, Any]):
    """A coefficient: a number for every key of a set, or a row of numbers."""

    def __init__(self, keys_: Keys, values: NDArray[Any]) -> None:
        self.index = keys_
        self.array = values

    def same(self, other: object) -> bool:
        """Whether both hold the same numbers for the same keys."""
        return isinstance(other, Table) and self.index is other.index and np.array_equal(self.array, other.array)

    @cached_property
    def _plain(self) -> dict[Any, Any]:
        return dict(zip(self.index, self.array if self.array.ndim > 1 else self.array.tolist(), strict=True))

    def __getitem__(self, key: Any) -> Any:
        return self._plain[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.index)

    def __len__(self) -> int:
        return len(self.index)

    def __contains__(self, key: object) -> bool:
        return key in self.index

    def keys(self) -> KeysView[Any]:
        """The keys."""
        return self._plain.keys()

    def values(self) -> ValuesView[Any]:
        """The numbers."""
        return self._plain.values()

    def items(self) -> ItemsView[Any, Any]:
        """Keys and numbers."""
        return self._plain.items()


class Links(Mapping[Any, Any]):
    """A map: for every key of a set the keys that are summed over there, in order."""

    def __init__(self, index: Keys, counts: Codes, members: Keys) -> None:
        self.index = index
        self.counts = np.asarray(counts, dtype=CODE)
        self.members = members

    @classmethod
    def of_mask(cls, index: Keys, mask: Mask, axis: Axis) -> "Links":
        """For every key those values of an axis where its row of the mask says so."""
        return cls(index, mask.sum(axis=1), Keys((axis,), (np.nonzero(mask)[1],)))

    @classmethod
    def grouped(cls, index: Keys, of: Codes, members: Keys) -> "Links":
        """The members in their order, each at the position `of` of the key it belongs to."""
        order = np.argsort(of, kind="stable")
        return cls(index, np.bincount(of, minlength=len(index)), members.only(order))

    def same(self, other: object) -> bool:
        """Whether both sum over the same keys for the same keys."""
        return isinstance(other, Links) and (
            self.index is other.index and np.array_equal(self.counts, other.counts) and self.members.same(other.members)
        )

    def at(self, index: Keys, positions: Codes) -> "Links":
        """The map that gives each key of another set the members of the key at a position."""
        _, entries = self.chosen(positions)
        return Links(index, self.counts[positions], self.members.only(entries))

    def times(self, index: Keys) -> "Links":
        """The same members for every key of a product of the index with an axis."""
        return self.at(index, np.repeat(np.arange(len(self.index)), len(index) // max(len(self.index), 1)))

    @property
    def parents(self) -> Codes:
        """Position of the key that each member belongs to."""
        return np.repeat(np.arange(len(self.index), dtype=CODE), self.counts)

    def chosen(self, positions: Codes) -> tuple[Codes, Codes]:
        """For keys given by position: the place in that list, and the position, of each member they have."""
        counts = self.counts[positions]
        parents = np.repeat(np.arange(positions.size, dtype=CODE), counts)
        before = np.cumsum(counts, dtype=CODE) - counts
        return parents, np.arange(parents.size, dtype=CODE) + (self._starts[positions] - before)[parents]

    @cached_property
    def _starts(self) -> Codes:
        return cast(Codes, np.cumsum(self.counts, dtype=CODE) - self.counts)

    @cached_property
    def _plain(self) -> dict[Any, list[Any]]:
        members = list(self.members)
        ends = np.cumsum(self.counts).tolist()
        return {
            key: members[start:end] for key, start, end in zip(self.index, self._starts.tolist(), ends, strict=True)
        }

    def __getitem__(self, key: Any) -> Any:
        return self._plain[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.index)

    def __len__(self) -> int:
        return len(self.index)

    def __contains__(self, key: object) -> bool:
        return key in self.index

    def items(self) -> ItemsView[Any, Any]:
        """Keys and lists."""
        return self._plain.items()
