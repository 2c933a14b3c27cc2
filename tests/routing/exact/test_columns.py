"""The bound for several shifts, against every way to spread few visits over few days."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from territory.routing.exact.columns import column_bound
from territory.routing.finish import finish
from territory.routing.layout import layout_of
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.routing.rhythm import chain_of

DAYS = 3
DAY_S = 1000


def month(rng, *, cadence):
    """Four visits and three days of one rep; with `cadence`, one with patterns and one with a rhythm."""
    n = 4
    at = rng.uniform(0, 60, (n + 1, 2))
    drive = np.ceil(np.hypot(*(at[:, None] - at[None, :]).transpose(2, 0, 1))).astype(int)
    windows = [None, [(DAY_S * d + 20, DAY_S * d + 90) for d in range(DAYS)], None, [(0, DAY_S + 100)]]
    more = {}
    if cadence:
        more = {
            "patterns": [[[0, 1], [0, 2], [1]], None, None, None], "pattern_cost": [[0.0, 2.0, 60.0], None, None, None],
            "first_high_day": [0, 0, 1, 0], "gap_low_days": [0, 0, 1, 0], "gap_high_days": [0, 0, 2, 0],
            "gap_days": [0, 0, 1, 0], "interval_days": [0, 0, 1.0, 0], "off_cost": [0, 0, 3.0, 0],
            "weekday_cost": [0, 0, 4.0, 0], "last_weekday": [-1, -1, 1, -1],
        }  # fmt: skip
    return RoutingProblem(
        durations_s=drive,
        visits=VisitArrays(
            place=np.arange(1, n + 1), service_s=rng.integers(5, 20, n), windows=windows,
            value=rng.integers(20, 150, n).astype(float), required=np.zeros(n, bool), **more,
        ),
        shifts=ShiftArrays(
            start_place=[0] * DAYS, begin_s=DAY_S * np.arange(DAYS), end_s=DAY_S * np.arange(DAYS) + 160,
            day=np.arange(DAYS), max_visits=[3] * DAYS, cost=[5.0] * DAYS, cost_per_drive_s=[1.0] * DAYS,
        ),
    )  # fmt: skip


def brute_force(problem, layout):
    """Return the least objective over all sets of days for each visit."""
    costs = {}
    for day in range(DAYS):
        for made in product((False, True), repeat=4):
            chosen = [v for v in range(4) if made[v]]
            orders = [finish(problem, layout, {day: o}) for o in permutations(chosen) if 0 < len(o) <= 3]
            drives = [f.terms["drive"] + f.terms["shifts"] for f in orders if f is not None]
            costs[day, made] = min(drives, default=np.inf) if chosen else 0.0
    best = np.inf
    subsets = list(product((False, True), repeat=DAYS))
    for days_of in product(subsets, repeat=4):
        if any(sum(days_of[v]) > 1 for v in (1, 3)):
            continue
        recurring = [layout.visit_i[v, 3] != 0 for v in (0, 2)]
        if any(sum(days_of[v]) > 1 and not again for v, again in zip((0, 2), recurring, strict=True)):
            continue
        total = sum(costs[d, tuple(days_of[v][d] for v in range(4))] for d in range(DAYS))
        if total < best:
            best = min(best, total + beside(problem, layout, days_of))
    return best


def beside(problem, layout, days_of):
    """Return what visits cost that are made on these days, beside the routes."""
    total = 0.0
    for v, made in enumerate(days_of):
        days = [d for d in range(DAYS) if made[d]]
        if layout.visit_i[v, 3] == 2:
            try:
                missed, off, weekdays = chain_of(layout, v, days)
            except ValueError:
                return np.inf
            total += off + weekdays + problem.visits.value[v] * len(missed)
        elif not days:
            total += problem.visits.value[v]
        elif layout.visit_i[v, 3] == 1:
            allowed = dict(zip(map(tuple, problem.visits.patterns[v]), problem.visits.pattern_cost[v], strict=True))
            total += allowed.get(tuple(days), np.inf)
    return total


@pytest.mark.parametrize("cadence", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_bound_is_below_every_solution_and_near_the_best(seed, cadence):
    problem = month(np.random.default_rng([seed, cadence]), cadence=cadence)
    layout = layout_of(problem)
    best = brute_force(problem, layout)
    found = column_bound(problem, layout, time_limit_s=60)
    assert found.proven
    assert found.bound <= best + 1e-6
    assert found.bound >= 0.85 * best
    assert column_bound(problem, layout, upper=best, time_limit_s=60).bound <= best + 1e-6
    early = column_bound(problem, layout, time_limit_s=60, max_rounds=1)
    assert early.bound <= found.bound + 1e-6


def test_routes_met_can_be_made():
    problem = month(np.random.default_rng(0), cadence=False)
    layout = layout_of(problem)
    found = column_bound(problem, layout, time_limit_s=60)
    assert found.routes
    for shift, order in found.routes:
        assert finish(problem, layout, {shift: order}) is not None
    again = column_bound(problem, layout, time_limit_s=60, routes={0: [o for _, o in found.routes]})
    assert again.bound == pytest.approx(found.bound, rel=1e-3)


def test_required_visits_that_nobody_can_make_leave_a_huge_bound():
    problem = month(np.random.default_rng(1), cadence=False).with_visits(
        required=[False, True, False, False], windows=[None, (), None, None]
    )
    found = column_bound(problem, layout_of(problem), time_limit_s=60)
    assert found.bound > 1000
