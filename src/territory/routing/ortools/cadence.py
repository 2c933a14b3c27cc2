"""Days of visits that come again, chosen by what they add to the routes as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.routing.layout import (
    ONCE,
    PATTERNS,
    S_DAY,
    V_KIND,
    V_PATTERN0,
    V_PATTERN1,
    V_REQUIRED,
    V_VALUE,
)
from territory.routing.rhythm import best_chain, chain_rates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.routing.ortools.plan import Plan

__all__ = ["keep_cadences", "place_cadence", "recurring"]

#: Value of a required visit where days are chosen: above any cost, yet sums of it stay exact enough.
_REQUIRED = 1e12


def recurring(plan: Plan) -> list[int]:
    """Return the visits with a cadence."""
    found: list[int] = np.flatnonzero(plan.layout.visit_i[:, V_KIND] != ONCE).tolist()
    return found


def _chain(plan: Plan, v: int, cost: NDArray[np.float64]) -> list[int]:
    """Return the days of the cheapest chain of a rhythmic visit, without those that are missed."""
    layout = plan.layout
    days = layout.days
    chain = np.empty(2 * days, np.int64)
    missed = _REQUIRED if layout.visit_i[v, V_REQUIRED] else float(layout.visit_f[v, V_VALUE])
    length, _ = best_chain(
        layout.visit_i[v], *chain_rates(layout, v), days, cost, missed, np.empty(2 * days),
        np.empty(2 * days, np.int64), chain,
    )  # fmt: skip
    return [int(node) >> 1 for node in chain[:length] if node & 1]


def keep_cadences(plan: Plan) -> None:
    """Take out what is on days that no pattern and no rhythm has."""
    layout = plan.layout
    made = plan.made()
    for v in recurring(plan):
        shifts = made.get(v, [])
        days = [int(layout.shift_i[s, S_DAY]) for s in shifts]
        if not days:
            continue
        if layout.visit_i[v, V_KIND] == PATTERNS:
            on = np.zeros(layout.days, np.bool_)
            on[days] = True
            patterns = layout.pattern[layout.visit_i[v, V_PATTERN0] : layout.visit_i[v, V_PATTERN1]]
            if len(set(days)) < len(days) or not (patterns == on).all(axis=1).any():
                plan.remove(v)
            continue
        cost = np.full(layout.days, np.inf)
        # keeping what is made is worth more than any day off the meant one
        cost[days] = -_REQUIRED
        kept = set(_chain(plan, v, cost))
        for s, day in zip(shifts, days, strict=True):
            if day not in kept:
                plan.remove(v, s)
            kept.discard(day)


def place_cadence(plan: Plan, v: int) -> bool:
    """Insert a visit that is not made on the best of its days; say whether there were any."""
    layout = plan.layout
    delta, position = plan.places_for(v)
    day = layout.shift_i[:, S_DAY]
    cost = np.full(layout.days, np.inf)
    np.minimum.at(cost, day, delta)
    if layout.visit_i[v, V_KIND] == PATTERNS:
        first, end = int(layout.visit_i[v, V_PATTERN0]), int(layout.visit_i[v, V_PATTERN1])
        totals = [(float(cost[layout.pattern[p]].sum() + layout.pattern_cost[p]), p) for p in range(first, end)]
        total, best = min((x for x in totals if layout.pattern[x[1]].any()), default=(np.inf, -1))
        worth = np.inf if layout.visit_i[v, V_REQUIRED] else float(layout.visit_f[v, V_VALUE])
        if not np.isfinite(total) or total > worth:
            return False
        chosen = np.flatnonzero(layout.pattern[best]).tolist()
    else:
        chosen = _chain(plan, v, cost)
    for d in chosen:
        s = int(np.where(day == d, delta, np.inf).argmin())
        plan.insert(s, int(position[s]), v)
    return bool(chosen)
