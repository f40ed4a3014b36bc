"""Regret of short-sightedness: goals one horizon after another, on what was started before, against all at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.case import Case
from planner.compile import Matrix, Stage, compile_problem
from planner.engine import Options, Progress, cancellable
from planner.errors import CaseError, InfeasibleError, Place, SolverError, error
from planner.plan import MISSED, csv_text, earliness
from planner.probe import ROOMS, Codes, Probe, Starts, held
from planner.problem import Problem
from planner.saving import write_files
from planner.solution import Solution
from planner.stages import solve as run

Array = NDArray[np.float64]
WORSE = 1e-6
"""Part of its own size by which a target must be missed more to count [-]."""
GONE = 1e-6
"""Part of a potential that must be out of reach to count as lost [-]."""
STAGES = ("horizon", "status", "cost")
TARGETS = ("target", "year", "hard", "joint", "missed")
LOST = ("measure", "horizon", "joint", "reachable", "lost")


@dataclass(frozen=True)
class Regret:
    """What it costs to plan for one horizon at a time."""

    joint: float
    """Cost of the plan for all goals at once [net present value, currency]."""
    sighted: float
    """Cost of what short-sighted planning ends with; hard targets that it misses are not priced [currency]."""
    stages: pd.DataFrame
    """Columns `horizon`, `status` (optimal, or best_effort where hard targets could no longer be kept), `cost` of the
    plan made for it."""
    targets: pd.DataFrame
    """Targets missed more than in the joint plan: `target`, `year`, `hard`, missed in the `joint` plan and in the end,
    `missed` [unit of the quantity]."""
    lost: pd.DataFrame
    """Options that are gone, of measures that end below the joint plan: `measure`, after which first `horizon`; its
    stock in the last year of the `joint` plan, the most `reachable` by then whatever else is given up, and what is
    `lost` of it [unit of the measure]."""
    kept: bool
    """Whether all hard targets are still kept in the end."""
    starts: pd.DataFrame = field(repr=False)
    """What short-sighted planning starts: `measure`, `city`, `year`, `starts`."""

    @property
    def money(self) -> float:
        """Regret in money: what the short-sighted plan costs more [currency]. It can be below zero only where hard
        targets are missed.
        """
        return self.sighted - self.joint

    def write(self, folder: Path | str) -> None:
        """Write `stages.csv`, `targets.csv`, `lost.csv` and `starts.csv`, all or none. Raises OSError."""
        frames = {"stages": self.stages, "targets": self.targets, "lost": self.lost, "starts": self.starts}
        write_files(Path(folder), {f"{name}.csv": csv_text(frame).encode() for name, frame in frames.items()})


def regret(
    case: Case,
    years: Sequence[int],
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Regret:
    """Plan for the goals up to the first of `years`, keep what was started until then, plan for the next, and so on.

    A horizon knows every target that begins by its year, all of it, and none after (one over several years, as a
    cumulative cap, begins with its last);
    budgets, limits, prices and costs are known to the end, so that only goals are overlooked. After the last of `years`
    all goals are asked for. Each plan is of least cost, ties broken as `solve` does. Where what was started before
    leaves no plan that keeps all hard targets asked for, the one that misses them least is taken, each miss as a part
    of its target's own size. Raises CaseError for years outside the plan, InfeasibleError without a joint plan,
    SolverError, CancelledError.
    """
    first, last = case.settings.first_year, case.settings.last_year
    horizons = sorted(set(years))
    for year in horizons:
        if not first <= year <= last:
            raise CaseError([error("axis_year", Place("--years"), found=year, first=first, last=last)])
    told = cancellable(progress, cancel)
    walk = Walk(case, replace(options or Options(), prices=False, certify=False), told)
    joint = walk.solved(last, "joint")
    if joint is None:
        raise InfeasibleError("the case has no plan")
    ends = [*(year for year in horizons if year < last), last]
    stages, frozen = [], []
    found: Solution = joint
    for year in ends:
        step = walk.solved(year, f"horizon {year}")
        found = walk.best_effort(year, f"horizon {year}") if step is None else step
        stages.append((year, "best_effort" if step is None else "optimal", walk.cost(found, year)))
        walk.freeze(found.values, year)
        if year != last:
            frozen.append((year, found.values))
    lost = []
    for year, plan in frozen:
        walk.freeze(plan, year)
        lost += walk.lost(joint.values, found.values, year)
    missed = walk.missed(joint, found)
    gone = pd.DataFrame(lost, columns=list(LOST)).drop_duplicates("measure", keep="first")
    return Regret(
        walk.cost(joint, last),
        walk.cost(found, last),
        pd.DataFrame(stages, columns=list(STAGES)),
        missed,
        gone.reset_index(drop=True),
        not missed["hard"].any(),
        walk.starts.frame(found.values),
    )


class Walk:
    """A case whose starts are decided horizon by horizon."""

    def __init__(self, case: Case, options: Options, progress: Progress | None) -> None:
        self.options, self.progress = options, progress
        own = case.edited([{"setting": "objective", "value": ["cost"]}])
        self.problem = Problem(own, best_effort=True)
        if self.problem.contradictions:
            raise InfeasibleError("the case has no plan")
        self.matrix = compile_problem(self.problem)
        self.starts = Starts(self.problem, self.matrix)
        self.stage = next(stage for stage in self.matrix.stages if stage.name == "cost")
        hard = {row.target for row in case.targets if row.soft_penalty is None}
        rows, columns = self.matrix.row, self.matrix.column
        self.keys = list(self.problem.goals)
        self.rows = np.array([rows["target_is_kept", key] for key in self.keys], dtype=np.int64)
        self.misses = np.array([columns["miss", key] for key in self.keys], dtype=np.int64)
        self.hard = np.array([self.problem.goal_target[key[0]] in hard for key in self.keys], dtype=bool)
        begins: dict[str, int] = {}
        for name, year in self.keys:
            target = self.problem.goal_target[name]
            begins[target] = min(year, begins.get(target, year))
        self.year = np.array([begins[self.problem.goal_target[name]] for name, _ in self.keys], dtype=np.int64)
        """First year of the target that each row belongs to: who sees it sees all of it."""
        self.frozen: tuple[Codes, Array] | None = None
        """Starts that are kept, and the plan that has them."""

    def cost(self, found: Solution, horizon: int) -> float:
        """Net present value with penalties of the soft targets that a horizon knows [currency]."""
        return float(self.known(horizon).coefficients @ found.values) + self.stage.constant

    def known(self, horizon: int) -> Stage:
        """The cost, without the penalties of goals after a year: they may be missed for nothing."""
        coefficients = self.stage.coefficients.copy()
        coefficients[self.misses[self.year > horizon]] = 0.0
        return replace(self.stage, coefficients=coefficients)

    def posed(self, horizon: int, may_miss: bool, room: float = ROOMS[1]) -> Matrix:
        """The matrix that knows the goals up to a year, with what was started before."""
        lower, upper = self.matrix.lower.copy(), self.matrix.upper.copy()
        if self.frozen is not None:
            columns, plan = self.frozen
            lower[columns], upper[columns] = held(plan, columns, self.matrix, room)
        if not may_miss:
            upper[self.misses[(self.year <= horizon) & self.hard]] = 0.0
        return replace(self.matrix, lower=lower, upper=upper, stages=(self.known(horizon),), made_of={})

    def solved(self, horizon: int, what: str) -> Solution | None:
        """The least-cost plan for a horizon; none where there is none."""
        return self._run(horizon, what, ())

    def best_effort(self, horizon: int, what: str) -> Solution:
        """The plan that misses the hard targets up to a year least, and costs least then."""
        weights = np.zeros(len(self.matrix.columns))
        for key, column, hard, year in zip(self.keys, self.misses, self.hard, self.year, strict=True):
            if hard and year <= horizon:
                weights[column] = self.problem.miss_weight[key]
        found = self._run(horizon, what, (replace(self.stage, name="miss", coefficients=weights, constant=0.0),))
        if found is None:
            raise SolverError(f"{what}: infeasible")
        return found

    def _run(self, horizon: int, what: str, before: tuple[Stage, ...]) -> Solution | None:
        """The plan for a horizon; what is kept may move a little more where rounding leaves no plan."""
        for room in ROOMS if self.frozen is not None else ROOMS[:1]:
            matrix = self.posed(horizon, bool(before), room)
            matrix = replace(matrix, stages=(*before, *matrix.stages))
            told = None if self.progress is None else self._told(what)
            found = run(matrix, earliness(self.problem, matrix), None, self.options, told)
            if found.found and found.status in ("optimal", "within_gap"):
                return found
            if found.status != "infeasible":
                raise SolverError(f"{what}: {found.status}")
        return None

    def _told(self, what: str) -> Progress:
        def told(_: str, seconds: float) -> None:
            if self.progress is not None:
                self.progress(what, seconds)

        return told

    def freeze(self, plan: Array, until: int) -> None:
        """Keep what a plan starts up to a year."""
        self.frozen = (self.starts.columns[self.starts.year <= until], plan)

    def missed(self, joint: Solution, found: Solution) -> pd.DataFrame:
        """Targets that are missed more than in the joint plan."""
        rows = []
        for key, column, hard in zip(self.keys, self.misses, self.hard, strict=True):
            before, after = float(joint.values[column]), float(found.values[column])
            size = 1 / self.problem.miss_weight[key]
            if after - before > max(WORSE, MISSED if hard else 0.0) * size:
                rows.append((self.problem.goal_target[key[0]], key[1], bool(hard), before, after))
        return pd.DataFrame(rows, columns=list(TARGETS))

    def lost(self, joint: Array, found: Array, horizon: int) -> list[tuple[str, int, float, float, float]]:
        """Stock of the joint plan's last year that can no longer be reached whatever else is given up, by measure."""
        problem, rows = self.problem, []
        free = self.posed(problem.first - 1, True)
        probe = Probe(free, self.options, None if self.progress is None else self._told(f"horizon {horizon}"))
        probe.found(self.known(problem.first - 1).coefficients, "lost")
        for m in problem.measures:
            part, size = np.zeros(len(free.columns)), 0.0
            for c in problem.cities:
                if (m, c) in problem.potential_path:
                    part[self.matrix.column["stock", (m, c, problem.last)]] = 1.0
                    size += problem.potential[m, c, problem.last]
            planned = float(part @ joint)
            if planned - float(part @ found) <= GONE * size:
                continue
            status = probe.least(-part, "lost", fits=True)
            reachable = float(part @ probe.values()) if status == "optimal" else np.nan
            if planned - reachable > GONE * size:
                rows.append((m, horizon, planned, reachable, planned - reachable))
        return rows
