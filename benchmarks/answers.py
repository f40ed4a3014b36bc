"""What answers take, each as a ratio to one cold solve of the same case, in one run.

    python -m benchmarks.answers [cases/jiangxi] [--points 40] [--grid 20x20] [--alternatives 10] [--futures 50]
        [--only frontier,futures] [--limit SECONDS] [--extrapolate 500] [--out FILE.json] [--resume]

The cold solve (build included; no prices, ties or certificate) is measured before and after each answer, and the ratio
is to the mean of both, so that a machine that slows down slows both. Futures and goals are measured with one process
(or chain) and with two; frontiers, grids, alternatives and explanations go on from one point to the next, in one.
Each number is printed and written as soon as it is known; `--resume` measures only what FILE does not have.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Timer
from typing import Any

import planner.goalcosts
from planner.case import Case
from planner.engine import Options, Progress
from planner.errors import CancelledError
from planner.executors import Backend, Kind
from planner.explanation import explain
from planner.explore import frontier, grid
from planner.futures import robustness
from planner.goalcosts import goals
from planner.highlights import main_quantity
from planner.nearly import alternatives
from planner.plan import solve
from planner.tables import read_case

QUICK = Options(prices=False, break_ties=False, certify=False)
QUIET = Options(certify=False)
OFTEN = 10.0
"""Time between two lines of progress [s]."""
Ask = Callable[[Progress, Event], Any]


@dataclass(frozen=True)
class Answer:
    """Something that is asked of a case, and by how many at once."""

    name: str
    processes: int
    ask: Ask

    @property
    def key(self) -> str:
        """Its name in the file."""
        return f"{self.name}, {self.processes}"


def cold(case: Case) -> float:
    """What one solve from nothing takes [s]."""
    begun = time.perf_counter()
    if not solve(case, QUICK).found:
        raise SystemExit("the case has no plan")
    return time.perf_counter() - begun


def spent() -> float:
    """CPU time of this process and its children so far [s]."""
    return sum(os.times()[:4])


def teller(name: str) -> Progress:
    """Progress that says now and then where an answer is."""
    begun = last = time.perf_counter()

    def told(what: str, _: float) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last > OFTEN:
            last = now
            print(f"  {name}: {what}, {now - begun:.0f} s", file=sys.stderr, flush=True)

    return told


def measured(case: Case, one: Answer, limit: float) -> dict[str, Any]:
    """Wall and CPU time of an answer beside the cold solves around it; `stopped` where the limit ended it."""
    before = cold(case)
    cancel = Event()
    timer = Timer(limit, cancel.set)
    timer.daemon = True
    timer.start()
    begun, cpu, stopped = time.perf_counter(), spent(), False
    try:
        one.ask(teller(one.name), cancel)
    except CancelledError:
        stopped = True
    finally:
        timer.cancel()
    seconds, cpu = time.perf_counter() - begun, spent() - cpu
    around = (before + cold(case)) / 2
    return {"seconds": seconds, "cpu": cpu, "cold": around, "ratio": seconds / around, "stopped": stopped}


def in_chains(case: Case, chains: int) -> Ask:
    """Goals in so many chains."""

    def ask(told: Progress, cancel: Event) -> None:
        planner.goalcosts.CHAINS = chains
        goals(case, None, told, cancel)

    return ask


def asked(case: Case, given: argparse.Namespace) -> list[Answer]:
    """Everything that is measured."""
    x = given.x or main_quantity(case)
    budget = given.budget or next((row.budget for row in case.budgets), "")
    size = tuple(int(part) for part in given.grid.split("x"))
    by = f"budget:{budget}" if budget else "capex"

    def sampled(backend: Backend) -> Ask:
        return lambda told, cancel: robustness(case, given.futures, backend=backend, progress=told, cancel=cancel)

    found = [
        Answer("explain", 1, lambda told, cancel: explain(case, None, "", "en", QUIET, told, cancel)),
        Answer("goals", 1, in_chains(case, 1)),
        Answer("goals", 2, in_chains(case, 2)),
        Answer(f"{given.futures} futures", 1, sampled(Backend(Kind.here))),
        Answer(f"{given.futures} futures", 2, sampled(Backend(Kind.processes, 2))),
        Answer(
            f"frontier of {given.points} points",
            1,
            lambda told, cancel: frontier(case, x, "cost", given.points, given.reach, None, told, cancel),
        ),
        Answer(
            f"grid of {given.grid}",
            1,
            lambda told, cancel: grid(case, x, by, (size[0], size[1]), (0.9, 1.1), None, told, cancel),
        ),
        Answer(
            f"{given.alternatives} alternatives",
            1,
            lambda told, cancel: alternatives(
                case, 0.02, given.alternatives, roles=False, progress=told, cancel=cancel
            ),
        ),
    ]
    words = [word for word in given.only.split(",") if word]
    return [one for one in found if not words or any(word in one.name for word in words)]


def shown(key: str, row: dict[str, Any]) -> str:
    """A line of the table."""
    name, _, processes = key.rpartition(", ")
    ratio = f"> {row['ratio']:.1f}, stopped" if row["stopped"] else f"{row['ratio']:.1f}"
    return f"{name:26} {processes:>9} {row['seconds']:10.1f} {row['cpu']:10.1f} {row['cold']:10.2f} {ratio:>9}"


def extrapolated(known: dict[str, Any], one: Answer, count: int, number: int) -> str:
    """What more futures would take if each further one took as long as those of one process, shared among all."""
    row, alone = known[one.key], known[f"{count} futures, 1"]
    each = (alone["seconds"] - alone["cold"]) / count
    seconds = row["seconds"] + (number - count) * each / one.processes
    guess = {**row, "seconds": seconds, "cpu": row["cpu"] + (number - count) * each, "ratio": seconds / row["cold"]}
    return shown(f"{number} futures, {one.processes}", guess) + "  extrapolated, not measured"


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="?", default="cases/jiangxi")
    for name, default in (("points", 40), ("alternatives", 10), ("futures", 50), ("extrapolate", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--grid", default="20x20")
    parser.add_argument("--reach", type=float, default=0.95, help="how far a frontier goes; its end can be very dear")
    parser.add_argument("--x", default="", help="axis of frontier and grid; by default the quantity the case is about")
    parser.add_argument("--budget", default="", help="what the grid turns; by default the first budget")
    parser.add_argument("--only", default="", help="words in the names of what is measured")
    parser.add_argument("--limit", type=float, default=3600.0, help="longest time for one answer [s]")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    case = read_case(given.case)
    known: dict[str, Any] = {}
    if given.resume and given.out is not None and given.out.exists():
        known = json.loads(given.out.read_text("utf-8"))
    cold(case)  # the first one loads libraries
    heads = ("answer", "processes", "seconds", "CPU", "one cold", "ratio")
    print("{:26} {:>9} {:>10} {:>10} {:>10} {:>9}".format(*heads), flush=True)
    for one in asked(case, given):
        if one.key not in known:
            known[one.key] = measured(case, one, given.limit)
            if given.out is not None:
                given.out.write_text(json.dumps(known, indent=1), "utf-8")
        row = known[one.key]
        print(shown(one.key, row), flush=True)
        if given.extrapolate and "futures" in one.name and not row["stopped"]:
            print(extrapolated(known, one, given.futures, given.extrapolate), flush=True)


if __name__ == "__main__":
    main()
