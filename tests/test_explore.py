"""Frontiers and grids: they begin and end where the objectives do alone, bend one way, and every point is a plan."""

from itertools import pairwise
from pathlib import Path
from threading import Event

import numpy as np
import pandas as pd
import pytest
import toy

import planner
from planner.case import Case
from planner.errors import CancelledError, CaseError, InfeasibleError
from planner.explore import END, Frontier, frontier, grid
from planner.plan import solve
from planner.scenario import read_scenario
from planner.tables import read_case

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"
# A tonne costs 10 a year with m and 20 with n; either cuts ten, in each of three years.
TWO = {
    "measures": "measure capex\nm 100\nn 200",
    "effects": "measure quantity value\nm q -1\nn q -1",
    "potentials": "measure city potential\nm a 10\nn a 10",
}


def least(case: Case, objective: str) -> float:
    return solve(case.edited([{"setting": "objective", "value": objective}])).objective


def test_the_curve_of_the_toy_has_its_one_bend_exactly() -> None:
    found = frontier(toy.case(**TWO), "q", points=8)
    assert found.ends == pytest.approx((0.0, 240.0))
    assert found.convex
    x, y = found.points["x"].to_numpy(), found.points["y"].to_numpy()
    assert y == pytest.approx(np.where(x >= 270, 10 * (300 - x), 300 + 20 * (270 - x)), abs=1e-3)
    assert x[[0, -1]] == pytest.approx([300, 240], abs=1e-3)
    assert min(abs(x - 270)) < 1e-6
    assert len(x) < 8  # what is known exactly needs no further points
    assert found.points["bound"].fillna(0.0).max() <= 1e-4 * 900
    inside = found.points[found.points["x"].between(241, 269)]
    assert inside["price"].to_numpy() == pytest.approx(20.0)
    last = found.measures[found.measures["point"] == found.points["point"].max()].set_index("measure")
    assert last["starts"].to_dict() == pytest.approx({"m": 10.0, "n": 10.0}, abs=1e-4)


@pytest.mark.parametrize(
    ("x", "y", "alone"),
    [
        ("nox", "cost", "quantity:nox"),
        ("capex", "cost", "capex"),
        ("fund:public", "cost", "fund:public"),
        ("capex", "co2", "capex"),
        ("-clean_power", "cost", "-quantity:clean_power"),
    ],
)
def test_the_ends_of_a_frontier_are_the_optima_of_each_axis_alone(x: str, y: str, alone: str) -> None:
    case = read_case(TUTORIAL)
    found = frontier(case, x, y, points=6)
    other = "cost" if y == "cost" else f"quantity:{y}"
    assert found.ends == pytest.approx((least(case, other), least(case, alone)), rel=1e-6)
    first, last = found.points.iloc[0], found.points.iloc[-1]
    assert first["y"] == pytest.approx(found.ends[0], rel=1e-6)
    assert abs(last["x"] - found.ends[1]) <= 2 * END * abs(first["x"] - found.ends[1]) + 1e-7 * abs(last["x"])
    assert found.convex
    assert (np.diff(found.points["y"]) >= 0).all()
    assert (np.diff(found.points["x"]) * (-1 if x.startswith("-") else 1) <= 0).all()


def test_prices_bound_the_slopes_on_both_sides() -> None:
    points = frontier(read_case(TUTORIAL), "nox:2030", points=12).points
    for one, two in pairwise(points.itertuples()):
        slope = (two.y - one.y) / (one.x - two.x)
        assert one.price - 1e-6 * slope <= slope <= two.price * (1 + 1e-6)


@pytest.mark.parametrize(
    ("x", "y"), [("co2", "cost"), ("peak:co2", "cost"), ("capex:2025", "cost"), ("capex", "nox:2030")]
)
def test_a_point_is_reproduced_by_its_scenario(x: str, y: str, tmp_path: Path) -> None:
    case = read_case(TUTORIAL)
    found = frontier(case, x, y, points=5)
    found.write(tmp_path)
    point = found.points.iloc[2]
    plan = solve(read_scenario(tmp_path / "point_02.yaml").applied(case))
    assert plan.objective == pytest.approx(point["cost"], rel=1e-5)
    assert solve(case.edited(found.edits(2))).objective == plan.objective
    saved = pd.read_csv(tmp_path / "frontier.csv")
    assert saved["x"].to_numpy() == pytest.approx(found.points["x"].to_numpy(), rel=1e-8)


def test_a_peak_is_the_highest_year() -> None:
    found = frontier(read_case(TUTORIAL), "peak:co2", points=4)
    plan = solve(read_case(TUTORIAL).edited(found.edits(3)))
    levels = plan.quantities.query("quantity == 'co2'").groupby("year")["planned"].sum()
    assert levels.max() == pytest.approx(found.points["x"].iloc[3], rel=1e-6)


