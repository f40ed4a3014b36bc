"""The plan page: the answer, its headline, targets and wedge, and the levers that ask anew."""

from functools import partial

import pandas as pd
import streamlit as st

from planner import amounts, charts
from planner.case import Case
from planner.highlights import invests, main_quantity
from planner.plan import Plan, csv_text
from planner.text import t
from planner.ui import answering, drawing, figures, maps, shifting, state
from planner.ui.draft import Draft
from planner.ui.levers import Lever, name_of, short_name
from planner.ui.words import plain

CHARTS_HIGH = 380
TARGETS_HIGH = 250
"""Heights of what stands on the page [px]."""
LARGEST = 25
"""Measures on the roadmap of this page at most [-]."""


def page() -> None:
    """The whole page; the sidebar holds the levers."""
    view = state.view()
    stand = answering.stand(view.case.settings.title[view.lang], draw_levers)
    if stand.shown is not None:
        with st.container(key="answer"):
            draw_answer(stand, stand.shown.plan)


# ---------------------------------------------------------------- levers


def draw_levers(case: Case, offered: tuple[Lever, ...]) -> None:
    """A slider per lever, with the value that its edits give it and a way back to it."""
    lang, draft = state.view().lang, state.draft(case)
    st.subheader(t("ui.lever.title", lang), anchor=False)
    if not offered:
        st.caption(t("ui.lever.none", lang))
        return
    st.caption(t("ui.lever.intro", lang))
    for lever in offered:
        slider = state.slider(case, lever, lang)
        st.select_slider(
            lever.label(case, lang),
            lever.positions,
            key=slider,
            format_func=partial(lever.shown, lang=lang),
            help=lever.help(case, lang),
            on_change=partial(state.follow, case, lever, slider),
        )
        with st.container(horizontal=True, key=f"own_{lever.id}", vertical_alignment="center"):
            if draft.at(lever) != lever.own:
                st.caption(lever.noted(case, draft.at(lever), lang), width="stretch")
                st.button(
                    t("ui.lever.reset", lang),
                    key=f"reset_{lever.id}",
                    type="tertiary",
                    icon=":material/undo:",
                    on_click=partial(state.push, case, draft.moved(lever, lever.own)),
                )
    st.button(
        t("ui.lever.reset_all", lang),
        key="reset_all",
        icon=":material/restart_alt:",
        width="stretch",
        disabled=all(draft.at(lever) == lever.own for lever in offered),
        on_click=partial(state.push, case, Draft(draft.edits)),
    )


# ---------------------------------------------------------------- the answer


def draw_answer(stand: answering.Stand, plan: Plan) -> None:
    """Headline, wedge beside targets, and the tables below; the case is the one the plan answers."""
    case, lang = plan.case or stand.case, stand.lang
    draw_headline(figures.headline(case, stand.offered, plan, stand.reference, lang), stand.reference_name, lang)
    shifts = shifting.tell(stand, case, plan, lang)
    quantity = main_quantity(case)
    if quantity is None:
        draw_targets(case, plan, lang)
        draw_tabs(stand, case, plan, shifts, lang)
        return
    left, right = st.columns([0.54, 0.46], gap="medium")
    below = st.container()
    with left:
        draw_wedge(case, plan, quantity, lang)
    with below:
        draw_targets(case, plan, lang)
    with right:  # what takes longest to work out comes last
        draw_costs(case, plan, quantity, lang)
    draw_tabs(stand, case, plan, shifts, lang)


def draw_headline(row: list[figures.Figure], against: str, lang: str) -> None:
    """One card per figure, with its difference from another plan."""
    with st.container(horizontal=True, key="headline", gap="small"):
        for figure in row:
            st.metric(
                figure.label,
                figure.value,
                figure.delta or t("ui.figure.same", lang, name=against),
                delta_color="off" if figure.delta is None else "inverse" if figure.less_is_better else "normal",
                delta_arrow="off" if figure.delta is None else "auto",
                delta_description=t("ui.figure.against", lang, name=against) if figure.delta else None,
                help=figure.help or None,
                border=True,
                width="stretch",
            )


