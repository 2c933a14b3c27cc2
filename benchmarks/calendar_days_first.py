"""A team's months in the usual two steps: the days of every visit first, then each day's route by PyVRP.

The choice of days and the routes are those of `benchmarks.peers.days_first`, rep by rep; what comes back is a `Plan`,
so that `check_plan` can check it like the library's own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.nearest_days import rep_by_rep
from benchmarks.peers import days_first
from benchmarks.peers.statement import CannotStateError
from territory.model.enums import Reason
from territory.routing.board import lone
from territory.routing.finish import finish
from territory.routing.layout import layout_of
from territory.schedule.demand import Prices, demand

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory import Plan, PlanSettings
    from territory.model.alignment import Alignment
    from territory.model.arrays import IdxArray
    from territory.routing.assemble import Drafts
    from territory.routing.desk import Desk
    from territory.schedule.cadence import Cadence

__all__ = ["days_first_plan"]


def days_first_plan(alignment: Alignment, settings: PlanSettings, *, seconds: float, seed: int) -> Plan:
    """Plan a team's horizon.

    Parameters
    ----------
    alignment : Alignment
    settings : PlanSettings
    seconds : float
        CPU time of each rep's month, the choice of days included.
    seed : int

    Returns
    -------
    Plan
        Unchecked.

    Raises
    ------
    CannotStateError
        The reps' calendars have something that PyVRP cannot be asked: breaks, days on which some customers cannot be
        visited.
    """
    return rep_by_rep(alignment, settings, partial(_plan_rep, seconds=seconds, seed=seed))


def _plan_rep(
    drafts: Drafts, desk: Desk, rep: int, rows: IdxArray, cadence: Cadence, *, seconds: float, seed: int
) -> None:
    board = lone(desk)
    own = np.zeros(len(rows), np.int64)
    calls = demand(board, desk.customers, desk.settings, cadence, (), Prices(np.ones(len(rows)), 1.0), own)
    if not len(calls) or not board.shifts:
        for v in calls.row.tolist():
            _miss(drafts, desk, rep, rows, v, cadence.missed_days(v, desk.settings.n_days))
        return
    problem = board.problem(calls)
    if problem.eligible is not None and not np.all(problem.eligible):
        msg = "days on which some customers cannot be visited"
        raise CannotStateError(msg)
    problem = replace(problem, eligible=None)
    answer = days_first.solve(problem, seconds=seconds, iterations=None, seed=seed)
    made = finish(problem, layout_of(problem), {route.shift: list(route.visits) for route in answer.routes})
    if made is None:
        msg = "a day of PyVRP's does not fit"
        raise RuntimeError(msg)
    for route in made.routes:
        drafts.add_route(desk, rep, rows, board.shifts[route.shift][1], calls, route, 0)
    for k, day in made.unserved:
        _miss(drafts, desk, rep, rows, int(calls.row[k]), [day])


def _miss(drafts: Drafts, desk: Desk, rep: int, rows: IdxArray, visit: int, days: Iterable[int]) -> None:
    detail = "Its days were chosen before the routes, and had no room for it."
    for day in days:
        drafts.add_missed(int(rows[visit]), rep, desk.settings.days[day], Reason.OVER_CAPACITY, detail)
