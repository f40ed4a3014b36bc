"""The command line: `planner solve | check | ranges | compare | ...`. It reads, calls, prints; it computes nothing."""

import os
import signal
import sys
from typing import NoReturn

import typer

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
from planner.commands import bringing, files, lists, models, monitoring

# isort: split
from planner.commands.base import INTERRUPTS, Code, app, guarded
from planner.interrupt import leave, system_language

__all__ = [
    "answers",
    "app",
    "bringing",
    "files",
    "lists",
    "main",
    "models",
    "money",
    "monitoring",
    "plans",
    "robustness",
    "tradeoffs",
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


def interrupted(number: int, _: object) -> NoReturn:
    """Remember an interrupt, and stop what is being done."""
    INTERRUPTS.append(number)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
