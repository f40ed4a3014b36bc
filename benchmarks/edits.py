"""Edits of a live session: time from an edit to its answer, against bare HiGHS and against solves from nothing.

    python benchmarks/edits.py [cases/jiangxi] [--count 200] [--refusals 20] [--seed 1] [--cold] [--log FILE]

`bare` is what HiGHS itself needs for the same change of the same scaled matrix, from the same kind of basis, with the
answer read: the floor of any tool that stands on it. With --cold every answer is held against a solve from nothing.
CPU seconds of this process, so that other work on the machine does not count.
"""

import argparse
import json
import random
import resource
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent.parent / "tests")]

from edits import KINDS, edits  # noqa: E402

from planner.case import Case  # noqa: E402
from planner.certificate import certify  # noqa: E402
from planner.engine import Options  # noqa: E402
from planner.errors import CaseError  # noqa: E402
from planner.live import Live  # noqa: E402
from planner.plan import solve  # noqa: E402
from planner.session import Session  # noqa: E402
from planner.tables import read_case  # noqa: E402

OFF = 1e-6
"""Part of the cost by which an answer may differ from one found from nothing [-]."""


def percentiles(values: Sequence[float]) -> str:
    """p50, p95 and largest [ms]."""
    ordered = sorted(1e3 * value for value in values)
    return "  ".join(f"{ordered[min(len(ordered) - 1, int(part * len(ordered)))]:8.1f}" for part in (0.5, 0.95, 1.0))


