"""The app, driven by AppTest on the tutorial: the plan, its levers, trade-offs, what cannot be had."""

import pytest
from screens import CARBON, CASE, SAME, desktop, finished, moved, opened, ran, slider
from streamlit.testing.v1 import AppTest

from planner import amounts
from planner.engine import Options
from planner.foresight import regret
from planner.plan import solve
from planner.tables import read_case
from planner.text import LANGUAGES, t
from planner.ui import figures, ledgers
from planner.ui.levers import OWN, levers, total


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_runs_in_both_languages(app: AppTest, lang: str) -> None:
    app.query_params["lang"] = lang
    ran(app)
    case = read_case(CASE)
    assert app.title[0].value == case.settings.title[lang]
    assert [metric.label for metric in app.metric][:2] == [t("ui.figure.cost", lang), t("ui.figure.capex", lang)]
    assert len(app.metric) == 6
    assert not app.warning
    assert not app.error


def test_the_headline_is_what_the_core_says(app: AppTest) -> None:
    ran(app)
    assert app.metric[0].value == "−2.366 亿元"  # expected.json and README: -236.582920 million
    assert app.metric[0].delta == SAME


@pytest.mark.parametrize(
    ("lever", "position"), [("carbon", 960), ("pollutant", -2), ("renewables", 110), ("budget", 90), ("price", 300)]
)
def test_moving_a_lever_shows_what_a_direct_solve_gives(app: AppTest, lever: str, position: int) -> None:
    ran(app)
    slider(app, lever).set_value(position)
    ran(app)
    plan = moved(position, lever)
    assert plan.found
    shown = desktop(app).shown.plan
    assert shown.objective == pytest.approx(plan.objective, rel=1e-9)
    case = read_case(CASE)
    own = solve(case, Options(break_ties=False, prices=False))
    expected = figures.headline(case, levers(case), plan, own, "zh")
    # Plans of equal cost may differ, so only what is unique is compared: the cost and its difference.
    assert app.metric[0].value == expected[0].value
    assert (app.metric[0].delta or None) == (expected[0].delta or SAME)


def test_positions_survive_a_change_of_language_and_stand_in_the_link(app: AppTest) -> None:
    ran(app)
    slider(app, CARBON).set_value(960)
    ran(app)
    app.segmented_control(key="lang").set_value("en")
    ran(app)
    english = slider(app, "carbon", "en")
    assert english.value == 960
    english.set_value(965)
    ran(app)
    app.segmented_control(key="lang").set_value("zh")
    ran(app)
    assert slider(app, CARBON).value == 965
    link = {name: app.query_params[name] for name in app.query_params if name != "trail"}
    assert link == {"lang": "zh", "case": "tutorial", "carbon": "965"}


def test_a_link_restores_the_levers(app: AppTest) -> None:
    for name, value in (("case", "tutorial"), ("lang", "zh"), ("carbon", "960"), ("budget", "nonsense")):
        app.query_params[name] = value
    ran(app)
    assert slider(app, CARBON).value == 960
    assert slider(app, "budget").value == 100
    assert desktop(app).shown.draft.positions["carbon"] == 960


def test_without_a_plan_the_words_say_so_and_the_last_plan_stays(app: AppTest) -> None:
    ran(app)
    slider(app, CARBON).set_value(960)
    ran(app)
    before = [metric.value for metric in app.metric]
    slider(app, CARBON).set_value(900)
    ran(app)
    assert moved(900).status == "infeasible"
    assert "没有方案" in app.warning[0].value
    assert "2020年的 90%" in app.warning[0].value
    assert [metric.value for metric in app.metric] == before
    app.button(key="back").click()
    ran(app)
    assert slider(app, CARBON).value == 960
    assert not app.warning


