"""Keeping: named scenarios in the store, presets beside the case, and what is said when two people save one name."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from planner.case import Case
from planner.errors import CaseError
from planner.scenario import Scenario, read_scenario
from planner.store import LONGEST_NAME, ConflictError, Saved, StoreError, tidy
from planner.text import t
from planner.ui import changes, shared, state
from planner.ui.draft import Draft, EditMapping, merged
from planner.ui.words import plain

FOLDER = "scenarios"
"""Folder beside the tables of a case that holds its presets."""


@st.cache_resource(show_spinner=False, max_entries=64)
def _read(file: str, stamp: float) -> Scenario | None:
    try:
        return read_scenario(file)
    except CaseError:  # said by the command line; a faulty preset is none
        return None


def presets(case: Case) -> list[Scenario]:
    """Scenarios that come with a case."""
    if case.folder is None:
        return []
    files = sorted(Path(case.folder, FOLDER).glob("*.yaml"))
    found = [_read(str(file), file.stat().st_mtime) for file in files]
    return [one for one in found if one is not None and one.case in ("", case.settings.name)]


def title(scenario: Scenario, lang: str) -> str:
    """What people call a preset."""
    return scenario.title.get(lang) or scenario.scenario


def saved(case: Case) -> list[Saved]:
    """Named scenarios of a case, the latest first; none, and the reason on screen, where the store cannot be read."""
    try:
        return shared.store().scenarios(case.settings.name)
    except StoreError as fault:
        st.caption(t("ui.saved.unreadable", state.view().lang, words=str(fault)))
        return []


def edits_of(case: Case, name: str) -> tuple[EditMapping, ...]:
    """Edits of a saved scenario, else of a preset."""
    found = shared.store().load(case.settings.name, name)
    if found is not None:
        return found.edits
    return preset_edits(case, name)


def preset_edits(case: Case, name: str) -> tuple[EditMapping, ...]:
    """Edits of a preset; none for a name that is none."""
    return next((edits(one) for one in presets(case) if one.scenario == name), ())


def edits(scenario: Scenario) -> tuple[EditMapping, ...]:
    """Edits of a preset."""
    return merged((), [edit.mapping() for edit in scenario.edits])


def popover(case: Case, lang: str) -> None:
    """Scenarios at hand on every page with a plan: load one, save this one."""
    with st.popover(t("ui.saved.title", lang), icon=":material/bookmark:", key="scenarios"):
        panel(case, lang, "at_hand")


def panel(case: Case, lang: str, place: str) -> None:
    """Save under a name; below, what is saved and what comes with the case."""
    name = st.text_input(
        t("ui.saved.name", lang),
        key=f"save_name_{place}_{lang}",
        max_chars=LONGEST_NAME,
        placeholder=t("ui.saved.placeholder", lang),
    )
    st.button(
        t("ui.saved.save", lang),
        key=f"save_{place}",
        icon=":material/save:",
        disabled=not tidy(name),
        on_click=partial(save, case, name, lang),
    )
    draw_conflict(case, lang, place)
    words = st.session_state.pop("saved_words", None)
    if words:
        st.success(words, icon=":material/check:")
    for number, one in enumerate(saved(case)):
        with st.container(horizontal=True, vertical_alignment="center", key=f"saved_{place}_{number}"):
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.at))
            st.markdown(
                t("ui.saved.row", lang, name=plain(one.name), when=when, count=len(one.edits), version=one.version),
                width="stretch",
            )
            button(lang, "load", f"load_{place}_{number}", ":material/history:", partial(load, case, one))
            button(lang, "delete", f"delete_{place}_{number}", ":material/delete:", partial(delete, case, one, lang))
    found = presets(case)
    if found:
        st.caption(t("ui.saved.presets", lang))
        with st.container(horizontal=True, key=f"presets_{place}", gap="small"):
            for preset in found:
                st.button(
                    title(preset, lang),
                    key=f"preset_{place}_{preset.scenario}",
                    help=preset.note or None,
                    on_click=state.push,
                    args=(case, Draft(edits(preset))),
                )


def button(lang: str, what: str, key: str, icon: str, then: Callable[[], None]) -> None:
    """A small button."""
    st.button(t(f"ui.saved.{what}", lang), key=key, icon=icon, type="tertiary", on_click=then)


def draw_conflict(case: Case, lang: str, place: str) -> None:
    """Somebody else saved the same name: say so, and offer both ways on."""
    conflict: Saved | None = st.session_state.get("save_conflict")
    if conflict is None or conflict.case != case.settings.name:
        return
    when = time.strftime("%H:%M", time.localtime(conflict.at))
    words = {"name": plain(conflict.name), "when": when, "version": conflict.version}
    st.warning(t("ui.saved.conflict", lang, **words), icon=":material/group:")
    with st.container(horizontal=True, key=f"conflict_{place}"):
        button(lang, "theirs", f"theirs_{place}", ":material/history:", partial(load, case, conflict))
        button(
            lang,
            "overwrite",
            f"overwrite_{place}",
            ":material/save:",
            partial(save, case, conflict.name, lang, conflict.version),
        )


def save(case: Case, name: str, lang: str, known: int | None = None) -> None:
    """Keep the draft under a name; where somebody else saved it meanwhile, nothing is written."""
    seen = state.seen(case)
    name = tidy(name)
    try:
        found = shared.store().save(
            case.settings.name, name, changes.all_edits(case), seen.get(name, 0) if known is None else known
        )
    except ConflictError as fault:
        st.session_state["save_conflict"] = fault.now
        return
    except (StoreError, ValueError) as fault:
        st.session_state["saved_words"] = t("ui.saved.failed", lang, words=str(fault))
        return
    seen[name] = found.version
    st.session_state["save_conflict"] = None
    st.session_state["saved_words"] = t("ui.saved.done", lang, name=plain(name))


def load(case: Case, one: Saved) -> None:
    """Go on with a saved scenario."""
    state.seen(case)[one.name] = one.version
    st.session_state["save_conflict"] = None
    state.push(case, Draft(one.edits))


def delete(case: Case, one: Saved, lang: str) -> None:
    """Remove a scenario that nobody changed since it was listed."""
    try:
        shared.store().delete(case.settings.name, one.name, one.version)
    except ConflictError as fault:
        st.session_state["save_conflict"] = fault.now
    except StoreError as fault:
        st.session_state["saved_words"] = t("ui.saved.failed", lang, words=str(fault))
    else:
        state.seen(case).pop(one.name, None)
