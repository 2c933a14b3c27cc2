from __future__ import annotations

import numpy as np
import pytest

from territory import Customers, Reps
from territory.model.coordinates import pair_diagnostics


def places(cls, lon, lat):
    return cls(id=[str(i) for i in range(len(lon))], lon=lon, lat=lat)


def codes(lon, lat):
    return [(p.code, p.count) for p in places(Customers, lon, lat).diagnostics]


def spread(n, lon, lat, size):
    rng = np.random.default_rng(1)
    return lon + rng.uniform(-size, size, n), lat + rng.uniform(-size, size, n)


def test_a_stray_in_a_country():
    lon, lat = spread(200, 10.0, 51.0, 3.0)
    assert codes(lon, lat) == []
    lat[7] = -lat[7]  # a lost sign
    assert codes(lon, lat) == [("far-away", 1)]


def test_strays_in_a_continent_as_wide_as_the_united_states():
    lon = np.linspace(-124, -70, 500)
    lat = 40 + 6 * np.sin(np.arange(500))
    assert codes(lon, lat) == []
    lon[[3, 400]] = -lon[[3, 400]]
    assert codes(lon, lat) == [("far-away", 2)]


def test_two_markets_are_no_strays():
    lon, lat = spread(100, 10.0, 51.0, 2.0)
    lon[50:], lat[50:] = spread(50, 139.0, 36.0, 1.0)
    assert codes(lon, lat) == []


def test_a_market_astride_the_antimeridian_is_one():
    lon = np.r_[np.linspace(176, 179.9, 50), np.linspace(-179.9, -176, 50)]
    assert codes(lon, np.full(100, -17.0)) == []


def test_few_places_or_none():
    assert codes([1.0, 100.0], [1.0, 1.0]) == []
    assert codes([13.0, 13.1, 120.0], [52.0, 52.1, 30.0]) == [("far-away", 1)]


@pytest.mark.parametrize("n", [10, 5_000])
def test_swapped_coordinates_that_are_legal(n):
    reps = places(Reps, [13.4, 8.7, 11.6], [52.5, 50.1, 48.1])
    lon, lat = spread(n, 10.0, 51.0, 3.0)
    assert pair_diagnostics(places(Customers, lon, lat), reps) == ()
    (problem,) = pair_diagnostics(places(Customers, lat, lon), reps)
    assert (problem.code, problem.count) == ("swapped-coordinates", n)
    assert "swapped" in problem.hint
    swapped_reps = places(Reps, reps.lat, reps.lon)
    assert [p.code for p in pair_diagnostics(places(Customers, lon, lat), swapped_reps)] == ["swapped-coordinates"]


def test_customers_that_are_only_far_are_not_called_swapped():
    lon, lat = spread(20, 10.0, 51.0, 3.0)
    assert pair_diagnostics(places(Customers, lon, lat), places(Reps, [-100.0], [40.0])) == ()
    assert pair_diagnostics(places(Customers, lon + 130, lat), places(Reps, [10.0], [50.0])) == ()
    assert pair_diagnostics(places(Customers, [], []), places(Reps, [10.0], [50.0])) == ()
    assert pair_diagnostics(places(Customers, lon, lat), places(Reps, [], [])) == ()
