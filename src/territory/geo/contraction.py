"""Graphs made smaller, or joined: patches around the sites that stay, and the least edges between components."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.geo.sphere import great_circle_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["nearest_kept", "spanning"]


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
    return edges[chosen]
