"""Peers state the same problem, or say that they cannot."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from benchmarks.engines import answer_of
from benchmarks.peers import days_first
from benchmarks.peers.statement import CannotStateError, need_plain, start_windows
from benchmarks.peers.vroom_peer import priorities

from territory.check.routing import check_routing
from territory.routing.finish import finish
from territory.routing.layout import layout_of
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.routing.solve import solve_routing

LINE = np.array([0, 600, 1500, 1200, 3000])


def problem(visits=None, shifts=None, **more):
    return RoutingProblem(
        durations_s=abs(LINE[:, None] - LINE[None, :]),
        visits=VisitArrays(**{"place": [1, 2, 3, 4], "service_s": [1800] * 4, **(visits or {})}),
        shifts=ShiftArrays(**{"start_place": [0, 0], "begin_s": [0, 0], "end_s": [8000, 8000], **(shifts or {})}),
        **more,
    )


@pytest.mark.parametrize("peer", ["pyvrp", "vroom"])
@pytest.mark.parametrize(
    ("visits", "shifts"),
    [
        ({}, {}),
        ({"value": [9e4, 9e4, 9e4, 9e4]}, {"end_s": [8000, 4500]}),
        # two windows, of which only the second can be kept; the window holds the whole visit
        ({"windows": [[(0, 500), (5000, 5200)], None, [(3000, 5000)], None], "window_holds_visit": [0, 0, 1, 0]}, {}),
        ({"load": [1, 1, 1, 1]}, {"capacity": [2, 2]}),
        ({}, {"cost": [0.0, 5000.0], "end_place": [0, 4]}),
    ],
)
def test_peers_find_the_best_answer_of_a_small_problem(peer, visits, shifts):
    pytest.importorskip(peer)
    asked = problem(visits, shifts)
    costs = []
    for seed in range(3):  # PyVRP may be caught in a local optimum
        found = answer_of(peer, asked, seconds=0.1, iterations=None, seed=seed)
        told = finish(asked, layout_of(asked), {r.shift: r.visits for r in found.routes})
        assert told is not None
        assert check_routing(asked, told).ok
        costs.append(told.objective)
        for route in found.routes:
            for v, start in zip(route.visits, route.starts, strict=True):
                assert any(a <= start <= b for a, b in start_windows(asked)[v])
    ours = solve_routing(asked, engine="search", iterations=2000)
    assert min(costs) <= ours.objective + 1e-6


def test_a_visit_that_is_not_worth_its_drive_is_left_out_by_pyvrp_and_made_by_vroom():
    pytest.importorskip("pyvrp")
    pytest.importorskip("vroom")
    asked = problem({"value": [9e3, 9e3, 9e3, 100.0]}, {"end_s": [9000, 9000]})
    leaves, makes = (answer_of(peer, asked, seconds=0.1, iterations=None, seed=1) for peer in ("pyvrp", "vroom"))
    assert sorted(v for r in leaves.routes for v in r.visits) == [0, 1, 2]
    assert sorted(v for r in makes.routes for v in r.visits) == [0, 1, 2, 3]


def test_pyvrp_says_when_there_is_no_answer():
    pytest.importorskip("pyvrp")
    asked = problem(shifts={"end_s": [4000, 4000]})
    assert answer_of("pyvrp", asked, seconds=None, iterations=50, seed=0).status == "no answer"


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        (problem(precedence=[(0, 1)]), "precedence"),
        (problem({"pinned_shift": [0, -1, -1, -1]}), "pins"),
        (problem(shifts={"service_factor": [1.0, 1.5]}), "service factors"),
        (problem(shifts={"breaks": [[(600, 1000, 3000)], []]}), "breaks"),
        (problem(eligible=[[True, False]] * 4), "eligibility"),
        (problem(shifts={"cost_per_s": [1.0, 1.0]}), "rates"),
        (problem(shifts={"max_visits": [2, 2]}), "most of visits"),
    ],
)
def test_what_peers_cannot_state_is_named(asked, rule):
    with pytest.raises(CannotStateError, match=rule):
        need_plain(asked, "PyVRP")


def test_vroom_has_no_longest_duration():
    pytest.importorskip("vroom")
    with pytest.raises(CannotStateError, match="longest duration"):
        answer_of("vroom", problem(shifts={"max_duration_s": [7000, 7000]}), seconds=1.0, iterations=None, seed=0)


def test_values_are_priorities_where_they_are_whole_and_small():
    assert priorities(problem({"value": [1.0, 50.0, 100.0, 7.0]})) == [1, 50, 100, 7]
    assert priorities(problem({"value": [1.0, 50.0, 200.0, 100.0]})) == [0, 25, 100, 50]
    assert priorities(problem()) == [0, 0, 0, 0]
    assert priorities(problem({"value": [5.0, 0.0, 3.0, 1.0]})) == [5, 5, 3, 1]


DAYS = {
    "start_place": [0] * 10, "begin_s": [86_400 * d for d in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)],
    "end_s": [86_400 * d + 9000 for d in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)], "day": [0, 1, 2, 3, 4, 7, 8, 9, 10, 11],
}  # fmt: skip
WEEKLY = {
    "first_low_day": [0] * 4, "first_high_day": [4] * 4, "first_due_day": [2] * 4, "gap_low_days": [5] * 4,
    "gap_high_days": [9] * 4, "gap_days": [7] * 4, "interval_days": [7.0] * 4, "off_cost": [30.0] * 4,
    "value": [9e4] * 4,
}  # fmt: skip


def test_chains_are_whole_on_working_days_and_cost_their_days_off():
    chains = dict(days_first.chains_of(problem(WEEKLY, DAYS), 0))
    assert chains[2, 9] == 0
    assert chains[1, 9] == 60
    assert all(day in DAYS["day"] for days in chains for day in days)
    assert all(5 <= b - a <= 9 for days in chains for a, b in pairwise(days))
    due_later = problem({**WEEKLY, "first_due_day": [12] * 4, "first_high_day": [14] * 4}, DAYS)
    assert days_first.chains_of(due_later, 0) == []
    patterns = {"patterns": [[(0,), (1, 6)], None, None, None], "pattern_cost": [[5.0, 0.0], None, None, None]}
    patterned = problem(patterns, DAYS)
    assert days_first.chains_of(patterned, 0) == [((0,), 5.0)]


def test_days_are_chosen_first_and_then_routed():
    pytest.importorskip("pyvrp")
    asked = problem(WEEKLY, DAYS)
    found = days_first.solve(asked, seconds=None, iterations=50, seed=0)
    ours = finish(asked, layout_of(asked), {r.shift: r.visits for r in found.routes})
    assert ours is not None
    assert check_routing(asked, ours).ok
    assert ours.unserved == ()


def test_what_a_missed_visit_breaks_is_taken_out():
    asked = problem(WEEKLY, DAYS)
    # the first is missed, so it stands on day 2: the next may be on days 7 to 11
    assert days_first.kept_days(asked, 0, [8]) == [8]
    assert days_first.kept_days(asked, 0, [0, 9]) == [0, 9]
    # the second of a chain from day 4 is missed and stands on day 11
    assert days_first.kept_days(asked, 0, [4]) == [4]
    assert days_first.kept_days(asked, 0, [0, 4]) in ([0], [4])
