"""Territories as polygons: a picture of who serves where.

Every place belongs to the territory of the nearest point. So the polygons are the Voronoi cells of the points,
dissolved by territory and clipped to a boundary: they share their borders, leave no gap and do not overlap. They
are for maps; whose customer somebody is, the alignment says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from scipy.spatial import Voronoi

from territory.geo.adjacency import co_located
from territory.geo.coverage import dissolved, simplified_coverage, snapped_coverage
from territory.geo.projection import from_local_plane, local_plane
from territory.geo.rings import cut_antimeridian, leaves_map, oriented, polygonal
from territory.geo.sphere import EARTH_RADIUS_M, mean_position

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from territory.geo.rings import Region

__all__ = ["outline", "polygon_adjacency", "territory_polygons"]

#: Share of concavity of the outline: 0 hugs every point, 1 is the convex hull.
_CONCAVITY: Final = 0.15
#: The margin of the outline is the mean spacing of the points, kept between these shares of their extent.
_MARGIN_SHARE: Final = (0.01, 0.1)
#: The longest edge of the outline is this part of the extent.
_OUTLINE_EDGES: Final = 64
#: How far beyond a boundary cells are drawn before they are cut, a share of its extent.
_AROUND: Final = 0.02
#: Spacing of the spots at which it is asked whether a boundary holds them, degrees.
_LATTICE_DEG: Final = 10.0
#: The plane's disc has a radius of 2 R; its rim is the antipode.
_RIM: Final = 1.9999
#: Margin around a single spot.
_LONE_MARGIN_M: Final = 1_000.0
#: Longest edge before it goes from the plane to the map, on which it is curved: by less than 20 m at 50 degrees.
_LONGEST_EDGE_M: Final = 25_000.0
#: Edges longer than the root of this share of the Earth's radius times the distance to their sites are bent by more
#: than a twentieth of that distance at 60 degrees.
_BENT: Final = 0.2
#: Longest edge before it goes from the map to the plane.
_LONGEST_EDGE_DEG: Final = 0.25


def territory_polygons(
    lon: ArrayLike,
    lat: ArrayLike,
    labels: ArrayLike,
    *,
    boundary: Region | None = None,
    simplify_m: float = 0.0,
) -> list[Region]:
    """Draw territories as polygons that share the ground among them.

    Parameters
    ----------
    lon, lat : array_like of shape (n,)
        Degrees.
    labels : array_like of int, shape (n,)
        Territory of each point. Points with label -1 take no part: their ground goes to their neighbours. Where
        points of several territories stand on one spot, the first of them in the input wins the spot.
    boundary : Polygon or MultiPolygon, optional
        Longitude and latitude of the ground to share, such as a country. Default: the `outline` of the points.
    simplify_m : float
        Tolerance of a simplification that leaves every point on its side; see `simplified_coverage`.

    Returns
    -------
    list of Polygon or MultiPolygon, length ``max(labels) + 1``
        In longitude and latitude, a valid coverage: common borders agree in every corner. Exterior rings
        counter-clockwise, cut at the antimeridian (RFC 7946), corners rounded to seven digits. A territory without
        points, or with none in reach of the boundary, is an empty polygon.

    Notes
    -----
    O(n log n); 10,000 points in 60 territories take about 0.3 s. Drawn in the local equal-area plane, in which
    "nearest" is true to 1 % up to some 1,500 km from the middle of the points.
    """
    label = np.asarray(labels, dtype=np.int64)
    polygons: list[Region] = [shapely.Polygon()] * (int(label.max(initial=-1)) + 1)
    drawn = np.flatnonzero(label >= 0)
    if len(drawn) == 0:
        return polygons
    x, y = np.asarray(lon, dtype=np.float64)[drawn], np.asarray(lat, dtype=np.float64)[drawn]
    _, first = np.unique(co_located(x, y), return_index=True)
    xy, origin = local_plane(x[first], y[first])
    clip = _outline(xy) if boundary is None else _around(boundary, origin, xy)
    reach = np.abs(np.concatenate([xy, shapely.get_coordinates(clip)])).max()
    cells, site = _voronoi_cells(xy, float(reach))
    turn = _open_at(clip, origin)
    ground = _back(clip, origin, turn) if boundary is None else _turned(boundary, -turn)
    shapely.prepare(clip)
    shapely.prepare(ground)
    of_cell = label[drawn][first][site]
    longest = _longest_edge(y[first])
    for each in np.unique(of_cell):
        piece = dissolved(cells[of_cell == each])
        piece = polygonal(piece if clip.contains(piece) else piece.intersection(clip))
        piece = _back(shapely.segmentize(piece, longest), origin, turn)
        if boundary is not None and not ground.contains_properly(piece):
            piece = polygonal(piece.intersection(ground))
        polygons[each] = piece
    polygons = snapped_coverage(polygons, ground)
    if simplify_m > 0.0:
        shifted = _wrapped(x - turn) if turn else x
        polygons = simplified_coverage(polygons, simplify_m, shifted, y, label[drawn])
    if turn:
        polygons = snapped_coverage([_turned(polygon, turn) for polygon in polygons])
    return [oriented(polygon) for polygon in polygons]


def _around(boundary: Region, origin: tuple[float, float], xy: NDArray[np.float64]) -> Region:
    """Return a plain shape around a boundary and the points, in the plane; the exact clip is made on the map."""
    geom = cut_antimeridian(boundary)
    edge = shapely.get_coordinates(shapely.segmentize(geom, _LONGEST_EDGE_DEG))
    # a boundary around half the globe has ground far outside the hull of its edge
    lattice = np.stack(
        np.meshgrid(np.arange(-180.0, 180.0, _LATTICE_DEG), np.arange(-90.0, 91.0, _LATTICE_DEG)), axis=-1
    )
    lattice = lattice.reshape(-1, 2)
    lonlat = np.concatenate([edge, lattice[shapely.intersects_xy(geom, lattice)]])
    spots = np.concatenate([xy, local_plane(lonlat[:, 0], lonlat[:, 1], origin)[0]])
    extent = float(np.hypot(*np.ptp(spots, axis=0)))
    wide = shapely.convex_hull(shapely.MultiPoint(spots)).buffer(max(_AROUND * extent, _LONE_MARGIN_M))
    # beyond the rim of the plane there is nothing
    wide = wide.intersection(shapely.Point(0.0, 0.0).buffer(_RIM * EARTH_RADIUS_M, quad_segs=64))
    return polygonal(wide.segmentize(max(extent, _LONE_MARGIN_M) / _OUTLINE_EDGES))


def _open_at(clip: Region, origin: tuple[float, float]) -> float:
    """Return by how many degrees to turn the map so that its edge is far from the ground; 0 where it is anyway."""
    # whole degrees: corners stay on the grid of digits when the map is turned back
    for turn in (0.0, float(round(origin[0]))):
        if not leaves_map(shapely.transform(clip, lambda xy, turn=turn: _unprojected(xy, origin, turn))):
            return turn
    return 0.0  # a pole is in it: the map's edge runs through the ground wherever it is


def _longest_edge(lat: NDArray[np.float64]) -> float:
    """Return how long a straight edge of the plane may be on the map, metres: close to a pole it is bent most."""
    to_pole = np.radians(90.0 - np.abs(lat)) * EARTH_RADIUS_M
    near = to_pole[to_pole > _LONE_MARGIN_M]
    return float(np.clip(near.min(initial=np.inf) / 8.0, _LONE_MARGIN_M / 8.0, _LONGEST_EDGE_M))


def _wrapped(lon: NDArray[np.float64]) -> NDArray[np.float64]:
    # longitudes in range stay as they are, to the last bit
    return np.where(np.abs(lon) <= 180.0, lon, (lon + 180.0) % 360.0 - 180.0)


def _turned(geom: Region, degrees: float) -> Region:
    """Shift a shape of the map around the globe, and cut it where it then leaves the map."""
    geom = cut_antimeridian(geom)
    if degrees == 0.0:
        return geom

    def shift(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([_wrapped(xy[:, 0] + degrees), xy[:, 1]], axis=1)

    parts = [cut_antimeridian(part) for part in shapely.get_parts(shapely.transform(geom, shift))]
    return polygonal(shapely.union_all(parts))


def outline(lon: ArrayLike, lat: ArrayLike) -> Region:
    """Draw a loose outline around points: their concave hull with a margin of about the distance between points.

    Parameters
    ----------
    lon, lat : array_like of shape (n,), n >= 1
        Degrees.

    Returns
    -------
    Polygon or MultiPolygon
        In longitude and latitude; a disc of 1 km around a lone point.

    Raises
    ------
    InputError
        No points.
    """
    _, first = np.unique(co_located(lon, lat), return_index=True)
    lon_once, lat_once = np.asarray(lon, dtype=np.float64)[first], np.asarray(lat, dtype=np.float64)[first]
    xy, origin = local_plane(lon_once, lat_once, mean_position(lon_once, lat_once))
    return oriented(_back(_outline(xy), origin))


def _outline(xy: NDArray[np.float64]) -> Region:
    points = shapely.MultiPoint(xy)
    hull = shapely.convex_hull(points)
    extent = float(np.hypot(*np.ptp(xy, axis=0)))
    if extent == 0.0:
        margin = _LONE_MARGIN_M
    else:
        least, most = _MARGIN_SHARE
        margin = float(np.clip(np.sqrt(hull.area / len(xy)), least * extent, most * extent))
        if hull.geom_type == "Polygon":
            hull = shapely.concave_hull(points, ratio=_CONCAVITY)
    # bulging out and coming back half-way fills the narrow inlets that a concave hull leaves
    ground = hull.buffer(2 * margin).buffer(-margin).simplify(margin / 20)
    # short edges, because straight lines of the plane are bent on the map
    return polygonal(ground.segmentize(max(extent, margin) / _OUTLINE_EDGES))


def _unprojected(xy: NDArray[np.float64], origin: tuple[float, float], turn: float) -> NDArray[np.float64]:
    lon, lat = from_local_plane(xy, origin)
    return np.stack([_wrapped(lon - turn), lat], axis=1)


def _back(geom: Region, origin: tuple[float, float], turn: float = 0.0) -> Region:
    return polygonal(cut_antimeridian(shapely.transform(geom, lambda xy: _unprojected(xy, origin, turn))))


def _voronoi_cells(xy: NDArray[np.float64], reach: float) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Compute the cells of distinct sites, as polygons that share vertices to the last bit, and the site of each.

    Four helpers at five times the reach close every cell; nothing within reach is nearer to them than to a site
    (at most twice the reach away), so that they do not show, and with them even one site or a line has cells.
    """
    far = 5.0 * max(reach, 1.0)
    helpers = np.array([[-far, -far], [far, -far], [far, far], [-far, far]])
    diagram = Voronoi(np.concatenate([xy, helpers]))
    regions = [diagram.regions[region] for region in diagram.point_region[: len(xy)]]
    size = np.array([len(region) for region in regions])
    # a site too close to another to have a cell of its own is drawn as part of that one
    site = np.flatnonzero(size >= 3).astype(np.int64)
    owner = np.repeat(site, size[site])
    corner = np.concatenate([regions[i] for i in site]).astype(np.int64)
    vertices = diagram.vertices
    extra, between = _along_needles(diagram, xy)
    for side in between.T:
        corner = np.concatenate([corner, len(vertices) + np.flatnonzero(size[side] >= 3)])
        owner = np.concatenate([owner, side[size[side] >= 3]])
    vertices = np.concatenate([vertices, extra])
    away = vertices[corner] - xy[owner]
    order = np.lexsort((np.arctan2(away[:, 1], away[:, 0]), owner))
    corner, owner = corner[order], owner[order]
    # rings are closed by their first corner
    count = np.bincount(owner, minlength=len(xy))[site]
    last = np.cumsum(count)
    ring = np.insert(corner, last, corner[last - count])
    ring_of = np.insert(owner, last, site)
    rings = shapely.linearrings(vertices[ring], indices=np.searchsorted(site, ring_of))
    return np.asarray(shapely.polygons(rings), dtype=object), site


