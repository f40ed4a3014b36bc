"""Chapters on how far to trust the plan: futures in which its data are wrong, heavy assumptions, sources, proof."""

from collections.abc import Iterator

import numpy as np

from planner.amounts import decimals, number
from planner.case import Case
from planner.futures import Robustness
from planner.highlights import lines
from planner.plan import Plan
from planner.report.document import Block, Table, Text
from planner.report.weight import weights
from planner.show.robustness import SAFE, assumption, figure, middle, safest, share
from planner.words import Words

WEIGHTY = 12
"""Assumptions in the table of those that matter most [-]."""
SURE, DOUBTED, DOUBTFUL = 20, 20, 10
"""Measures, targets and figures in the tables of the futures [-]."""


def robustness(words: Words, case: Case, found: Robustness) -> Iterator[Block]:
    """What is assumed of the errors of the data, and what then becomes of costs, targets and measures."""
    yield Text(words.t("report.futures_text", futures=len(found.futures)) + assumption(words, found))
    if found.summary["faults"]:
        yield Text(words.t("report.futures_faults", count=len(found.summary["faults"])))
    yield ranges(words, found)
    anew, fixed = share(words, found.summary["all_kept"]), share(words, found.summary["plan_all_kept"])
    yield Text(words.t("robustness.all", anew=anew, fixed=fixed))
    yield costs(words, found)
    yield from chances(words, found)
    yield no_regret(words, case, found)
    yield Text(words.t("robustness.no_regret_note"), small=True)
    yield from doubtful(words, found)


def ranges(words: Words, found: Robustness) -> Table:
    """The assumption: between which factors figures of a column and grade lie."""
    grades = sorted(set(found.ranges["grade"]))
    rows = []
    for column in dict.fromkeys(found.ranges["column"]):
        of = found.ranges[found.ranges["column"] == column].set_index("grade")
        told = [f"{of.low[grade]:g}–{of.high[grade]:g}" if grade in of.index else "—" for grade in grades]
        rows.append([words.t(f"report.range.{column}"), *told])
    heads = [words.t("robustness.heads.figure"), *(words.t(f"report.grade_{grade}") for grade in grades)]
    right = frozenset(range(1, len(heads)))
    return Table("ranges", words.t("report.ranges_title"), heads, rows, right, widths=(0.4,))


def costs(words: Words, found: Robustness) -> Table:
    """What futures cost when planned anew, and what the plan costs there as it is."""
    money = words.money
    ends = {
        name: np.quantile(found.futures[name].dropna(), (0.1, 0.5, 0.9)) * money.factor
        for name in ("cost", "plan_cost")
        if found.futures[name].notna().any()
    }
    places = decimals([float(value) for three in ends.values() for value in three], 3)
    rows = [
        [words.t(f"robustness.costs.{name}"), *(number(float(value), places) for value in three)]
        for name, three in ends.items()
    ]
    heads = ["", *(words.t(f"robustness.quantile.{name}") for name in ("low", "median", "high"))]
    title = words.t("report.future_costs", unit=money.name)
    return Table("future_costs", title, heads, rows, frozenset({1, 2, 3}), widths=(0.4,))


def chances(words: Words, found: Robustness) -> Iterator[Block]:
    """Targets that do not hold in every future, hard ones and the least likely first."""
    table = found.targets[(found.targets[["kept", "plan_kept"]] < 1).any(axis=1)]
    table = table.sort_values(["hard", "kept"], ascending=[False, True], kind="stable")
    always = len(found.targets) - len(table)
    if always:
        yield Text(words.t("robustness.always", count=always))
    rows = [
        [
            words.name("targets", line.target),
            words.t("robustness.hard") if line.hard else "",
            share(words, line.kept),
            share(words, line.plan_kept),
        ]
        for line in lines(table.head(DOUBTED))
    ]
    if rows:
        heads = [words.t("robustness.target"), "", words.t("robustness.kept"), words.t("robustness.plan_kept")]
        title = words.t("report.chances", count=len(rows), all=len(table))
        yield Table("chances", title, heads, rows, frozenset({2, 3}), widths=(0.5, 0.12, 0.19, 0.19))
        yield Text(words.t("robustness.targets_note"), small=True)


def no_regret(words: Words, case: Case, found: Robustness) -> Table:
    """The measures that most futures choose."""
    table, by = safest(case, found), middle(case)
    early = found.begun[found.begun["year"] == by].set_index("measure")["index"]
    rows = []
    for line in lines(table.head(SURE)):
        unit = words.unit("measures", line.measure)
        amounts = [value * unit.factor for value in (line.planned, line.low, line.high)]
        places = decimals(amounts, 3)
        planned, low, high = (number(value, places) for value in amounts)
        name = words.name("measures", line.measure) + (words.t("robustness.forced") if line.forced else "")
        when = str(int(line.year)) if line.year == line.year and line.year is not None else ""
        row = [name, share(words, line.index), share(words, early[line.measure]), when, planned, f"{low}–{high}"]
        rows.append([*row, unit.name])
    heads = [words.t(f"robustness.{name}") for name in ("measure", "index", "year", "planned", "span", "unit")]
    heads.insert(2, words.t("robustness.by", year=by))
    safe = int((table["index"] >= SAFE).sum())
    title = words.t("report.no_regret", count=len(rows), safe=safe, all=len(table))
    widths = (0.3, 0.1, 0.11, 0.1, 0.12, 0.17, 0.1)
    return Table("no_regret", title, heads, rows, frozenset({1, 2, 3, 4, 5}), widths=widths)


def doubtful(words: Words, found: Robustness) -> Iterator[Block]:
    """The figures whose uncertainty moves the cost most."""
    rows = []
    for line in lines(found.figures.head(DOUBTFUL)):
        sign = "+" if line.cost > 0 else "−" if line.cost < 0 else ""
        told = [figure(words, line.column, line.subject), line.grade, f"{line.low:.3g}–{line.high:.3g}"]
        rows.append([*told, f"{sign}{abs(line.cost):.2f}", share(words, line.moves)])
    if rows:
        heads = [words.t(f"robustness.heads.{name}") for name in ("figure", "grade", "range", "cost", "moves")]
        title = words.t("robustness.figures")
        yield Table("doubtful", title, heads, rows, frozenset({3, 4}), widths=(0.44, 0.12, 0.16, 0.14, 0.14))
        chance = f"{found.summary['chance_correlation']:.2f}"
        yield Text(words.t("robustness.figures_note", chance=chance), small=True)


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
