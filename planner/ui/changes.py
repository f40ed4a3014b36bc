"""Changes: undo and redo, what differs from the case, and plans that are pinned."""

import tempfile
from functools import partial
from pathlib import Path

import streamlit as st

from planner.case import Case
from planner.edits import Edit
from planner.scenario import Scenario, write_scenario
from planner.text import t
from planner.ui import address, state, words
from planner.ui.draft import Draft, EditMapping, differences
from planner.ui.levers import levers

MOST = 40
"""Differences listed at most [-]."""


def tools(case: Case, asked: Case | None, current: bool, lang: str) -> None:
    """The row of buttons that every page with a plan has."""
    mine = state.desktop(case)
    history = mine.history
    for name, by, possible in (("undo", -1, history.undoable), ("redo", 1, history.redoable)):
        st.button(
            t(f"ui.change.{name}", lang),
            key=name,
            help=t(f"ui.change.{name}", lang),
            icon=f":material/{name}:",
            disabled=not possible,
            on_click=state.step,
            args=(case, by),
        )
    found = differences(case, asked) if asked is not None else []
    label = t("ui.change.count", lang, count=len(found)) if found else t("ui.change.none", lang)
    with st.popover(label, icon=":material/difference:", key="differences"):
        if not found:
            st.caption(t("ui.change.as_case", lang))
        else:
            listed = [f"- {words.difference(case, asked or case, one, lang)}" for one in found[:MOST]]
            if len(found) > MOST:
                listed.append(f"- {t('ui.no_plan.more', lang, count=len(found) - MOST)}")
            st.markdown("\n".join(listed))
            with st.container(horizontal=True):
                st.button(
                    t("ui.lever.reset_all", lang),
                    key="as_case",
                    icon=":material/restart_alt:",
                    on_click=state.push,
                    args=(case, Draft()),
                )
                download(case, "scenario_here", lang)
    with st.popover(t("ui.share.title", lang), icon=":material/share:", key="share"):
        st.caption(t("ui.share.help", lang))
        st.code(address.share_link(), language=None, wrap_lines=True)
    pinned = state.against(case)
    if pinned is None:
        st.button(
            t("ui.pin.pin", lang),
            key="pin",
            icon=":material/keep:",
            help=t("ui.pin.help", lang),
            disabled=not current,
            on_click=partial(pin, case, asked or case),
        )
    else:
        st.button(
            t("ui.pin.release", lang, name=pinned_name(pinned, lang)),
            key="release",
            icon=":material/keep_off:",
            help=t("ui.pin.release_help", lang),
            on_click=release,
            args=(case,),
        )


def pin(case: Case, asked: Case) -> None:
    """Put the plan on screen aside."""
    shown = state.desktop(case).shown
    if shown is not None:
        state.pin(case, shown, asked)


def release(case: Case) -> None:
    """Compare with the case's own plan again; the pinned one stays for the page of comparisons."""
    state.desktop(case).against = None


def pinned_name(pinned: state.Pinned, lang: str) -> str:
    """What a pinned plan is called."""
    return pinned.name or t("ui.pin.name", lang, number=pinned.number)


def all_edits(case: Case) -> tuple[EditMapping, ...]:
    """All edits of the draft, those of the levers included."""
    base = state.drafted(case)
    if not isinstance(base, Case):
        return ()
    return state.draft(case).all_edits(base, levers(base, state.desktop(case).own))


def scenario_text(case: Case) -> bytes:
    """The draft as a scenario file."""
    edits = tuple(Edit(**edit) for edit in all_edits(case))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scenario.yaml"
        write_scenario(Scenario("draft", edits, case=case.settings.name), file)
        return file.read_bytes()


def download(case: Case, key: str, lang: str) -> None:
    """A button that saves the draft as a scenario file."""
    st.download_button(
        t("ui.change.scenario", lang),
        data=partial(scenario_text, case),
        file_name=f"{case.settings.name}-scenario.yaml",
        mime="application/yaml",
        key=key,
        icon=":material/download:",
        on_click="ignore",
        help=t("ui.change.scenario_help", lang),
    )
