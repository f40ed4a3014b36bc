"""Columns: each is documented, its example is readable, and the page about them is up to date."""

import re
from pathlib import Path

import pytest

from planner.cells import columns, value
from planner.reference import ABOUT, column_reference, describe, descriptions, split_unit
from planner.rows import TABLES, Row, Settings

PAGES = {"en": "README.md", "zh": "README.zh.md"}
CASES = Path(__file__).parent.parent / "cases"


@pytest.mark.parametrize("lang", PAGES)
def test_the_page_about_columns_is_written_from_the_row_classes(lang: str) -> None:
    page = CASES / PAGES[lang]
    command = f"python -m planner.reference {lang} > cases/{page.name}"
    assert page.read_text(encoding="utf-8") == column_reference(lang), command


@pytest.mark.parametrize("table", ["case", *TABLES])
def test_every_table_and_column_is_told_in_chinese(table: str) -> None:
    row = TABLES.get(table, Settings)
    assert re.search("[\u4e00-\u9fff]", ABOUT[table])
    for name in columns(row):
        (meaning, unit), (own, given) = split_unit(descriptions(row)[name]), split_unit(describe(table, name, "zh"))
        assert re.search("[\u4e00-\u9fff]", own), (name, meaning)
        assert bool(unit) == bool(given), name


@pytest.mark.parametrize("row", [Settings, *TABLES.values()], ids=lambda row: str(row.table))
def test_every_column_has_words_and_an_example_that_can_be_read(row: type[Row]) -> None:
    words = descriptions(row)
    for name, column in columns(row).items():
        assert len(words[name]) > 5, name
        assert column.info.examples, name
        if column.kind != "mapping":
            assert value(column, column.info.examples[0]) is not None


@pytest.mark.parametrize("row", TABLES.values(), ids=lambda row: str(row.table))
def test_keys_and_references_are_columns(row: type[Row]) -> None:
    known = columns(row)
    assert set(row.key) | set(row.references) | set(row.header) <= set(known)
    assert set(row.references.values()) <= set(TABLES)


def test_rows_are_equal_wherever_they_stand() -> None:
    sector = TABLES["sectors"]
    a = sector(sector="steel", name_zh="钢铁", name_en="Steel")  # type: ignore[call-arg]
    assert a == a.model_copy(update={"place": None})
    assert a != a.model_copy(update={"name_en": "Iron"})
    assert len({a, a.model_copy()}) == 1
