"""How sure: ranges and samples as stated, futures that are ordinary cases, plans carried through them, and what of it
can be worked out by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import toy
from scipy.stats import kstest, spearmanr, triang
from test_cli import planner

from planner.case import Case
from planner.certificate import complete
from planner.compile import compile_problem
from planner.engine import Options
from planner.errors import CaseError, InfeasibleError
from planner.executors import Backend, Kind
from planner.futures import Robustness, chance, correlations, moved_by, robustness, softened
from planner.plan import Plan, solve
from planner.problem import Problem
from planner.stress import Decided, turnout
from planner.tables import read_case
from planner.uncertainty import Figure, Ranges, draws, factor, figures, future, read_ranges

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"
HERE = Backend(Kind.here)
SHIPPED = read_ranges()
CERTAIN: Ranges = tuple((column, grade, 1.0, 1.0) for column, grade, *_ in SHIPPED)
BARE = Options(prices=False, certify=False)


@pytest.fixture(scope="module")
def case() -> Case:
    return read_case(TUTORIAL)


@pytest.fixture(scope="module")
def found(case: Case) -> Robustness:
    return robustness(case, 24, backend=HERE)


def sampled(case: Case, number: int, futures: int = 24, ranges: Ranges = SHIPPED) -> Case:
    return future(case, ranges=ranges, correlation=0.5, futures=futures, seed=1, number=number)


# ---------------------------------------------------------------- ranges


def test_shipped_ranges_are_those_of_the_design() -> None:
    stated = {"A": (0.95, 1.05), "B": (0.85, 1.15), "C": (0.6, 1.4)}
    assert {column for column, *_ in SHIPPED} >= {"measures.capex", "effects.value", "potentials.potential"}
    for column, grade, low, high in SHIPPED:
        half = 0.5 if column == "baseline.value" else 1.0
        expected = tuple(1 + half * (end - 1) for end in stated[grade])
        assert (low, high) == pytest.approx(expected), column


def test_every_fault_of_a_table_of_ranges_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "ranges.csv"
    file.write_text(
        "column,grade,low,high\nmeasures.capx,A,0.9,1.1\nprices.price,D,0.9,1.1\nprices.price,A,1.2,1.3\n"
        "prices.price,B,0.9,0.95\nprices.price,C,0.9,1.1\nprices.price,C,0.8,1.1\nprices.price,,0.8,1.1\n"
    )
    with pytest.raises(CaseError) as told:
        read_ranges(file)
    places = [(issue.row, issue.column) for issue in told.value.errors]
    assert places[:4] == [(2, "column"), (3, "grade"), (4, "low"), (5, "high")]
    file.write_text("column,grade,low,high\nprices.price,C,0.9,1.1\nprices.price,C,0.8,1.1\nprices.price,,0.8,1.1\n")
    with pytest.raises(CaseError) as told:
        read_ranges(file)
    assert [(issue.row, issue.key) for issue in told.value.errors] == [(3, "key_used_twice"), (4, "blank")]


def test_a_range_that_is_left_out_is_certain(case: Case) -> None:
    only: Ranges = (("prices.price", "C", 0.5, 1.5),)
    assert {figure.column for figure in figures(case, only)} == {"prices.price"}
    assert figures(case, ()) == [] and figures(case, CERTAIN) == []


# ---------------------------------------------------------------- samples


@pytest.mark.parametrize("low, high", [(0.6, 1.4), (0.9, 2.0), (1.0, 1.3), (0.5, 1.0)])
def test_factors_are_triangular_with_one_the_likeliest(low: float, high: float) -> None:
    ranks = (np.arange(2000) + 0.5) / 2000
    factors = factor(ranks, low, high)
    assert factors == pytest.approx(triang.ppf(ranks, (1 - low) / (high - low), low, high - low))
    assert kstest(factors, triang((1 - low) / (high - low), low, high - low).cdf).pvalue > 0.99


def figure(column: str, subject: str, sector: str) -> Figure:
    return Figure(column, subject, sector, "C", 0.0, ())


def test_every_figure_has_one_future_in_each_part_and_like_figures_of_a_sector_err_alike() -> None:
    listed = [figure("a", str(i), "one") for i in range(10)] + [figure("a", str(i), "two") for i in range(10)]
    listed += [figure("b", str(i), "one") for i in range(10)] + [figure("c", str(i), "") for i in range(10)]
    ranks = draws(listed, 2000, seed=3, correlation=0.5)
    assert np.sort(ranks, axis=0) == pytest.approx(np.tile((np.arange(2000)[:, None] + 0.5) / 2000, 40))
    between = spearmanr(ranks).statistic
    alike = 6 / np.pi * np.arcsin(0.5 / 2)  # rank correlation of a Gaussian copula with 0.5
    for first in (0, 10, 20):
        block = between[first : first + 10, first : first + 10][np.triu_indices(10, 1)]
        assert block.mean() == pytest.approx(alike, abs=0.02)
        assert np.abs(block - alike).max() < 0.07
    others = [between[:10, 10:], between[10:20, 20:], between[20:30, 30:], between[30:, 30:][np.triu_indices(10, 1)]]
    assert max(np.abs(part).max() for part in others) < 0.09
    assert not np.array_equal(ranks, draws(listed, 2000, seed=4, correlation=0.5))


def test_a_future_is_the_case_with_these_cells_scaled_by_a_scenario(case: Case) -> None:
    listed = figures(case, SHIPPED)
    ranks = draws(listed, 24, 1)
    edits: list[dict[str, Any]] = []
    for j, one in enumerate(listed):
        for cell in one.cells:
            row = case.rows(cell.table)[cell.number]
            scale = max(
                float(triang.ppf(ranks[7, j], (1 - cell.low) / (cell.high - cell.low), cell.low, cell.high - cell.low)),
                one.least,
            )
            edits.append(
                {"table": cell.table, "key": dict(zip(row.key, row.ids(), strict=True)), "scale": {cell.column: scale}}
            )
    expected, made = case.edited(edits), sampled(case, 7)
    assert len(edits) > 100
    for table in ("measures", "measure_costs", "effects", "potentials", "baseline", "prices", "conversions", "groups"):
        for one, other in zip(expected.rows(table), made.rows(table), strict=True):
            for name, value in one.values().items():
                theirs = getattr(other, name)
                assert theirs == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value)


def test_a_potential_never_falls_below_what_stands() -> None:
    standing = toy.case(existing="measure city year units\nm a 2021 9")
    (only,) = figures(standing, (("potentials.potential", "C", 0.1, 1.9),))
    least = min(
        row.potential
        for number in range(20)
        for row in sampled(standing, number, 20, (("potentials.potential", "C", 0.1, 1.9),)).potentials
    )
    assert only.range == pytest.approx((0.9, 1.9))
    assert least == pytest.approx(9.0) and least >= 9.0


def test_each_row_errs_by_its_own_grade_and_all_of_a_measure_by_one_draw() -> None:
    case = toy.case(
        quantities="quantity unit\nq t\np t",
        effects="measure quantity value grade\nm q -1 A\nm p -1 C",
        baseline="quantity city sector year value\nq a s 2020 100\np a s 2020 100",
    )
    ranges: Ranges = (("effects.value", "A", 0.9, 1.1), ("effects.value", "C", 0.5, 1.5))
    pairs = [[row.value for row in sampled(case, n, 10, ranges).effects] for n in range(10)]
    assert all(1 + second == pytest.approx(5 * (1 + first)) for first, second in pairs)


# ---------------------------------------------------------------- futures


def test_zero_width_ranges_reproduce_the_plan(case: Case) -> None:
    found = robustness(case, 3, ranges=CERTAIN, backend=HERE)
    plan = solve(case, BARE)
    assert found.futures["cost"].tolist() == pytest.approx([plan.objective] * 3, rel=1e-8)
    assert found.futures["plan_cost"].tolist() == pytest.approx([plan.objective] * 3, rel=1e-6)
    starts = plan.portfolio.groupby("measure")["starts"].sum()
    chosen = starts > 1e-6
    index = found.measures.set_index("measure")["index"]
    assert index.to_dict() == {m: float(chosen.get(m, False)) for m in index.index}
    medians = found.measures.set_index("measure")["median"]
    assert medians[starts.index].to_list() == pytest.approx(starts.to_list(), rel=1e-3)
    missed = set(plan.targets.loc[plan.targets["missed"] > 0, "target"])
    expected = [float(target not in missed) for target in found.targets["target"]]
    assert found.targets["kept"].to_list() == expected == found.targets["plan_kept"].to_list()
    assert found.summary["all_kept"] == found.summary["plan_all_kept"] == 1.0


FREE = {
    "measures": "measure capex\nm 100\nfree 0",
    "effects": "measure quantity value\nm q -1\nfree q -1",
    "potentials": "measure city potential\nm a 10\nfree a 3",
    "targets": "target kind quantity sense value first_year\ncap level q <= 93 2023",
}


def test_a_free_measure_that_only_helps_has_index_one() -> None:
    found = robustness(toy.case(**FREE), 60, backend=HERE)
    index = found.measures.set_index("measure")["index"]
    assert index["free"] == 1.0
    assert 0.0 < index["m"] < 1.0, "where the baseline is low enough, the free measure does it alone"


def test_a_target_that_no_plan_can_keep_counts_as_missed_and_is_missed_by_least() -> None:
    """Ten units cut 10 t at most: a cap of 91 t is out of reach wherever 100 f - 10 p e > 91."""
    case = toy.case(targets="target kind quantity sense value first_year\ncap level q <= 91 2023")
    found = robustness(case, 50, backend=HERE)
    reach = [
        sum(row.value for row in one.baseline) + one.potentials[0].potential * one.effects[0].value
        for one in (sampled(case, number, 50) for number in range(50))
    ]
    assert found.futures["missed"].tolist() == [int(level > 91 * (1 + 1e-6)) for level in reach]
    assert found.targets["kept"].tolist() == [np.mean(np.array(reach) <= 91)]


def parts_missed(case: Case, plan: Plan) -> float:
    """What the hard targets of a plan are missed by, each as a part of its own size, summed over all years [-]."""
    problem = Problem(case, best_effort=True)
    hard = {row.target for row in case.targets if row.soft_penalty is None}
    missed = plan.targets.set_index(["target", "year"])["missed"]
    parts = [
        part * float(missed[problem.goal_target[name], year])
        for (name, year), part in problem.miss_weight.items()
        if problem.goal_target[name] in hard
    ]
    return sum(parts)


def test_a_future_misses_no_target_that_best_effort_keeps(case: Case) -> None:
    """A miss is weighed like the best effort's, but for discounting."""
    soft = softened(case, solve(case, BARE))
    missed = 0
    for number in range(8):
        future = sampled(case, number)
        ours, theirs = solve(sampled(soft, number), BARE), solve(future, BARE, best_effort=True)
        least = parts_missed(future, theirs)
        assert least - 1e-5 <= parts_missed(future, ours) <= 1.02 * least + 1e-5
        missed += least > 1e-5
        if theirs.status == "optimal":
            assert ours.objective == pytest.approx(theirs.objective, rel=1e-7)
    assert 2 <= missed <= 7, "some futures keep all targets, some cannot"


