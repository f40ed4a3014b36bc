"""Row families -> sparse entries: each rule is called once with symbolic indices, its template expanded with numpy."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from threading import Lock
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.core.expr import (
    EqualityExpression,
    GetItemExpression,
    InequalityExpression,
    LinearExpression,
    MonomialTermExpression,
    NegationExpression,
    ProductExpression,
    SumExpression,
)
from pyomo.core.expr.template_expr import IndexTemplate, TemplateSumExpression, templatize_rule

from planner.formulation import COSTS, ROWS, VARIABLES, Family
from planner.problem import MAPS, Problem

Codes = NDArray[np.int64]
Array = NDArray[np.float64]
Frame = dict[int, Codes]
"""Values of the symbolic indices, one code per position: for each key of a family, or each key of a sum within."""


@dataclass(frozen=True)
class Terms:
    """A sum, position by position: coefficients of columns, and constants (column -1)."""

    position: Codes
    column: Codes
    coefficient: Array

    @classmethod
    def constant(cls, values: Array) -> "Terms":
        """One number per position."""
        return cls(np.arange(values.size), np.full(values.size, -1), values)

    @classmethod
    def joined(cls, parts: Sequence["Terms"]) -> "Terms":
        """The sum of several."""
        return cls(
            np.concatenate([part.position for part in parts]),
            np.concatenate([part.column for part in parts]),
            np.concatenate([part.coefficient for part in parts]),
        )

    def scaled(self, factor: Array | float) -> "Terms":
        """Times a number, or a number per position."""
        by = factor if isinstance(factor, float) else factor[self.position]
        return Terms(self.position, self.column, self.coefficient * by)

    def constants(self, size: int) -> Array:
        """Sum of the constants at each position."""
        fixed = self.column < 0
        sums: Array = np.bincount(self.position[fixed], self.coefficient[fixed], minlength=size).astype(float)
        return sums

    @property
    def is_constant(self) -> bool:
        """Whether no column occurs."""
        return bool((self.column < 0).all())


class Coder:
    """Gives every part of a key a number, and every key one number."""

    def __init__(self) -> None:
        self.numbers: dict[str | int, int] = defaultdict(count().__next__)

    def parts(self, keys: Sequence[Any], width: int) -> Codes:
        """Numbers of the parts of each key, shape (keys, width)."""
        atoms = chain.from_iterable(keys) if width > 1 or (keys and isinstance(keys[0], tuple)) else iter(keys)
        return np.fromiter(map(self.numbers.__getitem__, atoms), np.int64, len(keys) * width).reshape(-1, width)

    def packed(self, parts: Codes | Sequence[Codes]) -> Codes:
        """One number per key; of at most four parts, each below 2**15."""
        columns = parts.T if isinstance(parts, np.ndarray) else parts
        if len(self.numbers) >= 1 << 15 and len(columns) > 3:
            raise OverflowError("too many different ids")
        packed = np.zeros(len(columns[0]), dtype=np.int64)
        for part in columns:
            packed = (packed << (15 if len(columns) > 3 else 20)) | part
        return packed


@dataclass(frozen=True)
class Lookup:
    """Finds the position of a key among known ones."""

    name: str
    keys: Codes
    """Known keys, packed, in the order of their positions."""

    @cached_property
    def order(self) -> Codes:
        """Positions in the order of the packed keys."""
        return np.argsort(self.keys, kind="stable")

    @cached_property
    def sorted(self) -> Codes:
        """Packed keys in ascending order."""
        return self.keys[self.order]

    def find(self, wanted: Codes) -> Codes:
        """Positions of `wanted`. Raises KeyError when one is unknown."""
        if not wanted.size:
            return np.zeros(0, dtype=np.int64)
        at = np.searchsorted(self.sorted, wanted)
        known = at < self.sorted.size
        if not known.all() or not (self.sorted[at] == wanted).all():
            raise KeyError(self.name)
        return self.order[at]


class Data:
    """Sets, maps and coefficients of one problem as arrays, made when a rule first asks for them."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.coder = Coder()
        self.lookups: dict[str, Lookup] = {}
        self.coefficients: dict[str, Array] = {}
        self.elements: dict[str, tuple[Codes, Codes, Codes]] = {}
        self.columns: dict[str, int] = {}
        self.indices: dict[str, Codes] = {}

    def index(self, name: str) -> Codes:
        """Keys of an index set, shape (keys, parts)."""
        if name not in self.indices:
            keys = getattr(self.problem, name)
            self.indices[name] = self.coder.parts(keys, len(keys[0]) if keys else 1)
        return self.indices[name]

    def variable(self, name: str, parts: Sequence[Codes]) -> Codes:
        """Columns of a variable at the keys given by their parts."""
        if name not in self.lookups:
            family = next(item for item in VARIABLES if item.name == name)
            self.lookups[name] = Lookup(name, self.coder.packed(self.index(family.index)))
        return self.columns[name] + self.lookups[name].find(self.coder.packed(parts))

    def coefficient(self, name: str, parts: Sequence[Codes]) -> Array:
        """Values of a coefficient at the keys given by their parts."""
        if name not in self.lookups:
            table: Mapping[Any, float] = getattr(self.problem, name)
            keys = list(table)
            self.lookups[name] = Lookup(name, self.coder.packed(self.coder.parts(keys, len(parts))))
            self.coefficients[name] = np.fromiter(table.values(), float, len(keys))
        return self.coefficients[name][self.lookups[name].find(self.coder.packed(parts))]

    def members(self, name: str, parts: Sequence[Codes]) -> tuple[Codes, Codes]:
        """For the keys given by their parts: the position of the key, and the parts, of each key it sums over."""
        if name not in self.lookups:
            table: Mapping[Any, Sequence[Any]] = getattr(self.problem, name)
            self.lookups[name] = Lookup(name, self.coder.packed(self.coder.parts(list(table), len(parts))))
            counts = np.fromiter(map(len, table.values()), np.int64, len(table))
            starts = np.concatenate([[0], np.cumsum(counts)[:-1]]) if counts.size else counts
            flat = self.coder.parts(list(chain.from_iterable(table.values())), MAPS[name])
            self.elements[name] = (starts, counts, flat)
        starts, counts, flat = self.elements[name]
        row = self.lookups[name].find(self.coder.packed(parts))
        parents = np.repeat(np.arange(row.size), counts[row])
        offsets = np.arange(parents.size) - np.repeat(np.cumsum(counts[row]) - counts[row], counts[row])
        return parents, flat[np.repeat(starts[row], counts[row]) + offsets]


