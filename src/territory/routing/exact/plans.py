"""What visits ask of the routes: the rows that link visits and routes, and each visit's cheapest plan at given duals.

A visit that is made at most once has one row: some route has it, or its value is lost. A visit with a cadence has a
row a day: the days of its plan (a pattern, or a chain of a rhythm) need a route each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from territory.routing.layout import (
    ONCE,
    PATTERNS,
    S_DAY,
    V_KIND,
    V_PATTERN0,
    V_PATTERN1,
    V_REQUIRED,
    V_VALUE,
    Layout,
)
from territory.routing.rhythm import best_chain, chain_rates

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Plan", "Plans"]


class Plan(NamedTuple):
    """One way to serve a visit: the rows whose routes it needs, and what it costs beside them."""

    visit: int
    rows: tuple[int, ...]
    cost: float


class Plans:
    """Rows and plans of all visits.

    Parameters
    ----------
    layout : Layout
    huge : float
        Cost of leaving out a required visit.

    Attributes
    ----------
    row : int64 array of shape (V, days)
        Row of a visit on a day; -1: it cannot be made then.
    n_rows : int
    """

    def __init__(self, layout: Layout, huge: float) -> None:
        self.layout = layout
        n, days, shifts = len(layout.visit_i), max(1, layout.days), len(layout.shift_i)
        fits = (np.diff(layout.window_at) > 0).reshape(n, shifts)
        possible = np.zeros((n, days), np.bool_)
        for s in range(shifts):
            possible[:, int(layout.shift_i[s, S_DAY])] |= fits[:, s]
        self.once = layout.visit_i[:, V_KIND] == ONCE
        self.value = np.where(layout.visit_i[:, V_REQUIRED] == 1, huge, layout.visit_f[:, V_VALUE])
        self.row = np.full((n, days), -1, np.int64)
        count = 0
        for v in range(n):
            if self.once[v]:
                self.row[v] = np.where(possible[v].any(), count, -1)
                count += bool(possible[v].any())
            else:
                mine = np.flatnonzero(possible[v])
                self.row[v, mine] = count + np.arange(len(mine))
                count += len(mine)
        self.n_rows = count

    def cheapest(self, duals: NDArray[np.float64]) -> list[Plan]:
        """Return each visit's cheapest plan where a row costs its dual."""
        found = []
        layout = self.layout
        days = self.row.shape[1]
        by_row = np.append(duals, np.inf)
        reach, before = np.empty(2 * days), np.empty(2 * days, np.int64)
        chain = np.empty(2 * days, np.int64)
        for v in range(len(self.row)):
            row = self.row[v]
            value = float(self.value[v])
            kind = layout.visit_i[v, V_KIND]
            if kind == ONCE:
                made = row[0] >= 0 and duals[row[0]] < value
                found.append(Plan(v, (int(row[0]),) if made else (), 0.0 if made else value))
            elif kind == PATTERNS:
                best, least = Plan(v, (), value), value
                for p in range(int(layout.visit_i[v, V_PATTERN0]), int(layout.visit_i[v, V_PATTERN1])):
                    rows = row[layout.pattern[p]]
                    cost = float(layout.pattern_cost[p])
                    total = cost + float(by_row[rows].sum())
                    if total < least:
                        best, least = Plan(v, tuple(rows.tolist()), cost), total
                found.append(best)
            else:
                length, total = best_chain(
                    layout.visit_i[v], *chain_rates(layout, v), days, by_row[row], value, reach, before, chain
                )
                rows = tuple(int(row[node >> 1]) for node in chain[:length].tolist() if node & 1)
                found.append(Plan(v, rows, float(total) - float(duals[list(rows)].sum())))
        return found

    def worth(self, duals: NDArray[np.float64], day: int) -> NDArray[np.float64]:
        """Return what each visit is worth to a route of a day."""
        return np.append(duals, 0.0)[self.row[:, day]]
