"""What the case covers of the policy: the document and the targets name the same things."""

import re
from functools import cache
from pathlib import Path

from planner.case import Case
from planner.tables import read_case

ROOT = Path(__file__).parent.parent
COVERAGE = ROOT / "docs/coverage.md"
COLUMNS = 6


@cache
def case() -> Case:
    return read_case(ROOT / "cases/jiangxi")


def rows() -> list[list[str]]:
    """Cells of every table row of the document."""
    lines = COVERAGE.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.startswith("|") and not re.match(r"\| *(clause|document, clause|---)", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in kept]


def ids(cell: str) -> list[str]:
    return re.findall(r"`([\w-]+)`", cell)


def test_every_row_says_what_is_done_or_why_not() -> None:
    assert len(rows()) > 40
    for row in rows():
        assert len(row) == COLUMNS, row
        clause, sentence, figure, targets, measures, reading = row
        assert clause, row
        assert sentence, row
        assert figure, row
        assert ids(targets) or reading, row
        assert bool(targets) == bool(ids(targets)), row
        assert bool(measures) == bool(ids(measures)), row


def test_every_target_that_is_named_exists_and_every_clause_of_a_target_is_covered() -> None:
    named = {target for row in rows() for target in ids(row[3])}
    assert named == {row.target for row in case().targets if row.clause}


def test_targets_stand_at_their_clause() -> None:
    clauses = {row.target: row.clause for row in case().targets}
    for clause, _, _, targets, _, _ in rows():
        for target in ids(targets):
            assert not clause.isdigit() or clause in clauses[target], (clause, target)


def test_measures_that_are_named_exist() -> None:
    known = {row.measure for row in case().measures}
    assert {measure for row in rows() for measure in ids(row[4])} <= known
