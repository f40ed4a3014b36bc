"""Commands that ask further of a plan: what else, why, at what cost, who, and beside which."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from planner.commands.base import (
    CODES,
    CaseOption,
    Code,
    GapOption,
    LangOption,
    LimitOption,
    ScenarioOption,
    SetOption,
    app,
    guarded,
    limited,
    page,
    solved,
    stop,
    waiting,
)
from planner.interrupt import system_language


class By(StrEnum):
    """Whose share of a cut is told."""

    measure = "measure"
    sector = "sector"
    city = "city"


@app.command()
def ranges(
    case: CaseOption,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.csv", help="Write the ranges as a table, in plain units.")
    ] = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
    gap: GapOption = None,
    every_year: Annotated[
        bool, typer.Option("--every-year", help="What targets bound in all their years, not only in the first.")
    ] = False,
    measures: Annotated[
        bool, typer.Option("--measures", help="Also the stock of every measure in the last year.")
    ] = False,
) -> None:
    """Say which numbers are the same in every optimal plan, and how far the others can vary at equal cost.

    Exit code 0: told. 2: faults in the inputs. 3: no plan can keep all targets. 4: stopped before an answer.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import edited_case

        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            progress("build", 0.0)
            from planner.plan import csv_text
            from planner.unique import ranges as found_ranges

            limits = limited(time_limit, gap)
            found = found_ranges(read, measures, limits, progress, every_year)
            status = found.attrs["status"]
            if out is not None and status == "optimal":
                from planner.saving import write_bytes

                write_bytes(out, csv_text(found).encode())
        from planner.show.unique import show_ranges
        from planner.text import t

        result = page(words, read)
        if status == "optimal":
            show_ranges(result, found)
            if out is not None:
                result.line(t("ranges.written", words, file=out))
        else:
            result.line(t(f"status.{status}", words))
        raise typer.Exit(CODES.get(status, Code.OPEN))


@app.command()
def credit(
    case: CaseOption,
    by: Annotated[By, typer.Option("--by", help="Whose share: of each measure, sector or city.")] = By.sector,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write every share as tables, in plain units.")
    ] = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
    gap: GapOption = None,
) -> None:
    """Say who brings about which cut, at what cost, and how far carbon and pollution fall together.

    Parts add up to the whole and do not depend on an order. Exit codes are those of `planner solve`.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import edited_case

        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            plan = solved(read, time_limit, gap, progress)
            from planner.show.credit import show_credit, written

            if plan.found and out is not None:
                written(plan, out)
        result = page(words, read)
        if plan.found:
            show_credit(result, plan, by.value)
            if out is not None:
                result.line(result.t("credit.written", file=out))
        else:
            result.line(result.t(f"status.{plan.status}"))
        raise typer.Exit(CODES.get(plan.status, Code.OPEN))


@app.command()
def explain(
    case: CaseOption,
    measure: Annotated[str | None, typer.Argument(metavar="MEASURE", help="Measure to tell all about.")] = None,
    city: Annotated[
        str, typer.Option("--city", metavar="CITY", help="Change the measure's cost in this city only.")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder for explain.csv, explain_prices.csv and measures.csv."),
    ] = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
    gap: GapOption = None,
) -> None:
    """Say why each measure is in or out: what it costs, who pays for it, and what stands in its way.

    With MEASURE all of it, and the cost at which the measure would come in or drop out. Exit code 0: told. 2: faults
    in the inputs. 3: no plan can keep all targets. 4: stopped before an answer.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import edited_case
        from planner.text import t

        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            progress("build", 0.0)
            from planner.explanation import Reasons, split_of
            from planner.explanation import explain as explained

            limits = limited(time_limit, gap, certify=False)
            try:
                found = explained(read, measure, city, words, limits, progress)
            except KeyError as fault:
                stop(words, Code.INPUT, "explain.unknown", fault, name=fault.args[0])
            if out is not None and found.plan.found:
                found.write(out)
        result = page(words, read)
        if found.plan.found:
            from planner.show.explain import show_explanation

            show_explanation(result, found, Reasons(read, split_of(found.plan), words), measure, city)
            if out is not None:
                result.line(t("explain.written", words, folder=out))
        else:
            result.line(t(f"status.{found.plan.status}", words))
        raise typer.Exit(CODES.get(found.plan.status, Code.OPEN))


@app.command()
def goals(
    case: CaseOption,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.csv", help="Write the table, all of it.")] = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
    gap: GapOption = None,
) -> None:
    """Say what each target, budget and pin costs: the plan with each of them left out in turn.

    Exit code 0: told. 2: faults in the inputs. 3: no plan can keep all targets. 4: stopped before an answer.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import edited_case
        from planner.text import t

        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            progress("build", 0.0)
            from planner.goalcosts import goals as costs_of_goals
            from planner.plan import csv_text

            limits = limited(time_limit, gap)
            found = costs_of_goals(read, limits, progress)
            status = found.attrs["status"]
            if out is not None and status in ("optimal", "within_gap"):
                from planner.saving import write_bytes

                write_bytes(out, csv_text(found).encode())
        result = page(words, read)
        if status in ("optimal", "within_gap"):
            from planner.show.goals import show_goals

            show_goals(result, found)
            if out is not None:
                result.line(t("goals.written", words, file=out))
        else:
            result.line(t(f"status.{status}", words))
        raise typer.Exit(CODES.get(status, Code.OPEN))


@app.command()
def compare(
    plans: Annotated[
        list[str],
        typer.Argument(
            metavar="A B ...",
            help="What to compare: cases, scenarios (of --case, or of the first case named), folders of solved plans.",
        ),
    ],
    base: Annotated[str | None, typer.Option("--case", metavar="CASE", help="Case that scenarios apply to.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.csv", help="Write everything compared as one long table.")
    ] = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
    gap: GapOption = None,
) -> None:
    """Put plans side by side: cost, key quantities, targets missed, budgets, and what they start differently.

    Cases and scenarios are solved first. Exit code: that of the worst plan.
    """
    words = lang or system_language()
    with guarded(words, ", ".join(plans)):
        from planner.compare import tidy
        from planner.plan import csv_text
        from planner.saving import write_bytes
        from planner.show.comparison import show_comparison
        from planner.sources import named_plans
        from planner.text import t

        with waiting(words) as progress:
            found = named_plans(plans, base, lambda case: solved(case, time_limit, gap, progress))
            if out is not None:
                write_bytes(out, csv_text(tidy(found)).encode())
        named = next((plan.case for plan in found.values() if plan.case is not None), None)
        result = page(words, named)
        show_comparison(result, found)
        if out is not None:
            result.line(t("compare.written", words, file=out))
        raise typer.Exit(max(CODES.get(plan.status, Code.OPEN) for plan in found.values()))
