"""A second real place: the published curve comes back where it must, and what sequencing changes about it."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from planner.case import Case
from planner.engine import Options
from planner.foresight import regret
from planner.plan import Plan, solve
from planner.tables import read_case

BRAZIL = Path(__file__).parent.parent / "cases" / "brazil"
PRICED = Options(break_ties=False)


@cache
def brazil() -> Case:
    return read_case(BRAZIL)


@cache
def plan() -> Plan:
    return solve(brazil(), Options(prices=False))


def published() -> dict[str, float]:
    """Cost of each measure [USD per kt CO2e]."""
    return {row.measure: float(row.fixed_om or 0.0) for row in brazil().measure_costs}


def most() -> dict[str, float]:
    """Potential of each measure [kt/yr]."""
    return {row.measure: row.potential for row in brazil().potentials}


def told(column: str) -> dict[str, float]:
    """A column of the published scenario by measure [kt]."""
    return {row.measure: float(row.extra[column]) for row in brazil().potentials}


def test_targets_are_what_the_published_scenario_abates() -> None:
    bounds = {row.target: row.value for row in brazil().targets}
    for target, column in (
        ("abated_2020", "x_published_2020"),
        ("abated_2030", "x_published_2030"),
        ("abated_total", "x_published_2010_2030"),
    ):
        whole = sum(told(column).values())
        assert bounds[target] == pytest.approx(whole, abs=1.0)  # rounded down to whole kt
    assert sum(told("x_published_2010_2030").values()) == pytest.approx(10_862_254, abs=1)
    assert all(told("x_published_2030")[m] <= potential for m, potential in most().items())


def only_2030(share: float) -> Case:
    """The case with one target, a part of what the scenario abates in 2030, and without limits of speed."""
    target = next(row.value for row in brazil().targets if row.target == "abated_2030")
    assert target is not None
    edits: list[dict[str, Any]] = [
        {"table": "targets", "key": {"target": name}, "remove": True} for name in ("abated_2020", "abated_total")
    ]
    edits += [{"table": "targets", "key": {"target": "abated_2030"}, "set": {"value": share * target}}]
    edits += [{"table": "measures", "key": {"measure": m}, "set": {"ramp": 1.0}} for m in published()]
    return brazil().edited(edits)


@pytest.mark.parametrize("share", [0.5, 0.75, 0.95])
def test_without_speeds_the_order_is_that_of_the_published_curve(share: float) -> None:
    """One target in one year: measures that save serve from their first year, the others only then and in order."""
    case = only_2030(share)
    found = solve(case, PRICED)
    left, filled, cost, marginal = case.targets[0].value or 0.0, {}, 0.0, 0.0
    first = {row.measure: row.first_year or 2010 for row in case.measures}
    for measure, price in sorted(published().items(), key=lambda item: item[1]):
        amount = most()[measure] if price < 0 else min(most()[measure], max(left, 0.0))
        left -= amount
        filled[measure] = amount
        marginal = price if amount > 0 else marginal
        years = range(first[measure], 2031) if price < 0 else [2030]
        cost += sum(price * amount / 1.08 ** (year - 2009) for year in years)
    assert left == pytest.approx(0.0, abs=1e-6)
    stock = found.portfolio[found.portfolio["year"] == 2030].set_index("measure")["stock"]
    for measure, amount in filled.items():
        assert stock.get(measure, 0.0) == pytest.approx(amount, abs=1e-3), measure
    assert found.objective == pytest.approx(cost, rel=1e-8)  # nine significant digits
    (row,) = found.targets.itertuples()
    assert row.price_tighten == pytest.approx(marginal)  # the price of a tonne is the cost of the last box


def test_the_same_tonnes_cost_less_in_a_better_order() -> None:
    abated = -plan().quantities.assign(cut=lambda of: of["planned"] - of["baseline"])["cut"].sum()
    assert abated == pytest.approx(10_862_253, rel=1e-6)
    paid = plan().costs.loc[plan().costs["item"] == "fixed_om", "value"].sum()
    scenario = sum(amount * published()[m] for m, amount in told("x_published_2010_2030").items())
    assert scenario == pytest.approx(79.52e9, rel=1e-3)
    assert paid == pytest.approx(24.22e9, rel=1e-3)


def test_slow_measures_begin_before_cheaper_ones_are_used_up() -> None:
    """What the published analysis warns of: the order of the curve is not the order of the years."""
    started = plan().portfolio[plan().portfolio["starts"] > 0].groupby("measure")["year"].min()
    assert published()["restoration"] > published()["refinery_heat"]
    assert started["restoration"] < started["refinery_heat"]
    assert published()["rail_water"] > published()["refinery_design"]
    assert started["rail_water"] < started["refinery_design"]


def test_planning_for_2020_alone_locks_2030_out() -> None:
    found = regret(brazil(), [2020])
    assert not found.kept
    missed = found.targets.set_index("target")["missed"]
    assert missed["abated_2030"] == pytest.approx(9559, rel=1e-3)
    assert {"rail_water", "bike_lanes", "restoration"} <= set(found.lost["measure"])
    assert not {"refinery_heat", "refinery_fouling", "refinery_control"} & set(found.lost["measure"])
