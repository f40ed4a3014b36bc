"""State: language, case, draft, plans and work of one visitor; what all visitors share."""

import json
import os
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import streamlit as st

from planner.case import Case
from planner.errors import CaseError
from planner.files import FileError, read_mapping
from planner.plan import Plan, solve
from planner.store import Store, StoreError, default_place
from planner.tables import SETTINGS_FILE, read_case
from planner.text import LANGUAGES, Lang
from planner.ui import trail
from planner.ui.desk import Answer, Desk, Work
from planner.ui.draft import Draft, EditMapping, History
from planner.ui.levers import Lever, fresh_id, levers
from planner.ui.trail import Pin

T = TypeVar("T")

FIRST_CASE = "PLANNER_CASE"
"""Environment variable: the case to begin with, a name in the folder of cases or a path."""
TUTORIAL = "tutorial"


LONGEST_LINK = 4000
"""Characters of edits that a link carries at most; longer ones are kept in the store, the link names them [-]."""
ROOM = ("mode", "room", "team", "host")
"""Parts of a link that lead into a workshop: its mode, the code of a room, a team, the facilitator's secret."""
WORKSHOP = "workshop"
KEPT = "kept:"
"""Start of the name of edits that are kept in the store."""
TRAIL = "trail"
"""Part of a link that names what can be undone and what is pinned, for a reload."""
NO_LEVERS = ("lang", "case", "edits", TRAIL, *ROOM)
"""Parts of a link that are no positions of levers."""


@dataclass(frozen=True)
class View:
    """What a page is shown for."""

    case: Case
    lang: Lang
    page: str


@dataclass(frozen=True)
class Shown:
    """A plan on screen and the draft it answers."""

    plan: Plan
    draft: Draft


@dataclass
class Pinned:
    """A plan that was put aside: as it was on screen until it is settled, with ties broken and prices."""

    number: int
    draft: Draft
    live: Plan | None
    """None after a reload."""
    work: Work[Plan]
    name: str = ""

    @property
    def plan(self) -> Plan | None:
        """The settled plan once there is one."""
        return self.work.future.result() if self.settled else self.live

    @property
    def settled(self) -> bool:
        """Whether its ties are broken."""
        done = self.work.future.done() and not self.work.future.cancelled()
        return done and self.work.future.exception() is None


@dataclass
class Desktop:
    """What one visitor has of one case."""

    history: History
    shown: Shown | None = None
    own: Plan | None = None
    pinned: list[Pinned] = field(default_factory=list)
    count: int = 0
    """Plans pinned so far."""
    against: int | None = None
    """Number of the pinned plan that everything is compared with; none: the case's own."""
    drafted: tuple[tuple[EditMapping, ...], Case | CaseError] | None = None
    kept: dict[int, tuple[tuple[EditMapping, ...], str]] = field(default_factory=dict)
    """Edits that a link is too short for, and their name in the store."""
    left: tuple[Pin, ...] = ()
    """Pins from before a reload, to be solved again."""
    trail: tuple[tuple[Any, ...], str] | None = None
    """What was kept of the way here last, and its name in the store."""

    @property
    def pins(self) -> tuple[Pin, ...]:
        """What is pinned, as drafts."""
        return tuple(Pin(one.number, one.name, one.draft) for one in self.pinned) or self.left


# ---------------------------------------------------------------- shared by all visitors


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


# ---------------------------------------------------------------- language and case


def preferred_language() -> Lang:
    """What the link asks for, else the browser, else Chinese."""
    asked = st.query_params.get("lang")
    if asked in LANGUAGES:
        return asked
    browser = st.context.locale
    return "zh" if not isinstance(browser, str) or browser.lower().startswith("zh") else "en"


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


# ---------------------------------------------------------------- workshop


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


# ---------------------------------------------------------------- one visitor


def brought() -> dict[str, Case]:
    """Cases that this visitor loaded, by name."""
    found: dict[str, Case] = st.session_state.setdefault("brought", {})
    return found


def bring(case: Case, lang: str) -> str:
    """Keep a loaded case beside the others, under a name of its own; returns its title."""
    taken = {*st.session_state.get("cases", ()), *(name for name in brought())}
    name = fresh_id(f"{case.settings.name}_loaded", taken)
    brought()[name] = case.edited([{"setting": "name", "value": name}])
    return case.settings.title.get(lang) or case.settings.name


def writer() -> Callable[[Case, Plan, Path, str, str], None]:
    """What writes reports; the app brings it, as reports themselves draw on these pages."""
    return desk().writer


