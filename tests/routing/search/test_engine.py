"""The search: the same steps, the same answer; limits, and restarts in threads."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest

from territory.check import check_routing
from territory.model.enums import Status
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.routing.search import engine
from territory.routing.search.engine import solve


def made(n=40, n_shifts=3, seed=4):
    xy = np.random.default_rng(seed).integers(0, 3000, (n + 1, 2))
    return RoutingProblem(
        durations_s=np.abs(xy[:, None] - xy[None, :]).sum(axis=2),
        visits=VisitArrays(place=np.arange(1, n + 1), service_s=[600] * n, value=[5000.0] * n),
        shifts=ShiftArrays(start_place=[0] * n_shifts, begin_s=[0] * n_shifts, end_s=[20_000] * n_shifts),
    )


@pytest.mark.parametrize("slice_s", [0.002, 0.0005])
def test_the_clock_cuts_the_steps_but_does_not_change_them(monkeypatch, slice_s):
    usual = solve(made(), iterations=6000)
    monkeypatch.setattr(engine, "_SLICE_S", slice_s)
    again = solve(made(), iterations=6000)
    assert again.routes == usual.routes
    assert again.iterations == usual.iterations == 6000


def test_restarts_in_threads_give_one_answer():
    one, other = (solve(made(), iterations=3000, n_jobs=2) for _ in range(2))
    assert one.routes == other.routes
    assert one.iterations == 6000


def test_more_steps_and_a_start_never_make_it_worse():
    few = solve(made(), iterations=300)
    more = solve(made(), iterations=300, start=few, rng=1)
    assert more.objective <= few.objective
    assert check_routing(made(), more).ok


def test_a_time_limit_is_kept():
    began = monotonic()
    found = solve(made(), time_limit_s=0.3)
    assert monotonic() - began < 0.3 * 1.1 + 0.2
    assert found.status is Status.TIME_LIMIT


def test_routes_that_the_search_met_are_told():
    pool = []
    found = solve(made(), iterations=2000, pool=pool)
    cost = {(r.shift, r.visits): r.cost for r in pool}
    assert all((r.shift, r.visits) in cost for r in found.routes)
