"""The desk solves each case once, keeps so many answers, and drops what nobody waits for."""

from concurrent.futures import CancelledError
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from planner.case import Case
from planner.tables import read_case
from planner.ui import desk
from planner.ui.desk import Desk
from planner.ui.levers import levers

TUTORIAL = read_case(Path(__file__).parent.parent / "cases" / "tutorial")
SOON = 60


def capped(position: int) -> Case:
    return TUTORIAL.edited(levers(TUTORIAL)[0].edits(TUTORIAL, position))


def test_a_case_is_solved_once() -> None:
    one = Desk()
    first = one.ask(TUTORIAL)
    assert first.future.result(SOON).plan.found
    assert one.ask(TUTORIAL) is first
    assert one.ask(capped(970)) is not first


def test_the_oldest_answers_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "LARGEST", 2)
    one = Desk()
    works = [one.ask(capped(position)) for position in (970, 980, 990)]
    assert [work.future.result(SOON).plan.status for work in works] == ["optimal"] * 3
    assert list(one.answers) == [capped(980).digest, capped(990).digest]


def test_a_question_that_was_not_begun_is_dropped_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    go = Event()
    solved: list[Any] = []

    def slow(case: Case, work: Any) -> Any:
        go.wait(SOON)
        solved.append(case.digest)

    monkeypatch.setattr(desk, "_answer", slow)
    one = Desk()
    begun = one.ask(TUTORIAL)
    waiting = one.ask(capped(970), instead_of=begun)
    wanted = one.ask(capped(980), instead_of=waiting)
    go.set()
    wanted.future.result(SOON)
    with pytest.raises(CancelledError):
        waiting.future.result(SOON)
    assert solved == [TUTORIAL.digest, capped(980).digest]
    assert one.ask(capped(970)).future.result(SOON) is None  # asked again, it is solved after all


def test_a_failure_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(case: Case, work: Any) -> Any:
        raise RuntimeError

    one = Desk()
    with monkeypatch.context() as patch:
        patch.setattr(desk, "_answer", failing)
        with pytest.raises(RuntimeError):
            one.ask(TUTORIAL).future.result(SOON)
    assert one.ask(TUTORIAL).future.result(SOON).plan.found


def test_stopped_work_ends_at_its_next_report() -> None:
    one = Desk()
    go = Event()

    def job(told: Any) -> int:
        told("first")
        go.wait(SOON)
        told("second")
        return 1

    work = one.run(job)
    work.stopped = True
    go.set()
    with pytest.raises(desk.StoppedError):
        work.future.result(SOON)
