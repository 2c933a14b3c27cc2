"""Calendars that update what an earlier one put into a calendar."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

import icalendar
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from territory.errors import InputError
from territory.io import plan_ics

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.model import Plan

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)
MONDAY, WEDNESDAY, THURSDAY = "2026-01-05", "2026-01-07", "2026-01-08"


def events(ics: bytes) -> list[Any]:
    return list(icalendar.Calendar.from_ical(ics).walk("VEVENT"))


def state(ics: bytes) -> dict[str, tuple[str, int, str]]:
    """Start, sequence and status of each UID."""
    found = {
        str(e["UID"]): (e["DTSTART"].dt.strftime("%d %H:%M"), int(e["SEQUENCE"]), str(e["STATUS"])) for e in events(ics)
    }
    assert len(found) == len(events(ics))
    return found


def test_one_event_a_visit_in_utc_with_place_and_contacts(plan: Plan) -> None:
    ics = plan_ics(plan, "R1", now=NOW)
    assert b"DTSTART:20260105T090000Z\r\n" in ics
    assert b"DTSTAMP:20260101T120000Z\r\n" in ics
    assert b"VTIMEZONE" not in ics
    assert b"SUMMARY:B\xc3\xa4ckerei\\; <b>&\r\n" in ics  # escaped as RFC 5545 asks for
    first = events(ics)[0]
    assert str(first["SUMMARY"]) == "Bäckerei; <b>&"
    assert first["DTEND"].dt == dt.datetime(2026, 1, 5, 9, 30, tzinfo=dt.UTC)
    assert first["GEO"].to_ical() == "52.5;13.4"
    assert str(first["LOCATION"]) == "52.500000, 13.400000"
    assert str(first["DESCRIPTION"]) == "Customer: 007\nContacts: Ann, Bob"
    assert first["STATUS"] == "CONFIRMED"
    assert len(events(ics)) == 4
    assert all(len(line) <= 75 for line in ics.split(b"\r\n"))


def test_names_fall_back_to_ids_and_control_characters_are_replaced(plan: Plan) -> None:
    assert [str(e["SUMMARY"]) for e in events(plan_ics(plan, "R1", now=NOW))][1] == "NA"
    assert [str(e["SUMMARY"]) for e in events(plan_ics(plan, "r/2", now=NOW))] == [
        "D\N{REPLACEMENT CHARACTER}",
        "E, F",
    ]


def test_the_same_plan_gives_the_same_bytes_and_nothing_changes_without_a_change(plan: Plan) -> None:
    first = plan_ics(plan, "R1", now=NOW)
    assert plan_ics(plan, "R1", now=NOW) == first
    assert plan_ics(plan, "R1", previous=first, now=LATER) == first


def test_without_a_zone_times_are_floating(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(zone="")
    ics = plan_ics(plan, "R1", now=NOW)
    assert b"DTSTART:20260105T090000\r\n" in ics
    assert plan_ics(plan, "R1", previous=ics, now=LATER) == ics


def test_a_moved_visit_keeps_its_uid_and_gets_the_next_sequence(make_plan: Callable[..., Plan]) -> None:
    before = make_plan([(0, MONDAY, 0, "09:00"), (0, MONDAY, 1, "10:00")])
    after = make_plan([(0, WEDNESDAY, 0, "14:00"), (0, MONDAY, 1, "10:00")])
    first = plan_ics(before, "R1", now=NOW)
    second = plan_ics(after, "R1", previous=first, now=LATER)
    one, two = state(first), state(second)
    assert set(one) == set(two)
    assert sorted(two.values()) == [("05 10:00", 0, "CONFIRMED"), ("07 14:00", 1, "CONFIRMED")]
    moved = next(e for e in events(second) if e["SEQUENCE"] == 1)
    assert moved["DTSTAMP"].dt == LATER
    third = plan_ics(before, "R1", previous=second, now=LATER)
    assert sorted(state(third).values()) == [("05 09:00", 2, "CONFIRMED"), ("05 10:00", 0, "CONFIRMED")]
    # even without the file, planning the same horizon again gives the same identities
    assert set(state(plan_ics(after, "R1", now=NOW))) == set(one)


def test_a_visit_that_is_gone_is_cancelled_once_and_may_come_back(make_plan: Callable[..., Plan]) -> None:
    before = make_plan([(0, MONDAY, 0, "09:00"), (0, MONDAY, 1, "10:00")])
    after = make_plan([(0, MONDAY, 1, "10:00")])
    first = plan_ics(before, "R1", now=NOW)
    second = plan_ics(after, "R1", previous=first, now=LATER)
    assert sorted(state(second).values()) == [("05 09:00", 1, "CANCELLED"), ("05 10:00", 0, "CONFIRMED")]
    assert plan_ics(after, "R1", previous=second, now=LATER) == second
    third = plan_ics(before, "R1", previous=second, now=LATER)
    assert set(state(third)) == set(state(first))
    assert sorted(state(third).values()) == [("05 09:00", 2, "CONFIRMED"), ("05 10:00", 0, "CONFIRMED")]


def test_several_visits_of_a_customer_keep_the_nearest_event(make_plan: Callable[..., Plan]) -> None:
    before = make_plan([(0, MONDAY, 0, "09:00"), (0, THURSDAY, 0, "09:00")])
    after = make_plan([(0, WEDNESDAY, 0, "09:00")])
    first = plan_ics(before, "R1", now=NOW)
    by_start = {start: uid for uid, (start, _, _) in state(first).items()}
    second = state(plan_ics(after, "R1", previous=first, now=LATER))
    assert second[by_start["08 09:00"]] == ("07 09:00", 1, "CONFIRMED")
    assert second[by_start["05 09:00"]] == ("05 09:00", 1, "CANCELLED")


def test_a_rolling_horizon_keeps_the_past_and_continues_the_rest(make_plan: Callable[..., Plan]) -> None:
    week = make_plan([(0, MONDAY, 0, "09:00"), (0, THURSDAY, 0, "09:00")], n_days=7)
    from_tuesday = make_plan([(0, THURSDAY, 0, "10:00"), (0, "2026-01-12", 0, "09:00")], start="2026-01-06", n_days=7)
    first = plan_ics(week, "R1", now=NOW)
    second = state(plan_ics(from_tuesday, "R1", previous=first, now=LATER))
    assert set(state(first)) < set(second)
    assert sorted(second.values()) == [
        ("05 09:00", 0, "CONFIRMED"),
        ("08 10:00", 1, "CONFIRMED"),
        ("12 09:00", 0, "CONFIRMED"),
    ]


def test_a_visit_that_another_rep_takes_over_is_cancelled_here_and_keeps_its_identity_there(
    make_plan: Callable[..., Plan],
) -> None:
    first = plan_ics(make_plan([(0, MONDAY, 0, "09:00")]), "R1", now=NOW)
    after = make_plan([(1, MONDAY, 0, "09:00")])
    assert [s[2] for s in state(plan_ics(after, "R1", previous=first, now=LATER)).values()] == ["CANCELLED"]
    assert set(state(plan_ics(after, "r/2", now=LATER))) == set(state(first))


def test_the_horizon_is_that_of_the_reps_zone(make_plan: Callable[..., Plan]) -> None:
    # 23:30 UTC on Sunday is Monday in Berlin: within the horizon, so its disappearance cancels it
    plan = make_plan([(0, MONDAY, 1, "09:00")])
    night = make_plan([(0, MONDAY, 0, "09:00"), (0, MONDAY, 1, "09:00")])
    stops = dataclasses.replace(night.stops, start=night.stops.start - [34_200, 0], end=night.stops.end - [34_200, 0])
    first = plan_ics(dataclasses.replace(night, stops=stops), "R1", now=NOW)
    second = state(plan_ics(plan, "R1", previous=first, now=LATER))
    assert sorted(second.values()) == [("04 23:30", 1, "CANCELLED"), ("05 09:00", 0, "CONFIRMED")]


def test_events_of_others_are_left_alone(plan: Plan) -> None:
    other = icalendar.Event()
    other.add("uid", "lunch@example.org")
    other.add("dtstart", dt.date(2026, 1, 7))
    calendar = icalendar.Calendar()
    calendar.add("prodid", "x")
    calendar.add("version", "2.0")
    calendar.add_component(other)
    ics = plan_ics(plan, "R1", previous=calendar.to_ical(), now=NOW)
    assert b"UID:lunch@example.org" in ics
    assert len(events(ics)) == 5


@pytest.mark.parametrize("torn", [b"", b"hello", b"\xff\xfe", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"])
def test_a_torn_calendar_is_an_error(plan: Plan, torn: bytes) -> None:
    with pytest.raises(InputError, match="not a calendar that can be continued"):
        plan_ics(plan, "R1", previous=torn)


def test_half_of_our_own_file_is_an_error_and_never_a_crash(plan: Plan) -> None:
    whole = plan_ics(plan, "R1", now=NOW)
    for size in range(0, len(whole) - 16, 37):
        with pytest.raises(InputError):
            plan_ics(plan, "R1", previous=whole[:size])


def test_now_needs_a_zone_and_defaults_to_the_clock(plan: Plan) -> None:
    with pytest.raises(InputError, match="zone"):
        plan_ics(plan, "R1", now=dt.datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
    stamp = events(plan_ics(plan, "R1"))[0]["DTSTAMP"].dt
    assert abs(stamp - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)


def test_a_rep_without_visits_and_an_unknown_one(make_plan: Callable[..., Plan]) -> None:
    assert events(plan_ics(make_plan([]), "R1", now=NOW)) == []
    with pytest.raises(InputError, match="unknown reps"):
        plan_ics(make_plan([]), "R9", now=NOW)


calendars = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from([MONDAY, WEDNESDAY, THURSDAY]),
        st.integers(0, 4),
        st.sampled_from(["09:00", "12:30"]),
    ),
    max_size=8,
    unique=True,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(calendars, min_size=2, max_size=4))
def test_whatever_happens_the_live_events_are_the_plan(make_plan: Callable[..., Plan], history: list[Any]) -> None:
    ics, before = None, {}
    for stops in history:
        plan = make_plan(stops)
        ics = plan_ics(plan, "R1", previous=ics, now=NOW)
        now = state(ics)
        live = sorted(start for start, _, status in now.values() if status == "CONFIRMED")
        assert live == sorted(f"{day[-2:]} {clock}" for rep, day, _, clock in stops if rep == 0)
        for uid, (start, sequence, status) in before.items():
            assert now[uid][1] == sequence + ((start, status) != (now[uid][0], now[uid][2]))
        before = now
        assert plan_ics(plan, "R1", previous=ics, now=LATER) == ics


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=90).filter(lambda t: bool(t.strip()))
)
def test_any_id_and_name_survive_the_calendar(make_plan: Callable[..., Plan], text: str) -> None:
    plan = make_plan()
    ids = [text, *(f"{text}{i}" for i in range(4))]
    customers = dataclasses.replace(plan.customers, id=ids, name=ids)
    plan = dataclasses.replace(plan, customers=customers, alignment=None)
    ics = plan_ics(plan, "R1", now=NOW)
    assert len(events(ics)) == 4
    assert plan_ics(plan, "R1", previous=ics, now=LATER) == ics
