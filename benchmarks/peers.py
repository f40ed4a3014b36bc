"""The linear program of a province in other tools, each in the way that is natural to it, from the same arrays.

linopy: labelled arrays; sums over sparse relations by `groupby`. pyoptinterface: a loop per family of rows. Pyomo: the
planner's own rules, instantiated one by one. Rows, columns and optimum are those of the planner; `bench.py` asserts it.
"""

import warnings
from typing import Any

import linopy
import numpy as np
import pandas as pd
import pyomo.environ as pyo
import pyoptinterface as poi
import xarray as xr
from pyomo.contrib.appsi.solvers import Highs
from pyoptinterface import highs as poi_highs

from benchmarks.provinces import FUNDS, ROUTES, SECTORS, Level, Province
from planner.ordinary import instantiate
from planner.problem import Problem

warnings.filterwarnings("ignore", category=linopy.LinopySemanticsWarning)  # absent columns are meant to count 0


def levels_of(p: Province) -> list[Level]:
    """Every level that targets, floors and budgets ask for."""
    everywhere, all_sectors = tuple(range(len(p.cities))), tuple(range(len(SECTORS)))
    asked = [x for goal in p.goals for x, _, _ in goal.terms] + [x for x, _, _ in p.limits]
    return list(dict.fromkeys([*asked, *(Level(q, everywhere, all_sectors) for q in p.floors)]))


def base_of(p: Province, x: Level) -> np.ndarray:
    """Baseline of a level of a quantity."""
    return p.baseline[p.quantities.index(x.what)][np.ix_(x.cities, x.sectors)].sum(axis=(0, 1))[1:]


def routes_between(p: Province, pooled: bool) -> list[tuple[int, int, float, int]]:
    """Source place, target place, factor and number of the pool (of its own kind) of every conversion."""
    place = {at: i for i, at in enumerate(p.places)}
    found, number = [], -1
    for source, target, factor, to, is_pooled in ROUTES:
        number += is_pooled
        for (q, s), i in place.items():
            if p.quantities[q] == source and is_pooled == pooled:
                goes = place[p.quantities.index(target), SECTORS.index(to) if to else s]
                found.append((i, goes, factor, number))
    return found


# linopy --------------------------------------------------------------------------------------------------------------


