"""Monitoring: what is delivered as planned leaves the plan as it was; what slips is told, and priced."""

from pathlib import Path

import pandas as pd
import pytest
import toy
from typer.testing import CliRunner, Result

from planner import cli
from planner.case import Case
from planner.errors import CaseError
from planner.plan import Plan, solve
from planner.progress import as_planned, commissioned, full_cost, progress, replanned, slip, track
from planner.rows import Existing
from planner.tables import read_case, read_rows

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "cases/tutorial"
FALLING = "target kind quantity sense value first_year last_year\na level q <= 97 2021 2021\nb level q <= 95 2022 2023"


def planner(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def plan() -> Plan:
    return solve(read_case(TUTORIAL))


def case_of(plan: Plan) -> Case:
    assert plan.case is not None
    return plan.case


@pytest.mark.parametrize("as_of", [2021, 2022])
def test_a_toy_delivered_as_planned_is_planned_the_same_again(as_of: int) -> None:
    plan = toy.solve(targets=FALLING)
    now = solve(replanned(case_of(plan), as_planned(plan, as_of), as_of))
    keys = ["measure", "city", "year"]
    for column in ("starts", "stock"):
        before, after = (
            frame[frame["year"] > as_of].set_index(keys)[column] for frame in (plan.portfolio, now.portfolio)
        )
        assert after.to_dict() == pytest.approx(before.to_dict(), abs=1e-6)
    assert full_cost(now, as_of) == pytest.approx(full_cost(plan, as_of))


@pytest.mark.parametrize("as_of", [2022, 2025])
def test_the_tutorial_delivered_as_planned_is_planned_the_same_again(plan: Plan, as_of: int) -> None:
    """Storage in one city is as good as in another, so measures are compared over all cities; the cost is the same."""
    now = solve(replanned(case_of(plan), as_planned(plan, as_of), as_of))
    assert now.status == "optimal"
    assert full_cost(now, as_of) == pytest.approx(full_cost(plan, as_of), rel=1e-5)
    starts = [
        frame[frame["year"] > as_of].groupby(["measure", "year"])["starts"].sum()
        for frame in (plan.portfolio, now.portfolio)
    ]
    both = pd.DataFrame({"before": starts[0], "after": starts[1]}).fillna(0.0)
    scale = both["before"].groupby("measure").transform("max")
    assert ((both["after"] - both["before"]).abs() <= 2e-3 * scale + 1e-6).all()
    stock = [
        frame[frame["year"] <= as_of].set_index(["measure", "city", "year"])["stock"]
        for frame in (plan.portfolio, now.portfolio)
    ]
    stock = [of[of > 0] for of in stock]
    assert stock[1].to_dict() == pytest.approx(stock[0].to_dict())
    table = progress(plan, now, as_of)
    assert (table["difference"].abs() <= 1e-6 * table["planned"] + 1e-9).all()
    told = track(plan, now)
    assert not set(told.query("state == 'missed'")["target"])
    before = plan.targets.set_index(["target", "year"])["achieved"]
    for row in told[told["target"].isin(["nox_change", "clean_level", "nox_projects"])].itertuples():
        assert row.now == pytest.approx(before[row.target, row.year], rel=1e-4), (row.target, row.year)


def test_what_slipped_is_caught_up_and_priced() -> None:
    """3 of 5 units of 2021 came: the 2 others start in 2022. A unit costs 10 a year, without discounting: 20 are saved
    in 2021, and a fine of 7 a tonne is due for 2 tonnes in that year, which is history and not counted.
    """
    plan = toy.solve(
        targets="target kind quantity sense value soft_penalty first_year\ncap level q <= 95 1000 2021",
    )
    late = [Existing(measure="m", city="a", year=2021, units=3)]
    now = solve(replanned(case_of(plan), late, 2021))
    assert toy.starts(now, "m", 2022) == pytest.approx(2)
    kept = solve(replanned(case_of(plan), as_planned(plan, 2021), 2021))
    found = slip(plan, kept, now, 2021)
    assert found.planned == pytest.approx(5 * 10 * 3)
    assert found.kept == pytest.approx(found.planned)
    assert found.now == pytest.approx(3 * 10 * 3 + 2 * 10 * 2)
    assert found.cost == pytest.approx(-20)
    row = progress(plan, now, 2021).iloc[0]
    assert tuple(row[["planned", "delivered", "difference", "planned_stock", "stock"]]) == pytest.approx(
        (5, 3, -2, 5, 3)
    )
    told = track(plan, now).set_index("year")
    assert told["state"].to_dict() == {2021: "missed", 2022: "kept", 2023: "kept"}
    assert told["missed"].to_dict() == pytest.approx({2021: 2, 2022: 0, 2023: 0}, abs=1e-9)


def test_deliveries_take_the_place_of_rows_after_the_base_year_only() -> None:
    case = toy.case(existing="measure city year units\nm a 2020 1\nm a 2021 2")
    found = replanned(case, [Existing(measure="m", city="a", year=2022, units=3)], 2022)
    assert [(row.year, row.units) for row in found.existing] == [(2020, 1), (2022, 3)]
    assert found.settings.as_of == 2022
    assert commissioned(solve(found)).set_index("year")["units"].to_dict() == {2020: 1, 2022: 3}


def test_faults_of_deliveries_name_their_rows(tmp_path: Path, plan: Plan) -> None:
    file = tmp_path / "actuals.csv"
    file.write_text("measure,city,year,units\npv,harbor,2022,20\npv,harbour,2022,20\nwind,ridge,2022,many\n", "utf-8")
    with pytest.raises(CaseError) as raised:
        read_rows(file, Existing)
    assert [(issue.key, issue.row, issue.column) for issue in raised.value.errors] == [("not_a_number", 4, "units")]
    file.write_text("measure,city,year,units\npv,harbor,2022,20\npv,harbour,2022,20\n", "utf-8")
    with pytest.raises(CaseError) as raised:
        replanned(case_of(plan), [row for row in read_rows(file, Existing) if isinstance(row, Existing)], 2022)
    assert ("actuals.csv", 3, "city") in [(issue.file, issue.row, issue.column) for issue in raised.value.errors]


def test_progress_from_the_command_line(tmp_path: Path, plan: Plan) -> None:
    plan.write(tmp_path / "plan")
    actuals = ROOT / "docs/actuals.csv"
    asked = ("progress", TUTORIAL, actuals, tmp_path / "plan", "--as-of", 2024, "--lang", "en")
    told = planner(*asked, "--out", tmp_path / "out", "--new-case", tmp_path / "new")
    assert told.exit_code == 0, told.output
    assert "88%" in told.stdout
    case = read_case(tmp_path / "new")
    assert case.settings.as_of == 2024
    again = Plan.read(tmp_path / "out" / "plan")
    assert again.summary["input_digest"] == case.digest
    frame = pd.read_csv(tmp_path / "out" / "progress.csv")
    behind = frame[frame["difference"] < -1e-6]
    assert set(behind["measure"]) == {"pv"}
    none = tmp_path / "none.csv"
    none.write_text("measure,city,year,units\npv,harbor,2021,30\n", "utf-8")
    hopeless = planner("progress", TUTORIAL, none, tmp_path / "plan", "--as-of", 2026)
    assert hopeless.exit_code == 3
    assert planner("progress", TUTORIAL, none, tmp_path / "plan", "--as-of", 2030).exit_code == 2
