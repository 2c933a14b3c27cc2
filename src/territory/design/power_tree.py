"""A balanced tree over weighted points, and all centres that could win a point, with proof.

The tree halves the points at the median of the widest axis until a few are left, so that node q of
level l holds the points from (q n) >> l on: no pointers, and each level is a partition of the points
into cells of equal count, which serve as coarse points of a large problem.

Which of k centres with prices p has the least |x - c_j|^2 + p_j is found by going down from the root
with the list of centres that may still win somewhere in the node's box (Kanungo et al. 2002, An
efficient k-means clustering algorithm; here with additive weights and a margin). The difference of
two priced distances is linear in x, so its least value over a box is known exactly: what is dropped
is proven to lose by more than the margin at every point of the box.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from territory.compiled import kernel

if TYPE_CHECKING:
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["Tree", "cells", "make_tree"]

#: Points of a leaf, at most.
_LEAF = 8


class Tree(NamedTuple):
    """A balanced tree over n points; arrays of points are in the order of the tree.

    Attributes
    ----------
    order : int32 array of shape (n,)
        Place of each point of the tree in the input.
    x : float array of shape (n, d)
    w : float array of shape (n,)
    middle, half : float arrays of shape (nodes, d)
        Middle and half width of each node's box; node 1 is the root, 2 i and 2 i + 1 are the halves of i.
    weight : float array of shape (nodes,)
        Weight of the points of each node.
    moment : float array of shape (nodes, d)
        Weighted sum of their places.
    levels : int
        The leaves are the nodes from 2**levels on.
    """

    order: IdxArray
    x: FloatArray
    w: FloatArray
    middle: FloatArray
    half: FloatArray
    weight: FloatArray
    moment: FloatArray
    levels: int


def make_tree(x: FloatArray, w: FloatArray) -> Tree:
    """Return the tree of points `x` (n, d), any unit, with weights `w` (n,). O(n log n) time, O(n) memory.

    n >= 1.
    """
    n, d = x.shape
    levels = max(0, int(np.ceil(np.log2(n / _LEAF)))) if n > _LEAF else 0
    nodes = 2 << levels
    order = np.arange(n, dtype=np.int32)
    x = np.ascontiguousarray(x, dtype=np.float64)
    _halve(x, order, levels)
    placed, w = x[order], np.ascontiguousarray(w[order], dtype=np.float64)
    middle, half, moment = (np.zeros((nodes, d)) for _ in range(3))
    weight = np.zeros(nodes)
    _sum_up(placed, w, levels, middle, half, weight, moment)
    return Tree(order, placed, w, middle, half, weight, moment, levels)


def cells(tree: Tree, level: int) -> tuple[FloatArray, FloatArray]:
    """Return the weighted middles (2**level, d) and weights (2**level,) of the nodes of a level."""
    weight = tree.weight[1 << level : 2 << level]
    moment = tree.moment[1 << level : 2 << level]
    safe = np.where(weight > 0, weight, 1.0)[:, None]
    return np.where(weight[:, None] > 0, moment / safe, tree.middle[1 << level : 2 << level]), weight.copy()


@kernel("f8[:,::1], i4[::1], i8")
def _halve(x, order, levels):
    """Order the points so that the halves of each node stand together."""
    n, d = x.shape
    for level in range(levels):
        for q in range(1 << level):
            begin, end = (q * n) >> level, ((q + 1) * n) >> level
            at = ((2 * q + 1) * n) >> (level + 1)
            axis, widest = 0, -1.0
            for a in range(d):
                low = high = x[order[begin], a]
                for t in range(begin + 1, end):
                    value = x[order[t], a]
                    low, high = min(low, value), max(high, value)
                if high - low > widest:
                    widest, axis = high - low, a
            # quickselect (Hoare); equal values stop both scans, so that many of them do no harm
            left, right = begin, end - 1
            while left < right:
                one, two, three = x[order[left], axis], x[order[(left + right) >> 1], axis], x[order[right], axis]
                pivot = max(min(one, two), min(max(one, two), three))
                i, j = left, right
                while i <= j:
                    while x[order[i], axis] < pivot:
                        i += 1
                    while x[order[j], axis] > pivot:
                        j -= 1
                    if i <= j:
                        order[i], order[j] = order[j], order[i]
                        i += 1
                        j -= 1
                if at <= j:
                    right = j
                elif at >= i:
                    left = i
                else:
                    break


@kernel("f8[:,::1], f8[::1], i8, f8[:,::1], f8[:,::1], f8[::1], f8[:,::1]")
def _sum_up(x, w, levels, middle, half, weight, moment):
    """Fill in the boxes and sums of the nodes, leaves first."""
    n, d = x.shape
    low, high = np.empty((2 << levels, d)), np.empty((2 << levels, d))
    for q in range(1 << levels):
        node = q + (1 << levels)
        begin, end = (q * n) >> levels, ((q + 1) * n) >> levels
        for a in range(d):
            low[node, a], high[node, a] = x[begin, a], x[begin, a]
            for t in range(begin, end):
                low[node, a], high[node, a] = min(low[node, a], x[t, a]), max(high[node, a], x[t, a])
                moment[node, a] += w[t] * x[t, a]
        for t in range(begin, end):
            weight[node] += w[t]
    for node in range((1 << levels) - 1, 0, -1):
        weight[node] = weight[2 * node] + weight[2 * node + 1]
        for a in range(d):
            low[node, a] = min(low[2 * node, a], low[2 * node + 1, a])
            high[node, a] = max(high[2 * node, a], high[2 * node + 1, a])
            moment[node, a] = moment[2 * node, a] + moment[2 * node + 1, a]
    for node in range(1, 2 << levels):
        for a in range(d):
            middle[node, a] = 0.5 * (low[node, a] + high[node, a])
            half[node, a] = max(high[node, a] - middle[node, a], middle[node, a] - low[node, a])
