"""Task lists by department or city and breakdowns of targets, on screen and as a workbook to hand out."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
from rich.text import Text

from planner.amounts import decimals, number
from planner.files import escaped
from planner.highlights import lines, main_quantity
from planner.show.layout import Page, add, grid
from planner.words import Words
from planner.worklist import PLANNED, TASKS

BY = {"department": ("lead", "departments"), "city": ("city", "cities")}
MOST = 40
"""Tasks printed at most [-]."""
MOST_EFFECTS = 3
"""Effects told of a task at most [-]."""


def effects_of(frame: pd.DataFrame) -> list[str]:
    """Quantities that a list of tasks tells about."""
    return [name for name in frame.columns if name not in TASKS and not name.startswith("fund:")]


def funds_of(frame: pd.DataFrame) -> list[str]:
    """Columns with what funds pay."""
    return [name for name in frame.columns if name.startswith("fund:")]


def effect_words(words: Words, frame: pd.DataFrame, row: Any, quantities: Sequence[str], most: int) -> str:
    """The largest effects of a task, relative to those of all tasks."""
    sizes = frame[list(quantities)].abs().max()
    parts = [(abs(row[q]) / sizes[q], q) for q in quantities if sizes[q] > 0 and abs(row[q]) > 1e-9 * sizes[q]]
    told = []
    for _, q in sorted(parts, key=lambda part: -part[0])[:most]:
        unit = words.unit("quantities", q)
        value = row[q] * unit.factor
        told.append(
            f"{words.quantity(q)} {'+' if value > 0 else '−'}{number(abs(value), decimals([value], 3))} {unit.name}"
        )
    return ("；" if words.lang == "zh" else "; ").join(told)


def whole_name(words: Words, by: str, id_: str) -> str:
    """Name of a department or city; words for none."""
    return words.name(BY[by][1], id_) if id_ else words.t(f"tasks.no_{by}")


def groups(frame: pd.DataFrame, by: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Tasks by department or city, the largest capital first."""
    column = BY[by][0]
    sums = frame.groupby(column)["capex"].sum().sort_values(ascending=False, kind="stable")
    for id_ in sums.index:
        yield str(id_), frame[frame[column] == id_]


def show_tasks(page: Page, frame: pd.DataFrame, by: str, year: int, only: str | None) -> None:
    """One line per department or city and their sum; with `only` the tasks of one."""
    money = page.money
    quantity = main_quantity(page.case) if page.case else None
    page.line(Text(page.title(), style="bold"))
    if only is not None:
        own = frame[frame[BY[by][0]] == only]
        page.heading(page.t("tasks.of", name=whole_name(page, by, only), count=int((own["part"] == PLANNED).sum())))
        table = grid([page.t(f"tasks.{head}", unit=money.name) for head in HEADS[by]], right=[2, 6], keep=[3])
        for _, row in own[own["part"] == PLANNED].head(MOST).iterrows():
            counted = page.unit("measures", row["measure"])
            other = page.place(row["city"]) if by == "department" else page.name("departments", row["lead"])
            add(
                table,
                *(page.name("measures", row["measure"]), other, number(row["starts"] * counted.factor), counted.name),
                *(str(row["start"]), str(row["service"])),
                *(number(row["capex"] * money.factor, decimals([row["capex"] * money.factor], 3)),),
                effect_words(page, frame, row, effects_of(frame), 1),
            )
        page.show(table)
        left = int((own["part"] == PLANNED).sum()) - MOST
        if left > 0:
            page.note(page.t("solve.more_short", count=left))
        return
    page.heading(page.t(f"tasks.by_{by}", unit=money.name))
    unit = page.unit("quantities", quantity) if quantity else None
    funds = funds_of(frame)
    heads = [page.t(f"tasks.{by}"), page.t("tasks.count"), page.t("tasks.sum")]
    heads += [page.name("funds", name.removeprefix("fund:")) for name in funds]
    heads += (
        [page.t("tasks.effect_in", quantity=page.quantity(quantity), unit=unit.name, year=year)]
        if unit and quantity
        else []
    )
    table = grid(heads, right=range(1, len(heads)))
    rows = [(whole_name(page, by, id_), of) for id_, of in groups(frame, by)]
    places = decimals([of["capex"].sum() * money.factor for _, of in rows], 4)
    for name, of in [*rows, (page.t("credit.total"), frame)]:
        cells = [str(int((of["part"] == PLANNED).sum())), number(of["capex"].sum() * money.factor, places)]
        cells += [number(of[fund].sum() * money.factor, places) for fund in funds]
        if unit is not None and quantity in of:
            value = of[quantity].sum() * unit.factor
            cells.append(number(value, decimals([value])))
        add(table, name, *cells)
    page.show(table)
    page.note(page.t("tasks.note", year=year))


HEADS = {
    "department": ("measure", "city", "amount", "unit", "start", "service", "capital", "effect"),
    "city": ("measure", "department", "amount", "unit", "start", "service", "capital", "effect"),
}


