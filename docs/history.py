"""Writes what the case `jiangxi-2026` holds of its own: the stock built up to 2025, and choices that start after it.

    python docs/history.py

Records are facts as published (`data/records/jiangxi.csv`), mostly for the province and not by measure. Here they are
split by measure, city and year; every step is an estimate, and the note of each row says which.
"""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from math import ceil
from pathlib import Path
from typing import Any

from planner.case import Case
from planner.cells import columns
from planner.rows import TABLES
from planner.tables import read_case

ROOT = Path(__file__).parent.parent
FROM, CASE, PAST = ROOT / "cases/jiangxi", ROOT / "cases/jiangxi-2026", 2025
FOLDER = ROOT / "data/records"
WIND = 1900 / (1900 + 200)
"""Share of wind in what wind and biomass grew: goals of the province for 2025 (7, 1 GW) less the stock of 2020."""
ROOFS = (29 + 96) / (53 + 216.88)
"""Share of rooftops in new PV: nation, 2021 and 2023."""
FIRMS = {2021: 34.16 / (34.16 + 32.98), 2024: 37.0 / (37.0 + 15.85)}
"""Share of firms and parks in new rooftop PV from a year on: nation, first nine months of 2023, first half of 2024."""
DIGITS = 6


def records() -> dict[str, dict[str, str]]:
    """Rows of the records by id."""
    return {row["record"]: row for row in read(FOLDER / "jiangxi.csv")}


def growth(row: Mapping[str, str]) -> float:
    """What a record holds above the stock of 2020."""
    return float(row["value"]) - float(row["base_2020"])


def potential(case: Case, measure: str, year: int = PAST) -> dict[str, float]:
    """Potential by city; a path is read in the last dated year not after `year`, the first before that."""
    found: dict[str, dict[int, float]] = {}
    for row in case.potentials:
        if row.measure == measure:
            found.setdefault(row.city, {})[row.year or 0] = row.potential
    return {
        city: path[max((y for y in path if y <= year), default=min(path))]
        for city, path in found.items()
        if max(path.values()) > 0
    }


def spread(case: Case, measure: str, amount: float) -> dict[str, float]:
    """An amount by city, as the potential is."""
    key = potential(case, measure)
    return {city: amount * share / sum(key.values()) for city, share in key.items()}


def power(facts: Mapping[str, Mapping[str, str]]) -> dict[int, dict[str, float]]:
    """Wind, PV and biomass commissioned by year and measure [MW]."""
    first, second = growth(facts["clean_2021"]), growth(facts["clean_2022"])
    last = growth(facts["renewables_2025"])
    pv = growth(facts["pv_2022"])
    other = (second - pv) / 2
    rest = last - second
    added = {
        2021: (pv * first / second, first * (1 - pv / second)),
        2022: (pv * (1 - first / second), (second - first) * (1 - pv / second)),
        **dict.fromkeys((2023, 2024, 2025), (rest / 3 - other, other)),
    }
    found = {}
    for year, (sun, rest_of) in added.items():
        firms = FIRMS[max(start for start in FIRMS if start <= year)]
        found[year] = {
            "pv_utility": sun * (1 - ROOFS),
            "pv_distributed_park": sun * ROOFS * firms,
            "pv_distributed_county": sun * ROOFS * (1 - firms),
            "wind_onshore": rest_of * WIND,
            "biomass_chp": rest_of * (1 - WIND),
        }
    return found


VEHICLES = {
    "charging_network": (("chargers_2023", 2023), ("chargers_2025", 2025)),
    "ebus": (("buses_2024", 2024),),
    "e_taxi": (("taxis_2024", 2024),),
    "private_ev": (("cars_2023", 2023), ("cars_2025", 2025)),
}


def steady(points: Iterable[tuple[float, int]]) -> dict[int, float]:
    """Yearly additions that reach each level in its year, in equal parts before it."""
    found: dict[int, float] = {}
    level, before = 0.0, 2020
    for value, year in points:
        found |= dict.fromkeys(range(before + 1, year + 1), (value - level) / (year - before))
        level, before = value, year
    return found


