"""Plans side by side: hand-made plans small enough to compare on paper."""

import pandas as pd
import pytest

from planner.compare import headlines, level_table, missed_targets, spending, starts_table, tidy
from planner.frames import FRAMES
from planner.plan import Plan


def made(co2: float, missed: float, wind: float, price: float = 10.0, **summary: object) -> Plan:
    """A plan of one year: so much CO2, a target missed by so much, wind at `price` a unit, and always one bus."""
    rows = {
        "quantities": [("co2", "east", "power", 2030, 50.0, co2 / 2), ("co2", "west", "power", 2030, 50.0, co2 / 2)],
        "targets": [("cap", 2030, "province", 80.0, 80.0 + missed, -missed, missed, *[None] * 5)],
        "budgets": [("all", 2029, 100.0, 20.0, 80.0, *[None] * 5), ("all", 2030, 100.0, 30.0, 70.0, *[None] * 5)],
        "portfolio": [
            ("wind", "east", 2030, wind, wind, wind * price, 1.0),
            ("bus", "west", 2030, 1.0, 1.0, 5.0, 1.0),
        ],
        "costs": [
            ("annuity", "wind", "east", "power", 2030, 6.0, 6.0),
            ("penalty", "cap", None, None, 2030, 1.0, 1.0),
        ],
        "measures": [("wind", 1.0, wind * price, wind, None, None), ("bus", 1.0, 5.0, 1.0, None, None)],
    }
    frames = {name: pd.DataFrame(rows.get(name, []), columns=list(columns)) for name, columns in FRAMES.items()}
    about = {"status": "optimal", "objective": {"name": "cost", "value": 7.0, "unit": "CNY"}, **summary}
    return Plan(about, **frames)


PLANS = {"low": made(co2=80.0, missed=0.0, wind=2.0), "high": made(co2=90.0, missed=10.0, wind=1.0)}
NONE = Plan(
    {"status": "infeasible", "objective": None},
    **{name: pd.DataFrame(columns=list(columns)) for name, columns in FRAMES.items()},
)


def test_headlines_have_a_row_per_plan() -> None:
    table = headlines({**PLANS, "never": NONE})
    assert table["status"].tolist() == ["optimal", "optimal", "infeasible"]
    assert table["capex"].tolist()[:2] == [25.0, 15.0]  # 2 x 10 + 5, 1 x 10 + 5
    assert table["net"].tolist()[:2] == [6.0, 6.0]  # 7 less 1 of penalties
    assert table["missed"].tolist()[:2] == [0, 1]
    assert pd.isna(table["value"]["never"])


def test_levels_are_summed_over_cities_and_sectors() -> None:
    table = level_table(PLANS, ["co2"], [2030])
    assert table.loc[("co2", 2030)].to_dict() == {"low": 80.0, "high": 90.0}


def test_only_targets_that_some_plan_misses_are_shown() -> None:
    assert missed_targets(PLANS).loc[("cap", 2030)].to_dict() == {"low": 0.0, "high": 10.0}
    assert missed_targets({"low": PLANS["low"]}).empty


def test_yearly_budgets_add_up() -> None:
    assert spending(PLANS).loc["all"].to_dict() == {"low": 50.0, "high": 50.0}


def test_measures_are_ordered_by_the_money_they_differ_in_and_equal_ones_left_out() -> None:
    table = starts_table(PLANS)
    assert table.index.tolist() == ["wind"]
    assert table.loc["wind"].to_dict() == {"low": 2.0, "high": 1.0}


def test_a_plan_without_answer_does_not_hide_the_others() -> None:
    assert starts_table({**PLANS, "never": NONE}).columns.tolist() == ["low", "high"]


@pytest.mark.parametrize(
    ("table", "key", "year", "plan", "value"),
    [
        ("summary", "capex", None, "low", 25.0),
        ("summary", "status", None, "never", "infeasible"),
        ("quantities", "co2", 2030, "high", 90.0),
        ("targets", "cap", 2030, "high", 10.0),
        ("budgets", "all", 2029, "low", 20.0),
        ("starts", "wind", 2030, "low", 2.0),
    ],
)
def test_the_tidy_table_holds_everything(table: str, key: str, year: int | None, plan: str, value: object) -> None:
    rows = tidy({**PLANS, "never": NONE})
    found = rows[(rows["table"] == table) & (rows["id"] == key) & (rows["plan"] == plan)]
    found = found[found["year"].isna()] if year is None else found[found["year"] == year]
    assert found["value"].tolist() == [value]


def test_names_of_plans_are_no_formulas_in_an_export() -> None:
    assert set(tidy({"=1+1": PLANS["low"]})["plan"]) == {"'=1+1"}
