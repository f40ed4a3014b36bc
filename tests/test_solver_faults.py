"""Faults while solving: interrupts, limits, unknown ends, strange systems; every exit is the promised one."""

import json
import locale
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import highspy
import pytest
from folders import held, visible
from typer.testing import CliRunner

from planner.case import Case
from planner.compile import compile_problem
from planner.engine import STATUS, Options, Solver, cancellable
from planner.errors import CancelledError
from planner.frames import FRAMES
from planner.interrupt import WORDS
from planner.plan import Plan, solve
from planner.problem import Problem
from planner.scenario import Scenario, write_scenario
from planner.tables import read_case, write_case
from planner.text import messages

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "cases" / "tutorial"
JIANGXI = ROOT / "cases" / "jiangxi"


pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX processes")


def command(*arguments: object) -> Any:
    """The command line, in this process."""
    from planner.cli import app

    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_time_limit_leaves_with_4_and_writes_all_or_nothing(tmp_path: Path) -> None:
    run = command("solve", TUTORIAL, "--time-limit", 0, "--out", tmp_path / "plan", "--lang", "en")
    assert run.exit_code == 4, run.output
    assert Plan.read(tmp_path / "plan").status == "limit"
    assert set(visible(tmp_path / "plan")) == {"summary.json", *(f"{name}.csv" for name in FRAMES)}
    assert visible(tmp_path) == ["plan"]


LOUD = """
import sys
from planner import cli
from planner.show.progress import Waiting

def stage(self, name, seconds=0.0):
    if seconds:
        print("at work", flush=True)

Waiting.stage = stage
cli.main()
"""


def test_ctrl_c_is_answered_within_seconds_and_keeps_the_old_plan(tmp_path: Path, plan: Plan) -> None:
    folder = tmp_path / "plan"
    plan.write(folder)
    before = held(folder)
    run = [sys.executable, "-c", LOUD, "solve", str(JIANGXI), "--out", str(folder), "--lang", "en"]
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline().strip() == "at work"
        begun = time.monotonic()
        running.send_signal(signal.SIGINT)
        _, words = running.communicate(timeout=60)
    assert running.returncode == 130
    assert words.strip() == "Interrupted, nothing was written."
    assert time.monotonic() - begun < 10
    assert held(folder) == before


STARTED = """
print("started", flush=True)
from planner.__main__ import main
main()
"""


@pytest.mark.parametrize("wait", [0.03, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 1.0])
def test_ctrl_c_at_any_time_gives_words_never_a_traceback(tmp_path: Path, wait: float) -> None:
    run = [sys.executable, "-c", STARTED, "solve", str(JIANGXI), "--out", str(tmp_path / "plan"), "--lang", "en"]
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline().strip() == "started"
        time.sleep(wait)
        running.send_signal(signal.SIGINT)
        _, words = running.communicate(timeout=60)
    assert running.returncode == 130
    assert words.strip() == "Interrupted, nothing was written."
    assert visible(tmp_path) == []


LOADING = """
import builtins, os, signal
real = builtins.__import__

def load(name, *rest):
    if name == "typer":
        os.kill(os.getpid(), signal.SIGINT)
    return real(name, *rest)

builtins.__import__ = load
from planner.__main__ import main
main()
"""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_ctrl_c_before_the_first_library_is_loaded_is_one_line_in_the_user_s_language(lang: str) -> None:
    environment = {**os.environ, "LC_ALL": {"en": "C.UTF-8", "zh": "zh_CN.UTF-8"}[lang], "PYTHONIOENCODING": "utf-8"}
    run = [sys.executable, "-c", LOADING]
    done = subprocess.run(run, capture_output=True, check=False, timeout=60, env=environment)
    assert (done.returncode, done.stderr.decode()) == (130, WORDS[lang] + "\n")
    assert messages()["fault.interrupted"] == WORDS


HALF_LOADED = """
import os, signal, sys
from planner import cli
import planner.sources

def load(*_):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        raise ImportError("half a library")

planner.sources.edited_case = load
cli.main()
"""


def test_ctrl_c_while_a_library_is_loaded_is_no_fault_of_the_program(tmp_path: Path) -> None:
    run = [sys.executable, "-c", HALF_LOADED, "solve", str(TUTORIAL), "--lang", "en"]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.strip()) == (130, "Interrupted, nothing was written.")


