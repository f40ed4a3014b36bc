"""Faults injected while saving: killed at every line, full disks, two writers; nothing is lost or half written."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from folders import held, visible

from planner import saving
from planner.case import Case
from planner.errors import CaseError
from planner.frames import FRAMES
from planner.plan import Plan, solve
from planner.saving import write_bytes, write_files
from planner.scenario import Scenario, read_scenario, write_scenario
from planner.tables import read_case, write_case, write_workbook

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "cases" / "tutorial"
JIANGXI = ROOT / "cases" / "jiangxi"


def killed(
    save: Callable[[], object], before: Callable[[], object], after: Callable[[], object], most: int = 99
) -> int:
    """Kill a process at each line of `planner.saving` in turn, or at `most` of them; the number of times it was."""
    before()
    lines = lines_until(save, None)
    points = range(lines) if lines <= most else [lines * number // most for number in range(most)]
    for point in points:
        before()
        lines_until(save, point)
        after()
    return len(points)


def lines_until(save: Callable[[], object], last: int | None) -> int:
    """Lines of `planner.saving` that a process of its own runs before it is killed at the line `last`."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        done = 0

        def count(frame: Any, event: str, _: object) -> Any:
            nonlocal done
            if frame.f_code.co_filename != saving.__file__:
                return None
            if event == "line":
                if done == last:
                    os.kill(os.getpid(), signal.SIGKILL)
                done += 1
            return count

        os.fsync = lambda _: None  # a killed process loses nothing that it wrote: only a power cut would
        try:
            sys.settrace(count)
            save()
            sys.settrace(None)
            os.write(writing, str(done).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        words = told.read()
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) == (last is not None)
    return int(words or 0)


pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX processes")


OLD = {f"{number}.csv": f"old {number}\n".encode() for number in range(2)}
NEW = {f"{number}.csv": f"new {number}\n".encode() for number in range(1, 3)}


