"""Ways out: one change of the tables each, as large as its size says, as an edit and as a move of the model."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from planner.case import Case
from planner.conflict.model import Element, Model
from planner.rows import BUDGET_COLUMNS, Budget, Group, Measure, Pin, Quantity, Target
from planner.timing import path, span

EditMapping = dict[str, Any]


def tidy(number: float) -> float:
    """A number without the dirt of binary arithmetic.

    >>> tidy(0.1 + 0.2)
    0.3
    """
    return float(f"{number:.12g}")


class Single(ABC):
    """A change of one thing."""

    @property
    @abstractmethod
    def element(self) -> Element:
        """What it loosens."""

    @property
    def elements(self) -> tuple[Element, ...]:
        """That alone."""
        return (self.element,)


class Change(Protocol):
    """One way to loosen one thing: sizes grow from 0, and a larger one never asks for more."""

    @property
    def element(self) -> Element:
        """What it loosens."""
        ...

    @property
    def elements(self) -> tuple[Element, ...]:
        """All that it loosens."""
        ...

    @property
    def kind(self) -> str:
        """What is changed; names its words."""
        ...

    @property
    def whole(self) -> bool:
        """Whether sizes are whole years."""
        ...

    @property
    def most(self) -> float:
        """The largest size that makes sense."""
        ...

    @property
    def least(self) -> float:
        """A size below which it never suffices."""
        ...

    @property
    def before(self) -> float | None:
        """The number that is changed, where it is one."""
        ...

    def after(self, size: float) -> float | None:
        """The number it becomes."""
        ...

    def edits(self, size: float) -> list[EditMapping]:
        """The change as edits of the case."""
        ...

    def moved(self, model: Model, size: float) -> Model:
        """The model with the change."""
        ...


@dataclass(frozen=True)
class Ambition(Single):
    """A target asks for less: its value, or the yearly fall of a peak, moves by the size [unit of the value]."""

    target: Target
    column: str = "value"
    whole: bool = False
    least: float = 0.0

    @property
    def element(self) -> Element:
        """The target."""
        return Element("target", self.target.target)

    @property
    def kind(self) -> str:
        """Its words differ by what the column holds."""
        return "decline" if self.column == "decline" else "value"

    @property
    def before(self) -> float:
        """Value as it is."""
        return float(getattr(self.target, self.column) or 0.0)

    @property
    def most(self) -> float:
        """A share stays between 0 and 1.5, a change above -1, a fall above 0."""
        if self.column == "decline":
            return self.before
        down = self.target.sense == ">="
        if self.target.kind == "share":
            return self.before if down else 1.5 - self.before
        if self.target.kind in ("change", "intensity") and down:
            return self.before + 1.0
        return float("inf")

    def after(self, size: float) -> float:
        """Value it becomes."""
        down = self.column == "decline" or self.target.sense == ">="
        return tidy(self.before - size if down else self.before + size)

    def edits(self, size: float) -> list[EditMapping]:
        """One cell of `targets`."""
        key = {"target": self.target.target}
        return [{"table": "targets", "key": key, "set": {self.column: self.after(size)}}]

    def moved(self, model: Model, size: float) -> Model:
        """The rows of the target with its new value."""
        return model.with_target(self.target.model_copy(update={self.column: self.after(size)}))


@dataclass(frozen=True)
class Later(Single):
    """A target holds from some whole years later on."""

    target: Target
    first: int
    """First year it is decided in."""
    last: int
    """Last year of the plan."""
    whole: bool = True
    least: float = 1.0
    kind: str = "later"

    @property
    def element(self) -> Element:
        """The target."""
        return Element("target", self.target.target)

    @property
    def before(self) -> float:
        """The year that moves."""
        if self.target.kind == "peak":
            return float(self.target.by or self.first)
        if self.sums:
            return float(self.target.last_year or self.last)
        return float(max(self.target.first_year or self.first, self.first))

    @property
    def sums(self) -> bool:
        """Whether it counts several years together, so that a later last year helps."""
        return self.target.kind == "cumulative" or self.target.per == "span"

    @property
    def most(self) -> float:
        """Within the plan; a peak needs a year after it."""
        return max(0.0, self.last - self.before - (self.target.kind == "peak"))

    def after(self, size: float) -> float:
        """The year it becomes."""
        return self.before + size

    def _cells(self, size: float) -> EditMapping:
        year = int(self.after(size))
        if self.target.kind == "peak":
            return {"by": year}
        if self.sums:
            return {"last_year": year}
        last = self.target.last_year
        return {"first_year": year, **({"last_year": year} if last is not None and last < year else {})}

    def edits(self, size: float) -> list[EditMapping]:
        """Years of the row of `targets`."""
        return [{"table": "targets", "key": {"target": self.target.target}, "set": self._cells(size)}]

    def moved(self, model: Model, size: float) -> Model:
        """The rows of the target in its new years."""
        return model.with_target(self.target.model_copy(update=self._cells(size)))


@dataclass(frozen=True)
class Money(Single):
    """A budget has more in every year it names, or in one year [currency]."""

    rows: tuple[Budget, ...]
    years: tuple[int, ...]
    """Years of the budget."""
    year: int | None = None
    whole: bool = False
    least: float = 0.0
    most: float = float("inf")

    @property
    def element(self) -> Element:
        """The budget."""
        return Element("budget", self.rows[0].budget)

    @property
    def kind(self) -> str:
        """Its words name the year where it is one."""
        if self.year is not None:
            return "budget_year"
        return "budget" if self.rows[0].per == "year" and len(self.years) > 1 else "budget_span"

    @cached_property
    def _limits(self) -> dict[int, float]:
        points = {row.year: row.limit for row in self.rows}
        return dict(zip(self.years, path(points, self.years).tolist(), strict=True))

    @property
    def before(self) -> float:
        """The limit of the year, or the first there is."""
        return self._limits[self.year] if self.year is not None else self.rows[0].limit

    def after(self, size: float) -> float:
        """The limit it becomes."""
        return tidy(self.before + size)

    def edits(self, size: float) -> list[EditMapping]:
        """Limits of the rows of the budget; for one year every year gets a row of its own."""
        b = self.rows[0].budget
        if self.year is None:
            return [
                {
                    "table": "budgets",
                    "key": {"budget": b, "year": row.year},
                    "set": {"limit": tidy(row.limit + size)},
                }
                for row in self.rows
            ]
        dated = {row.year for row in self.rows}
        head = {name: getattr(self.rows[0], name) for name in (*BUDGET_COLUMNS, "name_zh", "name_en", "source")}
        head = {name: value for name, value in head.items() if value not in (None, (), False)}
        found: list[EditMapping] = []
        for y, limit in self._limits.items():
            value = tidy(limit + size * (y == self.year))
            if y in dated:
                found.append({"table": "budgets", "key": {"budget": b, "year": y}, "set": {"limit": value}})
            else:
                found.append({"table": "budgets", "add": {"budget": b, **head, "year": y, "limit": value}})
        return found

    def moved(self, model: Model, size: float) -> Model:
        """Higher limits; what is carried over adds up."""
        rows = model.rows_of.get(self.element, np.zeros(0, dtype=np.int64))
        carried = self.rows[0].carry_over
        more = np.zeros(rows.size)
        for i, row in enumerate(rows.tolist()):
            y = int(model.rows[row][1][1])
            counted = [year for year in self.years if year <= y] if carried else [y]
            if self.rows[0].per == "span":
                counted = counted[-1:]
            more[i] = size * (len(counted) if self.year is None else self.year in counted)
        return model.with_limits(rows, more)


@dataclass(frozen=True)
class Wish(Single):
    """A pin asks for less or allows more [unit of the measure]."""

    pin: Pin
    column: str
    least: float = 0.0
    """Above 0 where it cannot hold in a year without anything to pin."""
    whole: bool = False

    @property
    def element(self) -> Element:
        """The pin."""
        return Element("pin", self.pin.pin)

    @property
    def kind(self) -> str:
        """Its words differ by side."""
        return f"pin_{self.column}"

    @property
    def before(self) -> float:
        """The bound as it is."""
        return float(getattr(self.pin, self.column))

    @property
    def most(self) -> float:
        """A least amount falls to zero at most."""
        return self.before if self.column == "min" else float("inf")

    def after(self, size: float) -> float:
        """The bound it becomes."""
        return max(0.0, tidy(self.before - size if self.column == "min" else self.before + size))

    def edits(self, size: float) -> list[EditMapping]:
        """One cell of `pins`."""
        return [{"table": "pins", "key": {"pin": self.pin.pin}, "set": {self.column: self.after(size)}}]

    def moved(self, model: Model, size: float) -> Model:
        """Looser rows of the pin."""
        family = "pin_at_least" if self.column == "min" else "pin_at_most"
        rows = model.rows_of.get(self.element, np.zeros(0, dtype=np.int64))
        chosen = np.array([i for i in rows.tolist() if model.rows[i][0] == family], dtype=np.int64)
        return model.with_limits(chosen, np.full(chosen.size, size))


@dataclass(frozen=True)
class Floor(Single):
    """A floor lies lower [unit of the quantity]."""

    quantity: Quantity
    whole: bool = False
    least: float = 0.0
    kind: str = "floor"
    most: float = float("inf")

    @property
    def element(self) -> Element:
        """The quantity's floor."""
        return Element("floor", self.quantity.quantity)

    @property
    def before(self) -> float:
        """The floor as it is."""
        return float(self.quantity.floor or 0.0)

    def after(self, size: float) -> float:
        """The floor it becomes."""
        return tidy(self.before - size)

    def edits(self, size: float) -> list[EditMapping]:
        """One cell of `quantities`."""
        key = {"quantity": self.quantity.quantity}
        return [{"table": "quantities", "key": key, "set": {"floor": self.after(size)}}]

    def moved(self, model: Model, size: float) -> Model:
        """Lower floors."""
        rows = model.rows_of.get(self.element, np.zeros(0, dtype=np.int64))
        return model.with_limits(rows, np.full(rows.size, size))


