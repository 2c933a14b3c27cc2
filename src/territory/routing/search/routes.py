"""Routes of a search: kept up to date, taken out of, put into, and gone back to."""

from __future__ import annotations

import numpy as np

from territory.compiled import inner, leaf
from territory.compiled.tables import f64_1, f64_2, i32_1, i32_2, i32_3, i64_1, i64_2, i64_3
from territory.routing.clock import NEVER, evaluate
from territory.routing.layout import (
    S_BREAK0,
    S_BREAK1,
    S_CAPACITY,
    S_CLOSE,
    S_COST,
    S_COST_PER_DRIVE_S,
    S_COST_PER_M,
    S_COST_PER_S,
    S_DAY,
    S_END,
    S_FREE_FROM,
    S_LOCK0,
    S_LOCK1,
    S_MAX_DRIVE,
    S_MAX_DURATION,
    S_PROFILE,
    S_START,
    S_TIMED,
    SPANS,
    TIMED,
    V_KIND,
    V_LINKED,
    V_LOAD,
    V_PLACE,
)
from territory.routing.search.spans import fill_spans
from territory.routing.search.state import (
    C_DIRTY,
    C_MOVED,
    C_STEP,
    C_TOUCHED,
    F_DRIVE,
    F_EXTRA_RATE,
    F_NOW,
    F_OVER_RATE,
)
from territory.routing.slots import (
    L_BUCKET,
    L_DRIVE,
    L_EXTRA,
    L_METRES,
    L_SERVICE,
    L_SHIFT_F,
    L_SHIFT_I,
    L_VISIT_I,
    L_WINDOW,
    L_WINDOW_AT,
    T_AT,
    T_BOUNDS,
    T_COST,
    T_COUNT,
    T_DIRTY,
    T_DRIVE,
    T_FREE,
    T_IS_DIRTY,
    T_LAST,
    T_LEG,
    T_LOAD,
    T_LOST,
    T_MOVED,
    T_N,
    T_OLD_AT,
    T_OLD_BOUNDS,
    T_OLD_COST,
    T_OLD_LOST,
    T_OLD_N,
    T_OLD_ROW,
    T_PLACE,
    T_ROW,
    T_SHIFT_STEP,
    T_SPAN,
    T_TIMES,
    T_TOUCHED,
    T_TRY_FREE,
    T_TRY_LAST,
    T_TRY_OUT,
    T_TRY_RESTS,
    T_TRY_ROW,
    T_TRY_STARTS,
    T_VALUE,
    T_VISIT_STEP,
)
from territory.routing.sweeps import backward, forward

__all__ = ["put", "refresh", "take", "touch", "undo"]


@leaf
def touch(tab, s):  # type: ignore[no-untyped-def]
    """Keep a copy of a route before the step changes it."""
    st_cost = f64_1(tab, T_COST)
    st_count = i64_1(tab, T_COUNT)
    st_n = i64_1(tab, T_N)
    st_old_cost = f64_1(tab, T_OLD_COST)
    st_old_n = i64_1(tab, T_OLD_N)
    st_old_row = i32_2(tab, T_OLD_ROW)
    st_row = i32_2(tab, T_ROW)
    st_shift_step = i64_1(tab, T_SHIFT_STEP)
    st_touched = i32_1(tab, T_TOUCHED)
    step = st_count[C_STEP]
    if st_shift_step[s] == step:
        return
    st_shift_step[s] = step
    st_touched[st_count[C_TOUCHED]] = s
    st_count[C_TOUCHED] += 1
    n = st_n[s]
    st_old_n[s] = n
    st_old_cost[s] = st_cost[s]
    for i in range(n):
        st_old_row[s, i] = st_row[s, i]