def emptied(folder: Path) -> Path:
    """The folder without anything in it, leftovers included."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def put(folder: Path, files: Mapping[str, bytes]) -> None:
    emptied(folder)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def test_several_files_killed_at_every_line_are_all_old_or_all_new(tmp_path: Path) -> None:
    folder = tmp_path / "plan"
    seen: set[str] = set()

    def after() -> None:
        found = held(folder)
        seen.add("old" if found == OLD else "new" if found == NEW else f"mixed: {found}")

    kills = killed(lambda: write_files(folder, NEW, gone=["0.csv"]), lambda: put(folder, OLD), after)
    assert seen == {"old", "new"}
    assert kills > 60


def test_who_moves_what_was_saved_may_be_killed_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "plan"

    def before() -> None:
        put(folder, OLD)
        (folder / saving.SAVED).mkdir()
        for name, data in NEW.items():
            (folder / saving.SAVED / name).write_bytes(data)
        (folder / saving.SAVED / ("0.csv" + saving.GONE)).touch()

    kills = killed(lambda: held(folder), before, lambda: check(held(folder) == NEW))
    assert kills > 20


def check(right: bool) -> None:
    assert right


def test_a_scenario_killed_at_every_line_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "drafts" / "draft.json"
    seen: set[str] = set()
    old, new = Scenario("old", note="x" * 20_000), Scenario("new", note="y" * 30_000)
    kills = killed(
        lambda: write_scenario(new, path),
        lambda: emptied(path.parent) and write_scenario(old, path),
        lambda: seen.add(read_scenario(path).scenario),
    )
    assert seen == {"old", "new"}
    assert kills > 10


def test_a_case_saved_over_itself_and_killed_at_every_line_is_whole(tmp_path: Path, small: Case) -> None:
    folder = tmp_path / "case"
    changed = small.edited([{"table": "measures", "key": {"measure": "m"}, "set": {"capex": 200}}])
    seen: set[str] = set()

    def before() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        write_case(small, folder)
        (folder / "notes.txt").write_text("mine", encoding="utf-8")

    def after() -> None:
        seen.add(read_case(folder).digest)
        check((folder / "notes.txt").read_text(encoding="utf-8") == "mine")

    killed(lambda: write_case(changed, folder, over=True), before, after, most=25)
    assert seen == {small.digest, changed.digest}


def test_a_new_case_killed_at_every_line_is_whole_or_can_be_written_again(tmp_path: Path, small: Case) -> None:
    folder = tmp_path / "case"

    def after() -> None:
        try:
            digest = read_case(folder).digest
        except CaseError:
            write_case(small, folder)
            digest = read_case(folder).digest
        check(digest == small.digest)

    killed(lambda: write_case(small, folder), lambda: shutil.rmtree(folder, ignore_errors=True), after, most=20)


def test_a_workbook_killed_at_every_line_is_the_old_one_or_the_new_one(tmp_path: Path, small: Case) -> None:
    path = tmp_path / "books" / "plan.xlsx"
    write_workbook(small, tmp_path / "old.xlsx")
    changed = small.edited([{"table": "measures", "key": {"measure": "m"}, "set": {"capex": 200}}])
    seen: set[str] = set()
    killed(
        lambda: write_workbook(changed, path),
        lambda: shutil.copy(tmp_path / "old.xlsx", emptied(path.parent) / path.name),
        lambda: seen.add(read_case(path).digest),
        most=14,
    )
    assert seen == {small.digest, changed.digest}


def test_a_plan_killed_at_every_line_is_the_old_one_or_the_new_one(tmp_path: Path, small: Case, plan: Plan) -> None:
    folder = tmp_path / "plan"
    other = solve(small.edited([{"table": "measures", "key": {"measure": "m"}, "set": {"capex": 200}}]))
    texts = {}
    for name, each in (("old", plan), ("new", other)):
        each.write(tmp_path / name)
        texts[name] = {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}

    seen: set[str] = set()
    killed(
        lambda: write_files(folder, texts["new"]),
        lambda: put(folder, texts["old"]),
        lambda: seen.add(Plan.read(folder).summary["input_digest"]),
        most=30,
    )
    assert seen == {plan.summary["input_digest"], other.summary["input_digest"]}
    assert set(visible(folder)) == {"summary.json", *(f"{name}.csv" for name in FRAMES)}


def test_what_a_killed_process_left_is_swept_up_later(tmp_path: Path) -> None:
    left = tmp_path / (saving.UNFINISHED + "x")
    left.write_bytes(b"half")
    write_bytes(tmp_path / "a.txt", b"a")
    assert left.exists()
    os.utime(left, (time.time() - 2 * saving.STALE,) * 2)
    write_bytes(tmp_path / "a.txt", b"b")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_threads_of_one_process_save_at_once(tmp_path: Path) -> None:
    """Sessions of the app share one process: names of unfinished files must differ within it, too."""
    path = tmp_path / "draft.json"
    threads = [
        threading.Thread(target=lambda n=n: [write_bytes(path, b"%d" % n * 1000) for _ in range(20)]) for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    data = path.read_bytes()
    assert data == data[:1] * 1000
    assert [each.name for each in tmp_path.iterdir()] == ["draft.json"]


# ---------------------------------------------------------------- full, read-only, taken


def failing(monkeypatch: pytest.MonkeyPatch, name: str, at: int, number: int) -> None:
    """The call `name` of os fails at its `at`-th use."""
    real, used = getattr(os, name), 0

    def call(*given: Any, **named: Any) -> Any:
        nonlocal used
        used += 1
        if used == at:
            raise OSError(number, os.strerror(number))
        return real(*given, **named)

    monkeypatch.setattr(os, name, call)


@pytest.mark.parametrize("name", ["fsync", "replace", "mkdir", "rename"])
@pytest.mark.parametrize("at", [1, 2, 3, 5])
def test_a_full_disk_keeps_what_was_there(tmp_path: Path, name: str, at: int) -> None:
    folder = tmp_path / "plan"
    write_files(folder, OLD)
    with pytest.MonkeyPatch.context() as patch:
        failing(patch, name, at, errno.ENOSPC)
        try:
            write_files(folder, NEW, gone=["0.csv"])
            failed = False
        except OSError:
            failed = True
    found = held(folder)
    assert found in (OLD, NEW)
    assert failed or found == NEW
    assert not list(folder.glob(saving.UNFINISHED + "*"))
    write_files(folder, NEW, gone=["0.csv"])
    assert held(folder) == NEW


@pytest.mark.parametrize("room", [0, 1, 4096])
def test_a_file_that_cannot_grow_keeps_what_was_there(tmp_path: Path, room: int, small: Case, plan: Plan) -> None:
    """The system itself cuts the write short."""
    import resource

    plan.write(tmp_path / "plan")
    write_workbook(small, tmp_path / "plan.xlsx")
    write_scenario(Scenario("old"), tmp_path / "draft.yaml")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    child = os.fork()
    if not child:
        failed = 0
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        for save in (
            lambda: write_files(tmp_path / "plan", dict.fromkeys(("a.csv", "summary.json"), b"x" * 5000)),
            lambda: write_workbook(small, tmp_path / "plan.xlsx"),
            lambda: write_scenario(Scenario("new", note="x" * 5000), tmp_path / "draft.yaml"),
            lambda: write_case(small, tmp_path / "case"),
        ):
            try:
                save()
            except OSError:
                failed += 1
        os._exit(failed)
    failed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert failed == 4 if room < 4096 else failed >= 2
    after = {path: path.read_bytes() for path in before}
    assert after == before or room == 4096
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(saving.UNFINISHED)]


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("disks cannot be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_tiny_disk_that_is_full_keeps_what_was_there(tiny: Path) -> None:
    write_files(tiny / "plan", OLD)
    with pytest.raises(OSError, match="No space left"):
        write_files(tiny / "plan", dict.fromkeys(NEW, b"x" * 40000))
    assert held(tiny / "plan") == OLD
    write_files(tiny / "plan", NEW, gone=["0.csv"])
    assert held(tiny / "plan") == NEW


def test_devices_are_written_to_not_replaced() -> None:
    if not Path("/dev/full").is_char_device():
        pytest.skip("no such device")
    with pytest.raises(OSError, match="No space left"):
        write_bytes(Path("/dev/full"), b"x" * 10_000)
    write_bytes(Path("/dev/null"), b"x")
    assert Path("/dev/full").is_char_device()
    assert Path("/dev/null").is_char_device()


def test_a_link_keeps_pointing_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "draft.yaml").write_text("old", encoding="utf-8")
    (tmp_path / "draft.yaml").symlink_to("real/draft.yaml")
    write_bytes(tmp_path / "draft.yaml", b"new")
    assert (tmp_path / "draft.yaml").is_symlink()
    assert (tmp_path / "real" / "draft.yaml").read_bytes() == b"new"


def test_a_read_only_folder_is_left_alone_and_said(tmp_path: Path, plan: Plan, small: Case) -> None:
    folder = tmp_path / "plan"
    plan.write(folder)
    write_scenario(Scenario("old"), tmp_path / "draft.yaml")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for each in (folder, tmp_path):
        each.chmod(0o555)
    user = os.geteuid()
    try:
        if not user:
            for parent in tmp_path.parents:  # pytest keeps its folders to its user
                if parent.stat().st_mode & 0o005 != 0o005 and parent.stat().st_uid == 0 and "pytest" in str(parent):
                    parent.chmod(0o755)
            os.seteuid(65534)
        for save in (
            lambda: plan.write(folder),
            lambda: write_scenario(Scenario("new"), tmp_path / "draft.yaml"),
            lambda: write_case(small, tmp_path / "case"),
            lambda: write_workbook(small, tmp_path / "plan.xlsx"),
        ):
            with pytest.raises(PermissionError):
                save()
        assert Plan.read(folder).objective == pytest.approx(plan.objective)
    finally:
        os.seteuid(user)
        for each in (folder, tmp_path):
            each.chmod(0o755)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_folder_in_the_place_of_a_file_is_said_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "plan" / "1.csv").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        write_files(tmp_path / "plan", OLD)
    assert visible(tmp_path / "plan") == ["1.csv"]


# ---------------------------------------------------------------- two writers


def test_two_writers_of_one_folder_never_mix(tmp_path: Path) -> None:
    folder = tmp_path / "plan"
    write_files(folder, {f"{number}.csv": b"first" for number in range(6)})
    children = []
    for writer in range(2):
        child = os.fork()
        if not child:
            try:
                for turn in range(25):
                    write_files(folder, {f"{number}.csv": b"%d of %d" % (turn, writer) for number in range(6)})
            except BaseException:
                os._exit(1)
            os._exit(0)
        children.append(child)
    reads, running = 0, set(children)
    while running:
        found = held(folder)
        assert len(found) == 6
        assert len(set(found.values())) == 1, found
        reads += 1
        for child in list(running):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                assert status == 0
                running.remove(child)
    assert reads > 1
    assert visible(folder) == [f"{number}.csv" for number in range(6)]


def test_the_second_editor_of_a_scenario_is_told_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    write_scenario(Scenario("draft", note="first"), path)
    mine, yours = read_scenario(path), read_scenario(path)
    edit = {"setting": "discount_rate", "value": "0.04"}
    written = write_scenario(Scenario("draft", note=f"mine {edit}", stamp=mine.stamp), path)
    with pytest.raises(CaseError) as raised:
        write_scenario(Scenario("draft", note="yours", stamp=yours.stamp), path)
    assert [issue.key for issue in raised.value.errors] == ["changed_meanwhile"]
    assert read_scenario(path).note == f"mine {edit}"
    write_scenario(Scenario("draft", note="mine again", stamp=written.stamp), path)
    assert read_scenario(path).note == "mine again"


def test_two_editors_at_the_same_moment_never_both_win(tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    for turn in range(10):
        write_scenario(Scenario("draft", note=f"turn {turn}"), path)
        opened = read_scenario(path)
        wins: list[int] = []

        def save(number: int, stamp: str = opened.stamp, won: list[int] = wins) -> None:
            try:
                write_scenario(Scenario("draft", note=f"by {number}", stamp=stamp), path)
                won.append(number)
            except CaseError:
                return

        threads = [threading.Thread(target=save, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(wins) == 1
        assert read_scenario(path).note == f"by {wins[0]}"
