"""Years in service, discounting, annuities, and paths over years."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


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
