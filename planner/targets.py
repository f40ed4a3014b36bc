"""Kinds of target: the bound that a row of `targets.csv` means, year by year."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from planner.rows import Target
from planner.timing import consecutive, span


class LevelSource(Protocol):
    """What a kind needs to know of the problem."""

    @property
    def years(self) -> list[int]:
        """Years of the plan."""
        ...

    @property
    def base_year(self) -> int:
        """Year that changes are measured from."""
        ...

    def level(self, what: str, scope: str = ..., sectors: Iterable[str] = ...) -> str:
        """Id of a level of a quantity, `capex`, `cost` or a fund."""
        ...

    def base_level(self, level: str) -> float:
        """Level in the base year."""
        ...

    def baseline_of(self, level: str, offset: int = ...) -> NDArray[np.float64]:
        """Baseline over the plan years."""
        ...

    def old_change_of(self, level: str) -> NDArray[np.float64]:
        """What stock commissioned up to the base year changes."""
        ...

    def driver(self, name: str, scope: str) -> dict[int, float]:
        """Path of a driver over base year and plan."""
        ...


@dataclass(frozen=True)
class Side:
    """One side of a bound: a sum of weighted levels and a constant [unit of the target's quantity]."""

    terms: Mapping[tuple[str, int], float] = field(default_factory=dict)
    constant: float = 0.0

    def value(self, level: Mapping[tuple[str, int], float]) -> float:
        """The side with the levels of a plan."""
        return self.constant + sum(weight * level[key] for key, weight in self.terms.items())


@dataclass(frozen=True)
class Bound:
    """`achieved` {<=, >=} `bound` in `year`, the last year it counts; parts tell rows of one target and year apart."""

    year: int
    achieved: Side
    sense: str | None
    bound: Side
    part: str = ""
    price_unit: float = 1.0
    """Times the dual of the row, it is the price per unit that DESIGN.md names for the kind [-]."""

    @property
    def sign(self) -> float:
        """1 for `<=`, -1 for `>=`: bounds are written excess <= 0."""
        return 1.0 if self.sense == "<=" else -1.0

    @property
    def excess(self) -> dict[tuple[str, int], float]:
        """Weights of the levels in sign * (achieved - bound)."""
        weights: dict[tuple[str, int], float] = {}
        for side, sign in ((self.achieved, self.sign), (self.bound, -self.sign)):
            for key, weight in side.terms.items():
                weights[key] = weights.get(key, 0.0) + sign * weight
        return weights

    @property
    def limit(self) -> float:
        """Largest value of the weighted levels: excess <= limit + miss."""
        return self.sign * (self.bound.constant - self.achieved.constant)


def one(level: str, year: int, weight: float = 1.0) -> Side:
    """A single level."""
    return Side({(level, year): weight})


def stated(target: Target) -> float:
    """Value of a kind that needs one."""
    if target.value is None:
        raise ValueError(f"target {target.target} states no value")
    return target.value


def level(target: Target, levels: LevelSource, years: Sequence[int]) -> Iterator[Bound]:
    r"""$X_{q,y} \lessgtr v$."""
    x = levels.level(target.quantity, target.scope, target.sectors)
    for y in years:
        yield Bound(y, one(x, y), target.sense, Side(constant=stated(target)))


def change(target: Target, levels: LevelSource, years: Sequence[int]) -> Iterator[Bound]:
    r"""$X_{q,y} \lessgtr (1+v)\,X_{q,b}$."""
    x = levels.level(target.quantity, target.scope, target.sectors)
    base = levels.base_level(x)
    for y in years:
        yield Bound(y, one(x, y), target.sense, Side(constant=(1 + stated(target)) * base))


def abated(target: Target, levels: LevelSource, years: Sequence[int]) -> Iterator[Bound]:
    r"""$B_{q,y} - X_{q,y} + E_{q,y} \ge v$, E what stock commissioned up to the base year does; per span: summed."""
    x = levels.level(target.quantity, target.scope, target.sectors)
    constant = dict(zip(levels.years, levels.baseline_of(x) + levels.old_change_of(x), strict=True))
    for counted in [years] if target.per == "span" else [[y] for y in years]:
        if counted:
            achieved = Side({(x, y): -1.0 for y in counted}, float(sum(constant[y] for y in counted)))
            yield Bound(counted[-1], achieved, target.sense, Side(constant=stated(target)))


def share(target: Target, levels: LevelSource, years: Sequence[int]) -> Iterator[Bound]:
    r"""$X_{q,y} \lessgtr v\,X_{q',y}$: multiplied out, so it stays linear."""
    part = levels.level(target.quantity, target.scope, target.sectors)
    whole = levels.level(target.of or "", target.scope)
    for y in years:
        yield Bound(y, one(part, y), target.sense, one(whole, y, stated(target)))


def intensity(target: Target, levels: LevelSource, years: Sequence[int]) -> Iterator[Bound]:
    r"""$X_{q,y} / D_y \le (1+v)\,X_{q,b} / D_b$, multiplied by $D_y$."""
    x = levels.level(target.quantity, target.scope, target.sectors)
    driver = levels.driver(target.of or "", target.scope)
    base = levels.base_level(x)
    for y in years:
        growth = driver[y] / driver[levels.base_year]
        bound = Side(constant=(1 + stated(target)) * base * growth)
        yield Bound(y, one(x, y), target.sense, bound, price_unit=growth)


def cumulative(target: Target, levels: LevelSource, years: Sequence[int]) -> Iterator[Bound]:
    r"""$\sum_y X_{q,y} \lessgtr v$."""
    x = levels.level(target.quantity, target.scope, target.sectors)
    if years:
        achieved = Side({(x, y): 1.0 for y in years})
        yield Bound(years[-1], achieved, target.sense, Side(constant=stated(target)))


def peak(target: Target, levels: LevelSource, years: Sequence[int]) -> Iterator[Bound]:
    r"""$X_{q,y+1} \le (1-\text{decline})\,X_{q,y}$ for $y \ge by$; with a value also $X_{q,y} \le v$."""
    x = levels.level(target.quantity, target.scope, target.sectors)
    after = [y for y in levels.years if target.by is None or y >= target.by]
    for y, following in consecutive(after):
        bound = one(x, y, 1 - target.decline)
        yield Bound(following, one(x, following), target.sense, bound)
    if target.value is not None:
        for y in after:
            yield Bound(y, one(x, y), target.sense, Side(constant=target.value), part="value")


KINDS: dict[str, Callable[[Target, LevelSource, Sequence[int]], Iterator[Bound]]] = {
    kind.__name__: kind for kind in (level, change, abated, share, intensity, cumulative, peak)
}


def bounds(target: Target, levels: LevelSource) -> Iterator[Bound]:
    """The rows that `target` asks for, in years of the plan."""
    return KINDS[target.kind](target, levels, span(target.first_year, target.last_year, levels.years))
