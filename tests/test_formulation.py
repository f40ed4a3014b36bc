"""Every kind of row against optima worked out by hand: see `toy.py` for the case they start from."""

from typing import Any

import pytest
import toy
from toy import YEAR

from planner.compile import compile_problem

CUT_IN_2023 = "target kind quantity sense value first_year\ncap level q <= {} 2023"
FIVE_IN_2023 = CUT_IN_2023.format(95)
TWO_CITIES = "city\na\nb"
TWO_SECTORS = "sector\ns\nt"
TWO_QUANTITIES = "quantity unit\nq t\nr t"
FUNDS = "fund\ncentral\nown"
LEAST_Q = {"objective": "quantity:q", "tolerance": 0}


def near(value: float, rel: float = 1e-6) -> Any:
    """Equal but for what the solver's tolerances and the tie-break's slack leave open."""
    return pytest.approx(value, rel=rel, abs=1e-9)


def amount(value: float) -> Any:
    """Equal amounts: starts and stock may use the slack of 1e-7 that the tie-break has on the cost."""
    return pytest.approx(value, rel=1e-5, abs=1e-5)


# Timing and stock ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lead_time", [0, 1, 3])
def test_units_serve_from_the_end_of_lead_time_to_the_end_of_life(lead_time: int) -> None:
    plan = toy.solve(
        {"last_year": 2027},
        measures=f"measure lifetime lead_time\nm 2 {lead_time}",
        pins="pin measure first_year last_year min max\nforced m 2022 2022 4 4",
    )
    serving = [2022 + lead_time, 2023 + lead_time]
    assert [toy.stock(plan, "m", y) for y in range(2021, 2028)] == [4.0 * (y in serving) for y in range(2021, 2028)]
    assert [toy.level(plan, "q", y) for y in serving] == [near(96.0)] * 2
    # two years in service at 100 / 2 a year
    assert plan.objective == near(4 * 2 * 100 / 2)


def test_a_start_must_serve_within_the_horizon() -> None:
    late = {"measures": "measure lead_time\nm 2"}
    plan = toy.solve(targets=FIVE_IN_2023, **late)
    assert toy.starts(plan, "m", 2021) == amount(5)
    assert plan.portfolio["year"].tolist() == [2021, 2022, 2023]  # no starts in 2022 and 2023, stock in 2023 only
    assert toy.stock(plan, "m", 2022) == 0
    assert plan.objective == near(5 * YEAR)
    with_earlier = "target kind quantity sense value first_year\ncap level q <= 99 2022"
    assert toy.solve(targets=with_earlier, **late).status == "infeasible"


def test_money_cannot_be_spent_on_what_would_serve_too_late() -> None:
    spent = "target kind quantity sense value first_year\nspent level capex >= 10 2023"
    assert toy.solve(targets=spent, measures="measure lead_time\nm 1").status == "infeasible"
    assert toy.solve(targets=spent).objective == near(0.1 * YEAR)


def test_a_vintage_that_retires_is_bought_again() -> None:
    plan = toy.solve(
        measures="measure lifetime\nm 1",
        targets="target kind quantity sense value\ncap level q <= 95",
    )
    assert [toy.starts(plan, "m", y) for y in (2021, 2022, 2023)] == [amount(5)] * 3
    assert plan.objective == near(3 * 5 * 100)


def test_a_measure_starts_no_earlier_than_its_first_year() -> None:
    measures = "measure first_year\nm 2022"
    plan = toy.solve(LEAST_Q, measures=measures)
    assert plan.objective == near(100 + 90 + 90)
    assert toy.starts(plan, "m", 2022) == amount(10)
    assert toy.solve(measures=measures, targets="target kind quantity sense value\ncap level q <= 95").status == (
        "infeasible"
    )


@pytest.mark.parametrize(("base_year", "rate"), [(2020, 0.0), (2020, 0.05), (2018, 0.05)])
def test_annuities_are_discounted_to_the_base_year(base_year: int, rate: float) -> None:
    plan = toy.solve(
        {"base_year": base_year, "discount_rate": rate},
        targets="target kind quantity sense value\ncap level q <= 95",
        baseline=f"quantity city year value\nq a {base_year} 100",
    )
    yearly = 100 * (rate / (1 - (1 + rate) ** -10) if rate else 1 / 10)
    expected = sum(5 * yearly * (1 + rate) ** -(y - base_year) for y in (2021, 2022, 2023))
    assert plan.objective == near(expected)


def test_capital_cost_is_that_of_the_start_year_and_running_cost_that_of_the_calendar_year() -> None:
    one_a_year = "pin measure on min max\nforced m starts 1 1"
    capex = toy.solve(measure_costs="measure year capex\nm 2021 100\nm 2023 60", pins=one_a_year)
    # prices 100, 80, 60 of the starts of 2021, 2022, 2023, which serve 3, 2 and 1 years
    assert capex.objective == near((3 * 100 + 2 * 80 + 1 * 60) / 10)
    running = toy.solve(
        measures="measure capex\nm 0",
        measure_costs="measure year fixed_om\nm 2021 1\nm 2023 3",
        pins=one_a_year,
    )
    # stock 1, 2, 3 at 1, 2, 3 a year
    assert running.objective == near(1 * 1 + 2 * 2 + 3 * 3)


def test_a_single_learning_row_is_a_constant_and_a_blank_cell_leaves_the_measure_alone() -> None:
    plan = toy.solve(
        measures="measure capex fixed_om\nm 100 2",
        measure_costs="measure year capex\nm 2030 50",
        targets=FIVE_IN_2023,
    )
    assert plan.objective == near(5 * (50 / 10 + 2))


def test_running_cost_is_paid_by_all_stock_in_service() -> None:
    plan = toy.solve(
        measures="measure capex fixed_om lead_time\nm 0 7 1",
        pins="pin measure first_year last_year min max\nforced m 2021 2021 2 2",
    )
    # starts of 2021 serve in 2022 and 2023
    assert plan.objective == near(2 * 2 * 7)


# Limits --------------------------------------------------------------------------------------------------------------


def test_stock_stays_within_the_potential_of_every_year() -> None:
    plan = toy.solve(LEAST_Q, potentials="measure city potential year\nm a 10 2022\nm a 4 2023")
    # no early scrapping: what starts in 2021 still stands in 2023
    assert plan.objective == near(300 - 3 * 4)
    assert toy.stock(plan, "m", 2022) == amount(4)


def test_the_ramp_limits_starts_to_a_share_of_the_last_potential() -> None:
    plan = toy.solve(
        LEAST_Q,
        measures="measure ramp\nm 0.2",
        potentials="measure city potential year\nm a 10 2021\nm a 20 2023",
    )
    # 0.2 * 20 a year, also from zero stock
    assert [toy.stock(plan, "m", y) for y in (2021, 2022, 2023)] == [amount(4), amount(8), amount(12)]
    assert plan.objective == near(300 - 4 - 8 - 12)


def test_a_potential_of_zero_allows_nothing() -> None:
    plan = toy.solve(LEAST_Q, cities=TWO_CITIES, potentials="measure city potential\nm a 10\nm b 0")
    assert plan.objective == near(3 * 90)
    assert set(plan.portfolio["city"]) == {"a"}


def test_lumps_start_in_whole_numbers() -> None:
    plan = toy.solve(
        measures="measure lump\nm 3",
        targets="target kind quantity sense value\ncap level q <= 96",
    )
    assert toy.starts(plan, "m", 2021) == amount(6)
    assert plan.objective == near(6 * 3 * YEAR)


@pytest.mark.parametrize(
    ("ramp", "lump", "potential", "most"),
    [
        (0.65, 3, 10, 6),  # 6.5 rounds down to two lumps
        (0.29, 3, 10, 3),  # one lump, although the ramp allows 2.9
        (1.0, 0.1, 0.3, 0.3),  # 0.3 / 0.1 is a little below 3 and counts as 3
        (1.0, 0.1, 0.3 * (1 - 1e-8), 0.2),  # but not this far below
        (0.9999999999, 2, 8, 8),  # 3.9999999996 lumps are within 1e-9 of 4
        (0.999999999, 2, 8, 6),  # 3.999999996 are not
    ],
)
def test_the_yearly_limit_of_a_lumpy_measure_is_rounded_down_to_whole_lumps(
    ramp: float, lump: float, potential: float, most: float
) -> None:
    problem = toy.problem(
        measures=f"measure ramp lump\nm {ramp!r} {lump}", potentials=f"measure city potential\nm a {potential!r}"
    )
    assert problem.start_limit["m", "a", 2021] == near(most)
    assert problem.most_lumps["m", "a", 2021] == round(most / lump)


def test_a_lumpy_measure_is_limited_by_lump_ramp_and_potential() -> None:
    plan = toy.solve(LEAST_Q, measures="measure ramp lump\nm 0.65 3")
    # two lumps in 2021, then only one more fits below 10
    assert [toy.stock(plan, "m", y) for y in (2021, 2022, 2023)] == [amount(6), amount(9), amount(9)]
    assert plan.objective == near(300 - 6 - 9 - 9)


