"""Commands that write the model for other tools."""

from pathlib import Path
from typing import Annotated

import typer

from planner.commands.base import CaseOption, LangOption, ScenarioOption, SetOption, app, guarded, page, waiting
from planner.errors import CaseError, Place, error
from planner.interrupt import system_language


@app.command()
def export_lp(
    case: CaseOption,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Model to write: ends in .lp or .mps.")],
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
) -> None:
    """Write the optimization model with readable names, for other solvers.

    The file holds the first objective of the case, in the case's own units.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import edited_case
        from planner.text import t

        if file.suffix.lower() not in (".lp", ".mps"):
            raise CaseError([error("model_ending", Place(file.name), found=file.suffix)])
        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            from planner.export import write_model

            progress("build", 0.0)
            name, rows, columns = write_model(read, file)
        result = page(words, read)
        size = {"rows": f"{rows:,}", "columns": f"{columns:,}"}
        result.line(t("export.written", words, file=file, name=result.objective(name), **size))
