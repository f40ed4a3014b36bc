"""Solution: what the solver found, as plain data in the units of the case."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Status = Literal["optimal", "within_gap", "limit", "infeasible", "unbounded", "unknown"]
Proof = Literal["certificate", "farkas", "elastic", "arithmetic", "none"]


@dataclass(frozen=True)
class StageValue:
    """Value of one objective: what its own stage proved, and what the final plan has [its unit]."""

    name: str
    value: float
    final: float


@dataclass(frozen=True)
class Slopes:
    """Price of a row on both sides, per unit of its right side [discounted currency], and how far each holds."""

    loosen: float
    """What the first unit of loosening saves."""
    tighten: float | None
    """What the first unit of tightening costs; none where it cannot be tightened."""
    loosen_room: float
    """How far the row can be loosened, at least, before that price changes [unit of the row]."""
    tighten_room: float
    """How far it can be tightened, at least, before that price changes [unit of the row]."""


@dataclass(frozen=True)
class Solution:
    """Columns and duals of a solve; arrays are empty when there is no plan.

    Duals are those of the stage `cost`: change of the net present value per unit of a row's right side, discounted.
    """

    status: Status
    proof: Proof
    values: NDArray[np.float64]
    duals: NDArray[np.float64]
    reduced_costs: NDArray[np.float64]
    held_duals: dict[str, float] = field(default_factory=dict)
    """Dual of keeping each earlier stage: its objective, written to be least, within its limit."""
    stage_duals: dict[str, tuple[NDArray[np.float64], dict[str, float]]] = field(default_factory=dict)
    """Duals of the rows, and of earlier stages that are kept, in each other stage, written to be least."""
    slopes: dict[int, Slopes] = field(default_factory=dict)
    """Prices by row, of the rows that were asked for."""
    stages: tuple[StageValue, ...] = ()
    gap: float = 0.0
    tie_broken: bool = False
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether there is a plan."""
        return self.values.size > 0
