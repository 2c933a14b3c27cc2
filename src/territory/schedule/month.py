"""A horizon as one routing problem: days and routes found together, then each day's order proven."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from territory.errors import SolverError
from territory.model.enums import Status
from territory.routing.finish import finish
from territory.routing.solve import solve_routing
from territory.routing.trial import LABELS, LABELS_LONG_DAY, LONG_DAY, Trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from territory.routing.board import Board
    from territory.routing.calls import Calls
    from territory.routing.solution import RoutingSolution, ShiftRoute

__all__ = ["Horizon", "plan_horizon"]

#: Share of the time that is left for the search; the rest is for the order of each day.
_SEARCH = 0.9


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
        """Return whether a call fits a worked day of a desk if it is the only one."""
        return self.trial is not None and self.trial.fits(self.board.shifts.index((r, n)), [call])


def plan_horizon(
    board: Board, calls: Calls, deadline: float, *, iterations: int, seed: int,
    start: Mapping[tuple[int, int], Sequence[int]] | None = None,
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
    start : mapping of shift to calls in order, optional
        Where the search begins, if it keeps all rules.

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
    problem = board.problem(calls) if board.shifts and len(calls) else None
    if problem is None or left <= 0:
        trial = None if problem is None else Trial(problem)
        return Horizon(board, calls, (), _all_missed(board, calls), left <= 0, trial)
    trial = Trial(problem)
    found = solve_routing(
        problem, engine="search", time_limit_s=max(_SEARCH * left, 0.001), iterations=max(1, iterations), rng=seed,
        start=None if start is None else _warm(trial, board, start),
    )  # fmt: skip
    if found.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    routes, bounds = _ordered(trial, found, deadline)
    made = tuple((board.shifts[r.shift], r, bounds[r.shift]) for r in routes)
    last = board.desks[0].settings.n_days - 1
    missed = tuple((k, n if n >= 0 else min(int(calls.due[k]), last)) for k, n in found.unserved)
    timed_out = found.status is Status.TIME_LIMIT or monotonic() >= deadline
    return Horizon(board, calls, made, missed, timed_out, trial)


def _warm(trial: Trial, board: Board, start: Mapping[tuple[int, int], Sequence[int]]) -> RoutingSolution | None:
    """Return the solution with these routes, as far as they fit; None: their days keep no rhythm."""
    number = {shift: s for s, shift in enumerate(board.shifts)}
    orders = {number[shift]: trial.as_fits(number[shift], order) for shift, order in start.items() if shift in number}
    try:
        return finish(trial.problem, trial.layout, orders)
    except ValueError:
        return None


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
        labels = LABELS if len(r.visits) <= LONG_DAY else LABELS_LONG_DAY
        orders[r.shift], bounds[r.shift] = trial.shortest(r.shift, r.visits, deadline_s=deadline, max_labels=labels)
    if linked:
        return found.routes, bounds
    timed = finish(trial.problem, trial.layout, orders)
    if timed is None:  # pragma: no cover - orders fit
        msg = "the best order of a day does not fit it"
        raise SolverError(msg)
    return timed.routes, bounds