class Expander:
    """Expands the template of a rule over all keys of its index set."""

    def __init__(self, data: Data) -> None:
        self.data = data

    def frame(self, template: "Template") -> Frame:
        """Codes of the rule's own indices."""
        keys = self.data.index(template.family.index)
        return {id(index): keys[:, j] for j, index in enumerate(template.indices)}

    def terms(self, node: Any, frame: Frame, size: int) -> Terms:
        """A template as terms, position by position of the frame."""
        if isinstance(node, int | float):
            return Terms.constant(np.full(size, float(node)))
        if isinstance(node, TemplateSumExpression):
            return self._summed(node, frame, size)
        if isinstance(node, GetItemExpression):
            return self._item(node, frame, size)
        if isinstance(node, NegationExpression):
            return self.terms(node.args[0], frame, size).scaled(-1.0)
        if isinstance(node, ProductExpression | MonomialTermExpression):
            left, right = (self.terms(part, frame, size) for part in node.args)
            if left.is_constant:
                return right.scaled(left.constants(size))
            if right.is_constant:
                return left.scaled(right.constants(size))
        if isinstance(node, SumExpression | LinearExpression):
            return Terms.joined([self.terms(part, frame, size) for part in node.args])
        raise TypeError(f"no expansion for {type(node).__name__}")

    def _codes(self, index: Any, frame: Frame, size: int) -> Codes:
        if isinstance(index, IndexTemplate):
            return frame[id(index)]
        return np.full(size, self.data.coder.numbers[index])

    def _item(self, node: Any, frame: Frame, size: int) -> Terms:
        component, *indices = node.args
        parts = [self._codes(index, frame, size) for index in indices]
        name = component.local_name
        if component.ctype is pyo.Var:
            return Terms(np.arange(size), self.data.variable(name, parts), np.ones(size))
        return Terms.constant(self.data.coefficient(name, parts))

    def _summed(self, node: Any, frame: Frame, size: int) -> Terms:
        (body,) = node._local_args_
        position = np.arange(size)
        for group in node.template_iters():
            component, *indices = group[0]._set.args
            parts = [self._codes(index, frame, position.size) for index in indices]
            parents, elements = self.data.members(component.local_name, parts)
            frame = {key: codes[parents] for key, codes in frame.items()}
            frame.update({id(index): elements[:, j] for j, index in enumerate(group)})
            position = position[parents]
        inner = self.terms(body, frame, position.size)
        return Terms(position[inner.position], inner.column, inner.coefficient)


