"""Regret of short-sightedness: never below zero, nothing where all is seen at once, and worked out by hand."""

from pathlib import Path

import pytest
import toy

from planner.errors import CaseError, InfeasibleError
from planner.foresight import regret
from planner.plan import solve
from planner.tables import read_case

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"
# One base of ten for m (cuts 1 for 10 a year) and d (cuts 2 for 25); e costs 40 a year and needs no base.
BASE = {
    "measures": "measure capex\nm 100\nd 250\ne 400",
    "effects": "measure quantity value\nm q -1\nd q -2\ne q -1",
    "potentials": "measure city potential\nm a 10\nd a 10\ne a 10",
    "groups": "group kind measure weight cap\nbase shared m 1 10\nbase shared d 1 10",
}


def goals(second: float) -> str:
    head = "target kind quantity sense value first_year last_year"
    return f"{head}\none level q <= 95 2021 2021\ntwo level q <= {second} 2023 2023"


def test_regret_by_hand() -> None:
    # Short-sighted: five of m in 2021 (150); in 2023 the base takes five of d (125), three of e make up (120).
    # All at once: two of m and 1.5 of d in 2021 (60 + 112.5), 6.5 of d in 2023 (162.5): the base is full, 18 are cut.
    found = regret(toy.case(**BASE, targets=goals(82)), [2021])
    assert found.joint == pytest.approx(335.0)
    assert found.sighted == pytest.approx(395.0)
    assert found.money == pytest.approx(60.0)
    assert found.kept
    assert found.stages["cost"].tolist() == pytest.approx([150.0, 395.0])
    assert found.lost.set_index("measure").loc["d", ["joint", "reachable", "lost"]].tolist() == pytest.approx(
        [8.0, 5.0, 3.0]
    )


def test_what_is_seen_in_time_costs_nothing() -> None:
    case = toy.case(**BASE, targets=goals(82))
    assert regret(case, [2023]).money == pytest.approx(0.0, abs=1e-4)
    assert regret(case, []).money == pytest.approx(0.0, abs=1e-4)
    easy = regret(toy.case(**BASE, targets=goals(86)), [2021])
    assert easy.money == pytest.approx(0.0, abs=1e-4)  # the base is large enough for both
    assert easy.lost.empty


def test_goals_that_can_no_longer_be_kept_are_named() -> None:
    tables = {
        name: text.replace("\ne 400", "").replace("\ne q -1", "").replace("\ne a 10", "") for name, text in BASE.items()
    }
    found = regret(toy.case(**tables, targets=goals(82)), [2021])
    assert not found.kept
    assert found.stages["status"].tolist() == ["optimal", "best_effort"]
    (row,) = found.targets.itertuples()
    assert (row.target, row.year, row.hard, row.joint) == ("two", 2023, True, pytest.approx(0.0))
    assert row.missed == pytest.approx(3.0)  # five of m and five of d cut 15 of 18
    soft = goals(82).replace("last_year", "last_year soft_penalty").replace("2021 2021", "2021 2021 -") + " 30"
    missed = regret(toy.case(**tables, targets=soft), [2021])
    assert missed.kept
    assert missed.money >= 0


@pytest.mark.parametrize("years", [(2025,), (2025, 2028), (2022, 2024, 2026, 2028), (2029,)])
def test_regret_is_never_below_zero(years: tuple[int, ...]) -> None:
    case = read_case(TUTORIAL)
    found = regret(case, years)
    least = solve(case).objective
    assert found.joint == pytest.approx(least, rel=1e-7)
    if found.kept:
        assert found.money >= -1e-6 * abs(least)
    else:
        assert found.targets["hard"].any()
    assert found.stages["horizon"].tolist() == sorted({*years, 2030})


def test_every_stage_keeps_what_was_started_before() -> None:
    case = read_case(TUTORIAL)
    one, two = regret(case, [2023]), regret(case, [2023, 2026])
    first = [
        found.starts.query("year <= 2023").set_index(["measure", "city", "year"])["starts"] for found in (one, two)
    ]
    assert first[0].sub(first[1], fill_value=0.0).abs().max() < 1e-5
    kept = solve(case.edited([{"table": "targets", "key": {"target": t}, "remove": True} for t in late(case, 2023)]))
    own = kept.portfolio.query("year <= 2023 and starts > 0").set_index(["measure", "city", "year"])["starts"]
    assert first[0].sub(own, fill_value=0.0).abs().max() < 1e-3


def late(case: object, year: int) -> list[str]:
    """Targets that ask for nothing up to a year."""
    first = {"level": "first_year", "change": "first_year", "abated": "first_year", "share": "first_year"}
    return [
        row.target
        for row in case.targets  # type: ignore[attr-defined]
        if (row.kind in first and (row.first_year or 0) > year)
        or row.kind == "cumulative"
        or (row.kind == "intensity" and row.first_year > year)
        or (row.kind == "peak" and row.by >= year)
    ]


def test_what_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    case = read_case(TUTORIAL)
    with pytest.raises(CaseError):
        regret(case, [1999])
    with pytest.raises(InfeasibleError):
        regret(case.edited([{"table": "targets", "key": {"target": "co2_budget"}, "set": {"value": 10}}]), [2025])
    regret(case, [2025]).write(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"stages.csv", "targets.csv", "lost.csv", "starts.csv"}
