"""The times and the cost of a route: the one place where both are defined."""

from __future__ import annotations

from typing import Final

import numpy as np

from territory.compiled import kernel, leaf
from territory.compiled.tables import f64_2, i32_1, i32_2, i32_3, i64_1, i64_2
from territory.routing.layout import (
    S_BEGIN,
    S_BREAK0,
    S_BREAK1,
    S_CLOSE,
    S_COST,
    S_COST_PER_DRIVE_S,
    S_COST_PER_M,
    S_COST_PER_S,
    S_END,
    S_FREE_FROM,
    S_LOCK0,
    S_LOCK1,
    S_MAX_DRIVE,
    S_MAX_DURATION,
    S_OVERTIME_COST,
    S_PROFILE,
    S_REGULAR,
    S_START,
    V_DUE,
    V_LATE_COST,
    V_LINKED,
    V_PLACE,
)
from territory.routing.slots import (
    L_BUCKET,
    L_DRIVE,
    L_EXTRA,
    L_METRES,
    L_REST,
    L_SERVICE,
    L_SHIFT_F,
    L_SHIFT_I,
    L_VISIT_F,
    L_VISIT_I,
    L_WINDOW,
    L_WINDOW_AT,
    T_BOUNDS,
)
from territory.routing.sweeps import (
    NEVER,
    arrival,
    backward,
    departure,
    end_states,
    forward,
    latest_start,
    next_start,
    rest_backward,
)

__all__ = ["NEVER", "evaluate"]

# columns of what `evaluate` returns
E_COST: Final = 0
E_LEAVE: Final = 1
E_BACK: Final = 2
E_DRIVE: Final = 3
E_METRES: Final = 4
E_LATE_COST: Final = 5
E_OVERTIME: Final = 6
E_EXTRA: Final = 7
E_COLUMNS: Final = 8


@leaf
def back_at(tab, s, route, m, free):  # type: ignore[no-untyped-def]
    """Return when the rep is back, as early as the order allows; NEVER: the route does not fit."""
    ly_bucket = i64_1(tab, L_BUCKET)
    ly_drive = i32_3(tab, L_DRIVE)
    ly_rest = i64_2(tab, L_REST)
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    shift = ly_shift_i[s]
    n = shift[S_BREAK1] - shift[S_BREAK0]
    base = shift[S_PROFILE] * len(ly_bucket)
    place = shift[S_START] if m == 0 else ly_visit_i[route[m - 1], V_PLACE]
    limit = np.empty(n + 1, np.int64)
    end_states(shift, ly_rest, limit)
    back = np.int64(NEVER)
    for k in range(n + 1):
        if free[m, k] < NEVER:
            t = arrival(ly_drive, ly_bucket, base, place, shift[S_END], free[m, k])[0]
            if t <= limit[k]:
                back = min(back, t)
    return back


@leaf
def rest_ready(shift, rest, rests, k):  # type: ignore[no-untyped-def]
    """Return when break k may begin at the start place."""
    ready = shift[S_BEGIN]
    for j in range(k):
        if rests[j] >= 0:
            ready = max(ready, rests[j] + rest[shift[S_BREAK0] + j, 0])
    return ready


@leaf
def free_until(tab, s, last, i, m, route, base):  # type: ignore[no-untyped-def]
    """Return the latest times to be free after visit i - 1, before its next drive, with k breaks behind."""
    ly_bucket = i64_1(tab, L_BUCKET)
    ly_drive = i32_3(tab, L_DRIVE)
    ly_rest = i64_2(tab, L_REST)
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    shift = ly_shift_i[s]
    n = shift[S_BREAK1] - shift[S_BREAK0]
    place = ly_visit_i[route[i - 1], V_PLACE]
    to = shift[S_END] if i == m else ly_visit_i[route[i], V_PLACE]
    times = np.empty(n + 1, np.int64)
    for j in range(n + 1):
        t = last[i, j]
        times[j] = t if t <= -NEVER else departure(ly_drive, ly_bucket, base, place, to, t)
        if i == shift[S_LOCK1] - shift[S_LOCK0] and times[j] < shift[S_FREE_FROM]:
            times[j] = -NEVER
    rest_backward(ly_rest, shift[S_BREAK0], n, times)
    return times


