"""Whether customers whose days are given as sets are visited on all days of one of them, or on none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.check.report import Violation
from territory.model.enums import Channel, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts
    from territory.model.arrays import BoolArray
    from territory.model.plan import Plan

__all__ = ["by_day_sets", "day_sets_kept"]


def by_day_sets(plan: Plan) -> BoolArray:
    """Tell which customers have sets of days, which count instead of an interval; shape (n,)."""
    named = set(plan.settings.day_sets)
    return np.array([i in named for i in plan.customers.id.tolist()], dtype=bool)


def day_sets_kept(f: PlanFacts) -> Iterator[Violation]:
    """``day-set-broken`` and ``day-set-missing``: single visits are told elsewhere."""
    sets = f.plan.settings.day_sets
    if not sets or not f.cadence or not f.complete:
        return
    usual = f.single < 0
    left = {int(i) for i, v in zip(f.plan.unassigned.customer_idx, f.left_single, strict=True) if v < 0}
    customers, wanted = f.plan.customers, by_day_sets(f.plan)
    if customers.channel is not None:
        wanted &= customers.channel != Channel.INSIDE
    if customers.stage is not None:
        wanted &= customers.stage != Stage.LOST
    for i in np.flatnonzero(wanted).tolist():
        days = sorted(str(d) for d in f.day[usual & (f.customer == i)])
        who, allowed = f.customer_id(i), sets[f.customer_id(i)]
        if days and days not in [sorted(each) for each in allowed]:
            message = f"Customer {who} is visited on {', '.join(days)}, which is none of its sets of days."
            yield Violation("day-set-broken", message, customer_id=who, day=np.datetime64(days[0], "D"))
        first, last = str(f.plan.settings.start), str(f.plan.settings.end)
        if not days and i not in left and not any(first <= min(each) and max(each) < last for each in allowed):
            # none of its sets lies in the horizon
            continue
        if bool(days) == (i in left):
            what = "planned and unassigned" if days else "neither planned nor unassigned"
            message = f"The visits of customer {who} on one of its sets of days are {what}."
            yield Violation("day-set-missing", message, customer_id=who)
