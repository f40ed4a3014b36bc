"""What rows mean together: every contradiction is named, and an edit is a new, checked case."""

from pathlib import Path
from typing import Any

import pytest
from damage import TUTORIAL, Damage, add, damaged, faults, only, swap

from planner import text
from planner.case import Case, case_summary
from planner.errors import CaseError, Issue
from planner.rows import TABLES, Target
from planner.tables import read_case

JIANGXI = TUTORIAL.parent / "jiangxi"
TARGETS = "target,kind,quantity,sense,value,of,scope,sectors,first_year,last_year,per,by,decline,soft_penalty\n"
BUDGETS = "budget,limit,fund,scope,sectors,first_year,last_year,per,carry_over,year\n"
SHARED = "group,kind,measure,role,weight,cap,ratio,free,quantity,loss,scope,city,on\n"


def rows(header: str, *lines: str) -> Damage:
    return only(header + "".join(line + "\n" for line in lines))


def whole_lines(start: str) -> Damage:
    """Without the lines that start so."""
    return lambda content: "".join(line for line in content.splitlines(True) if not line.startswith(start))


FAULTS: list[tuple[str, Damage, str, int | None, str | None]] = [
    # keys
    ("potentials.csv", add("pv,harbor,500,"), "key_used_twice", 26, "measure"),
    ("prices.csv", add("co2,carbon,70000,2021"), "key_used_twice", 5, "quantity"),
    ("existing.csv", add("pv,harbor,2021,40"), "key_used_twice", 3, "measure"),
    ("fund_rules.csv", add("own,power,,0.8"), "key_used_twice", 8, "fund"),
    ("targets.csv", add("co2_peak,level,co2,<=,9000,,,,2030,2030,,,,,,"), "key_used_twice", 10, "target"),
    ("cities.csv", add("Harbor,港城二,Harbor two,29,116"), "ids_differ_in_case", 5, "city"),
    # references
    ("effects.csv", swap("pv,clean_power,1.0", "pvv,clean_power,1.0"), "unknown_id", 2, "measure"),
    ("effects.csv", swap("pv,clean_power,1.0", "Solar PV,clean_power,1.0"), "name_for_id", 2, "measure"),
    ("effects.csv", swap("1.1,ridge", "1.1,岭城市"), "name_for_id", 3, "city"),
    ("effects.csv", swap("1.1,ridge", "1.1,岭诚"), "unknown_id", 3, "city"),
    ("measures.csv", swap("Solar PV,power", "Solar PV,powr"), "unknown_id", 2, "sector"),
    ("baseline.csv", swap("co2,harbor,power,2020", "co2,harbour,power,2020"), "unknown_id", 3, "city"),
    ("conversions.csv", swap("plants", "plant"), "unknown_id", 2, "allocation"),
    ("groups.csv", swap("pv,dependent", "solar,dependent"), "unknown_id", 2, "measure"),
    ("city_groups.csv", swap("inland,ridge", "inland,rigde"), "unknown_id", 2, "city"),
    ("targets.csv", swap(",inland,", ",inlnd,"), "unknown_scope", 9, "scope"),
    ("budgets.csv", swap(",ridge,", ",Ridge,"), "unknown_scope", 4, "scope"),
    ("budgets.csv", swap("public,,,2021", "publik,,,2021"), "unknown_id", 2, "fund"),
    ("targets.csv", swap("industry,2025", "industri,2025"), "unknown_id", 4, "sectors"),
    ("targets.csv", swap("0.45,coal_power", "0.45,coal"), "unknown_id", 5, "of"),
    ("targets.csv", swap("-0.245,gdp", "-0.245,gpd"), "unknown_id", 6, "of"),
    ("pins.csv", swap("ebus,harbor", "ebus,hafen"), "unknown_id", 2, "city"),
    ("existing.csv", only("measure,city,year,units,fund\npv,harbor,2021,30,pubic\n"), "unknown_id", 2, "fund"),
    ("city_groups.csv", add("harbor,ridge"), "group_is_city", 4, "group"),
    ("city_groups.csv", add("province,ridge"), "reserved_id", 4, "group"),
    ("quantities.csv", add("capex,CNY,投资,Capital,,,"), "reserved_id", 6, "quantity"),
    # units
    ("effects.csv", swap("-0.6,,,t", "-0.6,,,GWh"), "unit_mismatch", 5, "unit"),
    ("effects.csv", swap("-0.6,,,t", "-0.6,,,万吨"), "unit_mismatch", 5, "unit"),
    # measures and stock
    ("measures.csv", add("idle,闲置,Idle,power,MW,1,0,20,1,1,,,"), "no_potential", 10, "measure"),
    ("measure_costs.csv", add("wind,2030,,"), "cost_row_empty", 4, "capex"),
    ("existing.csv", swap("2021,30", "2021,401"), "potential_below_existing", 2, "units"),
    ("existing.csv", swap("2021,30", "2031,30"), "existing_after_last", 2, "year"),
    ("potentials.csv", whole_lines("pv,harbor"), "existing_without_potential", 2, "city"),
    ("potentials.csv", whole_lines("ebus,harbor"), "pin_without_potential", 2, "city"),
    ("targets.csv", swap("0.01,,", "1,,"), "not_below", 8, "decline"),
    # conversions and allocations
    ("conversions.csv", add("co2,coal_power,1,,,"), "conversion_cycle", 3, "to_quantity"),
    ("conversions.csv", add("co2,co2,1,,,"), "conversion_cycle", 5, "to_quantity"),
    ("allocations.csv", swap("plain,0.1", "plain,0.2"), "allocation_sum", 2, "share"),
    # groups
    ("groups.csv", swap("storage,provider,,,1.0,20", "storage,provider,,,1.0,30"), "group_disagrees", 4, "free"),
    (
        "groups.csv",
        swap("kiln_sncr,member,,,,,nox,750.0", "kiln_sncr,member,,,,,nox,740"),
        "group_disagrees",
        8,
        "loss",
    ),
    ("groups.csv", swap("pv,dependent", "pv,member"), "group_role", 2, "role"),
    ("groups.csv", swap("pv,dependent", "pv,"), "group_role", 2, "role"),
    ("groups.csv", swap("dependent,0.15,,", "dependent,0.15,9,"), "group_column", 2, "cap"),
    ("groups.csv", swap("provider,,,1.0", "provider,1,,1.0"), "group_member_column", 4, "weight"),
    ("groups.csv", swap("dependent,0.15,,", "dependent,0.15,,2"), "group_member_column", 2, "ratio"),
    ("groups.csv", swap("kiln_scr,member,,,,,nox,750.0", "kiln_scr,member,,,,,,750.0"), "group_needs", 7, "quantity"),
    ("groups.csv", swap("nox,750.0,city,harbor", "nox,750.0,province,"), "overlap_scope", 7, "scope"),
    ("groups.csv", swap("kiln_scr,member,,,", "kiln_scr,member,2,,"), "cap_blank_weight", 5, "weight"),
    ("groups.csv", swap("kiln_scr,member,,,,,,,city", "kiln_scr,member,,,,,,,province"), "cap_blank_scope", 5, "scope"),
    ("groups.csv", only(SHARED + "g,shared,pv,,,,,,,,,,starts\n"), "cap_blank_starts", 2, "on"),
    ("groups.csv", only(SHARED + "g,shared,pv,,,9,,,,,province,ridge,\n"), "group_scope_city", 2, "city"),
    ("groups.csv", only(SHARED + "g,shared,pv,,,,,,,,,,\n"), "shared_alone", 2, "group"),
    ("groups.csv", whole_lines("scr_sncr_plain,overlap,kiln_sncr"), "overlap_members", 11, "group"),
    (
        "groups.csv",
        add("scr_sncr_plain,overlap,kiln_retire,member,,,,,nox,250.0,city,plain"),
        "overlap_members",
        11,
        "group",
    ),
    ("groups.csv", only(SHARED + "g,requires,pv,provider,,,1,,,,,,\n"), "requires_without_dependent", 2, "role"),
    ("groups.csv", add("new_power_storage,requires,pv,provider,,,1.0,20,,,province,"), "both_roles", 2, "role"),
    (
        "groups.csv",
        add("back,requires,storage,dependent,1,,,0,,,city,", "back,requires,pv,provider,,,1,0,,,city,"),
        "circular_prerequisites",
        2,
        "measure",
    ),
    # money
    ("fund_rules.csv", swap("own,power,,0.9", "own,power,,0.6"), "shares_of_sector", None, "max_share"),
    ("fund_rules.csv", add("own,power,pv,0.6"), "shares_of_measure", None, "max_share"),
    ("fund_rules.csv", add("own,industry,pv,0.9"), "rule_sector", 8, "sector"),
    ("funds.csv", add("gift,捐赠,Gift"), "fund_unused", 4, "fund"),
    ("budgets.csv", swap("2021,2025,span", "2025,2021,span"), "years_reversed", 2, "last_year"),
    ("budgets.csv", swap("2021,2025,span", "2019,2025,span"), "year_outside", 2, "first_year"),
    ("budgets.csv", swap("2021,2025,span,", "2021,2025,span,yes"), "span_carry_over", 2, "carry_over"),
    ("budgets.csv", only(BUDGETS + "b,1,,,,,,span,,2025\n"), "span_year", 2, "year"),
    ("budgets.csv", only(BUDGETS + "b,1,,,,,,,,2025\nb,2,,ridge,,,,,,2026\n"), "budget_disagrees", 3, "scope"),
    # targets
    ("targets.csv", swap("1400,,,,2026,2030", "1400,,,,2026,2031"), "year_outside", 2, "last_year"),
    ("targets.csv", swap("1400,,,,2026,2030", "1400,,,,2030,2026"), "years_reversed", 2, "last_year"),
    ("targets.csv", swap("clean_power,>=,1400", "clean_power,>=,"), "target_needs", 2, "value"),
    ("targets.csv", swap("clean_power,>=,1400", "clean_power,,1400"), "target_needs", 2, "sense"),
    ("targets.csv", swap("0.45,coal_power", "0.45,"), "target_needs", 5, "of"),
    ("targets.csv", swap(",2026,0.01", ",,0.01"), "target_needs", 8, "by"),
    ("targets.csv", swap("1400,,,,2026,2030,", "1400,,,,2026,2030,2026"), "target_column", 2, "by"),
    ("targets.csv", swap("1400,,", "1400,gdp,"), "target_column", 2, "of"),
    ("targets.csv", swap("co2,<=,,,,,,,2026", "co2,<=,,,,,2025,,2026"), "target_column", 8, "first_year"),
    ("targets.csv", swap("nox,>=,1500", "nox,<=,1500"), "target_sense", 4, "sense"),
    ("targets.csv", swap("peak,co2,<=", "peak,co2,>="), "target_sense", 8, "sense"),
    ("targets.csv", swap("nox,<=,-0.3", "nox,<=,-30"), "cut_above_all", 3, "value"),
    ("targets.csv", swap(">=,0.45", ">=,45"), "share_range", 5, "value"),
    ("targets.csv", swap("change,nox,<=,-0.3", "change,capex,<=,-0.3"), "money_target_kind", 3, "kind"),
    ("targets.csv", rows(TARGETS, "t,level,co2,<=,9,,,,2025,2025,span,,,"), "target_span", 2, "per"),
    ("targets.csv", swap(",2026,0.01", ",2031,0.01"), "year_outside", 8, "by"),
    ("targets.csv", swap("0.01,,", "-0.01,,"), "too_small", 8, "decline"),
    (
        "targets.csv",
        rows(TARGETS, "a,level,co2,<=,9000,,,,2025,2030,,,,", "b,level,co2,>=,9100,,,,2030,,,,,"),
        "targets_contradict",
        3,
        "value",
    ),
    ("baseline.csv", whole_lines("nox,ridge,industry,2020"), "base_year_absent", 3, "quantity"),
    ("drivers.csv", whole_lines("gdp,2020"), "base_year_absent", 6, "of"),
    ("drivers.csv", lambda content: content.replace(",\n", ",ridge\n"), "driver_of_scope", 6, "of"),
    ("targets.csv", rows(TARGETS, "a,change,clean_power,<=,0.1,,ridge,,,,,,,"), "zero_base", 2, "quantity"),
    # pins
    ("pins.csv", swap("starts,2,", "starts,,"), "pin_empty", 2, "min"),
    ("pins.csv", swap("starts,2,", "starts,2,1"), "pin_order", 2, "min"),
    ("pins.csv", swap("2023,2023", "2023,2033"), "year_outside", 2, "last_year"),
    ("pins.csv", swap("2023,2023", "2024,2023"), "years_reversed", 2, "last_year"),
]


