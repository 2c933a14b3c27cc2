"""Sweeps over a route: the earliest times that windows, breaks and driving allow, and what is still late enough.

For a fixed order all rules on times are monotone: who is ready earlier can do whatever follows. So
one number a stop and a state is enough in each direction: `free[i, k]`, the earliest time at which
the rep may drive on from stop i with k breaks behind it, and `last[i, k]`, the latest arrival at stop
i with k breaks behind it from which the rest of the route can still be made. A visit fits between two
stops if from `free` of the one it leads to an arrival within `last` of the other; that is the
constant-time test of Savelsbergh (1992), here with several windows, breaks and times of day.

Stop 0 is the start place, stops 1 .. m are the visits, the arrival at the end place is `last[m]`:
`free` has rows 0 .. m, `last` has rows 0 .. m with row i for the stop after `free[i]`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from territory.compiled import kernel, leaf
from territory.compiled.tables import i32_1, i32_2, i32_3, i64_1, i64_2
from territory.routing.layout import (
    S_BEGIN,
    S_BREAK0,
    S_BREAK1,
    S_CLOSE,
    S_END,
    S_FREE_FROM,
    S_LOCK0,
    S_LOCK1,
    S_PROFILE,
    S_START,
    V_LINKED,
    V_PLACE,
)
from territory.routing.slots import (
    L_BUCKET,
    L_DRIVE,
    L_REST,
    L_SERVICE,
    L_SHIFT_I,
    L_VISIT_I,
    L_WINDOW,
    L_WINDOW_AT,
    T_BOUNDS,
)

__all__ = [
    "NEVER",
    "arrival",
    "backward",
    "departure",
    "end_states",
    "forward",
    "latest_start",
    "next_start",
    "rest_backward",
]

#: Later than any time; its negative is earlier than any.
NEVER: Final = 1 << 40


@leaf
def arrival(drive, bucket, base, i, j, t):  # type: ignore[no-untyped-def]
    """Return the earliest arrival at place j for who may leave place i at t, and the time at the wheel."""
    if len(bucket) == 1:
        return t + drive[base, i, j], np.int64(drive[base, i, j])
    b = 0
    while b + 1 < len(bucket) and bucket[b + 1] <= t:
        b += 1
    wheel = np.int64(drive[base + b, i, j])
    best = t + wheel
    for c in range(b + 1, len(bucket)):
        if bucket[c] >= best:
            break
        if bucket[c] + drive[base + c, i, j] < best:
            wheel = np.int64(drive[base + c, i, j])
            best = bucket[c] + wheel
    return best, wheel


@leaf
def departure(drive, bucket, base, i, j, t):  # type: ignore[no-untyped-def]
    """Return the latest time to leave place i that arrives at place j by t."""
    if len(bucket) == 1:
        return t - drive[base, i, j]
    for b in range(len(bucket) - 1, -1, -1):
        leave = t - drive[base + b, i, j]
        if b + 1 < len(bucket):
            leave = min(leave, bucket[b + 1] - 1)
        if b == 0 or leave >= bucket[b]:
            return leave
    return np.int64(-NEVER)


@leaf
def next_start(window_at, window, linked, bounds, key, v, t):  # type: ignore[no-untyped-def]
    """Return the first possible start of visit v from t on; NEVER: none. `key` is v * S + s."""
    high_v = np.int64(NEVER)
    if linked:
        t = max(t, bounds[v, 0])
        high_v = bounds[v, 1]
    for w in range(window_at[key], window_at[key + 1]):
        if t <= window[w, 1]:
            start = max(t, np.int64(window[w, 0]))
            return start if start <= high_v else np.int64(NEVER)
    return np.int64(NEVER)


@leaf
def latest_start(window_at, window, linked, bounds, key, v, t):  # type: ignore[no-untyped-def]
    """Return the last possible start of visit v up to t; -NEVER: none."""
    low_v = np.int64(-NEVER)
    if linked:
        t = min(t, bounds[v, 1])
        low_v = bounds[v, 0]
    for w in range(window_at[key + 1] - 1, window_at[key] - 1, -1):
        if t >= window[w, 0]:
            start = min(t, np.int64(window[w, 1]))
            return start if start >= low_v else np.int64(-NEVER)
    return np.int64(-NEVER)


@leaf
def rest_forward(rest, b0, n, times):  # type: ignore[no-untyped-def]
    """Let breaks be taken now: `times[k]` is when the rep is ready with k breaks behind it."""
    for k in range(n):
        ready = max(times[k], rest[b0 + k, 1]) + rest[b0 + k, 0]
        if ready <= rest[b0 + k, 2] and ready < times[k + 1]:
            times[k + 1] = ready


@leaf
def rest_backward(rest, b0, n, times):  # type: ignore[no-untyped-def]
    """Let breaks be taken now: `times[k]` is the latest time to be here with k breaks behind."""
    for k in range(n - 1, -1, -1):
        done = min(times[k + 1], rest[b0 + k, 2])
        if done - rest[b0 + k, 0] >= rest[b0 + k, 1] and done - rest[b0 + k, 0] > times[k]:
            times[k] = done - rest[b0 + k, 0]


@leaf
def begin_states(shift, rest, times):  # type: ignore[no-untyped-def]
    """Set when the rep may leave the start place, with k breaks taken there or not needed."""
    b0 = shift[S_BREAK0]
    n = shift[S_BREAK1] - b0
    times[0] = shift[S_BEGIN]
    for k in range(n):
        # who leaves after a break's window needs it no more
        times[k + 1] = max(times[k], rest[b0 + k, 2])
        ready = max(times[k], rest[b0 + k, 1]) + rest[b0 + k, 0]
        if ready <= rest[b0 + k, 2]:
            times[k + 1] = min(times[k + 1], ready)
    if shift[S_LOCK1] == shift[S_LOCK0]:
        # drives are frozen, breaks are not
        for k in range(n + 1):
            times[k] = max(times[k], shift[S_FREE_FROM])


@leaf
def end_states(shift, rest, times):  # type: ignore[no-untyped-def]
    """Set the latest arrival at the end place with k breaks behind: the others are not needed, or taken there."""
    b0 = shift[S_BREAK0]
    n = shift[S_BREAK1] - b0
    close = shift[S_CLOSE]
    times[n] = close
    for k in range(n - 1, -1, -1):
        times[k] = min(rest[b0 + k, 1], close)
        done = min(times[k + 1], rest[b0 + k, 2]) - rest[b0 + k, 0]
        if done >= rest[b0 + k, 1]:
            times[k] = max(times[k], done)


@leaf
def visit_forward(shift, service, window_at, window, linked, bounds, rest, s, n_shifts, v, times):  # type: ignore[no-untyped-def]
    """Turn arrivals at a visit, `times[k]`, into times to drive on."""
    b0 = shift[S_BREAK0]
    n = shift[S_BREAK1] - b0
    if n > 0:
        rest_forward(rest, b0, n, times)
    for k in range(n + 1):
        if times[k] < NEVER:
            start = next_start(window_at, window, linked, bounds, v * n_shifts + s, v, times[k])
            times[k] = start + service[v, s] if start < NEVER else np.int64(NEVER)
    if n > 0:
        rest_forward(rest, b0, n, times)


@kernel("i8[::1], i8, i4[::1], i8, i8[:, ::1], i8")
def forward(tab, s, route, m, free, since):  # type: ignore[no-untyped-def]
    """Fill rows `since` .. m of `free`; row since - 1 is known."""
    ly_bucket = i64_1(tab, L_BUCKET)
    ly_drive = i32_3(tab, L_DRIVE)
    ly_rest = i64_2(tab, L_REST)
    ly_service = i32_2(tab, L_SERVICE)
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    ly_window = i32_2(tab, L_WINDOW)
    ly_window_at = i32_1(tab, L_WINDOW_AT)
    st_bounds = i64_2(tab, T_BOUNDS)
    shift = ly_shift_i[s]
    n = shift[S_BREAK1] - shift[S_BREAK0]
    base = shift[S_PROFILE] * len(ly_bucket)
    locks = shift[S_LOCK1] - shift[S_LOCK0]
    n_shifts = len(ly_shift_i)
    if since == 0:
        begin_states(shift, ly_rest, free[0])
    for i in range(max(since, 1), m + 1):
        v = route[i - 1]
        before = shift[S_START] if i == 1 else ly_visit_i[route[i - 2], V_PLACE]
        place = ly_visit_i[v, V_PLACE]
        for k in range(n + 1):
            t = free[i - 1, k]
            free[i, k] = t if t >= NEVER else arrival(ly_drive, ly_bucket, base, before, place, t)[0]
        visit_forward(
            shift, ly_service, ly_window_at, ly_window, ly_visit_i[v, V_LINKED], st_bounds, ly_rest,
            s, n_shifts, v, free[i],
        )  # fmt: skip
        if i == locks:
            for k in range(n + 1):
                free[i, k] = max(free[i, k], shift[S_FREE_FROM])


@kernel("i8[::1], i8, i4[::1], i8, i8[:, ::1], i8, i8[::1]")
def backward(tab, s, route, m, last, close, scratch):  # type: ignore[no-untyped-def]
    """Fill all rows of `last` for a route that is back by `close`; scratch has room for one row."""
    ly_bucket = i64_1(tab, L_BUCKET)
    ly_drive = i32_3(tab, L_DRIVE)
    ly_rest = i64_2(tab, L_REST)
    ly_service = i32_2(tab, L_SERVICE)
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    ly_window = i32_2(tab, L_WINDOW)
    ly_window_at = i32_1(tab, L_WINDOW_AT)
    st_bounds = i64_2(tab, T_BOUNDS)
    shift = ly_shift_i[s]
    b0 = shift[S_BREAK0]
    n = shift[S_BREAK1] - b0
    base = shift[S_PROFILE] * len(ly_bucket)
    locks = shift[S_LOCK1] - shift[S_LOCK0]
    n_shifts = len(ly_shift_i)
    end_states(shift, ly_rest, last[m])
    for k in range(n + 1):
        last[m, k] = min(last[m, k], close)
    place = shift[S_END]
    for i in range(m - 1, -1, -1):
        v = route[i]
        before = ly_visit_i[v, V_PLACE]
        for k in range(n + 1):
            t = last[i + 1, k]
            scratch[k] = t if t <= -NEVER else departure(ly_drive, ly_bucket, base, before, place, t)
            if i + 1 == locks and scratch[k] < shift[S_FREE_FROM]:
                scratch[k] = -NEVER
        if n > 0:
            rest_backward(ly_rest, b0, n, scratch)
        for k in range(n + 1):
            t = scratch[k]
            last[i, k] = -NEVER
            if t > -NEVER:
                last[i, k] = latest_start(
                    ly_window_at, ly_window, ly_visit_i[v, V_LINKED], st_bounds, v * n_shifts + s, v,
                    t - ly_service[v, s],
                )  # fmt: skip
        if n > 0:
            rest_backward(ly_rest, b0, n, last[i])
        place = before
