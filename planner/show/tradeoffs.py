"""What `planner frontier` and `planner alternatives` say: curves, grids, and plans that are nearly as good."""

import math

import numpy as np
import pandas as pd
from rich.text import Text

from planner.amounts import Shown, decimals, fine_decimals, number
from planner.case import Case
from planner.explore import BUDGET, PEAK_YEAR, Frontier, Grid
from planner.highlights import lines
from planner.nearly import Alternatives
from planner.probe import Axis
from planner.show.layout import ALARM, GOOD, Page, add, grid

MOST = 12
"""Measures named in a list [-]."""
TABLES = {"sector": "sectors", "city": "cities", "measure": "measures"}


def axis(page: Page, case: Case, text: str) -> tuple[str, Shown]:
    """Name of an axis and how its amounts are shown."""
    if text.startswith(PEAK_YEAR):
        return page.t("axis.peak_year", name=page.quantity(text.removeprefix(PEAK_YEAR))), Shown(1.0, "")
    if text.startswith(BUDGET):
        return page.t("axis.budget", name=page.name("budgets", text.removeprefix(BUDGET))), Shown(1.0, "")
    of = Axis.of(text, case)
    if of.what == "cost":
        return page.t("axis.cost"), page.money
    key = "peak" if of.peak else "all" if of.year is None else "year"
    return page.t(f"axis.{key}", name=page.quantity(of.what), year=of.year), page.unit("quantities", of.what)


def exchange(page: Page, found: Frontier) -> Shown:
    """How a price of x in y is shown."""
    x, y = Axis.of(found.x, found.case), Axis.of(found.y, found.case)
    money = {name: name.what in ("cost", "capex") or name.what.startswith("fund:") for name in (x, y)}
    if money[y]:
        return page.price(x.what)
    across, up = page.unit("quantities", x.what), page.unit("quantities", y.what)
    return Shown(up.factor / across.factor, f"{up.name}/{across.name}")


def show_frontier(page: Page, found: Frontier) -> None:
    """The points as lines, the cheap end first, and what the two ends start differently."""
    xname, x = axis(page, found.case, found.x)
    yname, y = axis(page, found.case, found.y)
    years = found.x.startswith(PEAK_YEAR)
    page.line(Text(page.title(), style="bold"))
    page.heading(page.t("frontier.title", x=xname, y=yname))
    price = Shown(1.0, "") if years else exchange(page, found)
    heads = ["", f"x [{x.name}]" if x.name else "x", f"y [{y.name}]"]
    if not years:
        heads += [f"{page.t('frontier.price')} [{price.name}]", page.t("frontier.open")]
    table = grid([*heads, f"{page.t('frontier.capex')} [{page.money.name}]"], right=range(len(heads) + 1))
    points = found.points
    places = [decimals(points["x"] * x.factor, 6), decimals(points["y"] * y.factor, 5)]
    for row in lines(points):
        cells = [str(row.point), str(int(row.x)) if years else number(row.x * x.factor, places[0])]
        cells.append(number(row.y * y.factor, places[1]))
        if not years:
            cells += ["" if math.isnan(row.price) else number(row.price * price.factor)]
            cells += ["" if math.isnan(row.bound) else number(row.bound * y.factor)]
        add(table, *cells, number(row.capex * page.money.factor))
    page.show(table)
    if years:
        page.note(page.t("frontier.peak_note", name=page.quantity(found.x.removeprefix(PEAK_YEAR))))
    else:
        ends = [f"{number(v * s.factor)} {s.name}" for v, s in ((found.ends[0], y), (found.ends[1], x))]
        words = page.t("frontier.holds" if found.convex else "frontier.broken")
        page.note(page.t("frontier.note", convex=words, x=xname, y=yname, least_y=ends[0], least_x=ends[1]))
    differences(page, found)


