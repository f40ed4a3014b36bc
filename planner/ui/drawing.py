"""Drawing: what charts of all pages share: the theme, and words for axes."""

import streamlit as st

from planner import amounts, charts
from planner.case import Case
from planner.text import t
from planner.ui import figures
from planner.ui.levers import short_name


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
