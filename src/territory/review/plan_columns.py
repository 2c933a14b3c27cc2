"""What is counted and added up of a plan, by any grouping of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.check.workdays import WorkDays
from territory.review.intervals import Intervals, intervals_of
from territory.units import HOUR_S, KM_M

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from territory.model.arrays import BoolArray, DayArray, FloatArray, IdxArray, IntArray
    from territory.model.plan import Plan
    from territory.model.routes import Routes

    #: Gives the group of each row from its rep (-1: none) and its day.
    Grouping = Callable[[IdxArray, DayArray], IntArray]

__all__ = ["PlanRows", "adherence_columns", "plan_columns", "reasons_by", "rows_of"]


@dataclass(frozen=True, eq=False)
class PlanRows:
    """A plan, and what its tables do not say themselves.

    Attributes
    ----------
    plan : Plan
    intervals : Intervals
    shift_rep, shift_day : int32 array, datetime64[D] array of shape (s,)
        The days of the horizon on which each rep works in the field.
    shift_s : int64 array of shape (s,)
        How long, with preparation and work afterwards, seconds.
    office_rep, office_day : int32 array, datetime64[D] array of shape (number of office days,)
    away_s : int64 array of shape (number of routes,)
        From leaving to being back, seconds.
    desk_s : int64 array of shape (number of routes,)
        Preparation and work afterwards, seconds; none on office days.
    overtime_s : int64 array of shape (number of routes,)
        Work after the end of the shift, seconds.
    in_field : bool array of shape (number of routes,)
        Whether the day is no office day.
    night_rep, night_day : int32 array, datetime64[D] array of shape (number of nights,)
    night_cost : float64 array of shape (number of nights,), optional
    """

    plan: Plan
    intervals: Intervals
    shift_rep: IdxArray
    shift_day: DayArray
    shift_s: IntArray
    office_rep: IdxArray
    office_day: DayArray
    away_s: IntArray
    desk_s: IntArray
    overtime_s: IntArray
    in_field: BoolArray
    night_rep: IdxArray
    night_day: DayArray
    night_cost: FloatArray | None


def rows_of(plan: Plan) -> PlanRows:
    """Work out intervals, shifts, overtime and nights of a plan.

    Parameters
    ----------
    plan : Plan

    Notes
    -----
    O(m log m + r d) for m stops and r reps on d days.
    """
    work, t = WorkDays(plan.reps, plan.settings), plan.routes  # as the checker reads them
    days = plan.settings.days
    lengths = np.array([[_shift_s(work, r, d) for d in days.astype(np.int64).tolist()] for r in range(len(plan.reps))])
    lengths = lengths.reshape(len(plan.reps), len(days))
    rep, at = np.nonzero(lengths > 0)
    office = np.array([[work.office(r, d) for d in range(4, 11)] for r in range(len(plan.reps))], dtype=bool)
    weekday = (days.astype(np.int64) + 3) % 7  # of day 4, a Monday, on
    own = office.reshape(len(plan.reps), 7)[rep, weekday[at]]
    prep, admin, _ = work.around_s
    in_field = ~office.reshape(len(plan.reps), 7)[t.rep_idx, (t.day.astype(np.int64) + 3) % 7]
    until = np.full(len(t), np.datetime64("NaT", "s"))
    for row, (r, day) in enumerate(zip(t.rep_idx.tolist(), t.day.astype(np.int64).tolist(), strict=True)):
        hours = work.shift(r, day)
        until[row] = np.datetime64("NaT" if hours is None else hours[1], "s")
    late = (t.back - until).astype(np.int64) + np.where(in_field, admin[t.rep_idx], 0)
    nights: Any = getattr(plan, "nights", None)
    cost = None if nights is None else getattr(nights, "cost", None)
    return PlanRows(
        plan=plan,
        intervals=intervals_of(plan),
        shift_rep=rep[~own].astype(np.int32),
        shift_day=days[at[~own]],
        shift_s=lengths[rep, at][~own].astype(np.int64),
        office_rep=rep[own].astype(np.int32),
        office_day=days[at[own]],
        away_s=(t.back - t.leave).astype(np.int64),
        desk_s=np.where(in_field, (prep + admin)[t.rep_idx], 0),
        # on a day off there is no shift to be over
        overtime_s=np.where(np.isnat(until), 0, np.maximum(late, 0)),
        in_field=in_field,
        night_rep=np.empty(0, np.int32) if nights is None else nights.rep_idx,
        night_day=np.empty(0, "M8[D]") if nights is None else nights.day,
        night_cost=None if cost is None else np.asarray(cost, dtype=np.float64),
    )


def _shift_s(work: WorkDays, rep: int, day: int) -> int:
    """Return the length of a rep's shift on a day (from 1970), seconds; 0 on leave, holidays and days off."""
    hours = work.shift(rep, day)
    if hours is None or work.holiday(rep, day) or work.leave(rep, day) is not None:
        return 0
    return max(0, hours[1] - hours[0])


