"""The page of the method: what proves the plan on screen, the equations, and where the numbers come from."""

import re
import textwrap

import pandas as pd
import streamlit as st

from planner.case import Case, case_summary
from planner.formulation import COSTS, ROWS, VARIABLES
from planner.text import messages, t
from planner.ui import answering, state

GLOSSARY = "glossary."
"""Where the words and what they mean stand."""
PARTS = {"variables": VARIABLES, "rows": ROWS, "costs": COSTS}


def page() -> None:
    """Certificate, equations, data."""
    lang = state.view().lang
    stand = answering.stand(t("ui.page.method", lang))
    draw_certificate(stand, lang)
    tabs = st.tabs([t(f"ui.method.{name}", lang) for name in ("equations", "glossary", "data", "sources")])
    with tabs[0]:
        draw_equations(lang)
    with tabs[1]:
        draw_glossary(lang)
    with tabs[2]:
        draw_data(stand.case, lang)
    with tabs[3]:
        draw_sources(stand.case, lang)


def draw_certificate(stand: answering.Stand, lang: str) -> None:
    """What an independent recomputation says of the plan on screen."""
    st.subheader(t("ui.method.certificate", lang), anchor=False)
    plan = stand.shown.plan if stand.shown else None
    verdict = (plan.summary.get("verdict") or {}).get(lang) if plan else None
    if verdict:
        st.success(verdict, icon=":material/verified:")
    else:
        st.info(t("ui.proof.help", lang))
    st.caption(t("ui.method.certificate_help", lang))


def draw_equations(lang: str) -> None:
    """Every family of the formulation, as its code documents it."""
    st.caption(t("ui.method.equations_help", lang))
    for name, families in PARTS.items():
        st.markdown(f"#### {t(f'ui.method.{name}', lang)}")
        for family in families:
            first, _, rest = re.sub(r"\$\$(.*?)\$\$", one_line, family.formula, flags=re.DOTALL).partition("\n")
            with st.container(key=f"family_{family.name}"):
                st.markdown(f"**{family.name.replace('_', ' ')}** · {first}\n\n{textwrap.dedent(rest)}")


def draw_glossary(lang: str) -> None:
    """What the words of these pages mean."""
    keys = [key for key in messages() if key.startswith(GLOSSARY)]
    terms = [key.removesuffix(".term") for key in keys if key.endswith(".term")]
    st.markdown("\n\n".join(f"**{t(f'{key}.term', lang)}**  \n{t(f'{key}.means', lang)}" for key in terms))


def one_line(formula: re.Match[str]) -> str:
    """A formula in one line: where a line begins with a sign, Markdown takes it for a list."""
    return f"$${' '.join(formula[1].split())}$$"


def draw_data(case: Case, lang: str) -> None:
    """How many rows of each table are official, from literature or estimated."""
    st.caption(t("ui.method.grades_help", lang))
    rows = [
        (t(f"ui.table.{one.table}", lang), one.rows, *(one.grades[grade] for grade in ("A", "B", "C", "")))
        for one in case_summary(case).tables
        if one.rows
    ]
    frame = pd.DataFrame(rows, columns=["table", "rows", "A", "B", "C", "none"])
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        column_config={
            "table": column.TextColumn(t("ui.edit.table", lang), width=220),
            "rows": column.NumberColumn(t("ui.method.count", lang)),
            **{grade: column.NumberColumn(t(f"ui.method.grade.{grade}", lang)) for grade in ("A", "B", "C", "none")},
        },
    )


def draw_sources(case: Case, lang: str) -> None:
    """Documents and data sets that the tables name."""
    if not case.sources:
        st.caption(t("ui.method.no_sources", lang))
        return
    columns = ("source", "title", "publisher", "year", "where", "verified", "licence")
    frame = pd.DataFrame([{name: row.values().get(name) for name in columns} for row in case.sources])
    labels = {name: st.column_config.TextColumn(t(f"ui.source.{name}", lang)) for name in columns}
    st.dataframe(frame, hide_index=True, height=560, column_config=labels)


if __name__ == "__main__":
    page()
