"""What realignment refuses, with all that is wrong at once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from territory import Alignment, Customers, InputError, Reps, contiguity_graph, realign
from territory.testing import ascii_map


@pytest.fixture(scope="module")
def today():
    return ascii_map("AAAABBCC").alignment()


@pytest.fixture(scope="module")
def with_reps():
    drawn = ascii_map("AAAABBCC")
    c = drawn.customers
    owner = [drawn.letters[j] for j in drawn.expected]
    locked = np.array([i == 0 for i in range(8)])
    customers = Customers(id=c.id, lon=c.lon, lat=c.lat, owner=owner, locked=locked)
    reps = Reps(id=["A", "B", "C"], lon=[10.1, 10.4, 10.6], lat=[0.0, 0.0, 0.0])
    return Alignment.from_owners(customers, reps)


@pytest.mark.parametrize(("options", "code"), [
    ({"locked": ["nobody"]}, "unknown-id"),
    ({"locked": "r0c0"}, "not-a-list"),
    ({"locked": 5}, "not-a-list"),
    ({"remove": ["X"]}, "unknown-territory"),
    ({"remove": "A"}, "not-a-list"),
    ({"remove": ["A", "A"]}, "conflicting-changes"),
    ({"remove": ["A", "B", "C"]}, "no-territories"),
    ({"merge": [("A", "A")]}, "conflicting-changes"),
    ({"merge": [("A", "B"), ("B", "C")]}, "conflicting-changes"),
    ({"merge": ["AB"]}, "not-pairs"),
    ({"split": {"X": "Y"}}, "unknown-territory"),
    ({"split": {"A": "B"}}, "duplicate-id"),
    ({"split": {"A": 7}}, "bad-id"),
    ({"split": {"A": "A2"}, "remove": ["A"]}, "conflicting-changes"),
    ({"add": ["A"]}, "duplicate-id"),
    ({"add": [""]}, "bad-id"),
    ({"add": {"D": (500.0, 0.0)}}, "bad-place"),
    ({"add": {"D": "home"}}, "bad-place"),
    ({"successors": {"R1": "R2"}}, "unknown-rep"),
    ({"successors": ["R1"]}, "bad-successors"),
    ({"max_moved": -1}, "bad-cap"),
    ({"max_moved": 2.5}, "bad-cap"),
    ({"max_moved": float("nan")}, "bad-cap"),
    ({"max_moved": True}, "bad-cap"),
    ({"max_moved_share": -0.1}, "bad-cap"),
    ({"max_moved_share": 6.5}, "bad-cap"),
    ({"max_moved_share": float("nan")}, "bad-cap"),
    ({"change_cost": [float("nan")] * 8}, "bad-change-cost"),
    ({"change_cost": [-1.0] * 8}, "bad-change-cost"),
    ({"change_cost": [1.0] * 7}, "wrong-shape"),
    ({"change_cost": "tenure"}, "unknown-measure"),
    ({"change_cost": ["much"] * 8}, "bad-change-cost"),
    ({"balance": {}}, "bad-balance"),
    ({"balance": 0.05}, "bad-balance"),
    ({"balance": {"potential": 0.05}}, "unknown-measure"),
    ({"balance": {"count": -0.05}}, "bad-tolerance"),
    ({"balance": {"count": float("nan")}}, "bad-tolerance"),
    ({"time_limit_s": 0}, "bad-time-limit"),
    ({"time_limit_s": float("nan")}, "bad-time-limit"),
    ({"rng": -1}, "bad-rng"),
    ({"rng": float("inf")}, "bad-rng"),
    ({"contiguous": "roads"}, "unknown-option"),
])  # fmt: skip
def test_what_is_refused(today, options, code):
    with pytest.raises(InputError) as caught:
        realign(today, **options)
    assert code in caught.value.codes


def test_everything_wrong_is_told_at_once(today):
    with pytest.raises(InputError) as caught:
        realign(today, max_moved=-1, remove=["X"], rng=-3, change_cost=[np.inf] * 8, locked=["nobody"])
    assert set(caught.value.codes) == {"bad-cap", "unknown-territory", "bad-rng", "bad-change-cost", "unknown-id"}


def test_locks_in_a_territory_that_goes(with_reps):
    for options in ({"remove": ["A"]}, {"merge": [("B", "A")]}):
        with pytest.raises(InputError) as caught:
            realign(with_reps, **options)
        assert caught.value.codes == ("lock-conflict",)
    realign(with_reps, remove=["B"])


def test_the_only_rep_cannot_leave():
    customers = Customers(id=["a", "b"], lon=[10, 11], lat=[50, 50], owner=["R", "R"])
    before = Alignment.from_owners(customers, Reps(id=["R"], lon=[10], lat=[50]))
    with pytest.raises(InputError) as caught:
        realign(before, remove=["R"])
    assert caught.value.codes == ("no-territories",)


def test_reps_that_do_not_fit(with_reps):
    with pytest.raises(InputError) as caught:
        realign(with_reps, add=["Z"])
    assert caught.value.codes == ("unknown-rep",)
    with pytest.raises(InputError) as caught:
        realign(with_reps, successors={"A": "B"})
    assert caught.value.codes == ("rep-doubled",)
    with pytest.raises(InputError) as caught:
        realign(with_reps, successors={"A": "Z"})
    assert caught.value.codes == ("unknown-rep",)


def test_other_customers_than_those_of_the_alignment(today):
    strangers = Customers(id=["x", "y"], lon=[10, 11], lat=[0, 0])
    with pytest.raises(InputError) as caught:
        realign(today, customers=strangers)
    assert caught.value.codes == ("unknown-id",)
    drawn = ascii_map("AAAABBCC")
    given = drawn.alignment(graph=contiguity_graph(drawn.customers, _pairs(drawn)))
    with pytest.raises(InputError) as caught:
        realign(given, customers=drawn.customers.take(range(7)))
    assert caught.value.codes == ("wrong-shape",)


def _pairs(drawn):
    ids = drawn.customers.id.tolist()
    return list(itertools.pairwise(ids))


def test_points_that_there_are_not(today):
    found = realign(today, balance={"count": 0.5})
    for options in (
        {"point": 99},
        {"point": 0.5},
        {"moved_share": -1},
        {"balance": 0.001},
        {"point": 0, "balance": 0.1},
    ):
        with pytest.raises(InputError):
            found.at(**options)


def test_customers_in_no_territory_stay_in_none():
    drawn = ascii_map("AAAA..BB")
    found = realign(drawn.alignment(), balance={"count": 0.0})
    assert (found.labels[:, drawn.expected < 0] == -1).all()
    assert found.alignment.unassigned_reason == {4: "a dot on the map", 5: "a dot on the map"}
    assert np.bincount(found.alignment.territory_idx[found.alignment.territory_idx >= 0]).tolist() == [3, 3]
