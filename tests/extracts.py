"""What sweeps of the tests extract: in a module of its own, which workers import quickly."""

import os
import signal
from pathlib import Path
from typing import Any

from planner.plan import csv_text
from planner.session import Answer


def whole(answer: Answer) -> Any:
    """All of what was asked for: numbers, a frame, and every bit of every column."""
    return {"objective": answer.objective, "table": answer.plan.portfolio, "values": answer.values}


def portfolio(answer: Answer) -> str:
    return csv_text(answer.plan.portfolio)


def spiteful(answer: Answer) -> float:
    """Kills its process at one job, and fails at another."""
    cap = next(row.value for row in answer.case.targets if row.target == "co2_budget")
    if cap == 92000:
        os.kill(os.getpid(), signal.SIGKILL)
    if cap == 93000:
        raise ZeroDivisionError("no luck")
    return answer.objective


def counted(answer: Answer, folder: str) -> float:
    """Leaves a mark for each solve."""
    (Path(folder) / answer.case.digest).write_text("solved")
    return answer.objective
