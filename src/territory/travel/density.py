"""Kinds of area where nobody has told them: by how much is around a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.errors import InputError, Problem
from territory.geo.sphere import EARTH_RADIUS_M, unit_vectors
from territory.model.enums import Area

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["area_by_density"]


def area_by_density(
    lon: ArrayLike,
    lat: ArrayLike,
    around_lon: ArrayLike,
    around_lat: ArrayLike,
    *,
    urban: float,
    suburban: float,
    weight: ArrayLike | None = None,
    radius_km: float = 1.0,
) -> NDArray[np.int8]:
    """Tell the kind of area of places by how much is around them.

    Parameters
    ----------
    lon, lat : float arrays of shape (n,), degrees
    around_lon, around_lat : float arrays of shape (m,), degrees
        Junctions of roads, say, or places where people live.
    urban, suburban : float
        From so many on a square kilometre a place is urban, or suburban; else it is rural. Of inhabitants, Eurostat's
        degrees of urbanisation begin at 1,500 and 300; the defaults of `GreatCircle` were fitted with 40 and 10
        junctions.
    weight : float array of shape (m,), optional
        How much each counts, e.g. inhabitants. Default: 1.
    radius_km : float
        How far one looks.

    Returns
    -------
    int8 array of shape (n,)
        `Area`.

    Raises
    ------
    InputError
        Thresholds that do not fall, or no radius.

    Notes
    -----
    O((n + m) log m), and the neighbours themselves.

    Examples
    --------
    >>> area_by_density([0.0, 1.0], [0.0, 0.0], [0.0, 0.001], [0.0, 0.0], urban=0.6, suburban=0.1).tolist()
    [0, 2]
    """
    if not (0.0 <= suburban <= urban and 0.0 < radius_km < np.inf):
        message = f"expected 0 <= suburban <= urban and a radius, not {suburban!r}, {urban!r} and {radius_km!r} km"
        raise InputError([Problem("bad-density", message)], "density")
    from scipy.spatial import cKDTree  # noqa: PLC0415 - slow to load, and only needed here

    here = unit_vectors(np.asarray(lon, float), np.asarray(lat, float)).reshape(-1, 3)
    there = unit_vectors(np.asarray(around_lon, float), np.asarray(around_lat, float)).reshape(-1, 3)
    chord = 2.0 * np.sin(0.5 * radius_km * 1000.0 / EARTH_RADIUS_M)
    mass = np.ones(len(there)) if weight is None else np.asarray(weight, dtype=np.float64)
    total = np.zeros(len(here))
    if len(here) and len(there):
        beside = cKDTree(there).query_ball_point(here, chord)
        total = np.array([mass[rows].sum() for rows in beside])
    density = total / (np.pi * radius_km**2)
    return np.where(density >= urban, Area.URBAN, np.where(density >= suburban, Area.SUBURBAN, Area.RURAL)).astype(
        np.int8
    )
