"""The Earth as a sphere: great circles, unit vectors and the mean position.

On a sphere of the mean radius a great circle is at most about 0.56 % off the geodesic on the WGS 84
ellipsoid, far less than what a road adds to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.errors import InputError, Problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "EARTH_RADIUS_M",
    "from_unit_vectors",
    "great_circle_m",
    "initial_bearing",
    "mean_position",
    "unit_vectors",
]

#: Mean radius R1 = (2a + b) / 3 of the GRS 80 ellipsoid, rounded to the metre.
#: Moritz, H. (2000), "Geodetic Reference System 1980", Journal of Geodesy 74, 128-133: R1 = 6 371 008.7714 m.
EARTH_RADIUS_M: Final = 6_371_008.8

#: Below this length of the mean vector the points balance out around the globe and no mean exists.
_NO_MEAN: Final = 1e-9


def unit_vectors(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
    """Turn positions into unit vectors from the centre of the Earth.

    Parameters
    ----------
    lon, lat : array_like of shape (n,)
        Degrees; any longitude is taken modulo 360.

    Returns
    -------
    ndarray of shape (n, 3)
        x towards (0, 0), y towards (90 E, 0), z towards the North Pole.
    """
    lon_rad = np.radians(np.asarray(lon, dtype=np.float64))
    lat_rad = np.radians(np.asarray(lat, dtype=np.float64))
    cos_lat = np.cos(lat_rad)
    return np.stack([cos_lat * np.cos(lon_rad), cos_lat * np.sin(lon_rad), np.sin(lat_rad)], axis=-1)


def from_unit_vectors(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn vectors from the centre of the Earth into positions; the inverse of `unit_vectors`.

    Parameters
    ----------
    vectors : ndarray of shape (..., 3)
        Of any length but zero.

    Returns
    -------
    lon, lat : ndarray of shape (...)
        Degrees, longitude in [-180, 180], 0 at the poles.
    """
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))


def great_circle_m(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> NDArray[np.float64]:
    """Measure great circles by the haversine formula.

    It is symmetric to the last bit, zero for the same spot, and precise at every distance: within a few
    nanometres for neighbours, and within half a metre next to the antipode.

    Parameters
    ----------
    lon1, lat1, lon2, lat2 : array_like
        Degrees; they broadcast against each other.

    Returns
    -------
    ndarray of the broadcast shape
        Metres, in [0, pi * EARTH_RADIUS_M].

    Examples
    --------
    >>> round(float(great_circle_m(13.4, 52.5, 2.35, 48.85)) / 1000)   # Berlin to Paris, in km
    877
    """
    lat1_rad = np.radians(np.asarray(lat1, dtype=np.float64))
    lat2_rad = np.radians(np.asarray(lat2, dtype=np.float64))
    half_lon = np.radians(np.subtract(lon2, lon1, dtype=np.float64)) / 2
    half_lat = (lat2_rad - lat1_rad) / 2
    haversine = np.sin(half_lat) ** 2 + np.cos(lat1_rad) * np.cos(lat2_rad) * np.sin(half_lon) ** 2
    metres: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(haversine, 0.0, 1.0)))
    return metres


def initial_bearing(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> NDArray[np.float64]:
    """Tell in which direction the great circle sets out.

    Parameters
    ----------
    lon1, lat1, lon2, lat2 : array_like
        Degrees; they broadcast against each other.

    Returns
    -------
    ndarray of the broadcast shape
        Degrees clockwise from north, in [0, 360); 0 for the same spot.
    """
    lat1_rad = np.radians(np.asarray(lat1, dtype=np.float64))
    lat2_rad = np.radians(np.asarray(lat2, dtype=np.float64))
    d_lon = np.radians(np.subtract(lon2, lon1, dtype=np.float64))
    east = np.sin(d_lon) * np.cos(lat2_rad)
    north = np.cos(lat1_rad) * np.sin(lat2_rad) - np.sin(lat1_rad) * np.cos(lat2_rad) * np.cos(d_lon)
    bearing: NDArray[np.float64] = np.degrees(np.arctan2(east, north)) % 360.0
    # a tiny negative angle comes out of the remainder as 360 itself
    return np.where(bearing >= 360.0, 0.0, bearing)


def mean_position(lon: ArrayLike, lat: ArrayLike, weights: ArrayLike | None = None) -> tuple[float, float]:
    """Find the middle of positions on the sphere; the antimeridian and the poles are nothing special.

    It is the direction of the (weighted) mean of the unit vectors. Where that mean vanishes, as for two
    antipodes, every place is as good a middle as any other, and the first position is returned.

    Parameters
    ----------
    lon, lat : array_like of shape (n,), n >= 1
        Degrees.
    weights : array_like of shape (n,), optional
        Not negative, not all zero.

    Returns
    -------
    lon, lat : float
        Degrees, longitude in [-180, 180].

    Raises
    ------
    InputError
        No positions, or weights that do not fit.
    """
    vectors = unit_vectors(lon, lat).reshape(-1, 3)
    problems = []
    if len(vectors) == 0:
        problems.append(Problem("no-positions", "a mean position needs at least one position"))
    if weights is None:
        share = np.ones(len(vectors))
    else:
        share = np.asarray(weights, dtype=np.float64)
        if share.shape != (len(vectors),):
            problems.append(Problem("weights-shape", f"shape {share.shape}, expected ({len(vectors)},)", "weights"))
        elif not (np.isfinite(share).all() and (share >= 0).all() and share.any()):
            problems.append(Problem("weights-range", "expected finite weights >= 0, not all zero", "weights"))
    if problems:
        raise InputError(problems, "mean position")
    mean = share @ vectors / share.sum()
    if np.linalg.norm(mean) < _NO_MEAN:
        mean = vectors[0]
    mean_lon, mean_lat = from_unit_vectors(mean)
    return float(mean_lon), float(mean_lat)