@pytest.mark.parametrize(("file", "damage", "key", "row", "column"), FAULTS, ids=[f"{f[2]}-{f[0]}" for f in FAULTS])
def test_a_contradiction_is_reported_once_with_its_place(
    tmp_path: Path, file: str, damage: Damage, key: str, row: int | None, column: str | None
) -> None:
    found = {(issue.key, issue.row, issue.column) for issue in faults(damaged(tmp_path / "case", file, damage))}
    # Both rows of one wrong budget or conversion may be named; nothing else may be.
    assert (key, row, column) in found
    assert {issue[0] for issue in found} == {key}


WARNINGS: list[tuple[str, Damage, str, str | None]] = [
    ("potentials.csv", add("pv,harbor,400,"), "row_twice", "measure"),
    ("baseline.csv", add("co2,,power,2020,10"), "baseline_city_and_province", "city"),
    ("targets.csv", swap(",2026,0.01", ",2030,0.01"), "peak_at_last_year", "by"),
    ("measures.csv", swap("wind,风电,Onshore wind,power,MW,5800000,100000,20,2", "wind,风电,Wind,power,MW,1,1,20,12"),
     "never_in_service", "lead_time"),
    ("measures.csv", swap("0.25,2021,,\nwind", "0.25,2021,600,\nwind"), "lump_above_potential", "lump"),
    ("effects.csv", swap("-0.6,", "-6,"), "effect_above_baseline", "value"),
    ("quantities.csv", swap("energy,2600", "energy,4000"), "floor_above_baseline", "floor"),
    ("pins.csv", swap("starts,2,", "starts,20,"), "pin_above_possible", "min"),
    ("pins.csv", swap("2023,2023", "2030,2030"), "pin_above_possible", "min"),
    ("effects.csv", whole_lines("motors"), "no_effect", "measure"),
    ("case.yaml", swap("perspective: market", "perspective: social"), "component_without_price", "perspective"),
    ("existing.csv", only("measure,city,year,units,capex\npv,harbor,2020,30,1\n"), "existing_money_unused", "year"),
    ("effects.csv", add("motors,co2,-0.205,,,kt"), "carried_twice", "value"),
    ("potentials.csv", lambda content: content.replace("ebus,harbor,40", "ebus,harbor,0").replace(
        "ebus,ridge,20", "ebus,ridge,0").replace("ebus,plain,20", "ebus,plain,0"), "zero_potential", "measure"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "damage", "key", "column"), WARNINGS)
