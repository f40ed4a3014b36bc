"""The worst a target could come to whatever is built: arithmetic on potentials, ramps, lead times and groups."""

from collections import defaultdict
from functools import cache

import numpy as np
from numpy.typing import NDArray

from planner.problem import Problem
from planner.problem.changes import Place
from planner.rows import FUND
from planner.targets import Bound

Array = NDArray[np.float64]


class Worst:
    """Every measure stands in every city at what harms a target most, as far as its limits let it.

    Stock lies between what exists and its fastest ramp within potential, lead time and first year; members of a group
    within what they share. Years are independent of each other, so no plan is worse, and the worst may be no plan.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        years = range(len(problem.years))
        self.at = {y: i for i, y in enumerate(problem.years)}
        self.held = {key: i for i, key in enumerate(problem.potential_path)}
        self.pairs = {key: i for i, key in enumerate(problem.overlap_pairs)}
        self.low, self.high = np.zeros((len(self.held), len(years))), np.zeros((len(self.held), len(years)))
        for (m, c, y), held in problem.existing.items():
            most = held + sum(problem.start_limit[m, c, v] for v in problem.serving[m, c, y])
            potential = problem.potential[m, c, y]
            self.low[self.held[m, c], self.at[y]] = min(held, potential)
            self.high[self.held[m, c], self.at[y]] = min(most, potential)
        self.starts = np.zeros_like(self.high)
        for (m, c, v), limit in problem.start_limit.items():
            self.starts[self.held[m, c], self.at[v]] = limit
        self.overlap = np.zeros((len(self.pairs), len(years))), np.zeros((len(self.pairs), len(years)))
        for g, c, y in problem.overlaps:
            i = self.at[y]
            members = [(self.held[m, c], problem.part_of_potential[m, c, y]) for m in problem.overlap_members[g, c, y]]
            self.overlap[0][self.pairs[g, c], i] = max(0.0, sum(self.low[j, i] * part for j, part in members) - 1)
            self.overlap[1][self.pairs[g, c], i] = min(1.0, *(self.high[j, i] * part for j, part in members))
        self.effects: dict[Place, list[tuple[int, Array]]] = defaultdict(list)
        for (m, q, c), effect in problem.effect_path.items():
            self.effects[q, c, problem.measures[m].sector].append((self.held[m, c], effect[1:]))
        self.groups = self._groups()
        self.level, self.changes = cache(self._level), cache(self._changes)

    def excess(self, bound: Bound) -> tuple[float, float]:
        """Largest excess over what a bound allows, and the size of the terms it is summed from [its unit]."""
        stock, starts, overlap = np.zeros_like(self.high), np.zeros_like(self.high), np.zeros_like(self.overlap[1])
        most, size = -bound.limit, abs(bound.limit)
        for (level, year), weight in bound.excess.items():
            base, of_stock, of_starts, of_overlap, free = self.level(level, year)
            i = self.at[year]
            stock[:, i] += weight * of_stock
            starts += weight * of_starts
            overlap[:, i] += weight * of_overlap
            most += weight * base + max(weight * free[0], weight * free[1])
            size += abs(weight * base) + abs(weight) * free[1]
        for weights, low, high in ((stock, self.low, self.high), (starts, 0.0, self.starts), (overlap, *self.overlap)):
            most += float(np.maximum(weights * low, weights * high).sum())
            size += float((np.abs(weights) * high).sum())
        if most > 0:
            most -= sum(self._crowding(stock[:, i], i) for i in np.flatnonzero(stock.any(axis=0)).tolist())
        return most, size

    def _level(self, level: str, year: int) -> tuple[float, Array, Array, Array, tuple[float, float]]:
        """A level in a year: constant; weights of stock, starts and overlaps; and ends of what is free to choose."""
        problem, spec, i = self.problem, self.problem.levels[level], self.at[year]
        stock, starts = np.zeros(len(self.held)), np.zeros_like(self.high)
        overlap, free = np.zeros(len(self.pairs)), (0.0, 0.0)
        base = problem.level_base.get((level, year), 0.0)
        if spec.what == "capex":
            for k, c in problem.level_spendings[level, year]:
                base += problem.pool_booked[k, c, year]
                for m, v in problem.pool_starts[k, c, year]:
                    starts[self.held[m, c], self.at[v]] += problem.installment[m, v]
        elif spec.what.startswith(FUND):
            free = self._payments(level, year)
        else:
            changes, losses = self.changes(level)
            stock, overlap = changes[:, i].copy(), losses[:, i]
            for m, c, v in problem.level_serving.get((level, year), ()):
                starts[self.held[m, c], self.at[v]] += problem.payment[m, v]
            for m, c in problem.level_holdings.get((level, year), ()):
                stock[self.held[m, c]] += problem.fixed_om[m, year]
        return base, stock, starts, overlap, free

    def _payments(self, level: str, year: int) -> tuple[float, float]:
        """Least and most that funds could pay in a year: what no other may pay, and their shares of all spending."""
        problem, least, most = self.problem, 0.0, 0.0
        funds: dict[tuple[str, str], set[str]] = defaultdict(set)
        for f, k, c in problem.level_payments[level, year]:
            funds[k, c].add(f)
        for (k, c), own in funds.items():
            shares = {f: problem.max_share[f, k] for f in problem.payers[k, c, year]}
            booked = problem.pool_booked[k, c, year]
            started = problem.pool_starts[k, c, year]
            spent = sum(problem.installment[m, v] * problem.start_limit[m, c, v] for m, v in started)
            least += booked * max(0.0, 1 - sum(share for f, share in shares.items() if f not in own))
            most += (booked + spent) * min(1.0, sum(shares[f] for f in own))
        return least, most

    def _changes(self, level: str) -> tuple[Array, Array]:
        """What a unit of stock and a whole overlap do to a level, by year, through all conversions.

        The weight of a change is its own and what conversions make of it, found from the last conversion back.
        """
        problem, spec = self.problem, self.problem.levels[level]
        weight: dict[Place, Array] = {}
        for place in problem.places:
            if spec.what in ("cost", place[0]) and problem.covers(spec, place[1], place[2]):
                own = problem.price_path.get(place[0]) if spec.what == "cost" else np.ones(len(problem.years))
                if own is not None:
                    weight[place] = own
        into: dict[str, list[tuple[Place, list[Place], float]]] = defaultdict(list)
        for place, ways in problem.local_into.items():
            for route, source in ways:
                into[route.id].append((place, [source], 1.0))
        for place, pools in problem.pooled_into.items():
            for route, sector in pools:
                share = problem.allocation[route.id, place[1]]
                into[route.id].append((place, problem.pools[route.id, sector], share))
        for route in reversed(problem.routes):
            for place, sources, share in into[route.id]:
                if place in weight:
                    carried = share * route.factor[1:] * weight[place]
                    for source in sources:
                        weight[source] = weight.get(source, 0.0) + carried
        stock, overlap = np.zeros_like(self.high), np.zeros_like(self.overlap[1])
        for place, value in weight.items():
            for j, effect in self.effects.get(place, ()):
                stock[j] += effect * value
        for (g, c), (first, _) in problem.overlap_pairs.items():
            place = (problem.overlap_quantity[g], c, problem.measures[first].sector)
            if place in weight:
                overlap[self.pairs[g, c]] += problem.loss[g] * weight[place]
        return stock, overlap

    def _groups(self) -> dict[int, list[tuple[NDArray[np.int64], Array, float]]]:
        """By year: members of each group, what a unit of each takes, and what is left beyond their least stock."""
        problem = self.problem
        found: dict[int, list[tuple[NDArray[np.int64], Array, float]]] = defaultdict(list)
        for keys, stock, bound in (
            (problem.shared, problem.shared_stock, problem.cap),
            (problem.required, problem.dependent_stock, problem.free),
        ):
            for key in keys:
                g, _, y = key
                if stock[key]:
                    i = self.at[y]
                    members = np.array([self.held[member] for member in stock[key]])
                    weights = np.array([problem.weight[g, m, c, y] for m, c in stock[key]])
                    served = (
                        problem.ratio[g, m, c, y] * self.high[self.held[m, c], i]
                        for m, c in problem.provider_stock.get(key, ())
                    )
                    room = bound[key] + sum(served) - float(weights @ self.low[members, i])
                    if room < float(weights @ (self.high[members, i] - self.low[members, i])):
                        found[i].append((members, weights, max(0.0, room)))
        return found

    def _crowding(self, weights: Array, i: int) -> float:
        """How far groups keep the stock of a year from the worst, each measure and city counted in one group."""
        saved = 0.0
        counted = np.zeros(len(self.held), dtype=bool)
        for members, takes, room in self.groups[i]:
            gain = weights[members] * (self.high[members, i] - self.low[members, i])
            chosen = np.flatnonzero((gain > 0) & (takes > 0) & ~counted[members])
            if chosen.size:
                taken = takes[chosen] * (self.high[members, i] - self.low[members, i])[chosen]
                best = chosen[np.argsort(-gain[chosen] / taken)]
                filled = takes[best] * (self.high[members, i] - self.low[members, i])[best]
                before = np.cumsum(filled) - filled
                parts = np.clip((room - before) / filled, 0.0, 1.0)
                lost = float((gain[best] * (1 - parts)).sum())
                if lost > 0:
                    saved += lost
                    counted[members[chosen]] = True
        return saved
