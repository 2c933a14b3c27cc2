"""The search for the smallest change: kind by kind, on the days as they are planned; see `territory.schedule.changes`."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from zoneinfo import ZoneInfo

import numpy as np

from territory.model.enums import HoursBind
from territory.model.zones import utc_second
from territory.routing.shifts import day_allowed, shift_of, start_windows, zone_of
from territory.schedule.cadence import cadence_of
from territory.schedule.changes import HALF_HOUR, Change, size_of
from territory.schedule.changes_bench import LONGER_S, Bench
from territory.schedule.changes_chain import Rhythm, fewest_missed
from territory.schedule.changes_edit import (
    hours_on,
    lift_block,
    lift_leave,
    longer_hours,
    no_office,
    usual_hours,
    weekday_of,
    wider,
    with_shift,
)
from territory.schedule.demand import PER_DAY_OFF
from territory.travel import UNREACHABLE
from territory.units import DAY_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from territory.model.hours import Intervals
    from territory.routing.desk import Desk
    from territory.routing.shifts import Windows
    from territory.schedule.cadence import Cadence
    from territory.schedule.changes_bench import Stop

__all__ = ["Finder", "Missed", "smallest_changes"]

#: More days of tolerance than this are no small change.
_MOST_DAYS: Final = 14
#: Orders that are timed for one missed visit; then what was found so far has to do.
_TRIES: Final = 300


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


def smallest_changes(
    desk: Desk, routes: Mapping[int, Sequence[Stop]], missed: Sequence[Missed], cadence: Cadence
) -> list[Change | None]:
    """Return the smallest change for each missed visit of a rep.

    Parameters
    ----------
    desk : Desk
        Of the rep; with all customers who are planned or missed.
    routes : mapping of day of the horizon to Stops in order
    missed : sequence of Missed
    cadence : Cadence
        Of the desk's customers.

    Returns
    -------
    list of Change or None
        None: no single change of `SIZES` lets it in.

    Notes
    -----
    The days' tables are shared by all missed visits; of each at most some hundred orders are timed.
    """
    finder = Finder(desk, routes, cadence)
    return [finder.find(one) for one in missed]


def longer_tolerance(desk: Desk, row: int, early: int, late: int) -> Rhythm:
    """Return the rhythm of a customer that may be visited some days earlier, or later."""
    settings = desk.settings
    table = wider(desk.customers.take([int(desk.rows[row])]), 0, early, late, settings.tolerance)
    return Rhythm.of(cadence_of(table, settings, stretch=settings.stretch.get(str(desk.reps.id[desk.rep]), 1.0)), 0)


@lru_cache(maxsize=4096)
def local_day(second: int, zone: str) -> int:
    """Return the day, from 1970, that a calendar shows at a UTC second; a blank zone is UTC."""
    moment = dt.datetime.fromtimestamp(second, ZoneInfo(zone or "UTC"))
    return (moment.date() - dt.date(1970, 1, 1)).days


class Finder:
    """What is known about one rep's days while changes are looked for; see `smallest_changes`."""

    def __init__(self, desk: Desk, routes: Mapping[int, Sequence[Stop]], cadence: Cadence) -> None:
        self.desk, self.cadence = desk, cadence
        self.bench = Bench(desk, routes)
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
        self.best: Change | None = None
        self.window: list[int] = []

    def find(self, one: Missed) -> Change | None:
        """Return the smallest change for a missed visit."""
        day = self.as_it_is(one)
        if day is not None:
            return Change("search", 0, day)
        if not self.reachable:
            return None
        self.try_tolerance()
        self.try_shifts()
        self.try_room()
        self.try_shorter()
        self.try_times()
        self.try_day_rules()
        self.try_hours()
        self.try_extra_days()
        return self.best

    def as_it_is(self, one: Missed) -> int | None:
        """Return a day into which a missed visit fits without any change; None: there is none."""
        desk, bench = self.desk, self.bench
        place = 0 if one.remote else one.row + 1
        self.one, self.best, self.until = one, None, bench.tries + _TRIES
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

    def find_detour(self, one: Missed) -> Change | None:
        """Return how much more a cold lead may cost; None: it does not fit even then."""
        if self.as_it_is(one) is None:
            return None
        due, now = self.one.day, self.desk.settings.cold_detour_s
        ways = []
        for n in self.window:
            if self.worked(n) and not self.full(n) and self.fits(n):
                found = self.bench.fit(n)
                if found is not None:
                    ways.append((found.round_s + int(PER_DAY_OFF) * abs(n - due), n))
        way, day = min(ways)
        return Change("detour", max(0, way - now) // 300 * 300 + 300, day)

    # -- what is asked of a day ------------------------------------------------------------

    def offer(self, code: str, amount: int, day: int) -> None:
        """Keep a change if it is smaller than the best."""
        change = Change(code, amount, day)
        if self.best is None or change.key < self.best.key:
            self.best = change

    def small(self, code: str, amount: int) -> bool:
        """Return whether a change could be the smallest, and there is work left to find out."""
        if self.bench.tries > self.until:
            return False
        return self.best is None or size_of(code, amount) <= self.best.key[0]

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

    def worked(self, n: int) -> bool:
        """Return whether the rep can make the visit on a day; from the office only one from home."""
        return n in self.bench.spans and (self.one.remote or n not in self.desk.office)

    def full(self, n: int) -> bool:
        """Return whether a day has as many visits as there may be, or as much load."""
        most = self.desk.max_visits
        if most is not None and len(self.bench.routes[n]) >= most:
            return True
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

    # -- changes, kind by kind -------------------------------------------------------------

    def try_tolerance(self) -> None:
        """Try days before and after those that are allowed, the nearest first."""
        one, settings = self.one, self.desk.settings
        kind = "dates" if one.single else "tolerance"
        by_interval = settings.cadence and self.desk.customers.visit_interval_days is not None
        if not (one.any_date if one.single else by_interval):
            return
        for t in range(1, _MOST_DAYS + 1):
            if not self.small(f"{kind}-early", t):
                return
            for code, n, early, late in (("early", one.low - t, t, 0), ("late", one.high + t, 0, t)):
                if not 0 <= n < self.bench.n_days or not self.worked(n) or self.full(n) or not self.fits(n):
                    continue
                if one.single or self.counts(n, self.wider_rhythm(early, late)):
                    self.offer(f"{kind}-{code}", t, n)

    def wider_rhythm(self, early: int, late: int) -> Rhythm:
        """Return the rhythm of the customer with more days of tolerance; looked up once."""
        key = (self.one.row, early, late)
        if key not in self.rhythms:
            self.rhythms[key] = longer_tolerance(self.desk, *key)
        return self.rhythms[key]

    def try_shifts(self) -> None:
        """Try longer days; those that lack least first."""
        bench = self.bench
        days = [n for n in self.window if self.worked(n) and not self.full(n) and self.open_at(n, bench.service_s)]
        for lack, n in sorted((bench.lack_s(n), n) for n in days):
            least = max(HALF_HOUR, -(-lack // HALF_HOUR) * HALF_HOUR)
            if least > LONGER_S or not self.small("shift-late", least):
                return
            begin, end = bench.spans[n]
            low, high = bench.widest(n)
            before, after = ((begin - low) // HALF_HOUR * HALF_HOUR, (high - end) // HALF_HOUR * HALF_HOUR)
            bench.set_windows(n, self.open_at(n, bench.service_s))
            late = bench.fit(n, later_s=after) if after >= least else None
            if late is not None:
                need = max(HALF_HOUR, -(-(late.back - end) // HALF_HOUR) * HALF_HOUR)
                # a break at home comes after that
                while need <= after and bench.fit(n, later_s=need) is None:
                    need += HALF_HOUR
                if need <= after:
                    self.offer("shift-late", need, n)
            for need in range(least, before + 1, HALF_HOUR):
                if not self.small("shift-early", need):
                    break
                if bench.fit(n, earlier_s=need) is not None:
                    self.offer("shift-early", need, n)
                    break

    def try_room(self) -> None:
        """Try one visit more on days that have as many as there may be."""
        for n in self.window:
            if self.small("visits-a-day", 1) and self.worked(n) and self.full(n) and self.fits(n):
                more = len(self.bench.routes[n]) + 1 - int(self.desk.max_visits or 0)
                self.offer("visits-a-day", more, n)

    def try_shorter(self) -> None:
        """Try visits down to half as long."""
        bench, service, step = self.bench, self.one.service_s, HALF_HOUR // 2
        lacks = [(bench.lack_s(n), n) for n in self.window if self.worked(n) and not self.full(n)]
        for lack, n in sorted(lacks):
            for less in range(max(step, -(-lack // step) * step), service // 2 + 1, step):
                if not self.small("shorter-visit", less):
                    break
                bench.set_service(service - less)
                if self.fits(n):
                    self.offer("shorter-visit", less, n)
                    break
            bench.set_service(service)

    def try_times(self) -> None:
        """Try other times of an appointment."""
        time_s = self.one.time_s
        if time_s < 0:
            return
        for n in self.window:
            for less in range(HALF_HOUR, LONGER_S + 1, HALF_HOUR):
                if not self.small("time-early", less):
                    break
                for code, t in (("time-early", time_s - less), ("time-late", time_s + less)):
                    fine = 0 <= t < DAY_S and self.worked(n) and not self.full(n)
                    if fine and self.fits(n, windows=self.at_time(n, t)):
                        self.offer(code, less, n)

    def try_day_rules(self) -> None:
        """Try days that one rule of the customer forbids: its weekdays, its weeks, a call block."""
        c, desk, one = self.desk.customers, self.desk, self.one
        if one.any_day:
            return
        for n in self.window:
            if not self.worked(n) or self.full(n) or not self.small("weekday", 1):
                continue
            day = self.days[n]
            table, theirs = c.take([self.i]), self.their_day(n)
            broken = []
            if c.preferred_weekdays is not None and not int(c.preferred_weekdays[self.i]) >> weekday_of(day) & 1:
                broken.append("weekday")
            if not day_allowed(replace(table, preferred_weekdays=None), 0, day):
                broken.append("week")
            if theirs is None:
                continue
            if c.call_blocks is not None and c.call_blocks.covers(self.i, self.days[theirs]):
                broken.append("call-block")
                table = lift_block(table, 0, self.days[theirs])
            if len(broken) == 1:
                windows = start_windows(table, 0, self.bench.widest(n), one.service_s, rep_zone=desk.zone)
                if self.fits(n, windows=windows):
                    self.offer(broken[0], 1, theirs if broken[0] == "call-block" else n)

    def try_hours(self) -> None:
        """Try days on which the customer opens earlier, closes later, or opens at all."""
        one, desk, bench, c = self.one, self.desk, self.bench, self.desk.customers
        if one.any_hour or one.time_s >= 0:
            return
        for n in self.window:
            if not self.worked(n) or self.full(n) or not self.allowed(n) or not self.small("opens-earlier", HALF_HOUR):
                continue
            theirs = self.their_day(n)
            if theirs is None:
                continue
            day = self.days[theirs]
            if c.call_blocks is not None and c.call_blocks.covers(self.i, day):
                continue
            low, high = bench.widest(n)
            if not self.fits(n, windows=((low, high - one.service_s),)):
                continue
            hours = hours_on(c, self.i, day)
            if not hours:
                self.offer("opens-that-day", 1, theirs)
                continue
            for more in range(HALF_HOUR, LONGER_S + 1, HALF_HOUR):
                if not self.small("opens-earlier", more):
                    break
                for code in ("opens-earlier", "closes-later"):
                    if self.fits(n, windows=self.starts_within(theirs, longer_hours(hours, code, more))):
                        self.offer(code, more, theirs)

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

    def try_extra_days(self) -> None:
        """Try days on which the rep does not work, or not in the field."""
        for n in self.window:
            if self.worked(n) or not self.allowed(n):
                continue
            if n not in self.extra:
                self.extra[n] = self.could_work(n)
            extra = self.extra[n]
            if extra is None or not self.small(extra[0], 1):
                continue
            before = self.bench.set_day(n, extra[1])
            if not self.full(n) and self.fits(n):
                self.offer(extra[0], 1, n)
            self.bench.set_day(n, before)

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
