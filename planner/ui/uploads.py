"""Uploads: cases and scenarios that visitors bring along. They are data only: no paths, no links, no code."""

import stat
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path, PurePosixPath

import yaml

from planner.case import Case
from planner.errors import CaseError
from planner.files import FileError, parse_json, parse_yaml
from planner.rows import TABLES
from planner.scenario import Scenario, scenario_from
from planner.tables import SETTINGS_FILE, read_case, write_case, write_workbook

MEGABYTE = 1_000_000
LARGEST = 10
"""Size of a file [MB]."""
UNPACKED = 60
"""Size of all that an archive holds [MB]."""
MOST_FILES = 60
ALLOWED = frozenset({SETTINGS_FILE, *(f"{table}.csv" for table in TABLES)})
IGNORED = ("__MACOSX/", ".DS_Store", "README.md", "expected.json")
"""What folders hold beside the tables of a case."""


class UploadError(Exception):
    """A file that is not taken; carries the key of the words and their parameters."""

    def __init__(self, key: str, **params: object) -> None:
        self.key, self.params = key, params
        super().__init__(key)


def taken_case(name: str, data: bytes) -> Case:
    """The case in an uploaded workbook or archive; raises UploadError or CaseError."""
    if len(data) > LARGEST * MEGABYTE:
        raise UploadError("too_large", file=name, limit=LARGEST)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if name.lower().endswith(".xlsx"):
            _small_inside(name, data)
            file = place / "case.xlsx"
            file.write_bytes(data)
            return read_case(file)
        if not name.lower().endswith(".zip"):
            raise UploadError("ending", file=name)
        _unpack(name, data, place)
        return read_case(place)


def taken_scenario(name: str, data: bytes) -> Scenario:
    """The scenario in an uploaded YAML or JSON file; raises UploadError or CaseError."""
    if len(data) > LARGEST * MEGABYTE:
        raise UploadError("too_large", file=name, limit=LARGEST)
    try:
        text = data.decode("utf-8-sig")
        raw = parse_json(text, name) if name.lower().endswith(".json") else parse_yaml(text, name)
    except FileError as fault:
        raise CaseError([fault.issue]) from fault
    except UnicodeDecodeError as fault:
        raise UploadError("ending", file=name) from fault
    return scenario_from(raw if isinstance(raw, dict) else {}, name)


def _members(name: str, data: bytes) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    try:
        archive = zipfile.ZipFile(BytesIO(data))
        members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as fault:
        raise UploadError("no_archive", file=name) from fault
    if sum(member.file_size for member in members) > UNPACKED * MEGABYTE:
        raise UploadError("too_large", file=name, limit=UNPACKED)
    return archive, members


def _small_inside(name: str, data: bytes) -> None:
    """Refuse a workbook that is a bomb; all else is said by the reader of workbooks."""
    if data[:2] == b"PK":
        _members(name, data)


def _unpack(name: str, data: bytes, folder: Path) -> None:
    """Put the tables of an archive into a folder, by their plain names; nothing else is ever written."""
    archive, members = _members(name, data)
    wanted = [member for member in members if not member.is_dir() and not _ignored(member.filename)]
    if len(wanted) > MOST_FILES:
        raise UploadError("too_many", file=name, limit=MOST_FILES)
    tops = {PurePosixPath(member.filename).parts[:-1] for member in wanted}
    room = UNPACKED * MEGABYTE
    for member in wanted:
        path = PurePosixPath(member.filename)
        mode = member.external_attr >> 16
        linked = mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode)
        inside = len(path.parts) <= 2 and len(tops) == 1 and ".." not in path.parts and not path.is_absolute()
        if not inside or linked or path.name not in ALLOWED or "\\" in member.filename:
            raise UploadError("strange", file=name, name=member.filename[:80])
        try:
            with archive.open(member) as stream:
                content = stream.read(room + 1)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as fault:
            raise UploadError("no_archive", file=name) from fault
        room -= len(content)
        if room < 0:
            raise UploadError("too_large", file=name, limit=UNPACKED)
        (folder / path.name).write_bytes(content)
    settings = folder / SETTINGS_FILE
    if not settings.is_file():
        raise UploadError("no_settings", file=name)
    try:
        named = parse_yaml(settings.read_text("utf-8-sig"), SETTINGS_FILE)
    except (FileError, UnicodeDecodeError, yaml.YAMLError):
        return  # said with all other faults when the case is read
    if isinstance(named, dict) and named.get("data"):
        raise UploadError("data", file=name)


def _ignored(name: str) -> bool:
    return name.startswith(IGNORED[0]) or PurePosixPath(name).name in IGNORED[1:]


# ---------------------------------------------------------------- what is saved


def folder_zip(case: Case) -> bytes:
    """The tables of a case as a zipped folder."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / case.settings.name
        write_case(case, place)
        return zipped(place)


def workbook(case: Case) -> bytes:
    """The tables of a case as a workbook."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "case.xlsx"
        write_workbook(case, file)
        return file.read_bytes()


def zipped(folder: Path) -> bytes:
    """All files of a folder in one archive, in the order of their names."""
    data = BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            if file.is_file():
                archive.writestr(zipfile.ZipInfo(f"{folder.name}/{file.name}"), file.read_bytes(), zipfile.ZIP_DEFLATED)
    return data.getvalue()
