"""What the numbers of a plan rest on, worked out by hand on the toy case."""

import pytest
from damage import TUTORIAL

from planner.case import Case
from planner.edits import Edit
from planner.engine import Options
from planner.grades import COLUMNS, told_grades, weakest
from planner.plan import Plan, solve
from planner.problem import Problem
from planner.tables import read_case


@pytest.fixture(scope="module")
def case() -> Case:
    return read_case(TUTORIAL)


@pytest.fixture(scope="module")
def plan(case: Case) -> Plan:
    return solve(case, Options(prices=False))


def graded(case: Case, grade: str, *tables: str) -> Case:
    """The case with one grade for every row of some tables."""
    edits = [
        Edit(table=table, key={row.key[0]: row.ids()[0]}, set={"grade": grade})
        for table in tables
        for row in {row.ids()[0]: row for row in getattr(case, table)}.values()
    ]
    return case.edited(edits, "grades")


ALL = ("measures", "measure_costs", "effects", "conversions", "prices", "targets", "baseline")


def shares(case: Case, plan: Plan) -> dict[tuple[str, int], dict[str, float]]:
    return {(row["number"], row["year"]): row for row in told_grades(case, plan)}


def test_shares_add_up_and_name_the_headlines(case: Case, plan: Plan) -> None:
    rows = told_grades(case, plan)
    assert {row["number"] for row in rows} >= {"cost", "capex"}
    for row in rows:
        assert set(row) == set(COLUMNS)
        assert sum(row[name] for name in COLUMNS[2:]) == pytest.approx(1, abs=3e-4)


def test_one_grade_everywhere_is_all_of_it(case: Case, plan: Plan) -> None:
    for grade in ("A", "B", "C"):
        assert all(row[grade] == 1 for row in told_grades(graded(case, grade, *ALL), plan))


def test_the_weakest_row_on_the_way_decides(case: Case, plan: Plan) -> None:
    good = graded(case, "A", *ALL)
    weak = shares(graded(good, "C", "conversions"), plan)
    assert weak["capex", 0]["A"] == 1
    assert weak["cost", 0]["C"] > 0
    main = [key for key in weak if key[0] not in ("cost", "capex")]
    assert any(weak[key]["C"] > 0 for key in main)
    assert all(shares(graded(good, "C", "baseline"), plan)[key]["C"] > 0.5 for key in main)
    assert weakest(["A", "", "C"]) == ""


def test_capital_spending_is_as_good_as_its_costs(case: Case, plan: Plan) -> None:
    measures = [row.measure for row in Problem(case).case.measures]
    learning = {row.measure for row in case.measure_costs if row.capex is not None}
    spent = plan.portfolio.groupby("measure")["capex"].sum()
    good = graded(case, "A", *ALL)
    one = next(measure for measure in measures if spent.get(measure, 0) > 0 and measure not in learning)
    edit = Edit(table="measures", key={"measure": one}, set={"grade": "B"})
    told = shares(good.edited([edit], "one"), plan)["capex", 0]
    assert told["B"] == pytest.approx(spent[one] / spent.sum(), abs=1e-4)