@inner("i8[::1], i8")
def touch_visit(tab, v):  # type: ignore[no-untyped-def]
    """Keep a copy of where a visit is before the step changes it."""
    st_at = i32_2(tab, T_AT)
    st_bounds = i64_2(tab, T_BOUNDS)
    st_count = i64_1(tab, T_COUNT)
    st_lost = f64_1(tab, T_LOST)
    st_moved = i32_1(tab, T_MOVED)
    st_old_at = i32_2(tab, T_OLD_AT)
    st_old_bounds = i64_2(tab, T_OLD_BOUNDS)
    st_old_lost = f64_1(tab, T_OLD_LOST)
    st_visit_step = i64_1(tab, T_VISIT_STEP)
    step = st_count[C_STEP]
    if st_visit_step[v] == step:
        return
    st_visit_step[v] = step
    st_moved[st_count[C_MOVED]] = v
    st_count[C_MOVED] += 1
    for d in range(st_at.shape[1]):
        st_old_at[v, d] = st_at[v, d]
    st_old_lost[v] = st_lost[v]
    st_old_bounds[v, 0] = st_bounds[v, 0]
    st_old_bounds[v, 1] = st_bounds[v, 1]


@leaf
def plain_times(  # type: ignore[no-untyped-def]
    window_at, window, visit_i, service, bounds, shift, n_shifts, s, row, n, leg, free, last
):
    """Work out times of a route without breaks, locks and times of day; returns whether it fits."""
    t = shift[S_FREE_FROM]
    free[0, 0] = t
    for i in range(n):
        v = row[i]
        t += leg[i]
        if visit_i[v, V_LINKED]:
            t = max(t, bounds[v, 0])
            if t > bounds[v, 1]:
                return False
        key = v * n_shifts + s
        found = False
        for w in range(window_at[key], window_at[key + 1]):
            if t <= window[w, 1]:
                t = max(t, np.int64(window[w, 0]))
                found = True
                break
        if not found or (visit_i[v, V_LINKED] and t > bounds[v, 1]):
            return False
        t += service[v, s]
        free[i + 1, 0] = t
    x = shift[S_CLOSE]
    last[n, 0] = x
    if n > 0 and t + leg[n] > x:
        return False
    if n > 0:
        x -= leg[n]
    for i in range(n - 1, -1, -1):
        v = row[i]
        x -= service[v, s]
        if visit_i[v, V_LINKED]:
            x = min(x, bounds[v, 1])
        key = v * n_shifts + s
        for w in range(window_at[key + 1] - 1, window_at[key] - 1, -1):
            if x >= window[w, 0]:
                x = min(x, np.int64(window[w, 1]))
                break
        last[i, 0] = x
        x -= leg[i]
    return True


