"""Answering: from a visitor's draft to the plan on screen, on every page that shows one."""

from collections.abc import Callable
from concurrent.futures import CancelledError as Dropped
from concurrent.futures import TimeoutError as StillWorking
from dataclasses import dataclass
from typing import Any

import streamlit as st

from planner import text
from planner.case import Case
from planner.errors import CancelledError, CaseError, PlannerError
from planner.plan import Plan
from planner.text import t
from planner.ui import changes, keeping, reasons, state, words
from planner.ui.desk import Answer, Work
from planner.ui.draft import Draft
from planner.ui.levers import Lever, levers, years_text
from planner.ui.words import is_proven

LOOK_AGAIN = 0.1
"""How often a waiting page looks for its answer [s]."""
PROOF_AGAIN = 0.8
"""How often it looks for the proof [s]."""
ATTEMPTS = 4
GREYED = "<style>.st-key-answer {opacity: 0.4; filter: grayscale(0.7);}</style>"
CALM = """<style>
.stMainBlockContainer {padding: 4.6rem 3rem 3rem;}
[data-testid="stSidebarUserContent"] {padding-top: 0;}
.st-key-head {flex-wrap: nowrap;}
.st-key-undo p, .st-key-redo p {position: absolute; clip-path: inset(50%%); width: 1px; overflow: hidden;}
[class*="st-key-own_"] {margin-top: -0.5rem;}
.st-key-answer {container-type: inline-size;}
.st-key-headline {flex-wrap: nowrap;}
.st-key-headline [data-testid="stMetric"] > div {padding: 0.7rem 0.8rem;}
.st-key-headline [data-testid="stMetricValue"] * {white-space: normal; overflow: visible;}
@container (max-width: %(narrow)srem) {.st-key-headline {display: grid; grid-template-columns: repeat(3, 1fr);}}
@container (max-width: 32rem) {.st-key-headline {grid-template-columns: repeat(2, 1fr);}}
@media (max-width: 640px) {.st-key-head {flex-wrap: wrap;} .stMainBlockContainer {padding: 4.6rem 1rem 2rem;}}
</style>"""
NARROW = {"zh": 62, "en": 76}
"""Width below which the headline takes two lines: English words are longer [rem]."""


@dataclass(frozen=True)
class Stand:
    """How things stand: the case, what is asked of it, and the plan on screen."""

    case: Case
    asked: Case
    """The case with all edits and levers."""
    offered: tuple[Lever, ...]
    own: Plan | None
    shown: state.Shown | None
    current: bool
    """Whether the plan on screen answers what is asked."""
    lang: text.Lang

    @property
    def reference(self) -> Plan | None:
        """The plan that everything is compared with."""
        pinned = state.against(self.case)
        return (pinned.plan if pinned else None) or self.own

    @property
    def reference_name(self) -> str:
        """What that plan is called."""
        pinned = state.against(self.case)
        if pinned is None or pinned.plan is None:
            return t("ui.figure.case", self.lang)
        return changes.pinned_name(pinned, self.lang)


def stand(title: str, draw: Callable[[Case, tuple[Lever, ...]], None] | None = None) -> Stand:
    """Head of a page with its tools, and the plan of the draft; `draw` puts the levers into the sidebar."""
    case, lang = state.view().case, state.view().lang
    st.html(CALM % {"narrow": NARROW[lang]})
    with st.container(horizontal=True, key="head", vertical_alignment="center"):
        st.title(title, anchor=False, width="stretch")
        tools = st.container(horizontal=True, key="tools", width="content", gap="small")
    with st.container(horizontal=True, key="state_line", gap="medium", vertical_alignment="center"):
        st.caption(size_text(case, lang), width="content")
        line = st.empty()
    trouble = st.container(key="trouble")
    mine = state.desktop(case)
    found = answer(case, "own", lang, line, trouble, "solving_own")
    mine.own = found.future.result().plan if found and found.future.result().plan.found else None
    base = state.drafted(case)
    offered = levers(base if isinstance(base, Case) else case, mine.own)
    if draw is not None:
        with st.sidebar:
            draw(case, offered)
    if mine.own is not None and mine.left:
        state.take_up_pins(case, mine.own)
    state.link(case, lang, offered)
    await_pin(case)
    if mine.own is not None and mine.shown is None:
        mine.shown = state.Shown(mine.own, Draft())
    asked, current = _answered(case, found, base, offered, lang, line, trouble)
    with tools:
        keeping.popover(case, lang)
        changes.tools(case, asked if isinstance(asked, Case) else None, current, lang)
    known = asked if isinstance(asked, Case) else case
    return Stand(case, known, offered, mine.own, mine.shown, current, lang)