@dataclass(frozen=True)
class Template:
    """A rule called once: what it returned, and the symbolic indices it was called with."""

    family: Family
    indices: tuple[Any, ...]
    expression: Any


_templates: dict[str, Template] = {}
_lock = Lock()


def templates() -> dict[str, Template]:
    """The templates of all families, made once in a process: they do not depend on any case."""
    with _lock:
        if not _templates:
            families = (*VARIABLES, *ROWS, *COSTS)
            symbols = _symbols(families)
            for family in families:
                keys = pyo.Set(dimen=_arity(family), initialize=[(0,) * _arity(family)])
                keys.construct()
                expression, indices = templatize_rule(symbols, lambda b, key, of=family.rule: of(b, *key), keys)
                _templates[family.name] = Template(family, indices, expression)
    return _templates


def _arity(family: Family) -> int:
    return int(family.rule.__code__.co_argcount) - 1


def _symbols(families: Sequence[Family]) -> pyo.ConcreteModel:
    """A model with every variable, map and coefficient that the rules name, over one key of zeros."""
    seen = _Names()
    for family in families:
        family.rule(seen, *range(_arity(family)))
    model = pyo.ConcreteModel()
    variables = {family.name for family in families if family in VARIABLES}
    for name, parts in seen.arity.items():
        index = pyo.Set(dimen=parts, initialize=[(0,) * parts])
        model.add_component(f"{name}_index", index)
        if name in variables:
            model.add_component(name, pyo.Var(index))
        elif name in MAPS:
            model.add_component(
                name, pyo.Set(index, dimen=MAPS[name], initialize=lambda _, *key, of=name: seen[of][key])
            )
        else:
            model.add_component(name, pyo.Param(index, mutable=True))
    return model


class _Names:
    """Stands for the problem while rules are called once with numbers, and notes what they ask for."""

    def __init__(self) -> None:
        self.arity: dict[str, int] = {}

    def __getattr__(self, name: str) -> "_Name":
        return _Name(self, name)

    def __getitem__(self, name: str) -> "_Name":
        return _Name(self, name)


@dataclass(frozen=True)
class _Name:
    names: _Names
    name: str

    def __getitem__(self, key: Any) -> Any:
        self.names.arity[self.name] = len(key) if isinstance(key, tuple) else 1
        if self.name in MAPS:
            return [0] if MAPS[self.name] == 1 else [(0,) * MAPS[self.name]]
        return 1.0


def relation(expression: Any) -> tuple[Any, Any, bool]:
    """Left side, right side, and whether they are equal (else left <= right)."""
    if isinstance(expression, EqualityExpression):
        return expression.args[0], expression.args[1], True
    if isinstance(expression, InequalityExpression):
        return expression.args[0], expression.args[1], False
    raise TypeError(f"{type(expression).__name__} is not a relation")
