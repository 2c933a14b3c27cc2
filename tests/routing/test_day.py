"""One rep's day, from tables to a plan."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest

from territory import Customers, InputError, Reps, Status, check_plan, route_day
from territory.model.enums import Reason
from territory.travel import GreatCircle

MONDAY = "2026-01-05"


def scattered(n, seed=0, **columns):
    rng = np.random.default_rng(seed)
    return Customers(
        id=[f"c{i}" for i in range(n)], lon=rng.uniform(13, 13.6, n), lat=rng.uniform(52.3, 52.7, n), **columns
    )


REP = Reps(id=["R1"], lon=[13.4], lat=[52.5])


def drive_of(plan):
    return len(plan.stops), -int(plan.routes.drive_s.sum())


def test_a_short_day_is_proven_optimal():
    plan = route_day(scattered(5), REP, day=MONDAY)
    assert plan.status is Status.OPTIMAL
    assert len(plan.stops) == 5
    assert plan.routes.bound_s.tolist() == plan.routes.drive_s.tolist()
    assert check_plan(plan).ok


def test_more_time_never_makes_a_day_worse():
    customers = scattered(40, opening_hours=["Mo-Fr 09:00-12:00", "Mo-Fr 13:00-17:00"] * 20)
    short, long = (route_day(customers, REP, day=MONDAY, time_limit_s=s) for s in (0.05, 0.6))
    assert drive_of(long) >= drive_of(short)


def test_intervals_do_not_matter_for_a_day_that_was_chosen():
    customers = scattered(3, visit_interval_days=[7, 90, np.nan], last_visit=["2026-01-04"] * 3)
    assert len(route_day(customers, REP, day=MONDAY).stops) == 3


def test_everybody_who_is_not_visited_has_a_reason():
    customers = Customers(
        id=["near", "skill", "enemy", "locked", "inside", "lost", "closed", "far", "long"],
        lon=[13.41] * 7 + [30.0, 13.41], lat=[52.51] * 9,
        required_skills=["", "fire", "", "", "", "", "", "", ""], forbidden_reps=["", "", "R1", "", "", "", "", "", ""],
        owner=["", "", "", "R2", "", "", "", "", ""], locked=[False, False, False, True] + [False] * 5,
        channel=["field"] * 4 + ["inside"] + ["field"] * 4, stage=[""] * 5 + ["lost"] + [""] * 3,
        opening_hours=[""] * 6 + ["Sa 10:00-12:00", "", ""], service_s=[1800] * 8 + [40_000],
    )  # fmt: skip
    plan = route_day(customers, REP, day=MONDAY)
    why = dict(zip(customers.id[plan.unassigned.customer_idx].tolist(), plan.unassigned.reason.tolist(), strict=True))
    nobody = dict.fromkeys(["skill", "enemy", "locked", "inside", "lost"], Reason.NO_ELIGIBLE_REP)
    assert why == {
        **nobody, "closed": Reason.NO_COMMON_WINDOW, "far": Reason.OUT_OF_REACH, "long": Reason.SERVICE_TOO_LONG,
    }  # fmt: skip
    assert plan.status is Status.OPTIMAL, "nothing else was possible"


def test_a_day_off_leaves_everybody_unassigned():
    plan = route_day(scattered(3), REP, day="2026-01-04")
    assert len(plan.stops) == 0
    assert set(plan.unassigned.reason.tolist()) == {Reason.NO_SHIFT}
    holiday = route_day(scattered(3), REP, day=MONDAY, holidays=[MONDAY])
    assert set(holiday.unassigned.reason.tolist()) == {Reason.NO_SHIFT}


def test_too_many_candidates_are_chosen_from():
    plan = route_day(scattered(60), REP, day=MONDAY, time_limit_s=0.3)
    assert 10 < len(plan.stops) < 60
    assert set(plan.unassigned.reason.tolist()) == {Reason.OVER_CAPACITY}
    assert plan.status is Status.FEASIBLE


def test_the_time_limit_holds_with_hundreds_of_candidates():
    for limit in (0.1, 0.5):
        began = monotonic()
        route_day(scattered(250), REP, day=MONDAY, time_limit_s=limit)
        assert monotonic() - began <= limit * 1.1 + 0.2 + 0.5, "half a second for a busy machine"


def test_rows_and_names_do_not_matter():
    customers = scattered(6, service_s=[1800] * 6)
    plan = route_day(customers, REP, day=MONDAY)
    order = np.random.default_rng(1).permutation(6)
    turned = route_day(customers.take(order), REP, day=MONDAY)
    assert [customers.id[i] for i in plan.stops.customer_idx] == [
        turned.customers.id[i] for i in turned.stops.customer_idx
    ]
    renamed = Customers(id=[f"x{6 - i}" for i in range(6)], lon=customers.lon, lat=customers.lat, service_s=[1800] * 6)
    assert route_day(renamed, REP, day=MONDAY).stops.customer_idx.tolist() == plan.stops.customer_idx.tolist()


def test_one_rep_of_several_is_chosen_by_id():
    reps = Reps(id=["R1", "R2"], lon=[13.4, 13.0], lat=[52.5, 52.4])
    plan = route_day(scattered(3), reps, day=MONDAY, rep="R2", travel=GreatCircle())
    assert set(plan.stops.rep_idx) == {1}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"day": "05.01.2026"}, "not-a-date"),
        ({"day": MONDAY, "rep": "R9"}, "unknown-id"),
        ({"day": MONDAY, "time_limit_s": 0}, "bad-time-limit"),
        ({"day": MONDAY, "time_limit_s": None}, "bad-time-limit"),
        ({"day": MONDAY, "holidays": MONDAY}, "not-a-date"),
        ({"day": MONDAY, "default_shift": "always"}, "bad-shift"),
    ],
)
def test_bad_parameters(options, code):
    with pytest.raises(InputError) as caught:
        route_day(scattered(2), REP, **options)
    assert code in caught.value.codes


def test_empty_tables_and_an_unsaid_rep():
    nobody = Customers(id=[], lon=[], lat=[])
    two = Reps(id=["a", "b"], lon=[1, 2], lat=[50, 50])
    with pytest.raises(InputError) as caught:
        route_day(nobody, two, day="x", time_limit_s=-1)
    assert set(caught.value.codes) == {"no-customers", "missing-parameter", "not-a-date", "bad-time-limit"}
    with pytest.raises(InputError) as caught:
        route_day(scattered(1), Reps(id=[], lon=[], lat=[]), day=MONDAY)
    assert list(caught.value.codes) == ["no-reps"]
