"""The best order of a rep's day, exactly: dynamic programming over subsets, with time windows.

A label is (visits made, the last of them, when it ends, driving so far). Of the labels with the
same visits and the same last one only those are kept that no other beats in both time and driving
(Dumas, Desrosiers, Gelinas & Solomon 1995, here with a choice of visits). All labels of one size are
extended and compared at once with numpy: about 0.05 s for 12 visits.

Nothing here comes from the engine that it measures; only the problem's arrays are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.routing.day_problem import DayProblem

__all__ = ["best_day"]


def best_day(problem: DayProblem) -> list[int]:
    """Return the visits (0-based) of the best day in order: the most visits, then the least driving.

    Parameters
    ----------
    problem : DayProblem
        Without a break, of at most 20 visits.

    Raises
    ------
    ValueError
        A break, or too many visits.
    """
    m = problem.m
    if problem.rest is not None or m > 20:
        msg = "exact days have no break and at most 20 visits"
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


def _extended(problem: DayProblem, durations: NDArray[np.int64], layer: NDArray[np.int64]) -> NDArray[np.int64]:
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
