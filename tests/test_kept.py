"""Solutions that are kept: the same plan again without a solve, only for the very same numbers, and proven anew."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner import Session, kept, live, read_case, solve, stages
from planner import plan as plans
from planner.case import Case
from planner.compile import compile_problem
from planner.engine import Options
from planner.errors import SolverError
from planner.problem import Problem

KEPT = Options(kept=True)


@pytest.fixture
def tutorial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    monkeypatch.setenv("PLANNER_CACHE", str(tmp_path))
    monkeypatch.setattr(plans, "WORTH_KEEPING", 0.0)
    return read_case("cases/tutorial")


@pytest.fixture
def no_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SolverError("asked")

    monkeypatch.setattr(plans, "run", refuse)


def test_the_same_plan_comes_back_without_a_solve(tutorial: Case, request: pytest.FixtureRequest) -> None:
    first = solve(tutorial, KEPT)
    request.getfixturevalue("no_solver")
    second = solve(tutorial, KEPT)
    assert "kept" in second.summary["timings"]
    assert "kept" not in first.summary["timings"]
    assert second.summary["proof"] == "certificate"
    for name, frame in first.frames().items():
        pd.testing.assert_frame_equal(frame, getattr(second, name))
    with pytest.raises(SolverError):
        solve(tutorial)


@pytest.mark.parametrize(
    "edit",
    [
        {"setting": "discount_rate", "value": 0.051},
        {"setting": "objective", "value": ["quantity:co2", "cost"]},
        {"table": "targets", "key": {"target": "co2_budget"}, "set": {"value": 90001}},
    ],
)
@pytest.mark.usefixtures("tutorial")
def test_another_number_is_solved(tutorial: Case, edit: dict[str, object]) -> None:
    solve(tutorial, KEPT)
    other = tutorial.edited([edit])
    assert "kept" not in solve(other, KEPT).summary["timings"]
    again = solve(other, KEPT)
    assert "kept" in again.summary["timings"]
    assert again.summary["proof"] == "certificate"
    assert again.objective == pytest.approx(solve(other).objective, rel=1e-9)


def test_other_options_are_solved(tutorial: Case) -> None:
    solve(tutorial, KEPT)
    plain = Options(kept=True, break_ties=False, prices=False)
    assert "kept" not in solve(tutorial, plain).summary["timings"]
    assert "kept" in solve(tutorial, Options(kept=True, time_limit=100.0)).summary["timings"]


def test_a_solution_comes_back_as_it_was(tutorial: Case) -> None:
    case = tutorial.edited([{"setting": "objective", "value": ["quantity:co2", "cost"]}])
    problem = Problem(case)
    matrix = compile_problem(problem)
    found = stages.solve(matrix, plans.earliness(problem, matrix), plans.priced_rows(matrix))
    key = kept.digest(matrix)
    kept.keep(key, found)
    again = kept.solution(key)
    assert again is not None
    for name in ("values", "duals", "reduced_costs"):
        assert np.array_equal(getattr(found, name), getattr(again, name))
    for name in ("status", "held_duals", "slopes", "stages", "gap", "tie_broken"):
        assert getattr(found, name) == getattr(again, name)
    assert found.stage_duals.keys() == again.stage_duals.keys()
    assert all(np.array_equal(found.stage_duals[name][0], again.stage_duals[name][0]) for name in found.stage_duals)


def test_what_is_solved_at_once_is_not_kept(tutorial: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "WORTH_KEEPING", 60.0)
    solve(tutorial, KEPT)
    assert "kept" not in solve(tutorial, KEPT).summary["timings"]


def test_a_session_starts_where_one_of_an_earlier_run_ended(tutorial: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LONG", 0.0)
    first = Session(tutorial, KEPT).answer()
    second = Session(tutorial, KEPT).answer()
    plain = Session(tutorial).answer()
    other = tutorial.edited([{"table": "targets", "key": {"target": "co2_budget"}, "set": {"value": 90001}}])
    third = Session(other, KEPT).answer()
    assert [one.way for one in (first, second, plain, third)] == ["cold", "warm", "cold", "warm"]
    assert second.objective == pytest.approx(first.objective, rel=1e-9)
    assert third.objective == pytest.approx(solve(other).objective, rel=1e-9)
    assert third.certified.summary["proof"] == "certificate"


def test_what_was_not_optimal_is_not_kept(tutorial: Case) -> None:
    case = tutorial.edited([{"table": "targets", "key": {"target": "co2_budget"}, "set": {"value": 1}}])
    assert solve(case, KEPT).status == "infeasible"
    assert "kept" not in solve(case, KEPT).summary["timings"]
