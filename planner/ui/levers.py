"""Levers: the few sliders that a case offers, found in its own targets and budgets."""

import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import pandas as pd

from planner import amounts, units
from planner.case import Case
from planner.highlights import main_quantity
from planner.plan import Plan
from planner.rows import PROVINCE, Price, Quantity, Target
from planner.text import t
from planner.timing import span

OWN = 0
"""Position of a cap that adds nothing to the case."""
CAP = "lever_cap"
"""Id of the target that a cap adds; with a number where the case has one already."""
FACTORS = tuple(range(50, 151, 5))
"""Positions of an amount, in percent of the case's own [%]."""
CAP_STEP = 5
"""Steps of a cap [tenths of a percent of the base year]."""
POINTS = tuple(range(-15, 16))
"""Positions of a fraction: points added to the case's own [percentage points]."""
DEEPEST_CAP = 0.9
"""Lowest position of a cap as a part of its highest [-]."""
ROOM = 0.01
"""What a cap at ease leaves above the plan, as a part of the base year [-]."""
CARBON = "carbon"
"""Component of prices that the price lever counts."""
PRICE_STEPS, DEAREST = 10, 3
"""Steps of the price up to the case's own, about, and the highest as a multiple of it [-]."""
FRACTIONS = ("change", "intensity", "share")


@dataclass(frozen=True)
class Lever:
    """One slider: its positions, the one that is the case itself, and the rows it moves."""

    id: str
    """carbon, pollutant, renewables, budget or price."""
    kind: str
    """cap, budget, price, or the kind of the target it moves."""
    positions: tuple[int, ...]
    own: int
    quantity: Quantity | None = None
    target: Target | None = None
    years: tuple[int, int] = (0, 0)
    """First and last year it acts in."""
    currency: str = ""
    """Code of the currency of a price."""

    def edits(self, case: Case, position: int, numbered: bool = True) -> list[dict[str, Any]]:
        """What a position changes in the case; nothing at the case's own.

        A cap is named with its number; without it where the number may go on changing as an edit like others.
        """
        if position == self.own:
            return []
        if self.kind == "cap":
            return [{"table": "targets", "add": self._cap(case, position, "name" if numbered else "taken")}]
        if self.kind == "price":
            return self._priced(case, position)
        if self.target is not None:
            value = self.value(position)
            return [{"table": "targets", "key": {"target": self.target.target}, "set": {"value": value}}]
        return [
            {
                "table": "budgets",
                "key": {"budget": row.budget, "year": row.year},
                "set": {"limit": row.limit * position / 100},
            }
            for row in case.budgets
        ]

    def _cap(self, case: Case, position: int, name: str) -> dict[str, Any]:
        assert self.quantity is not None
        names = {
            f"name_{lang}": t(f"ui.lever.cap.{name}", lang, **self._words(case, lang), number=f"{position / 10:g}")
            for lang in ("zh", "en")
        }
        return {
            "target": fresh_id(CAP, {row.target for row in case.targets}),
            "kind": "change",
            "quantity": self.quantity.quantity,
            "sense": "<=",
            "value": round(position / 1000 - 1, 9),
            "first_year": self.years[0],
            "last_year": self.years[1],
            **names,
        }

    def _priced(self, case: Case, position: int) -> list[dict[str, Any]]:
        """The price path of the case, scaled to what its last year shall have, and counted; at 0 it does not count."""
        assert self.quantity is not None
        others = [name for name in case.settings.components if name != CARBON] or ["market"]
        counted: dict[str, Any] = {"setting": "perspective", "value": [*others, CARBON] if position else others}
        edits = [] if (CARBON in case.settings.components) == bool(position) else [counted]
        last = carbon_price(case, self.quantity)
        if not position or not last:
            return edits
        scale = position / (last * amounts.per_unit(self.quantity.unit, "en").factor)
        for row in carbon_rows(case, self.quantity):
            if scale != 1:
                key = {"quantity": row.quantity, "component": CARBON, "year": row.year}
                edits.append({"table": "prices", "key": key, "set": {"price": row.price * scale}})
        return edits

    def value(self, position: int) -> float:
        """Value of the target at a position [unit of the target]."""
        if self.target is None or self.target.value is None:
            return position / 100
        if self.kind in FRACTIONS:
            return round(self.target.value + position / 100, 9)
        return self.target.value * position / 100

    def shown(self, position: int, lang: str) -> str:
        """A position in words, with its unit."""
        if self.kind == "cap":
            if position == OWN:
                return t("ui.lever.own", lang)
            deeper = 100 * (1 - position / self.positions[-2])
            return t("ui.lever.cap.value", lang, deeper=f"{deeper:.1f}")
        if self.kind == "price":
            if not position:
                return t("ui.lever.price.none", lang)
            per = amounts.per_unit(self.quantity.unit if self.quantity else "", lang).name
            return t(
                "ui.lever.price.value",
                lang,
                number=amounts.number(position),
                currency=amounts.currency(self.currency, lang),
                unit=per,
            )
        if self.kind == "budget":
            return t("ui.percent", lang, number=position)
        value = self.value(position)
        if self.kind in FRACTIONS:
            percent = round(100 * value, 6)
            return t("ui.percent", lang, number=f"{percent:g}".replace("-", "−"))
        assert self.quantity is not None
        unit = amounts.unit(self.quantity.unit, lang)
        return t("ui.amount", lang, number=amounts.number(value * unit.factor), unit=unit.name)

    def noted(self, case: Case, position: int, lang: str) -> str:
        """What is worth saying of a position other than its own: what it amounts to, or what the case has."""
        if self.kind == "cap":
            return t("ui.lever.cap.of_base", lang, number=f"{position / 10:g}", base=case.settings.base_year)
        return t("ui.lever.own_value", lang, value=self.shown(self.own, lang))

    def label(self, case: Case, lang: str) -> str:
        """What it moves."""
        return t(f"ui.lever.{self.kind}.label", lang, **self._words(case, lang))

    def help(self, case: Case, lang: str) -> str:
        """What it does to the case."""
        return t(f"ui.lever.{self.kind}.help", lang, **self._words(case, lang))

    def _words(self, case: Case, lang: str) -> dict[str, object]:
        counts = CARBON in case.settings.components
        words: dict[str, object] = {
            "base": case.settings.base_year,
            "last": case.settings.last_year,
            "counted": t(f"ui.lever.price.{'counted' if counts else 'left_out'}", lang),
            "years": years_text(*self.years, lang),
            "count": len({row.budget for row in case.budgets}),
        }
        if self.quantity is not None:
            words["quantity"] = short_name(self.quantity, lang)
        if self.target is not None:
            words["target"] = name_of(self.target, lang) or self.target.target
            whole = next((row for row in case.quantities if row.quantity == self.target.of), None)
            words["of"] = short_name(whole, lang) if whole else self.target.of
        return words


