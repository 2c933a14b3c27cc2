"""A proof of how good an alignment is, for its centres.

For any prices p of the territories, sum_i w_i min_j (d_ij + p_j) - sum_j max(p_j L_j, p_j U_j) is at
most the cost of every assignment that keeps the band [L, U], split customers or not (Lagrangian
duality of the transportation problem). The prices are found by subgradient steps; whatever they
are, the bound holds. It takes every customer and every centre: pruned arcs would prove nothing.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from territory.design.problem import DesignProblem
    from territory.model.arrays import FloatArray

__all__ = ["transport_bound"]

#: Relative rounding of a sum of up to a million products, generously.
_ROUNDING: Final = 1e-12
_STEPS: Final = 200
#: Entries of the distance matrix above which fewer steps are taken.
_LARGE: Final = 2_000_000


def transport_bound(
    problem: DesignProblem, distance2: FloatArray, cost: float, *, deadline: float = float("inf")
) -> float:
    """Return a lower bound on the weighted squared distance of any balanced alignment with these centres.

    Parameters
    ----------
    problem : DesignProblem
    distance2 : float array of shape (n, k)
    cost : float
        What a known alignment costs; it sets the length of the steps.
    deadline : float
        Monotonic seconds; when it has passed, the best bound so far is the answer.

    Returns
    -------
    float, at least 0, at most `cost` up to rounding

    Notes
    -----
    O(n k) a step; Polyak's step length with the known cost as the goal (Polyak 1969).
    """
    weight = problem.weight
    target = problem.targets[:, 0]
    upper, lower = target * (1 + problem.tolerance[0]), target * max(0.0, 1 - problem.tolerance[0])
    reach = distance2 if problem.eligible is None else np.where(problem.eligible, distance2, np.inf)
    price = np.zeros(problem.k)
    best, factor, stalled = 0.0, 1.0, 0
    steps = _STEPS if reach.size <= _LARGE else max(20, _STEPS * _LARGE // reach.size)
    for _ in range(int(steps)):
        priced = reach + price
        nearest = priced.argmin(axis=1)
        value = float(weight @ priced[np.arange(problem.n), nearest])
        limit = np.where(price >= 0, upper, lower)
        given_back = float(price @ limit)
        # what rounding of these sums may have added is taken off: the bound must not rest on it
        value -= given_back + _ROUNDING * (abs(value) + float(np.abs(price) @ np.abs(limit)))
        if value > best:
            best, stalled = value, 0
        else:
            stalled += 1
            if stalled >= 10:
                factor, stalled = factor / 2, 0
        load = np.bincount(nearest, weight, problem.k)
        # at price 0 a load inside the band pushes neither way
        slope = np.where(price > 0, load - upper, np.where(price < 0, load - lower, np.clip(load, lower, upper)))
        slope = np.where(price == 0, load - slope, slope)
        norm = float(slope @ slope)
        if norm == 0.0 or cost - value <= 1e-9 * max(cost, 1.0) or monotonic() >= deadline:
            break
        price = price + factor * (cost - value) / norm * slope
    # not capped at the cost: a bound above it is a fault, which the check must see
    return max(0.0, best)
