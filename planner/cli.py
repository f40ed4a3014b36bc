"""The command line: `planner solve | check | ranges | compare | ...`. It reads, calls, prints; it computes nothing."""

import os
import signal
import sys

import typer
from typer.models import CommandInfo

from planner.commands import plans

# isort: split
# The help lists commands in the order in which their modules are imported.
from planner.commands import answers

# isort: split
from planner.commands import tradeoffs

# isort: split
from planner.commands import money

# isort: split
from planner.commands import robustness

# isort: split
from planner.commands import bringing, files, lists, machine, models, monitoring

# isort: split
from planner.commands.base import Code, app, guarded
from planner.interrupt import PENDING, interrupted, leave, silent, system_language

__all__ = [
    "answers",
    "app",
    "bringing",
    "files",
    "lists",
    "machine",
    "main",
    "models",
    "money",
    "monitoring",
    "plans",
    "robustness",
    "tradeoffs",
]

PANELS = {
    "Make a plan": ("solve", "check", "diagnose", "verify"),
    "Understand it": ("explain", "goals", "ranges", "credit", "compare"),
    "Explore": ("frontier", "alternatives", "regret", "fair", "robustness", "robust", "budget"),
    "Hand it out, follow it up": ("report", "tasks", "decompose", "progress"),
    "Cases, files, other tools": ("new", "import-data", "export", "export-lp", "doctor"),
}
"""Commands in the help, by what people want."""


def in_panels() -> None:
    """Sort the commands of the help by what people want; what no panel names comes last."""
    order = [name for names in PANELS.values() for name in names]
    panel = {name: title for title, names in PANELS.items() for name in names}

    def name_of(command: CommandInfo) -> str:
        return command.name or str(getattr(command.callback, "__name__", "")).replace("_", "-")

    for command in app.registered_commands:
        command.rich_help_panel = panel.get(name_of(command), "Further")
    for group in app.registered_groups:
        own = group.typer_instance.info.name if group.typer_instance is not None else None
        group.rich_help_panel = panel.get(str(own), "Further")
    place = {name: number for number, name in enumerate(order)}
    app.registered_commands.sort(key=lambda command: place.get(name_of(command), len(order)))


in_panels()


def main() -> None:
    """Entry point of the command `planner`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter gets a question mark, not a crash
            stream.reconfigure(errors="replace")
    signal.signal(signal.SIGINT, interrupted)
    sys.unraisablehook = silent
    try:
        with guarded(system_language(), ""):
            app()
    except typer.Exit as leaving:
        sys.exit(leaving.exit_code)
    except SystemExit as leaving:
        if leaving.code == Code.INTERRUPTED:  # the solver may still be at work in its thread: do not wait for it
            sys.stdout.flush()
            sys.stderr.flush()
            if PENDING:
                leave()
            os._exit(Code.INTERRUPTED)
        raise
    except (Exception, KeyboardInterrupt):
        if PENDING:  # what would say so is half loaded
            leave()
        raise


if __name__ == "__main__":
    main()
