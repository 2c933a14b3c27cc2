"""The whole job in one call."""

from __future__ import annotations

import numpy as np
import pytest

from territory import Customers, InfeasibleError, InputError, Reps, check_alignment, check_plan, plan
from territory.datasets import REFERENCE_DAY, load_germany


@pytest.fixture(scope="module")
def sample():
    customers, reps = load_germany(n_reps=60)
    rng = np.random.default_rng(0)
    names = ("visit_interval_days", "early_days", "late_days", "last_visit", "service_s", "opening_hours", "timezone")
    some = customers.take(np.sort(rng.choice(len(customers), 200, replace=False)))
    # without today's owners, who are mostly not among the four
    loose = Customers(id=some.id, lon=some.lon, lat=some.lat, **{name: getattr(some, name) for name in names})
    return loose, reps.take(np.arange(0, 60, 15))


def test_two_hundred_places_and_four_reps(sample):
    customers, reps = sample
    made = plan(customers, reps, start=REFERENCE_DAY, iterations=50)
    assert check_plan(made).ok
    assert made.alignment is not None
    assert check_alignment(made.alignment).ok
    assert len(made.stops) > 40
    assert set(made.trace) == {"territories", "visits and routes"}
    assert all(d for d in made.unassigned.detail.tolist())
    again = plan(customers, reps, start=REFERENCE_DAY, iterations=50)
    assert made.stops.start.tolist() == again.stops.start.tolist()


def test_an_alignment_is_kept(sample):
    customers, reps = sample
    first = plan(customers, reps, start=REFERENCE_DAY, weeks=1, iterations=0)
    second = plan(customers, reps, start=REFERENCE_DAY, weeks=1, iterations=0, alignment=first.alignment)
    assert second.alignment is first.alignment
    assert list(second.trace) == ["visits and routes"]


def test_problems_of_every_step_are_found_before_the_first(sample):
    customers, reps = sample
    said = []
    with pytest.raises(InputError) as caught:
        plan(customers, reps, start="x", weeks=0, time_limit_s=-1, iterations=-1, on_progress=lambda *a: said.append(a))
    assert set(caught.value.codes) == {"not-a-date", "empty-horizon", "bad-time-limit", "bad-iterations"}
    assert not said
    with pytest.raises(TypeError):
        plan(customers, reps, start="2026-01-05", wekks=3, on_progress=lambda *a: said.append(a))
    assert not said


def test_holidays_may_come_from_an_iterator():
    customers = Customers(id=["a"], lon=[10], lat=[50])
    reps = Reps(id=["R"], lon=[10], lat=[50])
    made = plan(customers, reps, start="2026-01-05", weeks=1, holidays=(f"2026-01-{d:02d}" for d in range(5, 9)))
    assert made.stops.day.astype(str).tolist() == ["2026-01-09"]


def test_a_balance_that_cannot_be_is_infeasible():
    customers = Customers(id=["a", "b", "c"], lon=[10, 11, 12], lat=[50] * 3)
    with pytest.raises(InfeasibleError):
        plan(customers, Reps(id=["R", "S"], lon=[10, 12], lat=[50] * 2), start="2026-01-05", balance={"count": 0.1})


def test_interrupts_pass_through(sample):
    customers, reps = sample

    def stop(_step, _share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan(customers, reps, start=REFERENCE_DAY, on_progress=stop)
