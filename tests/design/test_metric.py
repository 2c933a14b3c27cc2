"""What users give for travel: what is read, and every fault told."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array, lil_matrix

from territory.design.given_legs import SparseLegs, TravelLegs
from territory.design.metric import read_metric, stranded
from territory.errors import InputError
from territory.model.places import PlaceKind, Places
from territory.travel import GreatCircle, MatrixTravel


def row_of(n, *, kind=PlaceKind.CUSTOMER, prefix="c"):
    return Places.of(kind, [f"{prefix}{i}" for i in range(n)], 9.0 + 0.1 * np.arange(n), np.full(n, 50.0))


def path(seconds):
    """Legs from each to the next."""
    n = len(seconds) + 1
    return coo_array((np.array(seconds, dtype=float), (np.arange(n - 1), np.arange(1, n))), shape=(n, n))


def everybody(n):
    return np.arange(n, dtype=np.int32)


def codes(travel, n=3, homes=None):
    with pytest.raises(InputError) as caught:
        read_metric(travel, row_of(n), homes)
    return caught.value.codes


def test_legs_are_known_both_ways_by_their_mean_rounded_up():
    legs = coo_array((np.array([59.2, 120.0, 80.0, np.inf]), ([0, 1, 2, 0], [1, 2, 1, 2])), shape=(3, 3))
    metric = read_metric(legs, row_of(3))
    assert isinstance(metric, SparseLegs)
    assert metric.between(everybody(3), everybody(3)).tolist() == [[0, 60, 160], [60, 0, 100], [160, 100, 0]]


def test_a_zero_that_is_stored_is_zero_seconds_and_what_is_not_is_unknown():
    metric = read_metric(path([0.0, 0.0, 30.0]), row_of(4))
    assert metric.between(everybody(4), everybody(4))[0].tolist() == [0, 0, 0, 30]
    apart = csr_array(([0.0, 50.0], ([0, 2], [1, 3])), shape=(4, 4))
    assert read_metric(apart, row_of(4)).between(everybody(4), everybody(4))[0].tolist() == [0, 0, np.inf, np.inf]


@pytest.mark.parametrize("make", [csr_array, coo_array, lil_matrix])
def test_any_format_of_scipy(make):
    metric = read_metric(make(path([60, 60]).toarray()), row_of(3))
    assert metric.between(everybody(3), everybody(3))[0].tolist() == [0, 60, 120]


def test_homes_stand_behind_the_customers():
    homes = row_of(1, kind=PlaceKind.REP, prefix="r")
    metric = read_metric(path([60, 60, 90]), row_of(3), homes)
    assert metric.between(np.array([3], dtype=np.int32), everybody(3)).tolist() == [[210, 150, 90]]
    # a matrix without homes will do as long as nobody asks for them
    assert read_metric(path([60, 60]), row_of(3), homes).n == 3
    travel = read_metric(GreatCircle(), row_of(3), homes)
    assert isinstance(travel, TravelLegs)
    assert travel.between(np.array([3], dtype=np.int32), everybody(3))[0, 0] == 0.0


def test_travel_both_ways():
    seconds = np.array([[0.0, 100.0, 50.0], [200.0, 0.0, np.inf], [50.0, 60.0, 0.0]])
    travel = MatrixTravel(seconds, customer_ids=["c0", "c1", "c2"])
    between = read_metric(travel, row_of(3)).between(everybody(3), everybody(3))
    assert between.tolist() == [[0, 150, 50], [150, 0, np.inf], [50, np.inf, 0]]


@pytest.mark.parametrize(
    ("travel", "expected"),
    [
        (path([60, 60, 60]), {"wrong-shape"}),
        (coo_array((2, 3)), {"wrong-shape"}),
        (path([np.nan, 60]), {"nan"}),
        (path([-1, 60]), {"negative"}),
        (path([3e9, 60]), {"overflow"}),
        (coo_array(([5.0, 1.0], ([0, 0], [0, 1])), shape=(3, 3)), {"diagonal"}),
        (coo_array((3, 3)), {"nothing-known"}),
        (path([np.inf, np.inf]), {"nothing-known"}),
        (coo_array(([0.0], ([1], [1])), shape=(3, 3)), {"nothing-known"}),
        (coo_array(([np.nan, -1.0, 5.0], ([0, 1, 2], [1, 2, 2])), shape=(3, 3)), {"nan", "negative", "diagonal"}),
        (path([1, 1]).astype(complex), {"not-numbers"}),
        (path([1, 1]).astype(bool), {"not-numbers"}),
        (np.zeros((3, 3)), {"not-travel"}),
        ("fast", {"not-travel"}),
        (None, {"not-travel"}),
        (MatrixTravel(np.zeros((1, 1)), customer_ids=["x"]), {"unknown-id"}),
        (MatrixTravel(np.where(np.eye(3) > 0, 0.0, np.inf), customer_ids=["c0", "c1", "c2"]), {"nothing-known"}),
    ],
)
def test_faults(travel, expected):
    assert set(codes(travel)) == expected


def test_a_rep_whom_the_source_does_not_know():
    travel = MatrixTravel(np.ones((3, 3)) - np.eye(3), customer_ids=["c0", "c1", "c2"])
    assert codes(travel, homes=row_of(2, kind=PlaceKind.REP, prefix="r")) == ("unknown-id",)


def test_hints_name_the_way_out():
    with pytest.raises(InputError, match=r"csr_array"):
        read_metric(np.zeros((3, 3)), row_of(3))
    with pytest.raises(InputError, match=r"\(5, 5\) with the reps' homes"):
        read_metric(coo_array((4, 4)), row_of(3), row_of(2, kind=PlaceKind.REP, prefix="r"))


def test_stranded_are_those_too_light_for_a_territory():
    legs = csr_array(([60.0] * 4, ([0, 1, 3, 5], [1, 2, 4, 6])), shape=(8, 8))
    metric = read_metric(legs, row_of(8))
    assert stranded(metric, np.ones(8), 3.0, 2).tolist() == [3, 4, 5, 6, 7]
    assert stranded(metric, np.ones(8), 2.0, 2).tolist() == [7]
    assert stranded(metric, np.ones(8), 0.0, 2).tolist() == []
    # where nothing is heavy enough, the heaviest part is kept
    assert stranded(metric, np.ones(8), 5.0, 2).tolist() == [3, 4, 5, 6, 7]
    seconds = metric.between(everybody(8), everybody(8))
    dense = read_metric(MatrixTravel(seconds, customer_ids=[f"c{i}" for i in range(8)]), row_of(8))
    assert stranded(dense, np.ones(8), 3.0, 2).tolist() == [3, 4, 5, 6, 7]


def test_one_customer_needs_no_legs():
    assert read_metric(csr_array((1, 1)), row_of(1)).between(everybody(1), everybody(1)).tolist() == [[0.0]]
    assert read_metric(GreatCircle(), row_of(1)).n == 1
