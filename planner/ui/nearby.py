"""Nearby: plans that cost nearly as little and differ most, side by side and as lines that can be filtered."""

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from planner import amounts
from planner.case import Case
from planner.highlights import lines
from planner.nearly import Alternatives, alternatives
from planner.text import t
from planner.ui import answering, drawing, jobs, ledgers, state
from planner.ui.draft import Draft, merged
from planner.ui.levers import name_of

SLOT, COUNT = "nearby", 4
"""Long work, and plans that are looked for beside the cheapest [-]."""
SLACKS = (1, 2, 5, 10)
"""What they may cost more [%]."""


def draw(stand: answering.Stand, lang: str) -> None:
    """A slack to choose, a button, and what was found."""
    st.subheader(t("ui.nearby.title", lang), anchor=False)
    st.caption(t("ui.nearby.help", lang, count=COUNT))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        slack = st.segmented_control(
            t("ui.nearby.slack", lang),
            SLACKS,
            default=SLACKS[1],
            required=True,
            format_func=lambda one: t("ui.percent", lang, number=one),
            key=f"slack_{lang}",
        )
        st.button(
            t("ui.nearby.run", lang),
            key="nearby",
            icon=":material/alt_route:",
            disabled=not stand.current,
            on_click=partial(begin, stand, int(slack or SLACKS[1])),
        )
    found: Alternatives | None = jobs.watch(stand.case, SLOT, lang)
    if found is not None:
        draw_found(stand.case, found, lang)


def begin(stand: answering.Stand, slack: int) -> None:
    """Begin to look for alternatives."""
    of = stand.asked

    def job(work: Any) -> Alternatives:
        return alternatives(of, slack / 100, COUNT, roles=False, progress=work.told)

    state.begin(stand.case, SLOT, job, of)


def side_by_side(case: Case, found: Alternatives, lang: str) -> pd.DataFrame:
    """Plans: plan, extra [%], capex [shown money], and the share of what each sector could start [%]."""
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang).factor
    names = ledgers.names_by(case, "sector", lang)
    capex = found.groups.groupby("plan")["capex"].sum() * money
    shares = found.groups.pivot_table(index="plan", columns="group", values="share", fill_value=0.0, sort=False)
    rows = []
    for row in lines(found.plans):
        label = t("ui.nearby.cheapest", lang) if row.plan == 0 else t("ui.nearby.plan", lang, number=row.plan)
        of = {names[str(group)]: 100 * float(share) for group, share in shares.loc[row.plan].items()}
        rows.append({"plan": label, "extra": 100 * float(row.extra), "capex": float(capex[row.plan]), **of})
    return pd.DataFrame(rows)


def draw_found(case: Case, found: Alternatives, lang: str) -> None:
    """Lines to filter, the table, and a way to go on with one of the plans."""
    frame = side_by_side(case, found, lang)
    column = st.column_config
    unit = drawing.money_unit(case, lang)
    titles = {
        "extra": t("ui.nearby.extra", lang),
        "capex": t("ui.joined", lang, what=t("ui.portfolio.capex", lang), unit=unit),
    }
    sectors = [name for name in frame.columns if name not in ("plan", *titles)]
    draw_lines(frame, titles, sectors, lang)
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        column_config={
            "plan": column.TextColumn(t("ui.wedge.plan", lang), width=110),
            "extra": column.NumberColumn(titles["extra"], format="%.2f%%", width=100),
            "capex": column.NumberColumn(titles["capex"], format="%,.1f", width=130),
            **{name: column.NumberColumn(name, format="%.0f%%", width=95) for name in sectors},
        },
    )
    st.caption(t("ui.nearby.shares", lang))
    with st.container(horizontal=True, vertical_alignment="center"):
        for row in lines(found.plans):
            if row.plan:
                st.button(
                    t("ui.nearby.load", lang, number=row.plan),
                    key=f"nearby_{row.plan}",
                    icon=":material/history:",
                    on_click=partial(load, case, found, int(row.plan)),
                )
    differing = furthest(case, found, lang)
    if differing:
        st.markdown("\n".join(f"- {line}" for line in differing))


def draw_lines(frame: pd.DataFrame, titles: dict[str, str], sectors: list[str], lang: str) -> None:
    """Parallel coordinates: a line per plan; a range marked on an axis leaves the plans within it."""
    ground = drawing.ground()
    axes = [*titles, *sectors]
    colours = ledgers.palette(frame["plan"].tolist())
    series = [
        {
            "type": "parallel",
            "name": name,
            "lineStyle": {"color": colours[name], "width": 3, "opacity": 0.9},
            "data": [[float(f"{value:.5g}") for value in values]],
        }
        for name, values in zip(frame["plan"], frame[axes].to_numpy().tolist(), strict=True)
    ]
    spec = {
        "legend": {"data": frame["plan"].tolist(), "bottom": 0, "textStyle": {"color": ground.ink}},
        "parallel": {"left": 60, "right": 70, "top": 40, "bottom": 50},
        "parallelAxis": [
            {"dim": place, "name": titles.get(name, name), "scale": True, "nameTextStyle": {"color": ground.ink}}
            for place, name in enumerate(axes)
        ],
        "series": series,
    }
    st.echarts_chart(spec, height=340, key="parallel", alt=t("ui.nearby.title", lang))
    st.caption(t("ui.nearby.filter", lang))


def furthest(case: Case, found: Alternatives, lang: str, most: int = 3) -> list[str]:
    """In words, which measures each plan starts most differently from the cheapest."""
    measures = {row.measure: row for row in case.measures}
    own = found.measures[found.measures["plan"] == 0].set_index("measure")
    told = []
    for number in found.plans["plan"].tolist()[1:]:
        other = found.measures[found.measures["plan"] == number].set_index("measure")
        gap = (other["capex"] - own["capex"].reindex(other.index).fillna(0.0)).sort_values()
        signs = [("−", gap.index[:most]), ("+", gap.index[::-1][:most])]
        parts = []
        for sign, ids in signs:
            names = [
                name_of(measures[str(m)], lang) for m in ids if abs(float(gap[m])) > 0 and (gap[m] > 0) == (sign == "+")
            ]
            parts += [f"{sign} {name}" for name in names]
        told.append(
            f"**{t('ui.nearby.plan', lang, number=number)}**"
            + ("：" if lang == "zh" else ": ")
            + ("、" if lang == "zh" else ", ").join(parts)
        )
    return told


def load(case: Case, found: Alternatives, plan: int) -> None:
    """Go on with a plan: all that it starts is pinned."""
    base = state.draft(case)
    edits = [edit.mapping() for edit in found.edits(plan)]
    state.push(case, Draft(merged(base.edits, edits), base.positions))