def differences(page: Page, found: Frontier) -> None:
    """The measures whose capital cost differs most between the first and the last point."""
    last = int(found.points["point"].max())
    if not last:
        return
    wide = found.measures.pivot_table(index="measure", columns="point", values=["starts", "capex"], fill_value=0.0)
    moved = (wide["capex"][last] - wide["capex"][0]).abs().sort_values(ascending=False, kind="stable")
    page.heading(page.t("frontier.measures"))
    table = grid(["", page.t("frontier.first"), page.t("frontier.last"), ""], right=[1, 2], keep=[3])
    for m in moved.index[: MOST // 2]:
        unit = page.unit("measures", str(m))
        amounts = [float(wide["starts"][point][m]) * unit.factor for point in (0, last)]
        add(table, page.name("measures", str(m)), *[number(a, decimals(amounts)) for a in amounts], unit.name)
    page.show(table)


def show_grid(page: Page, case: Case, found: Grid) -> None:
    """The grid as a table: x across, the other one down."""
    xname, x = axis(page, case, found.x)
    byname, by = axis(page, case, found.by)
    page.line(Text(page.title(), style="bold"))
    byname = f"{byname} [{by.name}]" if by.name else byname
    page.heading(page.t("grid.title", unit=page.money.name, x=xname, xunit=x.name, by=byname))
    cells = found.cells.pivot_table(index="factor", columns="x", values="cost", dropna=False)
    order = list(dict.fromkeys(found.cells["x"]))
    places = decimals(np.array(order) * x.factor, 5)
    heads = ["", *[number(value * x.factor, places) for value in order], page.t("grid.edge")]
    table = grid(heads, right=range(len(heads)))
    edges = found.edges.set_index("factor")["least"]
    fine = fine_decimals(found.edges["factor"] * by.factor)
    digits = decimals(found.cells["cost"] * page.money.factor)
    for factor in dict.fromkeys(found.cells["factor"]):
        told = [
            page.t("grid.none") if math.isnan(cost) else number(cost * page.money.factor, digits)
            for cost in (float(cells.loc[factor, value]) for value in order)
        ]
        edge = float(edges[factor])
        last = page.t("grid.no_plan") if math.isnan(edge) else number(edge * x.factor, places)
        add(table, number(factor * by.factor, fine), *told, last)
    page.show(table)
    page.note(page.t("grid.note"))


def part(page: Page, value: float) -> str:
    """A part as per cent."""
    return f"{100 * value:.3g}%" if page.lang == "zh" else f"{100 * value:.3g} %"


def joined(page: Page, names: list[str], most: int = MOST) -> str:
    """Names in a row; those beyond `most` are counted."""
    words = ("、" if page.lang == "zh" else "; ").join(names[:most])
    return words + (f" … (+{len(names) - most})" if len(names) > most else "")


def show_alternatives(page: Page, found: Alternatives) -> None:
    """The plans, how their shares differ, what they share, and what the plan without each measure costs."""
    page.line(Text(page.title(), style="bold"))
    words = page.t(f"alternatives.by.{found.by}")
    page.heading(page.t("alternatives.title", within=part(page, found.within), by=words))
    money = page.money
    heads = ["", page.t("alternatives.cost", unit=money.name), page.t("alternatives.extra")]
    table = grid(
        [*heads, page.t("alternatives.recomputed"), "", page.t("alternatives.distance")], right=[0, 1, 2, 3, 5]
    )
    places = decimals(found.plans["cost"] * money.factor, 5)
    for row in lines(found.plans):
        inside = Text(page.t("alternatives.inside" if row.within else "alternatives.outside"))
        inside.stylize(GOOD if row.within else ALARM)
        extra = page.t("alternatives.least") if not row.plan else f"+{part(page, row.extra)}"
        costs = [number(value * money.factor, places) for value in (row.cost, row.recomputed)]
        add(table, str(row.plan), costs[0], extra, costs[1], inside, part(page, row.distance) if row.plan else "")
    page.show(table)
    shares(page, found)
    contrasts(page, found)
    page.note(page.t("alternatives.note"))
    if len(found.ranges):
        roles(page, found)


def shares(page: Page, found: Alternatives) -> None:
    """Shares of the groups that differ most, plan by plan."""
    wide = found.groups.pivot_table(index="group", columns="plan", values="share", sort=False)
    width = (wide.max(axis=1) - wide.min(axis=1)).sort_values(ascending=False, kind="stable")
    chosen = set(width.index[:MOST])
    page.heading(page.t("alternatives.shares"))
    table = grid(["", *[str(plan) for plan in wide.columns]], right=range(1, len(wide.columns) + 1))
    for name, row in wide.iterrows():
        if name in chosen:
            add(table, page.name(TABLES[found.by], str(name)), *[part(page, round(value, 2)) for value in row])
    page.show(table)


def contrasts(page: Page, found: Alternatives) -> None:
    """A sentence per plan: the measures of which it starts more and less than the least-cost plan, by capital cost."""
    capex = found.measures.pivot_table(index="measure", columns="plan", values="capex", fill_value=0.0)
    page.line()
    for plan in found.plans["plan"].tolist()[1:]:
        difference = capex[plan] - capex[0]
        large = difference[difference.abs() > 1e-3 * capex[0].sum()]
        sides = [large[large * sign > 0].abs().sort_values(ascending=False, kind="stable") for sign in (1, -1)]
        told = [joined(page, [page.name("measures", str(m)) for m in side.index[:3]]) for side in sides]
        told = [words or page.t("alternatives.nothing") for words in told]
        key = "alternatives.more" if len(large) else "alternatives.same"
        page.line(page.t(key, plan=plan, more=told[0], less=told[1]))


def roles(page: Page, found: Alternatives) -> None:
    """Must-haves, choices, what is never started; and the cost of leaving each one out."""
    page.heading(page.t("alternatives.roles"))
    capex = found.measures[found.measures["plan"] == 0].set_index("measure")["capex"]
    table = found.ranges.assign(size=found.ranges["measure"].map(capex).fillna(0.0))
    table = table.sort_values("size", ascending=False, kind="stable")
    for role in ("must", "choice", "never", "open"):
        names = [page.name("measures", str(m)) for m in table.loc[table["role"] == role, "measure"]]
        if names:
            words = joined(page, names)
            page.line(page.t(f"alternatives.{role}", within=part(page, found.within), count=len(names), names=words))
    page.line()
    started = table[table["starts"] > 0]
    for row in lines(started.sort_values("extra", ascending=False, na_position="first", kind="stable").head(MOST)):
        page.line(
            page.t("alternatives.without", name=page.name("measures", row.measure), extra=extra(page, found, row))
        )
    if found.ranges["high"].notna().any():
        ends(page, table)


def extra(page: Page, found: Alternatives, row: object) -> str:
    """What the plan without a measure costs more."""
    status, more = getattr(row, "without", ""), float(getattr(row, "extra", math.nan))
    if status != "optimal" or math.isnan(more):
        return page.t("alternatives.needed" if status == "infeasible" else "alternatives.unknown")
    cost = number(more * abs(found.least) * page.money.factor)
    return page.t("alternatives.more_cost", part=part(page, more), cost=cost, unit=page.money.name)


def ends(page: Page, ranges: pd.DataFrame) -> None:
    """Least and most starts of every measure within the slack."""
    heads = ["", page.t("alternatives.low"), page.t("alternatives.planned"), page.t("alternatives.high"), ""]
    table = grid(heads, right=[1, 2, 3], keep=[4])
    for row in lines(ranges):
        unit = page.unit("measures", row.measure)
        values = [value * unit.factor for value in (row.low, row.starts, row.high)]
        places = decimals(values)
        told = ["?" if math.isnan(value) else number(value, places) for value in values]
        add(table, page.name("measures", row.measure), *told, unit.name)
    page.show(table)
