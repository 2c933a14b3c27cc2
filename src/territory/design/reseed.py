"""One territory is closed, its customers go next door, and another one is opened where two are worth more than one."""

from __future__ import annotations

from heapq import heappop, heappush
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.compiled import kernel

if TYPE_CHECKING:
    from territory.design.moves_problem import LocalProblem
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["reseeded"]

#: Rounds of two means within a territory that is split.
_ROUNDS: Final = 4
#: One of so many territories is split at once.
_SHARE: Final = 20
#: How much of the spread of the estimates is chance, so that not the same pair is tried over and over.
_NOISE: Final = 0.5


def reseeded(problem: LocalProblem, label: IdxArray, rng: np.random.Generator) -> IdxArray:
    """Return an assignment with some territories closed and others split, picked by what that is worth, and by chance.

    Parts stay connected on the graph of those beside each other. O(n d + n log k + edges log n).
    Where locks decide who serves whom, or centres are given, the assignment is returned as it was.
    """
    p = problem
    if p.k < 3 or p.eligible is not None or p.center is not None or p.given is not None:
        return label.copy()
    weight = np.ones(p.n) if p.weight is None else p.weight
    power = 2 if p.objective == "squared" else 1
    centers = _means(p.points, weight, label, p.k)
    own = np.linalg.norm(p.points - centers[label], axis=1)
    loss = np.bincount(label, weight * (_second(p.points, centers, label) ** power - own**power), p.k)
    half, far = np.zeros(p.n, dtype=np.bool_), own.copy()
    order = np.argsort(label, kind="stable")
    bounds = np.searchsorted(label[order], np.arange(p.k + 1))
    _halve(
        np.array(p.points, dtype=np.float64, order="C"), np.array(weight, dtype=np.float64), order, bounds, half, far
    )
    gain = np.bincount(label, weight * (own**power - far**power), p.k)
    parted = np.bincount(label[half], minlength=p.k) * np.bincount(label[~half], minlength=p.k) > 0
    scale = _NOISE * (float(gain.std()) + 1e-12)
    worth = np.where(parted, gain + scale * rng.gumbel(size=p.k), -np.inf)
    cost = loss + scale * rng.gumbel(size=p.k)
    out, pairs = label.copy(), max(1, p.k // _SHARE)
    split = np.argsort(-worth)[:pairs]
    cost[split] = np.inf
    close = np.argsort(cost)[:pairs]
    for a, b in zip(split.tolist(), close.tolist(), strict=True):
        if np.isfinite(worth[a]) and np.isfinite(cost[b]):
            before = out.copy()
            out = _open(p, out, a, b, half) if _dissolve(p, out, b, centers) else before
    return out


def _means(points: FloatArray, weight: FloatArray, label: IdxArray, k: int) -> FloatArray:
    mass = np.maximum(np.bincount(label, weight, k), 1e-300)
    return np.asarray(np.stack([np.bincount(label, weight * column, k) / mass for column in points.T], axis=1))


def _second(points: FloatArray, centers: FloatArray, label: IdxArray) -> FloatArray:
    """Return the distance of each customer to the nearest centre but his own."""
    from scipy.spatial import cKDTree  # noqa: PLC0415 - slow to load

    far, which = cKDTree(centers).query(points, k=[1, 2])
    return np.asarray(np.where(which[:, 0] == label, far[:, 1], far[:, 0]))


@kernel("f8[:,::1], f8[::1], i8[::1], i8[::1], b1[::1], f8[::1]")
def _halve(points, weight, order, bounds, side, far):
    """Split every territory by two means that start at its ends: the side of each customer, and distances. O(n d)."""
    d = points.shape[1]
    mean = np.zeros((2, d))
    for c in range(len(bounds) - 1):
        first, last = bounds[c], bounds[c + 1]
        if last - first < 2:
            continue
        mass = 0.0
        for p in range(d):
            mean[0, p] = 0.0
        for q in range(first, last):
            mass += weight[order[q]]
            for p in range(d):
                mean[0, p] += weight[order[q]] * points[order[q], p]
        for p in range(d):
            mean[0, p] /= mass
        # the end farthest from the middle, then the one farthest from that
        for end in range(2):
            most, chosen = -1.0, order[first]
            for q in range(first, last):
                square = 0.0
                for p in range(d):
                    square += (points[order[q], p] - mean[0, p]) ** 2
                if square > most:
                    most, chosen = square, order[q]
            for p in range(d):
                if end == 0:
                    mean[0, p] = points[chosen, p]
                else:
                    mean[1, p] = points[chosen, p]
        for turn in range(_ROUNDS):
            for q in range(first, last):
                i, a, b = order[q], 0.0, 0.0
                for p in range(d):
                    a += (points[i, p] - mean[0, p]) ** 2
                    b += (points[i, p] - mean[1, p]) ** 2
                side[i] = b < a
                far[i] = sqrt(min(a, b))
            if turn == _ROUNDS - 1:
                break
            for end in range(2):
                mass = 0.0
                for q in range(first, last):
                    if side[order[q]] == (end == 1):
                        mass += weight[order[q]]
                if mass > 0.0:
                    for p in range(d):
                        mean[end, p] = 0.0
                    for q in range(first, last):
                        if side[order[q]] == (end == 1):
                            for p in range(d):
                                mean[end, p] += weight[order[q]] * points[order[q], p] / mass


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
