"""Distances to centres anywhere: medians on the sphere, and territories of least distance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from territory.design.given import given_cost, given_design
from territory.design.given_metric import Anchor
from territory.design.given_points import PointDistances
from territory.design.power import power_design
from territory.design.problem import on_sphere
from territory.geo.sphere import EARTH_RADIUS_M, from_unit_vectors, great_circle_m


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 30), spread=st.sampled_from([0.01, 1.0, 10.0]))
def test_the_median_is_the_best_place(seed, n, spread):
    rng = np.random.default_rng(seed)
    lon, lat, w = 179.0 + spread * rng.normal(size=n), 60.0 + spread * rng.normal(size=n), rng.lognormal(size=n)
    metric = PointDistances(on_sphere(lon, lat))
    label = np.zeros(n, dtype=np.int32)
    center = on_sphere(np.array([179.0 + spread]), np.array([60.0]))
    for _ in range(3):
        center = metric.recentred(label, center, w, metric.own(label, center), None, 1)
    at = from_unit_vectors(center)

    def cost(p):
        return float(w @ great_circle_m(lon, lat, p[0], p[1]))

    best = min((minimize(cost, s, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": 2000}).fun
                for s in ([lon.mean(), lat.mean()], [lon[0], lat[0]])), default=0.0)  # fmt: skip
    best = min(best, *(cost([a, b]) for a, b in zip(lon, lat, strict=True)))
    assert given_cost(metric, w, label, center) == pytest.approx(cost([at[0][0], at[1][0]]), abs=1e-3 * w.sum())
    assert cost([at[0][0], at[1][0]]) <= best * (1 + 1e-4) + 1e-3 * w.sum()


def test_whoever_outweighs_the_others_holds_the_center():
    xyz = on_sphere(np.array([10.0, 11.0, 10.0, 9.5]), np.array([50.0, 50.0, 51.0, 49.0]))
    metric, w = PointDistances(xyz), np.array([4.0, 1.0, 1.0, 1.0])
    label = np.zeros(4, dtype=np.int32)
    for begin in (xyz[:1], xyz[1:2], xyz[3:]):
        found = metric.recentred(label, begin, w, metric.own(label, begin), None, 1)
        assert np.linalg.norm(found - xyz[0]) < 50.0
    # a home draws it: with more weight than all, to itself
    drawn = metric.recentred(label, xyz[:1], w, metric.own(label, xyz[:1]), Anchor(xyz[1:2], np.array([20.0])), 1)
    assert np.linalg.norm(drawn - xyz[1]) < 50.0


def test_least_distance_is_less_than_with_least_squares():
    rng = np.random.default_rng(0)
    lon, lat, w = rng.uniform(8, 12, 1500), rng.uniform(48, 52, 1500), rng.lognormal(size=1500)
    xyz = on_sphere(lon, lat)
    metric = PointDistances(xyz)
    # more centres than are listed for each customer
    lower, upper = np.full(50, w.sum() / 50 * 0.8), np.full(50, w.sum() / 50 * 1.2)
    squares = power_design(xyz, w, lower, upper, radius=EARTH_RADIUS_M)
    middles = metric.recentred(squares.label, squares.center, w, metric.own(squares.label, squares.center), None, 1)
    found = given_design(metric, w, lower, upper, center=middles)
    assert not found.excess.any()
    assert found.bound <= found.cost <= 1.02 * found.bound
    assert found.cost < given_cost(metric, w, squares.label, middles)
    assert np.linalg.norm(found.center, axis=1) == pytest.approx(np.full(50, EARTH_RADIUS_M))
    # the cost is what anybody would add up
    at = from_unit_vectors(found.center)
    by_hand = w @ great_circle_m(lon, lat, at[0][found.label], at[1][found.label])
    assert found.cost == pytest.approx(by_hand, rel=1e-9)


def test_eligible_and_few_listed():
    rng = np.random.default_rng(1)
    lon, lat, w = rng.uniform(8, 12, 800), rng.uniform(48, 52, 800), np.ones(800)
    eligible = np.ones((800, 40), dtype=bool)
    eligible[:30] = rng.random((30, 40)) < 0.1
    eligible[np.arange(30), rng.integers(0, 40, 30)] = True
    found = given_design(
        PointDistances(on_sphere(lon, lat)), w, np.full(40, 15.0), np.full(40, 25.0), eligible=eligible
    )  # fmt: skip
    assert eligible[np.arange(800), found.label].all()
    assert not found.excess.any()
