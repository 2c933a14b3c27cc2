"""Units at the border: inside there are only seconds, metres and degrees."""

from __future__ import annotations

from numbers import Real
from typing import Final, TypeGuard

__all__ = ["DAY_S", "HOUR_S", "KM_M", "MILE_M", "MINUTE_S", "WEEK_S", "clock", "duration", "is_number"]

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
WEEK_S: Final = 604_800
KM_M: Final = 1_000.0
#: The international mile (1959), exact.
MILE_M: Final = 1_609.344


def clock(second_of_day: float) -> str:
    """Write a second of the day as ``HH:MM``, rounded down to the minute.

    >>> clock(9 * 3600 + 59)
    '09:00'
    >>> clock(86_400)
    '24:00'
    """
    minutes = int(second_of_day) // MINUTE_S
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def duration(seconds: float) -> str:
    """Write a duration as hours and minutes.

    >>> duration(5_400)
    '1 h 30 min'
    >>> duration(600)
    '10 min'
    """
    minutes = round(seconds / MINUTE_S)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a parameter is a number; truth values are not, NaN is."""
    return isinstance(value, Real) and not isinstance(value, bool)
