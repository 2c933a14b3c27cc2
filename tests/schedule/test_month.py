"""One rep's horizon as one routing problem."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest

from territory import PlanSettings, Status
from territory.routing.board import lone, usual_calls
from territory.routing.desk import Desk
from territory.routing.solve import solve_routing
from territory.schedule import month
from territory.schedule.cadence import cadence_of
from territory.schedule.demand import Prices, demand
from territory.schedule.month import plan_horizon


@pytest.fixture
def desk(town):
    def make(x, days=7, start="2026-01-05", **columns):
        customers, reps, travel = town(x, **columns)
        settings = PlanSettings(np.datetime64(start), days, [], travel=travel.fingerprint)
        return Desk(customers, reps, 0, np.arange(len(x), dtype=np.int32), settings, travel)

    return make


def planned(desk, *, iterations=300, seed=0, deadline=None):
    limit = monotonic() + 60 if deadline is None else deadline
    board = lone(desk)
    return plan_horizon(board, calls_of(board), limit, iterations=iterations, seed=seed)


def calls_of(board):
    customers, settings = board.desks[0].customers, board.desks[0].settings
    n = len(customers)
    prices, owner = Prices(np.ones(n), 1.0), np.zeros(n, np.int64)
    return demand(board, customers, settings, cadence_of(customers, settings), [], prices, owner)


def drive_of(found):
    return sum(route.drive_s for _, route, _ in found.routes)


def test_only_due_visits_are_in_the_problem_with_their_rhythm(desk):
    day = desk([1, 2, 3], days=14, visit_interval_days=[7.0, np.nan, 3.5], last_visit=["2026-01-01", "", ""])
    problem = lone(day).problem(calls_of(lone(day)))
    v = problem.visits
    assert v.place.tolist() == [1, 2]
    assert problem.durations_s[0, 0, 0].tolist() == [0, 600, 1800, 0]
    assert (v.first_low_day[0], v.first_high_day[0], v.first_due_day[0]) == (2, 4, 3)
    assert (v.gap_low_days.tolist(), v.gap_high_days.tolist(), v.gap_days.tolist()) == ([6, 3], [8, 4], [7, 4])
    assert problem.n_days == 14
    assert problem.n_shifts == 10


def test_customers_on_one_road_share_a_day(desk):
    found = planned(desk([10, 10.5, 11, -10, -10.5, -11]))
    assert sorted(sorted(route.visits) for _, route, _ in found.routes) == [[0, 1, 2], [3, 4, 5]]
    assert not found.missed
    assert not found.timed_out


def test_more_search_drives_no_more(desk):
    rng = np.random.default_rng(1)
    day = desk(rng.integers(-12, 13, 25).tolist(), service_s=[3600] * 25)
    assert drive_of(planned(day, iterations=3000)) <= drive_of(planned(day, iterations=0))


def test_search_fills_days_to_the_brim(desk):
    # only one way of sharing out takes all
    day = desk([1] * 6, service_s=[9000, 9000, 9000, 13_500, 13_500, 13_500], rep={"shift": ["Mo-We 08:00-14:40"]})
    assert not planned(day, iterations=1000).missed


def test_orders_are_proven_and_bounds_met(desk):
    rng = np.random.default_rng(2)
    x, rep = rng.integers(-12, 13, 20).tolist(), {"break_s": [1800]}
    day = desk(x, rep=rep)
    found = planned(day)
    assert found.routes
    for (_, n), route, bound in found.routes:
        assert bound == route.drive_s
        board = lone(desk(x, days=1, start=str(day.settings.days[n]), rep=rep))
        again = solve_routing(board.problem(usual_calls(board, route.visits)), engine="exact", iterations=100_000)
        assert again.status is Status.OPTIMAL
        assert again.terms["drive"] == route.drive_s


def test_out_of_time_everything_is_missed_on_its_due_day(desk):
    found = planned(desk([1, 2]), deadline=monotonic() - 1)
    assert found.timed_out
    assert sorted(found.missed) == [(0, 0), (1, 0)]
    assert found.routes == ()
    assert found.fits_alone(0, 0, 0)


def test_search_stops_when_time_is_up(desk):
    began = monotonic()
    found = planned(desk([1, 2, 3, 4]), iterations=10**9, deadline=began + 0.3)
    assert monotonic() - began < 0.3 * 1.1 + 0.2 + 0.5, "half a second for a busy machine"
    assert found.timed_out
    assert len(found.routes) == 1


def test_whether_a_visit_fits_alone(desk):
    found = planned(desk([1, 40], days=7, opening_hours=["Tu 10:00-12:00", ""]))
    assert [found.fits_alone(0, 0, n) for n in (0, 1)] == [False, True]
    assert not found.fits_alone(1, 0, 0)


def test_a_rep_without_days_misses_all(desk):
    found = planned(desk([1, 2], rep={"leave": ["2026-01-05..2026-01-11"]}))
    assert sorted(found.missed) == [(0, 0), (1, 0)]
    assert not found.timed_out


def test_an_interrupt_ends_planning(desk, monkeypatch):
    def interrupted(problem, **_options):
        return solve_routing(problem, engine="search", iterations=1000, on_progress=stop)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(month, "solve_routing", interrupted)
    with pytest.raises(KeyboardInterrupt):
        planned(desk([1, 2, 3]))
