"""What a customer weighs: the measures that territories are balanced by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.errors import InputError, Problem

if TYPE_CHECKING:
    from territory.model.arrays import FloatArray
    from territory.model.customers import Customers

__all__ = ["default_measure", "measure_values"]

#: Length of a visit where nobody says, seconds.
DEFAULT_SERVICE_S = 1800.0


def default_measure(customers: Customers) -> str:
    """Return ``"workload_s"`` where work is known or follows from visits, else ``"count"``."""
    known = customers.workload_s is not None or customers.visit_interval_days is not None
    return "workload_s" if known else "count"


def measure_values(customers: Customers, name: str) -> FloatArray:
    """Return a measure of every customer.

    Parameters
    ----------
    customers : Customers, length n
    name : str
        ``"count"``; ``"workload_s"`` (seconds a week: the column, or else service time over
        visit interval); a measure; or any numeric column (``"deal_value"``: blank counts as 0).

    Returns
    -------
    float array of shape (n,), at least 0

    Raises
    ------
    InputError
        No such measure.
    """
    n = len(customers)
    if name == "count":
        return np.ones(n)
    if name in customers.measures:
        return customers.measures[name]
    if name == "workload_s" and customers.workload_s is None and customers.visit_interval_days is not None:
        service = np.full(n, DEFAULT_SERVICE_S) if customers.service_s is None else customers.service_s
        return np.asarray(np.nan_to_num(service * 7.0 / customers.visit_interval_days, nan=0.0))
    numeric = ("workload_s", "service_s", "deal_value", "p_close")
    values = getattr(customers, name) if name in numeric else None
    if values is None:
        there = ["count", *customers.measures, *(c for c in numeric if getattr(customers, c) is not None)]
        raise InputError(
            [Problem("unknown-measure", f"customers have no measure {name!r}; there are: {', '.join(there)}")],
            "balance",
        )
    known: FloatArray = np.nan_to_num(values, nan=0.0)
    return known