def test_reset_brings_the_case_back(app: AppTest) -> None:
    ran(app)
    before = [metric.value for metric in app.metric]
    slider(app, CARBON).set_value(960)
    slider(app, "budget").set_value(110)
    ran(app)
    app.button(key="reset_carbon").click()
    ran(app)
    assert slider(app, CARBON).value == OWN
    assert slider(app, "budget").value == 110
    app.button(key="reset_all").click()
    ran(app)
    assert [metric.value for metric in app.metric] == before


@pytest.mark.parametrize("tab", ["portfolio", "budgets", "paths"])
def test_every_tab_with_a_table_opens(app: AppTest, tab: str) -> None:
    app.session_state["tabs_zh"] = t(f"ui.tab.{tab}", "zh")
    ran(app)
    assert len(app.dataframe) == 1


def test_what_comes_in_is_told_in_words_and_as_a_table(app: AppTest) -> None:
    ran(app)
    slider(app, "price").set_value(450)
    ran(app)
    assert desktop(app).shown is not None
    before, after = desktop(app).own, desktop(app).shown.plan  # type: ignore[union-attr]
    assert before is not None
    frame = ledgers.shifts(read_case(CASE), before, after, "zh")
    starts = {side: plan.measures.set_index("measure")["starts"] for side, plan in (("b", before), ("a", after))}
    for row in frame.itertuples():
        was, now = float(starts["b"].get(row.id, 0.0)), float(starts["a"].get(row.id, 0.0))
        kind = "new" if was == 0 else "out" if now == 0 else "more" if now > was else "less"
        assert row.shift == kind
    alike = set(starts["a"].index) - set(frame["id"])
    assert all(starts["a"][m] == pytest.approx(starts["b"].get(m, 0.0), rel=2e-3) for m in alike)
    assert frame["capex"].sum() * 1e8 == pytest.approx(
        after.portfolio["capex"].sum() - before.portfolio["capex"].sum(), rel=1e-3
    )
    told = next(one.value for one in app.markdown if one.value.startswith("**措施"))
    for shift in ("new", "more", "less", "out"):
        count = int((frame["shift"] == shift).sum())
        assert (t(f"ui.shift.told.{shift}", "zh", count=count, names="x").split("（")[0] in told) == bool(count)
    app.session_state["tabs_zh"] = t("ui.tab.shifts", "zh")
    ran(app)
    assert len(app.dataframe[-1].value) == len(frame)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_plan_page_has_a_map_of_the_cities(app: AppTest, lang: str) -> None:
    app.query_params["lang"] = lang
    ran(app)
    app.session_state[f"tabs_{lang}"] = t("ui.tab.map", lang)
    ran(app)
    (shown,) = [one for one in app.button_group if one.key == f"cities_show_tab_{lang}"]
    assert shown.value == "capex"


def test_the_frontier_has_ten_points_that_cost_more_the_less_is_emitted(app: AppTest) -> None:
    opened(app, "tradeoffs")
    app.button(key="frontier").click()
    ran(app)
    finished(app, "frontier")
    traced = app.session_state["job_tutorial_frontier"][1].future.result()
    points = traced.points
    assert (traced.x, traced.y, len(points)) == ("co2", "cost", 10)
    for point in (0, 5, 9):  # what a click on it loads is that very point
        plan = solve(read_case(CASE).edited(traced.edits(point)), Options(break_ties=False, prices=False))
        assert plan.objective == pytest.approx(points["cost"][point], rel=1e-4)
    by_total = points.sort_values("x")
    assert by_total["cost"].is_monotonic_decreasing
    assert points["cost"].min() == pytest.approx(desktop(app).shown.plan.objective, rel=1e-6)
    assert not app.error