def test_where_a_future_has_no_plan_at_all_every_hard_target_counts_as_missed() -> None:
    """A pin asks for 10 units; where there is room for less, nothing helps."""
    case = toy.case(
        targets="target kind quantity sense value first_year\ncap level q <= 99 2023",
        pins="pin measure city first_year last_year on min\np m a 2023 2023 stock 10",
    )
    found = robustness(case, 20, ranges=(("potentials.potential", "C", 0.6, 1.4),), backend=HERE)
    none = found.futures["status"] == "infeasible"
    assert none.sum() == 10
    assert (found.futures.loc[none, "missed"] == 1).all() and (found.futures.loc[~none, "missed"] == 0).all()
    assert found.targets["kept"].tolist() == [0.5]
    assert found.measures["index"].tolist() == [0.5]
    assert found.futures["plan_cost"].notna().all()


def test_a_case_without_a_plan_is_told() -> None:
    case = toy.case(targets="target kind quantity sense value first_year\ncap level q <= 80 2023")
    with pytest.raises(InfeasibleError):
        robustness(case, 5, backend=HERE)


def test_several_objectives_and_lumps_are_planned_whole() -> None:
    lumpy = toy.case(
        {"objective": ["quantity:q", "cost"]},
        measures="measure capex lump\nm 100 2",
        budgets="budget limit first_year last_year per\nb 700 2021 2023 span",
    )
    found = robustness(lumpy, 3, ranges=CERTAIN, backend=HERE)
    plan = solve(lumpy, BARE)
    assert found.futures["plan_cost"].tolist() == pytest.approx([float(plan.costs["discounted"].sum())] * 3)
    assert found.futures["cost"].tolist() == pytest.approx([float(plan.costs["discounted"].sum())] * 3)
    assert found.measures["median"].tolist() == pytest.approx([6.0])


