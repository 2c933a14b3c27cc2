"""The exact engine: a shift, or several that share no visit, to proven optimality."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.errors import InputError, Problem, SolverError
from territory.model.enums import Status
from territory.routing.exact.shift import ShiftAnswer, solve_shift
from territory.routing.exact.worth import dearest, worths
from territory.routing.finish import finish
from territory.routing.layout import S_LOCK0, S_LOCK1, V_LINKED, V_REQUIRED, Layout, layout_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from territory.routing.problem import RoutingProblem
    from territory.routing.solution import RoutingSolution

__all__ = ["only_shift", "solve"]

#: Partial routes extended where neither a time limit nor a number is given: some tens of seconds at most.
_LABELS: Final = 5_000_000
#: Costs that differ by less, relatively, are the same.
_SAME: Final = 1e-6


def only_shift(layout: Layout) -> NDArray[np.int64]:
    """Return for each visit the only shift that may make it; -1: none, -2: there are several.

    Parameters
    ----------
    layout : Layout

    Returns
    -------
    int64 array of shape (V,)
    """
    shape = (len(layout.visit_i), len(layout.shift_i))
    fits = (np.diff(layout.window_at) > 0).reshape(shape)
    counts = fits.sum(axis=1)
    first = fits.argmax(axis=1) if shape[1] else counts
    return np.where(counts == 1, first, np.where(counts == 0, -1, -2)).astype(np.int64)


def solve(
    problem: RoutingProblem,
    *,
    time_limit_s: float | None = None,
    iterations: int | None = None,
    rng: int = 0,
    start: RoutingSolution | None = None,
    on_progress: Callable[[str, float], None] | None = None,
    n_jobs: int = 1,
    layout: Layout | None = None,
) -> RoutingSolution:
    """Solve a problem of one shift to proven optimality, or of several that share no visit.

    Parameters
    ----------
    problem : RoutingProblem
    time_limit_s : float, optional
    iterations : int, optional
        Most partial routes that are extended.
    rng, n_jobs : int
        Nothing is drawn by chance, and one core is used.
    start : RoutingSolution, optional
        Only better routes are looked for.
    on_progress : callable, optional
        Told "exact" and the objective of each better solution.
    layout : Layout, optional
        Of this problem, where it is at hand.

    Returns
    -------
    RoutingSolution
        With a valid `bound`, and OPTIMAL only with a proof.

    Raises
    ------
    InputError
        A visit may go to several shifts.
    """
    del rng, n_jobs
    begun = monotonic()
    table = layout_of(problem) if layout is None else layout
    home = only_shift(table)
    if (home == -2).any():
        rows = np.flatnonzero(home == -2)
        raise InputError(
            [
                Problem(
                    "several-shifts", "may go to several shifts, the exact engine wants one each", "visits",
                    len(rows), tuple(rows[:5].tolist()), "Maybe engine='auto'?",
                )
            ],
            "routing problem",
        )  # fmt: skip
    return _Run(problem, table, home, begun, time_limit_s, iterations, on_progress).solve(start)


class _Run:
    def __init__(
        self, problem: RoutingProblem, layout: Layout, home: NDArray[np.int64], begun: float,
        time_limit_s: float | None, iterations: int | None, on_progress: Callable[[str, float], None] | None,
    ) -> None:  # fmt: skip
        self.problem, self.layout, self.home, self.begun = problem, layout, home, begun
        self.deadline = None if time_limit_s is None else begun + time_limit_s
        self.labels = iterations if iterations is not None else _LABELS if time_limit_s is None else 1 << 62
        self.on_progress = on_progress
        self.worth, may, self.nothing = worths(layout, home)
        required = layout.visit_i[:, V_REQUIRED] == 1
        # a required visit outweighs all that could be saved by leaving it out
        self.huge = 1.0 + float(np.abs(self.worth).sum()) + dearest(layout)
        self.values = self.worth + np.where(required & may, self.huge, 0.0)
        # two visits at one start need two shifts; where they have two, the bound leaves the link out
        one_home = home[problem.joint[:, 0]] == home[problem.joint[:, 1]]
        may[problem.joint[one_home].ravel()] = False
        self.may = may
        self.trace: list[tuple[str, float, float]] = []
        self.best: RoutingSolution | None = None

    def solve(self, start: RoutingSolution | None) -> RoutingSolution:
        shifts = len(self.layout.shift_i)
        orders: dict[int, Sequence[int]] = {}
        if start is not None:
            orders = {r.shift: r.visits for r in start.routes}
        if not self._offer(orders):
            orders = dict.fromkeys(range(shifts), ())
            self._offer(orders)
        lower = 0.0
        proven, stopped = True, False
        for s in range(shifts):
            answer = self._shift(s, orders)
            lower += answer.bound
            proven = proven and answer.optimal
            stopped = stopped or answer.interrupted
        return self._closed(lower, proven=proven, stopped=stopped)

    def _shift(self, s: int, orders: dict[int, Sequence[int]]) -> ShiftAnswer:
        """Solve one shift and adopt its route."""
        mine = np.flatnonzero((self.home == s) & self.may)

        def adopt(order: tuple[int, ...], _: float) -> None:
            if self._offer({**orders, s: order}):
                orders[s] = order

        known = self._net(s, orders.get(s, ()))
        answer = self._solve_shift(s, mine, known, adopt)
        after = np.intersect1d(mine, np.append(self.problem.precedence[:, 1], self.problem.joint))
        if answer.order is not None and orders.get(s) != answer.order and len(after):
            # the best route breaks a link, which it knows nothing of: without those that are bound by one it cannot
            known = self._net(s, orders.get(s, ()))
            self._solve_shift(s, np.setdiff1d(mine, after), known, adopt)
        return answer

    def _solve_shift(
        self, s: int, candidates: NDArray[np.int64], known: float, adopt: Callable[[tuple[int, ...], float], None]
    ) -> ShiftAnswer:
        answer = solve_shift(
            self.layout, s, values=self.values, upper=known, candidates=candidates, max_labels=self.labels,
            deadline_s=self.deadline, on_route=adopt,
        )  # fmt: skip
        self.labels = max(1, self.labels - answer.labels)
        return answer

    def _net(self, s: int, order: Sequence[int]) -> float:
        """Return the cost of a route known to fit minus the values of its visits."""
        if not order:
            free = self.layout.shift_i[s, S_LOCK0] == self.layout.shift_i[s, S_LOCK1]
            return 0.0 if free else np.inf
        alone = finish(self.problem, self.layout, {s: order})
        none = self.nothing + float(self.worth.sum())
        if alone is None:
            return np.inf
        return alone.objective - none - float((self.values - self.worth)[list(order)].sum())

    def _offer(self, orders: dict[int, Sequence[int]]) -> bool:
        """Keep a solution if it is better than the best, fewer required visits missing first."""
        found = finish(self.problem, self.layout, {s: o for s, o in orders.items() if o})
        if found is None or not self._linked(found):
            return False
        rank = (found.required_missing, found.objective)
        if self.best is not None and rank >= (self.best.required_missing, self.best.objective):
            return False
        self.best = found
        self.trace.append(("exact", found.objective, monotonic() - self.begun))
        if self.on_progress is not None:
            self.on_progress("exact", found.objective)
        return True

    def _linked(self, found: RoutingSolution) -> bool:
        """Return whether joint visits and precedences are kept."""
        if not self.layout.visit_i[:, V_LINKED].any():
            return True
        start = {v: (t, r.shift) for r in found.routes for v, t in zip(r.visits, r.starts, strict=True)}
        for a, b in self.problem.joint.tolist():
            if (a in start) != (b in start) or (a in start and start[a][0] != start[b][0]):
                return False
        for (a, b), delay in zip(self.problem.precedence.tolist(), self.problem.precedence_delay_s, strict=True):
            if b not in start:
                continue
            if a not in start or start[b][0] < start[a][0] + self.layout.service[a, start[a][1]] + delay:
                return False
        return True

    def _closed(self, lower: float, *, proven: bool, stopped: bool) -> RoutingSolution:
        """Return the best solution with what was proven of it."""
        best = self.best
        if best is None:
            msg = "not even empty shifts are a solution"
            raise SolverError(msg)
        # of an answer without missing required visits
        bound = lower + float(self.values.sum()) + self.nothing
        # large values cancel out here, and leave their rounding behind
        bound -= len(self.values) * np.finfo(float).eps * float(np.abs(self.values).sum())
        status = Status.FEASIBLE
        if proven and (best.required_missing or not np.isfinite(bound)):
            status = Status.INFEASIBLE
        elif proven and abs(best.objective - bound) <= _SAME * max(1.0, abs(best.objective)):
            status = Status.OPTIMAL
        elif stopped:
            status = Status.INTERRUPTED
        elif status is Status.FEASIBLE and self.deadline is not None and monotonic() >= self.deadline:
            status = Status.TIME_LIMIT
        if status is Status.OPTIMAL:
            # the same but for rounding
            bound = best.objective
        return replace(best, bound=bound, status=status, trace=tuple(self.trace))