def memory() -> float:
    """Peak memory so far [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Bare:
    """HiGHS alone, given the same changes."""

    def __init__(self, session: Session) -> None:
        self.live = Live(session.answer().matrix, Options())
        self.live.cold()
        self.live.prime()

    def seconds(self, session: Session) -> float | None:
        """Time to re-solve for what the session holds now; none where rows or columns are others."""
        assert session.last is not None
        matrix = session.last.matrix
        difference = self.live.change(matrix)
        if difference is None:
            self.live = Live(matrix, Options())
            self.live.cold()
            self.live.prime()
            return None
        if difference.costs.size or difference.entry_rows.size:
            self.live.cold()
            self.live.prime()
            return None
        began = time.process_time()
        self.live.highs.run()
        np.array(self.live.highs.getSolution().col_value)
        return time.process_time() - began


def wrong(session: Session, case: Case) -> str:
    """What differs from a solve from nothing."""
    answer, cold = session.answer(), solve(case, Options(prices=False, break_ties=False, certify=False))
    if answer.status != cold.status:
        return f"{answer.status}, from nothing {cold.status}"
    if cold.found and abs(answer.objective - cold.objective) > OFF * max(
        abs(cold.objective), 1e-3 * cold.costs["discounted"].abs().sum()
    ):
        return f"{answer.objective}, from nothing {cold.objective}"
    return ""


def feasible_edits(session: Session, count: int, seed: int, cold: bool, log: object) -> None:
    """Random edits, one on top of the other; one without a plan is taken back."""
    rng = random.Random(seed)
    times: dict[str, list[float]] = defaultdict(list)
    ratios, faults, refused, uncertain = [], 0, 0, 0
    bare = Bare(session)
    before_memory = memory()
    for number, (kind, edit) in enumerate(edits(rng, lambda: session.case, count, KINDS)):
        before = session.case
        began = time.process_time()
        session.edit(edit)
        answer = session.answer()
        spent = time.process_time() - began
        times["no plan" if not answer.found else kind].append(spent)
        record = {
            "kind": kind,
            "edit": edit,
            "status": answer.status,
            "way": answer.way,
            "cpu": spent,
            **answer.timings,
        }
        if answer.found and answer.way == "warm":
            floor = bare.seconds(session)
            if floor is not None:
                ratios.append(spent / floor)
                record["bare"] = floor
        if cold:
            fault = wrong(session, session.case)
            verdict = certify(session.case, answer.plan).verdict if answer.found else "none"
            uncertain += verdict not in ("proven", "none")
            faults += bool(fault)
            record |= {"fault": fault, "certificate": verdict}
            if fault or verdict not in ("proven", "none"):
                print(f"edit {number} {kind} {edit}: {fault} {verdict}", flush=True)
        if not answer.found:
            refused += 1
            session.use(before)
            session.answer()
        session.prepare()
        if log is not None:
            print(json.dumps(record, ensure_ascii=False), file=log, flush=True)  # type: ignore[call-overload]
    print(f"{'kind':<16}{'edits':>6}  {'p50':>8}  {'p95':>8}  {'max':>8} ms of CPU")
    for kind in sorted(times):
        print(f"{kind:<16}{len(times[kind]):>6}  {percentiles(times[kind])}")
    everything = [value for kind, values in times.items() if kind != "no plan" for value in values]
    print(f"{'all with a plan':<16}{len(everything):>6}  {percentiles(everything)}")
    if ratios:
        print(
            f"edit_to_answer_ratio {statistics.median(ratios):.2f} (p50 of {len(ratios)} edits of bounds to bare HiGHS)"
        )
    if cold:
        print(
            f"{faults} answers differ from a solve from nothing, {uncertain} are not proven; {refused} without a plan"
        )
    print(f"memory {memory():.0f} MB at most, {memory() - before_memory:.0f} MB more than before the edits")


def refusals(session: Session, count: int, seed: int) -> None:
    """Hard targets asked for far beyond what can be had: time to the answer, and what it says held against solves."""
    rng, times, right = random.Random(seed), [], 0
    start = session.case
    session.answer()
    session.prepare()
    made = 0
    while made < count:
        rows = [row for row in start.targets if row.soft_penalty is None and row.value]
        row = rng.choice(rows)
        further = rng.choice((1.3, 2.0, 4.0)) if row.sense == ">=" else rng.choice((0.8, 0.5, 0.2))
        if row.value < 0:
            further = 1 / further
        edit = {"table": "targets", "key": {"target": row.target}, "set": {"value": row.value * further}}
        try:
            start.edited([edit])
        except CaseError:
            continue
        session.use(start)
        session.answer()
        session.prepare()
        began = time.perf_counter()
        session.edit(edit)
        answer = session.answer()
        spent = time.perf_counter() - began
        if answer.found:
            continue
        made += 1
        times.append(spent)
        told = [r for r in answer.refusals if r.id == row.target]
        verdict = "nothing told"
        if told:
            # As much as is told, or a little less: a plan by reach; by arithmetic only the far side is promised.
            edge = max((r.most for r in told), key=lambda most: abs(most - row.value * further))
            beyond = {**edit, "set": {"value": edge + 0.01 * (row.value * further - edge)}}
            session.use(start)
            session.edit(beyond)
            none_beyond = not session.answer().found
            session.use(start)
            session.edit({**edit, "set": {"value": edge}})
            here = session.answer().found
            right += none_beyond and (here or answer.way == "bound")
            said = ["A PLAN", "no plan"][none_beyond], ["no plan", "a plan"][here]
            verdict = f"most {edge:.6g}; beyond {said[0]}, there {said[1]}"
        print(
            f"{row.target} {row.value:g} -> {row.value * further:g}: {answer.way} {spent:.2f} s; {verdict}", flush=True
        )
    print(f"{count} refusals: {percentiles(times)} ms (p50, p95, max, wall); {right} confirmed by solves")


def main() -> None:
    """Run what the command asks for."""
    parser = argparse.ArgumentParser(prog="python benchmarks/edits.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("case", nargs="?", default="cases/jiangxi")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--refusals", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cold", action="store_true", help="hold every answer against a solve from nothing")
    parser.add_argument("--log", type=Path)
    given = parser.parse_args()
    case = read_case(given.case)
    session = Session(case)
    began = time.process_time()
    session.answer()
    print(f"first answer {time.process_time() - began:.2f} s of CPU, {session.answer().objective:.9g}")
    session.prepare()
    if given.count:
        log = given.log.open("w", encoding="utf-8") if given.log else None
        feasible_edits(session, given.count, given.seed, given.cold, log)
    if given.refusals:
        refusals(Session(case), given.refusals, given.seed)


if __name__ == "__main__":
    main()
