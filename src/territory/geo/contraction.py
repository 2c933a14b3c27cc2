"""Graphs in compressed rows: checked, made of edges, made smaller, and joined by the least edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import Problem
from territory.geo.sphere import great_circle_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["graph_faults", "nearest_kept", "rows_of_edges", "spanning", "touching"]


def graph_faults(arrays: dict[str, NDArray[Any]]) -> list[Problem]:
    """Return what keeps arrays from being a symmetric graph."""
    indptr, indices, site = arrays["indptr"], arrays["indices"], arrays["site"]
    n_sites = len(indptr) - 1
    if (
        indptr.ndim != 1 or n_sites < 0 or indptr[0] != 0 or indptr[-1] != len(indices) or (np.diff(indptr) < 0).any()
    ):  # fmt: skip
        return [Problem("not-a-graph", f"indptr: expected 0 to {len(indices)}, ascending")]
    problems = []
    if len(indices) and (indices.min() < 0 or indices.max() >= n_sites):
        return [Problem("not-a-graph", f"indices: expected 0 to {n_sites - 1}")]
    if site.ndim != 1 or (len(site) and (site.min() < -1 or site.max() >= n_sites)):
        problems.append(Problem("not-a-graph", f"site: expected -1 to {n_sites - 1}"))
    start = np.repeat(np.arange(n_sites, dtype=np.int64), np.diff(indptr))
    keys, mirrored = start * n_sites + indices, indices.astype(np.int64) * n_sites + start
    if (np.diff(keys) <= 0).any():
        problems.append(Problem("not-a-graph", "indices: expected each neighbour once, ascending"))
    elif (start == indices).any():
        problems.append(Problem("self-loop", "indices: a site is its own neighbour"))
    elif not np.array_equal(keys, np.sort(mirrored)):
        problems.append(Problem("asymmetric-adjacency", "indices: a site is a neighbour of one that is not its own"))
    if "border_m" in arrays and arrays["border_m"].shape != indices.shape:
        problems.append(Problem("wrong-shape", f"border_m: expected shape {indices.shape}"))
    bridges = arrays["bridges"]
    if len(bridges) and (bridges.min() < 0 or bridges.max() >= len(site)):
        problems.append(Problem("not-a-graph", f"bridges: expected positions 0 to {len(site) - 1}"))
    return problems


def rows_of_edges(
    edges: NDArray[np.int64], n: int, values: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64] | None]:
    """Turn edges, each once, into compressed rows both ways; values of edges follow. O(m log m)."""
    start, end = edges.T.reshape(2, -1)
    start, end = np.concatenate([start, end]), np.concatenate([end, start])
    order = np.lexsort((end, start))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(start, minlength=n))]).astype(np.int32)
    both = None if values is None else np.concatenate([values, values])[order]
    return indptr, end[order].astype(np.int32), both


def nearest_kept(
    indptr: NDArray[np.int32], indices: NDArray[np.int32], stays: NDArray[np.bool_], rank: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Find for every site of a graph the nearest one that stays, in steps; of several, that of the least rank.

    Parameters
    ----------
    indptr, indices : int32 arrays
        The graph in compressed rows, symmetric.
    stays : bool array of shape (n_sites,)
    rank : int64 array of shape (n_sites,)
        Of the sites that stay no two alike, or else their numbers decide.

    Returns
    -------
    int64 array of shape (n_sites,)
        A site that stays is its own; -1 where none can be reached.

    Notes
    -----
    Breadth-first from all at once, a level at a time: O(n + m).
    """
    patch = np.where(stays, np.arange(len(stays)), -1).astype(np.int64)
    rim = np.flatnonzero(stays)
    while len(rim):
        degree = np.diff(indptr)[rim].astype(np.int64)
        source = np.repeat(patch[rim], degree)
        at = np.arange(degree.sum()) + np.repeat(indptr[rim] - (np.cumsum(degree) - degree), degree)
        reached = indices[at].astype(np.int64)
        fresh = patch[reached] < 0
        reached, source = reached[fresh], source[fresh]
        order = np.lexsort((source, rank[source], reached))
        rim, first = np.unique(reached[order], return_index=True)
        patch[rim] = source[order][first]
    return patch


def spanning(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    part: NDArray[np.int32],
    spot: NDArray[np.int32],
    pairs: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Choose the shortest edges that join all components of a graph (Kruskal 1956).

    Parameters
    ----------
    lon, lat : float arrays of shape (n_sites,), degrees
    part : int32 array of shape (n_sites,)
        Component of each site.
    spot, pairs
        Where the sites are, and which spots may be joined, from `site_adjacency`; sites on one spot may be, too.

    Returns
    -------
    int64 array of shape (number of components - 1, 2)
    """
    _, first = np.unique(spot, return_index=True)
    lone = np.flatnonzero(first[spot] != np.arange(len(spot)))
    # several components may meet on one spot: its first site stands for it, the others are next to it
    edges = np.concatenate([np.stack([first[spot[lone]], lone], axis=1), first[pairs]]).astype(np.int64)
    edges = edges[part[edges[:, 0]] != part[edges[:, 1]]]
    a, b = edges.T.reshape(2, -1)
    metres = great_circle_m(lon[a], lat[a], lon[b], lat[b])
    # of equal lengths the place decides, not the number
    order = np.lexsort((lat[b], lon[b], lat[a], lon[a], metres))
    parent = np.arange(int(part.max()) + 1).tolist()

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    chosen = []
    left = len(parent) - 1
    for e in order.tolist():
        if not left:
            break
        p, q = root(int(part[a[e]])), root(int(part[b[e]]))
        if p != q:
            parent[p] = q
            chosen.append(e)
            left -= 1
    return np.asarray(edges[chosen], dtype=np.int64)


def touching(site: NDArray[np.int32], edges: NDArray[np.int32], labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return pairs of customers who are neighbours, enough of them to see which labels touch.

    Parameters
    ----------
    site : int32 array of shape (n,)
    edges : int32 array of shape (m, 2), pairs of sites
    labels : int32 array of shape (n,)
        -1: touches nothing, and so does who has no site.

    Returns
    -------
    int32 array of shape (q, 2)
        For every edge, one customer of each label at either site; and the labels that share a site.
    """
    placed = np.flatnonzero((site >= 0) & (labels >= 0))
    keys = site[placed].astype(np.int64) * (int(labels.max(initial=0)) + 1) + labels[placed]
    _, first = np.unique(keys, return_index=True)
    one = placed[first]  # by site, then label
    spots = np.arange(int(site.max(initial=-1)) + 1)
    start = np.searchsorted(site[one], np.append(spots, len(spots)))
    both = np.concatenate([edges, np.stack([spots, spots], axis=1)]).astype(np.int64)
    here, there = np.diff(start)[both[:, 0]], np.diff(start)[both[:, 1]]
    many = here * there
    edge = np.repeat(np.arange(len(both)), many)
    rank = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    a, b = start[both[edge, 0]] + rank // there[edge], start[both[edge, 1]] + rank % there[edge]
    pairs = np.stack([one[a], one[b]], axis=1)
    return np.asarray(pairs[pairs[:, 0] != pairs[:, 1]], dtype=np.int32)
