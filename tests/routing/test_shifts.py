"""When reps work and customers can be visited, held against hours minute by minute."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.properties.wall import (
    ALWAYS,
    AROUND,
    BERLIN,
    DAY,
    LORD_HOWE,
    MINUTE,
    NEW_YORK,
    Open,
    calendars,
    customer_columns,
    dated,
    hours_of,
    instant,
    number,
    quarter,
)

from territory import Customers, PlanSettings, Reps
from territory.model.hours import WeeklyHours
from territory.routing.shifts import rep_day, shift_of, start_windows


def customer(*calendar):
    return Customers(id=["c"], lon=[1.0], lat=[1.0], **customer_columns(*calendar))


GAP = (number("2026-03-29"), None, {number("2026-03-29"): ((8100, 9900), (10_800, 11_400))}, set(), BERLIN)


@settings(max_examples=250, deadline=None)
@example(calendar=GAP, bind="visit", hours=(0, 24), service=5)
@given(
    calendar=calendars(),
    bind=st.sampled_from(["visit", "start"]),
    hours=st.sampled_from([(0, 24), (1, 4), (8, 17), (20, 24)]),
    service=st.sampled_from([0, 1, 5, 60, 600, 1500]),
)
def test_windows_are_the_minutes_in_which_a_visit_may_start(calendar, bind, hours, service):
    day, week, own, blocked, zone = calendar
    shift = (day * DAY + hours[0] * 3600, day * DAY + hours[1] * 3600)
    found = start_windows(customer(week, own, blocked, zone, bind), 0, shift, service * MINUTE)
    days = range(day - 3, day + 4)
    welcome = Open([d for d in days if d not in blocked], lambda d: hours_of(week, own, d), zone)
    free = Open([d for d in days if d not in blocked], lambda _: ALWAYS, zone)
    for start in range(shift[0], shift[1] + 1, MINUTE):
        end = start + service * MINUTE
        kept = welcome.whole(start, end) if bind == "visit" else start in welcome.moments and free.whole(start, end)
        assert any(a <= start <= b for a, b in found) == (kept and end <= shift[1]), (start, found)
    assert all(a <= b for a, b in found)
    assert all(b < c for (_, b), (c, _) in pairwise(found))


def test_the_zone_of_a_customer_without_one_is_the_reps():
    shift = (number("2026-01-31") * DAY, number("2026-02-01") * DAY)
    who = customer(None, {number("2026-01-31"): ((36_000, 39_600),)}, set(), "", "visit")
    assert start_windows(who, 0, shift, 60) == ((shift[0] + 36_000, shift[0] + 39_540),)
    # where Berlin's day has ended, an hour is left of the next, which is no exception
    ten, midnight = (shift[0] + 32_400, shift[0] + 35_940), (shift[1] - 3600, shift[1] - 60)
    assert start_windows(who, 0, shift, 60, rep_zone=BERLIN) == (ten, midnight)


# -- reps --------------------------------------------------------------------------------------


@st.composite
def teams(draw):
    """Draw the calendar of one rep, and a day."""
    day = number(draw(st.sampled_from(AROUND)))
    near = st.integers(day - 1, day + 1)
    one = st.tuples(quarter, quarter).map(lambda t: (tuple(sorted(t)),)) | st.just(())
    week = tuple(draw(st.lists(one, min_size=7, max_size=7)))
    own = draw(st.dictionaries(near, one, max_size=2))
    columns = {
        "shift": WeeklyHours(np.array([0]), (week,)),
        "shift_exceptions": dated(own),
        "leave": ["; ".join(str(np.datetime64(d, "D")) for d in draw(st.sets(near, max_size=1)))],
        "prep_s": [draw(st.sampled_from([0.0, 0.5, 1800.0, 20_000.0]))],
        "admin_s": [draw(st.sampled_from([0.0, 899.5, 20_000.0]))],
        "office_days": [draw(st.sampled_from(["", "Su", "Mo-Fr", "Sa,We"]))],
        "max_overtime_s": [draw(st.sampled_from([0.0, 1800.9]))],
        "timezone": [draw(st.sampled_from(["", BERLIN, LORD_HOWE, NEW_YORK]))],
    }
    everybody, mine, others = (draw(st.sets(near, max_size=1)) for _ in range(3))
    return day, week, own, columns, everybody, mine, others


@settings(max_examples=300, deadline=None)
@given(teams())
def test_a_rep_day_is_what_the_tables_say(team):
    day, week, own, columns, everybody, mine, others = team
    reps = Reps(id=["R"], lon=[1.0], lat=[1.0], **columns)
    date, zone = np.datetime64(day, "D"), columns["timezone"][0]
    plan = PlanSettings("2026-01-05", 7, [np.datetime64(d, "D") for d in everybody], rep_holidays={
        "R": [np.datetime64(d, "D") for d in mine], "Q": [np.datetime64(d, "D") for d in others],
    })  # fmt: skip
    found = rep_day(reps, 0, date, plan)
    usual = () if day in everybody | mine else week[(day + 3) % 7]
    hours = () if str(date) in columns["leave"][0] else own.get(day, usual)
    span = [instant(day, t, zone) for t in hours[0]] if hours else None
    if span is None or span[0] > span[1]:
        assert found is None
        assert shift_of(reps, 0, date, plan) is None
        return
    assert [found.begin, found.end] == span
    weekday = np.datetime64(day, "D").item().isoweekday()
    office = weekday in {"": (), "Su": (7,), "Mo-Fr": (1, 2, 3, 4, 5), "Sa,We": (6, 3)}[columns["office_days"][0]]
    assert found.office == office
    if office:
        assert (found.leave, found.back, found.overtime_s) == (*span, 0)
        assert shift_of(reps, 0, date, plan) is None
        return
    leave = span[0] + {0.0: 0, 0.5: 1, 1800.0: 1800, 20_000.0: 20_000}[columns["prep_s"][0]]
    back = span[1] - {0.0: 0, 899.5: 900, 20_000.0: 20_000}[columns["admin_s"][0]]
    assert (found.leave, found.back) == (leave, back)
    assert found.overtime_s == {0.0: 0, 1800.9: 1800}[columns["max_overtime_s"][0]]
    assert shift_of(reps, 0, date, plan) == ((leave, back) if leave <= back else None)


EXACT = [
    # a shift of the day of a change, as an exception: 23 and 25 hours, in the gap, in the hour that comes twice
    ("2026-03-29 00:00-24:00", "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),
    ("2026-10-25 00:00-24:00", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
    ("2026-03-29 02:30-06:00", "2026-03-29", "2026-03-29T01:30", "2026-03-29T04:00"),
    ("2026-10-25 02:30-06:00", "2026-10-25", "2026-10-25T00:30", "2026-10-25T05:00"),
    ("2026-10-24..2026-10-25 08:00-12:00", "2026-10-24", "2026-10-24T06:00", "2026-10-24T10:00"),
    ("2026-10-24..2026-10-25 08:00-12:00", "2026-10-25", "2026-10-25T07:00", "2026-10-25T11:00"),
]


@pytest.mark.parametrize(("text", "day", "begin", "end"), EXACT)
def test_exceptions_on_days_of_a_change(text, day, begin, end):
    reps = Reps(
        id=["R"], lon=[1.0], lat=[1.0], shift=["off"], shift_exceptions=[text], timezone=[BERLIN], prep_s=[3600]
    )
    found = rep_day(reps, 0, np.datetime64(day), PlanSettings("2026-01-05", 7, [day]))
    assert [str(np.datetime64(t, "s"))[:16] for t in (found.begin, found.end)] == [begin, end]
    assert found.leave == found.begin + 3600


def test_an_exception_that_the_clock_skips_is_a_day_off():
    reps = Reps(id=["R"], lon=[1.0], lat=[1.0], shift_exceptions=["2026-03-29 02:30-03:00"], timezone=[BERLIN])
    assert rep_day(reps, 0, np.datetime64("2026-03-29"), PlanSettings("2026-01-05", 7, [])) is None
