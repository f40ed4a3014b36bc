"""Task lists and broken down targets: whatever is listed adds up to the plan."""

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import toy
from typer.testing import CliRunner, Result

from planner import cli
from planner.credit import credit
from planner.plan import Plan, solve
from planner.tables import read_case
from planner.worklist import breakdown, tasks

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "cases/tutorial"


def planner(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def plan() -> Plan:
    return solve(read_case(TUTORIAL))


def adds_up(plan: Plan, frame: pd.DataFrame, year: int) -> None:
    assert plan.case is not None
    assert frame["starts"].sum() == pytest.approx(plan.portfolio["starts"].sum())
    assert frame["capex"].sum() == pytest.approx(plan.portfolio["capex"].sum())
    by_place = frame.groupby(["measure", "city"])["capex"].sum()
    of_plan = plan.portfolio.groupby(["measure", "city"])["capex"].sum()
    for key, value in of_plan.items():
        assert by_place.get(key, 0.0) == pytest.approx(value, abs=1.0), key
    for fund in plan.case.funds:
        paid = plan.funds.loc[plan.funds["fund"] == fund.fund, "paid"].sum()
        assert frame[f"fund:{fund.fund}"].sum() == pytest.approx(paid, rel=1e-9)
    told = credit(plan)
    told = told[told["year"] == year]
    for quantity in set(told["quantity"]) & set(frame.columns):
        of_plan = told[told["quantity"] == quantity].groupby("measure")["value"].sum()
        assert frame.groupby("measure")[quantity].sum().reindex(of_plan.index).to_numpy() == pytest.approx(
            of_plan.to_numpy(), abs=1e-6
        )


@pytest.mark.parametrize("year", [2024, 2030])
def test_tasks_add_up_to_the_plan(plan: Plan, year: int) -> None:
    adds_up(plan, tasks(plan, year), year)


def test_what_was_decided_before_is_listed_apart_and_adds_up() -> None:
    """4 units of 2021 are paid by g, as their row says, 2 of 2022 by the pool: half by f, half by g, as 4 new ones."""
    plan = toy.solve(
        {"as_of": 2021},
        existing="measure city year units capex fund\nm a 2021 4 50 g\nm a 2022 2 - -",
        funds="fund\nf\ng",
        fund_rules="fund sector measure max_share\nf s - 0.5\ng s - 0.5",
        targets="target kind quantity sense value first_year\ncap level q <= 90 2023",
    )
    frame = tasks(plan, 2023)
    adds_up(plan, frame, 2023)
    before, begun = frame[frame["part"] == "existing"], frame[frame["part"] == "planned"]
    assert before["capex"].sum() == pytest.approx(4 * 50 + 2 * 100)
    assert (before["fund:f"].sum(), before["fund:g"].sum()) == pytest.approx((100, 300))
    assert begun["starts"].sum() == pytest.approx(4)
    assert (begun["fund:f"].sum(), begun["fund:g"].sum()) == pytest.approx((200, 200))
    assert (before["q"].sum(), begun["q"].sum()) == pytest.approx((-6, -4))


def test_a_task_names_its_years_and_what_it_brings_while_it_serves() -> None:
    """A start of 2021 with a year to build and one of life works in 2022 and not in 2023."""
    plan = toy.solve(
        measures="measure capex lifetime lead_time\nm 100 1 1",
        targets="target kind quantity sense value first_year last_year\ncap level q <= 95 2022 2022",
    )
    row = tasks(plan, 2022).iloc[0]
    assert (row["start"], row["service"], row["starts"], row["q"]) == (2021, 2022, 5, -5)
    assert tasks(plan, 2023)["q"].sum() == 0


def test_parts_of_targets_add_up_to_the_level_and_the_cut(plan: Plan) -> None:
    frame = breakdown(plan)
    assert plan.case is not None
    for target, of in frame.groupby("target"):
        year, quantity = int(of["year"].iloc[0]), str(of["quantity"].iloc[0])
        levels = plan.quantities[(plan.quantities["quantity"] == quantity) & (plan.quantities["year"] == year)]
        row = next(row for row in plan.case.targets if row.target == target)
        if row.sectors:
            levels = levels[levels["sector"].isin(row.sectors)]
        assert of["planned"].sum() == pytest.approx(levels["planned"].sum())
        assert of["cut"].sum() == pytest.approx((levels["baseline"] - levels["planned"]).sum())
        assert of["part"].sum() == pytest.approx(1.0)
    nox = frame[frame["target"] == "nox_change"]
    base = sum(row.value for row in plan.case.baseline if row.quantity == "nox" and row.year == 2020)
    assert nox["base"].sum() == pytest.approx(base)
    assert not set(frame["target"]) & {row.target for row in plan.case.targets if row.scope != "province"}


def test_lists_are_written_with_totals_and_a_foreign_plan_is_refused(tmp_path: Path, plan: Plan) -> None:
    plan.write(tmp_path / "plan")
    asked = ("tasks", TUTORIAL, tmp_path / "plan", "--by", "city", "--lang", "zh")
    assert planner(*asked, "--out", tmp_path / "tasks.xlsx").exit_code == 0
    book = openpyxl.load_workbook(tmp_path / "tasks.xlsx")
    total = [cell.value for cell in list(book.worksheets[0].rows)[-1]]
    assert total[0] == "合计"
    assert float(str(total[2])) == pytest.approx(plan.portfolio["capex"].sum() / 1e8)
    assert sum(map(float, map(str, total[3:]))) == pytest.approx(plan.funds["paid"].sum() / 1e8)
    lasts = [float(str(list(sheet.rows)[-1][10].value)) for sheet in book.worksheets[1:]]
    assert sum(lasts) == pytest.approx(float(str(total[2])))
    assert planner(*asked, "--out", tmp_path / "tasks.csv").exit_code == 0
    frame = pd.read_csv(tmp_path / "tasks.csv")
    assert frame["capex"].sum() == pytest.approx(plan.portfolio["capex"].sum())
    assert planner(*asked, "--set", "targets.co2_budget.value=90500").exit_code == 2
    unknown = planner("tasks", TUTORIAL, tmp_path / "plan", "--by", "city", "--only", "habor", "--lang", "en")
    assert (unknown.exit_code, "did you mean 'harbor'" in unknown.stderr) == (2, True)
    assert planner("tasks", TUTORIAL, tmp_path / "plan", "--year", 2050).exit_code == 2
    assert planner("decompose", TUTORIAL, tmp_path / "plan", "--out", tmp_path / "parts.csv").exit_code == 0
    assert len(pd.read_csv(tmp_path / "parts.csv")) == len(breakdown(plan))