# Groups --------------------------------------------------------------------------------------------------------------

TWO_MEASURES = {
    "measures": "measure capex\nm 100\nn 300",
    "effects": "measure quantity value\nm q -1\nn q -2",
    "potentials": "measure city potential\nm a 10\nn a 10",
}
"""A tonne by `m` costs 10 a year, by `n` 15; a unit of `n` costs 30."""


def test_members_of_a_shared_group_fit_on_its_cap() -> None:
    plan = toy.solve(
        groups="group kind measure cap\nbase shared m 6\nbase shared n 6",
        targets=CUT_IN_2023.format(91),
        **TWO_MEASURES,
    )
    # m + n <= 6 and m + 2 n >= 9: three of each
    assert (toy.stock(plan, "m", 2023), toy.stock(plan, "n", 2023)) == (amount(3), amount(3))
    assert plan.objective == near(3 * 10 + 3 * 30)


def test_weights_say_how_much_of_the_cap_a_unit_takes() -> None:
    plan = toy.solve(
        groups="group kind measure cap weight\nbase shared m 6 -\nbase shared n 6 0.5",
        targets=CUT_IN_2023.format(91),
        **TWO_MEASURES,
    )
    # m + n / 2 <= 6 and m + 2 n >= 9: m = 5, n = 2
    assert plan.objective == near(5 * 10 + 2 * 30)


def test_without_a_cap_members_share_one_base_by_their_potentials() -> None:
    tables = {**TWO_MEASURES, "potentials": "measure city potential\nm a 8\nn a 10"}
    plan = toy.solve(
        groups="group kind measure\nbase shared m\nbase shared n", targets=CUT_IN_2023.format(88), **tables
    )
    # m / 8 + n / 10 <= 1 and m + 2 n >= 12: n = 10/3, m = 16/3
    assert plan.objective == near(16 / 3 * 10 + 10 / 3 * 30)


def test_a_group_on_starts_compares_starts_of_the_same_year() -> None:
    plan = toy.solve(groups="group kind measure cap on\nbase shared m 2 starts", targets=FIVE_IN_2023)
    # two in 2023, two in 2022, one in 2021: years in service 2 * 1 + 2 * 2 + 1 * 3
    assert plan.objective == near((2 * 1 + 2 * 2 + 1 * 3) * YEAR)


def test_a_group_of_scope_province_sums_over_cities() -> None:
    tables = {
        **TWO_MEASURES,
        "cities": TWO_CITIES,
        "potentials": "measure city potential\nm a 10\nm b 10\nn a 10\nn b 10",
        "targets": CUT_IN_2023.format(90),
    }
    per_city = "group kind measure cap scope\nbase shared m 6 {0}\nbase shared n 6 {0}"
    assert toy.solve(groups=per_city.format("city"), **tables).objective == near(10 * YEAR)
    # m + n <= 6 and m + 2 n >= 10: m = 2, n = 4
    assert toy.solve(groups=per_city.format("province"), **tables).objective == near(2 * 10 + 4 * 30)


def test_a_group_with_a_city_holds_there_only() -> None:
    plan = toy.solve(
        cities=TWO_CITIES,
        measures=TWO_MEASURES["measures"],
        effects=TWO_MEASURES["effects"],
        potentials="measure city potential\nm a 10\nm b 6\nn a 10",
        groups="group kind measure cap city\nbase shared m 2 a",
        targets=CUT_IN_2023.format(90),
    )
    # 2 in a, all 6 of b, and one unit of n for the last two tonnes
    assert (toy.stock(plan, "m", 2023, "a"), toy.stock(plan, "m", 2023, "b")) == (amount(2), amount(6))
    assert plan.objective == near(8 * 10 + 1 * 30)


def test_dated_caps_make_a_path() -> None:
    plan = toy.solve(LEAST_Q, groups="group kind measure cap year\nbase shared m 2 2021\nbase shared m 6 2023")
    # 2, 4 (between) and 6
    assert plan.objective == near(300 - 2 - 4 - 6)


def test_dated_weights_make_a_path() -> None:
    plan = toy.solve(
        {**LEAST_Q, "last_year": 2022},
        measures="measure lifetime\nm 1",
        groups="group kind measure cap weight year\nbase shared m 6 1 2021\nbase shared m 6 3 2022",
    )
    assert plan.objective == near(200 - 6 / 1 - 6 / 3)


def test_a_member_without_potential_in_a_city_drops_out_there() -> None:
    plan = toy.solve(
        LEAST_Q,
        cities=TWO_CITIES,
        measures=TWO_MEASURES["measures"],
        effects=TWO_MEASURES["effects"],
        potentials="measure city potential\nm a 10\nm b 10\nn b 10",
        groups="group kind measure\nbase shared m\nbase shared n",
    )
    # a: ten of m; b: ten of n, which cuts more than m
    assert plan.objective == near(3 * (100 - 10 - 20))


def test_dependents_need_what_providers_serve_beyond_what_is_free() -> None:
    tables = {
        "measures": "measure capex\nm 100\np 50",
        "potentials": "measure city potential\nm a 10\np a 10",
        "targets": CUT_IN_2023.format(93),
    }
    plan = toy.solve(
        groups="group kind measure role ratio free\nlink requires m dependent - 1\nlink requires p provider 2 1",
        **tables,
    )
    # 7 <= 1 + 2 p: p = 3
    assert toy.stock(plan, "p", 2023) == amount(3)
    assert plan.objective == near(7 * 10 + 3 * 5)
    plan = toy.solve(
        groups="""group kind measure role weight ratio free
                  link requires m dependent 2 - 1
                  link requires p provider - 2 1""",
        **tables,
    )
    # 2 * 7 <= 1 + 2 p: p = 6.5
    assert plan.objective == near(7 * 10 + 6.5 * 5)
    plan = toy.solve(groups="group kind measure role\nlink requires m dependent\nlink requires p provider", **tables)
    # ratio 1, nothing free
    assert plan.objective == near(7 * 10 + 7 * 5)


def test_dependents_without_a_provider_have_only_what_is_free() -> None:
    groups = "group kind measure role free scope\nlink requires m dependent 1 {0}\nlink requires p provider 1 {0}"
    tables = {
        "cities": TWO_CITIES,
        "measures": "measure capex\nm 100\np 50",
        "potentials": "measure city potential\nm a 10\np b 10",
    }
    plan = toy.solve(LEAST_Q, groups=groups.format("city"), **tables)
    assert plan.objective == near(3 * 99)
    plan = toy.solve(LEAST_Q, groups=groups.format("province"), **tables)
    assert plan.objective == near(3 * 90)  # the provider in b serves a


def test_requires_on_starts_does_not_count_history() -> None:
    tables = {
        "measures": "measure capex\nm 100\np 50",
        "potentials": "measure city potential\nm a 10\np a 20",
        "existing": "measure city year units\np a 2019 10",
        "targets": FIVE_IN_2023,
    }
    groups = "group kind measure role on\nlink requires m dependent {0}\nlink requires p provider {0}"
    assert toy.solve(groups=groups.format("stock"), **tables).objective == near(5 * 10)
    assert toy.solve(groups=groups.format("starts"), **tables).objective == near(5 * 10 + 5 * 5)


SOURCE = {
    "measures": "measure capex\nx 4000\ny 1500",
    "effects": "measure quantity value\nx q -80\ny q -50",
    "potentials": "measure city potential\nx a 1\ny a 1",
    "groups": "group kind measure quantity loss\nboth overlap x q 40\nboth overlap y q 40",
}
"""A source of 100: x cuts 80 for 400 a year, y 50 for 150, both 90: 40 are lost where both stand."""


def test_overlap_makes_a_cut_of_85_cost_475() -> None:
    cut = "target kind quantity value first_year\ncut abated q 85 2023"
    plan = toy.solve(targets=cut, **SOURCE)
    # x = 1, y = 1/2, overlap 1/2: 80 + 25 - 20
    assert plan.objective == near(400 + 150 / 2)
    assert plan.overlaps["overlap"].tolist() == [amount(0.5)]
    naive = toy.solve(targets=cut, **{**SOURCE, "groups": ""})
    assert naive.objective == near(150 + 400 * 35 / 80)
    assert toy.solve(targets=cut.replace("85", "91"), **SOURCE).status == "infeasible"


def test_no_plan_invents_overlap_to_raise_a_peak() -> None:
    plan = toy.solve(
        {"last_year": 2022},
        targets="target kind quantity by decline\ntop peak q 2021 0.1",
        **SOURCE,
    )
    # X[2022] <= 0.9 * 100: a fifth of y; invented losses in 2021 would give it for nothing
    assert plan.objective == near(150 * 10 / 50)
    assert plan.overlaps.empty


def test_overlap_stays_within_the_smaller_member() -> None:
    plan = toy.solve(
        {"last_year": 2022, "objective": "-quantity:q"},
        pins="pin measure min max on\nx x 0.5 0.5 stock\ny y 0.25 0.25 stock",
        **SOURCE,
    )
    # most is lost where y lies within x: 100 - 40 - 12.5 + 40 * 0.25
    assert plan.objective == near(2 * (100 - 40 - 12.5 + 10))


