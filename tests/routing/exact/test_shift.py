"""One shift, against every order and every second."""

from __future__ import annotations

import numpy as np
import pytest
from tests.routing.exact.naive import cost_of, least, random_problem

from territory.routing.exact.shift import solve_shift
from territory.routing.layout import layout_of

HUGE = 10_000.0


def worth(problem):
    return np.where(problem.visits.required, HUGE, problem.visits.value)


def has_times_that_cost(problem):
    """Whether which break is taken when may change the cost: the times of a route are chosen to be back soonest."""
    v, s = problem.visits, problem.shifts
    return bool(s.breaks[0]) and bool((v.late_cost > 0).any() or (s.overtime_cost[0] > 0 and s.max_overtime_s[0] > 0))


@pytest.mark.parametrize("seed", range(8))
def test_the_least_cost_is_that_of_brute_force(seed):
    rng = np.random.default_rng(seed)
    for n_visits in (2, 3, 3, 3, 4):
        problem = random_problem(rng, n_visits=n_visits)
        values = worth(problem)
        best, _ = least(problem, values)
        answer = solve_shift(layout_of(problem), 0, values=values)
        assert answer.bound <= best + 1e-6
        if answer.order:
            real = cost_of(problem, answer.order) - values[list(answer.order)].sum()
            assert answer.net >= real - 1e-6 if has_times_that_cost(problem) else answer.net == pytest.approx(real)
        if not has_times_that_cost(problem):
            assert answer.optimal
            assert answer.net == pytest.approx(best)


@pytest.mark.parametrize("seed", range(8))
def test_the_bound_holds_where_time_away_costs_or_driving_depends_on_the_time_of_day(seed):
    rng = np.random.default_rng([seed, 1])
    for n_visits in (2, 3, 3, 4):
        problem = random_problem(rng, n_visits=n_visits, relaxed=True)
        values = worth(problem)
        best, _ = least(problem, values)
        answer = solve_shift(layout_of(problem), 0, values=values)
        assert answer.bound <= best + 1e-6
        assert answer.bound <= answer.net
        if answer.order:
            assert answer.net >= best - 1e-6
        if answer.optimal and np.isfinite(best):
            assert answer.net == pytest.approx(best)
