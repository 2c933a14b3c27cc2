"""One customer at the rep's door: whatever stands in its calendar is judged as by hand, rule by rule."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.check import check_plan

D = 28
START = np.datetime64("2026-01-05")
BERLIN, LISBON, NEW_YORK = "Europe/Berlin", "Europe/Lisbon", "America/New_York"


class Entry(NamedTuple):
    """A visit on a day: by interval, an anchor that may lie some days around it, or an event."""

    day: int
    kind: str
    planned: bool
    before: int = 0
    after: int = 0

    @property
    def width(self) -> int:
        return self.before + self.after


def by_interval(*days: int) -> list[Entry]:
    return [Entry(n, "interval", planned=True) for n in days]


def anchor(n: int, before: int = 0, after: int = 0, *, planned: bool = True) -> Entry:
    return Entry(n, "anchor", planned, before, after)


def world(new_draft: Any, interval: float, tolerance: float = 0.0, last: int | None = None) -> Any:
    """Return a draft without visits, whose only customer lives next door to both reps."""
    customers = {"id": ["c1"], "lon": [10.0], "lat": [50.0], "visit_interval_days": [interval]}
    if last is not None:
        customers["last_visit"] = [START + np.timedelta64(last, "D")]
    reps = {"id": ["R1", "R2"], "lon": [10.0, 10.0], "lat": [50.0, 50.0], "shift": ["24/7", "24/7"]}
    horizon = {"start": START, "n_days": D, "holidays": [], "travel": "line", "tolerance": tolerance}
    return type(new_draft())(customers, reps, horizon)


def left(d: Any, day: int, **row: Any) -> None:
    d.unassigned.append(
        {"customer_idx": 0, "rep_idx": 0, "due": START + np.timedelta64(day, "D"), "reason": "over-capacity"}
        | {"detail": "No room.", **row}
    )


def calendar(new_draft: Any, entries: list[Entry], interval: float, **options: Any) -> Any:
    d = world(new_draft, interval, **options)
    for entry in sorted(entries):
        row = None
        if entry.kind != "interval":
            row = len(d.visits)
            window = [str(START + np.timedelta64(entry.day + n, "D")) for n in (-entry.before, entry.after, 0)]
            d.visits.append(
                {"id": f"v{row}", "customer_id": "c1", "earliest": window[0], "latest": window[1], "due": window[2]}
                | {"kind": "event" if entry.kind == "event" else "appointment"}
            )
        if entry.planned:
            d.drive(
                0, str(START + np.timedelta64(entry.day, "D")), [0], "10:00", rows=None if row is None else {0: row}
            )
        else:
            left(d, entry.day, **({} if row is None else {"visit_idx": row}))
    d.sort()
    return d


def expected(entries: list[Entry], interval: int, slack: int, last: int | None) -> set[str]:
    shortest, longest = max(1, interval - slack), interval + slack
    low, high = 0, interval - 1
    if last is not None and last + longest >= 0:
        low, high = max(0, last + shortest), last + longest
    counted = sorted(e for e in entries if e.kind != "event")
    if not counted:
        return {"visit-missing"} if high < D else set()

    def room(*some: Entry) -> int:
        anchors = [e for e in some if e.kind == "anchor"]
        return shortest + sum(e.width for e in anchors) if anchors else 0

    def instead(since: int, e: Entry, *beside: Entry) -> int:
        # a missed anchor stands for a visit on any of its days, also one between two other visits
        return sum(
            shortest + longest + m.width
            for m in counted
            if m.kind == "anchor" and not m.planned and m not in beside
            and max(0, m.day - m.before) < e.day and min(D - 1, m.day + m.after) > since
        )  # fmt: skip

    first, end = counted[0], counted[-1]
    found = {"first-visit-late"} if first.day > high + room(first) + instead(-99, first, first) else set()
    found |= {"visit-missing"} if end.day + longest + end.width < D else set()
    for a, b in pairwise(counted):
        most = longest + room(a, b) + instead(a.day, b, a, b)
        found |= {"interval-too-long"} if b.day - a.day > most else set()
        soon = a.kind == b.kind == "interval" and b.day - a.day < shortest
        found |= {"unassigned-too-soon"} if soon and not b.planned else set()
    return found | too_near(counted, low, shortest)


def too_near(counted: list[Entry], low: int, shortest: int) -> set[str]:
    """Go through the visits by interval that take place; an anchor, planned or not, is where counting begins anew."""
    found, earliest, code = set(), low, "first-visit-early"
    for e in counted:
        if e.kind == "anchor":
            earliest = 0
        elif e.planned:
            found |= {code} if e.day < earliest else set()
            earliest, code = e.day + shortest, "interval-too-short"
    return found


entries = st.lists(
    st.builds(
        Entry,
        st.integers(0, D - 1),
        st.sampled_from(["interval", "interval", "anchor", "anchor", "event"]),
        st.booleans() | st.just(True),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    max_size=8,
    unique_by=lambda e: e.day,
)


def one_day(e: Entry) -> Entry:
    return e if e.kind == "anchor" else e._replace(before=0, after=0)


@settings(max_examples=300, deadline=None)
@given(entries, st.integers(1, 12), st.sampled_from([0.0, 0.25, 0.5]), st.none() | st.integers(-20, -1))
def test_a_calendar_is_judged_as_by_hand(new_draft, line, some, interval, tolerance, last):
    some = [one_day(e) for e in some]
    d = calendar(new_draft, some, float(interval), tolerance=tolerance, last=last)
    report = check_plan(d.plan(), travel=line)
    assert set(report.codes) == expected(some, interval, int(tolerance * interval), last), str(report)


RIGHT = {
    "as near as they like": [*by_interval(0, 7, 14, 21), anchor(8), anchor(9), anchor(20)],
    "the first as late as an anchor may be": [anchor(16, 3), *by_interval(21)],
    "as far after as an anchor may be": [*by_interval(0), anchor(17, 1, 2), *by_interval(24)],
    "as far from an anchor as may be": [*by_interval(0), anchor(7, 3), *by_interval(24)],
    "the last, with its days": [*by_interval(0, 7), anchor(14, 7)],
    "missed, on another of its days than it is told for": [
        *by_interval(0),
        Entry(27, "anchor", planned=False, before=15),
        anchor(21),
    ],
    "missed, as if it had been": [*by_interval(0), anchor(7, planned=False), *by_interval(8, 15, 22)],
    "an event is no visit": [*by_interval(0, 7, 14, 21), Entry(1, "event", planned=True)],
}
FAULTS = {
    "first-visit-late": [anchor(17, 3), *by_interval(21)],
    "interval-too-long": [*by_interval(0), anchor(18, 1, 2), *by_interval(24)],
    "visit-missing": [*by_interval(0, 7), anchor(14, 6)],
    "interval-too-short": [*by_interval(0, 7, 13, 20), anchor(21)],
    "unassigned-too-soon": [*by_interval(0, 7, 14, 21), Entry(25, "interval", planned=False)],
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_calendars(name, new_draft, line):
    report = check_plan(calendar(new_draft, RIGHT[name], 7.0).plan(), travel=line)
    assert report.ok, str(report)


@pytest.mark.parametrize("code", FAULTS)
def test_planted_faults(code, new_draft, line):
    assert set(check_plan(calendar(new_draft, FAULTS[code], 7.0).plan(), travel=line).codes) == {code}


def test_an_event_instead_of_a_visit(new_draft, line):
    d = calendar(new_draft, [*by_interval(0, 14, 21), Entry(7, "event", planned=True)], 7.0)
    assert set(check_plan(d.plan(), travel=line).codes) == {"interval-too-long"}


# the row's first and last day and kind, who is named, who comes along; stops (day, rep, minute); days unassigned
rows = st.tuples(
    st.integers(-2, 9), st.integers(0, 4), st.booleans(), st.sampled_from(["", "R1", "R2"]), st.sampled_from(["", "R2"])
).filter(lambda row: row[3] != "R2" or row[4] != "R2")
made = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 1), st.integers(0, 1)), max_size=5, unique_by=lambda s: s[:2]
)
unassigned = st.lists(st.integers(0, 9), max_size=2)


@settings(max_examples=300, deadline=None)
@given(rows, made, unassigned)
def test_a_single_visit_is_judged_as_by_hand(new_draft, line, row, made, unassigned):
    first, width, is_event, rep, second = row
    last = first + width
    d = world(new_draft, float("nan"))
    d.settings["n_days"] = 10
    window = {"earliest": str(START + np.timedelta64(first, "D")), "latest": str(START + np.timedelta64(last, "D"))}
    d.visits.append(
        {"id": "v", "customer_id": "c1", **window, "rep_id": rep, "second_rep_id": second}
        | {"kind": "event" if is_event else "appointment"}
    )
    for day, who, minute in made:
        d.drive(who, str(START + np.timedelta64(day, "D")), [0], f"10:0{minute}", rows={0: 0})
    for day in unassigned:
        left(d, day, visit_idx=0)
    d.sort()
    # every day of an event is judged by itself, any other row as a whole
    low, high = max(first, 0), min(last, 9)
    judged = range(low, high + 1) if is_event else range(low <= high)
    found = set()
    groups = {day: [s for s in made if s[0] == day] for day in range(10)} if is_event else {0: made}
    missed = {day: unassigned.count(day) for day in range(10)} if is_event else {0: len(unassigned)}
    for day, stops in groups.items():
        reps = sorted(who for _, who, _ in stops)
        if day in judged and not stops and not missed[day]:
            found.add("single-missing")
        if day in judged and len(stops) == 1 and second:
            found.add("joint-incomplete")
        if len(stops) > (2 if second else 1) or len(set(reps)) < len(reps):
            found.add("single-doubled")
        if second and len({(s[0], s[2]) for s in stops}) > 1:
            found.add("joint-apart")
        if second and len(stops) > 1 and 1 not in reps:
            found.add("single-rep-wrong")
        found |= {"planned-and-unassigned"} if stops and missed[day] else set()
        found |= {"unassigned-doubled"} if missed[day] > 1 else set()
    found |= {"single-day-wrong"} if any(not first <= s[0] <= last for s in made) else set()
    named = {int(name[1]) - 1 for name in (rep, second) if name}
    found |= {"single-rep-wrong"} if rep and any(s[1] not in named for s in made) else set()
    if not is_event and not second and len({s[0] for s in made}) < len(made):
        found.add("visit-doubled")
    if unassigned and low > high:
        found.add("unassigned-not-due")
    elif any((not low <= day <= high) if is_event else day != high for day in unassigned):
        found.add("single-due-wrong")
    report = check_plan(d.plan(), travel=line)
    assert set(report.codes) == found, str(report)


# zones of rep and customer; the rep's day; the time on the customer's clock; the start in UTC; whether it is right
CLOCKS = {
    "winter": (BERLIN, "", "2026-01-05", "09:00", "2026-01-05T08:00", True),
    "summer": (BERLIN, "", "2026-07-06", "09:00", "2026-07-06T07:00", True),
    "winter time in summer": (BERLIN, "", "2026-07-06", "09:00", "2026-07-06T08:00", False),
    "the day before summer": (BERLIN, "", "2026-03-28", "09:00", "2026-03-28T08:00", True),
    "the first day of summer": (BERLIN, "", "2026-03-29", "09:00", "2026-03-29T07:00", True),
    "a skipped time": (BERLIN, "", "2026-03-29", "02:30", "2026-03-29T01:30", True),
    "a skipped time, before it": (BERLIN, "", "2026-03-29", "02:30", "2026-03-29T00:30", False),
    "the first of two": (BERLIN, "", "2026-10-25", "02:30", "2026-10-25T00:30", True),
    "the second of two": (BERLIN, "", "2026-10-25", "02:30", "2026-10-25T01:30", False),
    "the last day of summer": (BERLIN, "", "2026-10-25", "09:00", "2026-10-25T08:00", True),
    "the customer's clock": (BERLIN, LISBON, "2026-01-05", "09:00", "2026-01-05T09:00", True),
    "not the customer's clock": (BERLIN, LISBON, "2026-01-05", "09:00", "2026-01-05T08:00", False),
    "two weeks in which clocks differ": (BERLIN, NEW_YORK, "2026-03-16", "09:00", "2026-03-16T13:00", True),
    "after them": (BERLIN, NEW_YORK, "2026-04-06", "09:00", "2026-04-06T13:00", True),
    "the customer's day before": (BERLIN, NEW_YORK, "2026-01-06", "22:00", "2026-01-06T03:00", True),
    "to the second": (BERLIN, "", "2026-01-05", "09:00", "2026-01-05T08:00:01", False),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_times_on_the_customers_clock(name, new_draft, line):
    rep_zone, zone, day, at, start, right = CLOCKS[name]
    d = world(new_draft, float("nan"))
    d.settings.update(start=np.datetime64(day), n_days=1)
    d.reps["timezone"], d.customers["timezone"] = [rep_zone, rep_zone], [zone]
    seconds = float(int(at[:2]) * 3600 + int(at[3:]) * 60)
    d.visits.append({"id": "v", "customer_id": "c1", "earliest": day, "latest": day, "time_s": seconds})
    d.drive(0, day, [0], start, rows={0: 0})
    assert set(check_plan(d.plan(), travel=line).codes) == (set() if right else {"single-time-wrong"})
