"""Valuing: what the last money of every budget is worth, and the least cost for every cap on what is spent."""

import re
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from planner import amounts
from planner.budgets import LAST, worth
from planner.case import Case
from planner.highlights import lines
from planner.rows import FUND
from planner.text import t
from planner.ui import answering, drawing, jobs, state, tracing
from planner.ui.desk import Work
from planner.ui.levers import years_text
from planner.ui.words import named

WORTH, CAPS = "worth", "caps"
"""Slots of long work."""
TALL = 14
"""Rows of the table on screen at once [-]."""
POINTS = 8
"""Points of the curve of cost against a cap [-]."""


def draw(stand: answering.Stand, lang: str) -> None:
    """Both questions, each with its button."""
    draw_worth(stand, lang)
    draw_caps(stand, lang)


def draw_worth(stand: answering.Stand, lang: str) -> None:
    """What the last of the money is worth."""
    case = stand.asked
    if not case.budgets:
        return
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang)
    last = t("ui.amount", lang, number=amounts.number(LAST * money.factor), unit=money.name)
    st.subheader(t("ui.worth.title", lang, amount=last), anchor=False)
    st.caption(t("ui.worth.help", lang, amount=last))
    st.button(
        t("ui.worth.run", lang),
        key="worth",
        icon=":material/paid:",
        disabled=not stand.current,
        on_click=partial(begin, stand.case, case),
    )
    known = state.job(stand.case, WORTH)
    found: pd.DataFrame | None = jobs.watch(stand.case, WORTH, lang, partial(told, lang=lang))
    if found is None or known is None:
        return
    if known[0].digest != case.digest:
        st.caption(t("ui.robust.other", lang))
    frame, idle = valued(known[0], found, lang)
    if not frame.empty:
        column = st.column_config
        unit = drawing.money_unit(case, lang)
        names = {"lost": t("budget_desk.worth.lost", lang), "gained": t("budget_desk.worth.gained", lang)}
        st.dataframe(
            frame,
            hide_index=True,
            height="content" if len(frame) < TALL else 35 * TALL,
            placeholder=t("ui.change.blank", lang),
            column_config={
                "budget": column.TextColumn(t("ui.budgets.budget", lang), width=240),
                "years": column.TextColumn(t("ui.worth.years", lang), width=110),
                **{
                    name: column.NumberColumn(
                        t("ui.joined", lang, what=t(f"ui.budgets.{name}", lang), unit=unit), format="%,.2f", width=110
                    )
                    for name in ("limit", "spent")
                },
                **{
                    name: column.NumberColumn(t("ui.joined", lang, what=words, unit=unit), format="%,.3f", width=170)
                    for name, words in names.items()
                },
                "state": column.TextColumn(t("ui.worth.state", lang), width=110),
            },
        )
        st.caption(t("ui.worth.note", lang))
    if idle:
        st.caption(t("budget_desk.worth.idle", lang, names=("、" if lang == "zh" else ", ").join(idle)))


def begin(case: Case, of: Case) -> None:
    """Begin to work out what money is worth."""
    state.begin(case, WORTH, lambda work: worth(of, progress=work.told), of)


def told(work: Work[Any], lang: str) -> tuple[float | None, str]:
    """How many budgets and years are known, read from what the work tells."""
    seconds = t("ui.job.running", lang, seconds=f"{work.seconds:.0f}")
    place = re.search(r"\((\d+)/(\d+)\)", work.stage)
    if place is None:
        return None, seconds
    done, count = int(place[1]), int(place[2])
    return done / count, t("ui.worth.progress", lang, done=done, count=count, words=seconds)


def valued(case: Case, found: pd.DataFrame, lang: str) -> tuple[pd.DataFrame, list[str]]:
    """Rows whose money is worth something, the most first: budget, years, limit, spent, lost, gained [shown money],
    state; and names of budgets that are worth nothing anywhere."""
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang).factor
    rows: list[tuple[Any, ...]] = []
    names: dict[str, bool] = {}
    for row in lines(found):
        names.setdefault(str(row.budget), False)
        gone = row.status == "infeasible"
        if not (gone or row.lost > 0 or row.gained > 0):
            continue
        names[str(row.budget)] = True
        first = int(row.year) - int(row.years) + 1
        state_ = t("budget_desk.worth.infeasible", lang) if gone else ""
        cells = (row.limit * money, row.spent * money, row.lost * money, row.gained * money)
        rows.append(
            (named(case, "budgets", str(row.budget), lang), years_text(first, int(row.year), lang), *cells, state_)
        )
    frame = pd.DataFrame(rows, columns=["budget", "years", "limit", "spent", "lost", "gained", "state"])
    frame = frame.sort_values(["lost", "gained"], ascending=False, na_position="first", kind="stable")
    return frame.reset_index(drop=True), [named(case, "budgets", b, lang) for b, worthy in names.items() if not worthy]


def draw_caps(stand: answering.Stand, lang: str) -> None:
    """The least cost for every cap on investment, or on what a fund pays."""
    case = stand.asked
    st.subheader(t("ui.caps.title", lang), anchor=False)
    options = ["capex", *(FUND + row.fund for row in case.funds)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        axis = st.selectbox(
            t("ui.caps.of", lang),
            options,
            format_func=partial(tracing.name, case, lang=lang),
            key=f"caps_{case.settings.name}_{lang}",
            width=320,
        )
        st.button(
            t("ui.caps.run", lang),
            key="caps",
            icon=":material/show_chart:",
            disabled=not stand.current,
            on_click=partial(tracing.begin, stand.case, case, CAPS, str(axis), "cost", POINTS),
        )
    traced = tracing.watched(stand.case, CAPS, lang)
    if traced is not None:
        tracing.draw(stand, traced, "caps_chart", lang)
