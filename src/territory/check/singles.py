"""Whether single visits are made as their rows ask for: once, on their days, at their time, by their reps.

Days are those of the rep's calendar, times of day those of the customer's clock (the rep's, where
it has no zone). Where the two are far apart, either calendar may hold the day of a visit with a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from territory.check.report import Violation
from territory.check.rows import ANYBODY
from territory.check.wall import as_text, to_utc
from territory.model.enums import Commitment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts
    from territory.model.arrays import IntArray

__all__ = [
    "commitments_right",
    "joint_visits_together",
    "singles_at_their_customers",
    "singles_at_their_times",
    "singles_by_their_reps",
    "singles_due_right",
    "singles_made",
    "singles_on_their_days",
    "singles_once",
]


def _date(day: Any) -> np.datetime64:
    return np.datetime64(int(day), "D")


def _day(f: PlanFacts, i: IntArray) -> IntArray:
    return np.asarray(f.day[i].astype(np.int64))


def _stops(f: PlanFacts) -> IntArray:
    return np.flatnonzero(f.single >= 0)


def _at_row(f: PlanFacts, code: str, row: int, day: int, message: str) -> Violation:
    rows = f.rows
    customer = None if rows.customer[row] < 0 else f.customer_id(rows.customer[row])
    rep = None if rows.rep[row] < 0 else f.rep_id(rows.rep[row])
    return Violation(code, message, customer_id=customer, rep_id=rep, day=_date(day))


def _numbers(f: PlanFacts) -> tuple[dict[tuple[int, int], list[int]], set[tuple[int, int]]]:
    """Return the stops of each row and day, and which are unassigned; only events have days of their own."""
    event = np.append(f.rows.event, False)
    planned: dict[tuple[int, int], list[int]] = {}
    i = _stops(f)
    day = np.where(event[f.single[i]], _day(f, i), 0)
    for stop, row, at in zip(i.tolist(), f.single[i].tolist(), day.tolist(), strict=True):
        planned.setdefault((row, at), []).append(stop)
    due = f.plan.unassigned.due.astype("datetime64[D]").astype(np.int64)
    due = np.where(event[f.left_single], due, 0)
    left = zip(f.left_single.tolist(), due.tolist(), strict=True)
    return planned, {key for key in left if key[0] >= 0}


def singles_made(f: PlanFacts) -> Iterator[Violation]:
    """``single-missing`` and ``joint-incomplete``, of rows with a day in the horizon."""
    if not f.complete:
        return
    planned, left = _numbers(f)
    rows = f.rows
    for row in np.flatnonzero(rows.within).tolist():
        for day in range(int(rows.low[row]), int(rows.high[row]) + 1) if rows.event[row] else (0,):
            stops = planned.get((row, day), [])
            when = (
                f"on {_date(day)}" if rows.event[row] else f"between {_date(rows.low[row])} and {_date(rows.high[row])}"
            )
            at = day if rows.event[row] else int(rows.due[row])
            if not stops and (row, day) not in left:
                message = f"Visit {f.row_id(row)} {when} is neither planned nor unassigned."
                yield _at_row(f, "single-missing", row, at, message)
            elif len(stops) == 1 and rows.joint[row]:
                message = f"Visit {f.row_id(row)} of two reps is made by rep {f.rep_id(f.rep[stops[0]])} alone."
                yield f.at_stop("joint-incomplete", stops[0], message)


def singles_once(f: PlanFacts) -> Iterator[Violation]:
    """``single-doubled``: more stops than reps, or several of one rep; what is also unassigned is told elsewhere."""
    planned, _ = _numbers(f)
    for (row, _), stops in planned.items():
        most = 2 if f.rows.joint[row] else 1
        if len(stops) > most or len({int(f.rep[i]) for i in stops}) < len(stops):
            i = stops[-1]
            message = f"Visit {f.row_id(row)} is planned {len(stops)} times, the last on {f.day[i]}."
            yield f.at_stop("single-doubled", i, message, float(max(1, len(stops) - most)))


def singles_at_their_customers(f: PlanFacts) -> Iterator[Violation]:
    """``single-customer-wrong``, of visits planned and unassigned."""
    i = _stops(f)
    for stop in i[f.rows.customer[f.single[i]] != f.customer[i]].tolist():
        message = (
            f"Visit {f.row_id(f.single[stop])} is made at customer {f.customer_id(f.customer[stop])}, not its own."
        )
        yield f.at_stop("single-customer-wrong", stop, message)
    customer = f.plan.unassigned.customer_idx
    u = np.flatnonzero(f.left_single >= 0)
    for left in u[f.rows.customer[f.left_single[u]] != customer[u]].tolist():
        message = (
            f"Visit {f.row_id(f.left_single[left])} is unassigned as one of customer {f.customer_id(customer[left])}."
        )
        yield f.at_unassigned("single-customer-wrong", left, message)


def _dates(f: PlanFacts, i: int) -> list[int]:
    """Return the customer's days, from 1970, on which a stop starts at the time that its row asks for."""
    second = f.rows.time_s[f.single[i]]
    start, zone = int(f.start[i].astype(np.int64)), str(f.customer_zone[i])
    near = int(f.day[i].astype(np.int64))
    seconds = {int(np.floor(second)), int(np.ceil(second))}
    return [day for day in (near - 1, near, near + 1) if start in {to_utc(day, s, zone) for s in seconds}]


