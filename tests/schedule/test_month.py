"""One rep's horizon: insertion, and what is known about a day."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest

from territory import PlanSettings
from territory.routing.desk import Desk
from territory.routing.engine import timed
from territory.schedule.chains import Chain, Rhythm
from territory.schedule.month import Month, plan_month
from territory.schedule.recreate import ruin_and_recreate


@pytest.fixture
def desk(town):
    def make(x, days=7, **columns):
        customers, reps, travel = town(x, **columns)
        settings = PlanSettings(np.datetime64("2026-01-05"), days, [], travel=travel.fingerprint)
        return Desk(customers, reps, 0, np.arange(len(x), dtype=np.int32), settings, travel)

    return make


def once(n, days=7):
    return [Rhythm(days, float(days), 0, days - 1, 0, days, days)] * n


def planned(desk, rhythms, *, iterations=0, seed=0, deadline=None):
    limit = monotonic() + 60 if deadline is None else deadline
    return plan_month(desk, rhythms, limit, iterations=iterations, rng=np.random.default_rng(seed))


def test_the_detour_of_an_insertion_is_what_it_adds_to_the_day(desk):
    month = Month(desk([1, 2, 3]))
    assert month.insertion(2, 0) == (2 * 3 * 600, 0)
    month.put(2, Chain((0,), (), 0), {0: 0})
    assert month.length(0) == 3600
    assert month.insertion(0, 0) == (0, 0), "on the way"
    assert month.insertion(0, 1) == (1200, 0), "a day of its own"


def test_a_day_that_is_full_takes_no_more(desk):
    month = Month(desk([1, 1], rep={"max_visits_per_day": [1]}))
    month.put(0, Chain((0,), (), 0), {0: 0})
    assert month.insertion(1, 0) is None
    assert month.insertion(1, 1) is not None
    assert month.insertion(1, 5) is None, "Saturday"


def test_what_goes_in_comes_out(desk):
    month = Month(desk([1, 2, 3]))
    before = dict(month.routes)
    chain = Chain((0, 2), (), 0)
    month.put(1, chain, {0: 0, 2: 0})
    assert (month.length(0), month.length(2)) == (2400, 2400)
    month.remove(1, chain)
    assert month.routes == before
    month.put(1, chain, {0: 0, 2: 0})
    month.restore(before)
    assert month.length(0) == 0


def test_customers_on_one_road_share_a_day(desk):
    found = planned(desk([10, 10.5, 11, -10, -10.5, -11]), once(6), iterations=200)
    assert sorted(sorted(visits) for _, visits, _, _ in found.routes) == [[0, 1, 2], [3, 4, 5]]
    assert not found.missed
    assert not found.timed_out


def test_search_never_drives_more_than_insertion_alone(desk):
    rng = np.random.default_rng(1)
    day = desk(rng.integers(-12, 13, 25).tolist(), service_s=[3600] * 25)
    drive = [sum(s.drive_s for _, _, s, _ in planned(day, once(25), iterations=i).routes) for i in (0, 60)]
    assert drive[1] <= drive[0]


def test_search_places_what_insertion_could_not(desk):
    # insertion takes the far first; only one way of sharing out fills both days to the brim
    day = desk([1] * 6, service_s=[9000, 9000, 9000, 13_500, 13_500, 13_500], rep={"shift": ["Mo-Tu 08:00-17:00"]})
    found = planned(day, once(6), iterations=300)
    assert len(found.missed) <= len(planned(day, once(6)).missed)


def test_bounds_lie_below_and_routes_fit(desk):
    rng = np.random.default_rng(2)
    day = desk(rng.integers(-12, 13, 20).tolist(), rep={"break_s": [1800]})
    for n, visits, solution, bound in planned(day, once(20), iterations=30).routes:
        assert bound <= solution.drive_s
        assert timed(day.problem(n, visits), range(len(visits))) is not None


def test_out_of_time_everything_is_missed_on_its_due_day(desk):
    found = planned(desk([1, 2]), once(2), deadline=monotonic() - 1)
    assert found.timed_out
    assert found.missed == ((1, 0), (0, 0))
    assert found.routes == ()


def test_search_stops_when_time_is_up(desk):
    day = desk([1, 2, 3])
    month = Month(day)
    chains = {}
    for v in range(3):
        chains[v], position = month.place(v, once(3)[v])
        month.put(v, chains[v], position)
    before = dict(month.routes)
    assert not ruin_and_recreate(month, once(3), chains, 10, np.random.default_rng(0), monotonic() - 1)
    assert month.routes == before


def test_one_customer_leaves_nothing_to_search(desk):
    month = Month(desk([1]))
    assert ruin_and_recreate(month, once(1), {0: Chain((), (0,), 0)}, 10, np.random.default_rng(0), monotonic() + 9)
