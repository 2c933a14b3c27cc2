"""On which days one customer is visited: the cheapest chain of days that keeps its interval."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Chain", "Rhythm", "best_chain"]

#: Cost of a visit that is not planned, in seconds of driving: more than any detour.
MISSED: Final = 10_000_000.0
#: Cost of a day off the interval, in seconds of driving: a tie-break that saves visits no driving.
PER_DAY_OFF: Final = 30.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """One customer's cadence, see `territory.schedule.cadence.Cadence`; `days` is the length of the horizon."""

    days: int
    interval: float
    first_low: int
    first_high: int
    first_due: int
    gap_low: int
    gap_high: int

    @property
    def step(self) -> int:
        """The interval as whole days, within its tolerance."""
        return min(max(round(self.interval), self.gap_low), self.gap_high)


@dataclass(frozen=True, slots=True)
class Chain:
    """Days of planned visits, due days of those that could not be planned, and days off the interval in all."""

    planned: tuple[int, ...]
    missed: tuple[int, ...]
    off: int

    @property
    def penalty(self) -> float:
        """What the chain costs apart from driving."""
        return MISSED * len(self.missed) + PER_DAY_OFF * self.off


def best_chain(rhythm: Rhythm, cost_on: Callable[[int], float | None]) -> Chain:
    """Choose the days of a customer's visits.

    Parameters
    ----------
    rhythm : Rhythm
        Of a customer whose first visit is due in the horizon.
    cost_on : callable
        Cost of a visit on a day, or None where it is impossible; asked at most once a day.

    Returns
    -------
    Chain
        Of least cost. While a visit is due before the end of the horizon the chain goes on; where
        no day is possible the visit is missed on its due day, and the rhythm goes on from there.

    Notes
    -----
    Shortest path over the days, O(days x tolerance).
    """
    r = rhythm
    known: dict[int, float | None] = {}

    def cost(day: int) -> float | None:
        if day not in known:
            known[day] = cost_on(day)
        return known[day]

    # a node is (day, planned?): cost so far and the node before
    best: dict[tuple[int, bool], tuple[float, tuple[int, bool] | None]] = {}

    def offer(node: tuple[int, bool], value: float, before: tuple[int, bool] | None) -> None:
        if node not in best or value < best[node][0]:
            best[node] = (value, before)

    def extend(low: int, high: int, due: int, value: float, before: tuple[int, bool] | None, *, rhythmic: bool) -> None:
        for day in range(max(low, 0), min(high, r.days - 1) + 1):
            here = cost(day)
            if here is not None:
                offer((day, True), value + here + (PER_DAY_OFF * abs(day - due) if rhythmic else 0.0), before)
        offer((min(due, r.days - 1), False), value + MISSED, before)

    extend(r.first_low, r.first_high, r.first_due, 0.0, None, rhythmic=r.first_due > 0)
    goal: tuple[float, tuple[int, bool]] | None = None
    # days only grow along a chain, so a node is settled when its day has come
    for node in ((day, made) for day in range(r.days) for made in (False, True)):
        if node not in best:
            continue
        day, value = node[0], best[node][0]
        if day + r.interval < r.days:
            extend(day + r.gap_low, day + r.gap_high, day + r.step, value, node, rhythmic=True)
        elif goal is None or value < goal[0]:
            goal = (value, node)
    if goal is None:  # pragma: no cover - every chain ends, as days grow
        return Chain((), (), 0)
    nodes = []
    at: tuple[int, bool] | None = goal[1]
    while at is not None:
        nodes.append(at)
        at = best[at][1]
    nodes.reverse()
    off = abs(nodes[0][0] - r.first_due) if nodes[0][1] and r.first_due > 0 else 0
    off += sum(abs(b[0] - a[0] - r.step) for a, b in pairwise(nodes) if b[1])
    return Chain(tuple(d for d, made in nodes if made), tuple(d for d, made in nodes if not made), off)
