"""What OSRM and Valhalla answer, read into arrays; shared by the engines in this process and those behind HTTP.

Nothing that is answered is taken on trust: what has the wrong shape, type, sign or size raises `TravelError`, and only
a null means that there is no way. Every function is pure and takes what `json.loads` gives.

OSRM moves places of a table onto tiny, cut-off parts of the network only if all places of the request are on the same
one; else it moves them to the main network. The answer for two places would so depend on what else is asked. Whoever
asks OSRM puts the points of `osrm_anchors` before the places of every request: they lie far apart, hence never on one
tiny part, and every place is then moved to the main network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import MAX_ROWS_LISTED, InputError, Problem
from territory.geo.sphere import great_circle_m
from territory.travel.answers import RouteGeometry, SnappedPlaces
from territory.travel.reply_values import bad_reply, decode_polyline, items, members, numbers, positions, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray
    from territory.model.places import Places
    from territory.travel.reply_values import Leg

__all__ = [
    "PROBES",
    "TableReply",
    "check_coordinates",
    "geometry_of",
    "osrm_anchors",
    "osrm_met",
    "osrm_route",
    "osrm_table",
    "valhalla_locate",
    "valhalla_matrix",
    "valhalla_route",
]

#: Points all around the world, (lon, lat): whatever part of it a network covers, they are moved to its different sides.
PROBES: Final = tuple((lon, lat) for lat in (-60.0, -20.0, 20.0, 60.0) for lon in (-160.0, -80.0, 0.0, 80.0, 160.0))
#: Places on one segment that are so close that OSRM takes no time between them it may give as apart by a negative
#: distance, whose size is right: up to 0.9 m was seen on 1,000 random places each in Liechtenstein, Andorra, Porto and
#: Munich. More than this is a fault, metres.
_SAME_SPOT_M: Final = 5.0
#: Coordinates that differ by less are equal but for OSRM's rounding, degrees.
_SAME_POINT: Final = 2e-6
#: Valhalla's codes for "there is no way": unconnected regions, no path between two places, and none that is allowed.
_NO_WAY_CODES: Final = (170, 441, 442)
#: Edges from and to which fewer others lead are on no road network; Valhalla's own default.
_LEAST_REACH: Final = 50


@dataclass(frozen=True, slots=True, eq=False)
class TableReply:
    """A table of travel as an engine gives it.

    Attributes
    ----------
    seconds, metres : float arrays of shape (m, n)
        Infinite where there is no way.
    origins, destinations : SnappedPlaces of lengths m and n, optional
        Where the engine moved the places to; None where the reply does not say.
    """

    seconds: FloatArray
    metres: FloatArray
    origins: SnappedPlaces | None = None
    destinations: SnappedPlaces | None = None

    def within(self, most_moved_m: float) -> TableReply:
        """Cut off the places that were moved further: no way leads there or away, and their `moved_m` is infinite."""
        seconds, metres = self.seconds, self.metres
        ends = []
        for axis, snapped in enumerate((self.origins, self.destinations)):
            if snapped is None or not (snapped.moved_m > most_moved_m).any():
                ends.append(snapped)
                continue
            far = snapped.moved_m > most_moved_m
            where = far[:, None] if axis == 0 else far[None, :]
            seconds, metres = np.where(where, np.inf, seconds), np.where(where, np.inf, metres)
            ends.append(SnappedPlaces(snapped.lon.copy(), snapped.lat.copy(), np.where(far, np.inf, snapped.moved_m)))
        return TableReply(seconds, metres, ends[0], ends[1])


def check_coordinates(**tables: Places) -> None:
    """Refuse places without usable coordinates before anything is asked; an engine's own words for them differ.

    Parameters
    ----------
    **tables : Places
        By the name that problems give them, e.g. ``origins=...``.

    Raises
    ------
    InputError
        Coordinates that are not finite, or are no longitude or latitude.
    """
    problems = []
    for name, places in tables.items():
        for column, values, most in (("lon", places.lon, 180.0), ("lat", places.lat, 90.0)):
            endless = ~np.isfinite(values)
            for code, message, bad in (
                ("nan", "not a finite number", endless),
                (f"{column}-out-of-range", f"outside [-{most:g}, {most:g}]", ~endless & (np.abs(values) > most)),
            ):
                if bad.any():
                    rows = tuple(np.flatnonzero(bad)[:MAX_ROWS_LISTED].tolist())
                    problems.append(Problem(code, message, f"{name}.{column}", count=int(bad.sum()), rows=rows))
    if problems:
        raise InputError(problems, "travel")


def osrm_table(reply: Any, n_origins: int, n_destinations: int) -> TableReply:
    """Read a reply of OSRM's table service with ``annotations=duration,distance``.

    Parameters
    ----------
    reply : dict
        ``code``, ``durations`` in seconds, ``distances`` in metres, and the waypoints ``sources`` and ``destinations``.
    n_origins, n_destinations : int
        How many were asked.

    Returns
    -------
    TableReply
        With the places as they were moved.

    Raises
    ------
    TravelError
        A refusal, or a reply that cannot be meant: not retryable.
    """
    fields = _osrm_fields(reply)
    seconds = numbers(fields.get("durations"), n_origins, n_destinations, "OSRM's durations")
    metres = numbers(fields.get("distances"), n_origins, n_destinations, "OSRM's distances", least=-_SAME_SPOT_M)
    backwards = metres < 0
    if (seconds[backwards] > 0).any():
        raise bad_reply("OSRM's distances are negative where its durations are not zero")
    metres[backwards] *= -1.0
    _check_both("OSRM", seconds, metres)
    origins = _osrm_waypoints(fields.get("sources"), n_origins, "OSRM's sources")
    destinations = _osrm_waypoints(fields.get("destinations"), n_destinations, "OSRM's destinations")
    return TableReply(seconds, metres, origins, destinations)


def osrm_anchors(reply: Any) -> tuple[tuple[float, float], ...]:
    """Read the points that every later request has to contain from a table between `PROBES`.

    Parameters
    ----------
    reply : dict
        OSRM's table from the first probe to all, ``sources=0``.

    Returns
    -------
    tuple of (lon, lat)
        At most four, the outermost of the network.
    """
    fields = _osrm_fields(reply)
    found = _osrm_waypoints(fields.get("destinations"), len(PROBES), "OSRM's destinations")
    outermost = (found.lon.argmin(), found.lon.argmax(), found.lat.argmin(), found.lat.argmax())
    points = [(float(found.lon[at]), float(found.lat[at])) for at in outermost]
    return tuple(dict.fromkeys(points))


def osrm_route(reply: Any, n_stops: int) -> list[Leg] | None:
    """Read a reply of OSRM's route service with ``steps=true&overview=false``, leg by leg.

    Parameters
    ----------
    reply : dict
        Its steps' geometries as GeoJSON (``geometries=geojson``) or text (``geometries=polyline6``).
    n_stops : int

    Returns
    -------
    list of (lon, lat), one a leg
        None if OSRM says that there is no way along all the stops.

    Raises
    ------
    TravelError
        A refusal, or a reply that cannot be meant.
    """
    if isinstance(reply, dict) and reply.get("code") == "NoRoute":
        return None
    routes = items(_osrm_fields(reply).get("routes"), None, "OSRM's routes")
    if not routes:
        raise bad_reply("OSRM's routes are none")
    legs = items(members(routes[0], "OSRM's route").get("legs"), n_stops - 1, "OSRM's legs")
    lines = []
    for leg in legs:
        steps = items(members(leg, "OSRM's leg").get("steps"), None, "OSRM's steps")
        parts = [_osrm_line(members(step, "OSRM's step").get("geometry")) for step in steps]
        if not parts:
            raise bad_reply("OSRM's leg has no steps")
        lines.append(_joined(parts))
    return lines


def osrm_met(reply: Any, lon: FloatArray, lat: FloatArray) -> NDArray[np.bool_]:
    """Tell at which stops a route of OSRM begins and ends where its tables do.

    Asked for one route, OSRM may move a stop elsewhere than in tables (see the top of this module); such a stop is
    asked for again at the point of the table. Not every stop is: from a place near a junction a route may begin on any
    of its roads, from the point of the table only on one.

    Parameters
    ----------
    reply : dict
        A reply of the route service, with its ``waypoints``.
    lon, lat : float arrays of shape (n,), degrees
        Where tables move the stops to.

    Returns
    -------
    bool array of shape (n,)
    """
    found = _osrm_waypoints(_osrm_fields(reply).get("waypoints"), len(lon), "OSRM's waypoints")
    return (np.abs(found.lon - lon) < _SAME_POINT) & (np.abs(found.lat - lat) < _SAME_POINT)


def valhalla_matrix(reply: Any, n_origins: int, n_destinations: int) -> TableReply:
    """Read a reply of Valhalla's ``sources_to_targets`` in kilometres, short (``verbose: false``) or long.

    Parameters
    ----------
    reply : dict
    n_origins, n_destinations : int
        How many were asked.

    Returns
    -------
    TableReply
        Without places: Valhalla tells them by ``locate``. Nothing but infinity if it says that no way leads anywhere.

    Raises
    ------
    TravelError
        A refusal, or a reply that cannot be meant.
    """
    if isinstance(reply, dict) and reply.get("error_code") in _NO_WAY_CODES:
        nowhere = np.full((n_origins, n_destinations), np.inf)
        return TableReply(nowhere, nowhere.copy())
    fields = _valhalla_fields(reply)
    units = fields.get("units", "kilometers")
    if units != "kilometers":
        raise bad_reply(f"Valhalla's units are {quoted(units)}, not 'kilometers'")
    table = fields.get("sources_to_targets")
    if isinstance(table, dict):
        durations, distances = table.get("durations"), table.get("distances")
    else:
        rows = items(table, n_origins, "Valhalla's rows")
        cells = [_cells(row, i, n_destinations) for i, row in enumerate(rows)]
        durations = [[cell.get("time") for cell in row] for row in cells]
        distances = [[cell.get("distance") for cell in row] for row in cells]
    seconds = numbers(durations, n_origins, n_destinations, "Valhalla's durations")
    metres = numbers(distances, n_origins, n_destinations, "Valhalla's distances", 1_000.0)
    # in short replies only the duration is null where there is no way; the distance is 0, or one of the rows before
    metres[np.isinf(seconds)] = np.inf
    _check_both("Valhalla", seconds, metres)
    return TableReply(seconds, metres)


def valhalla_route(reply: Any, n_stops: int) -> list[Leg] | None:
    """Read a reply of Valhalla's ``route``, leg by leg; see `osrm_route`."""
    if isinstance(reply, dict) and reply.get("error_code") in _NO_WAY_CODES:
        return None
    trip = members(_valhalla_fields(reply).get("trip"), "Valhalla's trip")
    legs = items(trip.get("legs"), n_stops - 1, "Valhalla's legs")
    return [decode_polyline(members(leg, "Valhalla's leg").get("shape"), 6) for leg in legs]


