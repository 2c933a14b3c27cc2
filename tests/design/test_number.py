"""How many territories: bounds, proofs and the curve."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import (
    Customers,
    DriveConstants,
    InfeasibleError,
    InputError,
    Reps,
    check_alignment,
    design_territories,
    least_territories,
    territory_curve,
)
from territory.design.number import packing_bound
from territory.design.work import visit_work, work_and_driving


def line(*work, **columns):
    n = len(work)
    return Customers(
        id=[f"c{i}" for i in range(n)], lon=10.0 + np.arange(n), lat=[50.0] * n, workload_s=list(work), **columns
    )


def scattered(seed, n, **columns):
    rng = np.random.default_rng(seed)
    return Customers(
        id=[f"c{i}" for i in range(n)], lon=rng.uniform(8, 12, n), lat=rng.uniform(48, 52, n),
        workload_s=rng.integers(600, 7200, n), **columns,
    )  # fmt: skip


def bins_needed(weights, capacity):
    """Pack by brute force: the least number of bins."""
    items = sorted((w for w in weights if w > 0), reverse=True)

    def fits(at, rooms):
        if at == len(items):
            return True
        tried = set()
        for b, room in enumerate(rooms):
            if items[at] <= room and room not in tried:
                tried.add(room)
                if fits(at + 1, (*rooms[:b], room - items[at], *rooms[b + 1 :])):
                    return True
        return False

    return next(k for k in itertools.count() if fits(0, (capacity,) * k))


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8), st.integers(20, 40))
@settings(max_examples=200, deadline=None)
def test_the_bound_of_packing_is_one(weights, capacity):
    bound = packing_bound(np.array(weights, dtype=float), float(capacity))
    assert bound <= bins_needed(weights, capacity)
    assert bound >= int(np.ceil(sum(weights) / capacity - 1e-9))
    assert bound >= sum(2 * w > capacity for w in weights)


@pytest.mark.parametrize(
    ("weights", "capacity", "bound"),
    [([6, 6, 6], 10, 3), ([5, 5, 5, 5], 10, 2), ([7, 7, 4, 4], 10, 3), ([0, 0], 10, 0), ([10, 10, 0.1], 10, 3)],
)
def test_bounds_by_hand(weights, capacity, bound):
    assert packing_bound(np.array(weights, dtype=float), capacity) == bound


@given(st.lists(st.integers(1, 9), min_size=2, max_size=7), st.integers(9, 14))
@settings(max_examples=15, deadline=None)
def test_the_least_number_against_brute_force(weights, capacity):
    # without contiguity territories are bins
    customers = line(*(600 * w for w in weights))
    needed = bins_needed(weights, capacity)
    found = least_territories(customers, capacity={"workload_s": 600.0 * capacity}, contiguous=False)
    assert found.lower_bound <= needed <= found.n_territories
    assert found.alignment.totals("workload_s").max() <= 600 * capacity
    assert found.proven == (found.n_territories == found.lower_bound)
    assert set(found.tried) == set(range(found.lower_bound, found.n_territories))


def test_too_much_in_all():
    customers = scattered(0, 120)
    limit = customers.workload_s.sum() / 6.8
    found = least_territories(customers, capacity={"workload_s": limit})
    assert (found.n_territories, found.proven, found.proof.code) == (7, True, "capacity-total")
    assert found.alignment.totals("workload_s").max() <= limit
    assert check_alignment(found.alignment).ok
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own
    assert again.n_territories == 7
    assert repr(again).startswith("<LeastTerritories: 7, proven; ")


def test_big_customers_leave_no_room():
    found = least_territories(line(6000, 6000, 6000, 600), capacity={"workload_s": 10_000})
    assert (found.n_territories, found.lower_bound, found.proof.code) == (3, 3, "capacity-big-customers")
    assert "c0, c1, c2" in str(found.proof)


def test_islands_need_their_own():
    customers = Customers(id=list("abcdef"), lon=[1, 1.1, 20, 20.1, 40, 40.1], lat=[50] * 6, workload_s=[600] * 6)
    pairs = [("a", "b"), ("c", "d"), ("e", "f")]
    found = least_territories(customers, capacity={"workload_s": 3600}, contiguous=pairs)
    assert (found.n_territories, found.proven, found.proof.code) == (3, True, "capacity-islands")
    assert (
        least_territories(customers, capacity={"workload_s": 3600}, contiguous=pairs, islands="parts").lower_bound == 1
    )


def test_what_contiguity_forbids_was_not_found_and_is_no_proof():
    # the two heavy ones in the middle part the light ones: connected, two territories would do only by 6 and 6
    customers = line(3600, 3000, 600, 3000, 3600)
    pairs = [(f"c{i}", f"c{i + 1}") for i in range(4)]
    found = least_territories(customers, capacity={"workload_s": 6900}, contiguous=pairs)
    assert (found.lower_bound, found.n_territories, found.proven) == (2, 3, False)
    assert list(found.tried) == [2]
    assert "3, at least 2" in repr(found)
    assert found.tried[2]
    loose = least_territories(customers, capacity={"workload_s": 7200}, contiguous=pairs)
    assert (loose.n_territories, loose.proven) == (2, True)


def test_several_measures_bind_together():
    customers = scattered(1, 100, measures={"potential": np.random.default_rng(2).lognormal(0, 0.5, 100)})
    total = customers.measures["potential"].sum()
    found = least_territories(
        customers, capacity={"workload_s": customers.workload_s.sum() / 2.5, "potential": total / 4.6}
    )
    assert found.lower_bound == 5
    assert found.proof.column == "potential"
    assert found.alignment.totals("potential").max() <= total / 4.6
    assert found.alignment.totals("workload_s").max() <= customers.workload_s.sum() / 2.5


def test_a_customer_above_capacity_is_named():
    with pytest.raises(InfeasibleError, match="c1") as caught:
        least_territories(line(600, 9000, 600), capacity={"workload_s": 3600})
    assert caught.value.reasons[0].code == "customer-over-capacity"
    assert caught.value.reasons[0].rows == (1,)


def test_a_ceiling_below_the_bound_and_one_below_what_is_found():
    with pytest.raises(InfeasibleError, match="5 territories at least"):
        least_territories(line(*[600] * 10), capacity={"workload_s": 1200}, most=4)
    pairs = [(f"c{i}", f"c{i + 1}") for i in range(4)]
    with pytest.raises(InfeasibleError, match="not-found"):
        least_territories(line(3600, 3000, 600, 3000, 3600), capacity={"workload_s": 6900}, most=2, contiguous=pairs)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"capacity": {}}, "bad-capacity"),
        ({"capacity": 3600}, "bad-capacity"),
        ({"capacity": {"workload_s": 0}}, "bad-capacity"),
        ({"capacity": {"workload_s": float("nan")}}, "bad-capacity"),
        ({"capacity": {"workload_s": "10"}}, "bad-capacity"),
        ({"capacity": {"potential": 10}}, "unknown-measure"),
        ({"capacity": {"count": 2}, "most": 0}, "bad-count"),
        ({"capacity": {"count": 2}, "most": 1.5}, "bad-count"),
        ({"capacity": {"count": 2}, "balance": {}}, "unknown-option"),
        ({"capacity": {"count": 2}, "islands": "swim"}, "unknown-option"),
    ],
)
def test_faults_of_least(options, code):
    with pytest.raises(InputError) as caught:
        least_territories(line(600, 600, 600), **options)
    assert code in caught.value.codes


def test_nobody_to_share_out():
    with pytest.raises(InputError, match="no-customers"):
        least_territories(line(), capacity={"count": 2})


# -- the curve -----------------------------------------------------------------------------


def test_the_curve_says_what_each_number_means():
    customers = scattered(
        3, 150, visit_interval_days=np.random.default_rng(3).choice([7.0, 14.0], 150), service_s=[1800.0] * 150
    )
    constants = DriveConstants(local=0.9)
    curve = territory_curve(customers, n_territories=range(3, 9), constants=constants, balance={"count": 0.1})
    found = curve.to_dict()
    assert found["n_territories"].tolist() == [3, 4, 5, 6, 7, 8]
    assert (found["max_deviation"] <= 0.1 + 1e-9).all()
    assert (found["bound_km2"] <= found["objective_km2"]).all()
    assert found["objective_km2"][-1] < found["objective_km2"][0]  # more territories are smaller
    made = curve.alignment(5)
    assert made.territory_idx.tolist() == design_territories(
        customers, n_territories=5, balance={"count": 0.1}
    ).territory_idx.tolist()  # fmt: skip
    hours = np.bincount(made.territory_idx, work_and_driving(made, constants)) / 3600
    assert found["hours_most"][2] == pytest.approx(hours.max())
    assert found["hours_mean"][2] == pytest.approx(hours.mean())
    work = visit_work(customers)[0].sum() / 3600
    assert found["drive_h_week"] == pytest.approx(found["hours_mean"] * found["n_territories"] - work)
    assert len(curve.to_frame()) == len(curve) == 6
    assert "6 of 6" in repr(curve)


def test_numbers_without_an_alignment_say_why():
    curve = territory_curve(line(*[600] * 6), n_territories=[4, 3], balance={"count": 0.1})
    found = curve.to_dict()
    assert found["status"].tolist() == ["infeasible", "feasible"]
    assert found["reason"][0]
    assert found["reason"][1] == ""
    assert np.isnan(found["objective_km2"]).tolist() == [True, False]
    with pytest.raises(InfeasibleError, match="no 4 territories"):
        curve.alignment(4)
    with pytest.raises(InputError, match="none of 4, 3"):
        curve.alignment(5)


def test_without_visits_there_are_no_hours():
    customers = Customers(id=list("abcd"), lon=[1, 2, 3, 4], lat=[50] * 4)
    found = territory_curve(customers, n_territories=[2]).to_dict()
    assert np.isnan(found["hours_mean"]).all()
    assert (found["drive_h_round"] > 0).all()


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ([], "bad-count"),
        ([0, 1], "bad-count"),
        ([1.5], "bad-count"),
        (["2"], "bad-count"),
        ([2, 2], "bad-count"),
        ([3, 7], "too-many-territories"),
        ([3], "too-few-reps"),
        (True, "bad-count"),
    ],
)
def test_faults_of_the_curve(numbers, code):
    reps = Reps(id=["R1", "R2"], lon=[10, 11], lat=[50, 50])
    with pytest.raises(InputError) as caught:
        territory_curve(line(*[600] * 6), reps, n_territories=numbers)
    assert code in caught.value.codes
