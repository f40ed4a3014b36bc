"""The app, driven by Streamlit's AppTest on the tutorial."""

import ast
import json
import re
import shutil
import time
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import SelectSlider

from planner import amounts
from planner.budgets import ladder, worth
from planner.case import Case
from planner.edits import Edit
from planner.engine import Options
from planner.foresight import regret
from planner.formulation import ROWS
from planner.plan import Plan, solve
from planner.scenario import Scenario, read_scenario, write_scenario
from planner.tables import read_case
from planner.text import LANGUAGES, messages, t
from planner.ui import address, curves, figures, ledgers, limiting, risks, sheets, trail, uploads
from planner.ui.draft import Draft, History, differences
from planner.ui.levers import OWN, levers, total
from planner.ui.shared import cases as found_cases
from planner.ui.state import Desktop
from planner.ui.uploads import UploadError

ROOT = Path(__file__).parent.parent
CASE = ROOT / "cases" / "tutorial"
CARBON = "carbon"
SAME = t("ui.figure.same", "zh", name=t("ui.figure.case", "zh"))
SCREENS = [ROOT / "app.py", *sorted((ROOT / "planner" / "ui").glob("*.py"))]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AppTest:
    monkeypatch.setenv("PLANNER_CASE", "tutorial")
    monkeypatch.setenv("PLANNER_STORE", str(tmp_path / "store.sqlite"))
    return another()


def another() -> AppTest:
    """The app in another browser."""
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)


