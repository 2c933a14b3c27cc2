"""Which centres can win which points at given prices, and what the prices prove.

One walk down the tree of points (see `power_tree`) answers both: the candidates of each point, that
is the centres whose priced distance is within a margin of the least, and the least itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from territory.compiled import kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.design.power_tree import Tree
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["Border", "border_of", "dual_value"]

#: Rounding of a priced distance relative to its largest part, generously.
_ROUNDING = 1e-13


class Border(NamedTuple):
    """The points that several centres could win, and sums over all the others.

    Attributes
    ----------
    label : int32 array of shape (n,)
        The winner of each point, in the order of the tree.
    who : int32 array of shape (b,)
        The points at the border, in the order of the tree.
    start : int64 array of shape (b + 1,)
        Where the candidates of each begin.
    to : int32 array of shape (arcs,)
    cost : float array of shape (arcs,)
        Squared distance to each candidate.
    load : float array of shape (k,)
        Weight won by each centre, without the border.
    moment : float array of shape (k, d)
        Weighted sum of the places of that weight.
    """

    label: IdxArray
    who: IdxArray
    start: npt.NDArray[np.int64]
    to: IdxArray
    cost: FloatArray
    load: FloatArray
    moment: FloatArray


def border_of(tree: Tree, center: FloatArray, price: FloatArray, margin: FloatArray) -> Border:
    """Return the border at given prices.

    Parameters
    ----------
    tree : Tree of n points in d dimensions
    center : float array of shape (k, d)
    price : float array of shape (k,), squared distance
    margin : float array of shape (k,)
        A centre is dropped where its priced distance is above that of another centre by more than the
        other's margin, and so can win nothing unless the price of the other rises by more than that.

    Notes
    -----
    O((n / leaf + border) times the centres near a leaf), beside O(k) for each of the upper nodes.
    """
    n, d = tree.x.shape
    k = len(center)
    label = np.empty(n, dtype=np.int32)
    slack = _slack(tree, center, price)
    # memory that is not written to costs nothing
    points, arcs = n, 4096 + 3 * n
    while True:
        who, start = np.empty(points, dtype=np.int32), np.zeros(points + 1, dtype=np.int64)
        to, cost = np.empty(arcs, dtype=np.int32), np.empty(arcs)
        load, moment = np.zeros(k), np.zeros((k, d))
        b, used = _walk(
            tree.x, tree.w, tree.middle, tree.half, tree.weight, tree.moment, tree.levels,
            center, price, margin, slack, label, who, start, to, cost, load, moment,
        )  # fmt: skip
        if used <= arcs:
            return Border(label, who[:b], start[: b + 1], to[:used], cost[:used], load, moment)
        arcs = used


def dual_value(tree: Tree, center: FloatArray, price: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """Return a lower bound on the cost of every assignment to these centres that keeps the band.

    For any prices, sum_i w_i min_j (c_ij + p_j) - sum_j max(p_j L_j, p_j U_j) is at most the cost of
    the transportation problem (Lagrangian duality), split customers or not. The minimum is over all
    centres; what rounding may have added is taken off. It is never cut to a known cost.

    Parameters
    ----------
    tree : Tree
    center : float array of shape (k, d)
    price, lower, upper : float arrays of shape (k,)
    """
    value, size = _dual(tree.x, tree.w, tree.middle, tree.half, tree.levels, center, price, _slack(tree, center, price))
    kept = np.where(price >= 0, upper, lower)
    size += float(np.abs(price) @ np.abs(kept))
    return float(value - price @ kept - _ROUNDING * size)


def _slack(tree: Tree, center: FloatArray, price: FloatArray) -> float:
    """Return what rounding may do to the difference of two priced distances."""
    reach = np.abs(center - tree.middle[1]).max(axis=0) + tree.half[1]
    return float(_ROUNDING * (reach @ reach + 2 * np.abs(price).max(initial=0.0)))


@kernel(
    "f8[:,::1], f8[::1], f8[:,::1], f8[:,::1], f8[::1], f8[:,::1], i8, f8[:,::1], f8[::1], f8[::1], f8,"
    "i4[::1], i4[::1], i8[::1], i4[::1], f8[::1], f8[::1], f8[:,::1]"
)
def _walk(x, w, middle, half, weight, moment, levels, center, price, margin, slack,
          label, who, start, to, cost, load, sums):  # fmt: skip
    """Fill in the border; return how many points and arcs it has, which may be more than fit in."""
    n, d = x.shape
    k = len(center)
    lists, length = np.empty((levels + 2, k), dtype=np.int32), np.empty(levels + 2, dtype=np.int64)
    value = np.empty(k)
    stack = np.empty(levels + 2, dtype=np.int64)
    depth_of = np.empty(levels + 2, dtype=np.int64)
    for j in range(k):
        lists[0, j] = j
    length[0] = k
    b, used, top = 0, 0, 1
    stack[0], depth_of[0] = 1, 0
    while top > 0:
        top -= 1
        node, depth = stack[top], depth_of[top]
        # the centres of the parent that may still win in this box
        z, least = -1, np.inf
        for q in range(length[depth]):
            j = lists[depth, q]
            v = price[j]
            for a in range(d):
                v += (middle[node, a] - center[j, a]) ** 2
            value[q] = v
            if v < least:
                z, least = j, v
        kept = 0
        for q in range(length[depth]):
            j = lists[depth, q]
            v = value[q] - least
            keep = margin[z] + slack
            if v > keep:
                for a in range(d):
                    v -= 2.0 * half[node, a] * abs(center[j, a] - center[z, a])
            if v <= keep:
                lists[depth + 1, kept] = j
                kept += 1
        length[depth + 1] = kept
        begin = ((node - (1 << depth)) * n) >> depth
        end = ((node - (1 << depth) + 1) * n) >> depth
        if kept == 1:
            for t in range(begin, end):
                label[t] = z
            load[z] += weight[node]
            for a in range(d):
                sums[z, a] += moment[node, a]
            continue
        if depth < levels:
            stack[top], depth_of[top] = 2 * node + 1, depth + 1
            stack[top + 1], depth_of[top + 1] = 2 * node, depth + 1
            top += 2
            continue
        for t in range(begin, end):
            best, least, keep = -1, np.inf, np.inf
            for q in range(kept):
                j = lists[depth + 1, q]
                v = price[j]
                for a in range(d):
                    v += (x[t, a] - center[j, a]) ** 2
                value[q] = v
                keep = min(keep, v + margin[j] + slack)
                if v < least:
                    best, least = j, v
            label[t] = best
            found = 0
            for q in range(kept):
                if value[q] <= keep:
                    found += 1
            if found == 1:
                load[best] += w[t]
                for a in range(d):
                    sums[best, a] += w[t] * x[t, a]
                continue
            if b < len(who) and used + found <= len(to):
                who[b] = t
                at = used
                for q in range(kept):
                    if value[q] <= keep:
                        j = lists[depth + 1, q]
                        to[at] = j
                        v = 0.0
                        for a in range(d):
                            v += (x[t, a] - center[j, a]) ** 2
                        cost[at] = v
                        at += 1
                start[b + 1] = at
            b += 1
            used += found
    return b, used


@kernel("f8[:,::1], f8[::1], f8[:,::1], f8[:,::1], i8, f8[:,::1], f8[::1], f8")
def _dual(x, w, middle, half, levels, center, price, slack):
    """Return the weighted sum of the least priced distances over all centres, and of the parts' sizes."""
    n, d = x.shape
    k = len(center)
    lists, length = np.empty((levels + 2, k), dtype=np.int32), np.empty(levels + 2, dtype=np.int64)
    value = np.empty(k)
    stack, depth_of = np.empty(levels + 2, dtype=np.int64), np.empty(levels + 2, dtype=np.int64)
    for j in range(k):
        lists[0, j] = j
    length[0], stack[0], depth_of[0] = k, 1, 0
    top = 1
    total, lost, size = 0.0, 0.0, 0.0
    while top > 0:
        top -= 1
        node, depth = stack[top], depth_of[top]
        z, least = -1, np.inf
        for q in range(length[depth]):
            j = lists[depth, q]
            v = price[j]
            for a in range(d):
                v += (middle[node, a] - center[j, a]) ** 2
            value[q] = v
            if v < least:
                z, least = j, v
        kept = 0
        for q in range(length[depth]):
            j = lists[depth, q]
            v = value[q] - least
            if v > slack:
                for a in range(d):
                    v -= 2.0 * half[node, a] * abs(center[j, a] - center[z, a])
            if v <= slack:
                lists[depth + 1, kept] = j
                kept += 1
        length[depth + 1] = kept
        if depth < levels:
            stack[top], depth_of[top] = 2 * node + 1, depth + 1
            stack[top + 1], depth_of[top + 1] = 2 * node, depth + 1
            top += 2
            continue
        begin = ((node - (1 << depth)) * n) >> depth
        end = ((node - (1 << depth) + 1) * n) >> depth
        for t in range(begin, end):
            best, least = -1, np.inf
            for q in range(kept):
                j = lists[depth + 1, q]
                v = price[j]
                for a in range(d):
                    v += (x[t, a] - center[j, a]) ** 2
                if v < least:
                    best, least = j, v
            # compensated (Neumaier): the sum of a million terms rounds like one
            term = w[t] * least
            new = total + term
            lost += (total - new) + term if abs(total) >= abs(term) else (term - new) + total
            total = new
            size += w[t] * (abs(least) + 2.0 * abs(price[best]))
    return total + lost, size
