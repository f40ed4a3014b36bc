"""Planner and twin on a fixed slice of the random cases; `campaign.py` takes more of them."""

import pytest
from agreement import differences, solved
from random_cases import random_case

SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_planner_and_twin_agree(seed: int) -> None:
    case = random_case(seed)
    assert differences(case, solved(case), case.solve()) == []
