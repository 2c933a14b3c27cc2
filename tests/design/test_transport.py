"""The least deviation possible, against linear programming."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from tests.design.problems import chord2, problem_of, random_problem

from territory.design.transport import least_deviation


def lp(problem, distance2, tolerance=None):
    """Return the optimum with split customers, by HiGHS, and the shares of each customer; None where there is none."""
    n, k = distance2.shape
    cost = (distance2 * problem.weight[:, None]).ravel()
    upper = np.ones((n, k)) if problem.eligible is None else problem.eligible.astype(float)
    each = np.kron(np.eye(n), np.ones(k))
    load = np.zeros((k, n * k))
    for j in range(k):
        load[j, j::k] = problem.weight
    target = problem.target[:, 0]
    low, high = problem.lower[:, 0], problem.upper[:, 0]
    if tolerance is not None:
        low, high = target * (1 - tolerance), target * (1 + tolerance)
    limits = np.concatenate([high, -low])
    found = linprog(
        cost / cost.max(), np.vstack([load, -load]), limits, each, np.ones(n),
        np.stack([np.zeros(n * k), upper.ravel()], axis=1), method="highs",
    )  # fmt: skip
    return None if found.status != 0 else (found.fun * cost.max(), found.x.reshape(n, k))


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
