"""Whether customers can be visited then: opening hours and their exceptions, call blocks, weekdays, week parity.

Opening hours, those of single dates too, and call blocks are those of the customer's wall clock (the rep's, where
it has no zone), weekdays and weeks those of the rep's day. Single visits may outrank
them: `territory.check.rows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.check.wall import as_text, to_utc
from territory.model.enums import HoursBind, Parity
from territory.units import DAY_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts
    from territory.check.report import Violation
    from territory.model.arrays import DayArray, IntArray
    from territory.model.dated import Exceptions
    from territory.model.hours import Intervals, Week

__all__ = ["call_blocks_kept", "opening_hours_kept", "week_parity_kept", "weekdays_kept"]

#: Hours of a week that are not round the clock have a gap within it.
_LONGEST_DAYS = 8
_ALWAYS: Final[Week] = (((0, DAY_S),),) * 7


def opening_hours_kept(f: PlanFacts) -> Iterator[Violation]:
    """``outside-opening-hours``: intervals that touch, as at midnight, are one."""
    hours, dated, bind = (getattr(f.plan.customers, k) for k in ("opening_hours", "hours_exceptions", "hours_bind"))
    limited = np.zeros(len(f.customer), dtype=bool)
    if hours is not None:
        limited |= np.array([week != _ALWAYS for week in hours.weeks], dtype=bool)[hours.code[f.customer]]
    if dated is not None:
        limited |= np.array([bool(cell) for cell in dated.cells], dtype=bool)[dated.code[f.customer]]
    rows = np.flatnonzero(limited & ~f.free_hours & ~np.isnat(f.start) & ~np.isnat(f.end))
    if len(rows) == 0:
        return
    start_only = np.zeros(len(f.customer), bool) if bind is None else bind[f.customer] == HoursBind.START
    begin = f.start[rows].astype(np.int64)
    end = np.where(start_only[rows], begin, f.end[rows].astype(np.int64))
    opens, closes, which = _intervals(f, rows)
    fits = ((opens[which] <= begin[:, None]) & (end[:, None] <= closes[which])).any(axis=1)
    for j in np.flatnonzero(~fits):
        i = rows[j]
        # what is missing until the interval that comes nearest holds the visit
        off = np.maximum(opens[which[j]] - begin[j], 0) + np.maximum(end[j] - closes[which[j]], 0)
        known = closes[which[j]] >= opens[which[j]]
        yield f.at_stop(
            "outside-opening-hours",
            i,
            _outside(f, i, start_only=bool(start_only[i])),
            float(off[known].min()) if known.any() else None,
        )


def _cells(f: PlanFacts, customer: int) -> tuple[Week, Exceptions]:
    """Return a customer's week, and what replaces it on single dates."""
    hours, dated = f.plan.customers.opening_hours, f.plan.customers.hours_exceptions
    return _ALWAYS if hours is None else hours[customer], () if dated is None else dated[customer]


def _on(week: Week, dated: Exceptions, day: int) -> Intervals:
    """Return the hours of a day, counted from 1970."""
    date = np.datetime64(day, "D")
    for first, last, hours in dated:
        if first <= date <= last:
            return hours
    return week[(day + 3) % 7]


def _outside(f: PlanFacts, i: Any, *, start_only: bool) -> str:
    zone = str(f.customer_zone[i])
    day = f.local_start[i].astype("datetime64[D]")
    week, dated = _cells(f, int(f.customer[i]))
    open_at = ", ".join(
        f"{a // 3600:02d}:{a // 60 % 60:02d}-{b // 3600:02d}:{b // 60 % 60:02d}"
        for a, b in _on(week, dated, int(day.astype(np.int64)))
    )
    when = f"starts at {as_text(f.start[i], zone)}"
    if not start_only:
        when = f"lasts from {as_text(f.start[i], zone)} to {as_text(f.end[i], zone)}"
    return f"The visit of customer {f.customer_id(f.customer[i])} {when}; its hours on {day} are {open_at or 'none'}."


