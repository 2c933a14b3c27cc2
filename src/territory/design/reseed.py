"""One territory is closed, its customers go next door, and another one is opened where two are worth more than one."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from territory.design.moves_problem import LocalProblem
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["reseeded"]

#: Rounds of two means within a territory that is split.
_ROUNDS: Final = 4
#: How much of the spread of the estimates is chance, so that not the same pair is tried over and over.
_NOISE: Final = 0.5


def reseeded(problem: LocalProblem, label: IdxArray, rng: np.random.Generator) -> IdxArray:
    """Return an assignment with one territory closed and another split, picked by what that is worth, and by chance.

    Parts stay connected on the graph of those beside each other. O(n d + n k / 8), and O(edges log n) for connection.
    Where locks decide who serves whom, or centres are given, the assignment is returned as it was.
    """
    p = problem
    if p.k < 3 or p.eligible is not None or p.center is not None or p.given is not None:  # noqa: PLR0916
        return label.copy()
    weight = np.ones(p.n) if p.weight is None else p.weight
    power = 2 if p.objective == "squared" else 1
    centers = _means(p.points, weight, label, p.k)
    own = np.linalg.norm(p.points - centers[label], axis=1)
    loss = np.bincount(label, weight * (_second(p.points, centers, label) ** power - own**power), p.k)
    gain, half = np.zeros(p.k), np.zeros(p.n, dtype=bool)
    order = np.argsort(label, kind="stable")
    bounds = np.searchsorted(label[order], np.arange(p.k + 1))
    for c in range(p.k):
        mine = order[bounds[c] : bounds[c + 1]]
        if len(mine) > 3:
            side, far = _two(p.points[mine], weight[mine])
            half[mine] = side
            gain[c] = float((weight[mine] * own[mine] ** power).sum() - (weight[mine] * far**power).sum())
    # of many territories, a few random ones to close and to split
    scale = _NOISE * (float(gain.std()) + 1e-12)
    split = int(np.argmax(gain + scale * rng.gumbel(size=p.k)))
    cost = loss + scale * rng.gumbel(size=p.k)
    cost[split] = np.inf
    close = int(np.argmin(cost))
    out = label.copy()
    if not (half & (label == split)).any() or gain[split] <= 0.0:
        return out
    if not _dissolve(p, out, close, centers):
        return label.copy()
    return _open(p, out, split, close, half)


def _means(points: FloatArray, weight: FloatArray, label: IdxArray, k: int) -> FloatArray:
    mass = np.maximum(np.bincount(label, weight, k), 1e-300)
    return np.stack([np.bincount(label, weight * column, k) / mass for column in points.T], axis=1)


def _second(points: FloatArray, centers: FloatArray, label: IdxArray) -> FloatArray:
    """Return the distance of each customer to the nearest centre but his own."""
    from scipy.spatial import cKDTree  # noqa: PLC0415 - slow to load

    far, which = cKDTree(centers).query(points, k=[1, 2])
    return np.where(which[:, 0] == label, far[:, 1], far[:, 0])


def _two(points: FloatArray, weight: FloatArray) -> tuple[np.ndarray, FloatArray]:  # type: ignore[type-arg]
    """Return the halves of a territory by two means that start at its ends, and distances to them."""
    middle = np.average(points, axis=0, weights=weight)
    first = points[np.argmax(((points - middle) ** 2).sum(axis=1))]
    second = points[np.argmax(((points - first) ** 2).sum(axis=1))]
    side = np.zeros(len(points), dtype=bool)
    far = np.zeros(len(points))
    for _ in range(_ROUNDS):
        a, b = np.linalg.norm(points - first, axis=1), np.linalg.norm(points - second, axis=1)
        side, far = b < a, np.minimum(a, b)
        if side.all() or not side.any():
            break
        first = np.average(points[~side], axis=0, weights=weight[~side])
        second = np.average(points[side], axis=0, weights=weight[side])
    return side, far


def _dissolve(p: LocalProblem, label: IdxArray, close: int, centers: FloatArray) -> bool:
    """Hand the customers of a territory to those next door, from the rim inwards; False if some are out of reach."""
    indptr, indices = p.near.indptr, p.near.indices
    heap: list[tuple[float, int, int]] = []

    def offer(i: int) -> None:
        for j in indices[indptr[i] : indptr[i + 1]].tolist():
            c = int(label[j])
            if c != close:
                heappush(heap, (float(np.linalg.norm(p.points[i] - centers[c])), i, c))

    left = np.flatnonzero(label == close).tolist()
    for i in left:
        offer(i)
    gone = 0
    while heap:
        _, i, c = heappop(heap)
        if label[i] == close:
            label[i] = c
            gone += 1
            for j in indices[indptr[i] : indptr[i + 1]].tolist():
                if label[j] == close:
                    offer(j)
    return gone == len(left)


def _open(p: LocalProblem, label: IdxArray, split: int, new: int, half: np.ndarray) -> IdxArray:  # type: ignore[type-arg]
    """Give the connected half of territory `split` (with what was added to it) the label `new`."""
    if p.site is None:
        label[half & (label == split)] = new
        return label
    # two parts grow against each other from the customers nearest the middle of their halves
    indptr, indices = p.near.indptr, p.near.indices
    mine = np.flatnonzero(label == split)
    middles = [p.points[mine[half[mine] == side]].mean(axis=0) for side in (False, True)]
    owner: dict[int, int] = {}
    heap: list[tuple[float, int, int]] = []
    roots = []
    for side in (0, 1):
        gap = np.linalg.norm(p.points[mine] - middles[side], axis=1)
        roots.append(int(mine[np.argmin(gap)]))
        heappush(heap, (0.0, roots[side], side))
    inside = set(mine.tolist())
    while heap:
        _, i, side = heappop(heap)
        if i in owner:
            continue
        owner[i] = side
        for j in indices[indptr[i] : indptr[i + 1]].tolist():
            if j in inside and j not in owner:
                heappush(heap, (float(np.linalg.norm(p.points[j] - middles[side])), j, side))
    for i, side in owner.items():
        if side == 1:
            label[i] = new
    return label
