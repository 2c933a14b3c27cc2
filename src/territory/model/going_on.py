"""From one plan to the next: what has been promised, and what has been visited since."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from territory.errors import InputError, Problem
from territory.model.enums import Commitment, VisitKind
from territory.model.settings import as_day

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.model.customers import Customers
    from territory.model.plan import Plan

__all__ = ["as_made", "committed"]


def committed(
    plan: Plan, level: Commitment | str, customers: Iterable[str] | None, first: object, last: object
) -> Plan:
    """Return a plan with some of its visits promised; see `Plan.committed`."""
    s = plan.stops
    try:
        wanted = Commitment[level.upper()] if isinstance(level, str) else Commitment(level)
    except (KeyError, ValueError):
        words = ", ".join(c.name.lower() for c in Commitment)
        raise InputError(
            [Problem("unknown-option", f"level: expected one of {words}, not {level!r}")], "plan"
        ) from None
    some = np.ones(len(s), np.bool_)
    if customers is not None:
        if isinstance(customers, str):
            hint = "Write them in a list."
            raise InputError([Problem("wrong-type", "customers: expected several ids", hint=hint)], "plan")
        some &= np.isin(s.customer_idx, plan.customers.positions(list(customers)))
    if first is not None:
        some &= s.day >= as_day(first, "first")
    if last is not None:
        some &= s.day <= as_day(last, "last")
    levels = np.full(len(s), Commitment.PLANNED, np.int8) if s.commitment is None else s.commitment.copy()
    levels[some] = wanted
    return replace(plan, stops=replace(s, commitment=levels))


def as_made(plan: Plan, until: np.datetime64) -> Customers:
    """Return the customers with the visits of a plan before a day as their last ones; see `Plan.as_made`."""
    c, s = plan.customers, plan.stops
    made = s.day < until
    if s.visit_idx is not None and plan.visits is not None and plan.visits.kind is not None:
        # an event is no visit
        made &= (s.visit_idx < 0) | (plan.visits.kind[s.visit_idx] != VisitKind.EVENT)
    last = np.full(len(c), np.datetime64("NaT", "D")) if c.last_visit is None else c.last_visit.copy()
    number = np.where(np.isnat(last), np.iinfo(np.int64).min, last.astype(np.int64))
    np.maximum.at(number, s.customer_idx[made], s.day[made].astype(np.int64))
    known = number > np.iinfo(np.int64).min
    last[known] = number[known].astype("datetime64[D]")
    return replace(c, last_visit=last)
