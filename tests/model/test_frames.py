from __future__ import annotations

import subprocess
import sys

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import LineString, Point

from territory import Customers, InputError
from territory.model.frames import frame_columns

POINTS = [Point(13.4, 52.5), Point(9.99, 53.55)]


def codes(frame, **options):
    with pytest.raises(InputError) as caught:
        Customers.from_frame(frame, **options)
    return caught.value.codes


def test_a_geodataframe_gives_lon_and_lat():
    table = Customers.from_frame(gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=POINTS, crs="EPSG:4326"))
    assert table.lon.tolist() == [13.4, 9.99]
    assert table.diagnostics == ()


def test_a_geodataframe_with_another_crs_is_transformed():
    frame = gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=POINTS, crs="EPSG:4326").to_crs("EPSG:25832")
    table = Customers.from_frame(frame.rename_geometry("where"))
    np.testing.assert_allclose(table.lon, [13.4, 9.99], atol=1e-9)
    np.testing.assert_allclose(table.lat, [52.5, 53.55], atol=1e-9)
    assert table.diagnostics == ()


def test_a_geodataframe_without_a_crs_is_refused():
    assert codes(gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=POINTS)) == ("unknown-crs",)


def test_columns_lon_and_lat_count_more_than_the_geometry():
    frame = gpd.GeoDataFrame({"id": ["a", "b"], "lon": [1.0, 2.0], "lat": [3.0, 4.0]}, geometry=POINTS)
    assert Customers.from_frame(frame).lon.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("geometry", [LineString([(0, 0), (1, 1)]), None, Point()], ids=["line", "none", "empty"])
def test_geometries_that_are_not_points(geometry):
    frame = gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=[POINTS[0], geometry], crs="EPSG:4326")
    with pytest.raises(InputError, match=r"not points \(row 1\)"):
        Customers.from_frame(frame)


@pytest.mark.parametrize(("backend", "extra"), [("pandas", "notebooks"), ("polars", "polars"), ("pyarrow", "io")])
def test_a_backend_that_is_not_installed(backend, extra):
    code = (
        f"import sys; sys.modules[{backend!r}] = None\n"
        "from territory import Customers, MissingExtraError\n"
        f"try: Customers(id=['a'], lon=[1], lat=[1]).to_frame({backend!r})\n"
        "except MissingExtraError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{backend} is not installed: pip install 'territory[{extra}]'\n"


def test_readers_of_a_mapping_give_what_is_there():
    values = [1, 2]
    readers, problems = frame_columns({"x": values})
    assert readers["x"]() is values
    assert problems == []
