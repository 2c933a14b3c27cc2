"""One rep's horizon: days chosen and routes built together, by insertion, then each route solved.

Customers are placed one after the other, the most bound and the farthest first, each on the chain
of days where its visits add the least driving to the routes so far. Then customers are taken out
and put back where that saves driving, and OR-Tools orders every day.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.routing.bound import least_drive_s
from territory.routing.engine import DaySolution, solve, timed
from territory.routing.shifts import break_of
from territory.routing.day_timing import free_moments, route_fits
from territory.schedule.chains import Chain, Rhythm, best_chain
from territory.schedule.recreate import ruin_and_recreate

if TYPE_CHECKING:
    from territory.routing.desk import Desk
    from territory.routing.day_problem import Break, Windows

__all__ = ["Month", "MonthResult", "plan_month"]

#: Places in a day that are tried for a visit, those with the least detour.
_POSITIONS: Final = 4


@dataclass(frozen=True, slots=True)
class MonthResult:
    """One rep's plan in local numbers.

    Attributes
    ----------
    routes : tuple of (day, visits, DaySolution, bound_s)
        Visits are positions among the rep's customers, in order.
    missed : tuple of (visit, day)
        Due visits that are not planned.
    timed_out : bool
    """

    routes: tuple[tuple[int, tuple[int, ...], DaySolution, int], ...]
    missed: tuple[tuple[int, int], ...]
    timed_out: bool


@dataclass(frozen=True, slots=True)
class _Day:
    """One day's route as plain lists.

    Attributes
    ----------
    places : list of int
        Of the start, the visits and the end.
    drive, driven : list of int
        Seconds of each leg; an empty day has one that is not driven.
    service, windows : list
        Of each visit.
    free : list of int
        When the rep is free to drive to each visit, and to the end, see `free_moments`.
    slack_s : int
        Time of the shift that neither driving nor visits take.
    """

    places: list[int]
    drive: list[int]
    driven: list[int]
    service: list[int]
    windows: list[Windows]
    free: list[int]
    slack_s: int


class Month:
    """Routes of one rep that grow by insertion.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.drive: list[list[int]] = desk.durations_s.tolist()
        self.service: list[int] = desk.service_s.tolist()
        self.end = len(desk.rows) + 1
        self.routes: dict[int, list[int]] = {n: [] for n in desk.shifts}
        self.rest: dict[int, Break | None] = {
            n: break_of(desk.reps, desk.rep, desk.settings.days[n]) for n in desk.shifts
        }
        self._windows: dict[tuple[int, int], Windows] = {}
        self._days: dict[int, _Day] = {}

    def windows(self, visit: int, n: int) -> Windows:
        """Return when a visit may start on a day; looked up once."""
        key = (visit, n)
        if key not in self._windows:
            self._windows[key] = self.desk.windows(visit, n)
        return self._windows[key]

    def day(self, n: int) -> _Day:
        """Return what is known about day `n` as it is now."""
        found = self._days.get(n)
        if found is None:
            route = self.routes[n]
            places = [0, *(u + 1 for u in route), self.end]
            drive = [self.drive[a][b] for a, b in pairwise(places)]
            service = [self.service[u] for u in route]
            windows = [self.windows(u, n) for u in route]
            begin, end = self.desk.shifts[n]
            # an empty day drives nothing: the whole way of its first visit counts
            driven = drive if route else [0]
            found = self._days[n] = _Day(
                places, drive, driven, service, windows, free_moments(drive, service, windows, begin) or [begin],
                end - begin - sum(driven) - sum(service),
            )  # fmt: skip
        return found

    def insertion(self, visit: int, n: int) -> tuple[int, int] | None:
        """Return the least detour of a visit on day `n`, seconds, and its position; None where it does not fit."""
        if n not in self.routes or not self.windows(visit, n):
            return None
        if self.desk.max_visits is not None and len(self.routes[n]) >= self.desk.max_visits:
            return None
        day = self.day(n)
        v = visit + 1
        row, length, window = self.drive[v], self.service[visit], self.windows(visit, n)
        drive, service, windows = day.drive, day.service, day.windows
        most = day.slack_s - length
        to = [self.drive[a][v] for a in day.places[:-1]]
        detours = [
            (detour, at)
            for at, (there, b, leg) in enumerate(zip(to, day.places[1:], day.driven, strict=True))
            if (detour := there + row[b] - leg) <= most
        ]
        detours.sort()
        for detour, at in detours[:_POSITIONS]:
            if route_fits(
                [*drive[:at], to[at], row[day.places[at + 1]], *drive[at + 1 :]],
                [*service[:at], length, *service[at:]],
                [*windows[:at], window, *windows[at:]],
                self.desk.shifts[n],
                self.rest[n],
                day.free[: at + 1],
            ):
                return detour, at
        return None

    def place(self, visit: int, rhythm: Rhythm) -> tuple[Chain, dict[int, int]]:
        """Return the cheapest chain of days for a customer, and the position on each."""
        position: dict[int, int] = {}

        def cost_on(n: int) -> float | None:
            found = self.insertion(visit, n)
            if found is None:
                return None
            position[n] = found[1]
            return float(found[0])

        chain = best_chain(rhythm, cost_on)
        return chain, position

    def put(self, visit: int, chain: Chain, position: dict[int, int]) -> None:
        """Insert a customer's visits."""
        for n in chain.planned:
            route, at = self.routes[n], position[n]
            self._set(n, [*route[:at], visit, *route[at:]])

    def remove(self, visit: int, chain: Chain) -> None:
        """Take a customer's visits out."""
        for n in chain.planned:
            self._set(n, [u for u in self.routes[n] if u != visit])

    def _set(self, n: int, route: list[int]) -> None:
        # routes are replaced, never changed, so that a copy of the dictionary is a copy of the plan
        self.routes[n] = route
        self._days.pop(n, None)

    def restore(self, routes: dict[int, list[int]]) -> None:
        """Go back to earlier routes."""
        for n, route in routes.items():
            if self.routes[n] is not route:
                self._set(n, route)

    def length(self, n: int) -> int:
        """Return the driving time of day `n`, seconds; 0 for an empty one."""
        return sum(self.day(n).driven)


