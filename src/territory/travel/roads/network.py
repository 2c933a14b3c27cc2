"""The road network in arrays: edges between junctions, the lines that they follow, and arcs to search on.

All times and lengths are whole multiples of 2^-20 of a second or metre, a millionth. Sums of such numbers are exact
in double precision. So a way is as long from its end as from its start, whatever the order in which its pieces are
added up, and which of several ways is the quickest, and the shortest of these, is never decided by rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray

__all__ = ["QUANTUM", "Arcs", "Network", "Segments", "whole_quanta"]

#: Parts of a second or metre that are told apart.
QUANTUM: Final = float(1 << 20)


def whole_quanta(values: Any) -> FloatArray:
    """Round to whole quanta; infinite stays infinite."""
    rounded: FloatArray = np.rint(np.asarray(values, dtype=np.float64) * QUANTUM) / QUANTUM
    return rounded


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Straight pieces of road, as they are read; `compress` makes a `Network` of them.

    Attributes
    ----------
    node_lon, node_lat : float arrays of shape (n_nodes,), degrees
    wait_s : float array of shape (n_nodes,)
        What it costs to pass a node, as a traffic signal; 0 at most.
    tail, head : int64 arrays of shape (n,)
    metres : float array of shape (n,)
    forward_s, backward_s : float arrays of shape (n,)
        From tail to head and back; infinite where that is not allowed.
    midway : bool array of shape (n,)
        Whether trips may begin and end between its ends; not so on ferries and motorways.
    """

    node_lon: FloatArray
    node_lat: FloatArray
    wait_s: FloatArray
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    metres: FloatArray
    forward_s: FloatArray
    backward_s: FloatArray
    midway: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Arcs:
    """Which node leads to which, as compressed rows; of parallel edges the quickest, then the shortest.

    Attributes
    ----------
    first : int64 array of shape (n_nodes + 1,)
        Arcs of node v are ``first[v]`` up to ``first[v + 1]``.
    head : int32 array of shape (n_arcs,)
    seconds, metres : float arrays of shape (n_arcs,)
        With half of what it costs to pass the nodes at both ends.
    edge : int32 array of shape (n_arcs,)
    """

    first: NDArray[np.int64]
    head: NDArray[np.int32]
    seconds: FloatArray
    metres: FloatArray
    edge: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Junctions, dead ends, and the roads between them.

    Attributes
    ----------
    node_lon, node_lat : float arrays of shape (n_nodes,), degrees
    half_wait_s : float array of shape (n_nodes,)
        Half of what it costs to pass a node: each of the two edges of a passage bears one half.
    tail, head : int32 arrays of shape (n_edges,)
    forward, backward : bool arrays of shape (n_edges,)
        Whether the edge leads from tail to head, and from head to tail.
    midway : bool array of shape (n_edges,)
        Whether trips may begin and end between its ends; not so on ferries and motorways.
    first_point : int64 array of shape (n_edges + 1,)
        Points of edge e are ``first_point[e]`` up to ``first_point[e + 1]``, from tail to head.
    lon, lat : float arrays of shape (n_points,), degrees
    metres, forward_s, backward_s : float arrays of shape (n_points,)
        From the tail to the point: length, and time there and back; 0 where that is not allowed.
    """

    node_lon: FloatArray
    node_lat: FloatArray
    half_wait_s: FloatArray
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    forward: NDArray[np.bool_]
    backward: NDArray[np.bool_]
    midway: NDArray[np.bool_]
    first_point: NDArray[np.int64]
    lon: FloatArray
    lat: FloatArray
    metres: FloatArray
    forward_s: FloatArray
    backward_s: FloatArray

    @property
    def n_nodes(self) -> int:
        """Number of junctions and ends."""
        return len(self.node_lon)

    @property
    def n_edges(self) -> int:
        """Number of roads between them."""
        return len(self.tail)

    @property
    def symmetric(self) -> bool:
        """Whether every edge is as long, in time, there and back."""
        both = bool(self.forward.all() and self.backward.all())
        return both and np.array_equal(self.forward_s, self.backward_s)

    def arcs(self, *, back: bool = False) -> Arcs:
        """Return the arcs that leave each node; `back`: those that come to it, turned around."""
        last = self.first_point[1:] - 1
        loop = self.tail == self.head
        there, again = np.flatnonzero(self.forward & ~loop), np.flatnonzero(self.backward & ~loop)
        edge = np.concatenate((there, again))
        start = np.concatenate((self.tail[there], self.head[again]))
        end = np.concatenate((self.head[there], self.tail[again]))
        seconds = np.concatenate((self.forward_s[last[there]], self.backward_s[last[again]]))
        seconds += self.half_wait_s[start] + self.half_wait_s[end]
        metres = self.metres[last[edge]]
        if back:
            start, end = end, start
        order = np.lexsort((edge, metres, seconds, end, start))
        start, end = start[order], end[order]
        best = np.ones(len(order), dtype=bool)
        best[1:] = (start[1:] != start[:-1]) | (end[1:] != end[:-1])
        order, start = order[best], start[best]
        first = np.concatenate(([0], np.cumsum(np.bincount(start, minlength=self.n_nodes))))
        return Arcs(
            first=first.astype(np.int64),
            head=end[best].astype(np.int32),
            seconds=np.ascontiguousarray(seconds[order]),
            metres=np.ascontiguousarray(metres[order]),
            edge=edge[order].astype(np.int32),
        )
