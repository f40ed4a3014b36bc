"""`planner budget ...`: the commands of the budget desk."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    solved,
    waiting,
)
from planner.interrupt import system_language

if TYPE_CHECKING:
    import pandas as pd

    from planner.budgets import Rung
    from planner.case import Case
    from planner.engine import Options, Progress
    from planner.show.layout import Page

desk = typer.Typer(
    name="budget", help="The budget desk: what money is worth, and what a cut of it does.", no_args_is_help=True
)
app.add_typer(desk)

FundOption = Annotated[str, typer.Option("--fund", metavar="ID", help="A fund: all budgets that limit it alone.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE.csv", help="Write the table, in plain units and currency.")
]


def answered(
    case: str,
    scenario: Path | None,
    edits: list[str] | None,
    lang: str | None,
    limit: float | None,
    out: Path | None,
    ask: "Callable[[Case, Options, Progress], tuple[Any, pd.DataFrame]]",
    show: "Callable[[Page, Case, Any], None]",
) -> Any:
    """Read a case, ask something of it, write and show the answer."""
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import edited_case

        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            progress("build", 0.0)
            from planner.plan import csv_text

            found, frame = ask(read, limited(limit), progress)
            if out is not None:
                from planner.saving import write_bytes

                write_bytes(out, csv_text(frame).encode())
        result = page(words, read)
        show(result, read, found)
        if out is not None:
            result.line(result.t("budget_desk.written", file=out))
        return found


def left(rung: "Rung") -> None:
    """Leave with the exit code of a cut: 3 where it leaves no plan."""
    raise typer.Exit(CODES.get(rung.status, Code.OPEN))


@desk.command()
def worth(
    case: CaseOption,
    amount: Annotated[float, typer.Option("--amount", help="Money that is taken and given, in plain currency.")] = 1e8,
    out: OutOption = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
) -> None:
    """Say what the last 100 million are worth in every budget and year, and what as much more would save."""

    def ask(read: "Case", options: "Options", progress: "Progress") -> "tuple[pd.DataFrame, pd.DataFrame]":
        from planner.budgets import worth as found

        frame = found(read, amount, options, progress)
        return frame, frame

    def show(result: "Page", _: "Case", found: Any) -> None:
        from planner.show.money import show_worth

        show_worth(result, found, amount)

    answered(case, scenario, edits, lang, time_limit, out, ask, show)


@desk.command()
def ladder(
    case: CaseOption,
    fund: FundOption = "",
    budget: Annotated[str, typer.Option("--budget", metavar="ID", help="One budget.")] = "",
    steps: Annotated[list[float] | None, typer.Option("--step", help="Part that is cut; several times.")] = None,
    out: OutOption = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
) -> None:
    """Cut a fund or a budget by 10, 20 and 30 %: cost, missed soft targets, what falls out, how far it can go."""

    def ask(read: "Case", options: "Options", progress: "Progress") -> "tuple[list[Rung], pd.DataFrame]":
        from planner.budgets import STEPS, rungs
        from planner.budgets import ladder as found

        rows = found(read, fund, budget, steps or STEPS, options, progress)
        return rows, rungs(rows)

    def show(result: "Page", _: "Case", found: Any) -> None:
        from planner.show.money import show_ladder

        show_ladder(result, found, result.name("funds", fund) if fund else result.name("budgets", budget))

    answered(case, scenario, edits, lang, time_limit, out, ask, show)


@desk.command()
def clawback(
    case: CaseOption,
    fund: Annotated[str, typer.Option("--fund", metavar="ID", help="The fund that loses money.")],
    year: Annotated[int, typer.Option("--year", help="The year whose money it loses.")],
    cut: Annotated[float, typer.Option("--cut", help="Part of that year's money: 0.2 = 20 %.")] = 0.2,
    known: Annotated[
        bool, typer.Option("--known", help="It was known from the beginning: also earlier starts may change.")
    ] = False,
    out: OutOption = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
) -> None:
    """Take back a part of a fund's money of one year: what slips, what falls out, what it costs later.

    Exit code 3: it leaves no plan; how much could be taken is told.
    """

    def ask(read: "Case", options: "Options", progress: "Progress") -> "tuple[Rung, pd.DataFrame]":
        from planner.budgets import clawback as found

        rung = found(read, fund, year, cut, known, options, progress)
        return rung, rung.changes

    def show(result: "Page", _: "Case", found: Any) -> None:
        from planner.show.money import show_rung
        from planner.show.tradeoffs import part

        title = result.t(
            "budget_desk.clawback.title", name=result.name("funds", fund), cut=part(result, cut), year=year
        )
        aside = result.t("budget_desk.clawback.known" if known else "budget_desk.clawback.surprise", year=year)
        show_rung(result, found, title, aside)

    left(answered(case, scenario, edits, lang, time_limit, out, ask, show))


@desk.command()
def earmark(
    case: CaseOption,
    fund: Annotated[str, typer.Option("--fund", metavar="ID", help="The fund.")],
    sectors: Annotated[str, typer.Option("--sectors", metavar="A,B", help="Sectors that its money is reserved for.")],
    share: Annotated[float, typer.Option("--share", help="Part that is reserved; 1: nobody else is eligible.")] = 1.0,
    out: OutOption = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
) -> None:
    """Say what it costs to reserve a share of a fund for some sectors.

    Exit code 3: it leaves no plan; how much could be reserved is told.
    """
    chosen = [name for name in sectors.replace(";", ",").split(",") if name]

    def ask(read: "Case", options: "Options", progress: "Progress") -> "tuple[Rung, pd.DataFrame]":
        from planner.budgets import earmark as found

        rung, _ = found(read, fund, chosen, share, options, progress)
        return rung, rung.changes

    def show(result: "Page", _: "Case", found: Any) -> None:
        from planner.show.money import show_rung
        from planner.show.tradeoffs import joined, part

        names = {"name": result.name("funds", fund), "share": part(result, share)}
        told = joined(result, [result.name("sectors", sector) for sector in chosen])
        show_rung(result, found, result.t("budget_desk.earmark.title", sectors=told, **names), key="earmark")

    left(answered(case, scenario, edits, lang, time_limit, out, ask, show))


@desk.command()
def rules(
    case: CaseOption,
    out: OutOption = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
) -> None:
    """Say what every rule of eligibility costs: the plan against one in which the fund may pay all."""

    def ask(read: "Case", options: "Options", progress: "Progress") -> "tuple[pd.DataFrame, pd.DataFrame]":
        from planner.budgets import rules as found

        frame = found(read, options, progress)
        return frame, frame

    def show(result: "Page", _: "Case", found: Any) -> None:
        from planner.show.money import show_rules

        show_rules(result, found)

    answered(case, scenario, edits, lang, time_limit, out, ask, show)


@desk.command()
def most(
    case: CaseOption,
    quantity: Annotated[str, typer.Option("--quantity", metavar="WHAT", help="What shall be least (`=-WHAT`: most).")],
    money: Annotated[str, typer.Option("--money", help="The plan's own money that is not exceeded: capex or cost.")] = (
        "capex"
    ),
    more: Annotated[float, typer.Option("--more", min=0.0, help="Part by which that money grows.")] = 0.0,
    alone: Annotated[bool, typer.Option("--alone", help="Leave out the targets on other quantities.")] = False,
    out: OutOption = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
) -> None:
    """Say how much of a quantity the plan's own money could abate at most, and how."""

    def ask(read: "Case", options: "Options", progress: "Progress") -> Any:
        from planner.budgets import most as found

        bought = found(read, quantity, money, more, alone, options, progress)
        return bought, bought.changes

    def show(result: "Page", read: "Case", found: Any) -> None:
        from planner.show.money import show_most

        show_most(result, read, found)

    answered(case, scenario, edits, lang, time_limit, out, ask, show)


@desk.command()
def payers(
    case: CaseOption,
    out: OutOption = None,
    scenario: ScenarioOption = None,
    edits: SetOption = None,
    lang: LangOption = None,
    time_limit: LimitOption = None,
) -> None:
    """Say who pays, and to whom savings return, by payer and year. Exit codes are those of `planner solve`."""
    words = lang or system_language()
    with guarded(words, case):
        from planner.sources import edited_case

        with waiting(words) as progress:
            read = edited_case(case, scenario, edits)
            plan = solved(read, time_limit, None, progress)
            from planner.flows import payers as flows_of
            from planner.plan import csv_text

            flows = flows_of(plan) if plan.found else None
            if out is not None and flows is not None:
                from planner.saving import write_bytes

                write_bytes(out, csv_text(flows).encode())
        result = page(words, read)
        if flows is None:
            result.line(result.t(f"status.{plan.status}"))
        else:
            from planner.show.money import show_payers

            show_payers(result, flows, read)
            if out is not None:
                result.line(result.t("budget_desk.written", file=out))
        raise typer.Exit(CODES.get(plan.status, Code.OPEN))
