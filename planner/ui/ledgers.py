"""Ledgers: who pays what and when, what every city does, and plans side by side, in the units of screens."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from planner import amounts, charts
from planner.case import Case
from planner.compare import starts_table
from planner.highlights import lines, main_quantity
from planner.plan import Plan
from planner.rows import PROVINCE
from planner.text import aside, t
from planner.ui import figures
from planner.ui.levers import Lever, name_of, short_name, total

BY = ("fund", "sector", "city")
"""What spending can be told by."""
MAPS = Path(__file__).parents[2] / "data" / "geo"
"""Boundaries of cities, a file per case."""


def names_by(case: Case, by: str, lang: str) -> dict[str, str]:
    """Names of funds, sectors or cities by id."""
    table = {"fund": "funds", "sector": "sectors", "city": "cities"}[by]
    return {str(row.ids()[0]): name_of(row, lang) for row in case.rows(table)}


def spending(case: Case, plan: Plan, by: str, lang: str) -> pd.DataFrame:
    """Capital spending by year and by fund, sector or city, and what all yearly limits allow: part (paid,
    target), year, group, value.

    A limit counts where it holds for all spending of a year; those of single funds add up where every fund has one.
    """
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang).factor
    names = names_by(case, by, lang)
    if by == "fund":
        frame = plan.funds.rename(columns={"fund": "group", "paid": "value"})
    elif by == "city":
        frame = plan.portfolio.rename(columns={"city": "group", "capex": "value"})
    else:
        sectors = {row.measure: row.sector for row in case.measures}
        frame = plan.portfolio.assign(group=plan.portfolio["measure"].map(sectors), value=plan.portfolio["capex"])
    sums = frame.groupby(["year", "group"], sort=False)["value"].sum().reset_index()
    sums = sums[sums["value"].abs() > 0]
    sums["group"] = sums["group"].map(names)
    sums["value"] *= money
    limits = yearly_limits(case, plan)
    marks = pd.DataFrame([("target", year, "", limit * money) for year, limit in limits.items()], columns=PARTS)
    paid = sums.assign(part="paid")[PARTS]
    return pd.concat([paid, marks]).reset_index(drop=True) if len(marks) else paid.reset_index(drop=True)


PARTS = ["part", "year", "group", "value"]


def yearly_limits(case: Case, plan: Plan) -> dict[int, float]:
    """The most that may be spent in a year in all, where the budgets say it [currency]."""
    whole = {row.budget: row for row in case.budgets if row.scope == PROVINCE and not row.sectors}
    yearly = {b: row for b, row in whole.items() if row.per == "year" and not row.carry_over}
    of_all = plan.budgets[plan.budgets["budget"].isin([b for b, row in yearly.items() if not row.fund])]
    limits = {int(str(year)): float(limit) for year, limit in of_all.groupby("year")["limit"].min().items()}
    funds = {row.fund for row in case.funds}
    single = {row.fund[0]: b for b, row in yearly.items() if len(row.fund) == 1}
    if funds and set(single) == funds:
        of = plan.budgets[plan.budgets["budget"].isin(list(single.values()))]
        for year, rows in of.groupby("year"):
            if len(rows) == len(funds):
                place = int(str(year))
                limits[place] = min(limits.get(place, float("inf")), float(rows["limit"].sum()))
    return limits


def palette(names: Sequence[str]) -> dict[str, str]:
    """A colour for each of some names."""
    return {name: charts.SECTORS[place % len(charts.SECTORS)] for place, name in enumerate(names)}


# ---------------------------------------------------------------- cities


def cities(case: Case, plan: Plan, lang: str) -> pd.DataFrame:
    """What every city spends and cuts: id, city, capex, share, head (per resident), cut, below (of its baseline)."""
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang).factor
    capex = plan.portfolio.groupby("city")["capex"].sum()
    quantity = main_quantity(case)
    last = case.settings.last_year
    of = plan.quantities[(plan.quantities["quantity"] == quantity) & (plan.quantities["year"] == last)]
    levels = {str(line.city): line for line in lines(of.groupby("city")[["baseline", "planned"]].sum().reset_index())}
    unit = figures.unit_of(case, quantity, lang).factor if quantity else 1.0
    rows = []
    for city in case.cities:
        spent = float(capex.get(city.city, 0.0))
        share = spent / float(capex.sum()) if capex.sum() else 0.0
        head = spent / city.population if city.population else None
        level = levels.get(city.city)
        before, after = (level.baseline, level.planned) if level is not None else (0.0, 0.0)
        below = (before - after) / before if before else None
        figures_ = (spent * money, 100 * share, head, (before - after) * unit, None if below is None else 100 * below)
        rows.append((city.city, name_of(city, lang), *figures_))
    frame = pd.DataFrame(rows, columns=["id", "city", "capex", "share", "head", "cut", "below"])
    return frame.astype(dict.fromkeys(("capex", "share", "head", "cut", "below"), "float64"))


def tasks(case: Case, plan: Plan, city: str, lang: str) -> pd.DataFrame:
    """What a city starts, when and for how much: measure, sector, departments, starts, unit, years, capex."""
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang).factor
    offices = {row.department: name_of(row, lang) for row in case.departments}
    sectors = names_by(case, "sector", lang)
    of = plan.portfolio[(plan.portfolio["city"] == city)]
    measures = {row.measure: row for row in case.measures}
    begun = of[of["starts"] > 0].groupby("measure")["year"].agg(["min", "max"])
    sums = of.groupby("measure")[["starts", "capex"]].sum().join(begun, how="inner").reset_index()
    rows = []
    for row in lines(sums.rename(columns={"min": "first", "max": "last"})):
        measure = measures[str(row.measure)]
        unit = amounts.unit(measure.unit, lang)
        responsible = ("、" if lang == "zh" else ", ").join(offices.get(one, one) for one in measure.departments)
        years = str(row.first) if row.first == row.last else f"{row.first}–{row.last}"
        amount = (row.starts * unit.factor, unit.name, years, row.capex * money)
        rows.append((name_of(measure, lang), sectors[measure.sector], responsible, *amount))
    frame = pd.DataFrame(rows, columns=["measure", "sector", "departments", "starts", "unit", "years", "capex"])
    return frame.sort_values("capex", ascending=False, kind="stable").reset_index(drop=True)


@lru_cache(maxsize=8)
def _boundaries(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def shapes(case: Case, values: Mapping[str, float], lang: str) -> dict[str, Any] | None:
    """Boundaries of the cities with a number each; none where no map of all cities is at hand."""
    file = MAPS / f"{case.settings.name}_cities.geojson"
    if not file.is_file():
        return None
    found: dict[str, Any] = json.loads(_boundaries(file))
    names = names_by(case, "city", lang)
    if {feature.get("id") for feature in found["features"]} != set(names):
        return None
    for feature in found["features"]:
        city = feature["id"]
        feature["properties"] |= {"value": values[city], "name": names[city]}
    return found


# ---------------------------------------------------------------- plans side by side


def headlines(case: Case, levers: tuple[Lever, ...], plans: Mapping[str, Plan], lang: str) -> pd.DataFrame:
    """Headline numbers (rows) of several plans (columns), as text with units, and how they differ from the first."""
    columns = {}
    first = next(iter(plans.values()), None)
    for name, plan in plans.items():
        cards = [
            replace(
                card,
                value=card.value
                if card.delta is None
                else (card.value + aside(card.delta, lang)).replace("-", figures.MINUS),
            )
            for card in figures.headline(case, levers, plan, None if plan is first else first, lang)
        ]
        missed = plan.targets.loc[plan.targets["missed"] > 0, "target"].nunique()
        columns[name] = {card.label: card.value for card in cards} | {t("ui.compare.missed", lang): str(missed)}
    return pd.DataFrame(columns)


def sector_spending(case: Case, plans: Mapping[str, Plan], lang: str) -> pd.DataFrame:
    """Investment by sector and plan: group, plan, value."""
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang).factor
    sectors = {row.measure: row.sector for row in case.measures}
    rows = []
    for name, plan in plans.items():
        sums = plan.portfolio.assign(sector=plan.portfolio["measure"].map(sectors)).groupby("sector")["capex"].sum()
        rows += [
            (label, name, float(sums.get(id_, 0.0)) * money) for id_, label in names_by(case, "sector", lang).items()
        ]
    frame = pd.DataFrame(rows, columns=["group", "plan", "value"])
    used = frame.groupby("group")["value"].max()
    return frame[frame["group"].map(used) > 0].reset_index(drop=True)


def starts(case: Case, plans: Mapping[str, Plan], lang: str, count: int = 15) -> pd.DataFrame:
    """Measures that the plans start differently, furthest apart first: measure, unit, and a column per plan."""
    measures = {row.measure: row for row in case.measures}
    rows = []
    for id_, row in starts_table(plans).head(count).iterrows():
        measure = measures.get(str(id_))
        if measure is None:
            continue
        unit = amounts.unit(measure.unit, lang)
        rows.append((name_of(measure, lang), unit.name, *(float(value) * unit.factor for value in row.tolist())))
    return pd.DataFrame(rows, columns=["measure", "unit", *plans])


SHIFTS = ("new", "more", "less", "out")
"""How the starts of a measure may differ between two plans."""
SHIFT = ["id", "shift", "measure", "sector", "before", "after", "unit", "capex"]


def shifts(case: Case, before: Plan, after: Plan, lang: str) -> pd.DataFrame:
    """Measures that one plan starts otherwise than another: id, shift (new, more, less, out), measure, sector, before,
    after [shown unit], unit, capex (its difference) [shown money]; by shift, the most money first."""
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang).factor
    sectors = names_by(case, "sector", lang)
    both = [
        {str(row.measure): (float(row.starts), float(row.capex)) for row in lines(plan.measures)}
        for plan in (before, after)
    ]
    rows = []
    for measure in case.measures:
        (was, spent), (now, spends) = (of.get(measure.measure, (0.0, 0.0)) for of in both)
        small = figures.MOVED * max(was, now)
        if abs(now - was) <= small:
            continue
        shift = "new" if was <= small else "out" if now <= small else "more" if now > was else "less"
        unit = amounts.unit(measure.unit, lang)
        name = name_of(measure, lang) or measure.measure
        cells = (was * unit.factor, now * unit.factor, unit.name, (spends - spent) * money)
        rows.append((measure.measure, shift, name, sectors[measure.sector], *cells))
    frame = pd.DataFrame(rows, columns=SHIFT)
    order = [SHIFTS.index(shift) for shift in frame["shift"]]
    sorted_ = frame.assign(order=order, most=-frame["capex"].abs()).sort_values(["order", "most"], kind="stable")
    return sorted_[SHIFT].reset_index(drop=True)


def paths(case: Case, plans: Mapping[str, Plan], quantity: str, lang: str) -> pd.DataFrame:
    """A quantity by year in every plan: year, plan, value."""
    factor = figures.unit_of(case, quantity, lang).factor
    rows = []
    for name, plan in plans.items():
        planned = total(plan, quantity)["planned"] * factor
        rows += [(int(str(year)), name, float(value)) for year, value in planned.items()]
    return pd.DataFrame(rows, columns=["year", "plan", "value"])


def quantity_name(case: Case, quantity: str, lang: str) -> str:
    """Name of a quantity, short."""
    return short_name(next(row for row in case.quantities if row.quantity == quantity), lang)