@inner("i8[::1], i8")
def refresh(tab, s):  # type: ignore[no-untyped-def]
    """Work out a route's places, times and cost anew; returns whether it fits."""
    st_value = f64_1(tab, T_VALUE)
    ly_bucket = i64_1(tab, L_BUCKET)
    ly_drive = i32_3(tab, L_DRIVE)
    ly_extra = f64_2(tab, L_EXTRA)
    ly_metres = i32_3(tab, L_METRES)
    ly_service = i32_2(tab, L_SERVICE)
    ly_shift_f = f64_2(tab, L_SHIFT_F)
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    ly_window = i32_2(tab, L_WINDOW)
    ly_window_at = i32_1(tab, L_WINDOW_AT)
    st_bounds = i64_2(tab, T_BOUNDS)
    st_cost = f64_1(tab, T_COST)
    st_drive = i64_1(tab, T_DRIVE)
    st_free = i64_3(tab, T_FREE)
    st_last = i64_3(tab, T_LAST)
    st_leg = i32_2(tab, T_LEG)
    st_load = i64_1(tab, T_LOAD)
    st_n = i64_1(tab, T_N)
    st_place = i32_2(tab, T_PLACE)
    st_row = i32_2(tab, T_ROW)
    st_span = i64_3(tab, T_SPAN)
    st_times = i64_1(tab, T_TIMES)
    st_try_free = i64_2(tab, T_TRY_FREE)
    st_try_last = i64_2(tab, T_TRY_LAST)
    st_try_out = f64_1(tab, T_TRY_OUT)
    st_try_rests = i64_1(tab, T_TRY_RESTS)
    st_try_row = i32_1(tab, T_TRY_ROW)
    st_try_starts = i64_1(tab, T_TRY_STARTS)
    shift = ly_shift_i[s]
    n = st_n[s]
    place, leg, row = st_place[s], st_leg[s], st_row[s]
    base = shift[S_PROFILE] * len(ly_bucket)
    drive = ly_drive[base]
    place[0] = shift[S_START]
    load = 0
    for i in range(n):
        place[i + 1] = ly_visit_i[row[i], V_PLACE]
        load += ly_visit_i[row[i], V_LOAD]
    place[n + 1] = shift[S_END]
    st_load[s] = load
    if n == 0:
        leg[0] = 0
        st_drive[s] = 0
        st_cost[s] = 0.0
        if shift[S_TIMED] == SPANS:
            fill_spans(
                ly_window_at, ly_window, ly_service, shift, len(ly_shift_i), s, row, n, leg, st_span[s],
                st_try_starts[0:3],
            )  # fmt: skip
    total = np.int64(0)
    if n > 0:
        for i in range(n + 1):
            leg[i] = drive[place[i], place[i + 1]]
            total += leg[i]
        st_drive[s] = total
    breaks = shift[S_BREAK1] - shift[S_BREAK0]
    if breaks == 0 and len(ly_bucket) == 1 and shift[S_LOCK1] == shift[S_LOCK0]:
        if not plain_times(
            ly_window_at, ly_window, ly_visit_i, ly_service, st_bounds, shift, len(ly_shift_i), s,
            row, n, leg, st_free[s], st_last[s],
        ):  # fmt: skip
            return False
    else:
        forward(tab, s, row, n, st_free[s], 0)
        backward(tab, s, row, n, st_last[s], shift[S_CLOSE], st_times)
        fits = False
        for k in range(breaks + 1):
            if st_free[s, n, k] < NEVER:
                fits |= st_free[s, n, k] + drive[place[n], place[n + 1]] <= st_last[s, n, k] or len(ly_bucket) > 1
        if not fits:
            return False
    if n == 0:
        return True
    if shift[S_TIMED] == TIMED:
        for i in range(n):
            st_try_row[i] = row[i]
        if not evaluate(tab, s, st_try_row, n, st_try_free, st_try_last, st_try_starts, st_try_rests, st_try_out):
            return False
        st_cost[s] = st_try_out[0]
        return True
    rates = ly_shift_f[s]
    cost = rates[S_COST] + (rates[S_COST_PER_DRIVE_S] + st_value[F_EXTRA_RATE]) * total
    if ly_metres.shape[0] > 0:
        metres = np.int64(0)
        for i in range(n + 1):
            metres += ly_metres[shift[S_PROFILE], place[i], place[i + 1]]
        cost += rates[S_COST_PER_M] * metres
    if ly_extra.shape[0] > 0:
        for i in range(n):
            cost += ly_extra[row[i], s]
    if load > shift[S_CAPACITY]:
        cost += st_value[F_OVER_RATE] * (load - shift[S_CAPACITY])
    fits = total <= shift[S_MAX_DRIVE]
    if shift[S_TIMED] == SPANS:
        lasts = fill_spans(
            ly_window_at, ly_window, ly_service, shift, len(ly_shift_i), s, row, n, leg, st_span[s], st_try_starts[0:3]
        )
        cost += rates[S_COST_PER_S] * lasts - st_value[F_EXTRA_RATE] * total
        fits = fits and lasts <= shift[S_MAX_DURATION]
    st_cost[s] = cost
    return fits