def test_overlap_is_booked_in_the_first_member_s_sector_and_carried_by_conversions() -> None:
    plan = toy.solve(
        sectors=TWO_SECTORS,
        quantities=TWO_QUANTITIES,
        measures="measure capex sector\nx 4000 s\ny 1500 t",
        effects=SOURCE["effects"],
        potentials=SOURCE["potentials"],
        groups=SOURCE["groups"],
        conversions="from_quantity to_quantity factor\nq r 2",
        baseline="quantity city sector year value\nq a s 2020 100\nq a t 2020 100\nr a s 2020 0",
        pins="pin measure min on first_year\nx x 1 stock 2023\ny y 1 stock 2023",
    )
    assert toy.level(plan, "q", 2023, sector="s") == near(100 - 80 + 40)
    assert toy.level(plan, "q", 2023, sector="t") == near(100 - 50)
    assert toy.level(plan, "r", 2023, sector="s") == near(2 * -40)


def test_losses_make_a_path_and_a_group_may_hold_in_one_city() -> None:
    tables = {
        "cities": TWO_CITIES,
        "measures": SOURCE["measures"],
        "effects": SOURCE["effects"],
        "potentials": "measure city potential\nx a 1\ny a 1\nx b 1\ny b 1",
        "groups": """group kind measure quantity loss city year
                     both overlap x q 20 a 2021
                     both overlap y q 20 a 2021
                     both overlap x q 40 a 2023
                     both overlap y q 40 a 2023""",
    }
    plan = toy.solve(LEAST_Q, **tables)
    # all stands everywhere; in a 20, 30, 40 are lost
    assert plan.objective == near(3 * (100 - 2 * 130) + 20 + 30 + 40)


def test_there_is_no_overlap_where_a_potential_is_zero() -> None:
    plan = toy.solve(
        LEAST_Q,
        **{**SOURCE, "potentials": "measure city potential year\nx a 1 -\ny a 0 2021\ny a 1 2022"},
    )
    assert plan.overlaps["year"].tolist() == [2022, 2023]
    assert plan.objective == near(20 + 10 + 10)


# Quantities and conversions ------------------------------------------------------------------------------------------


def test_a_local_conversion_carries_a_change_within_its_city() -> None:
    plan = toy.solve(
        cities=TWO_CITIES,
        quantities=TWO_QUANTITIES,
        potentials="measure city potential\nm a 10\nm b 10",
        conversions="from_quantity to_quantity factor\nq r 2",
        baseline="quantity city year value\nq a 2020 100\nr a 2020 30\nr b 2020 30",
        targets="target kind quantity sense value scope first_year\ncap level r <= 24 b 2023",
    )
    # the baseline of q carries nothing: only the cut of 3 in b does
    assert toy.stock(plan, "m", 2023, "b") == amount(3)
    assert plan.objective == near(3 * YEAR)


def test_a_pooled_conversion_spreads_the_sum_of_all_cities_by_its_key() -> None:
    plan = toy.solve(
        cities=TWO_CITIES,
        quantities=TWO_QUANTITIES,
        conversions="from_quantity to_quantity factor allocation\nq r 2 plants",
        allocations="allocation city share\nplants a 0.25\nplants b 0.75",
        baseline="quantity city year value\nq a 2020 100\nr b 2020 30",
        targets="target kind quantity sense value scope first_year\ncap level r <= 24 b 2023",
    )
    # b gets 0.75 * 2 of what a cuts: 6 / 1.5
    assert plan.objective == near(4 * YEAR)
    assert toy.level(plan, "r", 2023, city="a") == near(-0.25 * 2 * 4)


def test_a_conversion_may_move_the_change_to_another_sector() -> None:
    tables = {
        "sectors": TWO_SECTORS,
        "quantities": TWO_QUANTITIES,
        "baseline": "quantity city sector year value\nq a s 2020 100\nr a t 2020 30\nr a s 2020 30",
        "targets": "target kind quantity sense value sectors first_year\ncap level r <= 24 t 2023",
    }
    plan = toy.solve(conversions="from_quantity to_quantity factor to_sector\nq r 2 t", **tables)
    assert plan.objective == near(3 * YEAR)
    assert toy.level(plan, "r", 2023, sector="s") == near(30)
    assert toy.solve(conversions="from_quantity to_quantity factor\nq r 2", **tables).status == "infeasible"


def test_conversions_chain_and_add_up() -> None:
    plan = toy.solve(
        cities=TWO_CITIES,
        quantities="quantity unit\nq t\nr t\nw t",
        effects="measure quantity value\nm q -1\nm w -0.5",
        conversions="""from_quantity to_quantity factor allocation
                       q r 2 plants
                       r w 3 -
                       q w 4 -""",
        allocations="allocation city share\nplants a 0.25\nplants b 0.75",
        baseline="quantity city year value\nq a 2020 100\nr a 2020 10\nw a 2020 200\nw b 2020 200",
        targets="target kind quantity sense value first_year\ncap level w <= 379 2023",
    )
    # a unit cuts w by 0.5 itself, by 4 through q, and by 2 * 3 through r: 10.5
    assert plan.objective == near(21 / 10.5 * YEAR)
    assert toy.level(plan, "w", 2023, city="a") == near(200 - 2 * (0.5 + 4 + 0.25 * 6))
    assert toy.level(plan, "w", 2023, city="b") == near(200 - 2 * 0.75 * 6)


def test_a_dated_factor_makes_a_path() -> None:
    plan = toy.solve(
        quantities=TWO_QUANTITIES,
        conversions="from_quantity to_quantity factor year\nq r 1 2021\nq r 3 2023",
        baseline="quantity city year value\nq a 2020 100\nr a 2020 30",
        targets="target kind quantity sense value first_year last_year\ncap level r <= 24 2022 2022",
    )
    # the factor of 2022 is 2; what starts in 2022 stays in 2023
    assert plan.objective == near(3 * 2 * YEAR)


def test_different_routes_between_two_quantities_add() -> None:
    plan = toy.solve(
        cities=TWO_CITIES,
        quantities=TWO_QUANTITIES,
        conversions="from_quantity to_quantity factor allocation\nq r 2 -\nq r 4 plants",
        allocations="allocation city share\nplants a 0.25\nplants b 0.75",
        baseline="quantity city year value\nq a 2020 100\nr a 2020 30",
        pins="pin measure min max\nforced m 1 1",
    )
    assert toy.level(plan, "r", 2021, city="a") == near(30 - 2 - 4 * 0.25)
    assert toy.level(plan, "r", 2021, city="b") == near(-4 * 0.75)


def test_rows_of_a_city_replace_the_general_rows_entirely() -> None:
    effects = """measure quantity value city year
                 m q -1 - 2021
                 m q -3 - 2023
                 m q -2 a -"""
    plan = toy.solve(effects=effects, targets=CUT_IN_2023.format(94))
    assert plan.objective == near(6 / 2 * YEAR)  # neither -3 nor -5
    elsewhere = toy.solve(
        cities=TWO_CITIES, effects=effects, potentials="measure city potential\nm b 10", targets=CUT_IN_2023.format(94)
    )
    assert elsewhere.objective == near(6 / 3 * YEAR)


def test_values_are_linear_between_their_years_and_constant_outside() -> None:
    plan = toy.solve(
        {"last_year": 2025},
        baseline="quantity city year value\nq a 2020 100\nq a 2022 120\nq a 2024 100",
        effects="measure quantity value year\nm q -1 2022\nm q -3 2024",
        pins="pin measure first_year last_year min max\nforced m 2021 2021 1 1\nno m 2022 2025 - 0",
    )
    expected = {2021: 110 - 1, 2022: 120 - 1, 2023: 110 - 2, 2024: 100 - 3, 2025: 100 - 3}
    assert {y: toy.level(plan, "q", y) for y in expected} == {y: near(value) for y, value in expected.items()}


def test_an_effect_in_another_unit_is_converted() -> None:
    plan = toy.solve(
        effects="measure quantity value unit\nm q -2000 kg",
        baseline="quantity city year value unit\nq a 2020 0.1 kt",
        targets=CUT_IN_2023.format(94),
    )
    assert toy.level(plan, "q", 2021) == near(100)
    assert plan.objective == near(3 * YEAR)


@pytest.mark.parametrize(("scope", "least"), [("province", 96), ("city", 98)])
def test_a_floor_holds_for_the_province_or_in_every_city(scope: str, least: float) -> None:
    plan = toy.solve(
        LEAST_Q,
        cities=TWO_CITIES,
        quantities=f"quantity unit floor floor_scope\nq t {48 if scope == 'city' else 96} {scope}",
        baseline="quantity city year value\nq a 2020 50\nq b 2020 50",
    )
    # only a has the measure: 50 + 50 down to 96, or a alone down to 48
    assert plan.objective == near(3 * least)


# Money ---------------------------------------------------------------------------------------------------------------


