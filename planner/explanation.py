"""Why in, why out: the reduced cost of every measure, who pays for it and what stands in its way, also in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import NamedTuple

import numpy as np
import pandas as pd

from planner import amounts
from planner.amounts import Shown, number
from planner.breakeven import BreakEven, break_even
from planner.called import group_name, pin_name
from planner.case import Case
from planner.compile import compile_problem
from planner.engine import Options, Progress
from planner.matrix import texts
from planner.plan import Plan, csv_text, solve
from planner.problem import Problem
from planner.saving import write_files
from planner.split import BOUNDS, NOISE, OWN, PRICES, TRACE, Split, split
from planner.text import t

NAMED = 3
"""Payers, and takers, told by name in a sentence [-]."""
SMALL = 0.005
"""Parts below this part of the largest are told together [-]."""
SIDES = ("price_loosen", "price_tighten")


@dataclass(frozen=True)
class Explanation:
    """Why a plan starts what it starts, as frames. Without a plan they are empty.

    Values are per unit started, discounted to the base year [currency per unit of the measure].
    """

    plan: Plan
    measures: pd.DataFrame
    """`measures.csv` of the plan, with `reduced_cost` and `reason`."""
    items: pd.DataFrame
    """Columns `measure`, `city`, `item`, `id`, `year`, `value`: they sum to the reduced cost in each city."""
    places: pd.DataFrame
    """Columns `measure`, `city`, `starts`, `service` (discounted years of service of a unit), `reduced_cost`."""
    prices: pd.DataFrame
    """What weighs: `item`, `id`, `part`, `year`, `price` (of this dual solution), `price_loosen`, `price_tighten`."""
    break_even: BreakEven | None = None
    """Of the measure that was asked for."""

    def write(self, folder: Path | str) -> None:
        """Write `explain.csv`, `explain_prices.csv` and `measures.csv`, all or none. Raises OSError."""
        frames = {"explain": self.items, "explain_prices": self.prices, "measures": self.measures}
        write_files(Path(folder), {f"{name}.csv": csv_text(frame).encode() for name, frame in frames.items()})


def explain(
    asked: Case | Plan,
    measure: str | None = None,
    city: str = "",
    lang: str = "en",
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Explanation:
    """Explain the plan of a case, or a plan; for a named measure also its break-even.

    Raises KeyError for an unknown measure or city, ValueError for a plan without its case, and what `solve` raises.
    """
    case = asked if isinstance(asked, Case) else asked.case
    if case is None:
        raise ValueError("a plan read from its files has no case")
    known = {row.measure for row in case.measures}, {row.city for row in case.cities}
    for name, names in zip((measure, city or None), known, strict=True):
        if name is not None and name not in names:
            raise KeyError(name)
    plan = solve(case, options, progress, cancel=cancel) if isinstance(asked, Case) else asked
    if not plan.found:
        return nothing(plan)
    parts = split_of(plan)
    found = break_even(case, measure, city, options, progress, cancel) if measure is not None else None
    return Explanation(
        plan, with_reasons(plan, parts, lang), parts.items, parts.places, with_sides(plan, parts.prices), found
    )


def nothing(plan: Plan) -> Explanation:
    """No plan, nothing to explain."""
    empty = Split.empty()
    return Explanation(plan, plan.measures, empty.items, empty.places, with_sides(plan, empty.prices))


def split_of(plan: Plan) -> Split:
    """The split of a plan; from its own prices where it is not known yet."""
    if plan.split is not None:
        return plan.split
    if plan.case is None:
        raise ValueError("a plan read from its files has no case")
    problem = Problem(plan.case)
    matrix = compile_problem(problem)
    known = {name: i for i, name in enumerate(texts(matrix.rows))}
    duals, held = np.zeros(len(matrix.rows)), {}
    for family, key, year, dual in plan.prices.itertuples(index=False):
        if family == "stage_is_held":
            held[str(key)] = float(dual)
        else:
            duals[known[family, key, int(year)]] = dual
    return split(problem, matrix, duals, held, plan.portfolio)


def with_reasons(plan: Plan, parts: Split, lang: str) -> pd.DataFrame:
    """The measures of a plan with their reduced costs and a sentence each."""
    if plan.case is None:
        raise ValueError("a plan read from its files has no case")
    told = Reasons(plan.case, parts, lang)
    measures = plan.measures.copy()
    measures["reduced_cost"] = [told.reduced_cost(m) for m in measures["measure"]]
    measures["reason"] = [told.sentence(m) for m in measures["measure"]]
    return measures


def with_sides(plan: Plan, prices: pd.DataFrame) -> pd.DataFrame:
    """Prices with what loosening saves and tightening costs, where that is known: of targets, budgets and pins."""
    pins = pd.DataFrame(plan.summary.get("pins") or [], columns=["pin", "year", *SIDES])
    tables = {"target": plan.targets, "budget": plan.budgets, "pin": pins}
    frames = [
        table[[name, "year", *SIDES]].rename(columns={name: "id"}).assign(item=name)[table["price_loosen"] > 0]
        for name, table in tables.items()
    ]
    known = pd.concat([frame.astype(dict.fromkeys(SIDES, float)) for frame in frames], ignore_index=True)
    known = known.drop_duplicates(["item", "id", "year"]).astype({"year": "int64"})
    return prices.merge(known, on=["item", "id", "year"], how="left")[[*PRICES, *SIDES]]


def per_unit(unit: str, lang: str) -> Shown:
    """How money per unit of a measure is shown: per kW, else per unit as amounts of it are.

    >>> per_unit("MW", "en"), per_unit("10 buses", "en"), per_unit("kt_clinker_per_year", "zh").name
    (Shown(factor=0.001, name='kW'), Shown(factor=0.1, name='buses'), '万吨熟料/年')
    """
    if unit in amounts.PRICED:
        return amounts.per_unit(unit, lang)
    shown = amounts.unit(unit, lang)
    return Shown(1 / shown.factor, shown.name)


class Mean(NamedTuple):
    """The mean start of a measure, or where there is none the one that comes nearest to paying."""

    starts: float
    """All units that start."""
    service: float
    """Years in service within the plan, discounted."""
    reduced_cost: float


class Reasons:
    """What every measure is told in words: amounts per unit and year of service."""

    def __init__(self, case: Case, parts: Split, lang: str) -> None:
        self.case, self.parts, self.lang = case, parts, lang
        self.units = {row.measure: row.unit for row in case.measures}
        self.currency = amounts.currency(case.settings.currency, lang)
        self._names: dict[tuple[str, str], str] = {}
        for table in ("quantities", "measures", "targets", "budgets"):
            for row in case.rows(table):
                name = getattr(row, f"name_{lang}", None) or getattr(row, "name_en", None)
                if name:
                    self._names.setdefault((table, str(row.ids()[0])), str(name))

    def t(self, key: str, **params: object) -> str:
        """Words of an explanation."""
        return t(f"explain.{key}", self.lang, **params)

    @cached_property
    def told(self) -> pd.DataFrame:
        """Where each measure is explained, by measure: all its starts, else the city that comes nearest to paying."""
        places = self.parts.places
        yearly = places["reduced_cost"] / places["service"]
        total = places.groupby("measure")["starts"].transform("sum")
        nearest = places.loc[yearly.groupby(places["measure"]).idxmin().to_numpy()]
        weights = pd.concat(
            [
                places[total > 0].assign(weight=places["starts"] / total.where(total > 0)),
                nearest[total.loc[nearest.index] == 0].assign(weight=1.0),
            ]
        )
        return weights[weights["weight"] > 0]

    @cached_property
    def means(self) -> dict[str, Mean]:
        """What is explained of each measure."""
        told = self.told
        parts = {name: told["weight"] * told[name] for name in ("service", "reduced_cost")}
        sums = told[["measure", "starts"]].assign(**parts).groupby("measure", as_index=False).sum()
        columns = (sums["measure"], sums["starts"], sums["service"], sums["reduced_cost"])
        return {str(m): Mean(*numbers) for m, *numbers in zip(*columns, strict=True)}

    @cached_property
    def weighted(self) -> pd.DataFrame:
        """Items of a unit of the mean or nearest start of each measure: `measure`, `item`, `id`, `year`, `value`."""
        items = self.parts.items.merge(self.told[["measure", "city", "weight"]], on=["measure", "city"])
        items["value"] *= items["weight"]
        return items[["measure", "item", "id", "year", "value"]]

    @cached_property
    def sums(self) -> dict[str, dict[tuple[str, str], float]]:
        """The same over all years, by measure."""
        found: dict[str, dict[tuple[str, str], float]] = {}
        sums = self.weighted.groupby(["measure", "item", "id"], as_index=False)["value"].sum()
        for m, item, id_, value in sums.itertuples(index=False):
            found.setdefault(str(m), {})[str(item), str(id_)] = float(value)
        return found

    def own(self, measure: str) -> float:
        """Annuity and running cost a year of a unit in service, in the unit shown."""
        if measure not in self.means:
            return 0.0
        own = sum(value for (item, _), value in self.sums.get(measure, {}).items() if item in OWN)
        return own * self.unit(measure).factor / self.means[measure].service

    def reduced_cost(self, measure: str) -> float | None:
        """What would have to come off the cost of a unit for it to be started, all else as planned [currency]."""
        if measure not in self.means:
            return None
        reduced, started = self.means[measure].reduced_cost, self.means[measure].starts > 0
        gross = sum(map(abs, self.sums.get(measure, {}).values()))
        return reduced if abs(reduced) > (TRACE if started else NOISE) * gross else 0.0

    def unit(self, measure: str) -> Shown:
        """The unit per which money is shown, and the factor on money per unit of the measure."""
        return per_unit(self.units[measure], self.lang)

    def name(self, item: str, id_: str) -> str:
        """What people call an item."""
        tables = {"price": "quantities", "floor": "quantities", "target": "targets", "budget": "budgets"}
        if item == "pin":
            name = pin_name(self.case, id_, self.lang)
        elif item in ("group", "overlap"):
            name = group_name(self.case, id_, self.lang)
        else:
            name = self._names.get((tables.get(item, ""), id_), id_)
        return self.t(f"item.{item}", name=name)

    def sentence(self, measure: str) -> str:
        """Why a measure is in or out."""
        reduced = self.reduced_cost(measure)
        if reduced is None:
            return self.t("too_late")
        unit = self.unit(measure)
        scale = unit.factor / self.means[measure].service
        parts = {key: value * scale for key, value in self.sums.get(measure, {}).items()}
        own = self.own(measure)
        names = {"currency": self.currency, "unit": unit.name}
        words = [self.t("costs" if own >= 0 else "saves", amount=number(abs(own)), **names)]
        words += self.parts_told(parts)
        started = self.means[measure].starts > 0
        if reduced and not started:
            left = own - reduced * scale
            words.append(self.t("enters" if left > 0 else "subsidy", amount=number(abs(left))))
        elif reduced:
            words.append(self.t("lumps", amount=number(reduced * scale)))
        limited = any(value > 0 for (item, _), value in parts.items() if item in (*BOUNDS, "pin", "group"))
        key = "in" if started else "out" if reduced else "held" if limited else "edge"
        return self.t(key, words=self.t("joined").join(words))

    def parts_told(self, parts: Mapping[tuple[str, str], float]) -> Iterable[str]:
        """Who pays, then who takes, the largest first."""
        others = {key: value for key, value in parts.items() if key[0] not in OWN}
        largest = max(map(abs, parts.values()), default=0.0)
        for key, sign in (("pays", -1.0), ("takes", 1.0)):
            side = sorted(((sign * value, at) for at, value in others.items() if sign * value > 0), reverse=True)
            named = [(value, at) for value, at in side[:NAMED] if value > SMALL * largest]
            for value, (item, id_) in named:
                yield self.t(key, name=self.name(item, id_), amount=number(value))
            rest = sum(value for value, _ in side[len(named) :])
            if rest > SMALL * largest:
                yield self.t(f"others_{key.removesuffix('s')}", amount=number(rest))


def reasoned(plan: Plan, lang: str) -> Plan:
    """The plan with its reasons in a language; as it is where it has no prices."""
    if plan.split is None or plan.case is None:
        return plan
    return replace(plan, measures=with_reasons(plan, plan.split, lang))
