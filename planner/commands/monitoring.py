"""Commands for the years after a plan was made: what was delivered, and the plan from here on."""

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
    page,
    solved,
    waiting,
)
from planner.commands.lists import PlanOption
from planner.errors import CaseError, Place, error
from planner.interrupt import system_language


@app.command()
def progress(
    case: CaseOption,
    actuals: Annotated[
        Path,
        typer.Argument(
            metavar="ACTUALS.csv",
            help="What was delivered, as rows of the table `existing`: measure, city, year, units, [capex, fund].",
        ),
    ],
    plan: PlanOption = None,
    as_of: Annotated[
        int | None,
        typer.Option("--as-of", metavar="YEAR", help="Last year that is history; by default the last in ACTUALS."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder for progress.csv, track.csv, and the re-plan in `plan`."),
    ] = None,
    new_case: Annotated[
        Path | None, typer.Option("--new-case", metavar="DIR", help="Write the case as seen from now as a new folder.")
    ] = None,
    best_effort: Annotated[
        bool, typer.Option("--best-effort", help="Where not all targets can be kept any more, miss them by least.")
    ] = False,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
    gap: GapOption = None,
) -> None:
    """Compare what was delivered with the plan, plan anew from here on, and say what slipping costs.

    Rows of years after --as-of are works under way. Exit code 0: there is a plan from here on. 2: faults in the inputs.
    3: the targets cannot all be kept any more. 4: stopped before an answer.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.plan import csv_text
        from planner.progress import as_planned, replanned, slip, track
        from planner.progress import progress as compared
        from planner.rows import Existing
        from planner.saving import write_files
        from planner.sources import answer_of
        from planner.tables import read_rows, write_case

        with waiting(words) as told:
            rows = [row for row in read_rows(actuals, Existing) if isinstance(row, Existing)]
            made = answer_of(case, plan, scenario, edits, lambda read: solved(read, time_limit, gap, told))
            result = page(words, made.case)
            if not made.found or made.case is None:
                result.line(result.t(f"status.{made.status}"))
                raise typer.Exit(CODES.get(made.status, Code.OPEN))
            settings = made.case.settings
            year = as_of if as_of is not None else max((row.year for row in rows), default=settings.first_year)
            if not settings.first_year <= year < settings.last_year:
                expected = f"{settings.first_year}-{settings.last_year - 1}"
                raise CaseError([error("asked_year", Place("--as-of"), found=year, expected=expected)])
            case_now = replanned(made.case, rows, year)
            now = solved(case_now, time_limit, gap, told, best_effort=best_effort)
            if new_case is not None:
                write_case(case_now, new_case)
            if not now.found:
                result.line(result.t("progress.hopeless", year=year))
                result.line(result.t(f"status.{now.status}"))
                raise typer.Exit(CODES.get(now.status, Code.OPEN))
            kept = solved(replanned(made.case, as_planned(made, year), year), time_limit, gap, told)
            found, states = compared(made, now, year), track(made, now)
            if out is not None:
                texts = {"progress.csv": csv_text(found), "track.csv": csv_text(states)}
                write_files(out, {name: text.encode() for name, text in texts.items()})
                now.write(out / "plan")
        from planner.show.monitoring import show_next, show_progress, show_slip, show_track

        show_progress(result, found, year)
        show_track(result, states, year)
        show_next(result, made, now)
        if kept.found:
            show_slip(result, slip(made, kept, now, year), best_effort=now.status == "infeasible")
        if out is not None:
            result.line(result.t("exchange.written", file=out))
        raise typer.Exit(CODES.get(now.status, Code.OPEN))
