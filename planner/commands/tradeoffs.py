"""Commands about trade-offs: frontiers and grids, near-optimal alternatives, regret of short-sightedness, fairness."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from planner.commands.answers import By
from planner.commands.base import (
    CODES,
    CaseOption,
    Code,
    LangOption,
    LimitOption,
    ScenarioOption,
    SetOption,
    app,
    guarded,
    limited,
    page,
    waiting,
)
from planner.errors import CaseError, Place, error
from planner.interrupt import system_language

OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Folder for the tables, in plain units and currency.")
]


class Per(StrEnum):
    """What capital spending is held against."""

    gdp = "gdp"
    head = "head"


def pair(text: str, mark: str) -> tuple[float, float]:
    """Two numbers with a mark between them. Raises CaseError."""
    one, _, other = text.partition(mark)
    try:
        found = float(one), float(other)
    except ValueError:
        found = 0.0, 0.0
    if not all(0 < number < 1e6 for number in found):
        raise CaseError([error("grid_size", Place("--size, --span"), found=text)])
    return found


def listed_years(text: str) -> list[int]:
    """Years with commas between them. Raises CaseError."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as fault:
        raise CaseError([error("years_list", Place("--years"), found=text)]) from fault


@app.command()
def frontier(
    case: CaseOption,
    x: Annotated[
        str,
        typer.Option(
            "--x",
            metavar="WHAT",
            help="What is held lower and lower: a quantity, `capex`, `cost` or `fund:ID`, of all years or `nox:2030`, "
            "the highest year (`peak:co2`), the last year in which it rises (`peak_year:co2`); `--x=-WHAT` for more.",
        ),
    ],
    y: Annotated[str, typer.Option("--y", metavar="WHAT", help="What is least for it.")] = "cost",
    points: Annotated[int, typer.Option("--points", min=2, max=200, help="Most points of the curve.")] = 10,
    reach: Annotated[
        float, typer.Option("--reach", min=0.0, max=1.0, help="How far towards the least x; the very end can be dear.")
    ] = 1.0,
    by: Annotated[
        str | None,
        typer.Option("--grid", metavar="WHAT", help="A grid of least costs: x by `budget:ID` (factors), or a WHAT."),
    ] = None,
    size: Annotated[str, typer.Option("--size", metavar="AxB", help="Cells of the grid across and down.")] = "6x5",
    span: Annotated[str, typer.Option("--span", metavar="A:B", help="Factors on the budget of a grid.")] = "0.5:1.5",
    out: OutOption = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
) -> None:
    """Trace the least cost, or the least of anything, for every amount of something else.

    Exit code 0: traced. 2: faults in the inputs. 3: no plan can keep all targets. 4: stopped before an answer.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import edited_case

        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            across, down = pair(size, "x")
            factors = pair(span, ":")
            progress("build", 0.0)
            from planner import explore
            from planner.plan import csv_text

            options = limited(time_limit)
            if by is not None:
                cells = explore.grid(read, x, by, (int(across), int(down)), factors, options, progress)
                if out is not None:
                    from planner.saving import write_files

                    frames = {"grid.csv": cells.cells, "grid_edges.csv": cells.edges}
                    write_files(out, {name: csv_text(frame).encode() for name, frame in frames.items()})
            else:
                found = explore.frontier(read, x, y, points, reach, options, progress)
                if out is not None:
                    found.write(out)
        from planner.show.tradeoffs import show_frontier, show_grid

        result = page(words, read)
        if by is not None:
            show_grid(result, read, cells)
        else:
            show_frontier(result, found)
        if out is not None:
            key = "budget_desk.written" if by is not None else "frontier.written"
            result.line(result.t(key, folder=out, file=out))


@app.command()
def alternatives(
    case: CaseOption,
    within: Annotated[float, typer.Option("--within", help="Slack as a part of the least cost: 0.02 = 2 %.")] = 0.02,
    count: Annotated[int, typer.Option("--count", min=0, max=50, help="Plans beside the least-cost one.")] = 5,
    by: Annotated[By, typer.Option("--by", help="What the plans shall differ in.")] = By.sector,
    ranges: Annotated[
        bool, typer.Option("--ranges", help="Also the least and most of every measure: two solves for each.")
    ] = False,
    roles: Annotated[
        bool, typer.Option("--roles/--no-roles", help="What the plan without each measure costs: a solve for each.")
    ] = True,
    out: OutOption = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
) -> None:
    """Find plans that are nearly as cheap and differ most; say what all of them need and what is a real choice.

    Exit code 0: found. 2: faults in the inputs. 3: no plan can keep all targets. 4: stopped before an answer.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import edited_case

        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            progress("build", 0.0)
            from planner.nearly import alternatives as others

            options = limited(time_limit)
            found = others(read, within, count, by.value, ranges, roles, options, progress)
            if out is not None:
                found.write(out)
        from planner.show.tradeoffs import show_alternatives

        result = page(words, read)
        show_alternatives(result, found)
        if out is not None:
            result.line(result.t("alternatives.written", folder=out))


@app.command()
def regret(
    case: CaseOption,
    years: Annotated[
        str, typer.Option("--years", metavar="Y,Y", help="Years up to which goals are seen, one step after another.")
    ],
    out: OutOption = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
) -> None:
    """Say what planning for one horizon at a time costs against planning for all goals at once.

    Exit code 0: told. 2: faults in the inputs. 3: no plan can keep all targets. 4: stopped before an answer.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import edited_case

        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            horizons = listed_years(years)
            progress("build", 0.0)
            from planner.foresight import regret as regretted

            options = limited(time_limit)
            found = regretted(read, horizons, options, progress)
            if out is not None:
                found.write(out)
        from planner.show.regret import show_regret

        result = page(words, read)
        show_regret(result, read, found)
        if out is not None:
            result.line(result.t("regret.written", folder=out))


@app.command()
def fair(
    case: CaseOption,
    quantity: Annotated[
        str, typer.Option("--quantity", metavar="ID", help="Whose cuts; by default what the case is about.")
    ] = "",
    year: Annotated[int | None, typer.Option("--year", help="Year of the cuts; by default the last.")] = None,
    cap: Annotated[
        float | None,
        typer.Option("--cap", metavar="TIMES", help="No city spends more than so many times the mean, as in 1.5."),
    ] = None,
    per: Annotated[Per, typer.Option("--per", help="What capital spending is held against.")] = Per.gdp,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.csv", help="Write the table of cities.")] = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
) -> None:
    """Say what it costs that all cities cut alike, or with --cap that none bears much more than the mean.

    Exit code 0: told. 2: faults in the inputs. 3: no plan, or none that is fair. 4: stopped before an answer.
    """
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import edited_case

        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            progress("build", 0.0)
            from planner.fairness import capped_burden, equal_cuts
            from planner.highlights import main_quantity
            from planner.plan import csv_text

            main = quantity or main_quantity(read) or ""
            when, limits = year or read.settings.last_year, limited(time_limit)
            if cap is None:
                found = equal_cuts(read, main, when, per.value, limits, progress)
            else:
                found = capped_burden(read, cap, main, when, per.value, limits, progress)
            if out is not None:
                from planner.saving import write_bytes

                write_bytes(out, csv_text(found.cities).encode())
        from planner.show.fair import show_fair

        result = page(words, read)
        show_fair(result, found, "equal" if cap is None else "cap")
        if out is not None:
            result.line(result.t("fair.written", file=out))
        raise typer.Exit(CODES.get(found.status, Code.OPEN))
