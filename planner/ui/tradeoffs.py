"""The page of trade-offs: what it costs to go further with one quantity, everything else as it stands."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from planner import charts
from planner.case import Case
from planner.errors import PlannerError
from planner.explore import frontier
from planner.text import LANGUAGES, t
from planner.ui import answering, drawing, figures, jobs, nearby, state
from planner.ui.desk import Work
from planner.ui.draft import Draft, EditMapping, merged
from planner.ui.levers import fresh_id, name_of, short_name, years_text
from planner.ui.planning import draw_levers

SLOT = "frontier"
POINTS = 10
"""Points of a frontier [-]."""
REACH = 0.95
"""How far towards its least value it goes: the last few percent cost beyond all measure [-]."""
CAPPED = "frontier_cap"
"""Id of the target that loading a point adds."""
ROOM = 1e-7
"""What that target leaves above the point, as a part of it [-]."""


@dataclass(frozen=True)
class Traced:
    """A frontier, and what it was asked of."""

    of: Case
    draft: Draft
    quantity: str
    points: pd.DataFrame

    def edit(self, point: int) -> EditMapping:
        """The cap on the sum of all years that makes a point of the frontier the least-cost plan."""
        row = self.points[self.points["point"] == point].iloc[0]
        first, last = self.of.settings.first_year, self.of.settings.last_year
        quantity = next(row for row in self.of.quantities if row.quantity == self.quantity)
        words = {"first": first, "last": last}
        names = {
            f"name_{lang}": t("ui.frontier.cap", lang, quantity=short_name(quantity, lang), **words)
            for lang in LANGUAGES
        }
        cap = {
            "target": fresh_id(CAPPED, {target.target for target in self.of.targets}),
            "kind": "cumulative",
            "quantity": self.quantity,
            "sense": "<=",
            "value": float(row["total"]) + ROOM * abs(float(row["total"])),
            "first_year": first,
            "last_year": last,
        }
        return {"table": "targets", "add": {**cap, **names}}


def page() -> None:
    """A quantity to choose, a button, a curve."""
    view = state.view()
    stand = answering.stand(t("ui.page.tradeoffs", view.lang), draw_levers)
    case, lang = stand.case, stand.lang
    quantity = choose(case, lang)
    row = next(row for row in case.quantities if row.quantity == quantity)
    name = short_name(row, lang)
    st.caption(t("ui.frontier.caption", lang, points=POINTS, quantity=name))
    st.button(
        t("ui.frontier.run", lang, points=POINTS),
        key="frontier",
        type="primary",
        icon=":material/show_chart:",
        disabled=not stand.current,
        on_click=partial(trace, case, stand.asked, quantity),
    )
    try:
        points = jobs.watch(case, SLOT, lang, partial(told, lang=lang))
    except PlannerError as fault:
        st.error(t("ui.frontier.failed", lang, words=str(fault)))
        points = None
    if points is not None:
        draw(stand, points, lang)
    nearby.draw(stand, lang)


def choose(case: Case, lang: str) -> str:
    """The quantity to go further with; the choice outlives a change of language."""
    ids = figures.bounded_first(case)
    names = {row.quantity: name_of(row, lang) for row in case.quantities}
    kept, key = f"frontier_of_{case.settings.name}", f"frontier_of_{case.settings.name}_{lang}"
    if st.session_state.get(key) not in ids:
        st.session_state[key] = st.session_state.get(kept, ids[0])
    chosen: str = st.selectbox(t("ui.paths.quantity", lang), ids, key=key, format_func=names.__getitem__, width=360)
    st.session_state[kept] = chosen
    return chosen


def trace(case: Case, of: Case, quantity: str) -> None:
    """Begin to work out the frontier of a case."""

    draft = state.draft(case)

    def job(work: Work[Any]) -> Traced:
        curve = frontier(of, quantity, points=POINTS, reach=REACH, progress=work.told)
        return Traced(of, draft, quantity, curve.points.rename(columns={"x": "total"}))

    state.begin(case, SLOT, job, of)


def told(work: Work[Any], lang: str) -> tuple[float | None, str]:
    """How many points there are."""
    done = min(work.done, POINTS)
    return done / POINTS, t("ui.frontier.progress", lang, done=done, points=POINTS, seconds=f"{work.seconds:.0f}")


def load(case: Case, found: Traced, key: str) -> None:
    """Go on with the point that was clicked: what the frontier was asked of, and a cap on the sum."""
    picked = st.session_state[key]["selection"][charts.PICKED]
    if picked:
        edits = merged(found.draft.edits, [found.edit(int(picked[0]["point"]))])
        state.push(case, Draft(edits, found.draft.positions))


def draw(stand: answering.Stand, traced: Traced, lang: str) -> None:
    """The curve, and where the plan on screen stands."""
    case = stand.case
    quantity, found = traced.quantity, traced.points
    if stand.shown is None:
        return
    row = next(row for row in case.quantities if row.quantity == quantity)
    if traced.of.digest != stand.asked.digest:
        st.caption(t("ui.frontier.other", lang))
    years = years_text(case.settings.first_year, case.settings.last_year, lang)
    unit = figures.unit_of(case, quantity, lang).name
    words = {
        "total": t("ui.frontier.total", lang, quantity=short_name(row, lang), years=years, unit=unit),
        "cost": t("ui.frontier.cost", lang, unit=drawing.money_unit(case, lang)),
        "current": t("ui.frontier.current", lang),
        "point": t("ui.frontier.point", lang),
    }
    st.caption(t("ui.frontier.click", lang))
    frame = figures.frontier(case, found, stand.shown.plan, quantity, lang)
    st.vega_lite_chart(
        frame,
        charts.frontier(words, drawing.ground()),
        width="stretch",
        height=440,
        key="frontier_chart",
        on_select=partial(load, case, traced, "frontier_chart"),
        selection_mode=charts.PICKED,
        alt=t("ui.frontier.alt", lang),
    )


if __name__ == "__main__":
    page()
