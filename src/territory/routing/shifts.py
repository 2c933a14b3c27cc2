"""From calendars to seconds: when a rep works on a day, and when a customer may be visited."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np

from territory.model.enums import HoursBind, Parity
from territory.model.hours import Intervals, Week, parse_hours
from territory.model.zones import utc_second
from territory.units import DAY_S, HOUR_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings

__all__ = ["Break", "Windows", "break_of", "day_allowed", "shift_of", "start_windows", "zone_of"]

#: Intervals, sorted and disjoint, in which a visit may start; both ends included, seconds.
Windows: TypeAlias = tuple[tuple[int, int], ...]

#: The break lies between these hours where the rep does not say: a late lunch is still one.
BREAK_EARLIEST_S: Final = 11 * HOUR_S
BREAK_LATEST_S: Final = 14 * HOUR_S


class Break(NamedTuple):
    """A break of `length_s` that starts at `earliest` or later and ends by `latest`, seconds."""

    length_s: int
    earliest: int
    latest: int


def _number(day: np.datetime64) -> int:
    return int(day.astype("datetime64[D]").astype(np.int64))


def _weekday(number: int) -> int:
    return (number + 3) % 7  # 1970-01-01 was a Thursday


def zone_of(table: Customers | Reps, row: int) -> str:
    """Return the zone of a row; blank where it has none."""
    return "" if table.timezone is None else str(table.timezone[row])


def shift_of(reps: Reps, rep: int, day: np.datetime64, settings: PlanSettings) -> tuple[int, int] | None:
    """Return when rep `rep` works on a day, UTC seconds since 1970; None: a day off, leave or holiday."""
    if bool(np.isin(day, settings.holidays)) or (reps.leave is not None and reps.leave.covers(rep, day)):
        return None
    number = _number(day)
    week = parse_hours(settings.default_shift) if reps.shift is None else reps.shift[rep]
    hours = week[_weekday(number)]
    if not hours:
        return None
    zone = zone_of(reps, rep)
    begin, end = utc_second(number, hours[0][0], zone), utc_second(number, hours[-1][1], zone)
    # a clock that jumps ahead may skip the begin, and land beyond the end
    return (begin, end) if begin <= end else None


def break_of(reps: Reps, rep: int, day: np.datetime64) -> Break | None:
    """Return the rep's break on a day, UTC seconds; None: no break."""
    if reps.break_s is None or reps.break_s[rep] <= 0:
        return None
    early = BREAK_EARLIEST_S if reps.break_earliest_s is None else int(np.ceil(reps.break_earliest_s[rep]))
    late = BREAK_LATEST_S if reps.break_latest_s is None else int(reps.break_latest_s[rep])
    number, zone = _number(day), zone_of(reps, rep)
    return Break(int(np.ceil(reps.break_s[rep])), utc_second(number, early, zone), utc_second(number, late, zone))


@lru_cache(maxsize=1024)
def _iso_week(number: int) -> int:
    return int((np.datetime64(number, "D")).astype(object).isocalendar()[1])


def day_allowed(customers: Customers, i: int, day: np.datetime64) -> bool:
    """Return whether customer `i` may be visited on a day, going by weekday and week parity."""
    number = _number(day)
    c = customers
    if c.preferred_weekdays is not None and not int(c.preferred_weekdays[i]) >> _weekday(number) & 1:
        return False
    if c.week_parity is not None and c.week_parity[i] != Parity.ANY:
        return (_iso_week(number) % 2 == 1) is bool(c.week_parity[i] == Parity.ODD)
    return True


def start_windows(
    customers: Customers, i: int, shift: tuple[int, int], service_s: int, *, rep_zone: str = "", blocked: bool = True
) -> Windows:
    """Return when a visit of customer `i` may start within a shift, UTC seconds; empty: not at all.

    Opening hours are those of the customer's own clock, or of the rep's where it has none; on days
    of a call block it is closed. The visit lies within one opening interval (or starts in it, where
    `hours_bind` says so; it still ends before the next call block) and within the shift. With `blocked`
    false call blocks do not count.
    """
    week = None if customers.opening_hours is None else customers.opening_hours[i]
    blocks = () if customers.call_blocks is None or not blocked else customers.call_blocks[i]
    zone = zone_of(customers, i) or rep_zone
    binds_start = customers.hours_bind is not None and customers.hours_bind[i] == HoursBind.START
    days = range(shift[0] // DAY_S - 1, shift[1] // DAY_S + 2)
    if blocks:
        closed = {d for d in days for a, b in blocks if _number(a) <= d <= _number(b)}
        open_days = tuple(d for d in days if d not in closed)
    else:
        open_days = tuple(days)
    return _windows(week, open_days, zone, shift, service_s, binds_start=binds_start)


@lru_cache(maxsize=1 << 16)
def _windows(
    week: Week | None, days: tuple[int, ...], zone: str, shift: tuple[int, int], service_s: int, *, binds_start: bool
) -> Windows:
    spans = _spans(days, lambda day: ((0, DAY_S),) if week is None else week[_weekday(day)], zone)
    # a visit that may run on after hours still does not run into a call block
    free = _spans(days, lambda _: ((0, DAY_S),), zone) if binds_start else spans
    found = []
    for low, high in spans:
        until = next((b for a, b in free if a <= low <= b), high)
        first = max(low, shift[0])
        last = min(high, until - service_s, shift[1] - service_s)
        if first <= last:
            found.append((first, last))
    return tuple(found)


def _spans(days: tuple[int, ...], hours: Callable[[int], Intervals], zone: str) -> list[tuple[int, int]]:
    """Return the hours of some days as UTC seconds; those that touch are one."""
    spans: list[tuple[int, int]] = []
    for day in days:
        for opens, closes in hours(day):
            low, high = utc_second(day, opens, zone), utc_second(day, closes, zone)
            if spans and low <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(high, spans[-1][1]))
            else:
                spans.append((low, high))
    return spans
