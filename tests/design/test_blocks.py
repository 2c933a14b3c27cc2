"""What broke once: reps in groups that share no customer, empty territories, many customers at few spots."""

from __future__ import annotations

import numpy as np
import pytest
from shapely import LineString

from territory import Customers, Reps, design_territories


@pytest.mark.parametrize("balance", [None, {"count": 0.5}])
def test_islands_of_odd_sizes_are_shared_out(balance):
    lon = [10, 10.01, 10.02, 11, 11.01, 11.02, 11.03, 11.04]
    customers = Customers(id=[f"c{i}" for i in range(8)], lon=lon, lat=[50 + 0.01 * (i * 7 % 5) for i in range(8)])
    river = LineString([(10.5, 49), (10.5, 52)])
    found = design_territories(customers, n_territories=4, barriers=river, balance=balance)
    west, east = set(found.territory_idx[:3].tolist()), set(found.territory_idx[3:].tolist())
    assert len(west) == len(east) == 2
    assert not west & east


@pytest.mark.parametrize("n", [7, 20, 41])
def test_teams_with_different_skills_are_shared_out(n):
    rng = np.random.default_rng(n)
    skills = [{"x"} if i < n // 3 else {"y"} for i in range(n)]
    customers = Customers(
        id=[str(i) for i in range(n)],
        lon=rng.uniform(10, 10.1, n),
        lat=rng.uniform(50, 50.1, n),
        required_skills=skills,
    )
    reps = Reps(id=list("ABCD"), lon=[10, 10.05, 10.1, 10.15], lat=[50.0] * 4, skills=[{"x"}, {"x"}, {"y"}, {"y"}])
    found = design_territories(customers, reps)
    assert set(found.territory_idx[: n // 3].tolist()) <= {0, 1}
    assert set(found.territory_idx[n // 3 :].tolist()) == {2, 3}


def test_a_loose_first_measure_leaves_no_territory_empty_that_another_one_fills():
    customers = Customers(
        id=["a", "b", "c"], lon=[11.0, 12, 10], lat=[52.0, 51, 51], measures={"p": [3346.0, 2031, 380]}
    )
    reps = Reps(id=["R0", "R1"], lon=[10.67, 10.44], lat=[50.13, 50.77])
    found = design_territories(customers, reps, balance={"count": 1.0, "p": 0.3}, contiguous=False)
    assert found.totals("p") == pytest.approx([2878.5, 2878.5], rel=0.3)


@pytest.mark.parametrize("spots", [1, 3])
def test_crowds_at_a_few_spots_are_shared_out(spots):
    customers = Customers(
        id=[str(i) for i in range(300)], lon=[10 + 0.1 * (i % spots) for i in range(300)], lat=[50.0] * 300
    )
    found = design_territories(customers, n_territories=20, balance={"count": 0.1})
    assert np.abs(np.bincount(found.territory_idx) / 15 - 1).max() <= 0.1 + 1e-9
