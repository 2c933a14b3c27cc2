"""What can be wrong with longitudes and latitudes, and what is merely suspicious."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.geo.sphere import EARTH_RADIUS_M

if TYPE_CHECKING:
    from territory.model.arrays import FloatArray
    from territory.model.columns import Findings

__all__ = ["check_coordinates"]

#: A share of rows at (0, 0) above which it is no coincidence but a geocoder that failed.
NULL_ISLAND_SHARE: Final = 0.01
#: A place is called far when it lies this far from the middle of the others ...
FAR_M: Final = 1_000_000.0
#: ... and this many times as far as they usually do.
FAR_TIMES: Final = 10.0


def check_coordinates(
    lon: FloatArray, lat: FloatArray, findings: Findings, *, lon_name: str = "lon", lat_name: str = "lat"
) -> None:
    """Note impossible coordinates, and warn of suspicious ones.

    Parameters
    ----------
    lon, lat : float arrays of shape (n,), degrees
        NaN is the business of the column itself.
    findings : Findings
    """
    if len(lon) == 0:
        return
    finite = np.isfinite(lon) & np.isfinite(lat)
    lat_out = (np.abs(lat) > 90) & finite
    lon_out = (np.abs(lon) > 180) & finite
    projected = (np.abs(lon) > 1_000) & (np.abs(lat) > 1_000) & finite
    east = lon_out & (lon > 180) & (lon <= 360) & ~lat_out
    swapped = lat_out & (np.abs(lat) <= 180) & (np.abs(lon) <= 90)
    findings.rows(
        "looks-projected",
        "looks projected: metres, not degrees",
        projected,
        column=f"{lon_name}, {lat_name}",
        hint="Transform to WGS84 (EPSG:4326) first.",
    )
    findings.rows(
        f"{lat_name}-out-of-range",
        "outside [-90, 90]",
        lat_out & ~projected,
        column=lat_name,
        hint="Maybe lon and lat are swapped?" if swapped.any() else None,
    )
    findings.rows(
        f"{lon_name}-out-of-range",
        "outside [-180, 180]",
        lon_out & ~projected,
        column=lon_name,
        hint="Maybe longitudes run from 0 to 360? Subtract 360 from those above 180." if east.any() else None,
    )
    null_island = (lon == 0) & (lat == 0)
    if null_island.sum() > NULL_ISLAND_SHARE * len(lon) and len(lon) > 1:
        findings.rows(
            "null-island",
            "at (0, 0), which is open sea",
            null_island,
            column=f"{lon_name}, {lat_name}",
            hint="Maybe the geocoder failed?",
        )
    else:
        findings.warn("null-island", "at (0, 0), which is open sea", null_island, column=f"{lon_name}, {lat_name}")
    good = finite & ~lat_out & ~lon_out & ~null_island
    if good.sum() >= 3:
        _warn_far(lon, lat, good, findings, f"{lon_name}, {lat_name}")


def _warn_far(lon: FloatArray, lat: FloatArray, good: np.ndarray, findings: Findings, column: str) -> None:
    # medians of the unit vectors: robust, and free of the antimeridian
    x, y, z = (
        np.cos(np.radians(lat)) * np.cos(np.radians(lon)),
        np.cos(np.radians(lat)) * np.sin(np.radians(lon)),
        np.sin(np.radians(lat)),
    )
    chord2 = np.zeros(len(lon))
    for axis in (x, y, z):
        chord2 += (axis - np.median(axis[good])) ** 2
    distance = np.sqrt(chord2) * EARTH_RADIUS_M
    far = good & (distance > FAR_M) & (distance > FAR_TIMES * np.median(distance[good]))
    findings.warn(
        "far-away", "more than 1,000 km from the others", far, column=column, hint="Maybe a wrong country or a sign?"
    )
