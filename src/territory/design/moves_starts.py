"""Assignments to start the local search from: seeds far from each other, then customers by regret, or grown regions."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.compiled import kernel

if TYPE_CHECKING:
    from territory.design.moves_problem import LocalProblem
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["grown_start", "regret_start", "seeds"]

#: Rounds of assignment and recentring.
_ROUNDS: Final = 4
#: Nearest centres that a customer is offered before all others.
_OFFERS: Final = 8


def seeds(points: FloatArray, weight: FloatArray, k: int, rng: np.random.Generator) -> IdxArray:
    """Return k customers far from each other, by k-means++ (Arthur & Vassilvitskii 2007). O(n k d)."""
    n = len(points)
    chosen = np.empty(k, dtype=np.int32)
    chosen[0] = rng.choice(n, p=weight / weight.sum())
    square = np.full(n, np.inf)
    for c in range(1, k):
        gap = points - points[chosen[c - 1]]
        square = np.minimum(square, np.einsum("ij,ij->i", gap, gap))
        share = square * weight
        total = share.sum()
        if total > 0.0:
            chosen[c] = rng.choice(n, p=share / total)
        else:
            # fewer places than territories: anybody who was not chosen
            chosen[c] = rng.choice(np.setdiff1d(np.arange(n), chosen[:c]))
    return chosen


def _near_centers(points: FloatArray, centers: FloatArray, count: int) -> tuple[FloatArray, IdxArray]:
    from scipy.spatial import cKDTree  # noqa: PLC0415 - slow to load

    far, which = cKDTree(centers).query(points, k=list(range(1, count + 1)))
    return np.asarray(far), np.asarray(which, dtype=np.int32)


@kernel("f8[:,::1], f8[:,::1], i4[:,::1], i8[::1], f8[:,::1], f8[:,::1], f8[:,::1], b1[:,::1], i4[::1]")
def _place(points, centers, which, order, measures, goal, roof, eligible, label):
    """Give each customer, in order, to the first territory offered with room, else where he does least harm."""
    k, m = goal.shape
    load = np.zeros((k, m))
    for r in range(len(order)):
        i, chosen, least, nearest = order[r], -1, np.inf, np.inf
        for q in range(which.shape[1]):
            c = which[i, q]
            fits = eligible.shape[0] == 0 or eligible[i, c]
            for p in range(m):
                fits = fits and load[c, p] + measures[i, p] <= roof[c, p]
            if fits:
                chosen = c
                break
        if chosen < 0:
            for c in range(k):
                if eligible.shape[0] > 0 and not eligible[i, c]:
                    continue
                over, far = 0.0, 0.0
                for p in range(m):
                    over += max(load[c, p] + measures[i, p] - roof[c, p], 0.0) / goal[c, p]
                for axis in range(points.shape[1]):
                    far += (points[i, axis] - centers[c, axis]) ** 2
                if chosen < 0 or over < least - 1e-9 or (over < least + 1e-9 and far < nearest):
                    chosen, least, nearest = c, over, far
        label[i] = max(chosen, 0)
        for p in range(m):
            load[label[i], p] += measures[i, p]


def _by_regret(problem: LocalProblem, centers: FloatArray) -> IdxArray:
    """Assign customers to centres with room: first those who lose most if their nearest is full. O(n k) at worst."""
    p = problem
    far, which = _near_centers(p.points, centers, min(p.k, _OFFERS))
    regret = far[:, min(1, p.k - 1)] - far[:, 0]
    size = p.measures / np.maximum(p.target.mean(axis=0), 1e-300)
    # big customers first among equals: they find no room later
    order = np.lexsort((-size.max(axis=1), -regret))
    label = np.empty(p.n, dtype=np.int32)
    goal = np.maximum(p.target, 1e-300)
    eligible = np.empty((0, 0), dtype=np.bool_) if p.eligible is None else np.array(p.eligible, dtype=np.bool_)
    _place(
        np.array(p.points, dtype=np.float64, order="C"), np.ascontiguousarray(centers), np.ascontiguousarray(which),
        order.astype(np.int64), np.array(p.measures, dtype=np.float64, order="C"), np.array(goal, order="C"),
        np.array(np.maximum(np.minimum(p.upper, 1e300), goal), order="C"), eligible, label,
    )  # fmt: skip
    return label


def regret_start(problem: LocalProblem, rng: np.random.Generator) -> IdxArray:
    """Return an assignment of a problem without contiguity, shape (n,): seeds, then regret and recentring in turns."""
    p = problem
    weight = np.ones(p.n) if p.weight is None else p.weight
    if p.center is not None:
        return _filled(_by_regret(p, p.center), p, rng)
    centers = p.points[seeds(p.points, weight, p.k, rng)].astype(np.float64)
    label = _by_regret(p, centers)
    for _ in range(_ROUNDS):
        mass = np.bincount(label, weight, p.k)
        held = mass > 0
        for axis in range(p.points.shape[1]):
            middle = np.bincount(label, weight * p.points[:, axis], p.k)
            centers[held, axis] = middle[held] / mass[held]
        label = _by_regret(p, centers)
    return _filled(label, p, rng)


def _filled(label: IdxArray, problem: LocalProblem, rng: np.random.Generator) -> IdxArray:
    """Give every territory that has nobody one customer of a larger one."""
    size = np.bincount(label, minlength=problem.k)
    for c in np.flatnonzero(size == 0).tolist():
        may = size[label] > 1
        if problem.eligible is not None:
            may &= problem.eligible[:, c]
        choices = np.flatnonzero(may)
        if len(choices):
            i = int(rng.choice(choices))
            size[label[i]] -= 1
            label[i] = c
            size[c] += 1
    return label


def grown_start(problem: LocalProblem, rng: np.random.Generator) -> IdxArray:
    """Return a connected assignment, shape (n,): regions grow from seeds on the sites, the lightest first.

    Sites that no region can reach (on islands without a seed) go to the nearest region, which is then in parts.
    O((sites + edges) log sites), and O(n k) for customers without a site.
    """
    p = problem
    if p.site is None or p.links is None:
        msg = "Expected a problem with sites and links."
        raise ValueError(msg)
    n_sites = len(p.links.indptr) - 1
    placed = np.flatnonzero(p.site >= 0)
    count = np.maximum(np.bincount(p.site[placed], minlength=n_sites), 1)
    where = np.stack(
        [np.bincount(p.site[placed], p.points[placed, axis], n_sites) / count for axis in range(p.points.shape[1])], 1
    )
    load = np.stack([np.bincount(p.site[placed], column[placed], n_sites) for column in p.measures.T], axis=1)
    goal = np.maximum(p.target, 1e-300)
    size = (load / goal.mean(axis=0)).mean(axis=1)
    first = seeds(where, count.astype(np.float64), min(p.k, n_sites), rng)
    owner = np.full(n_sites, -1, dtype=np.int32)
    held = np.zeros(p.k)
    rims: list[list[tuple[float, int]]] = [[] for _ in range(p.k)]

    def take(s: int, c: int) -> None:
        owner[s] = c
        held[c] += size[s]
        for t in p.links.indices[p.links.indptr[s] : p.links.indptr[s + 1]].tolist():  # type: ignore[union-attr]
            if owner[t] < 0:
                heappush(rims[c], (float(np.linalg.norm(where[t] - where[first[c]])), t))

    for c, s in enumerate(first.tolist()):
        owner[s] = c
    for c, s in enumerate(first.tolist()):
        take(s, c)
    turn = [(float(held[c]), c) for c in range(len(first))]
    heapify(turn)
    while turn:
        _, c = heappop(turn)
        while rims[c] and owner[rims[c][0][1]] >= 0:
            heappop(rims[c])
        if rims[c]:
            take(heappop(rims[c])[1], c)
            heappush(turn, (float(held[c]), c))
    lost = np.flatnonzero(owner < 0)
    if len(lost):
        _, which = _near_centers(where[lost], where[first], 1)
        owner[lost] = which[:, 0]
    label = np.zeros(p.n, dtype=np.int32)
    label[placed] = owner[p.site[placed]]
    loose = np.flatnonzero(p.site < 0)
    if len(loose):
        gap = np.linalg.norm(p.points[loose, None, :] - where[first][None, :, :], axis=2)
        if p.eligible is not None:
            gap = np.where(p.eligible[loose][:, : len(first)], gap, np.inf)
        label[loose] = gap.argmin(axis=1)
    return label
