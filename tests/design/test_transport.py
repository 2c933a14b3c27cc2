"""The balanced assignment, against linear programming."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from tests.design.problems import problem_of, random_centers, random_problem

from territory.design.problem import chord2
from territory.design.transport import assign, least_deviation


def lp(problem, distance2, tolerance=None):
    """Return the optimum with split customers, by HiGHS, and the shares of each customer; None where there is none."""
    n, k = distance2.shape
    tolerance = problem.tolerance[0] if tolerance is None else tolerance
    cost = (distance2 * problem.weight[:, None]).ravel()
    upper = np.ones((n, k)) if problem.eligible is None else problem.eligible.astype(float)
    each = np.kron(np.eye(n), np.ones(k))
    load = np.zeros((k, n * k))
    for j in range(k):
        load[j, j::k] = problem.weight
    target = problem.targets[:, 0]
    limits = np.concatenate([target * (1 + tolerance), -target * (1 - tolerance)])
    found = linprog(
        cost / cost.max(), np.vstack([load, -load]), limits, each, np.ones(n),
        np.stack([np.zeros(n * k), upper.ravel()], axis=1), method="highs",
    )  # fmt: skip
    return None if found.status != 0 else (found.fun * cost.max(), found.x.reshape(n, k))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("picky", [False, True])
def test_unsplit_customers_go_where_the_linear_program_sends_them(seed, picky):
    problem = random_problem(seed, 30, 4, 0.1, picky=picky)
    distance2 = chord2(problem.xyz, random_centers(seed + 100, 4))
    optimum = lp(problem, distance2)
    found = assign(problem, distance2)
    assert (found is None) == (optimum is None)
    if found is None or optimum is None:
        return
    share = optimum[1]
    whole = share.max(axis=1) > 1 - 1e-6
    assert (~whole).sum() <= 3, "at most k - 1 are split"
    assert (found[whole] == share[whole].argmax(axis=1)).all()
    if problem.eligible is not None:
        assert problem.eligible[np.arange(30), found].all()


def test_more_than_eight_territories_may_be_needed():
    # everybody is near the same eight centres of twelve, the others must be filled from afar
    n, k = 60, 12
    rng = np.random.default_rng(1)
    problem = problem_of(rng.uniform(0, 1, n), rng.uniform(0, 1, n), np.ones(n), k, 0.2)
    far = problem_of(np.r_[rng.uniform(0, 1, 8), 30, 31, 32, 33], np.full(k, 0.5), np.ones(k), k, 0.2).xyz
    label = assign(problem, chord2(problem.xyz, far))
    assert label is not None
    assert set(np.bincount(label, minlength=k)) <= {4, 5, 6}


def test_exact_balance_of_equal_customers_is_met():
    for n, k in ((6, 3), (7, 7), (9, 3), (21, 7)):
        problem = problem_of(np.arange(n), np.full(n, 50), np.ones(n), k, 0.0)
        label = assign(problem, chord2(problem.xyz, problem.xyz[:k]))
        assert label is not None
        assert (np.bincount(label, minlength=k) == n // k).all()


def test_customers_without_weight_are_assigned_as_well():
    problem = problem_of([0, 1, 2, 3], [50] * 4, [1, 0, 0, 1], 2, 0.1)
    label = assign(problem, chord2(problem.xyz, problem.xyz[[0, 3]]))
    assert label is not None
    assert label.tolist() == [0, 0, 1, 1]


def test_one_far_customer_does_not_blur_near_ones():
    # at squared distances of thousands of kilometres, hundreds of metres still decide
    problem = problem_of([0.0, 0.009, 0.02, 90.0], [0] * 4, [1] * 4, 2, 1.0)
    label = assign(problem, chord2(problem.xyz, problem.xyz[[0, 2]]))
    assert label is not None
    assert label[:3].tolist() == [0, 0, 1]


@pytest.mark.parametrize("seed", range(8))
def test_the_least_deviation_is_that_of_the_linear_program(seed):
    rng = np.random.default_rng(seed)
    n, k = 10, 3
    eligible = rng.random((n, k)) < 0.4
    eligible[np.arange(n), rng.integers(k, size=n)] = True
    problem = problem_of(np.arange(n), np.full(n, 50), rng.integers(1, 30, n), k, 0.0, eligible=eligible)
    least = least_deviation(problem)
    distance2 = chord2(problem.xyz, problem.xyz[:k])
    assert lp(problem, distance2, tolerance=least + 1e-6) is not None
    assert least <= 0.002 or lp(problem, distance2, tolerance=least - 0.002) is None


def test_without_preferences_any_balance_is_possible_with_split_customers():
    assert least_deviation(random_problem(0, 20, 5, 0.0)) == 0.0
