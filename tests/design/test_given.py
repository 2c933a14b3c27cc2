"""Territories at given costs: brute force, a river with one bridge, islands, homes, and what must not matter."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from territory.design.anneal_search import polish
from territory.design.given import given_bound, given_cost, given_design, given_recentred, local_costs
from territory.design.metric import read_metric
from territory.design.moves_problem import Graph, LocalProblem
from territory.design.power import power_design
from territory.design.problem import on_sphere
from territory.geo.sphere import EARTH_RADIUS_M
from territory.model.places import PlaceKind, Places
from territory.testing import ascii_map, assert_drawn
from territory.travel import GreatCircle, MatrixTravel


def places_of(n, rng, *, prefix="c", kind=PlaceKind.CUSTOMER):
    return Places.of(kind, [f"{prefix}{i}" for i in range(n)], rng.uniform(8, 12, n), rng.uniform(48, 52, n))


def matrix_metric(seconds, places, homes=None):
    ids = {"customer_ids": places.id.tolist()} | ({} if homes is None else {"rep_ids": homes.id.tolist()})
    return read_metric(MatrixTravel(seconds, **ids), places, homes)


def mean_of_both(seconds):
    return 0.5 * (seconds + seconds.T)


def bands(weight, k, tolerance):
    return np.full(k, weight.sum() / k * (1 - tolerance)), np.full(k, weight.sum() / k * (1 + tolerance))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(3, 8), k=st.integers(1, 3), euclid=st.booleans())
def test_brute_force(seed, n, k, euclid):
    rng = np.random.default_rng(seed)
    places = places_of(n, rng)
    seconds = rng.integers(1, 1000, (n, n)).astype(float)
    if euclid:
        seconds = np.ceil(GreatCircle().matrix(places, places).durations_s * rng.uniform(1, 1.2, (n, n)))
    np.fill_diagonal(seconds, 0.0)
    cost, weight = mean_of_both(seconds), rng.integers(1, 4, n).astype(float)
    lower, upper = bands(weight, k, 0.6)
    metric = matrix_metric(seconds, places)
    found = given_design(metric, weight, lower, upper, starts=2)
    label = np.array(list(itertools.product(range(k), repeat=n)))
    load = np.stack([(label == j) @ weight for j in range(k)], axis=1)
    kept = label[((load >= lower - 1e-9) & (load <= upper + 1e-9)).all(axis=1)]
    if len(kept) == 0:
        assert found.excess.any() or not found.feasible
        return
    at_found = min((weight * cost[found.center[a], np.arange(n)]).sum() for a in kept)
    assert found.feasible
    assert found.bound <= at_found * (1 + 1e-9)
    assert given_bound(metric, weight, lower, upper, found.center) == pytest.approx(found.bound, abs=1e-6)
    if not found.excess.any():
        assert found.label.tolist() in kept.tolist()
        assert found.cost == pytest.approx((weight * cost[found.center[found.label], np.arange(n)]).sum())
        best = min((weight * cost[np.array(c)[a], np.arange(n)]).sum()
                   for c in itertools.combinations(range(n), k) for a in kept)  # fmt: skip
        assert at_found >= best - 1e-9
        # every centre is the best of its territory
        for j in range(k):
            mine = np.flatnonzero(found.label == j)
            if mine.size:
                here = cost[:, mine] @ weight[mine]
                assert here[found.center[j]] <= here[mine].min() + 1e-9


def legs_of(picture, seconds=60.0):
    edges, n = picture.graph("rook").edges, len(picture.customers)
    return csr_array((np.full(len(edges), seconds), (edges[:, 0], edges[:, 1])), shape=(n, n))


RIVER = """
    AAAAAAAAAA
    AAAAAAAAAA
    #########A
    BBBBBBBBBB
    BBBBBBBBBB
"""


def test_a_river_with_one_bridge():
    picture = ascii_map(RIVER)
    places = picture.customers.places()
    weight = np.ones(len(places))
    band = bands(weight, 2, 0.03)
    # birds halve the map across the river
    flown = power_design(on_sphere(places.lon, places.lat), weight, *band, radius=EARTH_RADIUS_M).label
    banks = picture.expected
    assert min((flown[banks == 0] == 0).mean(), (flown[banks == 0] == 1).mean()) > 0.3
    driven = given_design(read_metric(legs_of(picture), places), weight, *band)
    assert_drawn(driven.label, picture)
    assert driven.bound <= driven.cost
    assert driven.cost < given_cost_of(picture, flown, weight)


def given_cost_of(picture, label, weight):
    """The least that territories cost on the map's legs, whoever their centres are."""
    metric = read_metric(legs_of(picture), picture.customers.places())
    who = np.arange(len(weight), dtype=np.int32)
    seconds = metric.between(who, who)
    return sum((seconds[:, label == j] @ weight[label == j]).min() for j in range(2))


