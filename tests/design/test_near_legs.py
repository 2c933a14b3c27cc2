from __future__ import annotations

import numpy as np
import pytest

from territory import Customers, check_alignment, design_territories
from territory.design import given_legs
from territory.design import near_legs as module
from territory.design.near_legs import is_large, near_legs
from territory.design.problem import on_sphere
from territory.geo.sphere import great_circle_m
from territory.model.places import PlaceKind, Places
from territory.travel import GreatCircle, RawTravel, TravelBase


class Streets(TravelBase):
    """Slower westwards than eastwards, and no way across the meridian `wall`; counts the legs that are asked."""

    def __init__(self, wall=np.inf, own_nearest=True):
        self.wall, self.legs, self.own_nearest = wall, 0, own_nearest

    fingerprint = "streets"

    def raw_matrix(self, origins, destinations):
        a, b = ([p.lon, p.lat] for p in (origins, destinations))
        metres = great_circle_m(a[0][:, None], a[1][:, None], *b)
        self.legs += metres.size
        west = a[0][:, None] > b[0]
        seconds = metres / 15 * np.where(west, 1.3, 1.0)
        cut = (a[0][:, None] > self.wall) != (b[0] > self.wall)
        return RawTravel(np.where(cut, np.inf, seconds), np.where(cut, np.inf, metres))


class Lazy(Streets):
    def nearest(self, origins, destinations, k, *, speed_factor=1.0):
        before = self.legs
        found = super().nearest(origins, destinations, k, speed_factor=speed_factor)
        self.legs = before + found.idx.size  # as a source that searches outwards would count
        return found


def towns(n_towns=14, each=25, seed=0):
    rng = np.random.default_rng(seed)
    middle = rng.uniform([8.0, 50.0], [10.0, 51.0], (n_towns, 2))
    xy = (middle[:, None] + rng.normal(0, 0.004, (n_towns, each, 2))).reshape(-1, 2)
    return Places.of(PlaceKind.CUSTOMER, [f"c{i}" for i in range(len(xy))], xy[:, 0], xy[:, 1])


def legs_of(travel, places, n=None):
    return near_legs(travel, places, on_sphere(places.lon, places.lat), len(places) if n is None else n)


@pytest.mark.parametrize("kind", [Streets, Lazy])
def test_towns_that_are_larger_than_the_neighbourhood_are_joined(kind):
    travel, places = kind(), towns()
    legs = legs_of(travel, places)
    assert np.unique(legs.islands(np.ones(350), 3)).tolist() == [0]
    assert travel.legs < 45 * len(places)
    asked = Streets().matrix(places, places).durations_s
    known = legs.graph.tocoo()
    np.testing.assert_allclose(known.data, 0.5 * (asked + asked.T)[known.row, known.col])
    there = np.arange(0, 350, 7, dtype=np.int32)
    over = legs.between(there, there)
    np.testing.assert_allclose(over, over.T)
    true = 0.5 * (asked + asked.T)[np.ix_(there, there)]
    # rounding up may make two short legs a second longer than the way over both, never shorter but for half a second
    assert (over >= true - 15).all()
    away = true > 600
    assert np.median(over[away] / true[away]) < 1.2


def test_what_nothing_joins_stays_apart():
    places = towns()
    part = legs_of(Streets(wall=9.0), places).islands(np.ones(350), 3)
    assert (part[places.lon > 9.0] != part[places.lon <= 9.0][0]).all()
    assert len(np.unique(part)) == 2


def test_islands_whose_neighbours_are_across_the_water_are_joined_by_their_heads():
    # a row of places, every other one on the far bank: neighbours have no way, the next but one do
    class Banks(Streets):
        def raw_matrix(self, origins, destinations):
            found = super().raw_matrix(origins, destinations)
            bank = [np.rint(p.lat * 1e4).astype(int) % 2 for p in (origins, destinations)]
            cut = bank[0][:, None] != bank[1]
            return RawTravel(np.where(cut, np.inf, found.seconds), np.where(cut, np.inf, found.metres))

    lon = np.concatenate([8 + 0.2 * np.arange(6)[:, None] + 0.0001 * np.arange(20)] * 2).ravel()
    lat = np.repeat([50.0, 50.0001], 120)
    places = Places.of(PlaceKind.CUSTOMER, [str(i) for i in range(240)], lon, lat)
    part = legs_of(Banks(), places).islands(np.ones(240), 2)
    assert len(np.unique(part)) == 2
    assert np.unique(part[:120]).size == 1


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_few_places(n):
    legs = legs_of(Streets(), towns().take(np.arange(n)))
    assert legs.graph.shape == (n, n)
    assert legs.graph.nnz == n * (n - 1)


def test_same_spot_and_homes_behind():
    places = towns(4, 5)
    both = Places.concat([places, Places.of(PlaceKind.REP, ["r"], places.lon[:1], places.lat[:1])])
    legs = legs_of(Streets(), both, 20)
    assert legs.between(np.array([20], dtype=np.int32), np.array([0], dtype=np.int32))[0, 0] == 0.0


def test_what_is_large():
    assert is_large(Streets(), 100_000, 500)
    assert not is_large(Streets(), 10_000, 500)
    assert not is_large(GreatCircle(), 100_000, 500)
    assert is_large(GreatCircle(), 100_000, 1_000)


def test_designed_over_the_nearest_it_is_about_as_good_and_told_by_the_source(monkeypatch):
    places = towns(30, 20, seed=3)
    customers = Customers(id=places.id.tolist(), lon=places.lon, lat=places.lat)
    asked = {}
    objective = {}
    for name, most in (("all", module._MOST), ("near", 1)):
        monkeypatch.setattr(module, "_MOST", most)
        travel = Lazy()
        found = design_territories(customers, n_territories=12, balance={"count": 0.1}, travel=travel, rng=1)
        asked[name], objective[name] = travel.legs / len(customers), found.objective
        assert check_alignment(found, travel=Streets()).ok
        # the objective is the source's
        label, center = found.territory_idx, found.rules.center_idx
        at = places.take(center[label])
        there, back = (Streets().pairs(a, b).durations_s for a, b in ((places, at), (at, places)))
        assert found.objective == pytest.approx(0.5 * (there + back).mean())
        assert (found.bound > 0) == (name == "all")
    assert asked["near"] < 70
    assert asked["near"] < 0.5 * asked["all"]
    assert objective["near"] < 1.05 * objective["all"]


def test_a_large_design_by_a_matrix_is_right_and_claims_no_bound(monkeypatch):
    rng = np.random.default_rng(0)
    n = 160
    customers = Customers(id=[f"c{i}" for i in range(n)], lon=10 + rng.random(n), lat=50 + rng.random(n))
    places = customers.places()
    near = GreatCircle().nearest(places, places, 12).to_sparse()
    ask = {"n_territories": 5, "balance": {"count": 0.1}, "travel": near, "rng": 0}
    small = design_territories(customers, **ask)
    monkeypatch.setattr(given_legs, "_LARGE", 0)
    large = design_territories(customers, **ask)
    assert check_alignment(large, travel=near).ok
    assert small.bound > 0
    assert large.bound == 0
    assert large.objective <= 1.25 * small.objective