def _intervals(f: PlanFacts, rows: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the opening intervals around each visit, UTC seconds.

    Returns
    -------
    opens, closes : int64 arrays of shape (number of distinct cases, most intervals)
        Filled up with intervals that close before they open.
    which : int64 array of shape (number of rows,)
        The case of each row.
    """
    zones, zone = np.unique(f.customer_zone[rows].astype(str), return_inverse=True)
    first = f.local_start[rows].astype("datetime64[D]").astype(np.int64)
    last = f.local_end[rows].astype("datetime64[D]").astype(np.int64)
    who = f.customer[rows]
    hours, dated = f.plan.customers.opening_hours, f.plan.customers.hours_exceptions
    week_code, date_code = (np.zeros(len(rows), np.int64) if c is None else c.code[who] for c in (hours, dated))
    if dated is None:
        last = np.minimum(last, first + _LONGEST_DAYS)
    else:  # single dates may close every gap of a week
        by_date = np.array([bool(cell) for cell in dated.cells], dtype=bool)[date_code]
        last = np.where(by_date, last, np.minimum(last, first + _LONGEST_DAYS))
    keys = np.stack([week_code, date_code, zone, first, last], axis=1).astype(np.int64)
    cases, at, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    merged = [
        _merged(*_cells(f, int(who[row])), str(zones[z]), range(a - 1, b + 2))
        for row, (_, _, z, a, b) in zip(at.tolist(), cases.tolist(), strict=True)
    ]
    width = max(1, *(len(each) for each in merged))
    filled = [[*each, *[(1, 0)] * (width - len(each))] for each in merged]
    table = np.array(filled, dtype=np.int64).reshape(len(cases), width, 2)
    return table[:, :, 0], table[:, :, 1], which.reshape(-1)


def _merged(week: Week, dated: Exceptions, zone: str, days: range) -> list[tuple[int, int]]:
    """Return the intervals of some days as UTC seconds; those that touch become one."""
    spans = sorted((to_utc(d, a, zone), to_utc(d, b, zone)) for d in days for a, b in _on(week, dated, d))
    merged: list[tuple[int, int]] = []
    for opens, closes in spans:
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(closes, merged[-1][1]))
        else:
            merged.append((opens, closes))
    return merged


def call_blocks_kept(f: PlanFacts) -> Iterator[Violation]:
    """``call-block``: no day that the visit touches on the customer's calendar; ending at midnight touches none."""
    blocks = f.plan.customers.call_blocks
    if blocks is None:
        return
    some = np.array([bool(cell) for cell in blocks.cells], dtype=bool)
    blocked: dict[int, tuple[DayArray, DayArray]] = {
        c: (np.array([a for a, _ in cell]), np.array([b for _, b in cell]))
        for c, cell in enumerate(blocks.cells)
        if cell
    }
    code = blocks.code[f.customer]
    first, last = f.local_start.astype("datetime64[D]"), f.local_end.astype("datetime64[D]")
    for c in np.unique(code[some[code]]).tolist():
        froms, untils = blocked[c]
        at = np.flatnonzero((code == c) & ~f.free_days)
        for i in at[((froms <= last[at, None]) & (untils >= first[at, None])).any(axis=1)]:
            message = (
                f"Customer {f.customer_id(f.customer[i])} is visited on {first[i]}, when it must not be called on: "
                f"{blocks.to_text()[int(f.customer[i])]}."
            )
            yield f.at_stop("call-block", i, message)


def weekdays_kept(f: PlanFacts) -> Iterator[Violation]:
    """``weekday-not-allowed``."""
    allowed = f.plan.customers.preferred_weekdays
    if allowed is None:
        return
    weekday = (f.day.astype(np.int64) + 3) % 7
    for i in np.flatnonzero((allowed[f.customer].astype(np.int64) >> weekday & 1 == 0) & ~f.free_days):
        message = (
            f"Customer {f.customer_id(f.customer[i])} is visited on {f.day[i]}, a {f.day[i].item():%A}, "
            "which is none of its weekdays."
        )
        yield f.at_stop("weekday-not-allowed", i, message)


def week_parity_kept(f: PlanFacts) -> Iterator[Violation]:
    """``week-parity``, by ISO 8601: a week is that of its Thursday, week 1 has the year's first Thursday."""
    parity = f.plan.customers.week_parity
    if parity is None:
        return
    wanted = parity[f.customer]
    for i in np.flatnonzero((wanted != Parity.ANY) & ~f.free_days):
        week = f.day[i].item().isocalendar().week
        if (week % 2 == 1) != (wanted[i] == Parity.ODD):
            asked = "odd" if wanted[i] == Parity.ODD else "even"
            message = (
                f"Customer {f.customer_id(f.customer[i])} is visited on {f.day[i]}, in week {week}, "
                f"but wants {asked} weeks."
            )
            yield f.at_stop("week-parity", i, message)
