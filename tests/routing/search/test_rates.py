"""What the search measures: which share of the visits' worth is missing, and when it looks at driving first."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from territory.routing.layout import layout_of
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.routing.search import engine
from territory.routing.search.effort import CHOOSING, Effort
from territory.routing.search.rates import missing_share, nights_away

HOUR = 3600


def weekly(n_weekly, *, hours, single=(), required=False):
    """Return a fortnight of one shift a day: weekly visits of an hour each, single ones, and one by sets of days."""
    n = n_weekly + len(single) + 1
    rhythm = np.arange(n) < n_weekly
    value = np.concatenate([np.full(n_weekly, 5e4), np.asarray(single, np.float64), [2e5]])
    gap = np.where(rhythm, 7, 0)
    rng = np.random.default_rng(3)
    way = rng.integers(0, 900, (n + 1, 2))
    days = [0, 1, 2, 3, 4, 7, 8, 9, 10, 11]
    return RoutingProblem(
        durations_s=np.abs(way[:, None] - way[None, :]).sum(axis=2),
        visits=VisitArrays(
            place=np.arange(1, n + 1), service_s=[HOUR] * n, value=np.zeros(n) if required else value,
            required=np.full(n, required), first_low_day=np.zeros(n, int), first_high_day=np.where(rhythm, 4, 0),
            first_due_day=np.zeros(n, int), gap_low_days=np.where(rhythm, 5, 0), gap_high_days=np.where(rhythm, 9, 0),
            gap_days=gap, interval_days=gap.astype(float), off_cost=np.where(rhythm, 30.0, 0.0),
            patterns=[None] * (n - 1) + [[(0, 7), (1, 8)]],
        ),
        shifts=ShiftArrays(
            start_place=[0] * 10, begin_s=[d * 24 * HOUR for d in days],
            end_s=[(d * 24 + hours) * HOUR for d in days], day=days,
        ),
        n_days=14,
    )  # fmt: skip


def begun(problem, effort=None):
    return engine.begin(problem, layout_of(problem), 0, None, effort)


def test_the_share_counts_every_visit_of_a_rhythm_and_sets_of_days_once():
    problem = weekly(3, hours=8, single=[7e4])
    run = begun(problem)
    worth = 3 * 2 * 5e4 + 7e4 + 2e5
    # both of visit 0 are made, of visit 1 the first, of visit 2 none; nor is the single one, but the set of days
    engine.load_routes(run, {0: [0, 1, 4], 5: [0, 4]})
    assert np.isclose(missing_share(run.layout, run.state), (5e4 + 2 * 5e4 + 7e4) / worth)
    engine.load_routes(run, {})
    assert missing_share(run.layout, run.state) == 1.0
    engine.load_routes(run, {0: [0, 1, 2, 3, 4], 5: [0, 1, 2, 4]})
    assert missing_share(run.layout, run.state) == 0.0


def test_required_visits_that_are_worth_nothing_do_not_count():
    run = begun(weekly(3, hours=8, required=True))
    engine.load_routes(run, {})
    assert missing_share(run.layout, run.state) == 0.0


def test_there_is_no_lure_while_all_visits_of_cadences_have_a_place():
    run = begun(weekly(20, hours=12))
    engine.work(run, deadline=None, began=0.0, iterations=1000)
    assert missing_share(run.layout, run.state) == 0.0
    assert run.state.value[engine.F_EXTRA_RATE] == 0.0
    assert run.effort == Effort()


def test_where_many_are_missing_the_choice_of_visits_comes_first():
    run = begun(weekly(60, hours=4))
    engine.work(run, deadline=None, began=0.0, iterations=1000)
    assert missing_share(run.layout, run.state) > 0.3
    assert run.state.value[engine.F_EXTRA_RATE] > 0.0
    assert run.effort == CHOOSING
    asked = begun(weekly(60, hours=4), Effort())
    engine.work(asked, deadline=None, began=0.0, iterations=1000)
    assert asked.effort == Effort()


@pytest.mark.parametrize(
    ("ends", "away"),
    [
        ([(0, 0), (0, 0)], False), ([(0, 1), (0, 1)], False), ([(0, 0), (1, 1)], False), ([(0, 1), (2, 3)], False),
        ([(0, 2), (2, 0), (0, 0)], True), ([(0, 0), (0, 2)], True), ([(2, 0), (0, 0)], True),
    ],
)  # fmt: skip
def test_who_sleeps_away_is_told_by_the_ends_of_days(ends, away):
    layout = SimpleNamespace(shift_i=np.array([[*pair, 9, 9] for pair in ends]))
    assert nights_away(layout) is away