def valhalla_locate(reply: Any, lon: FloatArray, lat: FloatArray) -> SnappedPlaces:
    """Read a reply of Valhalla's ``locate``: the nearest point of the network for each place.

    Of a long reply (``verbose: true``) edges are left out that are cut off from the network: trips begin and end there
    in Valhalla's own tables, or further away if that is impossible, and it does not say which. Whoever asks for tables
    between the points that come back knows where trips begin and end.

    Parameters
    ----------
    reply : list of dict
        One a place, in the order asked.
    lon, lat : float arrays of shape (n,), degrees
        The places that were asked for.

    Returns
    -------
    SnappedPlaces of length n
        Where there is no edge the place itself, with an infinite `moved_m`.

    Raises
    ------
    TravelError
        A refusal, or a reply that cannot be meant.
    """
    if isinstance(reply, dict):
        _valhalla_fields(reply)
    found = items(reply, len(lon), "Valhalla's places")
    to_lon, to_lat = np.array(lon, dtype=np.float64), np.array(lat, dtype=np.float64)
    moved = np.full(len(to_lon), np.inf)
    for row, answer in enumerate(found):
        edges = members(answer, "Valhalla's place").get("edges")
        points = [members(edge, "Valhalla's edge") for edge in items(edges or [], None, "Valhalla's edges")]
        points = [edge for edge in points if _is_connected(edge)]
        if points:
            xy = positions([[p.get("correlated_lon"), p.get("correlated_lat")] for p in points], "Valhalla's edges")
            away = great_circle_m(xy[:, 0], xy[:, 1], lon[row], lat[row])
            best = int(np.argmin(away))
            to_lon[row], to_lat[row], moved[row] = xy[best, 0], xy[best, 1], away[best]
    return SnappedPlaces(to_lon, to_lat, moved)


