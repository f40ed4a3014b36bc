"""Task lists and the breakdown of targets: who does what, where, by when, with whose money, and what it brings.

Both add up: tasks to the starts, capital, payments and effects of the plan; parts to the level and cut of a target.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from planner.case import Case
from planner.credit import case_of, credit
from planner.highlights import key_quantities, lines
from planner.plan import Plan
from planner.problem import Problem
from planner.rows import PROVINCE, is_money

TASKS = ("part", "measure", "city", "sector", "lead", "others", "clause", "start", "service", "starts", "capex")
"""Columns of a list of tasks before those of the funds (`fund:<id>`) and of the effects (ids of quantities)."""
BREAKDOWN = ("target", "year", "quantity", "city", "sector", "base", "baseline", "planned", "cut", "part")
PLANNED, EXISTING = "planned", "existing"


def tasks(plan: Plan, year: int | None = None, quantities: Sequence[str] | None = None) -> pd.DataFrame:
    """Every start of the plan as a task: a row per measure, city and year of start.

    `part` is planned, or existing for what was decided before and is still paid or works: one row per measure and
    city, without years and starts. `lead` is the first department of the measure, `others` the rest. `start` and
    `service` are years, `starts` is in units of the measure, `capex` [currency] is paid from `start` on. `fund:<id>`:
    what each fund pays of it: of the spending of a pool every task bears the same shares. Quantities (all that targets
    bound, or those named): change in `year` (default: the last), as `planner credit` tells it, by stock in service.
    Sums over all rows are those of the plan. Raises ValueError for a plan without portfolio or case.
    """
    case = case_of(plan)
    problem = Problem(case)
    at = case.settings.last_year if year is None else year
    chosen = [q for q in (key_quantities(case) if quantities is None else quantities) if not is_money(q)]
    funds = [row.fund for row in case.funds]
    shares = _shares(problem, plan)
    started = plan.portfolio[plan.portfolio["starts"] > 0]
    rows: list[dict[str, object]] = []
    alive: dict[tuple[str, str], float] = defaultdict(float)
    for line in lines(started):
        m, c, v, n = line.measure, line.city, int(line.year), float(line.starts)
        row = problem.measures[m]
        years = problem.construction_years(m, v)
        yearly = problem.installment[m, v] * n
        paid = {f"fund:{f}": sum(yearly * shares.get((m, c, y), {}).get(f, 0.0) for y in years) for f in funds}
        works = row.lead_time + v <= at < row.lead_time + v + row.lifetime
        alive[m, c] += n if works else 0.0
        rows.append(
            {"part": PLANNED, "measure": m, "city": c, "start": v, "service": v + row.lead_time, "starts": n}
            | {"capex": yearly * len(years), "serving": n if works else 0.0, **paid}
        )
    rows += _before(problem, shares, funds)
    told = credit(plan)
    changed = told[(told["year"] == at) & told["quantity"].isin(chosen)]
    sums = changed.groupby(["part", "measure", "city", "quantity"])["value"].sum().reset_index()
    effect = {(line.part, line.measure, line.city, line.quantity): float(line.value) for line in lines(sums)}
    places = {(str(row["part"]), str(row["measure"]), str(row["city"])) for row in rows}
    for part, m, c in dict.fromkeys((str(key[0]), str(key[1]), str(key[2])) for key in effect):
        if part == EXISTING and (part, m, c) not in places:
            places.add((part, m, c))
            rows.append({"part": EXISTING, "measure": m, "city": c, "capex": 0.0, **{f"fund:{f}": 0.0 for f in funds}})
    whole_rows = []
    for found in rows:
        part, m, c = str(found["part"]), str(found["measure"]), str(found["city"])
        serving = float(str(found.get("serving", 0.0)))
        weight = 1.0 if part == EXISTING else serving / alive[m, c] if alive[m, c] else 0.0
        brought = {q: effect.get((part, m, c, q), 0.0) * weight for q in chosen}
        whole_rows.append({**found, **brought, **_who(case, m)})
    frame = pd.DataFrame(whole_rows, columns=[*TASKS, *(f"fund:{f}" for f in funds), *chosen])
    frame[["start", "service"]] = frame[["start", "service"]].astype("Int64")
    frame[["starts", "capex"]] = frame[["starts", "capex"]].astype(float).fillna(0.0)
    order = {row.measure: place for place, row in enumerate(case.measures)}
    frame["order"] = frame["measure"].map(order)
    frame = frame.sort_values(["part", "order", "city", "start"], kind="stable", ascending=[False, True, True, True])
    return frame.drop(columns=["order"]).reset_index(drop=True)


def _who(case: Case, measure: str) -> dict[str, str]:
    """Sector, departments and clauses of a measure."""
    row = next(row for row in case.measures if row.measure == measure)
    lead, *others = row.departments or ("",)
    return {"sector": row.sector, "lead": lead, "others": ";".join(others), "clause": ";".join(row.clause)}


def _shares(problem: Problem, plan: Plan) -> Mapping[tuple[str, str, int], Mapping[str, float]]:
    """Part of each fund in what a measure spends in a city and year, where its pool pays [-]."""
    own = set(problem.pool_measure.values())
    paid: dict[tuple[str, str, int], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for line in lines(plan.funds):
        pool = line.measure if line.measure in own else line.sector
        amount = float(line.paid)
        if line.measure and line.measure not in own:
            continue  # paid by a fund that the row of existing stock names
        paid[pool, line.city, int(line.year)][line.fund] += amount
    for (f, m, c, y), amount in problem.earmarked.items():
        if m in own:
            paid[str(m), str(c), int(str(y))][str(f)] -= float(amount)
    found: dict[tuple[str, str, int], Mapping[str, float]] = {}
    sector = {m: row.sector for m, row in problem.measures.items()}
    for m in problem.measures:
        pool = m if m in own else sector[m]
        for (k, c, y), of in paid.items():
            whole = sum(of.values())
            if k == pool and whole > 0:
                found[m, c, y] = {f: amount / whole for f, amount in of.items()}
    return found


def _before(
    problem: Problem, shares: Mapping[tuple[str, str, int], Mapping[str, float]], funds: Sequence[str]
) -> list[dict[str, object]]:
    """What stock that was decided before still spends, by measure and city."""
    spent: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    marked: dict[tuple[str, str, int], float] = defaultdict(float)
    for (f, m, c, y), amount in problem.earmarked.items():
        spent[str(m), str(c)][f"fund:{f}"] += float(amount)
        marked[str(m), str(c), int(str(y))] += float(amount)
    for (m, c, y), amount in problem.booked_measure.items():
        row = spent[str(m), str(c)]
        row["capex"] += float(amount)
        pooled = float(amount) - marked[str(m), str(c), int(str(y))]
        for f, share in shares.get((str(m), str(c), int(str(y))), {}).items():
            row[f"fund:{f}"] += pooled * share
    blank = {f"fund:{f}": 0.0 for f in funds}
    return [{"part": EXISTING, "measure": m, "city": c, **blank, **row} for (m, c), row in spent.items()]


def breakdown(plan: Plan, target: str | None = None) -> pd.DataFrame:
    """Targets of the whole area (or one target) by city and sector, in the last year they name; the parts add up.

    Columns: `base` level of the base year without measures, `baseline` and `planned` of the year, `cut` against the
    baseline [unit of the quantity], `part` of the whole cut [-]. A blank city is what no city holds. Targets on money
    and on groups of cities are left out. Raises ValueError for a plan without portfolio or case.
    """
    case = case_of(plan)
    problem = Problem(case)
    base = {tuple(map(str, place)): float(path[0]) for place, path in problem.baseline_path.items()}
    parts = []
    for row in case.targets:
        if row.scope != PROVINCE or is_money(row.quantity) or target not in (None, row.target):
            continue
        years = plan.targets.loc[plan.targets["target"] == row.target, "year"]
        if years.empty:
            continue
        year = int(years.max())
        of = plan.quantities[(plan.quantities["quantity"] == row.quantity) & (plan.quantities["year"] == year)]
        if row.sectors:
            of = of[of["sector"].isin(row.sectors)]
        told = of[["quantity", "city", "sector", "year", "baseline", "planned"]].assign(target=row.target)
        keys = zip(told["quantity"], told["city"], told["sector"], strict=True)
        told["base"] = [base.get(key, 0.0) for key in keys]
        told["cut"] = told["baseline"] - told["planned"]
        whole = float(told["cut"].sum())
        told["part"] = told["cut"] / whole if whole else np.nan
        parts.append(told[list(BREAKDOWN)])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(BREAKDOWN))
