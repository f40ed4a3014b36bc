"""Charts are valid Vega-Lite, and their frames add up."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import altair
import pandas as pd
import pytest

from planner import charts
from planner.credit import cost_curve, credit
from planner.engine import Options
from planner.explanation import Reasons, split_of
from planner.plan import Plan, solve
from planner.tables import read_case
from planner.ui import curves, figures, ledgers, tracing
from planner.ui.draft import Draft

CASE = read_case(Path(__file__).parent.parent / "cases" / "tutorial")
WORDS = dict.fromkeys(
    (
        *("value", "cut", "year", "sector", "baseline", "plan", "target", "total", "cost", "current", "point", "group"),
        *("abated", "measure", "price", "years", "from", "until", "amount", "name", "team", "quantity"),
    ),
    "x",
)

BOARD = pd.DataFrame(
    [("team", "a", "one", 1.0, 2.0, True), ("frontier", "", "", 1.0, 1.0, True)],
    columns=["part", "team", "name", "total", "cost", "last"],
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
    points = pd.DataFrame({"point": [0, 1], "x": [2.0, 1.0], "y": [3.0, 4.0], "cost": [3.0, 4.0]})
    traced = tracing.Traced(CASE, Draft(), "co2", "cost", points)
    for spec, frame in (
        (charts.wedge(WORDS, figures.colours(CASE, lang), ground), figures.wedge(CASE, plan, "co2", lang)),
        (charts.paths(WORDS, ground), figures.path(CASE, plan, "co2", lang)),
        (charts.frontier(WORDS, ground), tracing.frame(traced, plan, True, lang)),
        (charts.stacked(WORDS, figures.colours(CASE, lang), ground), ledgers.spending(CASE, plan, "sector", lang)),
        (
            charts.clustered(WORDS, {"one": "#000000"}, ground),
            ledgers.sector_spending(CASE, {"one": plan, "two": plan}, lang),
        ),
        (
            charts.bars(WORDS, ground),
            ledgers.cities(CASE, plan, lang).rename(columns={"city": "group", "cut": "value"}),
        ),
        (
            charts.cost_curve(WORDS, figures.colours(CASE, lang), (0.0, 1.0), ground),
            curves.cost_curve(CASE, plan, "co2", 2030, lang)[0],
        ),
        (charts.pace(WORDS, ground), curves.pace(CASE, plan, "co2", lang)),
        (charts.board(WORDS, {"a": "#000000"}, ground), BOARD),
        (charts.roadmap(WORDS, figures.colours(CASE, lang), (2021, 2030), ground), curves.roadmap(CASE, plan, lang)),
        (charts.heat(WORDS, ground), curves.heat(CASE, plan, 2030, lang)),
        (charts.payers(WORDS, ground), curves.payers(Reasons(CASE, split_of(plan), lang), "pv", lang)),
    ):
        altair.Chart.from_dict({**spec, "data": {"name": "frame"}}, validate=True)
        assert len(frame)
        assert fields(spec) <= {*frame.columns, "last", "middle"}


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


def test_boxes_of_the_cost_curve_have_no_gaps_and_add_up_to_what_is_abated(plan: Plan) -> None:
    frame, (low, high) = curves.cost_curve(CASE, plan, "co2", 2030, "en")
    boxes = frame[frame["part"] == "box"]
    assert boxes["value"].is_monotonic_increasing
    assert boxes["left"].tolist() == pytest.approx([0.0, *boxes["right"].tolist()[:-1]])
    curve = cost_curve(plan, "co2", 2030)
    assert boxes["right"].iloc[-1] == pytest.approx(curve["abated"].sum())
    # Areas are money: CNY per t times kt is thousand CNY.
    assert (boxes["value"] * boxes["abated"]).sum() * 1e3 == pytest.approx(curve["cost"].sum())
    (price,) = frame.loc[frame["part"] == "price", "value"]
    assert low < 0 < price < high


def test_the_roadmap_begins_with_the_first_start_and_ends_when_all_is_built(plan: Plan) -> None:
    frame = curves.roadmap(CASE, plan, "en")
    starts = plan.portfolio[plan.portfolio["starts"] > 0].groupby("measure")["year"]
    leads = {row.name_en: row.lead_time for row in CASE.measures}
    names = {row.measure: row.name_en for row in CASE.measures}
    build = frame[frame["part"] == "build"].set_index("measure")
    assert set(build.index) == {names[str(m)] for m in starts.groups}
    for measure, last in starts.max().items():
        name = names[str(measure)]
        assert build.loc[name, "first"] == starts.min()[measure]
        assert build.loc[name, "last"] == min(last + max(leads[name], 1), 2031)


def test_classes_of_the_pace_add_up_to_the_whole_cut_and_are_quarters_at_the_end(plan: Plan) -> None:
    frame = curves.pace(CASE, plan, "co2", "en")
    told = credit(plan)
    told = told[(told["part"] == "planned") & (told["quantity"] == "co2")]
    final = cost_curve(plan, "co2", 2030)["measure"]
    whole = -told[told["measure"].isin(final)].groupby("year")["value"].sum()
    sums = frame.groupby("year")["value"].sum()
    assert sums[whole.index].to_numpy() == pytest.approx(whole.to_numpy())


def test_who_pays_and_who_is_paid_are_even_for_what_is_in_and_told_short_for_what_is_out(plan: Plan) -> None:
    told = Reasons(CASE, split_of(plan), "en")
    for row in CASE.measures:
        frame = curves.payers(told, row.measure, "en")
        if frame.empty:
            continue
        sides = frame[frame["part"] != "left"]["value"].sum()
        left = frame.loc[frame["part"] == "left", "value"].sum()
        size = frame["value"].abs().max()
        assert sides == pytest.approx(left, abs=2e-4 * size * len(frame))
        if curves.started(plan, row.measure):
            assert left == 0


def test_effects_are_shared_by_cases_that_only_ask_for_something_else() -> None:
    tighter = CASE.edited([{"table": "targets", "key": {"target": "nox_change"}, "set": {"value": -0.32}}])
    other = CASE.edited([{"table": "measures", "key": {"measure": "pv"}, "set": {"lifetime": 10}}])
    assert curves.effects(tighter) is curves.effects(CASE)
    assert curves.effects(other) is not curves.effects(CASE)
