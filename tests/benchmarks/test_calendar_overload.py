"""What the overload benchmark says of intervals, against counting by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from benchmarks.calendar_overload import stretched

from territory import Alignment, Customers, Reps, schedule_visits


@pytest.mark.parametrize("overload", ["value", "stretch"])
def test_means_and_waits_are_those_counted_by_hand(overload):
    start = np.datetime64("2026-01-05")
    n = 12
    interval = [30.0, 60.0] * (n // 2)
    customers = Customers(
        id=[f"c{i}" for i in range(n)], lon=13.4 + 0.01 * np.arange(n), lat=[52.5] * n, owner=["R"] * n,
        visit_interval_days=interval, last_visit=start - (1 + np.arange(n)).astype("m8[D]"), service_s=[28_000.0] * n,
    )  # fmt: skip
    reps = Reps(id=["R"], lon=[13.4], lat=[52.5], shift=["Mo,Th 08:00-17:00"])
    alignment = Alignment.from_owners(customers, reps)
    plan = schedule_visits(customers, reps, alignment, start=start, weeks=13, overload=overload, iterations=500)
    found = stretched(plan)
    waits = {30.0: [], 60.0: []}
    forgotten = 0
    for i in range(n):
        days = sorted(str(d) for d, c in zip(plan.stops.day, plan.stops.customer_idx, strict=True) if c == i)
        times = [start - np.timedelta64(1 + i, "D"), *(np.datetime64(d) for d in days)]
        mine = [int((b - a).astype(int)) for a, b in itertools.pairwise(times)]
        waits[interval[i]] += mine
        longest = max([*mine, int((start + 91 - times[-1]).astype(int))])
        forgotten += longest > 1.5 * interval[i] * plan.settings.stretch.get("R", 1.0)
    assert found.mean == {c: pytest.approx(np.mean(w)) for c, w in waits.items()}
    assert found.ratio == pytest.approx(np.mean(waits[60.0]) / np.mean(waits[30.0]))
    assert found.starved == forgotten
    assert found.factors == (pytest.approx(plan.settings.stretch.get("R", 1.0)),)
