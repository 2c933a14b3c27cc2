"""Days of 20 and 30 possible visits, against a plain dynamic programme over sets that uses no bounds at all."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest

from territory.routing.exact import shift
from territory.routing.exact.shift import solve_shift
from territory.routing.layout import layout_of
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays

SERVICE_S = 30 * 60
HOURS = 3600


def rep_day(rng, n_visits, hours):
    """Visits in a square of 40 km at 60 km/h around home; a third have two hours."""
    xy = np.vstack([np.zeros(2), rng.uniform(-20, 20, (n_visits, 2))])
    drive = np.rint(np.hypot(*(xy[:, None] - xy[None, :]).transpose(2, 0, 1)) * 60).astype(int)
    close = int(hours * HOURS)
    opens = rng.integers(0, max(1, close - 2 * HOURS - SERVICE_S), n_visits)
    windows = [[(int(a), int(a) + 2 * HOURS)] if rng.random() < 0.3 else None for a in opens]
    return RoutingProblem(
        durations_s=drive,
        visits=VisitArrays(
            place=np.arange(1, n_visits + 1), service_s=np.full(n_visits, SERVICE_S), windows=windows,
            value=np.full(n_visits, 2.0 * close),
        ),
        shifts=ShiftArrays(start_place=[0], begin_s=[0], end_s=[close]),
    )  # fmt: skip


def plain_optimum(problem):
    """Return the least net cost, by sets of visits and last visit, keeping what is earliest and cheapest."""
    drive = problem.durations_s[0, 0].tolist()
    n = problem.n_visits
    close = int(problem.shifts.end_s[0])
    value = problem.visits.value.tolist()
    windows = [w[0] if w is not None else (0, close) for w in problem.visits.windows]
    layer = {(0, -1): [(0, 0.0)]}
    best = 0.0
    while layer:
        following = {}
        for (made, last), states in layer.items():
            for v in range(n):
                if made >> v & 1:
                    continue
                for t, cost in states:
                    start = max(t + drive[last + 1][v + 1], windows[v][0])
                    end = start + SERVICE_S
                    if start <= windows[v][1] and end + drive[v + 1][0] <= close:
                        spent = cost + drive[last + 1][v + 1] - value[v]
                        following.setdefault((made | 1 << v, v), []).append((end, spent))
                        best = min(best, spent + drive[v + 1][0])
        layer = {key: undominated(states) for key, states in following.items()}
    return best


def undominated(states):
    kept = []
    for t, cost in sorted(states):
        if not kept or cost < kept[-1][1]:
            kept.append((t, cost))
    return kept


@pytest.mark.parametrize(("n_visits", "hours"), [(12, 5.0), (20, 3.2), (30, 2.7)])
@pytest.mark.parametrize("seed", range(2))
def test_as_good_as_a_plain_programme(n_visits, hours, seed):
    problem = rep_day(np.random.default_rng([seed, n_visits]), n_visits, hours)
    answer = solve_shift(layout_of(problem), 0, values=problem.visits.value)
    assert answer.optimal
    assert answer.net == pytest.approx(plain_optimum(problem))


def test_a_whole_day_of_thirty_visits_is_proven():
    problem = rep_day(np.random.default_rng(5), 30, 8.0)
    layout, values = layout_of(problem), problem.visits.value
    answer = solve_shift(layout, 0, values=values)
    assert answer.optimal
    assert solve_shift(layout, 0, values=values, upper=answer.net).order is None
    assert solve_shift(layout, 0, values=values, upper=answer.net + 1).net == answer.net


def test_few_labels_leave_a_valid_bound():
    problem = rep_day(np.random.default_rng(6), 30, 8.0)
    layout, values = layout_of(problem), problem.visits.value
    best = solve_shift(layout, 0, values=values).net
    bounds = [solve_shift(layout, 0, values=values, max_labels=k).bound for k in (1, 10, 100, 1000, 2000)]
    assert all(b <= best for b in bounds)
    same = solve_shift(layout, 0, values=values, max_labels=1500)
    assert same == solve_shift(layout, 0, values=values, max_labels=1500)


def test_a_time_limit_is_kept():
    problem = rep_day(np.random.default_rng(7), 90, 30.0)
    layout = layout_of(problem)
    solve_shift(layout, 0, values=problem.visits.value, max_labels=10)
    begun = monotonic()
    answer = solve_shift(layout, 0, values=problem.visits.value, deadline_s=begun + 0.3, max_labels=1 << 60)
    assert monotonic() - begun < 1.0
    assert answer.bound <= answer.net


def test_more_visits_than_bits_in_a_word():
    problem = rep_day(np.random.default_rng(8), 130, 1.7)
    answer = solve_shift(layout_of(problem), 0, values=problem.visits.value)
    assert answer.optimal
    assert answer.net == pytest.approx(plain_optimum(problem))


@pytest.mark.parametrize(("n_visits", "hours"), [(9, 9.0), (12, 5.0)])
@pytest.mark.parametrize("seed", range(2))
def test_penalties_on_repeated_visits_keep_the_optimum(n_visits, hours, seed, monkeypatch):
    monkeypatch.setattr(shift, "MANY", 20)
    monkeypatch.setattr(shift, "MUCH", -1.0)
    problem = rep_day(np.random.default_rng([seed, n_visits]), n_visits, hours)
    answer = solve_shift(layout_of(problem), 0, values=problem.visits.value)
    assert answer.optimal
    assert answer.net == pytest.approx(plain_optimum(problem))
