"""What is true of every case, whatever its numbers: each law looks at a case and says where it does not hold."""

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import twin
from agreement import CLOSE, differ, portfolio_text, scales, solved, stages
from random_cases import (
    COLUMNS,
    GOOD,
    RandomCase,
    can_split,
    city_split,
    in_money,
    in_unit,
    rounded,
    shuffled,
    unit_changes,
)

from planner.errors import CaseError
from planner.plan import Plan

Law = Callable[[RandomCase, Plan], Iterator[str]]
TOO_MUCH = ("targets_contradict",)
"""Faults by which the loader says, without a solve, that there is no plan."""
COMPONENTS = ("market", "tax", "carbon", "damage")


def from_folder(folder: Path) -> RandomCase:
    """A shipped case as the laws take it: without remarks, sources and offices."""
    settings, tables = twin.read_case(folder)
    known = {name: [*columns[0].split(), *columns[1].split()] for name, columns in COLUMNS.items()}
    kept: dict[str, Any] = {
        name: [
            {column: row.get(column, "") for column in columns if column not in ("clause", "departments")}
            for row in tables.get(name, [])
        ]
        for name, columns in known.items()
    }
    return RandomCase(0, {name: value for name, value in settings.items() if name != "data"}, kept)


def tightened(case: RandomCase) -> Plan | None:
    """The plan of a case that asks for more; none where the loader sees that it asks too much."""
    try:
        return solved(case)
    except CaseError as fault:
        if all(issue.key in TOO_MUCH for issue in fault.errors):
            return None
        raise


def worth(plan: Plan | None) -> float:
    """The first objective, less is better; infinite without a plan."""
    if plan is None:
        return math.inf
    if not plan.found:
        return math.inf if plan.status == "infeasible" else math.nan
    name, value = stages(plan)[0]
    return -value if name.startswith("-") else value


def scale_of(plan: Plan | None) -> float:
    """Size of what the first objective adds up."""
    return scales(plan).get(stages(plan)[0][0], 0.0) if plan is not None and plan.found else 0.0


def never_less(loose: Plan, tight: Plan | None, what: str) -> Iterator[str]:
    """Less room for a plan may not help it."""
    one, other = worth(loose), worth(tight)
    if not (other >= one - CLOSE * max(abs(one), scale_of(loose), scale_of(tight)) or one == other):
        status = tight.status if tight is not None else "refused"
        yield f"{what}: {one:.10g} with room, {other:.10g} ({status}) without"


def never_more(tight: Plan, loose: Plan, what: str) -> Iterator[str]:
    """More room for a plan may not hurt it."""
    return never_less(loose, tight, what)


def same(plan: Plan, other: Plan, what: str, factors: Mapping[str, float] | None = None) -> Iterator[str]:
    """The same answer: status and every stage, times the factor of its objective."""
    if plan.status != other.status:
        yield f"{what}: {plan.status}, then {other.status}"
    elif plan.found:
        scale = scales(plan)
        for (name, value), (_, again) in zip(stages(plan), stages(other), strict=True):
            factor = (factors or {}).get(name.removeprefix("-"), 1.0)
            if differ(value * factor, again, scale.get(name, 0.0) * factor):
                yield f"{what}: {name} {value * factor:.10g}, then {again:.10g}"


# Room ----------------------------------------------------------------------------------------------------------------


def a_tighter_target_is_never_cheaper(case: RandomCase, plan: Plan) -> Iterator[str]:
    for k, row in enumerate(case.tables["targets"][:3]):
        tight = copy.deepcopy(case)
        changed = tight.tables["targets"][k]
        value = float(str(row["value"] or 0))
        up = row["sense"] == ">=" or row["kind"] == "abated"
        if row["kind"] == "peak":
            changed["decline"] = rounded(min(0.99, float(str(row.get("decline") or 0)) + 0.01))
        elif row["kind"] in ("change", "intensity"):
            changed["value"] = max(-1.0, value + (0.01 if up else -0.01))
        elif row["kind"] == "share":
            changed["value"] = min(1.5, value * (1.02 if up else 0.98))
        else:
            changed["value"] = value + (0.01 if up else -0.01) * abs(value)
        yield from never_less(plan, tightened(tight), f"target {row['target']} tightened")


