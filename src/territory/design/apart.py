"""Customers who must not share a territory: brought apart before the moves at the borders, which keep them so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.geo.adjacency import components

if TYPE_CHECKING:
    from territory.design.problem import DesignProblem
    from territory.geo.contiguity import ContiguityGraph
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["brought_apart", "conflicts", "corridors"]


def conflicts(apart: IdxArray | None, label: IdxArray) -> IdxArray:
    """Return the pairs that share a territory, int32 of shape (c, 2)."""
    if apart is None or not len(apart):
        return np.empty((0, 2), dtype=np.int32)
    return np.asarray(apart[label[apart[:, 0]] == label[apart[:, 1]]])


def brought_apart(problem: DesignProblem, label: IdxArray, center: FloatArray) -> IdxArray:
    """Deal out anew those who share a territory with one they must not, at the least squared distance.

    Of each set of customers tied by such pairs, those who must all be apart of one another are matched with
    territories (Hungarian method); others go one by one, the most tied first, to the cheapest territory without
    any of theirs. Loads are put right later, by moves.

    Notes
    -----
    O(p k) for sets of p customers, O(p^2 k) where they are matched. Pairs may remain where no choice is left.
    """
    if problem.apart is None or not len(conflicts(problem.apart, label)):
        return label
    label = label.copy()
    pairs = problem.apart.astype(np.int64)
    part = components(problem.n, pairs)
    bad = np.unique(part[conflicts(problem.apart, label)[:, 0]])
    inside = pairs[np.isin(part[pairs[:, 0]], bad)]
    for one in bad.tolist():
        mine = inside[part[inside[:, 0]] == one]
        rows = np.unique(mine)
        cost = problem.weight[rows, None] * ((problem.xyz[rows, None, :] - center[None, :, :]) ** 2).sum(axis=2)
        if problem.eligible is not None:
            cost = np.where(problem.eligible[rows], cost, np.inf)
        if len(mine) == len(rows) * (len(rows) - 1) // 2 and len(rows) <= problem.k:
            chosen = _matched(cost)
        else:
            chosen = _one_by_one(cost, np.searchsorted(rows, mine))
        label[rows] = np.where(chosen >= 0, chosen, label[rows])
    return label


def _matched(cost: FloatArray) -> IdxArray:
    """Return the cheapest territories, no two alike; -1 for all where there are none."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - only where somebody must be apart

    try:
        return np.asarray(linear_sum_assignment(cost)[1], dtype=np.int32)
    except ValueError:
        return np.full(len(cost), -1, dtype=np.int32)


def _one_by_one(cost: FloatArray, pairs: IdxArray) -> IdxArray:
    """Return the cheapest territory without a rival for each, the most tied first; -1 where there is none."""
    n = len(cost)
    rival = np.zeros((n, n), dtype=bool)
    rival[pairs[:, 0], pairs[:, 1]] = rival[pairs[:, 1], pairs[:, 0]] = True
    out = np.full(n, -1, dtype=np.int32)
    for i in np.argsort(-rival.sum(axis=1), kind="stable"):
        free = cost[i].copy()
        taken = out[rival[i]]
        free[taken[taken >= 0]] = np.inf
        j = int(free.argmin())
        out[i] = j if np.isfinite(free[j]) else -1
    return out


def corridors(problem: DesignProblem, graph: ContiguityGraph, label: IdxArray) -> IdxArray:
    """Join those who were dealt out far from their new territories to them, by the shortest ways.

    Everybody on the way comes along, but for those who must be apart from somebody: ways go around them, and around
    each other. Whom this cuts off is handed to neighbours later.

    Notes
    -----
    A search of the graph (Dijkstra) for each customer who is cut off: O(edges log edges).
    """
    if problem.apart is None:
        return label
    from scipy.sparse import csr_array  # noqa: PLC0415 - only where somebody must be apart
    from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415

    label = label.copy()
    rivals = np.unique(problem.apart)
    placed = np.flatnonzero(graph.site >= 0)
    where = np.zeros((graph.n_sites, problem.xyz.shape[1]))
    where[graph.site[placed[::-1]]] = problem.xyz[placed[::-1]]
    start = np.repeat(np.arange(graph.n_sites), np.diff(graph.indptr))
    length = np.linalg.norm(where[start] - where[graph.indices], axis=1) + 1e-3
    blocked = np.zeros(graph.n_sites, dtype=bool)
    blocked[graph.site[rivals[graph.site[rivals] >= 0]]] = True
    for i in rivals[graph.site[rivals] >= 0].tolist():
        mine = (label == label[i]) & (graph.site >= 0)
        piece = graph.torn(np.where(mine, 0, -1))
        weight = np.bincount(piece[mine], problem.weight[mine])
        if len(weight) < 2 or piece[i] == int(weight.argmax()):
            continue
        s = int(graph.site[i])
        cost = np.where(blocked[start] & (start != s), np.inf, length)
        ways = csr_array((cost, graph.indices, graph.indptr), shape=(graph.n_sites,) * 2)
        far, before = dijkstra(ways, indices=s, return_predecessors=True)
        goals = np.unique(graph.site[mine & (piece == int(weight.argmax()))])
        at = int(goals[far[goals].argmin()])
        if not np.isfinite(far[at]):
            continue
        path = []
        while at != s:
            path.append(at)
            at = int(before[at])
        along = np.flatnonzero(np.isin(graph.site, path) & ~np.isin(np.arange(problem.n), rivals))
        if problem.eligible is not None:
            along = along[problem.eligible[along, label[i]]]
        label[along] = label[i]
        blocked[path] = True
    return label
