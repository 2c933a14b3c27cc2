"""Whole customers: the split ones go somewhere, and moves at the borders bring every territory back into its band.

A local search over the customers at the borders, by single moves and exchanges of two. What leaves
the band costs more and more, by its square at first, so that an excess spreads over the neighbours
until somebody has room; when all is within the band, nothing may leave it any more, and moves and
exchanges only shorten distances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.compiled import kernel, leaf
from territory.design.power_fixed import Ground, border_with

if TYPE_CHECKING:
    from territory.design.power_fixed import Split
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["excess_of", "largest_shares", "load_of", "rounded"]

#: Sweeps over the border, at most; and how fast what leaves the band gets dearer.
_SWEEPS = 60
_DEARER = 3.0
#: Customers at the border of a territory that are enough to choose from.
_ENOUGH = 80
#: Passes, each over four times as many customers as the one before, while the band is not kept. A third takes most of
#: the time where customers are many; drawing in the bands helps sooner.
_PASSES = 2
#: Relative to the upper limit: less outside the band is rounding.
_DUST = 1e-10


def rounded(ground: Ground, center: FloatArray, split: Split, margin: FloatArray, *, passes: int = _PASSES) -> IdxArray:
    """Return whole customers' territories, int32 of shape (n + r,), in the order of the ground.

    Parameters
    ----------
    ground : Ground of n points in a tree and r particular ones
    center : float array of shape (k, d)
    split : Split
        Optimal for these centres.
    margin : float array of shape (k,)
        About a fifth of the squared distance to the next centre: customers whose second best is worse by
        less may be moved; by more, where that does not reach.
    passes : int

    Notes
    -----
    Where whole customers cannot keep the band, or the moves do not find how, the answer comes close;
    `excess_of` says how close.
    """
    n, k = len(ground.tree.w), len(center)
    label = largest_shares(ground, split)
    width = margin * min(1.0, _ENOUGH * k / max(1, n))
    for _ in range(passes):
        border = border_with(ground, center, split.price, width)
        if len(border.who):
            weight = np.concatenate([ground.tree.w, ground.w])[border.who]
            _settle(
                border.start, border.to, border.cost, weight, border.load, ground.lower, ground.upper,
                split.price, border.who, label, float(margin.mean()), _SWEEPS,
            )  # fmt: skip
        if excess_of(ground, label).max() <= 0.0:
            break
        width = width * 4.0
    return label


def largest_shares(ground: Ground, split: Split) -> IdxArray:
    """Return to which territory most of each customer goes, int32 of shape (n + r,), in the order of the ground."""
    label = np.concatenate([split.border.label, np.zeros(len(ground.x), dtype=np.int32)])
    _most(split.border.who, split.border.start, split.border.to, split.flow, label)
    return label


def excess_of(ground: Ground, label: IdxArray) -> FloatArray:
    """Return what each territory holds outside its band, shape (k,); 0 for what is rounding."""
    load = load_of(ground, label)
    out = np.maximum(load - ground.upper, 0.0) + np.maximum(ground.lower - load, 0.0)
    return np.asarray(np.where(out > _DUST * ground.upper, out, 0.0))


def load_of(ground: Ground, label: IdxArray) -> FloatArray:
    """Return what each territory holds, shape (k,)."""
    weight = np.concatenate([ground.tree.w, ground.w])
    return np.bincount(label, weight, len(ground.lower)).astype(np.float64)


@kernel("i4[::1], i8[::1], i4[::1], f8[::1], i4[::1]")
def _most(who, start, to, flow, label):
    """Give each border point to where most of it goes."""
    for i in range(len(who)):
        best = start[i]
        for u in range(start[i] + 1, start[i + 1]):
            if flow[u] > flow[best]:
                best = u
        label[who[i]] = to[best]


@leaf
def _outside(load, lower, upper):
    """Return by how much a load leaves its band."""
    if load > upper * (1.0 + 1e-10):
        return load - upper
    if load < lower * (1.0 - 1e-10):
        return lower - load
    return 0.0


@leaf
def _fine(load, lower, upper, rate, knee):
    """Return what leaving the band costs."""
    v = _outside(load, lower, upper)
    return rate * v * (v + knee)


@kernel("i8[::1], i4[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], i4[::1], i4[::1], f8, i8")
def _settle(start, to, length, weight, base, lower, upper, price, who, label, scale, sweeps):
    """Move and exchange border customers until every load is in its band and no move shortens distances."""
    b, k, arcs = len(who), len(base), len(to)
    load = base.copy()
    # with the prices, the optimum with split customers is a point of rest; once within the band they are left out
    cost = np.empty(arcs)
    for u in range(arcs):
        cost[u] = length[u] + price[to[u]]
    # the arc that each customer uses; who is where, as in `power_flow`
    used = np.empty(b, dtype=np.int64)
    first = np.zeros(k + 1, dtype=np.int64)
    for i in range(b):
        used[i] = start[i]
        cheapest = np.inf
        for u in range(start[i], start[i + 1]):
            first[to[u] + 1] += 1
            # where he is; if that is no candidate any more, the nearest
            if to[u] == label[who[i]]:
                used[i], cheapest = u, -np.inf
            elif cost[u] < cheapest:
                used[i], cheapest = u, cost[u]
        load[to[used[i]]] += weight[i]
    for j in range(k):
        first[j + 1] += first[j]
    standing, here = np.zeros(k, dtype=np.int64), np.empty(arcs, dtype=np.int64)
    place = np.empty(b, dtype=np.int64)
    for i in range(b):
        j = to[used[i]]
        place[i] = first[j] + standing[j]
        here[place[i]] = i
        standing[j] += 1
    target = 0.0
    for j in range(k):
        target += 0.5 * (lower[j] + upper[j]) / k
    # one per cent outside costs by unit of weight as much as a tenth of the way to the next centre
    rate, knee = 0.1 * scale / max(0.01 * target, 1e-300), 1e-3 * target
    changed = np.zeros(k, dtype=np.int64)
    hard = False
    for sweep in range(1, sweeps + 1):
        moved = 0
        total = 0.0
        for j in range(k):
            total += _outside(load[j], lower[j], upper[j])
        was_hard = hard
        hard = total <= 0.0
        if hard and not was_hard:
            for u in range(arcs):
                cost[u] = length[u]
            changed[:] = sweep
        if hard:
            rate = 1e9 * scale / max(target, 1e-300)
        elif sweep > 1:
            rate = min(rate * _DEARER, 1e9 * scale / max(target, 1e-300))
        for i in range(b):
            u = used[i]
            a = to[u]
            if hard and was_hard and changed[a] < sweep - 1:
                quiet = True
                for v in range(start[i], start[i + 1]):
                    if changed[to[v]] >= sweep - 1:
                        quiet = False
                if quiet:
                    continue
            w = weight[i]
            gain, best_v, best_h, best_g = -1e-12 * w * scale, -1, -1, -1
            fine_a = _fine(load[a], lower[a], upper[a], rate, knee)
            for v in range(start[i], start[i + 1]):
                c = to[v]
                if c == a:
                    continue
                fines = fine_a + _fine(load[c], lower[c], upper[c], rate, knee)
                longer = w * (cost[v] - cost[u])
                change = (
                    longer - fines + _fine(load[a] - w, lower[a], upper[a], rate, knee)
                    + _fine(load[c] + w, lower[c], upper[c], rate, knee)
                )  # fmt: skip
                if change < gain:
                    gain, best_v, best_h = change, v, -1
                for s in range(first[c], first[c] + standing[c]):
                    h = here[s]
                    for g in range(start[h], start[h + 1]):
                        if to[g] == a:
                            more = longer + weight[h] * (cost[g] - cost[used[h]]) - fines
                            if more < gain:
                                shift = w - weight[h]
                                more += _fine(load[a] - shift, lower[a], upper[a], rate, knee)
                                more += _fine(load[c] + shift, lower[c], upper[c], rate, knee)
                                if more < gain:
                                    gain, best_v, best_h, best_g = more, v, h, g
                            break
            if best_v < 0:
                continue
            c = to[best_v]
            moved += 1
            changed[a], changed[c] = sweep, sweep
            # i leaves a for c
            standing[a] -= 1
            last = here[first[a] + standing[a]]
            here[place[i]] = last
            place[last] = place[i]
            place[i] = first[c] + standing[c]
            here[place[i]] = i
            standing[c] += 1
            used[i] = best_v
            load[a] -= w
            load[c] += w
            if best_h >= 0:
                h = best_h
                standing[c] -= 1
                last = here[first[c] + standing[c]]
                here[place[h]] = last
                place[last] = place[h]
                place[h] = first[a] + standing[a]
                here[place[h]] = h
                standing[a] += 1
                used[h] = best_g
                load[a] += weight[h]
                load[c] -= weight[h]
        if moved == 0 and (hard or rate >= 1e9 * scale / max(target, 1e-300)):
            break
    for i in range(b):
        label[who[i]] = to[used[i]]
