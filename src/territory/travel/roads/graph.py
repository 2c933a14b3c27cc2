"""Travel on a road network held in memory."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import numpy as np

from territory.travel.answers import NearestPlaces, RouteGeometry, SnappedPlaces
from territory.travel.base import RawTravel, TravelBase, check_k
from territory.travel.protocol import TravelMatrix, whole_metres, whole_seconds
from territory.travel.roads.arrays import segments_of
from territory.travel.roads.compress import compress
from territory.travel.roads.paths import Side, Ways
from territory.travel.roads.snapping import Snapper, Spots, most_moved

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from numpy.typing import ArrayLike, NDArray

    from territory.model.places import Places
    from territory.travel.roads.network import Network

__all__ = ["RoadGraph"]

#: Legs held at a time by `RoadGraph.matrix`: 64 MB of raw times and distances.
_BLOCK: Final = 1 << 22


class RoadGraph(TravelBase):
    """Travel along the edges of a road network, by the quickest way; of equally quick ones by the shortest.

    Made by `from_osm`, `from_networkx` or `from_arrays`. A place is taken to the nearest point of the nearest edge;
    motorways, tunnels and ferries of extracts do not count, as nobody stops there. From there a trip goes on in both
    directions of a two-way road, in the one direction of a one-way street. Getting from the place to that point costs
    no time and no metres; `snap` tells how far it is. Ways between two places on one edge go along it, where that is
    allowed and nothing else is quicker.

    Where some junctions can reach each other but not the rest of the network, as on the roads of a works yard or
    inside a wrong one-way street, places go to a road of a large part within `most_moved_m` in their place. A part is
    large if it has at least 50 junctions, or at least a tenth of the junctions of the largest part. So a place on an
    island with roads of its own is on the island, and out of reach where no ferry goes.

    Notes
    -----
    Turns cost nothing and none is forbidden, as nodes know no turns: what `junction_s` adds for each junction stands
    for them. The search is by Dijkstra's algorithm, compiled, O(N log N) a place for N junctions; ``matrix`` searches
    from the side with fewer places. Times and lengths are rounded to a millionth of a second and metre, so that
    answers do not depend on the side.
    """

    __slots__ = ("_attribution", "_fingerprint", "_mode", "_most_moved_m", "_network", "_snapper", "_ways")

    def __init__(
        self,
        network: Network,
        *,
        fingerprint: str,
        mode: Literal["car", "bicycle", "foot"] = "car",
        most_moved_m: float = 1000.0,
        attribution: str | None = None,
    ) -> None:
        self._network, self._mode = network, mode
        self._most_moved_m = most_moved(most_moved_m)
        self._fingerprint = f"{fingerprint} most_moved_m={self._most_moved_m!r}"
        self._attribution = attribution
        self._ways = Ways(network)
        self._snapper: Snapper | None = None

    def __reduce__(self) -> tuple[Any, ...]:  # without the index, which is made anew where it is needed
        stated = self._fingerprint.removesuffix(f" most_moved_m={self._most_moved_m!r}")
        return _restored, (self._network, stated, self._mode, self._most_moved_m, self._attribution)

    def __repr__(self) -> str:
        return f"<RoadGraph {self._mode}: {self.n_junctions:,} junctions, {self.n_edges:,} edges>"

    @classmethod
    def from_osm(
        cls,
        path: str | PathLike[str],
        *,
        mode: Literal["car", "bicycle", "foot"] = "car",
        speeds: Mapping[str, float] | None = None,
        junction_s: float | None = None,
        signal_s: float = 2.0,
        most_moved_m: float = 1000.0,
    ) -> Self:
        """Read the roads of an extract of OpenStreetMap.

        Parameters
        ----------
        path : path
            Any file that libosmium reads, e.g. ``.osm.pbf`` or ``.osm``; nodes before ways, as they usually are.
        mode : "car", "bicycle" or "foot"
        speeds : mapping of str to float, optional
            Kilometres per hour by class of ``highway``, 0: not used; in place of those of
            `territory.travel.roads.speeds.SPEEDS_KM_H`, class by class.
        junction_s : float, optional
            Seconds for each passage of a junction of three or more roads. Default: see
            `territory.travel.roads.speeds.JUNCTION_S`.
        signal_s : float
            Seconds for each passage of a traffic signal. The default is that of OSRM's profiles.
        most_moved_m : float
            Places farther from any road are out of reach.

        Raises
        ------
        InputError
            A file that is none of OpenStreetMap, torn or without roads; or parameters out of range.
        MissingExtraError
            The package osmium is missing.

        Notes
        -----
        0.1 to 0.4 s a megabyte of ``.osm.pbf``. What is read and what is not: `territory.travel.roads.osm`.
        """
        from territory.travel.roads.osm import ATTRIBUTION, read_osm  # noqa: PLC0415 - only for extracts

        most_moved(most_moved_m)
        found, fingerprint, junction = read_osm(
            path, mode=mode, speeds=speeds, junction_s=junction_s, signal_s=signal_s
        )  # fmt: skip
        network = compress(found, junction_s=junction)
        return cls(
            network, fingerprint=fingerprint, mode=mode, most_moved_m=most_moved_m, attribution=ATTRIBUTION
        )  # fmt: skip

    @classmethod
    def from_networkx(
        cls,
        graph: Any,
        *,
        seconds: str = "travel_time",
        metres: str = "length",
        mode: Literal["car", "bicycle", "foot"] = "car",
        most_moved_m: float = 1000.0,
        attribution: str | None = None,
    ) -> Self:
        """Take the roads of a graph of networkx or OSMnx.

        Parameters
        ----------
        graph : networkx graph of any kind
            Nodes with ``x`` and ``y`` in degrees, as those of OSMnx. Edges may have a ``geometry``, a LineString from
            their first node to their second, or the other way round; others are straight. An edge of an undirected
            graph leads both ways. Two directed edges along the same line, one there and one back, are one road.
        seconds : str
            Attribute of edges; where it is missing, the time follows from ``speed_kph`` and the length.
        metres : str
            Attribute of edges; where it is missing, the length of the line.
        mode, most_moved_m
            As for `from_osm`.
        attribution : str, optional
            Whose data these are.

        Raises
        ------
        InputError
            Nodes without coordinates, edges without a time, or values out of range; the first few are named.
        """
        from territory.travel.roads.graphs import arrays_of  # noqa: PLC0415 - only for graphs

        columns = arrays_of(graph, seconds=seconds, metres=metres)
        return cls.from_arrays(
            **columns, mode=mode, most_moved_m=most_moved_m, attribution=attribution, name="networkx"
        )  # fmt: skip

    @classmethod
    def from_arrays(
        cls,
        *,
        node_lon: ArrayLike,
        node_lat: ArrayLike,
        tail: ArrayLike,
        head: ArrayLike,
        seconds: ArrayLike,
        metres: ArrayLike,
        back_seconds: ArrayLike | None = None,
        line_lon: ArrayLike | None = None,
        line_lat: ArrayLike | None = None,
        line_start: ArrayLike | None = None,
        junction_s: float = 0.0,
        mode: Literal["car", "bicycle", "foot"] = "car",
        most_moved_m: float = 1000.0,
        attribution: str | None = None,
        name: str = "arrays",
    ) -> Self:
        """Take roads from arrays.

        Parameters
        ----------
        node_lon, node_lat : array_like of shape (n_nodes,), degrees
        tail, head : array_like of int, shape (n_edges,)
            Nodes at both ends of each edge. Parallel edges and edges without length are allowed.
        seconds, metres : array_like of shape (n_edges,)
            From tail to head; infinite seconds where that is not allowed.
        back_seconds : array_like of shape (n_edges,), optional
            From head to tail; infinite where that is not allowed, as it is everywhere by default.
        line_lon, line_lat : array_like of shape (n_points,), degrees, optional
            Points between the ends of edges, from tail to head.
        line_start : array_like of int, shape (n_edges + 1,), optional
            Points of edge e are those from ``line_start[e]`` up to ``line_start[e + 1]``.
        junction_s : float
            What it costs to pass a node where three edges or more meet, seconds.
        mode, most_moved_m, attribution
            As for `from_networkx`.
        name : str
            What the fingerprint begins with.

        Raises
        ------
        InputError
            Arrays that do not fit each other, or values out of range; all that is wrong at once.

        Examples
        --------
        A street of 900 m from west to east, and a way back round the block:

        >>> from territory.model.places import PlaceKind, Places
        >>> roads = RoadGraph.from_arrays(
        ...     node_lon=[9.5, 9.512, 9.506], node_lat=[47.2, 47.2, 47.204],
        ...     tail=[0, 1, 2], head=[1, 2, 0], seconds=[60, 70, 70], metres=[900, 650, 650],
        ... )
        >>> ends = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [9.503, 9.509], [47.2001, 47.2001])
        >>> way = roads.matrix(ends, ends)
        >>> way.durations_s.tolist(), way.distances_m.tolist()
        ([[0, 30], [170, 0]], [[0, 450], [1750, 0]])
        """
        given = {
            "node_lon": node_lon, "node_lat": node_lat, "tail": tail, "head": head, "seconds": seconds,
            "metres": metres, "back_seconds": back_seconds, "line_lon": line_lon, "line_lat": line_lat,
            "line_start": line_start,
        }  # fmt: skip
        segments, digest = segments_of(given, junction_s)
        fingerprint = f"road graph {name} sha256={digest} mode={mode} junction_s={float(junction_s)!r}"
        network = compress(segments, junction_s=junction_s)
        return cls(network, fingerprint=fingerprint, mode=mode, most_moved_m=most_moved_m, attribution=attribution)

    @property
    def fingerprint(self) -> str:
        """Digest of the data, and all parameters."""
        return self._fingerprint

    @property
    def symmetric(self) -> bool:
        """True where every road is two-way, and as quick there and back."""
        return self._network.symmetric

    @property
    def mode(self) -> str:
        """Who travels: "car", "bicycle" or "foot"."""
        return self._mode

    @property
    def attribution(self) -> str | None:
        """Whose data these are, to be told wherever results are shown."""
        return self._attribution

    @property
    def most_moved_m(self) -> float:
        """How far a place may be from its road, metres."""
        return self._most_moved_m

    @property
    def n_junctions(self) -> int:
        """Number of nodes on which paths are searched: junctions, dead ends, signals."""
        return self._network.n_nodes

    @property
    def n_edges(self) -> int:
        """Number of roads between them."""
        return self._network.n_edges

    def raw_matrix(self, origins: Places, destinations: Places) -> RawTravel:
        """Give the travel from every origin to every destination, not rounded; see `TravelBase.raw_matrix`."""
        spots, start, end = self._met(origins, destinations)
        ones, one = np.unique(start, return_inverse=True)
        others, other = np.unique(end, return_inverse=True)
        seconds, metres = self._block(spots, ones, others)
        every = np.ix_(one.ravel(), other.ravel())
        return RawTravel(seconds[every], metres[every])

    def matrix(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Give the travel from every origin to every destination, shape (m, n); see `Travel.matrix`."""
        spots, start, end = self._met(origins, destinations)
        durations = np.empty((len(start), len(end)), dtype=np.int32)
        distances = np.empty((len(start), len(end)), dtype=np.int32)
        # cut from the side on which searches begin, so that none is made twice
        rows, columns = [slice(None)], [slice(None)]
        if len(np.unique(end)) < len(np.unique(start)):
            columns = _cut(len(end), max(1, _BLOCK // max(len(start), 1)))
        else:
            rows = _cut(len(start), max(1, _BLOCK // max(len(end), 1)))
        for row in rows:
            for column in columns:
                ones, one = np.unique(start[row], return_inverse=True)
                others, other = np.unique(end[column], return_inverse=True)
                seconds, metres = self._block(spots, ones, others)
                every = np.ix_(one.ravel(), other.ravel())
                durations[row, column] = whole_seconds(seconds, speed_factor)[every]
                distances[row, column] = whole_metres(metres)[every]
        return TravelMatrix(durations, distances)

    def raw_pairs(self, origins: Places, destinations: Places) -> RawTravel:
        """Give the travel from each origin to the destination in the same row, not rounded.

        One search for each place on the side with fewer places, up to the farthest that it is paired with.
        """
        spots, start, end = self._met(origins, destinations)
        back = len(np.unique(end)) < len(np.unique(start))
        ones, others = (end, start) if back else (start, end)
        count = len(spots.lon)
        if not len(ones):
            return RawTravel(np.empty(0), np.empty(0))
        keys, inverse = np.unique(ones * count + others, return_inverse=True)
        seconds, metres = self._ways.lists(spots, keys // max(count, 1), keys % max(count, 1), back=back)
        return RawTravel(seconds[inverse.ravel()], metres[inverse.ravel()])

    def nearest(self, origins: Places, destinations: Places, k: int, *, speed_factor: float = 1.0) -> NearestPlaces:
        """Give the k destinations that are soonest reached from each origin, shape (m, k); see `Travel.nearest`.

        Each search ends with the k-th destination that it meets.
        """
        check_k(k)
        whole_seconds(np.zeros(0), speed_factor)
        spots, start, end = self._met(origins, destinations)
        m, n = len(start), len(end)
        keep = min(k, n)
        idx = np.full((m, k), -1, dtype=np.int32)
        seconds, metres = np.full((m, k), np.inf), np.full((m, k), np.inf)
        if keep:
            who: dict[tuple[int, str], int] = {}
            code = [
                np.array([who.setdefault(key, len(who)) for key in zip(p.kind.tolist(), p.id.tolist(), strict=True)])
                for p in (origins, destinations)
            ]
            sides = [Side(rows, names.astype(np.int64)) for rows, names in zip((start, end), code, strict=True)]
            found = self._ways.nearest(spots, sides[0], sides[1], keep, float(speed_factor))
            idx[:, :keep], seconds[:, :keep], metres[:, :keep] = found
        return NearestPlaces(idx, whole_seconds(seconds, speed_factor), whole_metres(metres), n)

    def route_geometry(self, stops: Places) -> RouteGeometry:
        """Give the line along the streets from each stop to the next; see `Travel.route_geometry`.

        A leg begins and ends on the road, where its stops are taken to. One search a leg.
        """
        spots, rows, _ = self._met(stops, stops)
        lines = [self._ways.line(spots, int(a), int(b)) for a, b in pairwise(rows)]
        offsets = np.concatenate(([0], np.cumsum([len(lon) for lon, _ in lines]))).astype(np.int64)
        lon, lat = (np.concatenate([np.zeros(0), *(line[axis] for line in lines)]) for axis in (0, 1))
        return RouteGeometry(lon, lat, offsets)

    def lines(self) -> RouteGeometry:
        """Give the line of every road, as a leg of its own, for maps."""
        network = self._network
        return RouteGeometry(network.lon, network.lat, network.first_point)

    def snap(self, places: Places) -> SnappedPlaces:
        """Tell where on the road trips from and to places begin and end; see `Travel.snap`."""
        spots, rows, _ = self._met(places, places)
        return SnappedPlaces(spots.lon[rows], spots.lat[rows], spots.moved_m[rows])

    def _met(self, origins: Places, destinations: Places) -> tuple[Spots, NDArray[np.int64], NDArray[np.int64]]:
        """Return spots of all coordinates that occur, and the rows of origins and destinations in them."""
        if self._snapper is None:
            self._snapper = Snapper(self._network, self._most_moved_m)
        return self._snapper.meet(origins, destinations)

    def _block(
        self, spots: Spots, start: NDArray[np.int64], end: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the travel between spots of different places, searched from the side with fewer of them."""
        if len(end) < len(start):
            seconds, metres = self._ways.block(spots, end, start, back=True)
            return seconds.T, metres.T
        return self._ways.block(spots, start, end, back=False)


def _cut(count: int, step: int) -> list[slice]:
    return [slice(at, at + step) for at in range(0, max(count, 1), step)]


def _restored(
    network: Network, fingerprint: str, mode: Literal["car", "bicycle", "foot"], most_moved_m: float, by: str | None
) -> RoadGraph:
    """Rebuild a pickled graph."""
    return RoadGraph(network, fingerprint=fingerprint, mode=mode, most_moved_m=most_moved_m, attribution=by)
