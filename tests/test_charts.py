"""Charts are valid Vega-Lite, and their frames add up."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import altair
import pandas as pd
import pytest

from planner import charts
from planner.engine import Options
from planner.plan import Plan, solve
from planner.tables import read_case
from planner.ui import figures, ledgers

CASE = read_case(Path(__file__).parent.parent / "cases" / "tutorial")
WORDS = dict.fromkeys(
    ("value", "cut", "year", "sector", "baseline", "plan", "target", "total", "cost", "current", "point", "group"), "x"
)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return solve(CASE, Options(break_ties=False, prices=False))


def fields(spec: Any) -> set[str]:
    """Every field a chart reads."""
    if isinstance(spec, dict):
        own = {spec["field"]} if isinstance(spec.get("field"), str) else set()
        return own.union(*map(fields, spec.values()))
    return set().union(*map(fields, spec)) if isinstance(spec, list) else set()


@pytest.mark.parametrize("ground", [charts.LIGHT, charts.DARK])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_charts_are_valid_and_read_columns_of_their_frames(plan: Plan, lang: str, ground: charts.Ground) -> None:
    points = pd.DataFrame({"point": [0, 1], "total": [1.0, 2.0], "cost": [4.0, 3.0]})
    for spec, frame in (
        (charts.wedge(WORDS, figures.colours(CASE, lang), ground), figures.wedge(CASE, plan, "co2", lang)),
        (charts.paths(WORDS, ground), figures.path(CASE, plan, "co2", lang)),
        (charts.frontier(WORDS, ground), figures.frontier(CASE, points, plan, "co2", lang)),
        (charts.stacked(WORDS, figures.colours(CASE, lang), ground), ledgers.spending(CASE, plan, "sector", lang)),
        (
            charts.clustered(WORDS, {"one": "#000000"}, ground),
            ledgers.sector_spending(CASE, {"one": plan, "two": plan}, lang),
        ),
        (
            charts.bars(WORDS, ground),
            ledgers.cities(CASE, plan, lang).rename(columns={"city": "group", "cut": "value"}),
        ),
    ):
        altair.Chart.from_dict({**spec, "data": {"name": "frame"}}, validate=True)
        assert fields(spec) <= {*frame.columns, "last"}


def test_a_map_is_valid() -> None:
    shape = {
        "type": "Feature",
        "id": "a",
        "properties": {"value": 1.0, "name": "A", "label_lon": 1.0, "label_lat": 1.0},
    }
    shape["geometry"] = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}
    for ground in (charts.LIGHT, charts.DARK):
        spec = charts.choropleth(
            {"value": "x", "name": "y"}, {"type": "FeatureCollection", "features": [shape]}, ground
        )
        altair.Chart.from_dict(spec, validate=True)


def test_the_wedge_fills_the_space_between_baseline_and_plan(plan: Plan) -> None:
    frame = figures.wedge(CASE, plan, "co2", "en")
    cuts = frame[frame["part"] == "cut"].groupby("year")["value"].sum()
    lines = frame.pivot_table(index="year", columns="part", values="value", aggfunc="sum")
    gap = lines["baseline"] - lines["planned"]
    assert cuts.to_numpy() == pytest.approx(gap.to_numpy(), abs=1e-4 * lines["baseline"].max())
    tops = frame[frame["part"] == "cut"].groupby("year")["high"].max()
    assert tops.to_numpy() == pytest.approx(lines["baseline"].to_numpy(), rel=1e-4)


def test_a_sector_that_emits_more_is_drawn_below_the_plan_in_its_true_size(plan: Plan) -> None:
    rising = plan.quantities.copy()
    of = (rising["quantity"] == "co2") & (rising["sector"] == "transport") & (rising["city"] == "harbor")
    rising.loc[of, "planned"] = rising.loc[of, "baseline"] + 100.0  # 100 kt more than in the baseline
    frame = figures.wedge(CASE, replace(plan, quantities=rising), "co2", "en")
    more = frame[frame["sector"] == "Transport"]
    planned = frame[frame["part"] == "planned"].set_index("year")["value"]
    assert more["high"].to_numpy() == pytest.approx(planned.loc[more["year"]].to_numpy())
    assert (more["high"] - more["low"]).to_numpy() == pytest.approx(-more["value"].to_numpy())
    assert more["value"].max() == pytest.approx(-100.0, abs=1.0)
    assert figures.rising(frame)
    others = frame[(frame["part"] == "cut") & (frame["sector"] != "Transport")]
    baseline = frame[frame["part"] == "baseline"].set_index("year")["value"]
    over = others.groupby("year")["high"].max() - baseline
    assert over.to_numpy() == pytest.approx(-more["value"].to_numpy(), abs=1e-6)


def test_sectors_keep_their_colour_whatever_is_drawn() -> None:
    assert figures.colours(CASE, "en") == dict(zip(["Power", "Industry", "Transport"], charts.SECTORS[:3], strict=True))
    assert len(set(charts.SECTORS)) == len(charts.SECTORS) == 10


def test_target_states_name_the_tightest_year_in_natural_units(plan: Plan) -> None:
    states = {state.target: state for state in figures.target_states(CASE, plan, "en")}
    assert len(states) == len(CASE.targets)
    # README: the soft inland target is missed by 588.1 t of 4550 t in 2020, 12.9 points; clean_share has room.
    assert states["inland_nox"].words == "soft, missed by 12.9 points · 2030"
    assert states["co2_budget"].state == "exact"
    # 1542.24 of 3351.69 GWh coal power is 46.01 %, 1.0 points above 45 %.
    assert states["clean_share"].words == "1.0 points to spare · 2028"


def test_ceilings_are_the_lowest_bound_of_each_year(plan: Plan) -> None:
    bounds = figures.ceilings(CASE, plan, "co2")
    assert sorted(bounds) == [2025, 2027, 2028, 2029, 2030]  # the intensity target of 2025, then the peak
    assert bounds[2025] == pytest.approx(9201.5625)  # (1 - 0.245) * 9375 * 1.3
