"""What must be true of every diagnosis of a random case without a plan, and of every line of its menu.

The planner is asked again on the edited case, and the twin, which shares nothing with it, is asked, too.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import twin
from random_cases import RandomCase, random_case

from planner.case import Case
from planner.conflict import Clash, Diagnosis, Line, diagnose
from planner.engine import Options
from planner.errors import CaseError
from planner.plan import solve
from planner.tables import read_case, write_case

QUICK = Options(prices=False, break_ties=False)
CHANGED_BY_ID = {"target": "targets", "budget": "budgets", "pin": "pins", "group": "groups"}


def read(case: RandomCase) -> Case | None:
    """The case as the loader reads it; none where it refuses it without a solve."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return read_case(case.write(Path(folder)))
        except CaseError:
            return None


def status(case: Case, edits: Sequence[Mapping[str, Any]] = ()) -> str:
    """Status of the planner's plan after edits; `refused` where the loader sees that they contradict each other."""
    try:
        return solve(case.edited(list(edits)), QUICK).status
    except CaseError as fault:
        if all(issue.key == "targets_contradict" for issue in fault.errors):
            return "refused"
        raise


def twin_status(case: Case, edits: Sequence[Mapping[str, Any]]) -> str:
    """Status of the twin's plan after edits."""
    try:
        edited = case.edited(list(edits))
    except CaseError:
        return "refused"
    with tempfile.TemporaryDirectory() as folder:
        write_case(edited, Path(folder) / "case")
        settings, tables = twin.read_case(Path(folder) / "case")
    if len(settings["perspective"]) == 1:  # a written case lists it, the twin takes a list as components
        settings["perspective"] = settings["perspective"][0]
    return str(twin.Twin(settings, tables).solve(["cost"]).status)


def infeasible_seeds(first: int, count: int) -> Iterator[tuple[int, Case]]:
    """So many random cases from a seed on that load and have no plan."""
    found, seed = 0, first
    while found < count:
        case = read(random_case(seed))
        if case is not None and status(case) == "infeasible":
            found += 1
            yield seed, case
        seed += 1


def doomed_twice(seed: int) -> RandomCase:
    """A random case with two further pins beyond what two of its measures can be: no single change repairs it."""
    case = random_case(seed, lumps=False)
    for row in case.tables["measures"][:2]:
        sites = [each for each in case.tables["potentials"] if each["measure"] == row["measure"]]
        most = sum(float(str(each["potential"])) for each in sites if each["city"] == sites[0]["city"])
        pin = {"pin": f"more_{row['measure']}", "measure": row["measure"], "city": sites[0]["city"], "on": "stock"}
        case.tables["pins"].append(
            {**pin, "first_year": case.settings["last_year"], "min": round(1.3 * most + 1, 2), "max": ""}
        )
    return case


def without(case: Case, kind: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Edits that drop a member of a clash."""
    if kind in CHANGED_BY_ID:
        return [{"table": CHANGED_BY_ID[kind], "key": {kind: id_}, "remove": True} for id_ in ids]
    if kind == "floor":
        return [
            {"table": "quantities", "key": {"quantity": q}, "set": {"floor": None, "floor_scope": None}} for q in ids
        ]
    if kind == "potential":
        return [
            {
                "table": "potentials",
                "key": {"measure": row.measure, "city": row.city, "year": row.year},
                "set": {"potential": 100 * row.potential},
            }
            for row in case.potentials
            if row.measure in ids
        ]
    cells: dict[str, Any] = {
        "ramp": {"ramp": 1.0},
        "first_year": {"first_year": None},
        "lead_time": {"lead_time": 0},
        "lump": {"lump": None},
    }[kind]
    return [{"table": "measures", "key": {"measure": m}, "set": cells} for m in ids]


def alone(case: Case, clash: Clash) -> list[dict[str, Any]]:
    """Edits that take away every target, budget, pin, floor and group that is not in a clash."""
    kept = {(member.kind, id_) for member in clash.members for id_ in member.ids}
    edits: list[dict[str, Any]] = []
    for kind, table in CHANGED_BY_ID.items():
        ids = dict.fromkeys(str(row.ids()[0]) for row in case.rows(table))
        soft = {row.target for row in case.targets if row.soft_penalty is not None}
        edits += without(case, kind, [i for i in ids if (kind, i) not in kept and not (kind == "target" and i in soft)])
    floors = [row.quantity for row in case.quantities if row.floor is not None]
    return edits + without(case, "floor", [q for q in floors if ("floor", q) not in kept])


def not_minimal(case: Case, clash: Clash) -> Iterator[str]:
    """Where a clash is none, or stays one without one of the things asked for."""
    only = alone(case, clash)
    if status(case, only) not in ("infeasible", "refused"):
        yield f"{names(clash)} can hold together"
    for member in clash.members:
        if member.kind in (*CHANGED_BY_ID, "floor") and len(member.ids) == 1:
            got = status(case, [*only, *without(case, member.kind, member.ids)])
            if got != "optimal":
                yield f"{names(clash)} is {got} without {member.kind} {member.ids[0]}"


def names(clash: Clash) -> str:
    return " + ".join(f"{member.kind} {'/'.join(member.ids)}" for member in clash.members)


def wrong_lines(case: Case, menu: Sequence[Line]) -> Iterator[str]:
    """Lines that do not repair, or whose size is more than is needed."""
    for line in menu:
        told = " + ".join(f"{part.change.kind} {part.change.element.id} {part.size:g}" for part in line.parts)
        for asked, who in ((status, "planner"), (twin_status, "twin")):
            after = asked(case, line.edits)
            if after != "optimal":
                yield f"{told} applied: {after} ({who})"
            for i in range(len(line.parts)):
                less = asked(case, line.edits_with_less(i))
                if less not in ("infeasible", "refused"):
                    yield f"{told} with less of part {i + 1}: {less} ({who})"
        for part in line.parts:
            if not part.change.whole and part.size != float(f"{part.size:.4g}") and part.size < part.change.most:
                yield f"{told}: more than four digits"


def faults(case: Case) -> tuple[Diagnosis, list[str]]:
    """The diagnosis of a case that has no plan, and all that is wrong with it."""
    diagnosis = diagnose(case)
    found = []
    if diagnosis.status != "infeasible":
        found.append(f"called {diagnosis.status}")
    for clash in diagnosis.clashes:
        found += not_minimal(case, clash)
    found += wrong_lines(case, diagnosis.menu)
    return diagnosis, found
