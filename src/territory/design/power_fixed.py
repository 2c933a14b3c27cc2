"""The optimal balanced assignment to given centres, of points of which most lie far from any border.

Prices are enough to say who is surely whose: a customer whose cheapest territory wins by more than
prices can change needs no arc. So candidates are those within a margin of the cheapest, the flow is
found among them (`power_flow`), and holds for all centres if no price rose by more than its margin;
else it is repeated from the prices reached, with wider margins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from territory.compiled import kernel
from territory.design.power_flow import OUT_OF_ROOM, SOLVED, balance, placed
from territory.design.power_near import Border, border_of, dual_value

if TYPE_CHECKING:
    from territory.design.power_tree import Tree
    from territory.model.arrays import BoolArray, FloatArray, IdxArray

__all__ = ["Ground", "Split", "best_split", "border_with", "bound_at", "first_margin"]

#: Repeats with wider margins, at most; by how much all get wider, and those that held the flow back.
_REPEATS = 200
_ALL_WIDER, _WIDER = 2.0, 3.0
#: Margins of the next call: of what prices rose, and at least of the last.
_AGAIN, _LESS = 1.5, 0.3
#: Repeats after which somebody asks whether the band can be kept at all.
_DOUBTFUL = 10


class Ground(NamedTuple):
    """Points to be shared out, and the band of each territory.

    Attributes
    ----------
    tree : Tree of the points that may go anywhere
    lower, upper : float arrays of shape (k,)
    x : float array of shape (r, d)
        Points that may go to some territories only.
    w : float array of shape (r,)
    eligible : bool array of shape (r, k)
    """

    tree: Tree
    lower: FloatArray
    upper: FloatArray
    x: FloatArray
    w: FloatArray
    eligible: BoolArray


class Split(NamedTuple):
    """An optimal balanced assignment to given centres, with split points.

    Attributes
    ----------
    border : Border
        The points with several candidates, then those that may go to some territories only, whose numbers
        begin at the number of points in the tree.
    flow : float array of shape (arcs,)
        Weight on each arc of the border.
    price : float array of shape (k,)
    load : float array of shape (k,)
    moment : float array of shape (k, d)
    margin : float array of shape (k,)
        For the next call, with centres nearby.
    paths : int
    feasible : bool
        Whether the band can be kept.
    """

    border: Border
    flow: FloatArray
    price: FloatArray
    load: FloatArray
    moment: FloatArray
    margin: FloatArray
    paths: int
    feasible: bool


def first_margin(center: FloatArray) -> FloatArray:
    """Return margins to begin with, shape (k,): a part of the squared distance to the next centre. O(k log k)."""
    from scipy.spatial import KDTree  # noqa: PLC0415 - loads when it is used

    k = len(center)
    if k == 1:
        return np.ones(1)
    squared = KDTree(center).query(center, k=2)[0][:, 1] ** 2
    usual = float(squared.mean()) or 1.0
    return np.asarray(np.maximum(0.2 * squared, 1e-3 * usual))


def best_split(ground: Ground, center: FloatArray, price: FloatArray, margin: FloatArray) -> Split:
    """Return the cheapest balanced assignment to the centres, splitting at most k - 1 points but for ties.

    Parameters
    ----------
    ground : Ground
    center : float array of shape (k, d)
    price : float array of shape (k,)
        To start from; near ones make it quick.
    margin : float array of shape (k,), positive
        How much prices may rise at first.
    """
    price, began = price.copy(), price
    old = (np.empty(0, dtype=np.int32), np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.int32), np.empty(0))
    for repeat in range(1, _REPEATS + 1):
        border = border_with(ground, center, price, margin)
        weight = _weight_of(ground, border.who)
        flow = np.empty(len(border.to))
        placed(*old, border.who, border.start, border.to, border.cost, weight, price, flow)
        old = (border.who, border.start, border.to, flow)
        before = price.copy()
        reach = np.zeros(len(price), dtype=np.uint8)
        status, paths, left, above = balance(
            border.start, border.to, border.cost, weight, border.load, ground.lower, ground.upper,
            price, margin, flow, reach,
        )  # fmt: skip
        if status == SOLVED:
            break
        if status == OUT_OF_ROOM:
            # as much dearer as makes what is too much go elsewhere
            rise = price - before
            known = max(0.0, 0.5 * float((margin - (rise - rise.min()))[reach > 0].min(initial=np.inf)))
            step = _step(ground, center, price, reach > 0, left, known)
            if step == np.inf:
                break
            if above:
                price[reach == 0] -= step
            else:
                price[reach > 0] += step
        else:
            rise = price - before
            margin = np.maximum(_ALL_WIDER * margin, _WIDER * (rise - rise.min()))
        if repeat % _DOUBTFUL == 0 and _proves_impossible(ground, center, price):
            break
    own = np.repeat(border.who, np.diff(border.start))
    load = border.load + np.bincount(border.to, flow, len(price))
    places = np.concatenate(
        [ground.tree.x[own[own < len(ground.tree.x)]], ground.x[own[own >= len(ground.tree.x)] - len(ground.tree.x)]]
    )
    moment = border.moment + np.stack([np.bincount(border.to, flow * axis, len(price)) for axis in places.T], axis=1)
    rise = price - began
    # towns whose prices rise together need no margin inside
    apart = np.minimum(rise - rise.min(), 3.0 * _steps(border, rise))
    margin = np.maximum(_AGAIN * apart, _LESS * margin)
    return Split(border, flow, price, load, moment, margin, paths, status == SOLVED)


def _step(
    ground: Ground, center: FloatArray, price: FloatArray, inside: BoolArray, amount: float, known: float
) -> float:
    """Return by how much some territories must get dearer to lose an amount of weight; inf where none can leave."""
    here, there = np.flatnonzero(inside), np.flatnonzero(~inside)
    if not here.size or not there.size:
        return float("inf")
    tree = ground.tree
    least = []
    for some in (here, there):
        none = np.zeros(len(some))
        won = some[border_of(tree, np.ascontiguousarray(center[some]), np.ascontiguousarray(price[some]), none).label]
        least.append(((tree.x - center[won]) ** 2).sum(axis=1) + price[won])
    gap, weight = least[1] - least[0], tree.w
    if len(ground.x):
        square = np.full(ground.eligible.shape, np.inf)
        row, column = np.nonzero(ground.eligible)
        square[row, column] = ((ground.x[row] - center[column]) ** 2).sum(axis=1) + price[column]
        best, other = square[:, here].min(axis=1), square[:, there].min(axis=1)
        particular = np.where(
            np.isfinite(best) & np.isfinite(other), other - np.where(np.isfinite(best), best, 0.0), np.inf
        )
        gap, weight = np.concatenate([gap, particular]), np.concatenate([weight, ground.w])
    # who could leave for less was a candidate, and has left
    may = (gap > known) & np.isfinite(gap) & (weight > 0)
    if not may.any():
        return float("inf")
    order = gap[may].argsort(kind="stable")
    total = weight[may][order].cumsum()
    return float(gap[may][order[min(int(np.searchsorted(total, amount)), len(order) - 1)]]) * (1 + 1e-12)


def _steps(border: Border, rise: FloatArray) -> FloatArray:
    """Return by how much each price has risen more than that of a territory which competes for some point, (k,)."""
    out = np.zeros(len(rise))
    _most_apart(border.start, border.to, rise, out)
    return out


@kernel("i8[::1], i4[::1], f8[::1], f8[::1]")
def _most_apart(start, to, rise, out):
    """Fill in the largest difference to a smaller rise among the candidates of a point."""
    for i in range(len(start) - 1):
        least = np.inf
        for u in range(start[i], start[i + 1]):
            least = min(least, rise[to[u]])
        for u in range(start[i], start[i + 1]):
            out[to[u]] = max(out[to[u]], rise[to[u]] - least)


def bound_at(ground: Ground, center: FloatArray, price: FloatArray) -> float:
    """Return a lower bound on the cost of any balanced assignment to the centres; see `power_near.dual_value`."""
    value = dual_value(ground.tree, center, price, ground.lower, ground.upper)
    if len(ground.x):
        least, size = _least_particular(ground.x, ground.w, ground.eligible, center, price)
        value += least - 1e-13 * size
    return value


def _proves_impossible(ground: Ground, center: FloatArray, price: FloatArray) -> bool:
    """Return whether the prices prove more than any assignment can cost."""
    corner = np.abs(center - ground.tree.middle[1]).max(axis=0) + ground.tree.half[1]
    most = float(ground.tree.weight[1] * (corner @ corner))
    if len(ground.x):
        most += float(ground.w @ ((np.abs(center).max(axis=0) + np.abs(ground.x)) ** 2).sum(axis=1))
    return bound_at(ground, center, price) > most


def _weight_of(ground: Ground, who: IdxArray) -> FloatArray:
    n = len(ground.tree.w)
    inside = who < n
    return np.concatenate([ground.tree.w[who[inside]], ground.w[who[~inside] - n]])


def border_with(ground: Ground, center: FloatArray, price: FloatArray, margin: FloatArray) -> Border:
    """Return the border as `border_of`, with the points that may go to some territories only at its end."""
    border = border_of(ground.tree, center, price, margin)
    r = len(ground.x)
    if not r:
        return border
    n = len(ground.tree.w)
    start, to, cost = _scan(ground.x, ground.eligible, center, price, margin)
    return Border(
        border.label,
        np.concatenate([border.who, np.arange(n, n + r, dtype=np.int32)]),
        np.concatenate([border.start, border.start[-1] + start[1:]]),
        np.concatenate([border.to, to]),
        np.concatenate([border.cost, cost]),
        border.load,
        border.moment,
    )


@kernel("f8[:,::1], b1[:,::1], f8[:,::1], f8[::1], f8[::1]")
def _scan(x, eligible, center, price, margin):
    """Return start, to and cost of the eligible candidates within the margins, by trying all."""
    r, d = x.shape
    k = len(center)
    start = np.zeros(r + 1, dtype=np.int64)
    to, cost = np.empty(0, dtype=np.int32), np.empty(0)
    square = np.empty(k)
    for turn in range(2):
        for i in range(r):
            keep, used = np.inf, start[i]
            for j in range(k):
                if eligible[i, j]:
                    square[j] = 0.0
                    for a in range(d):
                        square[j] += (x[i, a] - center[j, a]) ** 2
                    v = square[j] + price[j]
                    keep = min(keep, v + margin[j] + 1e-13 * (square[j] + 2.0 * abs(price[j])))
            for j in range(k):
                if eligible[i, j] and square[j] + price[j] <= keep:
                    if turn == 1:
                        to[used], cost[used] = j, square[j]
                    used += 1
            start[i + 1] = used
        if turn == 0:
            to, cost = np.empty(start[r], dtype=np.int32), np.empty(start[r])
    return start, to, cost


@kernel("f8[:,::1], f8[::1], b1[:,::1], f8[:,::1], f8[::1]")
def _least_particular(x, w, eligible, center, price):
    """Return the weighted sum of least priced distances, and of the sizes of their parts."""
    total, size = 0.0, 0.0
    for i in range(len(x)):
        least, big = np.inf, 0.0
        for j in range(len(center)):
            if eligible[i, j]:
                v = 0.0
                for a in range(x.shape[1]):
                    v += (x[i, a] - center[j, a]) ** 2
                if v + price[j] < least:
                    least, big = v + price[j], v + 2.0 * abs(price[j])
        total += w[i] * least
        size += w[i] * big * (1.0 + 1e-3 * i)
    return total, size
