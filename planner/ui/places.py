"""The page of cities: what each city starts, pays and cuts."""

from functools import partial

import pandas as pd
import streamlit as st

from planner import charts
from planner.case import Case
from planner.plan import Plan
from planner.text import t
from planner.ui import answering, drawing, ledgers, maps, state
from planner.ui.planning import draw_levers


def page() -> None:
    """A map or bars, the numbers of every city, and the task list of one."""
    lang = state.view().lang
    stand = answering.stand(t("ui.page.cities", lang), draw_levers)
    if stand.shown is None:
        return
    plan = stand.shown.plan
    with st.container(key="answer"):
        draw(plan.case or stand.case, plan, lang)


def draw(case: Case, plan: Plan, lang: str) -> None:
    """Map beside table, tasks below."""
    frame = ledgers.cities(case, plan, lang)
    names = maps.column_names(case, lang)
    shown = maps.choose(case, frame, "", lang)
    if not shown:
        return
    left, right = st.columns([0.36, 0.64], gap="medium")
    with left:
        maps.draw(case, frame, shown, "", lang, partial(pick, case, frame))
    with right:
        column = st.column_config
        table = f"cities_{case.settings.name}_{lang}"
        st.dataframe(
            frame.drop(columns=["id"]).dropna(axis="columns", how="all"),
            hide_index=True,
            height="content",
            key=table,
            on_select=partial(pick, case, frame, table),
            selection_mode="single-row",
            column_config={
                "city": column.TextColumn(names["city"], width=80),
                "capex": column.NumberColumn(names["capex"], format="%,.1f", width=105),
                "share": column.ProgressColumn(
                    names["share"], format="%.0f%%", min_value=0, max_value=100, color=charts.PRIMARY, width=90
                ),
                "head": column.NumberColumn(names["head"], format="%,.0f", width=90),
                "cut": column.NumberColumn(names["cut"], format="%,.0f", width=120),
                "below": column.NumberColumn(names["below"], format="%.1f%%", width=95),
            },
        )
        st.caption(t("ui.cities.pick", lang))
    chosen = str(st.session_state.get(f"city_{case.settings.name}"))
    draw_tasks(case, plan, chosen if chosen in set(frame["id"]) else frame["id"][int(frame["capex"].argmax())], lang)


def pick(case: Case, frame: pd.DataFrame, key: str) -> None:
    """Take over the city that was clicked on the map, among the bars or in the table."""
    selection = st.session_state[key]["selection"]
    if selection.get("rows"):
        st.session_state[f"city_{case.settings.name}"] = frame["id"][selection["rows"][0]]
    elif selection.get(charts.PICKED):
        (value,) = (str(value) for value in selection[charts.PICKED][0].values())
        known = dict(zip(frame["city"], frame["id"], strict=True))
        st.session_state[f"city_{case.settings.name}"] = known.get(value, value)


def draw_tasks(case: Case, plan: Plan, city: str, lang: str) -> None:
    """What one city has to do."""
    name = ledgers.names_by(case, "city", lang)[city]
    frame = ledgers.tasks(case, plan, city, lang)
    st.subheader(t("ui.cities.tasks", lang, city=name, count=len(frame)), anchor=False)
    if frame.empty:
        st.caption(t("ui.portfolio.none", lang))
        return
    column = st.column_config
    money = drawing.money_unit(case, lang)
    st.dataframe(
        frame if frame["departments"].any() else frame.drop(columns=["departments"]),
        hide_index=True,
        height="content",
        column_config={
            "measure": column.TextColumn(t("ui.portfolio.measure", lang), width=240),
            "sector": column.TextColumn(t("ui.portfolio.sector", lang), width=100),
            "departments": column.TextColumn(t("ui.cities.departments", lang), width=260),
            "starts": column.NumberColumn(t("ui.portfolio.starts", lang), format="%,.1f", width=90),
            "unit": column.TextColumn(t("ui.portfolio.unit", lang), width=100),
            "years": column.TextColumn(t("ui.portfolio.years", lang), width=100),
            "capex": column.NumberColumn(
                t("ui.joined", lang, what=t("ui.portfolio.capex", lang), unit=money), format="%,.2f", width=130
            ),
        },
    )


if __name__ == "__main__":
    page()
