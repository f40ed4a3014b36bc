"""The page of measures: why each is in or out and who pays for it, what a cut costs, and when things are built."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from planner import amounts, charts
from planner.breakeven import BreakEven, break_even
from planner.case import Case
from planner.explanation import Explanation, explain
from planner.plan import Plan
from planner.text import t
from planner.ui import answering, curves, drawing, figures, jobs, ledgers, limiting, state
from planner.ui.desk import Work
from planner.ui.draft import Draft, EditMapping, merged
from planner.ui.levers import fresh_id, name_of, short_name
from planner.ui.planning import draw_levers
from planner.ui.words import plain

Drawer = Callable[[Case, Plan, str], None]
TABS = ("why", "curve", "heat", "roadmap")
REASONS, EDGE = "reasons", "edge"
"""Slots of long work: the explanation of a plan, and the break-even of a measure."""


def page() -> None:
    """Why in or out, cost curve, roadmap; only the open tab is drawn."""
    lang = state.view().lang
    stand = answering.stand(t("ui.page.measures", lang), draw_levers)
    if stand.shown is None:
        return
    plan = stand.shown.plan
    case = plan.case or stand.case
    with st.container(key="answer"):
        tabs = st.tabs([t(f"ui.measures.{name}", lang) for name in TABS], key=f"measures_{lang}", on_change="rerun")
        drawers: tuple[Drawer, ...] = (partial(draw_why, stand), draw_curve, draw_heat, drawing.draw_roadmap)
        for tab, drawer in zip(tabs, drawers, strict=True):
            if tab.open:
                with tab:
                    drawer(case, plan, lang)


# ---------------------------------------------------------------- why in, why out


def draw_why(stand: answering.Stand, case: Case, plan: Plan, lang: str) -> None:
    """All measures with their reasons, and one of them in full."""
    known = state.job(stand.case, REASONS)
    if known is None or known[0] is not case or known[1].stopped:
        state.begin(stand.case, REASONS, partial(explained, plan, lang), case)
    found = jobs.watch(stand.case, REASONS, lang)
    if found is None:
        return
    said, explanation = found
    if said != lang:
        state.end(stand.case, REASONS)
        st.rerun()
    frame = curves.library(case, explanation, lang)
    st.caption(t("ui.measures.why_help", lang, chosen=int(frame["chosen"].sum()), all=len(frame)))
    frame = chosen(case, frame, lang)
    if frame.empty:
        st.caption(t("ui.measures.none", lang))
        return
    currency = drawing.currency(case, lang)
    column = st.column_config
    marked = st.dataframe(
        frame.drop(columns=["id"]),
        hide_index=True,
        height=min(420, 38 + 35 * len(frame)),
        key=f"library_{case.settings.name}_{lang}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "chosen": column.CheckboxColumn(t("ui.measures.in", lang), width=50),
            "measure": column.TextColumn(t("ui.portfolio.measure", lang), width=200),
            "sector": column.TextColumn(t("ui.portfolio.sector", lang), width=95),
            "starts": column.NumberColumn(t("ui.portfolio.starts", lang), format="%,.1f", width=85),
            "unit": column.TextColumn(t("ui.portfolio.unit", lang), width=90),
            "own": column.TextColumn(t("ui.measures.own_year", lang, currency=currency), width=110, alignment="right"),
            "left": column.TextColumn(
                t("ui.measures.left_year", lang), width=90, help=t("ui.measures.left_help", lang), alignment="right"
            ),
            "reason": column.TextColumn(t("ui.measures.reason", lang), width=700),
        },
    )
    rows = [row for row in marked["selection"]["rows"] if row < len(frame)]
    one = frame.iloc[rows[0] if rows else 0]
    draw_one(stand, case, explanation, str(one["id"]), str(one["reason"]), lang)


def explained(plan: Plan, lang: str, work: Work[Any]) -> tuple[str, Explanation]:
    """Why the plan starts what it starts, in a language."""
    work.told("explain")
    return lang, explain(plan, lang=lang, progress=work.told)


def chosen(case: Case, frame: Any, lang: str) -> Any:
    """The measures of a sector, and those in or out."""
    sectors = ["", *ledgers.names_by(case, "sector", lang).values()]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = st.segmented_control(
            t("ui.measures.show", lang),
            ("all", "in", "out"),
            default="all",
            required=True,
            format_func=lambda name: t(f"ui.measures.only.{name}", lang),
            key=f"library_which_{lang}",
            label_visibility="collapsed",
        )
        sector = st.selectbox(
            t("ui.portfolio.sector", lang),
            sectors,
            format_func=lambda name: name or t("ui.measures.every_sector", lang),
            key=f"library_sector_{case.settings.name}_{lang}",
            label_visibility="collapsed",
            width=220,
        )
    if which in ("in", "out"):
        frame = frame[frame["chosen"] == (which == "in")]
    return frame[frame["sector"] == sector] if sector else frame


def draw_one(
    stand: answering.Stand, case: Case, explanation: Explanation, measure: str, reason: str, lang: str
) -> None:
    """One measure: reason, who pays, what the tables say, what can be done with it."""
    row = next(row for row in case.measures if row.measure == measure)
    st.subheader(name_of(row, lang) or measure, anchor=False)
    left, right = st.columns([0.62, 0.38], gap="medium")
    told = curves.reasons(case, explanation, lang)
    with left:
        st.markdown(plain(reason))
        frame = curves.payers(told, measure, lang)
        if not frame.empty:
            unit = t("explain.unit", lang, currency=drawing.currency(case, lang), unit=told.unit(measure).name)
            words = {"value": unit, "name": t("ui.measures.who", lang)}
            st.vega_lite_chart(
                frame,
                charts.payers(words, drawing.ground()),
                width="stretch",
                height=60 + 24 * len(frame),
                key="payers",
                alt=t("ui.measures.payers_alt", lang),
            )
            st.caption(t("ui.measures.payers_help", lang))
    with right:
        st.markdown("\n".join(f"- {name}: **{value}**" for name, value in curves.facts(case, measure, lang).items()))
        grades = {"grade": row.grade or t("ui.method.grade.none", lang), "source": "; ".join(row.source) or "–"}
        st.caption(t("ui.measures.provenance", lang, **grades))
        draw_locks(stand, case, measure, lang)
        limiting.draw(stand, case, measure, lang)
        draw_edge(stand.case, case, measure, told, lang)


def draw_locks(stand: answering.Stand, case: Case, measure: str, lang: str) -> None:
    """Leave a measure out, or hold what is planned of it."""
    plan = stand.shown.plan if stand.shown else None
    started = plan is not None and curves.started(plan, measure) > 0
    with st.container(horizontal=True):
        st.button(
            t("ui.measures.lock_out", lang),
            key="lock_out",
            icon=":material/block:",
            help=t("ui.measures.lock_out_help", lang),
            disabled=not started or not stand.current,
            on_click=partial(lock, stand, case, measure, "out"),
        )
        st.button(
            t("ui.measures.lock_in", lang),
            key="lock_in",
            icon=":material/lock:",
            help=t("ui.measures.lock_in_help", lang),
            disabled=not started or not stand.current,
            on_click=partial(lock, stand, case, measure, "in"),
        )


def lock(stand: answering.Stand, case: Case, measure: str, way: str) -> None:
    """Go on with a measure left out from now on, or with no less of it at the end than is planned."""
    base = state.drafted(stand.case)
    if not isinstance(base, Case) or stand.shown is None:
        return
    pin = fresh_id(f"{measure}_{way}", {row.pin for row in case.pins})
    last = case.settings.last_year
    if way == "out":
        row = {"pin": pin, "measure": measure, "on": "starts", "max": 0, "first_year": (case.decided or [last])[0]}
    else:
        held = curves.stock(stand.shown.plan, measure, last)
        row = {"pin": pin, "measure": measure, "on": "stock", "min": held, "first_year": last, "last_year": last}
    edits: list[EditMapping] = [{"table": "pins", "add": row}]
    draft = state.draft(stand.case)
    state.push(stand.case, Draft(merged(draft.edits, edits), draft.positions))


def draw_edge(of: Case, case: Case, measure: str, told: Any, lang: str) -> None:
    """The yearly cost at which a measure comes in or drops out, worked out when asked for."""
    known = state.job(of, EDGE)
    if known is None or known[0] is not case or st.session_state.get("edge_of") != measure or known[1].stopped:
        st.button(
            t("ui.measures.edge", lang),
            key="edge",
            icon=":material/balance:",
            help=t("ui.measures.edge_help", lang),
            on_click=partial(seek, of, case, measure),
        )
        return
    found: BreakEven | None = jobs.watch(of, EDGE, lang)
    if found is not None:
        unit = told.unit(measure)
        amount = amounts.number(abs(found.change or 0.0) * unit.factor)
        key = f"ui.measures.edges.{found.outcome}" + (f"_{'in' if found.chosen else 'out'}" if found.change else "")
        st.info(
            t(key, lang, amount=amount, currency=drawing.currency(case, lang), unit=unit.name),
            icon=":material/balance:",
        )


def seek(of: Case, case: Case, measure: str) -> None:
    """Begin to look for the break-even of a measure."""
    st.session_state["edge_of"] = measure
    state.begin(of, EDGE, lambda work: break_even(case, measure, progress=work.told), case)


# ---------------------------------------------------------------- cost curve


def draw_curve(case: Case, plan: Plan, lang: str) -> None:
    """The cost curve of a quantity in a year: over all years it tells how the curve moves, and how long boxes take."""
    ids = curves.abated(case)
    names = {row.quantity: short_name(row, lang) for row in case.quantities}
    years = list(range(case.settings.first_year, case.settings.last_year + 1))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        quantity = st.selectbox(
            t("ui.paths.quantity", lang),
            ids,
            key=f"curve_of_{case.settings.name}_{lang}",
            format_func=names.__getitem__,
            width=260,
        )
        year = st.select_slider(
            t("ui.curve.year", lang),
            years,
            value=years[-1],
            key=f"curve_year_{case.settings.name}_{lang}",
            width=420,
        )
    if drawing.draw_cost_curve(case, plan, str(quantity), int(year), 430, lang):
        st.caption(t("ui.curve.help", lang, quantity=names[str(quantity)]))
    st.subheader(t("ui.curve.pace", lang), anchor=False)
    frame = curves.pace(case, plan, str(quantity), lang)
    if frame.empty:
        return
    unit, money = figures.unit_of(case, str(quantity), lang).name, curves.price_unit(case, str(quantity), lang).name
    words = {
        "abated": t("ui.joined", lang, what=t("ui.curve.abated", lang, quantity=names[str(quantity)]), unit=unit),
        "value": t("ui.curve.unit_cost", lang, currency=drawing.currency(case, lang), unit=money),
        **drawing.line_words(lang),
    }
    st.vega_lite_chart(
        frame,
        charts.pace(words, drawing.ground()),
        width="stretch",
        height=320,
        key="pace",
        alt=t("ui.curve.pace", lang),
    )
    st.caption(t("ui.curve.pace_help", lang))


# ---------------------------------------------------------------- effects


def draw_heat(case: Case, plan: Plan, lang: str) -> None:
    """Measures by pollutants: how much of each cut a measure brings."""
    years = list(range(case.settings.first_year, case.settings.last_year + 1))
    year = int(
        st.select_slider(
            t("ui.curve.year", lang),
            years,
            value=years[-1],
            key=f"heat_year_{case.settings.name}_{lang}",
            width=420,
        )
    )
    frame = curves.heat(case, plan, year, lang)
    if frame.empty:
        st.caption(t("ui.heat.nothing", lang))
        return
    st.subheader(t("ui.heat.title", lang, year=year), anchor=False)
    st.caption(t("ui.heat.help", lang, least=f"{100 * curves.VISIBLE:g}"))
    words = {
        "value": t("ui.heat.share", lang),
        "measure": t("ui.portfolio.measure", lang),
        "quantity": t("ui.paths.quantity", lang),
        "sector": t("ui.portfolio.sector", lang),
        "amount": t("ui.heat.amount", lang),
    }
    st.vega_lite_chart(
        frame,
        charts.heat(words, drawing.ground()),
        width="stretch",
        height=130 + 20 * frame["measure"].nunique(),
        key="heat",
        alt=t("ui.heat.alt", lang),
    )


if __name__ == "__main__":
    page()
