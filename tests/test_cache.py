"""What is kept between runs: found again when whole, worked out again when not, and never more than agreed."""

import subprocess
import sys
from pathlib import Path

import pytest

from planner import cache, templates
from planner.symbolic import made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLANNER_CACHE", str(tmp_path))
    return tmp_path


def test_what_was_kept_is_found_again(folder: Path) -> None:
    cache.put("things", "a", b"one")
    assert cache.get("things", "a") == b"one"
    assert cache.get("things", "b") is None


def test_a_damaged_entry_counts_as_none(folder: Path) -> None:
    cache.put("things", "a", b"one")
    entry = folder / "things" / "a"
    for damaged in (entry.read_bytes()[:-1] + b"x", entry.read_bytes()[:5], b""):
        entry.write_bytes(damaged)
        assert cache.get("things", "a") is None


def test_the_entries_used_last_stay(folder: Path) -> None:
    for number in range(cache.MOST):
        cache.put("things", str(number), b"")
        (folder / "things" / str(number)).touch()
    assert cache.get("things", "0") == b""
    cache.put("things", "new", b"")
    kept = {entry.name for entry in (folder / "things").iterdir()}
    assert len(kept) == cache.MOST
    assert {"0", "new"} <= kept
    assert "1" not in kept


def test_nothing_is_kept_where_the_user_wants_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_CACHE", "")
    cache.put("things", "a", b"one")
    assert cache.get("things", "a") is None


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PLANNER_CACHE", str(tmp_path / "file"))
    cache.put("things", "a", b"one")
    assert cache.get("things", "a") is None


def test_templates_come_back_as_they_were() -> None:
    found = made()
    assert templates.heard(templates.told(found)) == found


SECOND = """
import sys
from planner import read_case, solve
plan = solve(read_case("cases/tutorial"))
print(plan.objective, plan.summary["proof"], "pyomo" in sys.modules)
"""


def test_the_second_run_does_without_pyomo(folder: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", SECOND]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert first.split()[1:] == ["certificate", "True"]
    assert second.split()[1:] == ["certificate", "False"]
    assert first.split()[0] == second.split()[0]
