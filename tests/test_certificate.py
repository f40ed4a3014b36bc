"""The certificate: right plans are proven, wrong ones fail and say where, and no price can prove too much."""

import json
import math
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import toy
from random_cases import random_case

from planner.case import Case
from planner.certificate import Certificate, certify, complete, verify
from planner.certificate.papers import COLUMNS, OPTIONAL
from planner.engine import Options
from planner.frames import FRAMES
from planner.plan import Plan, solve
from planner.tables import read_case

CASES = Path(__file__).parent.parent / "cases"
TUTORIAL = CASES / "tutorial"
FORBIDDEN = ("problem", "targets", "formulation", "expand", "compile", "engine")
SEEDS = range(24)
MUTATED = ("tutorial", "3", "10", "13", "19", "44")
UNPROVEN = {"reason", "reduced_cost", "valid_from", "valid_to"}
"""Columns that no other number determines: only their place is checked."""
DETERMINED = (
    "target_is_kept",
    "budget_is_kept",
    "change_adds_up",
    "pool_adds_up",
    "spending_adds_up",
    "quantity_level",
)
"""Families of prices that the others determine; other prices may stand for more than one proof."""


@cache
def solved(name: str) -> tuple[Case, Plan]:
    """A case and its plan, without the certificate that a solve makes."""
    if name.isdigit():
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            case = read_case(random_case(int(name)).write(Path(folder)))
    else:
        case = read_case(CASES / name)
    return case, solve(case, Options(certify=False))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("plan") / "tutorial"
    solved("tutorial")[1].write(place)
    return place


# ---------------------------------------------------------------- right plans


def test_it_loads_neither_the_model_nor_the_solver() -> None:
    code = "import sys, planner.certificate; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {f"planner.{name}" for name in FORBIDDEN} & set(loaded)
    assert not {name for name in loaded if name.partition(".")[0] in ("highspy", "pyomo")}


def test_the_tutorial_is_proven_from_its_files(folder: Path) -> None:
    case, plan = solved("tutorial")
    read = certify(case, folder)
    assert read.verdict == "proven", read.text("en")
    assert read.proven == ("cost",)
    assert read.gap is not None and read.gap <= 1e-6
    assert read.primal <= 1e-6
    assert read.bound is not None and read.bound <= plan.objective + 1e-6 * abs(plan.objective)
    assert certify(case, plan).verdict == "proven"
    assert set(read.summary()) == {"primal", "dual", "complementarity", "gap"}


def test_jiangxi_is_proven() -> None:
    case = read_case(CASES / "jiangxi")
    found = certify(case, solve(case, Options(certify=False, prices=False, break_ties=False)))
    assert found.verdict == "proven", found.text("en")


@pytest.mark.parametrize("seed", SEEDS)
def test_random_plans_pass(seed: int) -> None:
    case, plan = solved(str(seed))
    found = certify(case, plan)
    if not plan.found:
        assert found.verdict == "empty"
        return
    assert found.passed, found.text("en")
    if case.settings.objective == ("cost",):
        assert "cost" in found.proven, found.text("en")
        assert found.verdict == ("within" if found.lumps_held else "proven")


def test_an_optimum_worked_out_by_hand_is_its_own_bound() -> None:
    # Ten tonnes must go in 2023: ten units that serve that year alone, at 10 each.
    case = toy.case(targets="target kind quantity sense value first_year\ncap level q <= 90 2023")
    found = certify(case, solve(case, Options(certify=False)))
    assert found.verdict == "proven"
    assert found.bound == pytest.approx(100.0, rel=1e-6)
    assert found.cost == pytest.approx(100.0, rel=1e-6)


def test_no_prices_prove_more_than_the_optimum() -> None:
    case, plan = solved("tutorial")
    best = plan.objective
    rng = np.random.default_rng(7)
    for spread in (1e-3, 0.1, 1.0, 10.0):
        for _ in range(5):
            prices = plan.prices.copy()
            factors = rng.normal(1.0, spread, len(prices))
            prices["dual"] = prices["dual"].to_numpy(dtype=float) * factors
            found = certify(case, replace(plan, prices=prices))
            assert found.bound is not None and found.bound <= best + 1e-6 * abs(best)