def _along_needles(diagram: Voronoi, xy: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find more corners for long borders between sites that are close together.

    On the map a long edge is bent by metres, more than such sites are away from it. Corners at distances that grow
    with those from the sites keep it where it is.

    Returns
    -------
    corners : float array of shape (m, 2)
    between : int array of shape (m, 2)
        The two sites of each.
    """
    pair = np.asarray(diagram.ridge_points, dtype=np.int64)
    ends = np.array([ridge if len(ridge) == 2 else [-1, -1] for ridge in diagram.ridge_vertices], dtype=np.int64)
    real = (pair < len(xy)).all(axis=1) & (ends >= 0).all(axis=1)
    pair, ends = pair[real], ends[real]
    start, way = diagram.vertices[ends[:, 0]], diagram.vertices[ends[:, 1]] - diagram.vertices[ends[:, 0]]
    length = np.hypot(way[:, 0], way[:, 1])
    gap = xy[pair[:, 0]] - xy[pair[:, 1]]
    near = np.hypot(gap[:, 0], gap[:, 1]) / 2.0
    thin = np.flatnonzero((length > 4.0 * near) & (length**2 > _BENT * EARTH_RADIUS_M * near))
    start, length, near, pair = start[thin], length[thin], near[thin], pair[thin]
    along = way[thin] / length[:, None]
    foot = ((xy[pair].mean(axis=1) - start) * along).sum(axis=1)
    corners, between = [np.empty((0, 2))], [np.empty((0, 2), dtype=np.int64)]
    step = near.copy()
    while (step < length).any():
        for at in (foot - step, foot + step):
            inside = np.flatnonzero((at > 0.01 * near) & (at < length - 0.01 * near) & (step < length))
            corners.append(start[inside] + at[inside, None] * along[inside])
            between.append(pair[inside])
        step *= 4.0
    return np.concatenate(corners), np.concatenate(between)


def polygon_adjacency(polygons: list[Region]) -> NDArray[np.int32]:
    """Find which polygons touch or overlap, be it in one point.

    Parameters
    ----------
    polygons : list of Polygon or MultiPolygon

    Returns
    -------
    int32 array of shape (m, 2)
        Pairs (a, b) with a < b, sorted. Polygons on both sides of the antimeridian are not seen as neighbours.
    """
    shapes = np.array(polygons, dtype=object)
    pairs = shapely.STRtree(shapes).query(shapes, predicate="intersects").T
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    return np.asarray(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))], dtype=np.int32)