@dataclass(frozen=True)
class Room(Single):
    """A group has a larger cap, or more is free of providers [unit of the group]."""

    rows: tuple[Group, ...]
    whole: bool = False
    least: float = 0.0
    most: float = float("inf")

    @property
    def element(self) -> Element:
        """The group."""
        return Element("group", self.rows[0].group)

    @property
    def kind(self) -> str:
        """cap or free."""
        return "cap" if self.rows[0].kind == "shared" else "free"

    def _value(self, row: Group) -> float:
        return float((row.cap if self.kind == "cap" else row.free) or 0.0)

    @property
    def before(self) -> float:
        """The amount as it is."""
        return self._value(self.rows[0])

    def after(self, size: float) -> float:
        """The amount it becomes."""
        return tidy(self.before + size)

    def edits(self, size: float) -> list[EditMapping]:
        """The cell of every row of the group, year by year."""
        by_year = {row.year: self._value(row) for row in self.rows}
        g = self.rows[0].group
        return [
            {"table": "groups", "key": {"group": g, "year": year}, "set": {self.kind: tidy(value + size)}}
            for year, value in by_year.items()
        ]

    def moved(self, model: Model, size: float) -> Model:
        """Higher caps."""
        rows = model.rows_of.get(self.element, np.zeros(0, dtype=np.int64))
        return model.with_limits(rows, np.full(rows.size, size))


