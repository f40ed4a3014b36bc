"""The desk solves each case once, keeps so many answers, and drops what nobody waits for."""

import time
from concurrent.futures import CancelledError
from pathlib import Path
from threading import Event, current_thread
from typing import Any

import pytest

from planner.case import Case
from planner.plan import Plan, empty
from planner.session import Session
from planner.tables import read_case
from planner.ui import desk
from planner.ui.desk import Answer, Desk, StoppedError
from planner.ui.levers import levers

TUTORIAL = read_case(Path(__file__).parent.parent / "cases" / "tutorial")
SOON = 60
NO_PLAN: Plan = empty({"status": "infeasible", "objective": None}, TUTORIAL)


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
    for position in (970, 980, 990):
        assert one.ask(capped(position)).future.result(SOON).plan.found
    assert list(one.answers) == [capped(980).digest, capped(990).digest]


def test_a_question_that_was_not_begun_is_dropped_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    go = Event()
    solved: list[Any] = []

    def slow(session: Any, case: Case, work: Any) -> Answer:
        go.wait(SOON)
        work.told()
        solved.append(case.digest)
        return Answer(NO_PLAN, 0.0)

    monkeypatch.setattr(desk, "answered", slow)
    one = Desk()
    begun = one.ask(TUTORIAL)
    while begun.started is None:
        time.sleep(0.01)
    waiting = one.ask(capped(970))
    wanted = one.ask(capped(980))
    go.set()
    wanted.future.result(SOON)
    with pytest.raises(CancelledError):
        waiting.future.result(SOON)
    with pytest.raises(StoppedError):  # it was under way: ended at its next report
        begun.future.result(SOON)
    assert solved == [capped(980).digest]
    assert one.ask(capped(970)).future.result(SOON).plan is NO_PLAN  # asked again, it is solved after all


def test_a_storm_of_moves_solves_only_what_is_still_wanted() -> None:
    one = Desk()
    one.ask(TUTORIAL).future.result(SOON)
    works = [one.ask(capped(position), slot="draft") for position in range(950, 1000, 5)]
    assert works[-1].future.result(SOON).plan.found
    ended = [work for work in works[:-1] if not work.useful]
    assert len(ended) >= len(works) - 3


def test_two_visitors_share_an_answer_and_disturb_each_other_not(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Desk()
    first = one.ask(capped(970), "ann")
    assert one.ask(capped(970), "ben") is first
    other = one.ask(capped(980), "ben")
    assert first.future.result(SOON).plan.found  # ann still waits for it
    assert other.future.result(SOON).plan.found
    assert len(one.seats) == 2
    monkeypatch.setattr(desk, "SEATS", 1)
    one.ask(capped(980), "cem")
    assert list(one.seats) == [("cem", "tutorial")]


def test_a_session_ends_with_the_visit() -> None:
    one = Desk()
    work = one.ask(capped(970), "ann")
    one.ask(capped(970), "ben")
    alone = one.ask(capped(980), "ann", "other")
    one.leave("ann")
    assert list(one.seats) == [("ben", "tutorial")]
    assert work.future.result(SOON).plan.found  # ben still waits for it
    assert not alone.useful


def test_a_refused_cap_is_told_in_its_own_number_though_it_was_new() -> None:
    one = Desk()
    for visitor in ("ann", "ben"):  # the second finds the case itself answered already
        one.ask(TUTORIAL, visitor).future.result(SOON)
        answer = one.ask(capped(900), visitor).future.result(SOON)
        assert not answer.plan.found
        assert {refusal.id for refusal in answer.refusals} == {"lever_cap"}
        assert one.ask(capped(900), visitor).future.result(0) is answer


def test_what_is_prepared_in_the_background_never_mixes_with_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Event()
    use, answer = Session.use, Session.answer

    def slow_use(session: Session, case: Case) -> None:
        if current_thread().name.startswith("quiet"):  # it comes between what is asked and what is answered, if it can
            asked.wait(0.5)
        use(session, case)

    def slow_answer(session: Session, *rest: Any) -> Any:
        if current_thread().name.startswith("live"):
            asked.set()
            time.sleep(0.2)
        return answer(session, *rest)

    monkeypatch.setattr(desk, "PAUSE", 0.0)
    one = Desk()
    first = one.ask(TUTORIAL, "ann", "own")
    while first.proof == "pending":  # the quiet thread is free then
        time.sleep(0.01)
    monkeypatch.setattr(Session, "use", slow_use)
    monkeypatch.setattr(Session, "answer", slow_answer)
    one.ask(TUTORIAL, "ben", "own").future.result(SOON)
    found = one.ask(capped(900), "ben", "draft").future.result(SOON)
    assert not found.plan.found
    assert found.refusals


def test_the_next_visitor_goes_on_from_what_the_first_one_s_session_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "PAUSE", 0.0)
    one = Desk()
    for visitor in ("ann", "ben"):
        work = one.ask(TUTORIAL, visitor, "own")
        while work.proof == "pending" or not one.starts:
            time.sleep(0.01)
    found = one.ask(capped(970), "ben", "draft").future.result(SOON)
    sessions = [seat.session for seat in one.seats.values()]
    assert sessions[0] is not sessions[1]
    assert found.way == "warm"
    assert sessions[1].last is not None
    assert sessions[1].last.case.digest == capped(970).digest
    assert sessions[0].case.digest == TUTORIAL.digest
    assert found.plan.objective == pytest.approx(Session(capped(970)).answer().objective, rel=1e-8)


def test_answers_are_proven_while_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "PAUSE", 0.01)
    one = Desk()
    work = one.ask(capped(970))
    plan = work.future.result(SOON).plan
    for _ in range(600):
        if work.proof != "pending":
            break
        time.sleep(0.1)
    assert work.proof == "done"
    assert plan.summary["proof"] == "certificate"


def test_a_failure_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(session: Any, case: Case, work: Any) -> Any:
        raise RuntimeError

    one = Desk()
    with monkeypatch.context() as patch:
        patch.setattr(desk, "answered", failing)
        with pytest.raises(RuntimeError):
            one.ask(TUTORIAL).future.result(SOON)
    assert one.ask(TUTORIAL).future.result(SOON).plan.found


def test_stopped_work_ends_at_its_next_report() -> None:
    one = Desk()
    go = Event()

    def job(work: Any) -> int:
        work.told("first")
        go.wait(SOON)
        work.told("second")
        return 1

    work = one.run(job)
    while not work.done:
        time.sleep(0.01)
    work.stop()
    go.set()
    with pytest.raises(StoppedError):
        work.future.result(SOON)
