"""Wall clocks: zones of reps and customers, changes of the clock, midnight."""

# ruff: noqa: E501 - a table of cases reads best with one case a line

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.properties.wall import Open, calendars, customer_columns, hours_of

from territory.check import check_plan
from territory.check.wall import as_text, local, to_utc

BERLIN, LISBON, NEW_YORK, KIRITIMATI = "Europe/Berlin", "Europe/Lisbon", "America/New_York", "Pacific/Kiritimati"
SPRING, AUTUMN = "2026-03-29", "2026-10-25"  # Sundays on which Europe changes its clocks

# the rep's day, zone and shift; the customer's zone, hours and call block; start of the visit in UTC and its length
CASES: dict[str, tuple[str, str, str, str, str, str, str, int, set[str]]] = {
    "winter": ("2026-01-05", BERLIN, "Mo 09:00-17:00", "", "", "", "2026-01-05T08:00", 60, set()),
    "too early in winter": ("2026-01-05", BERLIN, "Mo 09:00-17:00", "", "", "", "2026-01-05T07:59:59", 60, {"before-shift"}),
    "summer": ("2026-07-06", BERLIN, "Mo 09:00-17:00", "", "", "", "2026-07-06T07:00", 60, set()),
    "end in summer": ("2026-07-06", BERLIN, "Mo 09:00-17:00", "", "", "", "2026-07-06T14:59:01", 60, {"after-shift"}),
    "the rep's day began yesterday": ("2026-01-06", KIRITIMATI, "Tu 09:00-17:00", "", "", "", "2026-01-05T19:00", 60, set()),
    "the label is not the rep's day": (
        "2026-01-05", KIRITIMATI, "Mo-Tu 09:00-17:00", "", "", "", "2026-01-05T19:00", 60, {"after-shift"},
    ),
    "customer west of the rep": ("2026-01-05", BERLIN, "Mo 09:00-17:00", LISBON, "Mo 09:00-12:00", "", "2026-01-05T09:00", 60, set()),
    "open only by the rep's clock": (
        "2026-01-05", BERLIN, "Mo 09:00-17:00", LISBON, "Mo 09:00-12:00", "", "2026-01-05T08:59", 60, {"outside-opening-hours"},
    ),
    "closed by the customer's clock": (
        "2026-01-05", BERLIN, "Mo 09:00-17:00", LISBON, "Mo 09:00-12:00", "", "2026-01-05T11:59:01", 60, {"outside-opening-hours"},
    ),
    "weekday of the customer's clock": ("2026-01-05", "", "24/7", KIRITIMATI, "Tu 00:00-24:00", "", "2026-01-05T10:00", 60, set()),
    "blocked on the customer's day": ("2026-01-05", "", "24/7", KIRITIMATI, "", "2026-01-06", "2026-01-05T10:00", 60, {"call-block"}),
    "blocked on the rep's day only": ("2026-01-05", "", "24/7", KIRITIMATI, "", "2026-01-05", "2026-01-05T10:00", 60, set()),
    "ends when the block begins": ("2026-01-05", "", "24/7", "", "", "2026-01-06", "2026-01-05T23:30", 1800, set()),
    "runs into the block": (
        "2026-01-05", "", "24/7", "", "", "2026-01-06", "2026-01-05T23:30", 1801, {"call-block", "after-shift"},
    ),
    "over midnight": ("2026-01-06", "", "24/7", NEW_YORK, "Mo 22:00-24:00; Tu 00:00-02:00", "", "2026-01-06T04:45", 1800, set()),
    "one interval over midnight": ("2026-01-06", "", "24/7", NEW_YORK, "Mo 22:00-02:00", "", "2026-01-06T03:00", 14_400, set()),
    "a second too long": (
        "2026-01-06", "", "24/7", NEW_YORK, "Mo 22:00-02:00", "", "2026-01-06T03:00", 14_401, {"outside-opening-hours"},
    ),
    "closed at midnight": (
        "2026-01-06", "", "24/7", NEW_YORK, "Mo 22:00-24:00; Tu 00:01-02:00", "", "2026-01-06T04:45", 1800, {"outside-opening-hours"},
    ),
    "23 hours": (SPRING, BERLIN, "Su 00:00-24:00", "", "", "", f"{SPRING[:-2]}28T23:00", 23 * 3600, set()),
    "24 of 23 hours": (SPRING, BERLIN, "Su 00:00-24:00", "", "", "", f"{SPRING[:-2]}28T23:00", 23 * 3600 + 1, {"after-shift"}),
    "25 hours": (AUTUMN, BERLIN, "Su 00:00-24:00", "", "", "", f"{AUTUMN[:-2]}24T22:00", 25 * 3600, set()),
    "26 of 25 hours": (AUTUMN, BERLIN, "Su 00:00-24:00", "", "", "", f"{AUTUMN[:-2]}24T22:00", 25 * 3600 + 1, {"after-shift"}),
    "shift begins in the gap": (SPRING, BERLIN, "Su 02:30-06:00", "", "", "", f"{SPRING}T01:30", 60, set()),
    "before the gap's shift": (SPRING, BERLIN, "Su 02:30-06:00", "", "", "", f"{SPRING}T01:29:59", 60, {"before-shift"}),
    "shift begins in the first of two": (AUTUMN, BERLIN, "Su 02:30-06:00", "", "", "", f"{AUTUMN}T00:30", 60, set()),
    "before the first of two": (AUTUMN, BERLIN, "Su 02:30-06:00", "", "", "", f"{AUTUMN}T00:29:59", 60, {"before-shift"}),
    "shift ends in the first of two": (AUTUMN, BERLIN, "Su 00:00-02:30", "", "", "", f"{AUTUMN}T00:29", 61, {"after-shift"}),
    "open between the two": (AUTUMN, "", "24/7", BERLIN, "Su 02:30-05:00", "", f"{AUTUMN}T01:10", 60, set()),
    "opens in the gap": (SPRING, "", "24/7", BERLIN, "Su 02:30-05:00", "", f"{SPRING}T01:30", 60, set()),
    "opens later for the gap": (SPRING, "", "24/7", BERLIN, "Su 02:30-05:00", "", f"{SPRING}T01:29", 60, {"outside-opening-hours"}),
    "closes later for the gap": (SPRING, "", "24/7", BERLIN, "Su 00:00-02:30", "", f"{SPRING}T01:29", 60, set()),
    "hours of a 25 h day": (AUTUMN, "", "24/7", BERLIN, "Su 00:00-12:00", "", f"{AUTUMN}T00:00", 11 * 3600, set()),
    "beyond a 25 h day": (AUTUMN, "", "24/7", BERLIN, "Su 00:00-12:00", "", f"{AUTUMN}T00:00", 11 * 3600 + 1, {"outside-opening-hours"}),
}  # fmt: skip