def await_pin(case: Case) -> None:
    """Look again for a plan that was pinned before a reload, until it is solved."""
    pinned = state.against(case)
    if pinned is not None and pinned.plan is None and not pinned.work.future.done():
        st.fragment(_await_pin, run_every=PROOF_AGAIN)(pinned)


def _await_pin(pinned: state.Pinned) -> None:
    if pinned.work.future.done():
        st.rerun()


def size_text(case: Case, lang: str) -> str:
    """How large the case is."""
    return t(
        "ui.size",
        lang,
        years=years_text(case.settings.first_year, case.settings.last_year, lang),
        cities=len(case.cities),
        sectors=len(case.sectors),
        measures=len(case.measures),
        targets=len(case.targets),
    )


def _answered(
    case: Case,
    own: Work[Answer] | None,
    base: Case | CaseError,
    offered: tuple[Lever, ...],
    lang: text.Lang,
    line: Any,
    trouble: Any,
) -> tuple[Case | CaseError, bool]:
    """What is asked for, and whether its plan is there; where it is not, the last one stays, greyed."""
    draft, mine = state.draft(case), state.desktop(case)
    asked = base
    if isinstance(base, Case):
        try:
            asked = (
                base.edited([edit for lever in offered for edit in lever.edits(base, draft.at(lever))])
                if any(draft.at(lever) != lever.own for lever in offered)
                else base
            )
        except CaseError as fault:
            asked = fault
    if isinstance(asked, CaseError):
        line.caption(t("ui.state.failed", lang))
        with trouble:
            st.warning("\n".join([t("ui.no_plan.contradiction", lang), "", *words.issue_lines(asked, lang)]))
            offer_way_back(case, lang)
        return asked, False
    same = asked.digest == case.digest
    found = own if same else answer(asked, "draft", lang, line, trouble, "solving")
    if found is not None:
        result = found.future.result()
        with line:
            state_line(found, lang)
        if result.plan.found:
            mine.shown = state.Shown(result.plan, draft)
            return asked, True
        with trouble:
            reasons.panel(case, asked, result, offered, lang)
    with trouble:
        offer_way_back(case, lang)
    return asked, False


def answer(case: Case, slot: str, lang: str, line: Any, trouble: Any, words: str) -> Work[Answer] | None:
    """Wait for the answer to a case; whoever moves on meanwhile ends the wait at the next look."""
    for _ in range(ATTEMPTS):
        work = state.ask(case, slot)
        try:
            await_result(work, line, lang, words)
        except (Dropped, CancelledError):  # another visitor moved on from the same question
            continue
        except PlannerError as fault:
            line.caption(t("ui.state.failed", lang), width="content")
            trouble.error(t("ui.no_plan.failed", lang, words=str(fault)))
            return None
        return work
    return None


def await_result(work: Work[Answer], line: Any, lang: str, words: str) -> Answer:
    """The result of work; meanwhile the line tells how long it has been under way."""
    while True:
        try:
            return work.future.result(timeout=LOOK_AGAIN)
        except StillWorking:
            key = words if work.started else "waiting"
            line.caption(t(f"ui.state.{key}", lang, seconds=f"{work.seconds:.1f}"), width="content")


def state_line(work: Work[Answer], lang: str) -> None:
    """What the answer is, how long it took, and whether it is proven."""
    pending = work.proof == "pending" and work.future.result().plan.found
    if pending:
        st.fragment(_state_line, run_every=PROOF_AGAIN)(work, lang, True)
    else:
        _state_line(work, lang, False)


def _state_line(work: Work[Answer], lang: str, waiting: bool) -> None:
    if waiting and work.proof != "pending":
        st.rerun()
    answer = work.future.result()
    plan = answer.plan
    words = t(f"ui.state.{plan.status}", lang, seconds=f"{answer.seconds:.1f}")
    note = None
    if plan.found:
        proof = "pending" if work.proof == "pending" else "proven" if is_proven(plan) else "unproven"
        words = t("ui.state.with_proof", lang, state=words, proof=t(f"ui.proof.{proof}", lang))
        note = (plan.summary.get("verdict") or {}).get(lang) or t("ui.proof.help", lang)
    st.caption(words, width="content", help=note)


def offer_way_back(case: Case, lang: str) -> None:
    """Say that an older plan is on screen, and offer to return to it."""
    before = state.desktop(case).shown
    if before is None:
        return
    st.html(GREYED)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            t("ui.no_plan.back", lang),
            key="back",
            icon=":material/undo:",
            on_click=state.push,
            args=(case, before.draft),
        )
        st.caption(t("ui.no_plan.kept", lang), width="content")
