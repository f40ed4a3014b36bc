"""Plan: the named frames of an answer, what `planner solve` writes, and the one call that makes it."""

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pandas as pd

from planner import kept
from planner.case import Case
from planner.certificate import certify
from planner.compile import Key, Matrix, Name, compile_problem, evaluate_costs
from planner.engine import STATUS, Options, Progress, Solver, cancellable
from planner.engine import solve as run
from planner.problem import Problem
from planner.saving import settled, write_files
from planner.solution import Solution
from planner.split import Split, split
from planner.text import LANGUAGES

NEGLIGIBLE = 1e-10
"""Amounts below this part of their scale are solver noise and shown as zero [-]."""
KEPT = 1e-6
"""A target counts as kept when it is missed by less than this part of its scale [-]."""
MISSED = 1e-5
"""Sum of misses, each as a part of its target's own size, from which targets count as out of reach [-]."""
AGREE = 0.01
"""Prices on both sides that differ by no more than this are told as one [-]."""
DIGITS = "%.9g"
HELD_DIGITS = "%.13g"
"""Digits of what a stage proved: later stages hold it, and their proof needs the limit they held."""
WORTH_KEEPING = 3.0
"""Time of a solve from which its solution is kept for later runs, where that is wanted [s]."""
FRAMES: dict[str, tuple[str, ...]] = {
    "portfolio": ("measure", "city", "year", "starts", "stock", "capex", "cost"),
    "quantities": ("quantity", "city", "sector", "year", "baseline", "planned"),
    "targets": (
        *("target", "year", "scope", "bound", "achieved", "slack", "missed"),
        *("price_loosen", "price_tighten", "shadow_price", "valid_from", "valid_to"),
    ),
    "budgets": (
        *("budget", "year", "limit", "spent", "slack"),
        *("price_loosen", "price_tighten", "shadow_price", "valid_from", "valid_to"),
    ),
    "funds": ("fund", "sector", "measure", "city", "year", "paid"),
    "overlaps": ("group", "city", "year", "overlap"),
    "costs": ("item", "id", "city", "sector", "year", "value", "discounted"),
    "prices": ("family", "key", "year", "dual"),
    "measures": ("measure", "cost", "capex", "starts", "reduced_cost", "reason"),
}
"""Columns of every file of a plan."""
PROOFS = ("stage", "family", "key", "year", "dual")
"""Columns of `proofs.csv`, the prices of all stages but the cost: a plan with other objectives has it."""


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
    frames: dict[str, Any] = {name: frame([], name) for name in FRAMES}
    return Plan(summary, **frames, case=case)


def report(problem: Problem, matrix: Matrix, solution: Solution, timings: dict[str, float]) -> Plan:
    """All frames of a solution."""
    timings = {**timings, **solution.timings}
    summary = summarise(problem, matrix, solution.status, solution.proof, timings)
    if not solution.found:
        return empty(summary, problem.case)
    begun = time.perf_counter()
    values = by_family(problem, matrix, solution)
    costs = cost_rows(problem, values)
    frames: dict[str, Any] = {
        "portfolio": portfolio(problem, values, costs),
        "quantities": quantities(problem, values),
        "targets": targets(problem, matrix, solution, values),
        "budgets": budgets(problem, matrix, solution, values),
        "funds": funds(problem, values),
        "overlaps": frame([(*key, o) for key, o in values["overlap"].items() if o], "overlaps"),
        "costs": costs,
        "prices": prices(matrix, solution),
        "proofs": proofs(matrix, solution),
    }
    frames["measures"] = measures(problem, frames["portfolio"], costs)
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
    summary["pins"] = pins(problem, matrix, solution, values)
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


def digits(value: float, form: str = DIGITS) -> float:
    """The value with 9 significant digits."""
    return float(form % value)


def by_family(problem: Problem, matrix: Matrix, solution: Solution) -> dict[str, dict[Key, float]]:
    """Values of all columns by family and key, solver noise removed."""
    values: dict[str, dict[Key, float]] = {
        name: {}
        for name in ("starts", "lumps", "stock", "overlap", "pool", "change", "spending", "paid", "level", "miss")
    }
    for (family, key), value, upper in zip(
        matrix.columns, solution.values.tolist(), matrix.upper.tolist(), strict=True
    ):
        noise = NEGLIGIBLE * (upper if np.isfinite(upper) else 1.0)
        values[family][key] = 0.0 if abs(value) <= noise and family in ("starts", "stock", "overlap") else value + 0.0
    return values