def lone(new_draft: Any, day: str, start: str, service_s: int, **columns: Any) -> Any:
    """Plan one visit next to the rep's home."""
    customers = {"id": ["c1"], "lon": [10.0], "lat": [50.0], "service_s": [float(service_s)]}
    reps = {"id": ["R1"], "lon": [10.0], "lat": [50.0]}
    for name, value in columns.items():
        (reps if name.startswith("rep_") else customers)[name.removeprefix("rep_")] = [value]
    d = type(new_draft())(customers, reps, {"start": np.datetime64(day), "n_days": 1, "holidays": [], "travel": "line"})
    d.drive(0, day, [0], start, service_s=service_s)
    return d


@pytest.mark.parametrize("name", CASES)
def test_zones(name, new_draft, line):
    day, rep_zone, shift, zone, hours, block, start, length, expected = CASES[name]
    d = lone(
        new_draft, day, start, length, timezone=zone, opening_hours=hours, call_blocks=block, rep_timezone=rep_zone,
        rep_shift=shift,
    )  # fmt: skip
    report = check_plan(d.plan(), travel=line)
    assert set(report.codes) == expected, str(report)


@pytest.mark.parametrize(("at", "codes"), [("16:00", set()), ("15:59:59", {"break-outside-window"})])
def test_break_window_is_of_the_reps_clock(at, codes, new_draft, line):
    d = lone(
        new_draft, "2026-01-05", "2026-01-05T13:00", 1800, rep_timezone=NEW_YORK, rep_break_s=1800.0, rep_shift="24/7"
    )
    d.routes[0].update(back=np.datetime64("2026-01-05T20:00"), break_s=1800)
    d.routes[0]["break_start"] = np.datetime64(f"2026-01-05T{at}")
    assert set(check_plan(d.plan(), travel=line).codes) == codes


def test_messages_speak_the_wall_clock(new_draft, line):
    d = lone(new_draft, "2026-07-06", "2026-07-06T06:59:30", 60, rep_timezone=BERLIN, rep_shift="Mo 09:00-17:00")
    (found,) = check_plan(d.plan(), travel=line)
    assert found.message == "Rep R1 leaves at 2026-07-06 08:59:30, before the shift begins at 2026-07-06 09:00."
    assert (found.rep_id, str(found.day), found.amount) == ("R1", "2026-07-06", 30.0)


