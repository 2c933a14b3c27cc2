"""Addresses and credentials: sent, and never shown."""

from __future__ import annotations

from base64 import b64encode

import pytest

from territory.errors import InputError, TravelError
from territory.travel.servers.address import address_of
from territory.travel.servers.client import JsonClient, Question
from territory.travel.servers.limits import HttpLimits

httpx2 = pytest.importorskip("httpx2")

URL = "http://localhost:5000"


class Double:
    """Answers always the same, and keeps the requests."""

    def __init__(self, status, **content):
        self.answer, self.requests = (status, content), []

    def __call__(self, request):
        self.requests.append(request)
        status, content = self.answer
        return httpx2.Response(status, **content)


def client_of(double, clock, url, headers=None):
    return JsonClient("OSRM", address_of(url, headers), HttpLimits(), httpx2.MockTransport(double), clock)


def ask(client):
    return client.ask(Question("/table?x=1"), lambda answer: answer.data)


SECRETS = ("hunter22", "key-1234", "token-5678")


PLACES_OF_SECRETS = (*SECRETS, b64encode(b"me:hunter22").decode())


@pytest.mark.parametrize("status", [403, 500])
def test_credentials_are_sent_and_never_shown(clock, caplog, status):
    url = "http://me:hunter22@localhost:5000/osrm/?api_key=key-1234"
    double = Double(status, text=" ".join(PLACES_OF_SECRETS))
    client = client_of(double, clock, url, {"X-Key": "Bearer token-5678", "X-Team": "t"})
    with pytest.raises(TravelError) as caught:
        ask(client)
    logged = " ".join(str(vars(record)) for record in caplog.records)
    shown = f"{caught.value} {caught.value!r} {client.address!r} {client.address.url} {logged}"
    assert f"OSRM at http://localhost:5000: status {status}" in shown
    assert "'*** *** *** ***'" in shown
    assert not any(secret in shown for secret in PLACES_OF_SECRETS)
    assert bool(caplog.records) == (status == 500), "retries are logged"
    request = double.requests[0]
    assert str(request.url) == "http://localhost:5000/osrm/table?x=1&api_key=key-1234"
    assert request.headers["X-Key"] == "Bearer token-5678"
    assert request.headers["X-Team"] == "t"


def test_a_name_and_password_are_sent_as_such(clock):
    double = Double(200, json=7)
    assert ask(client_of(double, clock, "http://me:p%40ss@localhost:5000")) == 7
    assert double.requests[0].headers["Authorization"] == "Basic bWU6cEBzcw=="


@pytest.mark.parametrize("url", ["", "localhost:5000", "ftp://localhost", "http://", "http://me:secret@", None, 7,
                                 "http://localhost:port", "http://local\nhost", "http://[::1"])  # fmt: skip
def test_addresses_that_are_none(url):
    with pytest.raises(InputError) as caught:
        address_of(url)
    assert caught.value.codes == ("bad-url",)
    assert "secret" not in str(caught.value)


def test_headers_that_are_none():
    for headers in ({"X": "a\r\nY: b"}, {"X": 7}, {"X\n": "a"}):
        with pytest.raises(InputError) as caught:
            address_of(URL, headers)
        assert caught.value.codes == ("bad-header",)


def test_ipv6_and_paths():
    assert address_of("http://[::1]:5000/a/b/").url == "http://[::1]:5000/a/b"
    assert address_of("https://example.com").host == "https://example.com"
