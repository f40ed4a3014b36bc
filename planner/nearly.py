"""What else is nearly as good: plans within a slack of the least cost that differ most, and what all of them share."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.case import Case
from planner.certificate import complete
from planner.edits import Edit
from planner.engine import Options, Progress, cancellable
from planner.errors import CaseError, Place, error
from planner.plan import csv_text
from planner.probe import Codes, Posed, Probe, Starts, members, with_rows, with_sums
from planner.saving import write_files

Array = NDArray[np.float64]
By = Literal["sector", "city", "measure"]
ROUNDS = 3
"""Times that the place of an alternative is improved, at most [-]."""
BETTER = 1e-3
"""Gain of distance below which it is not improved further [-]."""
NONE = 1e-6
"""Part of all that could be started below which nothing is started [-]."""
FAR = 1500
"""Steps of the simplex after which it is quicker to begin again from the least cost than to go back [-]."""
EXACT = 1e-9
"""Part of a start that a pin leaves open: rounding must not make it impossible [-]."""
ROUNDING = 1e-6
"""Part of the cost by which a recomputed one may be beyond the slack [-]."""
PLANS = ("plan", "cost", "extra", "recomputed", "within", "distance", "nearest")
MEASURES = ("plan", "measure", "starts", "capex", "mean_year")
RANGES = ("measure", "starts", "low", "high", "without", "extra", "role")


@dataclass(frozen=True)
class Alternatives:
    """Plans within a slack of the least cost, the least-cost plan first, and the role of every measure in them."""

    case: Case = field(repr=False)
    by: By
    within: float
    """Slack as a part of the least cost [-]."""
    least: float
    """Least cost [currency]."""
    plans: pd.DataFrame
    """Columns `plan` from 0, `cost`, `extra` over the least cost as a part of it, `recomputed`, the cost worked out
    from the tables and the starts alone, `within`, whether that keeps the slack and no row is broken; `distance`, mean
    difference of shares to the plan `nearest` to it among those before [-]."""
    groups: pd.DataFrame
    """Columns `plan`, `group` (a sector, city or measure), `share` of what it could start, 0 to 1; `capex`."""
    measures: pd.DataFrame
    """Columns `plan`, `measure`, `starts`, `capex`, `mean_year` of the starts."""
    starts: pd.DataFrame = field(repr=False)
    """Every start: `plan`, `measure`, `city`, `year`, `starts`."""
    ranges: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(RANGES)))
    """Columns `measure`, `starts` in the least-cost plan, `low` and `high`, least and most starts of any plan within
    the slack (blank where not asked for, or not found in time); `without`, the status of the cheapest plan with no
    starts of it; `extra`, what that costs more, as a part of the least cost; `role`: must (every plan within the slack
    starts it), choice (some do), never (none does), open."""

    def edits(self, plan: int) -> list[Edit]:
        """What makes the case reproduce a plan: what each measure starts in each city and year is pinned."""
        own = self.starts[self.starts["plan"] == plan]
        keys = zip(own["measure"], own["city"], own["year"], strict=True)
        known = dict(zip(keys, own["starts"].tolist(), strict=True))
        edits = [Edit(table="pins", key={"pin": row.pin}, remove=True) for row in self.case.pins]
        first, last = self.case.settings.first_year, self.case.settings.last_year
        for m, c in dict.fromkeys((row.measure, row.city) for row in self.case.potentials):
            idle = first
            for year in [*(y for y in range(first, last + 1) if (m, c, y) in known), last + 1]:
                if idle < year:
                    edits.append(pinned(m, c, idle, year - 1, 0.0))
                if year <= last:
                    edits.append(pinned(m, c, year, year, known[m, c, year]))
                idle = year + 1
        return edits

    def write(self, folder: Path | str) -> None:
        """Write `alternatives.csv`, `groups.csv`, `measures.csv`, `ranges.csv` and a `portfolio_NN.csv` per plan (as
        `planner verify` takes it), all or none. Raises OSError.
        """
        frames = {"alternatives": self.plans, "groups": self.groups, "measures": self.measures, "ranges": self.ranges}
        for plan, own in self.starts.groupby("plan"):
            frames[f"portfolio_{int(str(plan)):02d}"] = own.drop(columns="plan")
        write_files(Path(folder), {f"{name}.csv": csv_text(frame).encode() for name, frame in frames.items()})


def pinned(measure: str, city: str, first: int, last: int, starts: float) -> Edit:
    """A pin that keeps the starts of some years where they are."""
    row = {"pin": f"keep_{measure}_{city}_{first}", "measure": measure, "city": city, "on": "starts"}
    least = {"min": starts * (1 - EXACT)} if starts else {}
    return Edit(table="pins", add=row | {"first_year": first, "last_year": last, "max": starts * (1 + EXACT)} | least)


@dataclass(frozen=True)
class Shares:
    """Sums of starts by group, each as a part of what could be started."""

    names: tuple[str, ...]
    sums: list[Array]


def shares(posed: Posed, by: By) -> Shares:
    """Share of every group: for a measure its starts as a part of its potential in all cities; for a sector the mean of
    its measures; for a city the mean of the measures that have a potential there [-].

    A measure that can be replaced within the plan may exceed 1.
    """
    starts, problem = posed.starts, posed.problem
    width = len(posed.matrix.columns)
    keys = pd.DataFrame({"m": starts.measure, "c": starts.city, "u": starts.potential})
    places = keys[keys["u"] > 0].drop_duplicates(["m", "c"])
    if by == "city":
        names: tuple[str, ...] = tuple(problem.cities)
        count = places.groupby("c")["m"].count().reindex(range(len(names)), fill_value=0).to_numpy()
        weight = np.divide(1.0, starts.potential, out=np.zeros(len(keys)), where=starts.potential > 0)
        weight = weight / np.maximum(count[starts.city], 1)
        codes: Codes = starts.city
    else:
        total = places.groupby("m")["u"].sum().reindex(range(len(problem.m)), fill_value=0.0).to_numpy()
        weight = np.divide(1.0, total[starts.measure], out=np.zeros(len(keys)), where=total[starts.measure] > 0)
        names, codes = tuple(problem.measures), starts.measure
        if by == "sector":
            names = tuple(problem.sectors)
            place = {name: i for i, name in enumerate(names)}
            codes = np.array([place[name] for name in starts.sector], dtype=np.int64)
            startable = np.unique(np.stack([codes, starts.measure]), axis=1)[0]
            weight = weight / np.bincount(startable, minlength=len(names))[codes]
    return Shares(names, members(codes, len(names), weight, starts.columns, width))


def alternatives(
    case: Case,
    within: float = 0.02,
    count: int = 5,
    by: By = "sector",
    ranges: bool = False,
    roles: bool = True,
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Alternatives:
    """Find `count` plans that cost at most `within` of the least cost more and differ most from each other.

    Each begins where the shares of what earlier plans started are least in sum (hop, skip, jump), or most, whichever is
    further from them, and is then moved to where the mean difference of shares to its nearest earlier plan is largest:
    that distance has a lower bound which is linear once the sign of each difference is fixed, so a linear program moves
    the plan and never brings it nearer; this is repeated while it helps. The cost of every plan is recomputed from the
    tables and its starts alone.

    `roles` bans the starts of each measure of the least-cost plan in turn; `ranges` also asks for the least and most
    starts of every measure within the slack (two solves each). Earlier objectives of the case hold as they do in its
    plan. Raises CaseError for a slack below zero, InfeasibleError without a plan, SolverError, CancelledError.
    """
    if not within >= 0 or not count >= 0:
        raise CaseError([error("slack_negative", Place("--within, --count"), found=min(within, count))])
    told, options = cancellable(progress, cancel), options or Options()
    search = Search(case, within, by, options, told)
    for number in range(1, count + 1):
        search.further(number, count)
    found = search.result(case, by, within)
    if roles or ranges:
        found = replace(found, ranges=search.ranges(ranges))
    return found


class Search:
    """The plans within a slack, found one after another."""

    def __init__(self, case: Case, within: float, by: By, options: Options, progress: Progress | None) -> None:
        self.case, self.options, self.progress = case, options, progress
        self.posed = Posed.with_own_stages(case)
        self.starts: Starts = self.posed.starts
        self.shares = shares(self.posed, by)
        matrix = with_sums(self.posed.matrix, self.shares.sums, self.shares.names)
        self.first = len(self.posed.matrix.columns)
        self.matrix = with_rows(matrix, [("distance", ("distance",))], [], [], np.zeros((0, 1)), False)
        self.cost = np.pad(self.posed.cost.part, (0, len(self.matrix.columns) - self.first))
        self.probe = Probe(self.matrix, options, progress)
        self.posed.hold_earlier(self.probe)
        least = self.probe.found(self.cost, "cost")
        self.plans: list[Array] = [least]
        self.least = float(self.cost @ least)
        self.value = self.least + self.posed.cost.constant
        self.base = self.probe.stand()
        self.slack = within * abs(self.value)
        self.within = within
        self.held = self.probe.hold(self.cost, -np.inf, self.least + self.slack)
        self.near: list[int] = []

    def share(self, plan: Array) -> Array:
        """Shares of the groups in a plan [-]."""
        return np.array([float(part @ plan[: part.size]) for part in self.shares.sums])

    def distance(self, plan: Array, other: Array) -> float:
        """Mean difference of the shares of two plans [-]."""
        return float(np.abs(self.share(plan) - self.share(other)).mean())

    def nearest(self, plan: Array, among: list[Array]) -> tuple[float, int]:
        """Distance to the nearest of some plans, and which that is."""
        return min((self.distance(plan, other), number) for number, other in enumerate(among))

    def further(self, number: int, count: int) -> None:
        """Find the next plan."""
        what = f"alternative {number}/{count}"
        columns = np.arange(self.first, self.first + len(self.shares.names))
        target = np.zeros(len(self.matrix.columns))
        target[columns] = np.mean([self.share(plan) for plan in self.plans], axis=0)
        both = [self.probe.found(sign * target, what, fits=True) for sign in (1.0, -1.0)]
        reached, best = max(((self.nearest(plan, self.plans)[0], plan) for plan in both), key=lambda found: found[0])
        for _ in range(ROUNDS):
            moved = self._moved(best, what)
            if moved is None:
                break
            gained = self.nearest(moved, self.plans)[0]
            if gained <= reached + BETTER * max(reached, BETTER):
                break
            best, reached = moved, gained
        self.plans.append(best)

    def _moved(self, plan: Array, what: str) -> Array | None:
        """The plan whose distance to the nearest of those before is largest, if no difference of shares turns round."""
        here, number = self.share(plan), len(self.shares.names)
        z = self.matrix.columns[-1]
        at = self.matrix.column[z]
        solver = self.probe
        added = []
        for other in map(self.share, self.plans):
            signs = np.where(here >= other, 1.0, -1.0)
            row = np.zeros(len(self.matrix.columns))
            row[self.first : self.first + number] = -signs / number
            row[at] = 1.0
            added.append(solver.hold(row, -np.inf, -float(signs @ other) / number))
        sought = np.zeros(len(self.matrix.columns))
        sought[at] = -1.0
        status = solver.least(sought, what, fits=True)
        found = solver.values() if status == "optimal" else None
        for held in added:  # what is no longer asked for stays as a row that holds nothing
            solver.change_hold(held, -np.inf, np.inf)
        return found

    def result(self, case: Case, by: By, within: float) -> Alternatives:
        """The plans as frames, with their costs recomputed."""
        plans, groups, measures, starts = [], [], [], []
        for number, plan in enumerate(self.plans):
            if self.progress is not None:
                self.progress(f"recompute {number}/{len(self.plans) - 1}", 0.0)
            cost = float(self.cost @ plan) + self.posed.cost.constant
            own = self.starts.frame(plan)
            certificate = complete(case, own)
            inside = certificate.passed and certificate.cost <= self.value + self.slack + ROUNDING * max(
                abs(self.value), abs(cost)
            )
            distance, nearest = self.nearest(plan, self.plans[:number]) if number else (0.0, 0)
            extra = (cost - self.value) / abs(self.value) if self.value else 0.0
            plans.append((number, cost, extra, certificate.cost, inside, distance, nearest))
            totals = self.starts.totals(plan)
            spent = self._spent(plan, by)
            groups += [(number, *row) for row in zip(self.shares.names, self.share(plan), spent, strict=True)]
            begun = totals[totals["starts"] > 0]
            measures += [(number, *row) for row in begun[list(MEASURES[1:])].itertuples(index=False)]
            starts.append(own.assign(plan=number))
        columns = ["plan", "group", "share", "capex"]
        return Alternatives(
            case,
            by,
            within,
            self.value,
            pd.DataFrame(plans, columns=list(PLANS)),
            pd.DataFrame(groups, columns=columns),
            pd.DataFrame(measures, columns=list(MEASURES)),
            pd.concat(starts, ignore_index=True)[["plan", "measure", "city", "year", "starts"]],
        )

    def _spent(self, plan: Array, by: By) -> Array:
        """Capital cost of what a plan starts, by group [currency]."""
        spent, names = self.starts.values(plan) * self.starts.capex, list(self.shares.names)
        codes = {"city": self.starts.city, "measure": self.starts.measure}.get(by)
        if codes is None:
            codes = np.array([names.index(name) for name in self.starts.sector], dtype=np.int64)
        found: Array = np.bincount(codes, spent, len(names)).astype(float)
        return found

    # Roles -----------------------------------------------------------------------------------------------------------

    def ranges(self, ends: bool) -> pd.DataFrame:
        """What each measure is in all plans within the slack."""
        labels = list(self.posed.problem.measures)
        width = len(self.matrix.columns)
        ones = np.ones(self.starts.columns.size)
        sums = members(self.starts.measure, len(labels), ones, self.starts.columns, width)
        most = np.array([float(part[self.starts.columns] @ self.starts.most) for part in sums])
        seen = np.array([[float(part @ plan) for part in sums] for plan in self.plans])
        seen = np.where(seen <= NONE * most, 0.0, seen)
        self.probe.change_hold(self.held, -np.inf, np.inf)
        bans = self._bans(labels, seen[0])
        rows = []
        self.probe.change_hold(self.held, -np.inf, self.least + self.slack)
        self.probe.back(self.base)
        stand = None
        for i, m in enumerate(labels):
            status, extra = bans.get(m, ("optimal", 0.0))
            low: float | None = 0.0 if seen[:, i].min() == 0 else None
            if low is None and extra is not None and extra <= self.within:
                low = 0.0
            high: float | None = 0.0 if most[i] <= 0 else None
            if ends:
                for sign in (1.0, -1.0):
                    if (low if sign > 0 else high) is None:
                        if stand is not None:
                            self.probe.back(stand)
                        value = self._end(sums[i], sign, m)
                        if stand is None:
                            stand = self.probe.stand()
                        if value is not None and value <= NONE * most[i]:
                            value = 0.0
                        low, high = (value, high) if sign > 0 else (low, value)
            positive = seen[:, i].max() > 0 or bool(high)
            role = "open"
            if status == "infeasible" or (extra is not None and extra > self.within) or (low or 0.0) > 0:
                role = "must"
            elif positive:
                role = "choice"
            elif high == 0:
                role = "never"
            rows.append((m, seen[0, i], low, high, status, extra, role))
        frame = pd.DataFrame(rows, columns=list(RANGES))
        return frame.astype({"low": float, "high": float, "extra": float})

    def _end(self, part: Array, sign: float, name: str) -> float | None:
        """Least (sign 1) or most (sign -1) of a sum within the slack; none when it was not found in time."""
        status = self.probe.least(sign * part, f"range {name}", fits=True)
        return float(part @ self.probe.values()) if status == "optimal" else None

    def _bans(self, labels: list[str], started: Array) -> dict[str, tuple[str, float | None]]:
        """The cheapest plan with no starts of each measure of the plan: its status, and what it costs more."""
        chosen = [i for i in range(len(labels)) if started[i] > 0]
        found: dict[str, tuple[str, float | None]] = {}
        self.probe.back(self.base)
        steps = 0
        for place, i in enumerate(chosen):
            columns = self.starts.columns[self.starts.measure == i]
            if steps > FAR:
                self.probe.back(self.base)
            nothing = np.zeros(columns.size)
            self.probe.bound(columns, nothing, nothing)
            status = self.probe.least(self.cost, f"ban {labels[i]} ({place + 1}/{len(chosen)})")
            steps = int(self.probe.highs.getInfo().simplex_iteration_count)
            extra = None
            if status == "optimal":
                more = float(self.cost @ self.probe.values()) - self.least
                extra = max(0.0, more) / abs(self.value) if self.value else 0.0
            found[labels[i]] = (status, extra)
            self.probe.bound(columns, nothing, self.matrix.upper[columns])
        return found