def fresh_id(name: str, taken: Collection[str]) -> str:
    """An id that is not taken yet.

    >>> fresh_id("cap", ["cap", "cap_2"])
    'cap_3'
    """
    numbered = (f"{name}_{number}" for number in count(2))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def at_ease(case: Case, before: Case, plan: Plan) -> Case | None:
    """The case with a cap that it adds to `before` at what the plan of `before` does anyway; None where it adds none.

    From there on the cap is a number that moves: how far it can go is told in its own terms.
    """
    known = {row.target for row in before.targets}
    new = [row for row in case.targets if row.target not in known]
    if len(new) != 1 or not new[0].target.startswith(CAP):
        return None
    (cap,) = new
    base = baseline_levels(
        case, next(row for row in case.quantities if row.quantity == cap.quantity), [case.settings.base_year]
    )
    planned = total(plan, cap.quantity)["planned"]
    held = [float(planned[year]) for year in span(cap.first_year, cap.last_year, case.years)]
    value = max(held) / base[0] - 1 + ROOM
    if cap.value is None or value <= cap.value:
        return None
    return case.edited([{"table": "targets", "key": {"target": cap.target}, "set": {"value": value}}])


def name_of(row: Any, lang: str) -> str:
    """Name of a row in a language; empty when it has none."""
    return getattr(row, f"name_{lang}") or ""


def short_name(row: Any, lang: str) -> str:
    """Name of a row without what it adds in brackets at its end.

    >>> short_name(Quantity(quantity="co2", unit="kt", name_zh="碳", name_en="CO2 (energy)"), "en")
    'CO2'
    """
    return re.sub(r"\s*[(（][^()（）]*[)）]$", "", name_of(row, lang)) or name_of(row, lang)


def years_text(first: int, last: int, lang: str) -> str:
    """One year, or first and last."""
    return t("ui.year", lang, year=first) if first == last else t("ui.years", lang, first=first, last=last)


def levers(case: Case, own: Plan | None = None) -> tuple[Lever, ...]:
    """The levers of a case: a carbon cap, a pollutant target, a renewables target, all budgets, the carbon price; those
    it has.

    With its own plan the cap begins where it bites; without, at the baseline.
    """
    carbon = main_quantity(case)
    kinds = {row.quantity: row.kind for row in case.quantities}

    def pollutant(target: Target) -> bool:
        return kinds.get(target.quantity) == "emission" and target.quantity != carbon

    def renewables(target: Target) -> bool:
        supply = kinds.get(target.quantity) in ("capacity", "energy")
        return supply and target.kind in ("level", "share") and target.sense == ">="

    targets = [target for target in case.targets if target.soft_penalty is None and target.scope == PROVINCE]
    found = [
        *_cap(case, carbon, own),
        *_of_target(case, "pollutant", next(filter(pollutant, targets), None)),
        *_of_target(case, "renewables", next(filter(renewables, targets), None)),
    ]
    if case.budgets:
        found.append(Lever("budget", "budget", FACTORS, 100, years=(case.years[0], case.years[-1])))
    return (*found, *_price(case, carbon))


