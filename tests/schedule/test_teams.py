"""Reps who are planned together: cover, sharing, loads, sets of days; and what overload does."""

from __future__ import annotations

import numpy as np
import pytest

from territory import Alignment, Customers, InputError, Reps, schedule_visits
from territory.model.enums import Reason

MONDAY = "2026-01-05"


def pair(n=8, *, reps=None, **columns):
    """Make two reps side by side with half of the customers each."""
    x = np.linspace(0, 1, n)
    customers = Customers(
        id=[f"c{i}" for i in range(n)], lon=13 + x, lat=[52.5] * n, owner=["R"] * (n // 2) + ["S"] * (n - n // 2),
        **columns,
    )  # fmt: skip
    team = Reps(id=["R", "S"], lon=[13.2, 13.8], lat=[52.5, 52.5], **(reps or {}))
    return customers, team, Alignment.from_owners(customers, team)


def test_a_neighbour_covers_a_leave_and_only_that():
    leave = ["2026-01-05..2026-01-09", ""]
    customers, team, alignment = pair(visit_interval_days=[7.0] * 8, reps={"leave": leave})
    options = {"start": MONDAY, "weeks": 2, "iterations": 1000}
    alone = schedule_visits(customers, team, alignment, **options)
    assert set(alone.unassigned.reason.tolist()) == {Reason.NO_SHIFT}
    plan = schedule_visits(customers, team, alignment, cover={"R": ["S"]}, **options)
    assert len(plan.unassigned) == 0
    s = plan.stops
    covered = (s.rep_idx == 1) & (s.customer_idx < 4)
    assert covered.sum() == 4
    assert s.day[covered].max() < np.datetime64("2026-01-10")
    assert not ((s.rep_idx == 0) & (s.customer_idx >= 4)).any()


def test_who_shares_serves_as_many_as_fit_however_they_are_spread():
    customers, team, alignment = pair(12, service_s=[2 * 3600.0] * 12, reps={"shift": ["Mo 08:00-17:00"] * 2})
    moved = Alignment.from_owners(
        Customers(
            id=customers.id, lon=customers.lon, lat=customers.lat, service_s=customers.service_s, owner=["R"] * 12
        ),
        team,
    )
    one = schedule_visits(moved.customers, team, moved, start=MONDAY, weeks=1)
    both = schedule_visits(moved.customers, team, moved, start=MONDAY, weeks=1, shared=True)
    assert (
        len(one.stops)
        < len(both.stops)
        == len(schedule_visits(customers, team, alignment, start=MONDAY, weeks=1).stops)
    )
    assert len(schedule_visits(moved.customers, team, start=MONDAY, weeks=1, shared=True).stops) == len(both.stops)


def test_loads_fill_days_up():
    customers, team, alignment = pair(measures={"crates": [5.0] * 8}, reps={"load_limit": [10.0, 20.0]})
    plan = schedule_visits(customers, team, alignment, start=MONDAY, weeks=1, load="crates")
    per_day = {}
    for rep, day in zip(plan.stops.rep_idx.tolist(), plan.stops.day.tolist(), strict=True):
        per_day[rep, day] = per_day.get((rep, day), 0) + 5
    assert max(v for (r, _), v in per_day.items() if r == 0) == 10
    assert max(v for (r, _), v in per_day.items() if r == 1) == 20


def test_sets_of_days_are_kept_whole():
    customers, team, alignment = pair(4, visit_interval_days=[7.0] * 4)
    sets = {"c0": [["2026-01-05", "2026-01-08"], ["2026-01-06", "2026-01-09"]], "c3": [["2026-01-10", "2026-01-11"]]}
    plan = schedule_visits(customers, team, alignment, start=MONDAY, weeks=1, day_sets=sets)
    days = tuple(sorted(str(d) for d in plan.stops.day[plan.stops.customer_idx == 0]))
    assert days in {("2026-01-05", "2026-01-08"), ("2026-01-06", "2026-01-09")}
    assert plan.unassigned.customer_idx.tolist() == [3]
    with pytest.raises(InputError, match="bad-day-sets"):
        schedule_visits(customers, team, alignment, start=MONDAY, weeks=1, day_sets={"c0": [["05/01/2026"]]})


def crowd(n, seed=0, **columns):
    rng = np.random.default_rng(seed)
    return Customers(
        id=[f"c{i}" for i in range(n)], lon=13.4 + rng.normal(0, 0.1, n), lat=52.5 + rng.normal(0, 0.08, n), **columns
    )


def test_what_is_worth_most_comes_first():
    worth = np.arange(1.0, 41.0)
    customers = crowd(40, measures={"potential": worth}, service_s=[3600.0] * 40)
    reps = Reps(id=["R"], lon=[13.4], lat=[52.5], shift=["Mo-We 08:00-17:00"])
    plan = schedule_visits(customers, reps, start=MONDAY, weeks=1, worth="potential")
    made = set(plan.stops.customer_idx.tolist())
    assert 15 <= len(made) <= 24
    best = worth[-len(made) :].sum()
    assert worth[sorted(made)].sum() >= 0.97 * best, "nearly the best of as many; driving decides the last"


def test_overload_stretches_all_intervals_of_a_rep_alike():
    n = 24
    interval = np.where(np.arange(n) % 2, 7.0, 14.0)
    start = np.datetime64(MONDAY)
    last = start - (np.arange(n) % 7 + 1).astype("m8[D]")
    customers = crowd(n, visit_interval_days=interval, service_s=[9000.0] * n, last_visit=last)
    reps = Reps(id=["R"], lon=[13.4], lat=[52.5])
    options = {"start": MONDAY, "weeks": 8, "iterations": 1500, "weekday_price_s": 0, "time_price_s": 0}
    usual = schedule_visits(customers, reps, **options)
    plan = schedule_visits(customers, reps, overload="stretch", **options)
    assert len(usual.unassigned) > 0.1 * len(usual.stops)
    assert len(plan.unassigned) <= 0.02 * len(plan.stops)
    factor = plan.settings.stretch["R"]
    assert 1.2 < factor < 3
    mean = {}
    for asked in (7.0, 14.0):
        gaps = [
            np.diff(np.sort(plan.stops.day[plan.stops.customer_idx == i])).astype(int)
            for i in range(n)
            if interval[i] == asked
        ]
        mean[asked] = np.concatenate(gaps).mean()
    assert mean[14.0] / mean[7.0] == pytest.approx(2.0, rel=0.1)
    assert all((plan.stops.customer_idx == i).any() for i in range(n)), "nobody is forgotten"


def test_no_stretch_where_everything_fits():
    customers = crowd(6, visit_interval_days=[7.0] * 6)
    plan = schedule_visits(customers, Reps(id=["R"], lon=[13.4], lat=[52.5]), start=MONDAY, weeks=2, overload="stretch")
    assert dict(plan.settings.stretch) == {}
