"""OSRM in this process: contraction hierarchies, thousands of legs a millisecond."""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from territory.errors import InputError, MissingExtraError, Problem, TravelError
from territory.travel.answers import RouteGeometry, SnappedPlaces
from territory.travel.base import RawTravel, TravelBase
from territory.travel.engines.asked import blocks, check_choice, check_most_moved, on_the_spot, runs
from territory.travel.engines.kept import checksum, extract_path, kept_graph, key_of, run_tool
from territory.travel.replies import (
    PROBES,
    TableReply,
    check_coordinates,
    geometry_of,
    osrm_anchors,
    osrm_met,
    osrm_route,
    osrm_table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.model.arrays import FloatArray
    from territory.model.places import Places
    from territory.travel.reply_values import Leg

__all__ = ["Osrm"]

#: Legs of one table: the engine's answer takes some 100 bytes a leg until it is read into arrays.
_BLOCK: Final = 1 << 20
#: Pairs that are asked in one table, of which only the diagonal is kept: fewer are slowed by calls, more by tables.
_PAIRS: Final = 16
#: The file beside a graph that only its algorithm writes.
_OWN_FILE: Final = {"CH": ".hsgr", "MLD": ".mldgr"}
_NAME: Final = "graph.osrm"


class Osrm(TravelBase):
    """Travel by OSRM in this process, from a graph that was built before; `from_osm` builds one.

    Places are moved to the nearest road of the main network: parts of fewer than 1,000 junctions that are cut off from
    it do not count. Times are OSRM's own, without traffic; there is none by time of day.

    Parameters
    ----------
    graph : path
        What ``osrm-extract`` and its followers wrote, without the last suffix: ``.../berlin.osrm``.
    algorithm : {"CH", "MLD"}
        What the graph was made ready for: contraction hierarchies, which answer tables fastest, or multi-level
        Dijkstra, which is ready sooner on very large extracts.
    most_moved_m : float
        Places further than this from a road are unreachable, metres.

    Attributes
    ----------
    attribution : str
        To be shown wherever results are.

    Raises
    ------
    InputError
        No graph there, none for this algorithm, or bad parameters.
    MissingExtraError
        osrm-bindings is not installed (extra ``road``, Python 3.12 or newer).
    TravelError
        The engine cannot read the graph.

    Notes
    -----
    On Liechtenstein a table of 1,000 by 1,000 takes about 0.4 s, and 1,000 pairs 0.1 s. Large tables are asked in
    blocks of a million legs. It pickles as the path of its graph, which the reading process must find there as well.
    """

    attribution = "© OpenStreetMap contributors, ODbL"

    def __init__(
        self,
        graph: str | os.PathLike[str],
        *,
        algorithm: Literal["CH", "MLD"] = "CH",
        most_moved_m: float = 1_000.0,
    ) -> None:
        check_choice("algorithm", algorithm, tuple(_OWN_FILE))
        self._most_moved_m = check_most_moved(most_moved_m)
        self._algorithm = algorithm
        self._graph = _graph_path(graph, algorithm)
        self._fingerprint: str | None = None
        self._osrm = _bindings()
        try:
            self._engine = self._osrm.OSRM(
                storage_config=str(self._graph),
                algorithm=algorithm,
                use_shared_memory=False,
                max_locations_distance_table=-1,
                max_locations_viaroute=-1,
            )
        except RuntimeError as error:
            raise TravelError(f"OSRM cannot read {self._graph}: {error}") from error
        reply = self._ask("Table", "TableParameters", list(PROBES), sources=[0], annotations=["duration"])
        self._anchors = osrm_anchors(reply)

    @classmethod
    def from_osm(
        cls,
        path: str | os.PathLike[str],
        *,
        mode: Literal["car", "bicycle", "foot"] = "car",
        folder: str | os.PathLike[str] | None = None,
        most_moved_m: float = 1_000.0,
        algorithm: Literal["CH", "MLD"] = "CH",
    ) -> Osrm:
        """Build the graph of an extract, or take the one that was built before.

        Parameters
        ----------
        path : path
            Extract of OpenStreetMap, ``.osm.pbf``, ``.osm.bz2`` or ``.osm``.
        mode : {"car", "bicycle", "foot"}
            The profile that comes with OSRM.
        folder : path, optional
            Where graphs are kept; by default in this user's cache. A graph is known by the extract's contents, the
            profile and the engine's version. Two processes may build at once.
        most_moved_m, algorithm
            See the class.

        Returns
        -------
        Osrm

        Raises
        ------
        InputError
            No such extract, or bad parameters.
        MissingExtraError
            osrm-bindings is not installed (extra ``road``, Python 3.12 or newer).
        TravelError
            The graph cannot be built or kept; with OSRM's last words.

        Notes
        -----
        About 3 s for Liechtenstein, minutes for a country, and then ten times the extract's size of memory.
        """
        check_choice("algorithm", algorithm, tuple(_OWN_FILE))
        check_choice("mode", mode, ("car", "bicycle", "foot"))
        check_most_moved(most_moved_m)
        extract = extract_path(path)
        package = Path(_bindings().__file__).parent
        profiles = package / "share" / "profiles"
        profile = profiles / f"{mode}.lua"
        key = (
            f"osrm-bindings={importlib.metadata.version('osrm-bindings')} {mode} {algorithm}"
            f" profile={checksum([profile, *sorted((profiles / 'lib').glob('*.lua'))])} extract={checksum([extract])}"
        )

        def build(to: Path) -> None:
            graph = to / _NAME
            tool = {name: package / "bin" / f"osrm-{name}{'.exe' if os.name == 'nt' else ''}" for name in _TOOLS}
            run_tool([tool["extract"], "--profile", profile, "--output", graph, extract])
            for step in ("contract",) if algorithm == "CH" else ("partition", "customize"):
                run_tool([tool[step], graph])

        found = kept_graph(folder, f"osrm-{mode}-{algorithm}", key, build)
        return cls(found / _NAME, algorithm=algorithm, most_moved_m=most_moved_m)

    @property
    def graph(self) -> Path:
        """Where the graph lies."""
        return self._graph

    @property
    def fingerprint(self) -> str:
        """What the graph was built from, or a checksum of its files, and the parameters.

        For a graph that `from_osm` did not build its files are read once: about a second a gigabyte.
        """
        if self._fingerprint is None:
            key = key_of(self._graph.parent) if self._graph.name == _NAME else None
            if key is None:
                files = sorted(self._graph.parent.glob(f"{self._graph.name}.*"))
                version = importlib.metadata.version("osrm-bindings")
                key = f"osrm-bindings={version} {self._algorithm} graph={checksum(files)}"
            self._fingerprint = f"osrm {key} most_moved_m={self._most_moved_m!r}"
        return self._fingerprint

    def raw_matrix(self, origins: Places, destinations: Places) -> RawTravel:
        """Ask tables of durations and distances, in blocks; see `TravelBase.raw_matrix`."""
        check_coordinates(origins=origins, destinations=destinations)
        start, end = _points(origins), _points(destinations)
        seconds, metres = np.empty((len(start), len(end))), np.empty((len(start), len(end)))
        for rows, columns in blocks(len(start), len(end), _BLOCK):
            found = self._table(start[rows], end[columns]).within(self._most_moved_m)
            seconds[rows, columns], metres[rows, columns] = found.seconds, found.metres
        return on_the_spot(seconds, metres, origins, destinations)

    def raw_pairs(self, origins: Places, destinations: Places) -> RawTravel:
        """Ask small tables and keep their diagonals; see `TravelBase.raw_pairs`."""
        check_coordinates(origins=origins, destinations=destinations)
        start, end = _points(origins), _points(destinations)
        seconds, metres = np.empty(len(start)), np.empty(len(start))
        for row in range(0, len(start), _PAIRS):
            here = slice(row, row + _PAIRS)
            found = self._table(start[here], end[here]).within(self._most_moved_m)
            seconds[here], metres[here] = np.diagonal(found.seconds), np.diagonal(found.metres)
        return on_the_spot(seconds, metres, origins, destinations, pairs=True)

    def snap(self, places: Places) -> SnappedPlaces:
        """Tell where tables begin and end at places; see `Travel.snap`."""
        check_coordinates(places=places)
        points = _points(places)
        lon, lat = np.array(places.lon, dtype=np.float64), np.array(places.lat, dtype=np.float64)
        moved = np.full(len(points), np.inf)
        for _, here in blocks(1, len(points), _BLOCK):
            found = self._table(self._anchors[:1], points[here]).destinations
            if found is not None:
                near = found.moved_m <= self._most_moved_m
                lon[here] = np.where(near, found.lon, lon[here])
                lat[here] = np.where(near, found.lat, lat[here])
                moved[here] = np.where(near, found.moved_m, np.inf)
        return SnappedPlaces(lon, lat, moved)

    def route_geometry(self, stops: Places) -> RouteGeometry:
        """Give the roads from each stop to the next, between the ends of `snap`; see `Travel.route_geometry`."""
        n = max(len(stops) - 1, 0)
        before = np.arange(n)
        legs = self.raw_pairs(stops.take(before), stops.take(before + 1))
        snapped = self.snap(stops)
        lines: list[Leg | None] = [None] * n
        for first, last in runs(np.isfinite(legs.seconds) & snapped.on_road[:-1] & snapped.on_road[1:]):
            here = slice(first, last + 1)
            met = np.column_stack((snapped.lon[here], snapped.lat[here]))
            lines[first:last] = self._route(np.column_stack((stops.lon[here], stops.lat[here])), met)
        return geometry_of(lines)

    def _route(self, points: FloatArray, met: FloatArray) -> list[Leg | None]:
        """Ask for the way along points in one go, and leg by leg where there is none.

        Points, and where tables move them to, are arrays of (lon, lat) of shape (n, 2).
        """
        options = {"steps": True, "geometries": "geojson", "overview": "false", "continue_straight": False}
        reply = self._ask("Route", "RouteParameters", [(x, y) for x, y in points.tolist()], **options)
        legs = osrm_route(reply, len(points))
        if legs is not None:
            elsewhere = ~osrm_met(reply, met[:, 0], met[:, 1])
            if not elsewhere.any() or (points[elsewhere] == met[elsewhere]).all():
                return list(legs)
            return self._route(np.where(elsewhere[:, None], met, points), met)
        if len(points) == 2:
            return [None] if (points == met).all() else self._route(met, met)
        return [leg for i in range(len(points) - 1) for leg in self._route(points[i : i + 2], met[i : i + 2])]

    def _table(self, start: Sequence[tuple[float, float]], end: Sequence[tuple[float, float]]) -> TableReply:
        """Ask for one table, with the anchors in front; see `territory.travel.replies`."""
        first = len(self._anchors)
        middle = first + len(start)
        reply = self._ask(
            "Table",
            "TableParameters",
            [*self._anchors, *start, *end],
            sources=list(range(first, middle)),
            destinations=list(range(middle, middle + len(end))),
            annotations=["duration", "distance"],
        )
        return osrm_table(reply, len(start), len(end))

    def _ask(self, service: str, parameters: str, points: Sequence[tuple[float, float]], **options: Any) -> Any:
        asked = getattr(self._osrm, parameters)(coordinates=list(points), generate_hints=False, **options)
        try:
            reply = getattr(self._engine, service)(asked)
        except RuntimeError as error:
            code, _, message = str(error).partition(" - ")
            return {"code": code, "message": message}
        kinds = (self._osrm.Object, self._osrm.Array)
        if service == "Table":
            return {
                name: _table(reply[name], *kinds) if name in _TABLES else _plain(reply[name], *kinds) for name in reply
            }
        return _plain(reply, *kinds)

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (str(self._graph), self._algorithm, self._most_moved_m, self._fingerprint)

    def __repr__(self) -> str:
        return f"Osrm({str(self._graph)!r}, algorithm={self._algorithm!r}, most_moved_m={self._most_moved_m!r})"


_TABLES: Final = ("durations", "distances")
_TOOLS: Final = ("extract", "contract", "partition", "customize")


def _opened(graph: str, algorithm: Literal["CH", "MLD"], most_moved_m: float, fingerprint: str | None) -> Osrm:
    travel = Osrm(graph, algorithm=algorithm, most_moved_m=most_moved_m)
    travel._fingerprint = fingerprint  # noqa: SLF001 - its own, from the process that pickled it
    return travel


def _bindings() -> Any:
    try:
        import osrm  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("osrm-bindings", "road", (3, 12)) from error
    return osrm


def _graph_path(graph: str | os.PathLike[str], algorithm: str) -> Path:
    given = Path(graph).expanduser().resolve()
    path = given if given.suffix == ".osrm" else given.with_name(f"{given.name}.osrm")
    if not path.with_name(f"{path.name}.properties").is_file():
        problem = Problem("graph-missing", f"no graph of OSRM at {path}.*", "graph", hint="Maybe Osrm.from_osm(path)?")
        raise InputError([problem], "OSRM graph")
    if not path.with_name(path.name + _OWN_FILE[algorithm]).is_file():
        other = "MLD" if algorithm == "CH" else "CH"
        message = f"the graph at {path} was not made ready for {algorithm}"
        hint = f"Maybe it was for {other}?"
        raise InputError([Problem("graph-algorithm", message, "algorithm", hint=hint)], "OSRM graph")
    return path


def _points(places: Places) -> list[tuple[float, float]]:
    return list(zip(places.lon.tolist(), places.lat.tolist(), strict=True))


def _table(value: Any, kind: Any, sequence: Any) -> Any:
    """Turn a table into an array, without a million Python objects in between; or into lists where it holds nulls."""
    try:
        found = np.stack([np.fromiter(row, dtype=np.float64, count=len(row)) for row in value])
    except (TypeError, ValueError):
        return _plain(value, kind, sequence)
    # a null has become NaN, and must be told from one that OSRM gave
    return _plain(value, kind, sequence) if np.isnan(found).any() else found


def _plain(value: Any, kind: Any, sequence: Any) -> Any:
    """Turn the engine's own objects and arrays into dictionaries and lists."""
    if isinstance(value, sequence):
        entries = list(value)
        nested = bool(entries) and isinstance(entries[0], kind | sequence)
        return [_plain(entry, kind, sequence) for entry in entries] if nested else entries
    if isinstance(value, kind):
        return {name: _plain(value[name], kind, sequence) for name in value}
    return value
