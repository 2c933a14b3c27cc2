from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks.record import Options

from benchmarks import travel, travel_detour, travel_roads, travel_scale
from territory import Customers, Reps, design_territories, schedule_visits
from territory.datasets import REFERENCE_DAY
from territory.travel import GreatCircle, Speeds, detour_sample, fit_detour
from territory.travel.great_circle import EndMetres

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def week():
    rng = np.random.default_rng(4)
    n = 40
    half = np.where(rng.random(n) < 0.4, rng.integers(0, 2, n), -1)
    customers = Customers(
        id=[f"c{i}" for i in range(n)], lon=10 + rng.uniform(0, 0.2, n), lat=50 + rng.uniform(0, 0.1, n),
        service_s=np.full(n, travel_roads.SERVICE_S), visit_interval_days=np.full(n, 7.0),
        early_days=np.full(n, 4.0), late_days=np.full(n, 4.0),
        last_visit=REFERENCE_DAY - rng.integers(3, 8, n).astype("timedelta64[D]"),
        opening_hours=[travel_roads.OPEN if h < 0 else travel_roads.HALVES[h] for h in half.tolist()],
    )  # fmt: skip
    reps = Reps(id=["a", "b"], lon=[10.05, 10.15], lat=[50.05, 50.05], shift=[travel_roads.SHIFT] * 2)
    territories = design_territories(customers, reps, rng=0)
    plan = schedule_visits(customers, reps, territories, start=REFERENCE_DAY, weeks=1, iterations=300, rng=0)
    return plan, travel_roads.Team(customers, reps, half)


def test_a_plan_that_is_driven_by_its_own_travel_keeps_its_times(week):
    plan, team = week
    driven = travel_roads.drive(plan, team, GreatCircle())
    assert driven["drive_s"] == plan.drive_s
    assert driven["days"] == len(plan.routes) > 2
    assert (driven["overrun"], driven["missed"]) == (0, 0)


def test_slower_roads_make_days_late(week):
    plan, team = week
    slow = GreatCircle(speeds_km_h=Speeds.constant(4.0))
    driven = travel_roads.drive(plan, team, slow)
    assert driven["drive_s"] > 5 * plan.drive_s
    assert driven["overrun"] > 0
    assert driven["missed"] > 0
    assert driven["late_min"] > 0


def test_the_made_country_is_designed_and_planned(monkeypatch):
    monkeypatch.setattr(travel_scale, "SIDE", 40)
    designed, planned = travel_scale.run(Options(size=800, iterations=50, instances="scale-clustered"))
    assert designed["status"] == planned["status"] == "measured"
    assert designed["params"]["territories"] == 4
    assert designed["objective"] > 0
    assert 0 < designed["largest_mb"] < 8 * 800 * 800 / 1e6
    assert planned["visits"] > 200


def test_what_the_fit_keeps_is_not_fitted():
    rng = np.random.default_rng(0)
    road = replace(travel_detour.BEGIN, detour=1.3, end_m=EndMetres(150.0, 0.0, 70.0))
    at = travel_roads.places_at(rng.uniform([9.0, 47.0], [9.2, 47.1], (300, 2)), rng.integers(0, 3, 300))
    fit = fit_detour(detour_sample(road, at, 3_000), begin=travel_detour.BEGIN, keep=travel_detour.KEEP)
    assert fit.travel.access_km == 5.0
    assert fit.travel.end_m.rural == 0.0


def test_tables_on_real_roads(real_data: Path):
    pytest.importorskip("osmium")
    rows = travel.run(Options(data=real_data, instances="matrix-[GR]*", size=50, iterations=1))
    assert [r["engine"] for r in rows] == ["GreatCircle", "RoadGraph"]
    assert all(r["reachable"] > 0.9 for r in rows)


def test_no_instance_is_no_run():
    with pytest.raises(SystemExit):
        travel.run(Options(instances="nothing"))
