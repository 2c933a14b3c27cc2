from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import shapely

from territory import Alignment, Customers, InputError, Reps
from territory.geo.extent import area_m2
from territory.geo.polygons import territory_polygons
from territory.io import alignment_geojson


def aligned(lon, lat, labels, **columns):
    n = len(lon)
    customers = Customers(id=[f"c{i}" for i in range(n)], lon=lon, lat=lat, **columns)
    reps = Reps(id=["North", "South"], lon=[10.0, 10.0], lat=[50.9, 50.1])
    return Alignment.from_frame({"customer_id": customers.id, "territory_id": labels}, customers=customers, reps=reps)


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(5)
    lat = rng.uniform(50, 51, 300)
    labels = np.where(lat > 50.5, "North", "South").tolist()
    return aligned(rng.uniform(9.5, 10.5, 300), lat, labels, measures={"potential": rng.integers(1, 9, 300)})


def test_the_result(made):
    ground = shapely.box(9.4, 49.9, 10.6, 51.1)
    found = made.polygons(boundary=ground, simplify_m=500)
    assert len(found) == 2
    assert found.outside.tolist() == []
    assert found.diagnostics == ()
    assert found["North"] is found.geometry[made.territory_id.tolist().index("North")]
    assert sum(area_m2(p) for p in found.geometry) == pytest.approx(area_m2(ground), rel=0.01)
    assert shapely.coverage_is_valid(np.array(found.geometry))
    assert repr(found) == "<TerritoryPolygons: 2 territories>"
    frame = found.to_frame()
    assert {"territory_id", "rep_id", "customers", "potential", "area_km2", "polsby_popper", "wkt"} <= set(frame)
    assert shapely.equals(shapely.from_wkt(frame.wkt[0]), found.geometry[0])
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own bytes
    assert again.geometry == found.geometry
    with pytest.raises(InputError, match="unknown-id"):
        found["East"]
    report = made.report(polygons=found)
    assert report.area_km2.tolist() == frame.area_km2.tolist()
    assert 0.4 < report.polsby_popper.min() < report.polsby_popper.max() < 0.8
    assert made.summary(polygons=True)["area_km2"] > 0


def test_geojson_is_the_geometry_to_the_last_digit(made):
    found = made.polygons(simplify_m=1_000)
    text = json.dumps(found.to_geojson())
    collection = json.loads(text)
    assert collection["type"] == "FeatureCollection"
    shapes = [shapely.geometry.shape(f["geometry"]) for f in collection["features"]]
    assert all(a.equals_exact(b, 0.0) for a, b in zip(shapes, found.geometry, strict=True))
    assert shapely.coverage_is_valid(np.array(shapes))
    for feature, shape in zip(collection["features"], shapes, strict=True):
        assert shape.is_valid
        assert all(part.exterior.is_ccw for part in shapely.get_parts(shape))
        assert not any(hole.is_ccw for part in shapely.get_parts(shape) for hole in part.interiors)
        assert {"territory_id", "rep_id", "customers", "potential"} <= set(feature["properties"])
        assert feature["id"] == feature["properties"]["territory_id"]
    assert len(found.to_geojson(homes=True, customers=True)["features"]) == 2 + 2 + 300
    assert found.__geo_interface__ == found.to_geojson()
    assert alignment_geojson(made, homes=False) == made.polygons().to_geojson()


def test_geopandas(made):
    pytest.importorskip("geopandas")
    table = made.polygons().to_geopandas()
    assert table.crs == "EPSG:4326"
    assert table.geometry.is_valid.all()
    assert table.territory_id.tolist() == made.territory_id.tolist()


def test_who_is_outside_and_why():
    found = aligned([10, 10, 10.1, 12.0], [50.0, 50.0, 50.2, 50.0], ["North", "South", "South", "North"])
    drawn = found.polygons(boundary=shapely.box(9, 49, 11, 51))
    assert drawn.outside.tolist() == [1, 3]
    assert [(p.code, p.rows) for p in drawn.diagnostics] == [("spot-shared", (1,)), ("outside-boundary", (3,))]
    assert repr(drawn) == "<TerritoryPolygons: 2 territories, 2 customers outside>"
    empty = aligned([10, 10.1], [50, 50], ["North", "North"])
    assert empty.polygons().geometry == tuple(territory_polygons([10, 10.1], [50, 50], [0, 0]))
    nobody = aligned([10, 10.1], [50, 50], ["", ""]).polygons()
    assert nobody.to_frame().shape[0] == len(nobody)


def test_basic_units():
    units = [
        shapely.box(x / 10 + 10, y / 10 + 50, (x + 1) / 10 + 10, (y + 1) / 10 + 50) for x in range(4) for y in range(4)
    ]
    spots = np.array([[u.centroid.x, u.centroid.y] for u in units])
    labels = ["North" if y > 50.2 else "South" for y in spots[:, 1]]
    made = aligned(*spots.T, labels)
    found = made.polygons(units=units)
    assert [round(p.area, 9) for p in found.geometry] == [0.08, 0.08]
    assert found.outside.tolist() == []
    assert shapely.coverage_is_valid(np.array(found.geometry))
    cut = made.polygons(units=units, boundary=shapely.box(10, 50, 10.25, 51), simplify_m=100)
    assert [round(p.area, 9) for p in cut.geometry] == [0.05, 0.05]
    assert len(cut.outside) == 8 - 4  # the column that is half in has its centre on the boundary
    assert {p.code for p in cut.diagnostics} == {"outside-boundary"}
    units[1] = units[1].buffer(0.01)
    units[7] = shapely.Polygon([(10.1, 50.3), (10.2, 50.4), (10.2, 50.3), (10.1, 50.4)])
    assert {p.code for p in made.polygons(units=units).diagnostics} >= {"units-overlap", "unit-repaired"}


@pytest.mark.parametrize(("options", "code"), [
    ({"simplify_m": -1.0}, "bad-tolerance"), ({"simplify_m": float("nan")}, "bad-tolerance"),
    ({"boundary": shapely.Point(0, 0)}, "not-polygons"), ({"boundary": shapely.Polygon()}, "bad-boundary"),
    ({"units": []}, "wrong-shape"), ({"units": [shapely.Point(0, 0)] * 300}, "not-polygons"),
])  # fmt: skip
def test_what_is_refused(made, options, code):
    with pytest.raises(InputError) as caught:
        made.polygons(**options)
    assert caught.value.codes == (code,)
