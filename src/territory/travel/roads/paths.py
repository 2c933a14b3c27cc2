"""Quickest ways between spots of one network: the kernel's tables, and lines along edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from territory.compiled import plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray
    from territory.travel.roads.network import Arcs, Network
    from territory.travel.roads.snapping import Spots

__all__ = ["Side", "Ways"]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Some of the spots, as origins or as destinations of searches.

    Attributes
    ----------
    rows : int64 array of shape (n,)
        Which spots.
    code : int64 array of shape (n,)
        Who stands there: nobody is a neighbour of the same code.
    """

    rows: NDArray[np.int64]
    code: NDArray[np.int64]

    @classmethod
    def of(cls, rows: NDArray[np.int64]) -> Side:
        """Return spots without codes."""
        return cls(rows, np.full(len(rows), -1, dtype=np.int64))


class Ways:
    """Searches on a network.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        self.network = network

    @cached_property
    def _ahead(self) -> Arcs:
        return self.network.arcs()

    @cached_property
    def _behind(self) -> Arcs:
        return self.network.arcs(back=True)

    def block(
        self, spots: Spots, origins: NDArray[np.int64], goals: NDArray[np.int64], *, back: bool
    ) -> tuple[FloatArray, FloatArray]:  # fmt: skip
        """Give seconds and metres from each of some spots to each of others, shape (m, n); `back`: to each of the m.

        O(m (N log N + n)) for N junctions, which is the worst case: a search ends when it has met all its goals.
        """
        m, n = len(origins), len(goals)
        wanted_at = np.zeros((m, 3), dtype=np.int64)
        wanted_at[:, 1] = n
        wanted_at[:, 2] = np.arange(m) * n
        seconds, metres = np.full(m * n, np.inf), np.full(m * n, np.inf)
        wanted = np.arange(n, dtype=np.int32)
        self._run(spots, Side.of(origins), Side.of(goals), wanted_at, wanted, seconds, metres, back=back)
        return seconds.reshape(m, n), metres.reshape(m, n)

    def lists(
        self, spots: Spots, origins: NDArray[np.int64], goals: NDArray[np.int64], *, back: bool
    ) -> tuple[FloatArray, FloatArray]:  # fmt: skip
        """Give seconds and metres of pairs of spots, shape (n,); `back`: from the second to the first of each.

        Pairs of one origin stand together; none occurs twice.
        """
        n = len(origins)
        if not n:
            return np.zeros(0), np.zeros(0)
        begins = np.flatnonzero(np.concatenate(([True], origins[1:] != origins[:-1])))
        ends = np.append(begins[1:], n)
        there, wanted = np.unique(goals, return_inverse=True)
        seconds, metres = np.full(n, np.inf), np.full(n, np.inf)
        wanted_at = np.column_stack((begins, ends, begins)).astype(np.int64).reshape(-1, 3)
        sides = Side.of(origins[begins]), Side.of(there)
        self._run(spots, *sides, wanted_at, wanted.astype(np.int32).ravel(), seconds, metres, back=back)
        return seconds, metres

    def nearest(
        self, spots: Spots, origins: Side, goals: Side, k: int, factor: float
    ) -> tuple[NDArray[np.int32], FloatArray, FloatArray]:  # fmt: skip
        """Give the k goals that are soonest reached from each origin: positions, -1 for none, seconds and metres."""
        m = len(origins.rows)
        seconds, metres = np.full(m * k, np.inf), np.full(m * k, np.inf)
        idx = np.full(m * k, -1, dtype=np.int32)
        wanted_at, wanted = np.zeros((m, 3), dtype=np.int64), np.zeros(0, dtype=np.int32)
        self._run(spots, origins, goals, wanted_at, wanted, seconds, metres, idx=idx, k=k, factor=factor)
        return idx.reshape(m, k), seconds.reshape(m, k), metres.reshape(m, k)

    def line(self, spots: Spots, origin: int, goal: int) -> tuple[FloatArray, FloatArray]:
        """Give longitudes and latitudes of the quickest way from one spot to another; empty where there is none."""
        came = np.zeros(self.network.n_nodes + 1, dtype=np.int32)
        sides = Side.of(np.array([origin])), Side.of(np.array([goal]))
        wanted_at, wanted = np.array([[0, 1, 0]]), np.zeros(1, dtype=np.int32)
        seconds, metres = np.full(1, np.inf), np.full(1, np.inf)
        entry = self._run(spots, *sides, wanted_at, wanted, seconds, metres, came=came)
        ends_lon, ends_lat = spots.lon[[origin, goal]], spots.lat[[origin, goal]]
        if not np.isfinite(seconds[0]):
            return ends_lon[:0], ends_lat[:0]
        last = int(came[-1])
        if last < 0:
            legs = [self._between(spots, origin, goal)]
        else:
            legs = self._traced(spots, origin, goal, came, int(entry[last]))
        points = np.concatenate([np.zeros(0, dtype=np.int64), *legs])
        lon = np.concatenate((ends_lon[:1], self.network.lon[points], ends_lon[1:]))
        lat = np.concatenate((ends_lat[:1], self.network.lat[points], ends_lat[1:]))
        # where edges meet, their common point is once in the line; a way of no length still has two ends
        kept = np.ones(len(lon), dtype=bool)
        kept[1:] = (lon[1:] != lon[:-1]) | (lat[1:] != lat[:-1])
        return (lon[kept], lat[kept]) if kept.sum() > 1 else (ends_lon, ends_lat)

    def _run(
        self,
        spots: Spots,
        origins: Side,
        goals: Side,
        wanted_at: NDArray[np.int64],
        wanted: NDArray[np.int32],
        seconds: FloatArray,
        metres: FloatArray,
        *,
        idx: NDArray[np.int32] | None = None,
        k: int = 0,
        factor: float = 1.0,
        back: bool = False,
        came: NDArray[np.int32] | None = None,
    ) -> NDArray[np.intp]:
        """Call the kernel; return which entry each row is: twice the destination's position, plus 1 at the head."""
        from territory.travel.roads.search import search  # noqa: PLC0415 - compiled when first used

        arcs = self._behind if back else self._ahead
        leave, leave_cost = (spots.enter, spots.enter_cost) if back else (spots.leave, spots.leave_cost)
        enter, enter_cost = (spots.leave, spots.leave_cost) if back else (spots.enter, spots.enter_cost)
        node = enter[goals.rows].ravel()
        known = np.flatnonzero(node >= 0)
        known = known[np.argsort(node[known], kind="stable")]
        at_first = np.concatenate(([0], np.cumsum(np.bincount(node[known], minlength=self.network.n_nodes))))
        edge = spots.edge[goals.rows]
        on = np.flatnonzero(edge >= 0)
        on = on[np.argsort(edge[on], kind="stable")]
        edges, counts = np.unique(edge[on], return_counts=True)
        row = np.searchsorted(edges, spots.edge[origins.rows])
        there = edges[np.minimum(row, max(len(edges) - 1, 0))] if len(edges) else np.full(len(row), -2)
        row = np.where((there == spots.edge[origins.rows]) & (there >= 0), row, -1)
        none = np.zeros(0, dtype=np.int32)
        search(
            *(plain(x) for x in (arcs.first, arcs.head, arcs.seconds, arcs.metres)),
            plain(leave[origins.rows]), plain(leave_cost[origins.rows]), plain(row, np.int64),
            plain(spots.spot[origins.rows]), plain(origins.code),
            plain(at_first, np.int64), plain(known // 2, np.int32), plain(enter_cost[goals.rows].reshape(-1, 2)[known]),
            plain(np.concatenate(([0], np.cumsum(counts))), np.int64), plain(on, np.int32),
            plain(spots.spot[goals.rows]), plain(goals.code),
            plain(wanted_at), plain(wanted), k, factor, back,
            seconds, metres, none if idx is None else idx, none if came is None else came,
        )  # fmt: skip
        return known

    def _between(self, spots: Spots, origin: int, goal: int) -> NDArray[np.int64]:
        """Return the points passed on the way along one edge."""
        edge = int(spots.edge[origin])
        if edge >= self.network.n_edges or spots.spot[origin, 0] == spots.spot[goal, 0]:
            return np.zeros(0, dtype=np.int64)
        return self._passed(edge, float(spots.spot[origin, 0]), float(spots.spot[goal, 0]))

    def _passed(self, edge: int, start: float, end: float) -> NDArray[np.int64]:
        """Return the points of an edge from one position to another, ends included where they are points."""
        low, high = min(start, end), max(start, end)
        points: NDArray[np.int64] = self.network.first_point[edge] + np.arange(
            int(np.ceil(low)), int(np.floor(high)) + 1
        )
        return points if start <= end else points[::-1]

    def _traced(
        self, spots: Spots, origin: int, goal: int, came: NDArray[np.int32], entry: int
    ) -> list[NDArray[np.int64]]:  # fmt: skip
        """Return the points of each edge of a way, back from its entry, 0 or 1, into the edge of the goal."""
        node = int(spots.enter[goal, entry])
        net, arcs = self.network, self._ahead
        last = net.first_point[1:] - net.first_point[:-1] - 1
        legs = []
        edge = int(spots.edge[goal])
        if edge >= 0:
            legs.append(self._passed(edge, float(last[edge]) if entry else 0.0, float(spots.spot[goal, 0])))
        while came[node] >= 0:
            arc = int(came[node])
            edge, before = int(arcs.edge[arc]), int(np.searchsorted(arcs.first, arc, side="right")) - 1
            ahead = int(net.tail[edge]) == before
            whole = float(last[edge])
            legs.append(self._passed(edge, *((0.0, whole) if ahead else (whole, 0.0))))
            node = before
        edge = int(spots.edge[origin])
        if edge >= 0:
            to_head = came[node] == -1
            legs.append(self._passed(edge, float(spots.spot[origin, 0]), float(last[edge]) if to_head else 0.0))
        return legs[::-1]
