"""What is asked of OSRM, and how the answers are put together, with a double in place of the network."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
from tests.travel.servers.played import asked_of, is_probe, osrm_reply, places_of, ways

from territory.errors import InputError, TravelError
from territory.model.places import PlaceKind, Places
from territory.travel.servers import HttpLimits, OsrmServer

httpx2 = pytest.importorskip("httpx2")

URL = "http://localhost:5000"


class Double:
    """An OSRM that keeps what it was asked."""

    def __init__(self, **options):
        self.asked, self.options = [], options

    def __call__(self, request):
        path = request.url.raw_path.decode()
        self.asked.append(path)
        status, data = osrm_reply(path, **self.options)
        return httpx2.Response(status, json=data)

    @property
    def tables(self):
        return [path for path in self.asked if not is_probe(path)]


def server_of(double, url=URL, **options):
    return OsrmServer(url, transport=httpx2.MockTransport(double), **options)


def is_right(found, origins, destinations):
    metres, seconds = ways(origins.lon[:, None], origins.lat[:, None], destinations.lon, destinations.lat)
    return (found.seconds == seconds).all() and (found.metres == metres).all()


@pytest.mark.parametrize(("m", "n", "n_requests"), [(1, 1, 1), (20, 30, 1), (96, 96, 16), (1, 400, 5), (100, 7, 2)])
def test_a_table_is_asked_in_as_few_parts_as_fit(m, n, n_requests):
    double, origins, destinations = Double(), places_of(m, 1), places_of(n, 2)
    assert is_right(server_of(double).raw_matrix(origins, destinations), origins, destinations)
    if (m, n) == (96, 96):
        assert len(double.tables) == 4, "two sides of 96 points, 96 at a time"
    else:
        assert len(double.tables) == n_requests
    assert len(double.asked) == len(double.tables) + 1
    for path in double.tables:
        _, points, _ = asked_of(path)
        assert len(points) <= 100


def test_points_on_both_sides_are_sent_once():
    double, places = Double(), places_of(96, 1)
    assert is_right(server_of(double).raw_matrix(places, places), places, places)
    assert len(double.tables) == 1


def test_one_set_of_anchors_is_in_every_table():
    double, places = Double(), places_of(150, 1)
    travel = server_of(double)
    travel.raw_matrix(places, places)
    travel.raw_pairs(places, places)
    starts = {tuple(asked_of(path)[1][:3]) for path in double.tables}
    assert starts == {((-160.0, -60.0), (160.0, -60.0), (-160.0, 60.0))}
    assert sum(map(is_probe, double.asked)) == 1


@pytest.mark.parametrize("max_url_bytes", [1_000, 2_500, 8_000])
def test_no_address_is_longer_than_allowed(max_url_bytes):
    west = places_of(300 if max_url_bytes == 8_000 else 70, 1, west=-179.9, south=-89.9)
    double = Double(most=10_000)
    travel = server_of(double, url=f"{URL}?key=abcdefgh", max_coordinates=5_000, max_url_bytes=max_url_bytes)
    assert is_right(travel.raw_matrix(west, west), west, west)
    longest = max(len(URL) + len(path) for path in double.tables)
    assert max_url_bytes * 0.6 < longest <= max_url_bytes
    assert all("key=abcdefgh" in path for path in double.asked)


def test_a_table_has_no_more_legs_than_the_square_of_the_limit():
    double, places = Double(most=10_000), places_of(60, 1)
    assert is_right(server_of(double, max_table=20, max_coordinates=200).raw_matrix(places, places), places, places)
    for path in double.tables:
        _, _, options = asked_of(path)
        assert len(options["sources"].split(";")) * len(options["destinations"].split(";")) <= 400


def test_nothing_but_rounded_coordinates_is_sent():
    places = Places.of(PlaceKind.CUSTOMER, ["secret", "id"], [9.12345678, 9.5], [47.98765432, 47.5])
    double = Double()
    server_of(double, mode="bicycle").raw_matrix(places, places)
    for path in double.tables:
        assert re.fullmatch(r"/table/v1/bike/(-?\d+\.\d{6},-?\d+\.\d{6};?)+\?[a-z_=&,;0-9]*", path)
        assert "9.123457,47.987654" in path
    server_of(double, profile="my-truck_1").raw_matrix(places, places)
    assert double.asked[-1].startswith("/table/v1/my-truck_1/")


def test_pairs_are_small_tables():
    double, places = Double(), places_of(300, 1)
    travel = server_of(double)
    there = places.take(np.roll(np.arange(300), -1))
    found = travel.raw_pairs(places, there)
    metres, seconds = ways(places.lon, places.lat, there.lon, there.lat)
    assert (found.seconds == seconds).all()
    assert (found.metres == metres).all()
    assert len(double.tables) == 4
    one = places.take(np.zeros(500, dtype=int))
    travel.raw_pairs(one, one)
    assert len(double.tables) == 5, "the same pair is asked once"


def test_a_place_is_no_way_from_itself_however_often_it_occurs():
    places = places_of(5, 1).take([0, 1, 0, 2])
    found = server_of(Double()).raw_matrix(places, places)
    assert found.seconds[0, 2] == found.seconds[2, 0] == found.seconds[0, 0] == 0.0


def test_lines_go_along_all_legs_in_chunks():
    double, stops = Double(), places_of(250, 1)
    line = server_of(double).route_geometry(stops)
    assert len(line) == 249
    lon, lat = line.leg(200)
    assert lon.tolist() == stops.lon[[200, 201, 201]].tolist()
    assert lat.tolist() == stops.lat[[200, 200, 201]].tolist()
    assert sum(path.startswith("/route") for path in double.asked) == 3


def test_snapping_asks_each_point_once():
    double, places = Double(moved=lambda lon, _: 5.0 if lon < 9.5 else 2_000.0), places_of(200, 1)
    found = server_of(double).snap(places)
    assert (found.on_road == (places.lon < 9.5)).all()
    assert len(double.tables) == 3


def test_nothing_asked_makes_no_request():
    double, none = Double(), places_of(0)
    travel = server_of(double)
    assert travel.raw_matrix(none, places_of(3)).seconds.shape == (0, 3)
    assert travel.raw_pairs(none, none).seconds.shape == (0,)
    assert len(travel.route_geometry(none)) == 0
    assert len(travel.snap(none).lon) == 0
    assert double.asked == []


def test_the_fingerprint_says_what_the_answers_depend_on():
    double = Double(version="2026-11-01")
    url = "http://me:hunter22@localhost:5000/osrm?key=abcdefgh"
    travel = server_of(double, url)
    assert travel.fingerprint == (
        "osrm-server http://localhost:5000/osrm mode=car profile=car data=2026-11-01 most_moved_m=1000.0"
    )
    assert "hunter22" not in repr(travel)
    given = server_of(double, data_version="mine", mode="foot", most_moved_m=50)
    n_asked = len(double.asked)
    assert given.fingerprint == "osrm-server http://localhost:5000 mode=foot profile=foot data=mine most_moved_m=50.0"
    assert len(double.asked) == n_asked, "who says the version is asked nothing"


def test_the_fingerprint_of_a_server_that_is_down_stays():
    works = False

    def answer(request):
        if not works:
            raise httpx2.ConnectError("refused")
        return Double(version="7")(request)

    travel = OsrmServer(URL, transport=httpx2.MockTransport(answer), limits=HttpLimits(attempts=1))
    assert "data=unknown" in travel.fingerprint
    works = True
    travel.raw_matrix(places_of(2), places_of(2))
    assert "data=unknown" in travel.fingerprint


def test_data_that_change_meanwhile_are_an_error():
    double, places = Double(version="1"), places_of(3)
    travel = server_of(double)
    travel.raw_matrix(places, places)
    double.options["version"] = "2"
    with pytest.raises(TravelError, match="changed from version '1' to '2'"):
        travel.raw_matrix(places, places)


@pytest.mark.parametrize(("options", "name"), [
    ({"mode": "plane"}, "mode"), ({"profile": "a/b"}, "profile"), ({"profile": ""}, "profile"),
    ({"most_moved_m": -1}, "most_moved_m"), ({"most_moved_m": float("nan")}, "most_moved_m"),
    ({"max_table": 10}, "max_coordinates"), ({"max_table": 2.5}, "max_table"), ({"max_coordinates": 7}, "max_coord"),
    ({"max_url_bytes": 10}, "max_url_bytes"), ({"url": "localhost"}, "url"), ({"headers": {"a": "b\n"}}, "headers"),
])  # fmt: skip
def test_bad_parameters(options, name):
    with pytest.raises(InputError, match=name):
        OsrmServer(**{"url": URL, **options})


def test_places_without_coordinates_are_refused_before_anything_is_asked():
    double, places = Double(), Places.of(PlaceKind.CUSTOMER, ["a"], [np.nan], [47.0])
    for ask in (
        lambda travel: travel.raw_matrix(places, places),
        lambda travel: travel.raw_pairs(places, places),
        lambda travel: travel.snap(places),
    ):
        with pytest.raises(InputError, match="not a finite number"):
            ask(server_of(double))
    assert double.asked == []


def test_it_pickles_with_what_it_knows():
    travel = OsrmServer(URL, data_version="x", headers={"X-Key": "abcdefgh"}, limits=HttpLimits(read_s=7))
    again = pickle.loads(pickle.dumps(travel))  # noqa: S301 - its own
    assert again.fingerprint == travel.fingerprint
    assert again._client.limits == travel._client.limits
    assert again._client.address == travel._client.address
