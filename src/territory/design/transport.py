"""How nearly measures can be balanced at all, as a maximum flow.

Every customer sends its weight to territories that take between L and U of it, split if need be; OR-Tools says
whether all of it arrives. Where all weigh the same, nobody is split: flows of whole numbers are whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.design.problem import DesignProblem
    from territory.model.arrays import BoolArray, FloatArray

__all__ = ["Transport", "least_deviation"]

#: Weights become integers that add up to about this: finer than any tolerance that matters.
_UNITS: Final = 4_000_000
#: How exactly the least deviation is found.
_EXACT: Final = 1e-3
#: Of a whole number: what floats lose.
_ROUNDING: Final = 1e-9


class Transport:
    """One measure of a problem, as the supply of a flow.

    Customers with the same eligible reps are one here: building costs O(n log n), whatever k.

    Parameters
    ----------
    problem : DesignProblem
    measure : int
        Column of its measures.
    """

    def __init__(self, problem: DesignProblem, measure: int = 0) -> None:
        weight = problem.measures[:, measure]
        self.total = max(float(weight.sum()), 1e-300)
        each = float(weight.max(initial=0.0))
        self.alike = bool(each > 0 and (weight == each).all())
        self.unit = each if self.alike else self.total / _UNITS
        # a customer without weight counts as a unit, to be assigned as well
        units = np.ones(problem.n) if self.alike else np.maximum(1, np.rint(weight / self.unit))
        if problem.eligible is None:
            self.eligible, self.units = np.ones((1, problem.k), dtype=bool), units.sum(keepdims=True)
        else:
            self.eligible, pattern = np.unique(problem.eligible, axis=0, return_inverse=True)
            self.units = np.bincount(pattern.reshape(-1), units).astype(np.float64)
        # what rounding, and those who count though they weigh nothing, add to all
        self._stretch = 1.0 if self.alike else float(self.units.sum()) * self.unit / self.total

    def possible(self, lower: FloatArray, upper: FloatArray) -> bool:
        """Return whether territories can hold between `lower` and `upper`, float arrays of shape (k,)."""
        most = float(self.units.sum())
        low, high = lower / self.unit * self._stretch, np.minimum(upper / self.unit * self._stretch, most)
        if self.alike:
            low, high = np.ceil(low - _ROUNDING * np.maximum(low, 1.0)), np.floor(high + _ROUNDING * high)
        else:
            # rounded outwards, to rule out nothing that is possible
            low, high = np.maximum(np.floor(low), 0), np.ceil(high)
        return _possible(self.eligible, self.units, np.maximum(low, 0), high)

    def least(self, band: Callable[[float], tuple[FloatArray, FloatArray]]) -> float:
        """Return the least t for which a band that widens with t is possible, to 0.1 % from above.

        `band` returns lower and upper limits, float arrays of shape (k,). What lies 0.1 % below is impossible.
        """
        low, high = 0.0, 1.0
        if self.possible(*band(low)):
            return low
        while not self.possible(*band(high)) and high < 1e6:
            low, high = high, high * 2
        while high - low > _EXACT:
            middle = (low + high) / 2
            low, high = (low, middle) if self.possible(*band(middle)) else (middle, high)
        return high


def least_deviation(problem: DesignProblem, measure: int = 0) -> float:
    """Return the least tolerance at which a measure can be balanced with split customers; see `Transport.least`."""
    target = problem.target[:, measure]
    return Transport(problem, measure).least(lambda t: (target * max(1 - t, 0.0), target * (1 + t)))


def _possible(eligible: BoolArray, units: FloatArray, lower: FloatArray, upper: FloatArray) -> bool:
    """Return whether weights can be shared out to eligible territories, split, so that all loads are in their bands."""
    from ortools.graph.python import max_flow  # noqa: PLC0415 - a solver loads when it is used

    n, k = eligible.shape
    total = int(units.sum())
    if (lower > upper).any() or lower.sum() > total or upper.sum() < total:
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
