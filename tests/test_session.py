"""A session answers every edit as a solve from nothing would."""

import random
import threading
from pathlib import Path

import pytest
import toy
from edits import KINDS, edits
from random_cases import random_case
from repairs import read

from planner.case import Case
from planner.engine import Options
from planner.errors import CancelledError, CaseError
from planner.plan import solve
from planner.session import Session
from planner.tables import read_case

COLD = Options(prices=False, break_ties=False, certify=False)
TUTORIAL = Path(__file__).parent.parent / "cases" / "tutorial"
CAP = "target kind quantity sense value first_year last_year\ncap level q <= 95 2022 2023"


def cap(value: float) -> dict[str, object]:
    return {"table": "targets", "key": {"target": "cap"}, "set": {"value": value}}


def differs(session: Session, case: Case) -> str:
    """What differs between the session's answer and a solve from nothing; blank where nothing does."""
    answer, cold = session.answer(), solve(case, COLD)
    if answer.case.digest != case.digest:
        return "answers another case"
    if answer.status != cold.status:
        return f"{answer.status} ({answer.way}), but {cold.status} from nothing"
    if cold.found:
        scale = max(abs(cold.objective), 1e-3 * float(cold.costs["discounted"].abs().sum()), 1e-9)
        if abs(answer.objective - cold.objective) > 1e-6 * scale:
            return f"{answer.objective} ({answer.way}), but {cold.objective} from nothing"
    return ""


def test_a_cap_is_tightened_and_loosened_from_where_the_last_answer_stood() -> None:
    # Five units cut five tonnes in two years at 10 a tonne and year; each tonne of the cap costs 20 more.
    session = Session(toy.case(targets=CAP))
    assert session.answer().objective == pytest.approx(100.0)
    for value, cost in ((94.0, 120.0), (91.5, 170.0), (99.0, 20.0), (100.0, 0.0), (90.0, 200.0)):
        session.edit(cap(value))
        answer = session.answer()
        assert (answer.status, answer.way) == ("optimal", "warm")
        assert answer.objective == pytest.approx(cost)
        assert answer.plan.objective == pytest.approx(cost)
        assert answer.certified.summary["proof"] == "certificate"


def test_going_back_needs_no_solve() -> None:
    session = Session(toy.case(targets=CAP))
    first, before = session.answer(), session.case
    session.edit(cap(93.0))
    session.answer()
    session.use(before)
    assert session.answer() is first


def test_what_cannot_be_had_is_refused_with_the_most_that_can() -> None:
    # Ten units are all there are: 90 is the lowest level, whatever else is asked for.
    session = Session(toy.case(targets=CAP))
    good = session.answer()
    session.edit(cap(85.0))
    answer = session.answer()
    assert (answer.status, answer.proof, answer.way) == ("infeasible", "arithmetic", "bound")
    assert {(r.id, r.year, r.asked) for r in answer.refusals} == {("cap", 2022, 85.0), ("cap", 2023, 85.0)}
    assert all(r.most == pytest.approx(90.0) for r in answer.refusals)
    assert session.last is good
    assert not answer.found
    session.edit(cap(90.0))
    assert session.answer().objective == pytest.approx(200.0)


def test_what_a_budget_forbids_is_refused_with_the_most_that_it_allows() -> None:
    # 600 buy six units: 94 is the lowest level that the budget allows, though ten units could be had.
    budget = "budget limit per\nall 600 span"
    session = Session(toy.case(targets=CAP, budgets=budget))
    session.answer()
    session.edit(cap(91.0))
    answer = session.answer()
    assert (answer.status, answer.proof, answer.way) == ("infeasible", "elastic", "reach")
    (refusal,) = answer.refusals
    assert (refusal.table, refusal.id, refusal.column) == ("targets", "cap", "value")
    assert refusal.most == pytest.approx(94.0, abs=1e-4)
    assert refusal.most >= 94.0
    session.edit(cap(refusal.most))
    assert session.answer().found
    # Two numbers at once go back together: 600 - 300 s buys as much as 95 - 4 s asks for at s = 1 / 7.
    session.use(toy.case(targets=CAP, budgets=budget))
    session.answer()
    session.edit(cap(91.0), {"table": "budgets", "key": {"budget": "all"}, "set": {"limit": 300.0}})
    got = {refusal.id: refusal.most for refusal in session.answer().refusals}
    assert got["cap"] == pytest.approx(95 - 4 / 7, abs=1e-3)
    assert got["all"] == pytest.approx(600 - 300 / 7, abs=1e-1)


