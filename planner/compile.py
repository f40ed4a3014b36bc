"""From the row families to an ordinary Pyomo model, and to the sparse matrix a solver takes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy.sparse import coo_array, csr_array

from planner.expand import Data, Expander, Terms, relation, templates
from planner.formulation import COSTS, DOMAINS, ROWS, VARIABLES, net_present_value, shortfall, total
from planner.problem import Problem

Key = tuple[str | int, ...]
Name = tuple[str, Key]
"""A row or column: its family and its key."""


class View:
    """What a rule sees: the variables given here, and the sets, maps and coefficients of the problem."""

    def __init__(self, problem: Problem, variables: Mapping[str, Any]) -> None:
        self._problem = problem
        self.__dict__.update(variables)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._problem, name)


@dataclass(frozen=True)
class Stage:
    """One objective: what it is called, its coefficients per column, and its constant."""

    name: str
    coefficients: NDArray[np.float64]
    constant: float

    @property
    def maximise(self) -> bool:
        """Whether more is better."""
        return self.name.startswith("-")


@dataclass(frozen=True)
class Matrix:
    """Rows `row_lower <= A x <= row_upper`, columns `lower <= x <= upper`, and the stages of the objective."""

    A: csr_array
    row_lower: NDArray[np.float64]
    row_upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    integer: NDArray[np.bool_]
    stages: tuple[Stage, ...]
    rows: tuple[Name, ...]
    columns: tuple[Name, ...]
    defining_row: NDArray[np.int64]
    """For a free or auxiliary column the row that defines it, else -1."""
    tolerance: float = 1e-6
    """Relative slack that a later stage may take from an earlier one [-]."""

    @cached_property
    def row(self) -> dict[Name, int]:
        """Position of a row by family and key."""
        return {name: i for i, name in enumerate(self.rows)}

    @cached_property
    def column(self) -> dict[Name, int]:
        """Position of a column by family and key."""
        return {name: i for i, name in enumerate(self.columns)}


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


def _names(component: Any, name: str) -> list[tuple[Any, Name]]:
    return [(data, (name, key if isinstance(key, tuple) else (key,))) for key, data in component.items()]


def compile_problem(problem: Problem) -> Matrix:
    """The sparse matrix of `problem`, with the family and key of every row and column.

    Each rule is called once with symbolic indices and expanded over its index set.
    """
    data = Data(problem)
    expander = Expander(data)
    made = templates()
    columns: list[Name] = []
    lower: list[NDArray[np.float64]] = []
    upper: list[NDArray[np.float64]] = []
    integer: list[NDArray[np.bool_]] = []
    for item in VARIABLES:
        keys = getattr(problem, item.index)
        data.columns[item.name] = len(columns)
        columns += [(item.name, key) for key in keys]
        if keys:
            frame = expander.frame(made[item.name])
            for bound, side, without in zip(made[item.name].expression, (lower, upper), (-np.inf, np.inf), strict=True):
                number = without if bound is None else bound
                side.append(expander.terms(number, frame, len(keys)).constants(len(keys)))
            integer.append(np.full(len(keys), item.domain == "integer"))
    rows: list[Name] = []
    parts: list[Terms] = []
    row_lower, row_upper = [], []
    for item in ROWS:
        keys = getattr(problem, item.index)
        if not keys:
            continue
        frame = expander.frame(made[item.name])
        left, right, equal = relation(made[item.name].expression)
        terms = Terms.joined(
            [expander.terms(left, frame, len(keys)), expander.terms(right, frame, len(keys)).scaled(-1.0)]
        )
        constant = -terms.constants(len(keys))
        row_upper.append(constant)
        row_lower.append(constant if equal else np.full(len(keys), -np.inf))
        parts.append(Terms(terms.position + len(rows), terms.column, terms.coefficient))
        rows += [(item.name, key) for key in keys]
    row_position = {name: i for i, name in enumerate(rows)}
    return Matrix(
        A=_sparse(parts, len(rows), len(columns)),
        row_lower=_joined(row_lower),
        row_upper=_joined(row_upper),
        lower=_joined(lower),
        upper=_joined(upper),
        integer=np.concatenate(integer) if integer else np.zeros(0, dtype=bool),
        stages=tuple(_stages(problem, data, expander, len(columns))),
        rows=tuple(rows),
        columns=tuple(columns),
        defining_row=_defining_rows(columns, row_position),
        tolerance=problem.case.settings.tolerance,
    )


def _stages(problem: Problem, data: Data, expander: Expander, width: int) -> Iterator[Stage]:
    for stage in problem.stages:
        coefficients, constant = np.zeros(width), 0.0
        if stage.levels:
            parts = data.coder.parts(stage.levels, 2)
            coefficients[data.variable("level", list(parts.T))] = 1.0
        if stage.misses:
            parts = data.coder.parts(stage.misses, 2)
            coefficients[data.variable("miss", list(parts.T))] = [problem.miss_weight[key] for key in stage.misses]
        if stage.name == "cost":
            for item in COSTS:
                keys = getattr(problem, item.index)
                if keys:
                    template = templates()[item.name]
                    found = expander.terms(template.expression, expander.frame(template), len(keys))
                    found = found.scaled(np.array([problem.discount[key[-1]] for key in keys]))
                    constant += float(found.constants(len(keys)).sum())
                    used = found.column >= 0
                    coefficients += np.bincount(found.column[used], found.coefficient[used], minlength=width)
        yield Stage(stage.name, coefficients, constant)


def _joined(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate(parts) if parts else np.zeros(0)


def _sparse(parts: Sequence[Terms], rows: int, columns: int) -> csr_array:
    if not parts:
        return csr_array((rows, columns), dtype=float)
    terms = Terms.joined(parts)
    used = terms.column >= 0
    entries = (terms.coefficient[used], (terms.position[used], terms.column[used]))
    matrix: csr_array = coo_array(entries, shape=(rows, columns)).tocsr()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


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


def evaluate_costs(problem: Problem, variables: Mapping[str, Mapping[Key, float]]) -> dict[tuple[str, Key], float]:
    """Every item of the cost by the rules of the model, at the numbers of a plan [currency of the year]."""
    view = View(problem, variables)
    return {(item.name, key): float(item.rule(view, *key)) for item in COSTS for key in getattr(problem, item.index)}
