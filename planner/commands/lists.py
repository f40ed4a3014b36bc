"""Commands that hand a plan out: task lists, targets broken down."""

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
    waiting,
)
from planner.errors import CaseError, Place, error
from planner.interrupt import system_language

PlanOption = Annotated[
    Path | None, typer.Argument(metavar="[PLAN]", help="Folder of the solved plan; without it the case is solved.")
]


class By(StrEnum):
    """Whose tasks are listed together."""

    department = "department"
    city = "city"


class To(StrEnum):
    """What a report is written as."""

    html = "html"
    docx = "docx"
    xlsx = "xlsx"


class Parts(StrEnum):
    """What a target is broken down to."""

    city = "city"
    sector = "sector"


@app.command()
def tasks(
    case: CaseOption,
    plan: PlanOption = None,
    by: Annotated[By, typer.Option("--by", help="Lists by lead department or by city.")] = By.department,
    only: Annotated[
        str | None, typer.Option("--only", metavar="ID", help="The tasks of one department or city.")
    ] = None,
    year: Annotated[
        int | None, typer.Option("--year", metavar="YEAR", help="Year of the effects; by default the last.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help=".xlsx: a sheet per department or city. .csv: all in plain units."),
    ] = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
    gap: GapOption = None,
) -> None:
    """List tasks: what, where, start and service, money by fund, effect, clause, per department or city.

    The totals are those of the plan. Exit codes are those of `planner solve`.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.cells import closest
        from planner.sources import answer_of

        if out is not None and out.suffix.lower() not in (".csv", ".xlsx"):
            raise CaseError([error("list_ending", Place(out.name), found=out.suffix)])
        with waiting(words) as progress:
            found = answer_of(case, plan, scenario, edits, lambda read: solved(read, time_limit, gap, progress))
            result = page(words, found.case)
            if not found.found or found.case is None:
                result.line(result.t(f"status.{found.status}"))
                raise typer.Exit(CODES.get(found.status, Code.OPEN))
            progress("write", 0.0)
            from planner.plan import csv_text
            from planner.saving import write_bytes
            from planner.show.lists import BY, named, show_tasks, tasks_workbook
            from planner.worklist import tasks as listed

            settings = found.case.settings
            at = settings.last_year if year is None else year
            if not settings.first_year <= at <= settings.last_year:
                expected = f"{settings.first_year}-{settings.last_year}"
                raise CaseError([error("asked_year", Place("--year"), found=at, expected=expected)])
            frame = listed(found, at)
            known = sorted(set(frame[BY[by.value][0]]))
            if only is not None and only not in known:
                what = result.t(f"tasks.{by.value}")
                hint, expected = closest(only, known), ", ".join(known)
                raise CaseError(
                    [error("unknown_part", Place("--only"), found=only, what=what, hint=hint, expected=expected)]
                )
            chosen = frame if only is None else frame[frame[BY[by.value][0]] == only]
            if out is not None and out.suffix.lower() == ".xlsx":
                write_bytes(out, tasks_workbook(result, chosen, by.value, at))
            elif out is not None:
                write_bytes(out, csv_text(named(result, chosen)).encode("utf-8-sig"))
        show_tasks(result, frame, by.value, at, only)
        if out is not None:
            result.line(result.t("tasks.written", file=out, count=int((chosen["part"] == "planned").sum())))
        raise typer.Exit(CODES.get(found.status, Code.OPEN))


@app.command()
def decompose(
    case: CaseOption,
    plan: PlanOption = None,
    by: Annotated[Parts, typer.Option("--by", help="Parts: cities or sectors.")] = Parts.city,
    target: Annotated[str | None, typer.Option("--target", metavar="ID", help="One target only.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.csv", help="Write all parts, by city and sector, in plain units."),
    ] = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
    gap: GapOption = None,
) -> None:
    """Break the targets of the whole area down to cities or sectors, as the plan reaches them; the parts add up.

    Exit codes are those of `planner solve`.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.cells import closest
        from planner.sources import answer_of

        with waiting(words) as progress:
            found = answer_of(case, plan, scenario, edits, lambda read: solved(read, time_limit, gap, progress))
        result = page(words, found.case)
        if not found.found or found.case is None:
            result.line(result.t(f"status.{found.status}"))
            raise typer.Exit(CODES.get(found.status, Code.OPEN))
        from planner.plan import csv_text
        from planner.saving import write_bytes
        from planner.show.lists import named, show_breakdown
        from planner.worklist import breakdown

        frame = breakdown(found, target)
        if target is not None and frame.empty:
            known = sorted(set(breakdown(found)["target"]))
            what, hint, expected = result.t("targets.target"), closest(target, known), ", ".join(known)
            raise CaseError(
                [error("unknown_part", Place("--target"), found=target, what=what, hint=hint, expected=expected)]
            )
        if out is not None:
            write_bytes(out, csv_text(named(result, frame)).encode("utf-8-sig"))
        show_breakdown(result, frame, by.value)
        if out is not None:
            result.line(result.t("exchange.written", file=out))
        raise typer.Exit(CODES.get(found.status, Code.OPEN))


@app.command()
def report(
    case: CaseOption,
    plan: PlanOption = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Report to write.")] = Path("report.html"),
    to: Annotated[
        To | None, typer.Option("--to", help="html (prints well to PDF), docx or xlsx; by default as the file ends.")
    ] = None,
    futures: Annotated[
        int,
        typer.Option("--futures", min=0, max=100000, help="Futures to sample for a chapter on wrong data."),
    ] = 0,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
    gap: GapOption = None,
) -> None:
    """Write a report to hand in: results, targets, measures, roadmap, money, cost curve, data and proof.

    With --futures also how firm it all is: each sampled future is planned anew, as in `planner robustness`. Charts are
    vector graphics; nothing is loaded from a network. Exit codes are those of `planner solve`.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import answer_of

        form = to.value if to else out.suffix.lower().removeprefix(".")
        if form not in list(To):
            raise CaseError([error("report_ending", Place(out.name), found=out.name)])
        if futures and form == "xlsx":
            raise typer.BadParameter("--futures needs a report in html or docx")
        with waiting(words) as progress:
            if form != "xlsx":
                from planner.report.drawing import needed

                needed("vl_convert", *(["docx"] if form == "docx" else []))
            found = answer_of(case, plan, scenario, edits, lambda read: solved(read, time_limit, gap, progress))
            if found.found and found.case is not None:
                progress("write", 0.0)
                from planner.grades import told_grades
                from planner.report import write_report

                found.summary.setdefault("grades", told_grades(found.case, found))
                sampled = None
                if futures:
                    from planner.futures import robustness

                    sampled = robustness(found.case, futures, options=limited(time_limit, gap), progress=progress)
                write_report(found.case, found, out, form, str(words), scenario.stem if scenario else "", sampled)
        result = page(words, found.case)
        written = found.found and found.case is not None
        result.line(result.t("exchange.written", file=out) if written else result.t(f"status.{found.status}"))
        raise typer.Exit(CODES.get(found.status, Code.OPEN))
