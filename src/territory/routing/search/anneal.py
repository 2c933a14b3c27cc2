"""The loop: ruin, recreate, accept or go back (simulated annealing)."""

from __future__ import annotations

import numpy as np

from territory.compiled import inner, kernel, leaf
from territory.compiled.tables import f64_1, i32_1, i32_2, i64_1, i64_2, u64_1
from territory.routing.layout import S_CAPACITY, S_TIMED
from territory.routing.search.insertion import rand
from territory.routing.search.recreate import recreate
from territory.routing.search.routes import keep, refresh, undo
from territory.routing.search.ruin import ruin, tick
from territory.routing.search.state import (
    C_BEST_STEP,
    C_DIRTY,
    C_MOVED,
    C_OUT,
    C_POOL,
    C_STEP,
    C_TICK_RUIN,
    C_TOUCHED,
    F_BEST,
    F_DRIVE,
    F_EXTRA_RATE,
    F_NOW,
)
from territory.routing.slots import (
    L_SHIFT_I,
    T_AT,
    T_BEST_BOUNDS,
    T_BEST_N,
    T_BEST_ROW,
    T_BOUNDS,
    T_COST,
    T_COUNT,
    T_DIRTY,
    T_DRIVE,
    T_GROUP_VISIT,
    T_IS_DIRTY,
    T_LOAD,
    T_LOST,
    T_N,
    T_OUT,
    T_POOL,
    T_POOL_COST,
    T_RNG,
    T_ROW,
    T_TOUCHED,
    T_VALUE,
)

__all__ = ["anneal", "fill", "restart"]

#: Chance that the routes of a step that is accepted join the pool.
_SAMPLE = 0.05
#: Improvements smaller than this are noise of summation.
_NOISE = 1e-7


@leaf
def total_cost(tab):  # type: ignore[no-untyped-def]
    """Return what the present routes cost, summed anew."""
    st_value = f64_1(tab, T_VALUE)
    st_drive = i64_1(tab, T_DRIVE)
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    st_cost = f64_1(tab, T_COST)
    st_lost = f64_1(tab, T_LOST)
    st_n = i64_1(tab, T_N)
    total = 0.0
    wheel = np.int64(0)
    for s in range(len(st_n)):
        total += st_cost[s]
        if ly_shift_i[s, S_TIMED] == 0:
            wheel += st_drive[s]
    st_value[F_DRIVE] = wheel
    for v in range(len(st_lost)):
        total += st_lost[v]
    return total


@leaf
def real_cost(tab):  # type: ignore[no-untyped-def]
    """Return what the present routes cost, without the search's own extra."""
    st_value = f64_1(tab, T_VALUE)
    return st_value[F_NOW] - st_value[F_EXTRA_RATE] * st_value[F_DRIVE]


@leaf
def overloaded(tab):  # type: ignore[no-untyped-def]
    """Return whether a shift carries more than it can."""
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    st_load = i64_1(tab, T_LOAD)
    found = False
    for s in range(len(st_load)):
        found |= st_load[s] > ly_shift_i[s, S_CAPACITY]
    return found


@leaf
def collect(tab, s):  # type: ignore[no-untyped-def]
    """Put a route into the pool; the oldest goes."""
    st_cost = f64_1(tab, T_COST)
    st_count = i64_1(tab, T_COUNT)
    st_drive = i64_1(tab, T_DRIVE)
    st_n = i64_1(tab, T_N)
    st_pool = i32_2(tab, T_POOL)
    st_pool_cost = f64_1(tab, T_POOL_COST)
    st_row = i32_2(tab, T_ROW)
    st_value = f64_1(tab, T_VALUE)
    ly_shift_i = i64_2(tab, L_SHIFT_I)
    n = st_n[s]
    size = len(st_pool)
    if size == 0 or n == 0 or i64_1(tab, T_LOAD)[s] > ly_shift_i[s, S_CAPACITY]:
        return
    p = st_count[C_POOL] % size
    st_count[C_POOL] += 1
    st_pool[p, 0] = s
    st_pool[p, 1] = n
    extra = st_value[F_EXTRA_RATE] * st_drive[s] if ly_shift_i[s, S_TIMED] == 0 else 0.0
    st_pool_cost[p] = st_cost[s] - extra
    for j in range(n):
        st_pool[p, j + 2] = st_row[s, j]


@inner("i8[::1]")
def remember(tab):  # type: ignore[no-untyped-def]
    """Make the present routes the best, and put those that changed into the pool."""
    st_best_bounds = i64_2(tab, T_BEST_BOUNDS)
    st_best_n = i64_1(tab, T_BEST_N)
    st_best_row = i32_2(tab, T_BEST_ROW)
    st_bounds = i64_2(tab, T_BOUNDS)
    st_count = i64_1(tab, T_COUNT)
    st_dirty = i32_1(tab, T_DIRTY)
    st_group_visit = i32_1(tab, T_GROUP_VISIT)
    st_is_dirty = i64_1(tab, T_IS_DIRTY)
    st_n = i64_1(tab, T_N)
    st_row = i32_2(tab, T_ROW)
    st_value = f64_1(tab, T_VALUE)
    for i in range(st_count[C_DIRTY]):
        s = st_dirty[i]
        n = st_n[s]
        st_best_n[s] = n
        st_is_dirty[s] = 0
        for j in range(n):
            st_best_row[s, j] = st_row[s, j]
        collect(tab, np.int64(s))
    st_count[C_DIRTY] = 0
    for i in range(len(st_group_visit)):
        v = st_group_visit[i]
        st_best_bounds[v, 0] = st_bounds[v, 0]
        st_best_bounds[v, 1] = st_bounds[v, 1]
    st_value[F_BEST] = real_cost(tab)
    st_count[C_BEST_STEP] = st_count[C_STEP]


