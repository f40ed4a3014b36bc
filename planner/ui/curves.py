"""Curves: what single measures abate, cost and take in time, in the words and units of screens."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from planner import amounts, credit, highlights
from planner.case import Case
from planner.explanation import Explanation, Reasons, per_unit, split_of
from planner.plan import Plan
from planner.rows import TABLES
from planner.split import OWN
from planner.text import t
from planner.ui import figures, ledgers, words
from planner.ui.levers import name_of, short_name, years_text

ASKED = frozenset({"targets", "budgets", "pins", "fund_rules", "funds", "sources", "departments"})
"""Tables that no effect of a measure depends on."""
LABELLED = 0.02
"""Boxes at least so wide are named, as a part of the whole width [-]."""
APART, MOST_NAMED = 0.02, 6
"""Least distance of two names, as a part of the whole width, and how many there are at most [-]."""
ROOM_ABOVE, LINE = 0.46, 0.05
"""Room for names above boxes and price, and the height of a name, as parts of the range of costs [-]."""
OUTER = 0.03
"""Part of all that is abated whose costs may lie beyond either end of the axis [-]."""
CLASSES = 4
"""Classes of cost, the cheapest quarter of all cuts first [-]."""
VISIBLE = 0.02
"""Part of the cut of a quantity that a measure must bring to be listed [-]."""
PAYERS = 6
"""Payers, and takers, told one by one [-]."""

Curve = tuple[pd.DataFrame, tuple[float, float]]
_known: list[tuple[tuple[Any, ...], credit.Effects]] = []
"""Effects by the tables they follow from, last used first: moves change targets, budgets and pins only."""
KEPT = 4


def effects(case: Case) -> credit.Effects:
    """Effects of stock; worked out once for all cases that differ only in what is asked for."""
    tables = (case.settings, *(case.rows(name) for name in TABLES if name not in ASKED))
    for place, (known, found) in enumerate(_known):
        if len(known) == len(tables) and all(a is b for a, b in zip(known, tables, strict=True)):
            _known.insert(0, _known.pop(place))
            return found
    found = credit.effects(case)
    _known[:] = [(tables, found), *_known][:KEPT]
    return found


# ---------------------------------------------------------------- cost curve


def cost_curve(case: Case, plan: Plan, quantity: str, year: int, lang: str) -> Curve:
    """Boxes of a year's cost curve, one per measure, all cities together, and the ends of the axis of costs.

    Columns: part (box, price), measure, sector, left, right [shown unit], low, high, top, value [money per unit],
    abated, years, label, side (the side of its box that the name stands on), line (its height). The row `price` is what
    all targets would pay for a unit less.
    """
    of_year = credit.credit(plan, effects(case).of_year(year))
    found = credit.cost_curve(plan, quantity, year, of_year)
    sums = found.groupby("measure", sort=False)[["abated", "cost"]].sum().reset_index()
    sums["unit_cost"] = sums["cost"] / sums["abated"]
    sums = sums.sort_values("unit_cost", kind="stable")
    unit = figures.unit_of(case, quantity, lang)
    priced = price_unit(case, quantity, lang)
    measures = {row.measure: row for row in case.measures}
    sectors = ledgers.names_by(case, "sector", lang)
    spans = full_years(plan)
    price = credit.target_price(plan, quantity, year) * priced.factor
    costs, widths = sums["unit_cost"].to_numpy() * priced.factor, sums["abated"].to_numpy() * unit.factor
    limits = _limits(costs, widths, price)
    named = _named(widths, limits)
    rows: list[tuple[Any, ...]] = []
    left = 0.0
    for id_, value, width in zip(sums["measure"], costs.tolist(), widths.tolist(), strict=True):
        measure = measures[str(id_)]
        name = name_of(measure, lang) or measure.measure
        label = (short_name(measure, lang) or measure.measure) if len(rows) in named else ""
        top = min(max(value, 0.0), limits[1])
        years = years_text(*spans[str(id_)], lang) if str(id_) in spans else ""
        ends = (left, left + width, min(value, 0.0), max(value, 0.0), top)
        place = named.get(len(rows), ("", 0.0))
        rows.append(("box", name, sectors[measure.sector], *ends, value, width, years, label, *place))
        left += width
    if price > 0:
        words = t("ui.curve.price", lang, amount=amounts.number(price))
        rows.append(("price", "", "", 0.0, left, price, price, price, price, 0.0, "", words, "", 0.0))
    return pd.DataFrame(rows, columns=CURVE), limits


CURVE = ["part", "measure", "sector", "left", "right", "low", "high", "top", "value", "abated", "years", "label"]
CURVE += ["side", "line"]


def _named(widths: "np.ndarray[Any, Any]", limits: tuple[float, float]) -> dict[int, tuple[str, float]]:
    """Numbers of the boxes that are named, the widest, with the side and the height of each name.

    Names stand in lines above the boxes, tied to them: those of the left half run to the right, the leftmost on top;
    those of the right half run to the left, the rightmost on top. So no name crosses the tie of another.
    """
    ends = np.cumsum(widths)
    middles, whole = ends - widths / 2, float(ends[-1]) if len(ends) else 0.0
    chosen: list[int] = []
    for place in np.argsort(-widths, kind="stable").tolist():
        if widths[place] < LABELLED * whole or len(chosen) == MOST_NAMED:
            break
        if all(abs(middles[place] - middles[other]) >= APART * whole for other in chosen):
            chosen.append(place)
    chosen.sort()
    left = [place for place in chosen if middles[place] < whole / 2]
    right = [place for place in reversed(chosen) if middles[place] >= whole / 2]
    step, top = LINE * (limits[1] - limits[0]), limits[1]
    lines = [("left", place, line) for line, place in enumerate(left)]
    lines += [("right", place, line) for line, place in enumerate(right, start=len(left))]
    return {place: (side, top - (0.5 + line) * step) for side, place, line in lines}


def price_unit(case: Case, quantity: str, lang: str) -> amounts.Shown:
    """How money per unit of a quantity is shown."""
    return amounts.per_unit(next(row.unit for row in case.quantities if row.quantity == quantity), lang)


def _limits(costs: "np.ndarray[Any, Any]", widths: "np.ndarray[Any, Any]", price: float) -> tuple[float, float]:
    """Ends of the axis of costs: all but the outermost few percent of what is abated, zero and the price."""
    if not len(costs):
        return 0.0, 1.0
    reached = np.cumsum(widths) / widths.sum()
    first, last = (int(np.searchsorted(reached, end)) for end in (OUTER, 1 - OUTER))
    low, high = float(costs[first]), float(costs[min(last, len(costs) - 1)])
    low, high = min(low, 0.0), max(high, price, 0.0)
    room = 0.05 * (high - low) or 1.0
    return low - room, high + ROOM_ABOVE * (high - low)


def full_years(plan: Plan) -> dict[str, tuple[int, int]]:
    """From the first start of each measure to the year in which all that is started has been begun."""
    begun = plan.portfolio[plan.portfolio["starts"] > 0].groupby("measure")["year"].agg(["min", "max"])
    return {str(m): (int(first), int(last)) for m, first, last in begun.itertuples()}


def abated(case: Case) -> list[str]:
    """Quantities that a cost curve can be drawn for: emissions, the main one first."""
    kinds = {row.quantity: row.kind for row in case.quantities}
    emissions = [q for q in figures.bounded_first(case) if kinds[q] == "emission"]
    return emissions or figures.bounded_first(case)


def pace(case: Case, plan: Plan, quantity: str, lang: str) -> pd.DataFrame:
    """What the plan abates by the class of cost in every year: group, year, low, high, value [shown unit].

    Classes are quarters of what is abated in the last year, the cheapest first; a measure stays in its class, so that
    a class widens as fast as its measures are built. Group names its range of costs.
    """
    last = case.settings.last_year
    told = credit.credit(plan, effects(case))
    final = credit.cost_curve(plan, quantity, last, told[told["year"] == last])
    sums = final.groupby("measure")[["abated", "cost"]].sum()
    if sums.empty:
        return pd.DataFrame(columns=["group", "year", "low", "high", "value"])
    cost = (sums["cost"] / sums["abated"]).sort_values(kind="stable")
    reached = (sums["abated"].reindex(cost.index).cumsum() / sums["abated"].sum()).clip(upper=1 - 1e-12)
    place = (reached * CLASSES).astype(int)
    factor, shown = figures.unit_of(case, quantity, lang).factor, price_unit(case, quantity, lang)
    of = told[(told["part"] == "planned") & (told["quantity"] == quantity)]
    by_year = -of.groupby(["year", "measure"])["value"].sum()
    rows, low = [], dict.fromkeys(range(case.settings.first_year, last + 1), 0.0)
    for number in sorted(set(place)):
        members = place.index[place == number]
        ends = [amounts.number(float(end) * shown.factor, 0) for end in (cost[members].min(), cost[members].max())]
        name = t("ui.curve.class", lang, low=ends[0], high=ends[1])
        of_class = by_year[by_year.index.get_level_values("measure").isin(members)].groupby("year").sum() * factor
        for year in low:
            value = float(of_class.get(year, 0.0))
            rows.append((name, year, low[year], low[year] + value, value))
            low[year] += value
    return pd.DataFrame(rows, columns=["group", "year", "low", "high", "value"])


def heat(case: Case, plan: Plan, year: int, lang: str) -> pd.DataFrame:
    """How much of what is cut of every emission in a year each measure brings: measure, sector, quantity, value [%],
    amount (in words); measures in the order of their sectors, those that matter somewhere.

    The shares of all measures of a quantity add up to 100 %; a measure that adds to it has less than none.
    """
    told = credit.credit(plan, effects(case).of_year(year))
    wanted = set(abated(case))
    of = told[(told["part"] == "planned") & told["quantity"].isin(wanted) & (told["year"] == year)]
    sums = -of.pivot_table(index="measure", columns="quantity", values="value", aggfunc="sum", fill_value=0.0)
    whole = sums.sum()
    sums = sums[[q for q in abated(case) if q in sums and float(whole[q]) > 0]]
    shares = 100 * sums / whole[list(sums.columns)]
    shares = shares[shares.abs().max(axis=1) >= 100 * VISIBLE] if len(shares.columns) else shares.iloc[:0]
    sectors = ledgers.names_by(case, "sector", lang)
    order = {row.sector: place for place, row in enumerate(case.sectors)}
    listed = sorted((row for row in case.measures if row.measure in shares.index), key=lambda row: order[row.sector])
    names = {q: ledgers.quantity_name(case, q, lang) for q in shares.columns}
    units = {q: figures.unit_of(case, q, lang) for q in shares.columns}
    rows = []
    for row in listed:
        cut, parts = sums.loc[row.measure].to_dict(), shares.loc[row.measure].to_dict()
        for q, unit in units.items():
            number = amounts.number(cut[q] * unit.factor).replace("-", figures.MINUS)
            amount = t("ui.amount", lang, number=number, unit=unit.name)
            rows.append((name_of(row, lang) or row.measure, sectors[row.sector], names[q], parts[q], amount))
    return pd.DataFrame(rows, columns=["measure", "sector", "quantity", "value", "amount"])


def started(plan: Plan, measure: str) -> float:
    """Starts of a measure in all cities and years [unit of the measure]."""
    return float(plan.measures.loc[plan.measures["measure"] == measure, "starts"].sum())


def stock(plan: Plan, measure: str, year: int) -> float:
    """Stock of a measure in all cities [unit of the measure]."""
    of = plan.portfolio[(plan.portfolio["measure"] == measure) & (plan.portfolio["year"] == year)]
    return float(of["stock"].sum())


# ---------------------------------------------------------------- roadmap


def roadmap(case: Case, plan: Plan, lang: str, count: int | None = None) -> pd.DataFrame:
    """When measures are built and serve: part, measure, sector, first, last (the year after), until, amount.

    Sectors in their order, in each the earliest first; with `count` only the largest.
    """
    ranked = highlights.ranked(plan)
    chosen = set(ranked.loc[ranked["starts"] > 0, "measure"].head(count or len(ranked)))
    order = {row.sector: place for place, row in enumerate(case.sectors)}
    sectors = ledgers.names_by(case, "sector", lang)
    starts = plan.portfolio[plan.portfolio["starts"] > 0].groupby("measure")
    sums = {str(m): float(value) for m, value in starts["starts"].sum().items()}
    spans_of = full_years(plan)
    in_service = plan.portfolio[plan.portfolio["stock"] > 0].groupby("measure")["year"].agg(["min", "max"])
    served = {str(m): (int(first), int(last)) for m, first, last in in_service.itertuples()}
    listed = [row for row in case.measures if row.measure in spans_of and row.measure in chosen]
    listed.sort(key=lambda row: (order[row.sector], spans_of[row.measure][0]))
    rows: list[tuple[Any, ...]] = []
    end = case.settings.last_year
    for row in listed:
        unit = amounts.unit(row.unit, lang)
        amount = t("ui.amount", lang, number=amounts.number(sums[row.measure] * unit.factor), unit=unit.name)
        name = name_of(row, lang) or row.measure
        first, last = spans_of[row.measure]
        until = min(last + max(row.lead_time, 1), end + 1)
        rows.append(("build", name, sectors[row.sector], first, until, until - 1, amount))
        if row.measure in served:
            first, last = served[row.measure]
            rows.append(("serve", name, sectors[row.sector], first, last + 1, last, amount))
    return pd.DataFrame(rows, columns=["part", "measure", "sector", "first", "last", "until", "amount"])


# ---------------------------------------------------------------- reasons


def library(case: Case, found: Explanation, lang: str) -> pd.DataFrame:
    """Every measure: id, chosen, measure, sector, starts, unit, own, left, reason.

    `own` is the yearly cost of a unit, `left` how far that would have to fall before it comes in [currency], as text.
    """
    told = reasons(case, found, lang)
    sectors = ledgers.names_by(case, "sector", lang)
    rows = []
    words_of = dict(zip(found.measures["measure"], found.measures["reason"], strict=True))
    for row in case.measures:
        unit = amounts.unit(row.unit, lang)
        starts = started(found.plan, row.measure) * unit.factor
        reduced = told.reduced_cost(row.measure)
        mean = told.means.get(row.measure)
        left = ""
        if reduced is not None and mean is not None and not starts:
            left = amounts.number(reduced * told.unit(row.measure).factor / mean.service)
        own = amounts.number(told.own(row.measure)) if mean is not None else ""
        reason = str(words_of[row.measure])
        name = name_of(row, lang) or row.measure
        rows.append((row.measure, starts > 0, name, sectors[row.sector], starts, unit.name, own, left, reason))
    columns = ["id", "chosen", "measure", "sector", "starts", "unit", "own", "left", "reason"]
    return pd.DataFrame(rows, columns=columns)


def reasons(case: Case, found: Explanation, lang: str) -> Reasons:
    """Words and sums of an explanation."""
    return Reasons(case, split_of(found.plan), lang)


def payers(told: Reasons, measure: str, lang: str) -> pd.DataFrame:
    """What a unit costs a year, who takes and who pays: part (own, takes, pays, left), name, value [currency].

    What pays and what has to be paid are equal where the measure starts; else `left` is what is missing.
    """
    if measure not in told.means:
        return pd.DataFrame(columns=["part", "name", "value"])
    scale = told.unit(measure).factor / told.means[measure].service
    parts = {key: value * scale for key, value in told.sums.get(measure, {}).items()}
    rows = [("own", t("ui.measures.own", lang), sum(value for (item, _), value in parts.items() if item in OWN))]
    others = {key: value for key, value in parts.items() if key[0] not in OWN}
    for part, sign in (("takes", 1.0), ("pays", -1.0)):
        side = sorted(((sign * value, key) for key, value in others.items() if sign * value > 0), reverse=True)
        rows += [(part, told.name(*key), sign * value) for value, key in side[:PAYERS]]
        rest = sum(value for value, _ in side[PAYERS:])
        if rest:
            rows.append((part, t(f"ui.measures.rest.{part}", lang), sign * rest))
    left = sum(parts.values())
    whole = sum(map(abs, parts.values()))
    if left > 1e-4 * whole:
        rows.append(("left", t("ui.measures.left", lang), left))
    return pd.DataFrame(rows, columns=["part", "name", "value"])


def facts(case: Case, measure: str, lang: str) -> Mapping[str, str]:
    """What the tables say of a measure: name of the column, and value with unit."""
    row = next(row for row in case.measures if row.measure == measure)
    unit = amounts.unit(row.unit, lang)
    money = per_unit(row.unit, lang)
    currency = amounts.currency(case.settings.currency, lang)
    found = {}
    for column in ("capex", "fixed_om"):
        number = amounts.number(getattr(row, column) * money.factor)
        found[words.column_name(column, lang)] = t(
            "ui.measures.per", lang, number=number, currency=currency, unit=money.name
        )
    for column in ("lifetime", "lead_time"):
        found[words.column_name(column, lang)] = t("ui.measures.years", lang, number=getattr(row, column))
    most = sum(of.potential for of in case.potentials if of.measure == measure and not of.year)
    if most:
        number = amounts.number(most * unit.factor)
        found[words.column_name("potential", lang)] = t("ui.amount", lang, number=number, unit=unit.name)
    return found