@leaf
def latest_within(tab, s, n_shifts, v, last, i, m, route, k, base):  # type: ignore[no-untyped-def]
    """Return the latest time to be ready for visit v at stop i with k breaks behind, no more breaks before it."""
    ly_service = i32_2(tab, L_SERVICE)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    ly_window = i32_2(tab, L_WINDOW)
    ly_window_at = i32_1(tab, L_WINDOW_AT)
    st_bounds = i64_2(tab, T_BOUNDS)
    done = free_until(tab, s, last, i + 1, m, route, base)[k]
    if done <= -NEVER:
        return np.int64(-NEVER)
    return latest_start(
        ly_window_at, ly_window, ly_visit_i[v, V_LINKED], st_bounds, v * n_shifts + s, v, done - ly_service[v, s]
    )


@leaf
def rest_here(tab, s, last, i, m, route, base, t, taken, rests):  # type: ignore[no-untyped-def]
    """Take breaks after visit i - 1 and before its next drive; return when they are over, and how many are behind."""
    ly_bucket = i64_1(tab, L_BUCKET)
    ly_drive = i32_3(tab, L_DRIVE)
    ly_rest = i64_2(tab, L_REST)
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    shift = ly_shift_i[s]
    b0 = shift[S_BREAK0]
    n = shift[S_BREAK1] - b0
    place = ly_visit_i[route[i - 1], V_PLACE]
    to = shift[S_END] if i == m else ly_visit_i[route[i], V_PLACE]
    until = free_until(tab, s, last, i, m, route, base)
    frozen = i == shift[S_LOCK1] - shift[S_LOCK0]
    while taken < n:
        at = max(t, ly_rest[b0 + taken, 1])
        ready = at + ly_rest[b0 + taken, 0]
        fits = ready <= ly_rest[b0 + taken, 2] and ready <= until[taken + 1]
        leave = max(t, shift[S_FREE_FROM]) if frozen else t
        go_on = arrival(ly_drive, ly_bucket, base, place, to, leave)[0] <= last[i, taken]
        if not fits or (go_on and at > t):
            break
        rests[taken] = at
        t = ready
        taken += 1
    return t, taken


