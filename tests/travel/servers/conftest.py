"""A clock that only the tests move."""

from __future__ import annotations

from types import SimpleNamespace

import pytest


class Clock:
    """Seconds that pass when somebody sleeps, or when a test says so."""

    def __init__(self):
        self.now = 1_000.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    nap = pytest.importorskip("tenacity.nap")
    made = Clock()
    monkeypatch.setattr(nap, "time", SimpleNamespace(sleep=made.sleep))
    return made