def view() -> View:
    """What the page is shown for."""
    found: View = st.session_state["view"]
    return found


@st.cache_resource(show_spinner=False, scope="session", on_release=lambda name: desk().leave(name))
def visitor() -> str:
    """Name of this visitor among the sessions, which end with the visit."""
    return uuid.uuid4().hex


def desktop(case: Case) -> Desktop:
    """What this visitor has of a case; begun with what the link asks for."""
    name = f"desktop_{case.settings.name}"
    if name not in st.session_state:
        st.session_state[name] = _begun(case)
    found: Desktop = st.session_state[name]
    return found


def _begun(case: Case) -> Desktop:
    """The desktop of a new session: what the link asks for, and before a reload the way there and what was pinned."""
    asked, name = _asked(case), st.query_params.get(TRAIL, "")
    if not name or st.query_params.get("case") != case.settings.name:
        return Desktop(History(asked))
    try:
        found = trail.read(case.settings.name, store().kept(name), lambda one: tuple(_edits(one)))
    except (StoreError, ValueError):
        found = None
    if found is None:
        return Desktop(History(asked))
    found.history.push(asked)
    return Desktop(found.history, count=found.count, against=found.against, left=found.pins)


def _edits(kept: Any) -> list[EditMapping]:
    """Edits that are kept as they are, or under a name; raises ValueError where they are gone or damaged."""
    found = store().kept(kept.removeprefix(KEPT)) if isinstance(kept, str) else kept
    if not isinstance(found, list) or not all(isinstance(edit, dict) for edit in found):
        raise ValueError("edits that were kept are gone")
    return found


def take_up_pins(case: Case, own: Plan) -> None:
    """Solve again what was pinned before a reload."""
    mine = desktop(case)
    left, mine.left = mine.left, ()
    for one in left:
        try:
            base = case.edited(one.draft.edits) if one.draft.edits else case
            of = base.edited(one.draft.all_edits(base, levers(base, own))[len(one.draft.edits) :])
        except CaseError:
            continue
        work = desk().run(partial(_settled, of))
        mine.pinned.append(Pinned(one.number, one.draft, None, work, one.name))


def _settled(of: Case, work: Work[Plan]) -> Plan:
    return solve(of, progress=work.told)


def _asked(case: Case) -> Draft:
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


def seen(case: Case) -> dict[str, int]:
    """Versions of saved scenarios that this visitor loaded or saved last, by name."""
    found: dict[str, int] = st.session_state.setdefault(f"seen_{case.settings.name}", {})
    return found


def draft(case: Case) -> Draft:
    """The draft of a case that counts now."""
    return desktop(case).history.present


def push(case: Case, new: Draft) -> None:
    """Go on with another draft."""
    desktop(case).history.push(new)


def step(case: Case, by: int) -> None:
    """Undo or redo."""
    desktop(case).history.step(by)


def drafted(case: Case) -> Case | CaseError:
    """The case with the edits of its draft, without levers."""
    mine, edits = desktop(case), draft(case).edits
    if not edits:
        return case
    if mine.drafted is None or mine.drafted[0] is not edits:
        try:
            mine.drafted = edits, case.edited(edits)
        except CaseError as fault:
            mine.drafted = edits, fault
    return mine.drafted[1]


# ---------------------------------------------------------------- levers
# A choice of words is another control for the browser, so each language has controls of its own; what they stand at is
# kept in the draft.


def slider(case: Case, lever: Lever, lang: str) -> str:
    """Key of a lever's slider, which stands where its lever stands; each case and language has its own.

    Where the draft has moved on without it (undo, reset, another scenario), a new slider takes its place: until the
    browser hears of that, it tells with every click where the old one stood, and that is no wish of anybody.
    """
    at, name = draft(case).at(lever), f"lever_{case.settings.name}_{lever.id}_{lang}"
    number = st.session_state.get(f"{name}_number", 0)
    key = f"{name}_{number}"
    on_page = st.session_state.get(f"{name}_page") == view().page
    if on_page and key in st.session_state and st.session_state[key] != at:
        st.session_state[f"{key}_left"] = st.session_state[key]
        st.session_state[f"{name}_number"] = number + 1
        key = f"{name}_{number + 1}"
    if not on_page or st.session_state.get(key) != at:  # on another page it is another slider, whatever its key keeps
        st.session_state[key] = at
        st.session_state[f"{name}_page"] = view().page
    return key


