"""Lagrangian bounds: knapsacks and boxes against linear programs, validity at any prices, brute force, quality."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from territory.design.lagrange import free_center_bound, free_center_dual
from territory.design.lagrange_boxes import least_values
from territory.design.lagrange_kernels import priced
from territory.design.lagrange_units import common_band, unit_center_bound, unit_center_dual, unit_values
from territory.design.power import power_design

SEEDS = st.integers(0, 10**6)


def squares(x, y):
    return ((x[:, None] - y[None]) ** 2).sum(axis=2)


def middle_cost(x, w, label):
    """The weighted squared distance to the territories' own weighted middles."""
    total = 0.0
    for c in np.unique(label):
        mine, mass = label == c, w[label == c].sum()
        if mass > 0:
            middle = w[mine] @ x[mine] / mass
            total += w[mine] @ ((x[mine] - middle) ** 2).sum(axis=1)
    return total


def alignments(n, k, load, lower, upper):
    """All labels within the bands, with every territory held by somebody unless it may be empty."""
    for label in itertools.product(range(k), repeat=n):
        at = np.array(label)
        held = np.bincount(at, load, k)
        if (held >= lower - 1e-9).all() and (held <= upper + 1e-9).all():
            yield at


def small(seed, n, k, slack):
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 4))
    x = rng.normal(size=(n, d))
    if rng.random() < 0.2:
        x = np.round(x)
    w, load = rng.lognormal(0, 0.7, n), rng.lognormal(0, 0.7, n)
    kind = rng.integers(4)
    if kind == 0:
        load = w
    elif kind == 1:
        w[rng.random(n) < 0.3] = 0.0
    elif kind == 2:
        load[rng.random(n) < 0.3] = 0.0
    mean = load.sum() / k
    return x, w, load, max(0.0, (1 - slack) * mean), (1 + slack) * mean, rng


def knapsack(net, load, low, high):
    """The least of net . s within the band, by an independent solver; inf where there is none."""
    found = linprog(net, A_ub=[load, -load], b_ub=[high, -low], bounds=(0, 1), method="highs")
    return found.fun if found.status == 0 else np.inf


@settings(max_examples=60)
@given(seed=SEEDS, n=st.integers(1, 12), slack=st.sampled_from([0.0, 0.1, 0.7]))
def test_knapsack(seed, n, slack):
    x, w, load, low, high, rng = small(seed, n, 2, slack)
    at = rng.normal(size=(3, x.shape[1]))
    cost = squares(at, x) * w
    u = rng.normal(size=n) * 2
    own = np.array([-1, -1, 0], dtype=np.int32)
    item = np.tile(np.arange(n, dtype=np.int32), (3, 1))
    value, end, part, lifted = (np.zeros(3) for _ in range(4))
    priced(
        cost, item, load, w, u, np.empty((n, 0)), np.empty((3, 0)), own, low, high, np.arange(3),
        value, end, part, lifted,
    )  # fmt: skip
    for c in range(2):
        assert value[c] == pytest.approx(knapsack(cost[c] - u, load, low, high), rel=1e-7, abs=1e-7)
    rest = knapsack((cost[2] - u)[1:], load[1:], low - load[0], high - load[0]) if n > 1 and load[0] <= high else None
    if rest is not None:
        assert value[2] == pytest.approx(-u[0] + rest, rel=1e-7, abs=1e-7)


