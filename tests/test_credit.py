"""Credit adds up, depends on no order, and gives nothing to who does nothing."""

from pathlib import Path

import pandas as pd
import pytest
import toy
from random_cases import random_case
from repairs import read
from typer.testing import CliRunner

from planner.cli import app
from planner.credit import (
    co_control,
    cost_curve,
    credit,
    decomposition,
    effects,
    fair_shares,
    paid_by_prices,
    savings,
    target_price,
)
from planner.engine import Options
from planner.explanation import split_of
from planner.plan import Plan, solve
from planner.tables import read_case
from planner.text import t

QUICK = Options(prices=False, break_ties=False, certify=False)
TUTORIAL = Path(__file__).parent.parent / "cases" / "tutorial"


@pytest.fixture(scope="module")
def tutorial() -> Plan:
    return solve(read_case(TUTORIAL), QUICK)


def off(plan: Plan) -> float:
    """How far the parts are from the change of each quantity and year, as a part of the largest of the quantity."""
    sums = plan.quantities.groupby(["quantity", "year"])[["baseline", "planned"]].sum()
    change = sums["planned"] - sums["baseline"]
    parts = credit(plan).groupby(["quantity", "year"])["value"].sum().reindex(change.index).fillna(0.0)
    size = sums.abs().max(axis=1).groupby("quantity").transform("max")
    return float(((parts - change).abs() / size.where(size > 0, 1.0)).max())


def test_parts_add_up_to_the_change_of_every_quantity_and_year(tutorial: Plan) -> None:
    assert off(tutorial) < 1e-9


@pytest.mark.parametrize("seed", range(30))
def test_parts_add_up_in_random_cases(seed: int) -> None:
    case = read(random_case(seed))
    plan = solve(case, QUICK) if case is not None else None
    assert plan is None or not plan.found or off(plan) < 1e-6


def test_most_random_cases_have_parts_to_add_up() -> None:
    cases = [case for case in (read(random_case(seed)) for seed in range(30)) if case is not None]
    assert sum(solve(case, QUICK).found for case in cases) > 20


def test_what_is_saved_and_spent_adds_up_to_the_cost(tutorial: Plan) -> None:
    penalties = tutorial.costs[tutorial.costs["item"] == "penalty"]["discounted"].sum()
    assert savings(tutorial)["discounted"].sum() + penalties == pytest.approx(tutorial.objective, rel=1e-8)


def overlapping() -> Plan:
    # Twins cut 1 t a unit, ten units each; where both stand in full they undo 4 t of each other's 20. A third does
    # nothing at all, and two units of the first stood before.
    tables = {
        "measures": "measure capex\nm 100\ntwin 100\nidle 0",
        "effects": "measure quantity value\nm q -1\ntwin q -1",
        "potentials": "measure city potential\nm a 10\ntwin a 10\nidle a 10",
        "groups": "group kind measure quantity loss\npair overlap m q 4\npair overlap twin q 4",
        "existing": "measure city year units\nm a 2020 2",
        "targets": "target kind quantity sense value first_year\ncap level q <= 84 2023",
        "pins": "pin measure on min first_year\nall idle stock 10 2023",
    }
    return toy.solve(**tables)


def test_an_overlap_is_shared_by_halves_and_existing_stock_is_a_player() -> None:
    found = credit(overlapping())
    last = found[found["year"] == 2023].set_index(["measure", "part"])["value"]
    assert last["twin", "planned"] == pytest.approx(-10 + 2)
    assert last["m", "planned"] + last["m", "existing"] == pytest.approx(-10 + 2)
    assert last["m", "existing"] == pytest.approx(0.2 * (-10 + 2))  # two of its ten units
    assert "idle" not in set(found["measure"])


def test_effects_are_carried_on_by_conversions(tutorial: Plan) -> None:
    # A unit of wind makes 2 GWh; 0.97 of it replaces coal power, whose GWh emits 0.82 kt: 1.5908 kt.
    per_unit = effects(read_case(TUTORIAL)).stock
    wind = per_unit[(per_unit["measure"] == "wind") & (per_unit["quantity"] == "co2")]["value"]
    assert wind.tolist() == pytest.approx([-2 * 0.97 * 0.82] * len(wind))


def test_the_cost_curve_rises_and_tells_annual_cost_per_unit(tutorial: Plan) -> None:
    curve = cost_curve(tutorial, "co2", 2030)
    assert curve["unit_cost"].is_monotonic_increasing
    assert (curve["cost"] / curve["abated"]).tolist() == pytest.approx(curve["unit_cost"].tolist())
    toy_plan = toy.solve(targets="target kind quantity sense value first_year\ncap level q <= 95 2023")
    (row,) = cost_curve(toy_plan, "q", 2023).itertuples()
    assert (row.abated, row.cost, row.unit_cost) == pytest.approx((5.0, 50.0, 10.0))


def test_the_price_of_targets_is_what_a_unit_less_of_a_year_is_worth_to_all_of_them() -> None:
    # A tonne costs 10 a year. A cap on the last year pays for that year alone; one on the sum pays in every year.
    last = toy.solve(targets="target kind quantity sense value first_year\ncap level q <= 95 2023")
    assert [target_price(last, "q", year) for year in (2021, 2022, 2023)] == pytest.approx([0.0, 0.0, 10.0])
    whole = toy.solve(targets="target kind quantity sense value\ncap cumulative q <= 290")
    assert [target_price(whole, "q", year) for year in (2021, 2022, 2023)] == pytest.approx([10.0, 10.0, 10.0])
    free = toy.solve(targets="target kind quantity sense value\ncap level q <= 200")
    assert target_price(free, "q", 2023) == 0


