"""Plans that are driven again on other ways."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import Customers, InfeasibleError, Plan, Reps, check_plan, design_territories, route_day, schedule_visits
from territory.travel import GreatCircle, MatrixTravel

SECOND = np.timedelta64(1, "s")


def team(seed: int, n: int = 14) -> Plan:
    rng = np.random.default_rng(seed)
    customers = Customers(
        id=[f"c{i}" for i in range(n)], lon=13 + rng.random(n) * 0.4, lat=52 + rng.random(n) * 0.3,
        visit_interval_days=rng.choice([7, 14], n), opening_hours=rng.choice(["", "Mo-Fr 08:00-12:00,13:00-17:00"], n),
    )  # fmt: skip
    reps = Reps(
        id=["R1", "R2"], lon=[13.1, 13.3], lat=[52.1, 52.2], end_lon=[np.nan, 13.35], end_lat=[np.nan, 52.25],
        break_s=[1800.0, 0.0], speed_factor=[1.0, 1.2],
    )  # fmt: skip
    sides = design_territories(customers, reps, balance={"count": 0.5})
    return schedule_visits(customers, reps, sides, start="2026-01-05", weeks=2, iterations=50)


def codes(plan: Plan, travel: GreatCircle) -> set[str]:
    return {violation.code for violation in check_plan(plan, travel=travel).violations}


def test_on_its_own_ways_nothing_moves():
    plan = team(0)
    again = plan.retimed(GreatCircle())
    for table in ("stops", "routes"):
        before, after = getattr(plan, table), getattr(again, table)
        for name in before.column_names:
            if name not in {"bound_s", "arrival"}:
                assert np.array_equal(getattr(before, name), getattr(after, name), equal_nan=False) or (
                    name == "break_start" and (np.isnat(before.break_start) == np.isnat(after.break_start)).all()
                ), name
    assert (again.stops.arrival <= plan.stops.arrival).all()
    assert codes(again, GreatCircle()) == set()


# what a slower drive may break; never times that do not add up, drives, orders or tables
LATE = {
    "after-shift", "break-outside-window", "outside-opening-hours", "break-missing", "cold-lead-far", "night-too-near",
    "reason-unfounded", "overtime-too-long",
}  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 30), st.floats(1.0, 2.5))
def test_times_add_up_on_slower_ways(seed, detour):
    plan, slower = team(seed), GreatCircle(detour=1.4 * detour)
    again = plan.retimed(slower)
    assert codes(again, slower) <= LATE
    assert (again.stops.start >= plan.stops.start).all()
    assert (again.routes.leave == plan.routes.leave).all()
    assert (again.routes.drive_s >= plan.routes.drive_s).all()
    assert ((again.stops.end - again.stops.start) == (plan.stops.end - plan.stops.start)).all()


def test_a_late_day_by_hand():
    customers = Customers(id=["a", "b"], lon=[10.0, 10.0], lat=[50.0, 50.0], service_s=[600.0, 600.0])
    reps = Reps(id=["r"], lon=[10.0], lat=[50.0], shift=["Mo-Fr 08:00-17:00"])
    minutes = np.array([[0, 10, 30], [10, 0, 20], [30, 20, 0]]) * 60.0
    told, real = (
        MatrixTravel(m, customer_ids=["a", "b"], rep_ids=["r"]) for m in (minutes, minutes + 7 * 60 * (minutes > 0))
    )
    plan = route_day(customers, reps, day="2026-01-05", travel=told)
    again = plan.retimed(real)
    order = plan.customers.id[plan.stops.customer_idx].tolist()
    assert sorted(order) == ["a", "b"]
    delay = (again.stops.start - plan.stops.start) / SECOND
    assert delay.tolist() == [420.0, 840.0]
    assert (again.routes.back - plan.routes.back)[0] / SECOND == 1260.0
    assert check_plan(again, travel=real).ok


def test_no_way_is_told_with_names():
    plan = team(1)
    n = len(plan.customers)
    seconds = np.full((n + 4, n + 4), np.inf)
    np.fill_diagonal(seconds, 0.0)
    cut = MatrixTravel(
        seconds, customer_ids=plan.customers.id, rep_ids=plan.reps.id, rep_end_ids=["R1", "R2"],
    )  # fmt: skip
    with pytest.raises(InfeasibleError, match="no way home for R1 on"):
        plan.retimed(cut)


def test_rows_in_any_order():
    plan = team(2)
    rng = np.random.default_rng(0)
    mixed = replace(plan, stops=plan.stops.take(rng.permutation(len(plan.stops))))
    slower = GreatCircle(detour=2.2)
    one, other = plan.retimed(slower), mixed.retimed(slower)
    by = np.lexsort((other.stops.position, other.stops.day.astype(np.int64), other.stops.rep_idx))
    assert np.array_equal(other.stops.take(by).start, one.stops.start)
    assert np.array_equal(other.stops.take(by).drive_s, one.stops.drive_s)
