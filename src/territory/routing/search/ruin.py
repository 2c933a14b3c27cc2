"""Taking visits out: strings of neighbouring routes, with all that hangs on them (slack induction by string removals).

Reference: J. Christiaens & G. Vanden Berghe, Slack induction by string removals for vehicle routing
problems, Transportation Science 54 (2020). Departures: a visit with a cadence is taken out on all its
days, or, in a step that keeps days, only on one; linked visits leave together; locked visits stay.
"""

from __future__ import annotations

import numpy as np

from territory.compiled import inner, leaf
from territory.compiled.tables import f64_1, i32_1, i32_2, i64_1, i64_2, u64_1
from territory.routing.layout import (
    ONCE,
    S_DAY,
    S_LOCK0,
    S_LOCK1,
    S_TIMED,
    V_KIND,
    V_LINKED,
    V_LOCKED,
)
from territory.routing.search.insertion import rand
from territory.routing.search.routes import refresh, take, touch_visit
from territory.routing.search.state import (
    C_OUT,
    C_TICK,
    C_TICK_RUIN,
    C_TOUCHED,
    F_DRIVE,
    F_NOW,
)
from territory.routing.search.tails import swap_tails
from territory.routing.slots import (
    L_SHIFT_I,
    L_VISIT_I,
    T_AT,
    T_COST,
    T_COUNT,
    T_CUT,
    T_CUTS,
    T_DRIVE,
    T_GROUP,
    T_GROUP_AT,
    T_GROUP_VISIT,
    T_LOST,
    T_MARK,
    T_N,
    T_NEAR,
    T_OUT,
    T_RNG,
    T_ROW,
    T_SHIFT_MARK,
    T_TOUCHED,
    T_UNMADE,
    T_VALUE,
)

__all__ = ["lift", "ruin"]

#: Chance that a string keeps some of its middle, and that it keeps no more.
_SPLIT = 0.5
_SPLIT_STOP = 0.01


@leaf
def tick(tab):  # type: ignore[no-untyped-def]
    """Return a number that no mark holds yet."""
    st_count = i64_1(tab, T_COUNT)
    st_count[C_TICK] += 1
    return st_count[C_TICK]


@leaf
def lift_alone(tab, v, now):  # type: ignore[no-untyped-def]
    """Take a linked visit out."""
    st_at = i32_2(tab, T_AT)
    st_count = i64_1(tab, T_COUNT)
    st_lost = f64_1(tab, T_LOST)
    st_mark = i64_1(tab, T_MARK)
    st_out = i32_1(tab, T_OUT)
    st_unmade = f64_1(tab, T_UNMADE)
    st_value = f64_1(tab, T_VALUE)
    st_mark[v] = now
    touch_visit(tab, v)
    if st_at[v, 0] >= 0:
        take(tab, v, st_at[v, 0])
    st_value[F_NOW] += st_unmade[v] - st_lost[v]
    st_lost[v] = st_unmade[v]
    st_out[st_count[C_OUT]] = v
    st_count[C_OUT] += 1


@inner("i8[::1], i8, i8")
def lift(tab, v, now):  # type: ignore[no-untyped-def]
    """Take a visit out of all its shifts, with all visits linked to it."""
    ly_visit_i = i64_2(tab, L_VISIT_I)
    st_at = i32_2(tab, T_AT)
    st_count = i64_1(tab, T_COUNT)
    st_group = i32_1(tab, T_GROUP)
    st_group_at = i32_1(tab, T_GROUP_AT)
    st_group_visit = i32_1(tab, T_GROUP_VISIT)
    st_lost = f64_1(tab, T_LOST)
    st_mark = i64_1(tab, T_MARK)
    st_out = i32_1(tab, T_OUT)
    st_unmade = f64_1(tab, T_UNMADE)
    st_value = f64_1(tab, T_VALUE)
    if st_mark[v] == now:
        return
    st_mark[v] = now
    touch_visit(tab, v)
    for d in range(st_at.shape[1]):
        s = st_at[v, d]
        if s >= 0:
            take(tab, v, s)
    st_value[F_NOW] += st_unmade[v] - st_lost[v]
    st_lost[v] = st_unmade[v]
    st_out[st_count[C_OUT]] = v
    st_count[C_OUT] += 1
    if ly_visit_i[v, V_LINKED]:
        group = st_group[v]
        for i in range(st_group_at[group], st_group_at[group + 1]):
            other = st_group_visit[i]
            if ly_visit_i[other, V_LOCKED] < 0 and st_mark[other] != now:
                lift_alone(tab, other, now)


