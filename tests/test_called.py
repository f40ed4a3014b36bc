"""Pins and groups are called by what they are about."""

from pathlib import Path

import pandas as pd
import toy

from planner.called import group_name, pin_name
from planner.show.goals import one_for_all
from planner.tables import read_case
from planner.words import Words

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"


def test_a_pin_says_what_it_asks_for() -> None:
    case = read_case(TUTORIAL)
    assert pin_name(case, "first_buses", "en") == "Electric buses (Harbor) 2023: starts ≥ 20 buses"
    assert pin_name(case, "first_buses", "zh") == "2023年电动公交（港城）启动量≥20辆公交车"
    assert Words("en", case).name("pins", "first_buses") == pin_name(case, "first_buses", "en")
    pins = "pin measure on min max\np m stock 2 2\nq m starts 1 3\nr m starts - 0"
    wished = toy.case(pins=pins)
    assert pin_name(wished, "p", "en") == "m 2021-2023: in service = 2 unit"
    assert pin_name(wished, "q", "en") == "m 2021-2023: starts ≥ 1 unit, ≤ 3 unit"
    assert pin_name(wished, "r", "zh") == "2021-2023年m启动量≤0unit"
    assert pin_name(case, "nobody", "en") == "nobody"


def test_a_group_is_called_by_its_members() -> None:
    case = read_case(TUTORIAL)
    assert group_name(case, "new_power_storage", "en") == "Solar PV / Onshore wind → Battery storage"
    assert group_name(case, "scr_sncr_ridge", "zh") == "水泥窑SCR/水泥窑精准SNCR（岭城）"
    many = {
        "measures": "measure\nm\nn\no",
        "effects": "measure quantity value\nm q -1",
        "potentials": "measure city potential\nm a 1\nn a 1\no a 1",
        "groups": "group kind measure weight cap\ng shared m 1 2\ng shared n 1 2\ng shared o 1 2",
    }
    assert group_name(toy.case(**many), "g", "en") == "m / n and 1 more"
    assert group_name(toy.case(**many), "g", "zh") == "m/n及另外1项"
    assert group_name(case, "nobody", "zh") == "nobody"


def test_a_column_of_amounts_keeps_its_smallest_one_visible_in_either_unit() -> None:
    millions = pd.Series([27.43, 5.88, 0.2, 0.0])
    assert (one_for_all(millions), one_for_all(millions / 100)) == (2, 4)
    assert one_for_all(pd.Series([11540.0, 300.4])) == 0
    assert one_for_all(pd.Series([115.4, 0.03])) == 2
    assert one_for_all(pd.Series([0.0])) == 0