def _is_connected(edge: dict[str, Any]) -> bool:
    reach = [edge.get(name, _LEAST_REACH) for name in ("outbound_reach", "inbound_reach")]
    if not all(type(each) is int for each in reach):
        raise bad_reply(f"Valhalla's edges have reaches of {quoted(reach)}")
    return bool(min(reach) >= _LEAST_REACH)


def geometry_of(legs: Sequence[Leg | None]) -> RouteGeometry:
    """Put lines one after the other; None is a leg without a way."""
    kept = [leg for leg in legs if leg is not None]
    sizes = [0 if leg is None else len(leg[0]) for leg in legs]
    empty = np.empty(0)
    return RouteGeometry(
        np.concatenate([empty, *(leg[0] for leg in kept)]),
        np.concatenate([empty, *(leg[1] for leg in kept)]),
        np.cumsum([0, *sizes], dtype=np.int64),
    )


def _check_both(who: str, seconds: NDArray[np.float64], metres: NDArray[np.float64]) -> None:
    if (np.isinf(seconds) != np.isinf(metres)).any():
        raise bad_reply(f"{who}'s reply has durations without distances, or the other way round")


def _cells(row: Any, i: int, n: int) -> list[dict[str, Any]]:
    """Return the cells of a row of Valhalla's long reply, once they stand where they say they stand."""
    cells = [members(cell, "Valhalla's cell") for cell in items(row, n, "Valhalla's row")]
    for j, cell in enumerate(cells):
        if cell.get("from_index", i) != i or cell.get("to_index", j) != j:
            raise bad_reply("Valhalla's cells are out of order")
    return cells


