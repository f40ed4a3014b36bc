"""Documents: every command and every example in them works as it stands; the wheel holds what the code needs."""

import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from typer.testing import CliRunner

from planner import cli, doctor
from planner.starter import example

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("tutorial.md", "howto.md")
"""Those in Chinese have the same commands, which a test holds equal."""


def place(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "cases/tutorial", tmp_path / "cases/tutorial")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    return tmp_path


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_of_the_documents_work_in_their_order(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place(tmp_path))
    blocks = re.findall(r"```\n(.*?)```", (ROOT / "docs" / document).read_text(encoding="utf-8"), re.DOTALL)
    commands = [line.split()[1:] for block in blocks for line in block.splitlines() if line.startswith("planner ")]
    assert len(commands) >= 10
    for arguments in commands:
        result = CliRunner().invoke(cli.app, arguments)
        expected = 3 if arguments[0] == "diagnose" else 0  # the example asks for the impossible
        assert result.exit_code == expected, (arguments, result.output)


def test_both_languages_of_a_document_run_the_same_commands() -> None:
    def told(document: str) -> list[str]:
        lines = (ROOT / "docs" / document).read_text(encoding="utf-8").splitlines()
        return [re.sub(r" --lang \w+", "", line) for line in lines if line.startswith("planner ")]

    assert told("tutorial.md") == told("tutorial.zh.md")
    assert told("howto.md") == told("howto.zh.md")


def test_both_languages_of_the_case_format_have_the_same_tables() -> None:
    """Headings of tables, names of columns, marks, defaults and examples; what stands between them is in words."""

    def told(document: str) -> list[list[str]]:
        text = (ROOT / "cases" / document).read_text(encoding="utf-8")
        marks = {"**必填**": "**must**", "*表头*": "*header*"}
        found = []
        for line in text.splitlines():
            if re.match(r"## \S+\.(csv|yaml)$", line) or line.startswith("|--"):
                found.append([line])
            elif re.match(r"\| `", line):
                cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
                if len(cells) == 7:
                    ids = [re.findall(r"`[^`]+`|[a-z_]+(?= 的)|(?<=of )[a-z_]+$", cells[4])]
                    found.append([cells[0], marks.get(cells[1], cells[1]), *ids[0], *cells[5:]])
                else:
                    found.append(re.findall(r"`[^`]+`", line))
        return found

    assert told("README.md") == told("README.zh.md")
    assert len(told("README.md")) > 200


@pytest.mark.parametrize("number", [0, 1, 2])
def test_examples_in_python_work(number: int, tmp_path: Path) -> None:
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 3
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{examples[number]}"
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=place(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == [["optimal", "-236.583"], [], ["optimal"]][number]


def test_numbers_of_the_tutorial_are_those_of_its_plan() -> None:
    from planner.plan import solve

    plan = solve(example())
    pv = plan.portfolio.loc[plan.portfolio["measure"] == "pv", "starts"].sum()
    price = plan.targets.set_index("target").loc["co2_2030", "price_tighten"] / 1000
    for document in ("tutorial.md", "tutorial.zh.md"):
        text = (ROOT / "docs" / document).read_text(encoding="utf-8")
        assert f"{pv:.0f}" in text
        assert f"{price:.1f}" in text


def test_links_of_the_documents_lead_somewhere() -> None:
    for file in (ROOT / "docs").glob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text(encoding="utf-8")):
            assert (file.parent / target).exists(), f"{file.name}: {target}"


def test_the_wheel_holds_every_file_the_code_reads() -> None:
    """All that lies in the package and is no code is listed; and nothing is listed that is not there."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    patterns = listed["planner"]
    folder = ROOT / "planner"
    found = [
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc") and "__pycache__" not in file.parts
    ]
    unlisted = [name for name in found if not any(fnmatch(name, pattern) for pattern in patterns)]
    assert not unlisted
    assert all(any(fnmatch(name, pattern) for name in found) for pattern in patterns)


def test_every_extra_of_the_doctor_is_one_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {re.split(r"[><=\[]", text, maxsplit=1)[0] for text in project["optional-dependencies"]["report"]}
    assert named == set(doctor.EXTRAS["report"])
    dev = {re.split(r"[><=\[]", text, maxsplit=1)[0] for text in project["optional-dependencies"]["dev"]}
    assert named <= dev
    needed = {re.split(r"[><=\[]", text, maxsplit=1)[0] for text in project["dependencies"]}
    assert set(doctor.NEEDED) - needed == {"rich"}  # comes with typer


def test_the_doctor_finds_what_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    healthy = CliRunner().invoke(cli.app, ["doctor", "--lang", "en"])
    assert healthy.exit_code == 0
    assert "solver, on a known optimum" in healthy.stdout
    monkeypatch.setattr(doctor, "OPTIMUM", (("pv", 1.0),))
    wrong = CliRunner().invoke(cli.app, ["doctor", "--lang", "en"])
    assert wrong.exit_code == 70
    monkeypatch.setattr(doctor, "installed", lambda name: "" if name == "highspy" else "1")
    missing = {found.name: found.state for found in doctor.examined()}
    assert missing["packages"] == "broken"
    assert "solver" not in missing
    monkeypatch.setattr(doctor, "installed", lambda name: "" if name == "python-docx" else "1")
    assert next(found.state for found in doctor.examined() if found.name == "extra_report") == "optional"


def test_every_command_stands_in_a_panel_of_the_help() -> None:
    shown = CliRunner().invoke(cli.app, ["--help"]).stdout
    assert all(title in shown for title in cli.PANELS)
    for names in cli.PANELS.values():
        assert all(re.search(rf"│ {name} ", shown) for name in names), names
