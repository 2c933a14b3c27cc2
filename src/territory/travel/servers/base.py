"""What sources of travel behind HTTP have in common: their questions are cut up, and the answers put together."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.errors import InputError, Problem, TravelError
from territory.travel.base import RawTravel, TravelBase
from territory.travel.engines.asked import check_choice, check_most_moved, on_the_spot, runs
from territory.travel.partial import PartialTravel
from territory.travel.protocol import check_same_length
from territory.travel.replies import check_coordinates, geometry_of
from territory.travel.reply_values import quoted
from territory.travel.servers.client import first_error
from territory.travel.servers.tiles import Part, Points, pair_chunks, point_of, tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray
    from territory.model.places import Places
    from territory.travel.answers import RouteGeometry
    from territory.travel.replies import TableReply
    from territory.travel.reply_values import Leg
    from territory.travel.servers.client import JsonClient, Question
    from territory.travel.servers.reading import Answer
    from territory.travel.servers.tiles import Point

__all__ = ["ServerTravel", "check_count", "refuse"]

#: What engines put into refusals, by name.
_SAID: Final = ("code", "error_code", "message", "error")


class ServerTravel(TravelBase):
    """Travel from a server, of which the questions and how their answers are read have to be written."""

    attribution = "© OpenStreetMap contributors, ODbL"

    _departure_s: float | None = None

    def __init__(self, client: JsonClient, mode: str, most_moved_m: float) -> None:
        check_choice("mode", mode, ("car", "bicycle", "foot"))
        self._most_moved_m = check_most_moved(most_moved_m)
        self._mode, self._client = mode, client

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._client.address.url!r}, mode={self._mode!r})"

    @abstractmethod
    def _prepare(self, points: Sequence[Point]) -> None:
        """Ask whatever has to be known before tables of these points are asked."""

    @abstractmethod
    def _fits(self, rows: int, columns: int, points: int) -> bool:
        """Whether a table of so many rows and columns, between so many distinct points, may be asked for."""

    @abstractmethod
    def _widest(self, rows: int) -> int:
        """Return how many columns a table of so many rows may have, if no point is on both sides."""

    @abstractmethod
    def _most_stops(self) -> int:
        """Return how many stops a line may have, at least 2."""

    @abstractmethod
    def _question(self, start: Sequence[Point], end: Sequence[Point]) -> Question:
        """Ask for the table from points to points."""

    @abstractmethod
    def _table(self, answer: Answer, start: Sequence[Point], end: Sequence[Point]) -> TableReply:
        """Read the answer to `_question`."""

    @abstractmethod
    def _lines(self, stops: Sequence[Point], met: Sequence[Point]) -> list[Leg | None]:
        """Ask for the lines along stops between which there are ways; `met` is where tables move them to."""

    def raw_matrix(self, origins: Places, destinations: Places) -> RawTravel:
        """Ask for tables as large as the server allows; see `TravelBase.raw_matrix`."""
        return _whole(self.partial_matrix(origins, destinations))

    def raw_pairs(self, origins: Places, destinations: Places) -> RawTravel:
        """Ask for small tables with the pairs in them; see `TravelBase.raw_pairs`."""
        return _whole(self.partial_pairs(origins, destinations))

    def partial_matrix(self, origins: Places, destinations: Places) -> PartialTravel:
        """Give as much of `raw_matrix` as the server answers; after a failure nothing more is asked.

        Raises
        ------
        InputError
            Places without coordinates.
        """
        check_coordinates(origins=origins, destinations=destinations)
        start, end = Points(origins), Points(destinations)

        def parts() -> list[Part]:
            rows, columns = self._kept(start.points), self._kept(end.points)
            first, second = [start.points[i] for i in rows], [end.points[i] for i in columns]
            if first and second and self._fits(len(first), len(second), len({*first, *second})):
                return [Part(first, second, slice(None), np.ix_(rows, columns))]
            return [
                Part(
                    first[tile.rows.start : tile.rows.stop],
                    second[tile.columns.start : tile.columns.stop],
                    slice(None),
                    np.ix_(rows[tile.rows], columns[tile.columns]),
                )
                for tile in tiles(len(rows), len(columns), self._widest)
            ]

        seconds, metres, failed, error = self._ask(start.points, end.points, (len(start), len(end)), parts)
        at = np.ix_(start.at, end.at)
        found = on_the_spot(seconds[at], metres[at], origins, destinations, departure_s=self._departure_s)
        return PartialTravel(found, failed[at], error)

    def partial_pairs(self, origins: Places, destinations: Places) -> PartialTravel:
        """Give as much of `raw_pairs` as the server answers; see `partial_matrix`."""
        check_same_length(origins, destinations)
        check_coordinates(origins=origins, destinations=destinations)
        start, end = Points(origins), Points(destinations)
        first, second = [start.points[i] for i in start.at], [end.points[i] for i in end.at]

        def parts() -> list[Part]:
            near = np.zeros((2, len(first)), dtype=np.bool_)
            near[0] = np.isin(start.at, self._kept(start.points))
            near[1] = np.isin(end.at, self._kept(end.points))
            rows = np.flatnonzero(near.all(axis=0))
            froms, tos = [first[i] for i in rows], [second[i] for i in rows]
            cut = pair_chunks(froms, tos, self._fits)
            return [_part_of_pairs(froms[c.start : c.stop], tos[c.start : c.stop], rows[c.start : c.stop]) for c in cut]

        seconds, metres, failed, error = self._ask(first, second, (len(first),), parts)
        found = on_the_spot(seconds, metres, origins, destinations, pairs=True, departure_s=self._departure_s)
        return PartialTravel(found, failed, error)

    def route_geometry(self, stops: Places) -> RouteGeometry:
        """Give the roads from each stop to the next; see `Travel.route_geometry`."""
        n = max(len(stops) - 1, 0)
        before = np.arange(n)
        ways = np.isfinite(self.raw_pairs(stops.take(before), stops.take(before + 1)).seconds)
        snapped = self.snap(stops)
        points = [point_of(lon, lat) for lon, lat in zip(stops.lon.tolist(), stops.lat.tolist(), strict=True)]
        met = [point_of(lon, lat) for lon, lat in zip(snapped.lon.tolist(), snapped.lat.tolist(), strict=True)]
        lines: list[Leg | None] = [None] * n
        most = self._most_stops()
        for first, last in runs(ways & snapped.on_road[:-1] & snapped.on_road[1:]):
            for begin in range(first, last, most - 1):
                end = min(begin + most - 1, last)
                lines[begin:end] = self._lines(points[begin : end + 1], met[begin : end + 1])
        return geometry_of(lines)

    def _kept(self, points: Sequence[Point]) -> NDArray[np.intp]:
        """Return the positions of points that have to be asked about, as there may be a way; once all is prepared."""
        return np.arange(len(points))

    def _ask(
        self, start: Sequence[Point], end: Sequence[Point], shape: tuple[int, ...], parts: Callable[[], list[Part]]
    ) -> tuple[FloatArray, FloatArray, NDArray[np.bool_], TravelError | None]:
        """Ask for the parts of a question and put them together.

        The question is a table from `start` to `end`, or as many pairs; its parts are known once all is prepared.
        """
        seconds, metres, failed = np.full(shape, np.inf), np.full(shape, np.inf), np.zeros(shape, dtype=np.bool_)
        if not seconds.size:
            return seconds, metres, failed, None
        try:
            self._prepare(list(dict.fromkeys((*start, *end))))
        except TravelError as error:
            failed[:] = True
            return seconds, metres, failed, error
        cut = parts()

        def read(at: int, answer: Answer) -> TableReply:
            return self._table(answer, cut[at].start, cut[at].end).within(self._most_moved_m)

        answers = self._client.ask_all([self._question(part.start, part.end) for part in cut], read)
        for part, found in zip(cut, answers, strict=True):
            if isinstance(found, TravelError):
                failed[part.put] = True
            else:
                seconds[part.put], metres[part.put] = found.seconds[part.take], found.metres[part.take]
        return seconds, metres, failed, first_error(answers)


def check_count(name: str, value: int, least: int) -> int:
    """Refuse a limit that is none.

    Raises
    ------
    InputError
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        message = f"expected a whole number >= {least}, not {value!r}"
        raise InputError([Problem("bad-limit", message, name)], "travel")
    return value


def refuse(answer: Answer) -> None:
    """Raise for an answer with a status that says no; what it says is quoted.

    Raises
    ------
    TravelError
    """
    if answer.status != 200:
        said = {key: answer.data[key] for key in _SAID if key in answer.data} or answer.data
        raise TravelError(f"refused with status {answer.status}: {quoted(said)}")


def _part_of_pairs(start: list[Point], end: list[Point], rows: NDArray[np.intp]) -> Part:
    """Return the table in which pairs stand, and their cells in it."""
    froms = {point: code for code, point in enumerate(dict.fromkeys(start))}
    tos = {point: code for code, point in enumerate(dict.fromkeys(end))}
    cells = ([froms[point] for point in start], [tos[point] for point in end])
    return Part(list(froms), list(tos), cells, rows)


def _whole(partial: PartialTravel) -> RawTravel:
    if partial.error is not None:
        raise partial.error
    return partial.found
