"""Commands that ask how sure a plan is: sampled futures, and plans that bear shortfalls."""

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
    stop,
    waiting,
)
from planner.interrupt import system_language


class Where(StrEnum):
    """Where many solves run; the kinds of `executors`."""

    auto = "auto"
    here = "here"
    threads = "threads"
    processes = "processes"
    dask = "dask"


RangesOption = Annotated[
    Path | None,
    typer.Option("--ranges", metavar="FILE.csv", help="Ranges to assume instead: column, grade, low, high."),
]
ExecutorOption = Annotated[Where, typer.Option("--executor", help="Where to solve; auto: in processes where it pays.")]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, metavar="NUMBER", help="Solves at once; by default one per processor.")
]
SchedulerOption = Annotated[
    str, typer.Option("--scheduler", metavar="ADDRESS", help="Solve on the Dask cluster of this scheduler.")
]
ResumeOption = Annotated[
    Path | None,
    typer.Option("--resume", metavar="FOLDER", help="Keep what is solved in this folder, and go on from there."),
]


def numbers(text: str) -> list[float]:
    """The numbers of a list such as 0,1,2.5; raises BadParameter."""
    try:
        found = [float(part) for part in text.replace("\uff0c", ",").split(",") if part.strip()]
    except ValueError:
        found = []
    if not found or not all(0 <= number <= 1000 for number in found):
        raise typer.BadParameter(f"'{text}' is no list of numbers from 0, such as 0,1,2,5", param_hint="--gamma")
    return list(dict.fromkeys(found))


@app.command()
def robustness(
    case: CaseOption,
    futures: Annotated[int, typer.Option("--futures", min=1, max=100000, help="Futures to sample.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another number gives other futures.")] = 1,
    ranges: RangesOption = None,
    correlation: Annotated[
        float, typer.Option("--correlation", min=0.0, max=1.0, help="Of like figures within a sector.")
    ] = 0.5,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write everything found as tables.")] = None,
    executor: ExecutorOption = Where.auto,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = "",
    resume: ResumeOption = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
    gap: GapOption = None,
) -> None:
    """Say how good the plan is if the data are wrong: no-regret measures, chances of targets, figures that matter.

    Figures vary by their grade; each sampled future is planned anew, and the plan is carried through all of them.
    Exit code 0: told. 2: faults in the inputs. 3: no plan can keep all targets. 4: stopped before an answer.
    """
    words = lang or system_language()
    if executor == Where.dask and not scheduler:
        raise typer.BadParameter("--executor dask needs --scheduler ADDRESS")
    with guarded(words, case, journal=resume):
        from planner.sources import edited_case

        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            progress("build", 0.0)
            from planner.executors import Backend, ClusterError, Kind
            from planner.futures import robustness as sampled
            from planner.uncertainty import SHIPPED, read_ranges

            limits = limited(time_limit, gap)
            assumed = read_ranges(ranges or SHIPPED)
            backend = Backend(Kind(executor.value), workers, scheduler)
            try:
                found = sampled(read, futures, seed, assumed, correlation, backend, resume, limits, progress)
            except ClusterError as fault:
                stop(words, Code.INPUT, fault.key, fault, address=fault.address)
            if out is not None:
                found.write(out)
        from planner.show.robustness import show_robustness

        result = page(words, read)
        show_robustness(result, found)
        if out is not None:
            result.line(result.t("robustness.written", folder=out))


@app.command()
def robust(
    case: CaseOption,
    gamma: Annotated[
        str, typer.Option("--gamma", metavar="NUMBERS", help="How many measures may under-deliver, as in 0,1,2,5.")
    ] = "0,1,2,5",
    ranges: RangesOption = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write everything found as tables.")] = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
    gap: GapOption = None,
) -> None:
    """Plan so that the targets hold though some measures under-deliver, and say what that costs.

    Any NUMBER of the measures may fall short by their grade's margin, whichever would hurt most. Exit code 0: told.
    2: faults in the inputs. 3: no plan can keep all targets. 4: stopped before an answer.
    """
    words = lang or system_language()
    gammas = numbers(gamma)
    with guarded(words, case):
        from planner.sources import edited_case

        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            progress("build", 0.0)
            from planner.robust import robust_plans
            from planner.uncertainty import SHIPPED, read_ranges

            limits = limited(time_limit, gap)
            assumed = read_ranges(ranges or SHIPPED)
            found = robust_plans(read, gammas, assumed, limits, progress)
            if out is not None:
                found.write(out)
        from planner.show.robust import show_robust

        result = page(words, read)
        show_robust(result, found, assumed)
        if out is not None:
            result.line(result.t("robust.written", folder=out))
        raise typer.Exit(max(CODES.get(plan.status, Code.OPEN) for plan in found.plans.values()))