SWALLOWED = """
import os, signal, weakref
from planner import cli
import planner.engine

class Thing:
    pass

def within(run):
    def changed(*rest):
        thing = Thing()
        weakref.finalize(thing, lambda: os.kill(os.getpid(), signal.SIGINT))
        kept = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGINT))
        del thing  # Python cannot raise what happens in there
        return run(*rest)
    return changed

planner.engine.Solver.run = within(planner.engine.Solver.run)
cli.main()
"""


def test_ctrl_c_that_python_itself_ignores_is_heard_at_the_next_step(tmp_path: Path) -> None:
    run = [sys.executable, "-c", SWALLOWED, "solve", str(TUTORIAL), "--lang", "en", "--out", str(tmp_path / "plan")]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.strip()) == (130, "Interrupted, nothing was written.")
    assert visible(tmp_path) == []


SCRIPT = """
import threading, time
from planner import read_case, solve

def at_work(what, seconds):
    if seconds:
        print("at work", flush=True)

try:
    solve(read_case("cases/jiangxi"), progress=at_work)
except KeyboardInterrupt:
    time.sleep(0.1)
    print("stopped with", threading.active_count(), flush=True)
    HOW
"""


@pytest.mark.parametrize(("how", "code"), [("pass", 0), ("raise", -signal.SIGINT)])
def test_a_script_that_solves_is_interrupted_at_once_and_leaves_no_solver_at_work(how: str, code: int) -> None:
    run = [sys.executable, "-c", SCRIPT.replace("HOW", how)]
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as running:
        assert running.stdout is not None
        assert running.stdout.readline().strip() == "at work"
        begun = time.monotonic()
        running.send_signal(signal.SIGINT)
        told, words = running.communicate(timeout=60)
    assert told.strip().splitlines()[-1] == "stopped with 1"
    assert running.returncode == code
    assert words.rstrip().endswith("KeyboardInterrupt") if code else not words
    assert time.monotonic() - begun < 8  # presolve is not interrupted: half a second, more on a busy machine


@pytest.fixture(scope="module")
def large() -> Case:
    return read_case(JIANGXI)


@pytest.mark.parametrize("stage", ["cost", "prices"])
def test_a_solve_is_cancelled_from_another_thread(large: Case, stage: str) -> None:
    cancel, threads, asked = threading.Event(), threading.active_count(), []

    def press() -> None:
        asked.append(time.monotonic())
        cancel.set()

    def at_work(what: str, seconds: float) -> None:
        if what == stage and (seconds or stage != "cost") and not asked:
            threading.Thread(target=press).start()

    with pytest.raises(CancelledError):
        solve(large, progress=at_work, cancel=cancel)
    assert time.monotonic() - asked[0] < 10  # a presolve ends by itself; on a busy machine that takes seconds
    time.sleep(0.3)
    assert threading.active_count() == threads


def test_a_solve_that_is_cancelled_before_it_begins_never_runs(
    monkeypatch: pytest.MonkeyPatch, small: Case, plan: Plan
) -> None:
    cancel = threading.Event()
    assert solve(small, cancel=cancel).objective == plan.objective
    cancel.set()
    monkeypatch.setattr(highspy.Highs, "run", lambda _: pytest.fail("it ran"))
    with pytest.raises(CancelledError):
        solve(small, cancel=cancel)


def test_a_solver_that_was_ended_solves_again(large: Case) -> None:
    matrix = compile_problem(Problem(large))
    cost = matrix.stages[-1].coefficients
    cancel = threading.Event()
    solver = Solver(matrix, Options(), cancellable(lambda _, seconds: cancel.set() if seconds > 0.3 else None, cancel))
    with pytest.raises(CancelledError):
        solver.minimise(cost, "cost")
    assert STATUS.get(solver.highs.getModelStatus()) == "limit"
    solver.progress = None
    assert STATUS[solver.minimise(cost, "cost")] == "optimal"
    undisturbed = Solver(matrix, Options())
    undisturbed.minimise(cost, "cost")
    assert cost @ solver.values() == pytest.approx(cost @ undisturbed.values(), rel=1e-9)


