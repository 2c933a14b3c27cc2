"""The calendar once more, by trying everything: plain Python on `datetime` and `zoneinfo`, none of the library's code.

Customers and reps are dictionaries of what a user would type. Driving from any place to any other takes
one constant time. Every set of customers a day, every order, every place for the break and every chain of
days is tried, so that this is for a handful of customers.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, cached_property
from itertools import combinations, permutations
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
DAY_S = 86_400
EPOCH = dt.date(1970, 1, 1)
DEFAULT_SHIFT = "Mo-Fr 08:00-17:00"
DEFAULT_SERVICE_S = 1800


# -- clocks ----------------------------------------------------------------------------------


@cache
def offset_at(second: int, zone: str) -> int:
    """Return how far the wall clock is ahead of UTC at a UTC second."""
    if not zone:
        return 0
    return int(dt.datetime.fromtimestamp(second, ZoneInfo(zone)).utcoffset().total_seconds())


@cache
def instant(day: dt.date, second: int, zone: str) -> int:
    """Return the UTC second at which the wall clock shows a time: the first one; skipped ones come that much later.

    Only the way from UTC to the wall clock is asked of the zone rules: every offset that holds around
    that day is tried.
    """
    wall = (day - EPOCH).days * DAY_S + second
    offsets = {offset_at(wall + 900 * step, zone) for step in range(-120, 121)}
    shown = [wall - off for off in offsets if offset_at(wall - off, zone) == off]
    # the offset before the jump is the smaller one: the clock that had not jumped
    return min(shown) if shown else max(wall - off for off in offsets)


def hours(text: str) -> dict[int, list[tuple[int, int]]]:
    """Read ``"Mo-Fr 09:00-12:00,13:00-17:00; Sa 10:00-14:00"``; blank: always."""
    if not text:
        return {d: [(0, DAY_S)] for d in range(7)}
    week: dict[int, list[tuple[int, int]]] = {d: [] for d in range(7)}
    for rule in text.split(";"):
        days, times = rule.split()
        spans = [tuple(sum(int(x) * f for x, f in zip(t.split(":"), (3600, 60, 1), strict=False))
                       for t in part.split("-")) for part in times.split(",")]  # fmt: skip
        for part in days.split(","):
            first, _, last = part.partition("-")
            a, b = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
            for d in range(a, b + 1):
                week[d] = spans
    return week


def dates(text: str) -> set[dt.date]:
    """Read ``"2026-12-24..2026-12-31; 2027-01-06"``."""
    found = set()
    for part in filter(None, (p.strip() for p in text.split(";"))):
        first, _, last = part.partition("..")
        a, b = dt.date.fromisoformat(first), dt.date.fromisoformat(last or first)
        found |= {a + dt.timedelta(n) for n in range((b - a).days + 1)}
    return found


# -- rhythm ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rhythm:
    """On which days of the horizon a customer's visits may lie; days are counted from its start."""

    interval: Fraction
    first: tuple[int, int]
    first_due: int
    gap: tuple[int, int]
    step: int


def nearest(x: Fraction) -> int:
    """Round to the nearest whole number, a half to the even one."""
    return round(x)


