from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from territory import Alignment, Customers, InputError, Reps

CUSTOMERS = Customers(
    id=["a", "b", "c", "d"],
    lon=[13.0, 13.2, 9.0, 9.2],
    lat=[52.0, 52.0, 50.0, 50.0],
    owner=["r", "r", "s", ""],
    locked=[True, False, False, False],
    measures={"potential": [1, 2, 3, 4]},
)
REPS = Reps(id=["r", "s"], lon=[13.0, 9.0], lat=[52.0, 50.0])


def alignment(**options):
    return Alignment(**{
        "customers": CUSTOMERS, "reps": REPS, "territory_id": ["North", "South"], "territory_idx": [0, 0, 1, -1],
        "rep_idx": [0, 1], "center_lon": [13.1, 9.0], "center_lat": [52.0, 50.0], "balance": {"potential": 0.1},
        "targets": {"potential": [5, 5]}, "unassigned_reason": {3: "too far"}, **options,
    })  # fmt: skip


def codes(call):
    with pytest.raises(InputError) as caught:
        call()
    return caught.value.codes


def test_today():
    found = Alignment.from_owners(CUSTOMERS, REPS)
    assert found.territory_id.tolist() == ["r", "s"]
    assert found.territory_idx.tolist() == [0, 0, 1, -1]
    assert found.customer_rep_idx.tolist() == [0, 0, 1, -1]
    assert found.unassigned_reason == {3: "it has no owner"}
    np.testing.assert_allclose(found.center_lon, [13.1, 9.0])
    assert codes(lambda: Alignment.from_owners(CUSTOMERS.take([0]), REPS.take([1]))) == ("unknown-id",)
    assert codes(lambda: Alignment.from_owners(Customers(id=["a"], lon=[1], lat=[1]), REPS)) == ("missing-column",)


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_out_and_in_again(backend):
    first = alignment()
    for options in ({"like": first}, {}):
        again = Alignment.from_frame(first.to_frame(backend), customers=CUSTOMERS, reps=REPS, **options)
        assert again.territory_id.tolist() == ["North", "South"]
        assert again.territory_idx.tolist() == first.territory_idx.tolist()
        assert again.rep_idx.tolist() == [0, 1]
        assert again.unassigned_reason == {3: "too far"}
        assert (again.balance == first.balance) == bool(options)


def test_edited_by_hand():
    first = alignment()
    frame = first.to_frame()
    frame.loc[frame.customer_id == "b", "territory_id"] = "South"  # and rep_id is now out of date
    moved = Alignment.from_frame(frame, customers=CUSTOMERS, reps=REPS, like=first)
    assert moved.territory_idx.tolist() == [0, 1, 1, -1]
    assert moved.rep_idx.tolist() == [0, 1]
    with pytest.raises(InputError, match=r"two-reps .*'South'[\s\S]*like="):
        Alignment.from_frame(frame, customers=CUSTOMERS, reps=REPS)
    fewer = Alignment.from_frame({"customer_id": ["c"], "rep_id": ["s"]}, customers=CUSTOMERS, reps=REPS)
    assert fewer.territory_idx.tolist() == [-1, -1, 1, -1]
    assert set(fewer.unassigned_reason) == {0, 1, 3}


def test_territories_without_reps():
    frame = {"customer_id": ["a", "b", "c"], "territory_id": ["x", "y", None]}
    for reps in (None, REPS):
        found = Alignment.from_frame(frame, customers=CUSTOMERS, reps=reps)
        assert found.territory_id.tolist() == ["x", "y"]
        assert found.rep_idx.tolist() == [-1, -1]
        assert found.to_dict()["rep_id"].tolist() == [""] * 4
    named = Alignment.from_frame({"customer_id": ["a"], "territory_id": ["s"]}, customers=CUSTOMERS, reps=REPS)
    assert named.rep_idx.tolist() == [1]
    blank = Alignment.from_frame({**frame, "rep_id": ["", "r", ""]}, customers=CUSTOMERS, reps=REPS)
    assert blank.rep_idx.tolist() == [-1, 0]


