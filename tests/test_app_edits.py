"""The app: tables that are edited, and what differs from the case."""

import json
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest
from screens import CARBON, CASE, SAME, answered, desktop, moved, opened, ran, slider, typed
from streamlit.testing.v1 import AppTest

from planner import amounts
from planner.edits import Edit
from planner.scenario import Scenario, read_scenario, write_scenario
from planner.tables import read_case
from planner.text import LANGUAGES, t
from planner.ui import sheets
from planner.ui.draft import differences
from planner.ui.levers import OWN, levers


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
