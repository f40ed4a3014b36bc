"""What people name on a command line: cases, scenarios, single changes, solved plans.

What is slow to import is imported where it is needed: a case is read without the model and the solver.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from planner.case import Case
from planner.errors import CaseError, Place, error
from planner.scenario import ON_COMMAND_LINE, parse_sets, read_scenario
from planner.tables import read_case

if TYPE_CHECKING:
    from planner.plan import Plan

SCENARIO_ENDINGS = (".yaml", ".yml", ".json")
HOME = Path("cases")
"""Where the case that a scenario names is looked for when none is given."""


def edited_case(source: str, scenario: Path | None = None, changes: Sequence[str] | None = None) -> Case:
    """A case with a scenario and single changes applied; raises CaseError."""
    edits = parse_sets(changes or ())
    case = read_case(source)
    if scenario is not None:
        case = read_scenario(scenario).applied(case)
    return case.edited(edits, ON_COMMAND_LINE) if edits else case


def read_plan(folder: Path) -> "Plan":
    """The plan in a folder; raises CaseError when its files are not those of a plan."""
    from planner.plan import Plan

    try:
        return Plan.read(folder)
    except (OSError, ValueError, KeyError) as fault:
        raise CaseError([error("plan_unreadable", Place(folder.name), found=str(fault))]) from fault


def named_plans(sources: Sequence[str], base: str | None, solve: Callable[[Case], "Plan"]) -> "dict[str, Plan]":
    """Plans by short name: read where they are solved, solved where they are cases or scenarios.

    Scenarios apply to `base`, else to the first case named before them, else to the bundled case they were written
    for. Raises CaseError.
    """
    cases: dict[str, Case] = {}
    if base is not None:
        cases[base] = edited_case(base)
    solved: dict[str, Plan] = {}
    plans = {}
    for name, source in zip(short_names(sources), sources, strict=True):
        path = Path(source)
        if (path / "summary.json").is_file():
            plans[name] = read_plan(path)
            continue
        if path.is_file() and path.suffix.lower() in SCENARIO_ENDINGS:
            scenario = read_scenario(path)
            if not cases:
                if not scenario.case:
                    raise CaseError([error("scenario_without_case", Place(path.name))])
                cases[scenario.case] = edited_case(str(HOME / scenario.case))
            case = scenario.applied(next(iter(cases.values())))
        else:
            case = cases.setdefault(source, cases[source] if source in cases else edited_case(source))
        if case.digest not in solved:
            solved[case.digest] = solve(case)
        plans[name] = solved[case.digest]
    return plans


def short_names(sources: Sequence[str]) -> list[str]:
    """Short and different names: the last part of each path, numbered where it repeats.

    >>> short_names(["cases/jiangxi", "other/jiangxi/", "low.yaml"])
    ['jiangxi', 'jiangxi (2)', 'low']
    """
    names: list[str] = []
    for source in sources:
        path = Path(source)
        stem = path.stem if path.suffix.lower() in (*SCENARIO_ENDINGS, ".xlsx") else path.name or source
        same = sum(name == stem or name.startswith(f"{stem} (") for name in names)
        names.append(f"{stem} ({same + 1})" if same else stem)
    return names


def answer_of(
    source: str,
    folder: Path | None,
    scenario: Path | None,
    changes: Sequence[str] | None,
    solve: Callable[[Case], "Plan"],
) -> "Plan":
    """The plan of an edited case: read from `folder`, if it answers these very inputs, or solved.

    Raises CaseError.
    """
    case = edited_case(source, scenario, changes)
    if folder is None:
        return solve(case)
    plan = read_plan(folder)
    if plan.summary.get("input_digest") != case.digest:
        raise CaseError([error("plan_of_other_case", Place(folder.name))])
    return replace(plan, case=case)
