"""Writes the scenarios in which electricity demand or imports differ from what the case expects.

    python docs/shifts.py cases/jiangxi

What a change of demand means for coal power, fuels and emissions follows from the conversions of the case. It is
added to the baseline in a sector of its own and in no city, so that every other row stays as it is.
"""

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from planner.case import Case
from planner.tables import read_case

SECTOR = "shift"
KNOWN = 2022
"""Last year in which demand and imports are taken as known."""
FULL = 2025
"""First year in which the whole shift is there."""
DIGITS = 6


def factor(case: Case, source: str, driven: str, year: int) -> float:
    """Sum over all routes of what a change of one quantity carries to another in a year."""
    routes: dict[object, dict[int | None, float]] = {}
    for row in case.conversions:
        if (row.from_quantity, row.to_quantity) == (source, driven):
            routes.setdefault((row.to_sector, row.allocation), {})[row.year] = row.factor
    return sum(along(path, year) for path in routes.values())


def along(path: Mapping[int | None, float], year: int) -> float:
    """A path read in a year: linear between dated values, constant outside."""
    dated = sorted((at, value) for at, value in path.items() if at is not None)
    if not dated:
        return path[None]
    before = [point for point in dated if point[0] <= year] or dated[:1]
    after = [point for point in dated if point[0] >= year] or dated[-1:]
    (y0, v0), (y1, v1) = before[-1], after[0]
    return v0 if y1 == y0 else v0 + (v1 - v0) * (year - y0) / (y1 - y0)


def carried(case: Case, first: Mapping[str, float], year: int) -> dict[str, float]:
    """Everything that changes of some quantities bring about through the conversions, these included."""
    total = dict.fromkeys(first, 0.0)
    waiting = list(first.items())
    while waiting:
        quantity, amount = waiting.pop()
        total[quantity] = total.get(quantity, 0.0) + amount
        reached = {row.to_quantity for row in case.conversions if row.from_quantity == quantity}
        waiting += [(driven, amount * factor(case, quantity, driven, year)) for driven in reached]
    return total


def years(case: Case) -> list[int]:
    """Years of the added path: what bends is given year by year."""
    bends = {row.year for row in case.conversions if row.year} | {row.year for row in case.baseline if row.year}
    return sorted({case.settings.base_year, KNOWN, FULL} | {year for year in bends if year > FULL})


def demand(case: Case, share: float, year: int) -> dict[str, float]:
    """A share more of electricity demand [GWh]."""
    rows: dict[tuple[object, object], dict[int | None, float]] = {}
    for row in case.baseline:
        if row.quantity == "electricity":
            rows.setdefault((row.city, row.sector), {})[row.year] = row.value
    return {"electricity": share * sum(along(path, year) for path in rows.values())}


def imports(case: Case, amount: float, year: int) -> dict[str, float]:
    """More hydropower from other provinces [GWh]: less coal power here, more non-fossil energy."""
    heat = factor(case, "clean_generation", "nonfossil_energy", year)
    return {"coal_generation": -amount, "nonfossil_energy": amount * heat}


def edits(case: Case, what: Any, size: float) -> list[dict[str, Any]]:
    """A sector of its own, and in it what the shift changes in every year."""
    name = {
        "sector": SECTOR,
        "name_zh": "情景偏移",
        "name_en": "Shift of the scenario",
        "note": "added to the baseline",
    }
    found: list[dict[str, Any]] = [{"table": "sectors", "add": name}]
    rows: dict[str, dict[int, float]] = {}
    for year in years(case):
        for quantity, value in carried(case, what(case, size, year), year).items():
            rows.setdefault(quantity, {})[year] = 0.0 if year <= KNOWN else float(f"{value:.{DIGITS}g}")
    for quantity, path in sorted(rows.items()):
        for year, value in path.items():
            row = {"quantity": quantity, "sector": SECTOR, "year": year, "value": value, "source": "own", "grade": "C"}
            found.append({"table": "baseline", "add": row})
    return found


SHIFTS: tuple[tuple[str, str, str, str, Any, float], ...] = (
    ("demand_minus10", "用电需求低10%", "Electricity demand 10 % lower", "demand", demand, -0.10),
    ("demand_plus3", "用电需求高3%", "Electricity demand 3 % higher", "demand", demand, 0.03),
    ("demand_plus10", "用电需求高10%", "Electricity demand 10 % higher", "demand", demand, 0.10),
    ("imports_plus10", "外来水电多100亿千瓦时", "10 TWh more hydropower from outside", "imports", imports, 10_000.0),
    ("imports_plus15", "外来水电多150亿千瓦时", "15 TWh more hydropower from outside", "imports", imports, 15_000.0),
)
NOTES = {
    "demand": "From 2025 on, nothing up to 2022, linear between; met by coal power, "
    "with the factors of the conversions. 自2025年起全额偏移,2022年及以前不变,其间线性;由煤电平衡,按折算系数计算。",
    "imports": "From 2025 on, nothing up to 2022, linear between; replaces coal power in the province. "
    "The Yazhong-Jiangxi line is designed for 36 TWh a year and brought 9.8 TWh in the dry year 2022. "
    "自2025年起全额,替代省内煤电。",
}


def written(case: Case) -> Iterable[tuple[str, str]]:
    """Name and text of every file."""
    for name, zh, en, kind, what, size in SHIFTS:
        content = {
            "scenario": name,
            "title": {"zh": zh, "en": en},
            "case": case.settings.name,
            "format": 1,
            "note": NOTES[kind],
        }
        head = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=1000)
        lines = [
            yaml.safe_dump(edit, allow_unicode=True, sort_keys=False, default_flow_style=True, width=1000).strip()
            for edit in edits(case, what, size)
        ]
        yield f"{name}.yaml", head + "edits:\n" + "".join(f"  - {line}\n" for line in lines)


def main() -> None:
    """Write the files into the folder `scenarios` of the case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("case", help="folder of the case")
    folder = Path(parser.parse_args().case)
    for name, content in written(read_case(folder)):
        (folder / "scenarios").mkdir(exist_ok=True)
        (folder / "scenarios" / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
