"""The page of cities: what each city starts, pays and cuts."""

from functools import partial

import pandas as pd
import streamlit as st

from planner import charts
from planner.case import Case
from planner.highlights import main_quantity
from planner.plan import Plan
from planner.text import t
from planner.ui import answering, drawing, figures, ledgers, state
from planner.ui.planning import draw_levers

SHOWN = ("capex", "head", "cut", "below")
"""What a map may show."""


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
    names = column_names(case, lang)
    options = [name for name in SHOWN if frame[name].notna().all() and frame[name].abs().max() > 0]
    if not options:
        st.caption(t("ui.portfolio.none", lang))
        return
    shown = st.segmented_control(
        t("ui.cities.show", lang),
        options,
        default=options[0],
        required=True,
        format_func=names.__getitem__,
        key=f"cities_show_{lang}",
        label_visibility="collapsed",
    )
    shown = str(shown or options[0])
    left, right = st.columns([0.4, 0.6], gap="medium")
    words = {"value": names[shown], "name": t("ui.column.city", lang), "group": t("ui.column.city", lang), "plan": ""}
    shapes = ledgers.shapes(case, dict(zip(frame["id"], frame[shown], strict=True)), lang)
    with left:
        if shapes is not None:
            spec = charts.choropleth(words, shapes, drawing.ground())
            drawn, data, height = "map", None, 520
        else:
            data = frame.rename(columns={"city": "group", shown: "value"})[["group", "value"]]
            spec = charts.bars(words, drawing.ground())
            drawn, height = "bars", 420
        st.vega_lite_chart(
            data,
            spec,
            width="stretch",
            height=height,
            key=drawn,
            on_select=partial(pick, case, frame, drawn),
            selection_mode=charts.PICKED,
            alt=t("ui.cities.alt", lang),
        )
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
                "city": column.TextColumn(names["city"], width=90),
                "capex": column.NumberColumn(names["capex"], format="%,.1f", width=120),
                "share": column.ProgressColumn(
                    names["share"], format="%.0f%%", min_value=0, max_value=100, color=charts.PRIMARY, width=95
                ),
                "head": column.NumberColumn(names["head"], format="%,.0f", width=100),
                "cut": column.NumberColumn(names["cut"], format="%,.0f", width=110),
                "below": column.NumberColumn(names["below"], format="%.1f%%", width=100),
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


def column_names(case: Case, lang: str) -> dict[str, str]:
    """Names of the numbers of a city, with their units."""
    quantity = main_quantity(case)
    money = drawing.money_unit(case, lang)
    names = {
        "city": t("ui.column.city", lang),
        "capex": t("ui.joined", lang, what=t("ui.portfolio.capex", lang), unit=money),
        "share": t("ui.cities.share", lang),
        "head": t("ui.cities.head", lang, currency=drawing.currency(case, lang)),
    }
    if quantity is None:
        return {**names, "cut": "", "below": ""}
    short = ledgers.quantity_name(case, quantity, lang)
    words = {"quantity": short, "year": case.settings.last_year}
    unit = figures.unit_of(case, quantity, lang).name
    return {
        **names,
        "cut": t("ui.joined", lang, what=t("ui.cities.cut", lang, **words), unit=unit),
        "below": t("ui.cities.below", lang, **words),
    }


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
