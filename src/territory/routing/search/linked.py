"""Putting linked visits in: joint pairs with one start, and visits that wait for others.

While linked visits are in routes their starts are pinned (`State.bounds`), so that routes stay
independent of each other; a group leaves and returns as a whole, with other starts.
"""

from __future__ import annotations

import numpy as np

from territory.compiled import inner, leaf
from territory.compiled.tables import f64_1, i32_1, i32_2, i32_3, i64_1, i64_2, i64_3, u64_1
from territory.routing.clock import NEVER, evaluate
from territory.routing.layout import (
    S_BREAK0,
    S_BREAK1,
    S_LOCK0,
    S_LOCK1,
    S_PROFILE,
    V_LOCKED,
    V_PARTNER,
    V_PLACE,
)
from territory.routing.search.insertion import insertion, rand
from territory.routing.search.routes import put, refresh, touch, touch_visit
from territory.routing.search.state import F_NOW
from territory.routing.slots import (
    L_BEFORE,
    L_BUCKET,
    L_DRIVE,
    L_SERVICE,
    L_SHIFT_I,
    L_VISIT_I,
    L_WINDOW,
    L_WINDOW_AT,
    T_AT,
    T_BOUNDS,
    T_COST,
    T_FREE,
    T_GROUP,
    T_GROUP_AT,
    T_GROUP_VISIT,
    T_LOST,
    T_N,
    T_PLACE,
    T_RNG,
    T_ROW,
    T_TRY_FREE,
    T_TRY_LAST,
    T_TRY_OUT,
    T_TRY_RESTS,
    T_TRY_ROW,
    T_TRY_STARTS,
    T_UNMADE,
    T_VALUE,
)
from territory.routing.sweeps import arrival, next_start

__all__ = ["insert_group"]

#: Pairs of places that are tried for a joint visit.
_PAIRS = 24
#: Starts that are tried beside a locked visit in each shift.
_STARTS = 8


@inner("i8[::1], i8, i8, i8")
def earliest(tab, v, s, at):  # type: ignore[no-untyped-def]
    """Return the earliest start of visit v at a position of shift s, on its own rules; NEVER: none."""
    ly_bucket = i64_1(tab, L_BUCKET)
    ly_drive = i32_3(tab, L_DRIVE)
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    ly_window = i32_2(tab, L_WINDOW)
    ly_window_at = i32_1(tab, L_WINDOW_AT)
    st_bounds = i64_2(tab, T_BOUNDS)
    st_free = i64_3(tab, T_FREE)
    st_place = i32_2(tab, T_PLACE)
    shift = ly_shift_i[s]
    base = shift[S_PROFILE] * len(ly_bucket)
    breaks = shift[S_BREAK1] - shift[S_BREAK0]
    n_shifts = len(ly_shift_i)
    found = np.int64(NEVER)
    for k in range(breaks + 1):
        t = st_free[s, at, k]
        if t < NEVER:
            t = arrival(ly_drive, ly_bucket, base, st_place[s, at], ly_visit_i[v, V_PLACE], t)[0]
            found = min(found, next_start(ly_window_at, ly_window, 1, st_bounds, v * n_shifts + s, v, t))
    return found


@leaf
def pin(tab, v, s):  # type: ignore[no-untyped-def]
    """Pin a linked visit to the start that it has in its route."""
    st_bounds = i64_2(tab, T_BOUNDS)
    st_n = i64_1(tab, T_N)
    st_row = i32_2(tab, T_ROW)
    st_try_free = i64_2(tab, T_TRY_FREE)
    st_try_last = i64_2(tab, T_TRY_LAST)
    st_try_out = f64_1(tab, T_TRY_OUT)
    st_try_rests = i64_1(tab, T_TRY_RESTS)
    st_try_row = i32_1(tab, T_TRY_ROW)
    st_try_starts = i64_1(tab, T_TRY_STARTS)
    n = st_n[s]
    where = 0
    for i in range(n):
        st_try_row[i] = st_row[s, i]
        if st_row[s, i] == v:
            where = i
    evaluate(tab, s, st_try_row, n, st_try_free, st_try_last, st_try_starts, st_try_rests, st_try_out)
    st_bounds[v, 0] = st_bounds[v, 1] = st_try_starts[where]


