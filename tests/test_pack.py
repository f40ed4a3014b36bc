"""The scenarios that ship with Jiangxi, and the case as seen from 2025: fresh, complete, true to the records."""

import csv
import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from planner.case import Case
from planner.engine import Options
from planner.highlights import levels
from planner.plan import Plan, solve
from planner.scenario import read_scenario
from planner.tables import read_case

ROOT = Path(__file__).parent.parent
PACK = sorted((ROOT / "cases/jiangxi/scenarios").glob("*.yaml"))
PRESETS = {"least_cost", "clean_air_first", "budget_squeeze", "fast_renewables", "low_ambition"}
QUICK = Options(prices=False, break_ties=False)
"""The optimum, proven; which of several optimal portfolios does not matter here."""


def script(name: str) -> ModuleType:
    """A script of the documents, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"docs/{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def case(name: str = "jiangxi") -> Case:
    return read_case(ROOT / "cases" / name)


@cache
def plan(scenario: str) -> Plan:
    edited = read_scenario(ROOT / f"cases/jiangxi/scenarios/{scenario}.yaml").applied(case())
    return solve(edited, QUICK)


def fines(of: Plan) -> float:
    return float(of.costs.loc[of.costs["item"] == "penalty", "discounted"].sum())


# ---- scenarios


def test_the_presets_and_the_uncertain_inputs_are_there() -> None:
    names = {path.stem for path in PACK}
    assert names >= PRESETS
    for part in ("demand_", "imports_", "renewables_", "pv_wind_", "discount_", "budgets_"):
        assert sum(name.startswith(part) for name in names) >= 2, part


@pytest.mark.parametrize("path", PACK, ids=lambda path: path.stem)
def test_every_scenario_applies_and_says_in_two_languages_what_it_is(path: Path) -> None:
    scenario = read_scenario(path)
    edited = scenario.applied(case())
    assert scenario.scenario == path.stem
    assert scenario.case == "jiangxi"
    assert set(scenario.title) == {"zh", "en"}
    assert scenario.note
    assert edited.digest != case().digest
    of_edits = {issue.key for issue in edited.warnings} - {issue.key for issue in case().warnings}
    assert not of_edits


def test_what_follows_from_the_tables_is_fresh() -> None:
    written = dict(script("scenarios").written(case()))
    assert len(written) == 10
    for name, content in written.items():
        file = ROOT / "cases/jiangxi/scenarios" / name
        assert file.read_text(encoding="utf-8") == content, f"{name}: run python docs/scenarios.py"


@pytest.mark.parametrize("name", ["least_cost", "low_ambition"])
def test_nothing_is_fined_where_only_hard_goals_are_left(name: str) -> None:
    edited = read_scenario(ROOT / f"cases/jiangxi/scenarios/{name}.yaml").applied(case())
    assert not any(row.soft_penalty for row in edited.targets)


def test_presets_do_what_they_say() -> None:
    cheap, fast = plan("least_cost"), plan("fast_renewables")
    assert cheap.status == fast.status == "optimal"
    assert fines(cheap) == 0
    assert cheap.objective < plan("budget_squeeze").objective
    assert cheap.objective < fast.objective
    wind_and_sun = levels(fast).set_index(["quantity", "year"])["planned"]["wind_solar_capacity"]
    assert wind_and_sun[2028] >= 60_000 - 1e-6
    assert wind_and_sun[2030] >= 72_000 - 1e-6


# ---- as seen from 2025


def records() -> list[dict[str, str]]:
    with (ROOT / "data/records/jiangxi.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_own_tables_follow_from_records_and_facts() -> None:
    for name, content in script("history").tables().items():
        file = ROOT / "cases/jiangxi-2026" / name
        assert file.read_text(encoding="utf-8") == content, f"{name}: run python docs/history.py"


def test_every_source_of_a_record_is_known() -> None:
    known = {row.source for row in case("jiangxi-2026").sources}
    assert {part for row in records() for part in row["source"].split(";")} <= known
    assert len({row["record"] for row in records()}) == len(records())


@pytest.mark.parametrize("row", [row for row in records() if int(row["year"]) <= 2025], ids=lambda row: row["record"])
def test_the_stock_agrees_with_every_record(row: dict[str, str]) -> None:
    """Stock of the base year and all that came since make up the level on record."""
    measures, year = row["measures"].split(";"), int(row["year"])
    stock = float(row["base_2020"]) + sum(
        old.units
        for old in case("jiangxi-2026").existing
        if old.measure in measures and row["city"] in ("", old.city) and old.year <= year
    )
    level = float(row["value"])
    assert stock >= level * (1 - 1e-5)
    if row["sense"] == "=":
        assert stock <= level * (1 + 1e-5)


def test_what_is_under_way_is_on_record() -> None:
    under_way = {row["city"]: row for row in records() if row["sense"] == "under way"}
    later = [old for old in case("jiangxi-2026").existing if old.year > 2025]
    assert later
    for old in later:
        assert old.measure == under_way[old.city]["measures"]


def test_what_stands_in_2025_is_what_the_plan_counts() -> None:
    """The plan's stock of 2025 is the history, nothing more, and its capacities are those on record."""
    of = solve(case("jiangxi-2026"), QUICK)
    assert of.status == "optimal"
    assert of.portfolio.loc[of.portfolio["year"] <= 2025, "starts"].sum() == 0
    history = pd.DataFrame([(old.measure, old.city, old.year, old.units) for old in case("jiangxi-2026").existing])
    history.columns = ["measure", "city", "year", "units"]
    built = history[history["year"] <= 2025].groupby(["measure", "city"])["units"].sum()
    stock = of.portfolio[of.portfolio["year"] == 2025].set_index(["measure", "city"])["stock"]
    pd.testing.assert_series_equal(stock[stock > 0].sort_index(), built.sort_index(), check_names=False, rtol=1e-6)
    level = levels(of).set_index(["quantity", "year"])["planned"]
    hydro = 6600
    assert level["new_energy_capacity", 2025] + hydro == pytest.approx(44_960, rel=1e-4)