def draw_targets(case: Case, plan: Plan, lang: str) -> None:
    """A badge for every target."""
    states = figures.target_states(case, plan, lang)
    if not states:
        st.caption(t("ui.targets.none", lang))
        return
    kept = sum(1 for target in states if target.state != "missed")
    title = t("ui.targets.headed", lang, kept=kept, all=len(states))
    st.subheader(title, anchor=False, help=t("ui.targets.help", lang))
    soft = {target.target for target in case.targets if target.soft_penalty is not None}
    badges = {
        "kept": ("green", ":material/check:"),
        "exact": ("blue", ":material/target:"),
        "missed": ("red", ":material/close:"),
        "missed_soft": ("orange", ":material/close:"),
    }
    with st.container(height=TARGETS_HIGH, border=False, key="targets", gap="small"):
        for column, part in zip(st.columns(3, gap="small"), figures.thirds(states), strict=True):
            for target in part:
                missed_soft = target.state == "missed" and target.target in soft
                colour, icon = badges["missed_soft" if missed_soft else target.state]
                column.markdown(f"{plain(target.name)}  \n:{colour}-badge[{icon} {target.words}]")


def draw_wedge(case: Case, plan: Plan, quantity: str, lang: str) -> None:
    """The hero: what each sector cuts."""
    row = next(row for row in case.quantities if row.quantity == quantity)
    frame = figures.wedge(case, plan, quantity, lang)
    drawn = set(frame["sector"])
    unit = figures.unit_of(case, quantity, lang).name
    words = {
        **drawing.line_words(lang),
        "value": drawing.titled(case, quantity, lang),
        "cut": t("ui.wedge.cut", lang, unit=unit),
    }
    chosen = {name: colour for name, colour in figures.colours(case, lang).items() if name in drawn}
    st.subheader(t("ui.wedge.title", lang, quantity=short_name(row, lang)), anchor=False)
    spec = charts.wedge(words, chosen, drawing.ground())
    st.vega_lite_chart(frame, spec, width="stretch", height=CHARTS_HIGH, key="wedge", alt=t("ui.wedge.alt", lang))
    notes = [t("ui.wedge.ceiling", lang)] if "target" in set(frame["part"]) else []
    if not chosen:
        notes.append(t("ui.wedge.nothing", lang))
    elif figures.rising(frame):
        notes.append(t("ui.wedge.rising", lang))
    if notes:
        st.caption(" ".join(notes))


def draw_costs(case: Case, plan: Plan, quantity: str, lang: str) -> None:
    """What the cuts of the last year cost, measure by measure."""
    year = case.settings.last_year
    row = next(row for row in case.quantities if row.quantity == quantity)
    st.subheader(t("ui.curve.title", lang, year=year), anchor=False)
    if drawing.draw_cost_curve(case, plan, quantity, year, CHARTS_HIGH, lang):
        st.caption(t("ui.curve.short_help", lang, quantity=short_name(row, lang)))


# ---------------------------------------------------------------- tabs


def draw_tabs(stand: answering.Stand, case: Case, plan: Plan, shifts: pd.DataFrame | None, lang: str) -> None:
    """Tables; only the open tab is drawn."""
    names = ["portfolio", "shifts", "roadmap", "map", "budgets", "paths"]
    labels = [t(f"ui.tab.{name}", lang) for name in names]
    tabs = st.tabs(labels, key=f"tabs_{lang}", on_change="rerun")
    drawers = {
        "portfolio": partial(draw_portfolio, case, plan, lang),
        "shifts": partial(shifting.table, case, shifts, stand.reference_name, lang),
        "map": partial(maps.tab, case, plan, lang),
        "roadmap": partial(drawing.draw_roadmap, case, plan, lang, LARGEST),
        "budgets": partial(draw_budgets, case, plan, lang),
        "paths": partial(draw_paths, case, plan, lang),
    }
    for name, tab in zip(names, tabs, strict=True):
        if tab.open:
            with tab:
                drawers[name]()


