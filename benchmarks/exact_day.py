"""The best order of a rep's day, exactly: dynamic programming over subsets, with time windows.

A label is (visits made, the last of them, when it ends, driving so far). Of the labels with the
same visits and the same last one only those are kept that no other beats in both time and driving
(Dumas, Desrosiers, Gelinas & Solomon 1995, here with a choice of visits). All labels of one size are
extended and compared at once with numpy: about 0.05 s for 12 visits.

Nothing here comes from the engines that it measures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Day", "best_day", "driven"]


@dataclass(frozen=True, eq=False)
class Day:
    """A rep's day of m possible visits.

    Attributes
    ----------
    durations_s : int64 array of shape (m + 2, m + 2)
        Place 0 is the start, 1 to m the visits, m + 1 the end.
    service_s : int64 array of shape (m,)
    windows : tuple of m tuples of (int, int)
        For the start of each visit, sorted.
    shift : (int, int)
        Leaves at the first or later, is back by the second.
    max_visits : int, optional
    """

    durations_s: NDArray[np.int64]
    service_s: NDArray[np.int64]
    windows: tuple[tuple[tuple[int, int], ...], ...]
    shift: tuple[int, int]
    max_visits: int | None = None

    @property
    def m(self) -> int:
        """Number of possible visits."""
        return len(self.service_s)


def driven(day: Day, order: Sequence[int], starts: Sequence[int] | None = None) -> int | None:
    """Return the seconds at the wheel of a day's visits (0-based) in order, or None where they do not fit.

    Parameters
    ----------
    day : Day
    order : sequence of int
    starts : sequence of int, optional
        When each visit starts; default: as early as possible.
    """
    if not order:
        return 0
    if len(set(order)) < len(order) or (day.max_visits is not None and len(order) > day.max_visits):
        return None
    free, at, drive = day.shift[0], 0, 0
    for k, visit in enumerate(order):
        leg = int(day.durations_s[at, visit + 1])
        open_at = [max(low, free + leg) for low, high in day.windows[visit] if free + leg <= high]
        start = min(open_at, default=None) if starts is None else starts[k]
        if start is None or start < free + leg or not any(a <= start <= b for a, b in day.windows[visit]):
            return None
        free, at, drive = start + int(day.service_s[visit]), visit + 1, drive + leg
    leg = int(day.durations_s[at, day.m + 1])
    return drive + leg if free + leg <= day.shift[1] else None


def best_day(problem: Day) -> list[int]:
    """Return the visits (0-based) of the best day in order: the most visits, then the least driving.

    Parameters
    ----------
    problem : Day
        Of at most 20 visits; the labels of more than about 14 take minutes.

    Raises
    ------
    ValueError
        Too many visits.
    """
    m = problem.m
    if m > 20:
        msg = "exact days have at most 20 visits"
        raise ValueError(msg)
    most = m if problem.max_visits is None else min(m, problem.max_visits)
    begin, close = problem.shift
    durations = np.asarray(problem.durations_s, dtype=np.int64)
    # one layer a number of visits: columns mask, last, end, driving, label before
    layer = np.array([[0, -1, begin, 0, -1]], dtype=np.int64)
    layers: list[NDArray[np.int64]] = []
    while len(layer) and len(layers) <= most:
        layers.append(layer)
        layer = _undominated(_extended(problem, durations, layer), m)
    for size in range(len(layers) - 1, 0, -1):
        done = layers[size]
        home = durations[done[:, 1] + 1, m + 1]
        fits = np.flatnonzero(done[:, 2] + home <= close)
        if fits.size:
            at = int(fits[np.argmin(done[fits, 3] + home[fits])])
            return _path(layers, size, at)
    return []


def _path(layers: list[NDArray[np.int64]], size: int, at: int) -> list[int]:
    order = []
    while size > 0:
        _, last, _, _, before = layers[size][at].tolist()
        order.append(last)
        size, at = size - 1, before
    return order[::-1]


def _extended(problem: Day, durations: NDArray[np.int64], layer: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return every label of a layer with every visit that may follow."""
    close = problem.shift[1]
    parts = []
    for visit in range(problem.m):
        rows = np.flatnonzero(layer[:, 0] >> visit & 1 == 0)
        drive = durations[layer[rows, 1] + 1, visit + 1]
        arrival = layer[rows, 2] + drive
        start = np.full(len(rows), -1, dtype=np.int64)
        for low, high in problem.windows[visit]:
            start = np.where((start < 0) & (arrival <= high), np.maximum(arrival, low), start)
        end = start + int(problem.service_s[visit])
        keep = (start >= 0) & (end <= close)
        rows, drive, end = rows[keep], drive[keep], end[keep]
        parts.append(
            np.stack(
                [layer[rows, 0] | 1 << visit, np.full(len(rows), visit), end, layer[rows, 3] + drive, rows], axis=1
            )
        )
    return np.concatenate(parts) if parts else layer[:0]


def _undominated(labels: NDArray[np.int64], m: int) -> NDArray[np.int64]:
    """Return the labels that no other of the same visits and last visit beats in time and driving."""
    if not len(labels):
        return labels
    state = labels[:, 0] * m + labels[:, 1]
    order = np.lexsort((labels[:, 3], labels[:, 2], state))
    labels, state = labels[order], state[order]
    # by state, then time: a label stays if it drives less than all before it of its state. States in falling
    # steps larger than any driving make one running minimum serve all of them.
    rank = np.cumsum(np.append(False, state[1:] != state[:-1]))
    step = int(labels[:, 3].max()) + 1
    level = labels[:, 3] - rank * step
    before = np.append(np.iinfo(np.int64).max, np.minimum.accumulate(level)[:-1])
    first = np.append(True, rank[1:] != rank[:-1])
    stays: NDArray[np.int64] = labels[first | (level < before)]
    return stays
