"""The app: every word on screen stands in the messages, in both languages."""

import ast
import re
from pathlib import Path

import pytest
from screens import ROOT

from planner.text import LANGUAGES, messages
from planner.ui.shared import cases as found_cases

SCREENS = [ROOT / "app.py", *sorted((ROOT / "planner" / "ui").glob("*.py"))]


def constants(file: Path) -> list[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


def test_every_message_a_screen_names_exists() -> None:
    known = set(messages())
    for file in SCREENS:
        for text in constants(file):
            if re.fullmatch(r"ui(\.\w+)+", text):
                assert text in known, f"{file.name}: {text}"
            elif re.fullmatch(r"ui\.[\w.]*\.", text):
                assert any(key.startswith(text) for key in known), f"{file.name}: {text}"


def test_every_state_and_kind_has_its_words() -> None:
    known = set(messages())
    for status in ("optimal", "within_gap", "limit", "infeasible", "unbounded", "unknown"):
        assert f"ui.state.{status}" in known
    for kind in ("cap", "abated", "level", "cumulative", "change", "intensity", "share", "budget"):
        assert {f"ui.lever.{kind}.label", f"ui.lever.{kind}.help"} <= known
    for stand in ("kept", "exact", "missed", "missed_soft"):
        assert f"ui.targets.{stand}" in known


def test_messages_take_the_same_parameters_in_both_languages() -> None:
    for key, message in messages().items():
        if key.startswith("ui."):
            zh, en = (set(re.findall(r"{(\w+)}", message[lang])) for lang in LANGUAGES)
            assert zh == en, key


def test_no_screen_holds_words_of_its_own() -> None:
    for file in SCREENS:
        for text in constants(file):
            assert not re.search(r"[\u4e00-\u9fff]{2}", text), f"{file.name}: {text}"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                first = node.args[0]
                if isinstance(node.func.value, ast.Name) and node.func.value.id in ("st", "line", "trouble", "bar"):
                    assert not (isinstance(first, ast.Constant) and isinstance(first.value, str)), ast.unparse(node)


def test_the_case_with_scenarios_comes_first_and_the_tutorial_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLANNER_CASE", raising=False)
    assert list(found_cases(ROOT / "cases")) == ["jiangxi", "brazil", "jiangxi-2026", "tutorial"]