@dataclass(frozen=True)
class Potential(Single):
    """A measure has more potential in every city; the size is the part that is added [-]."""

    measure: Measure
    cells: tuple[tuple[str, int | None, float], ...]
    """City, year and potential of its rows."""
    whole: bool = False
    least: float = 0.0
    kind: str = "potential"
    before: float | None = None
    most: float = 1e4

    @property
    def element(self) -> Element:
        """The potential of the measure."""
        return Element("potential", self.measure.measure)

    def after(self, size: float) -> float | None:
        """Every city has a number of its own."""
        return None

    def edits(self, size: float) -> list[EditMapping]:
        """Every row of the measure in `potentials`."""
        m = self.measure.measure
        return [
            {
                "table": "potentials",
                "key": {"measure": m, "city": c, "year": y},
                "set": {"potential": tidy(value * (1 + size))},
            }
            for c, y, value in self.cells
        ]

    def moved(self, model: Model, size: float) -> Model:
        """More stock and more starts."""
        return model.with_potential(self.measure.measure, 1 + size)


@dataclass(frozen=True)
class Ramp(Single):
    """A measure can be built faster; the size is the part of the ramp that is added [-]."""

    measure: Measure
    whole: bool = False
    least: float = 0.0
    kind: str = "ramp"

    @property
    def element(self) -> Element:
        """The ramp of the measure."""
        return Element("ramp", self.measure.measure)

    @property
    def before(self) -> float:
        """The ramp as it is."""
        return self.measure.ramp

    @property
    def most(self) -> float:
        """All of the potential in one year."""
        return 1 / self.measure.ramp - 1

    def after(self, size: float) -> float:
        """The ramp it becomes."""
        return min(1.0, tidy(self.before * (1 + size)))

    def edits(self, size: float) -> list[EditMapping]:
        """One cell of `measures`."""
        key = {"measure": self.measure.measure}
        return [{"table": "measures", "key": key, "set": {"ramp": self.after(size)}}]

    def moved(self, model: Model, size: float) -> Model:
        """More starts."""
        return model.with_ramp(self.measure.measure, self.after(size) / self.before)


