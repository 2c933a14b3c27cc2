"""A small town for plans by hand: one place further is 600 s, one rep lives in the middle."""

from __future__ import annotations

import numpy as np
import pytest

from territory import Customers, Reps, schedule_visits
from territory.travel import MatrixTravel

MONDAY = "2026-01-05"


@pytest.fixture(scope="session")
def town():
    """Make customers, one rep and travel on a line; `x` are places of customers, the rep lives at 0."""

    def make(x, *, rep=None, inf=(), **columns):
        n = len(x)
        customers = Customers(id=[f"c{i}" for i in range(n)], lon=[10 + v / 100 for v in x], lat=[50.0] * n, **columns)
        reps = Reps(id=["R1"], lon=[10.0], lat=[50.0], **(rep or {}))
        place = np.array([*x, 0.0])
        seconds = 600.0 * np.abs(place[:, None] - place[None, :])
        for i in inf:
            seconds[i, :], seconds[:, i] = np.inf, np.inf
        np.fill_diagonal(seconds, 0.0)
        return customers, reps, MatrixTravel(seconds, customer_ids=customers.id.tolist(), rep_ids=["R1"])

    return make


@pytest.fixture(scope="session")
def planned(town):
    """Plan a town; extra keywords beginning with `plan_` go to `schedule_visits`."""

    def make(x, *, weeks=1, start=MONDAY, **columns):
        options = {name[5:]: columns.pop(name) for name in list(columns) if name.startswith("plan_")}
        customers, reps, travel = town(x, **columns)
        return schedule_visits(
            customers, reps, start=start, weeks=weeks, travel=travel, **{"iterations": 30, **options}
        )

    return make


@pytest.fixture(scope="session")
def days_of():
    def days(plan, customer=0):
        return [str(d) for d in plan.stops.day[plan.stops.customer_idx == customer]]

    return days


@pytest.fixture(scope="session")
def reasons_of():
    def reasons(plan):
        return dict(zip(plan.unassigned.due.astype(str).tolist(), plan.unassigned.reason.tolist(), strict=True))

    return reasons