# ---------------------------------------------------------------- the plan as it is


def test_a_plan_carried_through_a_future_is_what_an_independent_account_makes_of_its_starts(case: Case) -> None:
    """Potentials stay, so that every start fits; overlaps and payments are found anew by the independent account."""
    plan = solve(case, BARE)
    decided = Decided.of(plan)
    ranges = tuple(row for row in SHIPPED if row[0] != "potentials.potential")
    for number in range(6):
        one = sampled(case, number, ranges=ranges)
        problem = Problem(one)
        carried = turnout(problem, compile_problem(problem), decided)
        account = complete(one, plan.portfolio[["measure", "city", "year", "starts"]])
        assert carried.cost == pytest.approx(account.cost, rel=1e-6)
        hard = {row.target for row in one.targets if row.soft_penalty is None}
        broken = {fault.what.split("/")[1] for fault in account.violations if "target_is_kept" in fault.what}
        assert set(carried.missed["target"]) & hard == broken


def test_what_does_not_fit_is_not_built() -> None:
    case = toy.case(targets="target kind quantity sense value first_year\ncap level q <= 92 2022")
    plan = solve(case, BARE)
    tight = case.edited([{"table": "potentials", "key": {"measure": "m"}, "set": {"potential": 6}}])
    problem = Problem(tight)
    carried = turnout(problem, compile_problem(problem), Decided.of(plan))
    assert carried.cost == pytest.approx(plan.objective * 6 / 8)
    assert carried.missed[["year", "missed"]].to_numpy().tolist() == pytest.approx(np.array([[2022, 2], [2023, 2]]))


