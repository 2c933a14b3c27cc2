"""Alignments and routes as GeoJSON (RFC 7946).

Longitude before latitude, exterior rings counter-clockwise, nothing crosses the antimeridian, no
``crs`` member (it is WGS 84 always), coordinates to seven digits (a centimetre). The member ``kind``
among the properties tells the features apart; feature ids are the user's ids.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import MissingExtraError
from territory.io.files import atomic_write
from territory.io.times import iso_times
from territory.model.nights import route_ends
from territory.review import basic_report
from territory.review.street_lines import streets

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from territory.geo.rings import Region
    from territory.model import Alignment, Customers, Plan, Reps, TerritoryPolygons
    from territory.travel import Travel

__all__ = ["alignment_geojson", "polygons_geojson", "polygons_geopandas", "routes_geojson", "write_geojson"]

_DIGITS: Final = 7


def alignment_geojson(
    alignment: Alignment, *, boundary: Region | None = None, homes: bool = True, customers: bool = False
) -> dict[str, Any]:
    """Draw an alignment's territories as GeoJSON polygons.

    Parameters
    ----------
    alignment : Alignment
    boundary : Polygon or MultiPolygon, optional
        Longitude and latitude of the ground that the territories share, such as a country.
        Default: a loose outline of the customers.
    homes : bool
        Whether to add the reps' homes, as points of kind ``home``.
    customers : bool
        Whether to add the customers, as points of kind ``customer``.

    Returns
    -------
    dict
        A FeatureCollection. See `TerritoryPolygons.to_geojson`; a territory
        that has no ground (it is empty) has ``null`` for its geometry.
    """
    return polygons_geojson(alignment.polygons(boundary=boundary), homes=homes, customers=customers)


def polygons_geojson(polygons: TerritoryPolygons, *, homes: bool = False, customers: bool = False) -> dict[str, Any]:
    """Write territories' polygons as GeoJSON; see `TerritoryPolygons.to_geojson`."""
    alignment = polygons.alignment
    columns = basic_report(alignment)
    features = []
    for j, territory_id in enumerate(alignment.territory_id.tolist()):
        properties = {"kind": "territory", **{name: _plain(values[j]) for name, values in columns.items()}}
        features.append(_feature(territory_id, _polygon(polygons.geometry[j]), properties))
    if homes and alignment.reps is not None:
        features += _homes(alignment.reps)
    if customers:
        features += _customers(alignment.customers, alignment)
    return _collection(features)


def polygons_geopandas(polygons: TerritoryPolygons) -> Any:
    """Return territories' polygons as a GeoDataFrame; see `TerritoryPolygons.to_geopandas`."""
    try:
        import geopandas  # noqa: PLC0415 - only where a GeoDataFrame is asked for
    except ImportError as error:
        raise MissingExtraError("geopandas", "geo") from error
    columns = {**basic_report(polygons.alignment), **polygons.measures()}
    return geopandas.GeoDataFrame(columns, geometry=list(polygons.geometry), crs="EPSG:4326")


def routes_geojson(plan: Plan, *, homes: bool = True, travel: Travel | None = None) -> dict[str, Any]:
    """Draw a plan's routes as GeoJSON lines, and their stops as points.

    Parameters
    ----------
    plan : Plan
        All its routes are drawn; ``plan.day(...)`` and ``plan.rep(...)`` are parts.
    homes : bool
        Whether to add the homes of the reps who drive, as points of kind ``home``.
    travel : Travel, optional
        Whose lines the routes follow; default: straight from place to place.

    Returns
    -------
    dict
        A FeatureCollection. Times are ISO 8601 on the rep's
        wall clock, with the offset from UTC where the rep's time zone is known. Its member ``attribution`` says whose
        the lines are, if the travel tells it.
    """
    reps, stops, routes = plan.reps, plan.stops, plan.routes
    begins, ends = route_ends(plan)
    driven = None if travel is None else streets(plan, travel)
    leave, back = (iso_times(plan, values, routes.rep_idx) for values in (routes.leave, routes.back))
    arrival, start, end = (iso_times(plan, v, stops.rep_idx) for v in (stops.arrival, stops.start, stops.end))
    rows_of: dict[tuple[int, Any], list[int]] = {}
    for row, key in enumerate(zip(stops.rep_idx.tolist(), stops.day.tolist(), strict=True)):
        rows_of.setdefault(key, []).append(row)
    features = []
    for row, (rep, day) in enumerate(zip(routes.rep_idx.tolist(), routes.day.tolist(), strict=True)):
        rep_id = str(reps.id[rep])
        at = plan.stops.customer_idx[rows_of.get((rep, day), [])]
        lon = np.concatenate([begins[row, :1], plan.customers.lon[at], ends[row, :1]])
        lat = np.concatenate([begins[row, 1:], plan.customers.lat[at], ends[row, 1:]])
        if driven is not None:
            lon, lat = driven.route(row).T
        properties = {
            "kind": "route",
            "rep_id": rep_id,
            "day": str(day),
            "n_stops": int(routes.n_stops[row]),
            "leave": leave[row],
            "back": back[row],
            "drive_s": int(routes.drive_s[row]),
            "distance_m": int(routes.distance_m[row]),
        }
        features.append(_feature(f"{rep_id} {day}", _line(lon, lat), properties))
        for i in rows_of.get((rep, day), []):
            customer = int(stops.customer_idx[i])
            customer_id = str(plan.customers.id[customer])
            stop = {
                "kind": "stop",
                "customer_id": customer_id,
                **_named(plan.customers.name, customer),
                "rep_id": rep_id,
                "day": str(day),
                "position": int(stops.position[i]),
                "arrival": arrival[i],
                "start": start[i],
                "end": end[i],
            }
            where = _point(plan.customers.lon[customer], plan.customers.lat[customer])
            features.append(_feature(f"{rep_id} {day} {int(stops.position[i])}", where, stop))
    if homes:
        features += _homes(reps.take(np.unique(routes.rep_idx)))
    by = None if travel is None else getattr(travel, "attribution", None)
    return _collection(features) | ({"attribution": by} if by else {})


