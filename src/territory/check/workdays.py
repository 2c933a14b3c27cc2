"""When reps work, straight from the tables: leave, exceptions of single dates, holidays, weekly hours.

Days are counted from 1970-01-01. Leave wins over all, the exception of a day over holidays, and both
over the hours of the week.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from territory.check.wall import to_utc, zone_names
from territory.model.hours import parse_hours

if TYPE_CHECKING:
    from territory.model.arrays import IntArray
    from territory.model.hours import Intervals, Week
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings

__all__ = ["WorkDays"]


class WorkDays:
    """The working days of a team.

    Parameters
    ----------
    reps : Reps, length r
    settings : PlanSettings
    """

    def __init__(self, reps: Reps, settings: PlanSettings) -> None:
        self.reps = reps
        self.settings = settings
        self._zone = zone_names(reps.timezone, len(reps))

    @cached_property
    def _weeks(self) -> tuple[Week, ...]:
        """Week of each rep."""
        shift = self.reps.shift
        if shift is None:
            return (parse_hours(self.settings.default_shift),) * len(self.reps)
        return tuple(shift.weeks[code] for code in shift.code.tolist())

    @cached_property
    def _holidays(self) -> tuple[frozenset[int], ...]:
        """Holidays of each rep: everybody's, and its own."""
        everybody = frozenset(self.settings.holidays.astype("datetime64[D]").astype(np.int64).tolist())
        own = {
            rep: days.astype("datetime64[D]").astype(np.int64).tolist()
            for rep, days in self.settings.rep_holidays.items()
        }
        return tuple(everybody.union(own.get(rep, ())) for rep in self.reps.id.tolist())

    @cached_property
    def around_s(self) -> tuple[IntArray, IntArray, IntArray]:
        """Preparation, work afterwards (rounded up) and overtime (rounded down) of each rep, whole seconds."""
        reps, none = self.reps, np.zeros(len(self.reps))
        prep, admin, over = (none if c is None else c for c in (reps.prep_s, reps.admin_s, reps.max_overtime_s))
        return np.ceil(prep).astype(np.int64), np.ceil(admin).astype(np.int64), np.floor(over).astype(np.int64)

    def exception(self, rep: int, day: int) -> Intervals | None:
        """Return the hours of a day that is an exception; None: it is none."""
        column, date = self.reps.shift_exceptions, np.datetime64(day, "D")
        for first, last, hours in () if column is None else column[rep]:
            if first <= date <= last:
                return hours
        return None

    def holiday(self, rep: int, day: int) -> bool:
        """Return whether a day is a holiday of the rep, and no exception."""
        return day in self._holidays[rep] and self.exception(rep, day) is None

    def leave(self, rep: int, day: int) -> tuple[np.datetime64, np.datetime64] | None:
        """Return first and last day of the leave that a rep takes on a day, if any."""
        column, date = self.reps.leave, np.datetime64(day, "D")
        return next((r for r in (() if column is None else column[rep]) if r[0] <= date <= r[1]), None)

    def office(self, rep: int, day: int) -> bool:
        """Return whether a day is one of the rep's office days."""
        column = self.reps.office_days
        return column is not None and bool(int(column[rep]) >> (day + 3) % 7 & 1)  # 1970-01-01 was a Thursday

    def shift(self, rep: int, day: int) -> tuple[int, int] | None:
        """Return begin and end of a day's hours, UTC seconds; leave and holidays do not count."""
        own = self.exception(rep, day)
        for a, b in self._weeks[rep][(day + 3) % 7] if own is None else own:  # at most one
            zone = str(self._zone[rep])
            return to_utc(day, a, zone), to_utc(day, b, zone)
        return None

    def field_s(self, rep: int, day: int) -> int:
        """Return how long a rep can be in the field on a day without overtime, seconds; -1: not at all."""
        hours = self.shift(rep, day)
        if hours is None or self.holiday(rep, day) or self.leave(rep, day) or self.office(rep, day):
            return -1
        # a clock that jumps ahead may skip the begin, and land beyond the end
        prep, admin, _ = self.around_s
        return max(-1, hours[1] - hours[0] - int(prep[rep]) - int(admin[rep]))
