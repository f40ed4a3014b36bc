"""Clashes whose members, sizes and prices can be worked out by hand; laws of every diagnosis on random cases.

The toy: 100 t of `q` in every year, a unit of `m` cuts 1 t and costs 100 (10 a year), 10 units at once.
"""

import json
from functools import cache

import numpy as np
import pytest
import toy
from random_cases import in_money, in_unit, random_case, unit_changes
from repairs import QUICK, doomed_twice, faults, infeasible_seeds, read, status

from planner.case import Case
from planner.conflict import (
    Diagnosis,
    Element,
    Telling,
    ceilings,
    diagnose,
    diagnosis_summary,
    diagnosis_text,
    line_text,
)
from planner.conflict.changes import changes
from planner.conflict.clash import Deadline, TimeUpError
from planner.conflict.model import build
from planner.conflict.sizing import least_size
from planner.engine import Options
from planner.plan import solve
from planner.problem import Problem

SEEDS = (0, 6, 22, 25, 28, 39, 69, 104, 110, 127)
"""Random cases without a plan: targets, budgets, pins, floors, limits, lumps, history."""
ONE_TARGET = "target kind quantity sense value first_year\ncap level q <= {} 2023"


def members(diagnosis: Diagnosis) -> list[set[tuple[str, ...]]]:
    """Kind and ids of what clashes, clash by clash."""
    return [{(member.kind, *member.ids) for member in clash.members} for clash in diagnosis.clashes]


def sizes(diagnosis: Diagnosis) -> dict[tuple[str, str], float]:
    """Size of each way out that is a single change."""
    return {(p.change.kind, p.change.element.id): p.size for line in diagnosis.menu for p in line.parts}


def costs(diagnosis: Diagnosis) -> dict[tuple[str, str], float]:
    """Price of each way out that is a single change."""
    return {(p.change.kind, p.change.element.id): line.cost for line in diagnosis.menu for p in line.parts}


def test_a_target_clashes_with_the_potential_of_the_only_measure() -> None:
    """A cap of 85 needs 15 units where 10 have room: 5 t less ambition, or half as much potential again."""
    found = diagnose(toy.case(targets=ONE_TARGET.format(85)))
    assert members(found) == [{("target", "cap"), ("potential", "m")}]
    assert found.proof == "arithmetic"
    assert sizes(found) == {("value", "cap"): 5.0, ("potential", "m"): 0.5}
    # ten units from 2023 on cost 10 each; fifteen cost 150: nobody starts a year early
    assert costs(found) == pytest.approx({("value", "cap"): 100.0, ("potential", "m"): 150.0})
    assert found.clashes[0].members[0].places[0].row == 2
    assert found.clashes[0].members[0].years == (2023,)
    assert found.clashes[0].gap == pytest.approx(5 / 85)
    assert found.together == pytest.approx(5 / 85)


def test_what_all_must_give_alike_counts_what_is_asked_besides_an_impossible_target() -> None:
    """Ten units reach 90, the budget pays for two: x = 2 (1 + t) and 100 - x = 85 (1 + t), so 13 = 87 t."""
    found = diagnose(toy.case(targets=ONE_TARGET.format(85), budgets="budget limit per\nb 200 span"))
    assert found.clashes[0].gap == pytest.approx(5 / 85)
    assert found.together == pytest.approx(13 / 87)


def test_two_targets_clash() -> None:
    """A unit cuts a tonne of q and brings one of r: at most 2 for r, at least 5 for q."""
    found = diagnose(
        toy.case(
            quantities="quantity unit\nq t\nr t",
            effects="measure quantity value\nm q -1\nm r 1",
            baseline="quantity city sector year value\nq a s 2020 100\nr a s 2020 50",
            targets="target kind quantity sense value first_year\ncap level q <= 95 2023\nkeep level r <= 52 2022",
        )
    )
    assert members(found) == [{("target", "cap"), ("target", "keep")}]
    assert found.proof == "elastic"
    assert sizes(found) == {("value", "cap"): 3.0, ("value", "keep"): 3.0}
    # all must give alike: 95 t + 52 u >= 98 t + 55 - ... : 3 of 147 together
    assert found.together == pytest.approx(3 / 147)


