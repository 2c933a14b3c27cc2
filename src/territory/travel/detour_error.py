"""How far great circles are from roads: by area and by distance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.model.enums import Area

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray
    from territory.model.places import Places
    from territory.travel.detour import LegSample
    from territory.travel.great_circle import GreatCircle

__all__ = ["DetourError", "LegError", "class_of", "detour_error"]

#: Bands of great circles, kilometres.
_BANDS_KM: Final = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, np.inf)


@dataclass(frozen=True, slots=True)
class LegError:
    """Errors of n legs.

    Attributes
    ----------
    n : int
    median, q90 : float
        Of the error of a leg, up or down, as a share of the leg by road; 90 % of the legs have no more than `q90`.
    bias : float
        All that was estimated, over all that is by road, less one.
    """

    n: int
    median: float
    q90: float
    bias: float


@dataclass(frozen=True, eq=False)
class DetourError:
    """Errors of times and of distances.

    Attributes
    ----------
    seconds, metres : LegError
        Of all legs.
    by_area : mapping of str to pair of LegError
        Of times and distances; of legs with both ends in an ``"urban"``, ``"suburban"`` or ``"rural"`` area, and of
        ``"mixed"`` ones.
    by_distance : mapping of str to pair of LegError
        By bands of great circles, as ``"2-5 km"``.
    """

    seconds: LegError
    metres: LegError
    by_area: Mapping[str, tuple[LegError, LegError]]
    by_distance: Mapping[str, tuple[LegError, LegError]]

    def table(self) -> str:
        """Return the errors as a table in Markdown."""
        lines = [
            "| legs | n | time: median | 90 % | bias | distance: median | 90 % | bias |",
            "|---|--:|--:|--:|--:|--:|--:|--:|",
        ]
        rows = {"all": (self.seconds, self.metres), **self.by_area, **self.by_distance}
        for name, pair in rows.items():
            cells = " | ".join(f"{e.median:.0%} | {e.q90:.0%} | {e.bias:+.0%}" for e in pair)
            lines.append(f"| {name} | {pair[0].n:,} | {cells} |")
        return "\n".join(lines)


def class_of(places: Places) -> NDArray[np.int8]:
    """Return the area of places as `GreatCircle` takes it, unknown ones as suburban, int8 of shape (n,)."""
    if places.area is None:
        return np.full(len(places), Area.SUBURBAN, dtype=np.int8)
    return np.where(places.area < 0, Area.SUBURBAN, places.area).astype(np.int8)


def detour_error(travel: GreatCircle, sample: LegSample) -> DetourError:
    """Measure great circles on legs by road, of which there is one at least; legs without a way or time do not count.

    For an honest figure take legs that were not fitted to. O(n log n).
    """
    sample = sample.take(
        np.isfinite(sample.seconds) & np.isfinite(sample.metres) & (sample.seconds > 0) & (sample.metres > 0)
    )
    found = travel.raw_pairs(sample.origins, sample.destinations)
    start, end = class_of(sample.origins), class_of(sample.destinations)
    crow = sample.crow_m()

    def pair(rows: NDArray[np.bool_]) -> tuple[LegError, LegError]:
        return (
            _error(found.seconds[rows], sample.seconds[rows]),
            _error(found.metres[rows], sample.metres[rows]),
        )

    by_area = {a.name.lower(): pair((start == a) & (end == a)) for a in Area if ((start == a) & (end == a)).any()}
    if (start != end).any():
        by_area["mixed"] = pair(start != end)
    by_distance = {}
    for low, high in pairwise(_BANDS_KM):
        rows = (crow >= 1000.0 * low) & (crow < 1000.0 * high)
        if rows.any():
            by_distance[f"{low:g}-{high:g} km" if np.isfinite(high) else f"from {low:g} km"] = pair(rows)
    return DetourError(*pair(np.ones(len(crow), dtype=bool)), by_area, by_distance)


def _error(estimate: FloatArray, road: FloatArray) -> LegError:
    if not len(road):
        return LegError(0, 0.0, 0.0, 0.0)
    off = np.abs(estimate - road) / road
    median, q90 = np.quantile(off, [0.5, 0.9])
    return LegError(len(road), float(median), float(q90), float(estimate.sum() / road.sum() - 1.0))
