"""How large polygons of the map are on the ground: area, perimeter, compactness.

Edges are straight lines of longitude and latitude, as in GeoJSON. Edges along the antimeridian and the poles, where
the map is cut open, are no borders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

from territory.geo.sphere import EARTH_RADIUS_M, great_circle_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.geo.rings import Region

__all__ = ["area_m2", "perimeter_m", "polsby_popper"]

#: Edges are measured in pieces of at most this: a straight line of the map is no great circle.
_PIECE_DEG: Final = 0.1


def _edges(geom: Region) -> NDArray[np.float64]:
    """Give the edges of all rings, exterior ones counter-clockwise, shape (m, 2, 2)."""
    rings = [
        shapely.get_coordinates(ring)
        for part in shapely.get_parts(shapely.orient_polygons(geom))
        for ring in shapely.get_rings(part)
    ]
    if not rings:
        return np.empty((0, 2, 2))
    return np.concatenate([np.stack([ring[:-1], ring[1:]], axis=1) for ring in rings])


def area_m2(geom: Region) -> float:
    """Measure the area of a polygon on the sphere.

    The integral of sin(latitude) over longitude along the edges, in closed form: exact for polygons whose edges
    are straight on the map, of any size, with holes, cut at the antimeridian, or around a pole.

    >>> round(area_m2(shapely.box(-180, 0, 180, 90)) / (2 * np.pi * EARTH_RADIUS_M**2), 12)   # half the globe
    1.0
    """
    edges = np.radians(_edges(geom))
    step = edges[:, 1] - edges[:, 0]
    # numpy's sinc(x) is sin(pi x) / (pi x)
    height = np.sin(edges[:, :, 1].mean(axis=1)) * np.sinc(step[:, 1] / (2.0 * np.pi))
    return max(0.0, float(-(step[:, 0] * height).sum()) * EARTH_RADIUS_M**2)


def perimeter_m(geom: Region) -> float:
    """Measure the borders of a polygon, those of holes included.

    >>> round(perimeter_m(shapely.box(-180, 0, 180, 90)) / (2 * np.pi * EARTH_RADIUS_M), 12)   # the equator
    1.0
    """
    if geom.is_empty:
        return 0.0
    edges = _edges(shapely.segmentize(geom, _PIECE_DEG))
    metres = great_circle_m(edges[:, 0, 0], edges[:, 0, 1], edges[:, 1, 0], edges[:, 1, 1])
    sides = [_along(edges, side) for side in (-180.0, 180.0)]
    cut = ((np.abs(edges[:, :, 0]) == 180.0) & (edges[:, :1, 0] == edges[:, 1:, 0])).all(axis=1)
    # what lies on one side of the cut only is a border
    border = shapely.symmetric_difference(*sides).length if not sides[0].is_empty or not sides[1].is_empty else 0.0
    return float(metres[~cut].sum()) + float(np.radians(border)) * EARTH_RADIUS_M


def _along(edges: NDArray[np.float64], side: float) -> shapely.Geometry:
    """Give the latitudes of the edges that run along one side of the map, as lines on an axis."""
    lat = edges[(edges[:, :, 0] == side).all(axis=1)][:, :, 1]
    return (
        shapely.union_all(shapely.linestrings(np.stack([lat, np.zeros_like(lat)], axis=2)))
        if len(lat)
        else (shapely.LineString())
    )


def polsby_popper(area: float, perimeter: float) -> float:
    """Compare an area with that of a disc of the same perimeter: 1 for a disc, near 0 for a long ribbon.

    References
    ----------
    Polsby, D. D. and Popper, R. D. (1991), "The Third Criterion", Yale Law & Policy Review 9.

    >>> round(polsby_popper(1.0, 4.0), 3)   # a square
    0.785
    """
    return 4.0 * np.pi * area / perimeter**2 if perimeter > 0.0 else float("nan")
