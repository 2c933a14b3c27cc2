"""Exact answers through the public function, against all partitions; limits that only an exact method keeps."""

from __future__ import annotations

from itertools import product

import networkx as nx
import numpy as np
import pytest

from territory import Balance, Customers, InfeasibleError, InputError, Reps, Status, check_alignment, design_territories
from territory.design.problem import on_sphere
from territory.geo.contiguity import graph_of_points


def some_customers(seed, n, **columns):
    rng = np.random.default_rng(seed)
    return Customers(
        id=[f"c{i}" for i in range(n)], lon=rng.uniform(8, 10, n), lat=rng.uniform(49, 51, n),
        workload_s=rng.lognormal(8, 0.5, n), **columns,
    )  # fmt: skip


def by_force(customers, k, tolerance, graph=None):
    """Return the least weighted squared chord to a member at the centre, and to the mean, of connected territories."""
    n, w = len(customers), customers.workload_s
    xyz = on_sphere(customers.lon, customers.lat)
    square = ((xyz[:, None] - xyz[None]) ** 2).sum(axis=2)
    unit = mean = np.inf
    for rest in product(range(k), repeat=n - 1):
        label = np.array((0, *rest))
        load = np.bincount(label, w, k)
        if (np.abs(load / (w.sum() / k) - 1) > tolerance).any():
            continue
        parts = [np.flatnonzero(label == j) for j in range(k)]
        if graph is not None and not all(nx.is_connected(graph.subgraph(p.tolist())) for p in parts):
            continue
        unit = min(unit, sum(min(w[p] @ square[p, c] for c in p) for p in parts))
        middle = [np.average(xyz[p], axis=0, weights=w[p]) for p in parts]
        mean = min(mean, sum(w[p] @ ((xyz[p] - m) ** 2).sum(axis=1) for p, m in zip(parts, middle, strict=True)))
    return unit / w.sum(), mean / w.sum()


@pytest.mark.parametrize("contiguous", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_exact_is_the_best_of_all_partitions(seed, contiguous):
    customers = some_customers(seed, 8)
    graph = None
    if contiguous:
        graph = nx.Graph(graph_of_points(customers.lon, customers.lat).edges.tolist())
    unit, mean = by_force(customers, 3, 0.3, graph)
    made = design_territories(
        customers, n_territories=3, balance={"workload_s": 0.3}, contiguous=contiguous, method="exact", bounds="free"
    )
    assert made.status is Status.OPTIMAL
    assert made.objective == pytest.approx(unit, rel=1e-6)
    assert made.bound <= made.objective * (1 + 1e-9)
    assert 0 < made.free_bound <= mean * (1 + 1e-9)
    usual = design_territories(
        customers, n_territories=3, balance={"workload_s": 0.3}, contiguous=contiguous, bounds="free"
    )
    assert usual.free_bound <= mean * (1 + 1e-9)
    assert usual.objective >= mean * (1 - 1e-9)


def test_homes_take_locks_and_shares_by_rep():
    customers = some_customers(4, 40, owner=["R1"] * 40, locked=[True] * 2 + [False] * 38)
    reps = Reps(id=["R0", "R1", "R2"], lon=[8.3, 9.0, 9.7], lat=[49.5, 50.5, 49.5])
    asked = {"balance": {"workload_s": Balance(tolerance=0.05, share={"R2": 0.5})}, "centers": "homes"}
    exact = design_territories(customers, reps, method="exact", **asked)
    usual = design_territories(customers, reps, **asked)
    assert exact.status is Status.OPTIMAL
    assert check_alignment(exact).ok
    assert exact.territory_idx[:2].tolist() == [1, 1]
    assert exact.objective <= usual.objective * (1 + 1e-9)
    assert exact.objective >= usual.bound * (1 - 1e-9)


def test_groups_and_rivals_are_kept_exactly():
    customers = some_customers(5, 30)
    made = design_territories(
        customers, n_territories=3, balance={"workload_s": 0.1}, together=[["c0", "c1"]], apart=[["c2", "c3"]],
        contiguous=False, method="exact",
    )  # fmt: skip
    assert made.status is Status.OPTIMAL
    assert made.territory_idx[0] == made.territory_idx[1]
    assert made.territory_idx[2] != made.territory_idx[3]


@pytest.mark.parametrize("seed", range(4))
def test_the_tightest_limits_are_kept_or_proven_impossible(seed):
    rng = np.random.default_rng(seed)
    n, k = 9, 3
    customers = some_customers(seed, n, measures={"m": rng.lognormal(0, 0.7, n)})
    graph = nx.minimum_spanning_tree(nx.Graph(graph_of_points(customers.lon, customers.lat).edges.tolist()))
    best = np.inf
    for label in product(range(k), repeat=n):
        parts = [[i for i in range(n) if label[i] == j] for j in range(k)]
        if all(p and nx.is_connected(graph.subgraph(p)) for p in parts):
            load = np.array([customers.measures["m"][p].sum() for p in parts])
            best = min(best, np.abs(load / load.mean() - 1).max())
    named = nx.relabel_nodes(graph, {i: f"c{i}" for i in range(n)})
    made = design_territories(customers, n_territories=k, balance={"m": best + 1e-6}, contiguous=named)
    assert check_alignment(made).ok
    with pytest.raises(InfeasibleError) as caught:
        design_territories(customers, n_territories=k, balance={"m": best - 1e-6}, contiguous=named)
    assert {"balance-impossible", "limits-impossible", "customer-over-capacity"} & {
        p.code for p in caught.value.reasons
    }


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"method": "best"}, "unknown-option"),
        ({"bounds": "all"}, "unknown-option"),
        ({"method": "exact", "n_territories": 9}, "too-large"),
        ({"method": "exact", "compactness": "distance"}, "unknown-option"),
        ({"method": "exact", "reach_km": 500.0}, "unknown-option"),
        ({"method": "exact", "balance": {"count": Balance(weight=1)}}, "unknown-option"),
        ({"bounds": "free", "compactness": "reach"}, "unknown-option"),
    ],
)
def test_what_exact_answers_are_not_for_is_said(asked, code):
    with pytest.raises(InputError) as caught:
        design_territories(some_customers(1, 20), **({"n_territories": 2} | asked))
    assert {p.code for p in caught.value.problems} == {code}
