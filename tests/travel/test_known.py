"""Travel asked for in advance, as workers get it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from territory import Customers, InputError, Reps, TravelError, design_territories, schedule_visits
from territory.model.places import PlaceKind, Places
from territory.travel import GreatCircle, KnownTravel, TravelBase
from territory.travel.cache import CachedTravel
from territory.travel.fallback import FallbackTravel
from territory.travel.parking import ParkingTravel
from territory.travel.time_of_day import TimeOfDay


def some(n: int, seed: int = 0) -> Places:
    rng = np.random.default_rng(seed)
    return Places.of(PlaceKind.CUSTOMER, [f"c{i}" for i in range(n)], 10 + rng.random(n), 50 + rng.random(n))


def test_it_answers_as_its_source():
    places, source = some(9), GreatCircle()
    doubled = Places.concat([places, places.take(np.arange(3))])
    known = KnownTravel(source, doubled, [1.0, 1.3])
    a, b = doubled.take(np.array([11, 2, 2, 8])), doubled.take(np.array([0, 5, 9, 1]))
    for factor in (1.0, 1.3):
        for method in ("matrix", "pairs"):
            found = getattr(known, method)(a, b, speed_factor=factor)
            truth = getattr(source, method)(a, b, speed_factor=factor)
            assert np.array_equal(found.durations_s, truth.durations_s)
            assert np.array_equal(found.distances_m, truth.distances_m)
    assert (known.fingerprint, known.symmetric) == (source.fingerprint, True)


def test_what_was_not_asked_is_refused():
    known = KnownTravel(GreatCircle(), some(3))
    with pytest.raises(InputError, match="not among the places known"):
        known.matrix(some(4), some(3))
    with pytest.raises(InputError, match=r"asked for 2\.0"):
        known.matrix(some(3), some(3), speed_factor=2.0)


class Once(TravelBase):
    """Answers in one process, where it was made: a connection does not travel."""

    fingerprint = "once"

    def raw_matrix(self, origins: Any, destinations: Any) -> Any:
        return GreatCircle().raw_matrix(origins, destinations)

    def __reduce__(self) -> Any:
        message = "not to be sent anywhere"
        raise TravelError(message)


def test_workers_need_no_connection():
    rng = np.random.default_rng(3)
    customers = Customers(
        id=[f"c{i}" for i in range(12)], lon=10 + rng.random(12) / 4, lat=50 + rng.random(12) / 4,
        visit_interval_days=[7] * 12,
    )  # fmt: skip
    reps = Reps(id=["a", "b"], lon=[10.05, 10.2], lat=[50.1, 50.1], speed_factor=[1.0, 1.25])
    sides = design_territories(customers, reps)
    ask = {"start": "2026-01-05", "weeks": 1, "iterations": 30, "travel": Once()}
    one, two = (schedule_visits(customers, reps, sides, n_jobs=n, **ask) for n in (1, 2))
    assert one.to_frame().equals(two.to_frame())


def test_wrappers_of_raw_numbers_go_inside(tmp_path):
    places = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [13.0, 13.1], [52.0, 52.0])
    known = KnownTravel(GreatCircle(), places)
    for wrap in (
        lambda: FallbackTravel(known, GreatCircle()), lambda: TimeOfDay(known, [("07:00", 0.6)]),
        lambda: CachedTravel(known, tmp_path / "legs.sqlite"),
    ):  # fmt: skip
        with pytest.raises(InputError, match="wrapped-wrong"):
            wrap()
    assert ParkingTravel(known, parking_s=60).matrix(places, places).durations_s.tolist() == [
        [0, 60 + int(known.matrix(places, places).durations_s[0, 1])],
        [60 + int(known.matrix(places, places).durations_s[1, 0]), 0],
    ]
