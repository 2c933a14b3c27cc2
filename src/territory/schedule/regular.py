"""The same time of day at each customer, where that costs little: planned days get other times, or turn round."""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.compiled import plain
from territory.compiled.tables import Tables
from territory.errors import InputError, Problem
from territory.routing.clock import E_BACK, E_COLUMNS, E_COST, E_DRIVE, E_LEAVE, E_METRES, NEVER, evaluate
from territory.routing.finish import free_bounds, route_terms
from territory.routing.layout import (
    LAYOUT_ARRAYS,
    S_BREAK0,
    S_BREAK1,
    S_LOCK0,
    S_LOCK1,
    S_MAX_DURATION,
    V_LINKED,
    Layout,
)
from territory.routing.solution import ShiftRoute
from territory.routing.steady import steady_starts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from territory.routing.problem import RoutingProblem

__all__ = ["regularity_price", "steady_times"]

HOUR_S: Final = 3600
#: A gain below this is rounding.
_LEAST: Final = 1e-6
#: Times that all routes are gone through: each gains something, so this is never reached but by rounding.
_ROUNDS: Final = 100


def regularity_price(
    problem: RoutingProblem,
    routes: Sequence[ShiftRoute],
    *,
    midnight_s: NDArray[np.int64],
    price_per_hour: float,
    group: NDArray[np.int64] | None = None,
) -> float:
    """Return what differences in the time of day between one visit at a customer and the next cost.

    The next is that of the shift with the next midnight; of one midnight, that of the next shift.

    Parameters
    ----------
    problem : RoutingProblem
        With V visits and S shifts.
    routes : sequence of ShiftRoute
    midnight_s : int64 array of shape (S,)
        When the local day of each shift begins, on the problem's clock: times of day are counted from there.
    price_per_hour : float
        Of an hour of difference, in the unit of the problem's costs (seconds at the wheel).
    group : int64 array of shape (V,), optional
        Whose visit each is; -1: any time of day is as good. Default: each row its own, which comes again if it has
        a rhythm.

    Returns
    -------
    float

    Raises
    ------
    InputError
        ``wrong-shape``, ``negative``, ``not-finite``.

    Notes
    -----
    O(n log n) for n visits that are made. Times of day are not taken round midnight: 23:30 and 00:30 are far apart.

    Examples
    --------
    >>> from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
    >>> problem = RoutingProblem(
    ...     durations_s=[[0, 600], [600, 0]],
    ...     visits=VisitArrays(place=[1], gap_low_days=[1], gap_high_days=[1], gap_days=[1], interval_days=[1.0]),
    ...     shifts=ShiftArrays(start_place=[0, 0], begin_s=[28800, 115200], end_s=[61200, 147600], day=[0, 1]),
    ... )
    >>> first = ShiftRoute(0, (0,), (32400,), 31800, 33000, (), 1200, 0)
    >>> second = ShiftRoute(1, (0,), (86400 + 34200,), 120000, 121200, (), 1200, 0)
    >>> regularity_price(problem, [first, second], midnight_s=np.array([0, 86400]), price_per_hour=600.0)
    300.0
    """
    midnight, whose = _read(problem, midnight_s, group, price_per_hour=price_per_hour)
    return float(price_per_hour) * _Visits(routes, whose, midnight).apart_s() / HOUR_S


