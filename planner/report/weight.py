"""Which assumptions matter most: what the least cost changes by when one of them is a little off.

At the optimum the derivative of the least cost with respect to a price is its own item of the cost (the envelope
theorem), for a capital cost also what its spending takes of scarce money, and for a target it is the target's price. So
no further solve is needed; what one percent does is a first-order estimate, the less exact the larger the change.
"""

import pandas as pd

from planner.case import Case
from planner.grades import weakest
from planner.highlights import lines
from planner.plan import Plan
from planner.problem import Problem

WEIGHTS = ("item", "id", "grade", "change")
PERCENT = 0.01
"""How far an assumption is taken to be off [-]."""


def weights(case: Case, plan: Plan) -> pd.DataFrame:
    """Assumptions by weight, the heaviest first.

    Columns: `item` (annuity: the capital cost of a measure; fixed_om; price: of a quantity; target), its `id`, the
    weakest `grade` of its rows, `change` of the least cost when it is one percent higher, a target one percent tighter
    [currency, discounted]. A peak without a value has no size of its own to be tighter than: it is left out.
    """
    problem = Problem(case)
    costs = plan.costs[plan.costs["item"] != "penalty"]
    sums = costs.groupby(["item", "id"], sort=False)["discounted"].sum().reset_index()
    scarce = scarcity(problem, plan)
    taken = [scarce.get(line.id, 0.0) if line.item == "annuity" else 0.0 for line in lines(sums)]
    sums["discounted"] += pd.Series(taken, index=sums.index, dtype=float)
    grades = {
        "annuity": _grades(case, "measures", "measure") | _grades(case, "measure_costs", "measure"),
        "fixed_om": _grades(case, "measures", "measure") | _grades(case, "measure_costs", "measure"),
        "price": _grades(case, "prices", "quantity"),
        "target": _grades(case, "targets", "target"),
    }
    rows = [(line.item, line.id, grades[line.item].get(line.id, ""), line.discounted * PERCENT) for line in lines(sums)]
    discount = problem.discount
    change: dict[str, float] = {}
    relative = {row.target for row in case.targets if row.kind == "peak" and row.value is None}
    for line in lines(plan.targets[~plan.targets["target"].isin(relative)]):
        price = line.price_tighten if pd.notna(line.price_tighten) else line.price_loosen
        if pd.notna(price) and price:
            cost = float(price) * abs(float(line.bound)) * PERCENT * discount[int(line.year)]
            change[line.target] = change.get(line.target, 0.0) + cost
    rows += [("target", target, grades["target"].get(target, ""), value) for target, value in change.items()]
    frame = pd.DataFrame([row for row in rows if row[3]], columns=list(WEIGHTS))
    order = frame["change"].abs().sort_values(ascending=False, kind="stable").index
    return frame.loc[order].reset_index(drop=True)


def scarcity(problem: Problem, plan: Plan) -> dict[str, float]:
    """What the spending of each measure costs beyond itself, where budgets are short [currency, discounted]."""
    duals = plan.prices[plan.prices["family"] == "spending_adds_up"]
    price = {(line.key, int(line.year)): float(line.dual) for line in lines(duals)}
    priced_itself = {row.measure for row in problem.case.existing if row.capex is not None}
    found: dict[str, float] = {}
    for line in lines(plan.portfolio[plan.portfolio["capex"] != 0]):
        spent, year = float(line.capex), int(line.year)
        if line.measure in priced_itself:
            spent -= float(problem.booked_measure.get((line.measure, line.city, year), 0.0))
        dual = price.get((f"{problem.pool_of[line.measure]}/{line.city}", year), 0.0)
        found[line.measure] = found.get(line.measure, 0.0) + spent * dual
    return found


def _grades(case: Case, table: str, column: str) -> dict[str, str]:
    """Weakest grade of the rows of each id."""
    found: dict[str, list[str | None]] = {}
    for row in case.rows(table):
        found.setdefault(str(getattr(row, column)), []).append(row.grade)
    return {id_: weakest(grades) for id_, grades in found.items()}
