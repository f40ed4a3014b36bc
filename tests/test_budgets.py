"""The budget desk: what money is worth, what cuts take away, what earmarks cost, who pays."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import toy

from planner.budgets import clawback, earmark, ladder, most, rules, rungs, worth
from planner.case import Case
from planner.errors import CaseError, InfeasibleError
from planner.flows import payers
from planner.plan import solve
from planner.show.money import refusal
from planner.tables import read_case
from planner.words import Words

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"
# In 2023 five tonnes must go: by m for 100 of capital each and 10 a year, or by n for 25 a year and no capital. Half
# of all capital cost has to come from the fund g.
FUNDED = {
    "measures": "measure capex fixed_om\nm 100 0\nn 0 25",
    "effects": "measure quantity value\nm q -1\nn q -1",
    "potentials": "measure city potential\nm a 10\nn a 10",
    "targets": "target kind quantity sense value first_year\ncap level q <= 95 2023",
    "funds": "fund\ng\nown",
    "fund_rules": "fund sector max_share\ng s 0.5\nown s 0.5",
}


def funded(budgets: str, **tables: str) -> Case:
    return toy.case(**{**FUNDED, "budgets": budgets, **tables})


def test_a_ladder_by_hand_and_how_far_it_can_go() -> None:
    # 300 pay half of six units. Without 20 % one fifth of a unit is n: 15 more each. Without n, 5/6 of it is needed.
    case = funded("budget fund limit per\nb g 300 span")
    table = rungs(ladder(case, fund="g", steps=(0.0, 0.1, 0.2, 0.5, 1.0)))
    assert table["cost"].tolist() == pytest.approx([50.0, 50.0, 50 + 0.2 * 15, 50 + 2 * 15, 125.0])
    assert table["out"].tolist() == [0, 0, 0, 0, 1]
    assert table["less"].tolist() == [0, 0, 1, 1, 0]
    alone = funded("budget fund limit per\nb g 300 span", potentials="measure city potential\nm a 10\nn a 0")
    found = ladder(alone, budget="b", steps=(0.1, 0.2, 0.3))
    assert [rung.status for rung in found] == ["optimal", "infeasible", "infeasible"]
    assert [rung.furthest for rung in found[1:]] == pytest.approx([1 / 6, 1 / 6])
    assert ladder(alone, budget="b", steps=(1 / 6 - 1e-6,))[0].status == "optimal"


def test_a_cut_of_nothing_changes_nothing_and_a_larger_one_is_never_cheaper() -> None:
    case = read_case(TUTORIAL)
    table = rungs(ladder(case, "public", steps=(0.0, 0.03, 0.06, 0.1)))
    assert table["extra"].iloc[0] == 0
    assert (np.diff(table["cost"]) > 0).all()
    for year in (2021, 2024, 2026, 2030):
        for known in (False, True):
            rung = clawback(case, "public", year, 0.0, known)
            assert (rung.extra, len(rung.changes), len(rung.missed)) == (0.0, 0, 0)
    cut = ladder(case, "public", steps=(0.1,))[0]
    halved = [{"table": "budgets", "key": {"budget": b}, "scale": {"limit": 0.9}} for b in ("public_145", "public_155")]
    plan = solve(case.edited(halved))
    assert cut.after is not None
    assert cut.after.objective == pytest.approx(plan.objective, rel=1e-7)
    assert cut.by_year["extra"].dot(0.05**0 / 1.05 ** (cut.by_year["year"] - 2020)) == pytest.approx(
        cut.extra, rel=1e-6
    )


def test_the_money_of_a_year_by_kind_of_budget() -> None:
    # Yearly: two units a year. 2023: two for 10; 2022: two for 20; the fifth is n for 25.
    yearly = funded("budget fund limit per\nb g 100 year")
    assert clawback(yearly, "g", 2022, 1.0).before.objective == pytest.approx(85.0)
    assert clawback(yearly, "g", 2022, 1.0).extra == pytest.approx(10.0)  # two of n for two of 2022
    late = clawback(yearly, "g", 2023, 1.0)
    assert late.extra == pytest.approx(30.0)  # what 2022 started stays; three of n
    assert late.changes.set_index("measure")["after"].to_dict() == pytest.approx({"m": 2.0, "n": 3.0})
    # Money that moves on: all five start in 2023; without that of 2021 only four can.
    carried = funded("budget fund limit per carry_over\nb g 100 year yes")
    assert clawback(carried, "g", 2021, 1.0).before.objective == pytest.approx(50.0)
    assert clawback(carried, "g", 2021, 1.0).extra == pytest.approx(15.0)
    # Per span: a third of 300 in each year, so 200 are left for four units.
    for year in (2021, 2022, 2023):
        assert clawback(funded("budget fund limit per\nb g 300 span"), "g", year, 1.0).extra == pytest.approx(15.0)


def test_nobody_knows_of_a_claw_back_before_its_year() -> None:
    case = read_case(TUTORIAL)
    surprise, known = (clawback(case, "public", 2024, 0.2, foreseen) for foreseen in (False, True))
    assert surprise.after is not None
    before, after = (
        plan.portfolio.query("year < 2024").set_index(["measure", "city", "year"])["starts"]
        for plan in (surprise.before, surprise.after)
    )
    assert after.sub(before, fill_value=0.0).abs().max() < 1e-5
    assert known.extra is not None
    assert surprise.extra is not None
    assert 0 < known.extra <= surprise.extra
    assert surprise.missed["target"].tolist() == ["inland_nox"]
    too_much = clawback(case, "public", 2023, 1.0)
    assert too_much.status == "infeasible"
    assert too_much.furthest is not None
    assert clawback(case, "public", 2023, too_much.furthest - 1e-4).status == "optimal"
    assert clawback(case, "public", 2023, too_much.furthest + 1e-3).status == "infeasible"


def test_the_worth_of_the_last_money_by_hand() -> None:
    # 250 are just enough. 50 less: one unit of m is n, 15 dearer; more is worth nothing.
    table = worth(funded("budget fund limit per\nb g 250 span"), 50.0).set_index("budget")
    assert table.loc["b", ["spent", "amount", "lost", "gained"]].tolist() == pytest.approx([250.0, 50.0, 15.0, 0.0])
    short = worth(funded("budget fund limit per\nb g 200 span"), 50.0).set_index("budget")
    assert short.loc["b", ["lost", "gained"]].tolist() == pytest.approx([15.0, 15.0])
    whole = worth(funded("budget fund limit per\nb g 200 span"), 1e9).set_index("budget")
    assert whole.loc["b", ["amount", "lost"]].tolist() == pytest.approx([200.0, 60.0])
    idle = worth(funded("budget fund limit per\nb g 900 span"), 50.0).set_index("budget")
    assert idle.loc["b", ["lost", "gained"]].tolist() == [0.0, 0.0]


def test_the_worth_of_money_is_the_difference_of_two_plans() -> None:
    case = read_case(TUTORIAL)
    table = worth(case, 5e6).set_index(["budget", "year"])
    least = solve(case).objective
    for sign, column in ((-1, "lost"), (1, "gained")):
        changed = [{"table": "budgets", "key": {"budget": "public_145"}, "set": {"limit": 300e6 + sign * 5e6}}]
        difference = -sign * (solve(case.edited(changed)).objective - least)
        assert table.loc[("public_145", 2025), column] == pytest.approx(-difference * -1, rel=1e-5)
    assert (table["lost"] >= table["gained"] * (1 - 1e-6)).all()  # each further unit of money is worth less


def test_an_earmark_by_hand() -> None:
    # Both funds have 300; each may pay all. m needs 500; with g reserved for t, own pays three units: two are n.
    tables = {
        "sectors": "sector\ns\nt",
        "fund_rules": "fund sector max_share\ng s 1\nown s 1\ng t 1\nown t 1",
    }
    case = funded("budget fund limit per\nb g 300 span\no own 300 span", **tables)
    for share, extra in ((0.0, 0.0), (1 / 3, 0.0), (0.5, 7.5), (1.0, 30.0)):
        rung, edits = earmark(case, "g", ["t"], share)
        assert rung.extra == pytest.approx(extra, abs=1e-6)
        assert solve(case.edited(edits)).objective == pytest.approx(50 + extra, abs=1e-6)
    rung, edits = earmark(case, "g", ["s", "t"])
    assert (rung.extra, edits) == (0.0, [])


def test_an_earmark_that_leaves_no_plan_says_how_much_can_be_reserved() -> None:
    case = read_case(TUTORIAL)
    rung, _ = earmark(case, "public", ["industry"], 0.9)
    assert rung.status == "infeasible"
    assert rung.furthest is not None
    assert solve(case.edited(earmark(case, "public", ["industry"], rung.furthest - 1e-4)[1])).found
    assert solve(case.edited(earmark(case, "public", ["industry"], rung.furthest + 1e-3)[1])).status == "infeasible"


def test_a_rule_costs_what_the_plan_without_it_saves() -> None:
    case = read_case(TUTORIAL)
    table = rules(case).set_index(["id", "sector"])
    least = solve(case).objective
    free = [{"table": "fund_rules", "key": {"fund": "own", "sector": "power"}, "set": {"max_share": 1}}]
    assert table.loc[("own", "power"), "cost"] == pytest.approx(least - solve(case.edited(free)).objective, rel=1e-5)
    assert (table["cost"] >= 0).all()
    assert len(table) == len(case.fund_rules)
    # Half from g, half from own: with 200 of g four units; if own may pay all, five: 15 less.
    by_hand = rules(funded("budget fund limit per\nb g 200 span")).set_index("id")
    assert by_hand["cost"].to_dict() == pytest.approx({"g": 0.0, "own": 15.0})


def test_the_most_that_the_money_buys_by_hand() -> None:
    # 500 buy five units in any year: from 2021 on they cut 15 instead of 5.
    plain = toy.case(targets=FUNDED["targets"])
    found = most(plain, "q")
    assert (found.before, found.after) == pytest.approx((295.0, 285.0))
    assert (found.cost, found.capex) == (
        pytest.approx((50.0, 150.0), rel=1e-5),
        pytest.approx((500.0, 500.0), rel=1e-5),
    )
    assert most(plain, "q", "cost").after == pytest.approx(295.0, abs=1e-3)
    assert most(plain, "q", "cost", more=0.2).after == pytest.approx(294.0, abs=1e-3)  # a tonne for 10
    assert most(plain, "q", more=0.2).after == pytest.approx(282.0)
    both = {
        "quantities": "quantity unit\nq t\nr t",
        "baseline": "quantity city sector year value\nq a s 2020 100\nr a s 2020 100",
        "measures": "measure capex\nm 100\np 100",
        "effects": "measure quantity value\nm q -1\np r -1",
        "potentials": "measure city potential\nm a 10\np a 10",
        "targets": "target kind quantity sense value first_year\ncap level q <= 95 2023\nrest level r <= 98 2023",
    }
    assert most(toy.case(**both), "q").after == pytest.approx(285.0)
    assert most(toy.case(**both), "q", alone=True).after == pytest.approx(279.0)  # the 200 of p as well


def test_flows_of_payers_add_up_to_the_plan() -> None:
    plan = solve(read_case(TUTORIAL))
    flows = payers(plan)
    sums = flows[["paid", "running", "saved", "net"]].sum()
    costs = plan.costs.groupby("item")["value"].sum()
    assert sums["paid"] == pytest.approx(plan.funds["paid"].sum())
    assert sums["running"] == pytest.approx(costs["fixed_om"])
    assert sums["saved"] == pytest.approx(-costs["price"])
    assert sums["net"] == pytest.approx(sums["paid"] + sums["running"] - sums["saved"])
    paid = plan.funds.groupby(["fund", "year"])["paid"].sum()
    told = flows.set_index(["payer", "year"])["paid"]
    assert told[told > 0].to_dict() == pytest.approx(paid[paid > 0].to_dict())


def test_savings_return_to_those_who_paid() -> None:
    # Each fund pays half of one unit started in 2023, which saves a tonne worth 7 and costs 3 to run.
    tables = {
        "measures": "measure capex fixed_om\nm 100 3",
        "effects": "measure quantity value\nm q -1",
        "potentials": "measure city potential\nm a 10",
        "targets": "target kind quantity sense value first_year\ncap level q <= 99 2023",
        "prices": "quantity component price\nq market 7",
    }
    flows = payers(solve(funded("budget fund limit per\nb g 300 span", **tables))).query("year == 2023")
    assert flows.set_index("payer")["net"].to_dict() == pytest.approx({"g": 48.0, "own": 48.0})
    alone = payers(solve(toy.case(**tables)))
    assert alone["payer"].unique().tolist() == [""]
    assert alone.query("year == 2023")["net"].tolist() == pytest.approx([96.0])


def test_what_cannot_be_asked_is_refused() -> None:
    case = read_case(TUTORIAL)
    asked = [
        lambda: ladder(case, "own"),
        lambda: ladder(case),
        lambda: ladder(case, budget="none"),
        lambda: ladder(case, "public", steps=(1.5,)),
        lambda: clawback(case, "public", 1999),
        lambda: clawback(case, "public", 2024, -0.1),
        lambda: earmark(case, "public", ["none"]),
        lambda: earmark(case, "public", ["power"], 2.0),
        lambda: worth(case, 0.0),
        lambda: most(case, "co2", "yuan"),
    ]
    for ask in asked:
        with pytest.raises(CaseError):
            ask()
    none = funded("budget fund limit per\nb g 300 span", targets="target kind quantity sense value\ncap level q <= 10")
    with pytest.raises(InfeasibleError):
        worth(none)


def test_a_plan_that_was_not_found_in_time_is_not_told_as_impossible() -> None:
    case = read_case(TUTORIAL)
    rung = ladder(case, "public", steps=(0.1,))[0]
    stopped = replace(rung, status="limit", after=None)
    assert refusal(Words("en", case), stopped, "ladder") == "not found in time"  # type: ignore[arg-type]
    none = replace(rung, status="infeasible", after=None, furthest=0.05)
    assert refusal(Words("en", case), none, "ladder") == "no plan; at most 5 % can be cut"  # type: ignore[arg-type]
