"""How good is a plan if the data are wrong: futures sampled from the ranges of its figures, each planned anew, and the
plan itself carried through all of them.

    found = robustness(read_case("cases/tutorial"), futures=200, seed=1)
    found.measures.query("index >= 0.95")     # no-regret measures
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from planner.case import Case
from planner.compile import compile_problem
from planner.engine import Options, Progress
from planner.errors import InfeasibleError
from planner.frames import KEPT
from planner.highlights import lines
from planner.matrix import Names
from planner.plan import Plan, csv_text, solve
from planner.problem import Problem
from planner.problem.keys import Array
from planner.rows import is_money
from planner.saving import write_files
from planner.session import Answer
from planner.stress import Decided, Listed, turnout
from planner.sweep import Backend, sweep
from planner.tasks import FAULT, Asked, Job, Outcome
from planner.uncertainty import CORRELATION, Figure, Ranges, draws, figures, future, read_ranges

LEAST = 1e-3
"""Least size of a target on money, as a part of all that could be built and is priced in the plan [-]."""
DOMINATING = 30.0
"""Price of missing a hard target by all of its size in one year: so many times all that could be built and is priced
in the plan, more than any plan would save by it [-]."""
CHOSEN = 1e-6
"""Part of its potential from which a measure counts as chosen, or as begun [-]."""
BINS = 5
"""Parts of a figure's range that knowing it would tell apart [-]."""
ENOUGH = 10
"""Futures that each part has at least; with few futures there are fewer parts [-]."""
SHUFFLES = 20
"""Draws of pure chance from which the noise of `moves` is taken."""
CHANCE = 0.05
"""Chance that any rank correlation beyond the one told is an accident [-]."""


@dataclass(frozen=True)
class Robustness:
    """What becomes of a plan, and of planning, if the data are wrong. Money in plain currency."""

    plan: Plan
    """The plan of the case as it stands."""
    futures: pd.DataFrame
    """future, status, cost, missed (hard targets), plan_cost, plan_missed (hard targets)."""
    measures: pd.DataFrame
    """measure, index, planned, planned_year, year (median of its first start), low, median, high (starts)."""
    begun: pd.DataFrame
    """measure, year, index: share of futures in which it has been begun by then."""
    targets: pd.DataFrame
    """target, hard, kept (share of futures that keep it when planned anew), plan_kept (with the plan as it is)."""
    figures: pd.DataFrame
    """column, subject, sector, grade, low, high, cost (rank correlation with the cost of the futures planned anew),
    plan_cost (with that of the plan as it is), moves (share of the capital spending that knowing it would move)."""
    ranges: pd.DataFrame
    """The assumption: column, grade, low, high."""
    summary: dict[str, Any]

    def frames(self) -> dict[str, pd.DataFrame]:
        """All frames by name."""
        names = ("futures", "measures", "begun", "targets", "figures", "ranges")
        return {f"robustness_{name}": getattr(self, name) for name in names}

    def write(self, folder: Path | str) -> None:
        """Write a CSV per frame and `robustness.json`: all of them or none. Raises OSError."""
        files = {f"{name}.csv": csv_text(frame) for name, frame in self.frames().items()}
        files["robustness.json"] = json.dumps(self.summary, ensure_ascii=False, indent=2) + "\n"
        write_files(Path(folder), {name: text.encode() for name, text in files.items()})


def softened(case: Case, plan: Plan) -> Case:
    r"""The case with every hard target soft, at a price above all that a plan could save by missing it.

    $$ \text{penalty}_t = W \max_y \frac{1}{\text{size}_{t,y}\,\delta_y}, \quad
       W = \text{DOMINATING} \left( \sum_j |c_j|\,U_j + \sum |\text{items of the plan's cost}| \right) $$

    A size is that of the target's own bound on the baseline: it costs about the same to miss any target by 1 %, a
    little more in earlier years, as all money does. A target on money, on which the baseline spends nothing, has at
    least a thousandth of all that could be built as its size: a price beyond that would drown all others.
    """
    problem = Problem(case, best_effort=True)
    matrix = compile_problem(problem)
    cost = next(stage for stage in matrix.stages if stage.name == "cost").coefficients
    built = float(np.abs(cost) @ np.where(np.isfinite(matrix.upper), matrix.upper, 0.0))
    most = DOMINATING * (built + float(plan.costs["discounted"].abs().sum())) or 1.0
    prices: dict[str, float] = {}
    money = {row.target for row in case.targets if is_money(row.quantity)}
    for name, y in problem.missable:
        target, size = problem.goal_target[name], 1 / problem.miss_weight[name, y]
        size = max(size, LEAST * most / DOMINATING) if target in money else size
        prices[target] = max(prices.get(target, 0.0), most / size / problem.discount[y])
    return case.edited(
        [
            {"table": "targets", "key": {"target": target}, "set": {"soft_penalty": prices[target]}}
            for target in hard_targets(case)
            if target in prices
        ]
    )


