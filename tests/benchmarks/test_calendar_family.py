"""The family of the calendar runs on tiny sizes, and its rows can be worked out anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.calendar_adherence import adherence, load_of
from benchmarks.calendar_days_first import days_first_plan
from benchmarks.calendar_features import FEATURES
from benchmarks.calendar_georgia import WEEKS, at_load, load_georgia, month_s
from benchmarks.calendar_summary import banded
from benchmarks.calendar_teams import hours_of, random_team
from benchmarks.compare import tables
from benchmarks.peers.statement import CannotStateError
from benchmarks.record import Options, document

from benchmarks import calendar, calendar_georgia
from territory import Alignment, Customers, PlanSettings, Reps, check_plan, due_visits, schedule_visits


@pytest.fixture(scope="module")
def places():
    rng = np.random.default_rng(0)
    return np.stack([rng.uniform(-84.0, -83.8, 70), rng.uniform(33.0, 33.15, 70)], axis=1)


@pytest.fixture
def small(monkeypatch, places):
    monkeypatch.setattr(calendar_georgia, "PER_REP", 35)
    monkeypatch.setattr(calendar_georgia, "_QUICK", 50)
    monkeypatch.setattr(calendar, "places_of_georgia", lambda _: places)


def test_a_team_is_measured_against_both_baselines_on_its_territories(small, monkeypatch):
    pytest.importorskip("pyvrp")
    monkeypatch.setattr(calendar, "LOADS", (0.5,))
    # two processes would compile for half a minute
    monkeypatch.setattr(calendar, "JOBS", (1,))
    monkeypatch.setattr(calendar, "DAYS_FIRST_S", 0.3)
    results = calendar.run(Options(instances="georgia-[2rl]*", size=2, iterations=100))
    engines = [r["engine"] for r in results if r["instance"] == "georgia-2-reps"]
    assert engines == [
        "territory, 1 job", "overdue first, nearest neighbour", "the same, days in best order", "days first, PyVRP"
    ]  # fmt: skip
    assert {r["instance"] for r in results} >= {"georgia-rep-month-most", "georgia-load-50"}
    for r in results:
        assert r["violations"] == 0, r["violation_codes"]
        assert sum(len(route["visits"]) for route in r["routes"]) == r["visits"]
        assert r["objective"] == r["drive_s"]
        assert len(r["unassigned_visits"]) == r["unassigned"]
        assert r["within"] == pytest.approx(r["visits"] / (r["visits"] + r["missed"]))
    for r in results[1:4]:
        assert r["less_driving"] == pytest.approx(1 - r["equal_min_per_visit"] / r["equal_baseline_min_per_visit"])
        assert r["equal_visits"] <= min(r["visits"], results[0]["visits"])
    assert "less driving" in tables([document("calendar", Options(), results)])


def test_visits_and_driving_make_the_load_that_was_asked_for(monkeypatch, places):
    monkeypatch.setattr(calendar_georgia, "_QUICK", 50)
    team = load_georgia(places, 0, n_reps=2, load=0.7)
    first = team.params["first_plan"]
    hours = 2 * month_s()
    service = first["visit_s"] * team.params["mean_service_s"] / team.base.service_s.mean()
    assert (service + first["driving_s"]) / hours == pytest.approx(0.7, abs=0.01)
    heavy = at_load(team, 0.9)
    assert heavy.customers.service_s.mean() > team.customers.service_s.mean()
    alone = at_load(team, 0.9, np.array([1]))
    assert len(alone.reps) == 1
    assert set(alone.customers.id) == set(heavy.customers.id[heavy.alignment.customer_rep_idx == 1])
    settings = PlanSettings(calendar_georgia.REFERENCE_DAY, 7 * WEEKS, [])
    assert alone.params["visits_due"] == len(due_visits(alone.customers, settings))
    with pytest.raises(ValueError, match="driving alone"):
        at_load(team, 0.01)


def test_days_first_refuses_what_pyvrp_cannot_state():
    customers = Customers(
        id=["a"], lon=[10.0], lat=[50.0], visit_interval_days=[7], opening_hours=["Mo 09:00-17:00"], owner=["R"]
    )
    reps = Reps(id=["R"], lon=[10.1], lat=[50.0])
    with pytest.raises(CannotStateError, match="cannot be visited"):
        days_first_plan(
            Alignment.from_owners(customers, reps), PlanSettings("2026-01-05", 7, []), seconds=0.1, seed=0
        )  # fmt: skip


def test_random_teams_have_every_feature_now_and_then_and_keep_them_apart():
    teams = [random_team(0, number) for number in range(40)]
    assert {name for team in teams for name in team.features} == set(FEATURES)
    assert {team.r for team in teams} == {1, 2, 3, 4}
    again, without = random_team(0, 7), random_team(0, 7, [name for name in FEATURES if name != "opening hours"])
    assert again.tables()[0].equals(teams[7].tables()[0])
    for name, column in without.customers.items():
        if name != "service_s":
            assert np.array_equal(again.customers[name], column, equal_nan=np.asarray(column).dtype.kind in "fM")


def test_random_teams_are_planned_checked_and_summed_up_by_load():
    results = list(calendar.teams(6, Options(iterations=30)))
    assert len(results) == 6
    assert all(r["status"] in {"feasible", "invalid"} for r in results), [r.get("note") for r in results]
    total = banded(results)[-1]
    assert total["instance"] == "6 teams, all"
    assert total["visits"] == sum(r.get("visits", 0) for r in results)
    bands = banded(results)[:-1]
    assert sum(r["visits"] for r in bands) == total["visits"]


@pytest.mark.parametrize(("fault", "status"), [(None, "feasible"), (RuntimeError("no"), "failed")])
def test_a_team_that_fails_ends_nothing(monkeypatch, fault, status):
    if fault is not None:
        monkeypatch.setattr(calendar, "schedule_visits", lambda *_, **__: (_ for _ in ()).throw(fault))
    monkeypatch.setattr(calendar, "random_team", lambda seed, number: random_team(seed, number, ()))
    (found,) = calendar.teams(1, Options(iterations=10))
    assert found["status"] == status
    assert ("note" in found) is (fault is not None)


def test_adherence_counts_days_between_visits():
    customers = Customers(
        id=["a", "b"], lon=[10.0, 10.01], lat=[50.0, 50.0], visit_interval_days=[7, np.nan], early_days=[1, 0],
        late_days=[1, 0], last_visit=["2026-01-01", ""], service_s=[1800, 1800],
    )  # fmt: skip
    reps = Reps(id=["R"], lon=[10.0], lat=[50.0])
    plan = schedule_visits(customers, reps, start="2026-01-05", weeks=3, iterations=10)
    assert check_plan(plan).ok
    kept = adherence(plan)
    assert (kept.within, kept.outside, kept.missed, kept.impossible) == (len(plan.stops), 0, 0, 0)
    later = plan.stops.day.copy()
    later[-1] += 3  # too late, by the customer's tolerance of a day
    moved = replace(plan, stops=replace(plan.stops, day=later))
    assert (adherence(moved).within, adherence(moved).outside) == (kept.within - 1, 1)
    hours = hours_of(reps, plan.settings)
    assert hours == 15 * 9 * 3600
    assert load_of(plan, hours) == pytest.approx((1800 * len(plan.stops) + plan.drive_s) / hours)
