"""Split: what the reduced cost of every measure is made of, from one dual solution of the matrix.

A unit started somewhere moves stock, changes, levels, spending and payments; that is its response. Along it the cost
and all rows that are not mere bookkeeping are weighed with their duals: who pays is a target, a budget or a price.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from planner.compile import Matrix, Name
from planner.matrix import Names
from planner.problem import Problem

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

COLUMNS = ("measure", "city", "item", "id", "year", "value")
"""Columns of `explain.csv`."""
PLACES = ("measure", "city", "starts", "service", "reduced_cost")
PRICES = ("item", "id", "part", "year", "price")
ITEMS = {
    "target_is_kept": "target",
    "budget_is_kept": "budget",
    "pin_at_least": "pin",
    "pin_at_most": "pin",
    "level_above_floor": "floor",
    "shared_within_cap": "group",
    "dependents_within_providers": "group",
    "overlap_at_least": "overlap",
    "overlap_within_member": "overlap",
}
"""What a row of each family is called in a split. All other rows define something: nobody pays there."""
FOLLOWING = ("spending_is_paid", "fund_within_its_share")
"""Rows that follow from the others: the cheapest fund pays first, each up to its share."""
OWN = ("annuity", "fixed_om")
BOUNDS = ("potential", "ramp", "lump")
"""Items that are bounds of the measure itself."""
NOISE = 1e-7
"""Reduced costs below this part of what they are made of are the solver's tolerance [-]."""
TRACE = 1e-4
"""Starts below this part of their limit that do not pay are what the tie-break's slack buys: they do not count [-]."""


@dataclass(frozen=True)
class Split:
    """The reduced cost of a unit of every measure and city, item by item.

    Values are money per unit started, discounted to the base year: positive where the item makes the measure dearer,
    negative where it pays for it. A city where a measure starts has the mean of its starts, any other the start whose
    yearly cost would have to fall least. The items of a measure and city sum to its reduced cost: zero where the plan
    starts it, and else what would have to come off its cost, all else as planned.
    """

    items: pd.DataFrame
    """Columns `measure`, `city`, `item`, `id`, `year`, `value`."""
    places: pd.DataFrame
    """Columns `measure`, `city`, `starts`, `service` (years in service within the plan, discounted), `reduced_cost`."""
    prices: pd.DataFrame
    """Dual of every row that weighs: `item`, `id`, `part` (rest of its key), `year`, `price` in its year's money."""

    @classmethod
    def empty(cls) -> "Split":
        """Of no plan."""
        return cls(*(pd.DataFrame(columns=list(columns)) for columns in (COLUMNS, PLACES, PRICES)))