def test_prices_value_the_change_against_the_baseline() -> None:
    plan = toy.solve(prices="quantity component price\nq market 12")
    # every unit saves 12 and costs 10, in each of three years
    assert plan.objective == near(3 * 10 * (10 - 12))
    assert toy.solve(prices="quantity component price\nq market 9").objective == 0


@pytest.mark.parametrize(
    ("perspective", "counted"),
    [("market", 1), ("private", 1 + 2 + 4), ("social", 1 + 8), (["carbon", "damage"], 4 + 8), (None, 1)],
)
def test_the_perspective_says_which_components_of_a_price_count(perspective: Any, counted: float) -> None:
    plan = toy.solve(
        {"perspective": perspective} if perspective else {},
        prices="quantity component price\nq market 1\nq tax 2\nq carbon 4\nq damage 8",
        pins="pin measure first_year last_year min max\nforced m 2023 2023 1 1\nno m 2021 2022 - 0",
    )
    assert plan.objective == near(10 - counted)


def test_prices_make_a_path_and_components_add() -> None:
    plan = toy.solve(
        {"perspective": "social"},
        measures="measure lifetime capex\nm 1 0",
        prices="quantity component price year\nq market 1 2021\nq market 3 2023\nq damage 10 -",
        pins="pin measure min max\nforced m 1 1",
    )
    assert plan.objective == near(-(1 + 10) - (2 + 10) - (3 + 10))


def test_prices_of_a_driven_quantity_count() -> None:
    plan = toy.solve(
        quantities=TWO_QUANTITIES,
        conversions="from_quantity to_quantity factor\nq r 2",
        prices="quantity component price\nr market 6",
        baseline="quantity city year value\nq a 2020 100\nr a 2020 100",
    )
    assert plan.objective == near(3 * 10 * (10 - 12))


# Targets -------------------------------------------------------------------------------------------------------------

RATE = 0.05
LATER = (1 + RATE) ** -3
"""Discount factor of 2023."""
RISING = "quantity city year value\nq a 2021 100\nq a 2022 104\nq a 2023 110"
WIDE = "measure city potential\nm a 20"


def test_level_holds_in_every_year_asked() -> None:
    target = "target kind quantity sense value first_year last_year\ncap level q <= 95 {}"
    assert toy.solve(targets=target.format("2023 2023")).objective == near(5 * YEAR)
    assert toy.solve(targets=target.format("2022 -")).objective == near(5 * 2 * YEAR)
    assert toy.solve(targets=target.format("- -")).objective == near(5 * 3 * YEAR)
    # what starts in 2021 stays in service
    assert toy.solve(targets=target.format("- 2021")).objective == near(5 * 3 * YEAR)


def test_level_may_ask_for_at_least() -> None:
    plan = toy.solve(
        effects="measure quantity value\nm q 1",
        targets="target kind quantity sense value first_year\nup level q >= 104 2023",
    )
    assert plan.objective == near(4 * YEAR)


def test_change_is_measured_from_the_base_year() -> None:
    plan = toy.solve(
        baseline="quantity city year value\nq a 2020 100\nq a 2023 110",
        potentials=WIDE,
        targets="target kind quantity sense value first_year\ncap change q <= -0.05 2023",
    )
    assert plan.objective == near(15 * YEAR)
    assert toy.target(plan, "cap", 2023, "bound") == near(95)
    assert toy.target(plan, "cap", 2023, "achieved") == near(95)


def test_abated_holds_in_every_year_or_over_the_span() -> None:
    target = "target kind quantity value per\ncut abated q 6 {}"
    assert toy.solve(targets=target.format("year")).objective == near(3 * 6 * YEAR)
    assert toy.solve(targets=target.format("-")).objective == near(3 * 6 * YEAR)
    assert toy.solve(targets=target.format("span")).objective == near(6 * YEAR)


SHARE = {
    "quantities": "quantity unit\ng t\nw t",
    "effects": "measure quantity value\nm g 1\nm w 1",
    "potentials": WIDE,
}


def test_share_is_of_the_planned_whole() -> None:
    plan = toy.solve(
        baseline="quantity city year value\ng a 2020 10\nw a 2020 100",
        targets="target kind quantity of sense value first_year\npart share g w >= 0.2 2023",
        **SHARE,
    )
    # 10 + n >= 0.2 (100 + n)
    assert plan.objective == near(10 / 0.8 * YEAR)
    assert toy.target(plan, "part", 2023, "bound") == near(0.2 * 112.5)


def test_share_may_be_at_most() -> None:
    plan = toy.solve(
        baseline="quantity city year value\ng a 2020 50\nw a 2020 100",
        targets="target kind quantity of sense value first_year\npart share g w <= 0.45 2023",
        **{**SHARE, "effects": "measure quantity value\nm g -1"},
    )
    assert plan.objective == near(5 * YEAR)


def test_sectors_narrow_the_numerator_of_a_share_only() -> None:
    plan = toy.solve(
        sectors=TWO_SECTORS,
        baseline="quantity city sector year value\ng a s 2020 10\ng a t 2020 5\nw a s 2020 60\nw a t 2020 40",
        targets="target kind quantity of sense value first_year sectors\npart share g w >= 0.2 2023 s",
        **SHARE,
    )
    # 10 + n >= 0.2 (100 + n): neither the 5 of t nor a whole of 60
    assert plan.objective == near(10 / 0.8 * YEAR)


def test_intensity_is_measured_by_a_driver() -> None:
    tables = {
        "baseline": "quantity city year value\nq a 2020 100\nq a 2023 180",
        "drivers": "driver year value\ngdp 2020 1\ngdp 2023 2",
        "potentials": WIDE,
    }
    plan = toy.solve(targets="target kind quantity of value first_year\nper_gdp intensity q gdp -0.15 2023", **tables)
    # X <= 0.85 * 100 * 2
    assert plan.objective == near(10 * YEAR)
    plan = toy.solve(targets="target kind quantity of value first_year\nper_gdp intensity q gdp -0.15 2022", **tables)
    # in 2022 it is 153.33 against 0.85 * 100 * 5/3: 11.67, kept in 2023
    assert plan.objective == near(2 * (460 / 3 - 85 * 5 / 3) * YEAR)


@pytest.mark.parametrize(("scope", "growth"), [("a", 1.5), ("b", 2.0), ("both", 2.0), ("province", 2.0)])
def test_intensity_of_a_city_uses_the_city_s_driver_and_a_group_the_province_s(scope: str, growth: float) -> None:
    plan = toy.solve(
        cities=TWO_CITIES,
        city_groups="group city\nboth a\nboth b",
        potentials="measure city potential\nm a 200\nm b 200",
        baseline="quantity city year value\nq a 2020 100\nq b 2020 100\nq a 2023 190\nq b 2023 190",
        drivers="driver year value city\ngdp 2020 1 -\ngdp 2023 2 -\ngdp 2020 2 a\ngdp 2023 3 a",
        targets=f"target kind quantity of value first_year scope\nper_gdp intensity q gdp -0.2 2023 {scope}",
    )
    cities = 1 if scope in "ab" else 2
    assert plan.objective == near(cities * (190 - 0.8 * 100 * growth) * YEAR)


def test_cumulative_sums_over_its_years() -> None:
    target = "target kind quantity sense value first_year last_year\nsome cumulative q <= {} {}"
    assert toy.solve(targets=target.format(288, "- -")).objective == near(12 * YEAR)
    # 20 tonne-years in 2021 and 2022 are ten units, which stay in 2023
    assert toy.solve(targets=target.format(180, "- 2022")).objective == near(30 * YEAR)
    assert toy.solve(targets=target.format(188, "2022 -")).objective == near(12 * YEAR)


def test_a_quantity_peaks_by_its_year() -> None:
    target = "target kind quantity by\ntop peak q {}"
    # 2022 at most 100: 4; 2023 at most 100: 10
    assert toy.solve(baseline=RISING, targets=target.format(2021)).objective == near((4 + 10) * YEAR)
    # nothing is asked before 2022: 2023 at most 104
    assert toy.solve(baseline=RISING, targets=target.format(2022)).objective == near(6 * YEAR)
    assert toy.solve(baseline=RISING, targets=target.format(2023)).objective == 0


def test_a_peak_may_ask_for_a_decline() -> None:
    plan = toy.solve(baseline=RISING, potentials=WIDE, targets="target kind quantity by decline\ntop peak q 2022 0.1")
    assert plan.objective == near((110 - 0.9 * 104) * YEAR)
    every_year = toy.solve(potentials=WIDE, targets="target kind quantity by decline\ntop peak q 2021 0.1")
    # 90 in 2022, 81 in 2023
    assert every_year.objective == near((10 + 19) * YEAR)


def test_a_peak_may_state_its_value() -> None:
    plan = toy.solve(baseline=RISING, potentials=WIDE, targets="target kind quantity by value\ntop peak q 2022 99")
    # 5 in 2022 and 11 in 2023
    assert plan.objective == near((5 + 11) * YEAR)


