"""How many visits of a plan keep their intervals: counted from its tables, apart from the planner's own rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from territory.model.enums import Reason, VisitKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory import Plan
    from territory.model.routes import Stops, Unassigned

__all__ = ["Adherence", "adherence", "load_of"]

#: Reasons that no planner can do anything about: of the tables, not of the hours.
_GIVEN = frozenset(
    {Reason.NO_ELIGIBLE_REP, Reason.NO_SHIFT, Reason.BLOCKED, Reason.NO_COMMON_WINDOW, Reason.UNREACHABLE,
     Reason.OUT_OF_REACH, Reason.SERVICE_TOO_LONG, Reason.TOO_OFTEN}
)  # fmt: skip


@dataclass(frozen=True)
class Adherence:
    """Visits of customers with an interval.

    Attributes
    ----------
    within : int
        Planned, and as many days after the visit before as the customer's tolerance allows.
    outside : int
        Planned, but sooner or later than that: as was agreed, or as intervals were stretched.
    missed : int
        Due and not planned, though the tables allow it.
    impossible : int
        Due and not planned, for a reason of the tables: no shift, no common hours, out of reach, ...
    """

    within: int
    outside: int
    missed: int
    impossible: int

    @property
    def share(self) -> float:
        """Of the visits that the tables allow, those that keep their interval; 1 where there are none."""
        possible = self.within + self.outside + self.missed
        return self.within / possible if possible else 1.0


def adherence(plan: Plan) -> Adherence:
    """Count.

    A visit is late by the days that it comes after ``interval + late``, as whole days, from the event before: a
    visit, or the day that an unplanned one was due. Of a first visit after an unknown last one, or one too long
    ago, at most one interval from the first day is on time.
    """
    c, settings = plan.customers, plan.settings
    if c.visit_interval_days is None:
        msg = "customers without intervals"
        raise ValueError(msg)
    start = int(settings.start.astype(np.int64))
    events: dict[int, list[tuple[int, bool]]] = {}
    stops, left = plan.stops, plan.unassigned
    made, unmade = _by_interval(plan, stops), _by_interval(plan, left)
    for rows, table, days in ((made, stops, stops.day), (unmade, left, left.due)):
        numbers = (days[rows].astype(np.int64) - start).tolist()
        for i, day in zip(table.customer_idx[rows].tolist(), numbers, strict=True):
            events.setdefault(i, []).append((day, table is stops))
    within = outside = 0
    for i, found in events.items():
        interval = float(c.visit_interval_days[i])
        if not interval > 0:
            continue
        share = float(np.floor(settings.tolerance * interval + 1e-9))
        early = share if c.early_days is None else float(c.early_days[i])
        late = share if c.late_days is None else float(c.late_days[i])
        bounds = (float(np.ceil(interval - early - 1e-9)), float(np.floor(interval + late + 1e-9)))
        least, most = max(1.0, min(bounds)), max(1.0, *bounds)
        last = None
        if c.last_visit is not None and not np.isnat(c.last_visit[i]):
            last = int(c.last_visit[i].astype(np.int64)) - start
        for day, there in sorted(found):
            if last is None or last + most < 0:
                on_time = day <= max(1.0, np.floor(interval + 1e-9)) - 1
            else:
                on_time = least <= day - last <= most
            within += there and on_time
            outside += there and not on_time
            last = day
    reasons = left.reason[unmade].tolist()
    impossible = sum(reason in _GIVEN for reason in reasons)
    return Adherence(within, outside, len(reasons) - impossible, impossible)


def _by_interval(plan: Plan, table: Stops | Unassigned) -> NDArray[np.int64]:
    """Return the rows that count for an interval: of customers who have one, and no events."""
    interval = plan.customers.visit_interval_days
    if interval is None:
        msg = "customers without intervals"
        raise ValueError(msg)
    counts = np.isfinite(interval[table.customer_idx])
    if plan.visits is not None and table.visit_idx is not None and plan.visits.kind is not None:
        single = table.visit_idx >= 0
        counts[single] &= plan.visits.kind[table.visit_idx[single]] != VisitKind.EVENT
    return np.flatnonzero(counts)


def load_of(plan: Plan, hours_s: float) -> float:
    """Return what visits and driving take of so many seconds; a visit that is missing takes as much as one made."""
    inside = float((plan.stops.end - plan.stops.start).astype(np.float64).sum())
    made = max(len(plan.stops), 1)
    missing = adherence(plan).missed
    return (inside + plan.drive_s) * (1.0 + missing / made) / hours_s
