"""Scenarios: edits in files and on the command line, refused with file and number when they are wrong."""

import json
from pathlib import Path

import pytest
from damage import TUTORIAL

from planner import text
from planner.case import Case
from planner.errors import CaseError
from planner.scenario import Scenario, parse_set, parse_sets, read_scenario, scenario_from, write_scenario
from planner.tables import read_case

GOOD = """\
scenario: ambitious
title: {zh: 更严格, en: More ambitious}
case: tutorial
format: 1
edits:
  - {table: targets, key: {target: nox_change}, set: {value: -0.35, soft_penalty: 1e4}}
  - {table: budgets, key: {budget: public_155}, set: {carry_over: no}}
  - {table: pins, add: {pin: no_wind, measure: wind, on: stock, max: 0}}
  - {table: targets, key: {target: co2_peak}, remove: true}
  - {setting: discount_rate, value: 0.04}
"""


@pytest.fixture(scope="module")
def case() -> Case:
    return read_case(TUTORIAL)


def put(tmp_path: Path, content: str, name: str = "draft.yaml") -> Path:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


def test_every_kind_of_edit_is_applied(case: Case, tmp_path: Path) -> None:
    scenario = read_scenario(put(tmp_path, GOOD))
    edited = scenario.applied(case)
    targets = {row.target: row for row in edited.targets}
    assert (scenario.scenario, scenario.title["en"]) == ("ambitious", "More ambitious")
    assert (targets["nox_change"].value, targets["nox_change"].soft_penalty) == (-0.35, 1e4)
    assert "co2_peak" not in targets
    assert edited.budgets[1].carry_over is False
    assert edited.pins[-1].max == 0
    assert edited.settings.discount_rate == 0.04


def test_numbers_are_scaled_wherever_they_stand(case: Case, tmp_path: Path) -> None:
    edits = [
        {"table": "potentials", "key": {"measure": "pv"}, "scale": {"potential": 0.75}},
        {"table": "measure_costs", "key": {"measure": "pv"}, "scale": {"capex": "1.2"}},
    ]
    raw = {"scenario": "less", "format": 1, "edits": edits}
    scenario = write_scenario(scenario_from(raw, "less.yaml"), tmp_path / "less.yaml")
    edited = read_scenario(tmp_path / "less.yaml").applied(case)
    assert edited.digest == scenario.applied(case).digest
    for old, new in zip(case.potentials, edited.potentials, strict=True):
        assert new.potential == old.potential * (0.75 if old.measure == "pv" else 1)
    for old, new in zip(case.measure_costs, edited.measure_costs, strict=True):
        assert new.fixed_om == old.fixed_om
        assert new.capex == (old.capex * 1.2 if old.measure == "pv" and old.capex is not None else old.capex)


@pytest.mark.parametrize(
    ("column", "factor", "key"),
    [("note", 2, "edit_scale"), ("year", 2, "edit_scale"), ("soft_penalty", 2, "edit_scale_blank"),
     ("value", "", "blank"), ("value", "20 %", "percent"), ("value", "a lot", "not_a_number")],
)  # fmt: skip
def test_what_cannot_be_scaled_is_refused(case: Case, column: str, factor: object, key: str) -> None:
    edit = {"table": "targets", "key": {"target": "nox_change"}, "scale": {column: factor}}
    with pytest.raises(CaseError) as raised:
        scenario_from({"scenario": "x", "format": 1, "edits": [edit]}, "x.yaml").applied(case)
    assert raised.value.issues[0].key == key
    assert text.issue(raised.value.issues[0], "zh")


@pytest.mark.parametrize("name", ["copy.yaml", "copy.json"])
def test_a_written_scenario_means_the_same(case: Case, tmp_path: Path, name: str) -> None:
    scenario = read_scenario(put(tmp_path, GOOD))
    write_scenario(scenario, tmp_path / name)
    again = read_scenario(tmp_path / name)
    assert again.applied(case).digest == scenario.applied(case).digest
    assert (again.scenario, again.title, again.case) == (scenario.scenario, scenario.title, scenario.case)


def test_a_scenario_without_edits_is_the_case(case: Case) -> None:
    assert Scenario("same").applied(case).digest == case.digest


def test_a_scenario_of_another_case_is_remarked(case: Case) -> None:
    edited = Scenario("other", case="jiangxi").applied(case)
    assert "scenario_other_case" in {issue.key for issue in edited.warnings}


@pytest.mark.parametrize(
    ("old", "new", "key", "row"),
    [
        ("format: 1", "format: 2", "scenario_newer", None),
        ("format: 1\n", "", "scenario_format", None),
        ("format: 1", "format: one", "scenario_format", None),
        ("case: tutorial", "cases: tutorial", "scenario_key", None),
        ("scenario: ambitious", "scenario:", "scenario_text", None),
        ("title: {zh: 更严格, en: More ambitious}", "title: [a]", "not_a_title", None),
        ("edits:\n", "edits: {}\nnote:\n", "edits_no_list", None),
        ("remove: true", "remove: yes", "edit_remove", 4),
        ("remove: true", "delete: true", "edit_shape", 4),
        ("format: 1", "format: 1\nformat: 1", "key_twice", 5),
        ("ambitious", "!!python/name:os.system x", "yaml_tag", 1),
    ],
)
def test_a_broken_scenario_is_refused(tmp_path: Path, old: str, new: str, key: str, row: int | None) -> None:
    with pytest.raises(CaseError) as raised:
        read_scenario(put(tmp_path, GOOD.replace(old, new, 1)))
    issue = next(issue for issue in raised.value.issues if issue.key == key)
    assert (issue.file, issue.row) == ("draft.yaml", row)
    assert text.issue(issue, "zh")
    assert text.remedy(issue, "zh")


