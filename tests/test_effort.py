"""Best effort, ranges and pins: what else a plan tells when people ask for much."""

from pathlib import Path

import pytest
from highspy import HighsModelStatus

from planner.engine import Solver
from planner.plan import solve
from planner.tables import read_case
from planner.unique import ranges

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"


def asking(*values: tuple[str, float, int | None]):
    """The tutorial with only `nox_projects` and `clean_level`, at these values and priorities."""
    case = read_case(TUTORIAL)
    kept = {target for target, _, _ in values}
    edits = [
        {"table": "targets", "key": {"target": row.target}, "remove": True}
        for row in case.targets
        if row.target not in kept
    ]
    edits += [
        {"table": "targets", "key": {"target": target}, "set": {"value": value, "priority": priority}}
        for target, value, priority in values
    ]
    return case.edited(edits)


def test_a_target_out_of_reach_is_missed_by_least() -> None:
    case = asking(("nox_projects", 4000.0, None))
    assert solve(case).status == "infeasible"
    effort = solve(case, best_effort=True)
    assert effort.status == "infeasible"
    (row,) = effort.targets.query("target == 'nox_projects'").to_dict("records")
    assert row["achieved"] + row["missed"] == pytest.approx(4000, rel=1e-9)
    assert [entry["target"] for entry in effort.summary["best_effort"]["missed"]] == ["nox_projects"]
    assert solve(asking(("nox_projects", row["achieved"] * (1 - 1e-5), None))).status == "optimal"
    assert solve(asking(("nox_projects", row["achieved"] * (1 + 1e-5), None))).status == "infeasible"


def test_targets_of_the_first_priority_are_served_first() -> None:
    both = (("nox_projects", 4000.0), ("clean_level", 2600.0))
    reached = {}
    for first in (0, 1):
        case = asking(*((target, value, 1 if i == first else 2) for i, (target, value) in enumerate(both)))
        plan = solve(case, best_effort=True)
        assert [stage["name"] for stage in plan.summary["objectives"]] == ["miss:1", "miss:2", "cost"]
        reached[first] = {target: plan.targets.query("target == @target")["missed"].sum() for target, _ in both}
    assert reached[0]["nox_projects"] <= reached[1]["nox_projects"] * (1 + 1e-6)
    assert reached[1]["clean_level"] <= reached[0]["clean_level"] * (1 + 1e-6)


def test_a_case_with_a_plan_is_planned_as_ever() -> None:
    case = read_case(TUTORIAL)
    assert solve(case, best_effort=True).objective == solve(case).objective


def test_ranges_hold_the_plan_and_tell_what_is_unique() -> None:
    table = ranges(read_case(TUTORIAL)).set_index(["id", "year"])
    assert (table["low"] <= table["value"] + 1e-6 * table["value"].abs()).all()
    assert (table["high"] >= table["value"] - 1e-6 * table["value"].abs()).all()
    assert table.loc[("clean_power province", 2026), "unique"]
    loose = table.loc[("nox province", 2029)]
    assert not loose["unique"]
    assert loose["low"] < loose["high"] - 100


def test_the_price_of_a_pin_is_the_finite_difference() -> None:
    case = read_case(TUTORIAL)
    plan = solve(case)
    (pin,) = plan.summary["pins"]
    assert (pin["pin"], pin["year"], pin["side"], pin["bound"], pin["planned"]) == ("first_buses", 2023, "min", 2, 2)
    for price, step in (("price_tighten", 0.01), ("price_loosen", -0.01)):
        moved = solve(case.edited([{"table": "pins", "key": {"pin": "first_buses"}, "set": {"min": 2 + step}}]))
        assert pin["valid_from"] < 2 + step < pin["valid_to"]
        assert pin[price] == pytest.approx((moved.objective - plan.objective) / step * 1.05**3, rel=1e-4)


def test_a_slow_solve_asks_whether_there_can_be_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    case = read_case(TUTORIAL)
    usual = solve(case).objective
    beyond = asking(("nox_projects", 4000.0, None))
    run = Solver._run

    def impatient(solver: Solver, what: str) -> object:
        return run(solver, what) if solver.patience == float("inf") else HighsModelStatus.kTimeLimit

    monkeypatch.setattr(Solver, "_run", impatient)
    assert solve(case).objective == pytest.approx(usual, rel=1e-9)
    plan = solve(beyond)
    assert (plan.status, plan.summary["proof"]) == ("infeasible", "elastic")
