"""Servers that fail, played on the loopback: how often they are asked, what is said, and that nothing wrong comes back.

Every fault is played at the first request already, and again only after the server has begun well.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import time

import numpy as np
import pytest
from tests.travel.servers.played import is_probe, loopback, osrm_reply, places_of, send, send_osrm, ways

from territory.errors import TravelError
from territory.model.places import Places
from territory.travel.cache import CachedTravel
from territory.travel.fallback import FallbackTravel
from territory.travel.great_circle import GreatCircle
from territory.travel.servers import HttpLimits, OsrmServer

pytest.importorskip("httpx2")

PLACES = places_of(5)
QUICK = {"connect_s": 1.0, "read_s": 0.25, "total_s": 5.0, "attempts": 3, "first_wait_s": 0.01, "most_wait_s": 0.05,
         "max_reply_bytes": 100_000}  # fmt: skip


def changed(**values):
    """Send the right reply, but with some members changed; None leaves one out."""

    def answer(handler, _n):
        _, data = osrm_reply(handler.path)
        for name, value in values.items():
            data[name] = value(data[name]) if callable(value) else value
            if data[name] is None:
                del data[name]
        send(handler, json.dumps(data))

    return answer


def first_cell(value):
    def change(table):
        return [[value, *table[0][1:]], *table[1:]]

    return change


def hang(handler, _n):
    handler.server.over.wait(2)


def stammer(handler, _n):
    """Send a byte now and then, so that no single read is ever late."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while not handler.server.over.wait(0.05):
        handler.wfile.write(b"a")


def trickle(handler, _n):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n")
    while not handler.server.over.wait(0.05):
        handler.wfile.write(b" ")


def refused(code, **headers):
    return lambda handler, _n: send(handler, "{}", status=code, **headers)


