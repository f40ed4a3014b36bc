"""Ctrl-C on the command line, from the first import on: one line and the exit code of an interrupt."""

import os
import signal
import sys
from typing import NoReturn

INTERRUPTED = 130
"""Exit code of what was stopped by the user."""
WORDS = {"en": "Interrupted, nothing was written.", "zh": "已中断，未写出任何内容。"}
"""What is said then. These words do not stand in `planner/locale`: to read it, libraries must have been loaded."""


PENDING: list[int] = []
"""Interrupts heard and not answered: a library may turn one into silence, or into a fault of its own."""


def system_language() -> str:
    """Language of the user's system: zh where the environment says so, else en."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return "zh" if os.environ[name].lower().startswith("zh") else "en"
    return "en"


def listen() -> None:
    """Leave on an interrupt, whatever is being loaded."""
    signal.signal(signal.SIGINT, leave)


def leave(*_: object) -> NoReturn:
    """Say that nothing was written and end this process, whatever its threads are doing."""
    words = WORDS[system_language()] + "\n"
    os.write(2, words.encode(getattr(sys.stderr, "encoding", None) or "utf-8", errors="replace"))
    os._exit(INTERRUPTED)


def interrupted(number: int, _: object) -> NoReturn:
    """Remember an interrupt, and stop what is being done."""
    PENDING.append(number)
    raise KeyboardInterrupt


def hear() -> None:
    """Stop what is being done if an interrupt is still to be answered; to be called wherever work goes on.

    Raises KeyboardInterrupt.
    """
    if PENDING:
        raise KeyboardInterrupt


def silent(ignored: "sys.UnraisableHookArgs") -> None:
    """Pass over an interrupt that came where Python cannot raise it: `hear` will; show what else was ignored."""
    if not isinstance(ignored.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(ignored)
