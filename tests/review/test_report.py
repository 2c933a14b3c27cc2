from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from territory import Alignment, Customers, Reps, design_territories
from territory.review import basic_report

CUSTOMERS = Customers(
    id=["a", "b", "c", "d", "e"],
    lon=[10.0, 10.2, 11.0, 11.2, 12.0],
    lat=[0.0] * 5,
    owner=["r", "s", "s", "s", ""],
    visit_interval_days=[7, 14, 7, 7, 28],
    measures={"potential": [1, 2, 3, 4, 0]},
)
REPS = Reps(id=["r", "s"], lon=[10.0, 11.0], lat=[0.0, 0.0], capacity_s=[1, 3])
KM = 0.1 * 111.195


def alignment(**options):
    frame = {"customer_id": ["a", "b", "c", "d"], "territory_id": ["r", "r", "s", "s"]}
    return replace(Alignment.from_frame(frame, customers=CUSTOMERS, reps=REPS), **options)


def test_a_row_a_territory():
    report = alignment(balance={"potential": 0.1, "count": 0.5}, targets={"count": [2, 3]}).report_dict()
    assert report["customers"].tolist() == [2, 2]
    assert report["potential"].tolist() == [3.0, 7.0]
    assert report["potential_target"].tolist() == [2.5, 7.5]  # by capacity
    np.testing.assert_allclose(report["potential_deviation"], [0.2, -1 / 15])
    np.testing.assert_allclose(report["count_deviation"], [0.0, -1 / 3])
    np.testing.assert_allclose(report["mean_km"], [KM, KM], rtol=1e-4)
    np.testing.assert_allclose(report["weighted_km2"], [KM**2, KM**2], rtol=1e-4)
    np.testing.assert_allclose(report["reach_km"], [KM, KM], rtol=1e-4)
    assert report["parts"].tolist() == [1, 1]
    assert report["gained"].tolist() == [1, 0]
    assert report["lost"].tolist() == [0, 1]
    assert report["gained_potential"].tolist() == [2.0, 0.0]
    assert set(basic_report(alignment())) <= set(alignment().report_dict())


def test_means_are_weighted_by_the_first_measure():
    report = Alignment.from_frame({"customer_id": ["a", "b", "c"], "territory_id": ["x"] * 3}, customers=CUSTOMERS)
    weighted = replace(report, balance={"potential": 1.0}).report_dict()
    km = np.abs(np.array([10.0, 10.2, 11.0]) - 10.4) * 111.195
    np.testing.assert_allclose(weighted["weighted_km"], [km @ [1, 2, 3] / 6], rtol=1e-3)
    np.testing.assert_allclose(weighted["mean_km"], [km.mean()], rtol=1e-3)


def test_parts_and_what_is_torn():
    frame = {"customer_id": ["a", "b", "c", "d"], "territory_id": ["x", "y", "x", "y"]}
    found = Alignment.from_frame(frame, customers=CUSTOMERS)
    assert found.report_dict()["parts"].tolist() == [2, 2]
    assert found.summary()["torn"] == 2
    assert "gained" not in found.report_dict()  # no reps
    assert "changed_customers" not in found.summary()


def test_the_summary_adds_up():
    found = alignment(balance={"potential": 0.1}, objective=5e6)
    summary = found.summary()
    assert summary["customers"] == 5
    assert summary["unassigned"] == 1
    assert summary["territories"] == 2
    assert summary["potential"] == 10.0
    assert summary["potential_max_deviation"] == pytest.approx(0.2)
    assert summary["potential_mean_deviation"] == pytest.approx((0.2 + 1 / 15) / 2)
    assert summary["potential_allowed"] == 0.1
    assert summary["objective_km2"] == 5.0
    assert summary["changed_customers"] == 1
    assert summary["changed_share"] == 0.25
    assert summary["changed_potential_share"] == 0.2
    assert summary["drive_h_round"] == pytest.approx(found.report_dict()["drive_h_round"].sum())
    assert summary["drive_h_week"] > 0


def test_today_changes_nothing_and_an_owner_who_left_changes_hands():
    owned = CUSTOMERS.take(range(4))
    today = Alignment.from_owners(owned, REPS)
    assert today.summary()["changed_customers"] == 0
    left = Alignment.from_frame({"customer_id": owned.id, "rep_id": ["s"] * 4}, customers=owned, reps=REPS.take([1]))
    assert left.summary()["changed_customers"] == 1
    assert left.report_dict()["gained"].tolist() == [1]


def test_empty_ones():
    nobody = Alignment.from_frame({"customer_id": [], "territory_id": []}, customers=CUSTOMERS.take([]))
    assert nobody.report().shape[0] == 0
    assert nobody.summary()["territories"] == 0
    frame = {"customer_id": ["a"], "rep_id": ["r"]}
    half = Alignment.from_frame(frame, customers=CUSTOMERS, reps=REPS)
    assert half.summary(polygons=True)["empty_territories"] == 1
    assert np.isnan(half.report_dict(polygons=True)["polsby_popper"][1])


def test_shifts_make_days():
    long = Reps(id=["r", "s"], lon=[8.0, 11.0], lat=[0.0, 0.0], shift=["Mo-Fr 06:00-20:00"] * 2)
    short = Reps(id=["r", "s"], lon=[8.0, 11.0], lat=[0.0, 0.0], shift=["Mo-Fr 08:00-12:00"] * 2)
    frame = {"customer_id": ["a", "b", "c", "d"], "rep_id": ["r"] * 4}
    hours = [
        Alignment.from_frame(frame, customers=CUSTOMERS, reps=reps).report_dict()["drive_h_round"][0]
        for reps in (long, short)
    ]
    assert hours[0] < hours[1]


def test_a_hundred_thousand_customers_take_seconds():
    rng = np.random.default_rng(1)
    n = 100_000
    customers = Customers(
        id=np.arange(n).astype(str).tolist(), lon=rng.uniform(5, 15, n), lat=rng.uniform(47, 55, n),
        workload_s=rng.uniform(600, 6000, n),
    )  # fmt: skip
    labels = ((customers.lon - 5).astype(int) * 8 + (customers.lat - 47).astype(int)).astype(str).tolist()
    found = Alignment.from_frame({"customer_id": customers.id, "territory_id": labels}, customers=customers)
    start = time.process_time()
    found.summary()
    assert time.process_time() - start < 10.0


def test_a_designed_one_says_what_it_was_made_for():
    rng = np.random.default_rng(3)
    customers = Customers(id=[str(i) for i in range(60)], lon=rng.uniform(9, 10, 60), lat=rng.uniform(50, 51, 60))
    summary = design_territories(customers, n_territories=3, balance={"count": 0.1}).summary()
    assert summary["torn"] == 0
    assert summary["count_max_deviation"] <= 0.1 + 1e-9
    assert summary["weighted_km2"] == pytest.approx(summary["objective_km2"], rel=1e-4)  # chords, and arcs
