"""One rep's customers, drives and calendar, ready for making routing problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from territory.model.places import Places
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.routing.rules_values import LONGEST
from territory.routing.shifts import break_of, day_allowed, shift_of, start_windows, zone_of
from territory.travel import UNREACHABLE
from territory.units import DAY_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.model.arrays import IdxArray, IntArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings
    from territory.routing.shifts import Windows
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
    shifts : dict of int to (int, int)
        Begin and end of each day of the horizon that is worked, UTC seconds since 1970.
    origin : int
        UTC second that problems call 0, so that their clock holds any century.
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
        # a day is worked from the evening before in the east
        self.origin = (int(settings.start.astype(np.int64)) - 1) * DAY_S
        self._windows: dict[tuple[int, int], Windows] = {}

    def windows(self, visit: int, n: int) -> Windows:
        """Return when visit `visit` (0-based among the rows) may start on day `n` of the horizon; looked up once."""
        key = (visit, n)
        found = self._windows.get(key)
        if found is None:
            found = self._windows[key] = self._looked_up(visit, n)
        return found

    def _looked_up(self, visit: int, n: int) -> Windows:
        i = int(self.rows[visit])
        if n not in self.shifts or not day_allowed(self.customers, i, self.settings.days[n]):
            return ()
        service = int(self.service_s[visit])
        return start_windows(self.customers, i, self.shifts[n], service, rep_zone=self.zone)

    def problem(self, days: Sequence[int], visits: Sequence[int], **columns: Any) -> RoutingProblem:
        """Return the problem of some of the visits on some days, a shift a day, in that order.

        A visit is worth more than all driving: first as many as fit, then the least driving.

        Parameters
        ----------
        days : sequence of int
            Days of the horizon that are worked.
        visits : sequence of int
            Positions among the rows.
        **columns
            Further columns of `VisitArrays`: a rhythm.

        Notes
        -----
        Seconds are counted from `origin`.
        """
        at = np.asarray(visits, dtype=np.int64)
        hours = [self._hours(n) for n in days]
        windows = [[self.windows(v, n) for n in days] for v in at.tolist()]
        ends = np.full(len(days), len(at) + 1, np.int32)
        return RoutingProblem(
            durations_s=self._driving(at),
            visits=VisitArrays(
                place=np.arange(1, len(at) + 1, dtype=np.int32),
                service_s=np.minimum(self.service_s[at], LONGEST),
                windows=[self._union(row) for row in windows],
                value=np.full(len(at), float(sum(end - begin for begin, end, _ in hours) + 1)),
                required=np.zeros(len(at), np.bool_),
                **columns,
            ),
            shifts=ShiftArrays(
                start_place=np.zeros(len(days), np.int32),
                end_place=ends,
                begin_s=np.array([begin for begin, _, _ in hours], np.int64),
                end_s=np.array([end for _, end, _ in hours], np.int64),
                day=np.asarray(days, np.int32),
                breaks=[rest for _, _, rest in hours],
                max_visits=None if self.max_visits is None else np.full(len(days), self.max_visits, np.int64),
            ),
            # two shifts that touch share a moment, and a visit may take none: the day decides, not the moment
            eligible=np.array([[bool(w) for w in row] for row in windows], np.bool_).reshape(len(at), len(days)),
            n_days=self.settings.n_days,
        )

    def _driving(self, at: IntArray) -> IntArray:
        places = np.concatenate([[0], at + 1, [len(self.rows) + 1]])
        drive = self.durations_s[np.ix_(places, places)]
        drive = np.where(drive > LONGEST, UNREACHABLE, drive)
        np.fill_diagonal(drive, 0)
        return drive

    def _hours(self, n: int) -> tuple[int, int, list[tuple[int, int, int]]]:
        """Return begin, end and breaks of a shift, counted from `origin`."""
        begin, end = (t - self.origin for t in self.shifts[n])
        rest = break_of(self.reps, self.rep, self.settings.days[n])
        if rest is None:
            return begin, end, []
        low, high = rest.earliest - self.origin, rest.latest - self.origin
        if rest.length_s <= high - low:
            return begin, end, [(rest.length_s, low, high)]
        # the clock jumped over the break's hours: whoever needs none is back before them, or leaves after them
        if min(end, low) - begin >= end - max(begin, high):
            return begin, max(begin, min(end, low)), []
        return max(begin, high), end, []

    def _union(self, days: Sequence[Windows]) -> list[tuple[int, int]]:
        """Return the windows of several days as one list, counted from `origin`; those that meet are one."""
        found: list[tuple[int, int]] = []
        for low, high in sorted((a - self.origin, b - self.origin) for day in days for a, b in day):
            if found and low <= found[-1][1]:
                found[-1] = (found[-1][0], max(high, found[-1][1]))
            else:
                found.append((low, high))
        return found
