"""Jobs: long work in the background, its progress on screen and a way to end it."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from planner.case import Case
from planner.errors import PlannerError
from planner.text import messages, t
from planner.ui import state
from planner.ui.desk import Work
from planner.ui.words import told_fault

LOOK_AGAIN = 0.5
"""How often a page looks how far long work is [s]."""
Told = Callable[[Work[Any]], tuple[float | None, str]]
"""How far work is (none: unknown), and in words."""


def watch(
    case: Case, slot: str, lang: str, told: Told | None = None, known: Callable[[Any], None] | None = None
) -> Any:
    """The result of long work; none while it is under way (a bar tells how far it is), where there is no work, and
    where it failed (words tell why).
    """
    found = state.job(case, slot)
    if found is None:
        return None
    work = found[1]
    if not work.future.done():
        st.fragment(_progress, run_every=LOOK_AGAIN)(case, slot, lang, told or plain(lang), known)
        return None
    if work.stopped:
        return None
    try:
        return work.future.result()
    except PlannerError as fault:
        st.error(t("ui.job.failed", lang, words=told_fault(fault, lang)))
        return None


def _progress(case: Case, slot: str, lang: str, told: Told, known: Callable[[Any], None] | None) -> None:
    found = state.job(case, slot)
    if found is None or found[1].future.done():
        st.rerun()
    work = found[1]
    part, words = told(work)
    if work.started is None:
        words = t("ui.job.waiting", lang, seconds=f"{work.seconds:.0f}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(part or 0.0, text=words)
        st.button(
            t("ui.job.cancel", lang),
            key=f"cancel_{slot}",
            icon=":material/stop_circle:",
            on_click=state.end,
            args=(case, slot),
        )
    if known is not None and work.known is not None:
        known(work.known)


def plain(lang: str) -> Told:
    """Words for work of unknown length: what it does now, and for how long."""

    def told(work: Work[Any]) -> tuple[float | None, str]:
        head, _, name = work.stage.partition(" ")
        key = f"stage.{head}"
        stage = messages()[key][lang] if key in messages() else ""
        stage = stage.replace("{name}", name)
        stage = "" if "{" in stage else stage
        words = t("ui.job.running", lang, seconds=f"{work.seconds:.0f}")
        return None, t("ui.job.stage", lang, stage=stage, words=words) if stage else words

    return told
