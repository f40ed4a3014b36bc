"""Figures: what the plan page shows of a plan, in the words and units of its readers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from planner import amounts, charts, highlights
from planner.case import Case
from planner.plan import Plan
from planner.rows import PROVINCE, Quantity, Target, is_money
from planner.text import t
from planner.ui.levers import FRACTIONS, Lever, cap_years, name_of, short_name, total, years_text

NEGLIGIBLE = 5e-5
"""Differences below this part of a figure are shown as none [-]."""
MOVED = 1e-3
"""Part of the starts of a measure by which two plans must differ to be told apart [-]."""
MINUS = "\u2212"


@dataclass(frozen=True)
class Figure:
    """One number of the headline, and how it differs from the case's own plan."""

    id: str
    label: str
    value: str
    delta: str | None
    """None when there is no difference."""
    less_is_better: bool
    help: str


@dataclass(frozen=True)
class TargetState:
    """How a target stands at its tightest."""

    target: str
    name: str
    state: str
    """kept, exact or missed."""
    words: str


# ---------------------------------------------------------------- headline


def headline(case: Case, levers: tuple[Lever, ...], plan: Plan, own: Plan | None, lang: str) -> list[Figure]:
    """Cost, investment, carbon in the peak and the last year, pollutant, renewables."""
    return list(_headline(case, levers, plan, own, lang))


def _headline(case: Case, levers: tuple[Lever, ...], plan: Plan, own: Plan | None, lang: str) -> Iterator[Figure]:
    s = case.settings
    money = amounts.money(s.money_unit, s.currency, lang)
    years = years_text(s.first_year, s.last_year, lang)
    words = {
        "base": s.base_year,
        "years": years,
        "rate": f"{100 * s.discount_rate:g}",
        "penalty": _amount(highlights.penalties(plan), money, lang),
        "net": _amount(highlights.net_cost(plan), money, lang),
    }
    for id_, of in (("cost", present_value), ("capex", investment)):
        label, note = t(f"ui.figure.{id_}", lang), t(f"ui.figure.{id_}_help", lang, **words)
        yield _figure(id_, label, of(plan), of(own) if own else None, money, True, note, lang)
    for id_, row, year, less in headline_levels(case, levers):
        unit = amounts.unit(row.unit, lang)
        path = total(plan, row.quantity)
        value, baseline = float(path["planned"][year]), float(path["baseline"][year])
        before = float(total(own, row.quantity)["planned"][year]) if own else None
        change = "" if not baseline else f"{100 * (value / baseline - 1):+.1f}".replace("-", MINUS)
        note = t("ui.figure.level_help", lang, change=change, year=year) if change else ""
        label = t("ui.figure.level", lang, quantity=short_name(row, lang), year=year)
        yield _figure(id_, label, value, before, unit, less, note, lang)


def headline_levels(case: Case, levers: tuple[Lever, ...]) -> list[tuple[str, Quantity, int, bool]]:
    """Quantities and years of the headline: id, quantity, year, whether less is better."""
    rows = {row.quantity: row for row in case.quantities}
    found: list[tuple[str, Quantity, int, bool]] = []
    main = highlights.main_quantity(case)
    if main is not None:
        found += [(f"carbon_{year}", rows[main], year, True) for year in dict.fromkeys(cap_years(case, main))]
    return found + [
        (lever.id, lever.quantity, lever.years[0], lever.id != "renewables")
        for lever in levers
        if lever.target is not None and lever.quantity is not None
    ]


def present_value(plan: Plan) -> float:
    """Net present value of all costs [currency]."""
    return float(plan.costs["discounted"].sum())


def investment(plan: Plan) -> float:
    """Capital spending of all years [currency]."""
    return float(plan.portfolio["capex"].sum())


def _figure(
    id_: str, label: str, value: float, before: float | None, unit: amounts.Shown, less: bool, note: str, lang: str
) -> Figure:
    places = amounts.decimals([value * unit.factor])
    delta = None
    if before is not None and abs(value - before) > NEGLIGIBLE * max(abs(value), abs(before)):
        delta = amounts.number((value - before) * unit.factor, places)
        delta = delta if delta.startswith("-") else f"+{delta}"
    text = t("ui.amount", lang, number=amounts.number(value * unit.factor, places).replace("-", MINUS), unit=unit.name)
    return Figure(id_, label, text, delta, less, note)


def _amount(value: float, unit: amounts.Shown, lang: str) -> str:
    return t("ui.amount", lang, number=amounts.number(value * unit.factor).replace("-", MINUS), unit=unit.name)


# ---------------------------------------------------------------- targets