def hard_targets(case: Case) -> list[str]:
    """Targets that may not be missed."""
    return [row.target for row in case.targets if row.soft_penalty is None]


def robustness(
    case: Case,
    futures: int = 100,
    seed: int = 1,
    ranges: Ranges | None = None,
    correlation: float = CORRELATION,
    backend: Backend | None = None,
    folder: Path | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Robustness:
    """Sample futures, plan each anew, and carry the plan of the case through all of them.

    A hard target that a future cannot keep counts as missed there: the future's plan misses it by as little as can be.
    Finished futures are kept in `folder`, and read from there. Raises InfeasibleError where the case itself has no
    plan, and what `sweep.stream` raises.
    """
    options = options or Options()
    ranges = read_ranges() if ranges is None else ranges
    plan = solve(case, Options(time_limit=options.time_limit, gap=options.gap, prices=False), progress, cancel=cancel)
    if plan.status not in ("optimal", "within_gap"):
        raise InfeasibleError(plan.status)
    decided, several = Decided.of(plan), len(case.settings.objective) > 1 or case.settings.objective[0] != "cost"
    hard = hard_targets(case)
    base = case if several else softened(case, plan)
    extract = partial(observed, starts=decided.starts, overlaps=decided.overlaps, hard=tuple(hard))
    asked = Asked(extract, always=True, cold=True, best_effort=several, options=options)
    make: dict[str, Any] = {"ranges": ranges, "correlation": correlation, "futures": futures, "seed": seed}
    jobs = [Job(name=str(number), change=partial(future, number=number, **make)) for number in range(futures)]
    outcomes = sweep(base, jobs, asked, backend, folder, progress=progress, cancel=cancel)
    listed = figures(case, ranges)
    return told(case, plan, outcomes, listed, draws(listed, futures, seed, correlation), ranges, make)


def observed(answer: Answer, *, starts: Listed, overlaps: Listed, hard: tuple[str, ...]) -> dict[str, Any]:
    """What is kept of a future: what the plan becomes there, and what a new plan would begin, cost and miss."""
    carried = turnout(answer.problem, answer.matrix, Decided(starts, overlaps), hard)
    found: dict[str, Any] = {"plan_cost": carried.cost, "plan_missed": sorted(set(carried.missed["target"]))}
    if not answer.found:
        return found
    if answer.whole is not None:
        begun: dict[str, dict[str, float]] = {}
        for row in lines(answer.plan.portfolio.groupby(["measure", "year"])["starts"].sum().reset_index()):
            if row.starts > 0:
                begun.setdefault(row.measure, {})[str(row.year)] = float(row.starts)
        lost = answer.plan.targets[answer.plan.targets["missed"] > 0]
        costs = answer.plan.costs
        meant = costs[~((costs["item"] == "penalty") & costs["id"].isin(hard))]
        return found | {
            "starts": begun,
            "cost": float(meant["discounted"].sum()),
            "missed": sorted(set(lost["target"])),
        }
    return found | _read(answer, hard)


def _read(answer: Answer, hard: Iterable[str]) -> dict[str, Any]:
    """Starts by measure and year, cost and missed targets, straight from the columns."""
    problem, names, x = answer.problem, answer.matrix.columns, answer.values
    assert isinstance(names, Names)
    m, _, v = problem.startable.parts
    size = len(problem.m), len(problem.y)
    sums = np.bincount(m * size[1] + v, x[names.slice("starts")], size[0] * size[1]).reshape(size)
    starts = {
        measure: {str(problem.years[j]): float(sums[i, j]) for j in np.flatnonzero(sums[i] > 0)}
        for i, measure in enumerate(problem.m.labels)
        if (sums[i] > 0).any()
    }
    misses, stage, first = x[names.slice("miss")], answer.matrix.stages[-1], names.first["miss"]
    cost, missed, unmeant = answer.objective, set(), set(hard)
    for i, (name, y) in enumerate(problem.missable):
        target = problem.goal_target[name]
        if misses[i] * problem.miss_weight[name, y] > KEPT:
            missed.add(target)
        if target in unmeant:
            cost -= float(stage.coefficients[first + i] * misses[i])
    return {"starts": starts, "cost": cost, "missed": sorted(missed)}


def told(
    case: Case,
    plan: Plan,
    outcomes: Iterable[Outcome],
    listed: list[Figure],
    ranks: Array,
    ranges: Ranges,
    make: Mapping[str, Any],
) -> Robustness:
    """All frames from the outcomes of the futures."""
    kept = [outcome for outcome in outcomes if outcome.status != FAULT]
    faulty = [outcome for outcome in outcomes if outcome.status == FAULT]
    hard, targets = set(hard_targets(case)), list(dict.fromkeys(row.target for row in case.targets))
    found = [outcome.result for outcome in kept]
    lost = [set(one["missed"]) if "cost" in one else hard for one in found]
    carried = [set(one["plan_missed"]) for one in found]
    rows = [
        (
            outcome.number,
            outcome.status if "cost" in one else "infeasible",
            one.get("cost", np.nan),
            len(mine & hard),
            one["plan_cost"],
            len(its & hard),
        )
        for outcome, one, mine, its in zip(kept, found, lost, carried, strict=True)
    ]
    futures = pd.DataFrame(rows, columns=["future", "status", "cost", "missed", "plan_cost", "plan_missed"])
    chances = [
        (t, t in hard, _share(t not in mine for mine in lost), _share(t not in its for its in carried)) for t in targets
    ]
    begun, least = _begun(case, found), _least(case)
    ranks = ranks[[outcome.number for outcome in kept]]
    summary = {
        "futures": make["futures"],
        "seed": make["seed"],
        "correlation": make["correlation"],
        "faults": [{"future": outcome.number, **outcome.words} for outcome in faulty],
        "all_kept": _share(not mine & hard for mine in lost),
        "plan_all_kept": _share(not its & hard for its in carried),
        "chance_correlation": chance(len(kept), len(listed)),
    }
    columns = ["column", "grade", "low", "high"]
    return Robustness(
        plan,
        futures,
        _measures(case, plan, begun, least),
        _by_year(case, begun, least),
        pd.DataFrame(chances, columns=["target", "hard", "kept", "plan_kept"]),
        _figures(case, listed, ranks, futures, begun.sum(axis=2)),
        pd.DataFrame(list(ranges), columns=columns),
        summary,
    )


def _share(which: Iterable[bool]) -> float:
    marks = list(which)
    return sum(marks) / len(marks) if marks else float("nan")


def _begun(case: Case, found: list[dict[str, Any]]) -> Array:
    """Starts by future, measure and year [unit of the measure]; none where there is no plan."""
    years = {str(y): j for j, y in enumerate(case.years)}
    place = {row.measure: i for i, row in enumerate(case.measures)}
    begun = np.zeros((len(found), len(place), len(years)))
    for n, one in enumerate(found):
        for measure, by in one.get("starts", {}).items():
            for year, amount in by.items():
                begun[n, place[measure], years[year]] = amount
    return begun


def _least(case: Case) -> Array:
    """Starts from which each measure counts as begun [unit of the measure]."""
    problem = Problem(case)
    m, _ = problem.pairs.parts
    most = np.bincount(m, problem.potential_path.array.max(axis=1, initial=0.0), len(problem.m))
    return np.asarray(CHOSEN * most, dtype=float)


def _by_year(case: Case, begun: Array, least: Array) -> pd.DataFrame:
    """Share of futures in which each measure has been begun by each year."""
    index = (begun.cumsum(axis=2) > least[:, None]).mean(axis=0)
    rows = [
        (row.measure, year, index[i, j]) for i, row in enumerate(case.measures) for j, year in enumerate(case.years)
    ]
    return pd.DataFrame(rows, columns=["measure", "year", "index"])


def _measures(case: Case, plan: Plan, begun: Array, least: Array) -> pd.DataFrame:
    """The no-regret index of every measure, with what the plan and the futures do of it."""
    so_far, totals = begun.cumsum(axis=2) > least[:, None], begun.sum(axis=2)
    by_year = plan.portfolio.groupby(["measure", "year"])["starts"].sum()
    rows = []
    for i, row in enumerate(case.measures):
        chosen = so_far[:, i, -1]
        first = np.array(case.years)[so_far[chosen, i].argmax(axis=1)]
        its = by_year[row.measure].cumsum() if row.measure in by_year.index.get_level_values(0) else pd.Series()
        planned = float(its.iloc[-1]) if len(its) else 0.0
        when = next((int(str(y)) for y, amount in its.items() if amount > least[i]), None)
        low, median, high = np.quantile(totals[:, i], (0.1, 0.5, 0.9)) if len(totals) else (np.nan,) * 3
        year = int(np.median(first)) if len(first) else None
        rows.append((row.measure, _share(chosen.tolist()), planned, when, year, low, median, high))
    columns = ["measure", "index", "planned", "planned_year", "year", "low", "median", "high"]
    return pd.DataFrame(rows, columns=columns).astype({"planned_year": "Int64", "year": "Int64"})


def chance(futures: int, figures: int) -> float:
    """Rank correlation that none of so many figures passes by accident, but in one case of 20 [-].

    >>> round(chance(401, 1), 3)
    0.098
    """
    if futures < 2 or not figures:
        return 1.0
    return min(1.0, float(ndtri(1 - CHANCE / 2 / figures)) / math.sqrt(futures - 1))


def _figures(case: Case, listed: list[Figure], ranks: Array, futures: pd.DataFrame, totals: Array) -> pd.DataFrame:
    """Every figure with its range, and how much hangs on it; what moves the cost most comes first."""
    sides = {name: correlations(ranks, futures[name].to_numpy(float)) for name in ("cost", "plan_cost")}
    capex = np.array([row.capex for row in case.measures])
    moves = moved_by(ranks, totals * capex)
    rows = [
        (one.column, one.subject, one.sector, one.grade, *one.range, sides["cost"][j], sides["plan_cost"][j], moves[j])
        for j, one in enumerate(listed)
    ]
    columns = ["column", "subject", "sector", "grade", "low", "high", "cost", "plan_cost", "moves"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("cost", key=np.abs, ascending=False, kind="stable", ignore_index=True)


def correlations(ranks: Array, outcome: Array) -> Array:
    """Rank correlation of each figure with an outcome over the futures that have one [-]; 0 where nothing varies."""
    there = np.isfinite(outcome)
    if there.sum() < 3 or np.ptp(outcome[there]) <= KEPT * np.abs(outcome[there]).max():
        return np.zeros(ranks.shape[1])
    ours: Array = np.asarray(rankdata(ranks[there], axis=0), dtype=float)
    its: Array = np.asarray(rankdata(outcome[there]), dtype=float)
    ours, its = ours - ours.mean(axis=0), its - its.mean()
    found = its @ ours / np.sqrt((its @ its) * (ours * ours).sum(axis=0))
    return np.asarray(found, dtype=float)


def moved_by(ranks: Array, spent: Array) -> Array:
    r"""Share of the capital spending that would move if a figure were known: the value of better data [-].

    The futures are parted by the figure into equal parts, and the mean spending $s_m$ on each measure within a part
    is held against the mean over all futures; what chance alone would show is taken off.

    $$ V = \frac{\sum_k w_k \sum_m |\bar s_{m|k} - \bar s_m|}{2 \sum_m \bar s_m} $$
    """
    futures = len(spent)
    parts = min(BINS, futures // ENOUGH)
    whole = spent.mean(axis=0).sum() if futures else 0.0
    if parts < 2 or not whole:
        return np.zeros(ranks.shape[1])
    order = np.argsort(ranks, axis=0, kind="stable")
    rng = np.random.default_rng(0)
    noise = float(np.mean([_shift(rng.permutation(futures), spent, parts) for _ in range(SHUFFLES)]))
    shifts = np.array([_shift(order[:, j], spent, parts) for j in range(ranks.shape[1])])
    return np.asarray(np.maximum(shifts - noise, 0.0) / (2 * whole))


def _shift(order: NDArray[np.int64], spent: Array, parts: int) -> float:
    """Mean distance of the means of the parts from the mean of all [currency]."""
    mean = spent.mean(axis=0)
    far = [len(one) * float(np.abs(spent[one].mean(axis=0) - mean).sum()) for one in np.array_split(order, parts)]
    return sum(far) / len(order)
