"""What `planner robustness` says: no-regret measures, chances of targets, and the figures that matter most."""

from typing import Any

import numpy as np
import pandas as pd
from rich.text import Text

from planner.amounts import decimals, number
from planner.case import Case
from planner.futures import Robustness
from planner.highlights import key_years, lines, main_quantity
from planner.show.layout import ALARM, GOOD, QUIET, Page, add, grid
from planner.words import Words

MOST = 10
"""Lines of a table [-]."""
SAFE = 0.95
"""Share of futures from which a measure counts as without regret [-]."""


def show_robustness(page: Page, found: Robustness) -> None:
    """The assumption, then what follows from it."""
    page.line(Text(page.title(), style="bold"))
    page.line(page.t("robustness.title", futures=found.summary["futures"], seed=found.summary["seed"]))
    page.note(assumption(page, found))
    faults = found.summary["faults"]
    if faults:
        words = page.t("robustness.faults", count=len(faults), first=faults[0][page.lang])
        page.line(Text(words, style=ALARM))
    no_regret(page, found)
    costs(page, found)
    chances(page, found)
    figures(page, found)


def assumption(page: Words, found: Robustness) -> str:
    """The ranges by grade, where all columns but the baseline have the same; else where they stand."""
    table = found.ranges
    parts = []
    for name, some in (
        ("others", table["column"] != "baseline.value"),
        ("baseline", table["column"] == "baseline.value"),
    ):
        kinds = table[some].groupby("grade")[["low", "high"]].nunique()
        if not len(kinds):
            continue
        if (kinds > 1).any(axis=None):
            return page.t("robustness.own", correlation=f"{found.summary['correlation']:g}")
        first = table[some].groupby("grade")[["low", "high"]].first()
        told = [f"{grade} {row.low:g}–{row.high:g}" for grade, row in first.iterrows()]
        parts.append(page.t(f"robustness.ranges.{name}", ranges=("、" if page.lang == "zh" else ", ").join(told)))
    correlation = f"{found.summary['correlation']:g}"
    joined = ("；" if page.lang == "zh" else "; ").join(parts)
    return page.t("robustness.assumed", ranges=joined, correlation=correlation)


def safest(case: Case, found: Robustness) -> pd.DataFrame:
    """The measures with their index, the safest first and of these the larger ones; `forced`: a pin asks for it."""
    pinned = {row.measure for row in case.pins if (row.min or 0) > 0}
    capex = {row.measure: row.capex for row in case.measures}
    names = found.measures["measure"]
    table = found.measures.assign(spent=found.measures["median"] * names.map(capex), forced=names.isin(pinned))
    return table.sort_values(["index", "forced", "spent"], ascending=[False, True, False], kind="stable")


def middle(case: Case) -> int:
    """A year by which much should have been begun: the first that targets name, else the last."""
    quantity = main_quantity(case)
    years = key_years(case, quantity) if quantity else []
    return years[1] if len(years) > 2 else case.settings.last_year


def no_regret(page: Page, found: Robustness) -> None:
    """Measures that nearly all futures choose, the larger ones first, those that a pin asks for last."""
    case = page.case
    if case is None:
        return
    table = safest(case, found)
    safe = int((table["index"] >= SAFE).sum())
    page.heading(page.t("robustness.no_regret"), page.t("robustness.count", count=safe, all=len(table)))
    by = middle(case)
    heads = [page.t(f"robustness.{name}") for name in ("measure", "index", "year", "planned", "span", "unit")]
    heads.insert(2, page.t("robustness.by", year=by))
    shown = grid(heads, right=[1, 2, 3, 4, 5], keep=[6])
    early = found.begun[found.begun["year"] == by].set_index("measure")["index"]
    for row in lines(table.head(MOST)):
        unit = page.unit("measures", row.measure)
        amounts = [value * unit.factor for value in (row.planned, row.low, row.high)]
        places = decimals(amounts, 3)
        planned, low, high = (number(value, places) for value in amounts)
        name = page.name("measures", row.measure)
        label = Text.assemble(name, (page.t("robustness.forced"), QUIET)) if row.forced else Text(name)
        when = "" if pd.isna(row.year) else str(row.year)
        add(
            shown,
            label,
            share(page, row.index),
            share(page, early[row.measure]),
            when,
            planned,
            f"{low}–{high}",
            unit.name,
        )
    page.show(shown)
    page.note(page.t("robustness.no_regret_note"))


