"""GeoJSON as RFC 7946 has it."""

from __future__ import annotations

import dataclasses
import itertools
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from territory.io import alignment_geojson, routes_geojson, write_geojson
from territory.model import Alignment, Customers
from territory.model.arrays import text_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from territory.model import Plan


def area2(ring: list[list[float]]) -> float:
    """Twice the signed area; positive: counter-clockwise."""
    return sum(x * v - u * y for (x, y), (u, v) in itertools.pairwise(ring))


def rings(geometry: dict[str, Any]) -> Iterator[list[list[list[float]]]]:
    coordinates = geometry["coordinates"]
    yield from [coordinates] if geometry["type"] == "Polygon" else coordinates


def of_kind(collection: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [f for f in collection["features"] if f["properties"]["kind"] == kind]


def scattered(n: int, k: int, middle: float, seed: int = 0) -> Alignment:
    rng = np.random.default_rng(seed)
    lon = (middle + rng.uniform(-3, 3, n) + 180) % 360 - 180
    lat = 10 + rng.uniform(-3, 3, n)
    customers = Customers(id=[str(i) for i in range(n)], lon=lon, lat=lat)
    # labels at random: territories of many pieces, with holes
    return Alignment(
        customers=customers,
        reps=None,
        territory_id=text_array([f"T{j}" for j in range(k)]),
        territory_idx=rng.integers(0, k, n).astype(np.int32),
        rep_idx=np.full(k, -1, dtype=np.int32),
        center_lon=np.full(k, middle),
        center_lat=np.full(k, 10.0),
    )


def check(collection: dict[str, Any]) -> None:
    again = json.loads(json.dumps(collection, allow_nan=False))
    assert again == collection
    assert collection["type"] == "FeatureCollection"
    assert "crs" not in collection
    for feature in collection["features"]:
        geometry = feature["geometry"]
        if geometry is None:
            continue
        found = shape(geometry)
        assert found.is_valid
        west, south, east, north = found.bounds
        assert -180 <= west <= east <= 180
        assert -90 <= south <= north <= 90
        for part in shapely.get_parts(found):
            assert part.bounds[2] - part.bounds[0] <= 180  # nothing spans the globe
        for x, y in shapely.get_coordinates(found).tolist():
            assert (x, y) == (round(x, 7), round(y, 7))
        if "Polygon" in geometry["type"]:
            for exterior, *holes in rings(geometry):
                assert area2(exterior) > 0
                assert all(area2(hole) < 0 for hole in holes)
                assert all(ring[0] == ring[-1] and len(ring) >= 4 for ring in (exterior, *holes))


def test_territories_homes_and_customers(plan: Plan) -> None:
    assert plan.alignment is not None
    collection = alignment_geojson(plan.alignment, customers=True)
    check(collection)
    territories = of_kind(collection, "territory")
    assert [t["id"] for t in territories] == ["North", 'So"uth', "empty"]
    assert territories[0]["properties"]["rep_id"] == "R1"
    assert territories[0]["properties"]["customers"] == 3
    assert territories[2]["geometry"] is None
    assert [h["id"] for h in of_kind(collection, "home")] == ["R1", "r/2"]
    customers = of_kind(collection, "customer")
    assert [c["id"] for c in customers] == plan.customers.id.tolist()
    assert customers[0]["geometry"] == {"type": "Point", "coordinates": [13.4, 52.5]}  # longitude first
    assert customers[0]["properties"]["name"] == "Bäckerei; <b>&"
    west, south, east, north = collection["bbox"]
    assert west < 13.4
    assert east > 13.71
    assert south < 52.4
    assert north > 52.52
    assert len(alignment_geojson(plan.alignment, homes=False)["features"]) == 3


@pytest.mark.parametrize("middle", [13.0, 179.0, -179.9, 180.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_any_territories_are_valid_right_handed_and_cut_at_the_antimeridian(middle: float, seed: int) -> None:
    alignment = scattered(300, 7, middle, seed)
    collection = alignment_geojson(alignment, customers=True)
    check(collection)
    west, _, east, _ = collection["bbox"]
    assert (west > east) == (abs(middle) > 175)
    shapes = [shape(t["geometry"]) for t in of_kind(collection, "territory")]
    # seven digits keep the ground shared: next to nothing is lost or owned twice
    assert sum(s.area for s in shapes) == pytest.approx(shapely.union_all(shapes).area, rel=1e-6)
    inside = [
        shapes[t].buffer(1e-6).contains(shapely.Point(x, y))
        for t, x, y in zip(alignment.territory_idx, alignment.customers.lon, alignment.customers.lat, strict=True)
    ]
    assert all(inside)


def test_a_boundary_is_kept(plan: Plan) -> None:
    assert plan.alignment is not None
    boundary = shapely.box(13.39, 52.39, 13.72, 52.52)
    collection = alignment_geojson(plan.alignment, boundary=boundary, homes=False)
    check(collection)
    assert collection["bbox"] == pytest.approx([13.39, 52.39, 13.72, 52.52], abs=1e-4)  # great circles bulge


def test_routes_and_stops(plan: Plan) -> None:
    collection = routes_geojson(plan)
    check(collection)
    assert [r["id"] for r in of_kind(collection, "route")] == [
        "R1 2026-01-05",
        "R1 2026-01-07",
        "R1 2026-01-08",
        "r/2 2026-01-05",
    ]
    first = of_kind(collection, "route")[0]
    assert first["geometry"] == {
        "type": "LineString",
        "coordinates": [[13.4, 52.52], [13.4, 52.5], [13.41, 52.51], [13.4, 52.52]],
    }
    assert first["properties"]["leave"] == "2026-01-05T09:49:00+01:00"
    other = of_kind(collection, "route")[3]["geometry"]["coordinates"]
    assert other[0] == [13.7, 52.42]
    assert other[-1] == [13.75, 52.45]
    stops = of_kind(collection, "stop")
    assert len(stops) == len(plan.stops)
    assert stops[0]["properties"]["start"] == "2026-01-05T10:00:00+01:00"
    assert len({f["id"] for f in (*stops, *of_kind(collection, "route"))}) == 10
    assert len(of_kind(collection, "home")) == 2
    assert of_kind(routes_geojson(plan, homes=False), "home") == []
    assert len(of_kind(routes_geojson(plan.day("2026-01-07")), "stop")) == 1


def test_times_without_a_zone_have_no_offset(make_plan: Callable[..., Plan]) -> None:
    stop = of_kind(routes_geojson(make_plan(zone="")), "stop")[0]
    assert stop["properties"]["start"] == "2026-01-05T09:00:00"


def test_times_west_of_greenwich(make_plan: Callable[..., Plan]) -> None:
    stop = of_kind(routes_geojson(make_plan(zone="America/St_Johns")), "stop")[0]
    assert stop["properties"]["start"] == "2026-01-05T05:30:00-03:30"


@pytest.mark.parametrize("lon", [179.99, 179.7, -180.0, 179.98, 180 - 0.3])
def test_routes_over_the_antimeridian_are_cut(make_plan: Callable[..., Plan], lon: float) -> None:
    plan = make_plan()
    shift = lon - 13.4

    def moved(values: Any) -> Any:
        return np.round((values + shift + 180) % 360 - 180, 7)

    reps = dataclasses.replace(plan.reps, lon=moved(plan.reps.lon), end_lon=moved(plan.reps.end_lon))
    customers = dataclasses.replace(plan.customers, lon=moved(plan.customers.lon))
    collection = routes_geojson(dataclasses.replace(plan, customers=customers, reps=reps, alignment=None))
    check(collection)
    west, _, east, _ = collection["bbox"]
    assert (east - west) % 360 < 1


def test_no_routes(make_plan: Callable[..., Plan]) -> None:
    assert routes_geojson(make_plan([])) == {"type": "FeatureCollection", "features": []}


def test_names_with_html_or_script_stay_data(plan: Plan, tmp_path: Path) -> None:
    path = write_geojson(routes_geojson(plan), tmp_path / "x.geojson")
    assert json.loads(path.read_text(encoding="utf-8")) == routes_geojson(plan)
    with pytest.raises(ValueError, match="JSON"):
        write_geojson({"x": float("nan")}, tmp_path / "y.geojson")
