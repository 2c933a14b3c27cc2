"""Travel times from coordinates alone: the default, with no server, no network and no map.

The road distance is the great circle times a detour factor. The time has the trip leave and enter the surroundings
of its ends at their speeds and run at a through speed in between, so that long trips are faster than short ones.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, field, fields
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.errors import InputError, Problem
from territory.geo.sphere import EARTH_RADIUS_M, unit_vectors
from territory.model.enums import Area
from territory.model.places import UNKNOWN_AREA
from territory.travel.base import RawTravel, TravelBase
from territory.travel.protocol import TravelMatrix, check_same_length, whole_metres, whole_seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.model.places import Places

__all__ = ["DETOUR", "EndMetres", "GreatCircle", "Speeds"]

#: Road over straight-line distance. A fit to roads of four extracts gives 1.41 (see `GreatCircle`); the Swiss Mobility
#: and Transport Microcensus 2015 finds medians by car between 1.32 (trips of 5 to 10 km) and 1.43 (50 to 75 km), 1.37
#: below 5 km: A. Danalet, Federal Office for Spatial Development, github.com/antonindanalet/detourfactor,
#: detour_factor_median.csv. Short trips in cities take more, see `EndMetres`, and so do trips in mountains.
DETOUR: Final = 1.4
#: Detours beyond this are a mistake in units or a place that no road leads to.
_MOST_DETOUR: Final = 5.0
#: Streets that add more than this to a leg are a mistake in units.
_MOST_END_M: Final = 10_000.0
_SLOWEST_KM_H: Final = 1.0
_FASTEST_KM_H: Final = 200.0
#: Legs computed at a time: they stay in the processor's cache, and a large matrix needs no copies of its own size.
_BLOCK: Final = 1 << 15


@dataclass(frozen=True, slots=True)
class Speeds:
    """Mean driving speeds, stops at lights and junctions included.

    The defaults are planning assumptions for a passenger car by day in Central Europe; set your own where you have
    better ones, or fit them with `fit_detour`. Urban and suburban ones agree with a fit to roads without traffic, which
    gives 27 and 40 (see `GreatCircle`). Rural and through speeds are not supported by measurements: the extracts that
    were looked at are too small for them.

    Attributes
    ----------
    urban, suburban, rural : float
        Kilometres per hour near an end of the trip in such an area.
    through : float
        Kilometres per hour between the ends.
    """

    urban: float = 28.0
    suburban: float = 38.0
    rural: float = 55.0
    through: float = 80.0

    def __post_init__(self) -> None:
        problems = [
            Problem(
                "speed-out-of-range",
                f"expected {_SLOWEST_KM_H:g} to {_FASTEST_KM_H:g} km/h, not {value!r}",
                name,
                hint=_speed_hint(value),
            )
            for name, value in ((each.name, getattr(self, each.name)) for each in fields(self))
            if not _SLOWEST_KM_H <= value <= _FASTEST_KM_H
        ]
        if problems:
            raise InputError(problems, "speeds")

    @classmethod
    def constant(cls, km_h: float) -> Speeds:
        """Make the speed the same everywhere.

        >>> Speeds.constant(50).through
        50
        """
        return cls(km_h, km_h, km_h, km_h)


def _speed_hint(value: float) -> str | None:
    if 0 < value < _SLOWEST_KM_H:
        return "Maybe km per minute or per second where km/h are meant?"
    if value > _FASTEST_KM_H:
        return "Maybe metres per minute or per hour where km/h are meant?"
    return None


@dataclass(frozen=True, slots=True)
class EndMetres:
    """What the streets around its ends add to a leg: one-way streets, blocks, the way round to the entrance.

    It is why short legs take longer detours than long ones, most of all in the middle of cities.

    Attributes
    ----------
    urban, suburban, rural : float
        Metres for each end in such an area, 0 to 10,000.
    """

    urban: float = 0.0
    suburban: float = 0.0
    rural: float = 0.0

    def __post_init__(self) -> None:
        problems = [
            Problem("end-out-of-range", f"expected 0 to {_MOST_END_M:,.0f} m, not {value!r}", name)
            for name, value in ((each.name, getattr(self, each.name)) for each in fields(self))
            if not 0.0 <= value <= _MOST_END_M
        ]
        if problems:
            raise InputError(problems, "end metres")


@dataclass(frozen=True, slots=True)
class GreatCircle(TravelBase):
    """Travel by great circle, detour factor and speeds.

    The road distance is the great circle times the detour factor, and the metres that the streets at both ends add;
    but never more than 5 great circles. A trip of road distance D between areas a and b drives up to `access_km` at
    each end, but no more than D / 2, at the speed of that end's area, and the rest at the through speed. Places of
    unknown area count as suburban.

    Times are symmetric, zero on the spot, and never shorter for a longer way. They keep the triangle inequality
    among places of one area type, as long as the through speed is not below that area's; between area types they
    need not, as a stop at the edge of a town may seem to speed up the drive through it.

    Parameters
    ----------
    detour : float
        Road distance over great circle, 1 to 5.
    speeds_km_h : Speeds
    access_km : float
        How far the surroundings of an end reach, in road kilometres. A planning assumption, like the speeds.
    end_m : EndMetres
        What the streets at each end add. Default: nothing.

    Raises
    ------
    InputError
        Parameters out of range, all of them at once.

    Notes
    -----
    About 15 nanoseconds a leg.

    What it is worth was measured between points of interest of Liechtenstein, Andorra and the middles of Porto and
    Munich (© OpenStreetMap contributors, ODbL), against OSRM's car profile, which knows no traffic, on 2,702 legs of
    50 m to 11 km (``python -m benchmarks travel --instances detour``). Half of the times are off by more than 43 %, one
    in ten by more than 84 %; all together are 27 % short, those within cities 49 %, most of it below a kilometre. A fit
    on other places of the same extracts gives a detour of 1.41, 27 and 40 km/h in urban and suburban areas, and 191 and
    41 m for streets at their ends; with these the errors are 37 and 98 %, all together 12 % short, in cities 17 %. Fits
    of the detour gave 1.33 to 1.68, depending on places and loss; most of the error is in short legs in cities. From
    2 to 10 km both have a median error of 26 to 37 % and hardly any bias. No straight line knows rivers and passes:
    where roads matter, use roads.

    Examples
    --------
    >>> from territory.model.places import PlaceKind, Places
    >>> ends = Places.of(PlaceKind.CUSTOMER, ["Berlin", "Potsdam"], [13.405, 13.065], [52.52, 52.39])
    >>> leg = GreatCircle(speeds_km_h=Speeds.constant(60)).matrix(ends, ends)
    >>> leg.distances_m.tolist(), leg.durations_s.tolist()
    ([[0, 38077], [38077, 0]], [[0, 2285], [2285, 0]])
    """

    detour: float = DETOUR
    speeds_km_h: Speeds = field(default_factory=Speeds)
    access_km: float = 5.0
    end_m: EndMetres = field(default_factory=EndMetres)

    def __post_init__(self) -> None:
        problems = []
        if not 1.0 <= self.detour <= _MOST_DETOUR:
            hint = "Maybe a percentage where a factor is meant, as 1.4 for 40 %?"
            message = f"expected 1 to {_MOST_DETOUR:g}, not {self.detour!r}"
            problems.append(Problem("detour-out-of-range", message, "detour", hint=hint))
        speeds: object = self.speeds_km_h
        if not isinstance(speeds, Speeds):
            message = f"expected Speeds, not {speeds!r}"
            problems.append(Problem("speeds-type", message, "speeds_km_h", hint="Maybe Speeds.constant(50)?"))
        if not 0.0 <= self.access_km <= 100.0:
            hint = "Maybe metres where kilometres are meant?"
            message = f"expected 0 to 100 km, not {self.access_km!r}"
            problems.append(Problem("access-out-of-range", message, "access_km", hint=hint))
        ends: object = self.end_m
        if not isinstance(ends, EndMetres):
            message = f"expected EndMetres, not {ends!r}"
            problems.append(Problem("end-type", message, "end_m", hint="Maybe EndMetres(urban=200)?"))
        if problems:
            raise InputError(problems, "great-circle travel")

    @property
    def symmetric(self) -> bool:
        """True, to the last bit."""
        return True

    @property
    def fingerprint(self) -> str:
        """The name and parameters, e.g. ``"great-circle detour=1.4 ..."``."""
        speeds = " ".join(f"{each.name}={float(getattr(self.speeds_km_h, each.name))!r}" for each in fields(Speeds))
        ends = "".join(f" {each.name}_m={float(getattr(self.end_m, each.name))!r}" for each in fields(EndMetres))
        # without them the name is that of versions that did not know them
        ends = ends if self._has_ends else ""
        return f"great-circle detour={float(self.detour)!r} {speeds} access_km={float(self.access_km)!r}{ends}"

    def raw_matrix(self, origins: Places, destinations: Places) -> RawTravel:
        """Give the travel from every origin to every destination, not rounded; see `TravelBase.raw_matrix`."""
        return RawTravel(
            *self._legs(tuple(column[:, None] for column in self._ends(origins)), self._ends(destinations))
        )

    def matrix(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Give the travel from every origin to every destination, shape (m, n); see `Travel.matrix`."""
        m, n = len(origins), len(destinations)
        durations = np.empty((m, n), dtype=np.int32)
        distances = np.empty((m, n), dtype=np.int32)
        start, end = self._ends(origins), self._ends(destinations)
        step = max(1, _BLOCK // max(n, 1))
        for row in range(0, max(m, 1), step):
            rows = slice(row, row + step)
            seconds, metres = self._legs(tuple(column[rows, None] for column in start), end)
            durations[rows], distances[rows] = whole_seconds(seconds, speed_factor), whole_metres(metres)
        return TravelMatrix(durations, distances)

    def pairs(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Give the travel from each origin to the destination in the same row, shape (n,); see `Travel.pairs`."""
        check_same_length(origins, destinations)
        durations = np.empty(len(origins), dtype=np.int32)
        distances = np.empty(len(origins), dtype=np.int32)
        # with no rows at all, one empty block still looks at the speed factor
        for row in range(0, max(len(origins), 1), _BLOCK):
            rows = slice(row, row + _BLOCK)
            seconds, metres = self._legs(self._ends(origins, rows), self._ends(destinations, rows))
            durations[rows], distances[rows] = whole_seconds(seconds, speed_factor), whole_metres(metres)
        return TravelMatrix(durations, distances)

    def raw_pairs(self, origins: Places, destinations: Places) -> RawTravel:
        """Give the travel from each origin to the destination in the same row, not rounded."""
        return RawTravel(*self._legs(self._ends(origins), self._ends(destinations)))

    def leg_s(self, metres: NDArray[np.float64], area: NDArray[np.int8] | None = None) -> NDArray[np.float64]:
        """Give the time of legs of known length with both ends in one kind of area.

        Parameters
        ----------
        metres : float array of shape (n,)
            Great circles.
        area : int8 array of shape (n,), optional
            `Area`; default: unknown.

        Returns
        -------
        float array of shape (n,)
            Seconds, not rounded.
        """
        ends = self._same_ends(metres, area)
        return self.road_s(self.legs_m(metres, ends), ends)

    def road_m(self, metres: NDArray[np.float64], area: NDArray[np.int8] | None = None) -> NDArray[np.float64]:
        """Give the distance by road of legs with both ends in one kind of area, metres; parameters as of `leg_s`."""
        return self.legs_m(metres, self._same_ends(metres, area))

    def legs_m(self, metres: NDArray[np.float64], ends: NDArray[np.int8]) -> NDArray[np.float64]:
        """Give the distance by road of legs.

        Parameters
        ----------
        metres : float array of shape (n,)
            Great circles.
        ends : int8 array of shape (2, n)
            `Area` of both ends.

        Returns
        -------
        float array of shape (n,)
            Metres, not rounded.
        """
        crow = np.asarray(metres, dtype=np.float64)
        if not self._has_ends:
            return np.asarray(crow * self.detour)
        return np.asarray(np.minimum(crow * self.detour + self._added()[ends].sum(axis=0), crow * _MOST_DETOUR))

    def road_s(self, road: NDArray[np.float64], ends: NDArray[np.int8]) -> NDArray[np.float64]:
        """Give the time of legs whose metres by road are known, seconds; parameters as of `legs_m`."""
        access = np.minimum(road * 0.5, 1_000.0 * self.access_km)
        return np.asarray(road * 3.6 / self.speeds_km_h.through + access * self._slower()[ends].sum(axis=0))

    @staticmethod
    def _same_ends(metres: NDArray[np.float64], area: NDArray[np.int8] | None) -> NDArray[np.int8]:
        area = np.full(np.shape(metres), UNKNOWN_AREA, dtype=np.int8) if area is None else area
        return np.stack([area, area])

    @property
    def _has_ends(self) -> bool:
        return any(astuple(self.end_m))

    def _added(self) -> NDArray[np.float64]:
        """Give what the streets at an end add, metres, by code of `Area`."""
        added: NDArray[np.float64] = np.empty(4)
        urban, suburban, rural = astuple(self.end_m)
        added[[Area.URBAN, Area.SUBURBAN, Area.RURAL, UNKNOWN_AREA]] = urban, suburban, rural, suburban
        return added

    def _slower(self) -> NDArray[np.float64]:
        """Give what a metre in each kind of area costs over one between the ends, seconds, by code of `Area`."""
        urban, suburban, rural, through = (3.6 / speed for speed in astuple(self.speeds_km_h))
        slower: NDArray[np.float64] = np.empty(4)
        slower[[Area.URBAN, Area.SUBURBAN, Area.RURAL, UNKNOWN_AREA]] = np.array([urban, suburban, rural, suburban])
        slower -= through
        return slower

    def _ends(self, places: Places, rows: slice = slice(None)) -> tuple[NDArray[np.float64], ...]:
        """Give x, y and z of each place on the unit sphere, what a metre at its end costs, and what streets add."""
        vectors = unit_vectors(places.lon[rows], places.lat[rows])
        slower = self._slower()
        area = np.full(len(vectors), UNKNOWN_AREA, dtype=np.int8) if places.area is None else places.area[rows]
        # contiguous columns: a strided one makes the arithmetic below a third slower
        x, y, z = np.ascontiguousarray(vectors.T)
        return x, y, z, slower[area], *((self._added()[area],) if self._has_ends else ())

    def _legs(
        self, start: tuple[NDArray[np.float64], ...], end: tuple[NDArray[np.float64], ...]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return seconds and metres of the legs of one block, by broadcasting.

        The great circle is measured by its chord, which costs two transcendental functions less than the haversine
        formula and is as precise: within nanometres for neighbours, and symmetric to the last bit.
        """
        chord = start[0] - end[0]
        np.square(chord, out=chord)
        for axis in (1, 2):
            gap = start[axis] - end[axis]
            np.square(gap, out=gap)
            chord += gap
        np.sqrt(chord, out=chord)
        chord *= 0.5
        metres = np.arcsin(np.minimum(chord, 1.0, out=chord), out=chord)
        if len(start) > 4:
            most = metres * (2.0 * EARTH_RADIUS_M * _MOST_DETOUR)
            metres *= 2.0 * EARTH_RADIUS_M * self.detour
            metres += start[4] + end[4]
            np.minimum(metres, most, out=metres)
        else:
            metres *= 2.0 * EARTH_RADIUS_M * self.detour
        access = np.minimum(metres * 0.5, 1_000.0 * self.access_km)
        access *= start[3] + end[3]
        access += metres * (3.6 / self.speeds_km_h.through)
        return access, metres