def test_a_target_clashes_with_a_budget() -> None:
    """A cap of 95 needs 5 units for 500; the budget has 300."""
    found = diagnose(toy.case(targets=ONE_TARGET.format(95), budgets="budget limit per\nb 300 span"))
    assert members(found) == [{("target", "cap"), ("budget", "b")}]
    assert sizes(found) == {("value", "cap"): 2.0, ("budget_span", "b"): 200.0}
    assert costs(found) == pytest.approx({("value", "cap"): 30.0, ("budget_span", "b"): 50.0})
    assert [(g.element.id, g.amount, g.part) for g in found.relaxation] == [
        ("cap", pytest.approx(2.0), pytest.approx(2 / 95))
    ]


def test_a_yearly_budget_is_raised_in_the_year_that_clashes() -> None:
    """Three units can be paid in 2023 and none before, as they live one year only."""
    found = diagnose(
        toy.case(
            measures="measure lifetime\nm 1",
            targets=ONE_TARGET.format(95),
            budgets="budget limit\nb 300",
        )
    )
    assert members(found) == [{("target", "cap"), ("budget", "b")}]
    line = next(line for line in found.menu if line.parts[0].change.kind == "budget_year")
    assert line.parts[0].size == 200.0
    assert [(edit.get("add") or edit["set"])["limit"] for edit in line.edits] == [300.0, 300.0, 500.0]


def test_a_pin_clashes_with_the_ramp() -> None:
    """Five units in 2022 where two may start in each of two years: ask for 4, or start a quarter more."""
    found = diagnose(
        toy.case(measures="measure ramp\nm 0.2", pins="pin measure first_year last_year on min\np m 2022 2022 stock 5")
    )
    assert members(found) == [{("pin", "p"), ("ramp", "m")}]
    assert sizes(found) == {("pin_min", "p"): 1.0, ("ramp", "m"): 0.25}


def test_a_floor_clashes_with_a_target() -> None:
    found = diagnose(
        toy.case(
            quantities="quantity unit floor\nq t 96",
            targets="target kind quantity sense value first_year\ncut abated q - 5 2023",
        )
    )
    assert members(found) == [{("floor", "q"), ("target", "cut")}]
    assert sizes(found) == {("floor", "q"): 1.0, ("value", "cut"): 1.0}


def test_a_group_clashes_with_a_target() -> None:
    found = diagnose(
        toy.case(
            groups="group kind measure cap\nbase shared m 3",
            targets=ONE_TARGET.format(95),
        )
    )
    assert members(found) == [{("group", "base"), ("target", "cap")}]
    assert sizes(found) == {("cap", "base"): 2.0, ("value", "cap"): 2.0}


@pytest.mark.parametrize(("column", "kind"), [("first_year 2023", "first_year"), ("lead_time 2", "lead_time")])
def test_a_target_clashes_with_what_keeps_measures_from_starting(column: str, kind: str) -> None:
    name, value = column.split()
    found = diagnose(toy.case(measures=f"measure {name}\nm {value}", targets=ONE_TARGET.format(95).replace("3", "2")))
    assert members(found) == [{("target", "cap"), (kind, "m")}]
    assert sizes(found)["later", "cap"] == 1.0


def test_two_clashes_that_share_nothing_are_told_one_after_the_other_and_repaired_by_a_pair() -> None:
    """Measure m cuts q, measure n cuts r; both caps ask for more than there is."""
    found = diagnose(
        toy.case(
            quantities="quantity unit\nq t\nr t",
            measures="measure capex\nm 100\nn 100",
            effects="measure quantity value\nm q -1\nn r -1",
            potentials="measure city potential\nm a 10\nn a 10",
            baseline="quantity city sector year value\nq a s 2020 100\nr a s 2020 100",
            targets="target kind quantity sense value first_year\none level q <= 85 2023\ntwo level r <= 88 2023",
        )
    )
    assert sorted(map(sorted, members(found))) == [
        [("potential", "m"), ("target", "one")],
        [("potential", "n"), ("target", "two")],
    ]
    assert {one.element.id: one.size for one in found.alone} == {"one": np.inf, "two": np.inf}
    best = found.menu[0]
    assert {part.change.element.id: part.size for part in best.parts} == {"one": 5.0, "two": 2.0}
    assert best.cost == pytest.approx(200.0)


