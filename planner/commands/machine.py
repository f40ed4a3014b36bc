"""The command that looks after the installation."""

import typer

from planner.commands.base import Code, LangOption, app, guarded, page
from planner.interrupt import system_language


@app.command()
def doctor(lang: LangOption = None) -> None:
    """Say what works on this machine: packages and extras, the solver on a known optimum, fonts, write access.

    Exit code 0: plans can be made (extras may be missing). 70: something that is needed is broken.
    """
    words = lang or system_language()
    with guarded(words, "doctor"):
        from rich.text import Text

        from planner.doctor import examined
        from planner.show.layout import ALARM, GOOD, QUIET, add, grid

        result = page(words)
        table = grid(["", "", ""], keep=[0, 1], header=False)
        broken = False
        marks = {"fine": ("✓", GOOD), "optional": ("–", QUIET), "broken": ("✗", ALARM)}
        for found in examined():
            mark, style = marks[found.state]
            told = found.told
            if found.state == "optional":
                told = f"{told}  {result.t(f'doctor.{found.name}_missing')}"
            add(table, Text(mark, style=style), result.t(f"doctor.{found.name}"), told)
            broken = broken or found.state == "broken"
        result.show(table)
        result.line(result.t("doctor.broken" if broken else "doctor.fine"), style=ALARM if broken else GOOD)
        raise typer.Exit(Code.FAULT if broken else Code.FINE)
