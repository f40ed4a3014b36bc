"""The expanded matrix is the one Pyomo itself compiles from the ordinary model of the same rules."""

from pathlib import Path

import numpy as np
import pytest
import toy
from random_cases import random_case

from planner.compile import compile_problem
from planner.ordinary import standard_form
from planner.problem import Problem
from planner.tables import read_case

CASES = Path(__file__).parents[1] / "cases"


def assert_equal_forms(problem: Problem) -> None:
    ours, pyomo = compile_problem(problem), standard_form(problem)
    assert ours.rows == pyomo.rows
    assert ours.columns == pyomo.columns
    assert np.array_equal(ours.A.indptr, pyomo.A.indptr)
    assert np.array_equal(ours.A.indices, pyomo.A.indices)
    np.testing.assert_allclose(ours.A.data, pyomo.A.data, rtol=1e-14)
    for part in ("row_lower", "row_upper", "lower", "upper", "integer", "defining_row"):
        np.testing.assert_array_equal(getattr(ours, part), getattr(pyomo, part), part)
    assert [stage.name for stage in ours.stages] == [stage.name for stage in pyomo.stages]
    for one, other in zip(ours.stages, pyomo.stages, strict=True):
        np.testing.assert_allclose(one.coefficients, other.coefficients, rtol=1e-12, atol=1e-9)
        assert one.constant == pytest.approx(other.constant, rel=1e-12)


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir() if path.is_dir()))
def test_every_shipped_case_compiles_to_pyomos_own_standard_form(name: str) -> None:
    assert_equal_forms(Problem(read_case(CASES / name)))


@pytest.mark.parametrize("seed", range(40))
def test_random_cases_compile_to_pyomos_own_standard_form(seed: int, tmp_path: Path) -> None:
    problem = Problem(read_case(random_case(seed).write(tmp_path)))
    if not problem.contradictions:
        assert_equal_forms(problem)


def test_each_pin_sums_over_its_own_measure() -> None:
    both = {"measures": "measure capex\nm 100\nn 200", "potentials": "measure city potential\nm a 10\nn a 10"}
    problem = toy.problem(pins="pin measure min max\nmost m - 3\nleast n 2 -", **both)
    assert_equal_forms(problem)
    matrix = compile_problem(problem)
    row = matrix.row["pin_at_least", ("least", 2021)]
    entries = slice(matrix.A.indptr[row], matrix.A.indptr[row + 1])
    assert [matrix.columns[j] for j in matrix.A.indices[entries]] == [("starts", ("n", "a", 2021))]
