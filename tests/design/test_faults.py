"""Faults of the input that concern territories, one test each, named after what users expect."""

from __future__ import annotations

import numpy as np
import pytest

from territory import Customers, InfeasibleError, InputError, Reps, check_alignment, design_territories


def line(n, **columns):
    return Customers(id=[f"c{i}" for i in range(n)], lon=10.0 + np.arange(n), lat=[50.0] * n, **columns)


def reps(*lon, **columns):
    return Reps(id=[f"R{j}" for j in range(len(lon))], lon=list(lon), lat=[50.0] * len(lon), **columns)


def refused(code, *args, **options):
    with pytest.raises(InputError) as caught:
        design_territories(*args, **options)
    assert code in caught.value.codes


def test_empty_table_when_solving():
    refused("no-customers", line(0), n_territories=1)


def test_some_workload_zero_is_all_right():
    made = design_territories(line(6, workload_s=[0, 3600, 0, 3600, 0, 3600]), n_territories=3)
    assert (made.territory_idx >= 0).all()
    assert made.totals("workload_s").tolist() == [3600.0] * 3


def test_one_customer_above_every_capacity_is_named():
    customers = line(3, workload_s=[90_000, 3600, 3600])
    with pytest.raises(InfeasibleError, match="c0"):
        design_territories(customers, reps(10, 12), balance={"workload_s": 0.1})
    # without a hard limit the answer says what was reached
    assert design_territories(customers, reps(10, 12)).balance["workload_s"] > 0.5


@pytest.mark.parametrize("k", [0, -3, 2.0, 2.5, "2", True])
def test_k_zero_negative_or_fractional(k):
    refused("bad-count", line(4), n_territories=k)


def test_k_above_n():
    refused("too-many-territories", line(2), n_territories=3)


def test_fewer_reps_than_k():
    refused("too-few-reps", line(5), reps(10, 11), n_territories=3)


def test_k_1_is_all_right():
    made = design_territories(line(5), n_territories=1, balance={"count": 0.0})
    assert made.territory_idx.tolist() == [0] * 5


def test_balance_impossible_with_the_least_deviation_possible():
    customers = line(4, owner=["R0"] * 4, locked=[True, True, True, False])
    with pytest.raises(InfeasibleError, match="least deviation possible is 50"):
        design_territories(customers, reps(10, 13), balance={"count": 0.2})


def test_conflicting_locks():
    customers = line(2, owner=["R0", ""], locked=[True, False], required_skills=["fire", ""])
    refused("lock-conflict", customers, reps(10, 11))


def test_lock_to_an_unknown_rep():
    refused("lock-to-unknown-rep", line(2, owner=["R9", ""], locked=[True, False]), reps(10, 11))


def test_islands_are_joined_over_the_water():
    west, east = np.arange(10.0, 10.5, 0.1), np.arange(40.0, 40.5, 0.1)
    customers = Customers(id=[f"c{i}" for i in range(10)], lon=[*west, *east], lat=[50, 50.1] * 5)
    made = design_territories(customers, n_territories=3, balance={"count": 0.3})
    assert check_alignment(made).ok


@pytest.mark.parametrize("limit", [0, -1.0, float("nan"), None])
def test_time_limit_not_above_zero_or_nan(limit):
    refused("bad-time-limit", line(2), n_territories=1, time_limit_s=limit)


@pytest.mark.parametrize("rng", [-1, 0.5, "seed", True])
def test_bad_rng(rng):
    refused("bad-rng", line(2), n_territories=1, rng=rng)


def test_all_coincident_and_all_collinear_are_all_right():
    spot = Customers(id=list("abcd"), lon=[10] * 4, lat=[50] * 4)
    for customers in (spot, line(4)):
        assert np.bincount(design_territories(customers, n_territories=2).territory_idx).tolist() == [2, 2]


def test_row_order_permuted_gives_the_same_territories_up_to_labels():
    rng = np.random.default_rng(0)
    customers = Customers(id=[f"c{i}" for i in range(80)], lon=rng.uniform(8, 12, 80), lat=rng.uniform(48, 52, 80))
    order = rng.permutation(80)
    one, two = (design_territories(c, n_territories=6, rng=4) for c in (customers, customers.take(order)))
    assert (one.territory_idx[order] == two.territory_idx).all()
    assert one.objective == two.objective
