"""Symbolic: each rule is called once with symbolic indices by Pyomo, and what it returns becomes a template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
from planner.problem import MAPS
from planner.templates import Item, Node, Number, Over, Plus, Symbol, Template, Times


def made() -> dict[str, Template]:
    """The templates of all families; they do not depend on any case."""
    families = (*VARIABLES, *ROWS, *COSTS)
    model = _symbolic_model(families)
    found = {}
    for family in families:
        keys = pyo.Set(dimen=_arity(family), initialize=[(0,) * _arity(family)])
        keys.construct()
        expression, indices = templatize_rule(model, lambda b, key, of=family.rule: of(b, *key), keys)
        found[family.name] = _template(family, expression, indices)
    return found


def _template(family: Family, expression: Any, indices: Sequence[Any]) -> Template:
    numbers: dict[int, int] = {}
    symbols = tuple(_number(index, numbers) for index in indices)
    if family in VARIABLES:
        sides, equal = expression, False
    elif family in ROWS:
        sides, equal = relation(expression)
    else:
        sides, equal = (expression,), False
    return Template(symbols, tuple(None if side is None else _node(side, numbers) for side in sides), equal)


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
