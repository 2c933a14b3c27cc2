"""The estimate of driving, fitted to routes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import Customers, InputError, Reps, design_territories, fit_drive, schedule_visits
from territory.travel import DriveConstants, DriveSample, GreatCircle, Speeds, drive_error, drive_sample
from territory.travel.estimate import drive_estimate, local_s


def sample_of(seed=0, k=8, each=40, constants=None, noise=0.0):
    """Make territories of several sizes, driven as the estimate says with some constants, give or take."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(k, dtype=np.int32), each)
    size = rng.uniform(0.2, 1.2, k)
    n = len(of)
    sample = DriveSample(
        lon=2.0 * of + size[of] * rng.uniform(0, 1, n), lat=50 + size[of] * rng.uniform(0, 1, n), territory_idx=of,
        home_lon=2.0 * np.arange(k) + rng.uniform(-0.2, 0.5, k), home_lat=np.full(k, 50.2),
        service_s=rng.uniform(900, 3600, n), visits_per_week=rng.choice([0.25, 0.5, 1.0], n),
        day_s=np.full(k, 8 * 3600.0), routed_s=np.ones(k), area=rng.integers(0, 3, n),
    )  # fmt: skip
    driven = sample.estimate_s(constants) * np.exp(noise * rng.standard_normal(k))
    return replace(sample, routed_s=driven)


@given(st.floats(0.2, 2.0), st.floats(0.5, 3.0), st.integers(0, 20))
@settings(max_examples=12, deadline=None)
def test_constants_are_found_again(local, haul, seed):
    fit = fit_drive(sample_of(seed, constants=DriveConstants(local, haul)))
    assert fit.constants.local == pytest.approx(local, rel=0.01)
    assert fit.constants.haul == pytest.approx(haul, rel=0.01)
    assert fit.after.rms < 1e-3
    assert fit.n == 8


def test_it_is_the_least_squares_of_a_grid():
    sample = sample_of(3, constants=DriveConstants(0.9, 2.4), noise=0.1)
    fit = fit_drive(sample)
    grid = [
        drive_error(sample, DriveConstants(fit.constants.local * a, fit.constants.haul * b)).rms
        for a in (0.9, 0.97, 1.0, 1.03, 1.1)
        for b in (0.9, 0.97, 1.0, 1.03, 1.1)
    ]
    assert fit.after.rms <= min(grid) + 1e-6
    assert fit.after.rms < fit.before.rms


def test_errors_by_hand():
    sample = sample_of(1, k=2)
    estimate = sample.estimate_s()
    error = drive_error(replace(sample, routed_s=estimate * [2.0, 1.0]))
    mean = estimate @ [2.0, 1.0] / 2
    assert error.mean == pytest.approx(estimate[0] / 2 / mean)
    assert error.rms == pytest.approx(estimate[0] / np.sqrt(2) / mean)
    assert error.bias == pytest.approx(estimate.sum() / (2 * mean) - 1)
    assert error.largest == pytest.approx(0.5)
    assert drive_error(replace(sample, routed_s=estimate * [0.0, 1.0])).largest == float("inf")


def test_territories_taken_are_as_they_were():
    sample = sample_of(2, k=5)
    some = sample.take([3, 1])
    assert len(some) == 2
    assert some.estimate_s() == pytest.approx(sample.estimate_s()[[3, 1]])
    assert sample.take(np.arange(5) == 2).routed_s.tolist() == [sample.routed_s[2]]


def test_several_samples_are_one():
    constants = DriveConstants(0.7, 1.5)
    a, b = sample_of(4, constants=constants), replace(sample_of(5, constants=constants), area=None)
    b = replace(b, routed_s=b.estimate_s(constants))
    both = fit_drive([a, a]).constants
    one = fit_drive(a).constants
    assert (both.local, both.haul) == pytest.approx((one.local, one.haul), rel=1e-3)
    assert fit_drive([a, b]).n == 16


