"""Chapters of the portfolio and its roadmap: by sector, city and department, what is largest, what begins when."""

from collections.abc import Iterator

import pandas as pd

from planner import charts
from planner.amounts import decimals, number
from planner.case import Case
from planner.highlights import invests, lines, main_quantity, next_years, ranked, starts_by_year
from planner.plan import Plan
from planner.report.document import Block, Chart, Table, Text, joined, percent, with_data
from planner.ui import curves, figures, ledgers
from planner.words import Words
from planner.worklist import PLANNED, tasks

LARGEST = 25
"""Measures in the table of the largest and on the roadmap [-]."""
SHOWN_STARTS = 30


def portfolio(words: Words, case: Case, plan: Plan, told: pd.DataFrame) -> Iterator[Block]:
    """Money, own cost and cuts by sector, city and department; the largest measures."""
    quantity, last = main_quantity(case), case.settings.last_year
    of_year = told[(told["year"] == last) & (told["quantity"] == quantity) & (told["part"] == PLANNED)]
    sectors = {row.measure: row.sector for row in case.measures}
    held = plan.portfolio.assign(sector=plan.portfolio["measure"].map(sectors))
    yield from by(words, case, plan, held, of_year, "sector", "sectors")
    if len(case.cities) > 1:
        yield from by(words, case, plan, held, of_year, "city", "cities")
    if quantity and len(case.cities) > 1:
        unit = words.unit("quantities", quantity)
        cut = ledgers.cities(case, plan, words.lang)
        name = ledgers.quantity_name(case, quantity, words.lang)
        shapes = ledgers.shapes(case, dict(zip(cut["id"], cut["cut"], strict=True)), words.lang)
        said = {"value": words.t("ui.joined", what=words.t("ui.cities.cut", quantity=name, year=last), unit=unit.name)}
        said |= {"name": words.t("report.city"), "group": words.t("report.city")}
        title = words.t("report.map", name=name, year=last, unit=unit.name)
        if shapes is not None:
            yield Chart("map", title, charts.choropleth(said, shapes), 420, words.t("ui.cities.alt"))
        elif cut["cut"].abs().max() > 0:
            frame = cut.rename(columns={"city": "group", "cut": "value"})[["group", "value"]]
            yield Chart(
                "map", title, with_data(charts.bars(said), frame), 24 * len(frame) + 60, words.t("ui.cities.alt")
            )
    yield from departments(words, case, plan)
    yield from largest(words, case, plan)


def by(
    words: Words, case: Case, plan: Plan, held: pd.DataFrame, cuts: pd.DataFrame, column: str, table: str
) -> Iterator[Block]:
    """One line per sector or city, and the sum."""
    money, quantity = words.money, main_quantity(case)
    unit = words.unit("quantities", quantity) if quantity else None
    capex = held.groupby(column)["capex"].sum() * money.factor
    begun = held[held["starts"] > 0].groupby(column)["measure"].nunique()
    own = (
        plan.costs[plan.costs["item"].isin(["annuity", "fixed_om"])].groupby(column)["discounted"].sum() * money.factor
    )
    cut = -cuts.groupby(column)["value"].sum() * (unit.factor if unit else 0.0)
    ids = [str(row.ids()[0]) for row in case.rows(table)]
    used = [id_ for id_ in ids if capex.get(id_, 0.0) or own.get(id_, 0.0) or cut.get(id_, 0.0)]
    whole, all_cut = float(capex.sum()), float(cut.sum())
    places, cut_places = decimals([whole]), decimals([all_cut])
    own_places = decimals([float(own.sum())])

    def line(label: str, members: list[str], count: int) -> list[str]:
        spent = float(sum(capex.get(id_, 0.0) for id_ in members))
        running = float(sum(own.get(id_, 0.0) for id_ in members))
        brought = float(sum(cut.get(id_, 0.0) for id_ in members))
        paid = [number(spent, places), percent(spent, whole)] if whole else []
        cells = [label, str(count), *paid, number(running, own_places)]
        return [*cells, number(brought, cut_places), percent(brought, all_cut)] if unit else cells

    rows = [line(words.name(table, id_), [id_], int(begun.get(id_, 0))) for id_ in used]
    count = int(held[held["starts"] > 0]["measure"].nunique())
    rows.append(line(words.t("report.total"), used, count))
    name = ledgers.quantity_name(case, quantity, words.lang) if quantity else ""
    heads = [
        words.t(f"report.{column}"),
        words.t("report.measures_begun"),
        *([words.t("report.capital", unit=money.name), words.t("report.share")] if whole else []),
    ]
    heads.append(words.t("report.own", unit=money.name))
    if unit:
        heads += [
            words.t("report.cut_in", name=name, year=case.settings.last_year, unit=unit.name),
            words.t("report.share"),
        ]
    yield Table(
        f"by_{column}", words.t(f"report.by_{column}"), heads, rows, frozenset(range(1, len(heads))), True, (0.2, 0.1)
    )


