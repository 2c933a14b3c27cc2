"""Which units, such as postcodes or counties, share a border, and how long it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from territory.errors import Problem
from territory.geo.rings import cut_antimeridian, polygonal
from territory.geo.sphere import great_circle_m

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.geo.rings import Region

__all__ = ["SharedBorders", "readable_units", "representative_points", "shared_borders"]

#: A border shorter than this is a corner: what rounding makes of a touch in one point.
_CORNER_M: Final = 0.01
#: Units overlap if what they share is wider than this on average, and than this share of its length; less is the
#: rounding of their corners, or a line that a transformation has bent on one side only.
_OVERLAP_M: Final = 5.0
_OVERLAP_SHARE: Final = 1e-3
#: A border past a gap is longer than this many times the tolerance; less is what lies around a corner.
_BESIDE: Final = 10.0
#: Length of a degree of latitude.
_DEGREE_M: Final = 111_195.0
#: Pairs of units cut at a time, so that memory stays small.
_CHUNK: Final = 20_000
_AREAS: Final = (3, 6)


@dataclass(frozen=True, eq=False)
class SharedBorders:
    """Pairs of units that touch.

    Attributes
    ----------
    pairs : int64 array of shape (m, 2)
        Positions (i, j) with i < j, sorted.
    length_m : float array of shape (m,), metres
        0 where they touch in corners only.
    overlapping : bool array of shape (m,)
        Whether they share ground. Half the outline of that ground counts as border.
    """

    pairs: NDArray[np.int64]
    length_m: NDArray[np.float64]
    overlapping: NDArray[np.bool_]


def readable_units(
    shapes: NDArray[np.object_], problems: list[Problem]
) -> tuple[NDArray[np.object_], tuple[Problem, ...]]:
    """Return polygons that are valid and cut at the antimeridian; what cannot be read goes to `problems`.

    Parameters
    ----------
    shapes : object array of geometries, shape (n,)
    problems : list of Problem
        Units without ground, or that are points or lines.

    Returns
    -------
    polygons : object array of Polygon or MultiPolygon, shape (n,)
    warnings : tuple of Problem
        Rings that cross themselves (bow-ties) are repaired, and named here.
    """
    kind = shapely.get_type_id(shapes)
    missing = (kind < 0) | shapely.is_empty(shapes)
    odd = ~missing & ~np.isin(kind, _AREAS)
    out = np.empty(len(shapes), dtype=object)
    out[:] = shapes
    broken = ~missing & ~odd & ~shapely.is_valid(shapes)
    bounds = shapely.bounds(shapes)
    # what may leave the map, or run around it; of all others there is nothing to do
    far = (np.abs(bounds) > [180.0, 89.9, 180.0, 89.9]).any(axis=1) | (bounds[:, 2] - bounds[:, 0] > 180.0)
    for i in np.flatnonzero(~missing & ~odd & (broken | far)):
        out[i] = cut_antimeridian(polygonal(shapes[i]))
    flat = ~missing & ~odd & shapely.is_empty(out)
    for code, message, bad in (
        ("no-geometry", "units without ground", missing | flat),
        ("not-polygons", "units that are not polygons", odd),
    ):
        rows = np.flatnonzero(bad)
        if len(rows):
            listed = tuple(int(i) for i in rows[:5])
            problems.append(Problem(code, message, "geometry", len(rows), listed))
    rows = np.flatnonzero(broken & ~flat)
    if not len(rows):
        return out, ()
    listed = tuple(int(i) for i in rows[:5])
    message = "rings that cross or touch themselves (bow-ties); repaired"
    return out, (Problem("repaired-units", message, "geometry", len(rows), listed),)


def representative_points(polygons: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return a point inside the largest part of each unit, longitude and latitude, shape (n, 2)."""
    parts, of = shapely.get_parts(polygons, return_index=True)
    order = np.lexsort((shapely.area(parts), of))
    # the last of each unit is its largest
    last = np.append(of[order][1:] != of[order][:-1], True) if len(of) else np.empty(0, dtype=bool)
    largest = parts[order[last]]
    return np.asarray(shapely.get_coordinates(shapely.point_on_surface(largest)), dtype=np.float64)


