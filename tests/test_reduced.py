"""Problems presolved once: each later answer is that of a cold solve of the whole matrix, and prices are tangents."""

from pathlib import Path

import numpy as np
import pytest
import toy
from random_cases import random_case

from planner.case import Case
from planner.engine import Options
from planner.errors import InfeasibleError
from planner.probe import Axis, Posed, Probe, extreme
from planner.reduced import Reduced
from planner.tables import read_case

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"
OPTIONS = Options(certify=False, prices=False, break_ties=False)


def posed(case: Case) -> tuple[Posed, list[np.ndarray], list[np.ndarray]]:
    """A problem, the sums of up to three of its quantities, and plans between which they lie: cheapest, then extremes.

    Raises InfeasibleError without a plan.
    """
    names = [row.quantity for row in case.quantities][:3]
    found = Posed.of(case, [Axis.of(name, case) for name in names])
    cheapest = Probe(found.matrix, OPTIONS).found(found.cost.part, "cost")
    ends = [(found.sums[name].part, extreme(found.matrix, found.sums[name].part, OPTIONS, name)) for name in names]
    moved = [(part, plan) for part, plan in ends if part @ cheapest - part @ plan > 1e-6 * abs(part @ cheapest)]
    return found, [part for part, _ in moved], [cheapest, *(plan for _, plan in moved)]


def cold(found: Posed, parts: list[np.ndarray], limits: list[float]) -> float:
    """The least cost with sums held, from nothing and on the whole matrix."""
    probe = Probe(found.matrix, OPTIONS)
    for part, most in zip(parts, limits, strict=True):
        probe.hold(part, -np.inf, most)
    return float(found.cost.part @ probe.found(found.cost.part, "cold"))


def assert_like_cold(case: Case, seed: int) -> int:
    """Hold sums of a case in many ways; how many of these were answered by the presolved problem."""
    found, parts, plans = posed(case)
    if not parts:
        return 0
    rng = np.random.default_rng(seed)
    between = np.mean(plans, axis=0)
    reduced = Reduced(found.matrix, found.cost.part, parts, between, OPTIONS)
    tangents: list[tuple[np.ndarray, float, np.ndarray]] = []
    for _ in range(6):
        mixed = np.tensordot(rng.dirichlet(np.ones(len(plans))), plans, axes=1)  # a plan, so these limits have one
        limits = [float(part @ mixed) for part in parts]
        for number, most in enumerate(limits):
            reduced.hold_sum(number, -np.inf, most)
        values = reduced.found("held")
        cost, size = float(found.cost.part @ values), abs(found.cost.value(values)) + abs(found.cost.constant)
        assert cost == pytest.approx(cold(found, parts, limits), rel=1e-7, abs=1e-7 * size + 1e-6)
        assert all(part @ values <= most + 1e-7 * abs(most) for part, most in zip(parts, limits, strict=True))
        tangents.append(
            (np.array(limits), cost, np.array([min(0.0, reduced.slope(number)) for number in range(len(parts))]))
        )
    for limits, cost, slopes in tangents:
        for other, cost_there, _ in tangents:
            below = cost + float(slopes @ (other - limits))
            assert cost_there >= below - 1e-6 * (abs(cost) + abs(cost_there) + abs(below) + 1)
    return len(tangents) if reduced.plain is None else 0


@pytest.mark.parametrize("seed", range(40))
def test_held_sums_cost_what_a_cold_solve_says(seed: int, tmp_path: Path) -> None:
    case = read_case(random_case(seed, lumps=False).write(tmp_path))
    try:
        assert_like_cold(case, seed)
    except InfeasibleError:
        with pytest.raises(InfeasibleError):
            found = Posed.of(case)
            Probe(found.matrix, OPTIONS).found(found.cost.part, "cost")


def test_the_tutorial_is_presolved_once() -> None:
    assert assert_like_cold(read_case(TUTORIAL), 1) == 6