def test_every_stage_is_proven_by_its_own_prices(tmp_path: Path) -> None:
    # 500 buy five units; started at once they cut 5 t in each of three years: 300 - 15 = 285. One more unit of money
    # buys 1/100 unit, three tonne-years: the price of the budget in the stage of the quantity is -0.03.
    case = toy.case({"objective": ["quantity:q", "cost"]}, budgets="budget limit per\nall 500 span")
    plan = solve(case, Options(certify=False))
    assert plan.objective == pytest.approx(285.0)
    proofs = plan.proofs.set_index(["stage", "family", "key"])["dual"]
    assert proofs["quantity:q", "budget_is_kept", "all"].item() == pytest.approx(-0.03)
    plan.write(tmp_path)
    found = certify(case, tmp_path)
    assert found.verdict == "proven" and found.proven == ("quantity:q", "cost"), found.text("en")
    for family, factor in (("budget_is_kept", 0.7), ("budget_is_kept", -1.0)):
        changed = plan.proofs.copy()
        changed.loc[changed["family"] == family, "dual"] *= factor
        worse = certify(case, replace(plan, proofs=changed))
        assert worse.verdict == "fails" and "proofs.csv" in worse.text("en")
    held = plan.prices.copy()
    held.loc[held["family"] == "stage_is_held", "dual"] *= 1.02
    assert certify(case, replace(plan, prices=held)).verdict == "fails"


def test_without_its_prices_a_stage_is_named_as_unproven() -> None:
    case = toy.case({"objective": ["quantity:q", "cost"]}, budgets="budget limit per\nall 500 span")
    plan = solve(case, Options(certify=False))
    found = certify(case, replace(plan, proofs=plan.proofs.iloc[:0]))
    assert found.passed, found.text("en")
    assert found.proven == ("cost",) and found.unproven == ("quantity:q",)
    assert "quantity:q" in found.line("en")


def test_a_plan_of_one_objective_leaves_no_proofs_of_an_older_one(tmp_path: Path) -> None:
    solve(toy.case({"objective": ["quantity:q", "cost"]})).write(tmp_path)
    assert (tmp_path / "proofs.csv").exists()
    case = toy.case({"objective": ["cost"]})
    solve(case).write(tmp_path)
    assert not (tmp_path / "proofs.csv").exists() and certify(case, tmp_path).verdict == "proven"
    assert Plan.read(tmp_path).proofs.empty


def test_a_best_effort_plan_is_proven_to_miss_by_least() -> None:
    case = toy.case(targets="target kind quantity sense value first_year\ncap level q <= 80 2023")
    plan = solve(case, Options(certify=False), best_effort=True)
    found = certify(case, plan)
    assert found.verdict == "proven", found.text("en")
    assert found.proven == ("miss", "cost")


# ---------------------------------------------------------------- wrong plans


def changed(rng: random.Random, name: str, column: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, int] | None:
    """The frame with one cell changed so that it means something else, and the row; none where no cell can be."""
    words, _ = COLUMNS[name]
    rows = list(range(len(frame)))
    if name == "prices":
        rows = [i for i in rows if frame["family"].iloc[i] in DETERMINED]
    if column in words:
        i = rng.choice(rows)
        known = sorted({str(value) for value in frame[column]} - {str(frame[column].iloc[i]), ""})
        # Another fund may pay as well: only one that the case does not know is wrong for sure.
        value: Any = rng.choice(known) if known and column != "fund" and rng.random() < 0.5 else "nobody"
    else:
        values = frame[column].astype(float).abs()
        group = frame["family" if name == "prices" else words[0]].fillna("") if name != "measures" else None
        largest = values.groupby(group).transform("max") if group is not None else values.max() + 0 * values
        rows = [i for i in rows if values.iloc[i] > 0 and values.iloc[i] >= 1e-2 * largest.iloc[i]]
        if column in ("price_loosen", "price_tighten"):  # where both sides differ, either may be any further off
            rows = [i for i in rows if not math.isnan(frame["shadow_price"].astype(float).iloc[i])]
        if not rows:
            return None
        i = rng.choice(rows)
        old = float(frame[column].iloc[i])
        if column == "year":  # what cannot move has no price: another year is wrong for sure outside the plan
            value = int(old) + rng.choice((-40, 40) if name == "prices" else (-1, 1))
        else:
            value = old * rng.choice((1.02, 0.98, -1.0) if name == "prices" else (1.02, 0.98, -1.0, 0.0))
    other = frame.copy()
    other[column] = other[column].astype(object)
    other.iloc[i, other.columns.get_loc(column)] = value
    return other, i


def mutations(name: str) -> Iterator[tuple[str, str]]:
    frames = solved(name)[1].frames()
    for file, (words, numbers) in COLUMNS.items():
        if file not in OPTIONAL and len(frames[file]):
            yield from ((file, column) for column in (*words, *numbers) if column not in UNPROVEN)