def test_whole_lumps_alone_can_make_a_case_impossible() -> None:
    """Five units are needed, they come in fours, and seven have room."""
    found = diagnose(
        toy.case(
            measures="measure lump\nm 4",
            potentials="measure city potential\nm a 7",
            targets=ONE_TARGET.format(95),
        )
    )
    assert (found.lumps, found.proof) == (True, "none")
    assert members(found) == [{("target", "cap"), ("lump", "m")}]
    assert sizes(found)["value", "cap"] == pytest.approx(1.0, rel=2e-3)


def test_a_pin_without_anything_to_pin_is_told_without_a_solve() -> None:
    found = diagnose(
        toy.case(measures="measure lead_time\nm 2", pins="pin measure first_year last_year min\np m 2022 2022 1")
    )
    assert members(found) == [{("pin", "p"), ("lead_time", "m")}]
    assert (found.proof, sizes(found)) == ("arithmetic", {("pin_min", "p"): 1.0})


def test_a_case_with_a_plan_has_no_clash() -> None:
    found = diagnose(toy.case(targets=ONE_TARGET.format(95)))
    assert (found.status, found.clashes, found.menu) == ("feasible", (), ())
    assert diagnosis_text(found, "en") == "There is a plan: nothing clashes."


TWO_BUDGETS = {
    "sectors": "sector\ns\nz",
    "quantities": "quantity unit\nq t\nr t",
    "measures": "measure capex sector\nm 100 s\nn 100 z",
    "effects": "measure quantity value\nm q -1\nn r -1",
    "potentials": "measure city potential\nm a 10\nn a 10",
    "baseline": "quantity city sector year value\nq a s 2020 100\nr a z 2020 100",
    "targets": "target kind quantity sense value first_year\none level q <= 95 2023\ntwo level r <= 92 2023",
    "budgets": "budget limit sectors per\nb 400 s span\nc 500 z span",
}
"""Five units of m for 500 where 400 may be spent, eight of n for 800 where 500 may be."""


def test_all_budgets_raised_alike_repair_what_none_of_them_does_alone() -> None:
    """A quarter more is enough for m, three fifths for n: all have to rise by three fifths."""
    found = diagnose(toy.case(**TWO_BUDGETS))
    line = next(line for line in found.menu if line.parts[0].change.kind == "all_budget_part")
    assert line.parts[0].size == 0.6
    assert [edit["set"]["limit"] for edit in line.edits] == pytest.approx([640.0, 800.0])
    assert any(len(line.parts) == 2 for line in found.menu)
    assert "All 2 budgets alike: 60 % more each" in diagnosis_text(found, "en")


def test_all_ramps_of_a_clash_are_sped_up_alike() -> None:
    """Two units of each may start in each of three years, 12 in all, where 18 are asked for: half as many again."""
    found = diagnose(
        toy.case(
            measures="measure ramp\nm 0.2\nn 0.2",
            effects="measure quantity value\nm q -1\nn q -1",
            potentials="measure city potential\nm a 10\nn a 10",
            targets=ONE_TARGET.format(82),
        )
    )
    assert sizes(found)["all_ramp", "m"] == 0.5


# Size, time and interruption -----------------------------------------------------------------------------------------


def test_one_solve_finds_the_least_size_of_a_change() -> None:
    """A cap of 95 needs 500 of money where there are 300; a second cap that needs 11 units leaves no size enough."""
    for targets, least in (
        (ONE_TARGET.format(95), 200.0),
        (ONE_TARGET.format(95) + "\nfar level q <= 89 2023", np.inf),
    ):
        case = toy.case(targets=targets, budgets="budget limit per\nb 300 span")
        model = build(Problem(case))
        (change,) = changes(case, model, Element("budget", "b"))
        assert least_size(model, change) == pytest.approx(least)


