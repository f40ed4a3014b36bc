"""The report of a plan: what is reached, by what, where, when, with whose money, and how far to trust the numbers.

Every number comes from the frames of the plan, in the units of its readers; a test reads all tables back.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from planner import charts
from planner.amounts import decimals, number
from planner.case import Case
from planner.credit import EQUIVALENTS, co_control, credit, effects
from planner.futures import Robustness
from planner.highlights import (
    invests,
    key_quantities,
    key_years,
    levels,
    lines,
    main_quantity,
    net_cost,
    peak_year,
    penalties,
    tightest,
)
from planner.plan import Plan
from planner.report.document import Block, Chapter, Chart, Document, Table, Text, joined, typeset, with_data
from planner.report.firmness import robustness, trust, weight
from planner.report.portfolio import portfolio, roadmap
from planner.report.spending import curve, money
from planner.rows import PROVINCE
from planner.text import aside
from planner.ui import figures
from planner.ui.levers import short_name
from planner.words import Words

NAMED = 8
"""Missed targets named in the text [-]."""


def report(case: Case, plan: Plan, lang: str, scenario: str = "", futures: Robustness | None = None) -> Document:
    """The report of a plan that was found, with a chapter on `futures` where some were sampled.

    Raises ValueError for any other plan.
    """
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
        ("robustness", list(robustness(words, case, futures)) if futures else []),
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
                [replace(b, text=typeset(b.text, lang)) if isinstance(b, Text) else b for b in blocks],
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


# ---------------------------------------------------------------- headline


def facts(words: Words, case: Case, plan: Plan) -> list[tuple[str, str, str]]:
    """Cost, capital, targets kept, the main quantity at its top and in the last year."""
    money = words.money
    cost, capex = net_cost(plan) * money.factor, float(plan.portfolio["capex"].sum()) * money.factor
    rows = tightest(plan)
    kept = int((rows["missed"] == 0).sum())
    found = [
        (words.t("report.fact_net"), number(cost), money.name),
        *([(words.t("report.fact_capex"), number(capex), money.name)] if invests(plan) else []),
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
    yield Text(words.t("report.what" if len(case.cities) > 1 else "report.what_here", **first))
    cost = plan.costs.groupby("item")["discounted"].sum() * money.factor
    spent = {name: number(float(cost.get(name, 0.0))) for name in ("annuity", "fixed_om", "penalty")}
    saved = number(-float(cost.get("price", 0.0)))
    capex = float(plan.portfolio["capex"].sum()) * money.factor
    net, whole = net_cost(plan) * money.factor, (net_cost(plan) + penalties(plan)) * money.factor
    key = "report.cost_saves" if net < 0 else "report.cost_costs"
    yield Text(
        (words.t("report.invested", unit=money.name, capex=number(capex)) if invests(plan) else "")
        + words.t(key, unit=money.name, net=number(abs(net)), saved=saved, base=s.base_year, **spent)
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
    binding = int(((rows["binding"] > 0) & (rows["missed"] == 0)).sum())
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
                name + (aside(place, words.lang) if place and stem not in name else ""),
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
    if not any(row.quantity in EQUIVALENTS for row in case.quantities):
        return
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
