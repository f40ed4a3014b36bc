"""The page of files: the plan, the model, the case and the scenario to save; cases and scenarios to load."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from planner import text
from planner.case import Case
from planner.errors import CaseError, InfeasibleError
from planner.exchange import write_tables
from planner.export import write_model
from planner.plan import Plan, solve
from planner.text import t
from planner.ui import answering, changes, jobs, keeping, shared, state, uploads
from planner.ui.desk import Work
from planner.ui.draft import Draft, merged
from planner.ui.uploads import UploadError
from planner.ui.words import plain

FORMS = ("html", "docx", "xlsx")
"""What a report can be."""
MODELS = ("lp", "mps")
"""What a model can be."""
OWN_WORDS = """<style>
[data-testid="stFileUploaderDropzone"] button p {font-size: 0;}
[data-testid="stFileUploaderDropzone"] button p::after {content: "%s"; font-size: 0.9rem;}
[data-testid="stFileUploaderDropzoneInstructions"] span {font-size: 0;}
[data-testid="stFileUploaderDropzoneInstructions"] span::after {content: "%s"; font-size: 0.85rem;}
</style>"""
"""The words that the uploader brings along in English, in the language of the page."""
MOST_ISSUES = 50
"""Faults of a file shown at most [-]."""


def page() -> None:
    """What can be saved on the left, what can be loaded on the right."""
    lang = state.view().lang
    stand = answering.stand(t("ui.page.files", lang))
    left, right = st.columns(2, gap="large")
    with left:
        heading("plan", lang)
        made(stand, "plan", "settle", lang, settled, "zip")
        heading("report", lang)
        form = choice("report", FORMS, lang)
        slot = f"report_{form}_{lang}"
        made(stand, slot, "write_report", lang, partial(reported, form, lang), form)
        heading("model", lang)
        kind = choice("model", MODELS, lang)
        made(stand, f"model_{kind}", "write_model", lang, partial(model, kind), "zip")
        st.subheader(t("ui.saved.title", lang), anchor=False)
        st.caption(t("ui.saved.help", lang))
        keeping.panel(stand.case, lang, "files")
    with right:
        draw_load(stand.case, lang)
        st.subheader(t("ui.files.case", lang), anchor=False)
        st.caption(t("ui.files.case_help", lang))
        name = stand.case.settings.name
        with st.container(horizontal=True):
            kinds: tuple[tuple[str, str, Callable[[Case], bytes]], ...] = (
                ("workbook", "xlsx", uploads.workbook),
                ("folder", "zip", uploads.folder_zip),
            )
            for kind, ending, make in kinds:
                st.download_button(
                    t(f"ui.save.{kind}", lang),
                    data=partial(make, stand.asked),
                    file_name=f"{name}.{ending}",
                    key=f"save_{kind}",
                    icon=":material/download:",
                    on_click="ignore",
                )
        st.subheader(t("ui.page.workshop", lang), anchor=False)
        st.caption(t("ui.workshop.intro", lang))
        st.link_button(t("ui.workshop.start", lang), "/?mode=workshop", icon=":material/groups:")
        st.subheader(t("ui.files.scenario", lang), anchor=False)
        st.caption(t("ui.change.scenario_help", lang))
        changes.download(stand.case, "scenario_file", lang)


def heading(what: str, lang: str) -> None:
    """What can be made, and what it is good for."""
    st.subheader(t(f"ui.files.{what}", lang), anchor=False)
    st.caption(t(f"ui.files.{what}_help", lang))


def choice(what: str, options: tuple[str, ...], lang: str) -> str:
    """What kind of file it shall be."""
    chosen = st.segmented_control(
        t("ui.files.format", lang),
        options,
        default=options[0],
        required=True,
        format_func=str.upper,
        key=f"format_{what}_{lang}",
        label_visibility="collapsed",
    )
    return str(chosen or options[0])


def made(
    stand: answering.Stand, slot: str, words: str, lang: str, make: Callable[[Case, Work[bytes]], bytes], ending: str
) -> None:
    """Something that takes long to make: a button, its progress, then the file."""
    case, asked = stand.case, stand.asked
    known = state.job(case, slot)
    if known is None or known[0].digest != asked.digest or known[1].stopped:
        st.button(
            t(f"ui.files.{words}", lang),
            key=f"make_{slot}",
            icon=":material/build:",
            disabled=not slot.startswith("model") and not stand.current,
            on_click=partial(begin, case, asked, slot, make),
        )
        return
    data = jobs.watch(case, slot, lang)
    if data is not None:
        st.download_button(
            t("ui.save.made", lang, ending=ending),
            data=data,
            file_name=f"{case.settings.name}-{slot.partition('_')[0]}.{ending}",
            key=f"save_{slot}",
            type="primary",
            icon=":material/download:",
            on_click="ignore",
        )


def begin(case: Case, asked: Case, what: str, make: Callable[[Case, Work[bytes]], bytes]) -> None:
    """Begin to make a file."""
    state.begin(case, what, partial(make, asked), asked)


def settled(case: Case, work: Work[bytes]) -> bytes:
    """The plan of a case, solved from nothing with ties broken and prices, and its IAMC table, as an archive."""
    plan: Plan = solve(case, progress=work.told)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"{case.settings.name}-plan"
        plan.write(place)
        if plan.found:
            write_tables(case, plan, place / "iamc.csv", "iamc")
        return uploads.zipped(place)


def reported(form: str, lang: str, case: Case, work: Work[bytes]) -> bytes:
    """The report of a plan, solved from nothing. Raises CaseError where what draws its charts is not installed."""
    plan = solve(case, progress=work.told)
    if not plan.found:
        raise InfeasibleError(t("ui.no_plan.infeasible", lang))
    work.told("write")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"report.{form}"
        shared.writer()(case, plan, file, form, lang)
        return file.read_bytes()


def model(kind: str, case: Case, work: Work[bytes]) -> bytes:
    """The model of a case as an archive."""
    work.told("write")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"{case.settings.name}-model"
        place.mkdir()
        write_model(case, place / f"{case.settings.name}.{kind}")
        work.told("write")
        return uploads.zipped(place)


# ---------------------------------------------------------------- loading


def draw_load(case: Case, lang: str) -> None:
    """A file to load, and what is wrong with it."""
    st.subheader(t("ui.files.load", lang), anchor=False)
    st.html(OWN_WORDS % (t("ui.files.choose", lang), t("ui.files.limit", lang, size=uploads.LARGEST)))
    file = st.file_uploader(
        t("ui.files.load_help", lang),
        type=["xlsx", "zip", "yaml", "yml", "json"],
        key="upload",
        max_upload_size=uploads.LARGEST,
    )
    if file is None:
        return
    if st.session_state.get("uploaded") != file.file_id:
        st.session_state["uploaded"] = file.file_id
        st.session_state["upload_words"] = load(case, file.name, file.getvalue(), lang)
        if not st.session_state["upload_words"][0]:
            st.rerun()
    faulty, words = st.session_state["upload_words"]
    (st.error if faulty else st.success)(words)


def load(case: Case, name: str, data: bytes, lang: str) -> tuple[bool, str]:
    """Take a file over; whether it has faults, and what is to be said."""
    try:
        if name.lower().endswith((".xlsx", ".zip")):
            found = uploads.taken_case(name, data)
            return False, t("ui.files.loaded_case", lang, name=state.bring(found, lang))
        scenario = uploads.taken_scenario(name, data)
        case.edited(scenario.edits, name)
    except UploadError as fault:
        return True, t(f"ui.upload.{fault.key}", lang, **fault.params)
    except CaseError as fault:
        lines = [
            f"- {plain(text.issue(issue, lang))} {plain(text.remedy(issue, lang))}"
            for issue in fault.errors[:MOST_ISSUES]
        ]
        more = len(fault.errors) - MOST_ISSUES
        if more > 0:
            lines.append(f"- {t('ui.no_plan.more', lang, count=more)}")
        return True, "\n".join([t("ui.files.faults", lang, file=name, count=len(fault.errors)), "", *lines])
    state.push(case, Draft(merged((), [edit.mapping() for edit in scenario.edits])))
    return False, t("ui.files.loaded_scenario", lang, count=len(scenario.edits))


if __name__ == "__main__":
    page()
