"""Territories from end to end."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest
from tests.design.problems import customers_on

from territory import Customers, InfeasibleError, Reps, Status, check_alignment, design_territories, read_customers

GRID = "\n".join(["x" * 12] * 10)


def scattered(seed, n, **columns):
    rng = np.random.default_rng(seed)
    return Customers(id=[f"c{i}" for i in range(n)], lon=rng.uniform(8, 12, n), lat=rng.uniform(48, 52, n), **columns)


def test_a_grid_is_shared_out_evenly_in_one_piece_each():
    made = design_territories(customers_on(GRID), n_territories=6, balance={"count": 0.05})
    assert set(np.bincount(made.territory_idx)) <= {19, 20, 21}
    assert made.contiguous
    assert check_alignment(made).ok
    assert made.bound is not None
    assert 0 < made.bound <= made.objective


def test_several_measures_are_balanced_at_once():
    rng = np.random.default_rng(0)
    customers = scattered(1, 300, measures={"potential": rng.lognormal(0, 1, 300), "calls": rng.integers(1, 9, 300)})
    made = design_territories(customers, n_territories=5, balance={"count": 0.1, "potential": 0.1, "calls": 0.1})
    for name in ("count", "potential", "calls"):
        totals = np.asarray(made.totals(name))
        assert np.abs(totals / totals.mean() - 1).max() <= 0.1 + 1e-9


@pytest.mark.parametrize("k", [1, 7])
def test_one_territory_and_one_for_each(k):
    customers = scattered(2, 7)
    made = design_territories(customers, n_territories=k, balance={"count": 0.0})
    assert sorted(np.bincount(made.territory_idx)) == [7 // k] * k
    assert made.status is Status.OPTIMAL or k == 1


def test_all_coincident_points():
    customers = Customers(id=list("abcdef"), lon=[10.0] * 6, lat=[50.0] * 6)
    made = design_territories(customers, n_territories=3, balance={"count": 0.0})
    assert np.bincount(made.territory_idx).tolist() == [2, 2, 2]
    assert made.objective == pytest.approx(0.0, abs=1e-3)


def test_collinear_points_are_cut_into_runs():
    customers = Customers(id=[f"c{i}" for i in range(12)], lon=np.arange(1.0, 13.0), lat=np.zeros(12))
    made = design_territories(customers, n_territories=3, balance={"count": 0.0})
    assert (np.diff(made.territory_idx) != 0).sum() == 2


def test_two_customers():
    made = design_territories(Customers(id=["a", "b"], lon=[0, 1], lat=[50, 50]), n_territories=2)
    assert sorted(made.territory_idx.tolist()) == [0, 1]
    assert made.objective == pytest.approx(0.0, abs=1e-3)


def test_points_on_both_sides_of_the_antimeridian_are_neighbours():
    customers = Customers(id=list("abcd"), lon=[179.9, -179.9, 100.0, 100.2], lat=[0.0] * 4)
    made = design_territories(customers, n_territories=2, balance={"count": 0.0})
    assert made.territory_idx[0] == made.territory_idx[1] != made.territory_idx[2]


def test_capacity_shares_out_the_work():
    reps = Reps(id=["full", "half"], lon=[8.5, 11.5], lat=[50, 50], capacity_s=[144_000, 72_000])
    made = design_territories(scattered(3, 120), reps, balance={"count": 0.03})
    assert np.bincount(made.territory_idx).tolist() == pytest.approx([80, 40], abs=2.5)
    assert made.targets["count"].tolist() == pytest.approx([80, 40])


def test_locks_skills_and_forbidden_reps_are_kept():
    n = 60
    customers = scattered(
        4, n,
        owner=["R2"] + [""] * (n - 1), locked=[True] + [False] * (n - 1),
        required_skills=["", "fire"] + [""] * (n - 2), forbidden_reps=["", "", "R1; R3"] + [""] * (n - 3),
    )  # fmt: skip
    reps = Reps(id=["R1", "R2", "R3"], lon=[8.5, 10, 11.5], lat=[50, 50, 50], skills=["", "", "fire"])
    made = design_territories(customers, reps)
    assert made.territory_idx[:3].tolist() == [1, 2, 1]
    assert check_alignment(made).ok


def test_whom_nobody_may_serve_is_left_out_with_a_reason():
    customers = scattered(5, 10, required_skills=["diving"] + [""] * 9)
    made = design_territories(customers, Reps(id=["R1", "R2"], lon=[8, 12], lat=[50, 50]))
    assert made.territory_idx[0] == -1
    assert made.unassigned_reason[0].startswith("no-eligible-rep")
    assert "nobody-eligible" in {p.code for p in made.diagnostics}


def test_nobody_may_serve_anybody():
    customers = scattered(5, 3, required_skills=["diving"] * 3)
    made = design_territories(customers, Reps(id=["R1", "R2"], lon=[8, 12], lat=[50, 50]))
    assert made.territory_idx.tolist() == [-1, -1, -1]
    assert check_alignment(made).ok


def test_only_those_without_work_may_be_served():
    customers = scattered(6, 3, workload_s=[3600, 0, 0], required_skills=["diving", "", ""])
    made = design_territories(customers, Reps(id=["R1", "R2"], lon=[8, 12], lat=[50, 50]))
    assert (made.territory_idx >= 0).tolist() == [False, True, True]


def test_a_customer_above_every_capacity_is_named():
    customers = Customers(id=["giant", "b", "c"], lon=[0, 1, 2], lat=[50] * 3, workload_s=[90_000, 4_000, 6_000])
    with pytest.raises(InfeasibleError, match="giant") as caught:
        design_territories(customers, n_territories=2, balance={"workload_s": 0.1})
    assert caught.value.reasons[0].code == "customer-over-capacity"
    assert caught.value.reasons[0].rows == (0,)


def test_rows_that_are_named_are_those_of_the_table():
    # the first row is out already, as nobody may serve it
    customers = Customers(
        id=["nobody's", "b", "giant", "d"], lon=[0, 1, 2, 3], lat=[50] * 4, workload_s=[1_000, 4_000, 90_000, 6_000],
        required_skills=["diving", "", "", ""],
    )  # fmt: skip
    reps = Reps(id=["R1", "R2"], lon=[0, 3], lat=[50, 50])
    with pytest.raises(InfeasibleError, match="giant") as caught:
        design_territories(customers, reps, balance={"workload_s": 0.1})
    assert caught.value.reasons[0].rows == (2,)


def test_locks_that_forbid_the_balance_are_told_with_the_least_deviation():
    n = 20
    customers = scattered(7, n, owner=["R1"] * n, locked=[i < 16 for i in range(n)])
    reps = Reps(id=["R1", "R2"], lon=[8, 12], lat=[50, 50])
    with pytest.raises(InfeasibleError, match=r"least deviation possible is 60\.\d%") as caught:
        design_territories(customers, reps, balance={"count": 0.1})
    assert [r.code for r in caught.value.reasons] == ["balance-impossible"]


def test_without_a_limit_the_balance_that_was_reached_is_told():
    n = 20
    customers = scattered(7, n, owner=["R1"] * n, locked=[i < 16 for i in range(n)])
    made = design_territories(customers, Reps(id=["R1", "R2"], lon=[8, 12], lat=[50, 50]))
    assert made.balance["count"] == pytest.approx(0.6, abs=1e-9)
    assert "balance-loose" in {p.code for p in made.diagnostics}


def test_indivisible_customers_may_be_impossible_to_balance():
    customers = Customers(id=["a", "b", "c"], lon=[0, 1, 2], lat=[50] * 3)
    with pytest.raises(InfeasibleError) as caught:
        design_territories(customers, n_territories=2, balance={"count": 0.1})
    assert caught.value.reasons[0].code == "balance-impossible"
    assert "the least deviation possible is 33." in str(caught.value)


def test_the_same_seed_gives_the_same_answer_and_another_one_may_not():
    customers = scattered(8, 200)
    one, same = (design_territories(customers, n_territories=7, rng=3) for _ in range(2))
    assert (one.territory_idx == same.territory_idx).all()
    assert one.objective == same.objective


def test_progress_is_told_and_grows():
    told = []
    design_territories(scattered(9, 50), n_territories=3, on_progress=lambda step, share: told.append((step, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert told[-1] == ("check", 1.0)


def test_interrupts_pass_through():
    def stop(_step, _share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        design_territories(scattered(9, 50), n_territories=3, on_progress=stop)


@pytest.fixture(scope="module")
def georgia(real_data, tmp_path_factory):
    """The 9,313 food retailers of Georgia; the file has no ids, so rows get one."""
    head, *lines = (real_data / "real" / "snap_georgia_us.csv").read_text().splitlines()
    made = tmp_path_factory.mktemp("georgia") / "stores.csv"
    made.write_text("\n".join([f"store_id,{head}", *(f"S{i:05d},{line}" for i, line in enumerate(lines))]) + "\n")
    return read_customers(made, columns={"id": "store_id", "lon": "Longitude", "lat": "Latitude", "name": "Store_Name"})


def test_georgia_in_sixty_territories(georgia):
    made = design_territories(georgia, n_territories=60, balance={"count": 0.05})
    count = np.bincount(made.territory_idx, minlength=60)
    assert len(georgia) == 9313
    assert np.abs(count / count.mean() - 1).max() <= 0.05
    assert check_alignment(made).ok, "contiguous as well"
    assert made.bound is not None
    assert made.bound > 0.95 * made.objective


def test_a_time_limit_is_honoured_on_georgia(georgia):
    began = monotonic()
    made = design_territories(georgia, n_territories=60, time_limit_s=2.5)
    assert monotonic() - began <= 2.5 * 1.1 + 0.2 + 0.5, "half a second for a busy machine"
    assert check_alignment(made).ok
