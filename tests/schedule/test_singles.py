"""Single visits: appointments, events, leads, follow-ups, contacts from home."""

from __future__ import annotations

import numpy as np
import pytest

from territory import Alignment, Customers, InputError, Reps, Visits, schedule_visits
from territory.model.enums import Commitment, Reason, VisitKind

MONDAY = "2026-01-05"


def visits(*rows, **columns):
    """Make single visits of (customer, first day, last day)."""
    return Visits(
        id=[f"v{i}" for i in range(len(rows))], customer_id=[r[0] for r in rows], earliest=[r[1] for r in rows],
        latest=[r[2] for r in rows], **columns,
    )  # fmt: skip


def starts(plan, number):
    return [str(t) for t, v in zip(plan.stops.start, plan.stops.visit_idx, strict=True) if v == number]


def test_an_appointment_is_kept_to_the_minute_and_counts_for_the_interval(planned, days_of):
    asked = visits(("c0", "2026-01-15", "2026-01-15"), time_s=[10 * 3600 + 900])
    plan = planned([1, 2], weeks=4, visit_interval_days=[14.0, 7.0], plan_visits=asked)
    assert starts(plan, 0) == ["2026-01-15T10:15:00"]
    assert plan.stops.commitment[plan.stops.visit_idx == 0].tolist() == [Commitment.FIXED]
    assert days_of(plan) == ["2026-01-15", "2026-01-29"]


def test_what_was_agreed_on_outranks_the_customers_rules_but_not_the_shift(planned):
    columns = {"opening_hours": ["Mo 09:00-10:00"], "call_blocks": ["2026-01-07..2026-01-08"]}
    days = [("c0", d, d) for d in ("2026-01-07", "2026-01-10")]
    plan = planned([1], **columns, plan_visits=visits(*days, time_s=[14 * 3600, 14 * 3600]))
    assert starts(plan, 0) == ["2026-01-07T14:00:00"]
    assert starts(plan, 1) == []
    assert plan.unassigned.reason.tolist() == [Reason.NO_SHIFT]
    assert plan.unassigned.visit_idx.tolist() == [1]


def test_an_appointment_without_a_time_keeps_to_opening_hours(planned):
    asked = visits(("c0", "2026-01-07", "2026-01-07"))
    plan = planned([1], opening_hours=["Mo,We 13:00-14:00"], preferred_weekdays=["Mo"], plan_visits=asked)
    assert starts(plan, 0) == ["2026-01-07T13:00:00"]


@pytest.mark.parametrize(("day", "start"), [("2026-03-27", "09:00"), ("2026-03-30", "08:00")])
def test_the_customers_clock_counts_on_both_sides_of_its_change(day, start):
    customers = Customers(id=["a"], lon=[13.4], lat=[52.5], timezone=["Europe/Berlin"], visit_interval_days=[np.nan])
    reps = Reps(id=["R1"], lon=[13.4], lat=[52.5], timezone=["UTC"])
    asked = Visits(id=["v"], customer_id=["a"], earliest=[day], latest=[day], time_s=[10 * 3600])
    plan = schedule_visits(customers, reps, start="2026-03-23", weeks=2, visits=asked)
    assert [str(t)[11:16] for t in plan.stops.start] == [start]


def test_an_event_takes_place_every_day_and_is_no_visit(planned, days_of):
    asked = visits(("c0", "2026-01-06", "2026-01-08"), kind=["event"], service_s=[6 * 3600.0])
    plan = planned([3], visit_interval_days=[2.0], plan_visits=asked)
    at_event = plan.stops.visit_idx == 0
    assert [str(d) for d in plan.stops.day[at_event]] == ["2026-01-06", "2026-01-07", "2026-01-08"]
    assert len(days_of(plan)) > 3


def test_two_reps_come_at_the_same_moment():
    customers = Customers(
        id=["a", "b"], lon=[13.4, 13.9], lat=[52.5, 52.5], visit_interval_days=[7, 7], owner=["R", "S"]
    )
    reps = Reps(id=["R", "S"], lon=[13.4, 13.9], lat=[52.5, 52.5])
    alignment = Alignment.from_owners(customers, reps)
    asked = Visits(
        id=["v"], customer_id=["a"], earliest=["2026-01-07"], latest=["2026-01-09"], rep_id=["R"], second_rep_id=["S"]
    )
    plan = schedule_visits(customers, reps, alignment, start=MONDAY, weeks=1, visits=asked)
    both = plan.stops.visit_idx == 0
    assert sorted(plan.stops.rep_idx[both].tolist()) == [0, 1]
    assert len(set(plan.stops.start[both].tolist())) == 1
    assert len(plan.unassigned) == 0


