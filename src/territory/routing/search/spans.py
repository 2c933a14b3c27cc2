"""Stretches of a route as least duration, earliest and latest begin, which join in constant time.

Reference: T. Vidal, T. G. Crainic, M. Gendreau & C. Prins, A hybrid genetic algorithm with adaptive diversity
management for a large class of vehicle routing problems with time-windows, Computers & OR 40 (2013);
without their time warp, since routes here always fit.
"""

from __future__ import annotations

import numpy as np

from territory.compiled import leaf
from territory.routing.layout import S_BEGIN, S_CLOSE, S_FREE_FROM

__all__ = ["fill_spans", "joined"]


@leaf
def joined(a, b, drive, out):  # type: ignore[no-untyped-def]
    """Join two stretches of a route: least duration, earliest and latest begin (Vidal et al. 2013), if they fit."""
    ready = a[0] + drive
    wait = max(b[1] - ready - a[2], np.int64(0))
    duration = ready + b[0] + wait
    since = max(b[1] - ready, a[1]) - wait
    until = min(b[2] - ready, a[2])
    out[0], out[1], out[2] = duration, since, until


@leaf
def fill_spans(window_at, window, service, shift, n_shifts, s, row, n, leg, span, one):  # type: ignore[no-untyped-def]
    """Work out the stretches of a route from its begin to each stop, and from each stop to its end.

    Returns the least duration of the whole.
    """
    span[0, 0], span[0, 1], span[0, 2] = 0, shift[S_FREE_FROM], shift[S_CLOSE]
    for i in range(n):
        key = row[i] * n_shifts + s
        one[0], one[1], one[2] = service[row[i], s], window[window_at[key], 0], window[window_at[key], 1]
        joined(span[i, 0:3], one, np.int64(leg[i]), span[i + 1, 0:3])
    span[n, 3], span[n, 4], span[n, 5] = 0, shift[S_BEGIN], shift[S_CLOSE]
    for i in range(n - 1, -1, -1):
        key = row[i] * n_shifts + s
        one[0], one[1], one[2] = service[row[i], s], window[window_at[key], 0], window[window_at[key], 1]
        joined(one, span[i + 1, 3:6], np.int64(leg[i + 1]), span[i, 3:6])
    joined(span[n, 0:3], span[n, 3:6], np.int64(leg[n]), one)
    return one[0]
