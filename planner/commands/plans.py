"""Commands that check a case, make a plan of it, verify one, or say why there is none."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from planner.case import Case
    from planner.engine import Progress
    from planner.plan import Plan

WAYS_OUT_ROWS = 20_000
"""Size up to which an infeasible solve works out the ways out at once [rows of the model]."""


@app.command()
def solve(
    case: CaseOption,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for summary.json and the tables of the plan.")
    ] = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
    gap: GapOption = None,
    best_effort: Annotated[
        bool,
        typer.Option("--best-effort", help="Where no plan can keep all targets, find the one that misses them least."),
    ] = False,
    diagnosis: Annotated[
        bool,
        typer.Option("--diagnosis/--no-diagnosis", help="Where there is no plan, say why and what would help."),
    ] = True,
    ties: Annotated[
        bool,
        typer.Option("--ties/--no-ties", help="Among plans of equal cost take the earliest, the same on every run."),
    ] = True,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Solve anew, even where an earlier run solved the very same problem."),
    ] = False,
) -> None:
    """Find the least-cost plan of a case and print it; with --out, write it as well.

    Exit code 0: a plan. 2: faults in the inputs. 3: no plan can keep all targets. 4: stopped before an answer.
    5: the plan failed its verification.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import edited_case

        started = time.perf_counter()
        with waiting(words) as progress:
            if out is not None and out.exists() and not out.is_dir():
                raise NotADirectoryError(20, os.strerror(20), str(out))
            read = edited_case(case, scenario, edits)
            plan = solved(read, time_limit, gap, progress, ties, best_effort, fresh)
            told = reasons(read, plan, time_limit, progress, words) if diagnosis and plan.status == "infeasible" else ""
            if plan.found:
                from planner.explanation import reasoned
                from planner.grades import told_grades

                plan.summary["grades"] = told_grades(read, plan)
                plan = reasoned(plan, words)
            if out is not None:
                progress("write", 0.0)
                plan.write(out)
        from planner.show.answer import show_plan
        from planner.text import t

        result = page(words, read)
        show_plan(result, plan, read, time.perf_counter() - started)
        if told:
            result.line(told)
        if out is not None:
            result.line(t("solve.written", words, folder=out, count=len(plan.frames())))
        code = CODES.get(plan.status, Code.OPEN)
        raise typer.Exit(Code.UNVERIFIED if plan.summary.get("violations") else code)


@app.command()
def check(
    case: CaseOption,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    numbers: Annotated[
        bool, typer.Option("--numbers", help="Also show how large and small the numbers of the model are, by family.")
    ] = False,
) -> None:
    """List every fault in a case with file, row, column and remedy, or say what the case holds.

    Exit code 0: the case can be planned. 2: it has faults.
    """
    words = lang or system_language()
    with guarded(words, case, faults_are_results=True):
        from planner.case import case_summary
        from planner.show.inputs import show_summary
        from planner.sources import edited_case
        from planner.vacuous import vacuous

        read = edited_case(case, scenario, edits)
        read = read.with_warnings(*vacuous(read))
        result = page(words, read)
        show_summary(result, case_summary(read))
        if numbers:
            from planner.numbers import spans
            from planner.show.ranges import show_spans

            show_spans(result, spans(read))


@app.command()
def diagnose(
    case: CaseOption,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
) -> None:
    """Say why a case has no plan: what clashes, the least that must give, and ways out, sized and priced.

    Exit code 0: the case has a plan. 3: it has none.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import edited_case

        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            progress("build", 0.0)
            from planner.conflict import Telling
            from planner.conflict import diagnose as diagnosed

            options = limited(time_limit)
            with Telling(words, page(words, read).line) as telling:
                found = diagnosed(read, options, progress, tell=telling.now)
                telling.end(found)
        raise typer.Exit(Code.INFEASIBLE if found.clashes else Code.FINE)


@app.command()
def verify(
    case: CaseOption,
    plan: Annotated[
        Path,
        typer.Argument(metavar="PLAN", help="Folder of a solved plan, or a portfolio.csv with starts made by hand."),
    ],
    lang: LangOption = None,
) -> None:
    """Recompute a plan from the tables of its case, without the model and the solver, and say whether it holds.

    Exit code 0: it holds. 5: it does not, and where.
    """
    words = lang or system_language()
    with guarded(words, str(plan)):
        from planner.certificate import verify as verified

        try:
            code, text = verified(case, plan, words)
        except ValueError as fault:
            stop(words, Code.INPUT, "fault.file", fault, file=plan, what=fault)
        page(words).line(text)
        raise typer.Exit(code)


def reasons(case: "Case", plan: "Plan", limit: float | None, progress: "Progress", lang: str) -> str:
    """Why a case has no plan, in words; the plan's summary keeps them as data. Ways out of a large case are left to
    `planner diagnose`: each is tried by a solve of its own.
    """
    from planner.conflict import diagnose as diagnosed
    from planner.conflict import diagnosis_summary, diagnosis_text
    from planner.text import t

    small = plan.summary["sizes"]["rows"] <= WAYS_OUT_ROWS
    options = limited(limit)
    found = diagnosed(case, options, progress, repairs=small)
    plan.summary["diagnosis"] = diagnosis_summary(found)
    plan.summary["proof"] = found.proof
    return diagnosis_text(found, lang) + ("" if small else "\n\n" + t("no_plan.ways_out", lang))
