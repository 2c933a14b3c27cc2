"""Putting visits back, one after the other, each where it costs least."""

from __future__ import annotations

import numpy as np

from territory.compiled import by_address, inner, leaf
from territory.compiled.tables import boo_2, f64_1, f64_2, i32_1, i32_2, i64_1, i64_2, u64_1
from territory.routing.layout import (
    ONCE,
    PATTERNS,
    S_CLASS,
    S_DAY,
    V_INTERVAL,
    V_KIND,
    V_LINKED,
    V_LOCKED,
    V_OFF_COST,
    V_PATTERN0,
    V_PATTERN1,
    V_WEEKDAY_COST,
)
from territory.routing.rhythm import best_chain
from territory.routing.search.insertion import insertion, rand
from territory.routing.search.ordering import argsort
from territory.routing.search.routes import put, touch_visit
from territory.routing.search.ruin import tick
from territory.routing.search.state import C_INSERT_GROUP, C_OUT, C_TICK_RUIN, C_TOUCHED, F_NOW, K_VALUE
from territory.routing.slots import (
    L_PATTERN,
    L_PATTERN_COST,
    L_SHIFT_I,
    L_VISIT_F,
    L_VISIT_I,
    T_AT,
    T_BEFORE,
    T_CHAIN,
    T_CLASS_AT,
    T_CLASS_MARK,
    T_CLASS_SHIFT,
    T_COUNT,
    T_DAY_AT,
    T_DAY_BEST,
    T_DAY_COST,
    T_DAY_SHIFT,
    T_KEYS,
    T_LOST,
    T_MARK,
    T_N,
    T_NEAR,
    T_OPEN_DAY,
    T_ORDER,
    T_ORDER_KEY,
    T_OUT,
    T_REACH,
    T_RNG,
    T_SHIFT_TRY,
    T_TOUCHED,
    T_UNMADE,
    T_VALUE,
    T_WEIGHT,
)

__all__ = ["recreate"]

#: Shifts up to which each is tried; beyond that those of the neighbours, and an empty one of each class.
_ALL_SHIFTS = 24
#: Chance that visits are put in though they cost more than they are worth.
_BRAVE = 0.1
#: Neighbours whose shifts are tried.
_NEAR = 40

#: Of `linked.insert_group`: where no visits are linked, as in most problems, nobody waits for its kernels.
insert_group = by_address("i8[::1], i8, f8")


@leaf
def try_shift(tab, v, s, best, where, blink, now):  # type: ignore[no-untyped-def]
    """Return the better of the best place so far and the best in shift s."""
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    st_class_mark = i64_1(tab, T_CLASS_MARK)
    st_n = i64_1(tab, T_N)
    if st_n[s] == 0:
        kind = ly_shift_i[s, S_CLASS]
        if st_class_mark[kind] == now:
            return best, where[0], where[1]
        st_class_mark[kind] = now
    cost, at = insertion(tab, v, s, best, blink)
    if at >= 0:
        return cost, s, at
    return best, where[0], where[1]


@leaf
def first_empty(tab, i):  # type: ignore[no-untyped-def]
    """Return the first empty shift of a class, or -1."""
    st_class_at = i32_1(tab, T_CLASS_AT)
    st_class_shift = i32_1(tab, T_CLASS_SHIFT)
    st_n = i64_1(tab, T_N)
    for j in range(st_class_at[i], st_class_at[i + 1]):
        s = np.int64(st_class_shift[j])
        if st_n[s] == 0:
            return s
    return np.int64(-1)


