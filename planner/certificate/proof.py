"""Proof: a lower bound of an objective from the prices of a plan, by weak duality.

Prices y of the right sign on all rows give a bound whatever they are: for every plan that keeps its rows,

$$ c u \\ge \\sum_i y_i r_i + \\sum_j \\min(0, \\bar c_j)\\,U_j, \\quad \\bar c = c - R^T y, $$

where accounts that follow from others are first replaced by what they follow from. So their prices are not taken from
the files, where nine digits would leave a remainder on an account without bound: they are computed, and the files are
held against them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator, lsqr

from planner.certificate.facts import Vector
from planner.certificate.ledger import LEVEL_FAMILIES, Key, Ledger
from planner.certificate.papers import Audit, relative
from planner.certificate.verdict import TOLERANCE
from planner.rows import FUND

Prices = Mapping[Key, float]
ENOUGH = 0.8 * TOLERANCE
"""Gap up to which prices are taken as they are [-]."""
ROUNDING = 1e-8
"""Part of its terms below which a reduced cost may be rounding [-]."""
INSIDE = 1e-6
"""Part of its largest value by which a decision is off its ends to count as between them [-]."""
STEPS = 100
"""Most steps of the polishing."""
NOISE = 1e-9
"""Part of the largest price of its family, and of the objective, below which a price says nothing [-]."""
TOLD = 5e-9
"""Part of a number that nine digits leave open [-]."""
CANCELLED = 0.01
"""Part of the sum of its absolute terms that the scale of a row is at least: with nine digits in the files, a level
that is left over after large terms cancel is no more certain than they are [-]."""
IDLE = 1e-3
"""Part of what the potentials could do at most that the scale of a row is at least: solver noise where nothing happens
is no violation, a billionth of a potential that is [-]."""


@dataclass(frozen=True)
class Plan:
    """A plan as accounts."""

    u: Vector
    """Value of every account."""
    terms: Vector
    """Sum of the absolute terms of every account."""
    reach: Vector
    """The same with all that is decided at its largest."""
    swing: Vector
    """How far decisions can move each account, at most; 0 where it is given."""
    most: Vector
    """Largest value of what is decided."""


def size_of(weights: Vector, plan: Plan) -> float:
    """Scale of a weighted sum in a plan: the sum, or a part of its terms; where nothing happens, of what could."""
    sizes = np.abs(weights)
    found = max(abs(float(weights @ plan.u)), CANCELLED * float(sizes @ plan.terms))
    return found or IDLE * float(sizes @ plan.reach) or 1.0


@dataclass(frozen=True)
class Held:
    """An earlier stage, kept: weighted accounts up to a limit; what was largest is held as its negative."""

    name: str
    weights: Vector
    limit: float


@dataclass(frozen=True)
class Proof:
    """What the prices prove."""

    bound: float
    """No plan that keeps the rows (and holds the lumps) has a smaller objective [its unit]."""
    dual: float
    complementarity: float
    scale: float
    """Size of the objective that errors are relative to [its unit]."""
    rounding: float = 0.0
    """What the nine digits of held stages leave open in the bound [its unit]."""


@dataclass(frozen=True)
class Duals:
    """Prices of rows, of stock in service (by site and year, one year behind the last), and of held stages."""

    rows: Vector
    stock: Vector
    held: Vector


@dataclass(frozen=True)
class Reduced:
    """Reduced costs of what is decided and of stock, the sum that prices and constants make, and what accounts are
    worth."""

    starts: Vector
    stock: Vector
    others: Vector
    misses: Vector
    constant: float
    worth: Vector
    sizes: Vector


def prove(
    ledger: Ledger,
    matrix: csr_array,
    plan: Plan,
    prices: Prices,
    weights: Vector,
    claim: float,
    held: Sequence[Held],
    audit: Audit,
    file: str = "prices.csv",
) -> Proof:
    """The bound that prices give for the least weighted sum of accounts, and how well the plan fits them.

    `claim` is the least that the plan's own stage found: the bound should come up to it.
    """
    dual = Dual(ledger, matrix, plan, weights, held)
    told, duals = dual.read(prices)
    scale = dual.scale
    wrong = np.abs(told - duals.rows) * (abs(matrix) @ plan.reach + np.array(ledger.rows.sizes)) / scale
    for i in audit.measure(file, np.where(wrong > TOLERANCE, wrong, 0.0)):
        family, key, year = ledger.rows.names[i]
        values = {"found": float(told[i]), "error": float(wrong[i])}
        audit.fault("sign", file, f"{family}/{key}/{year}", column="dual", **values)
    reduced = dual.reduced(duals)
    bound = dual.bound(reduced)
    follows = defined(ledger, plan, prices, reduced, scale, audit, file)
    misfit = dual.misfit(duals, reduced) / scale
    if claim - bound > ENOUGH * scale:  # nine digits may be too few where large terms cancel
        bound = max(bound, dual.bound(dual.reduced(dual.polished(duals, reduced))))
    limits = np.array([stage.limit for stage in held])
    rounding = TOLD * float(np.abs(duals.held) @ np.abs(limits)) if held else 0.0
    return Proof(bound, max(float(wrong.max(initial=0.0)), follows), misfit, scale, rounding)


class Dual:
    """The dual of a case: reduced costs and bound of any prices."""

    def __init__(self, ledger: Ledger, matrix: csr_array, plan: Plan, weights: Vector, held: Sequence[Held]) -> None:
        self.ledger, self.plan, self.weights, self.held = ledger, plan, weights, held
        self.facts, self.block = ledger.facts, ledger.block
        f = self.facts
        self.matrix, self.transposed = matrix, csr_array(matrix.T)
        self.limits = np.array(ledger.rows.limits)
        self.equal = np.array(ledger.rows.equal, dtype=bool)
        self.value = float(weights @ plan.u)
        self.scale = size_of(weights, plan)
        """Size of the objective [its unit]."""
        self.names = [f"{f.names['measure'][m]}/{f.names['city'][c]}" for m, c in f.sites]
        at = [f.at[year] for year in f.start_year + f.lead[f.start_measure]]
        self.enter = np.array(at, dtype=np.int64)
        self.leave = np.minimum(self.enter + f.life[f.start_measure], f.T)
        self.whole = f.lump[f.start_measure] > 0
        self.most_stock = f.potential.copy()
        self.most_stock[:, 0] = 0.0
        self.others = np.r_[self.block["O"], self.block["D"]]

    def read(self, prices: Prices) -> tuple[Vector, Duals]:
        """Prices of rows as they are told, and all prices with the right signs; a miss costs its penalty, no more."""
        rows, f = self.ledger.rows, self.facts
        told = np.array([prices.get(name, 0.0) for name in rows.names])
        held = [min(0.0, prices.get(("stage_is_held", s.name, None), 0.0)) for s in self.held]
        y = self._signed(told, np.array(held))
        stock = np.zeros((len(f.sites), f.T + 1))
        for i, name in enumerate(self.names):
            stock[i, 1:-1] = [prices.get(("stock_in_service", name, year), 0.0) for year in f.years]
        return told, Duals(y, stock, np.array(held))

    def _signed(self, y: Vector, held: Vector) -> Vector:
        """Prices with the right signs; a miss costs its penalty (and what held stages ask for it), no more."""
        y = np.where(self.equal, y, np.minimum(y, 0.0))
        cost = self.weights - sum(p * stage.weights for p, stage in zip(held, self.held, strict=True))
        for goal in self.ledger.goals:
            if goal.miss is not None and goal.row is not None:
                y[goal.row] = max(y[goal.row], -float(cost[goal.miss]))
        return y

    def reduced(self, duals: Duals) -> Reduced:
        """Reduced costs at some prices: an account that follows from others is replaced by them."""
        f, block = self.facts, self.block
        gradient = self.weights - self.transposed @ duals.rows
        constant = float(duals.rows @ self.limits)
        for price, stage in zip(duals.held, self.held, strict=True):
            gradient = gradient - price * stage.weights
            constant += float(price) * stage.limit
        worth, sizes = self.ledger.backward(gradient)
        follows = slice(block["C"].start, self.ledger.width)
        constant += float(worth[follows] @ self.ledger.settled()[1][follows])
        # The row of a stock ties it to last year's, and to the starts that enter and leave service.
        steps = np.diff(f.existing, axis=1, prepend=0.0)
        steps[:, 1] = f.existing[:, 1]
        constant += float((duals.stock[:, 1:-1] * steps[:, 1:]).sum())
        of_stock = worth[block["A"]].reshape(len(f.sites), f.T) - (duals.stock[:, :-1] - duals.stock[:, 1:])
        of_stock[:, 0] = 0.0
        of_starts = worth[block["N"]] + duals.stock[f.start_site, self.enter] - duals.stock[f.start_site, self.leave]
        return Reduced(of_starts, of_stock, worth[self.others], worth[block["M"]], constant, worth, sizes)

    def bound(self, reduced: Reduced) -> float:
        """Lower bound of the weighted sum: what is decided goes where its reduced cost drives it; lumps are held."""
        started = self.plan.u[self.block["N"]]
        starts = np.where(self.whole, reduced.starts * started, np.minimum(reduced.starts, 0.0) * self.facts.start_fits)
        stock = np.minimum(reduced.stock, 0.0) * self.most_stock
        others = np.minimum(reduced.others, 0.0) * self.plan.most[self.others]
        return reduced.constant + float(starts.sum()) + float(stock.sum()) + float(others.sum())

    def misfit(self, duals: Duals, reduced: Reduced) -> float:
        """Largest product of a price and the room of its row, or of a reduced cost and the way to its end."""
        f, u, plan = self.facts, self.plan.u, self.plan
        room = self.limits - self.matrix @ u
        parts = [
            np.abs(duals.rows * room),
            np.array([abs(p * (s.limit - float(s.weights @ u))) for p, s in zip(duals.held, self.held, strict=True)]),
            np.where(self.whole, 0.0, fit(reduced.starts, u[self.block["N"]], f.start_fits)),  # lumps are held
            fit(reduced.stock, u[self.block["A"]].reshape(reduced.stock.shape), self.most_stock).ravel(),
            fit(reduced.others, u[self.others], plan.most[self.others]),
            fit(reduced.misses, u[self.block["M"]], np.full(len(reduced.misses), np.inf)),
        ]
        return max(float(part.max(initial=0.0)) for part in parts)

    def polished(self, duals: Duals, reduced: Reduced) -> Duals:
        """Prices moved by less than their last digits so that reduced costs which are rounding become none.

        A least-squares step; whatever it yields, signs are kept, so its bound holds.
        """
        f, block, u = self.facts, self.block, self.plan.u
        rows, stock = np.flatnonzero(duals.rows), np.nonzero(duals.stock)
        size = np.concatenate([np.abs(duals.rows[rows]), np.abs(duals.stock[stock])])
        worth = np.abs(duals.stock)
        terms = np.concatenate(
            [
                reduced.sizes[block["N"]] + worth[f.start_site, self.enter] + worth[f.start_site, self.leave],
                (reduced.sizes[block["A"]].reshape(-1, f.T) + worth[:, :-1] + worth[:, 1:]).ravel(),
                reduced.sizes[self.others],
            ]
        )
        costs = np.concatenate([reduced.starts, reduced.stock.ravel(), reduced.others])
        most = np.concatenate([f.start_fits, self.most_stock.ravel(), self.plan.most[self.others]])
        value = np.concatenate([u[block["N"]], u[block["A"]], u[self.others]])
        inside = (value > INSIDE * most) & (value < (1 - INSIDE) * most)
        chosen = np.flatnonzero((np.abs(costs) <= ROUNDING * terms) & (inside | (costs < 0)) & (most > 0))
        weight = most[chosen] / self.scale

        def spread(z: Vector) -> Duals:
            y, s = np.zeros_like(duals.rows), np.zeros_like(duals.stock)
            y[rows] = z[: len(rows)] * size[: len(rows)]
            s[stock] = z[len(rows) :] * size[len(rows) :]
            return Duals(y, s, np.zeros_like(duals.held))

        def forward(z: Vector) -> Vector:
            step = spread(np.asarray(z, dtype=float).ravel())
            moved = -self.ledger.backward(self.transposed @ step.rows, sizes=False)[0]
            starts = moved[block["N"]] + step.stock[f.start_site, self.enter] - step.stock[f.start_site, self.leave]
            of_stock = moved[block["A"]].reshape(-1, f.T) - (step.stock[:, :-1] - step.stock[:, 1:])
            found: Vector = np.concatenate([starts, of_stock.ravel(), moved[self.others]])[chosen] * weight
            return found

        def backward(v: Vector) -> Vector:
            full = np.zeros(len(costs))
            full[chosen] = np.asarray(v, dtype=float).ravel() * weight
            starts, rest = full[: len(f.starts)], full[len(f.starts) :]
            of_stock, others = rest[: len(f.sites) * f.T].reshape(-1, f.T), rest[len(f.sites) * f.T :]
            point = np.zeros(self.ledger.width)
            point[block["N"]], point[block["A"]], point[self.others] = starts, of_stock.ravel(), others
            on_rows = -(self.matrix @ self.ledger.carried(point))
            on_stock = np.zeros_like(duals.stock)
            on_stock[:, :-1] -= of_stock
            on_stock[:, 1:] += of_stock
            np.add.at(on_stock, (f.start_site, self.enter), starts)
            np.add.at(on_stock, (f.start_site, self.leave), -starts)
            back: Vector = np.concatenate([on_rows[rows], on_stock[stock]]) * size
            return back

        operator = LinearOperator((len(chosen), len(size)), matvec=forward, rmatvec=backward, dtype=float)
        step = spread(lsqr(operator, -costs[chosen] * weight, atol=1e-12, btol=1e-12, iter_lim=STEPS)[0])
        y = self._signed(duals.rows + step.rows, duals.held)
        polished_stock = duals.stock + step.stock
        polished_stock[:, [0, -1]] = 0.0
        return Duals(y, polished_stock, duals.held)


def fit(reduced: Vector, value: Vector, most: Vector) -> Vector:
    """Reduced cost times the distance from where it would push the value."""
    with np.errstate(invalid="ignore"):
        room = np.where(reduced >= 0, value, most - value)
        return np.abs(np.where(reduced == 0, 0.0, reduced * room))


def defined(
    ledger: Ledger, plan: Plan, prices: Prices, reduced: Reduced, scale: float, audit: Audit, file: str
) -> float:
    """Largest error of the prices of accounts that follow from others: they must be what the others make them."""
    f, worth, sizes = ledger.facts, reduced.worth, reduced.sizes
    accounts = names_of_accounts(ledger)
    told = np.zeros(ledger.width)
    named = {}
    for (family, key, year), price in prices.items():
        if family in accounts and year in f.at:
            start = accounts[family].get(key)
            if start is not None:
                told[start + f.at[year]] = price
                named[start + f.at[year]] = f"{family}/{key}/{year}"
    largest = 0.0
    for family, starts in accounts.items():
        if not starts:
            continue
        at = (np.fromiter(starts.values(), dtype=np.int64)[:, None] + np.arange(1, f.T)).ravel()
        at = at[(plan.swing[at] > 0) | (told[at] != 0)]  # what is given has no price
        price, largest_price = np.maximum(np.abs(told[at]), np.abs(worth[at])), np.abs(worth[at]).max(initial=0.0)
        nothing = largest_price * plan.reach[at].max(initial=0.0) <= NOISE * scale
        wrong = np.where(nothing | (price <= NOISE * largest_price), 0.0, told[at] - worth[at])
        errors = relative(wrong, np.abs(told[at]), np.abs(worth[at]), 0.01 * sizes[at])
        largest = max(largest, float(errors.max(initial=0.0)))
        for i in audit.measure(file, errors):
            name = named.get(int(at[i]), "")
            if not name:
                place = next(key for key, start in starts.items() if start <= at[i] < start + f.T)
                name = f"{family}/{place}/{f.dates[int(at[i]) - starts[place]]}"
            found = {"found": float(told[at[i]]), "expected": float(worth[at[i]]), "error": float(errors[i])}
            audit.fault("price", file, name, column="dual", **found)
    return largest


def names_of_accounts(ledger: Ledger) -> dict[str, dict[str, int]]:
    """First account of every account that follows from others, by family and key of its defining row."""
    f, T = ledger.facts, ledger.facts.T
    _, C, S, _ = f.shape
    city, sector = f.names["city"], f.names["sector"]
    changes = {
        f"{q}/{c}/{s}": ledger.block["C"].start + ((i * C + j) * S + k) * T
        for i, q in enumerate(f.names["quantity"])
        for j, c in enumerate(city)
        for k, s in enumerate(sector)
    }
    pools = {
        f"{name}/{s}": ledger.block["P"].start + (i * S + k) * T
        for i, name in enumerate(ledger.pooled)
        for k, s in enumerate(sector)
    }
    spendings = {
        f"{pool}/{c}": ledger.block["G"].start + (k * C + j) * T
        for k, pool in enumerate(f.pools)
        for j, c in enumerate(city)
    }
    levels: dict[str, dict[str, int]] = {
        name: {} for name in ("quantity_level", "fund_level", *LEVEL_FAMILIES.values())
    }
    for name, start in ledger.levels.items():
        what = name.split("|")[0]
        family = "fund_level" if what.startswith(FUND) else LEVEL_FAMILIES.get(what, "quantity_level")
        levels[family][name] = start
    return {"change_adds_up": changes, "pool_adds_up": pools, "spending_adds_up": spendings, **levels}


def known_rows(ledger: Ledger, stages: list[str]) -> set[Key]:
    """Every row that a price may name, but those of accounts that follow from others."""
    f = ledger.facts
    known = set(ledger.rows.names)
    for m, c in f.sites:
        name = f"{f.names['measure'][m]}/{f.names['city'][c]}"
        known |= {("stock_in_service", name, y) for y in f.years}
    for start in f.starts:
        m, c = f.sites[start.site]
        if f.lump[m]:
            name = f"{f.names['measure'][m]}/{f.names['city'][c]}"
            known.add(("starts_in_whole_lumps", name, start.year))
    return known | {("stage_is_held", stage, None) for stage in stages}