def a_further_target_is_never_cheaper(case: RandomCase, plan: Plan) -> Iterator[str]:
    targets = case.tables["targets"]
    for k in range(min(2, len(targets))):
        fewer = copy.deepcopy(case)
        del fewer.tables["targets"][k]
        yield from never_more(plan, solved(fewer), f"without target {targets[k]['target']}")
    if plan.found:
        more = copy.deepcopy(case)
        last = plan.quantities[plan.quantities["year"] == case.settings["last_year"]]
        q = str(last["quantity"].iloc[0])
        level = float(last[last["quantity"] == q]["planned"].sum())
        row = {"target": "further", "kind": "level", "quantity": q, "sense": "<=", "value": level - 0.005 * abs(level)}
        more.tables["targets"].append({**row, "first_year": case.settings["last_year"]})
        yield from never_less(plan, tightened(more), f"with a further target on {q}")


def a_larger_budget_is_never_dearer(case: RandomCase, plan: Plan) -> Iterator[str]:
    if case.tables["budgets"]:
        larger = copy.deepcopy(case)
        for row in larger.tables["budgets"]:
            row["limit"] = float(str(row["limit"])) * 1.1
        one = solved(larger)
        yield from never_more(plan, one, "budgets 10 % larger")
        larger.tables["budgets"] = []
        yield from never_more(one, solved(larger), "without budgets")


def fewer_limits_are_never_dearer(case: RandomCase, plan: Plan) -> Iterator[str]:
    for name in ("pins", "shared", "requires", "floors"):
        fewer = copy.deepcopy(case)
        if name == "pins":
            fewer.tables["pins"] = []
        elif name == "floors":
            for row in fewer.tables["quantities"]:
                row["floor"] = row["floor_scope"] = ""
        else:
            fewer.tables["groups"] = [row for row in fewer.tables["groups"] if row["kind"] != name]
        if fewer.tables != case.tables:
            yield from never_more(plan, solved(fewer), f"without {name}")


# Words ---------------------------------------------------------------------------------------------------------------


def units_never_matter(case: RandomCase, plan: Plan) -> Iterator[str]:
    for q, unit in dict(unit_changes(case)).items():
        again, factor = in_unit(case, q, unit)
        yield from same(plan, solved(again), f"{q} in {unit}", {f"quantity:{q}": factor})


def the_unit_of_money_never_matters(case: RandomCase, plan: Plan) -> Iterator[str]:
    funds = [f"fund:{row['fund']}" for row in case.tables["funds"]]
    for factor in (1e-4, 1e-8, 100.0):  # 万元, 亿元, 分
        factors = dict.fromkeys(["cost", "capex", *funds], factor)
        yield from same(plan, solved(in_money(case, factor, "XXX")), f"money times {factor}", factors)


def the_order_of_rows_never_matters(case: RandomCase, plan: Plan) -> Iterator[str]:
    yield from same(plan, solved(shuffled(case)), "rows shuffled")


def splitting_a_city_changes_nothing(case: RandomCase, plan: Plan) -> Iterator[str]:
    for row in case.tables["cities"]:
        city = str(row["city"])
        if can_split(case, city):
            yield from same(plan, solved(city_split(case, city)), f"{city} in two halves")
            return


def the_same_case_gives_the_same_portfolio(case: RandomCase, plan: Plan) -> Iterator[str]:
    if portfolio_text(plan) != portfolio_text(solved(case)):
        yield "portfolio.csv differs on the second run"


# Prices --------------------------------------------------------------------------------------------------------------