def _order(desk: Desk, rhythms: list[Rhythm | None]) -> list[int]:
    """Return the customers with due visits: those with the shortest leash first, then the farthest from home."""
    away = desk.durations_s[0, 1:-1] + desk.durations_s[1:-1, -1]

    def key(v: int) -> tuple[int, float, int]:
        r = rhythms[v]
        choice = 0 if r is None else min(r.first_high, r.days - 1) - r.first_low
        # weeks of choice: within a class the far ones open the days that the near ones fill
        return (min(choice // 7, 2), -float(away[v]), v)

    return sorted((v for v, r in enumerate(rhythms) if r is not None), key=key)


def plan_month(
    desk: Desk, rhythms: list[Rhythm | None], deadline: float, *, iterations: int, rng: np.random.Generator
) -> MonthResult:
    """Plan one rep's horizon.

    Parameters
    ----------
    desk : Desk
    rhythms : list of Rhythm or None
        For each of the rep's customers; None where nothing is due.
    deadline : float
        Monotonic seconds.
    iterations : int
        Rounds of ruin and recreate.
    rng : Generator

    Returns
    -------
    MonthResult
        The same for the same input, unless time runs out.
    """
    month = Month(desk)
    chains: dict[int, Chain] = {}
    order = _order(desk, rhythms)
    timed_out = False
    for visit in order:
        rhythm = rhythms[visit]
        if rhythm is None:
            continue
        if timed_out or monotonic() >= deadline:
            timed_out = True
            chains[visit] = best_chain(rhythm, lambda _n: None)
            continue
        chains[visit], position = month.place(visit, rhythm)
        month.put(visit, chains[visit], position)
    if not timed_out:
        timed_out = not ruin_and_recreate(month, rhythms, chains, iterations, rng, deadline)
    made = []
    for n in sorted(month.routes):
        if not month.routes[n]:
            continue
        late = monotonic() >= deadline
        timed_out |= late
        visits, solution = _ordered(month, n, optimise=not late)
        places = np.array([0, *(v + 1 for v in visits), month.end])
        bound = least_drive_s(desk.durations_s[np.ix_(places, places)])
        made.append((n, visits, solution, bound))
    missed = tuple((v, n) for v in order for n in chains[v].missed)
    return MonthResult(tuple(made), missed, timed_out)


def _ordered(month: Month, n: int, *, optimise: bool) -> tuple[tuple[int, ...], DaySolution]:
    """Order one day's visits with OR-Tools, starting from the order at hand."""
    visits = month.routes[n]
    problem = month.desk.problem(n, visits)
    now = list(range(len(visits)))
    found = timed(problem, now)
    if found is None:  # pragma: no cover - insertion only makes routes that fit
        msg = "a route that was built does not fit its day"
        raise RuntimeError(msg)
    if optimise and len(visits) > 2 and found.drive_s > least_drive_s(problem.durations_s):
        found = solve(problem, start=now, required=True) or found
    return tuple(visits[i] for i in found.order), found
