"""What people look at first, and how amounts are written."""

from pathlib import Path

import pandas as pd
import pytest

from planner.amounts import number, unit
from planner.frames import FRAMES
from planner.highlights import budget_use, key_quantities, key_years, main_quantity, runs, tightest
from planner.plan import Plan
from planner.tables import read_case

ROOT = Path(__file__).parent.parent


def plan_of(**rows: list[tuple[object, ...]]) -> Plan:
    frames = {name: pd.DataFrame(rows.get(name, []), columns=list(columns)) for name, columns in FRAMES.items()}
    return Plan({"status": "optimal", "objective": None}, **frames)


def test_a_case_is_about_what_must_peak() -> None:
    case = read_case(ROOT / "cases/tutorial")
    assert main_quantity(case) == "co2"
    assert key_quantities(case)[0] == "co2"
    assert key_years(case, "co2") == [2021, 2025, 2026, 2030]


def test_without_a_peak_a_case_is_about_its_first_emission() -> None:
    case = read_case(ROOT / "cases/tutorial").edited(
        [{"table": "targets", "key": {"target": "co2_peak"}, "remove": True}]
    )
    assert main_quantity(case) == "co2"


def test_a_target_is_shown_in_the_year_of_its_largest_miss_else_where_it_has_least_room() -> None:
    prices = [None] * 5
    plan = plan_of(
        targets=[
            ("missed", 2025, "province", 100.0, 99.0, -1.0, 1.0, *prices),
            ("missed", 2026, "province", 100.0, 95.0, -5.0, 5.0, *prices),
            ("kept", 2025, "province", 100.0, 130.0, 30.0, 0.0, *prices),
            ("kept", 2026, "province", 100.0, 110.0, 10.0, 0.0, *prices),
        ]
    )
    assert tightest(plan).set_index("target")["year"].to_dict() == {"missed": 2026, "kept": 2026}


def test_cumulative_budgets_are_not_added_up() -> None:
    prices = [None] * 5
    rows = [("b", 2025, 100.0, 60.0, 40.0, *prices), ("b", 2026, 200.0, 200.0, 0.0, *prices)]
    plan = plan_of(budgets=rows)
    assert budget_use(plan, ["b"]).loc[0, ["limit", "spent", "slack"]].tolist() == [200.0, 200.0, 0.0]
    assert budget_use(plan).loc[0, ["limit", "spent", "slack"]].tolist() == [300.0, 260.0, 40.0]
    assert budget_use(plan).loc[0, "binding"] == (2026,)


def test_years_are_written_as_runs() -> None:
    assert runs([]) == ""
    assert runs([2030]) == "2030"


@pytest.mark.parametrize(
    ("name", "lang", "factor", "shown"),
    [
        ("MW", "en", 1.0, "MW"),
        ("MW", "zh", 0.1, "万千瓦"),
        ("GWh", "zh", 0.01, "亿千瓦时"),
        ("km**2", "zh", 1.0, "平方公里"),
        ("10 buses", "en", 10.0, "buses"),
        ("1M m2 floor", "zh", 100.0, "万平方米建筑面积"),
        ("kt_crude_steel_per_year", "zh", 0.1, "万吨粗钢/年"),
        ("widgets", "zh", 1.0, "widgets"),
    ],
)
def test_units_are_those_people_use(name: str, lang: str, factor: float, shown: str) -> None:
    assert unit(name, lang).factor == pytest.approx(factor)
    assert unit(name, lang).name == shown


def test_every_unit_of_the_bundled_cases_is_chinese_on_chinese_pages() -> None:
    for name in ("tutorial", "jiangxi"):
        case = read_case(ROOT / "cases" / name)
        for row in (*case.quantities, *case.measures):
            assert any(ord(letter) > 0x2E80 for letter in unit(row.unit, "zh").name), row.unit


def test_numbers_keep_four_digits() -> None:
    assert [number(value) for value in (464709.6, 72.6816, 0.01234, -236.58292)] == [
        "464,710",
        "72.68",
        "0.01234",
        "-236.6",
    ]
