"""Rep days and single dates in whole plans: every rule binds, holds, and is told."""

from __future__ import annotations

import numpy as np
import pytest

from territory import check_plan, read_plan, work_shifts, write_plan
from territory.model import Customers, PlanSettings, Reps
from territory.routing.eligible import canonical_rows

MONDAY = "2026-01-05"


def days(plan):
    return plan.stops.day.astype(str).tolist()


def clock(instants):
    return [str(t)[11:16] for t in instants]


def daily(planned, rep, n=1, **columns):
    """Plan customers next door, each due every day."""
    return planned([1.0] * n, visit_interval_days=[1.0] * n, rep=rep, **columns)


def test_preparation_and_work_afterwards_shorten_the_day(planned):
    rep = {"shift": ["Mo-Fr 08:00-12:00"], "prep_s": [1799.5], "admin_s": [3600]}
    plan = daily(planned, rep, service_s=[7800])
    assert clock(plan.routes.leave) == ["08:30"] * 5
    assert clock(plan.routes.back) == ["11:00"] * 5
    none = daily(planned, rep, service_s=[7801])
    assert len(none.stops) == 0
    assert set(none.unassigned.reason.tolist()) == {"out-of-reach", "too-often"}


def test_days_without_any_field_time_are_none(planned):
    plan = daily(
        planned, {"shift": ["Mo 08:00-09:00; Tu 08:00-10:01"], "prep_s": [3600], "admin_s": [1]}, service_s=[60]
    )
    assert days(plan) == ["2026-01-06"]


def test_nobody_is_visited_on_office_days(planned):
    plan = daily(planned, {"office_days": ["Mo,We-Fr"]})
    assert days(plan) == ["2026-01-06"]
    assert set(plan.unassigned.reason.tolist()) <= {"no-shift", "too-often"}


def test_exceptions_of_shifts(planned):
    rep = {"shift_exceptions": ["2026-01-05..2026-01-07 off; 2026-01-08 09:00-10:00; 2026-01-10 20:00-24:00"]}
    plan = daily(planned, rep, plan_holidays=["2026-01-08", "2026-01-09"])
    assert days(plan) == ["2026-01-08", "2026-01-10"], "they win over holidays and the week"
    assert clock(plan.routes.leave) >= ["09:00", "20:00"]
    assert clock(plan.routes.back)[0] <= "10:00"
    away = daily(planned, {**rep, "leave": ["2026-01-08..2026-01-10"]}, plan_holidays=["2026-01-09"])
    assert days(away) == [], "leave wins over them"


def test_exceptions_of_opening_hours(planned):
    columns = {
        "opening_hours": ["Mo-We 08:30-09:30"],
        "hours_exceptions": ["2026-01-06 off; 2026-01-07..2026-01-08 15:00-16:00"],
    }
    plan = daily(planned, {}, **columns)
    assert days(plan) == ["2026-01-05", "2026-01-07", "2026-01-08"]
    starts = clock(plan.stops.start)
    assert all(
        a <= at <= b for at, a, b in zip(starts, ("08:30", "15:00", "15:00"), ("09:00", "15:30", "15:30"), strict=True)
    )
    closed = daily(planned, {}, hours_exceptions=["2026-01-01..2026-01-31 off"])
    assert set(closed.unassigned.reason.tolist()) == {"no-common-window", "too-often"}  # often: at the weekend


def test_customers_who_differ_in_single_dates_alone_have_one_order():
    orders = []
    for exceptions in (["2026-01-06 off", ""], ["", "2026-01-06 off"]):
        twins = Customers(id=["a", "b"], lon=[1.0] * 2, lat=[1.0] * 2, hours_exceptions=exceptions)
        orders.append([exceptions[i] for i in canonical_rows(twins, np.arange(2, dtype=np.int32))])
    assert orders[0] == orders[1], "ids decide last"


def test_plans_are_written_and_read_with_all_that_they_know(planned, tmp_path):
    rep = {
        "shift_exceptions": ["2026-01-08 09:00-11:00"], "prep_s": [600], "admin_s": [600.5], "office_days": ["Fr"],
        "max_overtime_s": [1800], "overtime_per_hour": [50.0], "country": ["DE"], "region": ["BY"],
    }  # fmt: skip
    plan = daily(planned, rep, hours_exceptions=["2026-01-07 off"])
    assert days(plan) == ["2026-01-05", "2026-01-08"]
    again = read_plan(write_plan(plan, tmp_path / "plan"))
    assert again.reps.equals(plan.reps)
    assert again.customers.equals(plan.customers)
    assert again.settings.to_dict() == plan.settings.to_dict()
    assert again.settings.to_dict()["rep_holidays"] == {"R1": ["2026-01-06"]}


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({}, set()),
        # that nobody works on the sixth is then no reason
        ({"rep_holidays": {}}, {"reason-unfounded"}),
        ({"rep_holidays": {"R1": ["2026-01-06", MONDAY]}}, {"on-holiday"}),
    ],
)
def test_the_checker_goes_by_the_days_of_the_plan(change, codes, planned, town):
    plan = daily(planned, {"country": ["DE"], "region": ["BY"]})
    _, _, travel = town([1.0], visit_interval_days=[1.0], rep={})
    values = {**plan.settings.to_dict(), **change}
    object.__setattr__(plan, "settings", PlanSettings.from_dict(values))
    assert set(check_plan(plan, travel=travel, complete=False).codes) == codes


def test_shifts_are_paid_as_they_are():
    reps = Reps(
        id=["a", "b"], lon=[1.0, 2.0], lat=[1.0, 2.0], shift_exceptions=["2026-03-29 00:00-24:00; 2026-03-30 off", ""],
        timezone=["Europe/Berlin"] * 2, prep_s=[3600] * 2, admin_s=[3600] * 2, office_days=["Su", "Mo"],
        max_overtime_s=[3600] * 2,
    )  # fmt: skip
    found = work_shifts(reps, PlanSettings("2026-03-29", 2, ["2026-03-29"]))
    assert found.rep_idx.tolist() == [0, 1]
    assert ((found.end - found.start) / np.timedelta64(1, "h")).tolist() == [23.0, 9.0]