@inner("i8[::1], i8, i8, f8, b1")
def best_place(tab, v, day, blink, new_only):  # type: ignore[no-untyped-def]
    """Return the least cost of a visit, the shift and the position; inf, -1, -1: there is none.

    `day` limits the shifts to one day, `new_only` to those that this step has changed.
    """
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    st_at = i32_2(tab, T_AT)
    st_class_at = i32_1(tab, T_CLASS_AT)
    st_count = i64_1(tab, T_COUNT)
    st_day_at = i32_1(tab, T_DAY_AT)
    st_day_shift = i32_1(tab, T_DAY_SHIFT)
    st_n = i64_1(tab, T_N)
    st_near = i32_2(tab, T_NEAR)
    st_shift_try = i64_1(tab, T_SHIFT_TRY)
    st_touched = i32_1(tab, T_TOUCHED)
    n_shifts = len(st_n)
    now = tick(tab)
    best, s_best, at = np.inf, np.int64(-1), np.int64(-1)
    if new_only:
        for i in range(st_count[C_TOUCHED]):
            s = np.int64(st_touched[i])
            if day < 0 or ly_shift_i[s, S_DAY] == day:
                best, s_best, at = try_shift(tab, v, s, best, (s_best, at), blink, now)
        return best, s_best, at
    if day >= 0:
        low, high = st_day_at[day], st_day_at[day + 1]
    else:
        low, high = np.int32(0), np.int32(n_shifts)
    if high - low <= _ALL_SHIFTS:
        for i in range(low, high):
            s = np.int64(st_day_shift[i]) if day >= 0 else np.int64(i)
            best, s_best, at = try_shift(tab, v, s, best, (s_best, at), blink, now)
        return best, s_best, at
    width = min(_NEAR, st_near.shape[1])
    for i in range(width):
        u = st_near[v, i]
        if ly_visit_i[u, V_KIND] == ONCE:
            s = np.int64(st_at[u, 0])
            if s >= 0 and (day < 0 or ly_shift_i[s, S_DAY] == day) and st_shift_try[s] != now:
                st_shift_try[s] = now
                best, s_best, at = try_shift(tab, v, s, best, (s_best, at), blink, now)
        elif day >= 0:
            s = np.int64(st_at[u, day])
            if s >= 0 and st_shift_try[s] != now:
                st_shift_try[s] = now
                best, s_best, at = try_shift(tab, v, s, best, (s_best, at), blink, now)
        else:
            for d in range(st_at.shape[1]):
                s = np.int64(st_at[u, d])
                if s >= 0 and st_shift_try[s] != now:
                    st_shift_try[s] = now
                    best, s_best, at = try_shift(tab, v, s, best, (s_best, at), blink, now)
    for i in range(len(st_class_at) - 1):
        # one empty shift of each class, and the shifts that this step has emptied
        s = first_empty(tab, i)
        if s >= 0 and (day < 0 or ly_shift_i[s, S_DAY] == day):
            best, s_best, at = try_shift(tab, v, s, best, (s_best, at), blink, now)
    return best, s_best, at


@leaf
def insert_once(tab, v, blink, new_only, brave):  # type: ignore[no-untyped-def]
    """Put a visit where it costs least, if that is worth it, or brave."""
    st_lost = f64_1(tab, T_LOST)
    st_unmade = f64_1(tab, T_UNMADE)
    st_value = f64_1(tab, T_VALUE)
    cost, s, at = best_place(tab, v, -1, blink, new_only)
    if s >= 0 and (brave or cost < st_unmade[v]):
        put(tab, v, s, at)
        st_value[F_NOW] -= st_lost[v]
        st_lost[v] = 0.0


@inner("i8[::1], i8, f8")
def insert_days(tab, v, blink):  # type: ignore[no-untyped-def]
    """Put a visit with a cadence on the days, and into the shifts, that cost least in all."""
    ly_pattern = boo_2(tab, L_PATTERN)
    ly_pattern_cost = f64_1(tab, L_PATTERN_COST)
    ly_visit_f = f64_2(tab, L_VISIT_F)
    ly_visit_i = i64_2(tab, L_VISIT_I)
    st_before = i64_1(tab, T_BEFORE)
    st_chain = i64_1(tab, T_CHAIN)
    st_day_best = i32_2(tab, T_DAY_BEST)
    st_day_cost = f64_1(tab, T_DAY_COST)
    st_lost = f64_1(tab, T_LOST)
    st_open_day = boo_2(tab, T_OPEN_DAY)
    st_reach = f64_1(tab, T_REACH)
    st_unmade = f64_1(tab, T_UNMADE)
    st_value = f64_1(tab, T_VALUE)
    st_weight = f64_1(tab, T_WEIGHT)
    days = len(st_day_cost)
    for d in range(days):
        st_day_cost[d] = np.inf
        if not st_open_day[v, d]:
            continue
        cost, s, at = best_place(tab, v, d, blink, False)
        st_day_cost[d] = cost
        st_day_best[d, 0], st_day_best[d, 1] = s, at
    touch_visit(tab, v)
    visit = ly_visit_i[v]
    if visit[V_KIND] == PATTERNS:
        best, chosen = st_unmade[v], np.int64(-1)
        for p in range(visit[V_PATTERN0], visit[V_PATTERN1]):
            cost = ly_pattern_cost[p]
            for d in range(days):
                if ly_pattern[p, d]:
                    cost += st_day_cost[d]
            if cost < best:
                best, chosen = cost, np.int64(p)
        if chosen < 0:
            return
        for d in range(days):
            if ly_pattern[chosen, d]:
                put(tab, v, np.int64(st_day_best[d, 0]), np.int64(st_day_best[d, 1]))
        st_value[F_NOW] += ly_pattern_cost[chosen] - st_lost[v]
        st_lost[v] = ly_pattern_cost[chosen]
        return
    length, total = best_chain(
        visit, ly_visit_f[v, V_INTERVAL], ly_visit_f[v, V_OFF_COST], ly_visit_f[v, V_WEEKDAY_COST], days, st_day_cost,
        st_weight[v], st_reach, st_before, st_chain,
    )  # fmt: skip
    for i in range(length):
        node = st_chain[i]
        if node & 1:
            d = node >> 1
            total -= st_day_cost[d]
            put(tab, v, np.int64(st_day_best[d, 0]), np.int64(st_day_best[d, 1]))
    st_value[F_NOW] += total - st_lost[v]
    st_lost[v] = total


