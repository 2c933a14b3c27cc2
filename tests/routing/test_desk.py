"""What a rep's routing problems are made of, and questions about one route."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory import Customers, PlanSettings, Reps
from territory.routing.board import lone, usual_calls
from territory.routing.bound import least_drive_s
from territory.routing.desk import Desk
from territory.routing.trial import Trial
from territory.travel import UNREACHABLE, MatrixTravel

DAY = 86_400


def desk_of(seconds, *, days=1, start="2026-01-05", rep=None, **columns):
    """Make the desk of one rep; the rep's home is the last row of `seconds`."""
    n = len(seconds) - 1
    customers = Customers(id=[f"c{i}" for i in range(n)], lon=np.linspace(10, 11, n), lat=[50.0] * n, **columns)
    reps = Reps(id=["R1"], lon=[10.0], lat=[49.0], **(rep or {}))
    travel = MatrixTravel(seconds, customer_ids=customers.id.tolist(), rep_ids=["R1"])
    settings = PlanSettings(np.datetime64(start), days, [], travel=travel.fingerprint)
    return Desk(customers, reps, 0, np.arange(n, dtype=np.int32), settings, travel)


def problem_of(desk, visits):
    board = lone(desk)
    return board.problem(usual_calls(board, visits))


def line(*places):
    at = np.array([*places, 0.0])
    return 600.0 * np.abs(at[:, None] - at[None, :])


def test_a_problem_has_a_shift_a_worked_day_and_a_visit_a_customer():
    desk = desk_of(line(1, 2, 3), days=7, rep={"break_s": [1800], "max_visits_per_day": [2]}, service_s=[60, 120, 180])
    problem = problem_of(desk, [2, 0])
    assert problem.shifts.day.tolist() == [0, 1, 2, 3, 4]
    assert problem.visits.service_s.tolist() == [180, 60]
    assert problem.visits.place.tolist() == [2, 1]
    assert problem.durations_s[0, 0].tolist() == [
        [0, 600, 1800, 0], [600, 0, 1200, 600], [1800, 1200, 0, 1800], [0, 600, 1800, 0],
    ]  # fmt: skip
    assert problem.shifts.max_visits.tolist() == [2] * 5
    first = desk.origin + int(problem.shifts.begin_s[0])
    assert str(np.datetime64(first, "s")) == "2026-01-05T08:00:00"
    assert problem.shifts.breaks[1] == [(1800, 2 * DAY + 11 * 3600, 2 * DAY + 14 * 3600)]
    # a visit is worth more than all driving
    assert (problem.visits.value > (problem.shifts.end_s - problem.shifts.begin_s).sum()).all()
    assert not problem.visits.required.any()


def test_windows_are_those_of_the_days_and_days_that_are_not_allowed_are_closed():
    hours = ["Mo-We 09:00-10:00", "Mo-Fr 08:00-17:00"]
    desk = desk_of(line(1, 2), days=7, opening_hours=hours, preferred_weekdays=["Tu", "Mo,We"], service_s=[600, 600])
    problem = problem_of(desk, [0, 1])
    nine = DAY + 9 * 3600
    assert problem.visits.windows[0] == [(nine + DAY, nine + DAY + 3000)]
    assert problem.eligible.tolist() == [[False, True, False, False, False], [True, False, True, False, False]]
    assert desk.windows(0, 1) is desk.windows(0, 1), "looked up once"


def test_a_visit_without_length_at_midnight_belongs_to_the_days_that_allow_it():
    desk = desk_of(line(1), days=7, rep={"shift": ["Mo-Su 00:00-24:00"]}, service_s=[0], preferred_weekdays=["Tu,We"])
    problem = problem_of(desk, [0])
    assert problem.visits.windows[0] is None, "on the days that it may go to, all day long"
    assert problem.eligible[0].tolist() == [False, True, True, False, False, False, False]
    assert not Trial(problem).fits(0, [0])


def test_no_way_and_ways_of_many_years_are_alike():
    seconds = line(1, 2, 3)
    seconds[0, 3] = np.inf
    desk = desk_of(seconds)
    desk.durations_s[2, 4] = 2**30 + 5
    problem = problem_of(desk, [0, 1, 2])
    assert problem.durations_s[0, 0, 1, 4] == problem.durations_s[0, 0, 2, 4] == UNREACHABLE
    trial = Trial(problem)
    assert [trial.fits(0, [v]) for v in range(3)] == [False, False, True]


def test_what_no_longer_fits_is_left_out_of_an_order():
    desk = desk_of(line(1, 2, 3, 4), service_s=[7200, 28_000, 7200, 7200])
    trial = Trial(problem_of(desk, range(4)))
    assert trial.as_fits(0, [3, 2]) == [3, 2]
    assert trial.as_fits(0, [3, 1, 2, 0]) == [3, 2, 0]
    assert trial.route(0, [3, 1, 2]) is None
    assert trial.as_fits(0, [1, 0, 2, 3]) == [1]


def test_the_most_visits_of_a_day_bind():
    trial = Trial(problem_of(desk_of(line(1, 2, 3), rep={"max_visits_per_day": [2]}), range(3)))
    assert trial.as_fits(0, [0, 1, 2]) == [0, 1]


@given(st.integers(2, 7), st.integers(0, 2**32), st.booleans())
def test_the_shortest_order_is_that_of_all_orders(n, seed, hours):
    rng = np.random.default_rng(seed)
    seconds = rng.integers(60, 3000, (n + 1, n + 1)).astype(float)
    np.fill_diagonal(seconds, 0)
    columns = {}
    if hours:
        columns["opening_hours"] = rng.choice(["Mo 08:00-12:00", "Mo 10:00-16:00", "Mo 08:00-17:00"], n).tolist()
    trial = Trial(problem_of(desk_of(seconds, rep={"break_s": [1800]}, **columns), range(n)))
    start = trial.as_fits(0, rng.permutation(n).tolist())
    if not start:
        return
    order, bound = trial.shortest(0, start)
    assert sorted(order) == sorted(start)
    route = trial.route(0, order)
    assert route is not None
    assert route.drive_s == bound
    assert least_drive_s(trial.problem.durations_s[0, 0]) <= bound or len(start) < n
    some = np.random.default_rng(seed)
    for _ in range(60):
        other = trial.route(0, some.permutation(start).tolist())
        assert other is None or other.drive_s >= bound


def test_out_of_time_the_bound_looks_away_from_hours():
    seconds = np.random.default_rng(1).integers(60, 3000, (13, 13)).astype(float)
    np.fill_diagonal(seconds, 0)
    hours = ["Mo 08:00-12:00", "Mo 12:00-17:00"] * 6
    trial = Trial(problem_of(desk_of(seconds, opening_hours=hours, service_s=[60] * 12), range(12)))
    start = trial.as_fits(0, range(12))
    order, bound = trial.shortest(0, start, deadline_s=0.0)
    assert bound <= trial.route(0, order).drive_s
    assert trial.shortest(0, start)[1] >= bound


@pytest.mark.parametrize("visits", [[], [0]])
def test_orders_without_a_choice(visits):
    trial = Trial(problem_of(desk_of(line(2)), [0]))
    assert trial.shortest(0, visits) == (visits, 2400 if visits else 0)
