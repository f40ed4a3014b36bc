r"""Robust plans: targets that hold though any $\Gamma$ of the measures under-deliver, in one linear program.

A measure that under-delivers has each of its effects times the least factor of its row's grade (`uncertainty`), all at
once. With $\delta_{i,m}(a)$, what row $i$ of the targets loses by measure $m$ (linear in its stock, through all
conversions), the worst that $\Gamma$ measures can do to the row is

$$ \beta_i(a) = \max_{|S| \le \Gamma} \sum_{m \in S} \delta_{i,m}(a)^+
   = \min_{p, r \ge 0} \Big\{ \Gamma p_i + \sum_m r_{i,m} : p_i + r_{i,m} \ge \delta_{i,m}(a) \Big\} $$

by duality (Bertsimas and Sim, "The price of robustness", Operations Research 52, 2004). So the rows become

$$ \text{excess}_i + \Gamma p_i + \sum_m r_{i,m} \le \text{miss}_i, \qquad \delta_{i,m}(a) - p_i - r_{i,m} \le 0 $$

The first adds two kinds of columns to `target_is_kept` of `formulation`, the second is the family
`shortfall_is_covered`: both exist only for a robust plan, and stand here alone. $\delta$ is read off two compiled
matrices, that of the case and that of the case in which all measures under-deliver, so that it means what an edit of
the tables means.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import block_array, coo_array, csr_array, diags_array

from planner.case import Case
from planner.compile import compile_problem
from planner.engine import Options, Progress, cancellable
from planner.errors import InfeasibleError
from planner.frames import KEPT
from planner.futures import hard_targets, softened
from planner.matrix import Key, Matrix, Name, Names, Stage
from planner.plan import Plan, csv_text, earliness, report, solve
from planner.problem import Problem
from planner.problem.keys import Array
from planner.saving import write_files
from planner.solution import Solution
from planner.stages import solve as run
from planner.uncertainty import Figure, Ranges, figures, moved, read_ranges


@dataclass(frozen=True)
class Robust:
    """Plans by how many measures may under-deliver. Money in plain currency."""

    plans: dict[float, Plan]
    """By gamma; costs of a plan hold the penalties of the worst that can happen."""
    prices: pd.DataFrame
    """gamma, status, cost (net present value with penalties of soft targets in the worst case), price (above the first
    plan), penalties (part of the cost), capex, open (hard targets that cannot be protected)."""
    targets: pd.DataFrame
    """gamma, target, year, reserve (what the row is kept better than its bound), missed (in the worst case), in units
    of its quantity."""
    portfolio: pd.DataFrame
    """gamma, measure, city, year, starts, stock."""

    def write(self, folder: Path | str) -> None:
        """Write a CSV per frame: all of them or none. Raises OSError."""
        names = {"robust_prices": self.prices, "robust_targets": self.targets, "robust_portfolio": self.portfolio}
        write_files(Path(folder), {f"{name}.csv": csv_text(frame).encode() for name, frame in names.items()})


@dataclass(frozen=True)
class Exposure:
    """What rows of targets lose by measures that under-deliver."""

    row: NDArray[np.int64]
    """Row of the target, of each pair of a row and a measure."""
    measure: NDArray[np.int64]
    """Number of the measure."""
    slope: csr_array
    """Loss per unit of each column, by pair [unit of the target's quantity]."""
    fixed: Array
    """Loss that no decision changes, by pair: base years know existing stock, too."""


def under(case: Case, listed: Sequence[Figure], which: Sequence[str] | None = None) -> Case:
    """The case in which these measures under-deliver, or all: every effect times its least factor."""
    some = [one for one in listed if which is None or one.subject in which]
    return moved(case, some, lambda _, figure, cell: cell.low)


def effects(case: Case, ranges: Ranges) -> list[Figure]:
    """The figures that may fall short."""
    return figures(case, tuple(row for row in ranges if row[0] == "effects.value"))


def exposure(problem: Problem, matrix: Matrix, ranges: Ranges) -> Exposure:
    """Every pair of a target row and a measure whose shortfall hurts it."""
    case, rows = problem.case, matrix.rows
    assert isinstance(rows, Names) and isinstance(matrix.columns, Names)
    listed = effects(case, ranges)
    goals = rows.slice("target_is_kept")
    free = np.flatnonzero((matrix.defining_row >= 0) & np.isneginf(matrix.lower))
    defining = matrix.defining_row[free]
    own = diags_array(1 / csr_array(matrix.A[defining, :][:, free]).diagonal())
    chained = csr_array(diags_array(np.ones(free.size)) - own @ matrix.A[defining, :][:, free])
    weight = csr_array(matrix.A[goals, :][:, free])
    carried = weight.copy()
    while weight.nnz:  # how much a row of a target moves per unit put into a free column, through all chains
        weight = csr_array(weight @ chained)
        weight.eliminate_zeros()
        carried = csr_array(carried + weight)
    carried = csr_array(carried @ own)

    def shifted(which: Sequence[str] | None) -> tuple[Any, Array]:
        low = compile_problem(problem.edited(under(case, listed, which)), matrix)
        slope = carried @ (matrix.A - low.A)[defining, :]
        fixed = carried @ (low.row_upper - matrix.row_upper)[defining] - (low.row_upper - matrix.row_upper)[goals]
        return slope, fixed

    slope = csr_array(shifted(None)[0]).tocoo()
    held = matrix.columns.slice("stock")
    i, j = slope.coords
    kept = (slope.data != 0) & (j >= held.start) & (j < held.stop)
    i, j, data = i[kept], j[kept], slope.data[kept]
    m = problem.holdings.parts[0][j - held.start].astype(np.int64)
    pair_code = i.astype(np.int64) * len(problem.m) + m
    base: dict[int, Array] = {}
    early = {row.measure for row in problem.commissioned if row.year <= problem.base_year}
    for one in listed:
        if one.subject in early:
            base[problem.m.number[one.subject]] = shifted([one.subject])[1]
    codes = np.unique(pair_code)
    place = np.searchsorted(codes, pair_code)
    row, measure = np.divmod(codes, len(problem.m))
    table = csr_array(coo_array((data, (place, j)), shape=(codes.size, len(matrix.columns))))
    fixed = np.array([base[n][r] if n in base else 0.0 for r, n in zip(row.tolist(), measure.tolist(), strict=True)])
    most = table.maximum(0) @ np.where(np.isfinite(matrix.upper), matrix.upper, 0.0) + fixed
    hurts = np.flatnonzero(most > 0)
    return Exposure(row[hurts] + goals.start, measure[hurts], csr_array(table[hurts, :]), fixed[hurts])


def protected(matrix: Matrix, exposed: Exposure, gamma: float, names: Sequence[Name]) -> Matrix:
    """The matrix with the columns and rows that protect its targets; `names` are those of its rows."""
    rows, pairs = matrix.A.shape[0], exposed.row.size
    guarded, of = np.unique(exposed.row, return_inverse=True)
    ones, each = np.ones(pairs), np.arange(pairs)
    p = coo_array((np.full(guarded.size, gamma), (guarded, np.arange(guarded.size))), shape=(rows, guarded.size))
    r = coo_array((ones, (exposed.row, each)), shape=(rows, pairs))
    covers = coo_array((-ones, (each, of)), shape=(pairs, guarded.size))
    upper = np.where(np.isfinite(matrix.upper), matrix.upper, 0.0)
    worst = np.maximum(exposed.slope.maximum(0) @ upper + exposed.fixed, 0.0)
    most = np.zeros(guarded.size)
    np.maximum.at(most, of, worst)
    added = guarded.size + pairs
    keys: list[Key] = [
        (*names[i][1], int(m)) for i, m in zip(exposed.row.tolist(), exposed.measure.tolist(), strict=True)
    ]
    guards: list[Name] = [("protection", names[i][1]) for i in guarded.tolist()]
    guards += [("shortfall", key) for key in keys]
    return Matrix(
        A=csr_array(block_array([[matrix.A, p, r], [exposed.slope, covers, diags_array(-ones)]], format="csr")),
        row_lower=np.concatenate([matrix.row_lower, np.full(pairs, -np.inf)]),
        row_upper=np.concatenate([matrix.row_upper, -exposed.fixed]),
        lower=np.concatenate([matrix.lower, np.zeros(added)]),
        upper=np.concatenate([matrix.upper, most, worst]),
        integer=np.concatenate([matrix.integer, np.zeros(added, dtype=bool)]),
        stages=tuple(
            Stage(s.name, np.concatenate([s.coefficients, np.zeros(added)]), s.constant) for s in matrix.stages
        ),
        rows=(*names, *(("shortfall_is_covered", key) for key in keys)),
        columns=(*matrix.columns, *guards),
        defining_row=np.concatenate([matrix.defining_row, np.full(added, -1)]),
        tolerance=matrix.tolerance,
    )


def robust_plans(
    case: Case,
    gammas: Sequence[float] = (0.0, 1.0, 2.0, 5.0),
    ranges: Ranges | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Robust:
    """The least-cost plan that keeps its targets though any `gamma` of the measures under-deliver, for each of them.

    A hard target that cannot be protected is protected as far as it can, and named. Soft targets may be missed in the
    worst case, at their penalty. Raises InfeasibleError where the case itself has no plan, CancelledError soon after
    `cancel` is set.
    """
    ranges = read_ranges() if ranges is None else ranges
    options = replace(options or Options(), prices=False, certify=False)
    progress = cancellable(progress, cancel)
    nominal = solve(case, options, progress)
    if nominal.status not in ("optimal", "within_gap"):
        raise InfeasibleError(nominal.status)
    problem = Problem(softened(case, nominal))
    matrix = compile_problem(problem)
    exposed = exposure(problem, matrix, ranges)
    plans: dict[float, Plan] = {}
    rows: list[Any] = []
    targets: list[Any] = []
    names = list(matrix.rows)
    weights = earliness(problem, matrix)
    for gamma in dict.fromkeys(gammas):
        if progress is not None:
            progress(f"gamma {gamma:g}", 0.0)
        whole = protected(matrix, exposed, gamma, names)
        ties = np.concatenate([weights, np.zeros(whole.A.shape[1] - weights.size)])
        solution = run(whole, ties, None, options, progress)
        plan = _plan(problem, matrix, solution)
        plans[gamma] = plan
        first = next((row[2] for row in rows), np.nan)
        rows.append(_price(case, gamma, plan, first))
        if plan.found:
            targets += _reserves(problem, whole, exposed, solution.values, gamma)
    portfolio = [plan.portfolio.assign(gamma=gamma) for gamma, plan in plans.items()]
    columns = ["gamma", "measure", "city", "year", "starts", "stock"]
    prices = pd.DataFrame(rows, columns=["gamma", "status", "cost", "price", "penalties", "capex", "open"])
    table = pd.DataFrame(targets, columns=["gamma", "target", "year", "reserve", "missed"])
    hard = set(hard_targets(case))
    for at, gamma in enumerate(plans):
        lost = table[(table["gamma"] == gamma) & (table["missed"] > 0) & table["target"].isin(hard)]
        prices.loc[at, "open"] = ";".join(dict.fromkeys(lost["target"]))
    return Robust(plans, prices, table, pd.concat(portfolio)[columns].reset_index(drop=True))


def _plan(problem: Problem, matrix: Matrix, solution: Solution) -> Plan:
    """The plan of a protected matrix; its prices are those of protection and told of no case."""
    size, rows = matrix.A.shape[1], matrix.A.shape[0]
    if not solution.found:
        return report(problem, matrix, solution, {})
    none = np.zeros(rows), np.zeros(size)
    values = solution.values[:size]
    own = replace(solution, values=values, duals=none[0], reduced_costs=none[1], held_duals={}, stage_duals={})
    return report(problem, matrix, own, {})


def _price(case: Case, gamma: float, plan: Plan, first: float) -> tuple[Any, ...]:
    """A line of the prices, penalties of hard targets left out."""
    if not plan.found:
        return (gamma, plan.status, *[np.nan] * 4, "")
    meant = plan.costs[~((plan.costs["item"] == "penalty") & plan.costs["id"].isin(hard_targets(case)))]
    cost = float(meant["discounted"].sum())
    penalties = float(meant.loc[meant["item"] == "penalty", "discounted"].sum())
    price = 0.0 if np.isnan(first) else cost - first
    return gamma, plan.status, cost, price, penalties, float(plan.portfolio["capex"].sum()), ""


def _reserves(
    problem: Problem, whole: Matrix, exposed: Exposure, values: Array, gamma: float
) -> list[tuple[float, str, int, float, float]]:
    """Rows of targets that have something to lose: the worst loss, and what is missed then."""
    held = values[: exposed.slope.shape[1]]
    loss = np.maximum(exposed.slope @ held + exposed.fixed, 0.0)
    misses = {key: value for (family, key), value in zip(whole.columns, values, strict=False) if family == "miss"}
    rows = []
    for row in np.unique(exposed.row).tolist():
        name, year = whole.rows[row][1]
        worst = worst_of(loss[exposed.row == row], gamma)
        miss = misses.get((name, year), 0.0)
        scale = problem.miss_weight[name, year] if (name, year) in problem.missable else 1.0
        missed = miss if miss * scale > KEPT else 0.0
        rows.append((gamma, problem.goal_target[name], int(year), worst, missed))
    return rows


def worst_of(losses: Array, gamma: float) -> float:
    """Sum of the largest `gamma` of some losses, of the last one its broken part.

    >>> worst_of(np.array([1.0, 5.0, 3.0]), 1.5)
    6.5
    """
    ordered = np.sort(losses)[::-1]
    shares = np.clip(gamma - np.arange(ordered.size), 0.0, 1.0)
    return float(ordered @ shares)


def differences(found: Robust) -> pd.DataFrame:
    """Starts of every measure by gamma, those that change most capital first: measure, then one column per gamma."""
    sums = found.portfolio.pivot_table(index="measure", columns="gamma", values="starts", aggfunc="sum", fill_value=0.0)
    case = next(iter(found.plans.values())).case
    capex = {row.measure: row.capex for row in case.measures} if case is not None else {}
    change = (sums.max(axis=1) - sums.min(axis=1)) * sums.index.map(capex)
    order = change.sort_values(ascending=False, kind="stable")
    return sums.loc[[measure for measure in order.index if order[measure] > 0]]
