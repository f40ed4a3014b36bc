"""Where the planner's answer and the twin's differ, and where an answer contradicts itself.

The twin is another formulation by other means, so its rows are a yardstick for the planner's plan, too: the plan's
starts, overlaps and payments are put into them, and every level, limit, target, budget and cost is read off again.
"""

import csv
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from random_cases import RandomCase
from twin import Line, Twin, TwinResult

from planner.plan import Plan
from planner.plan import solve as solve_case
from planner.tables import read_case

CLOSE = 1e-6
"""Difference, relative to the scale of what is compared, that two right answers may have [-]."""


def solved(case: RandomCase) -> Plan:
    """The planner's plan of a case that goes through a folder, as any case does."""
    with tempfile.TemporaryDirectory() as folder:
        return solve_case(read_case(case.write(Path(folder))))


def stages(plan: Plan) -> list[tuple[str, float]]:
    """Objectives and the values their own stages proved."""
    return [(stage["name"], float(stage["value"])) for stage in plan.summary["objectives"]]


def differ(one: float, other: float, scale: float = 0.0, close: float = CLOSE) -> bool:
    """Whether two numbers differ by more than `close` of the larger of them and `scale`."""
    return not abs(one - other) <= close * max(abs(one), abs(other), scale)


def scales(plan: Plan) -> dict[str, float]:
    """Size of what an objective adds up: sums of parts of either sign say less than the parts do."""
    assert plan.case is not None
    capex = {row.measure: row.capex for row in plan.case.measures}
    noise = 1e-6 * sum(capex[row.measure] * row.potential for row in plan.case.potentials)
    found = {"cost": noise + float(plan.costs["discounted"].abs().sum())}
    found |= dict.fromkeys(["capex", *(f"fund:{row.fund}" for row in plan.case.funds)], noise)
    for name, rows in plan.quantities.groupby("quantity"):
        found[f"quantity:{name}"] = found[f"-quantity:{name}"] = float(rows[["baseline", "planned"]].abs().sum().max())
    return found


def differences(case: RandomCase, plan: Plan, twin: TwinResult) -> list[str]:
    """Everything in which planner and twin, or two parts of the plan, do not agree."""
    if plan.status != twin.status:
        return [f"status {plan.status}, twin {twin.status}"]
    if not plan.found:
        return []
    found = []
    scale = scales(plan)
    for (name, value), (other_name, other) in zip(stages(plan), twin.stages, strict=True):
        if name != other_name or differ(value, other, scale.get(name, 0.0)):
            found.append(f"{name} {value:.10g}, twin {other_name} {other:.10g}")
    return [*found, *contradictions(case, plan)]


def contradictions(case: RandomCase, plan: Plan) -> Iterator[str]:
    """Where the frames of a plan do not follow from its starts, overlaps and payments, or break a row of the twin."""
    twin = case.twin()
    x = decisions(twin, plan)
    money = sum(twin.capex[m](twin.first) * float(twin.full[i]) for i, (m, _) in enumerate(twin.sites))
    scale = defaultdict(float, {name: value + 1e-3 * reach(twin, name) for name, value in scales(plan).items()})
    scale["cost"] += 1e-3 * money
    total = float(plan.costs["discounted"].sum())
    final = {stage["name"]: float(stage["final"]) for stage in plan.summary["objectives"]}
    if differ(total, final["cost"], scale["cost"]):
        yield f"costs.csv sums to {total:.10g}, cost is {final['cost']:.10g}"
    for name, value in final.items():
        recomputed = twin.objective(name)[0].at(x)
        if differ(recomputed, value, scale[name] or 1e-3 * money):
            yield f"{name} is {recomputed:.10g} by the plan's starts, {value:.10g} by the summary"
    yield from broken_rows(twin, x)
    yield from wrong_portfolio(twin, x, plan)
    yield from wrong_quantities(twin, x, plan)
    yield from wrong_targets(twin, x, plan)
    yield from wrong_money(case, twin, plan)


