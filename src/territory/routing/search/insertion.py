"""What a visit would cost in a shift, and where: in constant time a position where rules allow."""

from __future__ import annotations

import numpy as np

from territory.compiled import inner, leaf
from territory.compiled.tables import f64_1, f64_2, i32_1, i32_2, i32_3, i64_1, i64_2, i64_3, u64_1
from territory.routing.clock import NEVER, evaluate
from territory.routing.layout import (
    S_BREAK0,
    S_BREAK1,
    S_CAPACITY,
    S_COST,
    S_COST_PER_DRIVE_S,
    S_COST_PER_M,
    S_COST_PER_S,
    S_LOCK0,
    S_LOCK1,
    S_MAX_DRIVE,
    S_MAX_DURATION,
    S_MAX_VISITS,
    S_PROFILE,
    S_TIMED,
    SPANS,
    TIMED,
    V_LINKED,
    V_LOAD,
    V_PLACE,
)
from territory.routing.search.spans import joined
from territory.routing.search.state import (
    F_EXTRA_RATE,
    F_OVER_RATE,
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
    L_VISIT_I,
    L_WINDOW,
    L_WINDOW_AT,
    T_BOUNDS,
    T_COST,
    T_DRIVE,
    T_DRIVE_TO,
    T_FREE,
    T_LAST,
    T_LEG,
    T_LOAD,
    T_N,
    T_PLACE,
    T_RNG,
    T_ROW,
    T_SPAN,
    T_TIMES,
    T_TRY_FREE,
    T_TRY_LAST,
    T_TRY_OUT,
    T_TRY_RESTS,
    T_TRY_ROW,
    T_TRY_STARTS,
    T_VALUE,
)
from territory.routing.sweeps import arrival

__all__ = ["insertion", "rand"]


