"""Fair shares by hand and by their laws: equal parts, capped burdens, and how far both kinds of emissions fall."""

from pathlib import Path

import numpy as np
import pytest
import toy
from test_cli import planner

from planner.case import Case
from planner.errors import CaseError, InfeasibleError
from planner.fairness import capped_burden, equal_cuts, synergy
from planner.plan import solve
from planner.tables import read_case

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"
# Two cities emit 100 t each. In a a tonne costs 10 a year (100 of capital), in b 20 (a unit cuts half as much). Eight
# tonnes must go in 2023.
TWO = {
    "cities": "city population gdp\na 10 1\nb 10 3",
    "measures": "measure capex\nm 100",
    "effects": "measure quantity city value\nm q a -1\nm q b -0.5",
    "potentials": "measure city potential\nm a 10\nm b 10",
    "baseline": "quantity city sector year value\nq a s 2020 100\nq b s 2020 100",
    "targets": "target kind quantity sense value first_year\ncap level q <= 192 2023",
}


def sized(case: Case) -> Case:
    """The tutorial with people and GDP in its cities."""
    rows = [(row.city, 1e6 * (i + 1), 100.0 * (3 - i)) for i, row in enumerate(case.cities)]
    return case.edited(
        [{"table": "cities", "key": {"city": c}, "set": {"population": p, "gdp": g}} for c, p, g in rows]
    )


def test_equal_parts_by_hand() -> None:
    # Least cost: eight in a for 80. Alike: four in each, 40 + 80.
    found = equal_cuts(toy.case(**TWO), "q", 2023)
    assert found.asked == pytest.approx(0.04)
    assert (found.before.objective, found.extra) == (pytest.approx(80.0), pytest.approx(40.0, abs=1e-4))
    assert found.cities["cut_before"].tolist() == pytest.approx([0.08, 0.0])
    assert found.cities["cut_after"].tolist() == pytest.approx([0.04, 0.04])
    assert found.cities["capex_after"].tolist() == pytest.approx([400.0, 800.0])
    assert found.cities["burden_after"].tolist() == pytest.approx([400.0, 800.0 / 3])


def test_where_one_city_cannot_follow_the_largest_equal_part_is_told() -> None:
    # b can cut 5 t at most: not the 7.5 that half of 15 would be.
    found = equal_cuts(toy.case(**{**TWO, "targets": TWO["targets"].replace("192", "188")}), "q", 2023)
    assert found.asked == pytest.approx(0.06)
    assert (found.status, found.after, found.extra) == ("infeasible", None, None)
    assert found.furthest is None or found.furthest <= 0.05 + 1e-6


def test_a_cap_on_burden_by_hand() -> None:
    # 800 of capital for 20 heads: 40 each, all in a (80). At most 1.25 times 40 in a: 500 for five tonnes, three of b.
    found = capped_burden(toy.case(**TWO), 1.25, "q", 2023, per="head")
    assert found.cities["burden_before"].tolist() == pytest.approx([80.0, 0.0])
    assert found.extra is None  # three tonnes of b are 600, more than 500
    # a: 50 f tonnes at 400 f, b: 400 f / 200; both make 8: 4 f + 2 f = 8
    assert found.furthest == pytest.approx(4 / 3, rel=1e-5)
    free = capped_burden(toy.case(**TWO), 4 / 3 + 1e-6, "q", 2023, per="head")
    assert free.extra == pytest.approx(8 / 3 * 10, rel=1e-3)
    assert capped_burden(toy.case(**TWO), 2.0, "q", 2023, per="head").extra == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize(("quantity", "year"), [("co2", 2030), ("nox", 2025)])
def test_fairness_is_never_cheaper_and_is_kept(quantity: str, year: int) -> None:
    case = sized(read_case(TUTORIAL))
    found = equal_cuts(case, quantity, year)
    assert found.before.objective == pytest.approx(solve(case).objective, rel=1e-7)
    if found.after is not None:
        assert found.extra is not None and found.extra >= -1e-6 * abs(found.before.objective)
        assert (found.cities["cut_after"].dropna() >= found.asked - 1e-6).all()
    else:
        assert found.furthest is not None and found.furthest < found.asked
    costs = [capped_burden(case, most, quantity, year).extra for most in (3.0, 1.5, 1.2)]
    known = [cost for cost in costs if cost is not None]
    assert (np.diff(known) >= -1.0).all() and len(known) >= 2


def test_what_can_be_kept_ends_where_it_is_told() -> None:
    case = sized(read_case(TUTORIAL))
    tight = capped_burden(case, 0.3, "co2", 2030)
    assert tight.status == "infeasible" and tight.furthest is not None
    assert capped_burden(case, tight.furthest * (1 + 1e-4), "co2", 2030).after is not None
    assert capped_burden(case, tight.furthest * (1 - 1e-3), "co2", 2030).after is None


def test_the_degree_of_synergy_by_hand() -> None:
    # Carbon falls by 16 %, NOx by 1 %: D = (0.16 * 0.01) ** 0.25 = 0.2; C = 2 * 0.04 / 0.17.
    tables = {
        "quantities": "quantity unit\nco2 t\nnox t",
        "baseline": "quantity city sector year value\nco2 a s 2020 100\nnox a s 2020 100",
        "effects": "measure quantity value\nm co2 -1.6\nm nox -0.1",
        "targets": "target kind quantity sense value first_year\ncap level co2 <= 84 2021",
    }
    (row,) = synergy(toy.solve(**tables), "co2", "city").itertuples()
    assert (row.carbon, row.pollution) == pytest.approx((0.16, 0.01))
    assert (row.coupling, row.synergy) == pytest.approx((0.08 / 0.17, 0.2))


def test_what_cannot_be_asked_is_refused() -> None:
    case = toy.case(**TWO)
    for ask in (
        lambda: equal_cuts(case, "none", 2023),
        lambda: equal_cuts(case, "q", 1999),
        lambda: capped_burden(case, 0.0, "q", 2023),
        lambda: capped_burden(read_case(TUTORIAL), 1.5, "co2", 2030),
    ):
        with pytest.raises(CaseError):
            ask()
    with pytest.raises(InfeasibleError):
        equal_cuts(toy.case(**{**TWO, "targets": TWO["targets"].replace("192", "92")}), "q", 2023)


def test_the_command_says_it_in_both_languages(tmp_path: Path) -> None:
    people = [f"cities.{row.city}.population=1000000" for row in read_case(TUTORIAL).cities]
    sets = [part for cell in people for part in ("--set", cell)]
    english = planner("fair", TUTORIAL, "--lang", "en", "--out", tmp_path / "fair.csv")
    chinese = planner("fair", TUTORIAL, *sets, "--cap", "2", "--per", "head", "--lang", "zh")
    assert (english.exit_code, chinese.exit_code) == (0, 0), english.output + chinese.output
    assert "Every city cuts CO2 by" in english.stdout and "more than the split that costs least" in english.stdout
    assert "不超过平均水平的2倍" in chinese.stdout
    assert (tmp_path / "fair.csv").read_text().startswith("city,cut_before,cut_after,capex_before")
    refused = planner("fair", TUTORIAL, "--cap", "2", "--lang", "en")
    assert refused.exit_code == 2 and "cities.csv, gdp" in refused.output
