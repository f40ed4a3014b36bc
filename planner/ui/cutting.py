"""Cutting: what follows when the money of a fund is cut, or taken back in one year; and where the money flows."""

from collections import Counter
from functools import partial
from typing import Any

import streamlit as st

from planner import amounts
from planner.budgets import Desk, Rung, clawback, earmark, ladder
from planner.case import Case
from planner.edits import Edit
from planner.errors import CaseError
from planner.plan import Plan
from planner.text import t
from planner.ui import answering, drawing, figures, jobs, ledgers, risks, state
from planner.ui.draft import Draft, EditMapping, merged

LADDER, CLAWBACK, EARMARK = "ladder", "clawback", "earmark"
PARTS = (10, 20, 30, 50)
"""What may be taken back [%]."""
SHARES = (20, 50, 80, 100)
"""What may be reserved [%]."""


def draw(stand: answering.Stand, case: Case, lang: str) -> None:
    """A fund to choose; a ladder of cuts, and a part of one year's money taken back."""
    funds = limited(case)
    st.subheader(t("ui.cuts.title", lang), anchor=False)
    if not funds:
        st.caption(t("ui.cuts.none", lang))
        return
    names = ledgers.names_by(case, "fund", lang)
    years = list(case.decided or case.years)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        fund = st.selectbox(
            t("ui.cuts.fund", lang), funds, format_func=names.__getitem__, key=f"cut_fund_{lang}", width=240
        )
        button(stand, "ladder", lang, partial(begin_ladder, stand, str(fund)))
        part = st.selectbox(
            t("ui.cuts.part", lang),
            PARTS,
            index=1,
            format_func=lambda one: t("ui.percent", lang, number=one),
            key=f"cut_part_{lang}",
            width=110,
        )
        year = st.selectbox(t("ui.wedge.year", lang), years, key=f"cut_year_{lang}", width=120)
        button(stand, "clawback", lang, partial(begin_clawback, stand, str(fund), int(year), int(part)))
    for slot in (LADDER, CLAWBACK):
        draw_found(stand, slot, lang)
    draw_earmark(stand, case, names, funds, lang)


def draw_earmark(stand: answering.Stand, case: Case, names: dict[str, str], funds: list[str], lang: str) -> None:
    """A part of a fund's money reserved for some sectors: what that costs, and a way to go on with it."""
    st.subheader(t("ui.earmark.title", lang), anchor=False)
    sectors = ledgers.names_by(case, "sector", lang)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        fund = st.selectbox(
            t("ui.cuts.fund", lang), funds, format_func=names.__getitem__, key=f"earmark_fund_{lang}", width=240
        )
        chosen = st.multiselect(
            t("ui.earmark.sectors", lang),
            list(sectors),
            default=[highest(case)],
            format_func=sectors.__getitem__,
            key=f"earmark_sectors_{case.settings.name}_{lang}",
            width=320,
        )
        share = st.selectbox(
            t("ui.earmark.share", lang),
            SHARES,
            index=1,
            format_func=lambda one: t("ui.percent", lang, number=one),
            key=f"earmark_share_{lang}",
            width=110,
        )
        st.button(
            t("ui.earmark.run", lang),
            key="begin_earmark",
            icon=":material/bookmark_added:",
            help=t("ui.earmark.help", lang),
            disabled=not stand.current or not chosen,
            on_click=partial(begin_earmark, stand, str(fund), tuple(chosen), int(share)),
        )
    known = state.job(stand.case, EARMARK)
    found = jobs.watch(stand.case, EARMARK, lang)
    if found is None or known is None:
        return
    fund, of_sectors, rung, edits = found
    of: Case = known[0]
    listed = ("、" if lang == "zh" else ", ").join(sectors[one] for one in of_sectors)
    part = t("ui.percent", lang, number=f"{100 * rung.cut:g}")
    st.markdown(f"**{t('budget_desk.earmark.title', lang, name=names[fund], share=part, sectors=listed)}**")
    if rung.after is None:
        if rung.furthest is None:
            st.warning(t("budget_desk.rung.hopeless", lang))
        else:
            most = t("ui.percent", lang, number=f"{100 * rung.furthest:.3g}")
            st.warning(t("budget_desk.earmark.infeasible", lang, furthest=most))
        return
    money = amounts.money(of.settings.money_unit, of.settings.currency, lang)
    extra = t("ui.amount", lang, number=amounts.number((rung.extra or 0.0) * money.factor), unit=money.name)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.metric(t("ui.cuts.extra", lang), extra, border=True)
        st.markdown(risks.fallen(of, rung, lang), width="stretch")
        st.button(
            t("ui.earmark.load", lang),
            key="load_earmark",
            icon=":material/check:",
            on_click=partial(load, stand, [edit.mapping() for edit in edits]),
        )


