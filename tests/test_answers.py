"""The commands of docs/answers.md work as they stand, in both languages; bad input is told, never a traceback."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

import planner
from planner import cli
from planner.text import messages

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "cases/tutorial"
LINES = (ROOT / "docs/answers.md").read_text(encoding="utf-8").splitlines()
COMMANDS = [line.split()[1:] for line in LINES if line.startswith("    planner ")]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_commands_of_the_page_work(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(TUTORIAL, tmp_path / "cases/tutorial")
    lang = "zh" if COMMANDS.index(arguments) % 2 else "en"
    result = run(*arguments, "--lang", lang)
    assert result.exit_code == 0, result.output
    chinese = len(re.findall("[\u4e00-\u9fff]", result.stdout))
    assert chinese > 20 if lang == "zh" else chinese == 0
    assert "nan" not in result.stdout


def test_all_answers_are_named_on_the_page() -> None:
    asked = {" ".join(arguments[: 1 + (arguments[0] == "budget")]) for arguments in COMMANDS}
    desk = ("worth", "ladder", "clawback", "earmark", "rules", "most", "payers")
    assert asked == {"frontier", "alternatives", "regret", "credit", "fair", *(f"budget {name}" for name in desk)}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("frontier", "--x", "noxx"), "did you mean 'nox'?"),
        (("frontier", "--x", "co2", "--grid", "budget:none"), "public_145"),
        (("frontier", "--x", "co2", "--grid", "nox", "--size", "big"), "two numbers"),
        (("alternatives", "--within", "-1"), "below zero"),
        (("regret", "--years", "soon"), "2025,2030"),
        (("regret", "--years", "1999"), "2021-2030"),
        (("budget", "ladder", "--fund", "own"), "no budget limits"),
        (("budget", "ladder"), "--fund ID or --budget ID"),
        (("budget", "clawback", "--fund", "public", "--year", "2024", "--cut", "20"), "0.2 for 20 %"),
        (("budget", "earmark", "--fund", "public", "--sectors", "none"), "power"),
        (("budget", "most", "--quantity", "co2", "--money", "gold"), "cost or capex"),
        (("budget", "worth", "--amount", "0"), "above zero"),
    ],
)
def test_bad_input_is_told_with_a_remedy(arguments: tuple[str, ...], told: str) -> None:
    words = 2 if arguments[0] == "budget" else 1
    result = run(*arguments[:words], TUTORIAL, *arguments[words:], "--lang", "en")
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())


def test_a_cut_that_leaves_no_plan_has_its_own_exit_code() -> None:
    cut = ("--fund", "public", "--year", "2023", "--cut", "1")
    result = run("budget", "clawback", TUTORIAL, *cut, "--lang", "en")
    assert result.exit_code == 3
    assert "at most" in result.stdout
    none = ("--set", "targets.co2_budget.value=10")
    for command in (("frontier", "--x", "nox"), ("alternatives",), ("regret", "--years", "2025"), ("budget", "worth")):
        words = 2 if command[0] == "budget" else 1
        assert run(*command[:words], TUTORIAL, *command[words:], *none).exit_code == 3


def test_tables_are_written(tmp_path: Path) -> None:
    assert run("budget", "worth", TUTORIAL, "--amount", "1e7", "--out", tmp_path / "worth.csv").exit_code == 0
    assert len(pd.read_csv(tmp_path / "worth.csv")) == 16
    grid = ("--x", "co2", "--grid", "budget:public_155", "--size", "2x2", "--out", tmp_path / "grid")
    assert run("frontier", TUTORIAL, *grid).exit_code == 0
    assert len(pd.read_csv(tmp_path / "grid/grid.csv")) == 4
    assert run("budget", "payers", TUTORIAL, "--out", tmp_path / "payers.csv").exit_code == 0
    assert set(pd.read_csv(tmp_path / "payers.csv")["payer"]) == {"public", "own"}


def test_every_word_of_trade_offs_is_used() -> None:
    folder = Path(planner.__file__).parent
    text = "".join(file.read_text("utf-8") for file in folder.rglob("*.py"))
    heads = ("frontier.", "grid.", "alternatives.", "budget_desk.", "regret.", "axis.", "called.")
    composed = (
        *("called.pin_", "frontier.price", "frontier.capex"),
        *("alternatives.by.", "alternatives.must", "alternatives.choice", "alternatives.never", "alternatives.open"),
        *("budget_desk.rung.", "budget_desk.worth.", "budget_desk.ladder.", "budget_desk.payers.", "budget_desk.most."),
        *("budget_desk.earmark.", "regret.optimal", "regret.best_effort", "axis."),
    )
    for key in (key for key in messages() if key.startswith(heads)):
        last = key.rpartition(".")[2].removeprefix("pin_")  # starts, stock: what a pin is on
        assert f'"{key}"' in text or (key.startswith(composed) and re.search(rf'["._]{last}"', text)), key