def write_geojson(collection: Mapping[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write GeoJSON to a file, as a whole or not at all.

    Raises
    ------
    OutputError
        The operating system refused.
    """
    return atomic_write(path, json.dumps(collection, ensure_ascii=False, allow_nan=False) + "\n")


# -- features ----------------------------------------------------------------------------------


def _feature(feature_id: str, geometry: dict[str, Any] | None, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "id": feature_id, "geometry": geometry, "properties": properties}


def _homes(reps: Reps) -> list[dict[str, Any]]:
    return [
        _feature(rep_id, _point(reps.lon[i], reps.lat[i]), {"kind": "home", "rep_id": rep_id, **_named(reps.name, i)})
        for i, rep_id in enumerate(reps.id.tolist())
    ]


def _customers(customers: Customers, alignment: Alignment) -> list[dict[str, Any]]:
    columns = alignment.to_dict()
    return [
        _feature(
            customer_id,
            _point(customers.lon[i], customers.lat[i]),
            {
                "kind": "customer",
                **{name: _plain(values[i]) for name, values in columns.items()},
                **_named(customers.name, i),
            },
        )
        for i, customer_id in enumerate(customers.id.tolist())
    ]


def _named(names: NDArray[Any] | None, i: int) -> dict[str, str]:
    return {} if names is None or not names[i] else {"name": str(names[i])}


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


# -- geometry ----------------------------------------------------------------------------------


def _number(value: float) -> float:
    return round(float(value), _DIGITS) + 0.0  # no -0.0


def _point(lon: float, lat: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [_number(lon), _number(lat)]}


def _line(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> dict[str, Any]:
    """Return a line that is cut where it crosses the antimeridian, each leg going the short way around."""
    parts = [[[_number(lon[0]), _number(lat[0])]]]
    for a in range(len(lon) - 1):
        x, y, x2, y2 = float(lon[a]), float(lat[a]), float(lon[a + 1]), float(lat[a + 1])
        if abs(x2 - x) > 180.0:
            side = math.copysign(180.0, x)
            ahead = x2 + 360.0 * math.copysign(1.0, x)
            cut = _number(y + (y2 - y) * (side - x) / (ahead - x))
            parts[-1].append([side, cut])
            parts.append([[-side, cut]])
        parts[-1].append([_number(x2), _number(y2)])
    if len(parts) > 1:  # a place on the antimeridian itself leaves an end without length
        parts = [part for part in parts if any(p != part[0] for p in part)] or parts[:1]
    if len(parts) == 1:
        return {"type": "LineString", "coordinates": parts[0]}
    return {"type": "MultiLineString", "coordinates": parts}


def _polygon(region: Region) -> dict[str, Any] | None:
    import shapely  # noqa: PLC0415 - only where drawn

    polygons = [
        [[[_number(x), _number(y)] for x, y in ring.coords] for ring in (part.exterior, *part.interiors)]
        for part in shapely.get_parts(region)
        if not part.is_empty
    ]
    if not polygons:
        return None
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    box = _bbox(feature["geometry"] for feature in features if feature["geometry"] is not None)
    return {"type": "FeatureCollection", **({"bbox": box} if box else {}), "features": features}


def _bbox(geometries: Iterable[dict[str, Any]]) -> list[float]:
    """Return west, south, east, north of the least box; west > east where it crosses the antimeridian (section 5.2)."""
    spans = [span for geometry in geometries for span in _spans(geometry)]
    if not spans:
        return []
    south, north = min(s[2] for s in spans), max(s[3] for s in spans)
    spans.sort()
    west, east = spans[0][0], max(s[1] for s in spans)
    widest, reached = west + 360.0 - east, spans[0][1]
    for span in spans[1:]:
        if span[0] - reached > widest:
            widest, west, east = span[0] - reached, span[0], reached
        reached = max(reached, span[1])
    return [west, south, east, north]


def _spans(geometry: dict[str, Any]) -> list[tuple[float, float, float, float]]:
    """Return west, east, south, north of each connected part."""
    coordinates = geometry["coordinates"]
    kind = geometry["type"]
    if kind == "Point":
        parts = [[coordinates]]
    elif kind == "MultiPolygon":
        parts = [polygon[0] for polygon in coordinates]
    else:
        parts = coordinates if kind == "MultiLineString" else [coordinates] if kind == "LineString" else coordinates[:1]
    found = []
    for part in parts:
        x, y = [p[0] for p in part], [p[1] for p in part]
        found.append((min(x), max(x), min(y), max(y)))
    return found