def adherence_columns(intervals: Intervals, group: IntArray, k: int) -> dict[str, Any]:
    """Return how intervals are kept, by group.

    Parameters
    ----------
    intervals : Intervals, m rows
    group : int array of shape (m,), in 0 to k - 1
    k : int

    Returns
    -------
    dict of str to array of shape (k,)
        ``intervals`` that could be kept, ``within`` the tolerance, and as a share; ``deviation_mean_days`` and
        ``deviation_max_days`` off the interval; ``interval_asked_days`` and ``interval_days``, the means of what was
        asked and what was done, and where intervals were stretched ``interval_planned_days``; NaN where there is
        none. ``overdue``: those that were too long before the horizon began, which count in nothing else.
    """
    rows = np.flatnonzero(~intervals.overdue)
    of = group[rows]
    count = np.bincount(of, minlength=k)
    within = np.bincount(of[intervals.within[rows]], minlength=k)
    largest = np.full(k, np.nan)
    np.fmax.at(largest, of, intervals.off[rows])

    def mean(values: FloatArray | IntArray) -> FloatArray:
        return _ratio(np.bincount(of, values[rows], k), count)

    planned = {} if intervals.planned is None else {"interval_planned_days": mean(intervals.planned)}
    return {
        "intervals": count,
        "within": within,
        "within_share": _ratio(within, count),
        "deviation_mean_days": mean(intervals.off),
        "deviation_max_days": largest,
        "interval_asked_days": mean(intervals.asked),
        **planned,
        "interval_days": mean(intervals.days),
        "overdue": np.bincount(group[intervals.overdue], minlength=k),
    }


def reasons_by(plan: Plan, group: IntArray, k: int) -> dict[str, IntArray]:
    """Count the visits that are not planned by group, (k,): ``unplanned``, and a column for each reason there is."""
    reason = np.array(plan.unassigned.reason.tolist(), dtype=object)
    columns = {"unplanned": np.bincount(group, minlength=k)}
    for word in sorted(set(reason.tolist())):
        columns[f"unplanned_{word.replace('-', '_')}"] = np.bincount(group[reason == word], minlength=k)
    return columns


def plan_columns(rows: PlanRows, grouping: Grouping, k: int) -> dict[str, Any]:
    """Add up a plan by group.

    Parameters
    ----------
    rows : PlanRows
    grouping : callable
        Gives the group, 0 to k - 1, of rows from their rep (-1: none) and their day.
    k : int

    Returns
    -------
    dict of str to array of shape (k,)
        See `territory.review.plan_report`.
    """
    plan = rows.plan
    s, t, u, i = plan.stops, plan.routes, plan.unassigned, rows.intervals
    at_stop, at_route = grouping(s.rep_idx, s.day), grouping(t.rep_idx, t.day)
    pairs = np.unique(np.stack([at_stop, s.customer_idx.astype(np.int64)]), axis=1)
    columns: dict[str, Any] = {
        "visits": np.bincount(at_stop, minlength=k),
        "customers": np.bincount(pairs[0], minlength=k),
    }
    if s.remote is not None:
        columns["remote"] = np.bincount(at_stop[s.remote], minlength=k)
    columns |= adherence_columns(i, grouping(i.rep, i.day), k)

    def hours(of: IntArray, seconds: Any) -> FloatArray:
        return np.bincount(of, np.asarray(seconds).astype(np.int64), k) / HOUR_S

    away, desk = hours(at_route, rows.away_s), hours(at_route, rows.desk_s)
    drive, pause, visits = hours(at_route, t.drive_s), hours(at_route, _away(t)), hours(at_stop, s.end - s.start)
    at_shift = grouping(rows.shift_rep, rows.shift_day)
    shift, field = hours(at_shift, rows.shift_s), rows.in_field
    columns |= {
        "drive_h": drive,
        "km": np.bincount(at_route, t.distance_m, k) / KM_M,
        "visit_h": visits,
        "break_h": pause,
        # rounded to the second, of which all are sums
        "idle_h": np.rint((away - drive - visits - pause) * HOUR_S) / HOUR_S,
        "desk_h": desk,
        "worked_h": away + desk,
        "overtime_h": hours(at_route, rows.overtime_s),
        "shift_h": shift,
        "utilisation": _ratio(hours(at_route[field], (rows.away_s + rows.desk_s)[field]), shift),
        "days_worked": np.bincount(at_route, minlength=k),
        "days": np.bincount(at_shift, minlength=k),
        "office_days": np.bincount(grouping(rows.office_rep, rows.office_day), minlength=k),
        "nights": np.bincount(grouping(rows.night_rep, rows.night_day), minlength=k),
    }
    columns |= _costs(rows, grouping, at_route, k)
    return columns | reasons_by(plan, grouping(u.rep_idx, u.due), k)


def _away(routes: Routes) -> IntArray:
    """Return the part of each break between leaving and being back, seconds: one may be taken at home."""
    none = np.isnat(routes.break_start)
    begin = np.where(none, routes.leave, routes.break_start)
    until = np.minimum(begin + np.where(none, 0, routes.break_s).astype("timedelta64[s]"), routes.back)
    return np.asarray(np.maximum((until - np.maximum(begin, routes.leave)).astype(np.int64), 0))


def _costs(rows: PlanRows, grouping: Grouping, at_route: IntArray, k: int) -> Mapping[str, FloatArray]:
    """Return the costs whose rates are known, by group, and their sum; nothing where none is."""
    reps, t = rows.plan.reps, rows.plan.routes
    amounts = (
        ("cost_hours", "cost_per_hour", (rows.away_s + rows.desk_s) / HOUR_S),
        ("cost_overtime", "overtime_per_hour", rows.overtime_s / HOUR_S),
        ("cost_km", "cost_per_km", t.distance_m / KM_M),
        ("cost_days", "cost_per_day", np.ones(len(t))),
    )
    columns: dict[str, Any] = {}
    for name, rate, amount in amounts:
        rates = getattr(reps, rate, None)
        if rates is not None:
            columns[name] = np.bincount(at_route, amount * rates[t.rep_idx], k)
    if rows.night_cost is not None:
        columns["cost_nights"] = np.bincount(grouping(rows.night_rep, rows.night_day), rows.night_cost, k)
    if columns:
        columns["cost"] = np.sum(list(columns.values()), axis=0)
    return columns


def _ratio(above: Any, below: Any) -> FloatArray:
    """Return quotients; NaN where there is nothing to divide by."""
    above, below = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    return np.asarray(np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0))
