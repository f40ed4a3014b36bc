"""The command line: `planner solve | check | ranges | compare | ...`. It reads, calls, prints; it computes nothing.

What is slow to import (the model, the solver, tables of results) is imported by the command that needs it.
"""

import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum, StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from planner.errors import CaseError, InfeasibleError, Place, SolverError, error
from planner.interrupt import INTERRUPTED, leave, system_language

if TYPE_CHECKING:
    from planner.case import Case
    from planner.engine import Progress
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


WAYS_OUT_ROWS = 20_000
"""Size up to which an infeasible solve works out the ways out at once [rows of the model]."""
CODES = {"optimal": Code.FINE, "within_gap": Code.FINE, "infeasible": Code.INFEASIBLE}


class Language(StrEnum):
    """Languages of what is printed."""

    zh = "zh"
    en = "en"


class By(StrEnum):
    """Whose share of a cut is told."""

    measure = "measure"
    sector = "sector"
    city = "city"


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


def main() -> None:
    """Entry point of the command `planner`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter gets a question mark, not a crash
            stream.reconfigure(errors="replace")
    signal.signal(signal.SIGINT, interrupted)
    try:
        with guarded(system_language(), ""):
            app()
    except typer.Exit as leaving:
        sys.exit(leaving.exit_code)
    except SystemExit as leaving:
        if leaving.code == Code.INTERRUPTED:  # the solver may still be at work in its thread: do not wait for it
            sys.stdout.flush()
            sys.stderr.flush()
            if INTERRUPTS:
                leave()
            os._exit(Code.INTERRUPTED)
        raise
    except (Exception, KeyboardInterrupt):
        if INTERRUPTS:  # what would say so is half loaded
            leave()
        raise


INTERRUPTS: list[int] = []
"""Interrupts heard and not answered: a library may turn one into silence, or into a fault of its own."""


def interrupted(number: int, _: object) -> NoReturn:
    """Remember an interrupt, and stop what is being done."""
    INTERRUPTS.append(number)
    raise KeyboardInterrupt


@contextmanager
def guarded(lang: str, name: str, faults_are_results: bool = False) -> Iterator[None]:
    """Turn whatever goes wrong into words and an exit code, never a traceback; `name` is what the user asked about."""
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
        answer_interrupt(lang, fault)
    except OSError as fault:
        stop(lang, Code.INPUT, "fault.file", fault, file=fault.filename or name, what=fault.strerror or fault)
    except Exception as fault:
        if INTERRUPTS:
            answer_interrupt(lang, fault)
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


def answer_interrupt(lang: str, fault: BaseException) -> NoReturn:
    """Answer an interrupt and leave."""
    try:
        stop(lang, Code.INTERRUPTED, "fault.interrupted", fault)
    except typer.Exit:
        INTERRUPTS.clear()
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
            plan = solved(read, time_limit, gap, progress, ties, best_effort)
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
            from planner.engine import Options

            options = Options(time_limit=float("inf") if time_limit is None else time_limit)
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
            from planner.engine import Options
            from planner.plan import csv_text
            from planner.unique import ranges as found_ranges

            limits = Options(time_limit=float("inf") if time_limit is None else time_limit, gap=gap)
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
            from planner.engine import Options
            from planner.explanation import Reasons, split_of
            from planner.explanation import explain as explained

            limits = Options(time_limit=float("inf") if time_limit is None else time_limit, gap=gap, certify=False)
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
            from planner.engine import Options
            from planner.goalcosts import goals as costs_of_goals
            from planner.plan import csv_text

            limits = Options(time_limit=float("inf") if time_limit is None else time_limit, gap=gap)
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


# ---------------------------------------------------------------- reading and solving


@contextmanager
def waiting(lang: str) -> "Iterator[Progress]":
    """A line on standard error for anything over a second; yields what to tell each stage."""
    from planner.show.progress import Waiting

    with Waiting(lang) as line:
        yield line.stage


def solved(
    case: "Case",
    limit: float | None,
    gap: float | None,
    progress: "Progress",
    ties: bool = True,
    best_effort: bool = False,
) -> "Plan":
    """The plan of a case."""
    progress("build", 0.0)
    from planner.engine import Options
    from planner.plan import solve as solve_case

    options = Options(time_limit=float("inf") if limit is None else limit, gap=gap, break_ties=ties)
    return solve_case(case, options, progress, best_effort)


def reasons(case: "Case", plan: "Plan", limit: float | None, progress: "Progress", lang: str) -> str:
    """Why a case has no plan, in words; the plan's summary keeps them as data. Ways out of a large case are left to
    `planner diagnose`: each is tried by a solve of its own.
    """
    from planner.conflict import diagnose as diagnosed
    from planner.conflict import diagnosis_summary, diagnosis_text
    from planner.engine import Options
    from planner.text import t

    small = plan.summary["sizes"]["rows"] <= WAYS_OUT_ROWS
    options = Options(time_limit=float("inf") if limit is None else limit)
    found = diagnosed(case, options, progress, repairs=small)
    plan.summary["diagnosis"] = diagnosis_summary(found)
    plan.summary["proof"] = found.proof
    return diagnosis_text(found, lang) + ("" if small else "\n\n" + t("no_plan.ways_out", lang))


if __name__ == "__main__":
    main()
