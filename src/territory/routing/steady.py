"""The starts of one route's visits that come nearest to wished times: for its order, the best there are."""

from __future__ import annotations

import numpy as np

from territory.compiled import kernel, leaf
from territory.compiled.tables import f64_2, i32_1, i32_2, i32_3, i64_1, i64_2
from territory.routing.layout import (
    S_BEGIN,
    S_BREAK0,
    S_BREAK1,
    S_CLOSE,
    S_COST_PER_S,
    S_END,
    S_FREE_FROM,
    S_LOCK0,
    S_LOCK1,
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
    begin_states,
    departure,
    end_states,
    next_start,
    rest_backward,
    rest_forward,
)

__all__ = ["steady_starts"]


@leaf
def sorted_once(values, n):  # type: ignore[no-untyped-def]
    """Sort the first n values in place (Shell 1959), put each once to the front, and return how many these are."""
    step = n // 2
    while step > 0:
        for i in range(step, n):
            x = values[i]
            j = i
            while j >= step and values[j - step] > x:
                values[j] = values[j - step]
                j -= step
            values[j] = x
        step //= 2
    kept = 0
    for i in range(n):
        if kept == 0 or values[i] != values[kept - 1]:
            values[kept] = values[i]
            kept += 1
    return kept


@leaf
def onward(shift, rest, drive, bucket, base, stop, a, b, times):  # type: ignore[no-untyped-def]
    """Turn times to be free before the drive to a stop, by breaks behind, into arrivals; breaks may come first."""
    b0 = shift[S_BREAK0]
    n = shift[S_BREAK1] - b0
    rest_forward(rest, b0, n, times)
    for k in range(n + 1):
        if times[k] < NEVER:
            if stop == shift[S_LOCK1] - shift[S_LOCK0]:
                times[k] = max(times[k], shift[S_FREE_FROM])
            times[k] = arrival(drive, bucket, base, a, b, times[k])[0]


@leaf
def leave_for(shift, rest, drive, bucket, base, to, early, start, k, times):  # type: ignore[no-untyped-def]
    """Return the latest time to leave for a first visit that starts then with k breaks behind; -NEVER: none."""
    b0 = shift[S_BREAK0]
    n = shift[S_BREAK1] - b0
    times[:] = -NEVER
    times[k] = start
    rest_backward(rest, b0, n, times)
    leave = np.int64(-NEVER)
    for j in range(n + 1):
        if times[j] > -NEVER:
            t = departure(drive, bucket, base, shift[S_START], to, times[j])
            if t >= early[j]:
                leave = max(leave, t)
    return leave


@leaf
def anchors_of(tab, s, route, m, legs, held, wish, leave_low, back_high, at, of):  # type: ignore[no-untyped-def]
    """Write down the times at which something changes for a visit, and for which; return how many.

    Wishes, windows, what is due, both ends of the shift, and both ends of breaks.
    """
    ly_rest = i64_2(tab, L_REST)
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_f = f64_2(tab, L_VISIT_F)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    ly_window = i32_2(tab, L_WINDOW)
    ly_window_at = i32_1(tab, L_WINDOW_AT)
    st_bounds = i64_2(tab, T_BOUNDS)
    shift = ly_shift_i[s]
    b0, b1 = shift[S_BREAK0], shift[S_BREAK1]
    locks = shift[S_LOCK1] - shift[S_LOCK0]
    n_shifts = len(ly_shift_i)
    count = 0
    for i in range(m):
        v = route[i]
        first = count
        for w in range(wish.shape[1]):
            at[count] = wish[i, w]
            count += 1
        for w in range(ly_window_at[v * n_shifts + s], ly_window_at[v * n_shifts + s + 1]):
            at[count], at[count + 1] = ly_window[w, 0], ly_window[w, 1]
            count += 2
        at[count], at[count + 1] = st_bounds[v, 0], st_bounds[v, 1]
        count += 2
        if ly_visit_f[v, V_LATE_COST] > 0:
            at[count] = ly_visit_i[v, V_DUE]
            count += 1
        if i == locks:
            at[count] = shift[S_FREE_FROM] + legs[i]
            count += 1
        if i == 0:
            at[count], at[count + 1] = shift[S_BEGIN] + legs[0], leave_low + legs[0]
            count += 2
        home = legs[m] + held[i]
        if i == m - 1:
            at[count], at[count + 1] = shift[S_CLOSE] - home, shift[S_REGULAR] - home
            at[count + 2] = back_high - home
            count += 3
        for b in range(b0, b1):
            if i == 0:
                at[count] = ly_rest[b, 2] + legs[0]
                count += 1
            if i == m - 1:
                at[count] = ly_rest[b, 1] - home
                count += 1
            length = np.int64(0)
            for e in range(b, b1):
                length += ly_rest[e, 0]
                at[count], at[count + 1] = ly_rest[b, 1] + length, ly_rest[b, 1] + length + legs[i]
                at[count + 2] = ly_rest[e, 2] - length - held[i]
                at[count + 3] = at[count + 2] - legs[i + 1]
                count += 4
        kept = first
        for x in range(first, count):
            if -NEVER < at[x] < NEVER:
                at[kept], of[kept] = at[x], i
                kept += 1
        count = kept
    return count


