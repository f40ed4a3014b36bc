"""The command line as people and scripts meet it: words, exit codes, files."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import highspy
import pandas as pd
import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from planner import cli
from planner.plan import Plan
from planner.text import t

ROOT = Path(__file__).parent.parent
TUTORIAL, JIANGXI = ROOT / "cases/tutorial", ROOT / "cases/jiangxi"
OPTIMUM = -236582920.0
"""Stated by cases/tutorial/README.md [CNY]."""
IMPOSSIBLE = "targets.co2_budget.value=10"
# What DESIGN.md promises to other people's scripts.
PRICED = "price_loosen price_tighten shadow_price valid_from valid_to"
COLUMNS = {
    "portfolio": "measure city year starts stock capex cost",
    "quantities": "quantity city sector year baseline planned",
    "targets": f"target year scope bound achieved slack missed {PRICED}",
    "budgets": f"budget year limit spent slack {PRICED}",
    "funds": "fund sector measure city year paid",
    "overlaps": "group city year overlap",
    "costs": "item id city sector year value discounted",
    "prices": "family key year dual",
    "measures": "measure cost capex starts reduced_cost reason",
}


def planner(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def own_process(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, encoding="utf-8", env=os.environ | environment, cwd=ROOT
    )


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("solved") / "plan"
    assert planner("solve", TUTORIAL, "--out", folder).exit_code == 0
    return folder


# ---------------------------------------------------------------- help and imports


def test_every_command_has_help() -> None:
    overall = planner("--help")
    assert overall.exit_code == 0
    for command in (
        "solve",
        "check",
        "diagnose",
        "verify",
        "ranges",
        "explain",
        "goals",
        "robustness",
        "compare",
        "export-lp",
    ):
        assert command in overall.stdout
        shown = planner(command, "--help")
        assert shown.exit_code == 0
        assert "--lang" in shown.stdout


def test_version_is_that_of_the_package() -> None:
    assert planner("--version").stdout.startswith("planner ")


@pytest.mark.parametrize("arguments", [["--help"], ["check", "cases/tutorial"]])
def test_help_and_check_import_neither_model_nor_solver(arguments: list[str]) -> None:
    code = """