def test_islands_get_territories_by_their_weight():
    picture = ascii_map("AAAAAABBBBBB#CCCCCC")
    found = given_design(
        read_metric(legs_of(picture), picture.customers.places()), np.ones(18), *bands(np.ones(18), 3, 0.0)
    )
    assert_drawn(found.label, picture)
    assert found.unreached.size == 0
    # six in a row: 2 + 1 + 0 + 1 + 2 + 3 steps
    assert found.cost == pytest.approx(3 * 9 * 60.0)
    assert found.bound == pytest.approx(found.cost)


def test_who_reaches_no_center_is_named():
    picture = ascii_map("AAAABBBB#.")
    metric = read_metric(legs_of(picture), picture.customers.places())
    found = given_design(metric, np.ones(9), np.full(2, 3.0), np.full(2, 5.0))
    assert_drawn(found.label[:8], ascii_map("AAAABBBB"))
    assert found.label[8] == -1
    assert found.unreached.tolist() == [8]
    assert found.feasible
    # without him the band cannot be kept
    assert not given_design(metric, np.ones(9), np.full(2, 4.5), np.full(2, 4.5)).feasible


def test_a_center_is_looked_for_that_reaches_everybody():
    rng = np.random.default_rng(2)
    places = places_of(30, rng)
    seconds = GreatCircle().matrix(places, places).durations_s.astype(float)
    # customer 7 is at the end of a road that begins at 11
    gone = np.setdiff1d(np.arange(30), [7, 11])
    seconds[7, gone] = seconds[gone, 7] = np.inf
    found = given_design(matrix_metric(seconds, places), np.ones(30), np.full(2, 5.0), np.full(2, 25.0))
    assert found.unreached.size == 0
    assert 11 in found.center.tolist() or 7 in found.center.tolist()
    assert np.isfinite(found.cost)


def test_one_way_streets_count_by_their_mean_and_dead_ends_not_at_all():
    rng = np.random.default_rng(4)
    places = places_of(40, rng)
    seconds = rng.integers(60, 4000, (40, 40)).astype(float)
    np.fill_diagonal(seconds, 0.0)
    seconds[rng.random((40, 40)) < 0.1] = np.inf
    np.fill_diagonal(seconds, 0.0)
    weight = rng.uniform(1, 2, 40)
    found = given_design(matrix_metric(seconds, places), weight, *bands(weight, 4, 0.5))
    cost = mean_of_both(seconds)[found.center[found.label], np.arange(40)]
    assert np.isfinite(cost[found.label >= 0]).all()
    assert found.cost == pytest.approx((weight * cost)[found.label >= 0].sum())


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), power=st.sampled_from([-10, 0, 20]))
def test_neither_order_nor_unit_of_weight_matters(seed, power):
    rng = np.random.default_rng(seed)
    places, weight = places_of(60, rng), rng.uniform(1, 3, 60)
    seconds = np.ceil(rng.uniform(900, 1100, (60, 60)) * GreatCircle().matrix(places, places).durations_s)
    np.fill_diagonal(seconds, 0.0)
    metric = matrix_metric(seconds, places)
    one = given_design(metric, weight, *bands(weight, 4, 0.2), starts=1)
    # powers of two round nothing
    again = given_design(metric, 2.0**power * weight, *bands(2.0**power * weight, 4, 0.2), starts=1)
    assert again.label.tolist() == one.label.tolist()
    assert again.bound == 2.0**power * one.bound
    # whole customers depend on who comes first (the caller's order is canonical); what is proven does not
    turn = rng.permutation(60)
    turned = matrix_metric(seconds[np.ix_(turn, turn)], places.take(turn))
    center = np.argsort(turn)[one.center].astype(np.int32)
    bound = given_bound(turned, weight[turn], *bands(weight, 4, 0.2), center)
    assert bound == pytest.approx(one.bound, rel=1e-9)
    assert given_cost(turned, weight[turn], one.label[turn], center) == pytest.approx(one.cost, rel=1e-12)


def test_homes_are_centers_or_draw_them():
    rng = np.random.default_rng(6)
    places, homes = places_of(200, rng), places_of(4, rng, prefix="r", kind=PlaceKind.REP)
    weight = rng.uniform(1, 2, 200)
    metric, at = read_metric(GreatCircle(), places, homes), np.arange(200, 204, dtype=np.int32)
    stay = given_design(metric, weight, *bands(weight, 4, 0.1), homes=at, pull=1.0)
    assert stay.center.tolist() == at.tolist()
    seconds = GreatCircle().matrix(homes, places).durations_s
    assert stay.cost == pytest.approx(weight @ seconds[stay.label, np.arange(200)])
    assert not stay.excess.any()
    assert stay.bound <= stay.cost <= 1.02 * stay.bound
    away = {}
    for pull in (0.0, 1 / 3, 0.8):
        found = given_design(metric, weight, *bands(weight, 4, 0.1), homes=at, pull=pull)
        away[pull] = float(np.diagonal(metric.between(at, found.center)).sum())
        assert (found.center < 200).all()
    assert away[0.8] < away[1 / 3] < away[0.0]


