"""What sources of travel answer beside matrices: neighbours, lines on the map, and where places meet the road."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["NearestPlaces", "RouteGeometry", "SnappedPlaces"]


@dataclass(frozen=True, slots=True, eq=False)
class NearestPlaces:
    """The destinations soonest reached from each origin, as `Travel.nearest` gives them.

    Attributes
    ----------
    idx : int32 array of shape (m, k)
        Positions of destinations by rising duration, equal ones by rising position; -1 where fewer than k are reached.
    durations_s, distances_m : int32 arrays of shape (m, k)
        As those of `TravelMatrix`; `UNREACHABLE` where `idx` is -1.
    n_destinations : int
    """

    idx: IdxArray
    durations_s: NDArray[np.int32]
    distances_m: NDArray[np.int32]
    n_destinations: int

    def __post_init__(self) -> None:
        for array in (self.idx, self.durations_s, self.distances_m):
            array.flags.writeable = False

    def to_sparse(self) -> Any:
        """Return the seconds as a scipy.sparse.csr_array of shape (m, n), which `design_territories` reads as travel.

        A zero that is stored is zero seconds; what is not stored is not among the nearest.
        """
        from scipy.sparse import csr_array  # noqa: PLC0415 - only for those who ask

        known = self.idx >= 0
        order = np.argsort(np.where(known, self.idx, self.n_destinations), axis=1, kind="stable")
        kept = np.take_along_axis(known, order, axis=1)
        columns = np.take_along_axis(self.idx, order, axis=1)[kept]
        seconds = np.take_along_axis(self.durations_s, order, axis=1)[kept]
        starts = np.concatenate(([0], np.cumsum(kept.sum(axis=1))))
        return csr_array((seconds.astype(np.float64), columns, starts), shape=(len(self.idx), self.n_destinations))


@dataclass(frozen=True, slots=True, eq=False)
class RouteGeometry:
    """The line of a route, leg by leg.

    Attributes
    ----------
    lon, lat : float arrays of shape (p,), degrees
    offsets : int64 array of shape (n,)
        Leg i of n - 1 is the points from ``offsets[i]`` up to ``offsets[i + 1]``; a leg without a way has none.
    """

    lon: FloatArray
    lat: FloatArray
    offsets: NDArray[np.int64]

    def __post_init__(self) -> None:
        for array in (self.lon, self.lat, self.offsets):
            array.flags.writeable = False

    def __len__(self) -> int:
        """Count the legs."""
        return max(len(self.offsets) - 1, 0)

    def leg(self, i: int) -> tuple[FloatArray, FloatArray]:
        """Return longitudes and latitudes of the points of leg i."""
        rows = slice(int(self.offsets[i]), int(self.offsets[i + 1]))
        return self.lon[rows], self.lat[rows]


@dataclass(frozen=True, slots=True, eq=False)
class SnappedPlaces:
    """Where trips from and to places begin and end.

    Attributes
    ----------
    lon, lat : float arrays of shape (n,), degrees
        On the road; the place itself where there is none.
    moved_m : float array of shape (n,)
        How far that is from the place, metres; infinite where no road is near enough.
    """

    lon: FloatArray
    lat: FloatArray
    moved_m: FloatArray

    def __post_init__(self) -> None:
        for array in (self.lon, self.lat, self.moved_m):
            array.flags.writeable = False

    @property
    def on_road(self) -> NDArray[np.bool_]:
        """Which places have a road near enough, shape (n,)."""
        return np.isfinite(self.moved_m)
