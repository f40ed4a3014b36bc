"""The page of robustness: how firm the plan is if the data are wrong."""

from functools import partial
from typing import Any

import streamlit as st

from planner import charts
from planner.case import Case
from planner.executors import Backend, Kind
from planner.futures import Robustness, robustness
from planner.plan import Plan
from planner.text import t
from planner.ui import answering, drawing, jobs, risks, state
from planner.ui.desk import Work
from planner.ui.planning import draw_levers

SLOT = "futures"
SAMPLES = (25, 50, 100, 200)
"""How many futures may be sampled [-]."""
BEFORE = 8
"""What is told of the plan itself before the first future, about [-]."""


def page() -> None:
    """What the numbers rest on; a button that samples futures; what they say."""
    lang = state.view().lang
    stand = answering.stand(t("ui.page.robustness", lang), draw_levers)
    case = stand.case
    st.caption(t("ui.robust.intro", lang))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = st.segmented_control(
            t("ui.robust.count", lang), SAMPLES, default=SAMPLES[1], required=True, key=f"samples_{lang}"
        )
        st.button(
            t("ui.robust.run", lang),
            key="sample",
            type="primary",
            icon=":material/casino:",
            disabled=not stand.current,
            on_click=partial(begin, case, stand.asked, int(count or SAMPLES[1])),
        )
    known = state.job(case, SLOT)
    found: Robustness | None = jobs.watch(case, SLOT, lang, partial(told, lang=lang))
    if found is not None and known is not None:
        if known[0].digest != stand.asked.digest:
            st.caption(t("ui.robust.other", lang))
        draw(known[0], found, lang)
    if stand.shown is not None:
        draw_grades(stand.shown.plan.case or case, stand.shown.plan, lang)


def begin(case: Case, of: Case, count: int) -> None:
    """Begin to sample futures; here, so that whoever moves levers meanwhile keeps a core."""
    st.session_state["sampled"] = count
    state.begin(case, SLOT, lambda work: robustness(of, count, backend=Backend(Kind.here), progress=work.told), of)


def told(work: Work[Any], lang: str) -> tuple[float | None, str]:
    """How many futures are known."""
    count = int(st.session_state.get("sampled", SAMPLES[1]))
    done = max(0, min(work.done - BEFORE, count))
    return done / count, t("ui.robust.progress", lang, done=done, count=count, seconds=f"{work.seconds:.0f}")


def draw(case: Case, found: Robustness, lang: str) -> None:
    """Costs, no-regret measures beside the tornado, chances of targets."""
    st.subheader(t("ui.robust.costs", lang, count=found.summary["futures"]), anchor=False)
    with st.container(horizontal=True, gap="small"):
        for label, value in risks.quantiles(case, found, lang):
            st.metric(label, value, border=True)
    left, right = st.columns(2, gap="medium")
    column = st.column_config
    with left:
        st.subheader(t("ui.robust.no_regret", lang), anchor=False, help=t("ui.robust.no_regret_help", lang))
        regrets = risks.no_regret(case, found, lang)
        st.dataframe(
            regrets,
            hide_index=True,
            height=min(420, 38 + 35 * len(regrets)),
            column_config={
                "measure": column.TextColumn(t("ui.portfolio.measure", lang), width=190),
                "sector": column.TextColumn(t("ui.portfolio.sector", lang), width=90),
                "index": percent(t("ui.robust.index", lang)),
                "planned": column.NumberColumn(t("ui.portfolio.starts", lang), format="%,.1f", width=80),
                "unit": column.TextColumn(t("ui.portfolio.unit", lang), width=80),
                "year": column.TextColumn(t("ui.robust.year", lang), width=80),
            },
        )
    with right:
        st.subheader(t("ui.robust.tornado", lang), anchor=False)
        frame = risks.tornado(case, found, lang)
        words = {"value": t("ui.robust.correlation", lang), "name": t("robustness.heads.figure", lang)}
        st.vega_lite_chart(
            frame,
            charts.payers(words, drawing.ground()),
            width="stretch",
            height=400,
            key="tornado",
            alt=t("ui.robust.tornado", lang),
        )
        st.caption(t("ui.robust.tornado_help", lang))
    st.subheader(t("ui.robust.chances", lang), anchor=False)
    st.caption(t("ui.robust.chances_help", lang))
    chances = risks.chances(case, found, lang)
    st.dataframe(
        chances,
        hide_index=True,
        height=min(380, 38 + 35 * len(chances)),
        column_config={
            "target": column.TextColumn(t("ui.column.target_name", lang), width=320),
            "kept": percent(t("ui.robust.kept", lang)),
            "plan_kept": percent(t("ui.robust.plan_kept", lang)),
        },
    )


def draw_grades(case: Case, plan: Plan, lang: str) -> None:
    """What the headline numbers rest on."""
    st.subheader(t("ui.robust.grades", lang), anchor=False)
    st.caption(t("ui.robust.grades_help", lang))
    st.dataframe(
        risks.grades(case, plan, lang),
        hide_index=True,
        height="content",
        column_config={
            "number": st.column_config.TextColumn(t("ui.robust.number", lang), width=220),
            **{grade: percent(t(f"ui.method.grade.{grade}", lang)) for grade in ("A", "B", "C", "none")},
        },
    )


def percent(title: str) -> Any:
    """A column of percents as bars."""
    return st.column_config.ProgressColumn(
        title, format="%.0f%%", min_value=0, max_value=100, color=charts.PRIMARY, width=120
    )


if __name__ == "__main__":
    page()