@kernel("i8[::1], i8, i4[::1], i8, i8[:, ::1], f8, f8, i8, i8, i8[::1]")
def steady_starts(tab, s, route, m, wish, rate, day_rate, leave_low, back_high, starts):  # type: ignore[no-untyped-def]
    """Choose the starts of a route's visits in its order: least cost of times, and of seconds off the wishes.

    For each visit the starts that may matter are those at which something changes for it, or for another visit
    while nobody idles between the two. Over these a shortest path, stop by stop and by breaks behind it.

    Parameters
    ----------
    tab : int64 array
        Table of the layout and of bounds for the starts of linked visits.
    s : int
    route : int32 array, at least m long
    m : int
        At least 1.
    wish : int64 array of shape (m, wishes)
        On the layout's clock; NEVER: none.
    rate, day_rate : float
        Cost of a second off each wish, and of a second from leaving to being back, beside what the shift costs.
    leave_low, back_high : int
        Not to leave before, not to be back after; -NEVER, NEVER: no such limit.
    starts : int64 array, at least m long
        Out: where the value is finite.

    Returns
    -------
    float
        What depends on times: duration, overtime, lateness, wishes; inf: there are no such times. A longest
        duration or drive is not looked at.

    Notes
    -----
    With n starts a visit O(m n log n); n is about 10 m for one break. Exact for one driving time a leg; with times
    of day the starts considered are those of the shift's begin.
    """
    ly_bucket = i64_1(tab, L_BUCKET)
    ly_drive = i32_3(tab, L_DRIVE)
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
    b0 = shift[S_BREAK0]
    n = shift[S_BREAK1] - b0
    base = shift[S_PROFILE] * len(ly_bucket)
    n_shifts = len(ly_shift_i)
    away = rates[S_COST_PER_S] + day_rate
    place = np.empty(m + 2, np.int64)
    legs, held = np.empty(m + 1, np.int64), np.empty(m, np.int64)
    lead = np.zeros(m, np.int64)
    place[0], place[m + 1] = shift[S_START], shift[S_END]
    windows = 0
    for i in range(m):
        place[i + 1] = ly_visit_i[route[i], V_PLACE]
        held[i] = ly_service[route[i], s]
        windows += ly_window_at[route[i] * n_shifts + s + 1] - ly_window_at[route[i] * n_shifts + s]
    for i in range(m + 1):
        legs[i] = arrival(ly_drive, ly_bucket, base, place[i], place[i + 1], shift[S_BEGIN])[1]
        if 0 < i < m:
            lead[i] = lead[i - 1] + held[i - 1] + legs[i]
    pairs = n * (n + 1) // 2
    # breaks that may lie between two visits: none, or some that follow each other
    between = np.zeros(pairs + 1, np.int64)
    x = 1
    for b in range(n):
        length = np.int64(0)
        for e in range(b, n):
            length += ly_rest[b0 + e, 0]
            between[x] = length
            x += 1
    most = m * (wish.shape[1] + 4 + 4 * pairs) + 2 * windows + 2 * n + 6
    at, of = np.empty(most, np.int64), np.empty(most, np.int64)
    n_anchors = anchors_of(tab, s, route, m, legs, held, wish, leave_low, back_high, at, of)
    width = 2 * n_anchors * (pairs + 1)
    start, count = np.empty((m, width), np.int64), np.empty(m, np.int64)
    widest = 0
    for i in range(m):
        v = route[i]
        found = 0
        for x in range(n_anchors):
            apart = lead[i] - lead[of[x]]
            for y in range(pairs + 1):
                for side in range(2):
                    if (side == 0 and of[x] > i) or (side == 1 and (of[x] < i or (of[x] == i and y == 0))):
                        continue
                    t = at[x] + apart + (between[y] if side == 0 else -between[y])
                    if t == next_start(
                        ly_window_at, ly_window, ly_visit_i[v, V_LINKED], st_bounds, v * n_shifts + s, v, t
                    ):
                        start[i, found] = t
                        found += 1
        count[i] = sorted_once(start[i], found)
        widest = max(widest, count[i])
    value = np.empty((m, n + 1, widest))
    value[:] = np.inf
    came = np.zeros((m, n + 1, widest), np.int64)
    ready = np.empty((n + 1, widest), np.int64)
    times, early = np.empty(n + 1, np.int64), np.empty(n + 1, np.int64)
    begin_states(shift, ly_rest, early)
    for i in range(m):
        v = route[i]
        for k in range(n + 1):
            if i == 0:
                for c in range(count[0]):
                    leave = leave_for(
                        shift, ly_rest, ly_drive, ly_bucket, base, place[1], early, start[0, c], k, times
                    )  # fmt: skip
                    if leave > -NEVER and leave >= leave_low:
                        value[0, k, c] = -away * leave
                continue
            for c in range(count[i - 1]):
                times[:] = NEVER
                times[k] = start[i - 1, c] + held[i - 1]
                onward(shift, ly_rest, ly_drive, ly_bucket, base, i, place[i], place[i + 1], times)
                rest_forward(ly_rest, b0, n, times)
                for after in range(k, n + 1):
                    ready[after, c] = times[after]
            for after in range(k, n + 1):
                best, where, p = np.inf, 0, 0
                for c in range(count[i]):
                    # who is free later is ready later
                    while p < count[i - 1] and ready[after, p] <= start[i, c]:
                        if value[i - 1, k, p] < best:
                            best, where = value[i - 1, k, p], p
                        p += 1
                    if best < value[i, after, c]:
                        value[i, after, c] = best
                        came[i, after, c] = k * widest + where
        late = ly_visit_f[v, V_LATE_COST]
        for c in range(count[i]):
            t = start[i, c]
            worth = late * max(0, t - ly_visit_i[v, V_DUE])
            for w in range(wish.shape[1]):
                if wish[i, w] < NEVER:
                    worth += rate * abs(t - wish[i, w])
            for k in range(n + 1):
                value[i, k, c] += worth
    end_states(shift, ly_rest, early)
    best, node = np.inf, -1
    for c in range(count[m - 1]):
        for k in range(n + 1):
            if value[m - 1, k, c] == np.inf:
                continue
            times[:] = NEVER
            times[k] = start[m - 1, c] + held[m - 1]
            onward(shift, ly_rest, ly_drive, ly_bucket, base, m, place[m], place[m + 1], times)
            back = np.int64(NEVER)
            for j in range(n + 1):
                if times[j] <= early[j]:
                    back = min(back, times[j])
            if back >= NEVER or back > back_high:
                continue
            total = value[m - 1, k, c] + away * back + rates[S_OVERTIME_COST] * max(0, back - shift[S_REGULAR])
            if total < best:
                best, node = total, k * widest + c
    if node >= 0:
        for i in range(m - 1, -1, -1):
            k, c = node // widest, node % widest
            starts[i] = start[i, c]
            node = came[i, k, c]
    return best