def tasks_workbook(words: Words, frame: pd.DataFrame, by: str, year: int) -> bytes:
    """A workbook with a sheet of sums and one per department or city, each with its totals."""
    import openpyxl  # noqa: PLC0415  only workbooks need it

    from planner.workbook.results import written  # noqa: PLC0415

    book = openpyxl.Workbook()
    first = book.worksheets[0]
    first.title = words.t("tasks.summary")
    money, funds, quantities = words.money, funds_of(frame), effects_of(frame)
    fund_heads = [f"{words.name('funds', f.removeprefix('fund:'))} [{money.name}]" for f in funds]
    sums = []
    for number_, (id_, of) in enumerate(groups(frame, by), start=1):
        name = whole_name(words, by, id_)
        sheet = book.create_sheet(f"{number_} {name}"[:31].translate(str.maketrans("[]:*?/\\", "()-----")))
        heads = [
            "measure",
            "city",
            "sector",
            "lead",
            "others",
            "clause",
            "amount",
            "unit",
            "start",
            "service",
            "capital",
        ]
        rows: list[list[Any]] = []
        for _, row in of.iterrows():
            unit = words.unit("measures", row["measure"])
            planned = row["part"] == PLANNED
            rows.append(
                [
                    words.name("measures", row["measure"]) + ("" if planned else words.t("tasks.before")),
                    words.place(row["city"]),
                    words.name("sectors", row["sector"]),
                    words.name("departments", row["lead"]),
                    words.t("tasks.and").join(words.name("departments", d) for d in row["others"].split(";") if d),
                    row["clause"],
                    float(row["starts"] * unit.factor) if planned else None,
                    unit.name,
                    int(row["start"]) if planned else None,
                    int(row["service"]) if planned else None,
                    float(row["capex"] * money.factor),
                    *(float(row[f] * money.factor) for f in funds),
                    effect_words(words, frame, row, quantities, MOST_EFFECTS),
                ]
            )
        total = [words.t("credit.total"), *[None] * 9, float(of["capex"].sum() * money.factor)]
        rows.append([*total, *(float(of[f].sum() * money.factor) for f in funds)])
        shown = [words.t(f"tasks.{head}", unit=money.name) for head in heads]
        written(
            sheet,
            [*shown, *fund_heads, words.t("tasks.effect_year", year=year)],
            [r + [None] * (12 + len(funds) - len(r)) for r in rows],
            [8, 9],
        )
        sums.append([name, int((of["part"] == PLANNED).sum()), *rows[-1][10:]])
    every = [float(frame[name].sum() * money.factor) for name in ("capex", *funds)]
    sums.append([words.t("credit.total"), int((frame["part"] == PLANNED).sum()), *every])
    written(
        first,
        [words.t(f"tasks.{by}"), words.t("tasks.count"), words.t("tasks.capital", unit=money.name), *fund_heads],
        sums,
    )
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def show_breakdown(page: Page, frame: pd.DataFrame, by: str) -> None:
    """Every target of the whole area by city or sector: what each part reaches and cuts, with its sum."""
    assert page.case is not None
    targets = {row.target: row for row in page.case.targets}
    table_of = {"city": "cities", "sector": "sectors"}[by]
    page.line(Text(page.title(), style="bold"))
    for target, of in frame.groupby("target", sort=False):
        row = targets[str(target)]
        unit = page.unit("quantities", row.quantity)
        year = int(of["year"].iloc[0])
        name = page.name("targets", row.target)
        page.heading(name, f"{page.quantity(row.quantity)}, {page.t('solve.in_year', year=year)} [{unit.name}]")
        heads = [
            page.t(f"credit.{by}"),
            *(page.t(f"breakdown.{head}", year=page.case.settings.base_year) for head in PARTS),
        ]
        table = grid(heads, right=range(1, len(heads)))
        sums = of.groupby(by, sort=False)[["base", "baseline", "planned", "cut"]].sum() * unit.factor
        places = decimals(sums[["base", "planned"]].abs().to_numpy().ravel())
        whole = float(sums["cut"].sum())
        for line in lines(sums.reset_index().rename(columns={by: "id"})):
            label = page.name(table_of, line.id) if line.id else page.t("breakdown.nowhere")
            add(table, label, *cells(line, places, whole))
        total = pd.DataFrame([sums.sum()])
        add(table, page.t("credit.total"), *cells(next(lines(total)), places, whole), style="bold")
        page.show(table)


PARTS = ("base", "baseline", "planned", "change", "cut", "part")


def cells(line: Any, places: int, whole: float) -> list[str]:
    """Levels, change against the base year, cut against the baseline, and part of the whole cut."""
    change = f"{100 * (line.planned / line.base - 1):+.1f} %" if line.base else ""
    part = f"{100 * line.cut / whole + 0.0:.1f} %" if whole else ""
    return [
        *(number(value, places) for value in (line.base, line.baseline, line.planned)),
        change,
        number(line.cut, places),
        part,
    ]


def named(words: Words, frame: pd.DataFrame) -> pd.DataFrame:
    """A table with the names of what its ids stand for beside them, no text of it a formula."""
    told = frame.copy()
    tables = {"measure": "measures", "city": "cities", "sector": "sectors", "lead": "departments", "target": "targets"}
    for column, table in tables.items():
        if column in told:
            names = [escaped(words.name(table, str(id_))) if id_ else "" for id_ in told[column]]
            told.insert(list(told.columns).index(column) + 1, f"{column}_name", names)
    return told
