"""The calendar as an engine of periodic problems: the same instance as tables, through `schedule_visits`.

Customers have sets of days and a load; reps, who all live at the depot and share all customers, have shifts as long as
the longest route, and a load limit. A day of the calendar has 86,400 s, so driving times are scaled to it and rounded
up to whole seconds: an answer keeps the instance's rules, and is verified in the instance's own units like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers.statement import Answer, CannotStateError, Visits
from territory import Customers, MatrixTravel, Reps, schedule_visits

if TYPE_CHECKING:
    from territory import Plan
    from territory.routing.problem import RoutingProblem

__all__ = ["solve"]

_START = np.datetime64("2026-01-05")
_DAY_S = 86_400
#: Where routes have no longest length, this many times the longest way, and all service, is taken for one.
_LONG = 14
#: Rounds of search that no time limit leaves room for.
_ENDLESS = 10**9
LOAD = "demand"


def solve(problem: RoutingProblem, *, seconds: float | None, iterations: int | None, seed: int) -> Answer:
    """Plan a problem of patterns with vehicles that are all alike.

    Raises
    ------
    CannotStateError
        Shifts differ, or visits have no patterns.
    """
    v, s = problem.visits, problem.shifts
    days, count = np.unique(s.day, return_counts=True)
    m = int(count[0])
    if v.patterns is None or not v.patterned.all() or len(days) != days[-1] + 1 or (count != m).any():
        msg = "the calendar takes sets of days, and as many vehicles every day"
        raise CannotStateError(msg)
    if len(np.unique(s.end_s)) > 1 or len(np.unique(s.capacity)) > 1 or len(np.unique(s.start_place)) > 1:
        msg = "the calendar takes vehicles that are alike"
        raise CannotStateError(msg)
    drive = problem.durations_s[0, 0].astype(np.float64)
    longest = min(float(s.end_s[0]), _LONG * drive.max() + float(v.service_s.sum()))
    scale = _DAY_S / longest
    n, depot = len(v), int(s.start_place[0])
    places = np.array([*v.place, *[depot] * m])
    travel = MatrixTravel(
        np.ceil(drive[np.ix_(places, places)] * scale - 1e-6), customer_ids=[f"c{i}" for i in range(n)],
        rep_ids=[f"r{i}" for i in range(m)],
    )  # fmt: skip
    customers = Customers(
        id=[f"c{i}" for i in range(n)], lon=np.linspace(1, 2, n), lat=np.full(n, 50.0),
        service_s=np.ceil(v.service_s * scale - 1e-6), measures={LOAD: v.load.astype(np.float64)},
    )  # fmt: skip
    reps = Reps(
        id=[f"r{i}" for i in range(m)], lon=np.full(m, 1.5), lat=np.full(m, 50.0),
        load_limit=np.full(m, float(s.capacity[0])),
    )  # fmt: skip
    sets = {f"c{i}": [[_START + int(d) for d in each] for each in v.patterns[i]] for i in range(n)}
    plan = schedule_visits(
        customers, reps, start=_START, weeks=-(-int(problem.n_days) // 7), travel=travel, shared=True, load=LOAD,
        day_sets=sets, default_shift="Mo-Su 00:00-24:00", time_limit_s=1e6 if seconds is None else seconds, rng=seed,
        # what one board of m reps is given counts for each of them
        iterations=_ENDLESS // m if iterations is None else max(1, iterations // m), time_price_s=0, weekday_price_s=0,
    )  # fmt: skip
    return Answer(_routes(plan, m, scale), str(plan.status), missing=len(plan.unassigned))


def _routes(plan: Plan, m: int, scale: float) -> tuple[Visits, ...]:
    """Return the plan's days as shifts: shift s is vehicle s % m of day s // m."""
    stops = plan.stops
    day = (stops.day - _START).astype(np.int64)
    start = (stops.start - stops.day.astype("datetime64[s]")).astype(np.int64)
    found = []
    for key in sorted(set(zip(day.tolist(), stops.rep_idx.tolist(), strict=True))):
        rows = np.flatnonzero((day == key[0]) & (stops.rep_idx == key[1]))
        rows = rows[np.argsort(stops.position[rows])]
        times = tuple(int(t / scale) for t in start[rows])
        found.append(Visits(key[0] * m + key[1], tuple(stops.customer_idx[rows].tolist()), times))
    return tuple(found)
