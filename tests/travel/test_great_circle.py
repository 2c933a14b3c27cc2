from __future__ import annotations

import pickle
import time

import numpy as np
import pytest
from geopy import distance
from hypothesis import given
from hypothesis import strategies as st

from territory.errors import InputError
from territory.geo.sphere import EARTH_RADIUS_M
from territory.model.enums import Area
from territory.model.places import PlaceKind, Places
from territory.travel import EndMetres, GreatCircle, Speeds
from territory.travel.protocol import whole_seconds

LON = st.floats(-180, 180)
LAT = st.floats(-90, 90)
PLACES = st.lists(st.tuples(LON, LAT), min_size=3, max_size=6)


def customers(lon, lat, area=None):
    return Places.of(PlaceKind.CUSTOMER, [str(i) for i in range(len(lon))], lon, lat, area)


def by_hand(travel, a, b, area_a, area_b):
    """The documented model for one trip, in seconds and metres."""
    crow = distance.great_circle(a[::-1], b[::-1], radius=EARTH_RADIUS_M / 1000).m
    end = travel.end_m
    added = {Area.URBAN: end.urban, Area.SUBURBAN: end.suburban, Area.RURAL: end.rural, -1: end.suburban}
    road = min(crow * travel.detour + added[area_a] + added[area_b], 5 * crow)
    ends = min(road / 2, travel.access_km * 1000)
    km_h = travel.speeds_km_h
    speed = {Area.URBAN: km_h.urban, Area.SUBURBAN: km_h.suburban, Area.RURAL: km_h.rural, -1: km_h.suburban}
    seconds = 3.6 * (ends / speed[area_a] + ends / speed[area_b] + (road - 2 * ends) / km_h.through)
    return seconds, road


@pytest.mark.parametrize(
    "travel",
    [
        GreatCircle(),
        GreatCircle(detour=1.2, speeds_km_h=Speeds(20, 40, 60, 90), access_km=8.0),
        GreatCircle(detour=1.2, end_m=EndMetres(300.0, 50.0, 0.0)),
    ],
)
@pytest.mark.parametrize("width", [0.01, 0.3, 5.0])
def test_against_the_model_by_hand(travel, width):
    rng = np.random.default_rng(1)
    lon, lat, area = 10 + rng.uniform(-width, width, 30), 50 + rng.uniform(-width, width, 30), rng.integers(-1, 3, 30)
    found = travel.matrix(customers(lon, lat, area), customers(lon, lat, area), speed_factor=1.1)
    for i in range(30):
        for j in range(30):
            seconds, road = by_hand(travel, (lon[i], lat[i]), (lon[j], lat[j]), area[i], area[j])
            assert abs(found.distances_m[i, j] - road) <= 0.5 + 1e-3
            assert -1e-3 <= found.durations_s[i, j] - seconds / 1.1 < 1 + 1e-3


@given(PLACES, st.integers(-1, 2), st.sampled_from([EndMetres(), EndMetres(200.0, 40.0, 1000.0)]))
def test_a_metric_among_places_of_one_area(places, area, end_m):
    lon, lat = np.array(places).T
    table = customers(lon, lat, np.full(len(lon), area))
    found = GreatCircle(end_m=end_m).matrix(table, table)
    for legs, slack in ((found.durations_s, 0), (found.distances_m, 2)):
        assert (legs == legs.T).all()
        assert (np.diagonal(legs) == 0).all()
        over = legs[:, :, None] + legs[None, :, :]
        assert (legs[:, None, :] <= over + slack).all()


@given(PLACES, st.randoms())
def test_permutation_and_mixed_areas_are_symmetric(places, random):
    lon, lat = np.array(places).T
    order = list(range(len(lon)))
    random.shuffle(order)
    table = customers(lon, lat, np.arange(len(lon)) % 3)
    found, permuted = (GreatCircle().matrix(t, t).durations_s for t in (table, table.take(order)))
    assert (found == found.T).all()
    assert (permuted == found[np.ix_(order, order)]).all()


def test_farther_takes_longer_and_long_trips_are_faster():
    travel = GreatCircle()
    away = np.concatenate([[0.0], np.geomspace(1e-4, 90, 200)])
    for area in (None, np.full(201, Area.URBAN), np.full(201, Area.RURAL)):
        table = customers(away, np.zeros(201), area)
        legs = travel.matrix(table.take([0]), table)
        assert (np.diff(legs.durations_s[0]) >= 0).all()
        km_h = 3.6 * legs.distances_m[0, 100:] / legs.durations_s[0, 100:]
        assert (np.diff(km_h) > -0.1).all()
    short, long = travel.matrix(table.take([0]), customers([0.01, 3.0], [0.0, 0.0], [2, 2])).durations_s[0]
    assert short > 0
    assert long < 300 * short


def test_towns_are_slower_and_unknown_is_suburban():
    travel = GreatCircle()
    ends = [customers([8.0, 8.5], [50.0, 50.0], None if area is None else [area] * 2) for area in (0, 1, 2, -1, None)]
    urban, suburban, rural, unknown, absent = (int(travel.matrix(e, e).durations_s[0, 1]) for e in ends)
    assert urban > suburban > rural
    assert unknown == absent == suburban


