"""Laws of the answers on random cases: what is proven by hand on toys must hold of every case."""

from collections.abc import Callable
from functools import cache
from itertools import combinations, pairwise
from math import comb

import numpy as np
import pytest
from agreement import scales, solved
from random_cases import random_case
from test_explanation import begun, cheaper
from test_futures import CERTAIN, HERE
from test_robust import survives

from planner.breakeven import MARGIN, break_even
from planner.case import Case
from planner.certificate import complete
from planner.compile import compile_problem
from planner.credit import credit, decomposition, effects, fair_shares, savings
from planner.engine import Options
from planner.explore import END, frontier
from planner.flows import payers
from planner.foresight import regret
from planner.futures import robustness
from planner.nearly import alternatives
from planner.plan import Plan, solve
from planner.problem import Problem
from planner.robust import robust_plans
from planner.rows import Row
from planner.stress import Decided, columns
from planner.uncertainty import Ranges

QUICK = Options(prices=False, break_ties=False, certify=False)
LINEAR = (10, 13, 21, 26, 33, 43, 52)
"""Random cases at least cost, without lumps, that have a plan."""
ANY = (3, 7, 15, 18, 19, 38)
"""The same with lumps, history, funds or several objectives."""
OVERLAPPING = (10, 31, 118)
"""Random cases without history in whose plan measures overlap."""
MILD: Ranges = tuple((column, grade, 0.97, 1.0) for column in ("effects.value",) for grade in "ABC")
CLOSE = 2e-6
"""Difference that counts as none, as a part of all that is added up [-]."""


@cache
def given(seed: int) -> tuple[Case, Plan]:
    """A random case and its plan."""
    plan = solved(random_case(seed))
    assert plan.found and plan.case is not None
    return plan.case, plan


def cells(row: Row) -> dict[str, object]:
    """The columns of a row, to add one like it."""
    return {name: value for name, value in row.values().items() if name not in ("extra", "source")}


def at_least_cost(seed: int) -> tuple[Case, float, float]:
    """A case with the cost as its only objective; its least cost, and what counts as none beside it."""
    case = given(seed)[0].edited([{"setting": "objective", "value": ["cost"]}])
    plan = solve(case, QUICK)
    return case, plan.objective, CLOSE * max(scales(plan)["cost"], abs(plan.objective))


def test_the_cases_are_what_they_are_taken_for() -> None:
    for seed in LINEAR:
        case, _ = given(seed)
        assert case.settings.objective == ("cost",) and not any(row.lump for row in case.measures)
    others = [given(seed)[0] for seed in ANY]
    assert any(len(case.settings.objective) > 1 for case in others)
    assert any(row.lump for case in others for row in case.measures)
    assert any(case.existing for case in others) and any(case.funds for case in others)
    assert any(row.kind == "overlap" for seed in (*LINEAR, *ANY) for row in given(seed)[0].groups)


# Break-even ----------------------------------------------------------------------------------------------------------


def test_one_per_cent_beyond_the_break_even_flips_the_choice() -> None:
    tried = 0
    for seed in LINEAR:
        case, _ = given(seed)
        if "cost" in {row.quantity for row in case.targets}:
            continue
        for row in case.measures:
            found = break_even(case, row.measure)
            if found.outcome != "found":
                continue
            assert found.verified and found.change is not None, (seed, found)
            step = MARGIN * (found.annuity or 1.0)
            inside = begun(solve(cheaper(case, row.measure, found.change - step), QUICK), row.measure)
            outside = begun(solve(cheaper(case, row.measure, found.change + step), QUICK), row.measure)
            assert inside > 1e-9, (seed, row.measure, found)
            assert outside <= 1e-6, (seed, row.measure, found)
            tried += 1
    assert tried >= 15


