"""OSRM over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from territory.errors import InputError, Problem, TravelError
from territory.travel.answers import SnappedPlaces
from territory.travel.replies import PROBES, check_coordinates, osrm_anchors, osrm_met, osrm_route, osrm_table
from territory.travel.servers.address import address_of
from territory.travel.servers.base import ServerTravel, check_count, refuse
from territory.travel.servers.client import JsonClient, Question, first_error
from territory.travel.servers.tiles import Points, point_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from territory.model.places import Places
    from territory.travel.replies import TableReply
    from territory.travel.reply_values import Leg
    from territory.travel.servers.limits import HttpLimits
    from territory.travel.servers.reading import Answer
    from territory.travel.servers.tiles import Point

__all__ = ["OsrmServer"]

#: What the profiles that come with OSRM are called in addresses; a server of one graph ignores it.
_PROFILES: Final = {"car": "car", "bicycle": "bike", "foot": "foot"}
#: Letters that a point takes in an address, and those beside it: a separator, and its positions in two lists.
_LONGEST_POINT: Final = len("-179.123456,-89.123456")
_BESIDE: Final = 11
_TABLE: Final = "?annotations=duration,distance&generate_hints=false&sources=&destinations="


class OsrmServer(ServerTravel):
    """Travel from a server of OSRM (``osrm-routed``).

    Places are moved to the nearest road of the main network, as `territory.travel.engines.Osrm` does. Coordinates are
    all that leaves this process, rounded to 6 digits.

    Parameters
    ----------
    url : str
        Address up to, and without, ``/table/v1``: ``http://localhost:5000``. A name and password before the host, and
        parameters, are sent along and never shown.
    mode : {"car", "bicycle", "foot"}
        What the server's graph was built for. It cannot be checked.
    profile : str, optional
        What the mode is called in addresses; default: ``car``, ``bike`` or ``foot``.
    most_moved_m : float
        Places further than this from a road are unreachable, metres.
    max_table : int
        The server's ``--max-table-size``: a table has no more legs than its square.
    max_coordinates : int, optional
        Most coordinates of a request, at least 20, four of which are taken up by points that make the answers the same
        whatever else is asked with them. Default: `max_table`, which every server takes. ``osrm-routed`` itself takes
        more: twice `max_table` and four here saves three requests in four.
    max_url_bytes : int
        Longest address that is asked for, as servers and proxies refuse long ones.
    data_version : str, optional
        What data the server's graph was built from, for the fingerprint; default: what the server says it is.
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
    A table between m and n places takes about ``m * n / 2304`` requests with the default limits.
    """

    def __init__(
        self,
        url: str,
        *,
        mode: Literal["car", "bicycle", "foot"] = "car",
        profile: str | None = None,
        most_moved_m: float = 1_000.0,
        max_table: int = 100,
        max_coordinates: int | None = None,
        max_url_bytes: int = 8_000,
        data_version: str | None = None,
        limits: HttpLimits | None = None,
        headers: Mapping[str, str] | None = None,
        transport: Any = None,
    ) -> None:
        super().__init__(JsonClient("OSRM", address_of(url, headers), limits, transport), mode, most_moved_m)
        self._max_table = check_count("max_table", max_table, 2)
        most = max_table if max_coordinates is None else max_coordinates
        self._max_coordinates = check_count("max_coordinates", most, len(PROBES))
        self._max_url_bytes = check_count("max_url_bytes", max_url_bytes, 1_000)
        self._profile = _PROFILES[mode] if profile is None else profile
        if not self._profile.replace("-", "a").replace("_", "a").isalnum():
            problem = Problem("profile-unknown", f"expected letters and digits, not {profile!r}", "profile")
            raise InputError([problem], "travel")
        self._told_version = data_version
        self._anchors: tuple[Point, ...] = ()
        self._served_version: str | None = None
        self._fingerprint: str | None = None

    @property
    def fingerprint(self) -> str:
        """Engine, address, parameters and data; the server is asked for its data's version if none was given.

        A server that does not answer then has unknown data, for the whole life of this object.
        """
        if self._fingerprint is None:
            version = self._told_version
            if version is None:
                try:
                    self._prepare(())
                except TravelError:
                    version = "unknown"
                else:
                    version = self._served_version or "unknown"
            self._fingerprint = (
                f"osrm-server {self._client.address.url} mode={self._mode} profile={self._profile}"
                f" data={version} most_moved_m={self._most_moved_m!r}"
            )
        return self._fingerprint

    def snap(self, places: Places) -> SnappedPlaces:
        """Tell where tables begin and end at places; see `Travel.snap`."""
        check_coordinates(places=places)
        at = Points(places)
        lon, lat = np.array(places.lon, dtype=np.float64), np.array(places.lat, dtype=np.float64)
        if not len(at):
            return SnappedPlaces(lon, lat, np.zeros(0))
        self._prepare(at.points)
        step = min(self._most_points(), self._max_table**2)
        chunks = [at.points[first : first + step] for first in range(0, len(at), step)]

        def read(chunk: int, answer: Answer) -> TableReply:
            return self._table(answer, self._anchors[:1], chunks[chunk]).within(self._most_moved_m)

        found = self._client.ask_all([self._question(self._anchors[:1], chunk) for chunk in chunks], read)
        error = first_error(found)
        if error is not None:
            raise error
        ends = [each.destinations for each in found if not isinstance(each, TravelError)]
        to_lon = np.concatenate([end.lon for end in ends if end is not None])[at.at]
        to_lat = np.concatenate([end.lat for end in ends if end is not None])[at.at]
        moved = np.concatenate([end.moved_m for end in ends if end is not None])[at.at]
        near = np.isfinite(moved)
        return SnappedPlaces(np.where(near, to_lon, lon), np.where(near, to_lat, lat), moved)

    def _prepare(self, points: Sequence[Point]) -> None:  # noqa: ARG002 - the same for all points
        """Ask for the points that every table has to contain."""
        if self._anchors:
            return
        probes = ";".join(",".join(point_of(lon, lat)) for lon, lat in PROBES)
        path = f"/table/v1/{self._profile}/{probes}?annotations=duration&generate_hints=false&sources=0"
        self._anchors = self._client.ask(Question(path), self._anchors_of)

    def _anchors_of(self, answer: Answer) -> tuple[Point, ...]:
        refuse(answer)
        anchors = osrm_anchors(answer.data)
        self._check_version(answer.data)
        return tuple(dict.fromkeys(point_of(lon, lat) for lon, lat in anchors))

    def _fits(self, rows: int, columns: int, points: int) -> bool:
        return rows * columns <= self._max_table**2 and points <= self._most_points()

    def _widest(self, rows: int) -> int:
        return min(self._most_points() - rows, self._max_table**2 // rows)

    def _most_points(self) -> int:
        """Return how many points an address has room for, beside those that are in each."""
        fixed = len(self._client.url(Question(f"/table/v1/{self._profile}/{_TABLE}")))
        in_address = (self._max_url_bytes - fixed) // (_LONGEST_POINT + _BESIDE)
        return min(self._max_coordinates, in_address) - len(self._anchors)

    def _most_stops(self) -> int:
        return self._most_points()

    def _question(self, start: Sequence[Point], end: Sequence[Point]) -> Question:
        points = {point: code for code, point in enumerate(dict.fromkeys((*self._anchors, *start, *end)))}
        sources = ";".join(str(points[point]) for point in start)
        destinations = ";".join(str(points[point]) for point in end)
        where = ";".join(",".join(point) for point in points)
        options = "annotations=duration,distance&generate_hints=false"
        return Question(f"/table/v1/{self._profile}/{where}?{options}&sources={sources}&destinations={destinations}")

    def _table(self, answer: Answer, start: Sequence[Point], end: Sequence[Point]) -> TableReply:
        refuse(answer)
        found = osrm_table(answer.data, len(start), len(end))
        self._check_version(answer.data)
        return found

    def _check_version(self, reply: dict[str, Any]) -> None:
        """Note the version of the server's data; a second one would make answers that do not go together."""
        version = reply.get("data_version")
        if version is None or version == "":
            return
        if not isinstance(version, str):
            raise TravelError("the version of its data is no text")
        version = version[:100]
        if self._served_version is None:
            self._served_version = version
        elif version != self._served_version:
            raise TravelError(f"its data changed from version {self._served_version!r} to {version!r} meanwhile")

    def _lines(self, stops: Sequence[Point], met: Sequence[Point]) -> list[Leg | None]:
        where = ";".join(",".join(stop) for stop in stops)
        options = "steps=true&geometries=geojson&overview=false&continue_straight=false&generate_hints=false"
        xy = np.array(met, dtype=np.float64)

        def read(answer: Answer) -> tuple[list[Leg] | None, list[bool]]:
            if answer.status != 200 and answer.data.get("code") != "NoRoute":
                refuse(answer)
            legs = osrm_route(answer.data, len(stops))
            return legs, [] if legs is None else osrm_met(answer.data, xy[:, 0], xy[:, 1]).tolist()

        legs, right = self._client.ask(Question(f"/route/v1/{self._profile}/{where}?{options}"), read)
        if legs is not None:
            # stops that were moved elsewhere than in tables are asked for again, where tables begin
            again = [stop if good else at for stop, at, good in zip(stops, met, right, strict=True)]
            return list(legs) if again == list(stops) else self._lines(again, met)
        if len(stops) == 2:
            return [None] if list(stops) == list(met) else self._lines(met, met)
        return [leg for i in range(len(stops) - 1) for leg in self._lines(stops[i : i + 2], met[i : i + 2])]
