"""Whether what is not planned is said to be so, with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.check.eligibility import aligned_reps
from territory.model.enums import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts
    from territory.check.report import Violation

__all__ = ["details_given", "reasons_known", "unassigned_due", "unassigned_not_planned", "unassigned_single"]

#: What can keep everybody from a customer.
_FOR_NOBODY: Final = frozenset({Reason.NO_ELIGIBLE_REP, Reason.UNREACHABLE, Reason.OUT_OF_REACH})


def reasons_known(f: PlanFacts) -> Iterator[Violation]:
    """``reason-unknown`` and ``reason-unfit``."""
    unassigned = f.plan.unassigned
    known = {str(reason) for reason in Reason}
    aligned = aligned_reps(f)
    for u, reason in enumerate(unassigned.reason.tolist()):
        who = f.customer_id(unassigned.customer_idx[u])
        if reason not in known:
            message = f"The reason {reason!r} for an unassigned visit of customer {who} is not known."
            yield f.at_unassigned("reason-unknown", u, message)
        elif aligned is not None and aligned[unassigned.customer_idx[u]] == -1 and reason not in _FOR_NOBODY:
            message = f"Customer {who} belongs to nobody, but the reason for its unassigned visit is {reason!r}."
            yield f.at_unassigned("reason-unfit", u, message)


def details_given(f: PlanFacts) -> Iterator[Violation]:
    """``detail-empty``."""
    unassigned = f.plan.unassigned
    for u, detail in enumerate(unassigned.detail.tolist()):
        if not detail.strip():
            who = f.customer_id(unassigned.customer_idx[u])
            message = f"It is not explained why the visit of customer {who} due on {unassigned.due[u]} is unassigned."
            yield f.at_unassigned("detail-empty", u, message)


def unassigned_single(f: PlanFacts) -> Iterator[Violation]:
    """``unassigned-doubled``."""
    who, due = f.plan.unassigned.customer_idx, f.plan.unassigned.due
    order = np.lexsort((due.astype("datetime64[D]").astype(np.int64), who))
    for j in np.flatnonzero((np.diff(who[order]) == 0) & (due[order][1:] == due[order][:-1])) + 1:
        u = order[j]
        message = f"Customer {f.customer_id(who[u])} has more than one unassigned visit due on {due[u]}."
        yield f.at_unassigned("unassigned-doubled", u, message)


def unassigned_not_planned(f: PlanFacts) -> Iterator[Violation]:
    """``planned-and-unassigned``: on one day; or at all, where one visit in the horizon is all that is due."""
    unassigned = f.plan.unassigned
    if len(unassigned) == 0:
        return
    once = f.plan.customers.visit_interval_days is None
    days = f.day.astype(np.int64).tolist()
    planned = set(zip(f.customer.tolist(), [0] * len(days) if once else days, strict=True))
    due = unassigned.due.astype("datetime64[D]").astype(np.int64).tolist()
    for u, who in enumerate(unassigned.customer_idx.tolist()):
        if (who, 0 if once else due[u]) in planned:
            message = f"A visit of customer {f.customer_id(who)} due on {unassigned.due[u]} is unassigned, but planned."
            yield f.at_unassigned("planned-and-unassigned", u, message)


def unassigned_due(f: PlanFacts) -> Iterator[Violation]:
    """``unassigned-not-due``: inside and lost customers, and those without an interval among others with one."""
    if not (f.complete and f.cadence):
        return
    unassigned = f.plan.unassigned
    wanted = f.chains.wanted
    for u in np.flatnonzero(~wanted[unassigned.customer_idx]):
        who = f.customer_id(unassigned.customer_idx[u])
        message = f"Customer {who} has an unassigned visit due on {unassigned.due[u]}, but is not to be visited."
        yield f.at_unassigned("unassigned-not-due", u, message)