@dataclass(frozen=True)
class Duals:
    """One dual solution of the stage `cost`: the solver's, on the rows that ask for something, completed exactly.

    What change, level, pool, spending and payment are worth follows from those rows. The solver knows it to its
    tolerance only, and where nothing is spent any price of money up to that of the cheapest funds would do.
    """

    problem: Problem
    matrix: Matrix
    told: Array
    """Duals of all rows."""
    held: Mapping[str, float]
    """Duals of keeping earlier stages, written to be least."""

    @cached_property
    def costs(self) -> Array:
        """Coefficients of the net present value."""
        return next(stage.coefficients for stage in self.matrix.stages if stage.name == "cost")

    @cached_property
    def asking(self) -> Array:
        """Duals, zero in rows that only say what follows from others."""
        asking = self.told.copy()
        asking[self.matrix.defining_row[self.free]] = 0.0
        asking[[i for i, (family, _) in enumerate(self.matrix.rows) if family in FOLLOWING]] = 0.0
        return asking

    @cached_property
    def free(self) -> Codes:
        """Columns without bounds: each has a row that defines it."""
        return np.flatnonzero(np.isneginf(self.matrix.lower) & (self.matrix.defining_row >= 0)).astype(np.int64)

    @cached_property
    def definitions(self) -> csr_array:
        """How free columns follow from others: row j is what column j gains per unit of each other column."""
        width = self.matrix.A.shape[1]
        rows = csr_array(self.matrix.A[self.matrix.defining_row[self.free], :]).tocoo()
        column = self.free[rows.row]
        own = rows.col == column
        diagonal = np.ones(width)
        diagonal[column[own]] = rows.data[own]
        values = -rows.data[~own] / diagonal[column[~own]]
        return coo_array((values, (column[~own], rows.col[~own])), shape=(width, width)).tocsr()

    @cached_property
    def direct(self) -> Array:
        """What a unit of each column costs by itself, and in the rows that ask for something."""
        direct: Array = self.costs - self.matrix.A.T @ self.asking
        for name, dual in self.held.items():
            direct = direct - dual * self.stage(name)
        return direct

    def stage(self, name: str) -> Array:
        """Coefficients of an objective, written to be least."""
        stage = next(stage for stage in self.matrix.stages if stage.name == name)
        return -stage.coefficients if stage.maximise else stage.coefficients

    @cached_property
    def payments(self) -> Array:
        """What money of each payment costs where its fund is short; of other columns, their worth without payments."""
        return chain(csr_array(self.definitions.T), self.direct)

    @cached_property
    def mix(self) -> csr_array:
        """Who pays for one more unit of each spending: the cheapest fund first, each up to its share."""
        rows, columns, values = [], [], []
        for key in self.problem.financed:
            payers = []
            for f in self.problem.payers[key]:
                j = self.matrix.column["paid", (f, *key)]
                payers.append((self.payments[j], j, self.problem.max_share[f, str(key[0])]))
            left = 1.0
            for _, j, most in sorted(payers):
                rows.append(j)
                columns.append(self.matrix.column["spending", key])
                values.append(min(left, most))
                left -= values[-1]
        width = self.matrix.A.shape[1]
        mix: csr_array = coo_array((values, (rows, columns)), shape=(width, width)).tocsr()
        mix.eliminate_zeros()
        return mix

    @cached_property
    def reduced(self) -> Array:
        """Reduced cost of every column with bounds; of others what a unit of them is worth by what it leads to."""
        return chain(csr_array((self.definitions + self.mix).T), self.direct)

    def response(self, decisions: csr_array) -> csr_array:
        """What every column does along some decisions, one per column of `decisions`."""
        return chain(csr_array(self.definitions + self.mix), decisions)

    @cached_property
    def starts(self) -> "Starts":
        """All columns of starts."""
        return Starts(self)


Vector = TypeVar("Vector", Array, csr_array)


def chain(step: csr_array, start: Vector) -> Vector:
    """start + step start + step^2 start + ...: definitions form no cycle, so the sum ends."""
    total, term = start, step @ start
    while np.any(term.data if isinstance(term, csr_array) else term):
        total = total + term
        term = step @ term
    return total


class Starts:
    """Starts and the stock that follows from each: unit decisions."""

    def __init__(self, duals: Duals) -> None:
        problem, matrix = duals.problem, duals.matrix
        self.keys: list[tuple[str, str, int]] = list(problem.startable)
        assert isinstance(matrix.columns, Names)
        first = matrix.columns.first
        self.column = first["starts"] + np.arange(len(self.keys))
        m, c, v = problem.startable.parts
        years = np.array(problem.years)
        enters = years[v] + problem.lead_time[m]
        serves = (enters[:, None] <= years) & (years < (enters + problem.lifetime[m])[:, None])
        self.start, y = np.nonzero(serves)
        """Start, by pair of a start and a year in which it serves."""
        self.stock = first["stock"] + problem.holdings.locate((m[self.start], c[self.start], y))
        """Column of the stock, by pair."""
        self.year = years[y]
        discount = np.array([problem.discount[y] for y in range(problem.first, problem.last + 1)])
        self.discount = discount[self.year - problem.first]
        count = len(self.keys)
        self.service = np.bincount(self.start, self.discount, minlength=count)
        """Years in service within the plan, discounted."""
        self.own = duals.reduced[self.column].copy()
        """Reduced cost of the start itself; a lump's is that of a start that need not be whole."""
        for i, key in enumerate(self.keys):
            if problem.measures[key[0]].lump:
                self.own[i] += duals.told[matrix.row["starts_in_whole_lumps", key]]
        held = duals.reduced[self.stock]
        self.reduced = np.maximum(self.own, 0.0) + np.bincount(self.start, np.maximum(held, 0.0), minlength=count)
        """Reduced cost of a unit started, with the stock that follows; what its bounds are worth is taken off."""