@dataclass(frozen=True)
class Earlier(Single):
    """A measure may start some whole years earlier."""

    measure: Measure
    first: int
    """First year that is decided."""
    whole: bool = True
    least: float = 1.0
    kind: str = "first_year"

    @property
    def element(self) -> Element:
        """The first year of the measure."""
        return Element("first_year", self.measure.measure)

    @property
    def before(self) -> float:
        """Its first year."""
        return float(self.measure.first_year or self.first)

    @property
    def most(self) -> float:
        """Up to the first year that is decided."""
        return max(0.0, self.before - self.first)

    def after(self, size: float) -> float:
        """The year it becomes."""
        return self.before - size

    def edits(self, size: float) -> list[EditMapping]:
        """One cell of `measures`."""
        key = {"measure": self.measure.measure}
        return [{"table": "measures", "key": key, "set": {"first_year": int(self.after(size))}}]

    def moved(self, model: Model, size: float) -> Model:
        """Starts in earlier years."""
        return model.with_early(self.measure.measure, int(self.after(size)))


@dataclass(frozen=True)
class Raise(Single):
    """A budget has more in every year it names; the size is the part that is added [-]."""

    rows: tuple[Budget, ...]
    whole: bool = False
    least: float = 0.0
    kind: str = "budget_part"
    before: float | None = None
    most: float = 1e4

    @property
    def element(self) -> Element:
        """The budget."""
        return Element("budget", self.rows[0].budget)

    def after(self, size: float) -> float | None:
        """Every year may have a limit of its own."""
        return None

    def edits(self, size: float) -> list[EditMapping]:
        """Limits of the rows of the budget."""
        return [
            {
                "table": "budgets",
                "key": {"budget": row.budget, "year": row.year},
                "set": {"limit": tidy(row.limit * (1 + size))},
            }
            for row in self.rows
        ]

    def moved(self, model: Model, size: float) -> Model:
        """Higher limits."""
        rows = model.rows_of.get(self.element, np.zeros(0, dtype=np.int64))
        limits = [model.problem.budget_limit[str(key[0]), int(key[1])] for _, key in (model.rows[i] for i in rows)]
        more = size * np.array(limits)
        return model.with_limits(rows, more)


