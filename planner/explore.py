"""Trade-offs: the least of one thing for every amount of another, along a curve or over a grid of two."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.case import Case
from planner.compile import Matrix
from planner.edits import Edit
from planner.engine import HELD, Options, Progress, cancellable
from planner.errors import CaseError, InfeasibleError, Place, error
from planner.plan import csv_text
from planner.probe import ON_COMMAND_LINE, Axis, Codes, Posed, Probe, extreme, with_cap
from planner.reduced import Reduced
from planner.saving import write_files
from planner.scenario import Scenario, scenario_text
from planner.session import Session

Array = NDArray[np.float64]
PEAK_YEAR = "peak_year:"
"""Start of what names the year after which a quantity no longer rises."""
BUDGET = "budget:"
"""Start of what names the factor on the limits of a budget."""
END = 1e-6
"""How far before its least value a curve ends, as a part of its range: at the very end rounding decides [-]."""
TIGHT = 1e-4
"""Part of the range of `y` within which the straight line between two points may differ from the true curve [-]."""
BENT = 1e-5
"""Part of the range of `y` by which rounding may bend a curve the wrong way [-]."""
LEEWAY = 1e-9
"""Room beyond what a point reached that its scenario leaves, as a part of it [-]."""
POINTS = ("point", "x", "y", "price", "bound", "cost", "capex")
MEASURES = ("point", "measure", "starts", "capex")
CELLS = ("x", "factor", "status", "cost", "reached")


@dataclass(frozen=True)
class Point:
    """A point of a curve, signed so that less is better."""

    x: float
    y: float
    slope: float | None
    """What one more of x changes in y; none where it is not known."""
    values: Array = field(repr=False)
    stand: Any = field(default=None, repr=False)
    """Where the instance stands there, if it can come back."""

    def at(self, x: float) -> float:
        """Its tangent: the curve is nowhere below."""
        return self.y + (self.slope or 0.0) * (x - self.x)


@dataclass(frozen=True)
class Frontier:
    """The least `y` for every `x`, from the least `y` on towards the least `x`."""

    case: Case = field(repr=False)
    x: str
    y: str
    points: pd.DataFrame
    """Columns `point` from 0, `x` and `y` reached; `price`, what one unit less of x costs in y; `bound`, how far at
    most the straight line to the next point lies above the true curve [unit of y]; `cost` (net present value) and
    `capex` of what is started [currency]. Price and bound are blank where they are not known."""
    measures: pd.DataFrame
    """Columns `point`, `measure`, `starts` over all cities and years, `capex`."""
    ends: tuple[float, float]
    """Least y and least x, each asked for alone by a solve of its own [their units]."""
    convex: bool
    """Whether no point lies below the tangent of another: true of every case without lumps."""

    def edits(self, point: int) -> list[Edit]:
        """What makes the case reproduce a point: a bound on each axis but the cost, which is then least."""
        values = {name: float(self.points.loc[self.points["point"] == point, name].iloc[0]) for name in ("x", "y")}
        edits = [Edit(setting="objective", value=["cost"])]
        if self.x.startswith(PEAK_YEAR):
            return [*edits, *peak_edits(self.case, self.x.removeprefix(PEAK_YEAR), int(values["x"]))]
        for axis, value in ((Axis.of(self.x, self.case), values["x"]), (Axis.of(self.y, self.case), values["y"])):
            if axis.what != "cost":
                edits.append(Edit(table="targets", add=bound_row(axis, value)))
        return edits

    def write(self, folder: Path | str) -> None:
        """Write `frontier.csv`, `frontier_measures.csv` and a scenario per point, all or none. Raises OSError."""
        files = {"frontier.csv": csv_text(self.points), "frontier_measures.csv": csv_text(self.measures)}
        for point in self.points["point"].tolist():
            words = f"{self.x}, {self.y}: {point}"
            told = Scenario(
                f"point_{point:02d}", tuple(self.edits(point)), {"zh": words, "en": words}, self.case.settings.name
            )
            files[f"point_{point:02d}.yaml"] = scenario_text(told)
        write_files(Path(folder), {name: text.encode() for name, text in files.items()})


def bound_row(axis: Axis, value: float) -> dict[str, Any]:
    """The target that holds an axis where a point has it."""
    most = value + LEEWAY * abs(value) * axis.sign
    kind = "level" if axis.peak or axis.year is not None else "cumulative"
    row: dict[str, Any] = {"target": "frontier_" + axis.text.strip("-").replace(":", "_"), "kind": kind}
    row |= {"quantity": axis.what, "sense": ">=" if axis.most else "<=", "value": json.loads(f"{most:.14g}")}
    return row if axis.year is None else row | {"first_year": axis.year, "last_year": axis.year}


def frontier(
    case: Case,
    x: str,
    y: str = "cost",
    points: int = 10,
    reach: float = 1.0,
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Frontier:
    """The least `y` for every `x`, from the plan with the least y on towards the least x.

    Axes are named as `Axis.of` says; x may also be `peak_year:<quantity>`. Without lumps the curve is convex, made of
    straight pieces: what one unit of x is worth at each point is a tangent below it, so the next point is taken where
    tangents and straight lines leave most open, and there are fewer points than asked for once no more than 1e-4 of the
    range is open. With lumps the points are evenly spaced. `reach` ends the curve before the least x, which can cost
    beyond measure: 0.95 goes 95 % of the way. Where y is not the cost, the plan of each point is the cheapest that has
    its x and y. Raises CaseError for an unknown axis, InfeasibleError without a plan, SolverError, CancelledError.
    """
    told, options = cancellable(progress, cancel), options or Options()
    if x.startswith(PEAK_YEAR):
        return by_peak_year(case, x, y, options, told)
    across, up = Axis.of(x, case), Axis.of(y, case)
    if (across.what, across.year, across.peak) == (up.what, up.year, up.peak):
        raise CaseError([error("axis_twice", Place(ON_COMMAND_LINE), found=x)])
    curve = Curve(case, across, up, points, options, told)
    curve.trace(reach)
    return curve.result(case)


class Curve:
    """A curve being traced."""

    def __init__(self, case: Case, x: Axis, y: Axis, most: int, options: Options, progress: Progress | None) -> None:
        self.x, self.y, self.most, self.options, self.progress = x, y, max(1, most), options, progress
        self.posed = Posed.of(case, (x, y))
        cost = self.posed.cost
        sums = {"cost": cost, **self.posed.sums}
        self.across, self.up = sums[x.text], sums[y.text]
        self.probe = Probe(self.posed.matrix, options, progress)
        self.reduced: Reduced | None = None
        """Takes the place of the probe where y is the cost."""
        self.here = np.nan
        """Where the last point lies."""
        self.row: int | None = None
        self.kept: int | None = None
        self.points: list[Point] = []
        self.least_x = np.nan

    def trace(self, reach: float) -> None:
        """Find the points, the cheap end first, then the other one, then where most is open."""
        self.points = [self._cheapest()]
        part = self.x.sign * self.across.part
        last = extreme(self.posed.matrix, part, self.options, "reach", self.progress)
        least = self._value(self.across, self.x, last)
        self.least_x = self.x.sign * least
        first = self.points[0]
        if self.most > 1 and first.x - least > END * max(abs(first.x), abs(least)):
            end = first.x - min(reach, 1 - END) * (first.x - least)
            if self.y.what == "cost":
                between = (first.values + last) / 2
                cost = self.posed.cost.part
                self.reduced = Reduced(self.posed.matrix, cost, [part], between, self.options, self.progress)
            first_pass = self.most - 1 if self.probe.lumpy else max(1, (self.most - 1) // 2)
            wanted = np.linspace(first.x, end, first_pass + 1)[1:].tolist()
            onwards = True
            while wanted:
                for at in sorted(
                    wanted, reverse=onwards
                ):  # a sweep in one direction takes few steps from each to the next
                    self._add(at)
                onwards = not onwards
                left = self.most - len(self.points)
                wanted = [] if self.probe.lumpy else self._widest((left + 1) // 2)

    def _what(self) -> str:
        return f"point {len(self.points) + 1}/{self.most}"

    def _cheapest(self) -> Point:
        """The end at which y is least."""
        values = self._settled(self.probe.found(self.y.sign * self.up.part, self._what()))
        x, y = (self._value(s, a, values) for s, a in ((self.across, self.x), (self.up, self.y)))
        self.row = self.probe.hold(self.x.sign * self.across.part, -np.inf, x - self.x.sign * self.across.constant)
        return Point(x, y, None if self.probe.lumpy else 0.0, values)

    @staticmethod
    def _value(of: Any, axis: Axis, values: Array) -> float:
        return float(axis.sign * of.value(values))

    def _settled(self, values: Array) -> Array:
        """The cheapest plan that has the least y, where y is not the cost."""
        if self.y.what == "cost":
            return values
        part = self.y.sign * self.up.part
        least = float(part @ values)
        limit = least + HELD * max(abs(least), abs(self.up.constant))
        if self.kept is None:
            self.kept = self.probe.hold(part, -np.inf, limit)
        else:
            self.probe.change_hold(self.kept, -np.inf, limit)
        found = self.probe.found(self.posed.cost.part, self._what(), fits=True)
        self.probe.change_hold(self.kept, -np.inf, np.inf)
        return found

    def _add(self, at: float) -> None:
        """The point at an x, from where the nearest one stands, or the last."""
        nearest = min(self.points, key=lambda point: abs(point.x - at))
        if self.reduced is not None and nearest.stand is not None and nearest.x != self.here:
            self.reduced.back(nearest.stand)
        values, slope = self._least(at - self.x.sign * self.across.constant)
        y, x = self._value(self.up, self.y, values), self._value(self.across, self.x, values)
        values = self._settled(values)
        # Where x is bought for nothing the solver may go further than it must: the tangent stands at what was asked.
        stand = None if self.reduced is None else self.reduced.stand()
        self.here = min(at, x) if slope == 0 else at
        self.points.append(Point(self.here, y, slope, values, stand))
        self.points.sort(key=lambda point: -point.x)

    def _least(self, most: float) -> tuple[Array, float | None]:
        """Columns at the least y with at most so much x, and what one more x would change; none with lumps."""
        if self.reduced is not None:
            self.reduced.hold_sum(0, -np.inf, most)
            values = self.reduced.found(self._what())
            return values, None if self.probe.lumpy else min(0.0, self.reduced.slope(0))
        assert self.row is not None
        self.probe.change_hold(self.row, -np.inf, most)
        values = self.probe.found(self.y.sign * self.up.part, self._what())
        return values, None if self.probe.lumpy else min(0.0, self.probe.held_duals()[self.row])

    def open(self, more: Point, less: Point) -> tuple[float, float]:
        """Where, between two points, the straight line lies highest above both tangents, and how high."""
        a, b = more.slope or 0.0, less.slope or 0.0
        if not more.x > less.x:
            return more.x, 0.0
        chord = (more.y - less.y) / (more.x - less.x)
        if a - b <= 0 or chord - b <= 0 or a - chord <= 0:
            return less.x, 0.0
        at = (less.at(0.0) - more.at(0.0)) / (a - b)
        at = min(max(at, less.x), more.x)
        return at, less.y + chord * (at - less.x) - less.at(at)

    def _widest(self, count: int) -> list[float]:
        """Where most is open, at most one place between two points; nothing where all is tight."""
        gaps = [self.open(more, less) for more, less in zip(self.points, self.points[1:], strict=False)]
        height = max(point.y for point in self.points) - min(point.y for point in self.points)
        widest = sorted(((gap, at) for at, gap in gaps if gap > TIGHT * height), reverse=True)
        return [at for _, at in widest[: max(0, count)]]

    def convex(self) -> bool:
        """Whether every point lies above the tangents of all others."""
        height = max(point.y for point in self.points) - min(point.y for point in self.points)
        known = [point for point in self.points if point.slope is not None]
        return all(
            other.y >= point.at(other.x) - BENT * max(height, 1e-9 * abs(point.y)) for point in known for other in known
        )

    def result(self, case: Case) -> Frontier:
        """The curve as frames."""
        rows, measures = [], []
        for number, point in enumerate(self.points):
            after = self.points[number + 1] if number + 1 < len(self.points) else None
            known = after is not None and point.slope is not None
            bound = self.open(point, after)[1] if known and after is not None else np.nan
            totals = self.posed.starts.totals(point.values)
            price = np.nan if point.slope is None else -point.slope + 0.0
            x, y = self.across.value(point.values), self.up.value(point.values)
            rows.append((number, x, y, price, bound, self.posed.cost.value(point.values), totals["capex"].sum()))
            started = totals[totals["starts"] > 0]
            measures += [(number, *row) for row in started[["measure", "starts", "capex"]].itertuples(index=False)]
        return Frontier(
            case,
            self.x.text,
            self.y.text,
            pd.DataFrame(rows, columns=list(POINTS)),
            pd.DataFrame(measures, columns=list(MEASURES)),
            (self.y.sign * self.points[0].y, self.least_x),
            self.convex(),
        )


# Peak years ----------------------------------------------------------------------------------------------------------


def peak_edits(case: Case, quantity: str, year: int) -> list[Edit]:
    """The quantity rises no more after a year: its own peak targets are moved, or it gets one."""
    own = [row.target for row in case.targets if row.kind == "peak" and row.quantity == quantity]
    if own:
        return [Edit(table="targets", key={"target": target}, set={"by": year}) for target in own]
    row = {"target": f"peak_{quantity}", "kind": "peak", "quantity": quantity, "by": year}
    return [Edit(table="targets", add=row)]


def by_peak_year(case: Case, x: str, y: str, options: Options, progress: Progress | None) -> Frontier:
    """The least cost for every year in which a quantity may still rise, the latest first."""
    quantity = x.removeprefix(PEAK_YEAR)
    if quantity not in [row.quantity for row in case.quantities]:
        raise CaseError([error("axis_unknown", Place(ON_COMMAND_LINE), found=x, hint="")])
    if y != "cost":
        raise CaseError([error("axis_peak_year", Place(ON_COMMAND_LINE), found=y)])
    case_ = case.edited([{"setting": "objective", "value": ["cost"]}])
    session = Session(case_, options)
    rows: list[tuple[float, ...]] = []
    measures: list[tuple[Any, ...]] = []
    years = sorted(case_.decided[:-1], reverse=True)
    for year in years:
        if progress is not None:
            progress(f"point {len(rows) + 1}/{len(years)}", 0.0)
        session.use(case_.edited(peak_edits(case_, quantity, year)))
        answer = session.answer(progress)
        if not answer.found:
            if not rows:
                raise InfeasibleError("the case has no plan")
            break
        posed = Posed(answer.problem, answer.matrix, {}, Posed.of(case_).cost)
        totals = posed.starts.totals(answer.values) if answer.values.size else started(answer.plan.portfolio)
        cost = answer.objective
        rows.append((len(rows), float(year), cost, np.nan, np.nan, cost, float(totals["capex"].sum())))
        own = totals[totals["starts"] > 0][["measure", "starts", "capex"]]
        measures += [(len(rows) - 1, *row) for row in own.itertuples(index=False)]
    frame = pd.DataFrame(rows, columns=list(POINTS))
    rises = bool((np.diff(frame["y"]) >= -BENT * frame["y"].abs().max()).all())
    ends = (float(frame["y"].iloc[0]), float(frame["x"].iloc[-1]))
    return Frontier(case, x, y, frame, pd.DataFrame(measures, columns=list(MEASURES)), ends, rises)


def started(portfolio: pd.DataFrame) -> pd.DataFrame:
    """Starts and capital cost by measure."""
    return portfolio.groupby("measure", as_index=False)[["starts", "capex"]].sum()


# Grids ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grid:
    """The least cost in every cell of a grid: amounts of x by factors on a budget, or by amounts of something else."""

    x: str
    by: str
    cells: pd.DataFrame
    """Columns `x`, the most allowed; `factor` on the budget, or the most allowed of `by`; `status`; `cost` [currency];
    `reached`, what the plan has of x. Cells without a plan have the status infeasible."""
    edges: pd.DataFrame
    """How far x can go: columns `factor`, `least`; blank where there is no plan at all."""


def grid(
    case: Case,
    x: str,
    by: str,
    size: tuple[int, int] = (10, 10),
    span: tuple[float, float] = (0.5, 1.5),
    options: Options | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Grid:
    """The least cost for every amount of x (from what the cheapest plan has towards the least) and every value of `by`.

    `by` is `budget:<id>`, whose limits are multiplied by factors over `span`, or another axis, held from what the
    cheapest plan has towards its least. Raises as `frontier`.
    """
    told, options = cancellable(progress, cancel), options or Options()
    across = Axis.of(x, case)
    other = None if by.startswith(BUDGET) else Axis.of(by, case)
    posed = Posed.of(case, (across,) if other is None else (across, other))
    part = across.sign * posed.sums[across.text].part
    constant = across.sign * posed.sums[across.text].constant
    dial = Dial(posed, by, other)
    cheapest = dial.cheapest(size[1], span, options, told)
    furthest = extreme(dial.turned(dial.values[-1]), part, options, "grid", told)
    between = (cheapest + furthest) / 2
    edges: list[float] = []
    sides = Reduced(dial.loose(), part, dial.parts, between, options, told)
    for value in dial.values[::-1]:
        dial.turn(sides, value)
        try:
            edges.append(float(part @ sides.found("grid", far=not edges)))
        except InfeasibleError:
            edges.append(np.nan)
    high = float(part @ cheapest)
    low = float(np.nanmin(edges))
    low = min(low + END * (high - low), high)
    across_values = np.linspace(high, low, size[0]).tolist()
    reduced = Reduced(dial.loose(), posed.cost.part, [*dial.parts, part], between, options, told)
    held = len(dial.parts)
    cells: list[tuple[float, float, str, float, float]] = []
    stand = None
    for value, edge in zip(dial.values[::-1], edges, strict=True):
        dial.turn(reduced, value)
        if stand is not None:
            reduced.back(stand)
        for number, most in enumerate(across_values):
            if told is not None:
                told(f"cell {len(cells) + 1}/{size[0] * size[1]}", time.perf_counter() - reduced.started)
            asked = across.sign * (most + constant)
            shown = value if other is None else other.sign * value
            if np.isnan(edge) or most < edge - END * max(abs(edge), abs(high)):
                cells.append((asked, shown, "infeasible", np.nan, np.nan))
                continue
            reduced.hold_sum(held, -np.inf, max(most, edge + END * (high - edge)))
            status = reduced.least("grid")
            found = reduced.values() if status == "optimal" else None
            cost, reached = (np.nan, np.nan) if found is None else (posed.cost.value(found), float(part @ found))
            cells.append((asked, shown, status, cost, across.sign * (reached + constant)))
            if number == 0 and found is not None:
                stand = reduced.stand()
    frame = pd.DataFrame(cells, columns=list(CELLS))
    signed = [across.sign * (edge + constant) for edge in edges[::-1]]
    shown_values = dial.values if other is None else [other.sign * value for value in dial.values]
    return Grid(x, by, frame, pd.DataFrame({"factor": shown_values, "least": signed}))


class Dial:
    """What a grid turns beside x: the limits of a budget, or the most of another axis."""

    def __init__(self, posed: Posed, by: str, axis: Axis | None) -> None:
        self.posed, self.axis = posed, axis
        self.values: list[float] = []
        """What it turns to, the loosest last: factors, or amounts signed so that less is better, with constant."""
        if axis is None:
            self.rows = budget_rows(posed, [by.removeprefix(BUDGET)])
            if not self.rows.size:
                known = ", ".join(dict.fromkeys(row.budget for row in posed.problem.case.budgets))
                raise CaseError([error("grid_budget", Place("--grid"), found=by, expected=known)])
            self.parts: list[Array] = [
                np.asarray(posed.matrix.A[[row], :].todense()).ravel() for row in self.rows.tolist()
            ]
            self.most = posed.matrix.row_upper[self.rows]
            """Of each part at factor 1, or without constant at 0."""
        else:
            found = posed.sums[axis.text]
            self.rows, self.parts = np.zeros(0, dtype=np.int64), [axis.sign * found.part]
            self.most = np.array([-axis.sign * found.constant])

    def cheapest(self, count: int, span: tuple[float, float], options: Options, progress: Progress | None) -> Array:
        """The cheapest plan where it is turned to the loosest; that also says what it can be turned to."""
        if self.axis is None:
            self.values = [float(value) for value in np.linspace(min(span), max(span), count)]
            return Probe(self.turned(self.values[-1]), options, progress).found(self.posed.cost.part, "grid")
        found = Probe(self.posed.matrix, options, progress).found(self.posed.cost.part, "grid")
        part, constant = self.parts[0], float(self.most[0])
        least = float(part @ extreme(self.posed.matrix, part, options, "grid", progress)) - constant
        most = float(part @ found) - constant
        self.values = [float(value) for value in np.linspace(least + END * (most - least), most, count)]
        return found

    def limits(self, value: float) -> Array:
        """The most of each part at a value."""
        return self.most * value if self.axis is None else self.most + value

    def turn(self, reduced: Reduced, value: float) -> None:
        """Hold an instance, whose first sums are the parts, at a value."""
        for number, most in enumerate(self.limits(value).tolist()):
            reduced.hold_sum(number, -np.inf, most)

    def loose(self) -> Matrix:
        """The matrix without what is turned."""
        upper = self.posed.matrix.row_upper.copy()
        upper[self.rows] = np.inf
        return replace(self.posed.matrix, row_upper=upper)

    def turned(self, value: float) -> Matrix:
        """The matrix at a value."""
        if self.axis is not None:
            return with_cap(self.posed.matrix, self.parts[0], float(self.limits(value)[0]))
        upper = self.posed.matrix.row_upper.copy()
        upper[self.rows] = self.limits(value)
        return replace(self.posed.matrix, row_upper=upper)


def budget_rows(posed: Posed, budgets: Sequence[str]) -> Codes:
    """Rows of some budgets that are still to be kept."""
    rows = posed.matrix.row
    found = [rows["budget_is_kept", key] for key in posed.problem.budget_rows if key[0] in budgets]
    return np.array(found, dtype=np.int64)
