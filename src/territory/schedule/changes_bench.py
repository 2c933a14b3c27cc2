"""A rep's planned days on the routing clock, and one more visit that is tried in them: longer, shorter, later."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from territory.model.zones import utc_second
from territory.routing import clock
from territory.routing.finish import free_bounds
from territory.routing.layout import (
    S_BEGIN,
    S_BREAK0,
    S_BREAK1,
    S_CLOSE,
    S_END,
    S_FREE_FROM,
    S_MAX_DRIVE,
    S_MAX_DURATION,
    S_REGULAR,
    S_START,
    V_LOCKED,
    V_PARTNER,
    V_PLACE,
    Layout,
)
from territory.routing.problem import UNLIMITED
from territory.routing.shifts import break_of, start_windows
from territory.routing.timing import clock_tables
from territory.travel import UNREACHABLE
from territory.units import DAY_S, HOUR_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from territory.routing.desk import Desk
    from territory.routing.shifts import Windows

__all__ = ["LONGER_S", "Bench", "Fit", "Stop"]

#: A shift is made longer by no more than this at either end.
LONGER_S: Final = 4 * HOUR_S
#: Windows of the visit that is tried, a day.
_WINDOWS: Final = 8
#: Columns of the kernels' tables, see `territory.routing.layout`.
_SHIFT_COLUMNS, _VISIT_COLUMNS = 18, 16
_CLOSED: Final = (UNLIMITED, -UNLIMITED)


class Stop(NamedTuple):
    """A planned visit.

    Attributes
    ----------
    row : int
        The customer, a position among the rows of the desk.
    service_s : int
    start : int
        UTC second; where it is fixed.
    fixed : bool
        Whether it was agreed on, so that it cannot be moved.
    remote : bool
        Whether it is made from home.
    """

    row: int
    service_s: int
    start: int
    fixed: bool = False
    remote: bool = False


class Fit(NamedTuple):
    """One more visit in a day: its place in the order, the way round, seconds, and when the rep is back, UTC."""

    position: int
    round_s: int
    back: int


class Bench:
    """The planned days of one rep, and one more visit, the guest, that is tried in them.

    Parameters
    ----------
    desk : Desk
        Of the rep; its rows are the customers of all visits.
    routes : mapping of day of the horizon to Stops in order
    ends : mapping of day to (int, int), optional
        Places of the desk where a day begins and ends, if not as the rep's days do.

    Notes
    -----
    Times are those of `territory.routing.clock`, on arrays of its own that are changed in place: a try
    costs some microseconds for each place in the order where the way round is not too long already.
    """

    def __init__(
        self, desk: Desk, routes: Mapping[int, Sequence[Stop]], ends: Mapping[int, tuple[int, int]] | None = None
    ) -> None:
        self.desk = desk
        self.n_days = desk.settings.n_days
        # as far as overtime goes; days in the office are for contacts from home
        self.spans = {n: (begin, end + desk.overtime_s) for n, (begin, end) in desk.shifts.items()} | desk.office
        self.routes = {n: tuple(routes.get(n, ())) for n in range(self.n_days)}
        self.tries = 0
        self.number = int(desk.settings.start.astype(np.int64))
        stops = [(n, stop) for n in range(self.n_days) for stop in self.routes[n]]
        self.guest = len(stops)
        home, self._end = 0, desk.end
        self._drive = np.minimum(desk.durations_s, UNREACHABLE)
        shift_i = np.zeros((self.n_days, _SHIFT_COLUMNS), np.int64)
        shift_i[:, S_START], shift_i[:, S_END] = home, self._end
        for n, away in (ends or {}).items():
            shift_i[n, [S_START, S_END]] = away
        shift_i[:, [S_MAX_DURATION, S_MAX_DRIVE]] = UNLIMITED
        visit_i = np.zeros((len(stops) + 1, _VISIT_COLUMNS), np.int64)
        visit_i[:, [V_PARTNER, V_LOCKED]] = -1
        visit_i[:-1, V_PLACE] = [home if stop.remote else stop.row + 1 for _, stop in stops]
        service = np.zeros((len(stops) + 1, self.n_days), np.int32)
        self._orders: dict[int, list[int]] = {n: [] for n in range(self.n_days)}
        self._busy = np.zeros(self.n_days, np.int64)
        windows: list[list[tuple[int, int]]] = []
        counts = np.zeros((len(stops) + 1, self.n_days), np.int64)
        for v, (n, stop) in enumerate(stops):
            self._orders[n].append(v)
            service[v, n] = stop.service_s
            self._busy[n] += stop.service_s
            open_at = self._open(n, stop)
            counts[v, n] = len(open_at)
            windows.append([(a - desk.origin, b - desk.origin) for a, b in open_at])
        counts[-1] = _WINDOWS
        window_at = np.zeros(counts.size + 1, np.int32)
        np.cumsum(counts.ravel(), out=window_at[1:])
        flat = [w for each in windows for w in each] + [_CLOSED] * (_WINDOWS * self.n_days)
        rests = [self._rest(n, shift_i) for n in range(self.n_days)]
        at = 0
        for n, own in enumerate(rests):
            shift_i[n, S_BREAK0], shift_i[n, S_BREAK1] = at, at + len(own)
            at += len(own)
        rest = np.array([r for each in rests for r in each], np.int64).reshape(-1, 3)
        empty = np.zeros(0, np.int64)
        self._layout = Layout(
            shift_i, np.zeros((self.n_days, 5)), visit_i, np.zeros((len(stops) + 1, 4)), service, window_at,
            np.array(flat, np.int32).reshape(-1, 2), self._drive.astype(np.int32)[None], np.zeros((0, 0, 0), np.int32),
            np.zeros(1, np.int64), rest, empty, np.zeros((0, 0)), np.zeros((0, self.n_days), np.bool_), np.zeros(0),
            np.zeros((0, 3), np.int64), self.n_days, desk.origin,
        )  # fmt: skip
        self._guest_windows = self._layout.window[-_WINDOWS * self.n_days :].reshape(self.n_days, _WINDOWS, 2)
        self._tables = clock_tables(self._layout, free_bounds(self._layout))
        most, breaks = len(stops) + 2, max((len(r) for r in rests), default=0)
        self._scratch = (
            np.empty((most, breaks + 1), np.int64), np.empty((most, breaks + 1), np.int64), np.empty(most, np.int64),
            np.empty(breaks, np.int64), np.empty(clock.E_COLUMNS),
        )  # fmt: skip
        self._edges()
        self.set_guest(0, 0)

    # -- days ------------------------------------------------------------------------------

    def widest(self, n: int) -> tuple[int, int]:
        """Return a worked day made as long as can be, within its calendar day; UTC seconds."""
        begin, end = self.spans[n]
        day, zone = self.number + n, self.desk.zone
        low, high = utc_second(day, 0, zone), utc_second(day, DAY_S, zone)
        return max(begin - LONGER_S, min(begin, low)), min(end + LONGER_S, max(end, high))

    def _open(self, n: int, stop: Stop) -> Windows:
        """Return when a planned visit may start; opening hours beyond the shift count, too."""
        if stop.fixed or n not in self.spans:
            return ((stop.start, stop.start),)
        i = int(self.desk.rows[stop.row])
        found = start_windows(self.desk.customers, i, self.widest(n), stop.service_s, rep_zone=self.desk.zone)
        return found if any(a <= stop.start <= b for a, b in found) else ((stop.start, stop.start),)

    def _rest(self, n: int, shift_i: NDArray[np.int64]) -> list[tuple[int, int, int]]:
        if n in self.spans:
            self._set_span(shift_i, n, *self.spans[n])
        found = break_of(self.desk.reps, self.desk.rep, self.desk.settings.days[n])
        if found is None:
            return []
        return [(found.length_s, found.earliest - self.desk.origin, found.latest - self.desk.origin)]

    def _set_span(self, shift_i: NDArray[np.int64], n: int, begin: int, end: int) -> None:
        shift_i[n, S_BEGIN] = shift_i[n, S_FREE_FROM] = begin - self.desk.origin
        shift_i[n, S_REGULAR] = shift_i[n, S_CLOSE] = end - self.desk.origin

    def set_day(self, n: int, span: tuple[int, int] | None) -> tuple[int, int] | None:
        """Let a day be tried as if it were worked between two UTC seconds (None: not at all); return what was."""
        before = self.spans.pop(n, None)
        if span is not None:
            self.spans[n] = span
            self._set_span(self._layout.shift_i, n, *span)
        return before

    # -- the guest -------------------------------------------------------------------------

    def _edges(self) -> None:
        """Note the legs of every day's order, one after the other."""
        self._first: dict[int, int] = {}
        ends: list[tuple[int, int]] = []
        for n, order in self._orders.items():
            self._first[n] = len(ends)
            begin, end = self._layout.shift_i[n, [S_START, S_END]].tolist()
            places = [begin, *(int(self._layout.visit_i[v, V_PLACE]) for v in order), end]
            ends += pairwise(places)
            # two visits without a way between them cannot be
            self._busy[n] += int(sum(self._drive[a, b] for a, b in pairwise(places)))
        self._legs = np.array(ends, np.int64)

    def set_guest(self, place: int, service_s: int) -> None:
        """Set whom the guest visits (a place of the desk; 0: at home), and for how long."""
        self._layout.visit_i[self.guest, V_PLACE] = place
        self._layout.service[self.guest, :] = service_s
        self.service_s = service_s
        a, b = self._legs.T
        self._round = self._drive[a, place] + self._drive[place, b] - self._drive[a, b]

    def set_service(self, service_s: int) -> None:
        """Set how long the guest's visit takes."""
        self._layout.service[self.guest, :] = service_s
        self.service_s = service_s

    def set_windows(self, n: int, windows: Windows) -> None:
        """Set when the guest's visit may start on a day, UTC seconds; of many only the first count."""
        rows = [(a - self.desk.origin, b - self.desk.origin) for a, b in windows[:_WINDOWS]]
        self._guest_windows[n] = [*rows, *[_CLOSED] * (_WINDOWS - len(rows))]

    def idle_s(self, n: int) -> int:
        """Return how much of a day is neither driven nor spent at visits, breaks included."""
        begin, end = self.spans[n]
        return end - begin - (int(self._busy[n]) if self._orders[n] else 0)

    def lack_s(self, n: int) -> int:
        """Return a number of seconds that a day is too short for the guest at least; not above 0: it might fit."""
        first = self._first[n]
        least = int(self._round[first : first + len(self._orders[n]) + 1].min())
        if not self._orders[n]:
            least += int(self._drive[0, self._end])
        return least + self.service_s - self.idle_s(n)

    def fit(self, n: int, *, earlier_s: int = 0, later_s: int = 0) -> Fit | None:
        """Return where the guest fits best in a day, so that the rep is back first; None: nowhere.

        Parameters
        ----------
        n : int
            A worked day.
        earlier_s, later_s : int
            How much longer the shift is, before and after.
        """
        begin, end = self.spans[n]
        order, first = self._orders[n], self._first[n]
        room = self.idle_s(n) + earlier_s + later_s - self.service_s
        if not order:
            room -= int(self._drive[0, self._end])
        self._set_span(self._layout.shift_i, n, begin - earlier_s, end + later_s)
        best: Fit | None = None
        for position in np.flatnonzero(self._round[first : first + len(order) + 1] <= room).tolist():
            route = np.array([*order[:position], self.guest, *order[position:]], np.int32)
            self.tries += 1
            if not clock.evaluate(self._tables.table, n, route, len(route), *self._scratch):
                continue
            back = int(self._scratch[4][clock.E_BACK]) + self.desk.origin
            if best is None or back < best.back:
                best = Fit(position, int(self._round[first + position]), back)
        self._set_span(self._layout.shift_i, n, begin, end)
        return best
