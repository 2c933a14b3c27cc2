"""What making a visit on a day is worth, where its shift is the only one that could make it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.routing.layout import (
    PATTERNS,
    RHYTHM,
    S_COST,
    S_COST_PER_DRIVE_S,
    S_COST_PER_M,
    S_COST_PER_S,
    S_DAY,
    S_OVERTIME_COST,
    V_KIND,
    V_LATE_COST,
    V_PATTERN0,
    V_PATTERN1,
    V_VALUE,
    V_WEEKDAY_COST,
    Layout,
)
from territory.routing.rhythm import chain_of
from territory.travel import UNREACHABLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["dearest", "worths"]


def worths(layout: Layout, home: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_], float]:
    """Return what each visit is worth, whether its shift may make it, and the cost if none is made.

    Parameters
    ----------
    layout : Layout
    home : int64 array of shape (V,)
        The only shift of each visit, or -1.

    Returns
    -------
    worth : float64 array of shape (V,)
        Without what being required adds.
    may : bool array of shape (V,)
    nothing : float
    """
    worth = layout.visit_f[:, V_VALUE].copy()
    may = home >= 0
    nothing = 0.0
    for v in np.flatnonzero(layout.visit_i[:, V_KIND] == PATTERNS).tolist():
        if not may[v]:
            continue
        day = int(layout.shift_i[home[v], S_DAY])
        rows = range(int(layout.visit_i[v, V_PATTERN0]), int(layout.visit_i[v, V_PATTERN1]))
        alone = [r for r in rows if layout.pattern[r, day] and layout.pattern[r].sum() == 1]
        may[v] = bool(alone)
        if alone:
            cheapest = min(float(layout.pattern_cost[r]) for r in alone)
            worth[v] -= cheapest
            nothing += cheapest
    for v in np.flatnonzero(layout.visit_i[:, V_KIND] == RHYTHM).tolist():
        # nothing made: no day is off, and none on another weekday
        left_out = worth[v] * len(chain_of(layout, v, ()).missed)
        nothing += left_out - worth[v]
        if not may[v]:
            worth[v], nothing = 0.0, nothing + worth[v]
            continue
        try:
            missed, off, weekdays = chain_of(layout, v, (int(layout.shift_i[home[v], S_DAY]),))
        except ValueError:
            may[v] = False
            nothing += worth[v]
            worth[v] = 0.0
            continue
        saved = left_out - (off + weekdays) - worth[v] * len(missed)
        nothing += worth[v] - saved
        worth[v] = saved
    return worth, may, nothing


def dearest(layout: Layout) -> float:
    """Return a sum that no solution's costs can exceed, missed visits aside."""
    shift_f, drive = layout.shift_f, layout.drive[layout.drive < UNREACHABLE]
    legs = len(layout.visit_i) + 2 * len(layout.shift_i)
    span = float(layout.shift_i[:, 3].max(initial=0) - layout.shift_i[:, 2].min(initial=0))
    metres = float(layout.metres.max(initial=0)) if layout.metres.size else 0.0
    leg = shift_f[:, S_COST_PER_DRIVE_S].max(initial=0) * float(drive.max(initial=0)) + (
        shift_f[:, S_COST_PER_M].max(initial=0) * metres
    )
    away = (shift_f[:, S_COST_PER_S] + shift_f[:, S_OVERTIME_COST]).sum() * span
    late = float(layout.visit_f[:, V_LATE_COST].sum()) * span
    more = float(layout.extra.sum()) + float(layout.pattern_cost.sum())
    more += float(layout.visit_f[:, V_WEEKDAY_COST].sum()) * layout.days
    return float(legs * leg + shift_f[:, S_COST].sum() + away + late + more)
