"""The page of budgets: whose money is spent when, and which budgets are used up."""

import streamlit as st

from planner import charts
from planner.text import t
from planner.ui import answering, cutting, drawing, figures, ledgers, state, valuing
from planner.ui.planning import draw_budgets, draw_headline, draw_levers


def page() -> None:
    """Spending by year, told by payer, sector or city; below it what each budget allows."""
    lang = state.view().lang
    stand = answering.stand(t("ui.page.budget", lang), draw_levers)
    if stand.shown is None:
        return
    plan = stand.shown.plan
    case = plan.case or stand.case
    with st.container(key="answer"):
        money = figures.headline(case, stand.offered, plan, stand.reference, lang)[:2]
        draw_headline(money, stand.reference_name, lang)
        options = [by for by in ledgers.BY if by != "fund" or case.funds]
        names = {by: t(f"ui.spending.by.{by}", lang) for by in options}
        by = st.segmented_control(
            t("ui.spending.label", lang),
            options,
            default=options[0],
            required=True,
            format_func=names.__getitem__,
            key=f"spending_by_{lang}",
            label_visibility="collapsed",
        )
        by = str(by or options[0])
        frame = ledgers.spending(case, plan, by, lang)
        drawn = set(frame["group"])
        every = list(ledgers.names_by(case, by, lang).values())
        colours = figures.colours(case, lang) if by == "sector" else ledgers.palette(every)
        unit = drawing.money_unit(case, lang)
        words = {
            "value": t("ui.joined", lang, what=t("ui.spending.paid", lang), unit=unit),
            "year": t("ui.wedge.year", lang),
            "group": names[by],
        }
        st.subheader(t("ui.spending.title", lang), anchor=False)
        st.vega_lite_chart(
            frame,
            charts.stacked(words, {name: colours[name] for name in every if name in drawn}, drawing.ground()),
            width="stretch",
            height=380,
            key="spending_chart",
            alt=t("ui.spending.alt", lang),
        )
        if "target" in set(frame["part"]):
            st.caption(t("ui.spending.limit", lang))
        st.subheader(t("ui.tab.budgets", lang), anchor=False)
        draw_budgets(case, plan, lang)
        cutting.draw_flow(case, plan, lang)
    valuing.draw(stand, lang)
    cutting.draw(stand, stand.asked, lang)


if __name__ == "__main__":
    page()