def test_an_earlier_peak_is_never_cheaper() -> None:
    case = read_case(TUTORIAL)
    found = frontier(case, "peak_year:co2")
    assert found.points["x"].tolist() == list(range(2029, 2020, -1))
    assert (np.diff(found.points["y"]) >= -1.0).all()
    plain = found.points.loc[found.points["x"] == 2026, "y"].iloc[0]  # what the case itself asks for
    assert plain == pytest.approx(solve(case).objective, rel=1e-7)
    assert solve(case.edited(found.edits(8))).objective == pytest.approx(found.points["y"].iloc[8], rel=1e-7)
    free = frontier(toy.case(), "peak_year:q")
    assert free.points["y"].tolist() == pytest.approx([0.0, 0.0])


def test_with_whole_lumps_points_are_evenly_spaced_and_have_no_price() -> None:
    found = frontier(toy.case(measures="measure capex lump\nm 100 5"), "q", points=4)
    assert found.points["price"].isna().all()
    assert found.points["y"].iloc[[0, -1]].tolist() == pytest.approx([0.0, 300.0])
    assert (np.diff(found.points["y"]) >= 0).all()


def test_every_cell_of_a_grid_is_the_least_cost_of_its_caps() -> None:
    case = read_case(TUTORIAL)
    found = grid(case, "co2", "budget:public_155", (3, 3), (0.5, 1.5))
    assert len(found.cells) == 9
    for cell in found.cells.itertuples():
        cap = {"target": "cap", "kind": "cumulative", "quantity": "co2", "sense": "<=", "value": cell.x}
        budget = {"table": "budgets", "key": {"budget": "public_155"}, "scale": {"limit": cell.factor}}
        plan = solve(case.edited([{"table": "targets", "add": cap}, budget]))
        assert plan.status == cell.status
        if plan.found:
            assert cell.cost == pytest.approx(plan.objective, rel=1e-5)
            assert cell.reached <= cell.x * (1 + 1e-6)
    table = found.cells.pivot_table(index="factor", columns="x", values="cost", dropna=False).to_numpy()
    with np.errstate(invalid="ignore"):
        assert not (np.diff(table, axis=0) > 1).any()  # more money is never dearer
        assert not (np.diff(table, axis=1) > 1).any()  # nor is a higher cap


def test_a_grid_says_how_far_each_row_goes() -> None:
    # 100 a unit: a budget of 600 f buys 6 f units in the first year, 18 f tonnes in three.
    case = toy.case(budgets="budget limit per\nall 600 span")
    found = grid(case, "q", "budget:all", (4, 3), (0.5, 1.5))
    assert found.edges["least"].tolist() == pytest.approx([291.0, 282.0, 273.0])
    known = found.cells.dropna(subset=["cost"])
    assert known["cost"].to_numpy() == pytest.approx(10 * (300 - known["x"]).to_numpy(), abs=1e-2)
    assert (found.cells["status"] == "infeasible").tolist() == [False] * 5 + [False, False, True] + [
        False,
        False,
        True,
        True,
    ]
    other = grid(toy.case(**TWO), "q", "capex", (3, 3))
    assert set(other.cells["status"]) <= {"optimal", "infeasible"}


def test_what_is_no_axis_is_named() -> None:
    case = read_case(TUTORIAL)
    for x, y, key in (
        ("nosuch", "cost", "axis_unknown"),
        ("nox:1999", "cost", "axis_year"),
        ("cost:2025", "co2", "axis_cost"),
        ("co2", "co2", "axis_twice"),
        ("peak_year:co2", "nox", "axis_peak_year"),
        ("peak_year:none", "cost", "axis_unknown"),
    ):
        with pytest.raises(CaseError) as fault:
            frontier(case, x, y)
        assert [issue.key for issue in fault.value.errors] == [key]
    with pytest.raises(CaseError):
        grid(case, "co2", "budget:none")
    none = toy.case(targets="target kind quantity sense value first_year\ncap level q <= 10 2022")
    with pytest.raises(InfeasibleError):
        frontier(none, "q")


def test_a_frontier_can_be_cancelled_and_tells_where_it_is() -> None:
    told: list[str] = []
    frontier(read_case(TUTORIAL), "co2", points=4, progress=lambda what, _: told.append(what))
    assert {"point 1/4", "point 4/4"} <= set(told)
    cancel = Event()
    cancel.set()
    with pytest.raises(CancelledError):
        frontier(read_case(TUTORIAL), "co2", cancel=cancel)


def test_the_public_names() -> None:
    assert (planner.frontier, planner.grid, planner.Frontier) == (frontier, grid, Frontier)
