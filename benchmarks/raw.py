"""The raw twin: the linear program of a province by numpy alone, from its arrays to CSR to HiGHS.

It shares no code with the planner: the floor that builds are measured against, and a check of the planner's matrix.
Columns and rows are those of the planner, in an order of their own.
"""

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from benchmarks.provinces import FUNDS, ROUTES, SECTORS, Level, Province

Array = NDArray[np.float64]
Ints = NDArray[np.int32]
INF = highspy.kHighsInf


@dataclass
class Twin:
    """A linear program: rows, columns, costs."""

    A: csr_array
    row_lower: Array
    row_upper: Array
    lower: Array
    upper: Array
    cost: Array
    limits: Ints
    """Rows of budgets."""
    goals: Ints
    """Rows of targets."""
    starts: Ints
    stock: Ints
    """Columns by measure, city and year; -1 where there is none."""
    in_service: Ints
    """Rows that add up the stock, likewise."""
    change: Ints
    changing: Ints
    """Columns and rows of changes by place (quantity and sector), city and year."""


class Rows:
    """Blocks of rows as they are written down."""

    def __init__(self) -> None:
        self.count = 0
        self.entries: list[tuple[Ints, Ints, Array]] = []
        self.lower: list[Array] = []
        self.upper: list[Array] = []

    def block(self, lower: Array | float, upper: Array | float, shape: tuple[int, ...]) -> Ints:
        """New rows with these bounds: their numbers in this shape."""
        size = int(np.prod(shape))
        rows = np.arange(self.count, self.count + size, dtype=np.int32).reshape(shape)
        self.lower.append(np.broadcast_to(lower, shape).ravel())
        self.upper.append(np.broadcast_to(upper, shape).ravel())
        self.count += size
        return rows

    def add(self, rows: Ints, columns: Ints, values: Array | float) -> None:
        """Entries at rows and columns that broadcast; a column or row below 0 is absent."""
        shape = np.broadcast_shapes(rows.shape, columns.shape)
        rows, columns = np.broadcast_to(rows, shape).ravel(), np.broadcast_to(columns, shape).ravel()
        data = np.broadcast_to(values, shape).ravel()
        used = (columns >= 0) & (rows >= 0)
        if not used.all():
            rows, columns, data = rows[used], columns[used], data[used]
        self.entries.append((rows, columns, data))


class Columns:
    """Blocks of columns."""

    def __init__(self) -> None:
        self.count = 0
        self.lower: list[Array] = []
        self.upper: list[Array] = []

    def block(self, lower: float, upper: Array | float, where: NDArray[np.bool_]) -> Ints:
        """New columns where wanted: their numbers, -1 elsewhere."""
        found = np.full(where.shape, -1, dtype=np.int32)
        size = int(where.sum())
        found[where] = np.arange(self.count, self.count + size, dtype=np.int32)
        self.lower.append(np.full(size, lower))
        self.upper.append(np.broadcast_to(upper, where.shape)[where])
        self.count += size
        return found


