"""Maps: the cities by a number to choose; bars where no boundaries of all cities are at hand."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from planner import charts
from planner.case import Case
from planner.highlights import main_quantity
from planner.plan import Plan
from planner.text import t
from planner.ui import drawing, figures, ledgers

SHOWN = ("capex", "head", "cut", "below")
"""What a map may show."""
HIGH = 520
"""Height of a map [px]."""


def tab(case: Case, plan: Plan, lang: str) -> None:
    """A number to choose, and its map."""
    frame = ledgers.cities(case, plan, lang)
    shown = choose(case, frame, "tab", lang)
    if shown:
        draw(case, frame, shown, "tab", lang)


def choose(case: Case, frame: pd.DataFrame, place: str, lang: str) -> str:
    """The number that is shown; empty, and said, where the plan does nothing."""
    names = column_names(case, lang)
    options = [name for name in SHOWN if frame[name].notna().all() and frame[name].abs().max() > 0]
    if not options:
        st.caption(t("ui.portfolio.none", lang))
        return ""
    shown = st.segmented_control(
        t("ui.cities.show", lang),
        options,
        default=options[0],
        required=True,
        format_func=names.__getitem__,
        key=f"cities_show_{place}_{lang}",
        label_visibility="collapsed",
    )
    return str(shown or options[0])


def draw(
    case: Case, frame: pd.DataFrame, shown: str, place: str, lang: str, pick: Callable[[str], None] | None = None
) -> None:
    """The map; a click is handed on under the key of the chart."""
    names = column_names(case, lang)
    words = {"value": names[shown], "name": t("ui.column.city", lang), "group": t("ui.column.city", lang)}
    shapes = ledgers.shapes(case, dict(zip(frame["id"], frame[shown], strict=True)), lang)
    if shapes is not None:
        spec, data = charts.choropleth(words, shapes, drawing.ground()), None
    else:
        data = frame.rename(columns={"city": "group", shown: "value"})[["group", "value"]]
        spec = charts.bars(words, drawing.ground())
    drawn = ("map" if shapes is not None else "bars") + (f"_{place}" if place else "")
    st.vega_lite_chart(
        data,
        spec,
        width="stretch",
        height=HIGH,
        key=drawn,
        on_select=(lambda: pick(drawn)) if pick else "ignore",
        selection_mode=charts.PICKED if pick else None,
        alt=t("ui.cities.alt", lang),
    )


def column_names(case: Case, lang: str) -> dict[str, str]:
    """Names of the numbers of a city, with their units."""
    quantity = main_quantity(case)
    money = drawing.money_unit(case, lang)
    names = {
        "city": t("ui.column.city", lang),
        "capex": t("ui.joined", lang, what=t("ui.portfolio.capex", lang), unit=money),
        "share": t("ui.cities.share", lang),
        "head": t("ui.cities.head", lang, currency=drawing.currency(case, lang)),
    }
    if quantity is None:
        return {**names, "cut": "", "below": ""}
    short = ledgers.quantity_name(case, quantity, lang)
    words = {"quantity": short, "year": case.settings.last_year}
    unit = figures.unit_of(case, quantity, lang).name
    return {
        **names,
        "cut": t("ui.joined", lang, what=t("ui.cities.cut", lang, **words), unit=unit),
        "below": t("ui.cities.below", lang, **words),
    }
