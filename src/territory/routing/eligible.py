"""Whom a rep may serve, and in which order its customers are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.model.eligibility import eligibility

if TYPE_CHECKING:
    from territory.model.arrays import BoolArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["canonical_rows", "may_serve"]

#: What a customer's days and routes depend on, apart from its place.
_MATTERS: Final = (
    "service_s", "visit_interval_days", "early_days", "late_days", "last_visit", "opening_hours",
    "hours_exceptions", "hours_bind", "call_blocks", "preferred_weekdays", "week_parity", "area", "timezone",
)  # fmt: skip


def may_serve(customers: Customers, reps: Reps, rep: int) -> BoolArray:
    """Return which customers a rep may serve, bool of shape (n,), going by skills, forbidden reps and locks."""
    allowed = eligibility(customers, reps.take([rep]))
    return np.ones(len(customers), dtype=bool) if allowed is None else allowed[:, 0]


def canonical_rows(customers: Customers, rows: IdxArray) -> IdxArray:
    """Return some customers in an order by place, then by all that their visits depend on; ids decide last.

    Permuted rows give the permuted plan then, and other names the same plan. O(m log m).
    """
    lon, lat = customers.lon[rows], customers.lat[rows]
    order = np.lexsort((lat, lon))
    rows = rows[order]
    if not ((np.diff(lon[order]) == 0) & (np.diff(lat[order]) == 0)).any():
        return rows
    names = [name for name in _MATTERS if getattr(customers, name) is not None]

    def key(i: int) -> tuple[object, ...]:
        row = customers[i]
        return (row.lon, row.lat, *(repr(getattr(row, name)) for name in names), row.id)

    return np.array(sorted(rows.tolist(), key=key), dtype=np.int32)
