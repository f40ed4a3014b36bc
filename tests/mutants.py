"""Mistakes planted in the formulation: each must make a test fail.

    python -m tests.mutants [--workers 2] [--only WORDS]

Every mistake is a piece of the source and what a tired hand might have written instead. The package is copied, one
mistake is made in the copy, and the fast tests run against it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("planner", "tests", "cases", "pyproject.toml")
QUICK = (3, 8, 14, 22)
"""Random cases that stand in for all of them."""
TESTS = [
    "tests/test_formulation.py",
    *(f"tests/test_random.py::test_planner_and_twin_agree[{seed}]" for seed in QUICK),
    "tests/test_compile.py::test_every_shipped_case_compiles_to_pyomos_own_standard_form[tutorial]",
    *(f"tests/test_compile.py::test_random_cases_compile_to_pyomos_own_standard_form[{seed}]" for seed in QUICK),
    "tests/test_compile.py::test_each_pin_sums_over_its_own_measure",
    *(f"tests/test_incremental.py::test_random_edits_of_random_cases[{seed}]" for seed in QUICK),
    "tests/test_incremental.py::test_an_effect_that_vanishes_is_told_as_an_entry_of_zero",
    "tests/test_prices.py",
    *(f"tests/test_reduced.py::test_held_sums_cost_what_a_cold_solve_says[{seed}]" for seed in (9, 17)),
    *(f"tests/test_reduced.py::test_a_sum_can_be_kept_from_below[{weight}]" for weight in (1.0, 0.2)),
    "tests/test_cache.py::test_templates_come_back_as_they_were",
]


@dataclass(frozen=True)
class Mutant:
    """A mistake: what it is, and the text it stands in."""

    name: str
    file: str
    old: str
    new: str


STOCK, GROUPS, CHANGES, MONEY, LEVELS = (
    f"planner/problem/{name}.py" for name in ("stock", "groups", "changes", "money", "levels")
)
TIMING, RULES, TARGETS = "planner/timing.py", "planner/formulation.py", "planner/targets.py"
EXPAND, COMPILE, MATRIX = "planner/expand.py", "planner/compile.py", "planner/matrix.py"
KEYS, TRACKED = "planner/problem/keys.py", "planner/problem/tracked.py"
SYMBOLIC, PRICES = "planner/symbolic.py", "planner/prices.py"
SCALING, REDUCED = "planner/scaling.py", "planner/reduced.py"
ENGINE, PLAN, FRAMES = "planner/engine.py", "planner/plan.py", "planner/frames.py"
PRICING, STAGES = "planner/pricing.py", "planner/stages.py"

MUTANTS = [
    # timing
    Mutant(
        "existing stock serves a year too long",
        TIMING,
        "return range(start + lead_time, start + lead_time + lifetime)",
        "return range(start + lead_time, start + lead_time + lifetime + 1)",
    ),
    Mutant(
        "capital cost is paid at once",
        TIMING,
        "return range(start, start + max(1, lead_time))",
        "return range(start, start + 1)",
    ),
    Mutant(
        "discounting is off by a year",
        TIMING,
        "return float((1 + rate) ** -years)",
        "return float((1 + rate) ** (1 - years))",
    ),
    Mutant(
        "annuities run a year longer", TIMING, "(1 - (1 + rate) ** -lifetime)", "(1 - (1 + rate) ** -(lifetime + 1))"
    ),
    Mutant(
        "annuities bear no interest",
        TIMING,
        "return float(rate / (1 - (1 + rate) ** -lifetime)) if rate else 1 / lifetime",
        "return 1 / lifetime",
    ),
    Mutant(
        "paths jump instead of rising",
        TIMING,
        "np.interp(np.asarray(years, dtype=float), known, values)",
        "values[np.clip(np.searchsorted(known, years, side='right') - 1, 0, None)]",
    ),
    # stock
    Mutant(
        "units retire a year early",
        STOCK,
        "return self._enters - self.lifetime[:, None]",
        "return self._enters - self.lifetime[:, None] + 1",
    ),
    Mutant(
        "lead time is ignored",
        STOCK,
        "return np.array(self.years) - self.lead_time[:, None]",
        "return np.array(self.years) - 0 * self.lead_time[:, None]",
    ),
    Mutant(
        "starts may come too late to serve",
        STOCK,
        "(years <= self.last - self.lead_time[:, None])",
        "(years <= self.last + 0 * self.lead_time[:, None])",
    ),
    Mutant(
        "the ramp looks at the first potential",
        STOCK,
        "self.ramp[m] * self.potential_path.array[:, -1]",
        "self.ramp[m] * self.potential_path.array[:, 0]",
    ),
    Mutant(
        "the ramp is ignored",
        STOCK,
        "most: Array = self.ramp[m] * self.potential_path.array[:, -1]",
        "most: Array = self.potential_path.array[:, -1]",
    ),
    Mutant(
        "the ramp limits stock",
        STOCK,
        "np.where(decided, potential, np.maximum(potential, self.held))",
        "self.ramp[m][:, None] * potential",
    ),
    Mutant(
        "lumps round up",
        STOCK,
        "np.floor(np.maximum(self._ramped / lump, np.isfinite(lump)) + ROUNDING)",
        "np.ceil(np.maximum(self._ramped / lump, np.isfinite(lump)) - ROUNDING)",
    ),
    Mutant("lumps have no rounding room", STOCK, "np.isfinite(lump)) + ROUNDING)", "np.isfinite(lump)))"),
    Mutant(
        "less than a lump is none", STOCK, "np.maximum(self._ramped / lump, np.isfinite(lump))", "(self._ramped / lump)"
    ),
    Mutant(
        "existing stock does not stand",
        STOCK,
        "np.diff(self.held, axis=1, prepend=0.0).ravel()",
        "0.0 * self.held.ravel()",
    ),
    Mutant(
        "existing stock never retires",
        STOCK,
        "np.diff(self.held, axis=1, prepend=0.0).ravel()",
        "np.maximum(0.0, np.diff(self.held, axis=1, prepend=0.0)).ravel()",
    ),
    Mutant(
        "history may be decided again",
        STOCK,
        "np.maximum(np.array(opened), self.decided_after + 1)",
        "np.array(opened)",
    ),
    Mutant(
        "a measure's first year is ignored",
        STOCK,
        "np.maximum(np.array(opened), self.decided_after + 1)",
        "0 * np.array(opened) + self.decided_after + 1",
    ),
    Mutant(
        "potentials below history are kept up to as_of",
        STOCK,
        "np.where(decided, potential, np.maximum(potential, self.held))",
        "potential",
    ),
    # groups
    Mutant("a group of the province holds per city", GROUPS, "if rows[0].scope == PROVINCE:", "if False:"),
    Mutant(
        "a group of one city holds everywhere", GROUPS, "[rows[0].city] if rows[0].city else self.cities", "self.cities"
    ),
    Mutant(
        "weights are ignored", GROUPS, 'weights = self._role_paths("weight")[ties.role]', "weights = np.ones_like(part)"
    ),
    Mutant(
        "shares of a base count units",
        GROUPS,
        "np.where(by_share[ties.group[ties.row]][:, None], part, weights)",
        "weights",
    ),
    Mutant(
        "the ratio of a provider is inverted",
        GROUPS,
        'self._role_paths("ratio")[ties.role].ravel()',
        '1 / self._role_paths("ratio")[ties.role].ravel()',
    ),
    Mutant(
        "nothing is free without a provider",
        GROUPS,
        'free = self._group_paths("free", 0.0)',
        'free = 0.0 * self._group_paths("free", 0.0)',
    ),
    Mutant("groups on starts compare stock", GROUPS, 'head.on == "stock" for head', "True for head"),
    Mutant("groups bind history", GROUPS, "acting: Mask = decided & counts &", "acting: Mask = counts &"),
    Mutant(
        "overlap is booked in the second member's sector",
        CHANGES,
        "for (g, c), (first, _) in self.overlap_pairs.items()",
        "for (g, c), (_, first) in self.overlap_pairs.items()",
    ),
    # changes
    Mutant(
        "rows of a city add to the general ones",
        CHANGES,
        "np.where(own >= 0, own, general)",
        "np.where(general >= 0, general, own)",
    ),
    Mutant(
        "effects are those of the year before",
        CHANGES,
        "self.effect_path.array[:, 1:].ravel()",
        "self.effect_path.array[:, :-1].ravel()",
    ),
    Mutant(
        "factors are those of the year before", CHANGES, "self.factors[:, 1:].ravel()", "self.factors[:, :-1].ravel()"
    ),
    Mutant(
        "a pooled change reaches every city in full",
        CHANGES,
        "Table(Every(self.r).times(self.c), self._allocations.ravel())",
        "Table(Every(self.r).times(self.c), 1.0 + 0.0 * self._allocations.ravel())",
    ),
    Mutant(
        "conversions keep their sector",
        CHANGES,
        "np.full_like(s, self.s.number[route.to_sector]) if route.to_sector else s",
        "s",
    ),
    Mutant(
        "the base year has overlap in full",
        CHANGES,
        "np.maximum(0.0, part[one] + part[two] - 1)",
        "np.minimum(part[one], part[two])",
    ),
    Mutant(
        "the base year may have negative overlap",
        CHANGES,
        "np.maximum(0.0, part[one] + part[two] - 1)",
        "(part[one] + part[two] - 1)",
    ),
    Mutant(
        "the base year has factors of the plan",
        CHANGES,
        "self.converted_effects(direct, 0)",
        "self.converted_effects(direct, 1)",
    ),
    Mutant(
        "old stock is not converted",
        CHANGES,
        "return self.converted_effects(self._effects_of(old, self.effect_path.array[:, 1:]), 1)",
        "return self._effects_of(old, self.effect_path.array[:, 1:])",
    ),
    Mutant(
        "all existing stock is old", CHANGES, "self.standing(self.years, self.base_year)", "self.standing(self.years)"
    ),
    Mutant("the last unit of a row wins", CHANGES, "value * factor(unit, self.units[q]) if unit else value", "value"),
    # money
    Mutant(
        "existing stock is not booked", MONEY, "if existing.year <= self.base_year:", "if existing.year <= self.last:"
    ),
    Mutant(
        "what was paid before the first year is booked",
        MONEY,
        "[y for y in paid if self.first <= y <= self.last]",
        "[max(y, self.first) for y in paid if y <= self.last]",
    ),
    Mutant(
        "history is booked when it is commissioned", MONEY, "start = existing.year - lead_time", "start = existing.year"
    ),
    Mutant("the price of an existing row is ignored", MONEY, "unit_cost = existing.capex\n", "unit_cost = None\n"),
    Mutant("the fund of an existing row joins the mix", MONEY, "            if not fund:\n", "            if True:\n"),
    Mutant(
        "every instalment is the whole cost",
        MONEY,
        "(self.capex / self._paid_years[:, None]).ravel()",
        "self.capex.ravel()",
    ),
    Mutant(
        "a measure's rule drops the sector's other shares",
        MONEY,
        "self.own_rules.get((f, self.pool_measure[k]), share)",
        "self.own_rules.get((f, self.pool_measure[k]), 0.0)",
    ),
    Mutant("a measure's own rule is ignored", MONEY, "self.own_rules.get((f, self.pool_measure[k]), share)", "share"),
    Mutant(
        "running cost stays that of the first year",
        MONEY,
        "self._cost_paths(self.om_points).ravel()",
        "np.repeat(self._cost_paths(self.om_points)[:, 0], len(self.y))",
    ),
    Mutant(
        "components of a price do not add",
        MONEY,
        "np.add.at(found, self.q.codes(q for q, _ in named), parts)",
        "found[self.q.codes(q for q, _ in named)] = parts",
    ),
    Mutant("every component counts", MONEY, "if row.component in self.components]", "]"),
    Mutant(
        "a blank learning cell means nothing",
        MONEY,
        "            if row.fixed_om is not None:\n                points[row.measure][row.year] = row.fixed_om",
        "            points[row.measure][row.year] = row.fixed_om or 0.0",
    ),
    # levels
    Mutant(
        "the base level forgets what stands",
        LEVELS,
        "float(self.baseline_of(level, 0)[0] + self._changed(level, self.base_change))",
        "float(self.baseline_of(level, 0)[0])",
    ),
    Mutant(
        "a scope is always the province",
        LEVELS,
        "counted: Mask = self._scopes[level.scope][c] & self._sectors(level)[s]",
        "counted: Mask = self._sectors(level)[s]",
    ),
    Mutant(
        "sectors are ignored",
        LEVELS,
        "counted: Mask = self._scopes[level.scope][c] & self._sectors(level)[s]",
        "counted: Mask = self._scopes[level.scope][c]",
    ),
    Mutant(
        "a city has the province's driver",
        LEVELS,
        "own = [row for row in rows if scope in self.cities and row.city == scope]",
        "own = []",
    ),
    Mutant(
        "unspent money is lost, its limit is not",
        LEVELS,
        "counted = years[: i + 1] if row.carry_over else [y]",
        "counted = [y]",
    ),
    Mutant(
        "carried limits start anew each year",
        LEVELS,
        "total = total + limits[i] if row.carry_over else limits[i]",
        "total = limits[i]",
    ),
    Mutant("floors are dropped", LEVELS, "((level, y) for level in self.floors_ for y in self.decided)", "()"),
    Mutant(
        "floors by city hold for the province",
        LEVELS,
        'self.cities if row.floor_scope == "city" else [PROVINCE]',
        "[PROVINCE]",
    ),
    Mutant("pins take starts for stock", LEVELS, '(row, held if row.on == "stock" else starts)', "(row, held)"),
    Mutant(
        "a budget binds history", LEVELS, "self.budgets.items() if key[1] > self.decided_after", "self.budgets.items()"
    ),
    Mutant(
        "a target binds history",
        LEVELS,
        "for goal in self._asked[0] if goal.bound.year > self.decided_after]",
        "for goal in self._asked[0]]",
    ),
    Mutant(
        "penalties are not discounted",
        LEVELS,
        "of = {goal.name: goal.penalty for",
        "of = {goal.name: goal.penalty / self.discount[goal.bound.year] for",
    ),
    # targets
    Mutant("at least means at most", TARGETS, 'return 1.0 if self.sense == "<=" else -1.0', "return 1.0"),
    Mutant(
        "a change is a share of the base level",
        TARGETS,
        "Side(constant=(1 + stated(target)) * base))",
        "Side(constant=stated(target) * base))",
    ),
    Mutant(
        "abated counts old stock", TARGETS, "levels.baseline_of(x) + levels.old_change_of(x)", "levels.baseline_of(x)"
    ),
    Mutant(
        "abated per span holds every year",
        TARGETS,
        'for counted in [years] if target.per == "span" else [[y] for y in years]:',
        "for counted in [[y] for y in years]:",
    ),
    Mutant(
        "sectors narrow the whole of a share",
        TARGETS,
        'levels.level(target.of or "", target.scope)',
        'levels.level(target.of or "", target.scope, target.sectors)',
    ),
    Mutant(
        "the driver of an intensity is inverted",
        TARGETS,
        "driver[y] / driver[levels.base_year]",
        "driver[levels.base_year] / driver[y]",
    ),
    Mutant("an intensity is priced like a level", TARGETS, "bound, price_unit=growth)", "bound)"),
    Mutant(
        "cumulative counts its last year",
        TARGETS,
        "achieved = Side({(x, y): 1.0 for y in years})",
        "achieved = Side({(x, y): 1.0 for y in years[-1:]})",
    ),
    Mutant(
        "a peak binds the year before it",
        TARGETS,
        "target.by is None or y >= target.by",
        "target.by is None or y >= target.by - 1",
    ),
    Mutant(
        "a peak binds a year late", TARGETS, "target.by is None or y >= target.by", "target.by is None or y > target.by"
    ),
    Mutant("a peak declines upwards", TARGETS, "one(x, y, 1 - target.decline)", "one(x, y, 1 + target.decline)"),
    Mutant(
        "a peak compares the wrong pair of years",
        TARGETS,
        "bound = one(x, y, 1 - target.decline)",
        "bound = one(x, after[0], 1 - target.decline)",
    ),
    # rules
    Mutant(
        "capital cost is that of the calendar year",
        RULES,
        "return sum(b.payment[m, v] * b.starts[m, c, v] for v in b.serving[m, c, y])",
        "return sum(b.payment[m, y] * b.starts[m, c, v] for v in b.serving[m, c, y])",
    ),
    Mutant(
        "existing stock bears an annuity",
        RULES,
        "return b.fixed_om[m, y] * b.stock[m, c, y]",
        "return b.fixed_om[m, y] * b.stock[m, c, y] + b.payment[m, y] * b.existing[m, c, y]",
    ),
    Mutant(
        "prices value more than the change",
        RULES,
        "return b.price[q, y] * b.change[q, c, s, y]",
        "return b.price[q, y] * (b.change[q, c, s, y] + 1)",
    ),
    Mutant("nothing retires", RULES, "\n        + sum(b.starts[m, c, v] for v in b.leaving[m, c, y])", ""),
    Mutant(
        "overlap has no lower bound",
        RULES,
        " - b.overlap[g, c, y]\n        <= 1",
        " - b.overlap[g, c, y]\n        <= 2",
    ),
    Mutant(
        "overlap has no upper bound",
        RULES,
        "return b.overlap[g, c, y] - b.part_of_potential[m, c, y] * b.stock[m, c, y] <= 0",
        "return b.overlap[g, c, y] - b.part_of_potential[m, c, y] * b.stock[m, c, y] <= 1",
    ),
    Mutant(
        "overlap abates more",
        RULES,
        "- sum(b.overlap_loss[g, y] * b.overlap[g, c, y] for g in b.losses[q, c, s, y])",
        "+ sum(b.overlap_loss[g, y] * b.overlap[g, c, y] for g in b.losses[q, c, s, y])",
    ),
    Mutant(
        "local conversions carry nothing",
        RULES,
        "\n        - sum(b.conversion[r, y] * b.change[d, c, e, y] for r, d, e in b.converted[q, c, s, y])",
        "",
    ),
    Mutant(
        "pooled conversions have no factor",
        RULES,
        "sum(b.conversion[r, y] * b.change[q, c, e, y] for q, c, e in b.pool_members[r, s, y])",
        "sum(b.change[q, c, e, y] for q, c, e in b.pool_members[r, s, y])",
    ),
    Mutant(
        "floors are ceilings", RULES, "return -b.level[l, y] <= -b.floor[l, y]", "return b.level[l, y] <= b.floor[l, y]"
    ),
    Mutant("history is not in its pool's spending", RULES, "== b.pool_booked[k, c, y]", "== 0"),
    Mutant(
        "a fund pays all it likes",
        RULES,
        "b.paid[f, k, c, y] - b.max_share[f, k] * b.spending[k, c, y] <= 0",
        "b.paid[f, k, c, y] - b.spending[k, c, y] <= 0",
    ),
    Mutant(
        "earmarked history is outside capital spending",
        RULES,
        "b.spending[k, c, y] for k, c in b.level_spendings[l, y]) == b.level_base[l, y]",
        "b.spending[k, c, y] for k, c in b.level_spendings[l, y]) == 0",
    ),
    Mutant(
        "earmarked history is outside its fund",
        RULES,
        "b.paid[f, k, c, y] for f, k, c in b.level_payments[l, y]) == b.level_base[l, y]",
        "b.paid[f, k, c, y] for f, k, c in b.level_payments[l, y]) == 0",
    ),
    Mutant(
        "running cost is no cost of a level",
        RULES,
        "\n        - sum(fixed_om(b, m, c, y) for m, c in b.level_holdings[l, y])",
        "",
    ),
    Mutant(
        "price terms are no cost of a level",
        RULES,
        "\n        - sum(price(b, q, c, s, y) for q, c, s in b.level_priced[l, y])",
        "",
    ),
    Mutant(
        "providers need dependents",
        RULES,
        "- sum(b.ratio[g, m, c, y] * b.stock[m, c, y] for m, c in b.provider_stock[g, w, y])",
        "+ sum(b.ratio[g, m, c, y] * b.stock[m, c, y] for m, c in b.provider_stock[g, w, y])",
    ),
    Mutant("a pin's least asks for nothing", RULES, "<= -b.pin_least[p, y]", "<= b.pin_least[p, y]"),
    # expansion
    Mutant(
        "the right side is not moved over", COMPILE, "zip(template.sides, (1.0, -1.0)", "zip(template.sides, (1.0, 1.0)"
    ),
    Mutant(
        "constants stay on the left", COMPILE, "right = -_constants(terms, size)", "right = _constants(terms, size)"
    ),
    Mutant("equalities bind one side", COMPILE, "right if template.is_equal else", "right if False else"),
    Mutant(
        "a missing lower bound is zero",
        COMPILE,
        "zip(template.sides, (-np.inf, np.inf)",
        "zip(template.sides, (0.0, np.inf)",
    ),
    Mutant(
        "costs are not discounted",
        COMPILE,
        "self.expander.expand(side, frame, sign * scale)",
        "self.expander.expand(side, frame, sign)",
    ),
    Mutant(
        "rows define columns of other families",
        COMPILE,
        "np.where(at >= 0, at + rows.first[family],",
        "np.where(at >= 0, at,",
    ),
    Mutant(
        "a negation is dropped",
        SYMBOLIC,
        "Times(Number(-1.0), _node(node.args[0], numbers))",
        "_node(node.args[0], numbers)",
    ),
    Mutant(
        "columns are off by one",
        EXPAND,
        "self.columns[node.name] + self._found(",
        "self.columns[node.name] - 1 + self._found(",
    ),
    Mutant(
        "a sum takes the numbers of other keys",
        EXPAND,
        "scale[parents] if isinstance(scale, np.ndarray)",
        "scale[: inner.size] if isinstance(scale, np.ndarray)",
    ),
    Mutant(
        "members are those of other keys",
        EXPAND,
        "tuple(part[chosen] for part in members.parts)",
        "tuple(part[: chosen.size] for part in members.parts)",
    ),
    Mutant(
        "coefficients are those of other keys",
        EXPAND,
        "table.array[self._found(table.index, node, frame)]",
        "table.array[: frame.size]",
    ),
    Mutant(
        "a sum ends in the row of its last key",
        EXPAND,
        "position = parents if frame.position is None",
        "position = np.sort(parents)[::-1] if frame.position is None",
    ),
    Mutant(
        "lists of keys begin in the wrong place",
        KEYS,
        "(self._starts[positions] - before)[parents]",
        "self._starts[positions][parents]",
    ),
    Mutant(
        "the last part of a key is ignored",
        KEYS,
        "self.base.locate(parts[:-1]) * len(self.axis) + parts[-1]",
        "self.base.locate(parts[:-1]) * len(self.axis) + 0 * parts[-1]",
    ),
    # edits
    Mutant(
        "an attribute is kept when some input is",
        TRACKED,
        "all(self._now(part) is value for part",
        "any(self._now(part) is value for part",
    ),
    Mutant(
        "a family is kept when some input is",
        COMPILE,
        "all(getattr(problem, name) is value for name",
        "any(getattr(problem, name) is value for name",
    ),
    Mutant(
        "fresh rows take the place of the first",
        COMPILE,
        "data[first:last] = block.data",
        "data[: last - first] = block.data",
    ),
    Mutant("what is read of the case is not noted", TRACKED, "self._problem._note(CASE + name, value)", "pass"),
    Mutant(
        "tables of the same length are the same",
        TRACKED,
        "and np.array_equal(one, other)",
        "and one.shape == other.shape",
    ),
    Mutant(
        "an entry that changes is told in the next row",
        MATRIX,
        'np.searchsorted(new.indptr, at, side="right") - 1',
        'np.searchsorted(new.indptr, at, side="right")',
    ),
    # engine and reports
    Mutant(
        "earlier objectives are not held",
        STAGES,
        "        solver.hold(stage.coefficients, *limits)",
        "        del limits",
    ),
    Mutant(
        "objectives are held without tolerance",
        STAGES,
        "slack = (HELD if last else matrix.tolerance) * abs(value)",
        "slack = HELD * abs(value)",
    ),
    Mutant(
        "maximised objectives are held the wrong way",
        STAGES,
        "(edge - slack, np.inf) if stage.maximise",
        "(-np.inf, edge + slack) if stage.maximise",
    ),
    Mutant(
        "maximising minimises",
        STAGES,
        "signed = -stage.coefficients if stage.maximise else stage.coefficients",
        "signed = stage.coefficients",
    ),
    Mutant(
        "values are not scaled back",
        ENGINE,
        "x = np.array(self.highs.getSolution().col_value) * self.scaling.columns",
        "x = np.array(self.highs.getSolution().col_value)",
    ),
    Mutant(
        "rows are scaled, their sides are not",
        SCALING,
        "part *= np.repeat(self.rows[some],",
        "part *= np.repeat(1.5 * self.rows[some],",
    ),
    Mutant(
        "duals forget the scale of the cost",
        PRICING,
        "price, saved = unit / solver.cost_scale,",
        "price, saved = unit,",
    ),
    Mutant(
        "ties go to the latest start",
        PLAN,
        "(int(v) - problem.first + 1) / potential",
        "(problem.last - int(v) + 1) / potential",
    ),
    Mutant(
        "ties count units, not potentials",
        PLAN,
        "(int(v) - problem.first + 1) / potential",
        "(int(v) - problem.first + 1)",
    ),
    Mutant("a block of rows begins one row late", COMPILE, "*(np.diff(block.indptr)", "*(np.diff(block.indptr)[::-1]"),
    Mutant("a group of one city holds everywhere", GROUPS, "return [rows[0].city] if rows[0].city else", "return"),
    Mutant(
        "what makes room costs nothing",
        PRICES,
        "np.maximum(vertex.duals[self.movable] * self.inward, 0.0)",
        "0.0 * self.inward",
    ),
    Mutant(
        "rows move as columns do",
        PRICES,
        "self.toward = np.where(self.of_row, -1.0, 1.0)",
        "self.toward = np.where(self.of_row, 1.0, 1.0)",
    ),
    Mutant("upper bounds are lower ones", PRICES, "np.where(down <= up, 1.0, -1.0)", "np.where(down <= up, 1.0, 1.0)"),
    Mutant(
        "a side holds for longer than it does",
        PRICES,
        "float(min(reach.min(initial=np.inf), ends.min(initial=np.inf)))",
        "2 * float(min(reach.min(initial=np.inf), ends.min(initial=np.inf)))",
    ),
    Mutant(
        "templates forget which way a factor goes",
        "planner/templates.py",
        "return Times(_heard(parts[0]), _heard(parts[1]))",
        "return Times(_heard(parts[1]), _heard(parts[0]))",
    ),
    Mutant("prices are those of the base year", FRAMES, "bound.price_unit / problem.discount[y]", "bound.price_unit"),
    # reduced
    Mutant(
        "costs that presolve moved are lost",
        REDUCED,
        "left.col_cost_[column] - FREE * LARGEST_COST",
        "0.0",
    ),
    Mutant("a held sum has no lower limit", REDUCED, "(one.down, -high, -low)", "(one.down, -high, np.inf)"),
    Mutant(
        "a sum is held at its negative",
        REDUCED,
        "(one.up, low, high), (one.down, -high, -low)",
        "(one.up, -high, -low), (one.down, low, high)",
    ),
    Mutant("a sum's row is not scaled back", REDUCED, "col_dual[one.up]) * one.scale", "col_dual[one.up])"),
    Mutant("a sum's limits count from nothing", REDUCED, "((value - at) * one.scale", "(value * one.scale"),
]


def misplaced() -> list[str]:
    """Mistakes whose text is not there exactly once."""
    found = []
    for mutant in MUTANTS:
        file = ROOT / mutant.file
        count = file.read_text(encoding="utf-8").count(mutant.old) if file.exists() else 0
        if count != 1:
            found.append(f"{mutant.name}: {mutant.file} holds its text {count} times, not once")
    return found


@contextmanager
def copies(count: int) -> Iterator["Queue[Path]"]:
    """As many copies of the project as there are workers."""
    with tempfile.TemporaryDirectory() as folder:
        free: Queue[Path] = Queue()
        for k in range(count):
            copy = Path(folder) / str(k)
            for name in COPIED:
                if (ROOT / name).is_dir():
                    shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / name, copy / name)
            if (ROOT / "data").is_dir():
                (copy / "data").symlink_to(ROOT / "data")
            free.put(copy)
        yield free


def run(copy: Path) -> tuple[int, str]:
    """Exit code of the fast tests in a copy, and the first test that failed."""
    env = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *TESTS]
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return done.returncode, failed.group(1).partition("::")[2] if failed else (done.stdout + done.stderr)[-2000:]


def imported_from(copy: Path) -> Path:
    """Where a copy's tests find the package."""
    env = {**os.environ, "PYTHONPATH": str(copy)}
    command = [sys.executable, "-c", "import planner; print(planner.__file__)"]
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def try_out(mutant: Mutant, free: "Queue[Path]") -> tuple[int, str]:
    """Make the mistake in a copy, run the tests, and take it back."""
    copy = free.get()
    file = copy / mutant.file
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(before.replace(mutant.old, mutant.new), encoding="utf-8")
        return run(copy)
    finally:
        file.write_text(before, encoding="utf-8")
        free.put(copy)


