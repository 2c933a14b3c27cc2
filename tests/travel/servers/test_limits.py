"""Limits that make no sense."""

from __future__ import annotations

import pytest

from territory.errors import InputError
from territory.travel.servers import HttpLimits


@pytest.mark.parametrize("name", ["connect_s", "read_s", "total_s", "first_wait_s", "most_wait_s", "open_s"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), "1", None, True])
def test_times_that_are_none(name, value):
    with pytest.raises(InputError, match=name):
        HttpLimits(**{name: value})


@pytest.mark.parametrize("name", ["attempts", "attempts_500", "concurrency", "max_reply_bytes", "failures_to_open"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "1", None, True])
def test_numbers_that_are_none(name, value):
    with pytest.raises(InputError, match=name):
        HttpLimits(**{name: value})


def test_all_bad_limits_are_named_at_once():
    with pytest.raises(InputError) as caught:
        HttpLimits(read_s=0, attempts=0, concurrency=0)
    assert [problem.column for problem in caught.value.problems] == ["read_s", "attempts", "concurrency"]
