"""When visits of customers are due, worked out from intervals, last visits and the horizon.

Of a customer with interval I (days, maybe fractional), a visit may come e days early and l days
late: its ``early_days`` and ``late_days``, or the plan's tolerance times I rounded down. Visits are
then ceil(I - e) to floor(I + l) days apart, at least 1. Where no whole day lies in between (twice
a week, I = 3.5, without tolerance), the days on both sides are meant: 3 to 4.

The first visit keeps the interval from the last visit, if there was one and it is not overdue;
otherwise it lies in the first interval of the horizon. Where customers have no intervals at all,
one visit in the horizon is due, on any day, and no tolerance makes room for another. A visit that
is unassigned stands for one that takes place: the next one is due an interval later, and it is due
no sooner than the interval allows, unless the horizon ends first. A planned visit may come soon
after one that did not take place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.model.enums import Channel, Stage

if TYPE_CHECKING:
    from territory.model.arrays import BoolArray, DayArray, FloatArray, IdxArray, IntArray
    from territory.model.plan import Plan

__all__ = ["Cadence", "cadence_of"]

#: Of products such as 0.29 * 100, which ends just below 29.
_NOISE: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Cadence:
    """When each customer's visits are due; days count from 1970.

    Attributes
    ----------
    wanted : bool array of shape (n,)
        Whether the customer is to be visited at all.
    interval : float64 array of shape (n,)
        Days; 1 where there is none.
    once : bool
        Whether one visit in the horizon is all that is due, as there are no intervals.
    shortest, longest : int64 arrays of shape (n,)
        Days between visits.
    first_from, first_until : int64 arrays of shape (n,)
        Days of the first visit.
    customer, day : int64 arrays of shape (number of events,)
        Visits, planned and unassigned, sorted by customer and day.
    stop : int64 array of shape (number of events,)
        Its sorted stop; -1: unassigned.
    """

    wanted: BoolArray
    interval: FloatArray
    once: bool
    shortest: IntArray
    longest: IntArray
    first_from: IntArray
    first_until: IntArray
    customer: IntArray
    day: IntArray
    stop: IntArray


def cadence_of(plan: Plan, stop_customer: IdxArray, stop_day: DayArray) -> Cadence:
    """Work out intervals and put visits in order; O(n + m log m).

    Parameters
    ----------
    plan : Plan
    stop_customer : int32 array of shape (m,)
    stop_day : datetime64[D] array of shape (m,)
        Of the plan's stops, in the order in which they are numbered.
    """
    customers, settings = plan.customers, plan.settings
    n = len(customers)
    start = int(settings.start.astype(np.int64))
    once = customers.visit_interval_days is None
    interval = (
        np.full(n, float(settings.n_days)) if customers.visit_interval_days is None else customers.visit_interval_days
    )
    wanted = ~np.isnan(interval)
    if customers.channel is not None:
        wanted &= customers.channel != Channel.INSIDE
    if customers.stage is not None:
        wanted &= customers.stage != Stage.LOST
    days = np.where(np.isnan(interval), 1.0, interval)
    slack = np.zeros(n) if once else np.floor(settings.tolerance * days + _NOISE)
    early = slack if once or customers.early_days is None else customers.early_days
    late = slack if once or customers.late_days is None else customers.late_days
    low = np.ceil(days - early - _NOISE).astype(np.int64)
    high = np.floor(days + late + _NOISE).astype(np.int64)
    shortest, longest = np.maximum(1, np.minimum(low, high)), np.maximum(1, np.maximum(low, high))
    first_from = np.full(n, start)
    first_until = start + np.maximum(1, np.floor(days + _NOISE).astype(np.int64)) - 1
    if customers.last_visit is not None and not once:
        last = np.where(np.isnat(customers.last_visit), start - 10**7, customers.last_visit.astype(np.int64))
        running = last + longest >= start
        first_from = np.where(running, np.maximum(start, last + shortest), first_from)
        first_until = np.where(running, last + longest, first_until)
    unassigned = plan.unassigned
    customer = np.concatenate([stop_customer, unassigned.customer_idx]).astype(np.int64)
    day = np.concatenate([stop_day.astype(np.int64), unassigned.due.astype("datetime64[D]").astype(np.int64)])
    stop = np.concatenate([np.arange(len(stop_day)), np.full(len(unassigned), -1)])
    order = np.lexsort((stop, day, customer))
    return Cadence(
        wanted, days, once, shortest, longest, first_from, first_until, customer[order], day[order], stop[order]
    )
