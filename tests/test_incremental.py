"""After an edit only what it touches is computed again, and the result is that of computing all from nothing."""

import random
from pathlib import Path

import numpy as np
import pytest
import toy
from edits import KINDS, edits
from random_cases import random_case
from test_compile import CASES

from planner.case import Case
from planner.checks import Memory, checked
from planner.compile import Matrix, changes, compile_problem
from planner.problem import Problem
from planner.rows import TABLES
from planner.tables import read_case

CAP = "target kind quantity sense value\ncap level q <= 95"
BUDGET = "budget limit\nall 1000"


def assert_the_same(one: Matrix, other: Matrix) -> None:
    assert one.rows == other.rows
    assert one.columns == other.columns
    for part in ("row_lower", "row_upper", "lower", "upper", "integer", "defining_row"):
        np.testing.assert_array_equal(getattr(one, part), getattr(other, part), part)
    for part in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(one.A, part), getattr(other.A, part), part)
    assert [stage.name for stage in one.stages] == [stage.name for stage in other.stages]
    for a, b in zip(one.stages, other.stages, strict=True):
        np.testing.assert_array_equal(a.coefficients, b.coefficients)
        assert a.constant == b.constant


def assert_changes_lead(old: Matrix, new: Matrix) -> None:
    """What is said to differ, and nothing else, takes the old matrix to the new one."""
    found = changes(old, new)
    if found is None:
        assert old.rows != new.rows or old.columns != new.columns or len(old.stages) != len(new.stages)
        return
    for part, where in (("row_lower", found.rows), ("row_upper", found.rows), ("lower", found.columns)):
        moved = getattr(old, part).copy()
        moved[where] = getattr(new, part)[where]
        np.testing.assert_array_equal(moved, getattr(new, part))
    dense = old.A.tolil() if old.A.shape[0] < 3000 else None
    if dense is not None:
        dense[found.entry_rows, found.entry_columns] = found.entry_values
        assert abs(dense.tocsr() - new.A).max() == 0
    for a, b in zip(old.stages, new.stages, strict=True):
        assert set(np.flatnonzero(a.coefficients != b.coefficients)) <= set(found.costs.tolist())


def assert_edits_need_no_start_from_nothing(case: Case, seed: int, count: int) -> None:
    state = {"case": case}
    problem = Problem(case)
    matrix = compile_problem(problem)
    for _, edit in edits(random.Random(seed), lambda: state["case"], count, KINDS):
        state["case"] = state["case"].edited([edit])
        problem, before = problem.edited(state["case"]), matrix
        matrix = compile_problem(problem, matrix)
        assert_the_same(matrix, compile_problem(Problem(state["case"])))
        assert_changes_lead(before, matrix)
        assert problem.contradictions == Problem(state["case"]).contradictions


@pytest.mark.parametrize("seed", range(40))
def test_random_edits_of_random_cases(seed: int, tmp_path: Path) -> None:
    assert_edits_need_no_start_from_nothing(read_case(random_case(seed).write(tmp_path)), seed, 8)


@pytest.mark.parametrize("name", ["jiangxi", "tutorial"])
def test_random_edits_of_shipped_cases(name: str) -> None:
    assert_edits_need_no_start_from_nothing(read_case(CASES / name), 7, 20)


def test_another_bound_is_all_that_an_edited_target_changes() -> None:
    case = toy.case(targets=CAP, budgets=BUDGET)
    problem = Problem(case)
    matrix = compile_problem(problem)
    edited = case.edited([{"table": "targets", "key": {"target": "cap"}, "set": {"value": 94}}])
    again = problem.edited(edited)
    new = compile_problem(again, matrix)
    assert again.potential is problem.potential
    assert again.goals is problem.goals
    assert again.goal_bound is not problem.goal_bound
    for part in ("A", "lower", "upper", "row_lower", "rows", "columns"):
        assert getattr(new, part) is getattr(matrix, part), part
    found = changes(matrix, new)
    assert found is not None
    assert [matrix.rows[i] for i in found.rows] == [("target_is_kept", ("cap", y)) for y in (2021, 2022, 2023)]
    assert new.row_upper[found.rows].tolist() == [94.0] * 3
    assert not (found.columns.size or found.costs.size or found.entry_rows.size)


def test_a_name_changes_nothing() -> None:
    case = toy.case(targets=CAP)
    problem = Problem(case)
    matrix = compile_problem(problem)
    edited = case.edited([{"table": "targets", "key": {"target": "cap"}, "set": {"name_en": "Cap"}}])
    new = compile_problem(problem.edited(edited), matrix)
    found = changes(matrix, new)
    assert found is not None
    assert not found
    assert new.row_upper is matrix.row_upper


def test_a_new_row_is_another_structure() -> None:
    case = toy.case(targets=CAP)
    problem = Problem(case)
    matrix = compile_problem(problem)
    edited = case.edited([{"table": "pins", "add": {"pin": "ban", "measure": "m", "max": 0}}])
    new = compile_problem(problem.edited(edited), matrix)
    assert changes(matrix, new) is None
    assert_the_same(new, compile_problem(Problem(edited)))


def test_a_potential_bounds_starts_and_stock() -> None:
    case = toy.case()
    problem = Problem(case)
    matrix = compile_problem(problem)
    edited = case.edited([{"table": "potentials", "key": {"measure": "m", "city": "a"}, "set": {"potential": 5}}])
    new = compile_problem(problem.edited(edited), matrix)
    found = changes(matrix, new)
    assert found is not None
    assert {matrix.columns[j][0] for j in found.columns} == {"starts", "stock"}
    assert new.upper[found.columns].tolist() == [5.0] * found.columns.size
    assert new.A is matrix.A


def test_an_effect_that_vanishes_is_told_as_an_entry_of_zero() -> None:
    both = {"measures": "measure capex\nm 100\nn 100", "potentials": "measure city potential\nm a 10\nn a 10"}
    case = toy.case(effects="measure quantity value\nm q -1\nn q -1", **both)
    problem = Problem(case)
    matrix = compile_problem(problem)
    edited = case.edited([{"table": "effects", "key": {"measure": "n", "quantity": "q"}, "set": {"value": 0}}])
    new = compile_problem(problem.edited(edited), matrix)
    found = changes(matrix, new)
    assert found is not None
    assert [matrix.columns[j] for j in found.entry_columns] == [("stock", ("n", "a", y)) for y in (2021, 2022, 2023)]
    assert [matrix.rows[i][0] for i in found.entry_rows] == ["change_adds_up"] * 3
    assert found.entry_values.tolist() == [0.0] * 3
    assert_the_same(new, compile_problem(Problem(edited)))


@pytest.mark.parametrize("seed", range(20))
def test_an_edited_case_is_checked_as_one_that_is_read(seed: int, tmp_path: Path) -> None:
    state = {"case": read_case(random_case(seed).write(tmp_path))}
    for _, edit in edits(random.Random(seed), lambda: state["case"], 10, KINDS):
        state["case"] = state["case"].edited([edit])
        rows = {table: state["case"].rows(table) for table in TABLES}
        _, found = checked(state["case"].settings, rows, {}, (), Memory())
        assert list(map(str, state["case"].warnings)) == list(map(str, found))
