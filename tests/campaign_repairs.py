"""Many random cases without a plan: every clash must be minimal, every way out must do, and less of it must not.

    python -m tests.campaign_repairs [--first 0] [--count 60] [--twice] [--workers 2] [--log FILE]

Exit code 1 when anything is wrong.
"""

import argparse
import json
import os
import sys
import time
import traceback
from collections import Counter
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent)]


def examine(given: tuple[int, bool]) -> dict[str, Any] | None:
    """What is wrong with the diagnosis of a random case; none where it has a plan or is refused."""
    from random_cases import random_case
    from repairs import doomed_twice, faults, read, status

    seed, twice = given

    record: dict[str, Any] = {"seed": seed, "faults": []}
    try:
        case = read(doomed_twice(seed) if twice else random_case(seed))
        if case is None or status(case) != "infeasible":
            return None
        begun = time.perf_counter()
        diagnosis, record["faults"] = faults(case)
        record |= {
            "seconds": round(sum(diagnosis.timings.values()), 3),
            "checked": round(time.perf_counter() - begun, 3),
            "proof": diagnosis.proof,
            "lumps": diagnosis.lumps,
            "clashes": [[f"{m.kind}:{'/'.join(m.ids)}" for m in clash.members] for clash in diagnosis.clashes],
            "lines": [
                [[part.change.kind, part.change.element.id, part.size] for part in line.parts]
                for line in diagnosis.menu
            ],
        }
    except Exception as fault:
        record["faults"].append(f"{type(fault).__name__}: {fault}")
        record["traceback"] = traceback.format_exc()
    return record


def campaign(first: int, count: int, workers: int, log: Path | None, twice: bool = False) -> int:
    """Examine so many infeasible cases from a seed on, and return how many have faults."""
    begun = time.perf_counter()
    kinds: Counter[str] = Counter()
    sizes: Counter[int] = Counter()
    done = wrong = lines = clashes = empty = seeds = 0
    slowest = 0.0
    out = log.open("w", encoding="utf-8") if log else None
    with get_context("fork").Pool(workers) as pool:
        for record in pool.imap(examine, [(seed, twice) for seed in range(first, first + 40 * count)]):
            seeds += 1
            if record is None:
                continue
            done += 1
            wrong += bool(record["faults"])
            for fault in record["faults"]:
                print(f"seed {record['seed']}: {fault}", flush=True)
            lines += len(record.get("lines", ()))
            clashes += len(record.get("clashes", ()))
            empty += not record.get("lines")
            slowest = max(slowest, record.get("seconds", 0.0))
            kinds.update(kind for line in record.get("lines", ()) for kind, _, _ in line)
            sizes.update(len(line) for line in record.get("lines", ()))
            if out:
                print(json.dumps(record, ensure_ascii=False), file=out, flush=True)
            if done == count:
                pool.terminate()
                break
    if out:
        out.close()
    larger = sum(number for size, number in sizes.items() if size > 2)
    told = ", ".join(f"{kind} {number}" for kind, number in kinds.most_common())
    print(
        f"{done} cases without a plan of {seeds}: {clashes} clashes, {lines} lines ({told}; "
        f"{sizes[1]} single, {sizes[2]} pairs, {larger} larger), {empty} without a line, {wrong} cases with faults; "
        f"slowest diagnosis {slowest:.1f} s; {time.perf_counter() - begun:.0f} s in all"
    )
    return wrong


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.campaign_repairs", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--twice", action="store_true", help="with two further pins that cannot be kept")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--log", type=Path, help="a JSON line per case")
    given = parser.parse_args()
    return 1 if campaign(given.first, given.count, given.workers, given.log, given.twice) else 0


if __name__ == "__main__":
    sys.exit(main())