def names_the_place(found: Certificate, file: str, row: pd.Series) -> bool:
    """Whether the file, or what its row is about, is named."""
    parts = {str(row[column]) for column in COLUMNS[file][0] if str(row[column]) not in ("", "nan", "nobody")}
    return any(v.where == f"{file}.csv" or parts & set(v.what.split("/")) for v in found.violations)


@pytest.mark.parametrize("name", MUTATED)
def test_a_change_in_one_cell_fails_and_is_named(name: str) -> None:
    case, plan = solved(name)
    assert certify(case, plan).passed
    rng = random.Random(name)
    for file, column in mutations(name):
        for _ in range(2):
            frame = plan.frames()[file]
            found = changed(rng, file, column, frame)
            if found is None:
                continue
            other, i = found
            said = f"{file}.csv, row {i + 2}, {column}: {frame[column].iloc[i]} -> {other[column].iloc[i]}"
            certificate = certify(case, replace(plan, **{file: other}))
            assert certificate.verdict == "fails", said
            assert names_the_place(certificate, file, other.iloc[i]), said


@pytest.mark.parametrize("file", [name for name in FRAMES if name not in ("prices", "overlaps")])
def test_a_row_that_is_missing_or_stands_twice_fails(file: str) -> None:
    case, plan = solved("tutorial")
    frame = plan.frames()[file]
    column = next(c for c in ("starts", "paid", "planned", "value", "capex", "limit", "bound") if c in frame)
    i = int(np.argmax(frame[column].astype(float).abs()))
    without = frame.drop(index=frame.index[i])
    twice = pd.concat([frame, frame.iloc[[i]]], ignore_index=True)
    for other in (without, twice):
        found = certify(case, replace(plan, **{file: other}))
        assert found.verdict == "fails"
        assert any(violation.where == f"{file}.csv" for violation in found.violations)


@pytest.mark.parametrize(
    "path, value",
    [
        (("case",), "other"),
        (("input_digest",), "0" * 64),
        (("status",), "infeasible"),
        (("objective", "name"), "capex"),
        (("objective", "unit"), "EUR"),
        (("objective", "value"), 1.00001),
        (("objectives", 0, "value"), 1.00001),
        (("objectives", 0, "final"), 1.00001),
        (("objectives", 0, "unit"), "kt"),
        (("objectives", 0, "name"), "capex"),
    ],
)
def test_a_change_in_the_summary_fails(path: tuple[Any, ...], value: Any) -> None:
    case, plan = solved("tutorial")
    summary = json.loads(json.dumps(plan.summary))
    place: Any = summary
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value if isinstance(value, str) else place[path[-1]] * value
    found = certify(case, replace(plan, summary=summary))
    assert found.verdict == "fails"
    assert "summary.json" in {violation.where for violation in found.violations}


def test_a_plan_of_other_inputs_fails() -> None:
    case, plan = solved("tutorial")
    other = case.edited([{"setting": "discount_rate", "value": 0.04}])
    found = certify(other, plan)
    assert found.verdict == "fails"
    assert any(violation.key == "other_case" for violation in found.violations)


def test_a_small_bound_is_kept_as_exactly_as_a_large_one() -> None:
    # One unit cuts 1e-6 t of 0.00051 t; a bound of 0.0005 t is broken by one percent, 5e-6 t.
    tables = {
        "effects": "measure quantity value\nm q -0.000001",
        "baseline": "quantity city sector year value\nq a s 2020 0.00051",
    }
    case = toy.case(targets="target kind quantity sense value first_year\ncap level q <= 0.0005 2023", **tables)
    plan = solve(case, Options(certify=False))
    found = certify(case, plan)
    assert found.verdict == "proven", found.text("en")
    looser = case.edited([{"table": "targets", "key": {"target": "cap"}, "set": {"value": 0.000505}}])
    loose = solve(looser, Options(certify=False))
    found = certify(case, replace(loose, summary={**loose.summary, "input_digest": case.digest}))
    assert any(v.where == "targets.csv" and v.what == "target_is_kept/cap/2023" for v in found.violations)


