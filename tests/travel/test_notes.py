"""Notes on travel: places far from roads, and drives that are estimates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from territory import Customers, Plan, Reps, check_plan, read_plan, route_day, schedule_visits, write_plan
from territory.model.places import PlaceKind, Places
from territory.travel import (
    GreatCircle,
    RawTravel,
    SnappedPlaces,
    TravelBase,
    estimate_notes,
    road_notes,
)  # fmt: skip


class Patchy(TravelBase):
    """A great circle, of which the ways to and from some customers come from a fallback; and far roads."""

    symmetric = True
    fingerprint = "patchy"

    def __init__(self, guessed: set[str], moved_m: dict[str, float] | None = None) -> None:
        self.guessed, self.moved_m = guessed, moved_m or {}

    def raw_matrix(self, origins: Any, destinations: Any) -> RawTravel:
        known = GreatCircle().raw_matrix(origins, destinations)
        a, b = (np.array([i in self.guessed for i in p.id.tolist()]) for p in (origins, destinations))
        estimated = a[:, None] | b[None, :]
        lost = np.array([np.isinf(self.moved_m.get(i, 0.0)) for i in destinations.id.tolist()])
        seconds = np.where(lost[None, :] & (known.seconds > 0), np.inf, known.seconds)
        return RawTravel(seconds, np.where(np.isinf(seconds), np.inf, known.metres), estimated)

    def snap(self, places: Any) -> SnappedPlaces:
        moved = np.array([self.moved_m.get(i, 0.0) for i in places.id.tolist()])
        return SnappedPlaces(np.array(places.lon), np.array(places.lat), moved)


@pytest.fixture
def team() -> tuple[Customers, Reps]:
    customers = Customers(
        id=["a", "b", "c"], lon=[13.5, 13.3, 13.45], lat=[52.5, 52.5, 52.6], visit_interval_days=[7, 14, 14]
    )
    return customers, Reps(id=["R1"], lon=[13.4], lat=[52.5])


def noted(plan: Plan, code: str) -> Any:
    found = [problem for problem in plan.diagnostics if problem.code == code]
    assert len(found) == 1, plan.diagnostics
    return found[0]


def test_drives_that_a_fallback_told_are_marked(team: tuple[Customers, Reps]) -> None:
    source = Patchy({"b"})
    plan = schedule_visits(*team, start="2026-01-05", weeks=2, travel=source)
    names = plan.customers.id[plan.stops.customer_idx].tolist()
    assert plan.stops.estimated is not None
    assert plan.routes.estimated is not None
    for i, name in enumerate(names):
        first = plan.stops.position[i] == 0
        expected = name == "b" or (not first and names[i - 1] == "b")
        assert bool(plan.stops.estimated[i]) == expected
    days = set(plan.stops.day[[name == "b" for name in names]].tolist())
    assert {day for day, told in zip(plan.routes.day.tolist(), plan.routes.estimated, strict=True) if told} == days
    assert noted(plan, "travel-estimated").count == int(plan.stops.estimated.sum())
    assert "estimated" in plan.to_frame().columns
    assert "estimated" in plan.routes_frame().columns


def test_a_way_home_that_is_estimated_marks_the_route_alone(team: tuple[Customers, Reps]) -> None:
    class WayHome(Patchy):
        def raw_matrix(self, origins: Any, destinations: Any) -> RawTravel:
            known = super().raw_matrix(origins, destinations)
            return replace(known, estimated=np.tile(destinations.kind != PlaceKind.CUSTOMER, (len(origins), 1)))

    plan = route_day(*team, day="2026-01-05", travel=WayHome(set()))
    assert plan.stops.estimated is not None
    assert plan.routes.estimated is not None
    assert not plan.stops.estimated.any()
    assert plan.routes.estimated.all()


def test_without_a_fallback_nothing_is_marked(team: tuple[Customers, Reps]) -> None:
    plan = schedule_visits(*team, start="2026-01-05", weeks=1, travel=Patchy(set()))
    assert plan.stops.estimated is None
    assert plan.routes.estimated is None
    assert not [problem for problem in plan.diagnostics if problem.code == "travel-estimated"]


@pytest.mark.parametrize("table", ["stops", "routes"])
def test_a_plan_that_hides_its_estimates_is_found_out(team: tuple[Customers, Reps], table: str) -> None:
    source = Patchy({"b"})
    plan = schedule_visits(*team, start="2026-01-05", weeks=2, travel=source)
    silent = replace(plan, **{table: replace(getattr(plan, table), estimated=None)})
    report = check_plan(silent, travel=source)
    assert {violation.code for violation in report.violations} == {"estimate-untold"}
    # and a mark without an estimate is no better
    report = check_plan(replace(plan, settings=replace(plan.settings, travel="patchy")), travel=Patchy(set()))
    assert {violation.code for violation in report.violations} == {"estimate-untold"}


def test_marks_survive_files_and_frames(team: tuple[Customers, Reps], tmp_path: Any) -> None:
    plan = schedule_visits(*team, start="2026-01-05", weeks=2, travel=Patchy({"b"}))
    write_plan(plan, tmp_path / "plan")
    again = read_plan(tmp_path / "plan")
    assert again.stops.estimated.tolist() == plan.stops.estimated.tolist()
    assert again.routes.estimated.tolist() == plan.routes.estimated.tolist()


def test_places_far_from_roads_are_told(team: tuple[Customers, Reps]) -> None:
    source = Patchy(set(), {"a": 310.0, "b": np.inf, "c": 900.0, "R1": 299.0})
    plan = schedule_visits(*team, start="2026-01-05", weeks=2, travel=source)
    far, lost = noted(plan, "far-from-road"), noted(plan, "off-road")
    assert (far.count, far.rows, lost.count, lost.rows) == (2, (2, 0), 1, (1,))
    assert "900 m" in far.message
    assert set(plan.customers.id[plan.unassigned.customer_idx].tolist()) == {"b"}


def test_rows_are_those_of_the_whole_table() -> None:
    places = Places.of(PlaceKind.CUSTOMER, ["x", "y"], [1.0, 2.0], [1.0, 2.0])
    notes = road_notes(Patchy(set(), {"y": np.inf}), places, "customers", np.array([7, 9], dtype=np.int32))
    assert [note.rows for note in notes] == [(9,)]
    assert road_notes(Patchy(set()), places.take(np.arange(0)), "customers") == ()
    assert estimate_notes(None) == ()