@leaf
def settle(tab):  # type: ignore[no-untyped-def]
    """Refresh every touched route; one that no longer fits (no triangle inequality) loses all that is not locked."""
    st_drive = i64_1(tab, T_DRIVE)
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    st_cost = f64_1(tab, T_COST)
    st_count = i64_1(tab, T_COUNT)
    st_mark = i64_1(tab, T_MARK)
    st_n = i64_1(tab, T_N)
    st_row = i32_2(tab, T_ROW)
    st_touched = i32_1(tab, T_TOUCHED)
    st_value = f64_1(tab, T_VALUE)
    now = st_count[C_TICK_RUIN]
    i = 0
    while i < st_count[C_TOUCHED]:
        s = st_touched[i]
        before = st_cost[s]
        wheel = st_drive[s]
        fits = refresh(tab, s)
        if not fits:
            locks = ly_shift_i[s, S_LOCK1] - ly_shift_i[s, S_LOCK0]
            while st_n[s] > locks:
                v = np.int64(st_row[s, st_n[s] - 1])
                if st_mark[v] == now:  # pragma: no cover - a visit leaves once
                    break
                lift(tab, v, now)
            refresh(tab, s)
        st_value[F_NOW] += st_cost[s] - before
        if ly_shift_i[s, S_TIMED] == 0:
            st_value[F_DRIVE] += st_drive[s] - wheel
        i += 1


@leaf
def cut(tab, c, s, string, ruined, day):  # type: ignore[no-untyped-def]
    """Take a string out of shift s that holds visit c, or stands around it."""
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    st_count = i64_1(tab, T_COUNT)
    st_cut = i32_1(tab, T_CUT)
    st_mark = i64_1(tab, T_MARK)
    st_n = i64_1(tab, T_N)
    st_out = i32_1(tab, T_OUT)
    st_rng = u64_1(tab, T_RNG)
    st_row = i32_2(tab, T_ROW)
    n = st_n[s]
    locks = ly_shift_i[s, S_LOCK1] - ly_shift_i[s, S_LOCK0]
    row = st_row[s]
    p = np.int64(-1)
    for i in range(locks, n):
        if row[i] == c:
            p = np.int64(i)
            break
    if p < 0:
        return
    free = n - locks
    length = np.int64(rand(st_rng) * min(string, free) + 1.0)
    length = min(length, free)
    kept = np.int64(0)
    if length > 1 and length < free and rand(st_rng) < _SPLIT:
        kept = np.int64(1)
        while length + kept < free and rand(st_rng) > _SPLIT_STOP:
            kept += 1
    whole = length + kept
    low = max(locks, p - whole + 1)
    high = min(p, n - whole)
    start = low + np.int64(rand(st_rng) * (high - low + 1))
    hole = start + np.int64(rand(st_rng) * (length + 1)) if kept > 0 else start + whole
    k = 0
    for i in range(start, start + whole):
        if kept > 0 and hole <= i < hole + kept:
            continue
        st_cut[k] = row[i]
        k += 1
    for i in range(k):
        v = np.int64(st_cut[i])
        if day >= 0 and ly_visit_i[v, V_KIND] != ONCE:
            if st_mark[v] != ruined:
                st_mark[v] = ruined
                take(tab, v, s)
                st_out[st_count[C_OUT]] = v
                st_count[C_OUT] += 1
        else:
            lift(tab, v, ruined)