@pytest.mark.parametrize("seed", [22, 69, 127])
def test_ways_out_of_a_large_case_are_just_large_enough(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every case counts as large: sizes are enclosed on the model, and prices come from interior point."""
    monkeypatch.setattr("planner.conflict.repair.SMALL_CASE", 0)
    monkeypatch.setattr("planner.conflict.diagnosis.SMALL_CASE", 0)
    _, found = faults(infeasible(seed))
    assert found == []


class _Hurry:
    """A clock that stops every solve after the first few."""

    def __init__(self, solves: int) -> None:
        self.left = solves

    def __call__(self, given: Deadline) -> Options:
        self.left -= 1
        if self.left < 0:
            raise TimeUpError("the time limit was reached")
        return given.given


def test_what_is_known_when_the_time_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    case = toy.case(**TWO_BUDGETS)
    told = set()
    for solves in range(1, 40):
        monkeypatch.setattr(Deadline, "options", property(_Hurry(solves)))
        found = diagnose(case)
        assert found.clashes
        text = diagnosis_text(found, "en")
        told |= {*found.hurried, *(["menu"] if found.unsized else []), *(["all"] if found.menu else [])}
        assert ("perhaps fewer of these already clash" in text) == ("clash" in found.hurried)
        assert ("Not sized, as the time ended" in text) == bool(found.unsized)
    assert told == {"clash", "relaxation", "menu", "all"}


def test_a_time_limit_that_is_over_at_once_is_said() -> None:
    with pytest.raises(TimeUpError):
        diagnose(toy.case(**TWO_BUDGETS), Options(time_limit=0.0))


def test_a_diagnosis_is_told_while_it_grows_and_when_it_is_left() -> None:
    case = toy.case(**TWO_BUDGETS)
    whole: list[str] = []
    with Telling("en", whole.append) as telling:
        found = diagnose(case, tell=telling.now)
        telling.end(found)
    assert "\n".join(whole) == diagnosis_text(found, "en")
    assert len(whole) > 2
    left: list[str] = []

    def interrupted(diagnosis: Diagnosis) -> None:
        telling.now(diagnosis)
        if len(diagnosis.menu) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Telling("en", left.append) as telling:
        diagnose(case, tell=interrupted)
    assert "Ways out" in left[-1]
    assert "\n  1. " in left[-1]
    assert "\n  2. " not in left[-1]


def test_ways_out_that_were_not_looked_for_are_not_said_to_be_missing() -> None:
    text = diagnosis_text(diagnose(toy.case(**TWO_BUDGETS), repairs=False), "en")
    assert "way out" not in text.lower()


# Ceilings ------------------------------------------------------------------------------------------------------------


def test_ceilings_follow_ramp_lead_time_and_life() -> None:
    """Two units a year from 2022 on, each for two years: 2, 4, 4 in service from 2022."""
    case = toy.case(
        {"last_year": 2024},
        measures="measure ramp lead_time lifetime\nm 0.2 1 2",
        targets="target kind quantity sense value\ncap level q <= 50",
    )
    found = ceilings(case)
    assert dict(zip(found["year"], found["best"], strict=True)) == {2021: 100, 2022: 98, 2023: 96, 2024: 96}
    assert found["impossible"].all()


def test_ceilings_of_a_share_are_ratios() -> None:
    case = toy.case(
        quantities="quantity unit\nq t\nq2 t",
        effects="measure quantity value\nm q 1\nm q2 2",
        baseline="quantity city sector year value\nq a s 2020 20\nq2 a s 2020 100",
        targets="target kind quantity of sense value first_year\npart share q q2 >= 0.24 2022",
    )
    row = ceilings(case).iloc[0]
    assert (row["measure"], row["best"], row["worst"]) == ("ratio", pytest.approx(30 / 120), pytest.approx(20 / 100))
    assert not row["impossible"]


def test_a_target_that_no_plan_can_miss_is_vacuous() -> None:
    found = ceilings(toy.case(targets="target kind quantity sense value\ncap level q <= 101"))
    assert found["vacuous"].all()
    assert not found["impossible"].any()


@pytest.mark.parametrize("seed", range(40))
def test_no_ceiling_is_below_what_a_plan_reaches(seed: int) -> None:
    """Every plan lies between best and worst, and no target of a case with a plan is called impossible."""
    case = read(random_case(seed))
    if case is None:
        return
    plan = solve(case, QUICK)
    if not plan.found:
        return
    found = ceilings(Problem(case))
    hard = found[~found["soft"]]
    assert not hard["impossible"].any()
    reached = {(row.target, row.year): row for row in plan.targets.itertuples()}
    for row in found[(found["measure"] == "level")].itertuples():
        one = reached[row.target, row.year]
        if one.bound != row.asked:  # the value row of a peak stands beside its ratio
            continue
        low, high = sorted((row.best, row.worst))
        room = 1e-6 * max(abs(low), abs(high), abs(one.achieved))
        assert low - room <= one.achieved <= high + room


# Laws ----------------------------------------------------------------------------------------------------------------


@cache
def infeasible(seed: int) -> Case:
    case = read(random_case(seed))
    assert case is not None
    assert status(case) == "infeasible"
    return case


@pytest.mark.parametrize("seed", SEEDS)
def test_clashes_are_minimal_and_every_way_out_is_just_large_enough(seed: int) -> None:
    diagnosis, found = faults(infeasible(seed))
    assert found == []
    assert diagnosis.menu


@pytest.mark.parametrize("seed", [0, 2, 8, 21, 36])
def test_where_no_change_suffices_alone_each_part_of_a_pair_is_just_large_enough(seed: int) -> None:
    case = read(doomed_twice(seed))
    assert case is not None
    diagnosis, found = faults(case)
    assert found == []
    assert diagnosis.menu
    assert all(len(line.parts) >= 2 for line in diagnosis.menu)


@pytest.mark.parametrize("seed", [0, 4, 28, 67, 87, 110])
def test_units_do_not_decide_what_clashes(seed: int) -> None:
    case = random_case(seed)
    plain = diagnose(infeasible(seed), repairs=False)
    again = [in_money(case, 1e-8, "XYZ")]
    again += [in_unit(case, q, unit)[0] for q, unit in dict(unit_changes(case)).items()]
    for other in again:
        read_again = read(other)
        assert read_again is not None
        found = diagnose(read_again, repairs=False)
        assert members(found) == members(plain)
        assert found.together == pytest.approx(plain.together, rel=1e-6)
        assert [clash.gap for clash in found.clashes] == pytest.approx([c.gap for c in plain.clashes], rel=1e-6)


def test_about_a_seventh_of_the_random_cases_have_no_plan() -> None:
    assert [seed for seed, _ in infeasible_seeds(0, 3)] == [0, 4, 6]


# Words ---------------------------------------------------------------------------------------------------------------


def test_a_diagnosis_is_said_in_both_languages_and_kept_as_plain_data() -> None:
    found = diagnose(toy.case(targets=ONE_TARGET.format(95), budgets="budget limit per\nb 300 span"))
    english, chinese = diagnosis_text(found, "en"), diagnosis_text(found, "zh")
    assert "target cap, 2023: at most 95 t (targets.csv, row 2)" in english
    assert "budget b: 0.0003 million CNY for all its years (budgets.csv, row 2)" in english
    assert "目标：cap，2023年：至多95吨（targets.csv 第2行）" in chinese
    assert "at most 97 t instead of 95 t (2 t more)" in line_text(found.case, found.menu[0], "en")
    summary = json.loads(json.dumps(diagnosis_summary(found), allow_nan=False))
    assert summary["clashes"][0]["members"][0]["rows"] == [{"file": "targets.csv", "row": 2, "counted": "row"}]
    edits = summary["repairs"][0]["edits"]
    assert edits == [{"table": "targets", "key": {"target": "cap"}, "set": {"value": 97.0}}]
    assert solve(found.case.edited(edits), QUICK).objective == pytest.approx(summary["repairs"][0]["cost"])
