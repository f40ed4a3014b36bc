"""Who pays: money out and money back by payer and year."""

import pandas as pd

from planner.credit import savings
from planner.plan import Plan

FLOWS = ("payer", "year", "paid", "running", "saved", "net")
PLACE = ["measure", "city"]


def payers(plan: Plan) -> pd.DataFrame:
    """Cash flow of every fund by year: `payer`, `year`, `paid` (capital spending), `running` (running costs of what it
    helped to build), `saved` (what priced quantities cost less by it), `net` = paid + running - saved [currency].

    Running costs and savings of a measure in a city come back to the funds in proportion to what each paid over the
    plan for the pool that the measure belongs to (its sector, or itself where a fund has a rule for it) in that city;
    where nothing was paid there, in the whole province; what nobody paid for (older stock) has a blank payer. A case
    without funds has one blank payer. Sums over payers are those of the plan. Savings are credited to measures as
    `planner credit` does. Raises ValueError for a plan without portfolio or case.
    """
    spent = savings(plan)
    case = plan.case
    assert case is not None
    own = {row.measure for row in case.fund_rules if row.measure}
    sector = {row.measure: row.sector for row in case.measures}
    pool = {m: f"{s}/{m}" if m in own else s for m, s in sector.items()}
    paid = plan.funds.assign(
        pool=[f"{s}/{m}" if m else s for s, m in zip(plan.funds["sector"], plan.funds["measure"], strict=True)]
    )
    booked = paid["measure"].ne("") & ~paid["measure"].isin(own)  # history booked on a fund counts in its sector
    paid.loc[booked, "pool"] = paid.loc[booked, "sector"]
    running = plan.costs[plan.costs["item"] == "fixed_om"].rename(columns={"id": "measure"})
    flows = pd.concat(
        [
            running[[*PLACE, "year", "value"]].assign(kind="running"),
            spent[spent["item"] != "own"][[*PLACE, "year", "value"]].assign(kind="saved", value=lambda f: -f["value"]),
        ],
        ignore_index=True,
    )
    flows["pool"] = flows["measure"].map(pool)
    sums = flows.groupby(["pool", "city", "year", "kind"])[["value"]].sum().reset_index()
    returned = shared(sums, paid)
    spending = paid.rename(columns={"fund": "payer"})
    if not case.funds:
        spending = plan.portfolio.assign(payer="").rename(columns={"capex": "paid"})
    out = spending.groupby(["payer", "year"])[["paid"]].sum()
    frame = returned.pivot_table(index=["payer", "year"], columns="kind", values="value", aggfunc="sum", fill_value=0.0)
    frame = frame.join(out, how="outer").reindex(columns=["paid", "running", "saved"]).fillna(0.0)
    frame["net"] = frame["paid"] + frame["running"] - frame["saved"]
    order = {row.fund: place for place, row in enumerate(case.funds)}
    found = frame.reset_index()
    found["order"] = found["payer"].map(order).fillna(len(order))
    return found.sort_values(["order", "year"], kind="stable")[list(FLOWS)].reset_index(drop=True)


def shared(flows: pd.DataFrame, paid: pd.DataFrame) -> pd.DataFrame:
    """Flows of pools and cities by payer, in proportion to what each paid there, else in the province."""
    here = parts(paid, ["pool", "city"])
    everywhere = parts(paid, ["pool"])
    local = flows.merge(here, on=["pool", "city"], how="left")
    known = local[local["part"].notna()]
    rest = local[local["part"].isna()].drop(columns=["fund", "part"]).merge(everywhere, on="pool", how="left")
    both = pd.concat([known, rest], ignore_index=True)
    both["value"] *= both["part"].fillna(1.0)
    return both.assign(payer=both["fund"].fillna(""))[["payer", "year", "kind", "value"]]


def parts(paid: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Part of each fund in what was paid for each group."""
    sums = paid.groupby([*by, "fund"], as_index=False)["paid"].sum()
    whole = sums.groupby(by)["paid"].transform("sum")
    found: pd.DataFrame = sums[whole > 0].assign(part=sums["paid"] / whole)[[*by, "fund", "part"]]
    return found
