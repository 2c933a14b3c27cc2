"""Single cells of tables changed: what a change of the calendar means for customers and reps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from territory.model.dated import format_exceptions
from territory.model.enums import Parity
from territory.model.hours import clock_text, parse_hours
from territory.model.ragged import format_ranges
from territory.units import DAY_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from territory.model.customers import Customers
    from territory.model.hours import Intervals
    from territory.model.ragged import Ranges
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings
    from territory.model.visits import Visits

__all__ = [
    "allow_rep", "allow_weekday", "alone", "any_week", "hours_on", "lift_block", "lift_leave", "longer_hours",
    "no_office", "set_number", "shift_hours", "teach", "usual_hours", "weekday_of", "wider", "with_hours", "with_shift",
]  # fmt: skip

T = TypeVar("T", "Customers", "Reps", "Visits")
ONE_DAY = np.timedelta64(1, "D")


def set_number(table: T, column: str, row: int, value: float, blank: Any) -> T:
    """Return a table with a number in one cell; `blank` (a number, or an array) fills a column that was absent."""
    now = getattr(table, column)
    values = np.array(np.broadcast_to(blank, len(table)) if now is None else now)
    values[row] = value
    cell: dict[str, Any] = {column: values}
    return replace(table, **cell)


def _set_text(table: T, column: str, row: int, change: Callable[[str], str]) -> T:
    """Return a table with another text form of one cell."""
    now = getattr(table, column)
    texts = [""] * len(table) if now is None else list(now.to_text())
    texts[row] = change(texts[row])
    cell: dict[str, Any] = {column: texts}
    return replace(table, **cell)


def _without(ranges: Ranges, day: np.datetime64) -> Ranges:
    """Return ranges of days without one day."""
    found: list[tuple[np.datetime64, np.datetime64]] = []
    for first, last in ranges:
        if not first <= day <= last:
            found.append((first, last))
            continue
        found += [(a, b) for a, b in ((first, day - ONE_DAY), (day + ONE_DAY, last)) if a <= b]
    return tuple(found)


def _with_exception(now: Any, row: int, day: np.datetime64, hours: str) -> str:
    """Return the exceptions of a row with other hours on one day."""
    parts = []
    for first, last, span in () if now is None else now[row]:
        kept = _without(((first, last),), day)
        parts += [(a, b, span) for a, b in kept]
    text = format_exceptions(tuple(parts))
    return f"{text}; {day} {hours}" if text else f"{day} {hours}"


def written(intervals: Intervals) -> str:
    """Return hours of a day as text."""
    return ",".join(f"{clock_text(a)}-{clock_text(b)}" for a, b in intervals) or "off"


def alone(customers: Customers, row: int) -> Customers:
    """Return the table of one customer, without measures and workload, which may be 0 in every row then."""
    bare = replace(customers, measures={}, workload_s=None)
    return bare.take([row])


# -- customers -----------------------------------------------------------------------------------


def hours_on(customers: Customers, i: int, day: np.datetime64) -> Intervals:
    """Return the opening hours of a customer on a day of its calendar; call blocks are looked away from."""
    own = None if customers.hours_exceptions is None else customers.hours_exceptions.on(i, day)
    if own is not None:
        return own
    if customers.opening_hours is None:
        return ((0, DAY_S),)
    return customers.opening_hours.on(i, weekday_of(day))


def with_hours(customers: Customers, i: int, day: np.datetime64, intervals: Intervals) -> Customers:
    """Return customers of whom one has other opening hours on one day."""
    text = _with_exception(customers.hours_exceptions, i, day, written(intervals))
    return _set_text(customers, "hours_exceptions", i, lambda _: text)


def lift_block(customers: Customers, i: int, day: np.datetime64) -> Customers:
    """Return customers of whom one may be called on, on one day."""
    ranges = () if customers.call_blocks is None else customers.call_blocks[i]
    return _set_text(customers, "call_blocks", i, lambda _: format_ranges(_without(ranges, day)))


def allow_weekday(customers: Customers, i: int, weekday: int) -> Customers:
    """Return customers of whom one may be visited on one more weekday (0: Monday)."""
    now = 127 if customers.preferred_weekdays is None else int(customers.preferred_weekdays[i])
    return set_number(customers, "preferred_weekdays", i, now | 1 << weekday, np.uint8(127))


def any_week(customers: Customers, i: int) -> Customers:
    """Return customers of whom one may be visited in odd and even weeks."""
    return set_number(customers, "week_parity", i, int(Parity.ANY), np.int8(Parity.ANY))


def allow_rep(customers: Customers, i: int, rep: str) -> Customers:
    """Return customers of whom one no longer forbids a rep."""
    texts = "" if customers.forbidden_reps is None else "; ".join(sorted(customers.forbidden_reps[i] - {rep}))
    return _set_text(customers, "forbidden_reps", i, lambda _: texts)


def wider(customers: Customers, i: int, early: int, late: int, tolerance: float) -> Customers:
    """Return customers of whom one may be visited some days earlier, or later."""
    interval = customers.visit_interval_days
    if interval is None:
        return customers
    share = np.floor(tolerance * np.nan_to_num(interval) + 1e-9)
    for column, more in (("early_days", early), ("late_days", late)):
        now = getattr(customers, column)
        if more:
            has = float(share[i] if now is None else now[i])
            customers = set_number(customers, column, i, has + more, share)
    return customers


def longer_hours(hours: Intervals, code: str, more_s: int) -> Intervals:
    """Return hours of a day that begin earlier, or end later, by some seconds; within the day."""
    spans = list(hours)
    if code == "opens-earlier":
        spans[0] = (max(0, spans[0][0] - more_s), spans[0][1])
    else:
        spans[-1] = (spans[-1][0], min(DAY_S, spans[-1][1] + more_s))
    return tuple(spans)


def weekday_of(day: np.datetime64) -> int:
    """Return the weekday of a day, 0: Monday."""
    return int(day.astype("datetime64[D]").astype(np.int64) + 3) % 7


# -- reps ----------------------------------------------------------------------------------------


def usual_hours(reps: Reps, j: int, day: np.datetime64, settings: PlanSettings) -> Intervals:
    """Return the hours that a rep works on a weekday, or, where it is a day off, on the working days next to it."""
    week = parse_hours(settings.default_shift) if reps.shift is None else reps.shift[j]
    weekday = weekday_of(day)
    around = (0, -1, 1, -2, 2, -3, 3)
    return next((week[(weekday + k) % 7] for k in around if week[(weekday + k) % 7]), ())


def shift_hours(reps: Reps, j: int, day: np.datetime64, settings: PlanSettings) -> Intervals:
    """Return the hours that a rep works on a day that is worked."""
    own = None if reps.shift_exceptions is None else reps.shift_exceptions.on(j, day)
    return usual_hours(reps, j, day, settings) if own is None else own


def with_shift(reps: Reps, j: int, day: np.datetime64, intervals: Intervals) -> Reps:
    """Return reps of whom one has other working hours on one day."""
    text = _with_exception(reps.shift_exceptions, j, day, written(intervals))
    return _set_text(reps, "shift_exceptions", j, lambda _: text)


def lift_leave(reps: Reps, j: int, day: np.datetime64) -> Reps:
    """Return reps of whom one is not on leave on one day."""
    ranges = () if reps.leave is None else reps.leave[j]
    return _set_text(reps, "leave", j, lambda _: format_ranges(_without(ranges, day)))


def no_office(reps: Reps, j: int, weekday: int) -> Reps:
    """Return reps of whom one is in the field on a weekday (0: Monday) that was one in the office."""
    now = 0 if reps.office_days is None else int(reps.office_days[j])
    return set_number(reps, "office_days", j, now & ~(1 << weekday), np.uint8(0))


def teach(reps: Reps, j: int, skills: Sequence[str]) -> Reps:
    """Return reps of whom one has some more skills."""
    has = frozenset() if reps.skills is None else reps.skills[j]
    return _set_text(reps, "skills", j, lambda _: "; ".join(sorted({*has, *skills})))
