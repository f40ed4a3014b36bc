"""What `planner check --numbers` says: sizes of coefficients by family of rows, and the widest rows."""

from collections.abc import Sequence

from planner import text
from planner.errors import warning
from planner.numbers import WIDEST, Span, told, wide
from planner.show.inputs import show_warnings
from planner.show.layout import QUIET, Page, add, grid

SHOWN = 8
"""Families whose widest row is shown [-]."""


def show_spans(page: Page, spans: Sequence[Span]) -> None:
    """Ranges of coefficients and right sides, spread before and after scaling; then the widest row of each family."""
    page.heading(page.t("numbers.title"))
    heads = [page.t(f"numbers.{name}") for name in ("family", "count", "entries", "bounds", "spread", "scaled")]
    table = grid(heads, right=range(1, 6))
    for span in spans:
        sizes = (f"{span.smallest:.3g} – {span.largest:.3g}", f"{span.spread:.3g}", f"{span.scaled:.3g}")
        bounds = f"{span.bounds[0]:.3g} – {span.bounds[1]:.3g}" if span.bounds else "·"
        add(table, _family(page, span), f"{span.rows:,}", sizes[0], bounds, *sizes[1:])
    page.show(table)
    page.note(page.t("numbers.legend"))
    page.heading(page.t("numbers.worst"))
    table = grid(["", ""], header=False)
    for span in sorted(spans, key=lambda span: -span.scaled)[:SHOWN]:
        if span.scaled > 1:
            where = text.place(warning("numbers_far_apart", span.at), page.lang)
            add(table, _family(page, span), page.t("numbers.entry", **told(span)) + text.aside(where, page.lang))
    page.show(table)
    issues = wide(spans)
    show_warnings(page, issues)
    if not issues:
        page.line()
        page.line(page.t("numbers.fine", most=f"{WIDEST:g}"), style=QUIET)


def _family(page: Page, span: Span) -> str:
    return page.t(f"numbers.families.{span.family}")
