"""Robust plans: known optima, every scenario of the set recomputed by the independent account, and what is told."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import toy
from test_cli import planner

from planner.case import Case
from planner.certificate import complete
from planner.compile import compile_problem
from planner.engine import Options
from planner.errors import InfeasibleError
from planner.plan import Plan, solve
from planner.problem import Problem
from planner.robust import Robust, differences, effects, robust_plans, under, worst_of
from planner.stress import Decided, turnout
from planner.tables import read_case
from planner.uncertainty import Ranges

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"
MILD: Ranges = (("effects.value", "C", 0.93, 1.0),)
"""Margins that the tutorial can bear."""
HALF: Ranges = (("effects.value", "C", 0.6, 1.4),)
CAP = "target kind quantity sense value first_year\ncap level q <= 95 2023"
TWO = {
    "measures": "measure capex\nm 100\nk 120",
    "effects": "measure quantity value\nm q -1\nk q -1",
    "potentials": "measure city potential\nm a 10\nk a 10",
}


@pytest.fixture(scope="module")
def case() -> Case:
    return read_case(TUTORIAL)


@pytest.fixture(scope="module")
def found(case: Case) -> Robust:
    return robust_plans(case, (0.0, 1.0, 2.0), MILD)


def starts(plan: Plan) -> pd.DataFrame:
    return plan.portfolio[["measure", "city", "year", "starts"]]


def survives(case: Case, plan: Plan, gamma: int, ranges: Ranges) -> list[tuple[str, ...]]:
    """Scenarios of `gamma` measures that under-deliver in which the starts of a plan break a hard row."""
    measures = [row.measure for row in case.measures]
    listed = effects(case, ranges)
    some = list(combinations(measures, gamma))
    return [set_ for set_ in some if complete(under(case, listed, set_), starts(plan)).verdict != "feasible"]


# ---------------------------------------------------------------- by hand


def test_one_measure_that_may_fall_short_is_built_so_much_larger() -> None:
    """Five tonnes at 60 % take 5 / 0.6 units; where only half of it may fall short, 5 / 0.8."""
    prices = robust_plans(toy.case(targets=CAP), (0.0, 0.5, 1.0), HALF).prices
    assert prices["cost"].tolist() == pytest.approx([50, 50 / 0.8, 50 / 0.6])
    assert prices["price"].tolist() == pytest.approx([0, 50 / 0.8 - 50, 50 / 0.6 - 50], rel=1e-5)


def test_a_dearer_measure_is_taken_in_so_that_not_all_hangs_on_one() -> None:
    """Both alike: 2 x - 0.4 x = 5, so x = 3.125 at 10 + 12 a unit; the cheap one alone would take 5 / 0.6 at 10.

    Where both may fall short nothing is gained by the dearer one.
    """
    found = robust_plans(toy.case(targets=CAP, **TWO), (0.0, 1.0, 2.0), HALF)
    assert found.prices["cost"].tolist() == pytest.approx([50, 3.125 * 22, 50 / 0.6])
    table = differences(found)
    assert table.loc["k"].tolist() == pytest.approx([0, 3.125, 0])
    row = found.targets.query("gamma == 1").iloc[0]
    assert (row["target"], row["year"], row["missed"]) == ("cap", 2023, 0)
    assert row["reserve"] == pytest.approx(0.4 * 3.125)


def test_margins_are_those_of_each_row_and_what_harms_does_not_fall_short_for_us() -> None:
    """`m` cuts 1 t (C, falls short by 40 %) and adds 0.5 t of `p`, whose cap must hold at full strength."""
    case = toy.case(
        quantities="quantity unit\nq t\np t",
        effects="measure quantity value grade\nm q -1 C\nm p 0.5 A",
        baseline="quantity city sector year value\nq a s 2020 100\np a s 2020 100",
        targets=CAP + "\nlid level p <= 104.5 2023",
    )
    found = robust_plans(case, (1.0,), (("effects.value", "A", 0.9, 1.0), *HALF))
    assert found.prices["cost"].tolist() == pytest.approx([50 / 0.6])
    assert set(found.targets["target"]) == {"cap"}
    assert robust_plans(case, (1.0,), (("effects.value", "A", 0.9, 1.0),)).prices["cost"].tolist() == pytest.approx(
        [50]
    )


def test_a_hard_target_that_cannot_be_protected_is_named_and_missed_by_least() -> None:
    case = toy.case(targets=CAP, potentials="measure city potential\nm a 6")
    found = robust_plans(case, (0.0, 1.0), HALF)
    assert found.prices["open"].tolist() == ["", "cap"]
    assert found.prices["cost"].tolist() == pytest.approx([50, 60])
    assert found.targets.query("gamma == 1")["missed"].tolist() == pytest.approx([5 - 0.6 * 6])


def test_a_soft_target_is_protected_as_far_as_its_penalty_pays() -> None:
    """A tonne costs 10 / 0.6 in the worst case: a penalty of 16 is cheaper, one of 17 is not."""
    soft = "target kind quantity sense value first_year soft_penalty\ncap level q <= 95 2023 "
    low, high = (robust_plans(toy.case(targets=soft + price), (1.0,), HALF).prices for price in ("16", "17"))
    assert (low["cost"][0], low["penalties"][0]) == pytest.approx((80, 80))
    assert (high["cost"][0], high["penalties"][0]) == pytest.approx((50 / 0.6, 0), abs=1e-2)


def test_the_worst_of_some_losses_is_that_of_the_worst_set() -> None:
    losses = np.random.default_rng(1).random(7)
    for gamma in range(9):
        worst = max((sum(some) for some in combinations(losses, min(gamma, 7))), default=0.0)
        assert worst_of(losses, gamma) == pytest.approx(worst)


# ---------------------------------------------------------------- laws


def test_nobody_falling_short_is_the_plan_itself(case: Case, found: Robust) -> None:
    plan = solve(case, Options(prices=False, certify=False))
    assert found.prices["cost"][0] == pytest.approx(plan.objective, rel=1e-6)
    ours = found.plans[0.0].portfolio.groupby(["measure", "year"])["starts"].sum()
    theirs = plan.portfolio.groupby(["measure", "year"])["starts"].sum()
    assert ours.subtract(theirs, fill_value=0.0).abs().max() < 1e-3 * theirs.max()


def test_a_robust_plan_survives_every_scenario_of_its_set(case: Case, found: Robust) -> None:
    assert found.prices["open"].tolist() == ["", "", ""]
    for gamma, most in ((1, 0), (1, 1), (2, 1), (2, 2)):
        assert not survives(case, found.plans[float(gamma)], most, MILD)
    assert survives(case, found.plans[0.0], 1, MILD), "the plan itself does not"
    assert survives(case, found.plans[1.0], 2, MILD), "nor does one for fewer measures"


def test_what_is_missed_in_the_worst_scenario_is_what_was_told(case: Case, found: Robust) -> None:
    """The soft target of the tutorial is missed: in no scenario by more than told, and in one by just that."""
    listed = effects(case, MILD)
    told = found.targets.query("target == 'inland_nox'").set_index("gamma")["missed"]
    for gamma in (1, 2):
        decided, missed = Decided.of(found.plans[float(gamma)]), []
        for some in combinations([row.measure for row in case.measures], gamma):
            problem = Problem(under(case, listed, some))
            lost = turnout(problem, compile_problem(problem), decided).missed
            missed.append(float(lost.loc[lost["target"] == "inland_nox", "missed"].sum()))
        assert max(missed) == pytest.approx(told[gamma], rel=1e-5) and max(missed) > 0


def test_robustness_is_never_cheaper_and_costs_no_more_beyond_all_measures(case: Case) -> None:
    prices = robust_plans(case, (0.0, 0.5, 1.0, 3.0, 8.0, 9.0), MILD).prices["price"]
    assert (prices.diff().dropna() >= -1.0).all() and prices.iloc[2] > prices.iloc[1] > 1e6
    assert prices.iloc[5] == pytest.approx(prices.iloc[4], rel=1e-6)


def test_certain_effects_need_no_protection(case: Case) -> None:
    found = robust_plans(case, (3.0,), (("measures.capex", "C", 0.6, 1.4),))
    assert found.prices["cost"][0] == pytest.approx(solve(case, Options(prices=False)).objective, rel=1e-6)
    assert not len(found.targets)


def test_stock_that_stood_in_the_base_year_falls_short_there_too() -> None:
    """Four units stood in 2020: 96 t. A tenth less of 96 t is 86.4 t; where all effects fall short by 40 %, it is a
    tenth less of 97.6 t: 4 + n units cut 0.6 each, so 100 - 0.6 (4 + n) <= 87.84.
    """
    case = toy.case(
        existing="measure city year units\nm a 2020 4",
        potentials="measure city potential\nm a 30",
        targets="target kind quantity sense value first_year\ncut change q <= -0.1 2023",
    )
    found = robust_plans(case, (0.0, 1.0), HALF)
    assert found.prices["cost"].tolist() == pytest.approx([96, 10 * (12.16 / 0.6 - 4)])
    assert not survives(case, found.plans[1.0], 1, HALF)


def test_a_case_without_a_plan_is_told() -> None:
    with pytest.raises(InfeasibleError):
        robust_plans(toy.case(targets=CAP.replace("95", "80")), (0.0,), HALF)


# ---------------------------------------------------------------- the command


def test_the_command_tells_the_price_in_both_languages_and_writes_it(tmp_path: Path) -> None:
    english = planner("robust", TUTORIAL, "--gamma", "0,1", "--lang", "en", "--out", tmp_path / "out")
    chinese = planner("robust", TUTORIAL, "--gamma", "0\uff0c1", "--lang", "zh")
    assert (english.exit_code, chinese.exit_code) == (0, 0), english.output
    for word in ("The price of robustness", "C 40%", "-237", "Hard targets that cannot be protected", "Solar PV"):
        assert word in english.stdout
    for word in ("稳健的代价", "无法保障", "投资变动最大"):
        assert word in chinese.stdout
    names = {"robust_prices.csv", "robust_targets.csv", "robust_portfolio.csv"}
    assert {file.name for file in (tmp_path / "out").iterdir()} == names
    assert pd.read_csv(tmp_path / "out" / "robust_prices.csv")["gamma"].tolist() == [0, 1]


@pytest.mark.parametrize("gamma", ["x", "", "-1", "1;2"])
def test_what_is_no_list_of_numbers_is_told(gamma: str) -> None:
    assert planner("robust", TUTORIAL, "--gamma", gamma).exit_code == 2
