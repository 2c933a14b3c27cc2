"""The least driving of a day, against all orders."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.routing.bound import least_drive_s


def shortest(durations):
    m = len(durations) - 2
    return min(
        sum(int(durations[a, b]) for a, b in zip((0, *p), (*p, m + 1), strict=True))
        for p in permutations(range(1, m + 1))
    )


def matrix(m, seed):
    return np.random.default_rng(seed).integers(0, 1000, (m + 2, m + 2))


@given(st.integers(0, 6), st.integers(0, 2**32))
def test_small_days_are_exact(m, seed):
    durations = matrix(m, seed)
    assert least_drive_s(durations) == shortest(durations)


@pytest.mark.parametrize("m", [10, 14, 30])
def test_large_days_are_bounded_from_below_by_any_order(m):
    durations = matrix(m, m)
    bound = least_drive_s(durations)
    rng = np.random.default_rng(0)
    for _ in range(200):
        order = [0, *(rng.permutation(m) + 1).tolist(), m + 1]
        assert bound <= sum(int(durations[a, b]) for a, b in pairwise(order))
    assert bound > 0


def test_both_methods_are_tight_on_a_line():
    line = np.arange(0, 120, 10)
    durations = np.abs(line[:, None] - line[None, :])
    assert least_drive_s(durations[:11, :11]) == 100
    assert least_drive_s(durations) == 110
