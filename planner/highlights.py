"""What people look at first in a plan, as small frames: levels, tightest targets, largest measures, budgets."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from planner.case import Case
from planner.plan import Plan
from planner.rows import is_money

MOST_YEARS = 5
"""Years that a path is shown for at most [-]."""


def lines(frame: pd.DataFrame) -> Iterator[Any]:
    """Rows of a frame, cells by name of the column."""
    yield from frame.itertuples(index=False)


def main_quantity(case: Case) -> str | None:
    """The quantity a case is about: that of its first peak target, else its first emission, else its first."""
    peaks = [row.quantity for row in case.targets if row.kind == "peak" and not is_money(row.quantity)]
    emissions = [row.quantity for row in case.quantities if row.kind == "emission"]
    return next(iter([*peaks, *emissions, *(row.quantity for row in case.quantities)]), None)


def key_quantities(case: Case) -> list[str]:
    """Quantities that targets bound, the main one first; all emissions where there is no target."""
    bounded = [row.quantity for row in case.targets if not is_money(row.quantity)]
    emissions = [row.quantity for row in case.quantities if row.kind == "emission"]
    main = main_quantity(case)
    return list(dict.fromkeys([*([main] if main else []), *(bounded or emissions)]))


def key_years(case: Case, quantity: str) -> list[int]:
    """First and last year and, between them, those that targets on `quantity` name; else the middle."""
    first, last = case.settings.first_year, case.settings.last_year
    named = {
        year
        for row in case.targets
        if row.quantity == quantity
        for year in (row.first_year, row.by, row.last_year)
        if year is not None and first < year < last
    }
    if len(named) < 2:  # a lone year says little of a path: the targets of all quantities speak for the case
        years = [year for row in case.targets for year in (row.first_year, row.by, row.last_year)]
        often = sorted({y for y in years if y is not None and first < y < last}, key=lambda y: (-years.count(y), y))
        named |= set(often[: 2 - len(named)])
    inner = sorted(named or {(first + last) // 2} - {first, last})[: MOST_YEARS - 2]
    return [first, *inner, last] if last > first else [first]


def levels(plan: Plan) -> pd.DataFrame:
    """Level of every quantity in the whole province by year: quantity, year, baseline, planned [its unit]."""
    sums = plan.quantities.groupby(["quantity", "year"], sort=False)[["baseline", "planned"]].sum()
    return sums.reset_index()


def penalties(plan: Plan) -> float:
    """What missed soft targets cost: net present value [currency]."""
    return float(plan.costs.loc[plan.costs["item"] == "penalty", "discounted"].sum())


def net_cost(plan: Plan) -> float:
    """Cost without penalties for missed soft targets: net present value [currency]."""
    return float(plan.costs["discounted"].sum()) - penalties(plan)


def peak_year(path: pd.DataFrame) -> tuple[int, float]:
    """Year and height of the highest planned level of one quantity."""
    highest = next(lines(path.nlargest(1, "planned")))
    return int(highest.year), float(highest.planned)


def tightest(plan: Plan) -> pd.DataFrame:
    """One row per target: its year with the largest miss, else with the least room, relative to the bound.

    Columns are those of `targets.csv` and `binding`, `missed_years`: in how many years it binds, is missed.
    """
    frame = plan.targets.copy()
    scale = frame[["bound", "achieved"]].abs().max(axis=1).replace(0.0, 1.0)
    price = pd.to_numeric(frame["price_tighten"]).fillna(pd.to_numeric(frame["price_loosen"])).fillna(0.0)
    frame["room"] = (frame["slack"] / scale).where(frame["missed"] == 0, -frame["missed"] / scale)
    frame["weight"] = -price
    frame["binding"] = (frame["slack"] == 0) & (frame["missed"] == 0)
    frame["is_missed"] = frame["missed"] > 0
    counts = frame.groupby("target")[["binding", "is_missed"]].sum()
    order = {target: place for place, target in enumerate(dict.fromkeys(plan.targets["target"]))}
    rows = frame.sort_values(["room", "weight", "year"], kind="stable").drop_duplicates("target")
    rows = rows.sort_values("target", key=lambda column: column.map(order))
    rows["binding"] = rows["target"].map(counts["binding"]).astype(int)
    rows["missed_years"] = rows["target"].map(counts["is_missed"]).astype(int)
    return rows.drop(columns=["room", "weight", "is_missed"]).reset_index(drop=True)


def ranked(plan: Plan) -> pd.DataFrame:
    """The measures, those with the largest capital spending first; where nothing is invested, cost or saving."""
    size = plan.measures["capex"] if invests(plan) else plan.measures["cost"].abs()
    return plan.measures.loc[size.sort_values(ascending=False, kind="stable").index]


def invests(plan: Plan) -> bool:
    """Whether the plan has capital spending: a case may know yearly costs alone."""
    return bool((plan.measures["capex"] > 0).any())


def largest_measures(plan: Plan, count: int = 10) -> pd.DataFrame:
    """Measures that spend most: measure, capex, cost, starts, first and last year of starts, cities by size.

    Where nothing is invested, those with the largest cost or saving.
    """
    started = plan.portfolio[plan.portfolio["starts"] > 0]
    years = started.groupby("measure")["year"].agg(["min", "max"])
    cities = started.groupby(["measure", "city"])["starts"].sum().sort_values(ascending=False, kind="stable")
    rows: list[tuple[str, float, float, float, int, int, tuple[str, ...]]] = []
    size = "capex" if invests(plan) else "cost"
    for row in lines(ranked(plan).head(count)):
        if not getattr(row, size):
            break
        if row.measure in years.index:
            first, last = (int(year) for year in years.loc[row.measure])
            where = tuple(cities.loc[row.measure].index)
        else:  # all of it was decided before
            first, last, where = 0, 0, ()
        rows.append((row.measure, row.capex, row.cost, row.starts, first, last, where))
    return pd.DataFrame(rows, columns=["measure", "capex", "cost", "starts", "first", "last", "cities"])


def next_years(case: Case, count: int = 3) -> list[int]:
    """The first years that are not history."""
    return case.decided[:count]


def starts_by_year(plan: Plan, years: Sequence[int]) -> pd.DataFrame:
    """Starts per measure (rows, by what they cost in these years) and year (columns)."""
    chosen = plan.portfolio[plan.portfolio["year"].isin(years)]
    sums = chosen.groupby("measure")[["starts", "capex"]].sum()
    order = sums[sums["starts"] > 0].sort_values("capex", ascending=False, kind="stable").index
    table = chosen.pivot_table(index="measure", columns="year", values="starts", aggfunc="sum", fill_value=0.0)
    return table.reindex(index=order, columns=list(years), fill_value=0.0)


def budget_use(plan: Plan, carried: Iterable[str] = ()) -> pd.DataFrame:
    """One row per budget: limit, spent, slack over all its years, years in which it binds, its largest price.

    Rows of budgets in `carried` are cumulative, so their last one counts.
    """
    frame = plan.budgets.assign(price=pd.to_numeric(plan.budgets["price_loosen"]))
    rows = []
    for budget, of in frame.groupby("budget", sort=False):
        whole = of.iloc[[-1]] if budget in set(carried) else of
        binding = tuple(int(year) for year in of.loc[of["slack"] == 0, "year"])
        money = [float(whole[column].sum()) for column in ("limit", "spent", "slack")]
        rows.append((budget, *money, binding, float(of["price"].max())))
    return pd.DataFrame(rows, columns=["budget", "limit", "spent", "slack", "binding", "price"])


def runs(years: Iterable[int]) -> str:
    """Years as short text.

    >>> runs([2021, 2022, 2023, 2027])
    '2021-2023, 2027'
    """
    parts: list[list[int]] = []
    for year in sorted(years):
        if parts and year == parts[-1][-1] + 1:
            parts[-1].append(year)
        else:
            parts.append([year])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts)