@settings(max_examples=40)
@given(seed=SEEDS, n=st.integers(2, 15), slack=st.sampled_from([0.0, 0.1, 0.7]), boxes=st.integers(0, 400))
def test_no_centre_is_below_the_boxes(seed, n, slack, boxes):
    x, w, load, low, high, rng = small(seed, n, 3, slack)
    u = rng.lognormal(0, 1, n) * w * rng.choice([0.1, 1.0, 10.0])
    d = x.shape[1]
    middle, half = 0.5 * (x.min(axis=0) + x.max(axis=0))[None], 0.5 * np.ptp(x, axis=0)[None]
    found = np.empty((5, d + 1))
    bound, least, made = least_values(
        x, w, load, u, low, high, middle, half, np.inf, 1e-3, boxes, 0.1, 0.1, found
    )  # fmt: skip
    assert made <= boxes + 2
    if np.isinf(least):
        assert np.isinf(knapsack(w - u, load, low, high))
        return
    assert bound <= least
    for _ in range(15):
        c = middle[0] + half[0] * rng.uniform(-1, 1, d)
        exact = knapsack(w * squares(x, c[None])[:, 0] - u, load, low, high)
        assert exact >= bound - 1e-7 * (1 + abs(bound))
    if boxes == 400 and made < 400:
        assert bound >= least - 1.1e-3
    for row in found[np.isfinite(found[:, -1])]:
        exact = knapsack(w * squares(x, row[None, :-1])[:, 0] - u, load, low, high)
        assert row[-1] == pytest.approx(exact, rel=1e-7, abs=1e-7)


def test_given_boxes_only():
    """Of two boxes the union counts, and nothing outside."""
    x = np.array([[0.0], [1.0], [2.0], [3.0]])
    w = np.ones(4)
    u = np.array([0.1, 0.1, 0.1, 5.0])
    at = np.array([[0.25], [1.25]])
    bound, least, _ = least_values(
        x, w, w, u, 1.0, 1.0, at, np.full((2, 1), 0.25), np.inf, 1e-6, 5000, 0.0, 0.1, np.empty((1, 2))
    )  # fmt: skip
    assert least == pytest.approx((3 - 1.5) ** 2 - 5.0, abs=1e-2)
    assert bound == pytest.approx(least, abs=1e-5)


@settings(max_examples=25)
@given(seed=SEEDS, n=st.integers(2, 7), k=st.integers(1, 3), slack=st.sampled_from([0.15, 0.4, 1.0]))
def test_free_centres_by_brute_force(seed, n, k, slack):
    k = min(k, n)
    x, w, load, low, high, _ = small(seed, n, k, slack)
    best = min((middle_cost(x, w, a) for a in alignments(n, k, load, low, high)), default=np.inf)
    bound = free_center_bound(x, w, low, high, k=k, load=load, rounds=40)
    assert bound <= best * (1 + 1e-9)
    assert bound >= 0.0


@settings(max_examples=25)
@given(seed=SEEDS, n=st.integers(2, 6), k=st.integers(1, 3), slack=st.sampled_from([0.15, 0.4, 1.0]))
def test_any_prices_prove_what_they_say(seed, n, k, slack):
    """Random prices, free centres and units: never above the best alignment."""
    k = min(k, n)
    x, w, load, low, high, rng = small(seed, n, k, slack)
    u = rng.normal(size=n) + rng.random() * 3
    free, hess = np.inf, np.inf
    cost = w[:, None] * squares(x, x)
    for a in alignments(n, k, load, low, high):
        free = min(free, middle_cost(x, w, a))
        if len(np.unique(a)) == k:
            hess = min(hess, sum(cost[np.ix_(a == c, a == c)].sum(axis=0).min() for c in range(k)))
    middle, half = 0.5 * (x.min(axis=0) + x.max(axis=0))[None], 0.5 * np.ptp(x, axis=0)[None]
    band = common_band(load, low, high, k)
    bound, _, _ = least_values(
        x, w, load, u, *band, middle, half, np.inf, 1e-3, 500, 0.0, 0.1, np.empty((1, x.shape[1] + 1))
    )  # fmt: skip
    assert u.sum() + k * bound <= free * (1 + 1e-9) + 1e-9
    own = np.arange(n, dtype=np.int32)
    assert unit_values(cost.T, load, u, *band, k, own).bound <= hess * (1 + 1e-9) + 1e-9
    assert unit_center_bound(cost, load, low, high, k=k, rounds=50) <= hess * (1 + 1e-9) + 1e-9