def frame(rows: Iterable[tuple[Any, ...]], name: str) -> pd.DataFrame:
    """Rows as the frame `name`."""
    return pd.DataFrame(list(rows), columns=list(FRAMES[name]))


def cost_rows(problem: Problem, values: Mapping[str, Mapping[Key, float]]) -> pd.DataFrame:
    """Every item of the cost by what, where and when; it adds up to the net present value [currency]."""
    rows = []
    for (item, key), value in evaluate_costs(problem, values).items():
        if value:
            year = int(key[-1])
            if item == "price":
                place = (key[0], key[1], key[2])
            elif item == "penalty":
                place = (problem.goal_target[str(key[0])], "", "")
            else:
                place = (key[0], key[1], problem.measures[str(key[0])].sector)
            rows.append((item, *place, year, value, value * problem.discount[year]))
    return frame(rows, "costs")


def portfolio(problem: Problem, values: Mapping[str, Mapping[Key, float]], costs: pd.DataFrame) -> pd.DataFrame:
    """Starts, stock, capital spending and own cost (annuity and running cost) by measure, city and year."""
    spent: dict[Key, float] = dict(problem.booked_measure.items())
    for key, started in values["starts"].items():
        if started:
            m, c, v = str(key[0]), str(key[1]), int(key[2])
            for y in problem.construction_years(m, v):
                spent[m, c, y] = spent.get((m, c, y), 0.0) + problem.installment[m, v] * started
    running = costs[costs["item"].isin(["annuity", "fixed_om"])]
    own = running.groupby(["id", "city", "year"])["value"].sum().to_dict()
    rows = []
    for key in problem.holdings:
        started, stock = values["starts"].get(key, 0.0), values["stock"][key]
        if started or stock or spent.get(key):
            rows.append((*key, started, stock, spent.get(key, 0.0), float(own.get(key, 0.0))))
    return frame(rows, "portfolio")


def quantities(problem: Problem, values: Mapping[str, Mapping[Key, float]]) -> pd.DataFrame:
    """Baseline and planned level by quantity, city, sector and year; a blank city is what no city holds."""
    places = dict.fromkeys([*problem.baseline_path, *problem.places])
    rank = {name: i for i, name in enumerate(problem.quantities)}
    rows = []
    for place in sorted(places, key=lambda p: rank[p[0]]):
        baseline = problem.baseline_path.get(place)
        for i, y in enumerate(problem.years):
            before = 0.0 if baseline is None else float(baseline[i + 1])
            rows.append((*place, y, before, before + values["change"].get((*place, y), 0.0)))
    return frame(rows, "quantities")


def targets(
    problem: Problem, matrix: Matrix, solution: Solution, values: Mapping[str, Mapping[Key, float]]
) -> pd.DataFrame:
    """Every row of every target: bound and achieved in units of the quantity, slack positive when kept with room."""
    scopes = {row.target: row.scope for row in problem.case.targets}
    levels = {(str(key[0]), int(key[1])): value for key, value in values["level"].items()}
    rows = []
    for (name, y), bound in problem.bounds.items():
        t = problem.goal_target[name]
        limit, achieved = bound.bound.value(levels), bound.achieved.value(levels)
        slack = bound.sign * (limit - achieved)
        scale = max(abs(limit), abs(achieved))
        if abs(slack) <= KEPT * scale:
            slack = 0.0
        scale = bound.price_unit / problem.discount[y]
        money = price_columns(matrix, solution, ("target_is_kept", (name, y)), limit, bound.sign, scale)
        rows.append((t, y, scopes[t], limit, achieved, slack, max(0.0, -slack), *money))
    return frame(rows, "targets")


def budgets(
    problem: Problem, matrix: Matrix, solution: Solution, values: Mapping[str, Mapping[Key, float]]
) -> pd.DataFrame:
    """Every row of every budget; carry-over rows are cumulative [currency]."""
    rows = []
    for (b, y), (terms, limit) in problem.budgets.items():
        spent = sum(values["level"][key] for key in terms)
        slack = limit - spent
        if abs(slack) <= KEPT * max(abs(limit), abs(spent)):
            slack = 0.0
        money = price_columns(matrix, solution, ("budget_is_kept", (b, y)), limit, 1.0, 1 / problem.discount[y])
        rows.append((b, y, limit, spent, slack, *money))
    return frame(rows, "budgets")