@leaf
def ready(tab, v):  # type: ignore[no-untyped-def]
    """Return from when on visit v may start, by the visits that it waits for; NEVER: one of them is not made."""
    ly_before = i64_2(tab, L_BEFORE)
    ly_service = i32_2(tab, L_SERVICE)
    st_at = i32_2(tab, T_AT)
    st_bounds = i64_2(tab, T_BOUNDS)
    t = np.int64(-NEVER)
    for q in range(len(ly_before)):
        if ly_before[q, 1] == v:
            a = ly_before[q, 0]
            s = st_at[a, 0]
            if s < 0:
                return np.int64(NEVER)
            t = max(t, st_bounds[a, 0] + ly_service[a, s] + ly_before[q, 2])
    return t


@leaf
def deadline(tab, v, s):  # type: ignore[no-untyped-def]
    """Return until when visit v may start, by the visits that wait for it and stand already (locked ones)."""
    ly_before = i64_2(tab, L_BEFORE)
    ly_service = i32_2(tab, L_SERVICE)
    st_at = i32_2(tab, T_AT)
    st_bounds = i64_2(tab, T_BOUNDS)
    t = np.int64(NEVER)
    for q in range(len(ly_before)):
        if ly_before[q, 0] == v and st_at[ly_before[q, 1], 0] >= 0:
            t = min(t, st_bounds[ly_before[q, 1], 0] - ly_before[q, 2] - ly_service[v, s])
    return t


@inner("i8[::1], i8, i8, i8")
def settle_one(tab, v, s, at):  # type: ignore[no-untyped-def]
    """Put a linked visit in and pin it."""
    st_cost = f64_1(tab, T_COST)
    st_lost = f64_1(tab, T_LOST)
    st_value = f64_1(tab, T_VALUE)
    put(tab, v, s, at)
    pin(tab, v, s)
    # the others' times now have to leave this start alone
    before = st_cost[s]
    refresh(tab, s)
    st_value[F_NOW] += st_cost[s] - before
    st_value[F_NOW] -= st_lost[v]
    st_lost[v] = 0.0


@inner("i8[::1], i8, f8")
def insert_single(tab, v, blink):  # type: ignore[no-untyped-def]
    """Put a linked visit without a partner where it costs least."""
    ly_before = i64_2(tab, L_BEFORE)
    st_at = i32_2(tab, T_AT)
    st_bounds = i64_2(tab, T_BOUNDS)
    st_n = i64_1(tab, T_N)
    st_unmade = f64_1(tab, T_UNMADE)
    low = ready(tab, v)
    if low >= NEVER:
        return
    best, s_best, at_best = st_unmade[v], -1, -1
    for q in range(len(ly_before)):
        # it may be worth its cost only with those that wait for it
        if ly_before[q, 0] == v and st_at[ly_before[q, 1], 0] < 0:
            best += st_unmade[ly_before[q, 1]]
    for s in range(len(st_n)):
        st_bounds[v, 0], st_bounds[v, 1] = low, deadline(tab, v, s)
        cost, at = insertion(tab, v, s, best, blink)
        if at >= 0:
            best, s_best, at_best = cost, s, at
    if s_best < 0:
        st_bounds[v, 0], st_bounds[v, 1] = -NEVER, NEVER
        return
    st_bounds[v, 0], st_bounds[v, 1] = low, deadline(tab, v, s_best)
    settle_one(tab, v, s_best, at_best)


