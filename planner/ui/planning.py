"""The plan page: the answer, its headline, targets and wedge, and the levers that ask anew."""

from concurrent.futures import CancelledError, wait
from concurrent.futures import TimeoutError as StillWorking
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from planner import amounts, charts, text
from planner.case import Case
from planner.errors import CaseError, PlannerError
from planner.explore import frontier as trace
from planner.highlights import main_quantity
from planner.plan import Plan, csv_text
from planner.text import t
from planner.ui import figures, state
from planner.ui.desk import Answer, Work
from planner.ui.levers import Lever, levers, name_of, short_name, years_text

LOOK_AGAIN = 0.2
"""How often a waiting page looks for its answer [s]."""
POINTS = 10
"""Points of a frontier [-]."""
MOST_ISSUES = 8
GREYED = "<style>.st-key-answer {opacity: 0.4; filter: grayscale(0.7);}</style>"
CALM = """<style>
.stMainBlockContainer {padding: 2.2rem 3rem 3rem;}
[data-testid="stSidebarUserContent"] {padding-top: 0;}
[class*="st-key-own_"] {margin-top: -0.5rem;}
.st-key-answer {container-type: inline-size;}
.st-key-headline {flex-wrap: nowrap;}
.st-key-headline [data-testid="stMetric"] > div {padding: 0.7rem 0.8rem;}
.st-key-headline [data-testid="stMetricValue"] * {white-space: normal; overflow: visible;}
@container (max-width: %(narrow)srem) {.st-key-headline {display: grid; grid-template-columns: repeat(3, 1fr);}}
@container (max-width: 32rem) {.st-key-headline {grid-template-columns: repeat(2, 1fr);}}
@media (max-width: 640px) {.stMainBlockContainer {padding: 3rem 1rem 2rem;}}
</style>"""
NARROW = {"zh": 62, "en": 76}
"""Width below which the headline takes two lines: English words are longer [rem]."""


def page(case: Case, lang: str) -> None:
    """The whole page; the sidebar holds the levers."""
    st.html(CALM % {"narrow": NARROW[lang]})
    st.title(case.settings.title[lang], anchor=False)
    with st.container(horizontal=True, key="state_line", gap="medium", vertical_alignment="center"):
        st.caption(size_text(case, lang), width="content")
        line = st.empty()
    trouble = st.container()
    found = answer(case, "own", lang, line, trouble, "solving_own")
    own = found if found and found.plan.found else None
    offered = levers(case, own.plan if own else None)
    with st.sidebar:
        draw_levers(case, offered, lang)
    state.link(case, lang, offered)
    if own is not None and state.last(case) is None:
        state.keep(case, state.Shown(own.plan, {}, own.seconds))
    shown = answered(case, found, offered, lang, line, trouble)
    if shown is not None:
        with st.container(key="answer"):
            draw_answer(case, offered, shown, own.plan if own else None, lang)


def size_text(case: Case, lang: str) -> str:
    """How large the case is."""
    return t(
        "ui.size",
        lang,
        years=years_text(case.settings.first_year, case.settings.last_year, lang),
        cities=len(case.cities),
        sectors=len(case.sectors),
        measures=len(case.measures),
        targets=len(case.targets),
    )


# ---------------------------------------------------------------- levers


def draw_levers(case: Case, offered: tuple[Lever, ...], lang: str) -> None:
    """A slider per lever, with the case's own value and a way back to it."""
    st.subheader(t("ui.lever.title", lang), anchor=False)
    if not offered:
        st.caption(t("ui.lever.none", lang))
        return
    st.caption(t("ui.lever.intro", lang))
    for lever in offered:
        state.prepare(case, lever, lang)
        key = state.key(case, lever, lang)
        position = st.select_slider(
            lever.label(case, lang),
            lever.positions,
            key=key,
            format_func=partial(lever.shown, lang=lang),
            help=lever.help(case, lang),
        )
        st.session_state[state.place(case, lever)] = position
        moved = position != lever.own
        with st.container(horizontal=True, key=f"own_{lever.id}", vertical_alignment="center"):
            if moved:
                st.caption(t("ui.lever.own_value", lang, value=lever.shown(lever.own, lang)), width="stretch")
                st.button(
                    t("ui.lever.reset", lang),
                    key=f"reset_{lever.id}",
                    type="tertiary",
                    icon=":material/undo:",
                    on_click=partial(state.move, case, (lever,), lang, {}),
                )
    st.button(
        t("ui.lever.reset_all", lang),
        key="reset_all",
        icon=":material/restart_alt:",
        width="stretch",
        disabled=all(state.positions(case, offered)[lever.id] == lever.own for lever in offered),
        on_click=partial(state.move, case, offered, lang, {}),
    )