def duty(case: Case, group: str, stock: Mapping[str, float]) -> float:
    """What a stock of dependents asks of the providers of a group."""
    rows = [row for row in case.groups if row.group == group]
    asked = sum((row.weight or 1.0) * stock.get(row.measure, 0.0) for row in rows if row.role == "dependent")
    return max(0.0, asked - (rows[0].free or 0.0))


def farms(facts: Mapping[str, Mapping[str, str]], measure: str, year: int) -> dict[str, float]:
    """What is known by city of the stock that came into service in a year."""
    rows = [row for row in facts.values() if (row["measures"], row["year"]) == (measure, str(year)) and row["city"]]
    return {row["city"]: float(row["value"]) for row in rows}


def history(case: Case) -> list[dict[str, Any]]:
    """Rows of `existing`."""
    facts = records()
    reasons = {row["measure"]: row for row in read(FOLDER / "split.csv")}
    built: dict[tuple[str, str, int], float] = {}

    def add(measure: str, year: int, amounts: Mapping[str, float]) -> None:
        for city, units in amounts.items():
            built[measure, city, year] = built.get((measure, city, year), 0.0) + units

    stock: dict[str, float] = {}
    asked = dict.fromkeys(("grid_hosting_hv", "grid_rural_upgrade", "battery_storage"), 0.0)
    groups = ("grid_hv_for_renewables", "grid_lv_for_rooftop", "storage_for_variable")
    for year, added in power(facts).items():
        for measure, amount in added.items():
            stock[measure] = stock.get(measure, 0.0) + amount
            known = farms(facts, measure, year)
            add(measure, year, known)
            add(measure, year, spread(case, measure, amount - sum(known.values())))
        for (measure, before), group in zip(tuple(asked.items()), groups, strict=True):
            asked[measure] = duty(case, group, stock)
            more = spread(case, measure, asked[measure] - before).items()
            add(measure, year, {city: ceil(units * 10) / 10 for city, units in more})  # what serves must not fall short
    for measure, points in VEHICLES.items():
        for year, amount in steady((growth(facts[record]), year) for record, year in points).items():
            add(measure, year, spread(case, measure, amount))
    rows = [
        {
            "measure": measure,
            "city": city,
            "year": year,
            "units": float(f"{units:.{DIGITS}g}"),
            "capex": "",
            "fund": "",
            "source": reasons[measure]["source"],
            "grade": "C",
            "note": reasons[measure]["note"],
        }
        for (measure, city, year), units in built.items()
        if units > 0
    ]
    return rows + named(case, facts)


NAMED = (
    ("steel_ule", "jiujiang", 2024, "steel_ule_jiujiang_2024", ""),
    ("pumped_storage", "yichun", 2030, "pumped_yichun", "enterprise"),
    ("pumped_storage", "ganzhou", 2031, "pumped_xunwu", "enterprise"),
    ("pumped_storage", "ganzhou", 2030, "pumped_ganxian", "enterprise"),
)
"""Single plants: measure, city, year, record, and the fund that pays; left out where the potential has no room."""


