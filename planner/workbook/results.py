"""Sheets of results: the plan in the units of its readers, with charts of the spreadsheet program itself."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from planner.case import Case
from planner.files import OUTPUT, escaped
from planner.highlights import budget_use, invests, key_quantities, levels, lines, net_cost, penalties, ranked, runs
from planner.plan import Plan
from planner.words import Words
from planner.workbook.inputs import FONT, wide_page

HEAD = PatternFill("solid", fgColor="0F766E")
CHARTED = 3
"""Quantities whose paths are charted [-]."""
LARGEST = 15
"""Measures in the chart of the largest [-]."""
COLOURS = ("0F766E", "E3A008", "3B6FB6", "C2553B", "7A9E3D", "8C6BB1", "5FA8A0", "A67C52", "D48AA8", "64748B")
AMOUNT, YEAR = "#,##0.00", "0"
WIDTH, HEIGHT = 22, 9
"""Size of a chart [cm]."""


def result_sheets(book: Workbook, case: Case, plan: Plan, lang: str) -> None:
    """All sheets of results, in reading order."""
    words = Words(lang, case)
    summary(book, words, case, plan)
    targets(book, words, case, plan)
    measures(book, words, case, plan)
    starts(book, words, case, plan)
    spending(book, words, case, plan)
    budgets(book, words, case, plan)


def sheet_of(book: Workbook, words: Words, name: str) -> Worksheet:
    """An empty sheet of results."""
    sheet: Worksheet = book.create_sheet(OUTPUT + words.t(f"results.{name}"))
    wide_page(sheet)
    sheet.sheet_properties.tabColor = "E3A008"
    return sheet


def written(sheet: Worksheet, heads: Sequence[str], rows: Sequence[Sequence[Any]], years: Sequence[int] = ()) -> None:
    """A table from the first row on, its header frozen; columns in `years` hold years."""
    top = sheet.max_row + 2 if sheet.max_row > 1 else 1
    for place, text in enumerate(heads, start=1):
        cell: Any = sheet.cell(top, place, escaped(text))
        cell.font, cell.fill = Font(name=FONT, bold=True, color="FFFFFF"), HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for number, row in enumerate(rows, start=top + 1):
        for place, value in enumerate(row, start=1):
            if value is None or (isinstance(value, float) and pd.isna(value)):
                continue
            cell = sheet.cell(number, place, escaped(value) if isinstance(value, str) else value)
            if isinstance(value, float):
                cell.number_format = AMOUNT
            elif place - 1 in years:
                cell.number_format = YEAR
    if top == 1:
        sheet.freeze_panes = "B2"
    for place in range(1, len(heads) + 1):
        letter = get_column_letter(place)
        cells = [str(heads[place - 1]), *(str(row[place - 1]) for row in rows if isinstance(row[place - 1], str))]
        widest = max(sum(2 if ord(c) > 255 else 1 for c in text) for text in cells)
        width = sheet.column_dimensions[letter].width if top > 1 else 0
        sheet.column_dimensions[letter].width = max(width, min(48, widest + 3), 12)


def summary(book: Workbook, words: Words, case: Case, plan: Plan) -> None:
    """Headline, and the path of what targets bound, without and with the plan; charts of the first few."""
    sheet = sheet_of(book, words, "summary")
    money = words.money
    capex = float(plan.portfolio["capex"].sum())
    verdict = plan.summary.get("verdict", {}).get(words.lang, "")
    rows: list[list[Any]] = [
        [words.t("solve.cost"), (net_cost(plan) + penalties(plan)) * money.factor, money.name],
        [words.t("solve.penalties"), penalties(plan) * money.factor, money.name],
        [words.t("solve.net"), net_cost(plan) * money.factor, money.name],
        [words.t("solve.capex"), capex * money.factor, money.name],
    ]
    written(sheet, [words.title(), "", words.t("targets.unit")], rows)
    sheet.append([])
    for text in (
        words.t(f"statuses.{plan.status}"),
        verdict,
        words.t("results.digest", digest=plan.summary["input_digest"]),
    ):
        if text:
            sheet.append([escaped(text)])
    of = levels(plan)
    years = case.years
    top = sheet.max_row + 2
    rows = []
    for quantity in key_quantities(case):
        unit = words.unit("quantities", quantity)
        path = of[of["quantity"] == quantity].set_index("year")
        for part in ("baseline", "planned"):
            values = [float(path[part].get(year, 0.0)) * unit.factor for year in years]
            rows.append([words.quantity(quantity), words.t(f"solve.{part}"), unit.name, *values])
    written(sheet, [words.t("compare.quantity"), "", words.t("targets.unit"), *map(str, years)], rows)
    sheet.column_dimensions["A"].width = 34
    below = sheet.max_row + 2
    for number in range(min(CHARTED, len(rows) // 2)):
        chart = LineChart()
        chart.title = f"{rows[2 * number][0]} [{rows[2 * number][2]}]"
        first = top + 1 + 2 * number
        for row in (first, first + 1):
            chart.add_data(
                Reference(sheet, min_col=2, max_col=3 + len(years), min_row=row), from_rows=True, titles_from_data=True
            )
        for series, row in zip(chart.series, (first, first + 1), strict=True):
            series.val.numRef.f = str(Reference(sheet, min_col=4, max_col=3 + len(years), min_row=row))
            series.graphicalProperties.line.solidFill = "7B8A88" if row == first else "0F766E"
            series.smooth = False
        chart.set_categories(Reference(sheet, min_col=4, max_col=3 + len(years), min_row=top))
        placed(sheet, chart, f"A{below + number * 20}")


def placed(sheet: Worksheet, chart: Any, where: str) -> None:
    """A chart on its sheet, axes shown, legend below."""
    chart.width, chart.height = WIDTH, HEIGHT
    chart.x_axis.delete = chart.y_axis.delete = False
    if chart.legend is not None:
        chart.legend.position = "b"
    sheet.add_chart(chart, where)


def targets(book: Workbook, words: Words, case: Case, plan: Plan) -> None:
    """Every row of every target."""
    of = {row.target: row for row in case.targets}
    rows = []
    for line in lines(plan.targets):
        unit = words.unit("quantities", of[line.target].quantity)
        state = "missed" if line.missed > 0 else "exact" if line.slack == 0 else "kept"
        values = [float(value) * unit.factor for value in (line.bound, line.achieved, line.slack, line.missed)]
        name, sense = words.name("targets", line.target), "≤" if of[line.target].sense == "<=" else "≥"
        rows.append(
            [
                line.target,
                name,
                words.place(line.scope),
                int(line.year),
                sense,
                *values,
                unit.name,
                words.t(f"results.{state}"),
            ]
        )
    heads = ["target", "name", "scope", "year", "sense", "bound", "achieved", "slack", "missed", "unit", "state"]
    written(sheet_of(book, words, "targets"), [words.t(f"results.{head}") for head in heads], rows, [3])


def measures(book: Workbook, words: Words, case: Case, plan: Plan) -> None:
    """Every measure that is started, the largest first; a chart of those that spend most."""
    sheet = sheet_of(book, words, "measures")
    started = plan.portfolio[plan.portfolio["starts"] > 0].groupby("measure")["year"].agg(["min", "max"])
    of = {row.measure: row for row in case.measures}
    money = words.money
    rows = []
    every = ranked(plan)
    for line in lines(every[every["measure"].isin(started.index)]):
        unit = words.unit("measures", line.measure)
        first, last = (int(year) for year in started.loc[line.measure])
        name, sector = words.name("measures", line.measure), words.name("sectors", of[line.measure].sector)
        amount, capex, cost = line.starts * unit.factor, line.capex * money.factor, line.cost * money.factor
        rows.append([line.measure, name, sector, float(amount), unit.name, first, last, float(capex), float(cost)])
    heads = ["measure", "name", "sector", "starts", "unit", "first", "last", "capex", "own"]
    written(sheet, [words.t(f"results.{head}", unit=money.name) for head in heads], rows, [5, 6])
    if rows:
        chart = BarChart()
        chart.type, chart.legend = "bar", None
        size = "capex" if invests(plan) else "cost"
        chart.title = words.t(f"measures.title_{size}", unit=money.name)
        last = min(LARGEST, len(rows)) + 1
        chart.add_data(Reference(sheet, min_col=8 if size == "capex" else 9, min_row=2, max_row=last))
        chart.set_categories(Reference(sheet, min_col=2, min_row=2, max_row=last))
        chart.series[0].graphicalProperties.solidFill = "0F766E"
        chart.y_axis.numFmt = "#,##0"
        chart.x_axis.scaling.orientation = "maxMin"
        placed(sheet, chart, f"A{sheet.max_row + 3}")
        chart.height = 14


def starts(book: Workbook, words: Words, case: Case, plan: Plan) -> None:
    """Starts and stock by measure, city and year."""
    money = words.money
    rows = []
    for line in lines(plan.portfolio):
        unit = words.unit("measures", line.measure)
        name, city = words.name("measures", line.measure), words.place(line.city)
        amounts = [float(line.starts) * unit.factor, float(line.stock) * unit.factor]
        spent = [float(line.capex) * money.factor, float(line.cost) * money.factor]
        rows.append([line.measure, name, city, int(line.year), *amounts, unit.name, *spent])
    heads = ["measure", "name", "city", "year", "starts", "stock", "unit", "capex", "yearly"]
    sheet = sheet_of(book, words, "starts_sheet")
    written(sheet, [words.t(f"results.{head}", unit=money.name) for head in heads], rows, [3])
    sheet.auto_filter.ref = f"A1:I{max(2, len(rows) + 1)}"


def spending(book: Workbook, words: Words, case: Case, plan: Plan) -> None:
    """Capital spending by year and payer (or sector, where there are no funds), stacked."""
    sheet = sheet_of(book, words, "spending")
    money = words.money
    if len(plan.funds):
        wide = plan.funds.pivot_table(index="year", columns="fund", values="paid", aggfunc="sum", fill_value=0.0)
        table = "funds"
    else:
        sectors = {row.measure: row.sector for row in case.measures}
        told = plan.portfolio.assign(sector=plan.portfolio["measure"].map(sectors))
        wide = told.pivot_table(index="year", columns="sector", values="capex", aggfunc="sum", fill_value=0.0)
        table = "sectors"
    names = [str(row.ids()[0]) for row in case.rows(table)]
    wide = wide.reindex(index=case.years, columns=[name for name in names if name in wide], fill_value=0.0)
    paid = (wide * money.factor).to_numpy().tolist()
    rows = [[str(year), *values] for year, values in zip(case.years, paid, strict=True)]
    head = words.t("results.spent_in", unit=money.name)
    written(sheet, [head, *(words.name(table, str(name)) for name in wide.columns)], rows)
    chart = BarChart()
    chart.grouping, chart.overlap, chart.title = "stacked", 100, words.t("results.spending_title", unit=money.name)
    chart.add_data(
        Reference(sheet, min_col=2, max_col=1 + len(wide.columns), min_row=1, max_row=len(rows) + 1),
        titles_from_data=True,
    )
    chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=len(rows) + 1))
    for series, colour in zip(chart.series, COLOURS, strict=False):
        series.graphicalProperties.solidFill = colour
    chart.y_axis.numFmt = "#,##0"
    placed(sheet, chart, f"A{sheet.max_row + 3}")


def budgets(book: Workbook, words: Words, case: Case, plan: Plan) -> None:
    """Limit, spent and left of every budget."""
    use = budget_use(plan, [row.budget for row in case.budgets if row.carry_over])
    money = words.money
    rows = [
        [
            line.budget,
            words.name("budgets", line.budget),
            *(float(v) * money.factor for v in (line.limit, line.spent, line.slack)),
            runs(line.binding),
        ]
        for line in lines(use)
    ]
    heads = ["budget", "name", "limit", "spent", "left", "binding"]
    written(sheet_of(book, words, "budgets"), [words.t(f"results.{head}", unit=money.name) for head in heads], rows)
