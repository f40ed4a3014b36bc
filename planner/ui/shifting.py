"""Shifting: which measures come in, grow, shrink or drop out against the plan that everything is compared with."""

import pandas as pd
import streamlit as st

from planner.case import Case
from planner.plan import Plan
from planner.text import t
from planner.ui import answering, drawing, ledgers
from planner.ui.words import plain

NAMED = 3
"""Measures of a kind that are named in the summary [-]."""


def tell(stand: answering.Stand, case: Case, plan: Plan, lang: str) -> pd.DataFrame | None:
    """Say in a few words what is different; the measures concerned, none where nothing is."""
    if stand.reference is None or stand.reference is plan:
        return None
    frame = ledgers.shifts(case, stand.reference, plan, lang)
    if frame.empty:
        return None
    told = []
    for shift in ledgers.SHIFTS:
        names = frame.loc[frame["shift"] == shift, "measure"].tolist()
        if names:
            listed = ("、" if lang == "zh" else ", ").join(plain(name) for name in names[:NAMED])
            more = " …" if len(names) > NAMED else ""
            told.append(t(f"ui.shift.told.{shift}", lang, count=len(names), names=listed + more))
    with st.container(key="shifts"):
        st.markdown(t("ui.shift.against", lang, name=plain(stand.reference_name), words=" ".join(told)))
    return frame


def table(case: Case, frame: pd.DataFrame | None, against: str, lang: str) -> None:
    """All of these measures, with what is started in both plans."""
    if frame is None:
        st.caption(t("ui.shift.nothing", lang, name=against))
        return
    column = st.column_config
    unit = drawing.money_unit(case, lang)
    kinds = {shift: t(f"ui.shift.kind.{shift}", lang) for shift in ledgers.SHIFTS}
    st.caption(t("ui.shift.help", lang))
    st.dataframe(
        frame.drop(columns=["id"]).assign(shift=frame["shift"].map(kinds)),
        hide_index=True,
        height="content",
        column_config={
            "shift": column.TextColumn(t("ui.shift.title", lang), width=90),
            "measure": column.TextColumn(t("ui.portfolio.measure", lang), width=260),
            "sector": column.TextColumn(t("ui.portfolio.sector", lang), width=110),
            "before": column.NumberColumn(t("ui.shift.before", lang, name=against), format="%,.1f", width=120),
            "after": column.NumberColumn(t("ui.shift.after", lang), format="%,.1f", width=120),
            "unit": column.TextColumn(t("ui.portfolio.unit", lang), width=110),
            "capex": column.NumberColumn(
                t("ui.joined", lang, what=t("ui.shift.capex", lang), unit=unit), format="%+,.2f", width=150
            ),
        },
    )