def test_a_costlier_plan_is_not_called_optimal() -> None:
    case = toy.case(targets="target kind quantity sense value first_year\ncap level q <= 95 2023")
    plan = solve(case, Options(certify=False))
    tight = solve(case.edited([{"table": "targets", "key": {"target": "cap"}, "set": {"value": 94}}]), Options())
    summary = {**tight.summary, "input_digest": case.digest}
    other = replace(tight, summary=summary, targets=tight.targets.assign(bound=95.0, slack=1.0), prices=plan.prices)
    found = certify(case, other)
    assert "cost" not in found.proven
    assert found.verdict == "fails" and any(violation.key == "not_optimal" for violation in found.violations)


# ---------------------------------------------------------------- plans made by hand


def test_the_starts_alone_give_the_cost_again() -> None:
    case, plan = solved("tutorial")
    found = complete(case, plan.portfolio[["measure", "city", "year", "starts"]])
    assert found.verdict == "feasible" and found.by_hand
    assert found.gap is None and found.proven == ()
    assert found.cost == pytest.approx(float(plan.summary["objectives"][0]["final"]), rel=1e-6)


@pytest.mark.parametrize("seed", ["3", "9", "10", "13", "19", "44", "47"])
def test_the_starts_of_random_plans_can_be_completed(seed: str) -> None:
    case, plan = solved(seed)
    found = complete(case, {(r.measure, r.city, r.year): r.starts for r in plan.portfolio.itertuples()})
    assert found.passed, found.text("en")
    costs = {stage["name"]: stage["final"] for stage in plan.summary["objectives"]}
    assert found.cost <= costs["cost"] + 1e-6 * abs(costs["cost"])


def by_hand(starts: Mapping[tuple[str, str, int], float], **tables: str) -> Certificate:
    return complete(toy.case(**tables), starts)


def test_a_plan_by_hand_is_costed_and_its_faults_are_named() -> None:
    goal = "target kind quantity sense value first_year\ncap level q <= 95 2023"
    kept = by_hand({("m", "a", 2023): 6.0}, targets=goal)
    assert kept.passed and kept.cost == pytest.approx(60.0)
    short = by_hand({("m", "a", 2023): 4.0}, targets=goal)
    assert [(v.where, v.what) for v in short.violations] == [("targets.csv", "target_is_kept/cap/2023")]
    many = by_hand({("m", "a", 2022): 6.0, ("m", "a", 2023): 6.0}, targets=goal)
    assert [v.what for v in many.violations] == ["stock_within_potential/m/a/2023"]
    strange = by_hand({("m", "a", 2023): 6.0, ("x", "a", 2023): 1.0}, targets=goal)
    assert [v.key for v in strange.violations] == ["unknown"]


def test_a_plan_by_hand_that_no_fund_can_pay_names_the_budget() -> None:
    tables = {
        "funds": "fund\none\ntwo",
        "fund_rules": "fund sector max_share\none s 0.5\ntwo s 1",
        "budgets": "budget limit fund\nsmall 100 two",
    }
    assert by_hand({("m", "a", 2022): 2.0}, **tables).passed  # one pays 100, two pays 100
    found = by_hand({("m", "a", 2022): 4.0}, **tables)  # one may pay 200 of 400, two only 100
    assert found.verdict == "fails"
    assert {violation.where for violation in found.violations} <= {"budgets.csv", "funds.csv"}


# ---------------------------------------------------------------- words


def test_verify_says_it_in_both_languages(folder: Path, tmp_path: Path) -> None:
    assert verify(TUTORIAL, folder, "en") == (0, certify(read_case(TUTORIAL), folder).text("en"))
    assert verify(TUTORIAL, folder, "zh")[1].startswith("验证通过：已证明最优")
    portfolio = pd.read_csv(folder / "portfolio.csv")
    portfolio.loc[portfolio["starts"].idxmax(), "starts"] *= 1.5
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    portfolio.to_csv(tmp_path / "portfolio.csv", index=False)
    code, words = verify(TUTORIAL, tmp_path, "zh")
    assert code == 5 and words.startswith("验证未通过") and "portfolio.csv，第" in words
    code, words = verify(TUTORIAL, tmp_path / "portfolio.csv", "en")
    assert code == 5 and "FAILS" in words


def test_files_that_are_no_numbers_are_named(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    text = (tmp_path / "budgets.csv").read_text("utf-8").replace("300000000", "lots", 1)
    (tmp_path / "budgets.csv").write_text(text, "utf-8")
    code, words = verify(TUTORIAL, tmp_path, "en")
    assert code == 5 and "'lots' is no number" in words


def test_a_plan_may_be_read_back_and_certified(folder: Path) -> None:
    case, _ = solved("tutorial")
    assert certify(case, Plan.read(folder)).verdict == "proven"
