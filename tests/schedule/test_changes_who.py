"""The smallest change in who serves whom, and of single visits."""

from __future__ import annotations

import numpy as np
import pytest
from tests.schedule.test_changes import changed

from territory import (
    Alignment,
    Customers,
    InputError,
    Reps,
    Visits,
    apply_change,
    schedule_visits,
)
from territory.model.enums import Reason
from territory.travel import MatrixTravel

# -- who serves whom -----------------------------------------------------------------------------


def two_reps(territory_idx, rep_idx=(0, 1), *, no_way=(), columns=None, weeks=1):
    """Plan two customers, and two reps next to each other."""
    customers = Customers(id=["a", "b"], lon=[10, 10.01], lat=[50, 50], **(columns or {}))
    reps = Reps(id=["R1", "R2"], lon=[10.02, 10.03], lat=[50, 50])
    alignment = Alignment(customers, reps, ["T1", "T2"], np.array(territory_idx), np.array(rep_idx), [10, 10], [50, 50])
    seconds = np.full((4, 4), 600.0)
    for i, j in no_way:
        seconds[i, j] = seconds[j, i] = np.inf
    np.fill_diagonal(seconds, 0.0)
    travel = MatrixTravel(seconds, customer_ids=["a", "b"], rep_ids=["R1", "R2"])
    return schedule_visits(customers, reps, alignment, start="2026-01-05", weeks=weeks, travel=travel), travel


@pytest.mark.parametrize(
    ("reason", "case"),
    [
        (Reason.UNREACHABLE, {"territory_idx": [0, 1], "no_way": [(0, 2)]}),
        (Reason.NO_ELIGIBLE_REP, {"territory_idx": [-1, 0]}),
        (Reason.NO_ELIGIBLE_REP, {"territory_idx": [0, 1], "rep_idx": (-1, 1)}),
    ],
)
def test_another_rep_who_could(reason, case):
    plan, travel = two_reps(**case)
    u = plan.unassigned
    assert u.reason.tolist() == [reason]
    assert u.change_code.tolist() == ["rep"]
    chosen = int(u.change_amount[0])
    assert plan.reps.id[chosen] in str(u.change[0])
    again = changed(plan, 0, travel)
    assert len(again.unassigned) == 0
    assert again.stops.rep_idx[again.stops.customer_idx == 0].tolist() == [chosen]


def test_a_lock_to_a_rep_of_another_territory_is_cheaper_kept():
    """The customer is locked to R2, but belongs to R1's territory: R2 serves it then."""
    plan, travel = two_reps([0, 1], columns={"owner": ["R2", "R2"], "locked": [True, True]})
    assert plan.unassigned.change_code.tolist() == ["rep"]
    again = changed(plan, 0, travel)
    assert again.stops.rep_idx.tolist() == [1, 1]


def test_nothing_helps_where_nobody_can_drive():
    plan, _ = two_reps([0, 1], no_way=[(0, 2), (0, 3)])
    assert plan.unassigned.change_code.tolist() == [""]
    assert "no single change" in str(plan.unassigned.change[0])
    assert np.isnat(plan.unassigned.change_day[0])
    with pytest.raises(InputError) as caught:
        apply_change(plan, 0)
    assert caught.value.codes == ("no-change",)
    with pytest.raises(InputError) as caught:
        apply_change(plan, 1)
    assert caught.value.codes == ("no-such-row",)


# -- single visits -------------------------------------------------------------------------------


def appointments(town, times, **rep):
    customers, reps, travel = town([1, 1], visit_interval_days=[np.nan, np.nan], rep=rep or None)
    visits = Visits(
        id=["v0", "v1"], customer_id=["c0", "c1"], earliest=["2026-01-06"] * 2, latest=["2026-01-06"] * 2, time_s=times
    )
    return schedule_visits(customers, reps, start="2026-01-05", weeks=1, travel=travel, visits=visits), travel


def test_two_appointments_at_one_time_are_in_conflict_and_one_is_moved(town):
    plan, travel = appointments(town, [36_000.0, 36_000.0])
    u = plan.unassigned
    assert u.reason.tolist() == [Reason.CONFLICT]
    # half an hour for the visit of the other; they are next door
    assert (u.change_code[0], u.change_amount[0]) == ("time-early", 1800)
    again = changed(plan, 0, travel)
    assert len(again.stops) == 2
    assert again.stops.start.astype(str).tolist() == ["2026-01-06T09:30:00", "2026-01-06T10:00:00"]


def test_an_appointment_on_a_day_of_leave_is_better_a_day_earlier(town):
    plan, travel = appointments(town, [36_000.0, 50_400.0], leave=["2026-01-06"])
    u = plan.unassigned
    assert u.reason.tolist() == [Reason.NO_SHIFT] * 2
    assert u.change_code.tolist() == ["dates-early"] * 2
    assert u.change_amount.tolist() == [1, 1]
    again = changed(plan, 1, travel)
    assert len(again.unassigned) == 1
    assert again.stops.start.astype(str).tolist() == ["2026-01-05T14:00:00"]


def test_follow_ups_that_planning_adds_are_not_handed_back(town):
    customers, reps, travel = town(
        [1, 30], visit_interval_days=[7.0, 7.0], won_on=["2025-12-24", ""], rep={"leave": ["2026-01-06..2026-01-11"]}
    )
    plan = schedule_visits(customers, reps, start="2026-01-05", weeks=1, travel=travel)
    assert plan.visits is not None
    row = plan.unassigned.customer_idx.tolist().index(1)
    assert apply_change(plan, row)[3]["visits"] is None
    assert 1 in changed(plan, row, travel).stops.customer_idx