def decisions(twin: Twin, plan: Plan) -> np.ndarray:
    """The twin's variables as the plan decides them; what is missed follows from the rest."""
    x = np.zeros(len(twin.upper))
    for row in plan.portfolio.itertuples(index=False):
        col = twin.start.get((row.measure, row.city, row.year))
        if col is not None:
            x[col] = row.starts / twin.start_units[col]
    for row in plan.overlaps.itertuples(index=False):
        x[twin.overlap_var[row.group, row.city, row.year]] = row.overlap
    booked: dict[tuple[str, str, str, int], float] = defaultdict(float)
    for m, c, y, amount, fund in twin.bookings:
        if fund:
            booked[fund, m, c, y] += amount
    payments: dict[tuple[str, str, str, int], float] = defaultdict(float)
    for row in plan.funds.itertuples(index=False):
        pool = f"measure {row.measure}" if f"measure {row.measure}" in twin.pool_sector else row.sector
        payments[row.fund, pool, row.city, row.year] += row.paid
    for (fund, m, c, y), amount in booked.items():
        pool = f"measure {m}" if f"measure {m}" in twin.pool_sector else twin.sector[m]
        payments[fund, pool, c, y] -= amount
    for key, line in twin.paid.items():
        x[line.cols[0]] = payments[key]
    for target in twin.target_rows:
        if target.miss is not None:
            excess = target.achieved - target.bound if target.sense == "<=" else target.bound - target.achieved
            x[target.miss] = max(0.0, excess.at(x))
    return x


def reach(twin: Twin, name: str) -> float:
    """How much all potentials together can change a quantity in a year; 0 for money."""
    if "quantity:" not in name:
        return 0.0
    at = twin._cells(name.partition("quantity:")[2], "", [])
    most = np.ones(len(twin.sites) + len(twin.overlaps))
    most[: len(twin.sites)] = twin.full
    return max(float(np.abs(twin.influence[y][at, :].toarray()).sum(axis=0) @ most) for y in twin.years)


def size(line: Line, x: np.ndarray, least: np.ndarray | float = 0.0) -> float:
    """How large the parts of a line are; `least` is the smallest amount that matters of each variable."""
    return line.size + float(np.abs(line.vals) @ np.maximum(np.abs(x), least)[line.cols])


def broken_rows(twin: Twin, x: np.ndarray) -> Iterator[str]:
    """Limits, groups, floors, targets, budgets and pins that the plan does not keep."""
    least = 0.1 * np.array(twin.scale)
    for i, row in enumerate(twin.rows):
        if row.at(x) > CLOSE * size(row, x, least):
            yield f"row {i} of the twin is broken by {row.at(x):.4g} of {size(row, x):.4g}"
    for i, row in enumerate(twin.equal):
        if abs(row.at(x)) > CLOSE * size(row, x, least):
            yield f"funding {i} of the twin is off by {row.at(x):.4g} of {size(row, x):.4g}"
    over = x - np.array(twin.upper)
    if np.any(over > CLOSE * np.array(twin.upper)) or np.any(x < 0):
        yield "starts outside their limits"


def wrong_portfolio(twin: Twin, x: np.ndarray, plan: Plan) -> Iterator[str]:
    """Stock, spending and own cost that do not follow from the starts."""
    rows = {(row.measure, row.city, row.year): row for row in plan.portfolio.itertuples(index=False)}
    for m, c in twin.sites:
        booked: dict[int, float] = defaultdict(float)
        for measure, city, y, amount, _ in twin.bookings:
            if (measure, city) == (m, c):
                booked[y] += amount
        most = float(twin.full[twin.site[m, c]])
        price = twin._annuity(m, twin.first) + abs(twin.om[m](twin.first))
        for y in twin.years:
            row = rows.get((m, c, y))
            stock = twin.stock(m, c, y).at(x)
            capex = twin.site_spending(m, c, y).at(x) + booked[y]
            cost = twin.om[m](y) * stock + sum(
                twin._annuity(m, v) * row_v.starts
                for v in range(y - twin.lead[m] - twin.life[m] + 1, y - twin.lead[m] + 1)
                if (row_v := rows.get((m, c, v))) is not None
            )
            for name, value, unit in (("stock", stock, 1.0), ("capex", capex, twin.capex[m](y)), ("cost", cost, price)):
                told = float(getattr(row, name)) if row is not None else 0.0
                if differ(told, value, most * unit):
                    yield f"{name} of {m} in {c} {y} is {told:.8g}, by its starts {value:.8g}"


