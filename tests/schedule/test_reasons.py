"""Every reason for an unassigned visit, from a cause that was planted."""

from __future__ import annotations

import numpy as np
import pytest

from territory import Alignment, Customers, Reps, Visits, apply_change, schedule_visits
from territory.model.enums import Reason


def only_reason(plan):
    assert len(plan.stops) == 0
    assert len(plan.unassigned) >= 1
    reasons = set(plan.unassigned.reason.tolist())
    assert len(reasons) == 1
    return Reason(reasons.pop()), str(plan.unassigned.detail[0])


@pytest.mark.parametrize(
    ("reason", "words", "columns"),
    [
        (Reason.UNREACHABLE, "no way", {"inf": [0]}),
        (Reason.OUT_OF_REACH, "driving there and back", {"x": [30]}),
        (Reason.OUT_OF_REACH, "within opening hours", {"x": [12], "opening_hours": ["Mo-Fr 08:00-09:00"]}),
        (Reason.SERVICE_TOO_LONG, "10 h 00 min", {"service_s": [36_000]}),
        (Reason.NO_COMMON_WINDOW, "opening hours", {"opening_hours": ["Mo-Fr 18:00-20:00"]}),
        (Reason.NO_COMMON_WINDOW, "opening hours", {"opening_hours": ["Mo-Fr 09:00-09:20"]}),
        (Reason.BLOCKED, "call block", {"call_blocks": ["2026-01-01..2026-01-31"]}),
        (Reason.BLOCKED, "weekday", {"preferred_weekdays": ["Sa"]}),
        (Reason.BLOCKED, "week", {"week_parity": ["odd"]}),
        (Reason.NO_SHIFT, "does not work", {"rep": {"leave": ["2026-01-05..2026-01-11"]}}),
        (Reason.NO_ELIGIBLE_REP, "lacks a skill", {"required_skills": ["fire"]}),
        (Reason.NO_ELIGIBLE_REP, "forbidden", {"forbidden_reps": ["R1"]}),
        (Reason.NO_ELIGIBLE_REP, "owner", {"owner": ["R2"], "locked": [True]}),
        (Reason.OVER_CAPACITY, "no room", {"rep": {"max_visits_per_day": [0]}}),
    ],
)
def test_a_planted_cause_is_named(planned, reason, words, columns):
    plan = planned(**{"x": [1], **columns}, start="2026-01-05")
    found, detail = only_reason(plan)
    assert found is reason
    assert words in detail


def test_more_work_than_days(planned):
    plan = planned([1, 1, 1], service_s=[28_000] * 3, rep={"shift": ["Mo-Tu 08:00-17:00"]})
    assert len(plan.stops) == 2
    assert plan.unassigned.reason.tolist() == [Reason.OVER_CAPACITY]
    assert "2 working days" in str(plan.unassigned.detail[0])


def test_visits_above_working_days_are_too_often(planned, reasons_of):
    plan = planned([1], visit_interval_days=[1.0])
    assert len(plan.stops) == 5
    assert reasons_of(plan) == {"2026-01-10": Reason.TOO_OFTEN, "2026-01-11": Reason.TOO_OFTEN}
    assert "every day" in str(plan.unassigned.detail[0])


def test_leave_is_told_as_leave_even_to_daily_customers(planned, reasons_of):
    plan = planned([1], visit_interval_days=[1.0], rep={"leave": ["2026-01-07"]})
    assert reasons_of(plan)["2026-01-07"] == Reason.NO_SHIFT


def test_a_due_day_on_a_weekend_is_not_too_often(planned, reasons_of):
    # every two weeks, to the day, and the day is a Saturday
    plan = planned([1], visit_interval_days=[14.0], last_visit=["2025-12-27"], plan_tolerance=0.0)
    assert reasons_of(plan) == {"2026-01-10": Reason.NO_SHIFT}


def test_out_of_time_is_told(planned):
    plan = planned([1, 2, 3], plan_time_limit_s=1e-9)
    assert set(plan.unassigned.reason.tolist()) == {Reason.TIME_LIMIT}
    assert str(plan.status) == "time_limit"


def test_territories_without_a_rep_and_customers_without_a_territory():
    customers = Customers(id=["a", "b", "c"], lon=[10, 10.01, 10.02], lat=[50] * 3)
    reps = Reps(id=["R1"], lon=[10], lat=[50])
    alignment = Alignment(
        customers, reps, ["R1", "T2"], np.array([0, 1, -1]), np.array([0, -1]), [10, 10], [50, 50],
        unassigned_reason={2: "no-eligible-rep: nobody"},
    )  # fmt: skip
    plan = schedule_visits(customers, reps, alignment, start="2026-01-05", weeks=1)
    assert plan.stops.customer_idx.tolist() == [0]
    assert plan.unassigned.customer_idx.tolist() == [1, 2]
    assert set(plan.unassigned.reason.tolist()) == {Reason.NO_ELIGIBLE_REP}
    assert "has no rep" in str(plan.unassigned.detail[0])


