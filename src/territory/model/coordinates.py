"""What can be wrong with longitudes and latitudes, and what is merely suspicious."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.errors import Problem
from territory.geo.sphere import EARTH_RADIUS_M, unit_vectors
from territory.model.arrays import CHUNK

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.model.arrays import BoolArray, FloatArray
    from territory.model.columns import Findings
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["check_coordinates", "pair_diagnostics"]

#: A share of rows at (0, 0) above which it is no coincidence but a geocoder that failed.
NULL_ISLAND_SHARE: Final = 0.01
#: A place is called far when it lies this far from the middle of the others ...
FAR_M: Final = 1_000_000.0
#: ... and this many times as far as they usually do.
FAR_TIMES: Final = 10.0
#: ... or in a clump of at most this share of all places, that far from every other.
STRAY_SHARE: Final = 0.01
#: Medians are taken over at least this many places, evenly spread over the table.
SAMPLE: Final = 20_000
#: Customers and homes that do not belong together, and such that do (see `pair_diagnostics`).
APART_M: Final = 2_000_000.0
TOGETHER_M: Final = 500_000.0


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
    null_island = (lon == 0) & (lat == 0) & ~_filled(findings, lon_name, lat_name)
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


def _filled(findings: Findings, *names: str) -> BoolArray:
    """Return the rows whose coordinates are fillers for what could not be read."""
    filled: BoolArray = np.logical_or.reduce([findings.bad_in(name) for name in names])
    return filled


def _warn_far(lon: FloatArray, lat: FloatArray, good: BoolArray, findings: Findings, column: str) -> None:
    # medians of the unit vectors: robust, and free of the antimeridian; a sample of them will do
    sample = np.flatnonzero(good)
    sample = sample[:: 1 + len(sample) // SAMPLE]
    vectors = unit_vectors(lon[sample], lat[sample])
    middle = np.median(vectors, axis=0)
    usual = float(np.median(np.linalg.norm(vectors - middle, axis=1))) * EARTH_RADIUS_M
    distance = np.zeros(len(lon))
    for first in range(0, len(lon), CHUNK):  # so that a million places need no array of vectors
        at = slice(first, first + CHUNK)
        distance[at] = np.linalg.norm(_vectors(lon[at], lat[at], good[at]) - middle, axis=1) * EARTH_RADIUS_M
    far = good & (distance > FAR_M) & (distance > FAR_TIMES * usual)
    if distance[good].max() > FAR_M:
        far |= _alone(_vectors(lon, lat, good).T, good)
    findings.warn(
        "far-away", "more than 1,000 km from the others", far, column=column, hint="Maybe a wrong country or a sign?"
    )


def _vectors(lon: FloatArray, lat: FloatArray, good: BoolArray) -> npt.NDArray[np.float64]:
    """Return unit vectors; what is not good lies at (0, 0) for the moment: no infinity meets a cosine."""
    return unit_vectors(np.where(good, lon, 0.0), np.where(good, lat, 0.0))


def _alone(xyz: npt.NDArray[np.float64], good: BoolArray) -> BoolArray:
    """Return the rows of small clumps with nothing else within `FAR_M`, bool of shape (n,).

    Space is cut into cubes of that size; a clump is a set of occupied cubes that touch. In a wide
    country this finds the strays that a distance from the middle cannot tell from its corners.
    """
    side = FAR_M / EARTH_RADIUS_M
    per_axis = int(2.0 / side) + 1
    cube = np.zeros(xyz.shape[1], dtype=np.int64)
    for axis in xyz:
        cube = cube * per_axis + np.minimum((axis + 1.0) // side, per_axis - 1).astype(np.int64)
    count = np.bincount(cube[good], minlength=per_axis**3)
    free = set(np.flatnonzero(count).tolist())
    steps = [-1, 0, 1]
    most = max(1.0, STRAY_SHARE * good.sum())
    stray = np.zeros(per_axis**3, dtype=bool)
    while free:
        clump, queue = set(), [free.pop()]
        while queue:
            at = queue.pop()
            clump.add(at)
            i, j, k = at // per_axis**2, at // per_axis % per_axis, at % per_axis
            near = {(i + a) * per_axis**2 + (j + b) * per_axis + k + c for a in steps for b in steps for c in steps}
            found = near & free
            free -= found
            queue += found
        rows = list(clump)
        stray[rows] = count[rows].sum() <= most
    return good & stray[cube]


def pair_diagnostics(customers: Customers, reps: Reps) -> tuple[Problem, ...]:
    """Warn where customers and homes do not fit together although each looks plausible.

    Longitude and latitude that are swapped are often legal coordinates (13.4, 52.5 lies in Germany,
    52.5, 13.4 in the Arabian Sea); only the homes of the reps give it away.

    Parameters
    ----------
    customers : Customers, length n
    reps : Reps, length r

    Returns
    -------
    tuple of Problem
        ``"swapped-coordinates"`` where customers lie more than 2,000 km (the median) from the
        nearest home, and swapping their longitude and latitude would bring them within 500 km.

    Notes
    -----
    At most 2,000 customers and 2,000 homes are looked at, evenly spread over their tables.
    """
    if len(customers) == 0 or len(reps) == 0:
        return ()
    at, home = (slice(None, None, 1 + len(table) // 2_000) for table in (customers, reps))
    lon, lat = customers.lon[at], customers.lat[at]
    if np.abs(lon).max() > 90:  # swapped, some would lie beyond a pole
        return ()
    homes = unit_vectors(reps.lon[home], reps.lat[home])
    as_is = _median_to_nearest_m(unit_vectors(lon, lat), homes)
    swapped = _median_to_nearest_m(unit_vectors(lat, lon), homes)
    if as_is <= APART_M or swapped > TOGETHER_M:
        return ()
    return (
        Problem(
            "swapped-coordinates",
            f"customers lie {as_is / 1000:,.0f} km from the nearest home (the median), "
            f"with lon and lat swapped {swapped / 1000:,.0f} km",
            column="lon, lat",
            count=len(customers),
            hint="Maybe lon and lat are swapped, of customers or of reps?",
        ),
    )


def _median_to_nearest_m(places: npt.NDArray[np.float64], homes: npt.NDArray[np.float64]) -> float:
    cosine = (places @ homes.T).max(axis=1)
    return float(np.median(np.arccos(np.clip(cosine, -1.0, 1.0)))) * EARTH_RADIUS_M
