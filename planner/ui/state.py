"""State: case, draft, plans and work of one visitor."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import streamlit as st

from planner.case import Case
from planner.errors import CaseError
from planner.plan import Plan, solve
from planner.store import StoreError
from planner.text import Lang
from planner.ui import address, trail
from planner.ui.desk import Answer, Work
from planner.ui.draft import Draft, EditMapping, History
from planner.ui.levers import Lever, fresh_id, levers
from planner.ui.shared import desk, store
from planner.ui.trail import Pin

T = TypeVar("T")


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
    asked, name = address.asked_draft(case), st.query_params.get(address.TRAIL, "")
    if not name or st.query_params.get("case") != case.settings.name:
        return Desktop(History(asked))
    try:
        found = trail.read(case.settings.name, store().kept(name), lambda one: tuple(address.kept_edits(one)))
    except (StoreError, ValueError):
        found = None
    if found is None:
        return Desktop(History(asked))
    found.history.push(asked)
    return Desktop(found.history, count=found.count, against=found.against, left=found.pins)


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
    inside = {name: st.query_params[name] for name in address.ROOM if name in st.query_params}
    wanted = {**inside, "lang": lang, "case": case.settings.name, **moved}
    if present.edits:
        text = json.dumps(present.edits, ensure_ascii=False, separators=(",", ":"))
        if len(text) > address.LONGEST:
            text = _kept(case, present.edits)
        if text:
            wanted["edits"] = text
    way = _trail(case)
    if way:
        wanted[address.TRAIL] = way
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def _kept(case: Case, edits: tuple[EditMapping, ...]) -> str:
    """The name of edits in the store; empty where they cannot be kept."""
    mine = desktop(case)
    if id(edits) not in mine.kept:
        try:
            mine.kept[id(edits)] = edits, address.KEPT + store().keep(edits)
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
            short = len(json.dumps(edits, ensure_ascii=False)) <= address.LONGEST
            return list(edits) if short else _kept(case, edits)

        way = trail.Trail(history, mine.pins, mine.count, mine.against)
        try:
            mine.trail = now, store().keep(trail.told(case.settings.name, way, put))
        except (StoreError, ValueError):
            mine.trail = now, ""
    return mine.trail[1]


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