def test_pollutants_count_by_their_equivalents_and_elasticity_by_parts() -> None:
    tables = {
        "quantities": "quantity unit\nco2 t\nnox t",
        "baseline": "quantity city sector year value\nco2 a s 2020 100\nnox a s 2020 10",
        "effects": "measure quantity value\nm co2 -1\nm nox -0.2",
        "targets": "target kind quantity sense value first_year\ncap level co2 <= 95 2021",
    }
    (row,) = co_control(toy.solve(**tables), "co2").itertuples()
    assert (row.carbon, row.nox) == pytest.approx((15.0, 3.0))  # five units in three years
    assert row.equivalents == pytest.approx(3000 / 0.95)  # kg of NOx, 0.95 of which are one equivalent
    assert row.elasticity == pytest.approx((3 / 30) / (15 / 300))
    assert row.quadrant == "both"


def test_shares_of_cities_add_up(tutorial: Plan) -> None:
    shares, spent = fair_shares(tutorial, "co2"), savings(tutorial)
    assert shares["net_cost"].sum() == pytest.approx(spent["discounted"].sum())
    parts = decomposition(tutorial, "co2", 2030)
    level = tutorial.quantities.query("quantity == 'co2' and year == 2030")["planned"].sum()
    assert parts["planned"].sum() == pytest.approx(level)
    assert parts["part"].sum() == pytest.approx(1.0)


def test_heads_are_counted_where_the_case_says() -> None:
    plan = toy.solve(
        cities="city population gdp\na 50 2", targets="target kind quantity sense value\ncap level q <= 95"
    )
    (row,) = fair_shares(plan, "q").itertuples()
    assert (row.cost, row.abated) == pytest.approx((150.0, 15.0))
    assert (row.cost_per_head, row.cost_of_gdp, row.abated_per_head) == pytest.approx((3.0, 75.0, 0.3))


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("by", ["measure", "sector", "city"])
def test_the_command_prints_and_writes_shares(lang: str, by: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["credit", str(TUTORIAL), "--by", by, "--lang", lang, "--out", str(tmp_path / "x")]
    )
    assert result.exit_code == 0, result.output
    ids = {"measure": "kiln_sncr", "sector": "power", "city": "harbor"}
    assert not any(line.split()[:1] == [ids[by]] for line in result.output.splitlines())  # names, not ids
    assert t("credit.paid.note", lang).split()[0][:12] in result.output
    written = pd.read_csv(tmp_path / "x" / "credit.csv")
    assert written["value"].notna().all() and len(written) > 100
    assert (tmp_path / "x" / "shares.csv").exists()


CAP = "target kind quantity sense value first_year last_year\ncap level q <= 95 2022 2023"


def test_the_prices_of_a_cap_pay_the_cost_of_what_keeps_it() -> None:
    plan = toy.solve(targets=CAP)  # five tonnes in two years, at 10 each, undiscounted
    paid = paid_by_prices(plan)
    assert paid["value"].sum() == pytest.approx(100.0)
    assert set(paid["item"]) == {"target"}
    assert set(paid["quantity"]) == {"q"}


@pytest.mark.parametrize("seed", [None, *range(12)])
def test_what_prices_pay_covers_the_own_cost_of_all_that_nothing_else_holds_back(seed: int | None) -> None:
    case = read_case(TUTORIAL) if seed is None else read(random_case(seed, lumps=False))
    if case is None:
        pytest.skip("no case")
    plan = solve(case.edited([{"setting": "objective", "value": ["cost"]}]))
    if not plan.found:
        pytest.skip("no plan")
    parts = split_of(plan)
    paid = paid_by_prices(plan).groupby(["measure", "city"])["value"].sum()
    scale = max(1.0, float(plan.costs["discounted"].abs().max()))
    for (measure, city, starts, *_), items in (
        (place, parts.items[(parts.items["measure"] == place[0]) & (parts.items["city"] == place[1])])
        for place in parts.places[parts.places["starts"] > 0].itertuples(index=False)
    ):
        others = items[~items["item"].isin(["target", "price"])]["value"].sum() * starts
        reduced = float(items["value"].sum()) * starts
        assert paid.get((measure, city), 0.0) == pytest.approx(others - reduced, abs=1e-6 * scale)
        if set(items["item"]) <= {"annuity", "fixed_om", "target", "price"}:
            assert paid.get((measure, city), 0.0) == pytest.approx(others, abs=1e-5 * scale)


def test_what_the_price_of_a_quantity_pays_is_its_price_times_what_is_cut() -> None:
    plan = solve(read_case(TUTORIAL))
    assert plan.case is not None
    priced = {(row.quantity, row.year) for row in plan.case.prices}
    told = savings(plan)
    told = told[(told["item"] != "own") & (told["part"] == "planned")]
    assert priced
    paid = paid_by_prices(plan)
    paid = paid[paid["item"] == "price"].groupby(["measure", "quantity"])["value"].sum()
    spent = told.groupby(["measure", "item"])["discounted"].sum()
    overlapping = set(plan.overlaps[plan.overlaps["overlap"] > 0]["group"])
    members = {row.measure for row in plan.case.groups if row.group in overlapping}
    alone = [key for key in spent.index if key[0] not in members]
    assert alone
    for measure, quantity in alone:
        assert paid.get((measure, quantity), 0.0) == pytest.approx(-spent[measure, quantity], rel=1e-6, abs=1.0)
