"""Why a due visit is not in the plan: the first rule that rules it out, said as a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from territory.model.enums import Reason
from territory.model.hours import parse_hours
from territory.routing.shifts import day_allowed
from territory.travel import UNREACHABLE
from territory.units import duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.routing.desk import Desk
    from territory.routing.shifts import Windows

__all__ = ["why_missed"]


def why_missed(
    desk: Desk,
    visit: int,
    low: int,
    high: int,
    *,
    fits_alone: Callable[[int, int], bool],
    open_on: Callable[[int], Windows] | None = None,
    service_s: int | None = None,
    remote: bool = False,
    every_days: int | None = None,
    timed_out: bool = False,
) -> tuple[Reason, str]:
    """Return why a visit could not be planned.

    Parameters
    ----------
    desk : Desk
    visit : int
        Position among the rep's customers.
    low, high : int
        Days of the horizon on which it was allowed, both included.
    fits_alone : callable
        Called with the visit and a worked day: whether it fits if it is the only one.
    open_on : callable, optional
        Called with a worked day: when the visit may start then. Default: by the customer's calendar alone.
    service_s : int, optional
        Its length; default: the customer's.
    remote : bool
        Whether it is a contact from home.
    every_days : int, optional
        Most days between two of the customer's visits.
    timed_out : bool
        Whether planning ran out of time.

    Returns
    -------
    Reason, str
    """
    low, high = max(low, 0), min(high, desk.settings.n_days - 1)
    case = _Case(
        desk, visit, low, high, int(desk.service_s[visit]) if service_s is None else service_s, remote,
        (lambda n: desk.windows(visit, n)) if open_on is None else open_on,
    )  # fmt: skip
    reason, detail = _rule(case, fits_alone)
    if reason is Reason.NO_SHIFT and every_days is not None and every_days < _idle_days(desk, low, high):
        due = "every day" if every_days == 1 else f"every {every_days} days"
        return Reason.TOO_OFTEN, f"a visit is due {due}, more often than {desk.reps.id[desk.rep]} works."
    if reason is Reason.OVER_CAPACITY and timed_out:
        return Reason.TIME_LIMIT, "the time limit ended the search before this visit was tried everywhere."
    return reason, detail


@dataclass(frozen=True)
class _Case:
    """A visit that is missed, the days from `low` to `high` on which it could have been made, and when then."""

    desk: Desk
    visit: int
    low: int
    high: int
    service_s: int
    remote: bool
    open_on: Callable[[int], Windows]


def _rule(case: _Case, fits_alone: Callable[[int, int], bool]) -> tuple[Reason, str]:
    """Return the first rule that rules the visit out."""
    desk, visit = case.desk, case.visit
    i = int(desk.rows[visit])
    rep = str(desk.reps.id[desk.rep])
    first, last = desk.settings.days[case.low], desk.settings.days[case.high]
    between = f"on {first}" if first == last else f"between {first} and {last}"
    hours = {**desk.shifts, **desk.office} if case.remote else desk.shifts
    worked = [n for n in range(case.low, case.high + 1) if n in hours]
    there, back = int(desk.durations_s[0, visit + 1]), int(desk.durations_s[visit + 1, desk.end])
    if case.remote:
        there = back = 0
    if max(there, back) >= UNREACHABLE:
        return Reason.UNREACHABLE, f"there is no way for {rep} to drive there and back."
    if not worked:
        return Reason.NO_SHIFT, f"{rep} does not work {between} (days off, leave or holidays)."
    too_long = _too_long(case.service_s, there, back, max(b - a for a, b in (hours[n] for n in worked)))
    if too_long is not None:
        return too_long
    days = [desk.settings.days[n] for n in worked]
    blocks = desk.customers.call_blocks
    open_on = {n: case.open_on(n) for n in worked}
    possible = [
        d for n, d in zip(worked, days, strict=True)
        if open_on[n]
        or (day_allowed(desk.customers, i, d) and not (blocks is not None and blocks.covers(i, d)))
    ]  # fmt: skip
    if not possible:
        message = f"none of the {len(days)} working days {between} is allowed by weekday, week or call block."
        return Reason.BLOCKED, message
    if not any(open_on.values()):
        length = duration(case.service_s)
        message = (
            f"no opening hours for {length} fall into {rep}'s shift on the {len(possible)} possible days {between}."
        )
        return Reason.NO_COMMON_WINDOW, message
    if desk.max_visits == 0:
        return Reason.OVER_CAPACITY, f"there is no room: {rep} makes no visits (max_visits_per_day is 0)."
    if not any(fits_alone(visit, n) for n in worked if open_on[n]):
        drive = f"{duration(there)} there, {duration(back)} back"
        return Reason.OUT_OF_REACH, f"even alone on a day the visit does not fit: {drive}, within opening hours."
    return Reason.OVER_CAPACITY, f"no room was found on any of {rep}'s {len(worked)} working days {between}."


def _idle_days(desk: Desk, low: int, high: int) -> int:
    """Return how many days apart the rep's working weekdays are around some idle days; 0 if not they are the cause."""
    s = desk.settings
    week = parse_hours(s.default_shift) if desk.reps.shift is None else desk.reps.shift[desk.rep]
    works = [bool(week[(int(s.start.astype(np.int64)) + 3 + n) % 7]) for n in range(low - 7, high + 8)]
    if not any(works) or any(works[7 : 8 + high - low]):
        return 0
    after = works.index(True, 7)
    before = max(n for n in range(7) if works[n])
    return after - before


def _too_long(service: int, there: int, back: int, longest: int) -> tuple[Reason, str] | None:
    if service > longest:
        return (
            Reason.SERVICE_TOO_LONG,
            f"the visit takes {duration(service)}, the longest shift only {duration(longest)}.",
        )
    if there + service + back > longest:
        drive = f"driving there and back takes {duration(there + back)}"
        return Reason.OUT_OF_REACH, f"{drive}, with the visit more than the shift of {duration(longest)}."
    return None
