"""Cases small enough to solve on paper.

The smallest has one city `a`, one sector `s`, one quantity `q` of 100 t in every year, and one measure `m`: a unit cuts
1 t, costs 100 and lives 10 years; the city takes 10 of them, at once, and there is no discounting. So a unit in service
costs 10 a year and a tonne does, too. A test replaces whole tables by text: a header and rows, blanks as `-`.

    plan = toy.solve(targets="target kind quantity sense value first_year\\ncap level q <= 95 2023")

Every toy goes through the real door (a folder of CSV files) and is solved by the planner and by the twin; both must
agree before a test looks at numbers worked out by hand.
"""

import csv
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import twin
import yaml

from planner.case import Case
from planner.engine import Options
from planner.plan import Plan
from planner.plan import solve as solve_case
from planner.problem import Problem
from planner.tables import read_case

YEAR = 10.0
"""Cost of one unit of `m` in service for one year, and of one tonne cut."""
PRECISION = 1e-6
SETTINGS: Mapping[str, Any] = {
    "name": "toy",
    "title": {"zh": "玩具", "en": "Toy"},
    "base_year": 2020,
    "first_year": 2021,
    "last_year": 2023,
    "discount_rate": 0,
    "currency": "CNY",
    "objective": "cost",
}
TABLES: Mapping[str, str] = {
    "cities": "city\na",
    "sectors": "sector\ns",
    "quantities": "quantity unit\nq t",
    "measures": "measure capex\nm 100",
    "effects": "measure quantity value\nm q -1",
    "potentials": "measure city potential\nm a 10",
    "baseline": "quantity city sector year value\nq a s 2020 100",
}
DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "measures": {
        **{"sector": "s", "unit": "unit", "capex": "100", "fixed_om": "0"},
        **{"lifetime": "10", "lead_time": "0", "ramp": "1"},
    },
    "targets": {"sense": "", "value": ""},
    "baseline": {"sector": "s"},
}
"""Columns that a test need not state."""
NAMED = ("cities", "sectors", "quantities", "measures", "funds")


def rows(table: str, text: str) -> list[dict[str, str]]:
    """Rows of a table written as text: the header first, cells apart by blanks, an empty cell as `-`."""
    header, *lines = [line.split() for line in text.strip().splitlines() if line.strip()]
    found = []
    for cells in lines:
        row = {name: "" if cell == "-" else cell for name, cell in zip(header, cells, strict=True)}
        names = {"name_zh": cells[0], "name_en": cells[0]} if table in NAMED else {}
        found.append({**DEFAULTS.get(table, {}), **names, **row})
    return found


def write(folder: Path, settings: Mapping[str, Any] | None = None, **tables: str) -> Path:
    """Write the toy with these settings and tables in place of its own; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "case.yaml").write_text(yaml.safe_dump({**SETTINGS, **(settings or {})}, allow_unicode=True), "utf-8")
    for table, text in {**TABLES, **tables}.items():
        if text:
            lines = rows(table, text)
            with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(lines)
    return folder


def case(settings: Mapping[str, Any] | None = None, **tables: str) -> Case:
    """The toy as the loader reads it."""
    with tempfile.TemporaryDirectory() as folder:
        return read_case(write(Path(folder), settings, **tables))


def problem(settings: Mapping[str, Any] | None = None, **tables: str) -> Problem:
    """Sets and coefficients of the toy."""
    return Problem(case(settings, **tables))


def solve(settings: Mapping[str, Any] | None = None, options: Options | None = None, **tables: str) -> Plan:
    """The plan of the toy, after the twin has agreed with it."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), settings, **tables)
        plan = solve_case(read_case(folder), options)
        other = twin.solve(Path(folder))
    assert plan.status == other.status
    for stage, (name, value) in zip(plan.summary["objectives"], other.stages, strict=True):
        assert stage["name"] == name
        assert math.isclose(stage["value"], value, rel_tol=PRECISION, abs_tol=PRECISION), (stage, value)
    return plan


def starts(plan: Plan, measure: str, year: int, city: str = "a") -> float:
    """Starts of a measure in a year."""
    return _sum(plan.portfolio, "starts", measure=measure, city=city, year=year)


def stock(plan: Plan, measure: str, year: int, city: str = "a") -> float:
    """Units in service in a year."""
    return _sum(plan.portfolio, "stock", measure=measure, city=city, year=year)


def level(plan: Plan, quantity: str, year: int, **where: str) -> float:
    """Planned level of a quantity; by `city` or `sector` when given."""
    return _sum(plan.quantities, "planned", quantity=quantity, year=year, **where)


def paid(plan: Plan, fund: str, **where: str | int) -> float:
    """What a fund pays; by `measure`, `sector`, `city` or `year` when given."""
    return _sum(plan.funds, "paid", fund=fund, **where)


def target(plan: Plan, name: str, year: int, column: str) -> float:
    """A cell of the targets' frame."""
    return _sum(plan.targets, column, target=name, year=year)


def budget(plan: Plan, name: str, year: int, column: str = "spent") -> float:
    """A cell of the budgets' frame."""
    return _sum(plan.budgets, column, budget=name, year=year)


def _sum(frame: Any, column: str, **where: str | int) -> float:
    for name, value in where.items():
        frame = frame[frame[name] == value]
    return float(frame[column].sum())