def survivors(workers: int = 2, only: str = "") -> list[str]:
    """Try all mistakes, tell which test caught each, and return those that none did."""
    begun = time.perf_counter()
    left = misplaced()
    for fault in left:
        print(f"MISPLACED  {fault}")
    names = {fault.partition(":")[0] for fault in left}
    chosen = [mutant for mutant in MUTANTS if only in mutant.name and mutant.name not in names]
    with copies(workers) as free, ThreadPoolExecutor(workers) as pool:
        copy = free.get()
        if copy not in imported_from(copy).parents:
            raise RuntimeError(f"the tests of a copy import the package from {imported_from(copy)}")
        code, message = run(copy)
        free.put(copy)
        if code:
            raise RuntimeError(f"the tests fail before any mistake is made: {message}")
        for mutant, (code, message) in zip(chosen, pool.map(lambda m: try_out(m, free), chosen), strict=True):
            if code == 1:
                print(f"caught     {mutant.name}: {message}", flush=True)
            else:
                left.append(mutant.name)
                print(f"{'SURVIVED' if code == 0 else 'BROKEN  '}   {mutant.name}: {message[-300:]}", flush=True)
    caught = len(chosen) + len(names) - len(left)
    print(f"{len(chosen) + len(names)} mistakes: {caught} caught, {len(left)} not, {time.perf_counter() - begun:.0f} s")
    return left


def main() -> int:
    """Run all mutants."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--only", default="", help="words in the name of a mistake")
    given = parser.parse_args()
    return 1 if survivors(given.workers, given.only) else 0


if __name__ == "__main__":
    sys.exit(main())