@inner("i8[::1], i8, i8, i8, i8, i8, f8")
def meet(tab, a, b, sa, sb, t, cap):  # type: ignore[no-untyped-def]
    """Return the least cost of a joint pair in two shifts, and its start: tried from t on."""
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_window = i32_2(tab, L_WINDOW)
    ly_window_at = i32_1(tab, L_WINDOW_AT)
    st_bounds = i64_2(tab, T_BOUNDS)
    st_n = i64_1(tab, T_N)
    st_rng = u64_1(tab, T_RNG)
    n_shifts = len(st_n)
    best, when = cap, np.int64(-1)
    last = min(deadline(tab, a, sa), deadline(tab, b, sb))
    for _ in range(8):
        # the first start from t on that is in windows of both
        for _ in range(64):
            st_bounds[a, 0] = st_bounds[b, 0] = -NEVER
            st_bounds[a, 1] = st_bounds[b, 1] = NEVER
            x = next_start(ly_window_at, ly_window, 1, st_bounds, a * n_shifts + sa, a, t)
            y = next_start(ly_window_at, ly_window, 1, st_bounds, b * n_shifts + sb, b, t)
            if x == y or x >= NEVER or y >= NEVER:
                break
            t = max(x, y)
        if x != y or x >= NEVER or x > last:
            break
        t = x
        st_bounds[a, 0] = st_bounds[a, 1] = st_bounds[b, 0] = st_bounds[b, 1] = t
        one, i = insertion(tab, a, sa, best, 0.0)
        if i >= 0:
            two, j = insertion(tab, b, sb, best - one, 0.0)
            if j >= 0:
                best, when = one + two, t
        # on to when either rep is free after a stop, at random: no position is left out for ever
        nxt = np.int64(NEVER)
        for j in range(2):
            s, v = (sa, a) if j == 0 else (sb, b)
            for i in range(ly_shift_i[s, S_LOCK1] - ly_shift_i[s, S_LOCK0], st_n[s] + 1):
                st_bounds[v, 0], st_bounds[v, 1] = -NEVER, NEVER
                e = earliest(tab, v, s, i)
                if e > t and e < nxt:
                    nxt = e
        if nxt >= NEVER:
            nxt = t + 1 + np.int64(rand(st_rng) * 3600.0)
        t = nxt
    return best, when


@inner("i8[::1], i8, i8, f8")
def insert_pair(tab, a, b, blink):  # type: ignore[no-untyped-def]
    """Put a joint pair into two shifts with one start."""
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    st_bounds = i64_2(tab, T_BOUNDS)
    st_n = i64_1(tab, T_N)
    st_unmade = f64_1(tab, T_UNMADE)
    low = max(ready(tab, a), ready(tab, b))
    if low >= NEVER:
        return
    n_shifts = len(st_n)
    limit = st_unmade[a] + st_unmade[b]
    cost = np.empty((2, n_shifts))
    start = np.empty((2, n_shifts), np.int64)
    for j in range(2):
        v = a if j == 0 else b
        for s in range(n_shifts):
            st_bounds[v, 0], st_bounds[v, 1] = low, deadline(tab, v, s)
            cost[j, s], at = insertion(tab, v, s, limit, blink)
            start[j, s] = NEVER
            if at >= 0:
                # the earliest of all positions, not of the cheapest: later ones are tried by and by
                for i in range(ly_shift_i[s, S_LOCK1] - ly_shift_i[s, S_LOCK0], st_n[s] + 1):
                    start[j, s] = min(start[j, s], earliest(tab, v, s, i))
    tried = np.zeros((n_shifts, n_shifts), np.bool_)
    best, sa, sb, ta = limit, -1, -1, np.int64(0)
    for _ in range(min(_PAIRS, n_shifts * n_shifts)):
        least, x, y = limit, -1, -1
        for s in range(n_shifts):
            for t in range(n_shifts):
                if s != t and not tried[s, t] and start[0, s] < NEVER and start[1, t] < NEVER:
                    both = cost[0, s] + cost[1, t]
                    if both < least:
                        least, x, y = both, s, t
        if x < 0 or least >= best:
            break
        tried[x, y] = True
        both, when = meet(tab, a, b, x, y, max(start[0, x], start[1, y]), best)
        if both < best:
            best, sa, sb, ta = both, x, y, when
    if sa < 0:
        for v in (a, b):
            st_bounds[v, 0], st_bounds[v, 1] = -NEVER, NEVER
        return
    for v in (a, b):
        st_bounds[v, 0] = st_bounds[v, 1] = ta
    settle_one(tab, a, sa, insertion(tab, a, sa, np.inf, 0.0)[1])
    settle_one(tab, b, sb, insertion(tab, b, sb, np.inf, 0.0)[1])


