"""Hours minute by minute: what is open when, from the offsets of a zone alone; all times whole minutes."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import strategies as st

from territory.model.dated import DatedHours
from territory.model.hours import WeeklyHours

MINUTE, DAY = 60, 86_400
ALWAYS = ((0, DAY),)
BERLIN, LORD_HOWE, NEW_YORK = "Europe/Berlin", "Australia/Lord_Howe", "America/New_York"
#: Days around which clocks change in one of the zones, and plain ones: the year's end, a leap day.
AROUND = [
    "2026-03-29",
    "2026-10-25",
    "2026-04-05",
    "2026-10-04",
    "2026-03-08",
    "2026-11-01",
    "2027-01-01",
    "2028-02-29",
]


def offset(instant, zone):
    if not zone:
        return 0
    return int(dt.datetime.fromtimestamp(instant, ZoneInfo(zone)).utcoffset().total_seconds())


@lru_cache(maxsize=100_000)
def instant(day, second, zone):
    """Return the UTC second of a wall time: the first such minute; of one that is skipped, that much later."""
    wall = day * DAY + second
    before = None
    for t in range(wall - 15 * 3600, wall + 15 * 3600, MINUTE):
        shown = t + offset(t, zone)
        if shown == wall:
            return t
        if shown > wall:  # no minute shows it
            return t + (wall - (before + MINUTE))
        before = shown
    raise AssertionError


def hours_of(week, exceptions, day):
    """Return the hours of a day: `week` is seven tuples of intervals or None, `exceptions` day to intervals."""
    if day in exceptions:
        return exceptions[day]
    return ALWAYS if week is None else week[(day + 3) % 7]


class Open:
    """The open minutes of some days.

    Attributes
    ----------
    moments : set of UTC seconds
        At which it is open, both ends of intervals included.
    minutes : set of UTC seconds
        The begins of minutes that are open as a whole.
    """

    def __init__(self, days, hours, zone):
        self.moments, self.minutes = set(), set()
        for day in days:
            for a, b in hours(day):
                opens, closes = instant(day, a, zone), instant(day, b, zone)
                self.moments |= set(range(opens, closes + 1, MINUTE))
                self.minutes |= set(range(opens, closes, MINUTE))

    def whole(self, start, end):
        return start in self.moments and all(t in self.minutes for t in range(start, end, MINUTE))


# -- calendars to draw -----------------------------------------------------------------------


def number(text):
    """Return a day as days since 1970."""
    return int(np.datetime64(text, "D").astype(int))


quarter = st.integers(0, 96).map(lambda q: q * 900)
intervals = st.lists(st.tuples(quarter, quarter).map(lambda t: tuple(sorted(t))), max_size=3)


def merged(times):
    """Return what a day's intervals are as columns, as `WeeklyHours` has them."""
    return WeeklyHours.from_weeks([{0: times}])[0][0]


@st.composite
def calendars(draw):
    """Draw a week (or none), exceptions and call blocks around a day, in a zone."""
    day = number(draw(st.sampled_from(AROUND)))
    week = draw(st.none() | st.lists(intervals, min_size=7, max_size=7))
    near = st.integers(day - 1, day + 1)
    own = {d: merged(draw(intervals)) for d in draw(st.sets(near, max_size=3))}
    blocked = draw(st.sets(near, max_size=2))
    zone = draw(st.sampled_from(["", BERLIN, LORD_HOWE, NEW_YORK, "Pacific/Kiritimati"]))
    return day, None if week is None else tuple(merged(d) for d in week), own, blocked, zone


def dated(own):
    """Return exceptions, day to hours, as the column of one row."""
    days = sorted(own)
    return DatedHours(np.array([0]), (tuple((np.datetime64(d, "D"), np.datetime64(d, "D"), own[d]) for d in days),))


def customer_columns(week, own, blocked, zone, bind):
    """Return the columns of a customer with that calendar."""
    columns = {"timezone": [zone], "hours_bind": [bind], "hours_exceptions": dated(own)}
    if week is not None:
        columns["opening_hours"] = WeeklyHours(np.array([0]), (week,))
    if blocked:
        columns["call_blocks"] = ["; ".join(str(np.datetime64(d, "D")) for d in blocked)]
    return columns