def test_what_is_odd_but_possible_is_accepted_with_a_warning(
    tmp_path: Path, file: str, damage: Damage, key: str, column: str | None
) -> None:
    case = read_case(damaged(tmp_path / "case", file, damage))
    assert (key, column) in {(issue.key, issue.column) for issue in case.warnings}
    for issue in case.warnings:
        for lang in text.LANGUAGES:
            assert text.issue(issue, lang)
            assert text.remedy(issue, lang)


def test_a_repeated_row_counts_once(tmp_path: Path) -> None:
    folder = damaged(tmp_path / "case", "potentials.csv", add("pv,harbor,400.0,"))
    assert read_case(folder).digest == read_case(TUTORIAL).digest


def test_sane_cases_have_few_warnings() -> None:
    keys = {issue.key for folder in (TUTORIAL, JIANGXI) for issue in read_case(folder).warnings}
    assert keys == {"without_source"}


def test_budgets_need_no_funds_but_naming_one_does(tmp_path: Path) -> None:
    folder = damaged(tmp_path / "case", "fund_rules.csv", lambda content: content.split("\n")[0] + "\n")
    (folder / "funds.csv").unlink()
    assert {issue.key for issue in faults(folder)} == {"table_without_rows"}
    (folder / "budgets.csv").write_text("budget,limit\nall,1000000\n", encoding="utf-8")
    assert read_case(folder).budgets[0].fund == ()