def pins(
    problem: Problem, matrix: Matrix, solution: Solution, values: Mapping[str, Mapping[Key, float]]
) -> list[dict[str, Any]]:
    """Every bound of every pin: what is planned, and what one unit less or more of the wish saves and costs."""
    rows = []
    for family, bounds, sign in (("pin_at_least", problem.pin_least, -1.0), ("pin_at_most", problem.pin_most, 1.0)):
        for (p, y), bound in bounds.items():
            held = [values["stock"][m, c, y] for m, c in problem.pinned_stock[p, y]]
            begun = [values["starts"][m, c, y] for m, c in problem.pinned_starts[p, y]]
            money = price_columns(matrix, solution, (family, (p, y)), bound, sign, 1 / problem.discount[y])
            told = (None if value is None else digits(value) for value in money)
            row = {"pin": p, "year": y, "side": "min" if sign < 0 else "max", "bound": bound}
            row["planned"] = digits(sum(held) + sum(begun))
            rows.append(row | dict(zip(FRAMES["targets"][7:], told, strict=True)))
    return rows


def price_columns(
    matrix: Matrix, solution: Solution, name: Name, bound: float, sign: float, scale: float
) -> tuple[float | None, ...]:
    """Prices of loosening and of tightening in money of the row's year, one price where both agree, and their range.

    The range is that of the bound's value: the prices hold from `valid_from` to `valid_to` at least; blank is open.
    """
    slopes = solution.slopes.get(matrix.row.get(name, -1))
    if slopes is None:
        return (None,) * 5
    loosen = slopes.loosen * scale
    tighten = None if slopes.tighten is None else slopes.tighten * scale
    agree = tighten is not None and abs(loosen - tighten) <= AGREE * max(loosen, tighten)
    down, up = (slopes.tighten_room, slopes.loosen_room)[:: int(sign)]
    ends = (bound - down if np.isfinite(down) else None, bound + up if np.isfinite(up) else None)
    return loosen, tighten, loosen if agree else None, *ends


def funds(problem: Problem, values: Mapping[str, Mapping[Key, float]]) -> pd.DataFrame:
    """What each fund pays by sector (and measure, where it has a rule or a booking of its own), city and year."""
    rows = []
    for (f, k, c, y), value in values["paid"].items():
        if value > NEGLIGIBLE * abs(values["spending"][k, c, y]):
            pool = str(k)
            rows.append((f, problem.pool_sector[pool], problem.pool_measure.get(pool, ""), c, y, value))
    for (f, m, c, y), amount in problem.earmarked.items():
        rows.append((f, problem.measures[m].sector, m, c, y, amount))
    return frame(rows, "funds")


def prices(matrix: Matrix, solution: Solution) -> pd.DataFrame:
    """Every row with a nonzero dual: discounted money per unit of its right side, signs as the solver's.

    With several objectives also what keeping each earlier one costs: family `stage_is_held`, without year.
    """
    rows = duals(matrix, solution.duals, solution.held_duals)
    return frame(rows, "prices").astype({"year": "Int64"})


def proofs(matrix: Matrix, solution: Solution) -> pd.DataFrame:
    """The same for every other stage, in the unit of its objective, written to be least."""
    rows = [(stage, *row) for stage, told in solution.stage_duals.items() for row in duals(matrix, *told)]
    return pd.DataFrame(rows, columns=list(PROOFS)).astype({"year": "Int64"})


def duals(matrix: Matrix, of_rows: "np.ndarray[Any, np.dtype[np.float64]]", held: Mapping[str, float]) -> list[Any]:
    """Family, key, year and dual of every row and held stage that has one."""
    rows: list[Any] = []
    for i in np.flatnonzero(of_rows):
        family, key = matrix.rows[i]
        rows.append((family, "/".join(str(part) for part in key[:-1]), key[-1], float(of_rows[i])))
    return rows + [("stage_is_held", name, None, dual) for name, dual in held.items() if dual]


def measures(problem: Problem, plan: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Own cost (discounted annuities and running costs), capital spending and starts of every measure."""
    own = costs[costs["item"].isin(["annuity", "fixed_om"])].groupby("id")["discounted"].sum().to_dict()
    sums = plan.groupby("measure")[["capex", "starts"]].sum().to_dict()
    rows = [
        (m, own.get(m, 0.0), sums["capex"].get(m, 0.0), sums["starts"].get(m, 0.0), None, None)
        for m in problem.measures
    ]
    return frame(rows, "measures")
