"""A plan made by hand: only starts are given; overlaps, payments and misses are completed by a small linear program.

It gets its cost and whether it is feasible, and no claim of optimality: first the least violation, each row by its own
scale, then the least cost that goes with it.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, hstack

from planner.case import Case
from planner.certificate.facts import Numbers, Vector
from planner.certificate.ledger import Ledger
from planner.certificate.papers import Audit, read_starts
from planner.certificate.recompute import Recomputed
from planner.certificate.verdict import TOLERANCE, Certificate

Starts = Mapping[tuple[str, str, int], float]
"""Starts by measure, city and year [unit of the measure]."""


def complete(case: Case, starts: Starts | pd.DataFrame | Path | str) -> Certificate:
    """Cost and feasibility of a plan of which only the starts are known: a mapping, a table, or a CSV file with the
    columns measure, city, year and starts.

    Raises OSError or ValueError when the file is no such table.
    """
    begun = time.perf_counter()
    audit = Audit()
    if isinstance(starts, Mapping):
        starts = pd.DataFrame(
            [(*key, value) for key, value in starts.items()], columns=["measure", "city", "year", "starts"]
        )
    paper = read_starts(starts, audit)
    plan = Recomputed(case, audit)
    decided = np.zeros(plan.ledger.block["M"].stop)
    decided[plan.ledger.block["N"]] = plan.read_starts(paper)
    plan.settle(completed(plan, decided))
    plan.check_rows()
    final = {name: float(weights @ plan.plan.u) for name, (weights, _) in plan.objectives.items()}
    return Certificate(
        verdict="fails" if audit.violations else "feasible",
        primal=audit.largest,
        dual=None,
        complementarity=None,
        gap=None,
        bound=None,
        cost=final["cost"],
        by_hand=True,
        violations=tuple(audit.violations),
        objectives=final,
        seconds=time.perf_counter() - begun,
        details=dict(audit.errors),
    )


def completed(plan: Recomputed, decided: Vector) -> Vector:
    """The decisions with overlaps and payments that break the rows least, and among those cost least."""
    ledger, block = plan.ledger, plan.ledger.block
    plan.settle(decided)
    free = free_accounts(plan)
    if not len(free):
        return decided
    matrix = ledger.rows.matrix(ledger.width)
    limits = np.array(ledger.rows.limits)
    spent = np.abs(plan.plan.u[: len(decided)])
    spent[block["D"]] = most_paid(plan)
    size = np.where(spent[free] > 0, spent[free], 1.0)
    influence = influences(ledger, free, size)
    own = csr_array(matrix @ influence)
    misses = np.array(
        [goal.miss for goal in ledger.goals if goal.miss is not None and goal.row is not None], dtype=np.int64
    )
    touched = np.flatnonzero(np.diff(own.indptr) > 0)
    scale = np.maximum(plan.scale(abs(matrix), np.array(ledger.rows.sizes)), np.abs(limits))
    scale = np.where(scale > 0, scale, 1.0)[touched]
    start = plan.plan.u.copy()
    start[misses] = 0.0
    room = (limits - matrix @ start)[touched] / scale
    own = csr_array(own[touched, :].multiply(1 / scale[:, None]))
    own = csr_array(hstack([own, csr_array(matrix[touched, :][:, misses].multiply(1 / scale[:, None]))]))
    equal = np.array(ledger.rows.equal, dtype=bool)[touched]
    weights = plan.objectives["cost"][0]
    cost = np.concatenate([influence.T @ weights, weights[misses]])
    upper = np.concatenate([plan.most_of(free) / size, np.full(len(misses), np.inf)])
    values = least(own, room, equal, cost, upper)
    found = decided.copy()
    found[free] = values[: len(free)] * size
    return found


def free_accounts(plan: Recomputed) -> Numbers:
    """Overlaps that can be and payments for which something is spent."""
    block = plan.ledger.block
    most = np.zeros(block["M"].stop)
    most[block["O"]] = plan.most[block["O"]]
    most[block["D"]] = most_paid(plan)
    return np.flatnonzero(most > 0)


def most_paid(plan: Recomputed) -> Vector:
    """The most each fund may pay of what the starts spend [currency]."""
    f = plan.facts
    spent = plan.plan.u[plan.ledger.block["G"]].reshape(len(f.pools), -1)
    return np.concatenate([share * spent[k] for (_, k), share in f.share.items()] or [np.zeros(0)])


def influences(ledger: Ledger, free: Numbers, size: Vector) -> csr_array:
    """What each free account, at its size, does to all accounts."""
    term = csr_array((size, (free, np.arange(len(free)))), shape=(ledger.width, len(free)))
    total, matrix = term, ledger.settled()[0]
    while term.nnz:
        term = csr_array(matrix @ term)
        total = csr_array(total + term)
    return total


def least(matrix: csr_array, room: Vector, equal: Any, cost: Vector, upper: Vector) -> Vector:
    """Values with the least sum of violations, and the least cost that goes with it."""
    rows, columns = matrix.shape
    over, under = np.flatnonzero(np.ones(rows)), np.flatnonzero(equal)
    identity = eye_array(rows, format="csr")
    wide = csr_array(hstack([matrix, -identity[:, over], identity[:, under]]))
    most = np.concatenate([upper, np.full(rows + len(under), np.inf)])
    broken = np.concatenate([np.zeros(columns), np.ones(rows + len(under))])
    first = _solved(broken, wide, room, equal, most)
    # What is not broken stays so; a little room keeps the second program from failing on rounding.
    allowed = np.where(first[columns:] > 0.1 * TOLERANCE, first[columns:] * (1 + 1e-9), 0.01 * TOLERANCE)
    priced = np.concatenate([cost / max(float(np.abs(cost).max(initial=0.0)), 1e-300), np.zeros(rows + len(under))])
    second = _solved(priced, wide, room, equal, np.concatenate([upper, allowed]), first)
    return second[:columns]


def _solved(
    cost: Vector, matrix: csr_array, room: Vector, equal: Any, upper: Vector, instead: Vector | None = None
) -> Vector:
    unequal = ~equal
    found: Any = linprog(  # type: ignore[call-overload]
        cost,
        A_ub=matrix[unequal, :] if unequal.any() else None,
        b_ub=room[unequal] if unequal.any() else None,
        A_eq=matrix[equal, :] if equal.any() else None,
        b_eq=room[equal] if equal.any() else None,
        bounds=np.column_stack([np.zeros(len(upper)), upper]),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9},
    )
    if found.x is None:
        if instead is None:
            raise ValueError(found.message)
        return instead
    values: Vector = np.clip(found.x, 0.0, upper)
    return values
