"""How nearly the first measure can be balanced at all, as a maximum flow.

Every customer sends its weight to territories that take between L and U of it, split if need be; OR-Tools says
whether all of it arrives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from territory.design.problem import DesignProblem
    from territory.model.arrays import BoolArray, FloatArray

__all__ = ["least_deviation"]

#: Weights become integers that add up to about this: finer than any tolerance that matters.
_UNITS: Final = 4_000_000
#: How exactly the least deviation is found.
_EXACT: Final = 1e-3


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

    def possible(tolerance: float) -> bool:
        return _possible(eligible, units, *_band(problem, units.sum(), tolerance))

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


def _possible(eligible: BoolArray, units: FloatArray, lower: FloatArray, upper: FloatArray) -> bool:
    """Return whether weights can be shared out to eligible territories, split, so that all loads are in their bands."""
    from ortools.graph.python import max_flow  # noqa: PLC0415 - a solver loads when it is used

    n, k = eligible.shape
    total = int(units.sum())
    if lower.sum() > total or upper.sum() < total:
        return False
    flow = max_flow.SimpleMaxFlow()
    # weights 0..n-1, territories n..n+k-1; what exceeds the lower limits goes through one more node to the sink
    source, rest, sink = n + k, n + k + 1, n + k + 2
    tail, head = np.nonzero(eligible)
    whole = units.astype(np.int64)
    low = lower.astype(np.int64)
    room = upper.astype(np.int64) - low
    place = n + np.arange(k)
    for begin, end, capacity in (
        (np.full(n, source), np.arange(n), whole),
        (tail, n + head, whole[tail]),
        (place, np.full(k, sink), low),
        (place, np.full(k, rest), room),
        (np.array([rest]), np.array([sink]), np.array([total - int(low.sum())])),
    ):
        flow.add_arcs_with_capacity(begin.astype(np.int32), end.astype(np.int32), capacity.astype(np.int64))
    return bool(flow.solve(source, sink) == flow.OPTIMAL and flow.optimal_flow() == total)
