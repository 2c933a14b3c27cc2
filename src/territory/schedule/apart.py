"""Single visits of one customer whose days overlap: each gets days of its own, as there is at most one visit a day."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from territory.routing.shifts import rep_day, start_windows, zone_of
from territory.schedule.singles import ELSEWHERE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings
    from territory.schedule.singles import Single

__all__ = ["days_apart"]

#: Costs of a visit on a day, beside days from the one that is meant: nobody is there; it cannot be; it is left out.
_CLOSED: Final = 1e4
_NEVER: Final = 1e12
_LEFT_OUT: Final = 1e6


def days_apart(
    singles: Sequence[Single], customers: Customers, reps: Reps, settings: PlanSettings
) -> tuple[list[Single], list[Single]]:
    """Return single visits of which no two of one customer can fall on one day, events apart.

    Parameters
    ----------
    singles : sequence of Single
        Ordered by customer.
    customers, reps : Customers, Reps
    settings : PlanSettings

    Returns
    -------
    list of Single
        All of them, by customer and day; where days overlapped, with fewer of them.
    list of Single
        Those for which others leave no day; in the first list nobody makes them.

    Notes
    -----
    An assignment of visits to days, nearest to the meant ones; between two visits the days are split half-way. A
    choice made before the search costs a little driving, and customers with such visits are few.
    """
    found: list[Single] = []
    out: list[Single] = []
    for _, group in groupby(singles, key=lambda one: one.customer):
        mine = list(group)
        # whoever is never there takes no day from others
        some = [one for one in mine if one.anchor and one.rep >= 0 and _days(one, reps, settings)]
        by_low = sorted(some, key=lambda one: (one.low, one.high, one.due, one.time_s, one.service_s, one.number))
        tops = np.maximum.accumulate([one.high for one in by_low])
        if all(one.low > top for one, top in zip(by_low[1:], tops[:-1], strict=False)):
            found += mine
            continue
        kept, lost = _share(by_low, customers, reps, settings)
        out += lost
        new = {
            one.number: one for one in [*kept, *(replace(o, rep=ELSEWHERE, second_rep=-1, low=1, high=0) for o in lost)]
        }
        found += sorted((new.get(o.number, o) for o in mine), key=lambda one: (one.due, one.low, one.number))
    return found, out


def _days(one: Single, reps: Reps, settings: PlanSettings) -> list[int]:
    """Return the days on which a visit may take place, as far as its rep goes; others may stand in for a rep."""
    days = range(one.low, one.high + 1)
    if not one.bound and (settings.shared or settings.cover):
        return list(days)
    return [n for n in days if rep_day(reps, one.rep, settings.days[n], settings) is not None]


def _share(
    some: Sequence[Single], customers: Customers, reps: Reps, settings: PlanSettings
) -> tuple[list[Single], list[Single]]:
    """Return the visits with days of their own, and those without."""
    n = settings.n_days
    cost = np.full((len(some), n + len(some)), _NEVER)
    for v, one in enumerate(some):
        for day in _days(one, reps, settings):
            cost[v, day] = abs(day - one.due) + (0.0 if _open(one, day, customers, reps, settings) else _CLOSED)
        cost[v, n + v] = _LEFT_OUT * (1.0 + float(one.commitment))
    rows, columns = linear_sum_assignment(cost)
    day_of = {int(v): int(c) for v, c in zip(rows, columns, strict=True)}
    order = sorted((v for v in day_of if day_of[v] < n), key=lambda v: day_of[v])
    low = {v: some[v].low for v in order}
    high = {v: some[v].high for v in order}
    for u, v in pairwise(order):
        half = (day_of[u] + day_of[v] - 1) // 2
        high[u], low[v] = min(high[u], half), max(low[v], half + 1)
    kept = [
        replace(some[v], low=low[v], high=high[v], due=min(max(some[v].due, low[v]), high[v])) for v in order
    ]  # fmt: skip
    return kept, [some[v] for v in sorted(day_of) if day_of[v] >= n]


def _open(one: Single, day: int, customers: Customers, reps: Reps, settings: PlanSettings) -> bool:
    """Return whether the customer is open in the shift of a day; what has a time asks nobody."""
    shift = rep_day(reps, one.rep, settings.days[day], settings)
    if one.time_s >= 0 or shift is None:
        return shift is not None
    if shift.office and not one.remote:
        return False
    zone = zone_of(reps, one.rep)
    return bool(start_windows(customers, one.customer, (shift.begin, shift.end), one.service_s, rep_zone=zone))
