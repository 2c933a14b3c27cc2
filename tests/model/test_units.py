"""Basic units."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import shapely
from shapely import Point, Polygon, box

from territory import BasicUnits, Customers, InputError, design_territories

ROW = [box(i, 50, i + 1, 51) for i in range(3)]
FRAME = {"id": ["a", "b", "c"], "people": [5.0, 6.0, 7.0], "geometry": ROW}


@pytest.fixture
def frame():
    gpd = pytest.importorskip("geopandas")
    # labels of rows that are no positions
    rows = {"id": ["a", "b", "c"], "people": [5, 6, 7]}
    made = gpd.GeoDataFrame(rows, geometry=ROW, crs="EPSG:4326")
    made.index = [7, 3, 9]
    return made


def test_units_of_a_geodataframe_in_any_coordinate_system(frame):
    for given in (frame, frame.to_crs("EPSG:3857"), frame.rename_geometry("shape")):
        units = BasicUnits.from_frame(given, measures=["people"])
        assert units.id.tolist() == ["a", "b", "c"]
        assert units.lon == pytest.approx([0.5, 1.5, 2.5])
        assert units.measures["people"].tolist() == [5, 6, 7]
        assert units.contiguity().edges.tolist() == [[0, 1], [1, 2]]
        assert not units.diagnostics


def test_the_coordinate_system_is_never_assumed(frame):
    with pytest.raises(InputError, match="coordinate system"):
        BasicUnits.from_frame(frame.set_crs(None, allow_override=True))


def test_places_of_the_table_count(frame):
    frame["lon"], frame["lat"] = [0.1, 1.1, 2.1], [50.1] * 3
    assert BasicUnits.from_frame(frame).lon.tolist() == [0.1, 1.1, 2.1]
    renamed = frame.rename(columns={"lon": "x", "lat": "y"})
    units = BasicUnits.from_frame(renamed, columns={"lon": "x", "lat": "y"})
    assert units.lon.tolist() == [0.1, 1.1, 2.1]


def test_units_of_points_have_no_ground(frame):
    units = BasicUnits.from_frame(frame.set_geometry([Point(i, 50) for i in range(3)], crs="EPSG:4326"))
    assert (units.geometry, units.lon.tolist()) == (None, [0, 1, 2])
    with pytest.raises(InputError, match="no borders"):
        units.contiguity()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_units_of_any_table(library):
    module = pytest.importorskip(library)
    plain = module.DataFrame({"id": ["a"], "lon": [1.0], "lat": [2.0], "people": [3.0]})
    assert BasicUnits.from_frame(plain, measures=["people"]).measures["people"].tolist() == [3]
    drawn = module.DataFrame({k: list(v) for k, v in FRAME.items()})
    units = BasicUnits.from_frame(drawn, measures=["people"])
    assert units.lon.tolist() == [0.5, 1.5, 2.5]
    assert units.geometry[2].equals(ROW[2])


def test_geojson(tmp_path, frame):
    text = frame.set_index("id").to_json()
    path = tmp_path / "units.geojson"
    path.write_text(text, encoding="utf-8")
    for source in (json.loads(text), path, str(path)):
        units = BasicUnits.from_geojson(source, measures=["people"])
        assert (units.id.tolist(), units.lon.tolist()) == (["a", "b", "c"], [0.5, 1.5, 2.5])
    named = BasicUnits.from_geojson(json.loads(frame.to_json()))
    assert named.id.tolist() == ["a", "b", "c"]
    with pytest.raises(InputError, match="FeatureCollection"):
        BasicUnits.from_geojson({"type": "Feature"})


def test_all_that_is_wrong_with_polygons():
    shapes = [Point(0, 0), None, box(0, 50, 1, 51)]
    with pytest.raises(InputError) as caught:
        BasicUnits.from_frame({**FRAME, "geometry": shapes})
    assert set(caught.value.codes) == {"no-geometry", "not-polygons"}
    with pytest.raises(InputError, match="unequal"):
        BasicUnits(id=["a"], lon=[1], lat=[1], geometry=ROW)
    with pytest.raises(InputError, match="projected"):
        BasicUnits(id=["a"], lon=[1], lat=[1], geometry=[box(500_000, 5_800_000, 501_000, 5_801_000)])
    with pytest.raises(InputError, match="owner"):
        BasicUnits(id=["a"], lon=[1], lat=[1], locked=[True])


def test_a_measure_must_not_be_called_as_a_column_of_customers():
    with pytest.raises(InputError, match="unit_area"):
        BasicUnits.from_frame({**FRAME, "area": [1, 2, 3]}, measures=["area"])
    units = BasicUnits.from_frame({**FRAME, "area": [1, 2, 3]}, measures={"unit_area": "area"})
    assert units.to_customers().measures["unit_area"].tolist() == [1, 2, 3]


def test_bow_ties_and_overlaps_are_told():
    bow = Polygon([(0, 50), (1, 51), (1, 50), (0, 51)])
    units = BasicUnits.from_frame({**FRAME, "geometry": [bow, box(0.9, 50, 2, 51), ROW[2]]})
    assert [(d.code, d.rows) for d in units.diagnostics if d.code == "repaired-units"] == [("repaired-units", (0,))]
    graph = units.contiguity()
    [note] = graph.diagnostics
    assert (note.code, note.message) == ("overlapping-units", "units share ground: a and b")


def test_rows_that_are_set_aside_take_their_ground_along():
    units = BasicUnits.from_frame({**FRAME, "people": [5.0, -1.0, 7.0]}, measures=["people"], on_error="quarantine")
    assert units.id.tolist() == ["a", "c"]
    assert [g.bounds[0] for g in units.geometry] == [0, 2]


def test_taken_pickled_and_frozen():
    units = BasicUnits.from_frame(FRAME, measures=["people"])
    back = pickle.loads(pickle.dumps(units.take([2, 0])))  # noqa: S301 - our own bytes
    assert (back.id.tolist(), [g.bounds[0] for g in back.geometry]) == (["c", "a"], [2, 0])
    assert units.take(np.array([True, False, True])).geometry[1].equals(ROW[2])
    with pytest.raises(ValueError, match="read-only"):
        back.geometry[0] = None


def test_units_are_customers_at_their_places():
    units = BasicUnits.from_frame(
        {**FRAME, "owner": ["R", "R", ""], "locked": [True, False, False]}, measures=["people"]
    )
    customers = units.to_customers()
    assert isinstance(customers, Customers)
    assert customers.measures["people"].tolist() == [5, 6, 7]
    assert customers.locked.tolist() == [True, False, False]
    assert shapely.contains(units.geometry, shapely.points(customers.lon, customers.lat)).all()


def test_lines_that_a_transformation_has_bent_on_one_side_are_no_gaps():
    gpd = pytest.importorskip("geopandas")
    # in metres one long side meets two short ones; in degrees its middle has no corner to bend at
    shapes = [box(600_000, 5_800_000, 620_000, 5_840_000), box(620_000, 5_800_000, 640_000, 5_820_000),
              box(620_000, 5_820_000, 640_000, 5_840_000)]  # fmt: skip
    frame = gpd.GeoDataFrame({"id": ["W", "SE", "NE"]}, geometry=shapes, crs="EPSG:25832")
    graph = BasicUnits.from_frame(frame).contiguity(tolerance_m=5.0)
    assert graph.edges.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert not graph.diagnostics
    with pytest.raises(InputError, match="tolerance"):
        BasicUnits.from_frame(frame).contiguity(tolerance_m=-1)


def test_warnings_of_units_reach_the_alignment():
    bow = Polygon([(0, 50), (1, 51), (1, 50), (0, 51)])
    units = BasicUnits.from_frame({**FRAME, "geometry": [bow, *ROW[1:]]})
    found = design_territories(units, n_territories=1)
    assert "repaired-units" in {d.code for d in found.diagnostics}
