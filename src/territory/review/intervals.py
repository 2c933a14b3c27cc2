"""How visits of a plan keep their customers' intervals: worked out from customers and stops alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.check.eligibility import aligned_positions
from territory.model.enums import Channel, Stage, VisitKind

if TYPE_CHECKING:
    from territory.model.arrays import BoolArray, DayArray, FloatArray, IdxArray, IntArray
    from territory.model.customers import Customers
    from territory.model.plan import Plan
    from territory.model.settings import PlanSettings

__all__ = ["Intervals", "intervals_of", "iso_weeks", "late_at_end"]

#: Of products such as 0.29 * 100, which ends just below 29.
_NOISE: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals that end with a planned visit, one a row, by customer and day.

    Attributes
    ----------
    stop : int64 array of shape (m,)
        Row of the visit in ``plan.stops``.
    customer, rep : int32 arrays of shape (m,)
    day, before : datetime64[D] arrays of shape (m,)
        Of the visit, and of the one before: planned, or the last one before the horizon.
    asked : float64 array of shape (m,)
        The customer's interval, days.
    shortest, longest : int64 arrays of shape (m,)
        Days within the tolerance.
    overdue : bool array of shape (m,)
        Whether the longest had passed before the horizon began, so that no plan could keep it.
    planned : float64 array of shape (m,), optional
        The interval that the plan aimed at, where it stretched some, days. What is asked for is never stretched.
    """

    stop: IntArray
    customer: IdxArray
    rep: IdxArray
    day: DayArray
    before: DayArray
    asked: FloatArray
    shortest: IntArray
    longest: IntArray
    overdue: BoolArray
    planned: FloatArray | None = None

    @property
    def days(self) -> IntArray:
        """Days from the visit before."""
        return (self.day - self.before).astype(np.int64)

    @property
    def within(self) -> BoolArray:
        """Whether they are within the tolerance."""
        return (self.shortest <= self.days) & (self.days <= self.longest)

    @property
    def off(self) -> FloatArray:
        """Days off the interval that was asked for, never negative."""
        return np.abs(self.days - self.asked)


def _tolerated(customers: Customers, settings: PlanSettings) -> tuple[IntArray, IntArray]:
    """Return the least and the most days between visits of each customer; 1 where it has no interval.

    Where no whole day lies in between (3.5 days without tolerance), the days on both sides are meant.
    """
    interval = customers.visit_interval_days
    days = np.ones(len(customers)) if interval is None else np.where(np.isnan(interval), 1.0, interval)
    share = np.floor(settings.tolerance * days + _NOISE)
    early = share if customers.early_days is None else customers.early_days
    late = share if customers.late_days is None else customers.late_days
    low, high = np.ceil(days - early - _NOISE).astype(np.int64), np.floor(days + late + _NOISE).astype(np.int64)
    return np.maximum(1, np.minimum(low, high)), np.maximum(1, np.maximum(low, high))


def _counting(plan: Plan) -> IntArray:
    """Return the rows of the stops that are visits in the sense of an interval: events are none."""
    s = plan.stops
    if s.visit_idx is None or plan.visits is None or plan.visits.kind is None:
        return np.arange(len(s), dtype=np.int64)
    kind = np.append(plan.visits.kind, VisitKind.REGULAR)[s.visit_idx]
    return np.flatnonzero(kind != VisitKind.EVENT).astype(np.int64)


def _rhythmic(plan: Plan) -> BoolArray:
    """Tell who has an interval that the plan had to keep, bool of shape (n,)."""
    interval = plan.customers.visit_interval_days
    if interval is None or not plan.settings.cadence:
        return np.zeros(len(plan.customers), dtype=bool)
    return ~np.isnan(interval)


