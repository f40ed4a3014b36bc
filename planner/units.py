"""Unit names and conversion: the only door to pint.

Units that pint does not know (`10k vehicles`, `kiln`) are welcome: each is equal to itself and to nothing else.
"""

import re
from functools import cache
from typing import Any

DEFINITIONS = (
    "kt = 1000 * metric_ton",  # pint alone reads knot
    "Mt = 1000000 * metric_ton",
    "tce = 29.3076 * gigajoule",  # 7000 kcal per kg, GB/T 2589
    "ktce = 1000 * tce",
    "Mtce = 1000000 * tce",
)
# Powers of powers would keep the parser busy for ever; nobody needs them in a unit.
PLAIN = re.compile(r"[A-Za-z0-9%µ°²³ ./()_-]*(?:(?:\*{1,2})[A-Za-z0-9%µ°²³ ./()_-]+)*")
LONGEST = 60
POWER = {"kW": 1e-3, "MW": 1.0, "GW": 1e3, "千瓦": 1e-3, "兆瓦": 1.0, "万千瓦": 10.0}
"""Units of power [MW]."""
ELECTRICITY = {"kWh": 1e-6, "MWh": 1e-3, "GWh": 1.0, "TWh": 1e3, "千瓦时": 1e-6, "万千瓦时": 0.01, "亿千瓦时": 100.0}
"""Units of electricity [GWh]."""
FUEL = {"tce": 8.141e-3, "ktce": 8.141, "Mtce": 8141.0, "GJ": 1 / 3600, "TJ": 1 / 3.6, "PJ": 1000 / 3.6}
"""Units of fuel [GWh]."""
HOURS = 8784
"""Hours of a leap year [h]."""
LEAST_EFFICIENCY = 0.25
"""No plant needs more fuel for its power [-]."""


class UnitError(ValueError):
    """Two units that cannot be converted into each other."""


def factor(from_unit: str, to_unit: str) -> float:
    """What one `from_unit` is in `to_unit` [-].

    >>> factor("10k vehicles", "10k vehicles")
    1.0
    >>> factor("Mt", "kt")
    1000.0
    """
    if from_unit == to_unit:
        return 1.0
    return _converted(from_unit, to_unit)


def full_year(own: str, unit: str) -> float | None:
    """Most of `unit` that one `own` of power can be or make in a year; None where one of the two is something else.

    >>> full_year("MW", "GWh"), full_year("10 MW", "kW"), full_year("kiln", "GWh")
    (8.784, 10000.0, None)
    """
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)?\s*(\S+)", own)
    if parts is None or parts[2] not in POWER:
        return None
    power = float(parts[1] or 1) * POWER[parts[2]]
    energy = power * HOURS / 1000
    for units, most in ((POWER, power), (ELECTRICITY, energy), (FUEL, energy / LEAST_EFFICIENCY)):
        if unit in units:
            return most / units[unit]
    return None


def is_mass_and_energy(unit: str, other: str) -> bool:
    """Whether one is a mass and the other an energy of fuel, as t and tce of coal.

    >>> is_mass_and_energy("kt", "ktce"), is_mass_and_energy("GJ", "t"), is_mass_and_energy("kt", "GWh")
    (True, True, False)
    """
    mass = other if unit in FUEL else unit
    if mass in FUEL or not {unit, other} & set(FUEL):
        return False
    try:
        factor(mass, "t")
    except UnitError:
        return False
    return True


@cache
def _registry() -> Any:
    import pint  # noqa: PLC0415  slow to import, and most cases never need it

    registry: Any = pint.UnitRegistry(on_redefinition="ignore")
    for definition in DEFINITIONS:
        registry.define(definition)
    return registry


@cache
def _converted(from_unit: str, to_unit: str) -> float:
    registry = _registry()
    quantities = []
    for unit in (from_unit, to_unit):
        if len(unit) > LONGEST or not PLAIN.fullmatch(unit) or re.search(r"\*\*\s*-?\d{2}|\*\*.*\*\*", unit):
            raise UnitError(unit)
        try:
            quantity = registry.Quantity(unit)
            if not quantity._is_multiplicative:  # temperatures have an offset, not only a factor
                raise UnitError(unit)
        except Exception as fault:  # pint's parser raises many kinds, some of them Python's own
            raise UnitError(unit) from fault
        quantities.append(quantity)
    try:
        ratio = float((quantities[0] / quantities[1]).to("dimensionless").magnitude)
    except Exception as fault:
        raise UnitError(f"{from_unit} -> {to_unit}") from fault
    return float(f"{ratio:.15g}")  # 1 TWh is 1000 GWh, not 1000.0000000000001