def highest(case: Case) -> str:
    """The sector with the most measures that cost capital."""
    counts = Counter(row.sector for row in case.measures if row.capex)
    return str(counts.most_common(1)[0][0]) if counts else case.sectors[0].sector


def begin_earmark(stand: answering.Stand, fund: str, sectors: tuple[str, ...], share: int) -> None:
    """Begin to work out what an earmark costs."""
    of = stand.asked

    def job(work: Any) -> tuple[str, tuple[str, ...], Rung, list[Edit]]:
        return fund, sectors, *earmark(of, fund, sectors, share / 100, progress=work.told)

    state.begin(stand.case, EARMARK, job, of)


def load(stand: answering.Stand, edits: list[EditMapping]) -> None:
    """Go on with an earmark."""
    draft = state.draft(stand.case)
    base = state.drafted(stand.case)
    if isinstance(base, Case):
        state.push(stand.case, Draft(merged(draft.all_edits(base, stand.offered, numbered=False), edits)))


def limited(case: Case) -> list[str]:
    """Funds that budgets limit by themselves."""
    found = []
    for row in case.funds:
        try:
            Desk.budgets_of(case, row.fund)
        except CaseError:
            continue
        found.append(row.fund)
    return found


def button(stand: answering.Stand, what: str, lang: str, then: Any) -> None:
    """A button that begins long work."""
    st.button(
        t(f"ui.cuts.{what}", lang),
        key=f"begin_{what}",
        icon=":material/content_cut:",
        help=t(f"ui.cuts.{what}_help", lang),
        disabled=not stand.current,
        on_click=then,
    )


def begin_ladder(stand: answering.Stand, fund: str) -> None:
    """Begin to work out a ladder of cuts."""
    of = stand.asked
    state.begin(stand.case, LADDER, lambda work: (fund, None, ladder(of, fund, progress=work.told)), of)


def begin_clawback(stand: answering.Stand, fund: str, year: int, part: int) -> None:
    """Begin to work out what follows when money of a year is taken back."""
    of = stand.asked

    def job(work: Any) -> tuple[str, int | None, list[Rung]]:
        return fund, year, [clawback(of, fund, year, part / 100, progress=work.told)]

    state.begin(stand.case, CLAWBACK, job, of)


def draw_found(stand: answering.Stand, slot: str, lang: str) -> None:
    """What cuts do, a line each."""
    known = state.job(stand.case, slot)
    found = jobs.watch(stand.case, slot, lang)
    if found is None or known is None:
        return
    fund, year, cuts = found
    of: Case = known[0]
    name = ledgers.names_by(of, "fund", lang)[fund]
    title = (
        t("ui.cuts.of_ladder", lang, fund=name) if year is None else t("ui.cuts.of_year", lang, fund=name, year=year)
    )
    st.markdown(f"**{title}**")
    column = st.column_config
    unit = drawing.money_unit(of, lang)
    st.dataframe(
        risks.ladder(of, cuts, lang),
        hide_index=True,
        placeholder=t("ui.change.blank", lang),
        height="content",
        column_config={
            "cut": column.NumberColumn(t("budget_desk.ladder.cut", lang), format="%.0f%%", width=70),
            "extra": column.NumberColumn(
                t("ui.joined", lang, what=t("ui.cuts.extra", lang), unit=unit), format="%,.3f", width=170
            ),
            "out": column.NumberColumn(t("budget_desk.ladder.out", lang), width=80),
            "less": column.NumberColumn(t("budget_desk.ladder.less", lang), width=80),
            "later": column.NumberColumn(t("budget_desk.ladder.later", lang), width=80),
            "words": column.TextColumn(t("ui.cuts.words", lang), width=520),
        },
    )


def draw_flow(case: Case, plan: Plan, lang: str) -> None:
    """Money from funds to sectors to cities."""
    frame = risks.flow(case, plan, lang)
    if frame.empty:
        return
    st.subheader(t("ui.cuts.flow", lang, unit=drawing.money_unit(case, lang)), anchor=False)
    ground = drawing.ground()
    links = [
        {"source": one, "target": other, "value": float(f"{value:.4g}")}
        for one, other, value in frame.itertuples(index=False)
    ]
    colours = {**ledgers.palette(list(dict.fromkeys(frame["source"]))), **figures.colours(case, lang)}
    nodes = [
        {"name": name, "itemStyle": {"color": colours.get(name, ground.baseline)}}
        for name in dict.fromkeys([*frame["source"], *frame["target"]])
    ]
    series = {
        "type": "sankey",
        "data": nodes,
        "links": links,
        "emphasis": {"focus": "adjacency"},
        "lineStyle": {"color": "source", "opacity": 0.35},
        "label": {"color": ground.ink},
        "nodeGap": 13,
        "right": 110,
    }
    spec = {"tooltip": {"trigger": "item"}, "series": [series]}
    st.echarts_chart(spec, height=600, key="flow", alt=t("ui.cuts.flow", lang, unit=""))
