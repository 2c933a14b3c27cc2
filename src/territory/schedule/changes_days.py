"""One missed visit on the days of its rep as they are planned: where it is allowed, open, and has room."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from territory.model.enums import HoursBind
from territory.model.zones import utc_second
from territory.routing.shifts import day_allowed, shift_of, start_windows, zone_of
from territory.schedule.cadence import cadence_of
from territory.schedule.changes_bench import Bench
from territory.schedule.changes_chain import Rhythm, fewest_missed
from territory.schedule.changes_edit import alone, lift_leave, no_office, usual_hours, weekday_of, wider, with_shift
from territory.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from territory.model.hours import Intervals
    from territory.routing.desk import Desk
    from territory.routing.shifts import Windows
    from territory.schedule.cadence import Cadence
    from territory.schedule.changes_bench import Stop

__all__ = ["Days", "Missed"]


class Missed(NamedTuple):
    """A visit that is due and not planned.

    Attributes
    ----------
    row : int
        The customer, a position among the rows of the desk.
    day : int
        Day of the horizon on which it was meant.
    low, high : int
        Days on which it was allowed.
    service_s : int
    single : bool
        Whether it is to be made once, and not by interval.
    remote : bool
        Whether it is made from home.
    time_s : int
        Agreed start on the customer's clock, seconds from midnight; -1: any.
    any_day, any_hour : bool
        Whether an agreement outranks the customer's weekdays, weeks and call blocks; whether its hours, too.
    any_date : bool
        Whether it could be agreed to be on other days; a trade show could not.
    """

    row: int
    day: int
    low: int
    high: int
    service_s: int
    single: bool = False
    remote: bool = False
    time_s: int = -1
    any_day: bool = False
    any_hour: bool = False
    any_date: bool = True


def longer_tolerance(desk: Desk, row: int, early: int, late: int) -> Rhythm:
    """Return the rhythm of a customer that may be visited some days earlier, or later."""
    settings = desk.settings
    table = wider(alone(desk.customers, int(desk.rows[row])), 0, early, late, settings.tolerance)
    return Rhythm.of(cadence_of(table, settings, stretch=settings.stretch.get(str(desk.reps.id[desk.rep]), 1.0)), 0)


@lru_cache(maxsize=4096)
def local_day(second: int, zone: str) -> int:
    """Return the day, from 1970, that a calendar shows at a UTC second; a blank zone is UTC."""
    moment = dt.datetime.fromtimestamp(second, ZoneInfo(zone or "UTC"))
    return (moment.date() - dt.date(1970, 1, 1)).days


class Days:
    """What is known about one rep's days while changes are looked for.

    Parameters
    ----------
    desk : Desk
        Of the rep; with all customers who are planned or missed.
    routes : mapping of day of the horizon to Stops in order
    cadence : Cadence
        Of the desk's customers.
    ends : mapping of day to (int, int), optional
        See `Bench`.
    """

    def __init__(
        self, desk: Desk, routes: Mapping[int, Sequence[Stop]], cadence: Cadence,
        ends: Mapping[int, tuple[int, int]] | None = None,
    ) -> None:  # fmt: skip
        self.desk, self.cadence = desk, cadence
        self.bench = Bench(desk, routes, ends)
        self.one_rep = desk.reps.take([desk.rep])
        self.made: dict[int, list[int]] = {}
        for n in sorted(routes):
            for stop in routes[n]:
                self.made.setdefault(stop.row, []).append(n)
        self.extra: dict[int, tuple[str, tuple[int, int]] | None] = {}
        limits, measure = desk.reps.load_limit, desk.settings.load
        self.load = None
        if limits is not None and measure is not None and not np.isnan(limits[desk.rep]):
            self.load = np.ceil(desk.customers.measures[measure][desk.rows] - 1e-9).astype(np.int64)
            self.load_limit = int(limits[desk.rep])
        self.rhythms: dict[tuple[int, int, int], Rhythm] = {}
        self.days = desk.settings.days
        self.window: list[int] = []

    def as_it_is(self, one: Missed) -> int | None:
        """Return a day into which a missed visit fits without any change; None: there is none."""
        desk, bench = self.desk, self.bench
        place = 0 if one.remote else one.row + 1
        self.one = one
        self.i = int(desk.rows[one.row])
        self.rhythm = None if one.single else Rhythm.of(self.cadence, one.row)
        self.lost = None if self.rhythm is None else fewest_missed(self.rhythm, self.made_with(), bench.n_days)
        self.reachable = max(int(desk.durations_s[0, place]), int(desk.durations_s[place, -1])) < UNREACHABLE
        if not self.reachable:
            return None
        bench.set_guest(place, one.service_s)
        low, high = max(one.low, 0), min(one.high, bench.n_days - 1)
        days = sorted(range(low, high + 1), key=lambda n: (abs(n - one.day), n))
        # the days on which the visit is allowed, those next to the meant one first
        self.window = [n for n in days if self.counts(n)]
        for n in self.window:
            if self.worked(n) and not self.full(n) and self.fits(n):
                return n
        return None

    def made_with(self, *more: int) -> list[int]:
        """Return the days on which the customer is visited, and some more."""
        return sorted([*self.made.get(self.one.row, ()), *more])

    def counts(self, n: int, rhythm: Rhythm | None = None) -> bool:
        """Return whether with a visit on day `n` the customer misses fewer."""
        rhythm = self.rhythm if rhythm is None else rhythm
        if n in self.made.get(self.one.row, ()):
            return False
        if rhythm is None or self.lost is None:
            return True
        left = fewest_missed(rhythm, self.made_with(n), self.bench.n_days)
        return left is not None and left < self.lost

    def wider_rhythm(self, early: int, late: int) -> Rhythm:
        """Return the rhythm of the customer with more days of tolerance; looked up once."""
        key = (self.one.row, early, late)
        if key not in self.rhythms:
            self.rhythms[key] = longer_tolerance(self.desk, *key)
        return self.rhythms[key]

    def worked(self, n: int) -> bool:
        """Return whether the rep can make the visit on a day; from the office only one from home."""
        return n in self.bench.spans and (self.one.remote or n not in self.desk.office)

    def full(self, n: int) -> bool:
        """Return whether a day has as many visits as there may be, or as much load."""
        return self.crowded(n) or self.loaded(n)

    def crowded(self, n: int) -> bool:
        """Return whether a day has as many visits as there may be."""
        most = self.desk.max_visits
        return most is not None and len(self.bench.routes[n]) >= most

    def loaded(self, n: int) -> bool:
        """Return whether the visit is too much for what a day has of the load."""
        if self.load is None or self.one.remote:
            return False
        now = sum(int(self.load[stop.row]) for stop in self.bench.routes[n] if not stop.remote)
        return now + int(self.load[self.one.row]) > self.load_limit

    def allowed(self, n: int) -> bool:
        """Return whether the customer's weekdays and weeks allow a day."""
        return self.one.any_day or day_allowed(self.desk.customers, self.i, self.days[n])

    def open_at(self, n: int, service_s: int) -> Windows:
        """Return when the visit may start on a worked day, however long the shift is."""
        one, desk = self.one, self.desk
        if not self.allowed(n):
            return ()
        low, high = self.bench.widest(n)
        if one.time_s >= 0:
            return self.at_time(n, one.time_s)
        if one.any_hour:
            return ((low, high - service_s),)
        return start_windows(desk.customers, self.i, (low, high), service_s, rep_zone=desk.zone)

    def at_time(self, n: int, time_s: int) -> Windows:
        """Return an agreed time of a day as a window."""
        zone = zone_of(self.desk.customers, self.i) or self.desk.zone
        t = utc_second(int(self.days[n].astype(np.int64)), time_s, zone)
        return ((t, t),)

    def fits(self, n: int, *, earlier_s: int = 0, later_s: int = 0, windows: Windows | None = None) -> bool:
        """Return whether the visit fits a day."""
        if self.bench.lack_s(n) > earlier_s + later_s:
            return False
        self.bench.set_windows(n, self.open_at(n, self.bench.service_s) if windows is None else windows)
        return self.bench.fit(n, earlier_s=earlier_s, later_s=later_s) is not None

    def their_day(self, n: int) -> int | None:
        """Return the day of the customer's calendar on which a rep's day falls; None: two, or one outside."""
        zone = zone_of(self.desk.customers, self.i) or self.desk.zone
        if zone == self.desk.zone:
            return n
        begin, end = self.bench.spans[n]
        first, last = (local_day(t, zone) - self.bench.number for t in (begin, max(begin, end - 1)))
        return first if first == last and 0 <= first < self.bench.n_days else None

    def starts_within(self, n: int, hours: Intervals) -> Windows:
        """Return when the visit may start, were these the customer's hours on a day of its calendar."""
        c, desk, service = self.desk.customers, self.desk, self.one.service_s
        zone = zone_of(c, self.i) or desk.zone
        binds_start = c.hours_bind is not None and c.hours_bind[self.i] == HoursBind.START
        day = int(self.days[n].astype(np.int64))
        found = []
        for a, b in hours:
            low, high = utc_second(day, a, zone), utc_second(day, b, zone) - (0 if binds_start else service)
            if low <= high:
                found.append((low, high))
        return tuple(found)

    def could_work(self, n: int) -> tuple[str, tuple[int, int]] | None:
        """Return which one change lets the rep work on a day, and when; None: more than one is in the way."""
        reps, settings = self.one_rep, self.desk.settings
        day = self.days[n]
        usual = usual_hours(reps, 0, day, settings)
        holiday = bool(np.isin(day, settings.holidays))
        holiday |= bool(np.isin(day, settings.rep_holidays.get(str(reps.id[0]), ())))
        tried = (
            [("leave-day", lift_leave(reps, 0, day))] if reps.leave is not None and reps.leave.covers(0, day) else []
        )
        if not tried and reps.office_days is not None:
            tried.append(("field-day", no_office(reps, 0, weekday_of(day))))
        if not tried and usual:
            tried.append(("holiday" if holiday else "extra-day", with_shift(reps, 0, day, usual)))
        for code, changed in tried:
            span = shift_of(changed, 0, day, settings)
            if span is not None:
                return code, span
        return None
