"""Real servers of OSRM and Valhalla on the loopback say what the same engines say in this process."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest
from tests.travel.servers.started import SOON, osrm_routed, valhalla_service

from territory.errors import TravelError
from territory.model.places import PlaceKind, Places
from territory.travel.servers import OsrmServer, ValhallaServer

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="the engines need Python 3.12 or newer")


def places_of(n, seed):
    """Places in and around Liechtenstein: in the valley, on mountains, and some far off every road."""
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(9.47, 9.63, n).round(6), rng.uniform(47.05, 47.27, n).round(6)
    return Places.of(PlaceKind.CUSTOMER, [f"c{i}" for i in range(n)], lon, lat)


@pytest.fixture(scope="module")
def extract(real_data):
    return real_data / "osm" / "liechtenstein.osm.pbf"


@pytest.fixture(scope="module")
def osrm_here(extract, tmp_path_factory):
    pytest.importorskip("osrm", reason="osrm-bindings is not installed")
    from territory.travel.engines import Osrm  # noqa: PLC0415 - needs it

    return Osrm.from_osm(extract, folder=tmp_path_factory.mktemp("osrm"))


@pytest.fixture(scope="module")
def osrm_url(osrm_here, tmp_path_factory):
    with osrm_routed(osrm_here.graph, tmp_path_factory.mktemp("routed")) as url:
        yield url


@pytest.fixture(scope="module")
def valhalla_here(extract, tmp_path_factory):
    pytest.importorskip("valhalla", reason="pyvalhalla is not installed")
    from territory.travel.engines import Valhalla  # noqa: PLC0415 - needs it

    return Valhalla.from_osm(extract, folder=tmp_path_factory.mktemp("valhalla"))


@pytest.fixture(scope="module", params=["timedistancematrix", "costmatrix"])
def valhalla_url(request, valhalla_here, tmp_path_factory):
    """Start a server; one as it comes uses ``costmatrix``."""
    with valhalla_service(valhalla_here.tiles, tmp_path_factory.mktemp("service"), request.param) as url:
        yield url


def same(found, expected):
    assert (found.seconds == expected.seconds).all()
    assert (found.metres == expected.metres).all()


def test_osrm_tables_in_parts_are_those_of_one_process(osrm_here, osrm_url):
    travel = OsrmServer(osrm_url, limits=SOON)
    origins, destinations = places_of(150, 1), places_of(110, 2)
    expected = osrm_here.raw_matrix(origins, destinations)
    assert 0.1 < np.isfinite(expected.seconds).mean() < 0.9, "some places are off every road"
    same(travel.raw_matrix(origins, destinations), expected)
    same(travel.raw_matrix(origins, origins), osrm_here.raw_matrix(origins, origins))
    same(travel.raw_matrix(origins.take([0]), destinations), osrm_here.raw_matrix(origins.take([0]), destinations))
    small = OsrmServer(osrm_url, max_table=20, limits=SOON)
    few = np.arange(40)
    same(
        small.raw_matrix(origins.take(few), destinations.take(few)),
        osrm_here.raw_matrix(origins.take(few), destinations.take(few)),
    )


def test_osrm_pairs_are_the_diagonal(osrm_here, osrm_url):
    travel = OsrmServer(osrm_url, limits=SOON)
    places = places_of(200, 3)
    there = places.take(np.roll(np.arange(200), 1))
    found = travel.raw_pairs(places, there)
    same(found, osrm_here.raw_pairs(places, there))
    whole = travel.raw_matrix(places, there)
    assert (found.seconds == np.diagonal(whole.seconds)).all()


def test_osrm_lines_and_points_on_roads(osrm_here, osrm_url):
    travel = OsrmServer(osrm_url, max_table=24, limits=SOON)
    stops = places_of(60, 4)
    found, expected = travel.snap(stops), osrm_here.snap(stops)
    assert np.allclose(found.lon, expected.lon, atol=1e-9)
    assert np.allclose(found.lat, expected.lat, atol=1e-9)
    assert np.allclose(found.moved_m, expected.moved_m)
    line, other = travel.route_geometry(stops), osrm_here.route_geometry(stops)
    assert (line.offsets == other.offsets).all()
    assert np.allclose(line.lon, other.lon, atol=1e-9)
    assert len(line.lon) > 100


def test_osrm_refuses_tables_that_are_larger_than_it_allows(osrm_url):
    travel = OsrmServer(osrm_url, max_table=200, limits=SOON)
    with pytest.raises(TravelError, match=r"refused with status 400: .*TooBig"):
        travel.raw_matrix(places_of(150, 1), places_of(150, 1))


def test_osrm_over_http_pickles(osrm_url):
    travel = OsrmServer(osrm_url, limits=SOON)
    places = places_of(10, 5)
    first = travel.raw_matrix(places, places)
    again = pickle.loads(pickle.dumps(travel))  # noqa: S301 - its own
    same(again.raw_matrix(places, places), first)
    assert (
        again.fingerprint
        == travel.fingerprint
        == (f"osrm-server {osrm_url} mode=car profile=car data=unknown most_moved_m=1000.0")
    )


def steady(request):
    return "timedistancematrix" in request.node.callspec.id


@pytest.mark.parametrize(("mode", "n"), [("car", 30), ("bicycle", 14), ("foot", 14)])
def test_valhalla_says_what_it_says_in_this_process(valhalla_here, valhalla_url, request, mode, n):
    here = type(valhalla_here)(valhalla_here.tiles, mode=mode)
    travel = ValhallaServer(valhalla_url, mode=mode, limits=SOON, max_table=150)
    places = places_of(n, 6)
    found, expected = travel.snap(places), here.snap(places)
    assert (found.moved_m == expected.moved_m).all()
    assert (found.lon == expected.lon).all()
    table, other = travel.raw_matrix(places, places), here.raw_matrix(places, places)
    assert 0.05 < np.isfinite(table.seconds).mean() < 0.95, "some places are off every road"
    if steady(request):
        same(table, other)
    else:
        there = np.isfinite(other.seconds) & np.isfinite(table.seconds)
        assert (np.isfinite(table.seconds) == np.isfinite(other.seconds)).mean() > 0.9
        assert np.median(abs(table.seconds[there] - other.seconds[there])) < 1.0
    # whatever the server does, the same question has the same answer
    turned = np.roll(np.arange(n), 2)
    pairs = travel.raw_pairs(places, places.take(turned))
    assert (pairs.seconds == table.seconds[np.arange(n), turned]).all()
    some = np.array([3, 1, 13])
    assert (travel.raw_matrix(places.take(some), places).metres == table.metres[some]).all()
    assert (travel.raw_matrix(places, places.take(some)).metres == table.metres[:, some]).all()
    again = pickle.loads(pickle.dumps(travel))  # noqa: S301 - its own
    assert (again.raw_pairs(places, places.take(turned)).seconds == pairs.seconds).all()
    if steady(request):
        fresh = ValhallaServer(valhalla_url, mode=mode, limits=SOON)
        assert (fresh.raw_pairs(places, places.take(turned)).seconds == pairs.seconds).all()
        assert (fresh.raw_matrix(places, places.take(some)).metres == table.metres[:, some]).all()


def test_valhalla_lines_and_version(valhalla_here, valhalla_url):
    travel = ValhallaServer(valhalla_url, limits=SOON, max_stops=7)
    stops = places_of(16, 7)
    line, other = travel.route_geometry(stops), valhalla_here.route_geometry(stops)
    assert (line.offsets == other.offsets).all()
    assert (line.lon == other.lon).all()
    assert len(line.lon) > 50
    assert travel.fingerprint.startswith(f"valhalla-server {valhalla_url} mode=car departure=None data=3.")


def test_valhalla_by_departure(valhalla_url):
    places = places_of(5, 9)
    travel = ValhallaServer(valhalla_url, departure="2026-01-06T08:00", limits=SOON)
    found = travel.matrix(places, places)
    assert found.departure_s == 28_800.0
    assert "departure=2026-01-06T08:00" in travel.fingerprint


def test_valhalla_refuses_tables_that_are_larger_than_it_allows(valhalla_url):
    travel = ValhallaServer(valhalla_url, max_table=10_000, limits=SOON)
    places = places_of(110, 10)
    with pytest.raises(TravelError, match=r"refused with status 400: .*Exceeded max locations.*150"):
        travel.raw_matrix(places, places)
