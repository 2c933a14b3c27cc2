# mypy: disable-error-code="no-untyped-def,untyped-decorator"
# ruff: noqa: C901, PLR0912
"""Loops over all customers and their lists, for `given_split`."""

from __future__ import annotations

import numpy as np

from territory.compiled import kernel

__all__ = ["dual", "gap_between", "gaps", "scan"]


@kernel("i8[::1], i4[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1]")
def scan(start, to, cost, rest, base, weight, price, margin):
    """Return labels by price; who has several candidates, and which; the loads of the others; whose lists are short."""
    n, k = len(rest), len(price)
    label = np.full(n, -1, dtype=np.int32)
    load = np.zeros(k)
    # how much less than `rest` what is not listed may cost
    sunk, unpriced = np.inf, np.inf
    for j in range(k):
        sunk = min(sunk, price[j] - base[j] - 1e-13 * (abs(price[j]) + abs(base[j])))
        unpriced = min(unpriced, -base[j])
    keep, count = np.empty(n), np.zeros(n, dtype=np.int64)
    n_short, n_who, n_arcs = 0, 0, 0
    for i in range(n):
        nearest, most = np.inf, np.inf
        for u in range(start[i], start[i + 1]):
            j = to[u]
            # those without weight go where it is cheapest, whatever the prices
            v = cost[u] if weight[i] <= 0.0 else cost[u] + price[j]
            if v < nearest:
                nearest, label[i] = v, j
            if weight[i] > 0.0:
                most = min(most, v + margin[j] + 1e-13 * (cost[u] + 2.0 * abs(price[j])))
        if weight[i] <= 0.0:
            keep[i] = -np.inf
            if rest[i] + unpriced < nearest:
                count[i] = -1
        else:
            keep[i] = most
            if rest[i] + sunk < most or (most == np.inf and rest[i] < np.inf):
                count[i] = -1
            else:
                for u in range(start[i], start[i + 1]):
                    if cost[u] + price[to[u]] <= most:
                        count[i] += 1
        if count[i] < 0:
            n_short += 1
        elif count[i] > 1:
            n_who += 1
            n_arcs += count[i]
        elif label[i] >= 0:
            load[label[i]] += weight[i]
    short = np.empty(n_short, dtype=np.int32)
    who, begin = np.empty(n_who, dtype=np.int32), np.zeros(n_who + 1, dtype=np.int64)
    target, length = np.empty(n_arcs, dtype=np.int32), np.empty(n_arcs)
    n_short, n_who, n_arcs = 0, 0, 0
    for i in range(n):
        if count[i] < 0:
            short[n_short] = i
            n_short += 1
        elif count[i] > 1:
            who[n_who] = i
            n_who += 1
            for u in range(start[i], start[i + 1]):
                if cost[u] + price[to[u]] <= keep[i]:
                    target[n_arcs], length[n_arcs] = to[u], cost[u]
                    n_arcs += 1
            begin[n_who] = n_arcs
    return label, who, begin, target, length, load, short


@kernel("i8[::1], i4[::1], f8[::1], f8[::1]")
def gaps(start, to, cost, gap):
    """Fill in the most that the second best costs more than the best, of those whose best each centre is."""
    for i in range(len(start) - 1):
        best, first, second = -1, np.inf, np.inf
        for u in range(start[i], start[i + 1]):
            if cost[u] < first:
                second, first, best = first, cost[u], to[u]
            elif cost[u] < second:
                second = cost[u]
        if second < np.inf:
            gap[best] = max(gap[best], second - first)


@kernel("i8[::1], i4[::1], f8[::1], f8[::1], u1[::1], f8[::1]")
def gap_between(start, to, cost, price, inside, gap):
    """Fill in what the cheapest centre outside costs more than the cheapest inside, prices included."""
    for i in range(len(start) - 1):
        here, there = np.inf, np.inf
        for u in range(start[i], start[i + 1]):
            v = cost[u] + price[to[u]]
            if inside[to[u]] > 0:
                here = min(here, v)
            else:
                there = min(there, v)
        gap[i] = there - here if here < np.inf else np.inf


@kernel("i8[::1], i4[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1]")
def dual(start, to, cost, rest, base, weight, price):
    """Return the weighted sum of least priced costs, and how large its parts are, for a bound on their rounding.

    A sum of n terms, one after the other, is off by n roundings of 1e-16 at most: by 1e-13 (1 + n / 1000) of it.
    """
    total, size, sunk = 0.0, 0.0, np.inf
    for j in range(len(price)):
        sunk = min(sunk, price[j] - base[j])
    for i in range(len(rest)):
        if weight[i] <= 0.0:
            # the price is of weight; the cost, of none, is nothing
            continue
        least, big = rest[i] + sunk, abs(rest[i]) + 2.0 * abs(sunk)
        for u in range(start[i], start[i + 1]):
            if cost[u] + price[to[u]] < least:
                least, big = cost[u] + price[to[u]], cost[u] + 2.0 * abs(price[to[u]])
        if least < np.inf:
            total += weight[i] * least
            size += weight[i] * big * (1.0 + 1e-3 * i)
    return total, size
