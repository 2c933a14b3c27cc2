"""The bound, against the best of all assignments and the linear program."""

from __future__ import annotations

from itertools import product
from time import monotonic

import numpy as np
import pytest
from tests.design.problems import random_centers, random_problem
from tests.design.test_transport import lp

from territory.design.bound import transport_bound
from territory.design.problem import chord2


def by_force(problem, distance2):
    """Return the least cost of all balanced assignments; None: there is none."""
    n, k = distance2.shape
    labels = np.array(list(product(range(k), repeat=n)))
    load = np.stack([(problem.weight * (labels == j)).sum(axis=1) for j in range(k)], axis=1)
    target = problem.targets[:, 0]
    fits = (np.abs(load - target) <= problem.tolerance[0] * target + 1e-9).all(axis=1)
    if problem.eligible is not None:
        fits &= problem.eligible[np.arange(n), labels].all(axis=1)
    cost = (problem.weight * distance2[np.arange(n), labels]).sum(axis=1)[fits]
    return float(cost.min()) if cost.size else None


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("picky", [False, True])
def test_no_balanced_assignment_is_below_the_bound(seed, picky):
    problem = random_problem(seed, 7 + seed % 3, 2 + seed % 2, (0.05, 0.3, 1.5)[seed % 3], picky=picky)
    distance2 = chord2(problem.xyz, random_centers(seed, problem.k))
    best, relaxed = by_force(problem, distance2), lp(problem, distance2)
    if best is None or relaxed is None:
        return
    bound = transport_bound(problem, distance2, best)
    assert 0 <= bound <= best
    assert bound <= relaxed[0] * (1 + 1e-9)


def test_the_bound_is_near_the_linear_program():
    shares = []
    for seed in range(10):
        problem = random_problem(seed, 60, 5, 0.05)
        distance2 = chord2(problem.xyz, random_centers(seed, 5))
        optimum = lp(problem, distance2)
        assert optimum is not None
        shares.append(transport_bound(problem, distance2, optimum[0] * 1.01) / optimum[0])
    assert max(shares) <= 1 + 1e-9
    assert np.median(shares) > 0.99


def test_out_of_time_the_bound_still_holds():
    problem = random_problem(1, 40, 3, 0.1)
    distance2 = chord2(problem.xyz, random_centers(1, 3))
    optimum = lp(problem, distance2)
    assert optimum is not None
    assert 0 <= transport_bound(problem, distance2, optimum[0], deadline=monotonic()) <= optimum[0]
