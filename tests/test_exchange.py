"""Tables for other tools: the IAMC format by its rules, tidy files that read back the same."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from planner.exchange import IAMC, iamc, write_tables
from planner.export import write_model
from planner.frames import FRAMES
from planner.highlights import levels
from planner.plan import Plan, solve
from planner.tables import read_case

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def plan() -> Plan:
    return solve(read_case(ROOT / "cases/tutorial"))


@pytest.fixture(scope="module")
def table(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("iamc") / "plan.csv"
    assert plan.case is not None
    write_tables(plan.case, plan, path, "iamc")
    return pd.read_csv(path)


def test_an_iamc_table_has_one_row_per_series_and_no_gaps(plan: Plan, table: pd.DataFrame) -> None:
    """Columns model, scenario, region, variable, unit, then years; every series once; one unit per variable."""
    assert plan.case is not None
    assert list(table.columns) == [*IAMC, *map(str, plan.case.years)]
    assert not table[list(IAMC)].duplicated().any()
    assert table.notna().all(axis=None)
    assert (table.groupby("Variable")["Unit"].nunique() == 1).all()
    parts = table["Variable"].str.split("|")
    assert all(part and part == part.strip() for variable in parts for part in variable)


def test_iamc_levels_are_those_of_the_plan_and_add_up_over_sectors_and_regions(plan: Plan, table: pd.DataFrame) -> None:
    assert plan.case is not None
    years = list(map(str, plan.case.years))
    told = table[table["Scenario"] == "tutorial"].set_index(["Region", "Variable"])[years]
    whole = told.loc["Tutorial, three cities"]
    planned = levels(plan).set_index(["quantity", "year"])["planned"]
    assert whole.loc["Emissions|CO2"].tolist() == pytest.approx([planned["co2", int(year)] for year in years])
    sectors = [name for name in whole.index if name.startswith("Emissions|CO2|")]
    assert whole.loc[sectors].sum().tolist() == pytest.approx(whole.loc["Emissions|CO2"].tolist())
    cities = ["Harbor", "Ridge", "Plain"]
    stock = sum(told.loc[(city, "Stock|Solar PV")] for city in cities)
    assert stock.tolist() == pytest.approx(whole.loc["Stock|Solar PV"].tolist())
    assert whole.loc["Investment|Total"].sum() == pytest.approx(plan.portfolio["capex"].sum())
    base = table[(table["Scenario"] == "tutorial baseline") & (table["Region"] == "Tutorial, three cities")]
    before = levels(plan).set_index(["quantity", "year"])["baseline"]
    carbon = base.set_index("Variable").loc["Emissions|CO2", years]
    assert carbon.tolist() == pytest.approx([before["co2", int(year)] for year in years])


def test_names_that_are_the_same_or_hold_the_sign_between_parts_are_told_apart(plan: Plan) -> None:
    assert plan.case is not None
    edits = [
        {"table": "measures", "key": {"measure": "pv"}, "set": {"name_en": "Power | new"}},
        {"table": "measures", "key": {"measure": "wind"}, "set": {"name_en": "Power | new"}},
    ]
    table = iamc(plan.case.edited(edits), plan)
    assert {"Stock|Power / new (pv)", "Stock|Power / new (wind)"} <= set(table["Variable"])


def test_pyam_reads_the_table(table: pd.DataFrame) -> None:
    pyam = pytest.importorskip("pyam", reason="pyam is not installed")
    frame = pyam.IamDataFrame(table)
    assert frame.check_aggregate("Emissions|CO2") is None


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tidy_tables_read_back_the_same(plan: Plan, form: str, tmp_path: Path) -> None:
    assert plan.case is not None
    write_tables(plan.case, plan, tmp_path / "out", form)
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "summary.json",
        *(f"{name}.{form}" for name in FRAMES),
    }
    read = pd.read_csv if form == "csv" else pd.read_parquet
    found = read(tmp_path / "out" / f"portfolio.{form}")
    assert found["starts"].sum() == pytest.approx(plan.portfolio["starts"].sum())
    assert list(found.columns) == list(FRAMES["portfolio"])


@pytest.mark.parametrize(("ending", "solver"), [("mps", "cbc"), ("lp", "cbc"), ("lp", "glpsol")])
def test_another_solver_reads_the_model_and_finds_the_same_optimum(
    plan: Plan, ending: str, solver: str, tmp_path: Path
) -> None:
    if shutil.which(solver) is None:
        pytest.skip(f"{solver} is not installed")
    assert plan.case is not None
    file = tmp_path / f"model.{ending}"
    write_model(plan.case, file)
    if solver == "cbc":
        command = ["cbc", str(file), "solve", "solution", str(tmp_path / "out.txt")]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        first = (tmp_path / "out.txt").read_text().splitlines()[0]
        assert first.startswith("Optimal")
        found = float(first.split()[-1])
    else:
        command = ["glpsol", "--lp", str(file), "--write", str(tmp_path / "out.txt")]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        status = next(line for line in (tmp_path / "out.txt").read_text().splitlines() if line.startswith("s bas"))
        found = float(status.split()[-1])
    assert found == pytest.approx(plan.objective, rel=1e-7)