# ---------------------------------------------------------------- figures


def test_rank_correlation_and_its_chance() -> None:
    rng = np.random.default_rng(5)
    ranks = rng.random((400, 30))
    found = correlations(ranks, np.exp(5 * ranks[:, 3]))
    assert found[3] == pytest.approx(1.0)
    assert np.abs(np.delete(found, 3)).max() < chance(400, 30) < 0.2
    assert (correlations(ranks, np.full(400, 7.0)) == 0).all()


def test_knowing_a_figure_is_worth_the_spending_it_would_move() -> None:
    r"""All goes to one measure where the figure is low, to another where it is high.

    Of five parts two spend all on one, two on the other, one half and half: 4/5 of them differ from the mean, in which
    both have half, by half of the spending.
    """
    ranks = np.random.default_rng(2).random((2000, 4))
    low = ranks[:, 1] < np.median(ranks[:, 1])
    found = moved_by(ranks, np.stack([10.0 * low, 10.0 * ~low], axis=1))
    assert found[1] == pytest.approx(0.8 * 0.5, abs=0.02)
    assert np.delete(found, 1).max() < 0.01
    assert (moved_by(ranks[:15], np.ones((15, 2))) == 0).all(), "too few futures to tell"


def test_the_figure_that_decides_the_cost_comes_first() -> None:
    case = toy.case(
        targets="target kind quantity sense value first_year\ncap level q <= 95 2021",
        measures="measure capex grade\nm 100 C",
        effects="measure quantity value grade\nm q -1 A",
    )
    found = robustness(case, 60, ranges=tuple(row for row in SHIPPED if row[0] != "baseline.value"), backend=HERE)
    first = found.figures.iloc[0]
    assert (first["column"], first["subject"]) == ("measures.capex", "m")
    assert first["cost"] > 0.95 and first["plan_cost"] > 0.95


