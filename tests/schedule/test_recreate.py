"""Ruin and recreate: chains and routes stay in step, and the best plan comes back."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest

from territory import PlanSettings
from territory.routing.desk import Desk
from territory.schedule.chains import Rhythm
from territory.schedule.month import Month
from territory.schedule.recreate import ruin_and_recreate


@pytest.mark.parametrize("seed", range(4))
def test_chains_and_routes_stay_in_step_and_nothing_gets_worse(town, seed):
    rng = np.random.default_rng(seed)
    n = 18
    customers, reps, travel = town(rng.integers(-10, 11, n).tolist(), service_s=rng.choice([1800.0, 7200.0], n))
    settings = PlanSettings(np.datetime64("2026-01-05"), 14, [], travel=travel.fingerprint)
    desk = Desk(customers, reps, 0, np.arange(n, dtype=np.int32), settings, travel)
    rhythms = [Rhythm(14, 7.0, 0, 6, 0, 5, 8) if i % 2 else Rhythm(14, 14.0, 0, 13, 0, 11, 17) for i in range(n)]
    month, chains = Month(desk), {}
    for v in range(n):
        chains[v], position = month.place(v, rhythms[v])
        month.put(v, chains[v], position)

    def value():
        return sum(month.length(d) for d in month.routes) + sum(c.penalty for c in chains.values())

    before = value()
    assert ruin_and_recreate(month, rhythms, chains, 80, np.random.default_rng(seed), monotonic() + 60)
    assert value() <= before + 1e-6
    for v, chain in chains.items():
        assert sorted(d for d, route in month.routes.items() if v in route) == sorted(chain.planned)
    for d, route in month.routes.items():
        assert len(set(route)) == len(route), d