def shared_borders(polygons: NDArray[np.object_] | list[Region], *, tolerance_m: float = 0.0) -> SharedBorders:
    """Find which units touch, in how long a border, also across the antimeridian.

    Parameters
    ----------
    polygons : array of Polygon or MultiPolygon, shape (n,)
        Valid, in longitude and latitude; holes and any number of parts are all right.
    tolerance_m : float, metres
        Units that are no more than about this apart touch. Such a border counts if it is ten times as long.

    Notes
    -----
    O((n + m) log n) and the corners of the units that touch. The 3,200 counties of the USA at 1:10 million take
    about 1 s.
    """
    shapes = np.empty(len(polygons), dtype=object)
    shapes[:] = list(polygons)
    if len(shapes) == 0:
        return SharedBorders(np.empty((0, 2), dtype=np.int64), np.empty(0), np.empty(0, dtype=bool))
    tree = shapely.STRtree(shapes)
    apart = tolerance_m / _DEGREE_M
    inside = tree.query(shapes, predicate="dwithin", distance=apart)
    around = np.flatnonzero(shapely.bounds(shapes)[:, 0] <= -180.0 + apart + 1e-9)
    turned = shapely.transform(shapes[around], lambda xy: xy + np.array([360.0, 0.0]))
    across = tree.query(turned, predicate="dwithin", distance=apart)
    first = np.concatenate([shapes[inside[0]], turned[across[0]]])
    i = np.concatenate([inside[0], around[across[0]]])
    j = np.concatenate([inside[1], across[1]])
    # over the antimeridian each pair is found once, from its eastern side
    once = np.concatenate([inside[0] < inside[1], around[across[0]] != across[1]])
    first, i, j = first[once], i[once], j[once]
    length, overlap = np.zeros(len(i)), np.zeros(len(i), dtype=bool)
    for at in range(0, len(i), _CHUNK):
        part = slice(at, at + _CHUNK)
        length[part], overlap[part] = _measured(shapely.intersection(first[part], shapes[j[part]]))
    beside = np.flatnonzero(length < _CORNER_M)
    if tolerance_m > 0:
        # of those that share no line: lines along a gap, where there is room for one
        one, two = shapely.bounds(first[beside]), shapely.bounds(shapes[j[beside]])
        room = np.minimum(one[:, 2:], two[:, 2:]) - np.maximum(one[:, :2], two[:, :2])
        beside = beside[(room + 2 * apart > _BESIDE * apart).any(axis=1)]
        wide = shapely.buffer(shapes[j[beside]], apart, quad_segs=2)
        along = _measured(shapely.intersection(shapely.boundary(first[beside]), wide))[0]
        length[beside] = np.where(along > _BESIDE * tolerance_m, along, 0.0)
    keys, back = np.unique(np.minimum(i, j) * len(shapes) + np.maximum(i, j), return_inverse=True)
    total = np.bincount(back, length, len(keys)).astype(np.float64)
    overlapping = np.bincount(back, overlap, len(keys)) > 0
    total[total < _CORNER_M] = 0.0
    return SharedBorders(np.stack([keys // len(shapes), keys % len(shapes)], axis=1), total, overlapping)


def _measured(shared: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the length of what pairs share, metres, and whether that is ground; shape (m,) each."""
    length, overlap = np.zeros(len(shared)), np.zeros(len(shared), dtype=bool)
    parts, pair = shapely.get_parts(shared, return_index=True)
    while (shapely.get_type_id(parts) > 3).any():  # collections may hold collections
        parts, inner = shapely.get_parts(parts, return_index=True)
        pair = pair[inner]
    kind = shapely.get_type_id(parts)
    lines = np.isin(kind, (1, 2))
    np.add.at(length, pair[lines], _length_m(parts[lines]))
    areas = kind == 3
    if areas.any():
        half = _length_m(shapely.boundary(parts[areas])) / 2.0
        np.add.at(length, pair[areas], half)
        middle = shapely.bounds(parts[areas])[:, [1, 3]].mean(axis=1)
        ground = shapely.area(parts[areas]) * _DEGREE_M**2 * np.cos(np.radians(middle))
        overlap[pair[areas][ground > half * np.maximum(_OVERLAP_M, _OVERLAP_SHARE * half)]] = True
    return length, overlap


def _length_m(lines: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the length of lines on the sphere, metres, shape (n,)."""
    coords, line = shapely.get_coordinates(lines, return_index=True)
    if len(coords) < 2:
        return np.zeros(len(lines))
    step = great_circle_m(coords[:-1, 0], coords[:-1, 1], coords[1:, 0], coords[1:, 1])
    # from the end of one line to the start of the next is no step; nor between rings of one boundary
    same = line[:-1] == line[1:]
    pieces, of = shapely.get_parts(lines, return_index=True)
    if len(pieces) != len(lines):
        found = np.zeros(len(lines))
        np.add.at(found, of, _length_m(pieces))
        return found
    return np.bincount(line[:-1][same], step[same], len(lines)).astype(np.float64)
