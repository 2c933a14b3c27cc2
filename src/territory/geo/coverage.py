"""Coverages: polygons that share their borders to the last digit, without gaps and overlaps.

Polygons that were worked out one by one agree on a common border up to rounding only. Here all their corners are put
on one grid; where that is not enough (slivers, bow-ties, ground that nobody has), the borders are noded on the
grid, and the faces between them are dealt out anew. Simplification works on borders, not on polygons, so that
neighbours still agree afterwards, and no customer changes sides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from territory.errors import InputError, Problem
from territory.geo.rings import cut_antimeridian, polygonal
from territory.geo.sphere import EARTH_RADIUS_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from territory.geo.rings import Region

__all__ = [
    "COVERAGE_GEOS",
    "dissolved",
    "dissolved_units",
    "is_coverage",
    "points_inside",
    "simplified_coverage",
    "snapped_coverage",
]

#: The first GEOS that knows coverages: shapely's wheels have it since 2.1, builds against older libraries may not.
COVERAGE_GEOS: Final = (3, 12, 0)
#: Corners lie on a grid of seven digits of a degree, a centimetre, as in the GeoJSON that is written.
_DIGITS: Final = 7
_GRID: Final = 10.0**-_DIGITS
#: Repairs of a coverage; polygons that are much thinner than the grid may need a second.
_REPAIRS: Final = 4
#: Rounds of simplification with more and more customers fenced in; then the tolerance is halved.
_ROUNDS: Final = 6
_HALVINGS: Final = 6
#: Radius of the fence around a customer, metres, where the border is not nearer still.
_FENCE_M: Final = 1.0
#: Smaller fences would suffer from rounding; who is as near as that to the border, or to another fence, gets none.
_LEAST_FENCE_M: Final = 1e-3


def _rounded(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.asarray(shapely.transform(shapes, lambda xy: np.round(xy, _DIGITS) + 0.0), dtype=object)


def _array(polygons: Sequence[Any]) -> NDArray[np.object_]:
    """Make an array of geometries; numpy would take a collection of one for a sequence."""
    shapes = np.empty(len(polygons), dtype=object)
    shapes[:] = polygons
    return shapes


def dissolved(shapes: NDArray[np.object_]) -> Region:
    """Merge polygons that share their corners; much faster than a general union, which steps in where they do not."""
    try:
        whole = shapely.coverage_union_all(shapes)
        if whole.is_valid:
            return polygonal(whole)
    except shapely.GEOSException:  # cells of sites a hair apart
        pass
    return polygonal(shapely.union_all([polygonal(shape) for shape in shapes]))


def snapped_coverage(polygons: Sequence[Region], ground: Region | None = None) -> list[Region]:
    """Put polygons on the grid, so that they share their borders exactly.

    Parameters
    ----------
    polygons : sequence of Polygon or MultiPolygon, length k
        In degrees, valid, with common borders up to rounding. Of ground that several have, the first gets it.
    ground : Polygon or MultiPolygon, optional
        What they are to fill; ground that nobody has goes to the nearest. Default: their union.

    Returns
    -------
    list of Polygon or MultiPolygon, length k
        A valid coverage; polygons smaller than the grid may become empty. Needles of kilometres that are hardly wider
        than the grid can resist: `is_coverage` tells.

    Notes
    -----
    O(c log c) in the number of corners.
    """
    shapes = _array(polygons)
    there = np.flatnonzero(~shapely.is_empty(shapes))
    if len(there) == 0:
        return list(shapes)
    out = _rounded(shapes)
    if is_coverage(out[there], ground):
        return list(out)
    whole = polygonal(shapely.union_all(shapes[there])) if ground is None else ground
    out[there] = shapes[there]
    for _ in range(_REPAIRS):
        out[there] = _dealt_out(out[there], whole)
        left = out[~shapely.is_empty(out)]
        if len(left) == 0 or is_coverage(left, ground):
            break
    return list(out)


def is_coverage(shapes: NDArray[np.object_], ground: Region | None = None) -> bool:
    """Tell whether polygons, none of them empty, are valid, share their borders exactly, and fill the ground if given.

    Always False where GEOS is older than 3.12 and cannot tell.
    """
    if shapely.geos_version < COVERAGE_GEOS or not shapely.is_valid(shapes).all():
        return False
    if not shapely.coverage_is_valid(shapes):
        return False
    # each corner moved by half the grid at most
    return ground is None or bool(
        abs(shapely.area(shapes).sum() - ground.area) <= _GRID * (shapely.length(ground) + _GRID)
    )


def _dealt_out(shapes: NDArray[np.object_], ground: Region) -> list[Region]:
    """Node all borders on the grid, and give each face between them to the first polygon that has it."""
    lines = shapely.union_all([*shapely.boundary(shapes), shapely.boundary(ground)], grid_size=_GRID)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    for _ in range(_REPAIRS):
        if is_coverage(faces, None):
            break
        # on edges much longer than the grid, snapping may bring corners onto other edges
        lines = shapely.union_all([lines], grid_size=_GRID)
        faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    spot = shapely.point_on_surface(faces)
    shapely.prepare(ground)
    inside = shapely.intersects(ground, spot)
    faces, spot = faces[inside], spot[inside]
    tree = shapely.STRtree(shapes)
    owner = np.full(len(faces), len(shapes), dtype=np.int64)
    face, polygon = tree.query(spot, predicate="intersects")
    np.minimum.at(owner, face, polygon)
    nobody = np.flatnonzero(owner == len(shapes))
    owner[nobody] = tree.nearest(spot[nobody]) if len(nobody) else 0
    out: list[Region] = []
    for each in range(len(shapes)):
        mine = faces[owner == each]
        out.append(polygonal(_rounded(_array([dissolved(mine)]))[0]) if len(mine) else shapely.Polygon())
    return out


def dissolved_units(units: Sequence[Region], labels: ArrayLike, k: int) -> tuple[list[Region], list[int], list[int]]:
    """Merge basic units by label.

    Parameters
    ----------
    units : sequence of Polygon or MultiPolygon, length n
        In degrees; bow-ties are repaired, and of ground that several have the first gets it.
    labels : array_like of int, shape (n,)
        In [-1, k); units with label -1 take no part.
    k : int

    Returns
    -------
    polygons : list of Polygon or MultiPolygon, length k
        A valid coverage, cut at the antimeridian.
    repaired, overlapping : list of int
        Positions of the units that were no valid polygons, and of those that overlap others.
    """
    label = np.asarray(labels, dtype=np.int64)
    shapes = _array(units)
    sound = shapely.is_valid(shapes) & np.isin(shapely.get_type_id(shapes), (3, 6))
    for i in np.flatnonzero(~sound):
        shapes[i] = polygonal(shapes[i])
    shapes[:] = [cut_antimeridian(shape) for shape in shapes]
    served = np.flatnonzero((label >= 0) & ~shapely.is_empty(shapes))
    whole = _rounded(shapes[served])
    clash: list[int] = []
    if len(served) and not is_coverage(whole, None):
        clash = served[_overlapping(shapes[served])].tolist()
        whole = _array(snapped_coverage(list(shapes[served])))
    out: list[Region] = []
    for each in range(k):
        mine = whole[label[served] == each]
        out.append(dissolved(mine) if len(mine) else shapely.Polygon())
    return out, np.flatnonzero(~sound).tolist(), clash


def _overlapping(shapes: NDArray[np.object_]) -> NDArray[np.int64]:
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    a, b = a[a < b], b[a < b]
    shared = shapely.area(shapely.intersection(shapes[a], shapes[b]))
    # borders drawn twice differ by the last digits; that is no overlap
    clash = shared > 1e-6 * np.minimum(shapely.area(shapes[a]), shapely.area(shapes[b]))
    return np.union1d(a[clash], b[clash]).astype(np.int64)


def points_inside(polygons: Sequence[Region], lon: ArrayLike, lat: ArrayLike, labels: ArrayLike) -> NDArray[np.bool_]:
    """Tell which points lie in the polygon of their own label, borders included.

    Parameters
    ----------
    polygons : sequence of Polygon or MultiPolygon, length k
    lon, lat : array_like of shape (n,)
    labels : array_like of int, shape (n,)
        In [-1, k); points with label -1 lie in none.

    Returns
    -------
    bool array of shape (n,)
    """
    label = np.asarray(labels, dtype=np.int64)
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    inside = np.zeros(len(label), dtype=bool)
    order = np.argsort(label, kind="stable")
    ends = np.searchsorted(label[order], np.arange(len(polygons) + 1))
    for j, polygon in enumerate(polygons):
        rows = order[ends[j] : ends[j + 1]]
        if len(rows) and not polygon.is_empty:
            shapely.prepare(polygon)
            inside[rows] = shapely.intersects_xy(polygon, x[rows], y[rows])
    return inside


def simplified_coverage(
    polygons: Sequence[Region], tolerance_m: float, lon: ArrayLike, lat: ArrayLike, labels: ArrayLike
) -> list[Region]:
    """Drop corners of a coverage; shared borders stay shared, and points stay in their polygons.

    Parameters
    ----------
    polygons : sequence of Polygon or MultiPolygon, length k
        A valid coverage, in degrees.
    tolerance_m : float
        Metres: a corner goes if the triangle with its neighbours is smaller than the square of it.
    lon, lat, labels : array_like of shape (n,)
        Points that stay inside the polygon of their label, if they are in it now: borders that would leave one on
        the wrong side are simplified less there.

    Returns
    -------
    list of Polygon or MultiPolygon, length k
        A valid coverage.

    Raises
    ------
    InputError
        GEOS is older than 3.12.

    References
    ----------
    Visvalingam, M. and Whyatt, J. D. (1993), "Line generalisation by repeated elimination of points", Cartographic
    Journal 30; over common borders, as GEOS does it. Here, points that a border has crossed are fenced in with
    triangles, which are borders too and cannot be crossed, and it is done again.
    """
    shapes = _array(polygons)
    there = np.flatnonzero(~shapely.is_empty(shapes))
    if tolerance_m <= 0.0 or len(there) == 0:
        return list(shapes)
    if shapely.geos_version < COVERAGE_GEOS:
        message = f"simplification needs GEOS 3.12; there is {shapely.geos_version_string}"
        raise InputError([Problem("old-geos", message, hint="The wheels of shapely bring a newer one.")], "polygons")
    label = np.asarray(labels, dtype=np.int64)
    places = np.stack([np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)], axis=1)
    _, south, _, north = shapely.total_bounds(shapes)
    degree = np.radians(1.0) * EARTH_RADIUS_M
    scale = np.array([degree * max(np.cos(np.radians((south + north) / 2.0)), 1e-3), degree])
    kept = points_inside(polygons, places[:, 0], places[:, 1], label)
    flat = np.asarray(shapely.transform(shapes, lambda xy: xy * scale), dtype=object)
    fences = _Fences(flat, places * scale, label)
    for attempt in range(_ROUNDS + _HALVINGS):
        tolerance = tolerance_m / 2.0 ** max(0, attempt - _ROUNDS + 1)
        thin = flat.copy()
        try:
            thin[there] = shapely.coverage_simplify(fences.holed()[there], tolerance)
        except shapely.GEOSException:
            continue
        out = snapped_coverage(list(shapely.transform(fences.filled(thin), lambda xy: xy / scale)))
        lost = kept & ~points_inside(out, places[:, 0], places[:, 1], label)
        if not lost.any():
            return out
        fences.add(np.flatnonzero(lost))
    return list(shapes)


class _Fences:
    """Small triangles around points, holes in their polygons: borders cannot cross them in a simplification."""

    def __init__(self, flat: NDArray[np.object_], at: NDArray[np.float64], label: NDArray[np.int64]) -> None:
        self.flat, self.at, self.label = flat, at, label
        self.middle: list[NDArray[np.float64]] = []
        self.radius: list[float] = []
        self.rings: dict[tuple[int, int], list[NDArray[np.float64]]] = {}

    def add(self, rows: NDArray[np.int64]) -> None:
        for i in rows:
            j = int(self.label[i])
            parts = shapely.get_parts(self.flat[j])
            spot = shapely.Point(self.at[i])
            home = np.flatnonzero(shapely.intersects(parts, spot))
            if len(home) == 0:
                continue
            part = int(home[0])
            radius = min(_FENCE_M, float(shapely.distance(spot, shapely.boundary(parts[part]))) / 2.0)
            if self.middle:  # fences must not touch
                gap = np.hypot(*(np.array(self.middle) - self.at[i]).T) - np.array(self.radius)
                radius = min(radius, float(gap.min()) / 2.0)
            if radius < _LEAST_FENCE_M:
                continue
            angle = np.array([0.1, 2.2, 4.3, 0.1])
            ring = self.at[i] + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
            self.middle.append(self.at[i])
            self.radius.append(radius)
            self.rings.setdefault((j, part), []).append(ring)

    def holed(self) -> NDArray[np.object_]:
        """Return the polygons with the fences as holes."""
        shapes = self.flat.copy()
        for j in {j for j, _ in self.rings}:
            parts = [
                shapely.Polygon(part.exterior, [*part.interiors, *self.rings.get((j, p), [])])
                for p, part in enumerate(shapely.get_parts(self.flat[j]))
            ]
            shapes[j] = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
        return shapes

    def filled(self, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
        """Return polygons without the fences."""
        corners = {tuple(xy) for rings in self.rings.values() for ring in rings for xy in ring.tolist()}
        return _array([_filled(shape, corners) for shape in shapes])


def _filled(shape: Region, corners: set[tuple[float, ...]]) -> Region:
    """Take the fences out of a polygon again."""
    if not corners or shape.is_empty:
        return shape
    parts = [
        shapely.Polygon(part.exterior, [hole for hole in part.interiors if hole.coords[0] not in corners])
        for part in shapely.get_parts(shape)
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
