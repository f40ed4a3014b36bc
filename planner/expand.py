"""Row families -> sparse entries: each rule is called once with symbolic indices, its template expanded with numpy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import pyomo.environ as pyo
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
from planner.problem.keys import CODE, Array, Axis, Codes, Keys, Links, Table

# Templates: what a rule says, once for all keys -------------------------------------------------------------------


@dataclass(frozen=True)
class Number:
    """A number in a rule."""

    value: float


@dataclass(frozen=True)
class Symbol:
    """An index in a rule: the symbol of that number, or what is written there."""

    number: int
    literal: str | int | None = None


@dataclass(frozen=True)
class Item:
    """A coefficient, or a variable, at some indices."""

    name: str
    indices: tuple[Symbol, ...]
    is_variable: bool


@dataclass(frozen=True)
class Times:
    """Something with numbers only, times anything."""

    factor: "Node"
    body: "Node"


@dataclass(frozen=True)
class Plus:
    """A sum of parts."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Over:
    """A sum over the keys that a map has at some indices; `symbols` stand for the parts of such a key."""

    name: str
    indices: tuple[Symbol, ...]
    symbols: tuple[int, ...]
    body: "Node"


Node = Number | Item | Times | Plus | Over


@dataclass(frozen=True)
class Template:
    """A rule called once with symbols: the sides of what it returned; None for a bound that is not there."""

    family: Family
    symbols: tuple[int, ...]
    """Symbols of its own indices."""
    sides: tuple[Node | None, ...]
    is_equal: bool = False


_templates: dict[str, Template] = {}
_lock = Lock()


def templates() -> Mapping[str, Template]:
    """The templates of all families, made once in a process: they do not depend on any case."""
    with _lock:
        if not _templates:
            families = (*VARIABLES, *ROWS, *COSTS)
            model = _symbolic_model(families)
            for family in families:
                keys = pyo.Set(dimen=_arity(family), initialize=[(0,) * _arity(family)])
                keys.construct()
                expression, indices = templatize_rule(model, lambda b, key, of=family.rule: of(b, *key), keys)
                _templates[family.name] = _template(family, expression, indices)
    return _templates


def _template(family: Family, expression: Any, indices: Sequence[Any]) -> Template:
    numbers: dict[int, int] = {}
    symbols = tuple(_number(index, numbers) for index in indices)
    if family in VARIABLES:
        sides, equal = expression, False
    elif family in ROWS:
        sides, equal = relation(expression)
    else:
        sides, equal = (expression,), False
    return Template(family, symbols, tuple(None if side is None else _node(side, numbers) for side in sides), equal)


def relation(expression: Any) -> tuple[tuple[Any, Any], bool]:
    """Left side and right side, and whether they are equal (else left <= right)."""
    if isinstance(expression, EqualityExpression | InequalityExpression):
        return (expression.args[0], expression.args[1]), isinstance(expression, EqualityExpression)
    raise TypeError(f"{type(expression).__name__} is not a relation")


def _number(index: Any, numbers: dict[int, int]) -> int:
    return numbers.setdefault(id(index), len(numbers))


def _symbol(index: Any, numbers: dict[int, int]) -> Symbol:
    return Symbol(_number(index, numbers)) if isinstance(index, IndexTemplate) else Symbol(-1, index)


def _node(node: Any, numbers: dict[int, int]) -> Node:
    """An expression of Pyomo as a template; raises TypeError where it is not a sum of numbers times variables."""
    if isinstance(node, int | float):
        return Number(float(node))
    if isinstance(node, GetItemExpression):
        component, *indices = node.args
        symbols = tuple(_symbol(index, numbers) for index in indices)
        return Item(component.local_name, symbols, component.ctype is pyo.Var)
    if isinstance(node, TemplateSumExpression):
        (inner,) = node._local_args_
        body = _node(inner, numbers)
        for group in reversed(list(node.template_iters())):
            component, *indices = group[0]._set.args
            own = tuple(_number(index, numbers) for index in group)
            body = Over(component.local_name, tuple(_symbol(index, numbers) for index in indices), own, body)
        return body
    if isinstance(node, NegationExpression):
        return Times(Number(-1.0), _node(node.args[0], numbers))
    if isinstance(node, ProductExpression | MonomialTermExpression):
        left, right = (_node(part, numbers) for part in node.args)
        if not _has_variable(left):
            return Times(left, right)
        if not _has_variable(right):
            return Times(right, left)
    if isinstance(node, SumExpression | LinearExpression):
        return Plus(tuple(_node(part, numbers) for part in node.args))
    raise TypeError(f"no expansion for {type(node).__name__}")


def _has_variable(node: Node) -> bool:
    if isinstance(node, Item):
        return node.is_variable
    if isinstance(node, Times):
        return _has_variable(node.factor) or _has_variable(node.body)
    if isinstance(node, Plus):
        return any(map(_has_variable, node.parts))
    return isinstance(node, Over) and _has_variable(node.body)


def _arity(family: Family) -> int:
    return int(family.rule.__code__.co_argcount) - 1


def _symbolic_model(families: Sequence[Family]) -> pyo.ConcreteModel:
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


# Expansion: the template over all keys of a problem ---------------------------------------------------------------


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

    def frame(self, template: Template) -> Frame:
        """All keys of a family."""
        return Frame(self.read(template.family.index), template.symbols, None, {})

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
