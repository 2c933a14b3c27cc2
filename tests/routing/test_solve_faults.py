"""Problems and parameters that once broke an engine, a proof, or an error message."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from territory import InputError, RoutingProblem, ShiftArrays, Status, VisitArrays, solve_routing
from territory.routing.finish import finish
from territory.routing.layout import layout_of

D = np.array([[0, 600], [900, 0]])
ENGINES = ("search", "exact", "ortools", "auto")


def one_visit(durations: Any, **shift: Any) -> RoutingProblem:
    """One visit of half an hour in a shift from 8 to 17."""
    return RoutingProblem(
        durations_s=durations, visits=VisitArrays(place=[1], service_s=[1800], value=[9e4]),
        shifts=ShiftArrays(start_place=[0], begin_s=[28_800], end_s=[61_200], **shift),
    )  # fmt: skip


def eight(end_s: int) -> RoutingProblem:
    rng = np.random.default_rng(0)
    xy = rng.integers(0, 3000, (9, 2))
    away = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)).astype(int)
    return RoutingProblem(
        durations_s=away, visits=VisitArrays(place=np.arange(1, 9), service_s=[600] * 8, value=[4000.0] * 8),
        shifts=ShiftArrays(start_place=[0], begin_s=[0], end_s=[end_s]),
    )  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("turn", [np.asfortranarray, lambda d: d.T.copy().T, pd.DataFrame, np.uint16])
def test_a_matrix_may_lie_in_memory_as_it_likes(engine: str, turn: Any) -> None:
    assert solve_routing(one_visit(turn(D)), engine=engine, iterations=50).objective == 1500.0


def test_no_places_at_all() -> None:
    nothing = RoutingProblem(
        durations_s=np.zeros((0, 0), int), visits=VisitArrays(place=np.zeros(0, int)),
        shifts=ShiftArrays(start_place=np.zeros(0, int), begin_s=np.zeros(0, int), end_s=np.zeros(0, int)),
    )  # fmt: skip
    assert solve_routing(nothing).objective == 0.0


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_proven_of_another_problem_says_nothing(engine: str) -> None:
    short = solve_routing(eight(7000))
    assert short.status is Status.OPTIMAL
    found = solve_routing(eight(12_000), engine=engine, iterations=200, start=short)
    assert found.bound <= found.objective < short.objective
    forged = replace(short, bound=short.objective, status=Status.INTERRUPTED)
    again = solve_routing(eight(12_000), engine=engine, iterations=200, start=forged)
    assert again.objective == found.objective
    assert again.status is found.status


def test_joint_visits_in_two_shifts_are_not_counted_as_lost_in_the_bound() -> None:
    problem = RoutingProblem(
        durations_s=[[0, 1], [1, 0]], visits=VisitArrays(place=[1, 1], value=[50.0, 50.0], pinned_shift=[0, 1]),
        shifts=ShiftArrays(start_place=[0, 0], begin_s=[0, 0], end_s=[40, 40]), joint=[[0, 1]],
    )  # fmt: skip
    idle = finish(problem, layout_of(problem), {})
    assert idle is not None
    found = solve_routing(problem, engine="exact", start=idle)
    assert found.bound <= 4.0
    assert found.status is not Status.OPTIMAL or found.objective == 4.0


def test_overtime_behind_a_lock_is_proven_from_any_start() -> None:
    problem = RoutingProblem(
        durations_s=[[0, 4, 2, 3], [0, 0, 2, 0], [1, 3, 0, 4], [3, 5, 2, 0]],
        visits=VisitArrays(place=[2, 0, 0], service_s=[3, 0, 0], value=[2.7, 9.0, 30.0]),
        shifts=ShiftArrays(
            start_place=[1], begin_s=[0], end_s=[28], max_overtime_s=[9], overtime_cost=[2.0], cost_per_drive_s=[1.0],
            locked=[[1]],
        ),
        precedence=[[0, 2]], precedence_delay_s=[2],
    )  # fmt: skip
    for engine in ("exact", "auto"):
        assert solve_routing(problem, engine=engine).objective == pytest.approx(7.0)


def test_values_that_swallow_the_costs_are_not_called_proven() -> None:
    rng = np.random.default_rng(1)
    xy = rng.integers(0, 100, (6, 2))
    away = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)).astype(int)
    best = {}
    for value in (1e6, 1e12):
        problem = RoutingProblem(
            durations_s=away, visits=VisitArrays(place=np.arange(1, 6), value=[value] * 5),
            shifts=ShiftArrays(start_place=[0], begin_s=[0], end_s=[1000], cost_per_drive_s=[0.001]),
        )  # fmt: skip
        best[value] = solve_routing(problem, engine="exact")
    assert best[1e6].status is Status.OPTIMAL
    assert best[1e12].bound <= best[1e6].objective + 1e-9
    assert best[1e12].status is not Status.OPTIMAL or best[1e12].objective == pytest.approx(best[1e6].objective)


@pytest.mark.parametrize("engine", ["ortools", "auto", "search"])
def test_a_break_that_no_time_is_left_for(engine: str) -> None:
    problem = replace(one_visit(D, breaks=[[(3600, 41_400, 64_800)]]), freeze_s=60_000)
    assert solve_routing(problem, engine=engine, iterations=50).routes == ()


def test_a_rhythm_of_dear_visits_is_made_on_each_day_once() -> None:
    problem = RoutingProblem(
        durations_s=[[0, 4, 4, 3], [5, 0, 2, 2], [4, 4, 0, 4], [5, 4, 2, 0]],
        visits=VisitArrays(
            place=[0, 2, 3], service_s=[2, 4, 5], value=[1e9, 0, 1e9], first_low_day=[1, 0, 1],
            first_high_day=[2, 0, 3], first_due_day=[5, 0, 4], gap_low_days=[2, 0, 1], gap_high_days=[2, 0, 2],
            gap_days=[2, 0, 2], interval_days=[2.0, 0, 2.0], off_cost=[2.0, 0, 0],
        ),
        shifts=ShiftArrays(
            start_place=[1, 3, 3], begin_s=[8, 0, 0], end_s=[35, 27, 14], day=[0, 1, 2], cost_per_drive_s=[0, 2.0, 0.37]
        ),
        n_days=5,
    )  # fmt: skip
    dear = solve_routing(problem, iterations=500)
    cheap = solve_routing(replace(problem, visits=replace(problem.visits, value=[1e4, 0, 1e4])), iterations=500)
    assert [r.visits for r in dear.routes] == [r.visits for r in cheap.routes]


@pytest.mark.parametrize("engine", ["exact", "auto"])
def test_a_required_visit_that_no_shift_can_make_is_proven_infeasible(engine: str) -> None:
    problem = RoutingProblem(
        durations_s=D, visits=VisitArrays(place=[1], required=[True], windows=[[]]),
        shifts=ShiftArrays(start_place=[0], begin_s=[0], end_s=[9000]),
    )  # fmt: skip
    found = solve_routing(problem, engine=engine)
    assert (found.status, found.required_missing) == (Status.INFEASIBLE, 1)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"start": 5}, "bad-start"),
        ({"on_progress": 5}, "bad-on-progress"),
        ({"time_limit_s": 10**400}, "bad-time-limit"),
        ({"time_limit_s": 1e308}, "bad-time-limit"),
        ({"time_limit_s": True}, "bad-time-limit"),
        ({"iterations": 2**63}, "bad-iterations"),
        ({"iterations": True}, "bad-iterations"),
    ],
)
def test_parameters_are_named(change: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError, match=code):
        solve_routing(one_visit(D), **change)


def test_something_else_than_a_problem() -> None:
    with pytest.raises(InputError, match="bad-problem"):
        solve_routing(None)  # type: ignore[arg-type]
