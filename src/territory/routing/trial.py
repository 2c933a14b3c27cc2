"""Whether an order of visits fits a day, and the least driving of a day's visits: questions about one route."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from territory.compiled import plain
from territory.routing import clock
from territory.routing.bound import least_drive_s
from territory.routing.exact.shift import solve_shift
from territory.routing.finish import finish, free_bounds
from territory.routing.layout import S_BREAK0, S_BREAK1, S_MAX_VISITS, layout_of
from territory.routing.timing import clock_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.routing.problem import RoutingProblem
    from territory.routing.solution import ShiftRoute

__all__ = ["LABELS", "Trial"]

#: Partial routes that a proof may extend: some hundredths of a second, the same on any machine.
LABELS = 20_000
#: Of a day with more visits than this a proof rarely comes by then (of 11 and 12: nearly always, of 13 and 14: half,
#: of 17: one in ten, days of Georgia's stores), so that it is given up sooner.
LONG_DAY, LABELS_LONG_DAY = 12, 2_000


class Trial:
    """Routes of a problem that are tried out one at a time.

    Parameters
    ----------
    problem : RoutingProblem
    """

    def __init__(self, problem: RoutingProblem) -> None:
        self.problem = problem
        self.layout = layout_of(problem)
        self._tables = clock_tables(self.layout, free_bounds(self.layout))
        shifts = problem.shifts
        plain_cost = not (shifts.cost.any() or shifts.cost_per_s.any() or shifts.cost_per_m.any())
        #: Whether shifts cost their driving, and nothing else.
        self.drives_only = plain_cost and not shifts.max_overtime_s.any() and bool((shifts.cost_per_drive_s == 1).all())
        most = problem.n_visits + 1
        numbers = self.layout.shift_i
        breaks = int((numbers[:, S_BREAK1] - numbers[:, S_BREAK0]).max(initial=0))
        self._scratch = (
            np.empty((most, breaks + 1), np.int64), np.empty((most, breaks + 1), np.int64), np.empty(most, np.int64),
            np.empty(breaks, np.int64), np.empty(clock.E_COLUMNS),
        )  # fmt: skip

    def fits(self, s: int, order: Sequence[int]) -> bool:
        """Return whether shift `s` has time for these visits in this order, and may make as many."""
        if len(order) > self.layout.shift_i[s, S_MAX_VISITS]:
            return False
        route = plain(order, np.int32)
        return bool(clock.evaluate(self._tables.table, s, route, len(route), *self._scratch))

    def as_fits(self, s: int, order: Sequence[int]) -> list[int]:
        """Return an order without the visits that do not fit; those before have precedence."""
        if self.fits(s, order):
            return list(order)
        kept: list[int] = []
        for v in order:
            if self.fits(s, [*kept, v]):
                kept.append(v)
        return kept

    def route(self, s: int, order: Sequence[int]) -> ShiftRoute | None:
        """Return a timed route of shift `s`; None: the order does not fit."""
        if not self.fits(s, order):
            return None
        found = finish(self.problem, self.layout, {s: order})
        return None if found is None or not found.routes else found.routes[0]

    def shortest(
        self, s: int, order: Sequence[int], *, deadline_s: float | None = None, max_labels: int | None = None
    ) -> tuple[list[int], int]:
        """Return the order of the same visits that drives least, and a lower bound on its driving.

        Parameters
        ----------
        s : int
        order : sequence of int
            That fits.
        deadline_s : float, optional
            Moment of `time.monotonic` at which to give up.
        max_labels : int
            Partial routes that the proof may extend; default: by the number of visits.

        Returns
        -------
        list of int, int
            A better order where one was found. The bound is that order's driving where the proof comes
            soon; else it looks away from hours and breaks. Where shifts cost more than driving the order stays.
        """
        visits = np.asarray(order, np.int64)
        places = np.array([
            self.problem.shifts.start_place[s], *self.problem.visits.place[visits], self.problem.shifts.end_place[s]
        ])  # fmt: skip
        cube = self.problem.durations_s[self.problem.shifts.profile[s], 0]
        drive = cube[np.ix_(places, places)].astype(np.int64)
        least = least_drive_s(drive)
        now = int(np.trace(drive, 1))
        if not self.drives_only:
            return list(order), min(least, now)
        if now == least or len(order) < 2:
            return list(order), now
        if deadline_s is not None and monotonic() >= deadline_s:
            return list(order), min(least, now)
        # worth more than the driving that leaving one out could save
        worth = float(now + 1)
        values = np.zeros(self.problem.n_visits)
        values[visits] = worth
        total = worth * len(order)
        labels = max_labels or (LABELS if len(order) <= LONG_DAY else LABELS_LONG_DAY)
        answer = solve_shift(
            self.layout, s, values=values, upper=now - total, candidates=np.sort(visits), max_labels=labels,
            deadline_s=deadline_s,
        )  # fmt: skip
        if answer.interrupted:
            raise KeyboardInterrupt
        proven = int(np.ceil(answer.bound + total - 1e-6)) if np.isfinite(answer.bound) else least
        found = list(order)
        if answer.order is not None and len(answer.order) == len(order):
            found = list(answer.order)
            now = round(answer.net + total)
        return found, min(max(least, proven), now)
