"""A rep's days as changes of nights see them: what they cost from one place to another, and what is left of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from territory.routing.rhythm import chain_of
from territory.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from territory.model.arrays import FloatArray
    from territory.routing.calls import Calls
    from territory.schedule.nights_rules import NightRules, Shift
    from territory.schedule.nights_try import Away

__all__ = ["HOME", "Day", "Days", "Move"]

#: Place of an evening at home.
HOME: Final = -1
#: Share of a way out and back that moving a visit alone is taken to cost.
_ALONE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Move:
    """A change of nights, and of whole days, of one rep.

    Attributes
    ----------
    saving : float
        Estimated; below 0: it costs.
    nights : tuple of (shift, place of its desk)
        `HOME`: no night.
    orders : tuple of (shift, calls in order)
        Days that change.
    """

    saving: float
    nights: tuple[tuple[Shift, int], ...]
    orders: tuple[tuple[Shift, tuple[int, ...]], ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from others."""
        return self.nights, self.orders

    @property
    def touched(self) -> set[Shift]:
        """Shifts that change."""
        both = {shift for shift, _ in self.nights} | {(r, n + 1) for (r, n), _ in self.nights}
        return both | {shift for shift, _ in self.orders}


class Day(NamedTuple):
    """The visits of a shift one way round: first and last place (-1: none), what lies between, and their order."""

    first: int
    last: int
    inner: float
    order: tuple[int, ...]


class Days:
    """One rep's days, as changes of nights see them."""

    def __init__(self, away: Away, calls: Calls, rules: NightRules, r: int) -> None:
        self.away, self.calls, self.rules, self.r = away, calls, rules, r
        self.desk, rate = away.board.desks[r], away.board.rates[r]
        self.cost = np.where(
            self.desk.durations_s >= UNREACHABLE, np.inf,
            rate.drive_s * self.desk.durations_s + rate.metre * self.desk.distances_m,
        )  # fmt: skip
        self.price = rules.price[r]
        self.nights: Mapping[Shift, int] = away.board.nights
        orders = away.orders
        self.order = {n: orders.get((r, n), ()) for n in sorted(self.desk.shifts)}
        self.ways = {n: self._ways(order) for n, order in self.order.items()}
        self.ends = {n: away.board.between((r, n)) for n in self.order}
        self.own = {n: self._closed(self.ways[n][0], *self.ends[n]) for n in self.order}
        self.days: dict[int, list[int]] = {}
        for shift, order in orders.items():
            for k in order:
                self.days.setdefault(k, []).append(shift[1])

    def _place(self, k: int) -> int:
        return 0 if self.calls.remote[k] else int(self.calls.row[k]) + 1

    def _ways(self, order: tuple[int, ...]) -> tuple[Day, ...]:
        """Return the visits of a day both ways round."""
        if not order:
            return (Day(-1, -1, 0.0, ()),)
        found = []
        for turned in (order, order[::-1]) if len(order) > 1 else (order,):
            at = [self._place(k) for k in turned]
            found.append(Day(at[0], at[-1], float(self.cost[at[:-1], at[1:]].sum()), turned))
        return tuple(found)

    def _closed(self, day: Day, begin: int, end: int) -> float:
        """Return what a day costs between two places; one without visits: nothing."""
        if day.first < 0:
            return 0.0
        return float(self.cost[begin, day.first] + day.inner + self.cost[day.last, end])

    def _out(self, day: Day, begin: int) -> FloatArray:
        """Return what a day costs from a place on, by where it ends."""
        if day.first < 0:
            return np.asarray(self.cost[begin])
        return np.asarray(self.cost[begin, day.first] + day.inner + self.cost[day.last])

    def _back(self, day: Day, end: int) -> FloatArray:
        """Return what a day costs up to a place, by where it begins."""
        if day.first < 0:
            return np.asarray(self.cost[:, end])
        return np.asarray(self.cost[:, day.first] + day.inner + self.cost[day.last, end])

    def _beyond(self, day: Day, n: int, begin: int, end: int) -> list[int]:
        """Return the last visits of a day, those for which it is too short by its drives and visits alone."""
        opens, closes = self.desk.span(n)
        at = [begin, *(self._place(k) for k in day.order)]
        left = closes - opens + self.desk.overtime_s
        for i, k in enumerate(day.order):
            left -= int(self.desk.durations_s[at[i], at[i + 1]] + self.calls.service_s[k])
            if left < self.desk.durations_s[at[i + 1], end]:
                return list(day.order[i:])
        return []

    def _alone(self, calls: Sequence[int]) -> float:
        """Return about what calls cost that find no place in their day."""
        at = [self._place(k) for k in calls]
        return _ALONE * float((self.cost[0, at] + self.cost[at, self.desk.end]).sum())

    def _joined(
        self, ways: Sequence[Day], begin: int, then: Sequence[Day], end: int
    ) -> tuple[float, int, tuple[int, ...], tuple[int, ...]]:
        """Return the least cost of two days with a night between them, its place, and the orders of both."""
        best: tuple[float, int, tuple[int, ...], tuple[int, ...]] = (np.inf, HOME, (), ())
        for one, other in product(ways, then):
            total = self._out(one, begin) + self.price + self._back(other, end)
            p = int(np.argmin(total))
            if total[p] < best[0]:
                best = (float(total[p]), p, one.order, other.order)
        return best

    def _spare_s(self, n: int) -> int:
        """Return how much of a day is neither driven nor spent at visits."""
        opens, closes = self.desk.span(n)
        begin, end = self.ends[n]
        at = [begin, *(self._place(k) for k in self.order[n]), end]
        busy = sum(int(self.calls.service_s[k]) for k in self.order[n])
        return max(0, closes - opens - busy - int(self.desk.durations_s[at[:-1], at[1:]].sum()))

    def _blocks(self) -> list[tuple[int, ...]]:
        """Return the tours, and the days without a night before or after them, that have visits."""
        found: list[tuple[int, ...]] = []
        for n, order in self.order.items():
            if (self.r, n - 1) in self.nights and found:
                found[-1] = (*found[-1], n)
            elif order:
                found.append((n,))
        return found

    def _with(
        self, content: Mapping[int, tuple[int, ...]], nights: tuple[tuple[Shift, int], ...], saving: float
    ) -> Move:
        """Return the change in which days have other visits; those that may not move there find no place."""
        alone = [
            k for day, order in content.items() for k in order
            if day not in self.days[k] and not self._may(k, day, content)
        ]  # fmt: skip
        changed = tuple(((self.r, d), content[d]) for d in sorted(content))
        return Move(saving - self._alone(alone), nights, changed)

    def _may(self, k: int, day: int, content: Mapping[int, tuple[int, ...]]) -> bool:
        """Return whether a call may move to a day: by its windows and its rhythm."""
        if not self.away.board.windows(self.calls, k, (self.r, day)):
            return False
        if not self.calls.gap_low_days[k]:
            return True
        made = [d for d in self.days[k] if d not in content] + [d for d, order in content.items() if k in order]
        try:
            chain_of(self.away.layout, k, sorted(made))
        except ValueError:
            return False
        return True