@dataclass(frozen=True)
class Alike:
    """Several things of a kind give by the same part [-]."""

    each: tuple[Raise | Ramp | Potential, ...]
    whole: bool = False
    least: float = 0.0
    before: float | None = None

    @property
    def element(self) -> Element:
        """The first of them."""
        return self.each[0].element

    @property
    def elements(self) -> tuple[Element, ...]:
        """All of them."""
        return tuple(change.element for change in self.each)

    @property
    def kind(self) -> str:
        """What gives."""
        return f"all_{self.each[0].kind}"

    @property
    def most(self) -> float:
        """As far as each can."""
        return min(change.most for change in self.each)

    def after(self, size: float) -> float | None:
        """Each has a number of its own."""
        return None

    def edits(self, size: float) -> list[EditMapping]:
        """The edits of all."""
        return [edit for change in self.each for edit in change.edits(size)]

    def moved(self, model: Model, size: float) -> Model:
        """Moved by all."""
        for change in self.each:
            model = change.moved(model, size)
        return model


def alike(case: Case, model: Model, elements: Sequence[Element]) -> Iterator[Alike]:
    """Ways to loosen several things of a kind among `elements` by the same part: budgets, ramps, potentials."""
    of_kind = {kind: [e for e in elements if e.kind == kind] for kind in ("budget", "ramp", "potential")}
    budgets = [tuple(row for row in case.budgets if row.budget == element.id) for element in of_kind["budget"]]
    ways: list[tuple[Raise | Ramp | Potential, ...]] = [tuple(Raise(rows) for rows in budgets)]
    for kind in ("ramp", "potential"):
        singles = [change for element in of_kind[kind] for change in changes(case, model, element)]
        ways.append(tuple(change for change in singles if isinstance(change, Ramp | Potential)))
    yield from (Alike(each) for each in ways if len(each) > 1)


def changes(case: Case, model: Model, element: Element, years: Sequence[int] = ()) -> Iterator[Change]:
    """Every way to loosen an element; `years` are those of its rows that clash."""
    problem = model.problem
    first = problem.decided_after + 1
    if element.kind == "target":
        target = next(row for row in case.targets if row.target == element.id)
        if target.value is not None:
            yield Ambition(target)
        if target.kind == "peak" and target.decline:
            yield Ambition(target, "decline")
        shorter = target.kind == "cumulative" and target.sense == "<="
        if not shorter:
            yield Later(target, first, problem.last)
    elif element.kind == "budget":
        rows = tuple(row for row in case.budgets if row.budget == element.id)
        inside = tuple(span(rows[0].first_year, rows[0].last_year, problem.years))
        one = min(years) if years and (rows[0].carry_over or len(set(years)) == 1) else None
        yield Money(rows, inside)
        if rows[0].per == "year" and len(inside) > 1 and one is not None:
            yield Money(rows, inside, one)
    elif element.kind == "pin":
        pin = next(row for row in case.pins if row.pin == element.id)
        if pin.min:
            empty = any(key[0] == pin.pin for _, key in problem.contradictions)
            yield Wish(pin, "min", pin.min if empty else 0.0)
        if pin.max is not None:
            yield Wish(pin, "max")
    elif element.kind == "floor":
        yield Floor(next(row for row in case.quantities if row.quantity == element.id))
    elif element.kind == "group":
        members = tuple(row for row in case.groups if row.group == element.id)
        capped = members[0].kind == "shared" and members[0].cap is not None
        if capped or members[0].kind == "requires":
            yield Room(members)
    else:
        measure = next(row for row in case.measures if row.measure == element.id)
        if element.kind == "potential":
            rows_ = [row for row in case.potentials if row.measure == element.id]
            yield Potential(measure, tuple((row.city, row.year, row.potential) for row in rows_))
        elif element.kind == "ramp" and measure.ramp < 1:
            yield Ramp(measure)
        elif element.kind == "first_year" and measure.first_year:
            yield Earlier(measure, first)
