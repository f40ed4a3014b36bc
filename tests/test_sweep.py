"""Sweeps: the same outcomes wherever they run, streamed, cancelled, resumed, and none lost to another's fault."""

import math
import os
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from extracts import counted, portfolio, spiteful, whole

from planner.case import Case
from planner.errors import CancelledError, SolverError
from planner.executors import ClusterError
from planner.plan import csv_text, solve
from planner.sweep import Asked, Backend, Job, Kind, Outcome, objective, stream, sweep
from planner.tables import read_case
from planner.tasks import decoded, encoded

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"
HERE = Backend(Kind.here)
CAPS = (91000.0, 92000.0, 90500.0, 93000.0, 70000.0, 91500.0)
"""One of them, 70000, cannot be kept."""


@pytest.fixture(scope="module")
def case() -> Case:
    return read_case(TUTORIAL)


def capped(caps: Any = CAPS) -> list[Job]:
    key = {"target": "co2_budget"}
    return [Job(({"table": "targets", "key": key, "set": {"value": cap}},), f"cap {cap}") for cap in caps]


def same(one: list[Outcome], other: list[Outcome]) -> bool:
    return [plain(outcome) for outcome in one] == [plain(outcome) for outcome in other]


def plain(outcome: Outcome) -> Any:
    return outcome.number, outcome.name, outcome.status, encoded(outcome.result), outcome.words


def test_an_outcome_is_the_least_cost_of_its_case(case: Case) -> None:
    found = sweep(case, capped(), Asked(objective), HERE)
    assert [outcome.number for outcome in found] == list(range(len(CAPS)))
    for job, outcome in zip(capped(), found, strict=True):
        plan = solve(case.edited(list(job.edits)))
        assert outcome.status == plan.status
        assert outcome.result == (pytest.approx(plan.objective, rel=1e-7) if plan.found else None)


def test_threads_and_processes_find_the_same_to_the_last_bit_as_one_after_another(case: Case) -> None:
    expected = sweep(case, capped(), Asked(whole), HERE)
    assert same(expected, sweep(case, capped(), Asked(whole), Backend(Kind.threads, 3)))
    assert same(expected, sweep(case, capped(), Asked(whole), Backend(Kind.processes, 2)))
    assert len({encoded(outcome.result) for outcome in expected}) == len(CAPS)


def test_the_order_of_jobs_changes_no_outcome(case: Case) -> None:
    jobs = capped()
    forth, back = sweep(case, jobs, Asked(whole), HERE), sweep(case, jobs[::-1], Asked(whole), HERE)
    assert {o.name: encoded(o.result) for o in forth} == {o.name: encoded(o.result) for o in back}


def test_a_chain_depends_on_nothing_but_itself_and_agrees_on_every_objective(case: Case) -> None:
    alone = sweep(case, capped(), Asked(objective), HERE)
    chained = sweep(case, capped(), Asked(whole), HERE, chain=3)
    assert same(chained, sweep(case, capped(), Asked(whole), Backend(Kind.threads, 2), chain=3))
    assert [outcome.status for outcome in alone] == [outcome.status for outcome in chained]
    for one, other in zip(alone, chained, strict=True):
        assert one.result == (pytest.approx(other.result["objective"], rel=1e-9) if other.result else None)


def test_a_settled_portfolio_is_that_of_a_solve_byte_for_byte(case: Case) -> None:
    (found,) = sweep(case, capped([91000.0]), Asked(portfolio, settled=True), HERE)
    assert found.result == csv_text(solve(case.edited(list(capped([91000.0])[0].edits))).portfolio)


def test_best_effort_answers_what_cannot_be_kept(case: Case) -> None:
    (found,) = sweep(case, capped([70000.0]), Asked(portfolio, best_effort=True), HERE)
    expected = solve(case.edited(list(capped([70000.0])[0].edits)), best_effort=True)
    assert (found.status, found.result) == ("infeasible", csv_text(expected.portfolio))


def test_a_faulty_job_and_a_dying_process_lose_no_other(case: Case) -> None:
    caps = (91000.0, 92000.0, 93000.0, 70000.0)
    found = sweep(case, capped(caps), Asked(spiteful), Backend(Kind.processes, 2))
    fine = sweep(case, capped(caps), Asked(objective), HERE)
    status = {outcome.name: outcome.status for outcome in found}
    assert status.pop("cap 92000.0") == status.pop("cap 93000.0") == "fault"
    assert set(status.values()) == {"optimal", "infeasible"}
    assert [a.result for a in found if a.status == "optimal"] == [
        b.result for a, b in zip(found, fine, strict=True) if a.status == "optimal"
    ]
    words = {outcome.name: outcome.words for outcome in found}
    assert words["cap 93000.0"]["en"] == "ZeroDivisionError: no luck"
    assert "killed" in words["cap 92000.0"]["en"]