def target_states(case: Case, plan: Plan, lang: str) -> list[TargetState]:
    """Every target at its tightest, missed ones first, then those that bind."""
    targets = {row.target: row for row in case.targets}
    states = []
    for row in lines_of(highlights.tightest(plan)):
        target = targets[str(row.target)]
        missed, slack = float(row.missed), float(row.slack)
        state = "missed" if missed > 0 else "kept" if slack > 0 else "exact"
        room = _room(case, target, missed or slack, float(row.bound), lang)
        soft = "_soft" if state == "missed" and target.soft_penalty is not None else ""
        words = t(f"ui.targets.{state}{soft}", lang, room=room, year=int(row.year))
        states.append(TargetState(target.target, name_of(target, lang) or target.target, state, words))
    return sorted(states, key=lambda state: ("missed", "exact", "kept").index(state.state))


def thirds(states: list[TargetState]) -> list[list[TargetState]]:
    """Targets in three columns, read down one after the other."""
    size = -(-len(states) // 3)
    return [states[place * size : (place + 1) * size] for place in range(3)]


def _room(case: Case, target: Target, amount: float, bound: float, lang: str) -> str:
    """Slack or miss: in points for fractions, else in the unit of the quantity."""
    value = target.value or 0.0
    whole = bound / value if target.kind == "share" and value else bound / (1 + value) if value != -1 else 0.0
    if target.kind in FRACTIONS and whole > 0:
        points = 100 * amount / whole
        return t("ui.points", lang, number=f"{points:.1f}" if points >= 0.1 else f"{points:.2g}")
    return _amount(amount, unit_of(case, target.quantity, lang), lang)


def unit_of(case: Case, quantity: str, lang: str) -> amounts.Shown:
    """How amounts of a quantity, or of money under a reserved name, are shown."""
    if is_money(quantity):
        return amounts.money(case.settings.money_unit, case.settings.currency, lang)
    return amounts.unit(next(row.unit for row in case.quantities if row.quantity == quantity), lang)


# ---------------------------------------------------------------- charts


def colours(case: Case, lang: str) -> dict[str, str]:
    """Colour of every sector by its name, the same on all charts."""
    palette = charts.SECTORS
    return {name_of(row, lang): palette[place % len(palette)] for place, row in enumerate(case.sectors)}


def wedge(case: Case, plan: Plan, quantity: str, lang: str) -> pd.DataFrame:
    """Areas between plan and baseline: part, year, sector, low, high, value [shown unit].

    Cuts are stacked upwards from the plan, increases downwards, so all areas have their true size and their sum is the
    difference between baseline and plan. `missed` is what the plan has beyond a target. `baseline`, `plan` and `target`
    are lines.
    """
    unit = unit_of(case, quantity, lang)
    of = plan.quantities[plan.quantities["quantity"] == quantity]
    cuts = of.assign(cut=of["baseline"] - of["planned"]).pivot_table(
        index="year", columns="sector", values="cut", aggfunc="sum", fill_value=0.0, sort=False
    )
    path = total(plan, quantity) * unit.factor
    rows: list[tuple[str, int, str, float, float, float]] = []
    upper, lower = path["planned"].copy(), path["planned"].copy()
    largest = float(path["baseline"].abs().max())
    for sector in case.sectors:
        if sector.sector not in cuts or cuts[sector.sector].abs().max() * unit.factor <= NEGLIGIBLE * largest:
            continue
        cut = cuts[sector.sector] * unit.factor
        for year, value in zip(cut.index.tolist(), cut.tolist(), strict=True):
            top, bottom = max(value, 0.0), min(value, 0.0)
            low, high = (upper[year], upper[year] + top) if bottom == 0 else (lower[year] + bottom, lower[year])
            rows.append(("cut", int(year), name_of(sector, lang), low, high, value))
        upper, lower = upper + cut.clip(lower=0), lower + cut.clip(upper=0)
    for part in ("baseline", "planned"):
        rows += [(part, int(str(year)), "", value, value, value) for year, value in path[part].items()]
    for year, bound in ceilings(case, plan, quantity).items():
        rows.append(("target", year, "", bound * unit.factor, bound * unit.factor, bound * unit.factor))
        over = float(path["planned"].get(year, bound * unit.factor)) - bound * unit.factor
        if over > NEGLIGIBLE * largest:
            rows.append(("missed", year, "", bound * unit.factor, bound * unit.factor + over, over))
    return pd.DataFrame(rows, columns=["part", "year", "sector", "low", "high", "value"])


def ceilings(case: Case, plan: Plan, quantity: str) -> Mapping[int, float]:
    """Lowest level that the targets on a quantity of the whole area allow, by year [its unit]."""
    kinds = ("level", "change", "intensity", "peak")
    ids = {
        row.target
        for row in case.targets
        if row.quantity == quantity
        and row.kind in kinds
        and row.sense == "<="
        and row.scope == PROVINCE
        and not row.sectors
    }
    bounds = plan.targets[plan.targets["target"].isin(ids)].groupby("year")["bound"].min()
    return {int(str(year)): float(bound) for year, bound in bounds.items()}


def rising(frame: pd.DataFrame) -> bool:
    """Whether a sector of the wedge emits visibly more than in the baseline."""
    cuts = frame.loc[frame["part"] == "cut", "value"]
    return bool(len(cuts) and cuts.min() < -0.01 * cuts.abs().max())


def path(case: Case, plan: Plan, quantity: str, lang: str) -> pd.DataFrame:
    """Baseline and plan of a quantity: part, year, value [shown unit]."""
    levels = total(plan, quantity) * unit_of(case, quantity, lang).factor
    long = levels.reset_index().melt("year", var_name="part", value_name="value")
    bounds = [("target", year, bound) for year, bound in ceilings(case, plan, quantity).items()]
    unit = unit_of(case, quantity, lang).factor
    marks = pd.DataFrame([(p, y, b * unit) for p, y, b in bounds], columns=["part", "year", "value"])
    return pd.concat([long[["part", "year", "value"]], marks]) if len(marks) else long[["part", "year", "value"]]


# ---------------------------------------------------------------- tables


def portfolio(case: Case, plan: Plan, lang: str, count: int = 15) -> pd.DataFrame:
    """The measures with the largest investment: measure, sector, starts, unit, years, capex, cost, cities."""
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang)
    measures = {row.measure: row for row in case.measures}
    sectors = {row.sector: name_of(row, lang) for row in case.sectors}
    cities = {row.city: name_of(row, lang) for row in case.cities}
    own = plan.measures.set_index("measure")["cost"]
    rows = []
    for row in lines_of(highlights.largest_measures(plan, count)):
        measure = measures[str(row.measure)]
        unit = amounts.unit(measure.unit, lang)
        years = years_text(row.first, row.last, lang) if row.first else ""
        where = ("、" if lang == "zh" else ", ").join(cities[city] for city in row.cities[:4])
        amount = (row.starts * unit.factor, unit.name, years, row.capex * money.factor)
        cost = float(own[measure.measure]) * money.factor
        rows.append((name_of(measure, lang), sectors[measure.sector], *amount, cost, where))
    return pd.DataFrame(rows, columns=["measure", "sector", "starts", "unit", "years", "capex", "cost", "cities"])