def test_promises_that_exclude_each_other_are_a_conflict(planned):
    asked = visits(("c0", "2026-01-07", "2026-01-07"), ("c1", "2026-01-07", "2026-01-07"), time_s=[36_000, 36_000])
    plan = planned([1, -1], visit_interval_days=[np.nan] * 2, plan_visits=asked)
    assert len(plan.stops) == 1
    assert plan.unassigned.reason.tolist() == [Reason.CONFLICT]


def test_follow_ups_come_after_a_deal_was_won(planned):
    plan = planned([1], weeks=5, visit_interval_days=[np.nan], won_on=["2026-01-01"], plan_follow_up_days=(14, 28))
    assert plan.visits.id.tolist() == ["c0#follow-up-14", "c0#follow-up-28"]
    assert set(plan.visits.kind.tolist()) == {VisitKind.FOLLOW_UP}
    days = plan.stops.day
    assert np.datetime64("2026-01-12") <= days[0] <= np.datetime64("2026-01-18")
    assert np.datetime64("2026-01-22") <= days[1] <= np.datetime64("2026-02-05")


def test_hot_leads_at_once_warm_ones_in_their_time_cold_ones_when_near(planned, days_of):
    plan = planned(
        [1, 2, 2, 20], weeks=4, visit_interval_days=[np.nan] * 4, temperature=["hot", "warm", "cold", "cold"],
        plan_warm_days=10, plan_cold_detour_s=600,
    )  # fmt: skip
    assert days_of(plan, 0)[0] in {"2026-01-05", "2026-01-06"}
    assert len(days_of(plan, 1)) >= 2
    assert len(days_of(plan, 2)) == 1, "on the way to another"
    assert days_of(plan, 3) == []
    assert plan.unassigned.reason.tolist() == [Reason.LOWER_VALUE]


def test_a_deadline_comes_before_the_interval(planned, days_of):
    columns = {"visit_interval_days": [28.0], "last_visit": ["2026-01-02"]}
    plan = planned([1], weeks=4, deadline=["2026-01-09"], **columns)
    assert days_of(plan)[0] <= "2026-01-09"
    assert days_of(planned([1], weeks=4, **columns))[0] >= "2026-01-23"


def test_first_in_the_field_then_from_home(planned):
    plan = planned(
        [5, 6], weeks=6, visit_interval_days=[14.0, 14.0], channel=["either", "either"],
        last_visit=["2026-01-01", ""], plan_remote="after-first", plan_service_by_kind={"remote": 600},
    )  # fmt: skip
    of = plan.stops.customer_idx
    remote = plan.stops.remote
    assert remote[of == 0].all()
    assert remote[of == 1].tolist() == [False] + [True] * (int((of == 1).sum()) - 1)
    length = (plan.stops.end - plan.stops.start).astype(int)
    assert set(length[remote].tolist()) == {600}
    assert int(plan.routes.drive_s.sum()) == 2 * 3600, "one drive out and back in six weeks"


def test_office_days_are_for_contacts_from_home(planned):
    plan = planned(
        [5], weeks=2, visit_interval_days=[1.0], channel=["either"], last_visit=["2026-01-04"],
        plan_remote="after-first", rep={"office_days": ["Mo,Tu,We,Th,Fr"]},
    )  # fmt: skip
    assert len(plan.stops) == 10
    assert plan.stops.remote.all()
    field = planned([5], weeks=2, visit_interval_days=[1.0], rep={"office_days": ["Mo,Tu,We,Th"]})
    assert {str(d) for d in field.stops.day} == {"2026-01-09", "2026-01-16"}


def test_bad_single_visits_are_refused_together(planned):
    asked = visits(("nobody", MONDAY, MONDAY), ("c0", MONDAY, MONDAY), rep_id=["R1", "R9"])
    with pytest.raises(InputError) as caught:
        planned([1], plan_visits=asked)
    assert set(caught.value.codes) == {"unknown-customer", "unknown-rep"}
    with pytest.raises(InputError, match="reserved"):
        planned(
            [1], visit_interval_days=[np.nan], won_on=["2026-01-01"], weeks=4,
            plan_visits=Visits(id=["c0#follow-up-14"], customer_id=["c0"], earliest=[MONDAY], latest=[MONDAY]),
        )  # fmt: skip


def test_visits_outside_the_horizon_are_left_out_with_a_warning(planned):
    plan = planned([1], plan_visits=visits(("c0", "2026-03-02", "2026-03-02"), ("c0", "2026-01-06", "2026-01-06")))
    assert plan.visits.id.tolist() == ["v1"]
    assert "visit-outside-horizon" in {d.code for d in plan.diagnostics}


def test_wrong_options_are_refused(planned):
    for option in (
        {"overload": "drop"},
        {"objective": "cost"},
        {"worth": "x"},
        {"change_price_s": -1},
        {"remote": "x"},
    ):
        with pytest.raises(InputError):
            planned([1], **{f"plan_{name}": value for name, value in option.items()})
