"""Random edits of every kind to the numbers and rows of a case, as people make them at a table."""

import random
from collections.abc import Callable, Iterator
from typing import Any

from planner.case import Case
from planner.errors import CaseError

Edit = dict[str, Any]
NUMBERS = {
    "target": ("targets", "value"),
    "budget": ("budgets", "limit"),
    "pin": ("pins", "min"),
    "price": ("prices", "price"),
    "capex": ("measures", "capex"),
    "running cost": ("measures", "fixed_om"),
    "ramp": ("measures", "ramp"),
    "potential": ("potentials", "potential"),
    "effect": ("effects", "value"),
    "baseline": ("baseline", "value"),
    "penalty": ("targets", "soft_penalty"),
}
"""Kind of edit, table and column of what it changes."""
SWITCHES = {"no target": "targets", "no budget": "budgets", "no group": "groups", "no pin": "pins"}
KINDS = (*NUMBERS, *SWITCHES, "discounting", "new target")


def key_of(row: Any) -> dict[str, Any]:
    """The key that names a row."""
    return {name: getattr(row, name) for name in type(row).key}


def number(rng: random.Random, case: Case, kind: str) -> Edit | None:
    """Another value of a number: usually near, at times far."""
    table, column = NUMBERS[kind]
    rows = [row for row in case.rows(table) if getattr(row, column)]
    if not rows:
        return None
    row = rng.choice(rows)
    value = float(getattr(row, column)) * (1 + rng.choice((0.01, 0.05, 0.2)) * rng.uniform(-1, 1))
    if column == "ramp":
        value = min(1.0, value)
    return {"table": table, "key": key_of(row), "set": {column: float(f"{value:.5g}")}}


def drawn(rng: random.Random, case: Case, kind: str) -> Edit | None:
    """An edit of a kind; none where the case has nothing of it."""
    if kind in NUMBERS:
        return number(rng, case, kind)
    if kind in SWITCHES:
        rows = case.rows(SWITCHES[kind])
        return {"table": SWITCHES[kind], "key": key_of(rng.choice(rows)), "remove": True} if rows else None
    if kind == "discounting":
        return {"setting": "discount_rate", "value": round(rng.uniform(0.02, 0.09), 4)}
    quantity = rng.choice([row.quantity for row in case.quantities])
    base = sum(row.value for row in case.baseline if row.quantity == quantity and row.year == case.settings.base_year)
    year = rng.randint(case.settings.first_year, case.settings.last_year)
    row = {"kind": "level", "quantity": quantity, "sense": "<=", "value": float(f"{1.1 * base + 1:.5g}")}
    return {"table": "targets", "add": {"target": f"new_{rng.randrange(10**6)}", **row, "first_year": year}}


def edits(rng: random.Random, current: Callable[[], Case], count: int, kinds: tuple[str, ...] = KINDS) -> Iterator[Any]:
    """So many edits that the case accepts, each of the case as it stands when it is drawn, with their kinds."""
    made = 0
    for _ in range(20 * count):
        if made == count:
            return
        kind = rng.choice(kinds)
        edit = drawn(rng, current(), kind)
        if edit is None:
            continue
        try:
            current().edited([edit])
        except CaseError:
            continue
        made += 1
        yield kind, edit
