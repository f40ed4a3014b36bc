"""A country solved by columns of many cities at once, refined where prices say so; every round has a proven gap.

    python -m benchmarks.large XL [--rounds 4] [--gap 1e-4] [--seconds 400]

Changes of quantities that no single city is asked about are only needed in sum, which is exact.
At first a measure is built in all cities alike: one column per measure and year stands for the same part of every
city's potential. That plan is feasible for the whole problem, so its cost is an upper bound. The prices of its rows
are feasible prices of the whole problem: with bounds on all decisions they give a lower bound by one product with the
matrix. What a measure in a city adds to the gap is known, too: those that add most get columns of their own.
"""

import argparse
import time
from dataclasses import dataclass, replace

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from benchmarks import raw
from benchmarks.provinces import ROUTES, Province, province

Array = NDArray[np.float64]
COVERED = 0.9
"""Part of the gap whose measures and cities are given columns of their own in the next round [-]."""
LARGEST = 1e3
"""Largest cost that the solver is told."""


@dataclass
class Round:
    """What one round found."""

    columns: int
    rows: int
    upper: float
    lower: float
    seconds: float
    groups: int

    @property
    def gap(self) -> float:
        """Proven gap [-]."""
        return (self.upper - self.lower) / abs(self.upper)


def aggregation(p: Province, twin: raw.Twin, group: NDArray[np.int64]) -> tuple[csr_array, csr_array, Array]:
    """Columns of the whole from those of groups, rows of groups from those of the whole, and which rows stay.

    `group` numbers the measures and cities that are built alike, by measure and city.
    """
    m, n = twin.A.shape
    own = asked_of_cities(p)
    quantities = [p.quantities[q] for q, _ in p.places]
    count, years = int(group.max()) + 1, len(p.years)
    full = np.full(n, -1, dtype=np.int64)
    part = np.ones(n)
    width = 0
    for columns, most in (
        (twin.starts, np.broadcast_to(p.start_limit[:, :, None], twin.starts.shape)),
        (twin.stock, p.potential),
    ):
        at = np.broadcast_to(group[:, :, None] * years + np.arange(years), columns.shape) + width
        used = columns >= 0
        full[columns[used]] = at[used]
        part[columns[used]] = most[used]
        width += count * years
    merged = np.array([q not in own for q in quantities])
    whole = np.broadcast_to((np.arange(merged.size) * years)[:, None, None] + np.arange(years), twin.change.shape)
    full[twin.change[merged]] = whole[merged] + width
    part[twin.change[merged]] = 1 / len(p.cities)
    width += merged.size * years
    single = full < 0
    full[single] = width + np.arange(int(single.sum()))
    _, full = np.unique(full, return_inverse=True)
    spread = csr_array(coo_array((part, (np.arange(n), full)), shape=(n, int(full.max()) + 1)))
    into = np.full(m, -1, dtype=np.int64)
    at = np.broadcast_to(group[:, :, None] * years + np.arange(years), twin.in_service.shape)
    used = twin.in_service >= 0
    into[twin.in_service[used]] = at[used]
    into[twin.changing[merged]] = whole[merged] + count * years
    alone = into < 0
    into[alone] = (count + merged.size) * years + np.arange(int(alone.sum()))
    _, into = np.unique(into, return_inverse=True)
    added = csr_array(coo_array((np.ones(m), (into, np.arange(m))), shape=(int(into.max()) + 1, m)))
    return spread, added, into


def asked_of_cities(p: Province) -> set[str]:
    """Quantities that targets of single cities count, and those that are converted to them within a city."""
    asked = {x.what for goal in p.goals for x, _, _ in goal.terms if len(x.cities) < len(p.cities)}
    for source, target, _, _, pooled in reversed(ROUTES):
        if target in asked and not pooled:
            asked.add(source)
    return asked


def solved(p: Province, twin: raw.Twin, group: NDArray[np.int64], **options: object) -> tuple[Round, Array]:
    """The least cost with groups built alike, a lower bound for the whole, and what each measure and city adds."""
    began = time.process_time()
    spread, added, into = aggregation(p, twin, group)
    matrix = csr_array(added @ twin.A @ spread)
    matrix.eliminate_zeros()
    rows = matrix.shape[0]
    low, high = np.full(rows, -np.inf), np.full(rows, np.inf)
    low[into], high[into] = twin.row_lower, twin.row_upper
    of = spread.indices  # one group column per column of the whole
    upper, lower = np.full(matrix.shape[1], np.inf), np.full(matrix.shape[1], -np.inf)
    np.minimum.at(upper, of, twin.upper / spread.data)
    np.maximum.at(lower, of, twin.lower / spread.data)
    cost = spread.T @ twin.cost
    rescale, recolumn = equilibrated(matrix, cost)
    unit = LARGEST / np.abs(cost * recolumn).max()
    small = replace(
        twin,
        A=csr_array(matrix.multiply(rescale[:, None]).multiply(recolumn)),
        **{"row_lower": low * rescale, "row_upper": high * rescale},
        **{"lower": lower / recolumn, "upper": upper / recolumn, "cost": cost * recolumn * unit},
    )
    highs = raw.passed(small, **options)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(str(highs.getModelStatus()))
    solution = highs.getSolution()
    x = spread @ (np.array(solution.col_value) * recolumn)
    y = (np.array(solution.row_dual) * rescale / unit)[into]
    bound, adds = lower_bound(p, twin, x, y)
    value = float(twin.cost @ x)
    spent = time.process_time() - began
    return Round(matrix.shape[1], rows, value, bound, spent, int(group.max()) + 1), adds


