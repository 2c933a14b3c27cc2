"""OR-Tools as an engine: each rule on a problem whose answer is known, all rules on random ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.model.enums import Status
from territory.routing.ortools import solve
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_every_answer_keeps_every_rule(random_problem, sound, seed):
    problem = random_problem(seed)
    sound(problem, solve(problem, mode="descent"))


@pytest.mark.parametrize("seed", range(4))
def test_a_start_is_never_made_worse(random_problem, sound, seed):
    problem = random_problem(seed)
    start = solve(problem, mode="descent")
    found = sound(problem, solve(problem, start=start, iterations=50))
    assert (found.required_missing, found.objective) <= (start.required_missing, start.objective)


def test_an_iteration_limit_gives_the_same_answer_again(random_problem):
    problem = random_problem(11)
    first, again = (solve(problem, iterations=60, rng=3) for _ in range(2))
    assert first.routes == again.routes


def test_progress_is_told_and_the_time_limit_kept(random_problem, sound):
    told = []
    problem = random_problem(5)
    found = sound(problem, solve(problem, time_limit_s=0.2, on_progress=lambda step, value: told.append((step, value))))
    assert told == [(step, value) for step, value, _ in found.trace]
    assert found.status is Status.TIME_LIMIT
    assert found.trace[-1][2] < 2.0


def test_removals_of_strings_keep_the_rules(random_problem, sound):
    for seed in (1, 2):
        sound(random_problem(seed), solve(random_problem(seed), time_limit_s=0.1, mode="ils"))


def test_nothing_to_do_reaches_no_solver(line, sound):
    for visits, shifts in ((0, 1), (2, 0), (0, 0)):
        problem = RoutingProblem(
            durations_s=line(0, 5, 9), visits=VisitArrays(place=np.ones(visits, int), value=np.full(visits, 7.0)),
            shifts=ShiftArrays(start_place=np.zeros(shifts, int), begin_s=[0] * shifts, end_s=[100] * shifts),
        )  # fmt: skip
        found = sound(problem, solve(problem))
        assert found.routes == ()
        assert found.objective == 7.0 * visits


def two(line, visits=None, shifts=None, **more):
    """Return a problem with visits at 10, 20, 30 and -10, and one shift (or several) from 0."""
    columns = {"place": [1, 2, 3, 4], "service_s": [10] * 4, "value": [1000.0] * 4} | (visits or {})
    hours = {"start_place": [0], "begin_s": [0], "end_s": [500]} | (shifts or {})
    return RoutingProblem(
        durations_s=line(0, 10, 20, 30, -10), visits=VisitArrays(**columns), shifts=ShiftArrays(**hours), **more
    )


BOTH = {"start_place": [0, 0], "begin_s": [0, 0], "end_s": [500, 500]}
DAYS = {"start_place": [0] * 4, "begin_s": [0, 1000, 2000, 3000], "end_s": [500, 1500, 2500, 3500], "day": range(4)}


@pytest.mark.parametrize(
    ("visits", "shifts", "more", "objective"),
    [
        ({}, {}, {}, 80),
        # windows, several of them, of the start and of the whole visit
        ({"windows": [((60, 70),), None, None, None]}, {}, {}, 80),
        ({"windows": [((0, 5), (200, 210)), None, None, None]}, {}, {}, 80),
        ({"windows": [((0, 15),), None, None, None], "window_holds_visit": [True] * 4}, {}, {}, 1080),
        ({"windows": [(), None, None, None]}, {}, {}, 1080),
        # what is not worth the way
        ({"value": [1000.0, 1000.0, 15.0, 1000.0]}, {}, {}, 75),
        ({"value": [1.0] * 4, "required": [False, False, True, False]}, {}, {}, 61),
        # limits of a shift
        ({}, {"max_visits": [2]}, {}, 2040),
        ({"load": [1, 1, 5, 1]}, {"capacity": [3]}, {}, 1060),
        ({}, {"max_drive_s": [60]}, {}, 1060),
        ({}, {"max_duration_s": [100]}, {}, 1060),
        ({}, {"end_s": [100]}, {}, 1060),
        # costs of a shift
        ({}, {"cost": [7.0], "cost_per_drive_s": [0.5], "cost_per_s": [0.25]}, {}, 7 + 40 + 30),
        ({}, {"end_s": [100], "max_overtime_s": [50], "overtime_cost": [2.0]}, {}, 80 + 40),
        ({}, {"end_s": [100], "max_overtime_s": [50], "overtime_cost": [60.0]}, {}, 1060),
        ({"due_s": [0, 0, 30, 0], "late_cost": [0.0, 0.0, 5.0, 0.0]}, {}, {}, 80),
        ({}, {"service_factor": [2.0], "end_s": [130]}, {}, 1060),
        # a break, taken, not needed, and in nobody's way
        ({}, {"breaks": [[(30, 0, 500)]], "end_s": [150]}, {}, 80),
        ({}, {"breaks": [[(30, 0, 500)]], "end_s": [149]}, {}, 1060),
        ({}, {"breaks": [[(30, 120, 500)]], "end_s": [149]}, {}, 80),
        # who goes where
        ({}, BOTH, {"eligible": np.array([[1, 0], [1, 0], [1, 0], [0, 1]], bool)}, 80),
        ({"pinned_shift": [1, -1, -1, -1]}, {**BOTH, "max_visits": [4, 1]}, {}, 60 + 20 + 20 - 0),
        ({"pinned_start_s": [-1, -1, 100, -1]}, {}, {}, 80),
        ({"change_cost": [100.0] * 4}, BOTH, {"baseline": np.array([[1, 0], [1, 0], [1, 0], [0, 1]], bool)}, 80),
        ({"change_cost": [100.0] * 4}, BOTH, {"baseline": np.array([[1, 0], [0, 1], [1, 0], [0, 0]], bool)}, 120),
        ({}, {"locked": [[2, 0]]}, {}, 30 + 20 + 10 + 30 + 10),
        ({}, {"locked": [[3]], "end_s": [150]}, {"freeze_s": 50}, 80),
        ({}, {"locked": [[3]], "end_s": [149]}, {"freeze_s": 50}, 1060),
        # links
        ({}, BOTH, {"joint": [(0, 1)]}, 100),
        ({}, {}, {"joint": [(0, 1)]}, 2080),
        ({}, {}, {"precedence": [(2, 0)], "precedence_delay_s": [20]}, 80),
        ({}, {"end_s": [170]}, {"precedence": [(2, 0)], "precedence_delay_s": [200]}, 1080),
        ({"windows": [None, None, (), None]}, {}, {"precedence": [(2, 0)]}, 2060),
        # cadences: sets of days, and rhythms
        ({"patterns": [[[0, 2], [1, 3]], None, None, None]}, DAYS, {}, 80 + 20),
        ({"patterns": [[[0], [1]], None, None, [[2]]], "pattern_cost": [[9.0, 4.0], None, None, [0.0]]}, DAYS, {}, 84),
        ({"patterns": [[[0, 2]], None, None, None], "windows": [((0, 500),), None, None, None]}, DAYS, {}, 1080),
        (
            {"gap_low_days": [2, 0, 0, 0], "gap_days": [2, 0, 0, 0], "gap_high_days": [3, 0, 0, 0],
             "interval_days": [2.0, 0, 0, 0], "off_cost": [3.0, 0, 0, 0]},
            DAYS, {}, 80 + 20,
        ),
        (
            {"gap_low_days": [5, 0, 0, 0], "gap_days": [5, 0, 0, 0], "gap_high_days": [6, 0, 0, 0],
             "first_low_day": [1, 0, 0, 0], "first_high_day": [2, 0, 0, 0], "first_due_day": [2, 0, 0, 0],
             "interval_days": [5.0, 0, 0, 0], "off_cost": [3.0, 0, 0, 0]},
            DAYS, {}, 80,
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["descent", "gls"])
def test_each_rule(line, sound, visits, shifts, more, objective, mode):
    problem = two(line, visits, shifts, **more)
    found = sound(problem, solve(problem, mode=mode, iterations=100))
    assert found.objective == pytest.approx(objective)


def test_the_slowest_time_of_day_is_safe(line, sound):
    slow = np.stack([line(0, 10, 20), 2 * line(0, 10, 20)])[None]
    problem = RoutingProblem(
        durations_s=slow, bucket_starts_s=[0, 50],
        visits=VisitArrays(place=[1, 2], service_s=[5, 5], value=[500.0, 500.0]),
        shifts=ShiftArrays(start_place=[0], begin_s=[0], end_s=[90]),
    )  # fmt: skip
    assert sound(problem, solve(problem)).required_missing == 0


def test_unreachable_places_and_impossible_locks_are_left_out(line, sound):
    durations = line(0, 10, 20, 30, -10)
    durations[:, 3] = durations[3, :] = 2**31 - 1
    durations[3, 3] = 0
    problem = replace(two(line), durations_s=durations)
    assert sound(problem, solve(problem)).objective == 1000 + 60
    away = replace(problem, shifts=replace(problem.shifts, end_place=np.array([3], np.int32)))
    assert sound(away, solve(away)).objective == 4000


def test_costs_a_metre_decide(sound, line):
    metres = line(0, 10, 20, 30, -10) * 100
    metres[0, 3] = metres[3, 0] = 100_000
    problem = two(line, {"value": [90.0] * 4}, {"cost_per_m": [0.01]}, distances_m=metres)
    found = sound(problem, solve(problem))
    assert found.terms["distance"] == pytest.approx(80.0)


def test_required_visits_come_first_and_what_cannot_be_is_said(line, sound):
    problem = two(line, {"value": [9000.0, 9000.0, 1.0, 9000.0], "required": [False, False, True, False]},
                  {"end_s": [70]})  # fmt: skip
    found = sound(problem, solve(problem))
    assert found.required_missing == 0
    none = two(line, {"value": None, "windows": [(), None, None, None]})
    assert sound(none, solve(none)).required_missing == 1


def test_many_shifts_carry_changes_in_a_dimension(line, sound, monkeypatch):
    monkeypatch.setattr("territory.routing.ortools.model._MATRICES", 0)
    problem = two(line, {"change_cost": [100.0] * 4}, BOTH,
                  baseline=np.array([[1, 0], [0, 1], [1, 0], [0, 0]], bool))  # fmt: skip
    assert sound(problem, solve(problem)).objective == pytest.approx(120)
