"""Places on the road: the nearest point of the nearest edge, and what it costs from there to both of its ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import InputError, Problem
from territory.geo.sphere import EARTH_RADIUS_M, great_circle_m
from territory.travel.replies import check_coordinates
from territory.travel.roads.network import whole_quanta

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray
    from territory.model.places import Places
    from territory.travel.roads.network import Network

__all__ = ["Snapper", "Spots", "most_moved"]

#: Segments of an edge that share a box in the index.
_RUN: Final = 8
#: First radius searched, metres, and how much wider each further one is.
_NEAR_M: Final = 50.0
_WIDER: Final = 5.0
#: A part of the network, in which each junction reaches each other one, is small if it has fewer junctions than this,
#: and less than this share of those of the largest part.
_FEW: Final = 50
_SMALL: Final = 0.1
#: Places whose segments nearby are measured at a time.
_BLOCK: Final = 4096
_M_PER_DEG: Final = EARTH_RADIUS_M * np.pi / 180.0


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Where places are on the network.

    Attributes
    ----------
    lon, lat, moved_m : float arrays of shape (n,)
        As those of `SnappedPlaces`.
    edge : int64 array of shape (n,)
        The edge of places on one; at a junction -1; off the road a number of its own above those of edges.
    spot : float array of shape (n, 4)
        Position along the edge in points, seconds from the tail and to it, infinite where that is not allowed, and
        metres from the tail.
    leave, enter : int32 arrays of shape (n, 2)
        The nodes that trips from the place pass first, and that trips to it pass last; -1: none.
    leave_cost, enter_cost : float arrays of shape (n, 2, 2)
        Seconds and metres from the place to those nodes, and from them to the place.
    point : int64 array of shape (n,)
        The point of the network before the place, on its edge.
    """

    lon: FloatArray
    lat: FloatArray
    moved_m: FloatArray
    edge: NDArray[np.int64]
    spot: FloatArray
    leave: NDArray[np.int32]
    enter: NDArray[np.int32]
    leave_cost: FloatArray
    enter_cost: FloatArray
    point: NDArray[np.int64]


