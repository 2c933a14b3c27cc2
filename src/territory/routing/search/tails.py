"""Swapping the tails of two routes: what strings are too short for where routes are long."""

from __future__ import annotations

import numpy as np

from territory.compiled import inner
from territory.compiled.tables import f64_1, i32_1, i32_2, i32_3, i64_1, i64_2, i64_3, u64_1
from territory.routing.layout import (
    ONCE,
    S_BREAK0,
    S_BREAK1,
    S_CAPACITY,
    S_DAY,
    S_LOCK0,
    S_LOCK1,
    S_MAX_VISITS,
    S_PROFILE,
    S_TIMED,
    V_KIND,
    V_LINKED,
)
from territory.routing.search.insertion import rand
from territory.routing.search.routes import refresh, touch, touch_visit
from territory.routing.search.state import F_DRIVE, F_NOW, F_OVER_RATE
from territory.routing.slots import (
    L_BUCKET,
    L_DRIVE,
    L_SHIFT_I,
    L_VISIT_I,
    T_AT,
    T_COST,
    T_CUT,
    T_DRIVE,
    T_FREE,
    T_LAST,
    T_LOAD,
    T_N,
    T_NEAR,
    T_PLACE,
    T_RNG,
    T_ROW,
    T_VALUE,
)

__all__ = ["swap_tails"]

#: Nearest neighbours among which the head of the other tail is drawn.
_NEAR = 20


@inner("i8[::1], i8, i8")
def where(tab, v, s):  # type: ignore[no-untyped-def]
    """Return the position of a visit in a shift, or -1 for a locked one."""
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    st_n = i64_1(tab, T_N)
    st_row = i32_2(tab, T_ROW)
    for i in range(ly_shift_i[s, S_LOCK1] - ly_shift_i[s, S_LOCK0], st_n[s]):
        if st_row[s, i] == v:
            return np.int64(i)
    return np.int64(-1)


@inner("i8[::1], i8, i8")
def linked_from(tab, s, since):  # type: ignore[no-untyped-def]
    """Return whether a shift holds linked visits from a position on."""
    ly_visit_i = i64_2(tab, L_VISIT_I)
    st_n = i64_1(tab, T_N)
    st_row = i32_2(tab, T_ROW)
    found = False
    for k in range(since, st_n[s]):
        found |= ly_visit_i[st_row[s, k], V_LINKED] != 0
    return found


@inner("i8[::1], i8, i8, i8, i8")
def exchange(tab, a, i, b, j):  # type: ignore[no-untyped-def]
    """Swap what shift a does from position i on with what shift b does from j on; returns whether both fit."""
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    st_at = i32_2(tab, T_AT)
    st_cost = f64_1(tab, T_COST)
    st_cut = i32_1(tab, T_CUT)
    st_drive = i64_1(tab, T_DRIVE)
    st_load = i64_1(tab, T_LOAD)
    st_n = i64_1(tab, T_N)
    st_row = i32_2(tab, T_ROW)
    st_value = f64_1(tab, T_VALUE)
    touch(tab, a)
    touch(tab, b)
    before = st_cost[a] + st_cost[b]
    for s in (a, b):
        if ly_shift_i[s, S_TIMED] == 0:
            st_value[F_DRIVE] -= st_drive[s]
    row_a, row_b = st_row[a], st_row[b]
    tail_a, tail_b = st_n[a] - i, st_n[b] - j
    for k in range(tail_a):
        st_cut[k] = row_a[i + k]
    for k in range(tail_b):
        row_a[i + k] = row_b[j + k]
    for k in range(tail_a):
        row_b[j + k] = st_cut[k]
    st_n[a], st_n[b] = i + tail_b, j + tail_a
    for k in range(tail_b):
        v = np.int64(row_a[i + k])
        touch_visit(tab, v)
        st_at[v, ly_shift_i[a, S_DAY] if ly_visit_i[v, V_KIND] != ONCE else 0] = a
    for k in range(tail_a):
        v = np.int64(row_b[j + k])
        touch_visit(tab, v)
        st_at[v, ly_shift_i[b, S_DAY] if ly_visit_i[v, V_KIND] != ONCE else 0] = b
    fits = refresh(tab, a)
    fits = refresh(tab, b) and fits
    st_value[F_NOW] += st_cost[a] + st_cost[b] - before
    for s in (a, b):
        if ly_shift_i[s, S_TIMED] == 0:
            st_value[F_DRIVE] += st_drive[s]
    if st_value[F_OVER_RATE] > 0.0:
        return fits
    return fits and st_load[a] <= ly_shift_i[a, S_CAPACITY] and st_load[b] <= ly_shift_i[b, S_CAPACITY]


@inner("i8[::1], i8")
def swap_tails(tab, v):  # type: ignore[no-untyped-def]
    """Let a visit be followed by a near one of another shift of its day and by all that follows that one.

    What followed the visit follows what came before the near one. Nothing happens where that does not fit.
    """
    ly_bucket = i64_1(tab, L_BUCKET)
    ly_drive = i32_3(tab, L_DRIVE)
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    st_at = i32_2(tab, T_AT)
    st_free = i64_3(tab, T_FREE)
    st_last = i64_3(tab, T_LAST)
    st_n = i64_1(tab, T_N)
    st_near = i32_2(tab, T_NEAR)
    st_place = i32_2(tab, T_PLACE)
    st_rng = u64_1(tab, T_RNG)
    st_row = i32_2(tab, T_ROW)
    width = min(_NEAR, st_near.shape[1] - 1)
    if width < 1:
        return
    days = st_at.shape[1]
    column = np.int64(0)
    if ly_visit_i[v, V_KIND] != ONCE:
        column = np.int64(rand(st_rng) * days)
    a = np.int64(st_at[v, column])
    u = np.int64(st_near[v, 1 + np.int64(rand(st_rng) * width)])
    if a < 0:
        return
    day = ly_shift_i[a, S_DAY]
    b = np.int64(st_at[u, day if ly_visit_i[u, V_KIND] != ONCE else 0])
    if b < 0 or b == a or (days > 1 and ly_shift_i[b, S_DAY] != day):
        return
    i, j = where(tab, v, a), where(tab, u, b)
    if i < 0 or j < 0:
        return
    i += 1
    tail_a, tail_b = st_n[a] - i, st_n[b] - j
    for s, n in ((a, i + tail_b), (b, j + tail_a)):
        if n > min(st_row.shape[1], ly_shift_i[s, S_MAX_VISITS]):
            return
    breaks = ly_shift_i[a, S_BREAK1] - ly_shift_i[a, S_BREAK0] + ly_shift_i[b, S_BREAK1] - ly_shift_i[b, S_BREAK0]
    if breaks == 0 and len(ly_bucket) == 1:
        drive = ly_drive[ly_shift_i[a, S_PROFILE]]
        if st_free[a, i, 0] + drive[st_place[a, i], st_place[b, j + 1]] > st_last[b, j, 0]:
            return
        drive = ly_drive[ly_shift_i[b, S_PROFILE]]
        if tail_a > 0 and st_free[b, j, 0] + drive[st_place[b, j], st_place[a, i + 1]] > st_last[a, i, 0]:
            return
    if linked_from(tab, a, i) or linked_from(tab, b, j):
        return
    if not exchange(tab, a, i, b, j):
        exchange(tab, a, i, b, j)