def test_where_every_process_dies_it_is_told(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.sweep.HOPELESS", 1)
    with pytest.raises(SolverError, match="no process lives"):
        sweep(case, capped([92000.0, 92000.0]), Asked(spiteful), Backend(Kind.processes, 1))


def test_a_fault_in_the_edits_is_told_in_both_languages(case: Case) -> None:
    jobs = [Job(({"table": "targets", "key": {"target": "co2_budgt"}, "set": {"value": 1}},)), Job()]
    faulty, fine = sweep(case, jobs, Asked(objective), HERE)
    assert (faulty.status, fine.status) == ("fault", "optimal")
    assert "did you mean 'co2_budget'" in faulty.words["en"] and "是否应为“co2_budget”" in faulty.words["zh"]


def test_a_sweep_that_was_stopped_goes_on(case: Case, tmp_path: Path) -> None:
    marks, journal = tmp_path / "marks", tmp_path / "journal"
    marks.mkdir()
    asked = Asked(partial(counted, folder=str(marks)))
    running = stream(case, capped(), asked, HERE, journal)
    first = [next(running), next(running)]
    running.close()
    assert len(list(marks.iterdir())) == len(list(journal.iterdir())) == 2
    for mark in marks.iterdir():
        mark.unlink()
    rest = sweep(case, capped(), asked, HERE, journal)
    assert len(list(marks.iterdir())) == 3, "three plans were missing, and one cap has none"
    assert same(rest, sweep(case, capped(), asked, HERE))
    assert same(first, rest[:2])


def test_a_journal_is_read_by_what_an_outcome_depends_on(case: Case, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    asked = Asked(partial(counted, folder=str(marks)))

    def solved(base: Case, again: Asked) -> int:
        for mark in marks.iterdir():
            mark.unlink()
        sweep(base, capped([91000.0]), again, HERE, tmp_path / "journal")
        return len(list(marks.iterdir()))

    other = case.edited([{"setting": "discount_rate", "value": 0.04}])
    newer = Asked(asked.extract, version=2)
    assert [solved(case, asked), solved(case, asked), solved(other, asked), solved(case, newer)] == [1, 0, 1, 1]
    for file in (tmp_path / "journal").iterdir():
        file.write_text("{")
    assert solved(case, asked) == 1, "what is damaged is solved again"


def test_a_named_job_found_in_the_journal_bears_its_name_of_today(case: Case, tmp_path: Path) -> None:
    sweep(case, capped([91000.0]), Asked(objective), HERE, tmp_path)
    jobs = [Job(), Job(capped([91000.0])[0].edits, "anew")]
    found = sweep(case, jobs, Asked(objective), HERE, tmp_path)
    assert [(outcome.number, outcome.name) for outcome in found] == [(0, ""), (1, "anew")]


@pytest.mark.parametrize("kind", [Kind.here, Kind.processes])
def test_a_cancelled_sweep_ends_with_what_it_has(case: Case, kind: Kind) -> None:
    cancel = threading.Event()
    found = []
    with pytest.raises(CancelledError):
        for outcome in stream(
            case, capped(np.linspace(90500, 95000, 200)), Asked(objective), Backend(kind, 2), cancel=cancel
        ):
            found.append(outcome)
            cancel.set()
    assert 1 <= len(found) < 20


def test_progress_counts_the_jobs(case: Case) -> None:
    told: list[str] = []
    sweep(case, capped(), Asked(objective), HERE, progress=lambda what, _: told.append(what))
    assert [what for what in told if what.startswith("jobs")][-1] == f"jobs {len(CAPS)}/{len(CAPS)}"


def test_what_is_extracted_comes_back_as_it_was() -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "year": [2025, 2030], "value": [0.1 + 0.2, math.pi]})
    found = decoded(encoded({"table": frame, "numbers": np.array([1e-300, -0.0, 1 / 3]), "none": None}))
    pd.testing.assert_frame_equal(found["table"], frame)
    assert found["numbers"] == [1e-300, -0.0, 1 / 3]
    with pytest.raises(TypeError, match="set"):
        encoded({1})


def test_lumps_and_several_objectives_are_solved_whole(case: Case) -> None:
    asked = case.edited([{"setting": "objective", "value": ["quantity:co2", "cost"]}])
    (found,) = sweep(asked, [Job()], Asked(objective), HERE)
    assert found.way == "whole"
    assert found.result == pytest.approx(solve(asked).objective, rel=1e-9)


def test_where_no_cluster_answers_it_is_told(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("planner.executors.CONNECTING", 0.5)
    with pytest.raises(ClusterError, match="127\\.0\\.0\\.1"):
        sweep(case, [Job()], Asked(objective), Backend(Kind.dask, scheduler="tcp://127.0.0.1:9"))


def test_a_cluster_finds_the_same_to_the_last_bit(case: Case) -> None:
    distributed = pytest.importorskip("distributed")
    expected = sweep(case, capped(), Asked(whole), HERE)
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None) as cluster:
        found = sweep(case, capped(), Asked(whole), Backend(scheduler=cluster.scheduler_address))
    assert same(expected, found)


INTERRUPTED = """
import numpy as np
from planner.sweep import *
from planner.tables import read_case
if __name__ == "__main__":
    jobs = [Job(({"setting": "discount_rate", "value": rate},)) for rate in np.linspace(0.01, 0.1, 10000).tolist()]
    for outcome in stream(read_case("cases/tutorial"), jobs, Asked(objective), Backend(Kind.processes, 2)):
        print(outcome.number, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_interrupt_ends_all_processes(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(INTERRUPTED)
    root = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    script = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        env=environment,
        start_new_session=True,
    )
    assert script.stdout is not None and script.stdout.readline()
    os.killpg(script.pid, signal.SIGINT)
    _, said = script.communicate(timeout=30)  # comes back when every process has let go of the output
    assert said.strip().endswith("KeyboardInterrupt") and said.count("Traceback") == 1, said
