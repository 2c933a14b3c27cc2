"""The least driving that a day's visits can take, whatever their hours: a bound for the day's route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from territory.model.arrays import IntArray

__all__ = ["least_drive_s"]

#: Visits up to which the shortest way through all of them is found exactly.
_EXACT: Final = 9
#: Stands for "no way": far above any day, and sums of it stay within int64.
_NEVER: Final = 1 << 40


def least_drive_s(durations_s: IntArray) -> int:
    """Return a lower bound on the driving time from the first place through all others to the last.

    Exact up to 9 visits, by dynamic programming over subsets (Held & Karp 1962); beyond that the
    assignment relaxation, in which every place has one successor and short cycles are allowed.

    Parameters
    ----------
    durations_s : int array of shape (m + 2, m + 2)
        Place 0 is the start, m + 1 the end.

    Returns
    -------
    int
        Seconds; no order of these visits drives less.

    Notes
    -----
    O(2^m m^2) for m <= 9, about 1 ms; O(m^3) beyond.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.array([0, 10, 30, 20, 0])
    >>> least_drive_s(abs(line[:, None] - line[None, :]))
    60
    """
    m = len(durations_s) - 2
    if m <= 0:
        return int(durations_s[0, -1])
    if m <= _EXACT:
        return _shortest_path(np.minimum(durations_s.astype(np.int64), _NEVER), m)
    cost = durations_s[:-1, 1:].astype(np.float64)
    inner = np.arange(m)
    cost[inner + 1, inner] = float(_NEVER)  # nobody is its own successor
    cost[0, m] = float(_NEVER)  # nor does the start lead straight to the end
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - slow to load, and short days need none of it

    rows, columns = linear_sum_assignment(cost)
    return int(cost[rows, columns].sum())


def _shortest_path(d: IntArray, m: int) -> int:
    inner = d[1 : m + 1, 1 : m + 1]
    best = np.full((1 << m, m), _NEVER, dtype=np.int64)
    best[1 << np.arange(m), np.arange(m)] = d[0, 1 : m + 1]
    masks = np.arange(1 << m)
    size = np.array([int(x).bit_count() for x in masks])
    for count in range(2, m + 1):
        of_size = masks[size == count]
        for last in range(m):
            with_last = of_size[(of_size >> last) & 1 == 1]
            before = best[with_last ^ (1 << last)] + inner[:, last]
            best[with_last, last] = before.min(axis=1)
    return int((best[-1] + d[1 : m + 1, m + 1]).min())
