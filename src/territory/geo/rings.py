"""Rings on the globe: cutting at the antimeridian, and the orientation that GeoJSON asks for.

RFC 7946 (the GeoJSON format) wants no geometry to cross the antimeridian (section 3.1.9) and exterior rings
counter-clockwise (section 3.1.6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import shapely
from shapely.geometry.polygon import orient

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

__all__ = ["Region", "cut_antimeridian", "leaves_map", "oriented", "polygonal"]

#: Some ground on a map.
Region: TypeAlias = shapely.Polygon | shapely.MultiPolygon

_POLYGON: Final = 3
_MULTI_POLYGON: Final = 6
#: A corner this near to a pole, 1 cm, is the pole, and its longitude means nothing.
_POLE_DEG: Final = 90.0 - 1e-7


def polygonal(geom: BaseGeometry) -> Region:
    """Keep the polygons of a geometry, as a valid Polygon or MultiPolygon (an empty Polygon if there are none)."""
    if not geom.is_valid:
        geom = shapely.make_valid(geom)
    if isinstance(geom, (shapely.Polygon, shapely.MultiPolygon)):
        return geom
    parts = shapely.get_parts(geom)
    flat = parts[np.isin(shapely.get_type_id(parts), (_POLYGON, _MULTI_POLYGON))]
    return polygonal(shapely.union_all(flat)) if len(flat) else shapely.Polygon()


def oriented(geom: Region) -> Region:
    """Turn exterior rings counter-clockwise and holes clockwise.

    >>> oriented(shapely.Polygon([(0, 0), (0, 1), (1, 1), (1, 0)])).exterior.is_ccw
    True
    """
    if isinstance(geom, shapely.MultiPolygon):
        return shapely.MultiPolygon([orient(part) for part in geom.geoms])
    return geom if geom.is_empty else orient(geom)


def cut_antimeridian(geom: Region) -> Region:
    """Cut polygons at the antimeridian, so that none of them spans the globe.

    An edge over more than 180 degrees of longitude is read as the short way around; one from -180 to 180, in a ring
    without other such edges, is a whole parallel, as in a box of the world. A ring that runs around the
    whole globe encloses a pole, the nearer one, and gets that pole as an edge along the top or bottom of the map.

    Parameters
    ----------
    geom : Polygon or MultiPolygon
        Longitude and latitude in degrees; longitudes may run on beyond 180.

    Returns
    -------
    Polygon or MultiPolygon
        The same ground, with longitudes in [-180, 180]. Geometry that needs no cut is returned as it is.
    """
    coords = shapely.get_coordinates(geom)
    if len(coords) == 0 or not leaves_map(geom):
        return geom
    pieces = [_cut_polygon(part) for part in shapely.get_parts(geom)]
    return polygonal(shapely.union_all(pieces))


def leaves_map(geom: Region) -> bool:
    """Tell whether an edge of a polygon crosses the antimeridian, or a corner lies beyond the map or on a pole."""
    coords = shapely.get_coordinates(geom)
    if len(coords) and (np.abs(coords[:, 0]).max() > 180.0 or np.abs(coords[:, 1]).max() > _POLE_DEG):
        return True
    rings = shapely.get_rings(shapely.get_parts(geom))
    return any(_jumps(np.diff(shapely.get_coordinates(ring)[:, 0])) for ring in rings)


def _jumps(step: NDArray[np.float64]) -> bool:
    """Tell whether a ring jumps over the edge of the map; a whole parallel, as in a box of the world, is no jump."""
    return bool(((np.abs(step) > 180.0) & (np.abs(step) < 360.0)).any())


def _cut_polygon(polygon: Any) -> BaseGeometry:
    """Cut one polygon; each ring is cut on its own, so that it does not matter on which side a hole was written."""
    ground = _cut_ring(polygon.exterior)
    if polygon.interiors:
        ground = ground.difference(shapely.union_all([_cut_ring(hole) for hole in polygon.interiors]))
    return ground


def _cut_ring(ring: Any) -> BaseGeometry:
    coords = _poles_spread(shapely.get_coordinates(ring))
    step = np.diff(coords[:, 0])
    if _jumps(step) or np.abs(coords[:, 0]).max() > 180.0:
        step -= 360.0 * np.rint(step / 360.0)
    lon = coords[0, 0] + np.concatenate([[0.0], np.cumsum(step)])
    lat = coords[:, 1]
    if abs(lon[-1] - lon[0]) > 180.0:
        pole = 90.0 if lat.mean() >= 0 else -90.0
        lon = np.concatenate([lon, [lon[-1], lon[0]]])
        lat = np.concatenate([lat, [pole, pole]])
    unrolled = polygonal(shapely.Polygon(np.stack([lon, lat], axis=1)))
    pieces = []
    for turn in range(int(np.floor((lon.min() + 180.0) / 360.0)), int(np.ceil((lon.max() + 180.0) / 360.0))):
        window = shapely.box(360.0 * turn - 180.0, -90.0, 360.0 * turn + 180.0, 90.0)
        pieces.append(_shifted(polygonal(unrolled.intersection(window)), -360.0 * turn))
    return shapely.union_all(pieces)


def _poles_spread(coords: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn each corner on a pole into an edge from the meridian it is reached on to that on which it is left."""
    at_pole = np.abs(coords[:-1, 1]) > _POLE_DEG
    if at_pole.all() or not at_pole.any():
        return coords
    start = int(np.flatnonzero(~at_pole)[0])
    coords, at_pole = np.roll(coords[:-1], -start, axis=0), np.roll(at_pole, -start)
    corners = [coords[0]]
    for i in range(1, len(coords)):
        if not at_pole[i]:
            if at_pole[i - 1]:
                corners.append(np.array([coords[i, 0], np.copysign(90.0, coords[i - 1, 1])]))
            corners.append(coords[i])
        elif not at_pole[i - 1]:
            corners.append(np.array([coords[i - 1, 0], np.copysign(90.0, coords[i, 1])]))
    if at_pole[-1]:
        corners.append(np.array([coords[0, 0], np.copysign(90.0, coords[-1, 1])]))
    return np.array([*corners, coords[0]])


def _shifted(geom: Region, degrees: float) -> Region:
    return shapely.transform(geom, lambda xy: xy + np.array([degrees, 0.0]))