def in_linopy(p: Province) -> linopy.Model:
    """The province in linopy."""
    m = linopy.Model()
    C, M, Y = len(p.cities), len(p.measures), len(p.years)
    measure, city, year = pd.RangeIndex(M, name="measure"), pd.RangeIndex(C, name="city"), pd.RangeIndex(Y, name="year")
    place = pd.RangeIndex(len(p.places), name="place")
    sector, fund = pd.RangeIndex(len(SECTORS), name="sector"), pd.RangeIndex(len(FUNDS), name="fund")

    def array(values: Any, *dims: str) -> xr.DataArray:
        return xr.DataArray(
            values, dims=dims, coords={d: np.arange(n) for d, n in zip(dims, np.shape(values), strict=True)}
        )

    def entries(values: Any) -> xr.DataArray:
        return xr.DataArray(np.asarray(values), dims="entry")

    present = array(p.present, "measure", "city")
    years = np.arange(Y)
    may = array((years >= p.first[:, None]) & (years < Y - p.lead[:, None]), "measure", "year")
    mcy = [measure, city, year]
    limit = array(p.start_limit, "measure", "city").expand_dims(year=year).transpose("measure", "city", "year")
    starts = m.add_variables(0, limit, mcy, name="starts", mask=present & may)
    stock = m.add_variables(0, array(p.potential, *("measure", "city", "year")), mcy, name="stock", mask=present)
    pair = pd.RangeIndex(len(p.pairs), name="pair")
    loss = array(p.loss, "pair", "city")
    overlap = m.add_variables(0, 1, [pair, city, year], name="overlap", mask=loss > 0)
    pools = pd.RangeIndex(sum(route[4] for route in ROUTES), name="pool")
    pool = m.add_variables(coords=[pools, year], name="pool")
    change = m.add_variables(coords=[place, city, year], name="change")
    spending = m.add_variables(coords=[sector, city, year], name="spending")
    paid = m.add_variables(0, coords=[fund, sector, city, year], name="paid")
    asked = levels_of(p)
    number = {x: i for i, x in enumerate(asked)}
    level = m.add_variables(coords=[pd.RangeIndex(len(asked), name="level"), year], name="level")
    goal = pd.RangeIndex(len(p.goals), name="goal")
    soft = array([g.penalty is not None for g in p.goals], "goal")
    miss = m.add_variables(0, coords=[goal], name="miss", mask=soft)

    for lead, life in sorted(set(zip(p.lead.tolist(), p.lifetime.tolist(), strict=True))):
        some = np.flatnonzero((p.lead == lead) & (p.lifetime == life))
        a, n = stock.sel(measure=some), starts.sel(measure=some)
        left = a - a.shift(year=1) - n.shift(year=lead)
        if lead + life < Y:
            left = left + n.shift(year=lead + life)
        m.add_constraints(left == 0, name=f"stock_{lead}_{life}", mask=present.sel(measure=some))

    for tie in p.ties:
        uses = stock.sel(measure=list(tie.uses))
        if tie.weight is None:
            left = (
                uses / array(p.potential, "measure", "city", "year").sel(measure=list(tie.uses)).where(present)
            ).sum("measure")
        else:
            left = (tie.weight * uses).sum("measure")
        if tie.provides:
            left = left - stock.sel(measure=list(tie.provides)).sum("measure")
        if tie.province:
            left = left.sum("city")
        bound = array(tie.bound, "city") if isinstance(tie.bound, np.ndarray) else tie.bound
        m.add_constraints(left <= bound, name=tie.id)

    members = [
        stock.sel(measure=xr.DataArray([pair_[i] for pair_ in p.pairs], dims="pair", coords={"pair": pair}))
        * array(np.divide(1, use, out=np.zeros_like(use), where=use > 0), "pair", "city", "year")
        for i in (0, 1)
        for use in [p.potential[[pair_[i] for pair_ in p.pairs]]]
    ]
    members = [x.drop_vars("measure", errors="ignore") for x in members]
    m.add_constraints(members[0] + members[1] - overlap <= 1, name="overlap_at_least", mask=loss > 0)
    for i, x in enumerate(members):
        m.add_constraints(overlap - x <= 0, name=f"overlap_within_{i}", mask=loss > 0)

    def relation(variable: linopy.Variable, weight: xr.DataArray, **at: Any) -> linopy.LinearExpression:
        """Weighted columns along the dimension `entry`."""
        picked = weight * variable.sel({name: entries(values) for name, values in at.items()})
        return picked.drop_vars(list(at), errors="ignore")

    def weights(values: Any, *dims: str) -> xr.DataArray:
        return xr.DataArray(np.asarray(values, dtype=float), dims=("entry", *dims))

    local, pooled = routes_between(p, False), routes_between(p, True)
    m.add_constraints(
        pool
        - relation(change.sum("city"), weights([f for _, _, f, _ in pooled]), place=[i for i, _, _, _ in pooled])
        .groupby(xr.DataArray([r for *_, r in pooled], dims="entry", name="pool"))
        .sum()
        == 0,
        name="pools",
    )
    position = {at: i for i, at in enumerate(p.places)}
    into = {r: j for _, j, _, r in pooled}
    at = [position[int(q), int(p.sector[k])] for k, q in zip(p.effect_of, p.effect_on, strict=True)]
    parts = [
        relation(stock, weights(p.effect, "year").assign_coords(year=year), measure=p.effect_of),
        relation(overlap, weights(p.loss, "city").assign_coords(city=city), pair=np.arange(len(p.pairs))),
        relation(change, weights([f for *_, f, _ in local]), place=[i for i, *_ in local]),
        relation(pool, weights([p.share] * len(into), "city").assign_coords(city=city), pool=list(into)),
    ]
    lost = [position[q, int(p.sector[k])] for k, _, q in p.pairs]
    goes = [*at, *lost, *(j for _, j, _, _ in local), *into.values()]
    acting = linopy.merge(parts, dim="entry")
    carried = acting.groupby(xr.DataArray(goes, dims="entry", name="place")).sum()
    m.add_constraints(change - carried == 0, name="changes")

    # Money
    per = np.maximum(p.lead, 1)
    yearly = array(p.capex / per[:, None], "measure", "year") * starts
    in_sector = xr.DataArray(p.sector, dims="measure", coords={"measure": measure}, name="sector")
    spent = yearly
    for later in range(1, int(per.max())):
        spent = spent + yearly.where(array(per > later, "measure")).shift(year=later)
    m.add_constraints(spending - spent.groupby(in_sector).sum() == 0, name="spending")
    m.add_constraints(paid.sum("fund") - spending == 0, name="paid")
    m.add_constraints(paid - array(p.max_share, "fund", "sector") * spending <= 0, name="shares")

    # Levels
    quantity = {x: k for x, k in number.items() if not x.what.startswith("fund:")}
    whole = [x for x in quantity if len(x.cities) == C]
    single = [x for x in quantity if len(x.cities) < C]
    of = {q: [i for (k, _), i in position.items() if p.quantities[k] == q] for q in {x.what for x in quantity}}
    sums = change.sum("city")
    for name, xs in (("whole", whole), ("single", single)):
        listed = [(number[x], i, c) for x in xs for i in of[x.what] for c in (x.cities if name == "single" else (0,))]
        if name == "whole":
            parts_ = relation(sums, weights(np.ones(len(listed))), place=[i for _, i, _ in listed])
        else:
            parts_ = relation(
                change, weights(np.ones(len(listed))), place=[i for _, i, _ in listed], city=[c for *_, c in listed]
            )
        summed = parts_.groupby(xr.DataArray([k for k, _, _ in listed], dims="entry", name="level")).sum()
        some_ = sorted({k for k, _, _ in listed})
        left = level.sel(level=some_) - summed
        base = np.array([base_of(p, asked[k]) for k in some_])
        right = xr.DataArray(base, dims=("level", "year"), coords={"level": some_, "year": year})
        m.add_constraints(left == right, name=f"levels_{name}")
    for x in whole:
        if not of[x.what]:  # nothing changes it
            m.add_constraints(level.sel(level=number[x]) == array(base_of(p, x), "year"), name=f"level_{x.what}")
    for f, name in enumerate(FUNDS):
        mine = [x for x in asked if x.what == f"fund:{name}"]
        some_ = [number[x] for x in mine]
        if len(mine) == 1:
            m.add_constraints(level.sel(level=some_[0]) - paid.sel(fund=f).sum(["sector", "city"]) == 0, name=name)
        elif mine:
            picked = paid.sel(
                fund=f, city=xr.DataArray([x.cities[0] for x in mine], dims="level", coords={"level": some_})
            )
            left = level.sel(level=some_) - picked.sum("sector").drop_vars(["city", "fund"], errors="ignore")
            m.add_constraints(left == 0, name=name)
    floors = [number[x] for x in whole if x.what in p.floors]
    floor = xr.DataArray([p.floors[asked[k].what] for k in floors], dims="level", coords={"level": floors})
    m.add_constraints(level.sel(level=floors) >= floor, name="floors")
    terms = [(g, number[x], y, w) for g, row in enumerate(p.goals) for x, y, w in row.terms]
    left = relation(
        level, weights([w for *_, w in terms]), level=[k for _, k, _, _ in terms], year=[y for _, _, y, _ in terms]
    )
    left = left.groupby(xr.DataArray([g for g, *_ in terms], dims="entry", name="goal")).sum()
    m.add_constraints(left - miss <= array([g.limit for g in p.goals], "goal"), name="goals")
    terms = [(b, number[x], y, 1.0) for b, (x, span, _) in enumerate(p.limits) for y in span]
    left = relation(
        level, weights([w for *_, w in terms]), level=[k for _, k, _, _ in terms], year=[y for _, _, y, _ in terms]
    )
    left = left.groupby(xr.DataArray([b for b, *_ in terms], dims="entry", name="budget")).sum()
    m.add_constraints(left <= array([limit for *_, limit in p.limits], "budget"), name="budgets")

    # Costs
    discount = (1 + p.rate) ** -(years + 1.0)
    cost = (array(start_costs(p), "measure", "year") * starts).sum()
    cost = cost + (array(p.fixed_om[:, None] * discount, "measure", "year") * stock).sum()
    priced = [(i, p.price[p.quantities[q]] * discount) for (q, _), i in position.items() if p.quantities[q] in p.price]
    price = xr.DataArray(
        [v for _, v in priced], dims=("place", "year"), coords={"place": [i for i, _ in priced], "year": year}
    )
    cost = cost + (price * change.sel(place=[i for i, _ in priced])).sum()
    penalty = array([(g.penalty or 0.0) * discount[g.year] for g in p.goals], "goal")
    m.add_objective(cost + (penalty * miss).sum())
    return m


