"""Centres at homes: territories whole and connected, at hardly more than the linear program costs."""

from __future__ import annotations

import numpy as np
import pytest
from tests.design.problems import problem_of

from territory import Customers, Reps, design_territories
from territory.design.anneal_settle import settled
from territory.design.moves_problem import Graph, LocalProblem
from territory.design.power import power_bound
from territory.design.power_joined import joined_up
from territory.design.repair import astray
from territory.geo.contiguity import graph_of_points


def _places(kind, n, k, seed):
    draw = np.random.default_rng([seed, n, kind == "uniform"])
    if kind == "uniform":
        return draw.random((n, 2))
    towns = max(3, k // 3)
    middle, width = draw.random((towns, 2)), draw.lognormal(0.0, 0.7, towns) * 0.02
    town = draw.choice(towns, n, p=draw.dirichlet(np.full(towns, 0.7)))
    return np.asarray(middle[town] + draw.normal(size=(n, 2)) * width[town, None])


@pytest.mark.parametrize("kind", ["uniform", "clustered"])
@pytest.mark.parametrize("seed", [3, 4])
def test_centres_at_homes_are_within_one_per_cent_of_the_bound(kind, seed):
    n, k = 2000, 20
    lon, lat = _places(kind, n, k, seed).T
    work = np.random.default_rng([seed, 7]).lognormal(8.0, 0.8, n)
    home = np.random.default_rng([seed, 11]).choice(n, k, replace=False)
    customers = Customers(id=[f"c{i}" for i in range(n)], lon=lon, lat=lat, workload_s=work)
    reps = Reps(id=[f"r{j}" for j in range(k)], lon=lon[home], lat=lat[home])
    made = design_territories(customers, reps, balance={"workload_s": 0.05}, centers="homes", time_limit_s=120.0)
    assert made.gap is not None
    assert made.gap <= 0.01


def test_what_is_torn_off_joins_up_at_the_least_cost():
    places = _places("clustered", 600, 6, 1)
    lon, lat = places.T
    weight = np.random.default_rng(2).lognormal(0.0, 0.8, 600)
    problem = problem_of(lon, lat, weight, 6, 0.05)
    center = problem.xyz[np.random.default_rng(3).choice(600, 6, replace=False)]
    graph = graph_of_points(lon, lat)
    lower, upper = problem.lower[:, 0], problem.upper[:, 0]
    found = joined_up(problem, graph, center, np.zeros(6), lower, upper)
    assert found is not None
    assert not len(astray(problem, graph, found.label))
    cost = float(weight @ ((problem.xyz - center[found.label]) ** 2).sum(axis=1))
    # nobody's share of the prices is forgotten: cost beside the bound is at least what the loads are off, at these
    load = problem.loads(found.label)[:, 0]
    off = found.price @ (load - np.where(found.price > 0.0, upper, lower))
    assert cost + float(off) >= power_bound(problem.xyz, weight, lower, upper, center) * (1 - 1e-9)


def test_where_the_band_cannot_be_kept_nothing_is_joined():
    lon, lat = _places("uniform", 50, 2, 0).T
    problem = problem_of(lon, lat, np.ones(50), 2, 0.1)
    graph = graph_of_points(lon, lat)
    assert joined_up(problem, graph, problem.xyz[:2], np.zeros(2), np.full(2, 40.0), np.full(2, 60.0)) is None


def _line(loads, *, tolerance):
    """Return a row of customers of weight 1, one after the other, and the territories that hold them."""
    label = np.repeat(np.arange(len(loads)), loads).astype(np.int32)
    n, k = len(label), len(loads)
    points = np.stack([np.arange(n, dtype=float), np.zeros(n)], axis=1)
    near = Graph.of_edges(np.stack([np.arange(n - 1), np.arange(1, n)], axis=1), n)
    target = np.full((k, 1), n / k)
    middle = (np.arange(k) + 0.5) * n / k
    problem = LocalProblem(
        points=points, measures=np.ones((n, 1)), lower=target * (1 - tolerance), upper=target * (1 + tolerance),
        target=target, objective="fixed", near=near, weight=np.ones(n),
        center=np.stack([middle - 0.5, np.zeros(k)], axis=1), site=np.arange(n, dtype=np.int32), links=near,
    )  # fmt: skip
    return problem, label


def test_what_is_too_much_passes_on_through_a_chain_of_territories():
    problem, label = _line([16, 10, 10, 10, 10, 4], tolerance=0.0)
    found, violation = settled(problem, label, np.zeros(6), 100.0)
    assert violation <= 1e-9
    assert found.tolist() == np.repeat(np.arange(6), 10).tolist()


def test_settled_keeps_its_start_and_is_the_same_again():
    problem, label = _line([14, 8, 9, 9], tolerance=0.1)
    before = label.copy()
    one, two = (settled(problem, label, np.zeros(4), 100.0)[0] for _ in range(2))
    assert (label == before).all()
    assert (one == two).all()
    # in one piece each: on a line, no territory comes twice
    assert (np.diff(one) >= 0).all()
