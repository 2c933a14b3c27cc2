"""Bounds of the benchmarks never exceed what brute force finds, and refute what is too good."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from benchmarks.instances.districts import Clusters, Districts

from benchmarks import proofs


def _clusters(seed, demand):
    rng = np.random.default_rng(seed)
    xy = rng.random((7, 2))
    weights = np.ones(7) if demand == "same" else rng.integers(1, 5, 7).astype(float)
    return Clusters(xy, weights, float(np.ceil(weights.sum() / 2 * 1.2)), 2, whole=False)


def _best(clusters):
    """Return the least sum of distances to centroids."""
    best = np.inf
    for label in product(range(clusters.p), repeat=len(clusters.xy)):
        total = 0.0
        for c in range(clusters.p):
            mine = np.array(label) == c
            if clusters.demand[mine].sum() > clusters.capacity:
                break
            if mine.any():
                total += np.linalg.norm(clusters.xy[mine] - clusters.xy[mine].mean(axis=0), axis=1).sum()
        else:
            best = min(best, total)
    return best


@pytest.mark.parametrize("demand", ["same", "different"])
@pytest.mark.parametrize("seed", range(3))
def test_clusters_cost_no_less_than_what_is_proven(seed, demand):
    clusters = _clusters(seed, demand)
    best = _best(clusters)
    price = proofs.prices(clusters, best, rounds=200)
    assert proofs.proven(clusters, price, 0.7 * best)
    assert not proofs.proven(clusters, price, 1.01 * best, boxes=2000)


def test_the_gain_of_a_place_is_that_of_the_best_points():
    clusters = _clusters(1, "same")
    clusters = Clusters(clusters.xy, clusters.demand, 3.0, 2, whole=False)
    far, price = np.random.default_rng(0).random((5, 7)), np.full(7, 0.5)
    gain = proofs.gains(far, price, clusters)
    least = [sum(sorted(np.minimum(row - 0.5, 0.0))[:3]) for row in far]
    assert gain == pytest.approx(least)


def _districts(seed):
    rng = np.random.default_rng(seed)
    n = 9
    xy = np.stack(np.divmod(np.arange(n), 3), axis=1) + rng.random((n, 2)) * 0.8
    # a path to and fro: neighbours by place need not be in one district
    snake = [0, 1, 2, 5, 4, 3, 6, 7, 8]
    edges = list(pairwise(snake))
    return Districts(xy, rng.uniform(1.0, 2.0, (n, 2)), np.array(edges), 2, np.array([0.4, 0.4]))


def _cheapest(d):
    """Return the least cost of connected districts in balance, and the least of any in balance."""
    near = np.zeros((len(d.xy),) * 2, dtype=bool)
    near[d.edges[:, 0], d.edges[:, 1]] = near[d.edges[:, 1], d.edges[:, 0]] = True
    far = np.linalg.norm(d.xy[:, None] - d.xy[None], axis=2)
    mean, best, loose = d.measures.sum(axis=0) / d.p, np.inf, np.inf
    for label in product(range(d.p), repeat=len(d.xy)):
        groups = [np.flatnonzero(np.array(label) == c) for c in range(d.p)]
        if any(not len(g) for g in groups):
            continue
        if any((np.abs(d.measures[g].sum(axis=0) - mean) > d.tolerance * mean).any() for g in groups):
            continue
        cost = sum(far[np.ix_(g, g)].sum(axis=0).min() for g in groups)
        loose = min(loose, cost)
        whole = all((np.linalg.matrix_power(near[np.ix_(g, g)] + np.eye(len(g)), len(g)) > 0).all() for g in groups)
        best = min(best, cost) if whole else best
    return best, loose


def test_districts_below_the_optimum_do_not_exist():
    torn = 0
    for seed in range(4):
        found = _districts(seed)
        best, loose = _cheapest(found)
        torn += loose < best - 1e-6
        assert proofs.districts_below(found, best + 1e-3) is True
        assert proofs.districts_below(found, best - 1e-3) is False
    # cuts were needed at least once
    assert torn
