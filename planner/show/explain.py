"""What `planner explain` says: why each measure is in or out, and all about one of them."""

import math

from rich.text import Text

from planner.amounts import decimals, fine_decimals, number
from planner.explanation import Explanation, Reasons, per_unit
from planner.highlights import lines, runs
from planner.show.answer import price_words
from planner.show.layout import Page, add, grid
from planner.split import NOISE, OWN
from planner.text import aside

BY_YEAR = 5
"""Items shown year by year [-]."""


def show_explanation(page: Page, found: Explanation, reasons: Reasons, measure: str | None, city: str) -> None:
    """A sentence for every measure, or the whole page of one."""
    page.line(Text(page.title(), style="bold"))
    if measure is None:
        page.heading(page.t("explain.title"))
        table = grid([page.t("explain.measure"), page.t("explain.reason")])
        for row in lines(found.measures):
            add(table, page.name("measures", row.measure), row.reason)
        page.show(table)
        page.note(page.t("explain.note"))
        return
    page.heading(page.name("measures", measure), page.place(city) if city else "")
    page.line(reasons.sentence(measure))
    even(page, found, reasons, measure)
    items(page, found, reasons, measure)
    cities(page, found, reasons, measure)
    page.note(page.t("explain.note"))


def even(page: Page, found: Explanation, reasons: Reasons, measure: str) -> None:
    """The break-even in a line."""
    point = found.break_even
    if point is None:
        return
    unit = reasons.unit(measure)
    words: dict[str, str] = {}
    key: str = point.outcome
    if point.change is not None:
        own = reasons.own(measure) + point.change * unit.factor
        words = {
            "change": number(abs(point.change) * unit.factor),
            "left": number(own),
            "unit": page.t("explain.unit", currency=page.currency, unit=unit.name),
            "checked": page.t("explain.even.checked") if point.verified else "",
        }
        key = "rises" if point.chosen else "falls"
    page.line(page.t(f"explain.even.{key}", **words))


def items(page: Page, found: Explanation, reasons: Reasons, measure: str) -> None:
    """Every item with its years and price, then the largest year by year."""
    own = reasons.weighted[reasons.weighted["measure"] == measure]
    if own.empty:
        return
    unit = reasons.unit(measure)
    scale = unit.factor / reasons.means[measure].service
    sums = own.groupby(["item", "id"])["value"].sum() * scale
    least = NOISE * float(sums.abs().sum())
    order = [at for at in sums.index if abs(sums[at]) > least]
    order.sort(key=lambda at: (at[0] not in OWN, -abs(sums[at])))
    places = decimals(sums)
    head = page.t("explain.unit", currency=page.currency, unit=unit.name)
    page.heading(page.t("explain.who"), head)
    table = grid(["", "", page.t("explain.amount"), page.t("explain.years"), page.t("explain.price")], right=[0, 2])
    for place, at in enumerate(order, 1):
        years = own.loc[(own["item"] == at[0]) & (own["id"] == at[1]), "year"]
        price = dearest(page, found, str(at[0]), str(at[1]), {int(y) for y in years})
        name = Text(reasons.name(str(at[0]), str(at[1])))
        add(table, str(place), name, number(sums[at], places), runs({int(y) for y in years}), price)
    add(table, "", Text(page.t("explain.total"), style="bold"), number(sums.sum(), places), "", "")
    page.show(table)
    page.note(page.t("explain.price_note"))
    largest = sorted(order, key=lambda at: -abs(sums[at]))[:BY_YEAR]
    yearly = own.pivot_table(index="year", columns=["item", "id"], values="value", aggfunc="sum", fill_value=0.0)
    yearly *= unit.factor
    page.heading(page.t("explain.by_year"), page.t("explain.discounted", currency=page.currency, unit=unit.name))
    heads = [reasons.name(str(item), str(id_)) for item, id_ in largest]
    table = grid(["", *[f"{order.index(at) + 1}" for at in largest], "Σ"], right=range(1, len(heads) + 2))
    places = decimals(yearly.to_numpy().ravel())
    for year, row in yearly.iterrows():
        cells = [number(row[at], places) if row[at] else "·" for at in largest]
        add(table, str(year), *cells, number(float(row.sum()), places))
    page.show(table)


def dearest(page: Page, found: Explanation, item: str, id_: str, years: set[int]) -> str:
    """Price of a target, budget or pin in its dearest year, on both sides where they differ."""
    rows = found.prices[(found.prices["item"] == item) & (found.prices["id"] == id_) & found.prices["price"].ne(0)]
    rows = rows[rows["year"].isin(years) & rows["price_loosen"].notna()]
    if rows.empty or page.case is None:
        return ""
    row = rows.iloc[int(rows["price"].abs().to_numpy().argmax())]
    quantity = "capex"
    if item == "target":
        quantity = next(target.quantity for target in page.case.targets if target.target == id_)
    sides = (float(row["price_loosen"]), float(row["price_tighten"]))
    if item == "pin":
        return pin_words(page, id_, sides) + aside(str(row["year"]), page.lang)
    return price_words(page, quantity, *sides) + aside(str(row["year"]), page.lang)


def pin_words(page: Page, id_: str, sides: tuple[float, float]) -> str:
    """Price of a pin per unit of its measure; both sides where they differ."""
    if page.case is None:
        return ""
    measure = next(pin.measure for pin in page.case.pins if pin.pin == id_)
    unit = next(row.unit for row in page.case.measures if row.measure == measure)
    shown = per_unit(unit, page.lang)
    told = dict.fromkeys(number(side * shown.factor) for side in sides if not math.isnan(side))
    return f"{' / '.join(told)} {page.currency}/{shown.name}"


def cities(page: Page, found: Explanation, reasons: Reasons, measure: str) -> None:
    """Starts and what is missing, city by city."""
    rows = found.places[found.places["measure"] == measure]
    unit, counted = reasons.unit(measure), page.unit("measures", measure)
    missing = rows["reduced_cost"] / rows["service"] * unit.factor
    missing = missing.where(missing.abs() > 1e-6 * abs(reasons.own(measure)), 0.0)
    page.heading(page.t("explain.city"))
    heads = [f"{page.t('explain.starts')} [{counted.name}]", page.t("explain.missing")]
    table = grid(["", *heads], right=[1, 2], keep=[0])
    places = fine_decimals(missing)
    for row, short in zip(lines(rows), missing, strict=True):
        amount = number(row.starts * counted.factor) if row.starts else "·"
        add(table, page.place(row.city), amount, number(short, places) if short else "·")
    page.show(table)
