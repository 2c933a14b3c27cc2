"""Whether the reasons of unassigned visits hold against the inputs.

Only what the inputs refute for certain is told. A reason speaks of the days on which the visit was
allowed: those that its interval gives after the event before, and its due day. Where the events
before are not all there (a part of a plan), only the due day is certain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.check.eligibility import aligned_reps, is_forbidden, lacks_skills
from territory.check.legs import both_ways
from territory.model.enums import Channel, Reason, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts
    from territory.check.report import Violation
    from territory.model.arrays import BoolArray, IntArray

__all__ = ["reasons_founded"]


def reasons_founded(f: PlanFacts) -> Iterator[Violation]:
    """``reason-unfounded``."""
    unassigned = f.plan.unassigned
    reasons = unassigned.reason.tolist()
    rows: dict[str, list[int]] = {}
    for u, reason in enumerate(reasons):
        rows.setdefault(reason, []).append(u)
    named = unassigned.rep_idx >= 0
    found: dict[int, str] = {}
    for reason, rule in (
        (Reason.NO_SHIFT, _works_then),
        (Reason.SERVICE_TOO_LONG, _service_fits),
        (Reason.UNREACHABLE, _reachable),
        (Reason.NO_ELIGIBLE_REP, _may_serve),
    ):
        told = np.array(rows.get(str(reason), []), dtype=np.int64)
        of_rep = told[named[told]]
        if len(of_rep):
            found |= rule(f, of_rep)
    nobody = np.array(rows.get(str(Reason.NO_ELIGIBLE_REP), []), dtype=np.int64)
    found |= _aligned(f, nobody[~named[nobody]])
    for u, why in sorted(found.items()):
        who = f.customer_id(unassigned.customer_idx[u])
        message = (
            f"The reason for the unassigned visit of customer {who} due on {unassigned.due[u]} is {reasons[u]}, "
            f"but {why}."
        )
        yield f.at_unassigned("reason-unfounded", u, message)


def _due(f: PlanFacts) -> IntArray:
    return np.asarray(f.plan.unassigned.due.astype("datetime64[D]").astype(np.int64))


def _horizon(f: PlanFacts) -> tuple[int, int]:
    settings = f.plan.settings
    return int(settings.start.astype(np.int64)), int(settings.end.astype(np.int64)) - 1


def _works_then(f: PlanFacts, told: IntArray) -> dict[int, str]:
    """Tell who works on the due day; a due day outside the horizon is told elsewhere."""
    unassigned, due = f.plan.unassigned, _due(f)
    first, last = _horizon(f)
    return {
        u: f"rep {f.rep_id(unassigned.rep_idx[u])} works on that day"
        for u in told.tolist()
        if first <= due[u] <= last and f.shift_s(int(unassigned.rep_idx[u]), int(due[u])) >= 0
    }


def _service_fits(f: PlanFacts, told: IntArray) -> dict[int, str]:
    """Tell which visits are no longer than a shift on one of the days on which they were allowed."""
    unassigned, column = f.plan.unassigned, f.plan.customers.service_s
    found = {}
    for u in told.tolist():
        rep, who = int(unassigned.rep_idx[u]), int(unassigned.customer_idx[u])
        service = f.plan.settings.default_service_s if column is None else int(np.ceil(column[who]))
        low, high = _allowed(f, u)
        longest = max((f.shift_s(rep, day) for day in range(low, high + 1)), default=-1)
        if service <= longest:
            found[u] = f"it takes {service} s, and rep {f.rep_id(rep)} has a shift of {longest} s"
    return found


def _allowed(f: PlanFacts, u: int) -> tuple[int, int]:
    """Return the first and last day, from 1970, of which the reason of an unassigned visit speaks."""
    due, who = int(_due(f)[u]), int(f.plan.unassigned.customer_idx[u])
    low = high = due
    if f.complete and f.cadence and f.chains.wanted[who]:
        c = f.chains
        a, b = np.searchsorted(c.customer, [who, who + 1])
        before = int(np.searchsorted(c.day[a:b], due))
        if before:
            last = int(c.day[a + before - 1])
            low, high = last + int(c.shortest[who]), last + int(c.longest[who])
        else:
            low, high = int(c.first_from[who]), int(c.first_until[who])
    first, end = _horizon(f)
    return max(first, min(low, due)), min(end, max(high, due))


def _reachable(f: PlanFacts, told: IntArray) -> dict[int, str]:
    """Tell which customers the rep can drive to from home, and from there to where its days end."""
    unassigned = f.plan.unassigned
    at_home = np.zeros(len(told), bool)
    there = both_ways(f, unassigned.customer_idx[told], unassigned.rep_idx[told], at_home)
    return {
        u: f"rep {f.rep_id(unassigned.rep_idx[u])} can drive there and back" for u in told[np.flatnonzero(there)]
    }


def _may_serve(f: PlanFacts, told: IntArray) -> dict[int, str]:
    """Tell which reps have the skills, are not forbidden, and have no lock against them."""
    customers, reps, unassigned = f.plan.customers, f.plan.reps, f.plan.unassigned
    who, rep = unassigned.customer_idx[told], unassigned.rep_idx[told]
    able: BoolArray = ~lacks_skills(customers, reps, who, rep) & ~is_forbidden(customers, reps, who, rep)
    if customers.locked is not None and customers.owner is not None:
        able &= ~(customers.locked[who] & (customers.owner[who] != reps.id[rep]))
    # nobody visits those; that they are in the plan at all is told elsewhere
    if customers.channel is not None:
        able &= customers.channel[who] != Channel.INSIDE
    if customers.stage is not None:
        able &= customers.stage[who] != Stage.LOST
    return {u: f"rep {f.rep_id(unassigned.rep_idx[u])} may serve the customer" for u in told[able].tolist()}


def _aligned(f: PlanFacts, told: IntArray) -> dict[int, str]:
    """Tell which customers the alignment gives to a rep of the plan, though none is named."""
    aligned = aligned_reps(f) if len(told) else None
    if aligned is None:
        return {}
    rep = aligned[f.plan.unassigned.customer_idx]
    return {u: f"the customer belongs to rep {f.rep_id(rep[u])}" for u in told[rep[told] >= 0].tolist()}
