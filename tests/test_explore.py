"""Frontiers: cheapest end first, convex, and ending where the objectives themselves end."""

from pathlib import Path

import numpy as np
import pytest

from planner.explore import REACH, frontier
from planner.plan import solve
from planner.tables import read_case

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"


def test_a_frontier_runs_from_the_cheapest_plan_towards_the_least_total() -> None:
    case = read_case(TUTORIAL)
    curve = frontier(case, "nox", points=6)
    least = solve(case.edited([{"setting": "objective", "value": "quantity:nox"}])).objective
    cheapest = solve(case)
    total = cheapest.quantities.query("quantity == 'nox'")["planned"].sum()
    assert curve["cost"].iloc[0] == pytest.approx(cheapest.objective, rel=1e-6)
    assert curve["total"].iloc[-1] == pytest.approx(total - REACH * (total - least), rel=1e-6)


def test_a_frontier_is_convex_and_each_point_is_the_least_cost_of_its_total() -> None:
    case = read_case(TUTORIAL)
    curve = frontier(case, "co2", points=8)
    slopes = np.diff(curve["cost"]) / np.diff(curve["total"])
    assert (slopes < 0).all()
    assert (np.diff(slopes) <= 1e-6 * np.abs(slopes[:-1])).all()
    row = {"target": "cap", "kind": "cumulative", "quantity": "co2", "sense": "<=", "value": curve["total"][4]}
    alone = solve(case.edited([{"table": "targets", "add": row}]))
    assert alone.objective == pytest.approx(curve["cost"][4], rel=1e-6)
