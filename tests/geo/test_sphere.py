from __future__ import annotations

import numpy as np
import pytest
from geopy import distance
from hypothesis import given
from hypothesis import strategies as st

from territory.errors import InputError
from territory.geo.sphere import (
    EARTH_RADIUS_M,
    from_unit_vectors,
    great_circle_m,
    initial_bearing,
    mean_position,
    unit_vectors,
)

LON = st.floats(-180, 180)
LAT = st.floats(-90, 90)
PLACE = st.tuples(LON, LAT)


@given(PLACE, PLACE)
def test_great_circle_agrees_with_geopy(a, b):
    oracle = distance.great_circle(a[::-1], b[::-1], radius=EARTH_RADIUS_M / 1000).m
    assert float(great_circle_m(*a, *b)) == pytest.approx(oracle, rel=1e-9, abs=1.0)


@pytest.mark.parametrize("seed", range(5))
def test_great_circle_is_within_0_56_percent_of_the_ellipsoid(seed):
    rng = np.random.default_rng(seed)
    a, b = np.stack([rng.uniform(-180, 180, 2), rng.uniform(-80, 80, 2)], axis=1)
    geodesic = distance.geodesic(a[::-1], b[::-1]).m
    assert float(great_circle_m(*a, *b)) == pytest.approx(geodesic, rel=0.0057)


@given(PLACE, PLACE, PLACE)
def test_great_circle_is_a_metric(a, b, c):
    ab, ba, bc, ac = (float(great_circle_m(*p, *q)) for p, q in ((a, b), (b, a), (b, c), (a, c)))
    assert ab == ba
    assert float(great_circle_m(*a, *a)) == 0.0
    assert ac <= ab + bc + 1.0


def test_neighbours_a_millimetre_apart_keep_their_distance():
    degrees = np.degrees(1e-3 / EARTH_RADIUS_M)
    assert float(great_circle_m(10.0, 50.0, 10.0, 50.0 + degrees)) == pytest.approx(1e-3, rel=1e-4)


def test_great_circle_broadcasts():
    lon, lat = np.array([0.0, 10.0, 20.0]), np.array([0.0, 5.0, 50.0])
    square = great_circle_m(lon[:, None], lat[:, None], lon, lat)
    assert square.shape == (3, 3)
    assert square[0, 2] == great_circle_m(0.0, 0.0, 20.0, 50.0)


def test_the_antimeridian_and_the_pole_are_nothing_special():
    assert float(great_circle_m(179.9, 0, -179.9, 0)) == pytest.approx(float(great_circle_m(-0.1, 0, 0.1, 0)))
    assert float(great_circle_m(0, 89.9, 180, 89.9)) == pytest.approx(float(great_circle_m(0, 0, 0.2, 0)))
    assert float(great_circle_m(33, 90, -120, 90)) == pytest.approx(0.0, abs=1e-6)


@given(PLACE)
def test_unit_vectors_have_length_one_and_come_back(place):
    vector = unit_vectors([place[0]], [place[1]])
    assert np.linalg.norm(vector) == pytest.approx(1.0)
    lon, lat = from_unit_vectors(vector)
    assert float(great_circle_m(*place, lon[0], lat[0])) == pytest.approx(0.0, abs=1e-6)


@given(st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), min_size=1, max_size=8), st.floats(-360, 360))
def test_mean_turns_with_the_globe(places, turn):
    lon, lat = np.array(places).T
    mean, turned = mean_position(lon, lat), mean_position(lon + turn, lat)
    assert float(great_circle_m(mean[0] + turn, mean[1], *turned)) == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(
    ("lon", "lat", "expected"),
    [
        ([179.0, -179.0], [0.0, 0.0], (180.0, 0.0)),
        ([0.0, 90.0, 180.0, -90.0], [80.0] * 4, (0.0, 90.0)),
        ([0.0, 180.0], [-85.0, -85.0], (0.0, -90.0)),
        ([7.0], [51.0], (7.0, 51.0)),
    ],
)
def test_mean_at_the_antimeridian_and_the_poles(lon, lat, expected):
    assert float(great_circle_m(*mean_position(lon, lat), *expected)) == pytest.approx(0.0, abs=1e-3)


def test_weights_pull_the_mean():
    assert mean_position([0.0, 10.0], [0.0, 0.0], [1.0, 0.0]) == pytest.approx((0.0, 0.0))
    assert mean_position([0.0, 10.0], [0.0, 0.0], [1.0, 3.0])[0] == pytest.approx(7.5, abs=0.01)


def test_antipodes_have_no_middle_and_give_the_first():
    assert mean_position([20.0, -160.0], [30.0, -30.0]) == pytest.approx((20.0, 30.0))


@pytest.mark.parametrize(
    ("lon", "weights", "code"),
    [
        ([], None, "no-positions"),
        ([1.0], [0.0], "weights-range"),
        ([1.0], [-1.0], "weights-range"),
        ([1.0], [np.nan], "weights-range"),
        ([1.0], [1.0, 2.0], "weights-shape"),
    ],
)
def test_mean_refuses(lon, weights, code):
    with pytest.raises(InputError) as error:
        mean_position(lon, lon, weights)
    assert error.value.codes == (code,)


@pytest.mark.parametrize(
    ("a", "b", "bearing"),
    [
        ((0, 0), (0, 1), 0.0),
        ((0, 0), (1, 0), 90.0),
        ((0, 0), (0, -1), 180.0),
        ((0, 0), (-1, 0), 270.0),
        ((179.5, 0), (-179.5, 0), 90.0),
        ((5, 5), (5, 5), 0.0),
        # Baghdad to Osaka, a textbook case
        ((45, 35), (135, 35), 60.16),
    ],
)
def test_initial_bearing(a, b, bearing):
    assert float(initial_bearing(*a, *b)) == pytest.approx(bearing, abs=0.01)


@given(PLACE, PLACE)
def test_bearing_stays_in_range(a, b):
    assert 0.0 <= float(initial_bearing(*a, *b)) < 360.0
