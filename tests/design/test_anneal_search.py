"""The local search finds the optimum of tiny problems, keeps what must hold, and repeats itself."""

from __future__ import annotations

from itertools import product
from time import monotonic

import numpy as np
import pytest
from tests.design.local_problems import conflicts_of, made, objective_of, violation_of

from territory.design.anneal_search import local_search, polish
from territory.design.moves_problem import Graph
from territory.design.reseed import reseeded

OBJECTIVES = ("fixed", "squared", "centroid", "median", "perimeter", "reach")


def connected(problem, label):
    """Return whether every territory is connected on the links of sites; all have sites of their own."""
    for c in range(problem.k):
        left = set(np.flatnonzero(label == c).tolist())
        if not left:
            return False
        queue = [left.pop()]
        while queue:
            i = queue.pop()
            row = problem.links.indices[problem.links.indptr[i] : problem.links.indptr[i + 1]]
            found = left.intersection(row.tolist())
            left -= found
            queue += found
        if left:
            return False
    return True


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("seed", range(3))
def test_tiny_problems_are_solved_to_the_optimum(objective, seed):
    n, k = 7, 3
    problem, _ = made(objective, n=n, k=k, m=2, d=2, seed=seed, band=0.35)
    best = (np.inf, np.inf)
    for labels in product(range(k), repeat=n):
        label = np.array(labels)
        if len(set(labels)) == k:
            violation = violation_of(problem, label)
            best = min(best, (violation if violation > 1e-9 else 0.0, objective_of(problem, label)))
    found = local_search(problem, iterations=60_000)
    assert found.violation == pytest.approx(best[0], abs=1e-9)
    if best[0] == 0.0:
        assert found.objective == pytest.approx(best[1])
    assert objective_of(problem, found.label) == pytest.approx(found.objective)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_tiny_problems_with_prices_and_pairs_apart(objective):
    n, k = 7, 3
    problem, _ = made(objective, n=n, k=k, m=2, d=2, seed=2, band=0.6, soft=(0.2, 1.0), apart=5)
    best = np.inf
    for labels in product(range(k), repeat=n):
        label = np.array(labels)
        if len(set(labels)) == k and conflicts_of(problem, label) == 0 and violation_of(problem, label) < 1e-9:
            best = min(best, objective_of(problem, label))
    found = local_search(problem, iterations=60_000)
    assert (found.conflicts, found.violation) == (0, 0.0)
    assert conflicts_of(problem, found.label) == 0
    assert found.objective == pytest.approx(best)


def test_conflicts_that_cannot_be_mended_are_counted():
    problem, _ = made("squared", n=6, k=2, m=1, d=2, seed=2, band=0.9)
    # of three who must all be apart two share one of two territories
    problem = type(problem)(**{**vars(problem), "apart": Graph.of_edges([(0, 1), (1, 2), (0, 2)], 6)})
    found = local_search(problem, iterations=5000)
    assert found.conflicts == conflicts_of(problem, found.label) == 1
    assert found.violation == 0.0
    again = polish(problem, np.zeros(6, dtype=np.int32), iterations=2000, deadline=monotonic() + 60)
    assert again.conflicts == conflicts_of(problem, again.label)


@pytest.mark.parametrize("seed", range(3))
def test_tiny_connected_problems_are_solved_to_the_optimum(seed):
    n, k = 8, 3
    problem, _ = made("median", n=n, k=k, m=1, d=2, seed=seed, band=0.35)
    problem = type(problem)(**{**vars(problem), "site": np.arange(n, dtype=np.int32), "links": problem.near})
    best = np.inf
    for labels in product(range(k), repeat=n):
        label = np.array(labels)
        if violation_of(problem, label) < 1e-9 and connected(problem, label):
            best = min(best, objective_of(problem, label))
    found = local_search(problem, iterations=60_000)
    assert connected(problem, found.label)
    assert found.violation == 0.0
    assert found.objective == pytest.approx(best)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_same_iterations_give_the_same_answer(objective):
    problem, _ = made(objective, n=120, k=6, m=2, d=2, seed=1, sites=objective != "fixed")
    one, two = (local_search(problem, iterations=30_000, seed=4) for _ in range(2))
    assert one.label.tobytes() == two.label.tobytes()
    assert one.iterations == two.iterations == 30_000
    assert (one.objective, one.trace) == (two.objective, two.trace)


def test_a_start_is_never_made_worse():
    problem, _ = made("centroid", n=120, k=6, m=1, d=2, seed=1)
    first = local_search(problem, iterations=20_000)
    again = local_search(problem, first.label, iterations=20_000, seed=9)
    assert (again.violation, again.objective) <= (first.violation, first.objective + 1e-9)


def test_locks_hold():
    eligible = np.ones((60, 4), dtype=bool)
    eligible[:10] = False
    eligible[np.arange(10), np.arange(10) % 4] = True
    problem, _ = made("squared", n=60, k=4, m=1, d=2, seed=1, eligible=eligible)
    found = local_search(problem, iterations=20_000)
    assert eligible[np.arange(60), found.label].all()


def test_a_deadline_is_kept():
    problem, _ = made("median", n=200, k=8, m=2, d=2, seed=1, sites=True)
    began = monotonic()
    local_search(problem, deadline=began + 0.5)
    assert monotonic() - began < 1.5
    with pytest.raises(ValueError, match="iterations or a deadline"):
        local_search(problem)


def test_centers_are_those_of_the_answer():
    problem, _ = made("median", n=50, k=4, m=1, d=2, seed=1)
    found = local_search(problem, iterations=5000)
    far = np.linalg.norm(problem.points - problem.points[found.centers[found.label]], axis=1)
    assert found.label[found.centers].tolist() == [0, 1, 2, 3]
    assert (far * problem.weight).sum() == pytest.approx(found.objective)
    problem, _ = made("centroid", n=50, k=4, m=1, d=3, seed=1)
    found = local_search(problem, iterations=5000)
    far = np.linalg.norm(problem.points - found.centers[found.label], axis=1)
    assert (far * problem.weight).sum() == pytest.approx(found.objective)


def test_everybody_at_one_place():
    problem, _ = made("median", n=12, k=3, m=1, d=2, seed=1)
    flat = type(problem)(**{**vars(problem), "points": np.zeros((12, 2))})
    found = local_search(flat, iterations=5000)
    assert found.objective == 0.0
    assert found.violation == 0.0


@pytest.mark.parametrize("sites", [False, True])
def test_closing_and_opening_keeps_every_territory(sites):
    problem, _ = made("median", n=90, k=6, m=1, d=2, seed=1)
    if sites:
        problem = type(problem)(**{**vars(problem), "site": np.arange(90, dtype=np.int32), "links": problem.near})
    label = local_search(problem, iterations=5000).label
    for seed in range(10):
        after = reseeded(problem, label, np.random.default_rng(seed))
        assert set(after.tolist()) == set(range(6))
        assert not sites or connected(problem, after)