def test_a_share_that_cannot_be_had_is_refused_at_the_exact_share() -> None:
    # Both sides of a share move with the plan: q falls and r rises by one for each unit, at most ten: 110 of 200.
    tables = {
        "quantities": "quantity unit\nq t\nr t\nall t",
        "baseline": "quantity city sector year value\nq a s 2020 100\nr a s 2020 100\nall a s 2020 200",
        "effects": "measure quantity value\nm q -1\nm r 1\nm all -2",
        "budgets": "budget limit per\nall 600 span",
        "targets": "target kind quantity of sense value first_year\nshare share r all >= 0.52 2023",
    }
    session = Session(toy.case(**tables))
    session.answer()
    session.edit({"table": "targets", "key": {"target": "share"}, "set": {"value": 0.6}})
    (refusal,) = session.answer().refusals
    assert refusal.most == pytest.approx(106 / 188, abs=1e-5)


def test_a_faulty_edit_changes_nothing() -> None:
    session = Session(toy.case(targets=CAP))
    before = session.case
    with pytest.raises(CaseError):
        session.edit({"table": "targets", "key": {"target": "nobody"}, "set": {"value": 1}})
    assert session.case is before


def test_lumps_and_several_objectives_are_solved_whole() -> None:
    session = Session(toy.case({"objective": ["quantity:q", "cost"]}, budgets="budget limit per\nall 500 span"))
    answer = session.answer()
    assert (answer.way, answer.objective) == ("whole", pytest.approx(285.0))
    session.edit({"table": "budgets", "key": {"budget": "all"}, "set": {"limit": 400}})
    assert session.answer().objective == pytest.approx(288.0)


def test_an_answer_is_proven_also_after_later_ones() -> None:
    session = Session(read_case(TUTORIAL))
    first = session.answer()
    session.prepare()
    session.edit({"setting": "discount_rate", "value": 0.08})
    session.answer()
    assert first.certified.summary["proof"] == "certificate"


def test_the_objective_may_change_and_change_back() -> None:
    session = Session(toy.case(targets=CAP))
    first = session.answer().objective
    session.edit({"setting": "objective", "value": "capex"})
    assert session.answer().objective == pytest.approx(500.0)  # five units at 100
    session.edit({"setting": "objective", "value": "cost"}, cap(94.0))
    assert session.answer().objective == pytest.approx(first + 20)


def test_a_new_row_goes_on_from_the_old_basis() -> None:
    session = Session(toy.case())
    session.answer()
    row = {"target": "cap", "kind": "level", "quantity": "q", "sense": "<=", "value": 97, "first_year": 2023}
    session.edit({"table": "targets", "add": row})
    answer = session.answer()
    assert (answer.way, answer.objective) == ("warm", pytest.approx(30.0))


def test_another_thread_may_cancel() -> None:
    session = Session(read_case(TUTORIAL))
    begun = threading.Event()

    def progress(what: str, seconds: float) -> None:
        if not begun.is_set():
            begun.set()
            session.cancel()

    with pytest.raises(CancelledError):
        session.answer(progress)
    assert session.answer().found


@pytest.mark.parametrize("seed", range(12))
def test_every_edit_is_answered_as_from_nothing(seed: int) -> None:
    case = read(random_case(seed, lumps=False))
    if case is None or len(case.settings.objective) > 1:
        case = read_case(TUTORIAL)
    session, rng = Session(case), random.Random(seed)
    session.answer()
    for kind, edit in edits(rng, lambda: session.case, 8, KINDS):
        before = session.case
        session.edit(edit)
        wrong = differs(session, session.case)
        assert not wrong, f"{kind} {edit}: {wrong}"
        if not session.answer().found:
            session.use(before)


@pytest.mark.parametrize("seed", range(16))
def test_a_session_that_goes_on_from_another_answers_as_one_from_nothing(seed: int) -> None:
    case = read(random_case(seed, lumps=False))
    if case is None or len(case.settings.objective) > 1:
        case = read_case(TUTORIAL)
    first = Session(case)
    if not first.answer().found or first.answer().whole is not None:
        first = Session(case := read_case(TUTORIAL))
        assert first.answer().found
    first.prepare()
    start = first.start()
    assert start is not None
    second = Session(case, start=start)
    assert second.answer() is first.answer()
    second.prepare()
    for kind, edit in edits(random.Random(seed), lambda: second.case, 4, KINDS):
        second.edit(edit)
        assert not (told := differs(second, second.case)), f"{kind}: {told}"
    assert not differs(first, case)  # it is not disturbed