def test_opening_hours_tell_how_far_off(new_draft, line):
    d = lone(
        new_draft,
        "2026-01-05",
        "2026-01-05T08:30",
        7200,
        timezone=LISBON,
        opening_hours="Mo 09:00-10:00",
        rep_shift="24/7",
    )
    (found,) = check_plan(d.plan(), travel=line)
    assert found.amount == 3600.0
    assert "from 2026-01-05 08:30 to 2026-01-05 10:30; its hours on 2026-01-05 are 09:00-10:00." in found.message


def test_wall_clock_there_and_back():
    rng = np.random.default_rng(7)
    for zone in (BERLIN, NEW_YORK, KIRITIMATI, "Australia/Lord_Howe", "America/St_Johns", ""):
        instants = rng.integers(1_500_000_000, 1_900_000_000, 200).astype("datetime64[s]")
        walls = local(instants, [zone] * 200)
        for instant, wall in zip(instants, walls, strict=True):
            day = wall.astype("datetime64[D]")
            back = to_utc(int(day.astype(int)), int((wall - day).astype(int)), zone)
            # in a repeated hour the first is meant
            assert int(instant.astype(int)) - back in (0, 1800, 3600)
            assert local(np.array([back], "datetime64[s]"), [zone])[0] == wall


def test_as_text():
    assert as_text(np.datetime64("NaT", "s"), BERLIN) == "an unknown time"
    assert as_text(np.datetime64("2026-01-05T08:00:07"), "") == "2026-01-05 08:00:07"
    assert math.isclose(to_utc(1, 86_400, ""), 172_800)


# -- single dates --------------------------------------------------------------------------------

