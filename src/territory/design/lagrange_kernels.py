"""What a centre earns at given prices of the points: continuous knapsacks over bands.

Every point i pays u_i for being served. A centre takes parts s_i of points, its load in a band, so that what it
costs less what it is paid is least: v = min sum_i s_i (cost_i - u_i), low <= sum_i s_i load_i <= high, 0 <= s <= 1.
Points come in the order of (cost - u) / load, up to a threshold p; by duality v = sum over those before p of
(cost - u - p load), plus p times the end of the band that binds, and whatever p is, with the lower end for p > 0 and
the upper for p < 0, that is no more than v. Compiled, see `territory.compiled`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from territory.compiled import kernel, leaf

__all__ = ["covered", "priced", "threshold"]


@leaf
def threshold(ratio: Any, item: Any, load: Any, m: Any, low: Any, high: Any) -> Any:  # noqa: C901, PLR0912
    """Return where the knapsack ends: the ratio, the load before it, and what it should be; or inf if too little.

    `ratio` and `item`, shape (m,) at least, are reordered; expected O(m).
    """
    negative = 0.0
    total = 0.0
    for t in range(m):
        total += load[item[t]]
        if ratio[t] < 0.0:
            negative += load[item[t]]
    if low <= negative <= high:
        return 0.0, negative, negative
    goal = low if negative < low else high
    if goal >= total * (1.0 - 1e-12):
        # all of it is needed
        return (np.inf if goal > total * (1.0 + 1e-9) else ratio[:m].max()), total, goal
    begin, end, before = 0, m, 0.0
    while True:
        one, two, three = ratio[begin], ratio[(begin + end) >> 1], ratio[end - 1]
        pivot = max(min(one, two), min(max(one, two), three))
        i, j = begin, end - 1
        while i <= j:
            while ratio[i] < pivot:
                i += 1
            while ratio[j] > pivot:
                j -= 1
            if i <= j:
                ratio[i], ratio[j] = ratio[j], ratio[i]
                item[i], item[j] = item[j], item[i]
                i += 1
                j -= 1
        left = 0.0
        for t in range(begin, j + 1):
            left += load[item[t]]
        middle = 0.0
        for t in range(j + 1, i):
            middle += load[item[t]]
        if before + left >= goal and j + 1 > begin:
            end = j + 1
        elif before + left + middle >= goal or i >= end:
            return pivot, before + left, goal
        else:
            before += left + middle
            begin = i
        if end - begin == 1:
            return ratio[begin], before, goal


@kernel(
    "f8[:,::1], i4[:,::1], f8[::1], f8[::1], f8[::1], f8[:,::1], f8[:,::1], i4[::1], f8, f8, i8[::1],"
    " f8[::1], f8[::1], f8[::1], f8[::1]"
)
def priced(  # noqa: C901, PLR0912
    cost: Any,
    item: Any,
    load: Any,
    weight: Any,
    u: Any,
    x: Any,
    at: Any,
    own: Any,
    low: Any,
    high: Any,
    which: Any,
    value: Any,
    end: Any,
    part: Any,
    lifted: Any,
) -> None:
    """Price the candidates `which`: values (q,), thresholds, parts of who stands at the threshold, values when moved.

    `cost` and `item`, shape (q, m): who may be served from each candidate, and what that costs. `own` (q,): a point
    that the candidate must take, at no cost, or -1. `lifted`: the value with the candidate moved to the weighted
    middle of whom it takes, if there are places `x` (n, d) and `at` (q, d); the value itself if d = 0.
    O(q m) expected.
    """
    m, d = cost.shape[1], x.shape[1]
    ratio, who, zero = np.empty(m), np.empty(m, dtype=np.int32), np.zeros(d)
    for c in which:
        base, taken, k, a = 0.0, 0.0, 0, own[c]
        if a >= 0:
            base, taken = -u[a], load[a]
        for t in range(m):
            i = item[c, t]
            if i == a:
                continue
            net = cost[c, t] - u[i]
            if load[i] > 0.0:
                ratio[k], who[k] = net / load[i], i
                k += 1
            elif net < 0.0:
                base += net
        p, before, goal = threshold(ratio, who, load, k, max(0.0, low - taken), high - taken)
        end[c] = p
        if p == np.inf or high < taken:
            value[c], lifted[c], end[c], part[c] = np.inf, np.inf, -np.inf, 0.0
            continue
        total, tied = base + p * goal, 0.0
        for t in range(k):
            if ratio[t] < p:
                total += load[who[t]] * (ratio[t] - p)
            elif ratio[t] == p:
                tied += load[who[t]]
        before = 0.0
        for t in range(k):
            if ratio[t] < p:
                before += load[who[t]]
        share = 0.0 if tied <= 0.0 else min(1.0, max(0.0, (goal - before) / tied))
        value[c], part[c] = total, share
        lifted[c] = total
        if d > 0:
            held = 0.0
            zero[:] = 0.0
            for t in range(k):
                if ratio[t] <= p:
                    s = weight[who[t]] * (1.0 if ratio[t] < p else share)
                    held += s
                    for e in range(d):
                        zero[e] += s * (x[who[t], e] - at[c, e])
            if held > 0.0:
                for e in range(d):
                    lifted[c] -= zero[e] * zero[e] / held


@kernel("f8[:,::1], i4[:,::1], f8[::1], f8[::1], i4[::1], i8[::1], f8[::1], f8[::1], f8[::1], f8[::1]")
def covered(
    cost: Any, item: Any, load: Any, u: Any, own: Any, which: Any, share: Any, end: Any, part: Any, cover: Any
) -> None:
    """Add to `cover` (n,) what candidates take of each point at the prices of `priced`, times `share` (q,). O(q m)."""
    m = cost.shape[1]
    for c in which:
        y, p, a = share[c], end[c], own[c]
        if a >= 0:
            cover[a] += y
        for t in range(m):
            i = item[c, t]
            if i == a:
                continue
            net = cost[c, t] - u[i]
            if load[i] > 0.0:
                r = net / load[i]
                if r < p:
                    cover[i] += y
                elif r == p:
                    cover[i] += y * part[c]
            elif net < 0.0:
                cover[i] += y
