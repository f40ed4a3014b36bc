"""A plan as it would turn out: its starts stay, and all that follows from them is computed anew, without a solver."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, diags_array

from planner.frames import KEPT
from planner.highlights import lines
from planner.matrix import Matrix, Names
from planner.plan import Plan
from planner.problem import Problem
from planner.problem.keys import Array, Keys
from planner.rows import FUND
from planner.scaling import settle

Listed = tuple[tuple[str, str, int, float], ...]
"""Numbers of a plan by what, where and when: plain, so that workers and journals can have them."""


@dataclass(frozen=True)
class Decided:
    """What a plan decides: all else follows."""

    starts: Listed
    """Measure, city, year, units begun."""
    overlaps: Listed
    """Group, city, year, part of the base on which both members stand."""

    @classmethod
    def of(cls, plan: Plan) -> "Decided":
        """The decisions of a plan."""
        begun = plan.portfolio[plan.portfolio["starts"] > 0]
        return cls(
            tuple((row.measure, row.city, row.year, row.starts) for row in lines(begun)),
            tuple((row.group, row.city, row.year, row.overlap) for row in lines(plan.overlaps)),
        )


@dataclass(frozen=True)
class Turnout:
    """What becomes of a plan."""

    cost: float
    """Net present value, penalties of soft targets included [currency]."""
    missed: pd.DataFrame
    """Targets that do not hold: target, year, missed [unit of its quantity], part [of its size]. Targets on funds are
    left out: who pays what is decided anew."""


def placed(keys: Keys, listed: Listed) -> Array:
    """Numbers at their place among keys; those that are not there are left out."""
    values = np.zeros(len(keys))
    what, where, when = keys.axes
    known = [row for row in listed if row[0] in what.number and row[1] in where.number and row[2] in when.number]
    if known and len(keys):
        at = keys.locate(
            [axis.codes(str(row[i]) if i < 2 else int(row[2]) for row in known) for i, axis in enumerate(keys.axes)]
        )
        values[at[at >= 0]] = np.array([row[3] for row in known])[at >= 0]
    return values


def columns(problem: Problem, matrix: Matrix, decided: Decided) -> Array:
    r"""All columns of the matrix with these decisions; who pays what and what is missed stay zero.

    Stock beyond the potential of its city is not built: its starts shrink alike. Overlaps stay as far as they can,
    $\max(0, x_1 + x_2 - 1) \le o \le \min(x_1, x_2)$. All else follows from its defining row.
    """
    names = matrix.columns
    assert isinstance(names, Names) and isinstance(matrix.rows, Names)
    x = np.zeros(len(names))
    begun, held, laps = (names.slice(name) for name in ("starts", "stock", "overlap"))
    x[begun] = placed(problem.startable, decided.starts)
    rows = matrix.rows.slice("stock_in_service")
    years = len(problem.years)

    def stock() -> Array:
        joins = matrix.row_upper[rows] - matrix.A[rows, :][:, begun] @ x[begun]
        return np.asarray(np.cumsum(joins.reshape(-1, years), axis=1))

    found, potential, existing = stock(), matrix.upper[held].reshape(-1, years), problem.held
    added = found - existing
    over = found > potential * (1 + KEPT)
    if over.any():
        fits = np.where(over, (potential - existing) / np.where(over, added, 1.0), 1.0).min(axis=1).clip(0.0, 1.0)
        x[begun] *= fits[problem.pairs.locate(problem.startable.parts[:2])]
        found = stock()
    x[held] = found.ravel()
    together = matrix.rows.slice("overlap_at_least")
    least = matrix.A[together, :] @ x - matrix.row_upper[together]
    within = matrix.rows.slice("overlap_within_member")
    most = -(matrix.A[within, :] @ x)
    group, _, city, year = problem.overlapping.parts
    member_of = problem.overlaps.locate((group, city, year))
    x[laps] = placed(problem.overlaps, decided.overlaps)
    np.minimum.at(x[laps], member_of, most)
    x[laps] = np.maximum(x[laps], np.maximum(least, 0.0))
    free = np.flatnonzero((matrix.defining_row >= 0) & np.isneginf(matrix.lower))
    defining = matrix.defining_row[free]
    block = matrix.A[defining, :]
    chained = csr_array(block[:, free])
    own = chained.diagonal()
    known, others = matrix.row_upper[defining] - block @ x, csr_array(chained - diags_array(own))
    x[free] = settle(lambda at: (known - others @ at) / own, np.zeros(free.size))
    return x


def turnout(problem: Problem, matrix: Matrix, decided: Decided, hard: Iterable[str] = ()) -> Turnout:
    """What becomes of the decisions of a plan in a problem; targets in `hard` have a penalty that is not meant."""
    x = columns(problem, matrix, decided)
    names = matrix.columns
    assert isinstance(names, Names)
    level = names.slice("level")
    levels = {(str(l), int(y)): value for (l, y), value in zip(problem.leveled, x[level].tolist(), strict=True)}
    quantity = {row.target: row.quantity for row in problem.case.targets}
    rows = []
    for (name, y), bound in problem.bounds.items():
        target = problem.goal_target[name]
        if quantity[target].startswith(FUND):
            continue
        limit, achieved = bound.bound.value(levels), bound.achieved.value(levels)
        size = max(abs(limit), abs(achieved))
        missed = bound.sign * (achieved - limit)
        if missed > KEPT * size:
            rows.append((target, y, missed, missed / size))
            if (name, y) in problem.missable and target not in hard:
                x[names.first["miss"] + problem.missable.position((name, y))] = missed
    cost = next(stage for stage in matrix.stages if stage.name == "cost")
    value = float(cost.coefficients @ x) + cost.constant
    return Turnout(value, pd.DataFrame(rows, columns=["target", "year", "missed", "part"]))