# the day, the rep's zone and exceptions; the customer's zone, hours and exceptions; start of the visit in UTC, length
DATED: dict[str, tuple[str, str, str, str, str, str, str, int, set[str]]] = {
    "works on a Sunday": ("2026-01-04", BERLIN, "2026-01-04 09:00-12:00", "", "", "", "2026-01-04T08:00", 60, set()),
    "not that early": ("2026-01-04", BERLIN, "2026-01-04 09:00-12:00", "", "", "", "2026-01-04T07:59", 60, {"before-shift"}),
    "not that late": ("2026-01-04", BERLIN, "2026-01-04 09:00-12:00", "", "", "", "2026-01-04T10:59:01", 60, {"after-shift"}),
    "off that Monday": ("2026-01-05", BERLIN, "2026-01-05 off", "", "", "", "2026-01-05T08:00", 60, {"no-shift"}),
    "off the day before": ("2026-01-05", BERLIN, "2026-01-04 off; 2026-01-06 off", "", "", "", "2026-01-05T08:00", 60, set()),
    "23 hours": (SPRING, BERLIN, f"{SPRING} 00:00-24:00", "", "", "", f"{SPRING[:-2]}28T23:00", 23 * 3600, set()),
    "24 of 23 hours": (SPRING, BERLIN, f"{SPRING} 00:00-24:00", "", "", "", f"{SPRING[:-2]}28T23:00", 23 * 3600 + 1, {"after-shift"}),
    "25 hours": (AUTUMN, BERLIN, f"{AUTUMN} 00:00-24:00", "", "", "", f"{AUTUMN[:-2]}24T22:00", 25 * 3600, set()),
    "26 of 25 hours": (AUTUMN, BERLIN, f"{AUTUMN} 00:00-24:00", "", "", "", f"{AUTUMN[:-2]}24T22:00", 25 * 3600 + 1, {"after-shift"}),
    "begins in the gap": (SPRING, BERLIN, f"{SPRING} 02:30-06:00", "", "", "", f"{SPRING}T01:30", 60, set()),
    "before the gap's begin": (SPRING, BERLIN, f"{SPRING} 02:30-06:00", "", "", "", f"{SPRING}T01:29:59", 60, {"before-shift"}),
    "ends in the first of two": (AUTUMN, BERLIN, f"{AUTUMN} 00:00-02:30", "", "", "", f"{AUTUMN}T00:29", 61, {"after-shift"}),
    "open that day only": ("2026-01-05", "", "", LISBON, "off", "2026-01-05 09:00-09:30", "2026-01-05T09:00", 1800, set()),
    "a second too long": (
        "2026-01-05", "", "", LISBON, "off", "2026-01-05 09:00-09:30", "2026-01-05T09:00", 1801, {"outside-opening-hours"},
    ),
    "open but for that day": ("2026-01-05", "", "", "", "", "2026-01-05 off", "2026-01-05T09:00", 60, {"outside-opening-hours"}),
    "open on other days": ("2026-01-05", "", "", "", "", "2026-01-04 off; 2026-01-06 off", "2026-01-05T09:00", 60, set()),
    "closed on the customer's day": (
        "2026-01-05", "", "", KIRITIMATI, "", "2026-01-06 off", "2026-01-05T10:00", 60, {"outside-opening-hours"},
    ),
    "closed on the rep's day only": ("2026-01-05", "", "", KIRITIMATI, "", "2026-01-05 off", "2026-01-05T10:00", 60, set()),
    "on into the next day": (
        "2026-01-05", "", "2026-01-05 20:00-24:00", NEW_YORK, "off", "2026-01-05 15:00-24:00; 2026-01-06 00:00-02:00",
        "2026-01-05T20:00", 4 * 3600, set(),
    ),
    "ten days through": ("2026-01-05", "", "", "", "off", "2026-01-05..2026-01-15 00:00-24:00", "2026-01-05T09:00", 10 * 86_400, {"after-shift"}),
    "ten days but one": (
        "2026-01-05", "", "", "", "24/7", "2026-01-14 off", "2026-01-05T09:00", 10 * 86_400, {"after-shift", "outside-opening-hours"},
    ),
    "nothing is left of the night before": (
        "2026-01-06", "", "2026-01-06 00:00-08:00", "", "Mo-Su 22:00-06:00", "2026-01-06 09:00-17:00", "2026-01-06T02:00", 60,
        {"outside-opening-hours"},
    ),
    "the night begins all the same": (
        "2026-01-05", "", "2026-01-05 08:00-24:00", "", "Mo-Su 22:00-06:00", "2026-01-06 09:00-17:00", "2026-01-05T23:59", 60, set(),
    ),
    "open in the hour that comes twice": (
        AUTUMN, "", f"{AUTUMN} 00:00-24:00", BERLIN, "off", f"{AUTUMN} 02:30-05:00", f"{AUTUMN}T01:10", 60, set(),
    ),
    "closed before the first of two": (
        AUTUMN, "", f"{AUTUMN} 00:00-24:00", BERLIN, "off", f"{AUTUMN} 02:30-05:00", f"{AUTUMN}T00:29", 60, {"outside-opening-hours"},
    ),
    "opens later for the gap": (
        SPRING, "", f"{SPRING} 00:00-24:00", BERLIN, "24/7", f"{SPRING} 02:30-05:00", f"{SPRING}T01:29", 60, {"outside-opening-hours"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DATED)
def test_single_dates(name, new_draft, line):
    day, rep_zone, shifts, zone, hours, exceptions, start, length, expected = DATED[name]
    d = lone(
        new_draft, day, start, length, timezone=zone, opening_hours=hours, hours_exceptions=exceptions,
        rep_timezone=rep_zone, rep_shift_exceptions=shifts,
    )  # fmt: skip
    report = check_plan(d.plan(), travel=line)
    assert set(report.codes) == expected, str(report)


@settings(max_examples=120, deadline=None)
@given(calendar=calendars(), bind=st.sampled_from(["visit", "start"]), seed=st.integers(0, 2**32))
def test_the_checker_knows_every_minute(calendar, bind, seed, new_draft, line):
    day, week, own, _, zone = calendar
    n, rng = 25, np.random.default_rng(seed)
    lengths = rng.choice([0, 60, 300, 7200, 90_000], n)
    d = lone(new_draft, str(np.datetime64(day, "D")), "12:00", 0, rep_shift="24/7")
    one = customer_columns(week, own, (), zone, bind)
    repeated = {name: v.take([0] * n) if hasattr(v, "take") else v * n for name, v in one.items()}
    d.customers = {
        "id": [str(k) for k in range(n)],
        "lon": [10.0] * n,
        "lat": [50.0] * n,
        "service_s": lengths,
        **repeated,
    }
    d.stops, d.routes = [], []
    starts = (day * 86_400 + rng.integers(-60, 1500, n) * 60).tolist()
    for k, (start, length) in enumerate(zip(starts, lengths.tolist(), strict=True)):
        d.drive(0, str(np.datetime64(day, "D")), [k], str(np.datetime64(start, "s")), service_s=length)
    welcome = Open(range(day - 4, day + 5), lambda d: hours_of(week, own, d), zone)
    kept = {
        str(k)
        for k, (start, length) in enumerate(zip(starts, lengths.tolist(), strict=True))
        if (welcome.whole(start, start + length) if bind == "visit" else start in welcome.moments)
    }
    found = {v.customer_id for v in check_plan(d.plan(), travel=line) if v.code == "outside-opening-hours"}
    assert found == set(d.customers["id"]) - kept
