"""How the code is laid out: imports point one way, and each library has one door."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PLANNER = Path(__file__).parent.parent / "planner"
ROOT = PLANNER.parent
# Modules import only what stands before them. A package counts as one: its own modules import each other freely.
ORDER = (
    *("interrupt", "errors", "units", "timing", "text", "amounts", "saving", "cache"),
    *("rows", "cells", "files", "tableset", "targets", "groups", "objectives"),
    *("meaning", "choices", "magnitudes", "checks", "edits", "case", "tables", "scenario", "store", "reference"),
    *("called", "certificate"),
    *("problem", "worst", "vacuous", "formulation", "templates", "symbolic", "expand", "matrix", "compile", "ordinary"),
    *(
        "solution",
        "kept",
        "prices",
        "scaling",
        "engine",
        "pricing",
        "stages",
        "live",
        "probe",
        "reduced",
        "numbers",
        "split",
        "frames",
        "plan",
    ),
    *("unique", "export", "breakeven", "explanation", "goalcosts"),
    *("conflict", "reach", "session", "tasks", "executors", "sweep", "uncertainty"),
    *("highlights", "grades", "explore", "nearly", "foresight", "stress", "futures", "robust"),
    *(
        "credit",
        "fairness",
        "flows",
        "budgets",
        "words",
        "workbook",
        "starter",
        "bringing",
        "worklist",
        "progress",
        "exchange",
    ),
    *("compare", "sources", "charts", "show", "ui", "report", "doctor", "commands", "cli"),
)
DOORS = {
    "pint": {"units"},
    "pyomo": {"symbolic", "ordinary"},
    "highspy": {"engine", "pricing", "live", "reduced"},
    "streamlit": {"ui", "app"},
}
FILES = [*sorted(PLANNER.rglob("*.py")), ROOT / "app.py"]


def module(file: Path) -> str:
    """Module or package directly under planner that a file belongs to."""
    if file.parent == ROOT:
        return file.stem
    return file.relative_to(PLANNER).parts[0].removesuffix(".py")


def imported(file: Path) -> Iterator[str]:
    """Dotted names that a file imports anywhere, also inside functions."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file.name}: imports are written in full"
            yield str(node.module)
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_every_module_has_its_place() -> None:
    missing = {module(file) for file in FILES} - {"__init__", "__main__", "app", *ORDER}
    assert not missing, f"modules without a place in ORDER (tests/test_layout.py): {sorted(missing)}"


def test_imports_point_one_way() -> None:
    rank = {name: place for place, name in enumerate(ORDER)}
    wrong = []
    for file in FILES:
        own = module(file)
        for name in imported(file):
            parts = name.split(".")
            if own in rank and parts[0] == "planner" and len(parts) > 1 and parts[1] in rank:
                other = parts[1]
                if other != own and rank[other] >= rank[own]:
                    wrong.append(f"{own} imports {other}")
    assert not wrong, sorted(set(wrong))


@pytest.mark.parametrize("library", DOORS)
def test_each_library_has_one_door(library: str) -> None:
    users = {module(file) for file in FILES if any(name.split(".")[0] == library for name in imported(file))}
    assert users <= DOORS[library]