def named(case: Case, facts: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """Rows of plants that are known by name."""
    rows = []
    room = {(measure, city): potential(case, measure, year)[city] for measure, city, year, _, _ in NAMED}
    for measure, city, year, record, fund in NAMED:
        fact, units = facts[record], float(facts[record]["value"])
        if units > room[measure, city]:
            print(f"{record} is left out: more than the potential of {measure} in {city} has room for")
            continue
        room[measure, city] -= units
        rows.append(
            {
                "measure": measure,
                "city": city,
                "year": year,
                "units": units,
                "capex": fact["capex"],
                "fund": fund,
                "source": fact["source"],
                "grade": fact["grade"],
                "note": f"{fact['what']}; {fact['note']}".removesuffix("; "),
            }
        )
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as CSV."""
    text = StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


MET = ("new_energy_32gw", "nonfossil_share", "manure_use")
"""Goals of 2025 that the records show as met."""
DUE, LATER = 2028, {"eaf_share": 2030, "benchmark_glass_share": 2029}
"""First year in which overdue goals are asked again: what starts in 2026 and takes two years serves by then."""
LATE = "due in 2025 and not on record: asked again from {year} on, when what is started in 2026 serves"
CARBON = {"co2_level": 270_000, "co2_budget_2030": 2_637_000}
"""Carbon path by the rule of the case: what this plan emits without any CO2 row, its highest year and its sum [kt]."""
PROGRAMMES = ("forest_improved", "forest_planted", "erosion", "mines")
"""Programmes that count what is done since 2021: goals `_2025` and `_2030`."""
ADDED = "what the programme adds after 2025; its area up to 2025 is not on record"
FLOOR = (
    "on top of the 64 % of the base year counted to 2026, all completions from 2027 on, the first that a start in 2026 "
    "reaches; the green floor of 2021-2025 is not on record"
)


def targets(case: Case) -> list[dict[str, Any]]:
    """Targets of the case, those that are overdue from the first year in which they can be met."""
    rows = read(FROM / "targets.csv")
    values = {row["target"]: float(row["value"] or 0) for row in rows}
    for row in rows:
        target, stem = row["target"], row["target"].removesuffix("_2030")
        first, last = int(row["first_year"] or 0), int(row["last_year"] or case.settings.last_year)
        if target in CARBON:
            row["value"] = CARBON[target]
        if last <= PAST or target in MET or row["quantity"] == "co2":
            continue
        if row["quantity"] == "green_floor":
            if first <= PAST:
                row["last_year"] = PAST
            else:
                row |= {"value": green_share(case, first), "grade": "C", "note": FLOOR}
        elif target.removesuffix("_2025") in PROGRAMMES:
            row["last_year"] = PAST
        elif stem in PROGRAMMES:
            row |= {"value": round(values[target] - values[f"{stem}_2025"], 6), "note": f"{row['note']}; {ADDED}"}
        elif first <= PAST or target.endswith("_held"):
            year = LATER.get(target, DUE)
            row |= {"first_year": year, "note": f"{row['note']}; {LATE.format(year=year)}"}
    return rows


def green_share(case: Case, year: int) -> float:
    """Least share of green floor in a year: the base to 2026, everything after."""
    floor = {name: path(case, name) for name in ("green_floor", "new_floor")}
    begun = PAST + 1
    green = along(floor["green_floor"], begun) + along(floor["new_floor"], year) - along(floor["new_floor"], begun)
    return round(green / along(floor["new_floor"], year) - 5e-4, 3)


def path(case: Case, quantity: str) -> dict[int, float]:
    """Baseline of a quantity in the province, by dated year."""
    found: dict[int, float] = {}
    for row in case.baseline:
        if row.quantity == quantity and row.year is not None:
            found[row.year] = found.get(row.year, 0.0) + row.value
    return found


def along(dated: Mapping[int, float], year: int) -> float:
    """A path read in a year."""
    before, after = max(y for y in dated if y <= year), min(y for y in dated if y >= year)
    part = (year - before) / (after - before) if after > before else 0.0
    return dated[before] + (dated[after] - dated[before]) * part


def budgets(case: Case) -> list[dict[str, Any]]:
    """Budgets of the case from the first year that is still to be decided."""
    kept = [row for row in read(FROM / "budgets.csv") if int(row["last_year"] or case.settings.last_year) > PAST]
    return [row | {"first_year": max(PAST + 1, int(row["first_year"] or 0))} for row in kept]


def read(file: Path) -> list[dict[str, Any]]:
    """Rows of a table."""
    with file.open(encoding="utf-8", newline="") as lines:
        return [dict(row) for row in csv.DictReader(lines)]


def sources() -> str:
    """Sources of the facts and of the records in one table, as a case takes a table whole."""
    rows = read(ROOT / "data/jiangxi/sources.csv")
    known = {row["source"] for row in rows}
    return table(rows + [row for row in read(FOLDER / "more_sources.csv") if row["source"] not in known])


def tables() -> dict[str, str]:
    """Every table that the case has of its own, by file."""
    case = read_case(FROM)
    return {
        "existing.csv": table(history(case)),
        "targets.csv": table(targets(case)),
        "budgets.csv": table(budgets(case)),
        "pins.csv": ",".join(columns(TABLES["pins"])) + "\n",
        "sources.csv": sources(),
    }


def main() -> None:
    """Write the tables."""
    for name, content in tables().items():
        (CASE / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
