from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.errors import InputError
from territory.model.enums import Area
from territory.model.places import PlaceKind, Places
from territory.travel import UNREACHABLE, GreatCircle, MatrixTravel, RawTravel, Travel, TravelBase, whole_seconds
from territory.travel.cache import CachedTravel
from territory.travel.parking import ParkingTravel
from territory.travel.time_of_day import TimeOfDay

BY_AREA = {Area.URBAN: 300, "rural": 30.2}
SECONDS = {0: 300, 1: 120, 2: 31, -1: 120}


def mixed(n, seed, *, spots=6):
    """Make places of all kinds and areas, many of them at one spot."""
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(9, 9.05, spots), rng.uniform(47, 47.05, spots)
    at = rng.integers(0, spots, n)
    return Places(
        kind=rng.integers(0, 4, n).astype(np.int8),
        id=Places.of(PlaceKind.REP, [str(i) for i in range(n)], lon[at], lat[at]).id,
        lon=lon[at],
        lat=lat[at],
        area=rng.integers(-1, 3, n).astype(np.int8),
    )


@given(st.integers(0, 10_000), st.sampled_from([1.0, 0.7, 1.3]))
def test_parking_is_added_to_whole_seconds_of_legs_to_customers(seed, factor):
    places, source = mixed(15, seed), GreatCircle()
    travel = ParkingTravel(source, parking_s=119.5, by_area=BY_AREA)
    plain, found = (each.matrix(places, places, speed_factor=factor) for each in (source, travel))
    for i in range(15):
        for j in range(15):
            drive = int(plain.durations_s[i, j])
            stays = drive == 0 and plain.distances_m[i, j] == 0
            extra = SECONDS[int(places.area[j])] if places.kind[j] == PlaceKind.CUSTOMER and not stays else 0
            assert found.durations_s[i, j] == drive + extra
    assert found.distances_m.tolist() == plain.distances_m.tolist()
    turn = np.random.default_rng(seed).permutation(15)
    pairs = travel.pairs(places, places.take(turn), speed_factor=factor)
    assert pairs.durations_s.tolist() == found.durations_s[np.arange(15), turn].tolist()
    assert pairs.distances_m.tolist() == found.distances_m[np.arange(15), turn].tolist()


@given(st.integers(0, 10_000))
def test_raw_numbers_round_to_those_of_the_usual_speed(seed):
    places = mixed(12, seed)
    travel = ParkingTravel(GreatCircle(), parking_s=45)
    whole = travel.matrix(places, places).durations_s
    assert whole_seconds(travel.raw_matrix(places, places).seconds).tolist() == whole.tolist()
    assert whole_seconds(travel.raw_pairs(places, places).seconds).tolist() == np.diagonal(whole).tolist()


@given(st.integers(0, 10_000), st.integers(1, 20), st.sampled_from([1.0, 1.6]), st.booleans())
def test_neighbours_are_those_of_the_matrix(seed, k, factor, crowded):
    places = mixed(14, seed, spots=3 if crowded else 12)
    travel = ParkingTravel(GreatCircle(), parking_s=120, by_area=BY_AREA)
    found = travel.nearest(places, places, k, speed_factor=factor)
    truth = TravelBase.nearest(travel, places, places, k, speed_factor=factor)
    assert found.idx.tolist() == truth.idx.tolist()
    assert found.durations_s.tolist() == truth.durations_s.tolist()
    assert found.distances_m.tolist() == truth.distances_m.tolist()
    assert found.idx.dtype == found.durations_s.dtype == found.distances_m.dtype == np.int32
    assert found.n_destinations == 14


def test_neighbours_that_take_no_time_but_are_elsewhere():
    # "a" is at the same spot, "b" and "c" take no time over some distance: those park
    seconds, metres = np.zeros((4, 4)), np.full((4, 4), 50.0)
    metres[0, 3] = metres[3, 0] = 0.0
    np.fill_diagonal(metres, 0.0)
    ids = ["x", "b", "c", "a"]
    travel = ParkingTravel(MatrixTravel(seconds, metres, customer_ids=ids), parking_s=60)
    places = Places.of(PlaceKind.CUSTOMER, ids, [9.0] * 4, [47.0] * 4)
    assert travel.nearest(places, places, 1).idx[0].tolist() == [3]
    assert travel.nearest(places, places, 2).durations_s[0].tolist() == [0, 60]


def test_no_way_stays_no_way():
    places = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [9.0, 9.1], [47.0, 47.0])
    travel = ParkingTravel(MatrixTravel([[0, None], [5, 0]], customer_ids=["a", "b"]), parking_s=60)
    found = travel.matrix(places, places)
    assert found.durations_s.tolist() == [[0, UNREACHABLE], [65, 0]]
    assert travel.nearest(places, places, 1).idx.tolist() == [[-1], [0]]
    assert travel.nearest(places, places.take([]), 2).idx.tolist() == [[-1, -1], [-1, -1]]
    assert np.isinf(travel.raw_matrix(places, places).seconds[0, 1])


def test_what_the_source_says_is_handed_on():
    class Told(TravelBase):
        fingerprint, by_id, estimates, symmetric = "told", True, True, True

        def raw_matrix(self, origins, destinations):
            seconds = np.ones((len(origins), len(destinations)))
            return RawTravel(seconds, seconds, seconds > 0, 60.0)

    places = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [9.0, 9.1], [47.0, 47.0])
    travel = ParkingTravel(Told(), parking_s=10)
    assert isinstance(travel, Travel)
    assert (travel.by_id, travel.estimates, travel.divides, travel.symmetric) == (True, True, False, False)
    assert ParkingTravel(Told(), parking_s=0).symmetric
    for found in (travel.matrix(places, places), travel.raw_matrix(places, places)):
        assert found.estimated.all()
        assert found.departure_s == 60.0
    assert len(travel.route_geometry(places)) == 1
    assert travel.snap(places).moved_m.tolist() == [0.0, 0.0]
    assert travel.fingerprint != ParkingTravel(Told(), parking_s=11).fingerprint


def test_parking_stays_outside_of_what_stretches_it(tmp_path):
    travel = ParkingTravel(GreatCircle(), parking_s=10)
    for wrap in (lambda: CachedTravel(travel, tmp_path / "x"), lambda: TimeOfDay(travel, [(0, 1.0)])):
        with pytest.raises(InputError) as error:
            wrap()
        assert error.value.codes == ("wrapped-wrong",)


def test_bad_parameters_are_told_at_once():
    with pytest.raises(InputError) as error:
        ParkingTravel("osrm", parking_s=-1, by_area={"town": 5, Area.RURAL: np.nan})
    codes = ("source-type", "parking-out-of-range", "unknown-area", "parking-out-of-range")
    assert error.value.codes == codes
    places = Places.of(PlaceKind.CUSTOMER, ["a"], [9.0], [47.0])
    for call in ("matrix", "pairs"):
        with pytest.raises(InputError, match="speed-factor"):
            getattr(ParkingTravel(GreatCircle(), parking_s=1), call)(places, places, speed_factor=0.0)
