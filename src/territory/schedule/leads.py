"""Leads: hot ones at once, warm ones within their period, cold ones when near; and follow-ups after a won deal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.model.arrays import text_array
from territory.model.enums import Channel, Stage, Temperature, VisitKind
from territory.model.visits import Visits

if TYPE_CHECKING:
    from territory.model.arrays import BoolArray, FloatArray, IntArray
    from territory.model.customers import Customers
    from territory.model.settings import PlanSettings

__all__ = ["Leads", "follow_ups", "generated", "latest_first", "lead_intervals", "leads_of"]

#: Later than any horizon ends.
_NEVER: Final = 1 << 30
_NOISE: Final = 1e-9
#: Between a customer's id and the days after the deal, in the ids of follow-ups.
_FOLLOW_UP: Final = "#follow-up-"


@dataclass(frozen=True, eq=False)
class Leads:
    """Which of n customers are leads, and how near to buying: bool arrays of shape (n,)."""

    hot: BoolArray
    warm: BoolArray
    cold: BoolArray


def leads_of(customers: Customers) -> Leads:
    """Tell leads by their temperature; customers and lost ones are none."""
    c, nobody = customers, np.zeros(len(customers), bool)
    if c.temperature is None:
        return Leads(nobody, nobody, nobody)
    lead = np.ones(len(c), bool) if c.stage is None else (c.stage != Stage.CUSTOMER) & (c.stage != Stage.LOST)
    kinds = (Temperature.HOT, Temperature.WARM, Temperature.COLD)
    hot, warm, cold = (np.asarray(lead & (c.temperature == kind)) for kind in kinds)
    return Leads(hot, warm, cold)


def lead_intervals(interval: FloatArray, leads: Leads, settings: PlanSettings) -> FloatArray:
    """Return the intervals, of leads without one those of their temperature; shape (n,), a new array."""
    blank = np.isnan(interval)
    found = np.where(blank & (leads.hot | leads.warm), float(settings.warm_days), interval)
    return np.where(blank & leads.cold, float(settings.n_days), found)


def latest_first(customers: Customers, settings: PlanSettings, leads: Leads) -> tuple[IntArray, BoolArray]:
    """Return until which day temperature and deadline want the first visit, and who is to be seen at once.

    Returns
    -------
    int64 array of shape (n,)
        Days from the start.
    bool array of shape (n,)
    """
    latest = np.full(len(customers), _NEVER, np.int64)
    hot = leads.hot
    if customers.last_visit is not None:
        # NaT compares false: never visited
        hot = hot & ~(customers.last_visit >= settings.start - np.timedelta64(settings.hot_days, "D"))
    latest[hot] = settings.hot_days - 1
    if customers.deadline is not None:
        left = np.where(np.isnat(customers.deadline), -1, (customers.deadline - settings.start).astype(np.int64))
        latest = np.where(left >= 0, np.minimum(latest, left), latest)
    return latest, np.asarray(hot)


def follow_ups(customers: Customers, settings: PlanSettings) -> Visits | None:
    """Return the visits that follow won deals in a horizon, ordered by customer and day; None: there are none.

    Parameters
    ----------
    customers : Customers
    settings : PlanSettings
        ``follow_up_days`` after the deal, and its tolerance.
    """
    c, s = customers, settings
    if c.won_on is None or not s.follow_up_days:
        return None
    served = ~np.isnat(c.won_on)
    if c.channel is not None:
        served &= c.channel != Channel.INSIDE
    if c.stage is not None:
        served &= c.stage != Stage.LOST
    # a customer who has been visited since the deal, and not too early, has been followed up
    never = np.full(len(c), -_NEVER, np.int64)
    seen = never
    if c.last_visit is not None:
        seen = np.where(np.isnat(c.last_visit), never, (c.last_visit - s.start).astype(np.int64))
    rows: list[tuple[str, str, int, int, int]] = []
    last = s.n_days - 1
    for i in np.flatnonzero(served).tolist():
        won = int((c.won_on[i] - s.start).astype(np.int64))
        for days in s.follow_up_days:
            due, slack = won + days, int(np.floor(s.tolerance * days + _NOISE))
            if 0 <= due <= last and not won < seen[i] >= due - slack:
                name = str(c.id[i])
                rows.append((f"{name}{_FOLLOW_UP}{days}", name, max(0, due - slack), min(last, due + slack), due))
    if not rows:
        return None
    ids, names, low, high, due_on = zip(*rows, strict=True)
    return Visits(
        id=text_array(list(ids)), customer_id=text_array(list(names)), kind=np.full(len(rows), VisitKind.FOLLOW_UP),
        earliest=s.start + np.array(low, "m8[D]"), latest=s.start + np.array(high, "m8[D]"),
        due=s.start + np.array(due_on, "m8[D]"),
    )  # fmt: skip


def generated(visits: Visits) -> BoolArray:
    """Tell the follow-ups that the planner added itself from those that were given, shape (n,)."""
    if visits.kind is None:
        return np.zeros(len(visits), np.bool_)
    own = [
        mark == _FOLLOW_UP and head == customer and days.isdecimal()
        for (head, mark, days), customer in zip(
            (one.rpartition(_FOLLOW_UP) for one in visits.id.tolist()), visits.customer_id.tolist(), strict=True
        )
    ]
    return np.asarray(np.array(own, np.bool_) & (visits.kind == VisitKind.FOLLOW_UP))