# ---------------------------------------------------------------- the same everywhere


def test_threads_find_the_same_and_a_journal_is_gone_on_with(case: Case, tmp_path: Path, found: Robustness) -> None:
    other = robustness(case, 24, backend=Backend(Kind.threads, 2), folder=tmp_path)
    files = list(tmp_path.iterdir())
    assert len(files) == 24
    for file in files[:15]:
        file.unlink()
    again = robustness(case, 24, backend=HERE, folder=tmp_path)
    for name, frame in found.frames().items():
        pd.testing.assert_frame_equal(frame, other.frames()[name])
        pd.testing.assert_frame_equal(frame, again.frames()[name])
    assert found.summary == other.summary == again.summary


def test_shares_grow_with_the_years_to_the_index(found: Robustness) -> None:
    wide = found.begun.pivot(index="measure", columns="year", values="index")
    assert (wide.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert wide.iloc[:, -1].to_dict() == found.measures.set_index("measure")["index"].to_dict()


# ---------------------------------------------------------------- the command


def test_the_command_tells_it_in_both_languages_and_writes_it(tmp_path: Path) -> None:
    resume, out = tmp_path / "resume", tmp_path / "out"
    arguments = ("robustness", TUTORIAL, "--futures", 12, "--resume", resume, "--executor", "here")
    english = planner(*arguments, "--lang", "en", "--out", out)
    chinese = planner(*arguments, "--lang", "zh")
    assert (english.exit_code, chinese.exit_code) == (0, 0), english.output
    for word in ("No-regret measures", "C 0.6–1.4", "correlation 0.5", "All hard targets hold in", "effects of"):
        assert word in english.stdout
    for word in ("无悔措施", "硬约束", "不确定性影响最大的数据", "：效果"):
        assert word in chinese.stdout
    names = {f"robustness_{name}.csv" for name in ("futures", "measures", "begun", "targets", "figures", "ranges")}
    assert {file.name for file in out.iterdir()} == names | {"robustness.json"}
    assert len(pd.read_csv(out / "robustness_futures.csv")) == 12


def test_what_is_wrong_with_the_call_is_told(tmp_path: Path) -> None:
    file = tmp_path / "ranges.csv"
    file.write_text("column,grade,low,high\nprices.prize,C,0.9,1.1\n")
    bad = planner("robustness", TUTORIAL, "--ranges", file, "--lang", "en")
    assert bad.exit_code == 2 and "ranges.csv, row 2, column" in bad.output
    assert planner("robustness", TUTORIAL, "--ranges", tmp_path / "none.csv").exit_code == 2
    assert planner("robustness", TUTORIAL, "--executor", "dask").exit_code == 2
    assert planner("robustness", TUTORIAL, "--set", "targets.co2_budget.value=10", "--lang", "en").exit_code == 3
