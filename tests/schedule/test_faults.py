"""Faults of the input that concern plans, one test each, named after what users expect."""

from __future__ import annotations

import numpy as np
import pytest

from territory import Customers, InputError, Reps, route_day, schedule_visits
from territory.travel import MatrixTravel


def test_interval_above_horizon_is_due_or_not_by_the_last_visit(planned):
    options = {"x": [1], "visit_interval_days": [60.0]}
    assert len(planned(**options, last_visit=["2025-11-08"]).stops) == 1
    assert len(planned(**options, last_visit=["2025-12-30"]).stops) == 0


def test_visits_above_working_days_are_unassigned(planned):
    plan = planned([1], visit_interval_days=[1.0], rep={"shift": ["Mo,We 08:00-17:00"]})
    assert len(plan.stops) == 2
    assert plan.unassigned.reason.tolist() == ["too-often"] * 5


def test_service_longer_than_the_shift_is_unassigned(planned):
    plan = planned([1, 2], service_s=[40_000, 600])
    assert plan.unassigned.reason.tolist() == ["service-too-long"]
    assert plan.stops.customer_idx.tolist() == [1]


def test_outside_every_shift_is_unassigned(planned):
    assert planned([1], opening_hours=["Mo-Su 19:00-23:00"]).unassigned.reason.tolist() == ["no-common-window"]


def test_an_overnight_window_is_one(planned):
    rep = {"shift": ["Mo-Su 00:00-24:00"]}
    plan = planned([0.5], opening_hours=["Tu 23:00-02:00"], service_s=[9000], rep={"shift": ["Tu 20:00-24:00"]})
    assert len(plan.stops) == 0, "the part before midnight is too short for 2.5 hours"
    early = planned([0.5], opening_hours=["Tu 23:00-02:00"], service_s=[5400], rep=rep)
    assert str(early.stops.start[0])[:10] == "2026-01-07", "the part after midnight is long enough"


def test_rep_and_customer_in_different_zones(planned):
    plan = planned(
        [1], opening_hours=["Mo-Fr 20:00-21:00"], timezone=["Asia/Tokyo"], rep={"timezone": ["Europe/Berlin"]}
    )
    assert str(plan.stops.start[0])[11:] >= "11:00:00"
    assert str(plan.stops.end[0])[11:] <= "12:00:00"


def test_unknown_zone(town):
    with pytest.raises(InputError):
        town([1], timezone=["Europe/Atlantis"])


def test_holiday_and_leave_mean_no_visits_and_it_is_said(planned):
    plan = planned([1], plan_holidays=["2026-01-05"], rep={"leave": ["2026-01-06..2026-01-11"]})
    assert len(plan.stops) == 0
    assert "1 day of holidays, 6 days of leave" in str(plan.unassigned.detail[0])


@pytest.mark.parametrize("weeks", [0, -1])
def test_empty_or_reversed_horizon(town, weeks):
    customers, reps, travel = town([1])
    with pytest.raises(InputError) as caught:
        schedule_visits(customers, reps, start="2026-01-05", weeks=weeks, travel=travel)
    assert list(caught.value.codes) == ["empty-horizon"]


def test_infinite_travel_is_unassigned_and_listed(planned):
    plan = planned([1, 2, 3], inf=[1])
    assert plan.unassigned.customer_idx.tolist() == [1]
    assert plan.unassigned.reason.tolist() == ["unreachable"]
    assert sorted(plan.stops.customer_idx.tolist()) == [0, 2]


def test_asymmetric_travel_and_a_violated_triangle_are_all_right():
    seconds = np.array([[0.0, 5000, 100], [100, 0, 100], [700, 100, 0]])
    travel = MatrixTravel(seconds, customer_ids=["a", "b"], rep_ids=["R"])
    customers = Customers(id=["a", "b"], lon=[10, 10.01], lat=[50, 50])
    reps = Reps(id=["R"], lon=[10.02], lat=[50])
    plan = route_day(customers, reps, day="2026-01-05", travel=travel)
    # home, b, a, home: 100 + 100 + 100; the other way round 700 + 5000 + 100
    assert plan.stops.customer_idx.tolist() == [1, 0]
    assert plan.routes.drive_s.tolist() == [300]
    assert "triangle-violated" in {p.code for p in travel.diagnostics}


def test_a_matrix_keyed_to_other_ids(town):
    customers, reps, _ = town([1])
    travel = MatrixTravel([[0.0, 1.0], [1.0, 0.0]], customer_ids=["other"], rep_ids=["R1"])
    with pytest.raises(InputError):
        schedule_visits(customers, reps, start="2026-01-05", travel=travel)


def test_zero_coincident_travel_is_all_right(planned):
    plan = planned([0, 0, 0])
    assert len(plan.stops) == 3
    assert plan.routes.drive_s.sum() == 0


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"load": "kg"}, "load: customers have no measure 'kg'"),
        ({"cover": {"R1": ["R7"]}}, "cover: no such rep: 'R7'"),
        ({"cover": {"R9": ["R1"]}}, "cover: no such rep: 'R9'"),
        ({"day_sets": {"zz": [["2026-01-05"]]}}, "day_sets: no such customer: 'zz'"),
    ],
)
def test_a_policy_that_names_nobody(policy, says):
    customers, reps = Customers(id=["a"], lon=[13.4], lat=[52.5]), Reps(id=["R1"], lon=[13.4], lat=[52.5])
    with pytest.raises(InputError, match=says):
        schedule_visits(customers, reps, start="2026-01-05", weeks=1, **policy)
