"""Whether the reasons of unassigned visits hold against the inputs.

Only what the inputs refute for certain is told. A reason speaks of the days on which the visit was
allowed: those that its interval gives after the event before, and its due day. Where the events
before are not all there (a part of a plan), only the due day is certain. Of a single visit they are
its own days; next to one, a visit by interval may have been allowed on many, and the due day counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.check.eligibility import is_forbidden, lacks_skills
from territory.check.legs import both_ways
from territory.check.rows import ANYBODY, STRANGER, lengths
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
    # of a joint visit with somebody who is not in the plan nothing is certain
    stranger = (f.rows.rep == STRANGER) | (f.rows.second == STRANGER)
    certain = named & ~np.append(stranger, False)[f.left_single]
    found: dict[int, str] = {}
    for reason, rule in (
        (Reason.NO_SHIFT, _works_then),
        (Reason.SERVICE_TOO_LONG, _service_fits),
        (Reason.UNREACHABLE, _reachable),
        (Reason.NO_ELIGIBLE_REP, _may_serve),
    ):
        told = np.array(rows.get(str(reason), []), dtype=np.int64)
        of_rep = told[certain[told]]
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
        if first <= due[u] <= last and all(f.shift_s(rep, int(due[u])) >= 0 for rep in _needed(f, u))
    }


def _needed(f: PlanFacts, u: int) -> set[int]:
    """Return who would have to come: the rep who is named, and of a joint visit everybody whom its row names."""
    row = int(f.left_single[u])
    named = {int(f.plan.unassigned.rep_idx[u])}
    if row >= 0 and f.rows.joint[row]:
        first = int(f.rows.rep[row])
        if first == ANYBODY and f.aligned is not None:
            first = max(ANYBODY, int(f.aligned[f.plan.unassigned.customer_idx[u]]))
        named |= {first, int(f.rows.second[row])} - {ANYBODY}
    return named


def _service_fits(f: PlanFacts, told: IntArray) -> dict[int, str]:
    """Tell which visits are no longer than a shift on one of the days on which they were allowed."""
    unassigned = f.plan.unassigned
    customer, single = unassigned.customer_idx[told], f.left_single[told]
    remote = np.append(f.rows.remote, False)[single]
    length = lengths(f.plan, f.rows, customer, single, remote)
    # whether a visit by interval would have been a remote one is not known: it takes the longer of the two
    elsewhere = lengths(f.plan, f.rows, customer, single, ~remote)
    length = np.where((single < 0) & (f.plan.settings.remote != "never"), np.maximum(length, elsewhere), length)
    found = {}
    for u, service in zip(told.tolist(), length.tolist(), strict=True):
        low, high = _allowed(f, u)
        needed = _needed(f, u)
        longest = max((min(f.shift_s(rep, day) for rep in needed) for day in range(low, high + 1)), default=-1)
        if service <= longest:
            who = " and ".join(f"rep {f.rep_id(rep)}" for rep in sorted(needed))
            found[u] = f"it takes {service} s, and {who} has a shift of {longest} s"
    return found


def _allowed(f: PlanFacts, u: int) -> tuple[int, int]:
    """Return the first and last day, from 1970, of which the reason of an unassigned visit speaks."""
    due, who = int(_due(f)[u]), int(f.plan.unassigned.customer_idx[u])
    low = high = due
    row = int(f.left_single[u])
    if row >= 0:
        return (due, due) if f.rows.event[row] else (int(f.rows.low[row]), int(f.rows.high[row]))
    if f.complete and f.cadence and f.chains.wanted[who]:
        c = f.chains
        a, b = np.searchsorted(c.customer, [who, who + 1])
        before = int(np.searchsorted(c.day[a:b], due))
        if before and c.width[a + before - 1] >= 0:
            pass
        elif before:
            last = int(c.day[a + before - 1])
            low, high = last + int(c.shortest[who]), last + int(c.longest[who])
        else:
            low, high = int(c.first_from[who]), int(c.first_until[who])
    first, end = _horizon(f)
    return max(first, min(low, due)), min(end, max(high, due))


def _reachable(f: PlanFacts, told: IntArray) -> dict[int, str]:
    """Tell which customers the rep can drive to from home, and from there to where its days end."""
    unassigned = f.plan.unassigned
    pairs = [(u, rep) for u in told.tolist() for rep in sorted(_needed(f, u))]
    of, rep = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    remote = np.append(f.rows.remote, False)[f.left_single[of]]
    there = both_ways(f, unassigned.customer_idx[of], rep, remote)
    cut_off = set(of[~there].tolist())
    return {
        u: f"rep {f.rep_id(unassigned.rep_idx[u])} can drive there and back" for u in told.tolist() if u not in cut_off
    }


def _may_serve(f: PlanFacts, told: IntArray) -> dict[int, str]:
    """Tell which reps have the skills, are not forbidden, and have no lock against them."""
    customers, reps, unassigned = f.plan.customers, f.plan.reps, f.plan.unassigned
    pairs = [(u, rep) for u in told.tolist() for rep in sorted(_needed(f, u))]
    of, rep = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    who = unassigned.customer_idx[of]
    able: BoolArray = ~lacks_skills(customers, reps, who, rep) & ~is_forbidden(customers, reps, who, rep)
    if customers.locked is not None and customers.owner is not None:
        explicit = np.append(f.rows.rep != ANYBODY, False)[f.left_single[of]]
        explicit |= np.append(f.rows.second, ANYBODY)[f.left_single[of]] == rep
        able &= ~(customers.locked[who] & (customers.owner[who] != reps.id[rep])) | explicit
    # nobody visits those; that they are in the plan at all is told elsewhere
    if customers.channel is not None:
        able &= customers.channel[who] != Channel.INSIDE
    if customers.stage is not None:
        able &= customers.stage[who] != Stage.LOST
    unable = set(of[~able].tolist())
    return {
        u: f"rep {f.rep_id(unassigned.rep_idx[u])} may serve the customer" for u in told.tolist() if u not in unable
    }


def _aligned(f: PlanFacts, told: IntArray) -> dict[int, str]:
    """Tell which customers the alignment gives to a rep of the plan, though none is named.

    Of a single visit that names reps nothing is certain.
    """
    aligned = f.aligned if len(told) else None
    if aligned is None:
        return {}
    names = (f.rows.rep != ANYBODY) | (f.rows.second != ANYBODY)
    told = told[~np.append(names, False)[f.left_single[told]]]
    rep = aligned[f.plan.unassigned.customer_idx]
    return {u: f"the customer belongs to rep {f.rep_id(rep[u])}" for u in told[rep[told] >= 0].tolist()}
