"""Risks: what sampled futures say of measures, targets and figures, and what cuts of money do, in words of screens."""

import pandas as pd

from planner import amounts
from planner.budgets import Rung, rungs
from planner.case import Case
from planner.futures import Robustness
from planner.grades import told_grades
from planner.highlights import lines
from planner.plan import Plan
from planner.text import t
from planner.ui import figures, ledgers
from planner.ui.levers import name_of, short_name
from planner.ui.words import named

MOST = 12
"""Figures of the tornado [-]."""
APART = "\u00a0"


def quantiles(case: Case, found: Robustness, lang: str) -> list[tuple[str, str]]:
    """Cost in the low, middle and high of all futures, with the plan as it is: label and amount."""
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang)
    values = found.futures["plan_cost"].dropna()
    told = []
    for name, part in (("low", 0.1), ("median", 0.5), ("high", 0.9)):
        number = amounts.number(float(values.quantile(part)) * money.factor).replace("-", figures.MINUS)
        told.append((t(f"robustness.quantile.{name}", lang), t("ui.amount", lang, number=number, unit=money.name)))
    return told


def no_regret(case: Case, found: Robustness, lang: str) -> pd.DataFrame:
    """How many futures choose each measure: measure, sector, index [%], planned, unit, year."""
    sectors = ledgers.names_by(case, "sector", lang)
    measures = {row.measure: row for row in case.measures}
    rows = []
    listed = found.measures.sort_values(["index", "planned"], ascending=False, kind="stable")
    for row in lines(listed.rename(columns={"index": "share"})):
        measure = measures[row.measure]
        unit = amounts.unit(measure.unit, lang)
        year = "" if pd.isna(row.year) else str(row.year)
        name = name_of(measure, lang) or measure.measure
        rows.append((name, sectors[measure.sector], 100 * row.share, row.planned * unit.factor, unit.name, year))
    return pd.DataFrame(rows, columns=["measure", "sector", "index", "planned", "unit", "year"])


def chances(case: Case, found: Robustness, lang: str) -> pd.DataFrame:
    """How many futures keep each target, the least likely first: target, kept, plan_kept [%]."""
    frame = found.targets.sort_values("plan_kept", kind="stable")
    names = [named(case, "targets", str(id_), lang) for id_ in frame["target"]]
    parts = {name: 100 * frame[name].to_numpy() for name in ("kept", "plan_kept")}
    return pd.DataFrame({"target": names, **parts})


def tornado(case: Case, found: Robustness, lang: str) -> pd.DataFrame:
    """Figures whose uncertainty moves the cost most: part (takes: dearer with it, pays: cheaper), name, value [-]."""
    rows = [
        ("takes" if row.cost > 0 else "pays", figure(case, row.column, row.subject, lang), row.cost)
        for row in lines(found.figures.head(MOST))
        if row.cost == row.cost
    ]
    return pd.DataFrame(rows, columns=["part", "name", "value"])


def figure(case: Case, column: str, subject: str, lang: str) -> str:
    """A figure of the tables in words."""
    first, _, second = subject.partition("/")
    quantities = {row.quantity: short_name(row, lang) for row in case.quantities}
    names = {"name": quantities.get(first, first), "to": quantities.get(second, second)}
    if column == "baseline.value":
        names["sector"] = named(case, "sectors", second, lang)
    elif column == "prices.price":
        names["component"] = t(f"robustness.component.{second}", lang)
    elif column != "conversions.factor":
        names["name"] = named(case, "measures", subject, lang)
    return t(f"robustness.figure.{column}", lang, **names)


def grades(case: Case, plan: Plan, lang: str) -> pd.DataFrame:
    """What the headlines rest on: number, A, B, C, none [%]."""
    rows = []
    quantities = {row.quantity: short_name(row, lang) for row in case.quantities}
    for told in told_grades(case, plan):
        id_, year = str(told["number"]), told["year"]
        name = t(f"ui.choice.{id_}", lang) if id_ in ("cost", "capex") else quantities[id_]
        label = t("ui.level", lang, quantity=name, year=year) if year else name
        rows.append((label, *(100 * float(told[grade]) for grade in ("A", "B", "C", "none"))))
    return pd.DataFrame(rows, columns=["number", "A", "B", "C", "none"])


# ---------------------------------------------------------------- cuts of money


def ladder(case: Case, found: list[Rung], lang: str) -> pd.DataFrame:
    """Cuts and what follows: cut [%], extra [shown money], out, less, later, words."""
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang).factor
    rows = []
    for row, rung in zip(lines(rungs(found)), found, strict=True):
        extra = None if rung.extra is None else rung.extra * money
        rows.append((100 * row.cut, extra, row.out, row.less, row.later, fallen(case, rung, lang)))
    frame = pd.DataFrame(rows, columns=["cut", "extra", "out", "less", "later", "words"])
    return frame.astype({"extra": "float64"})


def fallen(case: Case, rung: Rung, lang: str, most: int = 5) -> str:
    """What a cut does, in words; where it leaves no plan, how far one can go."""
    if rung.after is None:
        if rung.furthest is None:
            return t("budget_desk.ladder.hopeless", lang)
        part = t("ui.percent", lang, number=f"{100 * rung.furthest:.3g}")
        return t("budget_desk.ladder.infeasible", lang, furthest=part)
    told = []
    for change in ("out", "less", "later"):
        of = rung.changes.loc[rung.changes["change"] == change, "measure"].tolist()
        if of:
            names = ("、" if lang == "zh" else ", ").join(named(case, "measures", str(id_), lang) for id_ in of[:most])
            more = "…" if len(of) > most else ""
            told.append(t(f"budget_desk.rung.{change}", lang, names=names + more))
    return (";" if lang == "zh" else "; ").join(told) or t("budget_desk.rung.nothing", lang)


def flow(case: Case, plan: Plan, lang: str) -> pd.DataFrame:
    """Money from fund to sector and on to city: source, target, value [shown money]; sides are named apart."""
    money = amounts.money(case.settings.money_unit, case.settings.currency, lang).factor
    frame = plan.funds.assign(value=plan.funds["paid"] * money)
    names: dict[str, dict[str, str]] = {}
    for by in ledgers.BY:  # a name that stands on another side already is told apart by a blank
        taken = {name for side in names.values() for name in side.values()}
        own = ledgers.names_by(case, by, lang)
        names[by] = {id_: name + APART * len(names) if name in taken else name for id_, name in own.items()}
    first = frame.groupby(["fund", "sector"], sort=False)["value"].sum().reset_index()
    second = frame.groupby(["sector", "city"], sort=False)["value"].sum().reset_index()
    rows = [(names["fund"][r.fund], names["sector"][r.sector], r.value) for r in lines(first) if r.value > 0]
    rows += [
        (names["sector"][r.sector], names["city"][r.city], r.value) for r in lines(second) if r.value > 0 and r.city
    ]
    return pd.DataFrame(rows, columns=["source", "target", "value"])
