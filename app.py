"""The app: language and case in the sidebar, pages along the top. Start it with `streamlit run app.py`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import streamlit as st

from planner.case import Case
from planner.errors import CaseError
from planner.plan import Plan
from planner.text import LANGUAGES, t
from planner.ui import address, shared, state, words

CASES = Path(__file__).parent / "cases"
SCREENS = Path(state.__file__).parent
ICON = SCREENS / "icon.svg"
PAGES = {
    "plan": ("planning", "route"),
    "edit": ("editing", "edit_note"),
    "measures": ("measuring", "construction"),
    "tradeoffs": ("tradeoffs", "show_chart"),
    "budget": ("spending", "payments"),
    "compare": ("comparing", "compare_arrows"),
    "robustness": ("firmness", "shield"),
    "cities": ("places", "location_city"),
    "method": ("method", "functions"),
    "files": ("filing", "folder_open"),
    "workshop": ("workshop", "groups"),
}
"""Pages by name: file under planner/ui, and icon. The workshop stands alone, under `?mode=workshop`."""


def main() -> None:
    """Choose language and case, then show a page."""
    if st.session_state.get("lang") not in LANGUAGES:  # none, too, where a run was left before its controls were drawn
        st.session_state["lang"] = st.session_state.get("language") or address.preferred_language()
    lang = st.session_state["language"] = st.session_state["lang"]
    workshop = address.in_workshop()
    sidebar: Literal["auto", "collapsed"] = "collapsed" if workshop else "auto"
    st.set_page_config(page_title=t("ui.app", lang), page_icon=str(ICON), layout="wide", initial_sidebar_state=sidebar)
    found = shared.cases(CASES)
    st.session_state.setdefault("case", st.query_params.get("case"))  # whoever moves on at once drops the link
    shown = {name: page for name, page in PAGES.items() if (name == address.WORKSHOP) == workshop}
    pages = [
        st.Page(
            SCREENS / f"{file}.py",
            title=t(f"ui.page.{name}", lang),
            icon=f":material/{icon}:",
            url_path=name,
            default=name in ("plan", address.WORKSHOP),
        )
        for name, (file, icon) in shown.items()
    ]
    shared.desk().writer = report
    page = st.navigation(pages, position="hidden" if workshop else "top")
    with st.sidebar:
        st.segmented_control(
            t("ui.language", lang),
            LANGUAGES,
            required=True,
            format_func=lambda code: t("ui.in_language", code),
            key="lang",
            label_visibility="collapsed",
        )
        if found:
            held = address.room_case() if workshop else None
            name = held if held in found else choose_case(found, lang)
    if not found:
        st.info(t("ui.no_plan.no_cases", lang))
        return
    case = state.brought().get(name) or shared.read(found[name])
    if isinstance(case, CaseError):
        st.error("\n".join([t("ui.no_plan.unreadable", lang, folder=name), "", *words.issue_lines(case, lang)]))
        return
    st.session_state["view"] = state.View(case, lang, page.url_path)
    page.run()


def report(case: Case, plan: Plan, place: Path, form: str, lang: str) -> None:
    """Write the report of a plan; what draws it is loaded for the first one only."""
    from planner.report import write_report  # noqa: PLC0415  takes longer to load than a page to draw

    write_report(case, plan, place, form, lang)


def choose_case(found: Mapping[str, Path], lang: str) -> str:
    """The case on screen; a list in another language is another list, so the choice is kept beside it."""
    st.session_state["cases"] = tuple(found)
    names = [*found, *state.brought()]
    if st.session_state["case"] not in names:
        st.session_state["case"] = names[0]
    key = f"case_{lang}"
    if st.session_state.get(key) not in names:
        st.session_state[key] = st.session_state["case"]
    titles = shared.titles(found, lang)
    for name, case in state.brought().items():
        titles[name] = t("ui.files.uploaded", lang, title=case.settings.title.get(lang) or name)
    chosen: str = st.selectbox(t("ui.case", lang), names, format_func=titles.__getitem__, key=key)
    st.session_state["case"] = chosen
    return chosen


main()
