"""Many random cases against the twin and the laws, mistakes planted in the formulation, and damaged inputs.

    python -m tests.campaign [--seeds 0:400] [--workers 2] [--log FILE] [--no-laws] [--no-mutants] [--damaged 2000]

Exit code 1 when any case disagrees, breaks a law or fails, any mistake goes unnoticed, or any damage is misread.
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


def examine(seed: int, laws: bool = True) -> dict[str, Any]:
    """All that is wrong with one random case, and how it went."""
    from agreement import differences, solved
    from laws import LAWS
    from random_cases import random_case

    begun = time.perf_counter()
    record: dict[str, Any] = {"seed": seed, "status": "", "faults": []}
    try:
        case = random_case(seed)
        plan, twin = solved(case), case.solve()
        record |= {"status": plan.status, "borderline": twin.borderline, "features": sorted(case.features)}
        record["faults"] += differences(case, plan, twin)
        for name, law in LAWS.items() if laws else ():
            record["faults"] += [f"{name}: {fault}" for fault in law(case, plan)]
    except Exception as fault:
        record["faults"].append(f"{type(fault).__name__}: {fault}")
        record["traceback"] = traceback.format_exc()
    record["seconds"] = round(time.perf_counter() - begun, 3)
    return record


def _examine(given: tuple[int, bool]) -> dict[str, Any]:
    return examine(*given)


def campaign(seeds: range, workers: int, log: Path | None, laws: bool = True) -> int:
    """Examine the cases of `seeds`, tell how it goes, and return how many have faults."""
    begun = time.perf_counter()
    statuses: Counter[str] = Counter()
    features: Counter[str] = Counter()
    wrong = 0
    lines = log.open("w", encoding="utf-8") if log else None
    with get_context("fork").Pool(workers) as pool:
        for done, record in enumerate(pool.imap_unordered(_examine, [(seed, laws) for seed in seeds]), start=1):
            statuses[record["status"]] += 1
            features.update(record.pop("features", ()))
            wrong += bool(record["faults"])
            for fault in record["faults"]:
                print(f"seed {record['seed']}: {fault}")
            if lines:
                print(json.dumps(record, ensure_ascii=False), file=lines, flush=True)
            if done % 25 == 0:
                print(
                    f"{done} of {len(seeds)} cases, {wrong} with faults, {time.perf_counter() - begun:.0f} s",
                    flush=True,
                )
    if lines:
        lines.close()
    told = ", ".join(f"{count} {status or 'failed'}" for status, count in statuses.most_common())
    rare = ", ".join(f"{name} {count}" for name, count in sorted(features.items(), key=lambda item: item[1])[:8])
    print(
        f"{len(seeds)} random cases ({told}; rarest: {rare}): {wrong} with faults, {time.perf_counter() - begun:.0f} s"
    )
    return wrong


def main() -> int:
    """Run the campaign, then the mutants, then the damaged inputs."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", default="0:400", help="first:last (excluded)")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--log", type=Path, help="a JSON line per case")
    parser.add_argument("--laws", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--mutants", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--damaged", type=int, default=2000, help="damaged cases to read")
    given = parser.parse_args()
    first, _, last = given.seeds.partition(":")
    wrong = campaign(range(int(first), int(last or int(first) + 1)), given.workers, given.log, given.laws)
    if given.mutants:
        from mutants import survivors

        wrong += len(survivors(given.workers))
    if given.damaged:
        from fuzz import campaign as damage

        wrong += damage(given.damaged)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
