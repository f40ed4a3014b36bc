"""What `planner budget` says: the worth of money, cuts, earmarks, what money buys, and who pays."""

import math
from collections.abc import Sequence

import pandas as pd
from rich.text import Text

from planner.amounts import decimals, number
from planner.budgets import Bought, Rung, rungs
from planner.case import Case
from planner.highlights import lines
from planner.show.layout import Page, add, grid
from planner.show.tradeoffs import axis, joined, part

NAMED = 6
"""Measures named in a sentence [-]."""
FOLD = 11
"""Width within which the names of funds wrap above their numbers [characters]."""
SHOWN = 15
"""Rows of a table [-]."""


def head(page: Page, words: str, aside: str = "") -> None:
    """Title of the case and a heading."""
    page.line(Text(page.title(), style="bold"))
    page.heading(words, aside)


def show_worth(page: Page, worth: pd.DataFrame, amount: float) -> None:
    """One line per budget and year in which money is worth something."""
    money = page.money
    head(page, page.t("budget_desk.worth.title", amount=number(amount * money.factor), unit=money.name), money.name)
    words = ["year", "limit", "spent", "lost", "gained", "per"]
    table = grid(["", *[page.t(f"budget_desk.worth.{word}") for word in words]], right=range(2, 7))
    idle: dict[str, None] = {}
    valued = worth[(worth["status"] != "optimal") | (worth["lost"] > 0) | (worth["gained"] > 0)]
    for row in lines(worth):
        if row.budget not in set(valued["budget"]):
            idle[page.name("budgets", row.budget)] = None
        if row.status == "optimal" and not row.lost and not row.gained:
            continue
        years = str(row.year) if row.years == 1 else f"{row.year - row.years + 1}-{row.year}"
        lost = page.t("budget_desk.worth.infeasible") if row.status == "infeasible" else money_text(page, row.lost)
        per = number(row.lost / row.amount) if row.lost == row.lost else ""
        told = [money_text(page, value) for value in (row.limit, row.spent)]
        add(table, page.name("budgets", row.budget), years, *told, lost, money_text(page, row.gained), per)
    page.show(table)
    if idle:
        page.line(page.t("budget_desk.worth.idle", names=joined(page, list(idle))))
    page.note(page.t("budget_desk.worth.note"))


def money_text(page: Page, value: float) -> str:
    """Money as it is shown; a question mark where it is not known."""
    return "?" if math.isnan(value) else number(value * page.money.factor)


def show_ladder(page: Page, found: Sequence[Rung], name: str) -> None:
    """One line per cut, then what falls out."""
    head(page, page.t("budget_desk.ladder.title", name=name), page.money.name)
    words = ["cut", "cost", "extra", "penalties", "out", "less", "later"]
    table = grid([page.t(f"budget_desk.ladder.{word}") for word in words], right=range(7))
    for rung, row in zip(found, lines(rungs(found)), strict=True):
        if rung.after is None:
            add(table, part(page, rung.cut), refusal(page, rung, "ladder"))
            continue
        costs = [money_text(page, value) for value in (row.cost, row.extra, row.penalties)]
        add(table, part(page, rung.cut), *costs, *[str(value) for value in (row.out, row.less, row.later)])
    page.show(table)
    for rung in found:
        if rung.after is not None:
            page.line(page.t("budget_desk.ladder.falls", cut=part(page, rung.cut), words=sentence(page, rung)))
    page.note(page.t("budget_desk.rung.note"))


def refusal(page: Page, rung: Rung, key: str) -> str:
    """How far a cut can go that leaves no plan; or that none was found in time."""
    if rung.status != "infeasible":
        return page.t("alternatives.unknown")
    if rung.furthest is None:
        return page.t(f"budget_desk.{'ladder' if key == 'ladder' else 'rung'}.hopeless")
    return page.t(f"budget_desk.{key}.infeasible", furthest=part(page, max(0.0, rung.furthest)))


def sentence(page: Page, rung: Rung) -> str:
    """What falls out, shrinks, slips and grows, the largest capital cost first."""
    told = []
    for kind in ("out", "less", "later", "more"):
        rows = rung.changes[rung.changes["change"] == kind]
        rows = rows.reindex(rows["capex"].abs().sort_values(ascending=False, kind="stable").index)
        names = [page.name("measures", str(m)) for m in rows["measure"]]
        if kind == "later":
            pairs = zip(names, rows["slip"], strict=True)
            names = [page.t("budget_desk.rung.slip", name=name, years=f"{slip:+.1f}") for name, slip in pairs]
        if names:
            told.append(page.t(f"budget_desk.rung.{kind}", names=joined(page, names, NAMED)))
    return ("；" if page.lang == "zh" else "; ").join(told) or page.t("budget_desk.rung.nothing")


def show_rung(page: Page, rung: Rung, title: str, aside: str = "", key: str = "rung") -> None:
    """One cut: what it costs, year by year, what changes, what is missed more."""
    head(page, title, aside)
    money = page.money
    if rung.after is None or rung.extra is None:
        page.line(refusal(page, rung, key))
        return
    cost = money_text(page, rung.after.objective)
    page.line(page.t("budget_desk.rung.cost", extra=money_text(page, rung.extra), unit=money.name, cost=cost))
    yearly = rung.by_year
    large = yearly[yearly["extra"].abs() > 1e-3 * max(float(yearly["extra"].abs().max()), 1e-6 * abs(rung.extra))]
    if rung.extra and len(large):
        places = decimals(large["extra"] * money.factor, 3)
        years = [f"{row.year} {number(row.extra * money.factor, places)}" for row in lines(large)]
        page.line(page.t("budget_desk.rung.later_cost", unit=money.name, years=joined(page, years, 99)))
    missed = rung.missed[rung.missed["after"] > rung.missed["before"]]
    if len(missed):
        names = list(dict.fromkeys(page.name("targets", str(t)) for t in missed["target"]))
        page.line(page.t("budget_desk.rung.missed", names=joined(page, names)))
    show_changes(page, rung.changes)


