"""Limiting: the most there may be of a measure, in all or in one city, and the years in which it may be started."""

from functools import partial
from typing import Any

import streamlit as st

from planner import amounts
from planner.case import Case
from planner.errors import CaseError
from planner.text import t
from planner.ui import answering, ledgers, state, words
from planner.ui.draft import Draft, EditMapping, merged

PARTS = ("cap", "before", "after")
"""What a limit is made of: a cap on stock, no starts before a year, none after one."""


def draw(stand: answering.Stand, case: Case, measure: str, lang: str) -> None:
    """A city to choose, the most, and the first and last year of starts; what stands now is shown."""
    row = next(row for row in case.measures if row.measure == measure)
    unit = amounts.unit(row.unit, lang)
    cities = ["", *(one.city for one in case.potentials if one.measure == measure)]
    cities = list(dict.fromkeys(cities))
    names = {"": t("ui.limit.everywhere", lang), **ledgers.names_by(case, "city", lang)}
    years = list(case.decided or (case.settings.last_year,))
    with st.popover(t("ui.limit.title", lang), icon=":material/tune:", key="limits"):
        city = st.selectbox(
            t("ui.column.city", lang), cities, format_func=names.__getitem__, key=f"limit_city_{measure}_{lang}"
        )
        city = str(city or "")
        now = standing(case, measure, city)
        keys = {name: f"limit_{name}_{measure}_{city}_{lang}_{case.digest[:8]}" for name in ("cap", "from", "until")}
        st.number_input(
            t("ui.joined", lang, what=t("ui.limit.cap", lang), unit=unit.name),
            min_value=0.0,
            value=None if now["cap"] is None else now["cap"] * unit.factor,
            placeholder=t("ui.limit.none", lang),
            key=keys["cap"],
        )
        left, right = st.columns(2)
        left.selectbox(t("ui.limit.from", lang), years, index=years.index(now["before"] or years[0]), key=keys["from"])
        right.selectbox(
            t("ui.limit.until", lang), years, index=years.index(now["after"] or years[-1]), key=keys["until"]
        )
        st.button(
            t("ui.edit.apply", lang),
            key="apply_limit",
            type="primary",
            icon=":material/check:",
            on_click=partial(apply, stand, case, measure, city, keys, unit.factor, lang),
        )
        st.caption(t("ui.limit.help", lang))
    words = st.session_state.pop("limit_words", None)
    if words:
        st.error(words)


def pin_id(measure: str, city: str, part: str) -> str:
    """Id of the pin that holds a part of a limit."""
    return f"limit_{measure}_{city or 'all'}_{part}"


def standing(case: Case, measure: str, city: str) -> dict[str, Any]:
    """The limits that were set here: cap [unit of the measure], first and last year of starts; none where none is."""
    pins = {row.pin: row for row in case.pins}
    found = {part: pins.get(pin_id(measure, city, part)) for part in PARTS}
    before, after, cap = found["before"], found["after"], found["cap"]
    return {
        "cap": cap.max if cap else None,
        "before": before.last_year + 1 if before and before.last_year else None,
        "after": after.first_year - 1 if after and after.first_year else None,
    }


def edits(case: Case, measure: str, city: str, cap: float | None, first: int, last: int) -> list[EditMapping]:
    """What sets these limits, in place of those that stand: pins on stock, and on starts of the other years."""
    years = list(case.decided or (case.settings.last_year,))
    wanted: dict[str, dict[str, Any] | None] = {
        "cap": None if cap is None else {"on": "stock", "max": cap, "first_year": years[0], "last_year": years[-1]},
        "before": None if first <= years[0] else {"max": 0, "first_year": years[0], "last_year": first - 1},
        "after": None if last >= years[-1] else {"max": 0, "first_year": last + 1, "last_year": years[-1]},
    }
    known = {row.pin for row in case.pins}
    made: list[EditMapping] = []
    for part, cells in wanted.items():
        id_ = pin_id(measure, city, part)
        if cells is None:
            made += [{"table": "pins", "key": {"pin": id_}, "remove": True}] if id_ in known else []
        elif id_ in known:
            made.append({"table": "pins", "key": {"pin": id_}, "set": cells})
        else:
            where = {"city": city} if city else {}
            made.append({"table": "pins", "add": {"pin": id_, "measure": measure, **where, "on": "starts", **cells}})
    return made


def apply(
    stand: answering.Stand, case: Case, measure: str, city: str, keys: dict[str, str], factor: float, lang: str
) -> None:
    """Go on with the limits that were typed; faults are told."""
    typed = {name: st.session_state[key] for name, key in keys.items()}
    if int(typed["from"]) > int(typed["until"]):
        st.session_state["limit_words"] = t("ui.limit.order", lang)
        return
    cap = None if typed["cap"] is None else float(typed["cap"]) / factor
    base = state.drafted(stand.case)
    if not isinstance(base, Case):
        return
    made = edits(base, measure, city, cap, int(typed["from"]), int(typed["until"]))
    try:
        base.edited(made)
    except CaseError as fault:
        st.session_state["limit_words"] = "\n".join(words.issue_lines(fault, lang))
        return
    draft = state.draft(stand.case)
    state.push(stand.case, Draft(merged(draft.edits, made), draft.positions))
