"""What every command stands on: its options, exit codes, faults turned into words, and progress.

What is slow to import (the model, the solver, tables of results) is imported by the command that needs it.
"""

import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import IntEnum, StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from planner.errors import CaseError, InfeasibleError, SolverError
from planner.interrupt import INTERRUPTED, PENDING

if TYPE_CHECKING:
    from planner.case import Case
    from planner.engine import Options, Progress
    from planner.plan import Plan
    from planner.show.layout import Page


class Code(IntEnum):
    """Exit codes: scripts rely on them."""

    FINE = 0
    """A plan, optimal or within the gap that was asked for."""
    INPUT = 2
    """Bad input or usage."""
    INFEASIBLE = 3
    """No plan can keep what is asked."""
    OPEN = 4
    """A limit was reached, or the solver does not know."""
    UNVERIFIED = 5
    """A plan failed its verification."""
    FAULT = 70
    """A fault of the program."""
    INTERRUPTED = INTERRUPTED
    """Stopped by the user."""


CODES = {"optimal": Code.FINE, "within_gap": Code.FINE, "infeasible": Code.INFEASIBLE}


class Language(StrEnum):
    """Languages of what is printed."""

    zh = "zh"
    en = "en"


app = typer.Typer(
    name="planner",
    help="Least-cost, sequenced portfolios of measures that cut carbon and pollution together.",
    epilog="A case is a folder or an .xlsx workbook; cases/README.md explains every table.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

CaseOption = Annotated[str, typer.Argument(metavar="CASE", help="Folder or .xlsx workbook of the case.")]
ScenarioOption = Annotated[
    Path | None, typer.Option("--scenario", metavar="FILE", help="Scenario (YAML or JSON) to apply to the case.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="CELL=VALUE",
        help="Change one cell (TABLE.ID.COLUMN=VALUE), as in `targets.nox.value=1200`, or a setting, as in "
        "`case.discount_rate=0.05`. "
        "Where several columns name a row, ID joins them by `/`. May be given several times.",
    ),
]
LangOption = Annotated[
    Language | None, typer.Option("--lang", help="Language of what is printed; by default that of your system.")
]
LimitOption = Annotated[
    float | None, typer.Option("--time-limit", metavar="SECONDS", min=0.0, help="Longest time for the solver.")
]
GapOption = Annotated[
    float | None,
    typer.Option(
        "--gap", metavar="SHARE", min=0.0, max=1.0, help="Gap to the optimum that is good enough: 0.01 = 1 %."
    ),
]


@contextmanager
def guarded(lang: str, name: str, faults_are_results: bool = False, journal: Path | None = None) -> Iterator[None]:
    """Turn whatever goes wrong into words and an exit code, never a traceback; `name` is what the user asked about.

    `journal` is the folder in which results are kept while the command is still at work.
    """
    try:
        yield
    except (typer.Exit, typer.Abort, SystemExit):
        raise
    except CaseError as fault:
        from planner.show.inputs import show_faults

        show_faults(page(lang, error=not faults_are_results), fault.issues, name)
        raise typer.Exit(Code.INPUT) from fault
    except InfeasibleError as fault:
        stop(lang, Code.INFEASIBLE, "fault.infeasible", fault, what=fault)
    except SolverError as fault:
        stop(lang, Code.OPEN, "fault.solver", fault, what=fault)
    except KeyboardInterrupt as fault:
        answer_interrupt(lang, fault, journal)
    except OSError as fault:
        stop(lang, Code.INPUT, "fault.file", fault, file=fault.filename or name, what=fault.strerror or fault)
    except Exception as fault:
        if PENDING:
            answer_interrupt(lang, fault, journal)
        stop(lang, Code.FAULT, "fault.internal", fault, file=written_log())


def page(lang: str, case: "Case | None" = None, error: bool = False) -> "Page":
    """An empty page on standard output or standard error."""
    from planner.show.layout import Page, console

    return Page(lang, case, console(sys.stderr if error else sys.stdout))


def stop(lang: str, code: Code, key: str, fault: BaseException, **params: object) -> NoReturn:
    """Say one thing and leave."""
    from planner.text import t

    print(t(key, lang, **params), file=sys.stderr)
    raise typer.Exit(code) from fault


def answer_interrupt(lang: str, fault: BaseException, journal: Path | None = None) -> NoReturn:
    """Answer an interrupt and leave: say what stands in the journal, or that nothing was written."""
    results = len(list(journal.glob("*.json"))) if journal is not None else 0
    try:
        if results:
            stop(lang, Code.INTERRUPTED, "fault.interrupted_kept", fault, count=results, folder=journal)
        stop(lang, Code.INTERRUPTED, "fault.interrupted", fault)
    except typer.Exit:
        PENDING.clear()
        raise


def written_log() -> str:
    """File with what a maintainer needs to know of the fault being handled."""
    handle, name = tempfile.mkstemp(prefix="planner-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as log:
        log.write(f"planner {version('measure-planner')}, Python {sys.version}, {sys.platform}\n")
        log.write(f"arguments: {sys.argv[1:]}\n\n{traceback.format_exc()}")
    return name


def version_asked(asked: bool) -> None:
    """Print the version and leave."""
    if asked:
        print(f"planner {version('measure-planner')}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=version_asked, is_eager=True)
    ] = False,
) -> None:
    """Least-cost, sequenced portfolios of measures that cut carbon and pollution together."""


@contextmanager
def waiting(lang: str) -> "Iterator[Progress]":
    """A line on standard error for anything over a second; yields what to tell each stage."""
    from planner.show.progress import Waiting

    with Waiting(lang) as line:
        yield line.stage


def limited(limit: float | None, gap: float | None = None, certify: bool = True) -> "Options":
    """How long to try [s] and how close is close enough [-]; none: to the end, and as close as ever."""
    from planner.engine import Options

    return Options(time_limit=float("inf") if limit is None else limit, gap=gap, certify=certify)


def solved(
    case: "Case",
    limit: float | None,
    gap: float | None,
    progress: "Progress",
    ties: bool = True,
    best_effort: bool = False,
    fresh: bool = True,
) -> "Plan":
    """The plan of a case; unless `fresh` or limited, what an earlier run found for the same problem counts."""
    progress("build", 0.0)
    from planner.plan import solve as solve_case

    options = replace(limited(limit, gap), break_ties=ties, kept=not fresh and limit is None)
    return solve_case(case, options, progress, best_effort)
