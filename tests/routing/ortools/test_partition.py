"""Recombination of a pool of routes, against all its combinations."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.routing.finish import finish, free_bounds
from territory.routing.layout import S_CLASS, V_LINKED, layout_of
from territory.routing.ortools import PoolRoute, recombine, solve
from territory.routing.ortools.plan import Plan
from territory.routing.ortools.pool import clean, pool_of
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays


def pool_from(layout, plan, rng, most=18):
    """Return random routes that fit, timed with random earliest starts of linked visits."""
    found = []
    n_visits, n_shifts = layout.service.shape
    for _ in range(40):
        s = int(rng.integers(n_shifts))
        size = int(rng.integers(1, 4))
        order = plan.locked[s] + [v for v in rng.permutation(n_visits).tolist() if v not in plan.locked[s]][:size]
        plan.bounds[:] = free_bounds(layout)
        for v in order:
            if layout.visit_i[v, V_LINKED]:
                plan.bounds[v, 0] = int(rng.choice([0, 100, 130, 250]))
        timed = plan.timed(s, order)
        if timed is not None and len(found) < most:
            found.append(PoolRoute(s, tuple(order), timed[0], tuple(timed[1])))
    return found


def best_by_force(problem, layout, pool):
    """Return the least (missing, objective) of all choices of routes, at most one a shift."""
    by_shift = [[None] for _ in range(problem.n_shifts)]
    for route in pool:
        for s in range(problem.n_shifts):
            # identical shifts may swap their routes
            if layout.shift_i[s, S_CLASS] == layout.shift_i[route.shift, S_CLASS]:
                by_shift[s].append(route)
    best = (10**9, np.inf)
    for choice in product(*by_shift):
        routes = {s: r for s, r in enumerate(choice) if r is not None}
        if any(locked and len(by_shift[s]) > 1 and s not in routes for s, locked in enumerate(problem.shifts.locked)):
            continue
        found = cost_of(problem, layout, routes)
        if found is not None:
            best = min(best, found)
    return best


def cost_of(problem, layout, routes):  # noqa: C901, PLR0912 - one rule after the other
    """Return (missing, objective) of routes, or None where they break a rule between shifts."""
    made = {}
    for s, route in routes.items():
        for v, t in zip(route.visits, route.starts, strict=True):
            made.setdefault(v, []).append((int(problem.shifts.day[s]), t, t + int(layout.service[v, s]), s))
    for v, times in made.items():
        days = sorted(d for d, *_ in times)
        if len(set(days)) < len(days):
            return None
        if problem.visits.patterned[v]:
            if days not in [sorted(p) for p in problem.visits.patterns[v]]:
                return None
        elif not problem.visits.rhythmic[v] and len(days) > 1:
            return None
    for a, b in problem.joint.tolist():
        if (a in made) != (b in made) or (a in made and made[a][0][1] != made[b][0][1]):
            return None
        if a in made and made[a][0][3] == made[b][0][3]:
            return None
    for (a, b), delay in zip(problem.precedence.tolist(), problem.precedence_delay_s.tolist(), strict=True):
        if b in made and (a not in made or made[b][0][1] < made[a][0][2] + delay):
            return None
    bounds = free_bounds(layout)
    for v, times in made.items():
        if layout.visit_i[v, V_LINKED]:
            bounds[v] = times[0][1]
    try:
        found = finish(problem, layout, {s: list(r.visits) for s, r in routes.items()}, bounds=bounds)
    except ValueError:  # no rhythm has these days
        return None
    return None if found is None else (found.required_missing, found.objective)


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_the_best_of_a_pool_is_found(random_problem, seed):
    rng = np.random.default_rng(seed)
    for k in range(20):
        problem = random_problem(seed + k)
        if problem.n_shifts <= 4 and problem.n_visits > 1:
            break
    else:
        return
    layout = layout_of(problem)
    pool = pool_from(layout, Plan(problem, layout), rng, most=5 if problem.n_shifts == 4 else 9)
    found = recombine(problem, layout, pool, rng=1)
    missing, objective = best_by_force(problem, layout, pool)
    if found is None:
        # nothing in the pool is worth its cost, or no choice keeps every rule
        assert not np.isfinite(objective) or not clean(layout, pool, (), 20_000)
        return
    assert found.proven
    assert (found.missing, found.cost) == (missing, pytest.approx(objective))
    answer = finish(problem, layout, found.orders, bounds=found.bounds)
    assert answer is not None
    assert (answer.required_missing, answer.objective) == (missing, pytest.approx(objective))


def test_crossed_routes_are_uncrossed(line, sound):
    problem = RoutingProblem(
        durations_s=line(0, 100, 110, -100, -110), visits=VisitArrays(place=[1, 2, 3, 4], value=[1000.0] * 4),
        shifts=ShiftArrays(start_place=[0, 0], begin_s=[0, 0], end_s=[500, 500]),
    )  # fmt: skip
    layout = layout_of(problem)
    plan = Plan(problem, layout)
    routes = [PoolRoute(0, r, *_timed(plan, r)) for r in [(0, 3), (2, 1), (0, 1), (2, 3), (0,), (1,), (3, 2)]]
    incumbent = [routes[0], routes[1]._replace(shift=1)]
    found = recombine(problem, layout, routes, incumbent=incumbent)
    assert found is not None
    assert found.proven
    assert sorted(sorted(r) for r in found.orders.values()) == [[0, 1], [2, 3]]
    answer = sound(problem, finish(problem, layout, found.orders, bounds=found.bounds))
    assert answer.objective == found.cost == 440
    best = pool_of(layout, answer)
    assert [r.cost for r in best] == [220.0, 220.0]
    assert recombine(problem, layout, routes, incumbent=best, work_limit=1.0) is None


def _timed(plan, order):
    cost, starts = plan.timed(0, list(order))
    return cost, tuple(starts)


def test_an_empty_pool_has_no_answer(line):
    problem = RoutingProblem(
        durations_s=line(0, 5), visits=VisitArrays(place=[1]),
        shifts=ShiftArrays(start_place=[0], begin_s=[0], end_s=[60]),
    )  # fmt: skip
    assert recombine(problem, layout_of(problem), []) is None


def test_cleaning_keeps_what_a_best_answer_may_need(line):
    problem = RoutingProblem(
        durations_s=line(0, 10, 20, 30), visits=VisitArrays(place=[1, 2, 3], value=[50.0, 50.0, 5.0]),
        shifts=ShiftArrays(start_place=[0, 0], begin_s=[0, 0], end_s=[500, 500]),
    )  # fmt: skip
    layout = layout_of(problem)
    plan = Plan(problem, layout)
    pool = [PoolRoute(s, r, *_timed(plan, r)) for s in (0, 1) for r in [(0, 1), (1, 0), (0, 1, 2), (2,)]]
    # one order of each set, the shifts being alike; visit 2 is worth less than the way
    assert {r.visits for r in clean(layout, pool, [], 100)} in ({(0, 1)}, {(1, 0)})
    assert len(clean(layout, pool, pool[2:4], 2)) == 2
    many = [PoolRoute(0, r, *_timed(plan, r)) for n in (1, 2) for r in combinations(range(2), n)]
    assert len(clean(layout, many, [], 2)) == 2


def test_a_recombined_answer_is_never_worse(random_problem, sound):
    for seed in range(6):
        problem = random_problem(seed)
        if len(problem.bucket_starts_s) > 1:
            continue
        layout = layout_of(problem)
        answers = [solve(problem, mode="descent", rng=k, layout=layout) for k in (0, 1)]
        pool = [route for answer in answers for route in pool_of(layout, answer)]
        found = recombine(problem, layout, pool, incumbent=pool_of(layout, answers[0]))
        if found is not None:
            answer = sound(problem, finish(problem, layout, found.orders, bounds=found.bounds))
            assert (answer.required_missing, answer.objective) < (answers[0].required_missing, answers[0].objective)
