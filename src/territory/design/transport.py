"""Balanced assignment to given centres, as a minimum-cost flow.

Every customer sends its weight to territories that take between L and U of it, at the squared
distance a unit. OR-Tools' cost-scaling solver answers exactly, for integer weights and costs; at
most k - 1 customers are split between territories.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.model.arrays import NO_IDX

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.design.problem import DesignProblem
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["assign", "least_deviation"]

#: Weights become integers that add up to about this: finer than any tolerance that matters.
_UNITS: Final = 4_000_000
#: Costs become integers up to about this; times the units it stays far below 2^63.
_COSTS: Final = 1_000_000
#: Nearest centres that a customer may be sent to at first; more where that leaves no answer.
_NEAREST: Final = 8


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
        Split customers go where most of them went. A customer that nobody may serve gets -1.

    Notes
    -----
    O(n a log(n C)) in practice, a the arcs a customer: 0.1 s for 10,000 customers and 60
    territories.
    """
    n, k = distance2.shape
    units, lower, upper = _bands(problem, share)
    reach = distance2 if problem.eligible is None else np.where(problem.eligible, distance2, np.inf)
    servable = np.isfinite(reach).any(axis=1)
    arcs = min(_NEAREST, k)
    while True:
        near = np.argpartition(reach, arcs - 1, axis=1)[:, :arcs] if arcs < k else np.broadcast_to(np.arange(k), (n, k))
        flow = _solve(reach, near, units * servable, lower, upper)
        if flow is not None:
            break
        if arcs == k:
            return None
        arcs = min(k, arcs * 4)
    best = np.take_along_axis(near, flow.argmax(axis=1)[:, None], axis=1)[:, 0]
    return np.where(servable, best, NO_IDX).astype(np.int32)


def _bands(problem: DesignProblem, share: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    weight = problem.weight
    scale = _UNITS / max(float(weight.sum()), 1e-300)
    # a customer without weight is sent as one unit, so that it is assigned as well
    units = np.maximum(1, np.rint(weight * scale))
    target = problem.targets[:, 0] / max(float(problem.targets[:, 0].sum()), 1e-300) * units.sum()
    width = problem.tolerance[0] * share
    return units, np.ceil(target * (1 - width)), np.floor(target * (1 + width))


def _solve(
    distance2: FloatArray, near: npt.NDArray[np.integer], units: FloatArray, lower: FloatArray, upper: FloatArray
) -> FloatArray | None:
    """Return the flow on the arcs of `near`, shape of `near`; None if there is none."""
    from ortools.graph.python import min_cost_flow  # noqa: PLC0415 - a solver loads when it is used

    n, arcs = near.shape
    k = len(lower)
    total = int(units.sum())
    lower = np.maximum(lower, 0)
    if lower.sum() > total or upper.sum() < total:
        return None
    cost = np.take_along_axis(distance2, near, axis=1)
    finite = np.isfinite(cost)
    top = float(cost[finite].max(initial=0.0)) or 1.0
    cost = np.where(finite, np.rint(np.where(finite, cost, 0.0) * (_COSTS / top)), 0).astype(np.int64)
    flow = min_cost_flow.SimpleMinCostFlow()
    # customers 0..n-1, territories n..n+k-1, and one node where what exceeds the lower limits goes
    tail = np.repeat(np.arange(n), arcs)
    capacity = (units[:, None] * finite).astype(np.int64).ravel()
    first = flow.add_arcs_with_capacity_and_unit_cost(tail, n + near.ravel().astype(np.int64), capacity, cost.ravel())
    spare = n + k
    flow.add_arcs_with_capacity_and_unit_cost(
        n + np.arange(k), np.full(k, spare), (upper - lower).astype(np.int64), np.zeros(k, np.int64)
    )
    supply = np.concatenate([units, -lower, [-(total - lower.sum())]]).astype(np.int64)
    flow.set_nodes_supplies(np.arange(n + k + 1), supply)
    if flow.solve() != flow.OPTIMAL:
        return None
    return np.asarray(flow.flows(first), dtype=np.float64).reshape(n, arcs)


def least_deviation(problem: DesignProblem) -> float:
    """Return the least tolerance at which the first measure can be balanced with split customers.

    Found by bisection to 0.1 %; a proof that anything below is impossible, as splitting only helps.
    """
    feasible = np.zeros((problem.n, problem.k))
    low, high = 0.0, 1.0
    while not _possible(problem, feasible, high):
        low, high = high, high * 2
        if high > 2**20:  # pragma: no cover - one territory takes all at a deviation of k - 1
            return float("inf")
    while high - low > 0.001:
        middle = (low + high) / 2
        low, high = (low, middle) if _possible(problem, feasible, middle) else (middle, high)
    return high


def _possible(problem: DesignProblem, zero: FloatArray, tolerance: float) -> bool:
    units, _, _ = _bands(problem, 1.0)
    target = problem.targets[:, 0] / problem.targets[:, 0].sum() * units.sum()
    reach = zero if problem.eligible is None else np.where(problem.eligible, zero, np.inf)
    units = units * np.isfinite(reach).any(axis=1)
    target = target / target.sum() * units.sum()
    everywhere = np.broadcast_to(np.arange(problem.k), zero.shape)
    return (
        _solve(reach, everywhere, units, np.ceil(target * (1 - tolerance)), np.floor(target * (1 + tolerance)))
        is not None
    )
