"""A plan as a page: what it costs, the path, the targets, the measures, the first years, the budgets."""

import pandas as pd
from rich.text import Text

from planner import text
from planner.amounts import decimals, fine_decimals, number
from planner.case import Case
from planner.highlights import (
    budget_use,
    invests,
    key_years,
    largest_measures,
    levels,
    lines,
    main_quantity,
    next_years,
    peak_year,
    runs,
    starts_by_year,
    tightest,
)
from planner.plan import Plan
from planner.rows import PROVINCE, Target
from planner.show.layout import ALARM, GOOD, QUIET, Page, add, grid

SHOWN_STARTS = 15
"""Rows of the table of first starts [-]."""
PLACES = 2
"""Cities named per measure [-]."""
REMARKS = 3
"""Remarks on the inputs shown [-]."""
FIRST = ("peak_without_value",)
"""Remarks shown before others: they say that the plan itself may not be what was meant."""


def show_plan(page: Page, plan: Plan, case: Case, seconds: float) -> None:
    """The whole page."""
    settings = case.settings
    page.line(Text(page.title(), style="bold"))
    horizon = page.t("solve.horizon", first=settings.first_year, last=settings.last_year)
    page.line(Text.assemble(status_words(page, plan), (f"   {horizon}", QUIET)))
    if plan.found:
        headline(page, plan, case)
        path(page, plan, case)
        targets(page, plan, case)
        measures(page, plan)
        starts(page, plan, case)
        budgets(page, plan, case)
        grades(page, plan)
    else:
        no_plan(page, plan)
    remarks(page, case)
    page.line()
    small_print(page, plan, seconds)


def status_words(page: Page, plan: Plan) -> Text:
    """What kind of answer this is, in words."""
    if plan.status == "infeasible" and plan.found:
        return Text(page.t("status.best_effort"), style=ALARM)
    gap = f"{float(plan.summary.get('gap') or 0.0):.2%}"
    if plan.status == "optimal":
        if plan.summary["objective"]["name"] != "cost":
            return Text(page.t("status.optimal_other"), style=GOOD)
        proven = plan.summary.get("proof") == "certificate"
        return Text(page.t("status.optimal_proven" if proven else "status.optimal"), style=GOOD)
    key = "stopped" if plan.status == "limit" and plan.found else plan.status
    return Text(page.t(f"status.{key}", gap=gap), style=GOOD if plan.status == "within_gap" else ALARM)


def no_plan(page: Page, plan: Plan) -> None:
    """Why there is no plan, as far as it is known."""
    clashes = plan.summary.get("contradictions") or []
    if clashes:
        page.heading(page.t("no_plan.contradictions"))
        for clash in clashes:
            page.note(str(clash))
    if plan.status in ("infeasible", "limit") and "diagnosis" not in plan.summary:
        page.line()
        page.note(page.t("no_plan.advice" if plan.status == "infeasible" else "no_plan.limit_advice"))


def headline(page: Page, plan: Plan, case: Case) -> None:
    """Objective, cost, capital spending and the peak of what the case is about."""
    table = grid(["", "", "", ""], right=[1], keep=[0, 2], header=False)
    money = page.money
    cost = float(plan.costs["discounted"].sum())
    penalty = float(plan.costs.loc[plan.costs["item"] == "penalty", "discounted"].sum())
    capex = float(plan.portfolio["capex"].sum())
    places = decimals([cost * money.factor])
    for stage in plan.summary["objectives"]:
        name = stage["name"].removeprefix("-")
        if name != "cost" and not name.startswith("miss"):
            what = name.removeprefix("quantity:")
            unit = page.unit("quantities", what)
            words = page.t("solve.objective", name=page.objective(stage["name"]))
            add(table, words, number(stage["final"] * unit.factor), unit.name, "")
    add(table, page.t("solve.cost"), Text(number(cost * money.factor, places), style="bold"), money.name, "")
    if penalty:
        add(table, page.t("solve.penalties"), number(penalty * money.factor, places), money.name, "", style=QUIET)
        add(table, page.t("solve.net"), number((cost - penalty) * money.factor, places), money.name, "")
    add(table, page.t("solve.capex"), number(capex * money.factor, places), money.name, spending_years(page, plan))
    quantity = main_quantity(case)
    if quantity:
        of = levels(plan)
        of = of[of["quantity"] == quantity]
        if len(of):
            year, height = peak_year(of)
            unit = page.unit("quantities", quantity)
            words = page.t("solve.peak", name=page.quantity(quantity))
            add(table, words, number(height * unit.factor), unit.name, page.t("solve.in_year", year=year))
    page.line()
    page.show(table)


