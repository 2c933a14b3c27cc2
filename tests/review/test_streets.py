"""Lines of routes along streets, and the pictures and files that show them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from territory import Customers, Plan, Reps, schedule_visits
from territory.io import routes_geojson
from territory.maps import plot_route
from territory.maps.payload import report_data
from territory.review.street_lines import streets
from territory.travel import GreatCircle, RouteGeometry, TravelBase

if TYPE_CHECKING:
    from pathlib import Path


class Corners(TravelBase):
    """Legs run east first and then north; nobody gets to where north of 60 is."""

    symmetric = True
    fingerprint = "corners"
    attribution = "© Corners"

    def raw_matrix(self, origins: Any, destinations: Any) -> Any:
        return GreatCircle().raw_matrix(origins, destinations)

    def route_geometry(self, stops: Any) -> RouteGeometry:
        n = len(stops) - 1
        lon, lat = stops.lon, stops.lat
        x = np.column_stack((lon[:-1], lon[1:], lon[1:])).ravel()
        y = np.column_stack((lat[:-1], lat[:-1], lat[1:])).ravel()
        kept = np.repeat(lat[1:] < 60, 3)
        return RouteGeometry(x[kept], y[kept], np.concatenate(([0], np.cumsum(np.where(lat[1:] < 60, 3, 0))))[: n + 1])

    def lines(self) -> RouteGeometry:
        return RouteGeometry(np.array([13.3, 13.5, 13.5]), np.array([52.5, 52.5, 52.6]), np.array([0, 3]))


@pytest.fixture
def plan() -> Plan:
    customers = Customers(id=["a", "b"], lon=[13.5, 13.3], lat=[52.6, 52.5], visit_interval_days=[7, 14])
    reps = Reps(id=["R1"], lon=[13.4], lat=[52.5], end_lon=[13.41], end_lat=[52.51])
    return schedule_visits(customers, reps, start="2026-01-05", weeks=2, travel=Corners())


def test_lines_turn_at_corners_and_pass_every_stop(plan: Plan) -> None:
    found = streets(plan, Corners())
    assert len(found.offsets) == len(plan.routes) + 1
    for i, (rep, day) in enumerate(zip(plan.routes.rep_idx, plan.routes.day, strict=True)):
        line = found.route(i)
        assert line[0].tolist() == [13.4, 52.5]
        assert line[-1].tolist() == [13.41, 52.51]
        step = np.diff(line, axis=0)
        assert ((step == 0).sum(axis=1) == 1).all()  # along one axis, and nowhere on the spot
        here = plan.stops.customer_idx[(plan.stops.rep_idx == rep) & (plan.stops.day == day)]
        for customer in here.tolist():
            at = [plan.customers.lon[customer], plan.customers.lat[customer]]
            assert (line == at).all(axis=1).any()


def test_some_routes_alone(plan: Plan) -> None:
    last = len(plan.routes) - 1
    assert np.array_equal(streets(plan, Corners(), np.array([last])).route(0), streets(plan, Corners()).route(last))
    assert streets(plan, Corners(), np.array([], dtype=int)).lonlat.shape == (0, 2)


def test_a_leg_without_a_way_runs_straight(plan: Plan) -> None:
    class Cut(Corners):
        def route_geometry(self, stops: Any) -> RouteGeometry:
            return RouteGeometry(np.empty(0), np.empty(0), np.zeros(len(stops), dtype=np.int64))

    line = streets(plan, Cut()).route(0)
    assert line.tolist() == [[13.4, 52.5], *line[1:-1].tolist(), [13.41, 52.51]]
    assert len(line) == 2 + int(plan.routes.n_stops[0])


def test_geojson_follows_the_streets(plan: Plan) -> None:
    straight, along = routes_geojson(plan), routes_geojson(plan, travel=Corners())

    def lengths(collection: dict[str, Any]) -> list[int]:
        return [len(f["geometry"]["coordinates"]) for f in collection["features"] if f["properties"]["kind"] == "route"]

    assert all(a > b for a, b in zip(lengths(along), lengths(straight), strict=True))
    assert along["attribution"] == "© Corners"
    assert "attribution" not in straight


def test_the_report_has_lines_and_roads(plan: Plan, tmp_path: Path) -> None:
    data = report_data(plan, Corners())
    key = str(int(plan.routes.rep_idx[0]) * data["days"] + 0)
    steps = np.array(data["streets"][key]).reshape(-1, 2).cumsum(axis=0)
    assert np.array_equal(steps, np.rint(streets(plan, Corners()).route(0) * 1e5).astype(int))
    assert data["roads"] == [[1330000, 5250000, 20000, 0, 0, 10000]]
    assert data["attribution"] == "© Corners"
    assert not {"streets", "attribution"} & set(report_data(plan))
    assert '"streets"' in plan.report(tmp_path / "r.html", travel=Corners()).read_text(encoding="utf-8")
    json.dumps(data, allow_nan=False)


def test_the_picture_follows_the_streets(plan: Plan) -> None:
    pytest.importorskip("matplotlib")
    ax = plot_route(plan.route("R1", plan.routes.day[0]), travel=Corners())
    drawn = max((line.get_xydata() for line in ax.get_lines()), key=len)
    assert np.array_equal(drawn, streets(plan, Corners(), np.array([0])).route(0))
    assert "© Corners" in [text.get_text() for text in ax.texts]
    assert len(ax.collections) > len(plot_route(plan.route("R1", plan.routes.day[0])).collections)
