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

    from territory.model.arrays import FloatArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings

__all__ = ["Break", "RepDay", "Windows", "break_of", "day_allowed", "rep_day", "shift_of", "start_windows", "zone_of"]

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


class RepDay(NamedTuple):
    """A day that a rep works; instants are UTC seconds since 1970.

    Attributes
    ----------
    begin, end : int
        The shift that is paid.
    leave : int
        Leaves no earlier: `begin`, and ``prep_s`` after it.
    back : int
        Is back no later, but for overtime: ``admin_s`` before `end`. Earlier than `leave` where they
        leave no time for the field.
    overtime_s : int
        How much later than `back` the rep may be back, at a price.
    office : bool
        An office day: no visits in the field; nobody leaves, so that `leave` and `back` are begin and
        end, and there is no overtime.
    """

    begin: int
    end: int
    leave: int
    back: int
    overtime_s: int
    office: bool


def _number(day: np.datetime64) -> int:
    return int(day.astype("datetime64[D]").astype(np.int64))


def _weekday(number: int) -> int:
    return (number + 3) % 7  # 1970-01-01 was a Thursday


def zone_of(table: Customers | Reps, row: int) -> str:
    """Return the zone of a row; blank where it has none."""
    return "" if table.timezone is None else str(table.timezone[row])


def _hours(reps: Reps, rep: int, day: np.datetime64, settings: PlanSettings) -> Intervals:
    """Return the working hours of a day: leave wins over the exceptions of the day, these over holidays."""
    if reps.leave is not None and reps.leave.covers(rep, day):
        return ()
    own = None if reps.shift_exceptions is None else reps.shift_exceptions.on(rep, day)
    if own is not None:
        return own
    if bool(np.isin(day, settings.holidays)) or bool(np.isin(day, settings.rep_holidays.get(str(reps.id[rep]), ()))):
        return ()
    week = parse_hours(settings.default_shift) if reps.shift is None else reps.shift[rep]
    return week[_weekday(_number(day))]


def _of(column: FloatArray | None, rep: int, *, up: bool) -> int:
    """Return a duration of a rep in whole seconds, 0 where there is none."""
    if column is None:
        return 0
    return int(np.ceil(column[rep])) if up else int(np.floor(column[rep]))


def rep_day(reps: Reps, rep: int, day: np.datetime64, settings: PlanSettings) -> RepDay | None:
    """Return what a rep's day is like; None: a day off, leave or a holiday.

    Parameters
    ----------
    reps : Reps
    rep : int
    day : datetime64[D]
        Of the rep's calendar.
    settings : PlanSettings

    Notes
    -----
    Preparation and work afterwards are rounded up to whole seconds, overtime down. They last as long as
    they are on days on which clocks change, too.

    Examples
    --------
    >>> from territory import PlanSettings, Reps
    >>> reps = Reps(id=["R"], lon=[13.4], lat=[52.5], shift=["Mo 08:00-17:00"], prep_s=[1800], max_overtime_s=[3600])
    >>> monday = rep_day(reps, 0, np.datetime64("1970-01-05"), PlanSettings("1971-01-04", 7, []))
    >>> [t // 3600 % 24 for t in monday[:4]], monday.overtime_s
    ([8, 17, 8, 17], 3600)
    """
    hours = _hours(reps, rep, day, settings)
    if not hours:
        return None
    number, zone = _number(day), zone_of(reps, rep)
    begin, end = utc_second(number, hours[0][0], zone), utc_second(number, hours[-1][1], zone)
    if begin > end:  # a clock that jumps ahead may skip the begin, and land beyond the end
        return None
    if reps.office_days is not None and int(reps.office_days[rep]) >> _weekday(number) & 1:
        return RepDay(begin, end, begin, end, 0, office=True)
    leave, back = begin + _of(reps.prep_s, rep, up=True), end - _of(reps.admin_s, rep, up=True)
    return RepDay(begin, end, leave, back, _of(reps.max_overtime_s, rep, up=False), office=False)


def shift_of(reps: Reps, rep: int, day: np.datetime64, settings: PlanSettings) -> tuple[int, int] | None:
    """Return between when a rep can be in the field on a day without overtime, UTC seconds since 1970.

    None: a day off, leave, a holiday or an office day; or preparation and work afterwards fill the shift.
    """
    found = rep_day(reps, rep, day, settings)
    return None if found is None or found.office or found.leave > found.back else (found.leave, found.back)


def break_of(reps: Reps, rep: int, day: np.datetime64) -> Break | None:
    """Return the rep's break on a day, UTC seconds; None: no break, or the clock skips its hours."""
    if reps.break_s is None or reps.break_s[rep] <= 0:
        return None
    early = BREAK_EARLIEST_S if reps.break_earliest_s is None else int(np.ceil(reps.break_earliest_s[rep]))
    late = BREAK_LATEST_S if reps.break_latest_s is None else int(reps.break_latest_s[rep])
    number, zone = _number(day), zone_of(reps, rep)
    found = Break(int(np.ceil(reps.break_s[rep])), utc_second(number, early, zone), utc_second(number, late, zone))
    # its hours are long enough on any other day (`Reps`)
    return None if found.length_s > found.latest - found.earliest else found


@lru_cache(maxsize=1024)
def _iso_week(number: int) -> int:
    return int((np.datetime64(number, "D")).astype(object).isocalendar()[1])


def day_allowed(customers: Customers, i: int, day: np.datetime64) -> bool:
    """Return whether customer `i` may be visited on a day, going by weekday and week parity."""
    c = customers
    if c.preferred_weekdays is not None and not int(c.preferred_weekdays[i]) >> _weekday(_number(day)) & 1:
        return False
    if c.week_parity is not None and c.week_parity[i] != Parity.ANY:
        return (_iso_week(_number(day)) % 2 == 1) is bool(c.week_parity[i] == Parity.ODD)
    return True


def start_windows(
    customers: Customers, i: int, shift: tuple[int, int], service_s: int, *, rep_zone: str = "", blocked: bool = True
) -> Windows:
    """Return when a visit of customer `i` may start within a shift, UTC seconds; empty: not at all.

    Opening hours are those of the customer's own clock, or of the rep's where it has none. On a day of
    its `hours_exceptions` those count instead of all opening hours from midnight to midnight; on days
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
    dated = () if customers.hours_exceptions is None else customers.hours_exceptions.within(i, days)
    return _windows(week, dated, open_days, zone, shift, service_s, binds_start=binds_start)


@lru_cache(maxsize=1 << 16)
def _windows(
    week: Week | None,
    dated: tuple[tuple[int, Intervals], ...],
    days: tuple[int, ...],
    zone: str,
    shift: tuple[int, int],
    service_s: int,
    *,
    binds_start: bool,
) -> Windows:
    by_day = dict(dated)

    def hours(day: int) -> Intervals:
        if day in by_day:
            return by_day[day]
        return ((0, DAY_S),) if week is None else week[_weekday(day)]

    spans = _spans(days, hours, zone)
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
    # a clock that jumps ahead may put what begins in the gap behind what comes after it, or its end before its begin
    found = [(utc_second(day, a, zone), utc_second(day, b, zone)) for day in days for a, b in hours(day)]
    spans: list[tuple[int, int]] = []
    for low, high in sorted(span for span in found if span[0] <= span[1]):
        if spans and low <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(high, spans[-1][1]))
        else:
            spans.append((low, high))
    return spans
