"""The report of a plan: what is reached, by what, where, when, with whose money, and how far to trust the numbers.

Every number comes from the frames of the plan, in the units of its readers; a test reads all tables back.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from planner import charts
from planner.amounts import decimals, fine_decimals, number
from planner.case import Case
from planner.credit import co_control, credit, effects
from planner.highlights import (
    budget_use,
    key_quantities,
    key_years,
    levels,
    lines,
    main_quantity,
    net_cost,
    next_years,
    peak_year,
    penalties,
    runs,
    starts_by_year,
    tightest,
)
from planner.plan import Plan
from planner.report.document import Block, Chapter, Chart, Document, Table, Text
from planner.report.weight import weights
from planner.rows import PROVINCE
from planner.ui import curves, figures, ledgers
from planner.ui.levers import short_name
from planner.words import Words
from planner.worklist import PLANNED, tasks

LARGEST = 25
"""Measures in the table of the largest and on the roadmap [-]."""
WEIGHTY = 12
"""Assumptions in the table of those that matter most [-]."""
SHOWN_STARTS = 30
NAMED, LABELLED = 8, 4
"""Missed targets named in the text, and boxes of the cost curve named in the chart [-]."""
Spec = Mapping[str, Any]


def report(case: Case, plan: Plan, lang: str, scenario: str = "") -> Document:
    """The report of a plan that was found; raises ValueError for any other."""
    if not plan.found:
        raise ValueError("there is no plan to report")
    words = Words(lang, case)
    told = credit(plan, effects(case))
    s = case.settings
    chapters = [
        ("summary", list(summary(words, case, plan))),
        ("targets", list(targets(words, case, plan))),
        ("path", list(path(words, case, plan, told))),
        ("portfolio", list(portfolio(words, case, plan, told))),
        ("roadmap", list(roadmap(words, case, plan))),
        ("money", list(money(words, case, plan))),
        ("curve", list(curve(words, case, plan))),
        ("weight", list(weight(words, case, plan))),
        ("trust", list(trust(words, case, plan))),
    ]
    filled = [(name, blocks) for name, blocks in chapters if blocks]
    numbers = "一二三四五六七八九十"
    subtitle = words.t("report.subtitle", first=s.first_year, last=s.last_year, base=s.base_year)
    return Document(
        lang=lang,
        title=words.title(),
        subtitle=subtitle + (words.t("report.scenario", name=scenario) if scenario else ""),
        facts=facts(words, case, plan),
        chapters=[
            Chapter(
                words.t(
                    "report.chapter", number=numbers[i] if lang == "zh" else i + 1, title=words.t(f"report.{name}")
                ),
                blocks,
            )
            for i, (name, blocks) in enumerate(filled)
        ],
        closing=words.t(
            "report.closing",
            digest=plan.summary["input_digest"][:12],
            version=plan.summary["versions"]["measure-planner"],
        ),
        labels={name: words.t(f"report.{name}") for name in ("contents", "kind")},
    )


def joined(words: Words, names: Sequence[str]) -> str:
    """Names one after the other."""
    return words.t("report.and").join(names)


def percent(value: float, whole: float) -> str:
    """A share with one decimal; nothing without a whole."""
    return f"{100 * value / whole + 0.0:.1f}%".replace("-0.0%", "0.0%") if whole else ""


# ---------------------------------------------------------------- headline


def facts(words: Words, case: Case, plan: Plan) -> list[tuple[str, str, str]]:
    """Cost, capital, targets kept, the main quantity at its top and in the last year."""
    money = words.money
    cost, capex = net_cost(plan) * money.factor, float(plan.portfolio["capex"].sum()) * money.factor
    rows = tightest(plan)
    kept = int((rows["missed"] == 0).sum())
    found = [
        (words.t("report.fact_net"), number(cost), money.name),
        (words.t("report.fact_capex"), number(capex), money.name),
        (words.t("report.fact_targets"), f"{kept}/{len(rows)}", words.t("report.items")),
    ]
    quantity = main_quantity(case)
    of = levels(plan)
    of = of[of["quantity"] == quantity]
    if quantity and len(of):
        unit = words.unit("quantities", quantity)
        year, height = peak_year(of)
        name = short_name(next(row for row in case.quantities if row.quantity == quantity), words.lang)
        last = case.settings.last_year
        end = float(of.loc[of["year"] == last, "planned"].iloc[0])
        found.append((words.t("report.fact_peak", name=name, year=year), number(height * unit.factor), unit.name))
        found.append((words.t("report.fact_last", name=name, year=last), number(end * unit.factor), unit.name))
    return found


def summary(words: Words, case: Case, plan: Plan) -> Iterator[Block]:
    """What the plan is, in a few sentences."""
    money, s = words.money, case.settings
    rows = tightest(plan)
    missed = rows[rows["missed"] > 0]
    started = plan.measures[plan.measures["starts"] > 0]
    first = {
        "first": s.first_year,
        "last": s.last_year,
        "started": len(started),
        "measures": len(case.measures),
        "cities": len(case.cities),
        "sectors": len(case.sectors),
    }
    yield Text(words.t("report.what", **first))
    cost = plan.costs.groupby("item")["discounted"].sum() * money.factor
    spent = {name: number(float(cost.get(name, 0.0))) for name in ("annuity", "fixed_om", "penalty")}
    saved = number(-float(cost.get("price", 0.0)))
    capex = float(plan.portfolio["capex"].sum()) * money.factor
    net, whole = net_cost(plan) * money.factor, (net_cost(plan) + penalties(plan)) * money.factor
    key = "report.cost_saves" if net < 0 else "report.cost_costs"
    yield Text(
        words.t(key, unit=money.name, capex=number(capex), net=number(abs(net)), saved=saved, base=s.base_year, **spent)
        + (
            words.t("report.fines", fines=number(penalties(plan) * money.factor), whole=number(whole), unit=money.name)
            if penalties(plan)
            else ""
        )
    )
    quantity = main_quantity(case)
    of = levels(plan)
    of = of[of["quantity"] == quantity]
    if quantity and len(of):
        unit = words.unit("quantities", quantity)
        year, height = peak_year(of)
        end = of[of["year"] == s.last_year].iloc[0]
        base = of[of["year"] == s.first_year].iloc[0]
        change = 100 * (float(end["planned"]) / float(end["baseline"]) - 1) if end["baseline"] else 0.0
        yield Text(
            words.t(
                "report.peaks",
                name=words.quantity(quantity),
                first=s.first_year,
                start=number(float(base["planned"]) * unit.factor),
                year=year,
                height=number(height * unit.factor),
                last=s.last_year,
                end=number(float(end["planned"]) * unit.factor),
                unit=unit.name,
                change=number(abs(change), 1),
                way=words.t("report.below" if change <= 0 else "report.above"),
            )
        )
    binding = int((rows["binding"] > 0).sum())
    yield Text(
        words.t("report.kept", kept=len(rows) - len(missed), targets=len(rows), binding=binding, missed=len(missed))
    )
    if len(missed):
        share = missed["missed"] / missed[["bound", "achieved"]].abs().max(axis=1)
        worst = missed.loc[share.sort_values(ascending=False, kind="stable").index].head(NAMED)
        names = joined(words, [words.name("targets", line.target) for line in lines(worst)])
        key = "report.missed" if len(missed) <= NAMED else "report.missed_most"
        yield Text(words.t(key, names=names, count=len(missed)))
    verdict = plan.summary.get("verdict", {}).get(words.lang)
    if verdict:
        yield Text(words.t("report.verdict", verdict=verdict), small=True)


# ---------------------------------------------------------------- targets


def targets(words: Words, case: Case, plan: Plan) -> Iterator[Block]:
    """Every target in its tightest year."""
    of = {row.target: row for row in case.targets}
    rows = []
    frame = tightest(plan)
    for line in lines(frame):
        target = of[line.target]
        unit = words.unit("quantities", target.quantity)
        bound, achieved, slack = (value * unit.factor for value in (line.bound, line.achieved, line.slack))
        places = decimals([bound, achieved])
        state = "missed" if line.missed > 0 else "exact" if line.binding else "kept"
        name = words.name("targets", line.target)
        place = "" if target.scope == PROVINCE else words.place(target.scope)
        stem = place.removesuffix("市")
        rows.append(
            [
                name
                + (
                    f"（{place}）"
                    if place and stem not in name and words.lang == "zh"
                    else f" ({place})"
                    if place and stem not in name
                    else ""
                ),
                words.t("report.list").join(target.clause),
                str(line.year),
                f"{'≤' if target.sense == '<=' else '≥'} {number(bound, places)}",
                number(achieved, places),
                number(slack, max(places, decimals([slack], 2))) if slack else "0",
                unit.name,
                words.t(f"report.state_{state}"),
            ]
        )
    if rows:
        heads = [
            words.t(f"report.{head}")
            for head in ("target", "clause", "year", "bound", "achieved", "slack", "unit", "state")
        ]
        widths = (0.3, 0.11, 0.07, 0.13, 0.11, 0.1, 0.09, 0.09)
        yield Text(words.t("report.targets_text"))
        yield Table("targets", words.t("report.targets_title"), heads, rows, frozenset({3, 4, 5}), widths=widths)


# ---------------------------------------------------------------- path


def path(words: Words, case: Case, plan: Plan, told: pd.DataFrame) -> Iterator[Block]:
    """Where the cuts of the main quantity come from, the levels of all bounded ones, how far they go together."""
    quantity = main_quantity(case)
    if quantity is None:
        return
    lang, last = words.lang, case.settings.last_year
    row = next(row for row in case.quantities if row.quantity == quantity)
    name, unit = short_name(row, lang), words.unit("quantities", quantity)
    frame = figures.wedge(case, plan, quantity, lang)
    said = {word: words.t(f"ui.wedge.{word}") for word in ("year", "sector", "baseline", "plan", "target")}
    said |= {
        "value": words.t("ui.wedge.value", quantity=name, unit=unit.name),
        "cut": words.t("ui.wedge.cut", unit=unit.name),
    }
    drawn = {sector: colour for sector, colour in figures.colours(case, lang).items() if sector in set(frame["sector"])}
    if len(frame):
        spec = with_data(charts.wedge(said, drawn), frame)
        yield Chart("wedge", words.t("report.wedge", name=name, unit=unit.name), spec, 330, words.t("ui.wedge.alt"))
        if figures.rising(frame):
            yield Text(words.t("ui.wedge.rising"), small=True)
    years = key_years(case, quantity)
    of = {(line.quantity, line.year): line for line in lines(levels(plan))}
    rows = []
    for q in key_quantities(case):
        shown = words.unit("quantities", q)
        values = [float(of[q, year].planned) * shown.factor for year in years]
        values.append(float(of[q, last].baseline) * shown.factor)
        places = decimals([abs(value) for value in values])
        rows.append([words.quantity(q), shown.name, *(number(value, places) for value in values)])
    heads = [
        words.t("report.quantity"),
        words.t("report.unit"),
        *map(str, years),
        words.t("report.baseline_of", year=last),
    ]
    right = frozenset(range(2, 3 + len(years)))
    yield Table("levels", words.t("report.levels_title"), heads, rows, right, widths=(0.3, 0.12))
    joint = co_control(plan, quantity, "sector", credits=told)
    joint = joint[(joint["carbon"].abs() > 1e-9) | (joint["equivalents"].abs() > 1e-9)]
    if len(joint):
        cut_places = decimals((joint["carbon"] * unit.factor).tolist())
        equivalent_places = decimals((joint["equivalents"] / 1e6).tolist(), 5)
        rows = [
            [
                words.name("sectors", line.sector),
                number(line.carbon * unit.factor, cut_places),
                number(line.equivalents / 1e6, equivalent_places),
                "" if np.isnan(line.elasticity) else f"{line.elasticity:.2f}",
                words.t(f"credit.{line.quadrant}"),
            ]
            for line in lines(joint)
        ]
        heads = [words.t("report.sector"), words.t("report.cut_sum", name=name, unit=unit.name)]
        heads += [words.t("report.equivalents"), words.t("report.elasticity"), words.t("report.quadrant")]
        title = words.t("report.joint_title", first=case.settings.first_year, last=last)
        yield Table("joint", title, heads, rows, frozenset({1, 2, 3}))
        yield Text(words.t("report.joint_note"), small=True)


def with_data(spec: Spec, frame: pd.DataFrame) -> Spec:
    """A chart with its data inside."""
    clean = frame.astype(object).where(frame.notna(), None)
    return {**spec, "data": {"values": clean.to_dict("records")}}


# ---------------------------------------------------------------- portfolio


def portfolio(words: Words, case: Case, plan: Plan, told: pd.DataFrame) -> Iterator[Block]:
    """Money, own cost and cuts by sector, city and department; the largest measures."""
    quantity, last = main_quantity(case), case.settings.last_year
    of_year = told[(told["year"] == last) & (told["quantity"] == quantity) & (told["part"] == PLANNED)]
    sectors = {row.measure: row.sector for row in case.measures}
    held = plan.portfolio.assign(sector=plan.portfolio["measure"].map(sectors))
    yield from by(words, case, plan, held, of_year, "sector", "sectors")
    yield from by(words, case, plan, held, of_year, "city", "cities")
    if quantity:
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
        cells = [label, str(count), number(spent, places), percent(spent, whole), number(running, own_places)]
        return [*cells, number(brought, cut_places), percent(brought, all_cut)] if unit else cells

    rows = [line(words.name(table, id_), [id_], int(begun.get(id_, 0))) for id_ in used]
    count = int(held[held["starts"] > 0]["measure"].nunique())
    rows.append(line(words.t("report.total"), used, count))
    name = ledgers.quantity_name(case, quantity, words.lang) if quantity else ""
    heads = [
        words.t(f"report.{column}"),
        words.t("report.measures_begun"),
        words.t("report.capital", unit=money.name),
        words.t("report.share"),
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
    """The measures that spend most."""
    money = words.money
    of = {row.measure: row for row in case.measures}
    started = plan.portfolio[plan.portfolio["starts"] > 0]
    spans = started.groupby("measure")["year"].agg(["min", "max"])
    cities = started.groupby(["measure", "city"])["starts"].sum().sort_values(ascending=False, kind="stable")
    rows = []
    top = plan.measures[plan.measures["starts"] > 0].sort_values("capex", ascending=False, kind="stable").head(LARGEST)
    places = decimals((top["capex"] * money.factor).tolist())
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
                number(line.capex * money.factor, places),
            ]
        )
    if rows:
        heads = [words.t(f"report.{head}") for head in ("measure", "sector", "amount", "unit", "when", "where")]
        widths = (0.3, 0.13, 0.12, 0.12, 0.11, 0.12, 0.1)
        title = words.t("report.largest", count=len(rows))
        yield Table(
            "largest",
            title,
            [*heads, words.t("report.capital", unit=money.name)],
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
    yield Chart("roadmap", words.t("report.gantt", count=count), spec, 20 * count + 30, words.t("ui.roadmap.alt"))
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
    title = words.t("report.next", first=years[0], last=years[-1], count=len(rows), all=len(starts))
    yield Table("next", title, heads, rows, frozenset(range(2, len(heads))), widths=(0.42, 0.16))


# ---------------------------------------------------------------- money


def money(words: Words, case: Case, plan: Plan) -> Iterator[Block]:
    """Who pays what in which years, and what budgets allow."""
    shown = words.money
    source = "fund" if case.funds else "sector"
    table = {"fund": "funds", "sector": "sectors"}[source]
    frame = ledgers.spending(case, plan, source, words.lang)
    drawn = set(frame["group"])
    every = list(ledgers.names_by(case, source, words.lang).values())
    colours = figures.colours(case, words.lang) if source == "sector" else ledgers.palette(every)
    said = {"value": words.t("report.capital", unit=shown.name), "year": "", "group": ""}
    if drawn - {""}:
        spec = with_data(charts.stacked(said, {name: colours[name] for name in every if name in drawn}), frame)
        yield Chart(
            "spending", words.t(f"report.spending_{source}", unit=shown.name), spec, 260, words.t("ui.spending.alt")
        )
    periods = spans(case)
    paid = frame[frame["part"] == "paid"]
    whole = float(paid["value"].sum())
    rows = []
    places = decimals([whole])
    for id_ in [str(row.ids()[0]) for row in case.rows(table)]:
        own = paid[paid["group"] == words.name(table, id_)].set_index("year")["value"]
        if own.sum():
            sums = [float(own[(own.index >= a) & (own.index <= b)].sum()) for a, b in periods]
            rows.append(
                [
                    words.name(table, id_),
                    *(number(v, places) for v in [*sums, float(own.sum())]),
                    percent(float(own.sum()), whole),
                ]
            )
    if rows:
        of = paid.groupby("year")["value"].sum()
        sums = [float(of[(of.index >= a) & (of.index <= b)].sum()) for a, b in periods]
        rows.append([words.t("report.total"), *(number(v, places) for v in [*sums, whole]), percent(whole, whole)])
        heads = [
            words.t(f"report.{source}"),
            *(f"{a}-{b}" if b > a else str(a) for a, b in periods),
            words.t("report.total"),
            words.t("report.share"),
        ]
        title = words.t(f"report.paid_{source}", unit=shown.name)
        yield Table("paid", title, heads, rows, frozenset(range(1, len(heads))), total=True)
    use = budget_use(plan, [row.budget for row in case.budgets if row.carry_over])
    if len(use):
        places = fine_decimals((use[["limit", "spent"]] * shown.factor).to_numpy().ravel())
        rows = [
            [
                words.name("budgets", line.budget),
                *(number(v * shown.factor, places) for v in (line.limit, line.spent, line.slack)),
                f"{line.price:.2f}" if line.price > 0 else "",
                runs(line.binding),
            ]
            for line in lines(use)
        ]
        heads = [words.t(f"report.{head}") for head in ("budget", "limit", "spent", "left", "worth", "binding")]
        yield Table(
            "budgets",
            words.t("report.budgets_title", unit=shown.name),
            heads,
            rows,
            frozenset({1, 2, 3, 4}),
            widths=(0.34, 0.12, 0.12, 0.12, 0.1, 0.2),
        )
        yield Text(words.t("report.budgets_note"), small=True)


def spans(case: Case, length: int = 5) -> list[tuple[int, int]]:
    """Periods of five years, ending in years that five divides: those of the plans of China."""
    found: list[tuple[int, int]] = []
    for year in case.years:
        if found and (year - 1) % length:
            found[-1] = (found[-1][0], year)
        else:
            found.append((year, year))
    return found


# ---------------------------------------------------------------- cost curve


def curve(words: Words, case: Case, plan: Plan) -> Iterator[Block]:
    """What the cuts of the last year cost, measure by measure."""
    quantity, last, lang = main_quantity(case), case.settings.last_year, words.lang
    if quantity is None:
        return
    frame, limits = curves.cost_curve(case, plan, quantity, last, lang)
    boxes = frame[frame["part"] == "box"]
    if boxes.empty:
        return
    name = ledgers.quantity_name(case, quantity, lang)
    unit, priced = words.unit("quantities", quantity), curves.price_unit(case, quantity, lang)
    abated = words.t("ui.joined", what=words.t("ui.curve.abated", quantity=name), unit=unit.name)
    cost = words.t("ui.curve.unit_cost", currency=words.currency, unit=priced.name)
    said = {"abated": abated, "value": cost} | dict.fromkeys(("measure", "sector", "price", "years"), "")
    colours = figures.colours(case, lang)
    drawn = {sector: colours[sector] for sector in colours if sector in set(boxes["sector"])}
    named = boxes["abated"].nlargest(LABELLED).index
    shown = frame.assign(label=frame["label"].where((frame["part"] != "box") | frame.index.isin(named), ""))
    spec = with_data(charts.cost_curve(said, drawn, limits), shown)
    yield Chart("curve", words.t("report.curve_title", name=name, year=last), spec, 340, words.t("ui.curve.alt"))
    yield Text(words.t("report.curve_note", name=name), small=True)
    wide = boxes.sort_values("abated", ascending=False, kind="stable").head(15)
    places = decimals(wide["abated"].tolist())
    rows = [
        [line.measure, line.sector, number(line.abated, places), number(line.value, 0)]
        for line in lines(wide.sort_values("value", kind="stable"))
    ]
    heads = [words.t("report.measure"), words.t("report.sector"), abated, cost]
    yield Table(
        "curve",
        words.t("report.curve_table", count=len(rows), year=last),
        heads,
        rows,
        frozenset({2, 3}),
        widths=(0.42, 0.18),
    )


# ---------------------------------------------------------------- what matters, and how far to trust it


def weight(words: Words, case: Case, plan: Plan) -> Iterator[Block]:
    """What the cost would change by if single assumptions were one percent off."""
    found = weights(case, plan).head(WEIGHTY)
    if found.empty:
        return
    money = words.money
    tables = {"annuity": "measures", "fixed_om": "measures", "price": "quantities", "target": "targets"}
    places = decimals((found["change"] * money.factor).tolist(), 3)
    rows = [
        [
            words.t(f"report.weight_{line.item}", name=words.name(tables[line.item], line.id)),
            line.grade or "—",
            f"{'+' if line.change > 0 else '−'}{number(abs(line.change) * money.factor, places)}",
        ]
        for line in lines(found)
    ]
    yield Text(words.t("report.weight_text"))
    heads = [words.t("report.assumption"), words.t("report.grade"), words.t("report.change", unit=money.name)]
    yield Table(
        "weight", words.t("report.weight_title", count=len(rows)), heads, rows, frozenset({2}), widths=(0.6, 0.15, 0.25)
    )


def trust(words: Words, case: Case, plan: Plan) -> Iterator[Block]:
    """What the numbers rest on, how many sources there are, and the proof."""
    rows = plan.summary.get("grades") or []
    yield Text(
        words.t(
            "report.sources",
            sources=len(case.sources),
            rows=sum(len(case.rows(name)) for name in ("measures", "effects", "potentials", "baseline", "prices")),
        )
    )
    if any(row[name] for row in rows for name in ("A", "B", "C")):
        shares = [name for name in ("A", "B", "C", "none") if name != "none" or any(row[name] for row in rows)]
        told = []
        for row in rows:
            known = row["number"] in ("cost", "capex")
            name = words.t(f"solve.{row['number']}") if known else words.quantity(row["number"])
            told.append(
                [name, str(row["year"] or ""), *(f"{row[share]:.0%}" if row[share] else "—" for share in shares)]
            )
        heads = [
            words.t("report.number"),
            words.t("report.year"),
            *(words.t(f"report.grade_{share}") for share in shares),
        ]
        yield Table("grades", words.t("report.grades_title"), heads, told, frozenset(range(2, 2 + len(shares))))
        yield Text(words.t("grades.note"), small=True)
    certificate = plan.summary.get("certificate") or {}
    verdict = plan.summary.get("verdict", {}).get(words.lang, "")
    if verdict:
        yield Text(words.t("report.proof", verdict=verdict, digest=plan.summary["input_digest"]))
    if certificate:
        yield Text(words.t("report.proof_note"), small=True)
    yield Text(words.t("report.method"))