@inner("i8[::1], f8, f8, f8, f8, f8, b1")
def ruin(tab, average, longest, spread, tails, around, one_day):  # type: ignore[no-untyped-def]
    """Take strings out of routes near a random visit; returns that visit.

    Parameters
    ----------
    average : float
        Visits to take out on average.
    longest : float
        Of a string.
    spread : float
        Both are multiplied by a random number between its inverse and itself.
    tails : float
        Chance that two routes swap their tails before.
    around : float
        Chance that, if all days are free, the nearest visits are taken out, whatever routes they are in.
    one_day : bool
        Only on the day of the first one; visits with a cadence keep their other days.

    Returns
    -------
    seed : int
    day : int
        -1: all days.
    """
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    st_at = i32_2(tab, T_AT)
    st_count = i64_1(tab, T_COUNT)
    st_lost = f64_1(tab, T_LOST)
    st_mark = i64_1(tab, T_MARK)
    st_n = i64_1(tab, T_N)
    st_near = i32_2(tab, T_NEAR)
    st_rng = u64_1(tab, T_RNG)
    st_shift_mark = i64_1(tab, T_SHIFT_MARK)
    st_cuts = i64_1(tab, T_CUTS)
    n_visits = len(st_lost)
    n_shifts = len(st_n)
    ruined = tick(tab)
    st_count[C_TICK_RUIN] = ruined
    st_count[C_OUT] = 0
    seed = int(rand(st_rng) * n_visits)
    made, used = 0, 0
    for s in range(n_shifts):
        if st_n[s] > 0:
            used += 1
            made += st_n[s]
    if used == 0:
        return seed, -1
    if tails > 0.0 and rand(st_rng) < tails:
        swap_tails(tab, np.int64(seed))
    if spread > 1.0:
        scale = spread ** (2.0 * rand(st_rng) - 1.0)
        average *= scale
        longest *= scale
    if around > 0.0 and not one_day and rand(st_rng) < around:
        most = min(np.int64(1.0 + rand(st_rng) * (2.0 * average - 1.0)), st_near.shape[1])
        for i in range(most):
            c = np.int64(st_near[seed, i])
            if ly_visit_i[c, V_LOCKED] < 0 and st_mark[c] != ruined:
                lift(tab, c, ruined)
        settle(tab)
        return seed, -1
    string = max(1.0, min(longest, made / used))
    strings = int(rand(st_rng) * (4.0 * average / (1.0 + string) - 1.0) + 1.0)
    # one string a route, as in the paper, but where there are fewer routes than strings
    most_cuts = max(1, -(-strings // used))
    done = 0
    day = -1
    width = st_near.shape[1]
    for i in range(width):
        if done >= strings:
            break
        c = np.int64(st_near[seed, i])
        if st_mark[c] == ruined:
            continue
        s = np.int64(-1)
        if ly_visit_i[c, V_KIND] == ONCE:
            s = np.int64(st_at[c, 0])
        else:
            days = st_at.shape[1]
            if day >= 0:
                s = np.int64(st_at[c, day])
            else:
                first = int(rand(st_rng) * days)
                for d in range(days):
                    s = np.int64(st_at[c, (first + d) % days])
                    if s >= 0:
                        break
        if s < 0 or (day >= 0 and ly_shift_i[s, S_DAY] != day):
            continue
        if st_shift_mark[s] != ruined:
            st_shift_mark[s] = ruined
            st_cuts[s] = 0
        if st_cuts[s] >= most_cuts:
            continue
        if one_day and day < 0:
            day = ly_shift_i[s, S_DAY]
        cut(tab, c, s, string, ruined, day)
        st_cuts[s] += 1
        done += 1
    settle(tab)
    return seed, day
