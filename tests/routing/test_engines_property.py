"""Every engine on tiny random problems: its answer is right, and as good as the status says."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from tests.routing.contract.engines import MAKERS
from tests.routing.oracle import Oracle, definite, links_definite
from tests.routing.strategies import FEATURES, problems

from territory.check import check_routing
from territory.errors import InfeasibleError, InputError
from territory.model.enums import Status
from territory.travel import UNREACHABLE

#: Relative to the numbers, which are small.
SLACK = 1e-6
#: Rules that look at one shift only.
ONE = tuple(sorted(set(FEATURES) - {"joint", "patterns", "rhythm", "weekdays", "profiles"}))


def judge(name: str, problem: Any) -> None:
    """Hold an engine's answer against the rules, and against the best answer."""
    # the oracle knows no best answer where the contract leaves the timing open
    known = definite(problem) and links_definite(problem)
    if name == "oracle" and not known:
        return
    try:
        solution = MAKERS[name](problem)
    except InputError as error:
        if (name, error.codes) != ("exact", ("several-shifts",)):
            raise
        return  # the exact engine takes visits that may go to one shift only
    except InfeasibleError:
        assert problem.shifts.locked is not None
        assert not known or Oracle(problem).optimum().missing
        return
    report = check_routing(problem, solution)
    assert report.ok, str(report)
    if not known:
        return
    best = Oracle(problem).optimum()
    assert solution.required_missing >= best.missing
    if solution.status == Status.OPTIMAL:
        assert solution.objective <= best.objective + SLACK
    if solution.status == Status.INFEASIBLE:
        assert best.missing
    if best.missing == 0:
        assert solution.bound <= best.objective + SLACK
    if solution.required_missing == best.missing:
        assert solution.objective >= best.objective - SLACK
    if name == "oracle":
        assert solution.objective == pytest.approx(best.objective)


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=60)
@given(problem=problems())
def test_answers_are_right_and_no_better_than_the_best(name: str, problem: Any) -> None:
    judge(name, problem)


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=25)
@given(problem=problems(most_visits=6, most_shifts=1, features=ONE, most_features=4))
def test_one_shift_of_up_to_six_visits(name: str, problem: Any) -> None:
    judge(name, problem)


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=25)
@given(
    problem=problems(
        most_visits=3,
        most_shifts=3,
        features=("patterns", "rhythm", "weekdays", "windows", "joint", "precedence"),
    )
)
def test_three_shifts_with_cadences_and_links(name: str, problem: Any) -> None:
    judge(name, problem)


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "ortools"])
@settings(max_examples=40)
@given(problem=problems(most_visits=4, most_features=3))
def test_engines_that_search_find_the_best_of_tiny_problems(name: str, problem: Any) -> None:
    if not (definite(problem) and links_definite(problem)):
        return
    if (problem.durations_s >= UNREACHABLE).any():
        return  # two visits may then fit together though neither fits alone: the search puts in one at a time
    best = Oracle(problem).optimum()
    try:
        solution = MAKERS[name](problem)
    except (InputError, InfeasibleError):
        return  # as it should be: see `judge`
    assert (solution.required_missing, solution.objective) <= (best.missing, best.objective + SLACK)


@given(problem=problems(most_visits=3))
def test_the_oracle_never_loses_to_doing_nothing(problem: Any) -> None:
    nothing = sum(problem.visits.value[~problem.visits.rhythmic])
    oracle = Oracle(problem)
    best = oracle.optimum()
    assert best.objective < inf
    if not (problem.visits.rhythmic.any() or problem.visits.required.any() or problem.shifts.locked):
        assert best.objective <= nothing + SLACK