def at_least_cost(case: RandomCase) -> RandomCase:
    """The case with cost as its only objective and without lumps: it has prices."""
    plain = copy.deepcopy(case)
    plain.settings["objective"] = "cost"
    for row in plain.tables["measures"]:
        row["lump"] = ""
    return plain


def components(case: RandomCase) -> list[str]:
    """Price components that count."""
    words = case.settings.get("perspective") or "market"
    words = [words] if isinstance(words, str) else words
    return list(dict.fromkeys(part for word in words for part in twin.PERSPECTIVES.get(word, [word])))


def levels(plan: Plan, q: str) -> dict[int, float]:
    """Planned level of a quantity in the province by year."""
    rows = plan.quantities[plan.quantities["quantity"] == q]
    return {int(str(y)): float(value) for y, value in rows.groupby("year")["planned"].sum().items()}


def a_price_and_the_cap_it_leads_to_give_the_same_plan(case: RandomCase, _: Plan) -> Iterator[str]:
    """A plan at a price is the cheapest of all that emit no more; the cap's own price leads to the cap's cost again.

    Targets on cost are left out: a further price would move what they bound.
    """
    plain = at_least_cost(case)
    plain.tables["targets"] = [row for row in plain.tables["targets"] if row["quantity"] != "cost"]
    counted = components(plain)
    prices = plain.tables["prices"]
    for q, component in ((str(row["quantity"]), k) for row in plain.tables["quantities"] for k in COMPONENTS):
        if q not in GOOD and not any(
            row["component"] == component and (component not in counted or row["quantity"] == q) for row in prices
        ):
            break
    else:
        return
    free = solved(plain)
    first, as_of = int(plain.settings["first_year"]), int(plain.settings.get("as_of") or 0)
    decided = [y for y in range(first, int(plain.settings["last_year"]) + 1) if y > as_of]
    if not free.found:
        return
    size = sum(abs(x) for x in levels(free, q).values())
    price = rounded(3 * float(free.costs["value"].abs().sum()) / size) if size else 0.0
    if not price:
        return
    priced = copy.deepcopy(plain)
    priced.settings["perspective"] = list(dict.fromkeys([*counted, component]))
    priced.tables["prices"].append({"quantity": q, "component": component, "price": price})
    paying = solved(priced)
    then = levels(paying, q)
    before = paying.quantities[paying.quantities["quantity"] == q].groupby("year")["baseline"].sum()
    rate, base = float(plain.settings["discount_rate"]), int(plain.settings["base_year"])
    discount = {y: (1 + rate) ** -(y - base) for y in then}
    bill = sum(discount[y] * price * (then[y] - float(before[y])) for y in then)
    scale = sum(discount[y] * price * max(abs(then[y]), abs(float(before[y]))) for y in then) + scale_of(paying)

    capped = copy.deepcopy(plain)
    for y in decided:
        row = {"kind": "level", "quantity": q, "sense": "<=", "value": then[y] + 2e-7 * abs(then[y])}
        capped.tables["targets"].append({"target": f"cap_{y}", **row, "first_year": y, "last_year": y})
    limited = solved(capped)
    if not limited.found or differ(worth(limited), worth(paying) - bill, scale):
        yield f"capped where a price of {price} on {q} leads: {worth(limited):.10g}, priced {worth(paying) - bill:.10g}"
        return
    duals = limited.prices[limited.prices["family"] == "target_is_kept"].set_index("key")["dual"]
    money = {y: -float(duals.get(f"cap_{y}", 0.0)) / discount[y] for y in decided}
    again = copy.deepcopy(plain)
    again.settings["perspective"] = priced.settings["perspective"]
    for y in then:
        again.tables["prices"].append({"quantity": q, "component": component, "price": money.get(y, 0.0), "year": y})
    bill = sum(discount[y] * money[y] * (then[y] - float(before[y])) for y in decided)
    dual = solved(again)
    if differ(worth(dual) - bill, worth(limited), scale):
        yield f"at the price of the cap on {q}: {worth(dual) - bill:.10g}, capped {worth(limited):.10g}"


