from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory import Alignment, Customers, InputError, Reps, compare

CUSTOMERS = Customers(
    id=list("abcdef"), lon=[10.0, 10.1, 10.2, 10.3, 10.4, 10.5], lat=[50.0] * 6, measures={"potential": range(1, 7)}
)
REPS = Reps(id=["r", "s"], lon=[10.0, 10.5], lat=[50.0, 50.0])


def of(labels, customers=CUSTOMERS, reps=None, **options):
    frame = {"customer_id": customers.id, "territory_id": list(labels)}
    found = Alignment.from_frame(frame, customers=customers, reps=reps)
    return replace(found, **({"balance": {"potential": 0.5}} | options))


def test_side_by_side():
    found = compare(of("rrrsss", reps=REPS), of("rrssss", reps=REPS))
    lines = found.summary()
    assert lines["moved_customers"]["b"] == 1
    assert lines["moved_share"]["b"] == pytest.approx(1 / 6)
    assert lines["moved_potential"]["b"] == 3.0
    assert lines["moved_potential_share"]["b"] == pytest.approx(3 / 21)
    assert lines["rep_changed_customers"]["b"] == 1
    assert lines["reach_km"]["difference"] == lines["reach_km"]["b"] - lines["reach_km"]["a"]
    assert lines["potential_max_deviation"]["a"] == pytest.approx(15 / 10.5 - 1)
    frame = found.to_frame().set_index("line")
    assert frame.loc["customers"].tolist() == [6.0, 6.0, 0.0]
    assert np.isnan(frame.loc["status", "a"])
    text = str(found)
    assert "moved_customers" in text
    assert "feasible" in text
    assert repr(found) == "<Comparison: 1 of 6 customers moved, 2 and 2 territories>"


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_every_table_in_every_library(backend):
    found = compare(of("rrrsss", reps=REPS), of("rrssss", reps=REPS))
    for table in (found.to_frame, found.territories, found.flows, found.moves):
        assert table(backend) is not None


def test_from_whom_to_whom():
    found = compare(of("rrrsss", reps=REPS), of(["r", "s", "s", "s", "s", ""], reps=REPS))
    flows = {(a, b): (n, w, m) for a, b, n, w, m in zip(
        *(found.flows_dict()[x] for x in ("from_territory_id", "to_territory_id", "customers", "potential", "moved")),
        strict=True,
    )}  # fmt: skip
    assert flows == {
        ("r", "r"): (1, 1.0, False),
        ("r", "s"): (2, 5.0, True),
        ("s", "s"): (2, 9.0, False),
        ("s", ""): (1, 6.0, True),
    }
    moves = found.moves()
    assert moves.customer_id.tolist() == ["b", "c", "f"]
    assert moves.to_rep_id.tolist() == ["s", "s", ""]
    assert moves.potential.tolist() == [2.0, 3.0, 6.0]
    territories = found.territories().set_index("territory_id_a")
    assert territories.left.tolist() == [2, 1]
    assert territories.joined.tolist() == [0, 2]
    assert territories.customers_difference.tolist() == [-2.0, 1.0]


def test_territories_that_come_and_go():
    found = compare(of("xxxyyz"), of("wwxuyy"))
    assert found.partner_idx.tolist() == [1, 3, -1]  # z has no customers in common with w and u
    by_id = compare(of("xxxyyz"), of("wwxuyy"), match="id")
    assert by_id.partner_idx.tolist() == [1, 3, -1]
    assert by_id.moved.tolist() == [True, True, False, True, False, True]
    table = by_id.territories()
    assert table.territory_id_a.tolist() == ["x", "y", "z", "", ""]
    assert table.territory_id_b.tolist() == ["x", "y", "", "w", "u"]
    assert np.isnan(table.customers_a[4])
    overlap = compare(of("xxxyyz"), of("112233"), match="overlap")
    assert overlap.moved.sum() == 2  # x keeps a and b, y keeps d or e, z keeps f
    assert overlap.partner_idx.tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="match"):
        compare(found.a, found.b, match="name")


def test_names_do_not_matter_by_overlap():
    found = compare(of("xxxyyy"), of("qqqppp"))
    assert not found.moved.any()
    assert found.summary()["moved_customers"]["b"] == 0


def test_other_customers():
    fewer = CUSTOMERS.take([5, 4, 3, 2])
    more = Customers(id=list("cdefgh"), lon=[10.2, 10.3, 10.4, 10.5, 10.6, 10.7], lat=[50.0] * 6)
    found = compare(of("rrrsss"), of("ssrr", fewer))
    assert found.moved.tolist() == [False, True, False, False]  # d; rows are those of the first
    assert found.only_a.tolist() == [0, 1]
    after = compare(of("rrrsss"), of("rrssss", more, balance={"count": 1.0}))
    assert after.only_b.tolist() == [4, 5]
    assert after.summary()["customers_only_here"] == {"a": 2, "b": 2, "difference": 0}
    assert after.summary()["count_allowed"] == {"a": None, "b": 1.0, "difference": None}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=6, max_size=6))
def test_flows_add_up_and_the_way_back_moves_as_many(pairs):
    first, second = of("pqrs"[a] for a, _ in pairs), of("pqrs"[b] for _, b in pairs)
    there, back = compare(first, second, match="id"), compare(second, first, match="id")
    assert there.moved.sum() == back.moved.sum() == sum(a != b for a, b in pairs)
    flows = there.flows_dict()
    assert flows["customers"].sum() == 6
    assert flows["customers"][flows["moved"]].sum() == there.moved.sum()
    assert flows["potential"].sum() == 21
    assert compare(first, first).moved.sum() == 0
    # the matching by overlap is the one that moves least weight
    least = compare(first, second, match="overlap")
    assert weight(least) <= weight(there) + 1e-6


def weight(found):
    return found.summary()["moved_potential"]["b"]
