"""Drawing: what charts of all pages share: the theme, and words for axes."""

import streamlit as st

from planner import amounts, charts
from planner.case import Case
from planner.plan import Plan
from planner.text import t
from planner.ui import curves, figures
from planner.ui.levers import short_name

SMALL = 400
"""Height up to which the cost curve has no legend: it stands beside a chart in the same colours [px]."""


def ground() -> charts.Ground:
    """Colours for the theme on screen."""
    return charts.DARK if st.context.theme.type == "dark" else charts.LIGHT


def line_words(lang: str) -> dict[str, str]:
    """Words that charts over years share."""
    return {word: t(f"ui.wedge.{word}", lang) for word in ("year", "sector", "baseline", "plan", "target")}


def titled(case: Case, quantity: str, lang: str) -> str:
    """A quantity with its unit, for an axis."""
    row = next(row for row in case.quantities if row.quantity == quantity)
    return t("ui.joined", lang, what=short_name(row, lang), unit=figures.unit_of(case, quantity, lang).name)


def money_unit(case: Case, lang: str) -> str:
    """Name of the unit of money on screen."""
    return amounts.money(case.settings.money_unit, case.settings.currency, lang).name


def currency(case: Case, lang: str) -> str:
    """Name of the currency."""
    return amounts.currency(case.settings.currency, lang)


def draw_cost_curve(case: Case, plan: Plan, quantity: str, year: int, height: int, lang: str) -> bool:
    """Boxes; whether there are any."""
    frame, limits = curves.cost_curve(case, plan, quantity, year, lang)
    if not (frame["part"] == "box").any():
        st.caption(t("ui.curve.nothing", lang))
        return False
    row = next(row for row in case.quantities if row.quantity == quantity)
    unit, money = figures.unit_of(case, quantity, lang).name, curves.price_unit(case, quantity, lang).name
    words = {
        "abated": t("ui.joined", lang, what=t("ui.curve.abated", lang, quantity=short_name(row, lang)), unit=unit),
        "value": t("ui.curve.unit_cost", lang, currency=currency(case, lang), unit=money),
        "measure": t("ui.portfolio.measure", lang),
        "sector": t("ui.portfolio.sector", lang),
        "price": "",
        "years": t("ui.portfolio.years", lang),
    }
    drawn = set(frame["sector"])
    colours = {name: colour for name, colour in figures.colours(case, lang).items() if name in drawn}
    st.vega_lite_chart(
        frame,
        charts.cost_curve(words, colours, limits, ground(), legend=height > SMALL),
        width="stretch",
        height=height,
        key=f"curve_{height}",
        alt=t("ui.curve.alt", lang),
    )
    return True


def draw_roadmap(case: Case, plan: Plan, lang: str, count: int | None = None) -> None:
    """When measures are built and serve."""
    frame = curves.roadmap(case, plan, lang, count)
    if frame.empty:
        st.caption(t("ui.portfolio.none", lang))
        return
    drawn = set(frame["sector"])
    colours = {name: colour for name, colour in figures.colours(case, lang).items() if name in drawn}
    words = {
        "measure": t("ui.portfolio.measure", lang),
        "sector": t("ui.portfolio.sector", lang),
        "from": t("ui.column.first_year", lang),
        "until": t("ui.column.last_year", lang),
        "amount": t("ui.portfolio.starts", lang),
    }
    st.caption(t("ui.roadmap.help", lang, count=frame["measure"].nunique()))
    years = (case.settings.first_year, case.settings.last_year)
    st.vega_lite_chart(
        frame,
        charts.roadmap(words, colours, years, ground()),
        width="stretch",
        height=90 + 19 * frame["measure"].nunique(),
        key="roadmap",
        alt=t("ui.roadmap.alt", lang),
    )
