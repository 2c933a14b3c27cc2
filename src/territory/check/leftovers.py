"""Whether what is not planned is said to be so, with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.check.day_sets import by_day_sets
from territory.check.rows import ANYBODY
from territory.model.enums import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts
    from territory.check.report import Violation
    from territory.model.arrays import DayArray, IdxArray, IntArray

__all__ = ["details_given", "reasons_known", "unassigned_due", "unassigned_not_planned", "unassigned_single"]

#: What can keep everybody from a customer.
_FOR_NOBODY: Final = frozenset({Reason.NO_ELIGIBLE_REP, Reason.UNREACHABLE, Reason.OUT_OF_REACH})


def reasons_known(f: PlanFacts) -> Iterator[Violation]:
    """``reason-unknown`` and ``reason-unfit``."""
    unassigned = f.plan.unassigned
    known = {str(reason) for reason in Reason}
    aligned = f.aligned
    # a single visit may name a rep though its customer has none
    named = np.append(f.rows.rep != ANYBODY, False)[f.left_single]
    for u, reason in enumerate(unassigned.reason.tolist()):
        who = f.customer_id(unassigned.customer_idx[u])
        if reason not in known:
            message = f"The reason {reason!r} for an unassigned visit of customer {who} is not known."
            yield f.at_unassigned("reason-unknown", u, message)
        elif named[u] or aligned is None:
            continue
        elif aligned[unassigned.customer_idx[u]] == -1 and reason not in _FOR_NOBODY:
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
    """``unassigned-doubled``: by interval on one day, or a single visit; of an event, each day is one."""
    who, due = f.plan.unassigned.customer_idx, f.plan.unassigned.due
    of_day = (f.left_single < 0) | np.append(f.rows.event, False)[f.left_single]
    day = np.where(of_day, due.astype("datetime64[D]").astype(np.int64), 0)
    order = np.lexsort((day, f.left_single, who))
    same = np.ones(max(0, len(order) - 1), dtype=bool)
    for column in (who, f.left_single, day):
        same &= column[order][1:] == column[order][:-1]
    for u in order[np.flatnonzero(same) + 1].tolist():
        whom = f"Customer {f.customer_id(who[u])}"
        if f.left_single[u] >= 0:
            message = f"{whom} has visit {f.row_id(f.left_single[u])} unassigned more than once, the last on {due[u]}."
        else:
            message = f"{whom} has more than one unassigned visit due on {due[u]}."
        yield f.at_unassigned("unassigned-doubled", u, message)


def unassigned_not_planned(f: PlanFacts) -> Iterator[Violation]:
    """``planned-and-unassigned``.

    By interval: on one day; or at all, where one visit in the horizon is all that is due. A single visit:
    at all; of an event, the same day.
    """
    unassigned = f.plan.unassigned
    if len(unassigned) == 0:
        return
    once = f.plan.customers.visit_interval_days is None

    def keys(customer: IdxArray, single: IntArray, day: DayArray) -> list[tuple[int, int, int]]:
        event = np.append(f.rows.event, False)[single]
        whole = np.where(single < 0, once, ~event)
        days = np.where(whole, 0, day.astype("datetime64[D]").astype(np.int64))
        return list(zip(customer.tolist(), single.tolist(), days.tolist(), strict=True))

    planned = set(keys(f.customer, f.single, f.day))
    for u, key in enumerate(keys(unassigned.customer_idx, f.left_single, unassigned.due)):
        if key in planned:
            who = f.customer_id(unassigned.customer_idx[u])
            message = f"A visit of customer {who} due on {unassigned.due[u]} is unassigned, but planned."
            yield f.at_unassigned("planned-and-unassigned", u, message)


def unassigned_due(f: PlanFacts) -> Iterator[Violation]:
    """``unassigned-not-due``: inside and lost customers, and those without an interval among others with one.

    Of single visits, those that lie outside the horizon.
    """
    outside = ~np.append(f.rows.within, True)[f.left_single]
    for u in np.flatnonzero(outside):
        message = f"Visit {f.row_id(f.left_single[u])} is unassigned, but none of its days lies in the horizon."
        yield f.at_unassigned("unassigned-not-due", u, message)
    if not (f.complete and f.cadence):
        return
    unassigned = f.plan.unassigned
    wanted = f.chains.wanted | by_day_sets(f.plan)
    for u in np.flatnonzero(~wanted[unassigned.customer_idx] & (f.left_single < 0)):
        who = f.customer_id(unassigned.customer_idx[u])
        message = f"Customer {who} has an unassigned visit due on {unassigned.due[u]}, but is not to be visited."
        yield f.at_unassigned("unassigned-not-due", u, message)
