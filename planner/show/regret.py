"""What `planner regret` says: the stages, the money, the targets missed, the options gone."""

from collections.abc import Sequence

from rich.text import Text

from planner.amounts import decimals, number
from planner.case import Case
from planner.foresight import Regret
from planner.highlights import lines
from planner.show.layout import ALARM, Page, add, grid
from planner.show.tradeoffs import part


def spans(years: Sequence[int], lang: str) -> str:
    """Years in few words.

    >>> spans([2026, 2025, 2027, 2030], "en")
    '2025-2027, 2030'
    """
    runs: list[list[int]] = []
    for year in sorted(years):
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    told = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return ("、" if lang == "zh" else ", ").join(told)


def show_regret(page: Page, case: Case, found: Regret) -> None:
    """Stage by stage, then the bill."""
    money = page.money
    page.line(Text(page.title(), style="bold"))
    page.heading(page.t("regret.title"))
    table = grid([page.t("regret.horizon"), page.t("regret.cost", unit=money.name), ""], right=[1])
    places = decimals([*(found.stages["cost"] * money.factor), found.joint * money.factor], 5)
    for row in lines(found.stages):
        add(table, str(row.horizon), number(row.cost * money.factor, places), page.t(f"regret.{row.status}"))
    add(table, page.t("regret.joint"), number(found.joint * money.factor, places), page.t("regret.optimal"))
    page.show(table)
    page.line()
    if abs(found.money) > 1e-7 * abs(found.joint):
        share = part(page, found.money / abs(found.joint)) if found.joint else ""
        told = number(found.money * money.factor, decimals([found.money * money.factor], 3))
        page.line(page.t("regret.money", money=told, unit=money.name, part=share))
    elif found.kept:
        page.line(page.t("regret.none"))
    if not found.kept:
        page.line(page.t("regret.missed"), ALARM)
    if len(found.targets):
        page.heading(page.t("regret.targets"))
        table = grid(["", "", "", page.t("regret.by"), ""], right=[3], keep=[4])
        units = {row.target: row.quantity for row in case.targets}
        for target, rows in found.targets.groupby("target", sort=False):
            unit = page.unit("quantities", units[str(target)])
            hard = page.t("regret.hard" if rows["hard"].any() else "regret.soft")
            most = float((rows["missed"] - rows["joint"]).max()) * unit.factor
            years = spans(rows["year"].tolist(), page.lang)
            add(table, page.name("targets", str(target)), years, hard, number(most), unit.name)
        page.show(table)
    if len(found.lost):
        page.heading(page.t("regret.lost"))
        for row in lines(found.lost):
            unit = page.unit("measures", row.measure)
            values = [value * unit.factor for value in (row.joint, row.reachable)]
            amounts = dict(zip(("joint", "reachable"), (number(v, decimals(values)) for v in values), strict=True))
            names = {"name": page.name("measures", row.measure), "unit": unit.name, "last": case.settings.last_year}
            page.note(page.t("regret.lost_line", horizon=row.horizon, **names, **amounts))
    page.note(page.t("regret.note"))
