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

A lead without an interval has one all the same: a hot or warm one that of `PlanSettings.warm_days`,
a cold one the horizon. A stretched rep's customers have intervals longer by that factor. Hot leads
who were not visited lately come first, and a deadline ends the first interval, whatever it is.

Single visits but events are anchors: they count among the visits of a customer with an interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.check.day_sets import by_day_sets
from territory.check.eligibility import aligned_positions
from territory.model.enums import Channel, Stage, Temperature

if TYPE_CHECKING:
    from territory.check.rows import Rows
    from territory.model.arrays import BoolArray, DayArray, FloatArray, IdxArray, IntArray
    from territory.model.customers import Customers
    from territory.model.plan import Plan

__all__ = ["Cadence", "cadence_of", "leads"]

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
        Days, stretched; 1 where there is none.
    once : bool
        Whether one visit in the horizon is all that is due, as there are no intervals.
    shortest, longest : int64 arrays of shape (n,)
        Days between visits.
    first_from, first_until : int64 arrays of shape (n,)
        Days of the first visit.
    customer, day : int64 arrays of shape (number of events,)
        Visits, planned and unassigned, sorted by customer and day; trade shows and the like are none.
    stop : int64 array of shape (number of events,)
        Its sorted stop; -1: unassigned.
    single : int64 array of shape (number of events,)
        Its single visit; -1: a visit by interval.
    width : int64 array of shape (number of events,)
        Days between the first and the last on which an anchor may be; -1: a visit by interval.
    anchors : int64 array of shape (number of events + 1,)
        How many anchors come before each event, of all customers.
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
    single: IntArray
    width: IntArray
    anchors: IntArray

    def anchored(self, first: IntArray, last: IntArray) -> BoolArray:
        """Tell whether there is an anchor among some events, from the first to the last, both included."""
        return np.asarray(self.anchors[last + 1] > self.anchors[first])


def cadence_of(plan: Plan, rows: Rows, stop_customer: IdxArray, stop_day: DayArray, stop_single: IntArray) -> Cadence:
    """Work out intervals and put visits in order; O(n + m log m).

    Parameters
    ----------
    plan : Plan
    rows : Rows
        Its single visits.
    stop_customer : int32 array of shape (m,)
    stop_day : datetime64[D] array of shape (m,)
    stop_single : int64 array of shape (m,)
        Of the plan's stops, in the order in which they are numbered.
    """
    customers, settings = plan.customers, plan.settings
    n = len(customers)
    start = int(settings.start.astype(np.int64))
    once = customers.visit_interval_days is None
    interval = _intervals(plan)
    wanted = ~np.isnan(interval)
    wanted &= ~by_day_sets(plan)
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
    hot = _hot(plan)
    first_from[hot] = start
    first_until[hot] = np.minimum(first_until[hot], start + settings.hot_days - 1)
    if customers.deadline is not None:
        deadline = customers.deadline.astype("datetime64[D]")
        binds = deadline >= settings.start
        first_from = np.where(binds, np.minimum(first_from, deadline.astype(np.int64)), first_from)
        first_until = np.where(binds, np.minimum(first_until, deadline.astype(np.int64)), first_until)
    unassigned = plan.unassigned
    left = unassigned.visit_idx
    left_single = np.full(len(unassigned), -1) if left is None else left
    customer = np.concatenate([stop_customer, unassigned.customer_idx]).astype(np.int64)
    day = np.concatenate([stop_day.astype(np.int64), unassigned.due.astype("datetime64[D]").astype(np.int64)])
    stop = np.concatenate([np.arange(len(stop_day)), np.full(len(unassigned), -1)])
    single = np.concatenate([stop_single, left_single]).astype(np.int64)
    width = np.append(rows.latest - rows.earliest, -1)[single]
    order = np.lexsort((stop, day, customer))
    order = order[~np.append(rows.event, False)[single[order]]]
    anchors = np.concatenate([[0], np.cumsum(width[order] >= 0)])
    return Cadence(
        wanted,
        days,
        once,
        shortest,
        longest,
        first_from,
        first_until,
        customer[order],
        day[order],
        stop[order],
        single[order],
        width[order],
        anchors,
    )


def leads(customers: Customers) -> BoolArray:
    """Tell who is a lead: has a temperature, and is neither customer nor lost; bool of shape (n,)."""
    if customers.temperature is None:
        return np.zeros(len(customers), dtype=bool)
    lead = customers.temperature >= 0
    if customers.stage is not None:
        lead &= (customers.stage != Stage.CUSTOMER) & (customers.stage != Stage.LOST)
    return np.asarray(lead)


def _intervals(plan: Plan) -> FloatArray:
    """Return the interval that counts of each customer, days, NaN where there is none."""
    customers, settings = plan.customers, plan.settings
    own = customers.visit_interval_days
    if own is None:
        return np.full(len(customers), float(settings.n_days))
    if settings.stretch:
        by_rep = np.array([settings.stretch.get(rep, 1.0) for rep in plan.reps.id.tolist()])
        rep_of = aligned_positions(plan)
        if rep_of is None:
            rep_of = np.full(len(customers), 0 if len(plan.reps) == 1 else -1, dtype=np.int64)
        own = own * np.where(rep_of >= 0, np.append(by_rep, 1.0)[np.maximum(rep_of, -1)], 1.0)
    if customers.temperature is not None:
        usual = np.where(customers.temperature == Temperature.COLD, settings.n_days, settings.warm_days)
        own = np.where(np.isnan(own) & leads(customers), usual, own)
    return np.asarray(own, dtype=np.float64)


def _hot(plan: Plan) -> BoolArray:
    """Tell which leads are hot and were not visited within the last `hot_days` days before the horizon."""
    customers, settings = plan.customers, plan.settings
    hot = leads(customers)
    if customers.temperature is not None:
        hot &= customers.temperature == Temperature.HOT
    if customers.last_visit is not None:
        # a blank day compares as false
        hot &= ~(
            customers.last_visit.astype("datetime64[D]") >= settings.start - np.timedelta64(settings.hot_days, "D")
        )
    return hot
