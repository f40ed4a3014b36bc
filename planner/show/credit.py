"""What `planner credit` says: who brings about which cut, at what cost, how far carbon and pollution go together."""

import math
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from planner.amounts import decimals, number
from planner.credit import co_control, credit, decomposition, effects, fair_shares, paid_by_prices, savings
from planner.highlights import key_quantities, main_quantity
from planner.plan import Plan, csv_text
from planner.saving import write_files
from planner.show.layout import Page, add, grid

MOST = 25
"""Rows that are printed at most [-]."""
NAME, FOLD = 16, 11
"""Widths down to which names, and heads above their numbers, wrap [characters]."""
COLUMNS = 4
"""Quantities with a column of their own at most [-]."""
WORTH_A_COLUMN = 1e-3
"""Part of all payments from which on a quantity has a column of its own [-]."""
WAYS = ("both", "carbon", "pollution", "neither")
TABLES = {"sector": "sectors", "city": "cities", "measure": "measures"}


def show_credit(page: Page, plan: Plan, by: str) -> None:
    """One line per measure, sector or city, what existed before on a line of its own, and the sum."""
    assert page.case is not None
    settings, main = page.case.settings, main_quantity(page.case)
    if main is None:
        return
    told = credit(plan, effects(page.case))
    spent = savings(plan, told)
    joint = co_control(plan, main, by, credits=told).set_index(by)
    unit, money = page.unit("quantities", main), page.money
    page.line(Text(page.title(), style="bold"))
    page.line(page.t("credit.title", years=f"{settings.first_year}-{settings.last_year}"))
    page.line()
    heads = [
        page.t(f"credit.{by}"),
        page.t("credit.cut", quantity=page.quantity(main), unit=unit.name),
        page.t("credit.part"),
        page.t("credit.cost", unit=money.name),
        page.t("credit.net", unit=money.name),
        page.t("credit.equivalents"),
        page.t("credit.elasticity"),
        page.t("credit.quadrant"),
    ]
    table = grid(heads, right=range(1, 7), keep=[7], fold=FOLD)
    table.columns[0].min_width = NAME
    table.columns[7].min_width = max(cell_len(page.t(f"credit.{way}")) for way in WAYS)
    all_of = told[told["quantity"] == main]
    whole = -float(all_of["value"].sum())
    before = -float(all_of[all_of["part"] == "existing"]["value"].sum())
    planned = spent[spent["part"] == "planned"]
    own = planned[planned["item"] == "own"].groupby(by)["discounted"].sum()
    net = planned.groupby(by)["discounted"].sum()
    for id_, row in list(joint.iterrows())[:MOST]:
        name = str(id_)
        elasticity = "" if math.isnan(row["elasticity"]) else f"{row['elasticity']:.2f}"
        add(
            table,
            page.name(TABLES[by], name),
            shown(float(row["carbon"]) * unit.factor),
            percent(float(row["carbon"]), whole),
            shown(float(own.get(name, 0.0)) * money.factor),
            shown(float(net.get(name, 0.0)) * money.factor),
            shown(float(row["equivalents"]) / 1e6),
            elasticity,
            page.t(f"credit.{row['quadrant']}"),
        )
    if before:
        add(
            table,
            page.t("credit.existing"),
            shown(before * unit.factor),
            percent(before, whole),
        )
    sums = [shown(float(of.sum()) * money.factor) for of in (own, net)]
    add(table, page.t("credit.total"), shown(whole * unit.factor), "", *sums, shown(joint["equivalents"].sum() / 1e6))
    page.show(table)
    page.note(page.t("credit.note"))
    show_paid(page, plan, by)


def show_paid(page: Page, plan: Plan, by: str) -> None:
    """What the prices of the targets pay for all that planned units do, a column per quantity; the most paid first."""
    paid = paid_by_prices(plan)
    sums = paid.pivot_table(index=by, columns="quantity", values="value", aggfunc="sum", fill_value=0.0)
    largest = sums.abs().sum().sort_values(ascending=False, kind="stable")
    shown_ones = list(largest[largest > WORTH_A_COLUMN * largest.sum()].index[:COLUMNS])
    if not shown_ones:
        return
    money = page.money
    told = sums[shown_ones].assign(others=sums.drop(columns=shown_ones).sum(axis=1))
    told["total"] = told.sum(axis=1)
    told = told.sort_values("total", ascending=False, kind="stable")
    page.line()
    page.line(Text(page.t("credit.paid.title", unit=money.name), style="bold"))
    heads = [page.t(f"credit.{by}"), *(page.quantity(q) for q in shown_ones)]
    table = grid([*heads, page.t("credit.paid.others"), page.t("credit.total")], right=range(1, 20), fold=FOLD)
    table.columns[0].min_width = NAME
    for id_, *values in told.head(MOST).itertuples():
        add(table, page.name(TABLES[by], str(id_)), *(shown(value * money.factor) for value in values))
    add(table, page.t("credit.total"), *(shown(value * money.factor) for value in told.sum()))
    page.show(table)
    page.note(page.t("credit.paid.note"))


def percent(part: float, whole: float) -> str:
    """A part of a whole; blank where there is no whole."""
    return f"{100 * part / whole + 0.0:.1f} %".replace("-0.0 %", "0.0 %") if whole else ""


def shown(value: float) -> str:
    """A number with the digits that its size deserves."""
    return number(value + 0.0, decimals([value]))


def written(plan: Plan, folder: Path) -> None:
    """All shares as tables: credit, savings, paid_by_prices, co_control, shares, decomposition."""
    case = plan.case
    assert case is not None
    told = credit(plan, effects(case))
    files = {"credit": told, "savings": savings(plan, told), "paid_by_prices": paid_by_prices(plan)}
    main = main_quantity(case)
    if main is not None:
        for by in TABLES:
            files[f"co_control_{by}"] = co_control(plan, main, by, credits=told)
        files["shares"] = fair_shares(plan, main, told)
    last = case.settings.last_year
    for quantity in key_quantities(case):
        files[f"decomposition_{quantity}_{last}"] = decomposition(plan, quantity, last)
    write_files(folder, {f"{name}.csv": csv_text(frame).encode() for name, frame in files.items()})