def share(page: Words, part: float) -> str:
    """A share in percent, where only all is 100 % and only none 0 %."""
    if pd.isna(part):
        return "?"
    told = f"{min(99.9, max(0.1, 100 * part)):.3g}" if 0 < part < 1 else f"{100 * part:.0f}"
    return f"{told}%" if page.lang == "zh" else f"{told} %"


def costs(page: Page, found: Robustness) -> None:
    """What futures cost, planned anew and with the plan as it is."""
    page.heading(page.t("robustness.costs.title", unit=page.money.name))
    shown = grid(["", *[page.t(f"robustness.quantile.{name}") for name in ("low", "median", "high")]], right=[1, 2, 3])
    rows: dict[str, Any] = {name: found.futures[name].dropna().to_numpy(float) for name in ("cost", "plan_cost")}
    ends = {
        name: np.quantile(values, (0.1, 0.5, 0.9)) * page.money.factor for name, values in rows.items() if len(values)
    }
    places = decimals([float(value) for three in ends.values() for value in three], 3)
    for name, three in ends.items():
        add(shown, page.t(f"robustness.costs.{name}"), *[number(float(value), places) for value in three])
    page.show(shown)
    plan = number(found.plan.objective * page.money.factor, places)
    if found.plan.summary["objective"]["name"] == "cost":
        page.note(page.t("robustness.costs.plan", cost=plan))


def chances(page: Page, found: Robustness) -> None:
    """Targets that do not hold in every future, the least likely first."""
    page.heading(page.t("robustness.targets"))
    anew, fixed = share(page, found.summary["all_kept"]), share(page, found.summary["plan_all_kept"])
    page.line(page.t("robustness.all", anew=anew, fixed=fixed))
    doubtful = found.targets[(found.targets[["kept", "plan_kept"]] < 1).any(axis=1)]
    doubtful = doubtful.sort_values(["hard", "kept"], ascending=[False, True], kind="stable")
    shown = grid(["", *[page.t(f"robustness.{name}") for name in ("target", "kept", "plan_kept")]], right=[2, 3])
    for row in lines(doubtful.head(MOST + MOST // 2)):
        mark = Text(page.t("robustness.hard"), style=ALARM) if row.hard else Text("")
        add(shown, mark, page.name("targets", row.target), share(page, row.kept), share(page, row.plan_kept))
    page.show(shown)
    rest = len(doubtful) - (MOST + MOST // 2)
    if rest > 0:
        page.note(page.t("robustness.more", count=rest))
    always = len(found.targets) - len(doubtful)
    if always:
        page.line(Text(page.t("robustness.always", count=always), style=GOOD))
    page.note(page.t("robustness.targets_note"))


def figures(page: Page, found: Robustness) -> None:
    """Figures whose uncertainty matters most."""
    page.heading(page.t("robustness.figures"))
    heads = ["", *[page.t(f"robustness.heads.{name}") for name in ("figure", "grade", "range", "cost", "moves")]]
    shown = grid(heads, right=[4, 5], keep=[2, 3])
    for place, row in enumerate(lines(found.figures.head(MOST)), start=1):
        sign = "+" if row.cost > 0 else "−" if row.cost < 0 else ""
        cells = (row.grade, f"{row.low:.3g}–{row.high:.3g}", f"{sign}{abs(row.cost):.2f}", share(page, row.moves))
        add(shown, str(place), figure(page, row.column, row.subject), *cells)
    page.show(shown)
    for row in lines(found.figures.nlargest(1, "moves")):
        if row.moves > 0:
            name = figure(page, row.column, row.subject)
            page.line(page.t("robustness.mover", figure=name, share=share(page, row.moves)))
    page.note(page.t("robustness.figures_note", chance=f"{found.summary['chance_correlation']:.2f}"))


def figure(page: Words, column: str, subject: str) -> str:
    """A figure in words."""
    first, _, second = subject.partition("/")
    names: dict[str, str] = {"name": page.name("measures", subject)}
    if column == "baseline.value":
        names = {"name": page.quantity(first), "sector": page.name("sectors", second)}
    elif column == "prices.price":
        names = {"name": page.quantity(first), "component": page.t(f"robustness.component.{second}")}
    elif column == "conversions.factor":
        names = {"name": page.quantity(first), "to": page.quantity(second)}
    return page.t(f"robustness.figure.{column}", **names)