def test_only_where_they_may_go():
    rng = np.random.default_rng(7)
    places, weight = places_of(300, rng), rng.uniform(1, 2, 300)
    eligible = np.ones((300, 5), dtype=bool)
    # the west is locked to the last territory, the east to the first
    eligible[places.lon < 8.6] = np.arange(5) == 4
    eligible[places.lon > 11.4] = np.arange(5) == 0
    found = given_design(read_metric(GreatCircle(), places), weight, *bands(weight, 5, 0.1), eligible=eligible)
    assert eligible[np.arange(300), found.label].all()
    assert not found.excess.any()
    assert places.lon[found.center[4]] < 9.5
    assert places.lon[found.center[0]] > 10.5


def test_no_weight_at_all_and_too_tight_a_band():
    rng = np.random.default_rng(8)
    metric = read_metric(GreatCircle(), places_of(30, rng))
    found = given_design(metric, np.zeros(30), np.zeros(3), np.full(3, 30.0))
    assert sorted(set(found.label.tolist())) == [0, 1, 2]
    assert not given_design(metric, np.ones(30), np.full(3, 11.0), np.full(3, 12.0)).feasible
    assert given_bound(metric, np.ones(30), np.full(3, 11.0), np.full(3, 12.0), found.center) == 0.0


def test_same_spot_and_as_many_territories_as_customers():
    here = Places.of(PlaceKind.CUSTOMER, ["a", "b", "c", "d"], [9.0] * 4, [50.0] * 4)
    found = given_design(read_metric(GreatCircle(), here), np.ones(4), np.ones(2), np.full(2, 3.0))
    assert found.cost == 0.0
    assert found.bound == 0.0
    assert sorted(np.bincount(found.label, minlength=2).tolist()) in ([1, 3], [2, 2])
    apart = places_of(5, np.random.default_rng(0))
    alone = given_design(read_metric(GreatCircle(), apart), np.ones(5), np.ones(5), np.ones(5))
    assert sorted(alone.label.tolist()) == list(range(5))
    assert alone.cost == 0.0


def test_a_deadline_that_has_passed_still_gives_territories():
    rng = np.random.default_rng(9)
    metric, weight = read_metric(GreatCircle(), places_of(500, rng)), rng.uniform(1, 2, 500)
    found = given_design(metric, weight, *bands(weight, 5, 0.1), deadline=time.monotonic())
    assert not found.excess.any()
    assert 0 < found.bound <= found.cost


def test_the_local_search_goes_on_from_there():
    rng = np.random.default_rng(10)
    places, weight, other = places_of(300, rng), rng.uniform(1, 2, 300), rng.uniform(1, 2, 300)
    metric, xyz = read_metric(GreatCircle(), places), on_sphere(places.lon, places.lat)
    measures = np.stack([weight, other], axis=1)
    target = np.tile(measures.sum(axis=0) / 6, (6, 1))
    found = given_design(metric, weight, 0.95 * target[:, 0], 1.05 * target[:, 0])
    costs, may = local_costs(metric, weight, found.center)
    assert may is None
    assert costs[np.arange(300), found.label].sum() == pytest.approx(found.cost)
    near = [(i, int(j)) for i in range(300) for j in np.argsort(((xyz - xyz[i]) ** 2).sum(axis=1))[1:8]]
    local = LocalProblem(
        points=xyz, measures=measures, lower=0.95 * target, upper=1.05 * target, target=target, objective="fixed",
        near=Graph.of_edges(near, 300), weight=weight, given=costs,
    )  # fmt: skip
    done = polish(local, found.label, iterations=30_000, deadline=np.inf, seed=0)
    load = np.stack([np.bincount(done.label, column, 6) for column in measures.T], axis=1)
    assert (np.abs(load / target - 1) <= 0.05 + 1e-9).all()
    center = given_recentred(metric, weight, done.label, found.center)
    cost = given_cost(metric, weight, done.label, center)
    assert cost <= done.objective + 1e-6
    assert given_bound(metric, weight, 0.95 * target[:, 0], 1.05 * target[:, 0], center) <= cost


def test_what_cannot_be_reached_is_forbidden_to_the_local_search():
    metric = read_metric(legs_of(ascii_map("AAA#BBB")), ascii_map("AAA#BBB").customers.places())
    costs, may = local_costs(metric, np.ones(6), np.array([1, 4], dtype=np.int32))
    assert np.isfinite(costs).all()
    assert may.tolist() == [[True, False]] * 3 + [[False, True]] * 3
