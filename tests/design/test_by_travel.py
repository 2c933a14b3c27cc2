"""Territories by travel time and by distance, through the public function, checked by code that knows no solver."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array

from territory import (
    Customers,
    GreatCircle,
    InfeasibleError,
    InputError,
    MatrixTravel,
    Reps,
    check_alignment,
    design_territories,
)
from territory.geo.sphere import great_circle_m


def some_customers(seed, n):
    rng = np.random.default_rng(seed)
    return Customers(
        id=[f"c{i}" for i in range(n)], lon=rng.uniform(8, 10, n), lat=rng.uniform(49, 51, n),
        workload_s=rng.lognormal(8, 0.5, n),
    )  # fmt: skip


def some_reps(seed, k):
    rng = np.random.default_rng(seed + 99)
    return Reps(id=[f"R{j}" for j in range(k)], lon=rng.uniform(8, 10, k), lat=rng.uniform(49, 51, k))


def nearest_ways(customers, k, *, homes=None):
    """Return the seconds at 10 m/s to the nearest k of everybody, both ways."""
    lon, lat = customers.lon, customers.lat
    if homes is not None:
        lon, lat = np.append(lon, homes.lon), np.append(lat, homes.lat)
    away = great_circle_m(lon[:, None], lat[:, None], lon[None], lat[None])
    near = np.argsort(away, axis=1)[:, 1 : k + 1]
    row = np.repeat(np.arange(len(lon)), k)
    seconds = away[row, near.ravel()] / 10
    return csr_array((seconds, (row, near.ravel())), shape=away.shape)


def river(n=10):
    """Return two rows of customers on both sides of a river, and seconds: one bridge at the western end."""
    x = np.tile(np.arange(n), 2)
    bank = np.repeat([0, 1], n)
    customers = Customers(id=[f"{'NS'[b]}{i}" for b, i in zip(bank, x, strict=True)], lon=10 + x / 10, lat=-bank / 50)
    along = np.abs(x[:, None] - x[None]) * 600.0
    over = (x[:, None] + x[None]) * 600.0 + 300.0
    seconds = np.where(bank[:, None] == bank[None], along, over)
    return customers, MatrixTravel(seconds, customer_ids=customers.id.tolist()), bank


def test_by_the_crow_territories_cross_the_river_by_road_they_do_not():
    customers, travel, bank = river()
    crow = design_territories(customers, n_territories=2, balance={"count": 0.0})
    road = design_territories(customers, n_territories=2, balance={"count": 0.0}, travel=travel)
    assert len(set(zip(crow.territory_idx.tolist(), bank.tolist(), strict=True))) == 4
    assert len(set(zip(road.territory_idx.tolist(), bank.tolist(), strict=True))) == 2
    # two rows of ten, each from its middle: 0 to 5 legs of ten minutes
    assert road.objective == pytest.approx(600 * (0 + 1 + 1 + 2 + 2 + 3 + 3 + 4 + 4 + 5) / 10)
    assert road.bound == pytest.approx(road.objective)
    assert road.rules.metric == "travel"


@pytest.mark.parametrize("centers", ["free", "homes", "near-homes"])
@pytest.mark.parametrize("sparse", [True, False])
def test_answers_are_checked_on_the_ways_themselves(centers, sparse):
    customers, reps = some_customers(1, 150), some_reps(1, 4)
    travel = nearest_ways(customers, 12, homes=reps) if sparse else GreatCircle()
    made = design_territories(customers, reps, balance={"workload_s": 0.1}, centers=centers, travel=travel)
    assert check_alignment(made, travel=travel).ok
    assert 0 < made.bound <= made.objective * (1 + 1e-9)
    assert made.gap < 0.1
    at = made.rules.center_idx
    assert ((at >= 150) == (centers == "homes")).all() or centers == "near-homes"
    # a lie about the sum, or about where a centre is, is found
    for lie, code in (
        ({"objective": made.objective + 1}, "objective-wrong"),
        ({"center_lon": made.center_lon + 0.1}, "center-wrong"),
        ({"rules": dataclasses.replace(made.rules, center_idx=(at + 1) % 150)}, "center-wrong"),
    ):
        assert code in check_alignment(dataclasses.replace(made, **lie), travel=travel).codes


def test_all_ways_and_the_nearest_few_say_the_same_where_paths_lead_along_them():
    n = 8
    x, y = (v.ravel() for v in np.meshgrid(np.arange(n), np.arange(n)))
    customers = Customers(id=[f"c{i:02d}" for i in range(n * n)], lon=10 + x / 10, lat=y / 10)
    steps = np.abs(x[:, None] - x) + np.abs(y[:, None] - y)
    full = MatrixTravel(steps * 60.0, customer_ids=customers.id.tolist())
    near = coo_array(np.where(steps == 1, 60.0, 0.0))
    one = design_territories(customers, n_territories=4, balance={"count": 0.0}, travel=full)
    two = design_territories(customers, n_territories=4, balance={"count": 0.0}, travel=near)
    assert one.objective == pytest.approx(two.objective)
    assert np.bincount(two.territory_idx).tolist() == [16] * 4


def test_rows_in_another_order_give_the_same_territories():
    customers = some_customers(3, 80)
    order = np.random.default_rng(0).permutation(80)
    ways = nearest_ways(customers, 10)
    one = design_territories(customers, n_territories=4, balance={"workload_s": 0.1}, travel=ways)
    two = design_territories(
        customers.take(order), n_territories=4, balance={"workload_s": 0.1}, travel=ways[order][:, order]
    )
    assert two.territory_idx.tolist() == one.territory_idx[order].tolist()


def test_groups_and_limits_hold_by_travel_too():
    customers = some_customers(4, 120)
    made = design_territories(
        customers, n_territories=4, balance={"workload_s": 0.1, "count": 0.2}, travel=GreatCircle(),
        together=[["c0", "c1", "c2"]], apart=[["c3", "c4"]],
    )  # fmt: skip
    assert len(set(made.territory_idx[:3].tolist())) == 1
    assert made.territory_idx[3] != made.territory_idx[4]


def test_who_gets_nowhere_is_left_out_by_name():
    customers = some_customers(5, 60)
    ways = nearest_ways(customers, 10).tolil()
    ways[7, :] = 0
    ways[:, 7] = 0
    made = design_territories(
        customers, n_territories=3, balance={"count": 0.2}, travel=csr_array(ways), contiguous=False
    )
    assert np.flatnonzero(made.territory_idx < 0).tolist() == [7]
    assert made.unassigned_reason[7].startswith("unreachable: ")
    assert [d.code for d in made.diagnostics] == ["unreachable"]


def test_a_rep_whom_nobody_gets_to_is_said():
    customers, reps = some_customers(6, 20), some_reps(6, 2)
    seconds = great_circle_m(
        np.append(customers.lon, reps.lon)[:, None], np.append(customers.lat, reps.lat)[:, None],
        np.append(customers.lon, reps.lon)[None], np.append(customers.lat, reps.lat)[None],
    ) / 10  # fmt: skip
    seconds[21, :20] = seconds[:20, 21] = np.inf
    travel = MatrixTravel(seconds, customer_ids=customers.id.tolist(), rep_ids=["R0", "R1"])
    with pytest.raises(InfeasibleError):
        design_territories(customers, reps, balance={"count": 0.1}, centers="homes", travel=travel)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"travel": "osrm"}, "not-travel"),
        ({"travel": np.ones((20, 20))}, "not-travel"),
        ({"travel": csr_array((19, 19))}, "wrong-shape"),
        ({"travel": GreatCircle(), "compactness": "distance"}, "unknown-option"),
        ({"travel": GreatCircle(), "reach_km": 5.0, "n_territories": 2}, "unknown-option"),
    ],
)
def test_travel_of_no_sense_is_refused(asked, code):
    with pytest.raises(InputError) as caught:
        design_territories(some_customers(1, 20), **({"n_territories": 3} | asked))
    assert {p.code for p in caught.value.problems} == {code}


def test_a_matrix_without_homes_is_not_enough_for_centres_at_homes():
    customers = some_customers(1, 20)
    with pytest.raises(InputError, match="need the homes behind the customers"):
        design_territories(customers, some_reps(1, 2), centers="homes", travel=nearest_ways(customers, 5))


def test_distances_have_a_bound_of_their_own():
    customers = some_customers(7, 200)
    made = design_territories(customers, n_territories=5, balance={"workload_s": 0.05}, compactness="distance")
    away = great_circle_m(
        customers.lon, customers.lat, made.center_lon[made.territory_idx], made.center_lat[made.territory_idx]
    )
    assert made.objective == pytest.approx(customers.workload_s @ away / customers.workload_s.sum())
    assert made.gap < 0.05
    assert made.summary()["objective_km"] == pytest.approx(made.objective / 1000)
    assert "objective-wrong" in check_alignment(dataclasses.replace(made, objective=made.objective * 1.01)).codes


def test_an_edited_alignment_is_one_of_distances_again():
    customers, travel, _ = river()
    made = design_territories(customers, n_territories=2, travel=travel)
    edited = type(made).from_frame(made.to_dict(), customers=customers, like=made)
    assert edited.rules.metric == "squared"
    assert check_alignment(edited).ok
    assert made.explain("N3").alternatives
