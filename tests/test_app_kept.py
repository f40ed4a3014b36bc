"""The app: what is saved, linked and found again after a reload."""

import json
from typing import Any

import pytest
from screens import CARBON, CASE, another, answered, desktop, moved, opened, ran, reloaded, save, slider, typed
from streamlit.testing.v1 import AppTest

from planner.tables import read_case
from planner.text import t
from planner.ui import address, trail
from planner.ui.draft import Draft, History


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
