"""Credit: who brings about which change, in parts that add up to the whole and do not depend on an order.

The change of a quantity is linear in the stock of each measure in each city, but for overlaps, which two members bring
about together. So the Shapley value of a player at the planned stock is exact: its own effects, carried on by
conversions, and half of each overlap loss it takes part in. Stock that existed before is a player of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from planner import units
from planner.case import Case
from planner.compile import compile_problem
from planner.conflict.model import substituted
from planner.explanation import split_of
from planner.plan import Plan
from planner.problem import Problem

CREDIT = ("measure", "city", "sector", "part", "quantity", "year", "value")
EFFECTS = ("measure", "city", "sector", "quantity", "year", "value")
SAVINGS = ("measure", "city", "sector", "part", "item", "year", "value", "discounted")
CURVE = ("measure", "city", "amount", "abated", "cost", "unit_cost")
PAID = ("measure", "city", "sector", "item", "quantity", "value")
SHARES = ("city", "cost", "net_cost", "abated", "cost_per_head", "cost_of_gdp", "abated_per_head", "abated_of_gdp")
EQUIVALENTS: Mapping[str, float] = {
    **{"so2": 0.95, "nox": 0.95, "pm": 2.18, "cod": 1.0, "nh3_n": 0.8, "tp": 0.25},
}
"""Mass of a pollutant that counts as one equivalent under the environmental tax law of China, annex 2 [kg]."""


@dataclass(frozen=True)
class Effects:
    """What stock and overlaps change, conversions included."""

    stock: pd.DataFrame
    """Per unit of stock: measure, city, sector, quantity, year, value [its unit per unit of the measure]."""
    overlaps: pd.DataFrame
    """Per unit of overlap: group, measure, city, sector, quantity, year, value; half of the loss for each member."""
    existing: pd.DataFrame
    """Stock that no decision of a plan brings about: measure, city, year, existing [unit of the measure]."""

    def of_year(self, year: int) -> "Effects":
        """Only those of a year."""
        return Effects(*(part[part["year"] == year] for part in (self.stock, self.overlaps, self.existing)))


def effects(case: Case) -> Effects:
    """Change of every quantity, all cities and sectors together, per unit of stock in a city and year."""
    problem = Problem(case)
    matrix = compile_problem(problem)
    families = np.array([family for family, _ in matrix.columns])
    changes, stock, overlap = (np.flatnonzero(families == name) for name in ("change", "stock", "overlap"))
    free = np.flatnonzero(np.isneginf(matrix.lower) & (matrix.defining_row >= 0))
    whole, _ = substituted(matrix, free)
    keys = [matrix.columns[j][1] for j in changes.tolist()]
    totals = {key: i for i, key in enumerate(dict.fromkeys((q, y) for q, _, _, y in keys))}
    rows = np.array([totals[q, y] for q, _, _, y in keys], dtype=np.int64)
    add = csr_array(coo_array((np.ones(len(keys)), (rows, np.arange(len(keys)))), shape=(len(totals), len(keys))))
    summed = csr_array(add @ whole[changes, :])
    names = list(totals)
    sectors: dict[Any, str] = {row.measure: row.sector for row in case.measures}
    by_stock = []
    for i, j, value in entries(summed, stock):
        m, c, y = matrix.columns[j][1]
        by_stock.append((m, c, sectors[m], names[i][0], y, value))
    by_overlap = []
    for i, j, value in entries(summed, overlap):
        g, c, y = matrix.columns[j][1]
        members = problem.overlap_members[g, c, y]
        half = value / len(members)
        by_overlap += [(g, m, c, sectors[m], names[i][0], y, half) for m in members]
    held = [(*key, value) for key, value in problem.existing.items() if value]
    return Effects(
        pd.DataFrame(by_stock, columns=list(EFFECTS)),
        pd.DataFrame(by_overlap, columns=["group", *EFFECTS]),
        pd.DataFrame(held, columns=["measure", "city", "year", "existing"]),
    )


def entries(matrix: csr_array, columns: NDArray[np.int64]) -> list[tuple[int, int, float]]:
    """Row, column and value of what some columns of a matrix hold."""
    part = csr_array(matrix[:, columns]).tocoo()
    return list(zip(part.row.tolist(), columns[part.col].tolist(), part.data.tolist(), strict=True))


def credit(plan: Plan, of: Effects | None = None) -> pd.DataFrame:
    """Change of every quantity against its baseline by who brings it about.

    Columns: `measure`, its `city` and `sector`, `part` (`planned`, or `existing` for stock commissioned before the plan
    decides), `quantity`, `year`, `value` [unit of the quantity; less is negative]. The values of a quantity and year
    add up to planned less baseline. Raises ValueError for a plan without portfolio or without case.
    """
    known = of or effects(case_of(plan))
    stock = plan.portfolio[["measure", "city", "year", "stock"]].merge(known.existing, how="left")
    stock["existing"] = np.minimum(stock["existing"].fillna(0.0), stock["stock"])
    own = known.stock.merge(stock, on=["measure", "city", "year"])
    lost = known.overlaps.merge(plan.overlaps, on=["group", "city", "year"]).merge(
        stock, on=["measure", "city", "year"]
    )
    before = lost["existing"] / lost["stock"].where(lost["stock"] > 0, 1.0)
    parts = [
        own.assign(part="planned", value=own["value"] * (own["stock"] - own["existing"])),
        own.assign(part="existing", value=own["value"] * own["existing"]),
        lost.assign(part="planned", value=lost["value"] * lost["overlap"] * (1 - before)),
        lost.assign(part="existing", value=lost["value"] * lost["overlap"] * before),
    ]
    told = pd.concat(parts, ignore_index=True)
    keys = [name for name in CREDIT if name != "value"]
    found = told.groupby(keys, sort=False, as_index=False)["value"].sum()
    changed: pd.DataFrame = found[found["value"] != 0][list(CREDIT)].reset_index(drop=True)
    return changed


def savings(plan: Plan, credits: pd.DataFrame | None = None) -> pd.DataFrame:
    """Cost by who brings it about: own cost, and what changes of priced quantities cost or save.

    Columns: `measure`, `city`, `sector`, `part`, `item` (own, or the priced quantity), `year`, `value` [currency of the
    year], `discounted`. With the penalties they add up to the cost of the plan.
    """
    case = case_of(plan)
    problem = Problem(case)
    told = credit(plan) if credits is None else credits
    keys = zip(told["quantity"], told["year"], strict=True)
    prices = np.array([problem.price.get(key, 0.0) for key in keys])
    priced = told.assign(item=told["quantity"], value=told["value"] * prices)
    own = plan.portfolio[plan.portfolio["cost"] != 0]
    own = own.assign(item="own", value=own["cost"], part="planned")
    sectors = {row.measure: row.sector for row in case.measures}
    at, measures = pd.factorize(own["measure"])
    own["sector"] = np.array([sectors[m] for m in measures], dtype=object)[at]
    both = pd.concat([own, priced[prices != 0]], ignore_index=True)
    both["discounted"] = both["value"] * both["year"].map(dict(problem.discount))
    told_apart: pd.DataFrame = both[list(SAVINGS)]
    return told_apart


def paid_by_prices(plan: Plan) -> pd.DataFrame:
    """Credit by prices: what all that the planned units of a measure do is worth to the targets, by quantity.

    Columns: `measure`, `city`, `sector`, `item` (target: its dual pays; price: the case's own price does), `quantity`,
    `value` [currency, discounted; negative is taken]. The prices are those of one dual solution: where several would do
    another one may share out otherwise. Raises ValueError for a plan without case.
    """
    case = case_of(plan)
    parts = split_of(plan)
    of_target = {row.target: row.quantity for row in case.targets}
    sectors = {row.measure: row.sector for row in case.measures}
    items = parts.items[parts.items["item"].isin(["target", "price"])]
    told = items.merge(parts.places[["measure", "city", "starts"]], on=["measure", "city"])
    told["value"] *= -told["starts"]
    is_target = told["item"] == "target"
    told["quantity"] = told["id"].where(~is_target, told["id"].map(of_target))
    told["sector"] = told["measure"].map(sectors)
    keys = [name for name in PAID if name != "value"]
    found = told.groupby(keys, sort=False, as_index=False)["value"].sum()
    paid: pd.DataFrame = found[found["value"] != 0][list(PAID)].reset_index(drop=True)
    return paid


def cost_curve(plan: Plan, quantity: str, year: int, credits: pd.DataFrame | None = None) -> pd.DataFrame:
    """Marginal abatement cost curve of a year, from the plan: what stock in service abates and costs.

    Columns: `measure`, `city`, `amount` in service, `abated` [unit of the quantity], `cost` of the year, own and of all
    changes it brings about [currency], `unit_cost` [currency per unit]; the cheapest first. Only what abates stands in
    it.
    """
    told = credit(plan) if credits is None else credits
    told = told[(told["part"] == "planned") & (told["year"] == year)]
    abated = -told[told["quantity"] == quantity].groupby(["measure", "city"])["value"].sum()
    spent = savings(plan, told)
    cost = spent[(spent["year"] == year) & (spent["part"] == "planned")].groupby(["measure", "city"])["value"].sum()
    stock = plan.portfolio[plan.portfolio["year"] == year].set_index(["measure", "city"])["stock"]
    curve = pd.DataFrame({"amount": stock, "abated": abated, "cost": cost}).fillna(0.0)
    curve = curve[curve["abated"] > 0].reset_index()
    curve["unit_cost"] = curve["cost"] / curve["abated"]
    return curve.sort_values("unit_cost", kind="stable")[list(CURVE)].reset_index(drop=True)


def target_price(plan: Plan, quantity: str, year: int) -> float:
    """What all targets on the whole area would pay for one unit less of a quantity in a year [currency of that year].

    The sum over their rows of the dual times the weight of that level in the row; zero where no target binds.
    """
    problem = Problem(case_of(plan))
    key = problem.level(quantity), year
    of = plan.prices[plan.prices["family"] == "target_is_kept"]
    duals = {(str(t), int(y)): float(dual) for t, y, dual in zip(of["key"], of["year"], of["dual"], strict=True)}
    found = 0.0
    for row, dual in duals.items():
        bound = problem.bounds.get(row)
        if bound is not None:
            found -= dual * bound.excess.get(key, 0.0)
    return found / problem.discount[year] if found else 0.0


def co_control(
    plan: Plan,
    carbon: str,
    by: str = "measure",
    equivalents: Mapping[str, float] | None = None,
    credits: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """How far cuts of carbon and of pollutants go together, per measure, sector or city (`by`), all years summed.

    Columns: `by`, `carbon` and a column per pollutant [abated, unit of the quantity], `equivalents` [pollutants divided
    by the mass that counts as one, `equivalents` in kg], `ratio` of them to carbon, `elasticity`: part of all pollution
    that is abated per part of all carbon, against the baselines; `quadrant`: both, carbon, pollution or neither is cut.
    """
    case = case_of(plan)
    mass = {row.quantity: row.unit for row in case.quantities}
    masses = (equivalents or EQUIVALENTS).items()
    weights = {name: kg / units.factor(mass[name], "kg") for name, kg in masses if name in mass}
    known = [row.quantity for row in case.quantities if row.quantity in weights]
    told = credit(plan) if credits is None else credits
    told = told[told["part"] == "planned"]
    sums = (
        -told[told["quantity"].isin([carbon, *known])]
        .pivot_table(index=by, columns="quantity", values="value", aggfunc="sum", fill_value=0.0)
        .reindex(columns=[carbon, *known], fill_value=0.0)
    )
    base = plan.quantities.groupby("quantity")["baseline"].sum()
    equivalent = sum((sums[name] / weights[name] for name in known), start=pd.Series(0.0, index=sums.index))
    whole = sum(float(base.get(name, 0.0)) / weights[name] for name in known)
    frame = sums.rename(columns={carbon: "carbon"})
    frame["equivalents"] = equivalent
    frame["ratio"] = equivalent / frame["carbon"].where(frame["carbon"] != 0)
    part = frame["carbon"] / float(base.get(carbon, np.nan))
    frame["elasticity"] = (equivalent / whole if whole else np.nan) / part.where(part != 0)
    cut = {(True, True): "both", (True, False): "carbon", (False, True): "pollution", (False, False): "neither"}
    frame["quadrant"] = [cut[a > 0, b > 0] for a, b in zip(frame["carbon"], equivalent, strict=True)]
    return frame.reset_index().sort_values("carbon", ascending=False, kind="stable").reset_index(drop=True)


def fair_shares(plan: Plan, quantity: str, credits: pd.DataFrame | None = None) -> pd.DataFrame:
    """What each city bears and brings: cost, net cost after savings, abatement, per head and per GDP.

    Columns: `city`, `cost` (own, discounted) and `net_cost` [currency], `abated` over the plan [unit of the quantity];
    `cost_per_head` [currency], `cost_of_gdp` [currency per unit of the column `gdp`], `abated_per_head`,
    `abated_of_gdp`; blank where the case does not say.
    """
    case = case_of(plan)
    told = credit(plan) if credits is None else credits
    spent = savings(plan, told)
    planned = told[(told["part"] == "planned") & (told["quantity"] == quantity)]
    frame = pd.DataFrame({"city": [row.city for row in case.cities]}).set_index("city")
    frame["cost"] = spent[spent["item"] == "own"].groupby("city")["discounted"].sum()
    frame["net_cost"] = spent.groupby("city")["discounted"].sum()
    frame["abated"] = -planned.groupby("city")["value"].sum()
    frame = frame.fillna(0.0)
    people = pd.Series({row.city: row.population for row in case.cities}, dtype=float)
    gdp = pd.Series({row.city: row.gdp for row in case.cities}, dtype=float)
    frame["cost_per_head"], frame["cost_of_gdp"] = frame["cost"] / people, frame["cost"] / gdp
    frame["abated_per_head"], frame["abated_of_gdp"] = frame["abated"] / people, frame["abated"] / gdp
    return frame.reset_index()[list(SHARES)]


def decomposition(plan: Plan, quantity: str, year: int) -> pd.DataFrame:
    """A provincial quantity by city and sector: baseline, planned, cut, part of the whole cut; they add up."""
    rows = plan.quantities[(plan.quantities["quantity"] == quantity) & (plan.quantities["year"] == year)]
    frame = rows[["city", "sector", "baseline", "planned"]].reset_index(drop=True)
    frame["cut"] = frame["baseline"] - frame["planned"]
    total = float(frame["cut"].sum())
    frame["part"] = frame["cut"] / total if total else np.nan
    return frame


def case_of(plan: Plan) -> Case:
    """The case that a plan answers."""
    if plan.case is None:
        raise ValueError("a plan read from files has no case")
    if not plan.found:
        raise ValueError("there is no plan")
    return plan.case
