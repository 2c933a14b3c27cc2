"""A simple way to plan a month, as a yardstick: overdue first, then the nearest neighbour.

Rep by rep and day by day, in the order of the calendar:

1. The day's candidates are the customers whose visit interval allows a visit today.
2. The rep drives first to the one that can wait least: the latest day that its interval allows comes
   first; of equals the nearest to the home.
3. From there it drives on to the nearest candidate whose visit is due by today, as long as one fits;
   then to the nearest of the others, which are early.
4. A visit fits if the whole day so far, with it at the end, can be timed (opening hours, break, end of
   the shift); the same timing as the library's.
5. A customer whose latest day passes without a visit has missed it; its rhythm goes on from the day
   on which that visit was due, as the library has it.

No visit is inserted between others, and nothing is taken back. The outcome is a `Plan`, so that
`check_plan` can check it like the library's own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from territory import GreatCircle, Plan
from territory.model.enums import Reason
from territory.routing.assemble import Drafts
from territory.routing.board import lone, usual_calls
from territory.routing.desk import Desk
from territory.routing.trial import Trial
from territory.schedule.cadence import cadence_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory import PlanSettings
    from territory.model.alignment import Alignment
    from territory.model.arrays import IdxArray
    from territory.schedule.cadence import Cadence

__all__ = ["nearest_plan", "rep_by_rep"]


def nearest_plan(alignment: Alignment, settings: PlanSettings, *, reorder: bool = False) -> Plan:
    """Plan a team's horizon.

    Parameters
    ----------
    alignment : Alignment
        Who serves whom.
    settings : PlanSettings
    reorder : bool
        Whether each finished day is put in the order that drives least, as the library does with its own.

    Returns
    -------
    Plan
        Unchecked.
    """
    return rep_by_rep(alignment, settings, partial(_plan_rep, reorder=reorder))


def rep_by_rep(
    alignment: Alignment, settings: PlanSettings, plan_rep: Callable[[Drafts, Desk, int, IdxArray, Cadence], None]
) -> Plan:
    """Plan each rep's horizon in a way of one's own.

    Parameters
    ----------
    alignment : Alignment
    settings : PlanSettings
    plan_rep : callable
        Called with the drafts to add to, a rep's desk, the rep's position, the positions of its customers, and their
        cadence.

    Returns
    -------
    Plan
        Unchecked, without bounds.
    """
    customers, reps = alignment.customers, alignment.reps
    if reps is None:
        msg = "an alignment without reps"
        raise ValueError(msg)
    rep_of = alignment.customer_rep_idx
    drafts = Drafts()
    for rep in range(len(reps)):
        rows = np.flatnonzero(rep_of == rep).astype(np.int32)
        own = customers.take(rows)
        desk = Desk(own, reps.take([rep]), 0, np.arange(len(rows), dtype=np.int32), settings, GreatCircle())
        plan_rep(drafts, desk, rep, rows, cadence_of(own, settings))
    cadence = cadence_of(customers, settings)
    for i in np.flatnonzero(cadence.due & (rep_of < 0)).tolist():
        for due in _Rhythm(cadence, i, settings.n_days).rest():
            drafts.add_missed(i, -1, settings.days[due], Reason.NO_ELIGIBLE_REP, "The customer is in no territory.")
    stops, routes, unassigned = drafts.tables()
    plan = Plan(customers, reps, settings, stops, routes, unassigned, alignment)
    return replace(plan, routes=replace(plan.routes, bound_s=None))


class _Rhythm:
    """When the next visit of a customer is due, as days of the horizon; `due` is None once none is."""

    def __init__(self, cadence: Cadence, i: int, days: int) -> None:
        self.days = days
        self.gap_low, self.gap_high = int(cadence.gap_low[i]), int(cadence.gap_high[i])
        self.interval = float(cadence.interval[i])
        self.step = min(max(round(self.interval), self.gap_low), self.gap_high)
        self.low, self.high = int(cadence.first_low[i]), int(cadence.first_high[i])
        self.due: int | None = min(int(cadence.first_due[i]), days - 1)

    def follow(self, day: int) -> None:
        """Go on after a visit, or a missed one, on a day."""
        self.low, self.high = day + self.gap_low, day + self.gap_high
        self.due = None if day + self.interval >= self.days else min(day + self.step, self.days - 1)

    def passed(self, today: int) -> list[int]:
        """Return the due days of the visits whose latest day lies before today, and go on after them."""
        missed = []
        while self.due is not None and self.high < today:
            missed.append(self.due)
            self.follow(self.due)
        return missed

    def rest(self) -> list[int]:
        """Return the due days of every visit that is still due in the horizon."""
        missed = []
        while self.due is not None:
            missed.append(self.due)
            self.follow(self.due)
        return missed


def _plan_rep(drafts: Drafts, desk: Desk, rep: int, rows: IdxArray, cadence: Cadence, *, reorder: bool) -> None:
    days = desk.settings.n_days
    rhythm = {int(i): _Rhythm(cadence, int(i), days) for i in np.flatnonzero(cadence.due)}
    missed: list[tuple[int, int]] = []
    # all customers on all days: their numbers are those of the desk
    board = lone(desk)
    calls = usual_calls(board, range(len(desk.rows)))
    trial = Trial(board.problem(calls))
    shift = {n: s for s, (_, n) in enumerate(board.shifts)}
    for today in range(days):
        for v, r in rhythm.items():
            missed += [(v, due) for due in r.passed(today)]
        if today not in desk.shifts:
            continue
        open_now = [
            v for v, r in rhythm.items() if r.due is not None and r.low <= today <= r.high and desk.windows(v, today)
        ]
        order = _day(desk, trial, shift[today], today, open_now, rhythm)
        if not order:
            continue
        for v in order:
            rhythm[v].follow(today)
        if reorder:
            order = trial.shortest(shift[today], order)[0]
        made = trial.route(shift[today], order)
        if made is None:
            msg = "a day that was built does not fit"
            raise RuntimeError(msg)
        drafts.add_route(desk, rep, rows, today, calls, made, 0)
    for v, r in rhythm.items():
        missed += [(v, due) for due in r.rest()]
    for v, due in missed:
        detail = "No day had room for it in the order of the nearest."
        drafts.add_missed(int(rows[v]), rep, desk.settings.days[due], Reason.OVER_CAPACITY, detail)


def _day(
    desk: Desk, trial: Trial, shift: int, today: int, candidates: list[int], rhythm: dict[int, _Rhythm]
) -> list[int]:
    """Return the visits of a day in order."""
    order: list[int] = []
    left = set(candidates)
    drive = desk.durations_s

    def due(v: int) -> int:
        found = rhythm[v].due
        return today if found is None else found

    # whom the interval lets wait least, the nearest of equals
    for v in sorted(left, key=lambda v: (rhythm[v].high, int(drive[0, v + 1]), v)):
        if trial.fits(shift, [v]):
            order = [v]
            left.discard(v)
            break
    for early in (False, True):
        while order:
            here = order[-1] + 1
            pool = sorted((v for v in left if (due(v) > today) is early), key=lambda v: (int(drive[here, v + 1]), v))
            found = next((v for v in pool if trial.fits(shift, [*order, v])), None)
            if found is None:
                break
            order.append(found)
            left.discard(found)
    return order