def test_a_fault_in_one_table_does_not_echo_in_others(tmp_path: Path) -> None:
    folder = damaged(tmp_path / "case", "fund_rules.csv", swap("own,power,,0.9", "own,power,,most"))
    assert [issue.key for issue in faults(folder)] == ["not_a_number"]


# ---------------------------------------------------------------- lookups, digest, edits


@pytest.fixture(scope="module")
def case() -> Case:
    return read_case(TUTORIAL)


def test_scopes_are_the_province_its_cities_and_their_groups(case: Case) -> None:
    assert case.scope_cities("province") == ("harbor", "ridge", "plain")
    assert case.scope_cities("inland") == ("ridge", "plain")
    assert case.scope_cities("plain") == ("plain",)
    assert case.years == list(range(2021, 2031))


def test_defaults_of_the_fine_print_are_filled_in(case: Case) -> None:
    by_id = {row.target: row for row in case.targets}
    assert by_id["clean_level"].scope == "province"
    assert by_id["co2_peak"].value is None
    group = case.groups[0]
    assert (group.role, group.ratio, group.on, group.scope) == ("dependent", 1.0, "stock", "province")
    assert case.groups[3].weight is None
    assert case.budgets[0].carry_over is False
    assert case.budgets[1].carry_over is True
    assert case.settings.objective == ("cost",)
    assert case.settings.components == ("market",)