def split(problem: Problem, matrix: Matrix, duals: Array, held: Mapping[str, float], plan: pd.DataFrame) -> Split:
    """The split of every measure and city, from the duals of a plan and its portfolio."""
    dual = Duals(problem, matrix, duals, held)
    starts = dual.starts
    chosen = plan.loc[plan["starts"] > 0, ["measure", "city", "year", "starts"]]
    begun = {(m, c, int(v)): float(n) for m, c, v, n in chosen.itertuples(index=False)}
    started = np.array([begun.get(key, 0.0) for key in starts.keys])
    limit = matrix.upper[starts.column]
    started[(started <= TRACE * limit) & (starts.reduced > TRACE * np.abs(dual.costs[starts.column]))] = 0.0
    pairs = {pair: k for k, pair in enumerate(dict.fromkeys((m, c) for m, c, _ in starts.keys))}
    place = np.array([pairs[m, c] for m, c, _ in starts.keys], dtype=np.int64)
    weights = _weights(place, started, starts.reduced / starts.service, len(pairs))
    names = list(pairs)
    parts = [part for part in _parts(dual, starts, weights, place, len(pairs)) if part[0].size]
    items = pd.concat(
        [pd.DataFrame({"place": at, "item": item, "id": of, "year": y, "value": x}) for at, item, of, y, x in parts]
        or [pd.DataFrame(columns=["place", "item", "id", "year", "value"])],
        ignore_index=True,
    )
    items = pd.DataFrame(items.groupby(["place", "item", "id", "year"])["value"].sum()).reset_index()
    items = items[items["value"] != 0]
    at = items["place"].to_numpy(dtype=np.int64)
    items.insert(0, "measure", [names[k][0] for k in at])
    items.insert(1, "city", [names[k][1] for k in at])
    reduced = np.bincount(place, weights * starts.reduced, minlength=len(pairs))
    places = pd.DataFrame(names, columns=["measure", "city"])
    places["starts"] = np.bincount(place, started, minlength=len(pairs))
    places["service"] = np.bincount(place, weights * starts.service, minlength=len(pairs))
    places["reduced_cost"] = reduced
    return Split(items[list(COLUMNS)].reset_index(drop=True), places, _prices(dual))


def _weights(place: Codes, started: Array, yearly: Array, count: int) -> Array:
    """Weight of each start in its place: its part of all starts there, or the one that comes nearest to paying."""
    total = np.bincount(place, started, minlength=count)
    weights = np.where(total[place] > 0, started / np.where(total[place] > 0, total[place], 1.0), 0.0)
    order = np.lexsort((np.arange(place.size), yearly, place))
    first = np.unique(place[order], return_index=True)[1]
    nearest = order[first]
    weights[nearest[total[place[nearest]] == 0]] = 1.0
    return weights


