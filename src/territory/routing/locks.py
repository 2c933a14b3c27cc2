"""Locked visits: whether they fit at all, and starts of linked ones among them that keep their links."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from territory.compiled.tables import Tables
from territory.errors import InfeasibleError, Problem
from territory.routing.clock import E_COLUMNS, NEVER, evaluate
from territory.routing.finish import free_bounds
from territory.routing.layout import (
    LAYOUT_ARRAYS,
    S_BREAK0,
    S_BREAK1,
    S_CAPACITY,
    S_FREE_FROM,
    S_LOCK0,
    S_LOCK1,
    S_MAX_VISITS,
    S_PROFILE,
    S_START,
    V_LINKED,
    V_LOAD,
    V_LOCKED,
    V_PARTNER,
    V_PLACE,
    Layout,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

__all__ = ["awaited", "locked_starts", "misfit"]

#: Rounds after which starts that push each other later and later are given up.
_ROUNDS = 200


def misfit(why: str) -> InfeasibleError:
    """Return the error for locked visits that cannot be kept."""
    return InfeasibleError([Problem("locked-misfit", f"locked visits {why}")])


def locked_starts(layout: Layout) -> NDArray[np.int64]:
    """Return bounds of the starts of linked visits, in which those that are locked are pinned.

    Parameters
    ----------
    layout : Layout

    Returns
    -------
    int64 array of shape (V, 2)
        As early as their links allow, also those to visits that are not locked, if a rep goes there at once.

    Raises
    ------
    InfeasibleError
        ``locked-misfit``: they are too many or too much for their shift, or do not fit in their order.
    """
    bounds = free_bounds(layout)
    orders = {
        s: layout.locked[a:b].astype(np.int32)
        for s, (a, b) in enumerate(layout.shift_i[:, [S_LOCK0, S_LOCK1]].tolist())
        if b > a
    }
    for s, order in orders.items():
        shift = layout.shift_i[s]
        if len(order) > shift[S_MAX_VISITS] or layout.visit_i[order, V_LOAD].sum() > shift[S_CAPACITY]:
            msg = f"are more than shift {s} may have"
            raise misfit(msg)
    for v in layout.locked.tolist():
        partner = int(layout.visit_i[v, V_PARTNER])
        if partner >= 0 and layout.visit_i[v, V_LOCKED] == layout.visit_i[partner, V_LOCKED]:
            msg = f"{v} and {partner} need two reps at one start, and are locked to one shift"
            raise misfit(msg)
    if orders:
        _starts(layout, orders, bounds)
    if not layout.visit_i[layout.locked, V_LINKED].any():
        return bounds
    starts = _settled(layout, orders, bounds, lambda _: int(-NEVER))
    with suppress(InfeasibleError):
        # later, so that what they wait for can be made before; where that does not fit it may still be made in time
        later = bounds.copy()
        starts = _settled(layout, orders, later, partial(_soonest_end, layout, starts=starts))
    for v, t in starts.items():
        if layout.visit_i[v, V_LINKED]:
            bounds[v] = t
    return bounds


def _settled(
    layout: Layout, orders: Mapping[int, NDArray[np.int32]], bounds: NDArray[np.int64], soonest: Callable[[int], int]
) -> dict[int, int]:
    """Return starts that keep the links between locked visits, and to others that are over at `soonest`."""
    for _ in range(_ROUNDS):
        starts = _starts(layout, orders, bounds)
        if not _push(layout, starts, bounds, soonest):
            return starts
    msg = "that are linked find no common starts"
    raise misfit(msg)


def _starts(layout: Layout, orders: Mapping[int, NDArray[np.int32]], bounds: NDArray[np.int64]) -> dict[int, int]:
    """Return starts of locked visits on their shifts within bounds."""
    most = max(len(order) for order in orders.values()) + 1
    breaks = int((layout.shift_i[:, S_BREAK1] - layout.shift_i[:, S_BREAK0]).max(initial=0))
    free, last = np.empty((2, most, breaks + 1), np.int64)
    starts, rests, out = np.empty(most, np.int64), np.empty(breaks, np.int64), np.empty(E_COLUMNS)
    table = Tables((*layout[:LAYOUT_ARRAYS], bounds))
    found: dict[int, int] = {}
    for s, order in orders.items():
        if not evaluate(table.table, s, order, len(order), free, last, starts, rests, out):
            msg = f"do not fit shift {s}, in their order, after the freeze, and with what they are linked to"
            raise misfit(msg)
        found.update(zip(order.tolist(), starts[: len(order)].tolist(), strict=True))
    return found


def _push(layout: Layout, starts: Mapping[int, int], bounds: NDArray[np.int64], soonest: Callable[[int], int]) -> bool:
    """Raise the earliest starts that links forbid; returns whether there are any."""
    pushed = False
    for v, t in starts.items():
        partner = int(layout.visit_i[v, V_PARTNER])
        if partner in starts and starts[partner] < t:
            bounds[partner, 0] = t
            pushed = True
    for a, b, delay in layout.before.tolist():
        if b not in starts:
            continue
        if a in starts:
            t = starts[a] + int(layout.service[a, layout.visit_i[a, V_LOCKED]]) + delay
        else:
            t = soonest(a) + delay
        if starts[b] < t < NEVER:
            bounds[b, 0] = t
            pushed = True
    return pushed


def _soonest_end(layout: Layout, v: int, *, starts: Mapping[int, int]) -> int:
    """Return when a visit that is not locked can be over, if a rep goes there at once; NEVER: no rep can."""
    ready = 0
    for a, b, delay in layout.before.tolist():
        if b == v and a not in starts:
            ready = max(ready, _soonest_end(layout, a, starts=starts) + delay)
        elif b == v:
            ready = max(ready, starts[a] + int(layout.service[a, layout.visit_i[a, V_LOCKED]]) + delay)
    soonest = int(NEVER)
    for s, shift in enumerate(layout.shift_i):
        place, t = shift[S_START], int(shift[S_FREE_FROM])
        if shift[S_LOCK1] > shift[S_LOCK0]:
            u = int(layout.locked[shift[S_LOCK1] - 1])
            place, t = layout.visit_i[u, V_PLACE], max(t, starts[u] + int(layout.service[u, s]))
        buckets = len(layout.bucket)
        drives = layout.drive[
            shift[S_PROFILE] * buckets : (shift[S_PROFILE] + 1) * buckets, place, layout.visit_i[v, V_PLACE]
        ]
        t = max(ready, t + int(drives.min()))
        key = v * len(layout.shift_i) + s
        for opens, closes in layout.window[layout.window_at[key] : layout.window_at[key + 1]].tolist():
            if t <= closes:
                soonest = min(soonest, max(t, opens) + int(layout.service[v, s]))
                break
    return soonest


def awaited(layout: Layout) -> NDArray[np.bool_]:
    """Return whether each visit must be made since a locked one cannot do without it."""
    locked = layout.visit_i[:, V_LOCKED] >= 0
    found = np.zeros(len(locked), np.bool_)
    wanted = np.flatnonzero(locked & (layout.visit_i[:, V_LINKED] != 0)).tolist()
    while wanted:
        v = wanted.pop()
        others = [int(a) for a, b, _ in layout.before.tolist() if b == v]
        if layout.visit_i[v, V_PARTNER] >= 0:
            others.append(int(layout.visit_i[v, V_PARTNER]))
        new = [u for u in others if not locked[u] and not found[u]]
        found[new] = True
        wanted += new
    return found