def test_free_bound_is_near_a_good_alignment():
    rng = np.random.default_rng(4)
    x, w = rng.random((150, 2)), rng.lognormal(0, 0.8, 150)
    k, mean = 4, w.sum() / 4
    design = power_design(x, w, np.full(k, 0.95 * mean), np.full(k, 1.05 * mean), rng=0)
    assert not design.excess.any()
    best = middle_cost(x, w, design.label)
    dual = free_center_dual(x, w, 0.95 * mean, 1.05 * mean, k=k, label=design.label)
    assert 0.95 * best < dual.bound <= best
    assert dual.within <= 2e-3 * best
    # what it says does not depend on where the places are, in what unit, in which order, or what loads count in
    order = rng.permutation(150)
    band = 0.95 * mean, 1.05 * mean
    once = free_center_bound(x, w, *band, k=k, label=design.label, rounds=100)
    for other, scale in (
        (free_center_bound(x * 1e3 + 5e4, w, *band, k=k, label=design.label, rounds=100), 1e6),
        (free_center_bound(x[order], w[order], *band, k=k, label=design.label[order], rounds=100), 1.0),
        (free_center_bound(x, 3 * w, *band, load=w, k=k, label=design.label, rounds=100), 3.0),
    ):
        assert other / scale == pytest.approx(once, rel=1e-2)


def test_places_on_the_sphere():
    """In chord space the bound holds for centres anywhere in the ball."""
    rng = np.random.default_rng(5)
    lon, lat = np.radians(rng.uniform(5, 15, 120)), np.radians(rng.uniform(45, 52, 120))
    x = 6371e3 * np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    w, k = np.ones(120), 3
    design = power_design(x, w, np.full(k, 38.0), np.full(k, 42.0), rng=0)
    best = middle_cost(x, w, design.label)
    assert 0.95 * best < free_center_bound(x, w, 38.0, 42.0, k=k, label=design.label) <= best


def test_unit_bound_of_costs_as_one_likes():
    rng = np.random.default_rng(6)
    cost = rng.random((12, 9))
    cost[rng.random((12, 9)) < 0.2] = np.inf
    load = rng.integers(1, 5, 12).astype(float)
    dual = unit_center_dual(cost, load, 8.0, 15.0, k=3, own=False)
    best = np.inf
    for centers in itertools.combinations(range(9), 3):
        part = cost[:, centers].ravel()
        usable = np.isfinite(part)
        found = linprog(
            np.where(usable, part, 0.0), A_eq=np.kron(np.eye(12), np.ones(3)), b_eq=np.ones(12),
            A_ub=np.concatenate([np.kron(load, np.eye(3)), -np.kron(load, np.eye(3))]),
            b_ub=np.r_[np.full(3, 15.0), np.full(3, -8.0)],
            bounds=np.stack([np.zeros(36), usable.astype(float)], axis=1), method="highs",
        )  # fmt: skip
        best = min(best, found.fun if found.status == 0 else np.inf)
    assert 0.8 * best < dual.bound <= best * (1 + 1e-9)


@pytest.mark.parametrize("places", [np.zeros((5, 2)), np.arange(5.0)[:, None] * np.ones((1, 3))])
def test_places_in_one_spot_or_on_a_line(places):
    bound = free_center_bound(places, np.ones(5), 2.0, 3.0, k=2)
    best = min(middle_cost(places, np.ones(5), a) for a in alignments(5, 2, np.ones(5), 2.0, 3.0))
    assert 0.0 <= bound <= best + 1e-9


def test_deadline():
    rng = np.random.default_rng(7)
    x, w = rng.random((400, 2)), np.ones(400)
    cost = squares(x, x)
    began = time.monotonic()
    free = free_center_bound(x, w, 45.0, 55.0, k=8, deadline=began, label=np.arange(400) % 8)
    unit = unit_center_bound(cost, w, 45.0, 55.0, k=8, deadline=began)
    assert time.monotonic() - began < 10.0
    design = power_design(x, w, np.full(8, 45.0), np.full(8, 55.0), rng=0)
    assert free <= middle_cost(x, w, design.label)
    assert np.isfinite(unit)
