"""Whether a day works out in time: drives between visits, visits as long as they take.

A missing time (NaT) compares as false with everything, so that it breaks none of these rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.check.facts import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts
    from territory.check.report import Violation

__all__ = ["arrivals_possible", "back_possible", "ends_right", "starts_after_arrivals"]

_SECOND = np.timedelta64(1, "s")


def arrivals_possible(f: PlanFacts) -> Iterator[Violation]:
    """``arrival-too-early``: after the visit before, or after leaving, there is time for the drive."""
    if len(f.row) == 0:
        return
    leave = f.plan.routes.leave.astype("datetime64[s]")
    leave = np.append(leave, np.datetime64("NaT", "s"))  # of stops without a route
    free = np.where(f.first, leave[f.route], np.roll(f.end, 1))
    earliest = free + seconds(f.legs.drive_s)
    for i in np.flatnonzero((f.arrival < earliest) & f.legs.reachable):
        rep = f.rep[i]
        before = "leaves" if f.first[i] else f"ends the visit of customer {f.customer_id(f.customer[i - 1])}"
        message = (
            f"Rep {f.rep_id(rep)} arrives at customer {f.customer_id(f.customer[i])} at {f.clock(f.arrival[i], rep)}, "
            f"but {before} at {f.clock(free[i], rep)} and drives {f.legs.drive_s[i]} s."
        )
        yield f.at_stop("arrival-too-early", i, message, float((earliest[i] - f.arrival[i]) / _SECOND))


def starts_after_arrivals(f: PlanFacts) -> Iterator[Violation]:
    """``start-before-arrival``."""
    for i in np.flatnonzero(f.start < f.arrival):
        rep = f.rep[i]
        message = (
            f"The visit of customer {f.customer_id(f.customer[i])} starts at {f.clock(f.start[i], rep)}, before "
            f"rep {f.rep_id(rep)} arrives at {f.clock(f.arrival[i], rep)}."
        )
        yield f.at_stop("start-before-arrival", i, message, float((f.arrival[i] - f.start[i]) / _SECOND))


def ends_right(f: PlanFacts) -> Iterator[Violation]:
    """``end-wrong``."""
    right = f.start + seconds(f.service_s)
    for i in np.flatnonzero((f.end < right) | (f.end > right)):
        rep = f.rep[i]
        takes = int((f.end[i] - f.start[i]) / _SECOND)
        message = (
            f"The visit of customer {f.customer_id(f.customer[i])} from {f.clock(f.start[i], rep)} to "
            f"{f.clock(f.end[i], rep)} takes {takes} s, not {f.service_s[i]} s."
        )
        yield f.at_stop("end-wrong", i, message, float(abs((f.end[i] - right[i]) / _SECOND)))


def back_possible(f: PlanFacts) -> Iterator[Violation]:
    """``back-too-early``: after the last visit there is time for the last drive."""
    routes = f.plan.routes
    driven = np.flatnonzero((f.route_group >= 0) & f.legs.home_reachable)
    end = f.end[f.last_stop[f.route_group[driven]]]
    back = routes.back[driven].astype("datetime64[s]")
    earliest = end + seconds(f.legs.home_s[driven])
    for j in np.flatnonzero(back < earliest):
        r, rep = driven[j], routes.rep_idx[driven[j]]
        message = (
            f"Rep {f.rep_id(rep)} is back at {f.clock(back[j], rep)}, but ends the last visit at "
            f"{f.clock(end[j], rep)} and drives {f.legs.home_s[r]} s."
        )
        yield f.at_route("back-too-early", r, message, float((earliest[j] - back[j]) / _SECOND))