@pytest.mark.parametrize(
    ("kind", "expected"), [("abated", ">="), ("intensity", "<="), ("peak", "<=")], ids=["abated", "intensity", "peak"]
)
def test_some_kinds_know_their_sense(kind: str, expected: str) -> None:
    cells: dict[str, Any] = {"target": "t", "kind": kind, "quantity": "co2", "value": 0.1}
    more: dict[str, dict[str, Any]] = {"abated": {}, "intensity": {"of": "gdp"}, "peak": {"by": 2025}}
    assert Target(**cells, **more[kind]).sense == expected


def test_perspectives_expand_to_components(case: Case) -> None:
    for words, components in [
        (("market",), ("market",)),
        (("private",), ("market", "tax", "carbon")),
        (("social",), ("market", "damage")),
        (("carbon", "damage"), ("carbon", "damage")),
    ]:
        assert case.settings.model_copy(update={"perspective": words}).components == components


def test_the_digest_follows_values_and_order_not_names_or_notes(case: Case, tmp_path: Path) -> None:
    renamed = damaged(tmp_path / "renamed", "cities.csv", swap("港城", "海城"))
    reordered = damaged(
        tmp_path / "reordered", "effects.csv", swap("kiln_scr,nox,-0.6,,,t\nkiln_sncr,nox,-0.25,,,t",
                                                    "kiln_sncr,nox,-0.25,,,t\nkiln_scr,nox,-0.6,,,t")
    )  # fmt: skip
    changed = damaged(tmp_path / "changed", "effects.csv", swap("-0.25,,,t", "-0.26,,,t"))
    assert read_case(renamed).digest == case.digest
    assert len({case.digest, read_case(reordered).digest, read_case(changed).digest}) == 3