def steady_times(
    problem: RoutingProblem,
    layout: Layout,
    routes: Sequence[ShiftRoute],
    *,
    midnight_s: NDArray[np.int64],
    price_per_hour: float,
    group: NDArray[np.int64] | None = None,
    wait_per_hour: float = 0.0,
    deadline: float = math.inf,
) -> tuple[ShiftRoute, ...]:
    """Give routes other times, or turn them round, so that each customer is visited at a like time of day.

    What is least in the end is the cost of the routes plus `regularity_price`; the visits of each shift stay.

    Parameters
    ----------
    problem, layout : RoutingProblem, Layout
        V visits, S shifts.
    routes : sequence of ShiftRoute
        That keep the rules. Linked visits keep their start, locked ones their place.
    midnight_s, price_per_hour, group
        As for `regularity_price`.
    wait_per_hour : float
        Price of an hour from leaving to being back, beside what the shift costs: with 0 a rep may be out all day to
        be at two customers when they are used to it.
    deadline : float
        Moment of `time.monotonic` at which to give up: what has been gained by then stays.

    Returns
    -------
    tuple of ShiftRoute
        In the order given; a route without a gain is the one given. Costs and regularity together are never
        higher than before.

    Raises
    ------
    InputError
        ``wrong-shape``, ``negative``, ``not-finite``.

    Notes
    -----
    Coordinate descent over routes, one at a time, the others as they are: of both orders the best starts
    (`territory.routing.steady`). It begins with the times given, and again with times near the lower and the upper
    median of each customer, since one route alone gains nothing where two times are equally frequent. The best end
    is returned.
    A month of 100 visits takes some hundredths of a second.
    """
    midnight, whose = _read(problem, midnight_s, group, price_per_hour=price_per_hour, wait_per_hour=wait_per_hour)
    days = _Days(layout, whose, midnight, price_per_hour / HOUR_S, wait_per_hour / HOUR_S, deadline)
    # whatever the order in which they are given
    turn = sorted(range(len(routes)), key=lambda i: (int(midnight[routes[i].shift]), routes[i].shift))
    given = [_Timed(routes[i], sum(route_terms(layout, routes[i]).values())) for i in turn]
    # a price of waiting may buy shorter days, but not at the expense of the others
    limit = days.plain(given)
    best = days.descend(given, limit)
    for upper in (0, 1):
        end = days.descend(days.to_medians(given, upper), limit)
        if days.plain(end) <= limit and days.total(end) < days.total(best) - _LEAST:
            best = end
    found = dict(zip(turn, best, strict=True))
    return tuple(found[i].route for i in range(len(routes)))


