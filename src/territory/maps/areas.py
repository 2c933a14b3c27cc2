"""Territories as areas of a map: polygons, colours, places for labels; and where to cut the globe open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from shapely.ops import polylabel

from territory.geo.colouring import colour_neighbours
from territory.geo.coverage import COVERAGE_GEOS, simplified_coverage
from territory.geo.extent import area_m2
from territory.geo.polygons import polygon_adjacency, territory_polygons

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from territory.geo.rings import Region
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["Areas", "map_areas", "map_seam", "nice_step", "unrolled"]

#: Borders are drawn without corners that are finer than this share of the smallest territories' width.
_DETAIL: Final = 1 / 50
#: Where a map is not cut open anywhere else.
_ANTIMERIDIAN: Final = -180.0


@dataclass(frozen=True, slots=True)
class Areas:
    """Territories to be drawn.

    Attributes
    ----------
    polygons : list of Polygon or MultiPolygon, length k
        Longitude and latitude; empty for territories without customers.
    colour_idx : int32 array of shape (k,)
        Number of each territory's colour; neighbours differ.
    label_lonlat : float array of shape (k, 2), degrees
        The roomiest spot of each territory; NaN for an empty one.
    """

    polygons: list[Region]
    colour_idx: IdxArray
    label_lonlat: FloatArray


def map_areas(lon: ArrayLike, lat: ArrayLike, labels: ArrayLike, k: int, *, boundary: Region | None = None) -> Areas:
    """Draw territories for a map.

    Parameters
    ----------
    lon, lat : array_like of shape (n,)
        Degrees.
    labels : array_like of int, shape (n,)
        Territory of each place, below `k`; -1: none.
    k : int
        Number of territories.
    boundary : Polygon or MultiPolygon, optional
        The ground to share; see `territory_polygons`.

    Returns
    -------
    Areas
        In longitudes that run on over the map's seam (`map_seam`), so that no territory is torn apart.
    """
    longitude = np.asarray(lon, dtype=np.float64)
    drawn = territory_polygons(longitude, lat, labels, boundary=boundary)
    drawn += [shapely.Polygon()] * (k - len(drawn))
    colour = colour_neighbours(polygon_adjacency(drawn), k)
    seam = map_seam(longitude)
    polygons = [_over_seam(polygon, seam) for polygon in _simplified(drawn, longitude, lat, labels)]
    return Areas(polygons, colour, np.array([_label_at(p) for p in polygons], dtype=np.float64).reshape(k, 2))


def map_seam(lon: ArrayLike) -> float:
    """Return the longitude at which a map of these places is cut open: the antimeridian, if nothing is near it.

    >>> map_seam([9.0, 13.4])
    -180.0
    >>> map_seam([178.0, -178.0])
    0.0
    """
    east = np.unique(np.asarray(lon, dtype=np.float64) % 360.0)
    if len(east) == 0:
        return _ANTIMERIDIAN
    gap = np.diff(east, append=east[0] + 360.0)
    widest = int(np.argmax(gap))
    start, width = float(east[widest]), float(gap[widest])
    if (180.0 - start) % 360.0 <= width:
        return _ANTIMERIDIAN
    return (start + width / 2.0 + 180.0) % 360.0 - 180.0


def unrolled(lon: ArrayLike, seam: float) -> FloatArray:
    """Return longitudes as they run on from the seam eastwards, in ``[seam, seam + 360)``."""
    longitude = np.asarray(lon, dtype=np.float64)
    return longitude + 360.0 * np.ceil((seam - longitude) / 360.0) if seam != _ANTIMERIDIAN else longitude


def nice_step(length: float) -> float:
    """Return the largest of 1, 2, 5, 10, ... that is not above a length, for a scale bar.

    >>> nice_step(73.0), nice_step(0.45)
    (50.0, 0.2)
    """
    power = 10.0 ** np.floor(np.log10(length))
    return float(max(s * power for s in (1.0, 2.0, 5.0) if s * power <= length * (1 + 1e-12)))


def _simplified(polygons: list[Region], lon: ArrayLike, lat: ArrayLike, labels: ArrayLike) -> list[Region]:
    areas = [area_m2(polygon) for polygon in polygons if not polygon.is_empty]
    if shapely.geos_version < COVERAGE_GEOS or not areas:
        return polygons
    return simplified_coverage(polygons, _DETAIL * float(np.sqrt(np.quantile(areas, 0.1))), lon, lat, labels)


def _over_seam(polygon: Region, seam: float) -> Region:
    """Move the parts that lie before the seam once around the globe."""
    if seam == _ANTIMERIDIAN or polygon.is_empty:
        return polygon

    def moved(part: shapely.Polygon) -> shapely.Polygon:
        west, _, east, _ = part.bounds
        middle = (west + east) / 2.0
        shift = float(unrolled([middle], seam)[0]) - middle
        return shapely.transform(part, lambda xy: xy + np.array([shift, 0.0]))

    whole = shapely.union_all([moved(part) for part in shapely.get_parts(polygon)])
    return whole if isinstance(whole, (shapely.Polygon, shapely.MultiPolygon)) else polygon


def _label_at(polygon: Region) -> NDArray[np.float64]:
    if polygon.is_empty:
        return np.array([np.nan, np.nan])
    parts = shapely.get_parts(polygon)
    largest = parts[int(np.argmax(shapely.area(parts)))]
    west, south, east, north = largest.bounds
    extent = max(east - west, north - south)
    at = polylabel(largest, extent / 50.0) if extent > 0 and largest.area > 0 else largest.centroid
    return np.array([at.x, at.y])
