"""The base of sources of travel: whoever can tell the ways between two lots of places can tell all the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.errors import MAX_ROWS_LISTED, InputError, Problem
from territory.travel.answers import NearestPlaces, RouteGeometry, SnappedPlaces
from territory.travel.protocol import UNREACHABLE, Travel, TravelMatrix, check_same_length, whole_metres, whole_seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray
    from territory.model.places import Places

__all__ = ["RawTravel", "TravelBase", "check_divides", "check_travel", "raw_of", "raw_pairs_of"]

#: Legs held at a time by `TravelBase.nearest`: 64 MB of raw times and distances.
_BLOCK: Final = 1 << 22


@dataclass(frozen=True, slots=True, eq=False)
class RawTravel:
    """Travel as a source knows it, before speed factors and rounding.

    Attributes
    ----------
    seconds, metres : float arrays of shape (m, n), or (n,) of pairs
        Not negative; infinite where there is no way.
    estimated : bool array of the same shape, optional
        Where a declared fallback answered; None: nowhere.
    departure_s : float, optional
        See `TravelMatrix`.
    """

    seconds: FloatArray
    metres: FloatArray
    estimated: NDArray[np.bool_] | None = None
    departure_s: float | None = None

    def rounded(self, speed_factor: float) -> TravelMatrix:
        """Divide by the speed factor and round, by the one rule of `whole_seconds` and `whole_metres`.

        Raises
        ------
        InputError
            As these do; or ways that take some time but have no length.
        """
        seconds, metres = whole_seconds(self.seconds, speed_factor), whole_metres(self.metres)
        endless = (metres == UNREACHABLE) & (seconds != UNREACHABLE)
        if endless.any():
            rows = tuple(np.unique(np.nonzero(endless)[0])[:MAX_ROWS_LISTED].tolist())
            message = "infinite metres where there is a way"
            problem = Problem("distance-infinite", message, count=int(endless.sum()), rows=rows)
            raise InputError([problem], "travel")
        return TravelMatrix(seconds, metres, self.estimated, self.departure_s)


class TravelBase(ABC):
    """A source of travel of which only `fingerprint` and `raw_matrix` have to be written; see `Travel`.

    Examples
    --------
    A town where everybody walks along the grid:

    >>> from territory.model.places import PlaceKind, Places
    >>> class Blocks(TravelBase):
    ...     symmetric = True
    ...     fingerprint = "blocks of 100 m"
    ...
    ...     def raw_matrix(self, origins, destinations):
    ...         east = abs(origins.lon[:, None] - destinations.lon)
    ...         north = abs(origins.lat[:, None] - destinations.lat)
    ...         metres = np.rint((east + north) * 1_000) * 100.0
    ...         return RawTravel(metres / 1.25, metres)
    >>> ends = Places.of(PlaceKind.CUSTOMER, ["a", "b", "c"], [0.0, 0.004, 0.001], [0.0, 0.002, 0.0])
    >>> Blocks().matrix(ends, ends).durations_s[0].tolist()
    [0, 480, 80]
    >>> Blocks().nearest(ends, ends, 1).idx.ravel().tolist()
    [2, 2, 0]
    """

    __slots__ = ()

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Name the source and every parameter that its answers depend on; see `Travel.fingerprint`."""

    @property
    def symmetric(self) -> bool:
        """Whether the way back is as long as the way there; False unless a source says otherwise."""
        return False

    @property
    def by_id(self) -> bool:
        """Whether answers depend on the ids of places, not only on where they are and of what kind and area."""
        return False

    @property
    def divides(self) -> bool:
        """Whether a speed factor divides the raw seconds and does nothing else.

        Then whoever keeps or mends raw numbers need not know it. Not so where parking is added or hours of the day
        have speeds of their own.
        """
        return True

    @property
    def estimates(self) -> bool:
        """Whether a declared fallback may have a part in the answers, now or later."""
        return False

    @abstractmethod
    def raw_matrix(self, origins: Places, destinations: Places) -> RawTravel:
        """Give the travel from every origin to every destination, shape (m, n), not rounded.

        Raises
        ------
        InputError
            Places that the source does not know.
        TravelError
            The source failed.
        """

    def raw_pairs(self, origins: Places, destinations: Places) -> RawTravel:
        """Give the travel from each origin to the destination in the same row, shape (n,), not rounded.

        Both are of the same length. Here one row of `raw_matrix` is asked for each origin, whatever its destinations;
        sources that have a better way write their own. It must give what `raw_matrix` gives.
        """
        n = len(origins)
        seconds, metres = np.empty(n), np.empty(n)
        estimated = np.zeros(n, dtype=bool)
        departure: float | None = None
        for rows in same_place(origins):
            found = self.raw_matrix(origins.take(rows[:1]), destinations.take(rows))
            self._check_answer(found, (1, len(rows)))
            seconds[rows], metres[rows] = found.seconds[0], found.metres[0]
            if found.estimated is not None:
                estimated[rows] = found.estimated[0]
            departure = found.departure_s
        return RawTravel(seconds, metres, estimated if estimated.any() else None, departure)

    def matrix(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Give the travel from every origin to every destination, shape (m, n); see `Travel.matrix`."""
        found = self.raw_matrix(origins, destinations)
        self._check_answer(found, (len(origins), len(destinations)))
        return found.rounded(speed_factor)

    def pairs(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Give the travel from each origin to the destination in the same row, shape (n,); see `Travel.pairs`."""
        check_same_length(origins, destinations)
        found = self.raw_pairs(origins, destinations)
        self._check_answer(found, (len(origins),))
        return found.rounded(speed_factor)

    def nearest(self, origins: Places, destinations: Places, k: int, *, speed_factor: float = 1.0) -> NearestPlaces:
        """Give the k destinations that are soonest reached from each origin, shape (m, k); see `Travel.nearest`.

        O(m n), by blocks of rows of the matrix.
        """
        check_k(k)
        m, n = len(origins), len(destinations)
        idx = np.full((m, k), -1, dtype=np.int32)
        durations = np.full((m, k), UNREACHABLE, dtype=np.int32)
        distances = np.full((m, k), UNREACHABLE, dtype=np.int32)
        keep = min(k, n)
        step = max(1, _BLOCK // max(n, 1))
        for row in range(0, m if keep else 0, step):
            here = slice(row, min(row + step, m))
            block = origins.take(np.arange(here.start, here.stop))
            found = self.matrix(block, destinations, speed_factor=speed_factor)
            away = found.durations_s.astype(np.int64)
            away[(block.kind[:, None] == destinations.kind) & (block.id[:, None] == destinations.id)] = UNREACHABLE
            # positions break ties, in one number that is sorted
            ranked = away * n + np.arange(n)
            ranked = np.sort(np.partition(ranked, keep - 1, axis=1)[:, :keep], axis=1) if keep < n else np.sort(ranked)
            seconds, at = ranked // n, (ranked % n).astype(np.int32)
            gone = seconds >= UNREACHABLE
            idx[here, :keep] = np.where(gone, -1, at)
            durations[here, :keep] = seconds
            metres = np.take_along_axis(found.distances_m, at, axis=1)
            distances[here, :keep] = np.where(gone, UNREACHABLE, metres)
        return NearestPlaces(idx, durations, distances, n)

    def route_geometry(self, stops: Places) -> RouteGeometry:
        """Give straight lines from stop to stop; see `Travel.route_geometry`."""
        n = max(len(stops) - 1, 0)
        before = np.arange(n)
        there = self.pairs(stops.take(before), stops.take(before + 1)).reachable
        ends = np.column_stack((before, before + 1))[there].ravel()
        offsets = np.concatenate(([0], np.cumsum(np.where(there, 2, 0))))
        return RouteGeometry(stops.lon[ends], stops.lat[ends], offsets.astype(np.int64))

    def _check_answer(self, found: object, shape: tuple[int, ...]) -> None:
        """Refuse an answer of another shape than the question, before it turns up in somebody's plan.

        Raises
        ------
        InputError
        """
        name = type(self).__name__
        if not isinstance(found, RawTravel):
            message = f"{name} answered with {type(found).__name__}, not RawTravel"
            raise InputError([Problem("wrong-type", message)], "travel")
        problems = []
        for column in ("seconds", "metres", "estimated"):
            array: object = getattr(found, column)
            if isinstance(array, np.ndarray) and array.shape == shape:
                continue
            if array is not None or column != "estimated":
                told = f"shape {array.shape}" if isinstance(array, np.ndarray) else f"{type(array).__name__}"
                message = f"{name} answered a question of shape {shape} with {told}"
                problems.append(Problem("wrong-shape", message, column))
        if problems:
            raise InputError(problems, "travel")

    def snap(self, places: Places) -> SnappedPlaces:
        """Leave places where they are; see `Travel.snap`."""
        return SnappedPlaces(np.array(places.lon), np.array(places.lat), np.zeros(len(places)))


def raw_of(travel: Travel, origins: Places, destinations: Places) -> RawTravel:
    """Give the travel from every origin to every destination as numbers that are not rounded, of any source.

    Parameters
    ----------
    travel : Travel
        One that is no `TravelBase` is asked for its `matrix`: its seconds and metres are whole.
    origins, destinations : Places, lengths m and n

    Returns
    -------
    RawTravel of shape (m, n)

    Raises
    ------
    InputError, TravelError
        As the source does.
    """
    if isinstance(travel, TravelBase):
        return travel.raw_matrix(origins, destinations)
    return _unrounded(travel.matrix(origins, destinations))


def raw_pairs_of(travel: Travel, origins: Places, destinations: Places) -> RawTravel:
    """Give the travel from each origin to the destination in the same row, shape (n,); see `raw_of`."""
    check_same_length(origins, destinations)
    if isinstance(travel, TravelBase):
        return travel.raw_pairs(origins, destinations)
    return _unrounded(travel.pairs(origins, destinations))


def _unrounded(found: TravelMatrix) -> RawTravel:
    there = found.reachable
    seconds = np.where(there, found.durations_s, np.inf)
    return RawTravel(seconds, np.where(there, found.distances_m, np.inf), found.estimated, found.departure_s)


def check_travel(**sources: object) -> None:
    """Refuse what is no source of travel, by the names of the parameters; a class is none either, but its instances.

    Raises
    ------
    InputError
    """
    problems = []
    for name, source in sources.items():
        if isinstance(source, type) or not isinstance(source, Travel):
            hint = f"Maybe {source.__name__}(...)?" if isinstance(source, type) and hasattr(source, "pairs") else None
            message = f"expected a source of travel, not {source!r:.60}"
            problems.append(Problem("source-type", message, name, hint=hint))
    if problems:
        raise InputError(problems, "travel")


def check_divides(travel: Travel, wrapper: str) -> None:
    """Refuse a source whose raw seconds are not simply divided by a speed factor; see `TravelBase.divides`.

    Raises
    ------
    InputError
    """
    if not getattr(travel, "divides", True):
        inner = type(travel).__name__
        message = f"{wrapper} cannot hold a {inner}, in which a speed factor does not divide the whole time"
        hint = None if inner == wrapper else f"Maybe {inner}({wrapper}(...)) instead of {wrapper}({inner}(...))?"
        raise InputError([Problem("wrapped-wrong", message, "source", hint=hint)], "travel")


def same_place(places: Places) -> list[NDArray[np.intp]]:
    """Return the rows of each place that occurs, by kind, id and coordinates; in order of first occurrence."""
    groups: dict[tuple[int, str, float, float], list[int]] = {}
    columns = (places.kind.tolist(), places.id.tolist(), places.lon.tolist(), places.lat.tolist())
    for row, key in enumerate(zip(*columns, strict=True)):
        groups.setdefault(key, []).append(row)
    return [np.array(rows, dtype=np.intp) for rows in groups.values()]


def check_k(k: int) -> None:
    """Refuse numbers of neighbours that are none.

    Raises
    ------
    InputError
        A k below 1 or not whole.
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise InputError(
            [Problem("k-out-of-range", f"expected a whole number of at least 1, not {k!r}", "k")], "travel"
        )