def _read(
    problem: RoutingProblem, midnight_s: Any, group: Any, **prices: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the midnights, and whose each visit is."""
    wrong = []
    midnight = np.asarray(midnight_s)
    whose = np.arange(problem.n_visits) if group is None else np.asarray(group)
    for name, array, shape in (("midnight_s", midnight, problem.n_shifts), ("group", whose, problem.n_visits)):
        if array.shape != (shape,) or array.dtype.kind not in "iu":
            message = f"expected {shape} whole numbers, not {array.dtype} of shape {array.shape}"
            wrong.append(Problem("wrong-shape", message, name))
    for name, price in prices.items():
        if not np.isfinite(price):
            wrong.append(Problem("not-finite", "expected a finite price", name))
        elif price < 0:
            wrong.append(Problem("negative", "expected a price of at least 0", name))
    if wrong:
        raise InputError(wrong, "regular times")
    return midnight.astype(np.int64), whose.astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Timed:
    """A route and what it costs."""

    route: ShiftRoute
    cost: float


class _Visits:
    """All visits that are made, route after route: their customers and times of day."""

    def __init__(self, routes: Sequence[ShiftRoute], whose: NDArray[np.int64], midnight: NDArray[np.int64]) -> None:
        lengths = [len(r.visits) for r in routes]
        self.at = np.cumsum([0, *lengths])
        visit = np.array([v for r in routes for v in r.visits], np.int64)
        self.start = np.array([t for r in routes for t in r.starts], np.int64)
        shift = np.repeat(np.array([r.shift for r in routes], np.int64), lengths)
        self.owner = np.repeat(np.arange(len(routes)), lengths)
        self.whose = whose[visit]
        self.clock = self.start - midnight[shift]
        order = np.lexsort((visit, self.start, shift, midnight[shift], self.whose))
        self.order = order[self.whose[order] >= 0]
        #: Which neighbours in `order` are visits at one customer.
        self.same = self.whose[self.order[1:]] == self.whose[self.order[:-1]]

    def apart_s(self) -> int:
        """Return the seconds between times of day of a visit at a customer and the next, in all."""
        return int(np.abs(np.diff(self.clock[self.order]))[self.same].sum())

    def wishes(self) -> NDArray[np.int64]:
        """Return the time of day of the visit before and of the one after at each one's customer; NEVER: none."""
        found = np.full((len(self.clock), 2), NEVER, np.int64)
        before, after = self.order[:-1][self.same], self.order[1:][self.same]
        found[after, 0], found[before, 1] = self.clock[before], self.clock[after]
        return found

    def medians(self, upper: int) -> NDArray[np.int64]:
        """Return the lower (0) or upper (1) median clock of each visit's customer, shape (n, 1); NEVER: no other."""
        found = np.full((len(self.clock), 1), NEVER, np.int64)
        rows = np.lexsort((self.clock, self.whose))
        rows = rows[self.whose[rows] >= 0]
        for mine in np.split(rows, np.flatnonzero(np.diff(self.whose[rows])) + 1):
            if len(mine) > 1:
                found[mine] = self.clock[mine[(len(mine) - 1 + upper) // 2]]
        return found


class _Days:
    """Routes of a problem, and how they are timed anew."""

    def __init__(
        self, layout: Layout, whose: NDArray[np.int64], midnight: NDArray[np.int64], rate: float, wait: float,
        deadline: float,
    ) -> None:  # fmt: skip
        self.layout, self.whose, self.midnight, self.rate, self.wait = layout, whose, midnight, rate, wait
        self.deadline = deadline
        visit_i = layout.visit_i.copy()
        # bounds bind the starts of linked visits: here of all
        visit_i[:, V_LINKED] = 1
        self.bounds = free_bounds(layout)
        self.tables = Tables((*layout._replace(visit_i=visit_i)[:LAYOUT_ARRAYS], self.bounds))
        most = len(visit_i) + 1
        breaks = int((layout.shift_i[:, S_BREAK1] - layout.shift_i[:, S_BREAK0]).max(initial=0))
        self.scratch = (
            np.empty((most, breaks + 1), np.int64), np.empty((most, breaks + 1), np.int64), np.empty(most, np.int64),
            np.empty(breaks, np.int64), np.empty(E_COLUMNS),
        )  # fmt: skip

    def _visits(self, days: Sequence[_Timed]) -> _Visits:
        return _Visits([t.route for t in days], self.whose, self.midnight)

    def plain(self, days: Sequence[_Timed]) -> float:
        """Return what routes and regularity cost."""
        return sum(t.cost for t in days) + self.rate * self._visits(days).apart_s()

    def total(self, days: Sequence[_Timed]) -> float:
        """Return the same with the price of waiting."""
        return self.plain(days) + self._waiting(days)

    def _waiting(self, days: Sequence[_Timed]) -> float:
        return self.wait * sum(t.route.back - t.route.leave for t in days)

    def descend(self, given: Sequence[_Timed], limit: float) -> list[_Timed]:
        """Give one route after the other its best times, until none gains; without waiting to `limit` at most."""
        days = list(given)
        now, cost = self.total(days), self.plain(days)
        settled = 0
        for _ in range(_ROUNDS):
            for i in range(len(days)):
                if monotonic() >= self.deadline:
                    return days
                visits = self._visits(days)
                mine = slice(int(visits.at[i]), int(visits.at[i + 1]))
                settled += 1
                for new in self._retimed(days[i], visits.wishes()[mine]):
                    tried = [*days[:i], new, *days[i + 1 :]]
                    dear = self.plain(tried)
                    then = dear + self._waiting(tried)
                    if then < now - _LEAST and dear <= max(limit, cost):
                        days, now, cost, settled = tried, then, dear, 1
                if settled > len(days):
                    return days
        return days

    def to_medians(self, given: Sequence[_Timed], upper: int) -> list[_Timed]:
        """Bring routes near to the median times of day of their customers, until these stay as they are."""
        days = list(given)
        for _ in range(_ROUNDS):
            visits = self._visits(days)
            medians = visits.medians(upper)
            nearer = []
            for i, old in enumerate(days):
                if monotonic() >= self.deadline:
                    return days
                mine = slice(int(visits.at[i]), int(visits.at[i + 1]))
                wish = medians[mine]
                best, least = old, self._apart(old, wish, old)
                for new in self._retimed(old, wish):
                    value = self._apart(new, wish, old)
                    if value < least - _LEAST:
                        best, least = new, value
                nearer.append(best)
            if nearer == days:
                break
            days = nearer
        return days

    def _apart(self, day: _Timed, wish: NDArray[np.int64], like: _Timed) -> float:
        """Return what a route costs with seconds off wishes, which are in the order of another route."""
        of = dict(zip(like.route.visits, wish[:, 0].tolist(), strict=True))
        midnight = int(self.midnight[day.route.shift])
        off: int = sum(
            abs(t - midnight - of[v])
            for v, t in zip(day.route.visits, day.route.starts, strict=True)
            if of[v] < NEVER
        )  # fmt: skip
        return day.cost + self.rate * off + self._waiting([day])

    def _retimed(self, day: _Timed, wish: NDArray[np.int64]) -> list[_Timed]:
        """Return a route with its best times for wishes, and turned round behind its locked visits."""
        route, layout = day.route, self.layout
        shift = layout.shift_i[route.shift]
        m = len(route.visits)
        if m == 0:
            return []
        locks = int(shift[S_LOCK1] - shift[S_LOCK0])
        rows = np.arange(m)
        on_clock = np.where(wish < NEVER, wish + (self.midnight[route.shift] - layout.origin), NEVER)
        for v, t in zip(route.visits, route.starts, strict=True):
            if layout.visit_i[v, V_LINKED]:
                self.bounds[v] = t - layout.origin
        found = []
        for order in (rows, np.concatenate([rows[:locks], rows[locks:][::-1]]))[: 1 if m - locks < 2 else 2]:
            new = self._best(route, order, plain(on_clock[order], np.int64))
            if new is not None:
                found.append(new)
        self.bounds[list(route.visits)] = (-NEVER, NEVER)
        return found

    def _best(self, route: ShiftRoute, order: NDArray[np.int64], wish: NDArray[np.int64]) -> _Timed | None:
        """Return an order's best times; None: it fits at no time that was found."""
        s, origin = route.shift, self.layout.origin
        visits = plain(np.array(route.visits)[order], np.int32)
        starts = np.empty(len(visits), np.int64)

        def timed(leave: int, back: int) -> _Timed | None:
            value = steady_starts(
                self.tables.table, s, visits, len(visits), wish, self.rate, self.wait, leave, back, starts
            )  # fmt: skip
            return self._evaluated(s, visits, starts) if np.isfinite(value) else None

        found = timed(-NEVER, NEVER)
        longest = int(self.layout.shift_i[s, S_MAX_DURATION])
        if found is not None or longest >= NEVER:
            return found
        # maybe the day is too long like that: days that end in time, by when they begin
        if not np.isfinite(
            steady_starts(self.tables.table, s, visits, len(visits), wish, self.rate, self.wait, -NEVER, NEVER, starts)
        ):
            return None
        first = int(starts[0])
        leaves = {route.leave - origin, route.back - origin - longest, first}
        leaves |= {int(t) - int(starts[i] - first) for i, row in enumerate(wish) for t in row if t < NEVER}
        tries = [t for leave in sorted(leaves) if (t := timed(leave, leave + longest)) is not None]
        return min(tries, key=lambda t: self._wished(t, wish), default=None)

    def _wished(self, day: _Timed, wish: NDArray[np.int64]) -> float:
        off = float(np.abs(np.array(day.route.starts)[:, None] - self.layout.origin - wish)[wish < NEVER].sum())
        return day.cost + self.rate * off + self._waiting([day])

    def _evaluated(self, s: int, visits: NDArray[np.int32], starts: NDArray[np.int64]) -> _Timed | None:
        """Return the route with these starts, timed and costed as all routes are; None: it does not fit."""
        origin, m = self.layout.origin, len(visits)
        kept = self.bounds[visits]
        self.bounds[visits] = starts[:, None]
        out, rests = self.scratch[4], self.scratch[3]
        fits = evaluate(self.tables.table, s, visits, m, *self.scratch)
        self.bounds[visits] = kept
        if not fits:
            return None
        n = int(self.layout.shift_i[s, S_BREAK1] - self.layout.shift_i[s, S_BREAK0])
        route = ShiftRoute(
            s, tuple(visits.tolist()), tuple((self.scratch[2][:m] + origin).tolist()), int(out[E_LEAVE]) + origin,
            int(out[E_BACK]) + origin, tuple(int(r) + origin if r >= 0 else -1 for r in rests[:n]),
            int(out[E_DRIVE]), int(out[E_METRES]),
        )  # fmt: skip
        return _Timed(route, float(out[E_COST]))