def test_limits_without_a_plan_are_infeasible_and_can_be_loosened_again() -> None:
    found, parts, plans = posed(read_case(TUTORIAL))
    reduced = Reduced(found.matrix, found.cost.part, parts, np.mean(plans, axis=0), OPTIONS)
    least = float(parts[0] @ plans[1])
    reduced.hold_sum(0, -np.inf, least - 1e-3 * abs(least))
    assert reduced.least("too low") == "infeasible"
    reduced.hold_sum(0, -np.inf, np.inf)
    assert float(found.cost.part @ reduced.found("free")) == pytest.approx(float(found.cost.part @ plans[0]), rel=1e-9)


@pytest.mark.parametrize("weight", [1.0, 0.2])
def test_a_sum_can_be_kept_from_below(weight: float) -> None:
    found, parts, plans = posed(read_case(TUTORIAL))
    between = weight * np.mean(plans, axis=0) + (1 - weight) * plans[0]
    reduced = Reduced(found.matrix, found.cost.part, [-parts[0]], between, OPTIONS)
    at = (float(parts[0] @ plans[0]) + float(parts[0] @ plans[1])) / 2
    reduced.hold_sum(0, -at, np.inf)
    assert reduced.plain is None
    assert float(parts[0] @ reduced.found("kept")) == pytest.approx(at, rel=1e-9)
    assert found.cost.part @ reduced.values() == pytest.approx(cold(found, parts[:1], [at]), rel=1e-9)


def test_a_stand_from_before_is_passed_over_once_the_whole_matrix_is_asked() -> None:
    found, parts, plans = posed(read_case(TUTORIAL))
    reduced = Reduced(found.matrix, found.cost.part, parts, np.mean(plans, axis=0), OPTIONS)
    before = float(found.cost.part @ reduced.found("before"))
    stand = reduced.stand()
    reduced.fresh(found.matrix.integer)
    reduced.back(stand)
    assert float(found.cost.part @ reduced.found("after")) == pytest.approx(before, rel=1e-9)


def test_interior_point_from_nothing_ends_in_the_same_optimum() -> None:
    found, parts, plans = posed(read_case(TUTORIAL))
    reduced = Reduced(found.matrix, found.cost.part, parts, np.mean(plans, axis=0), OPTIONS)
    at = (float(parts[0] @ plans[0]) + float(parts[0] @ plans[1])) / 2
    reduced.hold_sum(0, -np.inf, at)
    far, near = reduced.found("far", far=True), reduced.found("near")
    assert found.cost.part @ far == pytest.approx(found.cost.part @ near, rel=1e-9)
    assert found.cost.part @ near == pytest.approx(cold(found, parts[:1], [at]), rel=1e-9)


def test_a_sum_that_cannot_stay_open_is_held_on_the_whole_matrix() -> None:
    found, parts, plans = posed(read_case(TUTORIAL))
    idle = np.zeros(len(found.matrix.columns))  # a sum of nothing: presolve has no use for it
    reduced = Reduced(found.matrix, found.cost.part, [parts[0], idle], plans[1], OPTIONS)
    assert reduced.plain is not None
    at = (float(parts[0] @ plans[0]) + float(parts[0] @ plans[1])) / 2
    reduced.hold_sum(0, -np.inf, at)
    assert found.cost.part @ reduced.found("held") == pytest.approx(cold(found, parts[:1], [at]), rel=1e-9)
    assert reduced.slope(0) < 0


def test_lumps_are_held_on_the_whole_matrix() -> None:
    case = toy.case(measures="measure capex lump\nm 100 10", potentials="measure city potential\nm a 30")
    found = Posed.of(case, [Axis.of("q", case)])
    part = found.sums["q"].part
    least = extreme(found.matrix, part, OPTIONS, "q")
    reduced = Reduced(found.matrix, found.cost.part, [part], least / 2, OPTIONS)
    reduced.hold_sum(0, -np.inf, float(part @ least))
    assert reduced.plain is not None
    assert found.cost.part @ reduced.found("held") == pytest.approx(
        cold(found, [part], [float(part @ least)]), rel=1e-9
    )
