"""A day as GPX, and as links to Google Maps."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import gpxpy
import pytest

from territory.errors import InputError
from territory.io import google_maps_links, route_gpx

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.model import Plan


def test_gpx_has_a_waypoint_a_visit_and_the_route_with_times(plan: Plan) -> None:
    text = route_gpx(plan, "R1", "2026-01-05")
    gpx = gpxpy.parse(text)
    assert [(w.latitude, w.longitude, w.name) for w in gpx.waypoints] == [
        (52.5, 13.4, "1 Bäckerei; <b>&"),
        (52.51, 13.41, "2 NA"),
    ]
    (route,) = gpx.routes
    assert [p.name for p in route.points] == ["Start", "1 Bäckerei; <b>&", "2 NA", "End"]
    assert [p.time for p in route.points] == [
        dt.datetime(2026, 1, 5, *clock, tzinfo=dt.UTC) for clock in ((8, 49), (9, 0), (10, 0), (11, 0))
    ]
    assert (route.points[0].latitude, route.points[-1].longitude) == (52.52, 13.4)
    assert text == route_gpx(plan, "R1", "2026-01-05")
    assert 'version="1.1"' in text
    assert "<b>" not in text  # names with HTML or script are escaped


def test_gpx_of_ids_that_xml_cannot_hold(plan: Plan) -> None:
    gpx = gpxpy.parse(route_gpx(plan, "r/2", "2026-01-05"))
    assert [w.name for w in gpx.waypoints] == ["1 D\N{REPLACEMENT CHARACTER}", "2 E, F"]
    assert gpx.waypoints[1].description == "日本/..\N{REPLACEMENT CHARACTER}😀"
    assert (gpx.routes[0].points[-1].latitude, gpx.routes[0].points[-1].longitude) == (52.45, 13.75)


def test_a_day_without_visits_or_an_unknown_rep(plan: Plan) -> None:
    for function in (route_gpx, google_maps_links):
        with pytest.raises(InputError, match="no visits"):
            function(plan, "R1", "2026-01-06")
        with pytest.raises(InputError, match="unknown reps"):
            function(plan, "R9", "2026-01-05")


def places(url: str) -> list[str]:
    query = parse_qs(urlsplit(url).query)
    return [*query["origin"], *(p for w in query.get("waypoints", []) for p in w.split("|")), *query["destination"]]


def test_links_say_latitude_first_and_are_encoded(plan: Plan) -> None:
    (url,) = google_maps_links(plan, "R1", "2026-01-05")
    assert url == (
        "https://www.google.com/maps/dir/?api=1&origin=52.520000%2C13.400000&destination=52.520000%2C13.400000"
        "&waypoints=52.500000%2C13.400000%7C52.510000%2C13.410000&travelmode=driving"
    )


@pytest.mark.parametrize("n", [1, 8, 9, 10, 11, 35, 200])
@pytest.mark.parametrize("most", [0, 1, 3, 9, 500])
def test_links_are_cut_at_the_limit_and_join_end_to_start(make_plan: Callable[..., Plan], n: int, most: int) -> None:
    stops = [(0, "2026-01-05", i % 5, f"{8 + i // 60:02d}:{i % 60:02d}") for i in range(n)]
    plan = make_plan(stops)
    links = google_maps_links(plan, "R1", "2026-01-05", max_waypoints=most)
    parts = [places(url) for url in links]
    assert all(len(url) < 2048 for url in links)
    assert all(len(part) <= most + 2 for part in parts)
    assert all(one[-1] == other[0] for one, other in itertools.pairwise(parts))
    whole = [parts[0][0], *(place for part in parts for place in part[1:])]
    lat = plan.customers.lat[plan.stops.customer_idx]
    assert [float(place.split(",")[0]) for place in whole[1:-1]] == pytest.approx(lat)
    assert whole[0] == whole[-1] == "52.520000,13.400000"


@pytest.mark.parametrize("most", [-1, 1.5, True, None])
def test_bad_limits(plan: Plan, most: object) -> None:
    with pytest.raises(InputError, match="max_waypoints"):
        google_maps_links(plan, "R1", "2026-01-05", max_waypoints=most)  # type: ignore[arg-type]
