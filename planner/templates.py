"""Templates: what each rule of the formulation says, once for all keys, as plain data that can be kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


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

    symbols: tuple[int, ...]
    """Symbols of its own indices."""
    sides: tuple[Node | None, ...]
    is_equal: bool = False


# Kept as JSON --------------------------------------------------------------------------------------------------------


def told(templates: Mapping[str, Template]) -> dict[str, Any]:
    """Templates as lists and numbers that JSON can hold."""
    return {
        name: [one.symbols, [None if side is None else _told(side) for side in one.sides], one.is_equal]
        for name, one in templates.items()
    }


def heard(data: Mapping[str, Any]) -> dict[str, Template]:
    """Templates from what `told` made of them."""
    return {
        name: Template(tuple(symbols), tuple(None if side is None else _heard(side) for side in sides), is_equal)
        for name, (symbols, sides, is_equal) in data.items()
    }


def _told(node: Node) -> list[Any]:
    match node:
        case Number(value):
            return ["number", value]
        case Item(name, indices, is_variable):
            return ["item", name, [[one.number, one.literal] for one in indices], is_variable]
        case Times(factor, body):
            return ["times", _told(factor), _told(body)]
        case Plus(parts):
            return ["plus", *map(_told, parts)]
        case Over(name, indices, symbols, body):
            return ["over", name, [[one.number, one.literal] for one in indices], symbols, _told(body)]


def _heard(data: Sequence[Any]) -> Node:
    kind, *parts = data
    match kind:
        case "number":
            return Number(parts[0])
        case "item":
            return Item(parts[0], tuple(Symbol(*one) for one in parts[1]), parts[2])
        case "times":
            return Times(_heard(parts[0]), _heard(parts[1]))
        case "plus":
            return Plus(tuple(map(_heard, parts)))
        case "over":
            return Over(parts[0], tuple(Symbol(*one) for one in parts[1]), tuple(parts[2]), _heard(parts[3]))
    raise ValueError(kind)
