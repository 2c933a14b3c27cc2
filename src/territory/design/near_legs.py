"""The ways that a large design is searched with: from everybody to the nearest few, asked for once.

Costs of all customers at all centres, asked for anew in every round, are thousands of legs a customer. A dozen, and
the shortest ways over them, find territories about as good; what is told of these is asked of the source itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.design.given_legs import SparseLegs
from territory.geo.adjacency import point_adjacency
from territory.travel import GreatCircle, TravelBase

if TYPE_CHECKING:
    from territory.model.arrays import FloatArray, IdxArray
    from territory.model.places import Places
    from territory.travel import Travel

__all__ = ["is_large", "near_legs"]

#: Costs of customers at centres, all of them, beyond which only those of the nearest are asked for.
_MOST: Final = 6_000_000
#: The same of great circles, which cost next to nothing: what is held of them is 8 bytes each.
_MOST_CROW: Final = 60_000_000
#: Ways from each place that are known, to the nearest by travel.
_NEAREST: Final = 12
#: Places that are asked for at a time: what is held of their neighbours stays small.
_BLOCK: Final = 10_000
#: Ways that are asked for between two parts that nothing joins, the shortest as the crow flies; and times that parts
#: are joined by.
_JOINTS, _ROUNDS = 3, 8
#: Parts of which every pair is asked for, the heaviest.
_PARTS: Final = 64


def is_large(travel: Travel, n: int, k: int) -> bool:
    """Return whether n customers in k territories are searched over the ways to the nearest."""
    return n * k > (_MOST_CROW if isinstance(travel, GreatCircle) else _MOST)


def near_legs(travel: Travel, places: Places, xyz: FloatArray, n: int) -> SparseLegs:
    """Return the ways between near places, and shortest ways over them.

    Parameters
    ----------
    travel : Travel
    places : Places, length n + r
        Customers, then homes.
    xyz : float array of shape (n + r, 3), metres
    n : int
        Number of customers.

    Returns
    -------
    SparseLegs
        The ways there and back between each place and the twelve soonest reached from it; and where these leave parts
        that nothing joins, between neighbours as the crow flies of two parts, as long as there are ways.

    Notes
    -----
    24 legs a place, there and back, and 500 bytes.
    """
    start, end = _neighbours(travel, places, xyz)
    known = _Known(travel, places)
    known.add(start, end)
    joints = point_adjacency(places.lon, places.lat).astype(np.int64)
    away = ((xyz[joints[:, 0]] - xyz[joints[:, 1]]) ** 2).sum(axis=1)
    for _ in range(_ROUNDS):
        part = known.parts()
        asked = _shortest(part[joints], away)
        if not asked.size:
            return SparseLegs(known.graph(), xyz, n)
        known.add(*joints[asked].T)
        left = np.ones(len(joints), dtype=bool)
        left[asked] = False
        joints, away = joints[left], away[left]
    # what is still apart is joined by its heaviest places, if there are ways
    part = known.parts()
    heads = np.unique(part, return_index=True)[1][np.argsort(-np.bincount(part), kind="stable")][:_PARTS]
    a, b = np.triu_indices(len(heads), 1)
    known.add(heads[a], heads[b])
    return SparseLegs(known.graph(), xyz, n)


class _Known:
    """Legs that are known, both ways, each pair once."""

    def __init__(self, travel: Travel, places: Places) -> None:
        self.travel, self.places, self.size = travel, places, len(places)
        self.pair = np.zeros(0, dtype=np.int64)
        self.seconds = np.zeros(0)

    def add(self, a: Any, b: Any) -> None:
        """Ask for the legs between places a and b, int arrays of shape (m,), there and back; no way is no leg."""
        pair = np.setdiff1d(np.minimum(a, b) * self.size + np.maximum(a, b), self.pair)
        low, high = pair // self.size, pair % self.size
        pair, low, high = (x[low != high] for x in (pair, low, high))
        seconds = np.empty(len(pair))
        step = _BLOCK * _NEAREST
        for at in range(0, len(pair), step):
            rows = slice(at, at + step)
            start, end = self.places.take(low[rows]), self.places.take(high[rows])
            there = self.travel.pairs(start, end)
            back = there if self.travel.symmetric else self.travel.pairs(end, start)
            mean = 0.5 * (there.durations_s.astype(np.float64) + back.durations_s)
            seconds[rows] = np.where(there.reachable & back.reachable, mean, np.inf)
        way = np.isfinite(seconds)
        self.pair = np.concatenate([self.pair, pair[way]])
        self.seconds = np.concatenate([self.seconds, seconds[way]])

    def graph(self) -> Any:
        """Return the legs as a symmetric CSR array, in which zero seconds are stored."""
        from scipy.sparse import csr_array  # noqa: PLC0415 - loads when it is used

        low, high = self.pair // self.size, self.pair % self.size
        ends = (np.concatenate([low, high]), np.concatenate([high, low]))
        return csr_array((np.concatenate([self.seconds, self.seconds]), ends), shape=(self.size, self.size))

    def parts(self) -> IdxArray:
        """Return the number of the connected part of each place."""
        from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - loads when it is used

        return np.asarray(connected_components(self.graph(), directed=False)[1], dtype=np.int32)


def _neighbours(travel: Travel, places: Places, xyz: FloatArray) -> tuple[Any, Any]:
    """Return the pairs of places and those soonest reached from them, or nearest, where the source cannot tell well."""
    size = len(places)
    k = min(_NEAREST, size - 1)
    if k < 1:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    if isinstance(travel, TravelBase) and type(travel).nearest is TravelBase.nearest:
        # it would go through all pairs
        from scipy.spatial import cKDTree  # noqa: PLC0415 - loads when it is used

        found = cKDTree(xyz).query(xyz, k=k + 1)[1]
        start = np.repeat(np.arange(size), k + 1)
        return start, found.ravel()
    starts, ends = [], []
    for at in range(0, size, _BLOCK):
        block = np.arange(at, min(at + _BLOCK, size))
        idx = travel.nearest(places.take(block), places, k).idx
        row, column = np.nonzero(idx >= 0)
        starts.append(block[row])
        ends.append(idx[row, column].astype(np.int64))
    return np.concatenate(starts), np.concatenate(ends)


def _shortest(part: Any, away: FloatArray) -> Any:
    """Return the few shortest pairs between each two parts, of pairs whose ends are in parts, int array (m, 2)."""
    between = np.flatnonzero(part[:, 0] != part[:, 1])
    if not between.size:
        return between
    low, high = part[between].min(axis=1), part[between].max(axis=1)
    order = np.lexsort((away[between], high, low))
    low, high = low[order], high[order]
    first = np.flatnonzero(np.append(True, (low[1:] != low[:-1]) | (high[1:] != high[:-1])))
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    return between[order[rank < _JOINTS]]