@leaf
def begin_step(tab):  # type: ignore[no-untyped-def]
    """Forget what the step before changed."""
    st_count = i64_1(tab, T_COUNT)
    st_count[C_STEP] += 1
    st_count[C_TOUCHED] = 0
    st_count[C_MOVED] = 0


@kernel("i8[::1], f8[::1]")
def fill(tab, key_sum):  # type: ignore[no-untyped-def]
    """Put every visit in that is in no route yet."""
    st_at = i32_2(tab, T_AT)
    st_count = i64_1(tab, T_COUNT)
    st_lost = f64_1(tab, T_LOST)
    st_out = i32_1(tab, T_OUT)
    st_value = f64_1(tab, T_VALUE)
    begin_step(tab)
    st_count[C_TICK_RUIN] = tick(tab)
    k = 0
    for v in range(len(st_lost)):
        made = False
        for day in range(st_at.shape[1]):
            made = made or st_at[v, day] >= 0
        if not made:
            st_out[k] = v
            k += 1
    st_count[C_OUT] = k
    recreate(tab, 0, -1, 0, 0.0, key_sum)
    keep(tab)
    st_value[F_NOW] = total_cost(tab)
    if real_cost(tab) < st_value[F_BEST] - _NOISE:
        remember(tab)


@kernel("i8[::1]")
def restart(tab):  # type: ignore[no-untyped-def]
    """Work out times and costs of the routes in `row`, as they are; returns whether all fit."""
    st_n = i64_1(tab, T_N)
    st_value = f64_1(tab, T_VALUE)
    ok = True
    for s in range(len(st_n)):
        ok = refresh(tab, s) and ok
    st_value[F_NOW] = total_cost(tab)
    return ok


@kernel("i8[::1], i8, i8, f8, f8, f8, f8, f8, f8, f8, f8, f8, f8, i8, f8, f8[::1], f8")
def anneal(
    tab, first, steps, base, share, cycles, hot, cold, average, longest, spread, tails, around, pool, blink, key_sum,
    one_day,
):  # type: ignore[no-untyped-def] # fmt: skip
    """Run some steps of the search; how steps are cut into calls changes nothing.

    Parameters
    ----------
    tab : int64 array
        Table of the layout and the state.
    first, steps : int
        Number of the first step in the whole search, and how many to run.
    base, share : float
        Step g is at ``base + share * g`` of the whole search.
    cycles : float
        How often the temperature falls from hot to cold.
    hot, cold : float
        Temperature at the begin and the end of a cycle.
    average, longest : float
        Visits to take out on average, and the longest string.
    spread : float
        Both are multiplied by a random number between its inverse and itself.
    tails : float
        Share of steps that swap the tails of two routes first.
    around : float
        Share of the steps that free all days in which they take out the nearest visits, not strings.
    pool : int
        Visits that are not made to try each time.
    blink : float
    key_sum : float array
        See `recreate`.
    one_day : float
        Share of steps that keep the days of cadences.

    Returns
    -------
    float
        Mean absolute change of cost of a step, for choosing temperatures.
    """
    st_rng = u64_1(tab, T_RNG)
    st_count = i64_1(tab, T_COUNT)
    st_touched = i32_1(tab, T_TOUCHED)
    st_value = f64_1(tab, T_VALUE)
    moved = 0.0
    for i in range(steps):
        progress = min(1.0, base + share * (first + i)) * cycles
        temperature = hot * (cold / hot) ** (progress - np.floor(progress))
        begin_step(tab)
        before = st_value[F_NOW]
        wheel = st_value[F_DRIVE]
        day_only = one_day > 0.0 and rand(st_rng) < one_day
        seed, day = ruin(tab, average, longest, spread, tails, around, day_only)
        if not day_only:
            day = -1
        done = recreate(tab, seed, day, pool, blink, key_sum)
        change = st_value[F_NOW] - before
        moved += abs(change)
        if done and change < -temperature * np.log(rand(st_rng) + 1e-300):
            keep(tab)
            if real_cost(tab) < st_value[F_BEST] - _NOISE and not overloaded(tab):
                remember(tab)
            elif rand(st_rng) < _SAMPLE:
                for j in range(st_count[C_TOUCHED]):
                    collect(tab, np.int64(st_touched[j]))
        else:
            undo(tab)
            st_value[F_NOW] = before
            st_value[F_DRIVE] = wheel
    return moved / max(steps, 1)


@kernel("i8[::1]")
def remember_all(tab):  # type: ignore[no-untyped-def]
    """Make the present routes the best, whatever they cost."""
    st_count = i64_1(tab, T_COUNT)
    st_dirty = i32_1(tab, T_DIRTY)
    st_is_dirty = i64_1(tab, T_IS_DIRTY)
    st_n = i64_1(tab, T_N)
    for s in range(len(st_n)):
        if st_is_dirty[s] == 0:
            st_is_dirty[s] = 1
            st_dirty[st_count[C_DIRTY]] = s
            st_count[C_DIRTY] += 1
    remember(tab)
