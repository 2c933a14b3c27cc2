"""A horizon as one routing problem: days and routes found together, then each day's order proven."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from territory.errors import SolverError
from territory.model.enums import Status
from territory.model.zones import utc_second
from territory.routing.finish import finish, free_bounds
from territory.routing.solve import solve_routing
from territory.routing.trial import Trial
from territory.schedule.begin import begun
from territory.schedule.regular import steady_times
from territory.schedule.rolling import as_before

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from territory.routing.board import Board
    from territory.routing.calls import Calls
    from territory.routing.problem import RoutingProblem
    from territory.routing.solution import RoutingSolution, ShiftRoute
    from territory.schedule.nights import Overnight
    from territory.schedule.rolling import Before

__all__ = ["Horizon", "plan_horizon"]

#: Share of the time that is left for the search; the rest is for the order of each day.
_SEARCH = 0.9
#: How much dearer a promise is to change than what was only planned.
_FIRM = 50.0
#: How much dearer it is to be out an hour longer than to come an hour earlier or later than before.
_WAIT = 10.0


@dataclass(frozen=True, eq=False)
class Horizon:
    """A board's plan.

    Attributes
    ----------
    board : Board
    calls : Calls
    routes : tuple of (shift, ShiftRoute, bound_s)
        `shift` as in `Board.shifts`; visits are numbers of calls, in order.
    missed : tuple of (call, day)
        What is due and not planned.
    timed_out : bool
    trial : Trial, or None where there are no shifts or no calls
    """

    board: Board
    calls: Calls
    routes: tuple[tuple[tuple[int, int], ShiftRoute, int], ...]
    missed: tuple[tuple[int, int], ...]
    timed_out: bool
    trial: Trial | None

    def fits_alone(self, call: int, r: int, n: int) -> bool:
        """Return whether a call fits a worked day of a desk if it is the only one; where time ran out: yes, untried."""
        return self.trial is None or self.trial.fits(self.board.shifts.index((r, n)), [call])


def plan_horizon(
    board: Board, calls: Calls, deadline: float, *, iterations: int, seed: int,
    before: Mapping[tuple[int, int], Sequence[Before]] | None = None, change_price: float = 0.0,
    time_price: float = 0.0, overnight: Overnight | None = None,
) -> Horizon:  # fmt: skip
    """Plan the horizon of a board.

    Parameters
    ----------
    board : Board
    calls : Calls
    deadline : float
        Monotonic seconds.
    iterations : int
        Rounds of search.
    seed : int
    before : mapping of shift to visits, optional
        The routes of an earlier plan: where the search begins, and what it costs to leave.
    change_price : float
        What a visit costs in a shift that it did not stand in before.
    time_price : float
        What an hour of difference in the time of day costs between one visit at a customer and the next.
    overnight : Overnight, optional
        What nights away may be had; without it there are none.

    Returns
    -------
    Horizon
        The same for the same input, unless time runs out.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C: half a team's plan is none.
    """
    left = deadline - monotonic()
    problem, start = None, None
    if board.shifts and len(calls) and left > 0:
        problem, start = _problem(board, calls, before or {}, change_price)
    if problem is None:
        return Horizon(board, calls, (), _all_missed(board, calls), left <= 0, None)
    trial = Trial(problem)
    found = solve_routing(
        problem, engine="search", time_limit_s=max(_SEARCH * left, 0.001), iterations=max(1, iterations), rng=seed,
        start=None if start is None else begun(trial, _numbered(board, start)),
    )  # fmt: skip
    if found.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    plans = [(board, trial, found)]
    if overnight is not None and found.status is not Status.TIME_LIMIT:
        away, its, better = overnight.tours(
            board, calls, problem, found, lambda b: _problem(b, calls, before or {}, change_price)[0],
            iterations=iterations, seed=seed, deadline=monotonic() + _SEARCH * (deadline - monotonic()),
        )  # fmt: skip
        if away.nights:
            plans.append((away, Trial(its), better))
    while True:
        board, trial, found = plans.pop()
        found, routes, bounds = _settled(trial, board, calls, found, deadline, time_price)
        made = tuple((board.shifts[r.shift], r, bounds[r.shift]) for r in routes)
        # a cold lead that was struck out may have been the only visit before a night, or after it
        if {(r, n + d) for r, n in board.nights for d in (0, 1)} <= {shift for shift, _, _ in made}:
            break
    last = board.desks[0].settings.n_days - 1
    missed = tuple((k, n if n >= 0 else min(int(calls.due[k]), last)) for k, n in found.unserved)
    timed_out = found.status is Status.TIME_LIMIT or monotonic() >= deadline
    return Horizon(board, calls, made, missed, timed_out, trial)


def _settled(
    trial: Trial, board: Board, calls: Calls, found: RoutingSolution, deadline: float, time_price: float
) -> tuple[RoutingSolution, tuple[ShiftRoute, ...], dict[int, int]]:
    """Order each day, strike out what is too far off, give visits like times; return routes, and bounds by shift."""
    routes, bounds = _ordered(trial, found, deadline)
    if (calls.detour_s >= 0).any():
        found, routes, bounds = _near_only(trial, calls, found, routes, bounds)
    if time_price:
        routes = _regular(trial, board, calls, routes, time_price, deadline)
    return found, routes, bounds


def _problem(
    board: Board, calls: Calls, before: Mapping[tuple[int, int], Sequence[Before]], change_price: float
) -> tuple[RoutingProblem, Mapping[tuple[int, int], Sequence[int]] | None]:
    """Return the routing problem of a horizon, and the routes of before as far as they are still to be made."""
    if not before:
        return board.problem(calls), None
    baseline, firm, start = as_before(board, calls, before)
    # what was promised in an earlier plan, but has no row of its own, is moved only for a visit
    cost = change_price * np.where(firm, _FIRM, 1.0)
    return board.problem(calls, baseline=baseline, change_cost=cost), start


def _numbered(board: Board, start: Mapping[tuple[int, int], Sequence[int]]) -> dict[int, Sequence[int]]:
    number = {shift: s for s, shift in enumerate(board.shifts)}
    return {number[shift]: order for shift, order in start.items() if shift in number}


def _regular(
    trial: Trial, board: Board, calls: Calls, routes: tuple[ShiftRoute, ...], price: float, deadline: float
) -> tuple[ShiftRoute, ...]:
    """Give each customer's visits like times of day where that costs little."""
    midnight = [
        utc_second(int(board.desks[r].settings.days[n].astype(np.int64)), 0, board.desks[r].zone)
        for r, n in board.shifts
    ]
    at = np.array(midnight, np.int64) - board.desks[0].origin
    steady = steady_times(
        trial.problem,
        trial.layout,
        routes,
        midnight_s=at,
        price_per_hour=price,
        group=calls.row,
        wait_per_hour=_WAIT * price,
        deadline=deadline,
    )
    # a day that was turned round may lead past a cold lead from another side
    return routes if any(_farthest(trial, calls, r.shift, list(r.visits))[1] > 0 for r in steady) else steady


