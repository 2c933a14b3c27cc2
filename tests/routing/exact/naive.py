"""Small routing problems and their least cost, by trying every order, every leaving time and every second."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.travel import UNREACHABLE

HORIZON = 48


def random_problem(rng, *, n_visits=4, relaxed=False, required=0.15):
    """Draw a problem of one shift with any mixture of rules; `relaxed`: with those that the labels relax, too."""

    def chance(p):
        return rng.random() < p

    n = n_visits
    buckets = 2 if relaxed and chance(0.5) else 1
    drive = rng.integers(0, 9, (1, buckets, n + 2, n + 2))
    drive[:, :, np.arange(n + 2), np.arange(n + 2)] = 0
    if chance(0.3):
        gone = rng.random((n + 2, n + 2)) < 0.15
        np.fill_diagonal(gone, val=False)
        drive[:, :, gone] = UNREACHABLE
    metres = rng.integers(0, 5, (n + 2, n + 2))
    np.fill_diagonal(metres, 0)
    windows = []
    for _ in range(n):
        if chance(0.4):
            windows.append(((0, HORIZON),))
            continue
        edges = np.sort(rng.choice(HORIZON, 2 * rng.integers(1, 4), replace=False)).tolist()
        windows.append(tuple(zip(edges[::2], edges[1::2], strict=True)))
    begin = int(rng.integers(0, 4))
    end = int(rng.integers(20, 40))
    pins = [int(rng.integers(w[0][0], w[0][1] + 1)) if chance(0.1) else -1 for w in windows]
    holds = rng.random(n) < 0.3
    pins = [t if begin <= t and t + 9 <= end and not held else -1 for t, held in zip(pins, holds, strict=True)]
    late = chance(0.3)
    breaks = []
    at = begin
    for _ in range(rng.integers(0, 3)):
        low = at + int(rng.integers(0, 12))
        length = int(rng.integers(1, 5))
        at = low + length + int(rng.integers(0, 8))
        breaks.append((length, low, at))
    value = rng.integers(1, 60, n).astype(float)
    must = rng.random(n) < required
    locked = rng.permutation(n)[: rng.integers(1, 3)].tolist() if chance(0.2) else []
    rates = {}
    if chance(0.3):
        rates["cost_per_m"] = [float(rng.integers(1, 3))]
    if relaxed and chance(0.5):
        rates["cost_per_s"] = [float(rng.integers(1, 3))]
    if not rates or chance(0.5):
        rates["cost_per_drive_s"] = [float(rng.integers(1, 4))]
    visits = VisitArrays(
        place=rng.integers(0, n + 2, n) if chance(0.2) else np.arange(n),
        service_s=rng.integers(0, 7, n), windows=windows, window_holds_visit=holds, value=value,
        required=must, load=rng.integers(0, 4, n),
        due_s=rng.integers(0, HORIZON, n) if late else None,
        late_cost=rng.integers(0, 3, n).astype(float) if late else None,
        pinned_start_s=pins,
        change_cost=rng.integers(0, 5, n).astype(float),
    )  # fmt: skip
    shifts = ShiftArrays(
        start_place=[n], end_place=[n + 1], begin_s=[begin], end_s=[end], breaks=[breaks], locked=[locked],
        service_factor=[float(rng.choice([1.0, 1.5]))],
        max_overtime_s=[int(rng.integers(0, 10)) if chance(0.4) else 0],
        overtime_cost=[float(rng.integers(0, 3))],
        max_drive_s=[int(rng.integers(8, 30))] if chance(0.3) else None,
        max_duration_s=[int(rng.integers(12, 40))] if relaxed and chance(0.5) else None,
        max_visits=[int(rng.integers(2, n + 1))] if chance(0.3) else None,
        capacity=[int(rng.integers(4, 12))] if chance(0.3) else None,
        cost=[float(rng.integers(0, 10))], **rates,
    )  # fmt: skip
    return RoutingProblem(
        durations_s=drive, visits=visits, shifts=shifts, distances_m=metres,
        bucket_starts_s=[0, int(rng.integers(5, 25))] if buckets > 1 else None,
        eligible=rng.random((n, 1)) < 0.95 if not locked else None,
        baseline=rng.random((n, 1)) < 0.5 if chance(0.3) else None,
        freeze_s=int(rng.integers(0, 15)) if chance(0.25) else None,
    )  # fmt: skip


def least(problem, values):
    """Return the least net cost and its order over all orders; inf: not even the locked visits fit."""
    v, s = problem.visits, problem.shifts
    locks = [int(x) for x in (s.locked[0] if s.locked is not None else ())]
    others = [i for i in range(len(v)) if i not in locks]
    best = (np.inf, ())
    for m in range(len(others) + 1):
        for tail in permutations(others, m):
            order = (*locks, *tail)
            net = cost_of(problem, order) - sum(values[i] for i in order)
            if net < best[0]:
                best = (net, order)
    return best


def cost_of(problem, order):
    """Return the least cost of making these visits in this order, over all times; inf: it does not fit."""
    v, s = problem.visits, problem.shifts
    if not order:
        return 0.0
    if len(order) > s.max_visits[0] or v.load[list(order)].sum() > s.capacity[0]:
        return np.inf
    locks = 0 if s.locked is None else len(s.locked[0])
    begin, close = int(s.begin_s[0]), int(s.end_s[0] + s.max_overtime_s[0])
    free = begin if problem.freeze_s is None else max(begin, problem.freeze_s)
    span = HORIZON + 30
    breaks = [] if s.breaks is None else list(s.breaks[0])
    # cost[leave, breaks behind, time]; time at the wheel depends on the order alone where there is one bucket
    cost = np.full((span, len(breaks) + 1, span), np.inf)
    for leave in range(begin if locks else free, span):
        cost[leave, 0, leave] = 0.0
        t = begin
        for k, (length, low, high) in enumerate(breaks):
            if leave < high:
                t = max(t, low) + length
                if t > min(high, leave):
                    break
            cost[leave, k + 1, leave] = 0.0
    wheel = 0
    place = int(s.start_place[0])
    for i, visit in enumerate(order):
        cost, leg = _driven(
            problem, _rested(cost, breaks), place, int(v.place[visit]), free if i >= locks else begin, i
        )
        wheel += leg
        cost = _rested(cost, breaks)
        cost = _visited(problem, cost, visit)
        place = int(v.place[visit])
    cost, leg = _driven(
        problem, _rested(cost, breaks), place, int(s.end_place[0]), free if len(order) >= locks else begin, len(order)
    )
    wheel += leg
    if wheel > s.max_drive_s[0]:
        return np.inf
    best = np.inf
    for leave, k, back in zip(*np.nonzero(np.isfinite(cost)), strict=True):
        if back > close or back - leave > s.max_duration_s[0]:
            continue
        t, fits = int(back), True
        for length, low, high in breaks[k:]:
            if back <= low:
                continue
            t = max(t, low) + length
            fits = fits and t <= min(high, close)
        if fits:
            total = cost[leave, k, back] + s.cost_per_s[0] * (back - leave)
            best = min(best, total + s.overtime_cost[0] * max(0, back - int(s.end_s[0])))
    return best + float(s.cost[0])


def _rested(cost, breaks):
    """Let time pass, with or without breaks."""
    cost = np.minimum.accumulate(cost, axis=2)
    for k, (length, low, high) in enumerate(breaks):
        for t in range(low, min(high, cost.shape[2] - 1) - length + 1):
            cost[:, k + 1, t + length] = np.minimum(cost[:, k + 1, t + length], cost[:, k, t])
        cost[:, k + 1] = np.minimum.accumulate(cost[:, k + 1], axis=1)
    return cost


def _driven(problem, cost, here, there, since, stop):
    s = problem.shifts
    starts = problem.bucket_starts_s
    out = np.full_like(cost, np.inf)
    metres = s.cost_per_m[0] * int(problem.distances_m[0, here, there])
    legs = set()
    for t in range(since, cost.shape[2]):
        # who leaves at `leave` drives then
        gone = np.arange(cost.shape[0])[:, None] == t
        old = np.where(gone, cost[:, :, t], np.inf) if stop == 0 else cost[:, :, t]
        b = max(0, int(np.searchsorted(starts, t, side="right")) - 1)
        leg = int(problem.durations_s[0, b, here, there])
        if leg < UNREACHABLE and t + leg < cost.shape[2]:
            spent = old + s.cost_per_drive_s[0] * leg + metres
            out[:, :, t + leg] = np.minimum(out[:, :, t + leg], spent)
            legs.add(leg)
    return out, min(legs, default=0)


def _visited(problem, cost, visit):
    v, s = problem.visits, problem.shifts
    out = np.full_like(cost, np.inf)
    length = int(np.ceil(v.service_s[visit] * s.service_factor[0] - 1e-9))
    if problem.eligible is not None and not problem.eligible[visit, 0]:
        return out
    fixed = 0.0
    if problem.baseline is not None and problem.baseline[visit].any() and not problem.baseline[visit, 0]:
        fixed = float(v.change_cost[visit])
    latest = int(s.end_s[0] + s.max_overtime_s[0])
    for t in range(int(s.begin_s[0]), min(cost.shape[2], latest + 1) - length):
        end = t + length
        held = v.window_holds_visit[visit]
        if not any(a <= t and (end if held else t) <= b for a, b in v.windows[visit]):
            continue
        if v.pinned_start_s[visit] >= 0 and v.pinned_start_s[visit] != t:
            continue
        late = v.late_cost[visit] * max(0, t - int(v.due_s[visit]))
        out[:, :, end] = np.minimum(out[:, :, end], cost[:, :, t] + late + fixed)
    return out
