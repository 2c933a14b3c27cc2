"""A double in place of the network, and a client that asks it."""

from __future__ import annotations

import time

import pytest

from territory.errors import TravelError
from territory.travel.servers.address import address_of
from territory.travel.servers.client import JsonClient, Question
from territory.travel.servers.limits import HttpLimits

httpx2 = pytest.importorskip("httpx2")

URL = "http://localhost:5000"
ASK = Question("/table?x=1")


def data_of(answer):
    return answer.data


class Double:
    """Answers with what a test says, one entry a request and the last one for ever; keeps the requests."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
        reply = reply(request) if callable(reply) else reply
        if isinstance(reply, Exception):
            raise reply
        return reply

    def __len__(self):
        return len(self.requests)


def ok(data=7):
    return lambda _: httpx2.Response(200, json=data)


def status(code, **headers):
    return lambda _: httpx2.Response(code, headers={k.replace("_", "-"): v for k, v in headers.items()})


def text(body, kind="application/json", code=200, **headers):
    return lambda _: httpx2.Response(code, content=body, headers={"Content-Type": kind, **headers})


def client_of(double, clock=time.monotonic, url=URL, headers=None, **limits):
    return JsonClient("OSRM", address_of(url, headers), HttpLimits(**limits), httpx2.MockTransport(double), clock)


def failed(double, clock, question=ASK, **limits):
    with pytest.raises(TravelError) as caught:
        client_of(double, clock, **limits).ask(question, data_of)
    return caught.value
