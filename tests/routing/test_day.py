"""One rep's day, from tables to a plan."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations
from time import monotonic

import numpy as np
import pytest

from territory import Customers, InputError, PlanSettings, Reps, Status, check_plan, route_day
from territory.model.enums import Reason
from territory.routing.board import lone, usual_calls
from territory.routing.desk import Desk
from territory.routing.trial import Trial
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
    assert (plan.routes.bound_s <= plan.routes.drive_s).all()


@pytest.mark.parametrize("seed", range(6))
def test_a_proven_choice_is_that_of_brute_force(seed):
    rng = np.random.default_rng(seed)
    hours = ["Mo-Fr 08:00-10:30", "Mo-Fr 10:00-12:00,14:00-15:00", "Mo-Fr 09:00-17:00"]
    columns = {"service_s": rng.choice([1800.0, 7200.0, 10_800.0], 6), "opening_hours": rng.choice(hours, 6).tolist()}
    customers = scattered(6, seed, **columns)
    reps = Reps(id=["R1"], lon=[13.4], lat=[52.5], break_s=[1800], max_visits_per_day=[4])
    plan = route_day(customers, reps, day=MONDAY, time_limit_s=20)
    assert plan.status is Status.OPTIMAL
    settings = PlanSettings(np.datetime64(MONDAY), 1, [], cadence=False)
    board = lone(Desk(customers, reps, 0, np.arange(6, dtype=np.int32), settings, GreatCircle()))
    trial = Trial(board.problem(usual_calls(board, range(6))))
    best = (0, 0)
    for size in range(1, 5):
        for order in (p for some in combinations(range(6), size) for p in permutations(some)):
            route = trial.route(0, order)
            if route is not None:
                best = max(best, (size, -route.drive_s))
    assert drive_of(plan) == best


def test_an_earlier_plan_is_where_the_search_begins():
    customers = scattered(80, opening_hours=["Mo-Fr 09:00-12:00", "Mo-Fr 13:00-17:00"] * 40)
    good = route_day(customers, REP, day=MONDAY, time_limit_s=1.0)
    again = route_day(customers, REP, day=MONDAY, time_limit_s=0.01, start=good)
    assert drive_of(again) >= drive_of(good)


def test_an_earlier_plan_that_no_longer_fits_breaks_no_rules():
    good = route_day(scattered(12), REP, day=MONDAY)
    gone = str(good.customers.id[good.stops.customer_idx[3]])
    rows = [i for i, name in enumerate(good.customers.id.tolist()) if name != gone]
    left = scattered(12, service_s=np.linspace(1800, 7200, 12)).take(rows)
    later = Reps(id=["R1"], lon=[13.4], lat=[52.5], shift=["Mo-Fr 10:00-16:00"], max_visits_per_day=[5])
    plan = route_day(left, later, day=MONDAY, time_limit_s=0.05, start=good)
    assert check_plan(plan).ok
    assert 0 < len(plan.stops) <= 5
    for other in (Reps(id=["R2"], lon=[13.4], lat=[52.5]), REP):
        tuesday = route_day(left, other, day="2026-01-06", start=good)
        assert len(tuesday.stops) > 0, "another rep, another day: nothing to begin with"


def test_progress_is_told_as_a_share_of_the_time():
    told = []
    route_day(scattered(60), REP, day=MONDAY, time_limit_s=0.5, on_progress=lambda *a: told.append(a))
    assert told
    assert all(isinstance(step, str) and 0 <= share <= 1 for step, share in told)
    assert [share for _, share in told] == sorted(share for _, share in told)


def test_ctrl_c_gives_the_best_so_far():
    def stop(_step, _share):
        raise KeyboardInterrupt

    plan = route_day(scattered(40), REP, day=MONDAY, time_limit_s=5, on_progress=stop)
    assert plan.status is Status.INTERRUPTED
    assert len(plan.stops) > 0
    assert check_plan(plan).ok


@pytest.mark.parametrize(("earliest", "length"), [(7200, 1800), (7200, 3600), (5400, 1801)])
def test_a_day_of_which_the_clock_skips_the_break_is_used_as_a_whole(earliest, length):
    rep = Reps(
        id=["R1"], lon=[13.4], lat=[52.5], shift=["Su 00:00-08:00"], timezone=["Europe/Berlin"], break_s=[length],
        break_earliest_s=[earliest], break_latest_s=[3 * 3600], max_overtime_s=[1800],
    )  # fmt: skip
    plan = route_day(scattered(40), rep, day="2026-03-29")
    # the clock jumps from two to three; seven hours and the overtime, of which neither part would hold six
    assert plan.routes.back[0] - plan.routes.leave[0] > np.timedelta64(6, "h")
    assert plan.routes.leave[0] < np.datetime64("2026-03-29T01:00:00") < plan.routes.back[0]
    assert np.isnat(plan.routes.break_start[0])
    assert check_plan(plan).ok
    # what is left of longer hours is enough for a break
    longer = replace(rep, break_earliest_s=[earliest - length])
    assert not np.isnat(route_day(scattered(40), longer, day="2026-03-29").routes.break_start[0])


@pytest.mark.parametrize("day", ["1975-03-03", "2200-06-02"])
def test_any_century_is_routed(day):
    assert len(route_day(scattered(3), REP, day=day).stops) == 3


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
        ({"day": MONDAY, "start": "yesterday"}, "wrong-type"),
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