def shadow_prices_are_finite_differences(case: RandomCase, _: Plan) -> Iterator[str]:
    """Savings shrink and costs grow with the step: its mean bounds the price, and is the price on a straight piece."""
    plain = at_least_cost(case)
    plan = solved(plain)
    if not plan.found:
        return
    rate, base = float(plain.settings["discount_rate"]), int(plain.settings["base_year"])
    told: list[tuple[str, int, float, float, Any]] = []
    for k, row in enumerate(plain.tables["targets"]):
        rows = plan.targets[(plan.targets["target"] == row["target"]) & plan.targets["price_loosen"].notna()]
        years = plan.targets[plan.targets["target"] == row["target"]]
        if len(rows) == len(years) == 1 and row["kind"] in ("level", "abated", "cumulative", "change"):
            told.append(("targets", k, 1.0 if row["sense"] == "<=" else -1.0, float(str(row["value"])), rows.iloc[0]))
    for k, row in enumerate(plain.tables["budgets"]):
        rows = plan.budgets[(plan.budgets["budget"] == row["budget"]) & plan.budgets["price_loosen"].notna()]
        if len(rows) == len(plan.budgets[plan.budgets["budget"] == row["budget"]]) == 1 and not row.get("year"):
            told.append(("budgets", k, 1.0, float(str(row["limit"])), rows.iloc[0]))
    for table, k, sign, value, row in told:
        target = plain.tables[table][k]
        bound = float(row["bound" if table == "targets" else "limit"])
        unit = 1.0
        if target.get("kind") == "change":
            unit, bound = bound / (1.0 + value) if value > -1 else 0.0, value
        discount = (1 + rate) ** -(int(row["year"]) - base)
        if not unit or not bound:
            continue
        slopes = []
        for step in (1e-3, 5e-4, -5e-4, -1e-3):
            moved = copy.deepcopy(plain)
            to = value + sign * step * abs(bound)
            moved.tables[table][k]["value" if table == "targets" else "limit"] = to
            slopes.append((worth(plan) - worth(tightened(moved))) / (discount * (to - value) * sign * unit))
        name = f"{table} {target.get('target') or target.get('budget')}"
        noise = CLOSE * 0.1 * scale_of(plan) / (discount * 5e-4 * abs(bound * unit))
        loosen, tighten = (
            float(row["price_loosen"]),
            float(row["price_tighten"] if row["price_tighten"] is not None else math.inf),
        )
        tighten = math.inf if math.isnan(tighten) else tighten
        close = noise + 1e-4 * max(abs(loosen), abs(slopes[0]))
        if loosen > tighten + close:
            yield f"{name}: loosening saves {loosen:.8g}, tightening costs {tighten:.8g}"
        if slopes[0] > loosen + close or (abs(slopes[0] - slopes[1]) < close / 10 and abs(loosen - slopes[0]) > close):
            yield f"{name}: price of loosening {loosen:.8g}, difference {slopes[:2]}"
        close = noise + 1e-4 * max(abs(tighten), abs(slopes[3])) if math.isfinite(slopes[3]) else noise
        if slopes[3] < tighten - close or (
            abs(slopes[3] - slopes[2]) < close / 10 and abs(tighten - slopes[3]) > close
        ):
            yield f"{name}: price of tightening {tighten:.8g}, difference {slopes[2:]}"


LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        a_tighter_target_is_never_cheaper,
        a_further_target_is_never_cheaper,
        a_larger_budget_is_never_dearer,
        fewer_limits_are_never_dearer,
        units_never_matter,
        the_unit_of_money_never_matters,
        the_order_of_rows_never_matters,
        splitting_a_city_changes_nothing,
        the_same_case_gives_the_same_portfolio,
        a_price_and_the_cap_it_leads_to_give_the_same_plan,
        shadow_prices_are_finite_differences,
    )
}