def ran(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception
    return app


def desktop(app: AppTest) -> Desktop:
    """What the visitor has of the tutorial."""
    found: Desktop = app.session_state["desktop_tutorial"]
    return found


def slider(app: AppTest, lever: str, lang: str = "zh") -> SelectSlider[int]:
    """The slider of a lever; another one takes its place where the lever is moved otherwise."""
    (found,) = [one for one in app.select_slider if (one.key or "").startswith(f"lever_tutorial_{lever}_{lang}_")]
    return found


def finished(app: AppTest, slot: str) -> AppTest:
    """After long work is done."""
    app.session_state[f"job_tutorial_{slot}"][1].future.result(120)
    return ran(app)


def moved(position: int, lever: str = "carbon") -> Plan:
    """What the core answers when a lever of the tutorial is moved."""
    case = read_case(CASE)
    edits = next(one for one in levers(case) if one.id == lever).edits(case, position)
    return solve(case.edited(edits), Options(break_ties=False, prices=False))


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


def opened(app: AppTest, page: str) -> AppTest:
    """On another page."""
    ran(app).switch_page(f"planner/ui/{page}.py")
    return ran(app)


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


# ---------------------------------------------------------------- what cannot be had


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


# ---------------------------------------------------------------- edits


def typed(app: AppTest, table: str, **what: Any) -> AppTest:
    """Somebody edits a table."""
    app.segmented_control(key="sheet_zh").set_value(table)
    ran(app)
    key = f"editor_{table}_zh_{answered(app).digest[:12]}"
    app.session_state[key] = {"edited_rows": {}, "added_rows": [], "deleted_rows": [], **what}
    return ran(app)


def answered(app: AppTest) -> Case:
    """The case that the plan on screen answers."""
    shown = desktop(app).shown
    assert shown is not None and shown.plan.case is not None
    return shown.plan.case


def test_a_target_is_edited_applied_and_undone(app: AppTest) -> None:
    opened(app, "editing")
    number = next(i for i, row in enumerate(read_case(CASE).targets) if row.target == "nox_change")
    typed(app, "targets", edited_rows={number: {"value": -32.0}})
    app.button(key="apply").click()
    ran(app)
    assert desktop(app).shown.plan.objective == pytest.approx(moved(-2, "pollutant").objective, rel=1e-9)
    app.button(key="undo").click()
    ran(app)
    assert answered(app).digest == read_case(CASE).digest


def test_faults_of_an_edited_table_are_placed_by_row_and_nothing_is_applied(app: AppTest) -> None:
    opened(app, "editing")
    typed(app, "targets", edited_rows={"0": {"kind": "share"}, "1": {"first_year": 2050}}, added_rows=[{"value": 3}])
    words = app.error[0].value
    assert t("ui.table.targets", "zh") in words
    assert "第1行" in words.replace(" ", "")
    assert app.button(key="apply").disabled
    assert answered(app).digest == read_case(CASE).digest


def test_rows_are_added_and_taken_away(app: AppTest) -> None:
    opened(app, "editing")
    typed(app, "pins", deleted_rows=[0], added_rows=[{"measure": "pv", "on": "starts", "max": 1000.0}])
    assert not app.error
    app.button(key="apply").click()
    ran(app)
    case = read_case(CASE)
    pins = answered(app).pins
    assert case.pins[0].pin not in [row.pin for row in pins]
    assert (pins[-1].measure, pins[-1].max) == ("pv", pytest.approx(1000.0 / amounts.unit("MW", "zh").factor))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("table", sheets.SHEETS)
def test_an_untouched_sheet_gives_back_its_rows(table: str, lang: str) -> None:
    case = read_case(CASE)
    frame = sheets.sheet(case, table, lang)
    cells = {
        i: {name: None if pd.isna(value) else value for name, value in row.items()}
        for i, row in enumerate(frame.to_dict("records"))
    }
    made, faults = sheets.faults(case, table, sheets.Typed(cells, (), ()), lang)
    assert not faults
    assert len(made) == len(case.rows(table))
    again = case.edited(made)
    assert not differences(case, again)


# ---------------------------------------------------------------- pages

PAGES = (
    *(
        "planning",
        "editing",
        "measuring",
        "tradeoffs",
        "spending",
        "comparing",
        "firmness",
        "places",
        "method",
        "filing",
    ),
)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_in_both_languages(app: AppTest, page: str, lang: str) -> None:
    app.query_params["lang"] = lang
    opened(app, page)
    assert not app.error
    assert app.title[0].value
    for one in app.markdown:  # a constant's documentation is no part of a page
        assert not one.value.startswith(("Points of", "Pages by", "What a map"))


def test_sliders_stand_alike_on_every_page(app: AppTest) -> None:
    ran(app)
    slider(app, CARBON).set_value(960)
    ran(app)
    for page in ("tradeoffs", "spending", "places", "comparing", "planning", "method", "places"):
        opened(app, page)
        if page != "method":
            assert slider(app, CARBON).value == 960, page
            assert slider(app, "budget").value == 100, page
    assert desktop(app).history.present.positions == {"carbon": 960}


def test_spending_adds_up_to_the_investment_whoever_it_is_told_by(app: AppTest) -> None:
    plan = moved(OWN)
    case = read_case(CASE)
    whole = plan.portfolio["capex"].sum() / 1e6
    for by in ledgers.BY:
        frame = ledgers.spending(case, plan, by, "en")
        assert frame.loc[frame["part"] == "paid", "value"].sum() == pytest.approx(whole)
    opened(app, "spending")
    app.segmented_control(key="spending_by_zh").set_value("city")
    ran(app)
    assert len(app.metric) == 2


def test_yearly_limits_of_all_funds_add_up() -> None:
    case = read_case(CASE)
    plan = moved(OWN)
    limits = ledgers.yearly_limits(case, plan)
    spent = plan.portfolio.groupby("year")["capex"].sum()
    assert all(spent.get(year, 0.0) <= limit * (1 + 1e-6) for year, limit in limits.items())


def test_cities_add_up_and_a_city_has_its_tasks(app: AppTest) -> None:
    case, plan = read_case(CASE), moved(OWN)
    frame = ledgers.cities(case, plan, "en")
    assert frame["share"].sum() == pytest.approx(100)
    assert frame["capex"].sum() == pytest.approx(plan.portfolio["capex"].sum() / 1e6)
    for city in case.cities:
        tasks = ledgers.tasks(case, plan, city.city, "en")
        own = plan.portfolio[plan.portfolio["city"] == city.city]
        begun = own.groupby("measure")["starts"].sum()
        assert len(tasks) == (begun > 0).sum()
    opened(app, "places")
    assert len(app.dataframe) == 2


def test_a_map_is_drawn_where_one_of_all_cities_is_at_hand() -> None:
    tutorial, jiangxi = read_case(CASE), read_case(ROOT / "cases" / "jiangxi")
    assert ledgers.shapes(tutorial, {}, "en") is None
    found = ledgers.shapes(jiangxi, {row.city: 1.0 for row in jiangxi.cities}, "en")
    assert found is not None
    assert {feature["properties"]["name"] for feature in found["features"]} == {row.name_en for row in jiangxi.cities}


def test_pinned_plans_are_compared_renamed_taken_up_again_and_removed(app: AppTest) -> None:
    ran(app)
    slider(app, CARBON).set_value(960)
    ran(app)
    app.button(key="pin").click()
    ran(app)
    app.button(key="undo").click()
    opened(app, "comparing")
    assert {"案例", "方案1"} <= set(app.dataframe[0].value.columns)
    app.text_input(key="name_1_zh").set_value("更严的碳上限")
    ran(app)
    assert "更严的碳上限" in app.dataframe[0].value.columns
    app.button(key="load_1").click()
    ran(app)
    assert desktop(app).history.present.positions == {"carbon": 960}
    app.button(key="drop_1").click()
    ran(app)
    assert not desktop(app).pinned


def test_the_method_shows_every_family_and_the_certificate(app: AppTest) -> None:
    ran(app)
    for _ in range(600):
        if desktop(app).shown.plan.summary.get("certificate"):
            break
        time.sleep(0.1)
    opened(app, "method")
    assert app.success
    text = " ".join(one.value for one in app.markdown)
    for family in ROWS:
        assert family.name.replace("_", " ") in text


def test_a_plan_and_a_model_are_made_to_be_saved(app: AppTest) -> None:
    opened(app, "filing")
    report = "report_html_zh"
    for what in ("plan", "model_lp", report):
        app.button(key=f"make_{what}").click()
        ran(app)
        finished(app, what)
    data = app.session_state["job_tutorial_plan"][1].future.result()
    names = zipfile.ZipFile(BytesIO(data)).namelist()
    assert "tutorial-plan/portfolio.csv" in names
    assert "tutorial-plan/summary.json" in names
    assert "tutorial-plan/iamc.csv" in names
    page = app.session_state[f"job_tutorial_{report}"][1].future.result().decode()
    assert read_case(CASE).settings.title["zh"] in page
    assert "<svg" in page
    model = app.session_state["job_tutorial_model_lp"][1].future.result()
    assert zipfile.ZipFile(BytesIO(model)).namelist() == ["tutorial-model/tutorial.lp"]


# ---------------------------------------------------------------- uploads


def archive(files: dict[str, str | bytes]) -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as found:
        for name, content in files.items():
            found.writestr(name, content)
    return data.getvalue()


def test_what_is_saved_can_be_loaded_again() -> None:
    case = read_case(CASE)
    assert uploads.taken_case("a.zip", uploads.folder_zip(case)).digest == case.digest
    assert uploads.taken_case("a.xlsx", uploads.workbook(case)).digest == case.digest


SETTINGS = zipfile.ZipFile(BytesIO(uploads.folder_zip(read_case(CASE)))).read("tutorial/case.yaml").decode()
HOSTILE = {
    "no_archive": b"PK\x03\x04 but no archive",
    "strange": archive({"case.yaml": SETTINGS, "../../evil.csv": "a"}),
    "no_settings": archive({"measures.csv": "measure"}),
    "data": archive({"case.yaml": SETTINGS + "\ndata: [/etc]"}),
    "too_many": archive({f"{number}.csv": "a" for number in range(100)}),
    "too_large": archive({"measures.csv": b"0" * 61_000_000}),
}


@pytest.mark.parametrize("key", HOSTILE)
def test_hostile_archives_are_refused(key: str) -> None:
    with pytest.raises(UploadError) as fault:
        uploads.taken_case("evil.zip", HOSTILE[key])
    assert fault.value.key == key
    for lang in LANGUAGES:
        assert t(f"ui.upload.{key}", lang, **fault.value.params)


@pytest.mark.parametrize("name", ["/etc/measures.csv", "a/b/measures.csv", "run.sh", "a\\measures.csv", "case.py"])
def test_strange_members_are_refused(name: str) -> None:
    with pytest.raises(UploadError) as fault:
        uploads.taken_case("evil.zip", archive({"case.yaml": SETTINGS, name: "a"}))
    assert fault.value.key == "strange"


def test_a_link_in_an_archive_is_refused() -> None:
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as found:
        found.writestr("case.yaml", SETTINGS)
        link = zipfile.ZipInfo("measures.csv")
        link.external_attr = 0o120777 << 16
        found.writestr(link, "/etc/passwd")
    with pytest.raises(UploadError):
        uploads.taken_case("evil.zip", data.getvalue())


def test_a_loaded_case_is_chosen_and_a_broken_one_lists_its_faults(app: AppTest) -> None:
    opened(app, "filing")
    good = uploads.folder_zip(read_case(CASE))
    app.file_uploader(key="upload").set_value(("mine.zip", good, "application/zip"))
    ran(app)
    assert not app.error
    app.selectbox(key="case_zh").set_value("tutorial_loaded")
    ran(app)
    assert app.session_state["desktop_tutorial_loaded"].shown is not None
    files = {name: zipfile.ZipFile(BytesIO(good)).read(name) for name in zipfile.ZipFile(BytesIO(good)).namelist()}
    files["tutorial/effects.csv"] = files["tutorial/effects.csv"].replace(b"pv,clean_power", b"pv,clean_powr")
    app.file_uploader(key="upload").set_value(("broken.zip", archive(files), "application/zip"))
    ran(app)
    assert "clean_powr" in app.error[0].value


def test_a_loaded_scenario_is_the_draft(app: AppTest) -> None:
    opened(app, "filing")
    text = """scenario: one
format: 1
case: tutorial
edits:
  - {table: targets, key: {target: nox_change}, set: {value: -0.32}}
"""
    app.file_uploader(key="upload").set_value(("one.yaml", text.encode(), "application/yaml"))
    ran(app)
    assert desktop(app).shown.plan.objective == pytest.approx(moved(-2, "pollutant").objective, rel=1e-9)
    app.file_uploader(key="upload").set_value(("two.yaml", b"scenario: x", "application/yaml"))
    ran(app)
    assert app.error


# ---------------------------------------------------------------- changes


def test_moves_are_undone_and_done_again(app: AppTest) -> None:
    ran(app)
    first = app.metric[0].value
    slider(app, CARBON).set_value(960)
    ran(app)
    second = app.metric[0].value
    assert second != first
    app.button(key="undo").click()
    ran(app)
    assert (app.metric[0].value, slider(app, CARBON).value) == (first, OWN)
    app.button(key="redo").click()
    ran(app)
    assert (app.metric[0].value, slider(app, CARBON).value) == (second, 960)


def test_measures_tell_why_and_are_locked_out_and_in(app: AppTest) -> None:
    opened(app, "measuring")
    finished(app, "reasons")
    frame = app.dataframe[0].value
    plan = desktop(app).shown.plan
    names = {row.name_zh: row.measure for row in read_case(CASE).measures}
    starts = plan.measures.set_index("measure")["starts"]
    assert {names[name] for name in frame.loc[frame["chosen"], "measure"]} == set(starts[starts > 0].index)
    app.selectbox(key="library_sector_tutorial_zh").set_value("工业")
    ran(app)
    first = names[app.dataframe[0].value["measure"].iloc[0]]
    app.button(key="lock_out").click()
    ran(app)
    locked = desktop(app).shown.plan
    assert locked.measures.set_index("measure")["starts"][first] == 0
    assert locked.objective > plan.objective
    app.button(key="undo").click()
    ran(app)
    finished(app, "reasons")
    app.button(key="lock_in").click()
    ran(app)
    assert desktop(app).shown.plan.objective == pytest.approx(plan.objective, rel=1e-6)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_measure_is_capped_in_one_city_and_its_starts_are_bounded(app: AppTest, lang: str) -> None:
    app.query_params["lang"] = lang
    opened(app, "measuring")
    finished(app, "reasons")
    app.selectbox(key=f"library_sector_tutorial_{lang}").set_value(t("ui.measures.every_sector", lang))
    plan = desktop(app).shown.plan
    case = read_case(CASE)
    titles = {one.value for one in app.subheader}
    measure = next(row.measure for row in case.measures if titles & {row.name_zh, row.name_en})
    stock = plan.portfolio[plan.portfolio["measure"] == measure].groupby("city")["stock"].max()
    city = str(stock.idxmax())
    app.selectbox(key=f"limit_city_{measure}_{lang}").set_value(city)
    ran(app)
    suffix = f"{measure}_{city}_{lang}_{plan.case.digest[:8]}"
    unit = amounts.unit(next(row.unit for row in case.measures if row.measure == measure), lang)
    app.number_input(key=f"limit_cap_{suffix}").set_value(float(stock[city]) / 2 * unit.factor)
    app.selectbox(key=f"limit_from_{suffix}").set_value(2023)
    app.selectbox(key=f"limit_until_{suffix}").set_value(2027)
    app.button(key="apply_limit").click()
    ran(app)
    found = desktop(app).shown.plan
    of = found.portfolio[(found.portfolio["measure"] == measure) & (found.portfolio["city"] == city)]
    assert of["stock"].max() <= float(stock[city]) / 2 * (1 + 1e-6)
    assert set(of.loc[of["starts"] > 1e-9, "year"]) <= set(range(2023, 2028))
    assert found.objective >= plan.objective - 1e-6 * abs(plan.objective)
    assert limiting.standing(found.case, measure, city)["before"] == 2023
    # The same once more without limits brings the case back.
    assert found.case.edited(limiting.edits(found.case, measure, city, None, 2021, 2030)).digest == case.digest


@pytest.mark.parametrize("lang", LANGUAGES)
def test_shares_of_the_effects_of_all_measures_add_up(app: AppTest, lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "VISIBLE", -1.0)
    app.session_state[f"measures_{lang}"] = t("ui.measures.heat", lang)
    app.query_params["lang"] = lang
    opened(app, "measuring")
    plan = desktop(app).shown.plan
    frame = curves.heat(plan.case, plan, 2030, lang)
    assert frame.groupby("quantity")["value"].sum().to_numpy() == pytest.approx(100.0)
    assert t("ui.heat.title", lang, year=2030) in [one.value for one in app.subheader]


def test_the_break_even_of_a_measure_is_told(app: AppTest) -> None:
    opened(app, "measuring")
    finished(app, "reasons")
    app.button(key="edge").click()
    ran(app)
    finished(app, "edge")
    found = app.session_state["job_tutorial_edge"][1].future.result()
    assert found.chosen
    assert found.outcome in ("found", "needed")
    assert app.info


def test_the_cost_curve_of_every_year_is_drawn(app: AppTest) -> None:
    app.session_state["measures_zh"] = t("ui.measures.curve", "zh")
    opened(app, "measuring")
    app.select_slider(key="curve_year_tutorial_zh").set_value(2025)
    ran(app)
    assert not app.error


def test_a_ladder_of_cuts_and_money_taken_back_cost_what_the_core_says(app: AppTest) -> None:
    opened(app, "spending")
    app.button(key="begin_ladder").click()
    ran(app)
    finished(app, "ladder")
    fund, _, _ = app.session_state["job_tutorial_ladder"][1].future.result()
    frame = app.dataframe[1].value
    assert frame["cut"].tolist() == [10.0, 20.0, 30.0]
    expected = [cut.extra for cut in ladder(read_case(CASE), fund)]
    assert frame["extra"].fillna(-1.0).tolist() == pytest.approx([-1.0 if x is None else x / 1e8 for x in expected])
    app.button(key="begin_clawback").click()
    ran(app)
    finished(app, "clawback")
    assert len(app.dataframe) == 3
    assert not app.error


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_last_money_of_every_budget_is_valued(app: AppTest, lang: str) -> None:
    app.query_params["lang"] = lang
    opened(app, "spending")
    app.button(key="worth").click()
    ran(app)
    finished(app, "worth")
    expected = worth(read_case(CASE))
    frame = next(one.value for one in app.dataframe if "gained" in one.value)
    factor = amounts.money("million", "CNY", lang).factor
    gained = sorted(value * factor for value in expected["gained"] if value > 0)
    assert gained
    assert sorted(frame.loc[frame["gained"] > 0, "gained"]) == pytest.approx(gained)
    assert not app.error


def test_an_earmark_costs_what_the_core_says_and_is_adopted(app: AppTest) -> None:
    opened(app, "spending")
    app.multiselect(key="earmark_sectors_tutorial_zh").set_value(["industry"])
    app.selectbox(key="earmark_share_zh").set_value(20)
    ran(app)
    app.button(key="begin_earmark").click()
    ran(app)
    finished(app, "earmark")
    _, sectors, rung, edits = app.session_state["job_tutorial_earmark"][1].future.result()
    assert (sectors, rung.cut) == (("industry",), 0.2)
    direct = solve(read_case(CASE).edited(edits), Options(break_ties=False, prices=False))
    assert rung.before.objective + rung.extra == pytest.approx(direct.objective, rel=1e-5)
    app.button(key="load_earmark").click()
    ran(app)
    assert desktop(app).shown.plan.objective == pytest.approx(direct.objective, rel=1e-5)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_cap_on_spending_costs_more_the_lower_it_is(app: AppTest, lang: str) -> None:
    app.query_params["lang"] = lang
    opened(app, "spending")
    app.button(key="caps").click()
    ran(app)
    finished(app, "caps")
    points = app.session_state["job_tutorial_caps"][1].future.result().points
    assert points["x"].is_monotonic_decreasing
    assert points["cost"].is_monotonic_increasing
    assert points["cost"].iloc[0] == pytest.approx(desktop(app).shown.plan.objective, rel=1e-6)
    assert not app.error


def test_alternatives_are_within_their_slack_and_can_be_loaded(app: AppTest) -> None:
    opened(app, "tradeoffs")
    app.button(key="nearby").click()
    ran(app)
    finished(app, "nearby")
    frame = app.dataframe[0].value
    assert len(frame) == 5
    assert frame["extra"].between(-1e-6, 2 + 1e-6).all()
    found = app.session_state["job_tutorial_nearby"][1].future.result()
    app.button(key="nearby_1").click()
    ran(app)
    cost = found.plans.set_index("plan")["cost"][1]
    assert desktop(app).shown.plan.objective == pytest.approx(cost, rel=1e-4)


def test_money_flows_on_as_it_came() -> None:
    case, plan = read_case(CASE), moved(OWN)
    frame = risks.flow(case, plan, "en")
    sectors = {row.name_en for row in case.sectors}
    into = frame[frame["target"].isin(sectors)].groupby("target")["value"].sum()
    out = frame[frame["source"].isin(sectors)].groupby("source")["value"].sum()
    assert into.sort_index().tolist() == pytest.approx(out.sort_index().tolist())
    assert into.sum() == pytest.approx(plan.portfolio["capex"].sum() / 1e6)


def test_futures_are_sampled_and_told(app: AppTest) -> None:
    opened(app, "firmness")
    app.segmented_control(key="samples_zh").set_value(25)
    ran(app)
    app.button(key="sample").click()
    ran(app)
    finished(app, "futures")
    found = app.session_state["job_tutorial_futures"][1].future.result()
    assert len(found.futures) == 25
    assert len(app.metric) == 3
    frame = app.dataframe[0].value
    assert frame["index"].max() == pytest.approx(100 * found.measures["index"].max())
    grades = app.dataframe[-1].value
    assert grades[["A", "B", "C", "none"]].sum(axis=1).tolist() == pytest.approx([100.0] * len(grades), abs=0.1)


def test_what_differs_is_listed_and_saved_as_a_scenario(app: AppTest, tmp_path: Path) -> None:
    ran(app)
    slider(app, "pollutant").set_value(-2)
    ran(app)
    listed = " ".join(one.value for one in app.markdown)
    assert "−32%" in listed
    assert "−30%" in listed
    draft = desktop(app).history.present
    case = read_case(CASE)
    edits = [Edit(**edit) for edit in draft.all_edits(case, levers(case))]
    write_scenario(Scenario("draft", tuple(edits), case="tutorial"), tmp_path / "one.yaml")
    again = read_scenario(tmp_path / "one.yaml").applied(case)
    assert again.digest == desktop(app).shown.plan.case.digest


def test_a_link_restores_edits(app: AppTest) -> None:
    edits = [{"table": "targets", "key": {"target": "nox_change"}, "set": {"value": -0.32}}]
    for name, value in (("case", "tutorial"), ("lang", "zh"), ("edits", json.dumps(edits))):
        app.query_params[name] = value
    ran(app)
    assert desktop(app).shown.plan.objective == pytest.approx(moved(-2, "pollutant").objective, rel=1e-9)
    assert json.loads(app.query_params["edits"]) == edits


@pytest.mark.parametrize("edits", ['[{"table": "nothing"}]', "[1]", "{", '[{"table": "targets", "add": {}}]'])
def test_a_damaged_link_is_told_or_left_out(app: AppTest, edits: str) -> None:
    for name, value in (("case", "tutorial"), ("lang", "zh"), ("edits", edits)):
        app.query_params[name] = value
    ran(app)
    assert len(app.metric) == 6


def test_a_pinned_plan_is_what_everything_is_compared_with(app: AppTest) -> None:
    ran(app)
    slider(app, CARBON).set_value(960)
    ran(app)
    app.button(key="pin").click()
    ran(app)
    (pinned,) = desktop(app).pinned
    settled = pinned.work.future.result(120)
    assert settled.summary["tie_broken"]
    assert settled.objective == pytest.approx(pinned.live.objective, rel=1e-6)
    assert app.metric[0].delta == t("ui.figure.same", "zh", name="方案1")
    app.button(key="release").click()
    ran(app)
    assert app.metric[0].delta not in (SAME, t("ui.figure.same", "zh", name="方案1"))
    assert len(desktop(app).pinned) == 1


def test_an_answer_is_proven_in_the_background(app: AppTest) -> None:
    ran(app)
    for _ in range(600):
        if desktop(app).shown.plan.summary.get("certificate"):
            break
        time.sleep(0.1)
    assert desktop(app).shown.plan.summary["proof"] == "certificate"


def test_a_case_with_faults_is_told_in_words(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "faulty"
    shutil.copytree(CASE, folder)
    text = (folder / "effects.csv").read_text()
    (folder / "effects.csv").write_text(text.replace("pv,clean_power", "pv,clean_powr", 1))
    monkeypatch.setenv("PLANNER_CASE", str(folder))
    ran(app)
    assert "clean_powr" in app.error[0].value
    assert not app.metric


def test_a_repaired_case_is_read_again(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "changing"
    shutil.copytree(CASE, folder)
    monkeypatch.setenv("PLANNER_CASE", str(folder))
    ran(app)
    before = app.metric[0].value
    prices = (folder / "prices.csv").read_text()
    (folder / "prices.csv").write_text(prices.replace("350000", "300000"))
    ran(app)
    assert app.metric[0].value != before


# ---------------------------------------------------------------- what is kept


def save(app: AppTest, name: str) -> AppTest:
    """Save what is on screen."""
    app.text_input(key="save_name_at_hand_zh").set_value(name)
    ran(app)
    app.button(key="save_at_hand").click()
    return ran(app)


def test_a_saved_scenario_is_loaded_in_another_browser_and_compared(app: AppTest) -> None:
    ran(app)
    slider(app, "pollutant").set_value(-2)
    save(ran(app), "NOx −32 %")
    assert any("NOx −32 %" in one.value for one in app.success)
    other = ran(another())
    other.button(key="load_at_hand_0").click()
    ran(other)
    assert desktop(other).shown.plan.objective == pytest.approx(moved(-2, "pollutant").objective, rel=1e-9)
    other.button(key="undo").click()
    opened(other, "comparing")
    other.button(key="add_beside").click()
    ran(other)
    assert {"案例", "NOx −32 %"} <= set(other.dataframe[0].value.columns)
    opened(other, "filing")
    other.button(key="delete_files_0").click()
    ran(other)
    assert not [one for one in other.button if one.key == "load_files_0"]


def test_who_saves_over_anothers_scenario_is_told(app: AppTest) -> None:
    save(ran(app), "ours")
    other = ran(another())
    slider(other, CARBON).set_value(960)
    save(ran(other), "ours")
    assert "ours" in other.warning[0].value
    assert not app.session_state["desktop_tutorial"].history.present.edits
    other.button(key="overwrite_at_hand").click()
    ran(other)
    assert not other.warning
    save(ran(app), "ours")  # now the first is late
    assert app.warning
    app.button(key="theirs_at_hand").click()
    ran(app)
    assert desktop(app).history.present.edits[0]["table"] == "targets"


def test_a_draft_too_long_for_a_link_survives_a_reload(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "LONGEST", 10)
    opened(app, "editing")
    number = next(i for i, row in enumerate(read_case(CASE).targets) if row.target == "nox_change")
    typed(app, "targets", edited_rows={number: {"value": -32.0}})
    app.button(key="apply").click()
    ran(app)
    assert app.query_params["edits"].startswith("kept:")
    other = another()
    for name, value in app.query_params.items():
        other.query_params[name] = value
    ran(other)
    assert answered(other).digest == answered(app).digest


def reloaded(app: AppTest) -> AppTest:
    """What a browser does on a reload: a new session with the same address."""
    other = another()
    for name, values in app.query_params.items():
        other.query_params[name] = values
    return ran(other)


def test_undo_and_pins_survive_a_reload(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "LONGEST", 40)  # edits are kept under a name, too
    opened(app, "editing")
    number = next(i for i, row in enumerate(read_case(CASE).targets) if row.target == "nox_change")
    typed(app, "targets", edited_rows={number: {"value": -32.0}})
    app.button(key="apply").click()
    ran(app).switch_page("planner/ui/planning.py")
    ran(app)
    app.button(key="pin").click()
    ran(app)
    pinned = app.metric[0].value
    slider(app, CARBON).set_value(960)
    ran(app)
    last = app.metric[0].value
    app.button(key="undo").click()
    ran(app)
    other = reloaded(app)
    assert other.metric[0].value == pinned
    one = desktop(other).pinned[0]
    one.work.future.result(60)
    ran(other)
    assert one.plan.objective == pytest.approx(desktop(app).pinned[0].live.objective, rel=1e-6)
    assert other.button(key="release").label == t("ui.pin.name", "zh", number=1)
    other.button(key="redo").click()
    ran(other)
    assert other.metric[0].value == last
    for _ in range(2):
        other.button(key="undo").click()
        ran(other)
    assert desktop(other).history.present.edits == ()
    assert not desktop(other).history.undoable
    assert len(desktop(app).history.drafts) == 3  # nobody moves the first browser


@pytest.mark.parametrize("trail", ["nothing", "\U0001f600", "0" * 24])
def test_a_trail_that_is_gone_leaves_the_draft_of_the_link(app: AppTest, trail: str) -> None:
    app.query_params.update({"case": "tutorial", "lang": "zh", "carbon": "960", "trail": trail})
    ran(app)
    assert slider(app, CARBON).value == 960
    assert not desktop(app).history.undoable


@pytest.mark.parametrize(
    "damage",
    [{"case": "other"}, {"place": 9}, {"drafts": [[5, {}]]}, {"drafts": [[0, 3]]}, {"pins": [1]}, {"edits": 7}],
)
def test_a_damaged_trail_is_none(damage: dict[str, Any]) -> None:
    history = History(Draft())
    history.push(Draft((), {"carbon": 960}))
    told = trail.told("tutorial", trail.Trail(history), list)
    whole = trail.read("tutorial", json.loads(json.dumps(told)), tuple)
    assert whole is not None
    assert (whole.history.drafts, whole.history.place) == (history.drafts, 1)
    assert trail.read("tutorial", {**told, **damage}, tuple) is None


def test_a_link_to_share_holds_the_draft_but_not_the_way_there(app: AppTest) -> None:
    ran(app)
    slider(app, CARBON).set_value(960)
    ran(app)
    assert app.query_params["trail"]
    (link,) = [one.value for one in app.code]
    assert "carbon=960" in link
    assert "trail" not in link


# ---------------------------------------------------------------- words


def constants(file: Path) -> list[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


def test_every_message_a_screen_names_exists() -> None:
    known = set(messages())
    for file in SCREENS:
        for text in constants(file):
            if re.fullmatch(r"ui(\.\w+)+", text):
                assert text in known, f"{file.name}: {text}"
            elif re.fullmatch(r"ui\.[\w.]*\.", text):
                assert any(key.startswith(text) for key in known), f"{file.name}: {text}"


def test_every_state_and_kind_has_its_words() -> None:
    known = set(messages())
    for status in ("optimal", "within_gap", "limit", "infeasible", "unbounded", "unknown"):
        assert f"ui.state.{status}" in known
    for kind in ("cap", "abated", "level", "cumulative", "change", "intensity", "share", "budget"):
        assert {f"ui.lever.{kind}.label", f"ui.lever.{kind}.help"} <= known
    for stand in ("kept", "exact", "missed", "missed_soft"):
        assert f"ui.targets.{stand}" in known


def test_messages_take_the_same_parameters_in_both_languages() -> None:
    for key, message in messages().items():
        if key.startswith("ui."):
            zh, en = (set(re.findall(r"{(\w+)}", message[lang])) for lang in LANGUAGES)
            assert zh == en, key


def test_no_screen_holds_words_of_its_own() -> None:
    for file in SCREENS:
        for text in constants(file):
            assert not re.search(r"[\u4e00-\u9fff]{2}", text), f"{file.name}: {text}"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                first = node.args[0]
                if isinstance(node.func.value, ast.Name) and node.func.value.id in ("st", "line", "trouble", "bar"):
                    assert not (isinstance(first, ast.Constant) and isinstance(first.value, str)), ast.unparse(node)


def test_the_case_with_scenarios_comes_first_and_the_tutorial_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLANNER_CASE", raising=False)
    assert list(found_cases(ROOT / "cases")) == ["jiangxi", "brazil", "jiangxi-2026", "tutorial"]
