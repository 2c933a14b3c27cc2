"""Planning again: promises are kept, the rest changes only where that pays."""

from __future__ import annotations

import numpy as np
import pytest

from territory import Customers, InputError, Reps, Visits, schedule_visits
from territory.model.enums import Commitment

MONDAY = "2026-01-05"


def team(n=12, seed=1, **columns):
    rng = np.random.default_rng(seed)
    customers = Customers(
        id=[f"c{i}" for i in range(n)], lon=13.4 + rng.normal(0, 0.3, n), lat=52.5 + rng.normal(0, 0.2, n),
        visit_interval_days=rng.choice([7.0, 14.0], n), service_s=[3600.0] * n, **columns,
    )  # fmt: skip
    return customers, Reps(id=["R1"], lon=[13.4], lat=[52.5], timezone=["Europe/Berlin"])


def planned(customers, reps, start=MONDAY, weeks=3, **options):
    return schedule_visits(customers, reps, start=start, weeks=weeks, iterations=1500, **options)


def visited(plan, since=MONDAY):
    at = plan.stops.day >= np.datetime64(since)
    return {
        (plan.customers.id[i], str(d)) for i, d in zip(plan.stops.customer_idx[at], plan.stops.day[at], strict=True)
    }


def test_nothing_changes_where_nothing_happened():
    customers, reps = team()
    before = planned(customers, reps)
    again = planned(customers, reps, previous=before, rng=7)
    assert visited(again) == visited(before)
    assert again.stops.commitment.tolist() == [Commitment.PLANNED] * len(again.stops)


@pytest.mark.parametrize("level", ["confirmed_week", "confirmed_day", "fixed"])
def test_a_promise_is_kept_whatever_else_comes(level):
    customers, reps = team()
    before = planned(customers, reps)
    promised = before.committed(level, customers=["c3", "c5"])
    urgent = Visits(
        id=[f"u{i}" for i in range(8)], customer_id=[f"c{i}" for i in (0, 1, 2, 4, 6, 7, 8, 9)],
        earliest=["2026-01-07"] * 8, latest=["2026-01-08"] * 8,
    )  # fmt: skip
    start = "2026-01-07"
    again = planned(promised.as_made(start), reps, start=start, previous=promised, visits=urgent)
    kept = {c: sorted(d for who, d in visited(again, start) if who == c) for c in ("c3", "c5")}
    for customer in ("c3", "c5"):
        for _, day in sorted(v for v in visited(before, start) if v[0] == customer):
            if level == "confirmed_week":
                assert any(iso(day) == iso(d) for d in kept[customer])
            else:
                assert day in kept[customer]
    if level == "fixed":
        of = {(c, str(t)) for c, t in zip(again.customers.id[again.stops.customer_idx], again.stops.start, strict=True)}
        for i in np.flatnonzero(
            (before.stops.day >= np.datetime64(start)) & np.isin(before.stops.customer_idx, [3, 5])
        ):
            assert (before.customers.id[before.stops.customer_idx[i]], str(before.stops.start[i])) in of


def iso(day):
    return np.datetime64(day).item().isocalendar()[:2]


def test_promises_last_through_several_plans():
    customers, reps = team()
    plan = planned(customers, reps)
    last = plan.committed("confirmed_day", first="2026-01-12", last="2026-01-16")
    promised = {v for v in visited(plan) if "2026-01-12" <= v[1] <= "2026-01-16"}
    assert promised
    for start in ("2026-01-06", "2026-01-08", "2026-01-12"):
        last = planned(last.as_made(start), reps, start=start, previous=last, rng=3)
        assert promised <= visited(last)


def test_the_higher_the_price_the_less_changes():
    customers, reps = team(20)
    # badly planned, so that there is something to gain
    before = schedule_visits(customers, reps, start=MONDAY, weeks=3, iterations=1)
    kept = [
        len(visited(planned(customers, reps, previous=before, change_price_s=price)) & visited(before))
        for price in (0.0, 1e8)
    ]
    assert kept[0] < kept[1] == len(visited(before))


def test_appointments_that_are_still_to_come_stay_unless_new_ones_are_given():
    customers, reps = team()
    asked = Visits(id=["v"], customer_id=["c2"], earliest=["2026-01-14"], latest=["2026-01-14"], time_s=[36_000])
    before = planned(customers, reps, visits=asked)
    again = planned(before.as_made("2026-01-07"), reps, start="2026-01-07", previous=before)
    assert again.visits.id.tolist() == ["v"]
    assert ("c2", "2026-01-14") in visited(again)
    empty = asked.take([])
    assert planned(before.as_made("2026-01-07"), reps, start="2026-01-07", previous=before, visits=empty).visits is None


def test_who_is_gone_is_left_out():
    customers, reps = team()
    before = planned(customers, reps).committed("confirmed_day")
    fewer = before.as_made("2026-01-07").take(np.arange(6))
    again = planned(fewer, reps, start="2026-01-07", previous=before)
    assert {c for c, _ in visited(again)} <= set(fewer.id.tolist())


def test_visits_that_took_place_are_the_last_ones():
    customers, reps = team(last_visit=["2025-12-30"] * 12)
    plan = planned(customers, reps)
    made = plan.as_made("2026-01-13")
    for i in range(12):
        days = sorted(d for c, d in visited(plan) if c == f"c{i}" and d < "2026-01-13")
        assert str(made.last_visit[i]) == (days[-1] if days else "2025-12-30")


def test_levels_and_customers_that_are_not_there_are_refused():
    customers, reps = team(3)
    plan = planned(customers, reps)
    with pytest.raises(InputError, match="unknown-option"):
        plan.committed("certain")
    with pytest.raises(InputError):
        plan.committed("fixed", customers=["nobody"])
    with pytest.raises(InputError, match="wrong-type"):
        plan.committed("fixed", customers="c1")
    with pytest.raises(InputError, match="previous"):
        planned(customers, reps, previous="yesterday")


def test_a_promised_joint_visit_stays_joint():
    rng = np.random.default_rng(3)
    customers = Customers(
        id=[f"c{i}" for i in range(20)], lon=13.4 + rng.normal(0, 0.2, 20), lat=52.5 + rng.normal(0, 0.1, 20),
        visit_interval_days=rng.choice([7.0, 14.0], 20),
    )  # fmt: skip
    reps = Reps(id=["R1", "R2"], lon=[13.3, 13.5], lat=[52.5, 52.5])
    both = Visits(
        id=["joint"], customer_id=["c3"], earliest=["2026-01-07"], latest=["2026-01-09"], rep_id=["R1"],
        second_rep_id=["R2"],
    )  # fmt: skip
    options = {"shared": True, "weeks": 2, "iterations": 100}
    before = schedule_visits(customers, reps, start="2026-01-05", visits=both, **options).committed("confirmed_day")
    day = set(before.stops.day[before.stops.visit_idx == 0].tolist())
    made = before.as_made("2026-01-06")
    after = schedule_visits(made, reps, start="2026-01-06", previous=before, **options)
    joint = after.stops.visit_idx == after.visits.id.tolist().index("joint")
    assert sorted(after.stops.rep_idx[joint].tolist()) == [0, 1]
    assert set(after.stops.day[joint].tolist()) == day
    assert len(set(after.stops.start[joint].tolist())) == 1