def test_speeds_are_taken_as_they_are():
    slow = GreatCircle(speeds_km_h=Speeds.constant(30))
    fit = fit_drive(sample_of(6, constants=DriveConstants(0.8, 2.0, slow)), travel=slow)
    assert fit.constants.travel is slow
    assert (fit.constants.local, fit.constants.haul) == pytest.approx((0.8, 2.0), rel=0.01)


def test_each_visit_adds_up_to_the_week():
    sample = sample_of(7)
    found = drive_estimate(
        sample.lon, sample.lat, np.where(np.arange(320) == 5, -1, sample.territory_idx), sample.home_lon,
        sample.home_lat, service_s=sample.service_s, day_s=sample.day_s, visits_per_week=sample.visits_per_week,
    )  # fmt: skip
    assert found.each_s[5] == 0.0
    week = np.bincount(sample.territory_idx, found.each_s * sample.visits_per_week)
    assert week == pytest.approx(found.week_s)
    near = local_s(sample.lon, sample.lat)
    # alone on the map, what is left of a visit is the way there and back
    assert (found.each_s[sample.territory_idx == 3] > near[sample.territory_idx == 3]).all()


def planned(n=60, speed=None):
    rng = np.random.default_rng(0)
    customers = Customers(
        id=[f"c{i}" for i in range(n)], lon=rng.uniform(10, 11, n), lat=rng.uniform(50, 50.6, n),
        visit_interval_days=rng.choice([7.0, 14.0], n), service_s=[1800.0] * n,
    )  # fmt: skip
    reps = Reps(id=["a", "b", "c", "idle"], lon=[10.2, 10.8, 10.5, 10.5], lat=[50.3] * 4, speed_factor=speed)
    made = design_territories(customers, reps.take([0, 1, 2]))
    made = replace(made, reps=reps)
    return schedule_visits(customers, reps, made, start="2026-01-05", weeks=2, iterations=50)


def test_a_plan_says_what_was_driven_and_visited():
    plan = planned()
    sample = drive_sample(plan)
    assert len(sample) == 3  # who visits nobody is no territory
    driven = [plan.routes.drive_s[plan.routes.rep_idx == j].sum() / 2 for j in range(3)]
    assert sample.routed_s.tolist() == driven
    assert sample.visits_per_week.sum() == len(plan.stops) / 2
    assert np.bincount(sample.territory_idx, sample.visits_per_week).tolist() == [
        (plan.stops.rep_idx == j).sum() / 2 for j in range(3)
    ]
    fit = fit_drive(plan)
    assert fit.after.rms <= fit.before.rms
    assert fit_drive([plan, sample]).n == 6
    fast = drive_sample(planned(speed=[2.0, 1.0, 1.0, 1.0]))
    assert fast.routed_s[0] > 0.8 * sample.routed_s[0]  # brought back to the usual speed


def test_faults():
    good = sample_of()
    values = {name: getattr(good, name) for name in ("lon", "lat", "territory_idx", "home_lon", "home_lat")}
    with pytest.raises(InputError) as caught:
        DriveSample(
            **values, service_s=np.full(3, 1.0), visits_per_week=np.full(320, np.nan), day_s=np.full(8, -1.0),
            routed_s=np.ones(8),
        )  # fmt: skip
    assert set(caught.value.codes) == {"wrong-shape", "not-finite", "negative"}
    with pytest.raises(InputError, match="unknown-territory"):
        replace(good, territory_idx=good.territory_idx + 1)
    for few in ([], good.take([0]), [good.take([0])]):
        with pytest.raises(InputError, match="too-few-territories"):
            fit_drive(few)
    with pytest.raises(InputError, match="no-driving"):
        fit_drive(replace(good, routed_s=np.zeros(8)))
    plan = planned()
    with pytest.raises(InputError, match="no-visits"):
        drive_sample(replace(plan, stops=plan.stops.take([]), routes=plan.routes.take([])))
