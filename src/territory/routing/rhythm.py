"""On which days a rhythmic visit is made: the cheapest chain of days that keeps its gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    V_OFF_COST,
    Layout,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["best_chain", "chain_of", "sure_gain"]


@kernel("i8[::1], f8, f8, i8, f8[::1], f8, f8[::1], i8[::1], i8[::1]")
def best_chain(visit, interval, off_cost, days, cost, missed_cost, reach, before, chain):  # type: ignore[no-untyped-def]
    """Choose the days of a rhythmic visit: a shortest path over days.

    While a visit is due before the end of the horizon the chain goes on; a missed visit stands on
    the day that was meant, and the rhythm goes on from there.

    Parameters
    ----------
    visit : int64 array
        The visit's row of `Layout.visit_i`.
    interval, off_cost : float
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
            off = off_cost
        for d in range(max(low, 0), min(high, days - 1) + 1):
            offer = value + cost[d] + off * abs(d - due)
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


def chain_of(layout: Layout, v: int, made: Sequence[int]) -> tuple[tuple[int, ...], float]:
    """Return the days of the missed visits of a rhythmic visit, and what its days off the meant ones cost.

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
        layout.visit_i[v], layout.visit_f[v, V_INTERVAL], layout.visit_f[v, V_OFF_COST], days, cost, value,
        np.empty(2 * days), np.empty(2 * days, np.int64), chain,
    )  # fmt: skip
    nodes = chain[:length].tolist()
    missed = tuple(node >> 1 for node in nodes if not node & 1)
    if len(nodes) - len(missed) != len(made):
        msg = f"no rhythm of visit {v} has the days {list(made)}"
        raise ValueError(msg)
    return missed, _off_cost(layout, v, nodes)


def sure_gain(layout: Layout, v: int, missed_cost: float) -> float:
    """Return a gain for which a day is taken whatever the chain costs then, but no larger: sums are rounded with it."""
    off = float(layout.visit_f[v, V_OFF_COST]) * layout.days
    return 1.0 + (layout.days + 1) * (missed_cost + off)


def _off_cost(layout: Layout, v: int, nodes: Sequence[int]) -> float:
    """Return what days off the meant ones cost; summed anew, since large sums swallow it."""
    visit = layout.visit_i[v].tolist()
    rate = float(layout.visit_f[v, V_OFF_COST])
    total, meant, counts = 0.0, visit[V_FIRST_DUE], visit[V_FIRST_DUE] > 0
    for node in nodes:
        if node & 1 and counts:
            total += rate * abs((node >> 1) - meant)
        meant, counts = (node >> 1) + visit[V_GAP], True
    return total
