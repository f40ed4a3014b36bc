"""The page of comparisons: plans side by side, in what was asked and in what they do."""

from collections.abc import Mapping

import streamlit as st

from planner import charts
from planner.case import Case
from planner.errors import PlannerError
from planner.plan import Plan
from planner.text import t
from planner.ui import answering, changes, drawing, keeping, ledgers, state, words
from planner.ui.draft import Draft, differences
from planner.ui.planning import draw_levers

MOST = 8
"""Differences of a plan from the case listed at most [-]."""


def page() -> None:
    """Pinned plans beside the case's own and the one on screen."""
    lang = state.view().lang
    stand = answering.stand(t("ui.page.compare", lang), draw_levers)
    plans = gathered(stand)
    draw_pinned(stand.case, lang)
    draw_saved(stand.case, lang)
    if len(plans) < 2:
        st.info(t("ui.compare.few", lang), icon=":material/keep:")
        return
    with st.container(key="answer" if stand.current else "compared"):
        draw(stand, plans, lang)


def gathered(stand: answering.Stand) -> Mapping[str, Plan]:
    """Plans by name: the case's own, pinned ones, the one on screen; the same question only once."""
    plans: dict[str, Plan] = {}
    if stand.own is not None:
        plans[t("ui.compare.own", stand.lang)] = stand.own
    for one in state.desktop(stand.case).pinned:
        if one.plan is not None:
            plans[changes.pinned_name(one, stand.lang)] = one.plan
    asked = {plan.case.digest for plan in plans.values() if plan.case}
    if stand.shown is not None and stand.shown.plan.case and stand.shown.plan.case.digest not in asked:
        plans[t("ui.compare.current", stand.lang)] = stand.shown.plan
    return plans


def draw_pinned(case: Case, lang: str) -> None:
    """Names of pinned plans, a way back to each, and a way to put it away."""
    for one in state.desktop(case).pinned:
        with st.container(horizontal=True, vertical_alignment="center", key=f"pinned_{one.number}"):
            st.text_input(
                t("ui.compare.name", lang),
                value=changes.pinned_name(one, lang),
                key=f"name_{one.number}_{lang}",
                max_chars=30,
                label_visibility="collapsed",
                on_change=rename,
                args=(one, lang),
                width=220,
            )
            st.button(
                t("ui.compare.load", lang),
                key=f"load_{one.number}",
                icon=":material/history:",
                on_click=state.push,
                args=(case, one.draft),
            )
            st.button(
                t("ui.compare.drop", lang),
                key=f"drop_{one.number}",
                icon=":material/delete:",
                on_click=state.unpin,
                args=(case, one.number),
            )
            settling = not one.work.future.done()
            state_ = "settling" if settling else "settled" if one.settled else "unsettled"
            st.caption(t(f"ui.compare.{state_}", lang), width="content")


def draw_saved(case: Case, lang: str) -> None:
    """Saved scenarios and presets to put beside the others."""
    names = {one.name: one.name for one in keeping.saved(case)}
    names |= {one.scenario: keeping.title(one, lang) for one in keeping.presets(case)}
    if not names:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            t("ui.saved.compare", lang), list(names), format_func=names.__getitem__, key=f"beside_{lang}", width=320
        )
        st.button(
            t("ui.saved.add", lang),
            key="add_beside",
            icon=":material/add:",
            on_click=add,
            args=(case, str(chosen), names[str(chosen)], lang),
        )
    missing = st.session_state.pop("beside_words", None)
    if missing:
        st.warning(missing)


def add(case: Case, id_: str, name: str, lang: str) -> None:
    """Solve a saved scenario and put its plan beside the others."""
    try:
        of = case.edited(edits := keeping.edits_of(case, id_))
        answer = state.ask(of, "beside").future.result()
    except PlannerError as fault:
        st.session_state["beside_words"] = t("ui.no_plan.failed", lang, words=str(fault))
        return
    if answer.plan.found:
        state.pin(case, state.Shown(answer.plan, Draft(edits)), of, name)
    else:
        st.session_state["beside_words"] = t("ui.saved.no_plan", lang, name=words.plain(name))


def rename(one: state.Pinned, lang: str) -> None:
    """Take over the name that somebody typed."""
    name = " ".join(str(st.session_state[f"name_{one.number}_{lang}"]).split())
    others = {other.name for other in state.desktop(state.view().case).pinned if other is not one}
    if name not in others:
        one.name = name


def draw(stand: answering.Stand, plans: Mapping[str, Plan], lang: str) -> None:
    """What differs in the questions, then in the answers."""
    case = stand.case
    listed = []
    for name, plan in plans.items():
        found = differences(case, plan.case) if plan.case else []
        if found:
            texts = [words.difference(case, plan.case or case, one, lang) for one in found[:MOST]]
            more = [t("ui.no_plan.more", lang, count=len(found) - MOST)] if len(found) > MOST else []
            listed.append(
                f"- **{name}**"
                + ("：" if lang == "zh" else ": ")
                + ("；" if lang == "zh" else "; ").join([*texts, *more])
            )
    if listed:
        st.markdown("\n".join(listed))
    st.dataframe(ledgers.headlines(case, stand.offered, plans, lang))
    unit = drawing.money_unit(case, lang)
    colours = ledgers.palette(list(plans))
    said = {
        "value": t("ui.joined", lang, what=t("ui.portfolio.capex", lang), unit=unit),
        "group": t("ui.wedge.sector", lang),
        "plan": t("ui.wedge.plan", lang),
    }
    st.subheader(t("ui.compare.by_sector", lang), anchor=False)
    st.vega_lite_chart(
        ledgers.sector_spending(case, plans, lang),
        charts.clustered(said, colours, drawing.ground()),
        width="stretch",
        height=340,
        key="compare_chart",
        alt=t("ui.compare.by_sector", lang),
    )
    frame = ledgers.starts(case, plans, lang)
    st.subheader(t("ui.compare.starts", lang), anchor=False)
    if frame.empty:
        st.caption(t("ui.compare.alike", lang))
        return
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        column_config={
            "measure": column.TextColumn(t("ui.portfolio.measure", lang), width=260),
            "unit": column.TextColumn(t("ui.portfolio.unit", lang), width=110),
            **{name: column.NumberColumn(name, format="%,.1f") for name in plans},
        },
    )


if __name__ == "__main__":
    page()