def draw_portfolio(case: Case, plan: Plan, lang: str) -> None:
    """The largest measures, and the whole portfolio as a file."""
    frame = figures.portfolio(case, plan, lang)
    if frame.empty:
        st.caption(t("ui.portfolio.none", lang))
        return
    caption = "ui.portfolio.caption" if invests(plan) else "ui.portfolio.caption_cost"
    st.caption(t(caption, lang, count=len(frame), unit=drawing.money_unit(case, lang)))
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        column_config={
            "measure": column.TextColumn(t("ui.portfolio.measure", lang), width=230),
            "sector": column.TextColumn(t("ui.portfolio.sector", lang), width=95),
            "starts": column.NumberColumn(t("ui.portfolio.starts", lang), format="%,.1f", width=80),
            "unit": column.TextColumn(t("ui.portfolio.unit", lang), width=95),
            "years": column.TextColumn(t("ui.portfolio.years", lang), width=90),
            "capex": column.NumberColumn(t("ui.portfolio.capex", lang), format="%,.1f", width=90),
            "cost": column.NumberColumn(
                t("ui.portfolio.cost", lang),
                width=110,
                format="%,.1f",
                help=t("ui.portfolio.cost_help", lang),
            ),
            "cities": column.TextColumn(t("ui.portfolio.cities", lang), width="medium"),
        },
    )
    st.download_button(
        t("ui.portfolio.download", lang),
        data=lambda: csv_text(plan.portfolio).encode(),
        file_name="portfolio.csv",
        mime="text/csv",
        key="download",
        icon=":material/download:",
        on_click="ignore",
    )


def draw_budgets(case: Case, plan: Plan, lang: str) -> None:
    """What every budget allows and spends."""
    frame = figures.budgets(case, plan, lang)
    if frame.empty:
        st.caption(t("ui.budgets.none", lang))
        return
    st.caption(t("ui.budgets.caption", lang, unit=drawing.money_unit(case, lang)))
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        column_config={
            "budget": column.TextColumn(t("ui.budgets.budget", lang), width="large"),
            "limit": column.NumberColumn(t("ui.budgets.limit", lang), format="%,.2f"),
            "spent": column.NumberColumn(t("ui.budgets.spent", lang), format="%,.2f"),
            "used": column.ProgressColumn(
                t("ui.budgets.used", lang), format="%.0f%%", min_value=0, max_value=100, color=charts.PRIMARY
            ),
            "binding": column.TextColumn(t("ui.budgets.binding", lang), width="medium"),
        },
    )


def draw_paths(case: Case, plan: Plan, lang: str) -> None:
    """Baseline and plan of a quantity to choose."""
    names = {row.quantity: name_of(row, lang) for row in case.quantities}
    ids = figures.bounded_first(case)
    kept, key = f"path_{case.settings.name}", f"path_{case.settings.name}_{lang}"
    if st.session_state.get(key) not in ids:
        st.session_state[key] = st.session_state.get(kept) if st.session_state.get(kept) in ids else ids[0]
    chosen = st.selectbox(t("ui.paths.quantity", lang), ids, key=key, format_func=names.__getitem__, width=360)
    st.session_state[kept] = chosen
    words = {**drawing.line_words(lang), "value": drawing.titled(case, chosen, lang)}
    frame = figures.path(case, plan, chosen, lang)
    st.vega_lite_chart(
        frame,
        charts.paths(words, drawing.ground()),
        width="stretch",
        height=320,
        key="path_chart",
        alt=t("ui.paths.alt", lang),
    )
    table = figures.levels(case, plan, chosen, lang)
    places = amounts.decimals(table.to_numpy().ravel())
    formats = {name: st.column_config.NumberColumn(format=f"%,.{places}f") for name in table.columns}
    st.dataframe(table, column_config=formats)


if __name__ == "__main__":
    page()
