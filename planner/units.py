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
