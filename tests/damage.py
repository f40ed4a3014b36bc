"""Copies of the tutorial with one thing damaged, and the faults they give."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from planner import text
from planner.errors import CaseError, Issue
from planner.tables import read_case

TUTORIAL = Path(__file__).parent.parent / "cases" / "tutorial"

Damage = Callable[[str], str]


def swap(old: str, new: str) -> Damage:
    """Replace the first `old`, which must be there."""

    def damage(content: str) -> str:
        assert old in content, f"{old!r} is not in the tutorial"
        return content.replace(old, new, 1)

    return damage


def add(*lines: str) -> Damage:
    return lambda content: content + "".join(line + "\n" for line in lines)


def drop_column(name: str) -> Damage:
    def damage(content: str) -> str:
        lines = [line.split(",") for line in content.splitlines()]
        place = lines[0].index(name)
        return "".join(",".join(cells[:place] + cells[place + 1 :]) + "\n" for cells in lines)

    return damage


def only(content: str) -> Damage:
    return lambda _: content


def header_only(content: str) -> str:
    return content.split("\n", 1)[0] + "\n"


def damaged(folder: Path, file: str, damage: Damage) -> Path:
    """A copy of the tutorial with one file damaged."""
    shutil.copytree(TUTORIAL, folder, dirs_exist_ok=True)
    path = folder / file
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def faults(folder: Path) -> list[Issue]:
    with pytest.raises(CaseError) as raised:
        read_case(folder)
    for issue in raised.value.issues:
        for lang in text.LANGUAGES:  # whatever is wrong can be said
            assert text.issue(issue, lang)
            assert text.remedy(issue, lang)
    return raised.value.errors


def keys(issues: list[Issue]) -> list[tuple[str, str]]:
    return [(issue.key, issue.file) for issue in issues]
