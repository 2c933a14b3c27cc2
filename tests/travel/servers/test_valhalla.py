"""What is asked of Valhalla, with a double in place of the network: one that answers by what else is asked."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from tests.travel.servers.played import loopback, places_of, send, ways

from territory.errors import InputError, TravelError
from territory.travel.servers import HttpLimits, ValhallaServer

httpx2 = pytest.importorskip("httpx2")

URL = "http://localhost:8002"


class Double:
    """A Valhalla on the roads of the played OSRM; `costmatrix` adds a second for each other place asked."""

    def __init__(self, algorithm="timedistancematrix", moved=0.0):
        self.algorithm, self.moved, self.asked = algorithm, moved, []

    def reply(self, path, body):
        asked = json.loads(body) if body else {}
        self.asked.append((path, asked))
        if path == "/status":
            return {"version": "3.9", "tileset_last_modified": 1_700_000_000}
        if path == "/locate":
            assert asked["verbose"]
            edges = [
                {"correlated_lon": p["lon"], "correlated_lat": p["lat"] + self.moved / 111_195.0}
                for p in asked["locations"]
            ]
            return [{"edges": [edge]} for edge in edges]
        if path == "/route":
            return {"trip": {"legs": [{"shape": "_p~iF~ps|U_ulLnnqC"} for _ in asked["locations"][1:]]}}
        start, end = (np.array([[p["lon"], p["lat"]] for p in asked[side]]) for side in ("sources", "targets"))
        assert len(start) <= len(end)
        metres, seconds = ways(start[:, :1], start[:, 1:], end[:, 0], end[:, 1])
        if self.algorithm == "costmatrix":
            seconds = seconds + len(end)
        table = {"durations": seconds.tolist(), "distances": (metres / 1_000).tolist()}
        return {"sources_to_targets": table, "units": "kilometers", "algorithm": self.algorithm}

    def __call__(self, request):
        return httpx2.Response(200, json=self.reply(request.url.path, request.read()))

    @property
    def tables(self):
        return [asked for path, asked in self.asked if path == "/sources_to_targets"]


def server_of(double, **options):
    return ValhallaServer(URL, transport=httpx2.MockTransport(double), **options)


@pytest.mark.parametrize(("m", "n", "n_requests"), [(1, 1, 1), (50, 50, 1), (51, 50, 2), (3, 700, 1), (700, 3, 14)])
def test_a_table_is_asked_in_parts_with_no_more_sources_than_targets(m, n, n_requests):
    double, origins, destinations = Double(), places_of(m, 1), places_of(n, 2)
    found = server_of(double).raw_matrix(origins, destinations)
    metres, seconds = ways(origins.lon[:, None], origins.lat[:, None], destinations.lon, destinations.lat)
    assert (found.seconds == seconds).all()
    assert np.allclose(found.metres, metres)
    assert len(double.tables) == n_requests
    for asked in double.tables:
        assert len(asked["sources"]) * len(asked["targets"]) <= 2_500
        assert asked["costing"] == "auto"
        assert "date_time" not in asked


@pytest.mark.parametrize("algorithm", ["costmatrix", None])
def test_answers_that_depend_on_the_question_are_remembered(algorithm):
    double, places = Double("costmatrix"), places_of(30, 1)
    if algorithm is None:
        double.reply = lambda path, body, inner=double.reply: {
            name: value for name, value in inner(path, body).items() if name != "algorithm"
        } if path == "/sources_to_targets" else inner(path, body)  # fmt: skip
    travel = server_of(double, max_table=100)
    turned = np.roll(np.arange(30), 3)
    pairs = travel.raw_pairs(places, places.take(turned))
    table = travel.raw_matrix(places, places)
    assert (pairs.seconds == table.seconds[np.arange(30), turned]).all()
    assert (travel.raw_matrix(places.take([4]), places).seconds == table.seconds[4]).all()
    n_asked = len(double.asked)
    again = pickle.loads(pickle.dumps(travel._first_told))  # noqa: S301 - its own
    assert len(again) == 900
    assert (travel.raw_matrix(places, places).seconds == table.seconds).all()
    assert len(double.asked) == n_asked, "what is remembered is not asked again"
    fresh = server_of(double, max_table=400).raw_matrix(places, places)
    assert (fresh.seconds != table.seconds).any(), "the double does answer by what else is asked"


def test_the_memory_of_such_answers_is_bounded():
    double, places = Double("costmatrix"), places_of(10, 1)
    travel = server_of(double, max_pairs=60)
    with pytest.raises(TravelError, match=r"no more than 60 pairs .* thor.source_to_target_algorithm"):
        travel.raw_matrix(places, places)
    assert travel.raw_pairs(places, places).seconds.shape == (10,)
    server_of(Double(), max_pairs=0).raw_matrix(places, places)


def test_places_are_located_once_and_asked_at_the_road():
    double, places = Double(moved=500.0), places_of(20, 1)
    travel = server_of(double)
    travel.raw_matrix(places, places)
    travel.raw_pairs(places, places)
    snapped = travel.snap(places)
    assert [path for path, _ in double.asked].count("/locate") == 1
    assert np.allclose(snapped.moved_m, 500, rtol=1e-3)
    asked = double.tables[0]["sources"]
    assert [(p["lon"], p["lat"]) for p in asked] == list(zip(snapped.lon.tolist(), snapped.lat.tolist(), strict=True))
    assert {p["node_snap_tolerance"] for p in asked} == {0}


def test_places_off_the_road_are_not_asked_about():
    double, places = Double(moved=1_500.0), places_of(3, 1)
    travel = server_of(double)
    found = travel.matrix(places, places)
    assert found.reachable.tolist() == np.eye(3, dtype=bool).tolist()
    assert double.tables == []
    assert not travel.snap(places).on_road.any()
    assert (travel.snap(places).lat == places.lat).all()
    assert np.diff(travel.route_geometry(places).offsets).tolist() == [0, 0]


def test_departure_and_mode_are_asked_for():
    double, places = Double(), places_of(4, 1)
    travel = server_of(double, mode="foot", departure="2026-01-06T08:00")
    found = travel.matrix(places, places)
    assert found.departure_s == 28_800.0
    assert travel.pairs(places, places).departure_s == 28_800.0
    assert double.tables[0]["costing"] == "pedestrian"
    assert double.tables[0]["date_time"] == {"type": 1, "value": "2026-01-06T08:00"}
    assert len(travel.route_geometry(places)) == 3
    routes = [asked for path, asked in double.asked if path == "/route"]
    assert [len(asked["locations"]) for asked in routes] == [2, 2, 2], "each leg begins at the time of departure"
    assert travel.fingerprint == (
        f"valhalla-server {URL} mode=foot departure=2026-01-06T08:00 data=3.9 1700000000 most_moved_m=1000.0"
    )


def test_no_way_at_all_is_no_error():
    double, places = Double(), places_of(4, 1)

    def answer(request):
        if request.url.path != "/sources_to_targets":
            return double(request)
        return httpx2.Response(400, json={"error_code": 442, "error": "No path could be found for input"})

    found = ValhallaServer(URL, transport=httpx2.MockTransport(answer)).matrix(places, places)
    assert found.reachable.tolist() == np.eye(4, dtype=bool).tolist()


def test_the_short_reply_has_distances_where_there_is_no_way():
    double, places = Double(), places_of(4, 1)

    def answer(request):
        reply = double.reply(request.url.path, request.read())
        if request.url.path == "/sources_to_targets":
            reply["sources_to_targets"]["durations"][1][2] = None
        return httpx2.Response(200, json=reply)

    found = ValhallaServer(URL, transport=httpx2.MockTransport(answer)).raw_matrix(places, places)
    assert np.isinf(found.metres[1, 2])
    assert np.isinf(found.seconds).sum() == np.isinf(found.metres).sum() == 1


@pytest.mark.parametrize(("options", "name"), [
    ({"mode": "plane"}, "mode"), ({"departure": "8 o'clock"}, "departure"), ({"max_table": 0}, "max_table"),
    ({"max_stops": 1}, "max_stops"), ({"max_pairs": -1}, "max_pairs"), ({"most_moved_m": -1}, "most_moved_m"),
])  # fmt: skip
def test_bad_parameters(options, name):
    with pytest.raises(InputError, match=name):
        ValhallaServer(URL, **options)


def change(**cells):
    def changed(reply):
        table = reply["sources_to_targets"]
        for name, value in cells.items():
            table[name] = value(table[name])
        return reply

    return changed


FAULTS = {
    "refusal": (400, lambda _: {"error_code": 154, "error": "Path distance exceeds the max"}, 1, "status 400.*154"),
    "500": (500, lambda _: {}, 2, "status 500"),
    "503": (503, lambda _: {}, 3, "status 503"),
    "rows missing": (200, change(durations=lambda t: t[1:]), 1, "Valhalla's durations have 3 entries, expected 4"),
    "negative": (200, change(distances=lambda t: [[-1.0, *t[0][1:]], *t[1:]]), 1, "Valhalla's distances hold"),
    "NaN": (200, change(durations=lambda t: [[float("nan"), *t[0][1:]], *t[1:]]), 1, "NaN in a reply"),
    "miles": (200, lambda reply: {**reply, "units": "miles"}, 1, "Valhalla's units are 'miles'"),
    "list": (200, lambda _: [], 1, "Valhalla's reply is"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_a_server_on_the_loopback(name):
    status, changed, n_requests, said = FAULTS[name]
    double = Double()

    def answer(handler, _n):
        reply = double.reply(handler.path, handler.body)
        if handler.path == "/sources_to_targets":
            send(handler, json.dumps(changed(reply)), status=status)
        else:
            send(handler, reply)

    quick = HttpLimits(read_s=1, total_s=5, attempts=3, first_wait_s=0.01, most_wait_s=0.02)
    with loopback(answer) as server:
        travel = ValhallaServer(server.url, limits=quick)
        with pytest.raises(TravelError, match=f"^Valhalla at {server.url}: .*{said}"):
            travel.matrix(places_of(4), places_of(4))
    assert len(double.tables) == n_requests
