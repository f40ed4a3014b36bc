"""Near-optimal alternatives: inside their slack by an independent sum, different, and with the right roles."""

from pathlib import Path
from threading import Event

import numpy as np
import pytest
import toy

from planner.certificate import complete
from planner.errors import CancelledError, CaseError, InfeasibleError
from planner.nearly import alternatives
from planner.plan import solve
from planner.tables import read_case

TUTORIAL = Path(__file__).parents[1] / "cases" / "tutorial"
# In 2023 five tonnes of q must go: by m for 10 each or by n for 10.1; two tonnes of r only by p; z is forbidden.
TWINS = {
    "quantities": "quantity unit\nq t\nr t",
    "baseline": "quantity city sector year value\nq a s 2020 100\nr a s 2020 100",
    "measures": "measure capex\nm 100\nn 101\np 100\nz 300",
    "effects": "measure quantity value\nm q -1\nn q -1\np r -1\nz q -1",
    "potentials": "measure city potential\nm a 10\nn a 10\np a 4\nz a 10",
    "pins": "pin measure max\nno_z z 0",
    "targets": "target kind quantity sense value first_year\ncap level q <= 95 2023\nrest level r <= 98 2023",
}
LEAST = 70.0


def test_the_other_twin_is_the_plan_that_differs_most() -> None:
    found = alternatives(toy.case(**TWINS), within=0.02, count=1, by="measure")
    assert found.least == pytest.approx(LEAST)
    starts = found.measures.pivot_table(index="plan", columns="measure", values="starts", fill_value=0.0)
    assert starts.loc[0].to_dict() == pytest.approx({"m": 5.0, "n": 0.0, "p": 2.0}, abs=1e-6)
    # Five of n instead of m cost 0.5 of the 1.4 that are allowed; what is left is spent on what differs most.
    assert starts.loc[1, "n"] >= 5 - 1e-6
    assert found.plans["within"].all()
    assert found.plans["cost"].iloc[1] <= LEAST * 1.02 + 1e-6
    assert found.plans["distance"].iloc[1] >= 0.25 - 1e-6  # half of m and half of n, of four measures


def test_roles_ranges_and_the_cost_of_leaving_a_measure_out_by_hand() -> None:
    found = alternatives(toy.case(**TWINS), within=0.02, count=0, ranges=True).ranges.set_index("measure")
    assert found["role"].to_dict() == {"m": "choice", "n": "choice", "p": "must", "z": "never"}
    assert found.loc["m", ["low", "high"]].tolist() == pytest.approx([0.0, 5.14], abs=1e-6)
    assert found.loc["n", ["low", "high"]].tolist() == pytest.approx([0.0, 51.4 / 10.1], abs=1e-6)
    assert found.loc["p", ["low", "high"]].tolist() == pytest.approx([2.0, 2.14], abs=1e-6)
    assert found.loc["z", "high"] == 0
    assert found.loc["m", "extra"] == pytest.approx(0.5 / LEAST)
    assert found.loc["p", "without"] == "infeasible"


def test_a_measure_without_which_the_slack_is_exceeded_is_a_must() -> None:
    found = alternatives(toy.case(**TWINS), within=0.005, count=0).ranges.set_index("measure")
    assert found["role"].to_dict() == {"m": "must", "n": "open", "p": "must", "z": "open"}


@pytest.mark.parametrize("by", ["sector", "city", "measure"])
def test_every_alternative_is_inside_its_slack_by_recomputed_cost_and_none_is_another(by: str) -> None:
    case = read_case(TUTORIAL)
    found = alternatives(case, within=0.02, count=3, by=by, roles=False)  # type: ignore[arg-type]
    least = solve(case).objective
    assert found.least == pytest.approx(least, rel=1e-7)
    assert found.plans["within"].all()
    wide = found.groups.pivot_table(index="plan", columns="group", values="share").to_numpy()
    for plan in found.plans.itertuples():
        own = found.starts[found.starts["plan"] == plan.plan]
        certificate = complete(case, own)
        assert certificate.passed
        assert certificate.cost <= least + 0.02 * abs(least) * (1 + 1e-6)
        if plan.plan:
            apart = np.abs(wide[: plan.plan] - wide[plan.plan]).mean(axis=1)
            assert apart.min() == pytest.approx(plan.distance, abs=1e-9)
            assert plan.distance > 1e-3


def test_the_cheapest_plan_without_a_measure_is_that_of_a_pin() -> None:
    case = read_case(TUTORIAL)
    found = alternatives(case, count=0).ranges.set_index("measure")
    least = solve(case).objective
    for m in ("kiln_scr", "wind"):
        banned = solve(case.edited([{"table": "pins", "add": {"pin": "ban", "measure": m, "max": 0}}]))
        assert found.loc[m, "extra"] == pytest.approx((banned.objective - least) / abs(least), rel=1e-5)
    banned = solve(case.edited([{"table": "pins", "add": {"pin": "ban", "measure": "pv", "max": 0}}]))
    assert banned.status == found.loc["pv", "without"] == "infeasible"


def test_an_alternative_is_reproduced_by_its_scenario(tmp_path: Path) -> None:
    case = read_case(TUTORIAL)
    found = alternatives(case, count=1, by="city", roles=False)
    again = solve(case.edited(found.edits(1)))
    assert again.objective == pytest.approx(found.plans["recomputed"].iloc[1], rel=1e-6)
    found.write(tmp_path)
    assert complete(case, tmp_path / "portfolio_01.csv").cost == pytest.approx(
        found.plans["recomputed"].iloc[1], rel=1e-6
    )


def test_no_slack_leaves_the_least_cost() -> None:
    found = alternatives(read_case(TUTORIAL), within=0.0, count=1, roles=False)
    assert found.plans["cost"].to_numpy() == pytest.approx(found.least, rel=1e-6)


def test_lumps_have_alternatives_too() -> None:
    lumps = {**TWINS, "measures": "measure capex lump\nm 100 -\nn 101 5\np 100 -\nz 300 -"}
    found = alternatives(toy.case(**lumps), count=1, by="measure")
    assert found.plans["within"].all()
    assert found.ranges.set_index("measure").loc["m", "extra"] == pytest.approx(0.5 / LEAST)


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(CaseError):
        alternatives(toy.case(**TWINS), within=-0.1)
    none = toy.case(targets="target kind quantity sense value first_year\ncap level q <= 10 2022")
    with pytest.raises(InfeasibleError):
        alternatives(none)
    cancel = Event()
    cancel.set()
    with pytest.raises(CancelledError):
        alternatives(read_case(TUTORIAL), cancel=cancel)
