"""When visits are due: intervals, tolerances and last visits as day numbers of the horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.model.arrays import text_array
from territory.model.enums import Channel, Stage
from territory.model.visits import Visits
from territory.schedule.leads import latest_first, lead_intervals, leads_of

if TYPE_CHECKING:
    from territory.model.arrays import BoolArray, FloatArray, IntArray
    from territory.model.customers import Customers
    from territory.model.settings import PlanSettings

__all__ = ["Cadence", "cadence_of", "due_visits"]

_NOISE: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Cadence:
    """The visit rhythm of n customers; days are counted from the start of the horizon.

    Attributes
    ----------
    due : bool array of shape (n,)
        Whether the first visit is due in the horizon.
    interval : float array of shape (n,)
        Days; NaN where no visits are due.
    first_low, first_high, first_due : int64 arrays of shape (n,)
        Days on which the first visit may lie, and the one that the interval asks for.
    gap_low, gap_high : int64 arrays of shape (n,)
        Days that may lie between one visit and the next.
    cold : bool array of shape (n,)
        Leads that are visited only where they are near.
    """

    due: BoolArray
    interval: FloatArray
    first_low: IntArray
    first_high: IntArray
    first_due: IntArray
    gap_low: IntArray
    gap_high: IntArray
    cold: BoolArray

    @property
    def wanted(self) -> BoolArray:
        """Whether a customer is visited at all."""
        return np.isfinite(self.interval)

    @property
    def gap(self) -> IntArray:
        """The interval as whole days, within its tolerance; 0 where no visits are due."""
        length = np.where(np.isfinite(self.interval), self.interval, 0.0)
        return np.where(length > 0, np.clip(np.rint(length).astype(np.int64), self.gap_low, self.gap_high), 0)

    def missed_days(self, i: int, n_days: int) -> list[int]:
        """Return the due days of customer `i` in a horizon without any visit; a missed one counts as made."""
        gap, days = int(self.gap[i]), []
        day = min(int(self.first_due[i]), n_days - 1)
        while True:
            days.append(day)
            if day + float(self.interval[i]) >= n_days:
                return days
            day = min(day + gap, n_days - 1)


def cadence_of(customers: Customers, settings: PlanSettings, *, stretch: FloatArray | float = 1.0) -> Cadence:
    """Return the rhythm of every customer.

    Consecutive visits lie from ``ceil(interval - early)`` to ``floor(interval + late)`` days apart
    (the other way round where no whole day lies in between), the last visit before the horizon
    included. A customer who was never visited, or whose latest day has passed, is due within one
    interval from the start. Without intervals everybody is due once in the horizon. Lost customers
    and those served from inside are not visited. Leads without an interval have that of their
    temperature; hot ones are due at once, and nobody later than its deadline.

    Parameters
    ----------
    customers : Customers, length n
    settings : PlanSettings
    stretch : float, or float array of shape (n,)
        By how much intervals are longer, where customers have any.
    """
    c, n, days = customers, len(customers), settings.n_days
    leads = leads_of(c)
    by_interval = settings.cadence and c.visit_interval_days is not None
    if by_interval and c.visit_interval_days is not None:
        interval = lead_intervals(c.visit_interval_days * stretch, leads, settings)
    else:
        interval = np.full(n, float(days))
    if settings.day_sets:
        interval[[i in settings.day_sets for i in c.id.tolist()]] = np.nan
    if c.channel is not None:
        interval[c.channel == Channel.INSIDE] = np.nan
    if c.stage is not None:
        interval[c.stage == Stage.LOST] = np.nan
    wanted = np.isfinite(interval)
    length = np.where(wanted, interval, 1.0)
    if by_interval:
        share = np.floor(settings.tolerance * length + _NOISE)
        early = share if c.early_days is None else c.early_days
        late = share if c.late_days is None else c.late_days
    else:
        early = late = np.zeros(n)
    # products such as 0.29 * 100 end just below a whole number
    shortest, longest = np.ceil(length - early - _NOISE), np.floor(length + late + _NOISE)
    # twice a week (3.5 days) without tolerance: no whole day lies in between, so 3 to 4 is meant
    gap_low = np.maximum(1, np.minimum(shortest, longest)).astype(np.int64)
    gap_high = np.maximum(1, np.maximum(shortest, longest)).astype(np.int64)
    whole = np.maximum(1, np.floor(length + _NOISE)).astype(np.int64)
    first_low, first_high, first_due = np.zeros(n, np.int64), whole - 1, np.zeros(n, np.int64)
    if by_interval and c.last_visit is not None:
        known = ~np.isnat(c.last_visit)
        last = np.where(known, (c.last_visit - settings.start).astype(np.int64), 0)
        anchored = known & (last + gap_high >= 0)
        first_low = np.where(anchored, np.maximum(0, last + gap_low), first_low)
        first_high = np.where(anchored, last + gap_high, first_high)
        nominal = np.clip(last + np.rint(length).astype(np.int64), first_low, first_high)
        first_due = np.where(anchored, nominal, first_due)
    if settings.cadence:
        latest, at_once = latest_first(c, settings, leads)
        first_high = np.minimum(first_high, latest)
        first_low = np.where(at_once, 0, np.minimum(first_low, first_high))
        first_due = np.minimum(first_due, first_high)
    return Cadence(
        wanted & (first_due < days), interval, first_low, first_high, first_due, gap_low, gap_high, leads.cold
    )


def due_visits(customers: Customers, settings: PlanSettings) -> Visits:
    """List the visits that are due in a horizon, as they fall if every visit keeps its interval.

    Parameters
    ----------
    customers : Customers
    settings : PlanSettings

    Returns
    -------
    Visits
        One row a visit, by customer and date: the day it is due, and the first and last day that
        the tolerance allows. Days outside the horizon are cut off.

    Examples
    --------
    >>> import numpy as np
    >>> from territory import Customers, PlanSettings
    >>> customers = Customers(id=["a"], lon=[0], lat=[50], visit_interval_days=[14], last_visit=["2026-01-01"])
    >>> settings = PlanSettings(np.datetime64("2026-01-05"), 28, holidays=np.array([], "datetime64[D]"))
    >>> [str(d) for d in due_visits(customers, settings).due]
    ['2026-01-15', '2026-01-29']
    """
    cadence = cadence_of(customers, settings)
    rows: list[int] = []
    names: list[str] = []
    earliest: list[int] = []
    latest: list[int] = []
    due: list[int] = []
    ids = customers.id.tolist()
    last_day = settings.n_days - 1
    gap = cadence.gap
    for i in np.flatnonzero(cadence.due):
        step = int(gap[i])
        day, low, high, k = int(cadence.first_due[i]), int(cadence.first_low[i]), int(cadence.first_high[i]), 1
        while day <= last_day:
            rows.append(int(i))
            names.append(f"{ids[i]}#{k}")
            due.append(day)
            earliest.append(max(low, 0))
            latest.append(min(high, last_day))
            low, high, day, k = day + int(cadence.gap_low[i]), day + int(cadence.gap_high[i]), day + step, k + 1
    at = np.asarray(rows, dtype=np.int64)
    return Visits(
        id=text_array(names),
        customer_id=customers.id[at],
        earliest=settings.start + np.asarray(earliest, dtype="timedelta64[D]"),
        latest=settings.start + np.asarray(latest, dtype="timedelta64[D]"),
        due=settings.start + np.asarray(due, dtype="timedelta64[D]"),
    )
