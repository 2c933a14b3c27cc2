"""Colours for a map: neighbouring territories differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["colour_neighbours"]


def colour_neighbours(edges: ArrayLike, n: int) -> NDArray[np.int32]:
    """Colour `n` territories so that no two neighbours share a colour.

    DSATUR: the next territory is the one that sees the most colours already, and it takes the lowest that is free.
    Maps take 4 or 5 colours in practice; the number is never above the largest number of neighbours plus one.

    Parameters
    ----------
    edges : array_like of int, shape (m, 2)
        Pairs of neighbours, as from `territory.geo.adjacency.label_adjacency` or
        `territory.geo.polygons.polygon_adjacency`; order and repetition do not matter.
    n : int
        Number of territories.

    Returns
    -------
    int32 array of shape (n,)
        Colours from 0 on. The same edges always give the same colours.

    Notes
    -----
    O(n^2 + m), meant for hundreds of territories. Brélaz, D. (1979), "New methods to color the vertices of a
    graph", Communications of the ACM 22(4), 251-256.
    """
    neighbours: list[set[int]] = [set() for _ in range(n)]
    for a, b in np.asarray(edges, dtype=np.int64).reshape(-1, 2).tolist():
        if a != b:
            neighbours[a].add(b)
            neighbours[b].add(a)
    colours = np.full(n, -1, dtype=np.int32)
    seen: list[set[int]] = [set() for _ in range(n)]
    left = set(range(n))
    while left:
        i = min(left, key=lambda t: (-len(seen[t]), -len(neighbours[t]), t))
        left.remove(i)
        colour = next(c for c in range(n) if c not in seen[i])
        colours[i] = colour
        for j in neighbours[i]:
            seen[j].add(colour)
    return colours
