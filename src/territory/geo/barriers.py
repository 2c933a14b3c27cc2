"""Barriers: rivers, ridges, borders and lakes that neighbours do not see each other across.

An edge between two places is their great circle; the edges of a barrier are straight lines between longitudes and
latitudes, as in GeoJSON. What touches is cut. Longitudes may cross the antimeridian: a step of more than 180 degrees
is read as the short way around.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from territory.errors import InputError, Problem
from territory.geo.rings import cut_antimeridian, polygonal
from territory.geo.sphere import EARTH_RADIUS_M, from_unit_vectors, unit_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cut", "geometries_of", "great_circle_lines", "read_barriers", "touched"]

#: How far a great circle may bulge from the straight line on the map that stands for a piece of it.
_BULGE_M: Final = 1.0
#: Pieces of one great circle; at most a few metres of bulge on edges across a continent.
_MOST_PIECES: Final = 512
#: Latitude at which the bulge is computed where it would be endless.
_STEEPEST_DEG: Final = 89.0
_LINES: Final = (1, 2, 5)
_AREAS: Final = (3, 6)
_WGS84: Final = ("CRS84", "4326")


def geometries_of(given: Any, subject: str, problems: list[Problem]) -> NDArray[np.object_]:
    """Read geometries in any of the usual forms; what is wrong goes to `problems`.

    Parameters
    ----------
    given : geometry, iterable of geometries, GeoDataFrame, GeoSeries, or GeoJSON as a mapping
        Longitude and latitude in degrees. A GeoDataFrame must know its coordinate system, and is transformed.
    subject : str
        What an error message calls them.

    Returns
    -------
    object array of shapely geometries, None where one is missing; without a third dimension
    """
    if hasattr(given, "to_crs") and hasattr(given, "crs"):
        series = getattr(given, "geometry", given)
        if series.crs is None:
            hint = "Set it: frame.set_crs('EPSG:4326')."
            problems.append(Problem("unknown-crs", f"{subject} have no coordinate system", hint=hint))
            return np.empty(0, dtype=object)
        shapes = np.asarray(series.to_crs("EPSG:4326").values, dtype=object)
    elif isinstance(given, dict) or (hasattr(given, "__geo_interface__") and not isinstance(given, shapely.Geometry)):
        shapes = _from_geojson(given if isinstance(given, dict) else given.__geo_interface__, subject, problems)
    else:
        try:
            single = isinstance(given, (shapely.Geometry, str, bytes)) or given is None
            listed = [given] if single else list(given)
        except TypeError:
            listed = [given]
        shapes = np.empty(len(listed), dtype=object)
        shapes[:] = listed
    bad = [i for i, g in enumerate(shapes) if not (g is None or isinstance(g, shapely.Geometry))]
    if bad:
        message = f"{subject}: expected shapely geometries, not {type(shapes[bad[0]]).__name__}"
        problems.append(Problem("not-a-geometry", message, count=len(bad), rows=tuple(bad[:5])))
        return np.empty(0, dtype=object)
    _check_range(shapes, subject, problems)
    return np.asarray(shapely.force_2d(shapes), dtype=object)


def _from_geojson(given: Any, subject: str, problems: list[Problem]) -> NDArray[np.object_]:
    crs = str(given.get("crs") or "CRS84")
    if not any(name in crs for name in _WGS84):
        problems.append(Problem("unknown-crs", f"{subject}: GeoJSON is in WGS84 (RFC 7946), not {crs}"))
    features = given.get("features", [given])
    shapes = np.empty(len(features), dtype=object)
    bad = []
    for i, feature in enumerate(features):
        geometry = feature.get("geometry") if feature.get("type") == "Feature" else feature
        try:
            shapes[i] = None if geometry is None else shapely.geometry.shape(geometry)
        except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
            bad.append(i)
    if bad:
        message = f"{subject}: no GeoJSON geometry"
        problems.append(Problem("not-a-geometry", message, count=len(bad), rows=tuple(bad[:5])))
    return shapes


def _check_range(shapes: NDArray[np.object_], subject: str, problems: list[Problem]) -> None:
    bounds = np.abs(shapely.bounds(shapes))
    # a ring that runs on over the antimeridian is all right; NaN is an empty geometry
    beyond = np.flatnonzero((bounds[:, [0, 2]] > 360.0).any(axis=1) | (bounds[:, [1, 3]] > 90.0).any(axis=1))
    endless = np.flatnonzero(np.isinf(bounds).any(axis=1))
    if len(endless):
        rows = tuple(int(i) for i in endless[:5])
        problems.append(Problem("not-finite", f"{subject}: infinite coordinates", "geometry", len(endless), rows))
    elif len(beyond):
        projected = bool((bounds[beyond] > 1_000.0).any())
        hint = "Transform to WGS84 (EPSG:4326) first." if projected else "Maybe lon and lat are swapped?"
        code, what = ("looks-projected", "looks projected: metres, not degrees") if projected else (
            "lat-out-of-range", "outside longitude and latitude")  # fmt: skip
        rows = tuple(int(i) for i in beyond[:5])
        problems.append(Problem(code, f"{subject}: {what}", "geometry", len(beyond), rows, hint))


def read_barriers(given: Any) -> tuple[Any, ...]:
    """Read barriers: lines and polygons, in longitude and latitude.

    Parameters
    ----------
    given : geometry, iterable of geometries, GeoDataFrame, GeoSeries, GeoJSON as a mapping, or None
        Collections are taken apart; empty geometries are left out.

    Returns
    -------
    tuple of LineString and Polygon

    Raises
    ------
    InputError
        Points, an unknown coordinate system, coordinates that are no degrees, or no geometries at all.
    """
    if given is None:
        return ()
    problems: list[Problem] = []
    shapes = geometries_of(given, "barriers", problems)
    parts = shapes
    while len(parts) and (shapely.get_type_id(parts) == 7).any():
        parts = shapely.get_parts(parts)
    kind = shapely.get_type_id(parts)
    # nothing (None) is of the type -1
    odd = np.flatnonzero(~np.isin(kind, (-1, *_LINES, *_AREAS)) & ~shapely.is_empty(parts))
    if len(odd):
        rows = tuple(int(i) for i in odd[:5])
        message = f"barriers are lines and polygons, not {parts[odd[0]].geom_type}"
        problems.append(Problem("not-a-barrier", message, "geometry", len(odd), rows))
    if problems:
        raise InputError(problems, "barriers")
    parts = parts[(kind >= 0) & ~shapely.is_empty(parts)]
    found = []
    for part in parts:
        whole = cut_antimeridian(polygonal(part)) if shapely.get_type_id(part) in _AREAS else _unrolled(part)
        found += list(shapely.get_parts(whole))
    return tuple(found)


def _unrolled(line: Any) -> Any:
    """Let longitudes of lines run on over the antimeridian."""
    pieces = []
    for piece in shapely.get_parts(line):
        coords = shapely.get_coordinates(piece)
        coords[:, 0] = np.unwrap(coords[:, 0], period=360.0)
        pieces.append(shapely.LineString(coords))
    return shapely.MultiLineString(pieces)


def great_circle_lines(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.object_]:
    """Draw great circles as lines on the map.

    Parameters
    ----------
    start, end : float arrays of shape (m, 2)
        Longitude and latitude, degrees.

    Returns
    -------
    object array of LineString, shape (m,)
        Longitudes run on over the antimeridian. No point is more than about a metre off the great circle (more on
        edges of thousands of kilometres).
    """
    if len(start) == 0:
        return np.empty(0, dtype=object)
    a, b = unit_vectors(start[:, 0], start[:, 1]), unit_vectors(end[:, 0], end[:, 1])
    angle = 2.0 * np.arcsin(np.clip(np.linalg.norm(b - a, axis=1) / 2.0, 0.0, 1.0))
    # between points at the same latitude, s apart, the great circle bulges s^2 tan(latitude) / 8 R
    steepest = np.minimum(np.maximum(np.abs(start[:, 1]), np.abs(end[:, 1])) + np.degrees(angle) / 2, _STEEPEST_DEG)
    step = np.sqrt(8.0 * EARTH_RADIUS_M * _BULGE_M / np.maximum(np.tan(np.radians(steepest)), 1e-3))
    pieces = np.clip(np.ceil(angle * EARTH_RADIUS_M / step), 1, _MOST_PIECES).astype(np.int64)
    line = np.repeat(np.arange(len(start)), pieces + 1)
    rank = np.arange(len(line)) - np.repeat(np.cumsum(pieces + 1) - (pieces + 1), pieces + 1)
    share = rank / pieces[line]
    sine = np.where(np.sin(angle) > 1e-12, np.sin(angle), 1.0)[line]
    wide = angle[line]
    # with next to no angle the two are the same; with no sine, antipodes, any way is as good as another
    one, two = np.sin((1.0 - share) * wide) / sine, np.sin(share * wide) / sine
    tiny = np.sin(wide) <= 1e-12
    one, two = np.where(tiny, 1.0 - share, one), np.where(tiny, share, two)
    lon, lat = from_unit_vectors(one[:, None] * a[line] + two[:, None] * b[line])
    first, last = rank == 0, rank == pieces[line]
    lon[first], lat[first] = start.T
    lon[last], lat[last] = end.T
    base = start[line, 0]
    lon = base + (lon - base + 180.0) % 360.0 - 180.0
    return np.asarray(shapely.linestrings(np.stack([lon, lat], axis=1), indices=line), dtype=object)


def touched(shapes: NDArray[np.object_], barriers: tuple[Any, ...]) -> NDArray[np.bool_]:
    """Tell which lines or points touch a barrier, bool of shape (m,); O((m + hits) log m) and the barriers' corners."""
    hit = np.zeros(len(shapes), dtype=bool)
    if len(shapes) == 0 or not barriers:
        return hit
    tree = shapely.STRtree(shapes)
    west, _, east, _ = shapely.total_bounds(shapes)
    walls = np.array(barriers, dtype=object)
    bounds = shapely.bounds(walls)
    for turn in (-360.0, 0.0, 360.0):
        near = (bounds[:, 2] + turn >= west) & (bounds[:, 0] + turn <= east)
        here = walls[near]
        if turn:
            here = shapely.transform(here, lambda xy, turn=turn: xy + np.array([turn, 0.0]))
        if len(here):
            hit[tree.query(here, predicate="intersects")[1]] = True
    return hit


