"""The exact dynamic program, against brute force over all subsets and orders."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from benchmarks.exact_day import best_day
from benchmarks.repday import make_day
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.routing.engine import timed
from territory.routing.day_problem import Break, DayProblem


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
    return DayProblem(durations, rng.integers(0, 60, m), tuple(windows), (0, 400), max_visits=most)


def by_force(problem):
    """Return (visits, -driving) of the best of all orders of all subsets."""
    best = (0, 0)
    for size in range(1, problem.m + 1):
        for order in permutations(range(problem.m), size):
            found = timed(problem, order)
            if found is not None:
                best = max(best, (size, -found.drive_s))
    return best


@settings(max_examples=200)
@given(days())
def test_it_equals_brute_force(problem):
    found = timed(problem, best_day(problem))
    assert found is not None
    assert (len(found.order), -found.drive_s) == by_force(problem)


@pytest.mark.parametrize("number", range(3))
def test_it_equals_brute_force_on_generated_days(number):
    problem, _ = make_day(number, 5, visits=6)
    found = timed(problem, best_day(problem))
    assert found is not None
    assert (len(found.order), -found.drive_s) == by_force(problem)


def test_what_it_cannot_do_is_refused():
    problem, _ = make_day(0, 0, visits=3)
    with pytest.raises(ValueError, match="no break"):
        best_day(replace(problem, rest=Break(60, 0, 90_000)))
