"""Balanced assignment to given centres, as a minimum-cost flow.

Every customer sends its weight to territories that take between L and U of it, at the squared
distance a unit. OR-Tools' cost-scaling solver answers exactly, for integer weights and costs; at
most k - 1 customers are split between territories.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.design.problem import DesignProblem
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["assign", "least_deviation"]

#: Weights become integers that add up to about this: finer than any tolerance that matters.
_UNITS: Final = 4_000_000
#: Costs become integers up to this: one far customer must not blur the differences between near
#: centres. Times the units, and times the nodes inside the solver, they stay far below 2^63.
_COSTS: Final = 100_000_000
#: Nearest centres that a customer may be sent to at first; more where that leaves no answer.
_NEAREST: Final = 8
#: How exactly the least deviation is found.
_EXACT: Final = 1e-3


def assign(problem: DesignProblem, distance2: FloatArray, *, share: float = 1.0) -> IdxArray | None:
    """Assign every customer to a territory, so that the first measure is balanced.

    Parameters
    ----------
    problem : DesignProblem
    distance2 : float array of shape (n, k)
        Squared distance of customers and centres.
    share : float
        Part of the tolerance that may be used; the rest is slack for rounding and repair.

    Returns
    -------
    int32 array of shape (n,), or None where the balance is impossible
        Split customers go where most of them went.

    Notes
    -----
    O(n a log(n C)) in practice, a the arcs a customer: 0.1 s for 10,000 customers and 60
    territories.
    """
    n, k = distance2.shape
    units = _units(problem)
    lower, upper = _band(problem, units.sum(), problem.tolerance[0] * share)
    reach = distance2 if problem.eligible is None else np.where(problem.eligible, distance2, np.inf)
    arcs = min(_NEAREST, k)
    while True:
        near = np.argpartition(reach, arcs - 1, axis=1)[:, :arcs] if arcs < k else np.broadcast_to(np.arange(k), (n, k))
        flow = _solve(np.take_along_axis(reach, near, axis=1), near, units, lower, upper)
        if flow is not None:
            return np.take_along_axis(near, flow.argmax(axis=1)[:, None], axis=1)[:, 0].astype(np.int32)
        if arcs == k:
            return None
        arcs = min(k, arcs * 4)


def least_deviation(problem: DesignProblem) -> float:
    """Return the least tolerance at which the first measure can be balanced with split customers.

    Found by bisection to 0.1 %, from above; what lies 0.1 % below is impossible, as splitting only
    helps. Customers with the same eligible reps are one here: O(n log n), whatever k.
    """
    units = _units(problem)
    if problem.eligible is None:
        eligible = np.ones((1, problem.k), dtype=bool)
        units = units.sum(keepdims=True)
    else:
        eligible, pattern = np.unique(problem.eligible, axis=0, return_inverse=True)
        units = np.bincount(pattern.reshape(-1), units).astype(np.float64)
    cost = np.where(eligible, 0.0, np.inf)
    near = np.broadcast_to(np.arange(problem.k), cost.shape)

    def possible(tolerance: float) -> bool:
        return _solve(cost, near, units, *_band(problem, units.sum(), tolerance)) is not None

    low, high = 0.0, 1.0
    if possible(low):
        return low
    while not possible(high):
        low, high = high, high * 2
    while high - low > _EXACT:
        middle = (low + high) / 2
        low, high = (low, middle) if possible(middle) else (middle, high)
    return high


def _units(problem: DesignProblem) -> FloatArray:
    """Return the weights as whole numbers; a customer without weight counts as 1, to be assigned as well."""
    scale = _UNITS / max(float(problem.weight.sum()), 1e-300)
    return np.maximum(1, np.rint(problem.weight * scale))


def _band(problem: DesignProblem, total: float, tolerance: float) -> tuple[FloatArray, FloatArray]:
    """Return what territories take at least and at most; rounded outwards, to rule out nothing that is possible."""
    target = problem.share * total
    return np.maximum(np.floor(target * (1 - tolerance)), 0), np.ceil(target * (1 + tolerance))


def _solve(
    cost: FloatArray, near: npt.NDArray[np.integer], units: FloatArray, lower: FloatArray, upper: FloatArray
) -> FloatArray | None:
    """Return the flow on the arcs to territories `near`, all of shape (n, arcs); None if there is none."""
    from ortools.graph.python import min_cost_flow  # noqa: PLC0415 - a solver loads when it is used

    n, arcs = near.shape
    k = len(lower)
    total = units.sum()
    if lower.sum() > total or upper.sum() < total:
        return None
    finite = np.isfinite(cost)
    known = np.where(finite, cost, 0.0)
    top = float(known.max(initial=0.0)) or 1.0
    price = np.rint(known * (_COSTS / top)).astype(np.int64)
    flow = min_cost_flow.SimpleMinCostFlow()
    # customers 0..n-1, territories n..n+k-1, and one node where what exceeds the lower limits goes
    tail = np.repeat(np.arange(n), arcs)
    capacity = (units[:, None] * finite).astype(np.int64).ravel()
    first = flow.add_arcs_with_capacity_and_unit_cost(tail, n + near.ravel().astype(np.int64), capacity, price.ravel())
    flow.add_arcs_with_capacity_and_unit_cost(
        n + np.arange(k), np.full(k, n + k), (upper - lower).astype(np.int64), np.zeros(k, np.int64)
    )
    supply = np.concatenate([units, -lower, [lower.sum() - total]]).astype(np.int64)
    flow.set_nodes_supplies(np.arange(n + k + 1), supply)
    if flow.solve() != flow.OPTIMAL:
        return None
    return np.asarray(flow.flows(first), dtype=np.float64).reshape(n, arcs)
