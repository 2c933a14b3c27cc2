"""The search for the smallest change, kind by kind; what changes there are: `territory.schedule.changes`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from territory.routing.shifts import day_allowed, start_windows
from territory.schedule.changes import HALF_HOUR, Change, size_of
from territory.schedule.changes_bench import LONGER_S
from territory.schedule.changes_days import Days
from territory.schedule.changes_edit import alone, hours_on, lift_block, longer_hours, weekday_of
from territory.schedule.demand import PER_DAY_OFF
from territory.units import DAY_S

if TYPE_CHECKING:
    from territory.schedule.changes_days import Missed

__all__ = ["Finder"]

#: More days of tolerance than this are no small change.
_MOST_DAYS: Final = 14
#: Orders that are timed for one missed visit; then what was found so far has to do.
_TRIES: Final = 300


class Finder(Days):
    """The search for the smallest change for one missed visit after the other."""

    best: Change | None = None
    until: int = 0

    def find(self, one: Missed) -> Change | None:
        """Return the smallest change for a missed visit."""
        self.best, self.until = None, self.bench.tries + _TRIES
        day = self.as_it_is(one)
        if day is not None:
            return Change("search", 0, day)
        if not self.reachable:
            return None
        # what is found soon bounds how many days of tolerance are looked at
        self.try_shifts()
        self.try_tolerance()
        self.try_room()
        self.try_shorter()
        self.try_times()
        self.try_day_rules()
        self.try_hours()
        self.try_extra_days()
        if self.best is None:
            self.try_longer_days()
        return self.best

    def find_detour(self, one: Missed) -> Change | None:
        """Return how much more a cold lead may cost; what else would let it in, where it does not fit even then."""
        if self.as_it_is(one) is None:
            return self.find(one)
        due, now = self.one.day, self.desk.settings.cold_detour_s
        ways = []
        for n in self.window:
            if self.worked(n) and not self.full(n) and self.fits(n):
                found = self.bench.fit(n)
                if found is not None:
                    ways.append((found.round_s + int(PER_DAY_OFF) * abs(n - due), n))
        way, day = min(ways)
        return Change("detour", max(0, way - now) // 300 * 300 + 300, day)

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

    def try_tolerance(self) -> None:
        """Try days before and after those that are allowed, the nearest first."""
        one, settings = self.one, self.desk.settings
        kind = "dates" if one.single else "tolerance"
        by_interval = settings.cadence and self.desk.customers.visit_interval_days is not None
        if not (one.any_date if one.single else by_interval):
            return
        last = self.bench.n_days - 1
        room: dict[int, bool] = {}
        for t in range(1, _MOST_DAYS + 1):
            if not self.small(f"{kind}-early", t):
                return
            for code, low, high in (("early", one.low - t, one.high), ("late", one.low, one.high + t)):
                early, late = one.low - low, high - one.high
                # more tolerance may also make room for the visit after this one
                days = sorted(range(max(low, 0), min(high, last) + 1), key=lambda n: (abs(n - one.day), n))
                for n in days:
                    if n not in room:
                        room[n] = self.worked(n) and not self.full(n) and self.fits(n)
                    if room[n] and self.counts(n, None if one.single else self.wider_rhythm(early, late)):
                        self.offer(f"{kind}-{code}", t, n)
                        break

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
            if not self.small("visits-a-day", 1):
                return
            if self.worked(n) and self.crowded(n) and not self.loaded(n) and self.fits(n):
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
            table, theirs = alone(c, self.i), self.their_day(n)
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
        one, bench, c = self.one, self.bench, self.desk.customers
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

    def try_longer_days(self) -> None:
        """Try days on which rep and customer both begin earlier, or end later."""
        c, one = self.desk.customers, self.one
        if one.any_hour or one.time_s >= 0:
            return
        for n in self.window:
            if not self.worked(n) or self.full(n) or not self.allowed(n) or not self.small("both-later", HALF_HOUR):
                continue
            theirs = self.their_day(n)
            if theirs is None or (c.call_blocks is not None and c.call_blocks.covers(self.i, self.days[theirs])):
                continue
            hours = hours_on(c, self.i, self.days[theirs])
            begin, end = self.bench.spans[n]
            low, high = self.bench.widest(n)
            for more in range(HALF_HOUR, LONGER_S + 1, HALF_HOUR):
                if not hours or not self.small("both-later", more):
                    break
                late = self.starts_within(theirs, longer_hours(hours, "closes-later", more))
                if end + more <= high and self.fits(n, later_s=more, windows=late):
                    self.offer("both-later", more, theirs)
                early = self.starts_within(theirs, longer_hours(hours, "opens-earlier", more))
                if begin - more >= low and self.fits(n, earlier_s=more, windows=early):
                    self.offer("both-earlier", more, theirs)
