"""On which days a rhythmic visit is made: the cheapest chain of days that keeps its gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from territory.compiled import kernel
from territory.routing.layout import (
    V_FIRST_DUE,
    V_FIRST_HIGH,
    V_FIRST_LOW,
    V_GAP,
    V_GAP_HIGH,
    V_GAP_LOW,
    V_INTERVAL,
    V_LAST_WEEKDAY,
    V_OFF_COST,
    V_WEEKDAY_COST,
    Layout,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Chain", "best_chain", "chain_of", "chain_rates", "open_days", "sure_gain"]


#: Days of a week: the weekday of a day is its number modulo this.
WEEK: Final = 7


class Chain(NamedTuple):
    """What a chain with given days costs, but for the routes.

    Attributes
    ----------
    missed : tuple of int
        Days of the missed visits.
    off : float
        Cost of days off the meant ones.
    weekdays : float
        Cost of visits on another weekday than the one before.
    """

    missed: tuple[int, ...]
    off: float
    weekdays: float


@kernel("i8[::1], f8, f8, f8, i8, f8[::1], f8, f8[::1], i8[::1], i8[::1]")
def best_chain(visit, interval, off_cost, weekday_cost, days, cost, missed_cost, reach, before, chain):  # type: ignore[no-untyped-def]
    """Choose the days of a rhythmic visit: a shortest path over days.

    While a visit is due before the end of the horizon the chain goes on; a missed visit stands on
    the day that was meant, and the rhythm goes on from there.

    Parameters
    ----------
    visit : int64 array
        The visit's row of `Layout.visit_i`.
    interval, off_cost, weekday_cost : float
    days : int
        Length of the horizon.
    cost : float array of shape (days,)
        Of a visit on each day; inf: impossible.
    missed_cost : float
    reach, before : float, int64 arrays of shape (2 * days,)
        Scratch.
    chain : int64 array of shape (2 * days,)
        Out: node numbers 2 * day + made, first to last.

    Returns
    -------
    length : int
        Of the chain; 0 where nothing is due.
    total : float
        What the chain costs.

    Notes
    -----
    O(days x (gap_high - gap_low)).
    """
    if visit[V_FIRST_DUE] >= days:
        return 0, 0.0
    for node in range(2 * days):
        reach[node] = np.inf
        before[node] = -1
    goal, goal_value = -1, np.inf
    for node in range(-1, 2 * days):
        if node < 0:
            value, low, high, due = 0.0, visit[V_FIRST_LOW], visit[V_FIRST_HIGH], visit[V_FIRST_DUE]
            off = off_cost if due > 0 else 0.0
            day = visit[V_LAST_WEEKDAY]
            other = weekday_cost if day >= 0 else 0.0
        else:
            value = reach[node]
            if value == np.inf:
                continue
            day = node >> 1
            if day + interval >= days:
                if value < goal_value:
                    goal, goal_value = node, value
                continue
            low, high, due = day + visit[V_GAP_LOW], day + visit[V_GAP_HIGH], day + visit[V_GAP]
            off, other = off_cost, weekday_cost
        for d in range(max(low, 0), min(high, days - 1) + 1):
            offer = value + cost[d] + off * abs(d - due)
            if other > 0.0 and (d - day) % WEEK != 0:
                offer += other
            if offer < reach[2 * d + 1]:
                reach[2 * d + 1] = offer
                before[2 * d + 1] = node
        d = min(due, days - 1)
        if value + missed_cost < reach[2 * d]:
            reach[2 * d] = value + missed_cost
            before[2 * d] = node
    length = 0
    node = goal
    while node >= 0:
        length += 1
        node = before[node]
    node = goal
    for i in range(length - 1, -1, -1):
        chain[i] = node
        node = before[node]
    return length, goal_value


def chain_of(layout: Layout, v: int, made: Sequence[int]) -> Chain:
    """Return the days of the missed visits of a rhythmic visit, and what its days cost.

    Parameters
    ----------
    layout : Layout
    v : int
    made : sequence of int
        Days on which the visit is made.

    Raises
    ------
    ValueError
        No chain has just these days.
    """
    days = layout.days
    value = float(max(layout.visit_f[v, 0], 1e-6))
    cost = np.full(days, np.inf)
    cost[list(made)] = -sure_gain(layout, v, value)
    chain = np.empty(2 * days, np.int64)
    length, _total = best_chain(
        layout.visit_i[v], *chain_rates(layout, v), days, cost, value, np.empty(2 * days),
        np.empty(2 * days, np.int64), chain,
    )  # fmt: skip
    nodes = chain[:length].tolist()
    missed = tuple(node >> 1 for node in nodes if not node & 1)
    if len(nodes) - len(missed) != len(made):
        msg = f"no rhythm of visit {v} has the days {list(made)}"
        raise ValueError(msg)
    return Chain(missed, *_day_costs(layout, v, nodes))


def open_days(layout: Layout, v: int) -> NDArray[np.bool_]:
    """Return on which days some chain makes a rhythmic visit, whatever that costs, shape (days,)."""
    visit, interval = layout.visit_i[v].tolist(), float(layout.visit_f[v, V_INTERVAL])
    days = layout.days
    made, met = np.zeros(days, np.bool_), np.zeros(days, np.bool_)
    if visit[V_FIRST_DUE] >= days:
        return made

    def goes_on(low: int, high: int, due: int) -> None:
        made[max(low, 0) : max(high + 1, 0)] = True
        met[max(low, 0) : max(high + 1, 0)] = True
        met[min(due, days - 1)] = True

    goes_on(visit[V_FIRST_LOW], visit[V_FIRST_HIGH], visit[V_FIRST_DUE])
    for day in range(days):
        if met[day] and day + interval < days:
            goes_on(day + visit[V_GAP_LOW], day + visit[V_GAP_HIGH], day + visit[V_GAP])
    return made


def chain_rates(layout: Layout, v: int) -> tuple[float, float, float]:
    """Return the interval, the cost of a day off and that of another weekday, as `best_chain` takes them."""
    rates = layout.visit_f[v]
    return float(rates[V_INTERVAL]), float(rates[V_OFF_COST]), float(rates[V_WEEKDAY_COST])


def sure_gain(layout: Layout, v: int, missed_cost: float) -> float:
    """Return a gain for which a day is taken whatever the chain costs then, but no larger: sums are rounded with it."""
    _interval, off, other = chain_rates(layout, v)
    return 1.0 + (layout.days + 1) * (missed_cost + off * layout.days + other)


def _day_costs(layout: Layout, v: int, nodes: Sequence[int]) -> tuple[float, float]:
    """Return what days off the meant ones and other weekdays cost; summed anew, since large sums swallow it."""
    visit = layout.visit_i[v].tolist()
    _interval, rate, other = chain_rates(layout, v)
    off, weekdays, meant, counts, since = 0.0, 0.0, visit[V_FIRST_DUE], visit[V_FIRST_DUE] > 0, visit[V_LAST_WEEKDAY]
    for node in nodes:
        day = node >> 1
        if node & 1:
            off += rate * abs(day - meant) if counts else 0.0
            weekdays += other if since >= 0 and (day - since) % WEEK else 0.0
        meant, counts, since = day + visit[V_GAP], True, day
    return off, weekdays
