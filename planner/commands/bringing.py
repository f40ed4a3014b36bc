"""The command that brings tables of one's own into a case."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from planner.commands.base import CaseOption, LangOption, app, guarded, page
from planner.errors import CaseError, Place, error
from planner.interrupt import system_language

Table = StrEnum(  # type: ignore[misc]
    "Table",
    [
        *("cities", "sectors", "departments", "quantities", "measures", "measure_costs", "effects", "potentials"),
        *("existing", "baseline", "drivers", "conversions", "allocations", "prices", "groups", "funds", "fund_rules"),
        *("targets", "budgets", "pins", "sources"),
    ],
)


@app.command("import-data")
def import_data(
    case: CaseOption,
    table: Annotated[Table, typer.Argument(metavar="TABLE", help="Table of the case that the rows are for.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Table of your own: .csv or .xlsx, a header first.")],
    sheet: Annotated[
        str | None, typer.Option("--sheet", metavar="NAME", help="Sheet of a workbook; else its first.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", metavar="FILE", help="Mapping to use instead of guessing one.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save-mapping", metavar="FILE", help="Write the mapping, to edit and use it again.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the table into the folder of the case.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="In place of all rows of the table, not after them.")
    ] = False,
    lang: LangOption = None,
) -> None:
    """Show how a table of your own would become rows of a case; with --write, take it over.

    Columns are matched by name in Chinese or English, names by those of the case, units converted. Nothing is written
    before --write, nor where a row has a fault. Exit code 2: faults.
    """
    words = lang or system_language()
    with guarded(words, str(file)):
        from planner.bringing import brought, guess, joined, read_foreign, read_map
        from planner.rows import TABLES
        from planner.saving import write_bytes
        from planner.show.bringing import show_mapping, show_rows
        from planner.sources import edited_case
        from planner.tables import table_text

        read = edited_case(case)
        raw = read_foreign(file, sheet)
        used = read_map(mapping) if mapping is not None else guess(raw, table.value, read)
        if used.table != table.value:
            raise CaseError([error("map_shape", Place(mapping.name if mapping else ""), "table", found=used.table)])
        result = page(words, read)
        show_mapping(result, raw, used)
        if save is not None:
            write_bytes(save, used.text().encode())
            result.line(result.t("exchange.written", file=save))
        rows, issues = brought(raw, used, read)
        if any(issue.severity == "error" for issue in issues):
            raise CaseError(issues)
        show_rows(result, TABLES[table.value], rows)
        whole = joined(read, table.value, rows, replace)
        if not write:
            result.line(result.t("bringing.preview"))
            return
        if read.folder is None:
            raise CaseError([error("bring_workbook", Place(case))])
        target = read.folder / f"{table.value}.csv"
        write_bytes(target, table_text(TABLES[table.value], whole.rows(table.value)).encode())
        result.line(result.t("bringing.written", file=target, count=len(rows), all=len(whole.rows(table.value))))