@inner("i8[::1], i8, i8")
def insert_beside(tab, v, locked):  # type: ignore[no-untyped-def]
    """Put a visit where it costs least at a start that its locked joint partner can have, and pin both to it."""
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_window = i32_2(tab, L_WINDOW)
    ly_window_at = i32_1(tab, L_WINDOW_AT)
    st_at = i32_2(tab, T_AT)
    st_bounds = i64_2(tab, T_BOUNDS)
    st_cost = f64_1(tab, T_COST)
    st_n = i64_1(tab, T_N)
    st_unmade = f64_1(tab, T_UNMADE)
    st_value = f64_1(tab, T_VALUE)
    n_shifts = len(st_n)
    home = np.int64(st_at[locked, 0])
    touch(tab, home)
    low = ready(tab, v)
    before, since = st_cost[home], st_bounds[locked, 0]
    best, s_best, at_best, when = st_unmade[v], np.int64(-1), np.int64(-1), np.int64(0)
    if low < NEVER:
        for s in range(n_shifts):
            if s == home:
                continue
            last = deadline(tab, v, s)
            t = max(low, since)
            for _ in range(_STARTS):
                # the next start that some position of the shift allows, and the partner's windows
                st_bounds[v, 0], st_bounds[v, 1] = t, last
                x = np.int64(NEVER)
                for i in range(ly_shift_i[s, S_LOCK1] - ly_shift_i[s, S_LOCK0], st_n[s] + 1):
                    x = min(x, earliest(tab, v, s, i))
                if x > last:
                    break
                st_bounds[locked, 0], st_bounds[locked, 1] = x, NEVER
                y = next_start(ly_window_at, ly_window, 1, st_bounds, locked * n_shifts + home, locked, x)
                if y >= NEVER:
                    break
                if y == x:
                    st_bounds[v, 0] = st_bounds[v, 1] = st_bounds[locked, 1] = x
                    if refresh(tab, home):
                        cost, at = insertion(tab, v, s, best, 0.0)
                        if at >= 0:
                            best, s_best, at_best, when = cost, np.int64(s), at, x
                t = max(x + 1, y)
    if s_best < 0:
        st_bounds[v, 0], st_bounds[v, 1] = -NEVER, NEVER
        st_bounds[locked, 0] = st_bounds[locked, 1] = since
        refresh(tab, home)
        return
    st_bounds[v, 0] = st_bounds[v, 1] = st_bounds[locked, 0] = st_bounds[locked, 1] = when
    refresh(tab, home)
    st_value[F_NOW] += st_cost[home] - before
    settle_one(tab, v, s_best, at_best)


@inner("i8[::1], i8, f8")
def insert_group(tab, v, blink):  # type: ignore[no-untyped-def]
    """Put a group of linked visits back, each after those that it waits for."""
    ly_visit_i = i64_2(tab, L_VISIT_I)
    st_at = i32_2(tab, T_AT)
    st_group = i32_1(tab, T_GROUP)
    st_group_at = i32_1(tab, T_GROUP_AT)
    st_group_visit = i32_1(tab, T_GROUP_VISIT)
    group = st_group[v]
    for i in range(st_group_at[group], st_group_at[group + 1]):
        u = np.int64(st_group_visit[i])
        if st_at[u, 0] >= 0 or ly_visit_i[u, V_LOCKED] >= 0:
            continue
        touch_visit(tab, u)
        partner = ly_visit_i[u, V_PARTNER]
        if partner < 0:
            insert_single(tab, u, blink)
        elif ly_visit_i[partner, V_LOCKED] >= 0:
            touch_visit(tab, partner)
            insert_beside(tab, u, partner)
        elif st_at[partner, 0] >= 0:
            continue
        else:
            touch_visit(tab, partner)
            insert_pair(tab, u, partner, blink)
