"""The best each target could reach alone: arithmetic, no solve."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from planner.case import Case
from planner.conflict.model import Array, Model, build, extremes, quickest
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
    wanted = [(target, bound) for target in model.problem.case.targets for bound in model.wanted(target)]
    asked, limits = model.of_bounds([bound for _, bound in wanted])
    lows, highs = extremes(asked, lo, hi)
    sizes = csr_array(abs(asked)) @ np.maximum(np.abs(lo), np.abs(hi))
    rows: list[tuple[Any, ...]] = []
    for i, (target, bound) in enumerate(wanted):
        least, most, limit = float(lows[i]), float(highs[i]), float(limits[i])
        clear = CLEAR * max(float(sizes[i]), abs(limit))
        values = _stated(model, bound, least - limit, most - limit, lo, hi)
        flags = (least > limit + clear, most <= limit - clear, target.soft_penalty is not None)
        rows.append((target.target, bound.year, target.scope, bound.sense, *values, *flags))
    return pd.DataFrame(rows, columns=list(CEILINGS))


def beyond(model: Model, targets: Collection[Target], box: tuple[Array, Array]) -> list[tuple[str, int, float, float]]:
    """Target, year, what it asks for and the best there is, of each row of some targets that is out of reach.

    `box` holds what `quickest` says of the model: it is the same for every edit of what is asked.
    """
    lo, hi = box
    wanted = [(target, bound) for target in targets for bound in model.wanted(target)]
    asked, limits = model.of_bounds([bound for _, bound in wanted])
    lows, highs = extremes(asked, lo, hi)
    clear = CLEAR * np.maximum(csr_array(abs(asked)) @ np.maximum(np.abs(lo), np.abs(hi)), np.abs(limits))
    out = []
    for i in np.flatnonzero(lows > limits + clear).tolist():
        target, bound = wanted[i]
        _, ask, best, _ = _stated(model, bound, float(lows[i] - limits[i]), float(highs[i] - limits[i]), lo, hi)
        out.append((target.target, bound.year, ask, best))
    return out


def _ends(weights: Array, lo: Array, hi: Array) -> tuple[float, float]:
    """Least and largest value of a sum over a box."""
    ends = weights * lo, weights * hi
    return float(np.minimum(*ends).sum()), float(np.maximum(*ends).sum())


def _stated(
    model: Model, bound: Bound, least: float, most: float, lo: Array, hi: Array
) -> tuple[str, float, float, float]:
    """What a bound asks for and what is best and worst, as a level, or as a ratio where its two sides are levels."""
    if not bound.bound.terms:
        value = bound.bound.constant
        return "level", value, value + bound.sign * least, value + bound.sign * most
    (weight,) = bound.bound.terms.values()
    part, own = model.expression(bound.achieved)
    whole, constant = model.expression(bound.bound)
    if weight:
        used = np.flatnonzero((part != 0) | (whole != 0))
        part, whole, constant, lo, hi = part[used], whole[used] / weight, constant / weight, lo[used], hi[used]
        if _ends(whole, lo, hi)[0] + constant > 0:
            ends = [_ratio(part, own, whole, constant, lo, hi, sign) for sign in (bound.sign, -bound.sign)]
            return "ratio", weight, ends[0], ends[1]
    return "ratio", weight, float("nan"), float("nan")


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
