"""Whether reps work only when they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts
    from territory.check.report import Violation

__all__ = ["holidays_kept", "leave_kept", "max_visits_kept", "shifts_kept", "weekdays_worked"]

_SECOND = np.timedelta64(1, "s")


def holidays_kept(f: PlanFacts) -> Iterator[Violation]:
    """``on-holiday``."""
    routes = f.plan.routes
    for r in np.flatnonzero(np.isin(routes.day, f.plan.settings.holidays)):
        message = f"Rep {f.rep_id(routes.rep_idx[r])} has a route on {routes.day[r]}, a holiday."
        yield f.at_route("on-holiday", r, message)


def leave_kept(f: PlanFacts) -> Iterator[Violation]:
    """``on-leave``."""
    routes, leave = f.plan.routes, f.plan.reps.leave
    if leave is None:
        return
    takes_some = np.array([bool(cell) for cell in leave.cells], dtype=bool)
    for r in np.flatnonzero(takes_some[leave.code[routes.rep_idx]]):
        rep, day = int(routes.rep_idx[r]), routes.day[r]
        for first, last in leave[rep]:
            if first <= day <= last:
                message = f"Rep {f.rep_id(rep)} has a route on {day}, but is on leave from {first} to {last}."
                yield f.at_route("on-leave", r, message)
                break


def weekdays_worked(f: PlanFacts) -> Iterator[Violation]:
    """``no-shift``."""
    routes = f.plan.routes
    for r in np.flatnonzero(np.isnat(f.shift[0])):
        weekday = routes.day[r].item().strftime("%A")
        message = f"Rep {f.rep_id(routes.rep_idx[r])} has a route on {routes.day[r]}, but does not work on a {weekday}."
        yield f.at_route("no-shift", r, message)


def shifts_kept(f: PlanFacts) -> Iterator[Violation]:
    """``before-shift`` and ``after-shift``."""
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
    for r in np.flatnonzero(back > until):
        rep = routes.rep_idx[r]
        message = (
            f"Rep {f.rep_id(rep)} is back at {f.clock(back[r], rep)}, after the shift ends at {f.clock(until[r], rep)}."
        )
        yield f.at_route("after-shift", r, message, float((back[r] - until[r]) / _SECOND))


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