def follow(case: Case, lever: Lever, key: str) -> None:
    """Take over where somebody has put a slider."""
    if st.session_state.get(f"{key}_left") != st.session_state[key]:
        push(case, draft(case).moved(lever, st.session_state[key]))


def link(case: Case, lang: str, levers: tuple[Lever, ...]) -> None:
    """Write language, case and draft into the address, so that a reload or a shared link restores them."""
    present = draft(case)
    moved = {lever.id: str(present.at(lever)) for lever in levers if present.at(lever) != lever.own}
    inside = {name: st.query_params[name] for name in ROOM if name in st.query_params}
    wanted = {**inside, "lang": lang, "case": case.settings.name, **moved}
    if present.edits:
        text = json.dumps(present.edits, ensure_ascii=False, separators=(",", ":"))
        if len(text) > LONGEST_LINK:
            text = _kept(case, present.edits)
        if text:
            wanted["edits"] = text
    way = _trail(case)
    if way:
        wanted[TRAIL] = way
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def _kept(case: Case, edits: tuple[EditMapping, ...]) -> str:
    """The name of edits in the store; empty where they cannot be kept."""
    mine = desktop(case)
    if id(edits) not in mine.kept:
        try:
            mine.kept[id(edits)] = edits, KEPT + store().keep(edits)
        except (StoreError, ValueError):
            mine.kept[id(edits)] = edits, ""
    return mine.kept[id(edits)][1]


def _trail(case: Case) -> str:
    """The name of the way here in the store: what can be undone, and pins; empty where there is none."""
    mine = desktop(case)
    history = mine.history
    if len(history.drafts) == 1 and not mine.pins:
        return ""
    now = (tuple(map(id, history.drafts)), history.place, mine.pins, mine.count, mine.against)
    if mine.trail is None or mine.trail[0] != now:

        def put(edits: tuple[EditMapping, ...]) -> Any:
            short = len(json.dumps(edits, ensure_ascii=False)) <= LONGEST_LINK
            return list(edits) if short else _kept(case, edits)

        way = trail.Trail(history, mine.pins, mine.count, mine.against)
        try:
            mine.trail = now, store().keep(trail.told(case.settings.name, way, put))
        except (StoreError, ValueError):
            mine.trail = now, ""
    return mine.trail[1]


def share_link(case: Case) -> str:
    """The address that gives somebody else what is on screen, without the way there."""
    parts = {name: st.query_params[name] for name in st.query_params if name not in (TRAIL, *ROOM)}
    return f"{(st.context.url or '').partition('?')[0]}?{urlencode(parts)}"


# ---------------------------------------------------------------- answers


def ask(case: Case, slot: str) -> Work[Answer]:
    """The answer to a case; what this visitor asked before in the same slot is dropped."""
    return desk().ask(case, visitor(), slot)


def pin(case: Case, shown: Shown, of: Case, name: str = "") -> None:
    """Put a plan aside; without a name it is the one on screen, and from now on everything is compared with it."""
    mine = desktop(case)
    mine.count += 1
    work = desk().run(partial(_settled, of))
    mine.pinned.append(Pinned(mine.count, shown.draft, shown.plan, work, name))
    if not name:
        mine.against = mine.count
    if len(mine.pinned) > trail.MOST_PINS:
        unpin(case, mine.pinned[0].number)


def unpin(case: Case, number: int) -> None:
    """Put a plan away."""
    mine = desktop(case)
    for one in mine.pinned:
        if one.number == number:
            one.work.stop()
    mine.pinned = [one for one in mine.pinned if one.number != number]
    if mine.against == number:
        mine.against = None


def against(case: Case) -> Pinned | None:
    """The pinned plan that everything is compared with."""
    mine = desktop(case)
    return next((one for one in mine.pinned if one.number == mine.against), None)


# ---------------------------------------------------------------- long work


def begin(case: Case, slot: str, job: Callable[[Work[T]], T], of: Case) -> None:
    """Begin long work about a case in place of what this visitor began before in the slot."""
    end(case, slot)
    st.session_state[f"job_{case.settings.name}_{slot}"] = (of, desk().run(job))


def job(case: Case, slot: str) -> tuple[Case, Work[Any]] | None:
    """Long work of this visitor and the case it is about."""
    found: tuple[Case, Work[Any]] | None = st.session_state.get(f"job_{case.settings.name}_{slot}")
    return found


def end(case: Case, slot: str) -> None:
    """Stop long work and forget it."""
    found = st.session_state.pop(f"job_{case.settings.name}_{slot}", None)
    if found is not None:
        found[1].stop()