SOFT: dict[str, tuple[str, dict[str, str], float, float]] = {
    "level": ("kind quantity sense value first_year\n x level q <= 95 2023", {}, 5, 5),
    "change": ("kind quantity sense value first_year\n x change q <= -0.05 2023", {}, 5, 5),
    "abated": ("kind quantity value first_year\n x abated q 5 2023", {}, 5, 5),
    "abated per span": ("kind quantity value per\n x abated q 5 span", {}, 5, 5),
    "share": (
        "kind quantity of sense value first_year\n x share g w >= 0.2 2023",
        {**SHARE, "baseline": "quantity city year value\ng a 2020 10\nw a 2020 100"},
        *(10, 10 / 0.8),
    ),
    "intensity": (
        "kind quantity of value first_year\n x intensity q gdp -0.25 2023",
        {"drivers": "driver year value\ngdp 2020 1\ngdp 2023 1.25"},
        *(100 - 0.75 * 125, 100 - 0.75 * 125),
    ),
    "cumulative": ("kind quantity sense value\n x cumulative q <= 295", {}, 5, 5),
    "peak": ("kind quantity by\n x peak q 2022", {"baseline": RISING}, 6, 6),
    "value of a peak": ("kind quantity by value\n x peak q 2023 105", {"baseline": RISING}, 5, 5),
}
"""Cells of a target, tables it needs, what it is missed by without any measure, and the units that keep it."""


@pytest.mark.parametrize("kind", SOFT)
def test_a_soft_target_is_missed_where_that_is_cheaper(kind: str) -> None:
    """Discounting falls on the last year of a row, penalty as well as annuity."""
    cells, tables, missed, units = SOFT[kind]
    header, row = cells.split("\n")
    targets = f"target {header} soft_penalty\n{row} {{}}"
    settings = {"discount_rate": RATE}
    unit_year = 100 * RATE / (1 - (1 + RATE) ** -10)
    cheap = toy.solve(settings, targets=targets.format(0.5), **tables)
    assert cheap.objective == near(0.5 * missed * LATER)
    assert toy.target(cheap, "x", 2023, "missed") == near(missed)
    assert cheap.costs["item"].tolist() == ["penalty"]
    dear = toy.solve(settings, targets=targets.format(100), **tables)
    # built as late as it can be, in 2023
    assert dear.objective == near(units * unit_year * LATER)
    hard = toy.solve(settings, targets=targets.format("-"), **tables)
    assert hard.objective == near(units * unit_year * LATER)
    # the price of a unit, in money of 2023; an intensity is priced per unit of the base year's
    per_unit = unit_year * units / missed * (1.25 if kind == "intensity" else 1)
    assert toy.target(hard, "x", 2023, "shadow_price") == near(per_unit)


def test_a_soft_target_is_missed_year_by_year() -> None:
    plan = toy.solve(
        {"discount_rate": RATE}, targets="target kind quantity sense value soft_penalty\ncap level q <= 95 2"
    )
    # a unit costs 12.95 a year, a miss 2
    assert plan.objective == near(sum(2 * 5 * (1 + RATE) ** -n for n in (1, 2, 3)))


@pytest.mark.parametrize("soft", ["-", "1000"])
@pytest.mark.parametrize(("scope", "units"), [("province", 8 / 4), ("-", 8 / 4), ("a", 8 / 1), ("ab", 8 / 2)])
def test_a_scope_is_the_province_a_city_or_a_group_of_cities(scope: str, units: float, soft: str) -> None:
    plan = toy.solve(
        cities="city\na\nb\nc",
        city_groups="group city\nab a\nab b",
        potentials="measure city potential\nm a 10\nm b 10\nm c 10",
        effects="measure quantity value city\nm q -1 a\nm q -2 b\nm q -4 c",
        baseline="quantity city year value\nq a 2020 100\nq b 2020 100\nq c 2020 100",
        targets=f"target kind quantity value scope first_year soft_penalty\ncut abated q 8 {scope} 2023 {soft}",
    )
    assert plan.objective == near(units * YEAR)


def test_what_no_city_holds_counts_for_the_province_only() -> None:
    baseline = "quantity city year value\nq a 2020 100\nq - 2020 50"
    target = "target kind quantity sense value scope first_year\ncap level q <= {} {} 2023"
    assert toy.solve(baseline=baseline, targets=target.format(145, "province")).objective == near(5 * YEAR)
    assert toy.solve(baseline=baseline, targets=target.format(97, "a")).objective == near(3 * YEAR)


def test_sectors_of_a_target_say_what_counts() -> None:
    plan = toy.solve(
        sectors=TWO_SECTORS,
        measures="measure capex sector\nm 100 s\nn 300 t",
        effects="measure quantity value\nm q -1\nn q -1",
        potentials="measure city potential\nm a 10\nn a 10",
        baseline="quantity city sector year value\nq a s 2020 100\nq a t 2020 100",
        targets="""target kind quantity sense value sectors first_year
                   one level q <= 98 t 2023
                   both level q <= 195 s;t 2023""",
    )
    # two by the dear measure of t, the other three by the cheap one of s
    assert plan.objective == near(2 * 30 + 3 * 10)


def test_targets_may_bound_capital_spending() -> None:
    limit = "target kind quantity sense value first_year\ncap level q <= 95 2023\nmoney level capex <= 200 -"
    plan = toy.solve(targets=limit)
    # 2 starts in 2023, 2 in 2022, 1 in 2021
    assert plan.objective == near((2 * 1 + 2 * 2 + 1 * 3) * YEAR)
    too_little = limit.replace("level capex <= 200", "cumulative capex <= 400")
    assert toy.solve(targets=too_little).status == "infeasible"
    least = toy.solve(targets="target kind quantity sense value\nmoney cumulative capex >= 600")
    assert least.objective == near(6 * YEAR)  # six starts, as late as they can be


def test_targets_may_bound_the_cost_of_a_year_or_of_all() -> None:
    plan = toy.solve(LEAST_Q, targets="target kind quantity sense value\nmoney level cost <= 40")
    assert plan.objective == near(300 - 3 * 4)
    plan = toy.solve(LEAST_Q, targets="target kind quantity sense value\nmoney cumulative cost <= 60")
    assert plan.objective == near(300 - 6)
    # nominal: not discounted
    plan = toy.solve(
        {**LEAST_Q, "discount_rate": RATE}, targets="target kind quantity sense value\nmoney level cost <= 40"
    )
    unit_year = 100 * RATE / (1 - (1 + RATE) ** -10)
    assert plan.objective == near(300 - 3 * 40 / unit_year)


def test_the_cost_of_a_city_or_sector_is_that_of_its_measures_and_quantities() -> None:
    tables = {
        "cities": TWO_CITIES,
        "sectors": TWO_SECTORS,
        "measures": "measure capex fixed_om sector\nm 100 1 s\nn 100 1 t",
        "effects": "measure quantity value\nm q -1\nn q -1",
        "potentials": "measure city potential\nm a 10\nm b 10\nn a 10\nn b 10",
        "prices": "quantity component price\nq market 3",
        "baseline": "quantity city sector year value\nq a s 2020 100",
    }
    target = "target kind quantity sense value scope sectors\nmoney level cost <= 40 {} {}"
    # a unit costs 10 + 1 - 3 = 8 a year: five where the limit holds, ten elsewhere
    assert toy.solve(LEAST_Q, targets=target.format("a", "s"), **tables).objective == near(300 - 3 * (5 + 10 + 10 + 10))
    assert toy.solve(LEAST_Q, targets=target.format("a", "-"), **tables).objective == near(300 - 3 * (5 + 10 + 10))
    assert toy.solve(LEAST_Q, targets=target.format("-", "t"), **tables).objective == near(300 - 3 * (5 + 10 + 10))


def test_as_a_target_cost_leaves_penalties_out() -> None:
    plan = toy.solve(
        targets="""target kind quantity sense value soft_penalty
                   wish level q <= 95 50
                   money level cost <= 0 -"""
    )
    assert plan.objective == near(3 * 5 * 50)


def test_targets_may_bound_a_fund() -> None:
    plan = toy.solve(
        funds=FUNDS,
        fund_rules="fund sector max_share\ncentral s 0.5\nown s 0.6",
        targets="""target kind quantity sense value first_year
                   cap level q <= 95 2023
                   money level fund:own <= 100 -""",
    )
    # central pays at most half, so own at least half: 200 and two starts a year
    assert plan.objective == near((2 * 1 + 2 * 2 + 1 * 3) * YEAR)
    assert toy.target(plan, "money", 2023, "achieved") == near(100)


def test_a_measure_s_own_pool_counts_in_its_sector() -> None:
    tables = {
        "sectors": TWO_SECTORS,
        "measures": "measure capex sector\nm 100 s\nn 100 t",
        "effects": "measure quantity value\nm q -1\nn q -1",
        "potentials": "measure city potential\nm a 10\nn a 10",
        "funds": FUNDS,
        "fund_rules": "fund sector measure max_share\nown s - 1\nown t - 1\ncentral s m 0.5",
    }
    target = "target kind quantity sense value sectors\nmoney cumulative {} <= 300 s"
    # m is the only measure of s: three starts in 2021, or six where central pays the other half; n is free to stand
    spending = toy.solve(LEAST_Q, targets=target.format("capex"), **tables)
    assert spending.objective == near(3 * (100 - 10 - 3))
    own = toy.solve(LEAST_Q, targets=target.format("fund:own"), **tables)
    assert own.objective == near(3 * (100 - 10 - 6))


