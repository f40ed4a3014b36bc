"""The best each target could reach alone: arithmetic, no solve."""

from typing import Any

import numpy as np
import pandas as pd

from planner.case import Case
from planner.conflict.model import Array, Model, build, quickest
from planner.problem import Problem
from planner.rows import Target
from planner.targets import Bound

CEILINGS = (
    *("target", "year", "scope", "sense", "measure", "asked", "best", "worst"),
    *("impossible", "vacuous", "soft"),
)
CLEAR = 1e-9
"""A bound is missed when it is by more than this part of the largest term of its row [-]."""


def ceilings(what: Case | Problem | Model) -> pd.DataFrame:
    """What each row of each target could reach at best and at worst if nothing else were asked for.

    Every measure stands in every city at what helps most, between what exists and its fastest ramp within potential,
    lead time and first year. So `best` is a bound: a plan may not reach it, and none is better. `measure` says what
    `asked`, `best` and `worst` are: `level` (unit of the quantity), or the `ratio` of a share or of a year to the year
    before. `impossible` is proven; `vacuous` says that no plan can miss it.
    """
    model = what if isinstance(what, Model) else build(what if isinstance(what, Problem) else Problem(what))
    lo, hi = quickest(model)
    rows: list[tuple[Any, ...]] = []
    for target in model.problem.case.targets:
        asked, limits, wanted = model.target_rows(target)
        for i, bound in enumerate(wanted):
            weights = asked[[i], :].toarray().ravel()
            terms = np.abs(weights) * np.maximum(np.abs(lo), np.abs(hi))
            clear = CLEAR * max(float(terms.max(initial=0.0)), abs(float(limits[i])))
            least, most = _ends(weights, lo, hi)
            values = _stated(model, bound, weights, float(limits[i]), lo, hi)
            rows.append(
                (
                    *(target.target, bound.year, target.scope, bound.sense),
                    *values,
                    *(least > limits[i] + clear, most <= limits[i] - clear, target.soft_penalty is not None),
                )
            )
    return pd.DataFrame(rows, columns=list(CEILINGS))


def _ends(weights: Array, lo: Array, hi: Array) -> tuple[float, float]:
    """Least and largest value of a sum over a box."""
    ends = weights * lo, weights * hi
    return float(np.minimum(*ends).sum()), float(np.maximum(*ends).sum())


def _stated(
    model: Model, bound: Bound, weights: Array, limit: float, lo: Array, hi: Array
) -> tuple[str, float, float, float]:
    """What a bound asks for and what is best and worst, as a level, or as a ratio where its two sides are levels."""
    least, most = _ends(weights, lo, hi)
    if not bound.bound.terms:
        value = bound.bound.constant
        return "level", value, value + bound.sign * (least - limit), value + bound.sign * (most - limit)
    whole, constant = model.expression(bound.bound)
    part, own = model.expression(bound.achieved)
    (weight,) = bound.bound.terms.values()
    whole, constant = (whole / weight, constant / weight) if weight else (whole, constant)
    if weight == 0 or _ends(whole, lo, hi)[0] + constant <= 0:
        return "ratio", weight, float("nan"), float("nan")
    ends = [_ratio(part, own, whole, constant, lo, hi, sign) for sign in (bound.sign, -bound.sign)]
    return "ratio", weight, ends[0], ends[1]


def _ratio(part: Array, own: float, whole: Array, constant: float, lo: Array, hi: Array, sign: float) -> float:
    """Least (sign 1) or largest (sign -1) ratio of two sums over a box, by Dinkelbach's steps."""
    x = lo
    ratio = (part @ x + own) / (whole @ x + constant)
    for _ in range(100):
        x = np.where(sign * (part - ratio * whole) > 0, lo, hi)
        found = (part @ x + own) / (whole @ x + constant)
        if sign * (ratio - found) <= 1e-13 * abs(ratio):
            return float(ratio)
        ratio = found
    return float(ratio)


def target_of(case: Case, name: str) -> Target:
    """A target by its id."""
    return next(row for row in case.targets if row.target == name)
