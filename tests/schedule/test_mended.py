"""Faults that random team-months brought to light, the smallest example of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from territory import Alignment, Customers, InputError, Reps, Visits, check_plan, schedule_visits
from territory.schedule.tasks import _worth

MONDAY = "2026-05-04"


def town(n=3, reps=1, rep=None, **columns):
    columns.setdefault("visit_interval_days", [7.0] * n)
    places = {"lon": [9 + 0.01 * i for i in range(n)], "lat": [50.0] * n}
    customers = Customers(id=[f"c{i}" for i in range(n)], **places, **columns)
    homes = {"lon": [9.0 + 0.03 * j for j in range(reps)], "lat": [50.0] * reps}
    return customers, Reps(id=[f"R{j}" for j in range(reps)], **homes, **(rep or {}))


def singles(*rows, **same):
    """Return single visits of rows (customer, first day, last day), of May 2026."""
    who, first, last = zip(*rows, strict=True)
    days = {"earliest": [f"2026-05-{d:02d}" for d in first], "latest": [f"2026-05-{d:02d}" for d in last]}
    more = {name: [value] * len(rows) for name, value in same.items()}
    return Visits(id=[f"v{i}" for i in range(len(rows))], customer_id=list(who), **days, **more)


def planned(customers, reps, alignment=None, *, start=MONDAY, weeks=2, iterations=60, **options):
    return schedule_visits(customers, reps, alignment, start=start, weeks=weeks, iterations=iterations, **options)


def told(plan):
    """Return the days on which single visits are missed, with reasons."""
    u = plan.unassigned
    return [(str(d), str(r)) for d, r, v in zip(u.due, u.reason, u.visit_idx, strict=True) if v >= 0]


def stops(plan):
    s = plan.stops
    names = zip(s.customer_idx, s.rep_idx, s.start, s.end, strict=True)
    return sorted((str(plan.customers.id[i]), str(plan.reps.id[r]), str(a), str(b)) for i, r, a, b in names)


# -- nobody is visited twice a day ---------------------------------------------------------


def test_two_appointments_within_the_same_days_are_on_different_ones():
    plan = planned(*town(2), visits=singles(("c0", 5, 7), ("c0", 5, 7)))
    days = plan.stops.day[plan.stops.visit_idx >= 0]
    assert len(days) == 2
    assert days[0] != days[1]


def test_of_two_visits_on_one_day_the_firmer_is_made():
    visits = Visits(
        id=["loose", "firm"], customer_id=["c0", "c0"], earliest=["2026-05-05"] * 2, latest=["2026-05-05"] * 2,
        commitment=["planned", "fixed"], time_s=[np.nan, 36_000.0],
    )  # fmt: skip
    plan = planned(*town(1), visits=visits)
    assert plan.visits.id[plan.stops.visit_idx.max()] == "firm"
    assert told(plan) == [("2026-05-05", "conflict")]


def test_a_visit_by_interval_does_not_fall_on_a_late_promise():
    customers, reps = town(1, visit_interval_days=[2.0])
    visits = Visits(
        id=["p"], customer_id=["c0"], earliest=["2026-05-05"], latest=["2026-05-15"], due=["2026-05-05"],
        kind=["regular"],
    )  # fmt: skip
    # only the days around the 12th are left for the promise
    reps = Reps(id=["R0"], lon=[9.0], lat=[50.0], shift=["Mo-Fr 08:00-17:00"], leave=["2026-05-04..2026-05-08"])
    plan = planned(customers, reps, visits=visits)
    assert len(set(plan.stops.day.tolist())) == len(plan.stops)


def test_an_appointment_keeps_off_the_sets_of_days():
    customers, reps = town(2)
    sets = {"c0": [["2026-05-05", "2026-05-12"], ["2026-05-06", "2026-05-13"]]}
    plan = planned(customers, reps, visits=singles(("c0", 5, 8)), day_sets=sets)
    days = plan.stops.day[plan.stops.customer_idx == 0].astype(str).tolist()
    assert min(days) in ("2026-05-05", "2026-05-06")
    assert len(set(days)) == len(days) == 3
    # on a day of a set, that set is out
    plan = planned(customers, reps, visits=singles(("c0", 5, 5)), day_sets=sets)
    days = plan.stops.day[plan.stops.customer_idx == 0].astype(str).tolist()
    assert sorted(days) == ["2026-05-05", "2026-05-06", "2026-05-13"]


# -- nothing is lost -----------------------------------------------------------------------


def test_an_event_that_nobody_serves_is_missed_on_each_day():
    customers, reps = town(3, 2, owner=["R0", "R1", ""])
    alignment = Alignment.from_owners(customers, reps)
    plan = planned(customers, reps, alignment, visits=singles(("c2", 5, 7), kind="event"))
    assert told(plan) == [(f"2026-05-{d:02d}", "no-eligible-rep") for d in (5, 6, 7)]


def test_sets_of_days_of_customers_whom_nobody_serves_are_missed():
    customers, reps = town(3, 2, owner=["R0", "R1", ""])
    alignment = Alignment.from_owners(customers, reps)
    plan = planned(customers, reps, alignment, day_sets={"c2": [["2026-05-05", "2026-05-12"]]})
    assert [str(r) for r, i in zip(plan.unassigned.reason, plan.unassigned.customer_idx, strict=True) if i == 2] == [
        "no-eligible-rep"
    ]


def test_sets_of_days_that_have_begun_or_end_later_are_not_due():
    plan = planned(*town(2), day_sets={"c0": [["2026-05-01", "2026-05-05"]]})
    assert 0 not in plan.stops.customer_idx
    assert 0 not in plan.unassigned.customer_idx


def test_policies_for_strangers_are_refused():
    with pytest.raises(InputError) as caught:
        planned(*town(2), day_sets={"zz": [["2026-05-05"]]}, cover={"R0": ["R9"]})
    assert caught.value.codes == ("unknown-rep", "unknown-customer")


def test_an_unknown_load_is_bad_input():
    with pytest.raises(InputError, match="unknown-measure"):
        planned(*town(2), load="boxes")


def test_an_endless_time_limit_is_bad_input():
    with pytest.raises(InputError, match="bad-time-limit") as error:
        planned(*town(2), time_limit_s=float("inf"), n_jobs=0)
    assert {p.code for p in error.value.problems} == {"bad-time-limit", "bad-n-jobs"}


# -- planning again ------------------------------------------------------------------------


def test_a_promise_beyond_a_shorter_horizon_is_left_out():
    customers, reps = town(3)
    before = planned(customers, reps, weeks=4, visits=singles(("c0", 25, 29))).committed("confirmed_week")
    again = planned(before.as_made("2026-05-05"), reps, start="2026-05-05", previous=before)
    assert again.stops.day.max() < np.datetime64("2026-05-19")


def test_a_follow_up_that_was_given_stays():
    customers, reps = town(3)
    before = planned(customers, reps, visits=singles(("c0", 12, 14), kind="follow_up"))
    again = planned(before.as_made("2026-05-05"), reps, start="2026-05-05", previous=before)
    assert again.visits.id.tolist() == ["v0"]


def test_a_follow_up_that_was_made_early_is_not_made_again():
    customers, reps = town(1, won_on=[MONDAY], visit_interval_days=[np.nan])
    before = planned(customers, reps, weeks=4)
    day = before.stops.day[0]
    assert day < np.datetime64("2026-05-18"), "the due day"
    after = planned(before.as_made(day + 1), reps, weeks=4, start=str(day + 1), previous=before)
    assert len(after.stops) == 0


def test_a_follow_up_that_was_promised_keeps_its_day():
    customers, reps = town(1, won_on=[MONDAY], visit_interval_days=[np.nan])
    before = planned(customers, reps, weeks=4).committed("confirmed_day")
    again = planned(customers, reps, weeks=4, previous=before, change_price_s=0.0, rng=5)
    v = again.visits
    assert v.earliest.tolist() == v.latest.tolist() == before.stops.day.tolist()


def test_the_visits_of_a_plan_can_be_given_again():
    customers, reps = town(2, won_on=[MONDAY, None])
    before = planned(customers, reps, weeks=4, visits=singles(("c1", 12, 14)))
    again = planned(customers, reps, weeks=4, visits=before.visits)
    assert sorted(again.visits.id.tolist()) == sorted(before.visits.id.tolist())


def test_an_id_that_looks_like_a_promise_is_no_clash():
    customers, reps = town(2)
    before = planned(customers, reps).committed("confirmed_week")
    day = before.stops.day[before.stops.customer_idx == 0][0]
    mine = Visits(id=[f"c0@{day}"], customer_id=["c1"], earliest=["2026-05-05"], latest=["2026-05-06"])
    again = planned(customers, reps, visits=mine, previous=before)
    assert len(set(again.visits.id.tolist())) == len(again.visits)


def test_half_a_joint_visit_of_before_is_no_start():
    customers, reps = town(3, 2, owner=["R0", "R1", "R1"])
    joint = singles(("c0", 5, 8), rep_id="R0", second_rep_id="R1")
    before = planned(customers, reps, Alignment.from_owners(customers, reps), visits=joint)
    day = before.stops.day[before.stops.visit_idx >= 0][0]
    away = Reps(id=["R0", "R1"], lon=reps.lon, lat=reps.lat, leave=["", f"{day}..{day}"])  # one of them falls ill
    again = planned(customers, away, Alignment.from_owners(customers, away), previous=before)
    assert (again.stops.day[again.stops.visit_idx >= 0] != day).all()


def test_half_a_set_of_days_of_before_is_no_start():
    customers, reps = town(2)
    sets = {"c0": [["2026-05-05", "2026-05-12"], ["2026-05-06", "2026-05-13"]]}
    before = planned(customers, reps, day_sets=sets)
    day = before.stops.day[before.stops.customer_idx == 0][0]
    ill = Reps(id=["R0"], lon=[9.0], lat=[50.0], leave=[f"{day}..{day}"])
    again = planned(customers, ill, day_sets=sets, previous=before)
    assert sorted(again.stops.day[again.stops.customer_idx == 0].astype(str).tolist()) in sets["c0"]


# -- rows have no meaning ------------------------------------------------------------------


@pytest.mark.parametrize("what", ["reps", "visits"])
def test_permuted_rows_of_a_team_are_the_same_plan(what):
    rng = np.random.default_rng(3)
    n = 14
    owner = [f"R{j}" for j in rng.integers(0, 3, n)]
    customers = Customers(
        id=[f"c{i}" for i in range(n)], lon=9 + rng.normal(0, 0.2, n), lat=50 + rng.normal(0, 0.2, n), owner=owner,
        visit_interval_days=rng.choice([5.0, 7.0, 10.0], n),
    )  # fmt: skip
    reps = Reps(id=["R0", "R1", "R2"], lon=[9.1, 8.9, 9.0], lat=[50.0, 50.1, 49.9], cost_per_hour=[40.0, 60.0, 50.0])
    visits = Visits(
        id=["a", "b"], customer_id=["c1", "c1"], earliest=["2026-05-05"] * 2, latest=["2026-05-08"] * 2,
        service_s=[600.0, 5400.0],
    )  # fmt: skip
    order = np.array([2, 0, 1])
    reps_too = reps.take(order) if what == "reps" else reps
    visits_too = visits.take(np.array([1, 0])) if what == "visits" else visits
    plans = [
        planned(customers, r, Alignment.from_owners(customers, r), visits=v, shared=True, objective="cost")
        for r, v in ((reps, visits), (reps_too, visits_too))
    ]
    assert stops(plans[0]) == stops(plans[1])


# -- who comes -----------------------------------------------------------------------------


@pytest.mark.parametrize("second", ["", "R1"])
def test_who_is_named_needs_the_skills_too(second):
    customers, reps = town(3, 2, rep={"skills": ["gas", ""]}, owner=["R0", "R0", "R1"], required_skills=["gas", "", ""])
    rep = "R0" if second else "R1"
    visits = singles(("c0", 5, 7), rep_id=rep, second_rep_id=second)
    plan = planned(customers, reps, Alignment.from_owners(customers, reps), visits=visits)
    assert told(plan) == [("2026-05-07", "no-eligible-rep")]


def test_a_missed_visit_is_put_down_to_the_customers_own_rep():
    customers, reps = town(3, 2, owner=["R0", "R1", "R0"], required_skills=["", "gas", ""])
    visits = Visits(
        id=["a", "b"], customer_id=["c1", "c0"], earliest=["2026-05-05"] * 2, latest=["2026-05-06"] * 2,
        rep_id=["", "R0"], second_rep_id=["", "R1"],
    )  # fmt: skip
    plan = planned(customers, reps, Alignment.from_owners(customers, reps), visits=visits)
    u = plan.unassigned
    of = {(str(r), str(reps.id[j])) for r, j, v in zip(u.reason, u.rep_idx, u.visit_idx, strict=True) if v == 0}
    assert of == {("no-eligible-rep", "R1")}


def test_what_a_visit_is_worth_does_not_depend_on_the_order_of_rows():
    rng = np.random.default_rng(0)
    n = 40
    worth = rng.choice([1e-6, 0.1, 1.0, 1e9], n)
    customers, _ = town(n, measures={"worth": worth})
    orders = [rng.permutation(n) for _ in range(20)]
    assert len({float(worth[order].mean()) for order in orders}) > 1, "sums of floats depend on it"
    values = _worth(customers, "worth", None)
    assert all((_worth(customers.take(order), "worth", None) == values[order]).all() for order in orders)


@pytest.mark.parametrize("last", [None, "2026-04-20"])
def test_sets_of_days_are_for_visits_in_the_field(last):
    customers, reps = town(2, channel=["either"] * 2, last_visit=[last, "2026-04-30"])
    sets = {"c0": [["2026-05-05", "2026-05-12"]]}
    plan = planned(customers, reps, remote="after-first", day_sets=sets)
    theirs = plan.stops.customer_idx == 0
    assert plan.stops.day[theirs].astype(str).tolist() == sets["c0"][0]
    assert not plan.stops.remote[theirs].any()
    assert plan.stops.remote[~theirs].all(), "the other one is called by interval"
    remote = plan.stops.remote.copy()
    remote[np.flatnonzero(theirs)[-1]] = True
    wrong = replace(plan, stops=replace(plan.stops, remote=remote))
    assert "remote-wrong" in {v.code for v in check_plan(wrong).violations}


def test_missed_visits_that_gave_way_to_each_other_stand_for_visits_on_other_days():
    # neither can be made; the days of the first lie around those of the second, and it is told for its last day
    customers, reps = town(1)
    visits = Visits(
        id=["long", "short"], customer_id=["c0"] * 2, earliest=["2026-05-21", "2026-05-29"],
        latest=["2026-06-09", "2026-05-30"], service_s=[86_400.0] * 2,
    )  # fmt: skip
    plan = planned(customers, reps, visits=visits, weeks=4)
    assert told(plan) == [("2026-05-30", "service-too-long"), ("2026-05-31", "service-too-long")]
    days = plan.stops.day.astype(str).tolist()
    assert days, "by interval"
    # without those visits the gap is one
    left = replace(plan.unassigned.take([0]), visit_idx=None)
    alone = replace(plan, visits=None, stops=replace(plan.stops, visit_idx=None), unassigned=left)
    assert "interval-too-long" in {v.code for v in check_plan(alone).violations}