@pytest.mark.parametrize(("x", "y", "more"), [("capex", "cost", False), ("clean_power", "capex", True)])
def test_any_two_things_are_traded_off_and_a_point_is_reproduced(app: AppTest, x: str, y: str, more: bool) -> None:
    opened(app, "tradeoffs")
    app.selectbox(key="frontier_x_tutorial_zh").set_value(x)
    ran(app)
    app.selectbox(key="frontier_y_tutorial_zh").set_value(y)
    app.button_group(key="frontier_points_zh").set_value([6])
    ran(app)
    app.button(key="frontier").click()
    ran(app)
    finished(app, "frontier")
    traced = app.session_state["job_tutorial_frontier"][1].future.result()
    points = traced.points
    assert (traced.x, traced.y) == (x, y)
    assert points["x"].is_monotonic_increasing if more else points["x"].is_monotonic_decreasing
    assert points["y"].is_monotonic_increasing
    point = int(points["point"].iloc[-2])
    row = points[points["point"] == point].iloc[0]
    plan = solve(read_case(CASE).edited(traced.edits(point)), Options(break_ties=False, prices=False))
    assert plan.objective == pytest.approx(
        row["cost"], rel=1e-3
    )  # bounds on both axes leave room for their last digits
    assert float(total(plan, "co2")["planned"].sum()) > 0
    if x != "capex":
        reached = float(total(plan, x)["planned"].sum())
        assert reached >= float(row["x"]) * (1 - 1e-5)
    assert not app.error


@pytest.mark.parametrize("lang", LANGUAGES)
def test_regret_is_what_the_core_says(app: AppTest, lang: str) -> None:
    app.query_params["lang"] = lang
    opened(app, "tradeoffs")
    app.multiselect(key=f"regret_years_tutorial_{lang}").set_value([2025])
    ran(app)
    app.button(key="regret").click()
    ran(app)
    finished(app, "regret")
    expected = regret(read_case(CASE), (2025,))
    shown = {metric.label: metric.value for metric in app.metric}
    money = amounts.money("million", "CNY", lang)
    assert shown[t("ui.regret.money", lang)].startswith(
        amounts.number(expected.money * money.factor).replace("-", figures.MINUS)
    )
    frame = next(one.value for one in app.dataframe if "horizon" in one.value)
    assert frame["horizon"].tolist() == expected.stages["horizon"].tolist()
    assert frame["cost"].to_numpy() == pytest.approx(expected.stages["cost"].to_numpy() * money.factor, rel=1e-6)


def test_long_work_can_be_cancelled(app: AppTest) -> None:
    opened(app, "tradeoffs")
    app.button(key="frontier").click()
    ran(app)
    if not app.session_state["job_tutorial_frontier"][1].future.done():
        app.button(key="cancel_frontier").click()
        ran(app)
        assert "job_tutorial_frontier" not in app.session_state


def test_the_furthest_that_can_be_had_is_accepted_by_a_button(app: AppTest) -> None:
    ran(app)
    slider(app, CARBON).set_value(900)
    ran(app)
    assert app.warning
    for _ in range(3):  # arithmetic alone may promise more than all limits together allow
        if app.warning:
            app.button(key="accept").click()
            ran(app)
    assert not app.warning
    (cap,) = [row for row in desktop(app).shown.plan.case.targets if row.target.startswith("lever_cap")]
    assert -0.1 < cap.value < -0.04
    assert slider(app, CARBON).value == OWN
    app.button(key="undo").click()
    ran(app)
    app.button(key="undo").click()
    ran(app)
    app.button(key="redo").click()
    ran(app)
    assert desktop(app).history.redoable


def test_the_reasons_are_explained_and_a_way_out_is_applied(app: AppTest) -> None:
    ran(app)
    slider(app, CARBON).set_value(900)
    ran(app)
    app.button(key="why").click()
    ran(app)
    finished(app, "why")
    text = " ".join(one.value for one in app.markdown)
    assert t("conflict.title", "zh") in text
    diagnosis = app.session_state["job_tutorial_why"][1].future.result()
    assert diagnosis.menu
    app.button(key="repair_0").click()
    ran(app)
    assert not app.warning
    assert desktop(app).shown.plan.objective == pytest.approx(diagnosis.menu[0].cost, rel=1e-6)
