"""One rep's horizon as one routing problem: days and routes found together, then each day's order proven."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from territory.errors import SolverError
from territory.model.enums import Status
from territory.routing.finish import finish
from territory.routing.solve import solve_routing
from territory.routing.trial import Trial

if TYPE_CHECKING:
    from territory.routing.desk import Desk
    from territory.routing.problem import RoutingProblem
    from territory.routing.solution import RoutingSolution, ShiftRoute
    from territory.schedule.cadence import Cadence

__all__ = ["Month", "horizon_problem", "plan_month"]

#: Cost of a day off the interval, in seconds of driving: a tie-break that saves visits no driving.
PER_DAY_OFF = 30.0
#: Share of the time that is left for the search; the rest is for the order of each day.
_SEARCH = 0.9


@dataclass(frozen=True)
class Month:
    """One rep's plan.

    Attributes
    ----------
    routes : tuple of (day, visits, ShiftRoute, bound_s)
        Visits are positions among the rep's customers, in order.
    missed : tuple of (visit, day)
        Due visits that are not planned.
    timed_out : bool
    due : dict of visit to its number in the problem
    trial : Trial, or None where the rep has no days or no visits
    days : tuple of int
        Days that are worked, by number of the shift.
    """

    routes: tuple[tuple[int, tuple[int, ...], ShiftRoute, int], ...]
    missed: tuple[tuple[int, int], ...]
    timed_out: bool
    due: dict[int, int]
    trial: Trial | None
    days: tuple[int, ...]

    def fits_alone(self, visit: int, day: int) -> bool:
        """Return whether a due visit fits a worked day if it is the only one."""
        return self.trial is not None and self.trial.fits(self.days.index(day), [self.due[visit]])


def horizon_problem(desk: Desk, cadence: Cadence) -> RoutingProblem:
    """Return a rep's horizon: a shift a worked day, a visit with a rhythm a customer with due visits.

    Parameters
    ----------
    desk : Desk
    cadence : Cadence
        Of the desk's customers.
    """
    due = np.flatnonzero(cadence.due)
    return desk.problem(
        list(desk.shifts), due.tolist(), first_low_day=cadence.first_low[due], first_high_day=cadence.first_high[due],
        first_due_day=cadence.first_due[due], gap_low_days=cadence.gap_low[due], gap_high_days=cadence.gap_high[due],
        gap_days=cadence.gap[due], interval_days=cadence.interval[due], off_cost=np.full(len(due), PER_DAY_OFF),
    )  # fmt: skip


def plan_month(desk: Desk, cadence: Cadence, deadline: float, *, iterations: int, seed: int) -> Month:
    """Plan one rep's horizon.

    Parameters
    ----------
    desk : Desk
    cadence : Cadence
        Of the desk's customers.
    deadline : float
        Monotonic seconds.
    iterations : int
        Rounds of search.
    seed : int

    Returns
    -------
    Month
        The same for the same input, unless time runs out.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C: half a team's plan is none.
    """
    visits = np.flatnonzero(cadence.due).tolist()
    numbers = {v: i for i, v in enumerate(visits)}
    days = tuple(desk.shifts)
    left = deadline - monotonic()
    problem = horizon_problem(desk, cadence) if days and visits else None
    if problem is None or left <= 0:
        missed = tuple((v, n) for v in visits for n in cadence.missed_days(v, desk.settings.n_days))
        return Month((), missed, left <= 0, numbers, None if problem is None else Trial(problem), days)
    found = solve_routing(
        problem, engine="search", time_limit_s=max(_SEARCH * left, 0.001), iterations=max(1, iterations), rng=seed
    )
    if found.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    trial = Trial(problem)
    routes, bounds = _ordered(trial, found, deadline)
    made = tuple((days[r.shift], tuple(visits[i] for i in r.visits), r, bounds[r.shift]) for r in routes)
    missed = tuple((visits[i], n) for i, n in found.unserved)
    timed_out = found.status is Status.TIME_LIMIT or monotonic() >= deadline
    return Month(made, missed, timed_out, numbers, trial, days)


def _ordered(trial: Trial, found: RoutingSolution, deadline: float) -> tuple[tuple[ShiftRoute, ...], dict[int, int]]:
    """Put each day in the order that drives least, where that is proven soon; return routes, and bounds by shift."""
    orders: dict[int, list[int]] = {}
    bounds: dict[int, int] = {}
    for r in found.routes:
        orders[r.shift], bounds[r.shift] = trial.shortest(r.shift, r.visits, deadline_s=deadline)
    timed = finish(trial.problem, trial.layout, orders)
    if timed is None:  # pragma: no cover - orders fit
        msg = "the best order of a day does not fit it"
        raise SolverError(msg)
    return timed.routes, bounds