def cap_years(case: Case, quantity: str) -> tuple[int, int]:
    """From the peak year of a quantity, else the last year its targets name, to the end."""
    peaks = [row.by for row in case.targets if row.kind == "peak" and row.quantity == quantity and row.by]
    named = [row.last_year for row in case.targets if row.quantity == quantity and row.last_year]
    first = peaks[0] if peaks else max(named, default=case.settings.last_year)
    return max(first, *case.decided[:1]), case.settings.last_year


def _cap(case: Case, quantity: str | None, own: Plan | None) -> Iterator[Lever]:
    """A cap from the peak year on, in tenths of a percent of the base year; the loosest is the own plan's level."""
    row = next((row for row in case.quantities if row.quantity == quantity), None)
    if row is None or not case.decided:
        return
    years = cap_years(case, row.quantity)
    base, *path = baseline_levels(case, row, [case.settings.base_year, *range(years[0], years[1] + 1)])
    if own is not None:
        planned = total(own, row.quantity)["planned"]
        path = [float(planned[year]) for year in range(years[0], years[1] + 1)]
    if base > 0 and max(path) > 0:
        highest = CAP_STEP * math.ceil(1000 * max(path) / base / CAP_STEP)
        lowest = CAP_STEP * math.floor(DEEPEST_CAP * highest / CAP_STEP)
        yield Lever("carbon", "cap", (*range(lowest, highest + 1, CAP_STEP), OWN), OWN, row, None, years)


def total(plan: Plan, quantity: str) -> pd.DataFrame:
    """Baseline and planned level of one quantity by year, the whole area [its unit]."""
    of = plan.quantities[plan.quantities["quantity"] == quantity]
    return of.groupby("year")[["baseline", "planned"]].sum()


def baseline_levels(case: Case, quantity: Quantity, years: Sequence[int]) -> list[float]:
    """Baseline of the whole area by year, without stock that exists [unit of the quantity].

    A row without year holds in every year: alone at any year, it is constant.
    """
    paths: dict[tuple[str | None, str], list[tuple[float, float]]] = {}
    for row in case.baseline:
        if row.quantity == quantity.quantity:
            value = row.value * units.factor(row.unit or quantity.unit, quantity.unit)
            paths.setdefault((row.city, row.sector), []).append((row.year or 0, value))
    total = np.zeros(len(years))
    for points in paths.values():
        at, values = zip(*sorted(points), strict=True)
        total += np.interp(years, at, values)
    return [float(value) for value in total]


def _price(case: Case, carbon: str | None) -> Iterator[Lever]:
    """The carbon price of the last year, from none to a multiple of the case's, in the unit people read it in."""
    row = next((row for row in case.quantities if row.quantity == carbon), None)
    last = carbon_price(case, row) if row is not None else None
    if row is None or not last:
        return
    own = round(last * amounts.per_unit(row.unit, "en").factor)
    step = max(1, int(round(own / PRICE_STEPS, 1 - len(str(own // PRICE_STEPS)))))
    positions = sorted({*range(0, DEAREST * own + 1, step), own, DEAREST * own})
    if own > 0:
        at = own if CARBON in case.settings.components else 0
        years = (case.settings.first_year, case.settings.last_year)
        yield Lever("price", "price", tuple(positions), at, row, None, years, case.settings.currency)


def carbon_rows(case: Case, quantity: Quantity) -> list[Price]:
    """Rows of the carbon price of a quantity, in the order of their years."""
    rows = [row for row in case.prices if row.quantity == quantity.quantity and row.component == CARBON]
    return sorted(rows, key=lambda row: row.year or 0)


def carbon_price(case: Case, quantity: Quantity) -> float | None:
    """Carbon price of the last year, whether it counts or not; none where there is none [currency per its unit]."""
    rows = carbon_rows(case, quantity)
    if not rows:
        return None
    dated = [(row.year, row.price) for row in rows if row.year is not None]
    if not dated:
        return rows[0].price
    years, prices = zip(*dated, strict=True)
    return float(np.interp(case.settings.last_year, years, prices))


def _of_target(case: Case, id_: str, target: Target | None) -> Iterator[Lever]:
    if target is None or not target.value:
        return
    quantity = next(row for row in case.quantities if row.quantity == target.quantity)
    held = span(target.first_year, target.last_year, case.years) or case.years
    years = (held[0], held[-1])
    if target.kind in FRACTIONS:
        low = 0.0 if target.kind == "share" else -1.0
        positions = tuple(
            p for p in POINTS if low <= target.value + p / 100 and not (p and target.value + p / 100 == 0)
        )
        yield Lever(id_, target.kind, positions, 0, quantity, target, years)
    elif target.kind in ("level", "abated", "cumulative"):
        yield Lever(id_, target.kind, FACTORS, 100, quantity, target, years)
