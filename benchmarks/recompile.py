"""What an edit costs before the solver hears of it: a checked case, the matrix, what differs. Medians, processor time.

python benchmarks/recompile.py [case folder] [turns]
"""

import statistics
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from planner.case import Case
from planner.compile import changes, compile_problem
from planner.problem import Problem
from planner.tables import read_case

NUMBERS = (
    *(("targets", "value"), ("budgets", "limit"), ("prices", "price"), ("measures", "capex"), ("measures", "ramp")),
    *(("potentials", "potential"), ("effects", "value"), ("baseline", "value")),
)


def edited(case: Case, table: str, column: str, times: float) -> dict[str, Any]:
    row = next(row for row in case.rows(table) if getattr(row, column))
    key = {name: getattr(row, name) for name in type(row).key}
    return {"table": table, "key": key, "set": {column: getattr(row, column) * times}}


def main(folder: str, turns: int) -> None:
    case = read_case(folder)
    start = Problem(case)
    matrix = compile_problem(start)
    kinds: dict[str, Callable[[float], dict[str, Any]]] = {
        f"{table}.{column}": lambda times, t=table, c=column: edited(case, t, c, times) for table, column in NUMBERS
    }
    kinds["discount_rate"] = lambda times: {"setting": "discount_rate", "value": case.settings.discount_rate * times}
    print(f"{folder}, medians of {turns} edits [ms]\n{'edit':24}{'case':>8}{'matrix':>8}{'changes':>9}  what differs")
    for name, kind in kinds.items():
        times: list[tuple[float, ...]] = []
        for turn in range(turns):
            edit = kind(0.99 - 0.0001 * turn)
            clock = [time.process_time()]
            new_case = case.edited([edit])
            clock.append(time.process_time())
            new = compile_problem(start.edited(new_case), matrix)
            clock.append(time.process_time())
            found = changes(matrix, new)
            clock.append(time.process_time())
            times.append(tuple(1000 * (b - a) for a, b in pairwise(clock)))
        medians = [statistics.median(part) for part in zip(*times, strict=True)]
        what = "rows or columns"
        if found is not None:
            parts = ("rows", "columns", "costs", "entry_rows")
            what = ", ".join(f"{size} {part}" for part in parts if (size := getattr(found, part).size)) or "nothing"
        print(f"{name:24}{medians[0]:8.1f}{medians[1]:8.1f}{medians[2]:9.2f}  {what}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "cases/jiangxi", int(sys.argv[2]) if len(sys.argv) > 2 else 11)