def departments(words: Words, case: Case, plan: Plan) -> Iterator[Block]:
    """Tasks, capital and funds by lead department."""
    if not any(row.departments for row in case.measures):
        return
    money = words.money
    frame = tasks(plan, quantities=[])
    funds = [row.fund for row in case.funds]
    sums = frame.groupby("lead")[["capex", *(f"fund:{f}" for f in funds)]].sum() * money.factor
    counts = frame[frame["part"] == PLANNED].groupby("lead")["measure"].count()
    sums = sums.sort_values("capex", ascending=False, kind="stable")
    places = decimals([float(sums["capex"].sum())])
    rows = [
        [
            words.name("departments", str(lead)) if lead else words.t("tasks.no_department"),
            str(int(counts.get(lead, 0))),
        ]
        + [number(float(value), places) for value in row.tolist()]
        for lead, row in sums.iterrows()
    ]
    rows.append(
        [
            words.t("report.total"),
            str(int(counts.sum())),
            *(number(float(value), places) for value in sums.sum().tolist()),
        ]
    )
    heads = [
        words.t("tasks.lead"),
        words.t("tasks.count"),
        words.t("report.capital", unit=money.name),
        *(words.name("funds", f) for f in funds),
    ]
    yield Table(
        "by_department",
        words.t("report.by_department"),
        heads,
        rows,
        frozenset(range(1, len(heads))),
        True,
        (0.24, 0.08),
    )


def largest(words: Words, case: Case, plan: Plan) -> Iterator[Block]:
    """The measures that spend most; where nothing is invested, those that cost or save most."""
    money = words.money
    of = {row.measure: row for row in case.measures}
    started = plan.portfolio[plan.portfolio["starts"] > 0]
    spans = started.groupby("measure")["year"].agg(["min", "max"])
    cities = started.groupby(["measure", "city"])["starts"].sum().sort_values(ascending=False, kind="stable")
    rows = []
    size = "capex" if invests(plan) else "cost"
    every = ranked(plan)
    top = every[every["starts"] > 0].head(LARGEST)
    places = decimals((top[size] * money.factor).abs().tolist())
    for line in lines(top):
        unit = words.unit("measures", line.measure)
        first, last = (int(year) for year in spans.loc[line.measure])
        where = [words.place(str(city)) for city in cities.loc[line.measure].index]
        everywhere = len(where) == len(case.cities) > 1
        told = words.t("measures.everywhere") if everywhere else joined(words, where[:2])
        if not everywhere and len(where) > 2:
            told = words.t("measures.others", places=told, count=len(where) - 2, total=len(where))
        rows.append(
            [
                words.name("measures", line.measure),
                words.name("sectors", of[line.measure].sector),
                number(line.starts * unit.factor),
                unit.name,
                f"{first}-{last}" if last > first else str(first),
                told,
                number(getattr(line, size) * money.factor, places),
            ]
        )
    if rows:
        heads = [words.t(f"report.{head}") for head in ("measure", "sector", "amount", "unit", "when", "where")]
        widths = (0.3, 0.13, 0.12, 0.12, 0.11, 0.12, 0.1)
        title = words.t(f"report.largest_{size}", count=len(rows))
        yield Table(
            "largest",
            title,
            [*heads, words.t("report.capital" if size == "capex" else "report.own", unit=money.name)],
            rows,
            frozenset({2, 6}),
            widths=widths,
        )


# ---------------------------------------------------------------- roadmap


def roadmap(words: Words, case: Case, plan: Plan) -> Iterator[Block]:
    """When the largest measures are built and serve; what has to be begun in the next years."""
    frame = curves.roadmap(case, plan, words.lang, LARGEST)
    if frame.empty:
        return
    said = dict.fromkeys(("measure", "sector", "from", "until", "amount"), "")
    colours = figures.colours(case, words.lang)
    drawn = {name: colours[name] for name in colours if name in set(frame["sector"])}
    span = (case.settings.first_year, case.settings.last_year)
    spec = with_data(charts.roadmap(said, drawn, span), frame)
    count = frame["measure"].nunique()
    title = words.t("report.gantt" if invests(plan) else "report.gantt_cost", count=count)
    yield Chart("roadmap", title, spec, 20 * count + 30, words.t("ui.roadmap.alt"))
    yield Text(words.t("report.gantt_note"), small=True)
    years = next_years(case)
    starts = starts_by_year(plan, years)
    if starts.empty:
        return
    rows = []
    for measure, row in starts.head(SHOWN_STARTS).iterrows():
        unit = words.unit("measures", str(measure))
        values = [float(value) * unit.factor for value in row]
        places = decimals(values, 3)
        cells = [number(value, places) if value else "—" for value in values]
        rows.append([words.name("measures", str(measure)), unit.name, *cells])
    heads = [words.t("report.measure"), words.t("report.unit"), *map(str, years)]
    listed = "report.next" if invests(plan) else "report.next_listed"
    title = words.t(listed, first=years[0], last=years[-1], count=len(rows), all=len(starts))
    yield Table("next", title, heads, rows, frozenset(range(2, len(heads))), widths=(0.42, 0.16))