def moved_text(offered: tuple[Lever, ...], case: Case, lang: str) -> str:
    """Everything that differs from the case, in words."""
    at = state.positions(case, offered)
    items = [
        t("ui.no_plan.item", lang, lever=lever.label(case, lang), value=lever.shown(at[lever.id], lang))
        for lever in offered
        if at[lever.id] != lever.own
    ]
    return t("ui.no_plan.and", lang).join(items)


# ---------------------------------------------------------------- the answer


def answered(
    case: Case, own: Answer | None, offered: tuple[Lever, ...], lang: str, line: Any, trouble: Any
) -> state.Shown | None:
    """The plan to show: that of the levers, else, greyed, the last that was possible."""
    at = state.positions(case, offered)
    try:
        edited = case.edited([edit for lever in offered for edit in lever.edits(case, at[lever.id])])
    except CaseError as fault:
        line.caption(t("ui.state.failed", lang))
        with trouble:
            st.warning("\n".join([t("ui.no_plan.contradiction", lang), "", *issue_lines(fault, lang)]))
            offer_way_back(case, offered, lang)
        return state.last(case)
    found = answer(edited, "levers", lang, line, trouble, "solving") if edited.digest != case.digest else own
    if found is not None:
        line.caption(t(f"ui.state.{found.plan.status}", lang, seconds=f"{found.seconds:.1f}"), width="content")
        if found.plan.found:
            state.keep(case, state.Shown(found.plan, at, found.seconds))
            return state.last(case)
        with trouble:
            moved = moved_text(offered, case, lang)
            key = "infeasible_own" if not moved else "infeasible" if found.plan.status == "infeasible" else "other"
            st.warning(t(f"ui.no_plan.{key}", lang, moved=moved), icon=":material/block:")
    with trouble:
        offer_way_back(case, offered, lang)
    return state.last(case)


def answer(case: Case, slot: str, lang: str, line: Any, trouble: Any, words: str) -> Answer | None:
    """Wait for the plan of a case; a lever moved meanwhile ends the wait at the next look."""
    work = state.ask(case, slot)
    try:
        return await_result(work, line, lang, words)
    except CancelledError:  # another visitor moved on from the same question before it was begun
        return await_result(state.ask(case, slot), line, lang, words)
    except PlannerError as fault:
        line.caption(t("ui.state.failed", lang), width="content")
        trouble.error(t("ui.no_plan.failed", lang, words=str(fault)))
        return None


def await_result(work: Work[Answer], line: Any, lang: str, words: str) -> Answer:
    """The result of work; meanwhile the line tells how long it has been under way."""
    while True:
        try:
            return work.future.result(timeout=LOOK_AGAIN)
        except StillWorking:
            key = words if work.started else "waiting"
            line.caption(t(f"ui.state.{key}", lang, seconds=f"{work.seconds:.1f}"), width="content")


def offer_way_back(case: Case, offered: tuple[Lever, ...], lang: str) -> None:
    """Say that an older plan is on screen, and offer to return to it or to the case."""
    before = state.last(case)
    if before is None:
        return
    st.html(GREYED)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            t("ui.no_plan.back", lang),
            key="back",
            type="primary",
            icon=":material/undo:",
            on_click=partial(state.move, case, offered, lang, before.positions),
        )
        st.caption(t("ui.no_plan.kept", lang), width="content")


def issue_lines(fault: CaseError, lang: str) -> list[str]:
    """Faults as a list, the first few of them."""
    lines = [f"- {text.issue(issue, lang)}" for issue in fault.errors[:MOST_ISSUES]]
    left = len(fault.errors) - MOST_ISSUES
    return [*lines, f"- {t('ui.no_plan.more', lang, count=left)}"] if left > 0 else lines


