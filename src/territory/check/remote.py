"""Whether contacts are made from home or in the field as the rules ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.check.day_sets import by_day_sets
from territory.model.enums import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts
    from territory.check.report import Violation
    from territory.model.arrays import BoolArray

__all__ = ["remote_right"]


def remote_right(f: PlanFacts) -> Iterator[Violation]:
    """``remote-wrong`` and ``first-visit-remote``.

    Single visits are remote where their row says so. Of visits by interval, those after the first are, of customers
    who are served either way, where the settings ask for it. The first visit ever is in the field: of who has no last
    visit, and no visit earlier in the plan. After a visit that was missed, or was itself a contact from home, or an
    event, either is right. In a part of a plan the visits before are not known, and nothing is said of who has no
    last visit.
    """
    by_rule, field, remote = _asked(f)
    for i in np.flatnonzero(field & f.remote):
        message = (
            f"The first visit ever of customer {f.customer_id(f.customer[i])}, on {f.day[i]}, "
            "is a contact from home, not in the field."
        )
        yield f.at_stop("first-visit-remote", i, message)
    for i in np.flatnonzero(by_rule & (f.remote != remote)):
        told, meant = ("from home", "in the field") if f.remote[i] else ("in the field", "from home")
        message = f"The visit of customer {f.customer_id(f.customer[i])} on {f.day[i]} is {told}, not {meant}."
        yield f.at_stop("remote-wrong", i, message)


def _asked(f: PlanFacts) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Return of which stops it is known where they are made, which are first ones, and which are made from home."""
    customers, settings = f.plan.customers, f.plan.settings
    remote = f.of_row("remote").astype(bool)
    by_rule, first = np.ones(len(remote), dtype=bool), np.zeros(len(remote), dtype=bool)
    if settings.remote == "never" or customers.channel is None or not f.cadence:
        return by_rule, first, remote
    # sets of days are for visits in the field
    either = (customers.channel[f.customer] == Channel.EITHER) & (f.single < 0) & ~by_day_sets(f.plan)[f.customer]
    known = np.zeros(len(customers), dtype=bool) if customers.last_visit is None else ~np.isnat(customers.last_visit)
    day = f.day.astype(np.int64)
    last_of: dict[int, int] = {}  # customer: day of its first visit in the field
    any_of: dict[int, int] = {}  # customer: day of its first contact, event or missed visit
    due = f.plan.unassigned.due.astype("datetime64[D]").astype(np.int64)
    for who, at in zip(f.plan.unassigned.customer_idx.tolist(), due.tolist(), strict=True):
        any_of[who] = min(at, any_of.get(who, at))
    for i, (who, at) in enumerate(zip(f.customer.tolist(), day.tolist(), strict=True)):
        any_of[who] = min(at, any_of.get(who, at))
        if not (f.remote[i] or f.event[i]):
            last_of[who] = min(at, last_of.get(who, at))
    for i in np.flatnonzero(either).tolist():
        who, at = int(f.customer[i]), int(day[i])
        if known[who] or last_of.get(who, at) < at:
            remote[i] = True
        else:
            by_rule[i] = False
            first[i] = f.complete and any_of[who] >= at
    return by_rule, first, remote
