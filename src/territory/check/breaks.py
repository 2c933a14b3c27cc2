"""Whether reps who take a break have one, where nothing else happens.

A rep whose ``break_s`` is above 0 takes one break of that length (rounded up to whole seconds) in a
day with visits, within the window from ``break_earliest_s`` to ``break_latest_s`` of the rep's
wall clock, by default 11:00 to 14:00. A route that is back when the window opens, or leaves when
it closes, needs none, but may have one. A break need not lie between leaving and being back: who
is home at 11:05 can take it there. On a day on which the clock skips so much of the window that the
break does not fit what is left, none is due.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.check.facts import seconds
from territory.check.wall import to_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts
    from territory.check.report import Violation
    from territory.model.arrays import InstantArray, IntArray

__all__ = ["breaks_in_window", "breaks_long_enough", "breaks_taken", "breaks_without_drives", "breaks_without_visits"]

#: Where a rep has no window of its own, seconds of the local day.
_EARLIEST_S: Final = 11 * 3600
_LATEST_S: Final = 14 * 3600
_SECOND = np.timedelta64(1, "s")


@dataclass(frozen=True, eq=False)
class _Breaks:
    """The break of each route: what is there and what the rep wants."""

    begin: InstantArray
    end: InstantArray
    told_s: IntArray
    wanted_s: IntArray
    opens: InstantArray
    closes: InstantArray


def _breaks(f: PlanFacts) -> _Breaks:
    routes, reps = f.plan.routes, f.plan.reps
    n = len(reps)
    wanted = np.zeros(n, np.int64) if reps.break_s is None else np.ceil(reps.break_s).astype(np.int64)
    early = np.full(n, _EARLIEST_S) if reps.break_earliest_s is None else np.ceil(reps.break_earliest_s)
    late = np.full(n, _LATEST_S) if reps.break_latest_s is None else np.floor(reps.break_latest_s)
    opens = np.full(len(routes), np.datetime64("NaT", "s"))
    closes = opens.copy()
    days = routes.day.astype("datetime64[D]").astype(np.int64).tolist()
    for r, (rep, day) in enumerate(zip(routes.rep_idx.tolist(), days, strict=True)):
        if wanted[rep] > 0:
            zone = str(f.rep_zone[rep])
            opens[r] = np.datetime64(to_utc(day, int(early[rep]), zone), "s")
            closes[r] = np.datetime64(to_utc(day, int(late[rep]), zone), "s")
    begin = routes.break_start.astype("datetime64[s]")
    return _Breaks(begin, begin + seconds(routes.break_s), routes.break_s, wanted[routes.rep_idx], opens, closes)


def breaks_taken(f: PlanFacts) -> Iterator[Violation]:
    """``break-missing`` and ``break-unexpected``."""
    routes, b = f.plan.routes, _breaks(f)
    inside = ~((routes.back <= b.opens) | (routes.leave >= b.closes))
    inside &= b.closes - b.opens >= b.wanted_s.astype("timedelta64[s]")
    for r in np.flatnonzero(np.isnat(b.begin) & (b.wanted_s > 0) & inside & (f.route_group >= 0)):
        rep = routes.rep_idx[r]
        message = (
            f"Rep {f.rep_id(rep)} has no break on {routes.day[r]}; one of {b.wanted_s[r]} s is due between "
            f"{f.clock(b.opens[r], rep)} and {f.clock(b.closes[r], rep)}."
        )
        yield f.at_route("break-missing", r, message, float(b.wanted_s[r]))
    for r in np.flatnonzero((b.wanted_s == 0) & (~np.isnat(b.begin) | (b.told_s != 0))):
        message = f"Rep {f.rep_id(routes.rep_idx[r])} takes no breaks, but has one on {routes.day[r]}."
        yield f.at_route("break-unexpected", r, message, float(b.told_s[r]))


def breaks_long_enough(f: PlanFacts) -> Iterator[Violation]:
    """``break-length-wrong``: too short or too long, or a length without a start."""
    routes, b = f.plan.routes, _breaks(f)
    due = np.where(np.isnat(b.begin), 0, b.wanted_s)
    for r in np.flatnonzero((b.wanted_s > 0) & (b.told_s != due)):
        message = (
            f"The break of rep {f.rep_id(routes.rep_idx[r])} on {routes.day[r]} takes {b.told_s[r]} s, not {due[r]} s."
        )
        yield f.at_route("break-length-wrong", r, message, float(abs(b.told_s[r] - due[r])))


def breaks_in_window(f: PlanFacts) -> Iterator[Violation]:
    """``break-outside-window``."""
    routes, b = f.plan.routes, _breaks(f)
    for r in np.flatnonzero((b.begin < b.opens) | (b.end > b.closes)):
        rep = routes.rep_idx[r]
        message = (
            f"The break of rep {f.rep_id(rep)} from {f.clock(b.begin[r], rep)} to {f.clock(b.end[r], rep)} is not "
            f"between {f.clock(b.opens[r], rep)} and {f.clock(b.closes[r], rep)}."
        )
        off = max((b.opens[r] - b.begin[r]) / _SECOND, (b.end[r] - b.closes[r]) / _SECOND)
        yield f.at_route("break-outside-window", r, message, float(off))


def breaks_without_drives(f: PlanFacts) -> Iterator[Violation]:
    """``break-during-drive``: drives end with the arrival, the last one with being back."""
    routes, b = f.plan.routes, _breaks(f)
    begin, end = _of_stops(f, b.begin), _of_stops(f, b.end)
    leaves = f.arrival - seconds(f.legs.drive_s)
    for i in np.flatnonzero((begin < f.arrival) & (end > leaves) & (f.legs.drive_s > 0)):
        rep = f.rep[i]
        message = (
            f"The break of rep {f.rep_id(rep)} from {f.clock(begin[i], rep)} to {f.clock(end[i], rep)} overlaps the "
            f"drive from {f.clock(leaves[i], rep)} to {f.clock(f.arrival[i], rep)} "
            f"to customer {f.customer_id(f.customer[i])}."
        )
        overlap = min(end[i], f.arrival[i]) - max(begin[i], leaves[i])
        yield f.at_stop("break-during-drive", i, message, float(overlap / _SECOND))
    back = routes.back.astype("datetime64[s]")
    leaves = back - seconds(f.legs.home_s)
    for r in np.flatnonzero((b.begin < back) & (b.end > leaves) & (f.legs.home_s > 0)):
        rep = routes.rep_idx[r]
        message = (
            f"The break of rep {f.rep_id(rep)} from {f.clock(b.begin[r], rep)} to {f.clock(b.end[r], rep)} overlaps "
            f"the last drive from {f.clock(leaves[r], rep)} to {f.clock(back[r], rep)}."
        )
        overlap = min(b.end[r], back[r]) - max(b.begin[r], leaves[r])
        yield f.at_route("break-during-drive", r, message, float(overlap / _SECOND))


def breaks_without_visits(f: PlanFacts) -> Iterator[Violation]:
    """``break-during-visit``."""
    b = _breaks(f)
    begin, end = _of_stops(f, b.begin), _of_stops(f, b.end)
    for i in np.flatnonzero((begin < f.end) & (end > f.start)):
        rep = f.rep[i]
        message = (
            f"The break of rep {f.rep_id(rep)} from {f.clock(begin[i], rep)} to {f.clock(end[i], rep)} overlaps "
            f"the visit of customer {f.customer_id(f.customer[i])} "
            f"from {f.clock(f.start[i], rep)} to {f.clock(f.end[i], rep)}."
        )
        overlap = min(end[i], f.end[i]) - max(begin[i], f.start[i])
        yield f.at_stop("break-during-visit", i, message, float(overlap / _SECOND))


def _of_stops(f: PlanFacts, times: InstantArray) -> InstantArray:
    """Return a time of routes for each stop; NaT for stops without a route."""
    known = np.append(times, np.datetime64("NaT", "s"))
    return np.asarray(known[f.route])