def statuses(monkeypatch: pytest.MonkeyPatch, *given: highspy.HighsModelStatus) -> list[str]:
    """HiGHS says these first, then the truth; the method of each try."""
    real = highspy.Highs.getModelStatus
    left, methods = list(given), []

    def status(self: highspy.Highs) -> highspy.HighsModelStatus:
        methods.append(str(self.getOptionValue("solver")[1]))
        return left.pop(0) if left else real(self)

    monkeypatch.setattr(highspy.Highs, "getModelStatus", status)
    return methods


UNKNOWN = highspy.HighsModelStatus.kUnknown


@pytest.mark.parametrize("said", [UNKNOWN, highspy.HighsModelStatus.kNotset, highspy.HighsModelStatus.kSolveError])
def test_an_unknown_status_is_tried_once_by_another_method(
    monkeypatch: pytest.MonkeyPatch, small: Case, plan: Plan, said: highspy.HighsModelStatus
) -> None:
    methods = statuses(monkeypatch, said)
    again = solve(small)
    assert (again.status, again.objective) == ("optimal", pytest.approx(plan.objective))
    assert methods[:2] == ["choose", "ipm"]


def test_a_solver_that_never_knows_gives_no_plan_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small: Case
) -> None:
    statuses(monkeypatch, *[UNKNOWN] * 20)
    unknown = solve(small)
    assert unknown.status == "unknown"
    assert not unknown.found
    unknown.write(tmp_path)
    assert json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["status"] == "unknown"


def test_a_solver_that_crashes_is_one_message_and_exit_4(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def crash(_: highspy.Highs) -> None:
        raise MemoryError("out of memory")

    monkeypatch.setattr(highspy.Highs, "run", crash)
    run = command("solve", TUTORIAL, "--out", tmp_path / "plan", "--lang", "en")
    assert run.exit_code == 4, run.output
    assert visible(tmp_path) == []


# ---------------------------------------------------------------- places


COMMAS = ("de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8")


@pytest.fixture
def decimal_comma() -> Iterator[str]:
    before = locale.setlocale(locale.LC_ALL)
    for name in COMMAS:
        try:
            locale.setlocale(locale.LC_ALL, name)
        except locale.Error:
            continue
        yield name
        locale.setlocale(locale.LC_ALL, before)
        return
    pytest.skip("no locale with a decimal comma here")


def test_a_decimal_comma_of_the_system_changes_nothing(
    decimal_comma: str, tmp_path: Path, small: Case, plan: Plan
) -> None:
    assert locale.localeconv()["decimal_point"] == ","
    solve(small).write(tmp_path / "comma")
    plan.write(tmp_path / "point")
    for name in FRAMES:
        assert (tmp_path / "comma" / f"{name}.csv").read_bytes() == (tmp_path / "point" / f"{name}.csv").read_bytes()
    write_case(small, tmp_path / "case")
    assert read_case(tmp_path / "case").digest == small.digest


def test_chinese_and_blank_paths_hold_cases_plans_scenarios_and_models(tmp_path: Path) -> None:
    place = tmp_path / "减污 降碳" / "方案（一）"
    place.mkdir(parents=True)
    shutil.copytree(TUTORIAL, place / "教学 案例")
    write_scenario(Scenario("x", note="备注"), place / "情 景.yaml")
    options = ("--scenario", place / "情 景.yaml", "--out", place / "结 果", "--lang", "zh")
    run = command("solve", place / "教学 案例", *options)
    assert run.exit_code == 0, run.output
    assert Plan.read(place / "结 果").status == "optimal"
    run = command("export-lp", place / "教学 案例", place / "模 型.lp")
    assert run.exit_code == 0, run.output
    assert visible(place) == sorted(["教学 案例", "情 景.yaml", "结 果", "模 型.lp"])


def test_a_system_without_utf8_gives_the_same_plan(tmp_path: Path, small: Case, plan: Plan) -> None:
    write_case(small, tmp_path / "case")
    plan.write(tmp_path / "utf8")
    run = [sys.executable, "-m", "planner.cli", "solve", str(tmp_path / "case"), "--out", str(tmp_path / "c")]
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": ""}
    done = subprocess.run([*run, "--lang", "zh"], env=environment, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    for name in FRAMES:
        one, other = ((tmp_path / folder / f"{name}.csv").read_bytes() for folder in ("c", "utf8"))
        if name == "measures":  # what explains them is made by the command, in the language asked for
            one, other = (b"\n".join(b",".join(line.split(b",")[:4]) for line in f.splitlines()) for f in (one, other))
        assert one == other