def intervals_of(plan: Plan) -> Intervals:
    """List the intervals that end with a planned visit.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    Intervals
        Of customers with an interval. The visit before is the planned one before, or ``last_visit``; first visits
        of those who were never visited end none, nor does what was planned for a day of candidates
        (``settings.cadence`` is False). Visits of one customer on one day, joint ones say, are one; events are none.
        A visit that was due and is not planned is none either: the interval runs on.

    Notes
    -----
    O(m log m) for m stops.
    """
    c, s = plan.customers, plan.stops
    rows = _counting(plan)
    rows = rows[_rhythmic(plan)[s.customer_idx[rows]]]
    who, day = s.customer_idx[rows].astype(np.int64), s.day[rows].astype(np.int64)
    order = np.lexsort((rows, s.start[rows].astype(np.int64), day, who))
    rows, who, day = rows[order], who[order], day[order]
    fresh = np.ones(len(rows), dtype=bool)
    fresh[1:] = (np.diff(who) != 0) | (np.diff(day) != 0)
    rows, who, day = rows[fresh], who[fresh], day[fresh]
    none = np.iinfo(np.int64).min
    last = np.full(len(c), none)
    if c.last_visit is not None:
        last = np.where(np.isnat(c.last_visit), none, c.last_visit.astype(np.int64))
    same = np.zeros(len(rows), dtype=bool)
    same[1:] = np.diff(who) == 0
    planned = np.where(same, np.roll(day, 1), none)
    # a last visit of a later day, which a plan of the past may meet, is none before this one
    earlier = np.where(last[who] < day, last[who], none)
    before = np.maximum(planned, earlier)
    shortest, longest = _tolerated(c, plan.settings)
    known = before != none
    rows, who, day, before, by_plan = rows[known], who[known], day[known], before[known], planned[known] != none
    asked = np.ones(len(c)) if c.visit_interval_days is None else c.visit_interval_days
    start = int(plan.settings.start.astype(np.int64))
    return Intervals(
        stop=rows,
        customer=who.astype(np.int32),
        rep=s.rep_idx[rows],
        day=day.astype("datetime64[D]"),
        before=before.astype("datetime64[D]"),
        asked=asked[who],
        shortest=shortest[who],
        longest=longest[who],
        overdue=~by_plan & (before + longest[who] < start),
        planned=asked[who] * _stretch(plan)[who] if plan.settings.stretch else None,
    )


def _stretch(plan: Plan) -> FloatArray:
    """Return the factor by which the plan made the intervals of each customer longer, (n,)."""
    rep_of = aligned_positions(plan)
    if rep_of is None:  # without an alignment there is one rep
        rep_of = np.full(len(plan.customers), 0 if len(plan.reps) == 1 else -1, dtype=np.int64)
    by_rep = [plan.settings.stretch.get(rep, 1.0) for rep in plan.reps.id.tolist()]
    return np.array([*by_rep, 1.0])[np.where(rep_of < 0, len(by_rep), rep_of)]


def late_at_end(plan: Plan) -> BoolArray:
    """Tell whose next visit is late when the horizon ends, bool of shape (n,): the last day for it has passed.

    Those whose visits the plan leaves out have no interval that ends, and are found here. Customers without an
    interval, lost ones and those served from inside are never late.
    """
    c, settings = plan.customers, plan.settings
    wanted = _rhythmic(plan)
    if c.channel is not None:
        wanted &= c.channel != Channel.INSIDE
    if c.stage is not None:
        wanted &= c.stage != Stage.LOST
    _, longest = _tolerated(c, settings)
    start, end = int(settings.start.astype(np.int64)), int(settings.end.astype(np.int64))
    interval = np.ones(len(c)) if c.visit_interval_days is None else np.nan_to_num(c.visit_interval_days, nan=1.0)
    until = start - 1 + np.maximum(1, np.floor(interval + _NOISE).astype(np.int64))
    if c.last_visit is not None:
        known = ~np.isnat(c.last_visit)
        until[known] = c.last_visit[known].astype(np.int64) + longest[known]
    rows = _counting(plan)
    latest = np.full(len(c), np.iinfo(np.int64).min)
    np.maximum.at(latest, plan.stops.customer_idx[rows], plan.stops.day[rows].astype(np.int64))
    visited = latest > np.iinfo(np.int64).min
    until[visited] = np.maximum(until[visited], latest[visited] + longest[visited])
    return np.asarray(wanted & (until < end))


def iso_weeks(days: DayArray) -> tuple[list[str], DayArray, IntArray]:
    """Return the ISO weeks of some days: their names, their Mondays, and which of them each day is in.

    >>> names, mondays, of = iso_weeks(np.array(["2026-01-01", "2027-01-03", "2025-12-29"], "M8[D]"))
    >>> names, mondays.astype(str).tolist(), of.tolist()
    (['2026-W01', '2026-W53'], ['2025-12-29', '2026-12-28'], [0, 1, 0])
    """
    number = days.astype("datetime64[D]").astype(np.int64)
    mondays, of = np.unique(number - (number + 3) % 7, return_inverse=True)  # 1970-01-01 was a Thursday
    # a week is of the year that its Thursday is in (ISO 8601)
    thursdays = (mondays + 3).astype("datetime64[D]")
    years = thursdays.astype("datetime64[Y]")
    week = (thursdays - years.astype("datetime64[D]")).astype(np.int64) // 7 + 1
    names = [f"{year}-W{w:02d}" for year, w in zip(years.astype(str).tolist(), week.tolist(), strict=True)]
    return names, mondays.astype("datetime64[D]"), of.astype(np.int64)