# Trade-offs and alternatives -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [*LINEAR, 3, 15])
def test_a_frontier_ends_where_each_axis_is_best_alone_and_its_points_are_least_costs(seed: int) -> None:
    case, least, none = at_least_cost(seed)
    emissions = [row.quantity for row in case.quantities if row.quantity in ("co2", "nox", "voc")]
    x = next(q for q in emissions)
    found = frontier(case, x, points=4)
    alone = solve(case.edited([{"setting": "objective", "value": f"quantity:{x}"}]), QUICK)
    size = CLOSE * scales(alone)[f"quantity:{x}"]
    assert found.ends[0] == pytest.approx(least, abs=none)
    assert found.ends[1] == pytest.approx(alone.objective, abs=size)
    first, last = found.points.iloc[0], found.points.iloc[-1]
    assert first["y"] == pytest.approx(least, abs=none)
    assert abs(last["x"] - found.ends[1]) <= 2 * END * abs(first["x"] - found.ends[1]) + size
    assert found.convex
    for one, two in pairwise(found.points.itertuples()):
        assert two.x <= one.x + size and two.y >= one.y - none
    middle = found.points.iloc[len(found.points) // 2]
    again = solve(case.edited(found.edits(int(middle["point"]))), QUICK)
    assert again.objective == pytest.approx(middle["cost"], rel=1e-5, abs=10 * none)


@pytest.mark.parametrize("seed", [*LINEAR[:4], 3, 15, 18])
def test_alternatives_are_within_their_slack_by_an_independent_sum(seed: int) -> None:
    case, least, none = at_least_cost(seed)
    found = alternatives(case, within=0.05, count=2, by="measure", ranges=True)
    assert found.least == pytest.approx(least, abs=none)
    high = found.ranges.set_index("measure")["high"]
    low = found.ranges.set_index("measure")["low"]
    for number in found.plans["plan"]:
        own = found.starts[found.starts["plan"] == number]
        account = complete(case, own)
        assert account.passed, account.violations[:3]
        assert account.cost <= least + 0.05 * abs(least) + 10 * none
        begun_ = own.groupby("measure")["starts"].sum()
        room = 1e-5 * (high.abs() + 1)
        assert (begun_ <= high[begun_.index] + room[begun_.index]).all()
        assert (begun_.reindex(low.index, fill_value=0.0) >= low - room).all()


# Foresight and robustness --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [*LINEAR, 3, 15])
def test_regret_is_never_below_zero_and_nothing_where_all_is_seen(seed: int) -> None:
    case, least, none = at_least_cost(seed)
    first, last = case.settings.first_year, case.settings.last_year
    found = regret(case, [(first + last) // 2])
    assert found.joint == pytest.approx(least, abs=none)
    if found.kept:
        assert found.money >= -none
    assert regret(case, []).money == pytest.approx(0.0, abs=none)


@pytest.mark.parametrize("seed", [*LINEAR[:4], 3, 19])
def test_zero_width_ranges_reproduce_the_plan(seed: int) -> None:
    case, plan = given(seed)
    found = robustness(case, 2, ranges=CERTAIN, backend=HERE)
    cost = float(plan.costs["discounted"].sum())
    none = 10 * CLOSE * scales(plan)["cost"]
    assert found.futures["cost"].tolist() == pytest.approx([cost] * 2, abs=none)
    assert found.futures["plan_cost"].tolist() == pytest.approx([cost] * 2, abs=none)
    assert set(found.measures["index"]) <= {0.0, 1.0}
    assert found.summary["plan_all_kept"] == 1.0


@pytest.mark.parametrize("seed", LINEAR[:4])
def test_a_free_measure_that_only_helps_is_chosen_in_every_future(seed: int) -> None:
    """It cuts a quantity that has a price, and no more than a hundredth of the least there is."""
    case, plan = given(seed)
    q = next(row.quantity for row in case.quantities if row.quantity in ("voc", "nox", "co2"))
    city = case.cities[0].city
    like = case.measures[0]
    path = plan.quantities[plan.quantities["quantity"] == q].groupby("year")["planned"].sum()
    unit = 0.01 * float(path.abs().min())
    row = {**cells(like), "measure": "free", "capex": 0.0, "fixed_om": 0.0, "lead_time": 0, "first_year": None}
    edits = [
        {"table": "measures", "add": {**row, "lump": None, "ramp": 1.0}},
        {"table": "effects", "add": {"measure": "free", "quantity": q, "value": -unit}},
        {"table": "potentials", "add": {"measure": "free", "city": city, "potential": 1.0}},
        {"table": "prices", "add": {"quantity": q, "component": "damage", "price": 1e9 / unit}},
        {"setting": "perspective", "value": ["damage"]},
    ]
    found = robustness(case.edited(edits), 8, backend=HERE)
    assert found.measures.set_index("measure").loc["free", "index"] == 1.0


def test_robust_plans_survive_every_scenario_and_cost_nothing_at_zero() -> None:
    protected = 0
    for seed in (10, 13, 21, 24, 43, 52):
        case, least, none = at_least_cost(seed)
        found = robust_plans(case, (0.0, 1.0, 2.0), MILD)
        costs = found.prices["cost"].to_numpy()
        assert costs[0] == pytest.approx(least, abs=10 * none), seed
        assert (np.diff(costs) >= -10 * none).all() or any(found.prices["open"]), seed
        for gamma, still_open in zip(found.prices["gamma"], found.prices["open"], strict=True):
            if not still_open:
                assert not survives(case, found.plans[gamma], int(gamma), MILD), (seed, gamma)
                protected += gamma > 0
    assert protected >= 5


# Credit --------------------------------------------------------------------------------------------------------------


def brought_about(case: Case, plan: Plan) -> Callable[[set[str], str], np.ndarray]:
    """Change of every quantity in every year where only some measures of one city stand, their overlaps as planned."""
    problem = Problem(case)
    matrix = compile_problem(problem)
    decided = Decided.of(plan)
    changes = [j for j, (family, _) in enumerate(matrix.columns) if family == "change"]
    keys = [matrix.columns[j][1] for j in changes]
    totals = sorted({(key[0], key[3]) for key in keys})
    sums = np.zeros((len(totals), len(matrix.columns)))
    sums[[totals.index((key[0], key[3])) for key in keys], changes] = 1.0

    def change(some: set[str], city: str) -> np.ndarray:
        starts = tuple(row for row in decided.starts if row[0] in some and row[1] == city)
        return np.asarray(sums @ columns(problem, matrix, Decided(starts, decided.overlaps)))

    change.totals = totals  # type: ignore[attr-defined]
    return change


def test_credit_is_the_shapley_value_by_all_orders() -> None:
    """Every set of measures of a city is counted, with and without each measure."""
    tried = 0
    for seed in OVERLAPPING:
        case, plan = given(seed)
        assert not case.existing and plan.overlaps["overlap"].max() > 1e-6
        change = brought_about(case, plan)
        totals = change.totals  # type: ignore[attr-defined]
        told = credit(plan).set_index(["measure", "city", "quantity", "year"])["value"]
        for city in plan.overlaps.loc[plan.overlaps["overlap"] > 1e-6, "city"].unique():
            own = plan.portfolio[plan.portfolio["city"] == city]
            players = sorted(set(own.loc[own["stock"] > 1e-9, "measure"]))
            n = len(players)
            worth = {some: change(set(some), city) for k in range(n + 1) for some in combinations(players, k)}
            for m in players:
                value = np.zeros(len(totals))
                for some, without in worth.items():
                    if m not in some:
                        with_m = worth[tuple(sorted((*some, m)))]
                        value += (with_m - without) / (n * comb(n - 1, len(some)))
                size = np.abs(worth[tuple(players)]).max() + 1e-9
                mine = [told.get((m, city, q, y), 0.0) for q, y in totals]
                assert np.array(mine) == pytest.approx(value, abs=1e-7 * size), (seed, city, m)
                tried += 1
    assert tried >= 8


@pytest.mark.parametrize("seed", [*LINEAR, *ANY])
def test_shares_of_every_kind_add_up(seed: int) -> None:
    case, plan = given(seed)
    told = credit(plan)
    spent, penalties = savings(plan, told), plan.costs[plan.costs["item"] == "penalty"]["discounted"].sum()
    cost = float(plan.costs["discounted"].sum())
    none = CLOSE * scales(plan)["cost"]
    assert spent["discounted"].sum() + penalties == pytest.approx(cost, abs=none)
    sums = plan.quantities.groupby(["quantity", "year"])[["baseline", "planned"]].sum()
    for (q, year), row in sums.iterrows():
        size = CLOSE * scales(plan)[f"quantity:{q}"] + 1e-9
        parts = decomposition(plan, str(q), int(year))
        assert parts["planned"].sum() == pytest.approx(row["planned"], abs=size)
        assert parts["cut"].sum() == pytest.approx(row["baseline"] - row["planned"], abs=size)
    shares = fair_shares(plan, str(plan.quantities["quantity"].iloc[0]), told)
    assert shares["net_cost"].sum() == pytest.approx(spent["discounted"].sum(), abs=none)
    flows = payers(plan)
    items = plan.costs.groupby("item")["value"].sum()
    assert flows["running"].sum() == pytest.approx(items.get("fixed_om", 0.0), abs=none)
    assert flows["saved"].sum() == pytest.approx(-items.get("price", 0.0), abs=none)
    if case.funds:
        assert flows["paid"].sum() == pytest.approx(plan.funds["paid"].sum(), abs=none)


@pytest.mark.parametrize("seed", [*LINEAR, *ANY])
def test_twins_have_the_same_effects_and_who_does_nothing_gets_nothing(seed: int) -> None:
    case, _ = given(seed)
    one = case.measures[0]
    edits: list[dict[str, object]] = []
    for name in ("twin", "idle"):
        edits.append({"table": "measures", "add": {**cells(one), "measure": name, "capex": 0.0, "lump": None}})
        city = case.cities[0].city
        edits.append({"table": "potentials", "add": {"measure": name, "city": city, "potential": 5.0}})
    mine = [cells(row) for row in case.effects if row.measure == one.measure]
    edits += [{"table": "effects", "add": {**row, "measure": "twin"}} for row in mine]
    last = case.settings.last_year
    pin = {"pin": "all_idle", "measure": "idle", "on": "stock", "min": 1.0, "first_year": last, "last_year": last}
    grown = case.edited([*edits, {"table": "pins", "add": pin}])
    per_unit = effects(grown).stock.set_index(["city", "quantity", "year"])
    first, second = (per_unit[per_unit["measure"] == m]["value"] for m in (one.measure, "twin"))
    both = first.index.intersection(second.index)
    assert second[both].to_numpy() == pytest.approx(first[both].to_numpy(), rel=1e-9)
    plan = solve(grown, QUICK)
    assert plan.found
    idle = plan.portfolio[(plan.portfolio["measure"] == "idle") & (plan.portfolio["year"] == last)]
    assert idle["stock"].sum() >= 1 - 1e-6
    assert "idle" not in set(credit(plan)["measure"])
