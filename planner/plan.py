"""Plan: an answer with its named frames, what `planner solve` writes, and the one call that makes it."""

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pandas as pd

from planner import frames as tables
from planner import kept
from planner.case import Case
from planner.certificate import certify
from planner.compile import Matrix, compile_problem
from planner.engine import STATUS, Options, Progress, Solver, cancellable
from planner.frames import DIGITS, FRAMES, HELD_DIGITS, PROOFS, by_family, cleaned, cost_rows, digits
from planner.problem import Problem
from planner.saving import settled, write_files
from planner.solution import Solution
from planner.split import Split, split
from planner.stages import solve as run
from planner.text import LANGUAGES

MISSED = 1e-5
"""Sum of misses, each as a part of its target's own size, from which targets count as out of reach [-]."""
WORTH_KEEPING = 3.0
"""Time of a solve from which its solution is kept for later runs, where that is wanted [s]."""


@dataclass(frozen=True)
class Plan:
    """An answer: what was decided, what it does, what it costs. Money in plain currency, amounts in their units.

    Without a plan (infeasible, stopped) the frames are empty and `summary` says why.
    """

    summary: dict[str, Any]
    portfolio: pd.DataFrame
    quantities: pd.DataFrame
    targets: pd.DataFrame
    budgets: pd.DataFrame
    funds: pd.DataFrame
    overlaps: pd.DataFrame
    costs: pd.DataFrame
    prices: pd.DataFrame
    measures: pd.DataFrame
    proofs: pd.DataFrame = field(default_factory=partial(pd.DataFrame, columns=list(PROOFS)))
    case: Case | None = field(default=None, repr=False)
    """The case it answers; none for a plan read from its files."""
    split: Split | None = field(default=None, repr=False)
    """What the reduced cost of every measure is made of; none where prices were not asked for."""

    @property
    def status(self) -> str:
        """optimal, within_gap, limit, infeasible, unbounded or unknown."""
        return str(self.summary["status"])

    @property
    def found(self) -> bool:
        """Whether there is a portfolio."""
        return "value" in (self.summary.get("objective") or {})

    @property
    def objective(self) -> float:
        """Value of the first objective, as its own stage proved it [its unit]."""
        return float(self.summary["objective"]["value"])

    def frames(self) -> dict[str, pd.DataFrame]:
        """All frames by name; `proofs` where there are other objectives than the cost."""
        names = (*FRAMES, "proofs") if len(self.proofs) else FRAMES
        return {name: getattr(self, name) for name in names}

    def write(self, folder: Path | str) -> None:
        """Write `summary.json` and a CSV per frame: all of them or none.

        Raises OSError when the folder cannot be written.
        """
        texts = {f"{name}.csv": csv_text(frame) for name, frame in self.frames().items()}
        texts["summary.json"] = json.dumps(self.summary, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
        gone = [] if "proofs.csv" in texts else ["proofs.csv"]
        write_files(Path(folder), {name: text.encode() for name, text in texts.items()}, gone)

    @classmethod
    def read(cls, folder: Path | str) -> "Plan":
        """A plan from the files that `write` made. Raises OSError or ValueError when they are not there or no plan."""
        folder = Path(folder)
        with settled(folder):
            files = {name: (folder / f"{name}.csv").read_bytes() for name in FRAMES}
            if (folder / "proofs.csv").exists():
                files["proofs"] = (folder / "proofs.csv").read_bytes()
            summary = (folder / "summary.json").read_text("utf-8")
        frames: dict[str, Any] = {
            name: pd.read_csv(
                BytesIO(data), dtype=dict.fromkeys(TEXT_COLUMNS, str), keep_default_na=False, na_values=[""]
            ).reindex(columns=list(FRAMES.get(name, PROOFS)))
            for name, data in files.items()
        }
        for frame in frames.values():
            text = [column for column in frame.columns if column in TEXT_COLUMNS]
            frame[text] = frame[text].fillna("")
        return cls(summary=json.loads(summary), **frames)


TEXT_COLUMNS = (
    *("measure", "city", "quantity", "sector", "target", "scope", "budget", "fund", "group", "item", "id"),
    *("stage", "family", "key", "reason"),
)


def csv_text(frame: pd.DataFrame) -> str:
    """A frame as CSV, numbers with 9 significant digits."""
    return str(frame.to_csv(index=False, float_format=DIGITS, lineterminator="\n"))


def solve(
    case: Case,
    options: Options | None = None,
    progress: Progress | None = None,
    best_effort: bool = False,
    cancel: Event | None = None,
) -> Plan:
    """The plan of a case: compile, solve, break ties, report.

    An infeasible or stopped case gives a plan without frames whose `status` says so. With `best_effort` an infeasible
    one gives the plan that misses its targets by least, each as a part of its own size, those of the first priority
    first; its status stays infeasible, and `summary` lists what is missed. Raises SolverError when HiGHS fails, and
    CancelledError soon after another thread sets `cancel`.
    """
    progress = cancellable(progress, cancel)
    plan = answer(case, Problem, options, progress)
    if best_effort and plan.status == "infeasible":
        plan = answer(case, partial(Problem, best_effort=True), options, progress)
        if plan.status in ("optimal", "within_gap"):
            missed = plan.targets[plan.targets["missed"] > 0]
            plan.summary["best_effort"] = {"missed": missed[["target", "year", "missed"]].to_dict("records")}
            plan.summary["status"] = "infeasible"
    return plan


def answer(case: Case, pose: Callable[[Case], Problem], options: Options | None, progress: Progress | None) -> Plan:
    """Pose the problem of a case, solve it and report."""
    started = time.perf_counter()
    problem = pose(case)
    read = time.perf_counter()
    if progress is not None:
        progress("build", 0.0)
    matrix = compile_problem(problem)
    compiled = time.perf_counter()
    timings = {"read": read - started, "compile": compiled - read}
    if problem.contradictions:
        return without_plan(problem, matrix, timings)
    hopeless = partial(out_of_reach, case, options or Options(), progress)
    solution = solution_of(matrix, earliness(problem, matrix), priced_rows(matrix), options, progress, hopeless)
    if progress is not None:
        progress("report", 0.0)
    plan = report(problem, matrix, solution, timings)
    if plan.found and (options is None or options.prices) and solution.duals.size:
        begun = time.perf_counter()
        parts = split(problem, matrix, solution.duals, solution.held_duals, plan.portfolio)
        plan = replace(plan, split=parts)
        plan.summary["timings"]["split"] = round(time.perf_counter() - begun, 6)
    return certified(case, plan) if options is None or options.certify else plan


def solution_of(
    matrix: Matrix,
    tie_break: "np.ndarray[Any, np.dtype[np.float64]]",
    priced: "np.ndarray[Any, np.dtype[np.int64]]",
    options: Options | None,
    progress: Progress | None,
    hopeless: Callable[[], bool],
) -> Solution:
    """The solution of a problem: kept from an earlier run where that is wanted, else found now; what takes long is
    kept.
    """
    if options is None or not options.kept:
        return run(matrix, tie_break, priced, options, progress, hopeless)
    begun = time.perf_counter()
    key = kept.digest(matrix, tie_break, priced, replace(options, time_limit=math.inf))
    found = kept.solution(key)
    if found is not None:
        return replace(found, timings={"kept": time.perf_counter() - begun})
    found = run(matrix, tie_break, priced, options, progress, hopeless)
    if time.perf_counter() - begun >= WORTH_KEEPING:
        kept.keep(key, found)
    return found


def out_of_reach(case: Case, options: Options, progress: Progress | None) -> bool:
    """Whether targets must be missed however little is asked of the cost: simplex is slow to see it, interior point
    finds the least sum of misses, each as a part of its target's own size, at once.
    """
    problem = Problem(case, best_effort=True)
    matrix = compile_problem(problem)
    solver = Solver(matrix, replace(options, interior=True), progress)
    misses = np.zeros(len(matrix.columns))
    asked = {row.target for row in case.targets if row.soft_penalty is None}
    for key in problem.missable:
        if problem.goal_target[key[0]] in asked:
            misses[matrix.column["miss", key]] = problem.miss_weight[key]
    status = STATUS.get(solver.minimise(misses, "reach"))
    return status == "infeasible" or (status == "optimal" and float(misses @ solver.values()) > MISSED)


def earliness(problem: Problem, matrix: Matrix) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Weights of the tie-break per column: (v - first + 1) / U for a start in year v [1/unit of the measure]."""
    weights = np.zeros(len(matrix.columns))
    for j, (family, key) in enumerate(matrix.columns):
        if family == "starts":
            m, c, v = key
            potential = problem.potential[str(m), str(c), problem.last]
            weights[j] = (int(v) - problem.first + 1) / potential if potential else 0.0
    return weights


def priced_rows(matrix: Matrix) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Rows whose price on either side is told: targets, budgets and pins."""
    families = ("target_is_kept", "budget_is_kept", "pin_at_least", "pin_at_most")
    return np.array([i for i, (family, _) in enumerate(matrix.rows) if family in families], dtype=np.int64)


def without_plan(problem: Problem, matrix: Matrix, timings: dict[str, float]) -> Plan:
    """The answer when rows without any variable cannot hold: no solve is needed to know."""
    summary = summarise(problem, matrix, "infeasible", "arithmetic", timings)
    summary["contradictions"] = [f"{family}: {'/'.join(map(str, key))}" for family, key in problem.contradictions]
    return empty(summary, problem.case)


def empty(summary: dict[str, Any], case: Case) -> Plan:
    """An answer without a portfolio."""
    frames: dict[str, Any] = {name: tables.frame([], name) for name in FRAMES}
    return Plan(summary, **frames, case=case)


def report(problem: Problem, matrix: Matrix, solution: Solution, timings: dict[str, float]) -> Plan:
    """All frames of a solution."""
    timings = {**timings, **solution.timings}
    summary = summarise(problem, matrix, solution.status, solution.proof, timings)
    if not solution.found:
        return empty(summary, problem.case)
    begun = time.perf_counter()
    x = cleaned(matrix, solution)
    values, costs = by_family(matrix, x), cost_rows(problem, matrix, x)
    frames: dict[str, Any] = {
        "portfolio": tables.portfolio(problem, values, costs),
        "quantities": tables.quantities(problem, values),
        "targets": tables.targets(problem, matrix, solution, values),
        "budgets": tables.budgets(problem, matrix, solution, values),
        "funds": tables.funds(problem, values),
        "overlaps": tables.frame([(*key, o) for key, o in values["overlap"].items() if o], "overlaps"),
        "costs": costs,
        "prices": tables.prices(matrix, solution),
        "proofs": tables.proofs(matrix, solution),
    }
    frames["measures"] = tables.measures(problem, frames["portfolio"], costs)
    summary["timings"]["report"] = round(time.perf_counter() - begun, 6)
    first = solution.stages[0]
    unit = unit_of(problem, first.name)
    summary["objective"] = {"name": first.name, "value": digits(first.value), "unit": unit}
    summary["objectives"] = [
        {
            "name": s.name,
            "value": digits(s.value, HELD_DIGITS),
            "final": digits(s.final),
            "unit": unit_of(problem, s.name),
        }
        for s in solution.stages
    ]
    penalties = float(costs.loc[costs["item"] == "penalty", "discounted"].sum())
    summary["cost"] = {"net": digits(float(costs["discounted"].sum()) - penalties), "penalties": digits(penalties)}
    summary["tie_broken"] = solution.tie_broken
    summary["pins"] = tables.pins(problem, matrix, solution, values)
    if matrix.integer.any():
        summary["gap"] = digits(solution.gap) if np.isfinite(solution.gap) else None
        summary["prices"] = "lumps held"
    return Plan(summary, **frames, case=problem.case)


def certified(case: Case, plan: Plan) -> Plan:
    """The plan with what an independent recomputation says of it in its summary."""
    if plan.found:
        certificate = certify(case, plan)
        plan.summary["certificate"] = certificate.summary()
        plan.summary["proof"] = "certificate" if certificate.verdict == "proven" else "none"
        plan.summary["verdict"] = {lang: certificate.line(lang) for lang in LANGUAGES}
        plan.summary["violations"] = [fault.text("en") for fault in certificate.violations]
        plan.summary["timings"]["certificate"] = round(certificate.seconds, 6)
    return plan


def summarise(
    problem: Problem, matrix: Matrix, status: str, proof: str, timings: Mapping[str, float]
) -> dict[str, Any]:
    """What `summary.json` says of every answer."""
    return {
        "case": problem.case.settings.name,
        "input_digest": problem.case.digest,
        "status": status,
        "proof": proof,
        "objective": None,
        "objectives": [],
        "sizes": {"rows": matrix.A.shape[0], "columns": matrix.A.shape[1], "nonzeros": int(matrix.A.nnz)},
        "timings": {name: round(seconds, 6) for name, seconds in timings.items()},
        "certificate": None,
        "versions": {name: version(name) for name in ("measure-planner", "pyomo", "highspy", "numpy")},
    }


def unit_of(problem: Problem, objective: str) -> str:
    """Unit of an objective: the currency, or the unit of the quantity summed over the years."""
    name = objective.removeprefix("-")
    if name.startswith("miss"):
        return "-"
    if not name.startswith("quantity:"):
        return problem.case.settings.currency
    units = {row.quantity: row.unit for row in problem.case.quantities}
    return units[name.removeprefix("quantity:")]