@dataclass(frozen=True)
class Instance:
    """A tiny team; cells that are absent are blank.

    customers: interval, early, late, last, service, hours, bind, blocks, weekdays, parity, zone
    reps: shift, zone, leave, max_visits, rest (length, earliest, latest)
    Hours of single days, by day: hours_on, shift_on.
    """

    customers: tuple[dict[str, Any], ...]
    reps: tuple[dict[str, Any], ...]
    start: str
    weeks: int = 1
    rep_of: tuple[int, ...] = ()
    holidays: str = ""
    tolerance: float = 0.25
    drive_s: int = 0
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def n_days(self) -> int:
        return 7 * self.weeks

    def day(self, n: int) -> dt.date:
        return dt.date.fromisoformat(self.start) + dt.timedelta(n)

    def rep(self, customer: int) -> int:
        return self.rep_of[customer] if self.rep_of else 0

    def mine(self, rep: int) -> list[int]:
        return [c for c in range(len(self.customers)) if self.rep(c) == rep]

    @cached_property
    def by_interval(self) -> bool:
        return any("interval" in c for c in self.customers)

    # -- when ------------------------------------------------------------------------------

    def shift(self, rep: int, n: int) -> tuple[int, int] | None:
        """Return begin and end of a rep's day, UTC seconds."""
        row, day = self.reps[rep], self.day(n)
        if day in dates(row.get("leave", "")):
            return None
        spans = row.get("shift_on", {}).get(day)
        if spans is None:
            spans = [] if day in dates(self.holidays) else hours(row.get("shift", DEFAULT_SHIFT))[day.weekday()]
        if not spans:
            return None
        begin, end = (instant(day, t, row.get("zone", "")) for t in spans[0])
        return (begin, end) if begin <= end else None

    def service(self, customer: int) -> int:
        return math.ceil(self.customers[customer].get("service", DEFAULT_SERVICE_S))

    def starts(self, customer: int, n: int) -> list[tuple[int, int]]:
        """Return when the customer's visit may start on a day, UTC seconds, both ends included."""
        key = ("starts", customer, n)
        if key not in self.memo:
            self.memo[key] = self._starts(customer, n)
        return self.memo[key]

    def _starts(self, customer: int, n: int) -> list[tuple[int, int]]:
        row, day, rep = self.customers[customer], self.day(n), self.rep(customer)
        shift, service = self.shift(rep, n), self.service(customer)
        weekdays = row.get("weekdays")
        if shift is None or (weekdays and WEEKDAYS[day.weekday()] not in weekdays.split(",")):
            return []
        parity = row.get("parity", "any")
        if parity != "any" and day.isocalendar().week % 2 != (parity == "odd"):
            return []
        zone = row.get("zone") or self.reps[rep].get("zone", "")
        around = [day + dt.timedelta(k) for k in range(-3, 4)]
        week, on = hours(row.get("hours", "")), row.get("hours_on", {})
        open_on = [(d, span) for d in around for span in on.get(d, week[d.weekday()])]
        spans: list[list[int]] = []
        for a, b in sorted((instant(d, a, zone), instant(d, b, zone)) for d, (a, b) in open_on):
            if spans and a <= spans[-1][1]:
                spans[-1][1] = max(b, spans[-1][1])
            else:
                spans.append([a, b])
        free = [(a, b if row.get("bind") == "start" else b - service) for a, b in spans]
        free = [(max(a, shift[0]), min(b, shift[1] - service)) for a, b in free]
        for d in dates(row.get("blocks", "")) & set(around):
            # no second of the visit lies on a blocked day of the customer's calendar
            before, after = instant(d, 0, zone) - service, instant(d + dt.timedelta(1), 0, zone)
            free = [piece for a, b in free for piece in ((a, min(b, before)), (max(a, after), b))]
        return sorted((a, b) for a, b in set(free) if a <= b)

    def rest(self, rep: int, n: int) -> tuple[int, int, int] | None:
        found = self.reps[rep].get("rest")
        if found is None:
            return None
        day, zone = self.day(n), self.reps[rep].get("zone", "")
        early, late = instant(day, found[1], zone), instant(day, found[2], zone)
        # where the clock skips what the break needs of its hours, there is none
        return None if early + found[0] > late else (found[0], early, late)

    def back(self, rep: int, n: int, order: tuple[int, ...]) -> int | None:
        """Return the earliest second at which the rep can be back after these visits in this order."""
        shift, rest = self.shift(rep, n), self.rest(rep, n)
        if shift is None:
            return None
        length, early, late = rest or (0, 0, 0)
        found = []

        def go_on(i: int, t: int, *, there: bool, rested: bool, needs: bool) -> None:
            """Try all that may follow: a break where none was, then a visit (on arrival) or a drive."""
            if not rested and max(t, early) + length <= late:
                go_on(i, max(t, early) + length, there=there, rested=True, needs=needs)
            if not there:
                t += self.drive_s
                if i < len(order):
                    go_on(i, t, there=True, rested=rested, needs=needs)
                    return
                in_time = t <= shift[1] and (rested or not needs or t <= early)
                rests_at_home = not rested and max(t, early) + length <= min(late, shift[1])
                if in_time or rests_at_home:
                    found.append(t)
                return
            start = next((max(a, t) for a, b in self.starts(order[i], n) if t <= b), None)
            if start is not None:
                go_on(i + 1, start + self.service(order[i]), there=False, rested=rested, needs=needs)

        if rest is None:
            go_on(0, shift[0], there=False, rested=True, needs=False)
        else:
            go_on(0, shift[0], there=False, rested=False, needs=True)
            # who leaves after the hours of the break needs none
            go_on(0, max(shift[0], late), there=False, rested=True, needs=False)
        return min(found, default=None)

    def fits(self, rep: int, n: int, visits: frozenset[int]) -> bool:
        """Return whether a day has room for these visits in any order."""
        if len(visits) > self.reps[rep].get("max_visits", len(visits)):
            return False
        key = ("fits", rep, n, visits)
        if key not in self.memo:
            self.memo[key] = any(self.back(rep, n, order) is not None for order in permutations(sorted(visits)))
        return self.memo[key]

    # -- how often -------------------------------------------------------------------------

    def rhythm(self, customer: int) -> Rhythm | None:
        """Return the rhythm of a customer; None: nothing is due in the horizon."""
        row, n = self.customers[customer], self.n_days
        if not self.by_interval:
            return Rhythm(Fraction(n), (0, n - 1), 0, (n, n), n)
        if row.get("interval") is None:
            return None
        length = Fraction(str(row["interval"]))
        share = math.floor(Fraction(str(self.tolerance)) * length)
        early, late = (Fraction(str(row[name])) if name in row else share for name in ("early", "late"))
        # where no whole day lies in between, the days on both sides are meant
        low, high = sorted((math.ceil(length - early), math.floor(length + late)))
        low, high = max(1, low), max(1, high)
        first, due = (0, max(1, math.floor(length)) - 1), 0
        if row.get("last"):
            last = (dt.date.fromisoformat(row["last"]) - self.day(0)).days
            if last + high >= 0:
                first = (max(0, last + low), last + high)
                due = min(max(last + nearest(length), first[0]), first[1])
        if due >= n:
            return None
        return Rhythm(length, first, due, (low, high), min(max(nearest(length), low), high))

    def options(self, rhythm: Rhythm, before: int) -> tuple[tuple[int, int], int] | None:
        """Return the days allowed for a next visit and the day on which it is missed; None: none is due.

        `before` is the day of the visit before; -1: none.
        """
        if before < 0:
            return rhythm.first, min(rhythm.first_due, self.n_days - 1)
        if before + rhythm.interval >= self.n_days:
            return None
        low, high = before + rhythm.gap[0], before + rhythm.gap[1]
        return (low, high), min(before + rhythm.step, self.n_days - 1)

    def least_missed(self, rep: int) -> int:
        """Return the least number of missed visits of a rep's customers, over all chains of days and all days' sets."""
        mine = [c for c in self.mine(rep) if self.rhythm(c) is not None]
        rhythms = [self.rhythm(c) for c in mine]

        @cache
        def least(n: int, before: tuple[int, ...]) -> float:
            """Least missed from day n on, given each customer's visit before (made or missed)."""
            if n == self.n_days:
                # whose next visit is due in the horizon cannot have been skipped
                return 0 if all(self.options(r, b) is None for r, b in zip(rhythms, before, strict=True)) else math.inf
            can_make, can_miss, must = [], [], []
            for i, (r, b) in enumerate(zip(rhythms, before, strict=True)):
                asked = self.options(r, b)
                if asked is None:
                    continue
                (low, high), due = asked
                if low <= n <= high and self.starts(mine[i], n):
                    can_make.append(i)
                if n == due:
                    can_miss.append(i)
                if n > max(due, high):
                    must.append(i)
            if must:
                return math.inf
            best = math.inf
            for made in subsets(can_make):
                if made and not self.fits(rep, n, frozenset(mine[i] for i in made)):
                    continue
                for missed in subsets([i for i in can_miss if i not in made]):
                    after = tuple(n if i in made or i in missed else b for i, b in enumerate(before))
                    best = min(best, len(missed) + least(n + 1, after))
            return best

        return int(least(0, (-1,) * len(mine)))

    def fewest_missed(self, customer: int, made: tuple[int, ...]) -> float:
        """Return how many of a customer's visits are missed where exactly these are made; inf: that cannot be."""
        rhythm = self.rhythm(customer)
        if rhythm is None:
            return math.inf if made else 0

        def least(before: int, left: tuple[int, ...]) -> float:
            asked = self.options(rhythm, before)
            if asked is None:
                return math.inf if left else 0
            (low, high), due = asked
            found = [math.inf]
            if left and low <= left[0] <= high:
                found.append(least(left[0], left[1:]))
            if due > before and (not left or due < left[0]):
                found.append(1 + least(due, left))
            return min(found)

        return least(-1, tuple(sorted(made)))

    def chain_faults(self, customer: int, made: list[int], missed: list[int]) -> list[str]:
        """Return what is wrong with the days of a customer's visits."""
        rhythm = self.rhythm(customer)
        if rhythm is None:
            return [f"nothing is due, but {made} and {missed}"] if made or missed else []
        events = sorted([(n, True) for n in made] + [(n, False) for n in missed])
        before, faults = -1, []
        for n, is_made in events:
            asked = self.options(rhythm, before)
            if asked is None:
                faults.append(f"a visit on day {n}, though none is due after day {before}")
                break
            (low, high), due = asked
            if is_made and not (low <= n <= high and self.starts(customer, n)):
                faults.append(f"made on day {n}, not within {low} to {high}, or closed")
            if not is_made and n != due:
                faults.append(f"missed on day {n}, not on {due}")
            before = n
        if self.options(rhythm, before) is not None:
            faults.append(f"another visit is due after day {before}")
        return faults


def subsets(items: list[int]) -> list[tuple[int, ...]]:
    """Return all subsets, the empty one included."""
    return [s for k in range(len(items) + 1) for s in combinations(items, k)]
