"""Hindsight: what it costs to plan for one horizon after another instead of for all goals at once."""

from collections import Counter
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from planner import amounts
from planner.case import Case
from planner.foresight import Regret, regret
from planner.highlights import lines
from planner.text import t
from planner.ui import answering, figures, jobs, state
from planner.ui.desk import Work
from planner.ui.words import named

SLOT = "regret"


def draw(stand: answering.Stand, lang: str) -> None:
    """Years to choose, a button, and what short sight costs."""
    case = stand.asked
    st.subheader(t("ui.regret.title", lang), anchor=False)
    st.caption(t("ui.regret.help", lang))
    years = horizons(case)
    if not years:
        st.caption(t("ui.regret.none", lang))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect(
            t("ui.regret.years", lang),
            years,
            default=[busiest(case, years)],
            key=f"regret_years_{case.settings.name}_{lang}",
            width=360,
        )
        st.button(
            t("ui.regret.run", lang),
            key="regret",
            icon=":material/visibility_off:",
            disabled=not stand.current or not chosen,
            on_click=partial(begin, stand, tuple(sorted(chosen))),
        )
    found: tuple[Case, Regret] | None = jobs.watch(stand.case, SLOT, lang)
    if found is not None:
        if found[0].digest != case.digest:
            st.caption(t("ui.robust.other", lang))
        draw_found(*found, lang)


def horizons(case: Case) -> list[int]:
    """Years up to which somebody may plan first: those in which goals begin, but for the last."""
    last = case.settings.last_year
    named_ = {row.first_year for row in case.targets} | {row.by for row in case.targets}
    return sorted(year for year in named_ if year is not None and year in case.decided and year < last)


def busiest(case: Case, years: list[int]) -> int:
    """The year with which most goals begin."""
    counts = Counter(row.first_year for row in case.targets)
    return max(years, key=lambda year: (counts[year], -year))


def begin(stand: answering.Stand, years: tuple[int, ...]) -> None:
    """Begin to plan step by step."""
    of = stand.asked

    def job(work: Work[Any]) -> tuple[Case, Regret]:
        return of, regret(of, years, progress=work.told)

    state.begin(stand.case, SLOT, job, of)


def draw_found(case: Case, found: Regret, lang: str) -> None:
    """The regret in money, what every step costs, goals that are missed, options that are gone."""
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang)

    def told(value: float) -> str:
        number = amounts.number(value * money.factor).replace("-", figures.MINUS)
        return t("ui.amount", lang, number=number, unit=money.name)

    with st.container(horizontal=True, gap="small"):
        st.metric(t("ui.regret.money", lang), told(found.money), border=True)
        st.metric(t("regret.joint", lang), told(found.joint), border=True)
        st.metric(t("ui.regret.sighted", lang), told(found.sighted), border=True)
    if not found.kept:
        st.warning(t("regret.missed", lang), icon=":material/warning:")
    column = st.column_config
    left, right = st.columns(2, gap="medium")
    with left:
        st.dataframe(
            stages(found, lang).assign(cost=found.stages["cost"] * money.factor),
            hide_index=True,
            height="content",
            column_config={
                "horizon": column.NumberColumn(t("regret.horizon", lang), format="%d", width=100),
                "state": column.TextColumn(t("ui.regret.state", lang), width=220),
                "cost": column.NumberColumn(
                    t("ui.joined", lang, what=t("ui.choice.cost", lang), unit=money.name), format="%,.2f", width=120
                ),
            },
        )
        st.caption(t("regret.note", lang))
    with right:
        missed(case, found, lang)
        gone = lost(case, found, lang)
        if gone:
            st.markdown("\n".join([f"**{t('regret.lost', lang)}**", "", *(f"- {line}" for line in gone)]))


def stages(found: Regret, lang: str) -> pd.DataFrame:
    """What was planned step by step: horizon, state."""
    rows = [(int(row.horizon), t(f"regret.{row.status}", lang)) for row in lines(found.stages)]
    return pd.DataFrame(rows, columns=["horizon", "state"])


def missed(case: Case, found: Regret, lang: str) -> None:
    """Targets that are missed more than they would have to be, each in its worst year."""
    if found.targets.empty:
        st.caption(t("ui.regret.nothing_missed", lang))
        return
    rows = []
    quantities = {row.target: row.quantity for row in case.targets}
    worst = found.targets.assign(more=found.targets["missed"] - found.targets["joint"])
    for row in lines(worst.sort_values("more", ascending=False).drop_duplicates("target")):
        unit = figures.unit_of(case, quantities[str(row.target)], lang)
        gap = t("ui.amount", lang, number=amounts.number(float(row.more) * unit.factor), unit=unit.name)
        hard = t("regret.hard" if row.hard else "regret.soft", lang)
        rows.append((named(case, "targets", str(row.target), lang), hard, int(row.year), gap))
    column = st.column_config
    st.dataframe(
        pd.DataFrame(rows, columns=["target", "hard", "year", "gap"]),
        hide_index=True,
        height=min(360, 38 + 35 * len(rows)),
        column_config={
            "target": column.TextColumn(t("regret.targets", lang), width=230),
            "hard": column.TextColumn(t("ui.column.kind", lang), width=70),
            "year": column.NumberColumn(t("ui.column.year", lang), format="%d", width=70),
            "gap": column.TextColumn(t("regret.by", lang), width=150),
        },
    )


def lost(case: Case, found: Regret, lang: str, most: int = 12) -> list[str]:
    """Options that are gone, a line each."""
    measures = {row.measure: row for row in case.measures}
    told = []
    for row in lines(found.lost.head(most)):
        unit = amounts.unit(measures[str(row.measure)].unit, lang)
        reach = "–" if row.reachable != row.reachable else amounts.number(float(row.reachable) * unit.factor)
        words = {
            "name": named(case, "measures", str(row.measure), lang),
            "horizon": int(row.horizon),
            "reachable": reach,
            "joint": amounts.number(float(row.joint) * unit.factor),
            "unit": unit.name,
            "last": case.settings.last_year,
        }
        told.append(t("regret.lost_line", lang, **words))
    return told
