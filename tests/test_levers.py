"""Levers are found in the case, whatever place it is about."""

from pathlib import Path

import pytest

from planner.case import Case
from planner.engine import Options
from planner.plan import solve
from planner.tables import read_case
from planner.ui.levers import OWN, baseline_levels, cap_years, levers, short_name, total

CASES = Path(__file__).parent.parent / "cases"


@pytest.fixture(scope="module")
def tutorial() -> Case:
    return read_case(CASES / "tutorial")


def test_the_tutorial_offers_all_five(tutorial: Case) -> None:
    found = {lever.id: lever for lever in levers(tutorial)}
    assert list(found) == ["carbon", "pollutant", "renewables", "budget", "price"]
    assert found["carbon"].quantity is not None
    assert found["carbon"].quantity.quantity == "co2"
    assert found["carbon"].years == (2026, 2030)  # the peak year to the end
    assert found["pollutant"].target is not None
    assert found["pollutant"].target.target == "nox_change"
    assert found["renewables"].target is not None
    assert found["renewables"].target.target == "clean_level"


def test_a_lever_at_its_own_position_changes_nothing(tutorial: Case) -> None:
    for lever in levers(tutorial):
        assert lever.own in lever.positions
        assert lever.edits(tutorial, lever.own) == []


def test_every_position_gives_a_valid_case(tutorial: Case) -> None:
    for lever in levers(tutorial):
        for position in (lever.positions[0], lever.positions[-1]):
            edited = tutorial.edited(lever.edits(tutorial, position))
            assert (edited.digest == tutorial.digest) == (position == lever.own)


def test_the_loosest_cap_lies_above_the_baseline(tutorial: Case) -> None:
    carbon = levers(tutorial)[0]
    # Baseline 2030 is 9907.5 of 9375 kt in 2020: 105.7 %, in steps of half a percent.
    assert carbon.positions[-2] == 1060
    assert carbon.positions[-1] == OWN
    assert carbon.positions[0] == 950  # 90 % of 1060 is 954
    assert carbon.quantity is not None
    assert baseline_levels(tutorial, carbon.quantity, [2020, 2030]) == pytest.approx([9375.0, 9907.5])


def test_with_the_own_plan_the_cap_begins_where_it_bites(tutorial: Case) -> None:
    plan = solve(tutorial, Options(break_ties=False, prices=False))
    # The own plan emits 9073 kt in 2026, 96.8 % of 9375 kt in 2020, and less afterwards.
    assert levers(tutorial, plan)[0].positions[-2:] == (970, OWN)


def test_a_cap_is_a_target_in_percent_of_the_base_year(tutorial: Case) -> None:
    edited = tutorial.edited(levers(tutorial)[0].edits(tutorial, 960))
    cap = edited.targets[-1]
    assert (cap.kind, cap.quantity, cap.sense, cap.value) == ("change", "co2", "<=", pytest.approx(-0.04))
    assert (cap.first_year, cap.last_year) == (2026, 2030)
    assert "96" in (cap.name_zh or "")


def test_budgets_are_scaled_alike(tutorial: Case) -> None:
    edited = tutorial.edited(levers(tutorial)[3].edits(tutorial, 80))
    assert [row.limit for row in edited.budgets] == pytest.approx([0.8 * row.limit for row in tutorial.budgets])


def test_positions_are_told_with_their_unit(tutorial: Case) -> None:
    carbon, pollutant, renewables, budget, price = levers(tutorial)
    assert carbon.shown(965, "en") == "9.0 % less"  # the loosest is 106 %: 1 - 96.5 / 106
    assert carbon.noted(tutorial, 965, "en") == "at most 96.5 % of 2020"
    assert pollutant.shown(5, "en") == "−25 %"
    assert renewables.shown(110, "zh") == "15.40 亿千瓦时"
    assert renewables.shown(110, "en") == "1,540 GWh"
    assert budget.shown(90, "zh") == "90%"
    assert price.shown(150, "en") == "150 CNY/t"
    assert price.shown(0, "zh") == "不计碳价"


def test_the_carbon_price_is_counted_and_its_path_scaled(tutorial: Case) -> None:
    price = levers(tutorial)[-1]
    assert (price.own, price.positions[0], price.positions[-1]) == (0, 0, 450)  # 150 CNY/t in 2030, and three times it
    edited = tutorial.edited(price.edits(tutorial, 300))
    assert edited.settings.components == ("market", "carbon")
    paid = {row.year: row.price for row in edited.prices if row.component == "carbon"}
    assert paid == {2021: pytest.approx(120000), 2030: pytest.approx(300000)}  # twice 60 and 150 CNY/t
    assert levers(edited)[-1].own == 300
    assert price.edits(tutorial, 0) == []


def test_a_carbon_price_that_counts_can_be_taken_away(tutorial: Case) -> None:
    counted = tutorial.edited([{"setting": "perspective", "value": ["private"]}])
    price = levers(counted)[-1]
    assert price.own == 150
    assert counted.edited(price.edits(counted, 0)).settings.components == ("market", "tax")


def test_a_carbon_price_makes_what_emits_less_no_dearer(tutorial: Case) -> None:
    def emitted(position: int) -> float:
        plan = solve(tutorial.edited(price.edits(tutorial, position)), Options(break_ties=False, prices=False))
        return float(total(plan, "co2")["planned"].sum())

    price = levers(tutorial)[-1]
    levels = [emitted(position) for position in (0, 150, 450)]
    assert levels[0] >= levels[1] - 1e-6 >= levels[2] - 2e-6
    assert levels[2] < levels[0] - 1


def test_a_case_without_targets_and_budgets_offers_only_a_cap(tutorial: Case) -> None:
    remove = [{"table": "targets", "key": {"target": row.target}, "remove": True} for row in tutorial.targets]
    remove += [{"table": "budgets", "key": {"budget": row.budget}, "remove": True} for row in tutorial.budgets]
    bare = tutorial.edited(remove)
    assert [lever.id for lever in levers(bare)] == ["carbon", "price"]
    assert cap_years(bare, "co2") == (2030, 2030)


def test_soft_and_local_targets_are_no_levers(tutorial: Case) -> None:
    soft = {"table": "targets", "key": {"target": "nox_change"}, "set": {"soft_penalty": 1000}}
    local = {"table": "targets", "key": {"target": "nox_projects"}, "set": {"scope": "inland"}}
    assert [lever.id for lever in levers(tutorial.edited([soft, local]))] == ["carbon", "renewables", "budget", "price"]


def test_short_names_drop_what_stands_in_brackets(tutorial: Case) -> None:
    quantity = tutorial.quantities[0].model_copy(update={"name_zh": "二氧化碳(能源与过程)", "name_en": "CO2 (energy)"})
    assert (short_name(quantity, "zh"), short_name(quantity, "en")) == ("二氧化碳", "CO2")
