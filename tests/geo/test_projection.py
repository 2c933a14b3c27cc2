from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.geo.projection import from_local_plane, local_plane, stereographic
from territory.geo.sphere import EARTH_RADIUS_M, great_circle_m

PLACE = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


@given(st.lists(PLACE, min_size=1, max_size=8), PLACE)
def test_the_plane_comes_back(places, origin):
    lon, lat = np.array(places).T
    xy, used = local_plane(lon, lat, origin)
    assert used == origin
    assert np.hypot(*xy.T).max() <= 2 * EARTH_RADIUS_M * (1 + 1e-12)
    away = great_circle_m(*origin, lon, lat)
    # a digit lost next to the antipode, where the rim of the disc is one place
    assert great_circle_m(*from_local_plane(xy, origin), lon, lat) == pytest.approx(
        0.0, abs=1e-5 if away.max() < 1.9e7 else 20.0
    )


def test_areas_are_true():
    """A cap of angular radius c has the area 2 pi R^2 (1 - cos c), and is a disc in the plane."""
    for degrees in (1.0, 30.0, 90.0, 170.0):
        (x, y), *_ = local_plane([0.0], [-90.0 + degrees], (0.0, -90.0))[0]
        cap = 2 * np.pi * EARTH_RADIUS_M**2 * (1 - np.cos(np.radians(degrees)))
        assert np.pi * (x**2 + y**2) == pytest.approx(cap)


def test_lengths_are_nearly_true_within_500_km():
    rng = np.random.default_rng(1)
    lon, lat = 10 + rng.uniform(-5, 5, 200), 50 + rng.uniform(-3, 3, 200)
    xy, _ = local_plane(lon, lat, (10.0, 50.0))
    plane = np.hypot(*(xy[:100] - xy[100:]).T)
    assert plane == pytest.approx(great_circle_m(lon[:100], lat[:100], lon[100:], lat[100:]), rel=1.2e-3)


def test_x_is_east_and_y_is_north():
    xy, _ = local_plane([11.0, 10.0], [50.0, 51.0], (10.0, 50.0))
    assert xy[0, 0] > 70_000
    assert abs(xy[0, 1]) < 1_000
    assert xy[1] == pytest.approx([0.0, 111_194.0], abs=10)


@pytest.mark.parametrize("lat", [0.0, 60.0, -89.0])
def test_the_antimeridian_is_nothing_special(lat):
    here, _ = local_plane([-0.5, 0.5, 0.2], [lat, lat, lat + 0.1])
    there, _ = local_plane([179.5, -179.5, -179.8], [lat, lat, lat + 0.1])
    assert there == pytest.approx(here, abs=1e-3)


def test_the_pole_is_nothing_special():
    xy, _ = local_plane([0.0, 90.0, 180.0, -90.0, 12.0], [89.0, 89.0, 89.0, 89.0, 90.0])
    assert np.hypot(*xy[:4].T) == pytest.approx(111_000, rel=0.01)
    assert xy[4] == pytest.approx([0.0, 0.0], abs=1e-3)


def test_the_antipode_is_on_the_rim():
    xy, origin = local_plane([180.0], [0.0], (0.0, 0.0))
    assert np.hypot(*xy[0]) == pytest.approx(2 * EARTH_RADIUS_M)
    assert float(great_circle_m(*from_local_plane(xy, origin), 180.0, 0.0)[0]) == pytest.approx(0.0, abs=1.0)
    assert np.isfinite(from_local_plane(np.array([[1e9, 0.0]]), origin)).all()
    assert np.isfinite(stereographic([180.0], [0.0], (0.0, 0.0))).all()


def test_no_positions_have_an_empty_plane():
    xy, origin = local_plane([], [])
    assert xy.shape == (0, 2)
    assert origin == (0.0, 0.0)
    assert stereographic([], []).shape == (0, 2)


def test_stereographic_keeps_circles():
    """Points of one small circle on the sphere lie on one circle in the plane."""
    bearing = np.linspace(0, 2 * np.pi, 9)[:-1]
    radius, lat0 = np.radians(25.0), np.radians(40.0)
    lat = np.arcsin(np.sin(lat0) * np.cos(radius) + np.cos(lat0) * np.sin(radius) * np.cos(bearing))
    lon = np.arctan2(np.sin(bearing) * np.sin(radius) * np.cos(lat0), np.cos(radius) - np.sin(lat0) * np.sin(lat))
    xy = stereographic(np.degrees(lon), np.degrees(lat), (30.0, 10.0))
    system = np.column_stack([xy / 1e6, np.ones(8)])
    solution, *_ = np.linalg.lstsq(system, (xy**2).sum(axis=1) / 1e12)
    assert system @ solution == pytest.approx((xy**2).sum(axis=1) / 1e12, rel=1e-9)