def _parts(
    dual: Duals, starts: Starts, weights: Array, place: Codes, count: int
) -> Iterator[tuple[Codes, "list[str] | str", "list[str] | str", Codes, Array]]:
    """All entries of the split: place, item, id, year, value."""
    problem, matrix = dual.problem, dual.matrix
    used = np.flatnonzero(weights)
    served = np.flatnonzero(weights[starts.start])
    start, weight = starts.start[served], weights[starts.start[served]]
    years, at, stock = starts.year[served], place[start], starts.stock[served]
    payment = np.array([problem.payment[m, v] for m, _, v in starts.keys])
    yield at, "annuity", "", years, weight * payment[start] * starts.discount[served]
    yield at, "fixed_om", "", years, weight * dual.costs[stock]
    yield at, "potential", "", years, weight * np.maximum(-dual.reduced[stock], 0.0)
    first = np.array([v for _, _, v in starts.keys], dtype=np.int64)
    bounds = ["lump" if problem.measures[starts.keys[i][0]].lump else "ramp" for i in used]
    yield place[used], bounds, "", first[used], weights[used] * np.maximum(-starts.own[used], 0.0)

    decisions = coo_array(
        (
            np.concatenate([weights[used], weight]),
            (np.concatenate([starts.column[used], stock]), np.concatenate([place[used], at])),
        ),
        shape=(matrix.A.shape[1], count),
    ).tocsr()
    response = dual.response(csr_array(decisions))
    families = np.array([family for family, _ in matrix.columns])
    priced = np.flatnonzero((families == "change") & (dual.costs != 0))
    yield from _weighed(response, priced, dual.costs, "price", matrix.columns)
    for name, value in dual.held.items():
        coefficients = -value * dual.stage(name)
        levels = np.flatnonzero(coefficients)
        found = next(_weighed(response, levels, coefficients, "objective", matrix.columns))
        yield (*found[:2], name, *found[3:])
    rows = np.array([i for i in np.flatnonzero(dual.asking) if matrix.rows[i][0] in ITEMS], dtype=np.int64)
    felt = csr_array(csr_array(matrix.A[rows, :]) @ response).tocoo()
    named = [_named(problem, matrix.rows[i]) for i in rows]
    yield (
        felt.col.astype(np.int64),
        [named[k][0] for k in felt.row],
        [named[k][1] for k in felt.row],
        np.array([named[k][3] for k in felt.row], dtype=np.int64),
        -dual.asking[rows[felt.row]] * felt.data,
    )


def _weighed(
    response: csr_array, columns: Codes, values: Array, item: str, names: Sequence[Name]
) -> Iterator[tuple[Codes, "list[str] | str", "list[str] | str", Codes, Array]]:
    """What some columns do along each decision, times their values; named by what they are of and their year."""
    felt = csr_array(response[columns, :]).tocoo()
    keys = [names[columns[k]][1] for k in felt.row]
    ids, years = [str(key[0]) for key in keys], np.array([int(key[-1]) for key in keys], dtype=np.int64)
    yield felt.col.astype(np.int64), item, ids, years, values[columns[felt.row]] * felt.data


def _named(problem: Problem, name: Name) -> tuple[str, str, str, int]:
    """Item, id, the rest of the key, and year of a row."""
    family, key = name
    id_, part, year = str(key[0]), "/".join(str(k) for k in key[1:-1]), int(key[-1])
    if family == "target_is_kept":
        return "target", problem.goal_target[id_], id_, year
    if family == "level_above_floor":
        level = problem.levels[id_]
        return "floor", level.what, level.scope, year
    return ITEMS[family], id_, part, year


def _prices(dual: Duals) -> pd.DataFrame:
    """Every row that weighs, with its price in the money of its year."""
    problem, rows = dual.problem, dual.matrix.rows
    found = []
    for i in np.flatnonzero(dual.asking):
        if rows[i][0] in ITEMS:
            item, id_, part, year = _named(problem, rows[i])
            unit = problem.bounds[part, year].price_unit if item == "target" else 1.0
            found.append((item, id_, part, year, -float(dual.asking[i]) * unit / problem.discount[year]))
    return pd.DataFrame(found, columns=list(PRICES))
