"""The rules of the client, with a double in place of the network."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import random
import sys
import threading
import time
from email.utils import formatdate

import pytest
from tests.travel.servers.doubles import ASK, URL, Double, client_of, data_of, failed, ok, status, text

from territory.errors import MissingExtraError, TravelError
from territory.travel.servers.address import address_of
from territory.travel.servers.client import JsonClient, Question, _Tries, first_error
from territory.travel.servers.limits import HttpLimits
from territory.travel.servers.reading import AttemptError

httpx2 = pytest.importorskip("httpx2")


def test_what_gets_better_is_asked_for_again_after_growing_waits(clock):
    double = Double(status(503), status(429), httpx2.ConnectError("refused"), ok())
    assert client_of(double, clock).ask(ASK, data_of) == 7
    assert len(double) == 4
    for waited, full in zip(clock.slept, (0.5, 1.0, 2.0), strict=True):
        assert full / 2 <= waited <= full


def test_waits_are_not_the_same_for_all():
    waits = set()
    for seed in range(5):
        random.seed(seed)
        tries = _Tries(HttpLimits(), time.monotonic, threading.Event())
        waits.add(tries.pause(AttemptError("down", "often")))
    assert len(waits) == 5


@pytest.mark.parametrize("code", [408, 425, 429, 502, 503, 504])
def test_statuses_that_say_later(clock, code):
    double = Double(status(code))
    error = failed(double, clock)
    assert len(double) == 4
    assert error.retryable
    assert f"OSRM at {URL}: status {code}" in str(error)
    assert "(4 requests)" in str(error)


@pytest.mark.parametrize("fault", [
    httpx2.ReadTimeout("x"), httpx2.ConnectTimeout("x"), httpx2.WriteTimeout("x"), httpx2.ConnectError("[Errno 111]"),
    httpx2.ReadError("reset by peer"), httpx2.WriteError("broken pipe"), httpx2.RemoteProtocolError("disconnected"),
], ids=lambda fault: type(fault).__name__)  # fmt: skip
def test_a_broken_connection_is_made_again(clock, fault):
    double = Double(fault)
    error = failed(double, clock)
    assert len(double) == 4
    assert error.retryable
    assert ("timed out" in str(error)) == isinstance(fault, httpx2.TimeoutException)


def test_500_is_asked_again_only_so_often(clock):
    double = Double(status(500))
    error = failed(double, clock)
    assert len(double) == 2
    assert "status 500" in str(error)
    double = Double(status(503), status(500), ok())
    failed(double, clock)
    assert len(double) == 2
    double = Double(status(500))
    failed(double, clock, attempts_500=9)
    assert len(double) == 4, "never more often than anything else"


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 410, 414, 501, 505])
def test_statuses_that_say_no(clock, code):
    double = Double(status(code))
    error = failed(double, clock)
    assert len(double) == 1
    assert not error.retryable
    assert f"status {code}" in str(error)
    assert "requests" not in str(error)


def test_a_refusal_in_json_is_left_to_whoever_knows_the_engine(clock):
    refusal = {"code": "InvalidQuery", "message": "no"}
    double = Double(text(json.dumps(refusal), code=400))
    answer = client_of(double, clock).ask(ASK, lambda answer: answer)
    assert (answer.status, answer.data) == (400, refusal)
    double = Double(text("[1]", code=400))
    assert "status 400 Bad Request: '[1]'" in str(failed(double, clock))


def test_what_the_reader_refuses_is_not_asked_again(clock):
    double = Double(ok())

    def read(answer):
        raise TravelError("wrong shape")

    with pytest.raises(TravelError, match=f"OSRM at {URL}: wrong shape"):
        client_of(double, clock).ask(ASK, read)
    assert len(double) == 1


@pytest.mark.parametrize(
    ("told", "least", "most"),
    [("7", 7, 7), ("0", 0.25, 0.5), ("0.5", 0.25, 0.5), ("-3", 0.25, 0.5), ("soon", 0.25, 0.5), ("", 0.25, 0.5)],
)
def test_retry_after_in_seconds(clock, told, least, most):
    double = Double(status(429, Retry_After=told), ok())
    assert client_of(double, clock).ask(ASK, data_of) == 7
    assert least <= clock.slept[0] <= most


def test_retry_after_as_a_date_is_read_by_the_servers_own_clock(clock):
    long_ago = 1_000_000_000
    double = Double(
        status(503, Retry_After=formatdate(long_ago + 9, usegmt=True), Date=formatdate(long_ago, usegmt=True)), ok()
    )
    client_of(double, clock).ask(ASK, data_of)
    assert clock.slept == [9.0]


def test_retry_after_as_a_date_without_the_servers_clock(clock):
    double = Double(status(503, Retry_After=formatdate(time.time() + 9, usegmt=True)), ok())
    client_of(double, clock).ask(ASK, data_of)
    assert 7 <= clock.slept[0] <= 9
    double = Double(status(503, Retry_After=formatdate(0, usegmt=True)), ok())
    client_of(double, clock).ask(ASK, data_of)
    assert clock.slept[1] <= 0.5


def test_a_server_that_asks_for_a_long_rest_gets_it(clock):
    double = Double(status(429, Retry_After="3600"))
    error = failed(double, clock)
    assert len(double) == 1
    assert clock.slept == []
    assert error.retryable
    assert "to be asked again after 3600 s" in str(error)
    double = Double(status(429, Retry_After="30"), ok())
    client_of(double, clock, most_wait_s=30).ask(ASK, data_of)
    assert clock.slept == [30.0]


def test_the_deadline_holds_for_all_attempts_together(clock):
    def slow(_):
        clock.now += 40
        return httpx2.ReadTimeout("x")

    double = Double(slow)
    begun = clock.now
    error = failed(double, clock, total_s=100, attempts=50, read_s=40)
    assert len(double) == 3
    assert clock.now - begun <= 100 + 40
    assert error.retryable
    assert "timed out" in str(error)


def test_no_wait_goes_past_the_deadline(clock):
    double = Double(status(503, Retry_After="20"))
    begun = clock.now
    failed(double, clock, total_s=50, attempts=50)
    assert len(double) == 3
    assert clock.now - begun == pytest.approx(40)


def test_timeouts_are_always_set(clock):
    double = Double(ok())
    client_of(double, clock, connect_s=3, read_s=4, total_s=200).ask(ASK, data_of)
    assert double.requests[0].extensions["timeout"] == {"connect": 3, "read": 4, "write": 4, "pool": 200}
    client_of(double, clock, connect_s=3, read_s=4, total_s=2).ask(ASK, data_of)
    assert double.requests[1].extensions["timeout"] == {"connect": 2, "read": 2, "write": 2, "pool": 2}


@pytest.mark.parametrize("target", ["http://example.com/table?x=1", "https://localhost:5000/", "http://localhost:5001/",
                                    "//example.com/", "http://localhost:5000@example.com/", "file:///etc/passwd",
                                    "http://[broken"])  # fmt: skip
def test_no_redirect_to_another_host_is_followed(clock, target):
    double = Double(status(302, Location=target), ok())
    error = failed(double, clock)
    assert len(double) == 1
    assert "redirect to another host" in str(error)
    assert not error.retryable


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_one_redirect_on_the_same_host_is_followed(clock, code):
    double = Double(status(code, Location="/moved/table?x=1"), ok())
    assert client_of(double, clock).ask(ASK, data_of) == 7
    assert [str(request.url) for request in double.requests] == [f"{URL}/table?x=1", f"{URL}/moved/table?x=1"]
    double = Double(status(code, Location=f"{URL}/table"))
    assert "redirected again" in str(failed(double, clock))
    assert len(double) == 2


def test_a_redirect_keeps_what_is_posted_or_is_not_followed(clock):
    posted = Question("/matrix", b'{"a": 1}')
    double = Double(status(307, Location="/other"), ok())
    assert client_of(double, clock).ask(posted, data_of) == 7
    assert [(r.method, r.read()) for r in double.requests] == [("POST", b'{"a": 1}')] * 2
    double = Double(status(302, Location="/other"), ok())
    assert "drops what was asked" in str(failed(double, clock, posted))


@pytest.mark.parametrize(("reply", "n_requests", "said"), [
    (text("<title>Bad  gate</title>", "text/html"), 1, "an HTML page instead of JSON, with status 200: 'Bad gate'"),
    (text("  <!doctype html>"), 1, "an HTML page instead of JSON"),
    (text("{}", "text/html"), 1, "an HTML page instead of JSON"),
    (text(""), 2, "an empty reply"),
    (text('{"durations": [[0, 1'), 2, "broken off or no JSON: '{\"durations\": [[0, 1'"),
    (text(b"\xff\xfe\x00"), 2, "broken off or no JSON"),
    (text('{"a": NaN}'), 1, "NaN in a reply"),
    (text('{"a": -Infinity}'), 1, "-Infinity in a reply"),
    (text("[" * 200_000), 1, "nested too deeply"),
    (text("1" * 5_000), 2, "broken off or no JSON"),
    (text("{}", **{"Content-Encoding": "br"}), 1, "packed as 'br'"),
    (text(b"no gzip", **{"Content-Encoding": "gzip"}), 2, "cannot be unpacked"),
    (text("[" + "1," * 600 + "1]"), 1, "more than the limit of 1,000"),
    (text(gzip.compress(b"[1" + b",1" * 600 + b"]"), **{"Content-Encoding": "gzip"}), 1, "more than the limit"),
])  # fmt: skip
def test_what_is_no_answer(clock, reply, n_requests, said):
    double = Double(reply)
    limit = {"max_reply_bytes": 1_000} if "limit" in said else {}
    assert said in str(failed(double, clock, **limit))
    assert len(double) == n_requests


def test_a_gzipped_answer_within_the_limit(clock):
    double = Double(text(gzip.compress(b"[1, 2]"), **{"Content-Encoding": "gzip"}))
    assert client_of(double, clock).ask(ASK, data_of) == [1, 2]
    assert double.requests[0].headers["Accept-Encoding"] == "gzip"


def test_answers_come_in_the_order_of_the_questions():
    rng = random.Random(3)
    waits = [rng.uniform(0, 0.02) for _ in range(40)]
    busy, most, lock = 0, 0, threading.Lock()

    def answer(request):
        nonlocal busy, most
        number = int(request.url.params["n"])
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(waits[number])
        with lock:
            busy -= 1
        return httpx2.Response(200, json=number)

    client = client_of(answer, concurrency=3)
    questions = [Question(f"/?n={n}") for n in range(40)]
    assert client.ask_all(questions, lambda at, answer: (at, answer.data)) == [(n, n) for n in range(40)]
    assert most == 3

    results = []
    threads = [
        threading.Thread(target=lambda: results.append(client.ask_all(questions, lambda _, answer: answer.data)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [list(range(40))] * 3
    assert most == 3, "the cap holds for all threads together"


def test_after_a_failure_nothing_more_is_begun():
    asked = []

    def answer(request):
        number = int(request.url.params["n"])
        asked.append(number)
        time.sleep(0.01)
        return httpx2.Response(500 if number == 5 else 200, json=number)

    client = client_of(answer, concurrency=2, attempts=1)
    found = client.ask_all([Question(f"/?n={n}") for n in range(50)], lambda _, answer: answer.data)
    assert found[:5] == [0, 1, 2, 3, 4]
    assert len(asked) <= 9
    assert "status 500" in str(first_error(found))
    assert "not asked" in str(found[-1])
    assert first_error([1, 2]) is None


def test_it_pickles_without_its_connections(clock):
    client = JsonClient("OSRM", address_of("http://me:hunter22@localhost:1"), HttpLimits(attempts=1, connect_s=0.5))
    with pytest.raises(TravelError):
        client.ask(ASK, data_of)
    again = pickle.loads(pickle.dumps(client))  # noqa: S301 - its own
    assert again.address == client.address
    with pytest.raises(TravelError, match="connection failed"):
        again.ask(ASK, data_of)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_has_connections_of_its_own():
    client = client_of(Double(ok()))
    client.ask(ASK, data_of)
    here = client._live
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if client.ask(ASK, data_of) == 7 and client._live is not here else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert client._live is here


@pytest.mark.parametrize("package", ["httpx2", "stamina"])
def test_without_the_extra(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    client = JsonClient("OSRM", address_of(URL))
    with pytest.raises(MissingExtraError, match=r"pip install 'territory\[road\]'"):
        client.ask(ASK, data_of)
