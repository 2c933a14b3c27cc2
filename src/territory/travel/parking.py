"""What a trip to a customer takes beside the drive: finding a place to park, walking to the door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.errors import InputError, Problem
from territory.model.enums import Area
from territory.model.places import UNKNOWN_AREA, PlaceKind
from territory.travel.answers import NearestPlaces
from territory.travel.base import RawTravel, check_k, raw_of, raw_pairs_of
from territory.travel.protocol import UNREACHABLE, Travel, TravelMatrix, whole_metres, whole_seconds
from territory.travel.wrapped import WrappedTravel
from territory.units import is_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from territory.model.arrays import IntArray
    from territory.model.places import Places

__all__ = ["ParkingTravel"]

_LONGEST_S: Final = 4 * 3_600


class ParkingTravel(WrappedTravel):
    """Travel in which arriving at a customer takes some time on top of the drive.

    The time is added to every leg that ends at a customer, after the drive was divided by the rep's speed factor and
    rounded up: whoever drives fast parks no faster. Legs home, to the end of the day and to hotels take none; neither
    does a leg of 0 s and 0 m, since the car stays where it is.

    Put it around everything else: `CachedTravel` and `TimeOfDay` refuse to hold it, as they would stretch the parking.

    Parameters
    ----------
    source : Travel
    parking_s : float
        Seconds, 0 to 14,400; parts of a second count as whole ones.
    by_area : mapping of Area, or its name in small letters, to seconds, optional
        Where parking takes another time; customers of other or unknown areas take `parking_s`.

    Raises
    ------
    InputError
        Bad parameters, all at once.

    Examples
    --------
    >>> from territory.model.places import PlaceKind, Places
    >>> from territory.travel import GreatCircle, Speeds
    >>> home = Places.of(PlaceKind.REP, ["Eve"], [13.405], [52.52])
    >>> shop = Places.of(PlaceKind.CUSTOMER, ["shop"], [13.415], [52.52], [0])
    >>> travel = ParkingTravel(GreatCircle(speeds_km_h=Speeds.constant(30)), parking_s=120, by_area={"urban": 300})
    >>> travel.matrix(home, shop, speed_factor=2.0).durations_s.tolist()
    [[357]]
    >>> travel.matrix(shop, home, speed_factor=2.0).durations_s.tolist()
    [[57]]
    """

    def __init__(self, source: Travel, *, parking_s: float, by_area: Mapping[Area | str, float] | None = None) -> None:
        problems: list[Problem] = []
        given: object = source
        if isinstance(given, type) or not isinstance(given, Travel):
            problems.append(Problem("source-type", f"expected a source of travel, not {source!r}", "source"))
        _check_time(parking_s, "parking_s", problems)
        areas: dict[Area, float] = {}
        for key, value in (by_area or {}).items():
            name = str(key.upper() if isinstance(key, str) else getattr(key, "name", key))
            if name not in Area.__members__:
                known = ", ".join(each.name.lower() for each in Area)
                problems.append(Problem("unknown-area", f"not one of {known}: {key!r}", "by_area"))
            elif _check_time(value, f"by_area[{name.lower()!r}]", problems):
                areas[Area[name]] = float(value)
        if problems:
            raise InputError(problems, "parking")
        self.source = source
        # by code of `Area`; the last is that of an unknown one
        self._seconds = np.full(len(Area) + 1, np.ceil(parking_s), dtype=np.int64)
        for area, value in areas.items():
            self._seconds[area] = np.ceil(value)
        self._seconds.flags.writeable = False

    @property
    def fingerprint(self) -> str:
        """The source's, and the seconds of parking: urban, suburban, rural, unknown."""
        return f"{self.source.fingerprint} parking_s={','.join(str(each) for each in self._seconds.tolist())}"

    @property
    def symmetric(self) -> bool:
        """As the source, if nobody parks; else False, as nobody parks at home."""
        return self.source.symmetric and not self._seconds.any()

    @property
    def divides(self) -> bool:
        """False: a speed factor divides the drive alone."""
        return False

    def __repr__(self) -> str:
        return f"ParkingTravel({self.source!r}, {self._seconds.tolist()} s)"

    def raw_matrix(self, origins: Places, destinations: Places) -> RawTravel:
        """Give drive and parking at the usual speed, not rounded; see `TravelBase.raw_matrix`."""
        return self._parked(raw_of(self.source, origins, destinations), self._at(destinations))

    def raw_pairs(self, origins: Places, destinations: Places) -> RawTravel:
        """Give drive and parking at the usual speed, not rounded; see `TravelBase.raw_pairs`."""
        return self._parked(raw_pairs_of(self.source, origins, destinations), self._at(destinations))

    def matrix(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Give the travel from every origin to every destination, shape (m, n); see `Travel.matrix`."""
        found = self.source.matrix(origins, destinations, speed_factor=speed_factor)
        return self._rounded(found, self._at(destinations))

    def pairs(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Give the travel from each origin to the destination in the same row, shape (n,); see `Travel.pairs`."""
        found = self.source.pairs(origins, destinations, speed_factor=speed_factor)
        return self._rounded(found, self._at(destinations))

    def nearest(self, origins: Places, destinations: Places, k: int, *, speed_factor: float = 1.0) -> NearestPlaces:
        """Give the k destinations soonest reached from each origin, shape (m, k); see `Travel.nearest`.

        The source is asked once for each time that parking takes: among its destinations parking changes no order.
        """
        check_k(k)
        extra = self._at(destinations)
        n = len(destinations)
        parts = []
        crowded = np.zeros(len(origins), dtype=bool)
        for seconds in np.unique(extra).tolist():
            rows = np.flatnonzero(extra == seconds).astype(np.int32)
            found = self.source.nearest(origins, destinations.take(rows), k, speed_factor=speed_factor)
            there = found.idx >= 0
            parked = there & ((found.durations_s > 0) | (found.distances_m > 0))
            durations = found.durations_s + np.where(parked, np.int64(seconds), 0)
            parts.append((np.where(there, rows[found.idx], n), durations, found.distances_m))
            # of more than k that take no time some may take no parking, and the source cannot know which
            crowded |= there[:, -1] & (found.durations_s[:, -1] == 0)
        if not parts or crowded.any():
            return super().nearest(origins, destinations, k, speed_factor=speed_factor)
        idx, durations, distances = (np.concatenate(column, axis=1) for column in zip(*parts, strict=True))
        order = np.lexsort((idx, durations), axis=1)[:, : int(k)]
        idx, durations, distances = (np.take_along_axis(each, order, axis=1) for each in (idx, durations, distances))
        gone = idx == n
        whole = whole_seconds(np.where(gone, np.inf, durations))
        return NearestPlaces(
            np.where(gone, -1, idx).astype(np.int32), whole, np.where(gone, UNREACHABLE, distances).astype(np.int32), n
        )

    def _at(self, destinations: Places) -> IntArray:
        """Return what parking takes at each destination, seconds, shape (n,)."""
        area: NDArray[np.int8] | int = UNKNOWN_AREA if destinations.area is None else destinations.area
        return np.where(destinations.kind == PlaceKind.CUSTOMER, self._seconds[area], 0)

    def _parked(self, found: RawTravel, extra: IntArray) -> RawTravel:
        # decided on whole numbers, as for `matrix`
        moved = (whole_seconds(found.seconds) > 0) | (whole_metres(found.metres) > 0)
        return RawTravel(found.seconds + np.where(moved, extra, 0), found.metres, found.estimated, found.departure_s)

    @staticmethod
    def _rounded(found: TravelMatrix, extra: IntArray) -> TravelMatrix:
        moved = (found.durations_s > 0) | (found.distances_m > 0)
        total = found.durations_s + np.where(moved, extra, 0).astype(np.float64)
        durations = whole_seconds(np.where(found.reachable, total, np.inf))
        return TravelMatrix(durations, found.distances_m, found.estimated, found.departure_s)


def _check_time(value: object, name: str, problems: list[Problem]) -> bool:
    if is_number(value) and 0 <= value <= _LONGEST_S:
        return True
    message = f"expected 0 to {_LONGEST_S:,} seconds, not {value!r}"
    problems.append(Problem("parking-out-of-range", message, name, hint="Maybe milliseconds, or an hour of the day?"))
    return False