import sys
from typer.testing import CliRunner
from planner import cli
result = CliRunner().invoke(cli.app, sys.argv[1:])
print(result.exit_code, *sorted({"pyomo", "highspy", "streamlit", "pandas", "scipy", "openpyxl"} & set(sys.modules)))
"""
    assert own_process(code, *arguments).stdout.strip() == "0"


# ---------------------------------------------------------------- solve


def test_solve_writes_the_files_that_scripts_rely_on(solved: Path) -> None:
    assert {file.name for file in solved.iterdir()} == {"summary.json", *(f"{name}.csv" for name in COLUMNS)}
    for name, columns in COLUMNS.items():
        header = (solved / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0]
        assert header == columns.replace(" ", ","), name
    summary = json.loads((solved / "summary.json").read_text(encoding="utf-8"))
    assert summary["status"] == "optimal"
    assert summary["objective"] == {"name": "cost", "value": OPTIMUM, "unit": "CNY"}


def test_a_written_plan_reads_back(solved: Path) -> None:
    plan = Plan.read(solved)
    assert plan.objective == OPTIMUM
    assert plan.costs["discounted"].sum() == pytest.approx(OPTIMUM, rel=1e-6)


def test_the_same_case_gives_the_same_files_on_every_run(solved: Path, tmp_path: Path) -> None:
    assert planner("solve", TUTORIAL, "--out", tmp_path / "again").exit_code == 0
    for name in COLUMNS:
        assert (solved / f"{name}.csv").read_bytes() == (tmp_path / "again" / f"{name}.csv").read_bytes(), name


def test_solve_without_out_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert planner("solve", TUTORIAL).exit_code == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["Least-cost plan", "-236.6  million CNY", "Onshore wind", "7 kept, 1 missed", "CNY/t", "everywhere"]),
        ("zh", ["最优方案", "-2.366  亿元", "风电", "达到 7 项，未达 1 项", "元/吨", "各市", "万千瓦"]),
    ],
)
def test_a_plan_is_printed_in_both_languages(lang: str, words: list[str]) -> None:
    result = planner("solve", TUTORIAL, "--lang", lang)
    assert result.exit_code == 0
    for word in words:
        assert word in result.stdout, word
    assert max(cell_len(line) for line in result.stdout.splitlines()) <= 100


def test_language_is_that_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "可以规划" in planner("check", TUTORIAL).stdout
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    assert "can be planned" in planner("check", TUTORIAL).stdout


def test_single_changes_and_scenarios_change_the_plan(tmp_path: Path) -> None:
    edit = {"table": "targets", "key": {"target": "co2_budget"}, "set": {"value": 90500}}
    scenario = tmp_path / "tight.json"
    scenario.write_text(json.dumps({"scenario": "tight", "format": 1, "case": "tutorial", "edits": [edit]}))
    by_file = planner("solve", TUTORIAL, "--scenario", scenario, "--out", tmp_path / "file")
    by_hand = planner("solve", TUTORIAL, "--set", "targets.co2_budget.value=90500", "--out", tmp_path / "hand")
    assert (by_file.exit_code, by_hand.exit_code) == (0, 0)
    first, second = Plan.read(tmp_path / "file"), Plan.read(tmp_path / "hand")
    assert first.objective == second.objective > OPTIMUM


# ---------------------------------------------------------------- exit codes


def test_infeasible_is_said_in_words_and_written(tmp_path: Path) -> None:
    result = planner("solve", TUTORIAL, "--set", IMPOSSIBLE, "--out", tmp_path / "plan", "--lang", "en")
    assert result.exit_code == 3
    assert "No plan can keep all hard targets and limits" in result.stdout
    plan = Plan.read(tmp_path / "plan")
    assert plan.status == "infeasible"
    assert all(frame.empty for frame in plan.frames().values())


def test_best_effort_gives_the_plan_that_misses_least_and_still_leaves_with_3(tmp_path: Path) -> None:
    result = planner(
        "solve", TUTORIAL, "--set", IMPOSSIBLE, "--best-effort", "--out", tmp_path / "plan", "--lang", "en"
    )
    assert result.exit_code == 3
    assert "this one misses them least" in result.stdout
    plan = Plan.read(tmp_path / "plan")
    assert plan.status == "infeasible"
    assert not plan.portfolio.empty


def test_contradictory_rows_are_listed() -> None:
    result = planner("solve", TUTORIAL, "--set", "pins.ebus_harbor.min=1e9", "--lang", "en")
    assert result.exit_code in (2, 3)
    assert "ebus" in result.output


def test_a_time_limit_without_a_plan_is_no_answer() -> None:
    result = planner("solve", TUTORIAL, "--time-limit", 0, "--lang", "en")
    assert result.exit_code == 4
    assert "time limit" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["solve", "nowhere"],
        ["solve", TUTORIAL, "--scenario", "nowhere.yaml"],
        ["solve", TUTORIAL, "--set", "targets.nothing.value=1"],
        ["solve", TUTORIAL, "--set", "nonsense"],
        ["solve", TUTORIAL, "--out", TUTORIAL / "case.yaml"],
        ["solve", TUTORIAL, "--lang", "fr"],
        ["solve", TUTORIAL, "--frobnicate"],
        ["solve"],
        ["check", "nowhere"],
        ["compare", "nowhere"],
        ["export-lp", TUTORIAL, "model.txt"],
        ["export-lp", TUTORIAL, "nowhere/model.lp"],
    ],
)
def test_bad_input_and_usage_leave_with_2_and_words(arguments: list[object]) -> None:
    result = planner(*arguments)
    assert result.exit_code == 2
    assert result.output.strip()
    assert "Traceback" not in result.output


def test_a_fault_of_the_program_is_one_message_and_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> Plan:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("planner.plan.solve", broken)
    result = planner("solve", TUTORIAL, "--lang", "en")
    assert result.exit_code == 70
    (line,) = result.stderr.strip().splitlines()
    log = Path(line.rpartition(": ")[2])
    assert "ZeroDivisionError: a bug" in log.read_text(encoding="utf-8")
    log.unlink()


# Says when the solver is at work, so that the test knows when to interrupt.
LOUD = """
import sys
from planner import cli
from planner.show.progress import Waiting

def stage(self, name, seconds=0.0):
    if seconds:
        print("at work", flush=True)

