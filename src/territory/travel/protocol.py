"""What every source of travel times offers, and the one rule by which they become whole numbers.

Seconds are rounded up, because a plan must not promise to arrive before it can; metres are rounded to the nearest.
A rep who drives faster or slower than usual has a speed factor: the travel time is divided by it, and only then
rounded. Whoever plans and whoever checks call the same functions with the same arguments and so get the same
integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import numpy as np

from territory.errors import MAX_ROWS_LISTED, InputError, Problem
from territory.units import is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.model.places import Places
    from territory.travel.answers import NearestPlaces, RouteGeometry, SnappedPlaces

__all__ = ["UNREACHABLE", "Travel", "TravelMatrix", "whole_metres", "whole_seconds"]

#: Seconds and metres of a leg that cannot be driven: the largest int32. Whoever forgets to ask `reachable` finds the
#: place too far for any shift, never next door, as -1 would say.
UNREACHABLE: Final = int(np.iinfo(np.int32).max)
#: The longest travel, in seconds or metres: half of the sentinel, so that a detour over two legs fits int32 as well.
_LONGEST: Final = UNREACHABLE // 2
#: Excess over a whole second that is arithmetic noise, not travel: 1 km at 36 km/h is 100 s, not 101.
_NOISE_S: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class TravelMatrix:
    """Travel between places, in whole seconds and metres.

    Attributes
    ----------
    durations_s : int32 array of shape (m, n) from `Travel.matrix`, (n,) from `Travel.pairs`
        Seconds, rounded up; `UNREACHABLE` where there is no way.
    distances_m : int32 array of the same shape
        Metres, rounded to the nearest; `UNREACHABLE` where there is no way.
    estimated : bool array of the same shape, optional
        Where the source itself gave no answer and one that was declared as its fallback did; None: nowhere.
    departure_s : float, optional
        Time of departure that the durations hold for, seconds from local midnight; None: any time.
    """

    durations_s: NDArray[np.int32]
    distances_m: NDArray[np.int32]
    estimated: NDArray[np.bool_] | None = None
    departure_s: float | None = None

    def __post_init__(self) -> None:
        for array in (self.durations_s, self.distances_m, self.estimated):
            if array is not None:
                array.flags.writeable = False

    @property
    def reachable(self) -> NDArray[np.bool_]:
        """Where there is a way, of the same shape."""
        return np.not_equal(self.durations_s, UNREACHABLE)


@runtime_checkable
class Travel(Protocol):
    """A source of travel times and distances between places.

    Whoever has times of their own derives from `TravelBase` and writes one method.
    """

    @property
    def symmetric(self) -> bool:
        """Whether the way back is as long as the way there, to the second and metre."""
        ...

    @property
    def fingerprint(self) -> str:
        """Name the source and every parameter that its answers depend on.

        Kept in plans, so that a check notices when it is given another travel than the plan was made with.
        """
        ...

    def matrix(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Give the travel from every origin to every destination.

        Parameters
        ----------
        origins, destinations : Places, lengths m and n
        speed_factor : float
            How much faster than usual; durations are divided by it.

        Returns
        -------
        TravelMatrix of shape (m, n)

        Raises
        ------
        InputError
            Places that the source does not know, or a bad speed factor.
        TravelError
            The source failed.
        """
        ...

    def pairs(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Give the travel from each origin to the destination in the same row.

        Equal to the diagonal of `matrix`, to the second and metre.

        Parameters
        ----------
        origins, destinations : Places, both of length n
        speed_factor : float

        Returns
        -------
        TravelMatrix of shape (n,)

        Raises
        ------
        InputError
            As for `matrix`; or lengths that differ.
        TravelError
            The source failed.
        """
        ...

    def nearest(self, origins: Places, destinations: Places, k: int, *, speed_factor: float = 1.0) -> NearestPlaces:
        """Give the k destinations that are soonest reached from each origin.

        Parameters
        ----------
        origins, destinations : Places, lengths m and n
        k : int
            At least 1.
        speed_factor : float

        Returns
        -------
        NearestPlaces of shape (m, k)
            Durations and distances equal those of `matrix`; a place is not its own neighbour.

        Raises
        ------
        InputError
            As for `matrix`; or a k below 1.
        TravelError
            The source failed.
        """
        ...

    def route_geometry(self, stops: Places) -> RouteGeometry:
        """Give the line that is driven from each stop to the next.

        Parameters
        ----------
        stops : Places, length n

        Returns
        -------
        RouteGeometry of n - 1 legs
            Legs without a way have no points.

        Raises
        ------
        InputError
            As for `matrix`.
        TravelError
            The source failed.
        """
        ...

    def snap(self, places: Places) -> SnappedPlaces:
        """Tell where on its ways the source begins and ends the trips from and to places.

        Parameters
        ----------
        places : Places, length n

        Returns
        -------
        SnappedPlaces of length n

        Raises
        ------
        InputError
            As for `matrix`.
        TravelError
            The source failed.
        """
        ...


def whole_seconds(seconds: NDArray[np.float64], speed_factor: float = 1.0) -> NDArray[np.int32]:
    """Divide travel times by the speed factor and round them up to whole seconds.

    Parameters
    ----------
    seconds : float array of any shape
        Not negative; infinite where there is no way.
    speed_factor : float
        Positive and finite; 1.25 drives every leg in 4/5 of the time.

    Returns
    -------
    int32 array of the same shape
        `UNREACHABLE` for infinite times. A millionth of a second above a whole one is taken for noise.

    Raises
    ------
    InputError
        A bad speed factor, NaN, negative times, or times so long that plans could not add them up.

    Examples
    --------
    >>> whole_seconds(np.array([60.0, 60.2, np.inf]), 2.0).tolist()
    [30, 31, 2147483647]
    """
    if not (is_number(speed_factor) and np.isfinite(speed_factor) and speed_factor > 0):
        problem = Problem("speed-factor", f"expected a finite number > 0, not {speed_factor!r}", "speed_factor")
        raise InputError([problem], "travel")
    return _whole(np.ceil(seconds / speed_factor - _NOISE_S), "travel-time-overflow", "seconds")


def whole_metres(metres: NDArray[np.float64]) -> NDArray[np.int32]:
    """Round distances to the nearest whole metre; infinite ones become `UNREACHABLE`.

    Parameters
    ----------
    metres : float array of any shape
        Not negative; infinite where there is no way.

    Raises
    ------
    InputError
        NaN, negative distances, or distances so long that plans could not add them up.
    """
    return _whole(np.rint(metres), "distance-overflow", "metres")


def _whole(values: NDArray[np.float64], code: str, unit: str) -> NDArray[np.int32]:
    largest = values.max(initial=0.0)
    if values.min(initial=0.0) < 0:
        rows = tuple(int(row) for row in np.unique(np.nonzero(values < 0)[0])[:MAX_ROWS_LISTED])
        problem = Problem("negative", f"{unit} below zero", count=int((values < 0).sum()), rows=rows)
        raise InputError([problem], "travel")
    if largest <= _LONGEST:
        return values.astype(np.int32)
    if np.isnan(largest):
        rows = tuple(int(row) for row in np.unique(np.nonzero(np.isnan(values))[0])[:MAX_ROWS_LISTED])
        hint = "Maybe a place without coordinates?"
        raise InputError(
            [Problem("nan", "not a number", count=int(np.isnan(values).sum()), rows=rows, hint=hint)], "travel"
        )
    endless = np.isinf(values)
    too_long = (values > _LONGEST) & ~endless
    if too_long.any():
        rows = tuple(int(row) for row in np.unique(np.nonzero(too_long)[0])[:MAX_ROWS_LISTED])
        problem = Problem(code, f"more than {_LONGEST:,} {unit}", count=int(too_long.sum()), rows=rows)
        raise InputError([problem], "travel")
    return np.where(endless, UNREACHABLE, np.where(endless, 0.0, values)).astype(np.int32)


def check_same_length(origins: Places, destinations: Places) -> None:
    """Refuse pairs that do not pair up.

    Raises
    ------
    InputError
        Lengths that differ.
    """
    if len(origins) != len(destinations):
        message = f"{len(origins)} origins but {len(destinations)} destinations"
        raise InputError([Problem("pairs-length", message)], "travel")