def cut(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    site: NDArray[np.int32],
    edges: NDArray[np.int64],
    barriers: tuple[Any, ...],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Take away the edges that touch a barrier.

    Parameters
    ----------
    lon, lat : float arrays of shape (n,), degrees
    site : int32 array of shape (n,)
    edges : int64 array of shape (m, 2), pairs of sites
    barriers : tuple of geometries

    Returns
    -------
    edges : int64 array of shape (q, 2)
        A site that stands on a barrier has one left, to the nearest site that does not: a place that a coarse
        shoreline puts into the water belongs somewhere, and opens no way across.
    standing : int64 array
        Positions of the points that stand on a barrier.
    """
    _, first = np.unique(site, return_index=True)
    place = np.stack([lon[first], lat[first]], axis=1)
    # longitudes as the barriers have them; those that are in range stay as they are to the last digit
    away = np.abs(place[:, 0]) > 180.0
    place[away, 0] = (place[away, 0] + 180.0) % 360.0 - 180.0
    on = touched(np.asarray(shapely.points(place), dtype=object), barriers)
    free = edges[~on[edges].any(axis=1)]
    free = free[~touched(great_circle_lines(place[free[:, 0]], place[free[:, 1]]), barriers)]
    if on.any() and not on.all():
        from scipy.spatial import cKDTree  # noqa: PLC0415 - rarely needed

        # of several at one distance the tree takes any: so they are given in an order of their own
        dry = np.flatnonzero(~on)
        dry = dry[np.lexsort((place[dry, 1], place[dry, 0]))]
        wet = np.flatnonzero(on)
        _, nearest = cKDTree(unit_vectors(*place[dry].T)).query(unit_vectors(*place[wet].T))
        free = np.concatenate([free, np.stack([wet, dry[nearest]], axis=1)])
    return free, np.flatnonzero(on[site])
