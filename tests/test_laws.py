"""What is true of every case, on the tutorial, some random cases and toys; `campaign.py` takes more of them."""

from functools import cache
from pathlib import Path

import pytest
import toy
from agreement import solved, starts_of
from laws import LAWS, from_folder
from random_cases import RandomCase, in_money, in_unit, random_case

from planner.plan import Plan
from planner.plan import solve as solve_case
from planner.tables import read_case

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"
SEEDS = (2, 7, 11, 18, 24)


@cache
def given(seed: int | None) -> tuple[RandomCase, Plan]:
    """A random case, or the tutorial, and its plan."""
    case = from_folder(TUTORIAL) if seed is None else random_case(seed)
    return case, solved(case)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("seed", [None, *SEEDS])
def test_law(law: str, seed: int | None) -> None:
    assert list(LAWS[law](*given(seed))) == []


def test_the_tutorial_without_its_remarks_is_the_tutorial() -> None:
    assert given(None)[1].objective == solve_case(read_case(TUTORIAL)).objective


@pytest.mark.parametrize("words", ["co2 in t", "nox in kg", "money in 亿元"])
def test_the_tutorial_s_portfolio_is_the_same_in_other_words(words: str) -> None:
    case, plan = given(None)
    again = {
        "co2 in t": lambda: in_unit(case, "co2", "t")[0],
        "nox in kg": lambda: in_unit(case, "nox", "kg")[0],
        "money in 亿元": lambda: in_money(case, 1e-8, "XXX"),
    }[words]()
    one, other = starts_of(plan), starts_of(solved(again))
    most = {(row["measure"], row["city"]): float(str(row["potential"])) for row in case.tables["potentials"]}
    assert {
        key: (one.get(key, 0.0), other.get(key, 0.0))
        for key in {**one, **other}
        if abs(one.get(key, 0.0) - other.get(key, 0.0)) > 1e-5 * most[key[:2]]
    } == {}


@pytest.mark.parametrize(
    ("unit", "size", "money"),
    [("Mt", 1.0, 1.0), ("t", 1e6, 1.0), ("kg", 1e9, 1.0), ("Mt", 1.0, 1e-8), ("g", 1e12, 1e-4)],
)
def test_effects_of_5e_10_and_costs_in_raw_money_are_solved_in_any_unit(unit: str, size: float, money: float) -> None:
    """Two measures that cut NOx by 5e-10 Mt a unit, money in hundred millions: dropped entries would buy nothing."""
    plan = toy.solve(
        quantities=f"quantity unit\nnox {unit}",
        measures=f"measure capex\nm {1e8 * money}\nn {3e8 * money}",
        effects=f"measure quantity value\nm nox {-5e-10 * size}\nn nox {-5e-10 * size}",
        potentials="measure city potential\nm a 3\nn a 10",
        baseline=f"quantity city year value\nnox a 2020 {2e-8 * size}",
        targets=f"target kind quantity sense value first_year\ncap level nox <= {1.75e-8 * size} 2023",
    )
    # 2.5e-9 Mt are five units: three of m and two of n, each a tenth of its capital cost a year
    assert (toy.stock(plan, "m", 2023), toy.stock(plan, "n", 2023)) == pytest.approx((3, 2), rel=1e-5)
    assert plan.objective == pytest.approx(1e7 * money * (3 * 1 + 2 * 3), rel=1e-6)
    assert toy.target(plan, "cap", 2023, "achieved") <= 1.75e-8 * size * (1 + 1e-6)
    assert toy.target(plan, "cap", 2023, "shadow_price") == pytest.approx(3e7 * money / (5e-10 * size), rel=1e-6)


def test_a_larger_budget_saves_what_its_price_says() -> None:
    tables = {
        "measures": "measure capex fixed_om\nm 100 0\nn 10 20",
        "effects": "measure quantity value\nm q -1\nn q -1",
        "potentials": "measure city potential\nm a 10\nn a 10",
        "targets": "target kind quantity sense value first_year\ncap level q <= 95 2023",
    }
    late = "pin measure last_year max\nm m 2022 0\nn n 2022 0"
    plan = toy.solve(budgets="budget limit first_year\nmoney 230 2023", pins=late, **tables)
    # 100 m + 10 n = 230 and m + n = 5: two of m at 10 and three of n at 21; ninety more swap one n for one m
    assert plan.objective == pytest.approx(2 * 10 + 3 * 21)
    assert plan.budgets["shadow_price"].iloc[0] == pytest.approx((21 - 10) / 90)
    more = toy.solve(budgets="budget limit first_year\nmoney 239 2023", pins=late, **tables)
    assert plan.objective - more.objective == pytest.approx(9 * (21 - 10) / 90)


def test_a_target_at_a_kink_has_two_prices() -> None:
    plan = toy.solve(
        measures="measure capex\nm 100\nn 300",
        effects="measure quantity value\nm q -1\nn q -1",
        potentials="measure city potential\nm a 5\nn a 10",
        targets="target kind quantity sense value first_year\ncap level q <= 95 2023",
    )
    # all of m is used up: loosening saves 10, tightening costs 30
    assert toy.target(plan, "cap", 2023, "price_loosen") == pytest.approx(10)
    assert toy.target(plan, "cap", 2023, "price_tighten") == pytest.approx(30)
    assert plan.targets["shadow_price"].isna().all()
