"""Single visits of one customer whose days overlap: at most one a day, as many as there are days for."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from territory import Customers, Reps, Visits, schedule_visits

START = np.datetime64("2026-01-05")


def most(windows, worked):
    """Return how many windows can have a day of their own, by trying all ways."""

    @cache
    def rest(k, taken):
        if k == len(windows):
            return 0
        first, last = windows[k]
        days = [n for n in range(first, last + 1) if n in worked and not taken >> n & 1]
        return max([rest(k + 1, taken), *(1 + rest(k + 1, taken | 1 << n) for n in days)])

    return rest(0, 0)


def plan_of(windows, interval=None, **more):
    n = len(windows)
    rhythm = {} if interval is None else {"visit_interval_days": [interval]}
    customers = Customers(id=["a"], lon=[13.45], lat=[52.51], service_s=[600], **rhythm)
    visits = Visits(
        id=[f"v{i}" for i in range(n)], customer_id=["a"] * n, earliest=[START + a for a, _ in windows],
        latest=[START + b for _, b in windows], **more,
    )  # fmt: skip
    reps = Reps(id=["R1"], lon=[13.41], lat=[52.5])
    return schedule_visits(customers, reps, start=START, weeks=2, visits=visits, iterations=1)


days = st.integers(0, 13).flatmap(lambda a: st.tuples(st.just(a), st.integers(a, min(13, a + 4))))


@settings(max_examples=40, deadline=None)
@given(windows=st.lists(days, min_size=2, max_size=6))
def test_as_many_are_made_as_have_a_day_of_their_own(windows):
    plan = plan_of(windows)
    assert len(set(plan.stops.day.tolist())) == len(plan.stops)
    assert len(plan.stops) == most(tuple(windows), {n for n in range(14) if n % 7 < 5})
    assert len(plan.stops) + len(plan.unassigned) == len(windows)


@settings(max_examples=60, deadline=None)
@given(windows=st.lists(days, min_size=2, max_size=4), interval=st.sampled_from([5, 7, 10, 14]))
@example(windows=[(2, 6), (5, 5)], interval=5)
def test_the_interval_goes_round_them(windows, interval):
    plan = plan_of(windows, interval)  # it has passed the check
    assert len(set(plan.stops.day.tolist())) == len(plan.stops)


@pytest.mark.parametrize("firm", [0, 1])
def test_the_weaker_promise_gives_way(firm):
    words = ["planned", "planned"]
    words[firm] = "confirmed_day"
    plan = plan_of([(2, 2), (2, 2)], commitment=words)
    assert plan.stops.visit_idx.tolist() == [firm]
    assert plan.unassigned.visit_idx.tolist() == [1 - firm]
    assert plan.unassigned.reason.tolist() == ["conflict"]
    assert plan.unassigned.change_code.tolist()[0].startswith("dates-")


def test_an_event_takes_no_day_from_a_visit():
    plan = plan_of([(2, 2), (2, 2)], kind=["event", "appointment"])
    assert sorted(plan.stops.visit_idx.tolist()) == [0, 1]


def test_the_order_of_rows_does_not_matter():
    windows, length = [(0, 4), (0, 4), (1, 3)], [600.0, 1200.0, 1800.0]
    made = []
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        plan = plan_of([windows[k] for k in order], service_s=[length[k] for k in order])
        made.append(sorted(zip(plan.stops.day.tolist(), (plan.stops.end - plan.stops.start).tolist(), strict=True)))
    assert made[0] == made[1] == made[2]


def two_on(first, last, **more):
    return Visits(
        id=["v0", "v1"], customer_id=["a", "a"], earliest=[first] * 2, latest=[last] * 2, **more
    )  # fmt: skip


def missed(plan):
    u = plan.unassigned
    return [(str(d), str(r)) for d, r, v in zip(u.due, u.reason, u.visit_idx, strict=True) if v in (0, 1)]


def test_a_missed_one_is_told_for_the_day_of_its_row():
    # Monday is full, and one of the two has to be on Monday
    visits = two_on("2026-01-05", "2026-01-06").joined(
        Visits(
            id=["all day"], customer_id=["b"], earliest=["2026-01-05"], latest=["2026-01-05"], service_s=[30_000.0],
            kind=["event"], time_s=[8.25 * 3600],
        )
    )  # fmt: skip
    customers = Customers(id=["a", "b"], lon=[13.45, 13.41], lat=[52.51, 52.5], service_s=[3600] * 2)
    reps = Reps(id=["R1"], lon=[13.41], lat=[52.5])
    plan = schedule_visits(customers, reps, start=START, weeks=1, visits=visits, iterations=50)
    assert missed(plan) == [("2026-01-06", "over-capacity")]


@pytest.mark.parametrize("due", [None, "2026-01-05"])
def test_days_that_others_take_are_a_conflict_and_not_a_day_off(due):
    # Monday is in the office
    days = {} if due is None else {"due": [due] * 2}
    visits = two_on("2026-01-05", "2026-01-06", **days)
    customers = Customers(id=["a"], lon=[13.45], lat=[52.51], service_s=[3600])
    reps = Reps(id=["R1"], lon=[13.41], lat=[52.5], office_days=["Mo"])
    plan = schedule_visits(customers, reps, start=START, weeks=1, visits=visits, iterations=50)
    assert plan.stops.day.astype(str).tolist() == ["2026-01-06"]
    assert missed(plan) == [(due or "2026-01-06", "conflict")]


def test_what_no_day_of_its_row_allows_is_still_told_as_such():
    visits = two_on("2026-01-05", "2026-01-06", service_s=[600.0, 36_000.0])
    customers = Customers(id=["a"], lon=[13.45], lat=[52.51])
    reps = Reps(id=["R1"], lon=[13.41], lat=[52.5])
    plan = schedule_visits(customers, reps, start=START, weeks=1, visits=visits, iterations=50)
    assert missed(plan) == [("2026-01-06", "service-too-long")]
