"""The page of trade-offs: one thing against another, plans that are nearly as good, and what short sight costs."""

from functools import partial

import streamlit as st

from planner.case import Case
from planner.text import t
from planner.ui import answering, hindsight, nearby, state, tracing
from planner.ui.planning import draw_levers

SLOT = "frontier"
POINTS = (6, 10, 20)
"""Points of a frontier [-]."""


def page() -> None:
    """Two axes to choose, a button, a curve; below it alternatives, and the price of short sight."""
    view = state.view()
    stand = answering.stand(t("ui.page.tradeoffs", view.lang), draw_levers)
    case, lang = stand.case, stand.lang
    with st.container(horizontal=True, vertical_alignment="bottom"):
        x = choose(case, "x", [axis for axis in tracing.axes(case) if axis != "cost"], lang)
        others = [axis for axis in ("cost", *tracing.axes(case)) if axis != x]
        y = choose(case, "y", list(dict.fromkeys(others)), lang)
        points = st.segmented_control(
            t("ui.frontier.points", lang), POINTS, default=POINTS[1], required=True, key=f"frontier_points_{lang}"
        )
    count = int(points or POINTS[1])
    names = {"x": tracing.name(case, x, lang), "y": tracing.name(case, y, lang)}
    st.caption(t("ui.frontier.caption", lang, points=count, **names))
    st.button(
        t("ui.frontier.run", lang, points=count),
        key="frontier",
        type="primary",
        icon=":material/show_chart:",
        disabled=not stand.current,
        on_click=partial(tracing.begin, case, stand.asked, SLOT, x, y, count),
    )
    traced = tracing.watched(case, SLOT, lang)
    if traced is not None:
        tracing.draw(stand, traced, "frontier_chart", lang)
    nearby.draw(stand, lang)
    hindsight.draw(stand, lang)


def choose(case: Case, axis: str, options: list[str], lang: str) -> str:
    """What stands on an axis; the choice outlives a change of language."""
    kept, key = f"frontier_{axis}_{case.settings.name}", f"frontier_{axis}_{case.settings.name}_{lang}"
    if st.session_state.get(key) not in options:
        st.session_state[key] = st.session_state[kept] if st.session_state.get(kept) in options else options[0]
    chosen: str = st.selectbox(
        t(f"ui.frontier.{axis}", lang), options, key=key, format_func=partial(tracing.name, case, lang=lang), width=280
    )
    st.session_state[kept] = chosen
    return chosen


if __name__ == "__main__":
    page()
