"""The exact dynamic program, against brute force over all subsets and orders."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from benchmarks.exact_day import Day, best_day, driven
from benchmarks.repday import make_day
from hypothesis import given, settings
from hypothesis import strategies as st


@st.composite
def days(draw):
    m = draw(st.integers(0, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    # no triangle inequality, no symmetry: the program must not lean on either
    durations = rng.integers(1, 90, (m + 2, m + 2))
    windows = []
    for _ in range(m):
        kind = rng.random()
        low = int(rng.integers(0, 300))
        if kind < 0.4:
            windows.append(((0, 400),))
        elif kind < 0.7:
            windows.append(((low, low + int(rng.integers(0, 100))),))
        elif kind < 0.9:
            windows.append(((low, low + 20), (low + 60, low + 90)))
        else:
            windows.append(())
    most = draw(st.none() | st.integers(0, 4))
    return Day(durations, rng.integers(0, 60, m), tuple(windows), (0, 400), max_visits=most)


def by_force(problem):
    """Return (visits, -driving) of the best of all orders of all subsets."""
    best = (0, 0)
    for size in range(1, problem.m + 1):
        for order in permutations(range(problem.m), size):
            found = driven(problem, order)
            if found is not None:
                best = max(best, (size, -found))
    return best


@settings(max_examples=200)
@given(days())
def test_it_equals_brute_force(problem):
    order = best_day(problem)
    drive = driven(problem, order)
    assert drive is not None
    assert (len(order), -drive) == by_force(problem)


@pytest.mark.parametrize("number", range(3))
def test_it_equals_brute_force_on_generated_days(number):
    problem, _ = make_day(number, 5, visits=6)
    order = best_day(problem)
    drive = driven(problem, order)
    assert drive is not None
    assert (len(order), -drive) == by_force(problem)


def test_what_takes_too_long_is_refused():
    problem, _ = make_day(0, 0, visits=21)
    with pytest.raises(ValueError, match="at most 20"):
        best_day(problem)


def test_a_day_is_driven_as_early_as_its_windows_allow_or_at_the_starts_that_it_comes_with():
    line = np.array([0, 10, 30, 0])
    day = Day(abs(line[:, None] - line[None, :]), np.array([5, 5]), (((50, 60),), ((0, 20), (70, 90))), (0, 120))
    assert driven(day, []) == 0
    assert driven(day, [0, 1]) == 10 + 20 + 30
    assert driven(day, [0, 1], [55, 80]) == 60
    # too soon after the first; outside its windows; back too late; the same visit twice
    assert driven(day, [0, 1], [55, 79]) is None
    assert driven(day, [1, 0], [25, 60]) is None
    assert driven(day, [0, 1], [60, 90]) is None
    assert driven(day, [0, 0]) is None
