"""What a case asks in vain is named, and what matters is not."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import toy
from random_cases import random_case
from rich.console import Console

from planner import text
from planner.case import Case
from planner.compile import compile_problem
from planner.engine import STATUS, Options, Solver
from planner.errors import Place, warning
from planner.plan import solve
from planner.problem import Problem
from planner.show.answer import remarks
from planner.show.layout import Page
from planner.tables import read_case
from planner.vacuous import vacuous

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"


def found(case: Case) -> set[tuple[str, str]]:
    return {(issue.key, str(issue.params.get("budget") or issue.found)) for issue in vacuous(case)}


def test_the_tutorial_asks_nothing_in_vain() -> None:
    assert found(read_case(TUTORIAL)) == set()


@pytest.mark.parametrize(
    ("edit", "key", "name"),
    [
        ({"table": "budgets", "key": {"budget": "ridge_capex"}, "set": {"limit": 1e13}}, "idle_budget", "ridge_capex"),
        ({"table": "budgets", "key": {"budget": "public_155"}, "set": {"limit": 1e12}}, "idle_budget", "public_155"),
        (
            {"table": "groups", "key": {"group": "new_power_storage"}, "set": {"free": 1e6}},
            "idle_group",
            "new_power_storage",
        ),
    ],
)
def test_rows_that_cannot_bind_are_named_and_do_not(edit: dict[str, object], key: str, name: str) -> None:
    case = read_case(TUTORIAL).edited([edit])
    assert found(case) == {(key, name)}
    (issue,) = vacuous(case)
    assert name in text.issue(issue, "en")
    assert name in text.issue(issue, "zh")
    table = str(edit["table"])
    column = {"budgets": "budget", "groups": "group"}[table]
    without = case.edited([{"table": table, "key": {column: name}, "remove": True}])
    assert solve(without).objective == pytest.approx(solve(case).objective, rel=1e-9)


# Targets -------------------------------------------------------------------------------------------------------------


def idle(**tables: str) -> dict[str, str]:
    """Targets of a toy that cannot be missed, and the room they keep."""
    return {
        str(issue.params["target"]): str(issue.params["room"])
        for issue in vacuous(toy.case(**tables))
        if issue.key == "idle_target"
    }


def test_a_target_that_no_plan_can_miss_is_named_with_its_room() -> None:
    # q is 100 t without measures, and m only cuts it
    targets = "target kind quantity sense value\nloose level q <= 101\njust level q <= 100\ntight level q <= 99.9"
    assert idle(targets=targets) == {"loose": "1 t", "just": "0 t"}


@pytest.mark.parametrize(("lead", "found"), [(2, {"cap": "0 t"}), (1, {})])
def test_lead_time_and_ramp_bound_what_a_target_could_suffer(lead: int, found: dict[str, str]) -> None:
    # two of ten units a year, each adds 1 t: 2 t in 2023 where it takes two years to build, 4 t where it takes one
    case = {
        "measures": f"measure capex lead_time ramp\nm 100 {lead} 0.2",
        "effects": "measure quantity value\nm q 1",
        "targets": "target kind quantity sense value\ncap level q <= 102",
    }
    assert idle(**case) == found


@pytest.mark.parametrize(("cap", "found"), [("10", {"cap": "2 t"}), ("12.5", {})])
def test_a_group_bounds_what_its_members_can_do_to_a_target(cap: str, found: dict[str, str]) -> None:
    # m adds 1 t a unit and n 2 t, ten of each fit; sharing a base of ten, all n: 20 t; of 12.5, also 2.5 of m: 22.5 t
    case = {
        "measures": "measure capex\nm 100\nn 100",
        "effects": "measure quantity value\nm q 1\nn q 2",
        "potentials": "measure city potential\nm a 10\nn a 10",
        "groups": f"group kind measure cap\nbase shared m {cap}\nbase shared n {cap}",
        "targets": "target kind quantity sense value\ncap level q <= 122",
    }
    assert idle(**case) == found


def test_money_conversions_and_shares_are_followed() -> None:
    # ten units of 100 at most in a year; each makes 1 t of q, which makes 0.5 t of r: 10 t of r in 20 t, a third of 30
    tables = {
        "quantities": "quantity unit\nq t\nr t",
        "effects": "measure quantity value\nm q 1",
        "conversions": "from_quantity to_quantity factor\nq r 0.5",
        "baseline": "quantity city sector year value\nq a s 2020 20\nr a s 2020 5",
    }
    head = "target kind quantity of sense value\n"
    assert idle(**tables, targets=head + "money level capex - <= 1000") == {"money": "0 CNY"}
    assert idle(**tables, targets=head + "money level capex - <= 999") == {}
    # r / q is 5/20 without and 10/30 with everything: 0.35 * 30 - 10 = 0.5, less room than 0.35 * 20 - 5 = 2
    assert idle(**tables, targets=head + "part share r q <= 0.35") == {"part": "0.5000 t"}
    assert idle(**tables, targets=head + "part share r q <= 0.33") == {}
    assert idle(**tables, targets=head + "part share r q >= 0.25") == {"part": "0 t"}


def test_a_target_told_by_the_checks_is_not_told_twice() -> None:
    tables = {
        "quantities": "quantity unit\nq t\nstill t",
        "baseline": "quantity city sector year value\nq a s 2020 100\nstill a s 2020 1",
        "targets": "target kind quantity sense value\nkept level still <= 2",
    }
    assert [issue.key for issue in toy.case(**tables).warnings if issue.file == "targets.csv"] == ["nothing_moves"]
    assert idle(**tables) == {}


ASKED = ("target_is_kept", "budget_is_kept", "pin_at_least", "pin_at_most", "level_above_floor")
IDLE = (84, 94, 97, 112, 124, 126, 132, 136, 139, 142, 143, 147, 152, 153, 167, 168, 169, 170, 171, 181, 190, 193)
"""Random cases with targets that cannot be missed."""


@pytest.mark.parametrize("seed", IDLE)
def test_targets_said_to_be_idle_never_bind_on_random_cases(seed: int, tmp_path: Path) -> None:
    """No plan misses them, whatever else is asked; and without them the optimum is the same."""
    case = read_case(random_case(seed).write(tmp_path / "case"))
    named = {str(issue.params["target"]) for issue in vacuous(case) if issue.key == "idle_target"}
    assert named
    problem = Problem(case)
    matrix = compile_problem(problem)
    asked = np.array([family in ASKED for family, _ in matrix.rows])
    free = replace(matrix, row_upper=matrix.row_upper + asked * 1e3 * (1 + np.abs(matrix.row_upper)))
    for key in problem.goals:
        if problem.goal_target[key[0]] in named:
            bound = problem.bounds[key]
            excess = np.zeros(len(matrix.columns))
            for term, weight in bound.excess.items():
                excess[matrix.column["level", term]] = weight
            solver = Solver(free, Options())
            assert STATUS[solver.minimise(-excess, "worst")] == "optimal"
            terms = excess * solver.values()
            assert terms.sum() <= bound.limit + 1e-7 * max(np.abs(terms).max(), abs(bound.limit))
    with_, without = solve(case), solve(case.edited([removed(target) for target in named]))
    assert with_.status == without.status
    if with_.found:
        for one, other in zip(with_.summary["objectives"], without.summary["objectives"], strict=True):
            size = float(with_.costs["discounted"].abs().sum()) if one["name"] == "cost" else abs(one["value"])
            assert other["value"] == pytest.approx(one["value"], rel=1e-6, abs=1e-7 * size)


def removed(target: str) -> dict[str, object]:
    return {"table": "targets", "key": {"target": target}, "remove": True}


# A peak that rewards emitting ----------------------------------------------------------------------------------------


PEAK = "target kind quantity sense value by first_year last_year scope\npeak peak q <= - 2022 - - -\n"


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ("", True),
        ("cap level q <= 100 - - - -", False),
        ("cap level q <= 100 - 2022 2022 -", False),
        ("cap level q <= 100 - 2023 - -", True),
        ("cap level q >= 50 - - - -", True),
        ("cap cumulative q <= 300 - - - -", False),
        ("cap change q <= 0 - - - -", False),
        ("cap level q <= 100 - - - a", True),
    ],
)
def test_a_peak_whose_year_nothing_caps_is_told_to_reward_emitting(other: str, told: bool) -> None:
    warnings = [issue.key for issue in toy.case(targets=PEAK + other).warnings]
    assert warnings.count("peak_without_value") == told


def test_a_high_peak_gains_where_nothing_caps_it_and_costs_where_something_does() -> None:
    """What the remark warns of: stock that adds 1 t a unit stands in the peak year only to be taken for a fall."""
    tables = {
        "measures": "measure capex lifetime\nm 100 1",
        "effects": "measure quantity value\nm q 1",
        "potentials": "measure city potential\nm a 20",
    }
    fall = "target kind quantity sense value by decline first_year last_year\npeak peak q <= - 2022 0.1 - -\n"
    plan = toy.solve(**tables, targets=fall)
    # 100 t in 2023 may follow only 111.1 t in 2022: 11.1 t more are emitted to meet it
    assert toy.stock(plan, "m", 2022) == pytest.approx(100 / 0.9 - 100)
    assert toy.solve(**tables, targets=fall + "cap level q <= 100 - - - -").status == "infeasible"


def test_the_remark_on_a_peak_stands_first_on_the_page_of_a_plan() -> None:
    case = toy.case(targets=PEAK)
    crowded = replace(case, warnings=()).with_warnings(*[warning("blank", Place("a.csv"))] * 5, *case.warnings)
    out = StringIO()
    remarks(Page("en", crowded, Console(file=out, width=200)), crowded)
    assert "'peak' rewards emitting" in out.getvalue()
