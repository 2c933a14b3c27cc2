"""Territories that are balanced by one measure as far as that goes, whichever measure it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from territory.design.territories import design_territories
from territory.model.customers import Customers

if TYPE_CHECKING:
    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray
    from territory.model.reps import Reps

__all__ = ["design_by"]

_WORK = "workload_s"
#: Weights add up to this while territories are designed: a column of seconds has bounds, a measure need not keep them.
_WHOLE = 1e8


def design_by(
    customers: Customers, reps: Reps | None, measure: str, values: FloatArray, balance: Any, **options: Any
) -> Alignment:
    """Design territories that are balanced by a measure: within limits, or within 10 % as far as possible.

    Parameters
    ----------
    customers : Customers, length n
    reps : Reps, optional
    measure : str
        A name that the customers' measures have, or are going to have.
    values : float array of shape (n,)
        What each customer has of it.
    balance : mapping of measure to limit, or None
        As of `design_territories`; None is that function's goal, for this measure in place of the usual one.
    **options
        As of `design_territories`.
    """
    if measure not in (_WORK, "count"):
        customers = replace(customers, measures={**customers.measures, measure: values})
    if balance is not None:
        return design_territories(customers, reps, balance=balance, **options)
    total = float(values.sum())
    if measure == "count" or total <= 0:
        return design_territories(customers, reps, balance=None, **options)
    scale = _WHOLE / total
    # the goal is one for the workload, whose place the measure takes while territories are designed
    posing = replace(customers, workload_s=values * scale, measures={})
    made = design_territories(posing, reps, balance=None, **options)
    if _WORK not in made.balance:
        return replace(made, customers=customers)
    said = tuple(replace(p, column=measure) if p.column == _WORK else p for p in made.diagnostics)
    return replace(
        made,
        customers=customers,
        balance={measure: made.balance[_WORK]},
        targets={measure: made.targets[_WORK] / scale},
        diagnostics=said,
    )
