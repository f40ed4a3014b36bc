"""What `planner check` says: every fault with its place and remedy, or what a case holds."""

from collections.abc import Sequence

from rich.text import Text

from planner import text
from planner.case import CaseSummary
from planner.errors import Issue
from planner.show.layout import ALARM, GOOD, QUIET, Page, add, grid

MOST = 50
"""Faults shown at once [-]."""


def show_faults(page: Page, issues: Sequence[Issue], name: str) -> None:
    """The first faults, each with its remedy, how many there are in all, and then the remarks."""
    errors = [issue for issue in issues if issue.severity == "error"]
    words = "check.fault" if len(errors) == 1 else "check.faults"
    page.line(Text(page.t(words, count=len(errors), case=name), style=f"bold {ALARM}"))
    for issue in errors[:MOST]:
        show_issue(page, issue)
    if len(errors) > MOST:
        page.line()
        page.line(page.t("check.shown", shown=MOST), style=QUIET)
    show_warnings(page, [issue for issue in issues if issue.severity == "warning"])


def show_issue(page: Page, issue: Issue) -> None:
    """Where and what, and below it what to do."""
    table = grid(["", ""], header=False)
    add(table, "•", text.issue(issue, page.lang))
    add(table, "", Text(text.remedy(issue, page.lang), style=QUIET))
    page.show(table)


def show_warnings(page: Page, issues: Sequence[Issue]) -> None:
    """What was accepted, but should be known."""
    if issues:
        page.heading(page.t("check.warning" if len(issues) == 1 else "check.warnings", count=len(issues)))
        for issue in issues[:MOST]:
            show_issue(page, issue)


def show_summary(page: Page, summary: CaseSummary) -> None:
    """Horizon, sizes, grades and missing sources of a case."""
    title = summary.title.get(page.lang) or next(iter(summary.title.values()), summary.name)
    page.line(Text(title, style="bold"))
    parts = [page.t("check.horizon", first=summary.first_year, last=summary.last_year, base=summary.base_year)]
    if summary.as_of is not None:
        parts.append(page.t("check.history", year=summary.as_of))
    page.line(
        Text.assemble(
            (page.t("check.fine", case=summary.name), GOOD),
            ("   " + ("，" if page.lang == "zh" else ", ").join(parts), QUIET),
        )
    )
    sizes = {name: getattr(summary, name) for name in ("cities", "sectors", "measures", "quantities", "targets")}
    soft = summary.targets - summary.hard_targets
    page.line(page.t("check.sizes", **sizes, soft=soft, budgets=summary.budgets))
    page.line()
    grades = ("A", "B", "C")
    heads = [page.t("check.table"), page.t("check.rows"), *(page.t("check.grade", grade=grade) for grade in grades)]
    table = grid([*heads, page.t("check.ungraded"), page.t("check.unsourced")], right=range(1, 7))
    filled = [row for row in summary.tables if row.rows]
    for row in filled:
        counts = [row.rows, *(row.grades.get(grade, 0) for grade in (*grades, "")), row.without_source]
        add(table, row.table, *[f"{count:,}" if count else "·" for count in counts])
    totals = [sum(row.rows for row in filled)]
    totals += [sum(row.grades.get(grade, 0) for row in filled) for grade in (*grades, "")]
    totals.append(sum(row.without_source for row in filled))
    add(table, page.t("check.total"), *[f"{count:,}" for count in totals], style="bold")
    page.show(table)
    page.note(page.t("check.legend"))
    if summary.warnings:
        show_warnings(page, summary.warnings)
    else:
        page.line()
        page.line(page.t("check.none"), style=QUIET)
