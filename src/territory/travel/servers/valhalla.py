"""Valhalla over HTTP."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from territory.errors import TravelError
from territory.travel.answers import SnappedPlaces
from territory.travel.engines.valhalla import COSTING, departure_of
from territory.travel.pair_table import PairTable, pair_codes
from territory.travel.replies import (
    MOST_LAT,
    TableReply,
    check_coordinates,
    valhalla_locate,
    valhalla_matrix,
    valhalla_route,
)
from territory.travel.servers.address import address_of
from territory.travel.servers.base import ServerTravel, check_count, refuse
from territory.travel.servers.client import JsonClient, Question, first_error
from territory.travel.servers.tiles import Points

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray
    from territory.model.places import Places
    from territory.travel.reply_values import Leg
    from territory.travel.servers.limits import HttpLimits
    from territory.travel.servers.reading import Answer
    from territory.travel.servers.tiles import Part, Point

__all__ = ["ValhallaServer"]

#: Places of one ``locate``: some 10 kB of answer each.
_LOCATED: Final = 200
#: Places whose point on the road is remembered.
_REMEMBERED: Final = 1 << 18
#: The only way of making tables whose answers do not depend on what else is asked.
_STEADY: Final = "timedistancematrix"
#: What Valhalla says where there is no way between two places.
_NO_WAY: Final = (170, 441, 442)


class ValhallaServer(ServerTravel):
    """Travel from a server of Valhalla (``valhalla_service``).

    Places are moved to the nearest road, as `territory.travel.engines.Valhalla` does. Coordinates are all that leaves
    this process, rounded to 6 digits.

    A server as it comes makes tables by ``costmatrix``, which gives slightly different times for the same two places
    when others are in the request. Of such a server the first answer for a pair is remembered and stays the answer,
    in this process; between processes only a cache can do that. It is better to set
    ``thor.source_to_target_algorithm`` to ``timedistancematrix`` on the server.

    Parameters
    ----------
    url : str
        Address up to, and without, ``/sources_to_targets``: ``http://localhost:8002``. A name and password before the
        host, and parameters, are sent along and never shown.
    mode : {"car", "bicycle", "foot"}
    departure : str, optional
        Local time at which every trip begins, ``"2026-01-06T08:00"``; None: any time.
    most_moved_m : float
        Places further than this from a road are unreachable, metres.
    max_table : int
        Most legs of a table, the server's ``max_matrix_location_pairs``.
    max_stops : int
        Most stops of a route, the server's ``max_locations``; at least 2.
    max_pairs : int
        Pairs that are remembered of a server whose answers depend on what else is asked, 24 bytes each.
    data_version : str, optional
        What data the server's tiles were built from, for the fingerprint; default: what the server says of them.
    limits : HttpLimits, optional
    headers : mapping of str to str, optional
        Sent along, e.g. an API key; never shown.
    transport : httpx2.BaseTransport, optional
        What sends the requests, e.g. through a proxy; default: plain connections.

    Attributes
    ----------
    attribution : str
        To be shown wherever results are.

    Raises
    ------
    InputError
        Bad parameters. Nothing is asked yet.

    Notes
    -----
    A table between m and n places takes about ``m * n / 2500`` requests with the default `max_table`. Two places that
    are further apart than the server's ``max_matrix_distance`` make it refuse the whole request; and by 400 km, as
    servers come, some find no way where one takes several hours. It is better to set it to that of a continent.
    """

    def __init__(
        self,
        url: str,
        *,
        mode: Literal["car", "bicycle", "foot"] = "car",
        departure: str | None = None,
        most_moved_m: float = 1_000.0,
        max_table: int = 2_500,
        max_stops: int = 20,
        max_pairs: int = 10_000_000,
        data_version: str | None = None,
        limits: HttpLimits | None = None,
        headers: Mapping[str, str] | None = None,
        transport: Any = None,
    ) -> None:
        super().__init__(JsonClient("Valhalla", address_of(url, headers), limits, transport), mode, most_moved_m)
        self._departure, self._departure_s = departure_of(departure)
        self._max_table = check_count("max_table", max_table, 1)
        self._max_stops = check_count("max_stops", max_stops, 2)
        self._max_pairs = check_count("max_pairs", max_pairs, 0)
        self._told_version = data_version
        self._fingerprint: str | None = None
        self._on_road: dict[Point, tuple[float, float, float]] = {}
        self._unsteady = False
        self._codes: dict[Point, int] = {}
        self._first_told = PairTable(2)
        self._lock = threading.RLock()

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {**self.__dict__, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.RLock())

    @property
    def fingerprint(self) -> str:
        """Engine, address, parameters and data; the server is asked for its data's version if none was given.

        A server that does not answer then has unknown data, for the whole life of this object.
        """
        if self._fingerprint is None:
            version = self._told_version
            if version is None:
                try:
                    version = self._client.ask(Question("/status"), _version_of)
                except TravelError:
                    version = "unknown"
            self._fingerprint = (
                f"valhalla-server {self._client.address.url} mode={self._mode} departure={self._departure}"
                f" data={version} most_moved_m={self._most_moved_m!r}"
            )
        return self._fingerprint

    def snap(self, places: Places) -> SnappedPlaces:
        """Give the nearest points of the network, between which all else is asked; see `Travel.snap`."""
        check_coordinates(places=places)
        points = Points(places)
        with self._lock:
            self._prepare(points.points)
            table = np.array([self._on_road[point] for point in points.points]).reshape(-1, 3)[points.at]
        near = table[:, 2] <= self._most_moved_m
        return SnappedPlaces(
            np.where(near, table[:, 0], places.lon),
            np.where(near, table[:, 1], places.lat),
            np.where(near, table[:, 2], np.inf),
        )

    def _prepare(self, points: Sequence[Point]) -> None:
        """Ask where the points are on the road."""
        if len(self._on_road) + len(points) > _REMEMBERED:
            self._on_road.clear()
        new = [point for point in points if point not in self._on_road]
        chunks = [new[first : first + _LOCATED] for first in range(0, len(new), _LOCATED)]
        questions = [
            self._posted("/locate", {"locations": [_location(float(x), float(y)) for x, y in chunk]})
            for chunk in chunks
        ]

        def read(at: int, answer: Answer) -> SnappedPlaces:
            refuse(answer)
            xy = np.array(chunks[at], dtype=np.float64)
            return valhalla_locate(answer.data, xy[:, 0], xy[:, 1])

        answers = self._client.ask_all(questions, read)
        for chunk, found in zip(chunks, answers, strict=True):
            if not isinstance(found, TravelError):
                rows = zip(found.lon.tolist(), found.lat.tolist(), found.moved_m.tolist(), strict=True)
                self._on_road.update(zip(chunk, rows, strict=True))
        error = first_error(answers)
        if error is not None:
            raise error

    def _kept(self, points: Sequence[Point]) -> NDArray[np.intp]:
        return np.flatnonzero([self._on_road[point][2] <= self._most_moved_m for point in points])

    def _fits(self, rows: int, columns: int, points: int) -> bool:  # noqa: ARG002 - each side counts by itself
        return rows * max(rows, columns) <= self._max_table

    def _widest(self, rows: int) -> int:
        return self._max_table // rows if rows * rows <= self._max_table else 0

    def _most_stops(self) -> int:
        # a line of several legs begins its second one later than a table does
        return self._max_stops if self._departure is None else 2

    def _question(self, start: Sequence[Point], end: Sequence[Point]) -> Question:
        # where there are fewer targets than sources Valhalla searches backwards, with other answers
        padded = [*end, *[end[-1]] * (len(start) - len(end))]
        asked: dict[str, Any] = {"sources": self._locations(start), "targets": self._locations(padded)}
        return self._posted("/sources_to_targets", self._timed({**asked, "verbose": False}))

    def _table(self, answer: Answer, start: Sequence[Point], end: Sequence[Point]) -> TableReply:
        _refuse(answer)
        found = valhalla_matrix(answer.data, len(start), max(len(start), len(end)))
        if answer.data.get("algorithm") != _STEADY:
            self._unsteady = True
        return TableReply(found.seconds[:, : len(end)], found.metres[:, : len(end)])

    def _ask(
        self, start: Sequence[Point], end: Sequence[Point], shape: tuple[int, ...], parts: Callable[[], list[Part]]
    ) -> tuple[FloatArray, FloatArray, NDArray[np.bool_], TravelError | None]:
        """Ask, but keep to what was answered before where answers depend on the question."""
        with self._lock:
            first = np.array([self._codes.setdefault(point, len(self._codes)) for point in start], dtype=np.int64)
            second = np.array([self._codes.setdefault(point, len(self._codes)) for point in end], dtype=np.int64)
            codes = pair_codes(first[:, None], second) if len(shape) == 2 else pair_codes(first, second)
            known, (seconds, metres) = self._first_told.find(codes)
            if known.all() and known.size:
                return seconds, metres, ~known, None
            seconds, metres, failed, error = super()._ask(start, end, shape, parts)
            if self._unsteady:
                new = ~known & ~failed
                if len(self._first_told) + np.count_nonzero(new) > self._max_pairs:
                    return seconds, metres, np.ones(shape, dtype=np.bool_), self._too_many()
                self._first_told.add(codes[new], np.stack((seconds[new], metres[new])))
                known, (told_s, told_m) = self._first_told.find(codes)
                seconds, metres = np.where(known, told_s, seconds), np.where(known, told_m, metres)
                failed &= ~known
            return seconds, metres, failed, error if failed.any() else None

    def _too_many(self) -> TravelError:
        return TravelError(
            f"Valhalla at {self._client.address.host}: its answers depend on what else is asked, and no more than"
            f" {self._max_pairs:,} pairs of them are remembered; set thor.source_to_target_algorithm to {_STEADY}"
            f" on the server, or max_pairs here"
        )

    def _lines(self, stops: Sequence[Point], met: Sequence[Point]) -> list[Leg | None]:
        asked = self._timed({"locations": [_location(float(x), float(y)) for x, y in met]})

        def read(answer: Answer) -> list[Leg] | None:
            _refuse(answer)
            return valhalla_route(answer.data, len(met))

        legs = self._client.ask(self._posted("/route", {**asked, "directions_type": "none"}), read)
        if legs is not None:
            return list(legs)
        if len(met) == 2:
            return [None]
        return [leg for i in range(len(met) - 1) for leg in self._lines(stops[i : i + 2], met[i : i + 2])]

    def _locations(self, points: Sequence[Point]) -> list[dict[str, float]]:
        on_road = [self._on_road[point] for point in points]
        return [_location(lon, lat) for lon, lat, _ in on_road]

    def _timed(self, asked: dict[str, Any]) -> dict[str, Any]:
        return asked if self._departure is None else {**asked, "date_time": {"type": 1, "value": self._departure}}

    def _posted(self, path: str, asked: dict[str, Any]) -> Question:
        request = {**asked, "costing": COSTING[self._mode], "units": "kilometers"}
        if path == "/locate":
            request["verbose"] = True  # else it does not tell which edges are cut off from the network
        return Question(path, json.dumps(request, separators=(",", ":")).encode())


def _refuse(answer: Answer) -> None:
    if answer.status == 200 or answer.data.get("error_code") not in _NO_WAY:
        refuse(answer)


def _location(lon: float, lat: float) -> dict[str, float]:
    # a point on the road must not be moved again, to a junction
    return {"lon": lon, "lat": min(max(lat, -MOST_LAT), MOST_LAT), "node_snap_tolerance": 0}


def _version_of(answer: Answer) -> str:
    refuse(answer)
    if not isinstance(answer.data, dict):
        raise TravelError("its status is no object")
    told = (answer.data.get("version"), answer.data.get("tileset_last_modified"))
    return " ".join(str(each)[:50] for each in told if isinstance(each, (str, int))) or "unknown"