Waiting.stage = stage
cli.main()
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_an_interrupt_leaves_with_130_and_without_files(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOUD, "solve", str(JIANGXI), "--out", str(tmp_path / "plan"), "--lang", "en"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline().strip() == "at work"
        begun = time.monotonic()
        running.send_signal(signal.SIGINT)
        _, words = running.communicate(timeout=60)
    assert running.returncode == 130
    assert words.strip() == "Interrupted, nothing was written."
    assert time.monotonic() - begun < 10
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_interrupt_says_what_is_kept_and_how_to_go_on(lang: str, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    command = [sys.executable, "-m", "planner", "robustness", str(TUTORIAL), "--futures", "2000", "--executor", "here"]
    command += ["--resume", str(folder), "--lang", lang]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as running:
        begun = time.monotonic()
        while len(list(folder.glob("*.json"))) < 2 and time.monotonic() - begun < 60:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        _, words = running.communicate(timeout=60)
    assert running.returncode == 130
    count = len(list(folder.glob("*.json")))
    assert count >= 2
    last = words.decode().strip().splitlines()[-1]
    assert last == t("fault.interrupted_kept", lang, count=count, folder=folder)
    assert str(count) in last and f"--resume {folder}" in last


# ---------------------------------------------------------------- check


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """The tutorial with ten faults in five files."""
    folder = tmp_path / "faulty"
    shutil.copytree(TUTORIAL, folder)
    for name, old, new in (
        ("measures.csv", "pv,光伏,Solar PV,power,MW,3600000", "pv,光伏,Solar PV,power,MW,-3600000"),
        ("measures.csv", "风电,Onshore wind,power", "风电,Onshore wind,powr"),
        ("measures.csv", "2400000,40000,12", "2400000,40000,0"),
        ("targets.csv", "clean_level,level,clean_power", "clean_level,level,clean_pwer"),
        ("targets.csv", "nox_change,change,nox,<=,-0.3", "nox_change,change,nox,<=,30%"),
        ("targets.csv", "co2_peak,peak,co2", "co2_peak,peek,co2"),
        ("budgets.csv", "public_145,300000000.0", "public_145,300000000.0元"),
        ("budgets.csv", "ridge_capex,250000000.0,,ridge", "ridge_capex,250000000.0,,rigde"),
        ("quantities.csv", "nox,t,", "nox,,"),
        ("cities.csv", "ridge", "Ridge"),
    ):
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text, (name, old)
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def test_check_lists_every_fault_with_file_row_column_and_remedy(faulty: Path) -> None:
    result = planner("check", faulty, "--lang", "en")
    assert result.exit_code == 2
    lines = " ".join(result.stdout.split())
    for place in (
        "measures.csv, row 2, capex",
        "measures.csv, row 3, sector",
        "measures.csv, row 4, lifetime",
        "targets.csv, row 2, quantity",
        "targets.csv, row 3, value",
        "targets.csv, row 8, kind",
        "budgets.csv, row 2, limit",
        "budgets.csv, row 4, scope",
        "quantities.csv, row 3, unit",
    ):
        assert place in lines, place
    assert "did you mean 'power'?" in lines


def test_check_speaks_chinese(faulty: Path) -> None:
    result = planner("check", faulty, "--lang", "zh")
    assert result.exit_code == 2
    assert "measures.csv，第2行，capex" in result.stdout
    assert "未作计算" in result.stdout


def test_only_the_first_fifty_faults_are_shown_and_the_total_is_stated(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    shutil.copytree(TUTORIAL, folder)
    file = folder / "baseline.csv"
    header, *rows = file.read_text(encoding="utf-8").splitlines()
    place = header.split(",").index("value")
    broken = [",".join([*cells[:place], "x", *cells[place + 1 :]]) for cells in (row.split(",") for row in rows)]
    file.write_text("\n".join([header, *broken]) + "\n", encoding="utf-8")
    result = planner("check", folder, "--lang", "en")
    assert result.exit_code == 2
    assert f"{len(rows)} faults" in result.stdout
    assert result.stdout.split(" remark")[0].count("•") == 50
    assert "the first 50 are shown" in result.stdout


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("case", [TUTORIAL, JIANGXI], ids=lambda path: path.name)
def test_check_says_what_a_case_holds(case: Path, lang: str) -> None:
    result = planner("check", case, "--lang", lang)
    assert result.exit_code == 0
    assert "measures" in result.stdout
    assert max(cell_len(line) for line in result.stdout.splitlines()) <= 100


# ---------------------------------------------------------------- compare and export


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_plans_cases_and_scenarios_stand_side_by_side(solved: Path, tmp_path: Path, lang: str) -> None:
    scenario = tmp_path / "tight.yaml"
    scenario.write_text(
        "scenario: tight\nformat: 1\ncase: tutorial\n"
        "edits:\n  - {table: targets, key: {target: co2_budget}, set: {value: 90500}}\n",
        encoding="utf-8",
    )
    table = tmp_path / "all.csv"
    result = planner("compare", TUTORIAL, scenario, solved, "--out", table, "--lang", lang)
    assert result.exit_code == 0
    for name in ("tutorial", "tight", "plan"):
        assert name in result.stdout
    frame = pd.read_csv(table)
    costs = frame[(frame["table"] == "summary") & (frame["id"] == "cost")].set_index("plan")["value"].astype(float)
    assert costs["tutorial"] == costs["plan"] == OPTIMUM < costs["tight"]


def test_comparing_with_an_infeasible_scenario_leaves_with_3(tmp_path: Path) -> None:
    scenario = tmp_path / "never.yaml"
    scenario.write_text(
        "scenario: never\nformat: 1\nedits:\n  - {table: targets, key: {target: co2_budget}, set: {value: 10}}\n"
    )
    result = planner("compare", TUTORIAL, scenario, "--lang", "en")
    assert result.exit_code == 3
    assert "infeasible" in result.stdout


def test_a_folder_that_is_no_plan_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text("{}")
    result = planner("compare", tmp_path, "--lang", "en")
    assert result.exit_code == 2
    assert "cannot be read" in result.output


@pytest.mark.parametrize("ending", ["lp", "mps"])
def test_another_solver_reads_the_exported_model_and_finds_the_same_optimum(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"model.{ending}"
    assert planner("export-lp", TUTORIAL, file).exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert "starts" in file.read_text(encoding="utf-8")
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(file)) == highspy.HighsStatus.kOk
    highs.run()
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    assert highs.getInfo().objective_function_value == pytest.approx(OPTIMUM, rel=1e-6)


# ---------------------------------------------------------------- documents


def commands(document: str) -> list[list[str]]:
    """Lines of a document's blocks that call the planner."""
    lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
    return [line.split()[1:] for line in lines if line.startswith("planner ")]


@pytest.mark.parametrize("document", ["README.md", "README.zh.md"])
def test_commands_of_the_readme_work_as_they_stand(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "cases/tutorial", tmp_path / "cases/tutorial")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    for arguments in commands(document):
        result = planner(*arguments)
        expected = 3 if arguments[0] == "diagnose" else 0  # the example asks for the impossible
        assert result.exit_code == expected, (arguments, result.output)


def test_targets_of_make_in_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for document in ("README.md", "README.zh.md"):
        for target in re.findall(r"(?m)(?:^|`)make (\w+)", (ROOT / document).read_text(encoding="utf-8")):
            assert f"\n{target}:" in makefile, target


def test_verify_accepts_a_plan_as_written_and_names_the_cell_that_was_changed(tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    assert planner("solve", TUTORIAL, "--out", plan).exit_code == 0
    good = planner("verify", TUTORIAL, plan, "--lang", "en")
    assert (good.exit_code, good.stdout.split("\n")[0].startswith("Verified: proven optimal")) == (0, True)
    file = plan / "targets.csv"
    lines = file.read_text("utf-8").splitlines()
    cells = lines[1].split(",")
    cells[4] = str(float(cells[4]) * 1.001)
    file.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n", "utf-8")
    bad = planner("verify", TUTORIAL, plan, "--lang", "en")
    assert bad.exit_code == 5
    assert "targets.csv, row 2" in bad.stdout
    assert planner("verify", TUTORIAL, tmp_path / "nowhere").exit_code == 2


def test_check_names_a_budget_that_cannot_bind() -> None:
    told = planner("check", TUTORIAL, "--set", "budgets.ridge_capex.limit=1e15", "--lang", "en")
    assert told.exit_code == 0
    assert "'ridge_capex' cannot bind" in told.stdout


def test_diagnose_says_why_and_offers_a_repair_that_works() -> None:
    told = planner("diagnose", TUTORIAL, "--set", "targets.co2_budget.value=80000", "--lang", "en")
    assert told.exit_code == 3
    assert "Ten-year CO2 budget, 2030: 80,000 kt asked for, at best 81,550 kt" in told.stdout
    assert "1. Ten-year CO2 budget: at most 89,448 kt instead of 80,000 kt" in told.stdout
    assert planner("diagnose", TUTORIAL, "--set", "targets.co2_budget.value=89448").exit_code == 0
    assert planner("diagnose", TUTORIAL, "--set", "targets.co2_budget.value=89353").exit_code == 3  # 1 % less given


def test_an_infeasible_solve_keeps_its_diagnosis(tmp_path: Path) -> None:
    edit = "targets.co2_budget.value=80000"
    told = planner("solve", TUTORIAL, "--set", edit, "--out", tmp_path / "plan", "--lang", "zh")
    assert told.exit_code == 3
    assert "为什么没有可行方案" in told.stdout
    summary = json.loads((tmp_path / "plan" / "summary.json").read_text("utf-8"))
    assert (summary["status"], summary["proof"]) == ("infeasible", "arithmetic")
    assert summary["diagnosis"]["clashes"]
    quiet = planner("solve", TUTORIAL, "--set", edit, "--no-diagnosis", "--lang", "zh")
    assert "为什么没有可行方案" not in quiet.stdout


# ---------------------------------------------------------------- ranges


@pytest.mark.parametrize(("lang", "words"), [("en", "of 14 numbers are the same"), ("zh", "14 个数值中有")])
def test_ranges_are_told_and_written(tmp_path: Path, lang: str, words: str) -> None:
    told = planner("ranges", TUTORIAL, "--lang", lang, "--out", tmp_path / "ranges.csv")
    assert told.exit_code == 0
    assert words in told.stdout
    written = pd.read_csv(tmp_path / "ranges.csv")
    assert written.loc[written["kind"] == "objective", "low"].tolist() == [OPTIMUM]


def test_ranges_of_a_case_without_a_plan_leave_with_3_and_write_nothing(tmp_path: Path) -> None:
    told = planner("ranges", TUTORIAL, "--set", IMPOSSIBLE, "--out", tmp_path / "ranges.csv")
    assert told.exit_code == 3
    assert not (tmp_path / "ranges.csv").exists()


# ---------------------------------------------------------------- explain and goals


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["In: it costs 293.3 CNY a year per kW", "the price of Coal power pays", "it costs 7,890 CNY a year"]),
        ("zh", ["入选：每千瓦的年成本为293.3元", "煤电发电量价格支付", "每万吨/年的年成本为78,903元"]),
    ],
)
def test_every_measure_is_explained_and_written(tmp_path: Path, lang: str, words: list[str]) -> None:
    told = planner("explain", TUTORIAL, "--lang", lang, "--out", tmp_path / "why")
    assert told.exit_code == 0
    flat = "".join(told.stdout.split())
    for word in words:
        assert "".join(word.split()) in flat, word
    assert max(cell_len(line) for line in told.stdout.splitlines()) <= 100
    items = pd.read_csv(tmp_path / "why" / "explain.csv")
    assert list(items) == ["measure", "city", "item", "id", "year", "value"]
    measures = pd.read_csv(tmp_path / "why" / "measures.csv")
    assert list(measures) == COLUMNS["measures"].split()
    assert measures["reduced_cost"].eq(0).all()
    prices = pd.read_csv(tmp_path / "why" / "explain_prices.csv")
    assert list(prices) == ["item", "id", "part", "year", "price", "price_loosen", "price_tighten"]


def test_solve_fills_reduced_costs_and_reasons_in_the_language_asked_for(solved: Path, tmp_path: Path) -> None:
    assert planner("solve", TUTORIAL, "--lang", "zh", "--out", tmp_path / "plan").exit_code == 0
    chinese = pd.read_csv(tmp_path / "plan" / "measures.csv")
    assert chinese["reason"].str.startswith("入选").all()
    assert pd.read_csv(solved / "measures.csv")["reduced_cost"].eq(chinese["reduced_cost"]).all()


@pytest.mark.parametrize(("lang", "words"), [("en", "it stays until its yearly cost rises"), ("zh", "时退出")])
def test_one_measure_is_explained_with_its_break_even(lang: str, words: str) -> None:
    told = planner("explain", TUTORIAL, "motors", "--lang", lang)
    assert told.exit_code == 0
    assert words in " ".join(told.stdout.split())
    assert max(cell_len(line) for line in told.stdout.splitlines()) <= 100


@pytest.mark.parametrize("arguments", [["motor"], ["motors", "--city", "nowhere"]])
def test_an_unknown_measure_or_city_is_a_fault_of_usage(arguments: list[str]) -> None:
    told = planner("explain", TUTORIAL, *arguments, "--lang", "en")
    assert told.exit_code == 2
    assert "is neither a measure nor a city" in told.output


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", ["27.4", "60,000 CNY/t (2030)", "Cost nothing:"]), ("zh", ["0.274", "60,000 元/吨（2030）", "不增加成本"])],
)
def test_goals_are_told_and_written(tmp_path: Path, lang: str, words: list[str]) -> None:
    told = planner("goals", TUTORIAL, "--lang", lang, "--out", tmp_path / "goals.csv")
    assert told.exit_code == 0
    for word in words:
        assert word in told.stdout, word
    assert max(cell_len(line) for line in told.stdout.splitlines()) <= 100
    assert len(pd.read_csv(tmp_path / "goals.csv")) == 12


@pytest.mark.parametrize("command", ["explain", "goals"])
def test_without_a_plan_they_leave_with_3_and_write_nothing(tmp_path: Path, command: str) -> None:
    told = planner(command, TUTORIAL, "--set", IMPOSSIBLE, "--out", tmp_path / "out")
    assert told.exit_code == 3
    assert not (tmp_path / "out").exists()
