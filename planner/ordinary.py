"""The ordinary Pyomo model of all families, one row at a time, and the matrix that Pyomo itself compiles it to."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy.sparse import csr_array

from planner.compile import Key, Matrix, Name, Stage
from planner.formulation import ROWS, VARIABLES, net_present_value, shortfall, total
from planner.problem import Problem

DOMAINS = {"real": pyo.Reals, "integer": pyo.Integers}


class View:
    """What a rule sees: the variables given here, and the sets, maps and coefficients of the problem."""

    def __init__(self, problem: Problem, variables: Mapping[str, Any]) -> None:
        self._problem = problem
        self.__dict__.update(variables)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._problem, name)


def instantiate(problem: Problem) -> pyo.ConcreteModel:
    """The ordinary Pyomo model of all families, which anyone may print, inspect or give to a solver."""
    model = pyo.ConcreteModel(name=problem.case.settings.name)
    variables: dict[str, Any] = {}
    view = View(problem, variables)
    for item in VARIABLES:
        keys = getattr(problem, item.index)
        bounds = {key: item.rule(view, *key) for key in keys}
        variables[item.name] = pyo.Var(keys, domain=DOMAINS[item.domain], bounds=lambda _, *key, of=bounds: of[key])
        setattr(model, item.name, variables[item.name])
        setattr(view, item.name, variables[item.name])
    for item in ROWS:
        keys = getattr(problem, item.index)
        rows = pyo.Constraint(keys, rule=lambda _, *key, of=item.rule: of(view, *key))
        setattr(model, f"{item.name}_row" if hasattr(model, item.name) else item.name, rows)
    model.stage = pyo.ObjectiveList()
    for stage in problem.stages:
        expression = total(view, stage.levels) + shortfall(view, stage.misses)
        if stage.name == "cost":
            expression = net_present_value(view)
        model.stage.add(expr=expression, sense=pyo.maximize if stage.name.startswith("-") else pyo.minimize)
    return model


# Pyomo's own standard form --------------------------------------------------------------------------------------------


def _names(component: Any, name: str) -> list[tuple[Any, Name]]:
    return [(data, (name, _key(key))) for key, data in component.items()]


def standard_form(problem: Problem) -> Matrix:
    """The matrix as Pyomo itself compiles the ordinary model: slower, and equal to `compile_problem`."""
    model = instantiate(problem)
    named_columns = [pair for item in VARIABLES for pair in _names(getattr(model, item.name), item.name)]
    names = {id(data): name for data, name in named_columns}
    form = LinearStandardFormCompiler().write(
        model, mixed_form=True, set_sense=None, column_order=[data for data, _ in named_columns]
    )
    columns = tuple(name for _, name in named_columns)
    position = {name: j for j, name in enumerate(columns)}
    used = np.array([position[names[id(data)]] for data in form.columns], dtype=np.int64)
    rows = tuple((row.constraint.parent_component().local_name, _key(row.constraint.index())) for row in form.rows)
    kinds = np.array([row.bound_type for row in form.rows])
    right = np.asarray(form.rhs, dtype=float)
    matrix = csr_array(form.A)
    wide = csr_array((matrix.data, used[matrix.indices], matrix.indptr), shape=(len(rows), len(columns)))
    wide.sort_indices()
    stages = []
    objectives = csr_array(form.c)
    for i, stage in enumerate(problem.stages):
        dense = np.zeros(len(columns))
        row = objectives[[i], :].tocoo()
        dense[used[row.col]] = row.data
        stages.append(Stage(stage.name, dense, float(np.asarray(form.c_offset)[i])))
    row_position = {name: i for i, name in enumerate(rows)}
    return Matrix(
        A=wide,
        row_lower=np.where(kinds == 1, -np.inf, right),
        row_upper=np.where(kinds == -1, np.inf, right),
        lower=np.array([-np.inf if data.lb is None else data.lb for data, _ in named_columns], dtype=float),
        upper=np.array([np.inf if data.ub is None else data.ub for data, _ in named_columns], dtype=float),
        integer=np.array([data.is_integer() for data, _ in named_columns], dtype=bool),
        stages=tuple(stages),
        rows=rows,
        columns=columns,
        defining_row=_defining_rows(columns, row_position),
        tolerance=problem.case.settings.tolerance,
    )


def _key(index: Any) -> Key:
    return index if isinstance(index, tuple) else (index,)


def _defining_rows(columns: Sequence[Name], rows: Mapping[Name, int]) -> NDArray[np.int64]:
    families = {item.name: item.defined_by for item in VARIABLES}
    found = np.full(len(columns), -1, dtype=np.int64)
    for j, (name, key) in enumerate(columns):
        for family in families[name]:
            if (family, key) in rows:
                found[j] = rows[family, key]
    return found
