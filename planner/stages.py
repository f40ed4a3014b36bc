"""Stages: one objective after the other, the earlier ones held; prices on both sides; then ties are broken."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from planner.compile import Matrix, Stage
from planner.engine import HELD, MIP_GAP, PATIENCE, STATUS, Array, Options, Progress, Solver, expect
from planner.pricing import both_sides
from planner.solution import Proof, Slopes, Solution, StageValue, Status


def solve(
    matrix: Matrix,
    tie_break: Array | None = None,
    priced: NDArray[np.int64] | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
    hopeless: Callable[[], bool] | None = None,
) -> Solution:
    """Solve all stages in order, find the prices of the rows `priced`, then break ties with the weights `tie_break`.

    Later stages hold f <= z + tolerance * |z|, where z is what the stage of f proved; with lumps the duals are those
    of the plan with its lumps held.
    """
    options = options or Options()
    solver = Solver(matrix, options, progress)
    timings: dict[str, float] = {"scale": time.perf_counter() - solver.started}
    lumpy = bool(matrix.integer.any())
    proved: list[tuple[Stage, float]] = []
    duals, reduced = np.zeros(0), np.zeros(0)
    slopes: dict[int, Slopes] = {}
    held: dict[str, float] = {}
    others: dict[str, tuple[Array, dict[str, float]]] = {}
    x = np.zeros(0)
    gap = 0.0
    status: Status = "optimal"
    for i, stage in enumerate(matrix.stages):
        begun = time.perf_counter()
        signed = -stage.coefficients if stage.maximise else stage.coefficients
        if i and lumpy:
            solver.fresh(matrix.integer)  # a warm start after an added row has called feasible problems infeasible
        solver.patience = PATIENCE if hopeless is not None and not i and not lumpy else float("inf")
        found = STATUS.get(solver.minimise(signed, stage.name), "unknown")
        if found == "limit" and time.perf_counter() - solver.started < options.time_limit and hopeless is not None:
            if hopeless():
                return nothing("infeasible", timings, "elastic")
            solver.patience = float("inf")
            found = STATUS.get(solver.minimise(signed, stage.name), "unknown")
        solver.patience = float("inf")
        timings[f"solve {stage.name}"] = time.perf_counter() - begun
        if found != "optimal":
            if i == 0 and not (found == "limit" and lumpy and solver.has_plan()):
                return nothing(found, timings)
            status = "unknown" if i and found in ("infeasible", "unbounded") else found
            if not solver.has_plan():
                break
        x = solver.values()
        value = float(stage.coefficients @ x) + stage.constant
        proved.append((stage, value))
        if lumpy:
            gap = max(gap, solver.gap())
        pricing = held_lumps(solver, signed, x) if lumpy else solver
        stage_duals, stage_reduced = pricing.duals()
        stage_held = {
            earlier.name: -dual if earlier.maximise else dual
            for (earlier, _), dual in zip(proved, pricing.held_duals(), strict=False)
        }
        if stage.name != "cost":
            others[stage.name] = stage_duals, stage_held
        else:
            duals, reduced, held = stage_duals, stage_reduced, stage_held
            if priced is not None and options.prices and status == "optimal":
                begun = time.perf_counter()
                slopes = both_sides(pricing, priced, "prices")
                timings["prices"] = time.perf_counter() - begun
        if status != "optimal":
            break
        last = i == len(matrix.stages) - 1
        slack = (HELD if last else matrix.tolerance) * abs(value)
        edge = value - stage.constant
        limits = (edge - slack, np.inf) if stage.maximise else (-np.inf, edge + slack)
        solver.hold(stage.coefficients, *limits)
    tie_broken = False
    if status == "optimal" and options.break_ties and tie_break is not None:
        begun = time.perf_counter()
        if solver.break_ties(tie_break):
            x, tie_broken = solver.values(), True
        timings["ties"] = time.perf_counter() - begun
    if status == "optimal" and lumpy and options.gap is not None and gap > MIP_GAP:
        status = "within_gap"
    stages = tuple(
        StageValue(stage.name, value, float(stage.coefficients @ x) + stage.constant) for stage, value in proved
    )
    return Solution(status, "none", x, duals, reduced, held, others, slopes, stages, gap, tie_broken, timings)


def held_lumps(solver: Solver, coefficients: Array, x: Array) -> Solver:
    """The same problem solved with every lump held at its number in the plan: it has prices."""
    matrix = solver.matrix
    fixed = np.flatnonzero(matrix.integer)
    continuous = Solver(matrix, solver.options, solver.progress)
    continuous.held = list(solver.held)
    continuous.fresh(np.zeros_like(matrix.integer))
    expect(continuous.highs.changeColsBounds(fixed.size, fixed.astype(np.int32), x[fixed], x[fixed]))
    continuous.minimise(coefficients, "prices")
    return continuous


def nothing(status: Status, timings: dict[str, float], proof: Proof = "none") -> Solution:
    """An answer without a plan."""
    empty = np.zeros(0)
    return Solution(status, proof, empty, empty, empty, timings=timings)