def equilibrated(matrix: csr_array, cost: Array) -> tuple[Array, Array]:
    """Powers of two for rows and columns that bring the largest entries of both near 1."""
    rows, columns = np.ones(matrix.shape[0]), np.ones(matrix.shape[1])
    size = abs(matrix).tocoo()
    for _ in range(6):
        entries = size.data * rows[size.row] * columns[size.col]
        for scale, at in ((rows, size.row), (columns, size.col)):
            largest = np.zeros(scale.size)
            np.maximum.at(largest, at, entries)
            np.divide(scale, np.sqrt(np.where(largest > 0, largest, 1.0)), out=scale)
    return np.exp2(np.round(np.log2(rows))), np.exp2(np.round(np.log2(columns)))


def lower_bound(p: Province, twin: raw.Twin, x: Array, y: Array) -> tuple[float, Array]:
    """What prices prove about the least cost of the whole, and what each measure and city could save at them.

    The prices of the rows that add up the stock are left open: each measure and city is answered exactly. A column
    without bound has no reduced cost but rounding, which counts over twice its value.
    """
    y = np.where(np.isneginf(twin.row_lower), np.minimum(y, 0.0), y)
    y = np.where(np.isposinf(twin.row_upper), np.maximum(y, 0.0), y)
    y[twin.in_service[twin.in_service >= 0]] = 0.0
    reduced = twin.cost - twin.A.T @ y
    decided = np.zeros(x.size, dtype=bool)
    for columns in (twin.starts, twin.stock):
        decided[columns[columns >= 0]] = True
    most = np.where(np.isfinite(twin.upper), twin.upper, 2 * np.abs(x) + 1.0)
    least = np.where(np.isfinite(twin.lower), twin.lower, -2 * np.abs(x) - 1.0)
    others = np.minimum(reduced * least, reduced * most)[~decided].sum()
    side = np.where(y > 0, twin.row_lower, twin.row_upper)
    used = y != 0
    best, now = responses(p, twin, reduced), by_city(twin, reduced * x)
    return float((y[used] * side[used]).sum() + others + best.sum()), np.maximum(now - best, 0.0)


def by_city(twin: raw.Twin, values: Array) -> Array:
    """Sums over the starts and stock of each measure and city."""
    found = np.zeros(twin.starts.shape[:2])
    for columns in (twin.starts, twin.stock):
        found += np.where(columns >= 0, values[columns], 0.0).sum(axis=2)
    return found


def responses(p: Province, twin: raw.Twin, cost: Array) -> Array:
    """The least that each measure and city can cost at given prices, whatever the others do: one small chain each.

    A start pays by itself or not: stock is what serves, only its potential ties the starts of a city's measure.
    """
    found = np.zeros(twin.starts.shape[:2])
    here = p.present
    rows = twin.in_service[here].ravel()
    columns = np.concatenate([c[here][c[here] >= 0] for c in (twin.starts, twin.stock)])
    block = csr_array(twin.A[rows, :].tocsc()[:, columns])
    part = p.potential[:, :, -1][here].repeat(twin.in_service.shape[2])
    scale = np.concatenate(
        [np.broadcast_to(p.potential[:, :, -1:], c.shape)[here][c[here] >= 0] for c in (twin.starts, twin.stock)]
    )
    worth = cost[columns] * scale
    unit = LARGEST / np.abs(worth).max()
    small = replace(
        twin,
        A=csr_array(block.multiply(1 / part[:, None]).multiply(scale)),
        **{"row_lower": np.zeros(rows.size), "row_upper": np.zeros(rows.size)},
        **{"lower": twin.lower[columns] / scale, "upper": twin.upper[columns] / scale, "cost": worth * unit},
    )
    highs = raw.passed(small)
    raw.solve(highs)
    values = np.zeros(cost.size)
    values[columns] = worth * np.array(highs.getSolution().col_value)
    found += by_city(twin, values)
    return found


def refine(p: Province, twin: raw.Twin, rounds: int, gap: float, seconds: float, **options: object) -> list[Round]:
    """Rounds of solving and splitting until the gap is small."""
    C = len(p.cities)
    group = np.broadcast_to(np.arange(len(p.measures))[:, None], (len(p.measures), C)).copy()
    found: list[Round] = []
    began = time.process_time()
    while len(found) < rounds and time.process_time() - began < seconds:
        last, adds = solved(p, twin, group, **options)
        if found:  # what an earlier round proved still holds
            last = replace(last, lower=max(last.lower, found[-1].lower), upper=min(last.upper, found[-1].upper))
        found.append(last)
        print(
            f"round {len(found)}: {last.rows} rows, {last.columns} columns, {last.groups} groups, "
            f"least cost between {last.lower:.9g} and {last.upper:.9g}, gap {last.gap:.2e}, {last.seconds:.1f} s",
            flush=True,
        )
        if last.gap <= gap:
            break
        order = np.argsort(-adds, axis=None)
        sums = np.cumsum(adds.ravel()[order])
        chosen = order[: int(np.searchsorted(sums, COVERED * sums[-1])) + 1]
        flat = group.ravel()
        flat[chosen] = flat.max() + 1 + np.arange(chosen.size)
        group = np.unique(flat, return_inverse=True)[1].reshape(group.shape)
    return found


def main() -> None:
    """Run what the command asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("size", nargs="?", default="XL")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--gap", type=float, default=1e-4)
    parser.add_argument("--seconds", type=float, default=400.0, help="CPU seconds after which no round begins")
    parser.add_argument("--solver", default="choose", help="choose, simplex, ipm, hipo")
    parser.add_argument("--crossover", default="on")
    given = parser.parse_args()
    p = province(given.size)
    options = {"solver": given.solver, "run_crossover": given.crossover}
    refine(p, raw.build(p), given.rounds, given.gap, given.seconds, **options)


if __name__ == "__main__":
    main()