def test_ids_of_whole_numbers():
    customers = Customers.from_frame({"id": [1, 2], "lon": [1.0, 2.0], "lat": [1.0, 2.0]})
    frame = pd.DataFrame({"customer_id": [1, 2], "territory_id": [10, 20]})
    assert Alignment.from_frame(frame, customers=customers).territory_id.tolist() == ["10", "20"]
    frame["territory_id"] = [10.0, None]
    assert codes(lambda: Alignment.from_frame(frame, customers=customers)) == ("wrong-type",)


@pytest.mark.parametrize(("frame", "code"), [
    ({"territory_id": ["x"]}, "missing-column"), ({"customer_id": ["a"]}, "missing-column"),
    ({"customer_id": ["a", "a"], "territory_id": ["x", "y"]}, "duplicate-id"),
    ({"customer_id": ["z"], "territory_id": ["x"]}, "unknown-id"),
    ({"customer_id": ["a"], "rep_id": ["z"]}, "unknown-id"),
    ({"customer_id": ["a"], "territory_id": ["x"], "rep_id": ["z"]}, "unknown-id"),
    ({"customer_id": ["a", "b"], "territory_id": ["x"]}, "unequal-lengths"),
    ({"customer_id": [None], "territory_id": ["x"]}, "unknown-id"), (5, "not-a-frame"),
])  # fmt: skip
def test_tables_that_are_refused(frame, code):
    assert codes(lambda: Alignment.from_frame(frame, customers=CUSTOMERS, reps=REPS)) == (code,)


@pytest.mark.parametrize(("options", "code"), [
    ({"territory_idx": [0, 0, 2, -1]}, "unknown-territory"), ({"territory_idx": [0, 0, -2, -1]}, "unknown-territory"),
    ({"territory_idx": [0, 0, 1]}, "wrong-shape"), ({"rep_idx": [0, 2]}, "unknown-rep"),
    ({"rep_idx": [0]}, "wrong-shape"),
    ({"territory_id": ["x", "x"]}, "duplicate-id"), ({"center_lon": [1.0]}, "wrong-shape"),
    ({"targets": {"potential": [1.0]}}, "wrong-shape"), ({"balance": {"potential": float("nan")}}, "bad-balance"),
    ({"balance": {"potential": -0.1}}, "bad-balance"), ({"reps": None}, "unknown-rep"),
])  # fmt: skip
def test_parts_that_do_not_fit(options, code):
    assert codes(lambda: alignment(**options)) == (code,)


def test_numbers_and_words():
    found = alignment(objective=2.0, bound=1.5)
    assert found.gap == 0.25
    assert alignment().gap is None
    assert found.totals("potential").tolist() == [3.0, 3.0]
    report = found.report_dict()
    assert report["customers"].tolist() == [2, 1]
    np.testing.assert_allclose(report["potential_deviation"], [-0.4, -0.4])
    np.testing.assert_allclose(report["reach_km"], [6.845, 0.0], atol=0.01)
    assert found.report("polars").shape[0] == 2
    assert str(found.explain("a")) == "a is locked to its owner, in territory North (rep r), 7 km from the centre."
    assert "7 km from the centre: its centre is the nearest. Second best is territory South" in str(found.explain("b"))
    assert str(found.explain("d")) == "d is in no territory: too far."
    assert "4 customers in 2 territories" in repr(found)
    assert codes(lambda: found.explain("z")) == ("unknown-id",)


def test_nothing_can_be_changed_even_after_pickling():
    centers = np.array([13.1, 9.0])
    reasons = {3: "too far"}
    found = alignment(center_lon=centers, unassigned_reason=reasons)
    centers[0], reasons[3] = 0.0, "changed"
    for each in (found, pickle.loads(pickle.dumps(found))):  # noqa: S301 - our own bytes
        assert each.center_lon.tolist() == [13.1, 9.0]
        assert each.unassigned_reason == {3: "too far"}
        for array in (each.territory_id, each.territory_idx, each.rep_idx, each.center_lat, each.targets["potential"]):
            assert not array.flags.writeable
        for mapping in (each.balance, each.targets, each.unassigned_reason):
            with pytest.raises(TypeError):
                mapping["x"] = 1


def test_no_customers_and_no_territories():
    nobody = CUSTOMERS.take([])
    found = Alignment.from_frame({"customer_id": [], "territory_id": []}, customers=nobody)
    assert len(found) == 0
    assert found.report_dict()["customers"].tolist() == []
