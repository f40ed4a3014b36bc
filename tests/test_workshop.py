"""A workshop: rooms, teams, one board, guesses before the answer."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from planner.store import Store
from planner.tables import read_case
from planner.text import t
from planner.ui import rooms

ROOT = Path(__file__).parent.parent
CASE = read_case(ROOT / "cases" / "tutorial")
CARBON = "lever_tutorial_carbon_zh_0"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    monkeypatch.setenv("PLANNER_CASE", "tutorial")
    monkeypatch.setenv("PLANNER_STORE", str(tmp_path / "store.sqlite"))
    return Store()


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for name, value in {"mode": "workshop", "lang": "zh", **query}.items():
        app.query_params[name] = value
    return ran(app)


def ran(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception
    return app


def snapshot(store: Store, room: str, team: str, cost: float) -> None:
    content = {"name": "x", "cost": cost, "total": 1.0, "capex": 1.0, "missed": 0, "edits": []}
    store.add(room, team, "snapshot", content)


def test_a_board_is_what_its_moves_made_it(kept: Store) -> None:
    for team, cost in (("a", 3.0), ("b", 2.0), ("a", 1.0)):
        snapshot(kept, "R", team, cost)
    kept.add("R", "", "question", {"name": "q", "edits": []})
    kept.add("R", "a", "guess", {"cost": 5.0})
    kept.add("R", "a", "guess", {"cost": 6.0})
    kept.add("R", "", "reveal", {"cost": 7.0})
    kept.add("R", "b", "guess", {"cost": 7.0})  # too late
    found = rooms.board(kept.moves("R"))
    assert {team: one.cost for team, one in found.latest.items()} == {"a": 1.0, "b": 2.0}
    assert found.question is not None
    assert (found.question.guesses, found.question.cost) == ({"a": 6.0}, 7.0)
    kept.add("R", "", "reset")
    assert not rooms.board(kept.moves("R")).moves
    whole = json.loads(rooms.export("R", CASE, kept.moves("R")))
    assert [move["what"] for move in whole["moves"]].count("snapshot") == 3  # the export forgets nothing


def test_a_code_is_unlike_any_other_and_read_without_doubt(kept: Store) -> None:
    codes = {rooms.opened(kept, "tutorial")[0] for _ in range(50)}
    assert len(codes) == 50
    assert not set("".join(codes)) & set("IL1O0")


def test_the_address_is_that_of_the_network_only_where_the_server_listens_there() -> None:
    assert rooms.address("http://127.0.0.1:8501/x", "AB", "127.0.0.1") == (
        "http://127.0.0.1:8501/?mode=workshop&room=AB",
        False,
    )
    named, reached = rooms.address("http://plan.example:8501/?a=b", "AB", None)
    assert (named, reached) == ("http://plan.example:8501/?mode=workshop&room=AB", True)
    assert rooms.code_of(named, {"dark": "#000", "light": "#fff"}).startswith("<svg")


def test_teams_post_to_one_board_and_guess_before_the_answer(kept: Store) -> None:
    host = opened()
    host.button(key="open_room").click()
    ran(host)
    room = host.query_params["room"]
    team = opened()
    team.text_input(key="room_code_zh").set_value(room.lower())
    team.text_input(key="room_team_zh").set_value("甲组")
    ran(team)
    team.button(key="enter").click()
    ran(team)
    assert team.query_params["team"] == "甲组"
    team.select_slider(key=CARBON).set_value(960)
    ran(team)
    team.text_input(key="post_name_zh").set_value("更严")
    ran(team)
    team.button(key="post").click()
    ran(team)
    shown = team.session_state["desktop_tutorial"].shown.plan
    (posted,) = rooms.board(kept.moves(room)).snapshots
    assert (posted.team, posted.name, posted.cost) == ("甲组", "更严", pytest.approx(shown.objective, rel=1e-7))
    again = CASE.edited(posted.edits)
    assert again.digest == shown.case.digest  # what is on the board can be solved again

    ran(host)
    frame = host.dataframe[0].value
    assert frame["team"].tolist() == ["甲组"]
    host.button(key="board_frontier").click()
    ran(host)
    points = host.session_state["job_tutorial_board"][1].future.result(120)
    assert points["total"].is_monotonic_decreasing
    ran(host)  # the board draws all teams before the frontier
    host.selectbox(key="ask_zh").set_value(str(posted.number))
    ran(host)
    host.button(key="ask").click()
    ran(host)
    ran(team)
    team.number_input(key="guess_value").set_value(-2.0)
    team.button(key="send_guess").click()
    ran(team)
    assert not team.success
    host.button(key="reveal").click()
    ran(host)
    question = rooms.board(kept.moves(room)).question
    assert question is not None
    assert question.guesses == {"甲组": pytest.approx(-2e8)}
    assert question.cost == pytest.approx(posted.cost, rel=1e-6)
    ran(team)
    assert team.success
    host.button(key="reset_now").click()
    ran(host)
    assert not host.dataframe


def test_only_the_facilitators_secret_opens_the_facilitators_view(kept: Store) -> None:
    room, secret = rooms.opened(kept, "tutorial")
    assert not [one for one in opened(room=room, host="guess").button if one.key == "reset_now"]
    assert [one for one in opened(room=room, host=secret).button if one.key == "reset_now"]


def test_a_room_that_is_not_there_is_told(kept: Store) -> None:
    team = opened()
    team.text_input(key="room_code_zh").set_value("NONE")
    team.text_input(key="room_team_zh").set_value("a")
    ran(team)
    team.button(key="enter").click()
    ran(team)
    assert team.warning[0].value == t("ui.workshop.unknown", "zh", code="NONE")
