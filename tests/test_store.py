"""The store keeps scenarios, drafts and rooms, and tells whoever would save over another's work."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from planner import store
from planner.store import ConflictError, Store, StoreError

EDITS = [{"table": "targets", "key": {"target": "nox_change"}, "set": {"value": -0.32}}]


@pytest.fixture
def kept(tmp_path: Path) -> Store:
    return Store(tmp_path / "deep" / "store.sqlite")


def test_what_is_saved_is_there_for_another_process(kept: Store) -> None:
    kept.save("tutorial", "  more\nNOx ", EDITS, by="ann")
    again = Store(kept.place)
    (found,) = again.scenarios("tutorial")
    assert (found.name, found.version, list(found.edits), found.by) == ("more NOx", 1, EDITS, "ann")
    assert again.load("tutorial", "more NOx") == found
    assert not again.scenarios("jiangxi")
    assert again.load("tutorial", "nothing") is None


def test_who_saves_over_what_was_not_seen_is_told_and_nothing_is_lost(kept: Store) -> None:
    first = kept.save("tutorial", "plan", EDITS, by="ann")
    with pytest.raises(ConflictError) as fault:
        kept.save("tutorial", "plan", [], by="ben")
    assert (fault.value.now.by, fault.value.now.version) == ("ann", 1)
    second = kept.save("tutorial", "plan", [], known=first.version, by="ben")
    with pytest.raises(ConflictError):
        kept.save("tutorial", "plan", EDITS, known=first.version, by="ann")
    found = kept.load("tutorial", "plan")
    assert found == second
    with pytest.raises(ConflictError):
        kept.delete("tutorial", "plan", first.version)
    kept.delete("tutorial", "plan", second.version)
    assert kept.load("tutorial", "plan") is None


def test_of_many_who_save_a_name_at_once_one_wins(kept: Store) -> None:
    def save(number: int) -> bool:
        try:
            Store(kept.place).save("tutorial", "same", [{"setting": "x", "value": number}], by=str(number))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(save, range(24)))
    assert sum(won) == 1
    found = kept.load("tutorial", "same")
    assert found is not None
    assert found.by == str(won.index(True))


def test_names_and_contents_that_cannot_be_kept_are_refused(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="name"):
        kept.save("tutorial", " \n ", EDITS)
    with pytest.raises(ValueError, match="JSON"):
        kept.save("tutorial", "x", [{"value": float("nan")}])
    monkeypatch.setattr(store, "LARGEST", 10)
    with pytest.raises(ValueError, match="large"):
        kept.save("tutorial", "x", EDITS)
    assert not kept.scenarios("tutorial")


def test_a_key_means_its_content_for_ever_until_nobody_asks(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    key = kept.keep(EDITS)
    assert kept.keep(EDITS) == key
    assert kept.kept(key) == EDITS
    assert kept.kept("nothing") is None
    with sqlite3.connect(kept.place) as file:
        file.execute("UPDATE drafts SET seen_at = 0")
    kept.keep([])
    assert kept.kept(key) is None


def test_a_room_is_opened_once_and_its_moves_stand_in_their_order(kept: Store) -> None:
    assert kept.open_room("ABCD", "tutorial", "secret")
    assert not kept.open_room("ABCD", "jiangxi", "other")
    assert kept.room("ABCD") == ("tutorial", "secret")
    assert kept.room("EFGH") is None
    numbers = [kept.add("ABCD", team, "snapshot", {"cost": cost}) for team, cost in (("a", 1.0), ("b", 2.0))]
    kept.add("EFGH", "c", "snapshot")
    moves = kept.moves("ABCD")
    assert [(move.number, move.team, move.content["cost"]) for move in moves] == [
        (numbers[0], "a", 1.0),
        (numbers[1], "b", 2.0),
    ]
    assert [move.team for move in kept.moves("ABCD", after=numbers[0])] == ["b"]


def test_a_store_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError):
        Store(tmp_path / "file" / "store.sqlite").scenarios("tutorial")
    (tmp_path / "damaged.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError):
        Store(tmp_path / "damaged.sqlite").scenarios("tutorial")


def test_the_place_is_named_by_the_environment_else_in_the_users_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANNER_STORE", str(tmp_path / "mine.sqlite"))
    assert Store().place == tmp_path / "mine.sqlite"
    monkeypatch.delenv("PLANNER_STORE")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Store().place == tmp_path / "measure-planner" / "store.sqlite"
