"""Routes under construction: exact insertion, removal and repair around the solver.

The solver reads some rules more loosely than they are, so what it returns is a proposal. A `Plan`
takes it over route by route, drops what does not fit, and puts back what still does, each time
with the timing that all engines share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.compiled import kernel, leaf
from territory.compiled.tables import i32_1, i32_2, i32_3, i64_1, i64_2
from territory.routing.clock import E_COLUMNS, E_COST, evaluate
from territory.routing.finish import free_bounds
from territory.routing.layout import (
    S_BEGIN,
    S_BREAK0,
    S_BREAK1,
    S_CAPACITY,
    S_CLASS,
    S_CLOSE,
    S_DAY,
    S_END,
    S_FREE_FROM,
    S_LOCK0,
    S_LOCK1,
    S_MAX_DURATION,
    S_MAX_VISITS,
    S_PROFILE,
    S_START,
    V_LINKED,
    V_LOAD,
    V_PLACE,
    Layout,
)
from territory.routing.slots import L_BUCKET, L_DRIVE, L_SERVICE, L_SHIFT_I, L_VISIT_I, L_WINDOW_AT
from territory.routing.timing import clock_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from territory.routing.problem import RoutingProblem

__all__ = ["Plan"]


@leaf
def _spare(shift, legs, visit_i, service, route, m, v):  # type: ignore[no-untyped-def]
    """Return how long a detour for visit v may be at most, by what driving and service take of the shift."""
    spare = min(shift[S_CLOSE] - shift[S_BEGIN], shift[S_MAX_DURATION]) - service[v]
    place = shift[S_START]
    for i in range(m):
        to = visit_i[route[i], V_PLACE]
        spare -= service[route[i]] + legs[place, to]
        place = to
    return spare - legs[place, shift[S_END]]


@kernel("i8[::1], i4[:, ::1], i8[::1], f8[::1], b1[::1], i8, b1, f8[::1], i8[::1]")
def places(tab, routes, length, cost, usable, v, each_empty, delta, position):  # type: ignore[no-untyped-def]
    """Find where visit v fits best in each shift: `delta` is what it adds to the cost, inf: nowhere.

    Of empty shifts of one class only the first is tried, unless `each_empty`.
    """
    shift_i, visit_i, window_at = i64_2(tab, L_SHIFT_I), i64_2(tab, L_VISIT_I), i32_1(tab, L_WINDOW_AT)
    drive, service, buckets = i32_3(tab, L_DRIVE), i32_2(tab, L_SERVICE), len(i64_1(tab, L_BUCKET))
    one_bucket = buckets == 1
    n_shifts = len(length)
    longest = 0
    breaks = 0
    for s in range(n_shifts):
        longest = max(longest, length[s])
        breaks = max(breaks, shift_i[s, S_BREAK1] - shift_i[s, S_BREAK0])
    free = np.empty((longest + 2, breaks + 1), np.int64)
    last = np.empty((longest + 2, breaks + 1), np.int64)
    starts = np.empty(longest + 2, np.int64)
    rests = np.empty(breaks, np.int64)
    out = np.empty(E_COLUMNS)
    trial = np.empty(longest + 1, np.int32)
    tried = np.zeros(n_shifts, np.bool_)
    for s in range(n_shifts):
        delta[s] = np.inf
        position[s] = -1
        m = length[s]
        shift = shift_i[s]
        key = v * n_shifts + s
        if not usable[s] or window_at[key + 1] == window_at[key] or m + 1 > shift[S_MAX_VISITS]:
            continue
        if m == 0 and not each_empty:
            if tried[shift[S_CLASS]]:
                continue
            tried[shift[S_CLASS]] = True
        load = visit_i[v, V_LOAD]
        there = False
        for i in range(m):
            trial[i] = routes[s, i]
            load += visit_i[routes[s, i], V_LOAD]
            there = there or routes[s, i] == v
        if there or load > shift[S_CAPACITY]:
            continue
        # what driving and service leave of the shift: most places fail for want of that alone
        quick = one_bucket and m > 0
        legs = drive[shift[S_PROFILE] * buckets]
        spare = _spare(shift, legs, visit_i, service[:, s], trial, m, v)
        trial[m] = v
        locks = shift[S_LOCK1] - shift[S_LOCK0]
        for i in range(m, locks - 1, -1):
            if i < m:
                trial[i + 1] = trial[i]
                trial[i] = v
            if quick:
                before = shift[S_START] if i == 0 else visit_i[trial[i - 1], V_PLACE]
                after = shift[S_END] if i == m else visit_i[trial[i + 1], V_PLACE]
                here = visit_i[v, V_PLACE]
                # in 64 bits: two ways that are none add up to more than 32 hold
                if np.int64(legs[before, here]) + legs[here, after] - legs[before, after] > spare:
                    continue
            if evaluate(tab, s, trial, m + 1, free, last, starts, rests, out):
                more = out[E_COST] - cost[s]
                if more < delta[s]:
                    delta[s] = more
                    position[s] = i


class Plan:
    """Routes of all shifts, each of which fits.

    Attributes
    ----------
    routes : list of S lists of int
    bounds : int64 array of shape (V, 2)
        Earliest and latest start of linked visits, on the layout's clock: one moment for those that are made.
    usable : bool array of shape (S,)
        False: the shift takes no visit, because its locked visits do not fit, or it is over.
    """

    def __init__(self, problem: RoutingProblem, layout: Layout) -> None:
        self.problem, self.layout = problem, layout
        n_shifts = problem.n_shifts
        self.routes: list[list[int]] = [[] for _ in range(n_shifts)]
        self.bounds = free_bounds(layout)
        # bounds are changed in place only: the table holds their address
        self._tables = clock_tables(layout, self.bounds)
        self.cost = np.zeros(n_shifts)
        breaks = int((layout.shift_i[:, S_BREAK1] - layout.shift_i[:, S_BREAK0]).max(initial=0))
        self._scratch = self._room(problem.n_visits + 1, breaks)
        self.starts: list[list[int]] = [[] for _ in range(n_shifts)]
        self.usable = layout.shift_i[:, S_MAX_VISITS] > 0
        self.locked: list[list[int]] = [
            layout.locked[a:b].tolist() for a, b in layout.shift_i[:, [S_LOCK0, S_LOCK1]].tolist()
        ]
        late = layout.shift_i[:, S_FREE_FROM] > layout.shift_i[:, S_CLOSE]
        for s in range(n_shifts):
            if self.locked[s]:
                self.usable[s] = self.set_route(s, self.locked[s])
            elif late[s]:
                self.usable[s] = False

    @staticmethod
    def _room(most: int, breaks: int) -> tuple[NDArray[np.int64], ...]:
        return (
            np.empty((most + 1, breaks + 1), np.int64), np.empty((most + 1, breaks + 1), np.int64),
            np.empty(most + 1, np.int64), np.empty(breaks, np.int64),
        )  # fmt: skip

    def timed(self, s: int, route: Sequence[int]) -> tuple[float, list[int]] | None:
        """Return cost and starts of a route of shift s; None: it breaks a rule of the shift."""
        m = len(route)
        shift = self.layout.shift_i[s]
        if m > shift[S_MAX_VISITS] or (m and not self.usable[s]) or len(set(route)) < m:
            return None
        order = np.array(route, np.int32)
        if m and self.layout.visit_i[order, V_LOAD].sum() > shift[S_CAPACITY]:
            return None
        if list(route[: len(self.locked[s])]) != self.locked[s]:
            return None
        free, last, starts, rests = self._scratch
        out = np.empty(E_COLUMNS)
        if not evaluate(self._tables.table, s, order, m, free, last, starts, rests, out):
            return None
        return float(out[E_COST]), starts[:m].tolist()

    def set_route(self, s: int, route: Sequence[int]) -> bool:
        """Replace a route if the new one fits, and say so."""
        found = self.timed(s, route)
        if found is None:
            return False
        self.routes[s] = list(route)
        self.cost[s], self.starts[s] = found
        return True

    def days_of(self, v: int) -> list[int]:
        """Return the days on which visit v is made."""
        return sorted(int(self.layout.shift_i[s, S_DAY]) for s, route in enumerate(self.routes) if v in route)

    def made(self) -> dict[int, list[int]]:
        """Return the shifts of each visit that is made."""
        found: dict[int, list[int]] = {}
        for s, route in enumerate(self.routes):
            for v in route:
                found.setdefault(v, []).append(s)
        return found

    def start_of(self, v: int) -> int | None:
        """Return the start of visit v on the layout's clock; None: it is not made."""
        for s, route in enumerate(self.routes):
            if v in route:
                return self.starts[s][route.index(v)]
        return None

    def places_for(self, v: int, *, each_empty: bool = False) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return what visit v adds to the cost of each shift (inf: it does not fit), and at which position."""
        n_shifts = len(self.routes)
        length = np.array([len(r) for r in self.routes], np.int64)
        packed = np.zeros((n_shifts, int(length.max(initial=0)) + 1), np.int32)
        for s, route in enumerate(self.routes):
            packed[s, : len(route)] = route
        delta, position = np.empty(n_shifts), np.empty(n_shifts, np.int64)
        places(self._tables.table, packed, length, self.cost, self.usable, v, each_empty, delta, position)
        return delta, position

    def insert(self, s: int, position: int, v: int) -> bool:
        """Put a visit into a route if it fits, and say so; a linked visit keeps the start it gets."""
        route = self.routes[s]
        if not self.set_route(s, [*route[:position], v, *route[position:]]):
            return False
        if self.layout.visit_i[v, V_LINKED]:
            self.bounds[v] = self.starts[s][position]
        return True

    def remove(self, v: int, shift: int | None = None) -> None:
        """Take a visit out of its shifts, or of one; locked visits stay.

        A route that does not fit without it (driving times may break the triangle inequality) loses more.
        """
        for s, route in enumerate(self.routes):
            if v in route and (shift is None or s == shift) and v not in self.locked[s]:
                self.bounds[v] = free_bounds(self.layout)[v]
                self.adopt(s, [x for x in route if x != v])

    def adopt(self, s: int, route: Sequence[int]) -> list[int]:
        """Take over a route, without the visits that keep it from fitting, and return those."""
        lost: list[int] = []
        if not self.usable[s]:
            self.routes[s], self.cost[s], self.starts[s] = [], 0.0, []
            return list(route)
        locks = self.locked[s]
        left = locks + [v for v in dict.fromkeys(route) if v not in locks]
        while not self.set_route(s, left):
            spare = range(len(locks), len(left))
            if not spare:
                # the locked visits fitted with the starts that linked ones could choose then
                self.usable[s] = False
                self.routes[s], self.cost[s], self.starts[s] = [], 0.0, []
                return lost + left
            single = [(i, self.timed(s, left[:i] + left[i + 1 :])) for i in spare]
            fitting = [(i, found[0]) for i, found in single if found is not None]
            i = min(fitting, key=lambda x: x[1])[0] if fitting else spare[-1]
            lost.append(left.pop(i))
        return lost