def truncated(handler, _n):
    body = json.dumps(osrm_reply(handler.path)[1])
    send(handler, body[: len(body) // 2])


def cut_off(handler, _n):
    """Promise more than is sent."""
    body = json.dumps(osrm_reply(handler.path)[1])
    send(handler, body[: len(body) // 2], length=len(body))
    handler.close_connection = True


def page(handler, _n):
    send(handler, "<!DOCTYPE html><html><head><title>Log in</title></head></html>", kind="text/html")


def page_in_disguise(handler, _n):
    send(handler, "\n<html><title>Log in</title></html>")


def reset(handler, _n):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def hung_up(handler, _n):
    handler.close_connection = True


def gibberish(handler, _n):
    handler.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")
    handler.close_connection = True


def elsewhere(handler, _n):
    send(handler, "{}", status=302, Location="http://example.com/table/v1/car/0,0;1,1?token=abc")


def to_itself(handler, _n):
    send(handler, "{}", status=302, Location=handler.path)


def long(handler, _n):
    send(handler, "[" + "1," * 60_000 + "1]")


def endless(handler, _n):
    """A body without an announced length that does not end."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    while not handler.server.over.is_set():
        handler.wfile.write(b" " * 20_000)


BOMB = gzip.compress(b"[" + b"0," * 50_000_000 + b"0]", 9)


def bomb(handler, _n):
    send(handler, BOMB, Content_Encoding="gzip")


def nested(handler, _n):
    send(handler, "[" * 50_000)


DOWN = "connection failed"
FAULTS = {
    "hangs": (hang, 3, "timed out: silent for 0.25 s", True),
    "slow headers": (stammer, 1, "timed out: no whole reply within 0.6 s", True),
    "slow body": (trickle, 1, "no whole reply within 0.6 s|does not end in time", True),
    "429": (refused(429), 3, "status 429 Too Many Requests", True),
    "429 for long": (refused(429, Retry_After="3600"), 1, "429 .*to be asked again after 3600 s", True),
    "503 until a date": (refused(503, Retry_After="Fri, 31 Dec 2199 23:59:59 GMT"), 1, "503 .*asked again after", True),
    "500": (refused(500), 2, "status 500 Internal Server Error", True),
    "502": (refused(502), 3, "status 502 Bad Gateway", True),
    "403": (refused(403), 1, "status 403 Forbidden", False),
    "404": (refused(404), 1, "refused with status 404", False),
    "400 with a code": (
        lambda h, _n: send(h, {"code": "InvalidQuery", "message": "Query string malformed"}, status=400),
        1, "refused with status 400.*InvalidQuery.*Query string malformed", False,
    ),
    "200 with a code": (changed(code="TooBig", message="Too many"), 1, "OSRM refused: 'TooBig'", False),
    "no code": (changed(code=None), 1, "OSRM refused: None", False),
    "truncated JSON": (truncated, 2, "broken off or no JSON", True),
    "cut off": (cut_off, 3, DOWN, True),
    "empty": (lambda h, _n: send(h, ""), 2, "an empty reply", True),
    "HTML with 200": (page, 1, "an HTML page instead of JSON, with status 200: 'Log in'", False),
    "HTML as JSON with 200": (page_in_disguise, 1, "an HTML page instead of JSON, with status 200: 'Log in'", False),
    "reset": (reset, 3, DOWN, True),
    "hung up": (hung_up, 3, DOWN, True),
    "gibberish": (gibberish, 3, DOWN, True),
    "redirect to another host": (elsewhere, 1, "redirect to another host, http://example.com:80, not followed$", False),
    "redirect to itself": (to_itself, 2, "redirected again after one redirect", False),
    "oversized": (long, 1, "120,002 bytes, more than the limit of 100,000|a reply of 120,003 bytes", False),
    "endless": (endless, 1, "more than the limit of 100,000 bytes", False),
    "gzip bomb": (bomb, 1, "more than the limit of 100,000 bytes", False),
    "nested": (nested, 1, "nested too deeply", False),
    "NaN": (changed(durations=first_cell(float("nan"))), 1, "NaN in a reply", False),
    "infinity": (changed(durations=first_cell(float("inf"))), 1, "Infinity in a reply", False),
    "no object": (lambda h, _n: send(h, [1, 2]), 1, "OSRM's reply is", False),
    "null": (lambda h, _n: send(h, "null"), 1, "OSRM's reply is None", False),
    "waypoints missing": (changed(destinations=None), 1, "OSRM's destinations are None", False),
    "a waypoint too few": (changed(destinations=lambda w: w[1:]), 1, "OSRM's destinations have", False),
    "a waypoint off the globe": (
        changed(destinations=lambda w: [{**w[0], "location": [500.0, 0.0]}, *w[1:]]), 1, "leave the globe", False,
    ),
    "another version": (
        lambda h, n: send_osrm(h, version=f"v{n}"), 2, "its data changed from version 'v1' to 'v2' meanwhile", False,
    ),
}  # fmt: skip
IN_TABLES = {
    "wrong shape": (changed(durations=lambda t: t[1:]), 1, "OSRM's durations have 4 entries, expected 5", False),
    "ragged": (
        changed(durations=lambda t: [t[0][1:], *t[1:]]),
        1,
        "OSRM's durations have 4 entries, expected 5",
        False,
    ),
    "transposed": (changed(distances=lambda t: [[c for row in t for c in row]]), 1, "have 1 entries", False),
    "no durations": (changed(durations=None), 1, "OSRM's durations are None", False),
    "negative": (changed(durations=first_cell(-1.0)), 1, "OSRM's durations hold", False),
    "text": (changed(durations=first_cell("7")), 1, "OSRM's durations hold .*str", False),
    "true": (changed(durations=first_cell(True)), 1, "OSRM's durations hold bool", False),
    "huge": (changed(distances=first_cell(1e300)), 1, "OSRM's distances hold", False),
    "overflow": (changed(distances=first_cell(10**400)), 1, "OSRM's distances hold an endless number", False),
    "half a null": (changed(durations=first_cell(None)), 1, "durations without distances", False),
    "a source too many": (changed(sources=lambda w: [*w, w[0]]), 1, "OSRM's sources have 6 entries", False),
}
EVERY = [(name, False) for name in FAULTS] + [
    (name, True) for name in (*FAULTS, *IN_TABLES) if name != "another version"
]


@pytest.mark.parametrize(("name", "begins_well"), EVERY, ids=str)
def test_a_fault(name, begins_well):
    play, n_requests, said, retryable = {**FAULTS, **IN_TABLES}[name]

    def answer(handler, n):
        if begins_well and n == 1:
            assert is_probe(handler.path)
            send_osrm(handler)
        else:
            play(handler, n)

    limits = {**QUICK, "total_s": 0.6} if name.startswith("slow") else QUICK
    with loopback(answer) as server:
        travel = OsrmServer(server.url, limits=HttpLimits(**limits), data_version="test")
        begun = time.monotonic()
        with pytest.raises(TravelError, match=f"(?s)^OSRM at {server.url}: .*{said}") as caught:
            travel.matrix(PLACES, PLACES)
        assert time.monotonic() - begun < 2.0
        assert len(server.paths) == n_requests + begins_well
        assert caught.value.retryable == retryable
        assert "token" not in str(caught.value)
        safe = FallbackTravel(travel, GreatCircle())
        if name not in {"hangs", "slow headers", "slow body"}:
            found = safe.matrix(PLACES, PLACES)
            assert found.estimated is not None
            assert found.estimated.all()
            assert (found.durations_s == GreatCircle().matrix(PLACES, PLACES).durations_s).all()
            assert len(safe.failures) == 1


def test_nulls_are_places_without_a_way():
    def no_way_to_the_third(table):
        return [[None if j == 2 and i != 2 else cell for j, cell in enumerate(row)] for i, row in enumerate(table)]

    answer = changed(durations=no_way_to_the_third, distances=no_way_to_the_third)
    with loopback(lambda h, n: send_osrm(h) if is_probe(h.path) else answer(h, n)) as server:
        found = OsrmServer(server.url, limits=HttpLimits(**QUICK)).matrix(PLACES, PLACES)
    expected = np.ones((5, 5), dtype=bool)
    expected[[0, 1, 3, 4], 2] = False
    assert (found.reachable == expected).all()
    assert found.estimated is None


def test_places_far_from_any_road_are_unreachable():
    lon = float(PLACES.lon[3])
    with loopback(lambda h, _n: send_osrm(h, moved=lambda x, _y: 1_500.0 if x == lon else 3.0)) as server:
        travel = OsrmServer(server.url, limits=HttpLimits(**QUICK))
        found = travel.matrix(PLACES, PLACES)
        snapped = travel.snap(PLACES)
        assert not found.reachable[3, :3].any()
        assert not found.reachable[[0, 1, 2, 4], 3].any()
        assert found.reachable.sum() == 17
        assert snapped.on_road.tolist() == [True, True, True, False, True]
        assert snapped.moved_m.tolist() == [3.0, 3.0, 3.0, np.inf, 3.0]
        assert (snapped.lon == PLACES.lon).all()
        further = OsrmServer(server.url, most_moved_m=1_500, limits=HttpLimits(**QUICK))
        assert further.matrix(PLACES, PLACES).reachable.all()


def test_a_passing_fault_is_not_noticed():
    faults = [reset, refused(503), cut_off, truncated, refused(429)]

    def answer(handler, n):
        if n % 2:
            faults[(n // 2) % len(faults)](handler, n)
        else:
            send_osrm(handler)

    places = places_of(60)
    with loopback(answer) as server:
        travel = OsrmServer(
            server.url,
            max_table=34,
            limits=HttpLimits(**{**QUICK, "attempts": 9, "attempts_500": 9, "failures_to_open": 99}),
        )
        found = travel.raw_matrix(places, places)
    metres, seconds = ways(places.lon[:, None], places.lat[:, None], places.lon, places.lat)
    assert (found.seconds == seconds).all()
    assert (found.metres == metres).all()


def test_retry_after_is_waited_for():
    def answer(handler, n):
        send_osrm(handler) if n != 2 else send(handler, "{}", status=429, Retry_After="1")

    with loopback(answer) as server:
        begun = time.monotonic()
        OsrmServer(server.url, limits=HttpLimits(**{**QUICK, "most_wait_s": 2})).matrix(PLACES, PLACES)
        assert 1.0 <= time.monotonic() - begun < 2.0
        assert len(server.paths) == 3


def test_a_server_that_is_down_is_soon_left_alone():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        travel = OsrmServer(url, limits=HttpLimits(**{**QUICK, "failures_to_open": 4}))
        for said in ("connection failed", "connection failed|left alone", "left alone"):
            with pytest.raises(TravelError, match=said) as caught:
                travel.matrix(PLACES, PLACES)
            assert caught.value.retryable
        begun = time.monotonic()
        for _ in range(100):
            with pytest.raises(TravelError, match="left alone"):
                travel.matrix(PLACES, PLACES)
        assert time.monotonic() - begun < 1.0


def test_a_server_that_comes_back_is_found_again():
    working = False

    def answer(handler, n):
        send_osrm(handler) if working else refused(503)(handler, n)

    with loopback(answer) as server:
        travel = OsrmServer(server.url, limits=HttpLimits(**{**QUICK, "failures_to_open": 2, "open_s": 0.2}))
        with pytest.raises(TravelError, match=r"left alone for another .* the last: status 503"):
            travel.matrix(PLACES, PLACES)
        assert len(server.paths) == 2
        working = True
        with pytest.raises(TravelError, match="left alone"):
            travel.matrix(PLACES, PLACES)
        assert len(server.paths) == 2
        time.sleep(0.25)
        assert travel.matrix(PLACES, PLACES).reachable.all()


def test_part_of_a_table_fails_and_only_that_is_estimated():
    places = places_of(60)
    asked = []

    def answer(handler, n):
        if not is_probe(handler.path):
            asked.append(handler.path)
        # the third table and all later ones
        send_osrm(handler) if len(asked) < 3 else refused(403)(handler, n)

    with loopback(answer) as server:
        travel = OsrmServer(server.url, max_table=34, limits=HttpLimits(**{**QUICK, "concurrency": 1}))
        with pytest.raises(TravelError, match="status 403"):
            travel.raw_matrix(places, places)
        asked.clear()
        safe = FallbackTravel(travel, GreatCircle())
        found = safe.raw_matrix(places, places)
        n_asked = len(server.paths)
        again = safe.raw_pairs(places, places.take(np.roll(np.arange(60), 7)))
        assert len(server.paths) == n_asked, "what was said once is said again, whoever said it"
    assert found.estimated is not None
    assert 0 < found.estimated.sum() < found.estimated.size
    guess = GreatCircle().raw_matrix(places, places)
    metres, seconds = ways(places.lon[:, None], places.lat[:, None], places.lon, places.lat)
    assert (found.seconds == np.where(found.estimated, guess.seconds, seconds)).all()
    assert (found.metres == np.where(found.estimated, guess.metres, metres)).all()
    there = np.roll(np.arange(60), 7)
    assert (again.seconds == found.seconds[np.arange(60), there]).all()
    assert (again.estimated == found.estimated[np.arange(60), there]).all()


def test_a_cache_between_server_and_fallback_keeps_what_was_answered_and_no_guess(tmp_path):
    """Three runs of one plan: the server works, is down, and works again."""
    works = True
    old, new = places_of(5), places_of(9)

    def answer(handler, n):
        send_osrm(handler) if works else refused(503)(handler, n)

    def run(places):
        with CachedTravel(
            OsrmServer(server.url, limits=HttpLimits(**QUICK), data_version="1"), tmp_path / "travel"
        ) as kept:
            return FallbackTravel(kept, GreatCircle()).matrix(places, places)

    with loopback(answer) as server:
        first = run(old)
        n_asked = len(server.paths)
        assert (run(old).durations_s == first.durations_s).all()
        assert len(server.paths) == n_asked, "a second run asks for nothing"
        works = False
        everybody = Places.concat([old, new])
        second = run(everybody)
        known = np.zeros((14, 14), dtype=bool)
        known[:5, :5] = True
        assert (second.estimated == ~known).all()
        assert (second.durations_s[:5, :5] == first.durations_s).all()
        works = True
        third = run(everybody)
        assert third.estimated is None
        metres, _ = ways(everybody.lon[:, None], everybody.lat[:, None], everybody.lon, everybody.lat)
        assert (third.distances_m == np.rint(metres)).all(), "no guess was kept"
