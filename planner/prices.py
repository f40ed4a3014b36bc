r"""Prices on both sides of a row at an optimum where many bounds meet: slopes of the least cost, without solving anew.

At an optimal basis B the cost along a change of a row's bound is the dual of the row as long as no basic column or row
is pushed beyond a bound it stands at. Where some are, columns that are not basic must make room at their reduced cost:

$$ \min_{x \ge 0} \; d\,x \quad \text{so that} \quad v_k + \sum_j g_{k,j}\,x_j \; \text{leaves no bound} $$

for all basic k, with v their movement per unit of the change, g what a unit of each other column does to it, and d the
reduced costs, all in the inward direction. The rows of this program are found one by one: those that the last
answer pushes out. Its least value is what the price on that side differs from the dual by, exactly.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

Array = NDArray[np.float64]
Codes = NDArray[np.integer[Any]]
Least = Callable[[Array, csr_array, Array, Array], tuple[float, Array] | None]
"""Least cost over x >= 0 with rows between two bounds, and that x; none where there is none."""
NOTHING = 1e-9
"""Movement per unit below this is rounding [-]."""
ROUNDS = 200
"""Rounds after which a side is left to the solver."""
WORST = 12
"""Bounds that are added in a round at most."""


class Basis(Protocol):
    """What is asked of the factors of a basis."""

    def getBasisSolve(self, right: Array) -> tuple[Any, Array]: ...  # noqa: N802, D102

    def getBasisInverseRow(self, row: int) -> tuple[Any, Array]: ...  # noqa: N802, D102


@dataclass(frozen=True)
class Vertex:
    """An optimum as scaled: all arrays run over columns, then rows."""

    A: csr_array
    low: Array
    high: Array
    at: Array
    duals: Array
    """Reduced costs of columns, duals of rows."""
    basic: Codes
    """The basic column at each place; -1 - row for a row."""


class Sides:
    """Slopes of the least cost along changes of the upper bounds of rows, at one optimum."""

    def __init__(self, vertex: Vertex, basis: Basis, least: Least, step: float, zero: float) -> None:
        self.vertex, self.basis, self.least, self.step, self.zero = vertex, basis, least, step, zero
        columns = vertex.A.shape[1]
        self.columns = csc_array(vertex.A)
        self.of_row = vertex.basic < 0
        self.basic = np.where(self.of_row, columns - 1 - vertex.basic, vertex.basic)
        self.place = np.full(vertex.at.size, -1)
        self.place[self.basic] = np.arange(self.basic.size)
        self.toward = np.where(self.of_row, -1.0, 1.0)
        room = vertex.high - vertex.low
        still = np.flatnonzero((self.place < 0) & (room > 2 * step))
        down, up = vertex.at[still] - vertex.low[still], vertex.high[still] - vertex.at[still]
        free = still[np.isinf(down) & np.isinf(up)]
        self.movable = np.concatenate([still, free])
        """Columns and rows that are not basic and can move; those without any bound stand here once for each way."""
        self.inward = np.concatenate([np.where(down <= up, 1.0, -1.0), np.full(free.size, -1.0)])
        self.cost = np.maximum(vertex.duals[self.movable] * self.inward, 0.0)
        self.known: dict[int, tuple[Codes, Array]] = {}
        self.solved: dict[int, Array] = {}
        self.pushing: dict[int, tuple[Codes, Array]] = {}

    def slope(self, row: int, way: float) -> tuple[float, float] | None:
        """Cost per unit by which the upper bound of a row moves up (`way` 1) or down (-1), and how far that holds.

        Infinite where the bound cannot move that way. None where rounding leaves it open.
        """
        at = self.vertex.A.shape[1] + row
        own = int(self.place[at])
        dual = 0.0 if own >= 0 else float(self.vertex.duals[at])
        alone = way * self._alone(row, own)
        moving: Codes = np.zeros(0, dtype=np.int64)
        movement, amounts, extra = alone, np.zeros(0), 0.0
        asked: dict[tuple[int, float], None] = {}
        for _ in range(ROUNDS):
            if way > 0 and dual + extra >= -self.zero:  # loosening never costs, and it saves at most this
                return 0.0, np.inf
            blocked, reach = self._blocked(movement, moving, amounts)
            if not blocked.size:
                return dual * way + extra, reach
            fresh = [(k, float(np.sign(movement[k]))) for k in blocked.tolist()]
            if all(one in asked for one in fresh):
                return None
            asked.update(dict.fromkeys(fresh))
            found = self._room_made(list(asked), alone)
            if found is None:
                return np.inf, 0.0
            extra, moving, amounts = found
            movement = alone.copy()
            for one, amount in zip(moving.tolist(), amounts.tolist(), strict=True):
                which, by = self._pushed(one)
                movement[which] += by * amount
        return None

    def _alone(self, row: int, own: int) -> Array:
        """Movement of each basic column and row, seen from its own bounds, per unit by which a row's bound moves up."""
        if row not in self.solved:
            right = np.zeros(self.vertex.A.shape[0])
            right[row] = own < 0
            self.solved[row] = self._moved(right)
            if own >= 0:
                self.solved[row][own] -= 1.0
        return self.solved[row]

    def _moved(self, right: Array) -> Array:
        """What each basic column and row gains where rows gain this on their right side."""
        _, solved = self.basis.getBasisSolve(right)
        moved: Array = self.toward * solved
        return moved

    def _pushed(self, one: int) -> tuple[Codes, Array]:
        """Basic columns and rows that a movable one pushes, and by how much per unit."""
        if one not in self.pushing:
            which, columns = int(self.movable[one]), self.vertex.A.shape[1]
            right = np.zeros(self.vertex.A.shape[0])
            if which < columns:
                entries = slice(self.columns.indptr[which], self.columns.indptr[which + 1])
                right[self.columns.indices[entries]] = -self.columns.data[entries] * self.inward[one]
            else:
                right[which - columns] = self.inward[one]
            moved = self._moved(right)
            some = np.flatnonzero(np.abs(moved) > NOTHING)
            self.pushing[one] = some, moved[some]
        return self.pushing[one]

    def _blocked(self, movement: Array, moving: Codes, amounts: Array) -> tuple[Codes, float]:
        """Places whose basic column or row leaves a bound within the step, worst first; else how far all hold."""
        vertex = self.vertex
        some = np.flatnonzero(np.abs(movement) > NOTHING)
        which, by = self.basic[some], movement[some]
        room = np.where(by > 0, vertex.high[which] - vertex.at[which], vertex.at[which] - vertex.low[which])
        reach = np.maximum(room, 0.0) / np.abs(by)
        tight = np.flatnonzero(reach < 2 * self.step)
        if tight.size:
            worst = tight[np.argsort(-np.abs(by[tight]), kind="stable")[:WORST]]
            return some[worst], 0.0
        others = self.movable[moving]
        width = vertex.high[others] - vertex.low[others]
        ends = width[amounts > NOTHING] / amounts[amounts > NOTHING]
        return np.zeros(0, dtype=np.int64), float(min(reach.min(initial=np.inf), ends.min(initial=np.inf)))

    def _room_made(self, asked: list[tuple[int, float]], alone: Array) -> tuple[float, Codes, Array] | None:
        """The cheapest movement of others that keeps what was asked for within its bounds, and what it costs."""
        sides = np.array([side for _, side in asked])
        which, effects = zip(*(self._effect(k) for k, _ in asked), strict=True)
        counts = np.array([part.size for part in which])
        columns, values = np.concatenate(which), np.concatenate(effects) * np.repeat(sides, counts)
        useful = np.unique(columns[values < 0])
        limit = -alone[[k for k, _ in asked]] * sides
        at = np.minimum(np.searchsorted(useful, columns), max(useful.size - 1, 0))
        kept = useful[at] == columns if useful.size else np.zeros(columns.size, dtype=bool)
        starts = np.concatenate([[0], np.cumsum(kept)])[np.concatenate([[0], np.cumsum(counts)])]
        program = csr_array((values[kept], at[kept], starts), shape=(sides.size, useful.size))
        found = self.least(self.cost[useful], program, np.full(limit.size, -np.inf), limit)
        if found is None:
            return None
        value, amounts = found
        some = np.flatnonzero(amounts > 0)
        return value, useful[some], amounts[some]

    def _effect(self, k: int) -> tuple[Codes, Array]:
        """Movable columns and rows that do something to the basic one at a place, and what a unit of each does."""
        if k not in self.known:
            _, inverse = self.basis.getBasisInverseRow(k)
            both = np.concatenate([-(self.vertex.A.T @ inverse), inverse])
            effect = both[self.movable] * self.inward * self.toward[k]
            some = np.flatnonzero(np.abs(effect) > NOTHING)
            self.known[k] = some, effect[some]
        return self.known[k]
