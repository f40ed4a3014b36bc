"""Writes those scenarios of Jiangxi that follow from its tables.

    python docs/scenarios.py            writes the files
    python docs/scenarios.py --table    solves the case and all its scenarios and prints the table of docs/scenarios.md

Demand and imports: what a change means for coal power, fuels and emissions follows from the conversions of the case.
It is added to the baseline in a sector of its own and in no city, so that every other row stays as it is. Budgets and
goals: one edit for each row that the scenario is about.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from planner.case import Case
from planner.engine import Options
from planner.highlights import levels
from planner.plan import solve
from planner.scenario import Scenario, read_scenario
from planner.tables import read_case

CASE = Path(__file__).parent.parent / "cases/jiangxi"
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


Edits = list[dict[str, Any]]


def shift(case: Case, what: Callable[[Case, float, int], dict[str, float]], size: float) -> Edits:
    """A sector of its own, and in it what the shift changes in every year."""
    name = {
        "sector": SECTOR,
        "name_zh": "情景偏移",
        "name_en": "Shift of the scenario",
        "note": "added to the baseline",
    }
    found: Edits = [{"table": "sectors", "add": name}]
    rows: dict[str, dict[int, float]] = {}
    for year in years(case):
        for quantity, value in carried(case, what(case, size, year), year).items():
            rows.setdefault(quantity, {})[year] = 0.0 if year <= KNOWN else float(f"{value:.{DIGITS}g}")
    for quantity, path in sorted(rows.items()):
        for year, value in path.items():
            row = {"quantity": quantity, "sector": SECTOR, "year": year, "value": value, "source": "own", "grade": "C"}
            found.append({"table": "baseline", "add": row})
    return found


def budgets(case: Case, public: float, credit: float) -> Edits:
    """Public funds and green credit by factors; what the province can build in a year stays."""
    factors = {row.budget: credit if row.fund == ("green_credit",) else public for row in case.budgets if row.fund}
    return [
        {"table": "budgets", "key": {"budget": budget}, "scale": {"limit": factor}}
        for budget, factor in factors.items()
    ]


def no_fines(case: Case) -> Edits:
    """Goals that may be missed are missed for nothing: still reported, no longer paid for."""
    soft = [row.target for row in case.targets if row.soft_penalty is not None]
    return [{"table": "targets", "key": {"target": target}, "set": {"soft_penalty": 0}} for target in soft]


SQUEEZED = {"table": "budgets", "key": {"budget": "all_capex_year"}, "set": {"limit": 45_000_000_000}}
EASED = {
    **dict.fromkeys(("eaf_share", "benchmark_clinker_share", "benchmark_glass_share"), 0.667),
    **dict.fromkeys(("benchmark_iron_share", "benchmark_steel_share"), 0.667),
    **dict.fromkeys(("nox_projects", "voc_projects", "nh3n_projects", "yichun_nox"), 0.75),
}
"""Goals of industry and air, and what is left of them where nobody insists."""


def low_ambition(case: Case) -> Edits:
    """No CO2 goal, nothing paid for missed goals, hard goals eased."""
    carbon = [row.target for row in case.targets if row.quantity == "co2"]
    eased = [row.target for row in case.targets if row.target in EASED]
    return [
        *({"table": "targets", "key": {"target": target}, "remove": True} for target in carbon),
        *(edit for edit in no_fines(case) if edit["key"]["target"] not in carbon),
        *({"table": "targets", "key": {"target": target}, "scale": {"value": EASED[target]}} for target in eased),
    ]


DEMAND = (
    "From 2025 on, nothing up to 2022, linear between; met by coal power, with the factors of the conversions. "
    "自2025年起全额偏移,2022年及以前不变,其间线性;由煤电平衡,按折算系数计算。"
)
IMPORTS = (
    "From 2025 on, nothing up to 2022, linear between; replaces coal power in the province. The Yazhong-Jiangxi line "
    "is designed for 36 TWh a year and brought 9.8 TWh in the dry year 2022. 自2025年起全额,替代省内煤电。"
)
FUNDS = (
    "Public funds and green credit times {0}; what the province can build in a year stays. "
    "财政资金与绿色信贷按{0}计,年度建设能力不变。"
)
SQUEEZE = (
    "Public funds 30 % lower, green credit 25 % lower, and no more than 45 billion CNY a year built in all. "
    "财政资金减三成,绿色信贷减四分之一,全省年度投资不超过450亿元。"
)
CHEAP = (
    "Only what is binding: goals that may be missed cost nothing to miss, so nothing is paid for beyond the hard ones. "
    "未达柔性目标不再罚款,仅刚性目标起作用。"
)
LOW = (
    "What is left when nobody insists: no CO2 goal, no fines, industry shares two thirds, pollutant cuts three "
    "quarters. 不设二氧化碳目标与罚款,工业占比目标为三分之二,污染减排目标为四分之三。"
)


def written(case: Case) -> Iterable[tuple[str, str]]:
    """Name and text of every file."""
    found = (
        ("demand_minus10", "用电需求低10%", "Electricity demand 10 % lower", DEMAND, shift(case, demand, -0.10)),
        ("demand_plus3", "用电需求高3%", "Electricity demand 3 % higher", DEMAND, shift(case, demand, 0.03)),
        ("demand_plus10", "用电需求高10%", "Electricity demand 10 % higher", DEMAND, shift(case, demand, 0.10)),
        ("imports_plus10", "外来水电多100亿千瓦时", "10 TWh more hydropower", IMPORTS, shift(case, imports, 10_000)),
        ("imports_plus15", "外来水电多150亿千瓦时", "15 TWh more hydropower", IMPORTS, shift(case, imports, 15_000)),
        ("budgets_75", "资金预算为75%", "Budgets times 0.75", FUNDS.format(0.75), budgets(case, 0.75, 0.75)),
        ("budgets_50", "资金预算为50%", "Budgets times 0.5", FUNDS.format(0.5), budgets(case, 0.5, 0.5)),
        ("least_cost", "成本最低", "Least cost", CHEAP, no_fines(case)),
        ("budget_squeeze", "财政紧缩", "Budget squeeze", SQUEEZE, [*budgets(case, 0.7, 0.75), SQUEEZED]),
        ("low_ambition", "低目标", "Low ambition", LOW, low_ambition(case)),
    )
    for name, zh, en, note, edits in found:
        content = {
            "scenario": name,
            "title": {"zh": zh, "en": en},
            "case": case.settings.name,
            "format": 1,
            "note": note,
        }
        head = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=1000)
        lines = [
            yaml.safe_dump(edit, allow_unicode=True, sort_keys=False, default_flow_style=True, width=1000).strip()
            for edit in edits
        ]
        yield f"{name}.yaml", head + "edits:\n" + "".join(f"  - {line}\n" for line in lines)


def measured(case: Case) -> Iterable[str]:
    """Lines of a table: what each scenario costs and does, the case itself first."""
    heads = "objective", "fines", "net cost", "capital", "CO2 2025/2030/2035", "wind + PV 2025/2030/2035"
    yield "| scenario | " + " | ".join(heads) + " | missed | used |"
    yield "|---|" + "---|" * (len(heads) + 2)
    scenarios = [Scenario("(the case)"), *map(read_scenario, sorted((CASE / "scenarios").glob("*.yaml")))]
    for scenario in scenarios:
        plan = solve(scenario.applied(case) if scenario.edits else case, Options(prices=False, break_ties=False))
        if not plan.found:
            yield f"| {scenario.scenario} | no plan | | | | | | | |"
            continue
        cost = float(plan.costs["discounted"].sum())
        fines = float(plan.costs.loc[plan.costs["item"] == "penalty", "discounted"].sum())
        level = levels(plan).set_index(["quantity", "year"])["planned"]
        paths = [
            "/".join(f"{level[quantity, year] / 1000:.0f}" for year in (2025, 2030, 2035))
            for quantity in ("co2", "wind_solar_capacity")
        ]
        missed = plan.targets.loc[plan.targets["missed"] > 0, "target"].nunique()
        used = int((plan.measures["starts"] > 0).sum())
        money = [f"{value / 1e9:.2f}" for value in (cost, fines, cost - fines)]
        capital = f"{plan.portfolio['capex'].sum() / 1e9:.0f}"
        yield "| " + " | ".join([scenario.scenario, *money, capital, *paths, str(missed), str(used)]) + " |"


def main() -> None:
    """Write the files into the folder `scenarios` of the case, or print what they do."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--table", action="store_true", help="solve all and print a table")
    case = read_case(CASE)
    if parser.parse_args().table:
        for line in measured(case):
            print(line, flush=True)
        return
    for name, content in written(case):
        (CASE / "scenarios" / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
