"""Tracing: a curve of least cost, or least of anything, against anything else; its points can be clicked and loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from planner import amounts, charts
from planner.case import Case
from planner.explore import frontier
from planner.plan import Plan
from planner.rows import FUND, is_money
from planner.text import LANGUAGES, t
from planner.ui import answering, drawing, figures, jobs, ledgers, state
from planner.ui.desk import Work
from planner.ui.draft import Draft, EditMapping, merged
from planner.ui.levers import fresh_id, short_name, total, years_text

REACH = 0.95
"""How far towards its least value it goes: the last few percent cost beyond all measure [-]."""
CAPPED = "frontier_cap"
"""Id of the target that loading a point adds."""
ROOM = 1e-7
"""What that target leaves above the point, as a part of it [-]."""
HIGH = 440
"""Height of a curve [px]."""


@dataclass(frozen=True)
class Traced:
    """A curve, and what it was asked of."""

    of: Case
    draft: Draft
    x: str
    y: str
    points: pd.DataFrame
    """Columns of a frontier: point, x, y, cost and others."""

    def edits(self, point: int) -> list[EditMapping]:
        """Caps on the sums of all years that make a point of the curve the least-cost plan."""
        row = self.points[self.points["point"] == point].iloc[0]
        taken = {target.target for target in self.of.targets}
        found: list[EditMapping] = []
        for axis, value in ((self.x, float(row["x"])), (self.y, float(row["y"]))):
            if axis == "cost":
                continue
            first, last = self.of.settings.first_year, self.of.settings.last_year
            words = {"first": first, "last": last}
            names = {
                f"name_{lang}": t("ui.frontier.cap", lang, quantity=name(self.of, axis, lang), **words)
                for lang in LANGUAGES
            }
            more = wanted(self.of, axis)
            cap = {
                "target": fresh_id(CAPPED, taken),
                "kind": "cumulative",
                "quantity": axis,
                "sense": ">=" if more else "<=",
                "value": value + (-ROOM if more else ROOM) * abs(value),
                "first_year": first,
                "last_year": last,
            }
            taken.add(str(cap["target"]))
            found.append({"table": "targets", "add": {**cap, **names}})
        return found


def axes(case: Case) -> list[str]:
    """What can stand on an axis: quantities that targets bound first, then investment, cost and what a fund pays."""
    return [*figures.bounded_first(case), "cost", "capex", *(FUND + row.fund for row in case.funds)]


def wanted(case: Case, axis: str) -> bool:
    """Whether more of it is better: targets ask for at least so much of something that is no emission."""
    kinds = {row.quantity: row.kind for row in case.quantities}
    asked = {row.sense for row in case.targets if row.quantity == axis}
    return kinds.get(axis) != "emission" and asked == {">="}


def name(case: Case, axis: str, lang: str) -> str:
    """What people call an axis."""
    if axis in ("cost", "capex"):
        return t(f"ui.frontier.{axis}_name", lang)
    if axis.startswith(FUND):
        return t("ui.frontier.paid", lang, fund=ledgers.names_by(case, "fund", lang)[axis.removeprefix(FUND)])
    return short_name(next(row for row in case.quantities if row.quantity == axis), lang)


def unit(case: Case, axis: str, lang: str) -> amounts.Shown:
    """How its amounts are shown."""
    return figures.unit_of(case, axis, lang)


def title(case: Case, axis: str, lang: str) -> str:
    """An axis with its years and unit."""
    shown = unit(case, axis, lang).name
    if axis == "cost":
        return t("ui.frontier.cost", lang, unit=shown)
    years = years_text(case.settings.first_year, case.settings.last_year, lang)
    return t("ui.frontier.total", lang, quantity=name(case, axis, lang), years=years, unit=shown)


def begin(case: Case, of: Case, slot: str, x: str, y: str, points: int) -> None:
    """Begin to trace a curve."""
    draft = state.draft(case)

    def job(work: Work[Any]) -> Traced:
        across, up = (f"-{axis}" if wanted(of, axis) else axis for axis in (x, y))
        return Traced(of, draft, x, y, frontier(of, across, up, points=points, reach=REACH, progress=work.told).points)

    st.session_state[f"points_{slot}"] = points
    state.begin(case, slot, job, of)


def told(slot: str, lang: str) -> Callable[[Work[Any]], tuple[float | None, str]]:
    """How many points there are."""
    points = int(st.session_state.get(f"points_{slot}", 1))

    def words(work: Work[Any]) -> tuple[float | None, str]:
        done = min(work.done, points)
        return done / points, t("ui.frontier.progress", lang, done=done, points=points, seconds=f"{work.seconds:.0f}")

    return words


def watched(case: Case, slot: str, lang: str) -> Traced | None:
    """The curve once it is there; faults are told."""
    found: Traced | None = jobs.watch(case, slot, lang, told(slot, lang))
    return found


def frame(traced: Traced, plan: Plan, current: bool, lang: str) -> pd.DataFrame:
    """Points of a curve and the plan on screen where its place is known: part, point, total, cost [shown units]."""
    points = traced.points.rename(columns={"x": "total", "cost": "price"}).rename(columns={"y": "cost"})
    rows = points.assign(part="frontier")[["part", "point", "total", "cost"]]
    here = None
    if traced.y == "cost" and not is_money(traced.x):
        here = float(total(plan, traced.x)["planned"].sum()), figures.present_value(plan)
    elif current and traced.y == "cost":  # a curve of least cost begins at the plan
        here = tuple(rows.loc[rows["point"] == 0, ["total", "cost"]].iloc[0].tolist())
    if here is not None:
        mark = {"part": "plan", "point": 0, "total": here[0], "cost": here[1]}
        rows = pd.concat([rows, pd.DataFrame([mark])])
    scaled = rows.assign(
        total=rows["total"] * unit(traced.of, traced.x, lang).factor,
        cost=rows["cost"] * unit(traced.of, traced.y, lang).factor,
    )
    return scaled.reset_index(drop=True)


def load(case: Case, found: Traced, key: str) -> None:
    """Go on with the point that was clicked: what the curve was asked of, and caps on the sums."""
    picked = st.session_state[key]["selection"][charts.PICKED]
    if picked:
        edits = merged(found.draft.edits, found.edits(int(picked[0]["point"])))
        state.push(case, Draft(edits, found.draft.positions))


def draw(stand: answering.Stand, traced: Traced, key: str, lang: str) -> None:
    """The curve, and where the plan on screen stands."""
    if stand.shown is None:
        return
    current = traced.of.digest == stand.asked.digest
    if not current:
        st.caption(t("ui.frontier.other", lang))
    words = {
        "total": title(traced.of, traced.x, lang),
        "cost": title(traced.of, traced.y, lang),
        "current": t("ui.frontier.current", lang),
        "point": t("ui.frontier.point", lang),
    }
    st.caption(t("ui.frontier.click", lang))
    st.vega_lite_chart(
        frame(traced, stand.shown.plan, current, lang),
        charts.frontier(words, drawing.ground()),
        width="stretch",
        height=HIGH,
        key=key,
        on_select=partial(load, stand.case, traced, key),
        selection_mode=charts.PICKED,
        alt=t("ui.frontier.alt", lang),
    )
