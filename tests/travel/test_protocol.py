from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.errors import InputError
from territory.model.places import PlaceKind, Places
from territory.travel import UNREACHABLE, GreatCircle, MatrixTravel, Travel, default_travel, whole_metres, whole_seconds


def test_seconds_are_rounded_up_and_metres_to_the_nearest():
    assert whole_seconds(np.array([0.0, 0.1, 1.0, 59.01])).tolist() == [0, 1, 1, 60]
    assert whole_metres(np.array([0.0, 0.4, 0.6, 1999.5])).tolist() == [0, 0, 1, 2000]


def test_noise_above_a_whole_second_is_not_rounded_up():
    assert whole_seconds(np.array([1_000 * 3.6 / 36])).tolist() == [100]
    assert whole_seconds(np.array([0.1 + 0.2]), 0.3).tolist() == [1]


@given(st.floats(0, 1e6), st.floats(0.1, 10))
def test_the_speed_factor_divides_before_rounding(seconds, factor):
    whole = int(whole_seconds(np.array([seconds]), factor)[0])
    assert seconds / factor - 2e-6 <= whole < seconds / factor + 1


def test_what_has_no_way_is_farther_than_anything():
    whole = whole_seconds(np.array([[1.0, np.inf]]), 0.5)
    assert whole.tolist() == [[2, UNREACHABLE]]
    assert whole.dtype == np.int32
    assert whole_metres(np.array([np.inf])).tolist() == [UNREACHABLE]


@pytest.mark.parametrize("factor", [0.0, -1.0, np.nan, np.inf])
def test_a_bad_speed_factor_is_refused(factor):
    with pytest.raises(InputError) as error:
        whole_seconds(np.array([1.0]), factor)
    assert error.value.codes == ("speed-factor",)


def test_times_that_would_overflow_are_refused():
    with pytest.raises(InputError) as error:
        whole_seconds(np.array([[1.0, 1.0], [1e6, np.inf]]), 1e-6)
    assert error.value.codes == ("travel-time-overflow",)
    assert error.value.problems[0].rows == (1,)
    with pytest.raises(InputError, match="distance-overflow"):
        whole_metres(np.array([3e9]))


def test_empty_arrays():
    assert whole_seconds(np.empty((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    "travel",
    [
        default_travel(),
        GreatCircle(detour=1.2, access_km=0.0),
        MatrixTravel(1.3 * np.arange(25.0).reshape(5, 5) * (1 - np.eye(5)), customer_ids=list("abcde")),
    ],
    ids=["default", "great-circle", "matrix"],
)
def test_every_travel_keeps_the_contract(travel):
    rng = np.random.default_rng(0)
    places = Places.of(PlaceKind.CUSTOMER, list("abcde"), rng.uniform(5, 6, 5), rng.uniform(50, 51, 5))
    assert isinstance(travel, Travel)
    assert travel.fingerprint == travel.fingerprint
    start, end = rng.integers(0, 5, 40), rng.integers(0, 5, 40)
    for factor in (1.0, 0.8, 1.37):
        whole = travel.matrix(places, places, speed_factor=factor)
        assert whole.durations_s.dtype == whole.distances_m.dtype == np.int32
        assert whole.durations_s.shape == whole.distances_m.shape == (5, 5)
        assert not whole.durations_s.flags.writeable
        assert (np.diagonal(whole.durations_s) == 0).all()
        assert (np.diagonal(whole.distances_m) == 0).all()
        pairs = travel.pairs(places.take(start), places.take(end), speed_factor=factor)
        assert pairs.durations_s.tolist() == whole.durations_s[start, end].tolist()
        assert pairs.distances_m.tolist() == whole.distances_m[start, end].tolist()
        assert pairs.reachable.tolist() == whole.reachable[start, end].tolist()
        block = travel.matrix(places.take([3, 1]), places.take([0, 2, 4]), speed_factor=factor)
        assert block.durations_s.tolist() == whole.durations_s[np.ix_([3, 1], [0, 2, 4])].tolist()
    assert travel.matrix(places.take([]), places).durations_s.shape == (0, 5)
    assert travel.matrix(places, places.take([])).durations_s.shape == (5, 0)
    assert travel.pairs(places.take([]), places.take([])).durations_s.shape == (0,)
    with pytest.raises(InputError) as error:
        travel.pairs(places, places.take([0]))
    assert error.value.codes == ("pairs-length",)
    with pytest.raises(InputError):
        travel.matrix(places, places, speed_factor=0.0)
