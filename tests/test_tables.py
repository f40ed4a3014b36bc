"""Reading and writing: every fault is placed and worded, and what is written reads back the same."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from planner import text
from planner.errors import CaseError, Issue
from planner.rows import TABLES
from planner.tables import read_case, write_case, write_workbook

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "cases" / "tutorial"
JIANGXI = ROOT / "cases" / "jiangxi"

Damage = Callable[[str], str]


def swap(old: str, new: str) -> Damage:
    """Replace the first `old`, which must be there."""

    def damage(content: str) -> str:
        assert old in content, f"{old!r} is not in the tutorial"
        return content.replace(old, new, 1)

    return damage


def add(*lines: str) -> Damage:
    return lambda content: content + "".join(line + "\n" for line in lines)


def drop_column(name: str) -> Damage:
    def damage(content: str) -> str:
        lines = [line.split(",") for line in content.splitlines()]
        place = lines[0].index(name)
        return "".join(",".join(cells[:place] + cells[place + 1 :]) + "\n" for cells in lines)

    return damage


def only(content: str) -> Damage:
    return lambda _: content


HEADER_ONLY: Damage = lambda content: content.split("\n", 1)[0] + "\n"

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
    ("potentials.csv", HEADER_ONLY, "table_empty", None, None),
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
    ("case.yaml", swap("perspective: market", "perspective: [social, tax]"), "unknown_perspective", None, "perspective"),
    ("case.yaml", swap("data: []", "data: []\nas_of: 2030"), "as_of_outside", None, "as_of"),
    ("case.yaml", swap("data: []", "data: [../facts]"), "data_missing", None, "data"),
    ("case.yaml", swap("data: []", "base_year: 2019"), "key_twice", 13, None),
    ("case.yaml", swap("  zh:", "\tzh:"), "yaml_tab", 3, None),
    ("case.yaml", swap("objective: cost", "objective: [cost"), "yaml_syntax", 12, None),
    ("case.yaml", swap("objective: cost", "objective: !!python/object:os.system cost"), "yaml_tag", 11, None),
    ("case.yaml", swap("currency: CNY", "currency: &a CNY\nmoney_unit: *a"), "yaml_alias", 10, None),
    ("case.yaml", add("---", "name: other"), "yaml_documents", None, None),
    ("case.yaml", only("- name"), "no_mapping", None, None),
    ("case.yaml", swap("  zh:", "  fr:"), "title_language", None, "title"),
    ("case.yaml", swap("money_unit: million", "money_unit: 亿元"), "not_a_choice", None, "money_unit"),
]


def damaged(folder: Path, file: str, damage: Damage) -> Path:
    """A copy of the tutorial with one file damaged."""
    shutil.copytree(TUTORIAL, folder, dirs_exist_ok=True)
    path = folder / file
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def faults(folder: Path) -> list[Issue]:
    with pytest.raises(CaseError) as raised:
        read_case(folder)
    for issue in raised.value.issues:
        for lang in text.LANGUAGES:  # whatever is wrong can be said
            assert text.issue(issue, lang)
            assert text.remedy(issue, lang)
    return raised.value.errors


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
    assert "effects.csv,第5行,quantity:“Nox”不在quantities.csv中(是否应为“nox”?) | 请更正代码,或在quantities.csv中添加。" in chinese
