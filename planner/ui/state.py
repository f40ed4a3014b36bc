"""State: language, case, lever positions and the last valid plan of one visitor; what all visitors share."""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from planner.case import Case
from planner.errors import CaseError
from planner.files import FileError, read_mapping
from planner.plan import Plan
from planner.tables import SETTINGS_FILE, read_case
from planner.text import LANGUAGES, Lang
from planner.ui.desk import Answer, Desk, Work
from planner.ui.levers import Lever

FIRST_CASE = "PLANNER_CASE"
"""Environment variable: the case to begin with, a name in the folder of cases or a path."""
TUTORIAL = "tutorial"


@dataclass(frozen=True)
class Shown:
    """A plan on screen, the positions it answers and how long it took."""

    plan: Plan
    positions: Mapping[str, int]
    seconds: float


@dataclass(frozen=True)
class Frontier:
    """Points of a frontier and the digest of the case they belong to."""

    digest: str
    points: pd.DataFrame


# ---------------------------------------------------------------- shared by all visitors


@st.cache_resource(show_spinner=False)
def desk() -> Desk:
    """The one desk of this process."""
    return Desk()


@st.cache_resource(show_spinner=False, max_entries=8)
def _read(folder: str, stamp: float) -> Case | CaseError:
    try:
        return read_case(folder)
    except CaseError as fault:
        return fault


def read(folder: Path) -> Case | CaseError:
    """The case in a folder, read again when one of its files has changed."""
    return _read(str(folder), _stamp(folder))


def _stamp(folder: Path) -> float:
    """When a file of the case, or of the folders it takes tables from, changed last."""
    try:
        data = read_mapping(folder / SETTINGS_FILE, SETTINGS_FILE)[0].get("data") or []
    except FileError:
        data = []
    folders = [folder, *(folder / str(other) for other in (data if isinstance(data, list) else [data]))]
    files = [file for place in folders if place.is_dir() for file in (place, *place.iterdir())]
    return max((file.stat().st_mtime for file in files), default=0.0)


# ---------------------------------------------------------------- language and case


def preferred_language() -> Lang:
    """What the link asks for, else the browser, else Chinese."""
    asked = st.query_params.get("lang")
    if asked in LANGUAGES:
        return asked
    browser = st.context.locale
    return "zh" if not isinstance(browser, str) or browser.lower().startswith("zh") else "en"


def cases(folder: Path) -> dict[str, Path]:
    """Folders of cases by name; the one named by the environment first, the tutorial last."""
    found = {path.name: path for path in sorted(folder.glob("*")) if (path / SETTINGS_FILE).is_file()}
    asked = os.environ.get(FIRST_CASE)
    if asked:
        path = found.get(asked, Path(asked))
        found = {path.name: path, **found}
        return found
    return dict(sorted(found.items(), key=lambda item: item[0] == TUTORIAL))


def titles(found: Mapping[str, Path], lang: str) -> dict[str, str]:
    """Titles of cases by name, none of them twice: a list to choose from tells its items apart by their words."""
    names = {name: title(folder, lang) for name, folder in found.items()}
    counts = Counter(names.values())
    return {name: words if counts[words] == 1 else f"{words} · {name}" for name, words in names.items()}


def title(folder: Path, lang: str) -> str:
    """Name of a case for people, without reading its tables."""
    try:
        names = read_mapping(folder / SETTINGS_FILE, SETTINGS_FILE)[0].get("title")
    except FileError:
        names = None
    return str(names[lang]) if isinstance(names, dict) and names.get(lang) else folder.name


# ---------------------------------------------------------------- levers
# A choice of words is another control for the browser, so each language has controls of its own; what they stand at is
# kept here.


def key(case: Case, lever: Lever, lang: str) -> str:
    """Key of a lever's slider: each case and language has its own."""
    return f"lever_{case.settings.name}_{lever.id}_{lang}"


def place(case: Case, lever: Lever) -> str:
    """Where the position of a lever is kept."""
    return f"position_{case.settings.name}_{lever.id}"


def prepare(case: Case, lever: Lever, lang: str) -> None:
    """Put a slider that is new to the page where its lever stands: as kept, as the link asks, or at the case's own."""
    if place(case, lever) not in st.session_state:
        asked = st.query_params.get(lever.id, "") if st.query_params.get("case") == case.settings.name else ""
        st.session_state[place(case, lever)] = int(asked) if asked.removeprefix("-").isdecimal() else lever.own
    if st.session_state[place(case, lever)] not in lever.positions:
        st.session_state[place(case, lever)] = lever.own
    if st.session_state.get(key(case, lever, lang)) not in lever.positions:
        st.session_state[key(case, lever, lang)] = st.session_state[place(case, lever)]


def positions(case: Case, levers: tuple[Lever, ...]) -> dict[str, int]:
    """Where every lever stands."""
    return {lever.id: st.session_state[place(case, lever)] for lever in levers}


def move(case: Case, levers: tuple[Lever, ...], lang: str, to: Mapping[str, int]) -> None:
    """Put levers and their sliders to positions; those not named go to the case's own."""
    for lever in levers:
        for name in (place(case, lever), key(case, lever, lang)):
            st.session_state[name] = to.get(lever.id, lever.own)


def link(case: Case, lang: str, levers: tuple[Lever, ...]) -> None:
    """Write language, case and moved levers into the address, so that a reload or a shared link restores them."""
    at = positions(case, levers)
    moved = {lever.id: str(at[lever.id]) for lever in levers if at[lever.id] != lever.own}
    wanted = {"lang": lang, "case": case.settings.name, **moved}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


# ---------------------------------------------------------------- answers


def ask(case: Case, slot: str) -> Work[Answer]:
    """The answer to a case; what this visitor asked before in the same slot is dropped if it has not begun."""
    name = f"asked_{slot}"
    work = desk().ask(case, st.session_state.get(name))
    st.session_state[name] = work
    return work


def last(case: Case) -> Shown | None:
    """The last valid plan of a case that was on screen."""
    shown = st.session_state.get(f"last_{case.settings.name}")
    return shown if isinstance(shown, Shown) else None


def keep(case: Case, shown: Shown) -> None:
    """Remember a valid plan."""
    st.session_state[f"last_{case.settings.name}"] = shown


def frontier(case: Case) -> Frontier | None:
    """The last frontier of a case."""
    found = st.session_state.get(f"frontier_{case.settings.name}")
    return found if isinstance(found, Frontier) else None


def keep_frontier(case: Case, found: Frontier) -> None:
    """Remember a frontier."""
    st.session_state[f"frontier_{case.settings.name}"] = found


def long_work(job: Callable[[Callable[..., None]], pd.DataFrame]) -> Work[pd.DataFrame]:
    """Begin long work in place of what this visitor began before."""
    stop_long_work()
    work = desk().run(job)
    st.session_state["long_work"] = work
    return work


def stop_long_work() -> None:
    """Stop what this visitor began."""
    work = st.session_state.pop("long_work", None)
    if isinstance(work, Work):
        work.stopped = True
        work.future.cancel()