def budgets(case: Case, plan: Plan, lang: str) -> pd.DataFrame:
    """What every budget allows and spends over its years: budget, limit, spent, used, binding."""
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang)
    rows = {row.budget: row for row in case.budgets}
    used = highlights.budget_use(plan, {row.budget for row in case.budgets if row.carry_over})
    lines = []
    for row in lines_of(used):
        share = row.spent / row.limit if row.limit else 0.0
        binding = ", ".join(_runs(row.binding))
        name = name_of(rows[str(row.budget)], lang) or str(row.budget)
        lines.append((name, row.limit * money.factor, row.spent * money.factor, 100 * share, binding))
    return pd.DataFrame(lines, columns=["budget", "limit", "spent", "used", "binding"])


def lines_of(frame: pd.DataFrame) -> Iterator[Any]:
    """Rows of a frame with its columns as names."""
    yield from frame.itertuples(index=False)


def _runs(years: tuple[int, ...]) -> list[str]:
    text = highlights.runs(years)
    return [part.replace("-", "–") for part in text.split(", ")] if text else []


def levels(case: Case, plan: Plan, quantity: str, lang: str) -> pd.DataFrame:
    """Levels of a quantity, years as columns: baseline, plan, difference [shown unit]."""
    wide = total(plan, quantity) * unit_of(case, quantity, lang).factor
    wide["difference"] = wide["planned"] - wide["baseline"]
    names = {
        "baseline": t("ui.wedge.baseline", lang),
        "planned": t("ui.wedge.plan", lang),
        "difference": t("ui.paths.difference", lang),
    }
    table = wide.rename(columns=names).T
    table.columns = [str(year) for year in table.columns]
    return table


def bounded_first(case: Case) -> list[str]:
    """All quantities, those that targets bound first."""
    keys = highlights.key_quantities(case)
    return keys + [row.quantity for row in case.quantities if row.quantity not in keys]
