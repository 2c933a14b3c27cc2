"""Shares of given centres and their bound, against linear programming and all assignments."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from tests.design.problems import chord2, problem_of, random_centers, random_problem
from tests.design.test_transport import lp

from territory.design.power import power_bound, power_design


def band_of(problem):
    return problem.lower[:, 0], problem.upper[:, 0]


def shared_out(problem, center):
    """Share out to centres that stay where they are."""
    return power_design(
        problem.xyz, problem.weight, *band_of(problem), homes=center, pull=1.0, eligible=problem.eligible
    )


def bound_of(problem, center):
    return power_bound(problem.xyz, problem.weight, *band_of(problem), center, eligible=problem.eligible)


def by_force(problem, distance2):
    """Return the least cost of all balanced assignments; None: there is none."""
    n, k = distance2.shape
    labels = np.array(list(product(range(k), repeat=n)))
    load = np.stack([(problem.weight * (labels == j)).sum(axis=1) for j in range(k)], axis=1)
    lower, upper = band_of(problem)
    fits = ((load >= lower - 1e-9) & (load <= upper + 1e-9)).all(axis=1)
    if problem.eligible is not None:
        fits &= problem.eligible[np.arange(n), labels].all(axis=1)
    cost = (problem.weight * distance2[np.arange(n), labels]).sum(axis=1)[fits]
    return float(cost.min()) if cost.size else None


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("picky", [False, True])
def test_no_balanced_assignment_is_below_the_bound(seed, picky):
    problem = random_problem(seed, 7 + seed % 3, 2 + seed % 2, (0.05, 0.3, 1.5)[seed % 3], picky=picky)
    center = random_centers(seed, problem.k)
    distance2 = chord2(problem.xyz, center)
    best, relaxed = by_force(problem, distance2), lp(problem, distance2)
    bound = bound_of(problem, center)
    if relaxed is None:
        assert bound == 0.0
        return
    assert bound == pytest.approx(relaxed[0], rel=1e-6)
    assert bound <= relaxed[0] * (1 + 1e-9)
    assert best is None or bound <= best


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("picky", [False, True])
def test_whole_customers_cost_little_more_than_split_ones(seed, picky):
    problem = random_problem(seed, 60, 4, 0.1, picky=picky)
    center = random_centers(seed + 100, 4)
    optimum = lp(problem, chord2(problem.xyz, center))
    found = shared_out(problem, center)
    assert found.feasible == (optimum is not None)
    if optimum is None:
        return
    load = np.bincount(found.label, problem.weight, 4)
    lower, upper = band_of(problem)
    assert (found.excess == 0).all() == ((load >= lower - 1e-9) & (load <= upper + 1e-9)).all()
    assert found.bound == pytest.approx(optimum[0], rel=1e-6)
    if (found.excess == 0).all():
        assert optimum[0] * (1 - 1e-9) <= found.cost <= optimum[0] * 1.25
    if problem.eligible is not None:
        assert problem.eligible[np.arange(60), found.label].all()


def test_more_than_eight_territories_may_be_needed():
    # everybody is near the same eight centres of twelve, the others must be filled from afar
    n, k = 60, 12
    rng = np.random.default_rng(1)
    problem = problem_of(rng.uniform(0, 1, n), rng.uniform(0, 1, n), np.ones(n), k, 0.2)
    far = problem_of(np.r_[rng.uniform(0, 1, 8), 30, 31, 32, 33], np.full(k, 0.5), np.ones(k), k, 0.2).xyz
    assert set(np.bincount(shared_out(problem, far).label, minlength=k)) <= {4, 5, 6}


def test_exact_balance_of_equal_customers_is_met():
    for n, k in ((6, 3), (7, 7), (9, 3), (21, 7)):
        problem = problem_of(np.arange(n), np.full(n, 50), np.ones(n), k, 0.0)
        label = shared_out(problem, problem.xyz[:k]).label
        assert (np.bincount(label, minlength=k) == n // k).all()


def test_customers_without_weight_are_assigned_as_well():
    problem = problem_of([0, 1, 2, 3], [50] * 4, [1, 0, 0, 1], 2, 0.1)
    assert shared_out(problem, problem.xyz[[0, 3]]).label.tolist() == [0, 0, 1, 1]


def test_one_far_customer_does_not_blur_near_ones():
    # at squared distances of thousands of kilometres, hundreds of metres still decide
    problem = problem_of([0.0, 0.009, 0.02, 90.0], [0] * 4, [1] * 4, 2, 1.0)
    assert shared_out(problem, problem.xyz[[0, 2]]).label[:3].tolist() == [0, 0, 1]
