"""Every bad input of the catalogue gives exactly the words that stand beside it, in both languages."""

from pathlib import Path

import catalogue
import pytest

from planner.errors import CaseError
from planner.tables import read_case

ROOT = Path(__file__).parent.parent
COVERED, ITEMS = 88, 89
"""Items of the catalogue that have a folder, of all."""


def test_the_catalogue_is_covered() -> None:
    assert (len(catalogue.covered()), len(catalogue.items())) == (COVERED, ITEMS)
    assert all(item.get("why") for item in catalogue.items() if not item.get("folders"))
    there = {path.name for path in catalogue.BROKEN.iterdir() if path.is_dir()}
    assert there == set(catalogue.folders())
    assert set(catalogue.BUILDERS) <= there


@pytest.mark.parametrize("folder", sorted(catalogue.folders()))
def test_a_bad_input_gives_the_words_beside_it(folder: str, tmp_path: Path) -> None:
    words = catalogue.told(folder, tmp_path)
    assert words == catalogue.expected(folder), "python -m tests.catalogue --write, and read the difference"


@pytest.mark.parametrize("item", catalogue.covered(), ids=lambda item: item["item"])
def test_an_item_is_answered_as_the_catalogue_says(item: dict[str, object]) -> None:
    folders = item["folders"]
    assert isinstance(folders, list)
    answers = [catalogue.expected(folder).split("\n")[0].split(",")[0] for folder in folders]
    assert item["answer"] in answers


@pytest.mark.parametrize("folder", sorted(catalogue.folders()))
def test_what_is_accepted_holds_every_cell_as_it_stands(folder: str, tmp_path: Path) -> None:
    if catalogue.expected(folder).startswith("E") or folder in catalogue.BUILDERS:
        return
    path = catalogue.build(folder, tmp_path)
    assert catalogue.differences(read_case(path), path) == []


def test_shipped_cases_raise_no_false_alarm() -> None:
    found = {
        name: {issue.key for issue in read_case(ROOT / "cases" / name).warnings}
        for name in ("brazil", "jiangxi", "tutorial")
    }
    assert found == {"brazil": set(), "jiangxi": set(), "tutorial": {"without_source"}}


def test_all_faults_of_a_file_are_counted(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text("name: x\n", encoding="utf-8")
    with pytest.raises(CaseError) as raised:
        read_case(tmp_path)
    assert len(raised.value.errors) > 5