def wrong_quantities(twin: Twin, x: np.ndarray, plan: Plan) -> Iterator[str]:
    """Levels by city and sector that do not follow from stock and overlaps, to the scale of the whole quantity."""
    reaches = {q: reach(twin, f"quantity:{q}") for q in twin.quantities}
    told = {(r.quantity, r.city, r.sector, r.year): r for r in plan.quantities.itertuples(index=False)}
    largest = plan.quantities.groupby("quantity")[["baseline", "planned"]].agg(lambda v: v.abs().max()).max(axis=1)
    for q in twin.quantities:
        for s in twin.sectors:
            for y in twin.years:
                for c in twin.cities:
                    row = told.get((q, c, s, y))
                    value = twin.planned(q, c, [s], y).at(x)
                    if row is None:
                        if differ(value, 0.0, reaches[q]):
                            yield f"{q} in {c}, {s}, {y} is {value:.8g} and not told"
                    elif differ(row.planned, value, float(largest[q]) + 1e-3 * reaches[q]):
                        yield f"{q} in {c}, {s}, {y} is {row.planned:.8g}, twin {value:.8g}"
                whole = sum(float(r.planned) for key, r in told.items() if (key[0], key[2], key[3]) == (q, s, y))
                if differ(whole, twin.planned(q, "", [s], y).at(x), float(largest.get(q, 0.0)) + 1e-3 * reaches[q]):
                    yield f"{q} of the province in {s}, {y} is {whole:.8g} by its cities"


def wrong_targets(twin: Twin, x: np.ndarray, plan: Plan) -> Iterator[str]:
    """Bounds and what is achieved, told otherwise than the twin computes them."""
    told = sorted(plan.targets.itertuples(index=False), key=lambda r: (r.target, r.year))
    known = sorted(twin.target_rows, key=lambda r: (r.target, r.year))
    if [(r.target, r.year) for r in told] != [(r.target, r.year) for r in known]:
        yield "targets.csv has other rows than the twin"
        return
    groups: dict[tuple[str, int], tuple[list[tuple[float, float]], list[tuple[float, float]], float]] = {}
    for ours, theirs in zip(told, known, strict=True):
        pairs = groups.setdefault((ours.target, ours.year), ([], [], 0.0))
        pairs[0].append((ours.bound, ours.achieved))
        pairs[1].append((theirs.bound.at(x), theirs.achieved.at(x)))
        groups[ours.target, ours.year] = (*pairs[:2], max(pairs[2], size(theirs.achieved, x), size(theirs.bound, x)))
    for (target, year), (ours_, theirs_, scale) in groups.items():
        for one, other in zip(sorted(ours_), sorted(theirs_), strict=True):
            if differ(one[0], other[0], scale) or differ(one[1], other[1], scale):
                yield f"target {target} {year}: bound, achieved {one}, twin {other}"


def wrong_money(case: RandomCase, twin: Twin, plan: Plan) -> Iterator[str]:
    """Funds that do not pay what is spent, and budgets that do not count what was paid."""
    spent = plan.portfolio.assign(sector=plan.portfolio["measure"].map(twin.sector))
    paid = plan.funds
    if twin.funds:
        one = spent.groupby(["sector", "city", "year"])["capex"].sum()
        other = paid.groupby(["sector", "city", "year"])["paid"].sum().reindex(one.index, fill_value=0.0)
        for key in one.index[(one - other).abs() > CLOSE * max(one.max(), 1e-12)]:
            yield f"spending of {key} is {one[key]:.8g}, funds pay {other[key]:.8g}"
    heads: dict[str, Mapping[str, str]] = {}
    for row in case.tables["budgets"]:
        heads.setdefault(str(row["budget"]), {name: str(value or "") for name, value in row.items()})
    for name, row in heads.items():
        frame, column = (paid[paid["fund"].isin(row["fund"].split(";"))], "paid") if row["fund"] else (spent, "capex")
        frame = frame[frame["city"].isin(twin.cities_of(row["scope"]))]
        if row["sectors"]:
            frame = frame[frame["sector"].isin(row["sectors"].split(";"))]
        by_year = frame.groupby("year")[column].sum()
        years = twin.span(row)
        for told in plan.budgets[plan.budgets["budget"] == name].itertuples(index=False):
            together = row["per"] == "span" or row.get("carry_over") == "yes"
            counted = [y for y in years if y <= told.year] if together else [told.year]
            value = float(by_year.reindex(counted, fill_value=0.0).sum())
            if differ(told.spent, value, float(spent["capex"].sum())):
                yield f"budget {name} {told.year} counts {told.spent:.8g}, funds and portfolio {value:.8g}"


def portfolio_text(plan: Plan) -> bytes:
    """`portfolio.csv` as it is written."""
    with tempfile.TemporaryDirectory() as folder:
        plan.write(folder)
        return (Path(folder) / "portfolio.csv").read_bytes()


def starts_of(plan: Plan) -> dict[tuple[str, str, int], float]:
    """Starts by measure, city and year, as `portfolio.csv` tells them."""
    lines = csv.DictReader(portfolio_text(plan).decode().splitlines())
    return {
        (row["measure"], row["city"], int(row["year"])): float(row["starts"]) for row in lines if float(row["starts"])
    }