def spending_years(page: Page, plan: Plan) -> str:
    """Years in which capital is spent."""
    spending = plan.portfolio.loc[plan.portfolio["capex"] > 0, "year"]
    return page.t("solve.years", years=runs({int(y) for y in spending})) if len(spending) else ""


def path(page: Page, plan: Plan, case: Case) -> None:
    """The main quantity without and with the plan, in the years that matter."""
    quantity = main_quantity(case)
    of = levels(plan)
    of = of[of["quantity"] == quantity].set_index("year")
    if quantity is None or of.empty:
        return
    years = key_years(case, quantity)
    unit = page.unit("quantities", quantity)
    values = of.loc[years]
    base, planned = values["baseline"] * unit.factor, values["planned"] * unit.factor
    places = decimals([*base, *planned])
    page.heading(page.quantity(quantity), unit.name)
    table = grid(["", *map(str, years)], right=range(1, len(years) + 1), keep=[0])
    add(table, page.t("solve.baseline"), *[number(v, places) for v in base])
    add(table, page.t("solve.planned"), *[Text(number(v, places), style="bold") for v in planned])
    add(table, page.t("solve.difference"), *[number(v, places) for v in planned - base], style=QUIET)
    page.show(table)


def targets(page: Page, plan: Plan, case: Case) -> None:
    """One line per target, in the year in which it is tightest."""
    rows = tightest(plan)
    if rows.empty:
        return
    of = {row.target: row for row in case.targets}
    missed = int((rows["missed"] > 0).sum())
    page.heading(page.t("targets.title", kept=len(rows) - missed, missed=missed))
    heads = [page.t(f"targets.{head}") for head in ("target", "year", "bound", "achieved", "slack", "unit", "price")]
    table = grid(["", *heads], right=[3, 4, 5], keep=[0, 2, 6, 7])
    for row in lines(rows):
        target = of[row.target]
        unit = page.unit("quantities", target.quantity)
        bound, achieved, slack = (value * unit.factor for value in (row.bound, row.achieved, row.slack))
        places = decimals([bound, achieved])
        mark, style = ("✗", ALARM) if row.missed > 0 else ("=", "") if row.binding else ("✓", GOOD)
        add(
            table,
            Text(mark, style=style),
            target_name(page, row.target, row.scope),
            str(row.year),
            f"{sign(target)} {number(bound, places)}",
            number(achieved, places),
            Text(
                number(slack, max(places, decimals([slack], 2))) if slack else "0",
                style=ALARM if row.missed > 0 else "",
            ),
            unit.name,
            price_words(page, target.quantity, row.price_loosen, row.price_tighten),
        )
    page.show(table)
    page.note(page.t("targets.note"))


def sign(target: Target) -> str:
    """At most or at least."""
    return "≤" if target.sense == "<=" else "≥"


def target_name(page: Page, target: str, scope: str) -> str:
    """Name of a target, with its scope where the name does not say it."""
    name = page.name("targets", target)
    place = page.place(scope)
    stem = place.removesuffix("市") if page.lang == "zh" else place
    return name if scope == PROVINCE or stem in name else name + text.aside(place, page.lang)


def price_words(page: Page, quantity: str, loosen: float, tighten: float) -> str:
    """A price in money per unit; both sides where they differ by more than a hundredth."""
    sides = [float(price) for price in (loosen, tighten) if pd.notna(price)]
    if not any(sides):
        return ""
    shown = page.price(quantity)
    values = [number(side * shown.factor, decimals([side * shown.factor], 3)) for side in sides]
    near = len(sides) < 2 or abs(sides[0] - sides[1]) <= 0.01 * max(map(abs, sides))
    return f"{values[-1]} {shown.name}" if near else f"{values[0]} / {values[1]} {shown.name}"


def measures(page: Page, plan: Plan) -> None:
    """The ten measures that spend most: what, where, when; where nothing is invested, those that cost or save most."""
    rows = largest_measures(plan)
    if rows.empty:
        return
    money = page.money
    size = "capex" if invests(plan) else "cost"
    page.heading(page.t(f"measures.title_{size}", unit=money.name))
    heads = [page.t(f"measures.{head}") for head in ("measure", "what", "unit", "when", "where")]
    table = grid([*heads, page.t(f"measures.{size}")], right=[1, 5], keep=[2, 3, 4])
    places = decimals((rows[size] * money.factor).abs())
    for row in lines(rows):
        unit = page.unit("measures", row.measure)
        when = f"{row.first}-{row.last}" if row.last > row.first else str(row.first or page.t("measures.before"))
        amount, spent = number(row.starts * unit.factor), number(getattr(row, size) * money.factor, places)
        add(table, page.name("measures", row.measure), amount, unit.name, when, where(page, row.cities), spent)
    page.show(table)


