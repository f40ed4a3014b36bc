"""Synthetic provinces of the benchmarks: valid, with a plan, and the same problem by numpy alone."""

import numpy as np
import pytest

from benchmarks import provinces, raw
from planner.compile import compile_problem
from planner.engine import Options
from planner.plan import solve
from planner.problem import Problem


@pytest.mark.parametrize("seed", range(3))
def test_a_province_has_a_proven_plan_that_its_raw_twin_finds_too(seed: int) -> None:
    drawn = provinces.draw(3, 24, 6, seed=seed)
    case = provinces.case(drawn)
    assert {group.kind for group in case.groups} == {"shared", "requires", "overlap"}
    assert {target.kind for target in case.targets} >= {"level", "change", "abated", "share", "intensity", "cumulative"}
    plan = solve(case, Options(prices=False))
    assert plan.status == "optimal"
    assert plan.summary["proof"] == "certificate"
    twin = raw.build(drawn)
    assert raw.solve(raw.passed(twin)) == pytest.approx(plan.objective, rel=1e-6)


def test_the_raw_twin_has_the_rows_columns_and_numbers_of_the_compiled_matrix() -> None:
    drawn = provinces.draw(4, 40, 8)
    matrix, twin = compile_problem(Problem(provinces.case(drawn))), raw.build(drawn)
    assert matrix.A.shape == twin.A.shape
    for ours, theirs in (
        (matrix.A.data, twin.A.data),
        (matrix.upper, twin.upper),
        (matrix.lower, twin.lower),
        (matrix.row_upper, twin.row_upper),
        (matrix.row_lower, twin.row_lower),
        (matrix.stages[-1].coefficients, twin.cost),
    ):
        np.testing.assert_allclose(np.sort(ours), np.sort(theirs), rtol=1e-9, atol=1e-9)


def test_the_same_seed_draws_the_same_province() -> None:
    one, other = (provinces.case(provinces.draw(2, 24, 5, seed=4)) for _ in range(2))
    assert one.digest == other.digest
