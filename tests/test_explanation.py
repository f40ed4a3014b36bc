"""Why in, why out: splits that sum, duals that prove, break-evens that flip the choice, goals at their cost."""

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
import pytest
import toy
from agreement import scales, solved
from random_cases import random_case
from repairs import without
from scipy.sparse import csr_array

import planner
from planner.breakeven import MARGIN, BreakEven, break_even
from planner.case import Case
from planner.compile import compile_problem
from planner.engine import Options
from planner.errors import CancelledError
from planner.explanation import explain, split_of
from planner.goalcosts import CHANGE, goals
from planner.plan import Plan, earliness, priced_rows, report, solve
from planner.problem import Problem
from planner.split import NOISE, OWN, TRACE, Duals, Split, split
from planner.stages import solve as run
from planner.tables import read_case
from planner.text import messages

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"
SEEDS = (2, 7, 11, 18, 24, 31, 40)
QUICK = Options(prices=False, break_ties=False, certify=False)


@cache
def given(seed: int | None) -> Case | None:
    """The tutorial, or a random case that has a plan."""
    if seed is None:
        return read_case(TUTORIAL)
    plan = solved(random_case(seed))
    return plan.case if plan.found else None


@cache
def answered(seed: int | None) -> tuple[Duals, Split, Plan] | None:
    """Its duals, its split and its plan."""
    case = given(seed)
    if case is None:
        return None
    problem = Problem(case)
    matrix = compile_problem(problem)
    solution = run(matrix, earliness(problem, matrix), priced_rows(matrix), Options(certify=False))
    plan = report(problem, matrix, solution, {})
    parts = split(problem, matrix, solution.duals, solution.held_duals, plan.portfolio)
    return Duals(problem, matrix, solution.duals, solution.held_duals), parts, plan


