"""Chapters of money: who pays what in which years, what budgets allow, what the cuts cost."""

from collections.abc import Iterator

from planner import charts
from planner.amounts import decimals, fine_decimals, number
from planner.case import Case
from planner.highlights import budget_use, lines, main_quantity, runs
from planner.plan import Plan
from planner.report.document import Block, Chart, Table, Text, percent, with_data
from planner.ui import curves, figures, ledgers
from planner.words import Words

LABELLED = 4
"""Boxes of the cost curve named in the chart [-]."""


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
        yield Text(words.t("report.budgets_note", currency=words.currency), small=True)


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
