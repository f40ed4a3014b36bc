"""Commands for files: workbooks to edit, tables for other tools, new cases, tables of one's own."""

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
    page,
    solved,
    waiting,
)
from planner.errors import CaseError, Place, error
from planner.interrupt import system_language


class Format(StrEnum):
    """What is written."""

    xlsx = "xlsx"
    iamc = "iamc"
    csv = "csv"
    parquet = "parquet"


@app.command()
def export(
    case: CaseOption,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Workbook to write; for other formats a file or folder.")
    ],
    results: Annotated[
        bool, typer.Option("--results", help="Solve the case, and put its results on sheets of their own.")
    ] = False,
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help="xlsx: a workbook to edit. iamc: the plan as one IAMC table (.csv or .xlsx). csv, parquet: the tables "
            "of the plan, in long form, into a folder.",
        ),
    ] = Format.xlsx,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
    gap: GapOption = None,
) -> None:
    """Write a case as a workbook to edit, or its plan as tables for other tools.

    The workbook is the case: edit it and give it to any command in place of a folder. Exit codes are those of
    `planner solve`.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import edited_case
        from planner.text import t

        if form == Format.xlsx and file.suffix.lower() != ".xlsx":
            raise CaseError([error("workbook_ending", Place(file.name), found=file.suffix)])
        plan = None
        code = Code.FINE
        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            if results or form != Format.xlsx:
                plan = solved(read, time_limit, gap, progress)
                code = CODES.get(plan.status, Code.OPEN)
            progress("write", 0.0)
            if form == Format.xlsx:
                from planner.workbook import export_workbook

                export_workbook(read, file, words, plan)
            elif plan is not None and plan.found:
                from planner.exchange import write_tables

                write_tables(read, plan, file, form.value)
        result = page(words, read)
        if plan is not None and not plan.found:
            result.line(t(f"status.{plan.status}", words))
        if plan is None or plan.found or form == Format.xlsx:
            result.line(t("exchange.written", words, file=file))
        raise typer.Exit(code)


@app.command()
def new(
    name: Annotated[
        Path, typer.Argument(metavar="NAME", help="Folder or workbook to make; the case is named after it.")
    ],
    workbook: Annotated[bool, typer.Option("--workbook", help="Make an .xlsx workbook instead of a folder.")] = False,
    lang: LangOption = None,
) -> None:
    """Start a case of your own from an example that can be checked and solved at once; every row is explained."""
    words = lang or system_language()
    with guarded(words, str(name)):
        from planner.starter import new_case

        made = new_case(name, workbook or name.suffix.lower() == ".xlsx", str(words))
        result = page(words)
        result.line(result.t("exchange.new", file=made))
        result.line(result.t("exchange.new_next", file=made))