@leaf
def nowhere(tab, v):  # type: ignore[no-untyped-def]
    """Return whether a visit is in no shift."""
    st_at = i32_2(tab, T_AT)
    found = True
    for d in range(st_at.shape[1]):
        found = found and st_at[v, d] < 0
    return found


@inner("i8[::1], i8, i8, i8, f8, f8[::1]")
def recreate(tab, seed, day, pool, blink, key_sum):  # type: ignore[no-untyped-def]
    """Put back what was taken out, and visits near it that are not made.

    Parameters
    ----------
    seed : int
        Visit around which the ruin took place.
    day : int
        The only day on which visits with a cadence are put back; -1: all.
    pool : int
        Most visits that were not made before to try.
    blink : float
    key_sum : float array of shape (keys + 1,)
        Cumulated chances of the orders; the last is a random one.

    Returns
    -------
    bool
        False: a visit of a single day could not be put back.
    """
    ly_visit_i = i64_2(tab, L_VISIT_I)
    st_count = i64_1(tab, T_COUNT)
    st_keys = f64_2(tab, T_KEYS)
    st_lost = f64_1(tab, T_LOST)
    st_mark = i64_1(tab, T_MARK)
    st_near = i32_2(tab, T_NEAR)
    st_order_key = f64_1(tab, T_ORDER_KEY)
    order = i64_1(tab, T_ORDER)
    st_out = i32_1(tab, T_OUT)
    st_rng = u64_1(tab, T_RNG)
    st_unmade = f64_1(tab, T_UNMADE)
    removed = st_count[C_OUT]
    now = st_count[C_TICK_RUIN]
    width = st_near.shape[1]
    total = removed
    for i in range(width):
        if total >= removed + pool:
            break
        v = st_near[seed, i]
        if st_mark[v] != now and st_lost[v] >= st_unmade[v] > 0.0 and nowhere(tab, v):
            st_out[total] = v
            total += 1
    # a shift may be worth its cost only with several visits: now and then none of them asks
    brave = rand(st_rng) < _BRAVE
    pick = rand(st_rng) * key_sum[-1]
    k = 0
    while k < len(key_sum) - 1 and pick >= key_sum[k]:
        k += 1
    for i in range(total):
        if k >= len(st_keys):
            st_order_key[i] = rand(st_rng)
        elif k >= K_VALUE:
            # by worth, but not always the same ones first
            st_order_key[i] = st_keys[k, st_out[i]] * (0.3 + rand(st_rng))
        else:
            st_order_key[i] = st_keys[k, st_out[i]]
    argsort(st_order_key, total, order)
    for j in range(total):
        i = order[j]
        v = np.int64(st_out[i])
        fresh = i >= removed
        if ly_visit_i[v, V_LOCKED] >= 0:
            continue
        if ly_visit_i[v, V_LINKED]:
            insert_group(st_count[C_INSERT_GROUP], tab, v, blink)
        elif ly_visit_i[v, V_KIND] == ONCE:
            insert_once(tab, v, blink, fresh, brave)
        elif day >= 0 and not fresh:
            _cost, s, at = best_place(tab, v, day, blink, False)
            if s < 0:
                return False
            put(tab, v, s, at)
        else:
            insert_days(tab, v, blink)
    return True
