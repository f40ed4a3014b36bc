"""Random damage to a valid case: refused, or read as Python reads it. `python -m tests.fuzz` does many more."""

import os
import tempfile
from pathlib import Path

import fuzz
from hypothesis import HealthCheck, given, settings

from planner.tables import read_case


@settings(
    max_examples=int(os.environ.get("FUZZ_CASES", "250")),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(changes=fuzz.mutations())
def test_damage_is_refused_or_read_as_it_stands(changes: list[fuzz.Mutation]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _, _, faults = fuzz.examined(fuzz.mutated(changes), Path(folder))
    assert faults == []


def test_the_undamaged_case_is_read_and_can_be_posed(tmp_path: Path) -> None:
    answer, _, faults = fuzz.examined(fuzz.BASE, tmp_path)
    assert (answer, faults) == ("read", [])
    assert fuzz.compiled(fuzz.BASE, tmp_path) == []
    assert fuzz.as_workbook(fuzz.BASE, tmp_path) == []
    assert len(read_case(tmp_path).rows("sources")) == 1


def test_a_cell_that_is_read_wrongly_is_noticed(tmp_path: Path) -> None:
    from catalogue import differences

    fuzz.examined(fuzz.BASE, tmp_path)
    case = read_case(tmp_path)
    (tmp_path / "potentials.csv").write_bytes(fuzz.BASE["potentials.csv"].replace(b"pv,harbor,400", b"pv,harbor,401"))
    assert differences(case, tmp_path) == ["potentials.csv, 2, potential: '401' read as 400.0"]