@pytest.mark.parametrize(
    ("content", "key"),
    [('{"format": 1, "value": NaN}', "json_constant"), ('{"format": 1', "json_syntax"), ("[" * 100_000, "json_syntax"),
     ('{"format": 1, "format": 1}', "key_twice"), ("[1]", "no_mapping"), ("", "file_empty")],
    ids=["nan", "open", "deep", "twice", "list", "empty"],
)  # fmt: skip
def test_broken_json_is_refused(tmp_path: Path, content: str, key: str) -> None:
    with pytest.raises(CaseError) as raised:
        read_scenario(put(tmp_path, content, "draft.json"))
    assert raised.value.issues[0].key == key


def test_every_wrong_edit_is_named_by_file_and_number(case: Case, tmp_path: Path) -> None:
    content = GOOD.replace("target: nox_change", "target: nox_chnage").replace("value: 0.04", "value: 4 %")
    with pytest.raises(CaseError) as raised:
        read_scenario(put(tmp_path, content)).applied(case)
    lines = [text.issue(issue, "en") for issue in raised.value.errors]
    assert lines == [
        "draft.yaml, edit 1, target: no row of targets is named 'nox_chnage' (did you mean 'nox_change'?)",
        "draft.yaml, edit 5, discount_rate: '4 %' is a percentage; numbers are plain fractions",
    ]


def test_deep_nesting_and_wide_drafts_are_refused_calmly(tmp_path: Path) -> None:
    with pytest.raises(CaseError) as raised:
        read_scenario(put(tmp_path, "format: 1\nedits: " + "[" * 500 + "]" * 500))
    assert raised.value.issues[0].key == "yaml_depth"
    with pytest.raises(CaseError) as raised:
        scenario_from({"scenario": "x", "format": 1, "edits": ["remove everything"]}, "link")
    assert raised.value.issues[0].key == "edit_shape"


@pytest.mark.parametrize(
    ("text_", "check"),
    [
        ("targets.nox_change.value=-0.4", lambda case: case.targets[1].value == -0.4),
        ("targets.inland_nox.soft_penalty=", lambda case: case.targets[-1].soft_penalty is None),
        ("budgets.ridge_capex.limit=3e8", lambda case: case.budgets[2].limit == 3e8),
        ("effects.pv/clean_power/ridge.value=1.2", lambda case: case.effects[1].value == 1.2),
        ("prices.co2/carbon/2030.price=200000", lambda case: case.prices[2].price == 200000),
        ("fund_rules.public/power/.max_share=0.4", lambda case: case.fund_rules[0].max_share == 0.4),
        ("potentials.pv/harbor.potential=450", lambda case: case.potentials[0].potential == 450),
        ("case.objective=capex;cost", lambda case: case.settings.objective == ("capex", "cost")),
        ("settings.perspective=social", lambda case: case.settings.components == ("market", "damage")),
    ],
)
def test_values_are_set_on_the_command_line(case: Case, text_: str, check: object) -> None:
    edited = case.edited([parse_set(text_)], "--set")
    assert callable(check)
    assert check(edited)


@pytest.mark.parametrize(
    ("text_", "key"),
    [
        ("targets.nox_change=-0.4", "set_syntax"),
        ("targets.nox_change.value", "set_syntax"),
        ("goals.nox_change.value=1", "edit_table"),
        ("targets.nox_change.vlaue=1", "unknown_column"),
        ("effects.pv.value=1", "set_key"),
        ("targets.a/b.value=1", "set_key"),
        ("case.discount=0.1", "edit_setting"),
    ],
)
def test_a_wrong_option_is_refused_with_what_to_write(text_: str, key: str) -> None:
    with pytest.raises(CaseError) as raised:
        parse_sets(["case.discount_rate=0.05", text_])
    assert [(issue.key, issue.row) for issue in raised.value.issues] == [(key, 2)]
    assert text.remedy(raised.value.issues[0], "en")


def test_an_option_that_names_nothing_is_refused(case: Case) -> None:
    with pytest.raises(CaseError) as raised:
        case.edited(parse_sets(["targets.nox_chang.value=1"]), "--set")
    assert "nox_change" in text.issue(raised.value.issues[0], "en")


def test_a_failed_write_keeps_the_old_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, GOOD)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_scenario(Scenario("new"), path)
    assert path.read_text(encoding="utf-8") == GOOD
    assert len(list(tmp_path.iterdir())) == 1


def test_json_keeps_numbers(tmp_path: Path) -> None:
    write_scenario(read_scenario(put(tmp_path, GOOD)), tmp_path / "copy.json")
    assert json.loads((tmp_path / "copy.json").read_text(encoding="utf-8"))["format"] == 1