def completed(dual: Duals) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Duals of all rows, those of definitions and payments worked out by hand from the others."""
    matrix, problem, rows = dual.matrix, dual.problem, dual.asking.copy()
    for j in dual.free:
        i = matrix.defining_row[j]
        rows[i] = dual.reduced[j] / matrix.A[[i], [j]].item()
    for key in problem.financed:
        prices = {f: float(dual.payments[matrix.column["paid", (f, *key)]]) for f in problem.payers[key]}
        paid, marginal = 0.0, 0.0
        for f in sorted(prices, key=lambda f: prices[f]):
            if paid < 1 - 1e-12:
                marginal = prices[f]
            paid += problem.max_share[f, key[0]]
        rows[matrix.row["spending_is_paid", key]] = marginal
        for f, price in prices.items():
            rows[matrix.row["fund_within_its_share", (f, *key)]] = min(0.0, price - marginal)
    return rows


@pytest.mark.parametrize("seed", [None, *SEEDS])
def test_the_duals_of_a_split_are_a_dual_solution_and_prove_the_plan(seed: int | None) -> None:
    found = answered(seed)
    if found is None:
        return
    dual, _, plan = found
    matrix, rows = dual.matrix, completed(dual)
    reduced = dual.costs - matrix.A.T @ rows
    for name, price in dual.held.items():
        reduced = reduced - price * dual.stage(name)
    size = abs(dual.costs) + abs(csr_array(matrix.A)).T @ abs(rows)
    size += sum(abs(price * dual.stage(name)) for name, price in dual.held.items())
    assert (np.abs(reduced[dual.free]) <= 1e-9 * (1 + size[dual.free])).all()
    own = ~np.isneginf(matrix.lower)
    payments = np.array([family == "paid" for family, _ in matrix.columns])
    assert reduced[own & ~payments] == pytest.approx(dual.reduced[own & ~payments], rel=1e-9, abs=1e-9 * size.max())
    assert (reduced[payments] >= -1e-9 * (1 + size[payments])).all()
    unbounded = np.isinf(matrix.upper) & own
    assert (reduced[unbounded] >= -1e-6 * (1 + size[unbounded])).all()
    if len(matrix.stages) == 1 and not matrix.integer.any():
        limits = np.where(reduced > 0, matrix.lower, matrix.upper)
        limits[dual.free] = 0.0
        limits[np.isinf(limits)] = 0.0
        value = float(rows @ matrix.row_upper + reduced @ limits) + matrix.stages[0].constant
        assert value == pytest.approx(plan.objective, abs=1e-6 * scales(plan)["cost"])


@pytest.mark.parametrize("seed", [None, *SEEDS])
def test_a_split_sums_exactly_to_the_reduced_costs_of_the_matrix(seed: int | None) -> None:
    found = answered(seed)
    if found is None:
        return
    dual, parts, plan = found
    reduced = dual.costs - dual.matrix.A.T @ completed(dual)
    for name, price in dual.held.items():
        reduced = reduced - price * dual.stage(name)
    begun = plan.portfolio.set_index(["measure", "city", "year"])["starts"].to_dict()
    sums = parts.items.groupby(["measure", "city"])["value"].agg(["sum", lambda values: values.abs().sum()])
    for row in parts.places.itertuples(index=False):
        measure = dual.problem.measures[row.measure]
        each, weights = [], []
        for m, c, v in dual.problem.startable:
            if (m, c) == (row.measure, row.city):
                start = reduced[dual.matrix.column["starts", (m, c, v)]]
                if measure.lump:
                    start += dual.told[dual.matrix.row["starts_in_whole_lumps", (m, c, v)]]
                enters = v + measure.lead_time
                years = range(enters, min(enters + measure.lifetime, dual.problem.last + 1))
                held = [reduced[dual.matrix.column["stock", (m, c, y)]] for y in years]
                each.append(max(start, 0.0) + sum(max(z, 0.0) for z in held))
                n = begun.get((m, c, v), 0.0)
                trace = n <= TRACE * dual.problem.start_limit[m, c, v]
                weights.append(0.0 if trace and each[-1] > TRACE * dual.problem.payment[m, v] else n)
        if (row.measure, row.city) not in sums.index:
            assert row.reduced_cost == 0
            continue
        total, gross = sums.loc[(row.measure, row.city)]
        assert total == pytest.approx(row.reduced_cost, abs=1e-9 * gross)
        if sum(weights):
            assert total == pytest.approx(np.average(each, weights=weights), abs=1e-9 * gross)
            if not measure.lump and "lump" not in set(parts.items["item"]):
                assert total == pytest.approx(0.0, abs=1e-5 * gross + 1e-9)
        else:
            assert min(abs(total - z) for z in each) <= 1e-9 * gross


@pytest.mark.parametrize("seed", [None, *SEEDS])
def test_every_price_of_a_split_lies_between_what_loosening_saves_and_tightening_costs(seed: int | None) -> None:
    case = given(seed)
    if case is None or any(row.lump for row in case.measures):
        return
    prices = explain(case, options=Options(certify=False)).prices
    known = prices[prices["price_loosen"].notna()]
    once = known[~known.duplicated(["item", "id", "year"], keep=False)]
    room = 1e-6 * once[["price", "price_loosen"]].abs().max(axis=1) + 1e-9
    assert (once["price"].abs() >= once["price_loosen"] - room).all()
    finite = once["price_tighten"].notna()
    assert (once["price"].abs() <= once["price_tighten"] + room)[finite].all()


# One measure more, at twice the cost: five units of `m` keep the cap in two years, `n` is out.
DEARER = {
    "measures": "measure capex\nm 100\nn 200",
    "effects": "measure quantity value\nm q -1\nn q -1",
    "potentials": "measure city potential\nm a 10\nn a 10",
    "targets": "target kind quantity sense value first_year\ncap level q <= 95 2022",
}


def test_what_is_out_is_short_by_what_it_costs_more() -> None:
    # n costs 20 a year, the cap pays what m costs: 10 a year, in 2022 and 2023, or in 2023 alone.
    found = explain(toy.case(**DEARER))
    rows = found.measures.set_index("measure")
    assert rows.at["m", "reduced_cost"] == 0
    place = found.places.set_index("measure").loc["n"]
    assert place["reduced_cost"] / place["service"] == pytest.approx(10)
    items = found.items[found.items["measure"] == "n"].groupby("item")["value"].sum() / place["service"]
    assert items.to_dict() == pytest.approx({"annuity": 20, "target": -10})
    assert rows.at["m", "reason"].startswith("In: it costs 10")
    assert rows.at["n", "reason"] == (
        "Out: it costs 20 CNY a year per unit; the target “cap” pays 10; it enters only below 10."
    )
    told = explain(found.plan, lang="zh").measures.set_index("measure")
    assert told.at["n", "reason"] == "未选：每unit的年成本为20元；目标“cap”支付10；年成本降至10以下才可能入选。"


def test_a_reduced_cost_is_the_finite_difference_of_forcing_a_unit_in() -> None:
    found = explain(toy.case(**DEARER))
    pins = "pin measure first_year last_year min on\nforced n 2022 2022 0.5 starts"
    forced = toy.solve(**DEARER, pins=pins)
    one = found.places.set_index("measure").loc["n"]
    # half a unit of n in place of half a unit of m, for two years
    assert (forced.objective - found.plan.objective) / 0.5 == pytest.approx(20)
    assert one["reduced_cost"] / one["service"] * 2 == pytest.approx(20)


def test_rents_of_scarce_potential_go_to_the_measure_that_has_it() -> None:
    # Twelve tonnes: ten of m, two of n; each of m is worth 10 a year more than it costs.
    found = explain(toy.case(**{**DEARER, "targets": DEARER["targets"].replace("95 2022", "88 2023")}))
    items = found.items[found.items["measure"] == "m"].groupby("item")["value"].sum()
    assert items["target"] + items["annuity"] == pytest.approx(-10)
    assert items.get("potential", 0.0) + items.get("ramp", 0.0) == pytest.approx(10)


def test_money_is_charged_to_the_budget_of_the_fund_that_pays() -> None:
    # The grant pays at most half; its 300 buy six units of 50 each. One more would save 20, for 50 of the grant: 0.4.
    tables = {
        "funds": "fund\ngrant\nown",
        "fund_rules": "fund sector max_share\ngrant s 0.5\nown s 0.6",
        "budgets": "budget limit fund per\ngrant 300 grant span\nown 350 own span",
        "targets": "target kind quantity sense value first_year soft_penalty\ncap level q <= 80 2023 30",
    }
    plan = toy.solve(**tables)
    assert toy.stock(plan, "m", 2023) == pytest.approx(6.5)
    found = explain(plan)
    budgets = found.items[found.items["item"] == "budget"].groupby("id")["value"].sum()
    # A unit earns 30 and costs 10 in 2023: all 20 are the worth of the scarce 100.
    assert budgets.sum() == pytest.approx(20)
    assert found.items["value"].sum() == pytest.approx(0, abs=1e-9)


def test_a_plan_from_its_prices_alone_has_the_same_split() -> None:
    found = explain(read_case(TUTORIAL))
    again = split_of(Plan(**{**vars(found.plan), "split": None}))
    pd.testing.assert_frame_equal(again.items, found.items)


@pytest.mark.parametrize("seed", [None, *SEEDS])
def test_every_measure_has_its_sentence_in_both_languages(seed: int | None) -> None:
    case = given(seed)
    if case is None:
        return
    plan = solve(case, Options(certify=False))
    most = max(row.potential for row in case.potentials)
    started = set(plan.portfolio.loc[plan.portfolio["starts"] > TRACE * most, "measure"])
    for lang, word in (("en", "In: "), ("zh", "入选：")):
        told = explain(plan, lang=lang).measures
        assert told["reason"].str.len().gt(5).all()
        assert {row.measure for row in told.itertuples() if row.reason.startswith(word)} >= started
        assert (told["reduced_cost"].fillna(0.0) >= 0).all()


# Break-even ----------------------------------------------------------------------------------------------------------


def cheaper(case: Case, measure: str, change: float) -> Case:
    """The case with the running cost of a measure changed in all years; negative ones are what a subsidy makes."""
    rows = [row for row in case.measure_costs if row.measure == measure and row.fixed_om is not None]
    if rows:
        return case.edited(
            [
                {"table": "measure_costs", "key": {"measure": measure, "year": row.year}, "set": {"fixed_om": om}}
                for row in rows
                for om in [(row.fixed_om or 0.0) + change]
            ]
        )
    own = next(row.fixed_om for row in case.measures if row.measure == measure)
    edit = {"table": "measures", "key": {"measure": measure}, "set": {"fixed_om": own + change}}
    return case.edited([edit])


def begun(plan: Plan, measure: str) -> float:
    """Starts of a measure as a part of its potential."""
    assert plan.case is not None
    most = sum(row.potential for row in plan.case.potentials if row.measure == measure)
    return float(plan.portfolio.loc[plan.portfolio["measure"] == measure, "starts"].sum()) / most


def test_a_measure_enters_when_it_costs_as_much_as_the_one_it_replaces() -> None:
    case = toy.case(**DEARER)
    assert break_even(case, "n") == BreakEven("n", "", False, "found", pytest.approx(-10), 20.0, True)
    assert break_even(case, "m") == BreakEven("m", "", True, "found", pytest.approx(10), 10.0, True)
    assert break_even(toy.case(targets=DEARER["targets"]), "m").outcome == "needed"
    never = toy.case(
        **{**DEARER, "potentials": "measure city potential\nm a 10\nn a 10"}, pins="pin measure max\np n 0"
    )
    assert break_even(never, "n").outcome == "never"
    assert explain(never, "n").break_even == break_even(never, "n")


def test_a_city_has_its_own_break_even() -> None:
    tables = {
        "cities": "city\na\nb",
        "measures": "measure capex\nm 100",
        "effects": "measure quantity city value\nm q a -1\nm q b -0.5",
        "potentials": "measure city potential\nm a 10\nm b 10",
        "baseline": "quantity city year value\nq a 2020 100\nq b 2020 100",
        "targets": "target kind quantity sense value first_year\ncap level q <= 195 2023",
    }
    # A tonne costs 10 in a, 20 in b: there a unit must cost 5 instead of 10.
    found = break_even(toy.case(**tables), "m", "b")
    assert (found.chosen, found.change, found.verified) == (False, pytest.approx(-5), True)
    assert break_even(toy.case(**tables), "m", "a").change == pytest.approx(10)
    with pytest.raises(KeyError):
        break_even(toy.case(**tables), "m", "c")


def test_whole_lumps_and_several_objectives_have_break_evens() -> None:
    lumps = {**DEARER, "measures": "measure capex lump\nm 100 -\nn 200 5"}
    assert break_even(toy.case(**lumps), "n").change == pytest.approx(-10)
    first = toy.case({"objective": ["quantity:q", "cost"]}, **DEARER, budgets="budget limit per\nall 500 span")
    # Money buys most of q with m alone; n would have to be paid for: never at no cost within the budget.
    assert break_even(first, "n").outcome in ("never", "found")


@pytest.mark.parametrize("seed", [None, *SEEDS[:4]])
def test_a_hundredth_beyond_the_break_even_flips_the_choice(seed: int | None) -> None:
    case = given(seed)
    if case is None or len(case.settings.objective) > 1 or any(row.lump for row in case.measures):
        return
    for row in case.measures[:5]:
        found = break_even(case, row.measure)
        if found.outcome != "found":
            continue
        assert found.verified, found
        assert found.change is not None
        if "cost" in {target.quantity for target in case.targets}:
            continue
        step = MARGIN * (found.annuity or 1.0)
        inside = begun(solve(cheaper(case, row.measure, found.change - step), QUICK), row.measure)
        outside = begun(solve(cheaper(case, row.measure, found.change + step), QUICK), row.measure)
        assert inside > 1e-9, (row.measure, found)
        assert outside <= 1e-6, (row.measure, found)


def test_what_is_out_cannot_enter_above_what_its_reason_says() -> None:
    case = toy.case(**DEARER)
    place = explain(case).places.set_index("measure").loc["n"]
    change = break_even(case, "n").change
    assert change is not None
    assert change <= -place["reduced_cost"] / place["service"] + 1e-6


# Goals ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [None, *SEEDS])
def test_a_goal_costs_what_the_plan_without_it_saves(seed: int | None) -> None:
    case = given(seed)
    if case is None:
        return
    table, plan = goals(case), solve(case, QUICK)
    scale = scales(plan)
    name = plan.summary["objective"]["name"]
    names = {*(("target", row.target) for row in case.targets), *(("budget", row.budget) for row in case.budgets)}
    assert {(row.kind, row.id) for row in table.itertuples()} == names | {("pin", row.pin) for row in case.pins}
    for row in table.itertuples(index=False):
        assert row.objective >= -1e-6 * max(scale.get(name, 0.0), abs(plan.objective))
        after = solve(case.edited(without(case, row.kind, [row.id])), QUICK)
        sign = -1.0 if name.startswith("-") else 1.0
        saved = sign * (plan.objective - after.objective)
        room = 1e-5 * max(scale.get(name, 0.0), abs(plan.objective), scales(after).get(name, 0.0))
        assert row.objective == pytest.approx(saved, abs=room), row


def test_a_goal_that_does_not_bind_costs_nothing_and_changes_nothing() -> None:
    table = goals(read_case(TUTORIAL))
    idle = table[~table["binding"]]
    assert set(idle["id"]) == {"clean_share", "co2_intensity"}
    assert not idle.filter(regex=f"cost|objective|{CHANGE}").to_numpy(dtype=float).any()


def test_the_cost_of_goals_by_hand() -> None:
    # Five units for two years: 100; the budget of 1000 is idle; the pin asks for a sixth unit, in service from 2022.
    case = toy.case(
        targets=DEARER["targets"],
        budgets="budget limit per\nall 1000 span",
        pins="pin measure first_year min on\np m 2022 6 stock",
    )
    table = goals(case).set_index("id")
    assert table["cost"].to_dict() == pytest.approx({"cap": 0.0, "all": 0.0, "p": 20.0})
    # in 2022 one more stays for two years; one less still leaves 2023 its six
    assert table.loc["p", ["year", "price_loosen", "price_tighten"]].tolist() == pytest.approx([2022, 10.0, 20.0])
    alone = goals(toy.case(targets=DEARER["targets"])).set_index("id")
    assert alone.at["cap", "cost"] == pytest.approx(100.0)


def test_goals_can_be_cancelled_and_tell_where_they_are() -> None:
    told: list[str] = []
    goals(read_case(TUTORIAL), progress=lambda what, _: told.append(what))
    assert any(what.startswith("goal co2_budget") for what in told)
    cancel = Event()
    cancel.set()
    with pytest.raises(CancelledError):
        goals(read_case(TUTORIAL), cancel=cancel)


def test_without_a_plan_nothing_is_explained_but_the_status() -> None:
    case = toy.case(targets="target kind quantity sense value first_year\ncap level q <= 10 2022")
    found = explain(case)
    assert (found.plan.status, len(found.items), len(found.measures)) == ("infeasible", 0, 0)
    table = goals(case)
    assert (table.attrs["status"], len(table)) == ("infeasible", 0)


def test_the_public_names() -> None:
    assert (planner.explain, planner.break_even, planner.goals) == (explain, break_even, goals)


def test_every_item_has_a_name() -> None:
    known = {key.removeprefix("explain.item.") for key in messages() if key.startswith("explain.item.")}
    found: Mapping[str, Any] = {
        item: None for seed in (None, *SEEDS) if (one := answered(seed)) for item in one[1].items["item"]
    }
    assert set(found) <= known
    assert {*OWN, "target", "budget", "price"} <= set(found)
    assert math.isfinite(NOISE)


def test_every_word_of_explanations_and_goals_is_used() -> None:
    folder = Path(planner.__file__).parent
    text = "".join(file.read_text("utf-8") for file in folder.rglob("*.py"))
    by_kind = ("explain.item.", "explain.even.", "explain.others_", "goals.target", "goals.budget", "goals.pin")
    for key in (key for key in messages() if key.startswith(("explain.", "goals."))):
        own = key.partition(".")[2]
        assert key.startswith(by_kind) or f'"{key}"' in text or f'"{own}"' in text, f"{key} is not used"