# Objectives ----------------------------------------------------------------------------------------------------------

CHEAP_TO_BUILD = {
    "measures": "measure capex fixed_om\nm 100 0\nn 50 100",
    "effects": "measure quantity value\nm q -1\nn q -1",
    "potentials": "measure city potential\nm a 10\nn a 10",
}


def test_the_objective_may_be_capital_spending() -> None:
    assert toy.solve(targets=FIVE_IN_2023, **CHEAP_TO_BUILD).objective == near(5 * YEAR)
    plan = toy.solve({"objective": "capex"}, targets=FIVE_IN_2023, **CHEAP_TO_BUILD)
    # five of n; among its starts those of 2023 cost least, which the appended cost finds
    assert plan.objective == near(5 * 50)
    assert plan.summary["objectives"][1]["name"] == "cost"
    assert plan.summary["objectives"][1]["value"] == near(5 * (5 + 100), rel=1e-5)


def test_the_objective_may_be_the_spending_of_a_fund() -> None:
    plan = toy.solve(
        {"objective": "fund:central"},
        funds=FUNDS,
        fund_rules="fund sector max_share\ncentral s 0.5\nown s 0.7",
        targets=FIVE_IN_2023,
    )
    assert plan.objective == near(0.3 * 500)


def test_the_objective_may_be_a_quantity_summed_over_the_years() -> None:
    assert toy.solve(LEAST_Q).objective == near(3 * 90)
    # to maximise, the value is the sum itself, not its negative
    assert toy.solve({"objective": "-quantity:q"}, effects="measure quantity value\nm q 1").objective == near(3 * 110)


def test_later_objectives_stay_within_the_tolerance_of_earlier_ones() -> None:
    plan = toy.solve({"objective": ["quantity:q", "cost"], "tolerance": 0.01})
    first, second = plan.summary["objectives"]
    assert first["value"] == plan.objective == near(270)
    assert first["final"] == near(270 * 1.01)
    # 2.7 tonne-years less are cut
    assert second["value"] == near((30 - 2.7) * YEAR)
    most = toy.solve({"objective": ["-quantity:q", "cost"], "tolerance": 0.01}, effects="measure quantity value\nm q 1")
    assert most.summary["objectives"][1]["value"] == near((30 - 3.3) * YEAR)


def test_a_list_without_cost_gets_it_appended() -> None:
    plan = toy.solve({"objective": ["capex", "quantity:q"]}, targets=FIVE_IN_2023)
    assert [stage["name"] for stage in plan.summary["objectives"]] == ["capex", "quantity:q", "cost"]
    # least spending buys five units, least q builds them in 2021
    assert [stage["value"] for stage in plan.summary["objectives"]] == [
        near(500),
        near(300 - 15, rel=1e-5),
        near(15 * YEAR, rel=1e-4),
    ]


def test_an_objective_of_zero_is_held_exactly() -> None:
    plan = toy.solve({"objective": ["capex", "cost"]}, prices="quantity component price\nq market 1000")
    # every unit would pay off at once
    assert [stage["value"] for stage in plan.summary["objectives"]] == [0, 0]
    assert plan.portfolio.empty


def test_among_equal_plans_the_earliest_is_chosen() -> None:
    plan = toy.solve(targets="target kind quantity value per\ncut abated q 6 span")
    # 6 unit-years cost the same from any year; two in 2021 weigh 2 * 1, six in 2023 weigh 6 * 3
    assert toy.starts(plan, "m", 2021) == amount(2)
    assert plan.objective == near(6 * YEAR)
    again = toy.solve(
        measures="measure capex\nm 100\nn 100",
        effects="measure quantity value\nm q -1\nn q -1",
        potentials="measure city potential\nm a 10\nn a 20",
        targets=FIVE_IN_2023,
    )
    # five of 20 weigh less than five of 10
    assert toy.stock(again, "n", 2023) == amount(5)


# Funds and budgets ---------------------------------------------------------------------------------------------------


def test_shares_that_add_up_to_one_leave_no_choice() -> None:
    plan = toy.solve(funds=FUNDS, fund_rules="fund sector max_share\ncentral s 0.3\nown s 0.7", targets=FIVE_IN_2023)
    assert (toy.paid(plan, "central"), toy.paid(plan, "own")) == (near(150), near(350))


def test_a_measure_with_a_rule_of_its_own_leaves_its_sector_s_pool() -> None:
    tables = {
        "measures": "measure capex\nm 100\nn 100",
        "effects": "measure quantity value\nm q -1\nn q -1",
        "potentials": "measure city potential\nm a 5\nn a 5",
        "funds": FUNDS,
        "targets": CUT_IN_2023.format(90),
    }
    rules = "fund sector measure max_share\ncentral s - 0.3\nown s - 0.8\ncentral s m 0.9\n"
    plan = toy.solve({"objective": "fund:own"}, fund_rules=rules, **tables)
    # n: 70 % of 500 at least; m: 10 % of 500
    assert plan.objective == near(350 + 50)
    plan = toy.solve({"objective": "fund:central"}, fund_rules=rules, **tables)
    # the other fund keeps the sector's share of 0.8 of m, too
    assert plan.objective == near(0.2 * 500 + 0.2 * 500)


def test_the_mix_is_chosen_by_sector_city_and_year() -> None:
    tables = {
        "sectors": TWO_SECTORS,
        "measures": "measure capex sector\nm 100 s\nn 100 t",
        "effects": "measure quantity value\nm q -1\nn q -1",
        "potentials": "measure city potential\nm a 5\nn a 5",
        "funds": FUNDS,
        "fund_rules": "fund sector max_share\ncentral s 0.9\ncentral t 0.1\nown s 1\nown t 1",
        "targets": CUT_IN_2023.format(90),
    }
    plan = toy.solve({"objective": "fund:own"}, **tables)
    # what central may pay of s is of no use to t
    assert plan.objective == near(0.1 * 500 + 0.9 * 500)
    assert toy.paid(plan, "own", sector="t") == near(450)


def test_a_budget_caps_every_year_or_the_span() -> None:
    yearly = toy.solve(LEAST_Q, budgets="budget limit\nmoney 200")
    assert yearly.objective == near(300 - 2 - 4 - 6)
    assert [toy.budget(yearly, "money", y) for y in (2021, 2022, 2023)] == [near(200)] * 3
    span = toy.solve(LEAST_Q, budgets="budget limit per\nmoney 500 span")
    assert span.objective == near(300 - 3 * 5)
    assert toy.budget(span, "money", 2023) == near(500)


def test_unspent_money_moves_on_with_carry_over() -> None:
    late = "measure first_year\nm 2023"
    kept = toy.solve(LEAST_Q, measures=late, budgets="budget limit carry_over\nmoney 200 yes")
    assert kept.objective == near(300 - 6)
    assert toy.budget(kept, "money", 2023, "limit") == near(600)
    lost = toy.solve(LEAST_Q, measures=late, budgets="budget limit carry_over\nmoney 200 no")
    assert lost.objective == near(300 - 2)
    from_2022 = toy.solve(LEAST_Q, measures=late, budgets="budget limit carry_over first_year\nmoney 200 yes 2022")
    assert from_2022.objective == near(300 - 4)


def test_carried_money_is_spent_only_once() -> None:
    plan = toy.solve(LEAST_Q, budgets="budget limit carry_over\nmoney 200 yes")
    assert plan.objective == near(300 - 2 - 4 - 6)
    assert [toy.budget(plan, "money", y) for y in (2021, 2022, 2023)] == [near(200), near(400), near(600)]


def test_limits_by_year_make_a_path() -> None:
    limits = "budget limit year carry_over first_year\nmoney 100 2021 {0} {1}\nmoney 300 2023 {0} {1}"
    plan = toy.solve(LEAST_Q, budgets=limits.format("no", "-"))
    # 100, 200, 300: one, three, six units
    assert plan.objective == near(300 - 1 - 3 - 6)
    late = toy.solve(LEAST_Q, measures="measure first_year\nm 2023", budgets=limits.format("yes", "-"))
    assert late.objective == near(300 - 6)
    # only from its first year on: in 2021 nothing binds
    part = toy.solve(LEAST_Q, budgets=limits.format("no", "2022"))
    assert part.objective == near(300 - 3 * 10)


