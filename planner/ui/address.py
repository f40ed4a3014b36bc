"""Address: what a link asks for - language, room, draft - and what it can carry."""

import json
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from planner.case import Case
from planner.store import StoreError
from planner.text import LANGUAGES, Lang
from planner.ui.draft import Draft, EditMapping
from planner.ui.shared import store

ROOM = ("mode", "room", "team", "host")
"""Parts of a link that lead into a workshop: its mode, the code of a room, a team, the facilitator's secret."""
WORKSHOP = "workshop"
LONGEST = 4000
"""Characters of edits that a link carries at most; longer ones are kept in the store, the link names them [-]."""
KEPT = "kept:"
"""Start of the name of edits that are kept in the store."""
TRAIL = "trail"
"""Part of a link that names what can be undone and what is pinned, for a reload."""
NO_LEVERS = ("lang", "case", "edits", TRAIL, *ROOM)
"""Parts of a link that are no positions of levers."""


def preferred_language() -> Lang:
    """What the link asks for, else the browser, else Chinese."""
    asked = st.query_params.get("lang")
    if asked in LANGUAGES:
        return asked
    browser = st.context.locale
    return "zh" if not isinstance(browser, str) or browser.lower().startswith("zh") else "en"


def in_workshop() -> bool:
    """Whether the link asks for a workshop."""
    return bool(st.query_params.get("mode") == WORKSHOP)


def room() -> tuple[str, str, bool]:
    """Room and team of this visitor, blank where there is none, and whether it facilitates. Raises StoreError."""
    code = str(st.query_params.get("room", "")).upper()
    found = store().room(code) if code else None
    if found is None:
        return "", "", False
    return code, str(st.query_params.get("team", "")), st.query_params.get("host") == found[1]


def room_case() -> str | None:
    """The case of the room that the link leads into."""
    try:
        found = store().room(str(st.query_params.get("room", "")).upper())
    except StoreError:
        return None
    return found[0] if found else None


def into_room(**where: str) -> None:
    """Go into a room."""
    others = {name: value for name, value in st.query_params.to_dict().items() if name not in ROOM}
    st.query_params.from_dict({**others, "mode": WORKSHOP, **where})


def asked_draft(case: Case) -> Draft:
    """The draft that the link asks for."""
    asked = st.query_params.to_dict()
    if asked.get("case") != case.settings.name:
        return Draft()
    positions = {
        name: int(text) for name, text in asked.items() if name not in NO_LEVERS and text.removeprefix("-").isdecimal()
    }
    edits = _linked(asked.get("edits", "[]"))
    sound = isinstance(edits, list) and all(isinstance(edit, dict) for edit in edits)
    return Draft(tuple(edits) if sound else (), positions)


def _linked(text: str) -> Any:
    """Edits that a link carries or names; none where it is damaged or they are gone."""
    try:
        return store().kept(text.removeprefix(KEPT)) if text.startswith(KEPT) else json.loads(text)
    except (ValueError, StoreError):
        return []


def kept_edits(kept: Any) -> list[EditMapping]:
    """Edits that are kept as they are, or under a name.

    Raises ValueError where they are gone or damaged, StoreError where the store cannot be read.
    """
    found = store().kept(kept.removeprefix(KEPT)) if isinstance(kept, str) else kept
    if not isinstance(found, list) or not all(isinstance(edit, dict) for edit in found):
        raise ValueError("edits that were kept are gone")
    return found


def share_link() -> str:
    """The address that gives somebody else what is on screen, without the way there."""
    parts = {name: st.query_params[name] for name in st.query_params if name not in (TRAIL, *ROOM)}
    return f"{(st.context.url or '').partition('?')[0]}?{urlencode(parts)}"