def test_an_alignment_that_breaks_rules_gives_reasons_not_an_error():
    customers = Customers(
        id=["a", "b"], lon=[10, 10.01], lat=[50] * 2, required_skills=["fire", ""], owner=["R1", "R1"]
    )
    reps = Reps(id=["R1", "R2"], lon=[10, 10.01], lat=[50, 50], skills=["", "fire"])
    plan = schedule_visits(customers, reps, Alignment.from_owners(customers, reps), start="2026-01-05", weeks=1)
    assert plan.stops.customer_idx.tolist() == [1]
    assert plan.unassigned.reason.tolist() == [Reason.NO_ELIGIBLE_REP]


def test_every_reason_is_produced_by_some_test():
    assert {r.name for r in Reason} == {
        "NO_ELIGIBLE_REP", "UNREACHABLE", "OUT_OF_REACH", "SERVICE_TOO_LONG", "NO_COMMON_WINDOW", "BLOCKED", "NO_SHIFT",
        "OVER_CAPACITY", "LOWER_VALUE", "CONFLICT", "TOO_OFTEN", "TIME_LIMIT",
    }  # fmt: skip


BREAK = {"break_s": [3600.0], "break_earliest_s": [12 * 3600.0], "break_latest_s": [13 * 3600.0]}
LONG_BREAK = {"break_s": [3600.0], "break_earliest_s": [11 * 3600.0], "break_latest_s": [14 * 3600.0]}


@pytest.mark.parametrize(
    ("time_s", "service_s", "rep", "code", "amount"),
    [
        (11.5 * 3600, 3600.0, BREAK, "time-early", 1800),
        (12.5 * 3600, 3600.0, BREAK, "time-late", 1800),
        (11 * 3600.0, 9000.0, LONG_BREAK, "time-early", 1800),
        # a break before it would begin before the shift does
        (12.5 * 3600, 3600.0, {**LONG_BREAK, "shift": ["Mo-Fr 12:00-17:00"]}, "shift-early", 3600),
        # a break after it would end after the shift does
        (11.5 * 3600, 3600.0, {**LONG_BREAK, "shift": ["Mo-Fr 08:00-13:00"]}, "shift-late", 3600),
        # no time was agreed on, and neither half of the day is long enough
        (np.nan, 16_200.0, BREAK, "shift-late", 3600),
    ],
)
@pytest.mark.parametrize("kind", ["event", "appointment"])
def test_a_visit_across_the_break_finds_no_common_window(planned, town, kind, time_s, service_s, rep, code, amount):
    columns = {"id": ["v"], "customer_id": ["c0"], "earliest": ["2026-01-06"], "latest": ["2026-01-06"]}
    visits = Visits(**columns, kind=[kind], time_s=[time_s], service_s=[service_s])
    plan = planned([1], plan_visits=visits, visit_interval_days=[np.nan], rep=rep)
    found, detail = only_reason(plan)
    assert found is Reason.NO_COMMON_WINDOW
    assert f"break of 1 h 00 min between {'11' if rep != BREAK else '12'}:00" in detail
    u = plan.unassigned
    assert (u.change_code.tolist(), u.change_amount.tolist()) == ([code], [amount])
    customers, reps, alignment, options = apply_change(plan, 0)
    travel = town([1])[2]
    again = schedule_visits(customers, reps, alignment, **options, travel=travel, iterations=30)
    assert again.stops.visit_idx.tolist() == [0]


def test_a_way_that_leaves_no_room_for_the_break_is_out_of_reach(planned):
    # the break fills the hour before the visit, which is as long as the shift has lasted then
    columns = {"id": ["v"], "customer_id": ["c0"], "earliest": ["2026-01-06"], "latest": ["2026-01-06"]}
    visits = Visits(**columns, kind=["event"], time_s=[13 * 3600.0], service_s=[3600.0])
    rep = {**BREAK, "shift": ["Mo-Fr 12:00-17:00"]}
    found, detail = only_reason(planned([1], plan_visits=visits, visit_interval_days=[np.nan], rep=rep))
    assert found is Reason.OUT_OF_REACH
    assert "beside the break" in detail
    there = planned([0], plan_visits=visits, visit_interval_days=[np.nan], rep=rep)
    assert len(there.stops) == 1
