"""The day engine, against brute force over all subsets and orders."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.errors import InputError
from territory.routing.engine import solve, timed
from territory.routing.day_problem import Break, DayProblem
from territory.travel import UNREACHABLE


@st.composite
def problems(draw):
    m = draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    places = rng.uniform(0, 60, (m + 1, 2))
    places = np.vstack([places, places[:1]])
    durations = np.ceil(np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))).astype(np.int64)
    windows = []
    for _ in range(m):
        kind = rng.random()
        if kind < 0.4:
            windows.append(((0, 400),))
        elif kind < 0.9:
            low = int(rng.integers(0, 300))
            windows.append(((low, low + int(rng.integers(0, 100))),))
        else:
            windows.append(())
    rest = Break(20, 100, 220) if draw(st.booleans()) else None
    most = draw(st.none() | st.integers(0, 4))
    return DayProblem(durations, rng.integers(0, 60, m), tuple(windows), (0, 400), rest, most)


def best_by_force(problem):
    """Return (visits, -driving) of the best of all orders of all subsets."""
    best = (0, 0)
    for size in range(1, problem.m + 1):
        for subset in combinations(range(problem.m), size):
            for order in permutations(subset):
                found = timed(problem, order)
                if found is not None:
                    best = max(best, (size, -found.drive_s))
    return best


@settings(max_examples=120)
@given(problems())
def test_an_answer_fits_and_never_beats_brute_force(problem):
    best = best_by_force(problem)
    found = solve(problem)
    assert found is not None
    assert timed(problem, found.order) == found
    assert (len(found.order), -found.drive_s) <= best


def test_most_small_days_are_solved_to_the_optimum_of_brute_force():
    strategy_rng = np.random.default_rng(3)
    hits = 0
    for _ in range(40):
        m = 5
        places = np.vstack([(p := strategy_rng.uniform(0, 60, (m + 1, 2))), p[:1]])
        durations = np.ceil(np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))).astype(np.int64)
        low = strategy_rng.integers(0, 250, m)
        problem = DayProblem(durations, np.full(m, 20), tuple(((int(a), int(a) + 120),) for a in low), (0, 400))
        found = solve(problem, time_limit_s=0.05)
        hits += found is not None and (len(found.order), -found.drive_s) == best_by_force(problem)
    assert hits >= 36


@given(problems())
def test_a_start_is_never_made_worse(problem):
    start = [i for i in range(problem.m) if timed(problem, [i]) is not None][:1]
    before = timed(problem, start)
    found = solve(problem, start=start)
    assert before is not None
    assert found is not None
    assert (len(found.order), -found.drive_s) >= (len(before.order), -before.drive_s)


def test_a_required_visit_that_cannot_be_made_leaves_no_answer():
    problem = DayProblem(np.zeros((3, 3), np.int64), np.array([10]), ((),), (0, 100))
    assert solve(problem, required=True) is None


def test_an_unreachable_visit_is_left_out():
    durations = np.full((4, 4), 10)
    durations[:, 1] = durations[1, :] = UNREACHABLE
    problem = DayProblem(durations, np.array([5, 5]), (((0, 100),),) * 2, (0, 100))
    found = solve(problem)
    assert found is not None
    assert found.order == (1,)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"durations_s": np.zeros((2, 2), np.int64)}, "wrong-shape"),
        ({"durations_s": np.full((3, 3), -1)}, "negative-duration"),
        ({"service_s": np.array([-1])}, "negative-service"),
        ({"windows": ()}, "wrong-shape"),
        ({"shift": (10, 0)}, "reversed-shift"),
    ],
)
def test_a_malformed_problem_reaches_no_solver(change, code):
    right = {
        "durations_s": np.zeros((3, 3), np.int64),
        "service_s": np.array([1]),
        "windows": (((0, 9),),),
        "shift": (0, 10),
    }
    with pytest.raises(InputError) as caught:
        DayProblem(**{**right, **change})
    assert code in caught.value.codes