def draw_answer(case: Case, offered: tuple[Lever, ...], shown: state.Shown, own: Plan | None, lang: str) -> None:
    """Headline, wedge beside targets, and the tables below; the case is the one the plan answers."""
    plan = shown.plan
    case = plan.case or case
    draw_headline(figures.headline(case, offered, plan, own, lang), lang)
    quantity = main_quantity(case)
    left, right = st.columns([0.68, 0.32], gap="medium")
    with left:
        if quantity is not None:
            draw_wedge(case, plan, quantity, lang)
    with right:
        draw_targets(case, plan, lang)
    draw_tabs(case, plan, quantity, lang)


def draw_headline(row: list[figures.Figure], lang: str) -> None:
    """One card per figure."""
    with st.container(horizontal=True, key="headline", gap="small"):
        for figure in row:
            st.metric(
                figure.label,
                figure.value,
                figure.delta or t("ui.figure.same", lang),
                delta_color="off" if figure.delta is None else "inverse" if figure.less_is_better else "normal",
                delta_arrow="off" if figure.delta is None else "auto",
                delta_description=t("ui.figure.against", lang) if figure.delta else None,
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
    st.subheader(t("ui.targets.title", lang), anchor=False, help=t("ui.targets.help", lang))
    st.caption(t("ui.targets.count", lang, kept=kept, all=len(states)))
    soft = {target.target for target in case.targets if target.soft_penalty is not None}
    badges = {
        "kept": ("green", ":material/check:"),
        "exact": ("blue", ":material/target:"),
        "missed": ("red", ":material/close:"),
        "missed_soft": ("orange", ":material/close:"),
    }
    with st.container(height=412, border=False, key="targets", gap="small"):
        for target in states:
            missed_soft = target.state == "missed" and target.target in soft
            colour, icon = badges["missed_soft" if missed_soft else target.state]
            st.markdown(f"{target.name}  \n:{colour}-badge[{icon} {target.words}]")


def ground() -> charts.Ground:
    """Colours for the theme on screen."""
    return charts.DARK if st.context.theme.type == "dark" else charts.LIGHT


def line_words(lang: str) -> dict[str, str]:
    """Words that charts over years share."""
    return {word: t(f"ui.wedge.{word}", lang) for word in ("year", "sector", "baseline", "plan", "target")}


def titled(case: Case, quantity: str, lang: str) -> str:
    """A quantity with its unit, for an axis."""
    row = next(row for row in case.quantities if row.quantity == quantity)
    return t("ui.joined", lang, what=short_name(row, lang), unit=figures.unit_of(case, quantity, lang).name)


def draw_wedge(case: Case, plan: Plan, quantity: str, lang: str) -> None:
    """The hero: what each sector cuts."""
    row = next(row for row in case.quantities if row.quantity == quantity)
    frame = figures.wedge(case, plan, quantity, lang)
    drawn = set(frame["sector"])
    unit = figures.unit_of(case, quantity, lang).name
    words = {**line_words(lang), "value": titled(case, quantity, lang), "cut": t("ui.wedge.cut", lang, unit=unit)}
    chosen = {name: colour for name, colour in figures.colours(case, lang).items() if name in drawn}
    st.subheader(t("ui.wedge.title", lang, quantity=short_name(row, lang)), anchor=False)
    spec = charts.wedge(words, chosen, ground())
    st.vega_lite_chart(frame, spec, width="stretch", height=430, key="wedge", alt=t("ui.wedge.alt", lang))
    notes = [t("ui.wedge.ceiling", lang)] if "target" in set(frame["part"]) else []
    if not chosen:
        notes.append(t("ui.wedge.nothing", lang))
    elif figures.rising(frame):
        notes.append(t("ui.wedge.rising", lang))
    if notes:
        st.caption(" ".join(notes))


# ---------------------------------------------------------------- tabs


def draw_tabs(case: Case, plan: Plan, quantity: str | None, lang: str) -> None:
    """Tables and the frontier; only the open tab is drawn."""
    names = ["portfolio", "budgets", "paths", *(["frontier"] if quantity else [])]
    row = next((row for row in case.quantities if row.quantity == quantity), None)
    labels = [t(f"ui.tab.{name}", lang, quantity=short_name(row, lang) if row else "") for name in names]
    tabs = st.tabs(labels, key=f"tabs_{lang}", on_change="rerun")
    drawers = {
        "portfolio": partial(draw_portfolio, case, plan, lang),
        "budgets": partial(draw_budgets, case, plan, lang),
        "paths": partial(draw_paths, case, plan, lang),
        "frontier": partial(draw_frontier, case, plan, quantity or "", lang),
    }
    for name, tab in zip(names, tabs, strict=True):
        if tab.open:
            with tab:
                drawers[name]()


def money_unit(case: Case, lang: str) -> str:
    """Name of the unit of money on screen."""
    return amounts.money(case.settings.money_unit, case.settings.currency, lang).name


def draw_portfolio(case: Case, plan: Plan, lang: str) -> None:
    """The largest measures, and the whole portfolio as a file."""
    frame = figures.portfolio(case, plan, lang)
    if frame.empty:
        st.caption(t("ui.portfolio.none", lang))
        return
    st.caption(t("ui.portfolio.caption", lang, count=len(frame), unit=money_unit(case, lang)))
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
    st.caption(t("ui.budgets.caption", lang, unit=money_unit(case, lang)))
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
    words = {**line_words(lang), "value": titled(case, chosen, lang)}
    frame = figures.path(case, plan, chosen, lang)
    st.vega_lite_chart(
        frame, charts.paths(words, ground()), width="stretch", height=320, key="path_chart", alt=t("ui.paths.alt", lang)
    )
    table = figures.levels(case, plan, chosen, lang)
    places = amounts.decimals(table.to_numpy().ravel())
    formats = {name: st.column_config.NumberColumn(format=f"%,.{places}f") for name in table.columns}
    st.dataframe(table, column_config=formats)


# ---------------------------------------------------------------- frontier


def draw_frontier(case: Case, plan: Plan, quantity: str, lang: str) -> None:
    """Least cost against the sum of the quantity, on a button; everything else as the plan on screen has it."""
    of = plan.case or case
    row = next(row for row in case.quantities if row.quantity == quantity)
    name = short_name(row, lang)
    st.caption(t("ui.frontier.caption", lang, points=POINTS, quantity=name))
    run = st.button(t("ui.frontier.run", lang, points=POINTS), key="frontier", icon=":material/show_chart:")
    if run:
        trace_frontier(case, of, quantity, lang)
    found = state.frontier(case)
    if found is None:
        return
    if found.digest != of.digest:
        st.caption(t("ui.frontier.other", lang))
    years = years_text(case.settings.first_year, case.settings.last_year, lang)
    words = {
        "total": t(
            "ui.frontier.total", lang, quantity=name, years=years, unit=figures.unit_of(case, quantity, lang).name
        ),
        "cost": t("ui.frontier.cost", lang, unit=money_unit(case, lang)),
        "current": t("ui.frontier.current", lang),
        "point": t("ui.frontier.point", lang),
    }
    frame = figures.frontier(case, found.points, plan, quantity, lang)
    st.vega_lite_chart(
        frame,
        charts.frontier(words, ground()),
        width="stretch",
        height=400,
        key="frontier_chart",
        alt=t("ui.frontier.alt", lang),
    )


def trace_frontier(case: Case, of: Case, quantity: str, lang: str) -> None:
    """Work out a frontier while a bar tells how far it is; moving a lever or the button below stops it."""
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0)
        st.button(t("ui.frontier.stop", lang), key="stop", on_click=state.stop_long_work)
    work = state.long_work(lambda told: trace(of, quantity, points=POINTS, progress=told))
    try:
        while not wait([work.future], LOOK_AGAIN).done:
            done = min(work.done, POINTS)
            words = t("ui.frontier.progress", lang, done=done, points=POINTS, seconds=f"{work.seconds:.0f}")
            bar.progress(done / POINTS, text=words)
        points: pd.DataFrame = work.future.result()
    except PlannerError as fault:
        st.error(t("ui.frontier.failed", lang, words=str(fault)))
    else:
        state.keep_frontier(case, state.Frontier(of.digest, points))
    finally:
        work.stopped = True
    place.empty()