@leaf
def rand(state):  # type: ignore[no-untyped-def]
    """Return a random float in [0, 1): SplitMix64 (Steele, Lea & Flood 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@leaf
def plain_insertion(  # type: ignore[no-untyped-def]
    to_u, from_u, place, leg, free, last, n, since, opens, closes, length, most_drive, rate, cap, blink, rng
):
    """Return the least detour into a route without breaks and times of day for a visit with one window.

    Parameters
    ----------
    to_u, from_u : int32 arrays of shape (n_places,)
        Drives from every place to the visit, and back.
    place, leg, free, last
        Of the route, see `State`.
    n, since : int
        Visits of the route, and those that are locked.
    opens, closes, length : int
        The visit's window of the start, and its service.
    most_drive : int
        The longest detour.
    rate, cap : float
        Cost a second; only cheaper places count.
    blink : float
        Chance that a place is overlooked.
    """
    best, at = cap, np.int64(-1)
    for i in range(since, n + 1):
        a, b = place[i], place[i + 1]
        go = np.int64(to_u[a])
        t = free[i, 0] + go
        if free[i, 0] > closes:
            break
        if t > closes:
            continue
        on = np.int64(from_u[b])
        detour = go + on - leg[i]
        cost = rate * detour
        if cost >= best or detour > most_drive:
            continue
        if max(t, opens) + length + on > last[i, 0]:
            continue
        if blink > 0.0 and rand(rng) < blink:
            continue
        best, at = cost, i
    return best, at


@leaf
def span_insertion(  # type: ignore[no-untyped-def]
    to_u, from_u, place, leg, free, last, span, n, opens, closes, length, most_drive, most_time, rate, time_rate, cap,
    blink, rng, one, two,
):  # fmt: skip
    """Return the least cost of a place in a route whose duration costs or is limited, see `plain_insertion`."""
    best, at = cap, np.int64(-1)
    joined(span[n, 0:3], span[n, 3:6], np.int64(leg[n]), one)
    lasted = one[0] if n > 0 else np.int64(0)
    for i in range(n + 1):
        a, b = place[i], place[i + 1]
        go = np.int64(to_u[a])
        t = free[i, 0] + go
        if free[i, 0] > closes:
            break
        if t > closes:
            continue
        on = np.int64(from_u[b])
        detour = go + on - leg[i]
        if (
            detour > most_drive
            or max(t, opens) + length + on > last[i, 0]
            or rate * detour - time_rate * lasted >= best
        ):
            continue
        one[0], one[1], one[2] = length, opens, closes
        joined(span[i, 0:3], one, go, two)
        joined(two, span[i, 3:6], on, one)
        cost = rate * detour + time_rate * (one[0] - lasted)
        if one[0] > most_time or cost >= best:
            continue
        if blink > 0.0 and rand(rng) < blink:
            continue
        best, at = cost, np.int64(i)
    return best, at


@inner("i8[::1], i8, i8, f8, f8, f8, i8")
def any_insertion(tab, v, s, cap, blink, fixed, since):  # type: ignore[no-untyped-def]
    """Return the least cost of putting visit v into shift s, whatever rules the shift has."""
    st_value = f64_1(tab, T_VALUE)
    ly_bucket = i64_1(tab, L_BUCKET)
    ly_drive = i32_3(tab, L_DRIVE)
    ly_metres = i32_3(tab, L_METRES)
    ly_rest = i64_2(tab, L_REST)
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
    st_n = i64_1(tab, T_N)
    st_place = i32_2(tab, T_PLACE)
    st_rng = u64_1(tab, T_RNG)
    st_row = i32_2(tab, T_ROW)
    st_times = i64_1(tab, T_TIMES)
    st_try_free = i64_2(tab, T_TRY_FREE)
    st_try_last = i64_2(tab, T_TRY_LAST)
    st_try_out = f64_1(tab, T_TRY_OUT)
    st_try_rests = i64_1(tab, T_TRY_RESTS)
    st_try_row = i32_1(tab, T_TRY_ROW)
    st_try_starts = i64_1(tab, T_TRY_STARTS)
    shift, rates = ly_shift_i[s], ly_shift_f[s]
    n_shifts = len(ly_shift_i)
    base = shift[S_PROFILE] * len(ly_bucket)
    buckets = len(ly_bucket)
    u = ly_visit_i[v, V_PLACE]
    b0 = shift[S_BREAK0]
    breaks = shift[S_BREAK1] - b0
    n = st_n[s]
    place, free, last = st_place[s], st_free[s], st_last[s]
    drive = ly_drive[base]
    timed = shift[S_TIMED] != 0
    rate, rate_m = rates[S_COST_PER_DRIVE_S] + st_value[F_EXTRA_RATE], rates[S_COST_PER_M]
    profile = shift[S_PROFILE]
    best, at = cap, np.int64(-1)
    key = v * n_shifts + s
    closes = np.int64(ly_window[ly_window_at[key + 1] - 1, 1])
    linked = ly_visit_i[v, V_LINKED]
    times = st_times
    for i in range(since, n + 1):
        a, b = place[i], place[i + 1]
        late = True
        for k in range(breaks + 1):
            late = late and free[i, k] > closes
        if late:
            break
        detour = np.int64(drive[a, u]) + np.int64(drive[u, b]) - (np.int64(drive[a, b]) if n > 0 else 0)
        cost = fixed
        if not timed:
            cost += rate * detour
            if ly_metres.shape[0] > 0:
                metres = np.int64(ly_metres[profile, a, u]) + ly_metres[profile, u, b]
                cost += rate_m * (metres - (ly_metres[profile, a, b] if n > 0 else 0))
            if cost >= best or st_drive[s] + detour > shift[S_MAX_DRIVE]:
                continue
        fits = False
        for k in range(breaks + 1):
            times[k] = NEVER
            if free[i, k] < NEVER:
                if buckets == 1:
                    times[k] = free[i, k] + drive[a, u]
                else:
                    times[k] = arrival(ly_drive, ly_bucket, base, np.int64(a), u, free[i, k])[0]
        for twice in range(2):
            for k in range(breaks):
                ready = max(times[k], ly_rest[b0 + k, 1]) + ly_rest[b0 + k, 0]
                if ready <= ly_rest[b0 + k, 2] and ready < times[k + 1]:
                    times[k + 1] = ready
            if twice == 1:
                break
            for k in range(breaks + 1):
                t = times[k]
                times[k] = NEVER
                if t < NEVER:
                    if linked:
                        t = max(t, st_bounds[v, 0])
                    for w in range(ly_window_at[key], ly_window_at[key + 1]):
                        if t <= ly_window[w, 1]:
                            t = max(t, np.int64(ly_window[w, 0]))
                            if not linked or t <= st_bounds[v, 1]:
                                times[k] = t + ly_service[v, s]
                            break
        for k in range(breaks + 1):
            if times[k] < NEVER:
                if buckets == 1:
                    t = times[k] + drive[u, b]
                else:
                    t = arrival(ly_drive, ly_bucket, base, u, np.int64(b), times[k])[0]
                if t <= last[i, k]:
                    fits = True
                    break
        if not fits:
            continue
        if blink > 0.0 and rand(st_rng) < blink:
            continue
        if timed:
            for j in range(i):
                st_try_row[j] = st_row[s, j]
            st_try_row[i] = v
            for j in range(i, n):
                st_try_row[j + 1] = st_row[s, j]
            if not evaluate(
                tab, s, st_try_row, n + 1, st_try_free, st_try_last, st_try_starts, st_try_rests,
                st_try_out,
            ):  # fmt: skip
                continue
            cost = st_try_out[0] - st_cost[s]
            if cost >= best:
                continue
        best, at = cost, i
    return best, at


@inner("i8[::1], i8, i8, f8, f8")
def insertion(tab, v, s, cap, blink):  # type: ignore[no-untyped-def]
    """Return the least cost of putting visit v into shift s, and its position; cap and -1 where there is none."""
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
    st_drive = i64_1(tab, T_DRIVE)
    st_drive_to = i32_3(tab, T_DRIVE_TO)
    st_free = i64_3(tab, T_FREE)
    st_last = i64_3(tab, T_LAST)
    st_leg = i32_2(tab, T_LEG)
    st_load = i64_1(tab, T_LOAD)
    st_n = i64_1(tab, T_N)
    st_place = i32_2(tab, T_PLACE)
    st_rng = u64_1(tab, T_RNG)
    st_row = i32_2(tab, T_ROW)
    st_span = i64_3(tab, T_SPAN)
    st_try_starts = i64_1(tab, T_TRY_STARTS)
    st_value = f64_1(tab, T_VALUE)
    shift, rates = ly_shift_i[s], ly_shift_f[s]
    n_shifts = len(ly_shift_i)
    key = v * n_shifts + s
    w0, w1 = ly_window_at[key], ly_window_at[key + 1]
    n = st_n[s]
    if w0 == w1 or n >= shift[S_MAX_VISITS]:
        return cap, np.int64(-1)
    over = min(st_load[s] + ly_visit_i[v, V_LOAD] - shift[S_CAPACITY], ly_visit_i[v, V_LOAD])
    if n >= st_row.shape[1] or (over > 0 and st_value[F_OVER_RATE] <= 0.0):
        return cap, np.int64(-1)
    base = shift[S_PROFILE] * len(ly_bucket)
    u = ly_visit_i[v, V_PLACE]
    since = shift[S_LOCK1] - shift[S_LOCK0]
    breaks = shift[S_BREAK1] - shift[S_BREAK0]
    fixed = rates[S_COST] if n == 0 else 0.0
    if ly_extra.shape[0] > 0:
        fixed += ly_extra[v, s]
    if over > 0:
        fixed += st_value[F_OVER_RATE] * over
        if fixed >= cap:
            return cap, np.int64(-1)
    mode = shift[S_TIMED]
    plain = breaks == 0 and len(ly_bucket) == 1 and not ly_visit_i[v, V_LINKED] and w1 - w0 == 1
    if plain and mode != TIMED and ly_metres.shape[0] == 0:
        rate = rates[S_COST_PER_DRIVE_S]
        opens, closes = np.int64(ly_window[w0, 0]), np.int64(ly_window[w0, 1])
        length = np.int64(ly_service[v, s])
        most_drive = shift[S_MAX_DRIVE] - st_drive[s]
        if mode == SPANS:
            best, at = span_insertion(
                st_drive_to[base, u], ly_drive[base, u], st_place[s], st_leg[s], st_free[s], st_last[s], st_span[s], n,
                opens, closes, length, most_drive, shift[S_MAX_DURATION], rate, rates[S_COST_PER_S], cap - fixed, blink,
                st_rng, st_try_starts[0:3], st_try_starts[3:6],
            )  # fmt: skip
        else:
            best, at = plain_insertion(
                st_drive_to[base, u], ly_drive[base, u], st_place[s], st_leg[s], st_free[s], st_last[s], n, since,
                opens, closes, length, most_drive, rate + st_value[F_EXTRA_RATE], cap - fixed, blink, st_rng,
            )  # fmt: skip
        return (best + fixed, at) if at >= 0 else (cap, np.int64(-1))
    return any_insertion(tab, v, s, cap, blink, fixed, since)
