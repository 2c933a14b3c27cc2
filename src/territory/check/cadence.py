"""Whether customers are visited as often as they should; see `territory.check.chains` for what that means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.check.day_sets import by_day_sets
from territory.check.report import Violation
from territory.model.enums import Channel, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts
    from territory.model.arrays import IntArray

__all__ = ["first_visits_kept", "intervals_kept", "unassigned_apart", "visits_complete", "visits_due", "visits_single"]


def _date(day: object) -> np.datetime64:
    return np.datetime64(int(str(day)), "D")


def _of(f: PlanFacts, e: int) -> str:
    c = f.chains
    planned = c.stop[e] >= 0
    what = "is visited on" if planned else "has an unassigned visit due on"
    return f"Customer {f.customer_id(c.customer[e])} {what} {_date(c.day[e])}"


def _at(f: PlanFacts, e: int, code: str, message: str, amount: float) -> Violation:
    c = f.chains
    if c.stop[e] >= 0:
        return f.at_stop(code, c.stop[e], message, amount)
    return Violation(code, message, customer_id=f.customer_id(c.customer[e]), day=_date(c.day[e]), amount=amount)


def _elsewhere(f: PlanFacts, events: IntArray) -> IntArray:
    """Return how many days more there may be before each event, for a missed single visit that stands for another day.

    A missed one is told for the day that is meant, and stands for a visit on any of its days; where other single
    visits had taken that day, it was another one, which may be in a gap between two other events.
    """
    c = f.chains
    more = np.zeros(len(events), np.int64)
    who, day = c.customer[events], c.day[events]
    for k in np.flatnonzero((c.stop[events] < 0) & (c.width[events] >= 0)).tolist():
        row = int(c.single[events[k]])
        first, last = (int(np.searchsorted(who, who[k], side=side)) for side in ("left", "right"))
        for j in range(first, last):
            after = -np.inf if j == first else day[j - 1]
            if k not in (j - 1, j) and f.rows.low[row] < day[j] and f.rows.high[row] > after:
                more[j] += c.shortest[who[k]] + c.longest[who[k]] + c.width[events[k]]
    return more


def visits_single(f: PlanFacts) -> Iterator[Violation]:
    """``visit-doubled``: several visits on one day, whoever makes them; events do not count, joint ones once."""
    order = np.lexsort((f.start.astype(np.int64), f.single, f.day.astype(np.int64), f.customer))
    order = order[~f.event[order]]
    joint = f.of_row("joint")[order]
    again = np.zeros(len(order), dtype=bool)
    for column in (f.customer, f.day, f.single):
        again[1:] |= column[order][1:] != column[order][:-1]
    order = order[again | ~joint | (np.arange(len(order)) == 0)]
    who, day = f.customer[order], f.day[order]
    for j in np.flatnonzero((who[1:] == who[:-1]) & (day[1:] == day[:-1])) + 1:
        message = f"Customer {f.customer_id(who[j])} is visited more than once on {day[j]}."
        yield f.at_stop("visit-doubled", order[j], message)


def visits_due(f: PlanFacts) -> Iterator[Violation]:
    """``visit-not-due``: customers without an interval; inside and lost ones are told elsewhere, single visits too."""
    if not f.cadence:
        return
    elsewhere = by_day_sets(f.plan)
    if f.plan.customers.channel is not None:
        elsewhere |= f.plan.customers.channel == Channel.INSIDE
    if f.plan.customers.stage is not None:
        elsewhere |= f.plan.customers.stage == Stage.LOST
    wanted = f.chains.wanted
    for i in np.flatnonzero(~wanted[f.customer] & ~elsewhere[f.customer] & (f.single < 0)):
        message = f"Customer {f.customer_id(f.customer[i])} is visited on {f.day[i]}, but has no visit interval."
        yield f.at_stop("visit-not-due", i, message)


def first_visits_kept(f: PlanFacts) -> Iterator[Violation]:
    """``first-visit-early``, of the first planned visit, and ``first-visit-late``, of the first planned or not."""
    if not f.cadence:
        return
    c = f.chains
    wanted = c.wanted[c.customer]
    planned = np.flatnonzero(wanted & (c.stop >= 0))
    _, first = np.unique(c.customer[planned], return_index=True)
    start = int(f.plan.settings.start.astype(np.int64))
    # an anchor may come as early as it likes, and what follows it keeps its distance from the anchor
    free = c.anchored(np.searchsorted(c.customer, c.customer[planned[first]]), planned[first])
    for e in planned[first[~free]].tolist():
        earliest = int(c.first_from[c.customer[e]])
        if c.day[e] < earliest and earliest > start:  # days before the horizon are told elsewhere
            message = f"{_of(f, e)}, but not before {_date(earliest)} after its last visit."
            yield _at(f, e, "first-visit-early", message, float(earliest - c.day[e]))
    if not f.complete:
        return
    events = np.flatnonzero(wanted)
    _, first = np.unique(c.customer[events], return_index=True)
    more = _elsewhere(f, events)
    for k in first.tolist():
        e = int(events[k])
        who = c.customer[e]
        latest = int(c.first_until[who] + (c.shortest[who] + c.width[e] if c.width[e] >= 0 else 0) + more[k])
        if c.day[e] > latest:
            message = f"{_of(f, e)}; its first visit was due by {_date(latest)}."
            yield _at(f, e, "first-visit-late", message, float(c.day[e] - latest))


def intervals_kept(f: PlanFacts) -> Iterator[Violation]:
    """``interval-too-short``, between planned visits, and ``interval-too-long``, between any.

    Too near are only visits by interval with no anchor between them; before and after an anchor there is room for
    the shortest interval more, and for as many days as the anchor could have been moved.
    """
    if not f.cadence:
        return
    c = f.chains
    wanted = c.wanted[c.customer]
    planned = np.flatnonzero(wanted & (c.stop >= 0))
    gap = np.diff(c.day[planned])
    same = (np.diff(c.customer[planned]) == 0) & ~c.anchored(planned[:-1], planned[1:])
    # several visits on one day are told elsewhere
    for j in np.flatnonzero(same & (gap > 0) & (gap < c.shortest[c.customer[planned[1:]]])):
        e, least = int(planned[j + 1]), int(c.shortest[c.customer[planned[j + 1]]])
        message = f"{_of(f, e)}, {gap[j]} days after the visit before; at least {least} are asked for."
        yield _at(f, e, "interval-too-short", message, float(least - gap[j]))
    if not f.complete:
        return
    events = np.flatnonzero(wanted)
    gap = np.diff(c.day[events])
    same = np.diff(c.customer[events]) == 0
    width = np.maximum(c.width[events], 0)
    anchored = (c.width[events][1:] >= 0) | (c.width[events][:-1] >= 0)
    who = c.customer[events[1:]]
    longest = c.longest[who] + np.where(anchored, c.shortest[who] + width[1:] + width[:-1], 0)
    longest += _elsewhere(f, events)[1:]
    for j in np.flatnonzero(same & (gap > longest)):
        e, most = int(events[j + 1]), int(longest[j])
        message = f"{_of(f, e)}, {gap[j]} days after the visit before; at most {most} are asked for."
        yield _at(f, e, "interval-too-long", message, float(gap[j] - most))


def unassigned_apart(f: PlanFacts) -> Iterator[Violation]:
    """``unassigned-too-soon``: after the event before, planned or not.

    A visit that is due in the horizon, but only after its last day when rounded to whole days, is put
    on the last day. Before and after anchors any day will do.
    """
    if not f.cadence:
        return
    c = f.chains
    events = np.flatnonzero(c.wanted[c.customer])
    who, day = c.customer[events], c.day[events]
    gap, unplanned = np.diff(day), c.stop[events] < 0
    end = int(f.plan.settings.end.astype(np.int64))
    clipped = (day[1:] == end - 1) & (day[:-1] + c.interval[who[1:]] < end)
    # events of one day, and of customers who are due only once and visited, are told elsewhere
    told = unplanned[1:] & (unplanned[:-1] | (not c.once)) & (c.width[events[1:]] < 0) & (c.width[events[:-1]] < 0)
    near = told & (np.diff(who) == 0) & (gap > 0) & (gap < c.shortest[who[1:]]) & ~clipped
    for j in np.flatnonzero(near):
        e, least = int(events[j + 1]), int(c.shortest[who[j + 1]])
        message = f"{_of(f, e)}, {gap[j]} days after the visit before; it is due after {least} at the soonest."
        yield _at(f, e, "unassigned-too-soon", message, float(least - gap[j]))


def visits_complete(f: PlanFacts) -> Iterator[Violation]:
    """``visit-missing``, once a customer: after its last event another visit is due in the horizon, or its first."""
    if not (f.complete and f.cadence):
        return
    c = f.chains
    end = int(f.plan.settings.end.astype(np.int64))
    due_by = c.first_until.copy()
    last = np.flatnonzero(np.append(c.customer[1:] != c.customer[:-1], np.ones(min(1, len(c.customer)), bool)))
    who = c.customer[last]
    due_by[who] = c.day[last] + c.longest[who] + np.maximum(c.width[last], 0)
    for i in np.flatnonzero(c.wanted & (due_by < end)):
        day = _date(due_by[i])
        message = f"Customer {f.customer_id(i)} has a visit due by {day} that is neither planned nor unassigned."
        yield Violation("visit-missing", message, customer_id=f.customer_id(i), day=day, amount=float(end - due_by[i]))
