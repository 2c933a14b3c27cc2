"""Every rule of a routing problem and every term of its cost, on a problem whose best answer is known by hand.

Places stand on a line, 10 s apart, and the shifts begin at 0::

    x   0      1   2   3   4
        home
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.routing.contract.engines import MAKERS

from territory.check import check_routing
from territory.errors import InputError
from territory.model.enums import Status
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.routing.solution import TERMS
from territory.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.routing.solution import RoutingSolution, ShiftRoute

LINE = 10 * abs(np.arange(5)[:, None] - np.arange(5)[None, :])


def problem(place: list[int], n_shifts: int = 1, **columns: Any) -> RoutingProblem:
    """Return a problem; columns are named ``v_value``, ``s_breaks``, ``p_joint``; visits take 5 s and are worth 100."""
    n = len(place)
    visits: dict[str, Any] = {"place": place, "service_s": [5] * n, "value": [100.0] * n}
    shifts: dict[str, Any] = {"start_place": [0] * n_shifts, "begin_s": [0] * n_shifts, "end_s": [200] * n_shifts}
    others: dict[str, Any] = {"durations_s": LINE}
    for name, value in columns.items():
        {"v": visits, "s": shifts, "p": others}[name[0]][name[2:]] = value
    return RoutingProblem(visits=VisitArrays(**visits), shifts=ShiftArrays(**shifts), **others)


@pytest.fixture(params=MAKERS)
def solve(request: pytest.FixtureRequest) -> Callable[[RoutingProblem], RoutingSolution]:
    """Return an engine whose answers are checked."""

    def checked(problem: RoutingProblem) -> RoutingSolution:
        try:
            solution: RoutingSolution = MAKERS[request.param](problem)
        except InputError as error:
            if request.param == "exact" and error.codes == ("several-shifts",):
                pytest.skip("the exact engine takes visits that may go to one shift only")
            raise
        report = check_routing(problem, solution)
        assert report.ok, str(report)
        return solution

    return checked


def orders(solution: RoutingSolution) -> dict[int, tuple[int, ...]]:
    return {route.shift: route.visits for route in solution.routes}


def only(solution: RoutingSolution) -> ShiftRoute:
    (route,) = solution.routes
    return route


def out(solution: RoutingSolution) -> set[int]:
    return {v for v, _ in solution.unserved}


# --- nothing, and too much


def test_no_visits(solve: Any) -> None:
    solution = solve(problem([]))
    assert (solution.routes, solution.unserved, solution.objective) == ((), (), 0.0)


def test_no_shifts(solve: Any) -> None:
    solution = solve(problem([1, 2], 0))
    assert (solution.routes, out(solution), solution.objective) == ((), {0, 1}, 200.0)


def test_required_visits_that_nobody_can_make(solve: Any) -> None:
    solution = solve(problem([1, 2], v_required=[True, True], v_windows=[[], None]))
    assert (out(solution), solution.required_missing) == ({0}, 1)
    assert solution.status in (Status.INFEASIBLE, Status.FEASIBLE, Status.TIME_LIMIT)


# --- driving


def test_the_shortest_order(solve: Any) -> None:
    solution = solve(problem([3, 1, 4, 2]))
    assert solution.objective == 80.0
    assert set(only(solution).visits) == {0, 1, 2, 3}


def test_one_way_streets(solve: Any) -> None:
    # around the ring one way 10 s a leg, the other way 30 s
    ring = np.array(
        [[0 if a == b else 10 * ((b - a) % 3) + 20 * ((b - a) % 3 == 2) for b in range(3)] for a in range(3)]
    )
    solution = solve(problem([2, 1], p_durations_s=ring))
    assert (only(solution).visits, solution.objective) == ((1, 0), 30.0)


def test_no_way(solve: Any) -> None:
    cut = LINE.copy()
    cut[:3, 3:] = UNREACHABLE
    solution = solve(problem([1, 3, 4], p_durations_s=cut))
    assert (out(solution), solution.objective) == ({1, 2}, 220.0)


def test_no_way_back(solve: Any) -> None:
    cut = LINE.copy()
    cut[3:, :3] = UNREACHABLE
    solution = solve(problem([1, 3], p_durations_s=cut))
    assert (out(solution), solution.objective) == ({1}, 120.0)


def test_the_end_place(solve: Any) -> None:
    solution = solve(problem([1, 3], s_end_place=[4]))
    assert (only(solution).visits, solution.objective) == ((0, 1), 40.0)


def test_profiles(solve: Any) -> None:
    # shift 1 drives at half speed
    twice = np.array([LINE, 2 * LINE])
    solution = solve(problem([1, 2], 2, p_durations_s=twice, s_profile=[0, 1], s_max_visits=[1, 1]))
    assert (orders(solution), solution.objective) == ({0: (1,), 1: (0,)}, 40.0 + 40.0)


def test_time_of_day(solve: Any, request: pytest.FixtureRequest) -> None:
    # from 30 s on drives take three times as long: the far visit comes first, or the way back costs more
    cube = np.array([[LINE, 3 * LINE]])
    solution = solve(problem([1, 2], p_durations_s=cube, p_bucket_starts_s=[0, 30], s_end_s=[75], v_service_s=[0, 0]))
    if "ortools" in request.node.name:
        return  # reckons with the slowest hour: what it returns keeps the rules, but may leave out a visit
    assert not out(solution)
    # 0 -> 1 -> 2 at 20 s, back at 40 s; the other order is at 1 at 30 s, and drives home for 30 s
    assert (only(solution).visits, only(solution).back, solution.objective) == ((0, 1), 40, 40.0)
    late = solve(problem([1, 2], p_durations_s=cube, p_bucket_starts_s=[0, 30], s_end_s=[69]))
    # 0 -> 2 at 20 s, 25 s -> 1 at 35 s, 40 s -> 0 at 70 s: too late; 0 -> 1 -> 2 at 25 s, from 30 s on 60 s home
    assert len(out(late)) == 1


def test_who_would_arrive_earlier_by_waiting_waits(solve: Any) -> None:
    # until 20 s the drive takes 90 s, then 10 s
    drive = np.array([[[[0, 90], [90, 0]], [[0, 10], [10, 0]]]])
    solution = solve(problem([1], p_durations_s=drive, p_bucket_starts_s=[0, 20], s_end_s=[50]))
    assert not out(solution)
    assert (only(solution).starts, only(solution).back) == ((30,), 45)


# --- windows and times


def test_a_window_holds_the_start(solve: Any) -> None:
    solution = solve(problem([1, 2], v_windows=[[(60, 60)], [(0, 20)]]))
    assert (only(solution).visits, only(solution).starts) == ((1, 0), (20, 60))


def test_a_window_holds_the_whole_visit(solve: Any) -> None:
    solution = solve(problem([1, 2], v_windows=[[(10, 14)], [(20, 25)]], v_window_holds_visit=[True, True]))
    assert out(solution) == {0}


def test_several_windows(solve: Any) -> None:
    # at 2 by 20 s, so back at 1 after its first window, in its second
    solution = solve(problem([1, 2], v_windows=[[(0, 9), (50, 51), (90, 95)], [(0, 21)]]))
    assert only(solution).starts == (20, 50)


def test_no_window_at_all(solve: Any) -> None:
    assert out(solve(problem([1, 2], v_windows=[[], None]))) == {0}


def test_a_shift_ends(solve: Any) -> None:
    assert out(solve(problem([4, 1], s_end_s=[84], v_value=[100.0, 99.0]))) == {0}
    assert not out(solve(problem([4, 1], s_end_s=[90], v_value=[100.0, 99.0])))


def test_a_shift_begins(solve: Any) -> None:
    solution = solve(problem([1], s_begin_s=[100], v_windows=[[(0, 109)]]))
    assert out(solution) == {0}
    assert not out(solve(problem([1], s_begin_s=[100], v_windows=[[(0, 110)]])))


def test_the_service_factor(solve: Any) -> None:
    # 11 s at 1.5: 16.5, rounded up to 17
    solution = solve(problem([1], v_service_s=[11], s_service_factor=[1.5]))
    route = only(solution)
    assert route.back - route.starts[0] == 27


# --- limits of a shift


def test_the_longest_duration(solve: Any) -> None:
    # the window of the first visit opens at 50 s: who leaves just in time is away for 25 s
    tight = {"v_windows": [[(50, 90)]], "s_max_duration_s": [25]}
    route = only(solve(problem([1], **tight)))
    assert (route.leave, route.back) == (40, 65)
    assert out(solve(problem([1], v_windows=[[(50, 90)]], s_max_duration_s=[24]))) == {0}


def test_the_longest_drive(solve: Any) -> None:
    assert out(solve(problem([1, 4], s_max_drive_s=[79]))) == {1}
    assert not out(solve(problem([1, 4], s_max_drive_s=[80])))


def test_the_most_visits(solve: Any) -> None:
    solution = solve(problem([1, 2, 3], s_max_visits=[2], v_value=[100.0, 200.0, 300.0]))
    assert out(solution) == {0}


def test_capacity(solve: Any) -> None:
    # 4 + 3 of 7; the best pair by value would be 5 + 4
    solution = solve(problem([1, 1, 1], v_load=[5, 4, 3], s_capacity=[7], v_value=[120.0, 100.0, 90.0]))
    assert out(solution) == {0}


# --- pauses


def test_a_break_between_visits(solve: Any) -> None:
    route = only(solve(problem([1, 2], s_breaks=[[(20, 10, 40)]], s_end_s=[70])))
    assert route.break_starts[0] >= 10
    assert route.break_starts[0] + 20 <= 40
    assert route.back == 70


def test_a_break_that_leaves_no_time(solve: Any) -> None:
    assert len(out(solve(problem([1, 2], s_breaks=[[(20, 10, 40)]], s_end_s=[69])))) == 1


def test_a_fixed_break_is_not_interrupted_by_a_drive(solve: Any) -> None:
    # the only break begins when the rep would drive: the rep waits, or leaves later
    route = only(solve(problem([4], s_breaks=[[(10, 30, 40)]])))
    assert route.starts[0] >= 80 or route.leave >= 40


def test_a_break_is_not_needed_by_who_is_back_before_it(solve: Any) -> None:
    assert only(solve(problem([1], s_breaks=[[(30, 25, 60)]], s_end_s=[54]))).break_starts == (-1,)


def test_a_break_is_not_needed_by_who_leaves_after_it(solve: Any) -> None:
    wait = {"v_windows": [[(60, 60)]], "s_cost_per_s": [1.0], "s_breaks": [[(30, 10, 50)]]}
    route = only(solve(problem([1], **wait)))
    assert (route.leave, route.break_starts) == (50, (-1,)) or route.break_starts[0] in range(10, 21)


def test_a_break_may_be_taken_at_the_end_place(solve: Any) -> None:
    # back at 25 s; no other place leaves time for the visit's window
    limits = {"v_windows": [[(10, 10)]], "s_breaks": [[(10, 16, 35)]]}
    route = only(solve(problem([1], s_end_s=[35], **limits)))
    assert (route.back, route.break_starts) == (25, (25,))
    assert out(solve(problem([1], s_end_s=[34], **limits))) == {0}


def test_two_breaks(solve: Any) -> None:
    # the other order, with its long way first, is back at 95 s
    route = only(solve(problem([1, 3], s_breaks=[[(10, 5, 30), (10, 40, 60)]], s_end_s=[90])))
    assert all(at >= 0 for at in route.break_starts)
    assert route.back == 90


# --- which shift


def test_eligibility(solve: Any) -> None:
    solution = solve(problem([1, 2], 2, p_eligible=[[False, True], [True, False]]))
    assert orders(solution) == {0: (1,), 1: (0,)}


def test_a_pinned_shift(solve: Any) -> None:
    # the shift that it is pinned to starts farther away
    solution = solve(problem([1], 2, s_start_place=[0, 4], v_pinned_shift=[1]))
    assert (orders(solution), solution.objective) == ({1: (0,)}, 60.0)


def test_a_pinned_start(solve: Any) -> None:
    route = only(solve(problem([1, 2], v_pinned_start_s=[77, -1])))
    assert route.starts[route.visits.index(0)] == 77


def test_locked_visits_come_first(solve: Any) -> None:
    solution = solve(problem([1, 2, 4], s_locked=[[2, 0]]))
    assert (only(solution).visits, solution.objective) == ((2, 0, 1), 40.0 + 30 + 10 + 20)


def test_a_freeze_holds_drives_but_those_to_locked_visits(solve: Any) -> None:
    solution = solve(problem([1, 2], s_locked=[[1]], p_freeze_s=60))
    route = only(solution)
    assert (route.visits, route.starts, route.back) == ((1, 0), (20, 70), 85)
    later = only(solve(problem([1, 2], p_freeze_s=60)))
    assert later.leave >= 60


def test_shifts_share_the_visits(solve: Any) -> None:
    # each shift is long enough for one far visit only
    solution = solve(problem([4, 4], 2, v_service_s=[20, 20], s_end_s=[100, 100]))
    assert {len(order) for order in orders(solution).values()} == {1}
    assert solution.objective == 160.0


# --- visits that belong together


def test_joint_visits_start_together(solve: Any) -> None:
    solution = solve(problem([1, 4], 2, p_joint=[[0, 1]], s_max_visits=[1, 1]))
    (a,), (b,) = (solution.visits[0], solution.visits[1])
    assert a[1] == b[1] >= 40
    assert a[0] != b[0]


def test_joint_visits_are_both_left_out_where_one_cannot_be_made(solve: Any) -> None:
    solution = solve(problem([1, 2, 2], 2, p_joint=[[0, 1]], v_windows=[None, [], None]))
    assert out(solution) == {0, 1}


def test_joint_visits_need_two_shifts(solve: Any) -> None:
    assert out(solve(problem([1, 1], p_joint=[[0, 1]]))) == {0, 1}


def test_precedence(solve: Any) -> None:
    # 1 comes after 0 has ended, and 30 s more
    limits = {"p_precedence": [[0, 1]], "p_precedence_delay_s": [30]}
    solution = solve(problem([2, 1], **limits))
    route = only(solution)
    assert route.visits == (0, 1)
    assert route.starts[1] >= route.starts[0] + 35
    across = solve(problem([2, 1], 2, s_max_visits=[1, 1], **limits))
    assert across.visits[1][0][1] >= across.visits[0][0][1] + 35


def test_precedence_without_the_first(solve: Any) -> None:
    assert out(solve(problem([2, 1], p_precedence=[[0, 1]], v_windows=[[], None]))) == {0, 1}


# --- how often


def test_patterns_all_or_nothing(solve: Any) -> None:
    # visit 0 on days 0 and 2, or on day 1; there is no shift on day 2
    days = {"s_day": [0, 1], "p_n_days": 3}
    solution = solve(problem([1, 1], 2, v_patterns=[[[0, 2], [1]], None], **days))
    assert [s for s, _ in solution.visits[0]] == [1]
    never = solve(problem([1, 1], 2, v_patterns=[[[0, 2], [2]], None], **days))
    assert out(never) == {0}


def test_a_pattern_of_two_days(solve: Any) -> None:
    solution = solve(problem([1], 3, s_day=[0, 1, 2], v_patterns=[[[0, 2]]]))
    assert sorted(s for s, _ in solution.visits[0]) == [0, 2]
    # each time costs a way of 20 s, the visit is worth less
    assert out(solve(problem([1], 3, s_day=[0, 1, 2], v_patterns=[[[0, 2]]], v_value=[39.0]))) == {0}


RHYTHM = {
    "v_first_low_day": [0], "v_first_high_day": [1], "v_first_due_day": [0], "v_gap_low_days": [2],
    "v_gap_high_days": [3], "v_gap_days": [2], "v_interval_days": [2.0],
}  # fmt: skip


def test_a_rhythm(solve: Any) -> None:
    # five days, a visit every second or third: 0, 2, 4, or 1, 3 and then none before day 5
    solution = solve(problem([1], 5, s_day=[0, 1, 2, 3, 4], **RHYTHM))
    days = sorted(s for s, _ in solution.visits[0])
    assert (days[0] in (0, 1), {b - a for a, b in pairwise(days)} <= {2, 3}) == (True, True)
    assert (len(days), solution.unserved, solution.objective) == (2, (), 40.0)


def test_a_rhythm_misses_visits_where_there_is_no_shift(solve: Any) -> None:
    # no shift on days 2 and 3
    solution = solve(problem([1], 3, s_day=[0, 1, 4], p_n_days=5, **RHYTHM))
    days = sorted([0, 1, 4][s] for s, _ in solution.visits[0])
    assert (days, solution.unserved) == ([1, 4], ())
    # none on days 1 to 4: the one of day 0, then day 2 and day 4 are missed; or day 0, then day 2 missed
    lonely = solve(problem([1], 1, s_day=[0], p_n_days=5, **RHYTHM))
    assert lonely.unserved == ((0, 2), (0, 4))


def test_a_rhythm_that_is_not_due(solve: Any) -> None:
    solution = solve(problem([1], 2, s_day=[0, 1], **{**RHYTHM, "v_first_due_day": [2]}))
    assert (solution.routes, solution.unserved, solution.objective) == ((), (), 0.0)


def test_one_visit_of_a_cadence_a_day(solve: Any) -> None:
    solution = solve(problem([1], 2, s_day=[0, 0], v_patterns=[[[0]]]))
    assert len(solution.visits[0]) == 1


# --- terms of the cost, each alone

TERM_CASES: dict[str, tuple[dict[str, Any], float]] = {
    "shifts": ({"place": [1, 2], "n_shifts": 2, "s_cost": [30.0, 20.0], "s_cost_per_m": [0.0, 0.0],
                "p_distances_m": LINE}, 20.0),
    # from 40 s on the way to 65 s
    "duration": ({"place": [1], "s_cost_per_s": [2.0], "v_windows": [[(50, 90)]]}, 50.0),
    "drive": ({"place": [3], "s_cost_per_drive_s": [0.5]}, 30.0),
    "distance": ({"place": [3], "s_cost_per_m": [0.2], "p_distances_m": 7 * LINE}, 84.0),
    # 65 s after the begin, 15 s after the end
    "overtime": ({"place": [3], "s_end_s": [50], "s_max_overtime_s": [20], "s_overtime_cost": [3.0],
                  "s_cost_per_drive_s": [0.0]}, 45.0),
    # 20 s at the earliest
    "lateness": ({"place": [2], "v_due_s": [13], "v_late_cost": [2.0], "s_cost_per_drive_s": [0.0]}, 14.0),
    # the shift of the baseline cannot be had
    "change": ({"place": [1], "n_shifts": 2, "p_baseline": [[True, False]], "p_eligible": [[False, True]],
                "v_change_cost": [8.0], "s_cost_per_drive_s": [0.0, 0.0]}, 8.0),
    # day 1 is cheaper than day 0
    "cadence": ({"place": [1], "n_shifts": 2, "s_day": [0, 1], "v_patterns": [[[0], [1]]],
                 "v_pattern_cost": [[9.0, 4.0]], "s_cost_per_drive_s": [0.0, 0.0]}, 4.0),
    # a week later there is no shift, but on the day after
    "regularity": ({"place": [1], "n_shifts": 2, "s_day": [0, 8], "p_n_days": 9, "s_cost_per_drive_s": [0.0, 0.0],
                    "v_gap_low_days": [7], "v_gap_high_days": [8], "v_gap_days": [7], "v_interval_days": [7.0],
                    "v_weekday_cost": [6.0]}, 6.0),
    "unserved": ({"place": [1], "v_windows": [[]]}, 100.0),
}  # fmt: skip


def test_every_term_has_its_own_case() -> None:
    assert set(TERM_CASES) == set(TERMS)


@pytest.mark.parametrize("term", TERMS)
def test_a_term_alone(solve: Any, term: str) -> None:
    columns, amount = TERM_CASES[term]
    solution = solve(problem(**columns))
    assert solution.terms == dict.fromkeys(TERMS, 0.0) | {term: amount}
    assert solution.objective == amount


def test_days_off_the_rhythm_cost(solve: Any) -> None:
    # due on day 1, two days more each; day 3 has no shift
    rhythm = RHYTHM | {"v_first_due_day": [1], "v_off_cost": [7.0]}
    solution = solve(problem([1], 4, s_day=[0, 1, 2, 4], p_n_days=6, s_cost_per_drive_s=[0.0] * 4, **rhythm))
    # day 1, then day 4, one off; after day 4 none is due before day 6
    assert (sorted(s for s, _ in solution.visits[0]), solution.terms["cadence"]) == ([1, 3], 7.0)


WEEKLY = {
    "v_first_high_day": [6], "v_gap_low_days": [6], "v_gap_high_days": [8], "v_gap_days": [7], "v_interval_days": [7.0],
    "v_weekday_cost": [15.0],
}  # fmt: skip


def test_the_same_weekday_is_kept_where_that_costs_little(solve: Any) -> None:
    # the second day of the first week is 10 s nearer than the first, in the second week it is the first day
    def days(week: float) -> tuple[list[int], dict[str, float]]:
        near = {"s_start_place": [0, 1, 1, 0], "s_cost_per_drive_s": [1.0, 1.0, 1.0, 1.0]}
        columns = {**WEEKLY, **near, "v_weekday_cost": [week]}
        solution = solve(problem([2], 4, s_day=[0, 1, 7, 8], p_n_days=9, **columns))
        return sorted(s for s, _ in solution.visits[0]), {k: x for k, x in solution.terms.items() if x}

    assert days(15.0) == ([1, 2], {"drive": 40.0, "regularity": 15.0})
    kept, terms = days(25.0)
    assert (kept in ([0, 2], [1, 3]), terms) == (True, {"drive": 60.0})


def test_the_first_visit_keeps_the_weekday_of_the_last_one(solve: Any) -> None:
    # alike but for the weekday
    for last, shift in ((-1, None), (0, 0), (1, 1), (2, 2)):
        solution = solve(problem([1], 3, s_day=[0, 1, 9], p_n_days=7 + 3, v_last_weekday=[last], v_first_due_day=[1],
                                 **{**WEEKLY, "v_first_high_day": [9], "v_interval_days": [10.0]}))  # fmt: skip
        assert solution.terms["regularity"] == 0.0
        assert shift is None or solution.visits[0][0][0] == shift
    lonely = solve(problem([1], 1, s_day=[1], p_n_days=2, v_last_weekday=[4], **WEEKLY))
    assert lonely.terms["regularity"] == 15.0
    # a visit may cost more than it is worth
    dear = solve(problem([1], 1, s_day=[1], p_n_days=2, v_last_weekday=[4], **{**WEEKLY, "v_weekday_cost": [90.0]}))
    assert (dear.unserved, dear.objective) == (((0, 0),), 100.0)


def test_a_visit_without_a_baseline_changes_for_free(solve: Any) -> None:
    solution = solve(problem([1], 2, p_baseline=[[False, False]], v_change_cost=[50.0]))
    assert (solution.terms["change"], solution.objective) == (0.0, 20.0)


def test_the_baseline_is_kept_where_it_is_cheap(solve: Any) -> None:
    # the shift nearby would save 20 s of driving, a change costs 25
    near = {"s_start_place": [0, 1], "p_baseline": [[True, False]]}
    assert orders(solve(problem([2], 2, v_change_cost=[25.0], **near))) == {0: (0,)}
    assert orders(solve(problem([2], 2, v_change_cost=[15.0], **near))) == {1: (0,)}


def test_lateness_reverses_an_order(solve: Any) -> None:
    # both orders drive the same way; the visit at 2 is late by 5 s if the one at 1 comes first
    columns = {"v_due_s": [200, 20], "v_late_cost": [1.0, 1.0]}
    solution = solve(problem([1, 2], **columns))
    assert (only(solution).visits, solution.objective) == ((1, 0), 40.0)


def test_a_visit_is_not_made_for_less_than_its_way_costs(solve: Any) -> None:
    solution = solve(problem([1, 4], v_value=[100.0, 59.0]))
    assert (out(solution), solution.objective) == ({1}, 79.0)
    assert not out(solve(problem([1, 4], v_value=[100.0, 61.0])))
