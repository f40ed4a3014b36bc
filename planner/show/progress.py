"""A line on standard error that says what is being done and for how long, for anything over a second."""

import sys
import threading
from types import TracebackType

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from planner.interrupt import hear
from planner.text import messages, t

PATIENCE = 1.0
"""Time after which the line appears [s]."""


class Waiting:
    """The line; it is told each stage, shows itself only on a terminal, and leaves nothing behind."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        console = Console(file=sys.stderr)
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task(t("stage.read", lang), total=None)
        self._timer = threading.Timer(PATIENCE, self._progress.start)
        self._timer.daemon = True

    def __enter__(self) -> "Waiting":
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        self._progress.stop()
        if kind is None:
            hear()

    def stage(self, name: str, seconds: float = 0.0) -> None:
        """Say what is being done; `seconds` are those of the stage, the line counts all of them.

        Raises KeyboardInterrupt where one is still to be answered.
        """
        hear()
        key, _, what = f"stage.{name}".partition(" ")
        words = t(key, self.lang, name=what) if key in messages() else t("stage.solve", self.lang, name=name)
        self._progress.update(self._task, description=words)