def _osrm_fields(reply: Any) -> dict[str, Any]:
    fields = members(reply, "OSRM's reply")
    code = fields.get("code")
    if code != "Ok":
        raise bad_reply(f"OSRM refused: {quoted(code)}, {quoted(fields.get('message'))}")
    return fields


def _valhalla_fields(reply: Any) -> dict[str, Any]:
    fields = members(reply, "Valhalla's reply")
    if "error_code" in fields or "error" in fields:
        raise bad_reply(f"Valhalla refused: {quoted(fields.get('error_code'))}, {quoted(fields.get('error'))}")
    return fields


def _osrm_waypoints(value: Any, n: int, what: str) -> SnappedPlaces:
    points = [members(point, what) for point in items(value, n, what)]
    xy = positions([point.get("location") for point in points], what)
    moved = numbers([[point.get("distance") for point in points]], 1, n, what)[0]
    return SnappedPlaces(xy[:, 0].copy(), xy[:, 1].copy(), moved)


def _osrm_line(value: Any) -> Leg:
    if isinstance(value, str):
        return decode_polyline(value, 6)
    xy = positions(members(value, "OSRM's line").get("coordinates"), "OSRM's line")
    return xy[:, 0], xy[:, 1]


def _joined(parts: list[Leg]) -> Leg:
    """Join lines that begin where the one before them ends, each shared point once."""
    lon = np.concatenate([part[0] for part in parts])
    lat = np.concatenate([part[1] for part in parts])
    fresh = np.append(True, (np.diff(lon) != 0) | (np.diff(lat) != 0))
    if fresh.sum() < 2 <= len(fresh):
        fresh[-1] = True  # a trip on the spot is still a line, of two equal points
    return lon[fresh], lat[fresh]
