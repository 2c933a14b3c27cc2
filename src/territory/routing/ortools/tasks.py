"""What the solver is asked to place: visits, and the single days of visits that come again.

The routing solver places a node at most once, and its local search moves one node at a time, so a
choice between sets of days is beyond it. Such visits get their days beforehand
(`territory.routing.ortools.cadence`), and each of their days is a node of its own here. A cadence
that is made on one day at most needs no such choice: it is one node, and the day is the solver's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from territory.routing.layout import (
    ONCE,
    PATTERNS,
    RHYTHM,
    S_DAY,
    V_FIRST_DUE,
    V_FIRST_HIGH,
    V_FIRST_LOW,
    V_INTERVAL,
    V_KIND,
    V_LAST_WEEKDAY,
    V_OFF_COST,
    V_PATTERN0,
    V_PATTERN1,
    V_REQUIRED,
    V_VALUE,
    V_WEEKDAY_COST,
    Layout,
)
from territory.routing.rhythm import WEEK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Tasks", "one_day_cost", "tasks_of"]


class Tasks(NamedTuple):
    """T nodes of the solver; S shifts.

    Attributes
    ----------
    visit : int64 array of shape (T,)
    may : bool array of shape (T, S)
        Which shifts it may go to.
    value : float64 array of shape (T,)
        What leaving it out costs.
    required : bool array of shape (T,)
    extra : float64 array of shape (T, S), or (0, 0)
        Cost of a node in a shift: changes of the baseline and days off the meant one.
    groups : list of lists of int
        Nodes that are made all, or not at all.
    """

    visit: NDArray[np.int64]
    may: NDArray[np.bool_]
    value: NDArray[np.float64]
    required: NDArray[np.bool_]
    extra: NDArray[np.float64]
    groups: list[list[int]]


def one_day_cost(layout: Layout, v: int) -> NDArray[np.float64] | None:
    """Return the cadence's cost of visit v on each day, inf where it may not be; None: it may take several days."""
    visit = layout.visit_i[v]
    days = layout.days
    cost = np.full(days, np.inf)
    if visit[V_KIND] == PATTERNS:
        for p in range(int(visit[V_PATTERN0]), int(visit[V_PATTERN1])):
            on = np.flatnonzero(layout.pattern[p])
            if len(on) > 1:
                return None
            cost[on] = np.minimum(cost[on], layout.pattern_cost[p])
        return cost
    due = int(visit[V_FIRST_DUE])
    if due >= days:
        return cost
    low, high = max(int(visit[V_FIRST_LOW]), 0), min(int(visit[V_FIRST_HIGH]), days - 1)
    if min(low, due) + layout.visit_f[v, V_INTERVAL] < days:
        return None
    on = np.arange(low, high + 1)
    cost[on] = layout.visit_f[v, V_OFF_COST] * np.abs(on - due) if due > 0 else 0.0
    last = int(visit[V_LAST_WEEKDAY])
    if last >= 0:
        cost[on] += np.where((on - last) % WEEK != 0, layout.visit_f[v, V_WEEKDAY_COST], 0.0)
    return cost


def tasks_of(layout: Layout, usable: NDArray[np.bool_], days: Mapping[int, Sequence[int]]) -> Tasks:
    """Return the nodes of the solver.

    Parameters
    ----------
    layout : Layout
    usable : bool array of shape (S,)
    days : mapping of visit to days
        Of the visits with a cadence of several days.

    Returns
    -------
    Tasks
        Without nodes that fit no shift.
    """
    n_visits, n_shifts = layout.service.shape
    may = np.diff(layout.window_at).reshape(n_visits, n_shifts) > 0
    may &= usable
    kind = layout.visit_i[:, V_KIND]
    value = layout.visit_f[:, V_VALUE]
    required = layout.visit_i[:, V_REQUIRED] > 0
    extra = layout.extra
    once = np.flatnonzero(kind == ONCE)
    if len(once) == n_visits:
        open_ = may.any(axis=1)
        if open_.all():
            return Tasks(once, may, value, required, extra, [])
        visit = np.flatnonzero(open_)
        return Tasks(visit, may[visit], value[visit], required[visit], extra[visit] if extra.size else extra, [])
    day = layout.shift_i[:, S_DAY]
    changes = extra if extra.size else np.zeros((n_visits, n_shifts))
    rows: list[tuple[int, NDArray[np.bool_], float, NDArray[np.float64]]] = []
    groups: list[list[int]] = []
    for v in range(n_visits):
        if kind[v] == ONCE:
            rows.append((v, may[v], float(value[v]), changes[v]))
            continue
        by_day = one_day_cost(layout, v)
        if by_day is not None:
            on_shift = by_day[day]
            fits = np.isfinite(on_shift)
            rows.append((v, may[v] & fits, float(value[v]), changes[v] + np.where(fits, on_shift, 0.0)))
            continue
        chosen = days.get(v, ())
        # a pattern is lost as a whole, so its days share the value; of a rhythm each day has it
        share = float(value[v]) if kind[v] == RHYTHM else float(value[v]) / max(len(chosen), 1)
        if kind[v] == PATTERNS and len(chosen) > 1:
            groups.append(list(range(len(rows), len(rows) + len(chosen))))
        rows += [(v, may[v] & (day == d), share, changes[v]) for d in chosen]
    keep = [i for i, row in enumerate(rows) if row[1].any()]
    number = {i: k for k, i in enumerate(keep)}
    visit = np.array([rows[i][0] for i in keep], np.int64)
    costs = np.array([rows[i][3] for i in keep]).reshape(-1, n_shifts)
    return Tasks(
        visit,
        np.array([rows[i][1] for i in keep], np.bool_).reshape(-1, n_shifts),
        np.array([rows[i][2] for i in keep]),
        required[visit],
        costs if costs.any() else np.zeros((0, 0)),
        [[number[i] for i in group] for group in groups if all(i in number for i in group)],
    )
