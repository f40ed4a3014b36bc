"""Years in service, discounting, annuities, and paths over years."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNDATED = -1
"""Stands for the year of a point that has none."""


def discount_factor(rate: float, years: int) -> float:
    """Worth today of 1 paid `years` from now at `rate` [1/yr] [-].

    >>> round(discount_factor(0.06, 5), 4)
    0.7473
    """
    return float((1 + rate) ** -years)


def annuity(rate: float, lifetime: int) -> float:
    """Yearly payment that repays 1 over `lifetime` years at `rate` [1/yr].

    >>> round(annuity(0.05, 20), 4)
    0.0802
    >>> annuity(0.0, 4)
    0.25
    """
    return float(rate / (1 - (1 + rate) ** -lifetime)) if rate else 1 / lifetime


def in_service(start: int, lead_time: int, lifetime: int) -> range:
    """Years in which a unit started in `start` serves: from the end of its lead time to the end of its life.

    >>> list(in_service(2021, 2, 3))
    [2023, 2024, 2025]
    """
    return range(start + lead_time, start + lead_time + lifetime)


def construction(start: int, lead_time: int) -> range:
    """Years in which the capital cost of a unit started in `start` is paid, in equal parts.

    >>> list(construction(2021, 2)), list(construction(2021, 0))
    ([2021, 2022], [2021])
    """
    return range(start, start + max(1, lead_time))


def path(points: Mapping[int | None, float], years: Sequence[int]) -> NDArray[np.float64]:
    """Values for `years` through dated `points`: linear between them, constant outside; a point without year counts
    only where no dated one stands.

    >>> path({2020: 1.0, 2030: 2.0}, [2015, 2025, 2035]).tolist()
    [1.0, 1.5, 2.0]
    >>> path({None: 7.0}, [2021, 2022]).tolist()
    [7.0, 7.0]
    """
    dated = sorted((year, value) for year, value in points.items() if year is not None)
    if not dated:
        return np.full(len(years), points[None], dtype=float)
    known, values = np.array(dated, dtype=float).T
    found: NDArray[np.float64] = np.interp(np.asarray(years, dtype=float), known, values)
    return found


def path_at(points: Mapping[int | None, float], year: int) -> float:
    """The value of `path` in one year.

    >>> path_at({2020: 1.0, 2030: 2.0}, 2025), path_at({None: 7.0}, 2021), path_at({None: 7.0, 2030: 2.0}, 2021)
    (1.5, 7.0, 2.0)
    """
    if len(points) == 1:
        return float(next(iter(points.values())))
    before = max((known for known in points if known is not None and known <= year), default=None)
    after = min((known for known in points if known is not None and known >= year), default=None)
    if before is None or after is None or before == after:
        return float(points[after if before is None else before])
    slope = (points[after] - points[before]) / (after - before)
    return float(slope * (year - before) + points[before])


def paths(
    series: NDArray[np.integer[Any]],
    dates: NDArray[np.integer[Any]],
    values: NDArray[np.float64],
    count: int,
    years: Sequence[int],
) -> NDArray[np.float64]:
    """The paths of many series at once, one row each: `series` tells whose point it is, `UNDATED` that it has no year.

    Of two points of a series in a year the later counts. A series without points is zero.

    >>> paths(np.array([0, 0, 2]), np.array([2020, 2030, UNDATED]), np.array([1.0, 2.0, 7.0]), 3, [2015, 2025]).tolist()
    [[1.0, 1.5], [0.0, 0.0], [7.0, 7.0]]
    """
    found = np.zeros((count, len(years)))
    undated = dates == UNDATED
    found[series[undated]] = values[undated][:, None]
    series, dates, values = series[~undated], dates[~undated], values[~undated]
    if not series.size:
        return found
    asked = np.asarray(years, dtype=np.int64)
    order = np.lexsort((dates, series))
    series, dates, values = series[order], dates[order], values[order]
    last = np.append((np.diff(series) != 0) | (np.diff(dates) != 0), True)
    series, dates, values = series[last], dates[last], values[last]
    begins = np.flatnonzero(np.append(True, np.diff(series) != 0))
    ends = np.append(begins[1:], series.size) - 1
    wide = int(max(dates.max(), asked.max())) + 1
    at = np.searchsorted(series * wide + dates, series[begins][:, None] * wide + asked, side="right") - 1
    left = np.clip(at, begins[:, None], ends[:, None])
    right = np.minimum(left + 1, ends[:, None])
    slope = (values[right] - values[left]) / np.maximum(dates[right] - dates[left], 1)
    since = np.where(at < begins[:, None], 0, asked - dates[left])
    found[series[begins]] = np.where(right == left, 0.0, slope) * since + values[left]
    return found


def span(first: int | None, last: int | None, years: Sequence[int]) -> list[int]:
    """Those of `years` from `first` to `last`, blank ends open.

    >>> span(2022, None, [2021, 2022, 2023])
    [2022, 2023]
    """
    return [year for year in years if (first is None or year >= first) and (last is None or year <= last)]


def consecutive(years: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Pairs (y, y+1) that both occur in `years`.

    >>> list(consecutive([2021, 2022, 2024]))
    [(2021, 2022)]
    """
    known = set(years)
    return ((year, year + 1) for year in sorted(known) if year + 1 in known)
