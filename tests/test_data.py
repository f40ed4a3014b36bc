"""The bundled data and cases: complete, sourced, silent about who made them, and solved as expected."""

import csv
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from planner.case import Case
from planner.engine import Options
from planner.highlights import levels
from planner.plan import solve
from planner.tables import read_case

ROOT = Path(__file__).parent.parent
CASES = sorted(path.parent for path in ROOT.glob("cases/*/case.yaml"))
TEXTS = [file for part in ("cases", "data") for file in sorted((ROOT / part).rglob("*")) if file.is_file()]
LOOSE = 1e-4
"""Relative difference allowed in amounts: the plan may move along the optimum within the solver's tolerance."""


@cache
def case_in(folder: Path) -> Case:
    return read_case(folder)


def test_there_are_the_bundled_cases() -> None:
    assert {"brazil", "jiangxi", "jiangxi-2026", "tutorial"} == {folder.name for folder in CASES}


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_every_case_solves_as_expected_and_the_same_on_every_run(folder: Path, tmp_path: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    plan = solve(case_in(folder), Options(prices=False))  # what is started does not depend on what is priced
    assert plan.status == expected["status"]
    assert plan.summary["objective"]["name"] == expected["objective"]["name"]
    assert plan.summary["objective"]["unit"] == expected["objective"]["unit"]
    assert plan.objective == pytest.approx(expected["objective"]["value"], rel=1e-7)
    assert plan.portfolio["capex"].sum() == pytest.approx(expected["capex"], rel=LOOSE)
    assert (plan.measures["starts"] > 0).sum() == expected["measures_started"]
    level = levels(plan).set_index(["quantity", "year"])["planned"]
    for quantity, path in expected["levels"].items():
        for year, value in path.items():
            assert level[quantity, int(year)] == pytest.approx(value, rel=LOOSE), (quantity, year)
    missed = plan.targets[plan.targets["missed"] > 0].groupby("target")["missed"].sum().to_dict()
    assert missed == pytest.approx(expected["missed"], rel=LOOSE)

    plan.write(tmp_path / "here")
    command = [sys.executable, "-m", "planner.cli", "solve", str(folder), "--out", str(tmp_path / "there")]
    subprocess.run(command, check=True, capture_output=True)
    first, second = [(tmp_path / run / "portfolio.csv").read_bytes() for run in ("here", "there")]
    assert first == second


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_every_source_of_a_case_is_known(folder: Path) -> None:
    case = case_in(folder)
    known = {row.source for row in case.sources} | {"own"}
    for file in folder.glob("*.csv"):
        assert used_sources(file) <= known, file.name


@pytest.mark.parametrize("folder", sorted({file.parent for file in TEXTS if file.name == "sources.csv"}))
def test_every_source_of_shared_facts_is_known(folder: Path) -> None:
    with (folder / "sources.csv").open(encoding="utf-8", newline="") as lines:
        known = {row["source"] for row in csv.DictReader(lines)} | {"own"}
    for file in folder.glob("*.csv"):
        if file.name != "sources.csv":
            assert used_sources(file) <= known, file.name


def used_sources(file: Path) -> set[str]:
    """Ids in the source column of a table."""
    with file.open(encoding="utf-8", newline="") as lines:
        cells = [row.get("source") or "" for row in csv.DictReader(lines)]
    return {part.strip() for cell in cells for part in cell.split(";")} - {""}


def test_every_city_is_on_the_map_and_every_shape_is_a_city() -> None:
    shapes = json.loads((ROOT / "data/geo/jiangxi_cities.geojson").read_text(encoding="utf-8"))["features"]
    cities = {row.city: row for row in case_in(ROOT / "cases/jiangxi").cities}
    assert {shape["properties"]["city_id"] for shape in shapes} == set(cities)
    for shape in shapes:
        assert shape["properties"]["name_zh"] == cities[shape["properties"]["city_id"]].name_zh


# Words that would tell who worked on the data and where; the sentences below use them innocently.
TELLING = re.compile(
    r"\b(sub-?agents?|agents?|workers?|assistants?|sessions?|chat\w*|prompts?|LLMs?|language models?)\b"
    r"|(?<![\w.:/])/(?:work|home|root|tmp|Users|mnt|var)/|[A-Z]:\\",
    re.IGNORECASE,
)
INNOCENT = ("remaining value, workers",)


def test_data_do_not_say_who_collected_them_or_where() -> None:
    found = []
    for file in TEXTS:
        text = file.read_text(encoding="utf-8")
        for phrase in INNOCENT:
            text = text.replace(phrase, "")
        found += [f"{file.relative_to(ROOT)}: {hit[0]}" for hit in TELLING.finditer(text)]
    assert not found


def test_paths_named_in_the_documents_exist() -> None:
    named = re.compile(r"`((?:cases|data|docs|planner|tests)/[\w./]*)`|\]\((?!https?:)([^)#]+)")
    for file in [*ROOT.glob("*.md"), *(file for file in TEXTS if file.suffix == ".md")]:
        for hit in named.finditer(file.read_text(encoding="utf-8")):
            path = ROOT / hit[1] if hit[1] else file.parent / hit[2]
            assert path.exists(), f"{file.relative_to(ROOT)}: {hit[0]}"