def start_costs(p: Province) -> np.ndarray:
    """Discounted annuities of a start, by measure and start year."""
    n = len(p.years)
    costs = np.zeros((len(p.measures), n))
    for m in range(len(p.measures)):
        annuity = p.rate / (1 - (1 + p.rate) ** -int(p.lifetime[m]))
        for v in p.may_start(m):
            first = v + int(p.lead[m])
            served = sum((1 + p.rate) ** -(y + 1) for y in range(first, min(first + int(p.lifetime[m]), n)))
            costs[m, v] = p.capex[m, v] * annuity * served
    return costs


def linopy_solver(m: linopy.Model) -> Any:
    """A solver instance of linopy that keeps its HiGHS and is told differences only."""
    return linopy.solvers.Solver.from_name(
        "highs", m, io_api="direct", track_updates=True, options={"threads": 1, "parallel": "off", "output_flag": False}
    )


# pyoptinterface ------------------------------------------------------------------------------------------------------


def in_pyoptinterface(p: Province) -> tuple[poi_highs.Model, list[Any]]:
    """The province in pyoptinterface, and the rows of its goals."""
    model = poi_highs.Model()
    C, M, Y, S, F = (range(len(x)) for x in (p.cities, p.measures, p.years, SECTORS, FUNDS))
    Expr, add = poi.ExprBuilder, model.add_linear_constraint
    variable = model.add_variable
    present = p.present
    start_limit, potential = p.start_limit.tolist(), p.potential.tolist()
    starts: dict[tuple[int, int, int], Any] = {}
    stock: dict[tuple[int, int, int], Any] = {}
    held = [(m, c) for m in M for c in C if present[m, c]]
    for m, c in held:
        for v in p.may_start(m):
            starts[m, c, v] = variable(lb=0.0, ub=start_limit[m][c])
        for y in Y:
            stock[m, c, y] = variable(lb=0.0, ub=potential[m][c][y])
    overlapping = [(k, c) for k in range(len(p.pairs)) for c in C if p.loss[k, c]]
    overlap = {(k, c, y): variable(lb=0.0, ub=1.0) for k, c in overlapping for y in Y}
    pool = {(r, y): variable() for r in range(sum(route[4] for route in ROUTES)) for y in Y}
    change = {(i, c, y): variable() for i in range(len(p.places)) for c in C for y in Y}
    spending = {(s, c, y): variable() for s in S for c in C for y in Y}
    paid = {(f, s, c, y): variable(lb=0.0) for f in F for s in S for c in C for y in Y}
    level = {(x, y): variable() for x in levels_of(p) for y in Y}
    miss = {g: variable(lb=0.0) for g, goal in enumerate(p.goals) if goal.penalty is not None}

    for m, c in held:
        lead, life = int(p.lead[m]), int(p.lifetime[m])
        for y in Y:
            left = Expr()
            left.add_affine_term(stock[m, c, y], 1.0)
            if y:
                left.add_affine_term(stock[m, c, y - 1], -1.0)
            if (m, c, y - lead) in starts:
                left.add_affine_term(starts[m, c, y - lead], -1.0)
            if (m, c, y - lead - life) in starts:
                left.add_affine_term(starts[m, c, y - lead - life], 1.0)
            add(left, poi.Eq, 0.0)
    for tie in p.ties:
        bounds = np.broadcast_to(tie.bound, len(C)).tolist()
        for group in [list(C)] if tie.province else [[c] for c in C]:
            for y in Y:
                left = Expr()
                for c in group:
                    for m in tie.uses:
                        if present[m, c]:
                            weight = tie.weight if tie.weight is not None else 1 / potential[m][c][y]
                            left.add_affine_term(stock[m, c, y], weight)
                    for m in tie.provides:
                        if present[m, c]:
                            left.add_affine_term(stock[m, c, y], -1.0)
                add(left, poi.Leq, bounds[group[0]])
    for k, c in overlapping:
        first, second, _ = p.pairs[k]
        for y in Y:
            parts = [(stock[m, c, y], 1 / potential[m][c][y]) for m in (first, second)]
            left = Expr()
            left.add_affine_term(overlap[k, c, y], -1.0)
            for column, value in parts:
                left.add_affine_term(column, value)
            add(left, poi.Leq, 1.0)
            for column, value in parts:
                left = Expr()
                left.add_affine_term(overlap[k, c, y], 1.0)
                left.add_affine_term(column, -value)
                add(left, poi.Leq, 0.0)

    place = {at: i for i, at in enumerate(p.places)}
    pooled = routes_between(p, True)
    for (r, y), column in pool.items():
        left = Expr()
        left.add_affine_term(column, 1.0)
        for i, _, factor, number in pooled:
            if number == r:
                for c in C:
                    left.add_affine_term(change[i, c, y], -factor)
        add(left, poi.Eq, 0.0)
    effects: list[list[tuple[int, list[float]]]] = [[] for _ in p.places]
    for m, q, values in zip(p.effect_of.tolist(), p.effect_on.tolist(), p.effect.tolist(), strict=True):
        effects[place[q, int(p.sector[m])]].append((m, values))
    into: list[list[tuple[int, float]]] = [[] for _ in p.places]
    for i, j, factor, _ in routes_between(p, False):
        into[j].append((i, factor))
    losses: list[list[int]] = [[] for _ in p.places]
    for k, (m, _, q) in enumerate(p.pairs):
        losses[place[q, int(p.sector[m])]].append(k)
    pools_into = {(j, r) for _, j, _, r in pooled}
    share, loss = p.share.tolist(), p.loss.tolist()
    for i in range(len(p.places)):
        pools = sorted(r for j, r in pools_into if j == i)
        for c in C:
            acting = [(m, values) for m, values in effects[i] if present[m, c]]
            for y in Y:
                left = Expr()
                left.add_affine_term(change[i, c, y], 1.0)
                for m, values in acting:
                    left.add_affine_term(stock[m, c, y], -values[y])
                for k in losses[i]:
                    if loss[k][c]:
                        left.add_affine_term(overlap[k, c, y], -loss[k][c])
                for j, factor in into[i]:
                    left.add_affine_term(change[j, c, y], -factor)
                for r in pools:
                    left.add_affine_term(pool[r, y], -share[c])
                add(left, poi.Eq, 0.0)

    in_sector = [np.flatnonzero(p.sector == s).tolist() for s in S]
    for s in S:
        terms: list[list[tuple[int, int, float]]] = [[] for _ in Y]
        for m in in_sector[s]:
            count = p.installments(m)
            for v in p.may_start(m):
                for y in range(v, v + count):
                    terms[y].append((m, v, -float(p.capex[m, v]) / count))
        for c in C:
            for y in Y:
                left = Expr()
                left.add_affine_term(spending[s, c, y], 1.0)
                for m, v, value in terms[y]:
                    if present[m, c]:
                        left.add_affine_term(starts[m, c, v], value)
                add(left, poi.Eq, 0.0)
                left = Expr()
                left.add_affine_term(spending[s, c, y], -1.0)
                for f in F:
                    left.add_affine_term(paid[f, s, c, y], 1.0)
                add(left, poi.Eq, 0.0)
                for f in F:
                    left = Expr()
                    left.add_affine_term(paid[f, s, c, y], 1.0)
                    left.add_affine_term(spending[s, c, y], -float(p.max_share[f, s]))
                    add(left, poi.Leq, 0.0)

    funds = list(FUNDS)
    for x in levels_of(p):
        fund = x.what.startswith("fund:")
        base = [0.0] * len(Y) if fund else base_of(p, x).tolist()
        of = [] if fund else [i for (q, _), i in place.items() if p.quantities[q] == x.what]
        for y in Y:
            left = Expr()
            left.add_affine_term(level[x, y], 1.0)
            for c in x.cities:
                if fund:
                    for s in S:
                        left.add_affine_term(paid[funds.index(x.what[5:]), s, c, y], -1.0)
                for i in of:
                    left.add_affine_term(change[i, c, y], -1.0)
            add(left, poi.Eq, base[y])
        if not fund and x.what in p.floors and len(x.cities) == len(C):
            for y in Y:
                left = Expr()
                left.add_affine_term(level[x, y], -1.0)
                add(left, poi.Leq, -p.floors[x.what])
    goals = []
    for g, goal in enumerate(p.goals):
        left = Expr()
        for x, y, weight in goal.terms:
            left.add_affine_term(level[x, y], weight)
        if g in miss:
            left.add_affine_term(miss[g], -1.0)
        goals.append(add(left, poi.Leq, goal.limit))
    for x, span, limit in p.limits:
        left = Expr()
        for y in span:
            left.add_affine_term(level[x, y], 1.0)
        add(left, poi.Leq, limit)

    discount = [(1 + p.rate) ** -(y + 1) for y in Y]
    cost = Expr()
    paying = start_costs(p).tolist()
    running = p.fixed_om.tolist()
    for (m, _, v), column in starts.items():
        cost.add_affine_term(column, paying[m][v])
    for (m, _, y), column in stock.items():
        cost.add_affine_term(column, running[m] * discount[y])
    for (q, _), i in place.items():
        if p.quantities[q] in p.price:
            price = p.price[p.quantities[q]].tolist()
            for c in C:
                for y in Y:
                    cost.add_affine_term(change[i, c, y], price[y] * discount[y])
    for g, column in miss.items():
        cost.add_affine_term(column, (p.goals[g].penalty or 0.0) * discount[p.goals[g].year])
    model.set_objective(cost, poi.ObjectiveSense.Minimize)
    for name, value in (("threads", 1), ("parallel", "off"), ("output_flag", False)):
        model.set_raw_parameter(name, value)
    return model, goals


# Pyomo ---------------------------------------------------------------------------------------------------------------


def in_pyomo(problem: Problem) -> pyo.ConcreteModel:
    """The planner's rules as an ordinary Pyomo model."""
    return instantiate(problem)


def pyomo_solver() -> Any:
    """The interface to HiGHS that comes with Pyomo."""
    solver = Highs()
    solver.highs_options = {"threads": 1, "parallel": "off"}
    return solver