def show_changes(page: Page, changes: pd.DataFrame) -> None:
    """Measures that change, by capital cost."""
    if changes.empty:
        page.line(page.t("budget_desk.rung.nothing"))
        return
    money = page.money
    page.line()
    words = [page.t(f"budget_desk.rung.{word}", unit=money.name) for word in ("before", "after", "capex", "shift")]
    table = grid(["", page.t("budget_desk.rung.change"), *words], right=[2, 3, 4, 5])
    rank = {"out": 0, "later": 1, "less": 2, "new": 3, "more": 4, "earlier": 5}
    order = changes.assign(rank=changes["change"].map(rank), size=-changes["capex"].abs())
    large = set(order.sort_values(["size"], kind="stable").head(SHOWN).index) | set(order.index[order["rank"] == 0])
    for row in lines(order.loc[[i for i in order.index if i in large]].sort_values(["rank", "size"], kind="stable")):
        unit = page.unit("measures", row.measure)
        amounts = [value * unit.factor for value in (row.before, row.after)]
        told = [f"{number(value, decimals(amounts))}" for value in amounts]
        shift = "" if math.isnan(row.slip) or abs(row.slip) < 0.05 else f"{row.slip:+.1f}"
        name = f"{page.name('measures', row.measure)} [{unit.name}]"
        capex = number(row.capex * money.factor) if abs(row.capex) * money.factor > 5e-4 else "·"
        add(table, name, page.t(f"budget_desk.rung.kind.{row.change}"), *told, capex, shift)
    page.show(table)
    if len(changes) > len(large):
        page.line(f"… +{len(changes) - len(large)}")
    page.note(page.t("budget_desk.rung.note"))


def show_rules(page: Page, rules: pd.DataFrame) -> None:
    """What each rule costs, the dearest first."""
    money = page.money
    head(page, page.t("budget_desk.rules.title"))
    heads = [page.t("budget_desk.rules.rule"), "", "", page.t("budget_desk.rules.cost", unit=money.name)]
    table = grid(heads, right=[2, 3])
    costly = rules[rules["cost"].fillna(1.0) > 0].sort_values("cost", ascending=False, kind="stable")
    for row in lines(costly.head(SHOWN * 2)):
        where = page.name("measures", row.measure) if row.measure else page.name("sectors", row.sector)
        add(table, page.name("funds", row.id), where, part(page, row.share), money_text(page, row.cost))
    page.show(table)
    page.line(page.t("budget_desk.rules.free", count=len(rules) - len(costly)))
    page.note(page.t("budget_desk.rules.note"))


def show_most(page: Page, case: Case, found: Bought) -> None:
    """The quantity before and after, what the money is, and what changes."""
    name, unit = axis(page, case, found.quantity)
    head(page, page.t("budget_desk.most.title"))
    values = [value * unit.factor for value in (found.before, found.after)]
    told = [number(value, decimals(values, 6)) for value in values]
    page.line(page.t("budget_desk.most.line", name=name, before=told[0], after=told[1], unit=unit.name))
    money = page.t(f"budget_desk.most.{found.money}")
    costs = dict(zip(("before", "after", "capex0", "capex1"), (*found.cost, *found.capex), strict=True))
    texts = {key: money_text(page, value) for key, value in costs.items()}
    page.line(
        page.t("budget_desk.most.money", cap=money_text(page, found.cap), unit=page.money.name, money=money, **texts)
    )
    show_changes(page, found.changes)


def show_payers(page: Page, flows: pd.DataFrame, case: Case) -> None:
    """Sums by payer, then net by year."""
    money = page.money
    head(page, page.t("budget_desk.payers.title", unit=money.name))
    words = ["paid", "running", "saved", "net"]
    table = grid(
        [page.t("budget_desk.payers.payer"), *[page.t(f"budget_desk.payers.{w}") for w in words]], right=range(1, 5)
    )
    sums = flows.groupby("payer", sort=False)[words].sum()
    places = decimals(sums.to_numpy().ravel() * money.factor)
    blank = page.t("budget_desk.payers.nobody" if case.funds else "budget_desk.payers.everybody")
    for payer, row in sums.iterrows():
        cells = [number(float(row[word]) * money.factor, places) for word in words]
        add(table, page.name("funds", str(payer)) if payer else blank, *cells)
    whole = [number(float(sums[word].sum()) * money.factor, places) for word in words]
    add(table, Text(page.t("budget_desk.payers.total"), style="bold"), *whole)
    page.show(table)
    page.heading(page.t("budget_desk.payers.years"))
    wide = flows.pivot_table(index="year", columns="payer", values="net", aggfunc="sum", fill_value=0.0, sort=False)
    names = [page.name("funds", str(payer)) if payer else blank for payer in wide.columns]
    table = grid(["", *names], right=range(1, len(names) + 1), keep=[0], fold=FOLD)
    places = decimals(wide.to_numpy().ravel() * money.factor)
    for year, row in wide.sort_index().iterrows():
        add(table, str(year), *[number(float(value) * money.factor, places) for value in row])
    page.show(table)
    page.note(page.t("budget_desk.payers.note"))
