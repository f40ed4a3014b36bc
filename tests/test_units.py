"""Units: what is known is converted, what is free text is only itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from planner.units import UnitError, factor


@pytest.mark.parametrize(
    ("from_unit", "to_unit", "expected"),
    [
        ("Mt", "kt", 1000.0),
        ("kt", "t", 1000.0),  # pint alone reads knot
        ("kt/yr", "t/yr", 1000.0),
        ("kW", "MW", 0.001),
        ("TWh", "GWh", 1000.0),
        ("tce", "GJ", 29.3076),
        ("Mtce", "ktce", 1000.0),
        ("km**2", "m**2", 1e6),
        ("hm**3", "m**3", 1e6),
        ("10k vehicles", "10k vehicles", 1.0),
        ("亿元", "亿元", 1.0),
    ],
)
def test_known_units_convert(from_unit: str, to_unit: str, expected: float) -> None:
    assert factor(from_unit, to_unit) == expected


@pytest.mark.parametrize(
    ("from_unit", "to_unit"),
    [
        ("t", "tce"),  # a tonne of coal is no tonne of coal equivalent
        ("kt", "kt/yr"),
        ("kt", "knot"),
        ("10k vehicles", "vehicles"),
        ("亿元", "万元"),
        ("degC", "kelvin"),  # an offset is no factor
        ("", "t"),
        ("10**9**9", "t"),
        ("2**99999999", "t"),
        ("__import__('os')", "t"),
        ("t" * 1000, "t"),
    ],
)
def test_what_cannot_be_converted_is_refused_in_no_time(from_unit: str, to_unit: str) -> None:
    with pytest.raises(UnitError):
        factor(from_unit, to_unit)


def test_equal_units_do_not_load_the_library() -> None:
    code = "import sys; from planner.units import factor; factor('kiln', 'kiln'); print('pint' in sys.modules)"
    root = Path(__file__).parent.parent
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
