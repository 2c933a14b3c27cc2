"""What a plan was asked to keep, apart from the tables: part of the plan, so that it can be checked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from territory.errors import InputError, Problem
from territory.model.arrays import DayArray, sealed
from territory.model.days import to_day
from territory.model.hours import parse_hours
from territory.model.policies import POLICIES, plain_policies, read_policies
from territory.units import DAY_S

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PlanSettings", "as_day"]

#: The longest horizon, in weeks.
MAX_WEEKS = 53
#: Days that every calendar of this library can hold, with room for what lies around a horizon.
_EARLIEST = np.datetime64("1971-01-01", "D")
_LATEST = np.datetime64("9990-12-31", "D")


def as_day(value: object, name: str = "start") -> np.datetime64:
    """Read a calendar day from an ISO text, a date, a datetime or a datetime64.

    Of a time with a zone it is the day on that zone's calendar.

    Raises
    ------
    InputError
        Anything else, such as ``"03/04/2026"``, ``"2026"``, a number, or a blank.
    """
    try:
        zoneless = value.replace(tzinfo=None) if isinstance(value, dt.datetime) else value
        day = to_day(zoneless)
    except (ValueError, TypeError):
        day = None
    if day is None:
        problem = Problem(
            "not-a-date", f"{name}: expected a day such as '2026-04-03', not {value!r}", hint="Write year-month-day."
        )
        raise InputError([problem], "parameters")
    return np.datetime64(day, "D")


@dataclass(frozen=True, eq=False)
class PlanSettings:
    """The rules of a plan.

    Attributes
    ----------
    start : datetime64[D]
        First day of the horizon.
    n_days : int
        Its length in days.
    holidays : datetime64[D] array
        Days without visits, for everybody.
    default_shift : str
        Shift of reps who have none.
    default_service_s : int
        Length of visits where customers have none, seconds.
    tolerance : float
        Share of the interval that a visit may come early or late, rounded down to days, where
        customers have no ``early_days`` or ``late_days``.
    travel : str
        Fingerprint of the source of travel times.
    cadence : bool
        Whether visits keep the customers' intervals. False: each customer is a candidate for one
        visit in the horizon, whatever its interval (a single day that was routed).
    stretch : mapping of rep id to float
        Factors of at least 1 by which the intervals of a rep's customers are longer; of a rep who is
        not named, 1.
    hot_days : int
        Days of the horizon within which a hot lead is visited.
    warm_days : int
        Interval of hot and warm leads that have none of their own, days.
    cold_detour_s : int
        Cold leads are visited where that costs less driving, seconds.
    follow_up_days : tuple of int
        Days after a deal was won on which a follow-up is due.
    remote : str
        ``"never"``, or ``"after-first"``: customers whose channel is "either" get their first visit in
        the field, and contacts from the rep's home from then on.
    service_by_kind : mapping of str to int
        Seconds of a "lead", "follow-up", "appointment", "event" or "remote" contact, where the visit
        itself has no length.
    cover : mapping of rep id to tuple of rep ids
        Who may serve a rep's customers while the rep is on leave.
    shared : bool
        Whether every rep may serve every customer of its team.
    load : str, optional
        The measure of customers that `Reps.load_limit` limits a day.
    nights : str
        ``"never"``, or ``"allowed"``: a rep's day may end away from home, and the next one start there.
    day_sets : mapping of customer id to tuple of tuples of days
        Customers who are visited on all days of one of these sets, or not at all; they have no interval.
    rep_holidays : mapping of rep id to datetime64[D] array
        Public holidays of single reps: days without work, beside `holidays`. Filled in when a plan is
        made, from the reps' ``country`` and ``region`` (a rep without holidays in the horizon has
        none), so that the plan keeps the days that it was made with.
    """

    start: np.datetime64
    n_days: int
    holidays: DayArray
    default_shift: str = "Mo-Fr 08:00-17:00"
    default_service_s: int = 1800
    tolerance: float = 0.25
    travel: str = ""
    cadence: bool = True
    stretch: Mapping[str, float] = field(default_factory=dict)
    hot_days: int = 2
    warm_days: int = 14
    cold_detour_s: int = 900
    follow_up_days: tuple[int, ...] = (14,)
    remote: str = "never"
    service_by_kind: Mapping[str, int] = field(default_factory=dict)
    cover: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shared: bool = False
    load: str | None = None
    nights: str = "never"
    day_sets: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    rep_holidays: Mapping[str, DayArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = []
        object.__setattr__(self, "start", as_day(self.start))
        if not _EARLIEST <= self.start <= _LATEST:
            problems.append(
                Problem("start-out-of-range", f"start: expected {_EARLIEST} to {_LATEST}, not {self.start}")
            )
        object.__setattr__(self, "holidays", _days(self.holidays, "holidays"))
        own = {str(rep): _days(days, f"rep_holidays of {rep}") for rep, days in dict(self.rep_holidays).items()}
        # reps in one order, so that the same days are the same bytes
        object.__setattr__(self, "rep_holidays", MappingProxyType(dict(sorted(own.items()))))
        if not _within(self.n_days, 7 * MAX_WEEKS) or self.n_days < 1 or self.n_days != int(self.n_days):
            problems.append(Problem("empty-horizon", f"n_days: expected 1 to {7 * MAX_WEEKS}, not {self.n_days!r}"))
        if not _within(self.tolerance, 1.0):
            problems.append(Problem("bad-tolerance", f"expected 0 <= tolerance <= 1, not {self.tolerance!r}"))
        if not _within(self.default_service_s, DAY_S) or self.default_service_s != int(self.default_service_s):
            message = f"expected whole seconds, 0 <= default_service_s <= {DAY_S}, not {self.default_service_s!r}"
            problems.append(Problem("bad-service", message))
        try:
            week = parse_hours(self.default_shift)
        except (ValueError, AttributeError) as error:
            problems.append(Problem("bad-shift", f"default_shift: {error}", hint="Write e.g. Mo-Fr 08:00-17:00."))
        else:
            if any(len(day) > 1 for day in week):
                message = f"default_shift: several intervals on one day in {self.default_shift!r}"
                problems.append(Problem("split-shift", message))
        policies, wrong = read_policies({name: getattr(self, name) for name in POLICIES})
        problems += wrong
        if problems:
            raise InputError(problems, "parameters")
        for name, value in policies.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "n_days", int(self.n_days))
        object.__setattr__(self, "default_service_s", int(self.default_service_s))
        object.__setattr__(self, "tolerance", float(self.tolerance))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    def __reduce__(self) -> tuple[Any, ...]:  # pickled arrays come back writeable, and mapping views do not pickle
        values = (getattr(self, f.name) for f in fields(self))
        return type(self), tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values)

    @cached_property
    def days(self) -> DayArray:
        """All days of the horizon; read-only."""
        return sealed(self.start + np.arange(self.n_days).astype("timedelta64[D]"))

    @property
    def end(self) -> np.datetime64:
        """The day after the last."""
        return self.start + np.timedelta64(self.n_days, "D")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, for a file."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        own = {rep: [str(d) for d in days] for rep, days in self.rep_holidays.items()}
        days = [str(d) for d in self.holidays]
        return {**plain_policies(values), "start": str(self.start), "holidays": days, "rep_holidays": own}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PlanSettings:
        """Read what `to_dict` gave; raises `InputError` where settings are missing or unknown."""
        known = [f.name for f in fields(cls)]
        wrong = [k for k in values if k not in known] + [k for k in known[:3] if k not in values]
        if wrong:
            problem = Problem("bad-settings", f"unknown or missing settings: {', '.join(wrong)}", count=len(wrong))
            raise InputError([problem], "parameters")
        return cls(**values)


def _days(days: Any, name: str) -> DayArray:
    """Return days sorted, each once, read-only."""
    if isinstance(days, (str, dt.date, np.datetime64)):
        problem = Problem("not-a-date", f"{name}: expected days in a list, not {days!r}")
        raise InputError([problem], "parameters")
    return sealed(np.unique(np.array([as_day(d, name) for d in days], dtype="datetime64[D]")))


def _within(value: object, high: float) -> bool:
    """Return whether a parameter is a number in [0, high]; NaN and truth values are not."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        return False
    return bool(0 <= value <= high)
