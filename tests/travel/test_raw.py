from __future__ import annotations

import numpy as np
import pytest

from territory.errors import InputError
from territory.model.places import PlaceKind, Places
from territory.travel import GreatCircle, MatrixTravel, Travel, TravelMatrix
from territory.travel.base import check_divides, raw_of, raw_pairs_of
from territory.travel.cache import CachedTravel
from territory.travel.parking import ParkingTravel
from territory.travel.time_of_day import TimeOfDay


class Whole:
    """A `Travel` that derives from nothing."""

    symmetric, fingerprint = True, "whole"

    def __init__(self, inner):
        self.inner = inner

    def matrix(self, origins, destinations, *, speed_factor=1.0):
        found = self.inner.matrix(origins, destinations, speed_factor=speed_factor)
        return TravelMatrix(found.durations_s, found.distances_m, np.array(found.reachable), 60.0)

    def pairs(self, origins, destinations, *, speed_factor=1.0):
        return self.inner.pairs(origins, destinations, speed_factor=speed_factor)

    def nearest(self, origins, destinations, k, *, speed_factor=1.0):
        raise NotImplementedError

    def route_geometry(self, stops):
        raise NotImplementedError

    def snap(self, places):
        raise NotImplementedError


def test_raw_numbers_of_any_source():
    places = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [9.0, 9.1], [47.0, 47.0])
    inner = MatrixTravel([[0, 60.4], [None, 0]], customer_ids=["a", "b"])
    travel = Whole(inner)
    assert isinstance(travel, Travel)
    found = raw_of(travel, places, places)
    assert found.seconds.tolist() == [[0, 61], [np.inf, 0]]
    assert found.metres.dtype == np.float64
    assert np.isinf(found.metres).tolist() == [[False, False], [True, False]]
    assert found.estimated.tolist() == [[True, True], [False, True]]
    assert found.departure_s == 60.0
    assert found.rounded(1.0).durations_s.tolist() == travel.matrix(places, places).durations_s.tolist()
    assert raw_pairs_of(travel, places, places.take([1, 0])).seconds.tolist() == [61, np.inf]
    assert raw_of(inner, places, places).seconds.tolist() == [[0, 60.4], [np.inf, 0]]
    assert raw_pairs_of(inner, places, places.take([1, 1])).seconds.tolist() == [60.4, 0]
    with pytest.raises(InputError, match="pairs-length"):
        raw_pairs_of(inner, places, places.take([1]))
    check_divides(travel, "Wrapper")
    assert (inner.by_id, GreatCircle().by_id, inner.estimates) == (True, False, False)


def test_wrappers_hand_on_what_the_source_says(tmp_path):
    travel = Whole(GreatCircle())
    travel.attribution = "somebody"
    for wrapper in (
        CachedTravel(travel, tmp_path / "legs"),
        ParkingTravel(travel, parking_s=0),
        TimeOfDay(travel, [(0, 1.0)]),
        TimeOfDay(travel, [(0, 1.0)]).at(60),
    ):
        # whoever does not say may look places up by their ids
        assert (wrapper.by_id, wrapper.estimates, wrapper.symmetric) == (True, False, True)
        assert wrapper.attribution == "somebody"
    assert not ParkingTravel(GreatCircle(), parking_s=0).by_id
    assert ParkingTravel(GreatCircle(), parking_s=0).attribution is None
