"""The judgement: objectives recomputed, what the prices prove of them, and the verdict."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from planner.case import Case
from planner.certificate.check import Check
from planner.certificate.ledger import MISS, Key
from planner.certificate.papers import Answer, Audit, Paper, read_plan, relative
from planner.certificate.proof import Held, Prices, Proof, known_rows, names_of_accounts, prove, size_of
from planner.certificate.verdict import TOLERANCE, Certificate, Verdict, Violation

TIES = 1e-7
"""Part of an objective that the tie-break may give up [-]."""
STEEP = 1e-3
"""Part of a later objective that the ties of an earlier one may be worth, where nothing proves how much [-]."""
AGREE = 0.01
"""Prices on both sides that differ by no more than this are told as one [-]."""
FOUND = frozenset({"optimal", "within_gap", "limit"})


def certify(case: Case, plan: Answer | Path | str) -> Certificate:
    """Recompute a plan from the tables of its case, without the model and the solver; see `Certificate`.

    `plan` is a plan in memory or the folder of its files. Raises OSError or ValueError when the files are no plan.
    """
    begun = time.perf_counter()
    audit = Audit()
    summary, papers = read_plan(plan, audit)
    check_inputs(case, summary, audit)
    if not found(summary):
        verdict: Verdict = "fails" if audit.violations else "empty"
        seconds = time.perf_counter() - begun
        return Certificate(
            verdict, 0.0, None, None, None, None, 0.0, violations=tuple(audit.violations), seconds=seconds
        )
    check = Check(case, papers, audit, misses(summary))
    check.check()
    return Judgement(check, summary).certificate(begun)


def found(summary: Mapping[str, Any]) -> bool:
    """Whether there is a plan."""
    return "value" in (summary.get("objective") or {})


def misses(summary: Mapping[str, Any]) -> list[str]:
    """Stages of a best-effort plan that keep its misses small; none in any other plan."""
    names = [str(stage.get("name")) for stage in summary.get("objectives") or []]
    return [name for name in names if name.startswith(MISS)]


def check_inputs(case: Case, summary: Mapping[str, Any], audit: Audit) -> None:
    """The plan must be of these inputs, and its status must fit."""
    for column, known in (("case", case.settings.name), ("input_digest", case.digest)):
        told = summary.get(column)
        if told != known:
            audit.fault("other_case", "summary.json", column=column, found=told, expected=known)
    status = summary.get("status")
    if found(summary) != (status in FOUND or bool(misses(summary))):
        audit.fault("status", "summary.json", column="status", found=status)


class Judgement:
    """What the summary and the prices of a plan say, held against its accounts."""

    def __init__(self, check: Check, summary: Mapping[str, Any]) -> None:
        self.check, self.summary = check, summary
        self.audit, self.stages = check.audit, check.stages
        self.final: dict[str, float] = {}
        """Objectives of the plan."""
        self.scales: dict[str, float] = {}
        for name in self.stages:
            weights, _ = check.objectives[name]
            self.final[name], self.scales[name] = float(weights @ check.plan.u), size_of(weights, check.plan)
        self.told: dict[str, float] = {}
        """What each stage found, as the summary says."""

    @property
    def tolerance(self) -> float:
        """What a later stage may take of an earlier one [-]."""
        return self.check.case.settings.tolerance

    @property
    def whole(self) -> bool:
        """Whether anything starts in whole lumps: then prices are those of the plan with its lumps held."""
        facts = self.check.facts
        return bool(facts.starts) and bool(np.any((facts.lump[facts.start_measure] > 0) & (facts.start_fits > 0)))

    # ------------------------------------------------------------ objectives

    def _check_objectives(self) -> bool:
        """Objectives as the summary tells them, by the starts and by the cost table; later stages keep earlier ones."""
        listed = list(self.summary.get("objectives") or [])
        names = [str(stage.get("name")) for stage in listed]
        if names != self.stages:
            values: dict[str, Any] = {"found": ", ".join(names), "expected": ", ".join(self.stages)}
            self.audit.fault("differs", "summary.json", column="objectives", **values)
            return False
        for part in ("name", "unit", "value"):
            one, other = self.summary["objective"].get(part), listed[0].get(part)
            rounded = part == "value" and isinstance(other, float) and one == float(f"{other:.9g}")
            if one != other and not rounded:
                self.audit.fault("differs", "summary.json", "objective", column=part, found=one, expected=other)
        told = {str(stage["name"]): stage for stage in listed}
        for n, name in enumerate(self.stages):
            unit = self._unit(name)
            if told[name].get("unit") != unit:
                values = {"found": told[name].get("unit"), "expected": unit}
                self.audit.fault("differs", "summary.json", name, column="unit", **values)
            value = self.told[name] = number(told[name].get("value"))
            final = number(told[name].get("final"))
            if name.startswith(MISS):  # a plan may count more as missed than it misses, within what the stage allows
                most = value + (TIES + self.tolerance + TOLERANCE) * abs(value)
                final = min(max(final, self.final[name]), self.final[name]) if final <= most else final
            self._hold("summary.json", f"{name}: final", final, name)
            # What a stage found is kept by the later ones within the tolerance, and by the tie-break within its own.
            # It may even be bettered a little where the tie-break gives up some of an earlier one.
            sign = self.check.objectives[name][1]
            worse = (TIES + (self.tolerance if n < len(self.stages) - 1 else 0.0)) * abs(value)
            better = STEEP * abs(value) if n else 0.0
            step = min(max(sign * (self.final[name] - value), -better), worse)
            self._hold("summary.json", f"{name}: value", value + sign * step, name)
        self._hold("costs.csv", "discounted", float(self.check.papers["costs"].numbers("discounted").sum()), "cost")
        return True

    def _hold(self, where: str, column: str, told: float, name: str) -> None:
        """Hold a number against an objective of the plan."""
        known = self.final[name]
        error = relative(np.array([told - known]), abs(told), abs(known), self.scales[name])
        if len(self.audit.measure(where, error)):
            values: dict[str, Any] = {"found": told, "expected": known, "error": float(error[0])}
            self.audit.fault("differs", where, column=column, **values)

    def _unit(self, name: str) -> str:
        """Unit of an objective."""
        settings = self.check.case.settings
        if name.startswith(MISS):
            return "-"
        known = {row.quantity: row.unit for row in self.check.case.quantities}
        return known.get(name.removeprefix("-").removeprefix("quantity:"), settings.currency)

    # ------------------------------------------------------------ proof

    def certificate(self, begun: float) -> Certificate:
        """Prove what the prices prove, and say what it comes to."""
        whole = self.whole
        proofs: dict[str, Proof] = {}
        prices = {name: self._read_prices(name) for name in self.stages}
        if self._check_objectives():
            proofs = {name: self._prove(name, prices[name]) for name in self.stages if prices[name] or name == "cost"}
            self._check_price_columns(prices["cost"], proofs["cost"].scale)
        proven = tuple(name for name in self.stages if name in proofs and self._proves(name, proofs[name]))
        unproven = tuple(name for name in self.stages if name not in proven)
        solver_gap = number(self.summary.get("gap")) if whole else None
        cost = proofs.get("cost")
        gap = None if cost is None else max(0.0, (self.final["cost"] - cost.bound) / cost.scale)
        verdict: Verdict = "feasible"
        if not unproven and whole:
            verdict = "within" if solver_gap is not None and solver_gap >= 0 else "feasible"
        elif not unproven:
            verdict = "proven"
        elif gap is not None and self.stages == ["cost"] and not whole and gap < 1:
            verdict = "within"
        if self.summary.get("status") == "optimal":
            for name in [name for name in unproven if name in proofs and set(self.stages) == set(proofs)]:
                file = "prices.csv" if name == "cost" else "proofs.csv"
                short = abs(self.check.objectives[name][1] * self.told[name] - proofs[name].bound) / proofs[name].scale
                values: dict[str, Any] = {"found": short, "expected": TOLERANCE}
                self.audit.fault("not_optimal", file, error=short, **values)
        errors = {name: e for name, e in self.audit.errors.items() if name not in ("prices.csv", "proofs.csv")}
        violations: tuple[Violation, ...] = tuple(self.audit.violations)
        return Certificate(
            verdict="fails" if violations else verdict,
            primal=max(errors.values(), default=0.0),
            dual=None if cost is None else cost.dual,
            complementarity=None if cost is None else cost.complementarity,
            gap=gap,
            bound=None if cost is None else cost.bound,
            cost=self.final["cost"],
            proven=proven,
            unproven=unproven,
            lumps_held=whole,
            solver_gap=solver_gap,
            violations=violations,
            objectives=self.final,
            seconds=time.perf_counter() - begun,
            details=dict(self.audit.errors),
        )

    def _read_prices(self, stage: str) -> Prices:
        """Prices of a stage by row: `prices.csv` for the cost, `proofs.csv` for others; unknown rows are faults."""
        paper = self.check.papers["prices" if stage == "cost" else "proofs"]
        names = zip(paper.words("family"), paper.words("key"), paper.numbers("year"), strict=True)
        if not hasattr(self, "_known"):
            self._known = known_rows(self.check.ledger, self.stages)
            self._accounts = names_of_accounts(self.check.ledger)
        stages = paper.words("stage") if stage != "cost" else [stage] * len(paper)
        prices: dict[Key, float] = {}
        duals = paper.numbers("dual").tolist()
        for i, (family, key, date) in enumerate(names):
            if stages[i] != stage:
                if stages[i] not in self.stages:
                    self.audit.fault("unknown", paper.file, paper.label(i), row=i + 2)
                continue
            name = family, key, None if date < 0 else int(date)
            if name in prices:
                self.audit.fault("twice", paper.file, paper.label(i), row=i + 2)
            elif name in self._known or (key in self._accounts.get(family, ()) and name[2] in self.check.facts.at):
                prices[name] = duals[i]
            else:
                self.audit.fault("unknown", paper.file, paper.label(i), row=i + 2)
        return prices

    def _prove(self, stage: str, prices: Prices) -> Proof:
        """The bound that its prices give for a stage, earlier ones held."""
        held = []
        for name in self.stages[: self.stages.index(stage)]:
            weights, sign = self.check.objectives[name]
            limit = sign * self.told[name] + self.tolerance * abs(self.told[name])
            held.append(Held(name, sign * weights, limit))
        audit = Audit()
        weights, sign = self.check.objectives[stage]
        known = self.check.ledger, self.check.matrix, self.check.plan
        claim = sign * (self.final if self.whole else self.told)[stage]
        file = "prices.csv" if stage == "cost" else "proofs.csv"
        proof = prove(*known, prices, sign * weights, claim, held, audit, file)
        self.audit.violations += audit.violations
        self.audit.errors[file] = max(self.audit.errors.get(file, 0.0), proof.dual)
        value = sign * (self.final if self.whole else self.told)[stage]  # lumps are held as the plan has them at last
        if value < proof.bound - TOLERANCE * proof.scale - proof.rounding and not self.audit.violations:
            values: dict[str, Any] = {
                "found": value,
                "expected": proof.bound,
                "error": (proof.bound - value) / proof.scale,
            }
            self.audit.fault("below_bound", "summary.json", column=f"{stage}: value", **values)
        return proof

    def _proves(self, stage: str, proof: Proof) -> bool:
        """Whether the value of a stage is the least there is, and the plan keeps it as later stages and ties allow."""
        sign = self.check.objectives[stage][1]
        value, final = sign * self.told[stage], sign * self.final[stage]
        given = TIES + (self.tolerance if stage != self.stages[-1] else 0.0)
        room = TOLERANCE * proof.scale
        kept = final - value <= given * abs(value) + room
        if self.whole:  # the least with the lumps as they are at last, which need not be those of the stage
            return kept and final - proof.bound <= given * abs(value) + room + proof.rounding
        return kept and abs(value - proof.bound) <= room + proof.rounding

    # ------------------------------------------------------------ prices of targets and budgets

    def _check_price_columns(self, prices: Prices, scale: float) -> None:
        """A dual lies between what loosening saves and what tightening costs; one price where both agree."""
        facts, check = self.check.facts, self.check
        paper = check.papers["targets"]
        for i, goal in check.goal_rows:
            unit = goal.price_unit / float(facts.discount[facts.at[goal.year]])
            key: Key = ("target_is_kept", goal.key, goal.year)
            price = None if goal.row is None else abs(prices.get(key, 0.0)) * unit
            self._check_price(paper, i, price, TOLERANCE * scale * unit / check.goal_scale(goal))
            self._check_range(paper, i, "bound", check.goal_scale(goal))
        paper = check.papers["budgets"]
        for i, line in check.allowance_rows:
            unit = 1 / float(facts.discount[facts.at[line.year]])
            price = None
            if line.row is not None:
                price = abs(prices.get(("budget_is_kept", line.budget, line.year), 0.0)) * unit
            self._check_price(paper, i, price, TOLERANCE * scale * unit / max(line.limit, 1e-300))
            self._check_range(paper, i, "limit", line.limit)

    def _check_range(self, paper: Paper, i: int, column: str, scale: float) -> None:
        """The range in which a price holds must hold the bound itself."""
        bound, room = float(paper.numbers(column)[i]), TOLERANCE * scale
        for name, sign in (("valid_from", 1.0), ("valid_to", -1.0)):
            end = float(paper.numbers(name)[i])
            if sign * (end - bound) > room:
                values = {"row": i + 2, "found": end, "expected": bound}
                self.audit.fault("differs", paper.file, paper.label(i), column=name, **values)

    def _check_price(self, paper: Paper, i: int, price: float | None, noise: float) -> None:
        names = ("price_loosen", "price_tighten", "shadow_price")
        loosen, tighten, shadow = (float(paper.numbers(name)[i]) for name in names)
        wrong: list[tuple[str, float, float]] = []
        if price is None:
            given = zip(names, (loosen, tighten, shadow), strict=True)
            wrong += [(name, value, np.nan) for name, value in given if not np.isnan(value)]
        elif not np.isnan(loosen):
            most = loosen if np.isnan(tighten) else max(loosen, tighten)
            room = noise + TOLERANCE * max(price, most)
            if min(loosen, most if np.isnan(tighten) else tighten) > price + room:
                wrong.append(("price_loosen", loosen, price))
            if not np.isnan(tighten) and most < price - room:
                wrong.append(("price_tighten", tighten, price))
            agree = not np.isnan(tighten) and abs(loosen - tighten) <= AGREE * most
            expected = loosen if agree else np.nan
            if not (np.isnan(expected) and np.isnan(shadow)) and not abs(shadow - expected) <= room:
                wrong.append(("shadow_price", shadow, expected))
        if price is not None:
            wrong += [
                (name, value, 0.0) for name, value in zip(names[:2], (loosen, tighten), strict=True) if value < -noise
            ]
        for column, value, expected in wrong:
            values = {"row": i + 2, "found": value, "expected": expected}
            self.audit.fault("price", paper.file, paper.label(i), column=column, **values)


def number(value: object) -> float:
    """A number of the summary; nan when it is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
