"""Plans side by side: frames with one column per plan. Plans are named by the caller, in the order of its mapping."""

from collections.abc import Mapping, Sequence

import pandas as pd

from planner.files import escaped
from planner.frames import digits
from planner.highlights import levels, lines, net_cost
from planner.plan import Plan

Plans = Mapping[str, Plan]

TIDY = ("table", "id", "year", "plan", "value")
"""Columns of the tidy table."""
NOISE = 1e-6
"""Starts that differ by less than this part of their size are the same [-]."""


def headlines(plans: Plans) -> pd.DataFrame:
    """One row per plan: status, objective with value and unit, cost without penalties, capital, targets missed."""
    rows = []
    for plan in plans.values():
        objective = plan.summary["objective"] or {}
        found = plan.found
        missed = plan.targets.loc[plan.targets["missed"] > 0, "target"].nunique() if found else None
        capex = float(plan.portfolio["capex"].sum()) if found else None
        net = net_cost(plan) if found else None
        named = (objective.get("name"), objective.get("value"), objective.get("unit"))
        rows.append((plan.status, *named, net, capex, missed))
    columns = ["status", "objective", "value", "unit", "net", "capex", "missed"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(plans, name="plan"))


def level_table(plans: Plans, quantities: Sequence[str], years: Sequence[int]) -> pd.DataFrame:
    """Planned level in the whole province by quantity and year (rows) and plan (columns) [unit of the quantity]."""
    columns = {}
    for name, plan in plans.items():
        of = levels(plan).set_index(["quantity", "year"])["planned"]
        columns[name] = of
    rows = pd.MultiIndex.from_product([quantities, years], names=["quantity", "year"])
    return pd.DataFrame(columns, columns=list(plans)).reindex(rows)


def missed_targets(plans: Plans) -> pd.DataFrame:
    """What is missed by target and year (rows) and plan (columns); only rows that some plan misses."""
    return _outer(
        {name: plan.targets.groupby(["target", "year"], sort=False)["missed"].sum() for name, plan in plans.items()},
        positive=True,
    )


def spending(plans: Plans) -> pd.DataFrame:
    """What is spent from each budget in all its years (rows) by plan (columns) [currency].

    Rows of a carry-over budget are cumulative, so its last one counts; which budgets are, any of the cases says.
    """
    carried = {row.budget for plan in plans.values() if plan.case for row in plan.case.budgets if row.carry_over}
    columns = {}
    for name, plan in plans.items():
        of = plan.budgets.groupby("budget", sort=False)["spent"]
        columns[name] = of.sum().where(~of.sum().index.isin(list(carried)), of.last())
    return _outer(columns)


def starts_table(plans: Plans) -> pd.DataFrame:
    """Starts of every measure over all cities and years (rows) by plan (columns) [unit of the measure].

    Rows are ordered by how far the plans are apart: by the spread of capital spending, then by that of the starts
    relative to the largest. Measures that all plans start alike are left out.
    """
    starts = _outer({name: plan.measures.set_index("measure")["starts"] for name, plan in plans.items() if plan.found})
    capex = _outer({name: plan.measures.set_index("measure")["capex"] for name, plan in plans.items() if plan.found})
    starts, capex = starts.fillna(0.0).astype(float), capex.fillna(0.0).astype(float)
    spread = starts.max(axis=1) - starts.min(axis=1)
    relative = spread / starts.abs().max(axis=1).replace(0.0, 1.0)
    order = pd.DataFrame({"money": capex.max(axis=1) - capex.min(axis=1), "relative": relative})
    order = order[relative > NOISE].sort_values(["money", "relative"], ascending=False, kind="stable")
    return starts.loc[order.index]


def tidy(plans: Plans) -> pd.DataFrame:
    """Everything that is compared in one long table: table, id, year, plan, value; no text of it is a formula."""
    rows: list[tuple[str, str, int | None, str, str | float]] = []
    for name, plan in zip(map(escaped, plans), plans.values(), strict=True):
        rows.append(("summary", "status", None, name, plan.status))
        if not plan.found:
            continue
        rows.append(("summary", escaped(str(plan.summary["objective"]["name"])), None, name, plan.objective))
        rows.append(("summary", "capex", None, name, digits(float(plan.portfolio["capex"].sum()))))
        missed = plan.targets.groupby(["target", "year"], sort=False)["missed"].sum()
        starts = plan.portfolio.groupby(["measure", "year"], sort=False)["starts"].sum()
        dated = {
            "quantities": levels(plan).set_index(["quantity", "year"])["planned"],
            "targets": missed,
            "budgets": plan.budgets.set_index(["budget", "year"])["spent"],
            "starts": starts[starts != 0],
        }
        for table, values in dated.items():
            of = lines(values.rename("value").rename_axis(["id", "year"]).reset_index())
            rows += [(table, line.id, int(line.year), name, digits(line.value)) for line in of]
    frame = pd.DataFrame(rows, columns=list(TIDY))
    frame["year"] = frame["year"].astype("Int64")
    return frame


def _outer(columns: Mapping[str, pd.Series], positive: bool = False) -> pd.DataFrame:
    """Series side by side, rows in the order in which they first occur."""
    if not columns:
        return pd.DataFrame()
    index = next(iter(columns.values())).index
    for column in columns.values():
        index = index.append(column.index.difference(index, sort=False))
    table = pd.DataFrame({name: column.reindex(index) for name, column in columns.items()})
    return table[table.max(axis=1) > 0] if positive else table
