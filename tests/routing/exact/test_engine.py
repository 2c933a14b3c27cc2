"""The exact engine: status, bound, links, cadences and shifts that share no visit."""

from __future__ import annotations

import numpy as np
import pytest
from tests.routing.exact.naive import least, random_problem
from tests.routing.exact.test_shift import has_times_that_cost

from territory.errors import InputError
from territory.model.enums import Status
from territory.routing.exact.engine import solve
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays

#: Places on a line, seconds apart: 0 is home.
LINE = np.array([0, 10, 20, 40])
DRIVE = abs(LINE[:, None] - LINE[None, :])


def on_a_line(visits=None, shifts=None, **more):
    v = {"place": [1, 2, 3], "service_s": [5, 5, 5], "value": [100.0, 100.0, 100.0], **(visits or {})}
    s = {"start_place": [0], "begin_s": [0], "end_s": [200], **(shifts or {})}
    return RoutingProblem(durations_s=DRIVE, visits=VisitArrays(**v), shifts=ShiftArrays(**s), **more)


def test_all_visits_in_a_day():
    found = solve(on_a_line())
    assert (found.status, found.objective, found.bound) == (Status.OPTIMAL, 80.0, 80.0)
    assert {v for r in found.routes for v in r.visits} == {0, 1, 2}
    assert found.trace[-1][1] == 80.0


def test_a_visit_that_is_not_worth_the_way_is_left_out():
    found = solve(on_a_line({"value": [100.0, 100.0, 39.0]}))
    assert found.routes[0].visits in ((0, 1), (1, 0))
    assert (found.objective, found.status) == (79.0, Status.OPTIMAL)


def test_nothing_to_do():
    found = solve(on_a_line({"value": [1.0, 1.0, 1.0]}))
    assert (found.routes, found.objective, found.status) == ((), 3.0, Status.OPTIMAL)


def test_required_visits_come_first_whatever_they_cost():
    found = solve(on_a_line({"required": [False, False, True], "value": [1000.0, 1000.0, 1.0]}, {"end_s": [86]}))
    assert found.required_missing == 0
    assert 2 in found.routes[0].visits
    assert found.status is Status.OPTIMAL


def test_required_visits_that_do_not_fit_are_proven_not_to():
    found = solve(on_a_line({"required": [True, True, True]}, {"end_s": [90]}))
    assert (found.status, found.required_missing) == (Status.INFEASIBLE, 1)


def test_locked_visits_begin_the_route():
    found = solve(on_a_line(shifts={"locked": [[2, 0]]}))
    assert found.routes[0].visits[:2] == (2, 0)
    assert (found.objective, found.status) == (40 + 30 + 10 + 20, Status.OPTIMAL)


def test_a_start_that_is_optimal_stays():
    problem = on_a_line()
    first = solve(problem)
    again = solve(problem, start=first)
    assert (again.status, again.routes) == (Status.OPTIMAL, first.routes)


def test_joint_visits_need_two_shifts():
    found = solve(on_a_line(joint=[(0, 1)]))
    assert [v for v, _ in found.unserved] == [0, 1]
    assert (found.objective, found.status) == (280.0, Status.OPTIMAL)


def test_precedence_is_kept_and_the_bound_holds():
    problem = on_a_line(
        {"windows": [((0, 30),), None, ((100, 200),)]}, precedence=[(2, 0), (0, 1)], precedence_delay_s=[0, 0]
    )
    found = solve(problem)
    start = {v: t for r in found.routes for v, t in zip(r.visits, r.starts, strict=True)}
    assert 0 not in start
    assert 1 not in start
    assert found.objective == 280.0
    assert found.bound <= 280.0
    free = solve(on_a_line(precedence=[(0, 1)], precedence_delay_s=[0]))
    assert free.bound == pytest.approx(80.0)
    assert free.objective in (80.0, 180.0)


def test_patterns_and_rhythms_of_a_single_day():
    found = solve(
        on_a_line(
            {
                "patterns": [[[0]], [[0, 1]], None], "pattern_cost": [[7.0], [0.0], None],
                "first_high_day": [0, 0, 1], "gap_low_days": [0, 0, 1], "gap_high_days": [0, 0, 3],
                "gap_days": [0, 0, 2], "interval_days": [0, 0, 5.0], "off_cost": [0, 0, 1.0],
            },
            n_days=2,
        )
    )  # fmt: skip
    assert found.routes[0].visits in ((0, 2), (2, 0))
    assert found.unserved == ((1, -1),)
    assert found.objective == 80 + 7 + 100
    assert found.status is Status.OPTIMAL


def test_shifts_that_share_no_visit():
    two = {"start_place": [0, 0], "begin_s": [0, 0], "end_s": [200, 30], "day": [0, 1]}
    found = solve(on_a_line(shifts=two, eligible=[[True, False], [False, True], [True, False]]))
    assert [(r.shift, set(r.visits)) for r in found.routes] == [(0, {0, 2})]
    assert (found.objective, found.status) == (180.0, Status.OPTIMAL)


def test_a_visit_for_several_shifts_is_refused():
    with pytest.raises(InputError, match="several shifts"):
        solve(on_a_line(shifts={"start_place": [0, 0], "begin_s": [0, 0], "end_s": [200, 200]}))


def test_progress_is_told():
    heard = []
    solve(on_a_line(), on_progress=lambda step, objective: heard.append((step, objective)))
    assert heard[-1] == ("exact", 80.0)


@pytest.mark.parametrize("seed", range(12))
def test_objective_and_status_against_brute_force(seed):
    rng = np.random.default_rng([seed, 2])
    problem = random_problem(rng, n_visits=3)
    values = np.where(problem.visits.required, 10_000.0, problem.visits.value)
    best, order = least(problem, values)
    found = solve(problem)
    must = set(np.flatnonzero(problem.visits.required).tolist())
    if not np.isfinite(best) or must - set(order):
        assert found.status is Status.INFEASIBLE
        return
    real = best + float(values.sum())
    assert found.required_missing == 0
    assert found.bound <= real + 1e-6
    assert found.objective >= real - 1e-6
    if not has_times_that_cost(problem):
        assert found.status is Status.OPTIMAL
        assert found.objective == pytest.approx(real)
