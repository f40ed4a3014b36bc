"""What `planner progress` says: delivered against planned, targets on track and off, what slips cost, what is next."""

import pandas as pd
from rich.text import Text

from planner.amounts import decimals, number
from planner.highlights import lines, next_years, starts_by_year
from planner.plan import Plan
from planner.progress import Slip
from planner.show.answer import status_words, target_name
from planner.show.layout import ALARM, GOOD, QUIET, Page, add, grid

MOST = 20
"""Measures, targets and starts printed at most [-]."""


def show_progress(page: Page, found: pd.DataFrame, as_of: int) -> None:
    """Planned and delivered by measure, those furthest behind first, and by city how much of the plan stands."""
    assert page.case is not None
    page.line(Text(page.title(), style="bold"))
    page.heading(page.t("progress.title", year=as_of))
    sums = found.groupby("measure", sort=False)[["planned", "delivered"]].sum()
    price = {row.measure: row.capex for row in page.case.measures}
    sums["behind"] = (sums["delivered"] - sums["planned"]) * [price[str(m)] for m in sums.index]
    table = grid(
        [page.t(f"progress.{head}") for head in ("measure", "planned", "delivered", "share", "unit")], right=[1, 2, 3]
    )
    ordered = sums.sort_values("behind", kind="stable")
    for line in lines(ordered.head(MOST).reset_index()):
        unit = page.unit("measures", line.measure)
        share = line.delivered / line.planned if line.planned else None
        style = ALARM if share is not None and share < 0.95 else ""
        shown = "—" if share is None else f"{share:.0%}"
        amounts = [
            number(value * unit.factor, decimals([value * unit.factor], 3)) for value in (line.planned, line.delivered)
        ]
        add(table, page.name("measures", line.measure), *amounts, Text(shown, style=style), unit.name)
    page.show(table)
    if len(ordered) > MOST:
        page.note(page.t("solve.more_short", count=len(ordered) - MOST))
    page.heading(page.t("progress.cities", year=as_of))
    table = grid(
        [
            page.t("progress.city"),
            page.t("progress.planned_worth", unit=page.money.name),
            page.t("progress.delivered_worth", unit=page.money.name),
            page.t("progress.share"),
        ],
        right=[1, 2, 3],
    )
    worth = found.assign(price=found["measure"].map(price))
    worth["planned"] *= worth["price"]
    worth["delivered"] *= worth["price"]
    by_city = worth.groupby("city", sort=False)[["planned", "delivered"]].sum() * page.money.factor
    places = decimals(by_city["planned"].tolist())
    for line in lines(by_city.reset_index()):
        share = f"{line.delivered / line.planned:.0%}" if line.planned else "—"
        add(table, page.place(line.city), number(line.planned, places), number(line.delivered, places), share)
    page.show(table)


def show_track(page: Page, found: pd.DataFrame, as_of: int) -> None:
    """Targets that are off track, past and to come; how many are on it."""
    assert page.case is not None
    targets = {row.target: row for row in page.case.targets}
    off = found[found["missed"] > 0]
    on = found["target"].nunique() - off["target"].nunique()
    page.heading(page.t("progress.targets", on=on, off=off["target"].nunique()))
    if off.empty:
        return
    table = grid(
        ["", *(page.t(f"progress.{head}") for head in ("target", "years", "asked", "planned", "now", "unit"))],
        right=[3, 4, 5],
    )
    for target, of in list(off.groupby("target", sort=False))[:MOST]:
        row = targets[str(target)]
        unit = page.unit("quantities", row.quantity)
        first = of.iloc[0]
        years = [int(year) for year in of["year"]]
        span = f"{years[0]}-{years[-1]}" if len(years) > 1 else str(years[0])
        values = [
            float(first[name]) * unit.factor if pd.notna(first[name]) else None for name in ("bound", "planned", "now")
        ]
        places = decimals([value for value in values if value is not None])
        shown = ["" if value is None else number(value, places) for value in values]
        shown[0] = f"{'≤' if row.sense == '<=' else '≥'} {shown[0]}"
        mark = Text("✗" if first["state"] == "missed" else "·", style=ALARM)
        add(table, mark, target_name(page, row.target, row.scope), span, *shown, unit.name)
    page.show(table)
    page.note(page.t("progress.targets_note", year=as_of))


def show_slip(page: Page, found: Slip, best_effort: bool = False) -> None:
    """Costs of the plan that was made, of the same kept to, and of the plan from here on."""
    money = page.money
    table = grid(["", ""], right=[1], header=False)
    values = [value * money.factor for value in (found.kept, found.now, found.cost)]
    places = decimals(values[:2])
    page.heading(page.t("progress.cost", unit=money.name))
    for name, value in zip(("kept", "now_cost", "slip"), values, strict=True):
        add(table, page.t(f"progress.{name}"), number(value, places))
    page.show(table)
    page.note(page.t("progress.cost_note"))
    if best_effort:
        page.note(page.t("progress.cost_effort"))


def show_next(page: Page, plan: Plan, now: Plan) -> None:
    """What to start in the next years, as now planned and as planned before."""
    assert page.case is not None and now.case is not None
    page.heading(page.t("progress.replan"))
    page.line(status_words(page, now))
    years = next_years(now.case)
    after, before = starts_by_year(now, years), starts_by_year(plan, years)
    heads = [
        page.t("measures.measure"),
        *(f"{year}" for year in years),
        page.t("progress.before"),
        page.t("measures.unit"),
    ]
    table = grid(heads, right=range(1, len(years) + 2))
    planned = {str(measure): float(value) for measure, value in before.sum(axis=1).items()}
    for measure, row in after.head(MOST).iterrows():
        unit = page.unit("measures", str(measure))
        values = [float(value) * unit.factor for value in row]
        old = planned.get(str(measure), 0.0) * unit.factor
        places = decimals(values, 3)
        cells = [number(value, places) if value else "·" for value in values]
        add(
            table,
            page.name("measures", str(measure)),
            *cells,
            Text(number(old, places) if old else "·", style=QUIET),
            unit.name,
        )
    page.show(table)
    if len(after) > MOST:
        page.note(page.t("solve.more_short", count=len(after) - MOST))
    page.line(page.t("progress.begin", count=len(after)), style=GOOD)