def build(p: Province) -> Twin:
    """The linear program of a province."""
    C, M, Y, S, F = len(p.cities), len(p.measures), len(p.years), len(SECTORS), len(FUNDS)
    columns, rows = Columns(), Rows()
    years = np.arange(Y)
    present = p.present
    startable = (years >= p.first[:, None]) & (years < Y - p.lead[:, None])
    starts = columns.block(0.0, p.start_limit[:, :, None], present[:, :, None] & startable[:, None, :])
    stock = columns.block(0.0, p.potential, np.broadcast_to(present[:, :, None], (M, C, Y)))
    overlap = columns.block(0.0, 1.0, np.broadcast_to((p.loss > 0)[:, :, None], (*p.loss.shape, Y)))
    pool = columns.block(-INF, INF, np.ones((sum(route[4] for route in ROUTES), Y), dtype=bool))
    change = columns.block(-INF, INF, np.ones((len(p.places), C, Y), dtype=bool))
    spending = columns.block(-INF, INF, np.ones((S, C, Y), dtype=bool))
    paid = columns.block(0.0, INF, np.ones((F, S, C, Y), dtype=bool))
    levels: dict[Level, Ints] = {}
    quantity = {q: i for i, q in enumerate(p.quantities)}
    everywhere, all_sectors = tuple(range(C)), tuple(range(S))
    asked = [x for goal in p.goals for x, _, _ in goal.terms] + [x for x, _, _ in p.limits]
    for x in [*asked, *(Level(q, everywhere, all_sectors) for q in p.floors)]:
        if x not in levels:
            levels[x] = columns.block(-INF, INF, np.ones(Y, dtype=bool))
    soft = np.array([goal.penalty is not None for goal in p.goals])
    miss = columns.block(0.0, INF, soft)

    def shifted(of: Ints, by: Ints) -> Ints:
        """Columns of the year so many years before, by measure."""
        year = years - by[:, None]
        found = np.take_along_axis(of, np.broadcast_to(np.maximum(year, 0)[:, None, :], of.shape), axis=2)
        return np.where((year < 0)[:, None, :], -1, found)

    row = rows.block(0.0, 0.0, (M, C, Y))
    row = np.where(
        present[:, :, None], np.cumsum(np.broadcast_to(present[:, :, None], row.shape)).reshape(row.shape), 0
    )
    row = in_service = np.where(present[:, :, None], row - 1, -1).astype(np.int32)
    rows.count = int(present.sum()) * Y
    rows.lower[0] = rows.upper[0] = np.zeros(rows.count)
    rows.add(row, stock, 1.0)
    rows.add(row[:, :, 1:], stock[:, :, :-1], -1.0)
    rows.add(row, shifted(starts, p.lead), -1.0)
    rows.add(row, shifted(starts, p.lead + p.lifetime), 1.0)

    for tie in p.ties:
        uses, provides = stock[list(tie.uses)], stock[list(tie.provides)]
        weight: Array | float = 1.0 if tie.weight is None else tie.weight
        if tie.weight is None:
            with np.errstate(divide="ignore"):
                weight = 1 / p.potential[list(tie.uses)]
        bound = tie.bound[:, None] if isinstance(tie.bound, np.ndarray) else tie.bound
        row = rows.block(-INF, bound, (Y,) if tie.province else (C, Y))
        rows.add(row, uses, weight)
        rows.add(row, provides, -1.0)

    both = p.loss > 0
    first, second = (np.array([pair[i] for pair in p.pairs], dtype=int) for i in (0, 1))
    o = overlap[both]
    part = [(stock[m][both], 1 / p.potential[m][both]) for m in (first, second)]
    row = rows.block(-INF, 1.0, o.shape)
    rows.add(row, o, -1.0)
    for column, value in part:
        rows.add(row, column, value)
    for column, value in part:
        row = rows.block(-INF, 0.0, o.shape)
        rows.add(row, o, 1.0)
        rows.add(row, column, -value)

    # Quantities
    place = {at: i for i, at in enumerate(p.places)}
    pools = rows.block(0.0, 0.0, pool.shape)
    rows.add(pools, pool, 1.0)
    row = changing = rows.block(0.0, 0.0, change.shape)
    rows.add(row, change, 1.0)
    at = np.array([place[int(q), int(p.sector[m])] for m, q in zip(p.effect_of, p.effect_on, strict=True)])
    rows.add(row[at], stock[p.effect_of], -p.effect[:, None, :])
    for k, (m, _, q) in enumerate(p.pairs):
        rows.add(row[place[q, int(p.sector[m])]], overlap[k], -p.loss[k][:, None])
    number = 0
    for source, target, factor, to, pooled in ROUTES:
        of = [(i, s) for (q, s), i in place.items() if q == quantity[source]]
        goes = [place[quantity[target], SECTORS.index(to) if to else s] for _, s in of]
        if pooled:
            rows.add(pools[number], change[[i for i, _ in of]], -factor)
            rows.add(row[goes[0]], pool[number], -p.share[:, None])
            number += 1
        else:
            rows.add(row[goes], change[[i for i, _ in of]], -factor)

    # Money
    row = rows.block(0.0, 0.0, (S, C, Y))
    rows.add(row, spending, 1.0)
    per = np.maximum(p.lead, 1)
    for later in range(int(per.max())):
        paying = np.flatnonzero(per > later)
        then = row[p.sector[paying], :, later:]
        rows.add(then, starts[paying][:, :, : Y - later], -(p.capex[paying] / per[paying, None])[:, None, : Y - later])
    row = rows.block(0.0, 0.0, (S, C, Y))
    rows.add(row, spending, -1.0)
    rows.add(row, paid, 1.0)
    row = rows.block(-INF, 0.0, paid.shape)
    rows.add(row, paid, 1.0)
    rows.add(row, spending, -p.max_share[:, :, None, None])

    # Levels
    for x, level in levels.items():
        if x.what.startswith("fund:"):
            row = rows.block(0.0, 0.0, (Y,))
            rows.add(row, paid[list(FUNDS).index(x.what[5:])][:, list(x.cities)], -1.0)
        else:
            base = p.baseline[quantity[x.what]][np.ix_(x.cities, x.sectors)].sum(axis=(0, 1))[1:]
            row = rows.block(base, base, (Y,))
            of_ = [i for (q, s), i in place.items() if q == quantity[x.what] and s in x.sectors]
            rows.add(row, change[of_][:, list(x.cities)], -1.0)
        rows.add(row, level, 1.0)
    for q, floor in p.floors.items():
        row = rows.block(-INF, -floor, (Y,))
        rows.add(row, levels[Level(q, everywhere, all_sectors)], -1.0)
    goals = rows.block(-INF, np.array([goal.limit for goal in p.goals]), (len(p.goals),))
    terms = [(i, levels[x][y], w) for i, goal in enumerate(p.goals) for x, y, w in goal.terms]
    i, column, weights = (np.array(part) for part in zip(*terms, strict=True))
    rows.add(goals[i], column.astype(np.int32), weights)
    rows.add(goals, miss, -1.0)
    limits = rows.block(-INF, np.array([limit for _, _, limit in p.limits]), (len(p.limits),))
    counts = [len(span) for _, span, _ in p.limits]
    spent = np.concatenate([levels[x][list(span)] for x, span, _ in p.limits])
    rows.add(np.repeat(limits, counts), spent, 1.0)

    # Costs
    cost = np.zeros(columns.count)
    discount = (1 + p.rate) ** -(years + 1.0)
    annuity = p.rate / (1 - (1 + p.rate) ** -p.lifetime)
    sums = np.concatenate([[0.0], np.cumsum(discount)])
    begins = np.minimum(years + p.lead[:, None], Y)
    served = sums[np.minimum(begins + p.lifetime[:, None], Y)] - sums[begins]

    def spread(of: Ints, values: Array) -> None:
        used = of >= 0
        cost[of[used]] = np.broadcast_to(values, of.shape)[used]

    spread(starts, (p.capex * annuity[:, None] * served)[:, None, :])
    spread(stock, (p.fixed_om[:, None] * discount)[:, None, :])
    for q, price in p.price.items():
        spread(change[[i for (k, _), i in place.items() if k == quantity[q]]], price * discount)
    year = np.array([goal.year for goal in p.goals])
    spread(miss, np.array([goal.penalty or 0.0 for goal in p.goals]) * discount[year])

    row_, column_, data = (np.concatenate(part) for part in zip(*rows.entries, strict=True))
    matrix = coo_array((data, (row_, column_)), shape=(rows.count, columns.count)).tocsr()
    bounds = (np.concatenate(parts) for parts in (rows.lower, rows.upper, columns.lower, columns.upper))
    return Twin(matrix, *bounds, cost, limits, goals, starts, stock, in_service, change, changing)


def passed(twin: Twin, **options: object) -> highspy.Highs:
    """HiGHS with the linear program, as it is."""
    highs = highspy.Highs()
    for name, value in {"output_flag": False, "threads": 1, "parallel": "off", **options}.items():
        highs.setOptionValue(name, value)
    m, n = twin.A.shape
    status = highs.passModel(
        *(n, m, twin.A.nnz, int(highspy.MatrixFormat.kRowwise), int(highspy.ObjSense.kMinimize), 0.0),
        *(twin.cost, twin.lower, twin.upper, twin.row_lower, twin.row_upper),
        *(twin.A.indptr.astype(np.int32), twin.A.indices.astype(np.int32), twin.A.data),
        np.zeros(n, dtype=np.int32),
    )
    if status == highspy.HighsStatus.kError:
        raise RuntimeError("HiGHS refused the model")
    return highs


def solve(highs: highspy.Highs) -> float:
    """Solve, and the least cost; from nothing where a warm start ends without an answer.

    Raises RuntimeError where there is no optimum.
    """
    highs.run()
    if highs.getModelStatus() == highspy.HighsModelStatus.kUnknown:
        highs.clearSolver()
        highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(str(highs.getModelStatus()))
    return float(highs.getInfo().objective_function_value)
