"""The page of edits: targets, budgets, pins, measures and prices in tables, checked as files are, then applied."""

from functools import partial
from typing import Any

import streamlit as st

from planner import text
from planner.case import Case
from planner.text import messages, t
from planner.ui import answering, sheets, state
from planner.ui.draft import Draft, EditMapping, merged
from planner.ui.sheets import Typed
from planner.ui.words import column_name, named, plain

MOST_ISSUES = 20
WIDE = {
    "name": 260,
    "measure": 200,
    "quantity": 150,
    "city": 110,
    "scope": 110,
    "unit": 95,
    "sectors": 120,
    "fund": 150,
}
"""Width of columns [px]."""


def page() -> None:
    """A table to choose and to edit; what is wrong with it; a button that applies it."""
    view = state.view()
    lang = view.lang
    stand = answering.stand(t("ui.page.edit", lang))
    names = {table: t(f"ui.table.{table}", lang) for table in sheets.SHEETS}
    chosen = st.segmented_control(
        t("ui.edit.table", lang),
        list(names),
        default="targets",
        required=True,
        format_func=names.__getitem__,
        key=f"sheet_{lang}",
        label_visibility="collapsed",
    )
    table = str(chosen or "targets")
    st.caption(t("ui.edit.caption", lang))
    key = f"editor_{table}_{lang}_{stand.asked.digest[:12]}"
    st.data_editor(
        sheets.sheet(stand.asked, table, lang),
        key=key,
        hide_index=True,
        num_rows="dynamic",
        height=min(520, 36 * (len(stand.asked.rows(table)) + 3)),
        placeholder="",
        disabled=[column for column in sheets.SHEETS[table] if column in sheets.FIXED],
        column_config={column: config(stand.asked, table, column, lang) for column in sheets.SHEETS[table]},
    )
    typed = Typed.of(st.session_state.get(key))
    made, faults = ([], []) if typed.nothing else sheets.faults(stand.asked, table, typed, lang)
    if faults:
        lines = [
            f"- {plain(text.issue(issue, lang))} {plain(text.remedy(issue, lang))}" for issue in faults[:MOST_ISSUES]
        ]
        st.error("\n".join([t("ui.edit.faults", lang, count=len(faults)), "", *lines]))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            t("ui.edit.apply", lang),
            key="apply",
            type="primary",
            icon=":material/check:",
            disabled=typed.nothing or bool(faults),
            on_click=partial(apply, stand, made),
        )
        if not typed.nothing and not faults:
            st.caption(t("ui.edit.ready", lang, count=len(made)), width="content")


def config(case: Case, table: str, column: str, lang: str) -> Any:
    """How a column is shown and edited."""
    kinds = st.column_config
    label, width, kind = column_name(column, lang), WIDE.get(column), sheets.kind(table, column)
    if column in ("name", "unit"):
        return kinds.TextColumn(label, width=width)
    options = sheets.choices(case, table, column)
    if options:
        return kinds.SelectboxColumn(
            label,
            width=width or 90,
            options=options,
            format_func=partial(choice, case, table, column, lang=lang),
        )
    if kind == "number":
        shown = sheets.factor(case, table, {}, column, lang).name if (table, column) != ("targets", "value") else ""
        title = t("ui.joined", lang, what=label, unit=shown) if shown == "%" else label
        return kinds.NumberColumn(title, width=width or 110, format="localized" if table != "prices" else None)
    if kind == "whole":
        return kinds.NumberColumn(label, width=width or 84, format="%d", step=1)
    if kind == "yesno":
        return kinds.CheckboxColumn(label, width=width or 80)
    return kinds.TextColumn(label, width=width or 110)


def choice(case: Case, table: str, column: str, value: str, lang: str) -> str:
    """What people call an id or a word of the tables."""
    key = f"ui.choice.{value}"
    if key in messages():
        return messages()[key][lang]
    references = {"quantity": "quantities", "scope": "cities", "measure": "measures", "city": "cities"}
    references |= {"sector": "sectors"}
    return named(case, references[column], value, lang) if column in references else value


def apply(stand: answering.Stand, made: list[EditMapping]) -> None:
    """Go on with what was typed."""
    base = state.drafted(stand.case)
    if isinstance(base, Case):
        draft = state.draft(stand.case)
        state.push(stand.case, Draft(merged(draft.all_edits(base, stand.offered, numbered=False), made)))


if __name__ == "__main__":
    page()
