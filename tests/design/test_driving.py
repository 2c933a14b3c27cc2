"""Territories balanced by work and driving."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import (
    BasicUnits,
    Customers,
    DriveConstants,
    InfeasibleError,
    InputError,
    Reps,
    check_alignment,
    design_territories,
    design_with_driving,
)
from territory.design.work import WORK_AND_DRIVING, visit_work, work_and_driving
from territory.travel.estimate import drive_estimate, working_day_s


def town_and_country(seed=0, n=300, **columns):
    """Make half of the customers live in a town in the west, the others far apart."""
    rng = np.random.default_rng(seed)
    half = n // 2
    return Customers(
        id=[f"c{i}" for i in range(n)],
        lon=np.concatenate([rng.uniform(9.0, 9.2, half), rng.uniform(9.2, 12, n - half)]),
        lat=np.concatenate([rng.uniform(50.0, 50.2, half), rng.uniform(49.5, 50.7, n - half)]),
        **{
            "visit_interval_days": rng.choice([14.0, 28.0], n),
            "service_s": rng.integers(1200, 3600, n).astype(float),
            **columns,
        },
    )


def deviation(alignment, values, share=None):
    total = np.bincount(alignment.territory_idx, values, len(alignment))
    share = np.full(len(alignment), 1 / len(alignment)) if share is None else share
    return np.abs(total / (share * total.sum()) - 1).max()


def test_visits_and_their_length():
    customers = Customers(
        id=list("abc"), lon=[1, 2, 3], lat=[50] * 3, visit_interval_days=[7, 14, np.nan], service_s=[1800, 3600, 1800],
        workload_s=[1e5] * 3,
    )  # fmt: skip
    work, visits = visit_work(customers)
    assert work.tolist() == [1800.0, 1800.0, 0.0]
    assert visits.tolist() == [1.0, 0.5, 0.0]
    work, visits = visit_work(Customers(id=["a"], lon=[1], lat=[50], workload_s=[3600]))
    assert (work.tolist(), visits.tolist()) == ([3600.0], [2.0])
    with pytest.raises(InputError, match="missing-column"):
        visit_work(Customers(id=["a"], lon=[1], lat=[50]))


def test_the_measure_is_the_estimate_of_each_territory():
    customers = town_and_country()
    rng = np.random.default_rng(1)
    reps = Reps(
        id=["a", "b", "c"], lon=rng.uniform(9, 12, 3), lat=[50, 50.3, 50.1], speed_factor=[1.0, 1.25, 1.0],
        shift=["Mo-Fr 08:00-17:00", "Mo-We 09:00-15:00", "Mo-Fr 08:00-17:00"], break_s=[3600] * 3,
    )  # fmt: skip
    made = design_territories(customers, reps)
    constants = DriveConstants(local=0.8, haul=2.2)
    work, visits = visit_work(customers)
    each = work_and_driving(made, constants)
    whole = drive_estimate(
        customers.lon, customers.lat, made.territory_idx, reps.lon, reps.lat, service_s=customers.service_s,
        day_s=working_day_s(reps), visits_per_week=visits, constants=constants,
    )  # fmt: skip
    assert working_day_s(reps).tolist() == [28_800.0, 18_000.0, 28_800.0]
    expected = whole.week_s / [1.0, 1.25, 1.0] + np.bincount(made.territory_idx, work)
    assert np.bincount(made.territory_idx, each) == pytest.approx(expected)


def test_balanced_by_its_own_estimate_where_visit_hours_are_not():
    customers = town_and_country()
    work, _ = visit_work(customers)
    plain = design_territories(
        replace(customers, measures={"visits": work}), n_territories=6, balance={"visits": 0.05}
    )  # fmt: skip
    plain = replace(plain, customers=customers, balance={}, targets={})
    made = design_with_driving(customers, n_territories=6, balance=0.05)
    assert deviation(made, work_and_driving(made)) <= 0.05 + 1e-9
    assert deviation(plain, work_and_driving(plain)) > 0.15
    measure = made.customers.measures[WORK_AND_DRIVING]
    assert measure == pytest.approx(work_and_driving(made))
    assert made.balance == {WORK_AND_DRIVING: 0.05}
    assert made.targets[WORK_AND_DRIVING] == pytest.approx([measure.sum() / 6] * 6)
    assert check_alignment(made).ok
    assert 0 < made.bound <= made.objective
    assert made.report_dict()["parts"].tolist() == [1] * 6
    assert made.territory_id.tolist() == ["T1", "T2", "T3", "T4", "T5", "T6"]


def test_reps_get_their_shares():
    customers = town_and_country(2)
    rng = np.random.default_rng(2)
    reps = Reps(
        id=[f"R{j}" for j in range(5)], lon=rng.uniform(9, 12, 5), lat=rng.uniform(49.6, 50.6, 5),
        capacity_s=[144_000, 144_000, 144_000, 72_000, 72_000],
    )  # fmt: skip
    made = design_with_driving(customers, reps, balance={WORK_AND_DRIVING: 0.1, "count": 1.5})
    assert deviation(made, work_and_driving(made), reps.capacity_s / reps.capacity_s.sum()) <= 0.1 + 1e-9
    assert list(made.balance) == [WORK_AND_DRIVING, "count"]
    assert made.territory_id.tolist() == reps.id.tolist()
    assert made.reps is reps
    assert check_alignment(made).ok


def test_fewer_territories_than_reps():
    rng = np.random.default_rng(2)
    reps = Reps(id=[f"R{j}" for j in range(5)], lon=rng.uniform(9, 12, 5), lat=rng.uniform(49.6, 50.6, 5))
    made = design_with_driving(town_and_country(3, 120), reps, n_territories=3, balance=0.15)
    assert made.reps is reps
    assert len(set(made.rep_idx.tolist())) == 3
    assert deviation(made, work_and_driving(made)) <= 0.15 + 1e-9


def test_as_far_as_possible_where_nothing_is_asked():
    n = 40
    customers = town_and_country(4, n, owner=["R0"] * n, locked=[True] * 30 + [False] * 10)
    reps = Reps(id=["R0", "R1"], lon=[9.1, 11], lat=[50, 50])
    made = design_with_driving(customers, reps)
    assert made.balance[WORK_AND_DRIVING] > 0.1
    assert "balance-loose" in {p.code for p in made.diagnostics}
    assert check_alignment(made).ok
    with pytest.raises(InfeasibleError):
        design_with_driving(customers, reps, balance=0.1)


def test_too_few_rounds_are_said():
    with pytest.raises(InfeasibleError, match="more rounds"):
        design_with_driving(town_and_country(), n_territories=6, balance=0.01, rounds=1)


def test_whom_nobody_may_serve_counts_for_nobody():
    customers = town_and_country(5, 60, required_skills=["diving"] + [""] * 59)
    made = design_with_driving(customers, Reps(id=["R1", "R2"], lon=[9, 11], lat=[50, 50]), balance=0.2)
    assert made.territory_idx[0] == -1
    served = made.territory_idx >= 0
    total = made.customers.measures[WORK_AND_DRIVING][served].sum()
    assert made.targets[WORK_AND_DRIVING].sum() == pytest.approx(total)


def test_basic_units_and_no_contiguity():
    rng = np.random.default_rng(6)
    units = BasicUnits(
        id=[f"u{i}" for i in range(50)], lon=rng.uniform(9, 11, 50), lat=rng.uniform(50, 51, 50),
        workload_s=rng.integers(3600, 9000, 50),
    )  # fmt: skip
    made = design_with_driving(units, n_territories=4, contiguous=False, balance=0.1)
    assert not made.contiguous
    assert deviation(made, work_and_driving(made)) <= 0.1 + 1e-9


@given(st.integers(0, 50))
@settings(max_examples=5, deadline=None)
def test_rows_permuted_give_the_same_territories(seed):
    customers = town_and_country(seed, 60)
    order = np.random.default_rng(seed).permutation(60)
    one, two = (design_with_driving(c, n_territories=3, rounds=3, rng=seed) for c in (customers, customers.take(order)))
    assert (one.territory_idx[order] == two.territory_idx).all()
    assert one.objective == pytest.approx(two.objective)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"rounds": 0}, "bad-count"),
        ({"rounds": 2.5}, "bad-count"),
        ({"rounds": True}, "bad-count"),
        ({"time_limit_s": 0}, "bad-time-limit"),
        ({"time_limit_s": "long"}, "bad-time-limit"),
        ({"balance": 0}, "bad-tolerance"),
        ({"balance": {WORK_AND_DRIVING: float("nan")}}, "bad-tolerance"),
        ({"balance": "5 %"}, "bad-balance"),
        ({"balance": {"potential": 0.1}}, "unknown-measure"),
        ({"contiguous": "rook"}, "no-geometry"),
        ({"n_territories": 0}, "bad-count"),
    ],
)
def test_faults(options, code):
    with pytest.raises(InputError) as caught:
        design_with_driving(town_and_country(7, 20), **{"n_territories": 2, **options})
    assert code in caught.value.codes


def test_no_work_and_no_columns():
    never = Customers(id=["a", "b"], lon=[1, 2], lat=[50, 50], visit_interval_days=[np.nan, np.nan])
    with pytest.raises(InputError, match="no-workload"):
        design_with_driving(never, n_territories=1)
    with pytest.raises(InputError) as caught:
        design_with_driving(Customers(id=["a"], lon=[1], lat=[50]), n_territories=1, rounds=0, time_limit_s=-1)
    assert set(caught.value.codes) == {"missing-column", "bad-count", "bad-time-limit"}
