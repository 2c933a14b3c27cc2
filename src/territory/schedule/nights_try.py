"""A horizon with given nights away: solved from given routes, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import SolverError
from territory.model.enums import Status
from territory.routing.finish import finish
from territory.routing.layout import layout_of
from territory.routing.problem import UNLIMITED, VisitArrays, columns_of
from territory.routing.solve import solve_routing
from territory.routing.trial import Trial
from territory.schedule.begin import begun

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from territory.routing.board import Board
    from territory.routing.layout import Layout
    from territory.routing.problem import RoutingProblem
    from territory.routing.solution import RoutingSolution
    from territory.schedule.nights_rules import NightRules, Shift

__all__ = ["Away", "costed", "solved"]

#: Share of the time that is left for one try.
_SHARE: Final = 0.9


@dataclass(frozen=True, eq=False)
class Away:
    """A board's plan with nights away.

    Attributes
    ----------
    board : Board
        With the nights.
    problem, layout : RoutingProblem, Layout
        Of that board.
    found : RoutingSolution
    cost : float
        Its objective, and the nights.
    money : float
        `cost` without what days off the interval and other weekdays are deemed to cost.
    """

    board: Board
    problem: RoutingProblem
    layout: Layout
    found: RoutingSolution
    cost: float
    money: float

    @property
    def orders(self) -> dict[Shift, tuple[int, ...]]:
        """Calls of each shift, in order."""
        return {self.board.shifts[r.shift]: r.visits for r in self.found.routes}

    def beats(self, other: Away) -> bool:
        """Return whether it costs less, by more than rounding; and no more without what is only deemed to cost."""
        least = 1e-6
        return self.cost < other.cost - least and self.money < other.money - least


def costed(board: Board, problem: RoutingProblem, found: RoutingSolution, rules: NightRules) -> Away:
    """Return a solution with what it costs, nights included."""
    slept = sum(float(rules.price[r][p]) for (r, _), p in board.nights.items())
    deemed = found.terms["cadence"] + found.terms["regularity"]
    cost = found.objective + slept
    return Away(board, problem, layout_of(problem), found, cost, cost - deemed)


def solved(
    board: Board, problem: RoutingProblem, rules: NightRules, orders: Mapping[Shift, Sequence[int]], *,
    iterations: int, seed: int, deadline: float,
) -> Away | None:  # fmt: skip
    """Search for a plan of a board with its nights.

    Parameters
    ----------
    board : Board
        With the nights.
    problem : RoutingProblem
        Of that board.
    rules : NightRules
    orders : mapping of shift to calls in order
        Where the search begins, as far as they keep all rules.
    iterations, seed : int
    deadline : float
        Monotonic seconds.

    Returns
    -------
    Away or None
        None: a day before or after a night was left without visits; or there was no time.

    Raises
    ------
    KeyboardInterrupt

    Notes
    -----
    A shift without visits costs nothing, whether or not it begins and ends at one place. So each shift before
    or after a night begins with a stay at its first place, of no length, that is locked to it.
    """
    left = deadline - monotonic()
    if left <= 0:
        return None
    held = sorted({s for s, shift in enumerate(board.shifts) if board.between(shift) != (0, board.desks[shift[0]].end)})
    n = problem.n_visits
    whole = _with_stays(problem, held)
    number = {shift: s for s, shift in enumerate(board.shifts)}
    orders_of = {number[shift]: list(order) for shift, order in orders.items() if shift in number}
    for j, s in enumerate(held):
        orders_of[s] = [n + j, *orders_of.get(s, [])]
    found = solve_routing(
        whole, engine="search", time_limit_s=max(_SHARE * left, 0.001), iterations=max(1, iterations), rng=seed,
        start=begun(Trial(whole), orders_of),
    )  # fmt: skip
    if found.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    routes = tuple(replace(r, visits=r.visits[1:], starts=r.starts[1:]) if r.shift in held else r for r in found.routes)
    if not all(r.visits for r in routes) or not set(held) <= {r.shift for r in routes}:
        return None
    if len(problem.joint):
        # their starts hang together
        return costed(board, problem, _without(found, routes, n), rules)
    timed = finish(problem, layout_of(problem), {r.shift: r.visits for r in routes}, status=found.status)
    return None if timed is None else costed(board, problem, timed, rules)


def _without(found: RoutingSolution, routes: tuple[Any, ...], n: int) -> RoutingSolution:
    if any(v >= n for v, _ in found.unserved):  # pragma: no cover - they are locked
        msg = "a stay away from home is not in its shift"
        raise SolverError(msg)
    return replace(found, routes=routes)


def _with_stays(problem: RoutingProblem, held: Sequence[int]) -> RoutingProblem:
    """Return the problem with one more visit of no length at the begin of each of some shifts, locked to it."""
    if not held:
        return problem
    shifts, k, n = problem.shifts, len(held), problem.n_visits
    stays = VisitArrays(
        place=shifts.start_place[held], service_s=np.zeros(k, np.int64), value=np.zeros(k), required=np.ones(k, bool)
    )
    columns: dict[str, Any] = {}
    for name in columns_of(stays):
        ours, theirs = getattr(problem.visits, name), getattr(stays, name)
        if ours is None:
            columns[name] = None
        elif isinstance(ours, np.ndarray):
            columns[name] = np.concatenate([ours, theirs])
        else:
            columns[name] = [*ours, *[None] * k]
    eligible = np.zeros((n + k, problem.n_shifts), np.bool_)
    eligible[:n] = True if problem.eligible is None else problem.eligible
    eligible[n + np.arange(k), held] = True
    locked: list[list[int]] = [[] for _ in range(problem.n_shifts)]
    most = shifts.max_visits.copy()
    for j, s in enumerate(held):
        locked[s] = [n + j]
        most[s] += most[s] < UNLIMITED
    return replace(
        problem, visits=VisitArrays(**columns), eligible=eligible,
        shifts=replace(shifts, locked=locked, max_visits=most),
    )  # fmt: skip
