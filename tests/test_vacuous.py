"""What a case asks in vain is named, and what matters is not."""

from pathlib import Path

import pytest

from planner import text
from planner.case import Case
from planner.plan import solve
from planner.tables import read_case
from planner.vacuous import vacuous

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"


def found(case: Case) -> set[tuple[str, str]]:
    return {(issue.key, str(issue.params.get("budget") or issue.found)) for issue in vacuous(case)}


def test_the_tutorial_asks_nothing_in_vain() -> None:
    assert found(read_case(TUTORIAL)) == set()


@pytest.mark.parametrize(
    ("edit", "key", "name"),
    [
        ({"table": "budgets", "key": {"budget": "ridge_capex"}, "set": {"limit": 1e13}}, "idle_budget", "ridge_capex"),
        ({"table": "budgets", "key": {"budget": "public_155"}, "set": {"limit": 1e12}}, "idle_budget", "public_155"),
        (
            {"table": "groups", "key": {"group": "new_power_storage"}, "set": {"free": 1e6}},
            "idle_group",
            "new_power_storage",
        ),
    ],
)
def test_rows_that_cannot_bind_are_named_and_do_not(edit: dict[str, object], key: str, name: str) -> None:
    case = read_case(TUTORIAL).edited([edit])
    assert found(case) == {(key, name)}
    (issue,) = vacuous(case)
    assert name in text.issue(issue, "en")
    assert name in text.issue(issue, "zh")
    table = str(edit["table"])
    column = {"budgets": "budget", "groups": "group"}[table]
    without = case.edited([{"table": table, "key": {column: name}, "remove": True}])
    assert solve(without).objective == pytest.approx(solve(case).objective, rel=1e-9)
