"""The report on numbers: ranges by family, before and after scaling, and the rows they come from."""

from pathlib import Path

import pytest
import toy
from typer.testing import CliRunner

from planner import text
from planner.case import Case
from planner.cli import app
from planner.compile import compile_problem
from planner.errors import Place
from planner.formulation import ROWS
from planner.numbers import Span, spans, told, wide
from planner.problem import Problem
from planner.tables import read_case

ROOT = Path(__file__).parent.parent
TARGET = "target kind quantity sense value first_year\ncap level q <= 95 2023"


def by_family(case: Case) -> dict[str, Span]:
    return {span.family: span for span in spans(case)}


def test_ranges_are_those_of_the_tables() -> None:
    found = by_family(
        toy.case(measures="measure capex\nm 100\nk 5000", effects="measure quantity value\nm q -1\nk q -40",
                 potentials="measure city potential\nm a 10\nk a 10", targets=TARGET)
    )  # fmt: skip
    changes = found["change_adds_up"]
    # change + 1 m + 40 k = 0 in each of three years: coefficients 1, 1, 40
    assert (changes.rows, changes.smallest, changes.largest, changes.spread) == (3, 1.0, 40.0, 40.0)
    # both potentials are 10: stock is scaled by 8 alike, so 40 stays; and 320/8 = 40 beside the change itself
    assert changes.scaled == 40.0
    assert changes.at == Place("effects.csv", 2)
    target = found["target_is_kept"]
    assert (target.rows, target.bounds, target.at) == (1, (95.0, 95.0), Place("targets.csv", 2))


def test_numbers_too_far_apart_are_named_with_their_row_in_both_languages() -> None:
    case = toy.case(measures="measure capex\nm 100\nk 5000", effects="measure quantity value\nm q -1\nk q -0.00000001",
                    potentials="measure city potential\nm a 10\nk a 10", targets=TARGET)  # fmt: skip
    issues = wide(spans(case))
    assert [(issue.key, issue.file, issue.row) for issue in issues] == [("numbers_far_apart", "effects.csv", 3)]
    assert "1e-08 for k/a/2021" in text.issue(issues[0], "en")
    assert "k/a/2021为1e-08" in text.issue(issues[0], "zh")


@pytest.mark.parametrize("name", ["tutorial", "jiangxi"])
def test_shipped_cases_stay_far_from_the_tolerance(name: str) -> None:
    case = read_case(ROOT / "cases" / name)
    found = spans(case)
    assert wide(found) == ()
    assert sum(span.rows for span in found) == compile_problem(Problem(case)).A.shape[0]
    assert all(span.at.file.endswith(".csv") for span in found)


def test_every_family_has_words_in_both_languages() -> None:
    for item in ROWS:
        for lang in text.LANGUAGES:
            assert text.t(f"numbers.families.{item.name}", lang)


@pytest.mark.parametrize(("lang", "words"), [("en", "Sizes of the numbers"), ("zh", "各类约束的数值范围")])
def test_check_shows_the_numbers_when_asked(lang: str, words: str) -> None:
    arguments = ["check", str(ROOT / "cases" / "tutorial"), "--lang", lang]
    assert words not in CliRunner().invoke(app, arguments).output
    run = CliRunner().invoke(app, [*arguments, "--numbers"])
    assert run.exit_code == 0
    assert words in run.output


def test_the_worst_row_names_its_two_entries() -> None:
    assert told(by_family(read_case(ROOT / "cases" / "tutorial"))["dependents_within_providers"])["small"] == "0.1"
