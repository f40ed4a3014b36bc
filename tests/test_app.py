"""The app, driven by Streamlit's AppTest on the tutorial."""

import ast
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from planner.engine import Options
from planner.plan import Plan, solve
from planner.tables import read_case
from planner.text import LANGUAGES, messages, t
from planner.ui import figures
from planner.ui.levers import OWN, levers

ROOT = Path(__file__).parent.parent
CASE = ROOT / "cases" / "tutorial"
CARBON = "lever_tutorial_carbon_zh"
SCREENS = [ROOT / "app.py", *sorted((ROOT / "planner" / "ui").glob("*.py"))]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("PLANNER_CASE", "tutorial")
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)


def ran(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception
    return app


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
    assert app.metric[0].delta == t("ui.figure.same", "zh")


@pytest.mark.parametrize(
    ("lever", "position"), [("carbon", 960), ("pollutant", -2), ("renewables", 110), ("budget", 90)]
)
def test_moving_a_lever_shows_what_a_direct_solve_gives(app: AppTest, lever: str, position: int) -> None:
    ran(app)
    app.select_slider(key=f"lever_tutorial_{lever}_zh").set_value(position)
    ran(app)
    plan = moved(position, lever)
    assert plan.found
    shown = app.session_state["last_tutorial"].plan
    assert shown.objective == pytest.approx(plan.objective, rel=1e-9)
    case = read_case(CASE)
    own = solve(case, Options(break_ties=False, prices=False))
    expected = figures.headline(case, levers(case), plan, own, "zh")
    # Plans of equal cost may differ, so only what is unique is compared: the cost and its difference.
    assert app.metric[0].value == expected[0].value
    assert (app.metric[0].delta or None) == (expected[0].delta or t("ui.figure.same", "zh"))


def test_positions_survive_a_change_of_language_and_stand_in_the_link(app: AppTest) -> None:
    ran(app)
    app.select_slider(key=CARBON).set_value(960)
    ran(app)
    app.segmented_control(key="lang").set_value("en")
    ran(app)
    english = app.select_slider(key="lever_tutorial_carbon_en")
    assert english.value == 960
    english.set_value(965)
    ran(app)
    app.segmented_control(key="lang").set_value("zh")
    ran(app)
    assert app.select_slider(key=CARBON).value == 965
    assert app.query_params == {"lang": "zh", "case": "tutorial", "carbon": "965"}


def test_a_link_restores_the_levers(app: AppTest) -> None:
    for name, value in (("case", "tutorial"), ("lang", "zh"), ("carbon", "960"), ("budget", "nonsense")):
        app.query_params[name] = value
    ran(app)
    assert app.select_slider(key=CARBON).value == 960
    assert app.select_slider(key="lever_tutorial_budget_zh").value == 100
    assert app.session_state["last_tutorial"].positions["carbon"] == 960


def test_without_a_plan_the_words_say_so_and_the_last_plan_stays(app: AppTest) -> None:
    ran(app)
    app.select_slider(key=CARBON).set_value(960)
    ran(app)
    before = [metric.value for metric in app.metric]
    app.select_slider(key=CARBON).set_value(900)
    ran(app)
    assert moved(900).status == "infeasible"
    assert "没有方案" in app.warning[0].value
    assert "90%" in app.warning[0].value
    assert [metric.value for metric in app.metric] == before
    app.button(key="back").click()
    ran(app)
    assert app.select_slider(key=CARBON).value == 960
    assert not app.warning


def test_reset_brings_the_case_back(app: AppTest) -> None:
    ran(app)
    before = [metric.value for metric in app.metric]
    app.select_slider(key=CARBON).set_value(960)
    app.select_slider(key="lever_tutorial_budget_zh").set_value(110)
    ran(app)
    app.button(key="reset_carbon").click()
    ran(app)
    assert app.select_slider(key=CARBON).value == OWN
    assert app.select_slider(key="lever_tutorial_budget_zh").value == 110
    app.button(key="reset_all").click()
    ran(app)
    assert [metric.value for metric in app.metric] == before


@pytest.mark.parametrize("tab", ["budgets", "paths", "frontier"])
def test_every_tab_opens(app: AppTest, tab: str) -> None:
    app.session_state["tabs_zh"] = t(f"ui.tab.{tab}", "zh", quantity="二氧化碳")
    ran(app)
    tables = {"budgets": 1, "paths": 1, "frontier": 0}
    assert len(app.dataframe) == tables[tab]


def test_the_frontier_has_ten_points_that_cost_more_the_less_is_emitted(app: AppTest) -> None:
    app.session_state["tabs_zh"] = t("ui.tab.frontier", "zh", quantity="二氧化碳")
    ran(app)
    app.button(key="frontier").click()
    ran(app)
    points: pd.DataFrame = app.session_state["frontier_tutorial"].points
    assert len(points) == 10
    by_total = points.sort_values("total")
    assert by_total["cost"].is_monotonic_decreasing
    assert points["cost"].min() == pytest.approx(app.session_state["last_tutorial"].plan.objective, rel=1e-6)


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
    for state in ("kept", "exact", "missed", "missed_soft"):
        assert f"ui.targets.{state}" in known


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
