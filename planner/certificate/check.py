"""The files of a plan held against what follows from its starts, overlaps and payments."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from planner.case import Case
from planner.certificate.facts import Vector
from planner.certificate.ledger import Goal
from planner.certificate.papers import Audit, Paper, relative
from planner.certificate.proof import CANCELLED, IDLE
from planner.certificate.recompute import Recomputed
from planner.certificate.verdict import TOLERANCE


class Check(Recomputed):
    """All files of a plan but its prices, each number recomputed."""

    def __init__(self, case: Case, papers: Mapping[str, Paper], audit: Audit, misses: Sequence[str] = ()) -> None:
        super().__init__(case, audit, misses)
        self.papers = papers
        self.goal_scales: dict[int, float] = {}

    def check(self) -> None:
        """Read what was decided, and hold rows and files against it."""
        self.read()
        self.check_rows()
        self._check_portfolio()
        self._check_quantities()
        self._check_costs()
        self._check_goals()
        self._check_allowances()
        self._check_measures()

    def read(self) -> None:
        """Starts, overlaps and payments as the files tell them; all other accounts follow."""
        f, ledger, block = self.facts, self.ledger, self.ledger.block
        decided = np.zeros(block["M"].stop)
        decided[block["N"]] = self.read_starts(self.papers["portfolio"])
        overlaps = self.papers["overlaps"]
        ties = {f"{f.ties[g].name}/{f.names['city'][c]}": i for (g, c), i in ledger.overlap.items()}
        pairs = [f"{g}/{c}" for g, c in zip(overlaps.words("group"), overlaps.words("city"), strict=True)]
        i, t = np.array([ties.get(pair, -1) for pair in pairs], dtype=np.int64), overlaps.times(f.at)
        overlaps.put(np.where((i < 0) | (t < 1), -1, i * f.T + t))
        decided[block["O"]] = overlaps.spread("overlap", block["O"].stop - block["O"].start)
        decided[block["D"]] = self._read_payments()
        self.settle(decided)

    def _read_payments(self) -> Vector:
        """What each fund pays of the pools: what the file says, less what history books on funds of its own."""
        f, ledger = self.facts, self.ledger
        C, T = len(f.cities), f.T
        paper = self.papers["funds"]
        city, t = paper.codes("city", f.cities), paper.times(f.at)
        booked: dict[tuple[str, str, int, int], float] = defaultdict(float)
        for booking in f.bookings:
            if booking.fund:
                m, c = f.sites[booking.site]
                booked[booking.fund, f.names["measure"][m], c, booking.t] += booking.amount
        told = np.zeros(len(f.share) * C * T)
        place = np.full(len(paper), -1, dtype=np.int64)
        rows = zip(
            *(paper.words("fund"), paper.words("sector"), paper.words("measure"), city, t, paper.numbers("paid")),
            strict=True,
        )
        for i, (fund, sector, measure, c, t_, paid) in enumerate(rows):
            if c < 0 or t_ < 1 or (measure and measure not in f.measures):
                continue
            if measure and f.names["sector"][f.sector_of[f.measures[measure]]] != sector:
                continue
            k = f.pool.get(f"{sector}/{measure}" if measure else sector, -1)
            pair = ledger.shares.get((fund, k), -1)
            what = fund, measure, int(c), int(t_)
            if what in booked and (pair < 0 or abs(paid - booked[what]) <= TOLERANCE * booked[what]):
                place[i] = len(told) + i  # history pays it, outside the mix
                amount = booked.pop(what)
                error = relative(np.array([paid - amount]), abs(paid), abs(amount))
                if len(self.audit.measure("funds.csv", error)):
                    values = {"row": i + 2, "found": paid, "expected": amount, "error": float(error[0])}
                    self.audit.fault("differs", "funds.csv", paper.label(i), column="paid", **values)
            elif pair >= 0:
                place[i] = (pair * C + c) * T + t_
                told[place[i]] += paid
        paper.put(place)
        for (fund, measure, c, t_), amount in booked.items():
            what_ = f"{fund}/{measure}/{f.names['city'][c]}/{f.dates[t_]}"
            if amount:
                self.audit.fault("absent", "funds.csv", what_, column="paid", expected=amount)
        return told

    # ------------------------------------------------------------ files

    def _check_portfolio(self) -> None:
        """Stock, capital spending and own cost by the starts."""
        f, ledger, plan = self.facts, self.ledger, self.plan
        paper = self.papers["portfolio"]
        started = plan.u[ledger.block["N"]]
        full = (IDLE * plan.reach[ledger.block["A"]]).reshape(-1, f.T)
        paper.compare("stock", plan.u[ledger.block["A"]] * self._planned, self._stock_scale(), self.names.site_year)
        self.capex = self._by_site(started * ledger.installment, ledger.builds)
        for booking in f.bookings:
            self.capex[booking.site, booking.t] += booking.amount
        most = self._by_site(plan.most[ledger.block["N"]] * ledger.installment, ledger.builds)
        paper.compare("capex", self.capex, IDLE * most, self.names.site_year)
        yearly = ledger.start_price * f.annuity[f.start_measure]
        self.annuity = self._by_site(started * yearly, ledger.serves)
        om = f.om[f.site_measure]
        self.om = om * plan.u[ledger.block["A"]].reshape(-1, f.T) * self._planned.reshape(-1, f.T)
        self.annuity_scale = IDLE * self._by_site(plan.most[ledger.block["N"]] * yearly, ledger.serves)
        self.om_scale = np.abs(om) * full
        scale = np.maximum(CANCELLED * (self.annuity + np.abs(self.om)), self.annuity_scale + self.om_scale)
        paper.compare("cost", self.annuity + self.om, scale, self.names.site_year)

    @property
    def _planned(self) -> Vector:
        """1 in years of the plan, 0 in the base year, by site and year."""
        return np.tile(np.arange(self.facts.T) > 0, len(self.facts.sites)).astype(float)

    def _stock_scale(self) -> Vector:
        block = self.ledger.block["A"]
        found: Vector = np.maximum(CANCELLED * self.plan.terms[block], IDLE * self.plan.reach[block])
        return found

    def _by_site(self, amounts: Vector, years: "np.ndarray[Any, np.dtype[np.bool_]]") -> Vector:
        """Amounts per start and year, summed by site and year."""
        found = np.zeros((len(self.facts.sites), self.facts.T))
        np.add.at(found, self.facts.start_site, amounts[:, None] * years)
        return found

    def _check_quantities(self) -> None:
        """Mass balance: baseline and all effects make the level, in every place and year."""
        f, block = self.facts, self.ledger.block["C"]
        Q, C, S, T = f.shape
        paper = self.papers["quantities"]
        q, s, t = paper.codes("quantity", f.quantities), paper.codes("sector", f.sectors), paper.times(f.at)
        c = paper.codes("city", {**f.cities, "": C})
        paper.put(np.where((q < 0) | (c < 0) | (s < 0) | (t < 1), -1, ((q * (C + 1) + c) * S + s) * T + t))
        counts = np.bincount(paper.place[paper.place >= 0] // T, minlength=Q * (C + 1) * S)
        for i in np.flatnonzero((counts > 0) & (counts < T - 1)):
            self.audit.fault("years_missing", paper.file, self.names.place(int(i) * T, blank=True).rpartition("/")[0])
        size = (Q, C + 1, S, T)
        change, terms, reach = (np.zeros(size) for _ in range(3))
        for into, values in ((change, self.plan.u), (terms, self.plan.terms), (reach, self.plan.reach)):
            into[:, :C] = values[block].reshape(f.shape)
        plan = np.arange(T) > 0
        label = lambda i: self.names.place(i, blank=True)  # noqa: E731
        paper.compare("baseline", f.baseline * plan, 0.0, label)
        scale = np.maximum(CANCELLED * (np.abs(f.baseline) + terms), IDLE * reach)
        paper.compare("planned", (f.baseline + change) * plan, scale * plan, label)

    def _check_costs(self) -> None:
        """Every item of the cost, and what it is worth in the base year."""
        f, ledger, paper = self.facts, self.ledger, self.papers["costs"]
        Q, C, S, T = f.shape
        sites, places, missed = len(f.sites) * T, Q * C * S * T, len(ledger.goals)
        item = paper.codes("item", {"annuity": 0, "fixed_om": 1, "price": 2, "penalty": 3})
        site, t = self.names.sites(paper, "id", "city"), paper.times(f.at)
        sector = paper.codes("sector", f.sectors)
        site = np.where((site >= 0) & (f.sector_of[f.site_measure[site]] == sector), site, -1)
        q, c = paper.codes("id", f.quantities), paper.codes("city", f.cities)
        row = np.where((q < 0) | (c < 0) | (sector < 0), -1, ((q * C + c) * S + sector) * T + t)
        goal: dict[tuple[str, int], int] = {}
        for i, line in enumerate(ledger.goals):
            goal.setdefault((line.target.target, line.year), i)
        ids = zip(paper.words("id"), paper.numbers("year"), strict=True)
        of_goal = np.array([goal.get((name, int(year)), -1) for name, year in ids], dtype=np.int64)
        blank = [
            not city and not sector for city, sector in zip(paper.words("city"), paper.words("sector"), strict=True)
        ]
        of_goal = np.where(blank, of_goal, -1)
        place = np.select(
            [item == 0, item == 1, item == 2, item == 3],
            [site * T + t, sites + site * T + t, 2 * sites + row, 2 * sites + places + of_goal],
            -1,
        )
        known = np.select([item <= 1, item == 2, item == 3], [site >= 0, row >= 0, of_goal >= 0], False)
        paper.put(np.where(known & (t >= 1) & (item >= 0), place, -1), unique=False)
        self._same_place_twice(paper, 2 * sites + places)
        change = self.plan.u[ledger.block["C"]].reshape(f.shape)
        planned = f.price[:, None, None, :] * (np.arange(T) > 0)
        parts = np.abs(planned) * self.plan.terms[ledger.block["C"]].reshape(f.shape) * CANCELLED
        reach = np.abs(planned) * self.plan.reach[ledger.block["C"]].reshape(f.shape) * IDLE
        penalty, size = np.zeros(missed), np.zeros(missed)
        for line in ledger.goals:
            if line.miss is not None and line.miss in ledger.penalties:
                at = goal[line.target.target, line.year]
                penalty[at] += ledger.penalties[line.miss] * float(self.plan.u[line.miss])
                size[at] += ledger.penalties[line.miss] * self.goal_scale(line)
        plan = self._planned
        expected = np.concatenate([self.annuity.ravel() * plan, self.om.ravel(), (planned * change).ravel(), penalty])
        scale = np.concatenate(
            [self.annuity_scale.ravel(), self.om_scale.ravel(), np.maximum(parts, reach).ravel(), size]
        )
        names = self.names

        def label(i: int) -> str:
            if i < 2 * sites:
                return names.site_year(i % sites)
            if i < 2 * sites + places:
                return names.place(i - 2 * sites)
            line = ledger.goals[i - 2 * sites - places]
            return f"{line.target.target}/{line.year}"

        paper.compare("value", expected, scale, label)
        factor = np.where(t >= 1, f.discount[t], 0.0)
        told = paper.numbers("value") * factor
        found = paper.numbers("discounted")
        errors = relative(found - told, np.abs(told), np.abs(found))
        for i in self.audit.measure(paper.file, errors):
            values = {"found": float(found[i]), "expected": float(told[i]), "error": float(errors[i])}
            self.audit.fault("differs", paper.file, paper.label(i), row=int(i) + 2, column="discounted", **values)

    def _same_place_twice(self, paper: Paper, unique: int) -> None:
        """Only penalties may stand twice: two rows of a peak may be missed in one year."""
        kept = np.flatnonzero((paper.place >= 0) & (paper.place < unique))
        _, first = np.unique(paper.place[kept], return_index=True)
        for i in np.delete(kept, first):
            self.audit.fault("twice", paper.file, paper.label(i), row=int(i) + 2)

    def _check_goals(self) -> None:
        """Bound, achieved, slack and miss of every row of every target; the prices fit the dual."""
        paper, u = self.papers["targets"], self.plan.u
        rows: dict[tuple[str, int], list[int]] = defaultdict(list)
        for i, (target, year) in enumerate(zip(paper.words("target"), paper.numbers("year"), strict=True)):
            rows[target, int(year)].append(i)
        goals: dict[tuple[str, int], list[Goal]] = defaultdict(list)
        for goal in self.ledger.goals:
            goals[goal.target.target, goal.year].append(goal)
        bound, achieved = paper.numbers("bound"), paper.numbers("achieved")
        self.goal_rows: list[tuple[int, Goal]] = []
        for key in sorted({*rows, *goals}):
            if len(rows[key]) != len(goals[key]):
                fault = "absent" if len(rows[key]) < len(goals[key]) else "unknown"
                row = rows[key][0] + 2 if rows[key] else None
                self.audit.fault(fault, paper.file, f"{key[0]}/{key[1]}", row=row)
                continue
            # A peak with a value has two rows in one year: take them in the order that fits best.
            fits = []
            for order in permutations(goals[key]):
                errors = [
                    max(
                        abs(bound[i] - goal.bound.value(u)) / self.goal_scale(goal),
                        abs(achieved[i] - goal.achieved.value(u)) / self.goal_scale(goal),
                    )
                    for i, goal in zip(rows[key], order, strict=True)
                ]
                fits.append((max(errors), order))
            best = min(fits, key=lambda fit: fit[0])[1]
            self.goal_rows += zip(rows[key], best, strict=True)
        for i, goal in self.goal_rows:
            self._check_goal(paper, i, goal)

    def _check_goal(self, paper: Paper, i: int, goal: Goal) -> None:
        u = self.plan.u
        scale = self.goal_scale(goal)
        bound, achieved = goal.bound.value(u), goal.achieved.value(u)
        self._cell(paper, i, "bound", bound, scale)
        self._cell(paper, i, "achieved", achieved, scale)
        self._check_slack(paper, i, goal.sign * float(paper.numbers("bound")[i] - paper.numbers("achieved")[i]), scale)
        slack = float(paper.numbers("slack")[i])
        self._cell(paper, i, "missed", max(0.0, -slack), CANCELLED * scale)
        scope = paper.frame["scope"].iloc[i]
        if scope != goal.target.scope:
            values = {"found": scope, "expected": goal.target.scope}
            self.audit.fault("differs", paper.file, paper.label(i), row=i + 2, column="scope", **values)

    def _check_slack(self, paper: Paper, i: int, slack: float, scale: float) -> None:
        """Slack is the difference of two told numbers; it may be told as none where it is within the tolerance."""
        if paper.numbers("slack")[i] != 0 or abs(slack) > 1.01 * TOLERANCE * scale:
            self._cell(paper, i, "slack", slack, CANCELLED * scale)

    def goal_scale(self, goal: Goal) -> float:
        """Scale of a target's row [unit of the quantity]."""
        if id(goal) not in self.goal_scales:
            u, terms, reach = self.plan.u, self.plan.terms, self.plan.reach
            sides = (goal.achieved, goal.bound)
            self.goal_scales[id(goal)] = max(
                *(abs(side.value(u)) for side in sides),
                CANCELLED * sum(side.size(terms) for side in sides),
                IDLE * sum(side.size(reach) for side in sides),
                1e-300,
            )
        return self.goal_scales[id(goal)]

    def _cell(self, paper: Paper, i: int, column: str, expected: float, scale: float) -> None:
        """Hold one cell against what was computed."""
        found = float(paper.numbers(column)[i])
        error = relative(np.array([found - expected]), abs(found), abs(expected), scale)
        if len(self.audit.measure(paper.file, error)):
            values = {"found": found, "expected": expected, "error": float(error[0])}
            self.audit.fault("differs", paper.file, paper.label(i), row=i + 2, column=column, **values)

    def _check_allowances(self) -> None:
        """Limit, spending and slack of every row of every budget."""
        paper, plan = self.papers["budgets"], self.plan
        lines = {(row.budget, row.year): row for row in self.ledger.allowances}
        rows: dict[tuple[str, int], int] = {}
        for i, (budget, year) in enumerate(zip(paper.words("budget"), paper.numbers("year"), strict=True)):
            key = budget, int(year)
            if key not in lines or key in rows:
                self.audit.fault("twice" if key in rows else "unknown", paper.file, paper.label(i), row=i + 2)
            else:
                rows[key] = i
        self.allowance_rows = []
        for key, line in lines.items():
            if key not in rows:
                self.audit.fault("absent", paper.file, f"{key[0]}/{key[1]}")
                continue
            i, columns = rows[key], list(line.columns)
            spent = float(plan.u[columns].sum())
            scale = max(CANCELLED * float(plan.terms[columns].sum()), IDLE * float(plan.reach[columns].sum()))
            self._cell(paper, i, "limit", line.limit, 0.0)
            self._cell(paper, i, "spent", spent, scale)
            told = [float(paper.numbers(column)[i]) for column in ("limit", "spent")]
            self._check_slack(paper, i, told[0] - told[1], max(told))
            self.allowance_rows.append((i, line))

    def _check_measures(self) -> None:
        """Own cost, capital spending and starts of every measure."""
        f, paper = self.facts, self.papers["measures"]
        paper.put(paper.codes("measure", f.measures))
        if len(paper) < len(f.measures):
            for name in set(f.measures) - set(paper.words("measure")):
                self.audit.fault("absent", paper.file, name)
        own = (self.annuity + self.om) * f.discount
        terms = (self.annuity + np.abs(self.om)) * f.discount
        idle = (self.annuity_scale + self.om_scale) * f.discount
        label = f.names["measure"].__getitem__

        def by_measure(values: Vector) -> Vector:
            return np.bincount(f.site_measure, values.sum(axis=1), minlength=len(f.measures)).astype(float)

        scale = np.maximum(CANCELLED * by_measure(terms), by_measure(idle))
        paper.compare("cost", by_measure(own), scale, label)
        paper.compare("capex", by_measure(self.capex), 0.0, label)
        started, most = np.zeros(len(f.measures)), np.zeros(len(f.measures))
        np.add.at(started, f.start_measure, self.plan.u[self.ledger.block["N"]])
        np.add.at(most, f.start_measure, IDLE * f.start_most)
        paper.compare("starts", started, most, label)
