"""Valhalla in this process: travel by car, bicycle and on foot from one set of tiles, and by time of day."""

from __future__ import annotations

import importlib.metadata
import json
import os
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from territory.errors import InputError, MissingExtraError, Problem, TravelError
from territory.travel.answers import RouteGeometry, SnappedPlaces
from territory.travel.base import RawTravel, TravelBase
from territory.travel.engines.asked import check_choice, check_most_moved, on_the_spot, runs
from territory.travel.engines.kept import checksum, extract_path, kept_graph, key_of, run_tool
from territory.travel.replies import (
    MOST_LAT,
    check_coordinates,
    geometry_of,
    valhalla_locate,
    valhalla_matrix,
    valhalla_route,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.model.places import Places
    from territory.travel.reply_values import Leg

__all__ = ["COSTING", "Valhalla", "departure_of"]

#: Valhalla's name for a mode.
COSTING: Final = {"car": "auto", "bicycle": "bicycle", "foot": "pedestrian"}
#: Legs of one table.
_BLOCK: Final = 1 << 18
#: Places of one ``locate``, which is answered at length.
_LOCATED: Final = 1_000
#: Places whose point on the road is remembered.
_REMEMBERED: Final = 1 << 18
#: Longest way of a table, metres: what Valhalla reserves for the search of one table grows with it (150 ms a request
#: at a million kilometres, 3 ms at this), and roads of a continent are no longer.
_LONGEST_M: Final = 4e6
#: Entries of a request, beyond any that is made here.
_MANY: Final = 1 << 30
_TILES: Final = "tiles"


class Valhalla(TravelBase):
    """Travel by Valhalla in this process, from tiles that were built before; `from_osm` builds them.

    Twenty times slower at tables than OSRM, and there for what the others do not have: one set of tiles for all modes,
    and times of departure. These matter where access is restricted by the hour or tiles hold speeds by time of day;
    tiles from an extract alone hold no traffic.

    Tables are made by `timedistancematrix`, one search an origin. Valhalla's usual `costmatrix` gives other times for
    the same two places when other places are in the request (5 % of legs on Liechtenstein, by up to 22 s), so that a
    plan could not be checked by pairs.

    Parameters
    ----------
    tiles : path
        Directory of tiles as ``valhalla_build_tiles`` wrote it.
    mode : {"car", "bicycle", "foot"}
    departure : str, optional
        Local time at which every trip begins, ``"2026-01-06T08:00"``; None: any time.
    most_moved_m : float
        Places further than this from a road are unreachable, metres.

    Attributes
    ----------
    attribution : str
        To be shown wherever results are.

    Raises
    ------
    InputError
        No tiles there, or bad parameters.
    MissingExtraError
        pyvalhalla is not installed (extra ``road``, Python 3.12 or newer).
    TravelError
        The engine cannot read the tiles.

    Notes
    -----
    On Liechtenstein tiles take about 2 s to build, a table of 500 by 500 takes 2 to 3 s by car or bicycle and 5 s on
    foot, and 300 pairs 1 s. Time grows with the origins, and little with the destinations. It pickles as the path of
    its tiles, which the reading process must find there as well.
    """

    attribution = "© OpenStreetMap contributors, ODbL"

    def __init__(
        self,
        tiles: str | os.PathLike[str],
        *,
        mode: Literal["car", "bicycle", "foot"] = "car",
        departure: str | None = None,
        most_moved_m: float = 1_000.0,
    ) -> None:
        check_choice("mode", mode, tuple(COSTING))
        self._mode = mode
        self._most_moved_m = check_most_moved(most_moved_m)
        self._departure, self._departure_s = departure_of(departure)
        self._tiles = Path(tiles).expanduser().resolve()
        if not any(self._tiles.glob("*/**/*.gph")):
            problem = Problem("tiles-missing", f"no tiles of Valhalla in {self._tiles}", "tiles")
            raise InputError([problem], "Valhalla tiles")
        self._fingerprint: str | None = None
        self._found: dict[tuple[float, float], tuple[float, float, float]] = {}
        self._lock = threading.Lock()
        valhalla = _bindings()
        try:
            self._actor = valhalla.Actor(_config(valhalla, self._tiles))
        except RuntimeError as error:
            raise TravelError(f"Valhalla cannot read {self._tiles}: {error}") from error

    @classmethod
    def from_osm(
        cls,
        path: str | os.PathLike[str],
        *,
        mode: Literal["car", "bicycle", "foot"] = "car",
        folder: str | os.PathLike[str] | None = None,
        departure: str | None = None,
        most_moved_m: float = 1_000.0,
    ) -> Valhalla:
        """Build the tiles of an extract, or take those that were built before.

        Parameters
        ----------
        path : path
            Extract of OpenStreetMap, ``.osm.pbf``.
        folder : path, optional
            Where tiles are kept; by default in this user's cache. Tiles are known by the extract's contents and the
            engine's version, and serve all modes. Two processes may build at once.
        mode, departure, most_moved_m
            See the class.

        Returns
        -------
        Valhalla

        Raises
        ------
        InputError
            No such extract, or bad parameters.
        MissingExtraError
            pyvalhalla is not installed (extra ``road``, Python 3.12 or newer).
        TravelError
            The tiles cannot be built or kept; with Valhalla's last words.
        """
        check_choice("mode", mode, tuple(COSTING))
        check_most_moved(most_moved_m)
        departure_of(departure)
        extract = extract_path(path)
        valhalla = _bindings()
        key = f"pyvalhalla={importlib.metadata.version('pyvalhalla')} extract={checksum([extract])}"

        def build(to: Path) -> None:
            tiles = to / _TILES
            tiles.mkdir()
            config = to / "config.json"
            config.write_text(json.dumps(_config(valhalla, tiles)), encoding="utf-8")
            suffix = ".exe" if os.name == "nt" else ""
            tool = Path(valhalla.__file__).parent / "bin" / f"valhalla_build_tiles{suffix}"
            run_tool([tool, "-c", config, extract])
            config.unlink()  # it names the directory before it was renamed

        found = kept_graph(folder, "valhalla", key, build)
        return cls(found / _TILES, mode=mode, departure=departure, most_moved_m=most_moved_m)

    @property
    def tiles(self) -> Path:
        """Where the tiles lie."""
        return self._tiles

    @property
    def fingerprint(self) -> str:
        """What the tiles were built from, or a checksum of them, and the parameters.

        Tiles that `from_osm` did not build are read once: about a second a gigabyte.
        """
        if self._fingerprint is None:
            key = key_of(self._tiles.parent) if self._tiles.name == _TILES else None
            if key is None:
                version = importlib.metadata.version("pyvalhalla")
                key = f"pyvalhalla={version} tiles={checksum(sorted(self._tiles.glob('*/**/*.gph')))}"
            self._fingerprint = (
                f"valhalla {key} {self._mode} departure={self._departure} most_moved_m={self._most_moved_m!r}"
            )
        return self._fingerprint

    def raw_matrix(self, origins: Places, destinations: Places) -> RawTravel:
        """Ask tables between the points of `snap`, in blocks of origins; see `TravelBase.raw_matrix`."""
        check_coordinates(origins=origins, destinations=destinations)
        start, end = self.snap(origins), self.snap(destinations)
        seconds = np.full((len(origins), len(destinations)), np.inf)
        metres = seconds.copy()
        rows, columns = np.flatnonzero(start.on_road), np.flatnonzero(end.on_road)
        targets = _locations(end, columns)
        # where there are more origins than destinations Valhalla searches backwards, with other answers
        step = max(1, min(len(columns), _BLOCK // max(len(columns), 1)))
        for first in range(0, len(rows) if len(columns) else 0, step):
            here = rows[first : first + step]
            asked = {"sources": _locations(start, here), "targets": targets, "verbose": False}
            found = valhalla_matrix(self._ask("matrix", asked), len(here), len(columns))
            seconds[np.ix_(here, columns)], metres[np.ix_(here, columns)] = found.seconds, found.metres
        return on_the_spot(seconds, metres, origins, destinations, departure_s=self._departure_s)

    def raw_pairs(self, origins: Places, destinations: Places) -> RawTravel:
        """Ask one row of a table for each origin, see `TravelBase.raw_pairs`."""
        self.snap(origins)
        self.snap(destinations)  # in one go: from here on they are remembered
        found = super().raw_pairs(origins, destinations)
        return RawTravel(found.seconds, found.metres, departure_s=self._departure_s)

    def snap(self, places: Places) -> SnappedPlaces:
        """Give the nearest points of the network, between which all else is asked; see `Travel.snap`."""
        check_coordinates(places=places)
        points = list(zip(places.lon.tolist(), places.lat.tolist(), strict=True))
        if len(self._found) > _REMEMBERED:
            self._found.clear()
        new = [point for point in dict.fromkeys(points) if point not in self._found]
        for first in range(0, len(new), _LOCATED):
            some = np.array(new[first : first + _LOCATED])
            locations = [{"lon": x, "lat": min(max(y, -MOST_LAT), MOST_LAT)} for x, y in some.tolist()]
            asked = {"locations": locations, "verbose": True}
            located = valhalla_locate(self._ask("locate", asked), some[:, 0], some[:, 1])
            rows = zip(located.lon.tolist(), located.lat.tolist(), located.moved_m.tolist(), strict=True)
            self._found.update(zip(new[first : first + _LOCATED], rows, strict=True))
        table = np.array([self._found[point] for point in points]).reshape(-1, 3)
        near = table[:, 2] <= self._most_moved_m
        return SnappedPlaces(
            np.where(near, table[:, 0], places.lon),
            np.where(near, table[:, 1], places.lat),
            np.where(near, table[:, 2], np.inf),
        )

    def route_geometry(self, stops: Places) -> RouteGeometry:
        """Give the roads from each stop to the next, between the points of `snap`; see `Travel.route_geometry`."""
        snapped = self.snap(stops)
        lines: list[Leg | None] = [None] * max(len(stops) - 1, 0)
        points = _locations(snapped, np.arange(len(stops)))
        for first, last in runs(snapped.on_road[:-1] & snapped.on_road[1:]):
            if self._departure is None:
                lines[first:last] = self._route(points[first : last + 1])
            else:  # every leg begins at the time of departure, as in tables
                lines[first:last] = [leg for i in range(first, last) for leg in self._route(points[i : i + 2])]
        return geometry_of(lines)

    def _route(self, points: Sequence[dict[str, float]]) -> list[Leg | None]:
        """Ask for the way along points in one go, and leg by leg where there is none."""
        legs = valhalla_route(self._ask("route", {"locations": list(points), "directions_type": "none"}), len(points))
        if legs is not None:
            return list(legs)
        if len(points) == 2:
            return [None]
        return [leg for i in range(len(points) - 1) for leg in self._route(points[i : i + 2])]

    def _ask(self, service: str, asked: dict[str, Any]) -> Any:
        request = {**asked, "costing": COSTING[self._mode], "units": "kilometers"}
        if self._departure is not None and service != "locate":
            request["date_time"] = {"type": 1, "value": self._departure}
        try:
            with self._lock:
                reply = getattr(self._actor, service)(json.dumps(request))
        except RuntimeError as error:
            return {"error_code": getattr(error, "code", None), "error": str(error)}
        try:
            return json.loads(reply)
        except ValueError as error:
            raise TravelError(f"Valhalla's reply is no JSON: {error}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (str(self._tiles), self._mode, self._departure, self._most_moved_m, self._fingerprint)

    def __repr__(self) -> str:
        options = f"mode={self._mode!r}, departure={self._departure!r}, most_moved_m={self._most_moved_m!r}"
        return f"Valhalla({str(self._tiles)!r}, {options})"


def departure_of(departure: str | None) -> tuple[str | None, float | None]:
    """Read a local time of departure.

    Parameters
    ----------
    departure : str, optional
        ISO 8601 without a zone, to the minute: ``"2026-01-06T08:00"``.

    Returns
    -------
    text, seconds from midnight
        None where there is none.

    Raises
    ------
    InputError
        What is no such time.

    Examples
    --------
    >>> departure_of("2026-01-06T08:00")
    ('2026-01-06T08:00', 28800.0)
    """
    if departure is None:
        return None, None
    try:
        moment = datetime.fromisoformat(departure)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is not None or moment.second or moment.microsecond or "T" not in departure:
        message = f"expected a local time such as '2026-01-06T08:00', not {departure!r}"
        raise InputError([Problem("departure-format", message, "departure")], "travel")
    return moment.strftime("%Y-%m-%dT%H:%M"), moment.hour * 3_600.0 + moment.minute * 60.0


def _opened(
    tiles: str,
    mode: Literal["car", "bicycle", "foot"],
    departure: str | None,
    most_moved_m: float,
    fingerprint: str | None,
) -> Valhalla:
    travel = Valhalla(tiles, mode=mode, departure=departure, most_moved_m=most_moved_m)
    travel._fingerprint = fingerprint  # noqa: SLF001 - its own, from the process that pickled it
    return travel


def _bindings() -> Any:
    try:
        import valhalla  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("pyvalhalla", "road", (3, 12)) from error
    return valhalla


def _config(valhalla: Any, tiles: Path) -> dict[str, Any]:
    """Return Valhalla's settings: these tiles, nothing else that lies on this machine, and no limits on requests."""
    # the package hands out its own nested dictionaries
    config: dict[str, Any] = json.loads(json.dumps(valhalla.get_config(tile_extract="", tile_dir=tiles)))
    for name in ("admin", "timezone", "landmarks", "traffic_extract", "transit_dir", "transit_feeds_dir"):
        config["mjolnir"].pop(name, None)
    for costing in COSTING.values():
        limits = config["service_limits"][costing]
        limits.update(max_locations=_MANY, max_matrix_location_pairs=_MANY)
        limits.update(max_distance=_LONGEST_M, max_matrix_distance=_LONGEST_M)
    config["service_limits"].update(max_timedep_distance=_LONGEST_M, max_timedep_distance_matrix=_LONGEST_M)
    config["thor"]["source_to_target_algorithm"] = "timedistancematrix"
    # points of `snap` are on the road; they must not be moved again, to a junction
    config["loki"]["service_defaults"]["node_snap_tolerance"] = 0
    return config


def _locations(snapped: SnappedPlaces, rows: Any) -> list[dict[str, float]]:
    xy = zip(snapped.lon[rows].tolist(), snapped.lat[rows].tolist(), strict=True)
    return [{"lon": lon, "lat": lat} for lon, lat in xy]
