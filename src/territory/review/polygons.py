"""Drawing the polygons of an alignment's territories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import InputError, Problem
from territory.model.shapes import TerritoryPolygons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.geo.rings import Region
    from territory.model.alignment import Alignment
    from territory.model.arrays import IdxArray

__all__ = ["draw_polygons"]


def draw_polygons(
    alignment: Alignment,
    *,
    boundary: Region | None = None,
    units: Sequence[Region] | None = None,
    simplify_m: float = 0.0,
) -> TerritoryPolygons:
    """Draw an alignment's territories as polygons; see `Alignment.polygons`.

    Raises
    ------
    InputError
        A number of units that is not that of the customers, units or a boundary that are no polygons, or a
        tolerance that is no length.
    """
    a = alignment
    _refuse(a, boundary, units, simplify_m)
    import shapely  # noqa: PLC0415 - only where drawn

    from territory.geo import coverage, polygons, rings  # noqa: PLC0415 - shapely and scipy, only where drawn

    c, k = a.customers, len(a)
    diagnostics = []
    if units is None:
        drawn = polygons.territory_polygons(c.lon, c.lat, a.territory_idx, boundary=boundary, simplify_m=simplify_m)
        drawn += [shapely.Polygon()] * (k - len(drawn))
    else:
        drawn, repaired, clash = coverage.dissolved_units(units, a.territory_idx, k)
        diagnostics += _unit_warnings(repaired, clash)
        if boundary is not None:
            ground = rings.cut_antimeridian(boundary)
            drawn = coverage.snapped_coverage([rings.polygonal(shape.intersection(ground)) for shape in drawn])
        drawn = coverage.simplified_coverage(drawn, simplify_m, c.lon, c.lat, a.territory_idx)
        drawn = [rings.oriented(shape) for shape in drawn]
    served = a.territory_idx >= 0
    outside = np.flatnonzero(served & ~coverage.points_inside(drawn, c.lon, c.lat, a.territory_idx)).astype(np.int32)
    diagnostics += _outside_warnings(a, drawn, outside)
    there = [shape for shape in drawn if not shape.is_empty]
    if shapely.geos_version >= coverage.COVERAGE_GEOS and there and not coverage.is_coverage(np.array(there)):
        message = "some borders differ by about a centimetre: territories mingle in needles hardly wider than that"
        diagnostics.append(Problem("borders-differ", message))
    outside.flags.writeable = False
    return TerritoryPolygons(a, tuple(drawn), outside, tuple(diagnostics))


def _refuse(a: Alignment, boundary: Any, units: Any, simplify_m: float) -> None:
    import shapely  # noqa: PLC0415 - only where drawn

    problems = []
    if not 0.0 <= simplify_m < float("inf"):
        problems.append(Problem("bad-tolerance", f"expected metres, at least 0, not {simplify_m!r}", "simplify_m"))
    if boundary is not None and not isinstance(boundary, (shapely.Polygon, shapely.MultiPolygon)):
        message = f"expected a Polygon or MultiPolygon, not {type(boundary).__name__}"
        problems.append(Problem("not-polygons", message, "boundary"))
    elif boundary is not None and (boundary.is_empty or not boundary.is_valid):
        hint = "Maybe shapely.make_valid(boundary)?"
        problems.append(Problem("bad-boundary", "the boundary is empty or not valid", "boundary", hint=hint))
    if units is not None:
        n = len(a.customers)
        if len(units) != n:
            problems.append(Problem("wrong-shape", f"expected {n} units, one a customer, not {len(units)}", "units"))
        kinds = (shapely.Polygon, shapely.MultiPolygon)
        bad = [i for i, unit in enumerate(units) if not isinstance(unit, kinds)]
        if bad:
            message = "expected Polygons or MultiPolygons"
            problems.append(Problem("not-polygons", message, "units", count=len(bad), rows=tuple(bad[:5])))
    if problems:
        raise InputError(problems, "polygons")


def _unit_warnings(repaired: list[int], clash: list[int]) -> list[Problem]:
    found = []
    if repaired:
        message = "units that cross themselves or have bad rings were repaired"
        found.append(Problem("unit-repaired", message, "units", count=len(repaired), rows=tuple(repaired[:5])))
    if clash:
        message = "units overlap; the first of them got the ground that they share"
        found.append(Problem("units-overlap", message, "units", count=len(clash), rows=tuple(clash[:5])))
    return found


def _outside_warnings(a: Alignment, drawn: list[Region], outside: IdxArray) -> list[Problem]:
    """Say why customers are not in their own polygons."""
    if len(outside) == 0:
        return []
    import shapely  # noqa: PLC0415 - only where drawn

    from territory.geo.adjacency import co_located  # noqa: PLC0415 - only where drawn

    c = a.customers
    site = co_located(c.lon, c.lat)
    lowest, highest = np.full(len(site), len(a)), np.full(len(site), -1)
    served = a.territory_idx >= 0
    np.minimum.at(lowest, site[served], a.territory_idx[served])
    np.maximum.at(highest, site[served], a.territory_idx[served])
    shared = (lowest < highest)[site[outside]]
    spots = shapely.points(c.lon[outside], c.lat[outside])
    on_map = np.zeros(len(outside), dtype=bool)
    on_map[shapely.STRtree(drawn).query(spots, predicate="intersects")[0]] = True
    kinds = (
        ("spot-shared", "customers who share a spot with another territory, which has the ground", on_map & shared),
        ("outside-boundary", "customers outside all polygons", ~on_map),
        ("too-close", "customers too close to another territory's for a border between them", on_map & ~shared),
    )
    return [
        Problem(code, message, count=int(which.sum()), rows=tuple(outside[which][:5].tolist()))
        for code, message, which in kinds
        if which.any()
    ]
