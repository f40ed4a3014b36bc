"""The app: what is uploaded, whole or hostile."""

import zipfile
from io import BytesIO

import pytest
from screens import CASE, desktop, moved, opened, ran
from streamlit.testing.v1 import AppTest

from planner.tables import read_case
from planner.text import LANGUAGES, t
from planner.ui import uploads
from planner.ui.uploads import UploadError


def archive(files: dict[str, str | bytes]) -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as found:
        for name, content in files.items():
            found.writestr(name, content)
    return data.getvalue()


def test_what_is_saved_can_be_loaded_again() -> None:
    case = read_case(CASE)
    assert uploads.taken_case("a.zip", uploads.folder_zip(case)).digest == case.digest
    assert uploads.taken_case("a.xlsx", uploads.workbook(case)).digest == case.digest


SETTINGS = zipfile.ZipFile(BytesIO(uploads.folder_zip(read_case(CASE)))).read("tutorial/case.yaml").decode()

HOSTILE = {
    "no_archive": b"PK\x03\x04 but no archive",
    "strange": archive({"case.yaml": SETTINGS, "../../evil.csv": "a"}),
    "no_settings": archive({"measures.csv": "measure"}),
    "data": archive({"case.yaml": SETTINGS + "\ndata: [/etc]"}),
    "too_many": archive({f"{number}.csv": "a" for number in range(100)}),
    "too_large": archive({"measures.csv": b"0" * 61_000_000}),
}


@pytest.mark.parametrize("key", HOSTILE)
def test_hostile_archives_are_refused(key: str) -> None:
    with pytest.raises(UploadError) as fault:
        uploads.taken_case("evil.zip", HOSTILE[key])
    assert fault.value.key == key
    for lang in LANGUAGES:
        assert t(f"ui.upload.{key}", lang, **fault.value.params)


@pytest.mark.parametrize("name", ["/etc/measures.csv", "a/b/measures.csv", "run.sh", "a\\measures.csv", "case.py"])
def test_strange_members_are_refused(name: str) -> None:
    with pytest.raises(UploadError) as fault:
        uploads.taken_case("evil.zip", archive({"case.yaml": SETTINGS, name: "a"}))
    assert fault.value.key == "strange"


def test_a_link_in_an_archive_is_refused() -> None:
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as found:
        found.writestr("case.yaml", SETTINGS)
        link = zipfile.ZipInfo("measures.csv")
        link.external_attr = 0o120777 << 16
        found.writestr(link, "/etc/passwd")
    with pytest.raises(UploadError):
        uploads.taken_case("evil.zip", data.getvalue())


def test_a_loaded_case_is_chosen_and_a_broken_one_lists_its_faults(app: AppTest) -> None:
    opened(app, "filing")
    good = uploads.folder_zip(read_case(CASE))
    app.file_uploader(key="upload").set_value(("mine.zip", good, "application/zip"))
    ran(app)
    assert not app.error
    app.selectbox(key="case_zh").set_value("tutorial_loaded")
    ran(app)
    assert app.session_state["desktop_tutorial_loaded"].shown is not None
    files = {name: zipfile.ZipFile(BytesIO(good)).read(name) for name in zipfile.ZipFile(BytesIO(good)).namelist()}
    files["tutorial/effects.csv"] = files["tutorial/effects.csv"].replace(b"pv,clean_power", b"pv,clean_powr")
    app.file_uploader(key="upload").set_value(("broken.zip", archive(files), "application/zip"))
    ran(app)
    assert "clean_powr" in app.error[0].value


def test_a_loaded_scenario_is_the_draft(app: AppTest) -> None:
    opened(app, "filing")
    text = """scenario: one
format: 1
case: tutorial
edits:
  - {table: targets, key: {target: nox_change}, set: {value: -0.32}}
"""
    app.file_uploader(key="upload").set_value(("one.yaml", text.encode(), "application/yaml"))
    ran(app)
    assert desktop(app).shown.plan.objective == pytest.approx(moved(-2, "pollutant").objective, rel=1e-9)
    app.file_uploader(key="upload").set_value(("two.yaml", b"scenario: x", "application/yaml"))
    ran(app)
    assert app.error