def test_an_edit_is_a_new_case_and_leaves_the_old_one(case: Case) -> None:
    edited = case.edited([{"table": "targets", "key": {"target": "nox_change"}, "set": {"value": "-0.4"}}])
    assert [row.value for row in edited.targets if row.target == "nox_change"] == [-0.4]
    assert [row.value for row in case.targets if row.target == "nox_change"] == [-0.3]
    assert edited.digest != case.digest
    back = edited.edited([{"table": "targets", "key": {"target": "nox_change"}, "set": {"value": -0.3}}])
    assert back.digest == case.digest


def test_an_edited_case_is_the_case_of_edited_files(case: Case, tmp_path: Path) -> None:
    by_file = read_case(damaged(tmp_path / "case", "measures.csv", swap("MW,5800000", "MW,5000000")))
    by_edit = case.edited([{"table": "measures", "key": {"measure": "wind"}, "set": {"capex": 5e6}}])
    assert by_edit.digest == by_file.digest
    assert all(by_edit.rows(table) == by_file.rows(table) for table in TABLES)
    assert [(i.key, i.row) for i in by_edit.warnings] == [(i.key, i.row) for i in by_file.warnings]


def test_switching_a_measure_off_takes_along_what_only_served_it(case: Case) -> None:
    edited = case.edited([{"table": "measures", "key": {"measure": "kiln_sncr"}, "remove": True}])
    for table in ("effects", "potentials", "groups"):
        assert all(getattr(row, "measure", "") != "kiln_sncr" for row in edited.rows(table))
    assert {row.group for row in edited.groups} == {"new_power_storage", "kiln_base"}
    assert "switched_off" in {issue.key for issue in edited.warnings}


def test_a_setting_can_be_edited(case: Case) -> None:
    edited = case.edited([{"setting": "last_year", "value": 2032}, {"setting": "objective", "value": "capex;cost"}])
    assert edited.years[-1] == 2032
    assert edited.settings.objective == ("capex", "cost")


def test_a_row_can_be_added_and_a_blank_takes_the_default(case: Case) -> None:
    pin = {"pin": "no_wind", "measure": "wind", "on": "stock", "max": 0}
    edited = case.edited(
        [
            {"table": "pins", "add": pin},
            {"table": "targets", "key": {"target": "inland_nox"}, "set": {"soft_penalty": None}},
        ]
    )
    assert edited.pins[-1].max == 0
    assert edited.targets[-1].soft_penalty is None


EDIT_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"table": "targets", "key": {"target": "nox_chang"}, "set": {"value": 1}}, "edit_names_nothing"),
    ({"table": "target", "key": {"target": "nox_change"}, "set": {"value": 1}}, "edit_table"),
    ({"table": "targets", "key": {"name": "nox_change"}, "set": {"value": 1}}, "edit_key"),
    ({"table": "targets", "key": {}, "set": {"value": 1}}, "edit_key"),
    ({"table": "targets", "key": {"target": "nox_change"}, "set": {"vaule": 1}}, "unknown_column"),
    ({"table": "targets", "key": {"target": "nox_change"}, "set": {"value": "30%"}}, "percent"),
    ({"table": "targets", "key": {"target": "nox_change"}, "set": {"value": float("nan")}}, "not_finite"),
    ({"table": "targets", "key": {"target": "nox_change"}, "set": {"value": -18}}, "cut_above_all"),
    ({"table": "targets", "key": {"target": "nox_change"}, "set": {"scope": "Harbor"}}, "unknown_scope"),
    ({"table": "targets", "key": {"target": "nox_change"}, "remove": False}, "edit_remove"),
    ({"table": "targets", "key": {"target": "nox_change"}}, "edit_shape"),
    ({"table": "cities", "key": {"city": "harbor"}, "set": {"city": "Plain"}}, "ids_differ_in_case"),
    ({"table": "potentials", "add": {"measure": "pv", "city": "harbor", "potential": 9}}, "key_used_twice"),
    ({"table": "pins", "add": {"pin": "p", "measure": "pw", "min": 1}}, "unknown_id"),
    (
        {"table": "potentials", "key": {"measure": "pv", "city": "harbor"}, "set": {"potential": 9}},
        "potential_below_existing",
    ),
    ({"setting": "discount_rte", "value": 0.04}, "edit_setting"),
    ({"setting": "discount_rate", "value": 4}, "percent_for_fraction"),
    ({"setting": "last_year", "value": 2020}, "horizon_reversed"),
    ({"setting": "data", "value": "/etc"}, "edit_data"),
]