def _farthest(trial: Trial, calls: Calls, s: int, order: list[int]) -> tuple[int, int]:
    """Return which call of a day adds most driving beyond what it may, and by how much; 0 or less: none."""
    problem = trial.problem
    if not order or not (calls.detour_s[order] >= 0).any():
        return 0, 0
    cube = problem.durations_s[problem.shifts.profile[s], 0]
    at = np.array([problem.shifts.start_place[s], *problem.visits.place[order], problem.shifts.end_place[s]])
    adds = cube[at[:-2], at[1:-1]] + cube[at[1:-1], at[2:]] - cube[at[:-2], at[2:]]
    most = calls.detour_s[order]
    over = np.where((most >= 0) & ~calls.remote[order], adds - most, 0)
    return int(over.argmax()), int(over.max())


def _near_only(
    trial: Trial, calls: Calls, found: RoutingSolution, routes: tuple[ShiftRoute, ...], bounds: dict[int, int]
) -> tuple[RoutingSolution, tuple[ShiftRoute, ...], dict[int, int]]:
    """Strike out calls that add more driving to their day than they may; the search leaves hardly any."""
    orders = {r.shift: list(r.visits) for r in routes}
    far: set[int] = set()
    for s, order in orders.items():
        worst, over = _farthest(trial, calls, s, order)
        while over > 0:
            far.add(order.pop(worst))
            worst, over = _farthest(trial, calls, s, order)
    if not far:
        return found, routes, bounds
    # of a rhythm all visits go: what is left of one may be no rhythm
    left = {s: [k for k in order if k not in far] for s, order in orders.items()}
    # who comes with another stays at the moment that they share
    pinned = free_bounds(trial.layout)
    joint = set(trial.problem.joint.ravel().tolist())
    for r in routes:
        for v, start in zip(r.visits, r.starts, strict=True):
            if v in joint:
                pinned[v] = start - trial.layout.origin
    made = {s: order for s, order in left.items() if order}
    again = finish(trial.problem, trial.layout, made, bounds=pinned)
    if again is None:  # pragma: no cover - less than what fits
        msg = "a day without some of its visits does not fit it"
        raise SolverError(msg)
    size = {r.shift: len(r.visits) for r in routes}
    fewer = {s: trial.shortest(s, left[s])[1] if len(left[s]) < size[s] else bounds[s] for s in left}
    return replace(again, status=found.status), again.routes, {r.shift: fewer[r.shift] for r in again.routes}


def _all_missed(board: Board, calls: Calls) -> tuple[tuple[int, int], ...]:
    """Return what is due in a horizon in which nothing is made; a missed visit counts as made."""
    n_days = board.desks[0].settings.n_days
    found = []
    for k in range(len(calls)):
        day = min(int(calls.due[k] if calls.gap_low_days[k] == 0 else calls.first_due_day[k]), n_days - 1)
        found.append((k, day))
        while calls.gap_low_days[k] and day + float(calls.interval_days[k]) < n_days:
            day = min(day + int(calls.gap_days[k]), n_days - 1)
            found.append((k, day))
    return tuple(found)


def _ordered(trial: Trial, found: RoutingSolution, deadline: float) -> tuple[tuple[ShiftRoute, ...], dict[int, int]]:
    """Put each day in the order that drives least, where that is proven soon; return routes, and bounds by shift.

    Where two reps make visits together all days stay as they are, since their starts hang together.
    """
    linked = len(trial.problem.joint) > 0
    orders: dict[int, list[int]] = {}
    bounds: dict[int, int] = {}
    for r in found.routes:
        orders[r.shift], bounds[r.shift] = trial.shortest(r.shift, r.visits, deadline_s=deadline)
    if linked:
        return found.routes, bounds
    timed = finish(trial.problem, trial.layout, orders)
    if timed is None:  # pragma: no cover - orders fit
        msg = "the best order of a day does not fit it"
        raise SolverError(msg)
    return timed.routes, bounds
