"""Shared: what all visitors of one process share, the desk, the store and the cases that are there."""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import streamlit as st

from planner.case import Case
from planner.errors import CaseError
from planner.files import FileError, read_mapping
from planner.plan import Plan
from planner.store import Store, default_place
from planner.tables import SETTINGS_FILE, read_case
from planner.ui.desk import Desk

FIRST_CASE = "PLANNER_CASE"
"""Environment variable: the case to begin with, a name in the folder of cases or a path."""
TUTORIAL = "tutorial"


@st.cache_resource(show_spinner=False)
def desk() -> Desk:
    """The one desk of this process."""
    return Desk()


@st.cache_resource(show_spinner=False, max_entries=4)
def _store(place: str) -> Store:
    return Store(Path(place))


def store() -> Store:
    """Where scenarios, drafts and rooms are kept."""
    return _store(str(default_place()))


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


def writer() -> Callable[[Case, Plan, Path, str, str], None]:
    """What writes reports; the app brings it, as reports themselves draw on these pages."""
    return desk().writer


def cases(folder: Path) -> dict[str, Path]:
    """Folders of cases by name; the one the environment names first, then those with scenarios, the tutorial last."""
    found = {path.name: path for path in sorted(folder.glob("*")) if (path / SETTINGS_FILE).is_file()}
    asked = os.environ.get(FIRST_CASE)
    if asked:
        path = found.get(asked, Path(asked))
        found = {path.name: path, **found}
        return found
    return dict(sorted(found.items(), key=lambda item: (item[0] == TUTORIAL, not (item[1] / "scenarios").is_dir())))


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