def test_a_budget_may_cap_several_funds_together() -> None:
    plan = toy.solve(
        LEAST_Q,
        funds="fund\ncentral\nprovincial\nown",
        fund_rules="fund sector max_share\ncentral s 0.5\nprovincial s 0.5\nown s 0.4",
        budgets="budget limit per fund\npublic 300 span central;provincial",
    )
    # at least 60 % of spending is public: 500 in all
    assert plan.objective == near(300 - 3 * 5)
    assert toy.budget(plan, "public", 2023) == near(300)
    alone = toy.solve(
        LEAST_Q,
        funds="fund\ncentral\nprovincial\nown",
        fund_rules="fund sector max_share\ncentral s 0.5\nprovincial s 0.5\nown s 0.4",
        budgets="budget limit per fund\none 30 span central",
    )
    # at least 10 % is central's
    assert alone.objective == near(300 - 3 * 3)


def test_a_budget_counts_its_sectors_and_its_scope() -> None:
    tables = {
        "cities": TWO_CITIES,
        "city_groups": "group city\nonly b",
        "sectors": TWO_SECTORS,
        "measures": "measure sector\nm s\nn t",
        "effects": "measure quantity value\nm q -1\nn q -1",
        "potentials": "measure city potential\nm a 10\nm b 10\nn a 10\nn b 10",
        "baseline": "quantity city sector year value\nq a s 2020 100",
    }
    budget = "budget limit per scope sectors\nmoney 200 span {} {}"
    for scope, sectors, units in [("-", "t", 22), ("b", "-", 22), ("only", "-", 22), ("b", "s", 32), ("-", "s;t", 2)]:
        plan = toy.solve(LEAST_Q, budgets=budget.format(scope, sectors), **tables)
        assert plan.objective == near(300 - 3 * units)


def test_capital_cost_is_paid_in_equal_parts_over_the_years_of_construction() -> None:
    plan = toy.solve(
        {**LEAST_Q, "last_year": 2025}, measures="measure lead_time\nm 2", budgets="budget limit\nmoney 100"
    )
    # 50 in the year of start and 50 in the next: two in 2021 (3 years in service), none, two in 2023 (1 year)
    assert plan.objective == near(500 - 2 * 3 - 2 * 1)
    assert [toy.budget(plan, "money", y) for y in (2021, 2022, 2023, 2024)] == [near(100)] * 4
    spent = plan.portfolio.groupby("year")["capex"].sum()
    assert spent.reindex([2021, 2022, 2023, 2024]).tolist() == [near(100)] * 4


# Pins ----------------------------------------------------------------------------------------------------------------


def test_a_pin_forces_or_bans_starts_by_default() -> None:
    plan = toy.solve(pins="pin measure first_year last_year min\nforced m 2022 2022 3")
    assert toy.starts(plan, "m", 2022) == amount(3)
    assert plan.objective == near(3 * 2 * YEAR)
    each = toy.solve(pins="pin measure min\nforced m 2")
    assert each.objective == near(2 * (3 + 2 + 1) * YEAR)  # in each year separately
    banned = toy.solve(LEAST_Q, pins="pin measure last_year max\nbanned m 2022 0")
    assert banned.objective == near(300 - 10)


def test_a_pin_may_hold_stock() -> None:
    plan = toy.solve(pins="pin measure on min\nkept m stock 2")
    assert plan.objective == near(2 * 3 * YEAR)
    most = toy.solve(
        LEAST_Q,
        pins="pin measure on max\nfrozen m stock 4",
        existing="measure city year units\nm a 2019 3",
    )
    assert most.objective == near(300 - 3 * 4)


def test_a_pin_without_city_sums_over_the_province() -> None:
    tables = {"cities": TWO_CITIES, "potentials": "measure city potential\nm a 10\nm b 10"}
    pin = "pin measure city max\nlimit m {} 3"
    assert toy.solve(LEAST_Q, pins=pin.format("-"), **tables).objective == near(300 - 3 - 6 - 9)
    assert toy.solve(LEAST_Q, pins=pin.format("b"), **tables).objective == near(300 - 13 - 16 - 19)


@pytest.mark.parametrize(
    "pin",
    [
        "first_year last_year on min\nforced m 2023 2023 stock 11",  # above the potential
        "first_year last_year min\nforced m 2023 2023 11",
        "last_year min\nforced m 2021 1",  # before the measure's first year: nothing could be started
    ],
)
def test_a_pin_above_what_a_year_can_hold_is_infeasible(pin: str) -> None:
    plan = toy.solve(measures="measure first_year\nm 2022", pins=f"pin measure {pin}")
    assert plan.status == "infeasible"
    assert plan.portfolio.empty


# History -------------------------------------------------------------------------------------------------------------

FOUR_OLD = "measure city year units\nm a 2019 4"


def test_existing_stock_counts_in_limits_effects_and_running_cost_but_bears_no_annuity() -> None:
    plan = toy.solve(LEAST_Q, existing=FOUR_OLD)
    assert toy.starts(plan, "m", 2021) == amount(6)
    assert plan.objective == near(3 * 90)
    idle = toy.solve(existing=FOUR_OLD, measures="measure capex fixed_om\nm 100 2")
    assert idle.objective == near(3 * 4 * 2)
    assert toy.level(idle, "q", 2021) == near(96)


def test_existing_stock_retires_at_the_end_of_its_life() -> None:
    plan = toy.solve(existing=FOUR_OLD, measures="measure lifetime\nm 3")
    # in service 2019 to 2021
    assert [toy.level(plan, "q", y) for y in (2021, 2022, 2023)] == [near(96), near(100), near(100)]
    under_way = toy.solve(existing="measure city year units\nm a 2022 4")
    assert [toy.level(under_way, "q", y) for y in (2021, 2022, 2023)] == [near(100), near(96), near(96)]


def test_existing_stock_counts_in_groups() -> None:
    plan = toy.solve(LEAST_Q, existing=FOUR_OLD, groups="group kind measure cap\nbase shared m 6")
    assert plan.objective == near(300 - 3 * 6)


def test_abated_counts_only_stock_commissioned_after_the_base_year() -> None:
    tables = {
        "quantities": TWO_QUANTITIES,
        "conversions": "from_quantity to_quantity factor\nq r 2",
        "baseline": "quantity city year value\nq a 2020 100\nr a 2020 100",
    }
    target = "target kind quantity value first_year\ncut abated {} {} 2023"
    for quantity, value in (("q", 5), ("r", 10)):
        old = toy.solve(existing=FOUR_OLD, targets=target.format(quantity, value), **tables)
        assert old.objective == near(5 * YEAR)
        assert toy.target(old, "cut", 2023, "achieved") == near(value)
        new = FOUR_OLD.replace("2019", "2021")
        assert toy.solve(existing=new, targets=target.format(quantity, value), **tables).objective == near(1 * YEAR)
    level = toy.solve(existing=FOUR_OLD, targets=FIVE_IN_2023, **tables)
    assert level.objective == near(1 * YEAR)


def test_overlap_losses_count_in_full_in_what_is_abated() -> None:
    plan = toy.solve(
        existing="measure city year units\nx a 2019 1",
        targets="target kind quantity value first_year\ncut abated q 5 2023",
        **SOURCE,
    )
    # y cuts 50 and loses 40 to the old x: half of it nets 5
    assert plan.objective == near(150 / 2)


def test_the_level_of_the_base_year_has_existing_stock_at_its_least_overlap() -> None:
    tables = {
        **SOURCE,
        "quantities": TWO_QUANTITIES,
        "conversions": "from_quantity to_quantity factor year\nq r 2 2020\nq r 20 2021",
        "baseline": "quantity city year value\nq a 2020 100\nr a 2020 1000",
        "existing": "measure city year units\nx a 2019 0.8\ny a 2019 0.6",
    }
    plan = toy.solve(targets="target kind quantity sense value\nq change q <= 0\nr change r <= 0", **tables)
    base = 100 - 64 - 30 + 40 * 0.4
    assert toy.target(plan, "q", 2021, "bound") == near(base)
    assert toy.target(plan, "r", 2021, "bound") == near(1000 - 2 * (100 - base))  # conversions at the base year
    apart = {**tables, "existing": "measure city year units\nx a 2019 0.3\ny a 2019 0.6"}
    plan = toy.solve(targets="target kind quantity sense value\nq change q <= 0", **apart)
    assert toy.target(plan, "q", 2021, "bound") == near(100 - 24 - 30)


def test_change_and_intensity_are_measured_from_a_base_year_with_existing_stock() -> None:
    plan = toy.solve(
        existing=FOUR_OLD, targets="target kind quantity sense value first_year\ncap change q <= -0.05 2023"
    )
    # 0.95 * 96 = 91.2: 8.8 below the baseline, 4 of it by what stands
    assert plan.objective == near(4.8 * YEAR)
    plan = toy.solve(
        existing=FOUR_OLD,
        drivers="driver year value\ngdp 2020 1\ngdp 2023 1",
        targets="target kind quantity of value first_year\ncap intensity q gdp -0.05 2023",
    )
    assert plan.objective == near(4.8 * YEAR)


