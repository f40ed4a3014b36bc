"""Best effort, ranges and pins: what else a plan tells when people ask for much."""

from pathlib import Path

import numpy as np
import pytest
import toy
from highspy import HighsModelStatus
from random_cases import random_case

from planner.compile import compile_problem
from planner.engine import Options, Solver
from planner.plan import solve
from planner.problem import Problem
from planner.tables import read_case
from planner.unique import bounded, end, ranges

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
    table = ranges(read_case(TUTORIAL), every_year=True).set_index(["id", "year"])
    assert (table["low"] <= table["value"] + 1e-6 * table["value"].abs()).all()
    assert (table["high"] >= table["value"] - 1e-6 * table["value"].abs()).all()
    assert table.loc[("clean_power", 2026), "unique"]
    loose = table.loc[("nox", 2029)]
    assert not loose["unique"]
    assert loose["low"] < loose["high"] - 100


TWINS = {
    "quantities": "quantity unit kind\nq t emission\nr t -\nw t -",
    "measures": "measure capex\nm 100\nn 100",
    "effects": "measure quantity value\nm q -1\nn q -1\nm r 1\nn w 1",
    "potentials": "measure city potential\nm a 10\nn a 10",
    "baseline": "quantity city sector year value\nq a s 2020 100\nr a s 2020 10\nw a s 2020 20",
}


@pytest.mark.parametrize("lump", ["-", "1"])
def test_ranges_of_two_measures_that_do_the_same_are_what_paper_says(lump: str) -> None:
    # five units of m or n: r is 10 to 15, w is 25 to 20, r / w is 10/25 to 15/20
    tables = {**TWINS, "measures": f"measure capex lump\nm 100 {lump}\nn 100 {lump}"}
    targets = "target kind quantity of sense value first_year last_year\ncap level q - <= 95 2023 -\n"
    targets += "part share r w <= 1 2023 -\nboth cumulative r - <= 99 2022 2023"
    table = ranges(toy.case(**tables, targets=targets), measures=True).set_index(["kind", "id"])
    ends = {
        ("objective", "cost"): (50, 50),
        ("capex", "capex"): (500, 500),
        ("quantity", "q"): (95, 95),
        ("share", "part"): (0.4, 0.75),
        ("measure", "m"): (0, 5),
        ("measure", "n"): (0, 5),
        ("sum", "both"): (20, 25),
    }
    assert {key: (row["low"], row["high"]) for key, row in table.iterrows()} == {
        key: pytest.approx(pair, rel=1e-5, abs=1e-6) for key, pair in ends.items()
    }
    assert {key[1] for key, row in table.iterrows() if row["unique"]} == {"cost", "capex", "q"}


def test_ranges_keep_every_objective_of_a_list_and_say_where_there_is_no_plan() -> None:
    # least of r first: all of it by n, so nothing is left to vary
    targets = "target kind quantity sense value first_year\ncap level q <= 95 2023"
    case = toy.case(**TWINS, targets=targets)
    first = case.edited([{"setting": "objective", "value": ["quantity:r", "cost"]}])
    table = ranges(first, measures=True).set_index("id")
    assert table["unique"].all()
    assert (table.loc["n", "value"], table.loc["m", "value"]) == pytest.approx((5, 0), abs=1e-4)
    none = ranges(case.edited([{"table": "targets", "key": {"target": "cap"}, "set": {"value": 70}}]))
    assert none.empty
    assert none.attrs["status"] == "infeasible"


@pytest.mark.parametrize("seed", [2, 5, 7, 11, 18, 24])
def test_no_optimal_plan_lies_beyond_the_ranges_and_their_ends_are_reached(seed: int, tmp_path: Path) -> None:
    """The same ends as by holding the cost at its least, which allows a hair more."""
    case = read_case(random_case(seed).write(tmp_path / "case"))
    table = ranges(case)
    problem = Problem(case)
    if table.empty or list(case.settings.objective) != ["cost"] or problem.lump:
        return
    matrix = compile_problem(problem)
    solver = Solver(matrix, Options())
    cost = matrix.stages[-1].coefficients
    solver.minimise(cost, "cost")
    least = float(cost @ solver.values())
    solver.hold(cost, -np.inf, least + 1e-9 * abs(least))
    for number in bounded(problem, matrix, {}, every_year=False):
        row = table[(table["kind"] == number.kind) & (table["id"] == number.id) & (table["scope"] == number.scope)]
        row = row[row["year"] == number.year].iloc[0]
        start = float(row["value"])
        held = [end(solver, number, start, sign) for sign in (1.0, -1.0)]
        assert (row["low"], row["high"]) == pytest.approx(held, rel=1e-4)


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
    run = Solver.run

    def impatient(solver: Solver, what: str) -> object:
        return run(solver, what) if solver.patience == float("inf") else HighsModelStatus.kTimeLimit

    monkeypatch.setattr(Solver, "run", impatient)
    assert solve(case).objective == pytest.approx(usual, rel=1e-9)
    plan = solve(beyond)
    assert (plan.status, plan.summary["proof"]) == ("infeasible", "elastic")
