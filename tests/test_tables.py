"""Reading and writing: every fault is placed and worded, and what is written reads back the same."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

import openpyxl
import pytest
from damage import TUTORIAL, Damage, add, damaged, drop_column, faults, header_only, keys, only, swap

from planner import text
from planner.errors import CaseError
from planner.rows import TABLES
from planner.tables import read_case, write_case, write_workbook

ROOT = Path(__file__).parent.parent
JIANGXI = ROOT / "cases" / "jiangxi"

# what is damaged, how, and the issue it must give: key, row, column
FAULTS: list[tuple[str, Damage, str, int | None, str | None]] = [
    # cells
    ("measures.csv", swap("MW,3600000", "MW,"), "blank", 2, "capex"),
    ("measures.csv", swap("MW,3600000", 'MW,"3,600,000"'), "thousands", 2, "capex"),
    ("effects.csv", swap("-0.6,", '"-0,6",'), "decimal_comma", 5, "value"),
    ("measures.csv", swap("0.25,2021", "25%,2021"), "percent", 2, "ramp"),
    ("measures.csv", swap("3600000", "\uff13600000"), "look_alike_digits", 2, "capex"),
    ("effects.csv", swap("-0.6,", "\u22120.6,"), "look_alike_digits", 5, "value"),
    ("potentials.csv", swap("harbor,400", "harbor,400 MW"), "number_with_words", 2, "potential"),
    ("potentials.csv", swap("harbor,400", "harbor,约400"), "number_with_words", 2, "potential"),
    ("potentials.csv", swap("harbor,400", "harbor,many"), "not_a_number", 2, "potential"),
    ("potentials.csv", swap("harbor,400", "harbor,TRUE"), "truth_for_number", 2, "potential"),
    ("potentials.csv", swap("harbor,400", "harbor,NaN"), "not_finite", 2, "potential"),
    ("potentials.csv", swap("harbor,400", "harbor,-inf"), "not_finite", 2, "potential"),
    ("potentials.csv", swap("harbor,400", "harbor,#REF!"), "spreadsheet_error", 2, "potential"),
    ("potentials.csv", swap("harbor,400", "harbor,1e999"), "number_too_large", 2, "potential"),
    ("potentials.csv", swap("harbor,400", "harbor,=200+200"), "formula", 2, "potential"),
    ("potentials.csv", swap("harbor,400", "harbor,-400"), "too_small", 2, "potential"),
    ("potentials.csv", swap("harbor,400", "harbor,4_00"), "number_with_words", 2, "potential"),
    ("drivers.csv", swap("gdp,2020,1.0", "gdp,2020年,1.0"), "number_with_words", 2, "year"),
    ("drivers.csv", swap("gdp,2020,1.0", "gdp,2020.5,1.0"), "not_whole", 2, "year"),
    ("drivers.csv", swap("gdp,2020,1.0", "gdp,20,1.0"), "too_small", 2, "year"),
    ("drivers.csv", swap("gdp,2020,1.0", "gdp,2020,0"), "not_above", 2, "value"),
    ("cities.csv", swap("harbor,港城", "har\u200bbor,港城"), "hidden_character", 2, "city"),
    ("cities.csv", swap("harbor,港城", "har bor,港城"), "bad_id", 2, "city"),
    ("cities.csv", swap("Harbor", "x" * 30_000), "cell_too_long", 2, "name_en"),
    ("cities.csv", swap("29.5", "129.5"), "too_large", 2, "lat"),
    ("measures.csv", swap(",20,1,", ",0,1,"), "too_small", 2, "lifetime"),
    ("measures.csv", swap(",20,1,", ",20,-1,"), "too_small", 2, "lead_time"),
    ("measures.csv", swap("MW,3600000", "MW,-1"), "too_small", 2, "capex"),
    ("measures.csv", swap("1,0.25,", "1,25,"), "percent_for_fraction", 2, "ramp"),
    ("fund_rules.csv", swap("power,,0.3", "power,,30"), "percent_for_fraction", 2, "max_share"),
    ("allocations.csv", swap("0.6", "60"), "percent_for_fraction", 2, "share"),
    ("budgets.csv", swap("year,yes", "year,maybe"), "not_yes_or_no", 3, "carry_over"),
    ("budgets.csv", swap("2025,span", "2025,sapn"), "not_a_choice", 2, "per"),
    ("targets.csv", swap("clean_power,>=", "clean_power,≥"), "not_a_choice", 2, "sense"),
    ("prices.csv", swap("coal_power,market", "coal_power,levy"), "not_a_choice", 2, "component"),
    ("targets.csv", swap("industry,2025", "industry;;power,2025"), "empty_part", 4, "sectors"),
    ("targets.csv", swap("industry,2025", "industry;industry,2025"), "repeated_part", 4, "sectors"),
    # header and shape
    ("effects.csv", swap("quantity,value", "quantitty,value"), "unknown_column", 1, "quantitty"),
    ("effects.csv", drop_column("value"), "column_missing", 1, "value"),
    ("targets.csv", drop_column("sense"), "column_missing", 1, "sense"),
    ("effects.csv", swap("city,year,unit", "city,city,unit"), "column_twice", 1, "city"),
    ("effects.csv", swap("city,year,unit", "city,,unit"), "nameless_column", 1, None),
    ("effects.csv", swap("wind,clean_power,2.0,,,GWh", "wind,clean_power,2.0,,,GWh,extra"), "row_too_long", 4, None),
    ("effects.csv", swap("wind,clean_power,2.0,,,GWh", "wind,clean_power,2.0"), "row_too_short", 4, None),
    ("effects.csv", swap("wind,clean", '"wind,clean'), "unclosed_quote", 4, None),
    ("effects.csv", swap("wind,clean", '"wind"s,clean'), "broken_quote", 4, None),
    ("effects.csv", lambda content: content.replace(",", ";"), "separator", 1, None),
    ("effects.csv", lambda content: content.replace(",", "\t"), "separator", 1, None),
    ("potentials.csv", add("合计,,13250,"), "total_row", 26, "measure"),
    ("potentials.csv", add("Total,,13250,"), "total_row", 26, "measure"),
    ("effects.csv", only(""), "file_empty", None, None),
    ("effects.csv", only("<html><table><tr><td>measure</td></tr></table></html>"), "html", None, None),
    ("potentials.csv", header_only, "table_empty", None, None),
    ("effects.csv", swap("wind", "wi\0nd"), "nul_byte", 4, None),
    # settings
    ("case.yaml", swap("base_year: 2020", "base_year: 2021"), "base_not_before_first", None, "base_year"),
    ("case.yaml", swap("last_year: 2030", "last_year: 2020"), "horizon_reversed", None, "last_year"),
    ("case.yaml", swap("last_year: 2030", "last_year: 2199"), "horizon_too_long", None, "last_year"),
    ("case.yaml", swap("discount_rate: 0.05", "discount_rate: 5"), "percent_for_fraction", None, "discount_rate"),
    ("case.yaml", swap("discount_rate: 0.05", "discount_rate: 12:30"), "number_with_words", None, "discount_rate"),
    ("case.yaml", swap("base_year: 2020", "base_year: 2020-01-01"), "number_with_words", None, "base_year"),
    ("case.yaml", swap("currency: CNY", "curency: CNY"), "unknown_column", None, "curency"),
    ("case.yaml", swap("currency: CNY\n", ""), "blank", None, "currency"),
    ("case.yaml", swap("objective: cost", "objective: costs"), "unknown_objective", None, "objective"),
    ("case.yaml", swap("objective: cost", "objective: quantity:co3"), "unknown_id", None, "objective"),
    ("case.yaml", swap("perspective: market", "perspective: sozial"), "unknown_perspective", None, "perspective"),
    (
        "case.yaml",
        swap("perspective: market", "perspective: [social, tax]"),
        "unknown_perspective",
        None,
        "perspective",
    ),
    ("case.yaml", swap("data: []", "data: []\nas_of: 2030"), "as_of_outside", None, "as_of"),
    ("case.yaml", swap("data: []", "data: [../facts]"), "data_missing", None, "data"),
    ("case.yaml", swap("data: []", "base_year: 2019"), "key_twice", 13, None),
    ("case.yaml", swap("  zh:", "\tzh:"), "yaml_tab", 3, None),
    ("case.yaml", swap("objective: cost", "objective: [cost"), "yaml_syntax", 12, None),
    ("case.yaml", swap("objective: cost", "objective: !!python/object:os.system cost"), "yaml_tag", 11, None),
    ("case.yaml", swap("currency: CNY", "currency: &a CNY\nmoney_unit: *a"), "yaml_alias", 10, None),
    ("case.yaml", add("---", "name: other"), "yaml_documents", None, None),
    ("case.yaml", only("- name"), "no_mapping", None, None),
    ("case.yaml", swap("currency: CNY", "[a]: CNY"), "yaml_key", 9, None),
    ("case.yaml", swap("  zh:", "  fr:"), "title_language", None, "title"),
    ("case.yaml", swap("money_unit: million", "money_unit: 亿元"), "not_a_choice", None, "money_unit"),
]


@pytest.mark.parametrize(("file", "damage", "key", "row", "column"), FAULTS, ids=[f"{f[2]}-{f[0]}" for f in FAULTS])
def test_a_fault_is_reported_once_with_its_place(
    tmp_path: Path, file: str, damage: Damage, key: str, row: int | None, column: str | None
) -> None:
    found = faults(damaged(tmp_path / "case", file, damage))
    assert [(issue.key, issue.file, issue.row, issue.column) for issue in found] == [(key, file, row, column)]


def test_ten_faults_in_five_files_are_listed_at_once_in_both_languages(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(TUTORIAL, folder)
    for file, damage in [
        ("effects.csv", swap("kiln_scr,nox", "kiln_scr,Nox")),
        ("effects.csv", swap("wind,clean_power,2.0", "wind,clean_power,two")),
        ("effects.csv", swap("ebus,co2", "e_bus,co2")),
        ("measures.csv", swap("MW,5800000", 'MW,"5,800,000"')),
        ("measures.csv", swap("Kiln SCR,industry", "Kiln SCR,工业")),
        ("potentials.csv", swap("wind,harbor,150", "wind,港城,150")),
        ("potentials.csv", swap("ebus,plain,20", "ebus,plain,-20")),
        ("targets.csv", swap(",>=,0.45,coal_power", ",>=,45,coal_power")),
        ("targets.csv", swap("-0.245,gdp", "-0.245,gpd")),
        ("case.yaml", swap("discount_rate: 0.05", "discount_rate: 5")),
    ]:
        damaged_file = folder / file
        damaged_file.write_text(damage(damaged_file.read_text(encoding="utf-8")), encoding="utf-8")
    found = faults(folder)
    english = [f"{text.issue(issue, 'en')} | {text.remedy(issue, 'en')}" for issue in found]
    chinese = [f"{text.issue(issue, 'zh')} | {text.remedy(issue, 'zh')}" for issue in found]
    assert sorted(english) == sorted(
        [
            "effects.csv, row 5, quantity: 'Nox' is not in quantities.csv (did you mean 'nox'?)"
            " | Correct the id, or add it to quantities.csv.",
            "effects.csv, row 4, value: 'two' is not a number | Type a number such as 0.25 or 1200.",
            "effects.csv, row 12, measure: 'e_bus' is not in measures.csv (did you mean 'ebus'?)"
            " | Correct the id, or add it to measures.csv.",
            "measures.csv, row 3, capex: '5,800,000' has commas between thousands | Write 5800000.",
            "measures.csv, row 5, sector: '工业' is a name; the id in sectors.csv is 'industry' | Type industry.",
            "potentials.csv, row 5, city: '港城' is a name; the id in cities.csv is 'harbor' | Type harbor.",
            "potentials.csv, row 25, potential: -20 is below the least value 0"
            " | Check sign and unit; the least value is 0.",
            "targets.csv, row 5, value: share 45 is outside 0 to 1.5 | Write a fraction: 0.18 is 18 %.",
            "targets.csv, row 6, of: 'gpd' is not in drivers.csv (did you mean 'gdp'?)"
            " | Correct the id, or add it to drivers.csv.",
            "case.yaml, discount_rate: 5 looks like a percentage; the column takes a fraction"
            " | Write 0.05 if 5 % is meant.",
        ]
    )
    assert len(set(chinese)) == 10
    what = "effects.csv，第5行，quantity：“Nox”不在quantities.csv中（是否应为“nox”？）"
    assert f"{what} | 请更正代码，或在quantities.csv中添加。" in chinese


# ---------------------------------------------------------------- files


def write(folder: Path, file: str, content: bytes) -> Path:
    shutil.copytree(TUTORIAL, folder, dirs_exist_ok=True)
    (folder / file).write_bytes(content)
    return folder


EFFECTS = (TUTORIAL / "effects.csv").read_bytes()
CITIES = (TUTORIAL / "cities.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (EFFECTS.decode().encode("utf-16"), "utf16"),
        (EFFECTS.decode().encode("utf-16-le"), "nul_byte"),
        (b"PK\x03\x04" + bytes(100), "workbook_as_text"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "workbook_as_text"),
        (b"   \n\n", "file_empty"),
        (b"<!DOCTYPE html><html></html>", "html"),
        (EFFECTS.replace(b"wind", b"w\xffnd"), "damaged_text"),
        (EFFECTS.replace(b"wind", b"caf\xe9 noir"), "damaged_text"),
    ],
    ids=["utf16", "utf16-without-mark", "xlsx", "xls", "blank", "html", "damaged", "latin1"],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, key: str) -> None:
    assert keys(faults(write(tmp_path / "case", "effects.csv", content))) == [(key, "effects.csv")]


def test_a_damaged_byte_among_chinese_is_not_taken_for_another_encoding(tmp_path: Path) -> None:
    data = CITIES.encode().replace("川".encode(), b"\xe5\xb7")
    found = faults(write(tmp_path / "case", "cities.csv", data))
    assert (found[0].key, found[0].row) == ("damaged_text", 4)


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    case = read_case(write(tmp_path / "case", "cities.csv", b"\xef\xbb\xbf" + CITIES.encode()))
    assert case.digest == read_case(TUTORIAL).digest


def test_chinese_excel_is_read_with_a_warning_that_names_the_encoding(tmp_path: Path) -> None:
    case = read_case(write(tmp_path / "case", "cities.csv", CITIES.encode("gb18030")))
    assert case.cities[0].name_zh == "港城"
    assert ("gb18030", "cities.csv") in keys(list(case.warnings))


def test_windows_line_ends_and_blank_lines_are_harmless(tmp_path: Path) -> None:
    content = CITIES.replace("\n", "\r\n") + "\r\n,,,,\r\n"
    assert read_case(write(tmp_path / "case", "cities.csv", content.encode())).digest == read_case(TUTORIAL).digest


def test_rows_are_counted_as_in_a_spreadsheet(tmp_path: Path) -> None:
    content = CITIES.replace("harbor,港城", 'harbor,"港\n城"').replace("plain,川城,Plain,27.0", "\nplain,川城,Plain,x")
    found = faults(write(tmp_path / "case", "cities.csv", content.encode()))
    assert [(issue.row, issue.column) for issue in found] == [(5, "lat")]


def test_a_whole_number_may_end_in_point_zero(tmp_path: Path) -> None:
    drivers = (TUTORIAL / "drivers.csv").read_bytes().replace(b"gdp,2025,", b"gdp,2025.0,")
    assert read_case(write(tmp_path / "case", "drivers.csv", drivers)).digest == read_case(TUTORIAL).digest


def test_names_that_look_like_nothing_stay_text(tmp_path: Path) -> None:
    content = CITIES.replace("Harbor", "NA").replace("Ridge", "None").replace("Plain", "null")
    case = read_case(write(tmp_path / "case", "cities.csv", content.encode()))
    assert [row.name_en for row in case.cities] == ["NA", "None", "null"]


def test_scripts_in_names_are_text(tmp_path: Path) -> None:
    content = CITIES.replace("Harbor", "<script>alert(1)</script>")
    assert read_case(write(tmp_path / "case", "cities.csv", content.encode())).cities[0].name_en.startswith("<script>")


def test_no_in_yaml_is_a_word(tmp_path: Path) -> None:
    settings = (TUTORIAL / "case.yaml").read_bytes().replace(b"name: tutorial", b"name: NO")
    assert read_case(write(tmp_path / "case", "case.yaml", settings)).settings.name == "NO"


def test_scientific_notation_in_yaml_is_a_number(tmp_path: Path) -> None:
    settings = (TUTORIAL / "case.yaml").read_bytes().replace(b"data: []", b"tolerance: 1e-3")
    assert read_case(write(tmp_path / "case", "case.yaml", settings)).settings.tolerance == 0.001


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda path: path.mkdir(), "is_folder"),
        (lambda path: path.symlink_to("nowhere.csv"), "dangling_link"),
        (os.mkfifo, "no_regular_file"),
    ],
    ids=["folder", "link", "pipe"],
)
def test_what_is_no_file_is_not_opened(tmp_path: Path, make: Callable[[Path], None], key: str) -> None:
    folder = tmp_path / "case"
    shutil.copytree(TUTORIAL, folder)
    (folder / "effects.csv").unlink()
    make(folder / "effects.csv")
    assert keys(faults(folder)) == [(key, "effects.csv")]


def test_an_over_long_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "case", "effects.csv", EFFECTS)
    with (folder / "effects.csv").open("r+b") as stream:
        stream.truncate(60_000_000)
    assert keys(faults(folder)) == [("file_too_large", "effects.csv")]


@pytest.mark.parametrize("name", ["efects.csv", "Effects.csv", "effects.CSV", "effects.xlsx", "effects.csv.txt"])
def test_a_table_that_nobody_would_read_is_a_fault(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path / "case", name, EFFECTS)
    found = faults(folder)
    assert keys(found) == [("unknown_table", name)]
    assert "effects.csv" in text.issue(found[0], "en")


def test_missing_tables_and_settings_are_all_named(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    missing = {"cities.csv", "sectors.csv", "quantities.csv", "measures.csv", "potentials.csv", "baseline.csv"}
    assert {file for _, file in keys(faults(folder))} == missing | {"case.yaml"}


def test_a_case_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    assert keys(faults(tmp_path / "nowhere")) == [("case_missing", "nowhere")]


def test_a_misspelt_id_is_one_fault_not_one_per_use(tmp_path: Path) -> None:
    measures = (TUTORIAL / "measures.csv").read_bytes().replace(b"\nwind,", "\nwind\u200b,".encode())
    assert keys(faults(write(tmp_path / "case", "measures.csv", measures))) == [("hidden_character", "measures.csv")]


def test_faults_in_shared_data_name_their_folder() -> None:
    case = read_case(JIANGXI)
    assert case.effects[0].at.file == "../../data/jiangxi/effects.csv"
    assert case.targets[0].at.file == "targets.csv"


# ---------------------------------------------------------------- round trips


@pytest.mark.parametrize("folder", [TUTORIAL, JIANGXI], ids=["tutorial", "jiangxi"])
def test_a_written_case_reads_back_the_same(tmp_path: Path, folder: Path) -> None:
    case = read_case(folder)
    write_case(case, tmp_path / "copy")
    write_workbook(case, tmp_path / "copy.xlsx")
    for path in (tmp_path / "copy", tmp_path / "copy.xlsx"):
        again = read_case(path)
        assert again.digest == case.digest
        assert all(again.rows(table) == case.rows(table) for table in TABLES)
        assert again.settings.title == case.settings.title


HOSTILE = ["=1+1", "+49", "-note", "@SUM(A1)", "'quoted'", "'=x", "''", 'a "b", c', "line\nbreak", "<b>&amp;"]


@pytest.mark.parametrize("note", HOSTILE)
def test_texts_that_look_like_formulas_survive_and_never_become_formulas(tmp_path: Path, note: str) -> None:
    row = {"city": "isle", "name_zh": "岛", "name_en": note, "note": note, "x_own": note}
    case = read_case(TUTORIAL).edited([{"table": "cities", "add": row}])
    write_workbook(case, tmp_path / "copy.xlsx")
    write_case(case, tmp_path / "copy")
    for path in (tmp_path / "copy", tmp_path / "copy.xlsx"):
        city = read_case(path).cities[-1]
        assert (city.name_en, city.note, city.extra) == (note, note, {"x_own": note})
    sheet = openpyxl.load_workbook(tmp_path / "copy.xlsx")["cities"]
    assert all(cell.data_type != "f" for row_cells in sheet.iter_rows() for cell in row_cells)


def test_a_case_is_never_written_over_another(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious", encoding="utf-8")
    for over in (False, True):  # only what is a case itself may be written over
        with pytest.raises(CaseError) as raised:
            write_case(read_case(TUTORIAL), tmp_path, over=over)
        assert keys(raised.value.errors) == [("folder_taken", tmp_path.name)]
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = read_case(TUTORIAL)
    old = tmp_path / "copy.xlsx"
    old.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_workbook(case, old)
    with pytest.raises(OSError, match="No space"):
        write_case(case, tmp_path / "copy")
    assert [file.name for file in tmp_path.iterdir()] == ["copy.xlsx"]
    assert old.read_bytes() == b"old"


# ---------------------------------------------------------------- workbooks


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "plan.xlsx"
    write_workbook(read_case(TUTORIAL), path)
    return path


def reworked(workbook: Path, folder: Path, change: Callable[[openpyxl.Workbook], object]) -> Path:
    book = openpyxl.load_workbook(workbook)
    change(book)
    book.save(folder / "plan.xlsx")
    return folder / "plan.xlsx"


def put(sheet: str, cell: str, value: bool | date | str) -> Callable[[openpyxl.Workbook], object]:
    return lambda book: book[sheet].__setitem__(cell, value)


@pytest.mark.parametrize(
    ("change", "key", "file", "row"),
    [
        (lambda book: book.create_sheet("Sheet1"), "unknown_sheet", "plan.xlsx", None),
        (lambda book: book.remove(book["potentials"]), "sheet_missing", "plan.xlsx", None),
        (lambda book: book.remove(book["case"]), "settings_sheet_missing", "plan.xlsx", None),
        (lambda book: book["potentials"].merge_cells("A2:A4"), "merged_cells", "plan.xlsx [potentials]", None),
        (put("potentials", "C3", "=100*3"), "formula_without_value", "plan.xlsx [potentials]", 3),
        (put("potentials", "C3", "300 MW"), "number_with_words", "plan.xlsx [potentials]", 3),
        (put("potentials", "C3", True), "truth_for_number", "plan.xlsx [potentials]", 3),
        (put("potentials", "C3", date(2025, 1, 1)), "date_for_number", "plan.xlsx [potentials]", 3),
        (put("cities", "C2", date(2025, 1, 1)), "not_text", "plan.xlsx [cities]", 2),
        (put("case", "A1", "name"), "settings_header", "plan.xlsx [case]", 1),
        (put("case", "A2", "data"), "data_in_workbook", "plan.xlsx [case]", 2),
    ],
)
def test_a_fault_in_a_workbook_names_its_sheet(
    tmp_path: Path, workbook: Path, change: Callable[[openpyxl.Workbook], object], key: str, file: str, row: int | None
) -> None:
    found = faults(reworked(workbook, tmp_path, change))
    assert (found[0].key, found[0].file, found[0].row) == (key, file, row)


def repacked(workbook: Path, path: Path, extra: dict[str, bytes]) -> Path:
    """The workbook with further or other parts."""
    with zipfile.ZipFile(workbook) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename not in extra:
                new.writestr(part, old.read(part))
        for name, content in extra.items():
            new.writestr(name, content)
    return path


def test_hostile_workbooks_are_refused(tmp_path: Path, workbook: Path) -> None:
    bomb = {f"xl/media/{number}.xml": bytes(100_000_000) for number in range(5)}
    entities = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    for name, extra, key in [
        ("bomb.xlsx", bomb, "workbook_too_large"),
        ("entities.xlsx", {"xl/workbook.xml": entities}, "workbook_entities"),
        ("macros.xlsx", {"xl/vbaProject.bin": b"x"}, "workbook_macros"),
    ]:
        assert keys(faults(repacked(workbook, tmp_path / name, extra))) == [(key, name)]
    for name, content, key in [
        ("text.xlsx", b"measure,city", "no_workbook"),
        ("old.xlsx", b"\xd0\xcf\x11\xe0", "old_workbook"),
        ("empty.xlsx", b"", "file_empty"),
        ("plan.xls", b"\xd0\xcf\x11\xe0", "not_xlsx"),
    ]:
        (tmp_path / name).write_bytes(content)
        assert keys(faults(tmp_path / name)) == [(key, name)]
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as other:
        other.writestr("readme.txt", "not a workbook")
    assert keys(faults(tmp_path / "other.xlsx")) == [("no_workbook", "other.xlsx")]


# ---------------------------------------------------------------- the door itself


def test_reading_imports_no_heavy_library() -> None:
    heavy = ("pandas", "pyomo", "highspy", "pint", "streamlit", "openpyxl", "scipy")
    code = (
        "import sys; from planner.tables import read_case; read_case(sys.argv[1]);"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(TUTORIAL)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_every_fault_has_a_place_and_words() -> None:
    """Keys used in the code are in the catalogue, and the other way round."""
    code = "".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "planner").rglob("*.py")))
    used = set(re.findall(r'(?<!\w)(?:error|warning|_refuse|CellError)\(\s*"([a-z0-9_]+)"', code))
    known = {key.split(".")[1] for key in text.messages() if key.startswith("issue.")}
    assert used <= known
    assert {key for key in known if f'"{key}"' not in code} == set()


def test_paths_may_be_chinese_and_hold_blanks(tmp_path: Path) -> None:
    folder = tmp_path / "案例 一" / "试 点"
    write_case(read_case(TUTORIAL), folder)
    assert read_case(folder).digest == read_case(TUTORIAL).digest


PIECES = [
    b",",
    b"\n",
    b'"',
    b"",
    b"-1",
    b"0",
    b"1e308",
    b"1e-320",
    b"nan",
    b"\xe5",
    b"9999",
    b";",
    b"province",
    b"\t",
    b"{",
    b"*",
]


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_is_either_harmless_or_said(tmp_path: Path, seed: int) -> None:
    """Whatever happens to a file, the answer is a case or a list of faults with words, never a traceback."""
    random = Random(seed)
    folder = tmp_path / "case"
    shutil.copytree(TUTORIAL, folder)
    for file in random.sample([file for file in sorted(folder.iterdir()) if file.suffix in (".csv", ".yaml")], 3):
        data = bytearray(file.read_bytes())
        start = random.randrange(len(data))
        data[start : start + random.choice([0, 1, 3, 6])] = random.choice(PIECES)
        file.write_bytes(bytes(data))
    try:
        issues = list(read_case(folder).warnings)
    except CaseError as fault:
        issues = fault.issues
    assert all(text.issue(issue, lang) and text.remedy(issue, lang) for issue in issues for lang in text.LANGUAGES)
