"""Workbooks for people: they are the case, faults name their cell, results stand beside and are not read."""

import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest
from damage import TUTORIAL, faults
from typer.testing import CliRunner, Result

from planner import cli, text
from planner.case import Case
from planner.cells import columns
from planner.highlights import levels
from planner.plan import Plan, solve
from planner.reference import describe
from planner.rows import TABLES, Settings
from planner.starter import EXAMPLE, example, new_case
from planner.tables import read_case
from planner.workbook import export_workbook

ROOT = Path(__file__).parent.parent


def planner(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def case() -> Case:
    return read_case(TUTORIAL)


@pytest.fixture(scope="module")
def plan(case: Case) -> Plan:
    return solve(case)


@pytest.fixture(scope="module")
def book(case: Case, plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "plan.xlsx"
    export_workbook(case, path, "zh", plan)
    return path


# ---------------------------------------------------------------- the case, there and back


@pytest.mark.parametrize(("folder", "lang"), [("tutorial", "zh"), ("tutorial", "en"), ("jiangxi", "zh")])
def test_an_exported_case_is_the_same_case(folder: str, lang: str, tmp_path: Path) -> None:
    case = read_case(ROOT / "cases" / folder)
    export_workbook(case, tmp_path / "book.xlsx", lang)
    again = read_case(tmp_path / "book.xlsx")
    assert again.digest == case.digest
    assert all(again.rows(table) == case.rows(table) for table in TABLES)
    assert again.settings.title == case.settings.title


def test_results_are_skipped_with_a_remark_that_names_them(case: Case, book: Path) -> None:
    again = read_case(book)
    assert again.digest == case.digest
    skipped = [issue for issue in again.warnings if issue.key == "sheets_skipped"]
    assert [issue.found for issue in skipped] == [
        "_guide, _lists, _总览, _目标完成, _措施汇总, _启动计划, _资金安排, _预算执行"
    ]


def test_every_column_is_explained_in_both_languages() -> None:
    for row in (Settings, *TABLES.values()):
        for column in columns(row):
            for lang in text.LANGUAGES:
                assert describe(row.table, column, lang), (row.table, column, lang)


def test_headers_are_frozen_explained_and_locked_and_new_rows_are_open(case: Case, book: Path) -> None:
    read = openpyxl.load_workbook(book)
    for name, row in TABLES.items():
        sheet = read[name]
        assert sheet.freeze_panes in ("A2", "B2")
        assert sheet.protection.sheet
        assert not sheet.protection.insertRows
        assert not sheet.protection.deleteRows
        for place, column in enumerate(columns(row), start=1):
            cell = sheet.cell(1, place)
            assert str(cell.value).split("\n")[0] == column
            assert cell.protection.locked
            assert cell.comment is not None
            assert cell.comment.text.startswith(describe(name, column, "zh"))
            letter = cell.column_letter
            assert not sheet.column_dimensions[letter].protection.locked, (name, letter)
    assert str(read["measures"]["F1"].value) == "capex\n单位投资 [元/单位]"
    assert read["measures"]["A2"].protection.locked  # other tables use the id
    assert not read["measures"]["B2"].protection.locked
    assert not read["targets"]["A2"].protection.locked


def test_cells_offer_the_ids_of_other_tables_and_the_words_of_a_column(book: Path) -> None:
    read = openpyxl.load_workbook(book)

    def offers(sheet: str, cell: str) -> list[str]:
        return [str(rule.formula1) for rule in read[sheet].data_validations.dataValidation if cell in rule.sqref]

    assert offers("effects", "A3") == ["OFFSET(measures!$A$2,0,0,MAX(1,COUNTA(measures!$A$2:$A$5000)),1)"]
    assert offers("groups", "B2") == ['"shared,requires,overlap"']
    assert offers("targets", "D2") == ['"<=,>="']
    assert offers("budgets", "H2") == ['"year,span"']
    assert offers("budgets", "I2") == ['"yes,no"']
    ramp = next(rule for rule in read["measures"].data_validations.dataValidation if "J2" in rule.sqref)
    assert (ramp.type, float(ramp.formula1), float(ramp.formula2)) == ("decimal", 0, 1)
    scopes = [cell.value for cell in read["_lists"]["A"] if cell.value]
    assert scopes == ["scope", "province", "harbor", "ridge", "plain", "inland"]


def test_twelve_faults_in_a_workbook_are_told_at_once_by_sheet_and_cell(book: Path, tmp_path: Path) -> None:
    read = openpyxl.load_workbook(book)
    for sheet, cell, value in (
        ("case", "B8", 5),  # the discount rate as percent
        ("cities", "D2", "29°"),
        ("sectors", "B3", None),
        ("quantities", "F4", "many"),
        ("measures", "F2", "3,600,000"),
        ("measures", "J3", "25%"),
        ("effects", "B5", "Nox"),
        ("potentials", "B3", "港城"),
        ("baseline", "E7", "约120"),
        ("fund_rules", "D2", 30),
        ("targets", "B2", "levle"),
        ("budgets", "I3", "maybe"),
    ):
        read[sheet][cell] = value
    read.save(tmp_path / "book.xlsx")
    found = faults(tmp_path / "book.xlsx")
    told = sorted((issue.file, issue.cell) for issue in found)
    assert told == sorted(
        (f"book.xlsx [{sheet}]", cell)
        for sheet, cell in (
            *(("case", "B8"), ("cities", "D2"), ("sectors", "B3"), ("quantities", "F4"), ("measures", "F2")),
            *(("measures", "J3"), ("effects", "B5"), ("potentials", "B3"), ("baseline", "E7"), ("fund_rules", "D2")),
            *(("targets", "B2"), ("budgets", "I3")),
        )
    )
    shown = planner("check", tmp_path / "book.xlsx", "--lang", "en")
    assert shown.exit_code == 2
    words = " ".join(shown.stdout.split())
    assert "12 faults" in words
    assert "book.xlsx [measures], row 2, capex (F2)" in words


def test_numbers_of_results_are_those_of_the_plan(case: Case, plan: Plan, book: Path) -> None:
    read = openpyxl.load_workbook(book)
    hundred_million = 1e-8
    summary = read["_总览"]
    assert summary["B2"].value == pytest.approx(plan.costs["discounted"].sum() * hundred_million)
    assert summary["B5"].value == pytest.approx(plan.portfolio["capex"].sum() * hundred_million)
    rows = [[cell.value for cell in row] for row in summary.iter_rows()]
    carbon = next(row for row in rows if row[:2] == ["二氧化碳", "本方案"])
    planned = levels(plan).set_index(["quantity", "year"])["planned"]
    assert carbon[3 : 3 + len(case.years)] == pytest.approx([planned["co2", year] / 10 for year in case.years])
    starts = list(read["_启动计划"].iter_rows(min_row=2, values_only=True))
    assert len(starts) == len(plan.portfolio)
    assert sum(float(str(row[7])) for row in starts) == pytest.approx(plan.portfolio["capex"].sum() * hundred_million)
    spent = list(
        read["_资金安排"].iter_rows(min_row=2, max_row=1 + len(case.years), min_col=2, max_col=3, values_only=True)
    )
    assert sum(float(str(cell)) for row in spent for cell in row) == pytest.approx(
        plan.funds["paid"].sum() * hundred_million
    )
    assert [len(read[name]._charts) for name in ("_总览", "_措施汇总", "_资金安排")] == [3, 1, 1]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_recalculates_and_saves_it_unchanged(case: Case, book: Path, tmp_path: Path) -> None:
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(tmp_path / "out"), str(book)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    again = read_case(tmp_path / "out" / "plan.xlsx")
    assert again.digest == case.digest
    assert all(again.rows(table) == case.rows(table) for table in TABLES)
    before, after = (openpyxl.load_workbook(path)["_总览"] for path in (book, tmp_path / "out" / "plan.xlsx"))
    assert after["B2"].value == pytest.approx(before["B2"].value)


def test_export_of_results_comes_from_the_command_line(tmp_path: Path) -> None:
    assert planner("export", TUTORIAL, tmp_path / "a.xlsx", "--results", "--lang", "en").exit_code == 0
    assert "_targets" in openpyxl.load_workbook(tmp_path / "a.xlsx").sheetnames
    assert planner("solve", tmp_path / "a.xlsx").exit_code == 0
    wrong = planner("export", TUTORIAL, tmp_path / "a.txt", "--lang", "en")
    assert (wrong.exit_code, (tmp_path / "a.txt").exists()) == (2, False)
    none = planner("export", TUTORIAL, tmp_path / "b.xlsx", "--results", "--set", "targets.co2_budget.value=10")
    assert none.exit_code == 3
    assert not [name for name in openpyxl.load_workbook(tmp_path / "b.xlsx").sheetnames if name == "_summary"]


# ---------------------------------------------------------------- a new case


def test_the_example_has_the_optimum_worked_out_on_paper() -> None:
    """CO2 of 2030 is 5150 kt without measures and may be 4600: all 120 MW of motors pay for themselves and cut
    120 x 0.9 x 0.8 = 86.4; a MW of PV cuts 1.1 x 0.8 = 0.88. NOx may be 80 % of 6200 t of 6000: 0.6 t per kt/yr.
    """
    plan = solve(example())
    started = plan.portfolio.groupby("measure")["starts"].sum()
    assert started["motors"] == pytest.approx(120)
    assert started["pv"] == pytest.approx((5150 - 4600 - 86.4) / 0.88)
    assert started["kiln_scr"] == pytest.approx((6000 - 0.8 * 6200) / 0.6)
    assert example().warnings == ()


@pytest.mark.parametrize("workbook", [False, True])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_new_case_can_be_checked_and_solved_at_once(tmp_path: Path, workbook: bool, lang: str) -> None:
    options = ["--workbook"] if workbook else []
    assert planner("new", tmp_path / "mine", *options, "--lang", lang).exit_code == 0
    made = tmp_path / ("mine.xlsx" if workbook else "mine")
    assert planner("check", made).exit_code == 0
    case = read_case(made)
    assert case.settings.name == "mine"
    assert [row.measure for row in case.measures] == [row.measure for row in example().measures]
    assert solve(case).status == "optimal"
    again = planner("new", tmp_path / "mine", *options)
    assert again.exit_code == 2  # nothing is written over


def test_a_new_case_needs_a_name_that_can_be_an_id(tmp_path: Path) -> None:
    wrong = planner("new", tmp_path / "我的案例", "--lang", "zh")
    assert (wrong.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert new_case(tmp_path / "a").is_dir()
    assert {file.name for file in (tmp_path / "a").iterdir()} == {
        "README.md",
        *(file.name for file in EXAMPLE.iterdir()),
    }
