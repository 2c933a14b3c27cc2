"""Ways over known legs against scipy's; and sparse legs that say the same as a whole matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from territory.design.given import given_design
from territory.design.given_legs import SparseLegs
from territory.design.metric import read_metric
from territory.design.problem import on_sphere
from territory.model.places import PlaceKind, Places
from territory.testing import ascii_map
from territory.travel import MatrixTravel


def random_graph(seed, n, *, density=0.15, zeros=True):
    rng = np.random.default_rng(seed)
    low, high = np.nonzero(np.triu(rng.random((n, n)) < density, 1))
    seconds = rng.integers(0 if zeros else 1, 900, len(low)).astype(float)
    graph = csr_array((np.r_[seconds, seconds], (np.r_[low, high], np.r_[high, low])), shape=(n, n))
    return graph, on_sphere(rng.uniform(8, 12, n), rng.uniform(48, 52, n)), rng


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 40), density=st.sampled_from([0.02, 0.1, 0.5]))
def test_ways_are_the_shortest(seed, n, density):
    graph, xyz, rng = random_graph(seed, n, density=density)
    legs = SparseLegs(graph, xyz, n)
    truth = dijkstra(graph)
    a, b = rng.integers(0, n, 5).astype(np.int32), rng.permutation(n)[: 1 + n // 2].astype(np.int32)
    assert legs.between(a, b) == pytest.approx(truth[np.ix_(a, b)])
    center = rng.integers(0, n, 6).astype(np.int32)
    label = rng.integers(-1, 6, n).astype(np.int32)
    own = np.where(label >= 0, truth[center[label], np.arange(n)], 0.0)
    assert legs.own(label, center) == pytest.approx(own)
    # sums are right, but for those whom an earlier one beats
    mass = rng.random(len(b))
    summed = legs.totals(a, b, mass, np.zeros(5))
    right = truth[np.ix_(a, b)] @ mass
    assert summed.min() == pytest.approx(right.min())
    told = np.isfinite(summed)
    assert summed[told] == pytest.approx(right[told])
    assert told.any() == np.isfinite(right).any()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 40), k=st.integers(1, 20), density=st.sampled_from([0.05, 0.3]))
def test_lists_hold_the_best_priced_centers(seed, n, k, density):
    graph, xyz, rng = random_graph(seed, n, density=density)
    legs = SparseLegs(graph, xyz, n)
    center, price = rng.integers(0, n, k).astype(np.int32), np.round(rng.normal(size=k) * 200)
    may = rng.random((n, k)) < 0.7
    truth = dijkstra(graph)[center].T
    for eligible in (None, may):
        lists = legs.lists(center, price, eligible)
        assert np.diff(lists.start).max() <= 8
        for i in range(n):
            listed = lists.to[lists.start[i] : lists.start[i + 1]]
            assert (np.diff(listed) > 0).all()
            assert lists.cost[lists.start[i] : lists.start[i + 1]] == pytest.approx(truth[i, listed])
            others = np.setdiff1d(np.arange(k) if eligible is None else np.flatnonzero(may[i]), listed)
            assert (truth[i, others] + price[others] >= lists.rest[i] - 1e-9).all()


def test_recentring_never_costs_more_and_ends_at_the_median():
    graph, xyz, rng = random_graph(1, 60, density=0.1)
    legs, weight = SparseLegs(graph, xyz, 60), rng.random(60)
    truth = dijkstra(graph)
    label = (np.arange(60) % 3).astype(np.int32)
    center = np.array([0, 1, 2], dtype=np.int32)
    found = legs.recentred(label, center, weight, legs.own(label, center), None, 1)
    for j in range(3):
        mine = np.flatnonzero(label == j)
        # territories this small are looked at whole
        total = truth[np.ix_(mine, mine)] @ weight[mine]
        assert truth[found[j], mine] @ weight[mine] == pytest.approx(total.min())


def grid(side):
    picture = ascii_map("\n".join("." * side for _ in range(side)))
    places = picture.customers.places()
    edges = picture.graph("rook").edges
    return places, csr_array((np.full(len(edges), 60.0), (edges[:, 0], edges[:, 1])), shape=(side**2, side**2))


def test_legs_of_a_grid_say_the_same_as_the_whole_matrix():
    places, graph = grid(12)
    n = len(places)
    whole = MatrixTravel(dijkstra(graph, directed=False), customer_ids=places.id.tolist())
    sparse, dense = read_metric(graph, places), read_metric(whole, places)
    who = np.arange(n, dtype=np.int32)
    assert (sparse.between(who[:20], who) == dense.between(who[:20], who)).all()
    weight = np.random.default_rng(0).uniform(1, 2, n)
    band = (np.full(6, weight.sum() / 6 * 0.9), np.full(6, weight.sum() / 6 * 1.1))
    one, other = (given_design(metric, weight, *band) for metric in (sparse, dense))
    assert one.label.tolist() == other.label.tolist()
    assert one.center.tolist() == other.center.tolist()
    assert one.cost == pytest.approx(other.cost)
    assert one.bound == pytest.approx(other.bound)


def test_nearest_neighbours_are_enough_when_they_are_many():
    rng = np.random.default_rng(0)
    n = 120
    xy = rng.random((n, 2))
    truth = np.ceil(np.linalg.norm(xy[:, None] - xy[None], axis=2) * 3600)
    places = Places.of(PlaceKind.CUSTOMER, [f"c{i}" for i in range(n)], xy[:, 0], xy[:, 1])
    dense = read_metric(MatrixTravel(truth, customer_ids=places.id.tolist()), places)
    gaps = {}
    for nearest in (6, 20, n):
        near = np.argsort(truth, axis=1, kind="stable")[:, 1:nearest]
        row = np.repeat(np.arange(n), near.shape[1])
        graph = csr_array((truth[row, near.ravel()], (row, near.ravel())), shape=(n, n))
        sparse = read_metric(graph, places)
        who = np.arange(n, dtype=np.int32)
        gaps[nearest] = float(np.abs(sparse.between(who, who) - dense.between(who, who)).mean())
    assert gaps[n] == pytest.approx(0.0, abs=1.0)
    assert gaps[n] <= gaps[20] < gaps[6]