class Snapper:
    """An index of a network by place.

    Parameters
    ----------
    network : Network
    most_moved_m : float
        Places farther from any road are on none.
    """

    def __init__(self, network: Network, most_moved_m: float) -> None:
        from shapely import STRtree, box  # noqa: PLC0415 - loaded when roads are

        self.network, self.most_moved_m = network, most_moved_m
        sizes = np.diff(network.first_point) - 1
        sizes = np.where(network.midway, sizes, 0)
        pieces = -(-sizes // _RUN)
        edge = np.repeat(np.arange(network.n_edges), pieces)
        nth = np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        self.edge = edge
        self.begin = network.first_point[edge] + nth * _RUN
        self.count = np.minimum(sizes[edge] - nth * _RUN, _RUN)
        self.large = _large(network)
        owner = np.repeat(np.arange(len(edge)), self.count + 1)
        row = np.arange(len(owner)) - np.repeat(np.cumsum(self.count + 1) - self.count - 1, self.count + 1)
        point = self.begin[owner] + row
        # longitudes go on where the line does: across the antimeridian, beyond 180
        lon = network.lon[self.begin][owner] + _turned(network.lon[point] - network.lon[self.begin][owner])
        lat = network.lat[point]
        starts = np.flatnonzero(row == 0)
        self.tree: Any = None
        if len(starts):
            corners = (
                np.minimum.reduceat(lon, starts), np.minimum.reduceat(lat, starts),
                np.maximum.reduceat(lon, starts), np.maximum.reduceat(lat, starts),
            )  # fmt: skip
            self.far = bool(corners[0].min() < -179.0 or corners[2].max() > 179.0)
            self.tree = STRtree(box(*corners))

    def meet(self, origins: Places, destinations: Places) -> tuple[Spots, NDArray[np.int64], NDArray[np.int64]]:
        """Return spots of all coordinates that occur, and the rows of origins and destinations in them.

        Raises
        ------
        InputError
            Coordinates that are none.
        """
        same = origins is destinations
        both = {"places": origins} if same else {"origins": origins, "destinations": destinations}
        check_coordinates(**both)
        lon, lat = (np.concatenate([getattr(p, axis) for p in both.values()]) for axis in ("lon", "lat"))
        at, rows = np.unique(lon + 1j * lat, return_inverse=True)
        rows = rows.ravel().astype(np.int64)
        return self.spots(at.real, at.imag), rows[: len(origins)], rows[len(rows) - len(destinations) :]

    def spots(self, lon: FloatArray, lat: FloatArray) -> Spots:
        """Return where places, none of them twice, are on the network; O(log n) each."""
        point, share = self._nearest(lon, lat)
        return self._placed(lon, lat, point, share)

    def _nearest(self, lon: FloatArray, lat: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
        """Return the point before the nearest spot on a road, -1: none, and the share of the segment from there.

        Large parts of the network go before small ones, whatever the distance; edges by their order, if as near.
        """
        n = len(lon)
        point, share = np.full(n, -1, dtype=np.int64), np.zeros(n)
        small_point, small_share = point.copy(), share.copy()
        small_m = np.full(n, np.inf)
        open_rows = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat)) if self.tree is not None else np.arange(0)
        radius = min(_NEAR_M, self.most_moved_m)
        while len(open_rows):
            left = []
            # wider boxes hold more segments
            step = max(16, int(_BLOCK * _NEAR_M / max(radius, _NEAR_M)))
            for at in range(0, len(open_rows), step):
                rows = open_rows[at : at + step]
                of_large, of_small = self._within(lon[rows], lat[rows], radius)
                mine = rows[of_large[0]]
                point[mine], share[mine] = of_large[1], of_large[2]
                nearer = of_small[3] < small_m[rows[of_small[0]]]
                mine = rows[of_small[0]][nearer]
                small_point[mine], small_share[mine], small_m[mine] = (column[nearer] for column in of_small[1:])
                left.append(rows[point[rows] < 0])
            open_rows = np.concatenate(left)
            if radius >= self.most_moved_m:
                break
            radius = min(radius * _WIDER, self.most_moved_m)
        lone = point < 0
        point[lone], share[lone] = small_point[lone], small_share[lone]
        return point, share

    def _within(self, lon: FloatArray, lat: FloatArray, radius: float) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return which places have a road within a radius, where, and how far: of a large part, and of a small one."""
        from shapely import box  # noqa: PLC0415

        # a little more, for what rounding takes
        d_lat = radius / _M_PER_DEG * 1.001 + 1e-9
        cos = np.maximum(np.cos(np.radians(np.minimum(np.abs(lat) + d_lat, 90.0))), 1e-9)
        d_lon = np.minimum(d_lat / cos, 180.0)
        place, piece = self.tree.query(box(lon - d_lon, lat - d_lat, lon + d_lon, lat + d_lat))
        if self.far:
            for turn in (-360.0, 360.0):
                more = self.tree.query(box(lon + turn - d_lon, lat - d_lat, lon + turn + d_lon, lat + d_lat))
                place, piece = np.concatenate((place, more[0])), np.concatenate((piece, more[1]))
        counts = self.count[piece]
        place = np.repeat(place, counts)
        point = np.repeat(self.begin[piece], counts)
        point += np.arange(len(point)) - np.repeat(np.cumsum(counts) - counts, counts)
        share, gap = self._measured(lon[place], lat[place], point)
        large = np.repeat(self.large[self.edge[piece]], counts)
        near = gap <= radius
        found = (place, point, share, gap)
        return _best(*found, near & large), _best(*found, near & ~large)

    def _measured(self, lon: FloatArray, lat: FloatArray, point: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
        """Return the share of segments at which they are nearest to places, and how near; on the plane of the place."""
        net = self.network
        cos = np.cos(np.radians(lat))
        x0, y0 = _turned(net.lon[point] - lon) * cos, net.lat[point] - lat
        x1, y1 = _turned(net.lon[point + 1] - lon) * cos, net.lat[point + 1] - lat
        dx, dy = x1 - x0, y1 - y0
        squared = dx * dx + dy * dy
        share = np.clip(-(x0 * dx + y0 * dy) / np.where(squared > 0, squared, 1.0), 0.0, 1.0)
        # at its ends exactly, so that edges that meet are as near as each other
        x = np.where(share < 1.0, x0 + share * dx, x1)
        y = np.where(share < 1.0, y0 + share * dy, y1)
        return share, np.hypot(x, y) * _M_PER_DEG

    def _placed(self, lon: FloatArray, lat: FloatArray, point: NDArray[np.int64], share: FloatArray) -> Spots:
        net, n = self.network, len(lon)
        on = np.flatnonzero(point >= 0)
        at, part = point[on], share[on]
        edge = np.searchsorted(net.first_point, at, side="right") - 1
        tail_point, head_point = net.first_point[edge], net.first_point[edge + 1] - 1

        def between(values: FloatArray) -> FloatArray:
            low, high = values[at], values[at + 1]
            return np.where(part < 1.0, whole_quanta(low + part * (high - low)), high)

        forward, backward = net.forward[edge], net.backward[edge]
        ahead, behind, metres = between(net.forward_s), between(net.backward_s), between(net.metres)
        whole = [column[head_point] for column in (net.forward_s, net.backward_s, net.metres)]
        at_tail, at_head = (at == tail_point) & (part == 0.0), (at + 1 == head_point) & (part == 1.0)
        at_node = at_tail | at_head
        node = np.where(at_tail, net.tail[edge], net.head[edge])

        snapped_lon, snapped_lat = lon.copy(), lat.copy()
        step = _turned(net.lon[at + 1] - net.lon[at])
        snapped_lon[on] = np.where(part < 1.0, _turned(net.lon[at] + part * step), net.lon[at + 1])
        snapped_lat[on] = np.where(part < 1.0, net.lat[at] + part * (net.lat[at + 1] - net.lat[at]), net.lat[at + 1])
        moved = np.full(n, np.inf)
        moved[on] = great_circle_m(lon[on], lat[on], snapped_lon[on], snapped_lat[on])

        edges, spot = np.full(n, -1, dtype=np.int64), np.zeros((n, 4))
        edges[on] = np.where(at_node, -1, edge)
        spot[on, 0] = (at - tail_point) + part
        spot[on, 1] = np.where(forward, ahead, np.inf)
        spot[on, 2] = np.where(backward, behind, np.inf)
        spot[on, 3] = metres
        off = np.flatnonzero(point < 0)
        edges[off] = net.n_edges + off

        half = net.half_wait_s
        leave, enter = np.full((n, 2), -1, dtype=np.int32), np.full((n, 2), -1, dtype=np.int32)
        leave_cost, enter_cost = np.zeros((n, 2, 2)), np.zeros((n, 2, 2))
        tail, head = net.tail[edge], net.head[edge]
        leave[on, 0] = np.where(at_node, node, np.where(forward, head, -1))
        leave[on, 1] = np.where(at_node | ~backward, -1, tail)
        enter[on, 0] = np.where(at_node, node, np.where(forward, tail, -1))
        enter[on, 1] = np.where(at_node | ~backward, -1, head)
        mid = np.where(at_node, 0.0, 1.0)
        leave_cost[on, 0, 0] = mid * (whole[0] - ahead + half[head])
        leave_cost[on, 0, 1] = mid * (whole[2] - metres)
        leave_cost[on, 1, 0] = mid * (behind + half[tail])
        leave_cost[on, 1, 1] = mid * metres
        enter_cost[on, 0, 0] = mid * (half[tail] + ahead)
        enter_cost[on, 0, 1] = mid * metres
        enter_cost[on, 1, 0] = mid * (half[head] + whole[1] - behind)
        enter_cost[on, 1, 1] = mid * (whole[2] - metres)
        where = np.full(n, -1, dtype=np.int64)
        where[on] = at
        return Spots(
            snapped_lon, snapped_lat, moved, edges, spot, leave, enter, leave_cost, enter_cost, where
        )  # fmt: skip


def _best(place: Any, point: Any, share: Any, gap: Any, chosen: NDArray[np.bool_]) -> tuple[Any, ...]:
    """Return the nearest of the chosen for each place: place, point, share and distance."""
    place, point, share, gap = place[chosen], point[chosen], share[chosen], gap[chosen]
    order = np.lexsort((point, gap, place))
    first = np.ones(len(order), dtype=bool)
    first[1:] = place[order][1:] != place[order][:-1]
    order = order[first]
    return place[order], point[order], share[order], gap[order]


def most_moved(value: float) -> float:
    """Return a limit of snapping as a float.

    Raises
    ------
    InputError
        Not a number from 0 to 100,000.
    """
    number = float(value) if isinstance(value, (int, float, np.integer, np.floating)) else np.nan
    if isinstance(value, bool) or not 0.0 <= number <= 100_000.0:
        message = f"expected 0 to 100,000 metres, not {value!r}"
        raise InputError([Problem("most-moved-out-of-range", message, "most_moved_m")], "road graph")
    return number


def _large(network: Network) -> NDArray[np.bool_]:
    """Return which edges are of a large part of the network at both of their ends."""
    from scipy.sparse import csr_array  # noqa: PLC0415 - loaded when roads are
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    if not network.n_edges:
        return np.zeros(0, dtype=bool)
    arcs = network.arcs()
    n = network.n_nodes
    links = csr_array((np.ones(len(arcs.head), dtype=np.int8), arcs.head, arcs.first), shape=(n, n))
    _, part = connected_components(links, directed=True, connection="strong")
    size = np.bincount(part)
    large = (size >= min(_FEW, _SMALL * size.max()))[part]
    return np.asarray(large[network.tail] & large[network.head])


def _turned(degrees: FloatArray) -> FloatArray:
    """Return longitudes, or differences of them, within [-180, 180]; those that are stay as they are, to the bit."""
    return np.where(np.abs(degrees) <= 180.0, degrees, (degrees + 180.0) % 360.0 - 180.0)
