"""What territories are balanced by, recomputed from the customers' columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray
    from territory.model.customers import Customers

__all__ = ["first_measure", "shares", "values_of"]

#: Length of a visit where nobody says, seconds.
_SERVICE_S: Final = 1800.0
_COLUMNS: Final = ("workload_s", "service_s", "deal_value", "p_close")


def values_of(customers: Customers, measure: str) -> FloatArray | None:
    """Return a measure of every customer, float of shape (n,), blank as 0; None if there is no such measure.

    ``"workload_s"`` without a column is service time (1800 s where absent) times 7 over the visit
    interval: seconds a week.
    """
    n = len(customers)
    if measure == "count":
        return np.ones(n)
    if measure in customers.measures:
        return np.asarray(customers.measures[measure], dtype=np.float64)
    column = getattr(customers, measure) if measure in _COLUMNS else None
    if column is None and measure == "workload_s" and customers.visit_interval_days is not None:
        service = customers.service_s if customers.service_s is not None else np.full(n, _SERVICE_S)
        column = service / customers.visit_interval_days * 7.0
    return None if column is None else np.where(np.isnan(column), 0.0, column)


def first_measure(alignment: Alignment) -> str:
    """Return the measure that weighs distances: the first of the balance, else workload where known, else count."""
    if alignment.rules.weigh_by is not None:
        return alignment.rules.weigh_by
    if alignment.balance:
        return next(iter(alignment.balance))
    c = alignment.customers
    return "count" if c.workload_s is None and c.visit_interval_days is None else "workload_s"


def shares(alignment: Alignment) -> FloatArray | None:
    """Return each territory's share of every target: by its rep's capacity, else equal.

    None where the share is unclear, as reps have capacities but a territory has no rep.
    """
    k = len(alignment)
    equal = np.full(k, 1.0 / max(1, k))
    if alignment.reps is None or alignment.reps.capacity_s is None:
        return equal
    if (alignment.rep_idx < 0).any():
        return None
    capacity = alignment.reps.capacity_s[alignment.rep_idx]
    return capacity / capacity.sum() if capacity.sum() > 0 else equal