def where(page: Page, cities: tuple[str, ...]) -> str:
    """The cities with most of it."""
    if page.case is not None and len(cities) == len(page.case.cities) > 1:
        return page.t("measures.everywhere")
    names = ("、" if page.lang == "zh" else ", ").join(page.place(city) for city in cities[:PLACES])
    if len(cities) <= PLACES:
        return names
    return page.t("measures.others", places=names, count=len(cities) - PLACES, total=len(cities))


def starts(page: Page, plan: Plan, case: Case) -> None:
    """What begins in the first years that are still to be decided."""
    years = next_years(case)
    table_of = starts_by_year(plan, years)
    if table_of.empty:
        return
    page.heading(page.t("starts.title_of", years=runs(years)))
    heads = [page.t("measures.measure"), *map(str, years), page.t("measures.unit")]
    table = grid(heads, right=range(1, len(years) + 1), keep=[len(years) + 1])
    for measure, row in table_of.head(SHOWN_STARTS).iterrows():
        unit = page.unit("measures", str(measure))
        values = [float(value) * unit.factor for value in row]
        places = decimals(values, 3)
        cells = [number(value, places) if value else "·" for value in values]
        add(table, page.name("measures", str(measure)), *cells, unit.name)
    page.show(table)
    if len(table_of) > SHOWN_STARTS:
        page.note(page.t("solve.more", count=len(table_of) - SHOWN_STARTS, file="portfolio.csv"))


def budgets(page: Page, plan: Plan, case: Case) -> None:
    """Limit, spent, left and worth of every budget."""
    rows = budget_use(plan, [row.budget for row in case.budgets if row.carry_over])
    if rows.empty:
        return
    money = page.money
    places = fine_decimals((rows[["limit", "spent"]] * money.factor).to_numpy().ravel())
    page.heading(page.t("budgets.title", unit=money.name))
    heads = [page.t(f"budgets.{head}") for head in ("budget", "limit", "spent", "left", "price", "binding")]
    table = grid(heads, right=[1, 2, 3, 4])
    for row in lines(rows):
        shown = [number(v * money.factor, places) for v in (row.limit, row.spent, row.slack)]
        worth = f"{row.price:.3f}" if row.price > 0 else ""
        add(table, page.name("budgets", row.budget), *shown, worth, runs(row.binding))
    page.show(table)
    page.note(page.t("budgets.note"))


def grades(page: Page, plan: Plan) -> None:
    """How much of each headline rests on official figures, on literature and on estimates."""
    rows = plan.summary.get("grades") or []
    if not any(row[name] for row in rows for name in ("A", "B", "C")):  # a case that grades nothing
        return
    page.heading(page.t("grades.title"))
    shares = [name for name in ("A", "B", "C", "none") if name != "none" or any(row[name] for row in rows)]
    heads = [page.t("check.ungraded") if name == "none" else page.t("check.grade", grade=name) for name in shares]
    table = grid(["", page.t("targets.year"), *heads], right=range(2, 2 + len(heads)), keep=[0])
    for row in rows:
        known = row["number"] in ("cost", "capex")
        name = page.t(f"solve.{row['number']}") if known else page.quantity(row["number"])
        add(table, name, str(row["year"] or ""), *[f"{row[share]:.0%}" if row[share] else "·" for share in shares])
    page.show(table)
    page.note(page.t("grades.note"))


def remarks(page: Page, case: Case) -> None:
    """What was accepted in the inputs, in short; `planner check` says what to do about it."""
    if case.warnings:
        count = len(case.warnings)
        page.heading(page.t("check.warning" if count == 1 else "check.warnings", count=count))
        for warning in sorted(case.warnings, key=lambda warning: warning.key not in FIRST)[:REMARKS]:
            page.note(text.issue(warning, page.lang))
        if count > REMARKS:
            page.note(page.t("solve.more", count=count - REMARKS, file="planner check"))


def small_print(page: Page, plan: Plan, seconds: float) -> None:
    """Status, size and time in one line."""
    sizes = plan.summary["sizes"]
    parts = [
        page.t(f"statuses.{plan.status}"),
        page.t("solve.seconds", seconds=f"{seconds:.1f}"),
        page.t("solve.size", rows=f"{sizes['rows']:,}", columns=f"{sizes['columns']:,}"),
    ]
    if "kept" in plan.summary["timings"]:
        parts.append(page.t("solve.kept"))
    if plan.found:
        parts.append(page.t("solve.tie_broken" if plan.summary.get("tie_broken") else "solve.one_of_several"))
    page.line(" · ".join(parts), style=QUIET)
    violations = plan.summary.get("violations") or []
    if "verdict" in plan.summary:
        page.line(plan.summary["verdict"][page.lang], style=ALARM if violations else QUIET)
    for violation in violations[:REMARKS]:
        page.note(violation)