def test_antimeridian_poles_antipodes_and_one_spot():
    table = customers([179.9, -179.9, 0.1, -0.1], [0.0] * 4)
    legs = GreatCircle().matrix(table, table).distances_m
    assert legs[0, 1] == legs[2, 3]
    polar = customers([12.0, -150.0], [90.0, 90.0])
    assert GreatCircle().matrix(polar, polar).durations_s.tolist() == [[0, 0], [0, 0]]
    far = customers([0.0, 180.0], [10.0, -10.0])
    leg = GreatCircle(detour=1.0).matrix(far, far)
    assert leg.distances_m[0, 1] == pytest.approx(np.pi * EARTH_RADIUS_M, abs=1)
    assert leg.reachable.all()


def test_a_constant_speed_without_ends():
    travel = GreatCircle(detour=1.0, speeds_km_h=Speeds.constant(36.0))
    table = customers([0.0, 1.0], [0.0, 0.0])
    assert travel.matrix(table, table).durations_s[0, 1] == 11120
    assert whole_seconds(np.array([11119.51])).tolist() == [11120]


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ({"detour": 0.9}, ["detour-out-of-range"]),
        ({"detour": 140}, ["detour-out-of-range"]),
        ({"detour": np.nan}, ["detour-out-of-range"]),
        ({"access_km": -1.0}, ["access-out-of-range"]),
        ({"access_km": 5_000.0, "detour": 0.0}, ["detour-out-of-range", "access-out-of-range"]),
        ({"speeds_km_h": 50}, ["speeds-type"]),
        ({"end_m": 200.0}, ["end-type"]),
    ],
)
def test_bad_parameters_are_refused_together(options, codes):
    with pytest.raises(InputError) as error:
        GreatCircle(**options)
    assert list(error.value.codes) == codes


@pytest.mark.parametrize("value", [-1.0, 10_001.0, np.nan])
def test_bad_metres_at_ends_are_refused(value):
    with pytest.raises(InputError) as error:
        EndMetres(urban=value, rural=value)
    assert [problem.column for problem in error.value.problems] == ["urban", "rural"]


def test_streets_at_the_ends_weigh_on_short_legs():
    table = customers([8.0, 8.0, 8.004, 8.5], [50.0] * 4, [Area.URBAN] * 4)
    plain = GreatCircle(detour=1.4, end_m=EndMetres()).matrix(table, table).distances_m[0]
    found = GreatCircle(detour=1.4, end_m=EndMetres(urban=150.0)).matrix(table, table).distances_m[0]
    assert (found - plain).tolist() == [0, 0, 300, 300]
    next_door = customers([8.0, 8.0001], [50.0] * 2, [Area.URBAN] * 2)
    crow = plain[2] / 1.4 / 40
    assert GreatCircle(end_m=EndMetres(urban=150.0)).pairs(
        next_door.take([0]), next_door.take([1])
    ).distances_m == pytest.approx(5 * crow, abs=1)


@pytest.mark.parametrize("value", [0.0, 0.5, -5.0, 201.0, np.nan, np.inf])
def test_bad_speeds_are_refused(value):
    with pytest.raises(InputError) as error:
        Speeds(urban=value, through=value)
    assert [problem.column for problem in error.value.problems] == ["urban", "through"]
    assert error.value.codes[0] == "speed-out-of-range"


def test_units_are_hinted_at():
    with pytest.raises(InputError, match="km per minute"):
        Speeds(urban=0.5)
    with pytest.raises(InputError, match="metres per minute"):
        Speeds(urban=500)


def test_the_fingerprint_names_every_parameter():
    variants = [
        GreatCircle(),
        GreatCircle(detour=1.5),
        GreatCircle(access_km=4.0),
        *(GreatCircle(speeds_km_h=Speeds(**{name: 33.0})) for name in ("urban", "suburban", "rural", "through")),
        *(GreatCircle(end_m=EndMetres(**{name: 33.0})) for name in ("urban", "suburban", "rural")),
    ]
    assert len({each.fingerprint for each in variants}) == len(variants)
    assert GreatCircle(detour=2).fingerprint == GreatCircle(detour=2.0).fingerprint
    assert pickle.loads(pickle.dumps(variants[1])) == variants[1]  # noqa: S301 - our own bytes


def best_of(runs, task):
    times = []
    for _ in range(runs):
        start = time.process_time()
        task()
        times.append(time.process_time() - start)
    return min(times)


def test_a_million_legs_are_quick():
    rng = np.random.default_rng(0)
    table = customers(rng.uniform(5, 15, 1000), rng.uniform(47, 55, 1000), rng.integers(0, 3, 1000))
    many = customers(rng.uniform(5, 15, 1_000_000), rng.uniform(47, 55, 1_000_000))
    travel = GreatCircle()
    # some five times what it takes, for busy machines
    assert best_of(3, lambda: travel.matrix(table, table)) < 0.2
    assert best_of(3, lambda: travel.pairs(many, many)) < 0.6


def test_a_place_without_coordinates_is_refused():
    table = customers([8.0, np.nan], [50.0, 50.0])
    with pytest.raises(InputError, match="without coordinates") as error:
        GreatCircle().matrix(table, table)
    assert error.value.codes == ("nan",)
