"""The calendar against brute force: clocks, weeks, leap days, intervals, on cases small enough to try everything."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.schedule.brute import Instance, instant
from tests.schedule.brute_plan import faults_of, planned

#: Zones, and weeks in which their clocks change from Saturday to Sunday, or on Sunday.
CHANGES = [
    ("Europe/Berlin", "2026-03-23"),
    ("Europe/Berlin", "2026-10-19"),
    ("America/New_York", "2026-03-02"),
    ("America/New_York", "2026-10-26"),
    # half an hour off the full hours, an hour of summer time
    ("Australia/Adelaide", "2026-09-28"),
    ("Australia/Adelaide", "2026-03-30"),
    # half an hour of summer time
    ("Australia/Lord_Howe", "2026-09-28"),
    ("Australia/Lord_Howe", "2026-03-30"),
    # clocks change at midnight: one day begins at one, another ends at eleven
    ("America/Santiago", "2026-08-31"),
    ("America/Santiago", "2026-03-30"),
    # no change of clocks at all, but half an hour and 45 minutes off
    ("Asia/Kolkata", "2026-03-23"),
    ("Asia/Kathmandu", "2026-03-23"),
]


def right(case: Instance, **options):
    plan = planned(case, **options)
    assert faults_of(case, plan, earliest=not options.get("time_price_s")) == []
    return plan


@pytest.mark.parametrize(("zone", "start"), CHANGES)
@pytest.mark.parametrize("open_from", ["00:00", "01:30", "01:45", "02:00", "02:15", "02:30", "03:00"])
def test_a_visit_as_long_as_the_hours_of_the_day_on_which_clocks_change(zone, start, open_from):
    """The longest visit that fits fills shift and hours to the second; one second more does not fit."""
    for shift, hours in ((f"Su {open_from}-05:00", ""), ("Su 00:00-24:00", f"Su {open_from}-05:00")):
        case = Instance(
            ({"hours": hours, "service": 1}, {"zone": "Asia/Tokyo", "service": 60}),
            ({"shift": shift, "zone": zone},), start,
        )  # fmt: skip
        begin, end = case.shift(0, 6) if hours == "" else (instant(case.day(6), t, zone) for t in seconds(hours))
        longest = {**case.customers[0], "service": end - begin}
        plan = right(replace(case, customers=(longest,), memo={}))
        assert len(plan.stops) == 1
        assert plan.stops.start[0].astype(int) == begin
        too_long = {**longest, "service": end - begin + 1}
        assert len(right(replace(case, customers=(too_long,), memo={})).stops) == 0
        right(case)


def seconds(hours):
    return tuple(int(t[:2]) * 3600 + int(t[3:]) * 60 for t in hours.split()[1].split("-"))


@pytest.mark.parametrize(("zone", "start"), CHANGES[:8])
def test_reps_and_customers_in_two_zones_while_clocks_change(zone, start):
    other = "Asia/Kolkata" if zone == "Europe/Berlin" else "Europe/Berlin"
    opening = ("Mo-Su 01:00-04:30", "Sa-Su 22:00-24:00", "Su 00:00-03:00", "Mo-Fr 09:00-09:50; Su 00:15-12:00")
    zones = (zone, other, "", zone)
    for drive in (0, 600):
        case = Instance(
            tuple({"hours": h, "zone": z, "interval": 3.5} for h, z in zip(opening, zones, strict=True)),
            ({"shift": "Mo-Su 00:00-24:00", "zone": zone}, {"shift": "Mo-Su 02:30-14:00", "zone": other}),
            start, 1, (0, 0, 1, 1), drive_s=drive,
        )  # fmt: skip
        right(case)


@pytest.mark.parametrize("parity", ["odd", "even"])
@pytest.mark.parametrize("zone", ["", "Pacific/Auckland", "America/Los_Angeles"])
def test_even_and_odd_weeks_over_a_new_year_after_53_weeks(parity, zone):
    """Week 53 of 2026 and week 1 of 2027 are odd both: every second week by the calendar is not every 14 days."""
    case = Instance(
        (
            {"parity": parity, "interval": 14, "early": 7, "late": 7, "zone": zone, "hours": "Mo-Sa 08:30-16:00"},
            {"parity": parity, "interval": 14, "early": 3, "late": 3, "last": "2026-12-14"},
            {"parity": "any", "interval": 7, "early": 2, "late": 2, "weekdays": "Mo,Su", "last": "2026-12-20"},
        ),
        ({"shift": "Mo-Su 08:00-17:00", "leave": "2027-01-01; 2027-01-06", "zone": "Europe/Berlin"},),
        "2026-12-21", 4, drive_s=900,
    )  # fmt: skip
    plan = right(case)
    assert len(plan.stops) >= 4
    right(replace(case, start="2026-12-28", weeks=2, memo={}))


def test_a_leap_day_counts_as_a_day_of_the_interval():
    case = Instance(
        (
            {"interval": 3, "last": "2028-02-26", "early": 0, "late": 0},
            {"interval": 7, "last": "2028-02-22", "early": 0, "late": 0},
            {"interval": 366, "last": "2027-02-28", "early": 0, "late": 0},
        ),
        ({"shift": "Mo-Su 08:00-17:00"},), "2028-02-28", 1, drive_s=60,
    )  # fmt: skip
    plan = right(case)
    days = {int(c): [str(d) for d in plan.stops.day[plan.stops.customer_idx == c]] for c in range(3)}
    assert days == {0: ["2028-02-29", "2028-03-03"], 1: ["2028-02-29"], 2: ["2028-02-29"]}
    no_leap = replace(case, start="2027-02-22", memo={}, customers=({**case.customers[0], "last": "2027-02-25"},))
    assert [str(d) for d in right(no_leap).stops.day] == ["2027-02-28"]


@pytest.mark.parametrize("tolerance", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("interval", [1, 1.5, 2.5, 3.5, 4.2, 7, 10.5])
def test_intervals_that_are_no_whole_days(interval, tolerance):
    case = Instance(
        ({"interval": interval}, {"interval": interval, "last": "2026-01-01"}, {"interval": 7, "last": "2025-10-01"}),
        ({"shift": "Mo-Fr 08:00-10:00"},), "2026-01-05", 2, tolerance=tolerance, drive_s=1200,
    )  # fmt: skip
    right(case)


def test_lateness_and_earliness_of_parts_of_a_day():
    case = Instance(
        ({"interval": 3.5, "early": 0.5, "late": 0}, {"interval": 3.5, "early": 0, "late": 0.4, "last": "2026-01-02"}),
        ({"shift": "Mo-Su 08:00-10:00"},), "2026-01-05", 2, drive_s=1200,
    )  # fmt: skip
    right(case)


HOURS = ["", "", "", "Mo-Fr 09:00-12:00,13:00-17:00", "Tu,Th 09:00-11:00", "We 14:00-14:30", "Sa-Su 00:00-24:00",
         "Mo-Su 02:15-02:45", "Su 01:00-03:00"]  # fmt: skip
STARTS = ["2026-01-05", "2026-03-23", "2026-10-19", "2026-12-28", "2028-02-28", "2026-09-28"]
ZONES = ["", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]


@st.composite
def instances(draw) -> Instance:
    """Draw a tiny team; rarely easy."""
    start = draw(st.sampled_from(STARTS))
    columns = draw(st.sets(st.sampled_from(
        ["interval", "tolerances", "last", "service", "hours", "bind", "blocks", "weekdays", "parity", "zone"]
    )))  # fmt: skip
    day = f"{start[:8]}{int(start[8:]) + 2 if int(start[8:]) < 27 else start[8:]:0>2}"
    choices = {
        "interval": st.sampled_from([1, 2, 3.5, 5, 7, 10.5, 40, None]),
        "last": st.sampled_from(["", "2026-01-03", "2026-01-06", "2026-03-21", "2026-10-10", "2026-12-20"]),
        "service": st.sampled_from([60, 600.5, 1800, 3600, 5400]),
        "hours": st.sampled_from(HOURS),
        "bind": st.sampled_from(["visit", "start"]),
        "blocks": st.sampled_from(["", "", day, f"{start}..{day}"]),
        "weekdays": st.sampled_from(["", "", "Mo,We", "Su", "Tu,We,Th"]),
        "parity": st.sampled_from(["any", "any", "odd", "even"]),
        "zone": st.sampled_from(ZONES),
    }
    n = draw(st.integers(1, 3))
    r = draw(st.integers(1, min(2, n)))
    wanted = [name for name in choices if name in columns]
    customers = [{name: draw(choices[name]) for name in wanted} for _ in range(n)]
    if "tolerances" in columns:
        customers = [{**c, "early": draw(st.integers(0, 3)), "late": draw(st.integers(0, 3))} for c in customers]
    shift = st.sampled_from(["Mo-Fr 08:00-17:00", "Tu-Th 09:00-10:45", "Mo-Su 02:00-04:00", "Mo,Su 00:00-24:00"])
    limited, resting = draw(st.booleans()), draw(st.booleans())
    reps = []
    for _ in range(r):
        rep = {"shift": draw(shift), "zone": draw(st.sampled_from(ZONES)), "leave": draw(choices["blocks"])}
        if limited:
            rep["max_visits"] = draw(st.integers(1, 2))
        if resting:
            rep["rest"] = draw(st.sampled_from([(0, 0, 86_400), (1800, 39_600, 50_400), (1800, 7200, 12_600)]))
        reps.append(rep)
    return Instance(
        tuple(customers), tuple(reps), start, draw(st.integers(1, 2)),
        tuple(draw(st.integers(0, r - 1)) for _ in range(n)), draw(st.sampled_from(["", day])),
        draw(st.sampled_from([0.0, 0.25, 0.5])), draw(st.sampled_from([0, 300, 3600])),
    )  # fmt: skip


@settings(max_examples=60)
@given(instances())
def test_any_tiny_team(case):
    right(case)
    right(case, time_price_s=60.0, weekday_price_s=120.0)
