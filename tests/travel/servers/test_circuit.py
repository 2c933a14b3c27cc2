"""A server that keeps failing is left alone for a while."""

from __future__ import annotations

import pytest
from tests.travel.servers.doubles import ASK, Double, client_of, data_of, ok, status, text

from territory.errors import TravelError
from territory.travel.servers.circuit import Circuit, CircuitOpenError


def test_a_circuit_opens_and_one_attempt_tries_it(clock):
    double = Double(status(503))
    client = client_of(double, clock, attempts=2, failures_to_open=4, open_s=60)
    for _ in range(2):
        with pytest.raises(TravelError, match="status 503"):
            client.ask(ASK, data_of)
    assert len(double) == 4
    with pytest.raises(
        TravelError, match=r"left alone for another 60 s, as it failed 4 times in a row, the last: status 503"
    ) as caught:
        client.ask(ASK, data_of)
    assert caught.value.retryable
    assert len(double) == 4, "nothing is asked while it is open"
    clock.now += 60.1
    with pytest.raises(TravelError, match="left alone"):
        client.ask(ASK, data_of)
    assert len(double) == 5, "a single attempt, and it failed"
    clock.now += 60.1
    double.replies = [ok()]
    assert client.ask(ASK, data_of) == 7
    double.replies = [status(503), ok()]
    double.requests.clear()
    assert client.ask(ASK, data_of) == 7, "closed: failures are counted from nought"


def test_refusals_are_no_failures_of_the_server(clock):
    double = Double(text('{"code": "NoRoute"}', code=400))
    client = client_of(double, clock, failures_to_open=1)
    for _ in range(5):
        client.ask(ASK, data_of)
    assert len(double) == 5


def test_only_one_attempt_at_a_time_tries_an_open_circuit(clock):
    circuit = Circuit(1, 10, clock)
    circuit.admit()
    circuit.failed("down")
    clock.now += 10
    circuit.admit()
    with pytest.raises(CircuitOpenError, match="being tried by another request"):
        circuit.admit()
    circuit.dropped()
    circuit.admit()
    circuit.worked()
    circuit.admit()


def test_an_interrupted_attempt_says_nothing_about_the_server(clock):
    def interrupted(_):
        raise KeyboardInterrupt

    double = Double(status(503), interrupted, ok())
    client = client_of(double, clock, attempts=1, failures_to_open=1, open_s=5)
    with pytest.raises(TravelError):
        client.ask(ASK, data_of)
    clock.now += 5
    with pytest.raises(KeyboardInterrupt):
        client.ask(ASK, data_of)
    assert client.ask(ASK, data_of) == 7