@kernel("i8[::1], i8, i4[::1], i8, i8[:, ::1], i8[:, ::1], i8[::1], i8[::1], f8[::1]")
def evaluate(tab, s, route, m, free, last, starts, rests, out):  # type: ignore[no-untyped-def]
    """Time one route and cost it; the one place where both are defined.

    The day ends as early as the order allows. Where time away costs or is limited, the rep leaves
    as late as that allows, else as late as the first visit's start allows. Visits start as early as
    that lets them; a break is taken at the first moment that needs no idling, or else where the day
    would end later without it.

    Parameters
    ----------
    layout : Layout
    bounds : int64 array of shape (V, 2)
        Earliest and latest start of linked visits.
    s : int
    route : int array, at least m long
    m : int
    free, last : int64 arrays with at least m + 1 rows and a column more than breaks
        Scratch; not those of a search's state.
    starts : int64 array, at least m long
        Out: starts of the visits.
    rests : int64 array, at least as long as there are breaks
        Out: begins of the breaks; -1 where not taken.
    out : float64 array of shape (E_COLUMNS,)

    Returns
    -------
    bool
        Whether the route fits. Only times, duration and driving time are looked at.
    """
    ly_bucket = i64_1(tab, L_BUCKET)
    ly_drive = i32_3(tab, L_DRIVE)
    ly_extra = f64_2(tab, L_EXTRA)
    ly_metres = i32_3(tab, L_METRES)
    ly_rest = i64_2(tab, L_REST)
    ly_service = i32_2(tab, L_SERVICE)
    ly_shift_f = f64_2(tab, L_SHIFT_F)
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_f = f64_2(tab, L_VISIT_F)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    ly_window = i32_2(tab, L_WINDOW)
    ly_window_at = i32_1(tab, L_WINDOW_AT)
    st_bounds = i64_2(tab, T_BOUNDS)
    shift, rates = ly_shift_i[s], ly_shift_f[s]
    out[:] = 0.0
    b0 = shift[S_BREAK0]
    n = shift[S_BREAK1] - b0
    for k in range(n):
        rests[k] = -1
    if m == 0:
        out[E_LEAVE] = out[E_BACK] = shift[S_BEGIN]
        return True
    forward(tab, s, route, m, free, 0)
    back = back_at(tab, s, route, m, free)
    if back >= NEVER:
        return False
    base = shift[S_PROFILE] * len(ly_bucket)
    n_shifts = len(ly_shift_i)
    locks = shift[S_LOCK1] - shift[S_LOCK0]
    away = rates[S_COST_PER_S] > 0 or shift[S_MAX_DURATION] < shift[S_CLOSE] - shift[S_BEGIN]
    begin = np.int64(free[0, 0])
    taken = 0
    if away or n > 0:
        scratch = np.empty(n + 1, np.int64)
        backward(tab, s, route, m, last, back, scratch)
    first = ly_visit_i[route[0], V_PLACE]
    if away:
        leave = np.int64(-NEVER)
        for k in range(n + 1):
            if last[0, k] > -NEVER:
                t = departure(ly_drive, ly_bucket, base, shift[S_START], first, last[0, k])
                if t >= free[0, k] and t > leave:
                    leave = t
                    taken = k
        begin = leave
    elif n > 0:
        # breaks that are out of the way before the first drive
        while taken < n and (
            last[0, taken] <= -NEVER
            or arrival(ly_drive, ly_bucket, base, shift[S_START], first, free[0, taken])[0] > last[0, taken]
        ):
            taken += 1
        begin = np.int64(free[0, taken])
    for k in range(taken):
        # at the start place; none where the rep leaves after the window
        at = max(rest_ready(shift, ly_rest, rests, k), ly_rest[b0 + k, 1])
        rests[k] = at if at + ly_rest[b0 + k, 0] <= min(ly_rest[b0 + k, 2], begin) else -1
    wheel = np.int64(0)
    metres = np.int64(0)
    late = 0.0
    extra = 0.0
    t = begin
    place = shift[S_START]
    first_event = np.int64(NEVER)
    first_leg = np.int64(0)
    for i in range(m):
        v = route[i]
        to = ly_visit_i[v, V_PLACE]
        # breaks before driving
        if i > 0 and taken < n:
            t, taken = rest_here(tab, s, last, i, m, route, base, t, taken, rests)
        if i == locks:
            t = max(t, shift[S_FREE_FROM])
        t, leg = arrival(ly_drive, ly_bucket, base, place, to, t)
        wheel += leg
        if i == 0:
            first_leg = leg
        if ly_metres.shape[0] > 0:
            metres += ly_metres[shift[S_PROFILE], place, to]
        # breaks on arrival
        while taken < n:
            at = max(t, ly_rest[b0 + taken, 1])
            ready = at + ly_rest[b0 + taken, 0]
            # more breaks may follow before the visit
            fits = ready <= ly_rest[b0 + taken, 2] and ready <= last[i, taken + 1]
            limit = latest_within(tab, s, n_shifts, v, last, i, m, route, taken, base)
            if not fits or (t <= limit and at > t):
                break
            if i == 0:
                first_event = min(first_event, at)
            rests[taken] = at
            t = ready
            taken += 1
        t = next_start(
            ly_window_at, ly_window, ly_visit_i[v, V_LINKED], st_bounds, v * n_shifts + s, v, t
        )  # fmt: skip
        if i == 0:
            first_event = min(first_event, t)
        starts[i] = t
        if ly_visit_f[v, V_LATE_COST] > 0 and t > ly_visit_i[v, V_DUE]:
            late += ly_visit_f[v, V_LATE_COST] * (t - ly_visit_i[v, V_DUE])
        if ly_extra.shape[0] > 0:
            extra += ly_extra[v, s]
        t += ly_service[v, s]
        place = to
    if taken < n:
        t, taken = rest_here(tab, s, last, m, m, route, base, t, taken, rests)
    if m == locks:
        t = max(t, shift[S_FREE_FROM])
    t, leg = arrival(ly_drive, ly_bucket, base, place, shift[S_END], t)
    wheel += leg
    if ly_metres.shape[0] > 0:
        metres += ly_metres[shift[S_PROFILE], place, shift[S_END]]
    home = t
    while taken < n and home > ly_rest[b0 + taken, 1]:
        rests[taken] = home
        home += ly_rest[b0 + taken, 0]
        taken += 1
    if not away:
        leave = departure(ly_drive, ly_bucket, base, shift[S_START], first, first_event)
        # at that time of day the first drive may take another time
        wheel += arrival(ly_drive, ly_bucket, base, shift[S_START], first, leave)[1] - first_leg
    if t - leave > shift[S_MAX_DURATION] or wheel > shift[S_MAX_DRIVE]:
        return False
    overtime = max(np.int64(0), t - shift[S_REGULAR])
    out[E_LEAVE], out[E_BACK], out[E_DRIVE], out[E_METRES] = leave, t, wheel, metres
    out[E_LATE_COST], out[E_OVERTIME], out[E_EXTRA] = late, overtime, extra
    out[E_COST] = (
        rates[S_COST]
        + rates[S_COST_PER_S] * (t - leave)
        + rates[S_COST_PER_DRIVE_S] * wheel
        + rates[S_COST_PER_M] * metres
        + rates[S_OVERTIME_COST] * overtime
        + late
        + extra
    )
    return True
