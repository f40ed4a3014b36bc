"""Templates of the formulation -> sparse entries: each is expanded over all keys of a problem with numpy."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from planner import cache, formulation, templates
from planner.formulation import VARIABLES
from planner.problem import Problem
from planner.problem.keys import CODE, Array, Axis, Codes, Keys, Links, Table
from planner.templates import Item, Node, Number, Over, Plus, Symbol, Template, Times

_known: dict[str, Template] = {}
_lock = Lock()


def known_templates() -> Mapping[str, Template]:
    """The templates of all families, made once for each state of the formulation: they do not depend on any case.

    They are kept in the cache, so that Pyomo need not be loaded to make them again.
    """
    with _lock:
        if not _known:
            sources = [Path(str(module.__file__)) for module in (formulation, templates)]
            sources.append(sources[0].with_name("symbolic.py"))
            key = cache.digest(version("pyomo"), *(source.read_bytes() for source in sources))
            kept = cache.get("templates", key)
            if kept is not None:
                _known.update(templates.heard(json.loads(kept)))
            else:
                from planner.symbolic import made

                _known.update(made())
                cache.put("templates", key, json.dumps(templates.told(_known)).encode())
    return _known


@dataclass(frozen=True)
class Terms:
    """Summands, one per position: coefficients of columns, or constants where there is no column."""

    position: Codes
    column: Codes | None
    coefficient: Array | float

    @property
    def values(self) -> Array:
        """One coefficient per position."""
        value = self.coefficient
        return value if isinstance(value, np.ndarray) else np.full(self.position.size, value)


@dataclass(frozen=True)
class Frame:
    """What the symbols stand for, place by place: for each key of a family, or each key of a sum within."""

    index: Keys
    own: tuple[int, ...]
    """The symbols that are the parts of the keys of the family."""
    position: Codes | None
    """Position of the family's key at each place; None where each key has one place, in order."""
    inner: Mapping[int, tuple[Axis, Codes]]
    """Axis and values of the symbols of sums."""

    @property
    def size(self) -> int:
        """How many places there are."""
        return len(self.index) if self.position is None else self.position.size

    def positions(self) -> Codes:
        """Position of the family's key at each place."""
        return np.arange(len(self.index), dtype=CODE) if self.position is None else self.position

    def codes(self, symbol: Symbol, axis: Axis) -> Codes:
        """Values of a symbol as places on an axis."""
        if symbol.literal is not None:
            return np.full(self.size, axis.number[symbol.literal], dtype=CODE)
        if symbol.number in self.inner:
            own_axis, codes = self.inner[symbol.number]
        else:
            part = self.own.index(symbol.number)
            own_axis, codes = self.index.axes[part], self.index.parts[part]
            if self.position is not None:
                codes = codes[self.position]
        return axis.translated(codes, own_axis)


class Expander:
    """Expands templates over the keys of a problem, and notes what of the problem they read."""

    def __init__(self, problem: Problem, columns: Mapping[str, int]) -> None:
        self.problem = problem
        self.columns = columns
        """The first column of each variable."""
        self.inputs: dict[str, Any] = {}
        """What was read since it was last emptied."""

    def read(self, name: str) -> Any:
        """A set, map or coefficient of the problem."""
        value = self.inputs[name] = getattr(self.problem, name)
        return value

    def frame(self, index: str, template: Template) -> Frame:
        """All keys of a family, which runs over the set of that name."""
        return Frame(self.read(index), template.symbols, None, {})

    def expand(self, node: Node, frame: Frame, scale: Array | float = 1.0) -> Iterator[Terms]:
        """The summands of a template, times a number per place."""
        if isinstance(node, Plus):
            for part in node.parts:
                yield from self.expand(part, frame, scale)
        elif isinstance(node, Times):
            yield from self.expand(node.body, frame, scale * self.value(node.factor, frame))
        elif isinstance(node, Over):
            inner, parents = self._inside(node, frame)
            if inner.size:
                yield from self.expand(node.body, inner, scale[parents] if isinstance(scale, np.ndarray) else scale)
        elif isinstance(node, Item) and node.is_variable:
            index: Keys = self.read(INDEX[node.name])
            yield Terms(frame.positions(), self.columns[node.name] + self._found(index, node, frame), scale)
        else:
            yield Terms(frame.positions(), None, scale * self.value(node, frame))

    def value(self, node: Node, frame: Frame) -> Array | float:
        """What a template without variables is at each place."""
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Item) and not node.is_variable:
            table: Table = self.read(node.name)
            if self._is_own(table.index, node.indices, frame):
                return table.array
            values: Array = table.array[self._found(table.index, node, frame)]
            return values
        if isinstance(node, Times):
            return self.value(node.factor, frame) * self.value(node.body, frame)
        if isinstance(node, Plus):
            return sum((self.value(part, frame) for part in node.parts), start=0.0)
        raise TypeError(f"no number: {type(node).__name__}")

    def _is_own(self, index: Keys, indices: Sequence[Symbol], frame: Frame) -> bool:
        """Whether what is asked for at each place is the key of the family itself."""
        own = tuple(symbol.number for symbol in indices) == frame.own
        return own and frame.position is None and index is frame.index

    def _found(self, index: Keys, node: Item | Over, frame: Frame) -> Codes:
        """Position of a key at each place; raises KeyError when one is unknown."""
        if self._is_own(index, node.indices, frame):
            return np.arange(len(index), dtype=CODE)
        if len(index.axes) != len(node.indices):
            raise KeyError(node.name)
        codes = [frame.codes(symbol, axis) for symbol, axis in zip(node.indices, index.axes, strict=True)]
        found = index.locate(codes)
        if found.size and found.min() < 0:
            raise KeyError(node.name)
        return found

    def _inside(self, node: Over, frame: Frame) -> tuple[Frame, Codes]:
        """The keys of a sum within, and the place in `frame` that each belongs to."""
        links: Links = self.read(node.name)
        members = links.members
        if self._is_own(links.index, node.indices, frame):
            parents, parts = links.parents, members.parts
        else:
            parents, chosen = links.chosen(self._found(links.index, node, frame))
            parts = tuple(part[chosen] for part in members.parts)
        inner = {symbol: (axis, codes[parents]) for symbol, (axis, codes) in frame.inner.items()}
        inner.update(zip(node.symbols, zip(members.axes, parts, strict=True), strict=True))
        position = parents if frame.position is None else frame.position[parents]
        return Frame(frame.index, frame.own, position, inner), parents


INDEX = {family.name: family.index for family in VARIABLES}
"""The set that each variable runs over."""
