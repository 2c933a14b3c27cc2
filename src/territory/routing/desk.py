"""One rep's customers, drives and calendar, ready for making day problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.model.places import Places
from territory.routing.day_problem import DayProblem, Windows
from territory.routing.shifts import break_of, day_allowed, shift_of, start_windows, zone_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.model.arrays import IdxArray, IntArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings
    from territory.travel import Travel

__all__ = ["Desk", "service_times"]


def service_times(customers: Customers, settings: PlanSettings) -> IntArray:
    """Return the length of each customer's visits, whole seconds, rounded up."""
    if customers.service_s is None:
        return np.full(len(customers), settings.default_service_s, dtype=np.int64)
    return np.ceil(customers.service_s - 1e-9).astype(np.int64)


class Desk:
    """What one rep's plan is made from.

    Parameters
    ----------
    customers, reps : Customers, Reps
    rep : int
        Position of the rep.
    rows : int32 array of shape (m,)
        Positions of its customers; they are places 1 .. m of `durations_s`.
    settings : PlanSettings
    travel : Travel

    Attributes
    ----------
    durations_s, distances_m : int64 arrays of shape (m + 2, m + 2)
        Place 0 is where days begin, m + 1 where they end.
    service_s : int64 array of shape (m,)
    """

    def __init__(
        self, customers: Customers, reps: Reps, rep: int, rows: IdxArray, settings: PlanSettings, travel: Travel
    ) -> None:
        self.customers, self.reps, self.rep, self.rows, self.settings = customers, reps, rep, rows, settings
        here = np.array([rep])
        places = Places.concat([reps.places().take(here), customers.places().take(rows), reps.end_places().take(here)])
        factor = 1.0 if reps.speed_factor is None else float(reps.speed_factor[rep])
        matrix = travel.matrix(places, places, speed_factor=factor)
        self.durations_s = matrix.durations_s.astype(np.int64)
        self.distances_m = matrix.distances_m.astype(np.int64)
        self.service_s = service_times(customers, settings)[rows]
        self.shifts: dict[int, tuple[int, int]] = {}
        for n, day in enumerate(settings.days):
            shift = shift_of(reps, rep, day, settings)
            if shift is not None:
                self.shifts[n] = shift
        self.zone = zone_of(reps, rep)
        self.max_visits = None if reps.max_visits_per_day is None else int(reps.max_visits_per_day[rep])

    def windows(self, visit: int, n: int) -> Windows:
        """Return when visit `visit` (0-based among the rows) may start on day `n` of the horizon."""
        i = int(self.rows[visit])
        if n not in self.shifts or not day_allowed(self.customers, i, self.settings.days[n]):
            return ()
        service = int(self.service_s[visit])
        return start_windows(self.customers, i, self.shifts[n], service, rep_zone=self.zone)

    def problem(self, n: int, visits: Sequence[int]) -> DayProblem:
        """Return the problem of day `n` with some of the visits, in that order."""
        at = np.asarray(visits, dtype=np.int64)
        places = np.concatenate([[0], at + 1, [len(self.rows) + 1]])
        return DayProblem(
            durations_s=self.durations_s[np.ix_(places, places)],
            service_s=self.service_s[at],
            windows=tuple(self.windows(int(v), n) for v in at),
            shift=self.shifts[n],
            rest=break_of(self.reps, self.rep, self.settings.days[n]),
            max_visits=self.max_visits,
        )