@inner("i8[::1], i8, i8, i8")
def put(tab, v, s, at):  # type: ignore[no-untyped-def]
    """Put a visit into a shift where it fits."""
    st_drive = i64_1(tab, T_DRIVE)
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    st_at = i32_2(tab, T_AT)
    st_cost = f64_1(tab, T_COST)
    st_n = i64_1(tab, T_N)
    st_row = i32_2(tab, T_ROW)
    st_value = f64_1(tab, T_VALUE)
    touch(tab, s)
    touch_visit(tab, v)
    row = st_row[s]
    n = st_n[s]
    for i in range(n, at, -1):
        row[i] = row[i - 1]
    row[at] = v
    st_n[s] = n + 1
    column = ly_shift_i[s, S_DAY] if ly_visit_i[v, V_KIND] > 0 else 0
    st_at[v, column] = s
    before = st_cost[s]
    wheel = st_drive[s]
    fits = refresh(tab, s)
    st_value[F_NOW] += st_cost[s] - before
    if ly_shift_i[s, S_TIMED] == 0:
        st_value[F_DRIVE] += st_drive[s] - wheel
    return fits


@inner("i8[::1], i8, i8")
def take(tab, v, s):  # type: ignore[no-untyped-def]
    """Take a visit out of a shift; the shift is refreshed later."""
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    st_at = i32_2(tab, T_AT)
    st_n = i64_1(tab, T_N)
    st_row = i32_2(tab, T_ROW)
    touch(tab, s)
    touch_visit(tab, v)
    row = st_row[s]
    n = st_n[s]
    k = 0
    for i in range(n):
        if row[i] != v:
            row[k] = row[i]
            k += 1
    st_n[s] = k
    column = ly_shift_i[s, S_DAY] if ly_visit_i[v, V_KIND] > 0 else 0
    st_at[v, column] = -1


@inner("i8[::1]")
def undo(tab):  # type: ignore[no-untyped-def]
    """Go back to before this step."""
    st_at = i32_2(tab, T_AT)
    st_bounds = i64_2(tab, T_BOUNDS)
    st_cost = f64_1(tab, T_COST)
    st_count = i64_1(tab, T_COUNT)
    st_lost = f64_1(tab, T_LOST)
    st_moved = i32_1(tab, T_MOVED)
    st_n = i64_1(tab, T_N)
    st_old_at = i32_2(tab, T_OLD_AT)
    st_old_bounds = i64_2(tab, T_OLD_BOUNDS)
    st_old_cost = f64_1(tab, T_OLD_COST)
    st_old_lost = f64_1(tab, T_OLD_LOST)
    st_old_n = i64_1(tab, T_OLD_N)
    st_old_row = i32_2(tab, T_OLD_ROW)
    st_row = i32_2(tab, T_ROW)
    st_touched = i32_1(tab, T_TOUCHED)
    for i in range(st_count[C_MOVED]):
        v = st_moved[i]
        for d in range(st_at.shape[1]):
            st_at[v, d] = st_old_at[v, d]
        st_lost[v] = st_old_lost[v]
        st_bounds[v, 0] = st_old_bounds[v, 0]
        st_bounds[v, 1] = st_old_bounds[v, 1]
    for i in range(st_count[C_TOUCHED]):
        s = st_touched[i]
        n = st_old_n[s]
        st_n[s] = n
        for j in range(n):
            st_row[s, j] = st_old_row[s, j]
        refresh(tab, s)
        st_cost[s] = st_old_cost[s]


@leaf
def keep(tab):  # type: ignore[no-untyped-def]
    """Note that the touched routes differ from the best ones."""
    st_count = i64_1(tab, T_COUNT)
    st_dirty = i32_1(tab, T_DIRTY)
    st_is_dirty = i64_1(tab, T_IS_DIRTY)
    st_touched = i32_1(tab, T_TOUCHED)
    for i in range(st_count[C_TOUCHED]):
        s = st_touched[i]
        if st_is_dirty[s] == 0:
            st_is_dirty[s] = 1
            st_dirty[st_count[C_DIRTY]] = s
            st_count[C_DIRTY] += 1
