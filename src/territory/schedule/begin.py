"""Where a search begins: routes of before, as far as they keep the rules of a problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from territory.check import check_routing
from territory.routing.finish import finish
from territory.routing.rhythm import chain_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from territory.routing.problem import RoutingProblem
    from territory.routing.solution import RoutingSolution
    from territory.routing.trial import Trial

__all__ = ["begun"]


def begun(trial: Trial, orders: Mapping[int, Sequence[int]]) -> RoutingSolution | None:
    """Return the solution with these routes, as far as they fit; None: what is left breaks rules all the same.

    Of each route the visits that come first have precedence. Left to the search are visits that fit no longer, joint
    ones of which one half is missing or whose starts no longer meet, and those made on days that are not all of a set,
    or no rhythm.

    Parameters
    ----------
    trial : Trial
        Of the problem.
    orders : mapping of shift to visits in order
    """
    problem = trial.problem
    paired = {int(v) for v in problem.joint.ravel()}
    # visits whose starts no longer meet cannot be told one by one
    for left_out in (set[int](), paired) if paired else (set[int](),):
        kept = {s: trial.as_fits(s, [v for v in order if v not in left_out]) for s, order in orders.items()}
        broken = _broken(trial, kept)
        while broken:
            kept = {s: [v for v in order if v not in broken] for s, order in kept.items()}
            broken = _broken(trial, kept)
        found = finish(problem, trial.layout, kept)
        if found is not None and check_routing(problem, found).ok:
            return found
    return None


def _broken(trial: Trial, orders: Mapping[int, Sequence[int]]) -> set[int]:
    """Return visits made without their other half, on some days of a set only, or on days that are no rhythm."""
    problem = trial.problem
    days: dict[int, list[int]] = {}
    for s, order in orders.items():
        for v in order:
            days.setdefault(v, []).append(int(problem.shifts.day[s]))
    found = {int(v) for pair in problem.joint for v in pair if any(int(one) not in days for one in pair)} & set(days)
    return found | {v for v, made in days.items() if not _keeps_days(trial, problem, v, sorted(made))}


def _keeps_days(trial: Trial, problem: RoutingProblem, v: int, made: list[int]) -> bool:
    patterns = problem.visits.patterns
    if problem.visits.gap_low_days[v] == 0:
        asked = None if patterns is None else patterns[v]
        return len(made) == 1 if asked is None else made in [sorted(one) for one in asked]
    try:
        chain_of(trial.layout, v, made)
    except ValueError:
        return False
    return True
