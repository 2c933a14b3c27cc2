"""Why a due visit is not in the plan: the first rule that rules it out, said as a sentence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from territory.model.arrays import text_array
from territory.model.enums import Reason
from territory.model.hours import parse_hours
from territory.model.zones import local
from territory.routing.shifts import day_allowed, start_windows
from territory.travel import UNREACHABLE
from territory.units import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
        return Reason.NO_SHIFT, f"{rep} does not work {between}: {_idle(case)}."
    longest = max(b - a for a, b in (hours[n] for n in worked)) + desk.overtime_s
    too_long = _too_long(case.service_s, there, back, longest)
    if too_long is not None:
        return too_long
    open_on = {n: case.open_on(n) for n in worked}
    forbidden = {n: "" if open_on[n] else _forbidden(case, n) for n in worked}
    possible = [n for n in worked if not forbidden[n]]
    if not possible:
        rules = ", ".join(f"{k} by {rule}" for rule, k in sorted(Counter(forbidden.values()).items()))
        days = "1 working day" if len(worked) == 1 else f"{len(worked)} working days"
        return Reason.BLOCKED, f"none of the {days} {between} is allowed: {rules}."
    if not any(open_on.values()):
        length = duration(case.service_s)
        message = f"no opening hours for {length} fall into {rep}'s shift on the {_days(len(possible))} {between}."
        return Reason.NO_COMMON_WINDOW, message
    if desk.max_visits == 0:
        return Reason.OVER_CAPACITY, f"there is no room: {rep} makes no visits (max_visits_per_day is 0)."
    if not any(fits_alone(visit, n) for n in worked if open_on[n]):
        return _unfit(case, {n: windows for n, windows in open_on.items() if windows}, there, back, between)
    days = f"{rep}'s {len(worked)} working days {between}"
    fitting = [n for n in worked if open_on[n]]
    if len(fitting) < len(worked):
        days = f"the {len(fitting)} of {days} on which it is welcome"
    return Reason.OVER_CAPACITY, f"no room was found on any of {days}."


def _days(possible: int) -> str:
    return "1 possible day" if possible == 1 else f"{possible} possible days"


def _unfit(case: _Case, open_on: Mapping[int, Windows], there: int, back: int, between: str) -> tuple[Reason, str]:
    """Return why a visit does not fit days on which it is welcome, even alone."""
    desk, rep = case.desk, str(case.desk.reps.id[case.desk.rep])
    across = [_across_break(desk, n, windows, case.service_s) for n, windows in open_on.items()]
    if all(across):
        message = f"{duration(case.service_s)} at these hours leave no room for {rep}'s break of {across[0]}"
        return Reason.NO_COMMON_WINDOW, f"{message}, on the {_days(len(across))} {between}."
    drive = f"{duration(there)} there, {duration(back)} back"
    around = ", and beside the break" if any(desk.hours(n)[2] for n in open_on) else ""
    return Reason.OUT_OF_REACH, f"even alone on a day the visit does not fit: {drive}, within opening hours{around}."


def _across_break(desk: Desk, n: int, windows: Windows, service_s: int) -> str:
    """Return the break for which a visit of a worked day leaves no room, however near the customer is; blank: none."""
    begin, end = desk.span(n)
    for length_s, earliest, latest in desk.hours(n)[2]:
        opens, closes = earliest + desk.origin, latest + desk.origin
        # who is back when the break's hours begin, or leaves when they end, needs none
        until = max(opens, min(closes, end) - length_s) - service_s
        since = min(closes, max(opens, begin) + length_s)
        if all(until < a and b < since for a, b in windows):
            wall = local(np.array([opens, closes], "datetime64[s]"), text_array([desk.zone] * 2)).astype(str)
            return f"{duration(length_s)} between {wall[0][11:16]} and {wall[1][11:16]}"
    return ""


def _idle(case: _Case) -> str:
    """Return why the rep does not work on any of the days, by number."""
    desk = case.desk
    s, reps = desk.settings, desk.reps
    own = s.rep_holidays.get(str(reps.id[desk.rep]), ())
    counts: Counter[str] = Counter()
    for n in range(case.low, case.high + 1):
        day = s.days[n]
        if reps.leave is not None and reps.leave.covers(desk.rep, day):
            counts["of leave"] += 1
        elif bool(np.isin(day, s.holidays)) or bool(np.isin(day, own)):
            counts["of holidays"] += 1
        elif n in desk.office:
            counts["in the office"] += 1
        else:
            counts["off"] += 1
    return ", ".join(f"{k} day{'' if k == 1 else 's'} {why}" for why, k in counts.items())


def _forbidden(case: _Case, n: int) -> str:
    """Return which of the customer's rules forbids a worked day on which it is not open; blank: none."""
    desk, day = case.desk, case.desk.settings.days[n]
    c, i = desk.customers, int(desk.rows[case.visit])
    if not day_allowed(c, i, day):
        weekdays = 127 if c.preferred_weekdays is None else int(c.preferred_weekdays[i])
        return "week (odd or even)" if weekdays >> int(day.astype(np.int64) + 3) % 7 & 1 else "weekday"
    if c.call_blocks is None or not c.call_blocks[i]:
        return ""
    # the customer's calendar may be at another day than the rep's
    free = start_windows(c, i, desk.span(n), case.service_s, rep_zone=desk.zone, blocked=False)
    return "call block" if free or c.call_blocks.covers(i, day) else ""


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
