"""Locked visits with links, loads and limits: kept, or refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from territory import InfeasibleError, RoutingProblem, ShiftArrays, VisitArrays, check_routing, solve_routing


def line(n: int) -> np.ndarray:
    """Places 10 s apart in a row."""
    at = 10 * np.arange(n)
    return abs(at[:, None] - at[None, :])


def two_reps(places: list[int], **more: object) -> RoutingProblem:
    """Two shifts of 200 s from place 0; visits of 5 s."""
    visits = {k: more.pop(k) for k in ("load", "value") if k in more}
    shifts = {k: more.pop(k) for k in ("locked", "capacity", "max_visits") if k in more}
    return RoutingProblem(
        durations_s=line(8),
        visits=VisitArrays(place=places, service_s=[5] * len(places), **({"value": [1e4] * len(places)} | visits)),
        shifts=ShiftArrays(start_place=[0, 0], begin_s=[0, 0], end_s=[200, 200], **shifts),
        **more,
    )


def starts(solution: object) -> dict[int, int]:
    return {v: t for r in solution.routes for v, t in zip(r.visits, r.starts, strict=True)}


@pytest.mark.parametrize("engine", ["search", "auto"])
def test_both_of_a_locked_pair_start_together(engine: str) -> None:
    problem = two_reps([2, 5, 6], locked=[[0], [1]], joint=[[0, 1]])
    found = solve_routing(problem, engine=engine, iterations=300)
    at = starts(found)
    # the farther one takes 50 s, and the nearer rep waits
    assert at[0] == at[1] >= 50
    assert 2 in at


@pytest.mark.parametrize("engine", ["search", "auto"])
def test_the_partner_of_a_locked_visit_comes_when_the_locked_one_can(engine: str) -> None:
    problem = two_reps([2, 7, 3], locked=[[0], []], joint=[[0, 1]], value=[0.0, 0.0, 1e4])
    found = solve_routing(problem, engine=engine, iterations=300)
    at = starts(found)
    assert at[0] == at[1] >= 70
    assert check_routing(problem, found).ok


@pytest.mark.parametrize("engine", ["search", "auto"])
def test_what_a_locked_visit_waits_for_is_made_though_it_is_worth_nothing(engine: str) -> None:
    problem = two_reps([4, 1], locked=[[0], []], precedence=[[1, 0]], precedence_delay_s=[30], value=[0.0, 0.0])
    at = starts(solve_routing(problem, engine=engine, iterations=300))
    assert at[0] >= at[1] + 5 + 30


def test_a_locked_visit_whose_partner_cannot_come_is_refused() -> None:
    problem = two_reps([2, 7], locked=[[0], []], joint=[[0, 1]], max_visits=[3, 0])
    with pytest.raises(InfeasibleError, match="cannot do without visit 1"):
        solve_routing(problem, engine="search", iterations=50)


@pytest.mark.parametrize("limit", [{"max_visits": [1, 9]}, {"load": [2, 2, 2], "capacity": [3, 9]}])
@pytest.mark.parametrize("engine", ["search", "auto", "ortools"])
def test_more_locked_visits_than_a_shift_may_have_are_refused(limit: dict[str, list[int]], engine: str) -> None:
    problem = two_reps([1, 2, 3], locked=[[0, 1], []], **limit)
    with pytest.raises(InfeasibleError, match="are more than shift 0 may have"):
        solve_routing(problem, engine=engine, iterations=50)


def test_a_locked_pair_without_a_common_start_is_refused() -> None:
    problem = two_reps([1, 2, 3], locked=[[0], [1]], joint=[[0, 1]])
    windows = [[(0, 20)], [(100, 120)], [(0, 200)]]
    late = RoutingProblem(
        durations_s=problem.durations_s, shifts=problem.shifts, joint=[[0, 1]],
        visits=VisitArrays(place=[1, 2, 3], service_s=[5, 5, 5], value=[1.0, 1.0, 1.0], windows=windows),
    )  # fmt: skip
    with pytest.raises(InfeasibleError, match="locked-misfit"):
        solve_routing(late, engine="search", iterations=50)


def test_both_of_a_pair_locked_to_one_shift_are_refused() -> None:
    with pytest.raises(InfeasibleError, match="need two reps at one start"):
        solve_routing(two_reps([1, 1], locked=[[0, 1], []], joint=[[0, 1]]), iterations=50)


@pytest.mark.parametrize("engine", ["search", "exact", "ortools", "auto"])
def test_a_locked_visit_without_any_window_is_refused(engine: str) -> None:
    problem = RoutingProblem(
        durations_s=line(3),
        visits=VisitArrays(place=[1, 2], windows=[None, []]),
        shifts=ShiftArrays(start_place=[0], begin_s=[0], end_s=[200], locked=[[1, 0]]),
    )
    with pytest.raises(InfeasibleError, match="locked-misfit"):
        solve_routing(problem, engine=engine, iterations=50)
