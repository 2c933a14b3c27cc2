"""One rep's customers, drives and calendar, ready for making routing problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.model.places import Places
from territory.model.zones import utc_second
from territory.routing.calls import ANY
from territory.routing.shifts import break_of, day_allowed, rep_day, start_windows, zone_of
from territory.units import DAY_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.model.arrays import IdxArray, IntArray
    from territory.model.customers import Customers
    from territory.model.nights import Hotels
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
    hotels : Hotels, optional
        Where nights may be spent.

    Attributes
    ----------
    durations_s, distances_m : int64 arrays of shape (m + 2 + h, m + 2 + h)
        Place 0 is where days begin, m + 1 where they end; then come the h hotels.
    end : int
        m + 1.
    service_s : int64 array of shape (m,)
    shifts : dict of int to (int, int)
        Begin and end of each day of the horizon that is worked in the field, overtime included, UTC seconds
        since 1970.
    office : dict of int to (int, int)
        The same of each day in the office, from where customers are only called.
    overtime_s : int
        How much longer a day may be.
    estimated : bool array of the shape of durations_s, optional
        Where a fallback told the travel; None: nowhere.
    factor : float
        By which travel times are divided.
    origin : int
        UTC second that problems call 0, so that their clock holds any century.
    """

    def __init__(
        self, customers: Customers, reps: Reps, rep: int, rows: IdxArray, settings: PlanSettings, travel: Travel,
        hotels: Hotels | None = None,
    ) -> None:  # fmt: skip
        self.customers, self.reps, self.rep, self.rows, self.settings = customers, reps, rep, rows, settings
        here = np.array([rep])
        self.end = len(rows) + 1
        self.hotels = Places.concat([]) if hotels is None else hotels.places()
        places = Places.concat(
            [reps.places().take(here), customers.places().take(rows), reps.end_places().take(here), self.hotels]
        )
        self.travel = travel
        self.factor = 1.0 if reps.speed_factor is None else float(reps.speed_factor[rep])
        matrix = travel.matrix(places, places, speed_factor=self.factor)
        self.durations_s = matrix.durations_s.astype(np.int64)
        self.distances_m = matrix.distances_m.astype(np.int64)
        self.estimated = matrix.estimated
        self.service_s = service_times(customers, settings)[rows]
        self.shifts: dict[int, tuple[int, int]] = {}
        self.office: dict[int, tuple[int, int]] = {}
        self.overtime_s = 0
        for n, day in enumerate(settings.days):
            found = rep_day(reps, rep, day, settings)
            if found is not None and found.office:
                self.office[n] = found.begin, found.end
            elif found is not None and found.leave <= found.back:
                self.shifts[n] = found.leave, found.back + found.overtime_s
                self.overtime_s = found.overtime_s
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
        if not (n in self.shifts or n in self.office) or not day_allowed(self.customers, i, self.settings.days[n]):
            return ()
        service = int(self.service_s[visit])
        return start_windows(self.customers, i, self.span(n), service, rep_zone=self.zone)

    def agreed(
        self, visit: int, n: int, service_s: int, *, time_s: int = ANY, any_day: bool = False, any_hour: bool = False
    ) -> Windows:
        """Return when a visit that was agreed on may start on day `n`.

        Parameters
        ----------
        visit, n : int
        service_s : int
        time_s : int
            Start on the customer's clock, seconds from midnight; `ANY`: any.
        any_day, any_hour : bool
            Whether the agreement outranks call blocks, weekdays and weeks; whether opening hours, too.
        """
        i, day = int(self.rows[visit]), self.settings.days[n]
        if (n not in self.shifts and n not in self.office) or not (any_day or day_allowed(self.customers, i, day)):
            return ()
        begin, end = self.span(n)
        last = end - service_s
        if any_hour or time_s != ANY:
            open_at: Windows = ((begin, last),) if begin <= last else ()
        else:
            open_at = start_windows(self.customers, i, (begin, end), service_s, rep_zone=self.zone, blocked=not any_day)
        if time_s == ANY:
            return open_at
        # the customer's calendar day may be the one before or after the rep's
        zone, number = zone_of(self.customers, i) or self.zone, int(day.astype(np.int64))
        times = {utc_second(d, time_s, zone) for d in (number - 1, number, number + 1)}
        return tuple((t, t) for t in sorted(times) if any(low <= t <= high for low, high in open_at))

    def span(self, n: int) -> tuple[int, int]:
        """Return begin and end of a worked day, UTC seconds."""
        return self.shifts[n] if n in self.shifts else self.office[n]

    def among(self, desks: Sequence[Desk], used: IntArray, hotels: IntArray) -> tuple[IntArray, IntArray]:
        """Return driving times and distances between the desks' homes, some customers, the desks' ends, some hotels."""
        reps, who = self.reps, np.array([desk.rep for desk in desks])
        customers = self.customers.places().take(self.rows[used])
        places = Places.concat(
            [reps.places().take(who), customers, reps.end_places().take(who), self.hotels.take(hotels)]
        )
        matrix = self.travel.matrix(places, places, speed_factor=self.factor)
        return matrix.durations_s.astype(np.int64), matrix.distances_m.astype(np.int64)

    def hours(self, n: int) -> tuple[int, int, list[tuple[int, int, int]]]:
        """Return begin, end (without overtime) and breaks of a shift, counted from `origin`."""
        begin, end = (t - self.origin for t in self.span(n))
        end -= self.overtime_s if n in self.shifts else 0
        rest = break_of(self.reps, self.rep, self.settings.days[n])
        if rest is None:
            return begin, end, []
        return begin, end, [(rest.length_s, rest.earliest - self.origin, rest.latest - self.origin)]