def singles_on_their_days(f: PlanFacts) -> Iterator[Violation]:
    """``single-day-wrong``."""
    i = _stops(f)
    rows, row, day = f.rows, f.single[i], _day(f, i)
    outside = (day < rows.earliest[row]) | (day > rows.latest[row])
    for j in np.flatnonzero(outside).tolist():
        stop, r = int(i[j]), int(row[j])
        low, high = int(rows.earliest[r]), int(rows.latest[r])
        if rows.timed[r] and any(low <= at <= high for at in _dates(f, stop)):
            continue
        message = (
            f"Visit {f.row_id(r)} of customer {f.customer_id(f.customer[stop])} is made on {f.day[stop]}, "
            f"not between {_date(low)} and {_date(high)}."
        )
        yield f.at_stop("single-day-wrong", stop, message, float(max(low - day[j], day[j] - high)))


def singles_at_their_times(f: PlanFacts) -> Iterator[Violation]:
    """``single-time-wrong``: a skipped time counts as that much later, of a repeated one the first is meant."""
    i = _stops(f)
    for stop in i[f.rows.timed[f.single[i]] & ~np.isnat(f.start[i])].tolist():
        if _dates(f, stop):
            continue
        zone, second = str(f.customer_zone[stop]), int(f.rows.time_s[f.single[stop]])
        meant = to_utc(int(f.day[stop].astype(np.int64)), second, zone)
        message = (
            f"Visit {f.row_id(f.single[stop])} of customer {f.customer_id(f.customer[stop])} starts at "
            f"{as_text(f.start[stop], zone)}, not at {_clock(second)}."
        )
        yield f.at_stop("single-time-wrong", stop, message, float(abs(int(f.start[stop].astype(np.int64)) - meant)))


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}".removesuffix(":00")


def singles_by_their_reps(f: PlanFacts) -> Iterator[Violation]:
    """``single-rep-wrong``: who is named makes it; where one of two is named, the other is the alignment's affair."""
    i = _stops(f)
    first, second = f.rows.rep[f.single[i]], f.rows.second[f.single[i]]
    wrong = (first != ANYBODY) & (f.rep[i] != first) & (f.rep[i] != second)
    for stop in i[wrong].tolist():
        message = f"Visit {f.row_id(f.single[stop])} is made by rep {f.rep_id(f.rep[stop])}, whom it does not name."
        yield f.at_stop("single-rep-wrong", stop, message)
    planned, _ = _numbers(f)
    for (row, _), stops in planned.items():
        # with both there, one of them has to be who comes along
        if f.rows.joint[row] and len(stops) > 1 and all(f.rep[i] != f.rows.second[row] for i in stops):
            message = f"Visit {f.row_id(row)} is made by two reps, but not by the second whom it names."
            yield f.at_stop("single-rep-wrong", stops[-1], message)


def joint_visits_together(f: PlanFacts) -> Iterator[Violation]:
    """``joint-apart``: all start at one moment."""
    planned, _ = _numbers(f)
    for (row, _), stops in planned.items():
        if not f.rows.joint[row]:
            continue
        for i in stops[1:]:
            if f.start[i] != f.start[stops[0]] and not np.isnat(f.start[[i, stops[0]]]).any():
                rep, other = f.rep[i], f.rep[stops[0]]
                message = (
                    f"Rep {f.rep_id(rep)} starts visit {f.row_id(row)} at {f.clock(f.start[i], rep)}, "
                    f"but rep {f.rep_id(other)} at {f.clock(f.start[stops[0]], rep)}."
                )
                apart = abs(f.start[i] - f.start[stops[0]]) / np.timedelta64(1, "s")
                yield f.at_stop("joint-apart", i, message, float(apart))


def singles_due_right(f: PlanFacts) -> Iterator[Violation]:
    """``single-due-wrong``: an unassigned one is listed for its due day, its last day, or the day of its event."""
    rows, due = f.rows, f.plan.unassigned.due.astype("datetime64[D]").astype(np.int64)
    u = np.flatnonzero(f.left_single >= 0)
    row = f.left_single[u]
    on_day = (due[u] >= rows.low[row]) & (due[u] <= rows.high[row])
    right = np.where(rows.event[row], on_day, due[u] == rows.due[row])
    for left in u[~right & rows.within[row]].tolist():
        r = int(f.left_single[left])
        meant = f"{_date(rows.low[r])} to {_date(rows.high[r])}" if rows.event[r] else str(_date(rows.due[r]))
        message = f"Visit {f.row_id(r)} is unassigned as due on {_date(due[left])}, not {meant}."
        yield f.at_unassigned("single-due-wrong", left, message)


def commitments_right(f: PlanFacts) -> Iterator[Violation]:
    """``commitment-wrong``, where stops say how firmly they are promised; visits by interval are planned."""
    told = f.plan.stops.commitment
    if told is None:
        return
    said, right = told[f.row], f.of_row("commitment", absent=int(Commitment.PLANNED))
    for i in np.flatnonzero(said != right):
        message = (
            f"The visit of customer {f.customer_id(f.customer[i])} on {f.day[i]} is said to be {_firm(said[i])}, "
            f"but is {_firm(right[i])}."
        )
        yield f.at_stop("commitment-wrong", i, message)


def _firm(commitment: Any) -> str:
    return Commitment(int(commitment)).name.lower().replace("_", " ")