@pytest.mark.parametrize(("edit", "key"), EDIT_FAULTS, ids=[key for _, key in EDIT_FAULTS])
def test_a_wrong_edit_is_refused_by_the_same_door(case: Case, edit: dict[str, Any], key: str) -> None:
    good = {"table": "targets", "key": {"target": "clean_level"}, "set": {"value": 1500}}
    with pytest.raises(CaseError) as raised:
        case.edited([good, edit], "draft.yaml")
    assert key in {issue.key for issue in raised.value.errors}
    if key not in ("ids_differ_in_case", "potential_below_existing"):  # found in a row that no edit touched
        issue = next(issue for issue in raised.value.errors if issue.key == key)
        assert (issue.file, issue.row, issue.counted) == ("draft.yaml", 2, "edit")
        assert text.issue(issue, "en").startswith("draft.yaml, edit 2")


GHOST = {"table": "quantities", "add": {"quantity": "ghost", "unit": "kt", "name_zh": "无", "name_en": "Ghost"}}


def test_nothing_can_be_a_share_of_what_is_always_zero(case: Case) -> None:
    share = {"target": "t", "kind": "share", "quantity": "co2", "sense": "<=", "value": 0.5, "of": "ghost"}
    with pytest.raises(CaseError) as raised:
        case.edited([GHOST, {"table": "targets", "add": share}])
    assert [issue.key for issue in raised.value.errors] == ["zero_whole"]


def test_a_target_that_no_plan_can_move_is_remarked(case: Case) -> None:
    level = {"target": "t", "kind": "level", "quantity": "ghost", "sense": "<=", "value": 5}
    edited = case.edited([GHOST, {"table": "targets", "add": level}])
    assert "nothing_moves" in {issue.key for issue in edited.warnings}


def test_sources_nobody_can_look_up_are_counted(tmp_path: Path) -> None:
    folder = damaged(
        tmp_path / "case", "existing.csv", only("measure,city,year,units,source\npv,harbor,2021,30,x;own\n")
    )
    (folder / "sources.csv").write_text("source,title,publisher,year,where\nlaw,Law,,2020-2022,\n", encoding="utf-8")
    found = {issue.key: issue for issue in read_case(folder).warnings}
    assert found["unknown_sources"].found == "x"


def test_every_table_can_be_summed_up(case: Case) -> None:
    summary = case_summary(read_case(JIANGXI))
    sizes = {table.table: table for table in summary.tables}
    assert (summary.cities, summary.measures, summary.quantities, summary.targets) == (11, 124, 74, 57)
    assert sizes["baseline"].rows == 5140
    assert sum(sizes["measures"].grades.values()) == 124
    assert sum(table.without_source for table in case_summary(case).tables) == 131


def test_issues_are_plain_data() -> None:
    issue = Issue("error", "unknown_id", "effects.csv", 2, "measure", params={"found": "x"})
    assert (issue.found, issue.expected) == ("x", "")