def test_a_base_year_may_lie_further_back() -> None:
    settings = {"base_year": 2018}
    tables = {
        "baseline": "quantity city year value\nq a 2018 110\nq a 2020 100",
        "existing": FOUR_OLD,
    }
    plan = toy.solve(
        settings, targets="target kind quantity sense value first_year\ncap change q <= -0.15 2023", **tables
    )
    # 0.85 * 110 = 93.5: 6.5 below 100, 4 of it by what came in 2019
    assert plan.objective == near(2.5 * YEAR)
    plan = toy.solve(settings, targets="target kind quantity value first_year\ncut abated q 5 2023", **tables)
    # what came in 2019 came after the base year and counts
    assert plan.objective == near(1 * YEAR)


def test_history_is_booked_as_a_start_a_lead_time_earlier() -> None:
    budget = "budget limit per\nmoney 1000 span"
    booked = {
        ("2022", 1): [400, 0, 0],  # all of it in 2021
        ("2022", 2): [200, 0, 0],  # half of it in 2020, which is left out
        ("2023", 2): [200, 200, 0],
        ("2021", 1): [0, 0, 0],  # paid in 2020
        ("2021", 0): [400, 0, 0],
        ("2020", 0): [0, 0, 0],  # up to the base year: not booked
    }
    for (year, lead_time), spent in booked.items():
        plan = toy.solve(
            measures=f"measure lead_time\nm {lead_time}",
            existing=f"measure city year units\nm a {year} 4",
            budgets=budget,
            targets="target kind quantity sense value\nmoney level capex <= 1000",
        )
        assert plan.objective == 0  # and kept out of cost
        assert [toy.target(plan, "money", y, "achieved") for y in (2021, 2022, 2023)] == spent
        assert toy.budget(plan, "money", 2023) == sum(spent)


def test_history_uses_up_a_budget() -> None:
    plan = toy.solve(
        LEAST_Q,
        existing="measure city year units\nm a 2022 4",
        budgets="budget limit per\nmoney 500 span",
    )
    # 400 of 500 are spent: one more
    assert plan.objective == near(300 - 3 - 2 * 4)


def test_history_costs_what_its_row_says_or_what_its_start_year_did() -> None:
    tables = {
        "measures": "measure lead_time\nm 1",
        "measure_costs": "measure year capex\nm 2021 100\nm 2023 60",
        "budgets": "budget limit per\nmoney 1000 span",
    }
    plan = toy.solve(existing="measure city year units\nm a 2023 4", **tables)
    assert toy.budget(plan, "money", 2023) == near(4 * 80)  # begun in 2022
    plan = toy.solve(existing="measure city year units capex\nm a 2023 4 25", **tables)
    assert toy.budget(plan, "money", 2023) == near(4 * 25)


def test_history_is_paid_by_its_fund_outside_the_mix_or_joins_its_pool() -> None:
    tables = {
        "funds": FUNDS,
        "fund_rules": "fund sector max_share\ncentral s 0.1\nown s 1",
        "budgets": "budget limit per fund\nmoney 1000 span central\nall 1000 span -",
    }
    named = toy.solve(existing="measure city year units fund\nm a 2021 4 central", **tables)
    assert toy.paid(named, "central", measure="m") == near(400)  # no share applies
    assert toy.paid(named, "own") == 0
    assert toy.budget(named, "money", 2023) == toy.budget(named, "all", 2023) == near(400)
    before = toy.solve(
        existing="measure city year units fund\nm a 2022 4 central", **{**tables, "measures": "measure lead_time\nm 2"}
    )
    # half of it was paid in 2020, before the plan
    assert (toy.paid(before, "central"), toy.paid(before, "central", year=2021)) == (near(200), near(200))
    pooled = toy.solve({"objective": "fund:own"}, existing="measure city year units\nm a 2021 4", **tables)
    assert pooled.objective == near(0.9 * 400)
    own_fund = toy.solve({"objective": "fund:own"}, existing="measure city year units fund\nm a 2021 4 own", **tables)
    assert own_fund.objective == near(400)


def test_starts_up_to_as_of_are_what_existing_says() -> None:
    plan = toy.solve({**LEAST_Q, "as_of": 2021}, existing="measure city year units\nm a 2021 4")
    assert toy.starts(plan, "m", 2021) == 0
    assert plan.objective == near(300 - 4 - 10 - 10)


def test_rows_that_end_by_as_of_are_reported_and_not_enforced() -> None:
    # 2021 breaks floor, group, pin and budget; 2022 and 2023 ask for a cut of one by units that live a year
    plan = toy.solve(
        {"as_of": 2021},
        quantities="quantity unit floor\nq t 94",
        baseline="quantity city year value\nq a 2021 90\nq a 2022 100",
        targets="target kind quantity sense value\nlow level q <= 99\n",
        groups="group kind measure cap\nbase shared m 4",
        pins="pin measure on max\nkept m stock 4",
        budgets="budget limit\nmoney 100",
        existing="measure city year units\nm a 2021 6",
        measures="measure lifetime\nm 1",
    )
    assert plan.objective == near(2 * 100)
    assert toy.budget(plan, "money", 2021) == near(600)
    assert toy.target(plan, "low", 2021, "achieved") == near(84)
    missed = toy.solve({"as_of": 2021}, targets="target kind quantity sense value soft_penalty\nlow level q <= 95 1\n")
    # the miss of 2021 is history and bears no penalty
    assert missed.objective == near(2 * 5 * 1)
    assert toy.target(missed, "low", 2021, "missed") == near(5)


def test_rows_that_reach_beyond_as_of_count_the_years_before() -> None:
    tables = {"existing": "measure city year units\nm a 2021 4"}
    span = toy.solve({**LEAST_Q, "as_of": 2021}, budgets="budget limit per\nmoney 500 span", **tables)
    assert span.objective == near(300 - 4 - 5 - 5)
    carried = toy.solve({**LEAST_Q, "as_of": 2021}, budgets="budget limit carry_over\nmoney 250 yes", **tables)
    # 500 until 2022 and 750 until 2023, of which 400 are spent: 1 and 2.5 more
    assert carried.objective == near(300 - 4 - 5 - 7.5)
    total = toy.solve({"as_of": 2021}, targets="target kind quantity sense value\nsome cumulative q <= 280", **tables)
    assert total.objective == near((20 - 3 * 4) * YEAR)
    peak = toy.solve(
        {"as_of": 2021}, baseline=RISING, potentials=WIDE, targets="target kind quantity by\ntop peak q 2021", **tables
    )
    # 2021: 96, so 104 - 8 in 2022 and 110 - 14 in 2023, 4 of it standing
    assert peak.objective == near((4 + 10) * YEAR)
    value = toy.solve(
        {"as_of": 2021}, targets="target kind quantity by value\ntop peak q 2021 90", existing=tables["existing"]
    )
    # the value of 2021 is history
    assert value.objective == near((6 + 6) * YEAR)


def test_up_to_as_of_the_potential_is_at_least_the_stock() -> None:
    plan = toy.solve(
        {**LEAST_Q, "as_of": 2021},
        existing="measure city year units\nm a 2021 4",
        potentials="measure city potential year\nm a 2 2021\nm a 6 2022",
    )
    assert plan.objective == near(300 - 4 - 6 - 6)


# What stands behind a row --------------------------------------------------------------------------------------------


def test_every_row_of_the_matrix_bears_the_name_of_its_family_and_key() -> None:
    matrix = compile_problem(toy.problem(targets=FIVE_IN_2023, budgets="budget limit\nmoney 1000"))
    assert ("target_is_kept", ("cap", 2023)) in matrix.row
    assert ("budget_is_kept", ("money", 2021)) in matrix.row
    row = matrix.row["stock_in_service", ("m", "a", 2022)]
    entries = matrix.A[[row], :].tocoo()
    named = {matrix.columns[j]: value for j, value in zip(entries.col, entries.data, strict=True)}
    assert named == {
        ("stock", ("m", "a", 2022)): 1,
        ("stock", ("m", "a", 2021)): -1,
        ("starts", ("m", "a", 2022)): -1,
    }
    assert matrix.upper[matrix.column["starts", ("m", "a", 2021)]] == 10


@pytest.mark.parametrize("money", [1.0, 1e4, 1e8])
@pytest.mark.parametrize("tonnes", [1.0, 1e3, 1e-3, 1e-6])
def test_tiny_effects_and_huge_money_are_solved_all_the_same(tonnes: float, money: float) -> None:
    """Effects of 5e-10 in the unit of the quantity and money in the hundred millions: solvers drop or refuse such."""
    plan = toy.solve(
        measures=f"measure capex\nm {100 * money}\nn {300 * money}",
        effects=f"measure quantity value\nm q {-5e-4 * tonnes}\nn q {-5e-4 * tonnes}",
        potentials="measure city potential\nm a 3\nn a 10",
        baseline=f"quantity city year value\nq a 2020 {0.02 * tonnes}",
        targets=f"target kind quantity sense value first_year\ncap level q <= {0.0175 * tonnes} 2023",
    )
    # five units are needed: three of m, two of n
    assert (toy.stock(plan, "m", 2023), toy.stock(plan, "n", 2023)) == (amount(3), amount(2))
    assert plan.objective == near(money * (3 * 10 + 2 * 30))
    assert toy.target(plan, "cap", 2023, "achieved") <= 0.0175 * tonnes * (1 + 1e-6)
