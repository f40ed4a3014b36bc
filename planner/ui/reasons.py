"""Reasons: what is shown where no plan does what is asked: how far it can be had, why, and the ways out."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import streamlit as st

from planner.case import Case
from planner.conflict import Diagnosis, diagnose, diagnosis_text, line_text
from planner.engine import Options
from planner.text import t
from planner.ui import jobs, state, words
from planner.ui.desk import Answer, Work
from planner.ui.draft import Draft, EditMapping, merged
from planner.ui.levers import Lever
from planner.ui.words import plain

LONGEST = 180.0
"""Time limit of a diagnosis [s]."""
SLOT = "why"


def panel(case: Case, asked: Case, answer: Answer, offered: tuple[Lever, ...], lang: str) -> None:
    """Why there is no plan, as far as it is known, and what can be done."""
    if answer.plan.status != "infeasible":
        st.warning(t("ui.no_plan.other", lang), icon=":material/block:")
        return
    bound = answer.way == "bound"
    loosest = next((lever.positions[-2] / 1000 for lever in offered if lever.kind == "cap"), None)
    lines = words.refused(asked, answer.refusals, bound, lang, loosest)
    if lines:
        title = t("ui.refused.title", lang)
    else:
        title = t("ui.no_plan.infeasible" if asked.digest != case.digest else "ui.no_plan.infeasible_own", lang)
    st.warning("\n".join([title, "", *(f"- {line}" for line in lines)]), icon=":material/block:")
    with st.container(horizontal=True, key="ways"):
        if lines:
            st.button(
                t("ui.refused.accept", lang),
                key="accept",
                type="primary",
                icon=":material/check:",
                help=t("ui.refused.accept_help", lang),
                on_click=partial(take, case, offered, words.furthest(asked, answer.refusals, bound)),
            )
        known = state.job(case, SLOT)
        if known is None or known[0].digest != asked.digest or known[1].stopped:
            st.button(
                t("ui.why.ask", lang),
                key="why",
                icon=":material/help:",
                help=t("ui.why.help", lang, seconds=f"{LONGEST:.0f}"),
                on_click=partial(ask, case, asked),
            )
    if known is not None and known[0].digest == asked.digest:
        diagnosis(case, offered, lang)


def ask(case: Case, asked: Case) -> None:
    """Begin a diagnosis."""

    def job(work: Work[Diagnosis]) -> Diagnosis:
        def tell(diagnosis: Diagnosis) -> None:
            work.known = diagnosis

        return diagnose(asked, Options(time_limit=LONGEST), work.told, tell=tell)

    state.begin(case, SLOT, job, asked)


def diagnosis(case: Case, offered: tuple[Lever, ...], lang: str) -> None:
    """The diagnosis, as far as it is known while it is made; then its ways out, each with a button."""
    found: Diagnosis | None = jobs.watch(case, SLOT, lang, known=partial(tell, lang=lang))
    if found is None:
        return
    with st.container(border=True, key="reasons"):
        tell(found, lang)
        if found.menu:
            single = any(len(line.parts) == 1 for line in found.menu)
            st.markdown(f"**{t('conflict.menu.title' if single else 'conflict.menu.pair', lang)}**")
        elif found.status != "feasible":
            st.markdown(t("conflict.menu.none", lang))
        for number, line in enumerate(found.menu):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(
                    t("ui.why.apply", lang),
                    key=f"repair_{number}",
                    on_click=partial(take, case, offered, line.edits),
                    width=90,
                )
                st.markdown(plain(line_text(found.case, line, lang)), width="stretch")


def tell(diagnosis: Diagnosis, lang: str) -> None:
    """What clashes and what must give at least."""
    lines = diagnosis_text(replace(diagnosis, searched=False), lang).split("\n")
    st.markdown("\n".join([f"**{lines[0]}**", "", *(_line(line) for line in lines[1:])]))


def _line(words: str) -> str:
    if words.startswith("  - "):
        return "  - " + plain(words.removeprefix("  - "))
    return f"\n{plain(words.strip())}\n"


def take(case: Case, offered: Iterable[Lever], edits: Iterable[EditMapping]) -> None:
    """Go on with what stands now, changed by these edits; the levers' own edits become edits like others."""
    base = state.drafted(case)
    if isinstance(base, Case):
        draft = state.draft(case)
        state.push(case, Draft(merged(draft.all_edits(base, offered, numbered=False), edits)))
        state.end(case, SLOT)
