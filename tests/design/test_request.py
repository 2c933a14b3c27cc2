"""Parameters of territory design: what is refused, and how."""

from __future__ import annotations

import numpy as np
import pytest

from territory import Customers, InputError, Reps, design_territories

FOUR = Customers(id=["a", "b", "c", "d"], lon=[0, 0, 9, 9], lat=[50, 50.1, 50, 50.1])
TWO = Reps(id=["R1", "R2"], lon=[0, 9], lat=[50, 50])


def codes(customers=FOUR, reps=None, **options):
    with pytest.raises(InputError) as caught:
        design_territories(customers, reps, **options)
    return set(caught.value.codes)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"n_territories": 0}, "bad-count"),
        ({"n_territories": -1}, "bad-count"),
        ({"n_territories": 2.5}, "bad-count"),
        ({"n_territories": True}, "bad-count"),
        ({"n_territories": 5}, "too-many-territories"),
        ({"n_territories": 3, "reps": TWO}, "too-few-reps"),
        ({}, "missing-parameter"),
        ({"n_territories": 2, "balance": {}}, "bad-balance"),
        ({"n_territories": 2, "balance": 0.05}, "bad-balance"),
        ({"n_territories": 2, "balance": {"count": -0.1}}, "bad-tolerance"),
        ({"n_territories": 2, "balance": {"count": float("nan")}}, "bad-tolerance"),
        ({"n_territories": 2, "balance": {"count": "5 %"}}, "bad-tolerance"),
        ({"n_territories": 2, "balance": {"turnover": 0.1}}, "unknown-measure"),
        ({"n_territories": 2, "time_limit_s": 0}, "bad-time-limit"),
        ({"n_territories": 2, "time_limit_s": -1}, "bad-time-limit"),
        ({"n_territories": 2, "time_limit_s": float("nan")}, "bad-time-limit"),
        ({"n_territories": 2, "time_limit_s": "soon"}, "bad-time-limit"),
        ({"n_territories": 2, "rng": "x"}, "bad-rng"),
        ({"n_territories": 2, "rng": -1}, "bad-rng"),
        ({"n_territories": 2, "rng": True}, "bad-rng"),
        ({"n_territories": 2, "centers": "middle"}, "unknown-option"),
        ({"n_territories": 2, "centers": ["homes"]}, "unknown-option"),
        ({"n_territories": 2, "centers": "homes"}, "missing-reps"),
    ],
)
def test_bad_parameters(options, code):
    assert code in codes(**options)


def test_all_problems_are_reported_together():
    assert codes(n_territories=9, balance={"count": -1, "x": 0.1}, time_limit_s=0, rng=-1) == {
        "too-many-territories", "bad-tolerance", "unknown-measure", "bad-time-limit", "bad-rng",
    }  # fmt: skip


def test_empty_tables():
    nobody = Customers(id=[], lon=[], lat=[])
    assert "no-customers" in codes(nobody, n_territories=1)
    assert "no-reps" in codes(reps=Reps(id=[], lon=[], lat=[]))


def test_a_measure_that_is_zero_for_everybody():
    silent = Customers(id=["a", "b"], lon=[0, 1], lat=[50, 50], service_s=[0, 0], visit_interval_days=[7, 7])
    assert codes(silent, n_territories=1, balance={"workload_s": 0.1}) == {"no-measure"}
    # where nobody asked for it, customers are counted instead
    assert list(design_territories(silent, n_territories=2).balance) == ["count"]


def test_locks_need_reps_whom_the_table_knows():
    locked = Customers(id=["a", "b"], lon=[0, 1], lat=[50, 50], owner=["R1", "R9"], locked=[True, True])
    assert codes(locked, n_territories=1) == {"locks-without-reps"}
    assert codes(locked, TWO) == {"lock-to-unknown-rep"}


def test_a_lock_to_an_owner_who_lacks_a_skill_is_a_conflict():
    locked = Customers(
        id=["a", "b"], lon=[0, 9], lat=[50, 50], owner=["R1", "R2"], locked=[True, False], required_skills=["fire", ""]
    )
    reps = Reps(id=["R1", "R2"], lon=[0, 9], lat=[50, 50], skills=["", "fire"])
    with pytest.raises(InputError, match="'R1'") as caught:
        design_territories(locked, reps)
    assert caught.value.codes == ("lock-conflict",) or list(caught.value.codes) == ["lock-conflict"]


def test_reps_without_capacity_are_refused():
    reps = Reps(id=["R1", "R2"], lon=[0, 9], lat=[50, 50], capacity_s=[0, 144_000])
    assert "no-capacity" in codes(reps=reps)


def test_fewer_territories_than_reps_need_customers_who_do_not_mind():
    picky = Customers(id=["a", "b"], lon=[0, 9], lat=[50, 50], forbidden_reps=["R1", ""])
    assert codes(picky, TWO, n_territories=1) == {"too-many-reps"}
    made = design_territories(FOUR, Reps(id=["x", "y", "z"], lon=[50, 9, 0], lat=[0, 50, 50]), n_territories=2)
    assert set(np.array(["x", "y", "z"])[made.rep_idx]) == {"y", "z"}


def test_numpy_numbers_are_numbers():
    made = design_territories(FOUR, n_territories=np.int64(2), balance={"count": np.float32(0.0)}, rng=np.int32(3))
    assert made.territory_idx.tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])
