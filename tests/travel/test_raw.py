from __future__ import annotations

import numpy as np
import pytest

from territory import Customers, Reps, check_plan, design_territories, route_day, schedule_visits
from territory.errors import InputError
from territory.model.places import PlaceKind, Places
from territory.travel import GreatCircle, MatrixTravel, RawTravel, Travel, TravelBase, TravelMatrix
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


class Own(TravelBase):
    """A source that somebody has written."""

    fingerprint = "own"

    def __init__(self, answer):
        self.answer = answer

    def raw_matrix(self, origins, destinations):
        return self.answer(np.full((len(origins), len(destinations)), 60.0))


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("negative", lambda a: RawTravel(a - 100, a)),
        ("negative", lambda a: RawTravel(a, a - 100)),
        ("distance-infinite", lambda a: RawTravel(a, a * np.inf)),
        ("nan", lambda a: RawTravel(a * np.nan, a)),
        ("wrong-shape", lambda a: RawTravel(a[:, :-1], a)),
        ("wrong-shape", lambda a: RawTravel(a, np.ones((7, 7)))),
        ("wrong-shape", lambda a: RawTravel(a, a, np.ones(3, bool))),
        ("wrong-shape", lambda a: RawTravel(a.tolist(), a)),
        ("wrong-type", lambda _: None),
        ("wrong-type", lambda a: (a, a)),
    ],
)
def test_answers_that_cannot_be_are_refused(code, answer):
    places = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [9.0, 9.1], [47.0, 47.0])
    travel = Own(answer)
    for ask in (
        lambda: travel.matrix(places, places), lambda: travel.pairs(places, places.take([1, 0])),
        lambda: travel.nearest(places, places, 1),
    ):  # fmt: skip
        with pytest.raises(InputError, match=code):
            ask()


@pytest.mark.parametrize("factor", ["2", None, True, [1.0]])
def test_speed_factors_that_are_no_numbers(factor):
    places = Places.of(PlaceKind.CUSTOMER, ["a"], [9.0], [47.0])
    with pytest.raises(InputError, match="speed-factor"):
        GreatCircle().matrix(places, places, speed_factor=factor)


@pytest.mark.parametrize("wrong", [3, "osrm", GreatCircle])
def test_what_is_no_travel_is_said_so_by_all(wrong):
    customers = Customers(id=["a"], lon=[13.5], lat=[52.5])
    reps = Reps(id=["R1"], lon=[13.4], lat=[52.5])
    plan = route_day(customers, reps, day="2026-01-05")
    for ask in (
        lambda: route_day(customers, reps, day="2026-01-05", travel=wrong), lambda: check_plan(plan, travel=wrong),
        lambda: schedule_visits(customers, reps, start="2026-01-05", travel=wrong),
        lambda: design_territories(customers, reps, travel=wrong), lambda: plan.retimed(wrong),
    ):  # fmt: skip
        with pytest.raises(InputError, match="travel"):
            ask()


def test_a_wrapper_in_itself_has_no_hint():
    hours = TimeOfDay(GreatCircle(), [("07:00", 0.6)])
    with pytest.raises(InputError, match="wrapped-wrong") as caught:
        TimeOfDay(hours, [("07:00", 0.6)])
    assert caught.value.problems[0].hint is None
