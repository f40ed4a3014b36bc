"""Recomputed: all accounts of a plan from what it decides, and every row they must keep."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from planner.case import Case
from planner.certificate.facts import Facts, Numbers, Vector
from planner.certificate.ledger import Ledger
from planner.certificate.names import Names
from planner.certificate.papers import Audit, Paper, relative
from planner.certificate.proof import CANCELLED, IDLE, Plan

FILES = {
    **dict.fromkeys(("spending_is_paid", "fund_within_its_share", "paid_by_fund"), "funds.csv"),
    **dict.fromkeys(("overlap_at_least", "overlap_within_member", "overlap_share"), "overlaps.csv"),
    "target_is_kept": "targets.csv",
    "budget_is_kept": "budgets.csv",
    "level_above_floor": "quantities.csv",
}
"""File in which each family of rows is told; the others are about `portfolio.csv`."""


class Recomputed:
    """A plan recomputed from its decisions; what does not hold goes to `audit`.

    A best-effort plan may miss every target; `misses` are the stages that keep misses small.
    """

    def __init__(self, case: Case, audit: Audit, misses: Sequence[str] = ()) -> None:
        self.case, self.audit = case, audit
        self.facts = Facts(case)
        self.ledger = Ledger(self.facts, best_effort=bool(misses))
        self.names = Names(self.facts, self.ledger)
        self.stages = [*misses, *case.settings.objective]
        self.stages += [] if "cost" in self.stages else ["cost"]
        for name in self.stages:  # levels come first: every list of weights has the length of all accounts
            self.ledger.objective(name)
        self.objectives = {name: self.ledger.objective(name) for name in self.stages}
        block = self.ledger.block
        self.most = np.zeros(block["M"].stop)
        """Largest value of what is decided."""
        self.most[block["N"]] = self.facts.start_fits
        self.most[block["O"]] = self.ledger.overlap_most.ravel()

    def read_starts(self, paper: Paper) -> Vector:
        """Starts as the file tells them [unit of each measure]."""
        f = self.facts
        site, t = self.names.sites(paper, "measure", "city"), paper.times(f.at)
        paper.put(np.where((site < 0) | (t < 1), -1, site * f.T + t))
        starts = paper.spread("starts", len(f.sites) * f.T).reshape(-1, f.T)
        allowed = np.zeros(starts.shape, dtype=bool)
        times = np.array([f.at[y] for y in f.start_year], dtype=np.int64)
        allowed[f.start_site, times] = True
        for i, t_ in np.argwhere((starts != 0) & ~allowed):
            what = self.names.site_year(int(i) * f.T + int(t_))
            self.audit.fault("no_start", "portfolio.csv", what, column="starts", found=float(starts[i, t_]))
        found: Vector = starts[f.start_site, times]
        return found

    def most_of(self, accounts: Numbers) -> Vector:
        """Largest values of decided accounts; payments are bound by their rows alone."""
        paid = self.ledger.block["D"]
        return np.where((accounts >= paid.start) & (accounts < paid.stop), np.inf, self.most[accounts])

    def settle(self, decided: Vector) -> None:
        """All accounts that follow from the decisions; what is missed follows from the rest."""
        f, ledger, block = self.facts, self.ledger, self.ledger.block
        decided = decided.copy()
        u, _ = ledger.forward(decided)
        for goal in ledger.goals:
            if goal.miss is not None:
                excess = goal.sign * (goal.achieved.value(u) - goal.bound.value(u))
                decided[goal.miss] = max(0.0, excess)
        u, terms = ledger.forward(decided)
        most = self.most.copy()
        _, first = ledger.forward(most)
        spent = first[block["G"]].reshape(len(f.pools), -1)
        for i, (_, k) in enumerate(f.share):
            width = spent.shape[1]
            most[block["D"]][i * width : (i + 1) * width] = list(f.share.values())[i] * spent[k]
        _, reach = ledger.forward(most)
        self.plan = Plan(u, terms, reach, ledger.swing(most), most)

    # ------------------------------------------------------------ rows

    def check_rows(self) -> None:
        """Everything a plan must keep, recomputed: limits of starts and stock, and all rows."""
        f, ledger, plan = self.facts, self.ledger, self.plan
        rows = ledger.rows
        self.matrix: csr_array = rows.matrix(ledger.width)
        lhs, limits = self.matrix @ plan.u, np.array(rows.limits)
        self.sizes = self.scale(abs(self.matrix), np.array(rows.sizes))
        excess = lhs - limits
        equal = np.array(rows.equal, dtype=bool)
        excess = np.where(equal, np.abs(excess), np.maximum(excess, 0.0))
        direct = abs(self.matrix) @ np.abs(plan.u)
        errors = relative(excess, direct, np.abs(limits), self.sizes)
        for i in self.audit.measure("rows", errors):
            family, key, year = rows.names[i]
            where = "" if year is None else f"/{year}"
            values = {"found": float(lhs[i]), "expected": float(limits[i]), "error": float(errors[i])}
            what = f"{family}/{key}{where}"
            self.audit.fault("unequal" if equal[i] else "exceeds", FILES.get(family, "portfolio.csv"), what, **values)
        block = ledger.block
        kinds = (
            ("stock_within_potential", "A", f.potential.ravel(), self.names.site_year),
            ("starts_within_ramp", "N", f.start_most, self.names.start),
            ("overlap_share", "O", ledger.overlap_most.ravel(), self.names.overlap),
            ("paid_by_fund", "D", np.full(block["D"].stop - block["D"].start, np.inf), self.names.payment),
        )
        for family, name, most, label in kinds:
            value, terms, reach = (part[block[name]] for part in (plan.u, plan.terms, plan.reach))
            if name in "AO":  # what is in the base year is a fact
                value = np.where(np.arange(len(value)) % f.T == 0, 0.0, value)
            over = np.maximum(value - most, 0.0) + np.maximum(-value, 0.0)
            bound = np.where(np.isfinite(most), most, 0.0)
            errors = relative(over, np.abs(value), bound, CANCELLED * terms, IDLE * reach)
            for i in self.audit.measure("rows", errors):
                limit = float(most[i]) if value[i] > 0 else 0.0
                key = "exceeds" if value[i] > 0 else "below"
                values = {"found": float(value[i]), "expected": limit, "error": float(errors[i])}
                self.audit.fault(key, FILES.get(family, "portfolio.csv"), f"{family}/{label(int(i))}", **values)
        self._check_lumps()

    def _check_lumps(self) -> None:
        f = self.facts
        lump = f.lump[f.start_measure]
        whole = np.flatnonzero(lump)
        count = self.plan.u[self.ledger.block["N"]][whole] / lump[whole]
        errors = np.abs(count - np.round(count)) / np.maximum(1.0, count)
        for i in self.audit.measure("rows", errors):
            values = {"found": float(count[i] * lump[whole[i]]), "expected": float(lump[whole[i]])}
            what = self.names.start(int(whole[i]))
            self.audit.fault("no_lumps", "portfolio.csv", what, column="starts", error=float(errors[i]), **values)

    def scale(self, weights: csr_array, constants: Vector) -> Vector:
        """Least scale of rows: see CANCELLED and IDLE."""
        terms = weights @ self.plan.terms + constants
        reach = weights @ self.plan.reach
        found: Vector = np.maximum(CANCELLED * terms, IDLE * reach)
        return found
