"""Whether reps work only when they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.check.facts import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts
    from territory.check.report import Violation
    from territory.model.arrays import InstantArray, IntArray

__all__ = [
    "holidays_kept",
    "leave_kept",
    "max_visits_kept",
    "office_days_kept",
    "prep_and_admin_kept",
    "shifts_kept",
    "weekdays_worked",
]

_SECOND = np.timedelta64(1, "s")


def _days(f: PlanFacts) -> Iterator[tuple[int, int, int]]:
    """Hand out row, rep and day (from 1970) of each route."""
    routes = f.plan.routes
    days = routes.day.astype("datetime64[D]").astype(np.int64).tolist()
    yield from zip(range(len(routes)), routes.rep_idx.tolist(), days, strict=True)


def holidays_kept(f: PlanFacts) -> Iterator[Violation]:
    """``on-holiday``: everybody's holidays and the rep's own, unless that very day has hours of its own."""
    for r, rep, day in _days(f):
        if f.work.holiday(rep, day):
            message = f"Rep {f.rep_id(rep)} has a route on {f.plan.routes.day[r]}, a holiday."
            yield f.at_route("on-holiday", r, message)


def leave_kept(f: PlanFacts) -> Iterator[Violation]:
    """``on-leave``."""
    for r, rep, day in _days(f):
        leave = f.work.leave(rep, day)
        if leave is not None:
            first, last = leave
            message = (
                f"Rep {f.rep_id(rep)} has a route on {f.plan.routes.day[r]}, but is on leave from {first} to {last}."
            )
            yield f.at_route("on-leave", r, message)


def weekdays_worked(f: PlanFacts) -> Iterator[Violation]:
    """``no-shift``."""
    routes = f.plan.routes
    for r in np.flatnonzero(np.isnat(f.shift[0])):
        rep, day = int(routes.rep_idx[r]), routes.day[r]
        off = f.work.exception(rep, int(day.astype("datetime64[D]").astype(np.int64))) is not None
        why = "has that day off" if off else f"does not work on a {day.item():%A}"
        yield f.at_route("no-shift", r, f"Rep {f.rep_id(rep)} has a route on {day}, but {why}.")


def office_days_kept(f: PlanFacts) -> Iterator[Violation]:
    """``office-day``: contacts from home are none in the field."""
    in_field = np.unique(f.route[~f.remote & (f.route >= 0)]).tolist()
    office = {r for r, rep, day in _days(f) if f.work.office(rep, day)}
    for r in sorted(office.intersection(in_field)):
        rep = f.plan.routes.rep_idx[r]
        message = f"Rep {f.rep_id(rep)} has visits in the field on {f.plan.routes.day[r]}, an office day."
        yield f.at_route("office-day", r, message)


def shifts_kept(f: PlanFacts) -> Iterator[Violation]:
    """``before-shift``, ``after-shift`` and ``overtime-too-long``."""
    routes = f.plan.routes
    begin, until = f.shift
    leave, back = routes.leave.astype("datetime64[s]"), routes.back.astype("datetime64[s]")
    for r in np.flatnonzero(leave < begin):
        rep = routes.rep_idx[r]
        message = (
            f"Rep {f.rep_id(rep)} leaves at {f.clock(leave[r], rep)}, "
            f"before the shift begins at {f.clock(begin[r], rep)}."
        )
        yield f.at_route("before-shift", r, message, float((begin[r] - leave[r]) / _SECOND))
    over = _around_s(f)[2]
    for r in np.flatnonzero(back > until + seconds(over)):
        rep = routes.rep_idx[r]
        message = f"Rep {f.rep_id(rep)} is back at {f.clock(back[r], rep)}"
        off = (back[r] - until[r]) / _SECOND
        if over[r] == 0:
            message += f", after the shift ends at {f.clock(until[r], rep)}."
            yield f.at_route("after-shift", r, message, float(off))
        else:
            message += f", {off:.0f} s after the shift ends at {f.clock(until[r], rep)}; {over[r]} s are allowed."
            yield f.at_route("overtime-too-long", r, message, float(off - over[r]))


def prep_and_admin_kept(f: PlanFacts) -> Iterator[Violation]:
    """``prep-missing`` and ``admin-missing``: a break that lies there takes none of the time that they need.

    Of routes that begin in the shift and end in it or its overtime; of others, `shifts_kept` tells.
    """
    routes, (begin, until) = f.plan.routes, f.shift
    leave, back = routes.leave.astype("datetime64[s]"), routes.back.astype("datetime64[s]")
    rest = routes.break_start.astype("datetime64[s]")
    rest_end = rest + seconds(routes.break_s)
    prep, admin, over = _around_s(f)
    before = _length(begin, leave) - _length(np.maximum(begin, rest), np.minimum(leave, rest_end))
    for r in np.flatnonzero((leave >= begin) & (before < prep)):
        rep = routes.rep_idx[r]
        message = (
            f"Rep {f.rep_id(rep)} leaves at {f.clock(leave[r], rep)}: the shift begins at {f.clock(begin[r], rep)}, "
            f"which leaves {before[r]} s to prepare, not {prep[r]} s."
        )
        yield f.at_route("prep-missing", r, message, float(prep[r] - before[r]))
    last = until + seconds(over)
    after = _length(back, last) - _length(np.maximum(back, rest), np.minimum(last, rest_end))
    for r in np.flatnonzero((back <= last) & (after < admin)):
        rep = routes.rep_idx[r]
        message = (
            f"Rep {f.rep_id(rep)} is back at {f.clock(back[r], rep)}: the shift ends at {f.clock(until[r], rep)}, "
            f"which leaves {after[r]} s for the work afterwards, not {admin[r]} s."
        )
        yield f.at_route("admin-missing", r, message, float(admin[r] - after[r]))


def _around_s(f: PlanFacts) -> tuple[IntArray, IntArray, IntArray]:
    """Return preparation, work afterwards and overtime of each route, seconds; none on office days."""
    away = np.array([not f.work.office(rep, day) for _, rep, day in _days(f)], dtype=bool)
    prep, admin, over = (each[f.plan.routes.rep_idx] * away for each in f.work.around_s)
    return prep, admin, over


def _length(begin: InstantArray, end: InstantArray) -> IntArray:
    """Return how long intervals are, whole seconds; 0 where they end before they begin, or a time is not known."""
    length = (end - begin) / _SECOND
    return np.where(length > 0, length, 0).astype(np.int64)


def max_visits_kept(f: PlanFacts) -> Iterator[Violation]:
    """``too-many-visits``."""
    most = f.plan.reps.max_visits_per_day
    if most is None:
        return
    for g in np.flatnonzero(f.count > most[f.rep[f.first_stop]]):
        i = f.first_stop[g]
        limit = int(most[f.rep[i]])
        message = f"Rep {f.rep_id(f.rep[i])} has {f.count[g]} visits on {f.day[i]}; the most a day are {limit}."
        yield f.at_day("too-many-visits", i, message, float(f.count[g] - limit))
