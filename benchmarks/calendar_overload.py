"""Half as much again as fits, over 13 weeks: how intervals of 30 and of 60 days stretch, and whom that leaves out.

Six reps of Georgia, every customer asking for a visit every 30 or every 60 days (drawn evenly), last visited within its
interval. Visits are as long as makes them, with the driving of a first plan, half as much again as the reps' hours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from territory import Customers, schedule_visits
from territory.datasets import REFERENCE_DAY

if TYPE_CHECKING:
    from benchmarks.calendar_georgia import Georgia
    from territory import Plan

__all__ = ["CLASSES", "LOAD", "WEEKS", "Stretched", "overloaded", "stretched"]

CLASSES = (30.0, 60.0)
WEEKS, LOAD = 13, 1.5
REPS = (0, 10, 20, 30, 40, 50)
#: Of the plan that tells how long one drives a visit.
_ROUNDS, _SHORT_S = 2_000, 300.0
#: Longer without a visit than this many times the stretched interval is to be forgotten.
_FORGOTTEN = 1.5


@dataclass(frozen=True)
class Stretched:
    """What a plan makes of the intervals.

    Attributes
    ----------
    mean : dict of asked to realised days
        From the last visit before the horizon, or the visit before, to each visit.
    ratio : float
        Of the longer class to the shorter.
    starved : int
        Customers who wait longer than 1.5 stretched intervals of theirs, at the end of the horizon at the latest.
    factors : tuple of float
    """

    mean: dict[float, float]
    ratio: float
    starved: int
    factors: tuple[float, ...]


def overloaded(team: Georgia, seed: int) -> Georgia:
    """Return some reps of a team with classes of 30 and 60 days and half as much work again as they have hours."""
    from benchmarks.calendar_georgia import at_load, month_s  # noqa: PLC0415 - it imports the data's reader

    some = at_load(team, 0.85, np.unique(np.array(REPS) % len(team.reps)))
    rng = np.random.default_rng([seed, 60])
    n = len(some.customers)
    interval = rng.choice(CLASSES, n)
    ago = rng.integers(1, interval.astype(np.int64) + 1)

    def visits_of(service_s: np.ndarray) -> Customers:
        return replace(
            some.customers, visit_interval_days=interval, last_visit=REFERENCE_DAY - ago.astype("m8[D]"),
            service_s=service_s, early_days=None, late_days=None,
        )  # fmt: skip

    customers = visits_of(np.full(n, _SHORT_S))
    alignment = replace(some.alignment, customers=customers)
    short = schedule_visits(
        customers, some.reps, alignment, start=REFERENCE_DAY, weeks=WEEKS, iterations=_ROUNDS, rng=seed
    )
    rep = alignment.customer_rep_idx
    hours_s = month_s() * WEEKS / 4
    service = np.empty(n)
    for r in range(len(some.reps)):
        stops = short.stops.rep_idx == r
        drive = short.routes.drive_s[short.routes.rep_idx == r].sum() / max(1, stops.sum())
        due = (7 * WEEKS / interval[rep == r]).sum()
        service[rep == r] = max(_SHORT_S, LOAD * hours_s / due - drive)
    customers = visits_of(np.round(service))
    return replace(some, alignment=replace(alignment, customers=customers))


def stretched(plan: Plan) -> Stretched:
    """Work out what became of the intervals, from the tables alone."""
    customers, stops = plan.customers, plan.stops
    asked, last = customers.visit_interval_days, customers.last_visit
    assert asked is not None  # noqa: S101 - for the type checker
    assert last is not None  # noqa: S101
    factor = np.ones(len(plan.reps))
    for i, rep in enumerate(plan.reps.id.tolist()):
        factor[i] = plan.settings.stretch.get(rep, 1.0)
    gaps: dict[float, list[int]] = {c: [] for c in CLASSES}
    starved = 0
    assert plan.alignment is not None  # noqa: S101
    rep_of = plan.alignment.customer_rep_idx
    for i in range(len(customers)):
        days = [last[i], *np.sort(stops.day[stops.customer_idx == i])]
        waits = np.diff(np.array(days, "M8[D]")).astype(np.int64).tolist()
        gaps[float(asked[i])] += waits
        left = int((plan.settings.end - days[-1]).astype(np.int64))
        starved += max([*waits, left]) > _FORGOTTEN * asked[i] * factor[rep_of[i]]
    mean = {c: float(np.mean(found)) if found else float("nan") for c, found in gaps.items()}
    return Stretched(mean, mean[CLASSES[1]] / mean[CLASSES[0]], int(starved), tuple(np.round(factor, 2).tolist()))
