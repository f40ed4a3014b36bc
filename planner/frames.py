"""Frames: the tidy tables of a solution, by what, where and when. Money in plain currency, amounts in their units."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from planner.compile import Key, Matrix, Name, evaluate_costs
from planner.matrix import Names, texts
from planner.problem import Problem
from planner.problem.keys import Array
from planner.solution import Solution

NEGLIGIBLE = 1e-10
"""Amounts below this part of their scale are solver noise and shown as zero [-]."""
KEPT = 1e-6
"""A target counts as kept when it is missed by less than this part of its scale [-]."""
AGREE = 0.01
"""Prices on both sides that differ by no more than this are told as one [-]."""
DIGITS = "%.9g"
HELD_DIGITS = "%.13g"
"""Digits of what a stage proved: later stages hold it, and their proof needs the limit they held."""
FRAMES: dict[str, tuple[str, ...]] = {
    "portfolio": ("measure", "city", "year", "starts", "stock", "capex", "cost"),
    "quantities": ("quantity", "city", "sector", "year", "baseline", "planned"),
    "targets": (
        *("target", "year", "scope", "bound", "achieved", "slack", "missed"),
        *("price_loosen", "price_tighten", "shadow_price", "valid_from", "valid_to"),
    ),
    "budgets": (
        *("budget", "year", "limit", "spent", "slack"),
        *("price_loosen", "price_tighten", "shadow_price", "valid_from", "valid_to"),
    ),
    "funds": ("fund", "sector", "measure", "city", "year", "paid"),
    "overlaps": ("group", "city", "year", "overlap"),
    "costs": ("item", "id", "city", "sector", "year", "value", "discounted"),
    "prices": ("family", "key", "year", "dual"),
    "measures": ("measure", "cost", "capex", "starts", "reduced_cost", "reason"),
}
"""Columns of every file of a plan."""
PROOFS = ("stage", "family", "key", "year", "dual")
"""Columns of `proofs.csv`, the prices of all stages but the cost: a plan with other objectives has it."""


def digits(value: float, form: str = DIGITS) -> float:
    """The value with 9 significant digits."""
    return float(form % value)


def cleaned(matrix: Matrix, solution: Solution) -> Array:
    """Values of all columns, solver noise removed."""
    x = solution.values + 0.0
    noise = np.zeros(x.size)
    for family in ("starts", "stock", "overlap"):
        place = named(matrix).slice(family)
        upper = matrix.upper[place]
        noise[place] = NEGLIGIBLE * np.where(np.isfinite(upper), upper, 1.0)
    x[np.abs(x) <= noise] = 0.0
    return x


def named(matrix: Matrix) -> Names:
    """Columns of a matrix by family."""
    assert isinstance(matrix.columns, Names)
    return matrix.columns


def by_family(matrix: Matrix, x: Array) -> dict[str, dict[Key, float]]:
    """Values of all columns by family and key."""
    columns = named(matrix)
    return {
        name: dict(zip(keys, x[columns.slice(name)].tolist(), strict=True)) for name, keys in columns.families.items()
    }


def frame(rows: Iterable[tuple[Any, ...]], name: str) -> pd.DataFrame:
    """Rows as the frame `name`."""
    return pd.DataFrame(list(rows), columns=list(FRAMES[name]))


def cost_rows(problem: Problem, matrix: Matrix, x: Array) -> pd.DataFrame:
    """Every item of the cost by what, where and when; it adds up to the net present value [currency]."""
    rows: list[tuple[Any, ...]] = []
    discount, of_target = problem.discount, problem.goal_target
    sectors = {m: row.sector for m, row in problem.measures.items()}
    for item, values in evaluate_costs(problem, named(matrix), x).items():
        keys = getattr(problem, item.index)
        for at in np.flatnonzero(values).tolist():
            key, value = keys[at], float(values[at])
            year = int(key[-1])
            if item.name == "price":
                place = (key[0], key[1], key[2])
            elif item.name == "penalty":
                place = (of_target[str(key[0])], "", "")
            else:
                place = (key[0], key[1], sectors[str(key[0])])
            rows.append((item.name, *place, year, value, value * discount[year]))
    return frame(rows, "costs")


def portfolio(problem: Problem, values: Mapping[str, Mapping[Key, float]], costs: pd.DataFrame) -> pd.DataFrame:
    """Starts, stock, capital spending and own cost (annuity and running cost) by measure, city and year."""
    spent: dict[Key, float] = dict(problem.booked_measure.items())
    for key, started in values["starts"].items():
        if started:
            m, c, v = str(key[0]), str(key[1]), int(key[2])
            for y in problem.construction_years(m, v):
                spent[m, c, y] = spent.get((m, c, y), 0.0) + problem.installment[m, v] * started
    running = costs[costs["item"].isin(["annuity", "fixed_om"])]
    own = running.groupby(["id", "city", "year"])["value"].sum().to_dict()
    rows = []
    starts, held = values["starts"], values["stock"]
    for key in problem.holdings:
        started, stock = starts.get(key, 0.0), held[key]
        if started or stock or spent.get(key):
            rows.append((*key, started, stock, spent.get(key, 0.0), float(own.get(key, 0.0))))
    return frame(rows, "portfolio")


def quantities(problem: Problem, values: Mapping[str, Mapping[Key, float]]) -> pd.DataFrame:
    """Baseline and planned level by quantity, city, sector and year; a blank city is what no city holds."""
    places = dict.fromkeys([*problem.baseline_path, *problem.places])
    rank = {name: i for i, name in enumerate(problem.quantities)}
    years, change = list(problem.years), values["change"]
    rows = []
    for place in sorted(places, key=lambda p: rank[p[0]]):
        baseline = problem.baseline_path.get(place)
        levels = [0.0] * len(years) if baseline is None else [float(level) for level in baseline[1:]]
        for y, before in zip(years, levels, strict=True):
            rows.append((*place, y, before, before + change.get((*place, y), 0.0)))
    return frame(rows, "quantities")


def targets(
    problem: Problem, matrix: Matrix, solution: Solution, values: Mapping[str, Mapping[Key, float]]
) -> pd.DataFrame:
    """Every row of every target: bound and achieved in units of the quantity, slack positive when kept with room."""
    scopes = {row.target: row.scope for row in problem.case.targets}
    levels = {(str(key[0]), int(key[1])): value for key, value in values["level"].items()}
    rows = []
    for (name, y), bound in problem.bounds.items():
        t = problem.goal_target[name]
        limit, achieved = bound.bound.value(levels), bound.achieved.value(levels)
        slack = bound.sign * (limit - achieved)
        scale = max(abs(limit), abs(achieved))
        if abs(slack) <= KEPT * scale:
            slack = 0.0
        scale = bound.price_unit / problem.discount[y]
        money = price_columns(matrix, solution, ("target_is_kept", (name, y)), limit, bound.sign, scale)
        rows.append((t, y, scopes[t], limit, achieved, slack, max(0.0, -slack), *money))
    return frame(rows, "targets")


def budgets(
    problem: Problem, matrix: Matrix, solution: Solution, values: Mapping[str, Mapping[Key, float]]
) -> pd.DataFrame:
    """Every row of every budget; carry-over rows are cumulative [currency]."""
    rows = []
    for (b, y), (terms, limit) in problem.budgets.items():
        spent = sum(values["level"][key] for key in terms)
        slack = limit - spent
        if abs(slack) <= KEPT * max(abs(limit), abs(spent)):
            slack = 0.0
        money = price_columns(matrix, solution, ("budget_is_kept", (b, y)), limit, 1.0, 1 / problem.discount[y])
        rows.append((b, y, limit, spent, slack, *money))
    return frame(rows, "budgets")


def pins(
    problem: Problem, matrix: Matrix, solution: Solution, values: Mapping[str, Mapping[Key, float]]
) -> list[dict[str, Any]]:
    """Every bound of every pin: what is planned, and what one unit less or more of the wish saves and costs."""
    rows = []
    for family, bounds, sign in (("pin_at_least", problem.pin_least, -1.0), ("pin_at_most", problem.pin_most, 1.0)):
        for (p, y), bound in bounds.items():
            held = [values["stock"][m, c, y] for m, c in problem.pinned_stock[p, y]]
            begun = [values["starts"][m, c, y] for m, c in problem.pinned_starts[p, y]]
            money = price_columns(matrix, solution, (family, (p, y)), bound, sign, 1 / problem.discount[y])
            told = (None if value is None else digits(value) for value in money)
            row = {"pin": p, "year": y, "side": "min" if sign < 0 else "max", "bound": bound}
            row["planned"] = digits(sum(held) + sum(begun))
            rows.append(row | dict(zip(FRAMES["targets"][7:], told, strict=True)))
    return rows


def price_columns(
    matrix: Matrix, solution: Solution, name: Name, bound: float, sign: float, scale: float
) -> tuple[float | None, ...]:
    """Prices of loosening and of tightening in money of the row's year, one price where both agree, and their range.

    The range is that of the bound's value: the prices hold from `valid_from` to `valid_to` at least; blank is open.
    """
    slopes = solution.slopes.get(matrix.row.get(name, -1))
    if slopes is None:
        return (None,) * 5
    loosen = slopes.loosen * scale
    tighten = None if slopes.tighten is None else slopes.tighten * scale
    agree = tighten is not None and abs(loosen - tighten) <= AGREE * max(loosen, tighten)
    down, up = (slopes.tighten_room, slopes.loosen_room)[:: int(sign)]
    ends = (bound - down if np.isfinite(down) else None, bound + up if np.isfinite(up) else None)
    return loosen, tighten, loosen if agree else None, *ends


def funds(problem: Problem, values: Mapping[str, Mapping[Key, float]]) -> pd.DataFrame:
    """What each fund pays by sector (and measure, where it has a rule or a booking of its own), city and year."""
    rows: list[tuple[Any, ...]] = []
    spending, sector, measure = values["spending"], problem.pool_sector, problem.pool_measure
    for (f, k, c, y), value in values["paid"].items():
        if value > NEGLIGIBLE * abs(spending[k, c, y]):
            pool = str(k)
            rows.append((f, sector[pool], measure.get(pool, ""), c, y, value))
    for (f, m, c, y), amount in problem.earmarked.items():
        rows.append((f, problem.measures[m].sector, m, c, y, amount))
    return frame(rows, "funds")


def prices(matrix: Matrix, solution: Solution) -> pd.DataFrame:
    """Every row with a nonzero dual: discounted money per unit of its right side, signs as the solver's.

    With several objectives also what keeping each earlier one costs: family `stage_is_held`, without year.
    """
    rows = duals(matrix, solution.duals, solution.held_duals)
    return frame(rows, "prices").astype({"year": "Int64"})


def proofs(matrix: Matrix, solution: Solution) -> pd.DataFrame:
    """The same for every other stage, in the unit of its objective, written to be least."""
    rows = [(stage, *row) for stage, told in solution.stage_duals.items() for row in duals(matrix, *told)]
    return pd.DataFrame(rows, columns=list(PROOFS)).astype({"year": "Int64"})


def duals(matrix: Matrix, of_rows: "np.ndarray[Any, np.dtype[np.float64]]", held: Mapping[str, float]) -> list[Any]:
    """Family, key, year and dual of every row and held stage that has one."""
    told, at = texts(matrix.rows), np.flatnonzero(of_rows)
    rows: list[Any] = [(*told[i], dual) for i, dual in zip(at.tolist(), of_rows[at].tolist(), strict=True)]
    return rows + [("stage_is_held", name, None, dual) for name, dual in held.items() if dual]


def measures(problem: Problem, plan: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Own cost (discounted annuities and running costs), capital spending and starts of every measure."""
    own = costs[costs["item"].isin(["annuity", "fixed_om"])].groupby("id")["discounted"].sum().to_dict()
    sums = plan.groupby("measure")[["capex", "starts"]].sum().to_dict()
    rows = [
        (m, own.get(m, 0.0), sums["capex"].get(m, 0.0), sums["starts"].get(m, 0.0), None, None)
        for m in problem.measures
    ]
    return frame(rows, "measures")
